//! `ca` on the simulated cluster, and what its tests share.

mod init;
mod offline;
mod pinned;
mod renewal;
mod show;
mod trust;

use std::{fs, os::fd::AsRawFd, process::Command};

use clap::Parser;
use substra_mtls::{
    cli::Cli,
    cluster::{
        ChartVersion, Kubernetes, Object, ObjectRef, PAIR_TYPE,
        simulated::{InjectedFault, SimulatedCluster},
    },
    dispatch::dispatch,
    failure::{Failure, Result},
    pki::{
        inspect::{Certificate, certificates},
        key::{KeyType, PrivateKey},
    },
    report::{Console, Format, Outcome},
    session::Session,
    substra::{
        forged_certificates::{CertificateRecipe, LeafUsage},
        servers::{CallOutcome, call},
    },
    times::Clock,
    values,
};
use time::{Duration, OffsetDateTime};

use super::{
    golden::text,
    world::{BACKEND, ORCHESTRATOR, World, diff},
};

/// What the walkthrough's part before TLS leaves: a release in plain text.
pub(crate) const PLAIN: &str = "\
ingress:
  hostname: orchestrator.example.org # dialled by all
channels:
  - name: mychannel
    organizations: [MyOrg1MSP]
";

const RESTART: &str = "restart deployment/orchestrator-server";

struct Site {
    world: World,
    orc: SimulatedCluster,
    now: OffsetDateTime,
}

impl Site {
    fn new() -> Self {
        Self::of("8.8.0", PLAIN)
    }

    fn of(version: &str, text: &str) -> Self {
        let (world, now) = (World::odd(), OffsetDateTime::now_utc());
        world.write("orchestrator-values.yaml", text);
        let orc = SimulatedCluster::new("orchestrator", &Clock::simulated(now));
        let chart = ChartVersion { name: "orchestrator".into(), version: version.into() };
        orc.install("orchestrator", chart, values::read(text.as_bytes()).unwrap()).unwrap();
        Self { world, orc, now }
    }

    /// A verb; `@` stands for the folder.
    fn run(&self, line: &str) -> Result<Outcome> {
        self.at(&self.orc, line)
    }

    fn at(&self, cluster: &SimulatedCluster, line: &str) -> Result<Outcome> {
        self.with(cluster, Console::silent(), line)
    }

    fn json(&self, cluster: &SimulatedCluster, line: &str) -> Result<Outcome> {
        self.with(cluster, Console { format: Format::Json, ..Console::silent() }, line)
    }

    fn with(&self, cluster: &SimulatedCluster, console: Console, line: &str) -> Result<Outcome> {
        let cli = Cli::try_parse_from(self.world.words(&format!("substra-mtls {line}"))).unwrap();
        let console = text::console(console);
        crate::schemas::seen(dispatch(&cli.command, &Session::new(Some(cluster), console, &self.clock())))
    }

    /// The world's clock, at the time of the test.
    fn clock(&self) -> Clock {
        let clock = self.orc.clock();
        clock.set(self.now);
        clock
    }

    fn init(&self, more: &str) -> Result<Outcome> {
        let place = if more.contains("--secret") { "" } else { "--out-dir @" };
        self.run(&format!("ca init -f @orchestrator-values.yaml --release orchestrator --yes {place} {more}"))
    }

    fn later(&mut self, days: i64) {
        self.now += Duration::days(days);
    }

    fn object(&self, name: &ObjectRef) -> Object {
        self.orc.get(std::slice::from_ref(name)).unwrap().remove(0)
    }

    fn pair(&self) -> Certificate {
        let secret = self.object(&ObjectRef::secret("orchestrator-tls-server-pair"));
        assert_eq!(secret.secret_type(), PAIR_TYPE);
        certificates(&secret.data("tls.crt").unwrap()).unwrap().remove(0)
    }

    fn ca(&self) -> Certificate {
        certificates(self.world.read("orchestrator-ca.crt").as_bytes()).unwrap().remove(0)
    }

    /// Whether a backend that trusts the CA gets an answer under this host.
    fn answers(&self, host: &str) -> bool {
        let org = self.orc.in_namespace("org-1");
        let ca = self.world.read("orchestrator-ca.crt");
        drop(org.create(&Object::secret("orchestrator-cacert", "Opaque", &[], &[("ca.crt", ca.as_bytes())])));
        let chart = ChartVersion { name: "substra-backend".into(), version: "26.15.3".into() };
        let values = BACKEND.replace("orchestrator.example.org", host);
        org.install("backend", chart, values::read(values.as_bytes()).unwrap()).unwrap();
        let client = org.backend("backend").unwrap();
        let answer = self.orc.with_server("orchestrator", |server| call(&client, server, self.now));
        answer.is_some_and(|answer| answer == CallOutcome::Accepted)
    }

    /// A server pair of a CA in place of the one that is there.
    fn put_pair(&self, recipe: &CertificateRecipe, ca: &str, ca_key: &str) {
        let ca = certificates(self.world.read(ca).as_bytes()).unwrap().remove(0);
        let ca_key = PrivateKey::from_pem(self.world.read(ca_key).as_bytes(), None).unwrap();
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        let pem = recipe.sign(key.spki(), &ca, &ca_key, self.now).unwrap();
        let private = key.to_pem();
        let data: [(&str, &[u8]); 2] = [("tls.crt", pem.as_bytes()), ("tls.key", private.as_bytes())];
        let name = "orchestrator-tls-server-pair";
        match self.orc.get(&[ObjectRef::secret(name)]).unwrap().first() {
            Some(old) => self.orc.replace(&old.with_data(&data)).unwrap(),
            None => self.orc.create(&Object::secret(name, PAIR_TYPE, &[], &data)).unwrap(),
        }
    }

    fn changes(&self, work: impl FnOnce()) -> Vec<String> {
        let before = self.orc.writes().len();
        work();
        self.orc.writes().split_off(before)
    }
}

fn server(hosts: &[&str], usage: LeafUsage) -> CertificateRecipe {
    let dns_names = hosts.iter().map(|host| (*host).to_owned()).collect();
    CertificateRecipe { dns_names, usage: Some(usage), v3: true, ..CertificateRecipe::default() }
}

#[track_caller]
fn failed(result: Result<Outcome>, code: &str) -> Failure {
    let failure = result.err().unwrap();
    assert_eq!(failure.code.id(), code, "{failure}");
    for (part, text) in [("why", failure.why.as_str()), ("next", &*failure.next)] {
        assert!(!text.is_empty(), "{part} is missing: {failure}");
    }
    failure
}

fn failed_fault(result: Result<Outcome>) -> Failure {
    let failure = result.err().unwrap();
    assert_eq!(failure.code.id(), "fault", "{failure}");
    failure
}
