//! The real cluster: which `helm` and `kubectl`, which cluster and namespace, which environment they get.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use zeroize::Zeroizing;

use super::{
    Cluster, ClusterTarget,
    child::{ChildCommand, ChildKind, ChildOutput, MAX_OUTPUT},
    program,
};
use crate::{
    failure::{Code, Exit, Failure, Result},
    names::Namespace,
};

/// Helm's own names for the cluster that it was pointed at by flags, with kubectl's flag for each.
const CLUSTER_VARIABLES: [(&str, &str); 6] = [
    ("HELM_KUBEAPISERVER", "--server"),
    ("HELM_KUBECAFILE", "--certificate-authority"),
    ("HELM_KUBETLS_SERVER_NAME", "--tls-server-name"),
    ("HELM_KUBEINSECURE_SKIP_TLS_VERIFY", "--insecure-skip-tls-verify"),
    ("HELM_KUBEASUSER", "--as"),
    ("HELM_KUBEASGROUPS", "--as-group"),
];

/// What points at a cluster; `None` leaves it to Helm's and kubectl's own defaults.
#[derive(Debug, Clone, Default)]
pub struct RealClusterOptions {
    /// `-n`, `--namespace` or `HELM_NAMESPACE`.
    pub namespace: Option<Namespace>,
    /// `--kube-context` or `HELM_KUBECONTEXT`.
    pub context: Option<String>,
    /// `--kubeconfig` or `KUBECONFIG`.
    pub kubeconfig: Option<PathBuf>,
    /// Which `helm`; Helm tells its plugins in `HELM_BIN`. `None` looks on PATH.
    pub helm: Option<PathBuf>,
    /// Which `kubectl`; `None` looks on PATH.
    pub kubectl: Option<PathBuf>,
    /// This cluster is named by itself: what pointed Helm elsewhere (`HELM_KUBE*`) is not passed on.
    pub own_cluster: bool,
    /// What Helm's other global flags said on our own line, as the variables by which Helm hands them on.
    pub helm_flags: Vec<(&'static str, String)>,
    /// Show each child's command line.
    pub note: Option<fn(&str)>,
    /// How long a `helm upgrade` may take.
    pub timeout: Duration,
}

/// `helm` and `kubectl` at one namespace.
#[derive(Debug)]
pub struct RealCluster {
    pub(super) helm: PathBuf,
    pub(super) kubectl: PathBuf,
    pub(super) options: RealClusterOptions,
    env: Vec<(OsString, OsString)>,
    kubectl_cluster_flags: Vec<OsString>,
}

/// How long a child that only asks or writes one object may take.
const CALL_LIMIT: Duration = Duration::from_mins(1);

impl RealCluster {
    /// Finds both programs and settles the environment.
    ///
    /// # Errors
    /// One of them is missing, or a bearer token was given to Helm by flag, which kubectl could only get in its argv.
    pub fn new(options: RealClusterOptions) -> Result<Self> {
        let follows_helm = !options.own_cluster;
        let flag =
            |name: &str| options.helm_flags.iter().find(|(flag, _)| *flag == name).map(|(_, value)| value.clone());
        let given = |name: &str| flag(name).or_else(|| env::var(name).ok()).filter(|value| !value.is_empty());
        if follows_helm && given("HELM_KUBETOKEN").is_some() {
            return Err(Failure::new(Exit::Usage, Code::KubeToken, "--kube-token cannot be used here")
                .why("kubectl takes a token only in its command line, where every user of this machine can read it")
                .next("put the token into a kubeconfig and name that with --kubeconfig"));
        }
        let program = |named: &Option<PathBuf>, name| find(named.as_deref().unwrap_or(Path::new(name)));
        let (helm, kubectl) = (program(&options.helm, "helm")?, program(&options.kubectl, "kubectl")?);
        let kubectl_cluster_flags = CLUSTER_VARIABLES
            .iter()
            .filter(|_| follows_helm)
            .filter_map(|(name, flag)| given(name).filter(|value| value != "false").map(|value| (flag, value)))
            .flat_map(|(flag, value)| value.split(',').map(|one| format!("{flag}={one}").into()).collect::<Vec<_>>())
            .collect();
        let env = environment(follows_helm, &options.helm_flags);
        Ok(Self { helm, kubectl, options, env, kubectl_cluster_flags })
    }

    /// A call of Helm that only reads.
    pub(super) fn helm(&self, args: &[&str], stdin: Option<Zeroizing<Vec<u8>>>) -> Result<ChildOutput> {
        self.helm_with_output(args, stdin, MAX_OUTPUT)
    }

    /// The same, with another limit for the length of its answer.
    pub(super) fn helm_with_output(
        &self,
        args: &[&str],
        stdin: Option<Zeroizing<Vec<u8>>>,
        max_output: usize,
    ) -> Result<ChildOutput> {
        let call = self.call(&self.helm, self.helm_args(args), stdin, ChildKind::Read);
        self.run(ChildCommand { max_output, ..call })
    }

    /// A `helm upgrade`, which must come to its end even if we do not.
    pub(super) fn helm_upgrade(
        &self,
        args: &[&str],
        stdin: Option<Zeroizing<Vec<u8>>>,
        limit: Duration,
    ) -> Result<ChildOutput> {
        let call = self.call(&self.helm, self.helm_args(args), stdin, ChildKind::Upgrade);
        self.run(ChildCommand { limit, ..call })
    }

    fn helm_args(&self, args: &[&str]) -> Vec<OsString> {
        let mut all: Vec<OsString> = args.iter().map(OsString::from).collect();
        self.push_target_flags(&mut all, "--kube-context");
        all
    }

    /// A call of kubectl that writes.
    pub(super) fn kubectl_write(&self, args: &[&str], stdin: Option<Zeroizing<Vec<u8>>>) -> Result<ChildOutput> {
        self.run(self.call(&self.kubectl, self.kubectl_args(args), stdin, ChildKind::Write))
    }

    /// A call of kubectl that only reads.
    pub(super) fn kubectl_read(&self, args: &[&str], stdin: Option<Zeroizing<Vec<u8>>>) -> Result<ChildOutput> {
        self.run(self.call(&self.kubectl, self.kubectl_args(args), stdin, ChildKind::Read))
    }

    /// kubectl's stdout, or `None` if it fails or takes longer than `limit`: a completion shows no errors.
    #[must_use]
    pub fn kubectl_within(&self, args: &[&str], limit: Duration) -> Option<String> {
        let call = self.call(&self.kubectl, self.kubectl_args(args), None, ChildKind::Read);
        let reply = self.run(ChildCommand { limit, ..call }).ok()?;
        reply.success.then(|| String::from_utf8_lossy(&reply.stdout).into_owned())
    }

    fn kubectl_args(&self, args: &[&str]) -> Vec<OsString> {
        // Request bodies are printed from -v=8 on, and a kuberc could set that.
        let mut all: Vec<OsString> = vec!["-v=0".into(), "--request-timeout=30s".into()];
        all.extend(self.kubectl_cluster_flags.iter().cloned());
        self.push_target_flags(&mut all, "--context");
        all.extend(args.iter().map(OsString::from));
        all
    }

    fn push_target_flags(&self, args: &mut Vec<OsString>, context_flag: &str) {
        let mut flag = |name: &str, value: &str| args.push(format!("{name}={value}").into());
        if let Some(context) = &self.options.context {
            flag(context_flag, context);
        }
        if let Some(namespace) = &self.options.namespace {
            flag("--namespace", namespace.as_str());
        }
        if let Some(kubeconfig) = &self.options.kubeconfig {
            flag("--kubeconfig", &kubeconfig.to_string_lossy());
        }
    }

    fn call(
        &self,
        program: &Path,
        args: Vec<OsString>,
        stdin: Option<Zeroizing<Vec<u8>>>,
        kind: ChildKind,
    ) -> ChildCommand {
        ChildCommand {
            program: program.to_owned(),
            args,
            env: self.env.clone(),
            stdin,
            limit: CALL_LIMIT,
            kind,
            max_output: MAX_OUTPUT,
        }
    }

    fn run(&self, call: ChildCommand) -> Result<ChildOutput> {
        if let Some(note) = self.options.note {
            note(&format!("+ {}", call.command_line()));
        }
        call.run()
    }
}

/// A program by its name on PATH, or by its path.
fn find(program: &Path) -> Result<PathBuf> {
    program::find(program).ok_or_else(|| {
        let needed = "this verb needs it to reach the cluster, and it is neither on PATH nor named by HELM_BIN";
        program::missing(program, format!("{} was not found", program.display()), needed)
            .next("install it, or put its folder on PATH")
    })
}

/// Ours, less what would point elsewhere than our flags say or make the tools print more than they should.
/// Exec credential plugins need the rest.
fn environment(follows_helm: bool, flags: &[(&'static str, String)]) -> Vec<(OsString, OsString)> {
    let dropped = ["HELM_DEBUG", "HELM_NAMESPACE", "HELM_KUBECONTEXT", "KUBECTL_EXTERNAL_DIFF"];
    let is_dropped = |name: &OsString| {
        dropped.iter().any(|dropped| name == *dropped)
            || (!follows_helm && name.to_string_lossy().starts_with("HELM_KUBE"))
    };
    let flags = flags.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    // What is said last counts.
    let mut kept: Vec<_> = env::vars_os().chain(flags).filter(|(name, _)| !is_dropped(name)).collect();
    // Preferences of a kuberc could add flags or aliases to our calls.
    kept.push(("KUBECTL_KUBERC".into(), "false".into()));
    // Go programs that live for a tenth of a second: collecting garbage less often saves them a fifth of their time.
    if env::var_os("GOGC").is_none() {
        kept.push(("GOGC".into(), "400".into()));
    }
    kept
}

impl Cluster for RealCluster {
    fn location(&self) -> String {
        let part = |name: &str, value: Option<&str>| value.map(|value| format!("{name} {value}"));
        let parts = [
            part("namespace", self.options.namespace.as_ref().map(Namespace::as_str)),
            part("context", self.options.context.as_deref()),
        ];
        let text = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        if text.is_empty() { "the current context's namespace".to_owned() } else { text }
    }

    fn target(&self) -> ClusterTarget {
        ClusterTarget {
            namespace: self.options.namespace.as_ref().map(ToString::to_string),
            context: self.options.context.clone(),
            kubeconfig: self.options.kubeconfig.as_ref().map(|path| path.display().to_string()),
        }
    }
}
