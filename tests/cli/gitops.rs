//! `--values-key` without a cluster: settings of an umbrella chart's part are read and written below its key.

use super::world::{BACKEND, ORCHESTRATOR, World, diff};

fn below(key: &str, values: &str) -> String {
    let lines = values.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") });
    format!("global: {{}}\n{key}:\n{}", lines.collect::<String>())
}

#[test]
fn a_request_is_made_of_the_values_below_the_key() {
    let world = World::new();
    world.write("backend-values.yaml", &below("backend", BACKEND));
    let line = "enroll -f backend-values.yaml --key-file MyOrg1MSP.key";
    let ran = world.run(line).refused(3, "values-key");
    assert!(ran.stderr.contains("add --values-key backend"), "{}", ran.stderr);
    let ran = world.run(&format!("{line} --values-key other")).refused(3, "msp-id");
    assert!(ran.stderr.contains("looked for below other"), "{}", ran.stderr);
    world.run(&format!("{line} --values-key global")).refused_usage();
    let ran = world.run(&format!("{line} --values-key backend")).ok();
    assert_eq!((ran.fact("organization"), ran.fact("host")), ("MyOrg1MSP".into(), "substra.org-1.example.org".into()));
    assert!(ran.stderr.contains("enroll -f backend-values.yaml --values-key backend --key-file"), "{}", ran.stderr);
}

#[test]
fn an_organization_is_admitted_below_the_key() {
    let world = World::new();
    world.request();
    let old = below("orchestrator", ORCHESTRATOR);
    world.write("orchestrator-values.yaml", &old);
    let before = world.snapshot();
    world.approve("MyOrg1MSP.csr", "--unverified-mail").refused(3, "values-key");
    assert_eq!(world.snapshot(), before);
    world.approve("MyOrg1MSP.csr", "--unverified-mail --values-key orchestrator").ok();
    assert_eq!(
        diff(&old, &world.read("orchestrator-values.yaml")),
        "+      mtls:\n+        clientCACerts:\n+          MyOrg1MSP:\n+            - orchestrator-tls-cacert\n"
    );
}

#[test]
fn the_name_that_the_alias_makes_is_the_orchestrator_s_own() {
    let world = World::new();
    let backend = BACKEND.replace("substra.org-1.example.org", "orchestrator-hub-server");
    world.write("backend-values.yaml", &backend);
    world.request();
    world.write("orchestrator-values.yaml", &below("hub", ORCHESTRATOR));
    world.approve("MyOrg1MSP.csr", "--unverified-mail --values-key hub --release orchestrator").refused_any();
}

impl super::world::Ran {
    #[track_caller]
    fn refused_usage(self) {
        assert_eq!(self.status, 2, "{}{}", self.stdout, self.stderr);
    }

    #[track_caller]
    fn refused_any(self) {
        assert_eq!(self.status, 5, "{}{}", self.stdout, self.stderr);
    }
}
