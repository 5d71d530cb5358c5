//! Umbrella charts, and releases that something else than this tool deploys: `--values-key` and `--no-upgrade`.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::site::{BACKEND, HelmVersion, ORCHESTRATOR, Ran, Site, bed, chart};

/// What an enrolment adds below the key.
const MERGED: &str = "      cacert: orchestrator-cacert\n      mtls:\n        enabled: true\n        clientCertificate: orchestrator-client-cert\n";

/// The values of a chart as those of an umbrella's part, beside its neighbours.
pub(crate) fn below(key: &str, values: &str, rest: &str) -> String {
    let lines = values.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") });
    format!("# the platform of the hospital\n{rest}{key}:\n{}", lines.collect::<String>())
}

/// Two namespaces, the objects of the walkthrough's TLS, and the umbrella chart with its dependencies in the folder.
fn platform(helm: HelmVersion) -> Site {
    let site = Site::empty(helm);
    prepared(&site, "secret generic");
    site.sh(&format!("cp -r {0}/platform {0}/substra-backend {0}/orchestrator .", bed("CHARTS")));
    site.helm(&site.org, "dependency update platform");
    site.write("backend-values.yaml", &below("backend", BACKEND, "orchestrator:\n  enabled: false\nmotd: welcome\n"));
    site.write("orchestrator-values.yaml", &below("orchestrator", ORCHESTRATOR, "backend:\n  enabled: false\n"));
    site
}

/// The objects of the walkthrough's TLS, the backend's CA in the kind of its chart.
pub(crate) fn prepared(site: &Site, kind: &str) {
    site.authority();
    site.admin(&site.org, &format!("create {kind} orchestrator-cacert --from-file=ca.crt=ca.crt"));
    site.admin(&site.orc, "create secret generic orchestrator-tls-cacert --from-file=ca.crt=ca.crt");
    site.admin(&site.orc, "create secret tls orchestrator-tls-server-pair --cert=server.crt --key=server.key");
}

trait HalfWay {
    /// `check` sees that the sync is not through.
    fn refused_with_half_way(self);
}

impl HalfWay for Ran {
    #[track_caller]
    fn refused_with_half_way(self) {
        assert!(self.status == 3 && self.stdout.contains("half-way"), "{} {}{}", self.status, self.stdout, self.stderr);
    }
}

fn org(site: &Site, line: &str) -> Ran {
    site.plugin(&site.org, line)
}

fn orc(site: &Site, line: &str) -> Ran {
    site.plugin(&site.orc, line)
}

/// What Argo CD does: `helm template`, and the manifests applied.
pub(crate) fn sync(site: &Site, namespace: &str, line: &str) {
    let rendered = site.helm(namespace, &format!("template {line}"));
    let mut apply = Command::new(format!("{}/kubectl", bed("BIN")));
    apply.args([
        &format!("--kubeconfig={}", bed("KUBECONFIG")),
        "apply",
        "-f",
        "-",
        &format!("--namespace={namespace}"),
    ]);
    let mut child = apply.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), rendered.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{rendered}");
}

fn volumes(site: &Site, namespace: &str, deployment: &str) -> String {
    let object: Value = site.object(namespace, &format!("deployment/{deployment}"));
    assert!(!object.is_null(), "there is no {deployment}");
    object["spec"]["template"]["spec"]["volumes"].to_string()
}

pub(crate) fn rolled_out(site: &Site, namespace: &str) {
    let kinds = site.admin(namespace, "get deployments,statefulsets -o name");
    for name in kinds.lines() {
        site.admin(namespace, &format!("rollout status {name} --timeout=60s"));
    }
}

/// Request, approval, installation and gate, each with these words; the certificate's fingerprint is read out.
fn exchange(site: &Site, backend: &str, orchestrator: &str) -> [Ran; 3] {
    let fingerprint = org(site, &format!("enroll {backend}")).ok().fact("fingerprint");
    let claim = format!("--ca-cert ca.crt --ca-key ca.key --fingerprint MyOrg1MSP={fingerprint}");
    let approved = orc(site, &format!("approve MyOrg1MSP.csr {orchestrator} {claim}")).ok();
    let installed = org(site, &format!("enroll {backend} --certificate MyOrg1MSP.crt")).ok();
    let closed = orc(site, &format!("gate close {orchestrator} --installed MyOrg1MSP --ca-cert ca.crt")).ok();
    [approved, installed, closed]
}

both_helms! {
    fn an_umbrella_chart_is_upgraded_with_the_settings_below_the_key(helm) {
        let site = platform(helm);
        site.helm(&site.org, "install platform ./platform -f backend-values.yaml");
        site.helm(&site.orc, "install platform ./platform -f orchestrator-values.yaml");
        let before = site.state(&site.org);
        org(&site, "enroll -f backend-values.yaml --yes").refused(3, "values-key");
        org(&site, "enroll -f backend-values.yaml --values-key other --release platform --yes").refused(3, "msp-id");
        site.write("wrong.yaml", "other:\n  orchestrator: {mspID: MyOrg1MSP}\n  server: {ingress: {hostname: a.example.org}}\n");
        org(&site, "enroll -f wrong.yaml --values-key other --yes").refused(3, "values-key");
        site.sh("rm wrong.yaml");
        assert_eq!(site.state(&site.org), before);

        // Without --release: it is the only one of the namespace.
        let chart = "--chart ./platform --yes";
        let [_, installed, _] = exchange(
            &site,
            &format!("-f backend-values.yaml --values-key backend {chart}"),
            &format!("-f orchestrator-values.yaml --values-key orchestrator --release platform {chart}"),
        );
        assert!(installed.stderr.contains("helm upgrade platform ./platform --version 1.2.0"), "{}", installed.stderr);
        assert!(site.read("backend-values.yaml").contains(MERGED), "{}", site.read("backend-values.yaml"));
        let orchestrator = site.read("orchestrator-values.yaml");
        assert!(orchestrator.contains("        clientCACerts:\n          MyOrg1MSP:\n            - orchestrator-tls-cacert\n"), "{orchestrator}");
        assert!(orchestrator.contains("    verifyClientMSPID: true\n"), "{orchestrator}");
        assert!(volumes(&site, &site.org, "platform-backend-server").contains("orchestrator-client-cert"));
        assert!(volumes(&site, &site.orc, "platform-orchestrator-server").contains("client-cacert-my-org1-msp"));

        let before = (site.state(&site.org), site.state(&site.orc));
        let again = org(&site, "enroll -f backend-values.yaml --values-key backend --chart ./platform -v --yes").ok();
        assert_eq!(again.stderr.lines().filter(|line| line.starts_with("+ ")).count(), 3);
        let checked = org(&site, "check -f backend-values.yaml --values-key backend").ok();
        assert!(checked.stdout.contains("MyOrg1MSP"), "{}", checked.stdout);
        orc(&site, "check -f orchestrator-values.yaml --values-key orchestrator --ca-cert ca.crt").ok();
        let shown = orc(&site, "ca show -f orchestrator-values.yaml --values-key orchestrator --ca-cert ca.crt").ok();
        assert!(shown.stdout.contains("orchestrator-tls-cacert"), "{}", shown.stdout);
        assert_eq!((site.state(&site.org), site.state(&site.orc)), before);

        // What else the umbrella's files say is not ours to deploy.
        site.sh("sed -i 's/motd: welcome/motd: changed/' backend-values.yaml");
        let drift = org(&site, "enroll -f backend-values.yaml --values-key backend --chart ./platform --yes").refused(3, "drift");
        assert!(drift.stderr.contains("motd: differs"), "{}", drift.stderr);
    }

    fn the_ca_is_set_up_below_the_key_with_the_names_that_the_alias_makes(helm) {
        let site = platform(helm);
        site.admin(&site.orc, "delete secret orchestrator-tls-cacert orchestrator-tls-server-pair");
        let plain = crate::site::PLAIN.replace("ingress:\n  hostname: orchestrator.example.org\n", "");
        site.sh("sed -i 's/name: orchestrator$/&\\n    alias: hub/; s/orchestrator.enabled/hub.enabled/' platform/Chart.yaml");
        site.helm(&site.orc, "dependency update platform");
        site.write("orchestrator-values.yaml", &below("hub", &plain, "backend:\n  enabled: false\n"));
        site.helm(&site.orc, "install platform ./platform -f orchestrator-values.yaml");
        let made = orc(&site, "ca init -f orchestrator-values.yaml --values-key hub --chart ./platform --yes").ok();
        assert!(made.fact("names").contains(&format!("platform-hub-server.{}.svc.cluster.local", site.orc)), "{}", made.stdout);
        assert!(volumes(&site, &site.orc, "platform-hub-server").contains("orchestrator-tls-cacert"));
        let values = site.read("orchestrator-values.yaml");
        assert!(values.contains("  orchestrator:\n    tls:\n      enabled: true\n"), "{values}");
        site.sh("openssl req -x509 -newkey rsa:2048 -nodes -keyout their.key -subj /CN=TheirCA -days 365 -out their.crt 2>/dev/null");
        orc(&site, "ca trust their.crt --for MyOrg1MSP -f orchestrator-values.yaml --values-key hub --chart ./platform --yes").ok();
        assert!(site.read("orchestrator-values.yaml").contains("          MyOrg1MSP:\n            - orchestrator-client-ca-my-org1-msp\n"));
    }

    fn a_part_that_is_turned_off_is_not_enrolled(helm) {
        let site = platform(helm);
        site.sh("sed -i 's/^backend:/&\\n  enabled: false/' backend-values.yaml");
        site.helm(&site.org, "install platform ./platform -f backend-values.yaml");
        let before = site.state(&site.org);
        let ran = org(&site, "enroll -f backend-values.yaml --values-key backend --yes").refused(3, "values-key");
        assert!(ran.stderr.contains("condition"), "{}", ran.stderr);
        assert_eq!(site.state(&site.org), before);
    }

    fn a_sync_that_has_not_brought_tls_yet_is_seen(helm) {
        let site = Site::empty(helm);
        prepared(&site, "secret generic");
        let plain = BACKEND.replace("enabled: true", "enabled: false");
        site.write("backend-values.yaml", &plain);
        let line = format!("backend {} -f backend-values.yaml --no-hooks", chart("substra-backend"));
        sync(&site, &site.org, &line);
        rolled_out(&site, &site.org);
        org(&site, "ca trust ca.crt --backend --enable-tls --no-upgrade -f backend-values.yaml --yes").ok();
        assert_ne!(site.read("backend-values.yaml"), plain);
        org(&site, "check -f backend-values.yaml --fail-on warning --only half-way").refused_with_half_way();
        site.admin(&site.org, "delete jobs --all");
        sync(&site, &site.org, &line);
        rolled_out(&site, &site.org);
        org(&site, "check -f backend-values.yaml --fail-on warning --only half-way").ok();
    }

    fn what_argo_cd_renders_is_enrolled_and_closed_without_a_release(helm) {
        let site = Site::empty(helm);
        prepared(&site, "secret generic");
        let synced = |namespace: &str, name: &str, chart: &str| {
            site.admin(namespace, "delete jobs --all");
            sync(&site, namespace, &format!("{name} {chart} -f {name}-values.yaml --no-hooks"));
            rolled_out(&site, namespace);
        };
        let (backend, orchestrator) = (chart("substra-backend"), chart("orchestrator"));
        synced(&site.org, "backend", &backend);
        synced(&site.orc, "orchestrator", &orchestrator);

        let ran = org(&site, "enroll -f backend-values.yaml --yes").refused(3, "which-release");
        assert!(ran.stderr.contains("add --no-upgrade"), "{}", ran.stderr);
        let [approved, installed, closed] = {
            let fingerprint = org(&site, "enroll -f backend-values.yaml --no-upgrade --yes").ok().fact("fingerprint");
            let claim = format!("--ca-cert ca.crt --ca-key ca.key --fingerprint MyOrg1MSP={fingerprint}");
            let orc_words = "-f orchestrator-values.yaml --no-upgrade --yes";
            let approved = orc(&site, &format!("approve MyOrg1MSP.csr {orc_words} {claim}")).ok();
            let enroll = format!("enroll -f backend-values.yaml --no-upgrade --yes --chart {backend} --certificate MyOrg1MSP.crt");
            let installed = org(&site, &enroll).ok();
            assert!(!volumes(&site, &site.org, "backend-substra-backend-server").contains("client-cert"), "nothing is synced yet");
            org(&site, "check -f backend-values.yaml --release backend --fail-on warning").refused_with_half_way();
            synced(&site.org, "backend", &backend);
            org(&site, "check -f backend-values.yaml --release backend --fail-on warning").ok();
            let closed = orc(&site, &format!("gate close {orc_words} --installed MyOrg1MSP --ca-cert ca.crt")).ok();
            [approved, installed, closed]
        };
        assert!(approved.stderr.contains("next: commit orchestrator-values.yaml"), "{}", approved.stderr);
        for told in [
            "will restart: deployment/backend-substra-backend-server",
            "next: commit backend-values.yaml; never a key",
            r#"next: let your sync apply these values: {"orchestrator":{"tls":{"cacert":"orchestrator-cacert","enabled":true,"mtls":{"clientCertificate":"orchestrator-client-cert","enabled":true}}}}"#,
            "argocd app sync APP",
            &format!("check -n {} -f backend-values.yaml --release backend --fail-on warning", site.org),
            "tell the orchestrator's operator",
        ] {
            assert!(installed.stderr.contains(told), "{told}: {}", installed.stderr);
        }
        assert!(volumes(&site, &site.org, "backend-substra-backend-server").contains("orchestrator-client-cert"));
        assert!(closed.stderr.contains("next: commit orchestrator-values.yaml"), "{}", closed.stderr);
        orc(&site, "check -f orchestrator-values.yaml --fail-on warning --only half-way").refused_with_half_way();
        synced(&site.orc, "orchestrator", &orchestrator);
        assert!(volumes(&site, &site.orc, "orchestrator-server").contains("client-cacert-my-org1-msp"));
        let checked = orc(&site, "check -f orchestrator-values.yaml --ca-cert ca.crt");
        assert!(checked.stdout.contains("MyOrg1MSP") && checked.status == 0, "{}{}", checked.stdout, checked.stderr);
        orc(&site, "ca show -f orchestrator-values.yaml --ca-cert ca.crt").ok();

        let before = (site.state(&site.org), site.state(&site.orc));
        org(&site, "enroll -f backend-values.yaml --no-upgrade --yes").ok();
        orc(&site, "gate close -f orchestrator-values.yaml --no-upgrade --yes --installed MyOrg1MSP --ca-cert ca.crt").ok();
        assert_eq!((site.state(&site.org), site.state(&site.orc)), before);
        assert_eq!(site.helm(&site.org, "list -q"), "", "there never was a release");
    }

    fn before_the_first_sync_the_chart_says_what_will_be_mounted(helm) {
        let site = Site::empty(helm);
        prepared(&site, "configmap");
        let words = "enroll -f backend-values.yaml --no-upgrade --yes --release backend";
        let ran = org(&site, words).refused(3, "no-release");
        assert!(ran.stderr.contains("--chart"), "{}", ran.stderr);
        org(&site, &format!("{words} --chart {}", chart("orchestrator"))).refused(3, "chart");
        let old = chart("substra-backend-old");
        let fingerprint = org(&site, &format!("{words} --chart {old}")).ok().fact("fingerprint");
        site.sh("openssl req -in MyOrg1MSP.csr -noout -subject | grep -q MyOrg1MSP");
        // The orchestrator is Helm's own here; only the backend is synced.
        site.helm(&site.orc, &format!("install orchestrator {} -f orchestrator-values.yaml", chart("orchestrator")));
        site.approve(&format!("--ca-cert ca.crt --ca-key ca.key --fingerprint MyOrg1MSP={fingerprint}")).ok();
        org(&site, &format!("{words} --chart {} --certificate MyOrg1MSP.crt", chart("substra-backend"))).refused(3, "ca-kind");
        let ran = org(&site, &format!("{words} --chart {old} --certificate MyOrg1MSP.crt")).ok();
        assert!(ran.stderr.contains("warning: nothing of release backend runs"), "{}", ran.stderr);
        sync(&site, &site.org, &format!("backend {old} -f backend-values.yaml --no-hooks"));
        rolled_out(&site, &site.org);
        org(&site, "check -f backend-values.yaml --fail-on warning").ok();
    }

    fn tls_is_set_up_and_the_gate_opened_again_by_syncs_alone(helm) {
        let site = Site::empty(helm);
        site.write("orchestrator-values.yaml", crate::site::PLAIN);
        let plain = BACKEND.split("  tls:\n").next().unwrap();
        site.write("backend-values.yaml", plain);
        let synced = |namespace: &str, name: &str, chart: &str| {
            site.admin(namespace, "delete jobs --all");
            sync(&site, namespace, &format!("{name} {chart} -f {name}-values.yaml --no-hooks"));
            rolled_out(&site, namespace);
        };
        let (backend, orchestrator) = (chart("substra-backend"), chart("orchestrator"));
        synced(&site.orc, "orchestrator", &orchestrator);
        synced(&site.org, "backend", &backend);
        let words = "-f orchestrator-values.yaml --no-upgrade --yes";
        let made = orc(&site, &format!("ca init {words}")).ok();
        assert!(made.stderr.contains(r#"apply these values: {"orchestrator":{"tls":{"cacert""#), "{}", made.stderr);
        synced(&site.orc, "orchestrator", &orchestrator);
        assert!(volumes(&site, &site.orc, "orchestrator-server").contains("orchestrator-tls-server-pair"));
        let print = made.fact("ca fingerprint");
        let trust = "ca trust orchestrator-ca.crt --backend --enable-tls -f backend-values.yaml --no-upgrade --yes";
        let trusted = org(&site, &format!("{trust} --fingerprint {print}")).ok();
        assert!(trusted.stderr.contains("next: commit backend-values.yaml"), "{}", trusted.stderr);
        synced(&site.org, "backend", &backend);

        let fingerprint = org(&site, "enroll -f backend-values.yaml --no-upgrade --yes").ok().fact("fingerprint");
        let ca = "--ca-cert orchestrator-ca.crt --ca-key orchestrator-ca.key";
        orc(&site, &format!("approve MyOrg1MSP.csr {words} {ca} --fingerprint MyOrg1MSP={fingerprint}")).ok();
        org(&site, "enroll -f backend-values.yaml --no-upgrade --yes --certificate MyOrg1MSP.crt").ok();
        synced(&site.org, "backend", &backend);
        let closed = orc(&site, &format!("gate close {words} --installed MyOrg1MSP")).ok();
        assert!(closed.stderr.contains("gate open") && closed.stderr.contains("-f orchestrator-values.yaml --no-upgrade --release orchestrator"), "{}", closed.stderr);
        synced(&site.orc, "orchestrator", &orchestrator);
        orc(&site, "check -f orchestrator-values.yaml --only half-way --fail-on warning").ok();
        orc(&site, &format!("gate open {words}")).ok();
        let ran = orc(&site, "check -f orchestrator-values.yaml --only half-way --fail-on warning");
        assert!(ran.stdout.contains("pods mount orchestrator-tls-client-cacert-my-org1-msp still"), "{}", ran.stdout);
        synced(&site.orc, "orchestrator", &orchestrator);
        orc(&site, "check -f orchestrator-values.yaml --only half-way --fail-on warning").ok();
    }

    fn a_part_of_an_umbrella_chart_is_synced_too(helm) {
        let site = platform(helm);
        sync(&site, &site.org, "platform ./platform -f backend-values.yaml");
        let words = "-f backend-values.yaml --values-key backend --no-upgrade --yes";
        let fingerprint = org(&site, &format!("enroll {words}")).ok().fact("fingerprint");
        site.helm(&site.orc, "install platform ./platform -f orchestrator-values.yaml");
        let claim = format!("--ca-cert ca.crt --ca-key ca.key --fingerprint MyOrg1MSP={fingerprint}");
        let approve = format!("approve MyOrg1MSP.csr -f orchestrator-values.yaml --values-key orchestrator --release platform {claim}");
        orc(&site, &format!("{approve} --yes")).ok();
        let ran = org(&site, &format!("enroll {words} --certificate MyOrg1MSP.crt")).ok();
        assert!(ran.stderr.contains(r#"apply these values: {"backend":{"orchestrator":{"tls""#), "{}", ran.stderr);
        assert!(ran.stderr.contains("--values-key backend --release platform"), "{}", ran.stderr);
        site.admin(&site.org, "delete jobs --all");
        sync(&site, &site.org, "platform ./platform -f backend-values.yaml");
        rolled_out(&site, &site.org);
        assert!(volumes(&site, &site.org, "platform-backend-server").contains("orchestrator-client-cert"));
        org(&site, "check -f backend-values.yaml --values-key backend --fail-on warning").ok();
    }
}
