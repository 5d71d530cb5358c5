//! Twenty thousand spoilt files: an edit is right or refused, and never panics.

use substra_mtls::values::{Setting, apply, edit, read};

use super::{assert_nothing_else_changed, backend, corpus::files, orchestrator};

const MUTANTS: usize = 20_000;

/// xorshift64: the same mutants in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(n.max(1)).unwrap()).unwrap()
    }
}

const PIECES: [&str; 34] = [
    " ",
    "  ",
    "\n",
    "\r\n",
    "\t",
    ":",
    ": ",
    "- ",
    "#",
    " #",
    "{",
    "}",
    "[",
    "]",
    ",",
    "&a ",
    "*a",
    "|\n",
    ">-\n",
    "\"",
    "'",
    "!x ",
    "~",
    "? ",
    "<<: ",
    "---\n",
    "...\n",
    "%",
    "tls:",
    "orchestrator:\n",
    "enabled: ",
    "0123",
    "y",
    "\u{e9}",
];

fn mutant(text: &str, random: &mut Random) -> String {
    let mut text: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(3) {
        let at = random.below(text.len() + 1);
        match random.below(4) {
            0 if !text.is_empty() => drop(text.remove(at.min(text.len() - 1))),
            1 => drop(text.splice(at..at, PIECES[random.below(PIECES.len())].chars())),
            2 => {
                let end = (at + random.below(12)).min(text.len());
                let cut: Vec<char> = text.drain(at..end).collect();
                let to = random.below(text.len() + 1);
                drop(text.splice(to..to, cut));
            }
            _ => {
                let end = (at + random.below(20)).min(text.len());
                let copy = text[at..end].to_vec();
                drop(text.splice(at..at, copy));
            }
        }
    }
    text.into_iter().collect()
}

#[test]
fn no_mutant_is_edited_wrongly() {
    let files: Vec<String> =
        files().into_values().filter(|f| f.len() < 1500).filter_map(|f| String::from_utf8(f).ok()).collect();
    let mut random = Random(4242);
    let (mut edited, mut refused) = (0, 0);
    let settings: [Vec<Setting>; 2] = [backend(), orchestrator()];
    for n in 0..MUTANTS {
        let text = mutant(&files[random.below(files.len())], &mut random);
        let settings = &settings[n % 2];
        match edit(text.as_bytes(), settings) {
            Err(_) => refused += 1,
            Ok(new) => {
                edited += 1;
                let old = read(text.as_bytes()).unwrap();
                assert_eq!(read(&new).unwrap(), apply(&old, settings), "{text:?}");
                assert_nothing_else_changed(text.as_bytes(), &new);
            }
        }
    }
    assert!(edited > MUTANTS / 4 && refused > MUTANTS / 20, "{edited} edited, {refused} refused");
}

#[test]
fn a_setting_taken_out_again_gives_the_old_bytes() {
    let (set, out) =
        ([Setting::set(&["orchestrator", "brandNew"], "x")], [Setting::remove(&["orchestrator", "brandNew"])]);
    let mut tried = 0;
    for (name, old) in files() {
        let has_map = read(&old).is_ok_and(|tree| tree["orchestrator"].as_object().is_some_and(|map| !map.is_empty()));
        let Ok(new) = edit(&old, &set) else { continue };
        if has_map && let Ok(back) = edit(&new, &out) {
            assert_eq!(String::from_utf8_lossy(&back), String::from_utf8_lossy(&old), "{name}");
            tried += 1;
        }
    }
    assert!(tried > 50, "{tried} files");
}
