//! Single values of the file, checked.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use serde_json::Value;
use serde_saphyr::Spanned;

use super::{GateSpec, fault::FederationFile};
use crate::{
    failure::{Code, Result},
    names::BadName,
    plain::excerpt,
};

/// `close` or `leave`.
pub(super) fn gate(given: &Spanned<String>, source: &FederationFile<'_>) -> Result<GateSpec> {
    match given.value.as_str() {
        "close" => Ok(GateSpec::Close),
        "leave" => Ok(GateSpec::Leave),
        other => Err(source.unknown(Code::FederationValue, "gate", other, &["close", "leave"], given.referenced)),
    }
}

/// `true` or `false`, not quoted.
pub(super) fn flag(given: &Spanned<Value>, source: &FederationFile<'_>) -> Result<bool> {
    given.value.as_bool().ok_or_else(|| {
        let what = "true or false is needed here";
        source.fault(Code::FederationType, given.referenced, what, "this key takes no other value, and not in quotes")
    })
}

/// One of the names of `crate::names`.
pub(super) fn name<T: FromStr<Err = BadName>>(given: &Spanned<String>, source: &FederationFile<'_>) -> Result<T> {
    given.value.parse().map_err(|bad: BadName| {
        let what = format!("`{}` is not {}", excerpt(&given.value), bad.kind);
        source.fault(Code::FederationValue, given.referenced, what, bad.rule)
    })
}

/// Text that can be handed to a tool and shown on one line.
pub(super) fn line(given: &Spanned<String>, source: &FederationFile<'_>) -> Result<String> {
    if !given.value.is_empty() && !given.value.chars().any(char::is_control) {
        return Ok(given.value.clone());
    }
    let what = format!("`{}` cannot be used here", excerpt(&given.value));
    Err(source.fault(Code::FederationValue, given.referenced, what, "it must be text on one line, and not empty"))
}

/// Text that stands alone on a command line and is no flag there.
pub(super) fn word(given: &Spanned<String>, source: &FederationFile<'_>) -> Result<String> {
    let text = line(given, source)?;
    if !text.starts_with('-') && !text.contains(char::is_whitespace) {
        return Ok(text);
    }
    let what = format!("`{}` cannot be used here", excerpt(&text));
    Err(source.fault(Code::FederationValue, given.referenced, what, "it must be one word that does not begin with -"))
}

/// Text on one line that is no flag on a command line.
pub(super) fn no_option(given: &Spanned<String>, source: &FederationFile<'_>) -> Result<String> {
    let text = line(given, source)?;
    if !text.starts_with('-') {
        return Ok(text);
    }
    let what = format!("`{}` cannot be used here", excerpt(&text));
    Err(source.fault(Code::FederationValue, given.referenced, what, "it must not begin with -"))
}

/// A path, joined with the file's folder.
pub(super) fn path(given: &Spanned<String>, source: &FederationFile<'_>) -> Result<PathBuf> {
    let text = line(given, source)?;
    if text == "~" || text.starts_with("~/") {
        let why = "~ is the shell's; paths here are absolute or relative to the folder of this file";
        return Err(source.fault(
            Code::FederationValue,
            given.referenced,
            format!("`{}` begins with ~", excerpt(&text)),
            why,
        ));
    }
    Ok(source.folder.join(text))
}

/// A chart's path is joined as every path is; a repository's or registry's chart is left as it is.
pub(super) fn chart(given: &Spanned<String>, source: &FederationFile<'_>) -> Result<String> {
    let text = word(given, source)?;
    if !["./", "../", "/"].iter().any(|start| text.starts_with(start)) {
        return Ok(text);
    }
    let joined = source.folder.join(&text).into_os_string().into_string();
    joined.map_err(|path| {
        let what = format!("the chart's path {} is not UTF-8", Path::new(&path).display());
        source.fault(Code::FederationValue, given.referenced, what, "Helm is given it as text")
    })
}
