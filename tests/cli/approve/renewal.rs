//! Renewals that the key of the certificate before vouches for: one successor each, and the alarm where there are two.

use std::fs;

use substra_mtls::pki::{
    inspect::{Certificate, certificates},
    key::{KeyType, PrivateKey},
    proof, request,
};

use super::batch::second;
use crate::{golden::Golden, ran::Ran, world::World};

/// A world in which `MyOrg1MSP` has a certificate whose fingerprint was compared.
fn enrolled() -> World {
    let world = World::new();
    let fingerprint = world.request();
    world.approve("MyOrg1MSP.csr", &format!("--fingerprint MyOrg1MSP={fingerprint}")).ok();
    world
}

fn certificate(world: &World, file: &str) -> Certificate {
    certificates(world.read(file).as_bytes()).unwrap().remove(0)
}

/// A request with a new key, and the proof by the key in `MyOrg1MSP.key` and the certificate in `MyOrg1MSP.crt`; the new
/// key goes into `key`.
pub(super) fn renewal(world: &World, file: &str, key: &str) -> String {
    renewal_of(world, "MyOrg1MSP", "substra.org-1.example.org", "MyOrg1MSP.key", file, key)
}

fn renewal_of(world: &World, org: &str, host: &str, live: &str, file: &str, key: &str) -> String {
    let next = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let pem = request::create(&next, &org.parse().unwrap(), &host.parse().unwrap()).unwrap();
    let live = PrivateKey::from_pem(world.read(live).as_bytes(), None).unwrap();
    let der = request::der(pem.as_bytes()).unwrap();
    let proof = proof::create(&der, &live, &certificate(world, &format!("{org}.crt"))).unwrap();
    world.write(file, &(pem + &proof));
    world.write(key, &next.to_pem());
    next.fingerprint().to_string()
}

fn log(world: &World) -> Vec<serde_json::Value> {
    world.read("ca.issued.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn renew(world: &World, files: &str) -> Ran {
    world.approve(files, "--renewals")
}

#[test]
fn a_renewal_needs_no_phone_call() {
    let world = enrolled();
    let first = certificate(&world, "MyOrg1MSP.crt");
    let values = world.read("orchestrator-values.yaml");
    renewal(&world, "MyOrg1MSP.csr", "next.key");
    let ran = world.approve("MyOrg1MSP.csr", "").ok();
    let until = substra_mtls::times::rfc3339(first.not_after);
    let said = format!("renewal      vouched for by certificate {}, valid until {until}", first.serial);
    assert!(ran.stderr.contains(&said), "{said}: {}", ran.stderr);
    assert_eq!(world.read("orchestrator-values.yaml"), values, "it is admitted already");
    let entry = &log(&world)[1];
    assert_eq!((entry["kind"].as_str(), entry["predecessor"].as_str()), (Some("renewal"), Some(first.serial.as_str())));
    assert_eq!(entry["unverifiedMail"], false);
    let second = certificate(&world, "MyOrg1MSP.crt");
    assert_eq!(entry["serial"].as_str(), Some(second.serial.as_str()));
    let before = world.snapshot();
    world.approve("MyOrg1MSP.csr", "").ok();
    assert_eq!(world.snapshot(), before, "the same request, the same certificate");
}

#[test]
fn scripts_see_how_each_request_was_identified() {
    let world = enrolled();
    let first = certificate(&world, "MyOrg1MSP.crt");
    renewal(&world, "MyOrg1MSP.csr", "next.key");
    let json = |ran: Ran| serde_json::from_str::<serde_json::Value>(&ran.ok().stdout).unwrap();
    let signed = json(world.approve("MyOrg1MSP.csr", "-o json"));
    let of = &signed["result"]["certificates"][0];
    assert_eq!((of["identified"].as_str(), of["predecessor"].as_str()), (Some("renewal"), Some(first.serial.as_str())));
    let again = json(world.approve("MyOrg1MSP.csr", "-o json"));
    assert_eq!(again["result"]["certificates"][0]["identified"], serde_json::Value::Null, "it was answered before");
}

#[test]
fn who_wants_a_fingerprint_gets_no_less_than_one() {
    let world = enrolled();
    let print = renewal(&world, "MyOrg1MSP.csr", "next.key");
    let before = world.snapshot();
    world.approve("MyOrg1MSP.csr", "--require-fingerprint").refused(5, "request-fingerprint");
    assert_eq!(world.snapshot(), before);
    world.approve("MyOrg1MSP.csr", &format!("--require-fingerprint --fingerprint MyOrg1MSP={print}")).ok();
    assert_eq!((&log(&world)[1]["kind"], &log(&world)[1]["compared"]), (&"renewal".into(), &true.into()));
}

#[test]
fn a_wrong_fingerprint_is_not_outweighed_by_a_proof() {
    let world = enrolled();
    renewal(&world, "MyOrg1MSP.csr", "next.key");
    let before = world.snapshot();
    let wrong = format!("--fingerprint MyOrg1MSP=SHA256:{}", "0".repeat(64));
    world.approve("MyOrg1MSP.csr", &wrong).refused(5, "request-fingerprint");
    assert_eq!(world.snapshot(), before);
}

#[test]
fn what_began_with_unverified_mail_needs_a_fingerprint_once() {
    let world = World::new();
    world.request();
    world.approve("MyOrg1MSP.csr", "--unverified-mail").ok();
    let print = renewal(&world, "MyOrg1MSP.csr", "second.key");
    let ran = world.approve("MyOrg1MSP.csr", "");
    let said = ran.refused(5, "proof-unverified").stderr;
    assert!(said.contains("this once, ask MyOrg1MSP's operator by phone"), "{said}");
    world.approve("MyOrg1MSP.csr", &format!("--fingerprint MyOrg1MSP={print}")).ok();
    world.write("MyOrg1MSP.key", &world.read("second.key"));
    renewal(&world, "MyOrg1MSP.csr", "third.key");
    world.approve("MyOrg1MSP.csr", "").ok();
}

/// The thief has renewed first: `stolen.csr` has the proof by the same key as `MyOrg1MSP.csr`, and was signed.
fn thief() -> World {
    let world = enrolled();
    world.write("first.crt", &world.read("MyOrg1MSP.crt"));
    renewal(&world, "MyOrg1MSP.csr", "own.key");
    renewal(&world, "stolen.csr", "thief.key");
    world.approve("stolen.csr", "").ok();
    world
}

#[test]
fn a_second_successor_is_an_alarm_that_freezes_the_organization_until_it_is_settled() {
    let world = thief();
    let (first, taken) = (certificate(&world, "first.crt"), certificate(&world, "MyOrg1MSP.crt"));
    let before = world.read("MyOrg1MSP.crt");
    let said = world.approve("MyOrg1MSP.csr", "").refused(5, "proof-second-successor").stderr;
    for named in [&first.serial, &taken.serial] {
        assert!(said.contains(named.as_str()), "{named} is not named: {said}");
    }
    assert!(said.contains("nothing was signed; the alarm is in the issue log"), "{said}");
    assert_eq!((world.read("MyOrg1MSP.crt"), log(&world).len()), (before, 3));
    assert_eq!((&log(&world)[2]["kind"], &log(&world)[2]["successor"]), (&"alarm".into(), &taken.serial.into()));
    world.approve("MyOrg1MSP.csr", "").refused(5, "proof-second-successor");
    world.approve("MyOrg1MSP.csr", "--unverified-mail").refused(5, "proof-second-successor");
    assert_eq!(log(&world).len(), 3, "one request is one alarm");
    // The thief goes on from what was signed.
    let (own, stolen) = (world.read("own.key"), world.read("thief.key"));
    world.write("MyOrg1MSP.key", &stolen);
    renewal(&world, "further.csr", "further.key");
    world.approve("further.csr", "").refused(5, "proof-alarm");
    world.approve("", "--settle MyOrg1MSP --keep ff").refused(3, "no-alarm");
    world.approve("", "--settle MyOrg2MSP --keep ff").refused(3, "no-alarm");
    let settled = world.approve("", &format!("--settle MyOrg1MSP --keep {}", first.serial)).ok();
    assert_eq!(settled.fact("MyOrg1MSP keeps"), first.serial);
    world.approve("further.csr", "").refused(5, "proof-ended");
    // What the organization asked for first is now the one successor.
    world.approve("MyOrg1MSP.csr", "").ok();
    world.write("MyOrg1MSP.key", &own);
    renewal(&world, "MyOrg1MSP.csr", "later.key");
    world.approve("MyOrg1MSP.csr", "").ok();
    world.approve("", &format!("--settle MyOrg1MSP --keep {}", first.serial)).refused(3, "no-alarm");
}

#[test]
fn a_lost_request_is_signed_by_fingerprint_and_what_it_replaces_vouches_for_nothing() {
    let world = thief();
    let taken = world.read("MyOrg1MSP.crt");
    let own = PrivateKey::from_pem(world.read("own.key").as_bytes(), None).unwrap().fingerprint();
    world.approve("MyOrg1MSP.csr", &format!("--fingerprint MyOrg1MSP={own}")).ok();
    assert_eq!(log(&world).iter().filter(|line| line["kind"] == "alarm").count(), 0);
    let kept = world.read("MyOrg1MSP.crt");
    world.write("MyOrg1MSP.crt", &taken);
    world.write("MyOrg1MSP.key", &world.read("thief.key"));
    renewal(&world, "further.csr", "further.key");
    world.write("MyOrg1MSP.crt", &kept);
    world.approve("further.csr", "").refused(5, "proof-ended");
}

#[test]
fn a_dry_run_raises_no_alarm() {
    let world = thief();
    let before = world.snapshot();
    let said = world.approve("MyOrg1MSP.csr", "--dry-run").refused(5, "proof-second-successor").stderr;
    assert!(said.contains("nothing was signed and nothing was written"), "{said}");
    assert_eq!(world.snapshot(), before);
}

#[test]
fn unattended_nothing_is_signed_but_what_is_vouched_for() {
    let world = enrolled();
    let values = world.read("orchestrator-values.yaml");
    renew(&world, "*.none").ok();
    renewal(&world, "MyOrg1MSP.csr", "next.key");
    second(&world, "substra.org-2.example.org", "second.key");
    world.write("README.csr", "hello");
    let ran = renew(&world, "MyOrg1MSP.csr MyOrg2MSP.csr README.csr");
    let said = ran.refused(3, "request-fingerprint").stderr;
    assert!(said.contains("MyOrg2MSP has to be called"), "{said}");
    assert!(
        said.contains("unchanged: nothing of MyOrg2MSP was signed") && !said.contains("nothing was written"),
        "{said}"
    );
    assert!(said.contains("not read: README.csr: its name is not ORG.csr of a member"), "{said}");
    assert_eq!((log(&world).len(), &log(&world)[1]["kind"]), (2, &"renewal".into()), "the others go on");
    assert_eq!(world.read("orchestrator-values.yaml"), values);
    assert!(!world.path("MyOrg2MSP.crt").exists());
    let before = world.snapshot();
    renew(&world, "MyOrg1MSP.csr").ok();
    fs::remove_file(world.path("MyOrg1MSP.crt")).unwrap();
    renew(&world, "MyOrg1MSP.csr").ok();
    assert_eq!(world.snapshot(), before, "answered before: the same bytes");
}

#[test]
fn unattended_a_second_successor_stops_its_organization_alone() {
    let world = thief();
    let second_print = second(&world, "substra.org-2.example.org", "MyOrg2MSP.key");
    world.approve("MyOrg2MSP.csr", &format!("--fingerprint MyOrg2MSP={second_print}")).ok();
    renewal_of(&world, "MyOrg2MSP", "substra.org-2.example.org", "MyOrg2MSP.key", "MyOrg2MSP.csr", "next.key");
    let taken = world.read("MyOrg1MSP.crt");
    let said = renew(&world, "MyOrg1MSP.csr MyOrg2MSP.csr").refused(5, "proof-second-successor").stderr;
    assert!(said.contains("MyOrg1MSP"), "{said}");
    let kinds: Vec<_> = log(&world).iter().map(|line| line["kind"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["certificate", "renewal", "certificate", "alarm", "renewal"]);
    assert_eq!(world.read("MyOrg1MSP.crt"), taken);
}

#[test]
fn unattended_an_older_certificate_never_replaces_a_newer_one() {
    let world = enrolled();
    renewal(&world, "MyOrg1MSP.csr", "next.key");
    let older = world.read("MyOrg1MSP.csr");
    world.approve("MyOrg1MSP.csr", "").ok();
    world.write("MyOrg1MSP.key", &world.read("next.key"));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    renewal(&world, "MyOrg1MSP.csr", "later.key");
    world.approve("MyOrg1MSP.csr", "").ok();
    let newest = world.read("MyOrg1MSP.crt");
    world.write("MyOrg1MSP.csr", &older);
    renew(&world, "MyOrg1MSP.csr").ok();
    assert_eq!(world.read("MyOrg1MSP.crt"), newest);
}

#[test]
fn answers_of_renewals_are_pinned() {
    let mut golden = Golden::of("approve-renewals", answers_of_renewals_are_pinned);
    let world = thief();
    let mut ran = |what, files: &str, more: &str| {
        golden.ran(what, &world.approve(files, &format!("{more} -o json")));
    };
    ran("no request is there", "*.none", "--renewals");
    ran("a second successor", "MyOrg1MSP.csr", "--renewals");
    let first = certificate(&world, "first.crt").serial;
    ran("an alarm that nobody raised", "", "--settle MyOrg2MSP --keep ff");
    ran("another certificate to keep", "", "--settle MyOrg1MSP --keep ff");
    ran("settling is planned", "", &format!("--settle MyOrg1MSP --keep {first} --dry-run"));
    ran("settled", "", &format!("--settle MyOrg1MSP --keep {first}"));
    ran("a renewal is planned", "MyOrg1MSP.csr", "--renewals --dry-run");
    ran("renewed, and a stranger's file", "MyOrg1MSP.csr README.csr", "--renewals");
    ran("answered before", "MyOrg1MSP.csr", "--renewals");
    second(&world, "substra.org-2.example.org", "second.key");
    ran("a first request", "MyOrg2MSP.csr", "--renewals");
    golden.pinned();
}
