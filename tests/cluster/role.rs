//! `role`: what it prints is taken by the real API server, with a namespace and without, and gives the rights it says.

use std::process::{Command, Stdio};

use crate::site::{Ran, Site, bed};

/// `PRINTED | kubectl apply -f -` by the administrator.
fn applied(namespace: &str, printed: &str) -> Ran {
    let mut kubectl = Command::new(format!("{}/kubectl", bed("BIN")));
    kubectl.args([
        "apply",
        "-f",
        "-",
        &format!("--kubeconfig={}", bed("KUBECONFIG")),
        &format!("--namespace={namespace}"),
    ]);
    let mut child = kubectl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), printed.as_bytes()).unwrap();
    child.wait_with_output().unwrap().into()
}

fn may(site: &Site, namespace: &str, account: &str, what: &str) -> bool {
    let who = format!("system:serviceaccount:{namespace}:{account}");
    let mut kubectl = Command::new(format!("{}/kubectl", bed("BIN")));
    kubectl.args(["auth", "can-i"]).args(what.split(' ')).arg(format!("--as={who}"));
    kubectl.args([format!("--kubeconfig={}", bed("KUBECONFIG")), format!("--namespace={namespace}")]);
    Ran::of(kubectl.current_dir(site.path(""))).stdout.trim() == "yes"
}

both! {
    fn the_documents_are_applied_as_they_are_printed_and_the_rights_move_to_another_account(site) {
        let (org, upgrade) = (&site.org, "update secrets");
        assert!(may(site, org, "substra-mtls", upgrade) && !may(site, org, "deployer", upgrade));
        let printed = site.plugin(org, "role backend --service-account deployer").ok();
        assert!(printed.stderr.is_empty(), "{}", printed.stderr);
        assert!(printed.stdout.contains(&format!("\n  namespace: {org}\n")), "{}", printed.stdout);
        // The namespace of the documents is the one that counts, and kubectl is told no other.
        let said = applied(org, &printed.stdout).ok().stdout;
        assert!(said.contains("role.rbac.authorization.k8s.io/substra-mtls-backend ") && said.contains("rolebinding."), "{said}");
        assert!(may(site, org, "deployer", upgrade) && !may(site, org, "substra-mtls", upgrade));
        assert!(!may(site, org, "deployer", "get nodes"));
    }

    fn without_a_namespace_kubectl_s_own_is_used_for_the_account_too(site) {
        let mut printed = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
        let printed = Ran::of(printed.args(["role", "orchestrator", "--service-account", "deployer"]).env_clear()).ok();
        assert!(!printed.stdout.contains("namespace:"), "{}", printed.stdout);
        applied(&site.orc, &printed.stdout).ok();
        assert!(may(site, &site.orc, "deployer", "patch deployments.apps"));
        assert!(!may(site, &site.orc, "substra-mtls", "patch deployments.apps"));
    }
}
