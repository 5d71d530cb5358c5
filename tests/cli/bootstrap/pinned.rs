//! The answers of `bootstrap`, as scripts read them.

use substra_mtls::cluster::simulated::InjectedFault;

use super::world::{FILES, Fed, backend, federation};
use crate::{golden::Golden, world::World};

/// One organization after the other, so that what is told has one order.
const LINE: &str = "bootstrap federation.yaml --yes --parallel 1";

#[test]
fn answers_of_bootstrap_are_pinned() {
    let mut golden = Golden::of("bootstrap", answers_of_bootstrap_are_pinned);
    let fed = Fed::new(2);
    golden.result("planned", fed.outcome(&format!("{LINE} --dry-run")));
    golden.result("done", fed.outcome(LINE));
    golden.result("already", fed.outcome(LINE));
    let fed = Fed::new(2);
    fed.world.write("org-2.yaml", &backend(2).replace("mspID: MyOrg2MSP", "mspID: [a, b]"));
    golden.result("one of two failed", fed.outcome(LINE));
    let fed = Fed::new(2);
    fed.orc.fail_write(3, InjectedFault::Before);
    golden.result("an upgrade failed", fed.outcome(LINE));
    let fed = Fed::new(2);
    fed.orc.fail_write(4, InjectedFault::Before);
    golden.result("the last part failed", fed.outcome(LINE));
    let fed = Fed::new(2);
    fed.world.write("federation.yaml", &federation(2, FILES, "leave"));
    golden.result("the gate is left", fed.outcome(LINE));
    fed.world.write("federation.yaml", &federation(1, FILES, "close"));
    golden.result("a member is not described", fed.outcome(LINE));
    let lock = std::fs::File::open(fed.world.path("federation.yaml")).unwrap();
    lock.lock().unwrap();
    golden.result("locked", fed.outcome(LINE));
    drop(lock);
    fed.world.write("federation.yaml", "apiVersion: substra-mtls/v1\nkind: Federation\norchestratr: 1\n");
    golden.result("a key that is unknown", fed.outcome(LINE));
    golden.ran("no file", &World::new().run("bootstrap missing.yaml -o json"));
    golden.pinned();
}

#[test]
fn answers_of_bootstrap_half_way_are_pinned() {
    let mut golden = Golden::of("bootstrap-half-way", answers_of_bootstrap_half_way_are_pinned);
    // The writes are each organization's pair and upgrade, then the orchestrator's upgrade.
    for (what, at, fault) in [
        ("the first pair failed", 0, InjectedFault::Before),
        ("the second pair failed", 2, InjectedFault::Before),
        ("the second upgrade did nothing", 3, InjectedFault::Idle),
    ] {
        let fed = Fed::new(2);
        fed.orc.fail_write(at, fault);
        golden.result(what, fed.outcome(LINE));
        golden.result(&format!("{what}, and the next run"), fed.outcome(LINE));
    }
    golden.pinned();
}
