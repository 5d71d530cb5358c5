//! What is known of the charts and of the rules of the two servers: paths, kinds, names, mounts, answers.

pub mod backend;
pub mod forged_certificates;
pub mod ingress;
pub mod kebab;
pub mod kind;
pub mod manifest;
pub mod orchestrator;
pub mod own;
mod paths;
pub mod servers;
mod side;
pub mod unmet;

pub use self::side::Side;
