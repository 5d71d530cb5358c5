//! Pages as their readers see them: headings, blocks, links, and the command lines of a block.

use std::{fs, path::PathBuf};

/// A fenced block.
pub(super) struct Block {
    /// The last heading of the second level before it; empty at the top.
    pub(super) heading: String,
    /// The word after the fence.
    pub(super) language: String,
    pub(super) text: String,
}

pub(super) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The README and the pages of `docs/`, by their paths.
pub(super) fn all() -> Vec<(PathBuf, String)> {
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let paths = pages.chain([root().join("README.md")]);
    paths.map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

pub(super) fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

pub(super) fn blocks(page: &str) -> Vec<Block> {
    let (mut found, mut heading, mut open) = (Vec::new(), "", None::<Block>);
    for line in page.lines() {
        match (line.trim_start().strip_prefix("```"), open.take()) {
            (Some(_), Some(block)) => found.push(block),
            (Some(language), None) => {
                open = Some(Block { heading: heading.to_owned(), language: language.to_owned(), text: String::new() });
            }
            (None, Some(block)) => open = Some(Block { text: format!("{}{line}\n", block.text), ..block }),
            (None, None) => heading = line.strip_prefix("## ").unwrap_or(heading),
        }
    }
    assert!(open.is_none(), "a block has no end");
    found
}

/// The command lines of a block of shell: continued lines joined, comments away.
pub(super) fn commands(block: &str) -> Vec<String> {
    let joined = block.replace("\\\n", " ");
    let lines = joined.lines().map(|line| line.split(" # ").next().unwrap_or_default());
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|line| !line.is_empty()).collect()
}

/// A page of `docs/`.
pub(super) fn of(name: &str) -> String {
    fs::read_to_string(root().join("docs").join(name)).unwrap()
}

/// The command lines under a heading of a page.
pub(super) fn commands_of(page: &str, heading: &str) -> Vec<String> {
    let all = blocks(page).into_iter();
    let own = all.filter(|block| block.heading == heading && block.language == "sh");
    let lines: Vec<String> = own.flat_map(|block| commands(&block.text)).collect();
    assert!(!lines.is_empty(), "there is nothing to run under {heading:?}");
    lines
}

/// The anchors of a page's headings, as code forges make them.
pub(super) fn anchors(page: &str) -> Vec<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
    let anchor =
        |line: &str| line.trim_start_matches('#').trim().to_lowercase().chars().filter(kept).collect::<String>();
    headings.map(|line| anchor(line).replace(' ', "-")).collect()
}

/// What a page links to, addresses of the web aside.
pub(super) fn links(page: &str) -> Vec<String> {
    let targets = page.split("](").skip(1).map(|rest| rest.split(')').next().unwrap().to_owned());
    targets.filter(|target| !target.starts_with("https://")).collect()
}
