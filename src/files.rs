//! The one door to the disk: reads with a size limit, keys made new and private, files replaced whole or not at all.
#![allow(clippy::disallowed_methods, reason = "this is the door")]

mod append;
mod descriptor;
mod lines;
pub mod note;
pub mod plain;
mod probe;
mod scratch;
pub mod target;

use std::{
    fs::{self, File, Permissions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use self::plain::opened;
pub use self::{
    append::{append_synced, tail},
    descriptor::read_descriptor,
    lines::{FileIdentity, each_line, followed, is_there, plain_size},
    probe::{probe_append, probe_folder, probe_new},
    scratch::{Scratch, scratch, sweep},
    target::in_folder,
};
use crate::{
    command_line::CommandLine,
    failure::{Code, Exit, Failure, Result},
    pki::pem,
};

/// No file that the tool reads is honestly larger: 8 MiB, in bytes.
const LARGEST: u64 = 8 << 20;

/// The whole file, at most 8 MiB.
///
/// # Errors
/// The file is missing, unreadable, larger, or not a regular file (a FIFO would hang us).
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    slurp(path, opened(path)?)
}

/// As [`read`], with `None` for a file that is not there.
///
/// # Errors
/// As [`read`].
pub fn read_if_there(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>> {
    match fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        _ => read(path).map(Some),
    }
}

/// A private key file: refused when anybody but its owner can read it, as ssh does.
///
/// # Errors
/// As [`read`], and for a file that group or others can read.
pub fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let file = opened(path)?;
    let mode = file.metadata().map_err(|e| unreadable(path, &e))?.permissions().mode() & 0o777;
    let (is_open, bytes) = (mode & 0o077 != 0, slurp(path, file)?);
    // What is no key is not made one by its mode.
    let held = pem::held(&bytes);
    if !pem::shows_private_key(&bytes) && (is_open || held.is_some()) {
        return Err(no_key(path, held));
    }
    if is_open {
        return Err(Failure::new(
            Exit::Refused,
            Code::KeyFileOpen,
            format!("{} can be read by others", path.display()),
        )
        .why(format!("its mode is {mode:04o}; only its owner may have access to a private key"))
        .next(CommandLine::of("chmod 600").word(path.display())));
    }
    Ok(bytes)
}

/// Something else was given as a key.
fn no_key(path: &Path, held: Option<&str>) -> Failure {
    let why = held.map_or_else(|| "it has no PEM block of one".to_owned(), |held| format!("it holds {held}"));
    let swapped = if held == Some("a certificate") { "; perhaps the certificate and its key are swapped" } else { "" };
    Failure::new(Exit::Refused, Code::KeyFileNoKey, format!("{} holds no private key", path.display()))
        .why(why)
        .next(format!("name the file with the private key{swapped}"))
}

fn slurp(path: &Path, file: File) -> Result<Zeroizing<Vec<u8>>> {
    let meta = file.metadata().map_err(|e| unreadable(path, &e))?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(meta.len().min(LARGEST)).unwrap_or(0) + 1));
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|e| unreadable(path, &e))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Failure::new(Exit::Refused, Code::FileSize, format!("{} is larger than 8 MiB", path.display()))
            .why("no file that this verb reads is that large")
            .next("check that the right file is named"));
    }
    Ok(bytes)
}

/// A new private key file, mode 0600 from its first moment, on the disk before this returns. Never overwrites.
///
/// # Errors
/// A file of that name is there already, or the folder cannot be written.
pub fn create_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = folder_of(path);
    let mut temporary = temporary_in(&folder, path, 0o600)?;
    temporary.write_all(bytes).and_then(|()| temporary.as_file().sync_all()).map_err(|e| unwritable(path, &e))?;
    temporary.persist_noclobber(path).map_err(|e| match e.error.kind() {
        io::ErrorKind::AlreadyExists => {
            Failure::new(Exit::Refused, Code::FileExists, format!("{} is there already", path.display()))
                .why("a private key file is never overwritten")
                .next("run the command again to use the key that is there, or name another file")
        }
        _ => unwritable(path, &e.error),
    })?;
    sync_folder(&folder)
}

/// Replaces a file by `new`, whole or not at all, if it still holds `old`: temporary file beside it, sync, rename,
/// sync of the folder. The mode is kept, a symbolic link is followed to its file.
///
/// # Errors
/// The file changed since it was read, has hard links (a rename would split them), or cannot be written.
pub fn replace(path: &Path, old: &[u8], new: &[u8]) -> Result<()> {
    let target = fs::canonicalize(path).map_err(|e| unreadable(path, &e))?;
    let meta = fs::metadata(&target).map_err(|e| unreadable(path, &e))?;
    refuse_hard_links(path)?;
    let folder = folder_of(&target);
    let mut temporary = temporary_in(&folder, &target, meta.permissions().mode() & 0o7777)?;
    temporary.write_all(new).map_err(|e| unwritable(path, &e))?;
    // A file of root's that belongs to somebody else stays theirs; without the right to say so it becomes ours.
    let _ = std::os::unix::fs::fchown(temporary.as_file(), Some(meta.uid()), Some(meta.gid()));
    temporary.as_file().sync_all().map_err(|e| unwritable(path, &e))?;
    if read(&target)?.as_slice() != old {
        return Err(Failure::new(
            Exit::Failed,
            Code::FileChanged,
            format!("{} changed while we worked", path.display()),
        )
        .why("somebody else wrote to it after it was read")
        .next("run the command again"));
    }
    temporary.persist(&target).map_err(|e| unwritable(path, &e.error))?;
    sync_folder(&folder)
}

/// The file that a path leads to; the path itself where there is none.
#[must_use]
pub fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Refuses a file with more than one name: replacing it would leave the other name with the old text.
///
/// # Errors
/// As said, or the file cannot be looked at.
pub fn refuse_hard_links(path: &Path) -> Result<()> {
    let links = fs::metadata(path).map_err(|e| unreadable(path, &e))?.nlink();
    if links < 2 {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Refused,
        Code::HardLinks,
        format!("{} is not edited: it has {links} hard links", path.display()),
    )
    .why("replacing the file would leave its other names with the old text")
    .next(format!("make it a file of its own: cp {0} {0}.new && mv {0}.new {0}", path.display())))
}

/// Puts a public file (request, certificate) in place with mode 0644: the old one or the new one, whole.
/// Not synced: what it holds can be made again from the issue log or the pending Secret.
///
/// # Errors
/// The folder is missing or cannot be written.
pub fn publish(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut temporary = temporary_in(&folder_of(path), path, 0o644)?;
    temporary.write_all(bytes).map_err(|e| unwritable(path, &e))?;
    temporary.persist(path).map(drop).map_err(|e| unwritable(path, &e.error))
}

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // A child that was being started meanwhile may have the file open too: closing it here would not be enough.
        drop(self.0.unlock());
    }
}

/// Locks an existing file against another run of the tool, without waiting.
///
/// # Errors
/// Somebody holds it, or the file cannot be opened.
pub fn lock(path: &Path) -> Result<Lock> {
    let file = opened(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(fs::TryLockError::WouldBlock) => {
            Err(Failure::new(Exit::Failed, Code::Locked, format!("{} is in use by another run", path.display()))
                .why("two operators at one certificate authority could sign the same request twice")
                .next("wait until the other run has ended, then run the command again"))
        }
        Err(fs::TryLockError::Error(e)) => Err(unreadable(path, &e)),
    }
}

/// A file that nobody else can open and that goes with its last user, for what a child says.
///
/// # Errors
/// The folder for temporary files cannot be written.
pub fn unnamed() -> Result<File> {
    // What is written goes to its end wherever that is, so that it can be cut off while it is written.
    let named = tempfile::Builder::new().prefix("substra-mtls-").append(true).tempfile();
    named.map(tempfile::NamedTempFile::into_file).map_err(|e| unwritable(&std::env::temp_dir(), &e))
}

/// Makes a folder and what is missing above it.
///
/// # Errors
/// The folder cannot be made.
pub fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|e| unwritable(path, &e))
}

fn temporary_in(folder: &Path, beside: &Path, mode: u32) -> Result<tempfile::NamedTempFile> {
    let temporary = tempfile::Builder::new()
        .prefix(".substra-mtls-")
        .permissions(Permissions::from_mode(mode & 0o600))
        .tempfile_in(folder)
        .map_err(|e| unwritable(beside, &e))?;
    // The creation mode goes through the umask; this one does not.
    temporary.as_file().set_permissions(Permissions::from_mode(mode)).map_err(|e| unwritable(beside, &e))?;
    Ok(temporary)
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|f| f.sync_all()).map_err(|e| unsynced(folder, &e))
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Failed, Code::FileUnreadable, format!("cannot read {}", path.display()))
        .why(reason(error))
        .next("check the path and its permissions")
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Failed, Code::FileUnwritable, format!("cannot write {}", path.display()))
        .why(reason(error))
        .next("check the folder, its permissions and the free space")
}

/// In place, and yet a power cut could lose it.
fn unsynced(folder: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Failed, Code::FileUnsynced, format!("cannot sync {}", folder.display()))
        .why(reason(error))
        .next("check the disk, then run the same command again: it continues where it stopped")
}

/// The system's own words, without Rust's "(os error N)".
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_new_private_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("MyOrg1MSP.key");
        let key = b"-----BEGIN PRIVATE KEY-----\n";
        create_private(&path, key).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(create_private(&path, b"two").unwrap_err().code.id(), "file-exists");
        assert_eq!(read_private(&path).unwrap().as_slice(), key);
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        assert_eq!(read_private(&path).unwrap_err().code.id(), "key-file-open");
        fs::write(&path, "one").unwrap();
        assert_eq!(
            read_private(&path).unwrap_err().code.id(),
            "key-file-no-key",
            "what is no key is not made one by its mode"
        );
    }

    #[test]
    fn replacing_keeps_the_mode_and_follows_the_link() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("real.yaml"), folder.path().join("link.yaml"));
        fs::write(&file, "a").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o664)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        replace(&link, b"a", b"b").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(
            (fs::read(&file).unwrap().as_slice(), fs::metadata(&file).unwrap().mode() & 0o777),
            (&b"b"[..], 0o664)
        );
    }

    #[test]
    fn replacing_refuses_what_changed_meanwhile_and_hard_links() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("v.yaml");
        fs::write(&file, "theirs").unwrap();
        assert_eq!(replace(&file, b"old", b"new").unwrap_err().code.id(), "file-changed");
        fs::hard_link(&file, folder.path().join("other")).unwrap();
        assert_eq!(replace(&file, b"theirs", b"new").unwrap_err().code.id(), "hard-links");
        assert_eq!(fs::read(&file).unwrap(), b"theirs");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "no temporary file is left");
    }

    #[test]
    fn a_fifo_and_a_folder_are_refused_without_waiting() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).unwrap_err().code.id(), "file-kind");
        assert_eq!(read(&folder.path().join("no")).unwrap_err().why, "no such file or directory");
    }

    #[test]
    fn a_second_run_finds_the_lock_taken() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let held = lock(file.path()).unwrap();
        assert_eq!(lock(file.path()).unwrap_err().code.id(), "locked");
        drop(held);
        assert!(lock(file.path()).is_ok());
    }
}
