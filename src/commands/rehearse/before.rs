//! What the values files say of the time before the rehearsal, and what is assumed because files cannot say it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    ca::RehearsalCa,
    federation::{SimulatedFederation, put},
};
use crate::{
    cluster::{Object, PAIR_TYPE, simulated::SimulatedCluster},
    failure::{Failure, Result},
    names::Validity,
    pki::{
        issue::issue,
        key::{KeyType, PrivateKey},
        log::IssueLog,
        policy::{self, PolicyContext},
        request,
    },
    substra::{
        backend::Backend,
        forged_certificates::CertificateRecipe,
        kebab::kebab_case,
        orchestrator::{Orchestrator, WALKTHROUGH_KEY},
    },
};

/// A client pair that is in place before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ExistingPair {
    /// Made by the walkthrough's two commands of openssl.
    Walkthrough,
    /// Made by this tool.
    Ours,
}

impl ExistingPair {
    /// The pair that a backend has which mounts one. The walkthrough's key admits nobody under the identity check: who
    /// has that on has left the walkthrough behind.
    pub(super) fn of(backend: &Value, orchestrator: &Orchestrator) -> Option<Self> {
        let mtls = &backend["orchestrator"]["tls"]["mtls"];
        let by_hand = orchestrator.client_cas.contains_key(WALKTHROUGH_KEY) && !orchestrator.verify_msp_id;
        let is_mounted = mtls["enabled"] == true && mtls["clientCertificate"].is_string();
        is_mounted.then_some(if by_hand { Self::Walkthrough } else { Self::Ours })
    }

    fn words(self) -> &'static str {
        match self {
            Self::Walkthrough => "made by Substra's walkthrough (X.509 version 1, no authorityKeyId)",
            Self::Ours => "made by this tool",
        }
    }

    /// Makes it, and puts it where the backend mounts it.
    pub(super) fn put(self, backend: &Backend, cluster: &SimulatedCluster, around: &IssueContext<'_>) -> Result<()> {
        let (certificate, key) = match self {
            Self::Walkthrough => around.walkthrough(backend)?,
            Self::Ours => around.ours(backend)?,
        };
        let pem = key.to_pem();
        let pair: [(&str, &[u8]); 2] = [("tls.crt", certificate.as_bytes()), ("tls.key", pem.as_bytes())];
        let name = backend.client_certificate.as_str();
        put(cluster, &Object::secret(name, PAIR_TYPE, &[], &pair))
    }
}

/// What a pair is made in.
pub(super) struct IssueContext<'a> {
    pub(super) ca: &'a RehearsalCa,
    pub(super) orchestrator: &'a Orchestrator,
    pub(super) now: time::OffsetDateTime,
}

impl IssueContext<'_> {
    fn walkthrough(&self, backend: &Backend) -> Result<(String, PrivateKey)> {
        let key = PrivateKey::generate(KeyType::Rsa2048)?;
        let recipe = CertificateRecipe::walkthrough(backend.msp_id.as_str(), backend.host.as_str());
        let certificate = recipe.sign(key.spki(), &self.ca.certificate, &self.ca.key, self.now)?;
        Ok((certificate, key))
    }

    fn ours(&self, backend: &Backend) -> Result<(String, PrivateKey)> {
        let key = PrivateKey::generate(KeyType::EcdsaP256)?;
        let csr = request::create(&key, &backend.msp_id, &backend.host)?;
        let policy_context = PolicyContext {
            members: &self.orchestrator.members,
            client_ca_keys: &[],
            orchestrator_names: &[],
            burnt: &[],
            kebab: kebab_case,
            log: &IssueLog::default(),
            now: self.now,
        };
        let request = policy::check_request(&format!("{}.csr", backend.msp_id), csr.as_bytes(), &policy_context)
            .map_err(|found| Failure::first_of(found, "the request is refused"))?;
        Ok((issue(&self.ca.authority(self.now)?, &request, Validity::default(), self.now)?.pem, key))
    }
}

impl SimulatedFederation {
    /// What is so before, in one line: looked at, and what had to be assumed.
    pub(super) fn before(&self) -> Result<String> {
        let said = self.standing()?;
        let assumed = self.assumptions();
        if assumed.is_empty() {
            return Ok(format!("Before: {said}"));
        }
        Ok(format!("Before: {said} Assumed, since files cannot say it: {}.", assumed.join("; ")))
    }

    fn standing(&self) -> Result<String> {
        let deployed = self.deployed()?;
        let runs = self.orchestrator.with_server(&self.release, |_| ()).is_some();
        let said = match (deployed.tls_enabled, deployed.mtls_enabled, deployed.verify_msp_id) {
            (false, _, _) => "TLS is off at the orchestrator. Everybody who reaches it is accepted, in plain text.",
            (true, false, _) if !runs => {
                "TLS is on in the files, and the CA is not made yet: without it the orchestrator does not start."
            }
            _ if !runs => {
                let why = self.orchestrator.waiting_reason(&self.release).unwrap_or_default();
                return Ok(format!("the orchestrator does not start with these values ({why})."));
            }
            (true, false, _) => "TLS is on, mutual TLS is off. Everybody who reaches the orchestrator is accepted.",
            (true, true, false) => {
                "mutual TLS is on, the identity check is off. Any organization can act as any other."
            }
            (true, true, true) => "mutual TLS and the identity check are on.",
        };
        Ok(said.to_owned())
    }

    fn assumptions(&self) -> Vec<String> {
        let mut holders: BTreeMap<ExistingPair, Vec<&str>> = BTreeMap::new();
        for org in &self.organizations {
            if let Some(held) = org.held {
                holders.entry(held).or_default().push(org.msp_id.as_str());
            }
        }
        let pairs = holders.into_iter().map(|(held, who)| match who.as_slice() {
            [one] => format!("the pair of {one} was {}", held.words()),
            many => format!("the pairs of {} were {}", many.join(", "), held.words()),
        });
        pairs.chain(self.assumed.iter().cloned()).collect()
    }
}
