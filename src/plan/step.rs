//! One step of a plan: what it changes, what it shows before, and how it is done.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use zeroize::Zeroizing;

use crate::{
    cluster::{Cluster, Object, ObjectRef, Upgrade},
    failure::{Code, Failure, Result},
    files, interrupt,
    plan::{StepContext, StepId, Unfinished, proof, rollout, upgrade},
    substra::own,
    text::{Line, Tone, diff},
    values::{self, KeyPath, ValuesKey},
};

/// Whether a step was found done when the plan was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InitialState {
    /// The world is so already: nothing is done.
    Already,
    /// To be done.
    ToDo,
}

/// What a step does.
pub enum Action {
    /// A private key into a file of its own, mode 0600, never over another.
    KeyFile {
        /// The file.
        path: PathBuf,
        /// PKCS#8 PEM.
        pem: Zeroizing<String>,
    },
    /// A request or certificate into a public file.
    Publish {
        /// The file.
        path: PathBuf,
        /// What it holds.
        bytes: Vec<u8>,
    },
    /// Lines for the issue log, synced before the next step.
    AppendLog {
        /// The log.
        path: PathBuf,
        /// Whole lines.
        lines: String,
    },
    /// A values file, edited without loss.
    EditValues {
        /// The file.
        path: PathBuf,
        /// Where in it the chart's settings stand.
        key: ValuesKey,
        /// What it held when it was read.
        old: Zeroizing<Vec<u8>>,
        /// What it will hold.
        new: Zeroizing<Vec<u8>>,
    },
    /// A new object.
    Create(Object),
    /// An object in place of the one of the same name and resourceVersion.
    Replace(Object),
    /// An object goes, as it was seen and no other; and only while another one holds what it must, since what goes is the
    /// last copy of it.
    Delete {
        /// The object.
        seen: Object,
        /// The one that must be there as it is meant.
        while_held: Object,
    },
    /// The unfinished revision of a release goes, as it was seen and no other, so that the next upgrade can begin.
    Recover(Unfinished),
    /// `helm upgrade`, not waited for.
    Upgrade(Upgrade),
    /// Notes a value in the annotations of workloads' pod templates, which replaces their pods: what they loaded at
    /// their start they load again.
    Restart {
        /// Deployments and StatefulSets.
        workloads: Vec<ObjectRef>,
        /// The annotation and its new value, by which a later run sees what the pods were started with.
        note: (&'static str, String),
    },
    /// What it writes is signed once the operator has agreed: then the verb puts that in its place. For a file with what it
    /// will do, as yet without a byte: by that it is asked about before.
    AfterConsent(Option<Box<Action>>),
    /// Waits until these workloads are rolled out and no old pod is left.
    RollOut {
        /// The release that they belong to.
        release: String,
        /// Deployments and StatefulSets.
        workloads: Vec<ObjectRef>,
    },
}

/// How a step ended that was to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepOutcome {
    /// It was done, looked at again, and is so.
    Seen,
    /// It was left, for this reason.
    Left(String),
}

/// One step.
pub struct Step {
    /// What kind of step it is, for scripts.
    pub id: StepId,
    /// One line, for people: "Secret orchestrator-client-cert: certificate and key".
    pub title: String,
    /// Found done, or to be done.
    pub state: InitialState,
    /// What it does.
    pub action: Action,
    /// How it ended; empty before.
    done: OnceLock<StepOutcome>,
}

impl Step {
    /// A step that is to be done.
    pub fn to_do(id: StepId, title: impl Into<String>, action: Action) -> Self {
        Self { id, title: title.into(), state: InitialState::ToDo, action, done: OnceLock::new() }
    }

    /// The same step, found done where `done` holds.
    #[must_use]
    pub fn already_if(mut self, done: bool) -> Self {
        if done {
            self.state = InitialState::Already;
        }
        self
    }

    /// Puts in place what steps wait for, in their order.
    pub fn fill(steps: &mut [Self], actions: impl IntoIterator<Item = Action>) {
        let waiting = steps.iter_mut().filter(|step| matches!(step.action, Action::AfterConsent(_)));
        waiting.zip(actions).for_each(|(step, action)| step.action = action);
    }

    /// Whether one of these steps is to deploy its release again.
    #[must_use]
    pub fn any_upgrades(steps: &[Self]) -> bool {
        steps.iter().any(|step| step.id == StepId::Upgrade && step.state == InitialState::ToDo)
    }

    /// Whether it waits for a rollout.
    #[must_use]
    pub fn is_rollout(&self) -> bool {
        matches!(self.action, Action::RollOut { .. })
    }

    /// The object that it makes, or puts in another's place.
    #[must_use]
    pub fn new_object(&self) -> Option<&Object> {
        match &self.action {
            Action::Create(object) | Action::Replace(object) if self.state == InitialState::ToDo => Some(object),
            _ => None,
        }
    }

    /// The step in a plan that is shown.
    #[must_use]
    pub fn line(&self) -> Line {
        match self.state {
            InitialState::Already => Line::marked(Tone::Quiet, "already", &self.title),
            InitialState::ToDo => Line::marked(Tone::Doubtful, "to do", &self.title),
        }
    }

    /// The change of a file as a unified diff without the values of others; `None` for what is no text file.
    #[must_use]
    pub fn diff(&self) -> Option<String> {
        match &self.action {
            // Of ciphers there is nothing to see; the title says what is set.
            Action::EditValues { old, .. } if values::is_encrypted(old) => None,
            Action::EditValues { path, key, old, new } => {
                let is_ours = |place: &KeyPath| key.inside(place).is_some_and(own::is_own);
                Some(diff::of_values(&name(path), old, new, &is_ours))
            }
            _ => None,
        }
    }

    /// What it would take away of a release, where the operator has not agreed to that yet.
    #[must_use]
    pub fn asks(&self) -> Option<&Unfinished> {
        match &self.action {
            Action::Recover(unfinished) if !unfinished.agreed => Some(unfinished),
            _ => None,
        }
    }

    /// How it ended.
    #[must_use]
    pub fn done(&self) -> Option<&StepOutcome> {
        self.done.get()
    }

    /// Why it was left as it was.
    #[must_use]
    pub fn left(&self) -> Option<&str> {
        match self.done() {
            Some(StepOutcome::Left(why)) => Some(why),
            _ => None,
        }
    }

    /// What holds now and was looked at by this run: before it, or after the step was done.
    #[must_use]
    pub fn proven(&self) -> Option<String> {
        let seen = self.state == InitialState::Already || self.done() == Some(&StepOutcome::Seen);
        seen.then(|| proof::sentence(&self.action))
    }

    /// Refuses early what would fail late: a file that cannot be put where it belongs. Nothing is written.
    pub(super) fn probe(&self) -> Result<()> {
        probe(&self.action)
    }

    /// Performs the step, and looks whether its change is there now.
    pub(super) fn apply(&self, context: &StepContext<'_>) -> Result<&StepOutcome> {
        let done = match self.write(context)? {
            StepOutcome::Seen => proof::look(&self.action, context).map(|()| StepOutcome::Seen)?,
            left @ StepOutcome::Left(_) => left,
        };
        Ok(self.done.get_or_init(|| done))
    }

    fn write(&self, context: &StepContext<'_>) -> Result<StepOutcome> {
        match &self.action {
            Action::KeyFile { path, pem } => files::create_private(path, pem.as_bytes()),
            Action::Publish { path, bytes } => files::publish(path, bytes),
            Action::AppendLog { path, lines } => files::append_synced(path, lines.as_bytes()),
            Action::EditValues { path, old, new, .. } => files::replace(path, old, new),
            Action::Create(object) => create(context.cluster()?, object),
            Action::Replace(object) => context.cluster()?.replace(object),
            Action::Delete { seen, while_held } => return delete(context.cluster()?, seen, while_held),
            Action::Recover(unfinished) => unfinished.remove(context.cluster()?),
            Action::Upgrade(upgrade) => upgrade::upgrade(context, upgrade),
            Action::Restart { workloads, note: (key, value) } => {
                let cluster = context.cluster()?;
                workloads.iter().try_for_each(|workload| cluster.annotate_template(workload, key, value))
            }
            Action::RollOut { release, workloads } => roll_out(context.cluster()?, release, workloads, context),
            Action::AfterConsent(_) => Err(nothing_to_write(&self.title)),
        }?;
        Ok(StepOutcome::Seen)
    }
}

fn probe(action: &Action) -> Result<()> {
    match action {
        Action::KeyFile { path, pem } => files::probe_new(path, pem.len()),
        Action::Publish { path, bytes } => files::probe_new(path, bytes.len()),
        Action::EditValues { path, new, .. } => files::probe_new(&files::real(path), new.len()),
        Action::AppendLog { path, lines } => files::probe_append(path, lines.len()),
        Action::AfterConsent(Some(later)) => probe(later),
        _ => Ok(()),
    }
}

fn delete(cluster: &dyn Cluster, seen: &Object, while_held: &Object) -> Result<StepOutcome> {
    proof::is_held(cluster, while_held).map_err(|lost| last_copy(seen, lost))?;
    match cluster.delete(seen) {
        Err(failure) if failure.code == Code::Conflict => {
            let name = seen.reference();
            Ok(StepOutcome::Left(format!(
                "{name} stays: somebody changed it meanwhile, so that it may hold another key"
            )))
        }
        other => other.map(|()| StepOutcome::Seen),
    }
}

/// A mistake of ours, said instead of an empty file.
fn nothing_to_write(title: &str) -> Failure {
    Failure::bug(format!("{title}: what it writes was never signed"))
}

fn create(cluster: &dyn Cluster, object: &Object) -> Result<()> {
    match cluster.create(object) {
        // It holds nothing of ours: it is there, made meanwhile by somebody else, perhaps by another release of the same run.
        Err(failure) if failure.code == Code::Exists && object.reference().resource == "namespace" => Ok(()),
        other => other,
    }
}

/// What would hold the same is not there: the object stays, and the run is not done.
fn last_copy(seen: &Object, lost: Failure) -> Failure {
    if lost.code != Code::NotAsWritten {
        return lost;
    }
    let what = format!("{} stays: it has the last copy of a key", seen.reference());
    Failure::new(lost.exit, Code::LastCopy, what).why(format!("{}: {}", lost.what, lost.why)).next(lost.next)
}

fn roll_out(cluster: &dyn Cluster, release: &str, workloads: &[ObjectRef], context: &StepContext<'_>) -> Result<()> {
    let waiter = rollout::RolloutWaiter {
        cluster,
        release,
        workloads,
        limit: context.timeout,
        clock: &context.clock,
        stop: interrupt::wished,
    };
    waiter.wait()
}

fn name(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::times::Clock;

    #[test]
    fn what_waits_for_a_signature_is_asked_about_before_and_written_once_it_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let publish =
            |name: &str, bytes: &[u8]| Action::Publish { path: folder.path().join(name), bytes: bytes.into() };
        let waits =
            |name| Step::to_do(StepId::Certificate, "a.crt", Action::AfterConsent(Some(Box::new(publish(name, b"")))));
        assert_eq!(waits("missing/a.crt").probe().unwrap_err().code.id(), "file-unwritable");
        let mut steps = [Step::to_do(StepId::Values, "v", publish("v", b"v")), waits("a.crt")];
        steps[1].probe().unwrap();
        let context = StepContext { cluster: None, timeout: Duration::ZERO, clock: Clock::system() };
        assert_eq!(steps[1].apply(&context).unwrap_err().code.id(), "bug");
        let made = folder.path().join("a.crt");
        assert!(!files::is_there(&made));
        Step::fill(&mut steps, [publish("a.crt", b"signed")]);
        assert_eq!(*steps[1].apply(&context).unwrap(), StepOutcome::Seen);
        assert_eq!(files::read(&made).unwrap().as_slice(), b"signed");
        assert_eq!(steps[0].done(), None, "what waits for nothing is left as it was");
    }
}
