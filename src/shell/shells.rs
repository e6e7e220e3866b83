//! Which shells there are.

use std::path::Path;

/// A shell with an integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Shell {
    /// GNU Bash 3.2 and later.
    Bash,
    /// Zsh 5.0 and later.
    Zsh,
    /// fish 3.6 and later.
    Fish,
}

impl Shell {
    /// Its name on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        }
    }

    /// The shell of this name or path, as `$SHELL` has it.
    pub fn from_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        [Self::Bash, Self::Zsh, Self::Fish]
            .into_iter()
            .find(|shell| name.trim_start_matches('-') == shell.word())
    }
}
