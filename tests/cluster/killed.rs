//! `kill -9` before and after every write: the next run completes the job.

use std::{os::unix::fs::PermissionsExt, process::Command};

use crate::site::{Ran, Site, bed, chart};

/// Stands in front of helm and kubectl: at a call whose words hold `$AT` it kills the tool, before or after the real call.
const SHIM: &str = r#"#!/bin/sh
case " $* " in
*" $AT "*)
  [ "$WHEN" = before ] && { kill -9 $PPID; exit 1; }
  [ "$WHEN" = talks ] && { kill -9 $PPID; sleep 0.3; echo talk >&2; echo talk; exec "$REAL" "$@"; }
  [ "$WHEN" = ctrl-c ] && { kill -INT $PPID; exec "$REAL" "$@"; }
  "$REAL" "$@"
  kill -9 $PPID
  ;;
*) exec "$REAL" "$@" ;;
esac
"#;

/// A run that finds its clusters itself, ended at a call.
pub(crate) fn killed_at(site: &Site, line: &str, at: &str, when: &str) -> Ran {
    killed(site, "default", line, at, when)
}

/// Runs the binary itself, with the shims, and ends it at a call.
pub(crate) fn killed(site: &Site, namespace: &str, line: &str, at: &str, when: &str) -> Ran {
    let shims = site.path("shims");
    std::fs::create_dir_all(&shims).unwrap();
    for (name, real) in [("helm", site.helm_binary()), ("kubectl", format!("{}/kubectl", bed("BIN")))] {
        let path = shims.join(name);
        std::fs::write(&path, SHIM.replace("$REAL", &real)).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
    site.environment(&mut command);
    command.env("PATH", format!("{}:/usr/bin:/bin", shims.display())).env("AT", at).env("WHEN", when);
    command.args(line.split_whitespace()).args(site.place(namespace)).current_dir(site.folder.path());
    Ran::of(&mut command)
}

fn enroll(site: &Site, more: &str, at: &str, when: &str) -> Ran {
    let line =
        format!("enroll -f backend-values.yaml --release backend --chart {} --yes {more}", chart("substra-backend"));
    killed(site, &site.org, &line, at, when)
}

/// The public key of the request that left, and every key that the cluster holds.
fn key_is_kept(site: &Site) {
    if !site.path("MyOrg1MSP.csr").exists() {
        return;
    }
    let wanted = site.sh("openssl req -in MyOrg1MSP.csr -noout -pubkey");
    let names = ["secret/orchestrator-client-cert", "secret/orchestrator-client-cert-pending"];
    let keys =
        names.map(|name| site.object(&site.org, name)["data"]["tls.key"].as_str().unwrap_or_default().to_owned());
    let public = |key: &String| site.sh(&format!("echo '{key}' | base64 -d | openssl pkey -pubout"));
    assert!(
        keys.iter().filter(|key| !key.is_empty()).any(|key| public(key) == wanted),
        "the key of a request that left is lost"
    );
}

both! {
    fn an_enrolment_killed_anywhere_is_completed_by_the_next_runs(site) {
        let was_killed = |ran: Ran| assert_eq!(ran.status, -9, "{}{}", ran.stdout, ran.stderr);
        was_killed(enroll(site, "", "get", "before"));
        was_killed(enroll(site, "", "create", "before"));
        assert!(!site.path("MyOrg1MSP.csr").exists(), "no request without a stored key");
        was_killed(enroll(site, "", "create", "after"));
        assert!(!site.path("MyOrg1MSP.csr").exists());
        let fingerprint = site.enroll("").ok().fact("fingerprint");
        key_is_kept(site);
        site.approve(&format!("--ca-cert ca.crt --ca-key ca.key --fingerprint MyOrg1MSP={fingerprint}")).ok();

        let old = site.read("backend-values.yaml");
        let install = "--certificate MyOrg1MSP.crt";
        for (at, when, edited) in [
            ("status", "before", false), ("get", "after", false), ("template", "before", false),
            ("create", "before", false), ("create", "after", true), ("upgrade", "before", true), ("upgrade", "after", true),
             ("delete", "before", true), ("delete", "after", true),
        ] {
            was_killed(enroll(site, install, at, when));
            key_is_kept(site);
            let now = site.read("backend-values.yaml");
            assert!(now == old || (edited && now.contains("clientCertificate: orchestrator-client-cert")), "{at} {when}");
        }
        assert!(site.enroll(install).ok().stderr.contains("already  "));
        let before = site.state(&site.org);
        site.enroll(install).ok();
        assert_eq!(site.state(&site.org), before);
    }

    fn an_upgrade_that_says_something_after_our_death_is_not_ended_by_it(site) {
        site.approved();
        assert_eq!(enroll(site, "--certificate MyOrg1MSP.crt", "upgrade", "talks").status, -9);
        let is_done = || site.helm(&site.org, "history backend").lines().any(|line| line.starts_with('2') && line.contains("deployed"));
        assert!((0..300).any(|_| is_done() || { std::thread::sleep(std::time::Duration::from_millis(100)); false }));
    }

    fn a_renewal_killed_at_the_swap_is_completed(site) {
        site.enrolled();
        let fingerprint = site.enroll("--renew").ok().fact("fingerprint");
        site.approve(&format!("--ca-cert ca.crt --ca-key ca.key --fingerprint MyOrg1MSP={fingerprint}")).ok();
        for (at, when) in [("replace", "before"), ("replace", "after"), ("delete", "before")] {
            assert_eq!(enroll(site, "--certificate MyOrg1MSP.crt", at, when).status, -9, "{at} {when}");
            key_is_kept(site);
        }
        site.enroll("--certificate MyOrg1MSP.crt").ok();
        assert!(site.object(&site.org, "secret/orchestrator-client-cert-pending").is_null());
    }

    fn ctrl_c_finishes_the_step_and_says_where_it_stands(site) {
        site.approved();
        let stopped = enroll(site, "--certificate MyOrg1MSP.crt", "create", "ctrl-c").stopped(130, "interrupted");
        assert!(stopped.stderr.contains("so far: done: pair; not done: values, upgrade, rollout, pending"), "{}", stopped.stderr);
        let stopped = enroll(site, "--certificate MyOrg1MSP.crt", "upgrade", "ctrl-c").stopped(130, "interrupted");
        assert!(stopped.stderr.contains("done: pair, values, upgrade; not done: rollout, pending"), "{}", stopped.stderr);
        assert!(site.helm(&site.org, "status backend").contains("STATUS: deployed"), "helm was let finish");
        site.enroll("--certificate MyOrg1MSP.crt").ok();
    }

    fn a_gate_killed_at_its_upgrade_is_closed_by_the_next_run(site) {
        site.enrolled();
        let line = format!("gate close -f orchestrator-values.yaml --release orchestrator --chart {} --yes --installed MyOrg1MSP", chart("orchestrator"));
        let was_killed = |at, when| {
            let ran = killed(site, &site.orc, &line, at, when);
            assert_eq!(ran.status, -9, "{at} {when}: {}{}", ran.stdout, ran.stderr);
        };
        was_killed("upgrade", "before");
        was_killed("deployments,statefulsets,pods", "before");
        site.gate("close", "--installed MyOrg1MSP").ok();
        site.gate("open", "").ok();
        was_killed("upgrade", "after");
        site.gate("close", "--installed MyOrg1MSP").ok();
        let server = site.object(&site.orc, "deployment/orchestrator-server");
        assert!(server["spec"]["template"]["spec"]["volumes"].to_string().contains("client-cacert"));
    }
}
