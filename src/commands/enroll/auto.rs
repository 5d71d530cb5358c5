//! `enroll --auto`: one run of cron. It renews when that is due, installs what has come back, and ends with 0 only while
//! the renewal is on schedule.

use super::{
    EnrollArgs, VERB,
    install::{self, authorities},
    report::{Early, EnrollResult},
    request,
};
use crate::{
    exchange::{
        enrolment::{self, Enrolment},
        installation::CertificateSource,
        renewal::{Answer, Schedule, Vouching, Waiting},
        unwritten,
    },
    failure::{Code, Exit, Failure, Next, Result},
    files::in_folder,
    pki::inspect::Certificate,
    release::Target,
    report::{Outcome, Stage},
    substra::backend::Backend,
    times,
};

pub(super) fn run(args: &EnrollArgs, target: Target<'_, Backend>) -> Result<Outcome> {
    let cluster = target.look(target.find()?, enrolment::wanted(&target.values))?;
    let enrolment = Enrolment::new(target, cluster);
    let Some(live) = &enrolment.live else { return Err(by_hand(args, &enrolment)) };
    let path = in_folder(&args.folder(), &format!("{}.crt", enrolment.backend().msp_id));
    let warning = match enrolment.answer(live, &path, || authorities(args, &enrolment))? {
        Answer::Certificate(source) => return install::renew(args, &enrolment, &source),
        Answer::Ignored(why) => Some(format!("not installed: {why}")),
        Answer::Nothing => None,
    };
    without_answer(args, &enrolment, &live.certificate).map(|outcome| outcome.warnings(warning))
}

fn without_answer(args: &EnrollArgs, enrolment: &Enrolment<'_>, live: &Certificate) -> Result<Outcome> {
    let (now, waiting) = (enrolment.state.session.now, enrolment.waiting());
    match Schedule::of(live, waiting, now) {
        // What a run was cut short in, or a first installation.
        Schedule::Early(_) if !args.renew && (enrolment.pending.is_some() || !enrolment.pair_is_in_use()) => {
            install::renew(args, enrolment, &CertificateSource::Live)
        }
        Schedule::Early(due) if !args.renew => Ok(early(enrolment, live, due)),
        _ => {
            let outcome = request::with_secret(args, enrolment)?;
            let waiting = waiting.unwrap_or(Waiting { since: Some(now) });
            let schedule = Schedule::of(live, Some(waiting), now);
            Ok(match late(enrolment, live, &schedule) {
                Some(failure) => outcome.failed(failure),
                None => outcome,
            })
        }
    }
}

fn early(enrolment: &Enrolment<'_>, live: &Certificate, due: time::OffsetDateTime) -> Outcome {
    let result = EnrollResult::Early(Early::new(enrolment.backend().msp_id.clone(), live, due));
    Outcome::new(VERB, Stage::Already).result(&result, result.lines())
}

/// Nobody but a person can help now.
fn late(enrolment: &Enrolment<'_>, live: &Certificate, schedule: &Schedule) -> Option<Failure> {
    let (org, end) = (&enrolment.backend().msp_id, times::rfc3339(live.not_after));
    let (what, why) = match schedule {
        Schedule::Overdue(why) => {
            (format!("the renewal of {org} is overdue: its certificate {} ends on {end}", live.serial), why.clone())
        }
        Schedule::Ended => {
            let why = "with mutual TLS on, the orchestrator refuses every call of this backend since then";
            (format!("the certificate {} of {org} ended on {end}", live.serial), why.to_owned())
        }
        Schedule::Early(_) | Schedule::Due | Schedule::Waits => return None,
    };
    let read = match enrolment.vouching() {
        Vouching::By(_) => "",
        Vouching::First | Vouching::Cannot(_) => ", and read its fingerprint out",
    };
    let next = format!("call the orchestrator's operator: ask for {org}.crt, which answers {org}.csr{read}");
    Some(
        Failure::new(Exit::CheckFailed, Code::RenewalOverdue, what)
            .why(why)
            .next(next)
            .unchanged("the live pair stays"),
    )
}

/// Nothing vouches for a first certificate, nor for one whose pair is lost.
fn by_hand(args: &EnrollArgs, enrolment: &Enrolment<'_>) -> Failure {
    let target = &enrolment.state.target;
    let name = &enrolment.backend().client_certificate;
    let first = target.options.command(target.session, VERB).option("--hostname", &args.hostname);
    unwritten(Code::NoLivePair, "there is no live pair to renew: the first certificate is asked for by hand")
        .why(format!("Secret {name} holds no pair whose halves fit, so that no key can vouch for a request"))
        .next(Next::from("ask for it, and read its fingerprint out by phone: ").command(first))
}
