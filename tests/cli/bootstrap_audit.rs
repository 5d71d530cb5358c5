//! `bootstrap` where a federation that works could be cut off, or told something that is not so.

use substra_mtls::{
    cluster::{Cluster, Object, ObjectRef, PAIR_TYPE, simulated::Fault},
    failure::Exit,
    pki::{
        authority::create_root,
        inspect::certificates,
        key::{KeyType, PrivateKey},
    },
    substra::{
        servers::Answer,
        specimen::{LeafUsage, Recipe},
    },
};

use super::bootstrap::{FILES, Fed, LINE, backend, chart, federation, orchestrator, refused};

const PAIR: &str = "orchestrator-client-cert";
const CACERT: &str = "orchestrator-tls-cacert";

fn opaque(name: &str, pem: &str) -> Object {
    Object::secret(name, "Opaque", &[], &[("ca.crt", pem.as_bytes())])
}

/// A pair of that organization, signed by that CA for a client alone.
fn pair(fed: &Fed, n: usize, ca: &(PrivateKey, String), ends_soon: bool) -> Object {
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let authority = certificates(ca.1.as_bytes()).unwrap().remove(0);
    let recipe = Recipe {
        organizations: vec![format!("MyOrg{n}MSP")],
        usage: Some(LeafUsage::Client),
        v3: true,
        ..Recipe::default()
    };
    let then = if ends_soon { fed.now - time::Duration::days(300) } else { fed.now };
    let certificate = recipe.sign(key.spki(), &authority, &ca.0, then).unwrap();
    let pem = key.to_pem();
    Object::secret(PAIR, PAIR_TYPE, &[], &[("tls.crt", certificate.as_bytes()), ("tls.key", pem.as_bytes())])
}

fn held(fed: &Fed, n: usize) -> Vec<u8> {
    let found = fed.org(n).get(&[ObjectRef::secret(PAIR)]).unwrap();
    found[0].data("tls.crt").unwrap().to_vec()
}

/// What was there before must be there after.
#[track_caller]
fn writes_nothing(fed: &Fed, line: &str, exit: Exit, code: &str) -> String {
    let before = (fed.orc.writes(), fed.world.snapshot());
    let failure = refused(fed.run(line), exit, code);
    assert_eq!(fed.orc.writes(), before.0);
    assert!(fed.world.snapshot() == before.1, "a file was changed");
    format!("{failure}")
}

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
    assert_eq!(fed.answer(2), Answer::Accepted);
    fed
}

#[test]
fn a_ca_that_is_not_the_first_of_the_orchestrator_s_object_signs_nothing() {
    let fed = Fed::new(1);
    let other = create_root(KeyType::EcdsaP256, fed.now).unwrap();
    fed.orc.delete(&ObjectRef::secret(CACERT)).unwrap();
    fed.orc.create(&opaque(CACERT, &format!("{}{}", other.1, fed.world.read("ca.crt")))).unwrap();
    let text = writes_nothing(&fed, LINE, Exit::CheckFailed, "ca-not-the-clusters");
    assert!(!text.contains("--ca-object"), "{text}");
}

#[test]
fn pairs_that_work_stay_when_the_orchestrator_s_ca_cannot_be_compared() {
    let fed = Fed::new(1);
    fed.run(LINE).unwrap();
    fed.orc.delete(&ObjectRef::secret(CACERT)).unwrap();
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
    assert_eq!(fed.run(LINE).unwrap().stage(), "already");
}

#[test]
fn a_pair_of_its_own_ca_is_not_replaced_by_one_that_is_not_admitted_yet() {
    let fed = with_a_ca_of_its_own(true);
    let before = held(&fed, 2);
    refused(fed.run(LINE), Exit::CheckFailed, "pair-of-another-ca");
    assert_eq!(held(&fed, 2), before);
    fed.all_are_let_in(1);
    // The run has admitted nobody by the federation's CA under that key, so the pair of its own CA goes on.
    assert_eq!(fed.answer(2), Answer::Accepted);
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

/// The values without the third organization's key, in block style.
fn cut(values: &str) -> String {
    let mut skips = false;
    let kept = values.lines().filter(|line| {
        skips = line.trim_start().starts_with("MyOrg3MSP:") || (skips && line.trim_start().starts_with("- "));
        !skips
    });
    kept.map(|line| format!("{line}\n")).collect()
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
        fed.orc.delete(&ObjectRef::secret(CACERT)).unwrap();
        fed.world.write("federation.yaml", &federation(1, "{secret: typo}", "close"));
        writes_nothing(&fed, &format!("{LINE}{more}"), Exit::CheckFailed, "ca-missing");
    }
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

#[test]
fn a_federation_in_plain_text_comes_to_mutual_tls() {
    let fed = in_plain_text(2);
    fed.run(LINE).unwrap();
    fed.all_are_let_in(2);
    assert!(fed.is_closed());
    assert_eq!(fed.run(LINE).unwrap().stage(), "already");
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
fn keys_with_one_kebab_form_are_found_before_anything_is_written() {
    let fed = Fed::new(2);
    fed.run(LINE).unwrap();
    let values = fed
        .world
        .read("orchestrator-values.yaml")
        .replace("        MyOrg1MSP:", "        myOrg1MSP: [orchestrator-tls-cacert]\n        MyOrg1MSP:");
    assert!(values.contains("myOrg1MSP"), "{values}");
    fed.world.write("orchestrator-values.yaml", &values);
    writes_nothing(&fed, LINE, Exit::CheckFailed, "key-clash");
}

#[test]
fn what_was_not_done_is_not_called_done() {
    let fed = Fed::new(2);
    // The log is a file; the writes are: two organizations' pair and upgrade.
    fed.orc.fail_at(3, Fault::Before);
    let outcome = fed.outcome(&format!("{LINE} --parallel 1")).unwrap();
    let state = |org: &str, id: &str| {
        let steps = outcome.described_steps().iter();
        let mut found = steps.filter(|step| step["for"] == org && step["id"] == id);
        found.next().map(|step| step["state"].as_str().unwrap().to_owned())
    };
    assert_eq!(state("MyOrg1MSP", "upgrade").as_deref(), Some("done"));
    assert_eq!(state("MyOrg2MSP", "pair").as_deref(), Some("done"));
    assert_eq!(state("MyOrg2MSP", "upgrade").as_deref(), Some("not-done"));
    assert_eq!(state("orchestrator", "upgrade"), None, "the gate stays open");
    assert_eq!(outcome.stage(), "unfinished");
    let unchanged = outcome.failure().unwrap().unchanged.clone().unwrap();
    assert!(unchanged.contains("MyOrg1MSP") && unchanged.contains("gate"), "{unchanged}");
}

#[test]
fn a_last_part_that_fails_still_says_who_is_in_place() {
    let fed = Fed::new(2);
    fed.orc.fail_at(4, Fault::Before);
    let outcome = fed.outcome(LINE).unwrap();
    assert_eq!(outcome.get("organizations").unwrap().as_array().unwrap().len(), 2);
    let failure = outcome.failure().unwrap();
    assert_eq!(failure.code, "fault");
    assert!(!failure.unchanged.clone().unwrap().contains("nothing was"), "{failure}");
    assert!(!fed.is_closed());
}

#[test]
fn a_dry_run_calls_nobody_done() {
    let fed = Fed::new(2);
    fed.world.write("org-2.yaml", "orchestrator: {mspID: [a]}\n");
    let text = writes_nothing(&fed, "bootstrap federation.yaml --dry-run", Exit::CheckFailed, "value");
    assert!(text.contains("nothing was written") && !text.contains("are done"), "{text}");
}

/// Every write of a run fails once, before and after its work; gives the federation after the failed run.
fn at_every_write(made: impl Fn() -> Fed, line: &str, look: impl Fn(&Fed, &str)) {
    let count = {
        let fed = made();
        let before = fed.orc.writes().len();
        fed.run(line).unwrap();
        fed.orc.writes().len() - before
    };
    assert!(count > 0);
    for fault in [Fault::Before, Fault::After] {
        for n in 0..count {
            let fed = made();
            fed.orc.fail_at(n, fault);
            fed.run(&format!("{line} --parallel 1")).unwrap_err();
            look(&fed, &format!("{fault:?} at {n}"));
            fed.run(line).unwrap_or_else(|failure| panic!("{fault:?} at {n}: {failure}"));
            assert_eq!(fed.run(line).unwrap().stage(), "already", "{fault:?} at {n}");
        }
    }
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
fn a_release_and_its_orchestrator_may_be_installed_into_one_namespace() {
    let fed = Fed::empty(2);
    let text = federation(2, "{create: true}", "close")
        .replace("namespace: org-1", "namespace: orchestrator")
        .replace("namespace: org-2\n    release: backend", "namespace: orchestrator\n    release: second");
    fed.world.write("federation.yaml", &text);
    let second = backend(2)
        .replace("    enabled: true\n", "    enabled: true\n    mtls:\n      clientCertificate: second-cert\n")
        .replace("cacert: orchestrator-cacert", "cacert: second-cacert");
    fed.world.write("org-2.yaml", &second);
    fed.run(&format!("{LINE} --install")).unwrap();
    assert_eq!(fed.run(LINE).unwrap().stage(), "already");
}

#[test]
fn settings_that_are_spread_over_several_files_stay_where_they_are() {
    let fed = Fed::new(1);
    fed.world.write("base.yaml", &backend(1));
    fed.world.write("org-1.yaml", "# ours\nserver:\n  replicas: 1\n");
    fed.world.write("more.yaml", "# theirs\n");
    let text = federation(1, FILES, "close")
        .replace("[org-1.yaml]", "[base.yaml, org-1.yaml]")
        .replace("[orchestrator-values.yaml]", "[orchestrator-values.yaml, more.yaml]");
    fed.world.write("federation.yaml", &text);
    fed.run(&format!("{LINE} --accept-drift")).unwrap();
    fed.all_are_let_in(1);
    assert!(fed.is_closed());
    let (files, writes) = (fed.world.snapshot(), fed.orc.writes());
    assert_eq!(fed.run(LINE).unwrap().stage(), "already");
    assert!(files == fed.world.snapshot() && writes == fed.orc.writes());
}

#[test]
fn a_gate_that_is_closed_in_the_cluster_alone_stays_closed_and_says_so() {
    let fed = Fed::new(2);
    let old = fed.world.read("orchestrator-values.yaml");
    fed.run(LINE).unwrap();
    fed.world.write("orchestrator-values.yaml", &old);
    fed.world.write("federation.yaml", &federation(2, FILES, "leave"));
    let failure = refused(fed.run(LINE), Exit::CheckFailed, "gate-half-way");
    assert!(failure.unchanged.clone().unwrap().contains("gate"), "{failure}");
    assert!(fed.is_closed());
    fed.all_are_let_in(2);
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
        let recipe = Recipe::walkthrough(&format!("MyOrg{n}MSP"), &host);
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
fn a_half_closed_gate_of_the_walkthrough_is_closed_without_an_outage_at_any_fault() {
    at_every_write(walked_through, LINE, |fed, at| {
        assert_eq!((fed.answer(1), fed.answer(2)), (Answer::Accepted, Answer::Accepted), "{at}");
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
    assert_eq!(log.len(), 1);
    let lines = log[0].data("issued.jsonl").unwrap();
    assert_eq!(lines.iter().filter(|byte| **byte == b'\n').count(), 2);
}

#[test]
fn a_backend_s_ca_object_without_its_item_keeps_the_gate_open() {
    let fed = Fed::new(2);
    fed.org(2).delete(&ObjectRef::secret("orchestrator-cacert")).unwrap();
    fed.org(2).create(&Object::secret("orchestrator-cacert", "Opaque", &[], &[("other", b"x")])).unwrap();
    let failure = refused(fed.run(LINE), Exit::CheckFailed, "cacert-other");
    assert!(failure.next.contains("ca trust"), "{failure}");
    assert!(!fed.is_closed());
    assert_eq!(fed.answer(1), Answer::Accepted);
}

#[test]
fn an_upgrade_that_failed_while_it_closed_the_gate_is_finished_only_with_everybody() {
    let fed = Fed::new(2);
    fed.run(LINE).unwrap();
    fed.orc.leave("orchestrator", "failed");
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
    assert_eq!(fed.run(LINE).unwrap().stage(), "already");
}

#[test]
fn an_interrupted_release_is_named_and_the_others_go_on() {
    let fed = Fed::new(2);
    fed.org(2).leave("backend", "pending-upgrade");
    let failure = refused(fed.run(LINE), Exit::CheckFailed, "release-pending");
    assert!(failure.what.contains("MyOrg2MSP") && failure.unchanged.unwrap().contains("in place: MyOrg1MSP"));
    assert!(!fed.is_closed());
}

#[test]
fn a_pair_by_a_ca_that_only_the_release_knows_stays() {
    for ends_soon in [false, true] {
        let fed = with_a_ca_of_its_own(ends_soon);
        fed.world.write("orchestrator-values.yaml", &orchestrator(2));
        fed.world.write("federation.yaml", &federation(2, FILES, "leave"));
        let before = held(&fed, 2);
        let outcome = fed.outcome(LINE).unwrap();
        assert_eq!((outcome.stage(), held(&fed, 2) == before), ("unfinished", true));
        assert_eq!(fed.answer(2), Answer::Accepted);
    }
}
