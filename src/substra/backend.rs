//! A backend as its values say it: who it is, its host, and what it mounts to reach the orchestrator.

use serde_json::Value;

use super::paths::{self, wrong};
use crate::{
    failure::{Code, Exit, Failure, Result},
    names::{DEFAULT_HOSTS, DEFAULT_MSP_ID, Hostname, MspId, ObjectName},
    values::Setting,
};

/// The name that the walkthrough gives to the Secret with the pair.
const CLIENT_CERTIFICATE: &str = "orchestrator-client-cert";

/// The name that the walkthrough gives to the object with the CA.
const CACERT: &str = "orchestrator-cacert";

const MSP_ID: &[&str] = &["orchestrator", "mspID"];
const INGRESS_HOSTNAME: &[&str] = &["server", "ingress", "hostname"];
const DEFAULT_DOMAIN: &[&str] = &["server", "defaultDomain"];
const TLS_ENABLED: &[&str] = &["orchestrator", "tls", "enabled"];
/// The object with the CAs of which the orchestrator's certificate may be.
pub const TLS_CACERT: &[&str] = &["orchestrator", "tls", "cacert"];
const MTLS_ENABLED: &[&str] = &["orchestrator", "tls", "mtls", "enabled"];
const MTLS_CERTIFICATE: &[&str] = &["orchestrator", "tls", "mtls", "clientCertificate"];

/// The only paths that an enrolment may set.
pub const OWN_PATHS: [&[&str]; 4] = [TLS_ENABLED, TLS_CACERT, MTLS_ENABLED, MTLS_CERTIFICATE];

/// A backend.
#[derive(Debug, Clone)]
pub struct Backend {
    /// `orchestrator.mspID`.
    pub msp_id: MspId,
    /// `server.ingress.hostname`, else the host of `server.defaultDomain`.
    pub host: Hostname,
    /// `orchestrator.tls.enabled`.
    pub tls_enabled: bool,
    /// `orchestrator.tls.cacert`; `None` where the orchestrator's certificate is from a public CA.
    pub cacert: Option<ObjectName>,
    /// `orchestrator.tls.mtls.enabled`.
    pub mtls_enabled: bool,
    /// `orchestrator.tls.mtls.clientCertificate`, else the walkthrough's name.
    pub client_certificate: ObjectName,
}

/// How a backend trusts the orchestrator; its own identity does not matter.
#[derive(Debug, Clone)]
pub struct BackendTrust {
    /// `orchestrator.tls.enabled`.
    pub tls_enabled: bool,
    /// `orchestrator.tls.cacert`, else the walkthrough's name.
    pub cacert: ObjectName,
}

impl BackendTrust {
    /// Reads merged values.
    ///
    /// # Errors
    /// A value has another form than the chart takes.
    pub fn read(values: &Value) -> Result<Self> {
        let tls_enabled = paths::flag(values, TLS_ENABLED)?;
        let default = || CACERT.parse().map_err(|e: crate::names::BadName| wrong(TLS_CACERT, &e.to_string()));
        let cacert = paths::name(values, TLS_CACERT)?.map_or_else(default, Ok)?;
        Ok(Self { tls_enabled, cacert })
    }

    /// TLS to the orchestrator, on this CA alone.
    #[must_use]
    pub fn settings(&self) -> Vec<Setting> {
        vec![Setting::set(TLS_ENABLED, true), Setting::set(TLS_CACERT, self.cacert.as_str())]
    }

    /// Of these those that a run brings about where `deployed` runs: another name that is in use is not its to change.
    #[must_use]
    pub fn own_settings(&self, deployed: &Value) -> Vec<Setting> {
        let mut settings = self.settings();
        let name = paths::at(deployed, TLS_CACERT).and_then(Value::as_str);
        if paths::is_on(deployed, TLS_ENABLED) && name.is_some() {
            paths::keep_names(&mut settings, &[(TLS_CACERT, name)]);
        }
        settings
    }
}

impl Backend {
    /// Reads merged values; `hostname` wins over theirs.
    ///
    /// # Errors
    /// A name is missing, cannot be used, or is a default of the chart.
    pub fn read(values: &Value, hostname: Option<&Hostname>) -> Result<Self> {
        let tls_enabled = paths::flag(values, TLS_ENABLED)?;
        let named: Option<ObjectName> = paths::name(values, TLS_CACERT)?;
        // TLS that is on without a CA of its own trusts the public ones: that is left so.
        let cacert = if named.is_none() && !tls_enabled { CACERT.parse().ok() } else { named };
        let chosen: Option<ObjectName> = paths::name(values, MTLS_CERTIFICATE)?;
        let client_certificate = match chosen {
            Some(name) => name,
            None => CLIENT_CERTIFICATE
                .parse()
                .map_err(|e: crate::names::BadName| wrong(MTLS_CERTIFICATE, &e.to_string()))?,
        };
        Ok(Self {
            msp_id: msp_id(values)?,
            host: hostname.map_or_else(|| host(values), |hostname| Ok(hostname.clone()))?,
            tls_enabled,
            cacert,
            mtls_enabled: paths::flag(values, MTLS_ENABLED)?,
            client_certificate,
        })
    }

    /// What an enrolment sets: exactly these four, a chosen name kept.
    #[must_use]
    pub fn settings(&self) -> Vec<Setting> {
        let cacert = self.cacert.as_ref().map(|name| Setting::set(TLS_CACERT, name.as_str()));
        std::iter::once(Setting::set(TLS_ENABLED, true))
            .chain(cacert)
            .chain([Setting::set(MTLS_ENABLED, true), Setting::set(MTLS_CERTIFICATE, self.client_certificate.as_str())])
            .collect()
    }

    /// Of these those that a run brings about where `deployed` runs: the name of what is in use is not its to change, nor
    /// is the trust in public CAs.
    #[must_use]
    pub fn own_settings(&self, deployed: &Value) -> Vec<Setting> {
        let mut settings = self.settings();
        let name = |path| (path, paths::at(deployed, path).and_then(Value::as_str));
        if paths::is_on(deployed, TLS_ENABLED) {
            paths::keep_names(&mut settings, &[name(TLS_CACERT)]);
            if paths::is_on(deployed, MTLS_ENABLED) {
                paths::keep_names(&mut settings, &[name(MTLS_CERTIFICATE)]);
            }
        }
        settings
    }
}

/// What an enrolment sets where the values choose no names of their own: the walkthrough's.
#[must_use]
pub fn usual_settings() -> Vec<Setting> {
    vec![
        Setting::set(TLS_ENABLED, true),
        Setting::set(TLS_CACERT, CACERT),
        Setting::set(MTLS_ENABLED, true),
        Setting::set(MTLS_CERTIFICATE, CLIENT_CERTIFICATE),
    ]
}

fn msp_id(values: &Value) -> Result<MspId> {
    match paths::name::<MspId>(values, MSP_ID)? {
        Some(name) if name.as_str() == DEFAULT_MSP_ID => {
            Err(unmeant(Code::MspId, format!("the values name no organization of yours: orchestrator.mspID is {name}"))
                .next("set orchestrator.mspID to the name that the federation knows you by"))
        }
        Some(name) => Ok(name),
        None => Err(unmeant(Code::MspId, "orchestrator.mspID is missing in the values".to_owned())
            .why("without it the chart calls every organization OwkinPeerMSP")
            .next("set orchestrator.mspID in the values file; with several files name all of them, in Helm's order")),
    }
}

fn host(values: &Value) -> Result<Hostname> {
    let lower = |text: &str| text.trim_end_matches('.').to_ascii_lowercase();
    let ingress = paths::text(values, INGRESS_HOSTNAME)?.map(lower);
    let meant = |host: &String| !DEFAULT_HOSTS.contains(&host.as_str());
    let (path, found) = match ingress.filter(meant) {
        Some(host) => (INGRESS_HOSTNAME, Some(host)),
        None => (DEFAULT_DOMAIN, paths::text(values, DEFAULT_DOMAIN)?.map(host_of_url).map(lower).filter(meant)),
    };
    let host = found.ok_or_else(|| {
        unmeant(Code::Host, "the values name no host of this backend".to_owned())
            .why("neither server.ingress.hostname nor server.defaultDomain has a host of yours")
            .next("give it with --hostname, for example --hostname api.org-1.example.org")
    })?;
    // The chart renders its host names as templates, which only Helm can resolve.
    host.parse().map_err(|e: crate::names::BadName| {
        paths::unfit(path, &e).next("give the host with --hostname, for example --hostname api.org-1.example.org")
    })
}

/// The host of `https://api.org-1.example.org:443/x`.
fn host_of_url(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    host.rsplit_once(':').map_or(host, |(host, _)| host)
}

fn unmeant(code: Code, what: String) -> Failure {
    Failure::new(Exit::CheckFailed, code, what)
        .why("it is the chart's default, which nobody means")
        .unchanged("nothing was written")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(values: &Value) -> Result<Backend> {
        Backend::read(values, None)
    }

    #[test]
    fn the_host_is_the_ingress_s_or_that_of_the_default_domain() {
        let org = json!({"mspID": "MyOrg1MSP"});
        let ingress = json!({"orchestrator": org, "server": {"ingress": {"hostname": "API.Org-1.com"}, "defaultDomain": "http://x.y"}});
        assert_eq!(read(&ingress).unwrap().host.as_str(), "api.org-1.com");
        let domain = json!({"orchestrator": org, "server": {"ingress": {"hostname": "substra.backend.local"}, "defaultDomain": "https://api.org-1.com:443/a"}});
        assert_eq!(read(&domain).unwrap().host.as_str(), "api.org-1.com");
    }

    #[test]
    fn defaults_that_nobody_means_are_no_identity() {
        let server = json!({"ingress": {"hostname": "a.b"}});
        for (values, code) in [
            (json!({"orchestrator": {"mspID": "OwkinPeerMSP"}, "server": server}), "msp-id"),
            (json!({"server": server}), "msp-id"),
            (json!({"orchestrator": {"mspID": true}, "server": server}), "value"),
            (json!({"orchestrator": {"mspID": "A"}}), "host"),
            (json!({"orchestrator": {"mspID": "A"}, "server": {"defaultDomain": "http://localhost:8000"}}), "host"),
            (json!({"orchestrator": {"mspID": "A"}, "server": {"ingress": {"hostname": "a_b.c"}}}), "value"),
        ] {
            assert_eq!(read(&values).unwrap_err().code.id(), code, "{values}");
        }
    }

    #[test]
    fn chosen_names_are_kept_and_a_public_ca_is_left_alone() {
        let values = json!({"orchestrator": {"mspID": "A", "tls": {"enabled": true, "mtls": {"clientCertificate": "mine"}}}, "server": {"ingress": {"hostname": "a.b"}}});
        let backend = read(&values).unwrap();
        assert_eq!((backend.cacert.as_ref(), backend.client_certificate.as_str()), (None, "mine"));
        assert_eq!(backend.settings().len(), 3);
    }
}
