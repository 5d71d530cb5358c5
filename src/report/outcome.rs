//! The result of a verb: the same facts for people and for scripts.

use serde_json::{Value, json};

use super::{Console, Stage, console};
use crate::{
    failure::{Exit, Failure, Result, Standing},
    plan::{State, Step},
};

/// The version of the JSON form; it changes when a field changes its meaning or goes.
const SCHEMA_VERSION: u64 = 1;

/// What a verb found and did.
#[derive(Debug, Clone)]
pub struct Outcome {
    verb: &'static str,
    stage: Stage,
    facts: Vec<Fact>,
    steps: Vec<Value>,
    warnings: Vec<String>,
    next: Vec<String>,
    failure: Option<Failure>,
    exit: Exit,
    shown: Option<String>,
    dry_run: bool,
}

#[derive(Debug, Clone)]
struct Fact {
    key: &'static str,
    value: Value,
    /// What people read: `label: value`, none or many.
    lines: Vec<(&'static str, String)>,
}

impl Outcome {
    /// An empty result.
    #[must_use]
    pub fn new(verb: &'static str, stage: Stage) -> Self {
        Self {
            verb,
            stage,
            facts: Vec::new(),
            steps: Vec::new(),
            warnings: Vec::new(),
            next: Vec::new(),
            failure: None,
            exit: Exit::Done,
            shown: None,
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

    /// Adds a fact: `key: value` for people, a field of `result` for scripts.
    #[must_use]
    pub fn fact(self, key: &'static str, value: impl Into<Value>) -> Self {
        self.labelled(key, key, value)
    }

    /// Adds a fact that people read under another label than scripts: a label may change, a key stays.
    #[must_use]
    pub fn labelled(self, key: &'static str, label: &'static str, value: impl Into<Value>) -> Self {
        let value = value.into();
        let line = (label, plain(&value));
        self.fact_told(key, value, [line])
    }

    /// Adds a fact that people read in other words: any number of lines `label: value`.
    #[must_use]
    pub fn fact_told(
        mut self,
        key: &'static str,
        value: impl Into<Value>,
        lines: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Self {
        self.facts.push(Fact { key, value: value.into(), lines: lines.into_iter().collect() });
        self
    }

    /// Adds a fact of a key or a certificate. A new one that is only planned is thrown away: nobody is told its numbers.
    #[must_use]
    pub fn fact_of(self, is_new: bool, key: &'static str, label: &'static str, value: impl Into<Value>) -> Self {
        if is_new && self.is_planned() { self } else { self.labelled(key, label, value) }
    }

    /// A fact of this name.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.facts.iter().find(|fact| fact.key == key).map(|fact| &fact.value)
    }

    /// Adds what was planned or done.
    #[must_use]
    pub fn steps(mut self, steps: &[Step], done: bool) -> Self {
        self.steps = steps.iter().map(|step| described(step, done)).collect();
        self.warnings.extend(steps.iter().filter_map(Step::left).map(str::to_owned));
        self
    }

    /// Adds steps that are described already.
    #[must_use]
    pub fn described(mut self, steps: Vec<Value>) -> Self {
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

    /// The steps as scripts see them: `id`, `title`, `state`, `diff`.
    #[must_use]
    pub fn described_steps(&self) -> &[Value] {
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
    pub fn next(mut self, next: impl Into<String>) -> Self {
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

    /// What people see on stdout in place of the facts.
    #[must_use]
    pub fn shown(mut self, text: String) -> Self {
        self.shown = Some(text);
        self
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
        if console.format == super::Format::Json {
            return console.json(&self.json());
        }
        if let Some(text) = &self.shown {
            let text = text.trim_end();
            if !text.is_empty() {
                console.data_lines(text)?;
            }
        }
        if self.is_planned() {
            console.data(format!("stage: {}", Stage::Planned))?;
        }
        for (label, text) in self.facts.iter().filter(|_| self.shown.is_none()).flat_map(|fact| &fact.lines) {
            console.data(format!("{label}: {text}"))?;
        }
        self.warnings.iter().for_each(|warning| console.say(format!("warning: {warning}")));
        self.next.iter().for_each(|next| console.say(format!("next: {next}")));
        Ok(())
    }

    /// What scripts see: `docs/schemas/VERB.schema.json`.
    #[must_use]
    pub fn json(&self) -> Value {
        let result: serde_json::Map<String, Value> =
            self.facts.iter().map(|fact| (fact.key.to_owned(), fact.value.clone())).collect();
        let mut all = json!({"schemaVersion": SCHEMA_VERSION, "verb": self.verb, "stage": self.stage, "result": result,
               "steps": self.steps, "warnings": self.warnings, "next": self.next});
        if let Some(failure) = &self.failure {
            all["error"] = error_json(failure);
        }
        all
    }
}

/// Writes the failure that ends the process: to stderr for people, to stdout as JSON for scripts.
pub fn write_failure(failure: &Failure, format: super::Format) {
    if format == super::Format::Json {
        let console = Console { format, yes: false, interactive: false, quiet: false };
        // Nobody reads stdout any more: the exit status says it all the same.
        drop(console.json(&failure_json(failure)));
    }
    tell_failure(failure);
}

fn tell_failure(failure: &Failure) {
    console::talk(&format!("error: {failure}"));
}

/// A failure as scripts see it: `docs/schemas/failure.schema.json`.
#[must_use]
pub fn failure_json(failure: &Failure) -> Value {
    json!({"schemaVersion": SCHEMA_VERSION, "error": error_json(failure)})
}

fn error_json(failure: &Failure) -> Value {
    let mut error = json!({
        "exit": failure.exit.code(), "code": failure.code, "what": failure.what, "why": failure.why,
        "next": failure.next, "unchanged": failure.standing.as_ref().map(Standing::text)});
    if !failure.also.is_empty() {
        error["also"] = failure.also.iter().map(error_json).collect();
    }
    error
}

/// A step as scripts see it.
pub(crate) fn described(step: &Step, done: bool) -> Value {
    let state = match (step.state, done) {
        (State::Already, _) => "already",
        (State::ToDo, true) if step.left().is_some() => "not-done",
        (State::ToDo, true) => "done",
        (State::ToDo, false) => "planned",
    };
    let mut value = json!({"id": step.id, "title": step.title, "state": state});
    if let Some(diff) = step.diff().filter(|diff| !diff.is_empty()) {
        value["diff"] = Value::String(diff);
    }
    value
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
