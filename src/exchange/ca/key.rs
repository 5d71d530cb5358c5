//! The CA's private key: its passphrase, from a file descriptor or the terminal.

use zeroize::Zeroizing;

use crate::{
    exchange::NOT_SIGNED,
    failure::{Code, Exit, Failure, Result},
    files,
    pki::key::{KeyError, PrivateKey},
    report::Console,
};

/// The key, its passphrase from the file descriptor or the terminal.
pub(crate) fn unlocked(pem: &[u8], passphrase_fd: Option<u32>, console: Console) -> Result<PrivateKey> {
    let refused = |error: &KeyError| {
        Failure::new(Exit::Refused, Code::CaKey, "the CA's private key cannot be used")
            .why(error.to_string())
            .next("check the file or the Secret with the CA's key, and the passphrase")
            .unchanged(NOT_SIGNED)
    };
    match (PrivateKey::from_pem(pem, None), passphrase_fd) {
        (Err(KeyError::PassphraseNeeded), Some(number)) => {
            let passphrase = files::read_descriptor(number)?;
            PrivateKey::from_pem(pem, Some(&passphrase)).map_err(|e| refused(&e))
        }
        (Err(KeyError::PassphraseNeeded), None) => {
            let passphrase = console.passphrase("Passphrase of the CA's key: ")?;
            PrivateKey::from_pem(pem, Some(passphrase.as_bytes())).map_err(|e| refused(&e))
        }
        (other, _) => other.map_err(|e| refused(&e)),
    }
}

/// The passphrase for a new key, from the file descriptor, or typed twice.
///
/// # Errors
/// It is empty, or was typed differently; there is no terminal.
pub(super) fn new_passphrase(passphrase_fd: Option<u32>, console: Console) -> Result<Zeroizing<Vec<u8>>> {
    let refuse = |code, why: &str| {
        Failure::new(Exit::Refused, code, "the passphrase of the new CA key cannot be taken")
            .why(why.to_owned())
            .next("run the command again with a passphrase of several words")
            .unchanged("nothing was written")
    };
    let given = if let Some(number) = passphrase_fd {
        files::read_descriptor(number)?
    } else {
        let ask = |question| console.passphrase(question).map_err(no_passphrase);
        let given = ask("New passphrase of the CA's key: ")?;
        if *given != *ask("The same again: ")? {
            return Err(refuse(Code::PassphraseDiffers, "the two that were typed are not the same"));
        }
        Zeroizing::new(given.as_bytes().to_vec())
    };
    if given.is_empty() { Err(refuse(Code::PassphraseEmpty, "it is empty")) } else { Ok(given) }
}

fn no_passphrase(failure: Failure) -> Failure {
    let next = "give it through a file descriptor: --passphrase-fd 3 3<passphrase.txt".to_owned();
    Failure { what: "a passphrase for the new CA key cannot be asked for".to_owned(), next: next.into(), ..failure }
}
