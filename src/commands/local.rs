//! `local`: writes, shows or removes this directory's override, and keeps the trust store in step.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::choice;
use crate::cli;
use crate::doctor::hook_missing;
use crate::error::{Done, Failure, reason};
use crate::finding::{abridged, print_findings};
use crate::fs::{Access, Content, check_is_ours, stage};
use crate::layout::print_line;
use crate::overrides::trust::{OverrideFile, Store, Verdict, judge};
use crate::overrides::{self, Edit, FILE_NAME, Invalid, Override};
use crate::resolve::Directory;
use crate::source::Source;
use crate::text::{command_on, visible};
use crate::user_config::{self, BELOW, confirm, working_directory};
use crate::world::World;

/// Writes the override of the working directory, or shows or removes it. A private rule is the same in the user's own
/// configuration.
pub fn run(args: &cli::Local, world: &World, out: &mut dyn Write) -> Done {
    let says_nothing = args.profile.is_none() && args.region.is_none() && args.account.is_none();
    let profile = match &args.profile {
        None if says_nothing && args.private && !args.unset => {
            Some(choice::usable_profile("Profile for this directory", world)?)
        }
        named => named.clone(),
    };
    if let Some(profile) = profile.as_ref().filter(|_| !args.force)
        && let Some(refusal) = choice::refusal_of(profile, "backlog-aws local ", world)
    {
        return Err(Failure::Problem(format!("{refusal}; use --force to write it anyway")));
    }
    let edits = [("profile", &profile), ("region", &args.region), ("account", &args.account)]
        .map(|(key, value)| (key, if args.unset { Edit::Remove } else { value.as_deref().into() }));
    if args.private {
        return user_config::set_here(&edits, world, out);
    }
    match (args.unset, says_nothing) {
        (true, _) => unset(world, out),
        (false, true) => show(world, out),
        (false, false) => write(&edits, world, out),
    }
}

fn write(edits: &[(&str, Edit<'_>)], world: &World, out: &mut dyn Write) -> Done {
    let path = here(world)?;
    let store = Store::for_writing(world)?;
    let judged = judge(&world.overrides, Some(&store));
    let found = judged.first().filter(|found| found.file.path == path);
    let (text, said) = rewritten(&path, found, edits)?;
    let not_written = |error: io::Error| {
        unchanged(&format!("{} cannot be written: {}", visible(&path), reason(&error)))
    };
    let staged = stage(&path, text.as_bytes(), Access::KeptOr(0o666)).map_err(not_written)?;
    // Before the file: a prompt in between sees a file that is not allowed yet, and never one that is allowed without
    // having been written by the user.
    store.allow(&path, text.as_bytes())?;
    if let Err(error) = staged.persist(&path) {
        match found.filter(|found| counts(found)).and_then(|found| found.file.bytes()) {
            Some(old) => store.allow(&path, old)?,
            None => store.forget(&path)?,
        }
        return Err(not_written(error.error));
    }
    print_line(&format!("wrote and allowed {}", visible(&path)), &world.env, out)?;
    for line in said.lines(&path) {
        print_line(&line, &world.env, out)?;
    }
    confirm(Source::Directory, BELOW, out)?;
    print_findings(hook_missing(world), &world.env, &mut io::stderr().lock());
    Ok(0)
}

fn counts(found: &OverrideFile<'_>) -> bool {
    found.verdict == Verdict::Allowed
}

/// What the file will be, and say.
fn rewritten(
    path: &Path,
    found: Option<&OverrideFile<'_>>,
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
    if let Some(Content::Unreadable(why)) = found.map(|found| &found.file.content) {
        return Err(unchanged(&format!("{shown} {why}")));
    }
    let invalid = |invalid: Invalid| {
        let what = invalid.in_file(path);
        unchanged(&format!("{what}; fix it or remove it with `backlog-aws local --unset`"))
    };
    let old = found.and_then(|found| found.file.bytes());
    let text = overrides::rewrite(old, None, edits).map_err(invalid)?;
    let said = overrides::parse(text.as_bytes()).map_err(invalid)?;
    // What is kept would be allowed along with what is new.
    let set = edits.iter().filter(|(_, edit)| matches!(edit, Edit::Set(_))).count();
    if found.is_some_and(|found| !counts(found)) && said.entries().count() > set {
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
    let store = world.data_dir.as_deref().map(Store::below);
    let directory = Directory::of(&judge(&world.overrides, store.as_ref()));
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
    for line in decided.lines(&at.path) {
        print_line(&line, &world.env, out)?;
    }
    Ok(0)
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
    confirm(Source::Directory, BELOW, out)
}

/// The override of the working directory, which need not exist.
fn here(world: &World) -> Result<PathBuf, Failure> {
    let cwd = working_directory(world)?;
    check_is_ours(cwd, world.home.as_deref())?;
    Ok(cwd.join(FILE_NAME))
}
