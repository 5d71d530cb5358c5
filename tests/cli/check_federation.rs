//! `check federation.yaml` on the simulated cluster: every release in one table, and one that is broken hides nothing.

use clap::Parser;
use serde_json::Value;
use substra_mtls::{
    cli::{Cli, Command},
    cluster::{Cluster, ObjectRef},
    commands::check,
    dispatch::dispatch,
    failure::{Code, Exit, Failure, Result},
    federation::Site,
    report::{Console, Format, Outcome},
    session::Session,
};

use super::{
    bootstrap::world::{Fed, LINE},
    golden::text,
};

/// The result; a namespace of this name cannot be opened.
pub(crate) fn checked(fed: &Fed, more: &str, closed: &str) -> Result<Outcome> {
    let line = format!("substra-mtls check @federation.yaml -o json {more}");
    let cli = Cli::try_parse_from(fed.world.words(&text::line(&line))).unwrap();
    let Command::Check(args) = &cli.command else { panic!("{line}") };
    let console = text::console(Console { format: Format::Json, ..Console::silent() });
    let open = |site: &Site| -> Result<Box<dyn Cluster>> {
        if site.namespace.as_str() == closed {
            return Err(Failure::new(Exit::Outside, Code::ToolMissing, "helm was not found").why("x").next("y"));
        }
        Ok(Box::new(fed.orc.in_namespace(site.namespace.as_str())))
    };
    crate::schemas::seen(check::federation(args, &Session::new(None, console, &fed.clock()), &open))
}

fn stages(outcome: &Outcome) -> Vec<(String, String)> {
    let rows = outcome.get("organizations").unwrap().as_array().unwrap();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    rows.iter().map(|row| (text(row, "organization"), text(row, "stage"))).collect()
}

fn failing(outcome: &Outcome) -> Vec<String> {
    let sites = outcome.get("sites").unwrap().as_array().unwrap();
    let checks = sites.iter().flat_map(|site| site["checks"].as_array().unwrap());
    checks.filter(|check| check["status"] == "failed").map(|check| check["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn who_stands_where_before_and_after_a_bootstrap() {
    let fed = Fed::new(3);
    let before = checked(&fed, "", "").unwrap();
    assert!(stages(&before).iter().all(|(_, stage)| stage == "none"), "{:?}", stages(&before));
    fed.run(LINE).unwrap();
    let after = checked(&fed, "", "").unwrap();
    let all = ["MyOrg1MSP", "MyOrg2MSP", "MyOrg3MSP"].map(|org| (org.to_owned(), "enforced".to_owned()));
    assert_eq!(stages(&after), all);
    assert_eq!((after.exit(), failing(&after)), (Exit::Done, Vec::new()));
    assert_eq!(after.get("sites").unwrap().as_array().unwrap().len(), 4);
}

#[test]
fn the_next_command_of_each_organization_leads_on() {
    let fed = Fed::new(2);
    let nexts = |outcome: &Outcome| -> Vec<String> {
        let rows = outcome.get("organizations").unwrap().as_array().unwrap();
        rows.iter().map(|row| row["next"].as_str().unwrap().to_owned()).collect()
    };
    let before = checked(&fed, "", "").unwrap();
    let folder = fed.world.path("").display().to_string();
    for (n, next) in (1..).zip(nexts(&before)) {
        let words = shlex::split(&next).unwrap();
        assert!(words[1..5] == ["substra-mtls", "enroll", "-n", &format!("org-{n}")], "{next}");
        let org = fed.org(n);
        let cli =
            Cli::try_parse_from(words[1..].iter().map(String::as_str).chain(["--out-dir", folder.as_str()])).unwrap();
        let session = Session::new(Some(&org), Console::silent(), &fed.clock());
        assert_eq!(dispatch(&cli.command, &session).unwrap().stage().id(), "requested", "{next}");
    }
    let requested = checked(&fed, "", "").unwrap();
    assert!(nexts(&requested).iter().all(|next| next.contains(" --certificate ")), "{:?}", nexts(&requested));
}

#[test]
fn one_that_is_broken_or_out_of_reach_hides_nothing_of_the_others() {
    let fed = Fed::new(3);
    fed.run(LINE).unwrap();
    fed.org(2).remove_object(&ObjectRef::secret("orchestrator-client-cert"));
    let broken = checked(&fed, "", "org-1").unwrap();
    assert_eq!(broken.exit(), Exit::CheckFailed);
    let failing = failing(&broken);
    assert!(failing.iter().any(|id| id == "tools") && failing.iter().any(|id| id == "mount-missing"), "{failing:?}");
    assert_eq!(stages(&broken)[2], ("MyOrg3MSP".to_owned(), "enforced".to_owned()));
}

#[test]
fn values_that_cannot_be_read_are_a_finding_of_their_site() {
    let fed = Fed::new(2);
    fed.run(LINE).unwrap();
    fed.world.write("org-1.yaml", "orchestrator: [\n");
    let broken = checked(&fed, "", "").unwrap();
    assert_eq!(broken.exit(), Exit::CheckFailed);
    assert!(stages(&broken).contains(&("MyOrg2MSP".to_owned(), "enforced".to_owned())), "{:?}", stages(&broken));
    assert_eq!(checked(&fed, "--only no-such-check", "").unwrap_err().exit, Exit::Usage);
}

#[test]
fn a_damaged_file_of_the_ca_is_said_and_hides_nothing() {
    let fed = Fed::new(2);
    fed.run(LINE).unwrap();
    fed.world.write("ca.crt", "-----BEGIN CERTIFICATE-----\n");
    let told = checked(&fed, "", "").unwrap();
    let warnings = format!("{told:?}");
    assert!(warnings.contains("the federation's CA is not looked at"), "{warnings}");
    assert_eq!(stages(&told)[1], ("MyOrg2MSP".to_owned(), "enforced".to_owned()));
}
