//! Certificates as others make them, the bad ones too: what `rehearse` shows the servers, and tests judge them by.

use der::{
    Decode, Encode,
    asn1::{BitString, Ia5String, ObjectIdentifier, OctetString, SetOfVec},
};
use time::{Duration, OffsetDateTime};
use x509_cert::{
    ext::{
        Extension,
        pkix::{AuthorityKeyIdentifier, ExtendedKeyUsage, SubjectAltName, SubjectKeyIdentifier, name::GeneralName},
    },
    name::Name,
    request::{CertReq, CertReqInfo, Version},
    spki::SubjectPublicKeyInfoOwned,
};

use crate::{
    failure::Result,
    pki::{
        authority,
        encode::{self, extension},
        fingerprint::sha256,
        inspect::Certificate,
        key::PrivateKey,
        oid, pem,
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
    /// Expired yesterday.
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

impl LeafUsage {
    fn purposes(self) -> Vec<ObjectIdentifier> {
        match self {
            Self::Client => vec![oid::CLIENT_AUTH],
            Self::Server => vec![oid::SERVER_AUTH],
            Self::Both => vec![oid::SERVER_AUTH, oid::CLIENT_AUTH],
        }
    }
}

impl CertificateRecipe {
    /// The walkthrough's request and signature for an organization and a host.
    #[must_use]
    pub fn walkthrough(organization: &str, host: &str) -> Self {
        Self { organizations: vec![organization.to_owned()], common_name: host.to_owned(), ..Self::default() }
    }

    /// Signs it as PEM.
    ///
    /// # Errors
    /// The crypto library fails, or a name cannot be encoded.
    pub fn sign(
        &self,
        subject_spki: &[u8],
        ca: &Certificate,
        ca_key: &PrivateKey,
        now: OffsetDateTime,
    ) -> Result<String> {
        let (not_before, not_after) = if self.expired {
            (now - Duration::days(30), now - Duration::DAY)
        } else {
            (now - Duration::HOUR, now + Duration::days(365))
        };
        let contents = encode::Contents {
            serial: &authority::serial()?,
            issuer: &ca.subject_der,
            not_before,
            not_after,
            subject: &self.subject().map_err(encode::not_built)?,
            spki: subject_spki,
            extensions: &self.extensions(subject_spki, ca).map_err(encode::not_built)?,
        };
        pem::write("CERTIFICATE", &contents.sign(ca_key)?)
    }

    fn subject(&self) -> der::Result<Vec<u8>> {
        let organizations = self.organizations.iter().map(|organization| (oid::ORGANIZATION, organization.as_str()));
        let common_name = Some((oid::COMMON_NAME, self.common_name.as_str())).filter(|(_, name)| !name.is_empty());
        encode::name(organizations.chain(common_name))
    }

    fn extensions(&self, spki: &[u8], ca: &Certificate) -> der::Result<Vec<Extension>> {
        if !self.v3 {
            return Ok(Vec::new());
        }
        let own_key_id = SubjectKeyIdentifier(OctetString::new(&sha256(spki)[..20])?);
        let ca_key_id = OctetString::new(ca.subject_key_id.clone().unwrap_or_default())?;
        let issuer = AuthorityKeyIdentifier { key_identifier: Some(ca_key_id), ..Default::default() };
        let mut all = vec![
            extension(oid::SUBJECT_KEY_ID, false, &own_key_id)?,
            extension(oid::AUTHORITY_KEY_ID, false, &issuer)?,
        ];
        if let Some(usage) = self.usage {
            all.push(extension(oid::EXT_KEY_USAGE, false, &ExtendedKeyUsage(usage.purposes()))?);
        }
        if !self.dns_names.is_empty() {
            let names = self.dns_names.iter().map(|name| Ia5String::new(name).map(GeneralName::DnsName));
            all.push(extension(oid::SUBJECT_ALT_NAME, false, &SubjectAltName(names.collect::<der::Result<_>>()?))?);
        }
        Ok(all)
    }
}

/// A request with any subject, signed by its own key: what `approve` must refuse.
///
/// # Errors
/// The crypto library fails, or a name cannot be encoded.
pub fn request(organizations: &[&str], common_name: &str, key: &PrivateKey) -> Result<String> {
    let organizations = organizations.iter().map(|organization| (*organization).to_owned()).collect();
    let recipe =
        CertificateRecipe { organizations, common_name: common_name.to_owned(), ..CertificateRecipe::default() };
    let info = || -> der::Result<CertReqInfo> {
        Ok(CertReqInfo {
            version: Version::V1,
            subject: Name::from_der(&recipe.subject()?)?,
            public_key: SubjectPublicKeyInfoOwned::from_der(key.spki())?,
            attributes: SetOfVec::new(),
        })
    };
    let info = info().map_err(encode::not_built)?;
    let signature = key.sign(&info.to_der().map_err(encode::not_built)?)?;
    let whole = || -> der::Result<Vec<u8>> {
        let (algorithm, signature) = (encode::signature_algorithm(key.key_type())?, BitString::from_bytes(&signature)?);
        CertReq { info, algorithm, signature }.to_der()
    };
    pem::write("CERTIFICATE REQUEST", &whole().map_err(encode::not_built)?)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::pki::{authority::create_root, inspect::certificates, key::KeyType};

    const NOW: OffsetDateTime = datetime!(2026-03-04 05:06:07 UTC);

    #[test]
    fn the_signature_is_labelled_by_the_kind_of_the_ca_s_key() {
        for key_type in [KeyType::EcdsaP256, KeyType::EcdsaP384, KeyType::Rsa2048] {
            let (key, pem) = create_root(key_type, NOW).unwrap();
            let ca = certificates(pem.as_bytes()).unwrap().remove(0);
            let leaf = CertificateRecipe::walkthrough("MyOrg1MSP", "a.b").sign(key.spki(), &ca, &key, NOW).unwrap();
            let leaf = certificates(leaf.as_bytes()).unwrap().remove(0);
            assert!(leaf.is_signed_by(&ca) && leaf.version == 1, "{key_type}");
        }
    }
}
