//! The long help: a page for each verb, in the files beside this one, for `--help`, the manual and the reference alike.

use clap::{
    Command,
    builder::{StyledStr, styling::Style},
};

use crate::{args::EXIT_STATUSES, pki::policy::RULES};

/// The page of each verb, by the words that name it; the program's own has none.
pub const PAGES: [(&str, &str); 15] = [
    ("", include_str!("help/top.md")),
    ("approve", include_str!("help/approve.md")),
    ("bootstrap", include_str!("help/bootstrap.md")),
    ("ca", include_str!("help/ca.md")),
    ("ca init", include_str!("help/ca-init.md")),
    ("ca show", include_str!("help/ca-show.md")),
    ("ca trust", include_str!("help/ca-trust.md")),
    ("check", include_str!("help/check.md")),
    ("completion", include_str!("help/completion.md")),
    ("enroll", include_str!("help/enroll.md")),
    ("gate", include_str!("help/gate.md")),
    ("gate close", include_str!("help/gate-close.md")),
    ("gate open", include_str!("help/gate-open.md")),
    ("rehearse", include_str!("help/rehearse.md")),
    ("role", include_str!("help/role.md")),
];

/// A part of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HelpBlock {
    /// `## Words`
    Heading(String),
    /// A paragraph, on one line.
    Text(String),
    /// `- words`, on one line.
    Item(String),
    /// Lines to be taken as they are.
    Code(String),
    /// `{{refusals}}`: the rules of the acceptance policy.
    Refusals,
}

/// The parts of a page.
#[must_use]
pub fn blocks(page: &str) -> Vec<HelpBlock> {
    let mut blocks: Vec<HelpBlock> = Vec::new();
    let mut open = false;
    for line in page.lines() {
        let last = blocks.last_mut().filter(|_| open);
        match (line, last) {
            ("{{refusals}}", _) => blocks.push(HelpBlock::Refusals),
            ("", _) => {}
            (_, Some(HelpBlock::Code(text))) => {
                text.push_str(&format!("\n{}", line.strip_prefix("    ").unwrap_or(line)));
            }
            (_, Some(HelpBlock::Text(text) | HelpBlock::Item(text))) if !line.starts_with("- ") => {
                text.push_str(&format!(" {}", line.trim_start()));
            }
            _ => blocks.push(opened(line)),
        }
        open = !line.is_empty() && !line.starts_with('#');
    }
    blocks
}

fn opened(line: &str) -> HelpBlock {
    if let Some(code) = line.strip_prefix("    ") {
        return HelpBlock::Code(code.to_owned());
    }
    if let Some(words) = line.strip_prefix("## ") {
        return HelpBlock::Heading(words.to_owned());
    }
    line.strip_prefix("- ").map_or_else(|| HelpBlock::Text(line.to_owned()), |words| HelpBlock::Item(words.to_owned()))
}

/// What a page says before its first heading, and what from there on.
#[must_use]
pub fn parted(mut blocks: Vec<HelpBlock>) -> (Vec<HelpBlock>, Vec<HelpBlock>) {
    let at = blocks.iter().position(|block| matches!(block, HelpBlock::Heading(_))).unwrap_or(blocks.len());
    let rest = blocks.split_off(at);
    (blocks, rest)
}

/// The command line with its pages; only `--help` shows them, and no other run needs to carry them.
#[must_use]
pub fn with_pages(command: Command) -> Command {
    add(command, "")
}

fn add(mut command: Command, words: &str) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    for name in names {
        let words = format!("{words} {name}");
        command = command.mut_subcommand(name, |verb| add(verb, words.trim()));
    }
    let Some((_, page)) = PAGES.iter().find(|(name, _)| *name == words) else { return command };
    let (about, rest) = parted(blocks(page));
    let header = *command.get_styles().get_header();
    let rest = format!("{}\n\n{EXIT_STATUSES}", text(&rest, header));
    command.long_about(StyledStr::from(text(&about, header))).after_long_help(StyledStr::from(rest))
}

/// For a terminal; clap wraps it at its width.
fn text(blocks: &[HelpBlock], header: Style) -> String {
    let mut out = String::new();
    let mut after_item = false;
    for block in blocks {
        let is_item = matches!(block, HelpBlock::Item(_));
        out.push_str(if out.is_empty() {
            ""
        } else if is_item && after_item {
            "\n"
        } else {
            "\n\n"
        });
        after_item = is_item;
        match block {
            HelpBlock::Heading(words) => out.push_str(&format!("{header}{words}:{header:#}")),
            HelpBlock::Text(words) => out.push_str(words),
            HelpBlock::Item(words) => out.push_str(&format!("  - {words}")),
            HelpBlock::Code(lines) => out.push_str(&indented(lines)),
            HelpBlock::Refusals => {
                let lines: Vec<String> = RULES.iter().map(|rule| format!("{:<26} {}", rule.code, rule.stops)).collect();
                out.push_str(&indented(&lines.join("\n")));
            }
        }
    }
    out
}

fn indented(lines: &str) -> String {
    let line = |line: &str| if line.is_empty() { String::new() } else { format!("    {line}") };
    lines.trim_end().lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_paragraphs_items_headings_and_lines_as_they_are() {
        let page = "One\ntwo.\n\n## Files\n- a\n  b\n- c\n\n    x \\\n      y\n\n{{refusals}}\n";
        let wanted = [
            HelpBlock::Text("One two.".into()),
            HelpBlock::Heading("Files".into()),
            HelpBlock::Item("a b".into()),
            HelpBlock::Item("c".into()),
            HelpBlock::Code("x \\\n  y".into()),
            HelpBlock::Refusals,
        ];
        assert_eq!(blocks(page), wanted);
    }
}
