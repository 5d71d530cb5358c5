//! What every verb answers to a command line that it cannot read.

use super::Golden;
use crate::world::World;

#[test]
fn answers_to_wrong_command_lines_are_pinned() {
    let mut golden = Golden::of("usage", answers_to_wrong_command_lines_are_pinned);
    let world = World::new();
    for line in [
        "nonsense",
        "enroll",
        "enroll -f backend-values.yaml --key-type dsa",
        "enroll -f backend-values.yaml --renew --new-request",
        "approve",
        "approve a.csr -f orchestrator-values.yaml",
        "approve a.csr -f orchestrator-values.yaml --ca-cert a --ca-key b --fingerprint x",
        "gate",
        "gate close",
        "gate open --nonsense",
        "ca",
        "ca init",
        "ca trust -f orchestrator-values.yaml",
        "ca show",
        "check",
        "check --explain nonsense",
        "check -f backend-values.yaml --only nonsense",
        "bootstrap",
        "rehearse --backend backend-values.yaml",
        "enroll -f backend-values.yaml -n UPPER",
        "enroll -f backend-values.yaml --timeout soon",
    ] {
        golden.ran(line, &world.run(&format!("{line} -o json")));
    }
    golden.pinned();
}
