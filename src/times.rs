//! The one clock, by which certificates are checked and rollouts waited for; and times as they are written everywhere.
#![allow(clippy::disallowed_methods, reason = "this is the door to the time")]

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use serde::Serializer;
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// A time limit, as it is typed: `15m`.
///
/// # Errors
/// It is no time, or no time at all.
pub fn limit(given: &str) -> Result<Duration, String> {
    match humantime::parse_duration(given) {
        Ok(limit) if limit.is_zero() => Err("within no time nothing can be done: give it some, like 15m".to_owned()),
        other => other.map_err(|bad| bad.to_string()),
    }
}

/// Where the time comes from: the machine, or a simulated world whose time moves only by being waited for. Copies
/// show the same time.
#[derive(Debug, Clone)]
pub struct Clock(TimeSource);

#[derive(Debug, Clone)]
enum TimeSource {
    /// The machine's time at the start, and from there on a count that nobody sets: where the machine's time is
    /// corrected meanwhile, no wait ends early and none is endless.
    System {
        start: OffsetDateTime,
        count: Instant,
    },
    SimulatedCluster(Arc<Mutex<OffsetDateTime>>),
}

impl Clock {
    /// The machine's.
    #[must_use]
    pub fn system() -> Self {
        Self(TimeSource::System { start: OffsetDateTime::now_utc(), count: Instant::now() })
    }

    /// A simulated one that stands at a time.
    #[must_use]
    pub fn simulated(now: OffsetDateTime) -> Self {
        Self(TimeSource::SimulatedCluster(Arc::new(Mutex::new(now))))
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        match &self.0 {
            TimeSource::System { start, count } => *start + count.elapsed(),
            TimeSource::SimulatedCluster(time) => *held(time),
        }
    }

    /// Lets time pass: really, or by moving the simulated time on. Each of several that wait side by side moves it on.
    pub fn wait(&self, pause: Duration) {
        match &self.0 {
            TimeSource::System { .. } => thread::sleep(pause),
            TimeSource::SimulatedCluster(time) => *held(time) += pause,
        }
    }

    /// Sets a simulated time; the machine's is not ours to set.
    pub fn set(&self, now: OffsetDateTime) {
        if let TimeSource::SimulatedCluster(time) = &self.0 {
            *held(time) = now;
        }
    }
}

fn held(time: &Mutex<OffsetDateTime>) -> MutexGuard<'_, OffsetDateTime> {
    // A thread that panicked under the lock has said so itself; a time is whole at any moment.
    time.lock().unwrap_or_else(PoisonError::into_inner)
}

/// RFC 3339, in UTC, whole seconds: `2026-11-24T16:30:00Z`.
#[must_use]
pub fn rfc3339(time: OffsetDateTime) -> String {
    let whole = time.to_offset(UtcOffset::UTC).replace_nanosecond(0).unwrap_or(time);
    // Years beyond 9999 have no such form; a certificate cannot carry them (RFC 5280, 4.1.2.5).
    whole.format(&Rfc3339).unwrap_or_else(|_| whole.unix_timestamp().to_string())
}

/// A time as [`rfc3339`] writes it, and as the API server does.
#[must_use]
pub fn parsed(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

/// A duration for people, in its two largest units: `1h 2m`.
#[must_use]
pub fn rounded(time: Duration) -> String {
    let whole = time.as_secs();
    let kept = if whole < 3600 { whole } else { whole / 60 * 60 };
    humantime::format_duration(Duration::from_secs(kept)).to_string()
}

/// The same as a field of what scripts read.
///
/// # Errors
/// Those of the serializer.
pub(crate) fn as_rfc3339<S: Serializer>(time: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*time))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn times_are_in_utc_and_without_fractions() {
        assert_eq!(rfc3339(datetime!(2026-11-24 17:30:05.123 +1)), "2026-11-24T16:30:05Z");
    }

    #[test]
    fn a_simulated_wait_moves_the_time_of_all_copies_on_and_takes_none() {
        let (before, now) = (Instant::now(), datetime!(2026-11-24 17:30 UTC));
        let clock = Clock::simulated(now);
        let copy = clock.clone();
        clock.wait(Duration::from_hours(24 * 365 * 6));
        assert_eq!((copy.now(), clock.now()), (now + time::Duration::days(365 * 6), copy.now()));
        assert!(before.elapsed() < Duration::from_mins(1));
    }

    #[test]
    fn a_wait_by_the_machine_s_clock_takes_its_time() {
        let clock = Clock::system();
        let (before, real) = (clock.now(), OffsetDateTime::now_utc());
        assert!((real - before).abs() < time::Duration::minutes(1), "it stands at the machine's time");
        clock.wait(Duration::from_millis(20));
        assert!(clock.now() - before >= Duration::from_millis(20));
        clock.set(real + time::Duration::days(1));
        assert!(clock.now() < real + time::Duration::hours(1), "nobody sets it");
    }
}
