//! Work side by side, told as it goes: one live line an organization at a terminal, one line a change elsewhere.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::Console;
use crate::plain;

/// The lines of all that are worked on.
pub struct Progress {
    live: Option<MultiProgress>,
    console: Console,
    width: usize,
}

/// One line.
pub struct ProgressLine {
    name: String,
    bar: Option<ProgressBar>,
    console: Console,
    width: usize,
}

impl Progress {
    /// For these names; live where somebody sits at a terminal.
    #[must_use]
    pub fn new<'a>(console: Console, names: impl Iterator<Item = &'a str>) -> Self {
        let moves = std::env::var("TERM").is_ok_and(|terminal| !terminal.is_empty() && terminal != "dumb");
        let live = moves && console.interactive && !console.quiet && !console.format.is_document();
        let width = names.map(|name| name.chars().count()).max().unwrap_or(0);
        Self { live: live.then(MultiProgress::new), console, width }
    }

    /// The line of one; it appears when its work begins.
    #[must_use]
    pub fn line(&self, name: &str) -> ProgressLine {
        let bar = self.live.as_ref().map(|live| {
            let bar = live.add(ProgressBar::new_spinner());
            // A template that is not one falls back to the default look.
            if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}  {wide_msg}") {
                // Plain letters, since not every terminal has others.
                bar.set_style(style.tick_chars("|/-\\ "));
            }
            bar.set_prefix(plain::line(&format!("{name:<width$}", width = self.width)).into_owned());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        ProgressLine { name: name.to_owned(), bar, console: self.console, width: self.width }
    }
}

impl ProgressLine {
    /// What is done now; at a terminal alone, since it is no change yet.
    pub fn doing(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(plain::line(text).into_owned());
        }
    }

    /// A change of state.
    pub fn changed(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(plain::line(text).into_owned()),
            None => self.console.say(format!("{:<width$}  {text}", self.name, width = self.width)),
        }
    }

    /// The end of this line's work.
    pub fn end(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.finish_with_message(plain::line(text).into_owned()),
            None => self.changed(text),
        }
    }
}
