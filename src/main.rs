//! Parses the command line, runs one command, prints at most one error line, and turns the outcome into an exit code.

use std::ffi::OsString;
use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::process::ExitCode;

use backlog_aws::claude;
use backlog_aws::cli::{Cli, Command, Status};
use backlog_aws::commands::{self, hook};
use backlog_aws::error::{Done, Failure};
use backlog_aws::layout::say;
use backlog_aws::text::visible;
use backlog_aws::world::World;
use clap::{ColorChoice, CommandFactory, Parser};

fn main() -> ExitCode {
    // A core file would hold secrets. What `exec` runs has its own say again.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    let arguments: Vec<OsString> = std::env::args_os().collect();
    match run(&arguments) {
        Ok(code) => ExitCode::from(code),
        // A reader that has seen enough, like `head`, is no error.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(failure) => {
            let message = failure.to_string();
            if !message.is_empty() {
                say(&message, &std::env::vars_os().collect());
            }
            ExitCode::from(failure.code())
        }
    }
}

fn run(arguments: &[OsString]) -> Done {
    // People wait for this one at their prompt, so it does not pay for building the command tree.
    if arguments.get(1).is_some_and(|command| command == "hook") {
        return run_hook(&arguments[2..]);
    }
    let asks_for_help = |argument: &&OsString| **argument == "-h" || **argument == "--help";
    let of_help = arguments.get(1).is_some_and(|command| command == "help");
    let words = arguments.iter().filter(|word| !(of_help && asks_for_help(word)));
    match Cli::try_parse_from(words) {
        Ok(cli) => run_command(&cli),
        Err(error) if error.use_stderr() => Err(usage_error(&error, arguments)),
        // A shell's `use` evaluates standard output.
        Err(help) if arguments.iter().any(|word| word == "--session") => {
            anstream::eprint!("{}", help.render().ansi());
            Ok(0)
        }
        Err(help) => {
            help.print()?;
            Ok(0)
        }
    }
}

/// clap's explanation as one line, with its tips, in the manner of all our errors.
fn usage_error(error: &clap::Error, arguments: &[OsString]) -> Failure {
    let text = error.to_string();
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
        .filter(|line| !line.is_empty())
        .collect();
    let what = lines.join(" ").replacen("error: ", "", 1).replace(" tip: ", "; ");
    let what = what
        .replace("subcommand", "command")
        .replace("a similar command exists: ", "did you mean ");
    let what = what.replace("a similar argument exists: ", "did you mean ");
    let command = arguments.get(1).and_then(|word| word.to_str());
    let known = command.filter(|word| Cli::command().find_subcommand(word).is_some());
    let of = known.map_or_else(String::new, |command| format!(" {command}"));
    Failure::Usage(format!("{}; see `backlog-aws{of} --help`", visible(what)))
}

fn run_hook(words: &[OsString]) -> Done {
    if let [claude, event] = words
        && claude == "claude"
    {
        return claude::print_watch_paths(event, &World::capture(), &mut io::stdout().lock());
    }
    // The process ends here, and its memory with it: wiping and freeing each piece of it first would only take time.
    let world = ManuallyDrop::new(World::capture());
    hook::run(words, &world, &mut io::stdout().lock())
}

fn run_command(cli: &Cli) -> Done {
    match cli.color {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
    let world = World::capture();
    // Code goes out as it is; from text, colors are taken out where they are not wanted.
    let (code, out) = (&mut io::stdout().lock(), &mut anstream::stdout().lock());
    let done = match &cli.command {
        None => commands::status::run(&Status::default(), &world, out),
        Some(Command::Setup(args)) => commands::setup::run(args, &world, out),
        Some(Command::Status(args)) => commands::status::run(args, &world, out),
        Some(Command::Init(args)) => commands::init::run(args, &world, code),
        Some(Command::List(args)) => commands::list::run(args, &world, out),
        Some(Command::Use(args)) => commands::use_profile::run(args, &world, code),
        Some(Command::Local(args)) => commands::local::run(args, &world, out),
        Some(Command::Allow(args)) => commands::allow::allow(args, &world, out),
        Some(Command::Deny(args)) => commands::allow::deny(args, &world, out),
        Some(Command::Exec(args)) => commands::exec::run(args, &world, out),
        Some(Command::Env(args)) => commands::env::run(args, &world, code),
        Some(Command::Check(args)) => commands::check::run(args, &world, out),
        Some(Command::Credentials(args)) => commands::credentials::run(args, &world, out),
        Some(Command::Doctor(args)) => commands::doctor::run(args, &world, out),
        Some(Command::Completions(args)) => commands::completions::run(args, &world, code),
        Some(Command::Man) => commands::man::run(code),
        Some(Command::Complete(args)) => commands::complete::run(args, code),
        Some(Command::Demo(args)) => commands::demo::run(args, &world, out),
    }?;
    io::stdout().flush()?;
    Ok(done)
}
