//! One signature a request, once the operator has agreed; what was signed before is given out again, byte for byte.

use std::path::{Path, PathBuf};

use super::{
    Batch,
    verify::{VerifiedRequest, hosts},
};
use crate::{
    exchange::ca::CaSource,
    failure::Result,
    files::{
        self,
        target::{self, FilesInUse},
    },
    parallel::parallel,
    pki::{
        authority::Authority,
        inspect::{self, Certificate},
        issue::{IssuedCertificate, ValidityPeriod},
        log::{self, Entry, IssueLog},
        policy::Identification,
        request::Request,
    },
    plan::{Action, Step, StepId},
    release::issue_log,
    times,
};

/// A request with what it will get, and where that goes.
pub(super) struct SigningPlan {
    pub(super) path: PathBuf,
    pub(super) request: Request,
    pub(super) identified: Identification,
    pub(super) target: PathBuf,
    pub(super) window: ValidityPeriod,
    /// There from the start where the request is in the log.
    pub(super) issued: Option<IssuedCertificate>,
    pub(super) is_again: bool,
    /// The serial number of the certificate that is in the target.
    replaces: Option<String>,
    is_there: bool,
}

impl Batch<'_> {
    /// What each request will get, or all findings. Nothing is signed yet.
    pub(super) fn ready(
        &self,
        authority: &Authority,
        log: &IssueLog,
        passed: Vec<VerifiedRequest>,
    ) -> Result<Vec<SigningPlan>> {
        let in_use = FilesInUse::new(self.read());
        self.approval.all_or_none(passed.into_iter().map(|one| self.ready_one(authority, log, &in_use, one)))
    }

    fn ready_one(
        &self,
        authority: &Authority,
        log: &IssueLog,
        in_use: &FilesInUse,
        passed: VerifiedRequest,
    ) -> Result<SigningPlan> {
        let VerifiedRequest { path, request, identified } = passed;
        let entry = log.find(&request.digest);
        let issued = entry.map(|entry| log::reissue(entry, authority, self.approval.session.now)).transpose()?;
        let window = match &issued {
            Some(issued) => issued.window(),
            None => self.approval.fits(authority, &request)?,
        };
        let folder = self.args.out_dir.clone().or_else(|| path.parent().map(PathBuf::from)).unwrap_or_default();
        let target = folder.join(format!("{}.crt", request.msp_id));
        in_use.spare(&target)?;
        let there = files::read_if_there(&target)?;
        let is_there =
            matches!((&there, &issued), (Some(there), Some(issued)) if there.as_slice() == issued.pem.as_bytes());
        let replaces = there.filter(|_| !is_there).map(|there| own(&target, &there, &request)).transpose()?;
        // Unattended, a request that lies about is no reason to go back to an older certificate.
        let is_newer = |there: &Certificate| self.args.renewals && there.not_before > window.not_before;
        let is_there = is_there || replaces.as_ref().is_some_and(is_newer);
        let replaces = replaces.map(|there| there.serial);
        let is_again = issued.is_some();
        Ok(SigningPlan { path, request, identified, target, window, issued, is_again, replaces, is_there })
    }

    /// Every file that the run needs as it is.
    fn read(&self) -> Vec<(PathBuf, &'static str)> {
        let requests = self.args.requests.iter().map(|path| (path.clone(), "a request"));
        let values = self.target.options.values.iter().map(|path| (path.clone(), "a values file"));
        let mut all: Vec<_> = requests.chain(values).collect();
        if let CaSource::Files { certificate, key } = &self.approval.source {
            all.push((certificate.clone(), "the CA's certificate"));
            all.push((key.clone(), "the CA's private key"));
            all.push((issue_log::beside(certificate), "the issue log"));
        }
        all
    }

    /// Signs what is not signed yet; gives the new entries of the log.
    pub(super) fn sign(&self, authority: &Authority, all: &mut [SigningPlan]) -> Result<Vec<Entry>> {
        let due: Vec<&mut SigningPlan> = all.iter_mut().filter(|ready| ready.issued.is_none()).collect();
        let results = parallel(due, |ready| -> Result<Entry> {
            let (issued, entry) = self.approval.sign(authority, &ready.request, &ready.identified)?;
            ready.issued = Some(issued);
            Ok(entry)
        });
        self.approval.all_or_none(results)
    }

    /// Everything that the operator should see before the question.
    pub(super) fn show(&self, ready: &SigningPlan) {
        let SigningPlan { request, window, .. } = ready;
        let say = |text: String| self.approval.session.console.say(text);
        say(format!("{}: {}", ready.path.display(), request.msp_id));
        say(format!("  host         {}", hosts(request)));
        if let Some(foreign) = foreign_hosts(request) {
            say(format!("  elsewhere    {foreign}"));
        }
        // A number that nobody has compared is not shown: it would be copied into --fingerprint.
        let print = if ready.is_compared() {
            request.fingerprint.to_string()
        } else {
            "its fingerprint not compared".to_owned()
        };
        say(format!("  key          {}, {print}", request.key_type));
        say(format!(
            "  asked for    {}",
            if request.asked.is_empty() { "nothing more".to_owned() } else { request.asked.join("; ") }
        ));
        say(format!("  certificate  O={}, DNS {}, client authentication only", request.msp_id, hosts(request)));
        let cut = if window.cut_to_ca_end { " (cut to the CA's end)" } else { "" };
        let at = times::rfc3339;
        say(format!("  valid        {} to {}{cut}", at(window.not_before), at(window.not_after)));
        if ready.is_again {
            say("  again        this request was signed before: it gets the same certificate; nothing new is signed or logged, and --validity changes nothing".to_owned());
        } else {
            identified_line(&ready.identified).into_iter().for_each(say);
        }
        request.notes.iter().for_each(|note| say(format!("  note         {note}")));
    }
}

/// What a request asks beside its own domain, for people to look at; a first-comer could take the names of others.
pub(super) fn foreign_hosts(request: &Request) -> Option<String> {
    let foreign = request.foreign_hosts();
    let names = foreign.iter().map(|host| host.as_str()).collect::<Vec<_>>().join(", ");
    (!foreign.is_empty()).then(|| format!("{names}: outside of the domain of {}", request.hosts[0]))
}

/// Another certificate of this organization may be replaced, and is named; nothing else.
fn own(target: &Path, there: &[u8], request: &Request) -> Result<Certificate> {
    let first = inspect::certificates(there).ok().and_then(|found| found.into_iter().next());
    let of_it = first.filter(|found| !found.is_ca && found.organizations == [request.msp_id.as_str()]);
    of_it.ok_or_else(|| target::foreign(target, &format!("no certificate of {}", request.msp_id)))
}

/// What the operator has to know of how the request was identified.
fn identified_line(identified: &Identification) -> Option<String> {
    match identified {
        Identification::Fingerprint => None,
        Identification::UnverifiedMail => {
            Some("  unverified   nobody compared the fingerprint, and the log will say so".to_owned())
        }
        Identification::Renewal { predecessor, .. } => Some(format!(
            "  renewal      vouched for by certificate {}, valid until {}",
            predecessor.serial,
            times::rfc3339(predecessor.not_after)
        )),
    }
}

impl SigningPlan {
    /// What its operator does with the certificate.
    pub(super) fn sent(&self) -> String {
        format!("send {} to {}'s operator", self.target.display(), self.request.msp_id)
    }

    /// Whether somebody compared its fingerprint, now or when it was answered.
    pub(super) fn is_compared(&self) -> bool {
        let compared =
            matches!(self.identified, Identification::Fingerprint | Identification::Renewal { compared: true, .. });
        self.is_again || compared
    }

    /// What a script has to be told of the names that it asks for.
    pub(super) fn asks_elsewhere(&self) -> Option<String> {
        Some(format!("{} asks for {}", self.request.msp_id, foreign_hosts(&self.request)?))
    }

    /// The step that lets the certificate go.
    pub(super) fn step(&self) -> Step {
        let replaces = self.replaces.as_ref().map(|serial| format!(", replaces {serial}")).unwrap_or_default();
        let title = format!("certificate of {} in {}{replaces}", self.request.msp_id, self.target.display());
        let later = || Action::AfterConsent(Some(Box::new(self.publish(Vec::new()))));
        Step::to_do(StepId::Certificate, title, self.action().unwrap_or_else(later)).already_if(self.is_there)
    }

    /// What the step does, once the certificate is there.
    pub(super) fn action(&self) -> Option<Action> {
        Some(self.publish(self.issued.as_ref()?.pem.clone().into_bytes()))
    }

    fn publish(&self, bytes: Vec<u8>) -> Action {
        Action::Publish { path: self.target.clone(), bytes }
    }
}
