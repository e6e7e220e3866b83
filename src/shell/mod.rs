//! The shells: how values are quoted and assigned, and the integration scripts of `shell/` with their one line
//! filled in.

use std::ffi::OsStr;
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

impl Shell {
    /// The integration script as it stands in `shell/`.
    pub fn script(self) -> &'static str {
        match self {
            Self::Bash => include_str!("../../shell/backlog-aws.bash"),
            Self::Zsh => include_str!("../../shell/backlog-aws.zsh"),
            Self::Fish => include_str!("../../shell/backlog-aws.fish"),
            Self::Nu => include_str!("../../shell/backlog-aws.nu"),
        }
    }

    /// The integration script with its settings filled in; `completions` is whether Tab completion is part of it.
    pub fn integration(self, program: &Path, hook: HookMode, completions: bool) -> Vec<u8> {
        let mut filled = Vec::new();
        for line in self.script().split_inclusive('\n') {
            if line.contains(SETTINGS_LINE) {
                self.assign("bin", program, &mut filled);
                self.assign("mode", <&str>::from(hook), &mut filled);
                self.assign("version", env!("CARGO_PKG_VERSION"), &mut filled);
                self.assign("completions", if completions { "lazy" } else { "" }, &mut filled);
            } else {
                filled.extend_from_slice(line.as_bytes());
            }
        }
        filled
    }

    /// The first line of an answer. A DEBUG trap may print into it before the program does, so the scripts read from here.
    pub fn head(self) -> Vec<u8> {
        b"# backlog-aws\n".to_vec()
    }

    /// Changes to our variables, by the functions of `shell/`. Values are data, whatever they contain.
    pub fn change(self, changes: &[Change], out: &mut Vec<u8>) {
        for change in changes {
            let (command, end) = match (self, change.value()) {
                (Self::Nu, Some(_)) => ("", ": "),
                (Self::Nu, None) => ("", ": null"),
                (_, Some(_)) => ("__backlog_aws_set ", " "),
                (_, None) => ("__backlog_aws_unset ", ""),
            };
            self.line(&[command, change.name(), end], change.value(), out);
        }
    }

    /// Assigns a value to one of our private variables, named without `__backlog_aws_`.
    pub fn assign(self, name: &str, value: impl AsRef<OsStr>, out: &mut Vec<u8>) {
        let (start, end) = match self {
            Self::Bash | Self::Zsh => ("__backlog_aws_", "="),
            Self::Fish => ("builtin set -g __backlog_aws_", " "),
            Self::Nu => ("", ": "),
        };
        self.line(&[start, name, end], Some(value.as_ref()), out);
    }

    /// Assigns a list, so many words a line.
    pub fn assign_list(self, name: &str, words: &[PathBuf], per_line: usize, out: &mut Vec<u8>) {
        let (start, open, lead, close) = match self {
            Self::Bash | Self::Zsh if words.is_empty() => ("__backlog_aws_", "=(", "", ")"),
            Self::Bash | Self::Zsh => ("__backlog_aws_", "=(", "\n ", "\n)"),
            Self::Fish => ("builtin set -g __backlog_aws_", "", " \\\n ", ""),
            Self::Nu => ("", ": [", "\n ", "\n]"),
        };
        out.extend([start, name, open].concat().bytes());
        for row in words.chunks(per_line) {
            out.extend(lead.bytes());
            for word in row {
                out.push(b' ');
                quote(self, word, out);
            }
        }
        self.line(&[close], None, out);
    }

    /// Exports a variable, or unsets it, by builtins alone.
    pub fn export(self, name: &str, value: Option<&OsStr>, out: &mut Vec<u8>) {
        let (command, end) = match (self, value) {
            (Self::Fish, Some(_)) => ("builtin set -gx ", " "),
            (Self::Fish, None) => ("builtin set -eg ", ""),
            (_, Some(_)) => ("export ", "="),
            (_, None) => ("unset ", ""),
        };
        self.line(&[command, name, end], value, out);
    }

    /// For a script of any version: changes, and no more asking. Every version calls `__backlog_aws_refresh`, or stops
    /// where it is told that it was `left`.
    pub fn leave(self, changes: &[Change]) -> Vec<u8> {
        let mut out = self.head();
        match self {
            Self::Nu => self.change(changes, &mut out),
            _ => changes.iter().for_each(|it| self.export(it.name(), it.value(), &mut out)),
        }
        let no_more = match self {
            Self::Bash | Self::Zsh => "__backlog_aws_refresh() { return 0; }",
            Self::Fish => "function __backlog_aws_refresh; end",
            Self::Nu => "left: true",
        };
        self.line(&[no_more], None, &mut out);
        out
    }

    fn line(self, parts: &[&str], value: Option<&OsStr>, out: &mut Vec<u8>) {
        out.extend(parts.concat().bytes());
        if let Some(value) = value {
            quote(self, value, out);
        }
        out.push(b'\n');
    }
}

/// What marks the one line of an integration script that `init` replaces.
const SETTINGS_LINE: &str = "# settings";

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn every_script_has_exactly_one_settings_line() {
        for shell in Shell::value_variants() {
            let found = shell.script().lines().filter(|line| line.contains(SETTINGS_LINE)).count();
            assert_eq!(found, 1, "{shell:?}");
        }
    }

    #[test]
    fn the_settings_line_is_filled_in_and_nothing_else_changes() {
        for shell in Shell::value_variants() {
            let program = Path::new("/opt/it's/backlog-aws");
            let text = String::from_utf8(shell.integration(program, HookMode::Cd, false)).unwrap();
            let (before, rest) = shell.script().split_once(SETTINGS_LINE).unwrap();
            let before = &before[..=before.rfind('\n').unwrap()];
            let after = rest.split_once('\n').unwrap().1;
            let filled = text.strip_prefix(before).and_then(|text| text.strip_suffix(after));
            assert!(filled.is_some_and(|filled| filled.lines().count() == 4), "{text}");
        }
    }

    #[test]
    fn a_login_shell_is_recognised_by_its_name() {
        assert_eq!(Shell::from_path(Path::new("-zsh")), Some(Shell::Zsh));
        assert_eq!(Shell::from_path(Path::new("/usr/bin/fish")), Some(Shell::Fish));
        assert_eq!(Shell::from_path(Path::new("/bin/sh")), None);
    }
}
