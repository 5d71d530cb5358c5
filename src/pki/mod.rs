//! Keys, requests, the acceptance policy, certificates, their inspection and the servers' identity check: pure.

pub mod authority;
mod check;
pub(crate) mod encode;
pub mod fingerprint;
pub mod identity;
pub mod inspect;
pub mod issue;
pub mod key;
pub mod log;
pub mod mirror;
pub(crate) mod oid;
pub(crate) mod pem;
pub mod policy;
pub mod request;
mod seal;
pub mod server;
mod spki;
pub(crate) mod text;
