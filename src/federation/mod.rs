//! `federation.yaml`: one federation's clusters, releases and files, checked before any work starts.

mod fault;
mod read;
mod rules;
mod shape;
mod value;

use std::path::{Path, PathBuf};

use crate::{
    failure::Result,
    files,
    names::{Hostname, MspId, Namespace, ObjectName, ReleaseName},
};

/// The `apiVersion` that is read.
pub const API_VERSION: &str = "substra-mtls/v1";
/// The `kind` that is read.
pub const KIND: &str = "Federation";

/// A federation: its orchestrator and at least one organization. Its file's form: `docs/federation.schema.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Federation {
    /// The orchestrator's side.
    pub orchestrator: OrchestratorSpec,
    /// In the file's order; no two have the same MSP ID, release or values file.
    pub organizations: Vec<OrganizationSpec>,
}

/// Where a release is, or shall be, and what it is installed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The kube context; `None` leaves it to Helm's own default.
    pub context: Option<String>,
    /// Joined with the folder of the federation file, as every path here; `None` as for `context`.
    pub kubeconfig: Option<PathBuf>,
    /// The release's namespace.
    pub namespace: Namespace,
    /// The release.
    pub release: ReleaseName,
    /// `repository/name`, `oci://...` or a path; `None` for the walkthrough's chart.
    pub chart: Option<String>,
    /// The chart's version; `None` for the one that is deployed.
    pub version: Option<String>,
    /// In Helm's order, at least one.
    pub values: Vec<PathBuf>,
}

/// The orchestrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrchestratorSpec {
    /// Its release.
    pub site: Site,
    /// The authority that signs the organizations' certificates.
    pub ca: CaSpec,
    /// Whether mutual TLS is turned on at the end; left as it is where the file does not say.
    pub gate: GateSpec,
    /// Who may be without a valid pair when the gate is closed; may be members that the file does not describe.
    pub cut_off: Vec<MspId>,
}

impl CaSpec {
    /// The file of its certificate.
    #[must_use]
    pub fn certificate(&self) -> Option<&Path> {
        match self {
            Self::Files { cert, .. } | Self::Create { cert, .. } => Some(cert),
            Self::Secret(_) => None,
        }
    }
}

/// Where the certificate authority is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaSpec {
    /// In two files that are there.
    Files {
        /// Its certificate, PEM.
        cert: PathBuf,
        /// Its private key, PEM.
        key: PathBuf,
    },
    /// In a Secret of the orchestrator's namespace.
    Secret(ObjectName),
    /// Made where these files are not there yet; `orchestrator-ca.crt` and `.key` beside the federation file by default.
    Create {
        /// Its certificate, PEM.
        cert: PathBuf,
        /// Its private key, PEM.
        key: PathBuf,
    },
}

/// What becomes of the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateSpec {
    /// Closed when every member is in place, those of `cut_off` aside.
    Close,
    /// Left as it is.
    Leave,
}

/// One organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationSpec {
    /// Its MSP ID.
    pub msp_id: MspId,
    /// Its backend's release.
    pub site: Site,
    /// As `enroll --hostname`; `None` for the host of its values.
    pub hostname: Option<Hostname>,
}

impl Federation {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// The file cannot be read, or as for [`Federation::parse`].
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = files::read(path)?;
        Self::parse(&bytes, &path.display().to_string(), path.parent().unwrap_or(Path::new("")))
    }

    /// Checks the text of a file called `name` in messages, whose paths are relative to `folder`.
    ///
    /// # Errors
    /// Refused with `name:line:column`: what is not YAML, not this version's form, or contradicts itself.
    pub fn parse(bytes: &[u8], name: &str, folder: &Path) -> Result<Self> {
        read::federation(bytes, &fault::FederationFile { name, folder })
    }
}
