//! The shells that the scripts run in, and folders of tools that stand for a machine.

use std::{
    fs,
    io::Write,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use tempfile::TempDir;

pub(crate) use crate::ran::Ran;

/// Each shell with its arguments. One that is missing is named on stderr, past the test harness's capture; with
/// fewer than two, being portable is not tested, and that is a failure.
pub(crate) fn shells() -> &'static [Vec<PathBuf>] {
    static SHELLS: LazyLock<Vec<Vec<PathBuf>>> = LazyLock::new(|| {
        let all = [&["dash"][..], &["busybox", "sh"], &["bash"]];
        let (there, missing): (Vec<_>, Vec<_>) = all.into_iter().partition(|shell| find(shell[0]).is_some());
        for shell in missing {
            // Not eprintln: that is captured.
            let line = format!("not tested, since it is not on PATH: the scripts in {}\n", shell.join(" "));
            std::io::stderr().write_all(line.as_bytes()).unwrap();
        }
        assert!(there.len() > 1, "one shell does not show that the scripts run in any; install dash or busybox");
        there
            .into_iter()
            .map(|shell| [find(shell[0]).unwrap()].into_iter().chain(shell[1..].iter().map(PathBuf::from)).collect())
            .collect()
    });
    &SHELLS
}

/// Where a tool is on PATH.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.is_file())
}

const TOOLS: [&str; 26] = [
    "cat",
    "chmod",
    "cp",
    "cut",
    "dirname",
    "grep",
    "gzip",
    "head",
    "id",
    "ln",
    "mkdir",
    "mktemp",
    "mv",
    "od",
    "rm",
    "sed",
    "sh",
    "sleep",
    "sort",
    "tar",
    "tr",
    "uname",
    "wc",
    "curl",
    "sha256sum",
    "shasum",
];

/// A folder with what the installer needs, and nothing else: no cargo, no wget, no openssl.
pub(crate) struct Tools(TempDir);

impl Tools {
    pub(crate) fn new() -> Self {
        let tools = Self(tempfile::tempdir().unwrap());
        open(tools.0.path());
        TOOLS.iter().filter_map(|name| find(name)).for_each(|path| tools.add(&path));
        tools
    }

    pub(crate) fn without(names: &[&str]) -> Self {
        let tools = Self::new();
        // On a machine that lacks it anyway there is nothing to take away.
        names.iter().for_each(|name| drop(fs::remove_file(tools.path().join(name))));
        tools
    }

    pub(crate) fn add(&self, tool: &Path) {
        symlink(tool, self.path().join(tool.file_name().unwrap())).unwrap();
    }

    pub(crate) fn script(&self, name: &str, text: &str) {
        program(&self.path().join(name), text);
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

/// Lets other accounts into a temporary folder.
pub(crate) fn open(folder: &Path) {
    mode(folder, 0o755);
}

pub(crate) fn mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A shell script as a program.
pub(crate) fn program(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    mode(path, 0o755);
}

impl Ran {
    /// Failed, for this reason, and with both ways on: the installer again, the plugin out again.
    #[track_caller]
    pub(crate) fn not_installed(&self, why: &str) {
        assert_ne!(self.status, 0, "{self:?}");
        for part in
            ["error: ", "  why: ", "  next: ", "sh '", "install-binary.sh'", "helm plugin uninstall substra-mtls"]
        {
            assert!(self.stderr.contains(part), "{part:?} is missing: {}", self.stderr);
        }
        assert!(self.stderr.contains(why), "{why:?} is missing: {}", self.stderr);
    }
}
