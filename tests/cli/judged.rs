//! Whatever the verb: the server pair, the objects that will be mounted and the issue log are judged alike.

use substra_mtls::{
    cluster::{Kubernetes, Object, ObjectRef, simulated::SimulatedCluster},
    failure::{Exit, Failure, Result},
    pki::{
        authority::create_root,
        inspect::certificates,
        key::{KeyType, PrivateKey},
    },
    report::Outcome,
    substra::forged_certificates::{CertificateRecipe, LeafUsage},
};
use time::OffsetDateTime;

use crate::{
    bootstrap::world::{Fed, LINE},
    check::world::{Scene, findings, put},
    simulated::Federation,
};

const SERVER: &str = "orchestrator-tls-server-pair";
const CACERT: &str = "orchestrator-tls-cacert";
const APPROVE: &str = "approve @MyOrg1MSP.csr -f @orchestrator-values.yaml --release orchestrator --ca-cert @ca.crt --ca-key @ca.key --unverified-mail --yes";

/// A server pair of a CA that the orchestrator does not trust, and what lies beside it.
type Row = (&'static str, fn(&SimulatedCluster, OffsetDateTime));

/// A pair of a new CA in the server's Secret; gives that CA's certificate.
fn of_another_ca(orc: &SimulatedCluster, now: OffsetDateTime) -> String {
    let (ca_key, pem) = create_root(KeyType::EcdsaP256, now).unwrap();
    let ca = certificates(pem.as_bytes()).unwrap().remove(0);
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let dns_names = vec!["orchestrator.example.org".into()];
    let recipe =
        CertificateRecipe { dns_names, usage: Some(LeafUsage::Both), v3: true, ..CertificateRecipe::default() };
    let leaf = recipe.sign(key.spki(), &ca, &ca_key, now).unwrap();
    put(orc, &ObjectRef::secret(SERVER), &[("tls.crt", leaf.as_bytes()), ("tls.key", key.to_pem().as_bytes())]);
    pem
}

const UNTRUSTED: [Row; 3] = [
    ("alone", |orc, now| drop(of_another_ca(orc, now))),
    ("with a ConfigMap of that CA under the name of the Secret that is mounted", |orc, now| {
        let ca = of_another_ca(orc, now);
        orc.create(&Object::config_map(CACERT, &[], &[("ca.crt", &ca)])).unwrap();
    }),
    ("with its CA beside it, as cert-manager writes it", |orc, now| {
        let ca = of_another_ca(orc, now);
        put(orc, &ObjectRef::secret(SERVER), &[("ca.crt", ca.as_bytes())]);
    }),
];

/// One organization is admitted and installed; the gate is open.
fn installed() -> Federation {
    let fed = Federation::new();
    fed.enroll("").unwrap();
    fed.approve().unwrap();
    fed.install().unwrap();
    fed
}

/// The same behind a closed gate, and a request of an organization that is not admitted yet.
fn closed_and_asked() -> Federation {
    let fed = installed();
    fed.close("").unwrap();
    let two = fed.world.read("backend-values.yaml").replace("MyOrg1MSP", "MyOrg2MSP").replace("org-1", "org-2");
    fed.world.write("two.yaml", &two);
    fed.world.run("enroll -f two.yaml --key-file two.key").ok();
    let values = fed.world.read("orchestrator-values.yaml").replace("[MyOrg1MSP]", "[MyOrg1MSP, MyOrg2MSP]");
    fed.world.write("orchestrator-values.yaml", &values);
    fed
}

fn failed(result: Result<Outcome>, what: &str) -> Failure {
    let Err(failure) = result else { panic!("{what} is accepted") };
    failure
}

#[test]
fn the_gate_is_not_closed_with_a_server_pair_of_a_ca_that_no_pod_mounts() {
    for (what, broken) in UNTRUSTED {
        let fed = installed();
        broken(&fed.orc, fed.now);
        let before = (fed.world.snapshot(), fed.orc.writes());
        let failure = failed(fed.close(""), what);
        assert_eq!((failure.exit, failure.code.id()), (Exit::CheckFailed, "server-chain"), "{what}: {failure}");
        assert_eq!((fed.world.snapshot(), fed.orc.writes()), before, "{what}");
    }
}

#[test]
fn check_sees_a_server_pair_of_a_ca_that_no_pod_mounts() {
    for (what, broken) in UNTRUSTED {
        let scene = Scene::new();
        broken(&scene.federation.orc, scene.federation.now);
        let found = scene.check("orchestrator").remove("server-chain").unwrap();
        assert_eq!(found.status, "failed", "{what}: {found:?}");
    }
}

#[test]
fn bootstrap_closes_no_gate_with_a_server_pair_of_a_ca_that_no_pod_mounts() {
    for (what, broken) in UNTRUSTED {
        let fed = Fed::new(1);
        broken(&fed.orc, fed.now);
        let failure = failed(fed.run(LINE), what);
        assert_eq!((failure.exit, failure.code.id()), (Exit::CheckFailed, "server-chain"), "{what}: {failure}");
        assert!(!fed.is_closed(), "{what}");
    }
}

#[test]
fn a_ca_that_only_the_files_name_is_not_yet_in_the_pool_of_the_pods() {
    let scene = Scene::new();
    let ca = of_another_ca(&scene.federation.orc, scene.federation.now);
    scene.federation.orc.create(&Object::secret("their-ca", "Opaque", &[], &[("ca.crt", ca.as_bytes())])).unwrap();
    let world = &scene.federation.world;
    let line = "          - orchestrator-tls-cacert\n";
    let text = world.read("orchestrator-values.yaml").replace(line, &format!("{line}          - their-ca\n"));
    world.write("orchestrator-values.yaml", &text);
    assert_eq!(scene.check("orchestrator").remove("server-chain").unwrap().status, "failed");
    scene.reinstall("orchestrator");
    assert_eq!(scene.check("orchestrator").remove("server-chain").unwrap().status, "ok");
}

/// How an object that the new pods will mount is spoilt, and the code by which every verb refuses.
type Broken = (&'static str, fn(&Federation));

const BROKEN: [Broken; 4] = [
    ("mount-missing", |fed| {
        let values = fed.world.read("orchestrator-values.yaml");
        let line = "          - orchestrator-tls-cacert\n";
        let lost = format!("{line}          - their-ca\n");
        fed.world.write("orchestrator-values.yaml", &values.replacen(line, &lost, 1));
    }),
    ("mount-ca", |fed| {
        let values = fed.world.read("orchestrator-values.yaml");
        let line = "          - orchestrator-tls-cacert\n";
        let spoilt = format!("{line}          - their-ca\n");
        fed.world.write("orchestrator-values.yaml", &values.replacen(line, &spoilt, 1));
        fed.orc.create(&Object::secret("their-ca", "Opaque", &[], &[("ca.crt", b"nothing")])).unwrap();
    }),
    ("server-chain", |fed| drop(of_another_ca(&fed.orc, fed.now))),
    ("server-pair", |fed| put(&fed.orc, &ObjectRef::secret(SERVER), &[("tls.key", b"nothing")])),
];

#[test]
fn behind_a_closed_gate_nobody_is_approved_or_trusted_by_pods_that_could_not_start() {
    let approve = APPROVE.replace("MyOrg1MSP", "MyOrg2MSP");
    let trust = "ca trust @org-ca.crt --for MyOrg2MSP -f @orchestrator-values.yaml --release orchestrator --yes";
    for verb in [approve.as_str(), trust] {
        for (code, broken) in BROKEN {
            let fed = closed_and_asked();
            fed.world.write("org-ca.crt", &create_root(KeyType::EcdsaP256, fed.now).unwrap().1);
            broken(&fed);
            let before = (fed.world.snapshot(), fed.orc.writes());
            let failure = failed(fed.run(&fed.orc, &format!("{verb} --accept-drift")), code);
            assert_eq!((failure.exit, failure.code.id()), (Exit::CheckFailed, code), "{verb}: {failure}");
            assert_eq!((fed.world.snapshot(), fed.orc.writes()), before, "{verb} {code}");
        }
        let fed = closed_and_asked();
        fed.world.write("org-ca.crt", &create_root(KeyType::EcdsaP256, fed.now).unwrap().1);
        fed.run(&fed.orc, &format!("{verb} --accept-drift")).unwrap();
    }
}

#[test]
fn a_renewal_that_restarts_nothing_waits_for_no_other_organization_s_object() {
    let fed = installed();
    fed.close("").unwrap();
    fed.orc.remove_object(&ObjectRef::secret(SERVER));
    fed.enroll("--renew").unwrap();
    assert_eq!(fed.run(&fed.orc, APPROVE).unwrap().stage().id(), "approved");
}

/// Certificates of the log that are alive and do harm.
fn harmful() -> Vec<(&'static str, CertificateRecipe)> {
    let client = || CertificateRecipe {
        organizations: vec!["MyOrg1MSP".into()],
        common_name: "substra.org-1.example.org".into(),
        usage: Some(LeafUsage::Client),
        v3: true,
        ..CertificateRecipe::default()
    };
    vec![
        ("orchestrator.example.org", CertificateRecipe { common_name: "orchestrator.example.org".into(), ..client() }),
        // A name that stands in the server pair alone, as `ca init --host` puts it there.
        ("alias.example.org", CertificateRecipe { dns_names: vec!["alias.example.org".into()], ..client() }),
        ("may be a server", CertificateRecipe { usage: Some(LeafUsage::Both), ..client() }),
        ("accepted as another", CertificateRecipe { organizations: vec!["MyOrg2MSP".into()], ..client() }),
        (
            "accepted as another",
            CertificateRecipe { organizations: vec!["MyOrg1MSP".into(), "MyOrg2MSP".into()], ..client() },
        ),
        ("refused by the identity check", CertificateRecipe::walkthrough("MyOrg1MSP", "substra.org-1.example.org")),
    ]
}

#[test]
fn the_gate_judges_the_issue_log_as_check_does() {
    for (words, recipe) in harmful() {
        let mut scene = Scene::new();
        let dns_names = vec!["orchestrator.example.org".into(), "alias.example.org".into()];
        let pair =
            CertificateRecipe { dns_names, usage: Some(LeafUsage::Both), v3: true, ..CertificateRecipe::default() };
        scene.put_pair(&scene.federation.orc, SERVER, &pair);
        crate::check::broken::logged(&mut scene, &recipe);
        let checks = findings(&scene.outcome("orchestrator").unwrap());
        let seen: Vec<&String> = ["issued-name", "issued-refused"]
            .iter()
            .map(|id| &checks[*id])
            .filter(|f| f.status != "ok")
            .map(|f| &f.seen)
            .collect();
        assert!(seen.iter().any(|seen| seen.contains(words)), "{words}: {seen:?}");
        let fed = &scene.federation;
        fed.run(&fed.orc, "gate open -f @orchestrator-values.yaml --release orchestrator --yes").unwrap();
        let closed = fed.close("--dry-run").unwrap().json()["warnings"].to_string();
        seen.iter().for_each(|seen| assert!(closed.contains(seen.as_str()), "{seen}: {closed}"));
    }
}

#[test]
fn a_certificate_of_before_the_renewal_is_not_told_as_the_renewal() {
    let fed = installed();
    fed.enroll("--renew").unwrap();
    let told = |outcome: &Outcome| {
        let json = outcome.json();
        (json["warnings"].to_string(), json["next"].to_string())
    };
    let old = fed.enroll("--certificate @MyOrg1MSP.crt").unwrap();
    let (warned, next) = told(&old);
    assert_eq!(old.stage().id(), "already");
    assert!(warned.contains("answers an earlier request") && warned.contains("client-cert-pending"), "{warned}");
    assert!(next.contains("when MyOrg1MSP.crt comes back: ") && !next.contains("is installed"), "{next}");
    assert_eq!(fed.run(&fed.orc, APPROVE).unwrap().stage().id(), "approved");
    let new = fed.enroll("--certificate @MyOrg1MSP.crt").unwrap();
    let (warned, next) = told(&new);
    assert_eq!((new.stage().id(), warned.as_str()), ("installed", "[]"));
    assert!(next.contains("tell the orchestrator's operator"), "{next}");
}

#[test]
fn a_values_file_of_the_other_side_is_known_by_what_is_in_it() {
    let fed = installed();
    let signs = "--ca-cert @ca.crt --ca-key @ca.key --unverified-mail";
    let before = (fed.world.snapshot(), fed.orc.writes(), fed.org.writes());
    for (verb, file, looks) in [
        ("enroll".to_owned(), "orchestrator-values.yaml", "an orchestrator's"),
        ("ca trust @ca.crt --backend".to_owned(), "orchestrator-values.yaml", "an orchestrator's"),
        ("ca trust @ca.crt --for MyOrg1MSP".to_owned(), "backend-values.yaml", "a backend's"),
        ("ca init".to_owned(), "backend-values.yaml", "a backend's"),
        ("gate open".to_owned(), "backend-values.yaml", "a backend's"),
        ("gate close --installed MyOrg1MSP".to_owned(), "backend-values.yaml", "a backend's"),
        (format!("approve @MyOrg1MSP.csr {signs}"), "backend-values.yaml", "a backend's"),
    ] {
        let cluster = if looks == "a backend's" { &fed.orc } else { &fed.org };
        let failure = failed(fed.run(cluster, &format!("{verb} -f @{file} --yes")), "values-side");
        assert!(failure.what.ends_with(&format!("{file} looks like {looks} file")), "{verb}: {failure}");
    }
    assert_eq!((fed.world.snapshot(), fed.orc.writes(), fed.org.writes()), before);
}

#[test]
fn a_request_for_another_organization_than_the_release_s_is_warned_of() {
    let fed = Federation::new();
    let warned = |fed: &Federation| fed.enroll("--dry-run").unwrap().json()["warnings"].to_string();
    assert_eq!(warned(&fed), "[]");
    let other = fed.world.read("backend-values.yaml").replace("MyOrg1MSP", "MyOrg2MSP");
    fed.world.write("backend-values.yaml", &other);
    let said = "deployed with orchestrator.mspID MyOrg1MSP, and these values files are of MyOrg2MSP";
    assert!(warned(&fed).contains(said), "{}", warned(&fed));
}
