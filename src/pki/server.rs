//! The orchestrator's server pair: made by its profile, and checked as its backends and its own probe will.

use time::OffsetDateTime;

use super::{
    authority::Authority,
    inspect::{self, Certificate},
    issue::{CertificateHolder, IssuedCertificate, certify},
    key::{KeyType, PrivateKey},
};
use crate::{
    failure::{Code, Failure},
    names::Hostname,
    times,
};

/// 397 days, the longest that public CAs gave: one command renews it, and when it expires every backend is cut off.
const LIFE: std::time::Duration = std::time::Duration::from_hours(397 * 24);

/// A new pair.
#[derive(Debug)]
pub struct NewServerPair {
    /// The certificate.
    pub issued: IssuedCertificate,
    /// Its key; a new one is ECDSA P-256.
    pub key: PrivateKey,
}

/// Makes a pair for these names: serverAuth and clientAuth, since the health probe is a client that dials with it, and
/// no O, since an organization of that name would be the server's. It expires with the CA at the latest.
///
/// # Errors
/// `authority-ends`, `authority-does-not-fit`, `certificate-check`, as for a client's certificate.
pub fn make(authority: &Authority, hosts: &[Hostname], now: OffsetDateTime) -> Result<NewServerPair, Failure> {
    make_for(PrivateKey::generate(KeyType::EcdsaP256)?, authority, hosts, now)
}

/// The same for a key that is there.
///
/// # Errors
/// As [`make`].
pub fn make_for(
    key: PrivateKey,
    authority: &Authority,
    hosts: &[Hostname],
    now: OffsetDateTime,
) -> Result<NewServerPair, Failure> {
    let issued = certify(authority, CertificateHolder { organization: None, hosts, spki: key.spki() }, LIFE, now)?;
    Ok(NewServerPair { issued, key })
}

/// A pair as it was found.
#[derive(Debug)]
pub struct ServerPair {
    /// The server's own certificate.
    pub leaf: Certificate,
    /// What came with it.
    pub rest: Vec<Certificate>,
    /// The private key.
    pub key: PrivateKey,
}

impl ServerPair {
    /// Reads both halves; `None` where one of them cannot be read, or there is no certificate.
    #[must_use]
    pub fn read(certificate: &[u8], key: &[u8]) -> Option<Self> {
        let mut chain = inspect::certificates(certificate).ok()?.into_iter();
        Some(Self { leaf: chain.next()?, rest: chain.collect(), key: PrivateKey::from_pem(key, None).ok()? })
    }

    /// Whether its two halves belong together.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.leaf.spki == self.key.spki()
    }

    /// Whether the leaf comes from a CA, straight or through one intermediate that came with it.
    #[must_use]
    pub fn chains_to(&self, ca: &Certificate) -> bool {
        let through = |middle: &Certificate| self.leaf.is_signed_by(middle) && middle.is_signed_by(ca);
        self.leaf.is_signed_by(ca) || self.rest.iter().any(through)
    }
}

/// Which fault keeps a pair from serving. An enum of its own, so that code which tells them apart forgets none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerPairProblem {
    /// It is missing, cannot be read, or its halves do not fit.
    Pair,
    /// Its certificate has ended.
    Expired,
    /// Its certificate is not valid yet.
    NotYetValid,
    /// It must not be a server.
    ServerAuth,
    /// It must not be a client, and the probe is one.
    ClientAuth,
    /// It does not cover a name.
    Name,
    /// It comes from no CA that is trusted.
    Chain,
}

impl ServerPairProblem {
    /// The code of a failure that names it.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Pair => Code::ServerPair,
            Self::Expired => Code::ServerExpired,
            Self::NotYetValid => Code::ServerNotYetValid,
            Self::ServerAuth => Code::ServerAuth,
            Self::ClientAuth => Code::ServerClientAuth,
            Self::Name => Code::ServerName,
            Self::Chain => Code::ServerChain,
        }
    }
}

/// What keeps a pair from serving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerPairFault {
    /// Which of the faults it is.
    pub problem: ServerPairProblem,
    /// The reason, for people.
    pub why: String,
}

/// Everything that keeps a pair from serving under these names, or from passing its own probe with mutual TLS on: it
/// dials with this pair, and the server trusts `trusted` for clients.
#[must_use]
pub fn faults<'n>(
    pair: Option<&ServerPair>,
    names: impl IntoIterator<Item = &'n str>,
    trusted: &[Certificate],
    now: OffsetDateTime,
) -> Vec<ServerPairFault> {
    let fault = |problem, why: String| ServerPairFault { problem, why };
    let Some((pair, leaf)) = pair.map(|pair| (pair, &pair.leaf)) else {
        return vec![fault(
            ServerPairProblem::Pair,
            "it is missing, or its tls.crt or tls.key cannot be read".to_owned(),
        )];
    };
    let uncovered = names.into_iter().find(|name| !leaf.covers(name));
    let mut found = Vec::new();
    if !pair.fits() {
        found.push(fault(ServerPairProblem::Pair, "certificate and key do not fit".to_owned()));
    }
    if leaf.not_after < now {
        found.push(fault(ServerPairProblem::Expired, format!("it expired on {}", leaf.not_after.date())));
    }
    if leaf.not_before > now {
        found.push(fault(
            ServerPairProblem::NotYetValid,
            format!("it is not valid before {}", times::rfc3339(leaf.not_before)),
        ));
    }
    if !leaf.server_auth() {
        found.push(fault(ServerPairProblem::ServerAuth, "it has an extended key usage without serverAuth".to_owned()));
    }
    if !leaf.client_auth() {
        let why = "it has an extended key usage without clientAuth, and the probe is a client";
        found.push(fault(ServerPairProblem::ClientAuth, why.to_owned()));
    }
    if let Some(name) = uncovered {
        found.push(fault(ServerPairProblem::Name, format!("it does not cover {name}")));
    }
    if !trusted.iter().any(|ca| pair.chains_to(ca)) {
        found.push(fault(
            ServerPairProblem::Chain,
            "it comes from none of the CAs that the orchestrator trusts".to_owned(),
        ));
    }
    found
}

/// The first of [`faults`].
#[must_use]
pub fn fault<'n>(
    pair: Option<&ServerPair>,
    names: impl IntoIterator<Item = &'n str>,
    trusted: &[Certificate],
    now: OffsetDateTime,
) -> Option<ServerPairFault> {
    faults(pair, names, trusted, now).into_iter().next()
}

#[cfg(test)]
mod tests {
    use time::{Duration, macros::datetime};

    use super::*;
    use crate::pki::authority::create_root;

    const NOW: OffsetDateTime = datetime!(2026-03-04 05:06:07 UTC);

    fn authority(key_type: KeyType) -> Authority {
        let (key, pem) = create_root(key_type, NOW).unwrap();
        Authority::load(pem.as_bytes(), key, NOW).unwrap().0
    }

    fn hosts() -> Vec<Hostname> {
        ["orchestrator.example.org", "orchestrator-server"].map(|host| host.parse().unwrap()).to_vec()
    }

    fn pair(made: &NewServerPair) -> ServerPair {
        ServerPair::read(made.issued.pem.as_bytes(), made.key.to_pem().as_bytes()).unwrap()
    }

    #[test]
    fn a_new_pair_follows_the_profile() {
        for kind in [KeyType::EcdsaP256, KeyType::EcdsaP384, KeyType::Rsa2048] {
            let ca = authority(kind);
            let made = make(&ca, &hosts(), NOW).unwrap();
            let pair = pair(&made);
            let leaf = &pair.leaf;
            assert!(leaf.organizations.is_empty() && leaf.server_auth() && leaf.client_auth() && leaf.has_eku());
            assert_eq!(leaf.dns_names, ["orchestrator.example.org", "orchestrator-server"]);
            assert_eq!(leaf.subject, "CN=orchestrator.example.org");
            assert_eq!((leaf.not_after - NOW).whole_days(), 397);
            assert_eq!((made.key.key_type(), made.issued.cut_to_ca_end), (KeyType::EcdsaP256, false));
            let trusted = [ca.certificate().clone()];
            assert_eq!(fault(Some(&pair), ["orchestrator-server"], &trusted, NOW), None);
        }
    }

    #[test]
    fn its_end_is_cut_to_that_of_the_ca() {
        let ca = authority(KeyType::EcdsaP256);
        let made = make(&ca, &hosts(), ca.certificate().not_after - Duration::days(30)).unwrap();
        assert!(made.issued.cut_to_ca_end && made.issued.not_after < ca.certificate().not_after);
    }

    #[test]
    fn each_fault_has_its_code() {
        let (ca, other) = (authority(KeyType::EcdsaP256), authority(KeyType::EcdsaP256));
        let (made, another) = (make(&ca, &hosts(), NOW).unwrap(), make(&ca, &hosts(), NOW).unwrap());
        let good = pair(&made);
        let mixed = ServerPair { leaf: good.leaf.clone(), rest: Vec::new(), key: another.key };
        let code = |pair: Option<&ServerPair>, name: &'static str, ca: &Authority, now| {
            fault(pair, [name], &[ca.certificate().clone()], now).map_or("", |fault| fault.problem.code().id())
        };
        let name = "orchestrator-server";
        assert_eq!(code(None, name, &ca, NOW), "server-pair");
        assert_eq!(code(Some(&mixed), name, &ca, NOW), "server-pair");
        assert_eq!(code(Some(&good), name, &ca, NOW + Duration::days(398)), "server-expired");
        assert_eq!(code(Some(&good), name, &ca, NOW - Duration::days(1)), "server-not-yet-valid");
        assert_eq!(code(Some(&good), "else.example.org", &ca, NOW), "server-name");
        assert_eq!(code(Some(&good), name, &other, NOW), "server-chain");
        assert_eq!(code(Some(&good), name, &ca, NOW), "");
    }
}
