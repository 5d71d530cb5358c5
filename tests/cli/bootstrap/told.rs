//! `bootstrap` where something could be told that is not so, and files and releases of odd shapes.

use substra_mtls::{cluster::simulated::InjectedFault, failure::Exit};

use super::world::{FILES, Fed, LINE, backend, federation, refused, writes_nothing};

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
fn a_namespace_of_the_command_line_is_said_not_to_be_used() {
    let fed = Fed::new(1);
    for verb in ["bootstrap", "check"] {
        let ran = fed.world.run(&format!("{verb} federation.yaml -n other"));
        let told = "warning: -n other is not used: each release has its own namespace in the federation file\n";
        assert!(ran.stderr.starts_with(told), "{verb}: {}", ran.stderr);
        assert!(!fed.world.run(&format!("{verb} federation.yaml -n default")).stderr.contains("is not used"));
    }
}

#[test]
fn what_was_not_done_is_not_called_done() {
    let fed = Fed::new(2);
    // The log is a file; the writes are: two organizations' pair and upgrade.
    fed.orc.fail_write(3, InjectedFault::Before);
    let outcome = fed.outcome(&format!("{LINE} --parallel 1")).unwrap();
    let state = |org: &str, id: &str| {
        let steps = outcome.described_steps().iter();
        let mut found = steps.filter(|step| step.whose.as_deref() == Some(org) && step.id.id() == id);
        found.next().map(|step| step.state.id())
    };
    assert_eq!(state("MyOrg1MSP", "upgrade"), Some("done"));
    assert_eq!(state("MyOrg2MSP", "pair"), Some("done"));
    assert_eq!(state("MyOrg2MSP", "upgrade"), Some("not-done"));
    assert_eq!(state("orchestrator", "upgrade"), None, "the gate stays open");
    assert_eq!(outcome.stage().id(), "unfinished");
    let unchanged = outcome.failure().unwrap().standing.as_ref().unwrap().text().to_owned();
    assert!(unchanged.contains("MyOrg1MSP") && unchanged.contains("gate"), "{unchanged}");
}

#[test]
fn a_last_part_that_fails_still_says_who_is_in_place() {
    let fed = Fed::new(2);
    fed.orc.fail_write(4, InjectedFault::Before);
    let outcome = fed.outcome(LINE).unwrap();
    assert_eq!(outcome.get("organizations").unwrap().as_array().unwrap().len(), 2);
    let failure = outcome.failure().unwrap();
    assert_eq!(failure.code.id(), "fault");
    assert!(!failure.standing.as_ref().unwrap().text().contains("nothing was"), "{failure}");
    assert!(!fed.is_closed());
}

#[test]
fn a_dry_run_calls_nobody_done() {
    let fed = Fed::new(2);
    fed.world.write("org-2.yaml", "orchestrator: {mspID: [a]}\n");
    let text = writes_nothing(&fed, "bootstrap federation.yaml --dry-run", Exit::CheckFailed, "value");
    assert!(text.contains("nothing was written") && !text.contains("are done"), "{text}");
}

#[test]
fn a_dry_run_shows_that_a_release_is_installed_where_it_is_not_there() {
    let upgrades = |fed: &Fed, line: &str| -> Vec<String> {
        let outcome = fed.outcome(line).unwrap();
        let steps = outcome.described_steps().iter().filter(|step| step.id.id() == "upgrade");
        steps.map(|step| step.title.clone()).collect()
    };
    let line = format!("{LINE} --install --dry-run");
    let wanted = [
        "helm upgrade --install orchestrator substra/orchestrator --version 8.8.0",
        "helm upgrade --install backend substra/substra-backend --version 26.15.3",
        // Once every pair is there, mutual TLS is turned on.
        "helm upgrade orchestrator substra/orchestrator --version 8.8.0",
    ];
    assert_eq!(upgrades(&Fed::empty(1), &line), wanted);
    let there = upgrades(&Fed::new(1), &line);
    assert!(!there.is_empty() && there.iter().all(|title| !title.contains("--install")), "{there:?}");
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
    assert_eq!(fed.run(LINE).unwrap().stage().id(), "already");
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
    assert_eq!(fed.run(LINE).unwrap().stage().id(), "already");
    assert!(files == fed.world.snapshot() && writes == fed.orc.writes());
}

#[test]
fn an_interrupted_release_is_named_and_the_others_go_on() {
    let fed = Fed::new(2);
    fed.org(2).set_status("backend", "pending-upgrade");
    let failure = refused(fed.run(LINE), Exit::TimedOut, "release-pending");
    assert!(
        failure.what.contains("MyOrg2MSP") && failure.standing.as_ref().unwrap().text().contains("in place: MyOrg1MSP")
    );
    assert!(!fed.is_closed());
}

#[test]
fn a_values_file_may_be_read_for_several_and_is_edited_for_none_of_them() {
    let fed = Fed::new(2);
    let text = federation(2, FILES, "close").replace("values: [org-", "values: [common.yaml, org-");
    fed.world.write("federation.yaml", &text);
    fed.world.write("common.yaml", "orchestrator:\n  tls:\n    mtls:\n      enabled: false\n");
    let failure = writes_nothing(&fed, &format!("{LINE} --accept-drift"), Exit::CheckFailed, "values-shared");
    assert!(failure.contains("common.yaml is not edited for MyOrg1MSP"), "{failure}");
    fed.world.write("common.yaml", "server:\n  replicas: 1\n");
    let rehearsed = fed.world.run("rehearse federation.yaml").ok();
    assert!(rehearsed.stdout.contains("MyOrg2MSP as itself"), "{}", rehearsed.stdout);
    fed.run(&format!("{LINE} --accept-drift")).unwrap();
    fed.all_are_let_in(2);
    assert_eq!(fed.world.read("common.yaml"), "server:\n  replicas: 1\n");
}

#[test]
fn files_of_an_umbrella_chart_are_refused_with_what_works_for_them() {
    let below = |text: &str| format!("sub:\n{}", text.lines().map(|line| format!("  {line}\n")).collect::<String>());
    let fed = Fed::new(1);
    let whole = fed.world.read("orchestrator-values.yaml");
    fed.world.write("orchestrator-values.yaml", &below(&whole));
    let refused = fed.run("bootstrap federation.yaml --yes").unwrap_err();
    assert_eq!(refused.code.id(), "values-key");
    assert!(
        refused.why.contains("stand below sub") && refused.next.contains("one by one, with --values-key"),
        "{refused}"
    );
    fed.world.write("orchestrator-values.yaml", &whole);
    fed.world.write("org-1.yaml", &below(&fed.world.read("org-1.yaml")));
    let left = fed.run("bootstrap federation.yaml --yes").unwrap_err();
    assert!(left.code.id() == "values-key" && left.next.contains("one by one, with --values-key"), "{left}");
}
