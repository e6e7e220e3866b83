//! Why a command failed, and its exit status.

use std::io;

/// Why a command could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The arguments do not go together. Exit status 2.
    #[error("{0}")]
    Usage(String),
    /// No usable credentials, or another problem that was found. Exit status 1.
    #[error("{0}")]
    Problem(String),
    /// The same, already explained. Exit status 1.
    #[error("")]
    Explained,
    /// The user canceled a choice. Exit status 1, and nothing to say.
    #[error("")]
    Canceled,
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
            Self::Problem(_) | Self::Explained | Self::Canceled | Self::Output(_) => 1,
        }
    }
}

/// The exit status of a command that did what it was asked.
pub type Done = Result<u8, Failure>;

/// An operating system's error in a few words, without Rust's " (os error 13)".
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    text.to_lowercase()
}
