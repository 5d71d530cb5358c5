//! The second run of `enroll`: the certificate is judged, then Secret, values, upgrade, rollout; the pending Secret last.

use std::path::Path;

use super::{
    Enrolment, VERB,
    request::read_key,
    seen::{Seen, refuse},
};
use crate::{
    cluster::{Object, PAIR_TYPE},
    command_line::CommandLine,
    commands,
    failure::{Code, Failure, Result},
    files,
    pki::{
        fingerprint::Fingerprint,
        inspect::{self, Certificate},
        key::PrivateKey,
        verify_returned::{self, ExpectedCertificate},
    },
    plan::{Action, Plan, State, Step, StepId},
    release::{Edited, ReleaseState, UpgradeRequest},
    report::{Outcome, Stage},
    substra::{Side, backend, kind::ObjectKind},
    times,
};

/// Where the certificate comes from.
pub(in crate::commands) enum Source<'a> {
    /// The file that came back.
    File(&'a Path),
    /// The live pair: its installation was cut short, or is done.
    Live,
}

/// The edited files and the upgrade that they would bring.
pub(in crate::commands) struct Ahead {
    pub(in crate::commands) edited: Edited,
    pub(in crate::commands) plan: Plan,
    /// The release once that is done.
    pub(in crate::commands) after: ReleaseState,
}

/// A certificate that may be installed, and its key.
pub(in crate::commands) struct Pair {
    pub(in crate::commands) certificate: Certificate,
    pub(in crate::commands) pem: Vec<u8>,
    pub(in crate::commands) key: PrivateKey,
}

impl Enrolment<'_> {
    /// What the upgrade would do; asks nothing of the objects, so that both can be looked at side by side.
    pub(in crate::commands) fn look_ahead(&self, found: &ReleaseState, read: bool) -> Result<Ahead> {
        let edited = self.files.edit(&self.backend.settings())?;
        let own = self.backend.own_settings(found.config());
        let (plan, after) = found.plan(&UpgradeRequest {
            session: self.session,
            side: Side::Backend,
            options: &self.options,
            files: &self.files,
            edited: &edited,
            own: &own,
            read,
            paths: &backend::OWN_PATHS,
            then: "every pod mounts the pair",
        })?;
        Ok(Ahead { edited, plan, after })
    }

    pub(in crate::commands) fn install(
        &self,
        seen: &Seen,
        source: &Source<'_>,
        ahead: Result<Ahead>,
    ) -> Result<Outcome> {
        let authorities = self.authorities(seen)?;
        let pair = self.judged(seen, source, &authorities)?;
        let plan = self.installation(seen, Some(&pair), ahead?)?;
        self.show_certificate(&pair, &plan);
        let open = self.session.carry_out(&plan, Some(&self.consent(seen, &plan)))?;
        let outcome = commands::handed_over(self.installed(&pair, &plan, open), &plan);
        let Some(warning) = self.waiting(seen, &pair) else { return Ok(self.told(&pair, outcome)) };
        let outcome = if outcome.stage() == Stage::Already { outcome } else { self.told(&pair, outcome) };
        Ok(outcome.warnings([warning]).next(self.answer()))
    }

    /// The pair, the values, the upgrade and its rollout, and the pending Secret last. A pair that is not there yet is
    /// signed once the operator has agreed; it is of a new key, for which no Secret waits.
    pub(in crate::commands) fn installation(&self, seen: &Seen, pair: Option<&Pair>, ahead: Ahead) -> Result<Plan> {
        let Ahead { edited, plan, after } = ahead;
        self.mounted_as_secret(&after.manifest)?;
        let step = self.pair_step(seen, pair)?;
        let goodbye = pair.and_then(|pair| self.goodbye(seen, pair, &step));
        let upgrade = plan.with_rollouts_seen(&seen.objects);
        Ok(Plan::of([step]).then(Plan::of(edited.steps)).then(upgrade).then(Plan::of(goodbye)))
    }

    /// The CA that the certificate must come from: the cluster's, or the one that `--client-ca` names.
    fn authorities(&self, seen: &Seen) -> Result<Vec<Certificate>> {
        match &self.args.client_ca {
            // The other preconditions hold for this case too.
            Some(path) if self.backend.cacert.is_some() => {
                seen.authorities(self)?;
                inspect::certificates(&files::read(path)?)
            }
            Some(path) => inspect::certificates(&files::read(path)?),
            None => seen.authorities(self),
        }
    }

    pub(in crate::commands) fn judged(
        &self,
        seen: &Seen,
        source: &Source<'_>,
        authorities: &[Certificate],
    ) -> Result<Pair> {
        let (name, pem) = match (source, &seen.live) {
            (Source::File(path), _) => (path.display().to_string(), files::read(path)?.to_vec()),
            (Source::Live, Some(live)) => ("the live certificate".to_owned(), live.pem.clone()),
            (Source::Live, None) => return Err(no_request(&self.pending_name())),
        };
        let mut keys = self.keys(seen)?;
        if keys.is_empty() {
            return Err(no_request(&self.pending_name()));
        }
        // The key that the certificate is for, else the newest: judging against it says what is wrong.
        let spki = inspect::certificates(&pem).ok().and_then(|found| found.into_iter().next()).map(|first| first.spki);
        let fits = keys.iter().position(|key| Some(key.spki()) == spki.as_deref()).unwrap_or(0);
        let key = keys.swap_remove(fits);
        let expected =
            ExpectedCertificate { spki: key.spki(), msp_id: &self.backend.msp_id, authorities, now: self.session.now };
        let certificate = verify_returned::verify(&name, &pem, &expected).map_err(|found| self.all(&found))?;
        let pem = certificate.to_pem().into_bytes();
        Ok(Pair { certificate, pem, key })
    }

    /// All findings are shown; the first one ends the verb.
    fn all(&self, found: &[Failure]) -> Failure {
        found.iter().skip(1).for_each(|failure| self.session.console.lines(format!("error: {failure}")));
        let first = found.first().cloned();
        let first = first.unwrap_or_else(|| refuse(Code::Certificate, "the certificate is refused"));
        first.unchanged("nothing was written").also(found.iter().skip(1).cloned().collect())
    }

    /// Every key that a certificate could be for, the newest first.
    fn keys(&self, seen: &Seen) -> Result<Vec<PrivateKey>> {
        let mut keys = Vec::new();
        if let Some(path) = &self.args.key_file {
            keys.push(read_key(path)?);
        }
        if let Some(pending) = &seen.pending {
            let names = pending.keys().into_iter().filter(|name| name.starts_with("earlier-")).collect::<Vec<_>>();
            let pems = std::iter::once("tls.key").chain(names).filter_map(|name| pending.data(name));
            keys.extend(pems.filter_map(|pem| PrivateKey::from_pem(&pem, None).ok()));
        }
        if let Some(live) = seen.pair.as_ref().and_then(|pair| pair.data("tls.key")) {
            keys.extend(PrivateKey::from_pem(&live, None).ok());
        }
        Ok(keys)
    }

    fn mounted_as_secret(&self, manifest: &crate::substra::manifest::Manifest) -> Result<()> {
        let name = self.backend.client_certificate.as_str();
        match manifest.mount_kind(name) {
            Some(ObjectKind::ConfigMap) => {
                Err(refuse(Code::PairKind, format!("the chart mounts {name} as a ConfigMap"))
                    .why("a private key must be in a Secret")
                    .next("use another name for orchestrator.tls.mtls.clientCertificate, or another chart version"))
            }
            None if !self.options.no_upgrade || self.options.chart.is_some() => {
                let why = if self.files.key().is_top() {
                    "this version of the chart does not know orchestrator.tls.mtls.clientCertificate"
                } else {
                    "what the umbrella chart renders does not: is the key right, and the dependency turned on?"
                };
                Err(refuse(Code::PairNotMounted, format!("the chart does not mount Secret {name}"))
                    .why(why)
                    .next("name a version that does with --version: substra-backend 5.0 or later"))
            }
            _ => Ok(()),
        }
    }

    /// The command that takes a Secret away, where only a person may decide that.
    pub(in crate::commands) fn delete(&self, seen: &Seen, name: &str) -> CommandLine {
        self.session.kubectl(&seen.found.release.namespace).with("delete secret").word(name)
    }

    /// Both halves in one write.
    pub(in crate::commands) fn pair_action(&self, seen: &Seen, pair: &Pair) -> Action {
        let key = pair.key.to_pem();
        let data: [(&str, &[u8]); 2] = [("tls.crt", &pair.pem), ("tls.key", key.as_bytes())];
        if let Some(old) = &seen.pair {
            return Action::Replace(old.with_data(&data));
        }
        let labels =
            [("substra-mtls/release", seen.found.name.as_str()), ("substra-mtls/msp-id", self.backend.msp_id.as_str())];
        Action::Create(Object::secret(self.backend.client_certificate.as_str(), PAIR_TYPE, &labels, &data))
    }

    fn pair_step(&self, seen: &Seen, pair: Option<&Pair>) -> Result<Step> {
        let name = self.backend.client_certificate.as_str();
        let title = format!("Secret {name}: the certificate of {} and its key", self.backend.msp_id);
        let action = pair.map_or(Action::AfterConsent(None), |pair| self.pair_action(seen, pair));
        let step = Step::to_do(StepId::Pair, title, action);
        let Some(old) = &seen.pair else { return Ok(step) };
        if old.secret_type() != PAIR_TYPE {
            return Err(refuse(Code::PairType, format!("Secret {name} is of type {}", old.secret_type()))
                .why(format!("the pair goes into a Secret of type {PAIR_TYPE}, and a type cannot be changed"))
                .next(format!(
                    "keep a copy, then: {}; or choose another name at orchestrator.tls.mtls.clientCertificate",
                    self.delete(seen, name)
                )));
        }
        let live = seen.live.as_ref().map(|live| &live.certificate.der);
        let same = live.is_some() && live == pair.map(|pair| &pair.certificate.der);
        Ok(step.already_if(same && !old.carries_a_copy()))
    }

    /// The pending Secret goes last, so that a run that is cut short finds its key again; and only with its own pair, once
    /// that is read back: a newer request may be on its way, and its key must not be lost.
    fn goodbye(&self, seen: &Seen, pair: &Pair, pair_step: &Step) -> Option<Step> {
        let pending = seen.pending.as_ref()?;
        let key = PrivateKey::from_pem(&pending.data("tls.key")?, None).ok()?;
        if key.spki() != pair.key.spki() {
            return None;
        }
        let while_held = match (pair_step.state, &pair_step.action, &seen.pair) {
            (State::ToDo, Action::Create(new) | Action::Replace(new), _) | (_, _, Some(new)) => new.clone(),
            _ => return None,
        };
        let title = format!("Secret {} goes", self.pending_name());
        Some(Step::to_do(StepId::Pending, title, Action::Delete { seen: pending.clone(), while_held }))
    }

    fn consent(&self, seen: &Seen, plan: &Plan) -> String {
        let upgrade = if plan.upgrades() { format!(", upgrade release {}", seen.found.name) } else { String::new() };
        format!("put the pair of {} in place{upgrade}", self.backend.msp_id)
    }

    fn show_certificate(&self, pair: &Pair, plan: &Plan) {
        let say = |text: String| self.session.console.say(text);
        let certificate = &pair.certificate;
        say(format!(
            "Certificate of {}: serial {}, issued by {}",
            self.backend.msp_id, certificate.serial, certificate.issuer
        ));
        say(format!(
            "  valid from {} to {}",
            times::rfc3339(certificate.not_before),
            times::rfc3339(certificate.not_after)
        ));
        if !plan.restarts.is_empty() {
            say(format!(
                "  what will restart: {} (the server is away for a moment, sessions end)",
                plan.restarts.join(", ")
            ));
        }
    }

    fn installed(&self, pair: &Pair, plan: &Plan, open: bool) -> Outcome {
        let stage = commands::stage(open, self.session.dry_run, Stage::Installed);
        let org = &self.backend.msp_id;
        let serial = &pair.certificate.serial;
        let outcome = commands::outcome(VERB, stage, plan)
            .fact("organization", org.as_str())
            .fact("serial", serial.as_str())
            .fact("fingerprint", pair.certificate.fingerprint().to_string())
            .labelled("notAfter", "not after", times::rfc3339(pair.certificate.not_after));
        if stage == Stage::Planned {
            return outcome;
        }
        let judged = format!("the certificate is from the cluster's CA, names {org} and fits its key");
        let proven = std::iter::once(judged).chain(plan.steps.iter().filter_map(Step::proven)).collect::<Vec<_>>();
        outcome.fact("proven", proven.join("; ")).labelled(
            "notProven",
            "not proven",
            "that the orchestrator lets it in: check --live shows that, once the gate is closed",
        )
    }

    /// A newer request than this certificate answers: it would be taken for the renewal.
    fn waiting(&self, seen: &Seen, pair: &Pair) -> Option<String> {
        let key = PrivateKey::from_pem(&seen.pending.as_ref()?.data("tls.key")?, None).ok()?;
        (key.spki() != pair.key.spki()).then(|| {
            format!(
                "the certificate with serial {} answers an earlier request: the last one, of key {}, still waits in Secret {}",
                pair.certificate.serial, Fingerprint::of_spki(key.spki()), self.pending_name()
            )
        })
    }

    /// What the orchestrator's operator waits for.
    fn told(&self, pair: &Pair, outcome: Outcome) -> Outcome {
        let (org, serial) = (&self.backend.msp_id, &pair.certificate.serial);
        outcome.next(format!("tell the orchestrator's operator: \"{org} is installed, serial {serial}\""))
    }
}

fn no_request(pending: &str) -> Failure {
    refuse(Code::NoRequest, "there is no key that this certificate could be for")
        .why(format!("neither a Secret {pending} nor a --key-file is there"))
        .next("run enroll without --certificate first, and have that request signed; or name the --key-file again")
}
