//! Downloads: of exactly one version, by https, checked, whole or not at all.

use std::{fs, os::unix::process::CommandExt, path::PathBuf, process::Command};

use rustix::process::{Pid, Signal};
use tempfile::TempDir;

use crate::{
    folder::{Folder, VERSION, stand_in},
    release::{archive_name, small},
    server::{Answer, Server},
    shells::{Ran, Tools, find, shells},
};

/// A place of releases with one version.
struct Place {
    server: Server,
    archive: Vec<u8>,
    folder: Folder,
    tools: Tools,
    _room: TempDir,
}

fn path(name: &str) -> String {
    format!("/mirror/v{VERSION}/{name}")
}

impl Place {
    fn new() -> Self {
        Self::with(Tools::new())
    }

    fn with(tools: Tools) -> Self {
        let (server, room) = (Server::new(), tempfile::tempdir().unwrap());
        let archive = fs::read(small(room.path())).unwrap();
        server.serve(path(&archive_name(VERSION)), Answer::Body(archive.clone()));
        server.serve(path("SHA256SUMS"), Answer::Body(fs::read(room.path().join("SHA256SUMS")).unwrap()));
        Self { server, archive, folder: Folder::new(), tools, _room: room }
    }

    fn serve(&self, name: &str, answer: Answer) {
        self.server.serve(path(name), answer);
    }

    fn installer(&self, shell: &[PathBuf]) -> Command {
        let mut command = self.folder.installer(shell, self.tools.path());
        command.env("SUBSTRA_MTLS_BASE_URL", format!("{}/mirror", self.server.url));
        self.server.trusted(&mut command);
        command
    }

    /// In every shell, and beside an old binary that stays.
    #[track_caller]
    fn refused(&self, why: &str) {
        for shell in shells() {
            self.folder.bundle("0.0.9");
            Ran::of(&mut self.installer(shell)).not_installed(why);
            self.folder.left_alone(Some("0.0.9"));
        }
    }
}

#[test]
fn fetches_the_version_of_plugin_yaml_in_every_shell() {
    let place = Place::new();
    for shell in shells() {
        place.folder.bundle("0.0.9");
        Ran::of(&mut place.installer(shell)).ok();
        place.folder.left_alone(Some(VERSION));
    }
    let asked = place.server.asked.lock().unwrap();
    assert_eq!(asked[..2], [path("SHA256SUMS"), path(&archive_name(VERSION))]);
}

#[test]
fn a_named_mirror_goes_before_a_build() {
    let place = Place::new();
    fs::write(place.folder.path.join("Cargo.toml"), "").unwrap();
    place.tools.script("cargo", "exit 99");
    Ran::of(&mut place.installer(&shells()[0])).ok();
    place.folder.left_alone(Some(VERSION));
}

#[test]
fn gnu_wget_serves_where_there_is_no_curl() {
    let place = Place::with(Tools::without(&["curl"]));
    let Some(wget) = find("wget") else { panic!("there is no wget to test with: install it") };
    place.tools.add(&wget);
    for shell in shells() {
        place.folder.bundle("0.0.9");
        Ran::of(&mut place.installer(shell)).ok();
        place.folder.left_alone(Some(VERSION));
    }
}

#[test]
fn openssl_serves_where_there_is_no_other_tool_for_sums() {
    let place = Place::with(Tools::without(&["sha256sum", "shasum"]));
    place.tools.add(&find("openssl").unwrap());
    Ran::of(&mut place.installer(&shells()[0])).ok();
    place.folder.left_alone(Some(VERSION));
}

#[test]
fn refuses_a_wrong_checksum() {
    let place = Place::new();
    let mut body = place.archive.clone();
    *body.last_mut().unwrap() ^= 1;
    place.serve(&archive_name(VERSION), Answer::Body(body));
    place.refused("is not what SHA256SUMS says");
}

#[test]
fn refuses_sums_that_do_not_name_the_archive() {
    let place = Place::new();
    place.serve("SHA256SUMS", Answer::Body(format!("{}  another.tgz\n", "0".repeat(64)).into_bytes()));
    place.refused("SHA256SUMS does not name");
}

#[test]
fn refuses_what_is_cut_off() {
    let place = Place::new();
    place.serve(&archive_name(VERSION), Answer::CutOff(place.archive.clone()));
    place.refused("did not come: ");
}

#[test]
fn refuses_what_is_not_there() {
    let place = Place::new();
    place.server.serve(path("SHA256SUMS"), Answer::MovedTo(format!("{}/nothing", place.server.url)));
    place.refused("404");
}

#[test]
fn refuses_an_archive_that_holds_another_version() {
    let place = Place::new();
    let room = tempfile::tempdir().unwrap();
    stand_in(&room.path().join("binary"), "0.2.0");
    let archive = crate::release::pack(&crate::release::platform(), &room.path().join("binary"), room.path());
    crate::release::sums(room.path());
    place.serve(&archive_name(VERSION), Answer::Body(fs::read(archive).unwrap()));
    place.serve("SHA256SUMS", Answer::Body(fs::read(room.path().join("SHA256SUMS")).unwrap()));
    place.refused("plugin.yaml wants");
}

#[test]
fn refuses_plain_http_also_when_https_leads_there() {
    let place = Place::new();
    let mut installer = place.folder.installer(&shells()[0], place.tools.path());
    Ran::of(installer.env("SUBSTRA_MTLS_BASE_URL", "http://127.0.0.1:1/")).not_installed("not an https:// address");
    is_not_led_to_plain_http(&place);
}

#[test]
fn wget_too_is_not_led_to_plain_http() {
    let place = Place::with(Tools::without(&["curl"]));
    place.tools.add(&find("wget").unwrap());
    is_not_led_to_plain_http(&place);
}

#[track_caller]
fn is_not_led_to_plain_http(place: &Place) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let plain = format!("http://{}/SHA256SUMS", listener.local_addr().unwrap());
    // It closes what comes.
    let came = std::thread::spawn(move || drop(listener.accept()));
    place.serve("SHA256SUMS", Answer::MovedTo(plain));
    let ran = Ran::of(&mut place.installer(&shells()[0]));
    assert!(!came.is_finished(), "it went to plain http");
    ran.not_installed("did not come: ");
}

#[test]
fn refuses_a_server_that_nobody_vouches_for() {
    let place = Place::new();
    let mut installer = place.installer(&shells()[0]);
    Ran::of(installer.env_remove("CURL_CA_BUNDLE")).not_installed("did not come: ");
    place.folder.left_alone(None);
}

#[track_caller]
fn lacks(tools: &[&str], why: &str) {
    Place::with(Tools::without(tools)).refused(why);
}

#[test]
fn names_the_tools_that_are_missing() {
    lacks(&["curl"], "neither curl nor GNU wget");
    lacks(&["sha256sum", "shasum"], "none of sha256sum, shasum and openssl");
    lacks(&["tar"], "there is no tar");
}

#[test]
fn a_wget_that_looks_at_no_certificate_is_none() {
    let place = Place::with(Tools::without(&["curl"]));
    place.tools.script("wget", "echo 'BusyBox v1.36.1'; exit 0");
    place.refused("neither curl nor GNU wget");
}

#[test]
fn leaves_nothing_behind_when_it_is_interrupted() {
    for shell in shells() {
        let place = Place::with(Tools::without(&["curl"]));
        let mark = place.folder.path.with_file_name("mark");
        place.tools.script("curl", &format!(": >\"{}\"\nexec sleep 60", mark.display()));
        // A group of its own, as the terminal's Ctrl-C reaches the whole group.
        let mut child = place.installer(shell).process_group(0).spawn().unwrap();
        while !mark.exists() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        rustix::process::kill_process_group(Pid::from_child(&child), Signal::TERM).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(143));
        place.folder.left_alone(None);
    }
}
