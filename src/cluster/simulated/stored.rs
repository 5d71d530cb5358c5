//! A simulated world as JSON and back, for a program that keeps it in a file from one call to the next.

use serde_json::{Value, json};

use super::{SimulatedCluster, SimulatedRelease, charts};
use crate::{
    cluster::{ChartVersion, Object, ReleaseStatus},
    failure::{Code, Exit, Failure, Result},
    times::Clock,
};

impl SimulatedCluster {
    /// All namespaces of the world.
    #[must_use]
    pub fn stored(&self) -> Value {
        let state = self.state();
        let objects = state.objects.iter().map(|((space, _), object)| json!({"namespace": space, "object": object}));
        let releases = state.releases.iter().map(|((space, name), installed)| {
            let SimulatedRelease { revision, status, config, chart, waiting, annotations, .. } = installed;
            json!({"namespace": space, "name": name, "revision": revision, "status": status.to_string(), "config": config,
                   "chart": {"name": chart.name, "version": chart.version}, "waiting": waiting, "notes": annotations})
        });
        json!({"version": state.version, "objects": objects.collect::<Vec<_>>(), "releases": releases.collect::<Vec<_>>()})
    }

    /// A namespace of the world that was stored. No server answers in it before the next upgrade or restart.
    ///
    /// # Errors
    /// It is no such world.
    pub fn restored(namespace: &str, clock: &Clock, stored: &Value) -> Result<Self> {
        let restored = Self::new(namespace, clock);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let all = |key: &str| stored[key].as_array().ok_or_else(|| damaged(key)).cloned();
        let (objects, releases) = (all("objects")?, all("releases")?);
        let mut state = restored.state();
        state.version = stored["version"].as_u64().ok_or_else(|| damaged("version"))?;
        for one in objects {
            let name = Object::from(one["object"].clone()).reference();
            state.objects.insert((text(&one["namespace"]), name), one["object"].clone());
        }
        for one in releases {
            let key = (text(&one["namespace"]), text(&one["name"]));
            let chart = ChartVersion { name: text(&one["chart"]["name"]), version: text(&one["chart"]["version"]) };
            let config = one["config"].clone();
            let manifest = charts::render(&chart, &key.1, &config)?;
            let revision = one["revision"].as_u64().ok_or_else(|| damaged("revision"))?;
            let waiting = serde_json::from_value(one["waiting"].clone()).map_err(|_| damaged("pods"))?;
            let annotations = serde_json::from_value(one["notes"].clone()).map_err(|_| damaged("notes"))?;
            let (status, server) = (ReleaseStatus::of_helm(&text(&one["status"])), None);
            state.releases.insert(
                key,
                SimulatedRelease {
                    revision,
                    status,
                    config,
                    manifest,
                    chart,
                    server,
                    waiting,
                    annotations,
                    since: clock.now(),
                    ends: None,
                    before: None,
                },
            );
        }
        drop(state);
        Ok(restored)
    }
}

fn damaged(what: &str) -> Failure {
    Failure::new(Exit::Failed, Code::Simulated, "this is no simulated world")
        .why(format!("its {what} cannot be read"))
        .next("store it again")
}
