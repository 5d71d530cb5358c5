//! The key of a request: proof that its holder made the request, strength, and whose it is.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P256_SHA512_ASN1, ECDSA_P384_SHA256_ASN1,
    ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA512_ASN1, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, UnparsedPublicKey, VerificationAlgorithm,
};
use der::{
    Decode, Encode, Tag, Tagged,
    asn1::{AnyRef, ObjectIdentifier, UintRef},
};
use x509_cert::{request::CertReq, spki::AlgorithmIdentifierOwned};

use super::{Circumstances, Refuser, key_bits};
use crate::{
    failure::Failure,
    names::MspId,
    pki::{fingerprint::Fingerprint, key::KeyType, request::RequestDigest},
};

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// The largest prime that a modulus must not have as a factor (CA/Browser Forum, as Boulder checks it).
const LARGEST_SMALL_PRIME: u32 = 751;

/// The kind of a sound key whose holder signed the request.
pub(super) fn judge(refuse: &Refuser<'_>, request: &CertReq) -> Result<KeyType, Failure> {
    let key_type = key_type(request).map_err(|why| refuse.finding("request-key", why))?;
    let signature = |why: &str| refuse.finding("request-signature", why);
    let algorithm = algorithm(key_type, &request.algorithm).ok_or_else(|| {
        signature("it is not signed with SHA-256, SHA-384 or SHA-512 by the algorithm of its own key")
    })?;
    let info = request.info.to_der().map_err(|_| signature("what it signs cannot be encoded"))?;
    let bytes = request.signature.as_bytes().ok_or_else(|| signature("its signature is not whole bytes"))?;
    UnparsedPublicKey::new(algorithm, key_bits(request)).verify(&info, bytes).map_err(|_| {
        signature("its signature is not by the key in it: whoever made it does not hold that key, or it was changed")
    })?;
    Ok(key_type)
}

fn key_type(request: &CertReq) -> Result<KeyType, &'static str> {
    let algorithm = &request.info.public_key.algorithm;
    match algorithm.oid {
        RSA if is_null(algorithm) => rsa_type(key_bits(request)),
        EC => {
            let curve = algorithm.parameters.as_ref().and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
            match (curve, key_bits(request)) {
                (Some(P256), [4, point @ ..]) if point.len() == 64 => Ok(KeyType::EcdsaP256),
                (Some(P384), [4, point @ ..]) if point.len() == 96 => Ok(KeyType::EcdsaP384),
                (Some(P256 | P384), _) => Err("its point is not in the uncompressed form"),
                _ => Err("its curve is not P-256 or P-384 by name: other curves fail at one of the servers"),
            }
        }
        _ => Err(
            "its key is not RSA of 2048, 3072 or 4096 bits or ECDSA on P-256 or P-384: grpcio refuses others, Ed25519 too",
        ),
    }
}

fn is_null(algorithm: &AlgorithmIdentifierOwned) -> bool {
    algorithm.parameters.as_ref().is_some_and(|any| any.tag() == Tag::Null && any.value().is_empty())
}

fn rsa_type(bits: &[u8]) -> Result<KeyType, &'static str> {
    let parts = AnyRef::from_der(bits).and_then(|any| {
        any.sequence(|reader: &mut der::SliceReader<'_>| -> der::Result<(Vec<u8>, Vec<u8>)> {
            let (modulus, exponent) = (UintRef::decode(reader)?, UintRef::decode(reader)?);
            Ok((modulus.as_bytes().to_vec(), exponent.as_bytes().to_vec()))
        })
    });
    let (modulus, exponent) = parts.map_err(|_| "its RSA key cannot be read")?;
    if exponent != [1, 0, 1] {
        return Err("its RSA exponent is not 65537");
    }
    let key_type = match (modulus.len(), modulus.first()) {
        (256, Some(0x80..)) => KeyType::Rsa2048,
        (384, Some(0x80..)) => KeyType::Rsa3072,
        (512, Some(0x80..)) => KeyType::Rsa4096,
        _ => return Err("its RSA key is not of 2048, 3072 or 4096 bits"),
    };
    let divides = |prime: u32| modulus.iter().fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % prime) == 0;
    // Divisors that are not prime only repeat what their factors say.
    if (2..=LARGEST_SMALL_PRIME).filter(|n| is_prime(*n)).any(divides) {
        return Err("its RSA modulus has a small factor: the key is broken");
    }
    Ok(key_type)
}

fn is_prime(n: u32) -> bool {
    (2..n).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d))
}

/// The algorithm of a request's signature, if it fits the key: parameters NULL or absent for RSA, absent for ECDSA.
fn algorithm(key_type: KeyType, given: &AlgorithmIdentifierOwned) -> Option<&'static dyn VerificationAlgorithm> {
    let absent = given.parameters.is_none();
    let rsa = matches!(key_type, KeyType::Rsa2048 | KeyType::Rsa3072 | KeyType::Rsa4096);
    let fits = absent || (rsa && is_null(given));
    if !fits {
        return None;
    }
    Some(match (given.oid.to_string().as_str(), key_type, rsa) {
        ("1.2.840.113549.1.1.11", _, true) => &RSA_PKCS1_2048_8192_SHA256,
        ("1.2.840.113549.1.1.12", _, true) => &RSA_PKCS1_2048_8192_SHA384,
        ("1.2.840.113549.1.1.13", _, true) => &RSA_PKCS1_2048_8192_SHA512,
        ("1.2.840.10045.4.3.2", KeyType::EcdsaP256, _) => &ECDSA_P256_SHA256_ASN1,
        ("1.2.840.10045.4.3.3", KeyType::EcdsaP256, _) => &ECDSA_P256_SHA384_ASN1,
        ("1.2.840.10045.4.3.4", KeyType::EcdsaP256, _) => &ECDSA_P256_SHA512_ASN1,
        ("1.2.840.10045.4.3.2", KeyType::EcdsaP384, _) => &ECDSA_P384_SHA256_ASN1,
        ("1.2.840.10045.4.3.3", KeyType::EcdsaP384, _) => &ECDSA_P384_SHA384_ASN1,
        ("1.2.840.10045.4.3.4", KeyType::EcdsaP384, _) => &ECDSA_P384_SHA512_ASN1,
        _ => return None,
    })
}

/// Keys of somebody else, and of this organization's own earlier certificate.
pub(super) fn taken(
    refuse: &Refuser<'_>,
    fingerprint: Fingerprint,
    digest: &RequestDigest,
    msp_id: &MspId,
    circumstances: &Circumstances<'_>,
) -> Option<Failure> {
    if let Some((_, whose)) = circumstances.burnt.iter().find(|(burnt, _)| *burnt == fingerprint) {
        return Some(refuse.finding("key-taken", format!("its key is that of {whose}")));
    }
    let mut same_key = circumstances.log.entries().iter().filter(|entry| entry.fingerprint == fingerprint);
    let other = same_key.find(|entry| entry.organization != msp_id.as_str() || entry.request != *digest)?;
    let why = if other.organization == msp_id.as_str() {
        "its key has a certificate already, from another request: a renewal needs a new key".to_owned()
    } else {
        format!("its key is that of {}", other.organization)
    };
    Some(refuse.finding("key-taken", why))
}
