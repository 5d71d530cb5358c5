//! Verifies a new certificate before it is handed out: two other libraries read it and build its path.

use der::{Decode, asn1::AnyRef};
use rustls::pki_types::{CertificateDer, Der, ServerName, UnixTime};
use time::OffsetDateTime;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use super::{
    authority::Authority,
    fingerprint::hex,
    identity,
    inspect::{self, Certificate},
    issue::CertificateSpec,
};
use crate::{
    failure::{Code, Exit, Failure},
    names::{Hostname, MspId},
};

/// Checks a new certificate.
///
/// # Errors
/// `certificate-check` when it is not as it was meant, `authority-does-not-fit` when a server would refuse it although
/// it is: for example because of the CA's name constraints.
pub(super) fn verify(
    der: &[u8],
    authority: &Authority,
    spec: &CertificateSpec<'_>,
    now: OffsetDateTime,
) -> Result<(), Failure> {
    let bug = |why: String| {
        Failure::new(
            Exit::Failed,
            Code::CertificateCheck,
            "the new certificate did not pass the checks and was dropped",
        )
        .why(why)
        .next("report this as a bug, with the kind of the CA; nothing was issued")
    };
    let made = Certificate::from_der(der).map_err(|failure| bug(failure.why))?;
    fields(&made, authority.certificate(), spec).map_err(bug)?;
    if !made.is_signed_by(authority.certificate()) {
        return Err(bug("its signature does not verify with the CA's key".to_owned()));
    }
    if let Some(organization) = spec.holder.organization.map(MspId::as_str) {
        identity::check(organization, &[&made], &[(organization, authority.certificate())]).map_err(bug)?;
    }
    fits(der, authority, spec, now)
}

/// Whether a server would take it under this CA's name and constraints, signed as it is by the authority's key.
///
/// # Errors
/// `authority-does-not-fit`.
pub(super) fn fits(
    der: &[u8],
    authority: &Authority,
    spec: &CertificateSpec<'_>,
    now: OffsetDateTime,
) -> Result<(), Failure> {
    let serves = spec.holder.organization.is_some() || authority.certificate().server_auth();
    let fits = if serves {
        chains(der, authority, spec, now).map_err(|error| error.to_string())
    } else {
        // What webpki does not look at in an anchor, and Go and BoringSSL do.
        Err("the CA's extended key usage is not for servers".to_owned())
    };
    fits.map_err(|error| {
        let hosts: Vec<&str> = spec.holder.hosts.iter().map(AsRef::as_ref).collect();
        let what = format!("this CA cannot vouch for {}", hosts.join(", "));
        Failure::new(Exit::Refused, Code::AuthorityDoesNotFit, what)
            .why(format!("a server would refuse the certificate: {error}"))
            .next("look at the CA's name constraints and critical extensions, or sign with another CA")
    })
}

fn fields(made: &Certificate, ca: &Certificate, spec: &CertificateSpec<'_>) -> Result<(), String> {
    let holder = spec.holder;
    let organizations: Vec<&str> = holder.organization.iter().map(|org| org.as_str()).collect();
    let hosts: Vec<&str> = holder.hosts.iter().map(AsRef::as_ref).collect();
    let common_name: Vec<&str> = hosts.iter().take(1).filter(|host| host.len() <= 64).copied().collect();
    let comparisons = [
        ("version", made.version == 3),
        ("serial number", made.serial == hex(&spec.serial)),
        ("issuer", made.issuer_der == ca.subject_der),
        ("times", (made.not_before, made.not_after) == (spec.not_before, spec.not_after)),
        ("subject", made.subject_der == spec.subject),
        ("O", made.organizations == organizations),
        ("CN", made.common_names == common_name),
        ("key", made.spki == holder.spki),
        ("alternative names", made.dns_names == hosts),
        ("extensions", same_extensions(made, spec)),
        ("basic constraints", !made.is_ca && made.key_cert_sign == Some(false)),
        (
            "extended key usage",
            made.has_eku() && made.client_auth() && made.server_auth() == holder.organization.is_none(),
        ),
        ("subject key identifier", made.subject_key_id == inspect::key_id(holder.spki)),
        ("authority key identifier", made.authority_key_id.is_some() && made.authority_key_id == ca.subject_key_id),
    ];
    match comparisons.iter().find(|(_, holds)| !holds) {
        Some((field, _)) => Err(format!("its {field} did not come out as meant")),
        None => Ok(()),
    }
}

/// Exactly the extensions that were meant: no more, none else, nothing different.
fn same_extensions(made: &Certificate, spec: &CertificateSpec<'_>) -> bool {
    made.extensions.len() == spec.extensions.len()
        && made.extensions.iter().zip(&spec.extensions).all(|(made, spec)| {
            made.oid == Some(spec.extn_id) && made.critical == spec.critical && made.value == spec.extn_value.as_bytes()
        })
}

/// A third library builds the path as a client or a server would, with the name constraints of the CA; a server's has to
/// pass for both, and for each of its names.
fn chains(leaf: &[u8], ca: &Authority, spec: &CertificateSpec<'_>, now: OffsetDateTime) -> Result<(), webpki::Error> {
    let (leaf, anchor) = (CertificateDer::from(leaf), CertificateDer::from(&*ca.certificate().der));
    let mut anchor = anchor_from_trusted_cert(&anchor)?;
    let key = AnyRef::from_der(ca.key().spki()).map_err(|_| webpki::Error::BadDer)?;
    anchor.subject_public_key_info = Der::from_slice(key.value());
    let anchors = [anchor];
    let seconds = u64::try_from(now.unix_timestamp()).map_err(|_| webpki::Error::BadDerTime)?;
    let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let leaf = EndEntityCert::try_from(&leaf)?;
    let verify = |usage| leaf.verify_for_usage(ALL_VERIFICATION_ALGS, &anchors, &[], time, usage, None, None).map(drop);
    verify(KeyUsage::client_auth())?;
    if spec.holder.organization.is_some() {
        return Ok(());
    }
    verify(KeyUsage::server_auth())?;
    let named = |host: &Hostname| {
        let name = ServerName::try_from(host.as_str()).map_err(|_| webpki::Error::MalformedDnsIdentifier)?;
        leaf.verify_is_valid_for_subject_name(&name)
    };
    spec.holder.hosts.iter().try_for_each(named)
}
