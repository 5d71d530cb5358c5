//! `ca trust CERT --backend`: a CA that the orchestrator's certificate may come from, and TLS to it where that is asked for.

use super::{
    trust::{compared, single_ca},
    trusted::{Dials, Trusted},
};
use crate::{
    cluster::ObjectRef,
    commands,
    commands::ca::TrustArgs,
    exchange::{ca::ca_object, state::Holds, unsigned},
    failure::{Code, Next, Result},
    pki::{
        fingerprint::BadFingerprint,
        inspect::{self, Certificate},
    },
    plan::{Action, InitialState, Plan, Step, StepId},
    release::{Observed, Target},
    report::{Outcome, Stage},
    session::Session,
    substra::backend::{self, BackendTrust},
};

/// Makes or extends the object; values and release only with `--enable-tls`.
///
/// # Errors
/// A certificate that is no single CA, a fingerprint that was not compared, an object that cannot be read.
pub(super) fn run(args: &TrustArgs, session: &Session<'_>) -> Result<Outcome> {
    let options = args.common.options();
    let target = Target::trust(session, &options)?;
    // A public CA may vouch for the server too: what it lacks matters to those who sign clients with it.
    let certificate = single_ca(args, session, &[Code::AuthorityNoKeyId, Code::AuthorityUsage])?;
    let name = &target.values.cacert.clone();
    let state = target.observe([ObjectRef::secret(name.as_str()), ObjectRef::config_map(name.as_str())])?;
    let step = object_step(&state, &certificate)?;
    let is_known = step.state != InitialState::ToDo && args.fingerprint.is_none();
    let is_compared = is_known || identified(args, session, &certificate)?;
    let plan = Plan::of([step]).then(if args.enable_tls { upgrade(&state)? } else { Plan::default() });
    session.say_restarts(&plan, " (brief downtime; users are logged out)");
    session.show(&plan)?;
    let tls = if plan.upgrades() { ", use TLS to the orchestrator from now on and upgrade the release" } else { "" };
    session.apply(&plan, Some(&format!("trust {} for the orchestrator{tls}", certificate.subject)))?;
    let outcome = commands::outcome("ca trust", Stage::Trusted, &plan, session);
    let dials = if args.enable_tls {
        Dials::new(true, Holds::of(outcome.stage(), !options.no_upgrade))
    } else {
        Dials::new(state.cluster.release.config()["orchestrator"]["tls"]["enabled"] == true, Holds::Now)
    };
    let trusted = Trusted::new(None, name, &certificate, is_compared, Some(dials));
    let outcome = outcome.result(&trusted, trusted.lines());
    Ok(commands::handed_over(outcome, &plan).next(what_follows(args.enable_tls, &state)))
}

/// TLS to the orchestrator, in the values and the release.
fn upgrade(state: &Observed<'_, BackendTrust>) -> Result<Plan> {
    let edited = state.files.edit(&state.values.settings())?;
    let own = state.values.own_settings(state.cluster.release.config());
    let then = "the backend dials the orchestrator only with TLS";
    let (plan, _) = state.cluster.release.plan(&state.upgrade(&edited, &own, &backend::OWN_PATHS, then))?;
    Ok(Plan::of(edited.steps).then(plan.with_rollouts_seen(&state.cluster.objects)))
}

/// A CA more in the bundle; one that is in it is left. An ended one of the same key goes: grpcio finds the first of a key
/// and looks no further.
fn object_step(state: &Observed<'_, BackendTrust>, certificate: &Certificate) -> Result<Step> {
    let (release, session, trust) = (&state.cluster.release, state.session, &state.values);
    let name = &trust.cacert;
    let kind = release.kind_of(name.as_str());
    let kubectl = session.kubectl(&release.record.namespace);
    let delete = kubectl.with("delete").with(&kind.to_string().to_lowercase());
    let title = format!("{kind} {name}: {}", certificate.subject);
    let pem = certificate.to_pem();
    let Some(old) = state.cluster.object(&ObjectRef::of_kind(kind, name.as_str())) else {
        let object = ca_object(kind, name, release.name.as_str(), &pem);
        return Ok(Step::to_do(StepId::Cacert, title, Action::Create(object)));
    };
    let held = old.data("ca.crt").map(|pem| pem.to_vec()).unwrap_or_default();
    let there = if held.trim_ascii().is_empty() { Ok(Vec::new()) } else { inspect::certificates(&held) };
    let there = there.map_err(|failure| {
        unsigned(Code::CacertUnreadable, format!("{kind} {name} holds something that cannot be extended"))
            .why(failure.what)
            .next(Next::from("keep a copy, then run this again after: ").command(delete.word(name)))
    })?;
    let is_followed = |one: &Certificate| one.spki == certificate.spki && one.not_after < session.now;
    let mut bundle = if there.iter().any(is_followed) {
        there.iter().filter(|one| !is_followed(one)).map(Certificate::to_pem).collect::<String>().into_bytes()
    } else {
        held.clone()
    };
    bundle.truncate(bundle.trim_ascii_end().len());
    if !bundle.is_empty() {
        bundle.push(b'\n');
    }
    bundle.extend_from_slice(pem.as_bytes());
    let known = there.iter().any(|one| one.der == certificate.der);
    Ok(Step::to_do(StepId::Cacert, title, Action::Replace(old.with_data(&[("ca.crt", &bundle)]))).already_if(known))
}

/// Anyone who can put a CA here can pose as the orchestrator: its owner's word is needed, over another channel. A dry run
/// only says so, and is told that nobody has compared it yet.
fn identified(args: &TrustArgs, session: &Session<'_>, certificate: &Certificate) -> Result<bool> {
    let console = &session.console;
    if args.fingerprint.is_none() && session.dry_run {
        console.say("the CA's fingerprint will have to be compared");
        return Ok(false);
    }
    if args.fingerprint.is_some() || !console.interactive {
        return compared(args, args.fingerprint, certificate).map(|()| true);
    }
    console.say(format!("{}: {}", args.certificate.display(), certificate.subject));
    let question = "Fingerprint that the CA's owner read out to you (8 groups): ";
    let typed = console.ask_for(question)?.map_err(|bad: BadFingerprint| {
        let what = format!("{} is not trusted", args.certificate.display());
        bad.typed(what)
    })?;
    compared(args, Some(typed), certificate).map(|()| true)
}

fn what_follows(enable_tls: bool, state: &Observed<'_, BackendTrust>) -> Next {
    let (release, name) = (&state.cluster.release, &state.values.cacert);
    if enable_tls {
        let enroll = state.options.command(state.session, "enroll");
        Next::from("this backend's own key and request: ").command(enroll)
    } else if release.manifest.mount_kind(name.as_str()).is_some() {
        "nothing restarts: the backend reads the object again for every call, within a minute or two".into()
    } else {
        format!(
            "release {} does not use {name} yet: run this again with --enable-tls once the orchestrator has TLS on",
            release.name
        )
        .into()
    }
}
