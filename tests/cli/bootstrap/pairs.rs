//! `bootstrap` and the pairs and CAs that are there already: none that works is taken away.

use substra_mtls::{
    cluster::{Kubernetes, Object, ObjectRef, PAIR_TYPE},
    failure::Exit,
    pki::{
        authority::{create_root, root_for},
        key::{KeyType, PrivateKey},
    },
    substra::servers::CallOutcome,
};

use super::world::{
    CACERT, FILES, Fed, LINE, at_every_write, backend, chart, federation, held, opaque, orchestrator, pair, refused,
    writes_nothing,
};

/// An organization whose own CA stands under its key, and its pair from there.
fn with_a_ca_of_its_own(ends_soon: bool) -> Fed {
    let fed = Fed::new(2);
    let own = create_root(KeyType::EcdsaP256, fed.now - time::Duration::days(301)).unwrap();
    fed.orc.create(&opaque("own-ca", &own.1)).unwrap();
    fed.org(2).create(&pair(&fed, 2, &own, ends_soon)).unwrap();
    let values = fed.world.read("orchestrator-values.yaml").replace(
        "    enabled: true # by hand\n",
        "    enabled: true # by hand\n    mtls:\n      enabled: true\n      clientCACerts:\n        MyOrg1MSP: [orchestrator-tls-cacert]\n        MyOrg2MSP: [own-ca]\n  verifyClientMSPID: true\n",
    );
    fed.world.write("orchestrator-values.yaml", &values);
    let text = backend(2).replace(
        "    cacert: orchestrator-cacert\n",
        "    cacert: orchestrator-cacert\n    mtls:\n      enabled: true\n      clientCertificate: orchestrator-client-cert\n",
    );
    fed.world.write("org-2.yaml", &text);
    fed.install(&fed.org(2), "backend", chart("substra-backend", "26.15.3"), "org-2.yaml");
    fed.install(&fed.orc, "orchestrator", chart("orchestrator", "8.8.0"), "orchestrator-values.yaml");
    assert_eq!(fed.answer(2), CallOutcome::Accepted);
    fed
}

#[test]
fn a_ca_that_is_not_the_first_of_the_orchestrator_s_object_signs_nothing() {
    let fed = Fed::new(1);
    let other = create_root(KeyType::EcdsaP256, fed.now).unwrap();
    fed.orc.remove_object(&ObjectRef::secret(CACERT));
    fed.orc.create(&opaque(CACERT, &format!("{}{}", other.1, fed.world.read("ca.crt")))).unwrap();
    let text = writes_nothing(&fed, LINE, Exit::CheckFailed, "ca-not-the-clusters");
    assert!(!text.contains("--ca-object"), "{text}");
}

#[test]
fn pairs_that_work_stay_when_the_orchestrator_s_ca_cannot_be_compared() {
    let fed = Fed::new(1);
    fed.run(LINE).unwrap();
    fed.orc.remove_object(&ObjectRef::secret(CACERT));
    let (key, pem) = create_root(KeyType::EcdsaP256, fed.now).unwrap();
    fed.world.write("ca.crt", &pem);
    fed.world.write("ca.key", &key.to_pem());
    writes_nothing(&fed, LINE, Exit::CheckFailed, "ca-object");
    fed.all_are_let_in(1);
}

#[test]
fn a_pair_of_the_organization_s_own_ca_that_the_orchestrator_trusts_stays() {
    let fed = with_a_ca_of_its_own(false);
    let before = held(&fed, 2);
    fed.run(LINE).unwrap();
    assert_eq!(held(&fed, 2), before);
    fed.all_are_let_in(2);
    assert_eq!(fed.run(LINE).unwrap().stage().id(), "already");
}

#[test]
fn a_pair_of_its_own_ca_is_not_replaced_by_one_that_is_not_admitted_yet() {
    let fed = with_a_ca_of_its_own(true);
    let before = held(&fed, 2);
    refused(fed.run(LINE), Exit::CheckFailed, "pair-of-another-ca");
    assert_eq!(held(&fed, 2), before);
    fed.all_are_let_in(1);
    // The run has admitted nobody by the federation's CA under that key, so the pair of its own CA goes on.
    assert_eq!(fed.answer(2), CallOutcome::Accepted);
}

#[test]
fn two_organizations_never_share_the_secret_of_one_pair() {
    let fed = Fed::new(2);
    let text = federation(2, FILES, "close")
        .replace("namespace: org-2\n    release: backend", "namespace: org-1\n    release: second");
    fed.world.write("federation.yaml", &text);
    fed.install(&fed.org(1), "second", chart("substra-backend", "26.15.3"), "org-2.yaml");
    writes_nothing(&fed, LINE, Exit::CheckFailed, "pair-shared");
}

#[test]
fn the_pair_of_another_organization_is_not_written_over() {
    let fed = Fed::new(2);
    fed.world.write("federation.yaml", &federation(1, FILES, "leave"));
    fed.run(LINE).unwrap();
    let before = held(&fed, 1);
    let text = federation(2, FILES, "leave");
    let (head, second) = text.split_once("  MyOrg1MSP:").unwrap();
    let second = second
        .split_once("  MyOrg2MSP:")
        .unwrap()
        .1
        .replace("org-2\n    release: backend", "org-1\n    release: second");
    fed.world.write("federation.yaml", &format!("{head}  MyOrg2MSP:{second}"));
    fed.install(&fed.org(1), "second", chart("substra-backend", "26.15.3"), "org-2.yaml");
    writes_nothing(&fed, LINE, Exit::CheckFailed, "pair-shared");
    assert_eq!(held(&fed, 1), before);
}

#[test]
fn a_secret_of_the_ca_that_is_not_there_is_no_new_ca() {
    for more in ["", " --install"] {
        let fed = Fed::new(1);
        fed.orc.remove_object(&ObjectRef::secret(CACERT));
        fed.world.write("federation.yaml", &federation(1, "{secret: typo}", "close"));
        writes_nothing(&fed, &format!("{LINE}{more}"), Exit::CheckFailed, "ca-missing");
    }
}

#[test]
fn a_new_ca_beside_one_in_use_is_refused_in_the_file_s_own_words() {
    let fed = Fed::new(1);
    fed.world.write("federation.yaml", &federation(1, "{create: true}", "close"));
    let text = writes_nothing(&fed, LINE, Exit::CheckFailed, "ca-elsewhere");
    assert!(text.contains("orchestrator.ca") && !text.contains("--out-dir"), "{text}");
}

#[test]
fn a_ca_in_a_secret_signs_once_and_logs_in_the_cluster() {
    let made = || {
        let fed = Fed::new(2);
        let (crt, key) = (fed.world.read("ca.crt"), fed.world.read("ca.key"));
        let data: [(&str, &[u8]); 2] = [("tls.crt", crt.as_bytes()), ("tls.key", key.as_bytes())];
        fed.orc.create(&Object::secret("the-ca", PAIR_TYPE, &[], &data)).unwrap();
        fed.world.write("federation.yaml", &federation(2, "{secret: the-ca}", "close"));
        fed
    };
    at_every_write(made, LINE, |_, _| ());
    let fed = made();
    fed.run(LINE).unwrap();
    let log = fed.orc.list("configmaps", "substra-mtls/issue-log=the-ca").unwrap();
    assert_eq!(log.len(), 2, "one a request");
    for object in log {
        let lines = object.data("issued.jsonl").unwrap();
        assert_eq!(lines.iter().filter(|byte| **byte == b'\n').count(), 1);
    }
}

#[test]
fn a_pair_by_a_ca_that_only_the_release_knows_stays() {
    for ends_soon in [false, true] {
        let fed = with_a_ca_of_its_own(ends_soon);
        fed.world.write("orchestrator-values.yaml", &orchestrator(2));
        fed.world.write("federation.yaml", &federation(2, FILES, "leave"));
        let before = held(&fed, 2);
        let outcome = fed.outcome(LINE).unwrap();
        assert_eq!((outcome.stage().id(), held(&fed, 2) == before), ("unfinished", true));
        assert_eq!(fed.answer(2), CallOutcome::Accepted);
    }
}

#[test]
fn a_backend_that_has_the_ca_in_an_ended_certificate_alone_is_left_out() {
    let fed = Fed::new(1);
    let key = PrivateKey::from_pem(fed.world.read("ca.key").as_bytes(), None).unwrap();
    let ended = root_for(&key, fed.now - time::Duration::days(6 * 366)).unwrap();
    fed.org(1).remove_object(&ObjectRef::secret("orchestrator-cacert"));
    fed.org(1).create(&opaque("orchestrator-cacert", &ended)).unwrap();
    refused(fed.run(LINE), Exit::CheckFailed, "cacert-other");
    assert!(!fed.is_closed());
}
