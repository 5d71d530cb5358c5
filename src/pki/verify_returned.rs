//! Verifies the certificate that a backend gets back: one that the servers would refuse is not installed.

use time::{Duration, OffsetDateTime};

use super::inspect::{self, Certificate};
use crate::{
    command_line::CommandLine,
    failure::{Code, Exit, Failure, Next},
    names::MspId,
    plain::excerpt,
    times,
};

/// What the certificate has to fit.
pub struct ExpectedCertificate<'a> {
    /// The public key of the request that was sent, DER `SubjectPublicKeyInfo`.
    pub spki: &'a [u8],
    /// The deployed `orchestrator.mspID`.
    pub msp_id: &'a MspId,
    /// The CAs in the cluster, not one that came with the certificate.
    pub authorities: &'a [Certificate],
    /// The time.
    pub now: OffsetDateTime,
}

/// Verifies the certificate in `bytes`: the first one, as the servers read such a file.
///
/// # Errors
/// All findings: the codes of [`inspect::certificates`] and `certificate-...`.
pub fn verify(file: &str, bytes: &[u8], expected: &ExpectedCertificate<'_>) -> Result<Certificate, Vec<Failure>> {
    let named = |finding: Failure| {
        let what = format!("{}: {}", excerpt(file), finding.what);
        Failure { exit: Exit::Refused, what, ..finding }
    };
    let certificate = inspect::certificates(bytes)
        .and_then(|certificates| certificates.into_iter().next().ok_or_else(inspect::none))
        .map_err(|finding| vec![named(finding)])?;
    let findings = [
        key(&certificate, expected),
        organization(&certificate, expected.msp_id),
        usage(&certificate),
        times(&certificate, expected.now),
        authority(&certificate, expected.authorities, expected.now),
    ];
    let findings: Vec<_> = findings.into_iter().flatten().map(named).collect();
    if findings.is_empty() { Ok(certificate) } else { Err(findings) }
}

fn finding(code: Code, what: impl Into<String>) -> Failure {
    Failure::new(Exit::Refused, code, what)
}

fn key(certificate: &Certificate, expected: &ExpectedCertificate<'_>) -> Option<Failure> {
    let finding = match certificate {
        _ if certificate.spki == expected.spki => return None,
        _ if expected.authorities.iter().any(|ca| ca.der == certificate.der) => {
            finding(Code::CertificateKey, "it is the CA's own certificate")
                .why("the certificate for this backend is another one, issued for its request")
        }
        _ => finding(Code::CertificateKey, "it is not for the key of this backend's request")
            .why(format!("it has the key {}", certificate.fingerprint())),
    };
    Some(finding.next("ask the orchestrator's operator for the certificate that answers this backend's last request"))
}

fn organization(certificate: &Certificate, msp_id: &MspId) -> Option<Failure> {
    if certificate.organizations == [msp_id.as_str()] {
        return None;
    }
    let found: Vec<_> = certificate.organizations.iter().map(|organization| excerpt(organization)).collect();
    let found = if found.is_empty() { "none".to_owned() } else { found.join(" and ") };
    Some(
        finding(Code::CertificateOrganization, format!("its O is not exactly {msp_id}"))
            .why(format!("its O is {found}; the orchestrator compares it with `orchestrator.mspID`"))
            .next(format!("ask for a certificate for {msp_id}, or correct `orchestrator.mspID` and enroll again")),
    )
}

fn usage(certificate: &Certificate) -> Option<Failure> {
    let why = match certificate {
        _ if certificate.is_ca => "it is a CA certificate",
        _ if !certificate.has_eku() => "it has no extended key usage, so that it could pose as a server too",
        _ if !certificate.client_auth() => "its extended key usage lacks clientAuth",
        _ if certificate.server_auth() => "its extended key usage has serverAuth, so that it could pose as a server",
        _ => return None,
    };
    Some(
        finding(Code::CertificateUsage, "it is not a certificate only for clients")
            .why(why)
            .next("ask for one issued by approve, with only clientAuth"),
    )
}

fn times(certificate: &Certificate, now: OffsetDateTime) -> Option<Failure> {
    let at = times::rfc3339;
    let span =
        format!("it is valid from {} to {}, now is {}", at(certificate.not_before), at(certificate.not_after), at(now));
    if certificate.not_before > now {
        let finding = finding(Code::CertificateTimes, "it is not valid yet").why(span);
        return Some(finding.next("compare the clocks of this machine and of the one that issued it"));
    }
    let ends = certificate.not_after - now < Duration::DAY;
    ends.then(|| {
        finding(Code::CertificateTimes, "it has less than a day left").why(span).next(
            Next::from("make a new request with ").command(CommandLine::enroll_anew()).words(" and have it approved"),
        )
    })
}

fn authority(certificate: &Certificate, authorities: &[Certificate], now: OffsetDateTime) -> Option<Failure> {
    let foreign = || {
        finding(Code::CertificateAuthority, "it was not signed by a CA that this cluster trusts")
            .why(format!("its issuer is {}; the cluster has {}", certificate.issuer, listed(authorities)))
            .next("compare the CA's fingerprint with the orchestrator's operator over another channel")
    };
    let Some(ca) = authorities.iter().find(|ca| ca.is_ca && certificate.is_signed_by(ca)) else {
        return Some(foreign());
    };
    if now > ca.not_after || now < ca.not_before {
        let why = format!(
            "it is valid from {} to {}, now is {now}: both servers look at the CA's own dates",
            ca.not_before, ca.not_after
        );
        let finding = finding(Code::CertificateAuthorityTimes, "its CA is not valid now").why(why);
        return Some(finding.next("the orchestrator's operator has to renew the CA first; or compare the clocks"));
    }
    let named = certificate.authority_key_id.is_some() && certificate.authority_key_id == ca.subject_key_id;
    (!named).then(|| {
        finding(Code::CertificateAuthorityKeyId, "it does not name its CA by key identifier")
            .why("the orchestrator finds an organization's CA by this identifier and would refuse every call")
            .next("ask for one issued by approve")
    })
}

fn listed(authorities: &[Certificate]) -> String {
    let names: Vec<_> = authorities.iter().map(|ca| ca.subject.clone()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
