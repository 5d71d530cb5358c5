//! The object identifiers that the formats use, each named once.

use der::asn1::ObjectIdentifier;

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

// RFC 5280, 2985.
oids! {
    COMMON_NAME = "2.5.4.3";
    ORGANIZATION = "2.5.4.10";
    SUBJECT_KEY_ID = "2.5.29.14";
    KEY_USAGE = "2.5.29.15";
    SUBJECT_ALT_NAME = "2.5.29.17";
    BASIC_CONSTRAINTS = "2.5.29.19";
    AUTHORITY_KEY_ID = "2.5.29.35";
    EXT_KEY_USAGE = "2.5.29.37";
    SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
    CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
    EXTENSION_REQUEST = "1.2.840.113549.1.9.14";
    CHALLENGE_PASSWORD = "1.2.840.113549.1.9.7";
}
