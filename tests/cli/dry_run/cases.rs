//! The worlds in which a verb is about to do something, and its command line.

use substra_mtls::{
    cluster::{ChartVersion, Kubernetes, Object, PAIR_TYPE, simulated::SimulatedCluster},
    pki::{authority::create_root, key::KeyType},
    times::Clock,
    values,
};
use time::{Duration, OffsetDateTime};

use crate::{
    bootstrap::world::{FILES, Fed, federation},
    simulated::Federation,
    world::{BACKEND, World},
};

const ENROLL: &str = "enroll -f @backend-values.yaml --release backend --out-dir @";
const APPROVE: &str = "approve @MyOrg1MSP.csr -f @orchestrator-values.yaml --release orchestrator --unverified-mail";
const SIGNS: &str = "--ca-cert @ca.crt --ca-key @ca.key";
const CLOSE: &str =
    "gate close -f @orchestrator-values.yaml --release orchestrator --installed MyOrg1MSP --ca-cert @ca.crt";
const OPEN: &str = "gate open -f @orchestrator-values.yaml --release orchestrator";
const INIT: &str = "ca init -f @orchestrator-values.yaml --release orchestrator";
const TRUST: &str = "ca trust -f @orchestrator-values.yaml --release orchestrator --for MyOrg1MSP";
const PLAIN: &str =
    "ingress: {hostname: orchestrator.example.org}\nchannels: [{name: c, organizations: [MyOrg1MSP]}]\n";

/// A world and a command line in it.
pub(super) struct Case {
    pub(super) world: World,
    /// Where the verb works; that of all for `bootstrap`.
    pub(super) at: SimulatedCluster,
    pub(super) now: OffsetDateTime,
    pub(super) line: String,
}

fn case(Federation { world, orc, org, now }: Federation, line: impl Into<String>) -> Case {
    let line = line.into();
    let at = if line.starts_with("enroll") || line.contains("--backend") { org } else { orc };
    Case { world, at, now, line }
}

fn requested() -> Federation {
    let fed = Federation::new();
    fed.enroll("").unwrap();
    fed
}

fn approved() -> Federation {
    let fed = requested();
    fed.approve().unwrap();
    fed
}

fn installed() -> Federation {
    let fed = approved();
    fed.install().unwrap();
    fed
}

fn closed() -> Federation {
    let fed = installed();
    fed.close("").unwrap();
    fed
}

/// An orchestrator without TLS and without a CA.
fn in_plain_text() -> Federation {
    let (world, now) = (World::new(), OffsetDateTime::now_utc());
    world.write("orchestrator-values.yaml", PLAIN);
    let orc = SimulatedCluster::new("orchestrator", &Clock::simulated(now));
    let chart = ChartVersion { name: "orchestrator".into(), version: "8.8.0".into() };
    orc.install("orchestrator", chart, values::read(PLAIN.as_bytes()).unwrap()).unwrap();
    let org = orc.in_namespace("org-1");
    let text = BACKEND.replace("enabled: true", "enabled: false");
    world.write("backend-values.yaml", &text);
    let chart = ChartVersion { name: "substra-backend".into(), version: "26.15.3".into() };
    org.install("backend", chart, values::read(text.as_bytes()).unwrap()).unwrap();
    world.write("org-ca.crt", &create_root(KeyType::EcdsaP256, now).unwrap().1);
    Federation { world, org, orc, now }
}

fn with_ca_secret(fed: Federation) -> Federation {
    let (certificate, key) = (fed.world.read("ca.crt"), fed.world.read("ca.key"));
    let pair: [(&str, &[u8]); 2] = [("tls.crt", certificate.as_bytes()), ("tls.key", key.as_bytes())];
    fed.orc.create(&Object::secret("federation-ca", PAIR_TYPE, &[], &pair)).unwrap();
    fed
}

fn of_file(Fed { world, orc, now }: Fed, line: &str) -> Case {
    Case { world, at: orc, now, line: line.to_owned() }
}

/// What it is called, and how it is made.
type Named = (&'static str, fn() -> Case);

/// Everything that a verb can be about to do.
pub(super) const CASES: &[Named] = &[
    ("enroll", || case(Federation::new(), ENROLL)),
    ("enroll without TLS", || case(in_plain_text(), ENROLL)),
    ("enroll that lost its request", || {
        let fed = requested();
        std::fs::remove_file(fed.world.path("MyOrg1MSP.csr")).unwrap();
        case(fed, ENROLL)
    }),
    ("enroll again", || case(requested(), format!("{ENROLL} --new-request"))),
    ("enroll to renew", || case(installed(), format!("{ENROLL} --renew"))),
    ("enroll nothing", || case(requested(), ENROLL)),
    ("install", || case(approved(), format!("{ENROLL} --certificate @MyOrg1MSP.crt"))),
    ("install for a sync", || case(approved(), format!("{ENROLL} --certificate @MyOrg1MSP.crt --no-upgrade"))),
    ("approve", || case(requested(), format!("{APPROVE} {SIGNS}"))),
    ("approve again", || {
        let fed = approved();
        std::fs::remove_file(fed.world.path("MyOrg1MSP.crt")).unwrap();
        case(fed, format!("{APPROVE} {SIGNS}"))
    }),
    ("approve by a Secret", || {
        case(with_ca_secret(requested()), format!("{APPROVE} --ca-secret federation-ca --out-dir @"))
    }),
    ("approve for a sync", || case(requested(), format!("{APPROVE} {SIGNS} --no-upgrade"))),
    ("approve behind a closed gate", || {
        let fed = closed();
        fed.enroll("--renew").unwrap();
        case(fed, format!("{APPROVE} {SIGNS}"))
    }),
    ("gate close", || case(installed(), CLOSE)),
    ("gate close for a sync", || case(installed(), format!("{CLOSE} --no-upgrade"))),
    ("gate close with one given up", || case(approved(), CLOSE.replace("--installed", "--cut-off"))),
    ("gate close nothing", || case(closed(), CLOSE)),
    ("gate open", || case(closed(), OPEN)),
    ("ca init", || case(in_plain_text(), format!("{INIT} --out-dir @"))),
    ("ca init in a Secret", || case(in_plain_text(), format!("{INIT} --secret federation-ca"))),
    ("ca init for a sync", || case(in_plain_text(), format!("{INIT} --out-dir @ --no-upgrade"))),
    ("ca init to renew", || {
        let fed = in_plain_text();
        fed.run(&fed.orc, &format!("{INIT} --out-dir @ --yes")).unwrap();
        case(Federation { now: fed.now + Duration::days(300), ..fed }, format!("{INIT} --out-dir @"))
    }),
    ("ca trust", || {
        let fed = installed();
        fed.world.write("org-ca.crt", &create_root(KeyType::EcdsaP256, fed.now).unwrap().1);
        case(fed, format!("{TRUST} @org-ca.crt"))
    }),
    ("ca trust at a backend", || {
        case(
            in_plain_text(),
            "ca trust @org-ca.crt --backend -f @backend-values.yaml --release backend --enable-tls".to_owned(),
        )
    }),
    ("bootstrap", || of_file(Fed::new(2), "bootstrap @federation.yaml")),
    ("bootstrap a CA", || {
        let fed = Fed::empty(2);
        fed.world.write("federation.yaml", &federation(2, "{create: true}", "close"));
        of_file(fed, "bootstrap @federation.yaml --install")
    }),
    ("bootstrap by a Secret", || {
        let fed = Fed::new(2);
        let (certificate, key) = (fed.world.read("ca.crt"), fed.world.read("ca.key"));
        let pair: [(&str, &[u8]); 2] = [("tls.crt", certificate.as_bytes()), ("tls.key", key.as_bytes())];
        fed.orc.create(&Object::secret("federation-ca", PAIR_TYPE, &[], &pair)).unwrap();
        fed.world.write("federation.yaml", &federation(2, "{secret: federation-ca}", "close"));
        of_file(fed, "bootstrap @federation.yaml")
    }),
    ("bootstrap the gate alone", || {
        let fed = Fed::new(2);
        fed.world.write("federation.yaml", &federation(2, FILES, "leave"));
        fed.run("bootstrap federation.yaml --yes").unwrap();
        fed.world.write("federation.yaml", &federation(2, FILES, "close"));
        of_file(fed, "bootstrap @federation.yaml")
    }),
];
