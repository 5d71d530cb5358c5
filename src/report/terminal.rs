//! A line that is typed at the terminal: signals are heard meanwhile, and the terminal is left as it was.

use std::{
    io::{self, IsTerminal},
    os::fd::{AsFd, BorrowedFd},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr},
};
use zeroize::Zeroizing;

use crate::interrupt::InterruptListener;

/// How soon a signal is heard: a tenth of a second.
const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// The columns of the terminal that a stream goes to; of none where it goes elsewhere. As for help, `COLUMNS` says it where
/// the terminal does not.
pub(super) fn width(stream: &(impl AsFd + IsTerminal)) -> Option<usize> {
    if !stream.is_terminal() {
        return None;
    }
    let told = tcgetwinsize(stream.as_fd()).ok().map(|size| usize::from(size.ws_col));
    let variable = || std::env::var("COLUMNS").ok()?.parse().ok();
    told.filter(|columns| *columns > 0).or_else(variable).filter(|columns| *columns > 0)
}

/// What became of a question.
pub(super) enum PromptResult {
    /// A line, its end taken off; what was typed before the terminal was closed.
    Line(Zeroizing<String>),
    /// A signal came first.
    Interrupted,
}

/// Shows a question with `ask` and reads what is typed, `hidden` without showing it.
pub(super) fn line(hidden: bool, ask: impl FnOnce()) -> io::Result<PromptResult> {
    let ear = InterruptListener::new();
    let stdin = io::stdin();
    let _restored = if hidden { Some(EchoOff::begin(stdin.as_fd())?) } else { None };
    ask();
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    let mut byte = Zeroizing::new([0]);
    loop {
        if ear.heard() {
            return Ok(PromptResult::Interrupted);
        }
        if !is_ready(stdin.as_fd())? {
            continue;
        }
        // One byte each: what is typed ahead is for the next question.
        match rustix::io::read(&stdin, &mut byte[..]) {
            Ok(1) if byte[0] != b'\n' => bytes.push(byte[0]),
            Ok(_) => break,
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(error) => return Err(error.into()),
        }
    }
    // One that came just before the line end: the line was not meant.
    if ear.heard() {
        return Ok(PromptResult::Interrupted);
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| io::Error::other("what was typed is not UTF-8"))?;
    Ok(PromptResult::Line(Zeroizing::new(text.trim_end_matches('\r').to_owned())))
}

/// Whether there is something to read, waited for a moment.
fn is_ready(from: BorrowedFd<'_>) -> io::Result<bool> {
    match poll(&mut [PollFd::from_borrowed_fd(from, PollFlags::IN)], Some(&TICK)) {
        Ok(count) => Ok(count > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// A terminal that does not show what is typed, until this goes.
struct EchoOff<'a> {
    terminal: BorrowedFd<'a>,
    before: Termios,
}

impl<'a> EchoOff<'a> {
    fn begin(terminal: BorrowedFd<'a>) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        // The line end alone is shown. Ctrl-C stays a signal.
        quiet.local_modes.insert(LocalModes::ECHONL | LocalModes::ISIG | LocalModes::ICANON);
        tcsetattr(terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for EchoOff<'_> {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing.
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}
