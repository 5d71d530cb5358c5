//! The upgrade of a release to edited values files: what it would do, seen before anything is written.

use serde_json::{Map, Value};

use super::{EditedFiles, Options, ReleaseQuery, ReleaseState, ValuesFiles, drift_guard::DriftGuard, find, state};
use crate::{
    cluster::{ChartVersion, Cluster, ObjectRef, ReleaseStatus, Upgrade},
    command_line::CommandLine,
    failure::{Code, Exit, Failure, Next, Result},
    parallel::side_by_side,
    plan::{Action, Handoff, Plan, Step, StepId, drift::same},
    session::Session,
    substra::manifest::Manifest,
    text::count,
    values::Setting,
};

/// What a verb wants of a release.
pub(crate) struct UpgradeRequest<'a> {
    pub(crate) session: &'a Session<'a>,
    pub(crate) options: &'a Options,
    pub(crate) files: &'a ValuesFiles,
    pub(crate) edited: &'a EditedFiles,
    /// The settings that this run brings about: all else that differs is drift.
    pub(crate) own: &'a [Setting],
    /// Parse the files with Helm here; `false` where the caller has done it for all releases in one call.
    pub(crate) read: bool,
    /// The paths that the verb is about, shown where somebody else has to deploy them.
    pub(crate) paths: &'a [&'static [&'static str]],
    /// What is so once they are deployed, in a few words.
    pub(crate) then: &'static str,
}

impl UpgradeRequest<'_> {
    /// What is left to somebody else, who deploys the files.
    pub(super) fn handoff(&self, release: &ReleaseState) -> Handoff {
        let mut values = Value::Object(Map::new());
        for path in self.paths.iter().map(|path| self.files.key().path(path)) {
            let there = path.iter().try_fold(&self.edited.whole, |node, key| node.get(key));
            if let Some(there) = there.filter(|there| !there.is_null()) {
                put(&mut values, &path, there.clone());
            }
        }
        Handoff {
            files: self.options.values.clone(),
            values,
            release: release.name.clone(),
            namespace: release.record.namespace.clone(),
            then: self.then,
            check: self.options.check(self.session, release),
        }
    }

    fn cluster(&self) -> Result<&dyn Cluster> {
        self.session.cluster()
    }
}

fn put(node: &mut Value, path: &[&str], value: Value) {
    let (Some((key, rest)), Value::Object(map)) = (path.split_first(), node) else { return };
    if rest.is_empty() {
        map.insert((*key).to_owned(), value);
    } else {
        put(map.entry(*key).or_insert_with(|| Value::Object(Map::new())), rest, value);
    }
}

impl ReleaseState {
    fn upgrade(&self, request: &UpgradeRequest<'_>) -> Upgrade {
        let options = request.options;
        Upgrade {
            release: self.name.clone(),
            chart: options.chart.clone().unwrap_or_else(|| state::reference(self.side)),
            version: options.version.clone().unwrap_or_else(|| self.package.version.clone()),
            values: request.edited.values(),
            base_revision: self.record.revision,
        }
    }

    /// Nothing is deployed again: only the rollout is looked at.
    pub(crate) fn plan_unchanged(&self, request: &UpgradeRequest<'_>) -> Plan {
        let title = format!("helm upgrade of release {}", self.name);
        let upgrade = Step::to_do(StepId::Upgrade, title, Action::Upgrade(self.upgrade(request))).already_if(true);
        Plan::of([upgrade, self.rollout(self.workloads())])
    }

    /// Plans the upgrade to the edited files, with the deployed chart version unless another is asked for. Gives back the
    /// release as the files, once they are deployed, will leave it.
    ///
    /// # Errors
    /// Drift, another chart, a file that Helm reads otherwise, a chart that does not render.
    pub(crate) fn plan(&self, request: &UpgradeRequest<'_>) -> Result<(Plan, Self)> {
        let upgrade = self.upgrade(request);
        let deployed = self.recovery.is_none()
            && self.record.status == ReleaseStatus::Deployed
            && same(&self.record.config, &request.edited.whole)
            && upgrade.version == self.package.version;
        if deployed {
            return Ok((self.plan_unchanged(request), self.clone()));
        }
        let warnings: Vec<String> = self.note.iter().cloned().chain(self.drift(request)?).collect();
        let is_same_version = upgrade.version == self.package.version;
        let recover = self.recovery.as_ref().map(|recovery| recovery.step(request, is_same_version)).transpose()?;
        let (plan, after) = self.look_ahead(upgrade, request)?;
        Ok((Plan::of(recover).then(plan).warn(warnings), after))
    }

    fn rollout(&self, workloads: Vec<ObjectRef>) -> Step {
        let title = format!("rollout of release {}: every workload new and ready, no old pod left", self.name);
        Step::to_do(StepId::Rollout, title, Action::RollOut { release: self.name.to_string(), workloads })
    }

    /// Three children side by side: Helm's own reading of the files, the chart in that version, what it renders. A release
    /// that is left alone is rendered where its chart was named.
    fn look_ahead(&self, upgrade: Upgrade, request: &UpgradeRequest<'_>) -> Result<(Plan, Self)> {
        let (cluster, options) = (request.cluster()?, request.options);
        let renders = !options.no_upgrade || options.chart.is_some();
        let read = || if request.read { request.edited.proven_by(cluster) } else { Ok(()) };
        let chart = || renders.then(|| cluster.find_chart(&upgrade)).transpose();
        let render = || renders.then(|| cluster.render(&upgrade)).transpose();
        let (read, (chart, rendered)) = side_by_side(read, || side_by_side(chart, render));
        read?;
        if let Some(chart) = &chart? {
            self.right_chart(chart, &upgrade)?;
        }
        let whole = rendered?.map_or_else(|| Ok(self.whole.clone()), |text| Manifest::parse(&text))?;
        let manifest = self.part(&whole)?;
        let mut plan = Plan { restarts: self.whole.changed_workloads(&whole), ..Plan::default() };
        let after = self.after(manifest, whole, request.edited);
        if options.no_upgrade {
            plan.handoff = Some(request.handoff(self));
        } else {
            let install = if upgrade.base_revision == 0 { "--install " } else { "" };
            let title =
                format!("helm upgrade {install}{} {} --version {}", upgrade.release, upgrade.chart, upgrade.version);
            plan.steps.push(Step::to_do(StepId::Upgrade, title, Action::Upgrade(upgrade)));
            plan.steps.push(self.rollout(after.workloads()));
        }
        Ok((plan, after))
    }

    /// The release as the files will leave it.
    fn after(&self, manifest: Manifest, whole: Manifest, edited: &EditedFiles) -> Self {
        let mut after = Self { manifest, whole, config: edited.merged.clone(), recovery: None, ..self.clone() };
        after.record.config = edited.whole.clone();
        after.record.status = ReleaseStatus::Deployed;
        after.record.revision += 1;
        after
    }

    fn part(&self, whole: &Manifest) -> Result<Manifest> {
        let query = ReleaseQuery { side: self.side, release: None, key: self.key.clone(), hints: None };
        Ok(find::own_part(&query, whole, &self.package)?.manifest)
    }

    fn right_chart(&self, chart: &ChartVersion, upgrade: &Upgrade) -> Result<()> {
        if chart.name == self.package.name && (chart.version == upgrade.version || upgrade.version.is_empty()) {
            return Ok(());
        }
        Err(Failure::new(
            Exit::CheckFailed,
            Code::Chart,
            format!(
                "{} is {} {}, not {} {}",
                upgrade.chart, chart.name, chart.version, self.package.name, upgrade.version
            ),
        )
        .why("an upgrade with it would change more than mutual TLS")
        .next("name the chart that is deployed with --chart, or accept the other version with --version")
        .unchanged("nothing was written"))
    }

    fn drift(&self, request: &UpgradeRequest<'_>) -> Result<Vec<String>> {
        let lines = DriftGuard {
            side: self.side,
            key: &self.key,
            deployed: &self.record.config,
            will: &request.edited.whole,
            own: request.own,
            is_encrypted: request.files.are_encrypted(),
        }
        .lines();
        if lines.is_empty() || !self.is_installed() {
            return Ok(Vec::new());
        }
        if request.options.accept_drift || request.options.no_upgrade {
            return Ok(lines);
        }
        Err(Failure::new(
            Exit::CheckFailed,
            Code::Drift,
            format!("release {} and the values files differ in {}", self.name, count(lines.len(), "place")),
        )
        .why(format!("an upgrade would change these too: {}", lines.join("; ")))
        .next(
            Next::from("bring the files up to what ")
                .command(CommandLine::helm().at(&request.session.target()).with("get values").word(&self.name))
                .words(" shows, or accept the change with --accept-drift"),
        )
        .unchanged("nothing was written"))
    }
}
