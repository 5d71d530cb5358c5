//! `request-subject`, `request-text-type`, `request-organization`, `request-host`: the form of a request's names.

use der::{
    Tag, Tagged,
    asn1::{PrintableStringRef, Utf8StringRef},
};
use x509_cert::{attr::AttributeTypeAndValue, name::Name};

use super::{
    finding,
    parse::{ITS_OWN_HOST, SEND_A_NEW_ONE},
};
use crate::{
    failure::{Code, Failure},
    names::{Hostname, MspId},
    pki::oid,
    plain::excerpt,
};

/// What the subject says, as far as it can be read.
#[derive(Default)]
pub(super) struct RequestSubject {
    pub(super) msp_id: Option<MspId>,
    pub(super) common_name: Option<String>,
}

/// Reads the subject: one O, which is an MSP ID, and at most one CN.
pub(super) fn subject(name: &Name, findings: &mut Vec<Failure>) -> RequestSubject {
    let of = |oid| name.iter().filter(move |attribute| attribute.oid == oid).collect::<Vec<_>>();
    let (organizations, common_names) = (of(oid::ORGANIZATION), of(oid::COMMON_NAME));
    if let Err(why) = shape(name, organizations.len(), common_names.len()) {
        findings.push(
            finding(Code::RequestSubject, "its subject is not one O and at most one CN")
                .why(why)
                .next("ask for a request whose subject is `/O=<MSP ID>/CN=<host of the backend>` and nothing else"),
        );
        return RequestSubject::default();
    }
    let common_name = common_names.first().and_then(|attribute| text(attribute, findings));
    let organization = organizations.first().and_then(|attribute| text(attribute, findings));
    let msp_id = organization.and_then(|given| match given.parse::<MspId>() {
        Ok(msp_id) => Some(msp_id),
        Err(bad) => {
            findings.push(
                finding(Code::RequestOrganization, format!("its O {:?} is no MSP ID", excerpt(&given)))
                    .why(bad.rule)
                    .next("ask for a request whose O is the backend's `orchestrator.mspID`, letter by letter"),
            );
            None
        }
    });
    RequestSubject { msp_id, common_name }
}

fn shape(name: &Name, organizations: usize, common_names: usize) -> Result<(), String> {
    if name.iter_rdn().any(|rdn| rdn.len() != 1) {
        return Err("a part of it has several values at once".to_owned());
    }
    let known = [oid::ORGANIZATION, oid::COMMON_NAME];
    if let Some(other) = name.iter().find(|attribute| !known.contains(&attribute.oid)) {
        return Err(format!("it has another field ({}), which nobody would check", other.oid));
    }
    match (organizations, common_names) {
        (1, 0 | 1) => Ok(()),
        (1, several) => Err(format!("it has {several} CN")),
        (0, _) => Err("it has no O, so that the orchestrator could not tell whose it is".to_owned()),
        (several, _) => {
            Err(format!("it has {several} O: the orchestrator would take it for each of these organizations"))
        }
    }
}

fn text(attribute: &AttributeTypeAndValue, findings: &mut Vec<Failure>) -> Option<String> {
    let value = &attribute.value;
    let read = match value.tag() {
        Tag::Utf8String => value.decode_as::<Utf8StringRef<'_>>().ok().map(|text| text.as_str().to_owned()),
        Tag::PrintableString => value.decode_as::<PrintableStringRef<'_>>().ok().map(|text| text.as_str().to_owned()),
        _ => None,
    };
    if read.is_none() {
        let field = if attribute.oid == oid::ORGANIZATION { "O" } else { "CN" };
        findings.push(
            finding(Code::RequestTextType, format!("its {field} is neither a UTF8String nor a PrintableString"))
                .why("in other types, names that look alike can differ for the servers")
                .next(SEND_A_NEW_ONE),
        );
    }
    read
}

/// The most names of one certificate: a backend has one, and its other ones are few.
const MOST_HOSTS: usize = 10;

/// Nobody reserves names: they would be refused to all others.
pub(super) fn too_many(hosts: &[Hostname]) -> Option<Failure> {
    (hosts.len() > MOST_HOSTS).then(|| {
        finding(Code::RequestHost, format!("it names {} hosts, more than {MOST_HOSTS}", hosts.len()))
            .why("a backend has one host and few other names, and a name that one has is refused to all others")
            .next(ITS_OWN_HOST)
    })
}

/// The host names of CN and alternative names: in lower case, each once.
pub(super) fn hosts<'a>(names: impl Iterator<Item = &'a str>, findings: &mut Vec<Failure>) -> Vec<Hostname> {
    let mut hosts: Vec<Hostname> = Vec::new();
    let mut any = false;
    for name in names {
        any = true;
        match name.to_ascii_lowercase().parse::<Hostname>() {
            Ok(host) if !hosts.contains(&host) => hosts.push(host),
            Ok(_) => {}
            Err(bad) => findings.push(
                finding(Code::RequestHost, format!("its name {:?} is not a host name", excerpt(name)))
                    .why(bad.rule)
                    .next("ask for a request that names the backend's own host, without wildcard, port or final dot"),
            ),
        }
    }
    if !any {
        findings.push(
            finding(Code::RequestHost, "it names no host")
                .why("a certificate without a host name could stand for any machine")
                .next("ask for a request whose CN is the host of the backend"),
        );
    }
    hosts
}
