//! A fresh home with one of the two Helms, and what each way of installing ends with.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{
    folder::{VERSION, root},
    shells::{Ran, Tools, find},
};

/// The homes that each way is tried in: as on most machines, and as on the odd one.
pub(crate) const HOMES: [&str; 2] = ["home", "it's my home (old)"];
pub(crate) const HELMS: [&str; 2] = ["helm3", "helm4"];

pub(crate) struct Home {
    room: TempDir,
    pub(crate) path: PathBuf,
    helm: PathBuf,
    pub(crate) major: &'static str,
    pub(crate) tools: Tools,
    env: Vec<(&'static str, PathBuf)>,
}

impl Home {
    pub(crate) fn new(helm: &'static str, name: &str) -> Self {
        let bin = std::env::var_os("TESTBED_BIN").map_or_else(|| root().join("target/testbed/bin"), PathBuf::from);
        let binary = bin.join(helm);
        assert!(binary.exists(), "{} is not built: run testbed/build", binary.display());
        let room = tempfile::tempdir().unwrap();
        let (path, tools) = (room.path().join(name), Tools::new());
        fs::create_dir(&path).unwrap();
        tools.add(&find("git").unwrap());
        Self { room, path, helm: binary, major: helm, tools, env: Vec::new() }
    }

    /// Each of the two Helms, each in each of the two homes.
    pub(crate) fn each(mut way: impl FnMut(Home)) {
        for helm in HELMS {
            HOMES.iter().for_each(|name| way(Self::new(helm, name)));
        }
    }

    /// Beside the home, for what is installed from.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.room.path().join(name)
    }

    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<PathBuf>) {
        self.env.push((name, value.into()));
    }

    pub(crate) fn helm(&self, args: &[&str]) -> Ran {
        Ran::of(&mut self.command(args))
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.helm);
        command.args(args).env_clear().env("HOME", &self.path).env("PATH", self.tools.path());
        command.envs(self.env.iter().map(|(name, value)| (name, value))).current_dir(self.room.path());
        command
    }

    pub(crate) fn install(&self, source: &Path, more: &[&str]) -> Ran {
        self.helm(&[&["plugin", "install", source.to_str().unwrap()], more].concat())
    }

    /// What Helm 4 wants for a source that it cannot verify, and Helm 3 does not know.
    pub(crate) fn unverified(&self) -> &'static [&'static str] {
        if self.major == "helm4" { &["--verify=false"] } else { &[] }
    }

    /// The plugin works, and goes away without a trace.
    #[track_caller]
    pub(crate) fn works(&self) {
        assert_eq!(self.helm(&["substra-mtls", "--version"]).ok().stdout, format!("substra-mtls {VERSION}\n"));
        self.helm(&["substra-mtls", "rehearse"]).ok();
        self.goes_away();
    }

    #[track_caller]
    pub(crate) fn goes_away(&self) {
        self.helm(&["plugin", "uninstall", "substra-mtls"]).ok();
        let left: Vec<_> = fs::read_dir(self.plugins()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.is_empty(), "{left:?}");
        assert!(self.helm(&["substra-mtls", "--version"]).stderr.contains("unknown command"));
    }

    pub(crate) fn plugins(&self) -> PathBuf {
        let data = self.env.iter().find(|(name, _)| *name == "HELM_DATA_HOME");
        data.map_or_else(|| self.path.join(".local/share/helm"), |(_, value)| value.clone()).join("plugins")
    }
}
