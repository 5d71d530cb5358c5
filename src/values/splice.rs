//! Splices: the only way a text is changed, and the gate of the bytes.

/// Some bytes of a text give way to others.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Splice {
    pub(super) at: usize,
    pub(super) removed: usize,
    pub(super) inserted: String,
}

impl Splice {
    /// The order among splices at one place: a value before the lines below it, deeper lines before shallower ones.
    pub(super) fn order(&self) -> (usize, bool, std::cmp::Reverse<usize>) {
        let line = self.inserted.trim_start_matches(['\r', '\n']);
        let indentation = line.len() - line.trim_start_matches(' ').len();
        (self.at, self.inserted.contains('\n'), std::cmp::Reverse(indentation))
    }
}

/// The text with the splices, which stand in order.
pub(super) fn splice(text: &str, splices: &[Splice]) -> String {
    let mut new = String::with_capacity(text.len() + 200);
    let mut from = 0;
    for splice in splices {
        new.push_str(&text[from..splice.at]);
        new.push_str(&splice.inserted);
        from = splice.at + splice.removed;
    }
    new.push_str(&text[from..]);
    new
}

/// The gate of the bytes: the new text with the splices taken out again.
pub(super) fn unsplice(new: &str, splices: &[Splice], old: &str) -> Option<String> {
    let mut text = String::with_capacity(old.len());
    let (mut from, mut shift) = (0, 0_isize);
    for splice in splices {
        let at = splice.at.checked_add_signed(shift)?;
        text.push_str(new.get(from..at)?);
        text.push_str(old.get(splice.at..splice.at + splice.removed)?);
        from = at + splice.inserted.len();
        if new.get(at..from)? != splice.inserted {
            return None;
        }
        shift += splice.inserted.len().cast_signed() - splice.removed.cast_signed();
    }
    text.push_str(new.get(from..)?);
    Some(text)
}
