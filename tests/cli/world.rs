//! A sealed world: a folder of its own, a cleaned environment, nothing on PATH.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use substra_mtls::pki::{
    authority::create_root,
    key::{KeyType, PrivateKey},
};
use tempfile::TempDir;

use super::golden::text;
pub(crate) use crate::ran::Ran;

pub(crate) const BACKEND: &str = "\
# Hospital 1, production
orchestrator:
  host: orchestrator.example.org   # told by the federation
  mspID: MyOrg1MSP
  tls:
    enabled: true
    cacert: orchestrator-cacert

server:
  ingress:
    hostname: substra.org-1.example.org
";

pub(crate) const ORCHESTRATOR: &str = "\
ingress:
  hostname: orchestrator.example.org
channels:
  - name: mychannel
    organizations: [MyOrg1MSP, MyOrg2MSP]
orchestrator:
  tls:
    enabled: true # by hand
database:
  auth:
    password: hunter2
";

/// One CA for all tests.
static CA: LazyLock<(PrivateKey, String)> =
    LazyLock::new(|| create_root(KeyType::EcdsaP256, time::OffsetDateTime::now_utc()).unwrap());

pub(crate) struct World {
    folder: TempDir,
}

impl World {
    /// Both values files and a CA.
    pub(crate) fn new() -> Self {
        Self::named("federation-")
    }

    /// The same in a folder whose name has to be quoted wherever it is shown in a command.
    pub(crate) fn odd() -> Self {
        Self::named("it's a ")
    }

    fn named(prefix: &str) -> Self {
        let world = Self { folder: tempfile::Builder::new().prefix(prefix).tempdir().unwrap() };
        world.write("backend-values.yaml", BACKEND);
        world.write("orchestrator-values.yaml", ORCHESTRATOR);
        world.write("ca.crt", &CA.1);
        world.write("ca.key", &CA.0.to_pem());
        world.chmod("ca.key", 0o600);
        world
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

    pub(crate) fn chmod(&self, name: &str, mode: u32) {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// The words of a line, parted by blanks; `@` stands for the folder.
    pub(crate) fn words(&self, line: &str) -> Vec<String> {
        let folder = format!("{}/", self.path("").display()).replace("//", "/");
        line.split_whitespace().map(|word| word.replace('@', &folder)).collect()
    }

    /// A text without the folder: paths as they are typed in it.
    pub(crate) fn here(&self, text: &str) -> String {
        let folder = format!("{}/", self.path("").display()).replace("//", "/").replace('\'', r"'\''");
        let parts: Vec<&str> = text.split(&format!("'{folder}")).collect();
        // What was quoted for the folder's sake alone is so no more.
        let rest = parts.iter().skip(1).map(|part| part.replacen('\'', "", 1));
        parts.first().into_iter().map(ToString::to_string).chain(rest).collect()
    }

    /// Every file with its bytes, to see that nothing was written.
    pub(crate) fn snapshot(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(self.folder.path(), &mut files);
        files
    }

    /// Runs the binary with words parted by blanks.
    pub(crate) fn run(&self, line: &str) -> Ran {
        self.run_words(&text::line(line).split_whitespace().collect::<Vec<_>>())
    }

    pub(crate) fn run_words(&self, words: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
        command.args(words).current_dir(self.folder.path()).env_clear().env("PATH", "/nonexistent");
        let ran = Ran::of(&mut command);
        if words.windows(2).any(|pair| pair == ["-o", "json"]) {
            crate::schemas::judged_run(&ran.stdout, ran.status);
        } else {
            crate::pasted::judged(&ran.stdout);
        }
        crate::pasted::judged(&ran.stderr);
        ran
    }

    /// `enroll` with a key file; gives the fingerprint.
    pub(crate) fn request(&self) -> String {
        self.run("enroll -f backend-values.yaml --key-file MyOrg1MSP.key").ok().fact("fingerprint")
    }

    /// `approve --offline` of one request.
    pub(crate) fn approve(&self, csr: &str, more: &str) -> Ran {
        self.run(&format!(
            "approve {csr} -f orchestrator-values.yaml --ca-cert ca.crt --ca-key ca.key --offline --yes {more}"
        ))
    }
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, files) } else { drop(files.insert(path.clone(), fs::read(&path).unwrap())) }
    }
}

/// The change of a file as a diff without context.
pub(crate) fn diff(old: &str, new: &str) -> String {
    let diff = similar::TextDiff::from_lines(old, new);
    diff.iter_all_changes()
        .filter(|c| c.tag() != similar::ChangeTag::Equal)
        .map(|c| format!("{}{c}", c.tag()))
        .collect()
}
