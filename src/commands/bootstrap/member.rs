//! One organization: what its cluster shows, the pair that it has or gets, and the steps that put it into place.

use super::{
    apart::shared,
    head::Head,
    posts::{Post, first, namespace, or_to_install},
};
use crate::{
    cluster::{Cluster, ObjectRef},
    commands::{
        approve::Approval,
        ca::ca_object,
        enroll::{
            Enrolment,
            install::{Ahead, Pair, Source},
            seen::Seen,
        },
    },
    failure::{Code, Exit, Failure, Result},
    federation::Site,
    names::MspId,
    parallel::side_by_side,
    pki::{
        authority::Authority,
        inspect::{self, Certificate},
        key::PrivateKey,
        log::{Entry, IssueLog},
        policy::{self, BatchRequest},
        request::{self, Request},
    },
    plan::{Action, Plan, Step, StepId},
    release::Edited,
    session::Session,
    substra::Side,
};

/// An organization as it was found.
pub(super) struct Member<'a> {
    pub(super) msp_id: &'a MspId,
    site: &'a Site,
    cluster: &'a dyn Cluster,
    enrolment: Enrolment<'a>,
    seen: Seen,
    ahead: Ahead,
    namespace: Option<Step>,
}

/// What signs for organizations that need a new pair.
pub(super) struct Signer<'a> {
    pub(super) approval: &'a Approval<'a>,
    pub(super) authority: &'a Authority,
    pub(super) ledger: &'a IssueLog,
}

/// An organization's part of the plan.
pub(super) struct Part<'a> {
    pub(super) cluster: &'a dyn Cluster,
    pub(super) msp_id: MspId,
    pub(super) plan: Plan,
    /// The certificate that is in place, or that was signed.
    pub(super) certificate: Option<Certificate>,
    /// What is to be signed once the operator has agreed.
    pub(super) due: Option<Due<'a>>,
}

/// A request that was judged, its key, and where the pair goes.
pub(super) struct Due<'a> {
    request: Request,
    key: PrivateKey,
    enrolment: Enrolment<'a>,
    seen: Seen,
}

impl<'a> Member<'a> {
    /// Three children: the release's two, and one for all objects; what an upgrade would do is looked at beside that.
    pub(super) fn observe(post: &'a Post<'_>, session: &'a Session<'a>, install: bool) -> Result<Self> {
        let organization = post.organization;
        let enrolment = Enrolment::of(&post.args, session)?;
        if enrolment.backend.msp_id != organization.msp_id {
            return Err(Failure::new(
                Exit::CheckFailed,
                Code::OrganizationOther,
                format!("the values of {} are those of {}", organization.msp_id, enrolment.backend.msp_id),
            )
            .why(format!("orchestrator.mspID is {} there", enrolment.backend.msp_id))
            .next("name the right values files under this organization"));
        }
        let found = or_to_install(
            enrolment.find(),
            Side::Backend,
            &*post.cluster,
            &organization.site,
            enrolment.options(),
            install,
        )?;
        let (objects, ahead) = side_by_side(|| enrolment.objects(&found), || enrolment.look_ahead(&found, false));
        let objects = objects?;
        let namespace = namespace(&*post.cluster, &found)?;
        let seen = enrolment.seen(found, objects);
        let (msp_id, site, cluster) = (&organization.msp_id, &organization.site, &*post.cluster);
        Ok(Self { msp_id, site, cluster, enrolment, seen, ahead: ahead?, namespace })
    }

    /// The edited files, where they will be written or deployed.
    pub(super) fn edited(&self) -> Option<&Edited> {
        let Ahead { edited, plan, .. } = &self.ahead;
        (edited.changes() || plan.upgrades()).then_some(edited)
    }

    /// The Secret of its pair: two backends that mount the same one cannot be two organizations.
    pub(super) fn place(&self) -> (&'a Site, String) {
        (self.site, self.enrolment.backend.client_certificate.to_string())
    }

    /// Who it is by its values.
    pub(super) fn party(&self) -> BatchRequest<'_> {
        let hosts = std::slice::from_ref(&self.enrolment.backend.host);
        BatchRequest { name: format!("the values of {}", self.msp_id), msp_id: self.msp_id, hosts, key: None }
    }

    /// Whether the pair that is in place cannot stay: there is none, it is of a CA by which the organization is not
    /// admitted, or its end is near.
    ///
    /// # Errors
    /// The pair is another organization's; or it works by a CA of its own, and one of the federation's would not yet.
    pub(super) fn needs_pair(&self, head: &Head<'_>, ca: &Certificate) -> Result<bool> {
        self.is_its_own()?;
        let authorities = authorities(head, self.msp_id, ca)?;
        let now = head.session.now;
        let in_time = self.seen.live.as_ref().is_some_and(|live| !live.certificate.is_in_last_third(now));
        if in_time && self.live(&authorities).is_ok() {
            return Ok(false);
        }
        let live = self.seen.live.as_ref().map(|live| &live.certificate).filter(|live| live.not_after > now);
        let foreign = authorities.iter().find(|other| {
            other.spki != ca.spki && other.not_after > now && live.is_some_and(|live| live.is_signed_by(other))
        });
        match foreign {
            Some(other) if !head.lets_in(self.msp_id, ca)? => Err(works_by_another(self.msp_id, other)),
            _ => Ok(true),
        }
    }

    /// A Secret that holds another organization's pair is not written over: that one may work by it.
    fn is_its_own(&self) -> Result<()> {
        let Some(pair) = &self.seen.pair else { return Ok(()) };
        let label = pair.json()["metadata"]["labels"]["substra-mtls/msp-id"].as_str();
        let named = self.seen.live.iter().flat_map(|live| &live.certificate.organizations).map(String::as_str);
        let owners: Vec<&str> = label.into_iter().chain(named).collect();
        if owners.is_empty() || owners.contains(&self.msp_id.as_str()) {
            return Ok(());
        }
        Err(shared(self.msp_id, owners[0], pair.name()).next(format!(
            "choose another name at orchestrator.tls.mtls.clientCertificate of {}; or, if that pair is of no use any more: {}",
            self.msp_id, self.enrolment.delete(&self.seen, pair.name())
        )))
    }

    fn live(&self, authorities: &[Certificate]) -> Result<Pair> {
        self.enrolment.judged(&self.seen, &Source::Live, authorities)
    }

    /// The steps, and a request where a certificate is needed.
    pub(super) fn plan(self, head: &Head<'_>, ca: &Certificate, signer: Option<&Signer<'_>>) -> Result<Part<'a>> {
        let asks = signer.map(|signer| self.request(signer)).transpose()?;
        let pair = match asks {
            Some(_) => None,
            None => Some(self.live(&authorities(head, self.msp_id, ca)?)?),
        };
        let trust = self.trust(ca)?;
        let Self { msp_id, cluster, enrolment, seen, ahead, namespace, .. } = self;
        let installation = enrolment.installation(&seen, pair.as_ref(), ahead)?;
        Ok(Part {
            cluster,
            msp_id: msp_id.clone(),
            plan: Plan::of(namespace.into_iter().chain(trust)).then(installation),
            certificate: pair.map(|pair| pair.certificate),
            due: asks.map(|(request, key)| Due { request, key, enrolment, seen }),
        })
    }

    /// The key is made here and goes into the organization's own Secret; the request passes the same policy as any.
    fn request(&self, signer: &Signer<'_>) -> Result<(Request, PrivateKey)> {
        let backend = &self.enrolment.backend;
        let key = PrivateKey::generate(self.enrolment.key_type())?;
        let csr = request::create(&key, &backend.msp_id, &backend.host)?;
        let name = format!("request of {}", backend.msp_id);
        let judged = signer.approval.with_circumstances(signer.authority, signer.ledger, |circumstances| {
            policy::judge(&name, csr.as_bytes(), circumstances)
        });
        let request = judged.map_err(|found| first(found, "the organization cannot have a certificate"))?;
        signer.approval.fits(signer.authority, &request)?;
        Ok((request, key))
    }

    /// The CA that the backend trusts: made where nothing is, compared where something is.
    fn trust(&self, ca: &Certificate) -> Result<Option<Step>> {
        let Some(name) = &self.enrolment.backend.cacert else { return Ok(None) };
        let kind = self.seen.found.kind_of(name.as_str());
        let title = format!("{kind} {name}: the CA's certificate");
        let Some(object) = ObjectRef::of_kind(kind, name.as_str()).among(&self.seen.objects) else {
            let object = ca_object(kind, name, self.seen.found.name.as_str(), &ca.to_pem());
            return Ok(Some(Step::to_do(StepId::Cacert, title, Action::Create(object))));
        };
        let held = object.data("ca.crt").and_then(|pem| inspect::certificates(&pem).ok()).unwrap_or_default();
        let now = self.enrolment.now();
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
        .next(self.enrolment.ours("ca trust orchestrator-ca.crt --backend").to_string()))
    }
}

/// The CAs of which a pair of this organization may be.
fn authorities(head: &Head<'_>, msp_id: &MspId, ca: &Certificate) -> Result<Vec<Certificate>> {
    Ok(std::iter::once(ca.clone()).chain(head.admitting(msp_id)?).collect())
}

fn works_by_another(msp_id: &MspId, other: &Certificate) -> Failure {
    Failure::new(Exit::CheckFailed, Code::PairOfAnotherCa, format!("the pair of {msp_id} is not replaced"))
        .why(format!("it works by a CA of its own, {}, and the orchestrator would refuse one of the federation's CA until its next upgrade", other.subject))
        .next(format!("have that CA make a new pair; or first let {msp_id} in by the federation's CA: ca trust CERT --for {msp_id}"))
}

impl Part<'_> {
    /// Signs what is due, and puts the pair where a step waits for it.
    pub(super) fn sign(&mut self, approval: &Approval<'_>, authority: &Authority) -> Result<Option<Entry>> {
        let Some(Due { request, key, enrolment, seen }) = self.due.take() else { return Ok(None) };
        let (issued, entry) = approval.sign_new(authority, &request)?;
        let certificate = Certificate::from_der(&issued.der)?;
        let pair = Pair { certificate, pem: issued.pem.into_bytes(), key };
        Step::fill(&mut self.plan.steps, [enrolment.pair_action(&seen, &pair)]);
        self.certificate = Some(pair.certificate);
        Ok(Some(entry))
    }

    pub(super) fn is_done(&self) -> bool {
        !self.plan.is_open()
    }
}
