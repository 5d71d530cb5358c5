//! `ca trust CERT --backend`: a CA that the orchestrator's certificate may come from, and TLS to it where that is asked for.

use super::{
    ca_object, fail,
    trust::{compared, single_ca},
};
use crate::{
    cli::TrustArgs,
    cluster::{Object, ObjectRef},
    commands,
    failure::{Code, Result},
    pki::{
        fingerprint::BadFingerprint,
        inspect::{self, Certificate},
    },
    plan::{Action, Plan, State, Step, StepId},
    release::{
        Options, ReleaseState, UpgradeRequest, ValuesFiles,
        find::{self, ReleaseQuery},
        read,
    },
    report::{Outcome, Stage},
    session::Session,
    substra::{
        Side,
        backend::{self, BackendTrust},
    },
    times,
};

/// Makes or extends the object; values and release only with `--enable-tls`.
///
/// # Errors
/// A certificate that is no single CA, a fingerprint that was not compared, an object that cannot be read.
pub(super) fn run(args: &TrustArgs, session: &Session<'_>) -> Result<Outcome> {
    let options = args.common.options();
    let files = read::files(session, &options, Vec::new)?;
    let trust = read::trust(&files)?;
    // A public CA may vouch for the server too: what it lacks matters to those who sign clients with it.
    let certificate = single_ca(args, session, &[Code::AuthorityNoKeyId, Code::AuthorityUsage])?;
    let cluster = session.cluster()?;
    let found = find::find(cluster, &ReleaseQuery::of(&options, &files, Side::Backend))?;
    let mut wanted = vec![ObjectRef::secret(trust.cacert.as_str()), ObjectRef::config_map(trust.cacert.as_str())];
    wanted.extend(found.workloads());
    let objects = cluster.get(&wanted)?;
    let step = object_step(&found, &objects, &trust, &certificate, session)?;
    let is_known = step.state != State::ToDo && args.fingerprint.is_none();
    let is_compared = is_known || identified(args, session, &certificate)?;
    let mut plan = Plan::of([step]);
    if args.enable_tls {
        plan = plan.then(upgrade(&options, session, &files, &trust, (&found, &objects))?);
    }
    session.say_restarts(&plan, " (the server is away for a moment, sessions end)");
    let tls = if plan.upgrades() { ", dial the orchestrator with TLS alone and upgrade the release" } else { "" };
    let consent = format!("trust {} for the orchestrator{tls}", certificate.subject);
    let open = session.carry_out(&plan, Some(&consent))?;
    let stage = commands::stage(open, session.dry_run, Stage::Trusted);
    let outcome = commands::outcome("ca trust", stage, &plan)
        .fact("object", trust.cacert.as_str())
        .fact("ca", certificate.subject.as_str());
    let fingerprint = is_compared.then(|| certificate.fingerprint().to_string());
    let outcome = fingerprint
        .into_iter()
        .fold(outcome, |outcome, print| outcome.labelled("caFingerprint", "ca fingerprint", print))
        .labelled("caNotAfter", "ca not after", times::rfc3339(certificate.not_after));
    let outcome = commands::handed_over(outcome, &plan);
    Ok(outcome.next(what_follows(args.enable_tls, &options, session, &found, &trust)))
}

fn upgrade(
    options: &Options,
    session: &Session<'_>,
    files: &ValuesFiles,
    trust: &BackendTrust,
    (found, seen): (&ReleaseState, &[Object]),
) -> Result<Plan> {
    let edited = files.edit(&trust.settings())?;
    let (plan, _) = found.plan(&UpgradeRequest {
        session,
        side: Side::Backend,
        options,
        files,
        edited: &edited,
        own: &trust.own_settings(found.config()),
        read: true,
        paths: &backend::OWN_PATHS,
        then: "the backend dials the orchestrator with TLS alone",
    })?;
    Ok(Plan::of(edited.steps).then(plan.with_rollouts_seen(seen)))
}

/// A CA more in the bundle; one that is in it is left. An ended one of the same key goes: grpcio finds the first of a key
/// and looks no further.
fn object_step(
    found: &ReleaseState,
    objects: &[Object],
    trust: &BackendTrust,
    certificate: &Certificate,
    session: &Session<'_>,
) -> Result<Step> {
    let name = &trust.cacert;
    let kind = found.kind_of(name.as_str());
    let kubectl = session.kubectl(&found.release.namespace);
    let delete = kubectl.with("delete").with(&kind.to_string().to_lowercase());
    let title = format!("{kind} {name}: {}", certificate.subject);
    let pem = certificate.to_pem();
    let Some(old) = ObjectRef::of_kind(kind, name.as_str()).among(objects) else {
        let object = ca_object(kind, name, found.name.as_str(), &pem);
        return Ok(Step::to_do(StepId::Cacert, title, Action::Create(object)));
    };
    let held = old.data("ca.crt").map(|pem| pem.to_vec()).unwrap_or_default();
    let there = if held.trim_ascii().is_empty() { Ok(Vec::new()) } else { inspect::certificates(&held) };
    let there = there.map_err(|failure| {
        fail(Code::CacertUnreadable, format!("{kind} {name} holds something that cannot be extended"))
            .why(failure.what)
            .next(format!("keep a copy, then run this again after: {}", delete.word(name)))
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

/// Whoever can put a CA here can pose as the orchestrator: its owner's word is needed, over another channel. A dry run
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
    let typed = console.ask("Fingerprint that the CA's owner read out to you (8 groups): ")?;
    let typed = typed.parse().map_err(|bad: BadFingerprint| {
        let what = format!("{} is not trusted", args.certificate.display());
        bad.typed(what)
    })?;
    compared(args, Some(typed), certificate).map(|()| true)
}

fn what_follows(
    enable_tls: bool,
    options: &Options,
    session: &Session<'_>,
    found: &ReleaseState,
    trust: &BackendTrust,
) -> String {
    let mounted = found.manifest.mount_kind(trust.cacert.as_str()).is_some();
    if enable_tls {
        format!("this backend's own key and request: {}", options.command(session, "enroll"))
    } else if mounted {
        "nothing restarts: the backend reads the object anew for every call, within a minute or two".to_owned()
    } else {
        format!(
            "release {} does not use {} yet: run this again with --enable-tls once the orchestrator has TLS on",
            found.name, trust.cacert
        )
    }
}
