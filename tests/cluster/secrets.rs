//! No byte of a private key anywhere but where it belongs.

use std::{os::unix::fs::PermissionsExt, process::Command};

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::site::{Ran, Site, bed, chart};

/// Records the words and the environment of every child; standard input is not recorded, since keys belong there.
const RECORDER: &str = "#!/bin/sh\n{ echo \"$*\"; env; } >> \"$RECORD\"\nexec \"$REAL\" \"$@\"\n";

fn recorded(site: &Site, namespace: &str, line: &str) -> String {
    let shims = site.path("recorders");
    std::fs::create_dir_all(&shims).unwrap();
    for (name, real) in [("helm", site.helm_binary()), ("kubectl", format!("{}/kubectl", bed("BIN")))] {
        let path = shims.join(name);
        std::fs::write(&path, RECORDER.replace("$REAL", &real)).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
    site.environment(&mut command);
    command.env("PATH", format!("{}:/usr/bin:/bin", shims.display())).env("RECORD", site.path("record"));
    command.args(["-v"]).args(line.split_whitespace()).args(site.place(namespace)).current_dir(site.folder.path());
    let ran = Ran::of(&mut command).ok();
    format!("{}{}", ran.stdout, ran.stderr)
}

/// The private part of an RSA key (its first third is the public modulus) as PEM lines, raw, in hexadecimal and in base64 once more.
fn forms(pem: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8(pem.to_vec()).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(&body).unwrap();
    // The tail of PKCS#8 is the key itself; its head is the same for all keys of a kind.
    let tail = &der[der.len() / 2..der.len() / 2 + 24];
    let hex: String = tail.iter().map(|byte| format!("{byte:02x}")).collect();
    let lines = text.lines().filter(|line| line.len() == 64).map(|line| line.as_bytes().to_vec());
    let again = STANDARD.encode(pem);
    let twice = again.as_bytes().chunks(64).skip(12).filter(|chunk| chunk.len() == 64).map(<[u8]>::to_vec);
    lines
        .skip(8)
        .chain([tail.to_vec(), hex.clone().into_bytes(), hex.to_uppercase().into_bytes()])
        .chain(twice)
        .collect()
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

both! {
    fn the_whole_exchange_leaks_none(site) {
        let backend = chart("substra-backend");
        let enroll = format!("enroll -f backend-values.yaml --release backend --chart {backend} --yes --key-type rsa-2048");
        let mut output = recorded(site, &site.org, &enroll);
        let pending = site.object(&site.org, "secret/orchestrator-client-cert-pending");
        let key = STANDARD.decode(pending["data"]["tls.key"].as_str().unwrap()).unwrap();
        let fingerprint = output.lines().find_map(|line| line.strip_prefix("fingerprint: ")).unwrap().to_owned();
        let approve = format!(
            "approve MyOrg1MSP.csr -f orchestrator-values.yaml --release orchestrator --chart {} --yes --ca-cert ca.crt --ca-key ca.key --fingerprint MyOrg1MSP={fingerprint}",
            chart("orchestrator")
        );
        output += &recorded(site, &site.orc, &approve);
        output += &recorded(site, &site.org, &format!("{enroll} --certificate MyOrg1MSP.crt"));
        let ca_key = std::fs::read(site.path("ca.key")).unwrap();
        std::fs::remove_file(site.path("ca.key")).unwrap();

        let pair = site.object(&site.org, "secret/orchestrator-client-cert");
        assert_eq!(STANDARD.decode(pair["data"]["tls.key"].as_str().unwrap()).unwrap(), key, "the key itself is in place");
        let metadata = pair["metadata"].to_string();
        let mut places = vec![("output".to_owned(), output.into_bytes()), ("metadata".to_owned(), metadata.into_bytes())];
        for entry in std::fs::read_dir(site.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                places.push((path.display().to_string(), std::fs::read(&path).unwrap()));
            }
        }
        assert!(places.iter().any(|(name, bytes)| name.ends_with("record") && holds(bytes, b"create")), "the recorder saw the children");
        for needle in forms(&key).iter().chain(&forms(&ca_key)) {
            for (name, bytes) in &places {
                assert!(!holds(bytes, needle), "a private key is in {name}");
            }
        }
        assert!(forms(&key).iter().any(|needle| holds(&key, needle)), "the search finds what is there");
    }
}
