//! `local`: writes, shows or removes this directory's override, and keeps the trust store in step.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::choice;
use crate::cli;
use crate::doctor::hook_missing;
use crate::error::{Done, Failure, reason};
use crate::finding::{abridged, print_findings};
use crate::fs::{Access, Content, SourceFile, check_is_ours, stage};
use crate::layout::print_line;
use crate::overrides::trust::{OverrideFile, Store, Verdict, judge};
use crate::overrides::{self, Edit, FILE_NAME, Invalid, Override, place};
use crate::resolve::Directory;
use crate::source::Source;
use crate::text::{command_on, visible};
use crate::user_config::{self, section_of};
use crate::world::World;

/// How far an override and a rule reach.
const BELOW: &str = "in this directory and below";

/// Writes the override of the working directory, or shows or removes it.
pub fn run(args: &cli::Local, world: &World, out: &mut dyn Write) -> Done {
    if args.unset {
        return if args.private { unset_rule(world, out) } else { unset(world, out) };
    }
    let says_nothing = args.profile.is_none() && args.region.is_none() && args.account.is_none();
    if says_nothing && args.private && !choice::possible() {
        return Err(Failure::Usage("name a profile for the private rule".to_owned()));
    }
    if says_nothing && args.private {
        let profile = choice::usable_profile("Profile for this directory", world)?;
        return write_rule(&[("profile", Edit::Set(&profile))], world, out);
    }
    if says_nothing {
        return show(world, out);
    }
    if let Some(profile) = args.profile.as_ref().filter(|_| !args.force)
        && let Some(refusal) = choice::refusal_of(profile, "backlog-aws local ", world)
    {
        return Err(Failure::Problem(format!("{refusal}; use --force to write it anyway")));
    }
    let edits = [
        ("profile", args.profile.as_deref().into()),
        ("region", args.region.as_deref().into()),
        ("account", args.account.as_deref().into()),
    ];
    if args.private { write_rule(&edits, world, out) } else { write(&edits, world, out) }
}

/// A rule for the working directory in the user's own configuration.
fn write_rule(edits: &[(&str, Edit<'_>)], world: &World, out: &mut dyn Write) -> Done {
    let directory = world.cwd.as_ref().ok_or_else(gone)?;
    let section = section_of(directory, world.home.as_deref())?;
    let done = user_config::change(Some(&section), edits, world, out)?;
    choice::confirm(Source::Rule, BELOW, out)?;
    Ok(done)
}

fn unset_rule(world: &World, out: &mut dyn Write) -> Done {
    write_rule(&["profile", "region", "account"].map(|key| (key, Edit::Remove)), world, out)
}

fn judge_here(world: &World) -> Vec<OverrideFile<'_>> {
    judge(&world.overrides, world.data_dir.as_deref().map(Store::below).as_ref())
}

fn gone() -> Failure {
    Failure::Problem("the working directory is gone; go to one that exists".to_owned())
}

fn write(edits: &[(&str, Edit<'_>)], world: &World, out: &mut dyn Write) -> Done {
    let path = here(world)?;
    let store = Store::for_writing(world)?;
    let file = world.overrides.first().filter(|file| file.path == path);
    let counts = file.is_some_and(|file| {
        judge(std::slice::from_ref(file), Some(&store))[0].verdict == Verdict::Allowed
    });
    let (text, said) = rewritten(&path, file, counts, edits)?;
    let not_written = |error: io::Error| {
        unchanged(&format!("{} cannot be written: {}", visible(&path), reason(&error)))
    };
    let staged = stage(&path, text.as_bytes(), Access::KeptOr(0o666)).map_err(not_written)?;
    // Before the file: a prompt in between sees a file that is not allowed yet, and never one that is allowed without
    // having been written by the user.
    store.allow(&path, text.as_bytes())?;
    if let Err(error) = staged.persist(&path) {
        match file.and_then(SourceFile::bytes).filter(|_| counts) {
            Some(old) => store.allow(&path, old)?,
            None => store.forget(&path)?,
        }
        return Err(not_written(error.error));
    }
    print_line(&format!("wrote and allowed {}", visible(&path)), &world.env, out)?;
    print_entries(&path, &said, world, out)?;
    choice::confirm(Source::Directory, BELOW, out)?;
    print_findings(hook_missing(world), &world.env, &mut io::stderr().lock());
    Ok(0)
}

/// What the file will be, and say. It `counts` if what it says now does.
fn rewritten(
    path: &Path,
    file: Option<&SourceFile>,
    counts: bool,
    edits: &[(&str, Edit<'_>)],
) -> Result<(String, Override), Failure> {
    let shown = visible(path);
    // In a foreign repository it could lead to any file of the user's.
    if let Ok(target) = fs::read_link(path) {
        return Err(unchanged(&format!(
            "{shown} is a link to {}; edit that and run `backlog-aws allow`, or remove the link with `backlog-aws local --unset`",
            visible(&target)
        )));
    }
    if let Some(Content::Unreadable(why)) = file.map(|file| &file.content) {
        return Err(unchanged(&format!("{shown} {why}")));
    }
    let invalid = |invalid: Invalid| {
        let place = invalid.place(path);
        unchanged(&format!(
            "{place} {invalid}; fix it or remove it with `backlog-aws local --unset`"
        ))
    };
    let text =
        overrides::rewrite(file.and_then(SourceFile::bytes), None, edits).map_err(invalid)?;
    let said = overrides::parse(text.as_bytes()).map_err(invalid)?;
    // What is kept would be allowed along with what is new.
    let set = edits.iter().filter(|(_, edit)| matches!(edit, Edit::Set(_))).count();
    if file.is_some() && !counts && said.entries().count() > set {
        return Err(unchanged(&format!(
            "{shown} is not allowed, so what it says cannot be kept; look at it, then run {}, or remove it with `backlog-aws local --unset`",
            command_on("backlog-aws allow", path.parent().unwrap_or(path))
        )));
    }
    Ok((text, said))
}

fn unchanged(why: &str) -> Failure {
    Failure::Problem(format!("{why}; nothing was changed"))
}

fn show(world: &World, out: &mut dyn Write) -> Done {
    let directory = Directory::of(&judge_here(world));
    let Some((at, decided)) = directory.decided else {
        return Err(Failure::Problem(match (directory.findings.first(), directory.passed_over) {
            (Some(notice), _) => notice.to_string(),
            (None, Some((path, _))) => format!(
                "{} is ignored, because you denied it; `backlog-aws allow` undoes that",
                visible(&path)
            ),
            (None, None) => format!(
                "there is no {FILE_NAME} here or above; make one with `backlog-aws local PROFILE`"
            ),
        }));
    };
    // What is nearer and does not count.
    print_findings(abridged(directory.findings), &world.env, &mut io::stderr().lock());
    let decided = decided.map_err(|refusal| Failure::Problem(refusal.to_string()))?;
    print_entries(&at.path, &decided, world, out)?;
    Ok(0)
}

fn print_entries(
    path: &Path,
    said: &Override,
    world: &World,
    out: &mut dyn Write,
) -> io::Result<()> {
    for (key, entry) in said.entries() {
        let at = place(path, Some(entry.line));
        print_line(&format!("{key} = {}  ({at})", visible(&entry.value)), &world.env, out)?;
    }
    Ok(())
}

fn unset(world: &World, out: &mut dyn Write) -> Done {
    let path = here(world)?;
    // First, so that what comes back later as it was does not count.
    Store::for_writing(world)?.forget(&path)?;
    fs::remove_file(&path).map_err(|error| {
        Failure::Problem(match error.kind() {
            io::ErrorKind::NotFound => {
                format!("there is no {FILE_NAME} in this directory; nothing was removed")
            }
            _ => format!("{} cannot be removed: {}", visible(&path), reason(&error)),
        })
    })?;
    print_line(&format!("removed {}", visible(&path)), &world.env, out)?;
    choice::confirm(Source::Directory, BELOW, out)?;
    Ok(0)
}

/// The override of the working directory, which need not exist.
fn here(world: &World) -> Result<PathBuf, Failure> {
    let cwd = world.cwd.as_ref().ok_or_else(gone)?;
    check_is_ours(cwd, world.home.as_deref())?;
    Ok(cwd.join(FILE_NAME))
}
