//! A federation set up by Substra's guide to the letter: its openssl commands, its objects, its values, mutual TLS on.

use std::process::Command;

use substra_mtls::{
    cluster::{ChartVersion, Helm, Kubernetes, Object, PAIR_TYPE, simulated::SimulatedCluster},
    substra::servers::{BackendClient, CallOutcome, PemPair, call},
    times::Clock,
    values,
};
use time::OffsetDateTime;

use crate::{reader::Reader, scripted::Scripted};

/// The guide's two organizations, each in a namespace of its name.
pub(super) const ORGANIZATIONS: [&str; 2] = ["ingen", "biotechnica"];

/// What every backend dials.
const HOST: &str = "orchestrator.cluster-1.example.org";

/// The guide's commands; `DOMAIN` is `example.org`.
const OPENSSL: &str = r#"
printf '[ req ]\ndefault_bits = 2048\ndefault_md = sha256\ndistinguished_name = req_distinguished_name\n[ req_distinguished_name ]\n[ v3_ca ]\nbasicConstraints = critical,CA:TRUE\nsubjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid:always,issuer:always\nkeyUsage = cRLSign, keyCertSign\n' >example-openssl.cnf
openssl genrsa -out orchestrator-ca.key 2048
openssl req -new -x509 -days 365 -sha256 -key orchestrator-ca.key -extensions v3_ca -config example-openssl.cnf -subj "/CN=Orchestrator Root CA" -out orchestrator-ca.crt
openssl req -newkey rsa:2048 -nodes -keyout orchestrator-tls.key -subj "/CN=orchestrator.cluster-1.example.org" -out orchestrator-cert.csr
printf 'subjectAltName=DNS:orchestrator.cluster-1.example.org' >san
openssl x509 -req -days 365 -in orchestrator-cert.csr -CA orchestrator-ca.crt -CAkey orchestrator-ca.key -CAcreateserial -out orchestrator-tls.crt -sha256 -extfile san
rm orchestrator-cert.csr orchestrator-ca.srl san example-openssl.cnf
for org in ingen/api.cluster-1 biotechnica/api.cluster-2; do
  openssl req -newkey rsa:2048 -nodes -keyout "${org%/*}.key" -subj "/O=${org%/*}/CN=${org#*/}.example.org" -out "${org%/*}.csr"
  openssl x509 -req -days 365 -in "${org%/*}.csr" -CA orchestrator-ca.crt -CAkey orchestrator-ca.key -CAcreateserial -out "${org%/*}.crt" -sha256
  rm "${org%/*}.csr"
done
"#;

const ORCHESTRATOR: &str = "\
ingress:
  enabled: true
  hostname: orchestrator.cluster-1.example.org

channels:
  - name: our-channel
    organizations: [ingen, biotechnica]

orchestrator:
    tls:
      enabled: true
      mtls:
        enabled: true
        clientCACerts:
          orchestrator:
            - orchestrator-tls-cacert
";

fn backend(org: &str, n: usize) -> String {
    format!(
        "\
organizationName: {org}

config:
  ALLOWED_HOSTS: '[\".cluster-{n}.example.org\"]'

server:
  defaultDomain: https://api.cluster-{n}.example.org:443
  commonHostDomain: cluster-{n}.example.org

  ingress:
    enabled: true
    hostname: api.cluster-{n}.example.org

orchestrator:
  host: orchestrator.cluster-1.example.org
  port: 443
  mspID: {org}
  sameCluster: false
  channels:
    - our-channel:
        restricted: false
        model_export_enabled: true
        chaincode:
          name: mycc
  tls:
     enabled: true
     cacert: orchestrator-cacert
     mtls:
         enabled: true
         clientCertificate: orchestrator-client-cert

addAccountOperator:
  users:
    - name: admin
      secret: an3xtr4lengthyp@ssword
      channel: our-channel
"
    )
}

/// All files in one folder, and a cluster behind `helm` and `kubectl`.
pub(super) struct Guide {
    pub(super) reader: Reader,
    /// The guide's pair of the first organization.
    old: PemPair,
}

impl Guide {
    pub(super) fn new() -> Self {
        let files = Reader::new(None);
        let mut openssl = Command::new("bash");
        let made = openssl.args(["-euc", OPENSSL]).current_dir(files.path("")).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let ca = files.read("orchestrator-ca.crt");
        let orc = SimulatedCluster::new("orchestrator", &Clock::system());
        let authority = |name| Object::secret(name, "Opaque", &[], &[("ca.crt", ca.as_bytes())]);
        let pair = |name: &str, file: &str| {
            let (certificate, key) = (files.read(&format!("{file}.crt")), files.read(&format!("{file}.key")));
            Object::secret(name, PAIR_TYPE, &[], &[("tls.crt", certificate.as_bytes()), ("tls.key", key.as_bytes())])
        };
        orc.create(&authority("orchestrator-tls-cacert")).unwrap();
        orc.create(&pair("orchestrator-tls-server-pair", "orchestrator-tls")).unwrap();
        let old =
            PemPair { certificate: files.read("ingen.crt").into(), key: files.read("ingen.key").into_bytes().into() };
        let install = |namespace: &str, release, chart: &str, version: &str, text: &str| {
            let chart = ChartVersion { name: chart.into(), version: version.into() };
            orc.in_namespace(namespace).install(release, chart, values::read(text.as_bytes()).unwrap()).unwrap();
        };
        install("orchestrator", "orchestrator", "orchestrator", "8.8.0", ORCHESTRATOR);
        for (org, n) in ORGANIZATIONS.into_iter().zip(1..) {
            orc.in_namespace(org).create(&authority("orchestrator-cacert")).unwrap();
            orc.in_namespace(org).create(&pair("orchestrator-client-cert", org)).unwrap();
            install(org, "backend", "substra-backend", "26.15.3", &backend(org, n));
        }
        // The pairs are where they belong; of the guide's files these are left.
        let reader = Reader::new(Some(Scripted::of(&orc)));
        files.hands(&["orchestrator-ca.crt", "orchestrator-ca.key"], &reader);
        reader.write("orchestrator-values.yaml", ORCHESTRATOR);
        let backends = ORGANIZATIONS.into_iter().zip(1..);
        backends.for_each(|(org, n)| reader.write(&format!("backend-{org}-values.yaml"), &backend(org, n)));
        let guide = Self { reader, old };
        guide.all_are_connected("by the guide");
        guide
    }

    /// How often a release was installed or upgraded.
    pub(super) fn revision(&self, namespace: &str, release: &str) -> u64 {
        self.reader.cluster().world(namespace).release(&release.parse().unwrap()).unwrap().unwrap().revision
    }

    /// Every organization, as it is.
    #[track_caller]
    pub(super) fn all_are_connected(&self, when: &str) {
        for org in ORGANIZATIONS {
            assert_eq!(self.answer(org, |client| client), CallOutcome::Accepted, "{org} {when}");
        }
    }

    /// The first organization under the name of the second.
    pub(super) fn first_as_second(&self) -> CallOutcome {
        self.answer(ORGANIZATIONS[0], |client| self.client(client.pair().cloned(), ORGANIZATIONS[1]))
    }

    /// The first organization as the guide left it.
    pub(super) fn with_the_guide_s_pair(&self) -> CallOutcome {
        self.answer(ORGANIZATIONS[0], |_| self.client(Some(self.old.clone()), ORGANIZATIONS[0]))
    }

    fn client(&self, pair: Option<PemPair>, header: &str) -> BackendClient {
        BackendClient::new(self.reader.read("orchestrator-ca.crt").into_bytes(), pair, header, HOST)
    }

    /// As the orchestrator's pods answer that start now, and as this backend dials.
    fn answer(&self, org: &str, change: impl FnOnce(BackendClient) -> BackendClient) -> CallOutcome {
        let orc = self.reader.cluster().world("orchestrator");
        let name = "orchestrator".parse().unwrap();
        let (chart, release) = (orc.chart(&name).unwrap().unwrap(), orc.release(&name).unwrap().unwrap());
        orc.install("orchestrator", chart, release.config).unwrap();
        let client = change(orc.in_namespace(org).backend("backend").unwrap());
        orc.with_server("orchestrator", |server| call(&client, server, OffsetDateTime::now_utc())).unwrap()
    }
}
