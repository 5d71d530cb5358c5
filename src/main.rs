//! Parse, run, exit.

use std::process::ExitCode;

use clap::CommandFactory;
use substra_mtls::{
    cli::Cli,
    commands,
    completion::{self, CompletionData},
    dispatch,
    failure::{Code, Exit, Failure},
    interrupt, report,
};

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    let checks = || commands::check::ids().collect();
    if completion::answered(&words, CompletionData { command: Cli::command, checks }) {
        return ExitCode::SUCCESS;
    }
    report::choose_colours(&words);
    let cli = match Cli::read(&words) {
        Ok(cli) => cli,
        Err(error) => {
            return ExitCode::from(report::write_usage(&error, std::env::args_os().skip(1)).code());
        }
    };
    let format = cli.format();
    let done = listen().and_then(|()| dispatch::run(&cli));
    match done {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(failure) => {
            report::write_failure(&failure, format);
            ExitCode::from(failure.exit.code())
        }
    }
}

fn listen() -> Result<(), Failure> {
    interrupt::listen()
        .map_err(|e| Failure::new(Exit::Failed, Code::Signals, "signals cannot be listened to").why(e.to_string()))
}
