//! Public keys of requests, taken apart strictly, and signatures verified with them.

use std::sync::LazyLock;

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use der::{
    Decode, Encode, Sequence,
    asn1::{ObjectIdentifier, UintRef},
};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use super::{
    key::{Curve, KeyType},
    oid,
};

/// RFC 8017, appendix A.1.1.
#[derive(Sequence)]
struct RsaPublicKey<'a> {
    modulus: UintRef<'a>,
    exponent: UintRef<'a>,
}

/// A public key that is one of [`KeyType`] and has no known weakness.
pub(super) struct PublicKey<'a> {
    pub(super) key_type: KeyType,
    bits: &'a [u8],
}

impl<'a> PublicKey<'a> {
    /// Takes a key apart.
    ///
    /// # Errors
    /// What is wrong with it, as the reason of a refusal.
    pub(super) fn read(spki: &'a SubjectPublicKeyInfoOwned) -> Result<Self, String> {
        let bits = spki.subject_public_key.as_bytes().ok_or("its public key is not a whole number of bytes")?;
        let key_type = match spki.algorithm.oid {
            oid::RSA if is_null(&spki.algorithm) => rsa(bits)?,
            oid::EC => ec(&spki.algorithm, bits)?,
            other => return Err(format!("its key is of another kind ({other})")),
        };
        Ok(Self { key_type, bits })
    }

    /// Verifies a signature over `message`.
    ///
    /// # Errors
    /// What is wrong with it, as the reason of a refusal.
    pub(super) fn verify(
        &self,
        algorithm: &AlgorithmIdentifierOwned,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), &'static str> {
        let verification = verification(self.key_type, algorithm)
            .ok_or("its signature algorithm does not fit its key, or is weaker than SHA-256")?;
        UnparsedPublicKey::new(verification, self.bits)
            .verify(message, signature)
            .map_err(|_| "its signature was not made with the key that it names, or it was altered since")
    }
}

fn is_null(algorithm: &AlgorithmIdentifierOwned) -> bool {
    algorithm.parameters.as_ref().is_some_and(der::asn1::Any::is_null)
}

fn verification(key: KeyType, algorithm: &AlgorithmIdentifierOwned) -> Option<&'static dyn VerificationAlgorithm> {
    // NULL for RSA, which may be left out (RFC 4055, section 5); never there for ECDSA (RFC 5758, section 3.2).
    let fits = algorithm.parameters.is_none() || (key.is_rsa() && is_null(algorithm));
    let verification: &'static dyn VerificationAlgorithm = match key {
        KeyType::EcdsaP256 => match algorithm.oid {
            oid::SHA256_ECDSA => &signature::ECDSA_P256_SHA256_ASN1,
            oid::SHA384_ECDSA => &signature::ECDSA_P256_SHA384_ASN1,
            oid::SHA512_ECDSA => &signature::ECDSA_P256_SHA512_ASN1,
            _ => return None,
        },
        KeyType::EcdsaP384 => match algorithm.oid {
            oid::SHA256_ECDSA => &signature::ECDSA_P384_SHA256_ASN1,
            oid::SHA384_ECDSA => &signature::ECDSA_P384_SHA384_ASN1,
            oid::SHA512_ECDSA => &signature::ECDSA_P384_SHA512_ASN1,
            _ => return None,
        },
        KeyType::Rsa2048 | KeyType::Rsa3072 | KeyType::Rsa4096 => match algorithm.oid {
            oid::SHA256_RSA => &signature::RSA_PKCS1_2048_8192_SHA256,
            oid::SHA384_RSA => &signature::RSA_PKCS1_2048_8192_SHA384,
            oid::SHA512_RSA => &signature::RSA_PKCS1_2048_8192_SHA512,
            _ => return None,
        },
    };
    fits.then_some(verification)
}

fn ec(algorithm: &AlgorithmIdentifierOwned, point: &[u8]) -> Result<KeyType, String> {
    let named = algorithm.parameters.as_ref().and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
    let named = named.ok_or("its curve is described by parameters instead of a name")?;
    let (key_type, Curve { verification, point: size, .. }) =
        KeyType::curves()
            .find(|(_, curve)| curve.oid == named)
            .ok_or_else(|| format!("its curve is neither P-256 nor P-384 ({named})"))?;
    if point.len() != size || point.first() != Some(&4) {
        return Err("its point is not in the uncompressed form".to_owned());
    }
    if UnparsedPublicKey::new(verification, point).parse().is_err() {
        return Err("its point is not on the curve".to_owned());
    }
    Ok(key_type)
}

fn rsa(bits: &[u8]) -> Result<KeyType, String> {
    let key = RsaPublicKey::from_der(bits).map_err(|_| "its RSA key cannot be read")?;
    if key.to_der().ok().as_deref() != Some(bits) {
        return Err("its RSA key is not encoded as DER asks".to_owned());
    }
    let modulus = key.modulus.as_bytes();
    let size = modulus.len() * 8 - modulus.first().map_or(0, |b| b.leading_zeros() as usize);
    let key_type =
        KeyType::of_rsa_bits(size).ok_or_else(|| format!("its RSA key has {size} bits, not 2048, 3072 or 4096"))?;
    if key.exponent.as_bytes() != [1, 0, 1] {
        return Err("its RSA exponent is not 65537".to_owned());
    }
    if has_small_factor(modulus) {
        return Err("its RSA modulus has a factor below 752, so that the private key can be computed".to_owned());
    }
    Ok(key_type)
}

/// Products of the primes up to 751 (NIST SP 800-89, section 5.3.3), each below 2^32, so that one pass tests several.
static PRODUCTS: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let is_prime = |n: &u64| (2..*n).take_while(|d| d * d <= *n).all(|d| !n.is_multiple_of(d));
    let mut products = vec![1_u64];
    for prime in (2..752).filter(is_prime) {
        match products.last_mut() {
            Some(last) if u32::try_from(*last * prime).is_ok() => *last *= prime,
            _ => products.push(prime),
        }
    }
    products
});

fn has_small_factor(modulus: &[u8]) -> bool {
    let remainder = |product: u64| {
        modulus.chunks(4).fold(0, |rest, word| {
            let (value, bits) = word.iter().fold((0, 0), |(value, bits), b| (value << 8 | u64::from(*b), bits + 8));
            ((rest << bits) | value) % product
        })
    };
    PRODUCTS.iter().any(|&product| gcd(product, remainder(product)) != 1)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_each_small_factor_and_no_other() {
        for prime in [2_u64, 3, 7, 109, 367, 751] {
            assert!(has_small_factor(&(prime * 1_000_003).to_be_bytes()), "{prime}");
        }
        // 757 is the first prime above the limit.
        assert!(!has_small_factor(&(757_u64 * 1_000_003).to_be_bytes()));
    }
}
