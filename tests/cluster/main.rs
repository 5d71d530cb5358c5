//! The real control plane: real Helm 3 and Helm 4, real kubectl, an account with just the rights that `role` prints.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests are the world outside"
)]

/// Each rule is shown with both Helms.
macro_rules! both {
    ($($(#[$meta:meta])* fn $name:ident($site:ident) $body:block)*) => {$(
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            fn story($site: &$crate::site::Site) $body
            #[test]
            fn helm_3() { story(&$crate::site::Site::new($crate::site::HelmVersion::V3)); }
            #[test]
            fn helm_4() { story(&$crate::site::Site::new($crate::site::HelmVersion::V4)); }
        }
    )*};
}

/// The same for stories that make their own world.
macro_rules! both_helms {
    ($($(#[$meta:meta])* fn $name:ident($helm:ident) $body:block)*) => {$(
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            fn story($helm: $crate::site::HelmVersion) $body
            #[test]
            fn helm_3() { story($crate::site::HelmVersion::V3); }
            #[test]
            fn helm_4() { story($crate::site::HelmVersion::V4); }
        }
    )*};
}

mod agreement;
mod bootstrap;
mod broken;
mod ca;
mod certificates;
mod check;
mod completion;
mod contract;
mod exchange;
mod federation;
mod gate;
mod gitops;
mod killed;
mod pending;
mod power_cut;
#[path = "../ran.rs"]
mod ran;
mod readme;
mod renewal;
mod role;
#[path = "../scripted.rs"]
#[allow(dead_code, reason = "nothing goes wrong here")]
mod scripted;
mod secrets;
mod site;
mod sops;
mod terminal;
