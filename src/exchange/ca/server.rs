//! The server's side of the CA: its object, the server pair, and the restart without which a new pair is not loaded.

use std::path::PathBuf;

use super::{
    PlannedCa, ca_object,
    pair::{self, PairRenewal},
    pair_files::PairFiles,
};
use crate::{
    cluster::{ChartVersion, Object, ObjectRef},
    command_line::CommandLine,
    exchange::unsigned,
    failure::{Code, Next, Result},
    names::Hostname,
    pki::{
        inspect::{self, Certificate},
        server::ServerPair,
    },
    plan::{Action, InitialState, Plan, Step, StepId},
    release::ClusterState,
    session::Session,
    substra::{
        Side,
        kind::ObjectKind,
        manifest::{Manifest, expected_kind},
        orchestrator::Orchestrator,
    },
};

/// The serial number of the pair with which the pods have to be started: on the Secret, written together with a pair that
/// running pods mount, and on the pod template once they are restarted for it. Where the two differ a restart is due,
/// whatever was killed in between; no clock is asked.
const NOTE: &str = "substra-mtls/server-pair";

/// The orchestrator's release, as far as its server's TLS goes.
pub(crate) struct ServerTarget<'a> {
    pub(crate) release: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) chart: &'a ChartVersion,
    /// What runs now.
    pub(crate) deployed: &'a Manifest,
    /// What will run after the upgrade.
    pub(crate) planned: &'a Manifest,
    pub(crate) orchestrator: &'a Orchestrator,
    /// The objects of [`wanted`], and the workloads.
    pub(crate) objects: &'a [Object],
    /// Hosts beside those of the values.
    pub(crate) hosts: &'a [Hostname],
    /// Files with a pair that was made elsewhere.
    pub(crate) files: Option<&'a PairFiles>,
}

/// What brings the server's TLS into place. The steps come after those of the CA and before values and upgrade.
pub(crate) struct ServerPairPlan {
    pub(crate) plan: Plan,
    /// The restart comes with a rollout, which has to be awaited even where no upgrade does.
    pub(crate) restarts: bool,
    /// Why the pair is made again; `None` for one that stays.
    pub(crate) renewal: Option<String>,
    /// The file that it is taken from; none where this run makes it, or it stays.
    pub(crate) from: Option<PathBuf>,
    /// The pair's certificate.
    pub(crate) certificate: Certificate,
}

/// The objects that have to be looked at, beside the source of the CA and the workloads.
pub(crate) fn wanted(orchestrator: &Orchestrator) -> Vec<ObjectRef> {
    let cacert = orchestrator.cacert.as_str();
    vec![ObjectRef::secret(cacert), ObjectRef::config_map(cacert), ObjectRef::secret(orchestrator.server_pair.as_str())]
}

impl<'a> ServerTarget<'a> {
    /// A release that is installed.
    pub(crate) fn of(
        cluster: &'a ClusterState,
        planned: &'a Manifest,
        orchestrator: &'a Orchestrator,
        hosts: &'a [Hostname],
        files: Option<&'a PairFiles>,
    ) -> Self {
        let ClusterState { release, objects } = cluster;
        Self {
            release: release.name.as_str(),
            namespace: &release.record.namespace,
            chart: &release.chart,
            deployed: &release.manifest,
            planned,
            orchestrator,
            objects,
            hosts,
            files,
        }
    }

    /// Plans the CA's object, the server pair and the restart, without writing anything.
    ///
    /// # Errors
    /// A pair that is good and of another CA, a name that no certificate can carry, a CA that cannot sign.
    pub(crate) fn plan(&self, ca: &PlannedCa<'_>, session: &Session<'_>) -> Result<ServerPairPlan> {
        let cacert = self.cacert_step(ca, session);
        let secret = self.object(&ObjectRef::secret(self.orchestrator.server_pair.as_str()));
        let found = secret.and_then(|object| ServerPair::read(&object.data("tls.crt")?, &object.data("tls.key")?));
        let renewal_of = PairRenewal {
            ca,
            trusted: self.trusted(ca),
            names: self.names()?,
            now: session.now,
            kubectl: session.kubectl(self.namespace),
        };
        let mut warnings = Vec::new();
        let (renewal, from, certificate, step, note) = match (renewal_of.due(found.as_ref()), secret, found) {
            (None, Some(secret), Some(found)) => {
                warnings.extend(renewal_of.ends_with_the_ca(&found.leaf));
                let step = pair::stays(secret, &found.leaf);
                (None, None, found.leaf, step, secret.annotation(NOTE).map(str::to_owned))
            }
            (due, secret, found) => {
                let why = if secret.is_some() { due.unwrap_or_default() } else { "there is none yet".to_owned() };
                let name = &self.orchestrator.server_pair;
                renewal_of.may_replace(name, self.orchestrator.cert_manager, found.as_ref(), &why)?;
                let kept = self.files.map(|files| files.taken_over(&renewal_of, found.as_ref(), &mut warnings));
                let made = match kept.transpose()?.flatten() {
                    Some(kept) => kept,
                    None => renewal_of.make(None, found.as_ref(), &mut warnings)?,
                };
                let note = self.mounting().next().map(|_| made.leaf.serial.clone());
                let step = pair::step(name, secret, &made, (NOTE, note.as_deref()), self.release);
                (Some(why), made.from, made.leaf, step, note)
            }
        };
        let restart = note.and_then(|note| self.restart(note));
        let restarts = restart.is_some();
        let plan = Plan::of([cacert, step].into_iter().chain(restart)).warn(warnings);
        Ok(ServerPairPlan { plan, restarts, renewal, from, certificate })
    }

    fn object(&self, wanted: &ObjectRef) -> Option<&Object> {
        wanted.find_in(self.objects)
    }

    /// The kind in which the chart mounts the CA.
    fn kind(&self) -> ObjectKind {
        let name = self.orchestrator.cacert.as_str();
        let mounted = self.planned.mount_kind(name).or_else(|| self.deployed.mount_kind(name));
        mounted.unwrap_or_else(|| expected_kind(Side::Orchestrator, &self.chart.version))
    }

    /// What holds another CA that is good was refused before; the rest may be replaced.
    fn cacert_step(&self, ca: &PlannedCa<'_>, session: &Session<'_>) -> Step {
        let (kind, name) = (self.kind(), self.orchestrator.cacert.as_str());
        let title = format!("{kind} {name}: the CA's certificate");
        let pem = ca.certificate.to_pem();
        let Some(old) = self.object(&ObjectRef::of_kind(kind, name)) else {
            let object = ca_object(kind, &self.orchestrator.cacert, self.release, &pem);
            return Step::to_do(StepId::Cacert, title, Action::Create(object));
        };
        let there = old.data("ca.crt").and_then(|pem| inspect::certificates(&pem).ok()).unwrap_or_default();
        let holds =
            there.iter().any(|held| held.is_ca && held.spki == ca.certificate.spki && held.not_after > session.now);
        Step::to_do(StepId::Cacert, title, Action::Replace(old.with_data(&[("ca.crt", pem.as_bytes())])))
            .already_if(holds)
    }

    /// What the orchestrator will trust: the CA, and what stands beside it in its object.
    fn trusted(&self, ca: &PlannedCa<'_>) -> Vec<Certificate> {
        let name = self.orchestrator.cacert.as_str();
        let object = self.object(&ObjectRef::of_kind(self.kind(), name));
        let beside = object.and_then(|object| inspect::certificates(&object.data("ca.crt")?).ok());
        std::iter::once(ca.certificate.clone()).chain(beside.unwrap_or_default()).collect()
    }

    /// Every name under which backends and the probe dial it, each once.
    fn names(&self) -> Result<Vec<Hostname>> {
        let values = self.orchestrator.own_names(self.release, self.namespace);
        let probe = self.planned.probe_name().or_else(|| self.deployed.probe_name());
        hosts(values.into_iter().chain(probe), self.hosts)
    }

    /// Workloads that run now and mount the pair.
    fn mounting(&self) -> impl Iterator<Item = ObjectRef> {
        let mounting = self.deployed.mounting(ObjectKind::Secret, self.orchestrator.server_pair.as_str());
        mounting.map(|workload| ObjectRef::new(workload.kind.to_string().to_lowercase(), &workload.name))
    }

    /// The restart of what was not started with the pair that the note names.
    fn restart(&self, note: String) -> Option<Step> {
        let is_new = |workload: &ObjectRef| {
            self.object(workload).is_some_and(|object| object.template_annotation(NOTE) == Some(note.as_str()))
        };
        let workloads: Vec<ObjectRef> = self.mounting().filter(|workload| !is_new(workload)).collect();
        if workloads.is_empty() {
            return None;
        }
        let names = workloads.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let title = format!("restart of {names}: the server loads its pair once, at its start");
        Some(Step::to_do(StepId::Restart, title, Action::Restart { workloads, note: (NOTE, note) }))
    }
}

/// Names of the values and those that were given beside them, each once.
pub(super) fn hosts(values: impl IntoIterator<Item = String>, more: &[Hostname]) -> Result<Vec<Hostname>> {
    let mut names: Vec<Hostname> = Vec::new();
    for name in values {
        let host = name.parse().map_err(|bad: crate::names::BadName| {
            unsigned(Code::ServerHost, format!("{name:?} cannot stand in the server's certificate"))
                .why(bad.rule)
                .next("fix ingress.hostname or ingress.extraHosts in the values; a wildcard is not issued")
        })?;
        names.push(host);
    }
    names.extend(more.iter().cloned());
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    Ok(names)
}

impl ServerPairPlan {
    /// Whether this run makes it.
    pub(crate) fn is_made(&self) -> bool {
        self.renewal.is_some() && self.from.is_none()
    }

    /// For releases that are left alone: the restart is told and not done.
    pub(crate) fn without_restart(&mut self, kubectl: CommandLine) -> Option<Next> {
        let at =
            self.plan.steps.iter().position(|step| step.id == StepId::Restart && step.state == InitialState::ToDo)?;
        self.restarts = false;
        let Action::Restart { workloads, note: (key, value) } = self.plan.steps.remove(at).action else { return None };
        let patch = serde_json::json!({"spec": {"template": {"metadata": {"annotations": {key: value}}}}});
        let kubectl = workloads.iter().fold(kubectl.with("patch"), CommandLine::word).with("--type=merge");
        Some(
            Next::from("restart the server so that it loads its new pair: ")
                .command(kubectl.option("--patch", [patch])),
        )
    }
}
