//! `ca` on the simulated cluster: from nothing, taken over, killed at every write, renewed.

use std::{fs, os::fd::AsRawFd, process::Command};

use clap::Parser;
use substra_mtls::{
    cli::Cli,
    cluster::{
        ChartVersion, Cluster, Object, ObjectRef, PAIR_TYPE,
        simulated::{Fault, Simulated},
    },
    commands::{Desk, dispatch},
    failure::{Failure, Result},
    pki::{
        inspect::{Certificate, certificates},
        key::{KeyType, PrivateKey},
    },
    report::{Console, Outcome},
    substra::{
        servers::{Answer, call},
        specimen::{LeafUsage, Recipe},
    },
    values,
};
use time::{Duration, OffsetDateTime};

use super::world::{BACKEND, ORCHESTRATOR, World, diff};

/// What the walkthrough's part before TLS leaves: a release in plain text.
const PLAIN: &str = "\
ingress:
  hostname: orchestrator.example.org # dialled by all
channels:
  - name: mychannel
    organizations: [MyOrg1MSP]
";

const RESTART: &str = "restart deployment/orchestrator-server";

struct Site {
    world: World,
    orc: Simulated,
    now: OffsetDateTime,
}

impl Site {
    fn new() -> Self {
        Self::of("8.8.0", PLAIN)
    }

    fn of(version: &str, text: &str) -> Self {
        let (world, now) = (World::new(), OffsetDateTime::now_utc());
        world.write("orchestrator-values.yaml", text);
        let orc = Simulated::new("orchestrator", now);
        let chart = ChartVersion { name: "orchestrator".into(), version: version.into() };
        orc.install("orchestrator", chart, values::read(text.as_bytes()).unwrap()).unwrap();
        Self { world, orc, now }
    }

    /// A verb; `@` stands for the folder.
    fn run(&self, line: &str) -> Result<Outcome> {
        let line = line.replace('@', &format!("{}/", self.world.path("").display()).replace("//", "/"));
        let cli = Cli::try_parse_from(std::iter::once("substra-mtls").chain(line.split_whitespace())).unwrap();
        dispatch(&cli.command, &Desk { cluster: Some(&self.orc), console: Console::silent(), now: self.now })
    }

    fn init(&self, more: &str) -> Result<Outcome> {
        let place = if more.contains("--secret") { "" } else { "--out-dir @" };
        self.run(&format!("ca init -f @orchestrator-values.yaml --release orchestrator --yes {place} {more}"))
    }

    fn later(&mut self, days: i64) {
        self.now += Duration::days(days);
        self.orc.set_clock(self.now);
    }

    fn object(&self, name: &ObjectRef) -> Object {
        self.orc.get(std::slice::from_ref(name)).unwrap().remove(0)
    }

    fn pair(&self) -> Certificate {
        let secret = self.object(&ObjectRef::secret("orchestrator-tls-server-pair"));
        assert_eq!(secret.secret_type(), PAIR_TYPE);
        certificates(&secret.data("tls.crt").unwrap()).unwrap().remove(0)
    }

    fn ca(&self) -> Certificate {
        certificates(self.world.read("orchestrator-ca.crt").as_bytes()).unwrap().remove(0)
    }

    /// Whether a backend that trusts the CA gets an answer under this host.
    fn answers(&self, host: &str) -> bool {
        let org = self.orc.namespace("org-1");
        let ca = self.world.read("orchestrator-ca.crt");
        drop(org.create(&Object::secret("orchestrator-cacert", "Opaque", &[], &[("ca.crt", ca.as_bytes())])));
        let chart = ChartVersion { name: "substra-backend".into(), version: "26.15.3".into() };
        let values = BACKEND.replace("orchestrator.example.org", host);
        org.install("backend", chart, values::read(values.as_bytes()).unwrap()).unwrap();
        let client = org.backend("backend").unwrap();
        let answer = self.orc.with_server("orchestrator", |server| call(&client, server, self.now));
        answer.is_some_and(|answer| answer == Answer::Accepted)
    }

    /// A server pair of a CA in place of the one that is there.
    fn put_pair(&self, recipe: &Recipe, ca: &str, ca_key: &str) {
        let ca = certificates(self.world.read(ca).as_bytes()).unwrap().remove(0);
        let ca_key = PrivateKey::from_pem(self.world.read(ca_key).as_bytes(), None).unwrap();
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        let pem = recipe.sign(key.spki(), &ca, &ca_key, self.now).unwrap();
        let private = key.to_pem();
        let data: [(&str, &[u8]); 2] = [("tls.crt", pem.as_bytes()), ("tls.key", private.as_bytes())];
        let name = "orchestrator-tls-server-pair";
        match self.orc.get(&[ObjectRef::secret(name)]).unwrap().first() {
            Some(old) => self.orc.replace(&old.with_data(&data)).unwrap(),
            None => self.orc.create(&Object::secret(name, PAIR_TYPE, &[], &data)).unwrap(),
        }
    }

    fn changes(&self, work: impl FnOnce()) -> Vec<String> {
        let before = self.orc.writes().len();
        work();
        self.orc.writes().split_off(before)
    }
}

fn server(hosts: &[&str], usage: LeafUsage) -> Recipe {
    let dns_names = hosts.iter().map(|host| (*host).to_owned()).collect();
    Recipe { dns_names, usage: Some(usage), v3: true, ..Recipe::default() }
}

#[track_caller]
fn failed(result: Result<Outcome>, code: &str) -> Failure {
    let failure = result.err().unwrap();
    assert_eq!(failure.code, code, "{failure}");
    for (part, text) in [("why", &failure.why), ("next", &failure.next)] {
        assert!(!text.is_empty(), "{part} is missing: {failure}");
    }
    failure
}

#[test]
fn from_nothing_to_tls_in_the_order_that_starts_no_pod_in_vain() {
    let site = Site::new();
    let outcome = site.init("").unwrap();
    assert_eq!(outcome.stage(), "initialized");
    assert_eq!(
        site.orc.writes(),
        ["create secret/orchestrator-tls-cacert", "create secret/orchestrator-tls-server-pair", "upgrade orchestrator"]
    );
    let (ca, pair) = (site.ca(), site.pair());
    assert!(ca.is_ca && ca.subject_key_id.is_some() && ca.key_cert_sign == Some(true));
    assert!(pair.is_signed_by(&ca) && pair.server_auth() && pair.client_auth() && pair.organizations.is_empty());
    assert_eq!(
        pair.dns_names,
        [
            "orchestrator.example.org",
            "orchestrator-server",
            "orchestrator-server.orchestrator",
            "orchestrator-server.orchestrator.svc",
            "orchestrator-server.orchestrator.svc.cluster.local"
        ]
    );
    let mode = fs::metadata(site.world.path("orchestrator-ca.key")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode.permissions()) & 0o777, 0o600);
    let tls = "+orchestrator:\n+  tls:\n+    enabled: true\n+    cacert: orchestrator-tls-cacert\n+    secrets:\n+      pair: orchestrator-tls-server-pair\n";
    assert_eq!(diff(PLAIN, &site.world.read("orchestrator-values.yaml")), tls);
    assert!(site.answers("orchestrator.example.org") && site.answers("orchestrator-server.orchestrator"));
    let backup = outcome.get("back up").unwrap().to_string();
    assert!(backup.contains("orchestrator-ca.key") && backup.contains("orchestrator-ca.issued.jsonl"), "{backup}");
}

#[test]
fn a_second_run_changes_nothing() {
    let site = Site::new();
    site.init("").unwrap();
    let before = site.world.snapshot();
    let writes = site.changes(|| assert_eq!(site.init("").unwrap().stage(), "already"));
    assert!(writes.is_empty() && site.world.snapshot() == before, "{writes:?}");
}

#[test]
fn a_dry_run_writes_nothing() {
    let site = Site::new();
    let before = site.world.snapshot();
    let writes = site.changes(|| assert_eq!(site.init("--dry-run --encrypt").unwrap().stage(), "planned"));
    assert!(writes.is_empty() && site.world.snapshot() == before, "{writes:?}");
}

#[test]
fn every_write_may_fail_before_or_after_its_work_and_the_next_run_completes() {
    for fault in [Fault::Before, Fault::After] {
        for at in 0..3 {
            let site = Site::new();
            site.orc.fail_at(at, fault);
            let failure = failed_fault(site.init(""));
            assert!(failure.unchanged.is_some(), "{failure}");
            let ca = site.ca();
            site.init("").unwrap();
            assert_eq!(site.ca(), ca, "one CA, however often it is run");
            assert!(site.answers("orchestrator.example.org"), "{at} {fault:?}");
            assert_eq!(site.init("").unwrap().stage(), "already", "{at} {fault:?}");
            assert!(!site.orc.writes().contains(&RESTART.to_owned()), "new pods need no restart");
        }
    }
}

fn failed_fault(result: Result<Outcome>) -> Failure {
    let failure = result.err().unwrap();
    assert_eq!(failure.code, "fault", "{failure}");
    failure
}

#[test]
fn a_renewal_cut_short_is_completed_with_its_restart() {
    for fault in [Fault::Before, Fault::After] {
        for at in 0..2 {
            let site = Site::new();
            site.init("").unwrap();
            site.orc.fail_at(at, fault);
            let writes = site.changes(|| {
                failed_fault(site.init("--host other.example.org"));
                site.init("--host other.example.org").unwrap();
            });
            assert_eq!(writes.last().map(String::as_str), Some(RESTART), "{at} {fault:?}: {writes:?}");
            assert!(site.answers("other.example.org") && site.answers("orchestrator.example.org"));
            assert_eq!(site.init("").unwrap().stage(), "already", "the name is kept without being given again");
        }
    }
}

#[test]
fn a_key_without_its_certificate_gets_the_certificate_of_this_key() {
    let site = Site::new();
    site.orc.fail_at(0, Fault::Before);
    failed_fault(site.init(""));
    let key = site.world.read("orchestrator-ca.key");
    fs::remove_file(site.world.path("orchestrator-ca.crt")).unwrap();
    site.init("").unwrap();
    assert_eq!(site.world.read("orchestrator-ca.key"), key);
    assert_eq!(site.ca().spki, PrivateKey::from_pem(key.as_bytes(), None).unwrap().spki());
    // Once the cluster has it, it is that very certificate which comes back.
    let certificate = site.ca();
    fs::remove_file(site.world.path("orchestrator-ca.crt")).unwrap();
    site.init("").unwrap();
    assert_eq!(site.ca(), certificate);
}

#[test]
fn the_walkthrough_s_ca_is_taken_over_and_only_what_is_missing_is_made() {
    let script = "openssl genrsa 2048 > orchestrator-ca.key 2>/dev/null && chmod 600 orchestrator-ca.key && \
        openssl req -x509 -new -nodes -key orchestrator-ca.key -sha256 -days 365 -subj '/CN=Orchestrator Root CA' -out orchestrator-ca.crt";
    let mut site = Site::of("8.5.0", ORCHESTRATOR);
    let done = Command::new("sh").args(["-c", script]).current_dir(site.world.path("")).status().unwrap();
    assert!(done.success());
    site.later(1);
    let ca = site.world.read("orchestrator-ca.crt");
    site.orc.create(&Object::config_map("orchestrator-tls-cacert", &[], &[("ca.crt", &ca)])).unwrap();
    let writes = site.changes(|| {
        let outcome = site.init("").unwrap();
        assert_eq!(outcome.get("ca").unwrap(), "CN=Orchestrator Root CA");
    });
    assert_eq!(writes[0], "create secret/orchestrator-tls-server-pair", "its object is left as it is");
    assert_eq!(site.world.read("orchestrator-ca.crt"), ca);
    let pair = site.pair();
    assert!(pair.is_signed_by(&site.ca()) && pair.not_after < site.ca().not_after, "cut to the CA's end");
    assert!(site.answers("orchestrator.example.org"));
    assert_eq!(site.init("").unwrap().stage(), "already");
}

#[test]
fn an_encrypted_key_is_opened_to_sign_and_left_alone_else() {
    let site = Site::new();
    site.world.write("passphrase", "correct horse\n");
    let open = || fs::File::open(site.world.path("passphrase")).unwrap();
    let file = open();
    site.init(&format!("--encrypt --passphrase-fd {}", file.as_raw_fd())).unwrap();
    assert!(site.world.read("orchestrator-ca.key").starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    assert_eq!(site.init("").unwrap().stage(), "already", "nobody is asked when nothing is signed");
    failed(site.init("--host other.example.org"), "no-terminal");
    site.world.write("wrong", "battery\n");
    let wrong = fs::File::open(site.world.path("wrong")).unwrap();
    failed(site.init(&format!("--host other.example.org --passphrase-fd {}", wrong.as_raw_fd())), "ca-key");
    let file = open();
    let renewed = site.init(&format!("--host other.example.org --passphrase-fd {}", file.as_raw_fd())).unwrap();
    assert_eq!(renewed.stage(), "renewed");
}

#[test]
fn a_passphrase_that_cannot_be_had_makes_no_key() {
    let site = Site::new();
    let before = site.world.snapshot();
    failed(site.init("--encrypt"), "no-terminal");
    assert_eq!(site.world.snapshot(), before);
    site.world.write("empty", "\n");
    let empty = fs::File::open(site.world.path("empty")).unwrap();
    failed(site.init(&format!("--encrypt --passphrase-fd {}", empty.as_raw_fd())), "passphrase-empty");
    assert!(!site.world.path("orchestrator-ca.key").exists());
}

#[test]
fn a_ca_in_a_secret_is_made_once_and_found_again() {
    let site = Site::new();
    let before = site.world.snapshot().len();
    site.init("--secret federation-ca").unwrap();
    assert_eq!(site.world.snapshot().len(), before, "no file is made");
    assert_eq!(site.orc.writes()[0], "create secret/federation-ca");
    let secret = site.object(&ObjectRef::secret("federation-ca"));
    let ca = certificates(&secret.data("tls.crt").unwrap()).unwrap().remove(0);
    assert!(secret.secret_type() == PAIR_TYPE && site.pair().is_signed_by(&ca));
    assert_eq!(site.init("--secret federation-ca").unwrap().stage(), "already");
    failed(site.init("--secret other"), "ca-elsewhere");
    site.orc.create(&Object::secret("half", "Opaque", &[], &[("tls.crt", b"x")])).unwrap();
    failed(site.init("--secret half"), "ca-secret");
}

#[test]
fn the_pair_is_renewed_in_its_last_third_and_not_before() {
    let mut site = Site::new();
    site.init("").unwrap();
    let old = site.pair();
    site.later(260);
    assert_eq!(site.init("").unwrap().stage(), "already");
    site.later(10);
    let writes = site.changes(|| assert_eq!(site.init("").unwrap().stage(), "renewed"));
    assert_eq!(writes, ["replace secret/orchestrator-tls-server-pair", RESTART]);
    assert!(site.pair().serial != old.serial && site.pair().dns_names == old.dns_names);
    site.later(200);
    assert!(site.answers("orchestrator.example.org"), "the old one is over, the pods run with the new one");
}

#[test]
fn a_pair_that_ends_with_its_ca_is_not_renewed_in_vain() {
    let mut site = Site::new();
    site.init("").unwrap();
    for days in [290, 290, 290, 290, 290, 290] {
        site.later(days);
        site.init("").unwrap();
    }
    site.later(60);
    assert!(site.ca().not_after - site.pair().not_after < Duration::DAY);
    assert_eq!(site.init("").unwrap().stage(), "already");
}

#[test]
fn a_pair_that_cannot_pass_its_own_probe_is_renewed() {
    let host = ["orchestrator.example.org"];
    for recipe in [
        server(&host, LeafUsage::Server),
        server(&host, LeafUsage::Client),
        server(&["else.example.org"], LeafUsage::Both),
        Recipe { expired: true, ..server(&host, LeafUsage::Both) },
    ] {
        let site = Site::new();
        site.init("").unwrap();
        site.put_pair(&recipe, "orchestrator-ca.crt", "orchestrator-ca.key");
        let writes = site.changes(|| assert_eq!(site.init("").unwrap().stage(), "renewed"));
        assert_eq!(writes, ["replace secret/orchestrator-tls-server-pair", RESTART], "{recipe:?}");
        assert!(site.answers(host[0]), "{recipe:?}");
    }
}

#[test]
fn a_renewal_is_not_held_up_by_other_differences_of_the_values() {
    let site = Site::new();
    site.init("").unwrap();
    let text = site.world.read("orchestrator-values.yaml");
    site.world.write("orchestrator-values.yaml", &format!("{text}database:\n  auth:\n    username: someone\n"));
    let writes = site.changes(|| assert_eq!(site.init("--host other.example.org").unwrap().stage(), "renewed"));
    assert_eq!(writes, ["replace secret/orchestrator-tls-server-pair", RESTART], "and nothing of them goes live");
}

#[test]
fn without_upgrade_the_restart_is_told_and_not_done() {
    let site = Site::new();
    site.init("").unwrap();
    let writes = site.changes(|| drop(site.init("--host other.example.org --no-upgrade").unwrap()));
    assert_eq!(writes, ["replace secret/orchestrator-tls-server-pair"]);
    let writes = site.changes(|| drop(site.init("").unwrap()));
    assert_eq!(writes, [RESTART], "the next run with upgrade sees that the pods are older than the pair");
}

#[test]
fn another_ca_in_use_is_never_replaced() {
    let site = Site::new();
    let ca = site.world.read("ca.crt");
    let object = Object::secret("orchestrator-tls-cacert", "Opaque", &[], &[("ca.crt", ca.as_bytes())]);
    site.orc.create(&object).unwrap();
    let before = site.world.snapshot();
    failed(site.init(""), "ca-elsewhere");
    assert_eq!(site.world.snapshot(), before, "no second CA is made");
    let other = substra_mtls::pki::authority::create_root(KeyType::EcdsaP256, site.now).unwrap();
    site.world.write("orchestrator-ca.key", &other.0.to_pem());
    site.world.chmod("orchestrator-ca.key", 0o600);
    failed(site.init(""), "ca-not-the-clusters");
    site.world.write("orchestrator-ca.crt", &other.1);
    failed(site.init(""), "ca-not-the-clusters");
    assert_eq!(site.orc.writes().len(), 1);
}

#[test]
fn a_good_server_pair_of_another_ca_is_not_overwritten() {
    let site = Site::new();
    site.put_pair(&server(&["orchestrator.example.org"], LeafUsage::Both), "ca.crt", "ca.key");
    let pair = site.pair();
    let failure = failed(site.init(""), "pair-of-another-ca");
    assert!(failure.next.contains("kubectl delete secret orchestrator-tls-server-pair"), "{failure}");
    assert_eq!((site.pair(), site.world.path("orchestrator-ca.key").exists()), (pair, false));
    site.orc.delete(&ObjectRef::secret("orchestrator-tls-server-pair")).unwrap();
    site.init("").unwrap();
}

#[test]
fn what_cannot_be_used_is_refused_before_anything_is_written() {
    let site = Site::new();
    site.world.write("orchestrator-values.yaml", &PLAIN.replace("orchestrator.example.org", "'*.example.org'"));
    failed(site.init("--accept-drift"), "server-host");
    site.world.write(
        "orchestrator-values.yaml",
        &format!("{PLAIN}orchestrator: {{tls: {{createCertificates: {{enabled: true}}}}}}\n"),
    );
    failed(site.init("--accept-drift"), "pair-by-cert-manager");
    site.world.write("orchestrator-values.yaml", PLAIN);
    for (certificate, key, code) in [
        ("ca.crt", None, "ca-key-missing"),
        ("ca.crt", Some("other"), "authority-key-mismatch"),
        ("orchestrator-values.yaml", Some("ca.key"), "certificate-file-empty"),
    ] {
        site.world.write("orchestrator-ca.crt", &site.world.read(certificate));
        let other = PrivateKey::generate(KeyType::EcdsaP256).unwrap().to_pem();
        drop(fs::remove_file(site.world.path("orchestrator-ca.key")));
        if let Some(key) = key {
            let text = if key == "other" { other.to_string() } else { site.world.read(key) };
            site.world.write("orchestrator-ca.key", &text);
            site.world.chmod("orchestrator-ca.key", 0o600);
        }
        failed(site.init(""), code);
    }
    site.world.chmod("orchestrator-ca.key", 0o644);
    failed(site.init(""), "key-file-open");
    assert!(site.orc.writes().is_empty());
}
