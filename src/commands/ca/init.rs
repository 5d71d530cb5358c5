//! `ca init`: the CA, the server pair and their objects; TLS goes on, and later the pair is renewed.

use super::{
    authority::{Asked, Ca, Source},
    fail,
    server::{self, Place, Serving},
};
use crate::{
    cli::InitArgs,
    cluster::{Object, ReleaseStatus},
    commands,
    failure::{Code, Result},
    names::{Hostname, ObjectName},
    plan::{Plan, State, StepId, drift::same},
    release::{
        Edited, Options, ReleaseState, UpgradeRequest, ValuesFiles,
        find::{self, ReleaseQuery},
        issue_log, read,
    },
    report::{Outcome, Stage},
    session::Session,
    substra::{
        Side,
        orchestrator::{self, Orchestrator},
    },
    times, values,
};

/// What is known before anything is planned.
pub(in crate::commands) struct Init<'a> {
    pub(in crate::commands) options: &'a Options,
    /// The Secret of the CA, where it is kept in one.
    pub(in crate::commands) secret: Option<&'a ObjectName>,
    /// Hosts beside those of the values.
    pub(in crate::commands) hosts: &'a [Hostname],
    pub(in crate::commands) session: &'a Session<'a>,
    pub(in crate::commands) files: ValuesFiles,
    pub(in crate::commands) orchestrator: Orchestrator,
    pub(in crate::commands) found: ReleaseState,
    pub(in crate::commands) objects: Vec<Object>,
}

/// The whole set-up, planned: every step in its order, and what it brings about.
pub(in crate::commands) struct SetUp {
    pub(in crate::commands) plan: Plan,
    pub(in crate::commands) serving: Serving,
    /// The release and its files once that is done.
    pub(in crate::commands) after: ReleaseState,
    pub(in crate::commands) files_after: ValuesFiles,
    /// The restart that somebody else has to make, where the release is left alone.
    by_hand: Option<String>,
}

/// Makes what is missing, and only that.
///
/// # Errors
/// Another CA in use, a key that cannot be opened, drift, no consent, a child that fails.
pub(super) fn run(args: &InitArgs, session: &Session<'_>) -> Result<Outcome> {
    let source = args.secret.clone().map_or_else(|| Source::in_folder(&args.out_dir), Source::Secret);
    let (encrypt, passphrase_fd) = (args.encrypt, args.passphrase_fd);
    let asked = Asked { source, encrypt, passphrase_fd, session };
    let options = args.common.options();
    let init = Init::look(args, &options, session, &asked.source)?;
    init.secret_is_its_own()?;
    let cacert = &init.orchestrator.cacert;
    let mut ca = asked.find(&init.objects, (init.found.kind_of(cacert.as_str()), cacert))?;
    let SetUp { plan, serving, by_hand, .. } = init.set_up(&mut ca)?;
    init.show(&ca, &serving, &plan);
    let open = session.carry_out(&plan, Some(&init.consent(&serving)))?;
    let outcome = commands::handed_over(init.result(&asked.source, &ca, &serving, &plan, open), &plan);
    Ok(by_hand.into_iter().fold(outcome, Outcome::next))
}

impl<'a> Init<'a> {
    /// Three children.
    fn look(args: &'a InitArgs, options: &'a Options, session: &'a Session<'a>, source: &Source) -> Result<Self> {
        let files = read::files(session, options, || read::usual(Orchestrator::tls_settings))?;
        let orchestrator = read::orchestrator(&files)?;
        let cluster = session.cluster()?;
        let found = find::find(cluster, &ReleaseQuery::of(options, &files, Side::Orchestrator))?;
        let mut wanted = server::wanted(&orchestrator);
        wanted.extend(source.object());
        wanted.extend(found.workloads());
        let objects = cluster.get(&wanted)?;
        let (secret, hosts) = (args.secret.as_ref(), &args.hosts[..]);
        Ok(Self { options, secret, hosts, session, files, orchestrator, found, objects })
    }

    /// The CA's key must not get into an object that pods mount.
    fn secret_is_its_own(&self) -> Result<()> {
        let mounted = [&self.orchestrator.cacert, &self.orchestrator.server_pair];
        let taken = self.secret.filter(|name| mounted.contains(name));
        taken.map_or(Ok(()), |name| {
            Err(fail(Code::CaSecretName, format!("Secret {name} cannot keep the CA"))
                .why("the orchestrator's pods mount an object of that name, and must not see the CA's key")
                .next("choose another name with --secret"))
        })
    }

    /// CA, objects, server pair, values, upgrade, rollout: in this order.
    pub(in crate::commands) fn set_up(&self, ca: &mut Ca<'_>) -> Result<SetUp> {
        let edited = self.files.edit(&self.orchestrator.tls_settings())?;
        let (mut upgrade, after) = self.plan(&edited)?;
        let place = Place::of(&self.found, &after.manifest, &self.orchestrator, &self.objects, self.hosts);
        let mut serving = place.plan(ca, self.session)?;
        let by_hand = if self.options.no_upgrade {
            serving.without_restart(self.session.kubectl(&self.found.release.namespace))
        } else {
            None
        };
        if serving.restarts {
            upgrade.await_rollout();
        }
        let files_after = self.files.after(&edited);
        let plan = std::mem::take(&mut ca.plan)
            .then(std::mem::take(&mut serving.plan))
            .then(Plan::of(edited.steps))
            .then(upgrade);
        Ok(SetUp { plan, serving, after, files_after, by_hand })
    }

    /// No upgrade where TLS is live as the files have it: other differences must not stand in the way of a renewal.
    fn plan(&self, edited: &Edited) -> Result<(Plan, ReleaseState)> {
        let config = self.found.config();
        let request = UpgradeRequest {
            session: self.session,
            side: Side::Orchestrator,
            options: self.options,
            files: &self.files,
            edited,
            own: &self.orchestrator.own_tls_settings(config),
            read: true,
            paths: orchestrator::TLS_PATHS,
            then: "the server speaks TLS",
        };
        let live = same(&values::apply(config, &self.orchestrator.tls_settings()), config);
        if live && !edited.changes() && self.found.release.status == ReleaseStatus::Deployed {
            let plan = self.found.plan_unchanged(&request).with_rollouts_seen(&self.objects);
            return Ok((plan, self.found.clone()));
        }
        let (plan, after) = self.found.plan(&request)?;
        Ok((plan.with_rollouts_seen(&self.objects), after))
    }

    fn goes_on(&self) -> bool {
        !Orchestrator::read(self.found.config()).is_ok_and(|deployed| deployed.tls_enabled)
    }

    fn consent(&self, serving: &Serving) -> String {
        let release = &self.found.name;
        if self.goes_on() && !self.options.no_upgrade {
            return format!(
                "turn TLS on at release {release}: every backend that still dials in plain text is cut off"
            );
        }
        let restart = if serving.restarts { " and restart its pods with the new server pair" } else { "" };
        format!("set up TLS of release {release}{restart}")
    }

    fn show(&self, ca: &Ca<'_>, serving: &Serving, plan: &Plan) {
        let say = |text: String| self.session.console.say(text);
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
        self.session.say_restarts(plan, "");
    }

    fn result(&self, source: &Source, ca: &Ca<'_>, serving: &Serving, plan: &Plan, open: bool) -> Outcome {
        let is_to_do = |id| plan.steps.iter().any(|step| step.id == id && step.state == State::ToDo);
        let done = if is_to_do(StepId::Cacert) || self.goes_on() { Stage::Initialized } else { Stage::Renewed };
        let stage = commands::stage(open, self.session.dry_run, done);
        let (certificate, leaf) = (&ca.certificate, &serving.certificate);
        let (fingerprint, is_new) = (certificate.fingerprint(), ca.is_new);
        let outcome = commands::outcome("ca init", stage, plan)
            .fact("release", self.found.name.as_str())
            .fact_of(is_new, "ca", "ca", certificate.subject.as_str())
            .fact_of(is_new, "caFingerprint", "ca fingerprint", fingerprint.to_string())
            .fact_of(is_new, "toReadOut", "to read out", fingerprint.groups().join(" "))
            .labelled("caNotAfter", "ca not after", times::rfc3339(certificate.not_after))
            .fact_of(serving.renewal.is_some(), "serverPair", "server pair", leaf.serial.as_str())
            .fact("hosts", leaf.dns_names.clone())
            .labelled("notAfter", "not after", times::rfc3339(leaf.not_after))
            .labelled("backUp", "back up", backups(source));
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
            format!("{} (the issue log, once approve has signed)", issue_log::beside(certificate).display()),
        ],
        Source::Secret(name) => vec![
            format!("Secret {name} (the CA's key)"),
            format!("ConfigMaps labelled substra-mtls/issue-log={name} (the issue log, once approve has signed)"),
        ],
    }
}
