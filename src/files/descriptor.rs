//! An inherited file descriptor that gives a passphrase: read to its end, within a time, and only what is open for it.
#![allow(clippy::disallowed_methods, reason = "this is the door")]

use std::{
    fs::{self, File},
    io::{self, Read},
    os::{fd::AsFd, unix::fs::OpenOptionsExt},
    path::PathBuf,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use zeroize::Zeroizing;

use super::{plain::NONBLOCK, unreadable};
use crate::{
    failure::{Code, Exit, Failure, Result},
    interrupt::InterruptListener,
};

/// How long the other end may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// How soon a signal is heard: a tenth of a second.
const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// No passphrase is longer.
const LONGEST: usize = 4096;

fn no_passphrase(exit: Exit, number: u32) -> Failure {
    Failure::new(exit, Code::Descriptor, format!("descriptor {number} gives no passphrase"))
}

/// What the descriptor gives, its last line end taken off: a passphrase.
///
/// # Errors
/// No such descriptor is open for reading, it is stdout or stderr, or it gives nothing for a minute.
pub fn read_descriptor(number: u32) -> Result<Zeroizing<Vec<u8>>> {
    let path = PathBuf::from(format!("/dev/fd/{number}"));
    if let Some(why) = unfit(number) {
        return Err(no_passphrase(Exit::Usage, number)
            .why(why)
            .next("open one for it, for example: --passphrase-fd 3 3<passphrase.txt"));
    }
    let file = File::options().read(true).custom_flags(NONBLOCK).open(&path).map_err(|e| unreadable(&path, &e))?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST));
    let (ear, start) = (InterruptListener::new(), Instant::now());
    loop {
        if ear.heard() {
            let why = format!("a signal arrived while the passphrase of descriptor {number} was waited for");
            return Err(Failure::interrupted().why(why));
        }
        if start.elapsed() > PATIENCE {
            return Err(no_passphrase(Exit::TimedOut, number)
                .why(format!("nobody wrote to its end within {} s", PATIENCE.as_secs()))
                .next("the program that writes the passphrase must close the descriptor after it"));
        }
        if !is_ready(&file).map_err(|e| unreadable(&path, &e))? {
            continue;
        }
        let mut block = Zeroizing::new([0; LONGEST]);
        match (&file).read(&mut block[..]) {
            Ok(0) => break,
            Ok(count) => {
                let room = LONGEST - bytes.len();
                bytes.extend_from_slice(&block[..count.min(room)]);
            }
            Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(e) => return Err(unreadable(&path, &e)),
        }
        if bytes.len() == LONGEST {
            break;
        }
    }
    while bytes.last().is_some_and(|last| matches!(last, b'\n' | b'\r')) {
        bytes.pop();
    }
    Ok(bytes)
}

/// Why nobody can be meant to give a passphrase there. Opened again, the writing end of a pipe would be a reading one on
/// Linux, on which nothing ever comes.
fn unfit(number: u32) -> Option<&'static str> {
    if matches!(number, 1 | 2) {
        return Some("it is this program's own output");
    }
    let told = fs::read_to_string(format!("/proc/self/fdinfo/{number}")).ok()?;
    let flags = told.lines().find_map(|line| line.strip_prefix("flags:"))?;
    // The lowest two bits say how it was opened (open(2)); 1 is for writing alone.
    let mode = u32::from_str_radix(flags.trim(), 8).ok()? & 3;
    (mode == 1).then_some("it is open for writing, not for reading")
}

fn is_ready(file: &File) -> io::Result<bool> {
    match poll(&mut [PollFd::from_borrowed_fd(file.as_fd(), PollFlags::IN)], Some(&TICK)) {
        Ok(count) => Ok(count > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
