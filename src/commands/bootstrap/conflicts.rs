//! What two parties of a federation must not share: the Secret of a pair, and a values file that is edited.

use std::{collections::BTreeMap, path::Path};

use super::{FederationPlan, member::Member};
use crate::{
    failure::{Code, Exit, Failure, Result},
    files,
    names::MspId,
    pki::policy,
    plan::{Action, InitialState, Step},
};

/// Two backends that mount one Secret cannot be two organizations.
pub(super) fn pairs<'a>(members: impl Iterator<Item = &'a Member<'a>>) -> Result<()> {
    let mut seen = BTreeMap::new();
    for member in members {
        let (site, secret) = member.place();
        let cluster = (&site.context, &site.kubeconfig, &site.namespace, secret.clone());
        if let Some(other) = seen.insert(cluster, member.msp_id) {
            return Err(shared(member.msp_id, other.as_str(), &secret));
        }
    }
    Ok(())
}

/// Two organizations cannot have one host, where one of them is to get a certificate; their keys are made here.
pub(super) fn identities(members: &[(bool, Member<'_>)]) -> Result<()> {
    let pairs = members.iter().enumerate().flat_map(|(at, later)| members[..at].iter().map(move |one| (one, later)));
    let signed = pairs.filter(|((needs, _), (also, _))| *needs || *also);
    let found: Vec<Failure> =
        signed.flat_map(|((_, one), (_, later))| policy::batch_conflicts(&[one.party(), later.party()])).collect();
    if found.is_empty() { Ok(()) } else { Err(Failure::first_of(found, "two organizations have one host")) }
}

/// Two organizations cannot be one.
pub(super) fn shared(one: &MspId, other: &str, secret: &str) -> Failure {
    Failure::new(Exit::CheckFailed, Code::PairShared, format!("{one} and {other} have one Secret {secret}"))
        .why("their backends are in one namespace and mount the pair from one name: the last one written would cut the other off")
        .next(format!("choose another name at orchestrator.tls.mtls.clientCertificate of {one}"))
}

/// A values file that several read is edited for none of them: the others would be changed by the way.
pub(super) fn edits(plan: &FederationPlan<'_>) -> Result<()> {
    let federation = plan.orchestrator.federation();
    let organizations = federation.organizations.iter().map(|org| (org.msp_id.as_str(), &org.site));
    let mut readers: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for (who, site) in organizations.chain([("orchestrator", &federation.orchestrator.site)]) {
        site.values.iter().for_each(|path| readers.entry(files::real(path)).or_default().push(who));
    }
    let parts = plan.members.iter().map(|member| (member.msp_id.as_str(), &member.plan.steps));
    for (who, steps) in parts.chain([("orchestrator", &plan.first.steps), ("orchestrator", &plan.last.steps)]) {
        for path in steps.iter().filter_map(edited) {
            let other = readers.get(&files::real(path)).and_then(|all| all.iter().find(|other| **other != who));
            if let Some(other) = other {
                return Err(Failure::new(
                    Exit::CheckFailed,
                    Code::ValuesShared,
                    format!("{} is not edited for {who}", path.display()),
                )
                .why(format!("{other} reads it too, and would be changed by the way"))
                .next(format!(
                    "move what stands in it under orchestrator.tls into a file that only {who} uses, named after it"
                )));
            }
        }
    }
    Ok(())
}

fn edited(step: &Step) -> Option<&Path> {
    match &step.action {
        Action::EditValues { path, .. } if step.state == InitialState::ToDo => Some(path),
        _ => None,
    }
}
