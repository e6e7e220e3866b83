//! What the program has to say unasked: stable codes for scripts, one line of wording for people.
//!
//! Wording lives here and nowhere else, so that the phrases people search for stay the same everywhere. Deciding *when*
//! a notice applies belongs to [`crate::resolve`]; deciding whether it was said already, to [`crate::session`].

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde::Serialize;

/// The stable name of a notice, as it stands in `--json` output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// `AWS_PROFILE` names an SSO profile: fine for Claude Code, of no use to the toolkit.
    AwsProfileSso,
    /// `AWS_PROFILE` names a profile of another kind that has no usable keys.
    AwsProfileUnusable,
    /// `AWS_PROFILE` names a profile that is in neither AWS file.
    AwsProfileMissing,
    /// Nothing names a profile; the first usable one was taken.
    AutoDetected,
    /// The profile the user asked for cannot be used, and no other is taken in its place.
    Unusable,
    /// No candidate of the chain gives credentials.
    NoneFound,
    /// An override file lies on the way up, but nobody has allowed it.
    OverrideNotAllowed,
    /// An allowed override file cannot be understood or read.
    OverrideInvalid,
    /// The credentials the user asked for have run out.
    CredentialsExpired,
    /// The chosen credentials run out within [`EXPIRES_SOON_MINUTES`].
    CredentialsExpireSoon,
    /// A line of an input file was rejected or ignored.
    FileInvalid,
    /// An input file is there but cannot be read.
    FileUnreadable,
    /// Others can read the credentials file.
    FilePermissions,
    /// Keys in the environment are used although `AWS_PROFILE` is set.
    EnvironmentKeysShadow,
    /// A value in the toolkit's file would need a shell to expand it.
    ValueNeedsExpansion,
}

/// How long before their end credentials count as expiring soon, in minutes.
pub const EXPIRES_SOON_MINUTES: i64 = 15;

impl Code {
    /// Whether `BACKLOG_AWS_QUIET=1` leaves this notice standing.
    ///
    /// Errors are those after which a command that the user asked for will not do what they think.
    pub fn is_error(self) -> bool {
        matches!(
            self,
            Self::Unusable
                | Self::OverrideInvalid
                | Self::CredentialsExpired
                | Self::FileUnreadable
        )
    }
}

/// One notice: a code and one line of text without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// The stable code.
    pub code: Code,
    /// One line: what, where, what to do.
    pub message: String,
    /// Said once per shell even if it comes and goes, because walking in and out of a directory is no news.
    #[serde(skip)]
    pub sticky: bool,
    /// A fingerprint of what it is about beyond its wording, such as a file's content. Zero when the wording says all.
    #[serde(skip)]
    pub subject: u64,
}

impl Notice {
    /// A notice that is said again whenever it newly applies.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), sticky: false, subject: 0 }
    }

    /// A notice that is said once in the life of a shell.
    pub fn once(code: Code, message: impl Into<String>) -> Self {
        Self { sticky: true, ..Self::new(code, message) }
    }

    /// The same notice, said again when `subject` changes.
    #[must_use]
    pub fn about(self, subject: &[u8]) -> Self {
        Self { subject: fingerprint(subject), ..self }
    }

    /// Whether it matters to somebody who runs a command with the credentials: the rest is about the shell.
    pub fn concerns_exec(&self) -> bool {
        matches!(
            self.code,
            Code::AutoDetected
                | Code::CredentialsExpireSoon
                | Code::OverrideNotAllowed
                | Code::ValueNeedsExpansion
        ) || self.code.is_error()
    }

    /// What tells this notice from others.
    pub fn fingerprint(&self) -> u64 {
        fingerprint(self.message.as_bytes()) ^ self.subject.rotate_left(1)
    }
}

/// FNV-1a, 64 bit (Fowler, Noll, Vo). It tells one notice from another and a damaged state from a whole one; nothing that
/// uses it has to withstand an attacker, who could as well set the variables themselves.
pub fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "backlog-aws: {}", self.message)
    }
}

/// Text from outside made fit for a terminal: control and bidirectional-override characters and bytes that are not
/// UTF-8 become visible escapes.
///
/// A name like `bed\u{202e}kcor` would otherwise read as another profile, and an escape sequence could rewrite the line
/// that warns about it ("Trojan Source", CVE-2021-42574).
pub fn visible(text: impl AsRef<OsStr>) -> String {
    use fmt::Write as _;
    let mut shown = String::new();
    for chunk in text.as_ref().as_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => shown.push_str("\\n"),
                '\t' => shown.push_str("\\t"),
                '\r' => shown.push_str("\\r"),
                c if (c.is_control() || is_invisible(c)) && u32::from(c) < 0x80 => {
                    let _ = write!(shown, "\\x{:02x}", u32::from(c));
                }
                c if c.is_control() || is_invisible(c) => {
                    let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
                }
                c => shown.push(c),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

/// A path as a word that bash, zsh and fish read alike, or `None` when there is none: text that cannot be shown as it is
/// cannot be pasted either, and a backslash within quotes means one thing to fish and another to the others.
pub fn pasted(path: &Path) -> Option<String> {
    let text = path.to_str()?;
    let alike = !text.contains(['\\', '`']) && visible(text) == text;
    alike.then(|| shell_escape::unix::escape(text.into()).into_owned())
}

/// A command on a path in backquotes, for pasting into any of the three shells; where it cannot be pasted, in words.
pub fn command_on(command: &str, path: &Path) -> String {
    match pasted(path) {
        Some(path) => format!("`{command} {path}`"),
        None => format!("{command} on {}", visible(path)),
    }
}

/// Characters that change how the rest of a line is read without being seen themselves: bidirectional controls
/// (Unicode UAX #9), zero-width characters, line separators, tags and the byte order mark.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_bidi_characters_are_made_visible() {
        assert_eq!(visible("bedrock"), "bedrock");
        assert_eq!(visible("a\x1b[2Kb\nc"), "a\\x1b[2Kb\\nc");
        assert_eq!(visible("bed\u{202e}kcor"), "bed\\u{202e}kcor");
        assert_eq!(visible("\u{9b}31m"), "\\u{9b}31m");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_made_visible() {
        assert_eq!(visible(OsStr::from_bytes(b"caf\xe9")), "caf\\xe9");
    }

    #[test]
    fn codes_are_kebab_case_in_json() {
        let json = serde_json::to_string(&Notice::new(Code::AwsProfileSso, "x")).unwrap();
        assert_eq!(json, r#"{"code":"aws-profile-sso","message":"x"}"#);
    }
}
