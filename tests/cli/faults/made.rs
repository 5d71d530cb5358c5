//! The worlds in which the verbs are run.

use std::fs;

use substra_mtls::{
    cluster::{
        ChartVersion, Kubernetes, Object, PAIR_TYPE,
        simulated::{SimulatedCluster, SimulatedSops},
    },
    pki::{authority::create_root, key::KeyType},
    times::Clock,
    values,
};

use super::{Place, place};
use crate::{
    bootstrap::{self, world::Fed},
    scripted::Scripted,
    simulated::Federation,
    world::{BACKEND, World},
};

fn of(federation: &Federation) -> Place {
    place(&federation.world.path(""), Scripted::of(&federation.orc))
}

fn after(steps: impl FnOnce(&Federation)) -> Place {
    let federation = Federation::new();
    steps(&federation);
    of(&federation)
}

/// TLS is on; nobody has asked for a certificate.
pub(super) fn connected() -> Place {
    after(|_| {})
}

pub(super) fn approved() -> Place {
    after(approve)
}

pub(super) fn installed() -> Place {
    after(install)
}

pub(super) fn closed() -> Place {
    after(close)
}

/// The certificate of a new key is there; the old pair is live.
pub(super) fn renewal_approved() -> Place {
    after(|federation| {
        close(federation);
        federation.enroll("--renew").unwrap();
        federation.approve().unwrap();
    })
}

pub(super) fn requested_of_a_secret() -> Place {
    after(|federation| {
        let [certificate, key] = ["ca.crt", "ca.key"].map(|name| federation.world.read(name));
        let pair: [(&str, &[u8]); 2] = [("tls.crt", certificate.as_bytes()), ("tls.key", key.as_bytes())];
        federation.orc.create(&Object::secret("federation-ca", PAIR_TYPE, &[], &pair)).unwrap();
        federation.enroll("").unwrap();
    })
}

/// Behind a closed gate a second organization has joined the channel and asks.
pub(super) fn second_requested() -> Place {
    after(|federation| {
        close(federation);
        let world = &federation.world;
        let text = world.read("orchestrator-values.yaml").replace("[MyOrg1MSP]", "[MyOrg1MSP, MyOrg2MSP]");
        world.write("orchestrator-values.yaml", &text);
        install_orchestrator(&federation.orc, &text);
        world.write("two.yaml", &BACKEND.replace("MyOrg1MSP", "MyOrg2MSP").replace("org-1", "org-2"));
        world.run("enroll -f two.yaml --key-file two.key").ok();
    })
}

pub(super) fn closed_with_another_ca() -> Place {
    after(|federation| {
        close(federation);
        let (_, pem) = create_root(KeyType::EcdsaP256, federation.orc.clock().now()).unwrap();
        federation.world.write("other-ca.crt", &pem);
    })
}

/// Two organizations with TLS on and without pairs, and the file that closes the gate.
pub(super) fn federation() -> Place {
    let fed = Fed::new(2);
    place(&fed.world.path(""), Scripted::of(&fed.orc))
}

/// The same two with nothing installed, and no CA.
pub(super) fn files_of_a_federation() -> Place {
    let fed = Fed::empty(2);
    fed.world.write("federation.yaml", &bootstrap::world::federation(2, "{create: true}", "close"));
    place(&fed.world.path(""), Scripted::of(&fed.orc))
}

/// What the walkthrough's part before TLS leaves.
pub(super) fn plain() -> Place {
    let (world, orc) = (World::new(), SimulatedCluster::new("orchestrator", &Clock::system()));
    world.write("orchestrator-values.yaml", crate::ca::PLAIN);
    install_orchestrator(&orc, crate::ca::PLAIN);
    place(&world.path(""), Scripted::of(&orc))
}

/// The same place with both sides' values files encrypted.
pub(super) fn encrypted(place: Place) -> Place {
    for name in ["backend-values.yaml", "orchestrator-values.yaml"] {
        let path = place.files.path().join(name);
        let plain = fs::read(&path).unwrap();
        fs::write(path, SimulatedSops::encrypt(&plain).unwrap()).unwrap();
    }
    place
}

fn approve(federation: &Federation) {
    federation.enroll("").unwrap();
    federation.approve().unwrap();
}

fn install(federation: &Federation) {
    approve(federation);
    federation.install().unwrap();
}

fn close(federation: &Federation) {
    install(federation);
    federation.close("").unwrap();
}

fn install_orchestrator(orc: &SimulatedCluster, text: &str) {
    let chart = ChartVersion { name: "orchestrator".into(), version: "8.8.0".into() };
    orc.install("orchestrator", chart, values::read(text.as_bytes()).unwrap()).unwrap();
}
