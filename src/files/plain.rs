//! Opens plain files and nothing else: no FIFO, no folder, no name that means another file to another process.

use std::{
    fs::{self, File},
    io::{self, Read},
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

/// A file of a folder that others write to: no link is followed to it, and it has no more than `most` bytes. `None` where
/// there is none.
///
/// # Errors
/// It is a link or no plain file, is larger, or cannot be read.
pub fn read_of_others(path: &Path, most: u64) -> Result<Option<Vec<u8>>> {
    const NOFOLLOW: i32 = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let file = match File::options().read(true).custom_flags(NONBLOCK | NOFOLLOW).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(_) if fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) => {
            return Err(no_plain_file(path, "a link is not followed where others may put one"));
        }
        Err(error) => return Err(unreadable(path, &error)),
    };
    if !file.metadata().map_err(|error| unreadable(path, &error))?.is_file() {
        return Err(no_plain_file(path, "only regular files are read"));
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > most {
        let what = format!("{} is larger than {most} bytes", path.display());
        return Err(Failure::new(Exit::Refused, Code::FileSize, what)
            .why("nothing of the kind that is looked for is that large")
            .next("look at what it is, and who put it there"));
    }
    Ok(Some(bytes))
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a test makes its own files")]
    fn of_what_others_put_there_only_a_small_plain_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("plain"), "four").unwrap();
        symlink("plain", path("link")).unwrap();
        symlink("nowhere", path("dangling")).unwrap();
        fs::create_dir(path("folder")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, path("fifo"), rustix::fs::Mode::RUSR).unwrap();
        assert_eq!(read_of_others(&path("plain"), 4).unwrap().as_deref(), Some(&b"four"[..]));
        assert_eq!(read_of_others(&path("missing"), 4).unwrap(), None);
        assert_eq!(read_of_others(&path("plain"), 3).unwrap_err().code.id(), "file-size");
        for other in ["link", "dangling", "folder", "fifo"] {
            assert_eq!(read_of_others(&path(other), 4).unwrap_err().code.id(), "file-kind", "{other}");
        }
    }
}
