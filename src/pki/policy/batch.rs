//! What the requests of one batch must not share: a host, and a key. The issue log knows none of them yet.

use super::finding;
use crate::{
    command_line::CommandLine,
    failure::{Code, Failure, Next},
    names::{Hostname, MspId},
    pki::fingerprint::Fingerprint,
    plain::excerpt,
};

/// One of those that are to get certificates at once.
pub struct BatchRequest<'a> {
    /// How people know it: the file of its request.
    pub name: String,
    /// Its organization.
    pub msp_id: &'a MspId,
    /// Its host names.
    pub hosts: &'a [Hostname],
    /// Its key; `None` for one that is not made yet.
    pub key: Option<Fingerprint>,
}

/// `request-host` and `request-key-of-another` between the requests of a batch: of two, the later one is refused.
#[must_use]
pub fn batch_conflicts(parties: &[BatchRequest<'_>]) -> Vec<Failure> {
    let pairs =
        parties.iter().enumerate().flat_map(|(at, later)| parties[..at].iter().map(move |earlier| (earlier, later)));
    pairs
        .filter(|(earlier, later)| earlier.msp_id != later.msp_id)
        .flat_map(|(earlier, later)| between(earlier, later))
        .collect()
}

fn between(earlier: &BatchRequest<'_>, later: &BatchRequest<'_>) -> Vec<Failure> {
    let host = later.hosts.iter().find(|host| earlier.hosts.contains(host)).map(|host| {
        finding(
            Code::RequestHost,
            format!("{}: its name {host} is in {} too", excerpt(&later.name), excerpt(&earlier.name)),
        )
        .why(format!("{} and {} could each pose as the other's backend", earlier.msp_id, later.msp_id))
        .next("ask both whose host it is, and the other for a request that names its own")
    });
    let key = later.key.filter(|_| later.key == earlier.key).map(|_| {
        finding(
            Code::RequestKeyOfAnother,
            format!("{}: its key is in {} too", excerpt(&later.name), excerpt(&earlier.name)),
        )
        .why(format!("{} and {} could act as each other", earlier.msp_id, later.msp_id))
        .next(Next::from("ask both senders for requests with keys of their own: ").command(CommandLine::enroll_anew()))
    });
    host.into_iter().chain(key).collect()
}
