//! Cases of the rules on the file, its encoding, its key and its signature.

use substra_mtls::pki::key::{KeyType, PrivateKey};

use crate::{forge::*, policy::Cases};

pub(crate) fn form(cases: &mut Cases) {
    const PEM: &str = "request-not-one-pem";
    const KEYS: &str = "request-holds-private-key";
    let pem = good().pem();
    let key = KEY.to_pem();
    cases.refuses(KEYS, "a key after the request", &[&pem[..], key.as_bytes()].concat());
    cases.refuses(KEYS, "a key alone", key.as_bytes());
    cases.refuses(KEYS, "a torn key of the old kind", b"-----BEGIN RSA PRIVATE KEY-----\nMII");
    cases.refuses(KEYS, "an encrypted key", b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n");
    let bag = b"Bag Attributes\n    friendlyName: backend\nKey Attributes: <No Attributes>\n";
    cases.refuses(KEYS, "a key out of a PKCS#12 file", &[bag, key.as_bytes(), &pem].concat());
    cases.refuses(KEYS, "PuTTY's form", &[b"PuTTY-User-Key-File-3: rsa\nEncryption: none\n", &pem[..]].concat());
    cases.refuses(KEYS, "SSH2's form", &[b"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n", &pem[..]].concat());
    cases.refuses(KEYS, "PGP's form", &[b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n", &pem[..]].concat());
    cases.accepts(KEYS, "a request alone", &pem);
    cases.accepts(KEYS, "the attributes of a bag without its key", &[&bag[..], &pem].concat());

    let damaged = String::from_utf8(pem.clone()).unwrap().replacen("MI", "M ", 1);
    cases.refuses(PEM, "an empty file", b"");
    cases.refuses(PEM, "two requests", &[&pem[..], &pem].concat());
    cases.refuses(PEM, "a certificate", &armoured("CERTIFICATE", &good().der()));
    cases.refuses(PEM, "a byte order mark", &[b"\xef\xbb\xbf", &pem[..]].concat());
    cases.refuses(PEM, "a NUL", &[b"\0\n", &pem[..]].concat());
    cases.refuses(PEM, "a large file", &[&pem[..], &[b'\n'; 16384]].concat());
    cases.refuses(PEM, "sloppy base64", damaged.as_bytes());
    cases.refuses(PEM, "a cut file", &pem[..pem.len() - 10]);
    let headers = b"-----BEGIN CERTIFICATE REQUEST-----\nA: b\n\nAAAA\n-----END CERTIFICATE REQUEST-----\n";
    cases.refuses(PEM, "header lines", headers);
    cases.refuses(PEM, "an escape in the label", b"-----BEGIN \x1b[2J-----\nAAAA\n-----END \x1b[2J-----\n");
    cases.accepts(PEM, "a mail around it", &[b"-----Original Message-----\n", &pem[..], b"-----\n"].concat());
    cases.accepts(PEM, "text around it, and CRLF", String::from_utf8(pem).unwrap().replace('\n', "\r\n").as_bytes());
    cases.accepts(PEM, "the other label", &armoured("NEW CERTIFICATE REQUEST", &good().der()));
}

pub(crate) fn der(cases: &mut Cases) {
    const DER: &str = "request-not-strict-der";
    let whole = good().der();
    let armoured = |der: &[u8]| armoured("CERTIFICATE REQUEST", der);
    cases.refuses(DER, "bytes after the end", &armoured(&[&whole[..], &[5, 0]].concat()));
    cases.refuses(DER, "another version", &Forge { version: 1, ..good() }.pem());
    cases.refuses(DER, "no structure", &armoured(b"hello"));
    cases.refuses(DER, "a part missing", &armoured(&seq(&[&good().info(), &ecdsa_sha256()])));
    let mut long = vec![0x30, 0x83, 0];
    long.extend(&whole[2..]);
    cases.refuses(DER, "a length in more bytes than it needs", &armoured(&long));
    let (one, two) = (seq(&[&oid("2.5.4.97"), &set(&[&[5, 0]])]), asks(&[&dns(&[HOST])]));
    cases.refuses(DER, "a set out of order", &good().attributes([two, one].concat()).pem());
    cases.accepts(DER, "strict DER", &armoured(&whole));
}

pub(crate) fn keys(cases: &mut Cases) {
    const CODE: &str = "request-key";
    let ec = |curve: &[u8], point: &[u8]| {
        seq(&[&seq(&[&oid("1.2.840.10045.2.1"), curve]), &tlv(3, &[&[0], point].concat())])
    };
    let (p256, point) = (oid("1.2.840.10045.3.1.7"), KEY.spki()[26..].to_vec());
    assert_eq!(ec(&p256, &point), KEY.spki());
    let mut off = point.clone();
    off[64] ^= 1;
    cases.refuses(CODE, "a point off the curve", &good().spki(ec(&p256, &off)).pem());
    cases.refuses(CODE, "a compressed point", &good().spki(ec(&p256, &[&[2], &point[1..33]].concat())).pem());
    cases.refuses(CODE, "the point at infinity", &good().spki(ec(&p256, &[0])).pem());
    cases.refuses(CODE, "another curve", &good().spki(ec(&oid("1.3.132.0.35"), &point)).pem());
    cases.refuses(CODE, "explicit parameters", &good().spki(ec(&seq(&[&[2, 1, 1]]), &point)).pem());
    let ed25519 = seq(&[&seq(&[&oid("1.3.101.112")]), &tlv(3, &[0; 33])]);
    cases.refuses(CODE, "Ed25519", &good().spki(ed25519).pem());

    let modulus = RSA.spki()[33..33 + 256].to_vec();
    assert_eq!(rsa(&modulus, &[1, 0, 1]), RSA.spki());
    cases.refuses(CODE, "RSA with exponent 3", &good().spki(rsa(&modulus, &[3])).pem());
    cases.refuses(CODE, "RSA of 1024 bits", &good().spki(rsa(&modulus[..128], &[1, 0, 1])).pem());
    cases.refuses(CODE, "RSA of 2056 bits", &good().spki(rsa(&[&modulus[..], &[1]].concat(), &[1, 0, 1])).pem());
    let mut even = modulus.clone();
    even[255] &= 0xfe;
    cases.refuses(CODE, "an even RSA modulus", &good().spki(rsa(&even, &[1, 0, 1])).pem());
    let no_null = seq(&[&seq(&[&oid("1.2.840.113549.1.1.1")]), &RSA.spki()[19..]]);
    cases.refuses(CODE, "an RSA key without NULL", &good().spki(no_null).pem());
    cases.accepts(CODE, "P-256", &good().pem());
    cases.accepts(CODE, "RSA 2048", &of(&RSA).pem());
    let p384 = PrivateKey::generate(KeyType::EcdsaP384).unwrap();
    let sha384 = seq(&[&oid("1.2.840.10045.4.3.3")]);
    cases.accepts(CODE, "P-384", &of(&p384).algorithm(sha384).pem());
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let integer = |bytes: &[u8]| tlv(2, &if bytes[0] < 128 { bytes.to_vec() } else { [&[0], bytes].concat() });
    let key = seq(&[&integer(modulus), &integer(exponent)]);
    seq(&[&seq(&[&oid("1.2.840.113549.1.1.1"), &[5, 0]]), &tlv(3, &[&[0], &key[..]].concat())])
}

pub(crate) fn signatures(cases: &mut Cases) {
    const CODE: &str = "request-signature";
    let other = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    cases.refuses(CODE, "somebody else's key", &good().spki(other.spki().to_vec()).pem());
    cases.refuses(CODE, "SHA-1", &good().algorithm(seq(&[&oid("1.2.840.10045.4.1")])).pem());
    cases.refuses(CODE, "another hash than named", &good().algorithm(seq(&[&oid("1.2.840.10045.4.3.3")])).pem());
    cases.refuses(CODE, "an RSA algorithm on an EC key", &good().algorithm(of(&RSA).algorithm).pem());
    cases.refuses(
        CODE,
        "parameters where none belong",
        &good().algorithm(seq(&[&oid("1.2.840.10045.4.3.2"), &[5, 0]])).pem(),
    );
    cases.refuses(CODE, "RSA-PSS", &of(&RSA).algorithm(seq(&[&oid("1.2.840.113549.1.1.10"), &[0x30, 0]])).pem());
    let altered = replaced(&good().der(), HOST.as_bytes(), b"backend.org-2.com");
    cases.refuses(CODE, "names altered after signing", &armoured("CERTIFICATE REQUEST", &altered));
    cases.accepts(CODE, "its own signature", &good().pem());
    cases.accepts(CODE, "its own RSA signature", &of(&RSA).pem());
    let absent = seq(&[&oid("1.2.840.113549.1.1.11")]);
    cases.accepts(CODE, "an RSA signature whose NULL is left out", &of(&RSA).algorithm(absent).pem());
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for at in 0..=out.len() - from.len() {
        if out[at..].starts_with(from) {
            out[at..at + from.len()].copy_from_slice(to);
        }
    }
    out
}
