//! `ca trust CERT --for ORG`: another authority for an organization, in an object of its own under its own key.

use super::trusted::Trusted;
use crate::{
    cluster::ObjectRef,
    commands,
    commands::ca::TrustArgs,
    exchange::{NOT_SIGNED, ca::ca_object, unsigned},
    failure::{Code, Exit, Failure, Result},
    files,
    names::{BadName, MspId, ObjectName},
    pki::{
        authority,
        fingerprint::Fingerprint,
        inspect::{self, Certificate},
        log::IssueLog,
        policy::{self, PolicyContext},
    },
    plan::{Action, Plan, Step, StepId},
    release::{ClusterState, Observed, Target, mounts},
    report::{Outcome, Stage},
    session::Session,
    substra::{
        kebab::kebab_case,
        orchestrator::{self, Orchestrator},
    },
};

/// Puts the CA into its object and the object under the organization's key.
///
/// # Errors
/// A certificate that is no single CA, an organization that cannot be a key, an object that holds something else.
pub(super) fn run(args: &TrustArgs, session: &Session<'_>) -> Result<Outcome> {
    let options = args.common.options();
    let target = Target::orchestrator(session, &options, Vec::new)?;
    let certificate = single_ca(args, session, &[Code::AuthorityNotSelfSigned])?;
    if args.fingerprint.is_some() {
        compared(args, args.fingerprint, &certificate)?;
    }
    let org = organization(args, &target.values, session.now)?;
    let name = object_name(args, &org)?;
    let mut wanted = vec![ObjectRef::secret(name.as_str()), ObjectRef::config_map(name.as_str())];
    if target.values.mtls_enabled {
        wanted.extend(mounts::wanted(&target.values));
    }
    let is_on = target.values.mtls_enabled;
    let state = target.observe(wanted)?;
    let danger = orchestrator::danger(&certificate.subject, Some(org.as_str()));
    let plan = plan(state, &org, &name, &certificate, &danger)?;
    show(session, &certificate, &danger, &plan);
    session.show(&plan)?;
    session.apply(&plan, Some(&format!("trust this CA for {org} ({danger})")))?;
    let trusted = Trusted::new(Some(&org), &name, &certificate, true, None);
    let outcome = commands::outcome("ca trust", Stage::Trusted, &plan, session).result(&trusted, trusted.lines());
    let outcome = commands::handed_over(outcome, &plan);
    Ok(if is_on {
        outcome
    } else {
        outcome.next(
            "mutual TLS is off at the orchestrator: only the values file has changed, until gate close turns it on",
        )
    })
}

/// The CA's object, and then its name under the organization's key.
fn plan(
    mut state: Observed<'_, Orchestrator>,
    org: &MspId,
    name: &ObjectName,
    certificate: &Certificate,
    danger: &str,
) -> Result<Plan> {
    let step = object_step(&state.cluster, name, certificate)?;
    state.cluster.objects.extend(step.new_object().cloned());
    let own = state.values.admit_settings(std::slice::from_ref(org), name);
    let edited = state.files.edit(&own)?;
    let upgrade = state.admission(&state.cluster, &edited, &own)?;
    Ok(Plan::of([step]).warn([danger.to_owned()]).then(Plan::of(edited.steps)).then(upgrade))
}

/// The one CA of the file, checked as far as somebody else signs with it; `passed_over` are findings that do not matter.
pub(super) fn single_ca(args: &TrustArgs, session: &Session<'_>, passed_over: &[Code]) -> Result<Certificate> {
    let path = args.certificate.display();
    let of_file = |failure: Failure| Failure { what: format!("{path}: {}", failure.what), ..failure };
    let mut found = inspect::certificates(&files::read(&args.certificate)?).map_err(of_file)?;
    let count = found.len();
    let (Some(certificate), true) = (found.pop(), count == 1) else {
        return Err(Failure::new(Exit::Refused, Code::TrustBundle, format!("{path} holds {count} certificates"))
            .why("only the first would count for the identity check, and all of them for TLS")
            .next("give a file with only the CA's own certificate, each CA by a run of its own"));
    };
    let ask = "ask the owner of this CA for a root certificate that is fit for it";
    let findings = authority::faults(&certificate, session.now).into_iter();
    // What else is wrong with a certificate that is no CA does not matter.
    let findings = findings.filter(|finding| {
        !passed_over.contains(&finding.code) && (certificate.is_ca || finding.code == Code::AuthorityNotACa)
    });
    let findings: Vec<Failure> = findings.map(|finding| Failure { next: ask.into(), ..finding }).collect();
    session.refuse(findings, NOT_SIGNED).map(|()| certificate)
}

/// Whether the fingerprint that was given is that of the CA.
pub(super) fn compared(args: &TrustArgs, given: Option<Fingerprint>, certificate: &Certificate) -> Result<()> {
    let path = args.certificate.display();
    let refuse = |why: String, next: &str| {
        Err(Failure::new(Exit::Refused, Code::CaFingerprint, format!("{path} is not trusted")).why(why).next(next))
    };
    match given {
        Some(given) if given == certificate.fingerprint() => Ok(()),
        // Not which it is: a number that can be copied from here would be compared with nothing.
        Some(given) => refuse(
            format!("its key has another fingerprint than {given}"),
            "it is another CA, or was changed on its way: ask its owner for it again",
        ),
        None => refuse(
            "nobody has compared its fingerprint with what its owner reads out".to_owned(),
            "ask the CA's owner by phone, then add --fingerprint SHA256:HEX, or run this at a terminal",
        ),
    }
}

fn organization(args: &TrustArgs, orchestrator: &Orchestrator, now: time::OffsetDateTime) -> Result<MspId> {
    let org = args.organization.clone().ok_or_else(|| unsigned(Code::Organization, "no organization is named"))?;
    let keys: Vec<String> = orchestrator.client_cas.keys().cloned().collect();
    let around = PolicyContext {
        members: &orchestrator.members,
        client_ca_keys: &keys,
        orchestrator_names: &[],
        burnt: &[],
        kebab: kebab_case,
        log: &IssueLog::default(),
        now,
    };
    match policy::organization(&org, &around) {
        None => Ok(org),
        Some(finding) => Err(unsigned(Code::TrustOrganization, format!("{org} cannot be given a CA of its own"))
            .why(finding.why)
            .next("check the spelling, and the members in channels[].organizations of the values")),
    }
}

fn object_name(args: &TrustArgs, org: &MspId) -> Result<ObjectName> {
    let made = || {
        format!("orchestrator-client-ca-{}", kebab_case(org.as_str())).parse().map_err(|bad: BadName| {
            unsigned(Code::ObjectName, format!("no object can be named after {org}"))
                .why(bad.to_string())
                .next("choose its name with --ca-object")
        })
    };
    args.ca_object.clone().map_or_else(made, Ok)
}

/// A new object, since one under the same name would be loaded by no running server.
fn object_step(cluster: &ClusterState, name: &ObjectName, certificate: &Certificate) -> Result<Step> {
    let release = &cluster.release;
    let kind = release.kind_of(name.as_str());
    let title = format!("{kind} {name}: the CA's certificate");
    let pem = certificate.to_pem();
    let step = Step::to_do(StepId::CaObject, title, Action::Create(ca_object(kind, name, release.name.as_str(), &pem)));
    let Some(old) = cluster.object(&ObjectRef::of_kind(kind, name.as_str())) else {
        return Ok(step);
    };
    let held = old.data("ca.crt").and_then(|pem| inspect::certificates(&pem).ok()).unwrap_or_default();
    if held.iter().map(|one| &one.der).eq([&certificate.der]) {
        return Ok(step.already_if(true));
    }
    Err(unsigned(Code::ObjectTaken, format!("{kind} {name} is there and holds something else"))
        .why("the orchestrator reads it once, at its start, and somebody may be admitted by it")
        .next("choose another name with --ca-object"))
}

fn show(session: &Session<'_>, certificate: &Certificate, danger: &str, plan: &Plan) {
    let say = |text: String| session.console.say(text);
    say(format!("CA: {}, until {}", certificate.subject, certificate.not_after.date()));
    say(format!("  key          {}", certificate.fingerprint()));
    say(format!("  warning      {danger}"));
    session.say_restarts(plan, "");
}
