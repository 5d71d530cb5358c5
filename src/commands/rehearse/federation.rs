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
    times::Clock,
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
pub(super) struct Organization {
    pub(super) msp_id: MspId,
    pub(super) host: String,
    pub(super) release: String,
    pub(super) file: String,
    pub(super) cluster: Simulated,
}

/// All of it.
pub(super) struct Federation {
    pub(super) folder: tempfile::TempDir,
    pub(super) orchestrator_file: String,
    pub(super) orchestrator: Simulated,
    /// The orchestrator's release.
    pub(super) release: String,
    pub(super) organizations: Vec<Organization>,
    pub(super) ca: Certificate,
    pub(super) ca_key: PrivateKey,
    /// The name under which the backends dial the orchestrator.
    pub(super) dialled: String,
}

impl Federation {
    /// The user's own files, or the built-in ones; copied, so that none is ever written to.
    pub(super) fn of(args: &RehearseArgs, clock: &Clock) -> Result<Self> {
        let now = clock.now();
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
        let orchestrator = Simulated::new("orchestrator", clock);
        let organizations = backends
            .iter()
            .enumerate()
            .map(|(n, file)| {
                let cluster = orchestrator.namespace(&format!("org-{}", n + 1));
                let release = format!("backend-org-{}", n + 1);
                organization(cluster, &release, std::slice::from_ref(file), Some(&ca_pem))
            })
            .collect::<Result<Vec<_>>>()?;
        let orchestrator_file = orchestrator_file.display().to_string();
        let mut federation = Self {
            folder,
            orchestrator_file,
            orchestrator,
            release: "orchestrator".to_owned(),
            organizations,
            ca,
            ca_key,
            dialled: String::new(),
        };
        federation.distinct()?;
        let files = [PathBuf::from(&federation.orchestrator_file)];
        federation.install_orchestrator(&files, Some(&ca_pem), now)?;
        Ok(federation)
    }

    /// Two files of one organization could not both be its backend.
    pub(super) fn distinct(&self) -> Result<()> {
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

    /// The orchestrator before mutual TLS; with a CA, that and a server pair are in place.
    pub(super) fn install_orchestrator(
        &mut self,
        files: &[PathBuf],
        ca_pem: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<()> {
        let values = ValuesFiles::read(files, &ValuesKey::default())?.merged();
        let read = Orchestrator::read(&values)?;
        let dialled = |org: &Organization| {
            org.cluster.release(&org.release.parse().ok()?).ok()??.config["orchestrator"]["host"]
                .as_str()
                .map(str::to_owned)
        };
        let hosts: Vec<String> = self.organizations.iter().filter_map(dialled).collect();
        let names = read.own_names(&self.release, &self.orchestrator.place_name());
        self.dialled = hosts.first().or(names.first()).cloned().unwrap_or_default();
        if let Some(ca_pem) = ca_pem {
            let all = names.into_iter().chain(hosts).collect();
            self.server_pair(&read, all, now)?;
            let data: [(&str, &[u8]); 1] = [("ca.crt", ca_pem.as_bytes())];
            self.orchestrator.create(&Object::secret(read.cacert.as_str(), "Opaque", &[], &data))?;
        }
        self.orchestrator.install(&self.release, chart(ORCHESTRATOR_CHART), values)
    }

    fn server_pair(&self, read: &Orchestrator, dns_names: Vec<String>, now: OffsetDateTime) -> Result<()> {
        let key = PrivateKey::generate(KeyType::EcdsaP256)?;
        let recipe = Recipe {
            common_name: read.probe_name(&self.release, &self.orchestrator.place_name()),
            dns_names,
            usage: Some(LeafUsage::Both),
            v3: true,
            ..Recipe::default()
        };
        let certificate = recipe.sign(key.spki(), &self.ca, &self.ca_key, now)?;
        let pem = key.to_pem();
        let pair: [(&str, &[u8]); 2] = [("tls.crt", certificate.as_bytes()), ("tls.key", pem.as_bytes())];
        self.orchestrator.create(&Object::secret(read.server_pair.as_str(), PAIR_TYPE, &[], &pair))
    }

    /// What each backend gets from the orchestrator now.
    pub(super) fn connections(&self, now: OffsetDateTime) -> Vec<(String, Answer)> {
        let ask = |org: &Organization| {
            let client = org.cluster.backend(&org.release);
            let answer = client
                .and_then(|client| self.orchestrator.with_server(&self.release, |server| call(&client, server, now)));
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

    /// A failure as the user may read it: of files that were copied by their names alone, and nothing happened to them.
    pub(super) fn only_rehearsed(&self, failure: &Failure) -> Failure {
        let theirs = |text: &str| text.replace(&format!("{}/", self.folder()), "");
        let (what, why, next) = (theirs(&failure.what), theirs(&failure.why), theirs(&failure.next));
        Failure { what, why, next, unchanged: Some("your files were only read".to_owned()), ..failure.clone() }
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
pub(super) fn copied(folder: &Path, path: &Path, number: usize) -> Result<PathBuf> {
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
pub(super) fn organization(
    cluster: Simulated,
    release: &str,
    files: &[PathBuf],
    ca_pem: Option<&str>,
) -> Result<Organization> {
    let values: Value = ValuesFiles::read(files, &ValuesKey::default())?.merged();
    let backend = Backend::read(&values, None)?;
    if let (Some(cacert), Some(ca_pem)) = (&backend.cacert, ca_pem) {
        cluster.create(&Object::secret(cacert.as_str(), "Opaque", &[], &[("ca.crt", ca_pem.as_bytes())]))?;
    }
    cluster.install(release, chart(BACKEND_CHART), values)?;
    Ok(Organization {
        msp_id: backend.msp_id,
        host: backend.host.to_string(),
        release: release.to_owned(),
        file: files.first().map(|file| file.display().to_string()).unwrap_or_default(),
        cluster,
    })
}
