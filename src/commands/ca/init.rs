//! `ca init`: the CA, the server pair and their objects; TLS goes on, and later the pair is renewed.

use crate::{
    commands,
    commands::ca::InitArgs,
    exchange::{
        ca::{
            Ca, CaRequest, CaSource,
            server::{self, ServerPairPlan},
            set_up::{TlsSetUp, goes_on, set_up},
        },
        unsigned,
    },
    failure::{Code, Result},
    names::ObjectName,
    plan::{Plan, State, StepId},
    release::{Observed, Target, issue_log, read},
    report::{Outcome, Stage},
    session::Session,
    substra::orchestrator::Orchestrator,
    times,
};

/// Makes what is missing, and only that.
///
/// # Errors
/// Another CA in use, a key that cannot be opened, drift, no consent, a child that fails.
pub(super) fn run(args: &InitArgs, session: &Session<'_>) -> Result<Outcome> {
    let source = args.secret.clone().map_or_else(|| CaSource::in_folder(&args.out_dir), CaSource::Secret);
    let (encrypt, passphrase_fd) = (args.encrypt, args.passphrase_fd);
    let request = CaRequest { source, encrypt, passphrase_fd, session };
    let options = args.common.options();
    let target = Target::orchestrator(session, &options, || read::usual(Orchestrator::tls_settings))?;
    let wanted = server::wanted(&target.values).into_iter().chain(request.source.object());
    let state = target.observe(wanted)?;
    secret_is_its_own(args.secret.as_ref(), &state.values)?;
    let mut ca = request.find(&state.cluster, &state.values.cacert)?;
    let set_up = set_up(&state, &args.hosts, &mut ca)?;
    show(session, &ca, &set_up.pair, &set_up.plan);
    session.show(&set_up.plan)?;
    session.apply(&set_up.plan, Some(&consent(&state, &set_up.pair)))?;
    let outcome = commands::handed_over(result(&state, &request.source, &ca, &set_up), &set_up.plan);
    Ok(set_up.by_hand.into_iter().fold(outcome, Outcome::next))
}

/// The CA's key must not get into an object that pods mount.
fn secret_is_its_own(secret: Option<&ObjectName>, orchestrator: &Orchestrator) -> Result<()> {
    let mounted = [&orchestrator.cacert, &orchestrator.server_pair];
    let taken = secret.filter(|name| mounted.contains(name));
    taken.map_or(Ok(()), |name| {
        Err(unsigned(Code::CaSecretName, format!("Secret {name} cannot keep the CA"))
            .why("the orchestrator's pods mount an object of that name, and must not see the CA's key")
            .next("choose another name with --secret"))
    })
}

fn consent(state: &Observed<'_, Orchestrator>, pair: &ServerPairPlan) -> String {
    let release = &state.cluster.release;
    let name = &release.name;
    if goes_on(release) && !state.options.no_upgrade {
        return format!("turn TLS on at release {name}: every backend that still dials in plain text is cut off");
    }
    let restart = if pair.restarts { " and restart its pods with the new server pair" } else { "" };
    format!("set up TLS of release {name}{restart}")
}

fn show(session: &Session<'_>, ca: &Ca<'_>, pair: &ServerPairPlan, plan: &Plan) {
    let say = |text: String| session.console.say(text);
    let (certificate, leaf) = (&ca.certificate, &pair.certificate);
    // What is new is told once it is there: until then it may be thrown away.
    if ca.is_new {
        say("CA of the federation: a new one".to_owned());
    } else {
        say(format!("CA of the federation: {}, until {}", certificate.subject, certificate.not_after.date()));
        say(format!("  key          {}", certificate.fingerprint()));
    }
    let serial = if pair.renewal.is_some() { "a new one".to_owned() } else { format!("serial {}", leaf.serial) };
    say(format!("Server pair: {serial}, until {}", leaf.not_after.date()));
    say(format!("  names        {}", leaf.dns_names.join(", ")));
    if let Some(why) = &pair.renewal {
        say(format!("  new, since   {why}"));
    }
    session.say_restarts(plan, "");
}

fn result(state: &Observed<'_, Orchestrator>, source: &CaSource, ca: &Ca<'_>, set_up: &TlsSetUp) -> Outcome {
    let TlsSetUp { plan, pair, .. } = set_up;
    let is_to_do = |id| plan.steps.iter().any(|step| step.id == id && step.state == State::ToDo);
    let done =
        if is_to_do(StepId::Cacert) || goes_on(&state.cluster.release) { Stage::Initialized } else { Stage::Renewed };
    let (certificate, leaf) = (&ca.certificate, &pair.certificate);
    let (fingerprint, is_new) = (certificate.fingerprint(), ca.is_new);
    let outcome = commands::outcome("ca init", done, plan, state.session)
        .fact("release", state.cluster.release.name.as_str())
        .fact_of(is_new, "ca", "ca", certificate.subject.as_str())
        .fact_of(is_new, "caFingerprint", "ca fingerprint", fingerprint.to_string())
        .fact_of(is_new, "toReadOut", "to read out", fingerprint.groups().join(" "))
        .labelled("caNotAfter", "ca not after", times::rfc3339(certificate.not_after))
        .fact_of(pair.renewal.is_some(), "serverPair", "server pair", leaf.serial.as_str())
        .fact("hosts", leaf.dns_names.clone())
        .labelled("notAfter", "not after", times::rfc3339(leaf.not_after))
        .labelled("backUp", "back up", backups(source));
    if outcome.stage() != Stage::Initialized {
        return outcome;
    }
    let pem = match source {
        CaSource::Files { certificate, .. } => certificate.display().to_string(),
        CaSource::Secret(name) => format!("tls.crt of Secret {name} (never its tls.key)"),
    };
    outcome.next(format!("send {pem} to each backend's operator and read the CA's fingerprint out to them by phone"))
}

/// What must not be lost: who loses the key can admit nobody any more, who loses the log may answer a request twice.
fn backups(source: &CaSource) -> Vec<String> {
    match source {
        CaSource::Files { certificate, key } => vec![
            format!("{} (the CA's key)", key.display()),
            format!("{} (the issue log, once approve has signed)", issue_log::beside(certificate).display()),
        ],
        CaSource::Secret(name) => vec![
            format!("Secret {name} (the CA's key)"),
            format!("ConfigMaps labelled substra-mtls/issue-log={name} (the issue log, once approve has signed)"),
        ],
    }
}
