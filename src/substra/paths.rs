//! Values at a path, read into checked types, with the path in each message.

use std::str::FromStr;

use serde_json::Value;

use crate::{
    failure::{Code, Exit, Failure, Result},
    values::{Change, Setting},
};

/// The value at a path; `None` where it is missing or null.
pub(super) fn at<'a>(values: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(values, |node, key| node.get(key)).filter(|value| !value.is_null())
}

/// A boolean; missing is false.
pub(super) fn flag(values: &Value, path: &[&str]) -> Result<bool> {
    match at(values, path) {
        None => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(_) => Err(wrong(path, "it must be true or false")),
    }
}

/// Whether the value is `true`; any other type is not.
pub(super) fn is_on(values: &Value, path: &[&str]) -> bool {
    at(values, path) == Some(&Value::Bool(true))
}

/// Takes out the settings that would put another name in the place of one that is in use; `None` is one as well.
pub(super) fn keep_names(settings: &mut Vec<Setting>, in_use: &[(&[&str], Option<&str>)]) {
    settings.retain(|setting| {
        let used = in_use.iter().find(|(path, _)| setting.path == *path);
        used.is_none_or(|(_, name)| name.is_some_and(|name| setting.change == Change::Set(name.into())))
    });
}

/// A text; missing and empty are `None`.
pub(super) fn text<'a>(values: &'a Value, path: &[&str]) -> Result<Option<&'a str>> {
    match at(values, path) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(_) => {
            Err(wrong(path, "it must be a text; quote it, since Helm reads words like no, on, y and 0123 otherwise"))
        }
    }
}

/// A text that is a checked name.
pub(super) fn name<T: FromStr<Err = crate::names::BadName>>(values: &Value, path: &[&str]) -> Result<Option<T>> {
    let found = text(values, path)?;
    found.map(|text| text.parse().map_err(|bad| unfit(path, &bad))).transpose()
}

/// A text that is not the name that it should be; the text itself may be a secret and is not shown.
pub(super) fn unfit(path: &[&str], bad: &crate::names::BadName) -> Failure {
    wrong(path, &format!("it is not {}: {}", bad.kind, bad.rule))
}

/// A value that cannot be used.
pub(super) fn wrong(path: &[&str], why: &str) -> Failure {
    Failure::new(Exit::CheckFailed, Code::Value, format!("{} in the values cannot be used", path.join(".")))
        .why(why.to_owned())
        .next("fix it in the values file; with several files name all of them, in Helm's order")
        .unchanged("nothing was written")
}
