//! What is known of the charts and of the rules of the two servers: paths, kinds, names, mounts, identity check.

pub mod kebab;
pub mod kind;
