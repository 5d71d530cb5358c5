//! The orchestrator as its values say it: its TLS, whom it admits, its members, and the names that are its own.

use std::collections::BTreeMap;

use serde_json::Value;

use super::paths::{self, wrong};
use crate::{
    failure::Result,
    names::{MspId, ObjectName},
    values::Setting,
};

const TLS_ENABLED: &[&str] = &["orchestrator", "tls", "enabled"];
/// The object that holds its CA, which is one for clients too.
pub const CACERT: &[&str] = &["orchestrator", "tls", "cacert"];
const SERVER_PAIR: &[&str] = &["orchestrator", "tls", "secrets", "pair"];
/// Whether it asks for client certificates.
pub const MTLS_ENABLED: &[&str] = &["orchestrator", "tls", "mtls", "enabled"];
/// Whom the orchestrator admits, by which CAs.
pub const CLIENT_CAS: &[&str] = &["orchestrator", "tls", "mtls", "clientCACerts"];
/// The identity check.
pub const VERIFY: &[&str] = &["orchestrator", "verifyClientMSPID"];
const CERT_MANAGER: &[&str] = &["orchestrator", "tls", "createCertificates", "enabled"];
const CHANNELS: &[&str] = &["channels"];
const HOSTNAME: &[&str] = &["ingress", "hostname"];
const EXTRA_HOSTS: &[&str] = &["ingress", "extraHosts"];
const NAME_OVERRIDE: &[&str] = &["nameOverride"];
const SERVER_NAME: &[&str] = &["orchestrator", "fullnameOverride"];

/// The chart's own names of objects.
const DEFAULT_CACERT: &str = "orchestrator-tls-cacert";
const DEFAULT_PAIR: &str = "orchestrator-tls-server-pair";

/// The chart's own name.
const CHART: &str = "orchestrator";

/// The key of `clientCACerts` that the walkthrough tells to use for everybody.
pub const WALKTHROUGH_KEY: &str = "orchestrator";

/// The only paths that `approve` and `gate` may set.
pub const OWN_PATHS: &[&[&str]] = &[MTLS_ENABLED, CLIENT_CAS, VERIFY];

/// The only paths that `ca init` may set.
pub const TLS_PATHS: &[&[&str]] = &[TLS_ENABLED, CACERT, SERVER_PAIR];

/// What another CA means, however it comes in; `org` is the organization that it is meant for.
#[must_use]
pub fn danger(ca: &str, org: Option<&str>) -> String {
    let not_only = org.map(|org| format!(", not only as {org}")).unwrap_or_default();
    format!("anyone who has the key of {ca} can act as every organization of the federation{not_only}")
}

/// An orchestrator.
#[derive(Debug, Clone)]
pub struct Orchestrator {
    /// `orchestrator.tls.enabled`.
    pub tls_enabled: bool,
    /// `orchestrator.tls.cacert`, else the chart's default.
    pub cacert: ObjectName,
    /// `orchestrator.tls.secrets.pair`, else the chart's default.
    pub server_pair: ObjectName,
    /// `orchestrator.tls.createCertificates.enabled`: cert-manager makes the server's pair.
    pub cert_manager: bool,
    /// `orchestrator.tls.mtls.enabled`.
    pub mtls_enabled: bool,
    /// `orchestrator.tls.mtls.clientCACerts`: objects by key.
    pub client_cas: BTreeMap<String, Vec<String>>,
    /// `orchestrator.verifyClientMSPID`.
    pub verify_msp_id: bool,
    /// All of `channels[].organizations`, each once, in order.
    pub members: Vec<String>,
    ingress_hostname: Option<String>,
    extra_hosts: Vec<String>,
    name_override: Option<String>,
    server_name: Option<String>,
}

impl Orchestrator {
    /// Reads merged values.
    ///
    /// # Errors
    /// A value has another form than the chart takes.
    pub fn read(values: &Value) -> Result<Self> {
        let object = |path, default: &str| -> Result<ObjectName> {
            let named: Option<ObjectName> = paths::name(values, path)?;
            named.map_or_else(|| default.parse().map_err(|e: crate::names::BadName| wrong(path, &e.to_string())), Ok)
        };
        Ok(Self {
            tls_enabled: paths::flag(values, TLS_ENABLED)?,
            cacert: object(CACERT, DEFAULT_CACERT)?,
            server_pair: object(SERVER_PAIR, DEFAULT_PAIR)?,
            cert_manager: paths::flag(values, CERT_MANAGER)?,
            mtls_enabled: paths::flag(values, MTLS_ENABLED)?,
            client_cas: client_cas(values)?,
            verify_msp_id: paths::flag(values, VERIFY)?,
            members: members(values)?,
            ingress_hostname: paths::text(values, HOSTNAME)?.map(str::to_ascii_lowercase),
            extra_hosts: extra_hosts(values)?,
            name_override: paths::text(values, NAME_OVERRIDE)?.map(str::to_owned),
            server_name: paths::text(values, SERVER_NAME)?.map(str::to_owned),
        })
    }

    /// The same, of a chart that goes by another name, as a dependency does by its alias (Helm sets `.Chart.Name`).
    #[must_use]
    pub fn called(mut self, chart: Option<&str>) -> Self {
        self.name_override = self.name_override.or_else(|| chart.map(str::to_owned));
        self
    }

    /// The name of the server's Service and Deployment: `orchestrator.fullnameOverride`, else made of the release, the
    /// chart's name where the release lacks it, and `server` (chart `orchestrator`, `_helpers.tpl`).
    #[must_use]
    pub fn service_name(&self, release: &str) -> String {
        let chart = self.name_override.as_deref().unwrap_or(CHART);
        let made = if release.contains(chart) { release.to_owned() } else { format!("{release}-{chart}") };
        let name = self.server_name.clone().unwrap_or_else(|| format!("{made}-server"));
        let short = name.get(..63).unwrap_or(&name);
        short.strip_suffix('-').unwrap_or(short).to_owned()
    }

    /// Every name under which a backend may dial the orchestrator, each once, in lower case: no client certificate may
    /// carry one.
    #[must_use]
    pub fn own_names(&self, release: &str, namespace: &str) -> Vec<String> {
        let service = self.service_name(release);
        let long = ["", ".svc", ".svc.cluster.local"].map(|end| format!("{service}.{namespace}{end}"));
        let mut names: Vec<String> = Vec::new();
        for name in self.ingress_hostname.iter().chain(&self.extra_hosts).cloned().chain([service]).chain(long) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The server name that the health probe asks for (chart `orchestrator`, probes of the server's Deployment).
    #[must_use]
    pub fn probe_name(&self, release: &str, namespace: &str) -> String {
        let service = || format!("{}.{namespace}.svc.cluster.local", self.service_name(release));
        self.ingress_hostname.clone().unwrap_or_else(service)
    }

    /// The objects whose CAs the server trusts for clients, each once: the server's own CA is always one of them.
    #[must_use]
    pub fn authorities(&self) -> Vec<&str> {
        let all = self.client_cas.values().flatten().map(String::as_str).chain([self.cacert.as_str()]);
        all.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }

    /// Each organization under a key of its own name, pointing at the object that holds the signing CA.
    #[must_use]
    pub fn admit_settings(&self, organizations: &[MspId], object: &ObjectName) -> Vec<Setting> {
        organizations
            .iter()
            .map(|org| Setting::include(&[CLIENT_CAS, &[org.as_str()]].concat(), object.as_str()))
            .collect()
    }

    /// TLS on, with the CA's object and the server's pair under the names that they have.
    #[must_use]
    pub fn tls_settings(&self) -> Vec<Setting> {
        vec![
            Setting::set(TLS_ENABLED, true),
            Setting::set(CACERT, self.cacert.as_str()),
            Setting::set(SERVER_PAIR, self.server_pair.as_str()),
        ]
    }

    /// Of these those that a run brings about where `deployed` runs: the name of what is in use is not its to change.
    #[must_use]
    pub fn own_tls_settings(&self, deployed: &Value) -> Vec<Setting> {
        let mut settings = self.tls_settings();
        if paths::is_on(deployed, TLS_ENABLED) {
            let name = |path, default| paths::at(deployed, path).and_then(Value::as_str).or(Some(default));
            let in_use = [(CACERT, name(CACERT, DEFAULT_CACERT)), (SERVER_PAIR, name(SERVER_PAIR, DEFAULT_PAIR))];
            paths::keep_names(&mut settings, &in_use);
        }
        settings
    }

    /// Mutual TLS on, and with `verify` the identity check.
    #[must_use]
    pub fn close_settings(&self, verify: bool) -> Vec<Setting> {
        let verify = verify.then(|| Setting::set(VERIFY, true));
        std::iter::once(Setting::set(MTLS_ENABLED, true)).chain(verify).collect()
    }

    /// Mutual TLS off. The identity check is off with it: the chart joins the two (its `configmap-env-orchestrator.yaml`).
    #[must_use]
    pub fn open_settings(&self) -> Vec<Setting> {
        vec![Setting::set(MTLS_ENABLED, false)]
    }
}

fn client_cas(values: &Value) -> Result<BTreeMap<String, Vec<String>>> {
    let list = |objects: &Value| -> Option<Vec<String>> {
        objects.as_array()?.iter().map(|object| object.as_str().map(str::to_owned)).collect()
    };
    match paths::at(values, CLIENT_CAS) {
        None => Ok(BTreeMap::new()),
        Some(Value::Object(map)) => map
            .iter()
            .map(|(key, objects)| {
                let objects = list(objects).ok_or_else(|| {
                    wrong(
                        &[CLIENT_CAS, &[key.as_str()]].concat(),
                        "it must be a list of object names (charts before 5.0 took no list)",
                    )
                })?;
                Ok((key.clone(), objects))
            })
            .collect(),
        Some(_) => Err(wrong(CLIENT_CAS, "it must be a map from organizations to lists of object names")),
    }
}

fn members(values: &Value) -> Result<Vec<String>> {
    let odd = || wrong(CHANNELS, "it must be a list of channels, each with a name and a list of organizations");
    let channels = match paths::at(values, CHANNELS) {
        None => return Ok(Vec::new()),
        Some(channels) => channels.as_array().ok_or_else(odd)?,
    };
    let mut members: Vec<String> = Vec::new();
    for channel in channels {
        let organizations = channel.get("organizations").and_then(Value::as_array).ok_or_else(odd)?;
        for organization in organizations {
            let organization = organization.as_str().ok_or_else(|| {
                wrong(CHANNELS, "an organization must be a text; quote names like no, on, y and 0123")
            })?;
            if !members.iter().any(|member| member == organization) {
                members.push(organization.to_owned());
            }
        }
    }
    Ok(members)
}

/// Maps with a `name`, as the ingress template takes them. One that cannot be read may be a name of the orchestrator's
/// that a client certificate must not carry, so it is not passed over.
fn extra_hosts(values: &Value) -> Result<Vec<String>> {
    let odd = || wrong(EXTRA_HOSTS, "it must be a list of hosts, each with a name");
    let hosts = match paths::at(values, EXTRA_HOSTS) {
        None => return Ok(Vec::new()),
        Some(hosts) => hosts.as_array().ok_or_else(odd)?,
    };
    let name = |host: &Value| host.get("name").and_then(Value::as_str).map(str::to_ascii_lowercase).ok_or_else(odd);
    hosts.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn its_own_names_are_those_of_ingress_and_service() {
        let values = json!({"ingress": {"hostname": "Orc.example.org", "extraHosts": [{"name": "b.example.org"}]}});
        let names = Orchestrator::read(&values).unwrap().own_names("orchestrator", "orchestrator");
        assert_eq!(
            names,
            [
                "orc.example.org",
                "b.example.org",
                "orchestrator-server",
                "orchestrator-server.orchestrator",
                "orchestrator-server.orchestrator.svc",
                "orchestrator-server.orchestrator.svc.cluster.local"
            ]
        );
        assert_eq!(
            Orchestrator::read(&json!({})).unwrap().probe_name("x", "ns"),
            "x-orchestrator-server.ns.svc.cluster.local"
        );
    }

    #[test]
    fn overridden_names_of_the_service_are_its_own_too() {
        let read = |values: &Value| Orchestrator::read(values).unwrap();
        let given = read(&json!({"orchestrator": {"fullnameOverride": "orc"}, "nameOverride": "x"}));
        assert!(given.own_names("r", "ns").contains(&"orc.ns".to_owned()));
        assert_eq!(given.probe_name("r", "ns"), "orc.ns.svc.cluster.local");
        let named = read(&json!({"nameOverride": "hub"}));
        assert_eq!(
            (named.service_name("r"), named.service_name("my-hub")),
            ("r-hub-server".into(), "my-hub-server".into())
        );
        assert_eq!(read(&json!({})).service_name(&"r".repeat(53)).len(), 63);
        assert_eq!(read(&json!({})).called(Some("hub")).service_name("r"), "r-hub-server");
        assert_eq!(read(&json!({"nameOverride": "x"})).called(Some("hub")).service_name("r"), "r-x-server");
    }

    #[test]
    fn a_host_that_cannot_be_read_is_not_passed_over() {
        for hosts in [json!("a.b"), json!([{"path": "/"}]), json!([{"name": true}])] {
            let refused = Orchestrator::read(&json!({"ingress": {"extraHosts": hosts}})).unwrap_err();
            assert_eq!(refused.code.id(), "value");
        }
    }

    #[test]
    fn members_are_those_of_all_channels_once() {
        let values = json!({"channels": [{"name": "a", "organizations": ["A", "B"]}, {"name": "b", "organizations": ["B", "C"]}]});
        assert_eq!(Orchestrator::read(&values).unwrap().members, ["A", "B", "C"]);
        let spoilt = json!({"channels": [{"name": "a", "organizations": [true]}]});
        assert_eq!(Orchestrator::read(&spoilt).unwrap_err().code.id(), "value");
    }

    #[test]
    fn an_organization_is_admitted_under_its_own_name() {
        let orchestrator = Orchestrator::read(&json!({})).unwrap();
        let settings = orchestrator.admit_settings(&["A".parse().unwrap()], &orchestrator.cacert);
        assert_eq!(
            settings,
            [Setting::include(&["orchestrator", "tls", "mtls", "clientCACerts", "A"], "orchestrator-tls-cacert")]
        );
    }
}
