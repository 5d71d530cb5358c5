//! The certificate authority that signs: from files or from a Secret, judged, and compared with the cluster's.

use zeroize::Zeroizing;

use super::Approval;
use crate::{
    cluster::{Object, ObjectRef},
    commands::ca::authority::Source,
    failure::{Code, Exit, Failure, Result},
    files,
    pki::{
        authority::Authority,
        inspect::{self, Certificate},
        key::{KeyError, PrivateKey},
    },
    report::Console,
};

/// A PEM text that may hold a private key.
type Pem = Zeroizing<Vec<u8>>;

impl Approval<'_> {
    /// The authority and what is to be warned of.
    pub(super) fn authority(&self) -> Result<(Authority, Vec<String>)> {
        let (certificate, key) = self.authority_pems()?;
        let key = unlocked(&key, self.args.passphrase_fd, self.session.console)?;
        let (authority, warnings) = Authority::load(&certificate, key, self.session.now)
            .map_err(|findings| super::refuse_all(self.session, findings))?;
        self.is_the_clusters(authority.certificate())?;
        Ok((authority, warnings))
    }

    fn authority_pems(&self) -> Result<(Pem, Pem)> {
        let name = match &self.source {
            Source::Files { certificate, key } => return Ok((files::read(certificate)?, files::read_private(key)?)),
            Source::Secret(name) => name,
        };
        let missing = |why: String| {
            Failure::new(Exit::CheckFailed, Code::CaSecret, format!("Secret {name} does not hold a certificate authority"))
                .why(why)
                .next("name the Secret with the CA's tls.crt and tls.key (cert-manager's CA issuer uses one), or use --ca-cert and --ca-key")
                .unchanged("nothing was signed and nothing was written")
        };
        let secret =
            self.object(&ObjectRef::secret(name.as_str())).ok_or_else(|| missing("it is not there".to_owned()))?;
        let item = |key: &str| secret.data(key).ok_or_else(|| missing(format!("it has no item {key}")));
        Ok((item("tls.crt")?, item("tls.key")?))
    }

    pub(super) fn object(&self, wanted: &ObjectRef) -> Option<&Object> {
        wanted.among(&self.seen.as_ref()?.objects)
    }

    /// The CA that signs must be the one that the orchestrator will check against: equal key, first certificate.
    pub(in crate::commands) fn is_the_clusters(&self, authority: &Certificate) -> Result<()> {
        let Some(seen) = &self.seen else { return Ok(()) };
        let name = self.object.as_str();
        let fail = |code, what: String| {
            Failure::new(Exit::CheckFailed, code, what).unchanged("nothing was signed and nothing was written")
        };
        let chart = &seen.found.chart;
        let kind = seen.found.kind_of(name);
        let object = self.object(&ObjectRef::of_kind(kind, name)).ok_or_else(|| {
            fail(Code::CaObject, format!("{kind} {name} is not there"))
                .why(format!("chart {} {} mounts the client CA from it", chart.name, chart.version))
                .next("make it with the CA's certificate as ca.crt, or name another with --ca-object")
        })?;
        let first = object.data("ca.crt").and_then(|pem| inspect::certificates(&pem).ok()?.into_iter().next());
        let first = first.ok_or_else(|| {
            fail(Code::CaObject, format!("{kind} {name} has no certificate at the start of its item ca.crt"))
                .why("the orchestrator would crash on it")
                .next("make it again with the CA's certificate alone as ca.crt")
        })?;
        if first.fingerprint() == authority.fingerprint() {
            return Ok(());
        }
        Err(fail(Code::CaNotTheClusters, "the CA that would sign is not the one in the cluster".to_owned())
            .why(format!(
                "{kind} {name} begins with a CA whose key is {}, the one given has {}",
                first.fingerprint(),
                authority.fingerprint()
            ))
            .next("use the federation's CA, or name the object that holds this one with --ca-object"))
    }
}

/// The key, its passphrase from the file descriptor or the terminal.
pub(in crate::commands) fn unlocked(pem: &[u8], passphrase_fd: Option<u32>, console: Console) -> Result<PrivateKey> {
    let refused = |error: &KeyError| {
        Failure::new(Exit::Refused, Code::CaKey, "the CA's private key cannot be used")
            .why(error.to_string())
            .next("check the file or the Secret with the CA's key, and the passphrase")
            .unchanged("nothing was signed and nothing was written")
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
