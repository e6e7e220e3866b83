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
