//! `ca init` run again: the server pair is renewed, and loaded by new pods.

use super::*;

#[test]
fn a_renewal_cut_short_is_completed_with_its_restart() {
    for fault in [InjectedFault::Before, InjectedFault::After] {
        for at in 0..2 {
            let site = Site::new();
            site.init("").unwrap();
            site.orc.fail_write(at, fault);
            let writes = site.changes(|| {
                failed_fault(site.init("--host other.example.org"));
                site.init("--host other.example.org").unwrap();
            });
            assert_eq!(writes.last().map(String::as_str), Some(RESTART), "{at} {fault:?}: {writes:?}");
            assert!(site.answers("other.example.org") && site.answers("orchestrator.example.org"));
            assert_eq!(site.init("").unwrap().stage().id(), "already", "the name is kept without being given again");
        }
    }
}

#[test]
fn the_pair_is_renewed_in_its_last_third_and_not_before() {
    let mut site = Site::new();
    site.init("").unwrap();
    let old = site.pair();
    site.later(260);
    assert_eq!(site.init("").unwrap().stage().id(), "already");
    site.later(10);
    let writes = site.changes(|| assert_eq!(site.init("").unwrap().stage().id(), "renewed"));
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
    assert_eq!(site.init("").unwrap().stage().id(), "already");
}

#[test]
fn a_pair_that_cannot_pass_its_own_probe_is_renewed() {
    let host = ["orchestrator.example.org"];
    for recipe in [
        server(&host, LeafUsage::Server),
        server(&host, LeafUsage::Client),
        server(&["else.example.org"], LeafUsage::Both),
        CertificateRecipe { expired: true, ..server(&host, LeafUsage::Both) },
    ] {
        let site = Site::new();
        site.init("").unwrap();
        site.put_pair(&recipe, "orchestrator-ca.crt", "orchestrator-ca.key");
        let writes = site.changes(|| assert_eq!(site.init("").unwrap().stage().id(), "renewed"));
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
    let writes = site.changes(|| assert_eq!(site.init("--host other.example.org").unwrap().stage().id(), "renewed"));
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
