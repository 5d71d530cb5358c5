//! Values files that SOPS has encrypted, with the real sops: read into memory, edited without plain text on a disk.

use std::{path::Path, process::Command};

use serde_json::{Value, json};
use substra_mtls::{
    cluster::{
        Sops, SopsChange, SopsProgram,
        simulated::{SimulatedCluster, SimulatedSops},
    },
    times::Clock,
    values,
};

use crate::{
    scripted::Scripted,
    site::{Ran, Site, bed, chart},
};

/// Encrypts a values file in its place.
pub(crate) fn encrypt(site: &Site, file: &str) {
    let bin = bed("BIN");
    site.sh(&format!(
        "[ -f age.txt ] || {bin}/age-keygen -o age.txt 2>/dev/null
         {bin}/sops encrypt --age $(grep -o 'age1.*' age.txt) {file} > encrypted
         mv encrypted {file}"
    ));
}

fn decrypted(site: &Site, file: &str) -> String {
    site.sh(&format!("SOPS_AGE_KEY_FILE=age.txt {}/sops decrypt {file}", bed("BIN")))
}

/// Programs that look, before each of their calls, for plain text in the folders that the tool may write to.
fn watchers(site: &Site) {
    site.sh("mkdir watch tmp");
    for (name, real) in [
        ("helm", site.helm_binary()),
        ("kubectl", format!("{}/kubectl", bed("BIN"))),
        ("sops", format!("{}/sops", bed("BIN"))),
    ] {
        let here = site.path("").display().to_string();
        site.write(&format!("watch/{name}"), &format!("#!/bin/sh\ngrep -rlE 'hunter2' {here}/tmp {here}/*.yaml >> {here}/leaks\necho \"{name} $*\" >> {here}/calls\nexec {real} \"$@\"\n"));
    }
    site.sh("chmod +x watch/*; echo hunter2 > tmp/plain; watch/sops --version --disable-version-check; rm tmp/plain");
    assert!(site.read("leaks").contains("tmp/plain"), "they see what they look for");
    site.write("leaks", "");
}

/// The binary without Helm around it, so that Helm too is one that looks.
fn tool(site: &Site, namespace: &str, line: &str) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
    command.args(line.split_whitespace()).args(site.place(namespace)).current_dir(site.folder.path());
    site.environment(&mut command);
    command
        .env("PATH", format!("{}:/usr/bin:/bin", site.path("watch").display()))
        .env("TMPDIR", site.path("tmp"))
        .env("SOPS_AGE_KEY_FILE", site.path("age.txt"));
    Ran::of(&mut command)
}

/// Every line of the encrypted file is still there, but for the checksum and its date.
fn is_untouched_elsewhere(old: &str, new: &str) {
    let gone: Vec<&str> = old.lines().filter(|line| !new.lines().any(|other| other == *line)).collect();
    assert!(gone.iter().all(|line| line.contains("mac: ENC") || line.contains("lastmodified:")), "{gone:?}");
}

both_helms! {
    fn an_encrypted_file_is_read_edited_and_deployed_and_its_plain_text_is_on_no_disk(helm) {
        let site = Site::new(helm);
        // A comment at a line's end is moved by sops to a line of its own, at its first edit.
        site.sh("sed -i 's/   # told by.*//' backend-values.yaml; printf 'database:\n  auth:\n    password: hunter2\n' >> orchestrator-values.yaml; sed -i 's/ # by hand//' orchestrator-values.yaml");
        site.helm(&site.orc, &format!("upgrade orchestrator {} -f orchestrator-values.yaml", chart("orchestrator")));
        encrypt(&site, "backend-values.yaml");
        encrypt(&site, "orchestrator-values.yaml");
        watchers(&site);
        let (org, orc) = (chart("substra-backend"), chart("orchestrator"));
        let (old_org, old_orc) = (site.read("backend-values.yaml"), site.read("orchestrator-values.yaml"));
        let enroll = format!("enroll -f backend-values.yaml --release backend --chart {org} --yes");
        let fingerprint = tool(&site, &site.org, &enroll).ok().fact("fingerprint");
        assert_eq!(site.read("backend-values.yaml"), old_org);
        let words = format!("-f orchestrator-values.yaml --release orchestrator --chart {orc} --yes");
        let claim = format!("--ca-cert ca.crt --ca-key ca.key --fingerprint MyOrg1MSP={fingerprint}");
        tool(&site, &site.orc, &format!("approve MyOrg1MSP.csr {words} {claim}")).ok();
        let planned = tool(&site, &site.org, &format!("{enroll} --certificate MyOrg1MSP.crt --dry-run")).ok();
        assert_eq!(site.read("backend-values.yaml"), old_org, "a dry run writes nothing");
        assert!(!planned.stderr.contains("ENC["), "{}", planned.stderr);
        let ran = tool(&site, &site.org, &format!("{enroll} --certificate MyOrg1MSP.crt")).ok();
        assert!(ran.stderr.contains("values file backend-values.yaml (by sops): orchestrator.tls."), "{}", ran.stderr);
        let closed = tool(&site, &site.orc, &format!("gate close {words} --installed MyOrg1MSP")).ok();
        assert_eq!(site.read("leaks"), "", "{}", site.read("calls"));
        assert!(site.read("calls").contains("--values=-"), "{}", site.read("calls"));
        assert!(!format!("{}{}{}", ran.stderr, closed.stderr, planned.stderr).contains("hunter2"));

        is_untouched_elsewhere(&old_org, &site.read("backend-values.yaml"));
        is_untouched_elsewhere(&old_orc, &site.read("orchestrator-values.yaml"));
        let plain = decrypted(&site, "backend-values.yaml");
        assert!(plain.contains("            enabled: true\n            clientCertificate: orchestrator-client-cert\n"), "{plain}");
        assert!(plain.starts_with("# Hospital 1, production\n"), "{plain}");
        let plain = decrypted(&site, "orchestrator-values.yaml");
        assert!(plain.contains("MyOrg1MSP:\n                    - orchestrator-tls-cacert\n") && plain.contains("verifyClientMSPID: true"), "{plain}");
        let deployed = site.helm(&site.org, "get values backend");
        assert!(deployed.contains("password: hunter2") && !deployed.contains("ENC["), "{deployed}");

        let before = (site.state(&site.org), site.state(&site.orc));
        tool(&site, &site.org, &enroll).ok();
        tool(&site, &site.orc, &format!("gate close {words}")).ok();
        tool(&site, &site.org, "check -f backend-values.yaml --release backend").ok();
        let mut after = (site.state(&site.org), site.state(&site.orc));
        let calls = |state: &std::collections::BTreeMap<String, String>| state.iter().filter(|(name, _)| !name.ends_with("/calls")).map(|(n, v)| (n.clone(), v.clone())).collect();
        (after.0, after.1) = (calls(&after.0), calls(&after.1));
        assert_eq!((calls(&before.0), calls(&before.1)), after);
    }

    fn what_cannot_be_deciphered_is_not_touched(helm) {
        let site = Site::new(helm);
        encrypt(&site, "backend-values.yaml");
        watchers(&site);
        let before = site.read("backend-values.yaml");
        site.sh("sed -i 's/hostname: ENC/hostname: DEC/' backend-values.yaml");
        let ran = tool(&site, &site.org, "enroll -f backend-values.yaml --yes").refused(6, "sops");
        assert!(ran.stderr.contains("sops decrypt backend-values.yaml"), "{}", ran.stderr);
        site.write("backend-values.yaml", &before);
        site.sh("rm age.txt");
        tool(&site, &site.org, "enroll -f backend-values.yaml --yes").refused(6, "sops");
        site.sh("rm watch/sops");
        tool(&site, &site.org, "enroll -f backend-values.yaml --yes").refused(6, "tool-missing");
        assert_eq!(site.read("backend-values.yaml"), before);
        assert!(site.object(&site.org, "secret/orchestrator-client-cert-pending").is_null());
    }

    fn drift_of_an_encrypted_file_is_named_and_not_shown(helm) {
        let site = Site::new(helm);
        site.sh("sed -i 's/hunter2/hunter3/; s/# Hospital/replicas: 7\\n&/' backend-values.yaml");
        encrypt(&site, "backend-values.yaml");
        watchers(&site);
        let chart = chart("substra-backend");
        let fingerprint = tool(&site, &site.org, "enroll -f backend-values.yaml --yes").ok().fact("fingerprint");
        site.approve(&format!("--ca-cert ca.crt --ca-key ca.key --fingerprint MyOrg1MSP={fingerprint}")).ok();
        let words = format!("enroll -f backend-values.yaml --chart {chart} --yes --certificate MyOrg1MSP.crt");
        let ran = tool(&site, &site.org, &words).refused(3, "drift");
        assert!(ran.stderr.contains("replicas: in the files only"), "{}", ran.stderr);
    }
}

/// What becomes of an encrypted file after each change, and after a change by hand.
fn story(sops: &dyn Sops, text: &[u8]) -> Vec<String> {
    let file = Path::new("values.yaml");
    let change = |path: Value, value| SopsChange { path: path.as_array().unwrap().clone(), value };
    let changes = [
        change(json!(["a", "b"]), Some(json!(true))),
        change(json!(["a", "new", "x.y"]), Some(json!("z"))),
        change(json!(["list", 1]), Some(json!("two"))),
        change(json!(["other", 0]), Some(json!("one"))),
        change(json!(["a", "b"]), None),
    ];
    let read = |text: &[u8]| values::read(&sops.decrypt(file, text).unwrap()).unwrap().to_string();
    let mut all: Vec<String> =
        changes.iter().map(|change| read(&sops.edit(file, text, std::slice::from_ref(change)).unwrap())).collect();
    all.push(read(&sops.edit(file, text, &changes).unwrap()));
    let by_hand = String::from_utf8_lossy(text).replacen("secret", "public", 1);
    all.push(sops.decrypt(file, by_hand.as_bytes()).unwrap_err().code.to_string());
    all
}

#[test]
fn the_simulated_and_the_scripted_sops_do_as_the_real_one_does() {
    let plain = "# ours\na:\n    b: text\nlist:\n    - one\nsecret: 1\n";
    let folder = tempfile::tempdir().unwrap();
    let sh = |script: &str| {
        let output = Command::new("sh").args(["-c", script]).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    std::fs::write(folder.path().join("plain.yaml"), plain).unwrap();
    let (bin, here) = (bed("BIN"), folder.path().display());
    let encrypted = sh(&format!(
        "{bin}/age-keygen -o age.txt 2>/dev/null
         printf '#!/bin/sh\nSOPS_AGE_KEY_FILE={here}/age.txt exec {bin}/sops \"$@\"\n' > sops
         chmod +x sops
         {bin}/sops encrypt --age $(grep -o 'age1.*' age.txt) plain.yaml"
    ));
    let real = story(&SopsProgram::new(folder.path().join("sops")), &encrypted);
    let text = SimulatedSops::encrypt(plain.as_bytes()).unwrap();
    let scripted = Scripted::of(&SimulatedCluster::new("org", &Clock::system()));
    assert_eq!(story(&SimulatedSops, text.as_bytes()), real, "simulated");
    assert_eq!(story(&SopsProgram::new(scripted.bin().join("sops")), text.as_bytes()), real, "scripted");
}
