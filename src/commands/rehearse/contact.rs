//! What each backend gets from the orchestrator now: a handshake and a request, or why there is none.

use std::fmt;

use time::OffsetDateTime;

use super::federation::{SimulatedFederation, SimulatedOrganization};
use crate::{
    cluster::{Kubernetes, ObjectRef},
    failure::{Code, Exit, Failure, Result},
    pki::inspect::{self, Certificate},
    substra::servers::{CallOutcome, call},
};

/// What comes of a backend's call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Contact {
    /// An answer of the server, or of the backend's own TLS to it.
    Answered(CallOutcome),
    /// Both speak plain text: nobody is asked who they are.
    Plain,
    /// One speaks TLS and the other plain text.
    OneSided,
    /// The orchestrator does not run.
    Silent,
    /// The backend does not say whom it dials.
    NoHost,
}

impl Contact {
    /// Whether the backend is accepted.
    pub(super) fn is_let_in(&self) -> bool {
        matches!(self, Self::Answered(CallOutcome::Accepted) | Self::Plain)
    }
}

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(answer) => answer.fmt(f),
            Self::Plain => f.write_str("accepted, in plain text"),
            Self::OneSided => f.write_str("no answer: one side speaks TLS and the other plain text"),
            Self::Silent => f.write_str("no answer: connection refused, the orchestrator does not run"),
            Self::NoHost => f.write_str("no answer: the backend's values have no orchestrator.host"),
        }
    }
}

impl SimulatedFederation {
    /// What each backend gets from the orchestrator now.
    pub(super) fn contacts(&self, now: OffsetDateTime) -> Vec<(String, Contact)> {
        self.organizations.iter().map(|org| (org.msp_id.to_string(), self.contact(org, now))).collect()
    }

    fn contact(&self, org: &SimulatedOrganization, now: OffsetDateTime) -> Contact {
        let server_tls = self.deployed().is_ok_and(|deployed| deployed.tls_enabled);
        let client_tls = org.values()["orchestrator"]["tls"]["enabled"] == true;
        if server_tls != client_tls {
            return Contact::OneSided;
        }
        if !server_tls {
            return Contact::Plain;
        }
        let Some(client) = org.cluster.backend(&org.release) else { return Contact::NoHost };
        let answer = self.orchestrator.with_server(&self.release, |server| call(&client, server, now));
        answer.map_or(Contact::Silent, Contact::Answered)
    }

    /// The server's certificate.
    fn server(&self) -> Result<Certificate> {
        let pair = ObjectRef::secret(self.deployed()?.server_pair.as_str());
        let found = self.orchestrator.get(&[pair])?;
        let pem = found.first().and_then(|pair| pair.data("tls.crt")).unwrap_or_default();
        inspect::certificates(&pem)?.into_iter().next().ok_or_else(|| {
            Failure::new(Exit::CheckFailed, Code::NoAnswer, "the orchestrator has no server certificate")
                .why("the Secret of its pair is not there")
                .next("look at orchestrator.tls of its values")
        })
    }

    /// Who dials a name that the server's certificate does not have: why that is so, and what helps.
    pub(super) fn misdialled(&self, now: OffsetDateTime) -> Option<(String, String)> {
        let server = self.server().ok()?;
        let untrusting = self.organizations.iter().filter(|org| !self.trusts(org, now));
        let mut misdialling = untrusting.filter_map(|org| Some((org, org.dialled()?)));
        let (org, host) = misdialling.find(|(_, host)| !server.covers(host))?;
        let why =
            format!("{} dials {host}; the server's certificate names {}", org.msp_id, server.dns_names.join(", "));
        let next = format!(
            "fix orchestrator.host in {}, or have the name added to the certificate: ca init --host {host}",
            org.file
        );
        Some((why, next))
    }

    /// A name under which the server can be dialled.
    pub(super) fn trusted_host(&self, now: OffsetDateTime) -> Result<String> {
        let dialled =
            self.organizations.iter().filter(|org| self.trusts(org, now)).find_map(SimulatedOrganization::dialled);
        dialled.map_or_else(|| Ok(self.server()?.dns_names.into_iter().next().unwrap_or_default()), Ok)
    }

    fn trusts(&self, org: &SimulatedOrganization, now: OffsetDateTime) -> bool {
        !matches!(self.contact(org, now), Contact::Answered(CallOutcome::ServerNotTrusted(_)))
    }
}
