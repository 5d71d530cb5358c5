//! The library under the `substra-mtls` binary: the pure core, the steps, the doors to the world and the verbs.

pub mod failure;
pub mod files;
pub mod interrupt;
pub mod names;
pub mod values;
