//! `rehearse`: the plans of the real verbs on a simulated cluster, with real TLS handshakes, offline.

mod args;
mod before;
mod ca;
mod contact;
mod copies;
mod federation;
mod from_file;
mod rehearsal;
#[cfg(test)]
mod tests;
mod verdicts;

pub use self::args::RehearseArgs;
use std::path::Path;

use self::{federation::SimulatedFederation, from_file::FromFile, rehearsal::Rehearsal};
use crate::{
    command_line::CommandLine,
    failure::{Next, Result},
    federation::{GateSpec, Site},
    report::{Console, Format, Outcome},
    session::{OpenCluster, Session},
    text::word,
    times::Clock,
};

/// The verbs, each of which this one runs as a line of words would.
#[derive(Clone, Copy)]
pub struct Verbs {
    /// A verb of one cluster, by the words of its command line.
    pub run: fn(&[&str], &Session<'_>) -> Result<Outcome>,
    /// `bootstrap` of a federation that is at hand; the file is the one on its command line.
    pub bootstrap: fn(&crate::federation::Federation, &Path, &Session<'_>, OpenCluster<'_>) -> Result<Outcome>,
}

/// Runs it all: the exchange of every organization, the gate, and what the servers make of good and bad clients.
///
/// # Errors
/// A file that the verbs would refuse is refused with their words; a verdict that is not as expected fails.
pub fn run(args: &RehearseArgs, session: &Session<'_>, verbs: Verbs) -> Result<Outcome> {
    // Nobody waits for a rehearsal: its clock moves without anybody waiting.
    let clock = Clock::simulated(session.now);
    let session = &Session::new(None, session.console, &clock).with_sops(&session.sops);
    if let Some(file) = &args.federation {
        return of_file(file, session, verbs);
    }
    let federation = SimulatedFederation::of(args, session)?;
    let next = match &args.orchestrator {
        None => Next::from("your own files: ")
            .command(CommandLine::ours("rehearse").blank("--backend FILE --orchestrator FILE")),
        Some(_) => "the same commands on the real clusters, each by the operator of its side".into(),
    };
    exchanged(&federation, session, verbs, &next).map_err(|failure| federation.copies.only_rehearsed(&failure))
}

/// The verbs one after the other, each organization's and then the gate's.
fn exchanged(federation: &SimulatedFederation, session: &Session<'_>, verbs: Verbs, next: &Next) -> Result<Outcome> {
    let mut rehearsal = Rehearsal::new(federation, session, verbs)?;
    rehearsal.connected("");
    for org in &federation.organizations {
        rehearsal.exchange(org)?;
    }
    rehearsal.close()?;
    rehearsal.judged(&federation.ca, next)
}

/// The plan of `bootstrap` on the same files, twice: the second run finds nothing to do.
fn of_file(path: &Path, session: &Session<'_>, verbs: Verbs) -> Result<Outcome> {
    let from_file = FromFile::read(path, session)?;
    let outcome = bootstrapped(path, &from_file, session, verbs);
    outcome.map_err(|failure| from_file.federation.copies.only_rehearsed(&failure))
}

fn bootstrapped(path: &Path, from_file: &FromFile, session: &Session<'_>, verbs: Verbs) -> Result<Outcome> {
    let mut rehearsal = Rehearsal::new(&from_file.federation, session, verbs)?;
    rehearsal.connected("");
    let file = path.display().to_string();
    let console = Console { format: Format::Json, ..Console::silent() };
    let silent = Session::new(None, console, &session.clock).with_sops(&session.sops);
    let open = |site: &Site| Ok(from_file.open(site));
    let command = format!("bootstrap {}", word(&file));
    for _ in ["first", "second"] {
        rehearsal.command(&command);
        let outcome = (verbs.bootstrap)(&from_file.file, path, &silent, &open)?;
        rehearsal.ran(&command, &outcome);
        if let Some(failure) = outcome.failure() {
            return Err(failure.clone());
        }
    }
    rehearsal.connected(&command);
    let next = Next::from("on the real clusters: ").command(CommandLine::ours(&command));
    let now = from_file.federation.deployed()?;
    if from_file.file.orchestrator.gate == GateSpec::Leave && !(now.mtls_enabled && now.verify_msp_id) {
        let so = if now.mtls_enabled {
            "without the identity check any organization can act as any other"
        } else {
            "there is nothing yet that a certificate decides"
        };
        rehearsal.heading(&format!("The file leaves the gate as it is: {so}."));
        return Ok(rehearsal.left(&next));
    }
    rehearsal.judged(&from_file.ca_in_use()?, &next)
}
