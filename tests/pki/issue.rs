//! What is issued, and that it is given again from the log.

use substra_mtls::pki::{
    authority::{Authority, create_root},
    inspect::Certificate,
    issue::{IssuedCertificate, issue},
    key::{KeyType, PrivateKey},
    log::{self, Entry, IssueLog},
    policy::{Identification, check_request},
};
use time::{Duration, OffsetDateTime, macros::datetime};

use crate::{
    forge::{HOST, KEY, NOW, ORG, World, good, name},
    policy::answered,
};

pub(crate) fn authority(key_type: KeyType) -> (Authority, String) {
    let (key, pem) = create_root(key_type, NOW).unwrap();
    (Authority::load(pem.as_bytes(), key, NOW).unwrap().0, pem)
}

pub(crate) fn issued(authority: &Authority, pem: &[u8]) -> IssuedCertificate {
    issued_at(authority, pem, NOW).unwrap()
}

fn issued_at(
    authority: &Authority,
    pem: &[u8],
    now: OffsetDateTime,
) -> Result<IssuedCertificate, substra_mtls::failure::Failure> {
    let request = check_request("a.csr", pem, &World::default().around()).unwrap();
    issue(authority, &request, "90d".parse().unwrap(), now)
}

/// A key that no certificate has.
static KEY_OF_NOBODY: std::sync::LazyLock<PrivateKey> =
    std::sync::LazyLock::new(|| PrivateKey::generate(KeyType::EcdsaP256).unwrap());

#[test]
fn a_client_certificate_follows_the_profile_under_every_kind_of_ca() {
    for kind in [KeyType::EcdsaP256, KeyType::EcdsaP384, KeyType::Rsa2048] {
        let (authority, _) = authority(kind);
        let ca = authority.certificate();
        let issued = issued(&authority, &good().pem());
        let leaf = Certificate::from_der(&issued.der).unwrap();
        assert_eq!((leaf.version, leaf.subject.as_str()), (3, format!("O={ORG}, CN={HOST}").as_str()));
        assert_eq!((leaf.dns_names.as_slice(), leaf.spki.as_slice()), (&[HOST.to_owned()][..], KEY.spki()));
        assert!(leaf.client_auth() && !leaf.server_auth() && leaf.has_eku() && !leaf.is_ca);
        assert_eq!((leaf.not_before, leaf.not_after), (NOW - Duration::HOUR, NOW + Duration::days(90)));
        assert_eq!((&leaf.authority_key_id, &leaf.issuer_der), (&ca.subject_key_id, &ca.subject_der));
        assert!(leaf.serial.starts_with("01") && leaf.serial.len() == 34 && !issued.cut_to_ca_end);
        assert!(leaf.is_signed_by(ca) && !ca.is_signed_by(&leaf));
    }
}

#[test]
fn two_certificates_never_share_a_serial_number() {
    let (authority, _) = authority(KeyType::EcdsaP256);
    assert_ne!(issued(&authority, &good().pem()).serial, issued(&authority, &good().pem()).serial);
}

#[test]
fn a_long_host_stands_in_the_alternative_name_alone() {
    let host = format!("{}.{}.org", "a".repeat(60), "b".repeat(60));
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let pem = substra_mtls::pki::request::create(&key, &ORG.parse().unwrap(), &host.parse().unwrap()).unwrap();
    let issued = issued(&authority(KeyType::EcdsaP256).0, pem.as_bytes());
    let leaf = Certificate::from_der(&issued.der).unwrap();
    assert_eq!((leaf.common_names.len(), leaf.dns_names), (0, vec![host]));
}

#[test]
fn a_certificate_ends_before_its_ca_and_says_so() {
    let (authority, _) = authority(KeyType::EcdsaP256);
    let end = authority.certificate().not_after;
    let cut = issued_at(&authority, &good().pem(), end - Duration::days(30)).unwrap();
    assert_eq!((cut.not_after, cut.cut_to_ca_end), (end - Duration::SECOND, true));
    let late = issued_at(&authority, &good().pem(), end - Duration::DAY).unwrap_err();
    assert_eq!(late.code.id(), "authority-ends");
}

#[test]
fn times_beyond_2049_are_generalized() {
    let now = datetime!(2049-12-01 00:00:00 UTC);
    let (key, pem) = create_root(KeyType::EcdsaP256, now).unwrap();
    let authority = Authority::load(pem.as_bytes(), key, now).unwrap().0;
    let leaf = Certificate::from_der(&issued_at(&authority, &good().pem(), now).unwrap().der).unwrap();
    assert_eq!(leaf.not_after, datetime!(2050-03-01 00:00:00 UTC));
}

#[test]
fn the_log_gives_the_same_bytes_again() {
    let (authority, entry) = answered(&good().pem());
    let mut written = entry.line();
    written.push_str(&Entry { time: NOW + Duration::HOUR, ..entry.clone() }.line());
    let log = IssueLog::parse(&written).unwrap();
    let digest = substra_mtls::pki::request::digest(&good().pem()).unwrap();
    assert_eq!((log.entries().len(), &log.entries()[0]), (2, &entry));
    assert_eq!(log.find(&digest).unwrap().time, NOW + Duration::HOUR);
    let again = log::reissue(&entry, &authority, NOW + Duration::DAY).unwrap();
    assert_eq!((&again.serial, again.not_after), (&entry.serial, entry.not_after));
    assert_eq!(again, log::reissue(&entry, &authority, NOW + Duration::days(2)).unwrap());
    let other = good().subject(name(ORG, "b.org-1.com")).pem();
    assert!(log.find(&substra_mtls::pki::request::digest(&other).unwrap()).is_none());
}

#[test]
fn a_torn_or_edited_log_is_named_by_its_line() {
    let (authority, entry) = answered(&good().pem());
    let line = entry.line();
    let why = |text: &str| IssueLog::parse(text).unwrap_err();
    let torn = why(&format!("{line}{}", &line[..100]));
    assert!(torn.what.contains("line 2") && torn.next.contains("delete its last line (2)"), "{torn}");
    let unended = why(&format!("{line}{}", line.trim_end()));
    assert!(unended.what.contains("line 2") && unended.next.contains("add a line end"), "{unended}");
    assert!(why(&format!("{{}}\n{line}")).what.contains("line 1"));
    let (_, other) = answered(&good().pem());
    let swapped = Entry { certificate: other.certificate, ..entry.clone() };
    assert_eq!(log::reissue(&swapped, &authority, NOW).unwrap_err().code.id(), "issue-log-damaged");
    let edits: [fn(&mut Entry); 6] = [
        |entry| entry.serial.replace_range(0..2, "02"),
        |entry| entry.organization = "MyOrg2MSP".parse().unwrap(),
        |entry| entry.not_before += Duration::SECOND,
        |entry| entry.not_after += Duration::DAY,
        |entry| entry.hosts = vec!["other.example.org".parse().unwrap()],
        |entry| entry.fingerprint = KEY_OF_NOBODY.fingerprint(),
    ];
    for edit in edits {
        let mut edited = entry.clone();
        edit(&mut edited);
        assert_eq!(log::reissue(&edited, &authority, NOW).unwrap_err().code.id(), "issue-log-damaged", "{edited:?}");
    }
    for bad in ["", "AAAA", "!"] {
        let broken = Entry { certificate: bad.to_owned(), ..entry.clone() };
        assert_eq!(log::reissue(&broken, &authority, NOW).unwrap_err().code.id(), "issue-log-damaged");
    }
}

/// A line as it is written: scripts and later versions read it.
#[test]
fn a_line_of_the_log_is_pinned() {
    let entry = Entry { certificate: "MIIB".to_owned(), serial: "01ab".to_owned(), ..answered(&good().pem()).1 };
    let (request, print, authority) = (entry.request, entry.fingerprint, entry.authority);
    let line = format!(
        "{{\"kind\":\"certificate\",\"time\":\"2026-03-04T05:06:07Z\",\"organization\":\"MyOrg1MSP\",\"serial\":\"01ab\",\
         \"fingerprint\":\"{print}\",\"request\":\"{request}\",\"notBefore\":\"2026-03-04T04:06:07Z\",\
         \"notAfter\":\"2026-06-02T05:06:07Z\",\"authority\":\"{authority}\",\"hosts\":[\"backend.org-1.com\"],\
         \"unverifiedMail\":true,\"certificate\":\"MIIB\"}}\n"
    );
    assert_eq!(entry.line(), line);
    assert_eq!(IssueLog::parse(&line).unwrap().entries(), std::slice::from_ref(&entry));
    let old = line.replace("\"kind\":\"certificate\",", "");
    assert_eq!(IssueLog::parse(&old).unwrap().entries(), [entry], "a line without a kind is a certificate");
}

#[test]
fn an_entry_of_a_kind_that_is_not_known_is_refused_and_not_passed_over() {
    let line = answered(&good().pem()).1.line();
    let refused = |text: &str| IssueLog::parse(text).unwrap_err();
    for newer in [
        line.replace("\"kind\":\"certificate\"", "\"kind\":\"revocation\""),
        "{\"kind\":\"authority\",\"name\":\"x\"}\n".to_owned(),
        line.replace("\"kind\":\"certificate\"", "\"kind\":\"\\u001b[2J\""),
    ] {
        let failure = refused(&format!("{line}{newer}"));
        assert_eq!(failure.code.id(), "issue-log-newer");
        assert!(failure.what.contains("line 2") && failure.what.contains("a newer version"), "{failure}");
        assert!(!failure.to_string().contains('\u{1b}'), "{failure}");
    }
    for spoilt in [line.replace("\"kind\":\"certificate\"", "\"kind\":7"), line.replace("\"serial\"", "\"more\"")] {
        assert_eq!(refused(&spoilt).code.id(), "issue-log-damaged");
    }
}

#[test]
fn the_log_says_when_nobody_compared_a_fingerprint() {
    let (authority, entry) = answered(&good().pem());
    assert!(entry.unverified_mail && entry.line().contains("\"unverifiedMail\":true"));
    let request = check_request("a.csr", &good().pem(), &World::default().around()).unwrap();
    let again = issued(&authority, &good().pem());
    let compared = Identification::Fingerprint;
    assert!(!Entry::new(&request, &again, &authority, &compared, NOW).unverified_mail);
}
