//! What the handshakes of `--live` came to.

use super::super::{
    catalogue::{LIVE_OTHER, LIVE_OWN, LIVE_WITHOUT},
    finding::Sheet,
    live::Handshakes,
    observe::Site,
};

pub(super) fn judge(site: &Site, sheet: &mut Sheet) {
    let checks = [&LIVE_OWN, &LIVE_WITHOUT, &LIVE_OTHER];
    let skip = |because: &str, sheet: &mut Sheet| checks.iter().for_each(|check| sheet.skip(check, because));
    match &site.live {
        None => skip("only with --live", sheet),
        Some(Handshakes::NotTried(because)) => skip(because, sheet),
    }
}
