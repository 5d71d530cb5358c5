//! The second run of `enroll`: the certificate that came back is verified and put into place.

use super::{
    VERB, answer,
    report::{EnrollResult, Installed, Proof},
};
use crate::{
    commands,
    commands::enroll::EnrollArgs,
    exchange::{
        enrolment::{Enrolment, pending_name},
        installation::{CertificateSource, ClientPair, UpgradePreview},
        state::Holds,
    },
    failure::Result,
    files,
    names::MspId,
    pki::{
        fingerprint::Fingerprint,
        inspect::{self, Certificate},
        key::PrivateKey,
    },
    plan::{Plan, Step},
    report::{Outcome, Stage},
    times,
};

pub(super) fn install(
    args: &EnrollArgs,
    enrolment: &Enrolment<'_>,
    source: &CertificateSource<'_>,
    preview: Result<UpgradePreview>,
) -> Result<Outcome> {
    let pair = enrolment.judged(source, &authorities(args, enrolment)?)?;
    let plan = enrolment.installation(Some(&pair), preview?)?;
    put_in_place(args, enrolment, &pair, &plan)
}

/// The Secret alone, where the deployed release presents what is in it: what else the values files say is no matter of a
/// renewal. Else the whole installation.
pub(super) fn renew(args: &EnrollArgs, enrolment: &Enrolment<'_>, source: &CertificateSource<'_>) -> Result<Outcome> {
    if !enrolment.pair_is_in_use() {
        let preview = UpgradePreview::of(&enrolment.state.target, &enrolment.state.cluster.release, true);
        return install(args, enrolment, source, preview);
    }
    let pair = enrolment.judged(source, &authorities(args, enrolment)?)?;
    put_in_place(args, enrolment, &pair, &enrolment.replacement(&pair)?)
}

fn put_in_place(args: &EnrollArgs, enrolment: &Enrolment<'_>, pair: &ClientPair, plan: &Plan) -> Result<Outcome> {
    let session = enrolment.state.session;
    show_certificate(enrolment, pair, plan);
    session.show(plan)?;
    session.apply(plan, Some(&consent(enrolment, plan)))?;
    let outcome = commands::handed_over(installed(enrolment, pair, plan), plan);
    let Some(warning) = waiting(enrolment, pair) else { return Ok(with_message(enrolment, pair, outcome)) };
    let outcome = if outcome.stage() == Stage::Already { outcome } else { with_message(enrolment, pair, outcome) };
    Ok(outcome.warnings([warning]).next(answer(args, &enrolment.state.target)))
}

/// The CA that the certificate must come from: the cluster's, or the one that `--client-ca` names.
pub(super) fn authorities(args: &EnrollArgs, enrolment: &Enrolment<'_>) -> Result<Vec<Certificate>> {
    let Some(path) = &args.client_ca else { return enrolment.authorities() };
    // The other preconditions hold for this case too.
    if enrolment.backend().cacert.is_some() {
        enrolment.authorities()?;
    }
    inspect::certificates(&files::read(path)?)
}

fn consent(enrolment: &Enrolment<'_>, plan: &Plan) -> String {
    let release = &enrolment.state.cluster.release.name;
    let upgrade = if plan.upgrades() { format!(" and upgrade release {release}") } else { String::new() };
    format!("install the pair of {}{upgrade}", enrolment.backend().msp_id)
}

fn show_certificate(enrolment: &Enrolment<'_>, pair: &ClientPair, plan: &Plan) {
    let say = |text: String| enrolment.state.session.console.say(text);
    let (certificate, org) = (&pair.certificate, &enrolment.backend().msp_id);
    say(format!("Certificate of {org}: serial {}, issued by {}", certificate.serial, certificate.issuer));
    let (from, to) = (times::rfc3339(certificate.not_before), times::rfc3339(certificate.not_after));
    say(format!("  valid from {from} to {to}"));
    if !plan.restarts.is_empty() {
        let restarts = plan.restarts.join(", ");
        say(format!("  will restart: {restarts} (brief downtime; users are logged out)"));
    }
}

fn installed(enrolment: &Enrolment<'_>, pair: &ClientPair, plan: &Plan) -> Outcome {
    let org = &enrolment.backend().msp_id;
    let outcome = commands::outcome(VERB, Stage::Installed, plan, enrolment.state.session);
    let holds = Holds::of(outcome.stage(), !enrolment.state.options.no_upgrade);
    let proof = (outcome.stage() != Stage::Planned).then(|| proof(org, plan));
    let installed = EnrollResult::Installed(Installed::new(org.clone(), &pair.certificate, proof, holds));
    outcome.result(&installed, installed.lines())
}

fn proof(org: &MspId, plan: &Plan) -> Proof {
    let judged = format!("the certificate is from the cluster's CA, names {org} and fits its key");
    let proven = std::iter::once(judged).chain(plan.steps.iter().filter_map(Step::proven)).collect::<Vec<_>>();
    let not_proven = "that the orchestrator lets it in: check --live shows that, once the gate is closed";
    Proof { proven: proven.join("; "), not_proven }
}

/// A newer request than this certificate answers: it would be taken for the renewal.
fn waiting(enrolment: &Enrolment<'_>, pair: &ClientPair) -> Option<String> {
    let key = PrivateKey::from_pem(&enrolment.pending.as_ref()?.data("tls.key")?, None).ok()?;
    (key.spki() != pair.key.spki()).then(|| {
        format!(
            "the certificate with serial {} answers an earlier request: the last one, of key {}, still waits in Secret {}",
            pair.certificate.serial,
            Fingerprint::of_spki(key.spki()),
            pending_name(enrolment.backend())
        )
    })
}

/// What the orchestrator's operator waits for.
fn with_message(enrolment: &Enrolment<'_>, pair: &ClientPair, outcome: Outcome) -> Outcome {
    let (org, serial) = (&enrolment.backend().msp_id, &pair.certificate.serial);
    outcome.next(format!("tell the orchestrator's operator: \"{org} is installed, serial {serial}\""))
}
