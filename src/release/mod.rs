//! What the verbs share of one release: it is found, read, checked, planned to be upgraded or handed over.

pub(crate) mod admission;
pub(crate) mod drift_guard;
pub(crate) mod find;
pub(crate) mod issue_log;
pub(crate) mod issued;
pub(crate) mod mounts;
mod options;
mod pending;
pub(crate) mod read;
mod recover;
pub(crate) mod remedy;
mod sops_edit;
mod state;
mod target;
mod upgrade;
mod values_files;
pub(crate) mod without_helm;

pub(crate) use self::{
    find::ReleaseQuery,
    state::{ChartPart, ReleaseState},
    target::{ClusterState, HasSide, Observed, Target},
    upgrade::UpgradeRequest,
};
pub use self::{
    options::Options,
    values_files::{EditedFiles, ValuesFiles, by_hand},
};
