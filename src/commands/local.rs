//! `local`: writes, shows or removes this directory's override, and keeps the trust store in step.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{Done, Failure, allow, choose};
use crate::cli;
use crate::notice::visible;
use crate::overrides::{self, FILE_NAME, MAX_BYTES, place};
use crate::resolve::{Answer, Inputs, resolve};
use crate::session::Claims;
use crate::world::{Content, World, look};

/// Writes the override of the working directory, or shows or removes it.
pub fn run(args: &cli::Local, world: &World, out: &mut dyn Write) -> Done {
    if args.unset {
        return unset(world, out);
    }
    if args.profile.is_none() && args.region.is_none() {
        return if world.overrides.is_empty() && choose::possible() {
            write(
                Some(&choose::usable_profile(
                    "Profile for this directory",
                    world,
                )?),
                None,
                world,
                out,
            )
        } else {
            show(world, out)
        };
    }
    if let Some(profile) = &args.profile {
        check_profile(profile, args.force, world)?;
    }
    if let Some(region) = &args.region
        && !overrides::is_region_name(region)
    {
        return Err(Failure::Usage(format!(
            "'{}' cannot be a region; write it like eu-west-1",
            visible(region)
        )));
    }
    write(args.profile.as_deref(), args.region.as_deref(), world, out)
}

fn check_profile(profile: &str, force: bool, world: &World) -> Result<(), Failure> {
    if !overrides::is_profile_name(profile) {
        return Err(Failure::Usage(format!(
            "'{}' cannot be a profile: AWS allows letters, digits and _-/.%@:+",
            visible(profile)
        )));
    }
    if force {
        return Ok(());
    }
    let profiles = world.profiles();
    let claims = Claims {
        pin: Some(profile.into()),
        ..Claims::default()
    };
    let resolution = resolve(&Inputs::of(world, &profiles, claims));
    match (&resolution.answer, resolution.refusal()) {
        (Answer::Usable { .. }, _) | (_, None) => Ok(()),
        (_, Some(refusal)) => Err(Failure::Problem(format!(
            "{}; --force writes it all the same",
            refusal.message
        ))),
    }
}

fn write(profile: Option<&str>, region: Option<&str>, world: &World, out: &mut dyn Write) -> Done {
    let path = here(world)?;
    let store = allow::store(world)?;
    let file = look(path, MAX_BYTES as u64);
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
    let text = overrides::rewrite(old, profile, region).map_err(|invalid| {
        let place = invalid.place(&file.path);
        Failure::Problem(format!("{place} {invalid}; mend it or remove it with `backlog-aws local --unset`; nothing was changed"))
    })?;
    // A link stays a link: what it leads to is written.
    let target = fs::canonicalize(&file.path).unwrap_or_else(|_| file.path.clone());
    replace(&target, text.as_bytes()).map_err(|error| {
        let reason = error.to_string();
        let reason = reason
            .split(" (os error")
            .next()
            .unwrap_or_default()
            .to_lowercase();
        Failure::Problem(format!(
            "{} cannot be written: {reason}; nothing was changed",
            visible(&file.path)
        ))
    })?;
    store
        .allow(&file.path, text.as_bytes())
        .map_err(|error| allow::not_saved(&store, &error))?;
    writeln!(out, "wrote and allowed {}", visible(&file.path))?;
    Ok(0)
}

fn show(world: &World, out: &mut dyn Write) -> Done {
    for found in &world.overrides {
        let path = &found.file.path;
        let Content::Read { bytes, .. } = &found.file.content else {
            continue;
        };
        if !found
            .verdict
            .as_ref()
            .is_some_and(overrides::trust::Verdict::is_allowed)
        {
            continue;
        }
        let parsed = overrides::parse(bytes).map_err(|invalid| {
            Failure::Problem(format!("{} {invalid}; mend it", invalid.place(path)))
        })?;
        for (key, entry) in [("profile", &parsed.profile), ("region", &parsed.region)] {
            if let Some(entry) = entry {
                writeln!(
                    out,
                    "{key} = {}  ({})",
                    visible(&entry.value),
                    place(path, Some(entry.line))
                )?;
            }
        }
        return Ok(0);
    }
    let hint = match world.overrides.first() {
        Some(found) => format!(
            "{} is not allowed; see `backlog-aws allow`",
            visible(&found.file.path)
        ),
        None => format!(
            "there is no {FILE_NAME} here or further up; make one with `backlog-aws local PROFILE`"
        ),
    };
    Err(Failure::Problem(hint))
}

fn unset(world: &World, out: &mut dyn Write) -> Done {
    let path = here(world)?;
    let store = allow::store(world)?;
    match fs::remove_file(&path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Failure::Problem(format!(
                "there is no {FILE_NAME} in this directory; nothing was removed"
            )));
        }
        Err(error) => {
            let reason = error.to_string();
            let reason = reason
                .split(" (os error")
                .next()
                .unwrap_or_default()
                .to_lowercase();
            return Err(Failure::Problem(format!(
                "{} cannot be removed: {reason}",
                visible(&path)
            )));
        }
    }
    store
        .forget(&path)
        .map_err(|error| allow::not_saved(&store, &error))?;
    writeln!(out, "removed {}", visible(&path))?;
    Ok(0)
}

fn here(world: &World) -> Result<PathBuf, Failure> {
    let cwd = world.cwd.as_ref();
    cwd.map(|cwd| cwd.join(FILE_NAME)).ok_or_else(|| {
        Failure::Problem("the working directory is gone; go to one that exists".to_owned())
    })
}

/// Replaces a file whole or not at all.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let temporary = path.with_file_name(format!("{FILE_NAME}.{}.tmp", std::process::id()));
    let written = fs::File::create(&temporary)
        .and_then(|mut file| {
            if let Ok(old) = fs::metadata(path) {
                file.set_permissions(old.permissions())?;
            }
            file.write_all(content)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&temporary);
    }
    written
}
