//! The page for those who deploy from git: every block of it is run as it stands there.

use super::{page, person::Person};
use crate::{
    gitops::{below, prepared, rolled_out, sync},
    site::{BACKEND, ORCHESTRATOR, Site, bed, chart},
};

const BACKEND_STEPS: &str = "The backend, step by step";
const ORCHESTRATOR_STEPS: &str = "The orchestrator, step by step";
const UMBRELLA: &str = "Umbrella charts";
const SOPS: &str = "SOPS";
const SEVERAL: &str = "Several values files";

/// The parts of the page whose blocks are run here.
pub(super) const STORIES: [&str; 5] = [BACKEND_STEPS, ORCHESTRATOR_STEPS, UMBRELLA, SOPS, SEVERAL];

/// A reader whose folder is a git repository with their values file.
fn with_git<'a>(site: &'a Site, heading: &str, context: (&str, &str), (file, text): (&str, &str)) -> Person<'a> {
    let person = Person::reading(site, &page::of("gitops.md"), heading, &[context]);
    person.write(file, text);
    let make = "git init -q . && git config user.email x@example.org && git config user.name x";
    person.sh(&format!("{make} && git add {file} && git commit -q -m first")).ok();
    person
}

/// The sync takes what is committed, and nothing else.
fn synced(site: &Site, person: &Person<'_>, namespace: &str, name: &str, chart: &str) {
    person.sh("git diff --exit-code HEAD").ok();
    site.admin(namespace, "delete jobs --all");
    let folder = person.folder.strip_prefix(site.folder.path()).unwrap().display().to_string();
    site.sh(&format!("cp '{folder}'/{name}-values.yaml synced-{name}.yaml"));
    sync(site, namespace, &format!("{name} {chart} -f synced-{name}.yaml --no-hooks"));
    rolled_out(site, namespace);
}

both_helms! {
    fn the_steps_of_backend_and_orchestrator_lead_through_two_syncs(helm) {
        let site = Site::empty(helm);
        prepared(&site, "secret generic");
        let (backend, orchestrator) = (chart("substra-backend"), chart("orchestrator"));
        let values = ("backend-values.yaml", BACKEND);
        let mut org = with_git(&site, BACKEND_STEPS, ("org1", &site.org), values);
        let values = ("orchestrator-values.yaml", ORCHESTRATOR);
        let mut orc = with_git(&site, ORCHESTRATOR_STEPS, ("orc", &site.orc), values);
        site.sh(&format!("cp ca.crt '{0}/orchestrator-ca.crt'; cp ca.key '{0}/orchestrator-ca.key'", orc.folder.display()));
        synced(&site, &org, &site.org, "backend", &backend);
        synced(&site, &orc, &site.orc, "orchestrator", &orchestrator);

        org.goes_on_to("enroll");
        org.sends("MyOrg1MSP.csr", &orc);
        orc.goes_on_to("git commit");
        orc.sends("MyOrg1MSP.crt", &org);
        org.goes_on_to("git commit");
        synced(&site, &org, &site.org, "backend", &backend);
        org.comes_to_the_end();
        orc.goes_on_to("git commit");
        synced(&site, &orc, &site.orc, "orchestrator", &orchestrator);
        orc.comes_to_the_end();
        let server = site.object(&site.orc, "deployment/orchestrator-server").to_string();
        assert!(server.contains("client-cacert-my-org1-msp"), "{server}");
        assert_eq!(site.helm(&site.org, "list -q"), "");
    }

    fn umbrella_chart_sops_and_several_files_are_used_as_the_page_says(helm) {
        let site = Site::empty(helm);
        prepared(&site, "secret generic");
        site.sh(&format!("cp -r {0}/platform {0}/substra-backend {0}/orchestrator .", bed("CHARTS")));
        site.helm(&site.org, "dependency update platform");
        let (plain, secret) = BACKEND.split_once("database:").unwrap();
        let values = below("backend", plain, "orchestrator:\n  enabled: false\n");
        let secrets = below("backend", &format!("database:{secret}"), "");
        site.write("platform-values.yaml", &values);
        site.write("secrets.yaml", &secrets);
        site.helm(&site.org, "install platform ./platform -f platform-values.yaml");

        let mut reader = Person::reading(&site, &page::of("gitops.md"), UMBRELLA, &[("org1", &site.org)]);
        site.sh(&format!("cp -r platform '{}'", reader.folder.display()));
        reader.write("platform-values.yaml", &values);
        reader.goes_on_to("enroll");
        reader.comes_to_the_end();

        let reader = Person::reading(&site, &page::of("gitops.md"), SOPS, &[("org1", &site.org)]);
        site.helm(&site.org, "upgrade platform ./platform -f platform-values.yaml -f secrets.yaml");
        crate::sops::encrypt(&site, "secrets.yaml");
        site.sh(&format!("cp platform-values.yaml secrets.yaml age.txt '{}'", reader.folder.display()));
        let ran = reader.comes_to_the_end();
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("hunter2"));

        let reader = Person::reading(&site, &page::of("gitops.md"), SEVERAL, &[("org1", &site.org)]);
        reader.write("platform-values.yaml", &values);
        reader.write("more.yaml", &secrets);
        reader.comes_to_the_end();
    }
}
