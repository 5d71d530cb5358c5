//! Somebody who follows a page in a folder of their own: its lines are run as they stand there, by the binary.

use std::{fs, path::PathBuf, process::Command};

use tempfile::TempDir;

use crate::{ran::Ran, scripted::Scripted};

/// A machine with a folder, and perhaps a cluster behind `helm` and `kubectl`.
pub(crate) struct Reader {
    files: TempDir,
    cluster: Option<Scripted>,
}

impl Reader {
    /// In an empty folder.
    pub(crate) fn new(cluster: Option<Scripted>) -> Self {
        Self { files: tempfile::tempdir().unwrap(), cluster }
    }

    pub(crate) fn cluster(&self) -> &Scripted {
        self.cluster.as_ref().unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// A file, or more, goes to another machine by mail or on a stick.
    pub(crate) fn hands(&self, names: &[&str], other: &Self) {
        for name in names {
            fs::copy(self.path(name), other.path(name)).unwrap();
        }
    }

    /// A command of this program.
    #[track_caller]
    pub(crate) fn runs(&self, line: &str) -> Ran {
        let words = shlex::split(line).unwrap();
        let words = words.strip_prefix(&["helm".to_owned(), "substra-mtls".to_owned()]).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
        command.args(words).current_dir(self.files.path()).env_clear().env("PATH", "/nonexistent");
        if let Some(cluster) = &self.cluster {
            command.env("PATH", format!("{}:/usr/bin:/bin", cluster.bin().display())).env("TMPDIR", cluster.path());
        }
        Ran::of(&mut command)
    }

    /// A line of a page, by somebody who agrees, with the fingerprints of their requests in the place of the page's.
    #[track_caller]
    pub(crate) fn does(&self, line: &str) -> Ran {
        let asks = ["enroll ", "approve ", "gate ", "ca init "].iter().any(|verb| line.contains(verb));
        let mut parts = line.split("=SHA256:");
        let mut real = parts.next().unwrap().to_owned();
        for part in parts {
            let organization = real.rsplit(' ').next().unwrap().to_owned();
            real += &format!("=SHA256:{}{}", self.fingerprint(&format!("{organization}.csr")), &part[64..]);
        }
        self.runs(&(real + if asks { " --yes" } else { "" })).ok()
    }

    /// Of a request's key, as openssl sees it.
    fn fingerprint(&self, request: &str) -> String {
        let script = format!(
            "openssl req -in {request} -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -r"
        );
        let ran = Ran::of(Command::new("sh").args(["-euc", &script]).current_dir(self.files.path())).ok();
        ran.stdout.split_whitespace().next().unwrap().to_owned()
    }
}
