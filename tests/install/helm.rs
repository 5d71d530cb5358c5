//! Each way of installing, by both Helms, in homes of both kinds: it runs, rehearses, and is uninstalled again.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    folder::{FILES, VERSION, root, stand_in},
    helms::{HELMS, HOMES, Home},
    release::{archive_name, pack, platform, real, real_archive, script, sums, top},
    server::{Answer, Server},
    shells::{Ran, find, mode},
};

/// The files of a checkout that installing looks at, without a binary.
fn checkout(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for file in FILES.into_iter().chain(["Cargo.toml", ".gitignore"]) {
        fs::copy(root().join(file), folder.join(file)).unwrap();
    }
}

fn git(folder: &Path, line: &str) {
    let me = ["-c", "user.name=tests", "-c", "user.email=tests@example.invalid", "-c", "init.defaultBranch=main"];
    let mut command = Command::new("git");
    Ran::of(command.args(me).args(line.split(' ')).current_dir(folder)).ok();
}

fn commit(work: &Path, version: &str) {
    git(work, "add .");
    git(work, &format!("commit -q -m {version}"));
    git(work, &format!("tag v{version}"));
}

/// A bare repository with one commit, as a server has it: its URL. Helm takes it for git by the name `.git` alone.
fn repository(home: &Home) -> String {
    let work = home.beside("work");
    checkout(&work);
    git(&work, "init -q");
    commit(&work, VERSION);
    git(&home.beside(""), "clone -q --bare work served/substra-mtls/.git");
    format!("file://{}", home.beside("served/substra-mtls").display())
}

fn unpack(archive: &Path, folder: &Path) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    Ran::of(Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(folder)).ok();
    folder.join(top())
}

#[test]
fn from_a_checkout_built_with_cargo() {
    Home::each(|home| {
        let folder = home.beside("a checkout/substra-mtls");
        checkout(&folder);
        home.tools
            .script("cargo", &format!("mkdir -p \"$7/release\"\ncp '{}' \"$7/release\"", real_binary().display()));
        home.install(&folder, &[]).ok();
        home.works();
        assert!(folder.join("bin/substra-mtls").exists(), "uninstalling took away the link alone");
    });
}

fn real_binary() -> PathBuf {
    let binary = real().join("named/substra-mtls");
    fs::create_dir_all(binary.parent().unwrap()).unwrap();
    // Several tests may come here at once.
    if !binary.exists() {
        let mine = tempfile::NamedTempFile::new_in(real()).unwrap().into_temp_path();
        fs::copy(real().join("binary"), &mine).unwrap();
        mine.persist(&binary).unwrap();
        mode(&binary, 0o755);
    }
    binary
}

#[test]
fn from_a_git_repository_by_a_download() {
    let server = Server::new();
    for name in ["SHA256SUMS".to_owned(), archive_name(VERSION)] {
        server.serve(format!("/v{VERSION}/{name}"), Answer::Body(fs::read(real().join(&name)).unwrap()));
    }
    Home::each(|mut home| {
        let url = repository(&home);
        home.set("SUBSTRA_MTLS_BASE_URL", &server.url);
        home.set("CURL_CA_BUNDLE", server.ca());
        home.install(Path::new(&url), &[&["--version", VERSION], home.unverified()].concat()).ok();
        home.works();
    });
}

#[test]
fn from_a_git_repository_with_a_named_binary_or_archive_and_no_network() {
    for (name, file) in [("SUBSTRA_MTLS_BIN", real_binary()), ("SUBSTRA_MTLS_TGZ", real_archive())] {
        Home::each(|mut home| {
            let url = repository(&home);
            home.set(name, &file);
            home.install(Path::new(&url), home.unverified()).ok();
            home.works();
        });
    }
}

#[test]
fn from_an_unpacked_archive() {
    Home::each(|home| {
        let folder = unpack(&real_archive(), &home.beside("where it (stays)"));
        home.install(&folder, &[]).ok();
        home.works();
    });
}

#[test]
fn from_a_signed_archive_by_helm_4_and_not_from_one_that_was_changed() {
    let keyring = root().join("tests/install/keys/public.asc");
    let more = ["--keyring", keyring.to_str().unwrap()];
    for name in HOMES {
        let home = Home::new("helm4", name);
        let archive = signed(&home);
        let ran = home.install(&archive, &more).ok();
        assert!(ran.stdout.contains("Plugin Hash Verified"), "{}", ran.stdout);
        let list = home.helm(&["plugin", "list"]).ok().stdout;
        assert!(list.contains(VERSION), "{list}");
        home.works();

        let mut bytes = fs::read(&archive).unwrap();
        bytes.push(0);
        fs::write(&archive, bytes).unwrap();
        let ran = home.install(&archive, &more);
        assert_ne!(ran.status, 0, "{ran:?}");
        assert!(home.helm(&["substra-mtls", "--version"]).stderr.contains("unknown command"));
    }
}

/// An archive with its `.prov`: by `release sign`, or by Helm itself on a machine without gpg.
fn signed(home: &Home) -> PathBuf {
    let folder = home.beside("signed");
    fs::create_dir_all(&folder).unwrap();
    let (archive, key) = (folder.join(archive_name(VERSION)), root().join("tests/install/keys/secret.asc"));
    if find("gpg").is_some() {
        fs::copy(real_archive(), &archive).unwrap();
        let gnupg = tempfile::tempdir().unwrap();
        let gpg = |args: &[&str]| Ran::of(Command::new("gpg").args(args).arg(&key).env("GNUPGHOME", gnupg.path())).ok();
        gpg(&["--batch", "--quiet", "--import"]);
        let mut sign = script(&["sign"]);
        Ran::of(sign.arg(&folder).env("RELEASE_KEY", "tests@example.invalid").env("GNUPGHOME", gnupg.path())).ok();
        Ran::of(Command::new("gpgconf").args(["--kill", "all"]).env("GNUPGHOME", gnupg.path())).ok();
        return archive;
    }
    let plugin = unpack(&real_archive(), &home.beside("to sign"));
    let words = ["plugin", "package", plugin.to_str().unwrap(), "--sign", "--key", "substra-mtls", "--keyring"];
    let out = ["--destination", folder.to_str().unwrap()];
    home.helm(&[&words[..], &[key.to_str().unwrap()], &out[..]].concat()).ok();
    folder.join(format!("substra-mtls-{VERSION}.tgz"))
}

#[test]
fn by_cargo_install_and_without_helm() {
    // Cargo may replace the binary that the other tests copy from.
    let (_, into) = (real(), tempfile::tempdir().unwrap());
    // Debug and these sources' own target folder, so that all but the linking is done already.
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["install", "--debug", "--offline", "--locked", "--path"]).arg(root()).arg("--root").arg(into.path());
    Ran::of(cargo.current_dir(root())).ok();
    let run = |args: &[&str]| {
        let mut command = Command::new(into.path().join("bin/substra-mtls"));
        Ran::of(command.args(args).env_clear().env("HOME", into.path()).env("PATH", "")).ok()
    };
    assert_eq!(run(&["--version"]).stdout, format!("substra-mtls {VERSION}\n"));
    run(&["rehearse"]);
}

#[test]
fn an_update_of_a_git_repository_fetches_what_plugin_yaml_then_says() {
    let server = Server::new();
    for version in [VERSION, "9.0.0"] {
        let room = tempfile::tempdir().unwrap();
        stand_in(&room.path().join("binary"), version);
        let archive = pack(&platform(), &room.path().join("binary"), room.path());
        fs::rename(&archive, room.path().join(archive_name(version))).unwrap();
        sums(room.path());
        for name in ["SHA256SUMS".to_owned(), archive_name(version)] {
            server.serve(format!("/v{version}/{name}"), Answer::Body(fs::read(room.path().join(&name)).unwrap()));
        }
    }
    for helm in HELMS {
        let mut home = Home::new(helm, HOMES[1]);
        let url = repository(&home);
        home.set("SUBSTRA_MTLS_BASE_URL", &server.url);
        home.set("CURL_CA_BUNDLE", server.ca());
        home.install(Path::new(&url), home.unverified()).ok();

        let work = home.beside("work");
        let text = fs::read_to_string(work.join("plugin.yaml")).unwrap().replace(VERSION, "9.0.0");
        fs::write(work.join("plugin.yaml"), text).unwrap();
        commit(&work, "9.0.0");
        git(&work, "push -q ../served/substra-mtls/.git main");
        home.helm(&["plugin", "update", "substra-mtls"]).ok();
        assert_eq!(home.helm(&["substra-mtls", "--version"]).ok().stdout, "substra-mtls 9.0.0\n");
        home.goes_away();
    }
}

#[test]
fn a_failed_installation_is_explained_at_each_run_and_repaired_by_the_line_that_is_told() {
    Home::each(|home| {
        let url = repository(&home);
        let ran = home.install(Path::new(&url), home.unverified());
        ran.not_installed("no public place of releases");
        let ran = home.helm(&["substra-mtls", "check"]);
        ran.not_installed("bin/substra-mtls is not there");

        let line = ran.stderr.lines().find_map(|line| line.trim().strip_prefix("the installer again: ")).unwrap();
        let mut repair = Command::new("sh");
        Ran::of(repair.args(["-c", line]).env("PATH", home.tools.path()).env("SUBSTRA_MTLS_BIN", real_binary())).ok();
        home.works();
    });
}

#[test]
fn a_failed_installation_can_be_taken_out_again() {
    for helm in HELMS {
        let home = Home::new(helm, HOMES[0]);
        assert_ne!(home.install(Path::new(&repository(&home)), home.unverified()).status, 0);
        home.goes_away();
    }
}

#[test]
fn a_second_folder_with_the_plugin_is_named_and_the_line_that_is_told_helps() {
    Home::each(|home| {
        let (first, second) = (unpack(&real_archive(), &home.beside("first")), home.beside("second's"));
        fs::rename(unpack(&real_archive(), &home.beside("unpacked")), &second).unwrap();
        home.install(&first, &[]).ok();
        let ran = home.install(&second, &[]);
        assert_ne!(ran.status, 0, "{ran:?}");
        assert!(ran.stderr.contains("error: substra-mtls is installed twice"), "{}", ran.stderr);
        let removals: Vec<_> = ran.stderr.lines().filter(|line| line.starts_with("    rm -r ")).collect();
        assert_eq!(removals.len(), 2, "{}", ran.stderr);
        let second_one = removals.iter().find(|line| line.contains("second")).unwrap();
        Ran::of(Command::new("sh").args(["-c", second_one])).ok();
        assert!(second.join("plugin.yaml").exists(), "the link alone was removed");
        home.works();
    });
}

#[test]
fn a_home_with_square_brackets_needs_another_data_folder_and_the_installer_says_so() {
    for helm in HELMS {
        let mut home = Home::new(helm, "my [work] home");
        let folder = unpack(&real_archive(), &home.beside("kept"));
        let ran = home.install(&folder, &[]).ok();
        assert!(ran.stdout.contains("set HELM_DATA_HOME"), "{}", ran.stdout);
        assert!(home.helm(&["substra-mtls", "--version"]).stderr.contains("unknown command"), "then the note is wrong");

        home.set("HELM_DATA_HOME", home.beside("data"));
        home.install(&folder, &[]).ok();
        home.works();
    }
}
