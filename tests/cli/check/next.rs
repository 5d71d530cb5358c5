//! The next command: the operator's own, one at a time, in an order that works.

use clap::Parser;
use substra_mtls::{
    cli::Cli,
    cluster::{ChartVersion, ObjectRef, simulated::SimulatedCluster},
    dispatch::dispatch,
    failure::Exit,
    pki::inspect::certificates,
    report::{Console, Outcome},
    session::Session,
    values,
};

use super::world::{Scene, findings};
use crate::{simulated::Federation, world::BACKEND};

#[test]
fn the_next_command_is_the_operator_s_own() {
    let mut scene = Scene::new();
    let next =
        |scene: &Scene, side: &str, id: &str| scene.federation.world.here(&scene.check(side).remove(id).unwrap().next);
    scene.federation.now += time::Duration::days(61);
    let renew = "helm substra-mtls enroll -n org-1 -f backend-values.yaml --release backend --renew";
    assert_eq!(next(&scene, "backend", "pair-ends"), renew);
    scene.view.status = Some("pending-upgrade");
    let rollback = "helm -n orchestrator history orchestrator; if no helm is running, back to the last deployed revision: helm -n orchestrator rollback orchestrator REVISION";
    assert_eq!(next(&scene, "orchestrator", "release-pending"), rollback);
    scene.federation.org.remove_object(&ObjectRef::secret("orchestrator-cacert"));
    let make =
        "helm substra-mtls ca trust orchestrator-ca.crt --backend -n org-1 -f backend-values.yaml --release backend";
    assert_eq!(next(&scene, "backend", "mount-missing"), make);
    let init = "helm substra-mtls ca init -n orchestrator -f orchestrator-values.yaml --release orchestrator";
    for name in ["orchestrator-tls-cacert", "orchestrator-tls-server-pair"] {
        let scene = Scene::new();
        scene.federation.orc.remove_object(&ObjectRef::secret(name));
        let made = format!("in the folder of the CA's files: {init}");
        assert_eq!(next(&scene, "orchestrator", "mount-missing"), made, "{name}");
    }
}

/// What is told for the organization, and the commands of ours that failed checks name.
fn told(outcome: &Outcome) -> (String, Vec<String>) {
    let next = outcome.get("organizations").unwrap()[0]["next"].as_str().unwrap().to_owned();
    let failed = findings(outcome).into_values().filter(|found| found.status == "failed").map(|found| found.next);
    (next, failed.filter(|next| next.starts_with("helm substra-mtls ")).collect())
}

/// A command as it is told, pasted in the federation's folder.
fn pasted(fed: &Federation, command: &str, more: &[&str]) {
    let words = shlex::split(command).unwrap().into_iter().skip(1);
    let here = |word: String| {
        if word == "orchestrator-ca.crt" { fed.world.path("ca.crt").display().to_string() } else { word }
    };
    let words = words.map(here).chain(more.iter().map(ToString::to_string));
    let cli = Cli::try_parse_from(words).unwrap();
    dispatch(&cli.command, &Session::new(Some(&fed.org), Console::silent(), &fed.clock())).unwrap();
}

#[test]
fn a_fresh_backend_is_told_one_step_at_a_time_and_each_leads_to_the_next() {
    let fed = Federation::new();
    let fresh = BACKEND.replace("  tls:\n    enabled: true\n    cacert: orchestrator-cacert\n", "");
    fed.world.write("backend-values.yaml", &fresh);
    fed.org.remove_object(&ObjectRef::secret("orchestrator-cacert"));
    let chart = ChartVersion { name: "substra-backend".into(), version: "26.15.3".into() };
    fed.org.install("backend", chart, values::read(fresh.as_bytes()).unwrap()).unwrap();
    let look = || told(&fed.run(&fed.org, "check -f @backend-values.yaml").unwrap());

    let (first, failed) = look();
    let trust = "helm substra-mtls ca trust orchestrator-ca.crt --backend -n org-1 -f backend-values.yaml --release backend --enable-tls";
    assert_eq!(fed.world.here(&first), trust);
    assert_eq!(failed, [first.clone(), first.clone()], "mount-missing and tls");
    let fingerprint = certificates(fed.world.read("ca.crt").as_bytes()).unwrap()[0].fingerprint().to_string();
    pasted(&fed, &first, &["--yes", "--fingerprint", &fingerprint]);

    let (second, failed) = look();
    let enroll = "helm substra-mtls enroll -n org-1 -f backend-values.yaml --release backend";
    assert_eq!((fed.world.here(&second).as_str(), failed), (enroll, Vec::new()));
    pasted(&fed, &second, &["--yes", "--out-dir", &fed.world.path("").display().to_string()]);

    let (third, failed) = look();
    assert_eq!((fed.world.here(&third), failed), (format!("{enroll} --certificate MyOrg1MSP.crt"), Vec::new()));
}

#[test]
fn whoever_forgets_the_namespace_is_told_so() {
    let fed = Federation::new();
    let elsewhere = SimulatedCluster::new("default", &fed.clock());
    let outcome = fed.run(&elsewhere, "check -f @backend-values.yaml").unwrap();
    let found = findings(&outcome).remove("release").unwrap();
    assert!(found.seen.contains("namespace default: -n was not given"), "{}", found.seen);
    assert!(found.next.starts_with("add -n NAMESPACE"), "{}", found.next);
    assert!(!found.next.contains("--chart"), "check has no such option: {}", found.next);
    fed.enroll("").unwrap();
    let sign = "@MyOrg1MSP.csr -f @orchestrator-values.yaml --ca-cert @ca.crt --ca-key @ca.key --unverified-mail";
    for line in [
        "enroll -f @backend-values.yaml",
        "enroll -f @backend-values.yaml --certificate @ca.crt",
        "enroll -f @backend-values.yaml --no-upgrade",
        "ca trust @ca.crt --backend -f @backend-values.yaml",
        "ca trust @ca.crt --for MyOrg1MSP -f @orchestrator-values.yaml",
        "ca init -f @orchestrator-values.yaml --out-dir @",
        "ca show -f @orchestrator-values.yaml",
        &format!("approve {sign}"),
        "gate close -f @orchestrator-values.yaml",
        "gate open -f @orchestrator-values.yaml",
    ] {
        for release in ["", " --release it"] {
            let failure = fed.run(&elsewhere, &format!("{line}{release}")).unwrap_err();
            assert_eq!(failure.exit, Exit::CheckFailed, "{line}{release}: {failure}");
            assert!(failure.next.starts_with("add -n NAMESPACE"), "{line}{release}: {failure}");
        }
    }
    let named = fed.run(&fed.orc, "enroll -f @backend-values.yaml").unwrap_err();
    assert_eq!((named.exit, named.next.contains("add -n")), (Exit::CheckFailed, false), "{named}");
}

/// A Role is of one namespace: in `default` this account may do nothing.
#[test]
fn who_is_forbidden_to_look_where_nobody_named_a_namespace_is_told_to_name_one() {
    let mut scene = Scene::new();
    scene.view.forbidden = vec!["release", "objects"];
    let rights = |scene: &Scene| scene.check("backend").remove("rights").unwrap().next;
    assert!(!rights(&scene).contains("-n NAMESPACE"), "{}", rights(&scene));
    scene.federation.org = scene.federation.orc.in_namespace("default");
    assert!(rights(&scene).starts_with("add -n NAMESPACE"), "{}", rights(&scene));
    let failure = scene.run("backend", "enroll -f @backend-values.yaml --release backend").unwrap_err();
    assert!(failure.next.starts_with("add -n NAMESPACE") && failure.next.ends_with("ask"), "{failure}");
}

#[test]
fn the_gate_waits_for_each_member_s_key_and_then_asks_for_all_in_one_command() {
    let fed = Federation::new();
    let values = fed.world.read("orchestrator-values.yaml").replace("[MyOrg1MSP]", "[MyOrg1MSP, MyOrg2MSP]");
    fed.world.write("orchestrator-values.yaml", &values);
    let chart = || ChartVersion { name: "orchestrator".into(), version: "8.8.0".into() };
    fed.orc.install("orchestrator", chart(), values::read(values.as_bytes()).unwrap()).unwrap();
    let nexts = || {
        let outcome = fed.run(&fed.orc, "check -f @orchestrator-values.yaml").unwrap();
        let rows = outcome.get("organizations").unwrap().as_array().unwrap().clone();
        let next = |row: &serde_json::Value| fed.world.here(row["next"].as_str().unwrap());
        rows.iter().map(next).collect::<Vec<_>>()
    };
    let at = "-n orchestrator -f orchestrator-values.yaml --release orchestrator";
    let approve = |org: &str| format!("helm substra-mtls approve {org}.csr {at}");
    assert_eq!(nexts(), [approve("MyOrg1MSP"), approve("MyOrg2MSP")]);
    fed.enroll("").unwrap();
    fed.approve().unwrap();
    assert_eq!(nexts(), [String::new(), approve("MyOrg2MSP")], "it waits for the other");
    let values = fed.world.read("orchestrator-values.yaml");
    let both =
        values.replace("        MyOrg1MSP:\n", "        MyOrg2MSP: [orchestrator-tls-cacert]\n        MyOrg1MSP:\n");
    assert_ne!(values, both);
    fed.world.write("orchestrator-values.yaml", &both);
    let close = format!("helm substra-mtls gate close {at}");
    assert_eq!(nexts(), [close.clone(), close]);
}

#[test]
fn the_ca_that_was_named_signs_what_is_to_be_approved() {
    let fed = Federation::new();
    let asked = |ca: &str| {
        let line = format!("check -f @orchestrator-values.yaml {ca}");
        fed.world.here(&told(&fed.run(&fed.orc, &line).unwrap()).0)
    };
    let approve =
        "helm substra-mtls approve MyOrg1MSP.csr -n orchestrator -f orchestrator-values.yaml --release orchestrator";
    assert_eq!(asked(""), approve);
    assert_eq!(asked("--ca-cert @ca.crt"), format!("{approve} --ca-cert ca.crt --ca-key ca.key"));
    assert_eq!(asked("--ca-secret federation-ca"), format!("{approve} --ca-secret federation-ca"));
}

#[test]
fn before_tls_an_orchestrator_is_told_to_make_its_ca_and_to_approve_nothing() {
    let fed = Federation::new();
    let plain = fed.world.read("orchestrator-values.yaml").replace("enabled: true", "enabled: false");
    fed.world.write("orchestrator-values.yaml", &plain);
    let chart = ChartVersion { name: "orchestrator".into(), version: "8.8.0".into() };
    fed.orc.install("orchestrator", chart, values::read(plain.as_bytes()).unwrap()).unwrap();
    let init = "helm substra-mtls ca init -n orchestrator -f orchestrator-values.yaml --release orchestrator";
    let (next, failed) = told(&fed.run(&fed.orc, "check -f @orchestrator-values.yaml").unwrap());
    assert_eq!(fed.world.here(&next), init);
    assert_eq!(failed, [next]);
}

#[test]
fn what_a_cut_off_ca_init_left_to_deploy_is_told_as_ca_init_and_not_as_drift_to_take_back() {
    let fed = Federation::new();
    let chart = ChartVersion { name: "orchestrator".into(), version: "8.8.0".into() };
    let text = fed.world.read("orchestrator-values.yaml");
    let plain = text.replace("orchestrator:\n  tls:\n    enabled: true # by hand\n", "");
    assert_ne!(plain, text);
    fed.orc.install("orchestrator", chart, values::read(plain.as_bytes()).unwrap()).unwrap();
    let init = "in the folder of the CA's files: helm substra-mtls ca init -n orchestrator -f orchestrator-values.yaml --release orchestrator";
    let drift = || findings(&fed.run(&fed.orc, "check -f @orchestrator-values.yaml").unwrap()).remove("drift").unwrap();
    assert_eq!(fed.world.here(&drift().next), init, "{}", drift().seen);
    fed.world.write("orchestrator-values.yaml", &format!("{text}podAnnotations: {{a: b}}\n"));
    assert!(drift().next.starts_with("bring the files up to"), "{}", drift().next);
}

#[test]
fn a_ca_trust_that_was_cut_off_is_told_to_be_run_again_before_any_request() {
    let fed = Federation::new();
    let chart = ChartVersion { name: "substra-backend".into(), version: "26.15.3".into() };
    let plain = BACKEND.replace("    enabled: true\n    cacert: orchestrator-cacert\n", "    enabled: false\n");
    fed.org.install("backend", chart, values::read(plain.as_bytes()).unwrap()).unwrap();
    let trust = "helm substra-mtls ca trust orchestrator-ca.crt --backend -n org-1 -f backend-values.yaml --release backend --enable-tls";
    let outcome = fed.run(&fed.org, "check -f @backend-values.yaml").unwrap();
    let half_way = findings(&outcome).remove("half-way").unwrap();
    assert_eq!((half_way.status.as_str(), fed.world.here(&half_way.next).as_str()), ("warning", trust));
    let (next, _) = told(&outcome);
    assert_eq!(fed.world.here(&next), trust);
    pasted(&fed, &next, &["--yes"]);
    let enroll = "helm substra-mtls enroll -n org-1 -f backend-values.yaml --release backend";
    assert_eq!(fed.world.here(&told(&fed.run(&fed.org, "check -f @backend-values.yaml").unwrap()).0), enroll);
}
