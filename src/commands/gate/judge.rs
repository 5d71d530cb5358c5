//! What would crash the orchestrator or lock out its own probe is found before the gate closes: by the checks of `check`.

use super::Gate;
use crate::{
    commands::{check::mounts::Mounts, release::Planned},
    failure::{Exit, Failure},
    pki::server,
    substra::manifest::expected_kind,
};

impl Gate<'_> {
    /// The health probe dials with the server's pair as its client certificate: the first fault of that pair.
    pub(in crate::commands) fn judge_server_pair(&self, planned: &Planned) -> Option<Failure> {
        let name = self.orchestrator.server_pair.as_str();
        let (release, namespace) = (self.found.name.as_str(), &self.found.release.namespace);
        let probe = planned.manifest.probe_name().unwrap_or_else(|| self.orchestrator.probe_name(release, namespace));
        let mounts = self.mounts();
        let fault = server::fault(mounts.server(name).as_ref(), [probe.as_str()], &mounts.pool(), self.desk.now);
        fault.map(|server::Fault { code, why }| {
            Failure::new(
                Exit::CheckFailed,
                code,
                format!("the orchestrator would restart for ever: its pair in Secret {name} fails its own probe"),
            )
            .why(why)
            .next(format!("ca init renews it; or put a new one into Secret {name} (serverAuth and clientAuth, all its names), then kubectl rollout restart"))
        })
    }

    /// All that will be mounted: there, in the right kind, and beginning with the CA's certificate.
    pub(in crate::commands) fn judge_mounts(&self, planned: &Planned) -> Vec<Failure> {
        let cas = self.orchestrator.client_cas.values().flatten().map(String::as_str);
        let mut names: Vec<&str> = cas.chain([self.orchestrator.cacert.as_str()]).collect();
        names.sort_unstable();
        names.dedup();
        let (chart, mounts) = (&self.found.chart, self.mounts());
        let kind = |name: &str| {
            planned.manifest.mount_kind(name).unwrap_or_else(|| expected_kind(&chart.name, &chart.version))
        };
        names.iter().filter_map(|name| mounts.judge_ca(kind(name), name)).collect()
    }

    fn mounts(&self) -> Mounts<'_> {
        let kubectl = format!("kubectl -n {}", self.found.release.namespace);
        Mounts { found: &self.found, objects: &self.objects, now: self.desk.now, kubectl }
    }
}
