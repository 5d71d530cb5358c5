//! (d) Start-up, and `rehearse`.

use std::process::Command;

use crate::{median, timed};

pub(crate) fn figures() {
    let run = |program: &str, args: &[&str]| {
        let mut command = Command::new(program);
        command.args(args);
        timed(|| assert!(command.output().unwrap().status.success()))
    };
    let binary = env!("CARGO_BIN_EXE_substra-mtls");
    let (ours, bare) = (median(|| run(binary, &["--version"])), median(|| run("/bin/true", &[])));
    println!("start-up: {ours:.1} ms, /bin/true: {bare:.1} ms");
    println!("rehearse: {:.0} ms", median(|| run(binary, &["rehearse"])));
    println!("size: {:.1} MB", f64::from(u32::try_from(std::fs::metadata(binary).unwrap().len()).unwrap()) / 1e6);
}
