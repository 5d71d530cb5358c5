//! `approve`: requests are judged, shown, signed once, and their organizations admitted in the values file.

pub(in crate::commands) mod admission;
pub(in crate::commands) mod authority;
pub(in crate::commands) mod ledger;
mod sign;
mod verify;

use std::path::PathBuf;

use self::admission::{Admission, After};
use crate::{
    cli::ApproveArgs,
    cluster::{Object, ObjectRef},
    commands::{
        self, Desk,
        check::mounts,
        find::{self, Sought},
        read,
        release::{Chart, Found},
    },
    failure::{Exit, Failure, Result},
    files,
    names::{MspId, ObjectName},
    pki::log::Entry,
    plan::{
        Action, Step,
        edits::{Edited, ValuesFiles},
    },
    report::{Outcome, PLANNED},
    substra::orchestrator::Orchestrator,
    times,
    values::Setting,
};

const VERB: &str = "approve";

/// What an approval knows before it judges.
pub(in crate::commands) struct Approval<'a> {
    pub(in crate::commands) args: &'a ApproveArgs,
    pub(in crate::commands) desk: &'a Desk<'a>,
    pub(in crate::commands) files: ValuesFiles,
    pub(in crate::commands) orchestrator: Orchestrator,
    /// The object under which organizations are admitted.
    pub(in crate::commands) object: ObjectName,
    pub(in crate::commands) seen: Option<Seen>,
}

/// What the cluster says; nothing with `--offline`.
pub(in crate::commands) struct Seen {
    pub(in crate::commands) found: Found,
    pub(in crate::commands) objects: Vec<Object>,
}

/// Signs all requests or none.
///
/// # Errors
/// A finding in any request, a CA that cannot be used, no consent, a child that fails.
pub fn run(args: &ApproveArgs, desk: &Desk<'_>) -> Result<Outcome> {
    let admits = |o: &Orchestrator| o.admit_settings(&asked(args), &o.cacert);
    let files = read::files(&args.common, || read::usual(admits))?;
    let orchestrator = read::orchestrator(&files)?;
    let object = args.ca_object.clone().unwrap_or_else(|| orchestrator.cacert.clone());
    let mut approval = Approval { args, desk, files, orchestrator, object, seen: None };
    approval.seen = approval.look()?;
    let lock = args.ca_cert.as_deref().map(|certificate| files::lock(&files::followed(certificate))).transpose()?;
    let (authority, mut warnings) = approval.authority()?;
    let ledger = approval.ledger()?;
    let requests = approval.judged(&authority, &ledger)?;
    let signed = approval.sign(&authority, &ledger, requests)?;
    let orgs: Vec<MspId> = signed.iter().map(|signed| signed.request.msp_id.clone()).collect();
    let admits = approval.orchestrator.admit_settings(&orgs, &approval.object);
    let edited = approval.files.edit(&admits)?;
    let new: Vec<Entry> = signed.iter().filter_map(|signed| signed.entry.clone()).collect();
    let mut steps = Vec::new();
    steps.extend(approval.log_steps(&new)?);
    for one in &signed {
        steps.push(approval.certificate_step(one)?);
    }
    let upgrade = approval.upgrade(&edited, &admits)?;
    steps.extend(edited.steps);
    steps.extend(upgrade.steps);
    warnings.extend(upgrade.warnings);
    signed.iter().for_each(|one| approval.show(one));
    approval.say_restarts(&upgrade.restarts);
    let open = desk.carry_out(&steps, &args.common, Some(&consent(&signed, &steps)))?;
    drop(lock);
    let outcome = approval.result(&signed, &steps, open).warnings(warnings);
    Ok(match &approval.seen {
        Some(seen) => upgrade.left.told(outcome, (&args.common, &approval.files, &seen.found), desk, &steps),
        None => outcome,
    })
}

/// The organizations that the command line names.
fn asked(args: &ApproveArgs) -> Vec<MspId> {
    args.fingerprint.iter().map(|(org, _)| org.clone()).collect()
}

impl Approval<'_> {
    /// Three children; none offline.
    fn look(&self) -> Result<Option<Seen>> {
        if self.args.offline {
            return Ok(None);
        }
        let cluster = self.desk.cluster()?;
        let found = find::find(cluster, &Sought::of(&self.args.common, &self.files, Chart::Orchestrator))?;
        let name = self.object.as_str();
        let mut wanted = vec![ObjectRef::secret(name), ObjectRef::config_map(name)];
        wanted.extend(self.args.ca_secret.as_ref().map(|name| ObjectRef::secret(name.as_str())));
        if self.orchestrator.mtls_enabled {
            wanted.extend(mounts::wanted(&self.orchestrator));
        } else {
            wanted.push(ObjectRef::secret(self.orchestrator.server_pair.as_str()));
        }
        wanted.sort();
        wanted.dedup();
        wanted.extend(found.workloads());
        let objects = cluster.get(&wanted)?;
        Ok(Some(Seen { found, objects }))
    }

    fn upgrade(&self, edited: &Edited, own: &[Setting]) -> Result<After> {
        let Some(seen) = &self.seen else { return Ok(After::default()) };
        let (found, objects, common, files) = (&seen.found, &seen.objects, &self.args.common, &self.files);
        let (desk, orchestrator) = (self.desk, &self.orchestrator);
        Admission { desk, found, objects, orchestrator, files, edited, own, common }.upgrade()
    }

    /// Where a request's certificate goes: beside it, or into `--out-dir`.
    fn certificate_path(&self, request: &std::path::Path, org: &MspId) -> PathBuf {
        let folder = self.args.out_dir.clone().or_else(|| request.parent().map(PathBuf::from)).unwrap_or_default();
        folder.join(format!("{org}.crt"))
    }

    fn certificate_step(&self, signed: &sign::Signed) -> Result<Step> {
        let path = self.certificate_path(&signed.path, &signed.request.msp_id);
        let bytes = signed.issued.pem.clone().into_bytes();
        let same = files::read_if_there(&path)?.is_some_and(|there| there.as_slice() == bytes.as_slice());
        let title = format!("certificate of {} in {}", signed.request.msp_id, path.display());
        Ok(Step::to_do("certificate", title, Action::Publish { path, bytes }).already_if(same))
    }

    fn say_restarts(&self, restarts: &[String]) {
        if !restarts.is_empty() {
            self.desk.console.say(format!("what will restart: {}", restarts.join(", ")));
        }
    }

    fn result(&self, signed: &[sign::Signed], steps: &[Step], open: bool) -> Outcome {
        let stage = commands::stage(open, self.args.common.dry_run, "approved");
        let certificates: Vec<serde_json::Value> = signed.iter().map(|one| self.described(one, stage)).collect();
        let organizations: Vec<&str> = signed.iter().map(|one| one.request.msp_id.as_str()).collect();
        let lines: Vec<_> = certificates.iter().map(|one| ("certificate", sentence(one))).collect();
        let mut outcome = commands::outcome(VERB, stage, steps).fact("organizations", organizations).fact_told(
            "certificates",
            certificates,
            lines,
        );
        let gate = if self.orchestrator.mtls_enabled {
            "mutual TLS is on: each organization is let in as soon as its certificate is installed"
        } else {
            "mutual TLS is off at the orchestrator: the values file alone changes, until gate close turns it on"
        };
        outcome = outcome.fact("gate", gate);
        for one in signed {
            let path = self.certificate_path(&one.path, &one.request.msp_id);
            outcome = outcome.next(format!("send {} to {}'s operator", path.display(), one.request.msp_id));
        }
        outcome
    }

    fn described(&self, signed: &sign::Signed, stage: &str) -> serde_json::Value {
        let mut described = serde_json::json!({
            "organization": signed.request.msp_id.as_str(),
            "file": self.certificate_path(&signed.path, &signed.request.msp_id).display().to_string(),
            "fingerprint": signed.request.fingerprint.to_string(),
            "hosts": signed.request.hosts.iter().map(crate::names::Hostname::as_str).collect::<Vec<_>>(),
            "notBefore": times::rfc3339(signed.issued.not_before),
            "notAfter": times::rfc3339(signed.issued.not_after),
            "cutToTheCa": signed.issued.cut_to_ca_end,
            "again": signed.entry.is_none(),
        });
        // A new one that is only planned is thrown away.
        if stage != PLANNED || signed.entry.is_none() {
            described["serial"] = signed.issued.serial.as_str().into();
        }
        described
    }
}

/// A certificate as people read it.
fn sentence(described: &serde_json::Value) -> String {
    let text = |key: &str| described[key].as_str().unwrap_or_default();
    let serial = described.get("serial").map(|_| format!(", serial {}", text("serial"))).unwrap_or_default();
    format!("{} of {}{serial}", text("file"), text("organization"))
}

fn consent(signed: &[sign::Signed], steps: &[Step]) -> String {
    let orgs = signed.iter().map(|one| one.request.msp_id.to_string()).collect::<Vec<_>>().join(", ");
    let upgrades = Step::any_upgrades(steps);
    let upgrade = if upgrades { ", upgrade the orchestrator" } else { "" };
    let them = if signed.len() == 1 { "it" } else { "them" };
    format!("sign for {orgs} and admit {them} in the values file{upgrade}")
}

/// Many findings, one exit: each is shown, the last line says that nothing happened.
pub(in crate::commands) fn refuse_all(desk: &Desk<'_>, mut findings: Vec<Failure>) -> Failure {
    let last = findings.pop();
    findings.iter().for_each(|finding| desk.console.lines(format!("error: {finding}")));
    let last = last.unwrap_or_else(|| Failure::new(Exit::Refused, "refused", "the requests are refused"));
    last.unchanged("nothing was signed and nothing was written").also(findings)
}
