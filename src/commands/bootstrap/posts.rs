//! Each release of the federation with its cluster and with the options by which the other verbs know it.

use std::path::PathBuf;

use crate::{
    cli::{ApproveArgs, BootstrapArgs, CommonArgs, EnrollArgs},
    cluster::{Cluster, ObjectRef},
    failure::{Code, Exit, Failure, Result},
    federation::{Ca, Federation, Organization, Site},
    plan::{Action, Step, StepId},
    release::Options,
    release::ReleaseState,
    session::Session,
    substra::Side,
};

/// Opens the cluster of a site.
pub type Open<'a> = &'a dyn Fn(&Site) -> Result<Box<dyn Cluster>>;

/// One organization's backend.
pub(super) struct Post<'a> {
    pub(super) organization: &'a Organization,
    pub(super) args: EnrollArgs,
    pub(super) cluster: Box<dyn Cluster>,
}

/// The orchestrator.
pub(super) struct HeadPost {
    pub(super) approve: ApproveArgs,
    pub(super) cluster: Box<dyn Cluster>,
}

/// A session at a cluster, from which nobody is asked anything: consent is asked once for all.
pub(super) fn session<'a>(cluster: &'a dyn Cluster, session: &Session<'_>) -> Session<'a> {
    session.like(Some(cluster), session.console)
}

impl<'a> Post<'a> {
    pub(super) fn new(organization: &'a Organization, args: &BootstrapArgs, open: Open<'_>) -> Result<Self> {
        let enroll = EnrollArgs {
            common: common(&organization.site, args),
            certificate: None,
            renew: false,
            new_request: false,
            hostname: organization.hostname.clone(),
            key_type: args.key_type,
            key_file: None,
            client_ca: None,
            out_dir: PathBuf::from("."),
        };
        Ok(Self { organization, args: enroll, cluster: open(&organization.site)? })
    }
}

impl HeadPost {
    pub(super) fn new(federation: &Federation, args: &BootstrapArgs, open: Open<'_>) -> Result<Self> {
        let orchestrator = &federation.orchestrator;
        let (mut ca_cert, mut ca_key, mut ca_secret) = (None, None, None);
        match &orchestrator.ca {
            Ca::Files { cert, key } | Ca::Create { cert, key } => {
                (ca_cert, ca_key) = (Some(cert.clone()), Some(key.clone()));
            }
            Ca::Secret(name) => ca_secret = Some(name.clone()),
        }
        let approve = ApproveArgs {
            requests: Vec::new(),
            common: common(&orchestrator.site, args),
            ca_cert,
            ca_key,
            ca_secret,
            namespace: None,
            ca_object: None,
            fingerprint: Vec::new(),
            unverified_mail: false,
            validity: args.validity,
            passphrase_fd: args.passphrase_fd,
            offline: false,
            out_dir: None,
        };
        Ok(Self { approve, cluster: open(&orchestrator.site)? })
    }
}

fn common(site: &Site, args: &BootstrapArgs) -> CommonArgs {
    CommonArgs {
        values: site.values.clone(),
        values_key: None,
        release: Some(site.release.clone()),
        chart: site.chart.clone(),
        version: site.version.clone(),
        no_upgrade: false,
        accept_drift: args.accept_drift,
        dry_run: args.dry_run,
        yes: true,
        timeout: args.timeout,
        output: args.output,
    }
}

/// A release as it was found; where it is missing and may be installed, as it will be.
pub(super) fn or_to_install(
    found: Result<ReleaseState>,
    side: Side,
    cluster: &dyn Cluster,
    site: &Site,
    options: &Options,
    install: bool,
) -> Result<ReleaseState> {
    match found {
        Err(failure) if failure.code == Code::NoRelease && install => {
            ReleaseState::to_install(cluster, &site.release, side, options, site.namespace.as_str())
        }
        Err(failure) if failure.code == Code::NoRelease => {
            Err(failure.next("mend the federation file, or install what is missing with --install"))
        }
        found => found,
    }
}

/// The namespace of a release that is to be installed, where it is not there yet. Rights that do not allow to look at
/// namespaces are those of somebody who was given one.
pub(super) fn namespace(cluster: &dyn Cluster, found: &ReleaseState) -> Result<Option<Step>> {
    if found.is_installed() {
        return Ok(None);
    }
    let name = &found.release.namespace;
    match cluster.get(&[ObjectRef::new("namespace", name)]) {
        Ok(there) if there.is_empty() => {
            let object = serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
            Ok(Some(Step::to_do(StepId::Namespace, format!("namespace {name}"), Action::Create(object.into()))))
        }
        Ok(_) => Ok(None),
        Err(failure) if failure.code == Code::Forbidden => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Of several findings the first; the others are told in its reason.
pub(super) fn first(mut found: Vec<Failure>, or: &str) -> Failure {
    if found.is_empty() {
        return Failure::new(Exit::Refused, Code::Refused, or)
            .why("no rule said which")
            .next("report this as a bug, with the federation file");
    }
    let first = found.remove(0);
    let more: String = found.iter().map(|other| format!("; and {}", other.what)).collect();
    let why = format!("{}{more}", first.why);
    first.why(why)
}
