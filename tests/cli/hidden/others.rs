//! The same of what takes several values files, and of children that fail at their work and quote what they were given.

use std::{fs, os::unix::fs::PermissionsExt};

use substra_mtls::{
    cluster::{Kubernetes, Object, ObjectRef},
    values,
};

use super::{BACKEND, FORMATS, ORC, ORCHESTRATOR, ORG, clean, federation, filled, leaked, ran, scalars, told};
use crate::{
    bootstrap::world::{FILES, Fed, LINE, chart, federation as file_of},
    scripted::Scripted,
    simulated::Federation,
    world::World,
};

/// A federation of one whose releases have one series deployed and another in the files.
fn fed(deployed: u8, files: u8) -> Fed {
    let fed = Fed::empty(1);
    let ca = fed.world.read("ca.crt");
    for (cluster, name) in
        [(&fed.orc, "orchestrator-tls-cacert"), (&fed.orc, "ours-ca"), (&fed.org(1), "orchestrator-cacert")]
    {
        cluster.create(&Object::secret(name, "Opaque", &[], &[("ca.crt", ca.as_bytes())])).unwrap();
    }
    fed.server_pair();
    let write = |series| {
        fed.world.write("org-1.yaml", &filled(BACKEND, series));
        fed.world.write("orchestrator-values.yaml", &filled(ORCHESTRATOR, series));
    };
    write(deployed);
    fed.install(&fed.orc, "orchestrator", chart("orchestrator", "8.8.0"), "orchestrator-values.yaml");
    fed.install(&fed.org(1), "backend", chart("substra-backend", "26.15.3"), "org-1.yaml");
    write(files);
    fed
}

#[test]
fn bootstrap_shows_no_value_of_others() {
    for (deployed, files) in [(1, 2), (1, 1)] {
        let fed = fed(deployed, files);
        let mut ends = Vec::new();
        for more in ["--dry-run", "", "--accept-drift --dry-run", "--accept-drift", "--accept-drift"] {
            let result = fed.outcome(&format!("{LINE} {more}"));
            clean(more, &told(&result));
            ends.push(result.is_ok_and(|outcome| outcome.failure().is_none()));
        }
        let same = deployed == files;
        assert_eq!(ends, [same, same, true, true, true], "{deployed} {files}");
    }
}

#[test]
fn the_bootstrap_of_a_shell_and_its_rehearsal_show_no_value_of_others() {
    let fed = fed(1, 2);
    let cluster = Scripted::of(&fed.orc);
    let path = format!("{}:/usr/bin:/bin", cluster.bin().display());
    fed.world.write("federation.yaml", &file_of(1, FILES, "close"));
    for format in FORMATS {
        let (status, text) = ran(&fed.world, "", &format!("rehearse federation.yaml {format}"));
        assert!(status == 0 && text.contains("MyOrg1MSP"), "{text}");
        let (status, text) = ran(&fed.world, &path, &format!("{LINE} {format}"));
        assert!(status != 0 && text.contains("drift"), "{text}");
        let (status, text) = ran(&fed.world, &path, &format!("{LINE} --accept-drift --dry-run {format}"));
        assert!(status == 0 && text.contains("(hidden)"), "{text}");
    }
    let (status, text) = ran(&fed.world, &path, &format!("{LINE} --accept-drift -v"));
    assert!(status == 0 && text.contains("helm upgrade"), "{text}");
}

/// What a program says that quotes all that it was given.
fn quoted(text: &str) -> String {
    let all = scalars(&values::read(text.as_bytes()).unwrap());
    let said: String = all.iter().map(|one| format!("cannot use {one:?}, or {one}\n")).collect();
    assert!(leaked(&said).is_some());
    said
}

/// Stands before the scripted programs: one verb of one of them fails, with what `refusal` has.
fn fails(cluster: &Scripted, program: &str, verb: &str, refusal: &str) -> String {
    let folder = cluster.path();
    fs::write(folder.join("refusal"), format!("Error: {verb} FAILED: {refusal}")).unwrap();
    fs::create_dir(folder.join("real")).unwrap();
    fs::rename(folder.join("bin").join(program), folder.join("real").join(program)).unwrap();
    let here = folder.display();
    let script = format!(
        "#!/bin/sh\ncase \" $* \" in *\" {verb} \"*) cat '{here}/refusal' >&2; exit 1 ;; esac\nexec '{here}/real/{program}' \"$@\"\n"
    );
    executable(&folder.join("bin").join(program), &script);
    format!("{}:/usr/bin:/bin", folder.join("bin").display())
}

fn executable(path: &std::path::Path, script: &str) {
    fs::write(path, script).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A federation with a certificate that waits to be installed.
fn approved() -> Federation {
    let federation = federation(1, 2);
    federation.enroll("").unwrap();
    federation.approve().unwrap();
    federation
}

#[test]
fn a_failing_upgrade_quotes_no_value_of_others() {
    let enroll = format!("enroll {ORG} -n org-1 --certificate @MyOrg1MSP.crt");
    let close = format!("gate close {ORC} -n orchestrator --installed MyOrg1MSP --ca-cert @ca.crt");
    for (line, text) in [(enroll, filled(BACKEND, 2)), (close, filled(ORCHESTRATOR, 2))] {
        for format in FORMATS {
            let federation = approved();
            let cluster = Scripted::of(&federation.orc);
            let path = fails(&cluster, "helm", "upgrade", &quoted(&text));
            let (status, text) =
                ran(&federation.world, &path, &format!("{} --yes --accept-drift {format}", line.replace('@', "")));
            assert!(status == 6 && text.contains("upgrade FAILED: cannot use"), "{status} {line}: {text}");
        }
    }
}

#[test]
fn a_refused_object_quotes_nothing_that_others_keep_in_it() {
    let federation = approved();
    federation.enroll("--certificate @MyOrg1MSP.crt --accept-drift").unwrap();
    federation.enroll("--renew --accept-drift").unwrap();
    federation.approve().unwrap();
    let pair = ObjectRef::secret("orchestrator-client-cert");
    let old = federation.org.get(&[pair]).unwrap().remove(0);
    federation.org.replace(&old.with_data(&[("theirs", b"mkr1v900")])).unwrap();
    let said = quoted("{a: mkr1v900, b: bWtyMXY5MDA=}");
    let line = format!("enroll {ORG} -n org-1 --certificate MyOrg1MSP.crt --yes --accept-drift").replace('@', "");
    for format in FORMATS {
        let cluster = Scripted::of(&federation.orc);
        let path = fails(&cluster, "kubectl", "replace", &said);
        let (status, text) = ran(&federation.world, &path, &format!("{line} {format}"));
        assert!(status == 6 && text.contains("replace FAILED: cannot use"), "{status}: {text}");
    }
}

/// What sops adds to a file; with an `encrypted_regex` that fits nothing, all else stays as it was.
const SEAL: &str =
    "sops:\n    mac: ENC[AES256_GCM,data:edhzI4GH,iv:LYAFlQ==,tag:DHk7UQ==,type:str]\n    version: 3.13.3\n";

#[test]
fn a_failing_sops_quotes_no_value_of_others() {
    let world = World::new();
    let (bin, plain) = (world.path("bin"), filled(ORCHESTRATOR, 1));
    world.request();
    world.write("orchestrator-values.yaml", &(plain.clone() + SEAL));
    world.write("refusal", &quoted(&plain));
    world.write("plain", &plain);
    fs::create_dir(&bin).unwrap();
    let refuses = "cat refusal >&2; exit 1";
    // It cannot decipher; it can, and cannot set.
    for (script, code) in [
        (refuses.to_owned(), "sops cannot decipher"),
        (format!("case $1 in decrypt) cat plain ;; *) {refuses} ;; esac"), "sops cannot edit"),
    ] {
        executable(&bin.join("sops"), &format!("#!/bin/sh\n{script}\n"));
        let path = format!("{}:/usr/bin:/bin", bin.display());
        for format in FORMATS {
            let line = "approve MyOrg1MSP.csr -f orchestrator-values.yaml --ca-cert ca.crt --ca-key ca.key --offline --yes --unverified-mail";
            let (status, text) = ran(&world, &path, &format!("{line} {format}"));
            assert!(status == 6 && text.contains(code) && text.contains("cannot use"), "{status}: {text}");
        }
    }
}
