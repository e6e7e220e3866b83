//! Parses the command line, runs one command, prints at most one error line, and turns the outcome into an exit code.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::process::ExitCode;

use backlog_aws::cli::{Cli, Color, Command};
use backlog_aws::commands::{self, Done, Failure, hook};
use backlog_aws::world::World;
use clap::Parser;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    // People wait for this one at their prompt, so it does not pay for building the command tree.
    let outcome = if arguments
        .get(1)
        .is_some_and(|word| word == OsStr::new("hook"))
    {
        run_hook(&arguments[2..])
    } else {
        run(&Cli::parse_from(arguments))
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        // A reader that has seen enough, like `head`, is no error.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(failure) => {
            let message = failure.to_string();
            if !message.is_empty() {
                // Standard error may be closed; the exit code still tells.
                let _ = writeln!(io::stderr(), "backlog-aws: {message}");
            }
            ExitCode::from(failure.code())
        }
    }
}

fn run_hook(words: &[OsString]) -> Done {
    if words.first().is_some_and(|word| word == "claude") {
        return commands::claude::run(&World::capture(), &mut io::stdout().lock());
    }
    let call = hook::Call::parse(words)?;
    hook::run(&call, &World::capture(), &mut io::stdout().lock())
}

fn run(cli: &Cli) -> Done {
    match cli.color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    }
    .write_global();
    let world = World::capture();
    let mut out = anstream::stdout().lock();
    let done = match &cli.command {
        None => commands::status::run(&backlog_aws::cli::Status::default(), &world, &mut out),
        Some(Command::Status(args)) => commands::status::run(args, &world, &mut out),
        Some(Command::Init(args)) => commands::init::run(args, &world, &mut io::stdout().lock()),
        Some(Command::List(args)) => commands::list::run(args, &world, &mut out),
        Some(Command::Use(args)) => commands::pin::run(args, &world, &mut io::stdout().lock()),
        Some(Command::Local(args)) => commands::local::run(args, &world, &mut out),
        Some(Command::Allow(args)) => commands::allow::allow(args, &world, &mut out),
        Some(Command::Deny(args)) => commands::allow::deny(args, &world, &mut out),
        Some(Command::Exec(args)) => commands::exec::run(args, &world, &mut out),
        Some(Command::Credentials(args)) => commands::credentials::run(args, &world, &mut out),
        Some(Command::Completions(args)) => {
            commands::completions::run(args, &mut io::stdout().lock())
        }
        Some(Command::Man) => commands::man::run(&mut io::stdout().lock()),
        Some(Command::Complete(args)) => {
            commands::complete::run(args, &world, &mut io::stdout().lock())
        }
        Some(Command::Demo(args)) => commands::demo::run(args, &world, &mut out),
    }?;
    out.flush()?;
    Ok(done)
}
