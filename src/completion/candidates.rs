//! What is offered for the value of each option: from this machine at once, from the cluster within a second.

use std::{collections::BTreeSet, ffi::OsStr, path::Path, sync::mpsc, time::Duration};

use clap::Command;
use clap_complete::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter, engine::ValueCompleter,
};
use serde_json::Value;

use super::{CompletionData, line::TypedLine};
use crate::{
    cluster::{RealCluster, RealClusterOptions},
    files, plain, values,
};

/// How long kubectl may take, and how long its answer is waited for: a shell must not hang on a dead cluster.
const LIMIT: Duration = Duration::from_millis(900);
const PATIENCE: Duration = Duration::from_secs(1);

/// The command line with its candidates.
pub(super) fn with(command: Command, line: &TypedLine, offered: CompletionData) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    let is_trust = command.get_name() == "trust";
    let command = command.mut_args(|arg| {
        let line = line.clone();
        match arg.get_id().as_str() {
            "values" | "federation" | "backend" | "orchestrator" => arg.add(files_of(&["yaml", "yml"])),
            "requests" => arg.add(files_of(&["csr", "pem"])),
            "certificate" | "ca_cert" | "client_ca" => arg.add(files_of(&["crt", "pem", "cer"])),
            "ca_key" | "key_file" => arg.add(files_of(&["key", "pem"])),
            "out_dir" => arg.add(paths(PathCompleter::dir())),
            "kubeconfig" => arg.add(paths(PathCompleter::file())),
            "kube_context" => arg.add(ArgValueCandidates::new(move || words(contexts(&line)))),
            "namespace" => arg.add(ArgValueCandidates::new(move || words(namespaces(&line)))),
            "release" => arg.add(ArgValueCandidates::new(move || words(releases(&line)))),
            "installed" | "cut_off" | "organization" => {
                arg.add(ArgValueCandidates::new(move || words(organizations(&line))))
            }
            "fingerprint" if !is_trust => arg.add(ArgValueCandidates::new(move || {
                words(organizations(&line).into_iter().map(|name| format!("{name}=")))
            })),
            "only" | "skip" | "explain" => arg.add(ArgValueCandidates::new(move || checks(offered))),
            _ => arg,
        }
    });
    names.into_iter().fold(command, |command, name| command.mut_subcommand(name, |verb| with(verb, line, offered)))
}

/// A name that steers the terminal cannot be typed either: it is not offered.
fn words(names: impl IntoIterator<Item = String>) -> Vec<CompletionCandidate> {
    names.into_iter().map(CompletionCandidate::new).filter(is_plain).collect()
}

fn is_plain(candidate: &CompletionCandidate) -> bool {
    candidate.get_value().to_string_lossy().chars().all(plain::is_plain)
}

fn paths(all: PathCompleter) -> ArgValueCompleter {
    ArgValueCompleter::new(move |typed: &OsStr| {
        all.complete(typed).into_iter().filter(is_plain).collect::<Vec<CompletionCandidate>>()
    })
}

/// Files of these kinds, and the folders on the way to others.
fn files_of(kinds: &'static [&'static str]) -> ArgValueCompleter {
    let is_kind = |path: &Path| path.extension().and_then(OsStr::to_str).is_some_and(|kind| kinds.contains(&kind));
    paths(PathCompleter::any().filter(move |path| path.is_file() && is_kind(path)))
}

fn checks(offered: CompletionData) -> Vec<CompletionCandidate> {
    (offered.checks)().into_iter().map(|(id, what)| CompletionCandidate::new(id).help(Some(what.into()))).collect()
}

/// Of the values files that stand on the line: the members of channels, and a backend's own name, wherever they stand,
/// since an umbrella chart has them under a key of its own. Those that the line has already are left out.
fn organizations(line: &TypedLine) -> Vec<String> {
    let mut found = BTreeSet::new();
    for path in line.values() {
        let read = files::read(&path).ok().and_then(|bytes| values::read(&bytes).ok());
        read.iter().for_each(|tree| names(tree, &mut found));
    }
    let given = line.all(&["--installed", "--cut-off"]);
    found.into_iter().filter(|name| !given.contains(name)).collect()
}

fn names(tree: &Value, found: &mut BTreeSet<String>) {
    match tree {
        Value::Object(map) => map.iter().for_each(|(key, value)| match (key.as_str(), value) {
            ("organizations", Value::Array(list)) => {
                found.extend(list.iter().filter_map(Value::as_str).map(str::to_owned));
            }
            ("mspID", Value::String(name)) => drop(found.insert(name.clone())),
            _ => names(value, found),
        }),
        Value::Array(list) => list.iter().for_each(|one| names(one, found)),
        _ => {}
    }
}

/// Of the kubeconfig.
fn contexts(line: &TypedLine) -> Vec<String> {
    lines(line, &["config", "get-contexts", "--output=name"]).collect()
}

/// Of the kubeconfig's contexts, and of the cluster where one may list them.
fn namespaces(line: &TypedLine) -> Vec<String> {
    let known = "jsonpath={range .contexts[*]}{.context.namespace}{\"\\n\"}{end}";
    let (local, remote) = std::thread::scope(|scope| {
        let remote = scope.spawn(|| listed(line, &["get", "namespaces", "--output=name"]));
        (
            lines(line, &["config", "view", "--output", known]).collect::<BTreeSet<_>>(),
            remote.join().unwrap_or_default(),
        )
    });
    let remote = remote.iter().map(|name| name.trim_start_matches("namespace/").to_owned());
    local.into_iter().filter(|name| !name.is_empty()).chain(remote).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Of the namespace. Helm keeps releases in Secrets whose label has the name: kubectl's table shows labels, and the API
/// server sends no content of a Secret for it.
fn releases(line: &TypedLine) -> Vec<String> {
    let ask = ["get", "secrets", "--selector=owner=helm,status!=superseded", "--label-columns=name", "--no-headers"];
    let rows = listed(line, &ask);
    let names: BTreeSet<String> =
        rows.iter().filter_map(|row| row.split_whitespace().last()).map(str::to_owned).collect();
    names.into_iter().collect()
}

fn listed(line: &TypedLine, ask: &[&str]) -> Vec<String> {
    lines(line, &[ask, &["--request-timeout=1s"]].concat()).collect()
}

/// What kubectl says where the line points it to; nothing when it takes too long.
fn lines(line: &TypedLine, ask: &[&str]) -> impl Iterator<Item = String> {
    let options = RealClusterOptions {
        namespace: line.one(&["--namespace", "-n"], "HELM_NAMESPACE").and_then(|name| name.parse().ok()),
        context: line.one(&["--kube-context"], "HELM_KUBECONTEXT"),
        kubeconfig: line.all(&["--kubeconfig"]).pop().map(Into::into),
        helm: std::env::var_os("HELM_BIN").map(Into::into),
        ..RealClusterOptions::default()
    };
    let ask: Vec<String> = ask.iter().map(|&word| word.to_owned()).collect();
    let (sender, receiver) = mpsc::channel();
    // Not joined: a credential plugin that does not end when it is asked to must not hold up the shell.
    std::thread::spawn(move || {
        let ask: Vec<&str> = ask.iter().map(String::as_str).collect();
        let said = RealCluster::new(options).ok().and_then(|tools| tools.kubectl_within(&ask, LIMIT));
        // Nobody waits any more where this fails.
        drop(sender.send(said));
    });
    let said = receiver.recv_timeout(PATIENCE).ok().flatten().unwrap_or_default();
    said.lines().map(str::to_owned).collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organizations_are_found_wherever_a_chart_has_them() {
        let tree = serde_json::json!({"substra": {"channels": [{"organizations": ["B", "A"]}]}, "orchestrator": {"mspID": "C"}});
        let mut found = BTreeSet::new();
        names(&tree, &mut found);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["A", "B", "C"]);
    }
}
