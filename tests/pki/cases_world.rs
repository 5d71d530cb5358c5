//! Cases of the rules that look beyond the request: whose key, which member, who said so, answered before.

use substra_mtls::{
    names::MspId,
    pki::{
        fingerprint::Fingerprint,
        log::{self, Entry},
        policy::{Claim, check_request, identify},
    },
};
use time::Duration;

use crate::{
    forge::*,
    policy::{Cases, answered, logged},
};

pub(crate) fn owners(cases: &mut Cases) {
    const USED: &str = "request-key-used";
    const OTHER: &str = "request-key-of-another";
    let burnt = |whose: &str| World { burnt: vec![(KEY.fingerprint(), whose.to_owned())], ..World::default() };
    cases.refuses_in(OTHER, "the CA's key", &good().pem(), &burnt("the CA"));
    cases.refuses_in(OTHER, "a burnt key", &good().pem(), &burnt("a request that came with its key"));
    let foreign = logged(&good().subject(name("MyOrg2MSP", "backend.org-2.com")).attributes(Vec::new()).pem());
    cases.refuses_in(OTHER, "another organization's key", &good().pem(), &foreign);
    cases.accepts_in(OTHER, "a key of its own", &of(&RSA).pem(), &foreign);

    let world = logged(&good().pem());
    cases.refuses_in(USED, "the old key for another host", &good().subject(name(ORG, "b.org-1.com")).pem(), &world);
    cases.refuses_in(
        USED,
        "the old key with another list",
        &good().attributes(asks(&[&dns(&["b.org-1.com"])])).pem(),
        &world,
    );
    cases.refuses_in(USED, "the old key without a list", &good().attributes(Vec::new()).pem(), &world);
    cases.accepts_in(USED, "the same request again", &good().pem(), &world);
    cases.accepts_in(USED, "a new key", &of(&RSA).pem(), &world);
}

pub(crate) fn members(cases: &mut Cases) {
    const CODE: &str = "request-not-a-member";
    let twins = World { members: vec![ORG.into(), "My-Org1MSP".into()], ..World::default() };
    cases.refuses_in("request-organization", "a member that becomes the same volume", &good().pem(), &twins);
    let wildcard = World { names: vec![format!("*.{}", HOST.split_once('.').unwrap().1)], ..World::default() };
    cases.refuses_in("request-host", "a name that a wildcard of the orchestrator covers", &good().pem(), &wildcard);
    let world =
        |members: &[&str]| World { members: members.iter().map(|&m| m.to_owned()).collect(), ..World::default() };
    cases.refuses_in(CODE, "no channel at all", &good().pem(), &world(&[]));
    cases.refuses_in(CODE, "other members", &good().pem(), &world(&["MyOrg2MSP"]));
    cases.refuses_in(CODE, "a member written differently", &good().pem(), &world(&["myorg1msp", "MyOrg1-MSP"]));
    cases.accepts_in(CODE, "a member", &good().pem(), &world(&["MyOrg2MSP", ORG]));
}

pub(crate) fn identities(cases: &mut Cases) {
    const CODE: &str = "request-fingerprint";
    let request = check_request("a.csr", &good().pem(), &World::default().around()).unwrap();
    let (own, other): (MspId, MspId) = (ORG.parse().unwrap(), "MyOrg2MSP".parse().unwrap());
    let (print, wrong) = (request.fingerprint, Fingerprint::of_spki(b"x"));
    let by = |claims: &[(&MspId, Fingerprint)]| {
        let claim = Claim::Fingerprints(claims.iter().map(|(o, f)| ((*o).clone(), *f)).collect());
        identify("a.csr", &request, &claim).map(drop).map_err(|finding| vec![finding])
    };
    cases.add(CODE, true, "no fingerprint", by(&[]));
    cases.add(CODE, true, "another fingerprint", by(&[(&own, wrong)]));
    cases.add(CODE, true, "another organization's fingerprint alone", by(&[(&other, wrong)]));
    cases.add(CODE, false, "its fingerprint among others", by(&[(&other, wrong), (&own, print)]));
    cases.add(CODE, false, "its fingerprint twice", by(&[(&own, print), (&own, print)]));
    for two in [[(&own, wrong), (&own, print)], [(&own, print), (&own, wrong)]] {
        cases.add(CODE, true, "two fingerprints for one organization", by(&two));
    }
    let elsewhere = by(&[(&own, print), (&other, wrong), (&other, Fingerprint::of_spki(b"y"))]);
    cases.add(CODE, true, "two fingerprints for another organization", elsewhere);
    for refused in [by(&[]), by(&[(&own, wrong)]), by(&[(&own, print), (&own, wrong)])] {
        let told = refused.unwrap_err()[0].to_string();
        assert!(!told.contains(&print.to_string()[10..]), "the number that would make it pass: {told}");
    }
    cases.add(
        CODE,
        false,
        "an operator who says so",
        identify("a.csr", &request, &Claim::UnverifiedMail).map(drop).map_err(|f| vec![f]),
    );
    let crossed = by(&[(&other, print), (&own, wrong)]);
    assert!(crossed.as_ref().unwrap_err()[0].what.contains("given for MyOrg2MSP"), "{crossed:?}");
    cases.add("request-organization", true, "its fingerprint given for another organization", crossed);
}

pub(crate) fn answers(cases: &mut Cases) {
    const CODE: &str = "request-answered";
    let (authority, entry) = answered(&good().pem());
    let again =
        |entry: &Entry, authority, now| log::reissue(entry, authority, now).map(|_| ()).map(drop).map_err(|f| vec![f]);
    cases.add(CODE, true, "after its end", again(&entry, &authority, NOW + Duration::days(91)));
    cases.add(CODE, true, "in its last day", again(&entry, &authority, NOW + Duration::days(90) - Duration::HOUR));
    let (next, _) = answered(&good().pem());
    cases.add(CODE, true, "under another CA", again(&entry, &next, NOW));
    cases.add(CODE, false, "while it is valid", again(&entry, &authority, NOW + Duration::days(80)));
}
