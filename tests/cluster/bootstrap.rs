//! `bootstrap` on the control plane: whole federations, wherever a run was cut short.

use std::{process::Command, time::Duration};

use crate::{
    federation::{Fed, backend_values, children, orchestrator_values},
    killed::killed_at,
    site::{HelmVersion, Ran},
};

both_helms! {
    fn three_organizations_are_in_place_and_a_second_run_changes_nothing(helm) {
        let fed = Fed::new(helm, 3);
        let first = fed.bootstrap("").ok();
        (1..=3).for_each(|n| fed.is_enrolled(n));
        assert!(fed.is_closed());
        assert!(first.stdout.contains("organization: MyOrg2MSP done: serial "), "{}", first.stdout);
        assert!(first.stdout.ends_with("gate: the gate is closed\n"), "{}", first.stdout);
        assert!(first.stderr.contains("MyOrg1MSP     in place\n"), "{}", first.stderr);
        assert!(fed.site.read("org-1.yaml").starts_with("# Hospital 1\n"), "comments stay");
        let before = fed.state();
        let again = fed.bootstrap("-v").ok();
        assert_eq!(fed.state(), before);
        for namespace in fed.orgs.iter().chain([&fed.site.orc]) {
            let children = children(&again, namespace);
            assert!(children.len() <= 3, "{children:#?}");
        }
        assert!(again.stdout.contains("organization: MyOrg3MSP already: serial "), "{}", again.stdout);
        let checked = fed.check("").ok();
        assert!(checked.stdout.contains("MyOrg3MSP     enforced"), "{}", checked.stdout);
        let json: serde_json::Value = serde_json::from_str(&fed.bootstrap("-o json").ok().stdout).unwrap();
        assert_eq!((json["schemaVersion"].as_u64(), json["stage"].as_str()), (Some(1), Some("already")));
        assert_eq!(json["result"]["organizations"][0]["organization"], "MyOrg1MSP");
    }

    fn charts_that_mount_configmaps(helm) {
        let fed = Fed::with_charts(helm, 1, "substra-backend-old", "orchestrator-old");
        fed.bootstrap("").ok();
        fed.is_enrolled(1);
        assert!(fed.is_closed());
    }

    fn the_ca_in_a_secret_signs_and_keeps_its_log(helm) {
        let fed = Fed::new(helm, 2);
        fed.site.admin(&fed.site.orc, "create secret tls federation-ca --cert=ca.crt --key=ca.key");
        fed.site.write("federation.yaml", &fed.federation("{secret: federation-ca}", "close"));
        fed.bootstrap("").ok();
        (1..=2).for_each(|n| fed.is_enrolled(n));
        let logs = fed.site.admin(&fed.site.orc, "get configmaps -l substra-mtls/issue-log=federation-ca -o json");
        assert!(logs.contains("MyOrg1MSP") && logs.contains("MyOrg2MSP"));
    }

    fn from_nothing_with_a_new_ca(helm) {
        let fed = Fed::files(helm, 2, "substra-backend", "orchestrator");
        fed.site.write("federation.yaml", &fed.federation("{create: true}", "close"));
        fed.bootstrap("").refused(3, "no-release");
        fed.bootstrap("--install").ok();
        (1..=2).for_each(|n| fed.is_enrolled(n));
        assert!(fed.is_closed());
        let before = fed.state();
        fed.bootstrap("").ok();
        assert_eq!(fed.state(), before);
    }

    fn one_that_comes_later_changes_only_itself_and_the_orchestrator(helm) {
        let mut fed = Fed::new(helm, 2);
        let all = fed.federation("{cert: ca.crt, key: ca.key}", "close");
        let second = fed.orgs.pop().unwrap();
        fed.site.write("orchestrator-values.yaml", &orchestrator_values(1));
        fed.site.write("federation.yaml", &fed.federation("{cert: ca.crt, key: ca.key}", "close"));
        fed.bootstrap("--accept-drift").ok();
        fed.orgs.push(second);
        let first = fed.site.state(&fed.orgs[0]);
        let values = fed.site.read("orchestrator-values.yaml").replace("[MyOrg1MSP]", "[MyOrg1MSP, MyOrg2MSP]");
        fed.site.write("orchestrator-values.yaml", &values);
        fed.site.write("federation.yaml", &all);
        fed.bootstrap("--accept-drift").ok();
        (1..=2).for_each(|n| fed.is_enrolled(n));
        let objects = |state: std::collections::BTreeMap<String, String>| -> Vec<_> { state.into_iter().filter(|(key, _)| key.starts_with('"')).collect() };
        assert_eq!(objects(fed.site.state(&fed.orgs[0])), objects(first));
        let deployed = fed.deployed(&fed.site.orc, "orchestrator");
        assert!(deployed["orchestrator"]["tls"]["mtls"]["clientCACerts"]["MyOrg2MSP"].is_array());
    }

    fn one_without_rights_leaves_the_others_done_and_the_gate_open(helm) {
        let fed = Fed::new(helm, 3);
        fed.site.admin(&fed.orgs[1], "delete rolebinding substra-mtls-backend");
        let failed = fed.bootstrap("").stopped(6, "forbidden");
        assert!(failed.stderr.contains("not done: MyOrg2MSP"), "{}", failed.stderr);
        let checked = fed.check("");
        assert!(checked.stdout.contains("MyOrg1MSP     admitted"), "{}", checked.stdout);
        [1, 3].into_iter().for_each(|n| fed.is_enrolled(n));
        assert!(!fed.is_closed());
        fed.site.admin(&fed.orgs[1], &format!("apply -f {}.role.yaml", fed.orgs[1]));
        fed.bootstrap("").ok();
        (1..=3).for_each(|n| fed.is_enrolled(n));
        assert!(fed.is_closed());
    }

    fn pods_that_never_come_up_keep_the_gate_open(helm) {
        let fed = Fed::new(helm, 2);
        fed.site.admin(&fed.orgs[1], "create quota none --hard=pods=0");
        let failed = fed.bootstrap("--timeout 30s").stopped(124, "time-limit");
        assert!(failed.stderr.contains("not done: MyOrg2MSP"), "{}", failed.stderr);
        fed.is_enrolled(1);
        assert!(!fed.is_closed());
        fed.site.admin(&fed.orgs[1], "delete quota none");
        fed.bootstrap("").ok();
        fed.is_enrolled(2);
        assert!(fed.is_closed());
    }

    fn two_at_once_end_in_one_federation(helm) {
        let fed = Fed::new(helm, 2);
        let both: Vec<Ran> = std::thread::scope(|scope| {
            let runs = [0, 1].map(|_| scope.spawn(|| fed.bootstrap("")));
            runs.map(|run| run.join().unwrap()).into()
        });
        assert!(both.iter().any(|ran| ran.status == 0), "{}", both[0].stderr);
        for ran in both.iter().filter(|ran| ran.status != 0) {
            assert!(ran.stderr.contains("[locked]"), "{}", ran.stderr);
        }
        (1..=2).for_each(|n| fed.is_enrolled(n));
    }

    /// No lock holds two machines apart: names and versions of objects, and Helm, do.
    fn two_machines_at_once_leave_what_the_next_run_completes(helm) {
        let fed = Fed::new(helm, 2);
        fed.site.sh("mkdir elsewhere && cp -rp *.yaml *.kubeconfig ca.* elsewhere");
        let both: Vec<Ran> = std::thread::scope(|scope| {
            let lines = ["bootstrap federation.yaml --yes", "bootstrap elsewhere/federation.yaml --yes"];
            let runs = lines.map(|line| scope.spawn(|| fed.site.plugin("default", line)));
            runs.map(|run| run.join().unwrap()).into()
        });
        for ran in both.iter().filter(|ran| ran.status != 0) {
            assert!(ran.stderr.contains("next: "), "{}", ran.stderr);
        }
        fed.bootstrap("").ok();
        (1..=2).for_each(|n| fed.is_enrolled(n));
        assert!(fed.is_closed());
        let before = fed.state();
        fed.bootstrap("").ok();
        assert_eq!(fed.state(), before);
    }

    fn a_member_that_nobody_describes_keeps_the_gate_open(helm) {
        let fed = Fed::new(helm, 1);
        fed.site.write("orchestrator-values.yaml", &orchestrator_values(2));
        fed.bootstrap("--accept-drift").stopped(3, "not-described");
        fed.is_enrolled(1);
        assert!(!fed.is_closed());
        fed.site.write("federation.yaml", &fed.federation("{cert: ca.crt, key: ca.key}", "close\n  cutOff: [MyOrg2MSP]"));
        fed.bootstrap("--accept-drift").ok();
        assert!(fed.is_closed());
    }

    fn killed_before_and_after_every_kind_of_child_the_next_run_completes(helm) {
        let fed = Fed::new(helm, 3);
        let both = |at| [(at, "before"), (at, "after")];
        let calls = ["status", "get", "template", "create", "upgrade"].into_iter().flat_map(both);
        // The orchestrator's upgrade is still to come, and its rollout is looked at, whoever of the others is through.
        for (at, when) in calls.chain([("deployments,statefulsets,pods", "before")]) {
            let run = killed_at(&fed.site, "bootstrap federation.yaml --yes", at, when);
            assert_eq!(run.status, -9, "{at} {when}: {}{}", run.stdout, run.stderr);
            settled(&fed);
        }
        fed.bootstrap("").ok();
        (1..=3).for_each(|n| fed.is_enrolled(n));
        assert!(fed.is_closed());
    }
}

/// The second organization's backend is on a cluster of its own; both are contexts of one kubeconfig.
fn on_two_clusters(helm: HelmVersion) {
    let mut fed = Fed::new(helm, 1);
    let name = format!("{}-2", fed.site.org);
    let config = two_contexts(&fed);
    fed.site.write("both.kubeconfig", &config);
    fed.site.write("org-2.yaml", &backend_values(2));
    let second = format!("--kubeconfig=both.kubeconfig --context=second --namespace={name}");
    let kubectl = format!("{}/kubectl", crate::site::bed("BIN"));
    fed.site.sh(&format!("{kubectl} {second} create namespace {name}; {kubectl} {second} create secret generic orchestrator-cacert --from-file=ca.crt=ca.crt"));
    fed.site.sh(&format!(
        "{} install backend {} -f org-2.yaml --kubeconfig=both.kubeconfig --kube-context=second --namespace={name}",
        fed.site.helm_binary(),
        crate::site::chart("substra-backend")
    ));
    fed.site.write("orchestrator-values.yaml", &orchestrator_values(2));
    let file = fed.federation("{cert: ca.crt, key: ca.key}", "close");
    let (first, more) = (
        fed.orgs[0].clone(),
        format!(
            "  MyOrg2MSP:\n    context: second\n    kubeconfig: both.kubeconfig\n    namespace: {name}\n    release: backend\n    chart: {}\n    values: [org-2.yaml]\n",
            crate::site::chart("substra-backend")
        ),
    );
    let file = file
        .replace(&format!("kubeconfig: {first}.kubeconfig"), "context: first\n    kubeconfig: both.kubeconfig")
        + &more;
    fed.site.write("federation.yaml", &file);
    fed.bootstrap("--accept-drift").ok();
    assert!(fed.is_closed());
    fed.is_enrolled(1);
    let there = fed.site.sh(&format!("{kubectl} {second} get secret orchestrator-client-cert -o 'jsonpath={{.data.tls\\.crt}}' | base64 -d | openssl x509 -noout -subject"));
    assert!(there.contains("O = MyOrg2MSP,"), "{there}");
    let again = fed.bootstrap("-v").ok();
    assert_eq!(children(&again, &name).len(), 3, "{}", again.stderr);
    fed.orgs.clear();
}

/// `first` is the account of organization 1, `second` the administrator of the second control plane.
fn two_contexts(fed: &Fed) -> String {
    let first = fed.site.read(&format!("{}.kubeconfig", fed.orgs[0]));
    let second = std::fs::read_to_string(
        std::env::var("TESTBED2_KUBECONFIG")
            .unwrap_or_else(|_| panic!("run with TESTBED_PLANES=2, as testbed/test does")),
    )
    .unwrap();
    let part = |text: &str, key: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(key)).unwrap();
        let inner = line.split_once('[').unwrap().1.rsplit_once(']').unwrap().0;
        inner
            .replace("name: testbed", &format!("name: {name}"))
            .replace("name: admin", &format!("name: {name}"))
            .replace("cluster: testbed, user: admin", &format!("cluster: {name}, user: {name}"))
    };
    let both = |key: &str| format!("{key} [{}, {}]\n", part(&first, key, "first"), part(&second, key, "second"));
    format!(
        "apiVersion: v1\nkind: Config\n{}{}{}current-context: first\n",
        both("clusters:"),
        both("users:"),
        both("contexts:")
    )
}

#[test]
fn organizations_on_two_clusters_helm_3() {
    on_two_clusters(HelmVersion::V3);
}

#[test]
fn organizations_on_two_clusters_helm_4() {
    on_two_clusters(HelmVersion::V4);
}

/// At random moments, `TESTBED_KILLS` of them: each followed by a run that completes.
#[test]
fn killed_at_any_moment_the_next_run_completes() {
    let kills: u32 = std::env::var("TESTBED_KILLS").map_or(3, |text| text.parse().unwrap());
    let fed = Fed::new(HelmVersion::V3, 3);
    let mut moment = std::process::id();
    for round in 0..kills {
        moment = moment.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let pause = Duration::from_millis(u64::from(moment >> 16) % 6_000);
        killed_after(&fed, pause);
        settled(&fed);
        let ran = fed.bootstrap("");
        assert_eq!(ran.status, 0, "round {round}, after {pause:?}: {}{}", ran.stdout, ran.stderr);
        (1..=3).for_each(|n| fed.is_enrolled(n));
        assert!(fed.is_closed(), "round {round}, after {pause:?}");
        fed.undo();
    }
}

fn killed_after(fed: &Fed, pause: Duration) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
    fed.site.environment(&mut command);
    command.args(["bootstrap", "federation.yaml", "--yes"]).current_dir(fed.site.folder.path());
    command
        .env("HELM_BIN", fed.site.helm_binary())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    let mut child = command.spawn().unwrap();
    std::thread::sleep(pause);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Waits until the helms and kubectls that were left behind have ended.
fn settled(fed: &Fed) {
    let alive = || {
        let left = fed.orgs.iter().chain([&fed.site.orc]);
        left.map(|namespace| fed.site.sh(&format!("pgrep -f -- [-]-namespace={namespace} || true"))).collect::<String>()
    };
    for _ in 0..600 {
        if alive().trim().is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("children go on forever: {}", alive());
}

impl Fed {
    /// Back to before mutual TLS.
    fn undo(&self) {
        self.site.write("orchestrator-values.yaml", &orchestrator_values(self.orgs.len()));
        let orc = crate::site::chart("orchestrator");
        self.site.helm(&self.site.orc, &format!("upgrade orchestrator {orc} -f orchestrator-values.yaml"));
        std::thread::scope(|scope| {
            for (n, org) in self.orgs.iter().enumerate() {
                scope.spawn(move || {
                    let n = n + 1;
                    self.site.write(&format!("org-{n}.yaml"), &backend_values(n));
                    let chart = crate::site::chart("substra-backend");
                    self.site.helm(org, &format!("upgrade backend {chart} -f org-{n}.yaml"));
                    self.site.admin(org, "delete secret orchestrator-client-cert --ignore-not-found");
                });
            }
        });
    }
}
