//! The command line itself: usage errors, help, the table of exit statuses.

use clap::ValueEnum;
use substra_mtls::failure::Exit;

use super::world::World;

const STATUSES: &str = "Exit status: 0 done, 1 failed, 2 usage, 3 a check failed, 5 refused by policy or\nby you, 6 cluster or helm failed, 124 time limit, 130 interrupted.";

#[test]
fn a_wrong_command_line_ends_with_2() {
    for line in [
        "",
        "nonsense",
        "enroll",
        "approve -f x",
        "approve a.csr -f x",
        "approve a.csr -f x --ca-cert c",
        "gate",
        "enroll -f x --key-type rsa-1024",
        "approve a.csr -f x --ca-cert c --ca-key k --validity 2y",
        "ca",
        "ca init",
        "ca init -f x --secret s --out-dir .",
        "ca init -f x --secret s --encrypt",
        "ca init -f x --secret s --offline",
        "ca init -f x --host *.example.org",
        "ca trust c.crt -f x",
        "ca trust -f x --for MyOrg1MSP",
        "ca trust c.crt -f x --for MyOrg1MSP --backend",
        "ca trust c.crt -f x --for MyOrg1MSP --enable-tls",
        "ca show",
        "enroll -f x --timeout 0",
        "enroll -f x --renew --new-request",
        "gate open -f x --timeout 0s",
        "bootstrap x --timeout 0ms",
        "gate open -f x --timeout 5",
        "enroll -f x -o prometheus",
        "ca show -f x -o prometheus",
        "bootstrap x -o prometheus",
        "rehearse -o prometheus",
    ] {
        let ran = World::new().run(line);
        assert_eq!(ran.status, 2, "{line}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{line}");
    }
}

#[test]
fn of_what_is_missing_each_way_is_named() {
    let trust = "Usage: substra-mtls ca trust [OPTIONS] -f <FILE> <--backend|--for <ORG>> <CERT>\n";
    let check = "Usage: substra-mtls check [OPTIONS] <-f <FILE>|FEDERATION.yaml|--explain <ID>>\n";
    for (line, missing, usage) in [
        ("ca trust ca.crt -f x", "\n  --backend or --for <ORG>\n", trust),
        ("ca trust -f x", "\n  --backend or --for <ORG>\n", trust),
        ("check", "\n  --values <FILE> or FEDERATION.yaml or --explain <ID>\n", check),
        ("approve a.csr -f orchestrator-values.yaml", "--ca-cert FILE and --ca-key FILE, or --ca-secret NAME", ""),
    ] {
        let ran = World::new().run(line);
        assert_eq!(ran.status, 2, "{line}: {}", ran.stderr);
        assert!(ran.stderr.contains(missing) && ran.stderr.contains(usage), "{line}: {}", ran.stderr);
    }
}

#[test]
fn no_word_of_the_line_becomes_an_option_of_a_child() {
    let world = World::new();
    for (line, name) in [
        ("--chart=--post-renderer=/tmp/x", "--chart"),
        ("--chart=", "--chart"),
        ("--version=-x", "--version"),
        ("--version=", "--version"),
        ("--kube-context=-x", "--kube-context"),
        ("--kubeconfig=-x", "--kubeconfig"),
        ("--release=-x", "--release"),
        ("--namespace=-x", "--namespace"),
        ("-n=-x", "--namespace"),
    ] {
        for verb in ["enroll -f backend-values.yaml", "gate open -f orchestrator-values.yaml"] {
            let ran = world.run(&format!("{verb} {line}"));
            assert_eq!(ran.status, 2, "{line}: {}", ran.stderr);
            assert!(ran.stderr.contains("invalid value") && ran.stderr.contains(name), "{line}: {}", ran.stderr);
        }
    }
}

#[test]
fn help_has_the_exit_statuses_everywhere() {
    for line in [
        "--help",
        "enroll --help",
        "approve --help",
        "gate close --help",
        "gate open --help",
        "ca init --help",
        "ca trust --help",
        "ca show --help",
        "check --help",
        "rehearse --help",
        "role --help",
    ] {
        let ran = World::new().run(line).ok();
        assert!(ran.stdout.contains(STATUSES), "{line}: {}", ran.stdout);
    }
    let page = include_str!("../../docs/exit-status.md");
    for exit in Exit::value_variants() {
        let code = exit.code();
        assert!(page.contains(&format!("\n| {code} |")), "{code} is missing in docs/exit-status.md");
        let told = STATUSES.split([',', ':']).any(|one| one.split_whitespace().next() == Some(&code.to_string()));
        assert!(told, "{code} is missing in: {STATUSES}");
    }
}

#[test]
fn the_version_is_one_in_all_places() {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(World::new().run("--version").ok().stdout, format!("substra-mtls {version}\n"));
    assert!(include_str!("../../plugin.yaml").contains(&format!("version: \"{version}\"")));
}
