//! Private keys: made, read, written as PKCS#8, and used to sign.

mod forms;
mod kind;

use std::fmt;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{self, EcdsaKeyPair, KeyPair as _, RsaKeyPair},
};
use zeroize::Zeroizing;

pub(crate) use self::kind::Curve;
pub use self::kind::KeyType;
use super::{fingerprint::Fingerprint, pem};
use crate::failure::{Code, Exit, Failure};

/// Why a file gives no private key. Never says anything of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The key is encrypted and no passphrase was given.
    #[error("the private key is encrypted and needs its passphrase")]
    PassphraseNeeded,
    /// The key does not open with the passphrase given.
    #[error("the passphrase does not open the private key")]
    PassphraseWrong,
    /// A key that the servers would not accept, or an encryption that this tool does not know.
    #[error("the private key is none of ECDSA P-256, P-384, RSA 2048, 3072, 4096, or its encryption is not known")]
    Unsupported,
    /// The file is cut off or altered.
    #[error("the private key is damaged")]
    Damaged,
    /// The file holds no private key.
    #[error("the file holds no private key")]
    NoKey,
    /// The file holds more than one private key.
    #[error("the file holds more than one private key")]
    SeveralKeys,
}

enum KeyPair {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

/// A private key, with its public half at hand.
pub struct PrivateKey {
    pair: KeyPair,
    key_type: KeyType,
    pkcs8: Zeroizing<Vec<u8>>,
    spki: Vec<u8>,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({}, {})", self.key_type, self.fingerprint())
    }
}

impl PrivateKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn generate(key_type: KeyType) -> Result<Self, Failure> {
        let ec = |signing| EcdsaKeyPair::generate(signing).map(KeyPair::Ec);
        let made = match key_type {
            KeyType::EcdsaP256 => ec(&signature::ECDSA_P256_SHA256_ASN1_SIGNING),
            KeyType::EcdsaP384 => ec(&signature::ECDSA_P384_SHA384_ASN1_SIGNING),
            KeyType::Rsa2048 => RsaKeyPair::generate(KeySize::Rsa2048).map(KeyPair::Rsa),
            KeyType::Rsa3072 => RsaKeyPair::generate(KeySize::Rsa3072).map(KeyPair::Rsa),
            KeyType::Rsa4096 => RsaKeyPair::generate(KeySize::Rsa4096).map(KeyPair::Rsa),
        };
        made.ok().and_then(|pair| Self::new(pair).ok()).ok_or_else(|| {
            Failure::new(Exit::Failed, Code::KeyNotMade, format!("no new {key_type} key could be made"))
                .why("the system gave no randomness")
                .next("try again; if it persists, look at the machine's random source")
        })
    }

    fn new(pair: KeyPair) -> Result<Self, KeyError> {
        let (key_type, pkcs8, spki) = match &pair {
            KeyPair::Ec(key) => {
                let mut curves = KeyType::curves().filter(|(_, curve)| curve.signing == key.algorithm());
                let (key_type, _) = curves.next().ok_or(KeyError::Unsupported)?;
                let pkcs8 = key.to_pkcs8v1().map_err(|_| KeyError::Damaged)?;
                let spki = AsDer::<PublicKeyX509Der<'_>>::as_der(key.public_key()).map_err(|_| KeyError::Damaged)?;
                (key_type, Zeroizing::new(pkcs8.as_ref().to_vec()), spki.as_ref().to_vec())
            }
            KeyPair::Rsa(key) => {
                let key_type = KeyType::of_rsa_bits(key.public_modulus_len() * 8).ok_or(KeyError::Unsupported)?;
                let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(key).map_err(|_| KeyError::Damaged)?;
                let spki = AsDer::<PublicKeyX509Der<'_>>::as_der(key.public_key()).map_err(|_| KeyError::Damaged)?;
                (key_type, Zeroizing::new(pkcs8.as_ref().to_vec()), spki.as_ref().to_vec())
            }
        };
        Ok(Self { pair, key_type, pkcs8, spki })
    }

    /// Reads the one private key of a PEM file: PKCS#1, PKCS#8, encrypted PKCS#8 (RFC 8018, PBES2), or SEC1
    /// (RFC 5915, also after an `EC PARAMETERS` block). Text around it and other blocks are passed over.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn from_pem(bytes: &[u8], passphrase: Option<&[u8]>) -> Result<Self, KeyError> {
        let scan = pem::scan(bytes).map_err(|_| KeyError::Damaged)?;
        let mut keys = scan.blocks.iter().filter(|block| block.label.ends_with("PRIVATE KEY"));
        let block = keys.next().ok_or(KeyError::NoKey)?;
        if keys.next().is_some() {
            return Err(KeyError::SeveralKeys);
        }
        forms::pair(block, passphrase).and_then(Self::new)
    }

    /// The key as an unencrypted PKCS#8 block: what the servers read.
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        // A key is far below the format's limit, so that writing it cannot fail.
        Zeroizing::new(pem::write("PRIVATE KEY", &self.pkcs8).unwrap_or_default())
    }

    /// Its kind.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// PKCS#8 DER.
    #[must_use]
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// Its public half, a DER `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// Its public half without the algorithm: the content of the `subjectPublicKey` bit string.
    pub(super) fn public_bits(&self) -> &[u8] {
        match &self.pair {
            KeyPair::Ec(key) => key.public_key().as_ref(),
            KeyPair::Rsa(key) => key.public_key().as_ref(),
        }
    }

    /// The fingerprint of its public half.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_spki(&self.spki)
    }

    /// Signs `message`: ECDSA with SHA-256 (P-256) or SHA-384 (P-384) as DER, RSA as PKCS#1 v1.5 with SHA-256.
    ///
    /// # Errors
    /// When the provider fails, which a checked key gives no cause for.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Failure> {
        let signed = match &self.pair {
            KeyPair::Ec(key) => key.sign(&SystemRandom::new(), message).map(|signature| signature.as_ref().to_vec()),
            KeyPair::Rsa(key) => {
                let mut out = vec![0; key.public_modulus_len()];
                key.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut out).map(|()| out)
            }
        };
        signed.map_err(|_| {
            Failure::new(Exit::Failed, Code::NotSigned, format!("signing with the {} key failed", self.key_type))
                .why("the cryptographic library gave no signature")
                .next("try again; if it persists, check the key with `openssl pkey -check`")
        })
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{UnparsedPublicKey, VerificationAlgorithm};
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn every_kind_reads_back_what_it_writes() {
        for &kind in KeyType::value_variants() {
            let key = PrivateKey::generate(kind).unwrap();
            let back = PrivateKey::from_pem(key.to_pem().as_bytes(), None).unwrap();
            assert_eq!((key.key_type(), key.spki()), (kind, back.spki()));
            assert!(!key.sign(b"x").unwrap().is_empty());
        }
    }

    #[test]
    fn several_threads_may_sign_with_one_key() {
        for kind in [KeyType::EcdsaP384, KeyType::Rsa2048] {
            let key = PrivateKey::generate(kind).unwrap();
            let sign = &|n: u8| (0..20).map(|m| ([n, m], key.sign(&[n, m]).unwrap())).collect::<Vec<_>>();
            let signed: Vec<_> = std::thread::scope(|scope| {
                let threads = [0, 1, 2, 3].map(|n| scope.spawn(move || sign(n)));
                threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!(signed.len(), 80);
            assert!(signed.iter().all(|(message, signature)| is_good(&key, message, signature)), "{kind}");
            assert!(!is_good(&key, b"other", &signed[0].1), "{kind}");
        }
    }

    /// What the public half says of a signature.
    fn is_good(key: &PrivateKey, message: &[u8], signed: &[u8]) -> bool {
        let (by, public): (&dyn VerificationAlgorithm, &[u8]) = match &key.pair {
            KeyPair::Ec(pair) => (&signature::ECDSA_P384_SHA384_ASN1, pair.public_key().as_ref()),
            KeyPair::Rsa(pair) => (&signature::RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref()),
        };
        UnparsedPublicKey::new(by, public).verify(message, signed).is_ok()
    }

    #[test]
    fn a_key_that_is_not_taken_is_told_which_are() {
        let told = KeyError::Unsupported.to_string();
        for kind in KeyType::value_variants() {
            let size = kind.to_string().trim_start_matches(|c: char| !c.is_ascii_digit()).to_owned();
            assert!(told.contains(&size), "{kind} is missing in: {told}");
        }
    }

    #[test]
    fn shows_nothing_of_the_key() {
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        assert_eq!(format!("{key:?}"), format!("PrivateKey(ecdsa-p256, {})", key.fingerprint()));
    }

    #[test]
    fn tells_missing_several_and_damaged_keys_apart() {
        let pem = PrivateKey::generate(KeyType::EcdsaP256).unwrap().to_pem();
        let error = |bytes: &str| PrivateKey::from_pem(bytes.as_bytes(), None).unwrap_err();
        assert_eq!(error("no key"), KeyError::NoKey);
        assert_eq!(error(&format!("{}{}", *pem, *pem)), KeyError::SeveralKeys);
        assert_eq!(error(&pem[..pem.len() - 30]), KeyError::Damaged);
        assert_eq!(error(&pem.replacen("MI", "AA", 1)), KeyError::Damaged);
        let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAQID\n-----END RSA PRIVATE KEY-----\n";
        assert_eq!(error(old), KeyError::Unsupported);
    }
}
