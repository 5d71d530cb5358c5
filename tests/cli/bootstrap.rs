//! `bootstrap` on the simulated cluster: convergent wherever it was cut short, and nobody who worked is cut off.

mod gate;
mod pairs;
mod pinned;
mod told;
pub(crate) mod world;

use std::time::Duration;

use substra_mtls::{
    cluster::{Helm, Kubernetes, ObjectRef, simulated::InjectedFault},
    failure::Exit,
    substra::servers::CallOutcome,
};

use self::world::{FILES, Fed, LINE, backend, federation, refused, state};

#[test]
fn a_federation_is_in_place_after_one_run_and_the_second_writes_nothing() {
    let fed = Fed::new(3);
    let outcome = fed.run(LINE).unwrap();
    assert_eq!(outcome.stage().id(), "bootstrapped");
    fed.all_are_let_in(3);
    assert!(fed.is_closed());
    let (writes, files) = (fed.orc.writes(), fed.world.snapshot());
    let again = fed.run(LINE).unwrap();
    assert_eq!((again.stage().id(), state(&again, 2).as_str()), ("already", "already"));
    assert_eq!((fed.orc.writes(), fed.world.snapshot()), (writes, files));
}

#[test]
fn every_backend_is_in_place_before_the_orchestrator_is_upgraded() {
    let fed = Fed::new(3);
    fed.run(LINE).unwrap();
    let writes = fed.orc.writes();
    let at =
        |what: &str| writes.iter().enumerate().filter(|(_, write)| *write == what).map(|(n, _)| n).collect::<Vec<_>>();
    assert_eq!(at("upgrade backend").len(), 3, "{writes:?}");
    assert_eq!(at("upgrade orchestrator").len(), 1, "{writes:?}");
    assert!(at("upgrade backend").iter().all(|n| *n < at("upgrade orchestrator")[0]), "{writes:?}");
    assert!(at("create secret/orchestrator-client-cert").len() == 3, "{writes:?}");
}

#[test]
fn a_dry_run_shows_the_plan_and_writes_nothing() {
    let fed = Fed::new(2);
    let (writes, files) = (fed.orc.writes(), fed.world.snapshot());
    let outcome = fed.run("bootstrap federation.yaml --dry-run").unwrap();
    assert_eq!(outcome.stage().id(), "planned");
    let titles: Vec<_> = outcome.described_steps().iter().map(|step| (step.whose.as_deref(), step.id.id())).collect();
    assert!(titles.contains(&(Some("MyOrg2MSP"), "pair")), "{titles:?}");
    assert_eq!((fed.orc.writes(), fed.world.snapshot()), (writes, files));
}

#[test]
fn every_write_may_fail_before_or_after_its_work_and_the_next_run_completes() {
    let count = {
        let fed = Fed::new(2);
        let before = fed.orc.writes().len();
        fed.run(LINE).unwrap();
        fed.orc.writes().len() - before
    };
    assert!(count >= 5, "{count}");
    for fault in [InjectedFault::Before, InjectedFault::After] {
        for n in 0..count {
            let fed = Fed::new(2);
            fed.orc.fail_write(n, fault);
            fed.run(&format!("{LINE} --parallel 1")).unwrap_err();
            // Whoever worked before still does: the gate closes last.
            if !fed.is_closed() {
                fed.all_are_let_in(2);
            }
            fed.run(LINE).unwrap_or_else(|failure| panic!("{fault:?} at {n}: {failure}"));
            fed.all_are_let_in(2);
            assert!(fed.is_closed());
            assert_eq!(fed.run(LINE).unwrap().stage().id(), "already", "{fault:?} at {n}");
        }
    }
}

#[test]
fn an_organization_that_comes_later_changes_only_itself_and_the_orchestrator() {
    let fed = Fed::new(2);
    fed.run(LINE).unwrap();
    let old =
        fed.org(1).get(&[ObjectRef::secret("orchestrator-client-cert")]).unwrap()[0].resource_version().to_owned();
    let values = fed.world.read("orchestrator-values.yaml").replace("MyOrg2MSP]", "MyOrg2MSP, MyOrg3MSP]");
    fed.world.write("orchestrator-values.yaml", &values);
    fed.world.write("org-3.yaml", &backend(3));
    fed.world.write("federation.yaml", &federation(3, FILES, "close"));
    fed.with_backend(3);
    let before = fed.orc.writes().len();
    refused(fed.run(LINE), Exit::CheckFailed, "drift");
    fed.run(&format!("{LINE} --accept-drift")).unwrap();
    let new: Vec<_> = fed.orc.writes().split_off(before);
    assert_eq!(new, ["create secret/orchestrator-client-cert", "upgrade backend", "upgrade orchestrator"]);
    fed.all_are_let_in(3);
    let now =
        fed.org(1).get(&[ObjectRef::secret("orchestrator-client-cert")]).unwrap()[0].resource_version().to_owned();
    assert_eq!(now, old);
}

#[test]
fn one_that_fails_leaves_the_others_done_and_the_gate_open() {
    let fed = Fed::new(3);
    fed.world.write("org-2.yaml", &backend(2).replace("mspID: MyOrg2MSP", "mspID: [a, b]"));
    let failure = refused(fed.run(LINE), Exit::CheckFailed, "value");
    assert!(
        failure.what.contains("MyOrg2MSP") && failure.standing.as_ref().unwrap().text().contains("gate"),
        "{}",
        failure.what
    );
    assert!(!fed.is_closed());
    let releases = [1, 3].map(|n| fed.org(n).release(&"backend".parse().unwrap()).unwrap().unwrap().revision);
    assert_eq!(releases, [2, 2]);
    fed.world.write("org-2.yaml", &backend(2));
    fed.run(LINE).unwrap();
    fed.all_are_let_in(3);
    assert!(fed.is_closed());
}

#[test]
fn a_backend_s_missing_ca_object_is_made() {
    let fed = Fed::new(2);
    fed.org(2).remove_object(&ObjectRef::secret("orchestrator-cacert"));
    fed.run(LINE).unwrap();
    fed.all_are_let_in(2);
}

#[test]
fn a_member_that_nobody_describes_keeps_the_gate_open_until_it_is_given_up() {
    let fed = Fed::new(2);
    fed.world.write("federation.yaml", &federation(1, FILES, "close"));
    let failure = refused(fed.run(LINE), Exit::CheckFailed, "not-described");
    assert!(failure.next.contains("orchestrator.cutOff: [MyOrg2MSP]"), "{}", failure.next);
    assert!(!fed.is_closed());
    fed.all_are_let_in(2);
    fed.world.write("federation.yaml", &federation(1, FILES, "close\n  cutOff: [MyOrg2MSP]"));
    fed.run(LINE).unwrap();
    assert!(fed.is_closed());
    assert_ne!(fed.answer(2), CallOutcome::Accepted);
}

#[test]
fn the_gate_is_left_where_the_file_says_so() {
    let fed = Fed::new(2);
    fed.world.write("federation.yaml", &federation(2, FILES, "leave"));
    fed.run(LINE).unwrap();
    assert!(!fed.is_closed());
    assert!(fed.world.read("orchestrator-values.yaml").contains("MyOrg2MSP:"), "admitted in the file");
    assert_eq!(fed.run(LINE).unwrap().stage().id(), "already");
}

#[test]
fn a_server_that_would_fail_its_own_probe_keeps_the_gate_open() {
    let fed = Fed::new(1);
    fed.orc.remove_object(&ObjectRef::secret("orchestrator-tls-server-pair"));
    refused(fed.run(LINE), Exit::CheckFailed, "server-pair");
    assert!(!fed.is_closed());
}

#[test]
fn values_of_another_organization_are_refused() {
    let fed = Fed::new(2);
    fed.world.write("org-2.yaml", &backend(1).replace("org-1", "org-2"));
    refused(fed.run(LINE), Exit::CheckFailed, "organization-other");
}

#[test]
fn what_is_not_installed_is_named_and_installed_only_when_asked() {
    let fed = Fed::empty(2);
    fed.world.write("federation.yaml", &federation(2, "{create: true}", "close"));
    let files = fed.world.snapshot();
    let failure = refused(fed.run(LINE), Exit::CheckFailed, "no-release");
    assert!(failure.next.contains("--install"), "{}", failure.next);
    assert_eq!((fed.orc.writes().len(), fed.world.snapshot()), (0, files));
    fed.run(&format!("{LINE} --install")).unwrap();
    fed.all_are_let_in(2);
    assert!(fed.is_closed());
    assert!(fed.world.path("orchestrator-ca.key").exists());
    assert_eq!(fed.run(&format!("{LINE} --install")).unwrap().stage().id(), "already");
    assert_eq!(fed.run(LINE).unwrap().stage().id(), "already");
}

#[test]
fn a_federation_from_nothing_may_fail_at_every_write() {
    let count = {
        let fed = Fed::empty(1);
        fed.world.write("federation.yaml", &federation(1, "{create: true}", "close"));
        fed.run(&format!("{LINE} --install")).unwrap();
        fed.orc.writes().len()
    };
    for fault in [InjectedFault::Before, InjectedFault::After] {
        for n in 0..count {
            let fed = Fed::empty(1);
            fed.world.write("federation.yaml", &federation(1, "{create: true}", "close"));
            fed.orc.fail_write(n, fault);
            fed.run(&format!("{LINE} --install")).unwrap_err();
            fed.run(&format!("{LINE} --install")).unwrap_or_else(|failure| panic!("{fault:?} at {n}: {failure}"));
            fed.all_are_let_in(1);
            assert!(fed.is_closed(), "{fault:?} at {n}");
        }
    }
}

#[test]
fn a_second_run_from_the_same_file_at_once_is_refused() {
    let fed = Fed::new(1);
    let file = std::fs::File::open(fed.world.path("federation.yaml")).unwrap();
    file.lock().unwrap();
    let failure = fed.run(LINE).unwrap_err();
    assert_eq!(failure.code.id(), "locked");
    file.unlock().unwrap();
    fed.run(LINE).unwrap();
}

#[test]
fn a_pair_in_its_last_third_is_renewed_without_an_upgrade() {
    let mut fed = Fed::new(2);
    fed.run(LINE).unwrap();
    fed.now += Duration::from_hours(24 * 70);
    let before = fed.orc.writes().len();
    fed.run(LINE).unwrap();
    let new: Vec<_> = fed.orc.writes().split_off(before);
    assert_eq!(new, ["replace secret/orchestrator-client-cert"; 2]);
}
