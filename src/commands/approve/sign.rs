//! One signature a request; what was signed before is given out again, byte for byte.

use std::path::PathBuf;

use super::{
    Approval, refuse_all,
    verify::{Passed, hosts},
};
use crate::{
    commands::parallel,
    failure::Result,
    pki::{
        authority::Authority,
        issue::{self, Issued},
        log::{self, Entry, IssueLog},
        request::Request,
    },
    times,
};

/// A request with its certificate.
pub(super) struct Signed {
    pub(super) path: PathBuf,
    pub(super) request: Request,
    pub(super) issued: Issued,
    /// The new line of the log; `None` for a certificate that is given out again.
    pub(super) entry: Option<Entry>,
}

impl Approval<'_> {
    pub(super) fn sign(&self, authority: &Authority, log: &IssueLog, passed: Vec<Passed>) -> Result<Vec<Signed>> {
        let results = parallel(&passed, |one| self.sign_one(authority, log, &one.request));
        let (mut signed, mut findings) = (Vec::new(), Vec::new());
        for (Passed { path, request }, result) in passed.into_iter().zip(results) {
            match result {
                Ok((issued, entry)) => signed.push(Signed { path, request, issued, entry }),
                Err(failure) => findings.push(failure),
            }
        }
        if findings.is_empty() { Ok(signed) } else { Err(refuse_all(self.desk, findings)) }
    }

    pub(in crate::commands) fn sign_one(
        &self,
        authority: &Authority,
        log: &IssueLog,
        request: &Request,
    ) -> Result<(Issued, Option<Entry>)> {
        if let Some(entry) = log.find(&request.digest) {
            return Ok((log::again(entry, authority, self.desk.now)?, None));
        }
        let issued = issue::issue(authority, request, self.args.validity, self.desk.now)?;
        let entry = Entry::new(request, &issued, authority, &self.claim(), self.desk.now);
        Ok((issued, Some(entry)))
    }

    /// Everything that the operator should see before the question.
    pub(super) fn show(&self, signed: &Signed) {
        let (request, issued) = (&signed.request, &signed.issued);
        let say = |text: String| self.desk.console.say(text);
        say(format!("{}: {}", signed.path.display(), request.msp_id));
        say(format!("  host         {}", hosts(request)));
        say(format!("  key          {}, {}", request.key_type, request.fingerprint));
        say(format!(
            "  asked for    {}",
            if request.asked.is_empty() { "nothing more".to_owned() } else { request.asked.join("; ") }
        ));
        say(format!("  certificate  O={}, DNS {}, client authentication only", request.msp_id, hosts(request)));
        let cut = if issued.cut_to_ca_end { " (cut to the CA's end)" } else { "" };
        say(format!(
            "  valid        {} to {}{cut}",
            times::rfc3339(issued.not_before),
            times::rfc3339(issued.not_after)
        ));
        if signed.entry.is_none() {
            say("  again        this request was signed before: the same certificate is given out".to_owned());
        }
        if self.args.unverified_mail && signed.entry.is_some() {
            say("  unverified   nobody compared the fingerprint, and the log will say so".to_owned());
        }
        request.notes.iter().for_each(|note| say(format!("  note         {note}")));
    }
}
