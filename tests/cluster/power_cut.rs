//! `kill -9` of a `bootstrap` of three organizations and of all its children, at random moments: one more command
//! completes it, or names the command that does. `testbed/power-cut` does it as often as it is told.

use std::{
    io::{Write, stdout},
    thread,
    time::{Duration, Instant},
};

use crate::{
    federation::Fed,
    pending::{kill_all, tool},
    site::{HelmVersion, Ran},
};

/// How often each Helm is cut in the tests, and by which moments.
const CUTS: u64 = 5;
const SEED: u64 = 1;

const LINE: &str = "bootstrap federation.yaml --yes";

/// What became of it.
#[derive(Default)]
struct Figures {
    /// The bootstrap had ended before the cut.
    ended: u64,
    completed: u64,
    /// A release was pending and was gone on with.
    recovered: u64,
    /// No way on was safe, and the command by hand was named.
    named: u64,
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

/// The next of a row of numbers that are the same for the same seed (splitmix64).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn say(text: &str) {
    let mut out = stdout().lock();
    out.write_all(format!("{text}\n").as_bytes()).unwrap();
}

/// How long it takes when nobody cuts it.
fn undisturbed(helm: HelmVersion) -> Duration {
    let fed = Fed::new(helm, 3);
    let start = Instant::now();
    Ran::of(&mut tool(&fed.site, "default", LINE)).ok();
    start.elapsed()
}

fn cut(helm: HelmVersion, moment: Duration, figures: &mut Figures) {
    let fed = Fed::new(helm, 3);
    let mut child = tool(&fed.site, "default", LINE).spawn().unwrap();
    thread::sleep(moment);
    figures.ended += u64::from(child.try_wait().unwrap().is_some());
    kill_all(&mut child);
    let ran = Ran::of(&mut tool(&fed.site, "default", &format!("{LINE} --recover")));
    if ran.status == 0 {
        (1..=3).for_each(|n| fed.is_enrolled(n));
        assert!(fed.is_closed());
        assert!(
            Ran::of(&mut tool(&fed.site, "default", LINE)).ok().stdout.contains("MyOrg3MSP already"),
            "nothing is left to do"
        );
        figures.completed += 1;
        figures.recovered += u64::from(ran.stderr.contains("remove unfinished revision"));
        return;
    }
    assert!(
        ran.status == 3 && ran.stderr.contains("[release-pending]"),
        "after {moment:?}: {} {}{}",
        ran.status,
        ran.stdout,
        ran.stderr
    );
    assert!(ran.stderr.contains(" rollback ") || ran.stderr.contains(" uninstall "), "{}", ran.stderr);
    say(&format!("after {moment:?}: {}", ran.stderr));
    figures.named += 1;
}

both_helms! {
    fn a_federation_that_is_cut_anywhere_is_completed_by_one_command_or_by_the_one_that_it_names(helm) {
        let (cuts, seed) = (number("POWER_CUTS", CUTS), number("POWER_CUT_SEED", SEED));
        let whole = undisturbed(helm).as_millis();
        let (mut state, mut figures) = (seed, Figures::default());
        for at in 1..=cuts {
            let moment = Duration::from_millis(next(&mut state) % u64::try_from(whole).unwrap());
            cut(helm, moment, &mut figures);
            if at % 10 == 0 {
                say(&format!("{at} cuts: {} completed, {} named", figures.completed, figures.named));
            }
        }
        let Figures { ended, completed, recovered, named } = figures;
        assert_eq!(completed + named, cuts);
        say(&format!("{cuts} cuts within {whole} ms, seed {seed}: {completed} completed by one command ({recovered} took an unfinished revision away, {ended} had ended before the cut), {named} named the command"));
    }
}
