//! Real handshakes with the orchestrator: with the pair that is in the cluster, without one, and under another name.

use std::time::Duration;

use super::{
    dial::TimedStream,
    observe::{ObservedRelease, SideValues},
};
use crate::{
    cluster::ObjectRef,
    substra::servers::{BackendClient, CallOutcome, PemPair, talk},
};

/// How long one call may take, all in all.
const LIMIT: Duration = Duration::from_secs(30);

/// A name that no organization has.
const NOBODY: &str = "SomebodyElseMSP";

/// The port that the backend's chart dials, and the one of an Ingress.
const PORT: u16 = 9000;
const INGRESS_PORT: u16 = 443;

/// What came of one call; an error where nobody answered it.
pub(super) type CallResult = Result<CallOutcome, String>;

/// What came of all of them.
pub(super) enum Handshakes {
    /// Nothing was tried, and why.
    NotTried(String),
    /// What was tried.
    Tried {
        /// What was dialled, for messages.
        address: String,
        /// With the pair in the cluster; `None` where there is none.
        own: Option<CallResult>,
        /// Without a pair.
        without: CallResult,
        /// With the pair, under a name that is not its own.
        other: Option<CallResult>,
    },
}

/// Who calls whom.
struct Call<'a> {
    address: &'a str,
    ca: Vec<u8>,
    host: String,
    msp_id: String,
    pair: Option<PemPair>,
    now: time::OffsetDateTime,
}

/// Shakes hands three times, side by side. At the orchestrator's side the pair is the server's own, as its probe has it.
pub(super) fn handshakes(observed: &ObservedRelease, connect: Option<&str>) -> Handshakes {
    let (ca, pair, msp_id) = match &observed.party {
        Ok(SideValues::Backend(backend)) => {
            (backend.cacert.as_ref(), backend.client_certificate.as_str(), backend.msp_id.to_string())
        }
        Ok(SideValues::Orchestrator(orchestrator)) => {
            let member = orchestrator.members.first().cloned().unwrap_or_else(|| NOBODY.to_owned());
            (Some(&orchestrator.cacert), orchestrator.server_pair.as_str(), member)
        }
        Err(_) => return Handshakes::NotTried("the values cannot be used".to_owned()),
    };
    let Some((host, port)) = target(observed) else {
        return Handshakes::NotTried("the values name no host of the orchestrator: name it with --connect".to_owned());
    };
    let Some(ca) = ca.and_then(|name| {
        observed.object(&ObjectRef::of_kind(observed.kind_of(name.as_str()), name.as_str()))?.data("ca.crt")
    }) else {
        return Handshakes::NotTried("there is no CA in this cluster by which to know the orchestrator".to_owned());
    };
    let default = format!("{host}:{port}");
    let address = connect.unwrap_or(&default);
    let pair = observed.object(&ObjectRef::secret(pair)).and_then(|secret| {
        Some(PemPair { certificate: secret.data("tls.crt")?.to_vec(), key: secret.data("tls.key")? })
    });
    let call = Call { address, ca: ca.to_vec(), host, msp_id, pair, now: observed.now };
    std::thread::scope(|scope| {
        let own = call.pair.as_ref().map(|_| scope.spawn(|| call.make(true, &call.msp_id)));
        let other = call.pair.as_ref().map(|_| scope.spawn(|| call.make(true, NOBODY)));
        let without = call.make(false, &call.msp_id);
        let joined = |thread: std::thread::ScopedJoinHandle<'_, CallResult>| {
            thread.join().unwrap_or_else(|_| Err("a thread of ours ended early".to_owned()))
        };
        Handshakes::Tried { address: address.to_owned(), own: own.map(joined), without, other: other.map(joined) }
    })
}

/// The host that a backend dials, or that the orchestrator's Ingress has.
fn target(observed: &ObservedRelease) -> Option<(String, u16)> {
    let host = |value: &serde_json::Value| value.as_str().filter(|host| !host.is_empty()).map(str::to_owned);
    if observed.backend().is_some() {
        let orchestrator = &observed.values["orchestrator"];
        let port = orchestrator["port"].as_u64().and_then(|port| u16::try_from(port).ok());
        return Some((host(&orchestrator["host"])?, port.unwrap_or(PORT)));
    }
    Some((host(&observed.values["ingress"]["hostname"])?, INGRESS_PORT))
}

impl Call<'_> {
    fn make(&self, with_pair: bool, header: &str) -> CallResult {
        let pair = self.pair.clone().filter(|_| with_pair);
        let client = BackendClient::new(self.ca.clone(), pair, header, &self.host);
        let unreachable = |why: String| format!("{} cannot be reached from here: {why}", self.address);
        talk(&client, TimedStream::to(self.address, LIMIT).map_err(unreachable)?, self.now)
    }
}
