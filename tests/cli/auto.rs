//! `enroll --auto`, a run of cron: what it does on each day of a certificate's life, and what it leaves alone.

use std::{fs, os::unix::fs::symlink};

use substra_mtls::{
    cluster::Kubernetes,
    failure::{Exit, Failure},
    report::Outcome,
};
use time::Duration;

use crate::{
    renewal::{PAIR, PENDING, installed, live, next, secret},
    scripted::Scripted,
    simulated::Federation,
};

fn auto(fed: &Federation) -> Outcome {
    fed.enroll("--auto").unwrap()
}

/// The world in which a run wrote nothing.
fn state(fed: &Federation) -> (usize, Vec<u8>, Option<String>) {
    let csr = fs::read(fed.world.path("MyOrg1MSP.csr")).unwrap_or_default();
    (fed.org.writes().len(), csr, secret(fed, PAIR).map(|pair| pair.resource_version().to_owned()))
}

fn after(fed: &mut Federation, days: i64) {
    fed.now += Duration::days(days);
}

#[track_caller]
fn overdue(outcome: &Outcome) -> &Failure {
    let failure = outcome.failure().unwrap();
    assert_eq!((failure.exit, failure.code.id(), outcome.exit()), (Exit::CheckFailed, "renewal-overdue", failure.exit));
    assert_eq!(outcome.get("overdue").unwrap(), true);
    failure
}

#[track_caller]
fn refused(fed: &Federation, line: &str, exit: Exit, code: &str) -> Failure {
    let failure = fed.enroll(line).unwrap_err();
    assert_eq!((failure.exit, failure.code.id()), (exit, code), "{failure}");
    assert_eq!(failure.standing.as_ref().unwrap().text(), "nothing was written");
    failure
}

/// A certificate for a key that this backend does not have, in place of what comes back.
fn stolen(fed: &Federation) -> String {
    let line = "enroll -f backend-values.yaml --key-file thief.key --out-dir thief";
    fs::create_dir(fed.world.path("thief")).unwrap();
    fed.world.run(line).ok();
    fed.world.write("MyOrg1MSP.csr", &fed.world.read("thief/MyOrg1MSP.csr"));
    fed.approve().unwrap();
    fed.world.read("MyOrg1MSP.crt")
}

#[test]
fn it_asks_when_it_is_due_installs_the_answer_and_touches_nothing_but_the_pair() {
    let mut fed = installed();
    let before = state(&fed);
    let early = auto(&fed);
    assert_eq!((early.stage().id(), early.exit()), ("already", Exit::Done));
    assert!(early.get("dueAt").is_some());
    assert_eq!(state(&fed), before);
    after(&mut fed, 61);
    let asked = auto(&fed);
    assert_eq!((asked.stage().id(), asked.exit()), ("requested", Exit::Done));
    assert_eq!(asked.get("vouchedForBy").unwrap(), &live(&fed));
    assert!(next(&asked).contains("is there, the next run installs it"), "{}", next(&asked));
    after(&mut fed, 3);
    let before = state(&fed);
    let waits = auto(&fed);
    assert_eq!(
        (waits.stage().id(), waits.exit(), waits.get("overdue").unwrap()),
        ("already", Exit::Done, &false.into())
    );
    assert_eq!(waits.get("requestedAt"), asked.get("requestedAt"));
    assert_eq!(state(&fed), before);
    fed.approve().unwrap();
    let (writes, old) = (fed.org.writes().len(), live(&fed));
    let done = auto(&fed);
    assert_eq!((done.stage().id(), done.exit()), ("installed", Exit::Done));
    assert_ne!(live(&fed), old);
    let new = &fed.org.writes()[writes..];
    assert_eq!(new, ["replace secret/orchestrator-client-cert", "delete secret/orchestrator-client-cert-pending"]);
    assert_eq!(auto(&fed).stage().id(), "already");
}

#[test]
fn a_drift_of_the_values_does_not_keep_a_renewal_from_its_place() {
    let mut fed = installed();
    after(&mut fed, 61);
    auto(&fed);
    fed.approve().unwrap();
    let values = fed.world.read("backend-values.yaml");
    fed.world.write("backend-values.yaml", &format!("{values}\nother: changed\n"));
    assert_eq!(auto(&fed).stage().id(), "installed");
}

#[test]
fn a_request_without_an_answer_is_overdue_after_seven_days() {
    let mut fed = installed();
    after(&mut fed, 61);
    auto(&fed);
    after(&mut fed, 6);
    assert_eq!(auto(&fed).exit(), Exit::Done);
    after(&mut fed, 2);
    let before = state(&fed);
    let late = auto(&fed);
    let failure = overdue(&late);
    assert!(failure.why.contains("within 8 days"), "{failure}");
    assert!(failure.next.contains("call the orchestrator's operator"), "{failure}");
    assert_eq!(state(&fed), before, "the same request, to the byte");
    fed.approve().unwrap();
    assert_eq!(auto(&fed).exit(), Exit::Done);
}

#[test]
fn in_the_last_sixth_of_a_life_and_after_it_no_run_is_good() {
    let mut fed = installed();
    after(&mut fed, 76);
    let late = auto(&fed);
    assert!(overdue(&late).why.contains("less than a sixth"), "{late:?}");
    assert!(late.get("vouchedForBy").is_some());
    after(&mut fed, 15);
    let ended = auto(&fed);
    let failure = overdue(&ended);
    assert!(failure.what.contains("ended on") && failure.next.contains("read its fingerprint out"), "{failure}");
    assert_eq!(ended.get("vouchedForBy"), None);
    fed.approve().unwrap();
    let done = auto(&fed);
    assert_eq!((done.stage().id(), done.exit()), ("installed", Exit::Done));
}

#[test]
fn renew_means_now_although_it_is_not_due() {
    let mut fed = installed();
    assert_eq!(fed.enroll("--auto --renew").unwrap().stage().id(), "requested");
    assert_eq!(fed.enroll("--auto --renew").unwrap().stage().id(), "already", "one request at a time");
    after(&mut fed, 8);
    overdue(&auto(&fed));
}

#[test]
fn the_first_certificate_and_one_after_a_lost_pair_are_by_hand() {
    let fed = Federation::new();
    let failure = refused(&fed, "--auto", Exit::CheckFailed, "no-live-pair");
    assert!(failure.next.contains("helm substra-mtls enroll"), "{failure}");
    let fed = installed();
    fed.org.remove_object(&substra_mtls::cluster::ObjectRef::secret(PAIR));
    refused(&fed, "--auto", Exit::CheckFailed, "no-live-pair");
}

#[test]
fn a_certificate_for_a_key_that_nobody_here_has_is_an_alarm() {
    let mut fed = installed();
    after(&mut fed, 61);
    auto(&fed);
    let own = fed.world.read("MyOrg1MSP.csr");
    stolen(&fed);
    fed.world.write("MyOrg1MSP.csr", &own);
    let before = state(&fed);
    for line in ["--auto", "--certificate @MyOrg1MSP.crt"] {
        let failure = refused(&fed, line, Exit::Refused, "certificate-of-another-key");
        assert!(failure.why.contains(&live(&fed)) && failure.why.contains("has the key SHA256:"), "{failure}");
        assert!(failure.next.contains("if the request was made here"), "{failure}");
        assert!(failure.next.contains("if not, somebody else acts as MyOrg1MSP"), "{failure}");
    }
    assert_eq!(state(&fed), before);
}

#[test]
fn the_certificate_of_an_earlier_renewal_is_no_alarm_and_is_never_installed() {
    let mut fed = installed();
    let older = fed.world.read("MyOrg1MSP.crt");
    after(&mut fed, 61);
    auto(&fed);
    fed.approve().unwrap();
    auto(&fed);
    let newer = live(&fed);
    fed.world.write("MyOrg1MSP.crt", &older);
    let before = state(&fed);
    assert_eq!((auto(&fed).stage().id(), auto(&fed).exit()), ("already", Exit::Done));
    after(&mut fed, 61);
    assert_eq!((auto(&fed).stage().id(), live(&fed)), ("requested", newer));
    assert_ne!(state(&fed), before);
}

#[test]
fn what_others_put_in_place_of_the_certificate_is_named_and_left_alone() {
    let mut fed = installed();
    after(&mut fed, 61);
    auto(&fed);
    let (certificate, path) = (fed.world.path("MyOrg1MSP.crt"), fed.world.path("elsewhere.crt"));
    fed.approve().unwrap();
    fs::rename(&certificate, &path).unwrap();
    symlink(&path, &certificate).unwrap();
    let said = |fed: &Federation| {
        let before = state(fed);
        let outcome = auto(fed);
        assert_eq!((outcome.stage().id(), outcome.exit(), state(fed)), ("already", Exit::Done, before));
        outcome.json()["warnings"].to_string()
    };
    assert!(said(&fed).contains("a link is not followed"), "{}", said(&fed));
    fs::remove_file(&certificate).unwrap();
    fs::create_dir(&certificate).unwrap();
    assert!(said(&fed).contains("is not a plain file"));
    fs::remove_dir(&certificate).unwrap();
    fs::write(&certificate, vec![b'x'; 64 * 1024 + 1]).unwrap();
    assert!(said(&fed).contains("is larger than 65536 bytes"));
    fs::write(&certificate, "hello").unwrap();
    assert!(said(&fed).contains("MyOrg1MSP.crt: "), "{}", said(&fed));
    fs::write(&certificate, fed.world.read("ca.crt")).unwrap();
    let before = state(&fed);
    assert_eq!(auto(&fed).exit(), Exit::Done);
    assert_eq!(state(&fed), before);
    fs::rename(&path, &certificate).unwrap();
    assert_eq!(auto(&fed).stage().id(), "installed");
}

#[test]
fn two_runs_at_once_make_one_request_and_install_one_pair() {
    let fed = std::sync::Arc::new({
        let mut fed = installed();
        after(&mut fed, 61);
        fed
    });
    let other = std::sync::Arc::clone(&fed);
    fed.org.after_write(&format!("create secret/{PENDING}"), move || drop(other.enroll("--auto").unwrap()));
    auto(&fed);
    let kept = secret(&fed, PENDING).unwrap().data("request.csr").unwrap();
    assert_eq!(kept.as_slice(), fed.world.read("MyOrg1MSP.csr").as_bytes());
    fed.approve().unwrap();
    let other = std::sync::Arc::clone(&fed);
    fed.org.after_write(&format!("replace secret/{PAIR}"), move || drop(other.enroll("--auto").unwrap()));
    fed.enroll("--auto").unwrap();
    assert!(secret(&fed, PENDING).is_none());
    assert_eq!(auto(&fed).stage().id(), "already");
}

#[test]
fn a_run_that_was_cut_short_is_finished_by_the_next_one() {
    let mut fed = installed();
    after(&mut fed, 61);
    auto(&fed);
    fed.approve().unwrap();
    fed.org.fail_write(1, substra_mtls::cluster::simulated::InjectedFault::Before);
    assert_eq!(fed.enroll("--auto").unwrap_err().code.id(), "fault");
    assert!(secret(&fed, PENDING).is_some());
    assert_eq!(auto(&fed).exit(), Exit::Done);
    assert!(secret(&fed, PENDING).is_none());
}

#[test]
fn request_and_answer_lie_beside_the_first_values_file() {
    let fed = installed();
    let line = "enroll -f @sub/values.yaml --release backend --yes --auto --renew";
    fs::create_dir(fed.world.path("sub")).unwrap();
    fed.world.write("sub/values.yaml", &fed.world.read("backend-values.yaml"));
    fed.run(&fed.org, line).unwrap();
    assert!(fed.world.path("sub/MyOrg1MSP.csr").exists());
    fed.world.write("MyOrg1MSP.csr", &fed.world.read("sub/MyOrg1MSP.csr"));
    fed.approve().unwrap();
    fs::rename(fed.world.path("MyOrg1MSP.crt"), fed.world.path("sub/MyOrg1MSP.crt")).unwrap();
    assert_eq!(fed.run(&fed.org, line).unwrap().stage().id(), "installed");
}

/// What Prometheus is told of the backend's renewal.
fn gauges(fed: &Federation) -> Vec<String> {
    let cluster = Scripted::of(&fed.orc);
    let path = format!("{}:/usr/bin:/bin", cluster.bin().display());
    let line = "check -n org-1 -f backend-values.yaml --release backend -o prometheus";
    let command = duct::cmd(env!("CARGO_BIN_EXE_substra-mtls"), line.split(' ')).dir(fed.world.path(""));
    let told = command.full_env([("PATH", path)]).stdin_null().stderr_null().unchecked().read().unwrap();
    told.lines().filter(|line| line.starts_with("substra_mtls_renewal_")).map(str::to_owned).collect()
}

#[test]
fn the_gauges_hold_what_an_alarm_needs() {
    let fed = installed();
    let overdue = |is: u8| format!("substra_mtls_renewal_overdue{{organization=\"MyOrg1MSP\"}} {is}");
    assert_eq!(gauges(&fed), [overdue(0)]);
    fed.enroll("--renew").unwrap();
    let made = fed.now.unix_timestamp();
    let requested = |at: i64| format!("substra_mtls_renewal_requested_seconds{{organization=\"MyOrg1MSP\"}} {at}");
    assert_eq!(gauges(&fed), [requested(made), overdue(0)]);
    let pending = secret(&fed, PENDING).unwrap();
    fed.org.replace(&pending.with_annotation("substra-mtls/requested", Some("2026-01-01T00:00:00Z"))).unwrap();
    assert_eq!(gauges(&fed), [requested(1_767_225_600), overdue(1)]);
}
