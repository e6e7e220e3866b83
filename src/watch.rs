//! What must stay as it is for the answer to stay as it is.
//!
//! The hook turns this into a test that the shell can run with its builtins alone. Exactness matters in one direction
//! more than in the other: a change that is missed is a wrong account, a change that is imagined costs one process.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::fs::FileState;
use crate::fs::file_state;
use crate::overrides::trust::Verdict;
use crate::resolve::{Inputs, Resolution};
use crate::world::World;

/// What is compared of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expectation {
    /// Its value, and whether it is set at all.
    Value(Option<OsString>),
    /// Its value, where unset and empty mean the same.
    Text(OsString),
    /// Only whether it has a value: that of a secret does not belong into the text of a function, and it does not
    /// change the answer.
    Filled(bool),
}

/// A file or directory that was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// As it was looked for.
    pub path: PathBuf,
    /// What identifies the state that was seen.
    pub state: FileState,
    /// Its directory is watched too, so that it need not be tested for being there.
    pub vanishes_with_parent: bool,
    /// A directory that is watched because a file moved into it may have the time of the one that was there. The change
    /// time of the file itself tells that too.
    pub shows_moves: bool,
}

impl Watched {
    fn new(path: &Path, state: &FileState) -> Self {
        Self {
            path: path.to_owned(),
            state: state.clone(),
            vanishes_with_parent: false,
            shows_moves: false,
        }
    }
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// Variables and what they are expected to be.
    pub variables: Vec<(&'static str, Expectation)>,
    /// What was there.
    pub present: Vec<Watched>,
    /// What was not.
    pub absent: Vec<PathBuf>,
    /// The working directory with its links resolved. By which links it was reached makes no difference.
    pub cwd: PathBuf,
    /// How long the answer can stand at most, because credentials run out.
    pub valid_until: Option<Timestamp>,
    /// When all this was seen.
    pub looked_at: Timestamp,
}

/// Variables that the answer always depends on, by their value. An unset variable that gets a value changes the answer
/// as surely as one that loses it.
const PLAIN: [&str; 4] = ["AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "HOME"];

/// Variables that it depends on by whether they have a value.
const SECRET: [&str; 3] =
    ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_BEARER_TOKEN_BEDROCK"];

/// Variables that only matter beside keys in the environment. As long as there are none, setting them changes nothing,
/// and when keys appear everything is looked at again.
const BESIDE_KEYS: [&str; 3] = ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CREDENTIAL_EXPIRATION"];

impl Watch {
    /// What `resolution` rests on, found in `world`. `None` when there is something that a shell could not watch.
    pub fn of(world: &World, inputs: &Inputs<'_>, resolution: &Resolution) -> Option<Self> {
        // AWS's tools and ours take an empty variable for an unset one.
        let text = |name| {
            let value = world.env.get(name).unwrap_or_default();
            (name, Expectation::Text(value.to_owned()))
        };
        let filled = |name| (name, Expectation::Filled(world.env.non_empty(name).is_some()));
        let mut variables: Vec<_> = PLAIN.map(text).into_iter().chain(SECRET.map(filled)).collect();
        if SECRET.iter().any(|name| world.env.non_empty(name).is_some()) {
            variables.extend(BESIDE_KEYS.map(text));
            variables.push(filled("AWS_SESSION_TOKEN"));
        }
        let trust_state = inputs
            .trust
            .as_ref()
            .filter(|_| !inputs.overrides.is_empty())
            .map(|trust| file_state(trust.directory()));
        if !inputs.overrides.is_empty() {
            // Where the trust store is.
            variables.push(text("XDG_DATA_HOME"));
        }
        // What is wrong with an entry of the trust store need not show in its directory's times.
        if inputs.overrides.iter().any(|found| matches!(found.verdict, Verdict::Undecidable(_))) {
            return None;
        }
        let mut present = Vec::new();
        let mut absent = Vec::new();
        let overrides = inputs.overrides.iter().map(|found| found.file);
        // A directory that is gone can come back under its name, and `$PWD` would not show it.
        world.cwd.as_ref()?;
        for file in world.source_files().chain(overrides) {
            // Permissions do not show in the times that bash and fish can compare.
            if file.is_denied() {
                return None;
            }
            match &file.state {
                Some(state) => present.push(Watched::new(&file.path, state)),
                None if matches!(file.content, crate::fs::Content::Absent) => {
                    absent.push(file.path.clone());
                }
                // There, but not even its times can be seen.
                None => return None,
            }
        }
        absent.extend(world.absent_overrides.iter().cloned());
        for (path, state) in &world.directories {
            // A file cannot go without its directory changing.
            for watched in &mut present {
                watched.vanishes_with_parent |= watched.path.parent() == Some(path);
            }
            present.push(Watched { shows_moves: true, ..Watched::new(path, state) });
        }
        if let (Some(trust), Some(state)) = (&inputs.trust, &trust_state) {
            match state {
                Some(state) => present.push(Watched::new(trust.directory(), state)),
                None => absent.push(trust.directory().to_owned()),
            }
        }
        Some(Self {
            variables,
            present,
            absent,
            // A deleted directory may come back under its name, and nothing that a shell compares would tell.
            cwd: world.cwd.clone()?,
            valid_until: resolution.changes_at(world.now),
            looked_at: world.now,
        })
    }
}
