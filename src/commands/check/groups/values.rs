//! The values: names and switches that can be used, words that Helm reads otherwise than they look, TLS at all.

use super::super::{
    catalogue::Check,
    finding::Findings,
    observe::{ObservedRelease, SideValues},
};
use crate::failure::{Code, Next};

pub(super) fn check(observed: &ObservedRelease, findings: &mut Findings) {
    match &observed.files {
        Some(files) => {
            for word in files.odd_words() {
                findings.warn(
                    Check::ValuesOddWords,
                    word,
                    "quote it where a text is meant; else write true, false or the number",
                );
            }
            findings.ok(Check::ValuesOddWords, "every word is what it looks like");
        }
        None => findings.skip(Check::ValuesOddWords, "no values file was given"),
    }
    let party = match &observed.party {
        Ok(party) => party,
        Err(failure) if failure.code == Code::Value || observed.files.is_some() || observed.release.is_ok() => {
            findings.failed(Check::Values, format!("{}: {}", failure.what, failure.why), &failure.next);
            return findings.skip_the_rest("the values cannot be used");
        }
        Err(_) => return,
    };
    findings.ok(Check::Values, summary(party));
    let tls = match party {
        SideValues::Backend(backend) => backend.tls_enabled,
        SideValues::Orchestrator(orchestrator) => orchestrator.tls_enabled,
    };
    if tls {
        findings.ok(Check::Tls, "orchestrator.tls.enabled is true");
    } else {
        let next = match party {
            SideValues::Backend(_) => observed.first_step().map(Next::from).unwrap_or_default(),
            SideValues::Orchestrator(_) => observed.ours("ca init", "").into(),
        };
        findings.failed(Check::Tls, "orchestrator.tls.enabled is not true", next);
    }
}

fn summary(party: &SideValues) -> String {
    match party {
        SideValues::Backend(backend) => format!("{}, host {}", backend.msp_id, backend.host),
        SideValues::Orchestrator(orchestrator) if orchestrator.members.is_empty() => {
            "no member of any channel".to_owned()
        }
        SideValues::Orchestrator(orchestrator) => format!("members: {}", orchestrator.members.join(", ")),
    }
}
