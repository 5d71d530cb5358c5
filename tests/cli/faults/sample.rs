//! Some of all faults: those of a verb that calls much would take minutes.

use std::{
    env,
    hash::{DefaultHasher, Hash, Hasher},
};

use super::Fault;

/// As many as can be met in a test that always runs.
const COUNT: usize = 24;

/// A sample, by the seed of `FAULTS` in the environment; all of them with `FAULTS=all`.
pub(super) fn of(all: Vec<Fault>) -> Vec<Fault> {
    let asked = env::var("FAULTS").unwrap_or_default();
    if asked == "all" {
        return all;
    }
    let mut drawn = all;
    drawn.sort_by_cached_key(|fault| {
        let mut hasher = DefaultHasher::new();
        (&asked, fault.to_string()).hash(&mut hasher);
        hasher.finish()
    });
    drawn.truncate(COUNT);
    drawn
}
