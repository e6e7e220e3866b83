//! `allow` and `deny`: whether an override file counts.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::aws::{Profile, Profiles};
use crate::cli;
use crate::error::{Done, Failure, reason};
use crate::finding::print_findings;
use crate::fs::{Content, SourceFile, check_is_ours, in_words, read_file};
use crate::overrides::trust::Store;
use crate::overrides::{self, FILE_NAME, MAX_BYTES, Override, judge, place};
use crate::resolve::{Answer, Directory, Inputs, Resolution, resolve};
use crate::secret::mask_key_id;
use crate::session::{UserIntent, Variable};
use crate::text::visible;
use crate::world::World;
use crate::world::find_overrides;

/// Shows what the override changes, then trusts it.
pub fn allow(args: &cli::Allow, world: &World, out: &mut dyn Write) -> Done {
    let store = store(world)?;
    if let Some(directory) = &args.under {
        let directory = real_directory(directory)?;
        store.allow_under(&directory).map_err(|error| not_saved(&store, &error))?;
        writeln!(out, "allowed every {FILE_NAME} below {}", visible(&directory))?;
        return Ok(0);
    }
    let file = override_file(args.path.as_deref(), world)?;
    let Content::Read { bytes, .. } = &file.content else {
        return Err(Failure::Problem(unreadable(&file)));
    };
    let parsed = overrides::parse(bytes).map_err(|invalid| {
        Failure::Problem(format!("{} {invalid}; mend it, then allow it", invalid.place(&file.path)))
    })?;
    show(&file, &parsed, world, out)?;
    store.allow(&file.path, bytes).map_err(|error| not_saved(&store, &error))?;
    writeln!(out, "allowed {}", visible(&file.path))?;
    Ok(0)
}

/// Stops trusting an override.
pub fn deny(args: &cli::Deny, world: &World, out: &mut dyn Write) -> Done {
    let store = store(world)?;
    if let Some(directory) = &args.under {
        let directory = real_directory(directory)?;
        if !store.deny_under(&directory).map_err(|error| not_saved(&store, &error))? {
            let shown = visible(&directory);
            return Err(Failure::Problem(format!(
                "{shown} was not allowed with --under; nothing to take back"
            )));
        }
        writeln!(out, "no longer allowed as a whole: {}", visible(&directory))?;
        return Ok(0);
    }
    let file = override_file(args.path.as_deref(), world)?;
    store.deny(&file.path).map_err(|error| not_saved(&store, &error))?;
    writeln!(out, "denied {}", visible(&file.path))?;
    Ok(0)
}

/// The trust store, if there is a home for it.
pub fn store(world: &World) -> Result<Store, Failure> {
    let store = world.data_dir.as_deref().map(Store::below).ok_or_else(|| {
        Failure::Problem(
            "there is no place to keep decisions in; set HOME to an absolute path, and XDG_DATA_HOME to none of AWS's"
                .to_owned(),
        )
    })?;
    check_is_ours(store.directory(), world.home.as_deref())?;
    Ok(store)
}

/// What to say when a decision could not be kept.
pub fn not_saved(store: &Store, error: &io::Error) -> Failure {
    Failure::Problem(format!(
        "the decision cannot be kept in {}: {}; nothing was changed",
        visible(store.directory()),
        reason(error)
    ))
}

/// The override file a path stands for: itself, the one in a directory, or without a path the nearest.
///
/// The name below the real directory is what is trusted, not where a link of that name leads: a link in a foreign
/// repository must not borrow the trust of the file it points to.
pub fn override_file(path: Option<&Path>, world: &World) -> Result<SourceFile, Failure> {
    let Some(path) = path else {
        let nearest = world.overrides.first().map(|found| found.path.clone());
        let nearest = nearest.ok_or_else(|| {
            Failure::Problem(format!("there is no {FILE_NAME} here or further up; make one with `backlog-aws local PROFILE`"))
        })?;
        return Ok(read_file(nearest, MAX_BYTES as u64));
    };
    let names_file = path.file_name().is_some_and(|name| name == FILE_NAME) && !path.is_dir();
    let directory = if names_file { path.parent().unwrap_or(Path::new(".")) } else { path };
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let file = read_file(real_directory(directory)?.join(FILE_NAME), MAX_BYTES as u64);
    if matches!(file.content, Content::Absent) {
        return Err(Failure::Problem(format!("{} does not exist", visible(&file.path))));
    }
    Ok(file)
}

fn real_directory(path: &Path) -> Result<PathBuf, Failure> {
    let shown = visible(path);
    let real = path.canonicalize().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Failure::Problem(format!("{shown} does not exist")),
        _ => Failure::Problem(format!("{shown} {}", in_words(&error))),
    })?;
    if !real.is_dir() {
        return Err(Failure::Problem(format!("{shown} is neither a directory nor a {FILE_NAME}")));
    }
    Ok(real)
}

fn unreadable(file: &SourceFile) -> String {
    let why = match &file.content {
        Content::Unreadable(why) => why.as_str(),
        Content::Absent | Content::Read { .. } => "does not exist",
    };
    format!("{} {why}; mend it, then allow it", visible(&file.path))
}

/// What will be different below the file's directory, and why it may not be in this shell.
fn show(
    file: &SourceFile,
    parsed: &Override,
    world: &World,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    for (key, entry) in [("profile", &parsed.profile), ("region", &parsed.region)] {
        if let Some(entry) = entry {
            writeln!(
                out,
                "{}: {key} = {}",
                place(&file.path, Some(entry.line)),
                visible(&entry.value)
            )?;
        }
    }
    let intent = UserIntent::of_environment(&world.env);
    // Pins are of this shell, and the file is for all of them.
    let unpinned = UserIntent { pin: None, region_pin: None, ..intent.clone() };
    let mut inputs = Inputs::of(world, unpinned);
    let directory = file.path.parent().unwrap_or(&file.path);
    let above = find_overrides(directory).0;
    inputs.directory = Directory::of(&judge(&above, inputs.trust.as_ref()));
    let before = resolve(&inputs);
    inputs.directory = Directory {
        decided: Some((file.path.clone(), Ok(parsed.clone()))),
        ..Directory::default()
    };
    let after = resolve(&inputs);
    writeln!(out, "  before  {}", summary(&before, &inputs.profiles))?;
    writeln!(out, "  after   {}", summary(&after, &inputs.profiles))?;
    if let Some(refusal) = after.refusal {
        print_findings(vec![refusal], &world.env, &mut io::stderr().lock());
    }
    let pinned: Vec<&str> =
        [(&intent.pin, Variable::Profile.name()), (&intent.region_pin, Variable::Region.name())]
            .into_iter()
            .filter_map(|(pin, name)| pin.as_ref().map(|_| name))
            .collect();
    if !pinned.is_empty() {
        writeln!(
            out,
            "  {} set in this shell and comes first; let go with `backlog-aws use --clear`",
            match pinned[..] {
                [one] => format!("{one} is"),
                _ => "the profile and the region are".to_owned(),
            }
        )?;
    }
    Ok(())
}

/// Profile, kind, key, account where the files name it, and region in one line.
fn summary(resolution: &Resolution, profiles: &Profiles<'_>) -> String {
    let region = visible(&resolution.region.name);
    let by = resolution
        .answer
        .source()
        .map_or_else(String::new, |source| format!(", by {}", source.name()));
    let profile = resolution.answer.profile().and_then(|name| profiles.get(name.to_str()?));
    let account = profile
        .and_then(Profile::account)
        .map_or_else(String::new, |account| format!(", account {account}"));
    match &resolution.answer {
        Answer::Usable { identity, .. } => {
            let name =
                identity.profile().map_or_else(|| "keys without a profile".to_owned(), visible);
            let key = identity
                .credentials()
                .map_or_else(String::new, |keys| format!(", {}", mask_key_id(&keys.access_key_id)));
            format!("{name} ({}{key}{account}), {region}{by}", identity.kind_name())
        }
        Answer::Unusable { profile: name, .. } => {
            let name = name.as_ref().map_or_else(|| "no profile".to_owned(), visible);
            let kind = profile.map_or("no such profile", |profile| profile.kind().as_str());
            format!("{name} ({kind}{account}), {region}{by}: cannot be used")
        }
        Answer::Nothing => "no usable profile".to_owned(),
    }
}
