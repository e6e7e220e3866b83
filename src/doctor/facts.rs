//! What only a shell knows about itself. Its integration passes it on when `doctor` is typed at the prompt.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::shell::Shell;

/// The function that the integration has a shell run at each prompt.
const HOOK: &str = "__backlog_aws_hook";

/// Prompt programs by what they leave in the place of the hook.
const MARKS: [(&str, &str); 5] = [
    ("starship_precmd", "starship"),
    ("__bp_", "bash-preexec"),
    ("ble/", "ble.sh"),
    ("_omp_", "oh-my-posh"),
    ("_powerline", "powerline"),
];

/// Arguments as `NAME=VALUE`: `session` is what the shell's state begins with, `program` what the integration calls,
/// `version` what printed it, `mode` that of `init --hook`, `hooks` what runs before each prompt. Integration and program
/// need not be of one version, so what is missing counts as empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts<'a> {
    pub shell: Shell,
    arguments: &'a [OsString],
}

impl<'a> Facts<'a> {
    /// `None` without the name of a shell: nobody passed any.
    pub fn of(arguments: &'a [OsString]) -> Option<Self> {
        let shell = Shell::from_path(value(arguments, "shell").as_ref())?;
        Some(Self { shell, arguments })
    }

    pub fn get(&self, name: &str) -> &'a OsStr {
        value(self.arguments, name)
    }

    /// Who replaced the hook, if it does not run before each prompt any more.
    pub fn displaced_by(&self) -> Option<&'static str> {
        let hooks = self.get("hooks").to_string_lossy();
        let found = MARKS.into_iter().find(|(mark, _)| hooks.contains(mark));
        (!hooks.contains(HOOK)).then_some(found.map_or("something", |(_, who)| who))
    }
}

fn value<'a>(arguments: &'a [OsString], name: &str) -> &'a OsStr {
    let value = arguments
        .iter()
        .find_map(|argument| argument.as_bytes().strip_prefix(name.as_bytes())?.strip_prefix(b"="));
    OsStr::from_bytes(value.unwrap_or_default())
}
