//! The orchestrator's identity check (server, `interceptors/mspid.go`): may this certificate act as that organization?

use super::inspect::Certificate;

/// Accepts when (a) an O of the leaf is the header `mspid` byte for byte, (b) a key of that name is in `clientCACerts`,
/// and (c) the authorityKeyIdentifier of any certificate that the client sent equals the subjectKeyIdentifier of a first
/// certificate under that key. A missing identifier is the empty one, and equals another missing one.
///
/// # Errors
/// The server's own words.
pub fn check(header: &str, sent: &[&Certificate], client_cas: &[(&str, &Certificate)]) -> Result<(), String> {
    let leaf = sent.first().ok_or("could not extract client TLS certificate")?;
    if !leaf.organizations.iter().any(|organization| organization == header) {
        return Err(format!("cannot find MSPID {header} in client TLS certificate Subject Organizations"));
    }
    let id = |id: &Option<Vec<u8>>| id.clone().unwrap_or_default();
    let keys: Vec<Vec<u8>> =
        client_cas.iter().filter(|(key, _)| *key == header).map(|(_, ca)| id(&ca.subject_key_id)).collect();
    // A key without any object is an empty folder, which the server does not count either.
    if keys.is_empty() {
        return Err(format!("cannot find MSPID {header} in allowed organizations"));
    }
    let known = sent.iter().any(|certificate| keys.contains(&id(&certificate.authority_key_id)));
    if known { Ok(()) } else { Err(format!("invalid issuer for MSPID {header}")) }
}
