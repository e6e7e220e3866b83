//! `allow` and `deny`: whether an override file counts.

use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::cli;
use crate::error::{Done, Failure, Failure::Problem};
use crate::finding::{Place, print_findings};
use crate::fs::{Content, SourceFile, in_words, read_file};
use crate::layout::print_line;
use crate::overrides::trust::{Store, judge};
use crate::overrides::{self, FILE_NAME, MAX_BYTES, Override};
use crate::resolve::{Directory, Inputs, resolve};
use crate::session::UserIntent;
use crate::text::visible;
use crate::world::{World, find_overrides};

/// Shows what the override changes, then trusts it.
pub fn allow(args: &cli::Trust, world: &World, out: &mut dyn Write) -> Done {
    let store = Store::for_writing(world)?;
    if let Some(directory) = &args.under {
        let directory = real_directory(directory)?;
        let shown = visible(&directory);
        let everybody = directory.metadata().is_ok_and(|found| found.mode() & 0o002 != 0);
        if everybody || directory.parent().is_none() {
            return Err(Problem(format!(
                "{shown} is not yours alone; name a directory of your own"
            )));
        }
        store.allow_under(&directory)?;
        print_line(&format!("allowed every {FILE_NAME} below {shown}"), &world.env, out)?;
        return Ok(0);
    }
    let SourceFile { path, content, .. } = override_file(args.path.as_deref(), world)?;
    let shown = visible(&path);
    let bytes = match content {
        Content::Read { bytes, .. } => bytes,
        Content::Unreadable(why) => {
            return Err(Problem(format!("{shown} {why}; fix it, then allow it")));
        }
        Content::Absent => return Err(Problem(format!("{shown} does not exist"))),
    };
    let parsed = overrides::parse(&bytes)
        .map_err(|invalid| Problem(format!("{}; fix it, then allow it", invalid.in_file(&path))))?;
    show(&path, &parsed, world, out)?;
    store.allow(&path, &bytes)?;
    print_line(&format!("allowed {shown}"), &world.env, out)?;
    Ok(0)
}

/// Stops trusting an override.
pub fn deny(args: &cli::Trust, world: &World, out: &mut dyn Write) -> Done {
    let store = Store::for_writing(world)?;
    let said = if let Some(directory) = &args.under {
        let directory = real_directory(directory)?;
        let shown = visible(&directory);
        if !store.deny_under(&directory)? {
            return Err(Problem(format!(
                "{shown} was not allowed with --under; nothing to take back"
            )));
        }
        format!("no longer allowed as a whole: {shown}")
    } else {
        let file = override_file(args.path.as_deref(), world)?;
        let shown = visible(&file.path);
        if matches!(file.content, Content::Absent) {
            return Err(Problem(format!("{shown} does not exist")));
        }
        store.deny(&file.path)?;
        format!("denied {shown}")
    };
    print_line(&said, &world.env, out)?;
    Ok(0)
}

/// The override file a path stands for: itself, the one in a directory, or without a path the nearest.
///
/// The name below the real directory is what is trusted, not where a link of that name leads: a link in a foreign
/// repository must not borrow the trust of the file it points to.
fn override_file(path: Option<&Path>, world: &World) -> Result<SourceFile, Failure> {
    let path = match path {
        None => world.overrides.first().map(|found| found.path.clone()).ok_or_else(|| {
            Problem(format!(
                "there is no {FILE_NAME} here or above; make one with `backlog-aws local PROFILE`"
            ))
        })?,
        Some(path) => {
            let named = Path::new(".").join(path);
            let directory = match named.parent() {
                Some(parent) if named.ends_with(FILE_NAME) && !path.is_dir() => parent,
                _ => path,
            };
            real_directory(directory)?.join(FILE_NAME)
        }
    };
    Ok(read_file(path, MAX_BYTES as u64))
}

fn real_directory(path: &Path) -> Result<PathBuf, Failure> {
    let shown = visible(path);
    let why = match path.canonicalize() {
        Ok(real) if real.is_dir() => return Ok(real),
        Ok(_) => format!("is neither a directory nor a {FILE_NAME}"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => "does not exist".to_owned(),
        Err(error) => in_words(&error),
    };
    Err(Problem(format!("{shown} {why}")))
}

/// What will be different below the file's directory, and why it may not be in this shell.
fn show(path: &Path, parsed: &Override, world: &World, out: &mut dyn Write) -> Result<(), Failure> {
    for line in parsed.lines(path) {
        print_line(&line, &world.env, out)?;
    }
    let intent = UserIntent::of_environment(&world.env);
    // Pins are of this shell, and the file is for all of them.
    let unpinned = UserIntent { pin: None, region_pin: None, ..intent.clone() };
    let mut inputs = Inputs::of(world, unpinned);
    let above = find_overrides(path.parent().unwrap_or(path));
    inputs.directory = Directory::of(&judge(&above, inputs.trust.as_ref()));
    let before = resolve(&inputs).summary(&inputs);
    print_line(&format!("  before  {before}"), &world.env, out)?;
    let decided = Some((Place::file(path), Ok(parsed.clone())));
    inputs.directory = Directory { decided, ..Directory::default() };
    let after = resolve(&inputs);
    print_line(&format!("  after   {}", after.summary(&inputs)), &world.env, out)?;
    print_findings(after.refusal, &world.env, &mut io::stderr().lock());
    if intent.pin.is_some() || intent.region_pin.is_some() {
        writeln!(
            out,
            "  What is pinned in this shell comes first; clear it with `backlog-aws use --clear`"
        )?;
    }
    Ok(())
}
