//! Certificates as others make them, the bad ones too: what `rehearse` shows the servers, and tests judge them by.

use time::{Duration, OffsetDateTime};

use super::der::{self, OCTET_STRING, SEQUENCE, oid, tlv};
use crate::{
    failure::Result,
    pki::{
        authority,
        fingerprint::sha256,
        inspect::Certificate,
        key::{KeyType, PrivateKey},
        pem,
    },
};

/// A recipe for a leaf. The default is the walkthrough's own, to the letter: `openssl x509 -req` writes X.509 v1 without
/// any extension, valid for 365 days.
#[derive(Debug, Clone, Default)]
pub struct CertificateRecipe {
    /// Every O, in order.
    pub organizations: Vec<String>,
    /// The CN; empty for none.
    pub common_name: String,
    /// dNSNames of a SAN.
    pub dns_names: Vec<String>,
    /// extendedKeyUsage; `None` for no extension.
    pub usage: Option<LeafUsage>,
    /// X.509 v3 with key identifiers.
    pub v3: bool,
    /// Ended yesterday.
    pub expired: bool,
}

/// What a leaf may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeafUsage {
    /// clientAuth.
    Client,
    /// serverAuth.
    Server,
    /// serverAuth and clientAuth, as the orchestrator's own pair needs.
    Both,
}

const SERVER_AUTH: &[u8] = &[0x06, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1];

impl CertificateRecipe {
    /// The walkthrough's request and signature for an organization and a host.
    #[must_use]
    pub fn walkthrough(organization: &str, host: &str) -> Self {
        Self { organizations: vec![organization.to_owned()], common_name: host.to_owned(), ..Self::default() }
    }

    /// Signs it as PEM.
    ///
    /// # Errors
    /// The crypto library fails.
    pub fn sign(
        &self,
        subject_spki: &[u8],
        ca: &Certificate,
        ca_key: &PrivateKey,
        now: OffsetDateTime,
    ) -> Result<String> {
        let serial = authority::serial()?;
        let (from, to) = if self.expired {
            (now - Duration::days(30), now - Duration::DAY)
        } else {
            (now - Duration::HOUR, now + Duration::days(365))
        };
        let algorithm = signature_algorithm(ca_key);
        let mut parts: Vec<Vec<u8>> = Vec::new();
        if self.v3 {
            parts.push(tlv(0xa0, &[&[0x02, 0x01, 0x02]]));
        }
        parts.extend([tlv(0x02, &[&serial]), algorithm.to_vec(), ca.subject_der.clone()]);
        parts.push(tlv(SEQUENCE, &[&der::time(from), &der::time(to)]));
        parts.extend([self.subject(), subject_spki.to_vec()]);
        if self.v3 {
            parts.push(tlv(0xa3, &[&self.extensions(subject_spki, ca)]));
        }
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let tbs = tlv(SEQUENCE, &parts);
        let signature = ca_key.sign(&tbs)?;
        let certificate = tlv(SEQUENCE, &[&tbs, algorithm, &der::bits(&signature)]);
        pem::write("CERTIFICATE", &certificate)
    }

    fn subject(&self) -> Vec<u8> {
        let organizations = self.organizations.iter().map(|organization| der::rdn(oid::ORGANIZATION, organization));
        let common_name = Some(&self.common_name).filter(|name| !name.is_empty());
        let rdns: Vec<Vec<u8>> =
            organizations.chain(common_name.map(|name| der::rdn(oid::COMMON_NAME, name))).collect();
        let rdns: Vec<&[u8]> = rdns.iter().map(Vec::as_slice).collect();
        tlv(SEQUENCE, &rdns)
    }

    fn extensions(&self, spki: &[u8], ca: &Certificate) -> Vec<u8> {
        let ca_key_id = ca.subject_key_id.clone().unwrap_or_default();
        let mut all = vec![
            der::extension(oid::SUBJECT_KEY_ID, false, &tlv(OCTET_STRING, &[&sha256(spki)[..20]])),
            der::extension(oid::AUTHORITY_KEY_ID, false, &tlv(SEQUENCE, &[&tlv(0x80, &[&ca_key_id])])),
        ];
        let usages: &[&[u8]] = match self.usage {
            None => &[],
            Some(LeafUsage::Client) => &[oid::CLIENT_AUTH],
            Some(LeafUsage::Server) => &[SERVER_AUTH],
            Some(LeafUsage::Both) => &[SERVER_AUTH, oid::CLIENT_AUTH],
        };
        if !usages.is_empty() {
            all.push(der::extension(oid::EXTENDED_KEY_USAGE, false, &tlv(SEQUENCE, usages)));
        }
        if !self.dns_names.is_empty() {
            let names: Vec<u8> = self.dns_names.iter().flat_map(|name| tlv(0x82, &[name.as_bytes()])).collect();
            all.push(der::extension(oid::SUBJECT_ALT_NAME, false, &tlv(SEQUENCE, &[&names])));
        }
        let all: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
        tlv(SEQUENCE, &all)
    }
}

/// A request with any subject, signed by its own key: what `approve` must refuse.
///
/// # Errors
/// The crypto library fails.
pub fn request(organizations: &[&str], common_name: &str, key: &PrivateKey) -> Result<String> {
    let organizations = organizations.iter().map(|organization| (*organization).to_owned()).collect();
    let recipe =
        CertificateRecipe { organizations, common_name: common_name.to_owned(), ..CertificateRecipe::default() };
    let info = tlv(SEQUENCE, &[&[2, 1, 0], &recipe.subject(), key.spki(), &[0xa0, 0]]);
    let signature = der::bits(&key.sign(&info)?);
    pem::write("CERTIFICATE REQUEST", &tlv(SEQUENCE, &[&info, signature_algorithm(key), &signature]))
}

/// The DER of the AlgorithmIdentifier of a key's signatures.
fn signature_algorithm(key: &PrivateKey) -> &'static [u8] {
    match key.key_type() {
        KeyType::EcdsaP256 => &[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2],
        KeyType::EcdsaP384 => &[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3],
        _ => &[0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11, 5, 0],
    }
}
