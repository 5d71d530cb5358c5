//! The federation of a rehearsal: copies of the values files, a throw-away CA, and releases with TLS on.

use std::path::{Path, PathBuf};

use serde_json::Value;
use time::OffsetDateTime;

use crate::{
    cli::RehearseArgs,
    cluster::{ChartVersion, Cluster, Object, PAIR_TYPE, simulated::Simulated},
    failure::{Exit, Failure, Result},
    files,
    names::MspId,
    pki::{
        authority::create_root,
        inspect::{self, Certificate},
        key::{KeyType, PrivateKey},
    },
    plan::edits::ValuesFiles,
    substra::{
        backend::Backend,
        orchestrator::Orchestrator,
        servers::{Answer, call},
        specimen::{LeafUsage, Recipe},
    },
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
pub(super) struct Organization {
    pub(super) msp_id: MspId,
    pub(super) host: String,
    pub(super) release: String,
    pub(super) file: String,
    pub(super) cluster: Simulated,
}

/// All of it.
pub(super) struct Federation {
    folder: tempfile::TempDir,
    orchestrator_file: String,
    pub(super) orchestrator: Simulated,
    pub(super) organizations: Vec<Organization>,
    pub(super) ca: Certificate,
    pub(super) ca_key: PrivateKey,
    /// The name under which the backends dial the orchestrator.
    pub(super) dialled: String,
}

impl Federation {
    /// The user's own files, or the built-in ones; copied, so that none is ever written to.
    pub(super) fn of(args: &RehearseArgs, now: OffsetDateTime) -> Result<Self> {
        let folder = files::scratch()?;
        let (orchestrator_file, backends) = match &args.orchestrator {
            Some(orchestrator) => {
                let copy = |(n, path): (usize, &PathBuf)| copied(folder.path(), path, n + 1);
                (
                    copied(folder.path(), orchestrator, 0)?,
                    args.backend.iter().enumerate().map(copy).collect::<Result<Vec<_>>>()?,
                )
            }
            None => built_in(folder.path())?,
        };
        let (ca_key, ca_pem) = create_root(KeyType::EcdsaP256, now)?;
        let ca = inspect::certificates(ca_pem.as_bytes())?.swap_remove(0);
        files::publish(&folder.path().join("orchestrator-ca.crt"), ca_pem.as_bytes())?;
        files::create_private(&folder.path().join("orchestrator-ca.key"), ca_key.to_pem().as_bytes())?;
        let orchestrator = Simulated::new("orchestrator", now);
        let organizations = backends
            .iter()
            .enumerate()
            .map(|(n, file)| organization(&orchestrator, n + 1, file, &ca_pem))
            .collect::<Result<Vec<_>>>()?;
        let orchestrator_file = orchestrator_file.display().to_string();
        let mut federation =
            Self { folder, orchestrator_file, orchestrator, organizations, ca, ca_key, dialled: String::new() };
        federation.distinct()?;
        federation.install_orchestrator(&ca_pem, now)?;
        Ok(federation)
    }

    /// Two files of one organization could not both be its backend.
    fn distinct(&self) -> Result<()> {
        for (n, org) in self.organizations.iter().enumerate() {
            if self.organizations[..n].iter().any(|other| other.msp_id == org.msp_id) {
                return Err(Failure::new(
                    Exit::CheckFailed,
                    "organization-twice",
                    format!("{} has two backends in this rehearsal", org.msp_id),
                )
                .why("two --backend files have the same orchestrator.mspID")
                .next("name one file for each organization"));
            }
        }
        Ok(())
    }

    fn install_orchestrator(&mut self, ca_pem: &str, now: OffsetDateTime) -> Result<()> {
        let values = ValuesFiles::read(&[PathBuf::from(&self.orchestrator_file)])?.merged();
        let read = Orchestrator::read(&values)?;
        let mut names = read.own_names("orchestrator", "orchestrator");
        let dialled = |org: &Organization| {
            org.cluster.release(&org.release.parse().ok()?).ok()??.config["orchestrator"]["host"]
                .as_str()
                .map(str::to_owned)
        };
        names.extend(self.organizations.iter().filter_map(dialled));
        self.dialled = self.organizations.first().and_then(dialled).unwrap_or_else(|| names[0].clone());
        let key = PrivateKey::generate(KeyType::EcdsaP256)?;
        let recipe = Recipe {
            common_name: read.probe_name("orchestrator", "orchestrator"),
            dns_names: names,
            usage: Some(LeafUsage::Both),
            v3: true,
            ..Recipe::default()
        };
        let certificate = recipe.sign(key.spki(), &self.ca, &self.ca_key, now)?;
        let pair =
            [("tls.crt", certificate.as_bytes()), ("tls.key", key.to_pem().as_bytes())].map(|(k, v)| (k, v.to_vec()));
        let pair: Vec<(&str, &[u8])> = pair.iter().map(|(k, v)| (*k, v.as_slice())).collect();
        self.orchestrator.create(&Object::secret(read.server_pair.as_str(), PAIR_TYPE, &[], &pair))?;
        self.orchestrator.create(&Object::secret(
            read.cacert.as_str(),
            "Opaque",
            &[],
            &[("ca.crt", ca_pem.as_bytes())],
        ))?;
        self.orchestrator.install("orchestrator", chart(ORCHESTRATOR_CHART), values)
    }

    /// What each backend gets from the orchestrator now.
    pub(super) fn connections(&self, now: OffsetDateTime) -> Vec<(String, Answer)> {
        let ask = |org: &Organization| {
            let client = org.cluster.backend(&org.release);
            let answer = client
                .and_then(|client| self.orchestrator.with_server("orchestrator", |server| call(&client, server, now)));
            let answer = answer.unwrap_or_else(|| {
                Answer::HandshakeRefused("connection refused: the orchestrator does not run".to_owned())
            });
            (org.msp_id.to_string(), answer)
        };
        self.organizations.iter().map(ask).collect()
    }

    pub(super) fn folder(&self) -> String {
        self.folder.path().display().to_string()
    }

    pub(super) fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    pub(super) fn ca_file(&self, ending: &str) -> String {
        self.file(&format!("orchestrator-ca.{ending}"))
    }

    pub(super) fn orchestrator_file(&self) -> &str {
        &self.orchestrator_file
    }
}

fn chart((name, version): (&str, &str)) -> ChartVersion {
    ChartVersion { name: name.to_owned(), version: version.to_owned() }
}

fn built_in(folder: &Path) -> Result<(PathBuf, Vec<PathBuf>)> {
    let mut paths = Vec::new();
    for (name, text) in BUILT_IN {
        let path = folder.join(name);
        files::publish(&path, text.as_bytes())?;
        paths.push(path);
    }
    Ok((paths.remove(0), paths))
}

/// A copy in a folder of its own where two files have the same name.
fn copied(folder: &Path, path: &Path, number: usize) -> Result<PathBuf> {
    let text = files::read(path)?;
    let name = path.file_name().unwrap_or_default();
    let mut copy = folder.join(name);
    if copy.exists() {
        files::make_folder(&folder.join(number.to_string()))?;
        copy = folder.join(number.to_string()).join(name);
    }
    files::create_private(&copy, &text)?;
    Ok(copy)
}

/// A backend as it is before mutual TLS: installed with its own values, the CA's object in place.
fn organization(world: &Simulated, number: usize, file: &PathBuf, ca_pem: &str) -> Result<Organization> {
    let values: Value = ValuesFiles::read(std::slice::from_ref(file))?.merged();
    let backend = Backend::read(&values, None)?;
    let cluster = world.namespace(&format!("org-{number}"));
    if let Some(cacert) = &backend.cacert {
        cluster.create(&Object::secret(cacert.as_str(), "Opaque", &[], &[("ca.crt", ca_pem.as_bytes())]))?;
    }
    let release = format!("backend-org-{number}");
    cluster.install(&release, chart(BACKEND_CHART), values)?;
    Ok(Organization {
        msp_id: backend.msp_id,
        host: backend.host.to_string(),
        release,
        file: file.display().to_string(),
        cluster,
    })
}
