//! A person at an interactive bash who types the beginning of a line and presses the tab key.

use std::{
    io::{Read, Write},
    path::Path,
    process::{Command, Stdio},
};

/// The line as bash has it then. `setup` is what the person's bashrc says.
pub(crate) fn tab(folder: &Path, variables: &[(&str, String)], setup: &str, typed: &str) -> String {
    let rc = folder.join("bashrc");
    std::fs::write(&rc, format!("{setup}\nPS1='READY> '\n")).unwrap();
    let mut script = Command::new("script");
    let bash = format!("bash --noprofile --rcfile {} -i", rc.display());
    script.args(["--quiet", "--return", "--command", &bash, "/dev/null"]).current_dir(folder).env_clear();
    script.env("TERM", "dumb").envs(variables.iter().map(|(name, value)| (name, value)));
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut keys, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut shown = String::new();
    let mut block = [0; 4096];
    let mut typed_already = false;
    while let Ok(read @ 1..) = screen.read(&mut block) {
        shown.push_str(&String::from_utf8_lossy(&block[..read]));
        if !typed_already && shown.ends_with("READY> ") {
            // Tab; then to the line's beginning, `echo DONE: ` before it, and run that.
            keys.write_all(format!("{typed}\t\u{1}echo DONE: \u{5}\nexit\n").as_bytes()).unwrap();
            typed_already = true;
        }
    }
    drop(keys);
    assert!(child.wait().is_ok());
    let done = shown.lines().find_map(|line| line.trim_end().strip_prefix("DONE: "));
    done.unwrap_or_else(|| panic!("{shown}")).to_owned()
}
