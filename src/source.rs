//! The steps of the chain by their names, which are the values of `BACKLOG_AWS_SOURCE`.

use std::ffi::OsStr;

use serde::Serialize;

/// Where an answer can come from, in the order in which they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The user pinned it for this shell or this command.
    Pin,
    /// The nearest allowed `.backlog-aws`.
    Directory,
    /// `BACKLOG_AWS_PROFILE` as it was before the hook first ran.
    Ambient,
    /// `BACKLOG_AWS_PROFILE` in the toolkit's file.
    ToolkitEnv,
    /// Keys in the toolkit's file.
    ToolkitEnvKeys,
    /// Keys in the environment.
    EnvironmentKeys,
    /// `AWS_PROFILE`, should it be usable.
    AwsProfile,
    /// The profile `default`.
    Default,
    /// The first usable profile in file order.
    First,
}

impl Source {
    pub const ALL: [Self; 9] = [
        Self::Pin,
        Self::Directory,
        Self::Ambient,
        Self::ToolkitEnv,
        Self::ToolkitEnvKeys,
        Self::EnvironmentKeys,
        Self::AwsProfile,
        Self::Default,
        Self::First,
    ];

    /// Whether the user asked for this very profile. Then no other is ever used instead, because it could be another
    /// account's: when it cannot be used, there is no answer.
    pub fn is_explicit(self) -> bool {
        matches!(self, Self::Pin | Self::Directory | Self::Ambient | Self::ToolkitEnv)
    }

    /// As shown to people and scripts.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pin => "pin",
            Self::Directory => "directory",
            Self::Ambient => "ambient",
            Self::ToolkitEnv => "toolkit-env",
            Self::ToolkitEnvKeys => "toolkit-env-keys",
            Self::EnvironmentKeys => "environment-keys",
            Self::AwsProfile => "aws-profile",
            Self::Default => "default",
            Self::First => "first",
        }
    }

    pub fn from_word(word: &OsStr) -> Option<Self> {
        Self::ALL.into_iter().find(|source| word == source.word())
    }
}
