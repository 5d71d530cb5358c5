//! `helm`, `kubectl` and `sops` over a folder, for tests: they answer as the real ones do, and go wrong as a test asks.
//!
//! A folder holds `world.json` (a stored simulated cluster) and `bin/helm`, `bin/kubectl` and `bin/sops`, links to this
//! program.
//! `calls` gets a line for each call, as `helm status org-1`, `kubectl create org-1` or `sops decrypt`: with the
//! namespace, so that a run that works on several names each call alike every time. `fault`, where it is there, names
//! one of them, its number among its like from 0, and how it goes wrong: `kubectl create org-1 1 hang` (`fault.rs` has
//! the words).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a tool of the tests: what it does not understand ends it aloud"
)]

mod fault;
mod helm;
mod kubectl;
mod sops;

use std::{
    collections::BTreeMap,
    env, fs,
    io::Read,
    path::{Path, PathBuf},
    process::ExitCode,
};

use substra_mtls::{cluster::simulated::SimulatedCluster, times::Clock};

use self::fault::Fault;

/// What the caller sees.
#[derive(Default)]
struct Answer {
    stdout: String,
    stderr: String,
    fails: bool,
}

impl Answer {
    fn said(stdout: impl std::fmt::Display) -> Self {
        Self { stdout: format!("{stdout}\n"), ..Self::default() }
    }

    fn failed(stderr: impl Into<String>) -> Self {
        Self { stderr: stderr.into(), fails: true, ..Self::default() }
    }
}

/// One call: the words, and the options as `--name=value` or `-n value`.
struct Call {
    program: String,
    words: Vec<String>,
    options: BTreeMap<String, String>,
    /// A fault: it does something else besides.
    does_more: bool,
}

impl Call {
    fn read() -> (PathBuf, Self) {
        let mut args = env::args();
        let own = PathBuf::from(args.next().unwrap());
        let program = own.file_name().unwrap().to_str().unwrap().to_owned();
        let (mut words, mut options) = (Vec::new(), BTreeMap::new());
        let mut args = args.peekable();
        while let Some(word) = args.next() {
            match word.split_once('=') {
                Some((name, value)) if name.starts_with('-') => drop(options.insert(name.to_owned(), value.to_owned())),
                _ if word == "-f" || word == "-n" => drop(options.insert(word, args.next().unwrap())),
                _ if word.starts_with('-') => drop(options.insert(word, String::new())),
                _ => words.push(word),
            }
        }
        let folder = own.parent().unwrap().parent().unwrap().to_owned();
        (folder, Self { program, words, options, does_more: false })
    }

    /// `helm status org-1`, `sops decrypt`.
    fn name(&self) -> String {
        let name = format!("{} {}", self.program, self.words.first().unwrap());
        if self.program == "sops" { name } else { format!("{name} {}", self.namespace()) }
    }

    fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    fn namespace(&self) -> &str {
        self.option("--namespace").unwrap_or("default")
    }

    fn answer(&self, cluster: &SimulatedCluster) -> Answer {
        match self.program.as_str() {
            "helm" => helm::answer(self, cluster),
            "kubectl" => kubectl::answer(self, cluster),
            "sops" => sops::answer(self),
            other => panic!("called as {other}: link it as helm, kubectl and sops"),
        }
    }
}

/// All of standard input.
fn input() -> String {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    text
}

/// Looks at the world, or changes it: one call at a time.
fn done(folder: &Path, call: &Call) -> Answer {
    let lock = fs::File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let path = folder.join("world.json");
    let before = fs::read_to_string(&path).unwrap();
    let world = serde_json::from_str(&before).unwrap();
    let cluster = SimulatedCluster::restored(call.namespace(), &Clock::system(), &world).unwrap();
    let answer = call.answer(&cluster);
    let after = cluster.stored().to_string();
    if after != before {
        let new = folder.join("world.new");
        fs::write(&new, after).unwrap();
        fs::rename(new, path).unwrap();
    }
    answer
}

fn main() -> ExitCode {
    let (folder, mut call) = Call::read();
    let fault = fault::of(&folder, &call.name());
    call.does_more = matches!(fault, Fault::More);
    let answer = fault.answer(|| done(&folder, &call));
    print!("{}", answer.stdout);
    eprint!("{}", answer.stderr);
    if answer.fails { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
