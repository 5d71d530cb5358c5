//! The result of a verb: the same facts for people and for scripts.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Console, Stage, Told, console};
use crate::{
    failure::{Exit, Failure, Next, Result},
    plan::{Step, StepReport},
    text::{Line, Tone},
};

/// The version of the JSON form; it changes when a field changes its meaning or goes.
const SCHEMA_VERSION: u64 = 1;

/// What a verb found and did.
#[derive(Debug, Clone)]
pub struct Outcome {
    verb: &'static str,
    stage: Stage,
    result: Value,
    lines: Vec<Told>,
    steps: Vec<StepReport>,
    warnings: Vec<String>,
    next: Vec<Next>,
    failure: Option<Failure>,
    exit: Exit,
    dry_run: bool,
}

/// What scripts are answered, with the result of one verb.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer<R> {
    /// Rises when a field changes its meaning or goes. New fields may come without.
    schema_version: u64,
    verb: &'static str,
    /// How far it is.
    stage: Stage,
    result: R,
    /// What was planned or done, in order.
    steps: Vec<StepReport>,
    /// What the operator should know.
    warnings: Vec<String>,
    /// What comes next, for people.
    next: Vec<String>,
    /// The commands of next alone, in their order: each can be pasted as it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    commands: Vec<String>,
    /// What was left behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Failure>,
}

/// What scripts are answered where a run came to nothing.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Nothing {
    /// Rises when a field changes its meaning or goes. New fields may come without.
    schema_version: u64,
    /// What ended the run.
    error: Failure,
}

impl Outcome {
    /// An empty result.
    #[must_use]
    pub fn new(verb: &'static str, stage: Stage) -> Self {
        Self {
            verb,
            stage,
            result: Map::new().into(),
            lines: Vec::new(),
            steps: Vec::new(),
            warnings: Vec::new(),
            next: Vec::new(),
            failure: None,
            exit: Exit::Done,
            dry_run: false,
        }
    }

    /// It was only a dry run: what it says is what would be, nothing follows from it, and that is its last line.
    #[must_use]
    pub fn of_dry_run(mut self) -> Self {
        self.dry_run = true;
        if self.is_planned() {
            self.next.clear();
        }
        self
    }

    fn is_planned(&self) -> bool {
        self.stage == Stage::Planned
    }

    /// The stage.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// What the verb found: a struct beside the verb, whose fields scripts see, and the lines that people read of it.
    #[must_use]
    pub fn result<L: Into<Told>>(mut self, result: &impl Serialize, lines: Vec<L>) -> Self {
        self.result = as_json(result);
        self.lines = lines.into_iter().map(Into::into).collect();
        self
    }

    /// A field of what the verb found, as scripts read it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.result.get(key)
    }

    /// Adds what was planned or done.
    #[must_use]
    pub fn steps(mut self, steps: &[Step], done: bool) -> Self {
        self.steps = steps.iter().map(|step| StepReport::of(step, done)).collect();
        self.warnings.extend(steps.iter().filter_map(Step::left).map(str::to_owned));
        self
    }

    /// Adds steps that are described already.
    #[must_use]
    pub fn described(mut self, steps: Vec<StepReport>) -> Self {
        self.steps = steps;
        self
    }

    /// A part of the work was left behind: the result is written, and the process ends with this.
    #[must_use]
    pub fn failed(mut self, failure: Failure) -> Self {
        self.exit = failure.exit;
        self.failure = Some(failure);
        self
    }

    /// What was left behind.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// The steps as scripts see them.
    #[must_use]
    pub fn described_steps(&self) -> &[StepReport] {
        &self.steps
    }

    /// Adds what the operator should know.
    #[must_use]
    pub fn warnings(mut self, warnings: impl IntoIterator<Item = String>) -> Self {
        self.warnings.extend(warnings);
        self
    }

    /// Adds what comes next.
    #[must_use]
    pub fn next(mut self, next: impl Into<Next>) -> Self {
        self.next.push(next.into());
        self
    }

    /// Ends the process with another status than 0, for a verb whose result is a judgement.
    #[must_use]
    pub fn ends_with(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The status that the process ends with.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Writes it: facts to stdout, warnings and what comes next to stderr; or all of it as JSON to stdout.
    ///
    /// # Errors
    /// Nobody reads stdout any more.
    pub fn write(&self, console: &Console) -> Result<()> {
        self.written(*console)?;
        if let Some(failure) = &self.failure {
            tell_failure(failure);
        }
        if self.dry_run {
            console.say("nothing was written");
        }
        Ok(())
    }

    fn written(&self, console: Console) -> Result<()> {
        if let Some(text_of) = console.format.document() {
            return console.document(&text_of(&self.json()));
        }
        if self.is_planned() {
            console.data(&[format!("stage: {}", Stage::Planned).into()])?;
        }
        if !self.lines.is_empty() {
            console.data(&self.lines)?;
        }
        self.warnings.iter().for_each(|warning| console.say(Line::label(Tone::Doubtful, "warning", warning)));
        self.next.iter().for_each(|next| console.say(Line::next("next", next)));
        Ok(())
    }

    /// What scripts see: `docs/schemas/VERB.schema.json`.
    #[must_use]
    pub fn json(&self) -> Value {
        as_json(&Answer {
            schema_version: SCHEMA_VERSION,
            verb: self.verb,
            stage: self.stage,
            result: self.result.clone(),
            steps: self.steps.clone(),
            warnings: self.warnings.clone(),
            next: self.next.iter().map(Next::to_string).collect(),
            commands: self.next.iter().flat_map(Next::commands).map(str::to_owned).collect(),
            error: self.failure.clone(),
        })
    }
}

/// Writes the failure that ends the process: to stderr for people, to stdout as JSON for scripts.
pub fn write_failure(failure: &Failure, format: super::Format) {
    document_failure(failure, format);
    tell_failure(failure);
}

/// The failure to stdout, where the format is one for scripts.
pub(super) fn document_failure(failure: &Failure, format: super::Format) {
    if let Some(text_of) = format.document() {
        let console = Console { format, yes: false, interactive: false, quiet: false };
        // Nobody reads stdout any more: the exit status says it all the same.
        drop(console.document(&text_of(&failure_json(failure))));
    }
}

fn tell_failure(failure: &Failure) {
    console::talk(&console::lines_of("", failure));
}

/// A failure as scripts see it: `docs/schemas/failure.schema.json`.
#[must_use]
pub fn failure_json(failure: &Failure) -> Value {
    as_json(&Nothing { schema_version: SCHEMA_VERSION, error: failure.clone() })
}

/// What is given to scripts has no keys but words, so that there is a JSON for it.
fn as_json(given: &impl Serialize) -> Value {
    serde_json::to_value(given).unwrap_or_else(|why| Value::String(why.to_string()))
}
