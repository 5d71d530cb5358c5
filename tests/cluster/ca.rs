//! `ca`: TLS from nothing, its renewal with new pods, killed in between; another CA for an organization.

use std::collections::BTreeSet;

use crate::{
    killed::killed,
    site::{HelmVersion, PLAIN, Ran, Site, chart},
    terminal::at_terminal,
};

/// Each rule is shown with both Helms, from a release without TLS.
macro_rules! from_plain {
    ($($(#[$meta:meta])* fn $name:ident($site:ident) $body:block)*) => {$(
        mod $name {
            use super::*;
            fn story($site: &Site) $body
            #[test]
            fn helm_3() { story(&Site::plain(HelmVersion::V3, "orchestrator")); }
            #[test]
            fn helm_4() { story(&Site::plain(HelmVersion::V4, "orchestrator")); }
        }
    )*};
}

const MERGED: &str = "\norchestrator:\n  tls:\n    enabled: true\n    cacert: orchestrator-tls-cacert\n    secrets:\n      pair: orchestrator-tls-server-pair\n";

fn init_killed(site: &Site, more: &str, at: &str, when: &str) -> Ran {
    let chart = chart("orchestrator");
    let line = format!("ca init -f orchestrator-values.yaml --release orchestrator --chart {chart} --yes {more}");
    killed(site, &site.orc, &line, at, when)
}

/// The serial of the pair in the cluster, and the one that the pods were started for.
fn serials(site: &Site) -> (String, String) {
    let secret = site.object(&site.orc, "secret/orchestrator-tls-server-pair")["data"]["tls.crt"].to_string();
    let serial = site.sh(&format!("echo {secret} | base64 -d | openssl x509 -noout -serial"));
    let server = site.object(&site.orc, "deployment/orchestrator-server");
    let note = server["spec"]["template"]["metadata"]["annotations"]["substra-mtls/server-pair"].clone();
    (serial.trim().trim_start_matches("serial=").to_lowercase(), note.as_str().unwrap_or_default().to_owned())
}

fn pods(site: &Site) -> BTreeSet<String> {
    let text = site.admin(&site.orc, "get pods -o name");
    text.lines().filter(|name| name.contains("orchestrator-server")).map(str::to_owned).collect()
}

/// openssl agrees on what was made.
fn judged_by_openssl(site: &Site, strictly: &str) {
    let data = |object: &str, item: &str| site.object(&site.orc, object)["data"][item].to_string();
    let (ca, pair) =
        (data("secret/orchestrator-tls-cacert", "ca.crt"), data("secret/orchestrator-tls-server-pair", "tls.crt"));
    site.sh(&format!("echo {ca} | base64 -d > live-ca.pem; echo {pair} | base64 -d > live.pem"));
    for purpose in ["sslserver", "sslclient"] {
        site.sh(&format!("openssl verify {strictly} -purpose {purpose} -CAfile live-ca.pem live.pem"));
    }
    site.sh("openssl verify -CAfile live-ca.pem -verify_hostname orchestrator.example.org live.pem");
    site.sh("cmp live-ca.pem orchestrator-ca.crt");
    site.sh(&format!("openssl verify -CAfile live-ca.pem -verify_hostname orchestrator-server.{} live.pem", site.orc));
}

from_plain! {
    fn a_ca_that_stays_offline_sets_tls_up_and_renews_without_its_key_in_the_cluster(site) {
        let offline = |more: &str| site.plugin(&site.orc, &format!("ca init --offline -f orchestrator-values.yaml --release orchestrator --yes {more}"));
        offline("").ok();
        site.sh("mkdir safe; mv orchestrator-ca.key safe/");
        site.ca("init").ok();
        judged_by_openssl(site, "-x509_strict");
        site.sh("cmp live.pem orchestrator-tls-server-pair.crt");
        let state = site.state(&site.orc);
        site.ca("init").ok();
        assert_eq!(site.state(&site.orc), state, "a second run changes nothing");
        site.ca("init --host other.example.org").refused(3, "ca-key-missing");
        site.sh("mv safe/orchestrator-ca.key .");
        offline("--host other.example.org").ok();
        site.sh("mv orchestrator-ca.key safe/");
        let old = pods(site);
        site.ca("init --host other.example.org").ok();
        let (serial, note) = serials(site);
        assert_eq!(serial, note, "the pods are started with the new pair");
        assert!(pods(site).is_disjoint(&old));
        judged_by_openssl(site, "-x509_strict");
        site.sh("openssl verify -CAfile live-ca.pem -verify_hostname other.example.org live.pem");
    }

    fn from_nothing_tls_is_on_and_rolled_out_and_a_second_run_changes_nothing(site) {
        let old = pods(site);
        let ran = site.ca("init").ok();
        assert_eq!(site.sh("stat -c %a orchestrator-ca.key").trim(), "600");
        let text = site.read("orchestrator-values.yaml");
        assert!(text.starts_with(PLAIN.trim_end()) && text.ends_with(&MERGED[1..]), "{text}");
        judged_by_openssl(site, "-x509_strict");
        let server = site.object(&site.orc, "deployment/orchestrator-server");
        assert!(server["spec"]["template"]["spec"]["volumes"].to_string().contains("orchestrator-tls-server-pair"));
        assert_eq!((server["status"]["updatedReplicas"].as_u64(), server["status"]["readyReplicas"].as_u64()), (Some(1), Some(1)));
        assert!(pods(site).is_disjoint(&old), "no old pod is left");
        assert!(ran.fact("back up").contains("orchestrator-ca.key") && ran.stderr.contains("send orchestrator-ca.crt"));

        let before = site.state(&site.orc);
        let again = site.ca("init -v").ok();
        assert_eq!(site.state(&site.orc), before);
        assert_eq!(again.stderr.lines().filter(|line| line.starts_with("+ ")).count(), 3, "{}", again.stderr);
    }

    fn a_renewed_pair_is_loaded_by_new_pods(site) {
        site.ca("init").ok();
        let ((first, note), old, revision) = (serials(site), pods(site), site.helm(&site.orc, "history orchestrator"));
        assert_eq!(note, "", "pods that start with the pair need no restart");
        let ran = site.ca("init --host other.example.org").ok();
        assert!(ran.fact("names").contains("other.example.org"));
        let (second, note) = serials(site);
        assert!(second != first && note == second, "{first} {second} {note}");
        assert!(pods(site).is_disjoint(&old));
        assert_eq!(site.helm(&site.orc, "history orchestrator"), revision, "no upgrade");
        let before = site.state(&site.orc);
        site.ca("init").ok();
        assert_eq!(site.state(&site.orc), before);

        site.helm(&site.orc, &format!("upgrade orchestrator {} -f orchestrator-values.yaml --set orchestrator.verifyClientMSPID=true", chart("orchestrator")));
        assert_eq!(serials(site).1, second, "an upgrade keeps the note");
    }

    fn killed_at_any_write_the_next_run_completes(site) {
        for (at, when) in [
            ("status", "after"), ("template", "after"), ("create", "before"), ("create", "after"), ("create", "after"),
            ("upgrade", "before"), ("upgrade", "after"),
        ] {
            let run = init_killed(site, "", at, when);
            assert_eq!(run.status, -9, "{at} {when}: {}{}", run.stdout, run.stderr);
        }
        let ca = site.read("orchestrator-ca.crt");
        site.ca("init").ok();
        assert_eq!(site.read("orchestrator-ca.crt"), ca);
        judged_by_openssl(site, "-x509_strict");
        let old = pods(site);
        for (at, when) in [("replace", "before"), ("replace", "after"), ("patch", "before")] {
            let run = init_killed(site, "--host other.example.org", at, when);
            assert_eq!(run.status, -9, "{at} {when}: {}{}", run.stdout, run.stderr);
        }
        assert_eq!(pods(site), old, "the pods are older than the pair");
        assert_eq!(init_killed(site, "", "patch", "after").status, -9);
        site.ca("init").ok();
        let (serial, note) = serials(site);
        assert_eq!(serial, note);
        assert!(pods(site).is_disjoint(&old), "the restart was not forgotten, and is awaited");
        let before = site.state(&site.orc);
        site.ca("init").ok();
        assert_eq!(site.state(&site.orc), before);
    }

    fn the_ca_may_live_in_a_secret(site) {
        site.ca("init --secret federation-ca").ok();
        assert_eq!(site.object(&site.orc, "secret/federation-ca")["type"], "kubernetes.io/tls");
        assert!(!site.path("orchestrator-ca.key").exists());
        let before = site.state(&site.orc);
        site.ca("init --secret federation-ca").ok();
        assert_eq!(site.state(&site.orc), before);
    }
}

both! {
    fn the_walkthrough_s_ca_is_taken_over_and_its_pair_gets_the_service_s_names(site) {
        site.sh("cp ca.crt orchestrator-ca.crt; cp -p ca.key orchestrator-ca.key");
        let (ca, old) = (site.read("ca.crt"), pods(site));
        let ran = site.ca("init").ok();
        assert_eq!(ran.fact("ca"), "CN=Orchestrator Root CA");
        assert!(ran.stderr.contains("cut to the CA's end"), "{}", ran.stderr);
        assert_eq!(site.read("orchestrator-ca.crt"), ca);
        // The walkthrough's root has no keyUsage at all under some of OpenSSL's own settings.
        judged_by_openssl(site, "");
        let (serial, note) = serials(site);
        assert!(serial == note && pods(site).is_disjoint(&old));
        let before = site.state(&site.orc);
        site.ca("init").ok();
        assert_eq!(site.state(&site.orc), before);
    }
}

#[test]
fn an_old_chart_gets_its_ca_as_a_config_map() {
    let site = Site::plain(HelmVersion::V3, "orchestrator-old");
    let chart = chart("orchestrator-old");
    let line = format!("ca init -f orchestrator-values.yaml --release orchestrator --chart {chart} --yes");
    site.plugin(&site.orc, &line).ok();
    assert_eq!(
        site.object(&site.orc, "configmap/orchestrator-tls-cacert")["data"]["ca.crt"],
        site.read("orchestrator-ca.crt")
    );
    let server = site.object(&site.orc, "deployment/orchestrator-server");
    assert_eq!(server["status"]["readyReplicas"], 1);
}

/// Another CA, and a client of it that the pods' mounts must have.
fn another_ca(site: &Site) {
    site.sh("openssl req -x509 -newkey rsa:2048 -nodes -keyout org-ca.key -subj /CN=OrgCA -days 365 -out org-ca.crt 2>/dev/null");
}

/// The fingerprint as openssl sees it.
fn print_of(site: &Site) -> String {
    let digest =
        "openssl x509 -in org-ca.crt -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -r";
    format!("SHA256:{}", site.sh(digest).split_whitespace().next().unwrap())
}

fn trust(site: &Site, orchestrator: &str) -> Ran {
    let line = "ca trust org-ca.crt --for MyOrg1MSP -f orchestrator-values.yaml --release orchestrator --yes";
    site.plugin(&site.orc, &format!("{line} --chart {}", chart(orchestrator)))
}

both! {
    fn another_ca_of_an_organization_is_mounted_beside_the_federation_s(site) {
        another_ca(site);
        site.enrolled();
        site.gate("close", "--installed MyOrg1MSP").ok();
        let ran = trust(site, "orchestrator").ok();
        assert!(ran.stderr.contains("can act as every organization of the federation"), "{}", ran.stderr);
        let server = site.object(&site.orc, "deployment/orchestrator-server");
        let volumes = server["spec"]["template"]["spec"]["volumes"].to_string();
        assert!(volumes.contains("orchestrator-client-ca-my-org1-msp") && volumes.contains("orchestrator-tls-cacert"), "{volumes}");
        assert_eq!(server["status"]["readyReplicas"], 1);
        let before = site.state(&site.orc);
        trust(site, "orchestrator").ok();
        assert_eq!(site.state(&site.orc), before);
        let shown = site.plugin(&site.orc, "ca show -f orchestrator-values.yaml --release orchestrator --ca-cert ca.crt").ok();
        for word in ["secret/orchestrator-client-ca-my-org1-msp  clients of MyOrg1MSP", "CN=OrgCA", "of 1 certificates in the issue log 1 are alive"] {
            assert!(shown.stdout.contains(word), "{word}: {}", shown.stdout);
        }
    }

    fn a_backend_s_bundle_is_extended_with_the_rights_that_it_has(site) {
        another_ca(site);
        let print = print_of(site);
        let line = format!("ca trust org-ca.crt --backend -f backend-values.yaml --release backend --chart {} --yes", chart("substra-backend"));
        site.plugin(&site.org, &line).refused(5, "ca-fingerprint");
        site.plugin(&site.org, &format!("{line} --fingerprint {print}")).ok();
        let before = site.state(&site.org);
        site.plugin(&site.org, &format!("{line} --enable-tls")).ok();
        assert_eq!(site.state(&site.org), before);
        let shown = site.plugin(&site.org, "ca show -f backend-values.yaml --release backend").ok();
        assert!(shown.stdout.contains("CN=Orchestrator Root CA") && shown.stdout.contains("CN=OrgCA"), "{}", shown.stdout);
    }
}

#[test]
fn old_charts_get_another_ca_as_a_config_map() {
    let site = Site::with_charts(HelmVersion::V4, "substra-backend-old", "orchestrator-old");
    another_ca(&site);
    trust(&site, "orchestrator-old").ok();
    let object = site.object(&site.orc, "configmap/orchestrator-client-ca-my-org1-msp");
    assert_eq!(object["data"]["ca.crt"], site.read("org-ca.crt"));
    site.write("both.crt", &format!("{}{}", site.read("ca.crt"), site.read("org-ca.crt")));
    let line = "ca trust org-ca.crt --backend -f backend-values.yaml --release backend --yes";
    site.plugin(&site.org, &format!("{line} --fingerprint {}", print_of(&site))).ok();
    let object = site.object(&site.org, "configmap/orchestrator-cacert");
    assert_eq!(object["data"]["ca.crt"], site.read("both.crt"), "extended with the rights of the role");
}

const FIRST: &str = "New passphrase of the CA's key:";
const AGAIN: &str = "The same again:";
const GROUPS: &str = "read out to you (8 groups):";

#[test]
fn a_passphrase_is_typed_twice_and_consent_is_asked_at_a_terminal() {
    let site = Site::plain(HelmVersion::V4, "orchestrator");
    let line = format!(
        "ca init --encrypt -f orchestrator-values.yaml --release orchestrator --chart {}",
        chart("orchestrator")
    );
    let (screen, status) =
        at_terminal(&site, "dumb", &site.orc, &line, &[(FIRST, "correct horse"), (AGAIN, "correct hrose")]);
    assert!(status == 5 && screen.contains("[passphrase-differs]"), "{status} {screen}");
    assert!(!site.path("orchestrator-ca.key").exists());
    let (screen, status) = at_terminal(
        &site,
        "dumb",
        &site.orc,
        &line,
        &[(FIRST, "correct horse"), (AGAIN, "correct horse"), ("[y/N]", "y")],
    );
    assert_eq!(status, 0, "{screen}");
    assert!(screen.contains("(every backend that still uses plain text is cut off)? [y/N]"), "{screen}");
    assert!(!screen.contains("correct horse"), "{screen}");
    site.sh("openssl pkey -in orchestrator-ca.key -passin 'pass:correct horse' -pubout -out key.pub; openssl x509 -in orchestrator-ca.crt -pubkey -noout | cmp - key.pub");
}

#[test]
fn the_fingerprint_of_a_backend_s_ca_is_typed_at_a_terminal() {
    let site = Site::new(HelmVersion::V3);
    another_ca(&site);
    let line = "ca trust org-ca.crt --backend -f backend-values.yaml --release backend";
    let (screen, status) = at_terminal(&site, "dumb", &site.org, line, &[(GROUPS, "no fingerprint"); 3]);
    assert!(status == 5 && screen.contains("[fingerprint]"), "{status} {screen}");
    assert_eq!(screen.matches(GROUPS).count(), 3, "{screen}");
    let (screen, status) = at_terminal(&site, "dumb", &site.org, line, &[(GROUPS, &"0".repeat(64))]);
    assert!(status == 5 && screen.contains("[ca-fingerprint]"), "{status} {screen}");
    let (screen, status) = at_terminal(&site, "dumb", &site.org, line, &[(GROUPS, &print_of(&site)), ("[y/N]", "y")]);
    assert!(status == 0 && screen.contains("Trust CN=OrgCA for the orchestrator?"), "{status} {screen}");
}
