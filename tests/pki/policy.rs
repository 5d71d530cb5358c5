//! Every rule of the policy with requests that it refuses and one that it lets pass, by asserted code.

use std::collections::BTreeMap;

use substra_mtls::{
    failure::{Exit, Failure},
    pki::{
        authority::{Authority, create_root},
        issue::issue,
        key::{KeyType, PrivateKey},
        log::Entry,
        policy::{BatchRequest, Identification, RULES, batch_conflicts, check_request},
        request,
    },
};

use crate::{cases_form, cases_names, cases_proof, cases_vouching, cases_world, forge::*};

/// A case of one rule: what was judged, and the codes that came out; none for an accepted one.
pub(crate) struct Case {
    code: &'static str,
    pub(crate) refused: bool,
    pub(crate) name: &'static str,
    pub(crate) verdict: Result<(), Vec<Failure>>,
}

#[derive(Default)]
pub(crate) struct Cases(pub(crate) Vec<Case>);

impl Cases {
    pub(crate) fn add(
        &mut self,
        code: &'static str,
        refused: bool,
        name: &'static str,
        verdict: Result<(), Vec<Failure>>,
    ) {
        self.0.push(Case { code, refused, name, verdict });
    }

    pub(crate) fn refuses(&mut self, code: &'static str, name: &'static str, pem: &[u8]) {
        self.refuses_in(code, name, pem, &World::default());
    }

    pub(crate) fn accepts(&mut self, code: &'static str, name: &'static str, pem: &[u8]) {
        self.accepts_in(code, name, pem, &World::default());
    }

    pub(crate) fn refuses_in(&mut self, code: &'static str, name: &'static str, pem: &[u8], world: &World) {
        self.add(code, true, name, check_request("a.csr", pem, &world.around()).map(|_| ()));
    }

    pub(crate) fn accepts_in(&mut self, code: &'static str, name: &'static str, pem: &[u8], world: &World) {
        self.add(code, false, name, check_request("a.csr", pem, &world.around()).map(|_| ()));
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Cases::default();
    cases_form::form(&mut cases);
    cases_form::der(&mut cases);
    cases_form::keys(&mut cases);
    cases_form::signatures(&mut cases);
    cases_names::subjects(&mut cases);
    cases_names::organizations(&mut cases);
    cases_names::attributes(&mut cases);
    cases_names::extensions(&mut cases);
    cases_names::hosts(&mut cases);
    cases_proof::all(&mut cases);
    cases_vouching::all(&mut cases);
    cases_world::owners(&mut cases);
    cases_world::members(&mut cases);
    cases_world::identities(&mut cases);
    cases_world::answers(&mut cases);
    cases.0
}

#[test]
fn every_case_has_the_verdict_of_its_rule() {
    for Case { code, refused, name, verdict } in cases() {
        match verdict {
            Ok(()) => assert!(!refused, "{code}: {name} was accepted"),
            Err(findings) => {
                assert!(refused, "{code}: {name} was refused: {findings:?}");
                assert!(findings.iter().all(|f| f.code.id() == code), "{code}: {name}: {findings:?}");
                for finding in findings {
                    assert_eq!(finding.exit, Exit::Refused);
                    assert!(!finding.why.is_empty() && !finding.next.is_empty(), "{finding:?}");
                    assert!(!finding.to_string().chars().any(|c| c.is_control() && c != '\n'), "{finding}");
                }
            }
        }
    }
}

#[test]
fn every_rule_has_three_refused_cases_and_an_accepted_one() {
    let mut counts: BTreeMap<&str, (u32, u32)> = RULES.iter().map(|rule| (rule.code.id(), (0, 0))).collect();
    assert_eq!(counts.len(), RULES.len(), "a code stands twice");
    for case in cases() {
        let (refused, accepted) = counts.get_mut(case.code).expect("a case for no rule");
        if case.refused { *refused += 1 } else { *accepted += 1 }
    }
    for (code, (refused, accepted)) in counts {
        assert!(refused >= 3 && accepted >= 1, "{code}: {refused} refused, {accepted} accepted");
    }
}

#[test]
fn tells_all_findings_at_once() {
    let subject = name("StrangerMSP", "*.stranger.com");
    let asked = asks(&[&extension("2.5.29.19", true, &[0x30, 3, 1, 1, 0xff])]);
    let findings = check_request("a.csr", &good().subject(subject).attributes(asked).pem(), &World::default().around());
    let codes: Vec<_> = findings.unwrap_err().into_iter().map(|f| f.code.id()).collect();
    assert_eq!(codes, ["request-extension", "request-host", "request-not-a-member"]);
}

#[test]
fn a_request_without_a_readable_organization_is_not_told_that_its_own_key_is_anothers() {
    let two = seq(&[&rdn(O, UTF8, ORG.as_bytes()), &rdn(O, UTF8, b"MyOrg2MSP"), &rdn(CN, UTF8, HOST.as_bytes())]);
    let findings = check_request("a.csr", &good().subject(two).pem(), &logged(&good().pem()).around());
    let codes: Vec<_> = findings.unwrap_err().into_iter().map(|f| f.code.id()).collect();
    assert_eq!(codes, ["request-subject"]);
}

#[test]
fn an_accepted_request_says_what_it_asks() {
    let asked = asks(&[&dns(&["API.org-1.com", HOST]), &extension("2.5.29.15", true, &[3, 2, 5, 0xa0])]);
    let pem = [b"Certificate Request:\n".to_vec(), good().attributes(asked).pem()].concat();
    let request = check_request("a.csr", &pem, &World::default().around()).unwrap();
    assert_eq!(request.msp_id.as_str(), ORG);
    assert_eq!(request.hosts.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), [HOST, "api.org-1.com"]);
    assert_eq!((request.spki.as_slice(), request.fingerprint), (KEY.spki(), KEY.fingerprint()));
    assert_eq!(Some(request.digest), request::digest(&pem));
    assert_eq!(request.notes.len(), 1, "{:?}", request.notes);
    assert!(request.asked.contains(&format!("organization: {ORG}")), "{:?}", request.asked);
}

/// Issues for the request under a new CA.
pub(crate) fn answered(pem: &[u8]) -> (Authority, Entry) {
    let (key, certificate) = create_root(KeyType::EcdsaP256, NOW).unwrap();
    let (authority, _) = Authority::load(certificate.as_bytes(), key, NOW).unwrap();
    let request = check_request("a.csr", pem, &World::default().around()).unwrap();
    let issued = issue(&authority, &request, "90d".parse().unwrap(), NOW).unwrap();
    let entry = Entry::new(&request, &issued, &authority, &Identification::UnverifiedMail, NOW);
    (authority, entry)
}

/// A federation in which the request was answered before.
pub(crate) fn logged(pem: &[u8]) -> World {
    let mut world = World::default();
    world.logs(&answered(pem).1);
    world
}

#[test]
fn a_batch_has_no_host_and_no_key_twice() {
    let around = World::default();
    let judged = |pem: &[u8]| check_request("a.csr", pem, &around.around()).unwrap();
    let other = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let named = |organization: &str, host: &str| name(organization, host);
    let first = judged(&good().pem());
    let party =
        |request: &request::Request, file: &str| -> (String, request::Request) { (file.to_owned(), request.clone()) };
    let codes = |all: &[(String, request::Request)]| -> Vec<(&str, String)> {
        let parties: Vec<BatchRequest<'_>> = all
            .iter()
            .map(|(file, of)| BatchRequest {
                name: file.clone(),
                msp_id: &of.msp_id,
                hosts: &of.hosts,
                key: Some(of.fingerprint),
            })
            .collect();
        batch_conflicts(&parties).into_iter().map(|finding| (finding.code.id(), finding.what)).collect()
    };
    let plain = |request: Forge<'_>, organization: &str, host: &str| {
        judged(&request.subject(named(organization, host)).attributes(Vec::new()).pem())
    };
    let same_host = plain(of(&other), "MyOrg2MSP", HOST);
    let same_key = plain(good(), "MyOrg2MSP", "backend.org-2.com");
    let apart_from_it = plain(of(&other), "MyOrg2MSP", "backend.org-2.com");
    let renewal = plain(of(&RSA), ORG, HOST);
    for (second, expected) in [
        (&same_host, vec![("request-host", format!("b.csr: its name {HOST} is in a.csr too"))]),
        (&same_key, vec![("request-key-of-another", "b.csr: its key is in a.csr too".to_owned())]),
        (&apart_from_it, Vec::new()),
        (&renewal, Vec::new()),
    ] {
        assert_eq!(codes(&[party(&first, "a.csr"), party(second, "b.csr")]), expected);
    }
}
