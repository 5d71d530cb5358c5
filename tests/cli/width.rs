//! A terminal has a width: prose is broken at it, tables fit into it, and what is to be pasted stays whole. What goes to a
//! pipe or a file is never broken.

use std::{env, process::Command};

use substra_mtls::report::{Console, Format};

use super::{
    questions::reached,
    terminal::typed,
    world::{World, diff},
};

/// The line that a process of this test program plays.
const PLAYED: &str = "SUBSTRA_MTLS_TEST_WIDTH";
/// What parts a run from what the test's own process prints.
const CUT: &str = "%%%%";

/// What a terminal of so many columns shows of a command, line by line.
fn on(columns: usize, command: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let world = World::new();
    let command = format!("stty cols {columns} rows 40; exec {command}");
    let variables = [&[("TERM", "dumb")], variables].concat();
    let (screen, _) = typed(&world, &command, &variables, "", "never");
    screen.replace('\r', "").lines().map(str::to_owned).collect()
}

fn tool(line: &str) -> String {
    format!("{} {line}", env!("CARGO_BIN_EXE_substra-mtls"))
}

/// The same of a verb on the simulated cluster, after the exchange and with the gate closed.
fn played(columns: usize, line: &str) -> Vec<String> {
    let test = "width::a_table_fits_the_terminal";
    let command = format!("{} --exact {test} --nocapture", env::current_exe().unwrap().display());
    let screen = on(columns, &command, &[(PLAYED, line)]);
    let is_cut = |line: &&String| line.contains(CUT);
    let run: Vec<String> = screen.iter().skip_while(|line| !is_cut(line)).skip(1).cloned().collect();
    assert!(run.iter().any(|line| line.contains(CUT)), "{screen:#?}");
    run.into_iter().take_while(|line| !line.contains(CUT)).collect()
}

fn play(line: &str) {
    let console = Console::of_process(Format::Text, false);
    let mut federation = reached(Console::silent(), 4);
    let line = match line.strip_prefix("later ") {
        Some(rest) => {
            federation.now += time::Duration::days(70);
            rest
        }
        None => line,
    };
    let cluster = if line.contains("backend") { &federation.org } else { &federation.orc };
    console.say(CUT);
    federation.run(cluster, line).unwrap().write(&console).unwrap();
    console.say(CUT);
}

fn widest(lines: &[String]) -> usize {
    lines.iter().map(|line| line.chars().count()).max().unwrap()
}

const SHOW: &str = "ca show -f @orchestrator-values.yaml --ca-cert @ca.crt";
const CHECK: &str = "check -f @backend-values.yaml";

#[test]
fn a_table_fits_the_terminal() {
    if let Ok(line) = env::var(PLAYED) {
        return play(&line);
    }
    let wide = played(250, SHOW);
    assert!(wide[0].starts_with("OBJECT ") && wide[0].contains("ISSUED BY"), "{wide:#?}");
    let narrow = played(160, SHOW);
    assert!(narrow[0].starts_with("OBJECT ") && !narrow[0].contains("ISSUED BY"), "{narrow:#?}");
    let narrowest = played(80, SHOW);
    assert_eq!(narrowest[0], "secret/orchestrator-tls-cacert: server, and all clients, clients of MyOrg1MSP");
    assert!(narrowest[2].starts_with("  issued by "), "{narrowest:#?}");
    for (columns, lines) in [(250, wide), (160, narrow), (80, narrowest)] {
        assert!(widest(&lines) <= columns, "{columns}: {lines:#?}");
    }

    let full = played(120, CHECK);
    let serial = full[1].split_whitespace().nth(2).unwrap();
    assert!(serial.len() > 30 && full[0].contains("issuer"), "{full:#?}");
    let short = played(90, CHECK);
    assert!(short[1].contains(&format!(" {}... ", &serial[..8])) || short[1].contains("... "), "{short:#?}");
    assert!(short[0].contains("issuer"), "{short:#?}");
    let shortest = played(60, CHECK);
    assert!(!shortest[0].contains("issuer") && shortest[0].ends_with("days left"), "{shortest:#?}");
    for (columns, lines) in [(120, full), (90, short), (60, shortest)] {
        assert!(widest(&lines) <= columns, "{columns}: {lines:#?}");
    }
}

#[test]
fn a_command_is_never_broken() {
    let shown = played(60, &format!("later {CHECK}"));
    let command: Vec<&String> = shown.iter().filter(|line| line.contains("helm substra-mtls")).collect();
    assert!(!command.is_empty(), "{shown:#?}");
    for line in command {
        let words = shlex::split(line.trim()).unwrap();
        assert_eq!(words[0], "helm", "a command has a line of its own: {shown:#?}");
        assert_eq!(words.last().unwrap(), "--renew", "all of it: {shown:#?}");
    }
}

/// All words in their order, wherever a line ends.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join("\n")
}

#[test]
fn prose_is_broken_at_the_terminal_s_width_and_no_word_is_lost() {
    let line = "enroll -f missing-values-file.yaml --key-file MyOrg1MSP.key";
    let ran = World::new().run(line);
    assert!(ran.stderr.lines().any(|line| line.chars().count() > 40), "{}", ran.stderr);
    let shown = on(40, &tool(line), &[]);
    assert!(widest(&shown) <= 40, "{shown:#?}");
    assert_eq!(diff(&words(&ran.stderr), &words(&shown.join("\n"))), "");
}

#[test]
fn a_rehearsal_at_eighty_columns_is_wider_only_where_it_must_not_be_broken() {
    let shown = on(80, &tool("rehearse"), &[]);
    for line in shown.iter().filter(|line| line.chars().count() > 80) {
        let is_diff = line.starts_with("           ");
        assert!(line.starts_with("$ helm substra-mtls ") || is_diff, "{line}");
    }
    assert!(
        shown
            .iter()
            .any(|line| line == "accepted  for comparison: the walkthrough's, with the orchestrator's CN, posing")
    );
}

#[test]
fn columns_says_the_width_where_the_terminal_does_not_and_a_pipe_has_none() {
    let line = "enroll -f missing-values-file.yaml --key-file MyOrg1MSP.key";
    let width = |columns: usize, variables: &[(&str, &str)]| widest(&on(columns, &tool(line), variables));
    let whole = width(0, &[]);
    assert!(whole > 60);
    assert_eq!(width(0, &[("COLUMNS", "not a number")]), whole);
    assert!(width(0, &[("COLUMNS", "60")]) <= 60);
    assert_eq!(width(200, &[("COLUMNS", "60")]), whole, "the terminal knows it better");
    let world = World::new();
    let mut piped = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
    piped.args(line.split(' ')).current_dir(world.path("")).env_clear().env("COLUMNS", "40");
    let said = String::from_utf8(piped.output().unwrap().stderr).unwrap();
    assert_eq!(widest(&said.lines().map(str::to_owned).collect::<Vec<_>>()), whole);
}
