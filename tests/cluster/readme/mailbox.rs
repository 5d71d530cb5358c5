//! `docs/renewal.md`: a federation of three renews itself over a git repository, by the page's own scripts, unattended; a
//! round in which no answer comes; a thief of a live key who renews first.

use std::{cell::RefCell, collections::BTreeSet, fs, path::PathBuf, process::Command};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use substra_mtls::{pki::inspect, times};
use time::{Duration, OffsetDateTime};

use super::{
    page::{self, Block},
    person::Person,
    serve_live_to,
};
use crate::{
    federation::Fed,
    site::{HelmVersion, Ran},
};

const BY_HAND: &str = "By hand";
const SIGNS: &str = "The orchestrator's job";
const ASKS: &str = "Each backend's job";
const CRON: &str = "cron";
const WATCH: &str = "What to watch";
const ALARM: &str = "When a run ends with 5";

const ORGS: [&str; 3] = ["MyOrg1MSP", "MyOrg2MSP", "MyOrg3MSP"];
const ADDRESS: &str = "git@git.example.org:federation/mailbox.git";
const SERIAL: &str = "01a7169723479e3c";

/// The page, and which of its blocks were read.
struct Page {
    text: String,
    blocks: Vec<Block>,
    read: RefCell<BTreeSet<usize>>,
}

impl Page {
    fn new() -> Self {
        let text = page::of("renewal.md");
        Self { blocks: page::blocks(&text), text, read: RefCell::default() }
    }

    /// The block under a heading that has these words.
    #[track_caller]
    fn block(&self, heading: &str, words: &str) -> &str {
        let has = |block: &Block| block.heading == heading && block.text.contains(words);
        let at = self.blocks.iter().position(has).unwrap_or_else(|| panic!("{heading:?} has no block with {words:?}"));
        self.read.borrow_mut().insert(at);
        &self.blocks[at].text
    }
}

/// A federation whose gate is closed, and whose mailbox is a repository in the site's folder.
struct Mailbox {
    fed: Fed,
    page: Page,
}

/// One of the four who take part, in a folder of their own.
struct Member<'a> {
    person: Person<'a>,
    page: &'a Page,
    /// The part of the page that they read.
    part: &'static str,
}

impl Member<'_> {
    /// The lines of a block, one after the other; the last one's result.
    #[track_caller]
    fn follows(&self, heading: &str, words: &str) -> Ran {
        let lines = page::commands(self.page.block(heading, words));
        let mut all: Vec<Ran> = lines.iter().map(|line| self.person.runs(line)).collect();
        all.pop().unwrap()
    }

    /// The page's script as it stands there, in a file of its own; `more` goes to `enroll --auto`.
    fn job(&self, more: &str) -> Ran {
        let mut script =
            self.page.block(self.part, "#!/bin/sh").replace("enroll --auto ", &format!("enroll --auto{more} "));
        self.person.here.iter().for_each(|(there, here)| script = script.replace(there, here));
        self.person.write("renew.sh", &script);
        self.person.sh("sh renew.sh")
    }

    /// What is measured, from another machine.
    #[track_caller]
    fn is_overdue(&self, status: i32, expected: bool) {
        let mut line = page::commands(self.page.block(WATCH, "prometheus")).remove(0);
        self.person.here.iter().for_each(|(there, here)| line = line.replace(there, here));
        let ran = self.person.sh(&line);
        assert_eq!(ran.status, status, "{}", ran.stderr);
        let gauge = format!("substra_mtls_renewal_overdue{{organization=\"MyOrg1MSP\"}} {}\n", u8::from(expected));
        assert!(ran.stdout.contains(&gauge), "{gauge}{}", ran.stdout);
    }

    /// Nobody waits for two thirds of 90 days: this run takes them for over. All else is the page's.
    #[track_caller]
    fn is_due(&self) {
        let ran = self.job(" --renew").ok();
        assert!(ran.stderr.contains("no phone call is needed"), "{}", ran.stderr);
    }
}

impl Mailbox {
    fn new(helm: HelmVersion) -> Self {
        let git = Command::new("git").arg("--version").output();
        assert!(git.is_ok_and(|git| git.status.success()), "git is not on this machine, and this test needs it");
        let fed = Fed::new(helm, ORGS.len());
        let site = &fed.site;
        site.sh("git init -q --bare mailbox.git; cp ca.crt orchestrator-ca.crt; cp -p ca.key orchestrator-ca.key");
        let ca = "{cert: orchestrator-ca.crt, key: orchestrator-ca.key}";
        site.write("federation.yaml", &fed.federation(ca, "close"));
        fed.bootstrap("").ok();
        assert!(fed.is_closed());
        Self { fed, page: Page::new() }
    }

    /// Somebody with a folder, the rights of a namespace, and the words of the page as they are here.
    fn person(&self, name: &str, namespace: &str) -> Person<'_> {
        let site = &self.fed.site;
        let mut person = Person::reading(site, &self.page.text, BY_HAND, &[(name, namespace)]);
        person.folder = site.path("people").join(name).join("renewal");
        fs::create_dir_all(&person.folder).unwrap();
        person.here = self.here(namespace);
        person
    }

    /// What stands on the page, and what it is in this namespace.
    fn here(&self, namespace: &str) -> Vec<(String, String)> {
        let address = self.fed.site.path("mailbox.git").display().to_string();
        let place = format!("-n {namespace} ");
        let here = [("-n org-1 ", place.clone()), ("-n orchestrator ", place), (ADDRESS, address)];
        here.map(|(there, here)| (there.to_owned(), here)).into()
    }

    fn orchestrator(&self) -> Member<'_> {
        let site = &self.fed.site;
        let person = self.person("orchestrator", &site.orc);
        for file in
            ["orchestrator-values.yaml", "orchestrator-ca.crt", "orchestrator-ca.key", "orchestrator-ca.issued.jsonl"]
        {
            fs::rename(site.path(file), person.folder.join(file)).unwrap();
        }
        let member = Member { person, page: &self.page, part: SIGNS };
        member.follows(SIGNS, "git clone");
        member
    }

    fn backend(&self, n: usize) -> Member<'_> {
        let mut person = self.person(ORGS[n - 1], &self.fed.orgs[n - 1]);
        fs::copy(self.fed.site.path(&format!("org-{n}.yaml")), person.folder.join("backend-values.yaml")).unwrap();
        person.here.push((ORGS[0].to_owned(), ORGS[n - 1].to_owned()));
        let member = Member { person, page: &self.page, part: ASKS };
        member.follows(ASKS, "git clone");
        member
    }

    /// The administrators of the clusters give the jobs their rights.
    fn roles(&self) {
        let site = &self.fed.site;
        for (part, namespace) in [(SIGNS, &site.orc), (ASKS, &self.fed.orgs[0])] {
            let mut person = Person::administrator(site, &self.page.text, part, "admin");
            person.here = self.here(namespace);
            Member { person, page: &self.page, part }.follows(part, "kubectl apply");
        }
    }

    fn secret(&self, n: usize, name: &str) -> Value {
        self.fed.site.object(&self.fed.orgs[n - 1], &format!("secret/{name}"))
    }

    /// The serial number of the live certificate.
    fn live(&self, n: usize) -> String {
        let text = self.secret(n, "orchestrator-client-cert")["data"]["tls.crt"].take();
        let pem = BASE64_STANDARD.decode(text.as_str().unwrap()).unwrap();
        inspect::certificates(&pem).unwrap().remove(0).serial
    }

    /// The orchestrator as it is deployed takes the pair of each.
    fn all_are_accepted(&self, backends: &[Member<'_>]) {
        let address = serve_live_to(&self.fed.site, &ORGS);
        let check = format!(
            "helm substra-mtls check -n org-1 -f backend-values.yaml --live --connect {address} --only live-own"
        );
        for backend in backends {
            let ran = backend.person.runs(&check);
            assert!(ran.stdout.contains("live-own"), "{}", ran.stdout);
        }
    }

    /// What a pod could have noticed.
    fn workloads(&self) -> Vec<Value> {
        let of = |org: &String| {
            let mut server = self.fed.site.object(org, "deployment/backend-substra-backend-server");
            server["metadata"]["generation"].take()
        };
        self.fed.orgs.iter().map(of).collect()
    }
}

/// The lines of the issue log, of one organization or of all.
fn log(orchestrator: &Member<'_>, org: &str) -> Vec<Value> {
    let text = fs::read_to_string(orchestrator.person.folder.join("orchestrator-ca.issued.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["organization"] == org).collect()
}

fn kinds(log: &[Value]) -> Vec<&str> {
    log.iter().map(|line| line["kind"].as_str().unwrap()).collect()
}

/// A thief of the live key with a clone of their own: the request is openssl's, and so is its proof.
fn renews_with_a_stolen_key(mailbox: &Mailbox, n: usize) -> PathBuf {
    let site = &mailbox.fed.site;
    let mut data = mailbox.secret(n, "orchestrator-client-cert")["data"].take();
    let (certificate, key) = (data["tls.crt"].take(), data["tls.key"].take());
    site.sh(&format!(
        "git clone -q mailbox.git thief; cd thief
        echo {} | base64 -d > ../live.crt; echo {} | base64 -d > ../live.key
        openssl req -new -newkey rsa:2048 -nodes -keyout ../thief.key -subj /O={org}/CN=substra.org-{n}.example.org \
            -addext subjectAltName=DNS:substra.org-{n}.example.org -out {org}.csr 2>/dev/null
        openssl req -in {org}.csr -outform der -out ../thief.der
        openssl cms -sign -binary -md sha256 -signer ../live.crt -inkey ../live.key -in ../thief.der -outform PEM >>{org}.csr
        echo 'of somebody else' >Stranger.csr
        git add .; git -c user.name=thief -c user.email=thief@example.org commit -qm Request; git push -q",
        certificate.as_str().unwrap(),
        key.as_str().unwrap(),
        org = ORGS[n - 1],
    ));
    site.path("thief")
}

/// Each certificate vouched for the next one, and the last one is live.
fn are_chains(mailbox: &Mailbox, orchestrator: &Member<'_>, renewals: usize) {
    for (n, org) in ORGS.iter().enumerate() {
        let all = log(orchestrator, org);
        let expected: Vec<&str> = std::iter::once("certificate").chain(vec!["renewal"; renewals]).collect();
        assert_eq!(kinds(&all), expected, "{org}");
        assert!(all.windows(2).all(|two| two[1]["predecessor"] == two[0]["serial"]), "{all:?}");
        assert_eq!(all.last().unwrap()["serial"], mailbox.live(n + 1).as_str());
    }
}

/// Nobody answers for a week: the run fails from then on, and names the day on which the certificate expires.
fn waits_in_vain(mailbox: &Mailbox, orchestrator: &Member<'_>, backend: &Member<'_>) {
    backend.is_due();
    backend.job("").ok();
    let week = times::rfc3339(OffsetDateTime::now_utc() - Duration::days(8));
    let pending = "secret orchestrator-client-cert-pending";
    let org = &mailbox.fed.orgs[0];
    mailbox.fed.site.admin(org, &format!("annotate {pending} substra-mtls/requested={week} --overwrite"));
    let late = backend.job("").refused(3, "renewal-overdue");
    let end = log(orchestrator, ORGS[0]).last().unwrap()["notAfter"].as_str().unwrap().to_owned();
    assert!(late.stderr.contains(&end), "{end} {}", late.stderr);
    let line = mailbox.page.block(CRON, "cd renewal").splitn(6, ' ').last().unwrap();
    let said = backend.person.sh(&format!("cd ..; {line}")).ok().stdout;
    assert!(said.contains("[renewal-overdue]"), "what cron mails: {said}");
    backend.is_overdue(3, true);
    orchestrator.job("").ok();
    backend.job("").ok();
    backend.is_overdue(0, false);
}

both_helms! {
    fn a_federation_renews_itself_over_a_git_repository_and_a_silence_is_told(helm) {
        let mailbox = Mailbox::new(helm);
        mailbox.roles();
        let orchestrator = mailbox.orchestrator();
        let backends = [1, 2, 3].map(|n| mailbox.backend(n));
        let (before, values) = (mailbox.workloads(), fs::read(orchestrator.person.folder.join("orchestrator-values.yaml")).unwrap());
        for round in 1..=3 {
            backends.iter().for_each(Member::is_due);
            orchestrator.job("").ok();
            for backend in &backends {
                let ran = backend.job("").ok();
                assert!(ran.stdout.contains("serial: "), "{}", ran.stdout);
            }
            are_chains(&mailbox, &orchestrator, round);
            mailbox.all_are_accepted(&backends);
        }
        let idle = backends[0].job("").ok().stdout;
        assert!(idle.contains("nothing to do until"), "{idle}");
        orchestrator.job("").ok();
        waits_in_vain(&mailbox, &orchestrator, &backends[0]);
        assert_eq!(mailbox.workloads(), before, "no renewal moves a pod");
        assert_eq!(fs::read(orchestrator.person.folder.join("orchestrator-values.yaml")).unwrap(), values);

        backends[0].follows(BY_HAND, "--renew");
        backends[0].person.sends("MyOrg1MSP.csr", &orchestrator.person);
        orchestrator.follows(BY_HAND, "approve");
        orchestrator.person.sends("MyOrg1MSP.crt", &backends[0].person);
        backends[0].follows(BY_HAND, "--certificate");
        assert_eq!(kinds(&log(&orchestrator, ORGS[0])), ["certificate", "renewal", "renewal", "renewal", "renewal", "renewal"]);
        let read = mailbox.page.read.borrow().len();
        assert_eq!(read + ALARM_BLOCKS, mailbox.page.blocks.len(), "a block of the page is run by no test");
    }

    fn a_thief_who_renews_first_is_an_alarm_and_the_others_go_on(helm) {
        let mailbox = Mailbox::new(helm);
        let orchestrator = mailbox.orchestrator();
        let backends = [1, 2, 3].map(|n| mailbox.backend(n));
        let own = mailbox.live(2);
        renews_with_a_stolen_key(&mailbox, 2);
        let signed = orchestrator.job("").ok();
        assert!(signed.stderr.contains("not read: mailbox/Stranger.csr"), "{}", signed.stderr);
        assert_eq!(kinds(&log(&orchestrator, ORGS[1])), ["certificate", "renewal"], "nobody can tell it from the true one");

        let found = backends[1].job("").refused(5, "certificate-of-another-key");
        assert!(found.stderr.contains(&own), "{}", found.stderr);
        assert_eq!(mailbox.live(2), own);
        assert!(mailbox.secret(2, "orchestrator-client-cert-pending").is_null(), "nothing was written");
        [0, 2].iter().for_each(|n| backends[*n].is_due());

        backends[1].follows(ALARM, "enroll");
        orchestrator.job("").refused(5, "proof-second-successor");
        assert_eq!(kinds(&log(&orchestrator, ORGS[1])), ["certificate", "renewal", "alarm"]);
        for n in [0, 2] {
            assert_eq!(kinds(&log(&orchestrator, ORGS[n])), ["certificate", "renewal"], "the others go on");
            backends[n].job("").ok();
        }
        backends[1].job("").refused(5, "certificate-of-another-key");

        let settle = page::commands(mailbox.page.block(ALARM, "--settle")).remove(0);
        orchestrator.person.runs(&settle.replace(SERIAL, &own).replace(ORGS[0], ORGS[1]));
        orchestrator.job("").ok();
        backends[1].job("").ok();
        let all = log(&orchestrator, ORGS[1]);
        assert_eq!(kinds(&all), ["certificate", "renewal", "alarm", "settlement", "renewal"]);
        assert_eq!((all[4]["serial"].as_str(), all[4]["predecessor"].as_str()), (Some(&*mailbox.live(2)), Some(&*own)));
        mailbox.all_are_accepted(&backends);
        assert_eq!(mailbox.page.read.borrow().iter().filter(|at| mailbox.page.blocks[**at].heading == ALARM).count(), ALARM_BLOCKS);
    }
}

/// Those of the page that the thief's story runs.
const ALARM_BLOCKS: usize = 2;
