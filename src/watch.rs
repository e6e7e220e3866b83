//! What must stay as it is for the answer to stay as it is.
//!
//! The hook turns this into a test that the shell can run with its builtins alone. Exactness matters in one direction
//! more than in the other: a change that is missed is a wrong account, a change that is imagined costs one process.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::resolve::Resolution;
use crate::world::{Sight, World};

/// What is compared of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expectation {
    /// Its value, and whether it is set at all.
    Value(Option<OsString>),
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
    pub sight: Sight,
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
    /// The working directory with its links resolved, if it could be told.
    pub cwd: Option<PathBuf>,
    /// How long the answer can stand at most, because credentials run out.
    pub valid_for: Option<Duration>,
}

/// The variables that the answer depends on, beside those that hold secrets and those that the hook sets itself.
const PLAIN: [&str; 10] = [
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE",
    "HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_CACHE_HOME",
];

const SECRET: [&str; 4] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_BEARER_TOKEN_BEDROCK",
];

impl Watch {
    /// What `resolution` rests on, found in `world`. `None` when there is something that a shell could not watch.
    pub fn of(world: &World, resolution: &Resolution) -> Option<Self> {
        let plain = PLAIN.map(|name| {
            (
                name,
                Expectation::Value(world.env.get(name).map(ToOwned::to_owned)),
            )
        });
        let secret = SECRET.map(|name| {
            (
                name,
                Expectation::Filled(world.env.non_empty(name).is_some()),
            )
        });
        let mut present = Vec::new();
        let mut absent = Vec::new();
        let overrides = world.overrides.iter().map(|found| &found.file);
        for file in world.source_files().chain(overrides) {
            match &file.sight {
                Some(sight) => present.push(Watched {
                    path: file.path.clone(),
                    sight: sight.clone(),
                }),
                None if matches!(file.content, crate::world::Content::Absent) => {
                    absent.push(file.path.clone());
                }
                // There, but not even its times can be seen.
                None => return None,
            }
        }
        absent.extend(world.absent_overrides.iter().cloned());
        present.extend(world.aws_directories.iter().map(|(path, sight)| Watched {
            path: path.clone(),
            sight: sight.clone(),
        }));
        if let (Some(trust), Some(sight)) = (&world.trust, &world.trust_sight) {
            match sight {
                Some(sight) => present.push(Watched {
                    path: trust.directory().to_owned(),
                    sight: sight.clone(),
                }),
                None => absent.push(trust.directory().to_owned()),
            }
        }
        Some(Self {
            variables: plain.into_iter().chain(secret).collect(),
            present,
            absent,
            cwd: world.cwd.clone(),
            valid_for: resolution
                .changes_at(world.now)
                .map(|end| end.duration_since(world.now).unsigned_abs()),
        })
    }
}
