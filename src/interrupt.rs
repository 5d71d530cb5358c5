//! The wish to stop: set by Ctrl-C or a termination signal, looked at between steps and while waiting.

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use signal_hook::{
    SigId,
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXFSZ},
};

use crate::failure::{Failure, Result};

static WISH: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(false)));

/// Whether signals are listened for, and how many steps are under way.
static LISTENS: AtomicBool = AtomicBool::new(false);
static STEPS: AtomicUsize = AtomicUsize::new(0);

/// SIGQUIT too: it would leave the terminal of a passphrase dumb, and a core dump with keys in it.
const SIGNALS: [i32; 4] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT];

/// Listens for SIGINT, SIGTERM, SIGHUP and SIGQUIT; from here on they end the work between two steps and not within one.
///
/// # Errors
/// The system refuses the handler.
pub fn listen() -> std::io::Result<()> {
    LISTENS.store(true, Ordering::SeqCst);
    for signal in SIGNALS {
        signal_hook::flag::register(signal, Arc::clone(&WISH))?;
    }
    // A file that may not grow is a write that fails, and not the end of us in the middle of a line.
    signal_hook::flag::register(SIGXFSZ, Arc::default())?;
    Ok(())
}

/// Whether somebody asked us to stop.
#[must_use]
pub fn wished() -> bool {
    WISH.load(Ordering::Relaxed)
}

/// Ends a verb that went on without what a signal has cut short.
///
/// # Errors
/// Code `interrupted` where somebody asked us to stop.
pub fn stopped() -> Result<()> {
    if !wished() {
        return Ok(());
    }
    Err(Failure::interrupted())
}

/// A step that is under way: one that was begun before a signal came may look at what it did, whatever came meanwhile.
#[derive(Debug)]
pub struct StepGuard(());

impl StepGuard {
    /// Begins here and ends with the value.
    #[must_use]
    pub fn begin() -> Self {
        STEPS.fetch_add(1, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for StepGuard {
    fn drop(&mut self) {
        STEPS.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Hears the signals that come while something is waited for, and between two steps those that came before.
#[derive(Debug)]
pub(crate) struct InterruptListener {
    before: bool,
    heard: Arc<AtomicBool>,
    ids: Vec<SigId>,
}

impl InterruptListener {
    /// Listens from here on, where signals are listened for at all.
    pub(crate) fn new() -> Self {
        let heard = Arc::new(AtomicBool::new(false));
        let signals = if LISTENS.load(Ordering::SeqCst) { &SIGNALS[..] } else { &[] };
        let ids = signals.iter().filter_map(|signal| signal_hook::flag::register(*signal, Arc::clone(&heard)).ok());
        let ids = ids.collect();
        Self { before: wished() && STEPS.load(Ordering::SeqCst) == 0, heard, ids }
    }

    /// Whether one came.
    pub(crate) fn heard(&self) -> bool {
        self.before || self.heard.load(Ordering::Relaxed)
    }
}

impl Drop for InterruptListener {
    fn drop(&mut self) {
        for id in self.ids.drain(..) {
            // One that is gone is gone.
            let _ = signal_hook::low_level::unregister(id);
        }
    }
}
