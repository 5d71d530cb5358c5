//! A renewal: whether the key of the live pair vouches for the request.

use std::collections::BTreeSet;

use super::enrolment::{Enrolment, LivePair};
use crate::{failure::Result, pki::request, plain::excerpt, times};

/// When the request was made, on the Secret in which it waits.
pub(crate) const REQUESTED: &str = "substra-mtls/requested";

/// Whether somebody has to read the fingerprint of a request out.
pub(crate) enum Vouching<'a> {
    /// The key of this pair vouches for it.
    By(&'a LivePair),
    /// There is no pair yet: the first certificate.
    First,
    /// The pair that is there cannot vouch: why.
    Cannot(String),
}

impl Vouching<'_> {
    /// The request with the proof behind it, where the live key vouches; with the proof that it has, where that is the
    /// live key's already.
    pub(crate) fn add_to(&self, csr: &[u8]) -> Result<Vec<u8>> {
        match self {
            Self::By(live) if request::voucher(csr).as_ref() != Some(&live.certificate) => {
                request::vouched(csr, &live.key, &live.certificate).map(String::into_bytes)
            }
            _ => Ok(csr.to_vec()),
        }
    }
}

impl Enrolment<'_> {
    /// Whether the live pair vouches for a request that this backend makes now.
    pub(crate) fn vouching(&self) -> Vouching<'_> {
        let name = &self.backend().client_certificate;
        match &self.live {
            Some(live) => self.vouches(live).map_or_else(Vouching::Cannot, |()| Vouching::By(live)),
            None if self.pair.is_some() => Vouching::Cannot(format!("certificate and key in Secret {name} do not fit")),
            None if self.presents_pair() => Vouching::Cannot(format!("Secret {name}, with the live pair, is lost")),
            None => Vouching::First,
        }
    }

    /// What `approve` holds a proof against too, as far as a backend knows it.
    fn vouches(&self, live: &LivePair) -> Result<(), String> {
        let (live, backend, now) = (&live.certificate, self.backend(), self.state.session.now);
        if !(live.not_before..=live.not_after).contains(&now) {
            let [from, to, now] = [live.not_before, live.not_after, now].map(times::rfc3339);
            return Err(format!("certificate {} is valid from {from} to {to}, now is {now}", live.serial));
        }
        if live.organizations != [backend.msp_id.as_str()] {
            return Err(format!("certificate {} is not of {}", live.serial, backend.msp_id));
        }
        let (had, host) = (live.dns_names.iter().map(String::as_str).collect::<BTreeSet<_>>(), backend.host.as_str());
        if had == BTreeSet::from([host]) {
            return Ok(());
        }
        let had: Vec<String> = had.into_iter().map(excerpt).collect();
        let had = if had.is_empty() { "no host".to_owned() } else { had.join(", ") };
        Err(format!("certificate {} has {had}, and the request names {host}", live.serial))
    }
}
