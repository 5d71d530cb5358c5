//! What the plan shows, and that nothing is signed before somebody has agreed to it.

use std::fs;

use serde_json::Value;
use substra_mtls::pki::{
    key::{KeyType, PrivateKey},
    request,
};

use super::batch::second;
use crate::world::{BACKEND, World};

const BARE: &str = "approve MyOrg1MSP.csr -f orchestrator-values.yaml --offline --unverified-mail";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A certificate that was signed and thrown away would have a number.
#[test]
fn a_dry_run_of_approve_signs_nothing_and_shows_what_would_be_signed() {
    let world = World::new();
    let claim = format!("--fingerprint MyOrg1MSP={} --dry-run", world.request());
    let before = world.snapshot();
    let ran = world.approve("MyOrg1MSP.csr", &format!("{claim} -o json")).ok();
    let certificate = json(&ran.stdout)["result"]["certificates"][0].clone();
    assert_eq!(certificate.get("serial"), None);
    assert_eq!(certificate["again"], false);
    let shown = world.approve("MyOrg1MSP.csr", &format!("{claim} --validity 30d")).ok().stderr;
    for line in ["  host         substra.org-1.example.org", "  key          ecdsa-p256, SHA256:", "  valid        20"]
    {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    assert_eq!(world.snapshot(), before);
    let at = |key: &str| certificate[key].as_str().unwrap().to_owned();
    let parsed =
        |text: &str| time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).unwrap();
    assert_eq!((parsed(&at("notAfter")) - parsed(&at("notBefore"))).whole_days(), 90);
}

/// Without a terminal a question ends as "no-terminal": what is refused before it was found before it.
#[test]
fn a_ca_whose_name_constraints_do_not_fit_is_found_before_the_question_and_by_the_dry_run() {
    let world = World::new();
    world.request();
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let mut ca = rcgen::CertificateParams::default();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
    ca.not_after = time::OffsetDateTime::now_utc() + time::Duration::days(1000);
    let within = |domain: &str| {
        let permitted_subtrees = vec![rcgen::GeneralSubtree::DnsName(domain.to_owned())];
        let mut ca = ca.clone();
        ca.name_constraints = Some(rcgen::NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
        ca.self_signed(&key).unwrap().pem()
    };
    world.write("narrow.crt", &within("org-2.example.org"));
    world.write("narrow.key", &key.to_pem());
    world.chmod("narrow.key", 0o600);
    let before = world.snapshot();
    let line = format!("{BARE} --ca-cert narrow.crt --ca-key narrow.key");
    for more in ["", " --dry-run", " --yes"] {
        let ran = world.run(&format!("{line}{more}")).refused(5, "authority-does-not-fit");
        assert!(ran.stderr.contains("cannot vouch for substra.org-1.example.org"), "{}", ran.stderr);
        assert_eq!(world.snapshot(), before, "{more}");
    }
    world.write("narrow.crt", &within("org-1.example.org"));
    world.run(&line).refused(2, "no-terminal");
    world.run(&format!("{line} --yes")).ok();
}

#[test]
fn a_folder_that_is_missing_is_found_before_the_question_and_by_the_dry_run() {
    let world = World::new();
    world.request();
    let line = format!("{BARE} --ca-cert ca.crt --ca-key ca.key --out-dir missing");
    for more in ["", " --dry-run", " --yes"] {
        let ran = world.run(&format!("{line}{more}")).refused(1, "file-unwritable");
        assert!(ran.stderr.contains("no such file or directory"), "{}", ran.stderr);
    }
    fs::create_dir(world.path("missing")).unwrap();
    world.run(&format!("{line} --dry-run")).ok();
    world.run(&line).refused(2, "no-terminal");
}

#[test]
fn the_certificate_that_leaves_is_the_one_in_the_log() {
    let world = World::new();
    world.request();
    second(&world, "substra.org-2.example.org", "second.key");
    world.approve("MyOrg1MSP.csr MyOrg2MSP.csr", "--unverified-mail").ok();
    let log = world.read("ca.issued.jsonl");
    for line in log.lines().map(json) {
        let pem = world.read(&format!("{}.crt", line["organization"].as_str().unwrap()));
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        assert_eq!(line["certificate"], body);
    }
    assert_eq!(log.lines().count(), 2);
}

/// Nobody has phoned: what would be copied into `--fingerprint` stands nowhere.
#[test]
fn no_refusal_and_no_dry_run_tells_the_fingerprint_that_would_pass() {
    let world = World::new();
    let fingerprint = world.request();
    let digits = fingerprint.trim_start_matches("SHA256:");
    let wrong = format!("--fingerprint MyOrg1MSP=SHA256:{}", "0".repeat(64));
    let contradictory = format!("--fingerprint MyOrg1MSP={fingerprint} {wrong}");
    let mistaken = format!("--fingerprint MyOrg2MSP=SHA256:{}", "0".repeat(64));
    for (claim, status) in [
        ("", 5),
        (wrong.as_str(), 5),
        (contradictory.as_str(), 5),
        (mistaken.as_str(), 5),
        ("--dry-run", 5),
        ("--unverified-mail --dry-run", 0),
    ] {
        for format in ["text", "json"] {
            let ran = world.approve("MyOrg1MSP.csr", &format!("{claim} -o {format}"));
            assert_eq!(ran.status, status, "{claim}: {}", ran.stderr);
            for text in [&ran.stdout, &ran.stderr] {
                assert!(!text.contains(&digits[..8]) && !text.contains(&digits[56..]), "{claim} {format}: {text}");
            }
        }
    }
    world.run(BARE).refused(2, "usage");
    let unasked = world.run(&format!("{BARE} --ca-cert ca.crt --ca-key ca.key")).refused(2, "no-terminal");
    assert!(!unasked.stderr.contains(&digits[..8]), "{}", unasked.stderr);
}

#[test]
fn two_fingerprints_for_one_organization_are_refused_in_either_order() {
    let world = World::new();
    let right = format!("--fingerprint MyOrg1MSP={}", world.request());
    let wrong = format!("--fingerprint MyOrg1MSP=SHA256:{}", "0".repeat(64));
    let before = world.snapshot();
    for claims in [format!("{right} {wrong}"), format!("{wrong} {right}")] {
        let ran = world.approve("MyOrg1MSP.csr", &claims).refused(5, "request-fingerprint");
        assert!(ran.stderr.contains("two different fingerprints were given for MyOrg1MSP"), "{}", ran.stderr);
    }
    assert_eq!(world.snapshot(), before);
    world.approve("MyOrg1MSP.csr", &format!("{right} {right}")).ok();
}

#[test]
fn what_is_given_out_again_says_so_and_claims_no_entry_of_the_log() {
    let world = World::new();
    world.request();
    let first = world.approve("MyOrg1MSP.csr", "--unverified-mail").ok();
    assert!(first.stderr.contains("and the log will say so") && !first.stderr.contains("  again "), "{}", first.stderr);
    fs::remove_file(world.path("MyOrg1MSP.crt")).unwrap();
    let log = world.read("ca.issued.jsonl");
    let again = world.approve("MyOrg1MSP.csr", "--unverified-mail --validity 1d").ok().stderr;
    assert!(
        again.contains("it gets the same certificate; nothing new is signed or logged, and --validity changes nothing"),
        "{again}"
    );
    assert!(!again.contains("and the log will say so"), "{again}");
    assert_eq!(world.read("ca.issued.jsonl"), log);
}

#[test]
fn a_ca_of_which_nothing_is_recorded_is_said_in_the_plan() {
    const SAID: &str = "no certificate recorded under this CA";
    let world = World::new();
    world.request();
    second(&world, "substra.org-2.example.org", "second.key");
    assert!(world.approve("MyOrg1MSP.csr", "--unverified-mail").ok().stderr.contains(SAID));
    assert!(!world.approve("MyOrg2MSP.csr", "--unverified-mail").ok().stderr.contains(SAID));
    // A copy of the certificate has no log beside it.
    fs::create_dir(world.path("copy")).unwrap();
    fs::copy(world.path("ca.crt"), world.path("copy/ca.crt")).unwrap();
    let ran = world.run(&format!("{BARE} --ca-cert copy/ca.crt --ca-key ca.key --yes --out-dir copy")).ok();
    assert!(ran.stderr.contains(SAID), "{}", ran.stderr);
}

#[test]
fn the_walkthrough_s_ca_of_the_working_directory_signs_where_none_is_named() {
    let world = World::new();
    world.request();
    let before = world.snapshot();
    let ran = world.run(&format!("{BARE} --yes")).refused(2, "usage");
    for way in ["--ca-cert FILE and --ca-key FILE, or --ca-secret NAME", "orchestrator-ca.crt and orchestrator-ca.key"]
    {
        assert!(ran.stderr.contains(way), "{}", ran.stderr);
    }
    fs::copy(world.path("ca.crt"), world.path("orchestrator-ca.crt")).unwrap();
    world.run(&format!("{BARE} --yes")).refused(2, "usage");
    fs::remove_file(world.path("orchestrator-ca.crt")).unwrap();
    assert_eq!(world.snapshot(), before);
    fs::copy(world.path("ca.crt"), world.path("orchestrator-ca.crt")).unwrap();
    fs::copy(world.path("ca.key"), world.path("orchestrator-ca.key")).unwrap();
    let ran = world.run(&format!("{BARE} --yes")).ok();
    let said = "The CA of the working directory signs: orchestrator-ca.crt and orchestrator-ca.key.";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    assert!(world.path("orchestrator-ca.issued.jsonl").exists());
    let named = world.run(&format!("{BARE} --yes --ca-cert ca.crt --ca-key ca.key --out-dir .")).ok();
    assert!(!named.stderr.contains("of the working directory signs"), "{}", named.stderr);
}

/// A request of the first organization for its own host and for others.
fn asks_for(world: &World, hosts: &[&str]) {
    let openssl = |line: &str| {
        let output = std::process::Command::new("openssl").args(line.split(' ')).current_dir(world.path("")).output();
        assert!(output.unwrap().status.success(), "{line}");
    };
    let names: Vec<String> = hosts.iter().map(|host| format!("DNS:{host}")).collect();
    openssl(&format!(
        "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout many.key -out many.csr -subj /O=MyOrg1MSP/CN={} -addext subjectAltName={}",
        hosts[0],
        names.join(",")
    ));
}

#[test]
fn names_outside_of_the_domain_of_the_first_are_shown_before_the_question() {
    let world = World::new();
    asks_for(
        &world,
        &["substra.org-1.example.org", "api.org-1.example.org", "substra.org-3.example.org", "org-4.example.org"],
    );
    let line =
        "approve many.csr -f orchestrator-values.yaml --ca-cert ca.crt --ca-key ca.key --offline --unverified-mail";
    let asked = world.run(line).refused(2, "no-terminal").stderr;
    let said = "substra.org-3.example.org, org-4.example.org: outside of the domain of substra.org-1.example.org";
    assert!(asked.contains(&format!("  elsewhere    {said}")), "{asked}");
    let told = json(&world.run(&format!("{line} --yes -o json")).ok().stdout);
    assert_eq!(told["warnings"][0], format!("MyOrg1MSP asks for {said}"));
}

#[test]
fn offline_the_names_of_the_service_are_those_of_the_namespace_that_is_given() {
    let world = World::new();
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let asks = |host: &str| {
        world.write("a.csr", &request::create(&key, &"MyOrg1MSP".parse().unwrap(), &host.parse().unwrap()).unwrap());
    };
    for (host, more, refused) in [
        ("orchestrator-server.prod.svc", "-n prod", true),
        ("orchestrator-server.orchestrator.svc", "-n prod", true),
        ("orch-orchestrator-server.prod.svc.cluster.local", "-n prod --release orch", true),
        ("orchestrator-server.other.svc", "-n prod", false),
    ] {
        asks(host);
        let ran = world.approve("a.csr", &format!("--unverified-mail --dry-run {more}"));
        if refused { drop(ran.refused(5, "request-host")) } else { drop(ran.ok()) }
    }
}

/// What stands in the way, the code that says so, and how it comes there.
type Spoilt = (&'static str, &'static str, fn(&World));

/// Whatever the run reads stays, and what is another's too.
#[test]
fn approve_writes_over_nothing_that_it_reads_and_nothing_of_others() {
    const CERTIFICATE: &str = "MyOrg1MSP.crt";
    let spoil: [Spoilt; 7] = [
        ("the CA's certificate", "target-in-use", |world| {
            fs::rename(world.path("ca.crt"), world.path(CERTIFICATE)).unwrap();
            std::os::unix::fs::symlink(CERTIFICATE, world.path("ca.crt")).unwrap();
        }),
        ("the CA's private key", "target-in-use", |world| {
            fs::hard_link(world.path("ca.key"), world.path(CERTIFICATE)).unwrap();
        }),
        ("a request", "target-in-use", |world| {
            fs::rename(world.path("MyOrg1MSP.csr"), world.path(CERTIFICATE)).unwrap();
            std::os::unix::fs::symlink(CERTIFICATE, world.path("MyOrg1MSP.csr")).unwrap();
        }),
        ("a values file", "target-in-use", |world| {
            fs::rename(world.path("orchestrator-values.yaml"), world.path(CERTIFICATE)).unwrap();
            std::os::unix::fs::symlink(CERTIFICATE, world.path("orchestrator-values.yaml")).unwrap();
        }),
        ("no certificate of MyOrg1MSP", "target-foreign", |world| world.write(CERTIFICATE, "notes of a colleague\n")),
        ("no certificate of MyOrg1MSP", "target-foreign", |world| world.write(CERTIFICATE, &world.read("ca.crt"))),
        ("no certificate of MyOrg1MSP", "target-foreign", |world| {
            second(world, "substra.org-2.example.org", "second.key");
            world.approve("MyOrg2MSP.csr", "--unverified-mail").ok();
            fs::rename(world.path("MyOrg2MSP.crt"), world.path(CERTIFICATE)).unwrap();
        }),
    ];
    for (what, code, spoil) in spoil {
        let world = World::new();
        world.request();
        spoil(&world);
        let before = world.snapshot();
        let ran = world.approve("MyOrg1MSP.csr", "--unverified-mail").refused(5, code);
        assert!(ran.stderr.contains(what), "{what}: {}", ran.stderr);
        assert_eq!(world.snapshot(), before, "{what}");
    }
}

/// A member may be called like the CA's file.
#[test]
fn an_organization_that_is_called_like_the_ca_s_file_does_not_replace_it() {
    let world = World::new();
    world.write("orchestrator-values.yaml", &crate::world::ORCHESTRATOR.replace("MyOrg1MSP", "orchestrator-ca"));
    fs::copy(world.path("ca.crt"), world.path("orchestrator-ca.crt")).unwrap();
    fs::copy(world.path("ca.key"), world.path("orchestrator-ca.key")).unwrap();
    world.write("backend-values.yaml", &BACKEND.replace("MyOrg1MSP", "orchestrator-ca"));
    world.run("enroll -f backend-values.yaml --key-file new.key").ok();
    let before = world.snapshot();
    let line = "approve orchestrator-ca.csr -f orchestrator-values.yaml --offline --yes --unverified-mail";
    let ran = world.run(line).refused(5, "target-in-use");
    assert!(ran.stderr.contains("orchestrator-ca.crt is not written: it is the CA's certificate"), "{}", ran.stderr);
    assert_eq!(world.snapshot(), before);
}

#[test]
fn an_older_certificate_of_the_organization_is_replaced_and_named_in_the_plan() {
    let world = World::new();
    world.request();
    world.approve("MyOrg1MSP.csr", "--unverified-mail").ok();
    let old = json(&world.read("ca.issued.jsonl"))["serial"].as_str().unwrap().to_owned();
    world.run("enroll -f backend-values.yaml --key-file renewed.key").ok();
    let ran = world.approve("MyOrg1MSP.csr", "--unverified-mail").ok();
    assert!(
        ran.stderr.contains(&format!("certificate of MyOrg1MSP in MyOrg1MSP.crt, replaces {old}")),
        "{}",
        ran.stderr
    );
}

#[test]
fn enroll_writes_over_nothing_that_it_reads_and_nothing_of_others() {
    let world = World::new();
    world.write("MyOrg1MSP.csr", BACKEND);
    world.run("enroll -f MyOrg1MSP.csr --key-file new.key").refused(5, "target-in-use");
    world.run("enroll -f backend-values.yaml --key-file new.key").refused(5, "target-foreign");
    second(&world, "substra.org-2.example.org", "second.key");
    fs::rename(world.path("MyOrg2MSP.csr"), world.path("MyOrg1MSP.csr")).unwrap();
    let before = world.snapshot();
    world.run("enroll -f backend-values.yaml --key-file new.key").refused(5, "target-foreign");
    world.run("enroll -f backend-values.yaml --key-file MyOrg1MSP.csr").refused(5, "key-file-no-key");
    assert_eq!(world.snapshot(), before);
    fs::remove_file(world.path("MyOrg1MSP.csr")).unwrap();
    world.run("enroll -f backend-values.yaml --key-file new.key").ok();
    let ran = world.run("enroll -f backend-values.yaml --key-file newer.key").ok();
    assert!(ran.stderr.contains("MyOrg1MSP.csr, replaces another request of yours"), "{}", ran.stderr);
}

#[test]
fn a_certificate_in_the_place_of_a_request_is_the_reader_s_own_slip() {
    let world = World::new();
    world.request();
    let ran = world.approve("ca.crt", "").refused(5, "request-not-one-pem");
    assert!(ran.stderr.contains("  next: give the request, MyOrg1MSP.csr, and not the certificate"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("ask the sender"), "{}", ran.stderr);
}
