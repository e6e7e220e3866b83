//! `exec`: becomes another program, with the credentials in its environment and nowhere else.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::bearer::exchange;
use crate::choice::{Asks, print_concerns, resolve_for_command};
use crate::cli;
use crate::error::{Done, Failure, reason};
use crate::finding::{is_quiet, print_findings};
use crate::fs::{Content, SourceFile};
use crate::handover::Handover;
use crate::layout::{print_line, say};
use crate::overrides::place;
use crate::resolve::Identity;
use crate::sealed::Sealed;
use crate::temporary::{self, Temporary};
use crate::text::visible;
use crate::toolkit_env::ToolkitEnv;
use crate::world::World;

/// Resolves afresh and replaces this process by the command.
pub fn run(args: &cli::Exec, world: &World, out: &mut dyn Write) -> Done {
    let asks = Asks { question: "Profile for this command", guess: !args.yes && !args.dry_run };
    let temporary = match (args.temporary, args.dry_run) {
        (false, _) => Temporary::Refuse,
        (true, false) => Temporary::Ask,
        (true, true) => Temporary::Pretend,
    };
    let (inputs, mut resolution) = resolve_for_command(&args.choice, Some(asks), temporary, world)?;
    let summary = resolution.summary(&inputs);
    if args.bearer {
        exchange(&mut resolution, args.life, world.now);
    }
    let sealed = args.sealed.then(|| Sealed::of(&resolution, args.temporary, world));
    let sealed = sealed.transpose()?;
    let handover = Handover::of(&resolution, &inputs, world, !args.no_profile, sealed.as_ref())?;
    warn_of_toolkit_env(&handover, world);
    if args.dry_run {
        print_line(&format!("as      {summary}"), &world.env, out)?;
        if let Some((profile, _)) = &inputs.temporary {
            writeln!(out, "ask     {} for the keys", temporary::shown(profile))?;
        }
        if let Some(key) = resolution.answer.identity().and_then(Identity::api_key) {
            writeln!(out, "key     {key}")?;
        }
        handover.show(out)?;
        return Ok(0);
    }
    let Some((program, arguments)) = args.command.split_first() else {
        return Err(Failure::Usage("there is no command to run; write it after `--`".to_owned()));
    };
    print_concerns(&resolution, world);
    print_findings(resolution.unknown_region(), &world.env, &mut io::stderr());
    if world.env.non_empty("ANTHROPIC_AWS_API_KEY").is_some() && !is_quiet(&world.env) {
        say(
            "ANTHROPIC_AWS_API_KEY stays, and Anthropic's AWS client prefers it to these credentials; unset it if that is not meant",
            &world.env,
        );
    }
    sealed.as_ref().map_or(Ok(()), |sealed| sealed.write(world.home.as_deref()))?;
    Err(become_command(program, arguments, &handover))
}

/// Replaces this process by the command, and is back only when that fails.
fn become_command(program: &OsStr, arguments: &[OsString], handover: &Handover) -> Failure {
    let mut command = Command::new(program);
    command.args(arguments);
    for name in &handover.removed {
        command.env_remove(name);
    }
    for (name, value) in &handover.set {
        command.env(name, value.text());
    }
    // Same process, so that signals, the exit status and the process id are the command's own.
    let error = command.exec();
    let program = visible(program);
    match error.kind() {
        io::ErrorKind::NotFound => Failure::NotFound(if program.contains('/') {
            format!("{program}: no such file, or its interpreter is missing; check the path")
        } else {
            format!("{program}: command not found; is it on PATH?")
        }),
        io::ErrorKind::ArgumentListTooLong => Failure::NotExecutable(format!(
            "{program} cannot be run: argument list too long; pass fewer arguments, or unset large variables"
        )),
        _ => Failure::NotExecutable(format!("{program} cannot be run: {}", reason(&error))),
    }
}

/// Says when the toolkit's file would undo the handover. Its start scripts source it, after us.
fn warn_of_toolkit_env(handover: &Handover, world: &World) {
    let Some(SourceFile { path, content: Content::Read { bytes, .. }, .. }) = &world.toolkit_env
    else {
        return;
    };
    let found = handover.contradicted_by(&ToolkitEnv::parse(bytes));
    let (Some((_, first)), false) = (found.first(), is_quiet(&world.env)) else {
        return;
    };
    let names: Vec<&str> = found.iter().map(|(name, _)| *name).collect();
    let (names, at) = (names.join(", "), place(path, Some(*first)));
    let text =
        format!("scripts that source {at} get another {names} than this command; remove it there");
    say(&text, &world.env);
}
