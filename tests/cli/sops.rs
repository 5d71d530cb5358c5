//! Values files that SOPS has encrypted, where sops is not there: refused, with the commands to type where it is.

use super::world::World;

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
