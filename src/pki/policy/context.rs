//! The rules that compare a request with the federation: its members, names and keys, and what was issued before.

use super::{PolicyContext, finding, parse::ITS_OWN_HOST};
use crate::{
    command_line::CommandLine,
    failure::{Code, Failure, Next},
    names::{DEFAULT_HOSTS, DEFAULT_MSP_ID, Hostname, MspId},
    pki::{fingerprint::Fingerprint, request::RequestDigest},
    plain::excerpt,
};

/// `request-key-of-another`: the key is no other organization's and not known to be compromised.
pub(super) fn foreign_key(key: Fingerprint, msp_id: Option<&MspId>, context: &PolicyContext<'_>) -> Option<Failure> {
    let burnt = context.burnt.iter().find(|(burnt, _)| *burnt == key).map(|(_, whose)| whose.as_str());
    let other = || {
        let entries = context.log.entries().iter();
        entries
            .filter(|entry| entry.fingerprint == key)
            .map(|entry| &entry.organization)
            .find(|org| is_another(org, msp_id))
    };
    let whose = burnt.map(excerpt).or_else(|| other().map(|organization| format!("organization {organization}")))?;
    Some(
        finding(Code::RequestKeyOfAnother, format!("its key is that of {whose}"))
            .why("two identities on one key can act as each other")
            .next(
                Next::from("ask the sender for a request with a key of its own: ").command(CommandLine::enroll_anew()),
            ),
    )
}

/// Not for a request whose organization cannot be read: the key may be its own.
fn is_another(organization: &MspId, msp_id: Option<&MspId>) -> bool {
    msp_id.is_some_and(|own| own != organization)
}

/// `request-key-used`: a renewal has a new key. The very same request again is no renewal (`request-answered`).
pub(super) fn renewed_key(
    key: Fingerprint,
    digest: RequestDigest,
    msp_id: &MspId,
    context: &PolicyContext<'_>,
) -> Option<Failure> {
    context.log.find(&digest).is_none().then_some(())?;
    let entry = context.log.entries().iter().find(|entry| entry.fingerprint == key && entry.organization == *msp_id)?;
    Some(
        finding(Code::RequestKeyUsed, format!("its key already has the certificate {}", entry.serial))
            .why("a new certificate for an old key would prolong the life of a key that may have leaked")
            .next(Next::from("ask the sender for a new key and request: ").command(CommandLine::enroll_anew())),
    )
}

/// `request-organization`: the O can be a key of the chart's `clientCACerts`, in the kebab form that its templates make
/// of it (`_helpers.tpl`). At most 32 characters, since the name of a volume, at most 63, holds it twice.
pub(super) fn chart_key(msp_id: &MspId, context: &PolicyContext<'_>) -> Option<Failure> {
    let bad = |why: String| {
        finding(Code::RequestOrganization, format!("its O {msp_id} cannot be a key of the orchestrator's chart"))
            .why(why)
            .next("agree with the organization on another MSP ID, set it at its backend, and ask for a new request")
    };
    let kebab = (context.kebab)(msp_id.as_str());
    let is_name = kebab.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if kebab.len() > 32 || !is_name || kebab.starts_with('-') || kebab.ends_with('-') || kebab.is_empty() {
        return Some(bad(format!(
            "the chart makes {:?} of it, but needs at most 32 lower-case letters, digits and '-'",
            excerpt(&kebab)
        )));
    }
    let same = |key: &&String| {
        // Computing the kebab form of each key for each request is slow; equal forms have equal letters.
        key.as_str() != msp_id.as_str() && letters(key).eq(letters(msp_id.as_str())) && (context.kebab)(key) == kebab
    };
    // A member that is written differently is no second member: `member` says so.
    let is_member = context.members.iter().any(|member| member == msp_id.as_str());
    let members = context.members.iter().filter(|_| is_member);
    let other = context.client_ca_keys.iter().chain(members).find(same)?;
    Some(bad(format!("the chart makes {kebab} of it, and of the key {} too", excerpt(other))))
}

fn letters(text: &str) -> impl Iterator<Item = u8> {
    text.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_lowercase())
}

/// `msp-id`: the O is not the default of the chart.
pub(super) fn not_the_default(msp_id: &MspId) -> Option<Failure> {
    (msp_id.as_str() == DEFAULT_MSP_ID).then(|| {
        finding(Code::MspId, format!("{msp_id} names no organization"))
            .why("it is the default of the backend's chart: every backend whose values name no organization acts under it")
            .next("agree with the organization on an MSP ID, set it as orchestrator.mspID at its backend and in channels[].organizations, and ask for a new request")
    })
}

/// `request-not-a-member`: the O is a member of a channel.
pub(super) fn member(msp_id: &MspId, context: &PolicyContext<'_>) -> Option<Failure> {
    if context.members.iter().any(|member| member == msp_id.as_str()) {
        return None;
    }
    let alike = context.members.iter().find(|member| letters(member).eq(letters(msp_id.as_str())));
    let why = match alike {
        Some(member) => format!("the channels have {}, which is written differently", excerpt(member)),
        None if context.members.is_empty() => "no channel has any organization".to_owned(),
        None => "no channel of the orchestrator names this organization".to_owned(),
    };
    Some(
        finding(Code::RequestNotAMember, format!("{msp_id} is not a member"))
            .why(why)
            .next(format!("add {msp_id} to `channels[].organizations` of the orchestrator first, if it shall join")),
    )
}

/// `request-host`: no name of the orchestrator, and no default of the backend's chart.
pub(super) fn host(host: &Hostname, context: &PolicyContext<'_>) -> Option<Failure> {
    let bad = |what: String, why: &str| Some(finding(Code::RequestHost, what).why(why).next(ITS_OWN_HOST));
    let covers = |name: &String| {
        let name = name.strip_suffix('.').unwrap_or(name);
        let parent = host.as_str().split_once('.').map(|(_, parent)| parent);
        let wildcard = name.strip_prefix("*.");
        name.eq_ignore_ascii_case(host.as_str()) || (wildcard.is_some() && wildcard == parent)
    };
    if context.orchestrator_names.iter().any(covers) {
        let why = "its holder could pose as the orchestrator towards every other organization";
        return bad(format!("its name {host} is one of the orchestrator"), why);
    }
    if DEFAULT_HOSTS.contains(&host.as_str()) {
        return bad(format!("its name {host} is no organization's own"), "it says nothing about whose backend this is");
    }
    None
}

/// `request-host`: no name that an unexpired certificate of another organization has, under any CA.
pub(super) fn host_of_another(host: &Hostname, msp_id: &MspId, context: &PolicyContext<'_>) -> Option<Failure> {
    let mut others = context.log.unexpired(context.now).filter(|entry| entry.organization != *msp_id);
    let other = others.find(|entry| entry.hosts.contains(host))?;
    Some(
        finding(Code::RequestHost, format!("its name {host} is that of {}", other.organization))
            .why(format!(
                "its holder could pose as that organization's backend, which has it in a certificate until {}",
                other.not_after.date()
            ))
            .next(ITS_OWN_HOST),
    )
}
