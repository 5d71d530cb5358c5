//! The acceptance policy: what a request must be before a certificate authority signs for it.

mod key;
mod names;
mod shape;

use x509_cert::{der::Encode, request::CertReq};

use super::{
    fingerprint::Fingerprint,
    log::IssueLog,
    request::{Request, RequestDigest},
};
use crate::{
    failure::{Exit, Failure},
    names::{Hostname, MspId},
};

/// A rule of the policy.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The code of its findings.
    pub code: &'static str,
    /// What it stops.
    pub stops: &'static str,
}

/// Every rule, in the order in which they are checked.
pub const RULES: &[Rule] = &[
    Rule { code: "private-key", stops: "a private key that came by mail: it is burnt" },
    Rule { code: "request-pem", stops: "files that people and machines read differently" },
    Rule { code: "request-der", stops: "encodings that two parsers read differently" },
    Rule {
        code: "request-signature",
        stops: "a request by somebody who does not hold the key; SHA-1 and confused algorithms",
    },
    Rule { code: "request-key", stops: "weak keys, and kinds of key that one of the servers refuses" },
    Rule {
        code: "key-taken",
        stops: "the key of the CA, the server or another organization; a renewal that keeps its key",
    },
    Rule {
        code: "subject",
        stops: "a second O, by which one organization is let in as another; fields that nobody checks",
    },
    Rule { code: "subject-string", stops: "string types in which equal text hides behind other bytes" },
    Rule { code: "organization", stops: "names that change the manifest, and two names that become one in it" },
    Rule { code: "not-a-member", stops: "enrolling a stranger" },
    Rule { code: "host", stops: "posing as the orchestrator or as another organization's backend" },
    Rule { code: "request-attributes", stops: "secrets in mail, and a second list of extensions" },
    Rule { code: "request-extensions", stops: "asking to be a CA or a server" },
    Rule { code: "fingerprint", stops: "a request swapped on its way, its O kept" },
];

/// What a request is judged against.
#[derive(Clone, Copy)]
pub struct Circumstances<'a> {
    /// `channels[].organizations` of the orchestrator's values.
    pub members: &'a [String],
    /// The keys that `clientCACerts` has now.
    pub client_ca_keys: &'a [String],
    /// Every name of the orchestrator, in lower case.
    pub orchestrator_names: &'a [String],
    /// Keys that no organization can have, and whose they are.
    pub burnt: &'a [(Fingerprint, String)],
    /// The kebab form that the chart gives to a name.
    pub kebab: fn(&str) -> String,
    /// What was issued before.
    pub log: &'a IssueLog,
}

/// Hosts that no organization can have, whatever the orchestrator is called.
const NOBODYS_HOSTS: [&str; 2] = ["localhost", "substra.backend.local"];

/// Judges the bytes of a request's file; nothing is signed but what these bytes say.
///
/// # Errors
/// All findings, as far as the request could be read.
pub fn judge(file: &str, bytes: &[u8], circumstances: &Circumstances<'_>) -> Result<Request, Vec<Failure>> {
    let refuse = Refuser { file };
    let (der, mut notes) = shape::block(&refuse, bytes).map_err(|finding| vec![finding])?;
    let request = shape::parse(&refuse, &der).map_err(|finding| vec![finding])?;
    let mut findings = Vec::new();
    let key_type = key::judge(&refuse, &request).map_err(|finding| findings.push(finding)).ok();
    let subject = names::subject(&refuse, &request).map_err(|found| findings.extend(found)).ok();
    let asked = shape::attributes(&refuse, &request).map_err(|found| findings.extend(found)).ok();
    let spki = request.info.public_key.to_der().unwrap_or_default();
    let fingerprint = Fingerprint::of_spki(&spki);
    let digest = RequestDigest::of_info(&request.info.to_der().unwrap_or_default());
    if let Some((msp_id, common_name)) = &subject {
        findings.extend(names::organization(&refuse, msp_id, circumstances));
        findings.extend(key::taken(&refuse, fingerprint, &digest, msp_id, circumstances));
        let wanted = common_name.iter().chain(asked.iter().flat_map(|asked| &asked.hosts));
        match names::hosts(&refuse, wanted, msp_id, circumstances) {
            Ok(hosts) => {
                if let (Some(key_type), Some(asked), true) = (key_type, asked, findings.is_empty()) {
                    notes.extend(asked.notes);
                    let msp_id = msp_id.clone();
                    return Ok(Request {
                        msp_id,
                        hosts,
                        spki,
                        key_type,
                        fingerprint,
                        digest,
                        asked: asked.lines,
                        notes,
                    });
                }
            }
            Err(found) => findings.extend(found),
        }
    }
    Err(findings)
}

/// Where the organization that is meant comes from.
#[derive(Debug, Clone)]
pub enum Claim {
    /// Fingerprints that were read out over another channel.
    Fingerprints(Vec<(MspId, Fingerprint)>),
    /// Nobody compared: the request's own O counts, and the log says so.
    UnverifiedMail,
}

/// Whether a request is the one that its organization meant.
///
/// # Errors
/// No fingerprint was given for it, or another one.
pub fn identify(file: &str, request: &Request, claim: &Claim) -> Result<(), Failure> {
    let Claim::Fingerprints(given) = claim else { return Ok(()) };
    let org = &request.msp_id;
    let refuse = Refuser { file };
    if let Some((other, _)) =
        given.iter().find(|(other, fingerprint)| *fingerprint == request.fingerprint && other != org)
    {
        return Err(refuse
            .finding("fingerprint", format!("the fingerprint was given for {other}, and the request says it is {org}"))
            .next(format!("ask whoever read it out who they are; {org} and {other} must not be mixed up")));
    }
    match given.iter().find(|(other, _)| other == org) {
        Some((_, fingerprint)) if *fingerprint == request.fingerprint => Ok(()),
        Some((_, fingerprint)) => Err(refuse
            .finding("fingerprint", format!("its key has {}, and {fingerprint} was given for {org}", request.fingerprint))
            .next("the request was swapped or the wrong file was sent: ask its operator for the request and the fingerprint again")),
        None => Err(refuse
            .finding("fingerprint", format!("nobody has compared the fingerprint of {org}'s key"))
            .next(format!("call {org}'s operator by phone, then add --fingerprint {org}=SHA256:... as it is read out to you"))),
    }
}

/// Makes findings about one file.
pub(super) struct Refuser<'a> {
    file: &'a str,
}

impl Refuser<'_> {
    /// A finding; who sent the request has to do something about it, unless the caller knows better.
    pub(super) fn finding(&self, code: &'static str, why: impl Into<String>) -> Failure {
        Failure::new(Exit::Refused, code, format!("{} is not signed", self.file))
            .why(why)
            .next("ask the organization to make a new request with enroll --new-request")
            .unchanged("nothing was signed and nothing was written")
    }
}

/// The request's public key as the servers see it: the bits of the key itself.
fn key_bits(request: &CertReq) -> &[u8] {
    request.info.public_key.subject_public_key.raw_bytes()
}

/// A checked name of a host.
fn hostname(text: &str) -> Result<Hostname, String> {
    let lower = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    lower.parse().map_err(|e: crate::names::BadName| e.to_string())
}
