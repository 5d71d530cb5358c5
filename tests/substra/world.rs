//! A federation's keys and certificates, made once for all tests.

use std::sync::LazyLock;

pub(crate) use substra_mtls::substra::servers::TrustedCa;
use substra_mtls::{
    pki::{
        authority::create_root,
        inspect::{Certificate, certificates},
        key::{KeyType, PrivateKey},
    },
    substra::{
        forged_certificates::{CertificateRecipe, LeafUsage},
        servers::{BackendClient, CallOutcome, OrchestratorServer, PemPair, call},
    },
};
use time::OffsetDateTime;

pub(crate) const HOST: &str = "orchestrator.example.org";

pub(crate) struct Ca {
    pub(crate) key: PrivateKey,
    pub(crate) pem: String,
    pub(crate) certificate: Certificate,
}

pub(crate) struct World {
    pub(crate) ca: Ca,
    pub(crate) other: Ca,
    pub(crate) leaf_key: PrivateKey,
    pub(crate) server: PemPair,
}

pub(crate) static WORLD: LazyLock<World> = LazyLock::new(|| {
    let ca = ca();
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let recipe = CertificateRecipe {
        dns_names: vec![HOST.into()],
        usage: Some(LeafUsage::Both),
        v3: true,
        ..CertificateRecipe::default()
    };
    let certificate = recipe.sign(key.spki(), &ca.certificate, &ca.key, now()).unwrap();
    let server = pair(&certificate, &key);
    World { ca, other: self::ca(), leaf_key: PrivateKey::generate(KeyType::Rsa2048).unwrap(), server }
});

/// The machine's time, once: `openssl` dates its certificates by it too.
pub(crate) fn now() -> OffsetDateTime {
    static NOW: LazyLock<OffsetDateTime> = LazyLock::new(OffsetDateTime::now_utc);
    *NOW
}

pub(crate) fn ca() -> Ca {
    ca_of(now())
}

/// A root that was made at a time.
pub(crate) fn ca_of(time: OffsetDateTime) -> Ca {
    let (key, pem) = create_root(KeyType::Rsa2048, time).unwrap();
    let certificate = certificates(pem.as_bytes()).unwrap().remove(0);
    Ca { key, pem, certificate }
}

pub(crate) fn pair(certificate: &str, key: &PrivateKey) -> PemPair {
    PemPair { certificate: certificate.as_bytes().to_vec(), key: zeroize(key) }
}

pub(crate) fn zeroize(key: &PrivateKey) -> zeroize::Zeroizing<Vec<u8>> {
    zeroize::Zeroizing::new(key.to_pem().as_bytes().to_vec())
}

/// An organization's leaf with authorityKeyId and EKU clientAuth.
pub(crate) fn proper(organization: &str) -> CertificateRecipe {
    CertificateRecipe {
        organizations: vec![organization.into()],
        common_name: "substra.org-1.example.org".into(),
        usage: Some(LeafUsage::Client),
        v3: true,
        ..CertificateRecipe::default()
    }
}

pub(crate) fn signed(recipe: &CertificateRecipe, ca: &Ca) -> PemPair {
    let key = &WORLD.leaf_key;
    pair(&recipe.sign(key.spki(), &ca.certificate, &ca.key, now()).unwrap(), key)
}

pub(crate) fn trusted(organization: &str, pem: &str) -> TrustedCa {
    TrustedCa { organization: organization.into(), pem: pem.as_bytes().to_vec() }
}

/// The orchestrator with mutual TLS and two members under the one CA.
pub(crate) fn server(verify: bool) -> OrchestratorServer {
    let cas = [trusted("MyOrg1MSP", &WORLD.ca.pem), trusted("MyOrg2MSP", &WORLD.ca.pem)];
    OrchestratorServer::start(WORLD.server.clone(), WORLD.ca.pem.as_bytes(), &cas, true, verify).unwrap()
}

pub(crate) fn client(pair: Option<PemPair>, header: &str) -> BackendClient {
    BackendClient::new(WORLD.ca.pem.clone().into_bytes(), pair, header, HOST)
}

pub(crate) fn answer(pair: Option<PemPair>, header: &str, verify: bool) -> CallOutcome {
    call(&client(pair, header), &server(verify), now())
}
