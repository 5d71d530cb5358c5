//! What the proof of a renewal is worth at this orchestrator, and the alarm where one key vouches for two requests.

use super::approval::Approval;
use crate::{
    cluster::ObjectRef,
    failure::Result,
    pki::{
        authority::Authority,
        inspect::{self, Certificate},
        issue::whole_seconds,
        log::{Alarm, IssueLog, Record},
        policy::proof::{self, Predecessor},
        request::Request,
    },
    plan::Plan,
};

impl Approval<'_> {
    /// Whether the key of the certificate before vouches for a request; `None` where it comes without a proof.
    pub(crate) fn vouching(
        &self,
        authority: &Authority,
        log: &IssueLog,
        request: &Request,
    ) -> Option<Result<Predecessor>> {
        let proof = request.proof.as_ref()?;
        let pool = self.pool(authority);
        Some(self.with_circumstances(authority, log, |context| proof::vouches(request, proof, context, &pool)))
    }

    /// The CAs that the orchestrator accepts, as far as it is looked at: the one that signs, and those of its object.
    fn pool(&self, authority: &Authority) -> Vec<Certificate> {
        let name = self.object.as_str();
        let seen = [ObjectRef::secret(name), ObjectRef::config_map(name)];
        let held = seen.iter().filter_map(|wanted| self.seen(wanted)?.data("ca.crt"));
        let held = held.filter_map(|pem| inspect::certificates(&pem).ok()).flatten();
        std::iter::once(authority.certificate().clone()).chain(held).collect()
    }

    /// Notes an alarm for each request that came second, unless its alarm is there; not in a dry run.
    ///
    /// # Errors
    /// The log cannot be written.
    pub(crate) fn raise(&self, log: &IssueLog, second: &[Request]) -> Result<()> {
        let alarms: Vec<Alarm> = second.iter().filter_map(|request| self.alarm(log, request)).collect();
        let is_noted = |alarm: &&Alarm| log.open_alarms().any(|open| open.request == alarm.request);
        let steps = alarms.iter().filter(|alarm| !is_noted(alarm)).map(|alarm| {
            let title = format!("alarm: two requests of {} came with one proof", alarm.organization);
            self.record_step(&Record::from(alarm.clone()), &title)
        });
        let plan = Plan::of(steps);
        if self.session.dry_run { Ok(()) } else { self.session.perform(&plan) }
    }

    fn alarm(&self, log: &IssueLog, request: &Request) -> Option<Alarm> {
        let predecessor = &request.proof.as_ref()?.signer.serial;
        Some(Alarm {
            time: whole_seconds(self.session.now),
            organization: request.msp_id.clone(),
            predecessor: predecessor.clone(),
            successor: log.successor(predecessor)?.serial.clone(),
            request: request.digest,
            fingerprint: request.fingerprint,
        })
    }
}
