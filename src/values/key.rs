//! Where a chart's settings stand in its values files: at the top, or below a key of the chart that it is a part of.

use std::{fmt, path::PathBuf, str::FromStr};

use serde_json::{Map, Value};

use super::{KeyPath, Setting};
use crate::command_line::CommandLine;

/// The key of a dependency in an umbrella chart's values, `backend` or `platform.backend`; empty for the top. Helm gives
/// a dependency the values below its name, or below its alias where it has one (Helm, `ProcessDependencies`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ValuesKey(Vec<String>);

impl ValuesKey {
    /// Whether the settings stand at the top.
    #[must_use]
    pub fn is_top(&self) -> bool {
        self.0.is_empty()
    }

    /// How many keys stand above the chart's own.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.0.len()
    }

    /// What the chart's templates see as the chart's name: the last word of the key; `None` at the top.
    #[must_use]
    pub fn chart(&self) -> Option<&str> {
        self.0.last().map(String::as_str)
    }

    /// A path of the chart as it stands in the files.
    #[must_use]
    pub fn path<'a>(&'a self, path: &[&'a str]) -> Vec<&'a str> {
        self.0.iter().map(String::as_str).chain(path.iter().copied()).collect()
    }

    /// The chart's values among all; none where no map stands there.
    #[must_use]
    pub fn below(&self, values: &Value) -> Value {
        let found = self.0.iter().try_fold(values, |node, key| node.get(key));
        found.filter(|found| found.is_object()).cloned().unwrap_or_else(|| Value::Object(Map::new()))
    }

    /// A place in the files as the chart sees it; `None` for what is not the chart's.
    #[must_use]
    pub fn inside<'a>(&self, place: &'a KeyPath) -> Option<&'a KeyPath> {
        let (above, inside) = place.split_at_checked(self.0.len())?;
        above.iter().map(Option::as_ref).eq(self.0.iter().map(Some)).then_some(inside)
    }

    /// A setting of the chart as it stands in the files.
    #[must_use]
    pub fn setting(&self, setting: &Setting) -> Setting {
        let path = self.0.iter().chain(&setting.path).cloned().collect();
        Setting { path, change: setting.change.clone() }
    }
}

impl CommandLine {
    /// Values files in their order, and the key below which their settings stand.
    pub(crate) fn files(self, files: &[PathBuf], key: &ValuesKey) -> Self {
        let key = if key.is_top() { None } else { Some(key) };
        self.option("-f", files.iter().map(|file| file.display())).option("--values-key", key)
    }
}

impl fmt::Display for ValuesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

impl FromStr for ValuesKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The names of charts (helm.sh/docs/chart_best_practices), and what people give as an alias.
        let fits = |word: &str| {
            !word.is_empty()
                && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
                && word != "global"
        };
        if !text.split('.').all(fits) {
            return Err("write the name or the alias of the dependency; for one of a dependency both, with a dot: platform.backend".to_owned());
        }
        Ok(Self(text.split('.').map(str::to_owned).collect()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_dependency_s_values_stand_below_its_key() {
        let key: ValuesKey = "platform.backend".parse().unwrap();
        let values = json!({"platform": {"backend": {"a": 1}, "b": 2}, "a": 3});
        assert_eq!(key.below(&values), json!({"a": 1}));
        assert_eq!(key.below(&json!({"platform": {"backend": null}})), json!({}));
        assert_eq!(key.path(&["a"]), ["platform", "backend", "a"]);
        assert_eq!(key.setting(&Setting::remove(&["a"])), Setting::remove(&["platform", "backend", "a"]));
        assert_eq!((key.chart(), key.to_string().as_str()), (Some("backend"), "platform.backend"));
        assert_eq!((ValuesKey::default().below(&values), ValuesKey::default().is_top()), (values, true));
    }

    #[test]
    fn what_is_no_dependency_is_no_key() {
        for bad in ["", ".", "a.", ".a", "a b", "a.global", "{{ x }}", "a/b"] {
            assert!(bad.parse::<ValuesKey>().is_err(), "{bad}");
        }
    }
}
