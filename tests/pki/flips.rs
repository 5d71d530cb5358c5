//! Damaged input: every byte flipped, every length cut. Never a panic, never another meaning.

use substra_mtls::pki::{
    inspect::{self, Certificate},
    key::{KeyType, PrivateKey},
    policy::check_request,
    request, verify_returned,
};

use crate::{
    forge::{HOST, KEY, NOW, ORG, RSA, World, armoured, good, of},
    issue::{authority, issued},
};

/// Two single-bit flips of each byte (which bits depends on the place) and all truncations.
fn damaged(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let flip = move |(at, bit): (usize, usize)| {
        let mut out = bytes.to_vec();
        out[at] ^= 1 << (bit % 8);
        out
    };
    let flips = (0..bytes.len()).flat_map(|at| [(at, at), (at, at + 5)]).map(flip);
    flips.chain((0..bytes.len()).map(|end| bytes[..end].to_vec()))
}

#[test]
fn a_damaged_request_is_refused_or_means_the_same() {
    let world = World::default();
    let mut count = 0;
    for forge in [good(), of(&RSA)] {
        let meant = check_request("a.csr", &forge.pem(), &world.around()).unwrap();
        let ders = damaged(&forge.der()).map(|der| armoured("CERTIFICATE REQUEST", &der)).collect::<Vec<_>>();
        for pem in ders.into_iter().chain(damaged(&forge.pem())) {
            count += 1;
            let _ = request::digest(&pem);
            if let Ok(read) = check_request("a.csr", &pem, &world.around()) {
                assert_eq!((&read.msp_id, &read.hosts, &read.spki), (&meant.msp_id, &meant.hosts, &meant.spki));
                assert_eq!((read.digest, read.asked), (meant.digest, meant.asked.clone()));
            }
        }
    }
    assert!(count > 5_000, "{count}");
}

#[test]
fn a_damaged_certificate_is_refused_or_is_the_same() {
    let (authority, _) = authority(KeyType::EcdsaP256);
    let issued = issued(&authority, &good().pem());
    let (msp_id, authorities) = (ORG.parse().unwrap(), [authority.certificate().clone()]);
    let expected =
        verify_returned::ExpectedCertificate { spki: KEY.spki(), msp_id: &msp_id, authorities: &authorities, now: NOW };
    let mut count = 0;
    let ders = damaged(&issued.der).map(|der| armoured("CERTIFICATE", &der)).collect::<Vec<_>>();
    for pem in ders.into_iter().chain(damaged(issued.pem.as_bytes())) {
        count += 1;
        let _ = inspect::certificates(&pem);
        if let Ok(read) = verify_returned::verify("a.crt", &pem, &expected) {
            assert_eq!(read.spki, KEY.spki());
            assert_eq!((read.dns_names.as_slice(), read.der), (&[HOST.to_owned()][..], issued.der.clone()));
        }
    }
    assert!(count > 3_000, "{count}");
}

#[test]
fn a_damaged_key_is_refused_or_is_the_same() {
    let mut count = 0;
    for key in [&*KEY, &*RSA] {
        for pem in damaged(key.to_pem().as_bytes()) {
            count += 1;
            // The public half is computed again, so that a key that was altered does not pass for another one.
            if let Ok(read) = PrivateKey::from_pem(&pem, None) {
                assert_eq!(read.spki(), key.spki());
            }
        }
    }
    assert!(count > 5_000, "{count}");
}

#[test]
fn a_certificate_whose_signature_is_no_whole_number_of_bytes_is_refused() {
    let (authority, _) = authority(KeyType::EcdsaP256);
    let mut der = issued(&authority, &good().pem()).der;
    // The signature's bit string ends the certificate: its first content byte counts the bits that do not belong to it,
    // and those have to be zero in DER.
    let signature = der.len() - signature_length(&der);
    der[signature] = 4;
    *der.last_mut().unwrap() &= 0xf0;
    let failure = Certificate::from_der(&der).unwrap_err();
    assert_eq!(
        (failure.code.id(), failure.why.as_str()),
        ("certificate-damaged", "its signature is not a whole number of bytes")
    );
}

/// The content bytes of the last element, found from where its header (tag 3, short form) must stand.
fn signature_length(der: &[u8]) -> usize {
    (60..80)
        .find(|&length| {
            let at = der.len() - length;
            der[at - 2] == 3 && usize::from(der[at - 1]) == length && der[at] == 0
        })
        .unwrap()
}
