//! The README's pictures: what a terminal of 110 columns shows of real runs on the simulated cluster. To make them again:
//! `UPDATE_EXPECTED=1 cargo test --test cli pictures`.

use std::{env, fs};

use anstyle_svg::{Term, WIN10_CONSOLE};
use clap::{
    Parser,
    builder::styling::{Color, RgbColor},
};
use regex_lite::{Captures, Regex};
use substra_mtls::{
    cli::Cli,
    cluster::simulated::SimulatedCluster,
    commands::rehearse,
    dispatch::{VERBS, dispatch},
    report::{Console, Format},
    session::Session,
    times::{Clock, rfc3339},
};
use time::{
    Date, OffsetDateTime,
    format_description::well_known::Rfc3339,
    macros::{datetime, format_description},
};

use super::{questions::reached, simulated::Federation, terminal::typed, world::World};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/pictures");
const COLUMNS: usize = 110;
/// What parts a run from what the test's own process prints.
const CUT: &str = "\u{2702}";

/// A run, and what is typed at its question.
struct Picture {
    name: &'static str,
    /// As a person types it.
    command: &'static str,
    answers: &'static str,
    /// Between the beginning and the end: from which line to which it shows these words instead.
    left_out: Option<(&'static str, &'static str, &'static str)>,
    /// Gives the time that it believed.
    run: fn(Console, &[&str]) -> OffsetDateTime,
}

const PICTURES: [Picture; 3] = [
    Picture {
        name: "rehearse",
        command: "helm substra-mtls rehearse",
        left_out: Some((
            "--certificate MyOrg1MSP.crt",
            "Verdicts, ",
            "... and so on: installation, the other two, and the gate ...",
        )),
        answers: "",
        run: |console, words| {
            let cli = Cli::try_parse_from(words).unwrap();
            let substra_mtls::cli::Command::Rehearse(args) = &cli.command else { panic!("{words:?}") };
            let session = Session::new(None, console, &Clock::system());
            console.say(CUT);
            rehearse::run(args, &session, VERBS).unwrap().write(&console).unwrap();
            session.now
        },
    },
    Picture {
        name: "approve",
        command: "helm substra-mtls approve MyOrg1MSP.csr -f orchestrator-values.yaml --ca-cert orchestrator-ca.crt --ca-key orchestrator-ca.key",
        answers: "GROUPS\ny",
        left_out: None,
        run: |console, words| {
            let federation = reached(console, 1);
            show(console, &federation, &federation.orc, words)
        },
    },
    Picture {
        name: "check",
        command: "helm substra-mtls check -f backend-values.yaml",
        answers: "",
        left_out: None,
        run: |console, words| {
            let mut federation = reached(console, 4);
            federation.now += time::Duration::days(70);
            show(console, &federation, &federation.org, words)
        },
    },
];

/// Runs a verb in the folder of its files, and writes what it writes.
fn show(console: Console, federation: &Federation, cluster: &SimulatedCluster, words: &[&str]) -> OffsetDateTime {
    // This process runs nothing else.
    env::set_current_dir(federation.world.path("")).unwrap();
    let cli = Cli::try_parse_from(words).unwrap();
    console.say(CUT);
    let outcome = dispatch(&cli.command, &Session::new(Some(cluster), console, &federation.clock())).unwrap();
    outcome.write(&console).unwrap();
    federation.now
}

/// The test is run again by itself under a pseudo-terminal, once for each picture.
#[test]
fn the_pictures_show_what_the_verbs_say_today() {
    if let Some(name) = env::var("PICTURE").ok().filter(|name| !name.is_empty()) {
        let picture = PICTURES.iter().find(|picture| picture.name == name).unwrap();
        let words: Vec<&str> = picture.command.split(' ').skip(1).collect();
        let console = Console::of_process(Format::Text, false);
        let now = (picture.run)(console, &words);
        return console.say(format!("{CUT}{}{CUT}", now.unix_timestamp()));
    }
    let world = World::new();
    let this = env::current_exe().unwrap();
    let command =
        format!("{} --exact pictures::the_pictures_show_what_the_verbs_say_today --nocapture", this.display());
    for picture in PICTURES {
        let environment =
            [("TERM", "xterm-256color"), ("CLICOLOR_FORCE", "1"), ("COLUMNS", "110"), ("PICTURE", picture.name)];
        let (screen, _) = typed(&world, &command, &environment, picture.answers, "always");
        let drawn = drawn(&picture, &screen);
        let file = format!("{FOLDER}/{}.svg", picture.name);
        if env::var_os("UPDATE_EXPECTED").is_some() {
            fs::create_dir_all(FOLDER).unwrap();
            fs::write(&file, &drawn).unwrap();
        }
        let kept = fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(super::world::diff(&kept, &drawn), "", "{file}: UPDATE_EXPECTED=1 cargo test --test cli pictures");
    }
}

fn drawn(picture: &Picture, screen: &str) -> String {
    let text = screen.replace('\r', "");
    let mut parts = text.split(CUT).skip(1);
    let (Some(run), Some(now)) = (parts.next(), parts.next()) else { panic!("no run: {text}") };
    let now = OffsetDateTime::from_unix_timestamp(now.parse().unwrap()).unwrap();
    let mut lines: Vec<&str> = run.trim_matches('\n').lines().collect();
    if let Some((from, to, words)) = picture.left_out {
        let at = |what: &str| lines.iter().position(|line| line.contains(what)).unwrap();
        lines.splice(at(from)..at(to), [words, ""]);
    }
    let shown = lines.join("\n");
    let text = format!("\u{1b}[1m$ {}\u{1b}[0m\n{}", picture.command, masked(&shown, now));
    let wrapped: Vec<String> = text.lines().flat_map(wrapped).collect();
    let ground = |red, green, blue| Color::Rgb(RgbColor(red, green, blue));
    let term = Term::new().palette(WIN10_CONSOLE).fg_color(ground(0xd4, 0xd4, 0xd4)).bg_color(ground(0x1b, 0x1f, 0x27));
    let svg = term.min_width_px(COLUMNS * 42 / 5).render_svg(&wrapped.join("\n"));
    let (head, rest) = svg.split_once('\n').unwrap();
    let title = picture.command;
    format!("{head}\n  <title>{title}</title>\n{rest}")
}

/// What differs from run to run, in its own width: times as if it were noon of a certain day, digits in their order.
fn masked(text: &str, now: OffsetDateTime) -> String {
    const TODAY: OffsetDateTime = datetime!(2026-01-15 12:00 UTC);
    let changing = Regex::new(
        r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z|\d{4}-\d{2}-\d{2}|CA \d{8}-[0-9a-f]{4}|[0-9a-f]{8,}( [0-9a-f]{8})*",
    );
    let digits = |length: usize| "0123456789abcdef".chars().cycle().take(length).collect::<String>();
    let instead = |found: &Captures<'_>| {
        let found = &found[0];
        // A date alone is that of a moment at this time of the day.
        let day = |text: &str| Date::parse(text, format_description!("[year]-[month]-[day]")).ok();
        if let Ok(moment) = OffsetDateTime::parse(found, &Rfc3339) {
            rfc3339(TODAY + (moment - now.replace_nanosecond(0).unwrap()))
        } else if let Some(day) = day(found) {
            (TODAY.date() + (day - now.date())).to_string()
        } else if found.starts_with("CA ") {
            "CA 20260101-0123".to_owned()
        } else if found.contains(' ') {
            groups()
        } else {
            digits(found.len())
        }
    };
    changing.unwrap().replace_all(text, instead).into_owned()
}

fn groups() -> String {
    ["01234567", "89abcdef"].repeat(4).join(" ")
}

/// A line as a terminal breaks it; escapes have no width.
fn wrapped(line: &str) -> Vec<String> {
    let (mut lines, mut width, mut escape) = (vec![String::new()], 0, false);
    for c in line.chars() {
        escape |= c == '\u{1b}';
        if !escape && width == COLUMNS {
            lines.push(String::new());
            width = 0;
        }
        width += usize::from(!escape);
        escape &= c != 'm';
        lines.last_mut().unwrap().push(c);
    }
    lines
}
