//! A private key under a passphrase: encrypted PKCS#8 that OpenSSL opens too.

use aws_lc_rs::rand;
use pkcs8::{PrivateKeyInfoRef, pkcs5::pbes2::Parameters};
use zeroize::Zeroizing;

use super::{key::PrivateKey, pem};
use crate::failure::{Code, Exit, Failure};

/// Rounds of PBKDF2, as OWASP advises for HMAC-SHA-256.
const ROUNDS: u32 = 600_000;

impl PrivateKey {
    /// The key as one `ENCRYPTED PRIVATE KEY` block: PBES2 (RFC 8018) with PBKDF2 over HMAC-SHA-256, 600,000 rounds,
    /// and AES-256 in CBC mode. It is decrypted once before it is returned, so that no key is lost.
    ///
    /// # Errors
    /// The system gives no randomness, or the block does not open again.
    pub fn to_encrypted_pem(&self, passphrase: &[u8]) -> Result<Zeroizing<String>, Failure> {
        let not_made = |why: &str| {
            Failure::new(Exit::Failed, Code::KeyNotEncrypted, "the private key could not be encrypted")
                .why(why.to_owned())
                .next("try again; if it persists, report this as a bug")
        };
        let (mut salt, mut iv) = ([0; 16], [0; 16]);
        let drawn = rand::fill(&mut salt).and_then(|()| rand::fill(&mut iv));
        drawn.map_err(|_| not_made("the system gave no randomness"))?;
        let parameters = Parameters::generate_pbkdf2_sha256_aes256cbc(ROUNDS, &salt, iv)
            .map_err(|_| not_made("its parameters were refused"))?;
        let encrypted = PrivateKeyInfoRef::try_from(self.pkcs8())
            .and_then(|info| info.encrypt_with_params(parameters, passphrase))
            .map_err(|_| not_made("the encryption failed"))?;
        let text = Zeroizing::new(pem::write("ENCRYPTED PRIVATE KEY", encrypted.as_bytes())?);
        let opened = PrivateKey::from_pem(text.as_bytes(), Some(passphrase)).ok();
        let whole = opened.is_some_and(|key| key.spki() == self.spki());
        whole.then_some(text).ok_or_else(|| not_made("what was made does not open with the passphrase"))
    }
}

#[cfg(test)]
mod tests {
    use crate::pki::key::{KeyError, KeyType, PrivateKey};

    #[test]
    fn an_encrypted_key_opens_with_its_passphrase_alone() {
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        let encrypted = key.to_encrypted_pem(b"correct horse").unwrap();
        assert!(encrypted.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
        let open = |passphrase| PrivateKey::from_pem(encrypted.as_bytes(), passphrase);
        assert_eq!(open(Some(&b"correct horse"[..])).unwrap().spki(), key.spki());
        assert_eq!(open(None).unwrap_err(), KeyError::PassphraseNeeded);
        assert_eq!(open(Some(&b"wrong horse"[..])).unwrap_err(), KeyError::PassphraseWrong);
        assert_ne!(*key.to_encrypted_pem(b"correct horse").unwrap(), *encrypted, "salted anew");
    }
}
