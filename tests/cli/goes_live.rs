//! What somebody else has written goes live with a run of ours only where it was named and accepted.

use std::fs;

use serde_json::Value;
use substra_mtls::{
    cluster::{
        Helm, Kubernetes, Object,
        simulated::{InjectedFault, SimulatedCluster},
    },
    failure::{Exit, Failure, Result},
    pki::{authority::create_root, key::KeyType},
    report::Outcome,
};

use crate::simulated::Federation;

const ORC: &str = "-f @orchestrator-values.yaml --release orchestrator --yes";
const ORG: &str = "-f @backend-values.yaml --release backend --yes";
const CLOSE: &str = "gate close --installed MyOrg1MSP --ca-cert @ca.crt";
const DANGER: &str = "orchestrator.tls.mtls.clientCACerts.MyOrg3MSP: deployed nothing, files [\"orchestrator-tls-cacert\",\"evil-ca\"]: anyone who has the key of a CA in evil-ca can act as every organization of the federation, not only as MyOrg3MSP";

fn approve() -> String {
    format!("approve @MyOrg1MSP.csr {ORC} --ca-cert @ca.crt --ca-key @ca.key --unverified-mail")
}

/// Before the gate is closed.
fn enrolled() -> Federation {
    let federation = Federation::new();
    federation.enroll("").unwrap();
    federation.approve().unwrap();
    federation.install().unwrap();
    for (cluster, name) in [(&federation.orc, "evil-ca"), (&federation.org, "other-ca"), (&federation.orc, "other-ca")]
    {
        let (_, evil) = create_root(KeyType::EcdsaP256, federation.now).unwrap();
        let bundle = if name == "other-ca" { federation.world.read("ca.crt") + &evil } else { evil };
        cluster.create(&Object::secret(name, "Opaque", &[], &[("ca.crt", bundle.as_bytes())])).unwrap();
    }
    for end in ["crt", "key"] {
        let [from, to] = ["ca", "orchestrator-ca"].map(|name| federation.world.path(&format!("{name}.{end}")));
        fs::copy(from, to).unwrap();
    }
    federation
}

fn closed() -> Federation {
    let federation = enrolled();
    federation.close("").unwrap();
    federation
}

fn edit(federation: &Federation, side: &str, from: &str, to: &str) {
    let name = format!("{side}-values.yaml");
    let text = federation.world.read(&name);
    assert!(text.contains(from), "{from}: {text}");
    federation.world.write(&name, &text.replacen(from, to, 1));
}

/// Somebody writes another CA into `clientCACerts`.
fn write_a_ca(federation: &Federation) {
    let key = "        MyOrg1MSP:\n";
    edit(federation, "orchestrator", key, &format!("        MyOrg3MSP: [orchestrator-tls-cacert, evil-ca]\n{key}"));
}

fn config(cluster: &SimulatedCluster, release: &str) -> Value {
    cluster.release(&release.parse().unwrap()).unwrap().unwrap().config
}

/// Refused with this line, nothing written; accepted it is said in a warning.
#[track_caller]
fn is_named(federation: &Federation, cluster: &SimulatedCluster, verb: &str, line: &str) -> Outcome {
    let before = (federation.orc.writes(), federation.world.snapshot());
    let failure = failed(federation.run(cluster, verb));
    assert_eq!((failure.exit, failure.code.id()), (Exit::CheckFailed, "drift"), "{verb}: {failure}");
    assert!(failure.why.ends_with(&format!("change these too: {line}")), "{verb}: {failure}");
    assert!((federation.orc.writes(), federation.world.snapshot()) == before, "{verb} wrote something");
    let outcome = federation.run(cluster, &format!("{verb} --accept-drift")).unwrap();
    assert!(outcome.json()["warnings"].as_array().unwrap().iter().any(|warning| warning == line), "{verb}");
    outcome
}

#[track_caller]
fn failed(result: Result<Outcome>) -> Failure {
    result.err().unwrap()
}

#[test]
fn a_ca_that_somebody_wrote_is_let_in_by_no_verb_unless_it_is_accepted() {
    let trust = format!("ca trust @ca.crt --for MyOrg1MSP {ORC}");
    for verb in [approve(), trust, format!("gate open {ORC}")] {
        let federation = closed();
        write_a_ca(&federation);
        is_named(&federation, &federation.orc, &verb, DANGER);
        assert_eq!(
            config(&federation.orc, "orchestrator")["orchestrator"]["tls"]["mtls"]["clientCACerts"]["MyOrg3MSP"][1],
            "evil-ca",
            "{verb}"
        );
    }
    let federation = enrolled();
    write_a_ca(&federation);
    is_named(&federation, &federation.orc, &format!("{CLOSE} {ORC}"), DANGER);
}

#[test]
fn a_ca_that_was_deployed_while_the_gate_was_open_is_said_when_it_comes_alive() {
    let federation = enrolled();
    let own = "          - orchestrator-tls-cacert\n";
    edit(&federation, "orchestrator", own, &format!("{own}          - evil-ca\n"));
    let values = substra_mtls::values::read(federation.world.read("orchestrator-values.yaml").as_bytes()).unwrap();
    let chart = federation.orc.chart(&"orchestrator".parse().unwrap()).unwrap().unwrap();
    federation.orc.install("orchestrator", chart, values).unwrap();
    let said = federation.close("--dry-run").unwrap().json()["warnings"].to_string();
    assert!(said.contains("evil-ca, under MyOrg1MSP, holds CN=Orchestrator Root CA"), "{said}");
    assert!(said.contains("anyone who has its key can act as every organization"), "{said}");
}

#[test]
fn a_member_that_nobody_approved_in_this_run_is_not_let_in_unseen() {
    let federation = closed();
    let line = "orchestrator.tls.mtls.clientCACerts.MyOrg3MSP: deployed nothing, files [\"orchestrator-tls-cacert\"]";
    write_a_ca(&federation);
    edit(&federation, "orchestrator", ", evil-ca", "");
    is_named(&federation, &federation.orc, &approve(), line);
    let federation = enrolled();
    write_a_ca(&federation);
    edit(&federation, "orchestrator", ", evil-ca", "");
    is_named(&federation, &federation.orc, &format!("{CLOSE} {ORC}"), line);
}

#[test]
fn another_ca_of_the_server_is_one_for_clients_too_and_is_named() {
    let init = format!("ca init --out-dir @ {ORC}");
    for (federation, verb) in [(closed(), approve()), (closed(), init), (enrolled(), format!("{CLOSE} {ORC}"))] {
        edit(
            &federation,
            "orchestrator",
            "    enabled: true # by hand\n",
            "    enabled: true # by hand\n    cacert: other-ca\n",
        );
        let line = "orchestrator.tls.cacert: deployed nothing, files \"other-ca\": anyone who has the key of a CA in other-ca can act as every organization of the federation";
        let failure = failed(federation.run(&federation.orc, &verb));
        assert_eq!(failure.code.id(), "drift", "{verb}: {failure}");
        assert!(failure.why.contains(line), "{verb}: {failure}");
    }
}

#[test]
fn another_ca_or_pair_of_a_backend_is_named() {
    let enroll = format!("enroll --out-dir @ --certificate @MyOrg1MSP.crt {ORG}");
    let trust = format!("ca trust @ca.crt --backend --enable-tls {ORG}");
    for verb in [&enroll, &trust] {
        let federation = enrolled();
        edit(&federation, "backend", "cacert: orchestrator-cacert", "cacert: other-ca");
        let line = "orchestrator.tls.cacert: deployed \"orchestrator-cacert\", files \"other-ca\": anyone who has the key of a CA in other-ca can pose as the orchestrator";
        is_named(&federation, &federation.org, verb, line);
    }
    let federation = enrolled();
    edit(&federation, "backend", "clientCertificate: orchestrator-client-cert", "clientCertificate: another");
    let line = "orchestrator.tls.mtls.clientCertificate: deployed \"orchestrator-client-cert\", files \"another\"";
    federation.enroll("").unwrap();
    federation.approve().unwrap();
    is_named(&federation, &federation.org, &enroll, line);
}

#[test]
fn a_backend_that_trusts_public_cas_trusts_no_other_unseen() {
    let public = Federation::new();
    edit(&public, "backend", "    cacert: orchestrator-cacert\n", "");
    let values = substra_mtls::values::read(public.world.read("backend-values.yaml").as_bytes()).unwrap();
    public.org.install("backend", public.org.chart(&"backend".parse().unwrap()).unwrap().unwrap(), values).unwrap();
    edit(&public, "backend", "    enabled: true\n", "    enabled: true\n    cacert: orchestrator-cacert\n");
    public.enroll("").unwrap();
    public.approve().unwrap();
    let failure = failed(public.install());
    assert_eq!(failure.code.id(), "drift", "{failure}");
    assert!(
        failure.why.contains("orchestrator.tls.cacert: deployed nothing, files \"orchestrator-cacert\": anyone who"),
        "{failure}"
    );
    // The verb that is for it may, and may be cut short.
    public.org.fail_write(0, InjectedFault::Before);
    let trust = format!("ca trust @ca.crt --backend --enable-tls {ORG}");
    assert_eq!(failed(public.run(&public.org, &trust)).code.id(), "fault");
    public.run(&public.org, &trust).unwrap();
    public.install().unwrap();
}

#[test]
fn what_an_earlier_run_of_ours_has_left_goes_on_without_a_question() {
    // Approved while the gate was open: the file alone has it.
    let federation = enrolled();
    federation.close("").unwrap();
    // Cut short after the file was written.
    let federation = enrolled();
    federation.orc.fail_write(0, InjectedFault::Before);
    assert_eq!(failed(federation.close("")).code.id(), "fault");
    assert!(federation.world.read("orchestrator-values.yaml").contains("verifyClientMSPID: true"));
    federation.run(&federation.orc, &format!("gate open {ORC}")).unwrap();
    federation.close("").unwrap();
    federation.orc.fail_write(0, InjectedFault::Before);
    assert_eq!(failed(federation.run(&federation.orc, &format!("gate open {ORC}"))).code.id(), "fault");
    federation.run(&federation.orc, &format!("gate open {ORC}")).unwrap();
    federation.close("").unwrap();
    // Approved behind a closed gate.
    let theirs = "        MyOrg1MSP:\n          - orchestrator-tls-cacert\n";
    edit(&federation, "orchestrator", theirs, "        Other: [orchestrator-tls-cacert]\n");
    federation.run(&federation.orc, &format!("{CLOSE} {ORC} --accept-drift")).unwrap();
    federation.orc.fail_write(0, InjectedFault::Before);
    assert_eq!(failed(federation.approve()).code.id(), "fault");
    federation.approve().unwrap();
}
