//! The edit of one file: settings become splices, and two gates prove the result before it leaves.

use super::{
    Refusal, Setting, apply,
    plan::ValuesDocument,
    read, refuse,
    setting::snippet,
    splice::{splice, unsplice},
    tree::Tree,
};
use crate::failure::Code;

/// The text with the settings, every other byte as it was; the same bytes when everything is so already.
///
/// # Errors
/// The text cannot be read, or a setting stands where it cannot be edited safely; the refusal has the YAML to paste.
pub fn edit(text: &[u8], settings: &[Setting]) -> Result<Vec<u8>, Refusal> {
    proven(text, settings).map_err(|refusal| Refusal { snippet: Some(snippet(settings)), ..refusal })
}

fn proven(text: &[u8], settings: &[Setting]) -> Result<Vec<u8>, Refusal> {
    let body = refuse::check(text)?;
    let mark = &text[..text.len() - body.len()];
    let (mut tree, mut value) = read::both(text)?;
    let meant = apply(&value, settings);
    let mut new = body.to_owned();
    let mut left: Vec<&Setting> = settings.iter().collect();
    loop {
        left.retain(|setting| !setting.holds(&value));
        if left.is_empty() {
            break;
        }
        let taken;
        (new, taken) = round(&new, tree, &left)?;
        left.drain(..taken);
        (tree, value) = read::both(new.as_bytes()).map_err(|_| unproven())?;
    }
    // The gate of the tree.
    if value == meant { Ok([mark, new.as_bytes()].concat()) } else { Err(unproven()) }
}

/// The text with the first settings, as many as can be made at once, and how many these are.
fn round(text: &str, tree: Tree, settings: &[&Setting]) -> Result<(String, usize), Refusal> {
    let (splices, taken) = ValuesDocument::new(text, tree).plan(settings)?;
    let new = splice(text, &splices);
    // The gate of the bytes.
    if unsplice(&new, &splices, text).as_deref() == Some(text) { Ok((new, taken)) } else { Err(unproven()) }
}

fn unproven() -> Refusal {
    Refusal::new(Code::Unproven, (0, 0), "the edit could not be proven to change nothing else")
}
