//! Cases of the rules on who may vouch: the log, the organization, the one successor, the end, the hosts, the beginning.

use base64::{Engine, engine::general_purpose::STANDARD};
use substra_mtls::{
    failure::Failure,
    pki::{
        authority::create_root,
        inspect::{self, Certificate},
        key::{KeyType, PrivateKey},
        log::{Entry, IssueLog},
        policy::Identification,
    },
};
use time::Duration;

use crate::{
    forge::*,
    policy::Cases,
    scene::{NEXT, Scene, predecessor, proven},
};

type Verdict = Result<(), Vec<Failure>>;

pub(crate) fn all(cases: &mut Cases) {
    signers(cases);
    organizations(cases);
    successors(cases);
    alarms(cases);
    ends(cases);
    hosts(cases);
    beginnings(cases);
}

/// What is said of the first certificate's renewal once `change` has happened to the federation.
fn after(change: impl FnOnce(&mut Scene, &Certificate)) -> Verdict {
    asked_after(&of(&NEXT), change)
}

/// The same for another request.
fn asked_after(request: &Forge<'_>, change: impl FnOnce(&mut Scene, &Certificate)) -> Verdict {
    let (mut scene, first) = Scene::new();
    change(&mut scene, &first);
    scene.judge(&proven(request, &KEY, &first)).map(drop)
}

/// The one entry of the log is another.
fn edited(scene: &mut Scene, edit: impl FnOnce(&mut Entry)) {
    let mut entry = scene.world.log.entries()[0].clone();
    edit(&mut entry);
    scene.world.log = IssueLog::default();
    scene.world.logs(&entry);
}

/// The request of `MyOrg2MSP` with the key of the renewal.
fn of_the_second() -> Forge<'static> {
    of_the_second_with(&NEXT)
}

fn of_the_second_with(key: &PrivateKey) -> Forge<'_> {
    of(key).subject(name("MyOrg2MSP", "backend.org-2.com")).attributes(Vec::new())
}

fn naming(hosts: &[&str]) -> Forge<'static> {
    of(&NEXT).attributes(asks(&[&dns(hosts)]))
}

fn signers(cases: &mut Cases) {
    const CODE: &str = "proof-signer";
    cases.add(CODE, false, "in the log, its CA in the pool", after(|_, _| ()));
    cases.add(CODE, true, "an empty log", after(|scene, _| scene.world.log = IssueLog::default()));
    cases.add(CODE, true, "the log of another CA", after(|scene, _| scene.world = Scene::new().0.world));
    cases.add(CODE, true, "an empty pool", after(|scene, _| scene.pool.clear()));
    cases.add(CODE, true, "another CA in the pool", after(|scene, _| scene.pool = Scene::empty().pool));
    let other = Scene::new().1;
    let same_serial = after(|scene, _| edited(scene, |entry| entry.certificate = STANDARD.encode(&other.der)));
    assert!(
        same_serial.as_ref().unwrap_err()[0].why.contains("another certificate with its serial"),
        "{same_serial:?}"
    );
    cases.add(CODE, true, "another certificate of its serial number", same_serial);
    // Only by an edit of the log: its certificate is that of another CA than the line says.
    let claimed = after(|scene, _| {
        let other = Scene::empty().authority;
        edited(scene, |entry| entry.authority = other.fingerprint());
        scene.pool.push(other.certificate().clone());
    });
    cases.add(CODE, true, "logged under another CA, which is in the pool", claimed);
    let another_ca = after(|scene, _| edited(scene, |entry| entry.authority = KEY.fingerprint()));
    cases.add(CODE, true, "logged under another CA", another_ca);

    let (key, pem) = create_root(KeyType::EcdsaP256, NOW).unwrap();
    let ca = inspect::certificates(pem.as_bytes()).unwrap().remove(0);
    let (mut scene, _) = Scene::new();
    scene.pool.push(ca.clone());
    let by_a_ca = scene.judge(&proven(&of(&NEXT), &key, &ca)).map(drop);
    assert_eq!(by_a_ca.as_ref().unwrap_err()[0].why, "it is the certificate of a CA");
    cases.add(CODE, true, "the certificate of a CA", by_a_ca);
}

fn organizations(cases: &mut Cases) {
    const CODE: &str = "proof-organization";
    let (mut scene, first) = Scene::new();
    let second = scene.issue(&of_the_second_with(&RSA).pem());
    let by = |request: &Forge<'_>, key, certificate| scene.judge(&proven(request, key, certificate)).map(drop);
    cases.add(CODE, false, "its own", by(&of_the_second(), &RSA, &second));
    cases.add(CODE, true, "the second organization vouches for the first", by(&of(&NEXT), &RSA, &second));
    cases.add(CODE, true, "the first organization vouches for the second", by(&of_the_second(), &KEY, &first));
    let renamed = after(|scene, _| {
        edited(scene, |entry| {
            entry.organization = "MyOrg2MSP".parse().unwrap();
            entry.hosts = vec!["backend.org-2.com".parse().unwrap()];
        });
    });
    cases.add(CODE, true, "the log has it as another's", renamed);
    let mut scene = Scene::empty();
    let second = scene.issue(&of_the_second_with(&RSA).pem());
    edited(&mut scene, |entry| entry.organization = ORG.parse().unwrap());
    let taken = scene.judge(&proven(&of(&NEXT), &RSA, &second)).map(drop);
    cases.add(CODE, true, "the log has another's as its own", taken);
}

fn successors(cases: &mut Cases) {
    const CODE: &str = "proof-second-successor";
    let renewed = |scene: &mut Scene, first: &Certificate| drop(scene.renew(&of(&RSA).pem(), &first.serial));
    let alarm = after(renewed);
    let told = alarm.as_ref().unwrap_err()[0].to_string();
    for named in [NEXT.fingerprint().to_string(), RSA.fingerprint().to_string(), "2026-03-04T05:06:07Z".to_owned()] {
        assert!(told.contains(&named), "{named} is not named in {told}");
    }
    cases.add(CODE, true, "it vouched for another key", alarm);
    let expired = after(|scene, first| {
        renewed(scene, first);
        scene.now = first.not_after + Duration::SECOND;
    });
    cases.add(CODE, true, "it vouched for another key, and has expired", expired);
    let more = asked_after(&naming(&[HOST, "b.org-1.com"]), renewed);
    cases.add(CODE, true, "it vouched for another key, now for more hosts", more);
    let gone = after(|scene, first| {
        renewed(scene, first);
        scene.pool.clear();
    });
    cases.add(CODE, true, "it vouched for another key, and its CA is gone", gone);
    let third = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let compared = after(|scene, first| {
        renewed(scene, first);
        scene.issue(&of(&third).pem());
    });
    cases.add(CODE, true, "it vouched for another key, and a third was compared since", compared);
    let kept = after(|scene, first| {
        let other = scene.renew(&of(&RSA).pem(), &first.serial);
        scene.alarm(first, &other);
        scene.settle(&other);
    });
    cases.add(CODE, true, "it vouched for another key, which was kept", kept);
    cases.add(CODE, false, "it vouched for nothing yet", after(|_, _| ()));
    let again = after(|scene, first| drop(scene.renew(&of(&NEXT).pem(), &first.serial)));
    cases.add(CODE, false, "it vouched for this very key", again);
    let given_up = after(|scene, first| {
        let other = scene.renew(&of(&RSA).pem(), &first.serial);
        scene.alarm(first, &other);
        scene.settle(first);
    });
    cases.add(CODE, false, "what it vouched for was given up, and it was kept", given_up);
}

fn alarms(cases: &mut Cases) {
    const CODE: &str = "proof-alarm";
    let (mut scene, first) = Scene::new();
    let newest = scene.renew(&of(&RSA).pem(), &first.serial);
    scene.alarm(&first, &newest);
    let renewal = |hosts: &[&str]| proven(&naming(hosts), &RSA, &newest);
    cases.add(CODE, true, "the newest of two", scene.judge(&renewal(&[HOST])).map(drop));
    cases.add(CODE, true, "the newest of two for more hosts", scene.judge(&renewal(&[HOST, "b.org-1.com"])).map(drop));
    cases.add(CODE, true, "before there were two", after(|scene, first| scene.alarm(first, first)));
    scene.settle(&newest);
    cases.add(CODE, false, "once it is settled", scene.judge(&renewal(&[HOST])).map(drop));
    let (mut scene, _) = Scene::new();
    let second = scene.issue(&of_the_second_with(&RSA).pem());
    scene.alarm(&second, &second);
    let of_the_other = scene.judge(&proven(&of_the_second(), &RSA, &second)).map(drop);
    cases.add(CODE, false, "of another organization", of_the_other);
}

fn ends(cases: &mut Cases) {
    const CODE: &str = "proof-ended";
    cases.add(CODE, true, "expired", after(|scene, first| scene.now = first.not_after + Duration::SECOND));
    cases.add(CODE, false, "in its last second", after(|scene, first| scene.now = first.not_after));
    cases.add(CODE, true, "not valid yet", after(|scene, first| scene.now = first.not_before - Duration::SECOND));
    cases.add(CODE, false, "in its first second", after(|scene, first| scene.now = first.not_before));
    let replaced = |scene: &mut Scene, _: &Certificate| drop(scene.issue(&of(&RSA).pem()));
    cases.add(CODE, true, "replaced by one whose fingerprint was compared", after(replaced));
    let (mut scene, first) = Scene::new();
    let newer = scene.renew(&of(&RSA).pem(), &first.serial);
    cases.add(CODE, false, "the one that replaced it", scene.judge(&proven(&of(&NEXT), &RSA, &newer)).map(drop));
    let of_others = after(|scene, _| {
        scene.issue(&of_the_second_with(&RSA).pem());
    });
    cases.add(CODE, false, "the newest of its organization, not of all", of_others);
    let given_up = |keeps_first: bool| {
        let (mut scene, first) = Scene::new();
        let second = scene.renew(&of(&RSA).pem(), &first.serial);
        scene.alarm(&first, &second);
        scene.settle(if keeps_first { &first } else { &second });
        scene.judge(&proven(&of(&NEXT), &RSA, &second)).map(drop)
    };
    let told = given_up(true);
    assert!(told.as_ref().unwrap_err()[0].why.contains("was given up"), "{told:?}");
    cases.add(CODE, true, "given up when an alarm was settled", told);
    cases.add(CODE, false, "kept when an alarm was settled", given_up(false));
}

fn hosts(cases: &mut Cases) {
    const CODE: &str = "proof-hosts";
    let judged = |hosts: &[&str]| asked_after(&naming(hosts), |_, _| ());
    cases.add(CODE, false, "the same host", judged(&[HOST]));
    cases.add(CODE, true, "one more", judged(&[HOST, "b.org-1.com"]));
    let other = of(&NEXT).subject(name(ORG, "b.org-1.com")).attributes(Vec::new());
    cases.add(CODE, true, "another", asked_after(&other, |_, _| ()));
    let mut scene = Scene::empty();
    let first = scene.issue(&good().attributes(asks(&[&dns(&[HOST, "b.org-1.com", "c.org-1.com"])])).pem());
    let judged = |hosts: &[&str]| scene.judge(&proven(&naming(hosts), &KEY, &first)).map(drop);
    cases.add(CODE, false, "the same ones in another order", judged(&["c.org-1.com", HOST, "B.org-1.com"]));
    cases.add(CODE, true, "one less", judged(&[HOST, "b.org-1.com"]));
}

fn beginnings(cases: &mut Cases) {
    const CODE: &str = "proof-unverified";
    let mut scene = Scene::empty();
    let first = scene.issue_on(&good().pem(), &Identification::UnverifiedMail);
    cases.add(
        CODE,
        true,
        "a first certificate on the mail's word",
        scene.judge(&proven(&of(&NEXT), &KEY, &first)).map(drop),
    );
    // As somebody may have written it into the log.
    let second = scene.renew(&of(&RSA).pem(), &first.serial);
    let later = |scene: &Scene, by: &Certificate| scene.judge(&proven(&of(&NEXT), &RSA, by)).map(drop);
    cases.add(CODE, true, "a renewal of such a one", later(&scene, &second));
    let third = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let of_third = scene.renew(&of(&third).pem(), &second.serial);
    let by_third = scene.judge(&proven(&of(&NEXT), &third, &of_third)).map(drop);
    cases.add(CODE, true, "the renewal of such a renewal", by_third);
    let mut scene = Scene::empty();
    let orphan = scene.renew(&of(&RSA).pem(), "01ff");
    cases.add(CODE, true, "a renewal of one that is not in the log", later(&scene, &orphan));
    cases.add(CODE, false, "a first certificate by fingerprint", after(|_, _| ()));

    let mut scene = Scene::empty();
    let mail = scene.issue_on(&good().pem(), &Identification::UnverifiedMail);
    let compared = scene.issue(&of(&RSA).pem());
    cases.add(CODE, false, "a fingerprint compared since", later(&scene, &compared));
    let mut scene = Scene { world: World::default(), ..scene };
    scene.issue_on(&good().pem(), &Identification::UnverifiedMail);
    let both = Identification::Renewal { predecessor: predecessor(&mail.serial), compared: true };
    let compared = scene.issue_on(&of(&RSA).pem(), &both);
    cases.add(CODE, false, "a fingerprint compared at a renewal", later(&scene, &compared));
}
