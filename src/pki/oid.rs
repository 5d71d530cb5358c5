//! The object identifiers that the formats use, each named once.

use der::asn1::ObjectIdentifier;
use x509_parser::der_parser::oid::Oid;

/// One that x509-parser has read; `None` where it is longer than any that is known.
pub(super) fn of(read: &Oid<'_>) -> Option<ObjectIdentifier> {
    ObjectIdentifier::from_bytes(read.as_bytes()).ok()
}

macro_rules! oids {
    ($($name:ident = $dotted:literal;)*) => {
        $(pub(crate) const $name: ObjectIdentifier = ObjectIdentifier::new_unwrap($dotted);)*
    };
}

// RFC 3279, 4055, 5480, 5758.
oids! {
    RSA = "1.2.840.113549.1.1.1";
    SHA256_RSA = "1.2.840.113549.1.1.11";
    SHA384_RSA = "1.2.840.113549.1.1.12";
    SHA512_RSA = "1.2.840.113549.1.1.13";
    EC = "1.2.840.10045.2.1";
    P256 = "1.2.840.10045.3.1.7";
    P384 = "1.3.132.0.34";
    SHA256_ECDSA = "1.2.840.10045.4.3.2";
    SHA384_ECDSA = "1.2.840.10045.4.3.3";
    SHA512_ECDSA = "1.2.840.10045.4.3.4";
}

// RFC 3279, over digests that servers refuse; the second SHA-1 with RSA is that of OIW.
oids! {
    MD2_RSA = "1.2.840.113549.1.1.2";
    MD5_RSA = "1.2.840.113549.1.1.4";
    SHA1_RSA = "1.2.840.113549.1.1.5";
    SHA1_RSA_OF_OIW = "1.3.14.3.2.29";
    SHA1_ECDSA = "1.2.840.10045.4.1";
}

// RFC 4519.
oids! {
    COMMON_NAME = "2.5.4.3";
    COUNTRY = "2.5.4.6";
    LOCALITY = "2.5.4.7";
    STATE = "2.5.4.8";
    ORGANIZATION = "2.5.4.10";
    ORGANIZATIONAL_UNIT = "2.5.4.11";
    DOMAIN_COMPONENT = "0.9.2342.19200300.100.1.25";
}

// RFC 5280, 2985.
oids! {
    SUBJECT_KEY_ID = "2.5.29.14";
    KEY_USAGE = "2.5.29.15";
    SUBJECT_ALT_NAME = "2.5.29.17";
    BASIC_CONSTRAINTS = "2.5.29.19";
    NAME_CONSTRAINTS = "2.5.29.30";
    CERTIFICATE_POLICIES = "2.5.29.32";
    AUTHORITY_KEY_ID = "2.5.29.35";
    EXT_KEY_USAGE = "2.5.29.37";
    SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
    CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
    EXTENSION_REQUEST = "1.2.840.113549.1.9.14";
    CHALLENGE_PASSWORD = "1.2.840.113549.1.9.7";
}

// RFC 5652, 5754.
oids! {
    DATA = "1.2.840.113549.1.7.1";
    SIGNED_DATA = "1.2.840.113549.1.7.2";
    CONTENT_TYPE = "1.2.840.113549.1.9.3";
    MESSAGE_DIGEST = "1.2.840.113549.1.9.4";
    SHA256 = "2.16.840.1.101.3.4.2.1";
    SHA384 = "2.16.840.1.101.3.4.2.2";
}
