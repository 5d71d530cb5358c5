//! Parse, run, exit.
#![allow(missing_docs)]

fn main() {}
