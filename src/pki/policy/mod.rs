//! The acceptance policy: which requests may become certificates. Every finding is a failure with a stable code.

mod batch;
mod context;
mod extensions;
mod names;
mod parse;
pub mod proof;
mod rules;

use time::OffsetDateTime;
use x509_cert::request::CertReq;

pub use self::{
    batch::{BatchRequest, batch_conflicts},
    rules::{RULES, Rule},
};
use self::{
    extensions::RequestedExtensions,
    names::RequestSubject,
    parse::{ParsedRequest, SEND_A_NEW_ONE},
    proof::Predecessor,
};
use super::{
    fingerprint::Fingerprint,
    key::KeyType,
    log::IssueLog,
    request::{Request, RequestDigest},
    spki::PublicKey,
};
use crate::{
    failure::{Code, Exit, Failure},
    names::MspId,
    plain::excerpt,
};

/// What the policy has to know besides the request.
pub struct PolicyContext<'a> {
    /// The organizations of all channels (`channels[].organizations` of the orchestrator's values).
    pub members: &'a [String],
    /// The keys of the orchestrator's `clientCACerts`.
    pub client_ca_keys: &'a [String],
    /// All names of the orchestrator: ingress, extra hosts, its pair's alternative names, its service's names.
    pub orchestrator_names: &'a [String],
    /// Keys that no request may have, and whose they are: "the CA".
    pub burnt: &'a [(Fingerprint, String)],
    /// The chart's `kebabcase`.
    pub kebab: fn(&str) -> String,
    /// What was issued before.
    pub log: &'a IssueLog,
    /// Certificates that expired before it block no name.
    pub now: OffsetDateTime,
}

/// How the operator knows that a request came unaltered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Fingerprints that came over another channel than the requests.
    Fingerprints(Vec<(MspId, Fingerprint)>),
    /// The operator takes the mail's word for it; this goes into the log.
    UnverifiedMail,
}

impl Claim {
    /// Whether it has a fingerprint for the organization of a request, or the request's fingerprint for another one.
    #[must_use]
    pub fn speaks_of(&self, request: &Request) -> bool {
        match self {
            Self::Fingerprints(claims) => {
                claims.iter().any(|(org, print)| *org == request.msp_id || *print == request.fingerprint)
            }
            Self::UnverifiedMail => false,
        }
    }
}

/// How it was settled that a request is its organization's, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identification {
    /// Its fingerprint came over another channel, or its key was made before the operator's eyes.
    Fingerprint,
    /// The operator took the mail's word for it.
    UnverifiedMail,
    /// The key of the certificate before signed it.
    Renewal {
        /// That certificate.
        predecessor: Predecessor,
        /// Whether its fingerprint was compared as well.
        compared: bool,
    },
}

impl Identification {
    /// The serial number of the certificate by whose key it was signed.
    #[must_use]
    pub fn predecessor(&self) -> Option<&str> {
        match self {
            Self::Renewal { predecessor, .. } => Some(&predecessor.serial),
            Self::Fingerprint | Self::UnverifiedMail => None,
        }
    }
}

/// Judges an organization without a request: `msp-id`, `request-organization` and `request-not-a-member`.
#[must_use]
pub fn organization(msp_id: &MspId, context: &PolicyContext<'_>) -> Option<Failure> {
    context::not_the_default(msp_id)
        .or_else(|| context::chart_key(msp_id, context))
        .or_else(|| context::member(msp_id, context))
}

/// Judges the request in `bytes`; `file` is how people know it.
///
/// # Errors
/// All findings, as far as the request can be read; their codes are those of [`RULES`].
pub fn check_request(file: &str, bytes: &[u8], context: &PolicyContext<'_>) -> Result<Request, Vec<Failure>> {
    parse::read(bytes).map_err(|finding| vec![finding]).and_then(|form| judge_form(form, context)).map_err(|findings| {
        let named = |finding: Failure| Failure { what: format!("{}: {}", excerpt(file), finding.what), ..finding };
        findings.into_iter().map(named).collect()
    })
}

fn judge_form(form: ParsedRequest, context: &PolicyContext<'_>) -> Result<Request, Vec<Failure>> {
    let mut findings = Vec::new();
    let digest = RequestDigest::of(&form.info);
    let fingerprint = Fingerprint::of_spki(&form.spki);
    let key_type = key(&form, &mut findings);
    let subject = names::subject(&form.request.info.subject, &mut findings);
    let asked = extensions::read(&form.request.info.attributes, &mut findings);
    let given = subject.common_name.iter().chain(&asked.dns_names).map(String::as_str);
    let hosts = names::hosts(given, &mut findings);
    let msp_id = subject.msp_id.as_ref();
    findings.extend(context::foreign_key(fingerprint, msp_id, context));
    findings.extend(hosts.iter().filter_map(|host| context::host(host, context)));
    // Who asks again gets the same certificate, even if another organization has one of its names now.
    let is_new = context.log.find(&digest).is_none();
    findings.extend(is_new.then(|| names::too_many(&hosts)).flatten());
    if let Some(msp_id) = msp_id {
        findings.extend(context::not_the_default(msp_id));
        let others = hosts.iter().filter(|_| is_new);
        findings.extend(others.filter_map(|host| context::host_of_another(host, msp_id, context)));
        findings.extend(context::renewed_key(fingerprint, digest, msp_id, context));
        findings.extend(context::chart_key(msp_id, context));
        findings.extend(context::member(msp_id, context));
    }
    let asked = lines(&subject, asked, key_type);
    match (subject.msp_id, key_type) {
        (Some(msp_id), Some(key_type)) if findings.is_empty() => {
            let ParsedRequest { spki, notes, proof, .. } = form;
            Ok(Request { msp_id, hosts, spki, key_type, fingerprint, digest, asked, notes, proof })
        }
        _ => Err(findings),
    }
}

/// `request-key` and `request-signature`: a strong key, and a signature that proves possession of it.
fn key(form: &ParsedRequest, findings: &mut Vec<Failure>) -> Option<KeyType> {
    let CertReq { info, algorithm, signature } = &form.request;
    let key = PublicKey::read(&info.public_key);
    let key = key
        .map_err(|why| {
            findings.push(finding(Code::RequestKey, "its key is not acceptable").why(why).next(SEND_A_NEW_ONE));
        })
        .ok()?;
    let signature = signature.as_bytes().unwrap_or_default();
    if let Err(why) = key.verify(algorithm, &form.info, signature) {
        findings.push(finding(Code::RequestSignature, "its signature does not hold").why(why).next(SEND_A_NEW_ONE));
    }
    Some(key.key_type)
}

fn lines(subject: &RequestSubject, asked: RequestedExtensions, key_type: Option<KeyType>) -> Vec<String> {
    let organization = subject.msp_id.as_ref().map(|msp_id| format!("organization: {msp_id}"));
    let host = subject.common_name.as_ref().map(|name| format!("common name: {}", excerpt(name)));
    let key = key_type.map(|key_type| format!("key: {key_type}"));
    organization.into_iter().chain(host).chain(asked.lines).chain(key).collect()
}

/// Compares the fingerprint that the organization gave over another channel with the request's.
///
/// # Errors
/// Codes `request-fingerprint` and `request-organization`.
pub fn identify(file: &str, request: &Request, claim: &Claim) -> Result<Identification, Failure> {
    let Claim::Fingerprints(claims) = claim else { return Ok(Identification::UnverifiedMail) };
    let differ = |(one, print): &&(MspId, Fingerprint)| claims.iter().any(|(org, other)| org == one && other != print);
    if let Some((organization, _)) = claims.iter().find(differ) {
        return Err(finding(
            Code::RequestFingerprint,
            format!("two different fingerprints were given for {organization}"),
        )
        .why("only one of them can be the one that its operator read out")
        .next(format!("give the one that {organization}'s operator reads out")));
    }
    let (own, print) = (&request.msp_id, request.fingerprint);
    let file = excerpt(file);
    if let Some((other, _)) = claims.iter().find(|(organization, claimed)| *claimed == print && organization != own) {
        return Err(finding(
            Code::RequestOrganization,
            format!("{file}: it names {own}, but its fingerprint was given for {other}"),
        )
        .why(format!("the holder of this key asks to be {own}"))
        .next(format!("ask {other} why its request names {own}; do not approve it")));
    }
    if claims.contains(&(own.clone(), print)) {
        return Ok(Identification::Fingerprint);
    }
    let refusal = match claims.iter().find(|(organization, _)| organization == own) {
        // The right fingerprint is not shown: it would be copied, and nobody would have asked the organization.
        Some(_) => finding(Code::RequestFingerprint, format!("{file}: its fingerprint is not the one given for {own}"))
            .why("they differ: the request was swapped on its way, or the fingerprint is one of another request"),
        None => finding(Code::RequestFingerprint, format!("{file}: no fingerprint was given for {own}"))
            .why("nothing else shows that the request was not swapped on its way"),
    };
    Err(refusal.next(by_fingerprint(own)))
}

/// What helps wherever nothing else shows whose request it is.
fn by_fingerprint(own: &MspId) -> String {
    format!("ask {own}'s operator by phone, then add --fingerprint {own}=SHA256:HEX")
}

fn finding(code: Code, what: impl Into<String>) -> Failure {
    Failure::new(Exit::Refused, code, what)
}
