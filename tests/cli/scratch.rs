//! Copies of values files for Helm's reading: nobody else can open them, and a run that is killed leaves none for long.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use substra_mtls::values;

use super::world::{ORCHESTRATOR, World};

/// A helm that says who it is and then takes its time where it reads the values files.
const HELM: &str = "#!/bin/sh
case \"$1 $2\" in
'template reader') echo $$ > \"$TMPDIR/../reading.$$\"; exec sleep 600 ;;
'status '*) cat status ;;
'get metadata') echo '{\"chart\": \"orchestrator\", \"version\": \"8.8.0\"}' ;;
*) echo 'name: orchestrator'; echo 'version: 8.8.0' ;;
esac
";

struct Slow(World);

impl Slow {
    fn new() -> Self {
        let world = World::new();
        fs::create_dir(world.path("bin")).unwrap();
        fs::create_dir(world.path("tmp")).unwrap();
        for (name, script) in [("helm", HELM), ("kubectl", "#!/bin/sh\necho '{\"items\": []}'\n")] {
            world.write(&format!("bin/{name}"), script);
            world.chmod(&format!("bin/{name}"), 0o755);
        }
        let config = values::read(ORCHESTRATOR.as_bytes()).unwrap();
        let status = json!({"namespace": "orchestrator", "version": 1, "config": config, "manifest": "", "info": {"status": "deployed"}});
        world.write("status", &status.to_string());
        Self(world)
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
        command.args(line.split_whitespace()).current_dir(self.0.path("")).env_clear();
        command.env("PATH", format!("{}:/usr/bin:/bin", self.0.path("bin").display()));
        command.env("TMPDIR", self.0.path("tmp")).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// A run that waits for its helm, and the helm's process.
    fn reads(&self, before: usize) -> Child {
        let line = "gate close -f orchestrator-values.yaml --release orchestrator --yes --installed MyOrg1MSP --installed MyOrg2MSP";
        let child = self.command(line).spawn().unwrap();
        let start = Instant::now();
        while self.helms().len() == before {
            assert!(start.elapsed() < Duration::from_secs(30), "helm was not asked to read");
            std::thread::sleep(Duration::from_millis(20));
        }
        child
    }

    fn helms(&self) -> Vec<Pid> {
        let files =
            fs::read_dir(self.0.path("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let pid = |name: String| Pid::from_raw(name.strip_prefix("reading.")?.parse().ok()?);
        files.filter_map(pid).collect()
    }

    fn copies(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        below(&self.0.path("tmp"), &mut found);
        found.retain(|path| fs::read(path).unwrap().windows(7).any(|word| word == b"hunter2"));
        found
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        for helm in self.helms() {
            let _ = kill_process(helm, Signal::KILL);
        }
    }
}

/// Every file below a folder; nobody else may look into one on the way.
fn below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let meta = fs::symlink_metadata(&path).unwrap();
        if meta.is_dir() {
            below(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn copies_of_values_files_are_private_and_gone_with_the_run_after_one_that_was_killed() {
    let slow = Slow::new();
    let mut killed = slow.reads(0);
    let copies = slow.copies();
    assert_eq!(copies.len(), 1, "the run that waits has one");
    for folder in
        copies[0].ancestors().skip(1).take_while(|path| !path.ends_with("tmp")).collect::<Vec<_>>().iter().rev().take(2)
    {
        assert_eq!(fs::metadata(folder).unwrap().mode() & 0o777, 0o700, "{}", folder.display());
    }
    assert_eq!(fs::metadata(&copies[0]).unwrap().permissions().mode() & 0o777, 0o600);
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(slow.copies(), copies, "a killed run cannot tidy up");

    let mut alive = slow.reads(1);
    let now = slow.copies();
    assert!(now.len() == 1 && now != copies, "{now:?}: the next run has, and has its own alone");
    assert!(slow.command("enroll -f backend-values.yaml --key-file MyOrg1MSP.key").status().unwrap().success());
    assert_eq!(slow.copies(), now, "a run that lives keeps its own");
    alive.kill().unwrap();
    alive.wait().unwrap();
    assert!(slow.command("enroll -f backend-values.yaml --key-file MyOrg1MSP.key").status().unwrap().success());
    assert_eq!(slow.copies(), Vec::<PathBuf>::new());
}

#[test]
fn a_place_for_copies_that_others_could_look_into_is_closed_or_not_used() {
    let slow = Slow::new();
    let place = slow.0.path(&format!("tmp/substra-mtls-{}", rustix::process::geteuid().as_raw()));
    std::os::unix::fs::symlink(slow.0.path("bin"), &place).unwrap();
    let output = slow
        .command("gate close -f orchestrator-values.yaml --release orchestrator --yes")
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("[file-unwritable]") && said.contains("TMPDIR"), "{said}");
    assert!(slow.helms().is_empty());
    fs::remove_file(&place).unwrap();
    fs::create_dir(&place).unwrap();
    fs::set_permissions(&place, fs::Permissions::from_mode(0o777)).unwrap();
    let mut alive = slow.reads(0);
    assert_eq!(fs::metadata(&place).unwrap().mode() & 0o777, 0o700);
    alive.kill().unwrap();
    alive.wait().unwrap();
}
