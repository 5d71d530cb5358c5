//! The exchange of one organization, its renewal, and runs that find everything done.

use crate::site::{BACKEND, HelmVersion, ORCHESTRATOR, Site, chart};

/// What an enrolment adds to the values file.
const MERGED: &str = "    cacert: orchestrator-cacert\n    mtls:\n      enabled: true\n      clientCertificate: orchestrator-client-cert\n";

fn installed(site: &Site) {
    let pair = site.object(&site.org, "secret/orchestrator-client-cert");
    assert_eq!(pair["type"], "kubernetes.io/tls");
    assert_eq!(pair["metadata"]["labels"]["substra-mtls/msp-id"], "MyOrg1MSP");
    assert!(site.object(&site.org, "secret/orchestrator-client-cert-pending").is_null());
    assert_eq!(site.read("backend-values.yaml"), BACKEND.replace("    cacert: orchestrator-cacert\n", MERGED));
    let server = site.object(&site.org, "deployment/backend-substra-backend-server");
    assert!(server["spec"]["template"]["spec"]["volumes"].to_string().contains("orchestrator-client-cert"));
    assert_eq!(server["status"]["updatedReplicas"], 1);
}

fn serial(site: &Site) -> String {
    let text = site.object(&site.org, "secret/orchestrator-client-cert")["data"]["tls.crt"].to_string();
    let script = format!("echo {text} | base64 -d | openssl x509 -noout -serial");
    site.sh(&script)
}

both! {
    fn ecdsa_with_the_ca_from_files_then_a_renewal_without_upgrade(site) {
        let requested = site.enroll("").ok();
        assert!(requested.stderr.contains("read the fingerprint out to them by phone"));
        let claim = format!("--ca-cert ca.crt --ca-key ca.key --fingerprint MyOrg1MSP={}", requested.fact("fingerprint"));
        site.approve(&claim).ok();
        assert!(site.read("orchestrator-values.yaml").starts_with(ORCHESTRATOR), "the file keeps all that it had");
        let done = site.enroll("--certificate MyOrg1MSP.crt").ok();
        assert!(done.stderr.contains("tell the orchestrator's operator: \"MyOrg1MSP is installed, serial"));
        installed(site);

        let (org, orc) = (site.state(&site.org), site.state(&site.orc));
        for line in ["", "--certificate MyOrg1MSP.crt"] {
            assert!(site.enroll(line).ok().stderr.contains("already  "));
        }
        site.approve(&claim).ok();
        assert_eq!((site.state(&site.org), site.state(&site.orc)), (org, orc), "second runs change nothing");

        let (old, revision) = (serial(site), site.helm(&site.org, "history backend"));
        let requested = site.enroll("--renew").ok();
        assert_eq!(serial(site), old, "the old pair stays live");
        site.approve(&format!("--ca-cert ca.crt --ca-key ca.key --fingerprint MyOrg1MSP={}", requested.fact("fingerprint"))).ok();
        site.enroll("--certificate MyOrg1MSP.crt").ok();
        assert_ne!(serial(site), old);
        assert_eq!(site.helm(&site.org, "history backend"), revision, "no upgrade");
        installed(site);
    }

    fn rsa_with_the_ca_in_a_secret(site) {
        site.admin(&site.orc, "create secret tls federation-ca --cert=ca.crt --key=ca.key");
        let requested = site.enroll("--key-type rsa-2048").ok();
        let claim = format!("--ca-secret federation-ca --fingerprint MyOrg1MSP={}", requested.fact("fingerprint"));
        site.approve(&claim).ok();
        let certificate = site.read("MyOrg1MSP.crt");
        let logs = site.admin(&site.orc, "get configmaps -l substra-mtls/issue-log=federation-ca -o name");
        assert_eq!(logs.lines().count(), 1, "one ConfigMap a request");
        std::fs::remove_file(site.path("MyOrg1MSP.crt")).unwrap();
        site.approve(&claim).ok();
        assert_eq!(site.read("MyOrg1MSP.crt"), certificate, "the log gives the same bytes again");
        site.enroll("--certificate MyOrg1MSP.crt").ok();
        installed(site);
    }

    fn with_a_key_file_the_second_run_names_it_again(site) {
        site.plugin(&site.org, "enroll -f backend-values.yaml --key-file MyOrg1MSP.key").ok();
        site.approve("--ca-cert ca.crt --ca-key ca.key --unverified-mail").ok();
        site.enroll("--certificate MyOrg1MSP.crt").refused(3, "no-request");
        site.enroll("--certificate MyOrg1MSP.crt --key-file MyOrg1MSP.key").ok();
        installed(site);
    }

    fn a_new_request_keeps_the_old_key_until_the_new_certificate_is_in(site) {
        site.approved();
        let old = site.read("MyOrg1MSP.crt");
        let first = site.enroll("").ok().fact("fingerprint");
        assert_ne!(site.enroll("--new-request").ok().fact("fingerprint"), first);
        site.write("old.crt", &old);
        site.enroll("--certificate old.crt").ok();
        assert_eq!(site.object(&site.org, "secret/orchestrator-client-cert")["type"], "kubernetes.io/tls");
        let pending = site.object(&site.org, "secret/orchestrator-client-cert-pending");
        assert!(!pending.is_null(), "the newer request is still on its way");
    }

    fn without_upgrade_files_and_secrets_are_written_and_the_values_told(site) {
        site.approved();
        let revision = site.helm(&site.org, "history backend");
        let ran = site.enroll("--certificate MyOrg1MSP.crt --no-upgrade").ok();
        assert!(ran.stderr.contains("let your sync apply these values:"), "{}", ran.stderr);
        assert_eq!(site.helm(&site.org, "history backend"), revision);
        assert!(site.read("backend-values.yaml").contains(MERGED));
    }

    fn a_dry_run_shows_the_plan_and_writes_nothing(site) {
        site.approved();
        let before = (site.state(&site.org), site.state(&site.orc));
        let ran = site.enroll("--certificate MyOrg1MSP.crt --dry-run").ok();
        for shown in ["  to do    helm upgrade backend", "+      clientCertificate: orchestrator-client-cert", "will restart: deployment/backend-substra-backend-server"] {
            assert!(ran.stderr.contains(shown), "{shown}: {}", ran.stderr);
        }
        site.gate("close", "--cut-off MyOrg1MSP --dry-run").ok();
        assert_eq!((site.state(&site.org), site.state(&site.orc)), before);
    }

    fn a_run_that_changes_nothing_starts_three_children(site) {
        site.enrolled();
        site.gate("close", "--installed MyOrg1MSP").ok();
        let children = |ran: crate::site::Ran| ran.ok().stderr.lines().filter(|line| line.starts_with("+ ")).count();
        assert_eq!(children(site.enroll("-v")), 3);
        assert_eq!(children(site.enroll("-v --certificate MyOrg1MSP.crt")), 3);
        assert_eq!(children(site.gate("close", "-v")), 3);
    }

    fn two_people_at_once_get_one_request(site) {
        let (one, two) = std::thread::scope(|scope| {
            let two = scope.spawn(|| site.enroll("--out-dir ."));
            (site.enroll(""), two.join().unwrap())
        });
        for ran in [one, two] {
            assert!(ran.status == 0 || ran.stderr.contains("[exists]"), "{}", ran.stderr);
        }
        let fingerprint = site.enroll("").ok().fact("fingerprint");
        assert_eq!(site.enroll("").ok().fact("fingerprint"), fingerprint);
    }
}

#[test]
fn old_charts_mount_config_maps() {
    let site = Site::with_charts(HelmVersion::V3, "substra-backend-old", "orchestrator-old");
    let backend =
        format!("enroll -f backend-values.yaml --release backend --chart {} --yes", chart("substra-backend-old"));
    let fingerprint = site.plugin(&site.org, &backend).ok().fact("fingerprint");
    let orchestrator =
        format!("-f orchestrator-values.yaml --release orchestrator --chart {} --yes", chart("orchestrator-old"));
    let approve = format!(
        "approve MyOrg1MSP.csr {orchestrator} --ca-cert ca.crt --ca-key ca.key --fingerprint MyOrg1MSP={fingerprint}"
    );
    site.plugin(&site.orc, &approve).ok();
    site.plugin(&site.org, &format!("{backend} --certificate MyOrg1MSP.crt")).ok();
    site.plugin(&site.orc, &format!("gate close {orchestrator} --installed MyOrg1MSP")).ok();
    installed(&site);
}
