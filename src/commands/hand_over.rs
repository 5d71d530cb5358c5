//! What is left to somebody else where no release is upgraded: what to commit, what to sync, how to see that it is done.

use serde_json::{Map, Value};

use super::{Desk, release::Found, shown::Shown};
use crate::{
    cli::CommonArgs,
    cluster::{Cluster, Pointed},
    plan::{
        State, Step, StepId,
        edits::{Edited, ValuesFiles},
    },
    report::{Outcome, text::word},
};

/// What a verb leaves to a sync; nothing by default.
#[derive(Default)]
pub(super) struct Left(Option<Rest>);

struct Rest {
    /// All values after the edit, as they stand in the files.
    whole: Value,
    /// The paths that the verb is about.
    paths: &'static [&'static [&'static str]],
    /// What is so once the sync is through, in a few words.
    then: &'static str,
}

impl Left {
    pub(super) fn of(
        is_left: bool,
        edited: &Edited,
        paths: &'static [&'static [&'static str]],
        then: &'static str,
    ) -> Self {
        Self(is_left.then(|| Rest { whole: edited.whole.clone(), paths, then }))
    }

    /// Adds to the result of a verb that has left its release alone what has to be done, in its order.
    pub(super) fn told(
        &self,
        outcome: Outcome,
        (common, files, found): (&CommonArgs, &ValuesFiles, &Found),
        desk: &Desk<'_>,
        steps: &[Step],
    ) -> Outcome {
        let Some(rest) = &self.0 else { return outcome };
        let (name, namespace) = (&found.name, &found.release.namespace);
        let named = common.values.iter().map(|file| word(&file.display().to_string())).collect::<Vec<_>>().join(" ");
        let edits = steps.iter().any(|step| step.id == StepId::Values && step.state == State::ToDo);
        let commit = if edits { "commit" } else { "see that these are committed:" };
        let pointed = desk.cluster.map(Cluster::pointed).unwrap_or_default();
        outcome
            .next(format!("{commit} {named}; never a key, they are in Secrets"))
            .next(format!("let your sync apply these values: {}", rest.values(files)))
            .next(format!("that is release {name} in namespace {namespace}: argocd app sync APP; flux reconcile helmrelease {name} -n {namespace}"))
            .next(format!("then {}; to see it: {}", rest.then, check(common, files, found, &pointed)))
    }
}

impl Rest {
    /// Only the verb's own settings, below the key of the chart.
    fn values(&self, files: &ValuesFiles) -> Value {
        let mut shown = Value::Object(Map::new());
        for path in self.paths.iter().map(|path| files.key().path(path)) {
            let found = path.iter().try_fold(&self.whole, |node, key| node.get(key));
            if let Some(found) = found.filter(|found| !found.is_null()) {
                put(&mut shown, &path, found.clone());
            }
        }
        shown
    }
}

fn check(common: &CommonArgs, files: &ValuesFiles, found: &Found, pointed: &Pointed) -> Shown {
    let place = Pointed { namespace: Some(found.release.namespace.clone()), ..pointed.clone() };
    let check = Shown::ours("check").at(&place).files(&common.values, files.key());
    check.option("--release", [&found.name]).with("--fail-on warning")
}

fn put(node: &mut Value, path: &[&str], value: Value) {
    let (Some((key, rest)), Value::Object(map)) = (path.split_first(), node) else { return };
    if rest.is_empty() {
        map.insert((*key).to_owned(), value);
    } else {
        put(map.entry(*key).or_insert_with(|| Value::Object(Map::new())), rest, value);
    }
}
