//! The pure core of keys, requests and certificates, from the outside.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod authorities;
mod cases_form;
mod cases_names;
mod cases_proof;
mod cases_vouching;
mod cases_world;
mod cms;
mod flips;
mod forge;
mod issue;
mod log;
mod openssl;
mod policy;
mod proof;
mod scene;
mod told;
mod verify_returned;
