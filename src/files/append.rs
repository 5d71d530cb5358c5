//! A log that only grows: whole lines at its end, or none, and the end read back.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use super::{folder_of, plain::opened, reason, sync_folder, unreadable, unwritable};
use crate::failure::{Code, Exit, Failure, Result};

/// Appends to a log and syncs it; one write, so that a crash leaves whole lines and at most one torn at the end. Where it
/// fails the log is as long as it was.
///
/// # Errors
/// The file cannot be opened, written or synced; `file-torn` where what was written of it could not be taken back.
pub fn append_synced(path: &Path, bytes: &[u8]) -> Result<()> {
    let is_new = !path.exists();
    let mut file =
        OpenOptions::new().append(true).create(true).mode(0o644).open(path).map_err(|e| unwritable(path, &e))?;
    let before = file.metadata().map_err(|e| unwritable(path, &e))?.len();
    if let Err(error) = file.write_all(bytes).and_then(|()| file.sync_all()) {
        let taken_back = file.set_len(before).and_then(|()| file.sync_all());
        let taken_back = if is_new { taken_back.and_then(|()| fs::remove_file(path)) } else { taken_back };
        return Err(taken_back.map_or_else(|_| torn(path, before, &error), |()| unwritable(path, &error)));
    }
    if is_new { sync_folder(&folder_of(path)) } else { Ok(()) }
}

/// The last bytes of a file, at most so many.
///
/// # Errors
/// As [`super::read`].
pub fn tail(path: &Path, count: usize) -> Result<Vec<u8>> {
    let mut file = opened(path)?;
    let mut read = || -> io::Result<Vec<u8>> {
        let from = file.metadata()?.len().saturating_sub(count as u64);
        file.seek(io::SeekFrom::Start(from))?;
        let mut bytes = Vec::with_capacity(count);
        Read::take(&mut file, count as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|e| unreadable(path, &e))
}

fn torn(path: &Path, length: u64, error: &io::Error) -> Failure {
    Failure::new(Exit::Failed, Code::FileTorn, format!("{} has half a line at its end", path.display()))
        .why(format!("{}; and what was written could not be taken back", reason(error)))
        .next(format!("make room, then: truncate -s {length} {}", path.display()))
}
