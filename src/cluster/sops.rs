//! The calls of `sops`: a values file that it has encrypted is read into memory and edited without plain text on a disk.

use std::{env, ffi::OsString, path::Path, time::Duration};

use serde_json::Value;
use zeroize::Zeroizing;

use super::{
    child::{ChildCommand, ChildKind, ChildOutput, MAX_OUTPUT},
    kubectl::one_line,
    program,
};
use crate::{
    failure::{Code, Exit, Failure, Result},
    files,
    report::mask,
    values,
};

/// A key may lie in a cloud's service, or be unlocked at a pinentry.
const LIMIT: Duration = Duration::from_mins(1);

/// Values files whatever their names end in.
const YAML: [&str; 2] = ["--input-type=yaml", "--output-type=yaml"];

/// The plain text of an encrypted file.
///
/// # Errors
/// `tool-missing` without sops on PATH; sops has no key for it, or the file was changed behind its back.
pub fn decrypt(name: &Path, encrypted: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    // By standard input; sops wants a name all the same, by which it finds its own settings.
    let words = ["decrypt", YAML[0], YAML[1], "--filename-override=values.yaml"];
    let reply = run(name, &words, Zeroizing::new(encrypted.to_vec()))?;
    if reply.success {
        return Ok(reply.stdout);
    }
    Err(Failure::new(Exit::Outside, Code::Sops, format!("sops cannot decipher {}", name.display()))
        // Not everything in the file need be encrypted, and an error may quote it.
        .why(one_line(&mask::without(&reply.stderr, &values::words(encrypted), &[])))
        .next(format!("make this work, then run the same command again: sops decrypt {}", name.display()))
        .unchanged("nothing was written"))
}

/// Sets a text or a switch at a path of an encrypted file, keys and the numbers of a list's items; `None` takes it out. `copy` is a throw-away copy of the file that
/// `name` is: sops writes in place and not whole or not at all.
///
/// # Errors
/// As [`decrypt`], and where sops cannot go that path.
pub fn set(name: &Path, copy: &Path, path: &[Value], value: Option<&Value>) -> Result<()> {
    let (at, index) = (copy.to_string_lossy(), index(path));
    let reply = match value {
        Some(value) => {
            let words = ["set", YAML[0], YAML[1], "--value-stdin", &at, &index];
            run(name, &words, Zeroizing::new(value.to_string().into_bytes()))?
        }
        None => run(name, &["unset", YAML[0], YAML[1], &at, &index], Zeroizing::default())?,
    };
    if reply.success {
        return Ok(());
    }
    Err(Failure::new(Exit::Outside, Code::Sops, format!("sops cannot edit {}", name.display()))
        .why(one_line(&mask::without(&reply.stderr, &values::words(&files::read(copy)?), &[])))
        .next(format!("sops 3.10 or later is needed; by hand: {}", by_hand(name, path, value)))
        .unchanged("nothing was written"))
}

/// The same as a command that people type; no value that is set is a secret.
#[must_use]
pub fn by_hand(name: &Path, path: &[Value], value: Option<&Value>) -> String {
    let (file, index) = (name.display(), index(path));
    value.map_or_else(|| format!("sops unset {file} '{index}'"), |value| format!("sops set {file} '{index}' '{value}'"))
}

/// A path as sops writes it: `["orchestrator"]["members"][0]`.
fn index(path: &[Value]) -> String {
    path.iter().map(|key| format!("[{key}]")).collect()
}

fn run(name: &Path, words: &[&str], stdin: Zeroizing<Vec<u8>>) -> Result<ChildOutput> {
    let sops = Path::new("sops");
    let program = program::find(sops).ok_or_else(|| {
        let what = format!("sops was not found, and {} is encrypted by it", name.display());
        program::missing(sops, what, "its values can be read and edited by sops alone, and it is not on PATH")
            .next("install sops 3.10 or later and have its key at hand, then run the same command again")
    })?;
    let args = words.iter().map(OsString::from).collect();
    // All of the environment: keys and the ways to them are named there.
    let env = env::vars_os().collect();
    // What it edits is a throw-away copy: nothing is lost with it.
    ChildCommand { program, args, env, stdin: Some(stdin), limit: LIMIT, kind: ChildKind::Read, max_output: MAX_OUTPUT }
        .run()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_command_by_hand_is_one_that_a_shell_takes() {
        let path = [json!("orchestrator"), json!("a.b"), json!(0)];
        let file = Path::new("v.yaml");
        assert_eq!(by_hand(file, &path, Some(&json!(true))), r#"sops set v.yaml '["orchestrator"]["a.b"][0]' 'true'"#);
        assert_eq!(by_hand(file, &path, None), r#"sops unset v.yaml '["orchestrator"]["a.b"][0]'"#);
    }
}
