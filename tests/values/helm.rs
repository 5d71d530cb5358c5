//! The real Helm 3 and Helm 4 read every file as we do: one call for all of them.

use std::{collections::BTreeMap, fs, process::Command};

use serde_json::Value;
use substra_mtls::values::{edit, read};

use super::{backend, corpus::files, orchestrator};

const TEMPLATE: &str = r#"{{- $all := dict -}}{{- range $path, $_ := .Files.Glob "read/*" -}}{{- $_ := set $all $path ($.Files.Get $path | fromYaml) -}}{{- end -}}
values: {{ $all | toJson | quote }}
"#;

/// Helm's reading of every text; `None` where it cannot read it.
pub(super) fn readings(helm: &str, texts: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Option<Value>> {
    let bin = std::env::var("TESTBED_BIN")
        .unwrap_or_else(|_| panic!("run the tests through testbed/with, as testbed/test does"));
    let chart = tempfile::tempdir().unwrap();
    for folder in ["templates", "read"] {
        fs::create_dir(chart.path().join(folder)).unwrap();
    }
    fs::write(chart.path().join("Chart.yaml"), "apiVersion: v2\nname: reader\nversion: 0.0.0\n").unwrap();
    fs::write(chart.path().join("templates/values.yaml"), TEMPLATE).unwrap();
    for (name, text) in texts {
        fs::write(chart.path().join("read").join(name), text).unwrap();
    }
    let output = Command::new(format!("{bin}/{helm}")).arg("template").arg("x").arg(chart.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let outer = read(&output.stdout).unwrap();
    let all: Value = serde_json::from_str(outer["values"].as_str().unwrap()).unwrap();
    let one = |name: &String| match &all[format!("read/{name}")] {
        Value::Object(map) if map.len() == 1 && map.contains_key("Error") => None,
        Value::Null => Some(serde_json::json!({})),
        value => Some(value.clone()),
    };
    texts.keys().map(|name| (name.clone(), one(name))).collect()
}

fn same(left: &Value, right: &Value) -> bool {
    substra_mtls::plan::drift::same(left, right)
}

#[test]
fn helm_3_and_helm_4_read_the_corpus_old_and_edited_as_we_do() {
    let mut texts = files();
    for (name, old) in files() {
        for (edit_name, settings) in [("backend", backend()), ("orchestrator", orchestrator())] {
            if let Ok(new) = edit(&old, &settings) {
                texts.insert(format!("{name}.{edit_name}"), new);
            }
        }
    }
    for helm in ["helm3", "helm4"] {
        let mut agreed = 0;
        for (name, helms) in readings(helm, &texts) {
            match (read(&texts[&name]), helms) {
                (Ok(ours), Some(helms)) => {
                    assert!(same(&ours, &helms), "{helm} {name}: ours {ours}, Helm's {helms}");
                    agreed += 1;
                }
                (Ok(ours), None) => panic!("{helm} {name}: we read {ours}, and Helm cannot read it"),
                (Err(_), _) => {}
            }
        }
        assert!(agreed > 200, "{helm}: {agreed} files");
    }
}
