//! The wish to stop: set by Ctrl-C or a termination signal, looked at between steps and while waiting.

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicBool, Ordering},
};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::failure::{Exit, Failure, Result};

static WISH: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(false)));
static ASKED: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(false)));

/// Listens for SIGINT, SIGTERM and SIGHUP; from here on they end the work between two steps and not within one.
///
/// # Errors
/// The system refuses the handler.
pub fn listen() -> std::io::Result<()> {
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&ASKED))?;
        signal_hook::flag::register(signal, Arc::clone(&WISH))?;
    }
    Ok(())
}

/// Waits for an answer: meanwhile a signal ends the program at once, since no step is under way and the read that
/// waits would not hear it.
///
/// # Errors
/// Code `interrupted` where a signal came before.
pub fn answer<T>(wait: impl FnOnce() -> T) -> Result<T> {
    ASKED.store(true, Ordering::SeqCst);
    // From here on a signal ends the program; one that came before was only noted.
    if wished() {
        ASKED.store(false, Ordering::SeqCst);
        return Err(Failure::new(Exit::Interrupted, "interrupted", "stopped at a question, as you asked")
            .why("a signal came before it was asked")
            .next("run the same command again")
            .unchanged("nothing was written"));
    }
    let answer = wait();
    ASKED.store(false, Ordering::SeqCst);
    Ok(answer)
}

/// Whether somebody asked us to stop.
#[must_use]
pub fn wished() -> bool {
    WISH.load(Ordering::Relaxed)
}
