//! One organization: what its cluster shows, the pair that it has or gets, and the steps that put it into place.

use super::{
    conflicts::shared,
    orchestrator::OrchestratorState,
    targets::{BackendTarget, find_or_install, namespace, read},
};
use crate::{
    cluster::{Cluster, ObjectRef},
    exchange::{
        approval::Approval,
        ca::ca_object,
        enrolment::{self, Enrolment},
        installation::{CertificateSource, ClientPair, UpgradePreview},
    },
    failure::{Code, Exit, Failure, Result},
    federation::Site,
    names::MspId,
    parallel::side_by_side,
    pki::{
        authority::Authority,
        inspect::{self, Certificate},
        key::{KeyType, PrivateKey},
        log::{Entry, IssueLog},
        policy::{self, BatchRequest, Identification},
        request::{self, Request},
    },
    plan::{Action, Plan, Step, StepId},
    release::{EditedFiles, Target},
    session::Session,
    substra::backend::Backend,
};

/// An organization as it was found.
pub(super) struct Member<'a> {
    pub(super) msp_id: &'a MspId,
    site: &'a Site,
    cluster: &'a dyn Cluster,
    enrolment: Enrolment<'a>,
    preview: UpgradePreview,
    namespace: Option<Step>,
}

/// What signs for organizations that need a new pair.
pub(super) struct Signer<'a> {
    pub(super) approval: &'a Approval<'a>,
    pub(super) authority: &'a Authority,
    pub(super) ledger: &'a IssueLog,
    pub(super) key_type: KeyType,
}

/// An organization's part of the plan.
pub(super) struct MemberPlan<'a> {
    pub(super) cluster: &'a dyn Cluster,
    pub(super) msp_id: MspId,
    pub(super) plan: Plan,
    /// The certificate that is in place, or that was signed.
    pub(super) certificate: Option<Certificate>,
    /// What is to be signed once the operator has agreed.
    pub(super) due: Option<PendingRequest<'a>>,
}

/// A request that was checked, its key, and where the pair goes.
pub(super) struct PendingRequest<'a> {
    request: Request,
    key: PrivateKey,
    enrolment: Enrolment<'a>,
}

impl<'a> Member<'a> {
    /// Three children: the release's two, and one for all objects; what an upgrade would do is looked at beside that.
    pub(super) fn observe(at: &'a BackendTarget<'_>, session: &'a Session<'a>, install: bool) -> Result<Self> {
        let organization = at.organization;
        let (msp_id, site, cluster) = (&organization.msp_id, &organization.site, &*at.cluster);
        let target = read(Target::backend(session, &at.options, organization.hostname.as_ref()))?;
        is_the_organizations(&target.values, msp_id)?;
        let release = find_or_install(&target, site, install)?;
        let look = || target.look(release.clone(), enrolment::wanted(&target.values));
        let (seen, preview) = side_by_side(look, || UpgradePreview::of(&target, &release, false));
        let seen = seen?;
        let namespace = namespace(cluster, &release)?;
        Ok(Self { msp_id, site, cluster, enrolment: Enrolment::new(target, seen), preview: preview?, namespace })
    }

    /// The edited files, where they will be written or deployed.
    pub(super) fn edited(&self) -> Option<&EditedFiles> {
        let UpgradePreview { edited, plan, .. } = &self.preview;
        (edited.changes() || plan.upgrades()).then_some(edited)
    }

    /// The Secret of its pair: two backends that mount the same one cannot be two organizations.
    pub(super) fn place(&self) -> (&'a Site, String) {
        (self.site, self.enrolment.backend().client_certificate.to_string())
    }

    /// Who it is by its values.
    pub(super) fn party(&self) -> BatchRequest<'_> {
        let hosts = std::slice::from_ref(&self.enrolment.backend().host);
        BatchRequest { name: format!("the values of {}", self.msp_id), msp_id: self.msp_id, hosts, key: None }
    }

    /// Whether the pair that is in place cannot stay: there is none, it is of a CA by which the organization is not
    /// admitted, or its end is near.
    ///
    /// # Errors
    /// The pair is another organization's; or it works by a CA of its own, and one of the federation's would not yet.
    pub(super) fn needs_pair(&self, orchestrator: &OrchestratorState<'_>, ca: &Certificate) -> Result<bool> {
        self.is_its_own()?;
        let authorities = authorities(orchestrator, self.msp_id, ca)?;
        let now = orchestrator.state.session.now;
        let in_time = self.enrolment.live.as_ref().is_some_and(|live| !live.certificate.is_in_last_third(now));
        if in_time && self.live(&authorities).is_ok() {
            return Ok(false);
        }
        let live = self.enrolment.live.as_ref().map(|live| &live.certificate).filter(|live| live.not_after > now);
        let foreign = authorities.iter().find(|other| {
            other.spki != ca.spki && other.not_after > now && live.is_some_and(|live| live.is_signed_by(other))
        });
        match foreign {
            Some(other) if !orchestrator.lets_in(self.msp_id, ca)? => Err(works_by_another(self.msp_id, other)),
            _ => Ok(true),
        }
    }

    /// A Secret that holds another organization's pair is not written over: that one may work by it.
    fn is_its_own(&self) -> Result<()> {
        let Some(pair) = &self.enrolment.pair else { return Ok(()) };
        let label = pair.json()["metadata"]["labels"]["substra-mtls/msp-id"].as_str();
        let named = self.enrolment.live.iter().flat_map(|live| &live.certificate.organizations).map(String::as_str);
        let owners: Vec<&str> = label.into_iter().chain(named).collect();
        if owners.is_empty() || owners.contains(&self.msp_id.as_str()) {
            return Ok(());
        }
        Err(shared(self.msp_id, owners[0], pair.name()).next(format!(
            "choose another name at orchestrator.tls.mtls.clientCertificate of {}; or, if that pair is of no use any more: {}",
            self.msp_id, self.enrolment.delete(pair.name())
        )))
    }

    fn live(&self, authorities: &[Certificate]) -> Result<ClientPair> {
        self.enrolment.judged(&CertificateSource::Live, authorities)
    }

    /// The steps, and a request where a certificate is needed.
    pub(super) fn plan(
        self,
        orchestrator: &OrchestratorState<'_>,
        ca: &Certificate,
        signer: Option<&Signer<'_>>,
    ) -> Result<MemberPlan<'a>> {
        let asks = signer.map(|signer| self.request(signer)).transpose()?;
        let pair = match asks {
            Some(_) => None,
            None => Some(self.live(&authorities(orchestrator, self.msp_id, ca)?)?),
        };
        let trust = self.trust(ca)?;
        let Self { msp_id, cluster, enrolment, preview, namespace, .. } = self;
        let installation = enrolment.installation(pair.as_ref(), preview)?;
        Ok(MemberPlan {
            cluster,
            msp_id: msp_id.clone(),
            plan: Plan::of(namespace.into_iter().chain(trust)).then(installation),
            certificate: pair.map(|pair| pair.certificate),
            due: asks.map(|(request, key)| PendingRequest { request, key, enrolment }),
        })
    }

    /// The key is made here and goes into the organization's own Secret; the request passes the same policy as any.
    fn request(&self, signer: &Signer<'_>) -> Result<(Request, PrivateKey)> {
        let backend = self.enrolment.backend();
        let key = PrivateKey::generate(signer.key_type)?;
        let csr = request::create(&key, &backend.msp_id, &backend.host)?;
        let name = format!("request of {}", backend.msp_id);
        let judged = signer.approval.with_circumstances(signer.authority, signer.ledger, |policy_context| {
            policy::check_request(&name, csr.as_bytes(), policy_context)
        });
        let request = judged.map_err(|found| Failure::first_of(found, "the organization cannot have a certificate"))?;
        signer.approval.fits(signer.authority, &request)?;
        Ok((request, key))
    }

    /// The CA that the backend trusts: made where nothing is, compared where something is.
    fn trust(&self, ca: &Certificate) -> Result<Option<Step>> {
        let Some(name) = &self.enrolment.backend().cacert else { return Ok(None) };
        let kind = self.enrolment.state.cluster.release.kind_of(name.as_str());
        let title = format!("{kind} {name}: the CA's certificate");
        let Some(object) = ObjectRef::of_kind(kind, name.as_str()).find_in(&self.enrolment.state.cluster.objects)
        else {
            let object = ca_object(kind, name, self.enrolment.state.cluster.release.name.as_str(), &ca.to_pem());
            return Ok(Some(Step::to_do(StepId::Cacert, title, Action::Create(object))));
        };
        let held = object.data("ca.crt").and_then(|pem| inspect::certificates(&pem).ok()).unwrap_or_default();
        let now = self.enrolment.state.session.now;
        if held.iter().any(|held| held.spki == ca.spki && held.not_after >= now) {
            return Ok(None);
        }
        Err(Failure::new(
            Exit::CheckFailed,
            Code::CacertOther,
            format!("{kind} {name} does not hold the federation's CA"),
        )
        .why(format!(
            "its item ca.crt lacks a certificate that is still valid of the CA with the key {}",
            ca.fingerprint()
        ))
        .next(
            self.enrolment
                .state
                .options
                .command(self.enrolment.state.session, "ca trust orchestrator-ca.crt --backend"),
        ))
    }
}

/// The values are those of the organization that the file names.
fn is_the_organizations(backend: &Backend, msp_id: &MspId) -> Result<()> {
    if backend.msp_id == *msp_id {
        return Ok(());
    }
    let what = format!("the values of {msp_id} are those of {}", backend.msp_id);
    Err(Failure::new(Exit::CheckFailed, Code::OrganizationOther, what)
        .why(format!("orchestrator.mspID is {} there", backend.msp_id))
        .next("name the right values files under this organization"))
}

/// The CAs of which a pair of this organization may be.
fn authorities(orchestrator: &OrchestratorState<'_>, msp_id: &MspId, ca: &Certificate) -> Result<Vec<Certificate>> {
    Ok(std::iter::once(ca.clone()).chain(orchestrator.admitting(msp_id)?).collect())
}

fn works_by_another(msp_id: &MspId, other: &Certificate) -> Failure {
    Failure::new(Exit::CheckFailed, Code::PairOfAnotherCa, format!("the pair of {msp_id} is not replaced"))
        .why(format!("it works by a CA of its own, {}, and the orchestrator would refuse one of the federation's CA until its next upgrade", other.subject))
        .next(format!("have that CA make a new pair; or first let {msp_id} in by the federation's CA: ca trust CERT --for {msp_id}"))
}

impl MemberPlan<'_> {
    /// Signs what is due, and puts the pair where a step waits for it.
    pub(super) fn sign(&mut self, approval: &Approval<'_>, authority: &Authority) -> Result<Option<Entry>> {
        let Some(PendingRequest { request, key, enrolment }) = self.due.take() else { return Ok(None) };
        let (issued, entry) = approval.sign(authority, &request, &Identification::Fingerprint)?;
        let certificate = Certificate::from_der(&issued.der)?;
        let pair = ClientPair { certificate, pem: issued.pem.into_bytes(), key };
        Step::fill(&mut self.plan.steps, [enrolment.pair_action(&pair)]);
        self.certificate = Some(pair.certificate);
        Ok(Some(entry))
    }

    pub(super) fn is_done(&self) -> bool {
        !self.plan.is_open()
    }
}
