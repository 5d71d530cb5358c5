//! The real cluster: which `helm` and `kubectl`, which cluster and namespace, which environment they get.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use zeroize::Zeroizing;

use super::{
    Cluster, Pointed,
    child::{Call, Kind, MOST, Reply},
    program,
};
use crate::{
    failure::{Exit, Failure, Result},
    names::Namespace,
    report,
};

/// Helm's own names for the cluster that it was pointed at by flags, with kubectl's flag for each.
const POINTERS: [(&str, &str); 6] = [
    ("HELM_KUBEAPISERVER", "--server"),
    ("HELM_KUBECAFILE", "--certificate-authority"),
    ("HELM_KUBETLS_SERVER_NAME", "--tls-server-name"),
    ("HELM_KUBEINSECURE_SKIP_TLS_VERIFY", "--insecure-skip-tls-verify"),
    ("HELM_KUBEASUSER", "--as"),
    ("HELM_KUBEASGROUPS", "--as-group"),
];

/// What points at a cluster; `None` leaves it to Helm's and kubectl's own defaults.
#[derive(Debug, Clone, Default)]
pub struct ToolsOptions {
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
    pub verbose: bool,
    /// How long a `helm upgrade` may take.
    pub timeout: Duration,
}

/// `helm` and `kubectl` at one namespace.
#[derive(Debug)]
pub struct Tools {
    pub(super) helm: PathBuf,
    pub(super) kubectl: PathBuf,
    pub(super) options: ToolsOptions,
    env: Vec<(OsString, OsString)>,
    kubectl_pointers: Vec<OsString>,
}

/// How long a child that only asks or writes one object may take.
const SHORT: Duration = Duration::from_mins(1);

impl Tools {
    /// Finds both programs and settles the environment.
    ///
    /// # Errors
    /// One of them is missing, or a bearer token was given to Helm by flag, which kubectl could only get in its argv.
    pub fn new(options: ToolsOptions) -> Result<Self> {
        let inherits = !options.own_cluster;
        let flag =
            |name: &str| options.helm_flags.iter().find(|(flag, _)| *flag == name).map(|(_, value)| value.clone());
        let given = |name: &str| flag(name).or_else(|| env::var(name).ok()).filter(|value| !value.is_empty());
        if inherits && given("HELM_KUBETOKEN").is_some() {
            return Err(Failure::new(Exit::Usage, "kube-token", "--kube-token cannot be used here")
                .why("kubectl takes a token only in its command line, where every user of this machine can read it")
                .next("put the token into a kubeconfig and name that with --kubeconfig"));
        }
        let program = |named: &Option<PathBuf>, name| find(named.as_deref().unwrap_or(Path::new(name)));
        let (helm, kubectl) = (program(&options.helm, "helm")?, program(&options.kubectl, "kubectl")?);
        let kubectl_pointers = POINTERS
            .iter()
            .filter(|_| inherits)
            .filter_map(|(name, flag)| given(name).filter(|value| value != "false").map(|value| (flag, value)))
            .flat_map(|(flag, value)| value.split(',').map(|one| format!("{flag}={one}").into()).collect::<Vec<_>>())
            .collect();
        let env = environment(inherits, &options.helm_flags);
        Ok(Self { helm, kubectl, options, env, kubectl_pointers })
    }

    /// A call of Helm that only looks.
    pub(super) fn helm(&self, args: &[&str], stdin: Option<Zeroizing<Vec<u8>>>) -> Result<Reply> {
        self.helm_saying(args, stdin, MOST)
    }

    /// The same, where an answer may be so long.
    pub(super) fn helm_saying(&self, args: &[&str], stdin: Option<Zeroizing<Vec<u8>>>, most: usize) -> Result<Reply> {
        let call = self.call(&self.helm, self.helm_words(args), stdin, Kind::Reads);
        self.run(Call { most, ..call })
    }

    /// A call that goes on when we do not.
    pub(super) fn helm_that_outlives(
        &self,
        args: &[&str],
        stdin: Option<Zeroizing<Vec<u8>>>,
        limit: Duration,
    ) -> Result<Reply> {
        let call = self.call(&self.helm, self.helm_words(args), stdin, Kind::Outlives);
        self.run(Call { limit, ..call })
    }

    fn helm_words(&self, args: &[&str]) -> Vec<OsString> {
        let mut words: Vec<OsString> = args.iter().map(OsString::from).collect();
        self.point(&mut words, "--kube-context");
        words
    }

    /// A call of kubectl that writes.
    pub(super) fn kubectl(&self, args: &[&str], stdin: Option<Zeroizing<Vec<u8>>>) -> Result<Reply> {
        self.run(self.call(&self.kubectl, self.kubectl_words(args), stdin, Kind::Writes))
    }

    /// A call of kubectl that only looks.
    pub(super) fn kubectl_looks(&self, args: &[&str], stdin: Option<Zeroizing<Vec<u8>>>) -> Result<Reply> {
        self.run(self.call(&self.kubectl, self.kubectl_words(args), stdin, Kind::Reads))
    }

    /// What kubectl says within so short a time; `None` where it says nothing. For a completion: no failure, no talk.
    #[must_use]
    pub fn glance(&self, args: &[&str], limit: Duration) -> Option<String> {
        let call = self.call(&self.kubectl, self.kubectl_words(args), None, Kind::Reads);
        let reply = self.run(Call { limit, ..call }).ok()?;
        reply.success.then(|| String::from_utf8_lossy(&reply.stdout).into_owned())
    }

    fn kubectl_words(&self, args: &[&str]) -> Vec<OsString> {
        // Request bodies are printed from -v=8 on, and a kuberc could set that.
        let mut words: Vec<OsString> = vec!["-v=0".into(), "--request-timeout=30s".into()];
        words.extend(self.kubectl_pointers.iter().cloned());
        self.point(&mut words, "--context");
        words.extend(args.iter().map(OsString::from));
        words
    }

    fn point(&self, words: &mut Vec<OsString>, context_flag: &str) {
        let mut flag = |name: &str, value: &str| words.push(format!("{name}={value}").into());
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

    fn call(&self, program: &Path, args: Vec<OsString>, stdin: Option<Zeroizing<Vec<u8>>>, kind: Kind) -> Call {
        Call { program: program.to_owned(), args, env: self.env.clone(), stdin, limit: SHORT, kind, most: MOST }
    }

    fn run(&self, call: Call) -> Result<Reply> {
        if self.options.verbose {
            report::note(format!("+ {}", call.line()));
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
fn environment(inherits: bool, flags: &[(&'static str, String)]) -> Vec<(OsString, OsString)> {
    let dropped = ["HELM_DEBUG", "HELM_NAMESPACE", "HELM_KUBECONTEXT", "KUBECTL_EXTERNAL_DIFF"];
    let is_dropped = |name: &OsString| {
        dropped.iter().any(|dropped| name == *dropped) || (!inherits && name.to_string_lossy().starts_with("HELM_KUBE"))
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

impl Cluster for Tools {
    fn place(&self) -> String {
        let part = |name: &str, value: Option<&str>| value.map(|value| format!("{name} {value}"));
        let parts = [
            part("namespace", self.options.namespace.as_ref().map(Namespace::as_str)),
            part("context", self.options.context.as_deref()),
        ];
        let text = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        if text.is_empty() { "the current context's namespace".to_owned() } else { text }
    }

    fn pointed(&self) -> Pointed {
        Pointed {
            namespace: self.options.namespace.as_ref().map(ToString::to_string),
            context: self.options.context.clone(),
            kubeconfig: self.options.kubeconfig.as_ref().map(|path| path.display().to_string()),
        }
    }
}
