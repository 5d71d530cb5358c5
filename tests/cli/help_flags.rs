//! Helm's global flags without Helm in front: taken anywhere on the line and handed on, others refused.

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use super::world::World;

/// Tools that write down how they are called; Helm knows a release, and kubectl fails.
fn world() -> World {
    let world = World::new();
    fs::create_dir(world.path("bin")).unwrap();
    let release = r#"{"namespace": "org-1", "version": 1, "info": {"status": "deployed"}, "manifest": "",
        "chart": "substra-backend"}"#;
    for name in ["helm", "kubectl"] {
        let script = format!(
            "#!/bin/sh
             {{ echo \"{name} $*\"; env | grep ^HELM_ | sed 's/^/{name} /'; }} >>calls
             case \"{name} $*\" in
               'helm status '*) echo '{release}' ;;
               'helm get metadata '*) echo '{{\"chart\": \"substra-backend\", \"version\": \"26.10.0\"}}' ;;
               *) exit 1 ;;
             esac\n"
        );
        world.write(&format!("bin/{name}"), &script);
        fs::set_permissions(world.path(&format!("bin/{name}")), fs::Permissions::from_mode(0o755)).unwrap();
    }
    world
}

/// What the tools saw, and what was said on stderr.
fn called(world: &World, line: &str) -> (String, String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
    command.args(line.split_whitespace()).current_dir(world.path("")).env_clear();
    let output = command.env("PATH", format!("{}:/usr/bin:/bin", world.path("bin").display())).output().unwrap();
    let calls = fs::read_to_string(world.path("calls")).unwrap_or_default();
    (calls, String::from_utf8(output.stderr).unwrap(), output.status.code().unwrap())
}

const VERB: &str = "enroll -f backend-values.yaml --release backend --yes";

#[test]
fn what_points_at_a_cluster_reaches_both_tools_from_anywhere_on_the_line() {
    let flags = "--kube-apiserver https://other:6443 --kube-ca-file=other.crt --kube-as-group a --kube-as-group b \
                 --kube-insecure-skip-tls-verify --repository-config repos.yaml --burst-limit 50 --qps=2.5";
    for line in [format!("{flags} {VERB}"), format!("{VERB} {flags}")] {
        let (calls, stderr, status) = called(&world(), &line);
        assert_eq!(status, 6, "{stderr}");
        for seen in [
            "--server=https://other:6443 --certificate-authority=other.crt --insecure-skip-tls-verify=true --as-group=a --as-group=b",
            "helm HELM_KUBEAPISERVER=https://other:6443",
            "helm HELM_KUBEASGROUPS=a,b",
            "helm HELM_REPOSITORY_CONFIG=repos.yaml",
            "helm HELM_BURST_LIMIT=50",
            "helm HELM_QPS=2.5",
        ] {
            assert!(calls.contains(seen), "{line}: {seen}\n{calls}");
        }
    }
}

#[test]
fn a_flag_of_the_line_goes_before_what_helm_says_by_environment() {
    let world = world();
    let mut command = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
    command.args(VERB.split_whitespace()).args(["-nfrom-line", "--kube-context=line"]).current_dir(world.path(""));
    command.env_clear().env("PATH", format!("{}:/usr/bin:/bin", world.path("bin").display()));
    command.env("HELM_NAMESPACE", "from-helm").env("HELM_KUBECONTEXT", "helm").output().unwrap();
    let calls = world.read("calls");
    assert!(calls.contains("--namespace=from-line") && calls.contains("context=line"), "{calls}");
    assert!(!calls.contains("from-helm"), "{calls}");
}

#[test]
fn debug_is_helms_word_for_verbose() {
    for (more, shows) in [("--debug", true), ("--debug=true", true), ("--debug=false", false), ("", false)] {
        let (_, stderr, _) = called(&world(), &format!("{VERB} {more}"));
        assert_eq!(stderr.lines().any(|line| line.starts_with("+ ")), shows, "{more}: {stderr}");
    }
}

#[test]
fn a_token_is_refused_and_what_nobody_knows_is_a_usage_error() {
    let (calls, stderr, status) = called(&world(), &format!("{VERB} --kube-token secret"));
    assert!(status == 2 && stderr.contains("[kube-token]") && !stderr.contains("secret"), "{stderr}");
    assert_eq!(calls, "", "nothing is called with it");
    for more in ["--kube-nonsense x", "--burst-limit many", "--debug=maybe", "--registry-config"] {
        let (calls, stderr, status) = called(&world(), &format!("{VERB} {more}"));
        assert!(status == 2 && calls.is_empty(), "{more}: {stderr}");
    }
}
