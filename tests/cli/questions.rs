//! Every question of every verb: at a terminal it is asked once, and without one the flag is named that takes its place.

use clap::Parser;
use substra_mtls::{
    cli::{Cli, Command as Verb},
    cluster::{Cluster, simulated::SimulatedCluster},
    commands::bootstrap,
    dispatch::dispatch,
    failure::{Exit, Result},
    federation::Site,
    pki::{authority::create_root, inspect::certificates, key::KeyType},
    report::{Console, Format, Outcome},
    session::Session,
};

use super::{bootstrap::world::Fed, simulated::Federation, terminal::typed, world::World};

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

const QUESTIONS: [Question; 11] = [
    Question {
        name: "enroll",
        asked: "Install the pair of MyOrg1MSP",
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
        no: (NOBODY, "request-fingerprint"),
        flag: "--fingerprint",
        run: |console| on_orchestrator(console, &format!("{SIGN} --yes"), 1),
    },
    Question {
        name: "approve",
        asked: "Sign for MyOrg1MSP and admit it in the values file? [y/N] ",
        yes: ("yes", "approved"),
        no: ("", "declined"),
        flag: "--yes",
        run: |console| on_orchestrator(console, &format!("{SIGN} --unverified-mail"), 1),
    },
    Question {
        name: "gate close a member",
        asked: "Has MyOrg1MSP confirmed that its pair is installed? [y/N] ",
        yes: ("y", "closed"),
        no: ("n", "not-installed"),
        flag: "--installed MyOrg1MSP",
        run: |console| on_orchestrator(console, &format!("{CLOSE} --yes"), 3),
    },
    Question {
        name: "gate close",
        asked: "Turn mutual TLS on at release orchestrator (backends without a valid pair are cut off)? [y/N] ",
        yes: ("y", "closed"),
        no: ("n", "declined"),
        flag: "--yes",
        run: |console| on_orchestrator(console, &format!("{CLOSE} --installed MyOrg1MSP"), 3),
    },
    Question {
        name: "gate open",
        asked: "Turn mutual TLS off at release orchestrator (everybody is accepted, ",
        yes: ("y", "opened"),
        no: ("n", "declined"),
        flag: "--yes",
        run: |console| on_orchestrator(console, "gate open -f @orchestrator-values.yaml --release orchestrator", 4),
    },
    Question {
        name: "ca init",
        asked: "Set up TLS of release orchestrator",
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
        name: "ca init offline",
        asked: "Write the files of the CA and the server pair, and edit the values file? [y/N] ",
        yes: ("y", "initialized"),
        no: ("n", "declined"),
        flag: "--yes",
        run: |console| {
            on_orchestrator(
                console,
                "ca init --offline -f @orchestrator-values.yaml --release orchestrator -n orchestrator --out-dir @",
                0,
            )
        },
    },
    Question {
        name: "ca trust for an organization",
        asked: "Trust this CA for MyOrg1MSP (",
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
        no: (NOBODY, "ca-fingerprint"),
        flag: "--fingerprint",
        run: |console| {
            on_backend(console, "ca trust @other.crt --backend -f @backend-values.yaml --release backend --yes", 0)
        },
    },
    Question {
        name: "bootstrap",
        asked: "Carry this out for 1 organization, then turn mutual TLS on (",
        yes: ("y", "bootstrapped"),
        no: ("n", "declined"),
        flag: "--yes",
        run: on_all,
    },
];

/// The groups of a key that nobody has.
const NOBODY: &str = "00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000";

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
        groups = outcome.get("toReadOut").and_then(|text| text.as_str()).unwrap_or(&groups).to_owned();
    }
    console.say(format!("by phone: {groups}"));
    federation
}

fn on(federation: &Federation, cluster: &SimulatedCluster, console: Console, line: &str) -> Ended {
    let world = &federation.world;
    let words: Vec<_> = world.words(&format!("substra-mtls {line}")).into_iter().map(Into::into).collect();
    let cli = Cli::read(&words).unwrap();
    let (files, writes) = (world.snapshot(), federation.orc.writes());
    let console = Console { yes: line.contains("--yes"), ..console };
    let result = dispatch(&cli.command, &Session::new(Some(cluster), console, &federation.clock()));
    Ended { result, untouched: files == world.snapshot() && writes == federation.orc.writes() }
}

fn on_all(console: Console) -> Ended {
    let fed = Fed::new(1);
    let file = fed.world.path("federation.yaml").display().to_string();
    let cli = Cli::try_parse_from(["substra-mtls", "bootstrap", &file]).unwrap();
    let Verb::Bootstrap(args) = &cli.command else { panic!("{file}") };
    let open =
        |site: &Site| -> Result<Box<dyn Cluster>> { Ok(Box::new(fed.orc.in_namespace(site.namespace.as_str()))) };
    let (files, writes) = (fed.world.snapshot(), fed.orc.writes());
    let result = bootstrap::run(args, &Session::new(None, console, &fed.clock()), &open);
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
    let test = "questions::at_a_terminal_each_question_is_asked_once_and_a_no_writes_nothing";
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
    let end = result.map_or_else(|failure| failure.code.id(), |outcome| outcome.stage().id());
    console.say(format!("END {end} {}", !untouched));
}
