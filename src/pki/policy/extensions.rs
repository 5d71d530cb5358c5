//! `request-attribute`, `request-extension`: what a request asks besides subject and key. Nothing of it is ever copied.

use der::{Decode, Encode};
use x509_cert::{
    attr::Attributes,
    ext::{
        Extension, Extensions,
        pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName, name::GeneralName},
    },
};

use super::{finding, parse::SEND_A_NEW_ONE};
use crate::{
    failure::{Code, Failure},
    pki::oid,
    plain::excerpt,
};

/// What was asked for, and lines that say so.
#[derive(Default)]
pub(super) struct RequestedExtensions {
    pub(super) dns_names: Vec<String>,
    pub(super) lines: Vec<String>,
}

/// Checks the attributes, then the extensions that one of them may ask for.
pub(super) fn read(attributes: &Attributes, findings: &mut Vec<Failure>) -> RequestedExtensions {
    let mut asked = RequestedExtensions::default();
    let mut requests = Vec::new();
    for attribute in attributes.iter() {
        match attribute.oid {
            oid::EXTENSION_REQUEST => requests.extend(attribute.values.iter()),
            oid::CHALLENGE_PASSWORD => findings.push(
                attribute_finding("it holds a challenge password")
                    .why("a password has no place in a file that is sent around")
                    .next("ask for a new request without it; that password is compromised"),
            ),
            other => findings.push(
                attribute_finding(&format!("it has an unknown attribute ({other})"))
                    .why("nobody would check what it says")
                    .next(SEND_A_NEW_ONE),
            ),
        }
    }
    match requests.as_slice() {
        [] => {}
        [request] => extensions(request.to_der().ok().and_then(|der| strict(&der)), &mut asked, findings),
        _ => findings.push(
            attribute_finding("it asks for extensions twice")
                .why("programs differ in which of the two they read")
                .next(SEND_A_NEW_ONE),
        ),
    }
    asked
}

fn attribute_finding(what: &str) -> Failure {
    finding(Code::RequestAttribute, what)
}

fn extensions(extensions: Option<Extensions>, asked: &mut RequestedExtensions, findings: &mut Vec<Failure>) {
    let extensions = extensions.filter(|extensions| !extensions.is_empty());
    let Some(extensions) = extensions else {
        findings.push(refused("the extensions that it asks for cannot be read".to_owned()));
        return;
    };
    for (i, extension) in extensions.iter().enumerate() {
        let twice = extensions[..i].iter().any(|earlier| earlier.extn_id == extension.extn_id);
        let read = if twice {
            Err(format!("it asks twice for the extension {}", extension.extn_id))
        } else {
            one(extension, asked)
        };
        findings.extend(read.err().map(refused));
    }
}

fn refused(what: String) -> Failure {
    finding(Code::RequestExtension, what)
        .why("a client certificate holds host names, digitalSignature and clientAuth; anything more could be abused")
        .next(SEND_A_NEW_ONE)
}

fn one(extension: &Extension, asked: &mut RequestedExtensions) -> Result<(), String> {
    let value = extension.extn_value.as_bytes();
    match extension.extn_id {
        oid::SUBJECT_ALT_NAME => alternative_names(strict(value), asked),
        oid::KEY_USAGE => key_usage(strict(value), asked),
        oid::EXT_KEY_USAGE => extended_key_usage(strict(value), asked),
        oid::BASIC_CONSTRAINTS => match strict::<BasicConstraints>(value) {
            Some(BasicConstraints { ca: false, path_len_constraint: None }) => Ok(()),
            _ => Err("it asks to be a certificate authority".to_owned()),
        },
        other => Err(format!("it asks for an extension that a client does not need ({other})")),
    }
}

fn alternative_names(names: Option<SubjectAltName>, asked: &mut RequestedExtensions) -> Result<(), String> {
    let names = names.filter(|names| !names.0.is_empty()).ok_or("its alternative names cannot be read")?;
    for name in &names.0 {
        let GeneralName::DnsName(host) = name else {
            return Err("one of its alternative names is not a host name".to_owned());
        };
        asked.lines.push(format!("alternative name: {}", excerpt(host.as_str())));
        asked.dns_names.push(host.as_str().to_owned());
    }
    Ok(())
}

fn key_usage(usage: Option<KeyUsage>, asked: &mut RequestedExtensions) -> Result<(), String> {
    let usage = usage.ok_or("its key usage cannot be read")?;
    if usage.0.is_empty() || !(KeyUsages::DigitalSignature | KeyUsages::KeyEncipherment).contains(usage.0) {
        return Err("it asks for a key usage other than digitalSignature and keyEncipherment".to_owned());
    }
    asked.lines.extend(usage.digital_signature().then(|| "key usage: digitalSignature".to_owned()));
    asked
        .lines
        .extend(usage.key_encipherment().then(|| "key usage: keyEncipherment (not given: not needed)".to_owned()));
    Ok(())
}

fn extended_key_usage(usage: Option<ExtendedKeyUsage>, asked: &mut RequestedExtensions) -> Result<(), String> {
    let usage = usage.ok_or("its extended key usage cannot be read")?;
    if usage.0 != [oid::CLIENT_AUTH] {
        return Err("it asks for another extended key usage than clientAuth".to_owned());
    }
    asked.lines.push("extended key usage: clientAuth".to_owned());
    Ok(())
}

/// A value that is encoded in the one way that DER allows.
fn strict<T: for<'a> Decode<'a> + Encode>(der: &[u8]) -> Option<T> {
    T::from_der(der).ok().filter(|value| value.to_der().is_ok_and(|again| again == der))
}
