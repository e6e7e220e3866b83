//! What every command looks at: the environment, the working directory and the bytes of files, taken once. The trust
//! store is asked by [`crate::overrides::trust`], and what only `doctor` wants by its probe.
//!
//! Nothing is interpreted here. What the bytes mean is for [`crate::aws`], [`crate::overrides`] and
//! [`crate::toolkit_env`]; what follows from them, for [`crate::resolve`].

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;
use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::aws::{FileKind, locate};
use crate::fs::{Content, FORBIDDEN_DIRS, SourceFile, foreign_directory, is_mine, read_file};

/// The largest AWS file that is read, in bytes: far beyond any real one, and short of exhausting memory.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// The same for the toolkit's file. Its wizard writes less than one KiB.
const MAX_TOOLKIT_FILE_BYTES: u64 = 1 << 20;

/// The name of an override file.
pub const OVERRIDE_NAME: &str = ".backlog-aws";

/// The largest override file that is read, in bytes. Two keys and a page of comments fit many times over.
pub const MAX_OVERRIDE_BYTES: usize = 64 * 1024;

/// How files of `exec --sealed` are named.
pub const SEALED_PREFIX: &str = "sealed-";

/// By which variable each AWS file is found, and where `exec --sealed` leaves the path of the user's own.
pub const OWN_FILES: [(&str, &str); 2] = [
    ("AWS_SHARED_CREDENTIALS_FILE", "__BACKLOG_AWS_CREDENTIALS_FILE"),
    ("AWS_CONFIG_FILE", "__BACKLOG_AWS_CONFIG_FILE"),
];

/// The environment, byte for byte.
pub struct Environment(Vec<(OsString, OsString)>);

impl Environment {
    /// The value of a variable, empty or not.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_os_str())
    }

    /// The value of a variable unless it is empty.
    pub fn non_empty(&self, name: &str) -> Option<&OsStr> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &OsStr> {
        self.0.iter().map(|(name, _)| name.as_os_str())
    }
}

impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<I: IntoIterator<Item = (OsString, OsString)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

/// What was seen of the machine.
pub struct World {
    /// The time of looking.
    pub now: Timestamp,
    pub env: Environment,
    /// The home directory, if there is one and its path is absolute.
    pub home: Option<PathBuf>,
    /// The working directory with all links resolved; `None` when it was deleted or cannot be reached.
    pub cwd: Option<PathBuf>,
    /// `~/.aws/credentials`, or where `AWS_SHARED_CREDENTIALS_FILE` points.
    pub credentials: Option<SourceFile>,
    /// `~/.aws/config`, or where `AWS_CONFIG_FILE` points.
    pub config: Option<SourceFile>,
    /// `~/.backlog-toolkit-env`.
    pub toolkit_env: Option<SourceFile>,
    /// The user's own configuration.
    pub user_config: Option<SourceFile>,
    /// The override files on the way up, nearest first, whether they count or not.
    pub overrides: Vec<SourceFile>,
    /// Where decisions of the user are kept, if there is a place for them.
    pub data_dir: Option<PathBuf>,
    /// Where files that only save time may be kept.
    pub cache: Option<PathBuf>,
    /// Where files may be that a command rests on for as long as it runs: not in the runtime directory, which goes when
    /// the user logs out.
    pub sealed_dir: Option<PathBuf>,
    /// This program as it was called: a path for a shell to call it by, symbolic links kept.
    pub program: PathBuf,
}

impl World {
    pub fn capture() -> Self {
        let now = Timestamp::now();
        let env = std::env::vars_os().collect::<Environment>();
        let home = dirs::home_dir().filter(|home| home.is_absolute());
        let cwd = std::env::current_dir().ok();
        let own: Environment =
            own_files(&env).into_iter().map(|(name, path)| (name.into(), path)).collect();
        let moved_to = |name| own.get(name).or_else(|| env.get(name));
        let read = |path: PathBuf| match &cwd {
            Some(cwd) if path.is_relative() => read_file(cwd.join(path), MAX_FILE_BYTES),
            _ => read_file(path, MAX_FILE_BYTES),
        };
        let aws_file = |kind| locate(kind, home.as_deref(), moved_to).map(read);
        let (credentials, config) = (aws_file(FileKind::Credentials), aws_file(FileKind::Config));
        let toolkit_env = home
            .as_ref()
            .map(|home| read_file(home.join(".backlog-toolkit-env"), MAX_TOOLKIT_FILE_BYTES));
        let project = home.as_ref().and_then(|_| ProjectDirs::from("", "", "backlog-aws"));
        let user_config = match env.non_empty("BACKLOG_AWS_CONFIG") {
            Some(path) => Some(path.into()),
            None => project.as_ref().map(|project| project.config_dir().join("config.ini")),
        };
        let user_config = user_config.map(read_user_config);
        let [data_dir, cache, sealed_dir] =
            project.as_ref().map(|project| own_dirs(project, home.as_deref())).unwrap_or_default();
        let overrides = cwd.as_deref().map(find_overrides).unwrap_or_default();
        let program = program(&env, cwd.as_deref());
        Self {
            now,
            env,
            home,
            cwd,
            credentials,
            config,
            toolkit_env,
            user_config,
            overrides,
            data_dir,
            cache,
            sealed_dir,
            program,
        }
    }

    /// One of the AWS files as it stands in the home: the toolkit looks nowhere else.
    pub fn aws_file_in_home(&self, kind: FileKind) -> Option<Zeroizing<Vec<u8>>> {
        let path = self.home.as_ref()?.join(".aws").join(kind.name());
        let bytes = |file: &SourceFile| Some(Zeroizing::new(file.bytes()?.to_vec()));
        match self.source_files().find(|file| file.path == path) {
            Some(file) => bytes(file),
            None => bytes(&read_file(path, MAX_FILE_BYTES)),
        }
    }

    /// The files that are read by everybody, present or not.
    pub fn source_files(&self) -> impl Iterator<Item = &SourceFile> {
        [&self.credentials, &self.config, &self.toolkit_env, &self.user_config]
            .into_iter()
            .flatten()
    }
}

/// Where decisions are kept, and where files that only save time may be. `XDG_DATA_HOME=~/.aws` would have us write where
/// we promised not to.
fn own_dirs(project: &ProjectDirs, home: Option<&Path>) -> [Option<PathBuf>; 3] {
    let forbidden: Vec<PathBuf> =
        FORBIDDEN_DIRS.iter().filter_map(|name| Some(home?.join(name))).collect();
    let ours = |path: &Path| !forbidden.iter().any(|forbidden| path.starts_with(forbidden));
    let runtime = project.runtime_dir().filter(|dir| dir.parent().is_some_and(is_mine));
    let keep = |dir: &Path| Some(dir.to_owned()).filter(|dir| ours(dir));
    let cache = project.cache_dir();
    [keep(project.data_dir()), keep(runtime.unwrap_or(cache)), keep(cache)]
}

/// Inside of `exec --sealed`: the user's own AWS files, by the variables that lead clients to the sealed ones.
pub fn own_files(env: &Environment) -> Vec<(&'static str, OsString)> {
    let config = Path::new(env.get("AWS_CONFIG_FILE").unwrap_or_default()).file_name();
    let is_sealed = |name: &OsStr| name.as_bytes().starts_with(SEALED_PREFIX.as_bytes());
    let files = OWN_FILES.into_iter().filter(|_| config.is_some_and(is_sealed));
    files.filter_map(|(name, own)| Some((name, env.get(own)?.to_owned()))).collect()
}

/// The user's configuration. Its name must lead to the same file for nobody but the user to change.
fn read_user_config(path: PathBuf) -> SourceFile {
    let unreadable = |path, why: &str| {
        let content = Content::Unreadable(why.to_owned());
        SourceFile { path, content, state: None }
    };
    if path.is_relative() {
        return unreadable(path, "is not an absolute path");
    }
    let file = read_file(path, MAX_FILE_BYTES);
    let directory = file.path.parent().filter(|_| file.bytes().is_some());
    match directory.and_then(foreign_directory) {
        Some(why) => unreadable(file.path, why),
        None => file,
    }
}

/// The override files in a directory and above, nearest first. Each is read once: the bytes that are compared with what
/// was allowed are the bytes that are parsed later.
pub fn find_overrides(from: &Path) -> Vec<SourceFile> {
    from.ancestors()
        .map(|directory| read_file(directory.join(OVERRIDE_NAME), MAX_OVERRIDE_BYTES as u64))
        .filter(|file| !matches!(file.content, Content::Absent))
        .collect()
}

/// The first executable of that name on `PATH`.
pub fn on_path(env: &Environment, name: &OsStr) -> Option<PathBuf> {
    let executable = |candidate: &Path| {
        std::fs::metadata(candidate).is_ok_and(|found| found.is_file() && found.mode() & 0o111 != 0)
    };
    env.get("PATH")
        .into_iter()
        .flat_map(std::env::split_paths)
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_absolute() && executable(candidate))
}

/// This program as a shell should call it. `current_exe` would resolve links, and then an upgrade that swaps a link (as
/// Homebrew's and Nix's do) would leave every open shell with a path that is gone.
fn program(env: &Environment, cwd: Option<&Path>) -> PathBuf {
    let called = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
    if called.components().count() > 1 || called.is_absolute() {
        return match cwd {
            Some(cwd) if called.is_relative() => cwd.join(called),
            _ => called,
        };
    }
    on_path(env, called.as_os_str())
        .or_else(|| std::env::current_exe().ok())
        .unwrap_or_else(|| PathBuf::from("backlog-aws"))
}
