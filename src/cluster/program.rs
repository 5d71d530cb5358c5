//! Where a program lies that is called by its name. What lies in the working directory is never meant.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::failure::{Code, Exit, Failure};

/// A program by its path, or by its name in the folders of PATH that are named from the root: an empty element or a `.`
/// would run what somebody has put beside the values files.
pub(super) fn find(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 || program.is_absolute() {
        return which::which(program).ok();
    }
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .find_map(|folder| which::which(folder.join(program)).ok())
}

/// That it was not found; `needed` says by whom, and where it was looked for.
pub(super) fn missing(program: &Path, what: String, needed: &str) -> Failure {
    let is_here = which::which(program).is_ok();
    let here = if is_here { "; the one to which PATH leads from the working directory is not run" } else { "" };
    Failure::new(Exit::Outside, Code::ToolMissing, what).why(format!("{needed}{here}")).unchanged("nothing was written")
}
