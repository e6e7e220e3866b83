//! How well a shell can tell that a file changed.

use std::ffi::OsStr;

/// How a shell compares files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::EnumString)]
#[strum(serialize_all = "kebab-case")]
pub enum Precision {
    /// Modification times with those of stamps, to the nanosecond: bash 5 and later, fish.
    Stamps,
    /// The same in whole seconds: bash 3.2 to 4.4.
    SecondStamps,
    /// Change times: zsh.
    ChangeTime,
    /// Modification times, those of directories among them: nushell.
    ModificationTime,
    /// Not at all: `init --hook cd`, and a zsh without `zsh/stat`.
    #[default]
    Nothing,
}

impl Precision {
    /// The word that the integration passes.
    pub fn from_word(word: &OsStr) -> Option<Self> {
        word.to_str()?.parse().ok()
    }
}
