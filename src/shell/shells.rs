//! Which shells there are.

use std::path::Path;

/// A shell with an integration. In lower case, these are their names.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, strum::EnumString, strum::IntoStaticStr,
)]
#[strum(serialize_all = "lowercase")]
pub enum Shell {
    /// GNU Bash 3.2 and later.
    Bash,
    /// Zsh 5.0 and later.
    Zsh,
    /// fish 3.6 and later.
    Fish,
    /// nushell 0.115 and later.
    Nu,
}

impl Shell {
    /// Its name on the command line.
    pub fn word(self) -> &'static str {
        self.into()
    }

    /// The shell of this name or path, as `$SHELL` has it.
    pub fn from_path(path: &Path) -> Option<Self> {
        path.file_name()?.to_str()?.trim_start_matches('-').parse().ok()
    }
}
