//! The object in which pods find a CA, and the Secret that keeps one.

use zeroize::Zeroizing;

use crate::{
    cluster::Object,
    exchange::unsigned,
    failure::{Code, Result},
    names::ObjectName,
    substra::kind::ObjectKind,
};

/// A PEM text that may hold a private key.
pub(crate) type Pem = Zeroizing<Vec<u8>>;

/// An object with a CA in the kind that the chart mounts.
pub(crate) fn ca_object(kind: ObjectKind, name: &ObjectName, release: &str, pem: &str) -> Object {
    let labels = [("substra-mtls/release", release)];
    match kind {
        ObjectKind::Secret => Object::secret(name.as_str(), "Opaque", &labels, &[("ca.crt", pem.as_bytes())]),
        ObjectKind::ConfigMap => Object::config_map(name.as_str(), &labels, &[("ca.crt", pem)]),
    }
}

/// Certificate and key of the Secret that keeps the CA; `otherwise` is what helps besides naming the right one.
///
/// # Errors
/// It is not there, or lacks one of them.
pub(crate) fn kept_in(name: &ObjectName, secret: Option<&Object>, otherwise: &str) -> Result<(Pem, Pem)> {
    let no_authority = |why: String| {
        unsigned(Code::CaSecret, format!("Secret {name} does not hold a certificate authority")).why(why).next(format!(
            "name the Secret with the CA's tls.crt and tls.key (cert-manager's CA issuer uses one), or {otherwise}"
        ))
    };
    let secret = secret.ok_or_else(|| no_authority("it is not there".to_owned()))?;
    let item = |key: &str| secret.data(key).ok_or_else(|| no_authority(format!("it has no item {key}")));
    Ok((item("tls.crt")?, item("tls.key")?))
}
