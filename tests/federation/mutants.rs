//! Broken and odd files by the thousand: read or refused in the same form, never a panic.

use std::collections::BTreeSet;

use substra_mtls::failure::Exit;

use super::{parse, shown};

/// Pieces that have a meaning in YAML or in this file.
const PIECES: [&str; 40] = [
    " ",
    "  ",
    "\n",
    "\r\n",
    "\t",
    ":",
    ": ",
    "- ",
    "#",
    "{",
    "}",
    "{}",
    "[",
    "]",
    "[]",
    ",",
    "&a ",
    "*a",
    "<<: *a\n",
    "!!str ",
    "!x ",
    "|\n",
    ">-\n",
    "\"",
    "'",
    "\\",
    "~",
    "null",
    "? ",
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "\u{feff}",
    "\0",
    "\u{85}",
    "on",
    "1",
    "-",
    "context: org1\n",
    "values: [a.yaml]\n",
];

/// Numbers that are the same in each run (Marsaglia's xorshift with 64 bits).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % limit.max(1)
    }
}

fn mutant(numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = shown().as_bytes().to_vec();
    for _ in 0..=numbers.below(3) {
        let at = numbers.below(bytes.len());
        let end = (at + numbers.below(12)).min(bytes.len());
        match numbers.below(5) {
            0 => drop(bytes.drain(at..end)),
            1 => bytes[at] = u8::try_from(numbers.below(256)).unwrap(),
            2 => {
                let copy = bytes[at..end].to_vec();
                let to = numbers.below(bytes.len());
                bytes.splice(to..to, copy);
            }
            3 => bytes.truncate(bytes.len() - numbers.below(40).min(bytes.len() - 1)),
            _ => drop(bytes.splice(at..at, PIECES[numbers.below(PIECES.len())].bytes())),
        }
    }
    bytes
}

#[test]
fn ten_thousand_mutants_are_read_or_refused_at_a_place() {
    let (mut numbers, mut read, mut codes) = (Numbers(7), 0, BTreeSet::new());
    for number in 0..10_000 {
        let bytes = mutant(&mut numbers);
        let shown = format!("mutant {number}: {}", bytes.escape_ascii());
        match parse(&bytes) {
            Ok(federation) => {
                let ids: BTreeSet<_> = federation.organizations.iter().map(|one| &one.msp_id).collect();
                assert!(!ids.is_empty() && ids.len() == federation.organizations.len(), "{shown}");
                assert!(federation.organizations.iter().all(|one| !one.site.values.is_empty()), "{shown}");
                read += 1;
            }
            Err(failure) => {
                assert_eq!(failure.exit, Exit::Refused, "{shown}\n{failure}");
                let lines = bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() + 1;
                let place: Vec<&str> = failure.what.splitn(4, ':').collect();
                let (line, column): (usize, usize) = (place[1].parse().unwrap(), place[2].parse().unwrap());
                assert!((1..=lines).contains(&line) && column >= 1, "{shown}\n{failure}");
                let text = failure.to_string();
                assert_eq!(text.lines().count(), 4, "{shown}\n{failure}");
                assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{shown}\n{failure}");
                codes.insert(failure.code.id());
            }
        }
    }
    assert!(
        (500..9_500).contains(&read) && codes.len() >= 6,
        "{read} were read, refused were {codes:?}: too tame or too wild"
    );
}
