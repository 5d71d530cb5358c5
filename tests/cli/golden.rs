//! What scripts were promised: the JSON of every verb, results and failures, as real runs give it, in `golden/*.json`;
//! and what people are told in the same scenes, in `golden/*.txt`.
//!
//! Keys, ids, codes, stages, states and exit statuses stand there to the letter, everything else by its kind, so that
//! words for people may change and what scripts match may not. In the text each word stands. After a change that is meant:
//! `UPDATE_EXPECTED=1 cargo test --test cli pinned`.

mod exchange;
mod mask;
pub(crate) mod text;
mod usage;

use std::{any::type_name, collections::BTreeSet, env, fs, sync::LazyLock};

use serde_json::{Value, json};
use substra_mtls::{
    failure::Result,
    report::{self, Outcome},
};

use super::{schemas, world};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/golden");

/// Values under these keys are matched by scripts.
const KEPT: [&str; 4] = ["schemaVersion", "exit", "code", "id"];

/// A row of these stays on one line.
const WIDTH: usize = 130;

/// The words that a schema lists one by one (`stage`, `state`, `status`, ...), wherever they stand.
static WORDS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let mut words = BTreeSet::new();
    schemas::FILES.values().for_each(|schema| listed(schema, &mut words));
    words
});

/// The answers of one verb, each under the name of what happened.
pub(crate) struct Golden {
    verb: &'static str,
    /// Its path, by which it is played again for its text.
    test: &'static str,
    answers: Vec<(String, Value)>,
}

impl Golden {
    /// For the test that asks.
    pub(crate) fn of<Test: Fn()>(verb: &'static str, _: Test) -> Self {
        let (_, test) = type_name::<Test>().split_once("::").unwrap();
        Self { verb, test, answers: Vec::new() }
    }

    /// What a verb gave at a session, as the process would write it and end with it.
    #[track_caller]
    pub(crate) fn result(&mut self, what: &str, result: Result<Outcome>) {
        if text::is_played() {
            return text::result(what, result);
        }
        let (exit, answer) = match result {
            Ok(outcome) => (outcome.exit(), outcome.json()),
            Err(failure) => (failure.exit, report::failure_json(&failure.unchanged("nothing was written"))),
        };
        self.add(what, i32::from(exit.code()), &answer);
    }

    /// What the binary gave with `-o json`.
    #[track_caller]
    pub(crate) fn ran(&mut self, what: &str, ran: &world::Ran) {
        if text::is_played() {
            return text::ran(what, ran);
        }
        let answer = serde_json::from_str(&ran.stdout).unwrap_or_else(|why| panic!("{what}: {why}: {}", ran.stdout));
        self.add(what, ran.status, &answer);
    }

    #[track_caller]
    fn add(&mut self, what: &str, exit: i32, answer: &Value) {
        schemas::judged(answer);
        assert!(self.answers.iter().all(|(name, _)| name != what), "{what} is pinned twice");
        self.answers.push((what.to_owned(), json!({"exit": exit, "answer": kinds("", answer)})));
    }

    /// Compares all of them with the files.
    #[track_caller]
    pub(crate) fn pinned(self) {
        if text::is_played() {
            return;
        }
        let all: Vec<String> = self
            .answers
            .iter()
            .map(|(what, answer)| format!("  {}: {}", json!(what), laid_out(answer, 2, what.len() + 6)))
            .collect();
        kept_as(&format!("{}.json", self.verb), &format!("{{\n{}\n}}\n", all.join(",\n")));
        kept_as(&format!("{}.txt", self.verb), &text::played(self.test));
    }
}

/// Every answer that is kept.
pub(crate) fn answers() -> impl Iterator<Item = Value> {
    let files = fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|end| end == "json"));
    let scenes = files.map(|path| serde_json::from_str::<Value>(&fs::read_to_string(path).unwrap()).unwrap());
    scenes.flat_map(|scenes| {
        scenes.as_object().unwrap().values().map(|scene| scene["answer"].clone()).collect::<Vec<_>>()
    })
}

/// A text that is kept beside the answers.
#[track_caller]
pub(crate) fn kept_as(name: &str, seen: &str) {
    let path = format!("{FOLDER}/{name}");
    if env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&path, seen).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == seen,
        "{path}: - as promised, + as it is now; UPDATE_EXPECTED=1 cargo test --test cli pinned\n{}",
        world::diff(&kept, seen)
    );
}

/// The answer with what may change replaced by its kind.
fn kinds(key: &str, value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), kinds(key, value))).collect(),
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| kinds("", item)).collect();
            // How many sentences there are is for people.
            items.dedup_by(|one, other| one.is_string() && one == other);
            Value::Array(items)
        }
        kept if KEPT.contains(&key) => kept.clone(),
        Value::Number(_) => json!("number"),
        Value::String(text) if !text.is_empty() && !WORDS.contains(text) => json!(mask::kind(text)),
        kept => kept.clone(),
    }
}

fn listed(schema: &Value, words: &mut BTreeSet<String>) {
    match schema {
        Value::Object(rules) => {
            let all = [rules.get("const"), rules.get("enum")].into_iter().flatten();
            let all = all.flat_map(|value| value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice));
            words.extend(all.filter_map(Value::as_str).map(str::to_owned));
            rules.values().for_each(|rule| listed(rule, words));
        }
        Value::Array(rules) => rules.iter().for_each(|rule| listed(rule, words)),
        _ => {}
    }
}

/// JSON with one line for what fits into it: `indent` blanks before its end, `used` columns before its begin.
fn laid_out(value: &Value, indent: usize, used: usize) -> String {
    let line = value.to_string().replace("\":", "\": ").replace(",\"", ", \"").replace("},{", "}, {");
    if used + line.chars().count() <= WIDTH {
        return line;
    }
    let inner = " ".repeat(indent + 2);
    let (open, close, parts) = match value {
        Value::Object(map) => {
            let part = |(key, value): (&String, &Value)| {
                let key = json!(key).to_string();
                format!("{inner}{key}: {}", laid_out(value, indent + 2, indent + key.len() + 5))
            };
            ('{', '}', map.iter().map(part).collect::<Vec<_>>())
        }
        Value::Array(items) => {
            let part = |item| format!("{inner}{}", laid_out(item, indent + 2, indent + 3));
            ('[', ']', items.iter().map(part).collect())
        }
        _ => return line,
    };
    format!("{open}\n{}\n{}{close}", parts.join(",\n"), " ".repeat(indent))
}
