//! What there is to say about a shell and its files: a code for scripts, a line for people, and what to do.
//!
//! A finding is made beside the rule that finds it. The hook prints it as one line, `doctor` with its remedy below it,
//! `--json` as data. Whether it was said already is for [`crate::session`].

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use crate::layout::message;
use crate::text::visible;
use crate::world::Environment;

/// The stable name of a finding in `--json` output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    AwsProfileSso,
    AwsProfileUnusable,
    AwsProfileMissing,
    /// Nothing names a profile, and the first usable one was taken.
    AutoDetected,
    /// The profile the user chose cannot be used.
    Unusable,
    /// No candidate of the chain gives credentials.
    NoneFound,
    OverrideNotAllowed,
    OverrideInvalid,
    CredentialsExpired,
    /// They expire within [`EXPIRES_SOON_MINUTES`].
    CredentialsExpireSoon,
    /// Keys that cannot work, whatever AWS says.
    CredentialsImplausible,
    /// A Bedrock API key opens another region than the one in use.
    ApiKeyRegion,
    /// An account is wanted, and that of the credentials is not known.
    AccountUnknown,
    /// A region that is not in our list of AWS's.
    RegionUnknown,
    /// A line of an input file was rejected or ignored.
    FileInvalid,
    FileUnreadable,
    /// Others can read or write what only the user should.
    FilePermissions,
    /// Keys in the environment are used although `AWS_PROFILE` is set.
    EnvironmentKeysShadow,
    ValueNeedsExpansion,
    /// What `env` exported earlier counts as a choice now.
    EarlierAnswer,

    // What only `doctor` looks for.
    /// The profile that the toolkit gets.
    Profile,
    Hook,
    HookNotLoaded,
    HookNotChecked,
    HookNotRun,
    /// It has not run since something changed.
    HookStale,
    /// Something else stands in its place in the shell's list.
    HookDisplaced,
    IntegrationVersion,
    ProgramGone,
    ProgramNotOnPath,
    ProfileVariableEmpty,
    ProfileVariableMissing,
    EnvironmentKeys,
    EnvironmentKeysEmpty,
    EnvironmentHalfKeyPair,
    BearerToken,
    BearerTokenEmpty,
    /// A variable points to a file that does not exist.
    FileMissing,
    /// A start of the toolkit without `exec` does otherwise than the answer says.
    PlainStart,
    /// The start script undoes what `exec` sets.
    ToolkitEnvOverrides,
    ToolkitRegion,
    /// The same in the start script's Docker mode.
    ToolkitDocker,
    /// The start script does not know the API keys of Bedrock.
    ToolkitApiKey,
    Boto3Differs,
    /// boto3 gives up on the whole file.
    Boto3Rejects,
    HalfKeyPair,
    /// A `LiteLLM` that was started before the files last changed.
    LitellmOlder,
    /// Claude Code's settings have variables of AWS, or cannot be read.
    ClaudeSettings,
    /// git tracks a file with keys.
    TrackedKeys,
    /// Where something of ours is.
    Installed,
}

/// How long before their end credentials count as expiring soon, in minutes.
pub const EXPIRES_SOON_MINUTES: i64 = 15;

/// How bad it is, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Something does not work, and this is why.
    Problem,
    /// It works, and perhaps not as people think.
    Warning,
    /// As it should be. Only `doctor` says so.
    Ok,
}

/// A file, and a line of it where one is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub path: PathBuf,
    /// Counted from 1.
    pub line: Option<usize>,
}

impl Place {
    pub fn file(path: &Path) -> Self {
        Self { path: path.to_owned(), line: None }
    }

    pub fn line(path: &Path, line: usize) -> Self {
        Self { path: path.to_owned(), line: Some(line) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&visible(&self.path))?;
        self.line.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How often a shell says a finding at its prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Told {
    /// Whenever it starts to hold.
    #[default]
    OnChange,
    /// Once, even if it comes and goes: walking in and out of a directory is no news.
    OncePerShell,
    /// The same, and the shells started from that one do not repeat it.
    OncePerFamily,
    /// Never. `status`, `doctor` and `exec` say it.
    WhenAsked,
}

/// One finding. Its texts hold no control characters and no secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub code: Code,
    pub severity: Severity,
    /// What was found.
    pub message: String,
    /// Where, unless the message says so itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Place>,
    /// What to do. A command in backquotes works when it is pasted into any of the shells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// How often a shell says it at its prompts.
    #[serde(skip)]
    pub told: Told,
    /// Whether it tells of another account than before, which `BACKLOG_AWS_QUIET=1` does not hide.
    #[serde(skip)]
    pub changes_account: bool,
    /// A hash of what it is about beyond its text, such as a file's content. Zero when the text says all.
    #[serde(skip)]
    pub subject: u64,
}

impl Finding {
    fn new(code: Code, severity: Severity, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            code,
            severity,
            message,
            at: None,
            remedy: None,
            told: Told::default(),
            changes_account: false,
            subject: 0,
        }
    }

    pub fn problem(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Problem, message)
    }

    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, message)
    }

    pub fn ok(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Ok, message)
    }

    #[must_use]
    pub fn at(self, place: Place) -> Self {
        Self { at: Some(place), ..self }
    }

    #[must_use]
    pub fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }

    #[must_use]
    pub fn told(self, told: Told) -> Self {
        Self { told, ..self }
    }

    /// The same finding; when an account `changes` and it is about that, it is said also to those who want quiet.
    #[must_use]
    pub fn loud_if(self, changes: bool) -> Self {
        let about_it = matches!(self.code, Code::AutoDetected | Code::EnvironmentKeysShadow);
        Self { changes_account: changes && about_it, ..self }
    }

    /// The same finding, said again when `subject` changes.
    #[must_use]
    pub fn about(self, subject: &[u8]) -> Self {
        Self { subject: fingerprint(subject), ..self }
    }

    /// Whether `BACKLOG_AWS_QUIET=1` leaves it standing: what the user asked for will not happen, or another account
    /// pays than people think.
    pub fn survives_quiet(&self) -> bool {
        let stops = matches!(
            self.code,
            Code::Unusable
                | Code::OverrideInvalid
                | Code::OverrideNotAllowed
                | Code::CredentialsExpired
                | Code::FileUnreadable
        );
        self.changes_account || stops && self.severity == Severity::Problem
    }

    /// Whether it matters to somebody who runs a command with the credentials: the rest is about the shell.
    pub fn concerns_exec(&self) -> bool {
        matches!(
            self.code,
            Code::AutoDetected
                | Code::CredentialsExpireSoon
                | Code::OverrideNotAllowed
                | Code::CredentialsImplausible
                | Code::ApiKeyRegion
                | Code::AccountUnknown
                | Code::ValueNeedsExpansion
        ) || self.survives_quiet()
    }

    /// What tells this finding from others.
    pub fn fingerprint(&self) -> u64 {
        fingerprint(self.to_string().as_bytes()) ^ self.subject.rotate_left(1)
    }

    /// What was found and where, without the remedy.
    pub fn what_and_where(&self) -> String {
        match &self.at {
            Some(at) => format!("{} ({at})", self.message),
            None => self.message.clone(),
        }
    }
}

/// One line: what, where, what to do.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what_and_where())?;
        self.remedy.as_ref().map_or(Ok(()), |remedy| write!(f, "; {remedy}"))
    }
}

/// FNV-1a, 64 bit (Fowler, Noll, Vo). It tells one finding from another; nothing that uses it has to withstand an
/// attacker, who could as well set the variables themselves.
pub fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The findings without the fourth and further of one kind, which are counted: a binary file has thousands of bad lines.
pub fn abridged(findings: Vec<Finding>) -> Vec<Finding> {
    const SHOWN: usize = 3;
    let mut shown: Vec<Finding> = Vec::new();
    let mut left_out: Vec<(Code, usize)> = Vec::new();
    for finding in findings {
        if shown.iter().filter(|other| other.code == finding.code).count() < SHOWN {
            shown.push(finding);
        } else if let Some((_, count)) = left_out.iter_mut().find(|(code, _)| *code == finding.code)
        {
            *count += 1;
        } else {
            left_out.push((finding.code, 1));
        }
    }
    let more = left_out.into_iter().map(|(code, count)| {
        Finding::warning(code, format!("{count} more like this"))
            .remedy("`backlog-aws doctor` lists them")
    });
    shown.into_iter().chain(more).collect()
}

/// Prints findings, each on its line, unless the user wants quiet. A closed standard error is no reason to fail.
pub fn print_findings(
    findings: impl IntoIterator<Item = Finding>,
    env: &Environment,
    err: &mut dyn Write,
) {
    let quiet = is_quiet(env);
    for finding in findings.into_iter().filter(|finding| !quiet || finding.survives_quiet()) {
        let _ = err.write_all(message(&finding.to_string(), env).as_bytes());
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
        let json = serde_json::to_string(&Finding::warning(Code::AwsProfileSso, "x")).unwrap();
        assert_eq!(json, r#"{"code":"aws-profile-sso","severity":"warning","message":"x"}"#);
    }

    #[test]
    fn a_line_says_what_where_and_what_to_do() {
        let finding = Finding::problem(Code::FileInvalid, "is odd")
            .at(Place::line(Path::new("/a\nb"), 3))
            .remedy("fix it");
        assert_eq!(finding.to_string(), "is odd (/a\\nb:3); fix it");
    }
}
