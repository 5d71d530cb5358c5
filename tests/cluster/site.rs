//! One organization and its orchestrator on the control plane, in namespaces of their own.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) use crate::ran::Ran;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum HelmVersion {
    V3,
    V4,
}

pub(crate) struct Site {
    helm: HelmVersion,
    pub(crate) folder: TempDir,
    pub(crate) org: String,
    pub(crate) orc: String,
}

/// The folder of a stand-in chart.
pub(crate) fn chart(name: &str) -> String {
    format!("{}/{name}", bed("CHARTS"))
}

/// What `testbed/with` tells; without it these tests fail and say how to run them.
pub(crate) fn bed(name: &str) -> String {
    std::env::var(format!("TESTBED_{name}"))
        .unwrap_or_else(|_| panic!("run the tests through testbed/with, as testbed/test does"))
}

/// The plugin, installed once for each Helm by `helm plugin install`.
static PLUGIN: LazyLock<PathBuf> = LazyLock::new(|| {
    let home = PathBuf::from(bed("DIR")).join(format!("plugin-{}", std::process::id()));
    let folder = home.join("substra-mtls");
    fs::create_dir_all(folder.join("bin")).unwrap();
    let root = env!("CARGO_MANIFEST_DIR");
    for file in ["plugin.yaml", "plugin.complete", "install-binary.sh", "launch.sh"] {
        fs::copy(format!("{root}/{file}"), folder.join(file)).unwrap();
    }
    fs::copy(env!("CARGO_BIN_EXE_substra-mtls"), folder.join("bin/substra-mtls")).unwrap();
    for helm in ["helm3", "helm4"] {
        let mut install = Command::new(format!("{}/{helm}", bed("BIN")));
        install
            .args(["plugin", "install"])
            .arg(&folder)
            .env_clear()
            .env("HOME", home.join(helm))
            .env("PATH", "/usr/bin:/bin");
        done(&mut install);
    }
    home
});

/// Keys take a processor's time, so they are made once.
static AUTHORITY: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = PathBuf::from(bed("DIR")).join(format!("authority-{}", std::process::id()));
    fs::create_dir(&folder).unwrap();
    done(Command::new("sh").args(["-euc", CA]).current_dir(&folder));
    folder
});

static NUMBER: AtomicUsize = AtomicUsize::new(0);

impl Site {
    /// TLS is set up as in the walkthrough, with its own OpenSSL CA; mutual TLS is not.
    pub(crate) fn new(helm: HelmVersion) -> Self {
        Self::with_charts(helm, "substra-backend", "orchestrator")
    }

    /// An orchestrator in plain text and a backend that is not there yet: before the walkthrough's TLS set-up.
    pub(crate) fn plain(helm: HelmVersion, orchestrator: &str) -> Self {
        let site = Self::empty(helm);
        site.write("orchestrator-values.yaml", PLAIN);
        site.helm(&site.orc, &format!("install orchestrator {} -f orchestrator-values.yaml", chart(orchestrator)));
        site
    }

    pub(crate) fn with_charts(helm: HelmVersion, backend: &str, orchestrator: &str) -> Self {
        let site = Self::empty(helm);
        site.authority();
        let kind = |chart: &str| if chart.ends_with("-old") { "configmap" } else { "secret generic" };
        site.admin(&site.org, &format!("create {} orchestrator-cacert --from-file=ca.crt=ca.crt", kind(backend)));
        site.admin(
            &site.orc,
            &format!("create {} orchestrator-tls-cacert --from-file=ca.crt=ca.crt", kind(orchestrator)),
        );
        site.admin(&site.orc, "create secret tls orchestrator-tls-server-pair --cert=server.crt --key=server.key");
        site.helm(&site.org, &format!("install backend {} -f backend-values.yaml", chart(backend)));
        site.helm(&site.orc, &format!("install orchestrator {} -f orchestrator-values.yaml", chart(orchestrator)));
        site
    }

    /// Two namespaces with their accounts, and the values files.
    pub(crate) fn empty(helm: HelmVersion) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let id = format!("{}-{number}", std::process::id());
        let site =
            Self { helm, folder: tempfile::tempdir().unwrap(), org: format!("org-{id}"), orc: format!("orc-{id}") };
        site.write("backend-values.yaml", BACKEND);
        site.write("orchestrator-values.yaml", ORCHESTRATOR);
        for (namespace, role) in [(&site.org, "backend"), (&site.orc, "orchestrator")] {
            site.account(namespace, role);
        }
        site
    }

    /// A namespace, an account with just the rights that `role` prints, and its kubeconfig.
    pub(crate) fn account(&self, namespace: &str, role: &str) {
        let mut printed = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
        let role = done(printed.args(["role", role, "-n", namespace]).env_clear());
        let of = |kind: &str, name: &str| format!("apiVersion: v1\nkind: {kind}\nmetadata:\n  name: {name}\n---\n");
        let all = [of("Namespace", namespace), of("ServiceAccount", "substra-mtls"), role].concat();
        self.write(&format!("{namespace}.role.yaml"), &all);
        self.admin(namespace, &format!("create -f {namespace}.role.yaml"));
        let token = self.admin(namespace, "create token substra-mtls");
        let config = fs::read_to_string(bed("KUBECONFIG")).unwrap().replace(&bed("ADMIN_TOKEN"), token.trim());
        self.write(&format!("{namespace}.kubeconfig"), &config);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The walkthrough's CA and the server's pair: files of the site's own, with the bytes of every site.
    pub(crate) fn authority(&self) {
        for entry in fs::read_dir(&*AUTHORITY).unwrap() {
            let from = entry.unwrap().path();
            fs::copy(&from, self.path(from.file_name().unwrap().to_str().unwrap())).unwrap();
        }
    }

    /// A shell script in the site's folder.
    pub(crate) fn sh(&self, script: &str) -> String {
        let mut command = Command::new("sh");
        command.args(["-euc", script]).current_dir(self.folder.path());
        done(&mut command)
    }

    /// kubectl as the cluster's administrator.
    pub(crate) fn admin(&self, namespace: &str, line: &str) -> String {
        let mut command = Command::new(format!("{}/kubectl", bed("BIN")));
        command.arg(format!("--kubeconfig={}", bed("KUBECONFIG"))).args(line.split_whitespace());
        command.arg(format!("--namespace={namespace}"));
        done(command.current_dir(self.folder.path()))
    }

    /// An object as the administrator sees it; null where it is not there.
    pub(crate) fn object(&self, namespace: &str, name: &str) -> Value {
        let text = self.admin(namespace, &format!("get {name} --ignore-not-found -o json"));
        if text.trim().is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }

    pub(crate) fn helm_binary(&self) -> String {
        format!("{}/{}", bed("BIN"), if self.helm == HelmVersion::V3 { "helm3" } else { "helm4" })
    }

    /// Helm itself, with the restricted account.
    pub(crate) fn helm(&self, namespace: &str, line: &str) -> String {
        done(&mut self.helm_command(namespace, line))
    }

    pub(crate) fn helm_command(&self, namespace: &str, line: &str) -> Command {
        let mut command = Command::new(self.helm_binary());
        command.args(line.split_whitespace()).args(self.place(namespace)).current_dir(self.folder.path());
        if line.starts_with("install ") {
            // The stand-in charts are known to be in order, and each Helm would read the server's megabytes to see it.
            command.arg("--disable-openapi-validation");
        }
        self.environment(&mut command);
        command
    }

    pub(crate) fn place(&self, namespace: &str) -> [String; 2] {
        [
            format!("--namespace={namespace}"),
            format!("--kubeconfig={}", self.path(&format!("{namespace}.kubeconfig")).display()),
        ]
    }

    pub(crate) fn environment(&self, command: &mut Command) {
        let home = PLUGIN.join(if self.helm == HelmVersion::V3 { "helm3" } else { "helm4" });
        command
            .env_clear()
            .env("HOME", home)
            .env("PATH", format!("{}:/usr/bin:/bin", bed("BIN")))
            // What the API server offers is the same for all sites.
            .env("KUBECACHEDIR", format!("{}/cache", bed("DIR")))
            .envs(std::env::vars().filter(|(name, _)| name == "GOGC" || name == "GOMEMLIMIT"));
        command.stdin(Stdio::null());
    }

    /// `helm substra-mtls ...` with the restricted account of a namespace.
    pub(crate) fn plugin(&self, namespace: &str, line: &str) -> Ran {
        Ran::of(&mut self.helm_command(namespace, &format!("substra-mtls {line}")))
    }

    /// `enroll` on the backend.
    pub(crate) fn enroll(&self, more: &str) -> Ran {
        let chart = chart("substra-backend");
        self.plugin(&self.org, &format!("enroll -f backend-values.yaml --release backend --chart {chart} --yes {more}"))
    }

    pub(crate) fn approve(&self, more: &str) -> Ran {
        let chart = chart("orchestrator");
        let line = format!(
            "approve MyOrg1MSP.csr -f orchestrator-values.yaml --release orchestrator --chart {chart} --yes {more}"
        );
        self.plugin(&self.orc, &line)
    }

    pub(crate) fn ca(&self, more: &str) -> Ran {
        let line = format!("{more} -f orchestrator-values.yaml --release orchestrator");
        self.plugin(&self.orc, &format!("ca {line} --chart {} --yes", chart("orchestrator")))
    }

    pub(crate) fn gate(&self, way: &str, more: &str) -> Ran {
        let chart = chart("orchestrator");
        self.plugin(
            &self.orc,
            &format!("gate {way} -f orchestrator-values.yaml --release orchestrator --chart {chart} --yes {more}"),
        )
    }

    /// Request and approval; the certificate is there.
    pub(crate) fn approved(&self) {
        let fingerprint = self.enroll("").ok().fact("fingerprint");
        self.approve(&format!("--ca-cert ca.crt --ca-key ca.key --fingerprint MyOrg1MSP={fingerprint}")).ok();
    }

    /// The whole of an organization's part.
    pub(crate) fn enrolled(&self) {
        self.approved();
        self.enroll("--certificate MyOrg1MSP.crt").ok();
    }

    /// A helm that is killed in the middle of its upgrade of the backend, which is pending forever.
    pub(crate) fn upgrade_is_cut_short(&self) {
        // Without a pod for the hook no upgrade ends before it is killed.
        self.admin(&self.org, "create quota none --hard=pods=0");
        let line = format!("upgrade backend {} -f backend-values.yaml", chart("substra-backend"));
        let mut helm = self.helm_command(&self.org, &line).spawn().unwrap();
        while !self.helm(&self.org, "status backend").contains("STATUS: pending-upgrade") {
            assert!(helm.try_wait().unwrap().is_none(), "helm has ended by itself");
        }
        helm.kill().unwrap();
        helm.wait().unwrap();
        self.admin(&self.org, "delete quota none");
    }

    /// resourceVersions of all objects of a namespace, and the files: what a run that changes nothing leaves equal.
    pub(crate) fn state(&self, namespace: &str) -> BTreeMap<String, String> {
        let text = self.admin(namespace, "get secrets,configmaps,deployments,statefulsets -o json");
        let list: Value = serde_json::from_str(&text).unwrap();
        let version = |o: &Value| {
            (format!("{}/{}", o["kind"], o["metadata"]["name"]), o["metadata"]["resourceVersion"].to_string())
        };
        let mut state: BTreeMap<String, String> = list["items"].as_array().unwrap().iter().map(version).collect();
        for entry in fs::read_dir(self.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                state.insert(path.display().to_string(), format!("{:?}", fs::read(&path).unwrap()));
            }
        }
        state
    }
}

#[track_caller]
fn done(command: &mut Command) -> String {
    let ran = Ran::of(command.stdin(Stdio::null()));
    assert!(ran.status == 0, "{command:?}\n{}{}", ran.stdout, ran.stderr);
    ran.stdout
}

/// The walkthrough's CA and a server pair, to the letter but for the server's usages.
const CA: &str = "
openssl genrsa 2048 > ca.key 2>/dev/null
chmod 600 ca.key
openssl req -x509 -new -nodes -key ca.key -sha256 -days 365 -subj '/CN=Orchestrator Root CA' -out ca.crt
openssl req -newkey rsa:2048 -nodes -keyout server.key -subj '/CN=orchestrator.example.org' -out server.csr 2>/dev/null
printf 'subjectAltName=DNS:orchestrator.example.org\\nextendedKeyUsage=serverAuth,clientAuth\\n' > server.ext
openssl x509 -req -days 365 -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out server.crt -sha256 -extfile server.ext 2>/dev/null
";

pub(crate) const BACKEND: &str = "\
# Hospital 1, production
server:
  ingress:
    hostname: substra.org-1.example.org

orchestrator:
  host: orchestrator.example.org   # told by the federation
  mspID: MyOrg1MSP
  tls:
    enabled: true
    cacert: orchestrator-cacert
database:
  auth:
    password: hunter2
";

pub(crate) const ORCHESTRATOR: &str = "\
ingress:
  hostname: orchestrator.example.org
# who takes part
channels:
  - name: mychannel
    organizations: [MyOrg1MSP]

orchestrator:
  tls:
    enabled: true # by hand
";

/// Before TLS.
pub(crate) const PLAIN: &str = "\
ingress:
  hostname: orchestrator.example.org
# who takes part
channels:
  - name: mychannel
    organizations: [MyOrg1MSP]
";
