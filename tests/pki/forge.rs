//! Makes requests that no honest tool would make: each part as raw DER.

use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::STANDARD};
use substra_mtls::{
    pki::{
        key::{KeyType, PrivateKey},
        log::{Entry, IssueLog},
        policy::PolicyContext,
    },
    substra::kebab::kebab_case,
};
use time::{OffsetDateTime, macros::datetime};

pub(crate) const NOW: OffsetDateTime = datetime!(2026-03-04 05:06:07 UTC);
pub(crate) const ORG: &str = "MyOrg1MSP";
pub(crate) const HOST: &str = "backend.org-1.com";

pub(crate) static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(KeyType::EcdsaP256).unwrap());
pub(crate) static RSA: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(KeyType::Rsa2048).unwrap());

pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let size = content.len();
    let mut out = vec![tag];
    match size {
        0..128 => out.push(u8::try_from(size).unwrap()),
        128..256 => out.extend([0x81, u8::try_from(size).unwrap()]),
        _ => out.extend([0x82, u8::try_from(size >> 8).unwrap(), (size & 255).to_le_bytes()[0]]),
    }
    out.extend(content);
    out
}

pub(crate) fn seq(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

pub(crate) fn set(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x31, &parts.concat())
}

pub(crate) fn oid(dotted: &str) -> Vec<u8> {
    tlv(6, der::asn1::ObjectIdentifier::new(dotted).unwrap().as_bytes())
}

pub(crate) const UTF8: u8 = 0x0c;
pub(crate) const PRINTABLE: u8 = 0x13;
pub(crate) const O: &str = "2.5.4.10";
pub(crate) const CN: &str = "2.5.4.3";

pub(crate) fn attribute(field: &str, tag: u8, text: &[u8]) -> Vec<u8> {
    seq(&[&oid(field), &tlv(tag, text)])
}

/// One part of a name with one value.
pub(crate) fn rdn(field: &str, tag: u8, text: &[u8]) -> Vec<u8> {
    set(&[&attribute(field, tag, text)])
}

pub(crate) fn name(organization: &str, common_name: &str) -> Vec<u8> {
    seq(&[&rdn(O, UTF8, organization.as_bytes()), &rdn(CN, UTF8, common_name.as_bytes())])
}

pub(crate) fn extension(id: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
    seq(&[&oid(id), critical, &tlv(4, value)])
}

pub(crate) fn dns(hosts: &[&str]) -> Vec<u8> {
    let names: Vec<u8> = hosts.iter().flat_map(|host| tlv(0x82, host.as_bytes())).collect();
    extension("2.5.29.17", false, &tlv(0x30, &names))
}

/// The attribute that asks for extensions.
pub(crate) fn asks(extensions: &[&[u8]]) -> Vec<u8> {
    seq(&[&oid("1.2.840.113549.1.9.14"), &set(&[&seq(extensions)])])
}

/// A request in parts; good until a part is changed.
pub(crate) struct Forge<'a> {
    pub(crate) version: u8,
    pub(crate) subject: Vec<u8>,
    pub(crate) spki: Vec<u8>,
    pub(crate) attributes: Vec<u8>,
    pub(crate) algorithm: Vec<u8>,
    pub(crate) key: &'a PrivateKey,
}

pub(crate) fn ecdsa_sha256() -> Vec<u8> {
    seq(&[&oid("1.2.840.10045.4.3.2")])
}

pub(crate) fn good() -> Forge<'static> {
    of(&KEY)
}

pub(crate) fn of(key: &PrivateKey) -> Forge<'_> {
    let rsa = seq(&[&oid("1.2.840.113549.1.1.11"), &[5, 0]]);
    Forge {
        version: 0,
        subject: name(ORG, HOST),
        spki: key.spki().to_vec(),
        attributes: asks(&[&dns(&[HOST])]),
        algorithm: if key.key_type().is_rsa() { rsa } else { ecdsa_sha256() },
        key,
    }
}

impl Forge<'_> {
    pub(crate) fn info(&self) -> Vec<u8> {
        seq(&[&[2, 1, self.version], &self.subject, &self.spki, &tlv(0xa0, &self.attributes)])
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        let info = self.info();
        let signature = self.key.sign(&info).unwrap();
        seq(&[&info, &self.algorithm, &tlv(3, &[&[0], &signature[..]].concat())])
    }

    pub(crate) fn pem(&self) -> Vec<u8> {
        armoured("CERTIFICATE REQUEST", &self.der())
    }

    pub(crate) fn subject(self, subject: Vec<u8>) -> Self {
        Self { subject, ..self }
    }

    pub(crate) fn attributes(self, attributes: Vec<u8>) -> Self {
        Self { attributes, ..self }
    }

    pub(crate) fn spki(self, spki: Vec<u8>) -> Self {
        Self { spki, ..self }
    }

    pub(crate) fn algorithm(self, algorithm: Vec<u8>) -> Self {
        Self { algorithm, ..self }
    }
}

pub(crate) fn armoured(label: &str, der: &[u8]) -> Vec<u8> {
    let body = STANDARD.encode(der);
    let lines: Vec<_> = body.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n")).into_bytes()
}

/// A federation in which the good request is accepted.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) members: Vec<String>,
    pub(crate) keys: Vec<String>,
    pub(crate) names: Vec<String>,
    pub(crate) burnt: Vec<(substra_mtls::pki::fingerprint::Fingerprint, String)>,
    pub(crate) log: IssueLog,
}

impl Default for World {
    fn default() -> Self {
        let own = |text: &[&str]| text.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        Self {
            members: own(&[ORG, "MyOrg2MSP"]),
            keys: own(&[ORG, "MyOrg2MSP"]),
            names: own(&["orchestrator.example.org", "Other.Example.org.", "orchestrator-server"]),
            burnt: Vec::new(),
            log: IssueLog::default(),
        }
    }
}

impl World {
    pub(crate) fn around(&self) -> PolicyContext<'_> {
        PolicyContext {
            members: &self.members,
            client_ca_keys: &self.keys,
            orchestrator_names: &self.names,
            burnt: &self.burnt,
            kebab: kebab_case,
            log: &self.log,
            now: NOW,
        }
    }

    /// One more line of the log.
    pub(crate) fn logs(&mut self, entry: &Entry) {
        self.log.take(1, entry.line().as_bytes()).unwrap();
    }
}
