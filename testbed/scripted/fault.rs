//! How a call goes wrong.

use std::{fs, io::Write, path::Path, process::Command, thread, time::Duration};

use serde_json::Value;

use crate::Answer;

/// What a real one would never say.
const GARBAGE: &str = "\u{0}\u{1b}[2J{]: \u{202e}not what was asked for\n";

/// Which way, as `fault` names it.
pub(crate) enum Fault {
    /// Does its work.
    None,
    /// `nothing`: does nothing, says nothing and exits 0.
    Nothing,
    /// `fails`: does nothing and fails.
    Fails,
    /// `lost`: does its work and fails all the same, as when an answer is lost.
    Lost,
    /// `more`: does its work and something else besides (sops alone).
    More,
    /// `garbage`: does its work, and what it says cannot be read.
    Garbage,
    /// `flood`: does its work and says 300 MB.
    Flood,
    /// `hang`: does nothing and never ends.
    Hang,
    /// `cut`: does its work and says the first half of its answer.
    Cut,
    /// `half`: does its work and leaves out the second half of a list.
    Half,
    /// `slow`: does its work late.
    Slow,
    /// `killed-before`: its caller is killed, and it does nothing.
    KilledBefore,
    /// `killed-after`: it does its work, and its caller is killed.
    KilledAfter,
}

/// Notes the call, and gives the fault that was asked for it.
pub(crate) fn of(folder: &Path, name: &str) -> Fault {
    let lock = fs::File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let calls = fs::read_to_string(folder.join("calls")).unwrap_or_default();
    let number = calls.lines().filter(|line| *line == name).count();
    // Added to and never emptied: a caller that was killed leaves others at work, while the test reads.
    let mut calls = fs::File::options().create(true).append(true).open(folder.join("calls")).unwrap();
    calls.write_all(format!("{name}\n").as_bytes()).unwrap();
    let asked = fs::read_to_string(folder.join("fault")).unwrap_or_default();
    match asked.trim().strip_prefix(&format!("{name} {number} ")) {
        None => Fault::None,
        Some("nothing") => Fault::Nothing,
        Some("fails") => Fault::Fails,
        Some("lost") => Fault::Lost,
        Some("more") => Fault::More,
        Some("garbage") => Fault::Garbage,
        Some("flood") => Fault::Flood,
        Some("hang") => Fault::Hang,
        Some("cut") => Fault::Cut,
        Some("half") => Fault::Half,
        Some("slow") => Fault::Slow,
        Some("killed-before") => Fault::KilledBefore,
        Some("killed-after") => Fault::KilledAfter,
        Some(other) => panic!("there is no fault {other}"),
    }
}

impl Fault {
    /// What the caller gets, with the work done or not.
    pub(crate) fn answer(self, work: impl FnOnce() -> Answer) -> Answer {
        match self {
            Self::None | Self::More => work(),
            Self::Nothing => Answer::default(),
            Self::Fails => Answer::failed("Error: the test asked for it\n"),
            Self::Lost => {
                work();
                Answer::failed("Error: the answer was lost\n")
            }
            Self::Garbage => Answer { stdout: GARBAGE.to_owned(), ..work() },
            Self::Flood => {
                let answer = work();
                flood();
                answer
            }
            Self::Hang => loop {
                thread::sleep(Duration::from_hours(1));
            },
            Self::Cut => {
                let answer = work();
                let middle =
                    (0..=answer.stdout.len() / 2).rev().find(|at| answer.stdout.is_char_boundary(*at)).unwrap();
                Answer { stdout: answer.stdout[..middle].to_owned(), ..answer }
            }
            Self::Half => {
                let answer = work();
                Answer { stdout: halved(&answer.stdout), ..answer }
            }
            Self::Slow => {
                thread::sleep(Duration::from_millis(300));
                work()
            }
            Self::KilledBefore => {
                kill_caller();
                Answer::failed("")
            }
            Self::KilledAfter => {
                let answer = work();
                kill_caller();
                answer
            }
        }
    }
}

/// 300 MB, or as much of it as anybody reads.
fn flood() {
    let block = vec![b'x'; 1 << 20];
    let mut out = std::io::stdout().lock();
    for _ in 0..300 {
        if out.write_all(&block).is_err() {
            return;
        }
    }
}

/// A list without its second half; anything else as it is.
fn halved(answer: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(answer) else { return answer.to_owned() };
    let list = if value.is_array() { Some(&mut value) } else { value.get_mut("items") };
    if let Some(items) = list.and_then(Value::as_array_mut) {
        items.truncate(items.len() / 2);
    }
    value.to_string()
}

fn kill_caller() {
    let parent = std::os::unix::process::parent_id().to_string();
    assert!(Command::new("kill").args(["-9", &parent]).status().unwrap().success());
}
