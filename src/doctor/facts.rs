//! What only a shell knows about itself. Its integration passes it on when `doctor` is typed at the prompt.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::shell::Shell;

/// The function that the integration has a shell run at each prompt.
const HOOK: &str = "__backlog_aws_hook";

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

    /// Whether something else took the place of the hook, so that it does not run before each prompt any more.
    pub fn is_displaced(&self) -> bool {
        !self.get("hooks").to_string_lossy().contains(HOOK)
    }
}

fn value<'a>(arguments: &'a [OsString], name: &str) -> &'a OsStr {
    let value = arguments
        .iter()
        .find_map(|argument| argument.as_bytes().strip_prefix(name.as_bytes())?.strip_prefix(b"="));
    OsStr::from_bytes(value.unwrap_or_default())
}
