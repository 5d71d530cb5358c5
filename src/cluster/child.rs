//! One child process: its own process group, a time limit, secrets by standard input only, its stderr kept.
#![allow(clippy::disallowed_methods, reason = "this is the door")]

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read, Seek, Write},
    os::unix::process::CommandExt,
    path::PathBuf,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};
use zeroize::Zeroizing;

use crate::{
    failure::{Exit, Failure, Result},
    files,
    report::text,
};

/// How long a child that was asked to stop may take: kubectl until it is killed, Helm until we go without it.
const GRACE: Duration = Duration::from_secs(3);
const GRACE_OF_HELM: Duration = Duration::from_secs(30);

/// What is run.
pub(super) struct Call {
    pub(super) program: PathBuf,
    pub(super) args: Vec<OsString>,
    /// The whole environment.
    pub(super) env: Vec<(OsString, OsString)>,
    pub(super) stdin: Option<Zeroizing<Vec<u8>>>,
    pub(super) limit: Duration,
    /// An upgrade, which stays pending for ever when it is cut short: it is asked to stop and never killed, and what it
    /// says goes into a file without a name and not into a pipe, which would end it at its next word after our own death.
    pub(super) outlives: bool,
}

/// What came back.
pub(super) struct Reply {
    pub(super) success: bool,
    pub(super) stdout: Zeroizing<Vec<u8>>,
    pub(super) stderr: String,
}

impl Call {
    /// The command line as one would type it; holds no secret, since none is ever put there.
    pub(super) fn line(&self) -> String {
        let words = std::iter::once(self.program.as_os_str()).chain(self.args.iter().map(OsString::as_os_str));
        words.map(|word| text::word(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
    }

    /// Runs it to its end, or to the end of its time.
    pub(super) fn run(self) -> Result<Reply> {
        let said = if self.outlives { Some(files::unnamed()?) } else { None };
        let (handle, feeder) = self.start(said.as_ref()).map_err(|e| self.failed_to_start(&e))?;
        let deadline = Instant::now() + self.limit;
        let ended = handle.wait_deadline(deadline).map_err(|e| self.failed_to_start(&e))?.is_some();
        if !ended {
            self.stop(&handle);
            return Err(self.timed_out());
        }
        let output = handle.into_output().map_err(|e| self.failed_to_start(&e))?;
        // A child that ended without reading its input closes the pipe: its own error says more than ours would.
        drop(feeder.map(std::thread::JoinHandle::join));
        let stderr = said.map_or(Ok(output.stderr), from_the_start).map_err(|e| self.failed_to_start(&e))?;
        Ok(Reply {
            success: output.status.success(),
            stdout: Zeroizing::new(output.stdout),
            stderr: scrub(&String::from_utf8_lossy(&stderr)),
        })
    }

    fn start(&self, said: Option<&File>) -> io::Result<(duct::Handle, Option<std::thread::JoinHandle<()>>)> {
        let child = duct::cmd(&self.program, &self.args).full_env(self.env.iter().cloned());
        let child = match said {
            Some(said) => child.stdout_null().stderr_file(said.try_clone()?),
            None => child.stdout_capture().stderr_capture(),
        };
        let child = child.unchecked().before_spawn(|command| {
            command.process_group(0);
            Ok(())
        });
        let Some(bytes) = self.stdin.clone() else { return Ok((child.stdin_null().start()?, None)) };
        // A pipe of our own, since duct would keep an unwiped copy of what it feeds.
        let (reader, mut writer) = io::pipe()?;
        let handle = child.stdin_file(reader).start()?;
        let feeder = std::thread::spawn(move || drop(writer.write_all(&bytes)));
        Ok((handle, Some(feeder)))
    }

    fn stop(&self, handle: &duct::Handle) {
        let group = handle.pids().first().and_then(|pid| Pid::from_raw(i32::try_from(*pid).ok()?));
        // A group that is gone already is what we want.
        let signal = |signal| group.is_some_and(|group| kill_process_group(group, signal).is_ok());
        signal(Signal::INT);
        let grace = if self.outlives { GRACE_OF_HELM } else { GRACE };
        let gone = matches!(handle.wait_timeout(grace), Ok(Some(_)));
        if !gone && !self.outlives {
            signal(Signal::KILL);
            drop(handle.wait());
        }
    }

    fn failed_to_start(&self, error: &io::Error) -> Failure {
        Failure::new(Exit::Outside, "child", format!("cannot run {}", self.program.display()))
            .why(error.to_string().split(" (os error").next().unwrap_or_default().to_lowercase())
            .next("check that it is installed and can be run by you")
    }

    fn timed_out(&self) -> Failure {
        Failure::new(
            Exit::TimedOut,
            "time-limit",
            format!("no answer within {} s from: {}", self.limit.as_secs(), self.line()),
        )
        .why("the child process was asked to stop after its time limit")
        .next("check the cluster, then run the same command again: it goes on from what it finds")
    }
}

fn from_the_start(mut file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(io::SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Takes out of a child's stderr what could be a key, and control characters that could fool a terminal.
fn scrub(text: &str) -> String {
    let base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| base64(c) != base64(first)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        if could_be_a_key(run) {
            clean.push_str("[removed]");
        } else {
            clean.extend(run.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }));
        }
        rest = after;
    }
    clean.trim().to_owned()
}

/// A line of base64 and not a path: 40 characters or more, in both cases, with few slashes.
fn could_be_a_key(run: &str) -> bool {
    let has = |what: fn(&u8) -> bool| run.bytes().any(|b| what(&b));
    run.len() >= 40
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && run.matches('/').count() * 10 < run.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, stdin: Option<&[u8]>, limit: Duration) -> Call {
        Call {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            env: vec![("PATH".into(), "/usr/bin:/bin".into())],
            stdin: stdin.map(|b| Zeroizing::new(b.to_vec())),
            limit,
            outlives: false,
        }
    }

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn a_child_gets_its_input_and_gives_its_output_and_status() {
        let big = vec![b'x'; 300_000];
        let reply = sh("wc -c; echo oops >&2; exit 3", Some(&big), LONG).run().unwrap();
        assert_eq!((reply.success, reply.stdout.trim_ascii(), reply.stderr.as_str()), (false, &b"300000"[..], "oops"));
    }

    #[test]
    fn a_child_that_does_not_read_its_input_does_not_hang_us() {
        assert!(sh("exit 0", Some(&vec![b'x'; 300_000]), LONG).run().unwrap().success);
    }

    #[test]
    fn a_child_over_its_time_is_ended_with_its_own_children() {
        let start = Instant::now();
        let failure = sh("sleep 60 & sleep 60; wait", None, Duration::from_millis(100)).run().err().unwrap();
        assert_eq!((failure.exit, failure.code), (Exit::TimedOut, "time-limit"));
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn what_could_be_a_key_is_taken_out_of_stderr() {
        let text = format!("bad value {} in pair\u{1b}[2J", "QUJDabc/".repeat(6).replace("c/QUJ", "cdQUJ"));
        assert_eq!(scrub(&text), "bad value [removed] in pair [2J");
        assert_eq!(scrub("Error from server (NotFound)"), "Error from server (NotFound)");
    }
}
