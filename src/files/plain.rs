//! Opens plain files and nothing else: no FIFO, no folder, no name that means another file to another process.

use std::{
    fs::{self, File},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use super::{folder_of, unreadable};
use crate::failure::{Code, Exit, Failure, Result};

/// `O_NONBLOCK`: opening a FIFO must fail later with a message instead of waiting for a writer.
pub(super) const NONBLOCK: i32 = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();

/// A plain file, by a name that means the same to every process.
pub(super) fn opened(path: &Path) -> Result<File> {
    if leads_to_a_process(path.to_owned()) {
        return Err(no_plain_file(path, "it is another process's, or a device, and means something else to helm"));
    }
    let file = File::options().read(true).custom_flags(NONBLOCK).open(path).map_err(|e| unreadable(path, &e))?;
    let meta = file.metadata().map_err(|e| unreadable(path, &e))?;
    if meta.is_file() { Ok(file) } else { Err(no_plain_file(path, "only regular files are read")) }
}

/// Whether a path, or a link on its way, stands under `/proc` or `/dev`: `/dev/stdin`, `/dev/fd/3`. What such a name
/// leads to looks like a plain file where one is redirected.
fn leads_to_a_process(mut path: PathBuf) -> bool {
    // As many links as the system follows.
    for _ in 0..40 {
        let Ok(folder) = fs::canonicalize(folder_of(&path)) else { return false };
        let within = |root: &str| folder.starts_with(root);
        if within("/proc") || (within("/dev") && !within("/dev/shm")) {
            return true;
        }
        let Some(name) = path.file_name() else { return false };
        match fs::read_link(folder.join(name)) {
            Ok(target) => path = folder.join(target),
            Err(_) => return false,
        }
    }
    false
}

fn no_plain_file(path: &Path, why: &str) -> Failure {
    Failure::new(Exit::Failed, Code::FileKind, format!("{} is not a plain file", path.display()))
        .why(why)
        .next("name the file itself")
}
