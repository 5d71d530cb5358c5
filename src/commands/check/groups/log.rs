//! What the issue log shows: certificates that can do harm, alarms that nobody has settled, members that do not renew.

use super::{
    super::{catalogue::Check, finding::Findings, observe::ObservedRelease},
    count, keys,
};
use crate::{
    pki::log::IssueLog,
    release::issued::{self, IssuedProblem, IssuedProblemKind},
    substra::orchestrator::Orchestrator,
    times,
};

/// What cannot be said without a log.
const OF_THE_LOG: [Check; 4] = [Check::IssuedName, Check::IssuedRefused, Check::RenewalAlarm, Check::MemberOverdue];

pub(super) fn check(observed: &ObservedRelease, findings: &mut Findings) {
    let mut skip = |because: &str| OF_THE_LOG.iter().for_each(|check| findings.skip(*check, because));
    let Some(orchestrator) = observed.orchestrator() else { return };
    let log = match &observed.log {
        Some(Ok(log)) => log,
        Some(Err(failure)) => return skip(&format!("the issue log could not be read: {}", failure.what)),
        None => return skip("no issue log was named: --ca-cert FILE or --ca-secret NAME"),
    };
    judge_alarms(log, findings);
    judge_members(observed, orchestrator, log, findings);
    judge_issued(observed, orchestrator, log, findings);
}

fn judge_alarms(log: &IssueLog, findings: &mut Findings) {
    for alarm in log.open_alarms() {
        let org = &alarm.organization;
        let seen = format!(
            "{org}: on {} a second request, with the key {}, came by the key of certificate {}, which had vouched for {}: its key may be stolen",
            times::rfc3339(alarm.time),
            alarm.fingerprint,
            alarm.predecessor,
            alarm.successor
        );
        findings.failed(
            Check::RenewalAlarm,
            seen,
            format!("call {org}'s operator, and say which certificate is theirs: approve --settle {org} --keep SERIAL"),
        );
    }
    findings.ok(Check::RenewalAlarm, "no certificate vouched for two requests");
}

fn judge_members(observed: &ObservedRelease, orchestrator: &Orchestrator, log: &IssueLog, findings: &mut Findings) {
    let members = orchestrator.members.iter().filter_map(|member| member.parse().ok());
    for entry in members.filter_map(|member| log.overdue(&member, observed.now)) {
        let (org, until) = (&entry.organization, times::rfc3339(entry.not_after));
        findings.warn(
            Check::MemberOverdue,
            format!("{org} has not renewed its certificate {}, which expires on {until}", entry.serial),
            format!("ask {org}'s operator for a renewal: enroll at their backend"),
        );
    }
    findings.ok(Check::MemberOverdue, count(orchestrator.members.len(), "member"));
}

/// Certificates that were issued and are alive.
fn judge_issued(observed: &ObservedRelease, orchestrator: &Orchestrator, log: &IssueLog, findings: &mut Findings) {
    let Ok(release) = &observed.release else { return };
    let pair = keys::server(observed).map(|(_, leaf)| leaf);
    let names = issued::names(orchestrator, release, pair.as_ref());
    for (entry, IssuedProblem { kind, said }) in issued::troubles(log, &names, observed.now) {
        let wait = format!(
            "ask {} for a new request (enroll --new-request); until {} the old one stays good",
            entry.organization,
            entry.not_after.date()
        );
        match kind {
            IssuedProblemKind::Poses => findings.failed(Check::IssuedName, said, wait),
            IssuedProblemKind::Serves => findings.warn(Check::IssuedName, said, wait),
            IssuedProblemKind::Refused => findings.failed(Check::IssuedRefused, said, wait),
        }
    }
    let alive = format!("alive: {}", count(log.unexpired(observed.now).count(), "certificate"));
    findings.ok(Check::IssuedName, alive.as_str());
    findings.ok(Check::IssuedRefused, alive.as_str());
}
