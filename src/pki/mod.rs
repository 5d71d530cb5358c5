//! Keys, requests, the acceptance policy, certificates and their inspection: pure, bytes in, bytes out.

pub mod authority;
pub(crate) mod der;
pub mod fingerprint;
pub mod inspect;
pub mod issue;
pub mod key;
pub mod log;
pub mod mirror;
pub(crate) mod pem;
pub mod policy;
pub mod request;
