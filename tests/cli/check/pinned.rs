//! The answers of `check`, as scripts read them.

use substra_mtls::cluster::ObjectRef;

use super::{live, world::Scene};
use crate::{
    bootstrap::world::{Fed, LINE},
    check_federation::checked,
    golden::Golden,
    world::World,
};

#[test]
fn answers_of_check_are_pinned() {
    let mut golden = Golden::of("check", answers_of_check_are_pinned);
    let mut scene = Scene::new();
    golden.result("a good backend", scene.outcome("backend"));
    golden.result("a good orchestrator", scene.outcome("orchestrator"));
    scene.more = "-q".into();
    golden.result("a good backend, quietly", scene.outcome("backend"));
    let address = live::listen(&scene, Some(live::server(&scene, true, true)));
    scene.more = format!("--only live-own --only live-without --only live-other --live --connect {address}");
    golden.result("live", scene.outcome("backend"));
    scene.more = "--fail-on warning --only pair-ends".into();
    scene.federation.now += time::Duration::days(61);
    golden.result("a pair that ends soon", scene.outcome("backend"));
    scene.more = "--only mount-missing --only rights".into();
    scene.federation.org.remove_object(&ObjectRef::secret("orchestrator-client-cert"));
    golden.result("a missing pair", scene.outcome("backend"));
    scene.view.forbidden = vec!["objects"];
    golden.result("small rights", scene.outcome("backend"));
    scene.more = "--quiet".into();
    golden.result("small rights, quietly", scene.outcome("backend"));
    let mut scene = Scene::new();
    scene.deploy("orchestrator", "tls-cacert\n      enabled: true", "tls-cacert\n      enabled: false");
    scene.more = "--only server-pair --only mount-missing --only tls".into();
    golden.result("a step that is next", scene.outcome("orchestrator"));
    scene.federation.orc.remove_object(&ObjectRef::secret("orchestrator-tls-server-pair"));
    golden.result("a problem comes before the step", scene.outcome("orchestrator"));
    let world = World::new();
    golden.ran("no helm", &world.run("check -f backend-values.yaml --only tools --only tls -o json"));
    golden.ran("an explanation", &world.run("check --explain passthrough -o json"));
    golden.pinned();
}

#[test]
fn answers_of_check_of_a_federation_are_pinned() {
    let mut golden = Golden::of("check-federation", answers_of_check_of_a_federation_are_pinned);
    let fed = Fed::new(2);
    golden.result("before", checked(&fed, "--only pair --only identity-check", ""));
    fed.run(LINE).unwrap();
    golden.result("after", checked(&fed, "", ""));
    golden.result("one that is out of reach", checked(&fed, "--only tools", "org-1"));
    golden.ran("no file", &World::new().run("check missing.yaml -o json"));
    golden.pinned();
}
