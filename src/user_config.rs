//! Writes the user's own configuration: the profile for everywhere, and private rules of directories.

use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use crate::error::{Done, Failure, reason};
use crate::finding::print_findings;
use crate::fs::{Access, Content, check_is_ours, write_atomically};
use crate::layout::print_line;
use crate::overrides::{Edit, rewrite};
use crate::resolve::{Inputs, resolve};
use crate::session::UserIntent;
use crate::source::Source;
use crate::text::visible;
use crate::world::World;

/// The section of a directory as it is written: below the home with `~`, so that the file can be shared by machines.
fn section_of(directory: &Path, home: Option<&Path>) -> Result<String, Failure> {
    let below = home.and_then(|home| directory.strip_prefix(home.canonicalize().ok()?).ok());
    let section = match below {
        Some(below) if below.as_os_str().is_empty() => Some("~".to_owned()),
        Some(below) => below.to_str().map(|below| format!("~/{below}")),
        None => directory.to_str().map(str::to_owned),
    };
    let section = section.filter(|section| {
        !section.contains([']', '[', '\\', '"', '#', ';']) && visible(section) == *section
    });
    section.ok_or_else(|| {
        Failure::Problem(format!(
            "{} has characters that cannot stand in the configuration; use a rule for a directory above it",
            visible(directory)
        ))
    })
}

/// How far an override and a rule reach.
pub const BELOW: &str = "in this directory and below";

/// Changes the rule of the working directory, and says what the file says and what holds then.
///
/// # Errors
///
/// The file cannot be read, understood or written; it is then as it was.
pub fn set_here(edits: &[(&str, Edit<'_>)], world: &World, out: &mut dyn Write) -> Done {
    let section = section_of(working_directory(world)?, world.home.as_deref())?;
    change(Some(&section), edits, world, out)?;
    confirm(Source::Rule, BELOW, out)
}

/// The same for what holds everywhere.
pub fn set_everywhere(edits: &[(&str, Edit<'_>)], world: &World, out: &mut dyn Write) -> Done {
    change(None, edits, world, out)?;
    confirm(Source::UserDefault, "everywhere", out)
}

/// Says what holds here now that a file was written: `there`, when it is what the file says.
pub fn confirm(source: Source, there: &str, out: &mut dyn Write) -> Done {
    let world = World::capture();
    let inputs = Inputs::of(&world, UserIntent::of_environment(&world.env));
    let resolution = resolve(&inputs);
    let place = if resolution.answer.source() == Some(source) { there } else { "here" };
    print_line(&resolution.in_force(place, &inputs), &world.env, out)?;
    print_findings(resolution.unknown_region(), &world.env, &mut io::stderr());
    Ok(0)
}

/// Where this program runs, if that still exists.
pub fn working_directory(world: &World) -> Result<&Path, Failure> {
    let gone =
        || Failure::Problem("the working directory is gone; go to one that exists".to_owned());
    world.cwd.as_deref().ok_or_else(gone)
}

fn change(
    section: Option<&str>,
    edits: &[(&str, Edit<'_>)],
    world: &World,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let file = world.user_config.as_ref().ok_or_else(|| {
        Failure::Problem(
            "there is no home directory to keep a configuration in; set HOME".to_owned(),
        )
    })?;
    let shown = visible(&file.path);
    let failed = |why: String| Failure::Problem(format!("{why}; nothing was changed"));
    let old = match &file.content {
        Content::Absent => None,
        Content::Read { bytes, .. } => Some(bytes.as_slice()),
        Content::Unreadable(why) => return Err(failed(format!("{shown} {why}"))),
    };
    if let Some(why) = file.foreign() {
        return Err(failed(format!("{shown} {why}")));
    }
    check_is_ours(&file.path, world.home.as_deref())?;
    let text = rewrite(old, section, edits)
        .map_err(|invalid| failed(format!("{}; fix it", invalid.in_file(&file.path))))?;
    // A link, as managers of such files make them, stays one.
    let target = file.path.canonicalize().unwrap_or_else(|_| file.path.clone());
    let written = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(target.parent().unwrap_or(&target))
        .and_then(|()| write_atomically(&target, text.as_bytes(), Access::KeptOr(0o600)));
    written.map_err(|error| failed(format!("{shown} cannot be written: {}", reason(&error))))?;
    print_line(&format!("wrote {shown}"), &world.env, out)?;
    let only_removes = !edits.iter().any(|(_, edit)| matches!(edit, Edit::Set(_)));
    for (key, edit) in edits {
        match edit {
            Edit::Set(value) => writeln!(out, "  {key} = {value}")?,
            Edit::Remove if only_removes => writeln!(out, "  no {key}")?,
            Edit::Remove | Edit::Keep => {}
        }
    }
    Ok(())
}
