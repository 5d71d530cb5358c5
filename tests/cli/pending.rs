//! A release that a killed helm left pending: each cause of it, and what the next run does.

use std::time::Duration;

use substra_mtls::{
    cluster::{ChartVersion, Helm, simulated::InjectedFault},
    failure::Exit,
    values,
};

use super::{
    bootstrap::world::{Fed, LINE, backend, refused},
    golden::Golden,
    simulated::Federation,
    world::{BACKEND, World},
};

const OPEN: &str = "gate open -f @orchestrator-values.yaml --release orchestrator --yes";

fn chart(name: &str, version: &str) -> ChartVersion {
    ChartVersion { name: name.into(), version: version.into() }
}

/// The orchestrator's upgrade to what its file says now, cut short.
fn cut(fed: &Federation, version: &str, status: &str, edit: impl Fn(String) -> String) {
    let text = edit(fed.world.read("orchestrator-values.yaml"));
    let config = values::read(text.as_bytes()).unwrap();
    fed.orc.cut_short("orchestrator", chart("orchestrator", version), config, status).unwrap();
}

/// A federation whose `gate close` is cut short in its upgrade: the file is edited, the pods are new.
fn closing() -> Federation {
    let fed = Federation::new();
    fed.enroll("").unwrap();
    fed.approve().unwrap();
    fed.install().unwrap();
    fed.orc.fail_write(0, InjectedFault::Before);
    refused(fed.close(""), Exit::Outside, "fault");
    cut(&fed, "8.8.0", "pending-upgrade", |text| text);
    fed
}

/// The same of its `gate open`.
fn opening() -> Federation {
    let fed = Federation::new();
    fed.enroll("").unwrap();
    fed.approve().unwrap();
    fed.install().unwrap();
    fed.close("").unwrap();
    fed.orc.fail_write(0, InjectedFault::Before);
    refused(fed.run(&fed.orc, OPEN), Exit::Outside, "fault");
    cut(&fed, "8.8.0", "pending-upgrade", |text| text);
    fed
}

fn is_closed(fed: &Federation) -> bool {
    let release = fed.orc.release(&"orchestrator".parse().unwrap()).unwrap().unwrap();
    release.config["orchestrator"]["tls"]["mtls"]["enabled"] == true
}

#[test]
fn a_pending_gate_close_is_closed_and_a_pending_gate_open_is_opened_and_neither_is_put_back() {
    let fed = closing();
    fed.orc.helm_is_dead("orchestrator");
    let before = fed.orc.writes();
    refused(fed.close(""), Exit::CheckFailed, "release-pending");
    refused(fed.run(&fed.orc, &format!("{OPEN} --recover")), Exit::CheckFailed, "release-pending");
    assert_eq!(fed.close("--recover --dry-run").unwrap().stage().id(), "planned");
    assert!(fed.orc.writes() == before && is_closed(&fed));
    assert_eq!(fed.close("--recover").unwrap().stage().id(), "closed");
    assert_eq!(
        fed.orc.writes()[before.len()..],
        ["delete secret/sh.helm.release.v1.orchestrator.v2", "upgrade orchestrator"]
    );
    assert!(is_closed(&fed));
    assert_eq!(fed.close("").unwrap().stage().id(), "already");

    let fed = opening();
    fed.orc.helm_is_dead("orchestrator");
    refused(fed.close("--recover"), Exit::CheckFailed, "release-pending");
    assert!(!is_closed(&fed));
    assert_eq!(fed.run(&fed.orc, &format!("{OPEN} --recover")).unwrap().stage().id(), "opened");
    assert!(!is_closed(&fed));
}

#[test]
fn a_helm_that_still_works_is_waited_for() {
    let fed = closing();
    fed.orc.ends_after("orchestrator", Duration::from_secs(200));
    assert_eq!(fed.close("").unwrap().stage().id(), "already");
    let fed = closing();
    let before = fed.orc.writes();
    let late = refused(fed.close("--timeout 3m --recover"), Exit::TimedOut, "release-pending");
    assert!(late.next.contains("--recover-after"), "{late}");
    assert_eq!(fed.orc.writes(), before);
}

#[test]
fn age_alone_tells_that_a_helm_is_gone_after_an_hour_or_as_said_and_a_minute_without_a_change() {
    let mut fed = closing();
    fed.now += Duration::from_mins(61);
    assert_eq!(fed.close("--recover").unwrap().stage().id(), "closed");
    let fed = closing();
    assert_eq!(fed.close("--recover --recover-after 2m").unwrap().stage().id(), "closed");
    // While a wait for an hour is as long as it may be, what grows old enough in it is gone.
    let fed = closing();
    assert_eq!(fed.close("--recover --timeout 2h").unwrap().stage().id(), "closed");
    // A helm that goes on just before the minute is over is there.
    let mut fed = closing();
    fed.now += Duration::from_mins(61);
    fed.orc.ends_after("orchestrator", Duration::from_mins(61) + Duration::from_secs(50));
    assert_eq!(fed.close("--recover").unwrap().stage().id(), "already");
    assert_eq!(fed.orc.writes().iter().filter(|write| write.starts_with("delete secret/sh.helm")).count(), 0);
}

#[test]
fn a_pending_enrolment_is_completed() {
    let fed = Federation::new();
    fed.enroll("").unwrap();
    fed.approve().unwrap();
    fed.org.fail_write(1, InjectedFault::Before);
    refused(fed.install(), Exit::Outside, "fault");
    let config = values::read(fed.world.read("backend-values.yaml").as_bytes()).unwrap();
    fed.org.cut_short("backend", chart("substra-backend", "26.15.3"), config, "pending-upgrade").unwrap();
    fed.org.helm_is_dead("backend");
    refused(fed.install(), Exit::CheckFailed, "release-pending");
    assert_eq!(fed.enroll("--certificate @MyOrg1MSP.crt --recover").unwrap().stage().id(), "installed");
    assert_eq!(fed.install().unwrap().stage().id(), "already");
}

#[test]
fn a_bootstrap_goes_on_with_each_release_that_was_cut_short() {
    let fed = Fed::new(2);
    let with_pair = backend(2).replace(
        "cacert: orchestrator-cacert\n",
        "cacert: orchestrator-cacert\n    mtls:\n      enabled: true\n      clientCertificate: orchestrator-client-cert\n",
    );
    let config = values::read(with_pair.as_bytes()).unwrap();
    let org = fed.org(2);
    org.cut_short("backend", chart("substra-backend", "26.15.3"), config, "pending-upgrade").unwrap();
    org.helm_is_dead("backend");
    let left = refused(fed.run(LINE), Exit::CheckFailed, "release-pending");
    assert!(left.what.contains("MyOrg2MSP") && left.next.contains("--recover"), "{left}");
    fed.run(&format!("{LINE} --recover")).unwrap();
    fed.all_are_let_in(2);
    assert!(fed.is_closed());

    // The last part of a first bootstrap: the gate.
    let fed = Fed::new(2);
    fed.run(LINE).unwrap();
    let config = fed.orc.release(&"orchestrator".parse().unwrap()).unwrap().unwrap().config;
    let fed = Fed::new(2);
    fed.world.write("federation.yaml", &fed.world.read("federation.yaml").replace("gate: close", "gate: leave"));
    fed.orc.cut_short("orchestrator", chart("orchestrator", "8.8.0"), config, "pending-upgrade").unwrap();
    fed.orc.helm_is_dead("orchestrator");
    let before = fed.orc.writes().len();
    // Nothing is upgraded there, and so nothing is taken away.
    fed.run(&format!("{LINE} --recover")).unwrap();
    assert!(
        !fed.orc.writes()[before..].iter().any(|write| write.starts_with("delete secret/sh.helm")),
        "what is not gone on with stays"
    );
    fed.world.write("federation.yaml", &fed.world.read("federation.yaml").replace("gate: leave", "gate: close"));
    fed.run(&format!("{LINE} --recover")).unwrap();
    assert!(fed.is_closed());
    assert!(fed.orc.writes().iter().any(|write| write.starts_with("delete secret/sh.helm.release.v1.orchestrator")));
}

#[test]
fn a_helm_that_begins_after_the_plan_was_made_is_waited_for_and_what_it_brings_is_taken() {
    let fed = Federation::new();
    fed.enroll("").unwrap();
    fed.approve().unwrap();
    let text = BACKEND.replace(
        "cacert: orchestrator-cacert\n",
        "cacert: orchestrator-cacert\n    mtls:\n      enabled: true\n      clientCertificate: orchestrator-client-cert\n",
    );
    let (org, config) = (fed.org.clone(), values::read(text.as_bytes()).unwrap());
    fed.org.after_write("create secret/orchestrator-client-cert", move || {
        org.cut_short("backend", chart("substra-backend", "26.15.3"), config, "pending-upgrade").unwrap();
        org.ends_after("backend", Duration::from_secs(30));
    });
    assert_eq!(fed.install().unwrap().stage().id(), "installed");
    assert_eq!(fed.org.release(&"backend".parse().unwrap()).unwrap().unwrap().revision, 2);

    let fed = closing();
    fed.orc.ends_after("orchestrator", Duration::from_secs(1));
    assert_eq!(fed.close("").unwrap().stage().id(), "already");
}

#[test]
fn an_age_that_is_none_is_told_before_anything_is_looked_at() {
    let world = World::new();
    for (given, said) in [("soon", "expected number"), ("0s", "within no time"), ("-1h", "expected number")] {
        let ran = world.run(&format!("gate open -f orchestrator-values.yaml --recover-after={given}"));
        assert_eq!(ran.status, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains("--recover-after") && ran.stderr.contains(said), "{given}: {}", ran.stderr);
    }
}

#[test]
fn who_goes_on_meanwhile_is_not_run_over() {
    let fed = closing();
    fed.orc.helm_is_dead("orchestrator");
    let config = values::read(fed.world.read("orchestrator-values.yaml").as_bytes()).unwrap();
    let (other, name) = (fed.orc.clone(), "delete secret/sh.helm.release.v1.orchestrator.v2");
    // Somebody else upgrades between the removal and our upgrade.
    fed.orc.after_write(name, move || {
        other.install("orchestrator", chart("orchestrator", "8.8.0"), config).unwrap();
    });
    let lost = fed.close("--recover").err().unwrap();
    assert_eq!(lost.code.id(), "not-as-written", "{lost}");
    assert_eq!(fed.close("").unwrap().stage().id(), "already");
}

#[test]
fn answers_of_a_pending_release_are_pinned() {
    let mut golden = Golden::of("pending", answers_of_a_pending_release_are_pinned);
    let fed = closing();
    golden.result("another helm may work", fed.close(""));
    golden.result("a dry run waits for nobody", fed.close("--dry-run"));
    fed.orc.helm_is_dead("orchestrator");
    golden.result("a pending gate close without consent", fed.close(""));
    golden.result("a pending gate close is not opened", fed.run(&fed.orc, &format!("{OPEN} --recover")));
    golden.result("a pending gate close is planned", fed.close("--recover --dry-run"));
    golden.result("a pending gate close is closed", fed.close("--recover"));
    let fed = opening();
    fed.orc.helm_is_dead("orchestrator");
    golden.result("a pending gate open is not closed", fed.close("--recover"));
    golden.result("a pending gate open is opened", fed.run(&fed.orc, &format!("{OPEN} --recover")));

    let mut fed = Federation::new();
    cut(&fed, "8.9.0", "pending-upgrade", |text| text);
    fed.now += Duration::from_hours(2);
    golden.result("another chart version", fed.close("--recover"));
    let mut fed = Federation::new();
    cut(&fed, "8.8.0", "pending-upgrade", |text| text + "service:\n  port: 9001\n");
    fed.now += Duration::from_hours(2);
    golden.result("values that are not ours", fed.close("--recover"));
    for status in ["pending-install", "uninstalling"] {
        let mut fed = Federation::new();
        fed.orc.set_status("orchestrator", status);
        fed.now += Duration::from_hours(2);
        golden.result(status, fed.close("--recover"));
    }
    let mut fed = Federation::new();
    fed.orc.set_status("orchestrator", "failed");
    cut(&fed, "8.8.0", "pending-upgrade", |text| text);
    fed.now += Duration::from_hours(2);
    golden.result("after one that failed", fed.close("--recover"));
    golden.pinned();
}
