//! `ca trust`: another CA for an organization, and the CAs of a backend.

use substra_mtls::{
    pki::authority::{create_root, root_for},
    substra::servers::{BackendClient, PemPair},
};

use super::*;

const CLOSED: &str = "\
orchestrator:
  verifyClientMSPID: true
  tls:
    enabled: true
    cacert: orchestrator-tls-cacert
    secrets:
      pair: orchestrator-tls-server-pair
    mtls:
      enabled: true
      clientCACerts:
        MyOrg1MSP:
          - orchestrator-tls-cacert
";

/// The orchestrator with TLS by `ca init`, and the CA of an organization in `org-ca.crt`.
pub(super) fn with_another_ca(version: &str) -> Site {
    let site = Site::of(version, PLAIN);
    site.init("").unwrap();
    let (key, pem) = create_root(KeyType::EcdsaP256, site.now).unwrap();
    site.world.write("org-ca.crt", &pem);
    site.world.write("org-ca.key", &key.to_pem());
    site
}

impl Site {
    pub(super) fn trust(&self, more: &str) -> Result<Outcome> {
        self.run(&format!("ca trust -f @orchestrator-values.yaml --release orchestrator --yes {more}"))
    }

    pub(super) fn backend(&self, more: &str) -> Result<Outcome> {
        let line = format!("ca trust --backend -f @backend-values.yaml --release backend --yes {more}");
        self.at(&self.orc.in_namespace("org-1"), &line)
    }

    pub(super) fn fingerprint(&self, name: &str) -> String {
        certificates(self.world.read(name).as_bytes()).unwrap()[0].fingerprint().to_string()
    }

    /// What the orchestrator answers to a client with a certificate of a CA.
    fn answer_to(&self, org: &str, ca: &str, ca_key: &str) -> CallOutcome {
        let ca = certificates(self.world.read(ca).as_bytes()).unwrap().remove(0);
        let ca_key = PrivateKey::from_pem(self.world.read(ca_key).as_bytes(), None).unwrap();
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        let recipe = CertificateRecipe {
            v3: true,
            usage: Some(LeafUsage::Client),
            ..CertificateRecipe::walkthrough(org, "api.org-1.example.org")
        };
        let certificate = recipe.sign(key.spki(), &ca, &ca_key, self.now).unwrap().into_bytes();
        let pair = PemPair { certificate, key: key.to_pem().as_bytes().to_vec().into() };
        let trusted = self.world.read("orchestrator-ca.crt").into_bytes();
        let client = BackendClient::new(trusted, Some(pair), org, "orchestrator.example.org");
        self.orc.with_server("orchestrator", |server| call(&client, server, self.now)).unwrap()
    }
}

#[test]
fn while_the_gate_is_open_the_file_alone_changes() {
    let site = with_another_ca("8.8.0");
    let before = site.world.read("orchestrator-values.yaml");
    let writes =
        site.changes(|| assert_eq!(site.trust("@org-ca.crt --for MyOrg1MSP").unwrap().stage().id(), "trusted"));
    assert_eq!(writes, ["create secret/orchestrator-client-ca-my-org1-msp"]);
    assert_eq!(
        diff(&before, &site.world.read("orchestrator-values.yaml")),
        "+    mtls:\n+      clientCACerts:\n+        MyOrg1MSP:\n+          - orchestrator-client-ca-my-org1-msp\n"
    );
    let writes =
        site.changes(|| assert_eq!(site.trust("@org-ca.crt --for MyOrg1MSP").unwrap().stage().id(), "already"));
    assert!(writes.is_empty(), "{writes:?}");
}

#[test]
fn behind_a_closed_gate_both_cas_admit_the_organization_after_one_upgrade() {
    let site = with_another_ca("8.8.0");
    let text = format!("{PLAIN}{CLOSED}");
    site.world.write("orchestrator-values.yaml", &text);
    let chart = ChartVersion { name: "orchestrator".into(), version: "8.8.0".into() };
    site.orc.install("orchestrator", chart, values::read(text.as_bytes()).unwrap()).unwrap();
    assert_ne!(site.answer_to("MyOrg1MSP", "org-ca.crt", "org-ca.key"), CallOutcome::Accepted);
    for fault in [InjectedFault::Before, InjectedFault::After] {
        site.orc.fail_write(1, fault);
        drop(site.trust("@org-ca.crt --for MyOrg1MSP"));
    }
    site.trust("@org-ca.crt --for MyOrg1MSP").unwrap();
    let list =
        "        MyOrg1MSP:\n          - orchestrator-tls-cacert\n          - orchestrator-client-ca-my-org1-msp\n";
    assert!(site.world.read("orchestrator-values.yaml").contains(list), "the federation's CA stays, as the first");
    for (ca, key) in [("org-ca.crt", "org-ca.key"), ("orchestrator-ca.crt", "orchestrator-ca.key")] {
        assert_eq!(site.answer_to("MyOrg1MSP", ca, key), CallOutcome::Accepted, "{ca}");
    }
}

#[test]
fn an_old_chart_gets_a_config_map_under_a_chosen_name() {
    let site = with_another_ca("8.5.0");
    let writes = site.changes(|| drop(site.trust("@org-ca.crt --for MyOrg1MSP --ca-object their-ca").unwrap()));
    assert_eq!(writes, ["create configmap/their-ca"]);
}

#[test]
fn only_one_fit_ca_of_a_member_is_trusted_and_nothing_is_replaced() {
    let mut site = with_another_ca("8.8.0");
    let ca = site.world.read("org-ca.crt");
    site.world.write("bundle.crt", &format!("{ca}{}", site.world.read("ca.crt")));
    let leaf = site.object(&ObjectRef::secret("orchestrator-tls-server-pair")).data("tls.crt").unwrap();
    site.world.write("leaf.crt", std::str::from_utf8(&leaf).unwrap());
    site.world.write("old.crt", &create_root(KeyType::EcdsaP256, site.now - Duration::days(2000)).unwrap().1);
    let script = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=x -days 9 \
        -addext subjectKeyIdentifier=none -addext authorityKeyIdentifier=none -out no-ski.crt 2>/dev/null";
    assert!(Command::new("sh").args(["-c", script]).current_dir(site.world.path("")).status().unwrap().success());
    // openssl's clock is the real one.
    site.now = OffsetDateTime::now_utc();
    let before = (site.world.snapshot(), site.orc.writes().len());
    for (line, code) in [
        ("@bundle.crt --for MyOrg1MSP", "trust-bundle"),
        ("@leaf.crt --for MyOrg1MSP", "authority-not-a-ca"),
        ("@no-ski.crt --for MyOrg1MSP", "authority-no-key-id"),
        ("@old.crt --for MyOrg1MSP", "authority-ends"),
        ("@ca.key --for MyOrg1MSP", "certificate-file-holds-key"),
        ("@org-ca.crt --for MyOrg9MSP", "trust-organization"),
        ("@org-ca.crt --for MyOrg1MSP --ca-object orchestrator-tls-cacert", "object-taken"),
    ] {
        failed(site.trust(line), code);
    }
    failed(
        site.trust(&format!("@org-ca.crt --for MyOrg1MSP --fingerprint {}", site.fingerprint("ca.crt"))),
        "ca-fingerprint",
    );
    assert_eq!((site.world.snapshot(), site.orc.writes().len()), before);
}

/// A backend in plain text, on the simulated cluster of the orchestrator.
pub(super) fn backend(version: &str) -> (Site, String) {
    let site = Site::new();
    let text = BACKEND.replace("  tls:\n    enabled: true\n    cacert: orchestrator-cacert\n", "");
    site.world.write("backend-values.yaml", &text);
    let chart = ChartVersion { name: "substra-backend".into(), version: version.into() };
    site.orc.in_namespace("org-1").install("backend", chart, values::read(text.as_bytes()).unwrap()).unwrap();
    (site, text)
}

#[test]
fn a_backend_s_bundle_is_made_then_extended_and_tls_goes_on_only_when_asked() {
    let (site, text) = backend("26.15.3");
    let first = site.fingerprint("ca.crt");
    let writes = site.changes(|| drop(site.backend(&format!("@ca.crt --fingerprint {first}")).unwrap()));
    assert_eq!(writes, ["create secret/orchestrator-cacert"]);
    assert_eq!(site.world.read("backend-values.yaml"), text, "TLS is not turned on by the way");
    assert_eq!(site.backend("@ca.crt").unwrap().stage().id(), "already", "what is trusted is not asked about again");
    let (_, second) = create_root(KeyType::EcdsaP256, site.now).unwrap();
    site.world.write("second.crt", &second);
    let print = site.fingerprint("second.crt");
    let writes = site.changes(|| drop(site.backend(&format!("@second.crt --fingerprint {print}")).unwrap()));
    assert_eq!(writes, ["replace secret/orchestrator-cacert"]);
    let org = site.orc.in_namespace("org-1");
    let held = org.get(&[ObjectRef::secret("orchestrator-cacert")]).unwrap()[0].data("ca.crt").unwrap();
    assert_eq!(held.as_slice(), format!("{}{second}", site.world.read("ca.crt")).as_bytes());
    let writes = site.changes(|| drop(site.backend("@ca.crt --enable-tls").unwrap()));
    assert_eq!(writes, ["upgrade backend"]);
    let tls = "+  tls:\n+    enabled: true\n+    cacert: orchestrator-cacert\n";
    assert_eq!(diff(&text, &site.world.read("backend-values.yaml")), tls);
    assert_eq!(site.backend("@ca.crt --enable-tls").unwrap().stage().id(), "already");
}

#[test]
fn a_ca_that_was_renewed_with_its_key_takes_the_place_of_the_ended_one() {
    let (site, _) = backend("26.15.3");
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let (_, other) = create_root(KeyType::EcdsaP256, site.now).unwrap();
    let ended = root_for(&key, site.now - time::Duration::days(6 * 366)).unwrap();
    let org = site.orc.in_namespace("org-1");
    let both = format!("# ours\n{ended}{other}");
    org.create(&Object::secret("orchestrator-cacert", "Opaque", &[], &[("ca.crt", both.as_bytes())])).unwrap();
    let renewed = root_for(&key, site.now).unwrap();
    site.world.write("renewed.crt", &renewed);
    let print = site.fingerprint("renewed.crt");
    site.backend(&format!("@renewed.crt --fingerprint {print}")).unwrap();
    let held = org.get(&[ObjectRef::secret("orchestrator-cacert")]).unwrap()[0].data("ca.crt").unwrap();
    assert_eq!(String::from_utf8_lossy(&held), format!("{other}{renewed}"));
}

#[test]
fn a_backend_trusts_nobody_whose_fingerprint_was_not_compared() {
    let (site, _) = backend("25.0.0");
    let org = site.orc.in_namespace("org-1");
    let print = site.fingerprint("ca.crt");
    let hidden = |text: &str| assert!(!text.contains(print.trim_start_matches("SHA256:")), "{text}");
    hidden(&failed(site.backend("@ca.crt"), "ca-fingerprint").to_string());
    let other = format!("--fingerprint {}", "0".repeat(64));
    hidden(&failed(site.backend(&format!("@ca.crt {other}")), "ca-fingerprint").to_string());
    hidden(&failed(site.trust(&format!("@ca.crt --for MyOrg1MSP {other}")), "ca-fingerprint").to_string());
    let no_certificate = failed(site.backend("@backend-values.yaml"), "certificate-file-empty");
    assert!(no_certificate.what.contains("backend-values.yaml: there is no certificate"), "{no_certificate}");
    let planned = site.backend("@ca.crt --dry-run").unwrap();
    assert_eq!(planned.stage().id(), "planned");
    hidden(&planned.json().to_string());
    org.create(&Object::config_map("orchestrator-cacert", &[], &[("ca.crt", "hello")])).unwrap();
    failed(site.backend(&format!("@ca.crt --fingerprint {print}")), "cacert-unreadable");
    org.remove_object(&ObjectRef::config_map("orchestrator-cacert"));
    let writes = site.changes(|| drop(site.backend(&format!("@ca.crt --fingerprint {print}")).unwrap()));
    assert_eq!(writes, ["create configmap/orchestrator-cacert"], "as this chart mounts it");
}
