//! A federation on the simulated cluster, its file, and how it is looked at.

use clap::Parser;
use substra_mtls::{
    cli::{Cli, Command},
    cluster::{
        ChartVersion, Cluster, Helm, Kubernetes, Object, ObjectRef, PAIR_TYPE,
        simulated::{InjectedFault, SimulatedCluster},
    },
    commands::bootstrap,
    failure::{Exit, Failure, Result},
    federation::Site,
    pki::{
        inspect::certificates,
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
use time::OffsetDateTime;

use crate::{golden::text, world::World};

pub(crate) const LINE: &str = "bootstrap federation.yaml --yes";

/// A federation whose releases are installed with TLS on, and its file.
pub(crate) struct Fed {
    pub(crate) world: World,
    pub(crate) orc: SimulatedCluster,
    pub(crate) now: OffsetDateTime,
}

pub(crate) fn chart(name: &str, version: &str) -> ChartVersion {
    ChartVersion { name: name.into(), version: version.into() }
}

pub(crate) fn backend(n: usize) -> String {
    format!(
        "# Hospital {n}\norchestrator:\n  host: orchestrator.example.org # told\n  mspID: MyOrg{n}MSP\n  tls:\n    enabled: true\n    cacert: orchestrator-cacert\nserver:\n  ingress:\n    hostname: substra.org-{n}.example.org\n"
    )
}

pub(crate) fn orchestrator(count: usize) -> String {
    let members: Vec<String> = (1..=count).map(|n| format!("MyOrg{n}MSP")).collect();
    format!(
        "ingress:\n  hostname: orchestrator.example.org\nchannels:\n  - name: mychannel\n    organizations: [{}]\norchestrator:\n  tls:\n    enabled: true # by hand\n",
        members.join(", ")
    )
}

pub(crate) fn federation(count: usize, ca: &str, gate: &str) -> String {
    let mut text = format!(
        "apiVersion: substra-mtls/v1\nkind: Federation\norchestrator:\n  namespace: orchestrator\n  release: orchestrator\n  values: [orchestrator-values.yaml]\n  ca: {ca}\n  gate: {gate}\norganizations:\n"
    );
    for n in 1..=count {
        text += &format!("  MyOrg{n}MSP:\n    namespace: org-{n}\n    release: backend\n    values: [org-{n}.yaml]\n");
    }
    text
}

pub(crate) const FILES: &str = "{cert: ca.crt, key: ca.key}";

impl Fed {
    pub(crate) fn new(count: usize) -> Self {
        let fed = Self::empty(count);
        let ca_pem = fed.world.read("ca.crt");
        let object = |name| Object::secret(name, "Opaque", &[], &[("ca.crt", ca_pem.as_bytes())]);
        fed.orc.create(&object("orchestrator-tls-cacert")).unwrap();
        fed.server_pair();
        fed.install(&fed.orc, "orchestrator", chart("orchestrator", "8.8.0"), "orchestrator-values.yaml");
        (1..=count).for_each(|n| fed.with_backend(n));
        fed
    }

    /// The files alone.
    pub(crate) fn empty(count: usize) -> Self {
        let (world, now) = (World::odd(), OffsetDateTime::now_utc());
        world.write("orchestrator-values.yaml", &orchestrator(count));
        world.write("federation.yaml", &federation(count, FILES, "close"));
        (1..=count).for_each(|n| world.write(&format!("org-{n}.yaml"), &backend(n)));
        Self { world, orc: SimulatedCluster::new("orchestrator", &Clock::simulated(now)), now }
    }

    /// The world's clock, at the time of the test.
    pub(crate) fn clock(&self) -> Clock {
        let clock = self.orc.clock();
        clock.set(self.now);
        clock
    }

    pub(crate) fn with_backend(&self, n: usize) {
        let ca_pem = self.world.read("ca.crt");
        let object = Object::secret("orchestrator-cacert", "Opaque", &[], &[("ca.crt", ca_pem.as_bytes())]);
        self.org(n).create(&object).unwrap();
        self.install(&self.org(n), "backend", chart("substra-backend", "26.15.3"), &format!("org-{n}.yaml"));
    }

    pub(crate) fn server_pair(&self) {
        let ca = certificates(self.world.read("ca.crt").as_bytes()).unwrap().remove(0);
        let ca_key = PrivateKey::from_pem(self.world.read("ca.key").as_bytes(), None).unwrap();
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        let dns_names = vec!["orchestrator.example.org".into()];
        let recipe =
            CertificateRecipe { dns_names, usage: Some(LeafUsage::Both), v3: true, ..CertificateRecipe::default() };
        let server = recipe.sign(key.spki(), &ca, &ca_key, self.now).unwrap();
        let pem = key.to_pem();
        let pair: [(&str, &[u8]); 2] = [("tls.crt", server.as_bytes()), ("tls.key", pem.as_bytes())];
        self.orc.create(&Object::secret("orchestrator-tls-server-pair", PAIR_TYPE, &[], &pair)).unwrap();
    }

    pub(crate) fn install(&self, cluster: &SimulatedCluster, release: &str, chart: ChartVersion, file: &str) {
        cluster.install(release, chart, values::read(self.world.read(file).as_bytes()).unwrap()).unwrap();
    }

    pub(crate) fn org(&self, n: usize) -> SimulatedCluster {
        self.orc.in_namespace(&format!("org-{n}"))
    }

    pub(crate) fn run(&self, line: &str) -> Result<Outcome> {
        let outcome = self.outcome(line)?;
        outcome.failure().cloned().map_or(Ok(outcome), Err)
    }

    /// The result, of a run that left something behind too.
    pub(crate) fn outcome(&self, line: &str) -> Result<Outcome> {
        let line = format!("substra-mtls {}", line.replace("federation.yaml", "@federation.yaml"));
        let cli = Cli::try_parse_from(self.world.words(&line)).unwrap();
        let Command::Bootstrap(args) = &cli.command else { panic!("{line}") };
        let console = text::console(Console { format: Format::Json, ..Console::silent() });
        let session = Session::new(None, console, &self.clock());
        let open =
            |site: &Site| -> Result<Box<dyn Cluster>> { Ok(Box::new(self.orc.in_namespace(site.namespace.as_str()))) };
        crate::schemas::seen(bootstrap::run(args, &session, &open))
    }

    /// What a backend gets from the orchestrator.
    pub(crate) fn answer(&self, n: usize) -> CallOutcome {
        let client = self.org(n).backend("backend").unwrap();
        self.orc.with_server("orchestrator", |server| call(&client, server, self.now)).unwrap()
    }

    #[track_caller]
    pub(crate) fn all_are_let_in(&self, count: usize) {
        for n in 1..=count {
            assert_eq!(self.answer(n), CallOutcome::Accepted, "MyOrg{n}MSP");
        }
    }

    /// Mutual TLS with the identity check, as the release has it.
    pub(crate) fn is_closed(&self) -> bool {
        let values = self.orc.release(&"orchestrator".parse().unwrap()).unwrap().unwrap().config;
        values["orchestrator"]["tls"]["mtls"]["enabled"] == true && values["orchestrator"]["verifyClientMSPID"] == true
    }
}

pub(crate) fn state(outcome: &Outcome, n: usize) -> String {
    let all = outcome.get("organizations").unwrap().as_array().unwrap();
    let name = format!("MyOrg{n}MSP");
    let one = all.iter().find(|one| one["organization"] == name.as_str()).unwrap();
    one["state"].as_str().unwrap().to_owned()
}

#[track_caller]
pub(crate) fn refused(result: Result<Outcome>, exit: Exit, code: &str) -> Failure {
    let failure = result.unwrap_err();
    assert_eq!((failure.exit, failure.code.id()), (exit, code), "{failure}");
    assert!(!failure.what.is_empty() && !failure.why.is_empty() && !failure.next.is_empty(), "{failure:?}");
    failure
}

pub(crate) const PAIR: &str = "orchestrator-client-cert";
pub(crate) const CACERT: &str = "orchestrator-tls-cacert";

pub(crate) fn opaque(name: &str, pem: &str) -> Object {
    Object::secret(name, "Opaque", &[], &[("ca.crt", pem.as_bytes())])
}

/// A pair of that organization, signed by that CA for a client alone.
pub(crate) fn pair(fed: &Fed, n: usize, ca: &(PrivateKey, String), ends_soon: bool) -> Object {
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let authority = certificates(ca.1.as_bytes()).unwrap().remove(0);
    let recipe = CertificateRecipe {
        organizations: vec![format!("MyOrg{n}MSP")],
        usage: Some(LeafUsage::Client),
        v3: true,
        ..CertificateRecipe::default()
    };
    let then = if ends_soon { fed.now - time::Duration::days(300) } else { fed.now };
    let certificate = recipe.sign(key.spki(), &authority, &ca.0, then).unwrap();
    let pem = key.to_pem();
    Object::secret(PAIR, PAIR_TYPE, &[], &[("tls.crt", certificate.as_bytes()), ("tls.key", pem.as_bytes())])
}

pub(crate) fn held(fed: &Fed, n: usize) -> Vec<u8> {
    let found = fed.org(n).get(&[ObjectRef::secret(PAIR)]).unwrap();
    found[0].data("tls.crt").unwrap().to_vec()
}

/// What was there before must be there after.
#[track_caller]
pub(crate) fn writes_nothing(fed: &Fed, line: &str, exit: Exit, code: &str) -> String {
    let before = (fed.orc.writes(), fed.world.snapshot());
    let failure = refused(fed.run(line), exit, code);
    assert_eq!(fed.orc.writes(), before.0);
    assert!(fed.world.snapshot() == before.1, "a file was changed");
    format!("{failure}")
}

/// Every write of a run fails once, before and after its work, does nothing, or is undone by somebody else; gives the
/// federation after that run.
pub(crate) fn at_every_write(made: impl Fn() -> Fed, line: &str, look: impl Fn(&Fed, &str)) {
    let one_by_one = format!("{line} --parallel 1");
    let fed = made();
    let before = fed.orc.writes().len();
    fed.run(&one_by_one).unwrap();
    let writes = fed.orc.writes().split_off(before);
    assert!(!writes.is_empty());
    for fault in InjectedFault::ALL {
        for (n, write) in writes.iter().enumerate() {
            let fed = made();
            fed.orc.fail_write(n, fault);
            let at = format!("{fault:?} at {n}, {write}");
            let code = fed.run(&one_by_one).map_err(|failure| failure.code.id()).err();
            assert_eq!(code, Some(told_of(fault, write)), "{at}");
            look(&fed, &at);
            fed.run(line).unwrap_or_else(|failure| panic!("{at}: {failure}"));
            assert_eq!(fed.run(line).unwrap().stage().id(), "already", "{at}");
        }
    }
}

/// What a run says that met the fault at a write.
fn told_of(fault: InjectedFault, write: &str) -> &'static str {
    match (fault, write.starts_with("upgrade ")) {
        (InjectedFault::Before | InjectedFault::After, _) => "fault",
        (InjectedFault::Idle, true) => "not-deployed",
        (InjectedFault::Undone, true) => "upgraded-by-others",
        (InjectedFault::Idle | InjectedFault::Undone, false) => "not-as-written",
    }
}
