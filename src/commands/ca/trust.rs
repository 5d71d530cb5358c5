//! `ca trust CERT --for ORG`: another authority for an organization, in an object of its own under its own key.

use super::{ca_object, fail};
use crate::{
    cli::TrustArgs,
    cluster::{Object, ObjectRef},
    commands::{self, approve::refuse_all},
    failure::{Code, Exit, Failure, Result},
    files,
    names::{MspId, ObjectName},
    pki::{
        authority,
        fingerprint::Fingerprint,
        inspect::{self, Certificate},
        log::IssueLog,
        policy::{self, Circumstances},
    },
    plan::{Action, Plan, Step, StepId},
    release::{
        ReleaseState,
        admission::Admission,
        find::{self, ReleaseQuery},
        mounts, read,
    },
    report::{Outcome, Stage},
    session::Session,
    substra::{
        Side,
        kebab::kebab_case,
        orchestrator::{self, Orchestrator},
    },
    times,
};

/// Puts the CA into its object and the object under the organization's key.
///
/// # Errors
/// A certificate that is no single CA, an organization that cannot be a key, an object that holds something else.
pub(super) fn run(args: &TrustArgs, session: &Session<'_>) -> Result<Outcome> {
    let options = args.common.options();
    let files = read::files(session, &options, Vec::new)?;
    let orchestrator = read::orchestrator(&files)?;
    let certificate = single_ca(args, session, &[Code::AuthorityNotSelfSigned])?;
    if args.fingerprint.is_some() {
        compared(args, args.fingerprint, &certificate)?;
    }
    let org = organization(args, &orchestrator, session.now)?;
    let name = object_name(args, &org)?;
    let cluster = session.cluster()?;
    let found = find::find(cluster, &ReleaseQuery::of(&options, &files, Side::Orchestrator))?;
    let mut wanted = vec![ObjectRef::secret(name.as_str()), ObjectRef::config_map(name.as_str())];
    if orchestrator.mtls_enabled {
        wanted.extend(mounts::wanted(&orchestrator));
    }
    wanted.sort();
    wanted.dedup();
    wanted.extend(found.workloads());
    let mut objects = cluster.get(&wanted)?;
    let step = object_step(&found, &objects, &name, &certificate)?;
    objects.extend(step.new_object().cloned());
    let own = orchestrator.admit_settings(std::slice::from_ref(&org), &name);
    let edited = files.edit(&own)?;
    let (found, objects, orchestrator, options) = (&found, &objects, &orchestrator, &options);
    let admission =
        Admission { session, found, objects, orchestrator, files: &files, edited: &edited, own: &own, options };
    let upgrade = admission.plan()?;
    let danger = orchestrator::danger(&certificate.subject, Some(org.as_str()));
    let plan = Plan::of([step]).warn([danger.clone()]).then(Plan::of(edited.steps)).then(upgrade);
    show(session, &certificate, &danger, &plan);
    let open = session.carry_out(&plan, Some(&format!("trust this CA for {org}: {danger}")))?;
    let outcome = commands::outcome("ca trust", commands::stage(open, session.dry_run, Stage::Trusted), &plan)
        .fact("organization", org.as_str())
        .fact("object", name.as_str())
        .fact("ca", certificate.subject.as_str())
        .labelled("caFingerprint", "ca fingerprint", certificate.fingerprint().to_string())
        .labelled("caNotAfter", "ca not after", times::rfc3339(certificate.not_after));
    let outcome = commands::handed_over(outcome, &plan);
    Ok(if orchestrator.mtls_enabled {
        outcome
    } else {
        outcome.next(
            "mutual TLS is off at the orchestrator: the values file alone has changed, until gate close turns it on",
        )
    })
}

/// The one CA of the file, judged as far as somebody else signs with it; `passed_over` are findings that do not matter.
pub(super) fn single_ca(args: &TrustArgs, session: &Session<'_>, passed_over: &[Code]) -> Result<Certificate> {
    let path = args.certificate.display();
    let of_file = |failure: Failure| Failure { what: format!("{path}: {}", failure.what), ..failure };
    let mut found = inspect::certificates(&files::read(&args.certificate)?).map_err(of_file)?;
    let count = found.len();
    let (Some(certificate), true) = (found.pop(), count == 1) else {
        return Err(Failure::new(Exit::Refused, Code::TrustBundle, format!("{path} holds {count} certificates"))
            .why("only the first would count for the identity check, and all of them for TLS")
            .next("give a file with the CA's own certificate alone, each CA by a run of its own"));
    };
    let ask = "ask the owner of this CA for a root certificate that is fit for it";
    let findings = authority::faults(&certificate, session.now).into_iter();
    // What else is wrong with a certificate that is no CA does not matter.
    let findings = findings.filter(|finding| {
        !passed_over.contains(&finding.code) && (certificate.is_ca || finding.code == Code::AuthorityNotACa)
    });
    let findings: Vec<Failure> = findings.map(|finding| Failure { next: ask.to_owned(), ..finding }).collect();
    if findings.is_empty() { Ok(certificate) } else { Err(refuse_all(session, findings)) }
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
    let org = args.organization.clone().ok_or_else(|| fail(Code::Organization, "no organization is named"))?;
    let keys: Vec<String> = orchestrator.client_cas.keys().cloned().collect();
    let around = Circumstances {
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
        Some(finding) => Err(fail(Code::TrustOrganization, format!("{org} cannot be given a CA of its own"))
            .why(finding.why)
            .next("check the spelling, and the members in channels[].organizations of the values")),
    }
}

fn object_name(args: &TrustArgs, org: &MspId) -> Result<ObjectName> {
    let made = || {
        format!("orchestrator-client-ca-{}", kebab_case(org.as_str())).parse().map_err(|bad: crate::names::BadName| {
            fail(Code::ObjectName, format!("no object can be named after {org}"))
                .why(bad.to_string())
                .next("choose its name with --ca-object")
        })
    };
    args.ca_object.clone().map_or_else(made, Ok)
}

/// A new object, since one under the same name would be loaded by no running server.
fn object_step(found: &ReleaseState, objects: &[Object], name: &ObjectName, certificate: &Certificate) -> Result<Step> {
    let kind = found.kind_of(name.as_str());
    let title = format!("{kind} {name}: the CA's certificate");
    let pem = certificate.to_pem();
    let step = Step::to_do(StepId::CaObject, title, Action::Create(ca_object(kind, name, found.name.as_str(), &pem)));
    let Some(old) = ObjectRef::of_kind(kind, name.as_str()).among(objects) else {
        return Ok(step);
    };
    let held = old.data("ca.crt").and_then(|pem| inspect::certificates(&pem).ok()).unwrap_or_default();
    if held.iter().map(|one| &one.der).eq([&certificate.der]) {
        return Ok(step.already_if(true));
    }
    Err(fail(Code::ObjectTaken, format!("{kind} {name} is there and holds something else"))
        .why("the orchestrator reads it once, at its start, and somebody may be admitted by it")
        .next("choose another name with --ca-object"))
}

fn show(session: &Session<'_>, certificate: &Certificate, danger: &str, plan: &Plan) {
    let say = |text: String| session.console.say(text);
    say(format!("CA: {}, until {}", certificate.subject, certificate.not_after.date()));
    say(format!("  key          {}", certificate.fingerprint()));
    say(format!("  beware       {danger}"));
    session.say_restarts(plan, "");
}
