//! What the issue log knows of renewals: by which certificate an organization is known, who came after whom, and alarms.

use substra_mtls::pki::log::{Alarm, Entry, IssueLog, Record, Settlement};
use time::Duration;

use crate::{
    forge::{NOW, good},
    policy::answered,
};

/// A certificate of the number `serial`, issued so many days after the first, and what it was asked for with.
fn entry(serial: &str, days: i64, predecessor: Option<&str>) -> Entry {
    let (_, first) = answered(&good().pem());
    let time = NOW + Duration::days(days);
    Entry {
        serial: serial.to_owned(),
        time,
        unverified_mail: false,
        predecessor: predecessor.map(str::to_owned),
        ..first
    }
}

fn alarm(first: &Entry, days: i64) -> Alarm {
    Alarm {
        time: NOW + Duration::days(days),
        organization: first.organization.clone(),
        predecessor: first.serial.clone(),
        successor: "02".to_owned(),
        request: first.request,
        fingerprint: first.fingerprint,
    }
}

fn log(records: impl IntoIterator<Item = Record>) -> IssueLog {
    IssueLog::parse(&records.into_iter().map(|record| record.line()).collect::<String>()).unwrap()
}

#[test]
fn an_organization_is_known_by_its_newest_certificate_and_each_names_the_one_before() {
    let (first, second) = (entry("01", 0, None), entry("02", 60, Some("01")));
    let log = log([first.clone().into(), second.clone().into()]);
    assert_eq!(log.current(&first.organization), Some(&second));
    assert_eq!((log.successor("01"), log.successor("02")), (Some(&second), None));
    assert_eq!(log.current(&"MyOrg2MSP".parse().unwrap()), None);
}

#[test]
fn a_renewal_is_a_kind_of_its_own_that_an_older_version_does_not_pass_over() {
    let (first, second) = (entry("01", 0, None), entry("02", 60, Some("01")));
    assert!(first.line().starts_with("{\"kind\":\"certificate\","), "{}", first.line());
    assert!(second.line().starts_with("{\"kind\":\"renewal\","), "{}", second.line());
    assert!(!first.line().contains("predecessor") && second.line().contains("\"predecessor\":\"01\""));
}

#[test]
fn an_alarm_stands_until_it_is_settled_and_what_was_given_up_is_nobody_s() {
    let (first, second) = (entry("01", 0, None), entry("02", 60, Some("01")));
    let org = first.organization.clone();
    let raised = [first.clone().into(), second.clone().into(), alarm(&first, 61).into()];
    let open = log(raised.clone());
    assert_eq!((open.alarm(&org).is_some(), open.open_alarms().count()), (true, 1));
    assert_eq!(open.current(&org), Some(&second));
    let keeps =
        |serial: &str| Settlement { time: NOW + Duration::days(62), organization: org.clone(), keep: serial.into() };
    let settled = log(raised.clone().into_iter().chain([keeps("01").into()]));
    assert_eq!((settled.alarm(&org), settled.open_alarms().count()), (None, 0));
    assert_eq!(settled.current(&org), Some(&first), "the second is in other hands");
    let third = entry("03", 70, None);
    let later = log(raised.into_iter().chain([keeps("01").into(), third.clone().into(), alarm(&third, 80).into()]));
    assert_eq!(later.current(&org), Some(&third));
    assert_eq!(
        later.alarm(&org).map(|alarm| alarm.predecessor.as_str()),
        Some("03"),
        "an alarm of later is open again"
    );
}

#[test]
fn a_chain_of_renewals_is_worth_what_it_began_with() {
    let mail = Entry { unverified_mail: true, ..entry("01", 0, None) };
    let (second, third) = (entry("02", 60, Some("01")), entry("03", 120, Some("02")));
    let compared = Entry { compared: true, ..second.clone() };
    let began = |entries: [&Entry; 3], of: &Entry| {
        let entries = entries.map(|entry| Record::from(entry.clone()));
        log(entries).began_unverified(of)
    };
    assert!(began([&mail, &second, &third], &third));
    assert!(!began([&mail, &compared, &third], &third), "somebody compared it on the way");
    assert!(!began([&entry("01", 0, None), &second, &third], &third));
    assert!(log([Record::from(third.clone())]).began_unverified(&third), "what it began with is not known");
    let looped = Entry { predecessor: Some("03".to_owned()), ..third };
    assert!(log([Record::from(looped.clone())]).began_unverified(&looped));
}

#[test]
fn lines_in_no_order_are_put_into_that_of_their_times() {
    let (first, second) = (entry("01", 0, None), entry("02", 60, Some("01")));
    let mut log = log([second.clone().into(), first.into()]);
    log.sort();
    assert_eq!(log.current(&second.organization), Some(&second));
}
