//! A closed gate on the simulated cluster, and a view of it through which single things look otherwise.

use std::collections::BTreeMap;

use clap::Parser;
use serde_json::{Value, json};
use substra_mtls::{
    cli::Cli,
    cluster::{
        ChartVersion, Cluster, ClusterTarget, Helm, History, Kubernetes, Object, ObjectRef, Release, ReleaseStatus,
        Revision, Upgrade, simulated::SimulatedCluster,
    },
    dispatch::dispatch,
    failure::{Code, Exit, Failure, Result},
    files::note::NoteState,
    names::ReleaseName,
    pki::{
        inspect::{Certificate, certificates},
        key::{KeyType, PrivateKey},
    },
    report::{Console, Outcome},
    session::Session,
    substra::forged_certificates::CertificateRecipe,
};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{golden::text, simulated::Federation};

type Patch = Box<dyn Fn(&mut Value) + Sync>;

/// What looks otherwise. Every object is an hour old, the pods are half that.
pub(crate) struct View {
    pub(crate) objects: Patch,
    pub(crate) pods: Patch,
    pub(crate) rules: Option<Value>,
    pub(crate) status: Option<&'static str>,
    pub(crate) ingress: Value,
    pub(crate) issuers: Value,
    pub(crate) forbidden: Vec<&'static str>,
}

/// The world of a test.
pub(crate) struct Scene {
    pub(crate) federation: Federation,
    pub(crate) view: View,
    /// The release that is asked for, where that is another.
    pub(crate) release: Option<&'static str>,
    /// More words of the command line.
    pub(crate) more: String,
}

struct Seen<'a> {
    inner: &'a SimulatedCluster,
    view: &'a View,
    now: OffsetDateTime,
}

pub(crate) fn at(now: OffsetDateTime, minutes_ago: i64) -> String {
    (now - Duration::minutes(minutes_ago)).format(&Rfc3339).unwrap()
}

/// One finding as scripts see it.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) status: String,
    pub(crate) seen: String,
    pub(crate) next: String,
}

impl Scene {
    /// One organization is enrolled, approved and installed, and the gate is closed.
    pub(crate) fn new() -> Self {
        let federation = Federation::new();
        federation.enroll("").unwrap();
        federation.approve().unwrap();
        federation.install().unwrap();
        federation.close("").unwrap();
        let nothing = || -> Patch { Box::new(|_| {}) };
        let view = View {
            objects: nothing(),
            pods: nothing(),
            rules: None,
            status: None,
            ingress: json!({"nginx.ingress.kubernetes.io/ssl-passthrough": "true"}),
            issuers: json!([]),
            forbidden: Vec::new(),
        };
        Self { federation, view, release: None, more: String::new() }
    }

    pub(crate) fn outcome(&self, side: &str) -> Result<Outcome> {
        let Federation { world, org, orc, now } = &self.federation;
        let inner = if side == "backend" { org } else { orc };
        let log = if side == "backend" { "" } else { "--ca-cert @ca.crt" };
        let release = self.release.unwrap_or(side);
        let line = format!("substra-mtls check -f @{side}-values.yaml --release {release} {log} {}", self.more);
        let cli = Cli::try_parse_from(world.words(&line)).unwrap();
        let seen = Seen { inner, view: &self.view, now: *now };
        crate::schemas::seen(dispatch(
            &cli.command,
            &Session::new(Some(&seen), text::console(Console::silent()), &self.federation.clock()),
        ))
    }

    /// Another verb, in this view of the world.
    pub(crate) fn run(&self, side: &str, line: &str) -> Result<Outcome> {
        let Federation { world, org, orc, now } = &self.federation;
        let seen = Seen { inner: if side == "backend" { org } else { orc }, view: &self.view, now: *now };
        let cli = Cli::try_parse_from(world.words(&format!("substra-mtls {line}"))).unwrap();
        dispatch(&cli.command, &Session::new(Some(&seen), Console::silent(), &self.federation.clock()))
    }

    pub(crate) fn check(&self, side: &str) -> BTreeMap<String, Found> {
        findings(&self.outcome(side).unwrap())
    }

    /// Signs a leaf for a new key and puts both into the pair's Secret.
    pub(crate) fn put_pair(&self, cluster: &SimulatedCluster, secret: &str, recipe: &CertificateRecipe) {
        let (ca, ca_key) = self.ca();
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        let leaf = recipe.sign(key.spki(), &ca, &ca_key, self.federation.now).unwrap();
        put(cluster, &ObjectRef::secret(secret), &[("tls.crt", leaf.as_bytes()), ("tls.key", key.to_pem().as_bytes())]);
    }

    pub(crate) fn ca(&self) -> (Certificate, PrivateKey) {
        let read = |name| self.federation.world.read(name);
        let ca = certificates(read("ca.crt").as_bytes()).unwrap().remove(0);
        (ca, PrivateKey::from_pem(read("ca.key").as_bytes(), None).unwrap())
    }

    /// Edits a values file and installs it, as an upgrade by hand does.
    pub(crate) fn deploy(&self, side: &str, from: &str, to: &str) {
        let world = &self.federation.world;
        let name = format!("{side}-values.yaml");
        let text = world.read(&name);
        assert!(text.contains(from), "{from}: {text}");
        world.write(&name, &text.replace(from, to));
        self.reinstall(side);
    }

    pub(crate) fn reinstall(&self, side: &str) {
        let text = self.federation.world.read(&format!("{side}-values.yaml"));
        let values = substra_mtls::values::read(text.as_bytes()).unwrap();
        let (cluster, name, version) = match side {
            "backend" => (&self.federation.org, "substra-backend", "26.15.3"),
            _ => (&self.federation.orc, "orchestrator", "8.8.0"),
        };
        cluster.install(side, ChartVersion { name: name.into(), version: version.into() }, values).unwrap();
    }
}

/// The findings of the only site.
pub(crate) fn findings(outcome: &Outcome) -> BTreeMap<String, Found> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let sites = outcome.get("sites").unwrap();
    let one = |f: &Value| {
        (text(&f["id"]), Found { status: text(&f["status"]), seen: text(&f["seen"]), next: text(&f["next"]) })
    };
    sites[0]["checks"].as_array().unwrap().iter().map(one).collect()
}

/// Replaces items of an object.
pub(crate) fn put(cluster: &SimulatedCluster, name: &ObjectRef, data: &[(&str, &[u8])]) {
    let object = cluster.get(std::slice::from_ref(name)).unwrap().remove(0);
    cluster.replace(&object.with_data(data)).unwrap();
}

impl Seen<'_> {
    fn allow(&self, what: &str) -> Result<()> {
        if self.view.forbidden.contains(&what) {
            return Err(Failure::new(Exit::Outside, Code::Forbidden, format!("kubectl could not read {what}"))
                .why("a test says so")
                .next("ask"));
        }
        Ok(())
    }

    fn volumes(&self) -> Vec<Value> {
        let release = self.inner.releases().unwrap().remove(0).0.parse().unwrap();
        let manifest = self.release(&release).unwrap().unwrap().manifest;
        let documents = manifest.split("---\n").filter_map(|text| serde_json::from_str::<Value>(text).ok());
        documents
            .flat_map(|d| d["spec"]["template"]["spec"]["volumes"].as_array().cloned().unwrap_or_default())
            .collect()
    }
}

impl Cluster for Seen<'_> {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn target(&self) -> ClusterTarget {
        self.inner.target()
    }
}

/// A check waits for nobody, so that it asks none of these.
impl History for Seen<'_> {
    fn history(&self, name: &ReleaseName) -> Result<Vec<Revision>> {
        self.inner.history(name)
    }

    fn release_at(&self, name: &ReleaseName, revision: u64) -> Result<Option<Release>> {
        self.inner.release_at(name, revision)
    }

    fn hook_jobs(&self, name: &ReleaseName) -> Result<Vec<ObjectRef>> {
        self.inner.hook_jobs(name)
    }

    fn note(&self, before: &Object, revision: u64) -> NoteState {
        self.inner.note(before, revision)
    }

    fn server_time(&self) -> Result<OffsetDateTime> {
        Ok(self.now)
    }
}

impl Helm for Seen<'_> {
    fn releases(&self) -> Result<Vec<(String, ChartVersion)>> {
        self.inner.releases()
    }
    fn release(&self, name: &ReleaseName) -> Result<Option<Release>> {
        self.allow("release")?;
        let Some(mut release) = self.inner.release(name)? else { return Ok(None) };
        if let Some(status) = self.view.status {
            release.status = ReleaseStatus::of_helm(status);
        }
        if name.as_str() == "orchestrator" {
            let config = json!({"name": "orchestrator-config", "configMap": {"name": "orchestrator-server-config"}});
            release.manifest = release.manifest.replacen("\"volumes\":[", &format!("\"volumes\":[{config},"), 1);
            let ingress = json!({"kind": "Ingress", "metadata": {"name": "front", "annotations": self.view.ingress}});
            release.manifest.push_str(&format!("---\n{ingress}\n"));
        }
        Ok(Some(release))
    }
    fn chart(&self, name: &ReleaseName) -> Result<Option<ChartVersion>> {
        self.inner.chart(name)
    }
    fn find_chart(&self, upgrade: &Upgrade) -> Result<ChartVersion> {
        self.inner.find_chart(upgrade)
    }
    fn render(&self, upgrade: &Upgrade) -> Result<String> {
        self.inner.render(upgrade)
    }
    fn parse_values(&self, files: &[&[u8]]) -> Result<Vec<std::result::Result<Value, String>>> {
        self.inner.parse_values(files)
    }
    fn upgrade(&self, _: &Upgrade) -> Result<()> {
        panic!("check writes nothing")
    }
}

impl Kubernetes for Seen<'_> {
    fn get(&self, wanted: &[ObjectRef]) -> Result<Vec<Object>> {
        self.allow("objects")?;
        let mut all: Vec<Value> = self.inner.get(wanted)?.iter().map(|object| object.json().clone()).collect();
        if wanted.contains(&ObjectRef::config_map("orchestrator-server-config")) {
            all.push(json!({"kind": "ConfigMap", "metadata": {"name": "orchestrator-server-config"}, "data": {"config.yaml": "x"}}));
        }
        for object in &mut all {
            let made = at(self.now, 60);
            object["metadata"]["creationTimestamp"] = json!(made);
            object["metadata"]["managedFields"] =
                json!([{"manager": "helm", "time": made, "fieldsV1": {"f:data": {}}}]);
        }
        let mut all = Value::Array(all);
        (self.view.objects)(&mut all);
        Ok(all.as_array().unwrap().iter().cloned().map(Object::from).collect())
    }
    fn list(&self, resource: &str, selector: &str) -> Result<Vec<Object>> {
        self.allow(resource)?;
        let mut all = match resource {
            "pods" => json!([{"kind": "Pod", "metadata": {"name": "pod", "creationTimestamp": at(self.now, 30)},
                "spec": {"volumes": self.volumes()},
                "status": {"phase": "Running", "startTime": at(self.now, 30), "containerStatuses": [{"state": {"running": {}}}]}}]),
            "clusterissuers.cert-manager.io" => self.view.issuers.clone(),
            _ => return self.inner.list(resource, selector),
        };
        (self.view.pods)(&mut all);
        Ok(all.as_array().unwrap().iter().cloned().map(Object::from).collect())
    }
    fn access_review(&self, namespace: &str) -> Result<Value> {
        self.view.rules.clone().map_or_else(|| self.inner.access_review(namespace), Ok)
    }
    fn create(&self, _: &Object) -> Result<()> {
        panic!("check writes nothing")
    }
    fn replace(&self, _: &Object) -> Result<()> {
        panic!("check writes nothing")
    }
    fn delete(&self, _: &Object) -> Result<()> {
        panic!("check writes nothing")
    }
    fn annotate_template(&self, _: &ObjectRef, _: &str, _: &str) -> Result<()> {
        panic!("check writes nothing")
    }
}

/// The log is changed by what its last entry says.
pub(crate) fn entry_is(scene: &mut Scene, change: impl FnOnce(&mut String, Value)) {
    let mut log = scene.federation.world.read("ca.issued.jsonl");
    let entry = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    change(&mut log, entry);
    scene.federation.world.write("ca.issued.jsonl", &log);
}

pub(crate) fn annotate(all: &mut Value, name: &str, annotations: &Value) {
    for object in all.as_array_mut().unwrap().iter_mut().filter(|object| object["metadata"]["name"] == name) {
        object["metadata"]["annotations"] = annotations.clone();
    }
}
