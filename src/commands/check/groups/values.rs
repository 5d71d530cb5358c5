//! The values: names and switches that can be used, words that Helm reads otherwise than they look, TLS at all.

use super::super::{
    catalogue::Check,
    finding::Findings,
    observe::{Party, Site},
};
use crate::failure::Code;

pub(super) fn judge(site: &Site, findings: &mut Findings) {
    match &site.files {
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
    let party = match &site.party {
        Ok(party) => party,
        Err(failure) if failure.code == Code::Value || site.files.is_some() || site.found.is_ok() => {
            findings.failed(Check::Values, format!("{}: {}", failure.what, failure.why), &failure.next);
            return findings.skip_the_rest("the values cannot be used");
        }
        Err(_) => return,
    };
    findings.ok(Check::Values, told(party));
    let tls = match party {
        Party::Backend(backend) => backend.tls_enabled,
        Party::Orchestrator(orchestrator) => orchestrator.tls_enabled,
    };
    if tls {
        findings.ok(Check::Tls, "orchestrator.tls.enabled is true");
    } else {
        let next = match party {
            Party::Backend(_) => site.first_step().unwrap_or_default(),
            Party::Orchestrator(_) => site.ours("ca init", ""),
        };
        findings.failed(Check::Tls, "orchestrator.tls.enabled is not true", next);
    }
}

fn told(party: &Party) -> String {
    match party {
        Party::Backend(backend) => format!("{}, host {}", backend.msp_id, backend.host),
        Party::Orchestrator(orchestrator) if orchestrator.members.is_empty() => "no member of any channel".to_owned(),
        Party::Orchestrator(orchestrator) => format!("members: {}", orchestrator.members.join(", ")),
    }
}
