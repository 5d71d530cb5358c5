//! The federation of a rehearsal: its releases as their values files have them, and a throw-away CA.

use std::{path::PathBuf, sync::Arc};

use serde_json::Value;

use super::{
    before::{ExistingPair, IssueContext},
    ca::RehearsalCa,
    copies::Copies,
};
use crate::{
    cluster::{ChartVersion, Helm, Kubernetes, Object, PAIR_TYPE, Sops, simulated::SimulatedCluster},
    command_line::CommandLine,
    commands::rehearse::RehearseArgs,
    failure::{Code, Exit, Failure, Next, Result},
    files,
    names::MspId,
    pki::key::{KeyType, PrivateKey},
    release::{
        ValuesFiles,
        read::{is_a_backends, is_an_orchestrators},
    },
    session::Session,
    substra::{
        backend::Backend,
        forged_certificates::{CertificateRecipe, LeafUsage},
        orchestrator::Orchestrator,
        unmet,
    },
    values::ValuesKey,
};

/// Files as people write them.
const BUILT_IN: [(&str, &str); 4] = [
    ("orchestrator-values.yaml", include_str!("values/orchestrator-values.yaml")),
    ("backend-org-1-values.yaml", include_str!("values/backend-org-1-values.yaml")),
    ("backend-org-2-values.yaml", include_str!("values/backend-org-2-values.yaml")),
    ("backend-org-3-values.yaml", include_str!("values/backend-org-3-values.yaml")),
];

const BACKEND_CHART: (&str, &str) = ("substra-backend", "26.15.3");
const ORCHESTRATOR_CHART: (&str, &str) = ("orchestrator", "8.8.0");

/// An organization of the rehearsal.
pub(super) struct SimulatedOrganization {
    pub(super) msp_id: MspId,
    pub(super) host: String,
    pub(super) release: String,
    pub(super) file: String,
    pub(super) cluster: SimulatedCluster,
    /// The pair that is taken to be in place before.
    pub(super) held: Option<ExistingPair>,
}

/// A release to set up: where, its name, its values files.
pub(super) struct SimulatedSite {
    pub(super) cluster: SimulatedCluster,
    pub(super) release: String,
    pub(super) files: Vec<PathBuf>,
}

/// All of it.
pub(super) struct SimulatedFederation {
    pub(super) copies: Copies,
    sops: Arc<dyn Sops>,
    pub(super) orchestrator_file: String,
    pub(super) orchestrator: SimulatedCluster,
    /// The orchestrator's release.
    pub(super) release: String,
    pub(super) organizations: Vec<SimulatedOrganization>,
    pub(super) ca: RehearsalCa,
    /// What files cannot say, the pairs aside.
    pub(super) assumed: Vec<String>,
}

impl SimulatedFederation {
    /// The user's own files, or the built-in ones.
    pub(super) fn of(args: &RehearseArgs, session: &Session<'_>) -> Result<Self> {
        let clock = &session.clock;
        let mut copies = Copies::new()?;
        let files = match &args.orchestrator {
            Some(orchestrator) => {
                std::iter::once(orchestrator).chain(&args.backend).map(|path| copies.add(path)).collect()
            }
            None => built_in(&copies),
        };
        let mut files: Vec<PathBuf> = files?;
        let ca = RehearsalCa::create(clock.now())?;
        ca.publish(&copies.file("orchestrator-ca.crt"), &copies.file("orchestrator-ca.key"))?;
        let cluster = SimulatedCluster::new("orchestrator", clock);
        let backend = |(n, file): (usize, PathBuf)| SimulatedSite {
            cluster: cluster.in_namespace(&format!("org-{}", n + 1)),
            release: format!("backend-org-{}", n + 1),
            files: vec![file],
        };
        let backends: Vec<SimulatedSite> = files.split_off(1).into_iter().enumerate().map(backend).collect();
        let orchestrator = SimulatedSite { cluster, release: "orchestrator".to_owned(), files };
        let made = Self::set_up(session, copies, (ca, true), orchestrator, backends)?;
        match made.unplayable() {
            Some(failure) => Err(made.copies.only_rehearsed(&failure)),
            None => Ok(made),
        }
    }

    /// Sets the releases up with the values that their files have; with a CA that is there, its objects, the server's
    /// pair and the pairs of the backends that mount one are in place.
    pub(super) fn set_up(
        session: &Session<'_>,
        copies: Copies,
        (ca, ca_is_there): (RehearsalCa, bool),
        orchestrator: SimulatedSite,
        backends: Vec<SimulatedSite>,
    ) -> Result<Self> {
        let file = orchestrator.files.first().map(|file| file.display().to_string()).unwrap_or_default();
        let mut federation = Self {
            copies,
            sops: Arc::clone(&session.sops),
            orchestrator_file: file,
            orchestrator: orchestrator.cluster,
            release: orchestrator.release,
            organizations: Vec::new(),
            ca,
            assumed: Vec::new(),
        };
        let done = federation.install(&orchestrator.files, backends, ca_is_there);
        done.map_err(|failure| federation.copies.only_rehearsed(&failure))?;
        Ok(federation)
    }

    fn install(&mut self, files: &[PathBuf], backends: Vec<SimulatedSite>, ca_is_there: bool) -> Result<()> {
        let values = self.read(files)?;
        is_an_orchestrators(files, &values)?;
        let read = Orchestrator::read(&values).map_err(|failure| of_file(files, failure))?;
        for site in backends {
            let org = self.backend(site, &read, ca_is_there)?;
            self.distinct(&org)?;
            self.organizations.push(org);
        }
        if ca_is_there {
            self.server_pair(&read)?;
            self.client_cas(&read)?;
        }
        self.orchestrator.install(&self.release, chart(ORCHESTRATOR_CHART), values)
    }

    fn backend(
        &self,
        site: SimulatedSite,
        orchestrator: &Orchestrator,
        ca_is_there: bool,
    ) -> Result<SimulatedOrganization> {
        let SimulatedSite { cluster, release, files } = site;
        let values = self.read(&files)?;
        is_a_backends(&files, &values)?;
        let backend = Backend::read(&values, None).map_err(|failure| of_file(&files, failure))?;
        let held = ExistingPair::of(&values, orchestrator).filter(|_| ca_is_there);
        if ca_is_there && let Some(cacert) = &backend.cacert {
            put(&cluster, &self.ca.object(cacert.as_str()))?;
        }
        if let Some(held) = held {
            let around = IssueContext { ca: &self.ca, orchestrator, now: cluster.clock().now() };
            held.put(&backend, &cluster, &around)?;
        }
        cluster.install(&release, chart(BACKEND_CHART), values)?;
        let file = files.first().map(|file| file.display().to_string()).unwrap_or_default();
        Ok(SimulatedOrganization {
            msp_id: backend.msp_id,
            host: backend.host.to_string(),
            release,
            file,
            cluster,
            held,
        })
    }

    fn read(&self, files: &[PathBuf]) -> Result<Value> {
        Ok(ValuesFiles::read(files, &ValuesKey::default(), &self.sops)?.merged())
    }

    /// Two files of one organization could not both be its backend.
    fn distinct(&self, org: &SimulatedOrganization) -> Result<()> {
        let Some(other) = self.organizations.iter().find(|other| other.msp_id == org.msp_id) else { return Ok(()) };
        Err(Failure::new(
            Exit::CheckFailed,
            Code::OrganizationTwice,
            format!("{} has two backends in this rehearsal", org.msp_id),
        )
        .why(format!("{} and {} have the same orchestrator.mspID", other.file, org.file))
        .next("name one file for each organization"))
    }

    /// The server's own names, and what the backends dial besides.
    fn server_pair(&mut self, read: &Orchestrator) -> Result<()> {
        let mut dns_names = read.own_names(&self.release, &self.orchestrator.namespace_name());
        for (org, host) in self.organizations.iter().filter_map(|org| Some((org, org.dialled()?))) {
            if !dns_names.contains(&host.to_ascii_lowercase()) {
                self.assumed.push(format!("the server's certificate names {host}, which {} dials", org.msp_id));
                dns_names.push(host.to_ascii_lowercase());
            }
        }
        let key = PrivateKey::generate(KeyType::EcdsaP256)?;
        let common_name = read.probe_name(&self.release, &self.orchestrator.namespace_name());
        let recipe = CertificateRecipe {
            common_name,
            dns_names,
            usage: Some(LeafUsage::Both),
            v3: true,
            ..CertificateRecipe::default()
        };
        let now = self.orchestrator.clock().now();
        let certificate = recipe.sign(key.spki(), &self.ca.certificate, &self.ca.key, now)?;
        let pem = key.to_pem();
        let pair: [(&str, &[u8]); 2] = [("tls.crt", certificate.as_bytes()), ("tls.key", pem.as_bytes())];
        put(&self.orchestrator, &Object::secret(read.server_pair.as_str(), PAIR_TYPE, &[], &pair))?;
        put(&self.orchestrator, &self.ca.object(read.cacert.as_str()))
    }

    /// Objects of other CAs, of which the files have no more than the name.
    fn client_cas(&mut self, read: &Orchestrator) -> Result<()> {
        let mut others: Vec<&str> = read.client_cas.values().flatten().map(String::as_str).collect();
        others.sort_unstable();
        others.dedup();
        others.retain(|name| *name != read.cacert.as_str());
        if !others.is_empty() {
            self.assumed.push(format!("{} of clientCACerts holds the orchestrator's own CA", others.join(", ")));
        }
        others.into_iter().try_for_each(|name| put(&self.orchestrator, &self.ca.object(name)))
    }

    /// A file that has no TLS yet, after which what is rehearsed begins; or none that could be played.
    fn unplayable(&self) -> Option<Failure> {
        let off = |file: &str, whose: &str, next: &str| {
            unmet::tls_off(format!("{file}: TLS is not on {whose}"), unmet::VALUES_LACK_TLS).next(
                Next::from("set TLS up first: ")
                    .command(CommandLine::ours(next).option("-f", [self.copies.theirs(file)])),
            )
        };
        if !self.deployed().is_ok_and(|deployed| deployed.tls_enabled) {
            return Some(off(&self.orchestrator_file, "at the orchestrator", "ca init"));
        }
        let plain = self.organizations.iter().find(|org| org.values()["orchestrator"]["tls"]["enabled"] != true);
        let plain = plain.map(|org| {
            let whose = format!("from {} to the orchestrator", org.msp_id);
            off(&org.file, &whose, "ca trust orchestrator-ca.crt --backend --enable-tls")
        });
        plain.or_else(|| self.public_ca())
    }

    /// A backend that trusts public CAs, of which a rehearsal has none.
    pub(super) fn public_ca(&self) -> Option<Failure> {
        let is_public = |org: &&SimulatedOrganization| {
            let tls = &org.values()["orchestrator"]["tls"];
            tls["enabled"] == true && !tls["cacert"].is_string()
        };
        let file = &self.organizations.iter().find(is_public)?.file;
        let what = format!("{file}: the values name no CA of the orchestrator");
        let failure = Failure::new(Exit::CheckFailed, Code::NoCacert, what)
            .why("orchestrator.tls.cacert is empty: the orchestrator's certificate is a public CA's, and a rehearsal has none")
            .next("rehearse with a copy of the file that names one, for example orchestrator-cacert");
        Some(self.copies.only_rehearsed(&failure))
    }

    /// The orchestrator as it is deployed now.
    pub(super) fn deployed(&self) -> Result<Orchestrator> {
        Orchestrator::read(&config(&self.orchestrator, &self.release))
    }

    /// Where the verbs find the CA.
    pub(super) fn ca_file(&self, ending: &str) -> String {
        self.copies.file(&format!("orchestrator-ca.{ending}")).display().to_string()
    }
}

impl SimulatedOrganization {
    /// The values that are deployed now.
    pub(super) fn values(&self) -> Value {
        config(&self.cluster, &self.release)
    }

    /// The name under which it dials the orchestrator.
    pub(super) fn dialled(&self) -> Option<String> {
        self.values()["orchestrator"]["host"].as_str().map(str::to_owned)
    }
}

/// An object in its place; two releases of one namespace may name the same one.
pub(super) fn put(cluster: &SimulatedCluster, object: &Object) -> Result<()> {
    match cluster.create(object) {
        Err(failure) if failure.code == Code::Exists => Ok(()),
        other => other,
    }
}

fn config(cluster: &SimulatedCluster, release: &str) -> Value {
    let found = release.parse().ok().and_then(|name| cluster.release(&name).ok().flatten());
    found.map(|release| release.config).unwrap_or_default()
}

fn chart((name, version): (&str, &str)) -> ChartVersion {
    ChartVersion { name: name.to_owned(), version: version.to_owned() }
}

fn built_in(copies: &Copies) -> Result<Vec<PathBuf>> {
    let write = |(name, text): (&str, &str)| {
        let path = copies.file(name);
        files::publish(&path, text.as_bytes()).map(|()| path)
    };
    BUILT_IN.into_iter().map(write).collect()
}

fn named(files: &[PathBuf]) -> String {
    files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// A failure of what is in these files, which says so.
fn of_file(files: &[PathBuf], failure: Failure) -> Failure {
    Failure { what: format!("{}: {}", named(files), failure.what), ..failure }
}
