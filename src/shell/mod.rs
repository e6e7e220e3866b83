//! The three shells: how values are quoted and assigned, and the integration scripts of `shell/` with their one line
//! filled in.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

pub mod quote;
mod shells;

pub use quote::{print_code, quote};
pub use shells::Shell;

use crate::session::Change;

/// When the integration looks whether something changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum HookMode {
    /// At every prompt, and at every `cd` where the shell has such an event. The default
    #[default]
    Prompt,
    /// Only when the directory changed: for home directories on slow network file systems. Bash has no such event, so
    /// its prompt compares the directory and nothing else
    Cd,
    /// Never by itself: only the `backlog-aws` function is defined, for `backlog-aws use`
    None,
}

/// What `init` was asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Integration {
    /// When to look.
    pub hook: HookMode,
    /// Whether to leave Tab completion to other means.
    pub no_completions: bool,
}

impl Shell {
    /// The integration script as it stands in `shell/`.
    pub fn script(self) -> &'static str {
        match self {
            Self::Bash => include_str!("../../shell/backlog-aws.bash"),
            Self::Zsh => include_str!("../../shell/backlog-aws.zsh"),
            Self::Fish => include_str!("../../shell/backlog-aws.fish"),
        }
    }

    /// The line of a start-up file that loads the integration; `program` is a word for it.
    pub fn load_line(self, program: &str) -> String {
        match self {
            Self::Bash | Self::Zsh => format!("eval \"$({program} init {})\"", self.word()),
            Self::Fish => format!("{program} init fish | source"),
        }
    }

    /// The completion script as it stands in `completions/`.
    pub fn completions(self) -> &'static str {
        match self {
            Self::Bash => include_str!("../../completions/backlog-aws.bash"),
            Self::Zsh => include_str!("../../completions/_backlog-aws"),
            Self::Fish => include_str!("../../completions/backlog-aws.fish"),
        }
    }

    /// The integration script with its settings line filled in.
    pub fn integration(self, program: &Path, settings: Integration) -> Vec<u8> {
        let mut filled = Vec::new();
        for line in self.script().split_inclusive('\n') {
            if line.contains(SETTINGS_LINE) {
                self.settings(program, settings, &mut filled);
            } else {
                filled.extend_from_slice(line.as_bytes());
            }
        }
        filled
    }

    fn settings(self, program: &Path, settings: Integration, out: &mut Vec<u8>) {
        let completions = if settings.no_completions { "" } else { "lazy" };
        let words = [
            ("__backlog_aws_bin", program.as_os_str()),
            ("__backlog_aws_mode", OsStr::new(<&str>::from(settings.hook))),
            ("__backlog_aws_version", OsStr::new(env!("CARGO_PKG_VERSION"))),
            ("__backlog_aws_completions", OsStr::new(completions)),
        ];
        for (index, (name, value)) in words.into_iter().enumerate() {
            let separator: &[u8] = match (self, index) {
                (_, 0) => b"",
                (Self::Fish, _) => b"; ",
                _ => b" ",
            };
            out.extend_from_slice(separator);
            if self == Self::Fish {
                out.extend_from_slice(format!("builtin set -g {name} ").as_bytes());
            } else {
                out.extend_from_slice(format!("{name}=").as_bytes());
            }
            quote(self, value, out);
        }
        out.push(b'\n');
    }

    /// The first line of an answer. A DEBUG trap may print into it before the program does, so the scripts read from here.
    pub fn head(self) -> Vec<u8> {
        b"# backlog-aws\n".to_vec()
    }

    /// Changes to our variables, by the functions of `shell/`. Values are data, whatever they contain.
    pub fn change(self, changes: &[Change], out: &mut Vec<u8>) {
        for change in changes {
            if let Some(value) = change.value() {
                push(out, &["__backlog_aws_set ", change.name(), " "]);
                quote(self, value, out);
            } else {
                push(out, &["__backlog_aws_unset ", change.name()]);
            }
            push(out, &["\n"]);
        }
    }

    /// Assigns a value to one of our private variables.
    pub fn assign(self, name: &str, value: impl AsRef<OsStr>, out: &mut Vec<u8>) {
        match self {
            Self::Bash | Self::Zsh => push(out, &[name, "="]),
            Self::Fish => push(out, &["builtin set -g ", name, " "]),
        }
        quote(self, value, out);
        push(out, &["\n"]);
    }

    /// Assigns a list, a line for each row of words.
    pub fn assign_list(self, name: &str, rows: &[Vec<PathBuf>], out: &mut Vec<u8>) {
        let (open, row_start, close) = match self {
            Self::Bash | Self::Zsh if rows.is_empty() => ([name, "=("], "", ")\n"),
            Self::Bash | Self::Zsh => ([name, "=("], "\n ", "\n)\n"),
            Self::Fish => (["builtin set -g ", name], " \\\n ", "\n"),
        };
        push(out, &open);
        for row in rows {
            push(out, &[row_start]);
            for word in row {
                push(out, &[" "]);
                quote(self, word, out);
            }
        }
        push(out, &[close]);
    }

    /// Exports a variable, or unsets it, by builtins alone.
    pub fn export(self, name: &str, value: Option<&OsStr>, out: &mut Vec<u8>) {
        let (command, assign) = match (self, value) {
            (Self::Fish, Some(_)) => ("builtin set -gx ", " "),
            (Self::Fish, None) => ("builtin set -eg ", ""),
            (_, Some(_)) => ("export ", "="),
            (_, None) => ("unset ", ""),
        };
        push(out, &[command, name, assign]);
        if let Some(value) = value {
            quote(self, value, out);
        }
        push(out, &["\n"]);
    }

    /// For a script of any version: changes, and no more asking. Every version calls `__backlog_aws_refresh`.
    pub fn leave(self, changes: &[Change]) -> Vec<u8> {
        let mut out = self.head();
        for change in changes {
            self.export(change.name(), change.value(), &mut out);
        }
        push(
            &mut out,
            &[match self {
                Self::Bash | Self::Zsh => "__backlog_aws_refresh() { return 0; }\n",
                Self::Fish => "function __backlog_aws_refresh; end\n",
            }],
        );
        out
    }
}

/// What marks the one line of an integration script that `init` replaces.
const SETTINGS_LINE: &str = "# settings";

fn push(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(OsStr::new(part).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_has_exactly_one_settings_line() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let found = shell.script().lines().filter(|line| line.contains(SETTINGS_LINE)).count();
            assert_eq!(found, 1, "{shell:?}");
        }
    }

    #[test]
    fn the_settings_line_is_filled_in_and_nothing_else_changes() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let settings = Integration { hook: HookMode::Cd, no_completions: true };
            let text =
                String::from_utf8(shell.integration(Path::new("/opt/it's/backlog-aws"), settings))
                    .unwrap();
            assert!(text.contains("__backlog_aws_mode"), "{text}");
            assert_eq!(text.lines().count(), shell.script().lines().count());
            let differing =
                text.lines().zip(shell.script().lines()).filter(|(a, b)| a != b).count();
            assert_eq!(differing, 1);
        }
    }

    #[test]
    fn a_login_shell_is_recognised_by_its_name() {
        assert_eq!(Shell::from_path(Path::new("-zsh")), Some(Shell::Zsh));
        assert_eq!(Shell::from_path(Path::new("/usr/bin/fish")), Some(Shell::Fish));
        assert_eq!(Shell::from_path(Path::new("/bin/sh")), None);
    }
}
