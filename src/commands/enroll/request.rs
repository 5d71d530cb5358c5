//! The first run of `enroll`: a key, a certificate signing request, and where both wait.

use std::path::Path;

use super::{
    VERB, answer,
    report::{EnrollResult, Requested, WaitsBeside},
};
use crate::{
    cluster::Object,
    commands,
    commands::enroll::EnrollArgs,
    exchange::{
        enrolment::{Enrolment, pending_name},
        installation::{MSP_ID_LABEL, RELEASE_LABEL, read_key},
        renewal::{REQUESTED, Schedule, Vouching, Waiting},
        unwritten,
    },
    failure::{Code, Result},
    files::{self, in_folder, target::FilesInUse},
    pki::{key::PrivateKey, request},
    plan::{Action, Plan, Step, StepId},
    release::Target,
    report::{Outcome, Stage},
    substra::backend::Backend,
    times,
};

/// The key in a file of its own; no cluster, helm or kubectl.
pub(super) fn with_key_file(args: &EnrollArgs, target: &Target<'_, Backend>, path: &Path) -> Result<Outcome> {
    let backend = &target.values;
    let (key, is_new) = key_of_file(args, path)?;
    let csr = request::create(&key, &backend.msp_id, &backend.host)?;
    let title = format!("private key in {} (mode 0600)", path.display());
    let key_step = Step::to_do(StepId::Key, title, Action::KeyFile { path: path.to_owned(), pem: key.to_pem() });
    let plan = Plan::of([key_step.already_if(!is_new), csr_step(args, target, csr.as_bytes())?]);
    let warning = (!backend.tls_enabled).then(|| no_tls(target, "by these values files, the backend"));
    let made = Made { key, is_new, vouching: Vouching::First, waits: None, presents: backend.mtls_enabled };
    finish(args, target, &made, &plan.warn(warning))
}

fn key_of_file(args: &EnrollArgs, path: &Path) -> Result<(PrivateKey, bool)> {
    if files::read_if_there(path)?.is_none() {
        files::probe_folder(path.parent().unwrap_or(Path::new("")))?;
        return Ok((PrivateKey::generate(args.key_type)?, true));
    }
    Ok((read_key(path)?, false))
}

/// The key in a Secret of the release's namespace: it never touches a disk.
pub(super) fn with_secret(args: &EnrollArgs, enrolment: &Enrolment<'_>) -> Result<Outcome> {
    let (target, backend) = (&enrolment.state.target, enrolment.backend());
    let release = &enrolment.state.cluster.release.name;
    let no_tls = (!enrolment.dials_tls()).then(|| no_tls(target, &format!("release {release}")));
    let presents = enrolment.presents_pair();
    let warnings = other_organization(enrolment).into_iter().chain(no_tls);
    let reuse = enrolment.pending.as_ref().filter(|_| !args.new_request && !enrolment.pending_is_live());
    let vouching = enrolment.vouching();
    if let Some(pending) = reuse {
        let (key, there) = pending_request(backend, pending)?;
        let csr = vouching.add_to(&there)?;
        let has_proof = csr == there;
        let title = pending_title(backend) + if has_proof { "" } else { ", and the proof of the live key" };
        let action = Action::Replace(pending.with_data(&[("request.csr", &csr)]));
        let secret = Step::to_do(StepId::Pending, title, action).already_if(has_proof);
        let plan = Plan::of([secret, csr_step(args, target, &csr)?]).warn(warnings);
        return finish(
            args,
            target,
            &Made { key, is_new: false, vouching, waits: waits(enrolment, false), presents },
            &plan,
        );
    }
    let key = PrivateKey::generate(args.key_type)?;
    let csr = vouching.add_to(request::create(&key, &backend.msp_id, &backend.host)?.as_bytes())?;
    let action = pending_secret_action(enrolment, &key, &csr);
    let secret = Step::to_do(StepId::Pending, pending_title(backend), action);
    let warnings = warnings.chain(second_successor(enrolment, &vouching));
    let plan = Plan::of([secret, csr_step(args, target, &csr)?]).warn(warnings);
    finish(args, target, &Made { key, is_new: true, vouching, waits: waits(enrolment, true), presents }, &plan)
}

/// How long the request waits already, and how long it may.
fn waits(enrolment: &Enrolment<'_>, is_new: bool) -> Option<WaitsBeside> {
    let (live, now) = (&enrolment.live.as_ref()?.certificate, enrolment.state.session.now);
    let new = || Waiting { since: Some(now) };
    let waiting = enrolment.waiting().filter(|_| !is_new).unwrap_or_else(new);
    Some(WaitsBeside::new(waiting.since, live.not_after, &Schedule::of(live, Some(waiting), now)))
}

/// A certificate vouches for one successor: the request that is given up may have been signed.
fn second_successor(enrolment: &Enrolment<'_>, vouching: &Vouching<'_>) -> Option<String> {
    let Vouching::By(live) = vouching else { return None };
    let before = enrolment.pending.as_ref().filter(|_| !enrolment.pending_is_live())?.data("request.csr")?;
    let serial = &live.certificate.serial;
    (request::voucher(&before)? == live.certificate).then(|| {
        format!(
            "certificate {serial} vouched for the request before this one too: if that one was signed, this one is refused until its fingerprint is read out by phone"
        )
    })
}

/// The files of another organization's backend; the second run would be refused for the drift.
fn other_organization(enrolment: &Enrolment<'_>) -> Option<String> {
    let release = &enrolment.state.cluster.release;
    let deployed = release.config()["orchestrator"]["mspID"].as_str()?;
    let (name, ours) = (&release.name, &enrolment.backend().msp_id);
    (deployed != ours.as_str()).then(|| {
        format!("release {name} is deployed with orchestrator.mspID {deployed}, and these values files are of {ours}")
    })
}

/// The second run would be refused for it, after mail and phone.
fn no_tls(target: &Target<'_, Backend>, who: &str) -> String {
    let trust = target.options.command(target.session, "ca trust orchestrator-ca.crt --backend --enable-tls");
    format!("{who} does not use TLS to the orchestrator yet, without which no certificate can be installed: {trust}")
}

fn pending_title(backend: &Backend) -> String {
    format!("Secret {}: key and request", pending_name(backend))
}

/// A new pending Secret; over an old one, whose key is kept in case that its certificate comes after all.
fn pending_secret_action(enrolment: &Enrolment<'_>, key: &PrivateKey, csr: &[u8]) -> Action {
    let backend = enrolment.backend();
    let requested = times::rfc3339(enrolment.state.session.now);
    let dated = |secret: Object| secret.with_annotation(REQUESTED, Some(&requested));
    let pem = key.to_pem();
    let mut data = vec![("tls.key", pem.as_bytes()), ("request.csr", csr)];
    let old = enrolment.pending.as_ref().and_then(|secret| Some((secret, secret.data("tls.key")?)));
    if let Some((secret, old_pem)) = &old {
        let name = earlier_name(secret);
        data.push((&name, old_pem));
        return Action::Replace(dated(secret.with_data(&data)));
    }
    let labels =
        [(RELEASE_LABEL, enrolment.state.cluster.release.name.as_str()), (MSP_ID_LABEL, backend.msp_id.as_str())];
    Action::Create(dated(Object::secret(&pending_name(backend), "Opaque", &labels, &data)))
}

/// The request that waits, if it is for this organization and this host.
fn pending_request(backend: &Backend, pending: &Object) -> Result<(PrivateKey, Vec<u8>)> {
    let name = pending_name(backend);
    let spoilt = |why: &str| {
        unwritten(Code::Pending, format!("Secret {name} does not hold a request of ours"))
            .why(why.to_owned())
            .next("look at it; if nobody needs it, start over with --new-request")
    };
    let pem = pending.data("tls.key").ok_or_else(|| spoilt("it has no item tls.key"))?;
    let key = PrivateKey::from_pem(&pem, None).map_err(|e| spoilt(&format!("its tls.key cannot be read: {e}")))?;
    let csr = pending.data("request.csr").ok_or_else(|| spoilt("it has no item request.csr"))?;
    // Made again from the same key and today's values, the request must be the same.
    let meant = request::create(&key, &backend.msp_id, &backend.host)?;
    if request::digest(&csr) != request::digest(meant.as_bytes()) {
        return Err(unwritten(
            Code::PendingOther,
            format!("the request in Secret {name} is for other names than the values have now"),
        )
        .why(format!("the values say organization {} and host {}", backend.msp_id, backend.host))
        .next("put the values back, or ask for a certificate with these names with --new-request"));
    }
    Ok((key, csr.to_vec()))
}

/// The request's file; the same request already there is left as it is, since its signature may differ. One with a proof
/// is put there to the byte.
fn csr_step(args: &EnrollArgs, target: &Target<'_, Backend>, csr: &[u8]) -> Result<Step> {
    let backend = &target.values;
    let path = in_folder(&args.folder(), &format!("{}.csr", backend.msp_id));
    files::probe_folder(&args.folder())?;
    let key = args.key_file.iter().map(|path| (path.clone(), "the private key"));
    let values = target.options.values.iter().map(|path| (path.clone(), "a values file"));
    FilesInUse::new(key.chain(values)).spare(&path)?;
    let there = files::read_if_there(&path)?;
    let digest = there.as_ref().and_then(|there| request::digest(there));
    let asks_the_same = digest.is_some() && digest == request::digest(csr);
    let is_whole = request::voucher(csr).is_none() || there.as_ref().is_some_and(|there| there.as_slice() == csr);
    let same = asks_the_same && is_whole;
    let org = backend.msp_id.as_str();
    let replaces = match there.filter(|_| !asks_the_same).map(|there| request::organization(&there)) {
        None => "",
        Some(of) if of.as_deref() == Some(org) => ", replaces another request of yours",
        Some(_) => return Err(files::target::foreign(&path, &format!("no request of {org}"))),
    };
    let title = format!("certificate signing request in {}{replaces}", path.display());
    Ok(Step::to_do(StepId::Request, title, Action::Publish { path, bytes: csr.to_vec() }).already_if(same))
}

/// A request, as it is sent.
struct Made<'a> {
    key: PrivateKey,
    /// Whether the key is made by this run.
    is_new: bool,
    vouching: Vouching<'a>,
    /// What it waits beside: the live pair.
    waits: Option<WaitsBeside>,
    /// Whether the backend presents a pair already.
    presents: bool,
}

fn finish(args: &EnrollArgs, target: &Target<'_, Backend>, made: &Made<'_>, plan: &Plan) -> Result<Outcome> {
    target.session.show(plan)?;
    target.session.apply(plan, None)?;
    let (backend, org) = (&target.values, &target.values.msp_id);
    let path = in_folder(&args.folder(), &format!("{org}.csr")).display().to_string();
    let outcome = commands::outcome(VERB, Stage::Requested, plan, target.session);
    // A new key that is only planned is thrown away: nobody is told its numbers.
    let is_kept = !made.is_new || outcome.stage() != Stage::Planned;
    let voucher = match &made.vouching {
        Vouching::By(live) => Some(&live.certificate),
        Vouching::First | Vouching::Cannot(_) => None,
    };
    let requested = EnrollResult::Requested(Requested {
        organization: org.clone(),
        host: backend.host.clone(),
        request: path.clone(),
        key: is_kept.then(|| made.key.fingerprint().into()),
        vouched_for_by: voucher.map(|voucher| voucher.serial.clone()),
        waits: made.waits.clone(),
        mutual_tls: made.presents,
    });
    let outcome = outcome.result(&requested, requested.lines());
    Ok(outcome.next(send(&path, &made.vouching)).next(answer(args, target)))
}

/// How the request reaches its signer.
fn send(path: &str, vouching: &Vouching<'_>) -> String {
    let (send, read) =
        (format!("send {path} to the orchestrator's operator"), "read the fingerprint out to them by phone");
    match vouching {
        Vouching::By(live) => {
            let serial = &live.certificate.serial;
            format!("{send}; no phone call is needed: the key of certificate {serial} vouches for it")
        }
        Vouching::First => format!("{send}, and {read}"),
        Vouching::Cannot(why) => format!("{send}, and {read}: no key vouches for it ({why})"),
    }
}

/// Under which name an earlier key is kept beside the new one: unlike any other that is there.
fn earlier_name(secret: &Object) -> String {
    let taken = secret.keys();
    // One more name than there are keys: one of them is free.
    (1..=taken.len() + 1)
        .map(|n| format!("earlier-{n}.key"))
        .find(|name| !taken.contains(&name.as_str()))
        .unwrap_or_default()
}
