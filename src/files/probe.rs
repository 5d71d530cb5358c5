//! What will be written is asked about before the first write, and nothing is written to find out.

use std::{io, path::Path};

use rustix::fs::Access;

use super::{folder_of, unwritable};
use crate::failure::Result;

/// Refuses early what would fail late: a folder that is missing or cannot be written. Only asks: a dry run asks too.
///
/// # Errors
/// As said.
pub fn probe_folder(folder: &Path) -> Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    // With a slash at its end a file is none.
    let inside = folder.join("");
    let may = Access::WRITE_OK | Access::EXEC_OK;
    rustix::fs::access(&inside, may).map_err(|e| unwritable(folder, &e.into()))
}

/// The same for a file that will be put in place whole, of so many bytes.
///
/// # Errors
/// Its folder is missing or cannot be written, the disk has no room for it, or a folder has its name.
pub fn probe_new(path: &Path, bytes: usize) -> Result<()> {
    let folder = folder_of(path);
    probe_folder(&folder)?;
    if path.is_dir() {
        return Err(unwritable(path, &io::Error::from(io::ErrorKind::IsADirectory)));
    }
    has_room(&folder, bytes).map_err(|e| unwritable(path, &e))
}

/// The same for a file that will grow by so many bytes, or be made.
///
/// # Errors
/// It is there and cannot be written; else as [`probe_new`].
pub fn probe_append(path: &Path, bytes: usize) -> Result<()> {
    if !path.exists() {
        return probe_new(path, bytes);
    }
    rustix::fs::access(path, Access::WRITE_OK).map_err(|e| unwritable(path, &e.into()))?;
    has_room(&folder_of(path), bytes).map_err(|e| unwritable(path, &e))
}

/// A disk that counts no blocks has no end.
fn has_room(folder: &Path, bytes: usize) -> io::Result<()> {
    let disk = rustix::fs::statvfs(folder)?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let fits = disk.f_blocks == 0 || free > bytes as u64;
    if fits { Ok(()) } else { Err(io::Error::from(io::ErrorKind::StorageFull)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_folder_a_folder_in_the_way_and_a_full_disk_are_seen_and_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        probe_new(&path, 10).unwrap();
        probe_append(&path, 10).unwrap();
        for probe in [probe_new, probe_append] {
            let told = |path: &Path, bytes| probe(path, bytes).unwrap_err().why;
            assert_eq!(told(&folder.path().join("no/a"), 1), "no such file or directory");
            assert_eq!(told(&path, usize::MAX), "no storage space");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert_eq!(probe_new(folder.path(), 1).unwrap_err().why, "is a directory");
    }
}
