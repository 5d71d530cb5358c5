//! The checks, one file a group.

mod identity;
mod keys;
mod live;
mod log;
mod objects;
mod order;
mod release;
mod renewal;
pub(super) mod rights;
mod values;

use crate::failure::Code;
use time::OffsetDateTime;

use super::{
    catalogue::Check,
    finding::{Finding, Findings},
    observe::ObservedRelease,
};
use crate::{commands::check::WarnBefore, pki::inspect::Certificate, text::count};

pub(super) use self::{
    keys::{authorities, server},
    renewal::{Renewal, renewal},
};

/// Judges everything that was seen: one finding for each check of the side.
pub(in crate::commands) fn check(observed: &ObservedRelease, warn_before: WarnBefore) -> Vec<Finding> {
    let mut findings = Findings::default();
    match &observed.release {
        Err(failure) if matches!(failure.code, Code::ToolMissing | Code::Child | Code::KubeToken) => {
            findings.failed(Check::Tools, format!("{}: {}", failure.what, failure.why), &failure.next);
        }
        _ => findings.ok(Check::Tools, "helm and kubectl are there"),
    }
    rights::check(observed, &mut findings);
    release::check(observed, &mut findings);
    values::check(observed, &mut findings);
    objects::check(observed, &mut findings);
    keys::check(observed, warn_before, &mut findings);
    renewal::check(observed, &mut findings);
    identity::check(observed, &mut findings);
    order::check(observed, &mut findings);
    live::check(observed, &mut findings);
    findings.of_side(observed.side)
}

/// Whether a certificate is so near to its end that it is warned of.
fn is_near_its_end(certificate: &Certificate, warn_before: WarnBefore, now: OffsetDateTime) -> bool {
    let life = certificate.not_after - certificate.not_before;
    let before = match warn_before {
        WarnBefore::Part(part) => life * i32::from(part) / 100,
        WarnBefore::Time(time) => time::Duration::try_from(time).unwrap_or(life),
    };
    now > certificate.not_after - before
}

/// `42 days left, until 2026-01-02`.
fn time_left(certificate: &Certificate, now: OffsetDateTime) -> String {
    let days = (certificate.not_after - now).whole_days();
    format!("{days} day{} left, until {}", if days == 1 { "" } else { "s" }, certificate.not_after.date())
}
