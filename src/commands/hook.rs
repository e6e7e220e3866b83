//! `hook`: what the integration runs when something changed. Prints shell code; says what is news on standard error.
//!
//! This is the one command whose cost people feel, so its arguments are plain positions and not clap's.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use crate::error::{Done, Failure};
use crate::finding::{Finding, abridged, print_findings};
use crate::fs::check_is_ours;
use crate::resolve::{Inputs, Resolution, USE, resolve};
use crate::session::{Change, Session, Values, state_of};
use crate::shell::{Check, Precision, Shell, Stamp};
use crate::watch::Watch;
use crate::world::World;

/// What the integration passes: `hook SHELL SESSION PRECISION [PROTOCOL]`.
pub struct Call {
    shell: Shell,
    session: String,
    precision: Precision,
    /// Whether script and program understand each other.
    fits: bool,
}

/// Counts up when the scripts of `shell/` and what the program prints for them no longer go together. Every version of
/// the scripts has a function `__backlog_aws_refresh`.
const PROTOCOL: &str = "2";

impl Call {
    /// Reads the words after `hook`.
    ///
    /// # Errors
    ///
    /// They are written by our own scripts, so anything unexpected means that script and program do not fit together.
    pub fn parse(words: &[OsString]) -> Result<Self, Failure> {
        let misfit = || {
            Failure::Usage(
                "the shell integration is of another version than this program; start a new shell"
                    .to_owned(),
            )
        };
        let word = |index: usize| words.get(index).map_or(OsStr::new(""), OsString::as_os_str);
        Ok(Self {
            shell: Shell::from_path(Path::new(word(0))).ok_or_else(misfit)?,
            session: word(1).to_string_lossy().into_owned(),
            precision: Precision::from_word(word(2)).ok_or_else(misfit)?,
            fits: words.len() <= 3 || word(3) == PROTOCOL,
        })
    }
}

/// Decides what to change in the shell that called.
pub fn run(call: &Call, world: &World, out: &mut dyn Write) -> Done {
    if !call.fits {
        return part(call, world, out);
    }
    let values = Values::of(&world.env);
    let session = Session::continued(state_of(&world.env), &call.session, &values);
    let (code, news) = update(call.shell, Some(call.precision), world, session, &values);
    out.write_all(&code)?;
    print_findings(news, &world.env, &mut io::stderr().lock());
    Ok(0)
}

/// For a shell whose integration is of a version that does not go with this program's. Nothing it would be told could be
/// relied on, so it gets back what it had before us, and hears of it once instead of at each prompt.
fn part(call: &Call, world: &World, out: &mut dyn Write) -> Done {
    let values = Values::of(&world.env);
    let mut session = Session::continued(state_of(&world.env), &call.session, &values);
    let mut changes = values.changes_to(&session.variables.restore_originals());
    changes.push(Change::of_state(None));
    let mut code = Vec::new();
    call.shell.render(&changes, &mut code);
    code.extend_from_slice(match call.shell {
        Shell::Bash | Shell::Zsh => b"__backlog_aws_refresh() { \\builtin return 0; }\n",
        Shell::Fish => b"function __backlog_aws_refresh; end\n",
    });
    out.write_all(&code)?;
    let _ = writeln!(
        io::stderr(),
        "backlog-aws: the program is of another version now than this shell's integration, so this shell is on its own; \
         start a new one"
    );
    Ok(0)
}

/// The code that brings the shell of `session` up to date, and what there is to say about it. Without a precision, its
/// next prompt asks again.
fn update(
    shell: Shell,
    precision: Option<Precision>,
    world: &World,
    mut session: Session,
    values: &Values,
) -> (Vec<u8>, Vec<Finding>) {
    // Thousands of profiles would take longer to free than the process has left to live.
    let inputs = Inputs { choose_with: USE, ..Inputs::of(world, session.variables.intent()) };
    let inputs = ManuallyDrop::new(inputs);
    let resolution = resolve(&inputs);
    let after = session.variables.apply(resolution.exports().as_ref());
    let news = session.news(&abridged(resolution.all_findings()));
    let mut changes = values.changes_to(&after);
    let state = session.to_text();
    if state_of(&world.env) != Some(OsStr::new(&state)) {
        changes.push(Change::of_state(Some(state.clone())));
    }
    let check = precision
        .map_or(Check::AskAgain, |precision| check(shell, world, &inputs, &resolution, precision));
    let mut code = Vec::new();
    shell.render(&changes, &mut code);
    check.render(shell, &after, OsStr::new(&state), &mut code);
    (code, news)
}

/// The test for the next prompts, with the stamps it needs in place.
fn check(
    shell: Shell,
    world: &World,
    inputs: &Inputs<'_>,
    resolution: &Resolution,
    precision: Precision,
) -> Check {
    let check = Check::new(
        Watch::of(world, inputs, resolution),
        precision,
        world.cache.as_deref(),
        &(world.now..=Timestamp::now()),
    );
    if check.stamps(shell).iter().all(|stamp| is_there(stamp) || make(stamp, world)) {
        check
    } else {
        Check::AskAgain
    }
}

/// For `use`: brings the calling shell up to date after `edit` changed its session.
pub fn update_after(
    shell: Shell,
    origin: &OsStr,
    world: &World,
    edit: impl FnOnce(&mut Session),
) -> (Vec<u8>, Vec<Finding>) {
    let values = Values::of(&world.env);
    let mut session = Session::continued(state_of(&world.env), &origin.to_string_lossy(), &values);
    edit(&mut session);
    update(shell, None, world, session, &values)
}

fn is_there(stamp: &Stamp) -> bool {
    let time = crate::fs::file_state(&stamp.path).map(|state| state.modified);
    time == Some(stamp.time)
}

/// Makes a stamp. It only counts when the file system kept the time to the last nanosecond.
fn make(stamp: &Stamp, world: &World) -> bool {
    let Some(directory) = stamp.path.parent() else {
        return false;
    };
    if check_is_ours(directory, world.home.as_deref()).is_err() {
        return false;
    }
    let Some(time) = system_time(stamp) else {
        return false;
    };
    if is_root_in_anothers_home(directory) {
        return false;
    }
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .and_then(|()| {
            fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(&stamp.path)
        })
        .and_then(|file| file.set_modified(time));
    prune(directory);
    made.is_ok() && is_there(stamp)
}

/// With `sudo -E` the home is the caller's. Directories made there would be root's, and closed to their owner for good.
fn is_root_in_anothers_home(directory: &Path) -> bool {
    rustix::process::geteuid().is_root()
        && directory
            .ancestors()
            .find_map(|there| fs::metadata(there).ok())
            .is_some_and(|there| there.uid() != 0)
}

fn system_time(stamp: &Stamp) -> Option<SystemTime> {
    let nanoseconds = Duration::from_nanos(u64::try_from(stamp.time.nanoseconds).ok()?);
    let seconds = Duration::from_secs(stamp.time.seconds.unsigned_abs());
    let whole = if stamp.time.seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(seconds)?
    } else {
        SystemTime::UNIX_EPOCH.checked_add(seconds)?
    };
    whole.checked_add(nanoseconds)
}

/// Keeps the stamps from growing without end. A shell that loses one asks the program again, and gets it back.
fn prune(directory: &Path) {
    const KEPT: usize = 500;
    let Ok(listing) = fs::read_dir(directory) else {
        return;
    };
    let mut stamps: Vec<(crate::fs::FileTime, PathBuf)> = listing
        .flatten()
        .filter(|entry| Stamp::is_name(&entry.file_name()))
        .filter_map(|entry| Some((crate::fs::file_state(&entry.path())?.changed, entry.path())))
        .collect();
    if stamps.len() <= KEPT {
        return;
    }
    stamps.sort();
    for (_, path) in &stamps[..stamps.len() - KEPT / 2] {
        let _ = fs::remove_file(path);
    }
}
