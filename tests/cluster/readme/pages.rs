//! The smaller pages: every block of them is run as it stands there.

use std::{fs, path::Path};

use super::{page, person::Person, serve_live};
use crate::{
    federation::orchestrator_values,
    site::{BACKEND, Site, chart},
};

const REHEARSE: &str = "Rehearse your own files";

/// The parts of `docs/check.md`.
pub(super) const CHECK: [&str; 4] =
    ["What check says", "Real connections: --live", "For cron, pipelines and Prometheus", REHEARSE];

/// The parts of `docs/five-minutes.md` that need no Docker.
pub(super) const FIVE_MINUTES: [&str; 3] =
    ["2. Four files, in a folder of their own", "3. All of it", "5. See it refuse"];

/// The part of `docs/set-values.md`.
pub(super) const SET_VALUES: &str = "Put them into a file of their own, once";

/// The parts of `docs/uninstall.md`, one for each side.
pub(super) const UNINSTALL: [&str; 2] =
    ["Turning mutual TLS off: the orchestrator first", "Turning mutual TLS off: each backend"];

/// Whoever reads `docs/check.md` beside an enrolled backend.
pub(super) fn looks_and_rehearses(site: &Site, org: &Person<'_>) {
    for heading in CHECK {
        let mut reader = Person::reading(site, &page::of("check.md"), heading, &[("org1", &site.org)]);
        org.sends("backend-values.yaml", &reader);
        reader.here.clone_from(&org.here);
        if heading == REHEARSE {
            reader.write("orchestrator-values.yaml", &orchestrator_values(1));
        }
        let ran = reader.comes_to_the_end();
        assert!(heading != REHEARSE || ran.stdout.contains("MyOrg1MSP as itself"), "{}", ran.stdout);
    }
}

/// Mutual TLS is turned off and what is left of it is taken away, with the files of these folders.
pub(super) fn turns_it_off(site: &Site, org: &Path, orc: &Path) {
    let [first, then] = UNINSTALL;
    let orchestrator = Person::reading(site, &page::of("uninstall.md"), first, &[("orc", &site.orc)]);
    fs::copy(orc.join("orchestrator-values.yaml"), orchestrator.folder.join("orchestrator-values.yaml")).unwrap();
    orchestrator.comes_to_the_end();
    let backend = Person::reading(site, &page::of("uninstall.md"), then, &[("org1", &site.org)]);
    let on = fs::read_to_string(org.join("backend-values.yaml")).unwrap();
    let off = on.replace("mtls:\n      enabled: true", "mtls:\n      enabled: false");
    assert_ne!(on, off);
    backend.write("backend-values.yaml", &off);
    backend.comes_to_the_end();
    for name in ["orchestrator-client-cert", "orchestrator-client-cert-pending"] {
        assert!(site.object(&site.org, &format!("secret/{name}")).is_null(), "{name}");
    }
    let server = site.object(&site.org, "deployment/backend-org-1-substra-backend-server").to_string();
    assert!(server.contains("orchestrator-cacert") && !server.contains("orchestrator-client-cert"), "{server}");
}

both_helms! {
    fn values_that_were_set_on_the_line_are_kept_by_a_file(helm) {
        let site = Site::empty(helm);
        site.authority();
        site.admin(&site.org, "create secret generic orchestrator-cacert --from-file=ca.crt=ca.crt");
        let install = format!("install backend {} -f backend-values.yaml", chart("substra-backend"));
        site.helm(&site.org, &format!("{install} --set config.LOG_LEVEL=DEBUG"));
        let text = page::of("set-values.md");
        let mut reader = Person::reading(&site, &text, SET_VALUES, &[("org1", &site.org)]);
        reader.write("backend-values.yaml", BACKEND);
        let ran = reader.is_told(3);
        assert!(ran.stdout.contains("config.LOG_LEVEL"), "{}", ran.stdout);
        let (_, ran) = reader.goes_on_to("helm get values");
        assert!(ran.stdout.contains("LOG_LEVEL: DEBUG"), "{}", ran.stdout);
        let file = page::blocks(&text).into_iter().find(|block| block.language == "yaml").unwrap();
        reader.write("set-values.yaml", &file.text);
        reader.comes_to_the_end();
    }

    fn the_five_minutes_lead_to_a_closed_gate_with_stand_in_charts(helm) {
        let site = Site::empty(helm);
        let orgs = [1, 2].map(|n| format!("{}-{n}", site.org));
        let here = |text: &str| {
            let text = text.replace("orchestrator-server.orchestrator", &format!("orchestrator-server.{}", site.orc));
            let text = text.replace("namespace: orchestrator\n", &format!("namespace: {}\n", site.orc));
            let text = text.replace("namespace: org-1\n", &format!("namespace: {}\n", orgs[0]));
            text.replace("namespace: org-2\n", &format!("namespace: {}\n", orgs[1]))
        };
        let text = page::of("five-minutes.md");
        let admin = Person::administrator(&site, &text, FIVE_MINUTES[0], "k3d-substra");
        let names = ["orchestrator-values.yaml", "backend-org-1-values.yaml", "federation.yaml"];
        let files: Vec<_> = page::blocks(&text).into_iter().filter(|block| block.language == "yaml").collect();
        assert_eq!(files.len(), names.len());
        for (name, file) in names.iter().zip(&files) {
            assert!(text.contains(&format!("`{name}`:\n\n```yaml\n{}", file.text)), "{name}");
            admin.write(name, &here(&file.text));
        }
        let folder = admin.folder.clone();
        admin.comes_to_the_end();
        for heading in &FIVE_MINUTES[1..] {
            let mut admin = Person::administrator(&site, &text, heading, "k3d-substra");
            admin.here = vec![("-n org-1 ".to_owned(), format!("-n {} ", orgs[0]))];
            if *heading == FIVE_MINUTES[2] {
                admin.here.push(("localhost:9000".to_owned(), serve_live(&site)));
            }
            admin.folder.clone_from(&folder);
            admin.comes_to_the_end();
        }
        let server = site.object(&site.orc, "deployment/orchestrator-server").to_string();
        assert!(server.contains("client-cacert-my-org2-msp"), "{server}");
    }
}
