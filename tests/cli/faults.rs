//! Every call of every verb goes wrong in every way that helm, kubectl or sops can: nothing hangs, nothing is called done
//! that is not, nobody who was let in is cut off, and the same command completes the job when all goes right again.

mod made;
mod sample;
mod state;

use std::{fmt, fs, path::Path, sync::Mutex, time::Duration};

use serde_json::Value;
use tempfile::TempDir;

use self::state::{let_in, of_several, state};
use crate::{
    scripted::{Scripted, copy_files},
    world::Ran,
};

/// How a call that only looks goes wrong, and one that writes.
const LOOKS: [&str; 8] = ["nothing", "fails", "garbage", "cut", "half", "hang", "flood", "killed-after"];
const WRITES: [&str; 9] =
    ["nothing", "fails", "lost", "garbage", "hang", "flood", "slow", "killed-before", "killed-after"];

/// How a sops goes wrong that decrypts, and one that edits.
const DECRYPTS: [&str; 8] = ["nothing", "fails", "garbage", "cut", "hang", "flood", "killed-before", "killed-after"];
const EDITS: [&str; 8] = ["nothing", "fails", "lost", "more", "hang", "slow", "killed-before", "killed-after"];

/// A run that takes longer hangs.
const LIMIT: Duration = Duration::from_mins(1);

/// A busy machine may take its time.
const LONG: &str = "60s";

/// How long a child may take that is meant to hang. On a busy machine this may be the end of another one, before that is met.
const HANGS: [&str; 3] = ["1s", "5s", "15s"];

/// Files and a cluster, before a verb.
struct Place {
    files: TempDir,
    cluster: Scripted,
}

impl Place {
    fn copy(&self) -> Self {
        let files = tempfile::tempdir().unwrap();
        copy_files(self.files.path(), files.path());
        Self { files, cluster: self.cluster.copy() }
    }

    /// The binary; `None` where it hangs. A `child_limit` ends a child that hangs.
    fn run(&self, line: &str, child_limit: &str) -> Option<Ran> {
        let words: Vec<&str> = line.split_whitespace().chain(["--yes", "--timeout", "10s", "-o", "json"]).collect();
        let path = format!("{}:/usr/bin:/bin", self.cluster.bin().display());
        let scratch = self.cluster.path().display().to_string();
        let handle = duct::cmd(env!("CARGO_BIN_EXE_substra-mtls"), words)
            .dir(self.files.path())
            .full_env([("PATH", path.as_str()), ("TMPDIR", &scratch), ("SUBSTRA_MTLS_CHILD_LIMIT", child_limit)])
            .stdin_null()
            .stdout_capture()
            .stderr_capture()
            .unchecked()
            .start()
            .unwrap();
        let ended = handle.wait_timeout(LIMIT).unwrap().is_some();
        if !ended {
            handle.kill().unwrap();
            return None;
        }
        Some(handle.into_output().unwrap().into())
    }

    /// Whether a throw-away folder of a run is still there.
    fn leaves_copies(&self) -> bool {
        let entries = fs::read_dir(self.cluster.path()).unwrap().map(|entry| entry.unwrap());
        let mut commons = entries.filter(|entry| entry.file_name().to_str().unwrap().starts_with("substra-mtls-"));
        commons.any(|common| fs::read_dir(common.path()).unwrap().next().is_some())
    }
}

/// One call of a verb, and how it goes wrong.
struct Fault {
    call: String,
    way: &'static str,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.call, self.way)
    }
}

/// A run that meets the fault, and where it left things.
fn met(start: &Place, line: &str, fault: &Fault) -> Result<(Place, Ran), String> {
    for child_limit in if fault.way == "hang" { &HANGS[..] } else { &[LONG] } {
        let place = start.copy();
        place.cluster.goes_wrong(&fault.to_string());
        let ran = place.run(line, child_limit).ok_or("it hangs")?;
        if place.cluster.calls().contains(&fault.call) {
            return Ok((place, ran));
        }
    }
    Err("it was never met".to_owned())
}

/// How a state is compared.
type Seen = fn(&Path, &Scripted) -> String;

/// Before and after a run that met no fault.
struct Good<'a> {
    start: &'a Place,
    end: Place,
    /// What the end is meant to be, as `seen` shows it.
    meant: String,
    seen: Seen,
}

impl Good<'_> {
    /// What must hold at any moment.
    fn whole(&self, place: &Place) -> Result<(), String> {
        let [start, end, now] = [self.start, &self.end, place].map(|place| place.files.path());
        state::whole(now, &place.cluster)?;
        state::whole_files([start, end], now)?;
        let out: Vec<_> = let_in(&self.start.cluster).difference(&let_in(&place.cluster)).cloned().collect();
        if out.is_empty() { Ok(()) } else { Err(format!("cut off: {}", out.join(", "))) }
    }
}

/// What is wrong with a run that met a fault, and with the next one.
fn judged(good: &Good<'_>, line: &str, fault: &Fault) -> Result<(), String> {
    let meant = good.meant.as_str();
    let (place, ran) = met(good.start, line, fault)?;
    let now = (good.seen)(place.files.path(), &place.cluster);
    let said: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
    match (ran.status, fault.way.starts_with("killed")) {
        (-9, true) => {}
        (0, false) if now == meant => {}
        (0, false) => {
            return Err(format!("it says that it is done, and is not:\n{}", crate::world::diff(meant, &now)));
        }
        // Of several organizations some may be in place.
        (1.., false)
            if said["error"]["code"].is_string() && (said["result"].is_null() || said["stage"] == "unfinished") => {}
        (status, _) => return Err(format!("it ends with {status} and says {}{}", ran.stdout, ran.stderr)),
    }
    good.whole(&place)?;
    place.cluster.goes_right();
    let again = place.run(line, LONG).ok_or("the next run hangs")?;
    let then = (good.seen)(place.files.path(), &place.cluster);
    if again.status != 0 || then != meant {
        return Err(format!("the next run does not complete it: {}{}", again.stderr, crate::world::diff(meant, &then)));
    }
    if place.leaves_copies() {
        return Err("copies of values files are left".to_owned());
    }
    good.whole(&place)
}

/// Every call of a verb to these programs, in every way.
fn every_fault(start: &Place, line: &str, programs: &[&str]) {
    faults(start, line, (programs, state), |all| all);
}

/// The same, of all faults those that are chosen.
fn faults(start: &Place, line: &str, (programs, seen): (&[&str], Seen), chosen: impl FnOnce(Vec<Fault>) -> Vec<Fault>) {
    let end = start.copy();
    let Some(ran) = end.run(line, LONG) else { panic!("it hangs without a fault") };
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let good = Good { start, meant: seen(end.files.path(), &end.cluster), seen, end };
    good.whole(&good.end).unwrap();
    assert_ne!(good.meant, seen(start.files.path(), &start.cluster), "the verb does something");
    let mut calls = good.end.cluster.calls();
    calls.retain(|call| programs.contains(&call.split(' ').next().unwrap()));
    let of = |call: &String| ways(call).iter().map(|way| Fault { call: call.clone(), way }).collect::<Vec<_>>();
    let cases = chosen(calls.iter().flat_map(of).collect());
    let (queue, wrong) = (Mutex::new(cases.iter()), Mutex::new(Vec::new()));
    // A case that waits for a child's time to end costs no work: four at a time.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(fault) = { queue.lock().unwrap().next() } {
                    if let Err(why) = judged(&good, line, fault) {
                        wrong.lock().unwrap().push(format!("{fault}: {why}"));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

fn ways(call: &str) -> &'static [&'static str] {
    match call.split(' ').nth(1).unwrap() {
        "decrypt" => &DECRYPTS,
        "set" | "unset" => &EDITS,
        "upgrade" | "create" | "replace" | "delete" | "patch" => &WRITES,
        _ => &LOOKS,
    }
}

fn place(files: &Path, cluster: Scripted) -> Place {
    let folder = tempfile::tempdir().unwrap();
    copy_files(files, folder.path());
    Place { files: folder, cluster }
}

#[test]
fn the_history_that_is_told_is_that_of_the_release() {
    let place = made::approved();
    place.cluster.goes_wrong("helm upgrade org-1 0 nothing");
    let line =
        "enroll -n org-1 --kube-context one -f backend-values.yaml --release backend --certificate MyOrg1MSP.crt";
    let ran = place.run(line, LONG).unwrap();
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    let next = said["error"]["next"].as_str().unwrap();
    assert!(next.starts_with("helm -n org-1 --kube-context one history backend; "), "{next}");
}

/// One verb a test, so that they share the cores.
macro_rules! every_fault_of {
    ($($name:ident: $made:ident, $line:expr;)*) => {$(
        #[test]
        fn $name() {
            every_fault(&made::$made(), $line, &["helm", "kubectl"]);
        }
    )*};
}

every_fault_of! {
    a_request_survives_every_fault: connected, "enroll -n org-1 -f backend-values.yaml --release backend";
    an_installation_survives_every_fault: approved,
        "enroll -n org-1 -f backend-values.yaml --release backend --certificate MyOrg1MSP.crt";
    a_renewal_survives_every_fault: renewal_approved,
        "enroll -n org-1 -f backend-values.yaml --release backend --certificate MyOrg1MSP.crt";
    a_renewal_by_cron_survives_every_fault: renewal_approved,
        "enroll -n org-1 -f backend-values.yaml --release backend --auto";
    an_approval_by_a_ca_in_a_secret_survives_every_fault: requested_of_a_secret,
        "approve -n orchestrator MyOrg1MSP.csr -f orchestrator-values.yaml --release orchestrator --unverified-mail --ca-secret federation-ca";
    an_approval_behind_a_closed_gate_survives_every_fault: second_requested,
        "approve -n orchestrator MyOrg2MSP.csr -f orchestrator-values.yaml --release orchestrator --unverified-mail --ca-cert ca.crt --ca-key ca.key";
    closing_survives_every_fault: installed,
        "gate close -n orchestrator -f orchestrator-values.yaml --release orchestrator --installed MyOrg1MSP --ca-cert ca.crt";
    opening_survives_every_fault: closed, "gate open -n orchestrator -f orchestrator-values.yaml --release orchestrator";
    a_new_ca_survives_every_fault: plain, "ca init -n orchestrator -f orchestrator-values.yaml --release orchestrator";
    trust_survives_every_fault: closed_with_another_ca,
        "ca trust other-ca.crt -n orchestrator -f orchestrator-values.yaml --release orchestrator --for MyOrg1MSP";
}

/// Their calls are many, and most of one kind: a sample of them, another each time it is asked for.
macro_rules! some_faults_of {
    ($($name:ident: $made:ident, $line:expr;)*) => {$(
        #[test]
        fn $name() {
            faults(&made::$made(), $line, (&["helm", "kubectl"], of_several), sample::of);
        }
    )*};
}

some_faults_of! {
    a_federation_that_is_closed_survives_faults: federation, "bootstrap federation.yaml --parallel 1";
    a_federation_that_is_installed_survives_faults: files_of_a_federation,
        "bootstrap federation.yaml --install --parallel 1";
}

#[test]
fn an_installation_from_an_encrypted_file_survives_every_fault_of_sops() {
    let line = "enroll -n org-1 -f backend-values.yaml --release backend --certificate MyOrg1MSP.crt";
    every_fault(&made::encrypted(made::approved()), line, &["sops"]);
}

#[test]
fn an_approval_into_an_encrypted_file_survives_every_fault_of_sops() {
    let line = "approve -n orchestrator MyOrg2MSP.csr -f orchestrator-values.yaml --release orchestrator --unverified-mail --ca-cert ca.crt --ca-key ca.key";
    every_fault(&made::encrypted(made::second_requested()), line, &["sops"]);
}

#[test]
fn opening_with_an_encrypted_file_survives_every_fault_of_sops() {
    let line = "gate open -n orchestrator -f orchestrator-values.yaml --release orchestrator";
    every_fault(&made::encrypted(made::closed()), line, &["sops"]);
}
