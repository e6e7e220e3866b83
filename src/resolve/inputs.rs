//! What the chain asks about, parsed once from what was read, and what there is to say about the files themselves.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::answer::{Identity, Reason};
use super::directory::{Directory, UserConfig};
use crate::aws::{
    At, AwsFile, Credentials, FileKind, Problem, ProblemKind, Profile, Profiles, botocore,
};
use crate::finding::{Code, Finding, Place};
use crate::fs::{Content, SourceFile};
use crate::overrides::trust::{OverrideFile, Store, judge};
use crate::session::{UserIntent, state_of};
use crate::text::{command_on, put_aside, quoted, visible};
use crate::toolkit_env::{ANTHROPIC_KEY, ToolkitEnv, Unknown};
use crate::world::{Environment, World};

/// Keys in the environment, if they are complete.
#[derive(Debug, Default)]
pub struct EnvironmentKeys {
    /// A key pair with what goes with it, or an API key.
    pub identity: Option<Identity>,
    /// `AWS_REGION`, or else `AWS_DEFAULT_REGION`.
    pub region: Option<OsString>,
}

/// Works on any machine, with the AWS CLI or without.
pub const ADD_A_PROFILE: &str = "put a [bedrock] section with aws_access_key_id and aws_secret_access_key into ~/.aws/credentials";

/// Chooses a profile where the hook runs.
pub const USE: &str = "backlog-aws use ";

/// Chooses a profile in any shell.
const EXPORT: &str = "export BACKLOG_AWS_PROFILE=";

/// Everything the chain looks at.
pub struct Inputs<'a> {
    /// What the user asked for in this shell.
    pub intent: UserIntent,
    pub directory: Directory,
    /// The toolkit's file and where it is.
    pub toolkit_env: (PathBuf, ToolkitEnv),
    /// Why that file is there and cannot be read.
    pub toolkit_unreadable: Option<Finding>,
    pub environment: EnvironmentKeys,
    /// `AWS_PROFILE`, unless it is empty.
    pub aws_profile: Option<OsString>,
    /// Whether there is a key for Anthropic's own API.
    pub anthropic_key: bool,
    pub profiles: Profiles<'a>,
    /// The override files on the way up, to the first that counts.
    pub overrides: Vec<OverrideFile<'a>>,
    /// Where decisions on them are kept.
    pub trust: Option<Store>,
    pub user_config: UserConfig,
    /// Where the AWS files are: credentials, config.
    pub aws_paths: [Option<PathBuf>; 2],
    /// What there is to say about the files themselves.
    pub findings: Vec<Finding>,
    /// What a remedy puts before the name of another profile: the command that was typed, or what works in this shell.
    pub choose_with: &'static str,
    /// Whether the profile was typed with this very command.
    pub typed: bool,
    /// Credentials that somebody else gave for a profile that has none in the files.
    pub temporary: Option<(String, Credentials)>,
    pub now: Timestamp,
}

/// Whether a profile can be used now: static or temporary, and not expired.
pub fn usable(profile: &Profile<'_>, now: Timestamp) -> Result<Credentials, Reason> {
    let credentials = profile.credentials().ok_or_else(|| Reason::Kind(profile.kind()))?;
    match credentials.expires_at {
        Some(end) if end <= now => Err(Reason::Expired(end)),
        _ => Ok(credentials),
    }
}

impl<'a> Inputs<'a> {
    /// Parses what `world` read and asks the trust store about overrides, for a user who asked for `intent`.
    pub fn of(world: &'a World, intent: UserIntent) -> Self {
        let path = |file: &Option<SourceFile>| file.as_ref().map(|file| file.path.clone());
        let toolkit_path =
            path(&world.toolkit_env).unwrap_or_else(|| PathBuf::from("~/.backlog-toolkit-env"));
        let toolkit = match world.toolkit_env.as_ref().and_then(SourceFile::bytes) {
            Some(bytes) => ToolkitEnv::parse(bytes),
            None => ToolkitEnv::default(),
        };
        let trust = world.data_dir.as_deref().map(Store::below);
        let overrides = judge(&world.overrides, trust.as_ref());
        let mut inputs = Self {
            intent,
            directory: match world.cwd {
                Some(_) => Directory::of(&overrides),
                None => Directory::gone(),
            },
            anthropic_key: world.env.non_empty(ANTHROPIC_KEY).is_some()
                || toolkit.get(ANTHROPIC_KEY).is_some(),
            toolkit_env: (toolkit_path, toolkit),
            toolkit_unreadable: world.toolkit_env.as_ref().and_then(unreadable),
            environment: EnvironmentKeys::of(&world.env),
            aws_profile: world.env.non_empty("AWS_PROFILE").map(ToOwned::to_owned),
            profiles: profiles(world),
            overrides,
            trust,
            user_config: UserConfig::of(world),
            aws_paths: [path(&world.credentials), path(&world.config)],
            findings: Vec::new(),
            choose_with: if state_of(&world.env).is_some() { USE } else { EXPORT },
            typed: false,
            temporary: None,
            now: world.now,
        };
        inputs.findings = inputs.file_findings(world);
        inputs
    }

    /// The profile of this name; none has a name that is not UTF-8.
    pub fn profile(&self, name: &OsStr) -> Option<&Profile<'a>> {
        self.profiles.get(name.to_str()?)
    }

    /// In file order.
    pub fn usable_profiles(&self) -> impl Iterator<Item = &Profile<'a>> {
        self.profiles.iter().filter(|profile| usable(profile, self.now).is_ok())
    }

    /// Where the profile is defined: the first place its name stands.
    pub fn place_of(&self, profile: &Profile<'_>) -> Option<Place> {
        self.place(profile.at().next()?)
    }

    pub fn place(&self, At { kind, line }: At) -> Option<Place> {
        Some(Place::line(self.path_of(kind)?, line))
    }

    /// The path of one of the AWS files.
    pub fn path_of(&self, kind: FileKind) -> Option<&Path> {
        self.aws_paths[kind as usize].as_deref()
    }

    /// Where botocore gives up on a file.
    pub fn boto3_rejects(&self, world: &World) -> Option<Place> {
        let files =
            [(FileKind::Credentials, &world.credentials), (FileKind::Config, &world.config)];
        files.into_iter().find_map(|(kind, file)| {
            let file = file.as_ref()?;
            let differences = botocore::differences(file.bytes()?);
            let twice = differences.into_iter().filter(|(_, what)| what.rejects_file());
            let problems = self.profiles.problems.iter().filter(|problem| {
                problem.at.kind == kind
                    && problem.what.rejects_file()
                    && problem.what != ProblemKind::NothingToContinue
            });
            let lines = problems.map(|problem| problem.at.line).chain(twice.map(|(line, _)| line));
            Some(Place::line(&file.path, lines.min()?))
        })
    }

    /// The paths of both AWS files.
    pub fn aws_files(&self) -> String {
        let shown: Vec<String> = self.aws_paths.iter().flatten().map(visible).collect();
        match shown.as_slice() {
            [] => "~/.aws (there is no home directory)".to_owned(),
            shown => shown.join(" or "),
        }
    }

    /// A command that takes a profile's name, with a usable one: `bedrock`, the name in the documentation, or the first.
    pub fn with_usable_profile(&self, command: impl Fn(&str) -> String) -> String {
        match self.usable_profiles().map(Profile::name).min_by_key(|name| *name != "bedrock") {
            Some(name) => format!("try `{}`", command(&quoted(name))),
            None => format!("no profile is usable; {ADD_A_PROFILE}"),
        }
    }

    /// The profile with the name nearest to one that does not exist, if it is near enough to be what was meant.
    pub fn near(&self, name: &OsStr) -> Option<&str> {
        let name = name.to_str()?;
        let likeness = |profile: &Profile<'_>| strsim::jaro_winkler(profile.name(), name);
        let near = self.profiles.iter().map(|profile| (likeness(profile), profile.name()));
        let (_, nearest) =
            near.filter(|(likeness, _)| *likeness > 0.85).max_by(|a, b| a.0.total_cmp(&b.0))?;
        Some(nearest)
    }

    /// The command that chooses a usable profile.
    pub fn choose_command(&self) -> String {
        self.with_usable_profile(|name| format!("{}{name}", self.choose_with))
    }

    /// A line of an AWS file that is rejected or ignored.
    pub fn line_finding(&self, problem: &Problem) -> Option<Finding> {
        let place = self.place(problem.at)?;
        let text = problem.what.to_string();
        // The text of a problem ends in what to do about it.
        let (message, advice) = text.split_once("; ").unwrap_or((&text, "fix it"));
        let finding = if problem.what.rejects_file() {
            Finding::problem(Code::FileInvalid, format!("AWS tools fail: {message}"))
        } else {
            Finding::warning(Code::FileInvalid, message)
        };
        Some(finding.at(place).remedy(advice))
    }

    /// The variables of the toolkit's file whose value only a shell could tell.
    pub(super) fn unknown_values(&self) -> impl Iterator<Item = (&'static str, Finding)> {
        let (path, file) = &self.toolkit_env;
        file.unknown().map(|(name, line, why)| {
            let (code, remedy) = match why {
                Unknown::NeedsShell => (Code::ValueNeedsExpansion, "write it in single quotes"),
                Unknown::OpenQuote => (Code::FileInvalid, "close it there"),
            };
            let finding = Finding::warning(code, format!("{name} {why}"));
            (name, finding.at(Place::line(path, line)).remedy(remedy))
        })
    }

    fn file_findings(&self, world: &World) -> Vec<Finding> {
        let files = [&world.credentials, &world.config, &world.toolkit_env];
        let secret = [&world.credentials, &world.toolkit_env];
        let unreadable = files.into_iter().flatten().filter_map(unreadable);
        let open = secret.into_iter().flatten().filter_map(open_to_others);
        let lines = self.profiles.problems.iter().filter_map(|found| self.line_finding(found));
        unreadable.chain(open).chain(lines).collect()
    }
}

/// That others can read what holds secrets.
fn open_to_others(SourceFile { path, content, .. }: &SourceFile) -> Option<Finding> {
    let Content::Read { mode, .. } = content else { return None };
    let (shown, mode) = (visible(path), mode & 0o777);
    let message = format!("{shown} can be read by others (mode {mode:03o})");
    let finding =
        Finding::warning(Code::FilePermissions, message).remedy(command_on("chmod 600", path));
    (mode & 0o077 != 0).then_some(finding)
}

fn unreadable(file: &SourceFile) -> Option<Finding> {
    let Content::Unreadable(why) = &file.content else { return None };
    let message = format!("{} {why}", visible(&file.path));
    let remedy = if file.is_denied() {
        command_on("chmod u+r", &file.path)
    } else {
        format!("put it aside with {}", put_aside(&file.path))
    };
    Some(Finding::problem(Code::FileUnreadable, message).remedy(remedy))
}

/// The profiles of the AWS files.
fn profiles(world: &World) -> Profiles<'_> {
    let both = [(FileKind::Credentials, &world.credentials), (FileKind::Config, &world.config)];
    let files = both.into_iter().filter_map(|(kind, file)| {
        let file = file.as_ref()?;
        Some(AwsFile { kind, path: &file.path, bytes: file.bytes()? })
    });
    Profiles::read(&files.collect::<Vec<_>>())
}

impl EnvironmentKeys {
    fn of(env: &Environment) -> Self {
        let text = |name: &str| env.non_empty(name).and_then(OsStr::to_str).map(str::to_owned);
        let region = env.non_empty("AWS_REGION").or_else(|| env.non_empty("AWS_DEFAULT_REGION"));
        Self { identity: Identity::of_variables(text), region: region.map(ToOwned::to_owned) }
    }
}
