//! The verbs on the simulated cluster: every write fails before or after its work, and the next run completes the job.

use std::time::Duration;

use clap::Parser;
use substra_mtls::{
    cli::Cli,
    cluster::{
        ChartVersion, Kubernetes, Object, ObjectRef, PAIR_TYPE,
        simulated::{InjectedFault, SimulatedCluster},
    },
    dispatch::dispatch,
    failure::{Exit, Failure, Result},
    pki::{
        inspect::certificates,
        key::{KeyType, PrivateKey},
    },
    plan::{self, Action, Step, StepId},
    report::{Console, Outcome},
    session::Session,
    substra::{
        forged_certificates::{CertificateRecipe, LeafUsage},
        servers::{CallOutcome, call},
    },
    times::Clock,
    values,
};
use time::OffsetDateTime;

use super::{
    golden::text,
    schemas::seen,
    world::{BACKEND, ORCHESTRATOR, World},
};

/// Two namespaces with TLS on, and the files of `World`.
pub(crate) struct Federation {
    pub(crate) world: World,
    pub(crate) org: SimulatedCluster,
    pub(crate) orc: SimulatedCluster,
    pub(crate) now: OffsetDateTime,
}

impl Federation {
    pub(crate) fn new() -> Self {
        let (world, now) = (World::odd(), OffsetDateTime::now_utc());
        world.write("orchestrator-values.yaml", &ORCHESTRATOR.replace(", MyOrg2MSP", ""));
        let orc = SimulatedCluster::new("orchestrator", &Clock::simulated(now));
        let org = orc.in_namespace("org-1");
        let ca_pem = world.read("ca.crt");
        let ca = certificates(ca_pem.as_bytes()).unwrap().remove(0);
        let ca_key = PrivateKey::from_pem(world.read("ca.key").as_bytes(), None).unwrap();
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        let recipe = CertificateRecipe {
            dns_names: vec!["orchestrator.example.org".into()],
            usage: Some(LeafUsage::Both),
            v3: true,
            ..CertificateRecipe::default()
        };
        let server = recipe.sign(key.spki(), &ca, &ca_key, now).unwrap();
        let ca_object = |name| Object::secret(name, "Opaque", &[], &[("ca.crt", ca_pem.as_bytes())]);
        org.create(&ca_object("orchestrator-cacert")).unwrap();
        orc.create(&ca_object("orchestrator-tls-cacert")).unwrap();
        orc.create(&Object::secret(
            "orchestrator-tls-server-pair",
            PAIR_TYPE,
            &[],
            &[("tls.crt", server.as_bytes()), ("tls.key", key.to_pem().as_bytes())],
        ))
        .unwrap();
        let chart = |name: &str, version: &str| ChartVersion { name: name.into(), version: version.into() };
        org.install("backend", chart("substra-backend", "26.15.3"), values::read(BACKEND.as_bytes()).unwrap()).unwrap();
        let orchestrator = values::read(world.read("orchestrator-values.yaml").as_bytes()).unwrap();
        orc.install("orchestrator", chart("orchestrator", "8.8.0"), orchestrator).unwrap();
        Self { world, org, orc, now }
    }

    /// A verb; `@` stands for the folder.
    pub(crate) fn run(&self, cluster: &SimulatedCluster, line: &str) -> Result<Outcome> {
        let cli = Cli::try_parse_from(self.world.words(&format!("substra-mtls {line}"))).unwrap();
        let session = Session::new(Some(cluster), text::console(Console::silent()), &self.clock());
        seen(dispatch(&cli.command, &session.with_sops(&super::sops::simulated())))
    }

    /// The world's clock, at the time of the test.
    pub(crate) fn clock(&self) -> Clock {
        let clock = self.orc.clock();
        clock.set(self.now);
        clock
    }

    pub(crate) fn enroll(&self, more: &str) -> Result<Outcome> {
        self.run(&self.org, &format!("enroll -f @backend-values.yaml --release backend --out-dir @ --yes {more}"))
    }

    pub(crate) fn approve(&self) -> Result<Outcome> {
        self.run(&self.orc, "approve @MyOrg1MSP.csr -f @orchestrator-values.yaml --release orchestrator --ca-cert @ca.crt --ca-key @ca.key --unverified-mail --yes")
    }

    pub(crate) fn install(&self) -> Result<Outcome> {
        self.enroll("--certificate @MyOrg1MSP.crt")
    }

    pub(crate) fn close(&self, more: &str) -> Result<Outcome> {
        self.run(&self.orc, &format!("gate close -f @orchestrator-values.yaml --release orchestrator --yes --installed MyOrg1MSP --ca-cert @ca.crt {more}"))
    }

    fn answer(&self) -> CallOutcome {
        let client = self.org.backend("backend").unwrap();
        self.orc.with_server("orchestrator", |server| call(&client, server, self.now)).unwrap()
    }
}

fn failed(result: Result<Outcome>) -> Failure {
    result.err().unwrap()
}

#[test]
fn the_exchange_writes_in_the_one_order_that_cuts_nobody_off() {
    let federation = Federation::new();
    federation.enroll("").unwrap();
    federation.approve().unwrap();
    federation.install().unwrap();
    federation.close("").unwrap();
    let writes: Vec<String> = federation.orc.writes().into_iter().skip(3).collect();
    assert_eq!(
        writes,
        [
            "create secret/orchestrator-client-cert-pending",
            "create secret/orchestrator-client-cert",
            "upgrade backend",
            "delete secret/orchestrator-client-cert-pending",
            "upgrade orchestrator",
        ]
    );
    assert_eq!(federation.answer(), CallOutcome::Accepted);
}

/// What a run says that met the fault at a write; nothing where the world is as meant all the same.
fn told_of(fault: InjectedFault, at: usize) -> &'static [&'static str] {
    match (fault, at) {
        (InjectedFault::Before | InjectedFault::After, _) => &["fault"],
        // The pending Secret comes back as another one: that which was seen is gone.
        (InjectedFault::Undone, 3) => &[],
        (InjectedFault::Idle, 2 | 4) => &["not-deployed"],
        (InjectedFault::Undone, 2 | 4) => &["upgraded-by-others"],
        (InjectedFault::Idle | InjectedFault::Undone, _) => &["not-as-written"],
    }
}

#[test]
fn every_write_may_fail_do_nothing_or_be_undone_and_the_next_run_completes() {
    for fault in InjectedFault::ALL {
        for at in 0..5 {
            let federation = Federation::new();
            federation.orc.fail_write(at, fault);
            let mut failures = Vec::new();
            for step in [
                &(|| federation.enroll("")) as &dyn Fn() -> Result<Outcome>,
                &|| federation.approve(),
                &|| federation.install(),
                &|| federation.close(""),
            ] {
                while let Err(failure) = step() {
                    failures.push(failure.code.id());
                    assert_eq!(failures, told_of(fault, at), "write {at} {fault:?}: {failure}");
                    assert_eq!(failure.exit, Exit::Outside, "{failure}");
                    assert!(!failure.why.is_empty() && !failure.next.is_empty(), "{failure:?}");
                    assert!(failure.standing.as_ref().unwrap().text().contains("may be half done: "), "{failure}");
                    assert_eq!(federation.answer(), CallOutcome::Accepted, "nobody is cut off meanwhile");
                }
            }
            assert_eq!(failures, told_of(fault, at), "write {at} {fault:?}");
            assert_eq!(federation.answer(), CallOutcome::Accepted);
            if (fault, at) == (InjectedFault::Undone, 3) {
                assert_eq!(
                    federation.install().unwrap().stage().id(),
                    "installed",
                    "the Secret that came back goes too"
                );
            }
            for outcome in [federation.install(), federation.close("")] {
                assert_eq!(outcome.unwrap().stage().id(), "already", "write {at} {fault:?}");
            }
        }
    }
}

#[test]
fn a_failure_half_way_says_what_is_done_and_what_is_not() {
    let federation = Federation::new();
    federation.enroll("").unwrap();
    federation.approve().unwrap();
    federation.orc.fail_write(1, InjectedFault::Before);
    let failure = failed(federation.install());
    let told = "done: pair, values; may be half done: upgrade; not done: rollout, pending";
    assert_eq!(failure.standing.as_ref().unwrap().text(), told);
    federation.orc.fail_write(0, InjectedFault::Before);
    let failure = failed(federation.install());
    assert_eq!(
        failure.standing.as_ref().unwrap().text(),
        "done: pair, values; may be half done: upgrade; not done: rollout, pending"
    );
}

#[test]
fn a_rollout_that_hangs_on_a_mount_ends_with_the_time_limit() {
    let federation = Federation::new();
    let mut values = values::read(BACKEND.as_bytes()).unwrap();
    values["orchestrator"]["tls"]["mtls"] = serde_json::json!({"enabled": true, "clientCertificate": "not-there"});
    let chart = ChartVersion { name: "substra-backend".into(), version: "26.15.3".into() };
    federation.org.install("backend", chart, values).unwrap();
    let workloads = vec![ObjectRef::new("deployment", "backend-substra-backend-server")];
    let step = Step::to_do(StepId::Rollout, "rollout", Action::RollOut { release: "backend".into(), workloads });
    let (clock, limit) = (federation.clock(), Duration::from_mins(15));
    let world = plan::StepContext { cluster: Some(&federation.org), timeout: limit, clock: clock.clone() };
    let failure = plan::apply(&[step], &world, &mut |_, _| {}).err().unwrap();
    assert_eq!((failure.exit, failure.code.id()), (Exit::TimedOut, "rollout"));
    assert_eq!(failure.why, "deployment/backend-substra-backend-server: 0 of 1 pods are ready");
    let waited = clock.now() - federation.now;
    assert!(limit < waited && waited < limit + Duration::from_secs(6), "{waited}, by the world's clock");
}

#[test]
fn an_old_certificate_installed_again_does_not_lose_the_key_of_a_newer_request() {
    let federation = Federation::new();
    federation.enroll("").unwrap();
    federation.approve().unwrap();
    federation.install().unwrap();
    let requested = federation.enroll("--renew").unwrap();
    assert_eq!(federation.install().unwrap().stage().id(), "already");
    let again = federation.enroll("").unwrap();
    assert_eq!(again.get("fingerprint"), requested.get("fingerprint"));
}

#[test]
fn approving_never_moves_a_gate_that_is_half_way() {
    let federation = Federation::new();
    federation.enroll("").unwrap();
    federation.approve().unwrap();
    federation.install().unwrap();
    federation.orc.fail_write(0, InjectedFault::Before);
    assert_eq!(failed(federation.close("")).code.id(), "fault");
    assert!(federation.world.read("orchestrator-values.yaml").contains("verifyClientMSPID: true"), "the file is ahead");
    assert_eq!(failed(federation.approve()).code.id(), "gate-half-way");
    federation.close("").unwrap();
    federation.approve().unwrap();
}

#[test]
fn several_releases_of_a_chart_are_named_so_that_one_can_be_chosen() {
    let federation = Federation::new();
    let chart = ChartVersion { name: "substra-backend".into(), version: "26.15.3".into() };
    federation.org.install("other", chart, values::read(BACKEND.as_bytes()).unwrap()).unwrap();
    let failure = federation.run(&federation.org, "enroll -f @backend-values.yaml --yes").unwrap_err();
    assert_eq!((failure.code.id(), &*failure.next), ("which-release", "name one of them with --release"));
    assert!(failure.why.contains("backend") && failure.why.contains("other"), "{failure}");
}

#[test]
fn a_pending_release_stops_every_verb() {
    let federation = Federation::new();
    federation.org.set_status("backend", "pending-upgrade");
    assert_eq!(failed(federation.enroll("")).code.id(), "release-pending");
    federation.orc.set_status("orchestrator", "pending-upgrade");
    assert_eq!(failed(federation.close("")).code.id(), "release-pending");
}

#[test]
fn the_last_third_of_a_life_asks_for_renewal_by_itself() {
    let mut federation = Federation::new();
    federation.enroll("").unwrap();
    federation.approve().unwrap();
    federation.install().unwrap();
    federation.close("").unwrap();
    federation.now += time::Duration::days(59);
    assert_eq!(federation.enroll("").unwrap().stage().id(), "already");
    federation.now += time::Duration::days(2);
    let requested = federation.enroll("").unwrap();
    assert_eq!(requested.stage().id(), "requested");
    assert_eq!(federation.answer(), CallOutcome::Accepted, "the old pair stays live");
    federation.approve().unwrap();
    federation.install().unwrap();
    federation.now += time::Duration::days(60);
    assert_eq!(federation.answer(), CallOutcome::Accepted, "the new pair is live");
}

#[test]
fn a_member_that_is_not_in_place_keeps_the_gate_open() {
    let federation = Federation::new();
    assert_eq!(failed(federation.close("")).code.id(), "not-admitted");
    federation.enroll("").unwrap();
    federation.approve().unwrap();
    let failure =
        failed(federation.run(&federation.orc, "gate close -f @orchestrator-values.yaml --release orchestrator --yes"));
    assert_eq!(failure.code.id(), "not-installed");
    assert_eq!(federation.answer(), CallOutcome::Accepted);
}
