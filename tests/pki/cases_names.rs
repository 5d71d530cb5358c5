//! Cases of the rules on the subject, the host names, and what else is asked for.

use substra_mtls::pki::{
    key::{KeyType, PrivateKey},
    log::Entry,
};
use time::Duration;

use crate::{
    forge::*,
    policy::{Cases, logged},
};

pub(crate) fn subjects(cases: &mut Cases) {
    const TYPE: &str = "request-text-type";
    const CODE: &str = "request-subject";
    let (org, host) = (rdn(O, UTF8, ORG.as_bytes()), rdn(CN, UTF8, HOST.as_bytes()));
    let other = rdn(O, UTF8, b"MyOrg2MSP");
    let with = |parts: &[&[u8]]| good().subject(seq(parts)).pem();
    cases.refuses(CODE, "two O", &with(&[&org, &other, &host]));
    cases.refuses(CODE, "the same O twice", &with(&[&org, &org, &host]));
    let both = set(&[&attribute(O, UTF8, ORG.as_bytes()), &attribute(O, UTF8, b"MyOrg2MSP")]);
    cases.refuses(CODE, "two O in one part", &with(&[&both, &host]));
    cases.refuses(CODE, "no O", &with(&[&host]));
    cases.refuses(CODE, "nothing", &with(&[]));
    cases.refuses(CODE, "two CN", &with(&[&org, &host, &host]));
    cases.refuses(CODE, "an OU", &with(&[&org, &rdn("2.5.4.11", UTF8, b"x"), &host]));
    cases.refuses(CODE, "a country", &with(&[&rdn("2.5.4.6", PRINTABLE, b"FR"), &org, &host]));
    cases.accepts(CODE, "O and CN", &with(&[&org, &host]));
    cases.accepts(CODE, "CN before O", &with(&[&host, &org]));
    cases.accepts(CODE, "O alone, with an alternative name", &with(&[&org]));

    let typed = |tag, text: &[u8]| good().subject(seq(&[&rdn(O, tag, text), &host])).pem();
    let wide: Vec<u8> = ORG.bytes().flat_map(|b| [0, b]).collect();
    cases.refuses(TYPE, "a BMP string", &typed(0x1e, &wide));
    cases.refuses(TYPE, "a T61 string", &typed(0x14, ORG.as_bytes()));
    cases.refuses(TYPE, "an IA5 string", &typed(0x16, ORG.as_bytes()));
    cases.refuses(TYPE, "bytes that are not UTF-8", &typed(UTF8, b"\xff\xfe"));
    cases.refuses(TYPE, "a CN of another type", &with(&[&org, &rdn(CN, 0x14, HOST.as_bytes())]));
    cases.accepts(TYPE, "a printable string", &typed(PRINTABLE, ORG.as_bytes()));
}

pub(crate) fn organizations(cases: &mut Cases) {
    const UNMEANT: &str = "msp-id";
    const DEFAULT: &str = "OwkinPeerMSP";
    const CODE: &str = "request-organization";
    let named = |organization: &str| good().subject(name(organization, HOST)).pem();
    for bad in ["../x", " MyOrg1MSP", "MyOrg1MSP ", "a:b", "a\nb", "{{x}}", "\u{1b}[2J", "МyOrg1MSP", "", "a b"] {
        cases.refuses(CODE, "no MSP ID", &named(bad));
    }
    let member = |organization: &str| World { members: vec![organization.to_owned()], ..World::default() };
    for bad in ["an-organization-with-33-characters", "My.Org", "AbCdEfGhIjKlMnOpQrStUvWx"] {
        cases.refuses_in(CODE, "no key for the chart", &named(bad), &member(bad));
    }
    let alike = World { keys: vec!["my_org1_MSP".to_owned(), "my-org1-msp".to_owned()], ..member("my-org1_msp") };
    cases.refuses_in(CODE, "the kebab form of another key", &named("my-org1_msp"), &alike);
    cases.accepts(CODE, "an MSP ID", &named(ORG));
    let renewed = World { keys: vec![ORG.to_owned()], ..World::default() };
    cases.accepts_in(CODE, "a key that is its own", &named(ORG), &renewed);

    cases.refuses_in(UNMEANT, "the chart's default, of a member", &named(DEFAULT), &member(DEFAULT));
    let printable = seq(&[&rdn(O, PRINTABLE, DEFAULT.as_bytes()), &rdn(CN, UTF8, HOST.as_bytes())]);
    cases.refuses_in(UNMEANT, "the same as a printable string", &good().subject(printable).pem(), &member(DEFAULT));
    let admitted = World { keys: vec![DEFAULT.to_owned()], ..member(DEFAULT) };
    cases.refuses_in(UNMEANT, "one that was admitted before", &named(DEFAULT), &admitted);
    cases.accepts_in(UNMEANT, "a name that only begins so", &named("OwkinPeerMSP2"), &member("OwkinPeerMSP2"));
}

pub(crate) fn attributes(cases: &mut Cases) {
    const CODE: &str = "request-attribute";
    let asked = asks(&[&dns(&[HOST])]);
    let password = seq(&[&oid("1.2.840.113549.1.9.7"), &set(&[&tlv(UTF8, b"secret")])]);
    let unknown = seq(&[&oid("1.3.6.1.4.1.311.13.2.3"), &set(&[&tlv(UTF8, b"x")])]);
    let mut twice = [asked.clone(), asks(&[&dns(&["b.org-1.com"])])];
    twice.sort_by(|a, b| a.len().cmp(&b.len()).then(a.cmp(b)));
    let extensions = [seq(&[&dns(&[HOST])]), seq(&[&dns(&["b.org-1.com"])])];
    let values = seq(&[&oid("1.2.840.113549.1.9.14"), &set(&[&extensions[1], &extensions[0]])]);
    cases.refuses(CODE, "a challenge password", &good().attributes(password).pem());
    cases.refuses(CODE, "an unknown attribute", &good().attributes(unknown).pem());
    cases.refuses(CODE, "two lists of extensions", &good().attributes(twice.concat()).pem());
    cases.refuses(CODE, "two lists in one attribute", &good().attributes(values).pem());
    cases.accepts(CODE, "one list of extensions", &good().attributes(asked).pem());
    cases.accepts(CODE, "no attribute", &good().attributes(Vec::new()).pem());
}

pub(crate) fn extensions(cases: &mut Cases) {
    const CLIENT: &str = "1.3.6.1.5.5.7.3.2";
    const CODE: &str = "request-extension";
    let with = |extensions: &[&[u8]]| good().attributes(asks(extensions)).pem();
    let usage = |bits: &[u8]| extension("2.5.29.15", true, &tlv(3, bits));
    let purposes = |list: &[&str]| {
        let oids: Vec<u8> = list.iter().flat_map(|id| oid(id)).collect();
        extension("2.5.29.37", false, &tlv(0x30, &oids))
    };
    let san = dns(&[HOST]);
    let basic = |value: &[u8]| extension("2.5.29.19", true, value);
    cases.refuses(CODE, "CA:TRUE", &with(&[&san, &basic(&[0x30, 3, 1, 1, 0xff])]));
    cases.refuses(CODE, "a path length", &with(&[&san, &basic(&[0x30, 3, 2, 1, 0])]));
    cases.refuses(CODE, "CA:FALSE written out", &with(&[&san, &basic(&[0x30, 3, 1, 1, 0])]));
    cases.refuses(CODE, "keyCertSign", &with(&[&san, &usage(&[2, 0x84])]));
    cases.refuses(CODE, "no key usage at all", &with(&[&san, &usage(&[0])]));
    cases.refuses(CODE, "serverAuth", &with(&[&san, &purposes(&["1.3.6.1.5.5.7.3.1"])]));
    cases.refuses(CODE, "serverAuth beside clientAuth", &with(&[&san, &purposes(&[CLIENT, "1.3.6.1.5.5.7.3.1"])]));
    cases.refuses(CODE, "any usage", &with(&[&san, &purposes(&["2.5.29.37.0"])]));
    cases.refuses(CODE, "an address", &with(&[&extension("2.5.29.17", false, &seq(&[&tlv(0x87, &[10, 0, 0, 1])]))]));
    cases.refuses(CODE, "a URI", &with(&[&extension("2.5.29.17", false, &seq(&[&tlv(0x86, b"http://x")]))]));
    cases.refuses(CODE, "an extension twice", &with(&[&san, &san]));
    cases.refuses(CODE, "name constraints", &with(&[&san, &extension("2.5.29.30", true, &[0x30, 0])]));
    cases.refuses(CODE, "an empty list", &good().attributes(asks(&[])).pem());
    cases.refuses(
        CODE,
        "bytes after a value",
        &with(&[&extension("2.5.29.37", false, &[&seq(&[&oid(CLIENT)])[..], &[5, 0]].concat())]),
    );
    let full = [san, usage(&[5, 0xa0]), purposes(&[CLIENT]), basic(&[0x30, 0])];
    cases.accepts(CODE, "all that a client may ask", &with(&full.iter().map(Vec::as_slice).collect::<Vec<_>>()));
}

pub(crate) fn hosts(cases: &mut Cases) {
    const CODE: &str = "request-host";
    let named = |host: &str| good().subject(name(ORG, host)).pem();
    let alternative = |host: &str| good().attributes(asks(&[&dns(&[HOST, host])])).pem();
    for bad in ["*.org-1.com", "10.0.0.1", "a_b.com", "a.", "a..b", "-a.com", "a:443", "bücher.de", "a b", ""] {
        cases.refuses(CODE, "a CN that is no host name", &named(bad));
    }
    for bad in ["*.org-1.com", "10.0.0.1", "a_b.com", "a.", "x\u{1b}[2J"] {
        cases.refuses(CODE, "an alternative name that is no host name", &alternative(bad));
    }
    for bad in ["orchestrator.example.org", "ORCHESTRATOR.example.org", "other.example.org", "orchestrator-server"] {
        cases.refuses(CODE, "the orchestrator's name", &named(bad));
        cases.refuses(CODE, "the orchestrator's name as another", &alternative(bad));
    }
    cases.refuses(CODE, "this machine", &named("localhost"));
    cases.refuses(CODE, "the chart's default", &named("substra.backend.local"));
    let nameless = good().subject(seq(&[&rdn(O, UTF8, ORG.as_bytes())])).attributes(Vec::new());
    cases.refuses(CODE, "no name at all", &nameless.pem());
    let other = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let world = logged(&of(&other).subject(name("MyOrg2MSP", "backend.org-2.com")).attributes(Vec::new()).pem());
    cases.refuses_in(CODE, "another organization's host", &named("backend.org-2.com"), &world);
    let entry = world.log.entries()[0].clone();
    let ended = |not_after| {
        let mut world = World::default();
        world.logs(&Entry { not_after, ..entry.clone() });
        world
    };
    let second = Duration::SECOND;
    cases.accepts_in(CODE, "one whose certificate ended", &named("backend.org-2.com"), &ended(NOW - second));
    cases.refuses_in(CODE, "one whose certificate ends now", &named("backend.org-2.com"), &ended(NOW));
    let foreign = Entry { authority: KEY.fingerprint(), ..entry.clone() };
    let mut of_another_ca = World::default();
    of_another_ca.logs(&foreign);
    cases.refuses_in(CODE, "one by a certificate of another CA", &named("backend.org-2.com"), &of_another_ca);
    let mut answered = world.clone();
    answered.logs(&logged(&named("backend.org-2.com")).log.entries()[0]);
    cases.accepts_in(CODE, "what was signed before", &named("backend.org-2.com"), &answered);
    let many = |count: usize| {
        let hosts: Vec<String> = (1..count).map(|n| format!("b{n}.org-1.com")).collect();
        let hosts: Vec<&str> = std::iter::once(HOST).chain(hosts.iter().map(String::as_str)).collect();
        good().attributes(asks(&[&dns(&hosts)])).pem()
    };
    cases.refuses(CODE, "eleven names", &many(11));
    cases.accepts(CODE, "ten names", &many(10));
    cases.accepts_in(CODE, "its own host", &named("BACKEND.org-1.com"), &world);
}
