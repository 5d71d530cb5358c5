//! Values files that SOPS has encrypted: with a simulated sops they go the way of plain ones; where sops is not there they
//! are refused, with the commands to type where it is.

use std::{path::Path, sync::Arc};

use substra_mtls::{
    cluster::{Helm, Sops, simulated::SimulatedSops},
    values,
};

use super::{simulated::Federation, world::World};

const FILES: [&str; 2] = ["backend-values.yaml", "orchestrator-values.yaml"];

pub(crate) fn simulated() -> Arc<dyn Sops> {
    Arc::new(SimulatedSops)
}

/// The same federation with plain files and with encrypted ones.
fn plain_and_encrypted() -> [Federation; 2] {
    let both = [Federation::new(), Federation::new()];
    for name in FILES {
        let text = SimulatedSops::encrypt(both[1].world.read(name).as_bytes()).unwrap();
        both[1].world.write(name, &text);
    }
    both
}

#[test]
fn encrypted_files_go_the_way_of_plain_ones_and_stay_encrypted() {
    let both = plain_and_encrypted();
    for federation in &both {
        federation.enroll("").unwrap();
        federation.approve().unwrap();
        federation.install().unwrap();
        federation.close("").unwrap();
    }
    let [plain, encrypted] = &both;
    for name in FILES {
        let text = encrypted.world.read(name);
        let decrypted = SimulatedSops.decrypt(Path::new(name), text.as_bytes()).unwrap();
        let meant = values::read(plain.world.read(name).as_bytes()).unwrap();
        assert_eq!(values::read(&decrypted).unwrap(), meant, "{name}");
    }
    let deployed = |federation: &Federation| {
        let config = |cluster: &dyn Helm, name: &str| cluster.release(&name.parse().unwrap()).unwrap().unwrap().config;
        [config(&federation.org, "backend"), config(&federation.orc, "orchestrator")]
    };
    assert_eq!(deployed(encrypted), deployed(plain));
}

#[test]
fn encrypted_files_are_rehearsed_as_plain_ones_are() {
    let verdicts = plain_and_encrypted().map(|federation| {
        let before = federation.world.snapshot();
        let line = "rehearse --backend @backend-values.yaml --orchestrator @orchestrator-values.yaml";
        let outcome = federation.run(&federation.orc, line).unwrap();
        assert_eq!(federation.world.snapshot(), before);
        outcome.get("verdicts").unwrap().clone()
    });
    assert_eq!(verdicts[1], verdicts[0]);
}

/// As sops writes a file; the ciphers are not looked at.
const ENCRYPTED: &str = "\
orchestrator:
    mspID: ENC[AES256_GCM,data:LtatlQDpjR/k,iv:BAXziw==,tag:m2rwjA==,type:str]
sops:
    age: []
    lastmodified: \"2026-11-24T16:57:18Z\"
    mac: ENC[AES256_GCM,data:edhzI4GH,iv:LYAFlQ==,tag:DHk7UQ==,type:str]
    version: 3.13.3
";

#[test]
fn without_sops_an_encrypted_file_is_refused_with_the_commands_to_type() {
    let world = World::new();
    world.write("backend-values.yaml", ENCRYPTED);
    let before = world.snapshot();
    let ran = world.run("enroll -f backend-values.yaml --key-file MyOrg1MSP.key").refused(6, "tool-missing");
    for command in [
        r#"sops set backend-values.yaml '["orchestrator"]["tls"]["mtls"]["enabled"]' 'true'"#,
        r#"sops set backend-values.yaml '["orchestrator"]["tls"]["mtls"]["clientCertificate"]' '"orchestrator-client-cert"'"#,
    ] {
        assert!(ran.stderr.contains(command), "{command}: {}", ran.stderr);
    }
    let below = "enroll -f backend-values.yaml --values-key platform.backend --key-file MyOrg1MSP.key";
    let ran = world.run(below).refused(6, "tool-missing");
    assert!(ran.stderr.contains(r#"'["platform"]["backend"]["orchestrator"]["tls"]["enabled"]'"#), "{}", ran.stderr);
    assert_eq!(world.snapshot(), before);
}

#[test]
fn without_sops_an_orchestrator_s_file_is_refused_and_nothing_is_signed() {
    let world = World::new();
    world.request();
    world.write("orchestrator-values.yaml", ENCRYPTED);
    let before = world.snapshot();
    let fingerprint = format!("SHA256:{}", "0".repeat(64));
    let ran =
        world.approve("MyOrg1MSP.csr", &format!("--fingerprint MyOrg1MSP={fingerprint}")).refused(6, "tool-missing");
    let command = r#"'["orchestrator"]["tls"]["mtls"]["clientCACerts"]["MyOrg1MSP"][0]' '"orchestrator-tls-cacert"'"#;
    assert!(ran.stderr.contains(command), "{}", ran.stderr);
    assert_eq!(world.snapshot(), before);
}
