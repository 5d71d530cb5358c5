//! A federation with a CA, a log and who vouched for whom: what a proof is judged in.

use std::sync::LazyLock;

use substra_mtls::{
    failure::Failure,
    pki::{
        authority::{Authority, create_root},
        inspect::Certificate,
        issue::issue,
        key::{KeyType, PrivateKey},
        log::{Alarm, Entry, Record, Settlement},
        policy::{
            Identification, PolicyContext, check_request,
            proof::{Predecessor, vouches},
        },
        proof,
    },
};
use time::OffsetDateTime;

use crate::forge::*;

/// The key of a renewal.
pub(crate) static NEXT: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(KeyType::EcdsaP256).unwrap());

pub(crate) struct Scene {
    pub(crate) authority: Authority,
    pub(crate) world: World,
    pub(crate) pool: Vec<Certificate>,
    pub(crate) now: OffsetDateTime,
}

impl Scene {
    /// With nothing issued.
    pub(crate) fn empty() -> Self {
        let (key, pem) = create_root(KeyType::EcdsaP256, NOW).unwrap();
        let (authority, _) = Authority::load(pem.as_bytes(), key, NOW).unwrap();
        let pool = vec![authority.certificate().clone()];
        Self { authority, world: World::default(), pool, now: NOW }
    }

    /// With a first certificate for `KEY`, whose fingerprint was compared.
    pub(crate) fn new() -> (Self, Certificate) {
        let mut scene = Self::empty();
        let first = scene.issue(&good().pem());
        (scene, first)
    }

    pub(crate) fn issue(&mut self, pem: &[u8]) -> Certificate {
        self.issue_on(pem, &Identification::Fingerprint)
    }

    /// A renewal for which `by` vouched.
    pub(crate) fn renew(&mut self, pem: &[u8], by: &str) -> Certificate {
        self.issue_on(pem, &Identification::Renewal { predecessor: predecessor(by), compared: false })
    }

    pub(crate) fn issue_on(&mut self, pem: &[u8], identified: &Identification) -> Certificate {
        let request = check_request("a.csr", pem, &World::default().around()).unwrap();
        let issued = issue(&self.authority, &request, "90d".parse().unwrap(), NOW).unwrap();
        let entry = Entry::new(&request, &issued, &self.authority, identified, self.now);
        self.world.logs(&entry);
        entry.decoded().unwrap()
    }

    /// A second request came, signed with the key of `predecessor`, which had vouched for `successor`.
    pub(crate) fn alarm(&mut self, predecessor: &Certificate, successor: &Certificate) {
        let entry = &self.world.log.entries()[0];
        let (organization, request) = (entry.organization.clone(), entry.request);
        let (predecessor, successor) = (predecessor.serial.clone(), successor.serial.clone());
        let fingerprint = NEXT.fingerprint();
        self.record(Alarm { time: self.now, organization, predecessor, successor, request, fingerprint });
    }

    /// The alarm is settled: that certificate is the organization's.
    pub(crate) fn settle(&mut self, keep: &Certificate) {
        let organization = ORG.parse().unwrap();
        self.record(Settlement { time: self.now, organization, keep: keep.serial.clone() });
    }

    fn record(&mut self, record: impl Into<Record>) {
        self.world.log.take(1, record.into().line().as_bytes()).unwrap();
    }

    pub(crate) fn judge(&self, pem: &[u8]) -> Result<Predecessor, Vec<Failure>> {
        let context = PolicyContext { now: self.now, ..self.world.around() };
        let request = check_request("a.csr", pem, &context)?;
        let proof = request.proof.clone().unwrap();
        vouches(&request, &proof, &context, &self.pool).map_err(|failure| vec![failure])
    }
}

/// A request with the proof by a key.
pub(crate) fn proven(request: &Forge<'_>, key: &PrivateKey, certificate: &Certificate) -> Vec<u8> {
    let der = request.der();
    let proof = proof::create(&der, key, certificate).unwrap();
    [armoured("CERTIFICATE REQUEST", &der), proof.into_bytes()].concat()
}

/// A request with whatever stands in the place of a proof.
pub(crate) fn beside(request: &[u8], cms: &[u8]) -> Vec<u8> {
    [armoured("CERTIFICATE REQUEST", request), armoured("CMS", cms)].concat()
}

/// A certificate that vouched, known by its serial number.
pub(crate) fn predecessor(serial: &str) -> Predecessor {
    Predecessor { serial: serial.to_owned(), fingerprint: KEY.fingerprint(), not_after: NOW }
}
