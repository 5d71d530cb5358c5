//! A dry run of every verb says what would be and nothing else: no number of what is thrown away, nothing that follows.
//!
//! Each case runs in a process of its own, since what people read goes straight to stderr.

mod cases;

use std::{collections::BTreeSet, env, process::Command};

use clap::Parser;
use regex_lite::Regex;
use substra_mtls::{
    cli::{Cli, Command as Verb},
    cluster::{Cluster, Kubernetes, ObjectRef},
    commands::bootstrap,
    dispatch::dispatch,
    failure::Result,
    federation::Site,
    pki::{inspect::certificates, key::PrivateKey},
    report::{Console, Format, Outcome, write_failure},
    session::Session,
};

use self::cases::{CASES, Case};
use crate::world::{BACKEND, World};

/// Names the case of a process.
const CASE: &str = "SUBSTRA_MTLS_TEST_DRY_RUN";

impl Case {
    fn run(&self, more: &str, console: Console) -> Result<Outcome> {
        let cli = Cli::try_parse_from(self.world.words(&format!("substra-mtls {} {more}", self.line))).unwrap();
        let clock = self.at.clock();
        clock.set(self.now);
        if let Verb::Bootstrap(args) = &cli.command {
            let open = |site: &Site| -> Result<Box<dyn Cluster>> {
                Ok(Box::new(self.at.in_namespace(site.namespace.as_str())))
            };
            return bootstrap::run(args, &Session::new(None, console, &clock), &open);
        }
        dispatch(&cli.command, &Session::new(Some(&self.at), console, &clock))
    }

    /// Serial numbers and fingerprints of all that exists: in files and in Secrets.
    fn numbers(&self) -> BTreeSet<String> {
        let mut texts: Vec<Vec<u8>> = self.world.snapshot().into_values().collect();
        for namespace in ["orchestrator", "org-1", "org-2"] {
            let names = [
                "orchestrator-client-cert",
                "orchestrator-client-cert-pending",
                "orchestrator-tls-server-pair",
                "orchestrator-tls-cacert",
                "orchestrator-cacert",
                "federation-ca",
            ];
            let objects = self.at.in_namespace(namespace).get(&names.map(ObjectRef::secret)).unwrap();
            let items = ["tls.crt", "tls.key", "ca.crt"];
            texts.extend(
                objects.iter().flat_map(|object| items.map(|key| object.data(key))).flatten().map(|data| data.to_vec()),
            );
        }
        let mut numbers = BTreeSet::new();
        for text in texts {
            if let Ok(key) = PrivateKey::from_pem(&text, None) {
                numbers.insert(key.fingerprint().to_string());
            }
            for one in certificates(&text).unwrap_or_default() {
                numbers.extend([one.serial.clone(), one.fingerprint().to_string()]);
            }
        }
        // Of what was issued the log knows the numbers, and a request that is there is known by its digest.
        let all = self.world.snapshot().into_values().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let serial = Regex::new("\"serial\":\"([0-9a-f]+)\"").unwrap();
        all.for_each(|text| numbers.extend(serial.captures_iter(&text).map(|found| found[1].to_owned())));
        let csr =
            self.world.snapshot().into_iter().filter(|(path, _)| path.extension().is_some_and(|end| end == "csr"));
        numbers.extend(csr.filter_map(|(_, bytes)| Some(substra_mtls::pki::request::digest(&bytes)?.to_string())));
        numbers
    }
}

/// What the cases are called.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    CASES.iter().map(|(name, _)| *name)
}

/// A case, said aloud; it ends in vain where anything was written.
fn play(named: &str) {
    let (name, more) = named.split_once('|').unwrap();
    let case = CASES.iter().find(|(one, _)| *one == name).unwrap().1();
    let before = (case.world.snapshot(), case.at.writes());
    let console = Console { format: Format::Text, yes: false, interactive: false, quiet: false };
    let numbers = case.numbers().into_iter().collect::<Vec<_>>().join(" ");
    console.data(&["".into()]).unwrap();
    console.data(&[format!("numbers {numbers}").into()]).unwrap();
    match case.run(more, console) {
        Ok(outcome) => {
            outcome.write(&console).unwrap();
            console.data(&[format!("json {}", crate::schemas::seen(Ok(outcome)).unwrap().json()).into()]).unwrap();
        }
        Err(failure) => write_failure(&failure.unchanged("nothing was written"), Format::Text),
    }
    assert!((case.world.snapshot(), case.at.writes()) == before, "something was written");
}

/// What a case said, stdout and stderr: of this test program again, whose first test plays the case that is named.
fn said(name: &str, more: &str) -> (String, String) {
    let mut child = Command::new(env::current_exe().unwrap());
    let first = "dry_run::a_dry_run_says_what_would_be_and_that_nothing_was_written";
    child.args(["--exact", first, "--nocapture", "--test-threads=1"]);
    let output = child.env(CASE, format!("{name}|{more}")).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success() && stdout.contains("\nnumbers "), "{name}: {stdout}{stderr}");
    (stdout, stderr)
}

/// Numbers in a text that are of nothing that exists.
fn unknown(stdout: &str, stderr: &str) -> Vec<String> {
    let known = stdout.lines().find_map(|line| line.strip_prefix("numbers ")).unwrap().replace("SHA256:", "");
    let said: String = stdout
        .lines()
        .filter(|line| !line.starts_with("numbers "))
        .chain(stderr.lines())
        .map(|line| format!("{line}\n"))
        .collect();
    // Groups that are read out are a fingerprint too.
    let groups = Regex::new("(?:[0-9a-f]{8} ){7}[0-9a-f]{8}").unwrap();
    let joined = groups.replace_all(&said, |found: &regex_lite::Captures<'_>| found[0].replace(' ', "")).into_owned();
    let numbers = Regex::new("[0-9a-f]{16,}").unwrap();
    let all = numbers.find_iter(&joined).map(|found| found.as_str().to_owned());
    all.filter(|number| !known.split(' ').any(|one| one.starts_with(number.as_str()))).collect()
}

#[test]
fn a_dry_run_says_what_would_be_and_that_nothing_was_written() {
    if let Ok(named) = env::var(CASE) {
        return play(&named);
    }
    for (name, _) in CASES {
        let (stdout, stderr) = said(name, "--dry-run");
        assert_eq!(stderr.lines().last(), Some("nothing was written"), "{name}: {stderr}");
        assert_eq!(unknown(&stdout, &stderr), Vec::<String>::new(), "{name}: {stdout}{stderr}");
        let json = stdout.lines().find_map(|line| line.strip_prefix("json ")).unwrap();
        let json: serde_json::Value = serde_json::from_str(json).unwrap();
        let planned = !name.ends_with("nothing");
        assert_eq!(json["stage"], if planned { "planned" } else { "already" }, "{name}: {json:#}");
        if planned {
            assert!(stdout.contains("\nstage: planned\n"), "{name}: {stdout}");
            assert!(!stderr.contains("\nnext: ") && json["next"] == serde_json::json!([]), "{name}: {stderr}");
            for happened in [" is edited", "was edited", "was upgraded", "is written", "proven"] {
                assert!(!format!("{stdout}{stderr}").contains(happened), "{name}: {happened}: {stdout}{stderr}");
            }
        }
    }
}

#[test]
fn a_run_that_is_refused_for_want_of_a_yes_tells_no_number_of_what_it_throws_away() {
    let asks = |name: &str| !name.starts_with("enroll") && !name.ends_with("nothing");
    for (name, _) in CASES.iter().filter(|(name, _)| asks(name)) {
        let more = if *name == "ca trust at a backend" { "--dry-run" } else { "" };
        let (stdout, stderr) = said(name, more);
        assert_eq!(unknown(&stdout, &stderr), Vec::<String>::new(), "{name}: {stdout}{stderr}");
        if more.is_empty() {
            assert!(stderr.contains("[no-terminal]"), "{name}: {stderr}");
            assert!(stderr.ends_with("\n  unchanged: nothing was written\n"), "{name}: {stderr}");
        }
    }
}

#[test]
fn a_dry_run_that_would_install_says_so() {
    let (_, stderr) = said("bootstrap a CA", "--dry-run");
    for release in ["orchestrator substra/orchestrator", "backend substra/substra-backend"] {
        assert!(stderr.contains(&format!("to do    helm upgrade --install {release}")), "{release}: {stderr}");
    }
}

#[test]
fn the_first_run_of_enroll_warns_of_a_backend_without_tls() {
    let (_, stderr) = said("enroll without TLS", "--dry-run");
    assert!(stderr.contains("warning: release backend does not use TLS to the orchestrator yet"), "{stderr}");
    assert!(stderr.contains("ca trust orchestrator-ca.crt --backend --enable-tls"), "{stderr}");
    assert!(!said("enroll", "--dry-run").1.contains("warning"));
    let world = World::new();
    world.write("backend-values.yaml", &BACKEND.replace("enabled: true", "enabled: false"));
    let ran = world.run("enroll -f backend-values.yaml --key-file x.key").ok();
    assert!(ran.stderr.contains("warning: by these values files, the backend does not use TLS"), "{}", ran.stderr);
}

#[test]
fn the_binary_in_a_dry_run_ends_with_the_same_words() {
    let world = World::new();
    let enroll = "enroll -f backend-values.yaml --key-file MyOrg1MSP.key";
    let approve = "approve MyOrg1MSP.csr -f orchestrator-values.yaml --ca-cert ca.crt --ca-key ca.key --offline --unverified-mail";
    for (line, format) in [(enroll, "text"), (enroll, "json"), (approve, "text"), (approve, "json")] {
        if line == approve {
            world.request();
        }
        let before = world.snapshot();
        let ran = world.run(&format!("{line} --dry-run -o {format}")).ok();
        assert_eq!(ran.stderr.lines().last(), Some("nothing was written"), "{line}: {}", ran.stderr);
        assert_eq!(world.snapshot(), before, "{line}");
    }
}

#[test]
fn a_dry_run_does_not_even_touch_a_folder() {
    let world = World::new();
    let folder = world.path("out");
    std::fs::create_dir(&folder).unwrap();
    let long_ago = std::time::SystemTime::UNIX_EPOCH;
    std::fs::File::open(&folder).unwrap().set_modified(long_ago).unwrap();
    world.run("enroll -f backend-values.yaml --key-file out/x.key --out-dir out --dry-run").ok();
    assert_eq!(std::fs::metadata(&folder).unwrap().modified().unwrap(), long_ago);
    let ran = world.run("enroll -f backend-values.yaml --key-file x.key --out-dir ca.crt --dry-run");
    ran.refused(1, "file-unwritable");
    world
        .run("enroll -f backend-values.yaml --key-file x.key --out-dir missing --dry-run")
        .refused(1, "file-unwritable");
}
