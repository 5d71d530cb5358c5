//! A look at what a step has just written: a child that says yes is not believed.

use std::path::Path;

use super::{Action, StepContext, drift::same};
use crate::{
    cluster::{Cluster, Object, ObjectRef, ReleaseStatus, Upgrade},
    command_line::CommandLine,
    failure::{Code, Exit, Failure, Next, Result},
    files,
    names::ReleaseName,
};

/// Whether the world is now as the action meant it.
///
/// # Errors
/// `not-as-written`, `not-deployed` or `upgraded-by-others` where it is not; or it cannot be looked at.
pub(super) fn look(action: &Action, context: &StepContext<'_>) -> Result<()> {
    match action {
        Action::KeyFile { path, pem } => holds(path, &files::read_private(path)?, pem.as_bytes()),
        Action::Publish { path, bytes } => holds(path, &files::read(path)?, bytes),
        Action::AppendLog { path, lines } => holds(path, &files::tail(path, lines.len())?, lines.as_bytes()),
        Action::EditValues { path, new, .. } => holds(path, &files::read(path)?, new),
        Action::Create(object) | Action::Replace(object) => is_held(context.cluster()?, object),
        Action::Delete { seen, while_held } => is_gone(context.cluster()?, seen, while_held),
        Action::Recover(unfinished) => unfinished.is_gone(context.cluster()?),
        Action::Upgrade(upgrade) => is_deployed(context.cluster()?, upgrade),
        Action::Restart { workloads, note } => are_noted(context.cluster()?, workloads, note),
        // To wait for it is to look at it; and what waits for a signature is never applied.
        Action::RollOut { .. } | Action::AfterConsent(_) => Ok(()),
    }
}

/// What holds once an action is done, for the line that says what was looked at.
pub(super) fn sentence(action: &Action) -> String {
    match action {
        Action::KeyFile { path, .. } | Action::Publish { path, .. } | Action::EditValues { path, .. } => {
            format!("{} is as planned", path.display())
        }
        Action::AppendLog { path, .. } => format!("{} ends with the new lines", path.display()),
        Action::Create(object) | Action::Replace(object) => format!("{} is as planned", named(object)),
        Action::Delete { seen, .. } => format!("{} is gone", named(seen)),
        Action::Recover(unfinished) => {
            format!("revision {} of release {} is gone", unfinished.revision, unfinished.release)
        }
        Action::Upgrade(upgrade) => format!("release {} is deployed with the values of the files", upgrade.release),
        Action::Restart { .. } => "the pods are restarted".to_owned(),
        Action::RollOut { release, .. } => format!("every workload of release {release} runs what is deployed"),
        Action::AfterConsent(_) => "nothing is signed yet".to_owned(),
    }
}

/// An object is there with everything that was meant.
///
/// # Errors
/// `not-as-written`.
pub(super) fn is_held(cluster: &dyn Cluster, meant: &Object) -> Result<()> {
    is_among(&cluster.get(&[meant.reference()])?, meant)
}

fn is_among(found: &[Object], meant: &Object) -> Result<()> {
    let why = match meant.reference().find_in(found) {
        None => "it is not there".to_owned(),
        Some(found) => match found.missing_parts_of(meant) {
            None => return Ok(()),
            Some(why) => why,
        },
    };
    Err(not_as_written(Exit::Outside, &named(meant), why))
}

/// An object is gone, and the one that holds what it held is still there: nobody may call that done otherwise.
fn is_gone(cluster: &dyn Cluster, seen: &Object, while_held: &Object) -> Result<()> {
    let found = cluster.get(&[seen.reference(), while_held.reference()])?;
    let stays = |found: &Object| found.uid() == seen.uid() && found.json()["metadata"]["deletionTimestamp"].is_null();
    if seen.reference().find_in(&found).is_some_and(stays) {
        return Err(not_as_written(Exit::Outside, &named(seen), "it was deleted and is still there".to_owned()));
    }
    is_among(&found, while_held)
}

/// The revision, the status and the values that Helm has now.
pub(super) fn is_deployed(cluster: &dyn Cluster, upgrade: &Upgrade) -> Result<()> {
    let (name, wanted) = (&upgrade.release, upgrade.base_revision + 1);
    let Some(now) = cluster.release(name)? else {
        return Err(not_deployed(cluster, upgrade, "helm has no release of this name".to_owned()));
    };
    let as_meant = same(&now.config, &upgrade.values.0);
    if now.revision > wanted {
        let whose = if as_meant { "what it had is overwritten" } else { "its values are not ours" };
        return Err(Failure::new(
            Exit::Outside,
            Code::UpgradedByOthers,
            format!("somebody else upgraded release {name} too"),
        )
        .why(format!("it is at revision {}, this upgrade was to be {wanted}; {whose}", now.revision))
        .next(
            Next::from(history(cluster, name))
                .words("; agree with the other operator, then run the same command again"),
        ));
    }
    if now.revision < wanted {
        return Err(not_deployed(
            cluster,
            upgrade,
            format!("helm said yes, and it is still at revision {}", now.revision),
        ));
    }
    if now.status != ReleaseStatus::Deployed {
        return Err(not_deployed(cluster, upgrade, format!("revision {wanted} is {}", now.status)));
    }
    if as_meant {
        return Ok(());
    }
    Err(not_deployed(cluster, upgrade, format!("the values of revision {wanted} are not those that were checked")))
}

fn are_noted(cluster: &dyn Cluster, workloads: &[ObjectRef], (key, value): &(&str, String)) -> Result<()> {
    let found = cluster.get(workloads)?;
    let is_noted = |workload: &&ObjectRef| {
        workload.find_in(&found).is_some_and(|object| object.template_annotation(key) == Some(value))
    };
    match workloads.iter().find(|workload| !is_noted(workload)) {
        None => Ok(()),
        Some(workload) => Err(not_as_written(
            Exit::Outside,
            &workload.to_string(),
            format!("its pods have no annotation {key}: {value}"),
        )),
    }
}

fn holds(path: &Path, found: &[u8], meant: &[u8]) -> Result<()> {
    if found == meant {
        return Ok(());
    }
    Err(not_as_written(Exit::Failed, &path.display().to_string(), "it holds something else".to_owned()))
}

/// `Secret orchestrator-client-cert`, as people call it.
fn named(object: &Object) -> String {
    let kind = object.json()["kind"].as_str().unwrap_or_default();
    format!("{kind} {}", object.name())
}

pub(super) fn not_as_written(exit: Exit, what: &str, why: String) -> Failure {
    Failure::new(exit, Code::NotAsWritten, format!("{what} is not as this run wrote it"))
        .why(why)
        .next("see who else writes it (another operator, a sync, a policy), then run the same command again")
}

/// The command that shows who upgraded the release when.
fn history(cluster: &dyn Cluster, name: &ReleaseName) -> CommandLine {
    CommandLine::helm().at(&cluster.target()).with("history").word(name)
}

fn not_deployed(cluster: &dyn Cluster, upgrade: &Upgrade, why: String) -> Failure {
    let name = &upgrade.release;
    Failure::new(Exit::Outside, Code::NotDeployed, format!("release {name} is not as this upgrade meant it"))
        .why(why)
        .next(Next::from(history(cluster, name)).words("; then run the same command again"))
}
