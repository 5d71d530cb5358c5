//! The reference as one page.

use clap::{Arg, Command};
use substra_mtls::{
    cli::help::{HelpBlock, PAGES, blocks, parted},
    pki::policy::RULES,
};

pub(super) fn reference(command: &Command) -> String {
    let mut out = "<!-- Made by tests/cli/help.rs from src/cli.rs and src/cli/help: UPDATE_EXPECTED=1 cargo test --test cli help -->\n# Reference\n".to_owned();
    let (about, rest) = parted(blocks(PAGES[0].1));
    out.push_str(&prose(&about));
    out.push_str("\n## Options of every verb\n");
    out.push_str(&table(command.get_arguments().filter(|arg| arg.is_global_set())));
    out.push_str("\n## Everywhere\n");
    out.push_str(&prose(&rest));
    command.get_subcommands().for_each(|verb| out.push_str(&chapter(verb, verb.get_name())));
    out
}

fn chapter(verb: &Command, words: &str) -> String {
    let mut out = format!("\n## {words}\n\n{}.\n", verb.get_about().unwrap());
    let page = PAGES.iter().find(|(name, _)| *name == words).unwrap().1;
    let (about, rest) = parted(blocks(page));
    let usage = verb.clone().render_usage().to_string();
    out.push_str(&format!("\n{}", indented(usage.trim_start_matches("Usage: "))));
    out.push_str(&prose(&about));
    let own = |arg: &&Arg| !arg.is_global_set() && arg.get_id() != "help";
    if verb.get_arguments().any(|arg| own(&arg)) {
        out.push_str("\n### Options\n");
        out.push_str(&table(verb.get_arguments().filter(own)));
    }
    out.push_str(&prose(&rest));
    verb.get_subcommands().for_each(|inner| out.push_str(&chapter(inner, &format!("{words} {}", inner.get_name()))));
    out
}

fn prose(parts: &[HelpBlock]) -> String {
    let mut out = String::new();
    let mut after_item = false;
    for part in parts {
        let is_item = matches!(part, HelpBlock::Item(_));
        out.push_str(if is_item && after_item { "" } else { "\n" });
        after_item = is_item;
        out.push_str(&match part {
            HelpBlock::Heading(words) => format!("### {words}\n"),
            HelpBlock::Text(words) => format!("{words}\n"),
            HelpBlock::Item(words) => format!("- {words}\n"),
            HelpBlock::Code(lines) => indented(lines),
            HelpBlock::Refusals => {
                let row =
                    |rule: &substra_mtls::pki::policy::Rule| format!("| `{}` | {} |\n", rule.code.id(), rule.stops);
                format!("| code | what it stops |\n|---|---|\n{}", RULES.iter().map(row).collect::<String>())
            }
        });
    }
    out
}

fn table<'a>(args: impl Iterator<Item = &'a Arg>) -> String {
    let rows: String = args.filter(|arg| !arg.is_hide_set()).map(row).collect();
    format!("\n| option | |\n|---|---|\n{rows}")
}

fn row(arg: &Arg) -> String {
    let value = arg.get_value_names().filter(|_| arg.get_num_args().is_some_and(|count| count.takes_values()));
    let value = value.map(|names| names[0].to_string());
    let name = match (arg.get_short(), arg.get_long()) {
        (Some(short), Some(long)) => format!("-{short}, --{long}"),
        (_, Some(long)) => format!("--{long}"),
        _ => String::new(),
    };
    let shown = [name, value.unwrap_or_default()].join(" ");
    let default = arg
        .get_default_values()
        .first()
        .filter(|_| !arg.is_hide_default_value_set() && !arg.get_action().takes_values().eq(&false));
    let default = default.map(|value| format!(" [default: {}]", value.to_string_lossy())).unwrap_or_default();
    let words: Vec<String> = arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    let words = if words.is_empty() || arg.is_hide_possible_values_set() || !arg.get_action().takes_values() {
        String::new()
    } else {
        format!(": {}", words.join(", "))
    };
    let help = format!("{}{words}{default}", arg.get_help().unwrap());
    format!("| `{}` | {} |\n", shown.trim().replace('|', "\\|"), help.replace('|', "\\|"))
}

fn indented(lines: &str) -> String {
    lines.trim_end().lines().map(|line| if line.is_empty() { "\n".into() } else { format!("    {line}\n") }).collect()
}
