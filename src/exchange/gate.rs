//! The gate: mutual TLS at the orchestrator for all, whether it is closed, and who could pass it who should not.

use crate::{
    cluster::{ObjectRef, ReleaseStatus},
    pki::{inspect::Certificate, log::IssueLog},
    release::{
        EditedFiles, ReleaseState, Target, UpgradeRequest, issued,
        mounts::{self, Mounts, read_pair},
    },
    substra::orchestrator::{OWN_PATHS, Orchestrator},
    values::Setting,
};

/// Whether what is deployed and what the files say have mutual TLS on, as strictly as asked.
pub(crate) fn is_closed(release: &ReleaseState, files: &Orchestrator, verify: bool) -> bool {
    let deployed = Orchestrator::read(release.config());
    let closed = |o: &Orchestrator| o.mtls_enabled && (o.verify_msp_id || !verify);
    release.record.status == ReleaseStatus::Deployed && closed(files) && deployed.is_ok_and(|o| closed(&o))
}

/// An upgrade that moves the gate.
pub(crate) fn upgrade<'a>(
    target: &'a Target<'a, Orchestrator>,
    edited: &'a EditedFiles,
    own: &'a [Setting],
) -> UpgradeRequest<'a> {
    let then = "the gate is as the files say, once the new pod is ready and the old one gone";
    target.upgrade(edited, own, OWN_PATHS, then)
}

/// What is wrong with the certificates of a log and with the CAs that come alive with the gate, in the words of `check`. A
/// CA that has signed what the log has is the federation's.
pub(crate) fn dangers(mounts: &Mounts<'_>, orchestrator: &Orchestrator, log: Option<&IssueLog>) -> Vec<String> {
    let cas = mounts.authorities(orchestrator);
    let is_known = |ca: &Certificate| log.is_some_and(|log| log.knows(ca.fingerprint()));
    let foreign = mounts::foreign(orchestrator, &cas, is_known).into_iter().map(|foreign| foreign.said);
    let Some(log) = log else {
        let unseen = "the issue log was not looked at: listing ConfigMaps is not allowed here".to_owned();
        return foreign.chain([unseen]).collect();
    };
    let pair = read_pair(mounts.object(&ObjectRef::secret(orchestrator.server_pair.as_str())));
    let names = issued::names(orchestrator, mounts.release, pair.as_ref().map(|pair| &pair.leaf));
    let troubles = issued::troubles(log, &names, mounts.now).into_iter().map(|(_, trouble)| trouble.said);
    foreign.chain(troubles).collect()
}
