//! What the chain asks about, made from what was read: parsing, and notices about the files themselves.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::answer::{Identity, Outcome, Place, Reason};
use crate::aws::{AwsFile, Credentials, FileKind, Profile, Profiles};
use crate::finding::{Code, Finding};
use crate::fs::{Content, SourceFile};
use crate::overrides::trust::{Store, Verdict};
use crate::overrides::{self, Invalid, Override, OverrideFile, judge, place};
use crate::secret::Secret;
use crate::session::UserIntent;
use crate::text::{command_on, visible};
use crate::toolkit_env::{ANTHROPIC_KEY, ToolkitEnv};
use crate::world::World;

/// What the directories above say.
#[derive(Debug, Default)]
pub struct Directory {
    /// The nearest override that counts, or why it cannot be understood.
    pub decided: Option<(PathBuf, Result<Override, Invalid>)>,
    /// The nearest one that does not count, when it is nearer than the one that does or there is no other.
    pub passed_over: Option<(PathBuf, Outcome)>,
    /// What there is to say about them.
    pub notices: Vec<Finding>,
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
    pub intent: UserIntent,
    /// What the directories say.
    pub directory: Directory,
    /// The toolkit's file and where it is.
    pub toolkit_env: (PathBuf, ToolkitEnv),
    /// Keys in the environment.
    pub environment: EnvironmentKeys,
    /// `AWS_PROFILE`, unless it is empty.
    pub aws_profile: Option<OsString>,
    /// Whether there is a key for Anthropic's own API.
    pub anthropic_key: bool,
    /// The profiles of the AWS files.
    pub profiles: Profiles<'a>,
    /// The override files on the way up, to the first that counts.
    pub overrides: Vec<OverrideFile<'a>>,
    /// Where decisions on them are kept.
    pub trust: Option<Store>,
    /// Where those files are: credentials, config.
    pub aws_paths: (Option<PathBuf>, Option<PathBuf>),
    /// What there is to say about the files themselves.
    pub file_notices: Vec<Finding>,
    /// The time of asking.
    pub now: Timestamp,
}

impl Inputs<'_> {
    /// Where the profile is defined: the first place its name stands.
    pub fn place_of(&self, profile: &Profile<'_>) -> Option<Place> {
        profile.at().next().and_then(|at| {
            Some(Place { path: self.path_of(at.kind)?.to_owned(), line: Some(at.line) })
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

impl<'a> Inputs<'a> {
    /// What the chain asks about, from one look at the machine and what the user asked for.
    pub fn of(world: &'a World, intent: UserIntent) -> Self {
        let profiles = profiles(world);
        let trust = world.data_dir.as_deref().map(Store::below);
        let overrides = judge(&world.overrides, trust.as_ref());
        let path = |file: &Option<SourceFile>| file.as_ref().map(|file| file.path.clone());
        let toolkit_path =
            path(&world.toolkit_env).unwrap_or_else(|| PathBuf::from("~/.backlog-toolkit-env"));
        let toolkit = match &world.toolkit_env {
            Some(SourceFile { content: Content::Read { bytes, .. }, .. }) => {
                ToolkitEnv::parse(bytes)
            }
            _ => ToolkitEnv::default(),
        };
        let anthropic_key =
            world.env.non_empty(ANTHROPIC_KEY).is_some() || toolkit.get(ANTHROPIC_KEY).is_some();
        Self {
            intent,
            directory: Directory::of(&overrides),
            toolkit_env: (toolkit_path, toolkit),
            environment: environment(world),
            aws_profile: world.env.non_empty("AWS_PROFILE").map(ToOwned::to_owned),
            anthropic_key,
            file_notices: file_notices(world, &profiles),
            profiles,
            overrides,
            trust,
            aws_paths: (path(&world.credentials), path(&world.config)),
            now: world.now,
        }
    }
}

/// The profiles of the AWS files, parsed once.
fn profiles(world: &World) -> Profiles<'_> {
    let files: Vec<AwsFile<'_>> =
        [(FileKind::Credentials, &world.credentials), (FileKind::Config, &world.config)]
            .into_iter()
            .filter_map(|(kind, file)| match file {
                Some(SourceFile { path, content: Content::Read { bytes, .. }, .. }) => {
                    Some(AwsFile { kind, path, bytes })
                }
                _ => None,
            })
            .collect();
    Profiles::read(&files)
}

impl Directory {
    /// The nearest override that counts; what is nearer and does not count is passed over, with a word about it.
    pub fn of(found: &[OverrideFile<'_>]) -> Self {
        let mut directory = Self::default();
        for OverrideFile { file, verdict } in found {
            let shown = visible(&file.path);
            let (outcome, notice) = match (&file.content, verdict) {
                (Content::Read { bytes, .. }, Some(verdict)) if verdict.is_allowed() => {
                    directory.decided = Some((file.path.clone(), overrides::parse(bytes)));
                    break;
                }
                (Content::Read { bytes, .. }, Some(Verdict::Unknown { changed })) => {
                    let why = if *changed {
                        "changed since it was allowed and"
                    } else {
                        "is not allowed and"
                    };
                    let directory = file.path.parent().unwrap_or(&file.path);
                    let notice = Finding::once(
                        Code::OverrideNotAllowed,
                        format!(
                            "{shown} {why} is ignored; look at it, then run {}",
                            command_on("backlog-aws allow", directory)
                        ),
                    );
                    (Outcome::NotAllowed, Some(notice.about(bytes)))
                }
                (_, Some(Verdict::Undecidable(why))) => (
                    Outcome::NotAllowed,
                    Some(Finding::once(
                        Code::OverrideNotAllowed,
                        format!(
                            "{shown} is ignored because it is not known whether it is allowed: {}; run `backlog-aws allow` there again",
                            visible(why)
                        ),
                    )),
                ),
                (Content::Unreadable(why), None) => (
                    Outcome::Invalid,
                    Some(Finding::once(
                        Code::OverrideInvalid,
                        format!("{shown} {why} and is ignored; mend or remove it"),
                    )),
                ),
                // Denied: the user knows.
                _ => (Outcome::NotAllowed, None),
            };
            directory.passed_over.get_or_insert((file.path.clone(), outcome));
            directory.notices.extend(notice);
        }
        directory
    }
}

fn environment(world: &World) -> EnvironmentKeys {
    let text = |name| world.env.non_empty(name).and_then(|value| value.to_str()).map(str::to_owned);
    let identity = if let Some(token) = text("AWS_BEARER_TOKEN_BEDROCK") {
        Some(Identity::BearerToken(Secret::new(token)))
    } else {
        match (text("AWS_ACCESS_KEY_ID"), text("AWS_SECRET_ACCESS_KEY")) {
            (Some(access_key_id), Some(secret)) => Some(Identity::Keys(Credentials {
                access_key_id,
                secret_access_key: Secret::new(secret),
                session_token: text("AWS_SESSION_TOKEN").map(Secret::new),
                // What `aws configure export-credentials --format env` writes beside the keys.
                expires_at: text("AWS_CREDENTIAL_EXPIRATION").and_then(|end| end.parse().ok()),
            })),
            _ => None,
        }
    };
    let region =
        world.env.non_empty("AWS_REGION").or_else(|| world.env.non_empty("AWS_DEFAULT_REGION"));
    EnvironmentKeys { identity, region: region.map(ToOwned::to_owned) }
}

fn file_notices(world: &World, profiles: &Profiles<'_>) -> Vec<Finding> {
    let mut notices = Vec::new();
    for file in world.source_files() {
        if let Content::Unreadable(why) = &file.content {
            notices.push(Finding::new(
                Code::FileUnreadable,
                format!("{} {why}; make it a readable file", visible(&file.path)),
            ));
        }
    }
    if let Some(SourceFile { path, content: Content::Read { mode, .. }, .. }) = &world.credentials
        && mode & 0o077 != 0
    {
        notices.push(Finding::new(
            Code::FilePermissions,
            format!(
                "{} can be read by others (mode {:03o}); run {}",
                visible(path),
                mode & 0o777,
                command_on("chmod 600", path)
            ),
        ));
    }
    for (kind, file) in
        [(FileKind::Credentials, &world.credentials), (FileKind::Config, &world.config)]
    {
        let Some(file) = file else { continue };
        let mut problems = profiles.problems().iter().filter(|problem| problem.kind == kind);
        for problem in problems.by_ref().take(SHOWN_PROBLEMS) {
            notices.push(Finding::new(
                Code::FileInvalid,
                format!("{} ({})", problem.what, place(&file.path, Some(problem.line))),
            ));
        }
        let more = problems.count();
        let at_least = if profiles.problems_left_out() > 0 { "at least " } else { "" };
        if more > 0 {
            notices.push(Finding::new(
                Code::FileInvalid,
                format!(
                    "{at_least}{more} more lines of {} are not understood; `backlog-aws doctor` lists them",
                    visible(&file.path)
                ),
            ));
        }
    }
    notices
}

/// How many bad lines of one file are worth a notice each. A binary file has thousands.
const SHOWN_PROBLEMS: usize = 3;
