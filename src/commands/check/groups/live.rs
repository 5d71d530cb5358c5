//! What the handshakes of `--live` came to.

use super::super::{
    catalogue::Check,
    finding::Findings,
    live::{CallResult, Handshakes},
    observe::ObservedRelease,
};
use crate::{failure::Next, substra::Side, substra::servers::CallOutcome};

pub(super) fn check(observed: &ObservedRelease, findings: &mut Findings) {
    let skip = |because: &str, findings: &mut Findings| {
        [Check::LiveOwn, Check::LiveWithout, Check::LiveOther].iter().for_each(|check| findings.skip(*check, because));
    };
    let (address, own, without, other) = match &observed.live {
        None => return skip("only with --live", findings),
        Some(Handshakes::NotTried(because)) => return skip(because, findings),
        Some(Handshakes::Tried { address, own, without, other }) => (address, own, without, other),
    };
    match own {
        Some(called) => judge_own(observed, address, called, findings),
        None => findings.skip(Check::LiveOwn, "there is no pair in the cluster"),
    }
    // The handshake alone tells whether a certificate is asked for.
    let open = matches!(without, Ok(CallOutcome::Accepted | CallOutcome::PermissionDenied(_)));
    match without {
        Ok(CallOutcome::HandshakeRefused(why)) => findings.ok(Check::LiveWithout, format!("refused: {why}")),
        Ok(_) if open && observed.side == Side::Orchestrator && observed.mtls() => {
            let restart = |server| observed.kubectl("rollout restart").word(server);
            let next = server(observed).map_or_else(|| observed.kubectl("get pods"), restart);
            findings.failed(
                Check::LiveWithout,
                format!("{address} accepts a client without a certificate, although mutual TLS is on"),
                next,
            );
        }
        Ok(_) if open => {
            let seen = format!("{address} accepts a client without a certificate: the gate is open");
            let next: Next = match observed.side {
                Side::Orchestrator => observed.ours("gate close", "").into(),
                Side::Backend => "the orchestrator's operator closes the gate, once all are installed".into(),
            };
            findings.warn(Check::LiveWithout, seen, next);
        }
        Ok(answer) => findings.skip(Check::LiveWithout, answer.to_string()),
        Err(why) => findings.skip(Check::LiveWithout, why.as_str()),
    }
    match other {
        None => findings.skip(Check::LiveOther, "there is no pair in the cluster"),
        Some(_) if open => findings.skip(Check::LiveOther, "the gate is open: nobody's name is looked at"),
        Some(Ok(CallOutcome::PermissionDenied(why))) => findings.ok(Check::LiveOther, format!("refused: {why}")),
        Some(Ok(CallOutcome::Accepted)) => {
            let next: Next = match observed.side {
                Side::Orchestrator => observed.ours("gate close", "").into(),
                Side::Backend => "the orchestrator's operator turns verifyClientMSPID on: gate close".into(),
            };
            findings.failed(Check::LiveOther, "accepted: every organization can act as every other", next);
        }
        Some(Ok(answer)) => findings.skip(Check::LiveOther, answer.to_string()),
        Some(Err(why)) => findings.skip(Check::LiveOther, why.as_str()),
    }
}

/// The server's Deployment, as kubectl names it.
fn server(observed: &ObservedRelease) -> Option<String> {
    let (running, release) = (observed.running()?, observed.release.as_ref().ok()?);
    Some(format!("deployment/{}", running.service_name(release.name.as_str())))
}

fn judge_own(observed: &ObservedRelease, address: &str, called: &CallResult, findings: &mut Findings) {
    let answer = match called {
        Ok(answer) => answer,
        Err(why) => {
            let next: Next = match observed.side {
                Side::Backend => "dial from where the orchestrator is reached: add --connect HOST:PORT, for example of kubectl port-forward".into(),
                Side::Orchestrator => {
                    let forward = |server| observed.kubectl("port-forward").word(server).with("9000");
                    let forward = server(observed).map_or_else(|| observed.kubectl("get services"), forward);
                    Next::from(forward).words("; then run this again with --connect localhost:9000")
                }
            };
            return findings.failed(Check::LiveOwn, why.as_str(), next);
        }
    };
    // The server's own pair has no O: its probe is accepted behind the identity check, this request is not.
    let let_in = answer.is_accepted()
        || (observed.side == Side::Orchestrator && matches!(answer, CallOutcome::PermissionDenied(_)));
    if let_in {
        return findings.ok(Check::LiveOwn, format!("{address} answers"));
    }
    let next: Next = match (observed.side, answer) {
        (Side::Backend, CallOutcome::PermissionDenied(_)) => {
            "tell the orchestrator's operator: approve this organization's request again".into()
        }
        (Side::Backend, CallOutcome::ServerNotTrusted(_)) => {
            "compare the CA in this cluster with the orchestrator's operator; a server certificate that has expired is theirs to renew".into()
        }
        (Side::Backend, _) => observed.request("--new-request").into(),
        (Side::Orchestrator, _) => observed.ours("ca init", "").into(),
    };
    findings.failed(Check::LiveOwn, format!("{address}: {answer}"), next);
}
