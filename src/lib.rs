//! The library under the `substra-mtls` binary: the pure core, the steps, the doors to the world and the verbs.

/// The name of the binary and of the plugin.
pub const NAME: &str = "substra-mtls";

mod args;
pub mod cli;
pub mod cluster;
mod command_line;
pub mod commands;
pub mod completion;
pub mod dispatch;
mod exchange;
pub mod failure;
pub mod federation;
pub mod files;
mod ids;
pub mod interrupt;
pub mod names;
mod parallel;
pub mod pki;
pub mod plain;
pub mod plan;
pub mod release;
pub mod report;
#[cfg(test)]
mod schemas;
pub mod session;
pub mod substra;
pub mod text;
pub mod times;
pub mod values;
