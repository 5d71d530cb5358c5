//! Files that a verb makes: never over one that it reads, nor over one that is another's.

use std::path::{Path, PathBuf};

use super::is_same;
use crate::failure::{Code, Exit, Failure, Result};

/// Refuses to write over what the run itself needs; `read` has each file with what it is.
///
/// # Errors
/// Code `target-in-use`.
pub fn is_free(target: &Path, read: &[(PathBuf, &'static str)]) -> Result<()> {
    let Some((path, what)) = read.iter().find(|(path, _)| is_same(target, path)) else { return Ok(()) };
    Err(Failure::new(Exit::Refused, Code::TargetInUse, format!("{} is not written: it is {what}", target.display()))
        .why(format!("the run reads it as {}, and would put another file in its place", path.display()))
        .next("have the result written elsewhere, with --out-dir")
        .unchanged("nothing was signed and nothing was written"))
}

/// A file that is not the verb's own to replace.
#[must_use]
pub fn foreign(target: &Path, not: &str) -> Failure {
    Failure::new(Exit::Refused, Code::TargetForeign, format!("{} is not replaced: it is {not}", target.display()))
        .why("it was made by somebody else, or for something else, and would be lost")
        .next("move it away, or have the result written elsewhere, with --out-dir")
        .unchanged("nothing was signed and nothing was written")
}

/// A file name in a folder, without a `./` before it.
#[must_use]
pub fn in_folder(folder: &Path, name: &str) -> PathBuf {
    if folder == Path::new(".") { PathBuf::from(name) } else { folder.join(name) }
}
