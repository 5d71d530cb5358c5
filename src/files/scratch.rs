//! Folders for throw-away files, some of them copies of values files: private, and gone with their run or the next one.

use std::{
    fs::{self, DirBuilder, File, Permissions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use super::{note, unwritable};
use crate::failure::{Code, Exit, Failure, Result};

/// A folder that goes with this value. While it is held it is locked: by that another run knows that we live.
pub struct Scratch {
    folder: tempfile::TempDir,
    #[expect(dead_code, reason = "held, not read")]
    lock: File,
}

impl Scratch {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// A new folder, mode 0700, in one of this user's own.
///
/// # Errors
/// The system's folder for temporary files cannot be written, or somebody else has our place there.
pub fn scratch() -> Result<Scratch> {
    let common = common();
    make_private(&common)?;
    let failed = |e: &io::Error| unwritable(&common, e);
    loop {
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix("run-").permissions(Permissions::from_mode(0o700));
        let folder = builder.tempdir_in(&common).map_err(|e| failed(&e))?;
        match File::open(folder.path()) {
            // Another run that tidies up may have found it before it was locked: then a new one is made.
            Ok(lock) if is_free(&lock) && is_at(folder.path(), &lock) => return Ok(Scratch { folder, lock }),
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(failed(&e)),
            _ => {}
        }
    }
}

/// Removes what runs that were killed have left.
pub fn sweep() {
    let common = common();
    // What cannot be looked at or removed now is left to the next run.
    let Ok(entries) = fs::read_dir(&common) else { return };
    for entry in entries.flatten().filter(|_| is_ours(&common)) {
        if entry.file_name().to_string_lossy().starts_with(note::PREFIX) {
            note::sweep(&entry);
            continue;
        }
        let path = entry.path();
        // Removed while the lock is held, so that nobody takes the folder for their own.
        let lock = File::open(&path).ok().filter(|folder| folder.try_lock().is_ok());
        if lock.is_some() {
            drop(fs::remove_dir_all(&path));
        }
    }
}

/// Where no locks are to be had, nobody tidies up, and the folder is free as well.
fn is_free(folder: &File) -> bool {
    !matches!(folder.try_lock(), Err(TryLockError::WouldBlock))
}

fn is_at(path: &Path, folder: &File) -> bool {
    let inode = |meta: io::Result<fs::Metadata>| meta.ok().map(|meta| (meta.dev(), meta.ino()));
    inode(fs::symlink_metadata(path)).is_some_and(|there| inode(folder.metadata()) == Some(there))
}

/// The folder of all runs of this user, mode 0700.
pub(super) fn private_folder() -> Result<PathBuf> {
    let common = common();
    make_private(&common).map(|()| common)
}

/// One for all runs of a user.
fn common() -> PathBuf {
    std::env::temp_dir().join(format!("substra-mtls-{}", rustix::process::geteuid().as_raw()))
}

fn is_ours(folder: &Path) -> bool {
    fs::symlink_metadata(folder).is_ok_and(|meta| meta.is_dir() && meta.uid() == rustix::process::geteuid().as_raw())
}

fn make_private(folder: &Path) -> Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(unwritable(folder, &e)),
        _ => {}
    }
    if !is_ours(folder) {
        return Err(Failure::new(Exit::Failed, Code::FileUnwritable, format!("cannot use {}", folder.display()))
            .why("copies of values files would stand in it, and it is no folder of yours")
            .next("name a folder of your own for temporary files in TMPDIR, then run the same command again"));
    }
    fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(|e| unwritable(folder, &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scratch_folder_is_private_goes_with_its_value_and_is_left_alone_while_it_is_held() {
        let held = scratch().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(held.path()), mode(held.path().parent().unwrap())), (0o700, 0o700));
        fs::write(held.path().join("x"), "").unwrap();
        // Of a run that is dead: nobody holds its lock.
        let dead = common().join(format!("run-dead-{}", std::process::id()));
        let made = tempfile::tempdir().unwrap();
        fs::create_dir_all(made.path().join("run/read")).unwrap();
        fs::write(made.path().join("run/read/0.yaml"), "").unwrap();
        fs::rename(made.path().join("run"), &dead).unwrap();
        sweep();
        assert!(!dead.exists() && held.path().join("x").exists());
        let path = held.path().to_owned();
        drop(held);
        assert!(!path.exists());
    }
}
