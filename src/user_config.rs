//! Writes the user's own configuration: the profile for everywhere, and private rules of directories.

use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use crate::error::{Done, Failure, reason};
use crate::fs::{Access, Content, check_is_ours, write_atomically};
use crate::layout::print_line;
use crate::overrides::{Edit, rewrite};
use crate::text::visible;
use crate::world::World;

/// The section of a directory as it is written: below the home with `~`, so that the file can be shared by machines.
pub fn section_of(directory: &Path, home: Option<&Path>) -> Result<String, Failure> {
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

/// Changes keys of one section, or without one of what holds everywhere, and says what the file says then.
///
/// # Errors
///
/// The file cannot be read, understood or written; it is then as it was.
pub fn change(
    section: Option<&str>,
    edits: &[(&str, Edit<'_>)],
    world: &World,
    out: &mut dyn Write,
) -> Done {
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
        .map_err(|invalid| failed(format!("{} {invalid}; fix it", invalid.place(&file.path))))?;
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
    Ok(0)
}
