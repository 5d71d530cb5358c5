//! The figures of `benches/README.md`: ratios to what a user would do instead, both sides in the same run.
//!
//! `cargo bench` prints those that need no cluster; `testbed/with cargo bench` prints all.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench is a program of its own"
)]

#[path = "figures/approve.rs"]
mod approve;
#[path = "figures/exchange.rs"]
mod exchange;
#[path = "figures/federation.rs"]
mod federation;
#[path = "figures/start.rs"]
mod start;
#[path = "figures/values.rs"]
mod values;

fn main() {
    approve::figures();
    values::figures();
    start::figures();
    match std::env::var("TESTBED_BIN") {
        Ok(bin) if std::env::args().any(|word| word == "federation") => federation::figures(&bin),
        Ok(bin) => {
            exchange::figures(&bin);
            federation::figures(&bin);
        }
        Err(_) => println!("one organization end to end: run `testbed/with cargo bench` for it"),
    }
}

/// The median of five runs, in milliseconds.
fn median(mut run: impl FnMut() -> std::time::Duration) -> f64 {
    let mut times: Vec<f64> = (0..5).map(|_| run().as_secs_f64() * 1e3).collect();
    times.sort_by(f64::total_cmp);
    times[2]
}

fn timed(work: impl FnOnce()) -> std::time::Duration {
    let start = std::time::Instant::now();
    work();
    start.elapsed()
}
