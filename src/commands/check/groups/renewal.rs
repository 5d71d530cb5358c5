//! The renewal of a backend's pair: by the same schedule as `enroll --auto`.

use super::super::{
    catalogue::Check,
    finding::Findings,
    observe::{self, ObservedRelease},
};
use crate::{
    cluster::ObjectRef,
    exchange::{
        enrolment::{LivePair, pending_name},
        renewal::{Schedule, Waiting},
    },
    failure::Next,
    pki::{inspect::Certificate, key::PrivateKey},
    times,
};

/// How the renewal of a backend stands.
pub(in crate::commands::check) struct Renewal {
    pub(in crate::commands::check) live: Certificate,
    /// The request that waits.
    pub(in crate::commands::check) waiting: Option<Waiting>,
    pub(in crate::commands::check) schedule: Schedule,
}

/// Of a backend whose pair was read.
pub(in crate::commands::check) fn renewal(observed: &ObservedRelease) -> Option<Renewal> {
    let backend = observed.backend()?;
    let secret = |name: &str| observed.object(&ObjectRef::secret(name));
    let live = LivePair::read(secret(backend.client_certificate.as_str())?)?.certificate;
    let pending = secret(&pending_name(backend)).filter(|pending| {
        let key = pending.data("tls.key").and_then(|pem| PrivateKey::from_pem(&pem, None).ok());
        key.is_none_or(|key| key.spki() != live.spki)
    });
    let waiting = pending.map(Waiting::of);
    let schedule = Schedule::of(&live, waiting, observed.now);
    Some(Renewal { live, waiting, schedule })
}

pub(super) fn check(observed: &ObservedRelease, findings: &mut Findings) {
    let (Some(backend), Some(Renewal { live, waiting, schedule })) = (observed.backend(), renewal(observed)) else {
        return;
    };
    let end = times::rfc3339(live.not_after);
    let call = || {
        let install = observed.ours("enroll", &observe::answer(backend));
        let words = format!("call the orchestrator's operator for {}.crt, then: ", backend.msp_id);
        match waiting {
            Some(_) => Next::from(words).command(install),
            None => observed.ours("enroll", "").into(),
        }
    };
    let request = waiting.map(Waiting::dated).unwrap_or_default();
    match schedule {
        Schedule::Early(due) => findings.ok(Check::Renewal, format!("due on {}", times::rfc3339(due))),
        Schedule::Waits => findings.ok(Check::Renewal, format!("the request{request} waits for its certificate")),
        // Who wants to be warned before says so with --warn-before.
        Schedule::Due => findings.ok(Check::Renewal, format!("it is due: enroll asks for it; it ends on {end}")),
        Schedule::Overdue(why) => findings.failed(Check::Renewal, format!("{why}; it ends on {end}"), call()),
        Schedule::Ended => findings.failed(Check::Renewal, format!("it ended on {end}"), call()),
    }
}
