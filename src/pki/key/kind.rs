//! The kinds of key, and what each is to the formats and to aws-lc-rs.

use std::fmt;

use aws_lc_rs::signature::{self, EcdsaSigningAlgorithm, VerificationAlgorithm};
use clap::ValueEnum;
use der::asn1::ObjectIdentifier;

use crate::pki::oid;

/// The kinds of key that both ends of the channel accept: Go's TLS and gRPC's (not Ed25519, not P-521).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum KeyType {
    /// ECDSA on NIST P-256.
    #[default]
    #[value(name = "ecdsa-p256")]
    EcdsaP256,
    /// ECDSA on NIST P-384.
    #[value(name = "ecdsa-p384")]
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

/// A curve of ECDSA.
pub(crate) struct Curve {
    /// Its name in a key (RFC 5480).
    pub(crate) oid: ObjectIdentifier,
    /// How it signs.
    pub(crate) signing: &'static EcdsaSigningAlgorithm,
    /// What reads its points.
    pub(crate) verification: &'static dyn VerificationAlgorithm,
    /// Bytes of an uncompressed point.
    pub(crate) point: usize,
}

impl KeyType {
    /// The curve of an ECDSA key.
    pub(crate) fn curve(self) -> Option<Curve> {
        let (oid, signing, verification, point): (_, _, &'static dyn VerificationAlgorithm, _) = match self {
            Self::EcdsaP256 => {
                (oid::P256, &signature::ECDSA_P256_SHA256_ASN1_SIGNING, &signature::ECDSA_P256_SHA256_ASN1, 65)
            }
            Self::EcdsaP384 => {
                (oid::P384, &signature::ECDSA_P384_SHA384_ASN1_SIGNING, &signature::ECDSA_P384_SHA384_ASN1, 97)
            }
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => return None,
        };
        Some(Curve { oid, signing, verification, point })
    }

    /// All kinds that have a curve.
    pub(crate) fn curves() -> impl Iterator<Item = (Self, Curve)> {
        Self::value_variants().iter().filter_map(|kind| Some((*kind, kind.curve()?)))
    }

    /// Bits of the modulus of an RSA key.
    pub(crate) fn rsa_bits(self) -> Option<usize> {
        match self {
            Self::EcdsaP256 | Self::EcdsaP384 => None,
            Self::Rsa2048 => Some(2048),
            Self::Rsa3072 => Some(3072),
            Self::Rsa4096 => Some(4096),
        }
    }

    /// The kind of an RSA key with so many bits.
    pub(crate) fn of_rsa_bits(bits: usize) -> Option<Self> {
        Self::value_variants().iter().copied().find(|kind| kind.rsa_bits() == Some(bits))
    }

    /// Whether it is an RSA key.
    #[must_use]
    pub fn is_rsa(self) -> bool {
        self.rsa_bits().is_some()
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_possible_value().as_ref().map_or("", |value| value.get_name()))
    }
}
