//! Proofs between this tool and OpenSSL, and damaged ones.

use clap::ValueEnum;
use substra_mtls::pki::{
    inspect::Certificate,
    key::{KeyType, PrivateKey},
    policy::check_request,
    proof, request,
};

use crate::{
    forge::*,
    openssl::{Bench, openssl},
    scene::{NEXT, Scene, beside, proven},
};

/// A key of a kind, its certificate, and the CA's in a folder as `a.key`, `a.crt`, `ca.crt`; `r.der` is a renewal's.
fn bench(kind: KeyType) -> (Bench, PrivateKey, Certificate, Vec<u8>) {
    let (bench, key) = (Bench::new(), PrivateKey::generate(kind).unwrap());
    let mut scene = Scene::empty();
    let csr = request::create(&key, &ORG.parse().unwrap(), &HOST.parse().unwrap()).unwrap();
    let certificate = scene.issue(csr.as_bytes());
    let request = of(&NEXT).der();
    bench.put("a.key", key.to_pem().as_bytes());
    bench.put("a.crt", certificate.to_pem());
    bench.put("ca.crt", scene.authority.certificate().to_pem());
    bench.put("r.der", &request);
    (bench, key, certificate, request)
}

fn signer(file: &[u8]) -> Result<Certificate, String> {
    let request = check_request("a.csr", file, &World::default().around());
    let request =
        request.map_err(|findings| findings.iter().map(|finding| finding.code.id()).collect::<Vec<_>>().join(" "))?;
    Ok(request.proof.unwrap().signer)
}

/// The time at which the certificates of these tests are valid, for OpenSSL.
const AT: &str = "-attime 1772600767";

#[test]
fn every_kind_of_key_makes_a_proof_that_we_and_openssl_verify() {
    for &kind in KeyType::value_variants() {
        let (bench, key, certificate, request) = bench(kind);
        let pem = proof::create(&request, &key, &certificate).unwrap();
        let file = [armoured("CERTIFICATE REQUEST", &request), pem.into_bytes()].concat();
        assert_eq!(signer(&file).unwrap_or_else(|code| panic!("{kind}: {code}")), certificate);
        bench.put("a.csr", &file);
        // The whole file, as it is mailed.
        let verify = format!(
            "cms -verify -purpose sslclient -binary -inform PEM -in a.csr -content r.der -CAfile ca.crt {AT} -out out"
        );
        bench.run(&verify);
        assert_eq!(bench.get("out"), request, "{kind}");
        bench.run("req -in a.csr -verify -noout");
        bench.put("r.der", of(&NEXT).der());
        assert!(!openssl(bench.0.path(), &verify).0, "{kind}: over another request");
    }
}

#[test]
fn what_openssl_signs_is_accepted_or_refused_by_its_code() {
    const FORM: Option<&str> = Some("proof-form");
    for &kind in KeyType::value_variants() {
        let (bench, _, certificate, request) = bench(kind);
        bench.put("other.crt", Scene::new().1.to_pem());
        bench.put("other.key", KEY.to_pem().as_bytes());
        let own_digest = if kind == KeyType::EcdsaP384 { None } else { FORM };
        for (options, refused) in [
            ("-md sha256", None),
            ("-md sha256 -nosmimecap", None),
            ("-md sha256 -keyid", None),
            ("-md sha256 -cades", None),
            ("-md sha384", own_digest),
            ("-md sha512", FORM),
            ("-md sha1", FORM),
            ("-md sha256 -noattr", FORM),
            ("-md sha256 -nocerts", FORM),
            ("-md sha256 -nodetach", FORM),
            ("-md sha256 -stream", FORM),
            ("-md sha256 -certfile ca.crt", FORM),
            ("-md sha256 -signer other.crt -inkey other.key", FORM),
            ("-md sha256 -econtent_type 1.2.840.113549.1.9.16.1.4", FORM),
        ] {
            bench.run(&format!(
                "cms -sign -binary -in r.der -outform PEM -out p.pem -signer a.crt -inkey a.key {options}"
            ));
            let file = [armoured("CERTIFICATE REQUEST", &request), bench.get("p.pem")].concat();
            let expected = refused.map_or_else(|| Ok(certificate.clone()), |code| Err(code.to_owned()));
            assert_eq!(signer(&file), expected, "{kind}: {options}");
        }
    }
}

#[test]
fn a_padding_that_is_not_read_and_a_text_in_place_of_bytes_are_refused() {
    let (bench, _, _, request) = bench(KeyType::Rsa2048);
    for (options, code) in [
        ("-binary -md sha256 -keyopt rsa_padding_mode:pss", "proof-form"),
        // Without -binary it signs what it takes for a text, with other ends of lines.
        ("-md sha256", "proof-of-another-request"),
    ] {
        bench.put("r.der", [&request[..], b"\n"].concat());
        bench.run(&format!("cms -sign -in r.der -outform PEM -out p.pem -signer a.crt -inkey a.key {options}"));
        let file = [armoured("CERTIFICATE REQUEST", &request), bench.get("p.pem")].concat();
        assert_eq!(signer(&file), Err(code.to_owned()), "{options}");
    }
}

#[test]
fn a_key_vouches_with_its_own_certificate_alone() {
    let (_, first) = Scene::new();
    let failure = proof::create(&of(&NEXT).der(), &NEXT, &first).unwrap_err();
    assert_eq!(failure.code.id(), "proof-not-made");
    assert!(failure.why.contains(&first.serial) && !failure.next.is_empty(), "{failure}");
}

#[test]
fn whose_the_file_is_and_its_digest_are_those_of_its_request() {
    let (scene, first) = Scene::new();
    let (plain, file) = (of(&NEXT).pem(), proven(&of(&NEXT), &KEY, &first));
    assert_eq!(request::organization(&file).as_deref(), Some(ORG));
    assert_eq!(request::digest(&file), request::digest(&plain));
    assert!(request::der(&file).is_some() && request::der(&[plain.clone(), plain].concat()).is_none());
    let predecessor = scene.judge(&file).unwrap();
    assert_eq!((predecessor.serial, predecessor.fingerprint), (first.serial, KEY.fingerprint()));
    assert_eq!(predecessor.not_after, first.not_after);
}

/// Each byte of the proof with two of its bits flipped, one by one: what is accepted at all vouches for nothing else.
#[test]
fn no_flipped_bit_makes_a_proof_vouch_for_anything_else() {
    let (scene, first) = Scene::new();
    let request = of(&NEXT).der();
    let pem = proof::create(&request, &KEY, &first).unwrap();
    let cms = der::pem::decode_vec(pem.as_bytes()).unwrap().1;
    let file = beside(&request, &cms);
    let meant = check_request("a.csr", &file, &scene.world.around()).unwrap();
    let expected = scene.judge(&file).unwrap();
    let flips = |bytes: &[u8]| -> Vec<Vec<u8>> {
        let flip = |(at, bit): (usize, usize)| {
            let mut out = bytes.to_vec();
            out[at] ^= 1 << (bit % 8);
            out
        };
        (0..bytes.len()).flat_map(|at| [(at, at), (at, at + 5)]).map(flip).collect()
    };
    let mut refused = 0;
    let ders = flips(&cms).into_iter().map(|cms| beside(&request, &cms));
    let all: Vec<Vec<u8>> = ders.chain(flips(&request).into_iter().map(|request| beside(&request, &cms))).collect();
    let count = all.len();
    for file in all.into_iter().chain(flips(&file)) {
        let judged = check_request("a.csr", &file, &scene.world.around());
        match judged.map(|request| (request.proof.is_some().then(|| scene.judge(&file)), request)) {
            Ok((Some(Ok(predecessor)), request)) => {
                assert_eq!(
                    (predecessor, request.spki, request.hosts),
                    (expected.clone(), meant.spki.clone(), meant.hosts.clone())
                );
            }
            _ => refused += 1,
        }
    }
    assert!(refused >= count, "every flip of the bytes themselves is refused: {refused} of {count}");
}
