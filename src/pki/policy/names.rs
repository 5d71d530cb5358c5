//! The names of a request: its organization, and the hosts that it may and may not have.

use der::{
    Decode, Encode,
    asn1::{Any, ObjectIdentifier},
};
use x509_cert::request::CertReq;

use super::{Circumstances, NOBODYS_HOSTS, Refuser, hostname, shape::is_plain_string};
use crate::{
    failure::Failure,
    names::{Hostname, MspId},
    pki::inspect::printable,
};

const ORGANIZATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// The longest kebab form for which the volume's name stays a DNS label of 63 characters.
const LONGEST_KEBAB: usize = 32;

/// O and CN of a subject that has exactly one O, at most one CN, and nothing else.
pub(super) fn subject(refuse: &Refuser<'_>, request: &CertReq) -> Result<(MspId, Option<String>), Vec<Failure>> {
    let mut findings = Vec::new();
    let (mut organizations, mut common_names) = (Vec::new(), Vec::new());
    for rdn in request.info.subject.iter_rdn() {
        if rdn.len() != 1 {
            findings.push(refuse.finding("subject", "a part of its subject holds several attributes at once"));
        }
        for attribute in rdn.iter() {
            match attribute.oid {
                ORGANIZATION => organizations.push(&attribute.value),
                COMMON_NAME => common_names.push(&attribute.value),
                other => {
                    findings.push(refuse.finding(
                        "subject",
                        format!("its subject has the attribute {other}: only O and CN belong there"),
                    ));
                }
            }
        }
    }
    if organizations.len() != 1 {
        let why = format!(
            "its subject has {} O attributes: the server lets a certificate in as every O that it has",
            organizations.len()
        );
        findings.push(refuse.finding("subject", why));
    }
    if common_names.len() > 1 {
        findings.push(refuse.finding("subject", "its subject has several CN attributes"));
    }
    if organizations.iter().chain(&common_names).any(|value| !is_plain_string(value)) {
        findings.push(refuse.finding("subject-string", "a name in its subject is not a UTF8String or PrintableString"));
    }
    let text = |value: &&Any| -> Option<String> {
        let der = value.to_der().ok()?;
        der::asn1::Utf8StringRef::from_der(&der)
            .map(|s| s.as_str().to_owned())
            .ok()
            .or_else(|| der::asn1::PrintableStringRef::from_der(&der).map(|s| s.as_str().to_owned()).ok())
    };
    let organization = organizations.first().and_then(text);
    let msp_id = organization.as_deref().map(str::parse::<MspId>);
    match (msp_id, findings.is_empty()) {
        (Some(Ok(msp_id)), true) => Ok((msp_id, common_names.first().and_then(text))),
        (Some(Err(error)), _) => {
            findings.push(
                refuse.finding("organization", format!("its O cannot be used: {}", printable(&error.to_string()))),
            );
            Err(findings)
        }
        (None, true) => Err(vec![refuse.finding("subject-string", "its O cannot be read")]),
        _ => Err(findings),
    }
}

/// A member's name that stays itself in the manifest.
pub(super) fn organization(refuse: &Refuser<'_>, msp_id: &MspId, circumstances: &Circumstances<'_>) -> Vec<Failure> {
    let mut findings = Vec::new();
    let name = msp_id.as_str();
    if !circumstances.members.iter().any(|member| member == name) {
        let why = format!("{name} is not a member of any channel in the orchestrator's values");
        findings.push(
            refuse.finding("not-a-member", why).next(
                "if it should be one, add it to channels[].organizations first; names are compared byte for byte",
            ),
        );
    }
    let kebab = (circumstances.kebab)(name);
    let label = |s: &str| {
        s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && s.bytes().next_back().is_some_and(|b| b != b'-')
    };
    if kebab.len() > LONGEST_KEBAB || !label(&kebab) {
        let why = format!(
            "{name} becomes {kebab} in the name of a volume: at most {LONGEST_KEBAB} letters, digits and dashes fit there"
        );
        findings.push(refuse.finding("organization", why).next("the organization needs another MSP ID"));
    }
    let others = circumstances.client_ca_keys.iter().chain(circumstances.members);
    if let Some(other) = others.into_iter().find(|other| *other != name && (circumstances.kebab)(other) == kebab) {
        let why = format!("{name} and {other} become the same volume, {kebab}, which the API server refuses");
        findings.push(refuse.finding("organization", why).next("one of the two organizations needs another MSP ID"));
    }
    findings
}

/// Hosts that are nobody else's, at least one.
pub(super) fn hosts<'a>(
    refuse: &Refuser<'_>,
    wanted: impl Iterator<Item = &'a String>,
    msp_id: &MspId,
    circumstances: &Circumstances<'_>,
) -> Result<Vec<Hostname>, Vec<Failure>> {
    let mut hosts: Vec<Hostname> = Vec::new();
    let mut findings = Vec::new();
    for name in wanted {
        match hostname(name) {
            Err(why) => findings.push(refuse.finding("host", printable(&why))),
            Ok(host) => {
                findings.extend(whose(&host, msp_id, circumstances).map(|why| refuse.finding("host", why)));
                if !hosts.contains(&host) {
                    hosts.push(host);
                }
            }
        }
    }
    if hosts.is_empty() && findings.is_empty() {
        findings.push(refuse.finding("host", "it names no host: neither a CN nor a DNS name"));
    }
    if findings.is_empty() { Ok(hosts) } else { Err(findings) }
}

fn whose(host: &Hostname, msp_id: &MspId, circumstances: &Circumstances<'_>) -> Option<String> {
    let name = host.as_str();
    if NOBODYS_HOSTS.contains(&name) {
        return Some(format!("{name} is a default that nobody means"));
    }
    let covers = |own: &String| {
        own == name
            || own.strip_prefix("*.").is_some_and(|parent| name.split_once('.').is_some_and(|(_, rest)| rest == parent))
    };
    if circumstances.orchestrator_names.iter().any(covers) {
        return Some(format!(
            "{name} is the orchestrator's own name: with it an organization could pose as the orchestrator to all others"
        ));
    }
    let mut entries = circumstances.log.entries().iter().filter(|entry| entry.organization != msp_id.as_str());
    let other = entries.find(|entry| entry.hosts.iter().any(|taken| taken == name))?;
    Some(format!("{name} is the host of {}", other.organization))
}
