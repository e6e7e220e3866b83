//! The three shells: how values are quoted, how changes and the "nothing changed" test are written, and the
//! integration scripts of `shell/` with their one line filled in.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

mod check;
mod fish;
mod posix;
pub mod quote;

pub use check::{Check, Precision, Stamp};
pub use quote::{print_code, quote};

use crate::session::Change;

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

/// When the integration looks whether something changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
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

impl HookMode {
    fn word(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Cd => "cd",
            Self::None => "none",
        }
    }
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

    /// The integration script as it stands in `shell/`.
    pub fn script(self) -> &'static str {
        match self {
            Self::Bash => include_str!("../../shell/backlog-aws.bash"),
            Self::Zsh => include_str!("../../shell/backlog-aws.zsh"),
            Self::Fish => include_str!("../../shell/backlog-aws.fish"),
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
            ("__backlog_aws_mode", OsStr::new(settings.hook.word())),
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

    /// Changes as code for `eval`. Values are data in it, whatever they contain.
    pub fn render(self, changes: &[Change], out: &mut Vec<u8>) {
        for change in changes {
            let name = change.name();
            match (change.value(), self) {
                (Some(value), _) => self.export(name, value, out),
                (None, Self::Bash) => line(
                    out,
                    &[NAMEREF, name, " 2>/dev/null || \\builtin unset -v ", name, " 2>/dev/null"],
                ),
                (None, Self::Zsh) => {
                    line(out, &["[[ ${(t)", name, "-} == *readonly* ]] || builtin unset ", name]);
                }
                // The global one, so that a value from the universal scope shows through again.
                (None, Self::Fish) => line(out, &["builtin set -eg ", name]),
            }
        }
    }

    fn export(self, name: &str, value: &OsStr, out: &mut Vec<u8>) {
        match self {
            // Not `export NAME='value'`: under `set -k` that is an assignment in front of `export`. Not `NAME='value'`:
            // in a function, bash ends the whole command line when NAME is readonly.
            Self::Bash => {
                push(out, &[NAMEREF, name, " 2>/dev/null || { \\builtin printf -v ", name, " %s "]);
                quote(self, value, out);
                line(out, &[" 2>/dev/null && \\builtin export ", name, "; }"]);
            }
            // A readonly variable would end the function; it is left alone, and counts as the user's word next time.
            Self::Zsh => {
                push(
                    out,
                    &["[[ ${(t)", name, "-} == *readonly* ]] || builtin typeset -gx ", name, "="],
                );
                quote(self, value, out);
                line(out, &[]);
            }
            Self::Fish => {
                push(out, &["builtin set -gx ", name, " "]);
                quote(self, value, out);
                line(out, &[]);
            }
        }
    }
}

/// bash follows a name reference when it sets or unsets a variable: `declare -n BACKLOG_AWS_PROFILE=AWS_PROFILE` would
/// have us write to AWS's. Such a name is left alone. Before 4.3 there are none, and the test fails.
const NAMEREF: &str = "\\builtin test -R ";

/// What marks the one line of an integration script that `init` replaces.
const SETTINGS_LINE: &str = "# settings";

fn push(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(OsStr::new(part).as_bytes());
    }
}

fn line(out: &mut Vec<u8>, parts: &[&str]) {
    push(out, parts);
    out.push(b'\n');
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
