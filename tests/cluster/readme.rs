//! The README: every block of it is run as it stands there, each person's lines in their order, or named with a reason.

mod gitops;
mod mailbox;
mod page;
mod pages;
mod person;
mod repository;

use std::net::TcpListener;

use base64::{Engine, prelude::BASE64_STANDARD};
use substra_mtls::{
    pki::policy,
    substra::servers::{OrchestratorServer, PemPair, TrustedCa, serve},
};
use time::OffsetDateTime;

use self::person::Person;
use crate::{
    federation::backend_values,
    site::{PLAIN, Site},
};

const BACKEND: &str = "The backend operator";
const ORCHESTRATOR: &str = "The orchestrator operator";
const BUILDER: &str = "The federation builder";

/// The parts of the pages whose blocks are run here, each line as it stands.
const STORIES: [(&str, &[&str]); 6] = [
    ("README.md", &[BACKEND, ORCHESTRATOR, BUILDER]),
    ("docs/check.md", &pages::CHECK),
    ("docs/five-minutes.md", &pages::FIVE_MINUTES),
    ("docs/gitops.md", &gitops::STORIES),
    ("docs/set-values.md", &[pages::SET_VALUES]),
    ("docs/uninstall.md", &pages::UNINSTALL),
];

/// Pages whose blocks other tests read and run.
const OTHERS: [(&str, &str); 5] = [
    ("docs/troubleshooting.md", "tests/cli/troubleshooting.rs"),
    ("docs/air-gapped.md", "tests/cli/air_gapped.rs"),
    ("docs/coming-from-the-guide.md", "tests/cli/guide.rs"),
    ("docs/federation.md", "tests/federation"),
    ("docs/renewal.md", "tests/cluster/readme/mailbox.rs"),
];

/// Command lines that are not run here, and who runs them.
const ELSEWHERE: [(&str, &str); 18] = [
    ("cargo run --release -- rehearse", "tests/cli/rehearse.rs runs this verb of this binary"),
    ("testbed/test", "runs this test; .ci/run calls it"),
    (
        "helm repo add substra https://substra.github.io/charts/",
        "of the README: person.rs adds a repository of this name",
    ),
    ("helm plugin install .", "site.rs installs the plugin so for both Helms, with a binary in bin/"),
    ("helm substra-mtls rehearse", "of the README: pages.rs runs the same line of docs/check.md"),
    ("helm plugin uninstall substra-mtls", "tests/install/helm.rs"),
    ("k3d cluster create substra", "needs Docker; the page says that it was not run"),
    ("helm repo add substra https://substra.github.io/charts/", "person.rs adds a repository of this name"),
    ("helm repo update", "needs a network"),
    (
        "kubectl --context k3d-substra port-forward --namespace orchestrator service/orchestrator-server 9000",
        "no pod runs here",
    ),
    ("k3d cluster delete substra", "needs Docker"),
    (
        "helm substra-mtls gate close -n orchestrator -f orchestrator-values.yaml --installed MyOrg1MSP --yes --recover",
        "tests/cluster/pending.rs runs it after a helm that was killed",
    ),
    // Of docs/install.md: the tests have folders, keys and servers of other names.
    (
        "SUBSTRA_MTLS_TGZ=/media/usb/substra-mtls-linux-amd64-0.1.0.tgz helm plugin install git@git.example.com:mirrors/substra-mtls.git",
        "tests/install/helm.rs",
    ),
    ("export SUBSTRA_MTLS_BASE_URL=https://mirror.example.com/substra-mtls", "tests/install/downloads.rs"),
    ("gpg --export MAINTAINER >substra-mtls.gpg", "tests/install/keys has such a file"),
    ("helm plugin install ./substra-mtls-linux-amd64-0.1.0.tgz --keyring substra-mtls.gpg", "tests/install/helm.rs"),
    (
        "gpg --verify substra-mtls-linux-amd64-0.1.0.tgz.prov",
        "gpg's own; Helm 4 does the same in tests/install/helm.rs",
    ),
    (
        "grep sha256 substra-mtls-linux-amd64-0.1.0.tgz.prov; sha256sum substra-mtls-linux-amd64-0.1.0.tgz",
        "for people to compare",
    ),
];

#[test]
fn every_block_is_run_or_named() {
    let mut named: Vec<&str> = ELSEWHERE.iter().map(|(line, _)| *line).collect();
    for (path, text) in page::all() {
        let path = path.strip_prefix(page::root()).unwrap().to_str().unwrap();
        if OTHERS.iter().any(|(other, _)| *other == path) {
            continue;
        }
        let told = STORIES.iter().find(|(page, _)| *page == path).map_or(&[][..], |(_, told)| told);
        for block in page::blocks(&text) {
            let is_told = told.contains(&block.heading.as_str());
            match block.language.as_str() {
                "sh" | "yaml" if is_told => {}
                "sh" => {
                    for line in page::commands(&block.text).into_iter().filter(|line| !line.starts_with("# ")) {
                        let at = named.iter().position(|known| *known == line);
                        named.remove(at.unwrap_or_else(|| panic!("{line:?} of {path} is run by no test")));
                    }
                }
                language => panic!("a block of {language:?} in {path}: no test knows it\n{}", block.text),
            }
        }
    }
    assert!(named.is_empty(), "in no page any more: {named:?}");
    let last = include_str!("../../.ci/run").lines().last().unwrap();
    assert_eq!(last, format!("part {}", ELSEWHERE[1].0), "what every change must pass is what the README names");
}

#[test]
fn every_link_leads_somewhere() {
    for (path, text) in page::all() {
        for link in page::links(&text) {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { path.clone() } else { path.with_file_name(file) };
            assert!(target.exists(), "{link} in {}", path.display());
            let there = || page::anchors(&std::fs::read_to_string(&target).unwrap());
            assert!(anchor.is_empty() || there().iter().any(|known| known == anchor), "{link} in {}", path.display());
        }
    }
}

#[test]
fn every_rule_of_the_policy_is_in_the_reference() {
    let page = include_str!("../../docs/reference.md");
    for rule in policy::RULES {
        assert!(page.contains(&format!("`{}`", rule.code.id())), "{}", rule.code.id());
    }
}

/// A backend before TLS.
fn plain_backend(n: usize) -> String {
    backend_values(n).split("  tls:\n").next().unwrap().to_owned()
}

fn plain_orchestrator() -> String {
    PLAIN.replace("[MyOrg1MSP]", "[MyOrg1MSP, MyOrg2MSP]")
}

fn is_closed(site: &Site) -> bool {
    site.object(&site.orc, "deployment/orchestrator-server").to_string().contains("client-cacert")
}

/// An orchestrator that checks as the real one does, with the pair that is in the cluster, where `--live` can dial it.
fn serve_live(site: &Site) -> String {
    serve_live_to(site, &["MyOrg1MSP"])
}

/// The same for these members.
fn serve_live_to(site: &Site, members: &[&str]) -> String {
    let object = |name: &str| site.object(&site.orc, &format!("secret/{name}"))["data"].take();
    let bytes = |text: &serde_json::Value| BASE64_STANDARD.decode(text.as_str().unwrap()).unwrap();
    let (pair, ca) = (object("orchestrator-tls-server-pair"), bytes(&object("orchestrator-tls-cacert")["ca.crt"]));
    let pair = PemPair { certificate: bytes(&pair["tls.crt"]), key: bytes(&pair["tls.key"]).into() };
    let trusted = |member: &&str| TrustedCa { organization: (*member).into(), pem: ca.clone() };
    let trusted: Vec<TrustedCa> = members.iter().map(trusted).collect();
    let server = OrchestratorServer::start(pair, &ca, &trusted, true, true).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        listener.incoming().flatten().for_each(|stream| drop(serve(&server, stream, OffsetDateTime::now_utc())));
    });
    address
}

both_helms! {
    fn two_people_follow_their_pages_from_plain_text_to_a_closed_gate_and_back(helm) {
        let site = Site::empty(helm);
        let mut org = Person::new(&site, BACKEND, &[("org1", &site.org)]);
        let mut orc = Person::new(&site, ORCHESTRATOR, &[("orc", &site.orc)]);
        org.write("backend-values.yaml", &plain_backend(1));
        orc.write("orchestrator-values.yaml", &plain_orchestrator());
        org.runs("helm install backend-org-1 substra/substra-backend -n org-1 -f backend-values.yaml");
        orc.runs("helm install orchestrator substra/orchestrator -n orchestrator -f orchestrator-values.yaml");

        orc.goes_on_to("ca init");
        orc.sends("orchestrator-ca.crt", &org);
        org.goes_on_to("enroll");
        org.sends("MyOrg1MSP.csr", &orc);
        let (approve, _) = orc.goes_on_to("approve");
        orc.sends("MyOrg1MSP.crt", &org);
        let (_, installed) = org.goes_on_to("--certificate");
        assert!(installed.stderr.contains("tell the orchestrator's operator: \"MyOrg1MSP is installed"), "{}", installed.stderr);
        assert_eq!(site.object(&site.org, "secret/orchestrator-client-cert")["type"], "kubernetes.io/tls");

        orc.write("second.yaml", &plain_backend(2));
        orc.runs("helm substra-mtls enroll -f second.yaml --key-file MyOrg2MSP.key");
        orc.runs(&approve.replace("MyOrg1MSP", "MyOrg2MSP"));
        assert!(!is_closed(&site));
        orc.goes_on_to("gate close");
        assert!(is_closed(&site));

        org.here.push(("localhost:9000".to_owned(), serve_live(&site)));
        org.goes_on_to("--renew");
        org.sends("MyOrg1MSP.csr", &orc);
        orc.runs(&approve);
        orc.sends("MyOrg1MSP.crt", &org);
        pages::looks_and_rehearses(&site, &org);
        let folders = [org.folder.clone(), orc.folder.clone()];
        org.comes_to_the_end();
        orc.sh("openssl req -x509 -newkey rsa:2048 -nodes -keyout their.key -subj /CN=TheirCA -days 365 -out their-ca.crt").ok();
        orc.comes_to_the_end();
        assert!(!is_closed(&site), "the way back is the last line of the page");
        pages::turns_it_off(&site, &folders[0], &folders[1]);
    }

    fn a_builder_makes_a_federation_from_values_files(helm) {
        let site = Site::empty(helm);
        let orgs = [1, 2].map(|n| format!("{}-{n}", site.org));
        orgs.iter().for_each(|org| site.account(org, "backend"));
        let contexts = [("orc", site.orc.as_str()), ("org1", orgs[0].as_str()), ("org2", orgs[1].as_str())];
        let mut builder = Person::new(&site, BUILDER, &contexts);
        let mut files = page::blocks(&page::readme()).into_iter().filter(|block| block.language == "yaml");
        let mut file = files.next().unwrap().text;
        assert!(files.next().is_none(), "one file is the builder's; no test reads another");
        for (there, here) in [("orchestrator", &site.orc), ("org-1", &orgs[0]), ("org-2", &orgs[1])] {
            let from = format!("namespace: {there},");
            assert!(file.contains(&from), "{from} {file}");
            file = file.replace(&from, &format!("namespace: {here},"));
        }
        builder.write("federation.yaml", &file);
        builder.write("orchestrator-values.yaml", &plain_orchestrator());
        [1, 2].into_iter().for_each(|n| builder.write(&format!("backend-org-{n}-values.yaml"), &plain_backend(n)));

        builder.goes_on_to("--dry-run");
        assert!(site.object(&site.orc, "deployment/orchestrator-server").is_null(), "nothing is written");
        builder.goes_on_to("bootstrap");
        assert!(is_closed(&site));
        orgs.iter().for_each(|org| assert!(!site.object(org, "secret/orchestrator-client-cert").is_null()));
        let before = site.state(&site.orc);
        let again = builder.comes_to_the_end();
        assert!(again.stdout.contains("MyOrg2MSP already"), "{}{}", again.stdout, again.stderr);
        assert_eq!(site.state(&site.orc), before);
    }
}
