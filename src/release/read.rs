//! What the values files say of a release, with the key below which it was read in each message.

use std::path::PathBuf;

use serde_json::Value;

use super::{Options, ValuesFiles, by_hand};
use crate::{
    cluster::Cluster,
    failure::{Code, Exit, Failure, Result},
    names::{Hostname, ReleaseName},
    session::Session,
    substra::{
        Side,
        backend::{Backend, BackendTrust},
        orchestrator::Orchestrator,
    },
    values::Setting,
};

/// The files of a verb. `usual` is what it sets where the files choose no names of their own: for the commands to type
/// where a file is encrypted and sops is not here.
///
/// # Errors
/// As [`ValuesFiles::read`].
pub(crate) fn files(
    session: &Session<'_>,
    options: &Options,
    usual: impl FnOnce() -> Vec<Setting>,
) -> Result<ValuesFiles> {
    ValuesFiles::read(&options.values, &options.key, &session.sops).map_err(|failure| match options.values.last() {
        Some(last) if failure.code == Code::ToolMissing => {
            let by_hand = by_hand(last, &options.key, &usual());
            let or = if by_hand.is_empty() { String::new() } else { format!("; or by hand, where sops is: {by_hand}") };
            let next = format!("{}{or}", failure.next);
            failure.next(next)
        }
        _ => failure,
    })
}

/// An orchestrator that chooses no names of its own.
pub(crate) fn usual(settings: impl FnOnce(&Orchestrator) -> Vec<Setting>) -> Vec<Setting> {
    Orchestrator::read(&Value::Null).map(|orchestrator| settings(&orchestrator)).unwrap_or_default()
}

/// Whose values these are, as their keys say, else as the chart does of the release that was named.
///
/// # Errors
/// Neither says it; what helps is added by the caller.
pub(crate) fn side(values: &Value, release: Option<&ReleaseName>, cluster: Option<&dyn Cluster>) -> Result<Side> {
    let of_chart = || Side::of_chart(&cluster?.chart(release?).ok()??.name);
    Side::of_values(values).or_else(of_chart).ok_or_else(|| {
        Failure::new(Exit::Usage, Code::WhichSide, "the values do not tell whose they are")
            .why("they have neither orchestrator.mspID, as a backend's, nor channels, as the orchestrator's; or both")
            .unchanged("nothing was looked at")
    })
}

/// A backend.
///
/// # Errors
/// As [`Backend::read`], and for the values of an umbrella chart without its key.
pub(crate) fn backend(files: &ValuesFiles, hostname: Option<&Hostname>) -> Result<Backend> {
    let values = files.merged();
    is_a_backends(&files.paths(), &values)?;
    if values["orchestrator"]["mspID"].is_null() {
        is_no_umbrella(files, &values)?;
    }
    Backend::read(&values, hostname).map_err(|failure| below(files, failure))
}

/// How a backend trusts the orchestrator.
///
/// # Errors
/// As for [`backend`].
pub(crate) fn trust(files: &ValuesFiles) -> Result<BackendTrust> {
    let values = files.merged();
    is_a_backends(&files.paths(), &values)?;
    if values["orchestrator"]["mspID"].is_null() {
        is_no_umbrella(files, &values)?;
    }
    BackendTrust::read(&values).map_err(|failure| below(files, failure))
}

/// An orchestrator, called as its chart is: that name is a part of its Service's.
///
/// # Errors
/// As [`Orchestrator::read`], and for the values of an umbrella chart without its key.
pub(crate) fn orchestrator(files: &ValuesFiles) -> Result<Orchestrator> {
    let values = files.merged();
    is_an_orchestrators(&files.paths(), &values)?;
    if !values["channels"].is_array() && values["orchestrator"]["tls"].is_null() {
        is_no_umbrella(files, &values)?;
    }
    let read = Orchestrator::read(&values).map_err(|failure| below(files, failure))?;
    Ok(read.called(files.key().chart()))
}

/// That these are not an orchestrator's files, as their content shows.
///
/// # Errors
/// They are.
pub(crate) fn is_a_backends(files: &[PathBuf], values: &Value) -> Result<()> {
    let looks = values["orchestrator"]["mspID"].is_null() && is_of_members(values);
    let seen = "it has channels or clientCACerts, and no orchestrator.mspID";
    if looks { Err(other_side(files, ("an orchestrator's", seen), "a backend's")) } else { Ok(()) }
}

/// That these are not a backend's files.
///
/// # Errors
/// They are.
pub(crate) fn is_an_orchestrators(files: &[PathBuf], values: &Value) -> Result<()> {
    let looks = !values["orchestrator"]["mspID"].is_null() && !is_of_members(values);
    let seen = "it has orchestrator.mspID, and neither channels nor clientCACerts";
    if looks { Err(other_side(files, ("a backend's", seen), "an orchestrator's")) } else { Ok(()) }
}

fn is_of_members(values: &Value) -> bool {
    values["channels"].is_array() || !values["orchestrator"]["tls"]["mtls"]["clientCACerts"].is_null()
}

/// Files that were given for the other side.
fn other_side(files: &[PathBuf], (looks, why): (&str, &str), given: &str) -> Failure {
    let like = if files.len() > 1 { "look like" } else { "looks like" };
    let named = files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ");
    Failure::new(Exit::CheckFailed, Code::ValuesSide, format!("{named} {like} {looks} file"))
        .why(format!("it was given as {given}, and {why}"))
        .next("give each file for its own side")
        .unchanged("nothing was written")
}

fn below(files: &ValuesFiles, failure: Failure) -> Failure {
    if files.key().is_top() {
        return failure;
    }
    let why = format!("{} (looked for below {} in the values files)", failure.why, files.key());
    failure.why(why)
}

/// Settings that stand below a key would be looked for, and written, at the top.
///
/// # Errors
/// They do.
pub(crate) fn is_no_umbrella(files: &ValuesFiles, values: &Value) -> Result<()> {
    let Some(key) = (if files.key().is_top() { part(values, 2) } else { None }) else { return Ok(()) };
    Err(Failure::new(Exit::CheckFailed, Code::ValuesKey, "the values files look like those of an umbrella chart")
        .why(format!("the settings of an organization or of an orchestrator stand below {key}"))
        .next(format!("add --values-key {key}"))
        .unchanged("nothing was written"))
}

/// The key of the first part whose values look like those of one of the two charts.
fn part(values: &Value, depth: usize) -> Option<String> {
    let parts = values.as_object()?.iter().filter(|(_, part)| part.is_object());
    let looks = |part: &Value| !part["orchestrator"]["mspID"].is_null() || part["channels"].is_array();
    let mut found = parts.filter_map(|(key, part)| match depth {
        _ if looks(part) => Some(key.clone()),
        0 | 1 => None,
        _ => self::part(part, depth - 1).map(|below| format!("{key}.{below}")),
    });
    found.next()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_part_is_known_by_what_stands_in_it() {
        let backend = json!({"orchestrator": {"mspID": "A"}});
        assert_eq!(part(&json!({"x": 1, "backend": backend}), 2).as_deref(), Some("backend"));
        assert_eq!(part(&json!({"platform": {"b": backend}}), 2).as_deref(), Some("platform.b"));
        assert_eq!(part(&json!({"orchestrator": {"channels": []}}), 2).as_deref(), Some("orchestrator"));
        assert_eq!(part(&backend, 2), None);
        assert_eq!(part(&json!({"channels": [], "orchestrator": {"tls": {"enabled": true}}}), 2), None);
    }
}
