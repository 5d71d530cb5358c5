//! Completion and global flags through the real Helm, on a real namespace and release.

use std::process::{Command, Stdio};

#[path = "../cli/completion_bash.rs"]
mod bash;

use crate::site::{Ran, Site, bed, chart};

/// What Helm itself answers for a line of the plugin: the candidates, and its directive.
fn asked(site: &Site, words: &[&str]) -> (Vec<String>, String) {
    let mut helm = Command::new(site.helm_binary());
    helm.args(["__complete", "substra-mtls"]).args(site.place(&site.org)).args(words);
    site.environment(&mut helm);
    let output = helm.current_dir(site.folder.path()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<String> = text.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect();
    let directive = lines.pop().unwrap_or_default();
    (lines, directive)
}

/// The same, for what the cluster is asked within a second: this machine may be busy with other tests.
fn offers(site: &Site, words: &[&str], wanted: &str) {
    let mut last = Vec::new();
    for _ in 0..60 {
        last = asked(site, words).0;
        if last.iter().any(|candidate| candidate == wanted) {
            return;
        }
    }
    panic!("{words:?}: {wanted} is not among {last:?}");
}

/// Helm with the plugin and with words of our own, without flags that point at the cluster.
fn helm(site: &Site, words: &[&str]) -> Ran {
    let mut helm = Command::new(site.helm_binary());
    site.environment(&mut helm);
    Ran::of(helm.arg("substra-mtls").args(words).current_dir(site.folder.path()).stdin(Stdio::null()))
}

both! {
    fn helm_completes_the_plugins_lines(site) {
        let (verbs, directive) = asked(site, &[""]);
        assert_eq!((&verbs[0][..], &verbs[verbs.len() - 1][..], &directive[..]), ("enroll", "completion", ":4"));
        site.write("MyOrg1MSP.csr", "");
        assert_eq!(asked(site, &["approve", "My"]).0, ["MyOrg1MSP.csr"]);
        assert_eq!(asked(site, &["enroll", "--out"]).0, ["--output", "--out-dir"]);
        let members = ["gate", "close", "-f", "orchestrator-values.yaml", "--installed", ""];
        assert_eq!(asked(site, &members), (vec!["MyOrg1MSP".into()], ":4".into()));
        let claim = ["approve", "-forchestrator-values.yaml", "--fingerprint", ""];
        assert_eq!(asked(site, &claim), (vec!["MyOrg1MSP=".into()], ":6".into()));

        offers(site, &["enroll", "--release", ""], "backend");
        offers(site, &["check", "--kube-context="], "--kube-context=testbed");
        let nowhere = ["--kubeconfig=missing", "enroll", "--release", ""];
        assert_eq!(asked(site, &nowhere), (vec![], ":4".into()), "and no word on what went wrong");
    }

    fn a_person_at_bash_presses_tab_on_a_line_of_helm(site) {
        let name = site.helm_binary().rsplit('/').next().unwrap().to_owned();
        // Helm's script asks the bash-completion package for the words of the line; this is what it promises.
        let setup = format!(
            "_get_comp_words_by_ref() {{ local line=${{COMP_LINE:0:COMP_POINT}}; read -ra words <<<\"$line\"
               [[ $line != *[[:space:]] ]] || words+=(\"\"); cword=$((${{#words[@]}} - 1)); cur=${{words[cword]}}; prev=${{words[cword-1]}}; }}
             source <({name} completion bash)"
        );
        let mut helm = Command::new("true");
        site.environment(&mut helm);
        let text = |value: &std::ffi::OsStr| value.to_string_lossy().into_owned();
        let variables: Vec<(&str, String)> =
            helm.get_envs().filter_map(|(key, value)| Some((key.to_str()?, text(value?)))).collect();
        let typed = |line: &str| bash::tab(site.folder.path(), &variables, &setup, &format!("{name} substra-mtls {line}"));
        let is = |line: &str| format!("{name} substra-mtls {line}");
        assert_eq!(typed("enr"), is("enroll"));
        assert_eq!(typed("enroll -f backend-v"), is("enroll -f backend-values.yaml"));
        assert_eq!(typed("ca trust x.crt -f backend-values.yaml --for My"), is("ca trust x.crt -f backend-values.yaml --for MyOrg1MSP"));
    }

    fn the_clusters_namespaces_are_offered_to_whom_may_list_them(site) {
        let mut found = Vec::new();
        for _ in 0..60 {
            let mut direct = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
            site.environment(&mut direct);
            direct.env("HELM_BIN", site.helm_binary()).env("KUBECONFIG", bed("KUBECONFIG"));
            let output = direct.args(["__complete", "enroll", "-n", "org-"]).output().unwrap();
            found = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
            if found.contains(&site.org) {
                return;
            }
        }
        panic!("{} is not among {found:?}", site.org);
    }

    fn flags_that_helm_lets_through_are_no_errors(site) {
        let kubeconfig = site.path(&format!("{}.kubeconfig", site.org)).display().to_string();
        let stuck = format!("-n{}", site.org);
        let cache = site.path("content").display().to_string();
        let chart = chart("substra-backend");
        let verb = ["enroll", "-f", "backend-values.yaml", "--release", "backend", "--chart", &chart, "--dry-run"];
        let flags = [&stuck, "--kubeconfig", &kubeconfig, "--debug=true", "--burst-limit", "200", "--qps=20",
            "--content-cache", &cache, "--color", "never"];
        for words in [[&verb[..], &flags[..]].concat(), [&flags[..], &verb[..]].concat()] {
            let ran = helm(site, &words).ok();
            assert!(ran.stderr.contains("+ ") && ran.stdout.contains("MyOrg1MSP"), "{}{}", ran.stdout, ran.stderr);
        }
        for colour in ["--color=always", "--colour=always"] {
            assert!(helm(site, &["rehearse", "-h", colour]).ok().stdout.contains('\u{1b}'), "{colour}");
        }
        let unknown = helm(site, &["rehearse", "--nonsense"]);
        assert!(unknown.status == 2 && unknown.stderr.contains("--nonsense"), "{}", unknown.stderr);
    }
}
