//! The calls of `sops`, on files as the simulated one encrypts them.

use std::{fs, path::Path};

use serde_json::{Value, json};
use substra_mtls::{
    cluster::{Sops, SopsChange, simulated::SimulatedSops},
    failure::Failure,
};

use crate::{Answer, Call, input};

pub(crate) fn answer(call: &Call) -> Answer {
    let words: Vec<&str> = call.words.iter().map(String::as_str).collect();
    match words[..] {
        ["decrypt"] => decrypt(),
        ["set", file, index] => edit(call, file, index, Some(serde_json::from_str(&input()).unwrap())),
        ["unset", file, index] => edit(call, file, index, None),
        _ => panic!("sops {words:?} is not scripted"),
    }
}

fn decrypt() -> Answer {
    match SimulatedSops.decrypt(Path::new("values.yaml"), input().as_bytes()) {
        Ok(plain) => Answer { stdout: String::from_utf8(plain.to_vec()).unwrap(), ..Answer::default() },
        Err(failure) => refused(&failure),
    }
}

fn edit(call: &Call, file: &str, index: &str, value: Option<Value>) -> Answer {
    let mut changes = vec![SopsChange { path: serde_json::from_str(&index.replace("][", ",")).unwrap(), value }];
    if call.does_more {
        changes.push(SopsChange { path: vec![json!("nobodyAskedForThis")], value: Some(json!(true)) });
    }
    match SimulatedSops.edit(Path::new(file), &fs::read(file).unwrap(), &changes) {
        Ok(new) => {
            fs::write(file, new).unwrap();
            Answer::default()
        }
        Err(failure) => refused(&failure),
    }
}

fn refused(failure: &Failure) -> Answer {
    Answer::failed(format!("{}\n", failure.why))
}
