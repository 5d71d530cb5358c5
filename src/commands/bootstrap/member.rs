//! One organization: what its cluster shows, the pair that it has or gets, and the steps that put it into place.

use super::posts::Post;
use crate::{
    cluster::{Cluster, ObjectRef},
    commands::{
        Desk,
        approve::Approval,
        ca::ca_object,
        enroll::{
            Enrolment,
            install::{Ahead, Pair, Source},
            seen::Seen,
        },
        release::{Chart, Found},
        side_by_side,
    },
    failure::{Exit, Failure, Result},
    names::MspId,
    pki::{
        authority::Authority,
        inspect::{self, Certificate},
        key::PrivateKey,
        log::{Entry, IssueLog},
        policy, request,
    },
    plan::{Action, State, Step},
};

/// An organization as it was found.
pub(super) struct Member<'a> {
    pub(super) msp_id: &'a MspId,
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
    pub(super) ledger: IssueLog,
}

/// An organization's part of the plan.
pub(super) struct Part<'a> {
    pub(super) cluster: &'a dyn Cluster,
    pub(super) msp_id: MspId,
    pub(super) steps: Vec<Step>,
    /// The certificate that is or will be in place.
    pub(super) certificate: Certificate,
    /// The new line of the issue log.
    pub(super) entry: Option<Entry>,
    pub(super) restarts: Vec<String>,
    pub(super) warnings: Vec<String>,
}

impl<'a> Member<'a> {
    /// Three children: the release's two, and one for all objects; what an upgrade would do is looked at beside that.
    pub(super) fn observe(post: &'a Post<'_>, desk: &'a Desk<'a>, install: bool) -> Result<Self> {
        let organization = post.organization;
        let enrolment = Enrolment::of(&post.args, desk)?;
        if enrolment.backend.msp_id != organization.msp_id {
            return Err(Failure::new(
                Exit::CheckFailed,
                "organization-other",
                format!("the values of {} are those of {}", organization.msp_id, enrolment.backend.msp_id),
            )
            .why(format!("orchestrator.mspID is {} there", enrolment.backend.msp_id))
            .next("name the right values files under this organization"));
        }
        let found = enrolment.find().or_else(|failure| to_install(post, Chart::Backend, install, failure))?;
        let (objects, ahead) = side_by_side(|| enrolment.objects(&found), || enrolment.look_ahead(&found));
        let objects = objects?;
        let namespace = namespace(&*post.cluster, &found)?;
        let seen = enrolment.seen(found, objects);
        Ok(Self { msp_id: &organization.msp_id, cluster: &*post.cluster, enrolment, seen, ahead: ahead?, namespace })
    }

    /// Whether the pair that is in place cannot stay: there is none, it is of another CA, or its end is near.
    pub(super) fn needs_pair(&self, ca: &Certificate, desk: &Desk<'_>) -> bool {
        let in_time = self.seen.live.as_ref().is_some_and(|live| !live.certificate.is_in_last_third(desk.now));
        !in_time || self.live(ca).is_err()
    }

    fn live(&self, ca: &Certificate) -> Result<Pair> {
        self.enrolment.judged(&self.seen, &Source::Live, std::slice::from_ref(ca))
    }

    /// The steps, and a certificate where one is needed.
    pub(super) fn plan(self, ca: &Certificate, signer: Option<&Signer<'_>>) -> Result<Part<'a>> {
        let (pair, entry) = match signer {
            Some(signer) => self.sign(signer)?,
            None => (self.live(ca)?, None),
        };
        let trust = self.trust(ca)?;
        let Self { msp_id, cluster, enrolment, seen, ahead, namespace } = self;
        let installation = enrolment.installation(&seen, &pair, ahead.edited, ahead.planned)?;
        let mut steps: Vec<Step> = namespace.into_iter().chain(trust).collect();
        steps.extend(installation.steps);
        Ok(Part {
            cluster,
            msp_id: msp_id.clone(),
            steps,
            certificate: pair.certificate,
            entry,
            restarts: installation.restarts,
            warnings: installation.warnings,
        })
    }

    /// The key is made here and goes into the organization's own Secret; the request passes the same policy as any.
    fn sign(&self, signer: &Signer<'_>) -> Result<(Pair, Option<Entry>)> {
        let backend = &self.enrolment.backend;
        let key = PrivateKey::generate(self.enrolment.key_type())?;
        let csr = request::create(&key, &backend.msp_id, &backend.host)?;
        let name = format!("request of {}", backend.msp_id);
        let judged = signer.approval.with_circumstances(signer.authority, &signer.ledger, |circumstances| {
            policy::judge(&name, csr.as_bytes(), circumstances)
        });
        let request = judged.map_err(|found| first(found, "the organization cannot have a certificate"))?;
        let (issued, entry) = signer.approval.sign_one(signer.authority, &signer.ledger, &request)?;
        let certificate = Certificate::from_der(&issued.der)?;
        Ok((Pair { certificate, pem: issued.pem.into_bytes(), key }, entry))
    }

    /// The CA that the backend trusts: made where nothing is, compared where something is.
    fn trust(&self, ca: &Certificate) -> Result<Option<Step>> {
        let Some(name) = &self.enrolment.backend.cacert else { return Ok(None) };
        let kind = self.seen.found.kind_of(name.as_str());
        let title = format!("{kind} {name}: the CA's certificate");
        let wanted = ObjectRef::of_kind(kind, name.as_str());
        let Some(object) = self.seen.objects.iter().find(|object| object.reference() == wanted) else {
            let object = ca_object(kind, name, self.seen.found.name.as_str(), &ca.to_pem());
            return Ok(Some(Step::to_do("cacert", title, Action::Create(object))));
        };
        let held = object.data("ca.crt").and_then(|pem| inspect::certificates(&pem).ok()).unwrap_or_default();
        if held.iter().any(|held| held.spki == ca.spki) {
            return Ok(None);
        }
        Err(Failure::new(Exit::CheckFailed, "cacert-other", format!("{kind} {name} does not hold the federation's CA"))
            .why(format!("its item ca.crt lacks the CA with the key {}", ca.fingerprint()))
            .next("add it: ca trust orchestrator-ca.crt --backend, with this backend's values files"))
    }
}

/// Where a release is missing: what it will be, if it may be installed.
pub(super) fn to_install(post: &Post<'_>, chart: Chart, install: bool, failure: Failure) -> Result<Found> {
    let site = &post.organization.site;
    match failure.code {
        "no-release" if install => {
            Found::to_install(&*post.cluster, &site.release, chart, &post.args.common, site.namespace.as_str())
        }
        "no-release" => Err(failure.next("mend the federation file, or install what is missing with --install")),
        _ => Err(failure),
    }
}

/// The namespace of a release that is to be installed, where it is not there yet. Rights that do not allow to look at
/// namespaces are those of somebody who was given one.
pub(super) fn namespace(cluster: &dyn Cluster, found: &Found) -> Result<Option<Step>> {
    if found.is_installed() {
        return Ok(None);
    }
    let name = &found.release.namespace;
    match cluster.get(&[ObjectRef::new("namespace", name)]) {
        Ok(there) if there.is_empty() => {
            let object = serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
            Ok(Some(Step::to_do("namespace", format!("namespace {name}"), Action::Create(object.into()))))
        }
        Ok(_) => Ok(None),
        Err(failure) if failure.code == "forbidden" => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Of several findings the first; the others are told in its reason.
pub(super) fn first(mut found: Vec<Failure>, or: &str) -> Failure {
    if found.is_empty() {
        return Failure::new(Exit::Refused, "refused", or);
    }
    let first = found.remove(0);
    let more: String = found.iter().map(|other| format!("; and {}", other.what)).collect();
    let why = format!("{}{more}", first.why);
    first.why(why)
}

impl Part<'_> {
    pub(super) fn is_done(&self) -> bool {
        self.steps.iter().all(|step| step.state == State::Already)
    }
}
