//! One child process: its own process group, limits of time and output, secrets by standard input only, its stderr kept.
#![allow(clippy::disallowed_methods, reason = "this is the door")]

mod output;

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Write},
    os::unix::process::CommandExt,
    path::PathBuf,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};
use zeroize::Zeroizing;

use self::output::{OutputPipes, empty_if_longer, redact_keys, tail};
use crate::{
    failure::{Code, Exit, Failure, Result},
    files,
    interrupt::InterruptListener,
    text,
};

/// How long a child that was asked to stop may take: kubectl until it is killed, Helm until we go without it.
const GRACE: Duration = Duration::from_secs(3);
const GRACE_OF_HELM: Duration = Duration::from_secs(30);

/// How often signals and the length of the output are looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Set by tests to shorten the time limit of every child; it never lengthens one.
const LIMIT_VARIABLE: &str = "SUBSTRA_MTLS_CHILD_LIMIT";

/// What is kept of a child's stdout and of its stderr: 8 MiB, in bytes.
pub(super) const MAX_OUTPUT: usize = 8 << 20;

/// How a child is treated when we are interrupted, or when it prints too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChildKind {
    /// It only reads: it is killed at once.
    Read,
    /// It writes: it may finish, and output beyond the limit is thrown away.
    Write,
    /// `helm upgrade` is never killed, since its release would stay pending. Its stderr goes to an unnamed file: a pipe
    /// would kill it by SIGPIPE if we die.
    Upgrade,
}

/// A program with its arguments, and the limits that it runs under.
pub(super) struct ChildCommand {
    pub(super) program: PathBuf,
    pub(super) args: Vec<OsString>,
    /// The whole environment.
    pub(super) env: Vec<(OsString, OsString)>,
    pub(super) stdin: Option<Zeroizing<Vec<u8>>>,
    pub(super) limit: Duration,
    pub(super) kind: ChildKind,
    /// How many bytes of stdout, and of stderr, are kept.
    pub(super) max_output: usize,
}

/// What a child printed, and whether it succeeded.
pub(super) struct ChildOutput {
    pub(super) success: bool,
    pub(super) stdout: Zeroizing<Vec<u8>>,
    pub(super) stderr: String,
}

impl ChildCommand {
    /// The command line as one would type it; holds no secret, since none is ever put there.
    pub(super) fn command_line(&self) -> String {
        let words = std::iter::once(self.program.as_os_str()).chain(self.args.iter().map(OsString::as_os_str));
        words.map(|word| text::word(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
    }

    /// Runs it until it exits, its time is up, or a signal stops us.
    pub(super) fn run(self) -> Result<ChildOutput> {
        let failed = |e: io::Error| self.failed_to_start(&e);
        let stderr_file = if self.kind == ChildKind::Upgrade { Some(files::unnamed()?) } else { None };
        let ear = InterruptListener::new();
        let (handle, mut outputs) = self.start(stderr_file.as_ref()).map_err(failed)?;
        let deadline = Instant::now() + limited(self.limit);
        let ended = self.wait_for(&handle, &mut outputs, stderr_file.as_ref(), deadline, &ear);
        if ended.is_err() {
            self.stop(&handle);
        }
        ended?;
        let success = handle.wait().map_err(failed)?.status.success();
        let (stdout, piped) = outputs.into_bytes();
        let stderr = stderr_file.map_or(Ok(piped), |file| tail(file, self.max_output)).map_err(failed)?;
        Ok(ChildOutput { success, stdout, stderr: redact_keys(&String::from_utf8_lossy(&stderr)) })
    }

    fn start(&self, stderr_file: Option<&File>) -> io::Result<(duct::Handle, OutputPipes)> {
        let child = duct::cmd(&self.program, &self.args).full_env(self.env.iter().cloned());
        let mut outputs = OutputPipes::default();
        let child = match stderr_file {
            Some(stderr_file) => child.stdout_null().stderr_file(stderr_file.try_clone()?),
            None => {
                child.stdout_file(outputs.add_pipe(self.max_output)?).stderr_file(outputs.add_pipe(self.max_output)?)
            }
        };
        let child = child.unchecked().before_spawn(|command| {
            command.process_group(0);
            Ok(())
        });
        let Some(bytes) = self.stdin.clone() else { return Ok((child.stdin_null().start()?, outputs)) };
        // A pipe of our own, since duct would keep an unwiped copy of what it feeds. Nobody waits for the thread: a child
        // that ends without reading its input closes the pipe, and its own error says more than ours would.
        let (reader, mut writer) = io::pipe()?;
        let handle = child.stdin_file(reader).start()?;
        std::thread::spawn(move || drop(writer.write_all(&bytes)));
        Ok((handle, outputs))
    }

    /// Waits until the child has exited and its pipes are closed.
    fn wait_for(
        &self,
        handle: &duct::Handle,
        outputs: &mut OutputPipes,
        stderr_file: Option<&File>,
        deadline: Instant,
        ear: &InterruptListener,
    ) -> Result<()> {
        loop {
            let ended = handle.wait_timeout(POLL_INTERVAL).map_err(|e| self.failed_to_start(&e))?.is_some();
            if ended && outputs.wait_until_closed(POLL_INTERVAL) {
                return Ok(());
            }
            stderr_file
                .map_or(Ok(()), |stderr_file| empty_if_longer(stderr_file, self.max_output))
                .map_err(|e| self.failed_to_start(&e))?;
            if self.kind == ChildKind::Read && outputs.is_full() {
                return Err(self.output_too_long());
            }
            if self.kind == ChildKind::Read && ear.heard() {
                return Err(self.interrupted());
            }
            if Instant::now() >= deadline {
                return Err(self.timed_out());
            }
        }
    }

    fn stop(&self, handle: &duct::Handle) {
        let group = handle.pids().first().and_then(|pid| Pid::from_raw(i32::try_from(*pid).ok()?));
        // A group that is gone already is what we want.
        let signal = |signal| group.is_some_and(|group| kill_process_group(group, signal).is_ok());
        signal(Signal::INT);
        let grace = match self.kind {
            // Nothing is lost with it, and somebody waits.
            ChildKind::Read => POLL_INTERVAL * 4,
            ChildKind::Write => GRACE,
            ChildKind::Upgrade => GRACE_OF_HELM,
        };
        let gone = matches!(handle.wait_timeout(limited(grace)), Ok(Some(_)));
        if self.kind != ChildKind::Upgrade {
            // Its own children too: one that keeps running would hold its pipes open.
            signal(Signal::KILL);
            if !gone {
                drop(handle.wait());
            }
        }
    }

    fn failed_to_start(&self, error: &io::Error) -> Failure {
        Failure::new(Exit::Outside, Code::Child, format!("cannot run {}", self.program.display()))
            .why(files::reason(error))
            .next("check that it is installed and can be run by you")
    }

    fn timed_out(&self) -> Failure {
        Failure::new(
            Exit::TimedOut,
            Code::TimeLimit,
            format!("no answer within {} s from: {}", limited(self.limit).as_secs(), self.command_line()),
        )
        .why("the child process was asked to stop after its time limit")
        .next("check the cluster, then run the same command again: it continues where it stopped")
    }

    fn interrupted(&self) -> Failure {
        Failure::interrupted()
            .why(format!("a signal arrived while this was waited for: {}", self.command_line()))
            .next("run the same command again: it continues where it stopped")
    }

    fn output_too_long(&self) -> Failure {
        let what = format!("more than {} MiB came from: {}", self.max_output >> 20, self.command_line());
        Failure::new(Exit::Outside, Code::ChildOutput, what)
            .why("no answer that is needed here is that long: the rest was not read")
            .next("run that command by hand and see what it says; then run this one again")
    }
}

/// The limit, or a shorter one that a test has set.
fn limited(limit: Duration) -> Duration {
    let shortest = std::env::var(LIMIT_VARIABLE).ok().and_then(|text| humantime::parse_duration(&text).ok());
    shortest.map_or(limit, |shortest| limit.min(shortest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, stdin: Option<&[u8]>, limit: Duration) -> ChildCommand {
        ChildCommand {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            env: vec![("PATH".into(), "/usr/bin:/bin".into())],
            stdin: stdin.map(|b| Zeroizing::new(b.to_vec())),
            limit,
            kind: ChildKind::Read,
            max_output: 1 << 20,
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
        assert_eq!((failure.exit, failure.code.id()), (Exit::TimedOut, "time-limit"));
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_child_that_reads_and_has_no_end_is_ended_and_one_that_writes_is_heard_out() {
        let start = Instant::now();
        for end in ["", ">&2"] {
            let failure = sh(&format!("yes {end}"), None, LONG).run().err().unwrap();
            assert_eq!((failure.exit, failure.code.id()), (Exit::Outside, "child-output"));
        }
        let script = "head -c 3000000 /dev/zero | tr '\\0' x; head -c 3000000 /dev/zero | tr '\\0' - >&2; exit 4";
        let reply = ChildCommand { kind: ChildKind::Write, ..sh(script, None, LONG) }.run().unwrap();
        assert_eq!((reply.success, reply.stdout.len(), reply.stderr.len()), (false, 1 << 20, 1 << 20));
        let script = "for i in 1 2 3; do head -c 1000000 /dev/zero | tr '\\0' - >&2; sleep 0.2; done; echo end >&2";
        let reply = ChildCommand { kind: ChildKind::Upgrade, ..sh(script, None, LONG) }.run().unwrap();
        assert!(reply.success && reply.stderr.len() <= 1 << 20 && reply.stderr.ends_with("end"));
        assert!(start.elapsed() < LONG);
    }

    #[test]
    fn what_a_grandchild_holds_open_is_not_waited_for_beyond_the_limit() {
        let start = Instant::now();
        let failure = sh("sleep 60 &", None, Duration::from_millis(300)).run().err().unwrap();
        assert_eq!(failure.code.id(), "time-limit");
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}
