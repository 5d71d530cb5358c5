//! The object in which pods find a CA.

use crate::{cluster::Object, names::ObjectName, substra::kind::ObjectKind};

/// An object with a CA in the kind that the chart mounts.
pub(crate) fn ca_object(kind: ObjectKind, name: &ObjectName, release: &str, pem: &str) -> Object {
    let labels = [("substra-mtls/release", release)];
    match kind {
        ObjectKind::Secret => Object::secret(name.as_str(), "Opaque", &labels, &[("ca.crt", pem.as_bytes())]),
        ObjectKind::ConfigMap => Object::config_map(name.as_str(), &labels, &[("ca.crt", pem)]),
    }
}
