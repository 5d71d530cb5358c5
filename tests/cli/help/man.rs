//! The pages of the manual.

use clap::Command;
use clap_mangen::{
    Man,
    roff::{Inline, Roff, bold, roman},
};
use substra_mtls::{
    cli::help::{HelpBlock, PAGES, blocks, parted},
    pki::policy::RULES,
};

/// Each page with its name, without the section.
pub(super) fn pages(command: &Command) -> Vec<(String, String)> {
    let mut pages = Vec::new();
    add(command, "", &mut pages);
    pages
}

fn add(command: &Command, words: &str, pages: &mut Vec<(String, String)>) {
    let page = PAGES.iter().find(|(name, _)| *name == words).unwrap().1;
    let (about, rest) = parted(blocks(page));
    let man = Man::new(command.clone()).source(format!("substra-mtls {}", env!("CARGO_PKG_VERSION")));
    let mut text = Vec::new();
    man.render_title(&mut text).unwrap();
    man.render_name_section(&mut text).unwrap();
    man.render_synopsis_section(&mut text).unwrap();
    section("DESCRIPTION", &about).to_writer(&mut text).unwrap();
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text).unwrap();
    }
    man.render_options_section(&mut text).unwrap();
    for part in rest.chunk_by(|_, next| !matches!(next, HelpBlock::Heading(_))) {
        let HelpBlock::Heading(words) = &part[0] else { panic!("a part has a heading") };
        section(&words.to_uppercase(), &part[1..]).to_writer(&mut text).unwrap();
    }
    let text = String::from_utf8(text).unwrap();
    pages.push((
        if words.is_empty() { "substra-mtls".into() } else { format!("substra-mtls {words}").replace(' ', "-") },
        once(&text),
    ));
    for verb in command.get_subcommands() {
        add(verb, format!("{words} {}", verb.get_name()).trim(), pages);
    }
}

/// Each piece comes with the definition of an apostrophe; a page needs one.
fn once(text: &str) -> String {
    let is_definition = |line: &str| line.starts_with(".ie \\n(.g .ds Aq") || line.starts_with(".el .ds Aq");
    let kept = text.lines().enumerate().filter(|(at, line)| *at < 2 || !is_definition(line));
    kept.map(|(_, line)| format!("{line}\n")).collect()
}

fn section(heading: &str, parts: &[HelpBlock]) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", [heading]);
    for part in parts {
        match part {
            HelpBlock::Heading(_) => {}
            HelpBlock::Text(words) => drop(roff.control("PP", []).text(inlines(words))),
            HelpBlock::Item(words) => drop(roff.control("IP", ["\\(bu", "2"]).text(inlines(words))),
            HelpBlock::Code(lines) => code(&mut roff, lines),
            HelpBlock::Refusals => {
                for rule in RULES {
                    roff.control("TP", []).text([bold(rule.code.id())]).text([roman(rule.stops)]);
                }
            }
        }
    }
    roff
}

fn code(roff: &mut Roff, lines: &str) {
    roff.control("PP", []).control("RS", ["4"]).control("nf", []);
    for line in lines.trim_end().lines() {
        roff.text([roman(line)]);
    }
    roff.control("fi", []).control("RE", []);
}

/// What stands between backticks is bold.
fn inlines(words: &str) -> Vec<Inline> {
    let parts = words.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { bold(part) } else { roman(part) }).collect()
}
