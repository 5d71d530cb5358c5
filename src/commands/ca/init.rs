//! `ca init`: the CA, the server pair and their objects; TLS is turned on, and later the pair is renewed.

use serde::Serialize;
use time::OffsetDateTime;

use crate::{
    commands,
    commands::ca::InitArgs,
    exchange::{
        ca::{
            CaRequest, CaSource, PlannedCa,
            pair_files::PairFiles,
            server::{self, ServerPairPlan},
            set_up::{TlsSetUp, goes_on, set_up},
        },
        state::Holds,
        unsigned,
    },
    failure::{Code, Result},
    names::{ObjectName, ReleaseName},
    pki::{fingerprint::Fingerprint, inspect::Certificate},
    plan::{InitialState, Plan, StepId},
    release::{Observed, Target, read},
    report::{Outcome, Stage},
    session::Session,
    substra::orchestrator::Orchestrator,
    text::labelled,
    times,
};

/// What `ca init` answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Initialized {
    /// The orchestrator's release.
    release: ReleaseName,
    #[serde(flatten)]
    ca: Option<CaReport>,
    #[serde(serialize_with = "times::as_rfc3339")]
    #[cfg_attr(test, schemars(with = "crate::schemas::Time"))]
    ca_not_after: OffsetDateTime,
    /// Serial number of the server's certificate; absent where a new one is only planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<crate::schemas::Serial>"))]
    server_pair: Option<String>,
    /// Its DNS names.
    hosts: Vec<String>,
    #[serde(serialize_with = "times::as_rfc3339")]
    #[cfg_attr(test, schemars(with = "crate::schemas::Time"))]
    not_after: OffsetDateTime,
    /// `--offline`: the files that are needed where the cluster is; the CA's key is not among them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    to_carry: Vec<String>,
    /// What must not be lost.
    back_up: Vec<String>,
    /// Whether the orchestrator speaks TLS.
    tls: bool,
    /// Whether that is deployed; not in a dry run, and not where somebody else deploys the values files.
    deployed: bool,
}

/// The CA; absent where a new one is only planned.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct CaReport {
    /// Its subject.
    ca: String,
    #[cfg_attr(test, schemars(with = "crate::schemas::KeyFingerprint"))]
    ca_fingerprint: Fingerprint,
    /// The fingerprint in eight groups, to be read out by phone.
    to_read_out: String,
}

impl CaReport {
    fn of(certificate: &Certificate) -> Self {
        let ca_fingerprint = certificate.fingerprint();
        Self { ca: certificate.subject.clone(), ca_fingerprint, to_read_out: ca_fingerprint.groups().join(" ") }
    }
}

impl Initialized {
    /// What a run ends with; `stage` is how far it is, and `to_carry` the files that go to the cluster.
    pub(super) fn of(
        release: &ReleaseName,
        (stage, holds): (Stage, Holds),
        (ca, pair): (&PlannedCa<'_>, &ServerPairPlan),
        source: &CaSource,
        to_carry: Vec<String>,
    ) -> Self {
        let (certificate, leaf) = (&ca.certificate, &pair.certificate);
        // What is new and only planned is thrown away: nobody is told its numbers.
        let is_kept = |is_new: bool| !is_new || stage != Stage::Planned;
        Self {
            release: release.clone(),
            ca: is_kept(ca.is_new).then(|| CaReport::of(certificate)),
            ca_not_after: certificate.not_after,
            server_pair: is_kept(pair.is_made()).then(|| leaf.serial.clone()),
            hosts: leaf.dns_names.clone(),
            not_after: leaf.not_after,
            to_carry,
            back_up: source.back_up(),
            tls: true,
            deployed: holds.is_deployed(),
        }
    }

    pub(super) fn lines(&self, holds: Holds) -> Vec<String> {
        let ca = self.ca.as_ref();
        labelled(&[
            ("release", Some(self.release.to_string())),
            ("ca", ca.map(|ca| ca.ca.clone())),
            ("ca fingerprint", ca.map(|ca| ca.ca_fingerprint.to_string())),
            ("to read out", ca.map(|ca| ca.to_read_out.clone())),
            ("ca valid until", Some(times::rfc3339(self.ca_not_after))),
            ("server pair", self.server_pair.clone()),
            ("names", Some(self.hosts.join(", "))),
            ("server pair valid until", Some(times::rfc3339(self.not_after))),
            ("to carry to the cluster", Some(self.to_carry.join(", ")).filter(|files| !files.is_empty())),
            ("back up", Some(self.back_up.join(", "))),
            ("TLS", Some(holds.said(self.tls))),
        ])
    }
}

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
    let made = PairFiles::beside(&request.source, &state.values);
    let set_up = set_up(&state, (&args.hosts, made.as_ref()), &mut ca)?;
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
        return format!("turn TLS on at release {name} (every backend that still uses plain text is cut off)");
    }
    let restart = if pair.restarts { " and restart its pods with the new server pair" } else { "" };
    format!("set up TLS of release {name}{restart}")
}

pub(super) fn show(session: &Session<'_>, ca: &PlannedCa<'_>, pair: &ServerPairPlan, plan: &Plan) {
    let say = |text: String| session.console.say(text);
    let (certificate, leaf) = (&ca.certificate, &pair.certificate);
    // What is new is told once it is there: until then it may be thrown away.
    if ca.is_new {
        say("CA of the federation: a new one".to_owned());
    } else {
        say(format!("CA of the federation: {}, until {}", certificate.subject, certificate.not_after.date()));
        say(format!("  key          {}", certificate.fingerprint()));
    }
    let serial = if pair.is_made() { "a new one".to_owned() } else { format!("serial {}", leaf.serial) };
    say(format!("Server pair: {serial}, until {}", leaf.not_after.date()));
    say(format!("  names        {}", leaf.dns_names.join(", ")));
    if let Some(file) = &pair.from {
        say(format!("  from         {}", file.display()));
    }
    if let Some(why) = &pair.renewal {
        say(format!("  new, since   {why}"));
    }
    session.say_restarts(plan, "");
}

fn result(state: &Observed<'_, Orchestrator>, source: &CaSource, ca: &PlannedCa<'_>, set_up: &TlsSetUp) -> Outcome {
    let TlsSetUp { plan, pair, .. } = set_up;
    let is_to_do = |id| plan.steps.iter().any(|step| step.id == id && step.state == InitialState::ToDo);
    let done =
        if is_to_do(StepId::Cacert) || goes_on(&state.cluster.release) { Stage::Initialized } else { Stage::Renewed };
    let outcome = commands::outcome("ca init", done, plan, state.session);
    let holds = Holds::of(outcome.stage(), !state.options.no_upgrade);
    let release = &state.cluster.release.name;
    let initialized = Initialized::of(release, (outcome.stage(), holds), (ca, pair), source, Vec::new());
    let outcome = outcome.result(&initialized, initialized.lines(holds));
    if outcome.stage() != Stage::Initialized {
        return outcome;
    }
    outcome.next(told(source))
}

/// Whom the CA is told to, and how.
pub(super) fn told(source: &CaSource) -> String {
    let pem = match source {
        CaSource::Files { certificate, .. } => certificate.display().to_string(),
        CaSource::Secret(name) => format!("tls.crt of Secret {name} (never its tls.key)"),
    };
    format!("send {pem} to each backend's operator and read the CA's fingerprint out to them by phone")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schemas;

    #[test]
    fn the_schema_of_ca_init_is_kept() {
        let stages = [Stage::Initialized, Stage::Renewed, Stage::Already, Stage::Planned];
        schemas::is_kept::<Initialized>(&["ca init"], &stages);
    }
}
