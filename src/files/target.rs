//! Files that a verb makes: never over one that it reads, nor over one that is another's.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::FileIdentity;
use crate::failure::{Code, Exit, Failure, Result};

/// The files that a run needs as they are; each is looked at once, however many results are held against them.
pub struct FilesInUse(BTreeMap<FileIdentity, (PathBuf, &'static str)>);

impl FilesInUse {
    /// Each file with what it is.
    #[must_use]
    pub fn new(read: impl IntoIterator<Item = (PathBuf, &'static str)>) -> Self {
        let mut known = BTreeMap::new();
        for (path, what) in read {
            known.entry(FileIdentity::of(&path)).or_insert((path, what));
        }
        Self(known)
    }

    /// Refuses to write over any of them.
    ///
    /// # Errors
    /// Code `target-in-use`.
    pub fn spare(&self, target: &Path) -> Result<()> {
        let Some((path, what)) = self.0.get(&FileIdentity::of(target)) else { return Ok(()) };
        Err(Failure::new(
            Exit::Refused,
            Code::TargetInUse,
            format!("{} is not written: it is {what}", target.display()),
        )
        .why(format!("the run reads it as {}, and would put another file in its place", path.display()))
        .next("have the result written elsewhere, with --out-dir")
        .unchanged("nothing was signed and nothing was written"))
    }
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
