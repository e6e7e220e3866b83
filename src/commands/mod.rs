//! One file per command, each a function of its arguments, the [`World`](crate::world::World) and an output.

use std::io;
use std::path::Path;

use crate::notice::visible;
use crate::world::{OTHERS, World, reason};

pub mod allow;
pub mod choose;
pub mod complete;
pub mod completions;
pub mod credentials;
pub mod demo;
pub mod doctor;
pub mod exec;
pub mod hook;
pub mod init;
pub mod list;
pub mod local;
pub mod man;
pub mod status;
pub mod use_profile;

/// Why a command could not do what it was asked, and the exit status that says so.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The words on the command line do not go together. Exit status 2.
    #[error("{0}")]
    Usage(String),
    /// No usable credentials, or another problem that was found. Exit status 1.
    #[error("{0}")]
    Problem(String),
    /// The same, already explained. Exit status 1.
    #[error("")]
    Explained,
    /// The user changed their mind in a choice. Exit status 1, and nothing to say.
    #[error("")]
    Cancelled,
    /// The command that was to be run exists but cannot be. Exit status 126, as in the shells.
    #[error("{0}")]
    NotExecutable(String),
    /// The command that was to be run does not exist. Exit status 127, as in the shells.
    #[error("{0}")]
    NotFound(String),
    /// Writing the answer failed. Exit status 1.
    #[error("cannot write the answer: {}; make room or write elsewhere", reason(.0))]
    Output(#[from] io::Error),
}

impl Failure {
    /// The exit status.
    pub fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::NotExecutable(_) => 126,
            Self::NotFound(_) => 127,
            Self::Problem(_) | Self::Explained | Self::Cancelled | Self::Output(_) => 1,
        }
    }
}

/// Refuses what lies below the directories of AWS and Claude, links followed: nothing of ours is written or removed there.
///
/// # Errors
///
/// It does lie there.
pub fn check_is_ours(path: &Path, world: &World) -> Result<(), Failure> {
    // What does not exist yet will be made below the nearest that does.
    let real = path.ancestors().find_map(|ancestor| ancestor.canonicalize().ok());
    let others = OTHERS
        .iter()
        .filter_map(|name| world.home.as_ref()?.join(name).canonicalize().ok())
        .find(|others| real.as_ref().is_some_and(|real| real.starts_with(others)));
    match others {
        Some(others) => Err(Failure::Problem(format!(
            "{} belongs to another program, and nothing is written there; use a directory of your own",
            visible(&others)
        ))),
        None => Ok(()),
    }
}

/// The exit status of a command that did what it was asked.
pub type Done = Result<u8, Failure>;
