//! What grpcio loads, and what it makes of the rest.

use substra_mtls::substra::servers::Answer;

use super::world::{WORLD, answer, proper, signed};

fn with(change: impl Fn(&mut Vec<u8>, &mut Vec<u8>)) -> Answer {
    let mut pair = signed(&proper("MyOrg1MSP"), &WORLD.ca);
    let mut key = pair.key.to_vec();
    change(&mut pair.certificate, &mut key);
    pair.key = zeroize::Zeroizing::new(key);
    answer(Some(pair), "MyOrg1MSP", true)
}

fn cannot_load() -> Answer {
    Answer::CannotLoad("empty address list".into())
}

#[test]
fn text_before_the_block_carriage_returns_and_a_chain_load() {
    assert_eq!(with(|certificate, _| certificate.splice(0..0, *b"hello\n").for_each(drop)), Answer::Accepted);
    assert_eq!(
        with(|_, key| *key = String::from_utf8(key.clone()).unwrap().replace('\n', "\r\n").into_bytes()),
        Answer::Accepted
    );
    assert_eq!(with(|certificate, _| certificate.extend_from_slice(WORLD.ca.pem.as_bytes())), Answer::Accepted);
}

#[test]
fn halves_that_do_not_fit_a_byte_order_mark_and_the_ca_before_the_leaf_do_not() {
    assert_eq!(with(|_, key| *key = WORLD.server.key.to_vec()), cannot_load());
    assert_eq!(with(|certificate, _| certificate.splice(0..0, *b"\xef\xbb\xbf").for_each(drop)), cannot_load());
    assert_eq!(with(|certificate, _| *certificate = [WORLD.ca.pem.as_bytes(), certificate].concat()), cannot_load());
}

#[test]
fn an_empty_key_connects_without_a_certificate() {
    assert_eq!(with(|_, key| key.clear()), Answer::HandshakeRefused("certificate required".into()));
}
