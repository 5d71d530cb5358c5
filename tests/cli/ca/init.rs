//! `ca init`: from nothing, taken over, killed at every write, refused.

use super::*;

#[test]
fn from_nothing_to_tls_in_the_order_that_starts_no_pod_in_vain() {
    let site = Site::new();
    let outcome = site.init("").unwrap();
    assert_eq!(outcome.stage().id(), "initialized");
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
    let backup = outcome.get("backUp").unwrap().to_string();
    assert!(backup.contains("orchestrator-ca.key") && backup.contains("orchestrator-ca.issued.jsonl"), "{backup}");
}

#[test]
fn a_second_run_changes_nothing() {
    let site = Site::new();
    site.init("").unwrap();
    let before = site.world.snapshot();
    let writes = site.changes(|| assert_eq!(site.init("").unwrap().stage().id(), "already"));
    assert!(writes.is_empty() && site.world.snapshot() == before, "{writes:?}");
}

#[test]
fn a_dry_run_writes_nothing() {
    let site = Site::new();
    let before = site.world.snapshot();
    let writes = site.changes(|| assert_eq!(site.init("--dry-run --encrypt").unwrap().stage().id(), "planned"));
    assert!(writes.is_empty() && site.world.snapshot() == before, "{writes:?}");
}

#[test]
fn every_write_may_fail_before_or_after_its_work_and_the_next_run_completes() {
    for fault in [InjectedFault::Before, InjectedFault::After] {
        for at in 0..3 {
            let site = Site::new();
            site.orc.fail_write(at, fault);
            let failure = failed_fault(site.init(""));
            assert!(failure.standing.is_some(), "{failure}");
            let ca = site.ca();
            site.init("").unwrap();
            assert_eq!(site.ca(), ca, "one CA, however often it is run");
            assert!(site.answers("orchestrator.example.org"), "{at} {fault:?}");
            assert_eq!(site.init("").unwrap().stage().id(), "already", "{at} {fault:?}");
            assert!(!site.orc.writes().contains(&RESTART.to_owned()), "new pods need no restart");
        }
    }
}

#[test]
fn a_key_without_its_certificate_gets_the_certificate_of_this_key() {
    let site = Site::new();
    site.orc.fail_write(0, InjectedFault::Before);
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
    assert_eq!(site.init("").unwrap().stage().id(), "already");
}

#[test]
fn an_encrypted_key_is_opened_to_sign_and_left_alone_else() {
    let site = Site::new();
    site.world.write("passphrase", "correct horse\n");
    let open = || fs::File::open(site.world.path("passphrase")).unwrap();
    let file = open();
    site.init(&format!("--encrypt --passphrase-fd {}", file.as_raw_fd())).unwrap();
    assert!(site.world.read("orchestrator-ca.key").starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    assert_eq!(site.init("").unwrap().stage().id(), "already", "nobody is asked when nothing is signed");
    failed(site.init("--host other.example.org"), "no-terminal");
    site.world.write("wrong", "battery\n");
    let wrong = fs::File::open(site.world.path("wrong")).unwrap();
    failed(site.init(&format!("--host other.example.org --passphrase-fd {}", wrong.as_raw_fd())), "ca-key");
    let file = open();
    let renewed = site.init(&format!("--host other.example.org --passphrase-fd {}", file.as_raw_fd())).unwrap();
    assert_eq!(renewed.stage().id(), "renewed");
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
    assert_eq!(site.init("--secret federation-ca").unwrap().stage().id(), "already");
    failed(site.init("--secret other"), "ca-elsewhere");
    site.orc.create(&Object::secret("half", "Opaque", &[], &[("tls.crt", b"x")])).unwrap();
    failed(site.init("--secret half"), "ca-secret");
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
    assert!(failure.next.contains("kubectl -n orchestrator delete secret orchestrator-tls-server-pair"), "{failure}");
    assert_eq!((site.pair(), site.world.path("orchestrator-ca.key").exists()), (pair, false));
    site.orc.remove_object(&ObjectRef::secret("orchestrator-tls-server-pair"));
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

#[test]
fn the_ca_s_key_does_not_go_where_pods_see_it() {
    let site = Site::new();
    for name in ["orchestrator-tls-cacert", "orchestrator-tls-server-pair"] {
        failed(site.init(&format!("--secret {name}")), "ca-secret-name");
    }
    assert!(site.orc.writes().is_empty());
}

#[test]
fn turning_tls_on_is_asked_about_with_what_it_does() {
    let site = Site::new();
    let before = site.world.snapshot();
    let console = Console { yes: false, ..Console::silent() };
    let line = "ca init -f @orchestrator-values.yaml --release orchestrator --out-dir @";
    let failure = failed(site.with(&site.orc, console, line), "no-terminal");
    assert!(failure.next.contains("(every backend that still uses plain text is cut off)"), "{failure}");
    assert!(site.world.snapshot() == before && site.orc.writes().is_empty());
}

#[test]
fn an_object_that_is_left_over_in_the_other_kind_vouches_for_no_ca() {
    let site = Site::new();
    site.init("").unwrap();
    let (key, pem) = substra_mtls::pki::authority::create_root(KeyType::EcdsaP256, site.now).unwrap();
    site.world.write("orchestrator-ca.crt", &pem);
    site.world.write("orchestrator-ca.key", &key.to_pem());
    site.orc.create(&Object::config_map("orchestrator-tls-cacert", &[], &[("ca.crt", &pem)])).unwrap();
    let writes = site.changes(|| drop(failed(site.init(""), "ca-not-the-clusters")));
    assert!(writes.is_empty(), "{writes:?}");
}
