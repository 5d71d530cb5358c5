//! What the requests of one batch, and the members of one bootstrap, must not share.

use std::fs;

use substra_mtls::failure::Exit;

use crate::{
    bootstrap::world::{Fed, LINE, backend, writes_nothing},
    world::{BACKEND, World},
};

/// A second organization's request, for a host and by a key file; gives its fingerprint.
pub(crate) fn second(world: &World, host: &str, key: &str) -> String {
    let values = BACKEND.replace("MyOrg1MSP", "MyOrg2MSP").replace("substra.org-1.example.org", host);
    world.write("second-values.yaml", &values);
    world.run(&format!("enroll -f second-values.yaml --key-file {key}")).ok().fact("fingerprint")
}

#[test]
fn approve_refuses_two_requests_with_one_host_and_names_both() {
    let world = World::new();
    let (first, other) = (world.request(), second(&world, "substra.org-1.example.org", "second.key"));
    let before = world.snapshot();
    let claims = format!("--fingerprint MyOrg1MSP={first} --fingerprint MyOrg2MSP={other}");
    let ran = world.approve("MyOrg1MSP.csr MyOrg2MSP.csr", &claims).refused(5, "request-host");
    let what = "MyOrg2MSP.csr: its name substra.org-1.example.org is in MyOrg1MSP.csr too";
    assert!(ran.stderr.contains(what), "{}", ran.stderr);
    assert!(ran.stderr.contains("MyOrg1MSP and MyOrg2MSP could each pose"), "{}", ran.stderr);
    assert_eq!(world.snapshot(), before);
}

#[test]
fn approve_refuses_two_requests_with_one_key() {
    let world = World::new();
    world.request();
    second(&world, "substra.org-2.example.org", "MyOrg1MSP.key");
    let before = world.snapshot();
    let ran = world.approve("MyOrg1MSP.csr MyOrg2MSP.csr", "--unverified-mail").refused(5, "request-key-of-another");
    assert!(ran.stderr.contains("MyOrg2MSP.csr: its key is in MyOrg1MSP.csr too"), "{}", ran.stderr);
    assert_eq!(world.snapshot(), before);
}

/// Two certificates with one host, as a version signed them that did not compare within a batch.
#[test]
fn approve_gives_a_request_of_the_log_out_again_whoever_else_has_its_host() {
    let world = World::new();
    world.request();
    second(&world, "substra.org-1.example.org", "second.key");
    world.approve("MyOrg1MSP.csr", "--unverified-mail").ok();
    let first = world.read("ca.issued.jsonl");
    fs::remove_file(world.path("ca.issued.jsonl")).unwrap();
    world.approve("MyOrg2MSP.csr", "--unverified-mail").ok();
    world.write("ca.issued.jsonl", &(first + &world.read("ca.issued.jsonl")));
    let before = world.snapshot();
    for csr in ["MyOrg1MSP.csr", "MyOrg2MSP.csr"] {
        world.approve(csr, "--unverified-mail").ok();
    }
    assert_eq!(world.snapshot(), before);
    world.run("enroll -f backend-values.yaml --key-file renewed.key --out-dir .").ok();
    world.approve("MyOrg1MSP.csr", "--unverified-mail").refused(5, "request-host");
}

#[test]
fn approve_refuses_the_chart_s_default_organization() {
    let world = World::new();
    world.write("orchestrator-values.yaml", &crate::world::ORCHESTRATOR.replace("MyOrg2MSP", "OwkinPeerMSP"));
    let key = substra_mtls::pki::key::PrivateKey::generate(substra_mtls::pki::key::KeyType::EcdsaP256).unwrap();
    let (org, host) = ("OwkinPeerMSP".parse().unwrap(), "substra.org-2.example.org".parse().unwrap());
    world.write("a.csr", &substra_mtls::pki::request::create(&key, &org, &host).unwrap());
    world.approve("a.csr", "--unverified-mail").refused(5, "msp-id");
}

#[test]
fn bootstrap_refuses_two_backends_of_one_host() {
    let fed = Fed::new(2);
    fed.world.write("org-2.yaml", &backend(2).replace("substra.org-2", "substra.org-1"));
    fed.install(&fed.org(2), "backend", crate::bootstrap::world::chart("substra-backend", "26.15.3"), "org-2.yaml");
    let told = writes_nothing(&fed, LINE, Exit::Refused, "request-host");
    for whose in ["the values of MyOrg1MSP", "the values of MyOrg2MSP", "substra.org-1.example.org"] {
        assert!(told.contains(whose), "{told}");
    }
}

#[test]
fn rehearse_refuses_a_federation_file_with_two_backends_of_one_host() {
    let world = World::new();
    crate::rehearse::federation(&world, "{create: true}", "close");
    world.run("rehearse federation.yaml").ok();
    let other = world.read("two.yaml");
    world.write("two.yaml", &other.replace("substra.org-2", "substra.org-1"));
    assert_ne!(world.read("two.yaml"), other);
    world.run("rehearse federation.yaml").refused(5, "request-host");
}
