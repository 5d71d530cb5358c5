//! Where the values that are deployed and the values files differ, our own edit aside.

use serde_json::Value;

use crate::{substra::own, values::ValuesKey};

/// One difference: a path, what is deployed there and what the files say; `None` where there is nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The keys from the top.
    pub path: Vec<String>,
    /// What is deployed.
    pub deployed: Option<Value>,
    /// What the files say.
    pub file: Option<Value>,
}

impl Difference {
    /// One line: the path and the kind of difference. Values are shown for our own settings alone, and never those of an
    /// encrypted file.
    #[must_use]
    pub fn masked_line(&self, key: &ValuesKey, is_encrypted: bool) -> String {
        let path = self.path.join(".");
        let word = |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
        match (&self.deployed, &self.file) {
            _ if !is_encrypted && self.is_ours(key) => {
                format!("{path}: deployed {}, files {}", word(&self.deployed), word(&self.file))
            }
            (Some(_), None) => format!("{path}: deployed only"),
            (None, _) => format!("{path}: in the files only"),
            (Some(_), Some(_)) => format!("{path}: differs"),
        }
    }

    /// Whether all that differs are values which a verb may have written.
    #[must_use]
    pub fn is_ours(&self, key: &ValuesKey) -> bool {
        let mut place: Vec<Option<String>> = self.path.iter().cloned().map(Some).collect();
        let is_ours = |value: &Value| match value {
            Value::Object(_) => false,
            Value::Array(items) => {
                place.push(None);
                let all = items.iter().all(Value::is_string) && key.inside(&place).is_some_and(own::is_own);
                place.pop();
                all
            }
            _ => key.inside(&place).is_some_and(own::is_own),
        };
        [&self.deployed, &self.file].into_iter().flatten().all(is_ours)
    }
}

/// All differences, what stands at or below the paths of `own` left out.
#[must_use]
pub fn between(deployed: &Value, files: &Value, own: &[&[&str]]) -> Vec<Difference> {
    let mut found = Vec::new();
    walk(&mut Vec::new(), Some(deployed), Some(files), own, &mut found);
    found
}

fn walk(
    path: &mut Vec<String>,
    deployed: Option<&Value>,
    file: Option<&Value>,
    own: &[&[&str]],
    found: &mut Vec<Difference>,
) {
    if own.iter().any(|own| path.iter().map(String::as_str).take(own.len()).eq(own.iter().copied())) {
        return;
    }
    let empty = serde_json::Map::new();
    let (left, right) = match (deployed, file) {
        (Some(Value::Object(left)), Some(Value::Object(right))) => (left, right),
        // A map on one side only is gone through too, since only a part of it may be our own.
        (Some(Value::Object(left)), None) if !left.is_empty() => (left, &empty),
        (None, Some(Value::Object(right))) if !right.is_empty() => (&empty, right),
        // An empty map is merged into the chart's own: it says nothing.
        (Some(Value::Object(_)), None) | (None, Some(Value::Object(_))) => return,
        (left, right) => {
            let equal = match (left, right) {
                (Some(left), Some(right)) => same(left, right),
                _ => false,
            };
            if !equal {
                found.push(Difference { path: path.clone(), deployed: left.cloned(), file: right.cloned() });
            }
            return;
        }
    };
    let keys: std::collections::BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    for key in keys {
        path.push(key.clone());
        walk(path, left.get(key), right.get(key), own, found);
        path.pop();
    }
}

/// Equal as Helm holds values: every number is a float64.
#[must_use]
pub fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| same(l, r))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len() && left.iter().all(|(k, l)| right.get(k).is_some_and(|r| same(l, r)))
        }
        _ => left == right,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_ways_are_found_and_our_own_paths_are_not() {
        let own: [&[&str]; 1] = [&["orchestrator", "tls", "mtls", "enabled"]];
        let deployed = json!({"a": 1, "orchestrator": {"host": "x", "tls": {"enabled": true}}});
        let files = json!({"a": 1.0, "b": [1], "orchestrator": {"tls": {"enabled": true, "mtls": {"enabled": true}}}});
        let key = ValuesKey::default();
        let lines: Vec<_> = between(&deployed, &files, &own).iter().map(|one| one.masked_line(&key, false)).collect();
        assert_eq!(lines, ["b: in the files only", "orchestrator.host: deployed only"]);
    }

    #[test]
    fn values_are_shown_of_our_own_settings_alone() {
        let tls =
            |cacert: Value| json!({"orchestrator": {"tls": {"cacert": cacert}}, "n": 770_001, "a": {"b": "hunter2"}});
        let told = |key: &str, is_encrypted, (one, two): (Value, Value)| {
            let key = key.parse().unwrap_or_default();
            between(&one, &two, &[]).iter().map(|one| one.masked_line(&key, is_encrypted)).collect::<Vec<_>>()
        };
        let both = || (tls(json!("one")), tls(json!("two")));
        let below = || (json!({"x": both().0}), json!({"x": both().1}));
        let path = "orchestrator.tls.cacert";
        assert_eq!(told("", false, both()), [format!("{path}: deployed \"one\", files \"two\"")]);
        assert_eq!(told("x", false, below()), [format!("x.{path}: deployed \"one\", files \"two\"")]);
        for hidden in [told("", false, below()), told("x", true, below())] {
            assert_eq!(hidden, [format!("x.{path}: differs")]);
        }
        let odd = told("", false, (tls(json!({"x": "hunter2"})), tls(json!("two"))));
        assert_eq!(odd, [format!("{path}: differs")]);
        let all = told("", false, (tls(json!("one")), json!({})));
        assert_eq!(
            all,
            [
                "a.b: deployed only".to_owned(),
                "n: deployed only".into(),
                format!("{path}: deployed \"one\", files nothing")
            ]
        );
    }
}
