//! `setup`: what a new user needs once. It asks everything first and changes nothing before the last answer.

use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use crate::aws::Profile;
use crate::choice::{possible, says_yes, usable_profile};
use crate::cli;
use crate::doctor::SystemProbe;
use crate::error::{Done, Failure};
use crate::layout::{Layout, print_line};
use crate::overrides::Edit;
use crate::resolve::{Inputs, none_found};
use crate::session::UserIntent;
use crate::shell::Shell;
use crate::start_up::{StartUpFile, file_of, load_line, take_out_everywhere};
use crate::text::{pasted, shown, visible};
use crate::user_config;
use crate::world::World;

const START: &str = "  backlog-aws exec ./scripts/services/start-services.sh";

/// Says what it found, asks, and acts. Without a terminal it says what it would do.
pub fn run(args: &cli::Setup, world: &World, out: &mut dyn Write) -> Done {
    let home = world.home.as_deref();
    if args.remove {
        return remove(world, out);
    }
    let probe = SystemProbe::take(world);
    let (shell, how) = found_shell(args.shell, &probe, world)?;
    let path = file_of(shell, world)?;
    let file = shown(&path, home);
    let load = load_line(shell, &program(&probe, world)?);
    writeln!(out, "shell    {} ({how})", shell.word())?;
    let loaded = probe.start_up_lines.iter().find(|(of, _)| *of == shell).map(|(_, at)| at);
    if let Some(at) = loaded {
        let (file, line) = (shown(&at.path, home), at.line.unwrap_or(1));
        writeln!(out, "line     already in {file}, line {line}")?;
    } else {
        writeln!(out, "file     {file}\nline     {load}")?;
        let by_hand = |why| Failure::Problem(format!("{why}; add the line by hand"));
        StartUpFile::open(&path, world).map_err(by_hand)?;
    }
    let adds = loaded.is_none();
    let offers_profile = offers_profile(world, out)?;
    writeln!(out)?;
    out.flush()?;
    if (adds || offers_profile) && !possible() {
        return announce(adds, offers_profile, world, out);
    }
    let answers = match ask(adds.then_some(&*file), offers_profile, world) {
        Err(Failure::Canceled) => {
            writeln!(out, "Nothing was changed.")?;
            return Err(Failure::Canceled);
        }
        answers => answers?,
    };
    if answers.adds {
        let copy = StartUpFile::open(&path, world)?.add(&load)?;
        let copy = copy.map(|copy| format!("; the old file is kept as {}", shown(&copy, home)));
        writeln!(out, "added the line to {file}{}", copy.unwrap_or_default())?;
    }
    if let Some(profile) = &answers.profile {
        let edits = [("profile", Edit::Set(profile)), ("region", Edit::Remove)];
        user_config::set_everywhere(&edits, world, out)?;
    }
    if answers.checks {
        out.flush()?;
        // How it went, it says itself.
        Command::new(&world.program).arg("check").status()?;
    }
    if answers.adds || !adds {
        writeln!(out, "Open a new {}. Then, in the toolkit's directory:\n{START}", shell.word())?;
    }
    Ok(0)
}

/// What the answers on a terminal would lead to.
fn announce(adds: bool, offers_profile: bool, world: &World, out: &mut dyn Write) -> Done {
    let text = "Nothing was changed: there is no terminal to ask on. On one, after a yes, it";
    print_line(text, &world.env, out)?;
    if adds {
        writeln!(out, "  adds the line to the file and keeps a copy of it")?;
    }
    if offers_profile {
        writeln!(out, "  sets a profile for everywhere")?;
        writeln!(out, "  asks AWS whether it works, with `backlog-aws check`")?;
    }
    Ok(0)
}

/// The shell that is asked for, else the one this was typed in, else the one of the user's account. And how it was found.
fn found_shell(
    asked: Option<Shell>,
    probe: &SystemProbe,
    world: &World,
) -> Result<(Shell, String), Failure> {
    let variable = world.env.non_empty("SHELL");
    let of_account = variable.and_then(|path| Shell::from_path(Path::new(path)));
    match (asked, probe.parent_shell.filter(|_| probe.interactive), of_account) {
        (Some(shell), ..) => Ok((shell, "as asked".to_owned())),
        (None, Some(shell), Some(other)) if shell != other => {
            let other = other.word();
            Ok((shell, format!("the one you are in; for your login shell use --shell {other}")))
        }
        (None, Some(shell), _) => Ok((shell, "the one you are in".to_owned())),
        (None, None, Some(shell)) => Ok((shell, "from SHELL".to_owned())),
        (None, None, None) => {
            let value = variable.map_or("not set".to_owned(), visible);
            Err(Failure::Usage(format!(
                "cannot tell your shell (SHELL is {value}); name it with --shell bash, zsh, fish or nu"
            )))
        }
    }
}

/// How a start-up file calls this program: by name if `PATH` finds it.
fn program(probe: &SystemProbe, world: &World) -> Result<String, Failure> {
    if probe.on_path_is_running {
        return Ok("backlog-aws".to_owned());
    }
    pasted(&world.program).ok_or_else(|| {
        let program = visible(&world.program);
        Failure::Problem(format!(
            "{program} cannot be written into a start-up file; put it on PATH"
        ))
    })
}

/// Says which profile holds everywhere. Whether one can be chosen now.
fn offers_profile(world: &World, out: &mut dyn Write) -> Result<bool, Failure> {
    let inputs = Inputs::of(world, UserIntent::default());
    let chosen = inputs.user_config.everywhere().and_then(|found| found.profile.as_ref());
    let names: Vec<&str> = inputs.usable_profiles().map(Profile::name).collect();
    let (text, offers) = match (chosen, names.as_slice()) {
        (Some(profile), _) => (format!("{} everywhere", profile.value), false),
        (None, []) => (none_found(&inputs).to_string(), false),
        (None, names) => {
            (format!("none chosen for everywhere; usable: {}", names.join(", ")), true)
        }
    };
    let text = Layout::of(&world.env, io::stdout()).lines(&text, 9, 9);
    writeln!(out, "profile  {text}")?;
    Ok(offers)
}

struct Answers {
    adds: bool,
    profile: Option<String>,
    checks: bool,
}

/// Whether to add the line to `file`, which profile is for everywhere, and whether to check that.
fn ask(file: Option<&str>, offers_profile: bool, world: &World) -> Result<Answers, Failure> {
    let adds = match file {
        Some(file) => says_yes(&format!("Add this line to the end of {file}?"))?,
        None => false,
    };
    let chooses = offers_profile
        && says_yes(
            "Choose one profile for everywhere? A directory or shell can still have its own",
        )?;
    let profile = chooses.then(|| usable_profile("Profile for everywhere", world)).transpose()?;
    let checks = chooses && says_yes("Ask AWS whether it works (`backlog-aws check`)?")?;
    Ok(Answers { adds, profile, checks })
}

fn remove(world: &World, out: &mut dyn Write) -> Done {
    let home = world.home.as_deref();
    let changed = take_out_everywhere(world)?;
    for path in &changed {
        writeln!(out, "took the line out of {}", shown(path, home))?;
    }
    if changed.is_empty() {
        writeln!(out, "no start-up file has a line that `setup` added")?;
    }
    Ok(0)
}
