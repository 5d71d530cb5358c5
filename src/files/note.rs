//! Notes of children that write, beside the folders of runs: by a note's lock a later run knows whether the child lives.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    time::Duration,
};

use rustix::io::{FdFlags, fcntl_setfd};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::scratch;
use crate::times::{Clock, parsed, rfc3339};

/// What a note tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoteState {
    /// There is none, or it is of another machine.
    None,
    /// Who wrote it, or the child that it is about, lives.
    Alive,
    /// Nobody of them lives any more; when it was written, by this machine's clock.
    Dead(OffsetDateTime),
}

/// A note about a child; it goes with this value, unless we are killed. Its file stays open in each child that is begun
/// meanwhile, and with it the lock: the system lets go of it when the last of them has ended.
#[derive(Debug)]
pub struct Note {
    path: PathBuf,
    lock: File,
}

impl Drop for Note {
    fn drop(&mut self) {
        // A child that was left running still has the lock: then the note is its own.
        let copy = File::open(&self.path);
        drop(std::mem::replace(
            &mut self.lock,
            match copy {
                Ok(copy) => copy,
                Err(_) => return,
            },
        ));
        if self.lock.try_lock().is_ok() {
            drop(fs::remove_file(&self.path));
        }
    }
}

/// A note of this name, locked. `None` where it cannot be written, or somebody else holds one of this name.
#[must_use]
pub fn begin(name: &str, about: &Value) -> Option<Note> {
    let path = path(name)?;
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(false).mode(0o600).open(&path).ok()?;
    file.try_lock().ok()?;
    file.set_len(0).ok()?;
    let (pid, start) = (std::process::id(), rfc3339(Clock::system().now()));
    let text = json!({"host": host(), "process": pid, "start": start, "about": about});
    file.write_all(text.to_string().as_bytes()).ok()?;
    // Without the flag the file stays open in a child.
    fcntl_setfd(&file, FdFlags::empty()).ok()?;
    Some(Note { path, lock: file })
}

/// What the note of this name tells.
#[must_use]
pub fn state(name: &str) -> NoteState {
    let Some(mut file) = path(name).and_then(|path| File::open(path).ok()) else { return NoteState::None };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => return NoteState::Alive,
        Err(TryLockError::Error(_)) => return NoteState::None,
        Ok(()) => {}
    }
    let mut text = String::new();
    let read = file.read_to_string(&mut text).ok().and_then(|_| serde_json::from_str::<Value>(&text).ok());
    let start = read.filter(|note| note["host"] == host()).and_then(|note| parsed(note["start"].as_str()?));
    start.map_or(NoteState::None, NoteState::Dead)
}

/// Removes what is left of notes that nobody asked for within a month.
pub(super) fn sweep(file: &fs::DirEntry) {
    let is_old = |file: &fs::DirEntry| Some(file.metadata().ok()?.modified().ok()?.elapsed().ok()? > MONTH);
    let lock = File::open(file.path()).ok().filter(|lock| lock.try_lock().is_ok());
    if lock.is_some() && is_old(file).unwrap_or_default() {
        drop(fs::remove_file(file.path()));
    }
}

const MONTH: Duration = Duration::from_hours(24 * 30);

/// What the name of each note begins with.
pub(super) const PREFIX: &str = "note-";

fn path(name: &str) -> Option<PathBuf> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    let folder = scratch::private_folder().ok()?;
    name.chars().all(fits).then(|| folder.join(format!("{PREFIX}{name}")))
}

/// A folder may be shared by machines, whose locks need not know of each other.
fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_note_lives_as_long_as_its_writer_or_a_child_and_goes_with_them() {
        let name = format!("test-{}", std::process::id());
        assert_eq!(state(&name), NoteState::None);
        let held = begin(&name, &json!({})).unwrap();
        assert_eq!(state(&name), NoteState::Alive);
        assert!(begin(&name, &json!({})).is_none(), "one at a time");
        let mut child = Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap();
        drop(held);
        assert_eq!(state(&name), NoteState::Alive, "the child holds it");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(matches!(state(&name), NoteState::Dead(_)));
        drop(begin(&name, &json!({})).unwrap());
        assert_eq!(state(&name), NoteState::None, "whoever ends well takes it away");
        fs::write(path(&name).unwrap(), "{\"host\": \"another\"}").unwrap();
        assert_eq!(state(&name), NoteState::None);
        fs::remove_file(path(&name).unwrap()).unwrap();
        assert!(path("a/b").is_none());
    }
}
