//! The corpus on the disk, and its mutants.

use std::{fs, path::PathBuf};

/// A values file: its name without the suffix, and its bytes.
pub(crate) type File = (String, Vec<u8>);

pub(crate) fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/values").join(name)
}

/// The corpus, by name.
pub(crate) fn corpus() -> Vec<File> {
    let mut files: Vec<File> = fs::read_dir(folder("corpus"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

/// Pieces that have a meaning in YAML or for one of its readers.
const PIECES: [&str; 64] = [
    " ",
    "  ",
    "\n",
    "\r\n",
    "\t",
    ":",
    ": ",
    "- ",
    "-",
    "#",
    " # c",
    "# c\n",
    "{",
    "}",
    "{}",
    "[",
    "]",
    "[]",
    ",",
    ", ",
    "&a ",
    "*a",
    "<<: *a\n",
    "!!str ",
    "!x ",
    "|",
    "|+",
    "|-",
    ">",
    ">-\n",
    "\"",
    "'",
    "\\",
    "~",
    "null",
    "? ",
    "---\n",
    "...\n",
    "---",
    "%",
    "@",
    "`",
    "yes",
    "no",
    "y",
    "0123",
    "1_0",
    "1e3",
    "0x1F",
    "-0",
    ".5",
    "1.50",
    "2024-01-31",
    "orchestrator:",
    "orchestrator: ",
    "tls:",
    "tls: ",
    "  enabled: ",
    "mtls:\n",
    "é",
    "\u{a0}",
    "\u{feff}",
    "=",
    "{tls:}",
];

/// A small generator of numbers (xorshift), so that a seed gives the same mutants everywhere.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % limit.max(1) as u64).unwrap()
    }
}

/// Mutants of the small corpus files: one to three random edits each.
pub(crate) fn mutants(seed: u64, count: usize) -> impl Iterator<Item = Vec<u8>> {
    let small: Vec<File> = corpus().into_iter().filter(|(_, text)| !text.is_empty() && text.len() < 400).collect();
    let mut dice = Dice::new(seed);
    (0..count).map(move |_| {
        let at = dice.below(small.len());
        let mut text = small[at].1.clone();
        for _ in 0..=dice.below(3) {
            text = mutant(&text, &mut dice);
        }
        text
    })
}

fn mutant(text: &[u8], dice: &mut Dice) -> Vec<u8> {
    let at = dice.below(text.len() + 1);
    let piece = PIECES[dice.below(PIECES.len())].as_bytes();
    let mut lines: Vec<&[u8]> = text.split_inclusive(|b| *b == b'\n').collect();
    let line = dice.below(lines.len());
    match dice.below(8) {
        0 => [&text[..at], piece, &text[at..]].concat(),
        1 => [&text[..at], &text[(at + 1 + dice.below(3)).min(text.len())..]].concat(),
        2 => [&text[..at], piece, &text[(at + piece.len()).min(text.len())..]].concat(),
        3 if !lines.is_empty() => {
            lines.remove(line);
            lines.concat()
        }
        4 if !lines.is_empty() => {
            lines.insert(dice.below(lines.len() + 1), lines[line]);
            lines.concat()
        }
        5 if !lines.is_empty() => {
            let other = dice.below(lines.len());
            lines.swap(line, other);
            lines.concat()
        }
        6 if !lines.is_empty() => {
            let moved = [&b"    "[dice.below(4)..], lines[line]].concat();
            lines[line] = &moved;
            lines.concat()
        }
        _ if !lines.is_empty() => {
            let spaces = lines[line].iter().take_while(|b| **b == b' ').count();
            lines[line] = &lines[line][dice.below(spaces)..];
            lines.concat()
        }
        _ => piece.to_vec(),
    }
}
