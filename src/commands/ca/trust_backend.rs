//! `ca trust CERT --backend`: a CA that the orchestrator's certificate may come from, and TLS to it where that is asked for.

use super::{
    ca_object, fail,
    trust::{compared, single_ca},
};
use crate::{
    cli::TrustArgs,
    cluster::{Object, ObjectRef},
    commands::{
        self, Desk,
        find::{self, Sought},
        hand_over::Left,
        read,
        release::{Chart, Found, Planned, Wish},
    },
    failure::{Code, Exit, Failure, Result},
    pki::inspect::{self, Certificate},
    plan::{Action, State, Step, StepId, edits::ValuesFiles},
    report::{Outcome, Stage},
    substra::backend::{self, Trust},
    times,
};

/// Makes or extends the object; values and release only with `--enable-tls`.
///
/// # Errors
/// A certificate that is no single CA, a fingerprint that was not compared, an object that cannot be read.
pub(super) fn run(args: &TrustArgs, desk: &Desk<'_>) -> Result<Outcome> {
    let files = read::files(&args.common, Vec::new)?;
    let trust = read::trust(&files)?;
    // A public CA may vouch for the server too: what it lacks matters to those who sign clients with it.
    let certificate = single_ca(args, desk, &[Code::AuthorityNoKeyId, Code::AuthorityUsage])?;
    let cluster = desk.cluster()?;
    let found = find::find(cluster, &Sought::of(&args.common, &files, Chart::Backend))?;
    let mut wanted = vec![ObjectRef::secret(trust.cacert.as_str()), ObjectRef::config_map(trust.cacert.as_str())];
    wanted.extend(found.workloads());
    let objects = cluster.get(&wanted)?;
    let step = object_step(&found, &objects, &trust, &certificate, desk)?;
    let is_known = step.state != State::ToDo && args.fingerprint.is_none();
    let is_compared = is_known || identified(args, desk, &certificate)?;
    let mut steps = vec![step];
    let mut warnings = Vec::new();
    let mut left = Left::default();
    if args.enable_tls {
        let planned;
        (planned, left) = upgrade(args, desk, &files, &trust, (&found, &objects), &mut steps)?;
        warnings.extend(planned.warnings);
        steps.extend(planned.steps);
    }
    let upgrades = Step::any_upgrades(&steps);
    let tls = if upgrades { ", dial the orchestrator with TLS alone and upgrade the release" } else { "" };
    let open = desk.carry_out(
        &steps,
        &args.common,
        Some(&format!("trust {} for the orchestrator{tls}", certificate.subject)),
    )?;
    let stage = commands::stage(open, args.common.dry_run, Stage::Trusted);
    let outcome = commands::outcome("ca trust", stage, &steps)
        .fact("object", trust.cacert.as_str())
        .fact("ca", certificate.subject.as_str());
    let fingerprint = is_compared.then(|| certificate.fingerprint().to_string());
    let outcome = fingerprint
        .into_iter()
        .fold(outcome, |outcome, print| outcome.labelled("caFingerprint", "ca fingerprint", print))
        .labelled("caNotAfter", "ca not after", times::rfc3339(certificate.not_after))
        .warnings(warnings);
    let outcome = left.told(outcome, (&args.common, &files, &found), desk, &steps);
    Ok(outcome.next(what_follows(args, desk, &found, &trust)))
}

fn upgrade(
    args: &TrustArgs,
    desk: &Desk<'_>,
    files: &ValuesFiles,
    trust: &Trust,
    (found, seen): (&Found, &[Object]),
    steps: &mut Vec<Step>,
) -> Result<(Planned, Left)> {
    let mut edited = files.edit(&trust.settings())?;
    let (common, own) = (&args.common, trust.own_settings(found.config()));
    let wish = Wish { chart: Chart::Backend, common, files, edited: &edited, own: &own, read: true };
    let planned = found.plan(desk.cluster()?, &wish)?.seen(seen);
    if !planned.restarts.is_empty() {
        desk.console.say(format!(
            "what will restart: {} (the server is away for a moment, sessions end)",
            planned.restarts.join(", ")
        ));
    }
    let then = "the backend dials the orchestrator with TLS alone";
    let left = Left::of(planned.is_left, &edited, &backend::OWN_PATHS, then);
    steps.append(&mut edited.steps);
    Ok((planned, left))
}

/// A CA more in the bundle; one that is in it is left. An ended one of the same key goes: grpcio finds the first of a key
/// and looks no further.
fn object_step(
    found: &Found,
    objects: &[Object],
    trust: &Trust,
    certificate: &Certificate,
    desk: &Desk<'_>,
) -> Result<Step> {
    let name = &trust.cacert;
    let kind = found.kind_of(name.as_str());
    let kubectl = desk.kubectl(&found.release.namespace);
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
    let is_followed = |one: &Certificate| one.spki == certificate.spki && one.not_after < desk.now;
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
fn identified(args: &TrustArgs, desk: &Desk<'_>, certificate: &Certificate) -> Result<bool> {
    let console = &desk.console;
    if args.fingerprint.is_none() && args.common.dry_run {
        console.say("the CA's fingerprint will have to be compared");
        return Ok(false);
    }
    if args.fingerprint.is_some() || !console.interactive {
        return compared(args, args.fingerprint, certificate).map(|()| true);
    }
    console.say(format!("{}: {}", args.certificate.display(), certificate.subject));
    let typed = console.ask("Fingerprint that the CA's owner read out to you (8 groups): ")?;
    let typed = typed.parse().map_err(|_| {
        Failure::new(Exit::Refused, Code::Fingerprint, format!("{} is not trusted", args.certificate.display()))
            .why("what was typed is not a fingerprint: 8 groups of 8 hexadecimal digits")
            .next("run the command again and type the groups as they are read out to you")
    })?;
    compared(args, Some(typed), certificate).map(|()| true)
}

fn what_follows(args: &TrustArgs, desk: &Desk<'_>, found: &Found, trust: &Trust) -> String {
    let mounted = found.manifest.mount_kind(trust.cacert.as_str()).is_some();
    if args.enable_tls {
        format!("this backend's own key and request: {}", desk.ours("enroll", &args.common))
    } else if mounted {
        "nothing restarts: the backend reads the object anew for every call, within a minute or two".to_owned()
    } else {
        format!(
            "release {} does not use {} yet: run this again with --enable-tls once the orchestrator has TLS on",
            found.name, trust.cacert
        )
    }
}
