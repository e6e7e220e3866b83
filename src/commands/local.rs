//! `local`: writes, shows or removes this directory's override, and keeps the trust store in step.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::allow;
use crate::choice;
use crate::cli;
use crate::error::{Done, Failure, reason};
use crate::finding::print_findings;
use crate::fs::{Content, check_is_ours, in_words, read_file};
use crate::overrides::trust::AllowWhile;
use crate::overrides::trust::Store;
use crate::overrides::{self, FILE_NAME, MAX_BYTES, judge, place};
use crate::resolve::Directory;
use crate::session::UserIntent;
use crate::text::visible;
use crate::world::World;

/// Writes the override of the working directory, or shows or removes it.
pub fn run(args: &cli::Local, world: &World, out: &mut dyn Write) -> Done {
    if args.unset {
        return unset(world, out);
    }
    if args.profile.is_none() && args.region.is_none() {
        return if world.overrides.is_empty() && choice::possible() {
            write(
                Some(&choice::usable_profile("Profile for this directory", world)?),
                None,
                world,
                out,
            )
        } else {
            show(world, out)
        };
    }
    if let Some(profile) = args.profile.as_ref().filter(|_| !args.force)
        && let Some(refusal) = choice::refusal_of(profile, "backlog-aws local ", world)
    {
        return Err(Failure::Problem(format!("{refusal}, or write it anyway with `--force`")));
    }
    write(args.profile.as_deref(), args.region.as_deref(), world, out)
}

fn write(profile: Option<&str>, region: Option<&str>, world: &World, out: &mut dyn Write) -> Done {
    let path = here(world)?;
    let store = allow::store(world)?;
    let file = read_file(path, MAX_BYTES as u64);
    let old = match &file.content {
        Content::Absent => None,
        Content::Read { bytes, .. } => Some(bytes.as_slice()),
        Content::Unreadable(why) => {
            return Err(Failure::Problem(format!(
                "{} {why}; nothing was changed",
                visible(&file.path)
            )));
        }
    };
    let target = target(&file.path, world)?;
    let text = overrides::rewrite(old, profile, region).map_err(|invalid| {
        let place = invalid.place(&file.path);
        Failure::Problem(format!("{place} {invalid}; mend it or remove it with `backlog-aws local --unset`; nothing was changed"))
    })?;
    let not_written = |error: io::Error| {
        Failure::Problem(format!(
            "{} cannot be written: {}; nothing was changed",
            visible(&file.path),
            reason(&error)
        ))
    };
    let replacement = Replacement::of(&target, text.as_bytes()).map_err(not_written)?;
    store.allow_while(&file.path, text.as_bytes(), || replacement.put()).map_err(|failure| {
        match failure {
            AllowWhile::Store(error) => allow::not_saved(&store, &error),
            AllowWhile::Put(error) => not_written(error),
        }
    })?;
    writeln!(out, "wrote and allowed {}", visible(&file.path))?;
    if let Some(pin) = &UserIntent::of_environment(&world.env).pin
        && profile.is_some()
    {
        let pin = visible(pin);
        writeln!(
            io::stderr(),
            "backlog-aws: this shell stays with '{pin}', which it was told before; let go with `backlog-aws use --clear`"
        )?;
    }
    Ok(0)
}

/// The file to write: a link stays a link, and what it leads to is written.
///
/// Only if that is an override too. A link in a foreign repository could otherwise make us write into any file of the
/// user's, and nothing of AWS's or Claude's may be written at all.
fn target(path: &Path, world: &World) -> Result<PathBuf, Failure> {
    let target = match fs::canonicalize(path) {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        Err(error) => {
            return Err(Failure::Problem(format!(
                "{} {}; nothing was changed",
                visible(path),
                in_words(&error)
            )));
        }
    };
    if target.file_name().is_none_or(|name| name != FILE_NAME) {
        return Err(Failure::Problem(format!(
            "{} is a link to {}, which is not called {FILE_NAME}; remove the link first; nothing was changed",
            visible(path),
            visible(&target)
        )));
    }
    check_is_ours(&target, world.home.as_deref())?;
    Ok(target)
}

fn show(world: &World, out: &mut dyn Write) -> Done {
    let directory = Directory::of(&judge(
        &world.overrides,
        world.data_dir.as_deref().map(Store::below).as_ref(),
    ));
    let Some((path, parsed)) = directory.decided else {
        return Err(Failure::Problem(match (directory.findings.first(), directory.passed_over) {
            (Some(notice), _) => notice.to_string(),
            (None, Some((path, _))) => format!(
                "{} is denied and ignored; `backlog-aws allow` takes that back",
                visible(&path)
            ),
            (None, None) => format!(
                "there is no {FILE_NAME} here or further up; make one with `backlog-aws local PROFILE`"
            ),
        }));
    };
    // What is nearer and does not count.
    print_findings(directory.findings, &world.env, &mut io::stderr().lock());
    let parsed = parsed.map_err(|invalid| {
        Failure::Problem(format!("{} {invalid}; mend it", invalid.place(&path)))
    })?;
    for (key, entry) in [("profile", &parsed.profile), ("region", &parsed.region)] {
        if let Some(entry) = entry {
            writeln!(
                out,
                "{key} = {}  ({})",
                visible(&entry.value),
                place(&path, Some(entry.line))
            )?;
        }
    }
    Ok(0)
}

fn unset(world: &World, out: &mut dyn Write) -> Done {
    let path = here(world)?;
    let store = allow::store(world)?;
    check_is_ours(&path, world.home.as_deref())?;
    match fs::remove_file(&path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Failure::Problem(format!(
                "there is no {FILE_NAME} in this directory; nothing was removed"
            )));
        }
        Err(error) => {
            return Err(Failure::Problem(format!(
                "{} cannot be removed: {}",
                visible(&path),
                reason(&error)
            )));
        }
    }
    writeln!(out, "removed {}", visible(&path))?;
    store.forget(&path).map_err(|error| {
        Failure::Problem(format!(
            "it is gone, but stays allowed should it come back as it was: {} cannot be written: {}",
            visible(store.directory()),
            reason(&error)
        ))
    })?;
    Ok(0)
}

fn here(world: &World) -> Result<PathBuf, Failure> {
    let cwd = world.cwd.as_ref();
    cwd.map(|cwd| cwd.join(FILE_NAME)).ok_or_else(|| {
        Failure::Problem("the working directory is gone; go to one that exists".to_owned())
    })
}

/// A new content for a file, complete and on disk beside it. Removed again unless it is put in place.
struct Replacement {
    target: PathBuf,
    temporary: PathBuf,
}

impl Replacement {
    fn of(target: &Path, content: &[u8]) -> io::Result<Self> {
        let temporary = target.with_file_name(format!("{FILE_NAME}.{}.tmp", std::process::id()));
        // Never through a file that is there already: in a directory of others it could be a link.
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        let replacement = Self { target: target.to_owned(), temporary };
        if let Ok(old) = fs::metadata(target) {
            file.set_permissions(old.permissions())?;
        }
        file.write_all(content)?;
        // Before it gets its name, or a power cut could leave an empty file.
        file.sync_all()?;
        Ok(replacement)
    }

    fn put(&self) -> io::Result<()> {
        fs::rename(&self.temporary, &self.target)
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        // It is not there any more if all went well.
        let _ = fs::remove_file(&self.temporary);
    }
}
