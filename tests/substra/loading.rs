//! What grpcio loads, and what it makes of the rest.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use substra_mtls::{
    pki::key::{KeyType, PrivateKey},
    substra::servers::{BackendClient, CallOutcome, call},
};

use super::world::{HOST, WORLD, answer, now, pair, proper, server, signed};

fn with(change: impl Fn(&mut Vec<u8>, &mut Vec<u8>)) -> CallOutcome {
    let mut pair = signed(&proper("MyOrg1MSP"), &WORLD.ca);
    let mut key = pair.key.to_vec();
    change(&mut pair.certificate, &mut key);
    pair.key = zeroize::Zeroizing::new(key);
    answer(Some(pair), "MyOrg1MSP", true)
}

fn cannot_load() -> CallOutcome {
    CallOutcome::CannotLoad("empty address list".into())
}

#[test]
fn text_before_the_block_carriage_returns_and_a_chain_load() {
    assert_eq!(with(|certificate, _| certificate.splice(0..0, *b"hello\n").for_each(drop)), CallOutcome::Accepted);
    assert_eq!(
        with(|_, key| *key = String::from_utf8(key.clone()).unwrap().replace('\n', "\r\n").into_bytes()),
        CallOutcome::Accepted
    );
    assert_eq!(with(|certificate, _| certificate.extend_from_slice(WORLD.ca.pem.as_bytes())), CallOutcome::Accepted);
}

#[test]
fn halves_that_do_not_fit_a_byte_order_mark_and_the_ca_before_the_leaf_do_not() {
    assert_eq!(with(|_, key| *key = WORLD.server.key.to_vec()), cannot_load());
    assert_eq!(with(|certificate, _| certificate.splice(0..0, *b"\xef\xbb\xbf").for_each(drop)), cannot_load());
    assert_eq!(with(|certificate, _| *certificate = [WORLD.ca.pem.as_bytes(), certificate].concat()), cannot_load());
}

#[test]
fn an_empty_key_connects_without_a_certificate() {
    assert_eq!(with(|_, key| key.clear()), CallOutcome::HandshakeRefused("certificate required".into()));
}

/// A block whose base64 is good and whose content is no certificate.
const SPOILT: &[u8] = b"-----BEGIN CERTIFICATE-----\nAQI=\n-----END CERTIFICATE-----\n";

#[test]
fn what_follows_the_leaf_and_the_key_is_not_minded() {
    for after in [&b"garbage"[..], SPOILT, b"-----BEGIN CERTIFICATE-----\nAQI=\n", &WORLD.server.key] {
        assert_eq!(with(|certificate, _| certificate.extend_from_slice(after)), CallOutcome::Accepted);
    }
    for after in [&b"garbage"[..], WORLD.ca.pem.as_bytes(), &WORLD.server.key] {
        assert_eq!(with(|_, key| key.extend_from_slice(after)), CallOutcome::Accepted);
    }
    assert_eq!(with(|_, key| key.splice(0..0, WORLD.server.key.to_vec()).for_each(drop)), cannot_load());
}

#[test]
fn text_alone_and_an_encrypted_key_do_not_load() {
    assert_eq!(with(|certificate, _| *certificate = b"hello".to_vec()), cannot_load());
    assert_eq!(with(|_, key| *key = b"hello".to_vec()), cannot_load());
    assert_eq!(with(|_, key| *key = openssl("pkcs8 -topk8 -passout pass:abcd", key)), cannot_load());
}

#[test]
fn empty_lines_in_a_block_and_glued_blocks_do_not_load() {
    let spaced = |text: &[u8]| String::from_utf8_lossy(text).replace('\n', "\n\n").into_bytes();
    assert_eq!(with(|certificate, _| *certificate = spaced(certificate)), cannot_load());
    let glue = |certificate: &mut Vec<u8>| {
        let leaf = certificate.trim_ascii_end().to_vec();
        *certificate = [&leaf, WORLD.ca.pem.as_bytes()].concat();
    };
    assert_eq!(with(|certificate, _| glue(certificate)), cannot_load());
}

#[test]
fn keys_load_in_every_form_that_openssl_writes() {
    assert_eq!(with(|_, key| *key = openssl("rsa -traditional", key)), CallOutcome::Accepted, "PKCS#1");
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let crt = proper("MyOrg1MSP").sign(key.spki(), &WORLD.ca.certificate, &WORLD.ca.key, now()).unwrap();
    let mut sec1 = pair(&crt, &key);
    let parameters = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n".to_vec();
    sec1.key = zeroize::Zeroizing::new([parameters, openssl("ec", &sec1.key)].concat());
    assert!(String::from_utf8_lossy(&sec1.key).contains("BEGIN EC PRIVATE KEY"));
    assert_eq!(answer(Some(sec1), "MyOrg1MSP", true), CallOutcome::Accepted, "SEC1 after its parameters");
}

#[test]
fn of_a_ca_file_the_certificates_before_the_first_spoilt_one_count() {
    let good = WORLD.ca.pem.as_bytes();
    let trusting = |ca: Vec<u8>| {
        let pair = signed(&proper("MyOrg1MSP"), &WORLD.ca);
        call(&BackendClient::new(ca, Some(pair), "MyOrg1MSP", HOST), &server(true), now())
    };
    for before in [&b""[..], b"hello\n", &WORLD.server.key, WORLD.other.pem.as_bytes()] {
        assert_eq!(trusting([before, good].concat()), CallOutcome::Accepted);
    }
    assert_eq!(trusting([good, SPOILT].concat()), CallOutcome::Accepted);
    for unusable in [[SPOILT, good].concat(), [b"\xef\xbb\xbf", good].concat(), Vec::new(), b"hello".to_vec()] {
        assert_eq!(trusting(unusable), cannot_load());
    }
}

/// `openssl COMMAND` from standard input to standard output.
fn openssl(command: &str, input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("openssl")
        .args(command.split(' '))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success(), "{command}");
    out.stdout
}
