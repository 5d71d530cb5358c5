//! `ca init`: the CA, the server pair and their objects; TLS goes on, and later the pair is renewed.

use super::{
    authority::{Asked, Ca, Source},
    fail,
    server::{self, Place, Serving},
};
use crate::{
    cli::InitArgs,
    cluster::Object,
    commands::{
        self, Desk,
        approve::ledger,
        find::{self, Sought},
        hand_over::Left,
        read,
        release::{Chart, Found, Planned, Wish},
    },
    failure::{Code, Result},
    plan::{
        State, Step, StepId,
        drift::same,
        edits::{Edited, ValuesFiles},
    },
    report::{Outcome, Stage},
    substra::orchestrator::{self, Orchestrator},
    times, values,
};

/// What is known before anything is planned.
pub(in crate::commands) struct Init<'a> {
    pub(in crate::commands) args: &'a InitArgs,
    pub(in crate::commands) desk: &'a Desk<'a>,
    pub(in crate::commands) files: ValuesFiles,
    pub(in crate::commands) orchestrator: Orchestrator,
    pub(in crate::commands) found: Found,
    pub(in crate::commands) objects: Vec<Object>,
}

/// The whole set-up, planned: every step in its order, and what it brings about.
pub(in crate::commands) struct SetUp {
    pub(in crate::commands) steps: Vec<Step>,
    pub(in crate::commands) serving: Serving,
    pub(in crate::commands) planned: Planned,
    pub(in crate::commands) edited: Edited,
    /// The restart that somebody else has to make, where the release is left alone.
    by_hand: Option<String>,
}

/// Makes what is missing, and only that.
///
/// # Errors
/// Another CA in use, a key that cannot be opened, drift, no consent, a child that fails.
pub(super) fn run(args: &InitArgs, desk: &Desk<'_>) -> Result<Outcome> {
    let source = args.secret.clone().map_or_else(|| Source::in_folder(&args.out_dir), Source::Secret);
    let (encrypt, passphrase_fd, dry_run) = (args.encrypt, args.passphrase_fd, args.common.dry_run);
    let asked = Asked { source, encrypt, passphrase_fd, dry_run, desk };
    let init = Init::look(args, desk, &asked.source)?;
    init.secret_is_its_own()?;
    let cacert = &init.orchestrator.cacert;
    let mut ca = asked.find(&init.objects, (init.found.kind_of(cacert.as_str()), cacert))?;
    let SetUp { steps, serving, planned, edited, by_hand } = init.set_up(&mut ca)?;
    let left = Left::of(planned.is_left, &edited, orchestrator::TLS_PATHS, "the server speaks TLS");
    init.show(&ca, &serving, &planned);
    let open = desk.carry_out(&steps, &args.common, Some(&init.consent(&serving)))?;
    let outcome = init.result(&asked.source, &ca, &serving, &steps, open).warnings(planned.warnings);
    let outcome = left.told(outcome, (&args.common, &init.files, &init.found), desk, &steps);
    Ok(by_hand.into_iter().fold(outcome, Outcome::next))
}

impl<'a> Init<'a> {
    /// Three children.
    fn look(args: &'a InitArgs, desk: &'a Desk<'a>, source: &Source) -> Result<Self> {
        let files = read::files(&args.common, || read::usual(Orchestrator::tls_settings))?;
        let orchestrator = read::orchestrator(&files)?;
        let cluster = desk.cluster()?;
        let found = find::find(cluster, &Sought::of(&args.common, &files, Chart::Orchestrator))?;
        let mut wanted = server::wanted(&orchestrator);
        wanted.extend(source.object());
        wanted.extend(found.workloads());
        let objects = cluster.get(&wanted)?;
        Ok(Self { args, desk, files, orchestrator, found, objects })
    }

    /// The CA's key must not get into an object that pods mount.
    fn secret_is_its_own(&self) -> Result<()> {
        let mounted = [&self.orchestrator.cacert, &self.orchestrator.server_pair];
        let taken = self.args.secret.as_ref().filter(|name| mounted.contains(name));
        taken.map_or(Ok(()), |name| {
            Err(fail(Code::CaSecretName, format!("Secret {name} cannot keep the CA"))
                .why("the orchestrator's pods mount an object of that name, and must not see the CA's key")
                .next("choose another name with --secret"))
        })
    }

    /// CA, objects, server pair, values, upgrade, rollout: in this order.
    pub(in crate::commands) fn set_up(&self, ca: &mut Ca<'_>) -> Result<SetUp> {
        let mut edited = self.files.edit(&self.orchestrator.tls_settings())?;
        let mut planned = self.plan(&edited)?;
        let place = Place::of(&self.found, &planned.manifest, &self.orchestrator, &self.objects, &self.args.hosts);
        let mut serving = place.plan(ca, self.desk)?;
        let by_hand = if self.args.common.no_upgrade {
            serving.without_restart(self.desk.kubectl(&self.found.release.namespace))
        } else {
            None
        };
        if serving.restarts {
            planned.await_rollout();
        }
        let mut steps = std::mem::take(&mut ca.steps);
        steps.append(&mut serving.steps);
        steps.append(&mut edited.steps);
        steps.append(&mut planned.steps);
        Ok(SetUp { steps, serving, planned, edited, by_hand })
    }

    /// No upgrade where TLS is live as the files have it: other differences must not stand in the way of a renewal.
    fn plan(&self, edited: &Edited) -> Result<Planned> {
        let config = self.found.config();
        let (common, files, own) = (&self.args.common, &self.files, self.orchestrator.own_tls_settings(config));
        let wish = Wish { chart: Chart::Orchestrator, common, files, edited, own: &own, read: true };
        let live = same(&values::apply(config, &self.orchestrator.tls_settings()), config);
        if live && !edited.changes() && self.found.release.status == "deployed" {
            return Ok(self.found.stay(&wish).seen(&self.objects));
        }
        Ok(self.found.plan(self.desk.cluster()?, &wish)?.seen(&self.objects))
    }

    fn goes_on(&self) -> bool {
        !Orchestrator::read(self.found.config()).is_ok_and(|deployed| deployed.tls_enabled)
    }

    fn consent(&self, serving: &Serving) -> String {
        let release = &self.found.name;
        if self.goes_on() && !self.args.common.no_upgrade {
            return format!(
                "turn TLS on at release {release}: every backend that still dials in plain text is cut off"
            );
        }
        let restart = if serving.restarts { " and restart its pods with the new server pair" } else { "" };
        format!("set up TLS of release {release}{restart}")
    }

    fn show(&self, ca: &Ca<'_>, serving: &Serving, planned: &Planned) {
        let say = |text: String| self.desk.console.say(text);
        let (certificate, leaf) = (&ca.certificate, &serving.certificate);
        // What is new is told once it is there: until then it may be thrown away.
        if ca.is_new {
            say("CA of the federation: a new one".to_owned());
        } else {
            say(format!("CA of the federation: {}, until {}", certificate.subject, certificate.not_after.date()));
            say(format!("  key          {}", certificate.fingerprint()));
        }
        let serial = if serving.renewal.is_some() { "a new one".to_owned() } else { format!("serial {}", leaf.serial) };
        say(format!("Server pair: {serial}, until {}", leaf.not_after.date()));
        say(format!("  names        {}", leaf.dns_names.join(", ")));
        if let Some(why) = &serving.renewal {
            say(format!("  new, since   {why}"));
        }
        if !planned.restarts.is_empty() {
            say(format!("what will restart: {}", planned.restarts.join(", ")));
        }
    }

    fn result(&self, source: &Source, ca: &Ca<'_>, serving: &Serving, steps: &[Step], open: bool) -> Outcome {
        let is_to_do = |id| steps.iter().any(|step| step.id == id && step.state == State::ToDo);
        let done = if is_to_do(StepId::Cacert) || self.goes_on() { Stage::Initialized } else { Stage::Renewed };
        let stage = commands::stage(open, self.args.common.dry_run, done);
        let (certificate, leaf) = (&ca.certificate, &serving.certificate);
        let (fingerprint, is_new) = (certificate.fingerprint(), ca.is_new);
        let outcome = commands::outcome("ca init", stage, steps)
            .fact("release", self.found.name.as_str())
            .fact_of(is_new, "ca", "ca", certificate.subject.as_str())
            .fact_of(is_new, "caFingerprint", "ca fingerprint", fingerprint.to_string())
            .fact_of(is_new, "toReadOut", "to read out", fingerprint.groups().join(" "))
            .labelled("caNotAfter", "ca not after", times::rfc3339(certificate.not_after))
            .fact_of(serving.renewal.is_some(), "serverPair", "server pair", leaf.serial.as_str())
            .fact("hosts", leaf.dns_names.clone())
            .labelled("notAfter", "not after", times::rfc3339(leaf.not_after))
            .labelled("backUp", "back up", backups(source))
            .warnings(ca.warnings.iter().chain(&serving.warnings).cloned());
        if stage != Stage::Initialized {
            return outcome;
        }
        let pem = match source {
            Source::Files { certificate, .. } => certificate.display().to_string(),
            Source::Secret(name) => format!("tls.crt of Secret {name} (never its tls.key)"),
        };
        outcome
            .next(format!("send {pem} to each backend's operator and read the CA's fingerprint out to them by phone"))
    }
}

/// What must not be lost: who loses the key can admit nobody any more, who loses the log may answer a request twice.
fn backups(source: &Source) -> Vec<String> {
    match source {
        Source::Files { certificate, key } => vec![
            format!("{} (the CA's key)", key.display()),
            format!("{} (the issue log, once approve has signed)", ledger::beside(certificate).display()),
        ],
        Source::Secret(name) => vec![
            format!("Secret {name} (the CA's key)"),
            format!("ConfigMaps labelled substra-mtls/issue-log={name} (the issue log, once approve has signed)"),
        ],
    }
}
