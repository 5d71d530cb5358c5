//! Parse, run, exit.

use std::process::ExitCode;

use clap::Parser;
use substra_mtls::{
    cli::Cli,
    commands,
    failure::{Exit, Failure},
    interrupt, report,
};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            return ExitCode::from(report::write_usage(&error, std::env::args_os().skip(1)).code());
        }
    };
    let format = cli.format();
    let done = listen().and_then(|()| commands::run(&cli));
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
        .map_err(|e| Failure::new(Exit::Failed, "signals", "signals cannot be listened to").why(e.to_string()))
}
