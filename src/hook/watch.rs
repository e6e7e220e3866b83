//! What must stay as it is for the answer to stay as it is.
//!
//! Exactness matters in one direction more than in the other: a change that is missed is a wrong account, a change that
//! is imagined costs one process.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::precision::Precision;
use crate::aws::{FileKind, locate};
use crate::fs::{Content, FileState, FileTime, SourceFile, file_state};
use crate::overrides::trust::Verdict;
use crate::resolve::{Answer, Inputs, Reason, Resolution};
use crate::session::{Values, Variable};
use crate::source::Source;
use crate::world::{Environment, OVERRIDE_NAME, World};

/// The files that the answer rests on.
#[derive(Default)]
pub struct Watch {
    pub precision: Precision,
    /// What was there, links resolved, with its time.
    pub files: Vec<(PathBuf, FileTime)>,
    /// Directories that get a newer time when a file is moved into them, which may have the time of the one before; each
    /// with the time that it has not reached.
    pub directories: Vec<(PathBuf, FileTime)>,
    /// What was not there.
    pub missing: Vec<PathBuf>,
    /// Paths that lead through symbolic links, each followed by where to.
    pub links: Vec<PathBuf>,
    /// The directory where the search for an override ended: that of the one that decides, or the root.
    pub top: PathBuf,
    /// The directories below it with an override that does not count, nearest first.
    pub ignored: Vec<PathBuf>,
    /// The directories that the user's own configuration has rules for, and the one whose rule holds.
    pub rules: Vec<PathBuf>,
    pub rule: PathBuf,
    /// When the answer has to be looked at again, because credentials expire.
    pub until: Option<Timestamp>,
}

impl Watch {
    /// `None` when there is something that a shell could not watch.
    pub fn of(
        world: &World,
        inputs: &Inputs<'_>,
        resolution: &Resolution,
        precision: Precision,
    ) -> Option<Self> {
        if precision == Precision::Nothing {
            return None;
        }
        let top = PathBuf::from("/");
        let until = resolution.changes_at(world.now);
        let mut watch = Self { precision, top, until, ..Self::default() };
        for file in [&world.credentials, &world.config].into_iter().flatten() {
            watch.add_file(file)?;
            watch.add_directory(file.path.parent()?);
        }
        for file in [&world.toolkit_env, &world.user_config].into_iter().flatten() {
            watch.add_file(file)?;
        }
        // Of a key in the environment a shell sees whether it is there, and a new one is awaited.
        let expired = matches!(
            resolution.answer,
            Answer::Unusable { source: Source::EnvironmentKeys, reason: Reason::Expired(_), .. }
        );
        if expired && world.env.non_empty("AWS_BEARER_TOKEN_BEDROCK").is_some() {
            return None;
        }
        // What would make it the user's own does not show in its time.
        if world.user_config.as_ref().is_some_and(|file| file.foreign().is_some()) {
            return None;
        }
        watch.add_overrides(inputs)?;
        if let Ok(rules) = &inputs.user_config.rules {
            watch.rules.extend(rules.directories().map(Path::to_owned));
        }
        if let Some(rule) = &inputs.user_config.rule {
            watch.rule.clone_from(&rule.directory);
        }
        if has_relative_location(world) {
            watch.links.extend([PathBuf::from("."), world.cwd.clone()?]);
        }
        let looking = (world.now, Timestamp::now());
        let mut times = watch.files.iter().chain(&watch.directories).map(|(_, time)| *time);
        let is_settled = times.all(|time| precision.is_settled(time, looking));
        if precision == Precision::ModificationTime {
            for (path, time) in watch.directories.drain(..) {
                // It does not look through links.
                watch.files.push((path.canonicalize().ok()?, time));
            }
        }
        for (_, time) in &mut watch.directories {
            *time = time.after(precision.grain(*time));
        }
        is_settled.then_some(watch)
    }

    fn add_file(&mut self, file: &SourceFile) -> Option<()> {
        // Permissions do not show in the times that bash and fish can compare.
        if file.is_denied() {
            return None;
        }
        let Some(state) = &file.state else {
            self.missing.push(file.path.clone());
            return matches!(file.content, Content::Absent).then_some(());
        };
        let real = state.resolved.as_ref().unwrap_or(&file.path);
        self.files.push((real.clone(), self.precision.time(state)));
        // Archives, package managers and `touch -d` give many files the same time, and it is a whole second. Otherwise a
        // home or project directory changes too often to be watched.
        if state.modified.nanoseconds == 0 {
            self.add_directory(file.path.parent()?);
        }
        if *real != file.path {
            self.links.extend([file.path.clone(), real.clone()]);
            self.add_directory(real.parent()?);
        }
        Some(())
    }

    fn add_directory(&mut self, path: &Path) {
        // Being moved shows in the change time of a file.
        if self.precision == Precision::ChangeTime
            || self.directories.iter().any(|(known, _)| known == path)
        {
            return;
        }
        if let Some(state) = file_state(path) {
            self.directories.push((path.to_owned(), state.modified));
        }
    }

    fn add_overrides(&mut self, inputs: &Inputs<'_>) -> Option<()> {
        for found in &inputs.overrides {
            self.add_file(found.file)?;
            self.ignored.push(found.file.path.parent()?.to_owned());
        }
        match inputs.overrides.last().map(|found| &found.verdict) {
            Some(Verdict::Allowed) => self.top = self.ignored.pop()?,
            // What is wrong with an entry of the trust store need not show in its directory's times.
            Some(Verdict::Undecidable(_)) => return None,
            _ => {}
        }
        // Whatever lies at the top is watched as a file, so the shells look below it only.
        if !inputs.overrides.iter().any(|found| found.file.path == self.top.join(OVERRIDE_NAME)) {
            self.missing.push(self.top.join(OVERRIDE_NAME));
        }
        self.ignored.retain(|directory| *directory != self.top);
        if let (Some(trust), false) = (&inputs.trust, inputs.overrides.is_empty()) {
            // A decision changes the directory.
            match file_state(trust.directory()) {
                Some(state) => {
                    self.files.push((trust.directory().to_owned(), self.precision.time(&state)));
                }
                None => self.missing.push(trust.directory().to_owned()),
            }
        }
        Some(())
    }
}

/// Whether the answer depends on the working directory beyond overrides and rules.
fn has_relative_location(world: &World) -> bool {
    let aws = |kind| locate(kind, world.home.as_deref(), |name| world.env.get(name));
    let ours = world.env.non_empty("BACKLOG_AWS_CONFIG").map(PathBuf::from);
    [aws(FileKind::Credentials), aws(FileKind::Config), ours]
        .iter()
        .flatten()
        .any(|path| path.is_relative())
}

impl Precision {
    fn time(self, state: &FileState) -> FileTime {
        if self == Self::ChangeTime { state.changed } else { state.modified }
    }

    /// The nanoseconds between two times that the shell and the file system can tell apart. A file system that keeps whole
    /// seconds (HFS+, ext3) or pairs of them (FAT) shows no fraction.
    fn grain(self, time: FileTime) -> i64 {
        match self {
            _ if time.nanoseconds == 0 => 2_000_000_000,
            Self::SecondStamps => 1_000_000_000,
            _ => 1,
        }
    }

    /// Whether a file with this time could not be changed again without the shell being able to tell. git calls the
    /// others racily clean; here it means that the next prompt looks again.
    ///
    /// Both ends of looking count: a process can be held up for long between any two steps, and what was written after
    /// the start may be younger than a tick although the look ended later.
    fn is_settled(self, time: FileTime, (start, end): (Timestamp, Timestamp)) -> bool {
        // A kernel tick is up to 10 ms, and file times are those of the last tick.
        const TICK: i128 = 20_000_000;
        let grain = i128::from(self.grain(time)) + TICK;
        let then = time.as_nanosecond();
        // Times in the future are settled: what is written now gets an earlier one.
        then <= start.as_nanosecond() - grain || then >= end.as_nanosecond() + grain
    }
}

/// Stands between values. As long as none of those that are expected contains it, equal strings mean equal values: the
/// number of separators gives a stray one away.
const SEPARATOR: &str = "^";

/// What the shells compare their variables with: the names of four strings, and each string.
///
/// AWS's tools and ours take an empty variable for an unset one; of our own, one that is unset is written as a separator.
/// Of keys the presence alone counts: a secret belongs into no other variable, and its value does not change the answer.
pub type Expected = [(&'static str, OsString); 4];

/// `None` when a value contains the separator.
pub fn expected(env: &Environment, after: &Values) -> Option<Expected> {
    let value = |name: &str| env.get(name).unwrap_or_default().to_owned();
    let mark = |name, mark: &str| env.non_empty(name).map_or(OsString::new(), |_| mark.into());
    let mut keys = vec![mark("AWS_ACCESS_KEY_ID", "i")];
    keys[0].push(mark("AWS_SECRET_ACCESS_KEY", "s"));
    keys[0].push(mark("AWS_BEARER_TOKEN_BEDROCK", "b"));
    // What goes with keys matters beside them only.
    if !keys[0].is_empty() {
        keys.push(mark("AWS_SESSION_TOKEN", "t"));
        keys.extend(["AWS_CREDENTIAL_EXPIRATION", "AWS_REGION", "AWS_DEFAULT_REGION"].map(value));
    }
    let aws = ["AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "HOME"];
    // Where decisions and the user's own configuration are.
    let places = ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "BACKLOG_AWS_CONFIG"];
    let (aws, places) = (aws.map(value), places.map(value));
    let ours = Variable::ALL.map(|variable| after[variable].clone());
    let values = aws.iter().chain(&keys).chain(ours.iter().flatten()).chain(&places);
    if values.into_iter().any(|value| value.as_bytes().contains(&SEPARATOR.as_bytes()[0])) {
        return None;
    }
    let ours = ours.map(|value| value.unwrap_or_else(|| SEPARATOR.into()));
    let join = |values: &[OsString]| values.join(OsStr::new(SEPARATOR));
    Some([
        ("expected_keys", join(&keys)),
        ("expected_ours", join(&ours)),
        ("expected_places", join(&places)),
        ("expected_aws", join(&aws)),
    ])
}
