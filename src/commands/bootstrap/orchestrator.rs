//! The orchestrator as it was found, or as the first part of the plan will leave it: its CA and its TLS.

use super::targets::{OrchestratorTarget, find_or_install, namespace, read};
use crate::{
    cluster::{Object, ObjectRef, ReleaseStatus},
    commands::bootstrap::BootstrapArgs,
    exchange::{
        approval::{Approval, ReleaseLocation},
        ca::{CaRequest, CaSource, PlannedCa, set_up::set_up},
        gate,
    },
    failure::{Code, Exit, Failure, Result},
    federation::{self, Federation},
    names::MspId,
    pki::inspect::{self, Certificate},
    plan::{Plan, Step},
    release::{ClusterState, Observed, ReleaseState, Target, admission::gate_is_settled, mounts},
    session::Session,
    substra::{orchestrator::Orchestrator, unmet},
};

pub(super) struct OrchestratorState<'a> {
    pub(super) target: &'a OrchestratorTarget<'a>,
    pub(super) state: Observed<'a, Orchestrator>,
}

impl<'a> OrchestratorState<'a> {
    /// Three children: the release's two, and one for all objects.
    pub(super) fn observe(target: &'a OrchestratorTarget<'a>, session: &'a Session<'a>) -> Result<Self> {
        let site = &target.federation.orchestrator.site;
        let own = read(Target::orchestrator(session, &target.options, Vec::new))?;
        let release = find_or_install(&own, site, target.args.install)?;
        let mut wanted = mounts::wanted(&own.values);
        wanted.extend(mounts::wanted(&Orchestrator::read(release.config())?));
        wanted.extend(source(target.federation).object());
        let cluster = own.look(release, wanted)?;
        Ok(Self { target, state: Observed { target: own, cluster } })
    }

    pub(super) fn federation(&self) -> &'a Federation {
        self.target.federation
    }

    pub(super) fn args(&self) -> &'a BootstrapArgs {
        self.target.args
    }

    pub(super) fn release(&self) -> &ReleaseState {
        &self.state.cluster.release
    }

    /// What must not be lost of a CA that this file has made.
    pub(super) fn back_up(&self) -> Vec<String> {
        match self.federation().orchestrator.ca {
            federation::CaSpec::Create { .. } => source(self.federation()).back_up(),
            _ => Vec::new(),
        }
    }

    /// How the CA is asked for.
    pub(super) fn ca_request(&self) -> Result<CaRequest<'a>> {
        let missing = |what: String, why: &str, next: &str| {
            Err(Failure::new(Exit::CheckFailed, Code::CaMissing, what).why(why).next(next))
        };
        match &self.federation().orchestrator.ca {
            federation::CaSpec::Files { cert, .. } if !cert.exists() => {
                return missing(
                    format!("{} is not there", cert.display()),
                    "orchestrator.ca names it as the CA's certificate",
                    "put the CA's files there, or have a new CA made with ca: {create: true}",
                );
            }
            federation::CaSpec::Secret(name) if self.object(&ObjectRef::secret(name.as_str())).is_none() => {
                return missing(
                    format!("Secret {name} is not there"),
                    "orchestrator.ca names it as the Secret that holds the CA",
                    "name the Secret with the CA's tls.crt and tls.key, or have a new CA made with ca: {create: true}",
                );
            }
            _ => {}
        }
        let (source, passphrase_fd) = (source(self.federation()), self.target.args.passphrase_fd);
        Ok(CaRequest { source, encrypt: false, passphrase_fd, session: self.state.session })
    }

    pub(super) fn ca<'b>(&self, request: &'b CaRequest<'b>) -> Result<PlannedCa<'b>> {
        let next = "name that CA at orchestrator.ca: {cert: FILE, key: FILE} or {secret: NAME}";
        request.find(&self.state.cluster, &self.state.values.cacert).map_err(|failure| match failure.code {
            Code::CaElsewhere => failure.next(next),
            _ => failure,
        })
    }

    /// TLS, where the file asks for a CA or the release is not there yet: it has to be up before any backend dials it.
    /// Gives back the steps, and the orchestrator as they will leave it.
    pub(super) fn set_up(self, ca: &mut PlannedCa<'_>) -> Result<(Plan, Self)> {
        let is_asked = matches!(self.federation().orchestrator.ca, federation::CaSpec::Create { .. });
        let is_on = Orchestrator::read(self.release().config())?.tls_enabled;
        let was_installed = self.release().is_installed();
        if !is_asked && was_installed {
            // In the files alone it is not up: backends that went ahead would be cut off.
            return match (self.state.values.tls_enabled, is_on) {
                (true, true) => Ok((Plan::default().warn(std::mem::take(&mut ca.plan.warnings)), self)),
                (false, _) => Err(tls_off(unmet::VALUES_LACK_TLS)),
                (true, false) => Err(tls_off("the values files have it on, and the release does not yet")),
            };
        }
        let namespace = namespace(self.state.session.cluster()?, self.release())?;
        let set_up = set_up(&self.state, (&[], None), ca)?;
        let upgrades = set_up.plan.upgrades();
        let cuts_off = upgrades && was_installed && (!is_on || self.is_in_doubt());
        if upgrades && was_installed {
            gate_is_settled(self.release(), &self.state.values)?;
        }
        let Self { target, state } = self;
        let Observed { target: own, cluster: ClusterState { release, mut objects } } = state;
        objects_after(&mut objects, &set_up.plan.steps);
        let release = if upgrades { set_up.release } else { release };
        let values = Orchestrator::read(&set_up.files.merged())?;
        let own = Target { files: set_up.files, values, ..own };
        let state = Observed { target: own, cluster: ClusterState { release, objects } };
        let plan = Plan { cuts_off, ..Plan::of(namespace).then(set_up.plan) };
        Ok((plan, Self { target, state }))
    }

    /// Who approves, knowing all organizations that are to be admitted.
    pub(super) fn approval(&self, all: &[MspId]) -> Result<Approval<'a>> {
        let own = &self.state.target;
        let edited = own.files.edit(&own.values.admit_settings(all, &own.values.cacert))?;
        let orchestrator = Orchestrator::read(&edited.merged)?;
        let object = orchestrator.cacert.clone();
        let cluster = Some(self.state.cluster.clone());
        let place = ReleaseLocation::of(own, cluster.as_ref(), None);
        let (session, source) = (own.session, source(self.federation()));
        let validity = self.target.args.validity;
        Ok(Approval { session, source, orchestrator, object, cluster, place, validity })
    }

    /// The CA that signs is the one that the orchestrator checks against.
    ///
    /// # Errors
    /// The object that it mounts is missing, or begins with another CA.
    pub(super) fn knows(&self, ca: &Certificate, approval: &Approval<'_>) -> Result<()> {
        let name = &self.state.values.cacert;
        let next = format!(
            "name the CA that is in use at orchestrator.ca, or put only that into {name} as ca.crt; then run the same command again"
        );
        approval.is_the_clusters(ca).map_err(|failure| failure.next(next))
    }

    /// The CAs by which an organization is admitted in the release or in the values files, beside the federation's own:
    /// of each object the first certificate, as the server's identity check reads it.
    pub(super) fn admitting(&self, org: &MspId) -> Result<Vec<Certificate>> {
        let deployed = Orchestrator::read(self.release().config())?;
        let names = [&deployed, &self.state.values].map(|side| side.client_cas.get(org.as_str()));
        Ok(names.into_iter().flatten().flatten().filter_map(|name| self.first_ca(name)).collect())
    }

    /// Whether a pair of this CA would be accepted now, before any upgrade.
    pub(super) fn lets_in(&self, org: &MspId, ca: &Certificate) -> Result<bool> {
        let deployed = Orchestrator::read(self.release().config())?;
        let names = deployed.client_cas.get(org.as_str()).into_iter().flatten();
        let named = names.filter_map(|name| self.first_ca(name)).any(|first| first.spki == ca.spki);
        Ok(!deployed.mtls_enabled || !deployed.verify_msp_id || named)
    }

    fn first_ca(&self, name: &str) -> Option<Certificate> {
        let object = self.object(&ObjectRef::of_kind(self.release().kind_of(name), name))?;
        inspect::certificates(&object.data("ca.crt")?).ok()?.into_iter().next()
    }

    fn object(&self, wanted: &ObjectRef) -> Option<&Object> {
        self.state.cluster.object(wanted)
    }

    /// Whether the last upgrade failed with a closed gate: where it stands now nobody knows.
    pub(super) fn is_in_doubt(&self) -> bool {
        let release = self.release();
        self.state.values.mtls_enabled && release.is_installed() && release.record.status != ReleaseStatus::Deployed
    }

    /// Whether mutual TLS is on already, with the identity check.
    pub(super) fn is_closed(&self) -> bool {
        gate::is_closed(self.release(), &self.state.values, true)
    }
}

/// Where the federation's CA is.
fn source(federation: &Federation) -> CaSource {
    match &federation.orchestrator.ca {
        federation::CaSpec::Files { cert, key } | federation::CaSpec::Create { cert, key } => {
            CaSource::Files { certificate: cert.clone(), key: key.clone() }
        }
        federation::CaSpec::Secret(name) => CaSource::Secret(name.clone()),
    }
}

fn tls_off(reason: &str) -> Failure {
    unmet::tls_off_at_orchestrator(reason)
        .next("have it set up with ca: {create: true} in the federation file, or with ca init")
}

/// The objects as these steps will leave them.
fn objects_after(objects: &mut Vec<Object>, steps: &[Step]) {
    for new in steps.iter().filter_map(Step::new_object) {
        objects.retain(|object| object.reference() != new.reference());
        objects.push(new.clone());
    }
}
