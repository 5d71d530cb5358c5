//! The checks, one file a group.

mod identity;
mod keys;
mod live;
mod objects;
mod order;
mod release;
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

pub(super) use self::keys::{authorities, server};

/// Judges everything that was seen: one finding for each check of the side.
pub(in crate::commands) fn check(site: &ObservedRelease, warn_before: WarnBefore) -> Vec<Finding> {
    let mut findings = Findings::default();
    match &site.found {
        Err(failure) if matches!(failure.code, Code::ToolMissing | Code::Child | Code::KubeToken) => {
            findings.failed(Check::Tools, format!("{}: {}", failure.what, failure.why), &failure.next);
        }
        _ => findings.ok(Check::Tools, "helm and kubectl are there"),
    }
    rights::check(site, &mut findings);
    release::check(site, &mut findings);
    values::check(site, &mut findings);
    objects::check(site, &mut findings);
    keys::check(site, warn_before, &mut findings);
    identity::check(site, &mut findings);
    order::check(site, &mut findings);
    live::check(site, &mut findings);
    findings.of_side(site.side)
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
