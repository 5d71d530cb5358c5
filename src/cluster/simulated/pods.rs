//! What happens to pods: mounts are waited for, the orchestrator starts and is probed, backends read their mounts again.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{SimulatedRelease, SimulatedState, charts};
use crate::{
    cluster::{ChartVersion, Object, ObjectRef, ReleaseStatus, kubectl::refused},
    failure::{Code, Result},
    substra::{
        Side,
        kind::ObjectKind,
        manifest::{Manifest, Mount, Workload, expected_kind},
        orchestrator::Orchestrator,
        servers::{BackendClient, OrchestratorServer, PemPair, TrustedCa, probe},
    },
};

impl SimulatedState {
    /// A new revision: rendered, and its pods started as far as their mounts and servers let them.
    pub(super) fn deploy(&mut self, namespace: &str, release: &str, chart: ChartVersion, config: Value) -> Result<()> {
        let manifest = charts::render(&chart, release, &config)?;
        let key = (namespace.to_owned(), release.to_owned());
        let old = self.releases.remove(&key);
        let before = old.clone().map(|old| Box::new(SimulatedRelease { before: None, ..old }));
        let (revision, server, annotations) =
            old.map_or_else(Default::default, |old| (old.revision, old.server, old.annotations));
        let (waiting, server) = self.start_pods(namespace, release, (&chart, &config, &manifest), server)?;
        self.releases.insert(
            key,
            SimulatedRelease {
                revision: revision + 1,
                status: ReleaseStatus::Deployed,
                config,
                manifest,
                chart,
                server,
                waiting,
                annotations,
                since: self.clock.now(),
                ends: None,
                before,
            },
        );
        Ok(())
    }

    /// An annotation of a workload's pod template: a new value replaces the pods of its release.
    pub(super) fn restart(&mut self, namespace: &str, workload: &ObjectRef, key: &str, value: &str) -> Result<()> {
        let owner = self.releases.iter().find(|((space, _), installed)| {
            space == namespace && installed.manifest.contains(&format!("\"{}\"", workload.name))
        });
        let Some(name) = owner.map(|(name, _)| name.clone()) else {
            return Err(refused(Code::NotFound, &format!("restart {workload}")).why("it is not there"));
        };
        let Some(mut installed) = self.releases.remove(&name) else { return Ok(()) };
        let annotations = installed.annotations.entry(workload.name.clone()).or_default();
        if annotations.insert(key.to_owned(), value.to_owned()).as_deref() != Some(value) {
            let what = (&installed.chart, &installed.config, installed.manifest.as_str());
            (installed.waiting, installed.server) = self.start_pods(namespace, &name.1, what, installed.server)?;
        }
        self.releases.insert(name, installed);
        Ok(())
    }

    /// New pods as far as their mounts and servers let them start: what each workload waits for, and the server that
    /// runs then.
    fn start_pods(
        &self,
        namespace: &str,
        release: &str,
        (chart, config, manifest): (&ChartVersion, &Value, &str),
        mut server: Option<OrchestratorServer>,
    ) -> Result<(BTreeMap<String, String>, Option<OrchestratorServer>)> {
        let parsed = Manifest::parse(manifest)?;
        let mut waiting = BTreeMap::new();
        for workload in parsed.workloads() {
            let missing = workload.mounts.iter().find(|mount| !self.can_mount(namespace, mount));
            if let Some(mount) = missing {
                waiting.insert(
                    workload.name.clone(),
                    format!("ContainerCreating: {} {} not found", mount.kind, mount.name),
                );
            }
        }
        if Side::of_chart(&chart.name) == Some(Side::Orchestrator) && waiting.is_empty() {
            match self.start_server(namespace, release, chart, config) {
                Ok(started) => server = started,
                // The old pod keeps running, since a rolling upgrade ends it only when the new one is ready.
                Err(why) => waiting
                    .extend(parsed.workloads().iter().map(|w| (w.name.clone(), format!("CrashLoopBackOff: {why}")))),
            }
        }
        Ok((waiting, server))
    }

    fn can_mount(&self, namespace: &str, mount: &Mount) -> bool {
        let object = self.objects.get(&(namespace.to_owned(), ObjectRef::of_kind(mount.kind, &mount.name)));
        object.is_some_and(|object| mount.items.iter().all(|item| object["data"][item].is_string()))
    }

    /// The server that these values start; `None` for one without TLS, which nothing here dials.
    fn start_server(
        &self,
        namespace: &str,
        release: &str,
        chart: &ChartVersion,
        config: &Value,
    ) -> Result<Option<OrchestratorServer>, String> {
        let read = Orchestrator::read(config).map_err(|failure| failure.what)?;
        if !read.tls_enabled {
            return Ok(None);
        }
        let kind = expected_kind(Side::Orchestrator, &chart.version);
        let pair = self.pair(namespace, read.server_pair.as_str()).ok_or("the server's pair is not mounted")?;
        let cacert = self.data(namespace, kind, read.cacert.as_str(), "ca.crt").unwrap_or_default();
        let ca = |organization: &String, object: &String| TrustedCa {
            organization: organization.clone(),
            pem: self.data(namespace, kind, object, "ca.crt").unwrap_or_default().to_vec(),
        };
        let cas: Vec<TrustedCa> = read
            .client_cas
            .iter()
            .flat_map(|(org, objects)| objects.iter().map(|object| ca(org, object)).collect::<Vec<_>>())
            .collect();
        let server = OrchestratorServer::start(pair, &cacert, &cas, read.mtls_enabled, read.verify_msp_id)?;
        probe(&server, &read.probe_name(release, namespace), self.clock.now())
            .map_err(|why| format!("the health probe fails: {why}"))?;
        Ok(Some(server))
    }

    /// A backend's client: its mounts are read for every call, so a replaced Secret counts at once.
    pub(super) fn backend(&self, namespace: &str, release: &str) -> Option<BackendClient> {
        let installed = self.releases.get(&(namespace.to_owned(), release.to_owned()))?;
        let orchestrator = &installed.config["orchestrator"];
        let tls = &orchestrator["tls"];
        let kind = expected_kind(Side::Backend, &installed.chart.version);
        let ca = self.data(namespace, kind, tls["cacert"].as_str().unwrap_or_default(), "ca.crt").unwrap_or_default();
        let mounted = tls["mtls"]["enabled"] == true;
        let pair =
            tls["mtls"]["clientCertificate"].as_str().filter(|_| mounted).and_then(|name| self.pair(namespace, name));
        let (msp_id, host) = (orchestrator["mspID"].as_str()?, orchestrator["host"].as_str()?);
        Some(BackendClient::new(ca.to_vec(), pair, msp_id, host))
    }

    fn pair(&self, namespace: &str, name: &str) -> Option<PemPair> {
        let half = |item| self.data(namespace, ObjectKind::Secret, name, item);
        Some(PemPair { certificate: half("tls.crt")?.to_vec(), key: half("tls.key")? })
    }

    fn data(&self, namespace: &str, kind: ObjectKind, name: &str, item: &str) -> Option<Zeroizing<Vec<u8>>> {
        let object = self.objects.get(&(namespace.to_owned(), ObjectRef::of_kind(kind, name)))?;
        Object::from(object.clone()).data(item)
    }

    /// An object, or a workload.
    pub(super) fn object(&self, namespace: &str, name: &ObjectRef) -> Option<Value> {
        let object = self.objects.get(&(namespace.to_owned(), name.clone())).cloned();
        let is = |workload: &Value| Object::from(workload.clone()).reference() == *name;
        let kept = || self.revision_secret(namespace, name);
        object.or_else(kept).or_else(|| self.workloads(namespace).into_iter().find(is))
    }

    /// The workloads of all releases, with the status that the API server would give them.
    pub(super) fn workloads(&self, namespace: &str) -> Vec<Value> {
        let here = self.releases.iter().filter(|((space, _), _)| space == namespace);
        here.flat_map(|((_, release), installed)| {
            let manifest = Manifest::parse(&installed.manifest);
            let status = |workload: &Workload| installed.workload(release, workload);
            manifest.map(|manifest| manifest.workloads().iter().map(status).collect::<Vec<_>>()).unwrap_or_default()
        })
        .collect()
    }
}

impl SimulatedRelease {
    fn workload(&self, release: &str, workload: &Workload) -> Value {
        let ready = u64::from(!self.waiting.contains_key(&workload.name));
        json!({
            "kind": workload.kind.to_string(),
            "metadata": {"name": workload.name, "generation": self.revision, "labels": {"app.kubernetes.io/instance": release}},
            "spec": {"replicas": 1, "template": {"metadata": {"annotations": self.annotations.get(&workload.name)}}},
            "status": {"observedGeneration": self.revision, "replicas": 1, "updatedReplicas": 1,
                       "availableReplicas": ready, "readyReplicas": ready},
        })
    }
}
