//! What the program has to say unasked: stable codes for scripts, one line of wording for people.
//!
//! Wording lives here and nowhere else, so that the phrases people search for stay the same everywhere. Deciding *when*
//! a notice applies belongs to [`crate::resolve`]; deciding whether it was said already, to [`crate::session`].

use std::fmt;
use std::io::Write;

use serde::Serialize;

use crate::world::Environment;

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
pub struct Finding {
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

impl Finding {
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

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "backlog-aws: {}", self.message)
    }
}

/// Prints findings, unless the user wants quiet. A closed standard error is no reason to fail.
pub fn print_findings(findings: &[Finding], env: &Environment, err: &mut dyn Write) {
    let quiet = is_quiet(env);
    for finding in findings.iter().filter(|finding| !quiet || finding.code.is_error()) {
        // One write: what runs beside us on the same terminal must not get into the middle of the line.
        let _ = err.write_all(format!("{finding}\n").as_bytes());
    }
}

/// Whether the user wants errors alone.
pub fn is_quiet(env: &Environment) -> bool {
    env.get("BACKLOG_AWS_QUIET").is_some_and(|value| value == "1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_kebab_case_in_json() {
        let json = serde_json::to_string(&Finding::new(Code::AwsProfileSso, "x")).unwrap();
        assert_eq!(json, r#"{"code":"aws-profile-sso","message":"x"}"#);
    }
}
