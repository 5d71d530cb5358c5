//! What `release` packs: names, top folders, versions, the same bytes each time.

use std::{
    env::consts::{ARCH, OS},
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use tempfile::TempDir;

use crate::{
    folder::{VERSION, root, stand_in},
    shells::Ran,
};

/// This machine, as the archives name it.
pub(crate) fn platform() -> String {
    let os = if OS == "macos" { "darwin" } else { OS };
    let arch = match ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{os}-{arch}")
}

pub(crate) fn top() -> String {
    format!("substra-mtls-{}", platform())
}

pub(crate) fn archive_name(version: &str) -> String {
    format!("{}-{version}.tgz", top())
}

pub(crate) fn script(args: &[&str]) -> Command {
    let mut command = Command::new(root().join("release"));
    command.args(args);
    command
}

pub(crate) fn pack(platform: &str, binary: &Path, folder: &Path) -> PathBuf {
    let ran = Ran::of(script(&["pack", platform]).arg(binary).arg(folder)).ok();
    PathBuf::from(ran.stdout.trim_end())
}

pub(crate) fn sums(folder: &Path) {
    Ran::of(script(&["sign"]).arg(folder).env("RELEASE_KEY", "")).ok();
}

/// A folder with an archive of the stand-in and its SHA256SUMS.
pub(crate) fn small(folder: &Path) -> PathBuf {
    stand_in(&folder.join("binary"), VERSION);
    let archive = pack(&platform(), &folder.join("binary"), folder);
    sums(folder);
    archive
}

/// A folder with an archive of the real binary, and its SHA256SUMS.
pub(crate) fn real() -> &'static Path {
    static REAL: LazyLock<TempDir> = LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        let binary = folder.path().join("binary");
        // The debug binary is ten times as large as its code.
        let strip = Command::new("strip").arg("-o").arg(&binary).arg(env!("CARGO_BIN_EXE_substra-mtls")).status();
        if !strip.is_ok_and(|status| status.success()) {
            fs::copy(env!("CARGO_BIN_EXE_substra-mtls"), &binary).unwrap();
        }
        pack(&platform(), &binary, folder.path());
        sums(folder.path());
        folder
    });
    REAL.path()
}

pub(crate) fn real_archive() -> PathBuf {
    real().join(archive_name(VERSION))
}

#[test]
fn plugin_yaml_has_the_version_of_cargo_where_the_launcher_reads_it() {
    let text = fs::read_to_string(root().join("plugin.yaml")).unwrap();
    assert_eq!(text.lines().nth(1), Some(format!("version: \"{VERSION}\"").as_str()));
}

#[test]
fn an_archive_is_named_as_its_top_folder_and_holds_the_plugin() {
    let folder = tempfile::tempdir().unwrap();
    let archive = small(folder.path());
    assert_eq!(archive.file_name().unwrap().to_str().unwrap(), archive_name(VERSION));
    let list = Ran::of(Command::new("tar").arg("-tzf").arg(&archive)).ok().stdout;
    let names: Vec<_> = list.lines().map(|name| name.strip_prefix(&format!("{}/", top())).unwrap()).collect();
    let wanted = [
        "",
        "LICENSE",
        "README.md",
        "bin/",
        "bin/substra-mtls",
        "install-binary.sh",
        "launch.sh",
        "plugin.complete",
        "plugin.yaml",
    ];
    assert_eq!(names, wanted);
}

#[test]
fn an_archive_has_the_same_bytes_whenever_and_under_whatever_umask_it_is_packed() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = fs::read(small(one.path())).unwrap();
    stand_in(&other.path().join("binary"), VERSION);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let line = format!("umask 077; exec '{}' pack {} binary .", root().join("release").display(), platform());
    Ran::of(Command::new("sh").args(["-c", &line]).current_dir(other.path()).env("TZ", "Asia/Tokyo")).ok();
    assert_eq!(fs::read(other.path().join(archive_name(VERSION))).unwrap(), first);
}

#[test]
fn the_sums_name_every_archive() {
    let folder = tempfile::tempdir().unwrap();
    stand_in(&folder.path().join("binary"), VERSION);
    for platform in ["linux-amd64", "linux-arm64", "darwin-arm64"] {
        pack(platform, &folder.path().join("binary"), folder.path());
    }
    sums(folder.path());
    let sums = fs::read_to_string(folder.path().join("SHA256SUMS")).unwrap();
    assert_eq!(sums.lines().count(), 3, "{sums}");
    assert!(sums.contains(&format!("  substra-mtls-linux-arm64-{VERSION}.tgz\n")), "{sums}");
}
