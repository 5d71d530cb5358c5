//! The backend's look at the certificate that comes back.

use substra_mtls::{
    failure::Exit,
    pki::{
        inspect::{self, Certificate},
        key::{KeyType, PrivateKey},
        verify_returned::{ExpectedCertificate, verify},
    },
};
use time::Duration;

use crate::{
    forge::{KEY, NOW, ORG, armoured, extension, good, name, oid, seq, tlv},
    issue::{authority, issued},
};

fn codes(
    bytes: &[u8],
    spki: &[u8],
    org: &str,
    authorities: &[Certificate],
    now: time::OffsetDateTime,
) -> Vec<&'static str> {
    let msp_id = org.parse().unwrap();
    match verify("a.crt", bytes, &ExpectedCertificate { spki, msp_id: &msp_id, authorities, now }) {
        Ok(_) => Vec::new(),
        Err(findings) => {
            assert!(findings.iter().all(|f| f.exit == Exit::Refused && f.what.starts_with("a.crt: ")), "{findings:?}");
            findings.into_iter().map(|finding| finding.code.id()).collect()
        }
    }
}

#[test]
fn accepts_what_was_issued_and_refuses_it_elsewhere() {
    let (ca, ca_pem) = authority(KeyType::EcdsaP256);
    let (other, _) = authority(KeyType::EcdsaP256);
    let pem = issued(&ca, &good().pem()).pem;
    let trusted = [other.certificate().clone(), ca.certificate().clone()];
    let look = |spki: &[u8], org, trusted: &[Certificate], now| codes(pem.as_bytes(), spki, org, trusted, now);
    assert!(look(KEY.spki(), ORG, &trusted, NOW).is_empty());
    let stranger = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    assert_eq!(look(stranger.spki(), ORG, &trusted, NOW), ["certificate-key"]);
    assert_eq!(look(KEY.spki(), "MyOrg2MSP", &trusted, NOW), ["certificate-organization"]);
    assert_eq!(look(KEY.spki(), ORG, &trusted[..1], NOW), ["certificate-authority"]);
    assert_eq!(look(KEY.spki(), ORG, &[], NOW), ["certificate-authority"]);
    assert_eq!(
        look(KEY.spki(), ORG, &trusted, NOW - Duration::DAY),
        ["certificate-times", "certificate-authority-times"]
    );
    assert_eq!(look(KEY.spki(), ORG, &trusted, NOW + Duration::days(90)), ["certificate-times"]);
    let late = NOW + Duration::days(6 * 365);
    assert_eq!(look(KEY.spki(), ORG, &trusted, late), ["certificate-times", "certificate-authority-times"]);
    let by_mistake = codes(ca_pem.as_bytes(), KEY.spki(), ORG, &trusted, NOW);
    assert_eq!(by_mistake, ["certificate-key", "certificate-organization", "certificate-usage"]);
}

#[test]
fn refuses_anything_but_certificates() {
    let (ca, _) = authority(KeyType::EcdsaP256);
    let pem = issued(&ca, &good().pem()).pem;
    let trusted = [ca.certificate().clone()];
    let look = |bytes: &[u8]| codes(bytes, KEY.spki(), ORG, &trusted, NOW);
    assert_eq!(look(format!("{pem}{}", *KEY.to_pem()).as_bytes()), ["certificate-file-holds-key"]);
    assert_eq!(look(&good().pem()), ["certificate-file-other-block"]);
    assert_eq!(
        look(pem.replace("CERTIFICATE", "X509 CERTIFICATE").as_bytes()),
        ["certificate-file-other-block"],
        "a label over which Go passes"
    );
    assert_eq!(look(format!("\u{feff}{pem}").as_bytes()), ["certificate-file-damaged"]);
    assert_eq!(look(b"see attachment"), ["certificate-file-empty"]);
    assert_eq!(look(&pem.as_bytes()[..pem.len() - 40]), ["certificate-file-damaged"]);
    assert_eq!(look(&armoured("CERTIFICATE", b"hello")), ["certificate-damaged"]);
    assert!(look(format!("issued for you:\r\n{}", pem.replace('\n', "\r\n")).as_bytes()).is_empty());
}

/// Certificates under the CA's own key that our tool never issues: by name, their extensions.
fn crafted(ca_key: &PrivateKey, ca: &Certificate, subject: &[u8], extensions: &[&[u8]]) -> Vec<u8> {
    let algorithm = seq(&[&oid("1.2.840.10045.4.3.2")]);
    let times = seq(&[&tlv(0x17, b"260101000000Z"), &tlv(0x17, b"270101000000Z")]);
    let (version, extensions) = match extensions {
        [] => (Vec::new(), Vec::new()),
        _ => (tlv(0xa0, &[2, 1, 2]), tlv(0xa3, &seq(extensions))),
    };
    let parts: [&[u8]; 8] =
        [&version, &[2, 1, 7], &algorithm, &ca.subject_der, &times, subject, KEY.spki(), &extensions];
    let body = seq(&parts);
    let signature = ca_key.sign(&body).unwrap();
    armoured("CERTIFICATE", &seq(&[&body, &algorithm, &tlv(3, &[&[0], &signature[..]].concat())]))
}

#[test]
fn refuses_certificates_that_the_servers_would_refuse_or_that_could_pose_as_a_server() {
    let (ca_key, ca_pem) = substra_mtls::pki::authority::create_root(KeyType::EcdsaP256, NOW).unwrap();
    let ca = inspect::certificates(ca_pem.as_bytes()).unwrap().remove(0);
    let trusted = [ca.clone()];
    let look = |subject: &[u8], extensions: &[&[u8]]| {
        codes(&crafted(&ca_key, &ca, subject, extensions), KEY.spki(), ORG, &trusted, NOW)
    };
    let usage = |purposes: &[&str]| {
        let oids: Vec<u8> = purposes.iter().flat_map(|purpose| oid(purpose)).collect();
        extension("2.5.29.37", false, &tlv(0x30, &oids))
    };
    let (client, server) = ("1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1");
    let key_id = extension("2.5.29.35", false, &seq(&[&tlv(0x80, ca.subject_key_id.as_ref().unwrap())]));
    let subject = name(ORG, "x.org");
    assert!(look(&subject, &[&usage(&[client]), &key_id]).is_empty());
    // What `openssl x509 -req` of the walkthrough makes: version 1 without any extension.
    assert_eq!(look(&subject, &[]), ["certificate-usage", "certificate-authority-key-id"]);
    assert_eq!(look(&subject, &[&usage(&[client, server]), &key_id]), ["certificate-usage"]);
    assert_eq!(look(&subject, &[&usage(&[server]), &key_id]), ["certificate-usage"]);
    assert_eq!(look(&subject, &[&usage(&["2.5.29.37.0"]), &key_id]), ["certificate-usage"]);
    assert_eq!(look(&subject, &[&usage(&[client])]), ["certificate-authority-key-id"]);
    let foreign = extension("2.5.29.35", false, &seq(&[&tlv(0x80, &[1; 20])]));
    assert_eq!(look(&subject, &[&usage(&[client]), &foreign]), ["certificate-authority-key-id"]);
    let twice = crafted(&ca_key, &ca, &subject, &[&usage(&[client]), &usage(&[server]), &key_id]);
    assert_eq!(codes(&twice, KEY.spki(), ORG, &trusted, NOW), ["certificate-damaged"]);
    let (org, other) =
        (crate::forge::rdn("2.5.4.10", 0x0c, ORG.as_bytes()), crate::forge::rdn("2.5.4.10", 0x0c, b"Other"));
    assert_eq!(look(&seq(&[&org, &other]), &[&usage(&[client]), &key_id]), ["certificate-organization"]);
}
