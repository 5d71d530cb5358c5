//! `ca init --offline`: four files without a cluster, cut short anywhere, renewed, and taken over where the cluster is.

use std::{ffi::OsString, os::unix::fs::PermissionsExt};

use super::*;

const CA: [&str; 2] = ["orchestrator-ca.key", "orchestrator-ca.crt"];
const PAIR: [&str; 2] = ["orchestrator-tls-server-pair.key", "orchestrator-tls-server-pair.crt"];

const LINE: &str = "substra-mtls ca init --offline -f @orchestrator-values.yaml --out-dir @";

impl Site {
    fn offline(&self, more: &str) -> Result<Outcome> {
        self.offline_as(&format!("{LINE} --release orchestrator -n orchestrator --yes {more}"), Console::silent())
    }

    fn offline_as(&self, line: &str, console: Console) -> Result<Outcome> {
        let words: Vec<OsString> = self.world.words(line).into_iter().map(Into::into).collect();
        let cli = Cli::read(&words).unwrap();
        crate::schemas::seen(dispatch(&cli.command, &Session::new(None, console, &self.clock())))
    }

    /// The pair in the two files.
    fn made(&self) -> Certificate {
        let pair = certificates(self.world.read(PAIR[1]).as_bytes()).unwrap().remove(0);
        let key = PrivateKey::from_pem(self.world.read(PAIR[0]).as_bytes(), None).unwrap();
        assert_eq!(pair.spki, key.spki());
        pair
    }

    fn remove(&self, names: &[&str]) {
        names.iter().for_each(|name| fs::remove_file(self.world.path(name)).unwrap());
    }

    /// Nothing is written, and the run ends with this code.
    #[track_caller]
    fn is_refused(&self, more: &str, code: &str) -> Failure {
        let before = self.world.snapshot();
        let failure = failed(self.offline(more), code);
        assert!(self.world.snapshot() == before, "{failure}");
        failure
    }
}

#[test]
fn four_files_and_the_settings_are_made_without_a_cluster() {
    let site = Site::new();
    let outcome = site.offline("--host other.example.org").unwrap();
    assert_eq!(outcome.stage().id(), "initialized");
    let (ca, pair) = (site.ca(), site.made());
    assert!(ca.is_ca && pair.is_signed_by(&ca) && pair.server_auth() && pair.client_auth());
    let names = [
        "orchestrator.example.org",
        "orchestrator-server",
        "orchestrator-server.orchestrator",
        "orchestrator-server.orchestrator.svc",
        "orchestrator-server.orchestrator.svc.cluster.local",
        "other.example.org",
    ];
    assert_eq!(pair.dns_names, names);
    for (name, mode) in [(CA[0], 0o600), (PAIR[0], 0o600), (CA[1], 0o644), (PAIR[1], 0o644)] {
        assert_eq!(fs::metadata(site.world.path(name)).unwrap().permissions().mode() & 0o777, mode, "{name}");
    }
    let tls = "+orchestrator:\n+  tls:\n+    enabled: true\n+    cacert: orchestrator-tls-cacert\n+    secrets:\n+      pair: orchestrator-tls-server-pair\n";
    assert_eq!(diff(PLAIN, &site.world.read("orchestrator-values.yaml")), tls);
    let carried = outcome.get("toCarry").unwrap().to_string();
    assert!(
        [CA[1], PAIR[0], PAIR[1]].iter().all(|name| carried.contains(name)) && !carried.contains(CA[0]),
        "{carried}"
    );
    assert!(site.orc.writes().is_empty());
}

#[test]
fn what_is_there_stays_byte_for_byte_and_a_dry_run_writes_nothing() {
    let site = Site::new();
    let before = site.world.snapshot();
    assert_eq!(site.offline("--dry-run --encrypt").unwrap().stage().id(), "planned");
    assert!(site.world.snapshot() == before);
    site.offline("").unwrap();
    let before = site.world.snapshot();
    assert_eq!(site.offline("").unwrap().stage().id(), "already");
    assert!(site.world.snapshot() == before);
}

/// A file is put in place whole or not at all, so that a run that is killed leaves the first of them.
#[test]
fn wherever_a_run_is_cut_short_the_next_one_completes_it_and_keeps_every_key() {
    let order = [CA[0], CA[1], PAIR[0], PAIR[1]];
    for done in 0..=order.len() {
        let site = Site::new();
        site.offline("").unwrap();
        site.remove(&order[done..]);
        site.world.write("orchestrator-values.yaml", PLAIN);
        let kept: Vec<String> = order[..done].iter().map(|name| site.world.read(name)).collect();
        site.offline("").unwrap();
        let now: Vec<String> = order[..done].iter().map(|name| site.world.read(name)).collect();
        assert!(kept == now, "{done}");
        assert!(site.made().is_signed_by(&site.ca()), "{done}");
        assert_eq!(site.offline("").unwrap().stage().id(), "already", "{done}");
    }
}

#[test]
fn a_certificate_is_renewed_for_its_key_in_its_last_third_and_for_a_missing_name() {
    let mut site = Site::new();
    site.offline("").unwrap();
    let (old, key) = (site.made(), site.world.read(PAIR[0]));
    site.later(260);
    assert_eq!(site.offline("").unwrap().stage().id(), "already");
    site.later(10);
    assert_eq!(site.offline("").unwrap().stage().id(), "renewed");
    let new = site.made();
    assert!(new.serial != old.serial && new.dns_names == old.dns_names && site.world.read(PAIR[0]) == key);
    assert_eq!(site.offline("--host other.example.org").unwrap().stage().id(), "renewed");
    assert!(site.made().dns_names.contains(&"other.example.org".to_owned()));
    assert_eq!(site.offline("").unwrap().stage().id(), "already", "the name is kept without being given again");
    site.remove(&PAIR);
    assert_eq!(site.offline("").unwrap().stage().id(), "initialized", "a new key, where the old one was moved away");
    assert_ne!(site.world.read(PAIR[0]), key);
}

#[test]
fn a_file_that_is_another_s_is_not_replaced() {
    let site = Site::new();
    site.offline("").unwrap();
    let (certificate, key) = (site.world.read(PAIR[1]), site.world.read(PAIR[0]));
    for (not, text) in [("no certificate", "notes\n"), ("another key", &site.world.read("orchestrator-ca.crt"))] {
        site.world.write(PAIR[1], text);
        assert!(site.is_refused("", "target-foreign").what.contains(not));
    }
    let ca_key = PrivateKey::from_pem(site.world.read("ca.key").as_bytes(), None).unwrap();
    let ca = certificates(site.world.read("ca.crt").as_bytes()).unwrap().remove(0);
    let spki = PrivateKey::from_pem(key.as_bytes(), None).unwrap();
    let host = server(&["orchestrator.example.org"], LeafUsage::Both);
    site.world.write(PAIR[1], &host.sign(spki.spki(), &ca, &ca_key, site.now).unwrap());
    assert!(site.is_refused("", "target-foreign").what.contains("a certificate of another CA"));
    site.world.write(PAIR[1], &certificate);
    site.remove(&PAIR[..1]);
    assert!(site.is_refused("", "target-foreign").next.starts_with("put "));
    site.world.write(PAIR[0], "notes\n");
    site.world.chmod(PAIR[0], 0o600);
    assert!(site.is_refused("", "target-foreign").what.contains("no private key"));
    site.world.write(PAIR[0], &key);
    site.world.chmod(PAIR[0], 0o644);
    site.is_refused("", "key-file-open");
    site.world.chmod(PAIR[0], 0o600);
    assert_eq!(site.offline("").unwrap().stage().id(), "already");
    site.remove(&PAIR[1..]);
    fs::create_dir(site.world.path(PAIR[1])).unwrap();
    site.is_refused("", "file-kind");
}

#[test]
fn a_folder_that_cannot_be_written_is_seen_before_the_first_write() {
    let site = Site::new();
    let before = site.world.snapshot();
    let line = format!("{LINE}no/ --release orchestrator -n orchestrator --yes");
    failed(site.offline_as(&line, Console::silent()), "file-unwritable");
    assert!(site.world.snapshot() == before);
}

#[test]
fn without_release_and_namespace_the_missing_one_is_named() {
    let site = Site::new();
    for (given, missing) in [
        ("", "add --release NAME and -n NAMESPACE"),
        ("--release orchestrator", "add -n NAMESPACE"),
        ("-n orchestrator", "add --release NAME"),
    ] {
        let failure = failed(site.offline_as(&format!("{LINE} --yes {given}"), Console::silent()), "usage");
        assert_eq!((&*failure.next, failure.exit.code()), (missing, 2));
    }
    let helms = site.offline_as(&format!("{LINE} --yes --release orchestrator -n default"), Console::silent()).unwrap();
    assert!(helms.json()["warnings"][0].as_str().unwrap().contains("namespace default"));
}

#[test]
fn the_pair_does_not_take_the_place_of_the_ca_or_of_a_values_file() {
    let site = Site::of("8.8.0", "orchestrator: {tls: {secrets: {pair: orchestrator-ca}}}\n");
    site.is_refused("", "target-in-use");
}

#[test]
fn a_pair_that_cert_manager_makes_is_not_made_here() {
    let site = Site::of("8.8.0", "orchestrator: {tls: {createCertificates: {enabled: true}}}\n");
    site.is_refused("", "pair-by-cert-manager");
}

#[test]
fn it_asks_before_it_writes_and_a_key_may_be_encrypted() {
    let site = Site::new();
    let line = format!("{LINE} --release orchestrator -n orchestrator");
    failed(site.offline_as(&line, Console { yes: false, ..Console::silent() }), "no-terminal");
    assert!(!site.world.path(CA[0]).exists());
    site.world.write("passphrase", "correct horse\n");
    let file = fs::File::open(site.world.path("passphrase")).unwrap();
    site.offline(&format!("--encrypt --passphrase-fd {}", file.as_raw_fd())).unwrap();
    assert!(site.world.read(CA[0]).starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    assert!(site.world.read(PAIR[0]).starts_with("-----BEGIN PRIVATE KEY-----"), "pods could not open another");
    assert_eq!(site.offline("").unwrap().stage().id(), "already", "nobody is asked when nothing is signed");
}

#[test]
fn where_the_cluster_is_the_pair_is_taken_over_without_the_ca_s_key() {
    let mut site = Site::new();
    site.offline("").unwrap();
    let ca_key = site.world.read(CA[0]);
    site.remove(&CA[..1]);
    let outcome = site.init("").unwrap();
    assert_eq!(outcome.stage().id(), "initialized");
    assert_eq!(site.pair(), site.made());
    assert!(site.answers("orchestrator.example.org"));
    assert_eq!(site.init("").unwrap().stage().id(), "already");
    // Renewed where the CA is, and carried over again.
    site.later(300);
    failed(site.init(""), "ca-key-missing");
    site.world.write(CA[0], &ca_key);
    site.world.chmod(CA[0], 0o600);
    site.offline("").unwrap();
    site.remove(&CA[..1]);
    let writes = site.changes(|| assert_eq!(site.init("").unwrap().stage().id(), "renewed"));
    assert_eq!(writes, ["replace secret/orchestrator-tls-server-pair", RESTART]);
    assert_eq!(site.pair(), site.made());
}

#[test]
fn a_pair_of_files_that_cannot_serve_is_told_and_not_used() {
    let site = Site::new();
    site.offline("").unwrap();
    let outcome = site.init("--host other.example.org").unwrap();
    let warnings = outcome.json()["warnings"].to_string();
    assert!(warnings.contains("orchestrator-tls-server-pair.crt is not used: "), "{warnings}");
    assert_ne!(site.pair(), site.made());
    assert!(site.answers("other.example.org"));
}

#[test]
fn a_good_pair_in_the_cluster_stays_whatever_the_files_hold() {
    let site = Site::new();
    site.init("").unwrap();
    let pair = site.pair();
    site.offline("").unwrap();
    assert_eq!(site.init("").unwrap().stage().id(), "already");
    assert!(site.pair() == pair && site.made() != pair);
}
