//! Nothing of others steers a terminal or forges a line, whoever wrote it: files, values, requests, children, flags.

use std::process::{Command, Stdio};

use super::{children::tools, terminal::typed, world::World};

/// What somebody would write who wants to clear the screen, to turn the writing round, and to say something in our name.
const MARK: &str = "x\u{1b}[2J\u{202e}\u{9b}\u{61c}\u{7f}\nerror: forged";

/// The same between the quotes of YAML and of JSON.
const IN_YAML: &str = r"x\u001b[2J\u202e\u009b\u061c\u007f\nerror: forged";

const TOOLS: &str = "-n org-1 --release backend";
const SIGN: &str = "-f orchestrator-values.yaml --ca-cert ca.crt --ca-key ca.key --offline";

/// A place where somebody else's text comes in, and a command that shows it. `MARK` in the command is the text.
struct Source {
    name: &'static str,
    command: &'static str,
    prepare: fn(&World),
    answers: &'static str,
}

const fn source(name: &'static str, command: &'static str, prepare: fn(&World)) -> Source {
    Source { name, command, prepare, answers: "" }
}

fn nothing(_: &World) {}

/// A release as Helm tells it, and what kubectl does.
fn cluster(world: &World, status: &str, chart: &str, kubectl: &str) {
    let release = format!(
        r#"{{"name":"backend","namespace":"org-1","version":1,"manifest":"","config":{{}},"info":{{"status":"{status}"}}}}"#
    );
    world.write("status.json", &release);
    world.write("metadata.json", &format!(r#"{{"chart":"{chart}","version":"26.15.3"}}"#));
    world.write("list.json", &format!(r#"[{{"name":"{IN_YAML}","chart":"substra-backend-26.15.3"}}]"#));
    tools(world, "case $1 in get) cat metadata.json;; list) cat list.json;; *) cat status.json;; esac", kubectl);
}

/// A file with the mark, for scripts to say.
fn said(world: &World) {
    world.write("said", MARK);
}

const SOURCES: &[Source] = &[
    Source {
        name: "the name of a request, at the question",
        command: "approve MARK.csr -f orchestrator-values.yaml --ca-cert ca.crt --ca-key ca.key --offline",
        prepare: |world| {
            world.request();
            std::fs::rename(world.path("MyOrg1MSP.csr"), world.path(&format!("{MARK}.csr"))).unwrap();
        },
        answers: "nonsense\n",
    },
    source("the name of a request that is not there", "approve MARK SIGN", nothing),
    source("the name of a values file", "enroll -f MARK --key-file k.key", nothing),
    source("the name of a key file", "enroll -f backend-values.yaml --key-file MARK/k.key", nothing),
    source("the name of a folder", "enroll -f backend-values.yaml --key-file k.key --out-dir MARK", nothing),
    source(
        "the name of a CA",
        "approve a.csr -f orchestrator-values.yaml --ca-cert MARK --ca-key ca.key --offline",
        nothing,
    ),
    source("the name of a federation file", "bootstrap MARK", nothing),
    source("the name of a federation file, rehearsed", "rehearse MARK", nothing),
    source("a key above the chart's values", "enroll -f v.yaml --key-file k.key", |world| {
        let values = world.read("backend-values.yaml").replace('\n', "\n  ");
        world.write("v.yaml", &format!("\"{IN_YAML}\":\n  {}\n", values.trim_end()));
    }),
    source("a member of a channel", "check -f v.yaml", |world| {
        world.write("v.yaml", &world.read("orchestrator-values.yaml").replace("MyOrg2MSP", &format!("\"{IN_YAML}\"")));
    }),
    source("a member of a channel, in gauges", "check -f v.yaml -o prometheus", |world| {
        world.write("v.yaml", &world.read("orchestrator-values.yaml").replace("MyOrg2MSP", &format!("\"{IN_YAML}\"")));
    }),
    source("an object's name", "check -f v.yaml", |world| {
        let mtls = format!("enabled: true # by hand\n    mtls: {{clientCACerts: {{\"{IN_YAML}\": [\"{IN_YAML}\"]}}}}");
        world.write("v.yaml", &world.read("orchestrator-values.yaml").replace("enabled: true # by hand", &mtls));
    }),
    source("a CN", "approve r.csr SIGN", |world| forged(world, &format!("/O=MyOrg1MSP/CN={MARK}"))),
    source("an O", "approve r.csr SIGN", |world| forged(world, &format!("/O={MARK}/CN=a.example.org"))),
    source("helm's stderr", "enroll -f backend-values.yaml TOOLS", |world| {
        said(world);
        tools(world, "cat said >&2; exit 1", "exit 1");
    }),
    source("kubectl's stderr", "enroll -f backend-values.yaml TOOLS", |world| {
        said(world);
        cluster(world, "deployed", "substra-backend", "cat said >&2; exit 1");
    }),
    source("helm's stderr, checked", "check -f backend-values.yaml TOOLS", |world| {
        said(world);
        tools(world, "cat said >&2; exit 1", "exit 1");
    }),
    source("a release's status", "enroll -f backend-values.yaml TOOLS", |world| {
        cluster(world, &format!("pending-{IN_YAML}"), "substra-backend", "exit 1");
    }),
    source("a release's chart", "enroll -f backend-values.yaml TOOLS", |world| {
        cluster(world, "deployed", IN_YAML, "exit 1");
    }),
    source("a release's name", "enroll -f backend-values.yaml -n org-1", |world| {
        cluster(world, "deployed", "substra-backend", "exit 1");
    }),
    source("a child's command line", "check -v -f backend-values.yaml TOOLS --kube-context MARK", |world| {
        cluster(world, "deployed", "substra-backend", "exit 1");
    }),
    source("a verb", "MARK", nothing),
    source("a namespace", "enroll -f backend-values.yaml -n MARK", nothing),
    source("a release on the line", "enroll -f backend-values.yaml --release=MARK", nothing),
    source("a colour", "enroll -f backend-values.yaml --color MARK", nothing),
    source("a key of values on the line", "enroll -f backend-values.yaml --values-key MARK --key-file k.key", nothing),
    source("an option", "enroll -f backend-values.yaml --MARK", nothing),
    source("a check", "check --explain MARK", nothing),
    source("where to dial", "check -f backend-values.yaml --live --connect MARK", nothing),
    source("a word of a federation file", "bootstrap f.yaml", |world| {
        world.write("f.yaml", &format!("apiVersion: \"{IN_YAML}\"\nkind: Federation\n"));
    }),
];

/// A request with this subject.
fn forged(world: &World, subject: &str) {
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-new", "-utf8", "-nameopt", "utf8", "-newkey", "rsa:2048", "-nodes", "-keyout", "r.key"]);
    openssl.args(["-subj", subject, "-out", "r.csr"]).current_dir(world.path("")).stderr(Stdio::null());
    assert!(openssl.status().unwrap().success());
}

/// The words of a source's command, each quoted for a shell.
fn words(source: &Source) -> Vec<String> {
    let line = source.command.replace("SIGN", SIGN).replace("TOOLS", TOOLS);
    line.split(' ').map(|word| word.replace("MARK", MARK)).collect()
}

/// What is wrong with what was shown: something in it steers, a line is forged, or the mark is not in it at all.
fn wrong(shown: &str, source: &Source, way: &str) -> Option<String> {
    let steers = shown.contains(['\u{1b}', '\u{202e}', '\u{9b}', '\u{61c}', '\u{7f}']);
    let forged = shown.lines().any(|line| line.trim_start().starts_with("error: forged"));
    let plain = shown.replace("\\\\", "\\").replace("\\\\", "\\").replace("[2j", "[2J");
    let escaped = [r"\u{1b}[2J\u{202e}\u{9b}", r"\033[2J\342\200\256", r"\u001b[2J\u202e\u009b"];
    let is_shown = escaped.iter().any(|mark| plain.contains(mark));
    (steers || forged || !is_shown).then(|| format!("{}, {way}: {shown:?}", source.name))
}

#[test]
fn nothing_of_others_steers_a_terminal_a_pipe_or_a_document() {
    let mut found = Vec::new();
    for source in SOURCES {
        let world = World::new();
        (source.prepare)(&world);
        let quoted = |word: &String| format!("'{word}'");
        let all: String = words(source).iter().map(quoted).collect::<Vec<_>>().join(" ");
        let script = format!("PATH=\"$PWD/bin:$PATH\" exec {} {all}", env!("CARGO_BIN_EXE_substra-mtls"));
        world.write("run", &script);
        let (screen, status) = typed(&world, "sh run", &[("TERM", "dumb")], source.answers, "never");
        assert_ne!(status, 101, "{}: {screen}", source.name);
        found.extend(wrong(&screen, source, "at a terminal"));
        let piped = |more: &str| {
            world.write("run", &format!("{script} {more}"));
            let shell =
                Command::new("sh").arg("run").current_dir(world.path("")).stdin(Stdio::null()).output().unwrap();
            [shell.stdout, shell.stderr].map(|bytes| String::from_utf8(bytes).unwrap())
        };
        found.extend(wrong(&piped("").concat(), source, "in a pipe"));
        if source.name != "a verb" && !source.command.contains(" -o ") {
            let [document, talk] = piped("-o json");
            found.extend(wrong(&document, source, "as JSON"));
            found.extend(wrong(&(document.clone() + &talk), source, "beside JSON"));
            assert!(serde_json::from_str::<serde_json::Value>(&document).is_ok(), "{}: {document}", source.name);
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n\n"));
}

#[test]
fn names_that_steer_are_not_offered_at_the_tab_key() {
    let world = World::new();
    world.write(&format!("{MARK}.csr"), "");
    world.write("good.csr", "");
    std::fs::create_dir(world.path(&format!("{MARK}.d"))).unwrap();
    world.write("v.yaml", &format!("channels: [{{organizations: [\"{IN_YAML}\", MyOrg1MSP]}}]\n"));
    let asked = |variable: &[(&str, &str)], words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
        command.args(words).current_dir(world.path("")).env_clear().envs(variable.iter().copied());
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert_eq!(asked(&[], &["__complete", "approve", ""]), "good.csr\n:4\n");
    let members = ["__complete", "gate", "close", "-f", "v.yaml", "--installed", ""];
    assert_eq!(asked(&[], &members), "MyOrg1MSP\n:4\n");
    let fish = asked(&[("SUBSTRA_MTLS_COMPLETE", "fish")], &["--", "substra-mtls", "approve", ""]);
    assert!(fish.contains("good.csr") && !fish.contains('\u{1b}') && !fish.contains("forged"), "{fish:?}");
}
