//! The first run of `enroll`: a key, a certificate signing request, and where both wait.

use std::path::Path;

use super::{
    Enrolment, VERB,
    seen::{Seen, refuse},
};
use crate::{
    cluster::Object,
    commands::{self, in_folder},
    failure::{Code, Exit, Failure, Result},
    files::{self, target},
    pki::{key::PrivateKey, request},
    plan::{Action, Plan, State, Step, StepId},
    report::{Outcome, Stage},
};

/// Labels of everything that belongs to an enrolment.
const RELEASE_LABEL: &str = "substra-mtls/release";
const MSP_ID_LABEL: &str = "substra-mtls/msp-id";

impl Enrolment<'_> {
    /// The key in a file of its own; no cluster, helm or kubectl.
    pub(super) fn request_with_key_file(&self, path: &Path) -> Result<Outcome> {
        let (key, is_new) = self.key_of_file(path)?;
        let csr = request::create(&key, &self.backend.msp_id, &self.backend.host)?;
        let title = format!("private key in {} (mode 0600)", path.display());
        let key_step = Step::to_do(StepId::Key, title, Action::KeyFile { path: path.to_owned(), pem: key.to_pem() });
        let plan = Plan::of([key_step.already_if(!is_new), self.csr_step(csr.as_bytes())?]);
        let warning = (!self.backend.tls_enabled).then(|| self.no_tls("by these values files, the backend"));
        self.finish_request(&key, &plan.warn(warning))
    }

    fn key_of_file(&self, path: &Path) -> Result<(PrivateKey, bool)> {
        if files::read_if_there(path)?.is_none() {
            files::probe_folder(path.parent().unwrap_or(Path::new("")))?;
            return Ok((PrivateKey::generate(self.args.key_type)?, true));
        }
        Ok((read_key(path)?, false))
    }

    /// The key in a Secret of the release's namespace: it never touches a disk.
    pub(super) fn request_with_secret(&self, seen: &Seen) -> Result<Outcome> {
        let no_tls = (!seen.dials_tls()).then(|| self.no_tls(&format!("release {}", seen.found.name)));
        let warnings = self.other_organization(seen).into_iter().chain(no_tls);
        let reuse = seen.pending.as_ref().filter(|_| !self.args.new_request && !seen.pending_is_live());
        if let Some(pending) = reuse {
            let (key, csr) = self.pending_request(pending)?;
            let secret =
                Step::to_do(StepId::Pending, self.pending_title(), Action::Create(pending.clone())).already_if(true);
            return self.finish_request(&key, &Plan::of([secret, self.csr_step(&csr)?]).warn(warnings));
        }
        let key = PrivateKey::generate(self.args.key_type)?;
        let csr = request::create(&key, &self.backend.msp_id, &self.backend.host)?;
        let action = self.keep(seen, &key, csr.as_bytes());
        let secret = Step::to_do(StepId::Pending, self.pending_title(), action);
        self.finish_request(&key, &Plan::of([secret, self.csr_step(csr.as_bytes())?]).warn(warnings))
    }

    /// The files of another organization's backend; the second run would be refused for the drift.
    fn other_organization(&self, seen: &Seen) -> Option<String> {
        let deployed = seen.found.config()["orchestrator"]["mspID"].as_str()?;
        let (name, ours) = (&seen.found.name, &self.backend.msp_id);
        (deployed != ours.as_str()).then(|| {
            format!(
                "release {name} is deployed with orchestrator.mspID {deployed}, and these values files are of {ours}"
            )
        })
    }

    /// The second run would be refused for it, after mail and phone.
    fn no_tls(&self, who: &str) -> String {
        let trust = self.ours("ca trust orchestrator-ca.crt --backend --enable-tls");
        format!(
            "{who} does not use TLS to the orchestrator yet, without which no certificate can be installed: {trust}"
        )
    }

    fn pending_title(&self) -> String {
        format!("Secret {}: key and request", self.pending_name())
    }

    /// A new pending Secret; over an old one, whose key is kept in case that its certificate comes after all.
    fn keep(&self, seen: &Seen, key: &PrivateKey, csr: &[u8]) -> Action {
        let pem = key.to_pem();
        let mut data = vec![("tls.key", pem.as_bytes()), ("request.csr", csr)];
        let old = seen.pending.as_ref().and_then(|secret| Some((secret, secret.data("tls.key")?)));
        if let Some((secret, old_pem)) = &old {
            let name = earlier_name(secret);
            data.push((&name, old_pem));
            return Action::Replace(secret.with_data(&data));
        }
        let labels = [(RELEASE_LABEL, seen.found.name.as_str()), (MSP_ID_LABEL, self.backend.msp_id.as_str())];
        Action::Create(Object::secret(&self.pending_name(), "Opaque", &labels, &data))
    }

    /// The request that waits, if it is for this organization and this host.
    fn pending_request(&self, pending: &Object) -> Result<(PrivateKey, Vec<u8>)> {
        let name = self.pending_name();
        let spoilt = |why: &str| {
            refuse(Code::Pending, format!("Secret {name} does not hold a request of ours"))
                .why(why.to_owned())
                .next("look at it; if nobody needs it, start over with --new-request")
        };
        let pem = pending.data("tls.key").ok_or_else(|| spoilt("it has no item tls.key"))?;
        let key = PrivateKey::from_pem(&pem, None).map_err(|e| spoilt(&format!("its tls.key cannot be read: {e}")))?;
        let csr = pending.data("request.csr").ok_or_else(|| spoilt("it has no item request.csr"))?;
        // Made again from the same key and today's values, the request must be the same.
        let meant = request::create(&key, &self.backend.msp_id, &self.backend.host)?;
        if request::digest(&csr) != request::digest(meant.as_bytes()) {
            return Err(refuse(
                Code::PendingOther,
                format!("the request in Secret {name} is for other names than the values have now"),
            )
            .why(format!("the values say organization {} and host {}", self.backend.msp_id, self.backend.host))
            .next("put the values back, or ask for a certificate with these names with --new-request"));
        }
        Ok((key, csr.to_vec()))
    }

    /// The request's file; the same request already there is left as it is, since its signature may differ.
    fn csr_step(&self, csr: &[u8]) -> Result<Step> {
        let path = in_folder(&self.args.out_dir, &format!("{}.csr", self.backend.msp_id));
        files::probe_folder(&self.args.out_dir)?;
        let key = self.args.key_file.iter().map(|path| (path.clone(), "the private key"));
        let values = self.options.values.iter().map(|path| (path.clone(), "a values file"));
        target::is_free(&path, &key.chain(values).collect::<Vec<_>>())?;
        let there = files::read_if_there(&path)?;
        let digest = there.as_ref().and_then(|there| request::digest(there));
        let same = digest.is_some() && digest == request::digest(csr);
        let org = self.backend.msp_id.as_str();
        let replaces = match there.filter(|_| !same).map(|there| request::organization(&there)) {
            None => "",
            Some(of) if of.as_deref() == Some(org) => ", replaces another request of yours",
            Some(_) => return Err(target::foreign(&path, &format!("no request of {org}"))),
        };
        let title = format!("certificate signing request in {}{replaces}", path.display());
        Ok(Step::to_do(StepId::Request, title, Action::Publish { path, bytes: csr.to_vec() }).already_if(same))
    }

    fn finish_request(&self, key: &PrivateKey, plan: &Plan) -> Result<Outcome> {
        let open = self.session.carry_out(plan, None)?;
        let stage = commands::stage(open, self.session.dry_run, Stage::Requested);
        let org = &self.backend.msp_id;
        let path = in_folder(&self.args.out_dir, &format!("{org}.csr"));
        let is_new =
            plan.steps.iter().any(|step| matches!(step.id, StepId::Key | StepId::Pending) && step.state == State::ToDo);
        let outcome = commands::outcome(VERB, stage, plan)
            .fact("organization", org.as_str())
            .fact("host", self.backend.host.as_str())
            .fact("request", path.display().to_string())
            .fact_of(is_new, "fingerprint", "fingerprint", key.fingerprint().to_string())
            .fact_of(is_new, "toReadOut", "to read out", key.fingerprint().groups().join(" "));
        Ok(outcome
            .next(format!(
                "send {} to the orchestrator's operator, and read the fingerprint out to them by phone",
                path.display()
            ))
            .next(self.answer()))
    }

    /// What to do with the certificate that answers the request.
    pub(super) fn answer(&self) -> String {
        let file = format!("{}.crt", self.backend.msp_id);
        let again = self
            .ours(VERB)
            .option("--hostname", &self.args.hostname)
            .option("--client-ca", self.args.client_ca.iter().map(|file| file.display()))
            .option("--key-file", self.args.key_file.iter().map(|file| file.display()))
            .option("--certificate", [&file]);
        format!("when {file} comes back: {again}")
    }
}

/// The private key of a `--key-file`, which must be plain, since the backend cannot load an encrypted one.
pub(super) fn read_key(path: &Path) -> Result<PrivateKey> {
    let pem = files::read_private(path)?;
    PrivateKey::from_pem(&pem, None).map_err(|error| {
        Failure::new(Exit::Refused, Code::KeyFile, format!("{} cannot be used as the private key", path.display()))
            .why(error.to_string())
            .next("name another --key-file; a file that is not there is made")
            .unchanged("nothing was written")
    })
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
