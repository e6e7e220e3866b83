//! `complete`: what the scripts in `completions/` ask at each Tab.
//!
//! clap's completion engine knows the commands, flags and their values. What only this program or only the shell knows it
//! is told to mark: profiles and regions are read here, files and other programs' arguments the shell completes itself,
//! with its own quoting, `~` and options.
//!
//! The first line of the answer says what follows: `words`, one a line, in zsh and fish with a tab and a description; or,
//! alone, `files`, `directories`, or `command N`, when the Nth word is another command and its completion is wanted.

use std::ffi::{OsStr, OsString};
use std::io::Write;

use clap::{Arg, Command, CommandFactory, ValueHint};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, complete};

use crate::cli::{self, Cli};
use crate::error::Done;
use crate::resolve::Inputs;
use crate::resolve::usable;
use crate::session::UserIntent;
use crate::shell::Shell;
use crate::text::visible;
use crate::world::World;

/// What clap cannot complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Offer {
    UsableProfiles,
    Regions,
    Files,
    Directories,
    OtherCommand,
}

impl Offer {
    const ALL: [Self; 5] =
        [Self::UsableProfiles, Self::Regions, Self::Files, Self::Directories, Self::OtherCommand];

    /// Of an argument, by its name and value hint.
    fn of(arg: &Arg) -> Option<Self> {
        match (arg.get_id().as_str(), arg.get_value_hint()) {
            (_, ValueHint::AnyPath) => Some(Self::Files),
            (_, ValueHint::DirPath) => Some(Self::Directories),
            (_, ValueHint::CommandWithArguments) => Some(Self::OtherCommand),
            ("profile", _) => Some(Self::UsableProfiles),
            ("region", _) => Some(Self::Regions),
            _ => None,
        }
    }

    /// What stands for it in the engine's answer. No argument of ours has a control character in it.
    const fn mark(self) -> &'static str {
        match self {
            Self::UsableProfiles => "\u{1}profiles",
            Self::Regions => "\u{1}regions",
            Self::Files => "\u{1}files",
            Self::Directories => "\u{1}directories",
            Self::OtherCommand => "\u{1}command",
        }
    }

    /// From a candidate of the engine, with what precedes it in the word, like `--profile=`.
    fn in_candidate(candidate: &str) -> Option<(Self, &str)> {
        Self::ALL.into_iter().find_map(|offer| Some((offer, candidate.strip_suffix(offer.mark())?)))
    }
}

/// A candidate and what is said about it.
struct Word {
    text: String,
    about: String,
}

/// Answers for one Tab.
pub fn run(args: &cli::Complete, world: &World, out: &mut dyn Write) -> Done {
    let typed = args.words.get(args.index).map(|word| word.to_string_lossy()).unwrap_or_default();
    let mut words = Vec::new();
    for candidate in candidates(&args.words, args.index) {
        let text = candidate.get_value().to_string_lossy();
        match Offer::in_candidate(&text) {
            None => words.push(Word {
                text: text.into_owned(),
                about: candidate.get_help().map(ToString::to_string).unwrap_or_default(),
            }),
            // While a flag is typed it is not yet a file, unless as the value of one.
            Some((Offer::Files | Offer::Directories, "")) if typed.starts_with('-') => {}
            Some((Offer::Files, _)) => return say(out, "files"),
            Some((Offer::Directories, _)) => return say(out, "directories"),
            Some((Offer::OtherCommand, _)) => {
                let before = args.words.iter().take(args.index);
                if let Some(dashes) = before.into_iter().position(|word| word == "--") {
                    return say(out, &format!("command {}", dashes + 1));
                }
            }
            Some((Offer::UsableProfiles, lead)) => {
                words.extend(profiles(world).map(|word| word.after(lead)));
            }
            Some((Offer::Regions, lead)) => {
                words.extend(regions(world).into_iter().map(|word| word.after(lead)));
            }
        }
    }
    words.retain(|word| word.text.starts_with(&*typed));
    // Flags are offered to who asks for them, or when there is nothing else.
    if typed.is_empty() && words.iter().any(|word| !word.text.starts_with('-')) {
        words.retain(|word| !word.text.starts_with('-'));
    }
    say(out, "words")?;
    for Word { text, about } in words {
        if args.shell == Shell::Bash || about.is_empty() {
            writeln!(out, "{text}")?;
        } else {
            writeln!(out, "{text}\t{}", visible(about.lines().next().unwrap_or_default()))?;
        }
    }
    Ok(0)
}

fn say(out: &mut dyn Write, kind: &str) -> Done {
    writeln!(out, "{kind}")?;
    Ok(0)
}

fn candidates(words: &[OsString], index: usize) -> Vec<CompletionCandidate> {
    let mut command = with_marks(Cli::command());
    // It fails when there is no such word, or when what is before it cannot be parsed: nothing to offer then.
    complete(&mut command, words.to_vec(), index, None).unwrap_or_default()
}

fn with_marks(command: Command) -> Command {
    command
        .mut_args(|arg| match Offer::of(&arg) {
            Some(offer) => arg.add(ArgValueCompleter::new(move |_: &OsStr| {
                vec![CompletionCandidate::new(offer.mark())]
            })),
            None => arg,
        })
        .mut_subcommands(with_marks)
}

impl Word {
    fn after(self, lead: &str) -> Self {
        Self { text: format!("{lead}{}", self.text), ..self }
    }
}

/// Those that can be used, in file order.
fn profiles(world: &World) -> impl Iterator<Item = Word> {
    let inputs = Inputs::of(world, UserIntent::default());
    let words: Vec<Word> = inputs
        .profiles
        .iter()
        // A name that starts like a flag can only be given as `--profile=NAME`, which the engine would take apart.
        .filter(|profile| usable(profile, world.now).is_ok() && !profile.name().starts_with('-'))
        .map(|profile| Word {
            text: profile.name().to_owned(),
            about: match profile.region() {
                Some(region) => format!("{}, {region}", profile.kind().as_str()),
                None => profile.kind().as_str().to_owned(),
            },
        })
        .collect();
    words.into_iter()
}

/// Those that the profiles name. There is no complete list without asking AWS.
fn regions(world: &World) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    for profile in &Inputs::of(world, UserIntent::default()).profiles {
        let Some(region) = profile.region() else {
            continue;
        };
        if crate::overrides::is_region_name(region) && !words.iter().any(|word| word.text == region)
        {
            words.push(Word {
                text: region.to_owned(),
                about: format!("as in profile {}", profile.name()),
            });
        }
    }
    words
}
