//! `approve --settle`: an alarm was looked into, and one certificate is the organization's own.

use serde::Serialize;

use super::{ApproveArgs, Batch, VERB, report::ApproveResult};
use crate::{
    commands,
    exchange::unsigned,
    failure::{Code, Failure, Result},
    names::MspId,
    pki::{
        issue::whole_seconds,
        log::{Entry, IssueLog, Record, Settlement},
    },
    plain::excerpt,
    plan::Plan,
    report::{Outcome, Stage},
    times,
};

/// An alarm that was settled.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Settled {
    /// MSP ID.
    pub(super) organization: MspId,
    /// The serial number of the certificate that it keeps.
    #[cfg_attr(test, schemars(with = "crate::schemas::Serial"))]
    pub(super) kept: String,
    /// Those of its other certificates that have not expired: they vouch for nothing any more, and go on being accepted.
    #[cfg_attr(test, schemars(with = "Vec<crate::schemas::Serial>"))]
    pub(super) given_up: Vec<String>,
}

impl Settled {
    fn lines(&self) -> Vec<String> {
        let given_up = self.given_up.iter().map(|serial| format!("given up: {serial}, accepted until it expires"));
        std::iter::once(format!("{} keeps: {}", self.organization, self.kept)).chain(given_up).collect()
    }
}

impl Batch<'_> {
    /// Notes which certificate is the organization's own; nothing is signed.
    pub(super) fn settles(&self, args: &ApproveArgs, log: &IssueLog, org: &MspId) -> Result<Outcome> {
        let session = self.approval.session;
        let keep = args.keep.clone().unwrap_or_default();
        let alarm = log.alarm(org).ok_or_else(|| no_alarm(log, org))?;
        let live: Vec<&Entry> = log.unexpired(session.now).filter(|entry| entry.organization == *org).collect();
        if !live.iter().any(|entry| entry.serial == keep) {
            return Err(no_such_certificate(org, &keep, &live));
        }
        for entry in &live {
            let from = times::rfc3339(entry.not_before);
            session.console.say(format!("{}: valid from {from}, key {}", entry.serial, entry.fingerprint));
        }
        let second = times::rfc3339(alarm.time);
        session.console.say(format!("the request that raised the alarm on {second}: key {}", alarm.fingerprint));
        let time = whole_seconds(session.now);
        let record = Record::from(Settlement { time, organization: org.clone(), keep: keep.clone() });
        let plan = Plan::of([self.approval.record_step(&record, &format!("{org} keeps {keep}"))]);
        session.show(&plan)?;
        session.apply(&plan, Some(&format!("settle the alarm of {org}, whose certificate is {keep}")))?;
        let given_up = live.iter().map(|entry| entry.serial.clone()).filter(|serial| *serial != keep).collect();
        let settled = Settled { organization: org.clone(), kept: keep, given_up };
        let lines = settled.lines();
        Ok(commands::outcome(VERB, Stage::Settled, &plan, session).result(&ApproveResult::Settled(settled), lines))
    }
}

fn no_alarm(log: &IssueLog, org: &MspId) -> Failure {
    let open: Vec<String> = log.open_alarms().map(|alarm| alarm.organization.to_string()).collect();
    let why = if open.is_empty() {
        "the issue log has no alarm that is open".to_owned()
    } else {
        format!("there is one of {}", open.join(", "))
    };
    unsigned(Code::NoAlarm, format!("there is no alarm of {org} to settle"))
        .why(why)
        .next("check names every alarm that is open")
}

fn no_such_certificate(org: &MspId, keep: &str, live: &[&Entry]) -> Failure {
    let serials: Vec<&str> = live.iter().map(|entry| entry.serial.as_str()).collect();
    unsigned(Code::NoAlarm, format!("{org} has no certificate {} to keep", excerpt(keep)))
        .why(if serials.is_empty() {
            "all that were issued to it have expired".to_owned()
        } else {
            format!("those that have not expired are {}", serials.join(", "))
        })
        .next("name one of them with --keep; openssl x509 -noout -serial -in ORG.crt shows that of a file")
}
