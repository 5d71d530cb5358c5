//! The form of a request: its file, its encoding, its attributes and the extensions that it asks for.

use der::{
    Decode, Encode, Tag, Tagged,
    asn1::{Any, ObjectIdentifier},
};
use x509_cert::{
    ext::{
        Extension, Extensions,
        pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName, name::GeneralName},
    },
    request::{CertReq, Version},
};
use zeroize::Zeroizing;

use super::Refuser;
use crate::{failure::Failure, pki::pem};

/// No honest request is larger: 16 KiB, in bytes.
const LARGEST: usize = 16 << 10;

const EXTENSION_REQUEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.14");
const CLIENT_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");

/// The one block of the file.
pub(super) fn block(refuse: &Refuser<'_>, bytes: &[u8]) -> Result<(Zeroizing<Vec<u8>>, Vec<String>), Failure> {
    let finding = |why: &str| refuse.finding("request-pem", why).next("ask for the .csr file as enroll wrote it");
    let mut found = pem::blocks(bytes);
    // Looked for first and anywhere: such a key is burnt whatever else is wrong with the file.
    if found.blocks.iter().any(|block| block.label.ends_with("PRIVATE KEY")) || holds_key_line(bytes) {
        return Err(refuse
            .finding("private-key", "a private key is in the file: everybody who saw the mail could have copied it")
            .next("tell the sender that this key is burnt, delete the mail, and ask for a new request made with enroll --new-request"));
    }
    if bytes.len() > LARGEST {
        return Err(finding("the file is larger than 16 KiB"));
    }
    if bytes.contains(&0) || bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(finding("a NUL or a byte order mark is in the file: it was changed by an editor or is not PEM"));
    }
    if found.torn || found.blocks.len() != 1 {
        return Err(finding("there must be exactly one whole PEM block in the file"));
    }
    let block = found.blocks.remove(0);
    if !matches!(block.label.as_str(), "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST") {
        return Err(finding("its PEM block is no CERTIFICATE REQUEST"));
    }
    let Some(der) = block.der else {
        return Err(finding(if block.has_headers {
            "its PEM block has headers"
        } else {
            "its PEM block is not clean base64"
        }));
    };
    let notes = found.text_around.then(|| "text around the PEM block was ignored: only the block counts".to_owned());
    Ok((der, notes.into_iter().collect()))
}

fn holds_key_line(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.lines().any(|line| line.contains("-----BEGIN") && line.contains("PRIVATE KEY"))
}

/// Strict DER: no bytes after it, and encoded again it is the same.
pub(super) fn parse(refuse: &Refuser<'_>, der: &[u8]) -> Result<CertReq, Failure> {
    let finding = |why: &str| refuse.finding("request-der", why);
    let request = CertReq::from_der(der)
        .map_err(|_| finding("what its PEM block holds is not a certificate signing request in strict DER"))?;
    if request.to_der().ok().as_deref() != Some(der) {
        return Err(finding("encoded again it is not the same: it is not in strict DER"));
    }
    if request.info.version != Version::V1 {
        return Err(finding("its version is not 1"));
    }
    Ok(request)
}

/// What a request asks for besides its subject.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) hosts: Vec<String>,
    pub(super) lines: Vec<String>,
    pub(super) notes: Vec<String>,
}

/// At most one list of extensions, and of these only what the client profile has; compared, never copied.
pub(super) fn attributes(refuse: &Refuser<'_>, request: &CertReq) -> Result<Asked, Vec<Failure>> {
    let attributes: Vec<_> = request.info.attributes.iter().collect();
    if let Some(other) = attributes.iter().find(|attribute| attribute.oid != EXTENSION_REQUEST) {
        let why = format!(
            "it has the attribute {}: nothing but the names is taken from a request, and a challenge password is no secret in a mail",
            other.oid
        );
        return Err(vec![refuse.finding("request-attributes", why)]);
    }
    let values: Vec<&Any> = attributes.iter().flat_map(|attribute| attribute.values.iter()).collect();
    let value = match values.as_slice() {
        [] if attributes.is_empty() => return Ok(Asked::default()),
        [value] if attributes.len() == 1 => value,
        _ => {
            return Err(vec![
                refuse.finding("request-attributes", "it has more than one list of extensions, or an empty one"),
            ]);
        }
    };
    let Ok(extensions) = value.to_der().and_then(|der| Extensions::from_der(&der)) else {
        return Err(vec![refuse.finding("request-extensions", "the extensions that it asks for cannot be read")]);
    };
    let mut asked = Asked::default();
    let mut findings = Vec::new();
    for (at, extension) in extensions.iter().enumerate() {
        if extensions[..at].iter().any(|other| other.extn_id == extension.extn_id) {
            findings.push(
                refuse.finding("request-extensions", format!("it asks for the extension {} twice", extension.extn_id)),
            );
        } else if let Err(why) = asked.read(extension) {
            findings.push(refuse.finding("request-extensions", why));
        }
    }
    if findings.is_empty() { Ok(asked) } else { Err(findings) }
}

impl Asked {
    fn read(&mut self, extension: &Extension) -> Result<(), String> {
        let value = extension.extn_value.as_bytes();
        match extension.extn_id.to_string().as_str() {
            "2.5.29.17" => self.alternative_names(value),
            "2.5.29.15" => self.key_usage(value),
            "2.5.29.37" => self.extended_key_usage(value),
            "2.5.29.19" => self.basic_constraints(value),
            other => Err(format!("it asks for the extension {other}, which no client needs")),
        }
    }

    fn alternative_names(&mut self, value: &[u8]) -> Result<(), String> {
        let names =
            SubjectAltName::from_der(value).map_err(|_| "the names that it asks for cannot be read".to_owned())?;
        for name in &names.0 {
            let GeneralName::DnsName(name) = name else {
                return Err("it asks for another alternative name than a DNS name".to_owned());
            };
            self.hosts.push(name.to_string());
            self.lines.push(format!("DNS {}", crate::pki::inspect::printable(name.as_ref())));
        }
        Ok(())
    }

    fn key_usage(&mut self, value: &[u8]) -> Result<(), String> {
        let usage =
            KeyUsage::from_der(value).map_err(|_| "the key usage that it asks for cannot be read".to_owned())?;
        if usage.0.into_iter().all(|one| matches!(one, KeyUsages::DigitalSignature | KeyUsages::KeyEncipherment)) {
            self.lines.push("key usage of a client".to_owned());
            return Ok(());
        }
        Err("it asks for another key usage than digitalSignature and keyEncipherment".to_owned())
    }

    fn extended_key_usage(&mut self, value: &[u8]) -> Result<(), String> {
        let usage = ExtendedKeyUsage::from_der(value)
            .map_err(|_| "the extended key usage that it asks for cannot be read".to_owned())?;
        if usage.0 == [CLIENT_AUTH] {
            self.lines.push("client authentication".to_owned());
            return Ok(());
        }
        Err("it asks for another extended key usage than client authentication: it could pose as a server".to_owned())
    }

    fn basic_constraints(&mut self, value: &[u8]) -> Result<(), String> {
        let constraints = BasicConstraints::from_der(value)
            .map_err(|_| "the basic constraints that it asks for cannot be read".to_owned())?;
        if constraints.ca {
            return Err("it asks to be a certificate authority".to_owned());
        }
        self.lines.push("not to be a CA".to_owned());
        Ok(())
    }
}

/// Whether a name's value is of a string type that hides nothing.
pub(super) fn is_plain_string(value: &Any) -> bool {
    matches!(value.tag(), Tag::Utf8String | Tag::PrintableString)
}
