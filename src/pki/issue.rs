//! A client certificate: built from the request's key and checked names, read back by another library before it leaves.

use aws_lc_rs::rand;
use rustls::pki_types::{CertificateDer, UnixTime};
use time::{Duration, OffsetDateTime};

use super::{
    authority::Authority,
    der::{self, OCTET_STRING, SEQUENCE, oid, tlv},
    fingerprint::{hex, sha256},
    inspect::Certificate,
    pem,
    request::Request,
};
use crate::{
    failure::{Exit, Failure, Result},
    names::Validity,
    substra::identity,
};

/// A certificate that may leave.
#[derive(Debug, Clone)]
pub struct Issued {
    /// Its bytes.
    pub der: Vec<u8>,
    /// One PEM block.
    pub pem: String,
    /// Serial number, hexadecimal.
    pub serial: String,
    /// From when it is valid.
    pub not_before: OffsetDateTime,
    /// Until when it is valid.
    pub not_after: OffsetDateTime,
    /// Whether it ends before its asked validity, since the CA ends.
    pub cut_to_ca_end: bool,
}

/// Signs once. X.509 v3, subject O and CN, SAN of the hosts, digitalSignature, clientAuth alone, the request's key.
///
/// # Errors
/// Less than a day of the CA is left, or the certificate that came out is not the one that was meant.
pub fn issue(authority: &Authority, request: &Request, validity: Validity, now: OffsetDateTime) -> Result<Issued> {
    let ca = authority.certificate();
    // An hour back, for the clocks of clusters that are not in step.
    let not_before = whole_second((now - Duration::HOUR).max(ca.not_before));
    let wanted = whole_second(now) + validity.duration();
    let last = ca.not_after - Duration::SECOND;
    let not_after = wanted.min(last);
    if not_after < now + Duration::DAY {
        return Err(Failure::new(Exit::Refused, "ca-ends", format!("no certificate is signed for {}", request.msp_id))
            .why(format!("the CA ends on {}: less than a day is left", ca.not_after.date()))
            .next("renew the CA first; an expired CA ends everything at once")
            .unchanged("nothing was signed and nothing was written"));
    }
    let serial = random_serial()?;
    let key_id = key_id(&request.spki);
    let tbs = to_be_signed(authority, request, &serial, &key_id, (not_before, not_after));
    let signature = authority.key().sign(&tbs)?;
    let der = tlv(SEQUENCE, &[&tbs, authority.key().signature_algorithm(), &der::bits(&signature)]);
    let meant = Meant { authority, request, serial: hex(&serial), key_id, not_before, not_after, now };
    meant.is(&der)?;
    let pem = pem::encode("CERTIFICATE", &der).to_string();
    Ok(Issued { der, pem, serial: meant.serial, not_before, not_after, cut_to_ca_end: wanted > last })
}

/// 0x01 and 128 random bits: positive, of fixed length (CA/Browser Forum asks for 64 bits and more).
pub(crate) fn random_serial() -> Result<[u8; 17]> {
    let mut serial = [1; 17];
    rand::fill(&mut serial[1..]).map_err(|_| {
        Failure::new(Exit::Failed, "random", "no serial number could be made").why("the system gives no random bytes")
    })?;
    Ok(serial)
}

pub(super) fn whole_second(time: OffsetDateTime) -> OffsetDateTime {
    time.replace_nanosecond(0).unwrap_or(time)
}

/// SHA-256 of the key's bits, cut to 20 bytes (RFC 7093 method 1).
fn key_id(spki: &[u8]) -> Vec<u8> {
    use ::der::Decode;
    let bits = x509_cert::spki::SubjectPublicKeyInfoRef::from_der(spki).map(|info| info.subject_public_key.raw_bytes());
    sha256(bits.unwrap_or(spki))[..20].to_vec()
}

fn to_be_signed(
    authority: &Authority,
    request: &Request,
    serial: &[u8],
    key_id: &[u8],
    valid: (OffsetDateTime, OffsetDateTime),
) -> Vec<u8> {
    let extensions = extensions(authority, request, key_id);
    tlv(
        SEQUENCE,
        &[
            &tlv(0xa0, &[&[0x02, 0x01, 0x02]]),
            &tlv(0x02, &[serial]),
            authority.key().signature_algorithm(),
            // Go looks for issuers by raw bytes.
            &authority.certificate().subject_der,
            &tlv(SEQUENCE, &[&der::time(valid.0), &der::time(valid.1)]),
            &subject(request),
            &request.spki,
            &tlv(0xa3, &[&extensions]),
        ],
    )
}

fn subject(request: &Request) -> Vec<u8> {
    let organization = der::rdn(oid::ORGANIZATION, request.msp_id.as_str());
    let host = request.hosts.first().map(crate::names::Hostname::as_str).filter(|host| host.len() <= 64);
    let common_name = host.map(|host| der::rdn(oid::COMMON_NAME, host)).unwrap_or_default();
    tlv(SEQUENCE, &[&organization, &common_name])
}

fn extensions(authority: &Authority, request: &Request, key_id: &[u8]) -> Vec<u8> {
    let ca_key_id = authority.certificate().subject_key_id.clone().unwrap_or_default();
    let names: Vec<u8> = request.hosts.iter().flat_map(|host| tlv(0x82, &[host.as_str().as_bytes()])).collect();
    let all = [
        // An empty sequence: CA is FALSE by default, and a default is not encoded in DER.
        der::extension(oid::BASIC_CONSTRAINTS, true, &[SEQUENCE, 0]),
        der::extension(oid::KEY_USAGE, true, &[0x03, 2, 7, 0x80]),
        der::extension(oid::EXTENDED_KEY_USAGE, false, &tlv(SEQUENCE, &[oid::CLIENT_AUTH])),
        der::extension(oid::SUBJECT_ALT_NAME, false, &tlv(SEQUENCE, &[&names])),
        der::extension(oid::SUBJECT_KEY_ID, false, &tlv(OCTET_STRING, &[key_id])),
        der::extension(oid::AUTHORITY_KEY_ID, false, &tlv(SEQUENCE, &[&tlv(0x80, &[&ca_key_id])])),
    ];
    let all: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
    tlv(SEQUENCE, &all)
}

/// What the certificate must say when it is read back.
struct Meant<'a> {
    authority: &'a Authority,
    request: &'a Request,
    serial: String,
    key_id: Vec<u8>,
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
    now: OffsetDateTime,
}

impl Meant<'_> {
    fn is(&self, der: &[u8]) -> Result<()> {
        let failed = |what: &str| {
            Failure::new(Exit::Failed, "self-check", format!("the certificate for {} is kept back", self.request.msp_id))
                .why(format!("read back, it is not what was meant: {what}"))
                .next("this is a mistake of the tool: please report it, with the request and the CA's certificate (never its key)")
                .unchanged("nothing was written")
        };
        let read = Certificate::from_der(der).ok_or_else(|| failed("it cannot be read"))?;
        if let Some(what) = self.differs(&read) {
            return Err(failed(what));
        }
        self.verified(der).map_err(|what| failed(&what))?;
        // The orchestrator's own identity check, as its server runs it.
        let org = self.request.msp_id.as_str();
        identity::check(org, &[&read], &[(org, self.authority.certificate())]).map_err(|what| failed(&what))
    }

    fn differs(&self, read: &Certificate) -> Option<&'static str> {
        let (request, ca) = (self.request, self.authority.certificate());
        let hosts = request.hosts.iter().map(crate::names::Hostname::as_str);
        let common_name = request.hosts.first().filter(|host| host.as_str().len() <= 64).map(ToString::to_string);
        let expected = ["2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.17", "2.5.29.14", "2.5.29.35"];
        let checks = [
            (read.version == 3, "its version"),
            (read.serial == self.serial, "its serial number"),
            (read.issuer_der == ca.subject_der, "its issuer"),
            (read.organizations == [request.msp_id.as_str()], "its O"),
            (read.common_names == common_name.into_iter().collect::<Vec<_>>(), "its CN"),
            (read.dns_names.iter().map(String::as_str).eq(hosts), "its hosts"),
            (read.spki == request.spki, "its key"),
            ((read.not_before, read.not_after) == (self.not_before, self.not_after), "its dates"),
            (!read.is_ca && read.key_usage == Some(1), "its key usage"),
            (read.client_auth() && !read.server_auth(), "its extended key usage"),
            (read.subject_key_id.as_ref() == Some(&self.key_id), "its key identifier"),
            (read.authority_key_id == ca.subject_key_id, "its issuer's key identifier"),
            (read.extensions == expected, "its extensions"),
        ];
        checks.into_iter().find(|(good, _)| !good).map(|(_, what)| what)
    }

    /// The chain and the signature, by a third library.
    fn verified(&self, der: &[u8]) -> std::result::Result<(), String> {
        let der = CertificateDer::from(der);
        let leaf = webpki::EndEntityCert::try_from(&der).map_err(|e| e.to_string())?;
        let seconds = self.now.unix_timestamp().max(self.not_before.unix_timestamp());
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
        let anchors = [self.authority.anchor().clone()];
        leaf.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &anchors,
            &[],
            now,
            webpki::KeyUsage::client_auth(),
            None,
            None,
        )
        .map(drop)
        .map_err(|e| e.to_string())
    }
}
