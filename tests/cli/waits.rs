//! Nothing waits for what never comes, and nothing is taken for what only has its name: paths, descriptors, folders.

use std::{
    fs,
    os::unix::{fs::symlink, net::UnixListener},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{
    scripted::{Scripted, copy_files},
    simulated::Federation,
    world::World,
};

/// Every option that names a path, for a verb that comes to read it; `X` is the path. Whether a folder may stand there.
const PATHS: [(&str, bool); 23] = [
    ("enroll -n org-1 --release backend -f X", false),
    ("enroll -n org-1 --release backend -f backend-values.yaml --certificate X", false),
    ("enroll -n org-1 --release backend -f backend-values.yaml --certificate MyOrg1MSP.crt --client-ca X", false),
    ("enroll -f backend-values.yaml --key-file X", false),
    ("enroll -n org-1 --release backend -f backend-values.yaml --out-dir X", true),
    ("approve X -f orchestrator-values.yaml --ca-cert ca.crt --ca-key ca.key --offline --unverified-mail --yes", false),
    ("approve MyOrg1MSP.csr -f X --ca-cert ca.crt --ca-key ca.key --offline --unverified-mail --yes", false),
    (
        "approve MyOrg1MSP.csr -f orchestrator-values.yaml --ca-cert X --ca-key ca.key --offline --unverified-mail --yes",
        false,
    ),
    (
        "approve MyOrg1MSP.csr -f orchestrator-values.yaml --ca-cert ca.crt --ca-key X --offline --unverified-mail --yes",
        false,
    ),
    (
        "approve MyOrg1MSP.csr -f orchestrator-values.yaml --ca-cert ca.crt --ca-key ca.key --offline --unverified-mail --yes --out-dir X",
        true,
    ),
    ("gate close -n orchestrator --release orchestrator -f X", false),
    (
        "gate close -n orchestrator --release orchestrator -f orchestrator-values.yaml --installed MyOrg1MSP --yes --ca-cert X",
        false,
    ),
    ("gate open -n orchestrator --release orchestrator -f X", false),
    ("ca init -n orchestrator --release orchestrator -f X", false),
    ("ca init -n orchestrator --release orchestrator -f orchestrator-values.yaml --out-dir X", true),
    ("ca trust X -n orchestrator --release orchestrator -f orchestrator-values.yaml --for MyOrg1MSP", false),
    ("ca show -n orchestrator --release orchestrator -f X", false),
    ("ca show -n orchestrator --release orchestrator -f orchestrator-values.yaml --ca-cert X", false),
    ("check -n orchestrator --release orchestrator -f X", false),
    ("check -n orchestrator --release orchestrator -f orchestrator-values.yaml --ca-cert X", false),
    ("check X", false),
    ("bootstrap X", false),
    ("rehearse X", false),
];

/// A federation whose only organization is approved, its files in a folder, and a cluster of helm and kubectl.
struct Place {
    federation: Federation,
    scripted: Scripted,
    world: World,
}

impl Place {
    fn new() -> Self {
        let federation = Federation::new();
        federation.enroll("").unwrap();
        federation.approve().unwrap();
        let scripted = Scripted::of(&federation.orc);
        let world = World::new();
        copy_files(&federation.world.path(""), &world.path(""));
        Self { federation, scripted, world }
    }

    fn tool(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
        command.args(line.split_whitespace()).current_dir(self.world.path("")).env_clear();
        command.env("PATH", format!("{}:/usr/bin:/bin", self.scripted.bin().display()));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

#[test]
fn no_path_that_gives_nothing_is_waited_for() {
    let place = Place::new();
    let path = |name: &str| place.world.path(name);
    rustix::fs::mkfifoat(rustix::fs::CWD, path("fifo"), 0o600.into()).unwrap();
    let _listener = UnixListener::bind(path("socket")).unwrap();
    fs::create_dir(path("folder")).unwrap();
    for name in ["zero", "full"] {
        symlink(format!("/dev/{name}"), path(name)).unwrap();
    }
    for (line, may_be_folder) in PATHS {
        for kind in ["fifo", "folder", "zero", "full", "socket"] {
            if may_be_folder && kind == "folder" {
                continue;
            }
            let before = place.world.read("orchestrator-values.yaml");
            let start = Instant::now();
            let output = place.tool(&line.replace('X', kind)).output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(start.elapsed() < Duration::from_secs(5), "{line} {kind}: {:?}", start.elapsed());
            assert!(matches!(output.status.code(), Some(1..=6)), "{line} {kind}: {:?} {said}", output.status);
            for label in ["error: ", "\n  why: ", "\n  next: "] {
                assert!(said.contains(label), "{line} {kind}: {said}");
            }
            let named = said.contains(kind) || said.contains("MyOrg1MSP.csr") || said.contains("orchestrator-ca");
            assert!(named, "{line} {kind} is what is wrong: {said}");
            assert_eq!(place.world.read("orchestrator-values.yaml"), before, "{line} {kind}");
        }
    }
    drop(place.federation);
}

/// `approve` with a key that needs a passphrase, from a descriptor.
fn with_descriptor(world: &World, number: u32, redirections: &str) -> Command {
    let mut shell = Command::new("sh");
    let tool = env!("CARGO_BIN_EXE_substra-mtls");
    let line = "approve MyOrg1MSP.csr -f orchestrator-values.yaml --ca-cert ca.crt --ca-key enc.key --offline --unverified-mail --yes";
    shell
        .args(["-c", &format!("exec {tool} {line} --passphrase-fd {number} {redirections}")])
        .current_dir(world.path(""));
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    shell
}

fn with_encrypted_key() -> World {
    let world = World::new();
    world.request();
    world.write("pass", "secret\n");
    let encrypt = "openssl pkcs8 -topk8 -in ca.key -out enc.key -passout pass:secret && chmod 600 enc.key";
    assert!(Command::new("sh").args(["-c", encrypt]).current_dir(world.path("")).status().unwrap().success());
    world
}

#[test]
fn a_descriptor_that_gives_no_passphrase_is_refused_and_not_waited_for() {
    let world = with_encrypted_key();
    for (number, redirections, code) in [
        (1, "", "[descriptor]"),
        (2, "", "[descriptor]"),
        (3, "3>out", "[descriptor]"),
        (3, "3>&1", "[descriptor]"),
        (3, "3</dev/null", "[ca-key]"),
        (0, "", "[ca-key]"),
    ] {
        let start = Instant::now();
        let output = with_descriptor(&world, number, redirections).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(code), "{number} {redirections}: {said}");
        assert!(said.contains("\n  why: ") && said.contains("\n  next: "), "{said}");
        assert!(start.elapsed() < Duration::from_secs(5), "{number} {redirections}");
    }
    assert!(with_descriptor(&world, 3, "3<pass").output().unwrap().status.success());
}

#[test]
fn a_signal_is_heard_while_a_descriptor_gives_nothing() {
    let world = with_encrypted_key();
    let mut shell = with_descriptor(&world, 0, "");
    let mut child = shell.stdin(Stdio::piped()).spawn().unwrap();
    let _open = child.stdin.take();
    std::thread::sleep(Duration::from_millis(500));
    let asked = Instant::now();
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(130) && said.contains("[interrupted]"), "{said}");
    assert!(asked.elapsed() < Duration::from_secs(1));
}

#[test]
fn a_folder_of_the_charts_name_is_not_taken_for_the_chart() {
    let place = Place::new();
    fs::create_dir_all(place.world.path("substra/substra-backend")).unwrap();
    place.world.write("substra/substra-backend/Chart.yaml", "name: substra-backend\nversion: 26.15.3\n");
    let before = place.world.snapshot();
    let line = "enroll -n org-1 --release backend -f backend-values.yaml --certificate MyOrg1MSP.crt --yes";
    let output = place.tool(line).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(5) && said.contains("[chart-folder]"), "{said}");
    assert!(said.contains("--chart ./substra/substra-backend"), "{said}");
    assert_eq!(place.world.snapshot(), before);
    let output = place.tool(&format!("{line} --chart ./substra/substra-backend")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn all_releases_are_asked_for_and_not_the_first_256() {
    let place = Place::new();
    let output = place.tool("check -v -n org-1 -f backend-values.yaml").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let list = said.lines().find(|line| line.contains(" list ")).unwrap();
    assert!(list.contains("--max=0"), "{list}");
}
