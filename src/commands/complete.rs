//! `complete`: what the scripts in `completions/` ask at each Tab.
//!
//! clap's completion engine knows the commands, flags and their values, and profiles and regions are read here. Files and
//! other programs' arguments the shell completes itself, with its own quoting, `~` and options.
//!
//! The first line of the answer says what follows: `words`, one a line, in zsh and fish with a tab and a description; or,
//! alone, `files`, `directories`, or `command N`, when the Nth word is another command and its completion is wanted.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io::Write;

use clap::{Arg, Command, CommandFactory, ValueHint};
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter, CompletionCandidate, complete};

use crate::aws::{Profile, region};
use crate::cli::{self, Cli};
use crate::error::Done;
use crate::overrides::is_region_name;
use crate::resolve::Inputs;
use crate::session::UserIntent;
use crate::shell::Shell;
use crate::text::visible;
use crate::world::World;

/// Begins the candidate that stands for what the shell completes itself. No argument of ours has a control character in it.
const SHELLS_OWN: char = '\u{1}';

/// Answers for one Tab.
pub fn run(args: &cli::Complete, out: &mut dyn Write) -> Done {
    let typed = args.words.get(args.index).map(|word| word.to_string_lossy()).unwrap_or_default();
    let mut command = with_completers(Cli::command());
    // It fails when there is no such word, or when what is before it cannot be parsed: nothing to offer then.
    let candidates =
        complete(&mut command, args.words.clone(), args.index, None).unwrap_or_default();
    let mut words = Vec::new();
    for candidate in &candidates {
        let text = candidate.get_value().to_string_lossy();
        match text.split_once(SHELLS_OWN) {
            None => words.push((text, candidate.get_help())),
            Some((_, "command")) => {
                let before = &args.words[..args.index];
                if let Some(dashes) = before.iter().position(|word| word == "--") {
                    writeln!(out, "command {}", dashes + 1)?;
                    return Ok(0);
                }
            }
            // While a flag is typed it is not yet a file, unless as the value of one.
            Some(("", _)) if typed.starts_with('-') => {}
            Some((_, kind)) => {
                writeln!(out, "{kind}")?;
                return Ok(0);
            }
        }
    }
    // Flags are offered to who asks for them, or when there is nothing else.
    if typed.is_empty() && words.iter().any(|(text, _)| !text.starts_with('-')) {
        words.retain(|(text, _)| !text.starts_with('-'));
    }
    let mut answer = String::from("words\n");
    for (text, about) in words {
        answer += &text;
        let about = about.map(ToString::to_string).unwrap_or_default();
        if let Some(about) = about.lines().next().filter(|_| args.shell != Shell::Bash) {
            answer.extend(["\t", &visible(about)]);
        }
        answer.push('\n');
    }
    out.write_all(answer.as_bytes())?;
    Ok(0)
}

fn with_completers(command: Command) -> Command {
    command.mut_args(with_completer).mut_subcommands(with_completers)
}

fn with_completer(arg: Arg) -> Arg {
    let shells_own = |kind: &'static str| {
        let stand_in = move || CompletionCandidate::new(format!("{SHELLS_OWN}{kind}"));
        ArgValueCompleter::new(move |_: &OsStr| vec![stand_in()])
    };
    match (arg.get_id().as_str(), arg.get_value_hint()) {
        (_, ValueHint::AnyPath) => arg.add(shells_own("files")),
        (_, ValueHint::DirPath) => arg.add(shells_own("directories")),
        (_, ValueHint::CommandWithArguments) => arg.add(shells_own("command")),
        ("profile", _) => arg.add(ArgValueCandidates::new(usable_profiles)),
        ("region", _) => arg.add(ArgValueCandidates::new(regions)),
        _ => arg,
    }
}

fn candidate(name: &str, about: String) -> CompletionCandidate {
    CompletionCandidate::new(name).help(Some(about.into()))
}

/// In file order.
fn usable_profiles() -> Vec<CompletionCandidate> {
    let world = World::capture();
    let inputs = Inputs::of(&world, UserIntent::default());
    // A name that starts like a flag can only be given as `--profile=NAME`, which the engine would take apart.
    let profiles = inputs.usable_profiles().filter(|profile| !profile.name().starts_with('-'));
    let about = |profile: &Profile<'_>| {
        let region = profile.region().map(|region| format!(", {region}"));
        format!("{}{}", profile.kind(), region.unwrap_or_default())
    };
    profiles.map(|profile| candidate(profile.name(), about(profile))).collect()
}

/// Those that the profiles name, then all that are known.
fn regions() -> Vec<CompletionCandidate> {
    let world = World::capture();
    let inputs = Inputs::of(&world, UserIntent::default());
    let named = inputs.profiles.iter().filter_map(|profile| {
        let region = profile.region().filter(|region| is_region_name(region))?;
        Some((region, format!("as in profile {}", profile.name())))
    });
    let known = region::known().map(|(name, place)| (name, place.to_owned()));
    let mut seen = HashSet::new();
    let regions = named.chain(known).filter(|(name, _)| seen.insert(*name));
    regions.map(|(name, about)| candidate(name, about)).collect()
}
