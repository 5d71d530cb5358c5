//! The last part of the plan: who is admitted, and the gate.

use std::collections::BTreeMap;

use super::orchestrator::OrchestratorState;
use crate::{
    exchange::gate,
    failure::{Code, Exit, Failure, Result},
    names::MspId,
    pki::log::IssueLog,
    plan::Plan,
    release::{EditedFiles, mounts::Mounts},
    substra::{kebab::kebab_case, orchestrator::Orchestrator, unmet},
    values::Setting,
};

impl OrchestratorState<'_> {
    /// Admits organizations and, with `close`, turns mutual TLS on: one merge, one upgrade.
    ///
    /// # Errors
    /// Somebody would be cut off, the server would not start, drift.
    pub(super) fn admit(&self, admitted: &[MspId], close: bool, log: &IssueLog) -> Result<Plan> {
        let state = &self.state;
        let mut settings = state.values.admit_settings(admitted, &state.values.cacert);
        if close {
            settings.extend(state.values.close_settings(true));
        }
        let edited = state.files.edit(&settings)?;
        let after = Orchestrator::read(&edited.merged)?;
        no_clash(&after)?;
        let upgrade = if close {
            self.close(admitted, log, &edited, &settings, &after)?
        } else {
            state.admission(&state.cluster, &edited, &settings)?
        };
        Ok(Plan::of(edited.steps).then(upgrade))
    }

    /// The upgrade that closes the gate; `after` is the orchestrator as the files will say.
    fn close(
        &self,
        admitted: &[MspId],
        log: &IssueLog,
        edited: &EditedFiles,
        settings: &[Setting],
        after: &Orchestrator,
    ) -> Result<Plan> {
        let (target, cluster) = (&self.state.target, &self.state.cluster);
        let (plan, release) = cluster.release.plan(&gate::upgrade(target, edited, settings))?;
        let mut findings = Mounts::of(target, after, cluster, &release.manifest).check(after);
        let mut warnings = Vec::new();
        if !self.is_closed() {
            findings.extend(self.strangers(admitted));
            warnings.extend(self.given_up(admitted));
            let mounts = Mounts::of(target, after, cluster, &cluster.release.manifest);
            warnings.extend(gate::dangers(&mounts, after, Some(log)));
        }
        if !findings.is_empty() {
            return Err(Failure::first_of(findings, "the gate stays as it is"));
        }
        Ok(plan.with_rollouts_seen(&cluster.objects).warn(warnings))
    }

    /// Members that the federation file does not speak of.
    pub(super) fn strangers(&self, admitted: &[MspId]) -> Vec<Failure> {
        let given_up = &self.federation().orchestrator.cut_off;
        let is = |list: &[MspId], member: &str| list.iter().any(|org| org.as_str() == member);
        let members = &self.state.values.members;
        let unknown = members.iter().filter(|member| !is(admitted, member) && !is(given_up, member));
        let findings = unknown.map(|member| {
            Failure::new(
                Exit::CheckFailed,
                Code::NotDescribed,
                format!("{member} would be cut off: it has no pair here"),
            )
            .why("it is a member of a channel, and no organization of this run")
            .next(format!("add {member} under organizations, or give it up with orchestrator.cutOff: [{member}]"))
        });
        let misspelt = given_up.iter().filter(|org| !members.iter().any(|member| member == org.as_str()));
        findings.chain(misspelt.map(|org| unmet::not_a_member(org, members, "orchestrator.cutOff"))).collect()
    }

    fn given_up(&self, admitted: &[MspId]) -> Vec<String> {
        let given_up = self.federation().orchestrator.cut_off.iter().filter(|org| !admitted.contains(org));
        given_up.map(unmet::given_up).collect()
    }
}

/// Two keys of one kebab form make a manifest that the API server refuses.
fn no_clash(orchestrator: &Orchestrator) -> Result<()> {
    let mut seen = BTreeMap::new();
    for key in orchestrator.client_cas.keys() {
        let kebab = kebab_case(key);
        if let Some(other) = seen.insert(kebab.clone(), key) {
            let what = format!("{other} and {key} cannot both be admitted");
            return Err(Failure::new(Exit::CheckFailed, Code::KeyClash, what)
                .why(format!("the chart makes {kebab} of both, and two volumes of one name are refused"))
                .next("take one of the two out of orchestrator.tls.mtls.clientCACerts"));
        }
    }
    Ok(())
}
