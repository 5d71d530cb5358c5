//! The orchestrator: its CA and TLS first, who is admitted and the gate last.

use std::collections::BTreeMap;

use super::posts::{HeadPost, first, namespace, or_to_install};
use crate::{
    cluster::{Object, ObjectRef, ReleaseStatus},
    commands::{
        approve::{Approval, Seen},
        ca::{
            authority::{Asked, Ca, Source},
            init::Init,
        },
        gate::{self, Gate},
    },
    failure::{Code, Exit, Failure, Result},
    federation::{self, Federation},
    names::MspId,
    pki::{
        inspect::{self, Certificate},
        log::IssueLog,
    },
    plan::{Plan, Step},
    release::{
        Edited, Options, ReleaseState, ValuesFiles,
        admission::{Admission, gate_is_settled},
        find::{self, ReleaseQuery},
        mounts, read,
    },
    session::Session,
    substra::{Side, kebab::kebab_case, orchestrator::Orchestrator, unmet},
    values::Setting,
};

/// The orchestrator as it was found, or as the first part of the plan will leave it.
pub(super) struct Head<'a> {
    pub(super) post: &'a HeadPost,
    pub(super) session: &'a Session<'a>,
    pub(super) federation: &'a Federation,
    options: Options,
    files: ValuesFiles,
    pub(super) orchestrator: Orchestrator,
    pub(super) found: ReleaseState,
    objects: Vec<Object>,
}

impl<'a> Head<'a> {
    /// Three children: the release's two, and one for all objects.
    pub(super) fn observe(
        post: &'a HeadPost,
        session: &'a Session<'a>,
        federation: &'a Federation,
        install: bool,
    ) -> Result<Self> {
        let site = &federation.orchestrator.site;
        let options = post.approve.common.options();
        let files = read::files(session, &options, Vec::new)?;
        let orchestrator = Orchestrator::read(&files.merged())?;
        let found = find::find(&*post.cluster, &ReleaseQuery::of(&options, &files, Side::Orchestrator));
        let found = or_to_install(found, Side::Orchestrator, &*post.cluster, site, &options, install)?;
        let mut wanted = mounts::wanted(&orchestrator);
        wanted.extend(mounts::wanted(&Orchestrator::read(found.config())?));
        wanted.extend(post.approve.ca_secret.as_ref().map(|name| ObjectRef::secret(name.as_str())));
        wanted.sort();
        wanted.dedup();
        wanted.extend(found.workloads());
        let objects = post.cluster.get(&wanted)?;
        Ok(Self { post, session, federation, options, files, orchestrator, found, objects })
    }

    fn source(&self) -> Source {
        match &self.federation.orchestrator.ca {
            federation::Ca::Files { cert, key } | federation::Ca::Create { cert, key } => {
                Source::Files { certificate: cert.clone(), key: key.clone() }
            }
            federation::Ca::Secret(name) => Source::Secret(name.clone()),
        }
    }

    /// How the CA is asked for.
    pub(super) fn asked(&self) -> Result<Asked<'a>> {
        match &self.federation.orchestrator.ca {
            federation::Ca::Files { cert, .. } if !cert.exists() => {
                return Err(Failure::new(
                    Exit::CheckFailed,
                    Code::CaMissing,
                    format!("{} is not there", cert.display()),
                )
                .why("orchestrator.ca names it as the CA's certificate")
                .next("put the CA's files there, or have a new CA made with ca: {create: true}"));
            }
            federation::Ca::Secret(name) if self.object(&ObjectRef::secret(name.as_str())).is_none() => {
                return Err(Failure::new(Exit::CheckFailed, Code::CaMissing, format!("Secret {name} is not there"))
                    .why("orchestrator.ca names it as the Secret that holds the CA")
                    .next("name the Secret with the CA's tls.crt and tls.key, or have a new CA made with ca: {create: true}"));
            }
            _ => {}
        }
        let passphrase_fd = self.post.approve.passphrase_fd;
        Ok(Asked { source: self.source(), encrypt: false, passphrase_fd, session: self.session })
    }

    pub(super) fn ca<'b>(&self, asked: &'b Asked<'b>) -> Result<Ca<'b>> {
        let cacert = &self.orchestrator.cacert;
        asked.find(&self.objects, (self.found.kind_of(cacert.as_str()), cacert)).map_err(|failure| match failure.code {
            Code::CaElsewhere => {
                failure.next("name that CA at orchestrator.ca: {cert: FILE, key: FILE} or {secret: NAME}")
            }
            _ => failure,
        })
    }

    /// TLS, where the file asks for a CA or the release is not there yet: it has to be up before any backend dials it.
    /// Gives back the steps, and the orchestrator as they will leave it.
    pub(super) fn set_up(self, ca: &mut Ca<'_>) -> Result<(Plan, Self)> {
        let is_asked = matches!(self.federation.orchestrator.ca, federation::Ca::Create { .. });
        let is_on = Orchestrator::read(self.found.config())?.tls_enabled;
        if !is_asked && self.found.is_installed() {
            // In the files alone it is not up: backends that went ahead would be cut off.
            return match (self.orchestrator.tls_enabled, is_on) {
                (true, true) => Ok((Plan::default().warn(std::mem::take(&mut ca.plan.warnings)), self)),
                (false, _) => Err(tls_off(unmet::VALUES_LACK_TLS)),
                (true, false) => Err(tls_off("the values files have it on, and the release does not yet")),
            };
        }
        let namespace = namespace(self.session.cluster()?, &self.found)?;
        let Self { post, session, federation, options, files, orchestrator, found, objects } = self;
        let init = Init { options: &options, secret: None, hosts: &[], session, files, orchestrator, found, objects };
        let set_up = init.set_up(ca)?;
        let Init { orchestrator, found, mut objects, .. } = init;
        let upgrades = set_up.plan.upgrades();
        let cuts_off = upgrades && found.is_installed() && (!is_on || is_in_doubt(&found, &orchestrator));
        if upgrades && found.is_installed() {
            gate_is_settled(&found, &orchestrator)?;
        }
        let found = if upgrades { set_up.after } else { found };
        see_after(&mut objects, &set_up.plan.steps);
        let files = set_up.files_after;
        let orchestrator = Orchestrator::read(&files.merged())?;
        let plan = Plan { cuts_off, ..Plan::of(namespace).then(set_up.plan) };
        Ok((plan, Self { post, session, federation, options, files, orchestrator, found, objects }))
    }

    /// Who approves, knowing all organizations that are to be admitted.
    pub(super) fn approval(&self, all: &[MspId]) -> Result<Approval<'a>> {
        let files = self.files.clone();
        let edited = files.edit(&self.orchestrator.admit_settings(all, &self.orchestrator.cacert))?;
        let orchestrator = Orchestrator::read(&edited.merged)?;
        let object = orchestrator.cacert.clone();
        let seen = Some(Seen { found: self.found.clone(), objects: self.objects.clone() });
        let (args, options, source) = (&self.post.approve, self.options.clone(), self.source());
        Ok(Approval { args, options, session: self.session, source, files, orchestrator, object, seen })
    }

    /// The CA that signs is the one that the orchestrator checks against.
    ///
    /// # Errors
    /// The object that it mounts is missing, or begins with another CA.
    pub(super) fn knows(&self, ca: &Certificate, approval: &Approval<'_>) -> Result<()> {
        let name = &self.orchestrator.cacert;
        let next = format!(
            "name the CA that is in use at orchestrator.ca, or put it alone into {name} as ca.crt; then run the same command again"
        );
        approval.is_the_clusters(ca).map_err(|failure| failure.next(next))
    }

    /// The CAs by which an organization is admitted in the release or in the values files, beside the federation's own:
    /// of each object the first certificate, as the server's identity check reads it.
    pub(super) fn admitting(&self, org: &MspId) -> Result<Vec<Certificate>> {
        let deployed = Orchestrator::read(self.found.config())?;
        let names = [&deployed, &self.orchestrator].map(|side| side.client_cas.get(org.as_str()));
        Ok(names.into_iter().flatten().flatten().filter_map(|name| self.first_ca(name)).collect())
    }

    /// Whether a pair of this CA would be let in now, before any upgrade.
    pub(super) fn lets_in(&self, org: &MspId, ca: &Certificate) -> Result<bool> {
        let deployed = Orchestrator::read(self.found.config())?;
        let names = deployed.client_cas.get(org.as_str()).into_iter().flatten();
        let named = names.filter_map(|name| self.first_ca(name)).any(|first| first.spki == ca.spki);
        Ok(!deployed.mtls_enabled || !deployed.verify_msp_id || named)
    }

    fn first_ca(&self, name: &str) -> Option<Certificate> {
        let object = self.object(&ObjectRef::of_kind(self.found.kind_of(name), name))?;
        inspect::certificates(&object.data("ca.crt")?).ok()?.into_iter().next()
    }

    fn object(&self, wanted: &ObjectRef) -> Option<&Object> {
        wanted.among(&self.objects)
    }

    /// Whether the last upgrade failed with a closed gate: where it stands now nobody knows.
    pub(super) fn is_in_doubt(&self) -> bool {
        is_in_doubt(&self.found, &self.orchestrator)
    }

    /// Admits organizations and, with `close`, turns mutual TLS on: one merge, one upgrade.
    ///
    /// # Errors
    /// Somebody would be cut off, the server would not start, drift.
    pub(super) fn admit(&self, admitted: &[MspId], close: bool, log: &IssueLog) -> Result<Plan> {
        let mut settings = self.orchestrator.admit_settings(admitted, &self.orchestrator.cacert);
        if close {
            settings.extend(self.orchestrator.close_settings(true));
        }
        let edited = self.files.edit(&settings)?;
        let after = Orchestrator::read(&edited.merged)?;
        no_clash(&after)?;
        let upgrade = if close {
            self.close(admitted, log, &edited, &settings, after)?
        } else {
            let admission = Admission {
                session: self.session,
                found: &self.found,
                objects: &self.objects,
                orchestrator: &self.orchestrator,
                files: &self.files,
                edited: &edited,
                own: &settings,
                options: &self.options,
            };
            admission.plan()?
        };
        Ok(Plan::of(edited.steps).then(upgrade))
    }

    /// The upgrade that closes the gate.
    fn close(
        &self,
        admitted: &[MspId],
        log: &IssueLog,
        edited: &Edited,
        settings: &[Setting],
        after: Orchestrator,
    ) -> Result<Plan> {
        let gate = Gate {
            options: self.options.clone(),
            session: self.session,
            files: self.files.clone(),
            orchestrator: after,
            found: self.found.clone(),
            objects: self.objects.clone(),
        };
        let (plan, release) = self.found.plan(&gate.request(edited, settings))?;
        let mut findings = gate.mounts(&release.manifest).judge(&gate.orchestrator);
        let mut warnings = Vec::new();
        if !self.is_closed() {
            findings.extend(self.strangers(admitted));
            warnings.extend(self.given_up(admitted));
            warnings.extend(gate.dangers(Some(log)));
        }
        if !findings.is_empty() {
            return Err(first(findings, "the gate stays as it is"));
        }
        Ok(plan.with_rollouts_seen(&self.objects).warn(warnings))
    }

    /// Members that the federation file does not speak of.
    pub(super) fn strangers(&self, admitted: &[MspId]) -> Vec<Failure> {
        let given_up = &self.federation.orchestrator.cut_off;
        let is = |list: &[MspId], member: &str| list.iter().any(|org| org.as_str() == member);
        let members = &self.orchestrator.members;
        let unknown = members.iter().filter(|member| !is(admitted, member) && !is(given_up, member));
        let findings = unknown.map(|member| {
            Failure::new(
                Exit::CheckFailed,
                Code::NotDescribed,
                format!("{member} would be cut off: it has no pair here"),
            )
            .why("it is a member of a channel, and no organization of this run")
            .next(format!("add {member} under organizations, or give it up with orchestrator.cutOff: [{member}]"))
        });
        let misspelt = given_up.iter().filter(|org| !members.iter().any(|member| member == org.as_str()));
        findings.chain(misspelt.map(|org| unmet::not_a_member(org, members, "orchestrator.cutOff"))).collect()
    }

    fn given_up(&self, admitted: &[MspId]) -> Vec<String> {
        let given_up = self.federation.orchestrator.cut_off.iter().filter(|org| !admitted.contains(org));
        given_up.map(unmet::given_up).collect()
    }

    /// Whether mutual TLS is on already, with the identity check.
    pub(super) fn is_closed(&self) -> bool {
        gate::is_closed(&self.found, &self.orchestrator, true)
    }
}

fn is_in_doubt(found: &ReleaseState, files: &Orchestrator) -> bool {
    files.mtls_enabled && found.is_installed() && found.release.status != ReleaseStatus::Deployed
}

/// Two keys of one kebab form make a manifest that the API server refuses.
fn no_clash(orchestrator: &Orchestrator) -> Result<()> {
    let mut seen = BTreeMap::new();
    for key in orchestrator.client_cas.keys() {
        let kebab = kebab_case(key);
        if let Some(other) = seen.insert(kebab.clone(), key) {
            return Err(Failure::new(
                Exit::CheckFailed,
                Code::KeyClash,
                format!("{other} and {key} cannot both be admitted"),
            )
            .why(format!("the chart makes {kebab} of both, and two volumes of one name are refused"))
            .next("take one of the two out of orchestrator.tls.mtls.clientCACerts"));
        }
    }
    Ok(())
}

fn tls_off(reason: &str) -> Failure {
    unmet::tls_off_at_orchestrator(reason)
        .next("have it set up with ca: {create: true} in the federation file, or with ca init")
}

/// The objects as these steps will leave them.
fn see_after(objects: &mut Vec<Object>, steps: &[Step]) {
    for new in steps.iter().filter_map(Step::new_object) {
        objects.retain(|object| object.reference() != new.reference());
        objects.push(new.clone());
    }
}
