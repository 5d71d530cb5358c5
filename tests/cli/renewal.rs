//! A renewal by the live key: the request carries its proof where the live pair can vouch, and people are told why not.

use substra_mtls::{
    cluster::{Kubernetes, Object, ObjectRef},
    pki::{inspect::certificates, request},
    report::Outcome,
};
use time::Duration;

use crate::{check::world::put, simulated::Federation};

pub(crate) const PAIR: &str = "orchestrator-client-cert";
pub(crate) const PENDING: &str = "orchestrator-client-cert-pending";

/// One organization is installed; the gate is open.
pub(crate) fn installed() -> Federation {
    let fed = Federation::new();
    fed.enroll("").unwrap();
    fed.approve().unwrap();
    fed.install().unwrap();
    fed
}

pub(crate) fn secret(fed: &Federation, name: &str) -> Option<Object> {
    fed.org.get(&[ObjectRef::secret(name)]).unwrap().pop()
}

/// The serial number of the live certificate.
pub(crate) fn live(fed: &Federation) -> String {
    let pem = secret(fed, PAIR).unwrap().data("tls.crt").unwrap();
    certificates(&pem).unwrap().remove(0).serial
}

/// Who vouches for the request in the file.
fn voucher(fed: &Federation) -> Option<String> {
    request::voucher(fed.world.read("MyOrg1MSP.csr").as_bytes()).map(|certificate| certificate.serial)
}

pub(crate) fn next(outcome: &Outcome) -> String {
    outcome.json()["next"].to_string()
}

#[test]
fn a_renewal_is_signed_by_the_live_key_and_a_rerun_gives_the_same_bytes() {
    let fed = installed();
    assert_eq!(voucher(&fed), None, "the first certificate is by fingerprint");
    let requested = fed.enroll("--renew").unwrap();
    let serial = live(&fed);
    assert_eq!(requested.get("vouchedForBy").unwrap(), &serial);
    assert!(next(&requested).contains(&format!("no phone call is needed: the key of certificate {serial} vouches")));
    assert!(requested.get("fingerprint").is_some());
    let (sent, kept) = (fed.world.read("MyOrg1MSP.csr"), secret(&fed, PENDING).unwrap());
    assert_eq!((voucher(&fed), kept.data("request.csr").unwrap().as_slice()), (Some(serial), sent.as_bytes()));
    assert_eq!(fed.enroll("").unwrap().stage().id(), "already");
    std::fs::remove_file(fed.world.path("MyOrg1MSP.csr")).unwrap();
    fed.enroll("").unwrap();
    assert_eq!(fed.world.read("MyOrg1MSP.csr"), sent);
    fed.approve().unwrap();
    assert_eq!(fed.install().unwrap().stage().id(), "installed");
}

#[test]
fn what_an_older_version_left_waiting_gets_its_proof_added() {
    let fed = installed();
    let fingerprint = fed.enroll("--renew").unwrap().get("fingerprint").cloned();
    let whole = fed.world.read("MyOrg1MSP.csr");
    let (bare, _) = whole.split_once("-----BEGIN CMS").unwrap();
    put(&fed.org, &ObjectRef::secret(PENDING), &[("request.csr", bare.as_bytes())]);
    fed.world.write("MyOrg1MSP.csr", bare);
    let planned = fed.enroll("--dry-run").unwrap();
    assert_eq!((planned.stage().id(), planned.get("fingerprint").cloned()), ("planned", fingerprint.clone()));
    let again = fed.enroll("").unwrap();
    assert_eq!((again.stage().id(), again.get("fingerprint").cloned()), ("requested", fingerprint));
    assert_eq!(voucher(&fed), Some(live(&fed)));
    let kept = secret(&fed, PENDING).unwrap().data("request.csr").unwrap();
    assert_eq!(kept.as_slice(), fed.world.read("MyOrg1MSP.csr").as_bytes());
    assert_eq!(fed.enroll("").unwrap().stage().id(), "already");
}

#[test]
fn where_the_live_pair_cannot_vouch_people_are_told_why_and_read_the_fingerprint_out() {
    let fed = installed();
    let other = fed.enroll("--renew --hostname other.org-1.example.org").unwrap();
    let why = format!(
        "no key vouches for it (certificate {} has substra.org-1.example.org, and the request names other.org-1.example.org)",
        live(&fed)
    );
    assert!(next(&other).contains(&format!("read the fingerprint out to them by phone: {why}")), "{}", next(&other));
    assert_eq!((voucher(&fed), other.get("vouchedForBy")), (None, None));

    let mut fed = installed();
    fed.now += Duration::days(91);
    let expired = fed.enroll("").unwrap();
    assert!(next(&expired).contains("is valid from "), "{}", next(&expired));
    assert_eq!(voucher(&fed), None);

    let fed = installed();
    fed.org.remove_object(&ObjectRef::secret(PAIR));
    let lost = fed.enroll("").unwrap();
    assert!(next(&lost).contains("Secret orchestrator-client-cert, with the live pair, is lost"), "{}", next(&lost));
    assert_eq!(voucher(&fed), None);
    fed.approve().unwrap();
    assert_eq!(fed.install().unwrap().stage().id(), "installed");

    let fed = installed();
    put(&fed.org, &ObjectRef::secret(PAIR), &[("tls.key", b"torn")]);
    let torn = fed.enroll("").unwrap();
    assert!(next(&torn).contains("certificate and key in Secret orchestrator-client-cert do not fit"));
}

#[test]
fn a_certificate_that_vouched_for_a_request_vouches_for_another_one_with_a_warning() {
    let fed = installed();
    fed.enroll("--renew").unwrap();
    let anew = fed.enroll("--new-request").unwrap();
    assert_eq!(voucher(&fed), Some(live(&fed)));
    let warning = anew.json()["warnings"].to_string();
    assert!(warning.contains("vouched for the request before this one too"), "{warning}");
    assert!(!installed().enroll("--new-request").unwrap().json()["warnings"].to_string().contains("vouched"));
}

#[test]
fn the_proof_is_by_the_pair_that_is_live_now() {
    let fed = installed();
    let first = live(&fed);
    fed.enroll("--renew").unwrap();
    fed.approve().unwrap();
    fed.enroll("--new-request").unwrap();
    fed.install().unwrap();
    assert_eq!(voucher(&fed), Some(first.clone()), "the newer request still waits");
    assert_ne!(live(&fed), first);
    fed.enroll("").unwrap();
    assert_eq!(voucher(&fed), Some(live(&fed)));
}
