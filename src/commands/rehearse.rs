//! soon
use crate::{cli::RehearseArgs, failure::Result};
/// soon
pub fn run(_args: &RehearseArgs, _now: time::OffsetDateTime) -> Result<()> {
    Ok(())
}
