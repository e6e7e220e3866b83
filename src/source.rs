//! The steps of the chain by their names, which are the values of `BACKLOG_AWS_SOURCE`.

use std::ffi::OsStr;

use serde::Serialize;
use strum::{EnumString, IntoStaticStr, VariantArray};

/// Where an answer can come from, in the order in which they are asked.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Source {
    /// The user pinned it for this shell or this command.
    Pin,
    /// The nearest allowed `.backlog-aws`.
    Directory,
    /// A section for this directory in the user's own configuration.
    Rule,
    /// `BACKLOG_AWS_PROFILE` as it was before the hook first ran.
    Ambient,
    /// `BACKLOG_AWS_PROFILE` in the toolkit's file.
    ToolkitEnv,
    /// What the user's own configuration has for everywhere.
    UserDefault,
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
    /// Whether the user asked for this very profile. Then no other is ever used instead, because it could be another
    /// account's: when it cannot be used, there is no answer.
    pub fn is_explicit(self) -> bool {
        match self {
            Self::Pin
            | Self::Directory
            | Self::Rule
            | Self::Ambient
            | Self::ToolkitEnv
            | Self::UserDefault => true,
            Self::ToolkitEnvKeys
            | Self::EnvironmentKeys
            | Self::AwsProfile
            | Self::Default
            | Self::First => false,
        }
    }

    /// Whether it says of the values that are exported with it that nobody chose them.
    pub fn is_worked_out(self) -> bool {
        !matches!(self, Self::Pin | Self::Ambient)
    }

    /// As shown to people and scripts.
    pub fn name(self) -> &'static str {
        self.into()
    }

    pub fn from_name(name: &OsStr) -> Option<Self> {
        name.to_str()?.parse().ok()
    }
}
