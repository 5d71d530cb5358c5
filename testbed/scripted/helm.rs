//! The calls of `helm`, in the words of both Helms.

use std::{fs, path::Path};

use serde_json::{Value, json};
use substra_mtls::{
    cluster::{ChartVersion, Helm, History, Revision, simulated::SimulatedCluster},
    times::Clock,
    values,
};

use crate::{Answer, Call, input};

const MISSING: &str = "Error: release: not found\n";

pub(crate) fn answer(call: &Call, cluster: &SimulatedCluster) -> Answer {
    let words: Vec<&str> = call.words.iter().map(String::as_str).collect();
    match words[..] {
        ["list"] => list(cluster),
        ["status", name] => status(call, cluster, name),
        ["history", name] => history(cluster, name),
        ["get", "hooks", _] => Answer::default(),
        ["get", "metadata", name] => metadata(cluster, name),
        ["show", "chart", reference] => {
            let ChartVersion { name, version } = chart(call, reference);
            Answer::said(format!("apiVersion: v2\nname: {name}\nversion: {version}"))
        }
        ["template", "reader", folder] => reader(Path::new(folder)),
        ["template", name, reference] => template(call, cluster, name, reference),
        ["upgrade", name, reference] => upgrade(call, cluster, name, reference),
        _ => panic!("helm {words:?} is not scripted"),
    }
}

fn list(cluster: &SimulatedCluster) -> Answer {
    let all = cluster.releases().unwrap();
    let one = |(name, chart): &(String, ChartVersion)| {
        json!({"name": name, "namespace": cluster.namespace_name(), "revision": "1", "status": "deployed",
               "chart": format!("{}-{}", chart.name, chart.version), "app_version": ""})
    };
    Answer::said(all.iter().map(one).collect::<Value>())
}

fn history(cluster: &SimulatedCluster, name: &str) -> Answer {
    let all = cluster.history(&name.parse().unwrap()).unwrap();
    if all.is_empty() {
        return Answer::failed(MISSING);
    }
    let line = |one: &Revision| {
        let chart = one.chart.as_ref().unwrap();
        json!({"revision": one.revision, "status": one.status.to_string(), "chart": format!("{}-{}", chart.name, chart.version)})
    };
    Answer::said(all.iter().map(line).collect::<Value>())
}

fn status(call: &Call, cluster: &SimulatedCluster, name: &str) -> Answer {
    let name = &name.parse().unwrap();
    let found = match call.option("--revision") {
        Some(revision) => cluster.release_at(name, revision.parse().unwrap()),
        None => cluster.release(name),
    };
    let Some(release) = found.unwrap() else { return Answer::failed(MISSING) };
    Answer::said(
        json!({"name": name, "namespace": release.namespace, "version": release.revision, "config": release.config,
        "manifest": release.manifest, "info": {"status": release.status.to_string()}}),
    )
}

fn metadata(cluster: &SimulatedCluster, name: &str) -> Answer {
    let Some(chart) = cluster.chart(&name.parse().unwrap()).unwrap() else { return Answer::failed(MISSING) };
    Answer::said(
        json!({"name": name, "chart": chart.name, "version": chart.version, "namespace": cluster.namespace_name()}),
    )
}

/// The chart that a reference means, in the version that was asked for or the newest.
fn chart(call: &Call, reference: &str) -> ChartVersion {
    let name = reference.rsplit('/').next().unwrap().to_owned();
    let newest = if name == "orchestrator" { "8.8.0" } else { "26.15.3" };
    let version = call.option("--version").filter(|version| !version.is_empty()).unwrap_or(newest).to_owned();
    ChartVersion { name, version }
}

/// The throw-away chart by which values files are read as Helm reads them: it prints them as JSON.
fn reader(folder: &Path) -> Answer {
    let entries = fs::read_dir(folder.join("read")).unwrap().map(|entry| entry.unwrap());
    let read = |entry: fs::DirEntry| {
        let value = values::read(&fs::read(entry.path()).unwrap());
        let value = value.unwrap_or_else(|refusal| json!({"Error": refusal.to_string()}));
        (format!("read/{}", entry.file_name().to_str().unwrap()), value)
    };
    let all: Value = entries.map(read).collect();
    Answer::said(format!("---\n# Source: reader/templates/values.yaml\nvalues: {}", json!(all.to_string())))
}

/// What an upgrade would deploy, seen in another world.
fn template(call: &Call, cluster: &SimulatedCluster, name: &str, reference: &str) -> Answer {
    let other = SimulatedCluster::restored(call.namespace(), &Clock::system(), &cluster.stored()).unwrap();
    match other.install(name, chart(call, reference), given(call)) {
        Ok(()) => Answer::said(other.release(&name.parse().unwrap()).unwrap().unwrap().manifest),
        Err(failure) => Answer::failed(format!("Error: {}\n", failure.what)),
    }
}

fn upgrade(call: &Call, cluster: &SimulatedCluster, name: &str, reference: &str) -> Answer {
    let is_there = cluster.release(&name.parse().unwrap()).unwrap().is_some();
    if !is_there && call.option("--install").is_none() {
        return Answer::failed(format!("Error: UPGRADE FAILED: \"{name}\" has no deployed releases\n"));
    }
    match cluster.install(name, chart(call, reference), given(call)) {
        Ok(()) => Answer::said(format!("Release \"{name}\" has been upgraded. Happy Helming!")),
        Err(failure) => Answer::failed(format!("Error: UPGRADE FAILED: {}\n", failure.what)),
    }
}

/// The values by `--values`: one file, `-` for standard input.
fn given(call: &Call) -> Value {
    let text = match call.option("--values") {
        None => String::new(),
        Some("-") => input(),
        Some(path) => fs::read_to_string(path).unwrap(),
    };
    values::read(text.as_bytes()).unwrap()
}
