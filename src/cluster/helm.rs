//! The calls of `helm`, worded so that Helm 3 and Helm 4 understand them alike.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    ChartVersion, Helm, RealCluster, Release, Upgrade,
    child::{ChildOutput, MAX_OUTPUT},
    kubectl::{FORBIDDEN, one_line},
};
use crate::{
    cluster::ReleaseStatus,
    command_line::CommandLine,
    failure::{Code, Exit, Failure, Next, Result},
    files,
    names::ReleaseName,
    text::mask,
};

#[derive(Deserialize)]
struct HelmStatus {
    namespace: String,
    version: u64,
    #[serde(default)]
    config: Option<Value>,
    #[serde(default)]
    manifest: String,
    info: HelmInfo,
}

#[derive(Deserialize)]
struct HelmInfo {
    status: String,
}

#[derive(Deserialize)]
struct ListedRelease {
    name: String,
    chart: String,
}

#[derive(Deserialize)]
struct HelmMetadata {
    chart: String,
    version: String,
}

/// The folder inside the throw-away chart in which the values files lie, and the template that prints them.
const READER_TEMPLATE: &str = r#"{{- $all := dict -}}{{- range $path, $_ := .Files.Glob "read/*" -}}{{- $_ := set $all $path ($.Files.Get $path | fromYaml) -}}{{- end -}}
values: {{ $all | toJson | quote }}
"#;

impl Helm for RealCluster {
    fn releases(&self) -> Result<Vec<(String, ChartVersion)>> {
        // `--all` is gone in Helm 4; these four mean the same in both.
        let states = ["--deployed", "--failed", "--pending", "--uninstalling"];
        // Without a limit Helm shows the first 256.
        let args = [&["list", "--output=json", "--max=0"][..], &states].concat();
        let reply = self.helm(&args, None)?;
        let listed: Vec<ListedRelease> = parse_json(&reply, "list releases")?;
        Ok(listed.into_iter().filter_map(|item| Some((item.name, split_chart(&item.chart)?))).collect())
    }

    fn release(&self, name: &ReleaseName) -> Result<Option<Release>> {
        release(name, &self.helm(&["status", name.as_str(), "--output=json"], None)?)
    }

    fn chart(&self, name: &ReleaseName) -> Result<Option<ChartVersion>> {
        let reply = self.helm(&["get", "metadata", name.as_str(), "--output=json"], None)?;
        if is_release_missing(&reply) {
            return Ok(None);
        }
        let metadata: HelmMetadata = parse_json(&reply, &format!("read the chart of release {name}"))?;
        Ok(Some(ChartVersion { name: metadata.chart, version: metadata.version }))
    }

    fn find_chart(&self, upgrade: &Upgrade) -> Result<ChartVersion> {
        let version = format!("--version={}", upgrade.version);
        let missing = |why: String| {
            Failure::new(
                Exit::CheckFailed,
                Code::Chart,
                format!("chart {} {} cannot be had", upgrade.chart, upgrade.version),
            )
            .why(why)
            .next(format!(
                "helm repo update, or name the chart with --chart (a path, repo/name or oci://) and --version {}",
                upgrade.version
            ))
        };
        if REPOSITORY_CHARTS.contains(&upgrade.chart.as_str()) && files::is_there(std::path::Path::new(&upgrade.chart))
        {
            return Err(chart_folder_error(&upgrade.chart));
        }
        // A folder's Chart.yaml is what helm would print of it: one child less.
        let folder = files::read_if_there(&std::path::Path::new(&upgrade.chart).join("Chart.yaml"))?;
        let text = if let Some(text) = folder {
            text
        } else {
            let mut args = vec!["show", "chart", upgrade.chart.as_str()];
            args.extend((!upgrade.version.is_empty()).then_some(version.as_str()));
            let reply = self.helm(&args, None)?;
            if !reply.success {
                return Err(missing(one_line(&reply.stderr)));
            }
            reply.stdout
        };
        let chart = crate::values::read(&text).map_err(|e| missing(e.to_string()))?;
        let part = |key: &str| chart[key].as_str().unwrap_or_default().to_owned();
        Ok(ChartVersion { name: part("name"), version: part("version") })
    }

    fn render(&self, upgrade: &Upgrade) -> Result<String> {
        let version = format!("--version={}", upgrade.version);
        let args = ["template", upgrade.release.as_str(), &upgrade.chart, &version, "--no-hooks", "--values=-"];
        let reply = self.helm(&args, Some(upgrade.values.json()))?;
        if reply.success {
            return Ok(String::from_utf8_lossy(&reply.stdout).into_owned());
        }
        Err(Failure::new(
            Exit::CheckFailed,
            Code::Render,
            format!("chart {} does not render with these values", upgrade.chart),
        )
        .why(one_line(&redact_values(&reply.stderr, upgrade)))
        .next("fix the values file that the message names, then run the same command again"))
    }

    fn parse_values(&self, files: &[&[u8]]) -> Result<Vec<std::result::Result<Value, String>>> {
        let folder = files::scratch()?;
        files::make_folder(&folder.path().join("templates"))?;
        files::make_folder(&folder.path().join("read"))?;
        files::publish(&folder.path().join("Chart.yaml"), b"apiVersion: v2\nname: reader\nversion: 0.0.0\n")?;
        files::publish(&folder.path().join("templates/values.yaml"), READER_TEMPLATE.as_bytes())?;
        for (index, text) in files.iter().enumerate() {
            files::create_private(&folder.path().join(format!("read/{index}.yaml")), text)?;
        }
        let path = folder.path().to_string_lossy();
        // What is answered is the files themselves, quoted twice.
        let max_output = MAX_OUTPUT + 6 * files.iter().map(|text| text.len()).sum::<usize>();
        let mut reply = self.helm_with_output(&["template", "reader", &path], None, max_output)?;
        if !reply.success {
            let given: Value = files.iter().filter_map(|text| crate::values::read(text).ok()).collect();
            reply.stderr = mask::without(&reply.stderr, &given, &[]);
        }
        ensure_success(&reply, "read the values files")?;
        let unexpected = || {
            Failure::new(Exit::Outside, Code::Helm, "helm's reading of the values files is not understood")
                .next("check by hand that helm template works, then run the same command again")
        };
        let outer = crate::values::read(&reply.stdout).map_err(|e| unexpected().why(e.to_string()))?;
        let inner = outer["values"].as_str().unwrap_or_default();
        let all: Value = serde_json::from_str(inner).map_err(|e| unexpected().why(e.to_string()))?;
        Ok((0..files.len()).map(|index| parsed_file(&all[format!("read/{index}.yaml")])).collect())
    }

    fn upgrade(&self, upgrade: &Upgrade) -> Result<()> {
        let limit = self.options.timeout;
        let version = format!("--version={}", upgrade.version);
        let timeout = format!("--timeout={}s", limit.as_secs());
        let mut args = vec!["upgrade", upgrade.release.as_str(), &upgrade.chart, &version, &timeout, "--values=-"];
        args.extend((upgrade.base_revision == 0).then_some("--install"));
        let _note = self.note_of(upgrade);
        // Helm ends by itself at its own limit; ours is for a Helm that does not.
        let mut reply = self.helm_upgrade(&args, Some(upgrade.values.json()), limit + Duration::from_secs(30))?;
        if !reply.success {
            reply.stderr = redact_values(&reply.stderr, upgrade);
            if is_time_out(&reply.stderr) {
                return Err(timed_out(upgrade, &reply.stderr, limit));
            }
        }
        ensure_success(&reply, &format!("upgrade release {}", upgrade.release)).map(drop)
    }
}

/// A revision as `helm status` tells it.
pub(super) fn release(name: &ReleaseName, reply: &ChildOutput) -> Result<Option<Release>> {
    if is_release_missing(reply) {
        return Ok(None);
    }
    let status: HelmStatus = parse_json(reply, &format!("read release {name}"))?;
    Ok(Some(Release {
        namespace: status.namespace,
        revision: status.version,
        status: ReleaseStatus::of_helm(&status.info.status),
        config: status.config.filter(|config| !config.is_null()).unwrap_or_else(|| json!({})),
        manifest: status.manifest,
    }))
}

/// An error of Helm's own, or of the API server, without the values that it may quote.
fn redact_values(text: &str, upgrade: &Upgrade) -> String {
    mask::without(text, &upgrade.values.0, &[upgrade.release.as_str(), &upgrade.chart])
}

/// The charts by their repository's name, which a folder may have as well.
const REPOSITORY_CHARTS: [&str; 2] = ["substra/orchestrator", "substra/substra-backend"];

/// Helm takes what lies in the working directory before what a repository has.
fn chart_folder_error(chart: &str) -> Failure {
    Failure::new(Exit::Refused, Code::ChartFolder, format!("{chart} is the repository's chart and a folder here"))
        .why("Helm would take the folder of the working directory, which may hold anything")
        .next(format!("run this in another folder; or, if the folder is meant, name it: --chart ./{chart} (chart: ./{chart} in a federation file)"))
        .unchanged("nothing was written")
}

fn parsed_file(value: &Value) -> std::result::Result<Value, String> {
    match value {
        // `fromYaml` answers an unreadable file with an object of this one key.
        Value::Object(map) if map.len() == 1 && map.get("Error").is_some_and(Value::is_string) => {
            Err(map["Error"].as_str().unwrap_or_default().to_owned())
        }
        Value::Null => Ok(json!({})),
        other => Ok(other.clone()),
    }
}

/// `name-version` as `helm list` joins them: the version begins at the first dash with a digit after it.
pub(super) fn split_chart(joined: &str) -> Option<ChartVersion> {
    let at = joined
        .match_indices('-')
        .map(|(i, _)| i)
        .find(|i| joined[i + 1..].starts_with(|c: char| c.is_ascii_digit()))?;
    Some(ChartVersion { name: joined[..at].to_owned(), version: joined[at + 1..].to_owned() })
}

pub(super) fn is_release_missing(reply: &ChildOutput) -> bool {
    !reply.success && reply.stderr.contains("release: not found")
}

/// Whether Helm's own `--timeout` ran out: Helm 3 waits by polling, Helm 4 by a context with a deadline. A cluster that does
/// not answer at all is something else.
fn is_time_out(stderr: &str) -> bool {
    let is_deaf = stderr.contains("cluster unreachable") || stderr.contains("Client.Timeout");
    ["timed out waiting for the condition", "context deadline exceeded"].iter().any(|said| stderr.contains(said))
        && !is_deaf
}

fn timed_out(upgrade: &Upgrade, stderr: &str, limit: Duration) -> Failure {
    let name = &upgrade.release;
    Failure::new(
        Exit::TimedOut,
        Code::TimeLimit,
        format!("helm could not upgrade release {name} within {} s", limit.as_secs()),
    )
    .why(one_line(stderr))
    .next("see what helm waited for, a hook's Job for example; then run the same command again, with a longer --timeout where it is only slow")
}

pub(super) fn ensure_success<'a>(reply: &'a ChildOutput, doing: &str) -> Result<&'a ChildOutput> {
    if reply.success {
        return Ok(reply);
    }
    let text = one_line(&reply.stderr);
    let (code, next) = if text.contains("another operation (install/upgrade/rollback) is in progress") {
        (Code::Pending, "another helm began meanwhile: run the same command again, which waits until that has ended")
    } else if text.contains("forbidden") {
        (Code::Forbidden, FORBIDDEN)
    } else {
        (Code::Helm, "fix what helm names, then run the same command again: it continues where it stopped")
    };
    Err(Failure::new(Exit::Outside, code, format!("helm could not {doing}")).why(text).next(next))
}

pub(super) fn parse_json<T: serde::de::DeserializeOwned>(reply: &ChildOutput, doing: &str) -> Result<T> {
    ensure_success(reply, doing)?;
    serde_json::from_slice(&reply.stdout).map_err(|e| {
        Failure::new(Exit::Outside, Code::Helm, format!("helm could not {doing}"))
            .why(format!("its answer is not the JSON that Helm 3 and 4 give, at {}:{}", e.line(), e.column()))
            .next(Next::from(CommandLine::helm().with("version")).words("; Helm 3.18 or later, or Helm 4, is needed"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_out_of_helm_is_told_from_a_cluster_that_does_not_answer() {
        for (said, is) in [
            ("Error: UPGRADE FAILED: pre-upgrade hooks failed: timed out waiting for the condition", true),
            ("Error: UPGRADE FAILED: resource not ready\ncontext deadline exceeded", true),
            ("Error: Kubernetes cluster unreachable: Get \"https://x/version\": context deadline exceeded", false),
            ("Get \"https://x\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)", false),
            ("Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress", false),
        ] {
            assert_eq!(is_time_out(said), is, "{said}");
        }
    }

    #[test]
    fn a_joined_chart_is_split_at_its_version() {
        let chart = split_chart("substra-backend-26.15.3").unwrap();
        assert_eq!((chart.name.as_str(), chart.version.as_str()), ("substra-backend", "26.15.3"));
        assert!(split_chart("nothing").is_none());
    }
}
