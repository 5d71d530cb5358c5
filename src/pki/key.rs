//! Private keys: made, read from PEM, used; never shown.

use std::fmt;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair,
        RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use zeroize::Zeroizing;

use super::{
    fingerprint::Fingerprint,
    pem::{self, Block},
};
use crate::failure::{Exit, Failure, Result};

/// The kinds of key that both servers take: Ed25519 fails with grpcio 1.66, P-521 is refused by BoringSSL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum KeyType {
    /// ECDSA on P-256.
    #[default]
    EcdsaP256,
    /// ECDSA on P-384.
    EcdsaP384,
    /// RSA of 2048 bits.
    #[value(name = "rsa-2048")]
    Rsa2048,
    /// RSA of 3072 bits.
    #[value(name = "rsa-3072")]
    Rsa3072,
    /// RSA of 4096 bits.
    #[value(name = "rsa-4096")]
    Rsa4096,
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EcdsaP256 => "ecdsa-p256",
            Self::EcdsaP384 => "ecdsa-p384",
            Self::Rsa2048 => "rsa-2048",
            Self::Rsa3072 => "rsa-3072",
            Self::Rsa4096 => "rsa-4096",
        })
    }
}

/// Why a text is no usable private key. Never holds a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// PKCS#8 encrypted, no passphrase given.
    #[error("the key is encrypted and no passphrase was given")]
    PassphraseNeeded,
    /// The passphrase does not open it.
    #[error("the passphrase does not open the key")]
    PassphraseWrong,
    /// A form or kind of key that the servers or this tool do not take.
    #[error(
        "it is of a kind that is not supported: use RSA of 2048, 3072 or 4096 bits or ECDSA on P-256 or P-384, as PKCS#8, PKCS#1 or SEC1 (an old `Proc-Type` encryption: openssl pkcs8 -topk8 makes PKCS#8 of it)"
    )]
    Unsupported,
    /// A block that cannot be read.
    #[error("it is damaged: the PEM or what is in it cannot be read")]
    Damaged,
    /// No block with a private key.
    #[error("there is no private key in it")]
    NoKey,
    /// More than one.
    #[error("there are several private keys in it")]
    SeveralKeys,
}

enum Signer {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
}

/// A private key. Its `Debug` form shows nothing of it; its bytes are wiped when it is dropped.
pub struct PrivateKey {
    signer: Signer,
    pkcs8: Zeroizing<Vec<u8>>,
    spki: Vec<u8>,
    key_type: KeyType,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.key_type)
    }
}

impl PrivateKey {
    /// A new key, from the operating system's randomness.
    ///
    /// # Errors
    /// The crypto library fails.
    pub fn generate(key_type: KeyType) -> Result<Self> {
        let failed = || Failure::new(Exit::Failed, "key", "no key could be made").why("the crypto library failed");
        let signer = match key_type {
            KeyType::EcdsaP256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map(Signer::Ec),
            KeyType::EcdsaP384 => EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING).map(Signer::Ec),
            KeyType::Rsa2048 => RsaKeyPair::generate(KeySize::Rsa2048).map(Signer::Rsa),
            KeyType::Rsa3072 => RsaKeyPair::generate(KeySize::Rsa3072).map(Signer::Rsa),
            KeyType::Rsa4096 => RsaKeyPair::generate(KeySize::Rsa4096).map(Signer::Rsa),
        };
        signer.ok().and_then(Self::of_signer).ok_or_else(failed)
    }

    /// The one private key of a PEM text: PKCS#1, PKCS#8, SEC1 (also after its parameters), or encrypted PKCS#8.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn from_pem(text: &[u8], passphrase: Option<&[u8]>) -> std::result::Result<Self, KeyError> {
        let found = pem::blocks(text);
        let mut keys = found.blocks.iter().filter(|block| block.label.ends_with("PRIVATE KEY"));
        let (Some(block), None) = (keys.next(), keys.next()) else {
            let several = found.blocks.iter().filter(|block| block.label.ends_with("PRIVATE KEY")).count() > 1;
            return Err(if several {
                KeyError::SeveralKeys
            } else if found.torn {
                KeyError::Damaged
            } else {
                KeyError::NoKey
            });
        };
        if block.has_headers {
            return Err(KeyError::Unsupported);
        }
        Self::from_block(block, passphrase)
    }

    fn from_block(block: &Block, passphrase: Option<&[u8]>) -> std::result::Result<Self, KeyError> {
        let der = block.der.as_ref().ok_or(KeyError::Damaged)?;
        let signer = match block.label.as_str() {
            "PRIVATE KEY" => from_pkcs8(der),
            "RSA PRIVATE KEY" => RsaKeyPair::from_der(der).ok().map(Signer::Rsa),
            "EC PRIVATE KEY" => first_curve(|curve| EcdsaKeyPair::from_private_key_der(curve, der).ok()),
            "ENCRYPTED PRIVATE KEY" => from_pkcs8(decrypted(der, passphrase)?.as_bytes()),
            _ => return Err(KeyError::Unsupported),
        };
        let signer = signer.ok_or_else(|| if is_der(der) { KeyError::Unsupported } else { KeyError::Damaged })?;
        Self::of_signer(signer).ok_or(KeyError::Unsupported)
    }

    fn of_signer(signer: Signer) -> Option<Self> {
        let (pkcs8, spki, key_type) = match &signer {
            Signer::Rsa(pair) => {
                let key_type = match pair.public_modulus_len() {
                    256 => KeyType::Rsa2048,
                    384 => KeyType::Rsa3072,
                    512 => KeyType::Rsa4096,
                    _ => return None,
                };
                let pkcs8: Pkcs8V1Der<'_> = pair.as_der().ok()?;
                let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().ok()?;
                (Zeroizing::new(pkcs8.as_ref().to_vec()), spki.as_ref().to_vec(), key_type)
            }
            Signer::Ec(pair) => {
                let p256 = *pair.algorithm() == ECDSA_P256_SHA256_ASN1_SIGNING;
                let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().ok()?;
                let pkcs8 = Zeroizing::new(pair.to_pkcs8v1().ok()?.as_ref().to_vec());
                (pkcs8, spki.as_ref().to_vec(), if p256 { KeyType::EcdsaP256 } else { KeyType::EcdsaP384 })
            }
        };
        Some(Self { signer, pkcs8, spki, key_type })
    }

    /// PKCS#8 PEM, unencrypted: the one form that grpcio and Go both load.
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        pem::encode("PRIVATE KEY", &self.pkcs8)
    }

    /// PKCS#8 DER.
    #[must_use]
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// Its kind.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The DER of its SubjectPublicKeyInfo.
    #[must_use]
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The fingerprint of its public half.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_spki(&self.spki)
    }

    /// Signs: RSA PKCS#1 v1.5 with SHA-256, ECDSA P-256 with SHA-256, P-384 with SHA-384; ECDSA as DER.
    ///
    /// # Errors
    /// The crypto library fails.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let failed =
            |_| Failure::new(Exit::Failed, "signature", "no signature could be made").why("the crypto library failed");
        let random = SystemRandom::new();
        match &self.signer {
            Signer::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map_err(failed)?;
                Ok(signature)
            }
            Signer::Ec(pair) => {
                pair.sign(&random, message).map(|signature| signature.as_ref().to_vec()).map_err(failed)
            }
        }
    }

    /// The DER of the AlgorithmIdentifier that belongs to [`Self::sign`].
    #[must_use]
    pub fn signature_algorithm(&self) -> &'static [u8] {
        match self.key_type {
            KeyType::EcdsaP256 => &[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2],
            KeyType::EcdsaP384 => &[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3],
            _ => &[0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11, 5, 0],
        }
    }
}

fn from_pkcs8(der: &[u8]) -> Option<Signer> {
    let rsa = || RsaKeyPair::from_pkcs8(der).ok().map(Signer::Rsa);
    first_curve(|curve| EcdsaKeyPair::from_pkcs8(curve, der).ok()).or_else(rsa)
}

fn first_curve(read: impl Fn(&'static EcdsaSigningAlgorithm) -> Option<EcdsaKeyPair>) -> Option<Signer> {
    [&ECDSA_P256_SHA256_ASN1_SIGNING, &ECDSA_P384_SHA384_ASN1_SIGNING].into_iter().find_map(read).map(Signer::Ec)
}

fn decrypted(der: &[u8], passphrase: Option<&[u8]>) -> std::result::Result<pkcs8::SecretDocument, KeyError> {
    let info = pkcs8::EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| KeyError::Damaged)?;
    let passphrase = passphrase.ok_or(KeyError::PassphraseNeeded)?;
    info.decrypt(passphrase).map_err(|_| KeyError::PassphraseWrong)
}

fn is_der(bytes: &[u8]) -> bool {
    use ::der::Decode;
    ::der::asn1::AnyRef::from_der(bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_through_its_pem_and_shows_nothing() {
        for key_type in [KeyType::EcdsaP256, KeyType::EcdsaP384, KeyType::Rsa2048] {
            let key = PrivateKey::generate(key_type).unwrap();
            let again = PrivateKey::from_pem(key.to_pem().as_bytes(), None).unwrap();
            assert_eq!((again.spki(), again.key_type()), (key.spki(), key_type));
            assert_eq!(format!("{key:?}"), format!("PrivateKey({key_type})"));
        }
    }

    #[test]
    fn what_is_no_single_readable_key_is_told_apart() {
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap().to_pem();
        let error = |text: &str| PrivateKey::from_pem(text.as_bytes(), None).err();
        assert_eq!(error("hello"), Some(KeyError::NoKey));
        assert_eq!(error(&format!("{}{}", *key, *key)), Some(KeyError::SeveralKeys));
        assert_eq!(error(&key[..60]), Some(KeyError::Damaged));
        assert_eq!(error(&key.replace("PRIVATE KEY", "OPENSSH PRIVATE KEY")), Some(KeyError::Unsupported));
    }
}
