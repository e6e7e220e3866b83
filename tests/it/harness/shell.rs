//! The three shells: where they are, how they start, and how each says the same thing.
//!
//! Quoting here is the harness's own, byte by byte in hexadecimal, so that a mistake in the product's quoting cannot
//! hide behind the same mistake in the test.

use std::env;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// A shell that the integration supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    pub const ALL: [Self; 3] = [Self::Bash, Self::Zsh, Self::Fish];

    pub fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        }
    }

    /// The executable: `BACKLOG_AWS_TEST_BASH` (`_ZSH`, `_FISH`) if set, to run the tests with another build of a
    /// shell, otherwise the first on `PATH`.
    ///
    /// # Panics
    ///
    /// If there is none: a shell that was not tested must not look like one that passed.
    #[track_caller]
    pub fn path(self) -> PathBuf {
        let variable = format!("BACKLOG_AWS_TEST_{}", self.name().to_uppercase());
        if let Some(path) = env::var_os(variable).filter(|path| !path.is_empty()) {
            return path.into();
        }
        let path = env::var_os("PATH").unwrap_or_default();
        env::split_paths(&path)
            .map(|directory| directory.join(self.name()))
            .find(|candidate| candidate.is_file())
            .unwrap_or_else(|| {
                let name = self.name();
                panic!(
                    "{name} is not on PATH, and its tests must run: `apt-get install {name}`, `dnf install {name}`, \
                     `pacman -S {name}`, `apk add {name}` or `brew install {name}`; `tests/run` does that for you"
                )
            })
    }

    /// The start-up file, relative to the home. For fish that is its default place, so that `XDG_*` can stay unset.
    pub fn rc_file(self) -> &'static str {
        match self {
            Self::Bash => ".bashrc",
            Self::Zsh => ".zshrc",
            Self::Fish => ".config/fish/config.fish",
        }
    }

    /// The line that the README tells people to put into that file.
    pub fn integration_line(self, arguments: &str) -> String {
        match self {
            Self::Bash | Self::Zsh => {
                format!(r#"eval "$(backlog-aws init {}{arguments})""#, self.name())
            }
            Self::Fish => format!("backlog-aws init fish{arguments} | source"),
        }
    }

    /// `value` as one word of this shell's language, every byte spelled in hexadecimal.
    pub fn quote(self, value: impl AsRef<OsStr>) -> String {
        let bytes = value.as_ref().as_bytes();
        if bytes.is_empty() {
            return "''".to_owned();
        }
        let (open, escape, close) = match self {
            Self::Bash | Self::Zsh => ("$'", r"\x", "'"),
            Self::Fish => ("", r"\X", ""),
        };
        let mut word = open.to_owned();
        for byte in bytes {
            write!(word, "{escape}{byte:02x}").expect("a String takes every write");
        }
        word + close
    }

    /// Sets and exports a variable for the rest of the session.
    pub fn export(self, name: &str, value: impl AsRef<OsStr>) -> String {
        let value = self.quote(value);
        match self {
            Self::Bash | Self::Zsh => format!("export {name}={value}"),
            Self::Fish => format!("set -gx {name} {value}"),
        }
    }

    /// Sets a variable of the shell without exporting it.
    pub fn assign(self, name: &str, value: impl AsRef<OsStr>) -> String {
        let value = self.quote(value);
        match self {
            Self::Bash | Self::Zsh => format!("{name}={value}"),
            Self::Fish => format!("set -g {name} {value}"),
        }
    }

    pub fn unset(self, name: &str) -> String {
        match self {
            Self::Bash | Self::Zsh => format!("unset {name}"),
            Self::Fish => format!("set -e {name}"),
        }
    }

    /// Runs the hook with nothing behind it. Succeeds when the shell itself says that nothing changed.
    pub fn ask_the_hook(self) -> &'static str {
        match self {
            Self::Bash | Self::Zsh => {
                "(__backlog_aws_refresh() { exit 1; }; __backlog_aws_hook; exit 0)"
            }
            Self::Fish => {
                "functions -c __backlog_aws_refresh __test_kept; \
                 function __backlog_aws_refresh; set -g __test_asked; end; \
                 __backlog_aws_hook; \
                 functions -e __backlog_aws_refresh; functions -c __test_kept __backlog_aws_refresh; \
                 functions -e __test_kept; not set -e __test_asked"
            }
        }
    }

    /// Words that expand to the exit statuses of the last pipeline.
    pub fn pipe_status(self) -> &'static str {
        match self {
            Self::Bash => r#""${PIPESTATUS[@]}""#,
            Self::Zsh => r#""${pipestatus[@]}""#,
            Self::Fish => "$pipestatus",
        }
    }

    /// A word that expands to the exit status of the last command.
    pub fn status(self) -> &'static str {
        match self {
            Self::Bash | Self::Zsh => r#""$?""#,
            Self::Fish => "$status",
        }
    }

    /// Writes the environment, as a child process receives it, and the shell's own variables into two files.
    ///
    /// Neither file may exist: plain `>` then works under `noclobber` too.
    pub(super) fn dump(self, environment: &Path, variables: &Path) -> String {
        let (environment, variables) = (self.quote(environment), self.quote(variables));
        match self {
            // `\` keeps aliases out of it. Posix mode prints no functions, the others print theirs indented.
            Self::Bash | Self::Zsh => {
                format!(r"/usr/bin/env -0 > {environment}; \builtin set > {variables}")
            }
            Self::Fish => format!("/usr/bin/env -0 > {environment}; builtin set -L > {variables}"),
        }
    }
}
