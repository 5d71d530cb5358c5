//! Where the installer takes the binary from, and in which order.

use std::{
    fs,
    os::unix::{fs::symlink, process::CommandExt},
    process::Command,
};

use crate::{
    folder::{Folder, VERSION, stand_in},
    release::{pack, small},
    shells::{Ran, Tools, find, mode, open, program, shells},
};

#[test]
fn a_bundled_binary_of_the_right_version_stays_in_every_shell() {
    for shell in shells() {
        let (folder, tools) = (Folder::new(), Tools::new());
        folder.bundle(VERSION);
        let ran = Ran::of(&mut folder.installer(shell, tools.path())).ok();
        assert_eq!(ran.stdout, format!("substra-mtls {VERSION} is there already\n"));
        assert_eq!(ran.stderr, "");
        let uname = Ran::of(Command::new("uname").arg("-m")).ok().stdout;
        assert_eq!(fs::read_to_string(folder.path.join("bin/checked")).unwrap(), format!("{VERSION} {uname}"));
    }
}

#[test]
fn a_named_binary_is_taken_in_every_shell_even_where_one_is_there() {
    for shell in shells() {
        let (folder, tools) = (Folder::new(), Tools::new());
        folder.bundle(VERSION);
        let named = folder.path.join("named binary");
        program(&named, &format!("# named\necho 'substra-mtls {VERSION}'"));
        mode(&named, 0o600);
        let mut installer = folder.installer(shell, tools.path());
        Ran::of(installer.env("SUBSTRA_MTLS_BIN", &named)).ok();
        assert!(fs::read_to_string(folder.binary()).unwrap().contains("# named"));
        folder.left_alone(Some(VERSION));
    }
}

#[test]
fn a_named_archive_is_taken_in_every_shell() {
    let room = tempfile::tempdir().unwrap();
    let archive = small(room.path());
    for shell in shells() {
        let (folder, tools) = (Folder::new(), Tools::new());
        let ran = Ran::of(folder.installer(shell, tools.path()).env("SUBSTRA_MTLS_TGZ", &archive)).ok();
        assert!(!ran.stdout.contains("to check it by"), "{}", ran.stdout);
        folder.left_alone(Some(VERSION));
    }
}

#[test]
fn a_named_archive_without_sums_is_taken_and_that_is_said() {
    let room = tempfile::tempdir().unwrap();
    let archive = small(room.path());
    fs::remove_file(room.path().join("SHA256SUMS")).unwrap();
    let (folder, tools) = (Folder::new(), Tools::new());
    let ran = Ran::of(folder.installer(&shells()[0], tools.path()).env("SUBSTRA_MTLS_TGZ", &archive)).ok();
    assert!(ran.stdout.contains("there is no SHA256SUMS beside"), "{}", ran.stdout);
    folder.runs(VERSION);
}

#[test]
fn refuses_a_named_archive_that_differs_from_the_sums_beside_it() {
    let room = tempfile::tempdir().unwrap();
    let archive = small(room.path());
    let mut bytes = fs::read(&archive).unwrap();
    bytes.push(0);
    fs::write(&archive, bytes).unwrap();
    for shell in shells() {
        let (folder, tools) = (Folder::new(), Tools::new());
        Ran::of(folder.installer(shell, tools.path()).env("SUBSTRA_MTLS_TGZ", &archive))
            .not_installed("is not what SHA256SUMS says");
        folder.left_alone(None);
    }
}

#[test]
fn refuses_binaries_of_another_version_or_platform_and_damaged_ones() {
    let room = tempfile::tempdir().unwrap();
    let [old, foreign, empty, page] = ["old", "foreign", "empty", "page"].map(|name| room.path().join(name));
    stand_in(&old, "0.0.9");
    // The header of an ELF file for a machine that none of us has.
    fs::write(&foreign, b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xfe\xfe\x01\0\0\0\n: >left-behind\n").unwrap();
    fs::write(&empty, "").unwrap();
    fs::write(&page, "<html>\nnot found\n").unwrap();
    for shell in shells() {
        for (file, why) in [
            (&old, "plugin.yaml wants"),
            (&foreign, "damaged, or of another platform"),
            (&empty, "damaged, or of another platform"),
            (&page, "damaged, or of another platform"),
        ] {
            let (folder, tools) = (Folder::new(), Tools::new());
            folder.bundle(VERSION);
            let mut installer = folder.installer(shell, tools.path());
            Ran::of(installer.env("SUBSTRA_MTLS_BIN", file).current_dir(room.path())).not_installed(why);
            folder.left_alone(Some(VERSION));
        }
    }
    assert!(!room.path().join("left-behind").exists(), "a foreign binary was run as a script");
}

#[test]
fn refuses_an_archive_for_another_platform_and_one_of_another_kind() {
    let room = tempfile::tempdir().unwrap();
    stand_in(&room.path().join("binary"), VERSION);
    let foreign = pack("linux-riscv64", &room.path().join("binary"), room.path());
    let text = room.path().join("text.tgz");
    fs::write(&text, "not an archive").unwrap();
    for archive in [foreign, text, room.path().join("missing.tgz")] {
        let (folder, tools) = (Folder::new(), Tools::new());
        let why = if archive.exists() { "does not unpack to" } else { "is not there" };
        Ran::of(folder.installer(&shells()[0], tools.path()).env("SUBSTRA_MTLS_TGZ", &archive)).not_installed(why);
        folder.left_alone(None);
    }
}

/// Stands for cargo, with what the installer calls it with: the build itself is what every other test runs on.
const CARGO: &str = r#"
[ "$1 $2 $3 $4 $6" = "build --release --locked --manifest-path --target-dir" ] || exit 99
[ -f "$5" ] || exit 98
mkdir -p "$7/release"
printf '#!/bin/sh\necho "substra-mtls VERSION"\n' >"$7/release/substra-mtls"
chmod +x "$7/release/substra-mtls"
"#;

fn checkout(tools: &Tools) -> Folder {
    let folder = Folder::new();
    fs::write(folder.path.join("Cargo.toml"), "").unwrap();
    folder.bundle("0.0.9");
    tools.script("cargo", &CARGO.replace("VERSION", VERSION));
    folder
}

#[test]
fn a_checkout_is_built_where_there_is_cargo_and_keeps_its_objects() {
    for shell in shells() {
        let tools = Tools::new();
        let folder = checkout(&tools);
        Ran::of(&mut folder.installer(shell, tools.path())).ok();
        folder.left_alone(Some(VERSION));
        assert!(folder.path.join("target").exists());
    }
}

#[test]
fn a_link_of_helm_to_a_checkout_keeps_its_objects_and_a_copy_does_not() {
    for linked in [true, false] {
        let tools = Tools::new();
        let folder = checkout(&tools);
        let plugins = folder.path.with_file_name("plugins");
        fs::create_dir(&plugins).unwrap();
        let link = plugins.join("substra-mtls");
        symlink(&folder.path, &link).unwrap();
        let mut installer = folder.installer(&shells()[0], tools.path());
        Ran::of(installer.env("HELM_PLUGIN_DIR", if linked { &link } else { &folder.path })).ok();
        folder.left_alone(Some(VERSION));
        assert_eq!(folder.path.join("target").exists(), linked);
    }
}

#[test]
fn a_build_that_fails_is_told() {
    let (folder, tools) = (Folder::new(), Tools::new());
    fs::write(folder.path.join("Cargo.toml"), "").unwrap();
    tools.script("cargo", "echo 'error: no such crate' >&2; exit 101");
    Ran::of(&mut folder.installer(&shells()[0], tools.path())).not_installed("cargo build failed");
    folder.left_alone(None);
}

#[test]
fn without_any_source_each_way_is_named() {
    for shell in shells() {
        let (folder, tools) = (Folder::new(), Tools::new());
        let ran = Ran::of(&mut folder.installer(shell, tools.path()));
        ran.not_installed("no public place of releases");
        for way in ["rustup.rs", "SUBSTRA_MTLS_BASE_URL", "SUBSTRA_MTLS_TGZ", "SUBSTRA_MTLS_BIN", "docs/install.md"] {
            assert!(ran.stderr.contains(way), "{}", ran.stderr);
        }
    }
}

#[test]
fn refuses_a_folder_that_cannot_be_written() {
    let room = tempfile::tempdir().unwrap();
    open(room.path());
    let named = room.path().join("binary");
    stand_in(&named, VERSION);
    for shell in shells() {
        let (folder, tools) = (Folder::new(), Tools::new());
        mode(&folder.path, 0o555);
        let mut installer = folder.installer(shell, tools.path());
        installer.env("SUBSTRA_MTLS_BIN", &named);
        if fs::write(folder.path.join("root-may-write"), "").is_ok() {
            installer.uid(65534).gid(65534);
        }
        Ran::of(&mut installer).not_installed("cannot be made");
        assert!(!folder.path.join("bin").exists());
    }
}

#[test]
fn replaces_a_binary_that_is_running() {
    let Some(sleep) = find("sleep") else { panic!("no sleep on PATH") };
    for shell in shells() {
        let (folder, tools) = (Folder::new(), Tools::new());
        fs::create_dir(folder.path.join("bin")).unwrap();
        fs::copy(&sleep, folder.binary()).unwrap();
        let mut old = Command::new(folder.binary()).arg("60").spawn().unwrap();
        let busy = fs::OpenOptions::new().write(true).open(folder.binary());
        let named = folder.path.join("named");
        stand_in(&named, VERSION);
        Ran::of(folder.installer(shell, tools.path()).env("SUBSTRA_MTLS_BIN", &named)).ok();
        assert!(old.try_wait().unwrap().is_none(), "the old one was disturbed");
        old.kill().unwrap();
        old.wait().unwrap();
        assert!(std::env::consts::OS != "linux" || busy.is_err(), "it was not running");
        folder.left_alone(Some(VERSION));
    }
}
