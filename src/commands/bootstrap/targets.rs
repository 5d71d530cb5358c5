//! Each release of the federation with its cluster, and how it is pointed at.

use crate::{
    cluster::{Cluster, ObjectRef},
    commands::bootstrap::BootstrapArgs,
    failure::{Code, Result},
    federation::{Federation, OrganizationSpec, Site},
    plan::{Action, Step, StepId},
    release::{HasSide, Options, ReleaseState, Target},
    session::OpenCluster,
};

/// One organization's backend.
pub(super) struct BackendTarget<'a> {
    pub(super) organization: &'a OrganizationSpec,
    pub(super) options: Options,
    pub(super) cluster: Box<dyn Cluster>,
}

/// The orchestrator.
pub(super) struct OrchestratorTarget<'a> {
    pub(super) federation: &'a Federation,
    pub(super) args: &'a BootstrapArgs,
    pub(super) options: Options,
    pub(super) cluster: Box<dyn Cluster>,
}

impl<'a> BackendTarget<'a> {
    pub(super) fn new(organization: &'a OrganizationSpec, args: &BootstrapArgs, open: OpenCluster<'_>) -> Result<Self> {
        let (options, cluster) = (options(&organization.site, args), open(&organization.site)?);
        Ok(Self { organization, options, cluster })
    }
}

impl<'a> OrchestratorTarget<'a> {
    pub(super) fn new(federation: &'a Federation, args: &'a BootstrapArgs, open: OpenCluster<'_>) -> Result<Self> {
        let site = &federation.orchestrator.site;
        Ok(Self { federation, args, options: options(site, args), cluster: open(site)? })
    }
}

fn options(site: &Site, args: &BootstrapArgs) -> Options {
    Options {
        values: site.values.clone(),
        release: Some(site.release.clone()),
        chart: site.chart.clone(),
        version: site.version.clone(),
        accept_drift: args.accept_drift,
        recover: args.recover,
        recover_after: args.recover_after,
        ..Options::default()
    }
}

/// What the files of a site say. A federation file has no key below which settings stand.
pub(super) fn read<V>(target: Result<Target<'_, V>>) -> Result<Target<'_, V>> {
    target.map_err(|failure| match failure.code {
        Code::ValuesKey => failure.next(
            "set up the releases below an umbrella chart one by one, with --values-key: ca init, enroll, approve, gate close; and take them out of the federation file",
        ),
        _ => failure,
    })
}

/// A release as it was found; where it is missing and may be installed, as it will be.
pub(super) fn find_or_install<V: HasSide>(target: &Target<'_, V>, site: &Site, install: bool) -> Result<ReleaseState> {
    match target.find() {
        Err(failure) if failure.code == Code::NoRelease && install => {
            let (cluster, namespace) = (target.session.cluster()?, site.namespace.as_str());
            ReleaseState::to_install(cluster, &site.release, V::SIDE, target.options, namespace)
        }
        Err(failure) if failure.code == Code::NoRelease => {
            Err(failure.next("fix the federation file, or install what is missing with --install"))
        }
        found => found,
    }
}

/// The namespace of a release that is to be installed, where it is not there yet. Rights that do not allow to look at
/// namespaces are those of somebody who was given one.
pub(super) fn namespace(cluster: &dyn Cluster, release: &ReleaseState) -> Result<Option<Step>> {
    if release.is_installed() {
        return Ok(None);
    }
    let name = &release.record.namespace;
    match cluster.get(&[ObjectRef::new("namespace", name)]) {
        Ok(there) if there.is_empty() => {
            let object = serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
            let action = Action::Create(object.into());
            Ok(Some(Step::to_do(StepId::Namespace, format!("namespace {name}"), action)))
        }
        Ok(_) => Ok(None),
        Err(failure) if failure.code == Code::Forbidden => Ok(None),
        Err(failure) => Err(failure),
    }
}
