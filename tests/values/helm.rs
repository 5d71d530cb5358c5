//! Helm's own reading of the corpus, of its edits and of mutants, beside ours: both Helms, one call each.

use std::{env, fs, path::PathBuf, process::Command};

use serde_json::{Map, Value};
use substra_mtls::values::{apply, edit, read};

use super::{
    backend,
    files::{self, File},
    orchestrator,
};

/// One line a file: its path and, as a JSON string, the JSON of what Helm reads.
const TEMPLATE: &str = r#"{{ range $path, $_ := .Files.Glob "files/*" }}
"{{ $path }}": {{ $.Files.Get $path | fromYaml | toJson | toJson }}
{{- end }}
"#;

fn binaries() -> PathBuf {
    let folder = env::var_os("TESTBED_BIN");
    folder.expect("TESTBED_BIN is not set: run this test through `testbed/with cargo test --test values`").into()
}

/// What Helm reads, in the order of `texts`; `None` where it cannot.
fn helm_reads(helm: &str, texts: &[Vec<u8>]) -> Vec<Option<Value>> {
    let chart = tempfile::tempdir().unwrap();
    fs::create_dir_all(chart.path().join("templates")).unwrap();
    fs::create_dir_all(chart.path().join("files")).unwrap();
    fs::write(chart.path().join("Chart.yaml"), "apiVersion: v2\nname: reading\nversion: 0.1.0\n").unwrap();
    fs::write(chart.path().join("templates/reading.yaml"), TEMPLATE).unwrap();
    for (number, text) in texts.iter().enumerate() {
        fs::write(chart.path().join(format!("files/{number:06}")), text).unwrap();
    }
    let output = Command::new(binaries().join(helm))
        .args(["template", "reading"])
        .arg(chart.path())
        .envs(["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"].map(|name| (name, chart.path())))
        .output()
        .unwrap();
    assert!(output.status.success(), "{helm}: {}", String::from_utf8_lossy(&output.stderr));
    let readings: Vec<Value> = str::from_utf8(&output.stdout).unwrap().lines().filter_map(json).collect();
    assert_eq!(readings.len(), texts.len(), "{helm} has not read every file");
    readings.into_iter().map(|value| value.get("Error").is_none().then_some(value)).collect()
}

/// The JSON on a line of Helm's output, when there is one.
fn json(line: &str) -> Option<Value> {
    let (_, json) = line.strip_prefix("\"files/")?.split_once(": ")?;
    let json: String = serde_json::from_str(json).unwrap();
    Some(serde_json::from_str(&json).unwrap())
}

/// Whole numbers as integers and nothing as `{}`: `read` gives them so, and JSON does not tell.
fn settled(value: Value) -> Value {
    match value {
        Value::Null => Value::Object(Map::new()),
        value => settled_numbers(value),
    }
}

#[allow(clippy::cast_possible_truncation, reason = "whole and in range")]
fn settled_numbers(value: Value) -> Value {
    match value {
        Value::Number(number) => {
            let float = number.as_f64().unwrap();
            if float.fract() == 0.0 && float.abs() <= 2_f64.powi(53) { (float as i64).into() } else { float.into() }
        }
        Value::Array(items) => items.into_iter().map(settled_numbers).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, settled_numbers(value))).collect(),
        other => other,
    }
}

/// Fails where our reader gives another value than Helm, in an old text or in an edited one. How many texts Helm cannot
/// read, although we can: these fail loudly in Helm.
fn compare(helm: &str, olds: &[File]) -> usize {
    let mut cases = Vec::new();
    for (name, old) in olds {
        let tree = read(old).ok();
        let news = [backend(), orchestrator()].map(|settings| {
            edit(old, &settings).ok().map(|new| (new, apply(tree.as_ref().unwrap_or(&Value::Null), &settings)))
        });
        cases.extend(tree.map(|tree| (name, false, old.clone(), tree)));
        cases.extend(news.into_iter().flatten().map(|(new, tree)| (name, true, new, tree)));
    }
    let texts: Vec<Vec<u8>> = cases.iter().map(|(_, _, text, _)| text.clone()).collect();
    let readings = helm_reads(helm, &texts);
    let (mut unread, mut old_is_read) = (0, false);
    let mut wrong = Vec::new();
    for ((name, edited, text, ours), theirs) in cases.iter().zip(readings) {
        if !edited {
            old_is_read = theirs.is_some();
        }
        match theirs.map(settled) {
            None if *edited && old_is_read => wrong.push(format!("{name}: no longer read: {}", text.escape_ascii())),
            None => unread += 1,
            Some(theirs) if theirs == *ours => {}
            Some(theirs) => wrong.push(format!("{name}: {}\n  ours   {ours}\n  theirs {theirs}", text.escape_ascii())),
        }
    }
    assert!(wrong.is_empty(), "{helm} reads {} of {} otherwise:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    unread
}

fn named_mutants() -> Vec<File> {
    let number = |name, or| env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(or);
    let seed = number("VALUES_SEED", 4242);
    let count = usize::try_from(number("VALUES_MUTANTS", 2_000)).unwrap();
    files::mutants(seed, count).enumerate().map(|(at, text)| (format!("mutant {at} of seed {seed}"), text)).collect()
}

#[test]
fn helm_3_reads_the_corpus_and_its_edits_as_we_do() {
    assert_eq!(compare("helm3", &files::corpus()), 0);
}

#[test]
fn helm_4_reads_the_corpus_and_its_edits_as_we_do() {
    assert_eq!(compare("helm4", &files::corpus()), 0);
}

/// `VALUES_SEED` and `VALUES_MUTANTS` choose others and more.
#[test]
fn helm_reads_mutants_and_their_edits_as_we_do() {
    let mutants = named_mutants();
    assert!(compare("helm3", &mutants) * 50 < mutants.len());
}

/// Texts with tabs in every place where one could stand.
const TABS: [&str; 27] = [
    "a:\n  \tb: 1\n",
    "a:\n  \t- 1\n",
    "a:\n- \tb\n",
    "a: {b: 1,\n  \tc: 2}\n",
    "a: [1,\n\t2]\n",
    "a: x\n  \ty\n",
    "a: |\n  \ty\n",
    "a:\n  \tx\n",
    "a:\n  \t\"x\"\n",
    "a:\n  \t{b: 1}\n",
    "a:\n  \t|\n   x\n",
    "a:\n  - \t- 1\n",
    "a:\n  -\tb: 1\n",
    "? \ta\n: 1\n",
    "a: 'x\n  \ty'\nb: 1\n",
    "\ta: 1\n",
    "a:\n  b: 1\n \tc: 2\n",
    "a:\n  \t!!str x\n",
    "a:\n  \t&x y\n",
    "a:\n  - 1\n  \t- 2\n",
    "b: &b 1\na:\n  \t*b\n",
    "a: b\n \tc: 1\n",
    "a:\n  - x\n  \ty\n",
    "a:\n  \tx\n  y\n",
    "a:\tb\n",
    "a: &x\n  \tb\n",
    "a: |\n  x\n  \ty\n",
];

/// Those that Helm reads, by their numbers; the test beside asks it.
const READ: [usize; 6] = [3, 4, 5, 14, 24, 26];

#[test]
fn a_tab_is_indentation_for_us_where_it_is_for_helm() {
    for (number, text) in TABS.iter().enumerate() {
        assert_eq!(
            read(text.as_bytes()).is_ok(),
            READ.contains(&number),
            "{number} {text:?}: {:?}",
            read(text.as_bytes())
        );
    }
}

#[test]
fn helm_reads_tabs_as_we_do() {
    let texts: Vec<Vec<u8>> = TABS.iter().map(|text| text.as_bytes().to_vec()).collect();
    for helm in ["helm3", "helm4"] {
        for (number, said) in helm_reads(helm, &texts).into_iter().enumerate() {
            let ours = read(&texts[number]).ok().map(settled);
            assert_eq!(said.map(settled), ours, "{helm} {number} {:?}", TABS[number]);
        }
    }
}
