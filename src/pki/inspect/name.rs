//! Names of subjects and issuers, for people.

use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use crate::{pki::oid, plain::excerpt};

/// The text of a part; what is no text is shown as well as it can be.
pub(super) fn text(attribute: &AttributeTypeAndValue<'_>) -> String {
    attribute.as_str().map_or_else(|_| String::from_utf8_lossy(attribute.as_slice()).into_owned(), str::to_owned)
}

/// A name for people, for example `O=MyOrg1MSP, CN=backend.org-1.com`.
pub(super) fn readable(name: &X509Name<'_>) -> String {
    let one = |attribute: &AttributeTypeAndValue<'_>| {
        let id = attribute.attr_type();
        let key = match oid::of(id) {
            Some(oid::COMMON_NAME) => "CN".to_owned(),
            Some(oid::COUNTRY) => "C".to_owned(),
            Some(oid::LOCALITY) => "L".to_owned(),
            Some(oid::STATE) => "ST".to_owned(),
            Some(oid::ORGANIZATION) => "O".to_owned(),
            Some(oid::ORGANIZATIONAL_UNIT) => "OU".to_owned(),
            Some(oid::DOMAIN_COMPONENT) => "DC".to_owned(),
            _ => id.to_id_string(),
        };
        format!("{key}={}", excerpt(&text(attribute)))
    };
    name.iter_attributes().map(one).collect::<Vec<_>>().join(", ")
}
