//! The wish to stop: set by Ctrl-C or a termination signal, looked at between steps and while waiting.

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicBool, Ordering},
};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

static WISH: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(false)));

/// Listens for SIGINT, SIGTERM and SIGHUP; from here on they end the work between two steps and not within one.
///
/// # Errors
/// The system refuses the handler.
pub fn listen() -> std::io::Result<()> {
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&WISH))?;
    }
    Ok(())
}

/// Whether somebody asked us to stop.
#[must_use]
pub fn wished() -> bool {
    WISH.load(Ordering::Relaxed)
}
