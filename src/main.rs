//! Parses the command line, runs one command, prints at most one error line, and turns the outcome into an exit code.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::path::Path;
use std::process::ExitCode;

use backlog_aws::claude;
use backlog_aws::cli::{Cli, Color, Command};
use backlog_aws::commands::{self, hook};
use backlog_aws::error::{Done, Failure};
use backlog_aws::shell::{Shell, quote};
use backlog_aws::text::visible;
use backlog_aws::world::World;
use clap::Parser;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    // People wait for this one at their prompt, so it does not pay for building the command tree.
    let outcome = if arguments.get(1).is_some_and(|word| word == OsStr::new("hook")) {
        run_hook(&arguments[2..])
    } else {
        match Cli::try_parse_from(&arguments) {
            Ok(cli) => run(&cli),
            Err(answer) => match evaluating_shell(&arguments) {
                _ if answer.use_stderr() => Err(usage_error(&answer)),
                Some(shell) => print_through(shell, &answer.to_string()),
                None => answer.exit(),
            },
        }
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
                let _ = io::stderr().write_all(format!("backlog-aws: {message}\n").as_bytes());
            }
            ExitCode::from(failure.code())
        }
    }
}

/// clap's explanation as one line, with its tips, in the manner of all our errors.
fn usage_error(error: &clap::Error) -> Failure {
    let text = error.to_string();
    let mut paragraphs = text.split("\n\n").map(|paragraph| {
        let lines: Vec<&str> = paragraph.lines().map(str::trim).collect();
        lines.join(" ")
    });
    let what = paragraphs.next().unwrap_or_default();
    let what = what.strip_prefix("error: ").unwrap_or(&what);
    let tips =
        paragraphs.filter_map(|paragraph| Some(format!("; {}", paragraph.strip_prefix("tip: ")?)));
    let tips: String = tips.collect();
    Failure::Usage(format!("{}; see `backlog-aws --help`", visible(format!("{what}{tips}"))))
}

/// The shell whose integration evaluates what `use` prints.
fn evaluating_shell(arguments: &[OsString]) -> Option<Shell> {
    let mut words = arguments.iter().skip(1);
    words.next().filter(|word| *word == "use")?;
    words.find(|word| *word == "--shell")?;
    Shell::from_path(Path::new(words.next()?))
}

/// Prints a text, such as the help of `use`, as code that prints it.
fn print_through(shell: Shell, text: &str) -> Done {
    let builtin: &[u8] = match shell {
        Shell::Bash | Shell::Zsh => b"\\builtin printf %s ",
        Shell::Fish => b"builtin printf %s ",
    };
    let mut code = builtin.to_vec();
    quote(shell, text, &mut code);
    code.push(b'\n');
    io::stdout().write_all(&code)?;
    Ok(0)
}

fn run_hook(words: &[OsString]) -> Done {
    if words.first().is_some_and(|word| word == "claude") {
        return claude::print_exports(&World::capture(), &mut io::stdout().lock());
    }
    let call = hook::Call::parse(words)?;
    // The process ends here, and its memory with it: wiping and freeing each piece of it first would only take time.
    let world = ManuallyDrop::new(World::capture());
    hook::run(&call, &world, &mut io::stdout().lock())
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
        Some(Command::Use(args)) => {
            commands::use_profile::run(args, &world, &mut io::stdout().lock())
        }
        Some(Command::Local(args)) => commands::local::run(args, &world, &mut out),
        Some(Command::Allow(args)) => commands::allow::allow(args, &world, &mut out),
        Some(Command::Deny(args)) => commands::allow::deny(args, &world, &mut out),
        Some(Command::Exec(args)) => commands::exec::run(args, &world, &mut out),
        Some(Command::Credentials(args)) => commands::credentials::run(args, &world, &mut out),
        Some(Command::Doctor(args)) => commands::doctor::run(args, &world, &mut out),
        Some(Command::Completions(args)) => {
            commands::completions::run(args, &mut io::stdout().lock())
        }
        Some(Command::Man) => commands::man::run(&mut io::stdout().lock()),
        Some(Command::Complete(args)) => commands::complete::run(args, &mut io::stdout().lock()),
        Some(Command::Demo(args)) => commands::demo::run(args, &world, &mut out),
    }?;
    out.flush()?;
    Ok(done)
}
