//! What ends the orchestrator at its start, and what its own probe refuses.

use substra_mtls::substra::{
    forged_certificates::{CertificateRecipe, LeafUsage},
    servers::{OrchestratorServer, probe},
};

use super::world::{HOST, WORLD, now, server, signed, trusted};

fn start(cas: &[substra_mtls::substra::servers::TrustedCa]) -> Result<OrchestratorServer, String> {
    OrchestratorServer::start(WORLD.server.clone(), WORLD.ca.pem.as_bytes(), cas, true, true)
}

#[test]
fn mutual_tls_without_client_cas_crashes() {
    assert!(start(&[]).err().unwrap().contains("no such file or directory"));
}

#[test]
fn a_file_without_any_certificate_crashes() {
    assert!(start(&[trusted("MyOrg1MSP", "not PEM")]).is_err());
    assert!(start(&[trusted("MyOrg1MSP", &WORLD.leaf_key.to_pem())]).is_err());
    let cas = [trusted("MyOrg1MSP", &WORLD.ca.pem)];
    for mtls in [true, false] {
        let started = OrchestratorServer::start(WORLD.server.clone(), b"", &cas, mtls, true);
        assert_eq!(started.is_err(), mtls, "without mutual TLS the CA is not read");
    }
}

#[test]
fn a_first_block_that_is_no_certificate_crashes_under_the_identity_check() {
    let mixed = format!("{}{}", *WORLD.leaf_key.to_pem(), WORLD.ca.pem);
    let cas = [trusted("MyOrg1MSP", &mixed)];
    for verify in [true, false] {
        let started = OrchestratorServer::start(WORLD.server.clone(), WORLD.ca.pem.as_bytes(), &cas, true, verify);
        assert_eq!(started.is_err(), verify);
    }
}

#[test]
fn later_blocks_that_cannot_be_read_are_skipped() {
    let spoilt = "-----BEGIN CERTIFICATE-----\nAQI=\n-----END CERTIFICATE-----\n";
    let cas = [trusted("MyOrg1MSP", &format!("{}{spoilt}", WORLD.ca.pem))];
    assert_eq!(probe(&start(&cas).unwrap(), HOST, now()), Ok(()));
}

/// What `cat` makes of files whose last line has no end.
#[test]
fn certificates_that_are_glued_on_one_line_crash() {
    let glued = format!("{}{}", WORLD.other.pem.trim_end(), WORLD.ca.pem);
    assert!(start(&[trusted("MyOrg1MSP", &glued)]).is_err());
}

#[test]
fn a_pair_that_does_not_fit_crashes() {
    let mut pair = WORLD.server.clone();
    pair.key = super::world::zeroize(&WORLD.leaf_key);
    let started = OrchestratorServer::start(pair, WORLD.ca.pem.as_bytes(), &[], false, false);
    assert_eq!(started.err().unwrap(), "tls: private key does not match public key");
}

#[test]
fn the_probe_passes_with_both_usages_and_the_name() {
    assert_eq!(probe(&server(true), HOST, now()), Ok(()));
}

#[test]
fn the_probe_is_a_client_and_needs_client_auth_and_the_name() {
    let refused = |recipe: &CertificateRecipe, name: &str| {
        let cas = [trusted("MyOrg1MSP", &WORLD.ca.pem)];
        let server =
            OrchestratorServer::start(signed(recipe, &WORLD.ca), WORLD.ca.pem.as_bytes(), &cas, true, true).unwrap();
        probe(&server, name, now()).is_err()
    };
    let named = CertificateRecipe { dns_names: vec![HOST.into()], v3: true, ..CertificateRecipe::default() };
    assert!(refused(&CertificateRecipe { usage: Some(LeafUsage::Server), ..named.clone() }, HOST));
    assert!(refused(&CertificateRecipe { usage: Some(LeafUsage::Both), ..named.clone() }, "other.example.org"));
    assert!(
        !refused(&CertificateRecipe { usage: None, ..named }, HOST),
        "no extended key usage at all allows everything"
    );
    assert!(
        refused(&CertificateRecipe { common_name: HOST.into(), ..CertificateRecipe::default() }, HOST),
        "Go does not fall back to the CN"
    );
}
