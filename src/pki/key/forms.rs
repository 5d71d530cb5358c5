//! The forms in which people have private keys: PKCS#1, PKCS#8, encrypted PKCS#8, SEC1.

use aws_lc_rs::signature::{EcdsaKeyPair, EcdsaSigningAlgorithm, RsaKeyPair};
use der::{Decode, asn1::ObjectIdentifier};
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef, pkcs5::EncryptionScheme, pkcs5::pbes2::Kdf};
use zeroize::Zeroizing;

use super::{KeyError, KeyPair, KeyType};
use crate::pki::{oid, pem::PemBlock};

/// The key in a PEM block.
pub(super) fn pair(block: &PemBlock, passphrase: Option<&[u8]>) -> Result<KeyPair, KeyError> {
    match block.label.as_str() {
        _ if block.headers => Err(KeyError::Unsupported),
        "PRIVATE KEY" => pkcs8_pair(&block.der),
        "RSA PRIVATE KEY" => RsaKeyPair::from_der(&block.der).map(KeyPair::Rsa).map_err(|_| refused(&block.der)),
        "EC PRIVATE KEY" => sec1_pair(&block.der),
        "ENCRYPTED PRIVATE KEY" => pkcs8_pair(&decrypted(&block.der, passphrase)?),
        _ => Err(KeyError::Unsupported),
    }
}

/// Well-formed but not taken, or damaged?
fn refused(der: &[u8]) -> KeyError {
    if der::AnyRef::from_der(der).is_ok() { KeyError::Unsupported } else { KeyError::Damaged }
}

fn pkcs8_pair(der: &[u8]) -> Result<KeyPair, KeyError> {
    let info = PrivateKeyInfoRef::try_from(der).map_err(|_| KeyError::Damaged)?;
    if info.algorithm.oid == oid::RSA {
        return RsaKeyPair::from_pkcs8(der).map(KeyPair::Rsa).map_err(|_| refused(der));
    }
    let curve = info.algorithm.parameters.and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
    let algorithm = curve_algorithm(curve).filter(|_| info.algorithm.oid == oid::EC).ok_or(KeyError::Unsupported)?;
    EcdsaKeyPair::from_pkcs8(algorithm, der).map(KeyPair::Ec).map_err(|_| KeyError::Damaged)
}

fn curve_algorithm(named: Option<ObjectIdentifier>) -> Option<&'static EcdsaSigningAlgorithm> {
    KeyType::curves().find(|(_, curve)| Some(curve.oid) == named).map(|(_, curve)| curve.signing)
}

fn sec1_pair(der: &[u8]) -> Result<KeyPair, KeyError> {
    KeyType::curves()
        .find_map(|(_, curve)| EcdsaKeyPair::from_private_key_der(curve.signing, der).ok())
        .map(KeyPair::Ec)
        .ok_or_else(|| refused(der))
}

fn decrypted(der: &[u8], passphrase: Option<&[u8]>) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let encrypted = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| refused(der))?;
    if !is_bounded(&encrypted.encryption_algorithm) {
        return Err(KeyError::Unsupported);
    }
    let passphrase = passphrase.ok_or(KeyError::PassphraseNeeded)?;
    let opened = encrypted.decrypt(passphrase).map_err(|_| KeyError::PassphraseWrong)?;
    Ok(Zeroizing::new(opened.as_bytes().to_vec()))
}

/// A crafted file must not keep the machine busy for hours or eat its memory.
fn is_bounded(scheme: &EncryptionScheme) -> bool {
    const ROUNDS: u32 = 10_000_000;
    const SCRYPT_WORK: u64 = 1 << 23; // N * r * p; 128 bytes each: at most 1 GiB
    match scheme.pbes2().map(|parameters| &parameters.kdf) {
        Some(Kdf::Pbkdf2(kdf)) => kdf.iteration_count <= ROUNDS,
        Some(Kdf::Scrypt(kdf)) => kdf
            .cost_parameter
            .checked_mul(u64::from(kdf.block_size))
            .and_then(|work| work.checked_mul(u64::from(kdf.parallelization)))
            .is_some_and(|work| work <= SCRYPT_WORK),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use pkcs8::pkcs5::pbes2::{EncryptionScheme as Encryption, Parameters, Pbkdf2Params};

    use super::*;

    #[test]
    fn an_encryption_that_would_take_hours_to_open_is_not_tried() {
        let pbkdf2 = |rounds| {
            let kdf = Pbkdf2Params::hmac_sha256(rounds, &[0; 16]).unwrap().into();
            is_bounded(&EncryptionScheme::from(Parameters { kdf, encryption: Encryption::Aes256Cbc { iv: [0; 16] } }))
        };
        assert!(pbkdf2(600_000));
        assert!(!pbkdf2(10_000_001));
    }
}
