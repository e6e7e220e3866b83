//! What only a shell knows about itself. Its integration passes it on when `doctor` is typed at the prompt.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::shell::Shell;

/// The function that the integration hangs into a shell's prompt.
const HOOK: &str = "__backlog_aws_hook";

/// A shell's word on its integration. Names that this version does not know are passed over, and what is missing counts
/// as empty, so that integration and program need not be of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Which shell it is.
    pub shell: Shell,
    /// What its state begins with.
    pub session: String,
    /// The program that the integration calls.
    pub program: PathBuf,
    /// When it looks whether something changed: `init --hook`.
    pub mode: String,
    /// The version that printed it; empty when it was not printed but sourced as a file.
    pub version: String,
    /// What runs before each prompt, as the shell lists it.
    pub hooks: String,
}

impl Facts {
    /// Reads `NAME=VALUE` words. `None` when they do not tell which shell it is: nobody passed any.
    pub fn parse(words: &[OsString]) -> Option<Self> {
        let get = |name: &str| {
            let value = words
                .iter()
                .filter_map(|word| word.as_bytes().strip_prefix(name.as_bytes()))
                .find_map(|rest| rest.strip_prefix(b"="));
            OsStr::from_bytes(value.unwrap_or_default())
        };
        let text = |name: &str| get(name).to_string_lossy().into_owned();
        Some(Self {
            shell: Shell::from_path(Path::new(get("shell")))?,
            session: text("session"),
            program: get("program").into(),
            mode: text("mode"),
            version: text("version"),
            hooks: text("hooks"),
        })
    }

    /// Whether the hook is among what runs before each prompt.
    pub fn has_hook(&self) -> bool {
        self.hooks.contains(HOOK)
    }

    /// Who took the prompt over, by what they leave there.
    pub fn displaced_by(&self) -> Option<&'static str> {
        const MARKS: [(&str, &str); 9] = [
            ("starship_precmd", "starship"),
            ("__bp_", "bash-preexec"),
            ("ble/", "ble.sh"),
            ("_omp_", "oh-my-posh"),
            ("_powerline", "powerline"),
            ("_atuin", "atuin"),
            ("_mise_hook", "mise"),
            ("__zoxide_hook", "zoxide"),
            ("_direnv_hook", "direnv"),
        ];
        MARKS.into_iter().find(|(mark, _)| self.hooks.contains(mark)).map(|(_, who)| who)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(words: &[&str]) -> Option<Facts> {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        Facts::parse(&words)
    }

    #[test]
    fn facts_of_another_version_are_read_as_far_as_they_are_known() {
        let read = facts(&["shell=zsh", "tomorrow=x", "session=1.2", "nonsense"]).unwrap();
        assert_eq!(read.shell, Shell::Zsh);
        assert_eq!(read.session, "1.2");
        assert_eq!(read.version, "");
        assert_eq!(facts(&[]), None);
        assert_eq!(facts(&["shell=tcsh"]), None);
    }

    #[test]
    fn who_took_the_prompt_is_known_by_what_they_leave() {
        let read = |hooks: &str| facts(&["shell=bash", &format!("hooks={hooks}")]).unwrap();
        assert!(read("foo\n__backlog_aws_hook\n").has_hook());
        let displaced = read("starship_precmd\n");
        assert!(!displaced.has_hook());
        assert_eq!(displaced.displaced_by(), Some("starship"));
        assert_eq!(read("__bp_precmd_invoke_cmd").displaced_by(), Some("bash-preexec"));
        assert_eq!(read("history -a").displaced_by(), None);
    }
}
