//! Which profile, and why: the chain of nine candidates.
//!
//! Pure: everything comes in through [`Inputs`], everything goes out through [`Resolution`]. Whoever explains an answer
//! (`status`, `doctor`, `list`) shows the very value that the hook exports and `exec` acts on.

mod inputs;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use crate::aws::{Credentials, Kind, Profile, Profiles};
use crate::notice::{Code, EXPIRES_SOON_MINUTES, Notice, visible};
use crate::overrides::{self, Invalid, Override};
use crate::secret::Secret;
use crate::session::Claims;
use crate::toolkit_env::ToolkitEnv;

/// The region when nothing names one: the one the toolkit and `LiteLLM`'s examples use.
pub const FALLBACK_REGION: &str = "us-east-1";

/// Where an answer can come from, in the order in which they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The user pinned it for this shell or this command.
    Pin,
    /// The nearest allowed `.backlog-aws`.
    Directory,
    /// `BACKLOG_AWS_PROFILE` as it was before the hook first ran.
    Ambient,
    /// `BACKLOG_AWS_PROFILE` in the toolkit's file.
    ToolkitEnv,
    /// Keys in the toolkit's file.
    ToolkitEnvKeys,
    /// Keys in the environment.
    EnvironmentKeys,
    /// `AWS_PROFILE`, should it be usable.
    AwsProfile,
    /// The profile `default`.
    Default,
    /// The first usable profile in file order.
    First,
}

impl Source {
    /// All of them, in order.
    pub const ALL: [Self; 9] = [
        Self::Pin,
        Self::Directory,
        Self::Ambient,
        Self::ToolkitEnv,
        Self::ToolkitEnvKeys,
        Self::EnvironmentKeys,
        Self::AwsProfile,
        Self::Default,
        Self::First,
    ];

    /// The word shown to people and scripts.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pin => "pin",
            Self::Directory => "directory",
            Self::Ambient => "ambient",
            Self::ToolkitEnv => "toolkit-env",
            Self::ToolkitEnvKeys => "toolkit-env-keys",
            Self::EnvironmentKeys => "environment-keys",
            Self::AwsProfile => "aws-profile",
            Self::Default => "default",
            Self::First => "first",
        }
    }

    /// The source with this word.
    pub fn from_word(word: &OsStr) -> Option<Self> {
        Self::ALL.into_iter().find(|source| word == source.word())
    }
}

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
        self.credentials()
            .and_then(|credentials| credentials.expires_at)
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
    fn outcome(&self) -> Outcome {
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
    pub notices: Vec<Notice>,
}

impl Resolution {
    /// When the answer can change without any file or variable changing: credentials about to expire, or expired.
    pub fn changes_at(&self, now: Timestamp) -> Option<Timestamp> {
        let Answer::Usable { identity, .. } = &self.answer else {
            return None;
        };
        let end = identity.expires_at()?;
        let soon = end
            .checked_sub(jiff::SignedDuration::from_mins(EXPIRES_SOON_MINUTES))
            .unwrap_or(end);
        Some(if soon > now { soon } else { end })
    }

    /// Why there are no credentials, and what to do; `None` when there are.
    pub fn refusal(&self) -> Option<&Notice> {
        match self.answer {
            Answer::Usable { .. } => None,
            // The chain's last word.
            Answer::Unusable { .. } | Answer::Nothing => self.notices.last(),
        }
    }
}

/// What the directories above say.
#[derive(Debug, Default)]
pub struct Directory {
    /// The nearest override that counts, or why it cannot be understood.
    pub decided: Option<(PathBuf, Result<Override, Invalid>)>,
    /// The nearest one that does not count, when it is nearer than the one that does or there is no other.
    pub passed_over: Option<(PathBuf, Outcome)>,
    /// What there is to say about them.
    pub notices: Vec<Notice>,
}

/// Keys in the environment, if they are complete.
#[derive(Debug, Default)]
pub struct EnvironmentKeys {
    /// A key pair with what goes with it, or an API key.
    pub identity: Option<Identity>,
    /// `AWS_REGION`, or else `AWS_DEFAULT_REGION`.
    pub region: Option<OsString>,
}

/// Everything the chain looks at.
pub struct Inputs<'a> {
    /// What the user said in this shell.
    pub claims: Claims,
    /// What the directories say.
    pub directory: Directory,
    /// The toolkit's file and where it is.
    pub toolkit_env: (PathBuf, ToolkitEnv),
    /// Keys in the environment.
    pub environment: EnvironmentKeys,
    /// `AWS_PROFILE`, unless it is empty.
    pub aws_profile: Option<OsString>,
    /// The profiles of the AWS files.
    pub profiles: &'a Profiles<'a>,
    /// Where those files are: credentials, config.
    pub aws_paths: (Option<PathBuf>, Option<PathBuf>),
    /// What there is to say about the files themselves.
    pub file_notices: Vec<Notice>,
    /// The time of asking.
    pub now: Timestamp,
}

impl Inputs<'_> {
    /// Where the profile is defined: the first place its name stands.
    pub fn place_of(&self, profile: &Profile<'_>) -> Option<Place> {
        profile.at().first().and_then(|at| {
            Some(Place {
                path: self.path_of(at.kind)?.to_owned(),
                line: Some(at.line),
            })
        })
    }

    /// The path of one of the AWS files.
    pub fn path_of(&self, kind: crate::aws::FileKind) -> Option<&Path> {
        match kind {
            crate::aws::FileKind::Credentials => self.aws_paths.0.as_deref(),
            crate::aws::FileKind::Config => self.aws_paths.1.as_deref(),
        }
    }
}

/// Whether a profile can be used now: static or temporary, and not expired.
pub fn usable(profile: &Profile<'_>, now: Timestamp) -> Result<Credentials, Reason> {
    let kind = profile.kind();
    match profile.credentials() {
        Some(credentials) => match credentials.expires_at {
            Some(end) if end <= now => Err(Reason::Expired(end)),
            _ => Ok(credentials),
        },
        None => Err(Reason::Kind(kind)),
    }
}

/// Runs the chain.
pub fn resolve(inputs: &Inputs<'_>) -> Resolution {
    let mut chain = Chain::new(inputs);
    for source in Source::ALL {
        chain.ask(source);
    }
    chain.finish()
}

/// What one step says before its profile is looked up.
enum Word {
    Nothing(Outcome),
    Name {
        profile: OsString,
        at: Option<Place>,
    },
    Broken {
        at: Place,
        invalid: Invalid,
    },
    Identity {
        identity: Identity,
        at: Option<Place>,
    },
}

struct Chain<'a> {
    inputs: &'a Inputs<'a>,
    answer: Answer,
    candidates: Vec<Candidate>,
    notices: Vec<Notice>,
}

impl<'a> Chain<'a> {
    fn new(inputs: &'a Inputs<'a>) -> Self {
        let mut notices = inputs.file_notices.clone();
        notices.extend(inputs.directory.notices.iter().cloned());
        Self {
            inputs,
            answer: Answer::Nothing,
            candidates: Vec::with_capacity(Source::ALL.len()),
            notices,
        }
    }

    fn ask(&mut self, source: Source) {
        if self.answer.source().is_some() {
            // Named all the same, for people who wonder why their export has no effect.
            let profile = match self.word(source) {
                Word::Name { profile, .. }
                    if source != Source::First && source != Source::Default =>
                {
                    Some(profile)
                }
                _ => None,
            };
            self.candidates.push(Candidate {
                source,
                profile,
                outcome: Outcome::NotReached,
                at: None,
            });
            return;
        }
        let (profile, outcome, at) = match self.word(source) {
            Word::Nothing(outcome) => {
                let at = match source {
                    Source::Directory => {
                        self.inputs
                            .directory
                            .passed_over
                            .as_ref()
                            .map(|(path, _)| Place {
                                path: path.clone(),
                                line: None,
                            })
                    }
                    _ => None,
                };
                (None, outcome, at)
            }
            Word::Identity { identity, at } => {
                let outcome = match identity.expires_at() {
                    Some(end) if end <= self.inputs.now => Outcome::Expired,
                    _ => Outcome::Chosen,
                };
                let profile = identity.profile().map(OsString::from);
                if outcome == Outcome::Chosen {
                    self.answer = Answer::Usable { source, identity };
                }
                (profile, outcome, at)
            }
            Word::Broken { at, invalid } => {
                self.answer = Answer::Unusable {
                    source,
                    profile: None,
                    reason: Reason::Override(invalid),
                };
                (None, Outcome::Invalid, Some(at))
            }
            Word::Name { profile, at } => match self.look_up(&profile) {
                Ok(identity) => {
                    self.answer = Answer::Usable { source, identity };
                    (Some(profile), Outcome::Chosen, at)
                }
                Err(reason) => {
                    let outcome = reason.outcome();
                    // The user's own word: nothing is taken in its place.
                    if source <= Source::ToolkitEnv {
                        self.answer = Answer::Unusable {
                            source,
                            profile: Some(profile.clone()),
                            reason,
                        };
                    }
                    (Some(profile), outcome, at)
                }
            },
        };
        self.candidates.push(Candidate {
            source,
            profile,
            outcome,
            at,
        });
    }

    fn look_up(&self, name: &OsStr) -> Result<Identity, Reason> {
        let profile = name
            .to_str()
            .and_then(|name| self.inputs.profiles.get(name))
            .ok_or(Reason::Missing)?;
        usable(profile, self.inputs.now).map(|credentials| Identity::Profile {
            name: profile.name().to_owned(),
            kind: profile.kind(),
            credentials,
        })
    }

    fn word(&self, source: Source) -> Word {
        let inputs = self.inputs;
        let named = |name: Option<&OsString>| match name {
            Some(name) => Word::Name {
                profile: name.clone(),
                at: None,
            },
            None => Word::Nothing(Outcome::Unset),
        };
        match source {
            Source::Pin => named(inputs.claims.pin.as_ref()),
            Source::Directory => self.directory(),
            Source::Ambient => named(inputs.claims.ambient.as_ref()),
            Source::ToolkitEnv => match inputs.toolkit_env.1.get("BACKLOG_AWS_PROFILE") {
                Some((profile, line)) => Word::Name {
                    profile,
                    at: Some(self.toolkit_place(line)),
                },
                None => Word::Nothing(Outcome::Unset),
            },
            Source::ToolkitEnvKeys => self.toolkit_keys(),
            Source::EnvironmentKeys => match &inputs.environment.identity {
                Some(identity) => Word::Identity {
                    identity: identity.clone(),
                    at: None,
                },
                None => Word::Nothing(Outcome::Unset),
            },
            Source::AwsProfile => match &inputs.aws_profile {
                Some(name) => Word::Name {
                    profile: name.clone(),
                    at: name
                        .to_str()
                        .and_then(|name| inputs.profiles.get(name))
                        .and_then(|profile| inputs.place_of(profile)),
                },
                None => Word::Nothing(Outcome::Unset),
            },
            Source::Default => match inputs.profiles.get("default") {
                Some(profile) => Word::Name {
                    profile: "default".into(),
                    at: inputs.place_of(profile),
                },
                None => Word::Nothing(Outcome::Unset),
            },
            Source::First => self.first(),
        }
    }

    fn directory(&self) -> Word {
        let directory = &self.inputs.directory;
        match &directory.decided {
            Some((path, Ok(decided))) => match &decided.profile {
                Some(profile) => Word::Name {
                    profile: profile.value.clone().into(),
                    at: Some(Place {
                        path: path.clone(),
                        line: Some(profile.line),
                    }),
                },
                None => Word::Nothing(Outcome::Unset),
            },
            Some((path, Err(invalid))) => Word::Broken {
                at: Place {
                    path: path.clone(),
                    line: invalid.line,
                },
                invalid: invalid.clone(),
            },
            None => Word::Nothing(
                directory
                    .passed_over
                    .as_ref()
                    .map_or(Outcome::Unset, |(_, outcome)| *outcome),
            ),
        }
    }

    fn toolkit_keys(&self) -> Word {
        let file = &self.inputs.toolkit_env.1;
        let secret = |name| {
            let (value, line) = file.get(name)?;
            // A key that is not UTF-8 is no key: AWS's are ASCII.
            Some((value.into_string().ok()?, line))
        };
        // An API key first: that is how LiteLLM and boto3 choose once the toolkit has exported both.
        if let Some((token, line)) = secret("AWS_BEARER_TOKEN_BEDROCK") {
            return Word::Identity {
                identity: Identity::BearerToken(Secret::new(token)),
                at: Some(self.toolkit_place(line)),
            };
        }
        match (secret("AWS_ACCESS_KEY_ID"), secret("AWS_SECRET_ACCESS_KEY")) {
            (Some((id, line)), Some((key, _))) => Word::Identity {
                identity: Identity::Keys(Credentials {
                    access_key_id: id,
                    secret_access_key: Secret::new(key),
                    session_token: secret("AWS_SESSION_TOKEN").map(|(token, _)| Secret::new(token)),
                    expires_at: None,
                }),
                at: Some(self.toolkit_place(line)),
            },
            _ => Word::Nothing(Outcome::Unset),
        }
    }

    fn first(&self) -> Word {
        let mut profiles = self.inputs.profiles.iter();
        match profiles.find(|profile| usable(profile, self.inputs.now).is_ok()) {
            Some(profile) => Word::Name {
                profile: profile.name().into(),
                at: self.inputs.place_of(profile),
            },
            None => Word::Nothing(Outcome::Unset),
        }
    }

    fn toolkit_place(&self, line: usize) -> Place {
        Place {
            path: self.inputs.toolkit_env.0.clone(),
            line: Some(line),
        }
    }

    fn region(&self) -> Region {
        let inputs = self.inputs;
        let region = |name: OsString, source| Some(Region { name, source });
        let directory = || match &inputs.directory.decided {
            Some((_, Ok(decided))) => decided
                .region
                .as_ref()
                .map(|entry| OsString::from(&entry.value)),
            _ => None,
        };
        let profile = || {
            let name = self.answer.profile()?.to_str()?;
            let profile = inputs.profiles.get(name)?;
            profile
                .region()
                .filter(|region| !region.is_empty())
                .map(OsString::from)
        };
        let toolkit = || {
            let file = &inputs.toolkit_env.1;
            let found = file
                .get("AWS_REGION")
                .or_else(|| file.get("AWS_DEFAULT_REGION"));
            found.map(|(region, _)| region)
        };
        let environment = || match self.answer.source() {
            Some(Source::EnvironmentKeys) => inputs.environment.region.clone(),
            _ => None,
        };
        None.or_else(|| region(inputs.claims.region_pin.clone()?, RegionSource::Pin))
            .or_else(|| region(directory()?, RegionSource::Directory))
            .or_else(|| region(inputs.claims.region_ambient.clone()?, RegionSource::Ambient))
            .or_else(|| region(profile()?, RegionSource::Profile))
            .or_else(|| region(toolkit()?, RegionSource::ToolkitEnv))
            .or_else(|| region(environment()?, RegionSource::Environment))
            .unwrap_or(Region {
                name: FALLBACK_REGION.into(),
                source: RegionSource::Fallback,
            })
    }

    fn finish(mut self) -> Resolution {
        let aws_profile = self.inputs.aws_profile.clone().map(|name| AwsProfile {
            kind: name
                .to_str()
                .and_then(|name| self.inputs.profiles.get(name))
                .map(Profile::kind),
            name,
        });
        self.notice_aws_profile(aws_profile.as_ref());
        self.notice_toolkit_env();
        self.notice_answer();
        let directory = &self.inputs.directory;
        let found_override = match (&directory.decided, &directory.passed_over) {
            (Some((path, _)), _) => Some(FoundOverride {
                path: path.clone(),
                allowed: true,
            }),
            (None, Some((path, _))) => Some(FoundOverride {
                path: path.clone(),
                allowed: false,
            }),
            (None, None) => None,
        };
        Resolution {
            region: self.region(),
            answer: self.answer,
            candidates: self.candidates,
            found_override,
            aws_profile,
            notices: self.notices,
        }
    }

    fn notice_aws_profile(&mut self, aws_profile: Option<&AwsProfile>) {
        let Some(AwsProfile { name, kind }) = aws_profile else {
            return;
        };
        let shown = visible(name);
        let notice = match kind {
            None => Notice::new(
                Code::AwsProfileMissing,
                format!(
                    "AWS_PROFILE={shown} names a profile that is in neither {}; every AWS client of this shell will fail on it",
                    self.aws_files(" nor "),
                ),
            ),
            Some(Kind::Sso) => Notice::new(
                Code::AwsProfileSso,
                format!(
                    "Profile '{shown}' has no static credentials: AWS_PROFILE={shown} is an SSO profile. \
                     Claude Code keeps it; the Backlog Toolkit gets another one",
                ),
            ),
            Some(kind) => {
                let found = name
                    .to_str()
                    .and_then(|name| self.inputs.profiles.get(name));
                let Some(Err(reason)) = found.map(|profile| usable(profile, self.inputs.now))
                else {
                    return;
                };
                Notice::new(
                    Code::AwsProfileUnusable,
                    format!(
                        "Profile '{shown}' has no static credentials: AWS_PROFILE={shown} {}. The Backlog Toolkit gets another one",
                        describe(&reason, *kind),
                    ),
                )
            }
        };
        self.notices.push(notice);
    }

    fn notice_toolkit_env(&mut self) {
        let (path, file) = &self.inputs.toolkit_env;
        for (name, line) in &file.needs_expansion {
            self.notices.push(Notice::new(
                Code::ValueNeedsExpansion,
                format!(
                    "the value of {name} needs a shell to expand it and is not used ({}); write it out in single quotes",
                    overrides::place(path, Some(*line)),
                ),
            ));
        }
        for (name, line) in &file.malformed {
            self.notices.push(Notice::new(
                Code::FileInvalid,
                format!(
                    "the value of {name} has an opening quote without a closing one ({}); close it",
                    overrides::place(path, Some(*line)),
                ),
            ));
        }
    }

    fn notice_answer(&mut self) {
        let notice = match &self.answer {
            Answer::Usable { source, identity } => {
                if *source == Source::First {
                    let name = visible(identity.profile().unwrap_or_default());
                    self.notices.push(Notice::new(
                        Code::AutoDetected,
                        format!(
                            "Auto-detected AWS profile: {name}. Nothing names one; \
                             choose with `backlog-aws use NAME` or `backlog-aws local NAME`",
                        ),
                    ));
                }
                if let (Source::EnvironmentKeys, Some(name)) = (source, &self.inputs.aws_profile) {
                    self.notices.push(Notice::new(
                        Code::EnvironmentKeysShadow,
                        format!(
                            "AWS keys in the environment are used and AWS_PROFILE={} is not looked at, here and in boto3; \
                             unset AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY unless that is meant",
                            visible(name),
                        ),
                    ));
                }
                if let Some(problem) = self.unreadable_expiry(identity) {
                    self.notices.push(problem);
                }
                let soon = jiff::SignedDuration::from_mins(EXPIRES_SOON_MINUTES);
                identity
                    .expires_at()
                    .filter(|end| end.duration_since(self.inputs.now) <= soon)
                    .map(|end| {
                        let whose = identity.profile().map_or_else(
                            || source.word().to_owned(),
                            |name| format!("'{}'", visible(name)),
                        );
                        Notice::new(
                            Code::CredentialsExpireSoon,
                            format!(
                                "the temporary credentials of {whose} run out at {end}; renew them"
                            ),
                        )
                    })
            }
            Answer::Unusable {
                source,
                profile,
                reason,
            } => {
                let code = match reason {
                    Reason::Expired(_) => Code::CredentialsExpired,
                    Reason::Override(_) => Code::OverrideInvalid,
                    Reason::Missing | Reason::Kind(_) => Code::Unusable,
                };
                Some(Notice::new(
                    code,
                    self.refusal(*source, profile.as_deref(), reason),
                ))
            }
            Answer::Nothing => Some(Notice::new(
                Code::NoneFound,
                format!(
                    "No AWS profiles with static credentials found in {}; add one with `aws configure --profile bedrock`",
                    self.aws_files(" or "),
                ),
            )),
        };
        self.notices.extend(notice);
    }

    /// An expiry time of the chosen profile that cannot be read. The reader does not report it among the problems of the
    /// file, because most profiles are never used.
    fn unreadable_expiry(&self, identity: &Identity) -> Option<Notice> {
        let problem = self
            .inputs
            .profiles
            .get(identity.profile()?)?
            .expires_at()
            .err()?;
        let path = self.inputs.path_of(problem.kind)?;
        let place = overrides::place(path, Some(problem.line));
        Some(Notice::new(
            Code::FileInvalid,
            format!("{} ({place})", problem.what),
        ))
    }

    fn refusal(&self, source: Source, profile: Option<&OsStr>, reason: &Reason) -> String {
        let at = self
            .candidates
            .iter()
            .find(|candidate| candidate.source == source)
            .and_then(|candidate| candidate.at.as_ref());
        let whence = match (source, at) {
            (Source::Pin | Source::Ambient, _) => "BACKLOG_AWS_PROFILE names it".to_owned(),
            (_, Some(place)) => format!("named in {place}"),
            (_, None) => format!("named by {}", source.word()),
        };
        let remedy = self.remedy(source);
        let shown = profile.map(visible).unwrap_or_default();
        match reason {
            Reason::Override(invalid) => {
                let place = at.map(ToString::to_string).unwrap_or_default();
                format!("{place} {invalid}; mend it, or remove it with `backlog-aws local --unset`")
            }
            Reason::Missing => format!(
                "Profile '{shown}' has no static credentials: it is in neither {} ({whence}); {remedy}",
                self.aws_files(" nor "),
            ),
            Reason::Kind(kind) => format!(
                "Profile '{shown}' has no static credentials: it {} ({whence}); {remedy}",
                describe(reason, *kind),
            ),
            Reason::Expired(end) => {
                format!(
                    "the temporary credentials of '{shown}' ran out at {end} ({whence}); renew them, or {remedy}"
                )
            }
        }
    }

    fn remedy(&self, source: Source) -> String {
        const SHOWN: usize = 5;
        let usable: Vec<&str> = self
            .inputs
            .profiles
            .iter()
            .filter(|profile| usable(profile, self.inputs.now).is_ok())
            .map(Profile::name)
            .take(SHOWN + 1)
            .collect();
        let names = match usable.len() {
            0 => {
                return "no profile is usable; add one with `aws configure --profile bedrock`"
                    .to_owned();
            }
            n if n > SHOWN => format!(
                "{}, … (`backlog-aws list --usable`)",
                usable[..SHOWN].join(", ")
            ),
            _ => usable.join(", "),
        };
        let command = match source {
            Source::Directory => "`backlog-aws local NAME`",
            _ => "`backlog-aws use NAME`",
        };
        format!("{command} with one of: {names}")
    }

    fn aws_files(&self, between: &str) -> String {
        let (credentials, config) = &self.inputs.aws_paths;
        let shown: Vec<String> = [credentials, config]
            .into_iter()
            .flatten()
            .map(visible)
            .collect();
        if shown.is_empty() {
            "~/.aws (there is no home directory)".to_owned()
        } else {
            shown.join(between)
        }
    }
}

/// What a profile is instead of usable, as the end of "it …".
pub fn describe(reason: &Reason, kind: Kind) -> String {
    if let Reason::Expired(end) = reason {
        return format!("has temporary credentials that ran out at {end}");
    }
    match kind {
        Kind::Sso => "is an SSO profile",
        Kind::AssumeRole => "assumes a role",
        Kind::WebIdentity => "uses a web identity token",
        Kind::Process => "gets its credentials from a program (credential_process)",
        Kind::Login => "signs in through `aws login`",
        Kind::Partial => "has only one half of a key pair",
        Kind::Empty => "has no credentials at all",
        Kind::Static | Kind::Temporary => "is usable",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{AwsFile, FileKind};

    const CREDENTIALS: &str = "[luxito]\n\
        aws_access_key_id = AKIAI44QH8DHBEXAMPLE\naws_secret_access_key = luxitos\nregion = us-west-2\n\
        [bedrock]\n\
        aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = bedrocks\nregion = eu-west-1\n\
        [bare]\n\
        aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = bares\n\
        [fresh]\n\
        aws_access_key_id = ASIA1\naws_secret_access_key = s\naws_session_token = t\naws_expiration = 2026-01-01T12:10:00Z\n\
        [old]\n\
        aws_access_key_id = ASIA2\naws_secret_access_key = s\naws_session_token = t\naws_expiration = 2026-01-01T11:59:00Z\n\
        [half]\n\
        aws_access_key_id = AKIAIOSFODNN7EXAMPLE\n";
    const CONFIG: &str = "[profile cc]\nsso_session = corp\nregion = eu-central-1\n\
        [profile role]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = bedrock\n\
        [profile program]\ncredential_process = /bin/x\n\
        [profile token]\nweb_identity_token_file = /x\n\
        [profile login]\nlogin_session = x\n\
        [profile nothing]\nregion = eu-west-2\n";

    fn noon() -> Timestamp {
        "2026-01-01T12:00:00Z".parse().unwrap()
    }

    /// Resolves in the home above, with what `edit` adds.
    fn resolved(edit: impl FnOnce(&mut Inputs<'_>)) -> Resolution {
        resolved_in(CREDENTIALS, CONFIG, edit)
    }

    fn resolved_in(
        credentials: &str,
        config: &str,
        edit: impl FnOnce(&mut Inputs<'_>),
    ) -> Resolution {
        let files = [
            (FileKind::Credentials, credentials),
            (FileKind::Config, config),
        ]
        .map(|(kind, text)| AwsFile {
            kind,
            path: Path::new("/aws"),
            bytes: text.as_bytes(),
        });
        let profiles = Profiles::read(&files);
        let mut inputs = Inputs {
            claims: Claims::default(),
            directory: Directory::default(),
            toolkit_env: ("/home/u/.backlog-toolkit-env".into(), ToolkitEnv::default()),
            environment: EnvironmentKeys::default(),
            aws_profile: None,
            profiles: &profiles,
            aws_paths: (Some("/aws/credentials".into()), Some("/aws/config".into())),
            file_notices: Vec::new(),
            now: noon(),
        };
        edit(&mut inputs);
        resolve(&inputs)
    }

    fn pinned(name: &str) -> Resolution {
        resolved(|inputs| inputs.claims.pin = Some(name.into()))
    }

    fn toolkit(inputs: &mut Inputs<'_>, text: &str) {
        inputs.toolkit_env.1 = ToolkitEnv::parse(text.as_bytes());
    }

    fn overridden(inputs: &mut Inputs<'_>, text: &str) {
        let parsed = overrides::parse(text.as_bytes());
        inputs.directory.decided = Some(("/p/.backlog-aws".into(), parsed));
    }

    fn environment_keys(inputs: &mut Inputs<'_>) {
        inputs.environment = EnvironmentKeys {
            identity: Some(Identity::Keys(Credentials {
                access_key_id: "AKIAENVIRONMENT".to_owned(),
                secret_access_key: Secret::new("s"),
                session_token: None,
                expires_at: None,
            })),
            region: Some("sa-east-1".into()),
        };
    }

    /// Source, profile and region, in words.
    #[track_caller]
    fn assert_chosen(resolution: &Resolution, source: Source, profile: Option<&str>, region: &str) {
        assert!(
            matches!(resolution.answer, Answer::Usable { .. }),
            "{:?}",
            resolution.answer
        );
        assert_eq!(resolution.answer.source(), Some(source));
        assert_eq!(resolution.answer.profile(), profile.map(OsStr::new));
        assert_eq!(resolution.region.name, region);
        let sources: Vec<_> = resolution.candidates.iter().map(|c| c.source).collect();
        assert_eq!(sources, Source::ALL);
        for candidate in &resolution.candidates {
            assert_eq!(
                candidate.outcome == Outcome::Chosen,
                candidate.source == source
            );
            assert_eq!(
                candidate.outcome == Outcome::NotReached,
                candidate.source > source
            );
        }
        assert!(resolution.refusal().is_none());
    }

    fn outcome(resolution: &Resolution, source: Source) -> Outcome {
        resolution.candidates[source as usize].outcome
    }

    fn codes(resolution: &Resolution) -> Vec<Code> {
        resolution
            .notices
            .iter()
            .map(|notice| notice.code)
            .collect()
    }

    #[test]
    fn each_step_beats_those_after_it() {
        let everything = |inputs: &mut Inputs<'_>| {
            inputs.claims.pin = Some("bedrock".into());
            overridden(inputs, "profile = bare\n");
            inputs.claims.ambient = Some("luxito".into());
            toolkit(
                inputs,
                "BACKLOG_AWS_PROFILE=bedrock\nAWS_ACCESS_KEY_ID=AKIATOOLKIT\nAWS_SECRET_ACCESS_KEY=s\nAWS_REGION=eu-south-1\n",
            );
            environment_keys(inputs);
            inputs.aws_profile = Some("bedrock".into());
        };
        let without = |steps: usize| {
            resolved(|inputs| {
                everything(inputs);
                for step in 0..steps {
                    match Source::ALL[step] {
                        Source::Pin => inputs.claims.pin = None,
                        Source::Directory => inputs.directory.decided = None,
                        Source::Ambient => inputs.claims.ambient = None,
                        Source::ToolkitEnv => toolkit(
                            inputs,
                            "AWS_ACCESS_KEY_ID=AKIATOOLKIT\nAWS_SECRET_ACCESS_KEY=s\nAWS_REGION=eu-south-1\n",
                        ),
                        Source::ToolkitEnvKeys => toolkit(inputs, ""),
                        Source::EnvironmentKeys => inputs.environment = EnvironmentKeys::default(),
                        Source::AwsProfile => inputs.aws_profile = None,
                        Source::Default | Source::First => {}
                    }
                }
            })
        };
        assert_chosen(&without(0), Source::Pin, Some("bedrock"), "eu-west-1");
        assert_chosen(&without(1), Source::Directory, Some("bare"), "eu-south-1");
        assert_chosen(&without(2), Source::Ambient, Some("luxito"), "us-west-2");
        assert_chosen(
            &without(3),
            Source::ToolkitEnv,
            Some("bedrock"),
            "eu-west-1",
        );
        assert_chosen(&without(4), Source::ToolkitEnvKeys, None, "eu-south-1");
        assert_chosen(&without(5), Source::EnvironmentKeys, None, "sa-east-1");
        assert_chosen(
            &without(6),
            Source::AwsProfile,
            Some("bedrock"),
            "eu-west-1",
        );
        assert_chosen(&without(7), Source::First, Some("luxito"), "us-west-2");
        let with_default =
            format!("{CREDENTIALS}[default]\naws_access_key_id = A\naws_secret_access_key = b\n");
        let resolution = resolved_in(&with_default, "", |_| {});
        assert_chosen(
            &resolution,
            Source::Default,
            Some("default"),
            FALLBACK_REGION,
        );
    }

    #[test]
    fn the_users_own_word_never_falls_through() {
        type Say = fn(&mut Inputs<'_>);
        let words: [(Source, Say); 4] = [
            (Source::Pin, |inputs| inputs.claims.pin = Some("cc".into())),
            (Source::Directory, |inputs| {
                overridden(inputs, "profile = cc\n");
            }),
            (Source::Ambient, |inputs| {
                inputs.claims.ambient = Some("cc".into());
            }),
            (Source::ToolkitEnv, |inputs| {
                toolkit(inputs, "BACKLOG_AWS_PROFILE=cc\n");
            }),
        ];
        for (source, say) in words {
            let resolution = resolved(|inputs| {
                environment_keys(inputs);
                inputs.aws_profile = Some("bedrock".into());
                say(inputs);
            });
            let Answer::Unusable {
                source: decided,
                profile,
                reason,
            } = &resolution.answer
            else {
                panic!("{source:?}: {:?}", resolution.answer);
            };
            assert_eq!(
                (*decided, profile.as_deref()),
                (source, Some(OsStr::new("cc")))
            );
            assert_eq!(*reason, Reason::Kind(Kind::Sso));
            assert_eq!(outcome(&resolution, source), Outcome::Sso);
            for later in Source::ALL.into_iter().filter(|later| *later > source) {
                assert_eq!(
                    outcome(&resolution, later),
                    Outcome::NotReached,
                    "{source:?}"
                );
            }
            let refusal = resolution.refusal().expect("it is refused");
            assert_eq!(refusal.code, Code::Unusable);
            assert!(
                refusal
                    .message
                    .starts_with("Profile 'cc' has no static credentials: it is an SSO profile")
            );
            assert!(
                refusal.message.contains("luxito, bedrock, bare, fresh"),
                "{}",
                refusal.message
            );
        }
    }

    #[test]
    fn what_aws_profile_says_falls_through_with_a_notice() {
        for (name, expected, code) in [
            ("cc", Outcome::Sso, Code::AwsProfileSso),
            ("nowhere", Outcome::Missing, Code::AwsProfileMissing),
            (
                "role",
                Outcome::NoStaticCredentials,
                Code::AwsProfileUnusable,
            ),
            (
                "half",
                Outcome::NoStaticCredentials,
                Code::AwsProfileUnusable,
            ),
            ("old", Outcome::Expired, Code::AwsProfileUnusable),
        ] {
            let resolution = resolved(|inputs| inputs.aws_profile = Some(name.into()));
            assert_eq!(outcome(&resolution, Source::AwsProfile), expected, "{name}");
            assert_eq!(
                resolution.answer.profile(),
                Some(OsStr::new("luxito")),
                "{name}"
            );
            assert_eq!(codes(&resolution), [code, Code::AutoDetected], "{name}");
        }
    }

    #[test]
    fn every_kind_without_keys_has_its_outcome_and_its_words() {
        for (name, expected, words) in [
            ("cc", Outcome::Sso, "is an SSO profile"),
            ("role", Outcome::NoStaticCredentials, "assumes a role"),
            (
                "program",
                Outcome::NoStaticCredentials,
                "gets its credentials from a program",
            ),
            (
                "token",
                Outcome::NoStaticCredentials,
                "uses a web identity token",
            ),
            (
                "login",
                Outcome::NoStaticCredentials,
                "signs in through `aws login`",
            ),
            (
                "half",
                Outcome::NoStaticCredentials,
                "has only one half of a key pair",
            ),
            (
                "nothing",
                Outcome::NoStaticCredentials,
                "has no credentials at all",
            ),
            (
                "nowhere",
                Outcome::Missing,
                "is in neither /aws/credentials nor /aws/config",
            ),
            ("old", Outcome::Expired, "ran out at 2026-01-01T11:59:00Z"),
        ] {
            let resolution = pinned(name);
            assert_eq!(outcome(&resolution, Source::Pin), expected, "{name}");
            let refusal = resolution.refusal().expect("it is refused");
            assert!(refusal.message.contains(words), "{}", refusal.message);
            assert!(
                refusal.message.contains("`backlog-aws use NAME`"),
                "{}",
                refusal.message
            );
        }
        assert_eq!(codes(&pinned("old")), [Code::CredentialsExpired]);
    }

    #[test]
    fn a_broken_override_is_the_answer_and_a_file_that_does_not_count_is_not() {
        let resolution = resolved(|inputs| overridden(inputs, "profil = x\n"));
        assert_eq!(outcome(&resolution, Source::Directory), Outcome::Invalid);
        assert_eq!(codes(&resolution), [Code::OverrideInvalid]);
        assert!(
            resolution
                .refusal()
                .unwrap()
                .message
                .starts_with("/p/.backlog-aws:1 ")
        );
        for passed_over in [Outcome::NotAllowed, Outcome::Invalid] {
            let resolution = resolved(|inputs| {
                inputs.directory.passed_over = Some(("/p/.backlog-aws".into(), passed_over));
            });
            assert_eq!(outcome(&resolution, Source::Directory), passed_over);
            assert_eq!(resolution.answer.source(), Some(Source::First));
            assert_eq!(
                resolution.found_override.map(|found| found.allowed),
                Some(false)
            );
        }
    }

    #[test]
    fn an_override_of_the_region_alone_leaves_the_profile_to_the_chain() {
        let resolution = resolved(|inputs| overridden(inputs, "region = eu-north-1\n"));
        assert_chosen(&resolution, Source::First, Some("luxito"), "eu-north-1");
        assert_eq!(resolution.region.source, RegionSource::Directory);
    }

    #[test]
    fn when_no_step_gives_anything_the_answer_is_nothing() {
        let resolution = resolved_in("", CONFIG, |_| {});
        assert!(matches!(resolution.answer, Answer::Nothing));
        assert_eq!(codes(&resolution), [Code::NoneFound]);
        let refusal = &resolution.refusal().unwrap().message;
        assert!(refusal.starts_with(
            "No AWS profiles with static credentials found in /aws/credentials or /aws/config"
        ));
        assert!(
            resolution
                .candidates
                .iter()
                .all(|c| c.outcome == Outcome::Unset)
        );
    }

    #[test]
    fn regions_are_asked_in_their_documented_order() {
        type Say = fn(&mut Inputs<'_>);
        let steps: [(RegionSource, &str, Say); 4] = [
            (RegionSource::Pin, "r-1", |inputs| {
                inputs.claims.region_pin = Some("r-1".into());
            }),
            (RegionSource::Directory, "eu-north-1", |inputs| {
                overridden(inputs, "region = eu-north-1\n");
            }),
            (RegionSource::Ambient, "r-3", |inputs| {
                inputs.claims.region_ambient = Some("r-3".into());
            }),
            (RegionSource::ToolkitEnv, "r-4", |inputs| {
                toolkit(inputs, "AWS_REGION=r-4\nAWS_DEFAULT_REGION=r-5\n");
            }),
        ];
        for first in 0..=steps.len() {
            for (profile, own) in [("bedrock", Some("eu-west-1")), ("bare", None)] {
                let resolution = resolved(|inputs| {
                    inputs.claims.pin = Some(profile.into());
                    inputs.environment.region = Some("the shells own".into());
                    for (_, _, say) in &steps[first..] {
                        say(inputs);
                    }
                });
                let expected = match (first, own) {
                    (0..3, _) => (steps[first].1, steps[first].0),
                    (_, Some(own)) => (own, RegionSource::Profile),
                    (3, None) => ("r-4", RegionSource::ToolkitEnv),
                    (_, None) => (FALLBACK_REGION, RegionSource::Fallback),
                };
                let Region { name, source } = &resolution.region;
                assert_eq!((name.to_str().unwrap(), *source), expected, "{profile}");
            }
        }
        let resolution = resolved(|inputs| {
            toolkit(inputs, "AWS_DEFAULT_REGION=r-5\nBACKLOG_AWS_PROFILE=bare\n");
        });
        assert_eq!(resolution.region.name, "r-5");
        let resolution = resolved(environment_keys);
        assert_eq!(resolution.region.source, RegionSource::Environment);
        let resolution = resolved(|inputs| {
            environment_keys(inputs);
            toolkit(inputs, "AWS_REGION=r-4\n");
        });
        assert_eq!(
            resolution.region.source,
            RegionSource::ToolkitEnv,
            "the toolkit sources its file last"
        );
    }

    #[test]
    fn a_region_of_an_unusable_profile_is_still_its_own() {
        assert_eq!(pinned("cc").region.name, "eu-central-1");
    }

    #[test]
    fn the_toolkits_file_wins_over_the_environment() {
        let keys = "AWS_ACCESS_KEY_ID=AKIATOOLKIT\nAWS_SECRET_ACCESS_KEY=s\nAWS_SESSION_TOKEN=''\n";
        let resolution = resolved(|inputs| {
            environment_keys(inputs);
            toolkit(inputs, keys);
        });
        assert_chosen(&resolution, Source::ToolkitEnvKeys, None, FALLBACK_REGION);
        let Answer::Usable { identity, .. } = &resolution.answer else {
            unreachable!()
        };
        let credentials = identity.credentials().unwrap();
        assert_eq!(credentials.access_key_id, "AKIATOOLKIT");
        assert!(
            credentials.session_token.is_none(),
            "an empty one counts as unset"
        );
    }

    #[test]
    fn half_a_key_pair_or_an_empty_one_in_the_toolkits_file_is_no_candidate() {
        for text in [
            "AWS_ACCESS_KEY_ID=A\n",
            "AWS_SECRET_ACCESS_KEY=s\n",
            "AWS_ACCESS_KEY_ID=A\nAWS_SECRET_ACCESS_KEY=''\n",
            "BACKLOG_AWS_PROFILE=''\nAWS_BEARER_TOKEN_BEDROCK=\n",
        ] {
            let resolution = resolved(|inputs| toolkit(inputs, text));
            assert_eq!(
                outcome(&resolution, Source::ToolkitEnvKeys),
                Outcome::Unset,
                "{text}"
            );
            assert_eq!(resolution.answer.source(), Some(Source::First), "{text}");
        }
    }

    #[test]
    fn an_api_key_in_the_toolkits_file_beats_keys_in_it() {
        let resolution = resolved(|inputs| {
            toolkit(
                inputs,
                "AWS_ACCESS_KEY_ID=A\nAWS_SECRET_ACCESS_KEY=s\nAWS_BEARER_TOKEN_BEDROCK=b\n",
            );
        });
        let Answer::Usable { identity, .. } = &resolution.answer else {
            unreachable!()
        };
        assert_eq!(identity.kind_word(), "bearer");
    }

    #[test]
    fn keys_that_shadow_aws_profile_are_pointed_out() {
        let resolution = resolved(|inputs| {
            environment_keys(inputs);
            inputs.aws_profile = Some("bedrock".into());
        });
        assert_eq!(codes(&resolution), [Code::EnvironmentKeysShadow]);
    }

    #[test]
    fn expired_keys_in_the_environment_are_passed_over() {
        let resolution = resolved(|inputs| {
            environment_keys(inputs);
            if let Some(Identity::Keys(keys)) = &mut inputs.environment.identity {
                keys.expires_at = Some(noon());
            }
        });
        assert_eq!(
            outcome(&resolution, Source::EnvironmentKeys),
            Outcome::Expired
        );
        assert_eq!(resolution.answer.source(), Some(Source::First));
    }

    #[test]
    fn credentials_that_end_soon_are_announced_and_the_answer_knows_when_it_changes() {
        let resolution = pinned("fresh");
        assert_eq!(codes(&resolution), [Code::CredentialsExpireSoon]);
        let end = "2026-01-01T12:10:00Z".parse().unwrap();
        assert_eq!(resolution.changes_at(noon()), Some(end));
        let early = "2026-01-01T08:00:00Z".parse().unwrap();
        let warning = "2026-01-01T11:55:00Z".parse().unwrap();
        assert_eq!(resolution.changes_at(early), Some(warning));
        assert_eq!(pinned("bedrock").changes_at(noon()), None);
    }

    #[test]
    fn the_first_usable_profile_is_found_behind_unusable_ones() {
        let reordered = format!("[half2]\naws_access_key_id = A\n{CREDENTIALS}");
        let resolution = resolved_in(&reordered, CONFIG, |_| {});
        assert_chosen(&resolution, Source::First, Some("luxito"), "us-west-2");
        assert!(
            resolution.notices[0]
                .message
                .starts_with("Auto-detected AWS profile: luxito.")
        );
    }

    #[test]
    fn an_unusable_default_profile_falls_through() {
        let config = format!("{CONFIG}[default]\nsso_session = corp\n");
        let resolution = resolved_in(CREDENTIALS, &config, |_| {});
        assert_eq!(outcome(&resolution, Source::Default), Outcome::Sso);
        assert_eq!(resolution.answer.source(), Some(Source::First));
    }

    #[test]
    fn a_name_that_is_not_utf8_is_missing() {
        use std::os::unix::ffi::OsStringExt as _;
        let name = OsString::from_vec(b"caf\xe9".to_vec());
        let resolution = resolved(|inputs| inputs.claims.pin = Some(name));
        assert_eq!(outcome(&resolution, Source::Pin), Outcome::Missing);
        assert!(resolution.refusal().unwrap().message.contains("'caf\\xe9'"));
    }

    #[test]
    fn what_was_not_reached_is_named_all_the_same() {
        let resolution = resolved(|inputs| {
            inputs.claims.pin = Some("bedrock".into());
            inputs.aws_profile = Some("luxito".into());
        });
        let candidate = &resolution.candidates[Source::AwsProfile as usize];
        assert_eq!(candidate.outcome, Outcome::NotReached);
        assert_eq!(candidate.profile.as_deref(), Some(OsStr::new("luxito")));
    }

    #[test]
    fn the_place_of_a_choice_is_its_line() {
        let resolution = resolved(|inputs| toolkit(inputs, "\n\nBACKLOG_AWS_PROFILE=bedrock\n"));
        let at = resolution.candidates[Source::ToolkitEnv as usize]
            .at
            .as_ref();
        assert_eq!(at.unwrap().to_string(), "/home/u/.backlog-toolkit-env:3");
        let resolution = resolved(|_| {});
        let at = resolution.candidates[Source::First as usize].at.as_ref();
        assert_eq!(at.unwrap().to_string(), "/aws/credentials:1");
    }

    #[test]
    fn every_word_leads_back_to_its_source() {
        for source in Source::ALL {
            assert_eq!(Source::from_word(OsStr::new(source.word())), Some(source));
            let json = serde_json::to_string(&source).unwrap();
            assert_eq!(json, format!("\"{}\"", source.word()));
        }
        assert_eq!(Source::from_word(OsStr::new("Pin")), None);
    }
}
