//! A real terminal, and `bootstrap` at one.

use std::{
    io::{Read, Write},
    process::{Command, Stdio},
};

use crate::{
    federation::Fed,
    site::{HelmVersion, Site},
};

/// Runs the binary at a terminal (of `script`), answers each question once it is there, and gives the screen and the
/// exit status. A question for which no answer is left fails the test: nobody would ever answer it.
pub(crate) fn at_terminal(
    site: &Site,
    kind: &str,
    namespace: &str,
    line: &str,
    answers: &[(&str, &str)],
) -> (String, i32) {
    let place = site.place(namespace).join(" ");
    let command = format!("{} {line} {place}", env!("CARGO_BIN_EXE_substra-mtls"));
    let mut script = Command::new("script");
    site.environment(&mut script);
    script.args(["--quiet", "--return", "--echo", "never", "--command", &command, "/dev/null"]);
    script.current_dir(site.folder.path()).env("TERM", kind).env("HELM_BIN", site.helm_binary());
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut screen, mut open) = (Vec::new(), answers.iter());
    let mut next = open.next();
    let (mut answered, mut last) = (0, "[y/N]");
    let mut block = [0; 4096];
    loop {
        let read = output.read(&mut block).unwrap();
        if read == 0 {
            break;
        }
        screen.extend_from_slice(&block[..read]);
        let since = String::from_utf8_lossy(&screen[answered..]).trim_end().to_owned();
        match next {
            Some((question, answer)) if since.ends_with(question) => {
                drop(writeln!(input, "{answer}"));
                (next, answered, last) = (open.next(), screen.len(), question);
            }
            None if since.ends_with(last) || since.ends_with("[y/N]") => {
                child.kill().unwrap();
                panic!("no answer is left: {}", String::from_utf8_lossy(&screen));
            }
            _ => {}
        }
    }
    (String::from_utf8_lossy(&screen).into_owned(), child.wait().unwrap().code().unwrap())
}

#[test]
fn a_bootstrap_asks_once_and_has_one_live_line_for_each() {
    let fed = Fed::new(HelmVersion::V4, 2);
    let line = "bootstrap federation.yaml";
    let (screen, status) = at_terminal(&fed.site, "xterm", "default", line, &[("[y/N]", "n")]);
    assert!(status == 5 && screen.contains("[declined]"), "{status} {screen}");
    let (screen, status) = at_terminal(&fed.site, "xterm", "default", line, &[("[y/N]", "y")]);
    assert_eq!(status, 0, "{screen}");
    assert!(screen.contains("then turn mutual TLS on (backends without a valid pair are cut off)? [y/N]"), "{screen}");
    assert_eq!(screen.matches("[y/N]").count(), 1);
    // A spinner before the name, drawn again and again on its own line, and the last state of each at the end.
    assert!(screen.contains("\u{1b}["), "{screen:?}");
    for name in ["MyOrg1MSP     in place", "MyOrg2MSP     in place", "orchestrator  the gate is closed"] {
        assert!(screen.contains(name), "{name}: {screen}");
    }
    let (screen, status) = at_terminal(&fed.site, "dumb", "default", line, &[]);
    assert!(status == 0 && !screen.contains('\u{1b}'), "{screen:?}");
}
