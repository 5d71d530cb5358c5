//! The table of measured answers, and what else was measured of identity and trust.

use std::process::Command;

use substra_mtls::{
    pki::{identity::check, inspect::certificates},
    substra::{
        forged_certificates::{CertificateRecipe, LeafUsage},
        servers::{BackendClient, CallOutcome, OrchestratorServer, PemPair, call, call_impostor},
    },
};

use super::world::{HOST, WORLD, answer, ca_of, client, now, pair, proper, server, signed, trusted};

fn denied(text: &str) -> CallOutcome {
    CallOutcome::PermissionDenied(text.into())
}

fn refused(text: &str) -> CallOutcome {
    CallOutcome::HandshakeRefused(text.into())
}

#[test]
fn the_walkthrough_to_the_letter_is_refused_under_the_identity_check() {
    let walkthrough = signed(&CertificateRecipe::walkthrough("MyOrg1MSP", "substra.org-1.example.org"), &WORLD.ca);
    assert_eq!(certificates(&walkthrough.certificate).unwrap()[0].version, 1);
    assert_eq!(answer(Some(walkthrough), "MyOrg1MSP", true), denied("invalid issuer for MSPID MyOrg1MSP"));
}

#[test]
fn with_authority_key_id_and_client_auth_it_is_accepted() {
    assert_eq!(answer(Some(signed(&proper("MyOrg1MSP"), &WORLD.ca)), "MyOrg1MSP", true), CallOutcome::Accepted);
}

#[test]
fn under_another_organization_s_name_it_is_refused() {
    let words = "cannot find MSPID MyOrg2MSP in client TLS certificate Subject Organizations";
    assert_eq!(answer(Some(signed(&proper("MyOrg1MSP"), &WORLD.ca)), "MyOrg2MSP", true), denied(words));
}

#[test]
fn a_subject_with_two_organizations_is_let_in_as_both() {
    let two = CertificateRecipe { organizations: vec!["MyOrg1MSP".into(), "MyOrg2MSP".into()], ..proper("x") };
    for header in ["MyOrg1MSP", "MyOrg2MSP"] {
        assert_eq!(answer(Some(signed(&two, &WORLD.ca)), header, true), CallOutcome::Accepted, "{header}");
    }
}

#[test]
fn a_server_s_certificate_is_refused_in_the_handshake() {
    let recipe = CertificateRecipe { usage: Some(LeafUsage::Server), ..proper("MyOrg1MSP") };
    assert_eq!(answer(Some(signed(&recipe, &WORLD.ca)), "MyOrg1MSP", true), refused("bad certificate"));
}

#[test]
fn without_a_certificate_the_handshake_is_refused() {
    assert_eq!(answer(None, "MyOrg1MSP", true), refused("certificate required"));
}

#[test]
fn without_the_identity_check_any_certificate_acts_as_anyone() {
    assert_eq!(answer(Some(signed(&proper("MyOrg1MSP"), &WORLD.ca)), "MyOrg2MSP", false), CallOutcome::Accepted);
}

#[test]
fn the_ca_appended_to_the_walkthrough_s_leaf_repairs_it() {
    let mut repaired = signed(&CertificateRecipe::walkthrough("MyOrg1MSP", "x.example.org"), &WORLD.ca);
    repaired.certificate.extend_from_slice(WORLD.ca.pem.as_bytes());
    // The CA's authorityKeyIdentifier is its own subjectKeyIdentifier.
    assert_eq!(answer(Some(repaired), "MyOrg1MSP", true), CallOutcome::Accepted);
}

#[test]
fn a_certificate_of_the_walkthrough_s_form_poses_as_the_orchestrator_and_one_of_ours_does_not() {
    let backend = client(None, "MyOrg2MSP");
    let posing = |recipe: &CertificateRecipe| call_impostor(&backend, &signed(recipe, &WORLD.ca), now());
    assert_eq!(posing(&CertificateRecipe::walkthrough("Evil", HOST)), CallOutcome::Accepted);
    let client_only = CertificateRecipe { dns_names: vec![HOST.into()], ..proper("Evil") };
    assert!(matches!(posing(&client_only), CallOutcome::ServerNotTrusted(_)));
    let both = CertificateRecipe { usage: Some(LeafUsage::Both), ..client_only };
    assert_eq!(posing(&both), CallOutcome::Accepted);
    let san_without_the_name = CertificateRecipe {
        common_name: HOST.into(),
        dns_names: vec!["x.example.org".into()],
        usage: None,
        ..proper("Evil")
    };
    assert!(
        matches!(posing(&san_without_the_name), CallOutcome::ServerNotTrusted(_)),
        "a SAN closes the fallback to the CN"
    );
}

#[test]
fn another_ca_s_and_an_expired_certificate_are_refused() {
    assert_eq!(
        answer(Some(signed(&proper("MyOrg1MSP"), &WORLD.other)), "MyOrg1MSP", true),
        refused("unknown certificate authority")
    );
    let expired = CertificateRecipe { expired: true, ..proper("MyOrg1MSP") };
    assert_eq!(answer(Some(signed(&expired, &WORLD.ca)), "MyOrg1MSP", true), refused("expired certificate"));
}

#[test]
fn an_expired_root_ends_everything_on_both_sides() {
    let later = now() + time::Duration::days(5 * 365 + 1);
    let recipe = proper("MyOrg1MSP");
    let key = &WORLD.leaf_key;
    let fresh = pair(&recipe.sign(key.spki(), &WORLD.ca.certificate, &WORLD.ca.key, later).unwrap(), key);
    assert!(matches!(
        call(&client(Some(fresh.clone()), "MyOrg1MSP"), &server(true), later),
        CallOutcome::ServerNotTrusted(_)
    ));
    // The server's own pair is of a young CA, so that the client has nothing against it; it refuses the client of the old.
    let young = ca_of(later);
    let names = CertificateRecipe {
        dns_names: vec![HOST.into()],
        usage: Some(LeafUsage::Both),
        v3: true,
        ..CertificateRecipe::default()
    };
    let server_pair = pair(&names.sign(key.spki(), &young.certificate, &young.key, later).unwrap(), key);
    let cas = [trusted("MyOrg1MSP", &WORLD.ca.pem)];
    let server = OrchestratorServer::start(server_pair, young.pem.as_bytes(), &cas, true, true).unwrap();
    let call_with =
        |pair| call(&BackendClient::new(young.pem.clone().into_bytes(), Some(pair), "MyOrg1MSP", HOST), &server, later);
    assert_eq!(call_with(fresh), refused("expired certificate"));
    let of_the_young = pair(&recipe.sign(key.spki(), &young.certificate, &young.key, later).unwrap(), key);
    assert_eq!(call_with(of_the_young), denied("invalid issuer for MSPID MyOrg1MSP"), "the client trusts the server");
}

#[test]
fn the_arbitrary_key_of_the_walkthrough_admits_nobody() {
    let cas = [trusted("orchestrator", &WORLD.ca.pem)];
    let server = OrchestratorServer::start(WORLD.server.clone(), WORLD.ca.pem.as_bytes(), &cas, true, true).unwrap();
    let client = client(Some(signed(&proper("MyOrg1MSP"), &WORLD.ca)), "MyOrg1MSP");
    assert_eq!(call(&client, &server, now()), denied("cannot find MSPID MyOrg1MSP in allowed organizations"));
}

#[test]
fn under_a_ca_without_key_identifier_a_leaf_without_one_passes() {
    let walkthrough = signed(&CertificateRecipe::walkthrough("MyOrg1MSP", "x.example.org"), &WORLD.ca);
    let leaf = certificates(&walkthrough.certificate).unwrap().remove(0);
    let mut ca = WORLD.ca.certificate.clone();
    ca.subject_key_id = None;
    assert_eq!(check("MyOrg1MSP", &[&leaf], &[("MyOrg1MSP", &ca)]), Ok(()), "the empty key id equals the missing one");
    assert!(check("MyOrg1MSP", &[&leaf], &[("MyOrg1MSP", &WORLD.ca.certificate)]).is_err());
}

#[test]
fn the_identity_is_compared_byte_for_byte() {
    let leaf = certificates(&signed(&proper("MyOrg1MSP"), &WORLD.ca).certificate).unwrap().remove(0);
    for header in ["myorg1msp", "MyOrg1MSP ", "MyOrg1MS", ""] {
        assert!(check(header, &[&leaf], &[(header, &WORLD.ca.certificate)]).is_err(), "{header:?}");
    }
}

#[test]
fn an_organization_without_any_object_is_not_admitted() {
    let words = "cannot find MSPID MyOrg2MSP in allowed organizations";
    let cas = [trusted("MyOrg1MSP", &WORLD.ca.pem)];
    let server = OrchestratorServer::start(WORLD.server.clone(), WORLD.ca.pem.as_bytes(), &cas, true, true).unwrap();
    let client = client(Some(signed(&proper("MyOrg2MSP"), &WORLD.ca)), "MyOrg2MSP");
    assert_eq!(call(&client, &server, now()), denied(words));
}

#[test]
fn whoever_holds_a_ca_of_the_pool_acts_as_every_organization() {
    // The foreign CA's leaf claims the other CA's key identifier; the chain is verified, the identifier is not.
    let mut claimed = WORLD.other.certificate.clone();
    claimed.subject_key_id.clone_from(&WORLD.ca.certificate.subject_key_id);
    let key = &WORLD.leaf_key;
    let forged = proper("MyOrg1MSP").sign(key.spki(), &claimed, &WORLD.other.key, now()).unwrap();
    let cas = [trusted("MyOrg1MSP", &WORLD.ca.pem), trusted("Foreign", &WORLD.other.pem)];
    let server = OrchestratorServer::start(WORLD.server.clone(), WORLD.ca.pem.as_bytes(), &cas, true, true).unwrap();
    assert_eq!(call(&client(Some(pair(&forged, key)), "MyOrg1MSP"), &server, now()), CallOutcome::Accepted);
}

#[test]
fn in_a_bundle_all_count_for_tls_and_the_first_for_the_identity() {
    let bundle = |first: &str, second: &str| [trusted("MyOrg1MSP", &format!("{first}{second}"))];
    let client = client(Some(signed(&proper("MyOrg1MSP"), &WORLD.other)), "MyOrg1MSP");
    let ask = |cas: &[_]| {
        let server = OrchestratorServer::start(WORLD.server.clone(), WORLD.ca.pem.as_bytes(), cas, true, true).unwrap();
        call(&client, &server, now())
    };
    assert_eq!(ask(&bundle(&WORLD.ca.pem, &WORLD.other.pem)), denied("invalid issuer for MSPID MyOrg1MSP"));
    assert_eq!(ask(&bundle(&WORLD.other.pem, &WORLD.ca.pem)), CallOutcome::Accepted);
}

#[test]
fn certificates_made_by_openssl_get_the_same_answers() {
    let folder = tempfile::tempdir().unwrap();
    let run = |line: &str| {
        let out = Command::new("sh").arg("-c").arg(line).current_dir(folder.path()).output().unwrap();
        assert!(out.status.success(), "{line}: {}", String::from_utf8_lossy(&out.stderr));
    };
    std::fs::write(folder.path().join("ca.crt"), &WORLD.ca.pem).unwrap();
    std::fs::write(folder.path().join("ca.key"), WORLD.ca.key.to_pem().as_bytes()).unwrap();
    std::fs::write(folder.path().join("ext"), "authorityKeyIdentifier=keyid\nextendedKeyUsage=clientAuth\n").unwrap();
    run(
        "openssl req -newkey rsa:2048 -nodes -keyout org.key -subj '/O=MyOrg1MSP/CN=substra.org-1.example.org' -out org.csr",
    );
    run("openssl x509 -req -days 365 -in org.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out plain.crt -sha256");
    run(
        "openssl x509 -req -days 365 -in org.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out good.crt -sha256 -extfile ext",
    );
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let key = zeroize::Zeroizing::new(read("org.key"));
    let pair = |name: &str| PemPair { certificate: read(name), key: key.clone() };
    let now = now() + time::Duration::MINUTE;
    let ask = |name: &str| call(&client(Some(pair(name)), "MyOrg1MSP"), &server(true), now);
    assert_eq!(ask("good.crt"), CallOutcome::Accepted);
    let version = certificates(&read("plain.crt")).unwrap()[0].version;
    if version == 1 {
        assert_eq!(ask("plain.crt"), denied("invalid issuer for MSPID MyOrg1MSP"));
    } else {
        assert_eq!(ask("plain.crt"), CallOutcome::Accepted, "OpenSSL 3.2 and later write v3 with key identifiers");
    }
}
