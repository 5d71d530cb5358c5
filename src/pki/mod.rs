//! Keys, requests, the acceptance policy, certificates, their inspection and the servers' identity check: pure.

pub mod authority;
pub(crate) mod encode;
mod encrypt;
pub mod fingerprint;
pub mod identity;
pub mod inspect;
pub mod issue;
pub mod key;
pub mod log;
pub(crate) mod oid;
pub(crate) mod pem;
pub mod policy;
pub mod proof;
pub mod request;
pub mod server;
mod spki;
mod verify_issued;
pub mod verify_returned;
