//! The answer in all its parts: what came of each step, whose credentials, which region, and what to say.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;

use crate::aws::{Credentials, Kind};
use crate::finding::{EXPIRES_SOON_MINUTES, Finding};
use crate::overrides::{self, Invalid};
use crate::secret::Secret;
use crate::session::Values;
use crate::source::Source;

/// The region when nothing names one: the one the toolkit and `LiteLLM`'s examples use.
pub const FALLBACK_REGION: &str = "us-east-1";

/// What became of one candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// This is the answer.
    Chosen,
    /// It names nothing.
    Unset,
    /// It names an SSO profile.
    Sso,
    /// It names a profile of another kind without usable keys.
    NoStaticCredentials,
    /// It names a profile that does not exist.
    Missing,
    /// Its credentials have run out.
    Expired,
    /// An override file that nobody allowed.
    NotAllowed,
    /// An override file that cannot be understood.
    Invalid,
    /// An earlier candidate decided.
    NotReached,
}

impl Outcome {
    /// The word shown to people and scripts.
    pub fn word(self) -> &'static str {
        match self {
            Self::Chosen => "chosen",
            Self::Unset => "unset",
            Self::Sso => "sso",
            Self::NoStaticCredentials => "no-static-credentials",
            Self::Missing => "missing",
            Self::Expired => "expired",
            Self::NotAllowed => "not-allowed",
            Self::Invalid => "invalid",
            Self::NotReached => "not-reached",
        }
    }
}

/// A file, and a line of it where one decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1.
    pub line: Option<usize>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&overrides::place(&self.path, self.line))
    }
}

/// One step of the chain with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Which step.
    pub source: Source,
    /// The profile it names, if it names one.
    pub profile: Option<OsString>,
    /// What became of it.
    pub outcome: Outcome,
    /// Where it is written.
    pub at: Option<Place>,
}

/// Where the region came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegionSource {
    /// `BACKLOG_AWS_REGION` pinned in this shell, or `--region`.
    Pin,
    /// The override file.
    Directory,
    /// `BACKLOG_AWS_REGION` as it was before the hook first ran.
    Ambient,
    /// The profile's own `region`.
    Profile,
    /// The toolkit's file.
    ToolkitEnv,
    /// The environment, only for keys that come from there too.
    Environment,
    /// Nothing names one.
    Fallback,
}

impl RegionSource {
    /// The word shown to people and scripts.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pin => "pin",
            Self::Directory => "directory",
            Self::Ambient => "ambient",
            Self::Profile => "profile",
            Self::ToolkitEnv => "toolkit-env",
            Self::Environment => "environment",
            Self::Fallback => "fallback",
        }
    }
}

/// The region and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Its name.
    pub name: OsString,
    /// Its source.
    pub source: RegionSource,
}

/// Credentials a child process can use, and whose they are.
#[derive(Debug, Clone)]
pub enum Identity {
    /// A profile's keys.
    Profile {
        /// The profile's name.
        name: String,
        /// Static or temporary.
        kind: Kind,
        /// Its keys.
        credentials: Credentials,
    },
    /// Keys without a profile.
    Keys(Credentials),
    /// A Bedrock API key without a profile.
    BearerToken(Secret),
}

impl Identity {
    /// The profile's name, if there is a profile.
    pub fn profile(&self) -> Option<&str> {
        match self {
            Self::Profile { name, .. } => Some(name),
            Self::Keys(_) | Self::BearerToken(_) => None,
        }
    }

    /// The keys, unless it is an API key.
    pub fn credentials(&self) -> Option<&Credentials> {
        match self {
            Self::Profile { credentials, .. } | Self::Keys(credentials) => Some(credentials),
            Self::BearerToken(_) => None,
        }
    }

    /// When it runs out, if it does.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.credentials().and_then(|credentials| credentials.expires_at)
    }

    /// The kind as shown: a profile's kind, or what loose keys amount to.
    pub fn kind_word(&self) -> &'static str {
        match self {
            Self::Profile { kind, .. } => kind.as_str(),
            Self::Keys(credentials) if credentials.session_token.is_some() => {
                Kind::Temporary.as_str()
            }
            Self::Keys(_) => Kind::Static.as_str(),
            Self::BearerToken(_) => "bearer",
        }
    }
}

/// Why a profile cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// In neither AWS file.
    Missing,
    /// Of a kind without keys in the files.
    Kind(Kind),
    /// Its credentials ran out.
    Expired(Timestamp),
    /// The override file that should name it cannot be understood.
    Override(Invalid),
}

impl Reason {
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Missing => Outcome::Missing,
            Self::Kind(Kind::Sso) => Outcome::Sso,
            Self::Kind(_) => Outcome::NoStaticCredentials,
            Self::Expired(_) => Outcome::Expired,
            Self::Override(_) => Outcome::Invalid,
        }
    }
}

/// What the chain came to. A usable answer has credentials, by its type.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Credentials to hand out.
    Usable {
        /// The step that decided.
        source: Source,
        /// What it gives.
        identity: Identity,
    },
    /// The user's own word cannot be followed, and no other is taken instead.
    Unusable {
        /// The step that decided.
        source: Source,
        /// The profile they named; `None` when the override file itself is broken.
        profile: Option<OsString>,
        /// What is wrong with it.
        reason: Reason,
    },
    /// No step gives anything.
    Nothing,
}

impl Answer {
    /// The step that decided, if one did.
    pub fn source(&self) -> Option<Source> {
        match self {
            Self::Usable { source, .. } | Self::Unusable { source, .. } => Some(*source),
            Self::Nothing => None,
        }
    }

    /// The profile's name, usable or not.
    pub fn profile(&self) -> Option<&OsStr> {
        match self {
            Self::Usable { identity, .. } => identity.profile().map(OsStr::new),
            Self::Unusable { profile, .. } => profile.as_deref(),
            Self::Nothing => None,
        }
    }
}

/// The override file that was found nearest, whether it counts or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundOverride {
    /// The file.
    pub path: PathBuf,
    /// Whether it counts.
    pub allowed: bool,
}

/// What `AWS_PROFILE` points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsProfile {
    /// Its value.
    pub name: OsString,
    /// The kind of that profile; `None` when there is no such profile.
    pub kind: Option<Kind>,
}

/// The whole answer.
#[derive(Debug, Clone)]
pub struct Resolution {
    /// What came out.
    pub answer: Answer,
    /// The region to go with it.
    pub region: Region,
    /// All nine steps, in order.
    pub candidates: Vec<Candidate>,
    /// The nearest override file.
    pub found_override: Option<FoundOverride>,
    /// What `AWS_PROFILE` points at, if it is set.
    pub aws_profile: Option<AwsProfile>,
    /// What there is to say about it.
    pub notices: Vec<Finding>,
}

impl Resolution {
    /// What the shell is to have; nothing of ours when no step decided.
    pub fn exports(&self) -> Option<Values> {
        let source = self.answer.source()?.word();
        // A broken override names no profile; the toolkit must not fall back to what was there before.
        let profile = self.answer.profile();
        Some(Values::new(profile, Some(&self.region.name), Some(OsStr::new(source))))
    }

    /// When the answer can change without any file or variable changing: credentials about to expire, or expired.
    pub fn changes_at(&self, now: Timestamp) -> Option<Timestamp> {
        let Answer::Usable { identity, .. } = &self.answer else {
            return None;
        };
        let end = identity.expires_at()?;
        let soon =
            end.checked_sub(jiff::SignedDuration::from_mins(EXPIRES_SOON_MINUTES)).unwrap_or(end);
        Some(if soon > now { soon } else { end })
    }

    /// Why there are no credentials, and what to do; `None` when there are.
    pub fn refusal(&self) -> Option<&Finding> {
        match self.answer {
            Answer::Usable { .. } => None,
            // The chain's last word.
            Answer::Unusable { .. } | Answer::Nothing => self.notices.last(),
        }
    }
}
