//! A plugin folder of its own, and its installer run by hand in a given shell.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::shells::{Ran, open, program};

pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// What is in the plugin's folder at the least.
pub(crate) const FILES: [&str; 4] = ["plugin.yaml", "plugin.complete", "install-binary.sh", "launch.sh"];

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A plugin folder; its path has a space, brackets, a quote and no binary.
pub(crate) struct Folder {
    _room: TempDir,
    pub(crate) path: PathBuf,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let room = tempfile::tempdir().unwrap();
        open(room.path());
        let path = room.path().join("it's (a) plugin");
        fs::create_dir(&path).unwrap();
        for file in FILES {
            fs::copy(root().join(file), path.join(file)).unwrap();
        }
        Self { _room: room, path }
    }

    pub(crate) fn binary(&self) -> PathBuf {
        self.path.join("bin/substra-mtls")
    }

    /// Puts a stand-in for the binary there that tells this version.
    pub(crate) fn bundle(&self, version: &str) {
        fs::create_dir_all(self.path.join("bin")).unwrap();
        stand_in(&self.binary(), version);
    }

    /// The installer, with these tools alone.
    pub(crate) fn installer(&self, shell: &[PathBuf], tools: &Path) -> Command {
        let mut command = Command::new(&shell[0]);
        command.args(&shell[1..]).arg(self.path.join("install-binary.sh")).env_clear().env("PATH", tools);
        command
    }

    /// Nothing is left of the work but the binary that was there, if one was.
    #[track_caller]
    pub(crate) fn left_alone(&self, version: Option<&str>) {
        let bin = self.path.join("bin");
        let names: Vec<_> = fs::read_dir(&bin).into_iter().flatten().map(|e| e.unwrap().file_name()).collect();
        assert!(names.iter().all(|name| name == "substra-mtls" || name == "checked"), "{names:?}");
        match version {
            Some(version) => self.runs(version),
            None => assert!(!self.binary().exists()),
        }
    }

    #[track_caller]
    pub(crate) fn runs(&self, version: &str) {
        let ran = Ran::of(Command::new(self.binary()).arg("--version")).ok();
        assert_eq!(ran.stdout, format!("substra-mtls {version}\n"));
    }
}

pub(crate) fn stand_in(path: &Path, version: &str) {
    program(path, &format!("echo 'substra-mtls {version}'"));
}
