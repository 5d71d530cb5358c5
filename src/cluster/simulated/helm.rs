//! Helm over the simulated cluster.

use serde_json::Value;

use super::{SimulatedCluster, charts};
use crate::{
    cluster::{ChartVersion, Helm, Release, ReleaseStatus, Upgrade},
    failure::Result,
    names::ReleaseName,
    substra::Side,
    values,
};

impl Helm for SimulatedCluster {
    fn releases(&self) -> Result<Vec<(String, ChartVersion)>> {
        let state = self.state();
        let here = state.releases.iter().filter(|((namespace, _), _)| *namespace == self.namespace);
        Ok(here.map(|((_, name), installed)| (name.clone(), installed.chart.clone())).collect())
    }

    fn release(&self, name: &ReleaseName) -> Result<Option<Release>> {
        let mut state = self.state();
        let now = state.clock.now();
        let Some(installed) = state.releases.get_mut(&(self.namespace.clone(), name.to_string())) else {
            return Ok(None);
        };
        if installed.ends.take_if(|ends| *ends <= now).is_some() {
            installed.status = ReleaseStatus::Deployed;
        }
        Ok(Some(installed.told(&self.namespace)))
    }

    fn chart(&self, name: &ReleaseName) -> Result<Option<ChartVersion>> {
        Ok(self
            .state()
            .releases
            .get(&(self.namespace.clone(), name.to_string()))
            .map(|installed| installed.chart.clone()))
    }

    fn find_chart(&self, upgrade: &Upgrade) -> Result<ChartVersion> {
        let name = upgrade.chart.rsplit('/').next().unwrap_or_default().to_owned();
        let newest = match Side::of_chart(&name) {
            Some(Side::Orchestrator) => "8.8.0",
            Some(Side::Backend) | None => "26.15.3",
        };
        let version = if upgrade.version.is_empty() { newest.to_owned() } else { upgrade.version.clone() };
        Ok(ChartVersion { name, version })
    }

    fn render(&self, upgrade: &Upgrade) -> Result<String> {
        let chart = self.find_chart(upgrade)?;
        charts::render(&chart, upgrade.release.as_str(), &upgrade.values.0)
    }

    fn parse_values(&self, files: &[&[u8]]) -> Result<Vec<std::result::Result<Value, String>>> {
        Ok(files.iter().map(|text| values::read(text).map_err(|refusal| refusal.to_string())).collect())
    }

    fn upgrade(&self, upgrade: &Upgrade) -> Result<()> {
        let chart = self.find_chart(upgrade)?;
        self.is_free(&upgrade.release)?;
        self.write(&format!("upgrade {}", upgrade.release), |state| {
            state.deploy(&self.namespace, upgrade.release.as_str(), chart, upgrade.values.0.clone())
        })
    }
}
