//! `bootstrap` where a federation that works could be cut off: TLS going on, a gate closed, half closed or in doubt.

use substra_mtls::{
    cluster::{Kubernetes, Object, ObjectRef, PAIR_TYPE},
    failure::Exit,
    pki::{
        inspect::certificates,
        key::{KeyType, PrivateKey},
    },
    substra::{forged_certificates::CertificateRecipe, servers::CallOutcome},
};

use super::world::{
    CACERT, FILES, Fed, LINE, PAIR, at_every_write, backend, chart, federation, opaque, orchestrator, refused,
    writes_nothing,
};

/// The values without the third organization's key, in block style.
fn cut(values: &str) -> String {
    let mut skips = false;
    let kept = values.lines().filter(|line| {
        skips = line.trim_start().starts_with("MyOrg3MSP:") || (skips && line.trim_start().starts_with("- "));
        !skips
    });
    kept.map(|line| format!("{line}\n")).collect()
}

/// A federation that works in plain text.
fn in_plain_text(count: usize) -> Fed {
    let fed = Fed::empty(count);
    fed.world.write("orchestrator-values.yaml", &orchestrator(count).replace("enabled: true", "enabled: false"));
    fed.install(&fed.orc, "orchestrator", chart("orchestrator", "8.8.0"), "orchestrator-values.yaml");
    for n in 1..=count {
        fed.world.write(&format!("org-{n}.yaml"), &backend(n).replace("enabled: true", "enabled: false"));
        fed.install(&fed.org(n), "backend", chart("substra-backend", "26.15.3"), &format!("org-{n}.yaml"));
    }
    fed.world.write("federation.yaml", &federation(count, "{create: true}", "close"));
    fed
}

/// The walkthrough as it is in the field: mutual TLS on without the identity check, one arbitrary key, v1 certificates.
fn walked_through() -> Fed {
    let fed = Fed::new(2);
    let mtls =
        "    mtls:\n      enabled: true\n      clientCACerts:\n        orchestrator: [orchestrator-tls-cacert]\n";
    let values = fed.world.read("orchestrator-values.yaml") + mtls;
    fed.world.write("orchestrator-values.yaml", &values);
    let ca = certificates(fed.world.read("ca.crt").as_bytes()).unwrap().remove(0);
    let ca_key = PrivateKey::from_pem(fed.world.read("ca.key").as_bytes(), None).unwrap();
    for n in 1..=2 {
        let key = PrivateKey::generate(KeyType::Rsa2048).unwrap();
        let host = format!("substra.org-{n}.example.org");
        let recipe = CertificateRecipe::walkthrough(&format!("MyOrg{n}MSP"), &host);
        let (pem, held) = (recipe.sign(key.spki(), &ca, &ca_key, fed.now).unwrap(), key.to_pem());
        let data: [(&str, &[u8]); 2] = [("tls.crt", pem.as_bytes()), ("tls.key", held.as_bytes())];
        fed.org(n).create(&Object::secret(PAIR, PAIR_TYPE, &[], &data)).unwrap();
        let mounts = "    cacert: orchestrator-cacert\n    mtls:\n      enabled: true\n      clientCertificate: orchestrator-client-cert\n";
        fed.world.write(&format!("org-{n}.yaml"), &backend(n).replace("    cacert: orchestrator-cacert\n", mounts));
        fed.install(&fed.org(n), "backend", chart("substra-backend", "26.15.3"), &format!("org-{n}.yaml"));
    }
    fed.install(&fed.orc, "orchestrator", chart("orchestrator", "8.8.0"), "orchestrator-values.yaml");
    fed.all_are_let_in(2);
    fed
}

#[test]
fn an_organization_that_the_files_have_lost_is_not_dropped_from_a_closed_gate() {
    let fed = Fed::new(3);
    fed.run(LINE).unwrap();
    let values = fed.world.read("orchestrator-values.yaml");
    let lost = cut(&values);
    assert_ne!(lost, values);
    fed.world.write("orchestrator-values.yaml", &lost);
    fed.world.write("federation.yaml", &federation(2, FILES, "close"));
    let text = writes_nothing(&fed, LINE, Exit::CheckFailed, "drift");
    assert!(text.contains("clientCACerts.MyOrg3MSP"), "{text}");
    fed.all_are_let_in(3);
}

#[test]
fn a_federation_in_plain_text_comes_to_mutual_tls() {
    let fed = in_plain_text(2);
    fed.run(LINE).unwrap();
    fed.all_are_let_in(2);
    assert!(fed.is_closed());
    assert_eq!(fed.run(LINE).unwrap().stage().id(), "already");
}

#[test]
fn tls_goes_on_only_when_every_organization_can_follow() {
    let fed = in_plain_text(2);
    fed.world.write("org-2.yaml", "orchestrator: {mspID: [a]}\n");
    writes_nothing(&fed, LINE, Exit::CheckFailed, "value");
    let fed = in_plain_text(2);
    fed.world.write("federation.yaml", &federation(1, "{create: true}", "close"));
    writes_nothing(&fed, LINE, Exit::CheckFailed, "not-described");
}

#[test]
fn backends_do_not_go_ahead_of_an_orchestrator_whose_tls_is_only_in_its_file() {
    let fed = in_plain_text(1);
    let on = fed.world.read("orchestrator-values.yaml").replace("enabled: false", "enabled: true");
    fed.world.write("orchestrator-values.yaml", &on);
    fed.orc.create(&opaque(CACERT, &fed.world.read("ca.crt"))).unwrap();
    fed.world.write("federation.yaml", &federation(1, FILES, "leave"));
    writes_nothing(&fed, LINE, Exit::CheckFailed, "tls-off");
}

#[test]
fn the_set_up_of_tls_does_not_move_the_gate_that_the_files_have_closed_already() {
    let fed = in_plain_text(2);
    let values = fed.world.read("orchestrator-values.yaml").replace(
        "    enabled: false # by hand\n",
        "    enabled: false # by hand\n    mtls:\n      enabled: true\n      clientCACerts:\n        MyOrg1MSP: [orchestrator-tls-cacert]\n  verifyClientMSPID: true\n",
    );
    fed.world.write("orchestrator-values.yaml", &values);
    writes_nothing(&fed, &format!("{LINE} --accept-drift"), Exit::CheckFailed, "gate-half-way");
}

#[test]
fn renewal_behind_a_closed_gate_cuts_nobody_off_at_any_fault() {
    let made = || {
        let mut fed = Fed::new(3);
        fed.run(LINE).unwrap();
        fed.now += time::Duration::days(70);
        fed
    };
    at_every_write(made, LINE, |fed, _| fed.all_are_let_in(3));
}

#[test]
fn one_that_comes_to_a_closed_gate_cuts_nobody_off_at_any_fault() {
    let made = || {
        let fed = Fed::new(2);
        fed.run(LINE).unwrap();
        let values = fed.world.read("orchestrator-values.yaml").replace("MyOrg2MSP]", "MyOrg2MSP, MyOrg3MSP]");
        fed.world.write("orchestrator-values.yaml", &values);
        fed.world.write("org-3.yaml", &backend(3));
        fed.world.write("federation.yaml", &federation(3, FILES, "close"));
        fed.with_backend(3);
        fed
    };
    at_every_write(made, &format!("{LINE} --accept-drift"), |fed, _| fed.all_are_let_in(2));
}

#[test]
fn a_federation_in_plain_text_comes_to_mutual_tls_after_any_fault() {
    at_every_write(|| in_plain_text(2), LINE, |_, _| ());
}

#[test]
fn a_gate_that_is_closed_in_the_cluster_alone_stays_closed_and_says_so() {
    let fed = Fed::new(2);
    let old = fed.world.read("orchestrator-values.yaml");
    fed.run(LINE).unwrap();
    fed.world.write("orchestrator-values.yaml", &old);
    fed.world.write("federation.yaml", &federation(2, FILES, "leave"));
    let failure = refused(fed.run(LINE), Exit::CheckFailed, "gate-half-way");
    assert!(failure.standing.as_ref().unwrap().text().contains("gate"), "{failure}");
    assert!(fed.is_closed());
    fed.all_are_let_in(2);
}

#[test]
fn a_half_closed_gate_of_the_walkthrough_is_closed_without_an_outage_at_any_fault() {
    at_every_write(walked_through, LINE, |fed, at| {
        assert_eq!((fed.answer(1), fed.answer(2)), (CallOutcome::Accepted, CallOutcome::Accepted), "{at}");
    });
    let fed = walked_through();
    fed.run(LINE).unwrap();
    fed.all_are_let_in(2);
    assert!(fed.is_closed());
}

#[test]
fn a_half_closed_gate_stays_half_closed_when_one_organization_fails() {
    let fed = walked_through();
    fed.world.write("org-2.yaml", "orchestrator: {mspID: [a]}\n");
    refused(fed.run(LINE), Exit::CheckFailed, "value");
    assert!(!fed.is_closed());
    fed.all_are_let_in(2);
}

#[test]
fn a_backend_s_ca_object_without_its_item_keeps_the_gate_open() {
    let fed = Fed::new(2);
    fed.org(2).remove_object(&ObjectRef::secret("orchestrator-cacert"));
    fed.org(2).create(&Object::secret("orchestrator-cacert", "Opaque", &[], &[("other", b"x")])).unwrap();
    let failure = refused(fed.run(LINE), Exit::CheckFailed, "cacert-other");
    assert!(failure.next.contains("ca trust"), "{failure}");
    assert!(!fed.is_closed());
    assert_eq!(fed.answer(1), CallOutcome::Accepted);
}

#[test]
fn an_upgrade_that_failed_while_it_closed_the_gate_is_finished_only_with_everybody() {
    let fed = Fed::new(2);
    fed.run(LINE).unwrap();
    fed.orc.set_status("orchestrator", "failed");
    fed.world.write("org-2.yaml", "orchestrator: {mspID: [a]}\n");
    let before = fed.orc.writes();
    refused(fed.run(LINE), Exit::CheckFailed, "value");
    assert_eq!(fed.orc.writes(), before);
    let text = backend(2).replace(
        "    cacert: orchestrator-cacert\n",
        "    cacert: orchestrator-cacert\n    mtls:\n      enabled: true\n      clientCertificate: orchestrator-client-cert\n",
    );
    fed.world.write("org-2.yaml", &text);
    fed.run(LINE).unwrap();
    assert_eq!(fed.orc.writes().split_off(before.len()), ["upgrade orchestrator"]);
    assert_eq!(fed.run(LINE).unwrap().stage().id(), "already");
}

#[test]
fn what_somebody_else_has_written_is_brought_in_by_no_bootstrap() {
    let fed = Fed::new(2);
    let evil = "        MyOrg2MSP: [orchestrator-tls-cacert, evil-ca]\n";
    let danger = "anyone who has the key of a CA in evil-ca can act as every organization of the federation, not only as MyOrg2MSP";
    let orchestrator = fed.world.read("orchestrator-values.yaml");
    fed.world.write(
        "orchestrator-values.yaml",
        &orchestrator.replace("by hand\n", &format!("by hand\n    mtls:\n      clientCACerts:\n{evil}")),
    );
    fed.orc.create(&opaque("evil-ca", &fed.world.read("ca.crt"))).unwrap();
    let text = writes_nothing(&fed, LINE, Exit::CheckFailed, "drift");
    assert!(text.contains(danger), "{text}");
    fed.world.write("orchestrator-values.yaml", &orchestrator);
    fed.run(LINE).unwrap();
    let closed = fed.world.read("orchestrator-values.yaml");
    let ours = "        MyOrg2MSP:\n          - orchestrator-tls-cacert\n";
    assert!(closed.contains(ours), "{closed}");
    fed.world.write("orchestrator-values.yaml", &closed.replace(ours, evil));
    let text = writes_nothing(&fed, LINE, Exit::CheckFailed, "drift");
    assert!(text.contains(danger), "{text}");
    fed.world.write("orchestrator-values.yaml", &closed);
    fed.org(1).create(&opaque("other-ca", &fed.world.read("ca.crt"))).unwrap();
    let backend = fed.world.read("org-1.yaml").replace("cacert: orchestrator-cacert", "cacert: other-ca");
    fed.world.write("org-1.yaml", &backend);
    let text = writes_nothing(&fed, LINE, Exit::CheckFailed, "drift");
    assert!(text.contains("anyone who has the key of a CA in other-ca can pose as the orchestrator"), "{text}");
}
