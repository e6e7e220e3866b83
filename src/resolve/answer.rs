//! The answer in all its parts: what came of each step, whose credentials, which region, and what to say.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer};

use crate::aws::{ApiKey, Credentials, Kind};
use crate::finding::{Code, EXPIRES_SOON_MINUTES, Finding, Place};
use crate::secret::Secret;
use crate::session::Values;
use crate::source::Source;

/// The region when nothing names one: the one the toolkit and `LiteLLM`'s examples use.
pub const FALLBACK_REGION: &str = "us-east-1";

/// What became of one candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Outcome {
    Chosen,
    /// It names nothing.
    Unset,
    Sso,
    /// It names a profile of another kind without usable keys.
    NoStaticCredentials,
    /// It names a profile that does not exist.
    Missing,
    Expired,
    /// An override file that nobody allowed.
    NotAllowed,
    /// A file that cannot be understood.
    Invalid,
    /// An earlier candidate decided.
    NotReached,
}

impl Outcome {
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// One step of the chain with what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    pub source: Source,
    /// The profile it names, if it names one.
    #[serde(serialize_with = "lossy_option")]
    pub profile: Option<OsString>,
    pub outcome: Outcome,
    /// Where it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Place>,
}

/// A name or path that need not be UTF-8, as JSON can hold it.
fn lossy<S: Serializer>(name: &impl AsRef<OsStr>, serializer: S) -> Result<S::Ok, S::Error> {
    name.as_ref().to_string_lossy().serialize(serializer)
}

#[allow(clippy::ref_option, reason = "serde calls it like this")]
fn lossy_option<S: Serializer>(name: &Option<OsString>, serializer: S) -> Result<S::Ok, S::Error> {
    name.as_ref().map(|name| name.to_string_lossy()).serialize(serializer)
}

/// Where the region came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum RegionSource {
    /// `BACKLOG_AWS_REGION` pinned in this shell, or `--region`.
    Pin,
    /// The override file.
    Directory,
    /// A section for this directory in the user's own configuration.
    Rule,
    /// `BACKLOG_AWS_REGION` as it was before the hook first ran.
    Ambient,
    /// The profile's own `region`.
    Profile,
    /// What the user's own configuration has for everywhere.
    UserDefault,
    ToolkitEnv,
    /// The environment, only for keys that come from there too.
    Environment,
    /// What a short-lived Bedrock API key says of itself.
    ApiKey,
    /// Nothing names one.
    Fallback,
}

impl RegionSource {
    pub fn name(self) -> &'static str {
        self.into()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    pub name: OsString,
    pub source: RegionSource,
}

/// Credentials a child process can use, and whose they are.
#[derive(Debug, Clone)]
pub enum Identity {
    Profile {
        name: String,
        kind: Kind,
        credentials: Credentials,
    },
    /// Keys without a profile.
    Keys(Credentials),
    /// A Bedrock API key without a profile.
    BearerToken(ApiKey),
}

/// The variables by which loose credentials are known.
pub(super) const API_KEY: &str = "AWS_BEARER_TOKEN_BEDROCK";
pub(super) const KEY_ID: &str = "AWS_ACCESS_KEY_ID";

impl Identity {
    /// What variables give: an API key first, which is how `LiteLLM` and boto3 choose, or a key pair with what goes with it.
    pub(super) fn of_variables(text: impl Fn(&str) -> Option<String>) -> Option<Self> {
        if let Some(token) = text(API_KEY) {
            return Some(Self::BearerToken(ApiKey::read(Secret::new(token))));
        }
        Some(Self::Keys(Credentials {
            access_key_id: text(KEY_ID)?,
            secret_access_key: Secret::new(text("AWS_SECRET_ACCESS_KEY")?),
            session_token: text("AWS_SESSION_TOKEN").map(Secret::new),
            // What `aws configure export-credentials --format env` writes beside the keys.
            expires_at: text("AWS_CREDENTIAL_EXPIRATION").and_then(|end| end.parse().ok()),
        }))
    }

    pub fn profile(&self) -> Option<&str> {
        match self {
            Self::Profile { name, .. } => Some(name),
            Self::Keys(_) | Self::BearerToken(_) => None,
        }
    }

    /// The API key, if it is one.
    pub fn api_key(&self) -> Option<&ApiKey> {
        match self {
            Self::BearerToken(key) => Some(key),
            Self::Profile { .. } | Self::Keys(_) => None,
        }
    }

    /// The variable that names it first.
    pub(super) fn variable(&self) -> &'static str {
        self.api_key().map_or(KEY_ID, |_| API_KEY)
    }

    /// The keys, unless it is an API key.
    pub fn credentials(&self) -> Option<&Credentials> {
        match self {
            Self::Profile { credentials, .. } | Self::Keys(credentials) => Some(credentials),
            Self::BearerToken(_) => None,
        }
    }

    pub fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::Profile { credentials, .. } | Self::Keys(credentials) => credentials.expires_at,
            Self::BearerToken(key) => key.expires_at,
        }
    }

    /// What there is instead of a profile's name.
    pub fn without_profile(&self) -> String {
        self.api_key().map_or_else(|| "keys without a profile".to_owned(), ToString::to_string)
    }

    /// The kind as shown: a profile's kind, or what loose keys amount to.
    pub fn kind_name(&self) -> &'static str {
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
    Expired(Timestamp),
    /// The file that should name it cannot be read or understood.
    Unreadable(Finding),
    /// Its credentials belong to another account than the one that is wanted here.
    OtherAccount {
        is: String,
        wanted: String,
        at: Place,
    },
}

impl Reason {
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Missing => Outcome::Missing,
            Self::Kind(Kind::Sso) => Outcome::Sso,
            Self::Kind(_) => Outcome::NoStaticCredentials,
            Self::Expired(_) => Outcome::Expired,
            Self::Unreadable(finding) if finding.code == Code::OverrideNotAllowed => {
                Outcome::NotAllowed
            }
            Self::Unreadable(_) | Self::OtherAccount { .. } => Outcome::Invalid,
        }
    }
}

/// What the chain came to. A usable answer has credentials, by its type.
#[derive(Debug, Clone)]
pub enum Answer {
    Usable {
        source: Source,
        identity: Identity,
    },
    /// The user's choice cannot be followed, and no other profile is tried.
    Unusable {
        source: Source,
        /// `None` when the file that should name it is broken.
        profile: Option<OsString>,
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

    /// Whose credentials, when they can be used.
    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Usable { identity, .. } => Some(identity),
            Self::Unusable { .. } | Self::Nothing => None,
        }
    }

    pub fn is_usable(&self) -> bool {
        self.identity().is_some()
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundOverride {
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
    pub allowed: bool,
}

/// What `AWS_PROFILE` points at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AwsProfile {
    #[serde(serialize_with = "lossy")]
    pub name: OsString,
    /// `None` when there is no such profile.
    pub kind: Option<Kind>,
}

/// The whole answer.
#[derive(Debug, Clone)]
pub struct Resolution {
    pub answer: Answer,
    pub region: Region,
    /// All steps, in order.
    pub candidates: Vec<Candidate>,
    pub found_override: Option<FoundOverride>,
    pub aws_profile: Option<AwsProfile>,
    /// What there is to say about it, the refusal aside.
    pub findings: Vec<Finding>,
    /// Whether nobody chose the profile, and another could have been taken as well.
    pub guess: bool,
    /// The account of the credentials, as far as the files and the key id tell. AWS does not document the latter.
    pub account: Option<String>,
    /// Why there are no credentials, and what to do; `None` when there are.
    pub refusal: Option<Finding>,
}

impl Resolution {
    /// What the shell is to have; nothing of ours when no step decided.
    pub fn exports(&self) -> Option<Values> {
        let source = self.answer.source()?.name();
        // A broken override names no profile; the toolkit must not fall back to what was there before.
        let profile = self.answer.profile();
        Some(Values::new(profile, Some(&self.region.name), Some(OsStr::new(source))))
    }

    /// Every finding, the refusal last.
    pub fn all_findings(&self) -> Vec<Finding> {
        self.findings.iter().chain(&self.refusal).cloned().collect()
    }

    /// Where the candidate that decided is written.
    pub fn decided_at(&self) -> Option<&Place> {
        let source = self.answer.source()?;
        self.candidates.iter().find(|candidate| candidate.source == source)?.at.as_ref()
    }

    /// When the answer can change without any file or variable changing: credentials about to expire, or expired.
    pub fn changes_at(&self, now: Timestamp) -> Option<Timestamp> {
        let end = self.answer.identity()?.expires_at()?;
        let soon = end.checked_sub(SignedDuration::from_mins(EXPIRES_SOON_MINUTES)).unwrap_or(end);
        Some(if soon > now { soon } else { end })
    }
}
