//! A file of any size, line by line, and where the files are that lie beside another one.

use std::{
    fs,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use super::{plain::opened, real, unreadable};
use crate::failure::{Code, Exit, Failure, Result};

/// No line is honestly longer: 1 MiB, in bytes.
const LONGEST: u64 = 1 << 20;

/// Gives each line with its number, from 1, and its line feed, where it has one; nothing for a file that is not there.
///
/// # Errors
/// The file cannot be read, is no regular one, or has a line of more than 1 MiB; what `take` refuses.
pub fn each_line(path: &Path, take: &mut dyn FnMut(usize, &[u8]) -> Result<()>) -> Result<()> {
    if fs::symlink_metadata(path).is_err_and(|e| e.kind() == io::ErrorKind::NotFound) {
        return Ok(());
    }
    let mut reader = BufReader::new(opened(path)?);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = reader.by_ref().take(LONGEST + 1).read_until(b'\n', &mut line);
        if read.map_err(|e| unreadable(path, &e))? == 0 {
            break;
        }
        if line.len() as u64 > LONGEST {
            let what = format!("line {number} of {} is longer than 1 MiB", path.display());
            return Err(Failure::new(Exit::Refused, Code::FileSize, what)
                .why("no line of a file that this verb reads is that long")
                .next("check that the right file is named"));
        }
        take(number, &line)?;
    }
    Ok(())
}

/// The file that a path leads to, where the path itself is a symbolic link: what lies beside a file lies beside that one.
#[must_use]
pub fn followed(path: &Path) -> PathBuf {
    if fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink()) { real(path) } else { path.to_owned() }
}

/// Whether there is anything of that name.
#[must_use]
pub fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// The size of a plain file, in bytes; `None` for anything else, a link to one included.
#[must_use]
pub fn plain_size(path: &Path) -> Option<u64> {
    fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file).map(|found| found.len())
}

/// Which file a path leads to: by links of either kind, or where none is there yet by its name in its real folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileIdentity {
    /// Device and inode.
    There(u64, u64),
    /// The path that it would have.
    NotYet(PathBuf),
}

impl FileIdentity {
    /// The file that `path` leads to now.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        use std::os::unix::fs::MetadataExt;
        match fs::metadata(path) {
            Ok(found) => Self::There(found.dev(), found.ino()),
            Err(_) => Self::NotYet(in_real_folder(path)),
        }
    }
}

/// A file that need not be there, in the folder that its path leads to.
fn in_real_folder(path: &Path) -> PathBuf {
    let folder = real(&super::folder_of(path));
    path.file_name().map_or_else(|| folder.clone(), |name| folder.join(name))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn every_line_comes_with_its_number_and_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let read = |path: &Path| {
            let mut lines = Vec::new();
            each_line(path, &mut |number, line| {
                lines.push((number, String::from_utf8_lossy(line).into_owned()));
                Ok(())
            })
            .map(|()| lines)
        };
        assert_eq!(read(&path).unwrap(), []);
        fs::write(&path, "a\n\nb").unwrap();
        assert_eq!(read(&path).unwrap(), [(1, "a\n".to_owned()), (2, "\n".to_owned()), (3, "b".to_owned())]);
        fs::write(&path, vec![b'x'; (1 << 20) + 1]).unwrap();
        assert_eq!(read(&path).unwrap_err().code.id(), "file-size");
        assert_eq!(read(folder.path()).unwrap_err().code.id(), "file-kind");
        symlink("nowhere", folder.path().join("dangling")).unwrap();
        assert_eq!(read(&folder.path().join("dangling")).unwrap_err().code.id(), "file-unreadable");
    }

    #[test]
    fn one_file_has_many_paths() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("a"), "").unwrap();
        symlink("a", path("link")).unwrap();
        fs::hard_link(path("a"), path("hard")).unwrap();
        symlink(folder.path(), path("folder")).unwrap();
        for (other, same) in [("link", true), ("hard", true), ("folder/a", true), ("b", false)] {
            assert_eq!(FileIdentity::of(&path("a")) == FileIdentity::of(&path(other)), same, "{other}");
        }
        let new = FileIdentity::of(&path("new"));
        assert_eq!(FileIdentity::of(&path("folder/new")), new);
        assert_ne!(FileIdentity::of(&path("newer")), new);
        assert_eq!(followed(&path("link")), real(&path("a")));
        assert_eq!(followed(&path("folder/a")), path("folder/a"));
    }
}
