//! A check of its own that an edit lost nothing: by lines, knowing nothing of YAML or of the editor.

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// The first old line that the new text lost, if there is one. A touched line may lose its value (`{}`, `~`,
/// a word), never its key or comment.
pub(crate) fn lost(old: &[u8], new: &[u8]) -> Option<String> {
    let (old, new) = (split(old), split(new));
    capture_diff_slices(Algorithm::Myers, &old, &new).iter().find_map(|change| match *change {
        DiffOp::Equal { .. } | DiffOp::Insert { .. } => None,
        DiffOp::Delete { old_index, .. } => Some(String::from_utf8_lossy(old[old_index]).into_owned()),
        DiffOp::Replace { old_index, old_len, new_index, new_len } => {
            let mut news = new[new_index..new_index + new_len].iter();
            let lost = old[old_index..old_index + old_len].iter().find(|line| !news.any(|new| is_kept(line, new)));
            lost.map(|line| String::from_utf8_lossy(line).into_owned())
        }
    })
}

fn split(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|b| *b == b'\n').collect()
}

/// Whether a line lives on: with its key and its comment, and otherwise less a value at most.
fn is_kept(old: &[u8], new: &[u8]) -> bool {
    let sign = old.iter().position(|b| b":#{[".contains(b)).unwrap_or(0);
    let key = if old[sign] == b':' { sign + 1 } else { 0 };
    let gone = |change: &DiffOp| match *change {
        DiffOp::Delete { old_index, old_len, .. } | DiffOp::Replace { old_index, old_len, .. } => {
            let starts_comment = |at: usize| old[at] == b'#' && (at == 0 || old[at - 1].is_ascii_whitespace());
            (old_index..old_index + old_len).any(starts_comment)
        }
        _ => false,
    };
    new.starts_with(&old[..key]) && !capture_diff_slices(Algorithm::Myers, old, new).iter().any(gone)
}

#[test]
fn sees_a_lost_comment_and_a_lost_line() {
    assert_eq!(lost(b"a: 1\nb: 2\n", b"a: 1\nb: true\n"), None);
    assert_eq!(lost(b"a: {}  # c\nb: 2\n", b"a:  # c\n  x: 1\nb: 2\n"), None);
    assert_eq!(lost(b"a: {}  # c\n", b"a:\n  x: 1\n"), Some("a: {}  # c\n".to_owned()));
    assert_eq!(lost(b"a: 1\nb: 2\n", b"a: 1\n"), Some("b: 2\n".to_owned()));
    assert_eq!(lost(b"a: 1\nb: 2\n", b"a: 1\nx: 2\n"), Some("b: 2\n".to_owned()));
}
