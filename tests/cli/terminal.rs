//! Questions at a real terminal (a pseudo-terminal of `script`, from util-linux), and none where there is no terminal.

use std::{
    io::{Read, Write},
    process::{Command, Stdio},
};

use clap::Parser;
use substra_mtls::{
    cli::{Cli, Command as Verb},
    cluster::{Cluster, simulated::Simulated},
    commands::{Desk, bootstrap, dispatch},
    failure::{Exit, Result},
    federation::Site,
    pki::{authority::create_root, inspect::certificates, key::KeyType},
    report::{Console, Format, Outcome},
};

use super::{bootstrap::world::Fed, simulated::Federation, world::World};

/// Runs the tool at a terminal, types an answer at each question, and gives what the screen showed and the exit status.
fn at_terminal(world: &World, line: &str, answers: &str) -> (String, i32) {
    typed(world, &format!("{} {line}", env!("CARGO_BIN_EXE_substra-mtls")), &[("TERM", "dumb")], answers, "never")
}

/// What somebody reads out by phone is shown before the verb runs.
fn groups_on(screen: &[u8]) -> String {
    let screen = String::from_utf8_lossy(screen).into_owned();
    screen.split_once("by phone: ").unwrap().1.lines().next().unwrap().to_owned()
}

/// As `at_terminal`, any command; `echo` says whether what is typed is seen: `always` or `never`.
pub(crate) fn typed(
    world: &World,
    command: &str,
    environment: &[(&str, &str)],
    answers: &str,
    echo: &str,
) -> (String, i32) {
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--echo", echo, "--command", command, "/dev/null"]);
    script.current_dir(world.path("")).envs(environment.iter().copied());
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, mut output) = (child.stdin.take(), child.stdout.take().unwrap());
    let (mut screen, mut answered, mut answers) = (Vec::new(), 0, answers.lines());
    let mut block = [0; 4096];
    loop {
        let read = output.read(&mut block).unwrap();
        if read == 0 {
            break;
        }
        screen.extend_from_slice(&block[..read]);
        // A question ends without a line end.
        if screen.len() > answered && (screen.ends_with(b": ") || screen.ends_with(b"[y/N] ")) {
            answered = screen.len();
            match answers.next() {
                // The verb may have ended at an earlier answer.
                Some(answer) => {
                    let answer = if answer == "GROUPS" { groups_on(&screen) } else { answer.to_owned() };
                    drop(input.as_mut().map(|input| writeln!(input, "{answer}")));
                }
                // One question too many: it finds the terminal closed, and the test fails instead of hanging.
                None => input = None,
            }
        }
    }
    (String::from_utf8_lossy(&screen).into_owned(), child.wait().unwrap().code().unwrap())
}

const APPROVE: &str = "approve MyOrg1MSP.csr -f orchestrator-values.yaml --ca-cert ca.crt --ca-key ca.key --offline";

#[test]
fn the_operator_types_the_groups_and_says_yes() {
    let world = World::new();
    world.request();
    let groups = world.run("enroll -f backend-values.yaml --key-file MyOrg1MSP.key").ok().fact("to read out");
    let (screen, status) = at_terminal(&world, APPROVE, &format!("{groups}\ny"));
    assert_eq!(status, 0, "{screen}");
    assert!(screen.contains("Fingerprint that MyOrg1MSP's operator read out to you (8 groups):"), "{screen}");
    assert!(screen.contains("Continue: sign for MyOrg1MSP and admit it in the values file? [y/N]"), "{screen}");
    assert!(world.path("MyOrg1MSP.crt").exists());
}

#[test]
fn a_mistyped_fingerprint_or_a_no_signs_nothing() {
    let world = World::new();
    world.request();
    let before = world.snapshot();
    let groups = world.run("enroll -f backend-values.yaml --key-file MyOrg1MSP.key").ok().fact("to read out");
    let (screen, status) = at_terminal(&world, APPROVE, &format!("{}\ny", groups.replace(['0', '1', '2', '3'], "4")));
    assert!(status == 5 && screen.contains("[request-fingerprint]"), "{status} {screen}");
    let (screen, status) = at_terminal(&world, APPROVE, "not a fingerprint");
    assert!(status == 5 && screen.contains("[fingerprint]"), "{status} {screen}");
    let (screen, status) = at_terminal(&world, APPROVE, &format!("{groups}\nn"));
    assert!(status == 5 && screen.contains("[declined]"), "{status} {screen}");
    assert_eq!(world.snapshot(), before);
}

#[test]
fn an_encrypted_ca_key_is_opened_by_its_passphrase_alone() {
    let world = World::new();
    world.request();
    let encrypt = "openssl pkcs8 -topk8 -in ca.key -out enc.key -passout pass:secret && chmod 600 enc.key";
    assert!(Command::new("sh").args(["-c", encrypt]).current_dir(world.path("")).status().unwrap().success());
    let line = APPROVE.replace("ca.key", "enc.key") + " --unverified-mail --yes";
    let (screen, status) = at_terminal(&world, &line, "wrong");
    assert!(status == 5 && screen.contains("[ca-key]") && !screen.contains("wrong\r"), "{status} {screen}");
    let (screen, status) = at_terminal(&world, &line, "secret");
    assert_eq!(status, 0, "{screen}");
    let ran = world.run(&line).refused(2, "no-terminal");
    assert!(ran.stderr.contains("--passphrase-fd 3"), "{}", ran.stderr);
    let with_fd = format!("{} {line} --passphrase-fd 3 3<<E\nsecret\nE", env!("CARGO_BIN_EXE_substra-mtls"));
    let ran = Command::new("sh").args(["-c", &with_fd]).current_dir(world.path("")).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

/// A verb that asks, in a world where it does.
struct Question {
    name: &'static str,
    asked: &'static str,
    /// The answer with which it goes on, and the stage that it ends with.
    yes: (&'static str, &'static str),
    /// The answer with which it stops, and the code that it ends with.
    no: (&'static str, &'static str),
    /// What takes the question's place on the command line.
    flag: &'static str,
    run: fn(Console) -> Ended,
}

struct Ended {
    result: Result<Outcome>,
    /// Whether files and cluster are as they were.
    untouched: bool,
}

const QUESTIONS: [Question; 10] = [
    Question {
        name: "enroll",
        asked: "Continue: ",
        yes: ("y", "installed"),
        no: ("n", "declined"),
        flag: "--yes",
        run: |console| {
            on_backend(
                console,
                "enroll -f @backend-values.yaml --release backend --out-dir @ --certificate @MyOrg1MSP.crt",
                2,
            )
        },
    },
    Question {
        name: "approve a fingerprint",
        asked: "Fingerprint that MyOrg1MSP's operator read out to you (8 groups): ",
        yes: ("GROUPS", "approved"),
        no: ("nonsense", "fingerprint"),
        flag: "--fingerprint",
        run: |console| on_orchestrator(console, &format!("{SIGN} --yes"), 1),
    },
    Question {
        name: "approve",
        asked: "Continue: sign for MyOrg1MSP and admit it in the values file? [y/N] ",
        yes: ("yes", "approved"),
        no: ("", "declined"),
        flag: "--yes",
        run: |console| on_orchestrator(console, &format!("{SIGN} --unverified-mail"), 1),
    },
    Question {
        name: "gate close a member",
        asked: "Has MyOrg1MSP said that its pair is installed? [y/N] ",
        yes: ("y", "closed"),
        no: ("n", "not-installed"),
        flag: "--installed MyOrg1MSP",
        run: |console| on_orchestrator(console, &format!("{CLOSE} --yes"), 3),
    },
    Question {
        name: "gate close",
        asked: "Continue: turn mutual TLS on at release orchestrator: backends without a valid pair are cut off? [y/N] ",
        yes: ("y", "closed"),
        no: ("n", "declined"),
        flag: "--yes",
        run: |console| on_orchestrator(console, &format!("{CLOSE} --installed MyOrg1MSP"), 3),
    },
    Question {
        name: "gate open",
        asked: "Continue: turn mutual TLS off at release orchestrator: ",
        yes: ("y", "opened"),
        no: ("n", "declined"),
        flag: "--yes",
        run: |console| on_orchestrator(console, "gate open -f @orchestrator-values.yaml --release orchestrator", 4),
    },
    Question {
        name: "ca init",
        asked: "Continue: set up TLS of release orchestrator",
        yes: ("y", "renewed"),
        no: ("n", "declined"),
        flag: "--yes",
        run: |console| {
            on_orchestrator(
                console,
                "ca init -f @orchestrator-values.yaml --release orchestrator --out-dir @ --host other.example.org",
                0,
            )
        },
    },
    Question {
        name: "ca trust for an organization",
        asked: "Continue: trust this CA for MyOrg1MSP: ",
        yes: ("y", "trusted"),
        no: ("n", "declined"),
        flag: "--yes",
        run: |console| {
            on_orchestrator(
                console,
                "ca trust @other.crt --for MyOrg1MSP -f @orchestrator-values.yaml --release orchestrator",
                0,
            )
        },
    },
    Question {
        name: "ca trust for a backend",
        asked: "Fingerprint that the CA's owner read out to you (8 groups): ",
        yes: ("GROUPS", "trusted"),
        no: ("0", "fingerprint"),
        flag: "--fingerprint",
        run: |console| {
            on_backend(console, "ca trust @other.crt --backend -f @backend-values.yaml --release backend --yes", 0)
        },
    },
    Question {
        name: "bootstrap",
        asked: "Continue: carry this out for 1 organization; then mutual TLS goes on",
        yes: ("y", "bootstrapped"),
        no: ("n", "declined"),
        flag: "--yes",
        run: on_all,
    },
];

const SIGN: &str =
    "approve @MyOrg1MSP.csr -f @orchestrator-values.yaml --release orchestrator --ca-cert @ca.crt --ca-key @ca.key";
const CLOSE: &str = "gate close -f @orchestrator-values.yaml --release orchestrator";

fn on_backend(console: Console, line: &str, steps: usize) -> Ended {
    let federation = reached(console, steps);
    on(&federation, &federation.org, console, line)
}

fn on_orchestrator(console: Console, line: &str, steps: usize) -> Ended {
    let federation = reached(console, steps);
    on(&federation, &federation.orc, console, line)
}

/// A federation in which so many parts of the exchange are done, and the files of two CAs.
pub(crate) fn reached(console: Console, steps: usize) -> Federation {
    let federation = Federation::new();
    let world = &federation.world;
    world.write("orchestrator-ca.crt", &world.read("ca.crt"));
    world.write("orchestrator-ca.key", &world.read("ca.key"));
    world.chmod("orchestrator-ca.key", 0o600);
    let (_, other) = create_root(KeyType::EcdsaP256, federation.now).unwrap();
    world.write("other.crt", &other);
    let mut groups = certificates(other.as_bytes()).unwrap()[0].fingerprint().groups().join(" ");
    let exchange: [fn(&Federation) -> Result<Outcome>; 4] = [
        |federation| federation.enroll(""),
        Federation::approve,
        Federation::install,
        |federation| federation.close(""),
    ];
    for part in &exchange[..steps] {
        let outcome = part(&federation).unwrap();
        groups = outcome.get("to read out").and_then(|text| text.as_str()).unwrap_or(&groups).to_owned();
    }
    console.say(format!("by phone: {groups}"));
    federation
}

fn on(federation: &Federation, cluster: &Simulated, console: Console, line: &str) -> Ended {
    let world = &federation.world;
    let line = line.replace('@', &format!("{}/", world.path("").display()).replace("//", "/"));
    let cli = Cli::try_parse_from(std::iter::once("substra-mtls").chain(line.split_whitespace())).unwrap();
    let (files, writes) = (world.snapshot(), federation.orc.writes());
    let console = Console { yes: line.contains("--yes"), ..console };
    let result = dispatch(&cli.command, &Desk { cluster: Some(cluster), console, now: federation.now });
    Ended { result, untouched: files == world.snapshot() && writes == federation.orc.writes() }
}

fn on_all(console: Console) -> Ended {
    let fed = Fed::new(1);
    let file = fed.world.path("federation.yaml").display().to_string();
    let cli = Cli::try_parse_from(["substra-mtls", "bootstrap", &file]).unwrap();
    let Verb::Bootstrap(args) = &cli.command else { panic!("{file}") };
    let open = |site: &Site| -> Result<Box<dyn Cluster>> { Ok(Box::new(fed.orc.namespace(site.namespace.as_str()))) };
    let (files, writes) = (fed.world.snapshot(), fed.orc.writes());
    let result = bootstrap::run(args, &Desk { cluster: None, console, now: fed.now }, &open);
    Ended { result, untouched: files == fed.world.snapshot() && writes == fed.orc.writes() }
}

#[test]
fn without_a_terminal_the_flag_is_named_and_nothing_is_written() {
    for question in QUESTIONS {
        let console = Console { format: Format::Text, yes: false, interactive: false, quiet: true };
        let Ended { result, untouched } = (question.run)(console);
        let failure = result.map(drop).unwrap_err();
        assert!(failure.exit != Exit::Done && untouched, "{}: {failure}", question.name);
        assert!(failure.to_string().contains(question.flag), "{}: {failure}", question.name);
    }
}

/// The test is run again by itself under a pseudo-terminal, once for each answer.
#[test]
fn at_a_terminal_each_question_is_asked_once_and_a_no_writes_nothing() {
    if let Some(name) = std::env::var("QUESTION").ok().filter(|name| !name.is_empty()) {
        return answered(QUESTIONS.iter().find(|question| question.name == name).unwrap());
    }
    let world = World::new();
    let this = std::env::current_exe().unwrap();
    let test = "terminal::at_a_terminal_each_question_is_asked_once_and_a_no_writes_nothing";
    let command = format!("{} --exact {test} --nocapture", this.display());
    for question in QUESTIONS {
        let (yes, no) = (question.yes, question.no);
        for (answer, end) in [(yes.0, format!("END {} true", yes.1)), (no.0, format!("END {} false", no.1))] {
            let (screen, _) = typed(
                &world,
                &command,
                &[("TERM", "dumb"), ("QUESTION", question.name)],
                &format!("{answer}\n"),
                "never",
            );
            assert_eq!(screen.matches(question.asked).count(), 1, "{}: {screen}", question.name);
            assert!(screen.contains(&end), "{}, {end}: {screen}", question.name);
        }
    }
}

/// Says how the verb ended, and whether anything was written.
fn answered(question: &Question) {
    let console = Console::of_process(Format::Text, false);
    assert!(console.interactive, "this is a terminal");
    let Ended { result, untouched } = (question.run)(console);
    let end = result.map_or_else(|failure| failure.code, |outcome| outcome.stage());
    console.say(format!("END {end} {}", !untouched));
}
