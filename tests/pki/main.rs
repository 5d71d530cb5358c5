//! The pure core of keys, requests and certificates, from the outside.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod authorities;
mod cases_form;
mod cases_names;
mod cases_world;
mod flips;
mod forge;
mod issue;
mod log;
mod openssl;
mod policy;
mod verify_returned;
