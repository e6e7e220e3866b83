//! The only reader of the environment, the working directory and files: one look, taken once, then immutable.
//!
//! Nothing is interpreted here. What the bytes mean is for [`crate::aws`], [`crate::overrides`] and
//! [`crate::toolkit_env`]; what follows from them, for [`crate::resolve`].

pub mod survey;

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::aws::{AwsFile, FileKind, Profiles, locate};
use crate::overrides::trust::{Store, Verdict};
use crate::overrides::{FILE_NAME, MAX_BYTES};
use crate::session::{Claims, Session, Values, Variable};

/// The largest AWS or toolkit file that is read, in bytes: far beyond any real one, and short of exhausting memory.
const MAX_FILE_BYTES: u64 = 1 << 30;

/// Directories of the home where nothing of ours is ever written: AWS's and Claude's.
pub const OTHERS: [&str; 2] = [".aws", ".claude"];

/// A moment of a file's life, as the file system keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileTime {
    /// Seconds since the epoch.
    pub seconds: i64,
    /// Nanoseconds into the second.
    pub nanoseconds: i64,
}

impl FileTime {
    /// Nanoseconds since the epoch.
    pub fn as_nanosecond(self) -> i128 {
        i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanoseconds)
    }
}

/// What identifies a state of a file without reading it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// When its content last changed.
    pub modified: FileTime,
    /// When anything about it last changed; nobody can set this back.
    pub changed: FileTime,
    /// Its real path, when symbolic links lead to it.
    pub resolved: Option<PathBuf>,
}

/// A file's content at the time of looking.
pub enum Content {
    /// There is no such file.
    Absent,
    /// It is there, but cannot be read: why, in a few words.
    Unreadable(String),
    /// Its bytes, wiped when dropped because they hold secrets.
    Read {
        /// The bytes.
        bytes: Zeroizing<Vec<u8>>,
        /// The permission bits.
        mode: u32,
    },
}

/// One file that matters.
pub struct SourceFile {
    /// Where it is looked for.
    pub path: PathBuf,
    /// What was there.
    pub content: Content,
    /// What identifies the state that was read; `None` when there was nothing to look at.
    pub sight: Option<Sight>,
}

impl SourceFile {
    /// Whether it is there, but not for this user to read.
    pub fn is_denied(&self) -> bool {
        matches!(&self.content, Content::Unreadable(why) if why == DENIED)
    }
}

/// How a file that may not be read is described.
const DENIED: &str = "cannot be read: permission denied";

/// An override file on the way up.
pub struct OverrideFile {
    /// The file.
    pub file: SourceFile,
    /// Whether its word is taken; `None` when it could not be read.
    pub verdict: Option<Verdict>,
}

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

/// Everything the program knows about the machine.
pub struct World {
    /// The time of looking.
    pub now: Timestamp,
    /// The environment.
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
    /// Directories whose state tells of a file that was moved into place: those of the AWS files, and of every other
    /// file whose time says little because it has no fraction.
    pub directories: Vec<(PathBuf, Sight)>,
    /// The override files on the way up, nearest first, up to the first that counts.
    pub overrides: Vec<OverrideFile>,
    /// Where override files were looked for in vain.
    pub absent_overrides: Vec<PathBuf>,
    /// The trust store, if there is a place for it.
    pub trust: Option<Store>,
    /// The state of the trust store's directory, when it was asked.
    pub trust_sight: Option<Option<Sight>>,
    /// Where files that only save time may be kept.
    pub cache: Option<PathBuf>,
    /// This program as it was called: a path for a shell to call it by, symbolic links kept.
    pub program: PathBuf,
}

impl World {
    /// Looks.
    pub fn capture() -> Self {
        let now = Timestamp::now();
        let env = std::env::vars_os().collect::<Environment>();
        let home = dirs::home_dir().filter(|home| home.is_absolute());
        let cwd = std::env::current_dir().ok();
        let locations = locate(
            home.as_deref(),
            env.get("AWS_SHARED_CREDENTIALS_FILE"),
            env.get("AWS_CONFIG_FILE"),
        );
        let absolute = |path: PathBuf| match &cwd {
            Some(cwd) if path.is_relative() => cwd.join(path),
            _ => path,
        };
        let credentials =
            locations.credentials.map(absolute).map(|path| look(path, MAX_FILE_BYTES));
        let config = locations.config.map(absolute).map(|path| look(path, MAX_FILE_BYTES));
        let toolkit_env =
            home.as_ref().map(|home| look(home.join(".backlog-toolkit-env"), MAX_FILE_BYTES));
        let project =
            home.as_ref().and_then(|_| directories::ProjectDirs::from("", "", "backlog-aws"));
        // `XDG_DATA_HOME=~/.aws` would have us write where we promised not to.
        let ours = |path: &Path| {
            home.as_ref()
                .is_none_or(|home| !OTHERS.iter().any(|name| path.starts_with(home.join(name))))
        };
        let trust = project
            .as_ref()
            .map(directories::ProjectDirs::data_dir)
            .filter(|data| ours(data))
            .map(Store::below);
        let (overrides, absent_overrides) = look_up_the_tree(cwd.as_deref(), trust.as_ref());
        let directories = directories_of(
            [&credentials, &config].into_iter().flatten(),
            toolkit_env.iter().chain(overrides.iter().map(|found| &found.file)),
        );
        let trust_sight = match &trust {
            Some(trust) if !overrides.is_empty() => Some(sight_of(trust.directory())),
            _ => None,
        };
        let cache = project.as_ref().map(|project| {
            let runtime = project.runtime_dir().filter(|dir| dir.parent().is_some_and(is_mine));
            runtime.unwrap_or(project.cache_dir()).to_owned()
        });
        let cache = cache.filter(|cache| ours(cache));
        let program = program(&env, cwd.as_deref());
        Self {
            now,
            env,
            home,
            cwd,
            credentials,
            config,
            toolkit_env,
            directories,
            overrides,
            absent_overrides,
            trust,
            trust_sight,
            cache,
            program,
        }
    }

    /// The profiles of the AWS files.
    pub fn profiles(&self) -> Profiles<'_> {
        let files: Vec<AwsFile<'_>> =
            [(FileKind::Credentials, &self.credentials), (FileKind::Config, &self.config)]
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

    /// The override files that a shell in `directory` would find, nearest first, up to the first that counts.
    pub fn overrides_from(&self, directory: &Path) -> Vec<OverrideFile> {
        look_up_the_tree(Some(directory), self.trust.as_ref()).0
    }

    /// The variables a hook may change, as they are.
    pub fn values(&self) -> Values {
        Values::from_lookup(|name| self.env.get(name).map(OsStr::to_owned))
    }

    /// The hook's memory as the environment has it.
    pub fn state(&self) -> Option<&OsStr> {
        self.env.get(Variable::State.name())
    }

    /// What the user asked for, as far as the environment tells.
    pub fn claims(&self) -> Claims {
        Session::claims_of_environment(self.state(), &self.values())
    }

    /// The files that are read by everybody, present or not.
    pub fn source_files(&self) -> impl Iterator<Item = &SourceFile> {
        [&self.credentials, &self.config, &self.toolkit_env].into_iter().flatten()
    }
}

/// Reads one file, if it is one. Never blocks: a FIFO put where a file should be is opened without waiting for a writer
/// and then refused, like a directory or a device.
pub fn look(path: PathBuf, max_bytes: u64) -> SourceFile {
    match read(&path, max_bytes) {
        Ok((content, sight)) => SourceFile { path, content, sight: Some(sight) },
        // ENOTDIR: a file stands where a directory should be, so there is no such file below it either.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            SourceFile { path, content: Content::Absent, sight: None }
        }
        Err(error) => SourceFile {
            sight: sight_of(&path),
            path,
            content: Content::Unreadable(in_words(&error)),
        },
    }
}

fn read(path: &Path, max_bytes: u64) -> io::Result<(Content, Sight)> {
    let nonblocking = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let file =
        OpenOptions::new().read(true).custom_flags(nonblocking.bits().cast_signed()).open(path)?;
    let metadata = file.metadata()?;
    let sight = Sight { resolved: resolved(path, &file), ..sight(&metadata) };
    if !metadata.is_file() {
        return Ok((Content::Unreadable(what_it_is(&metadata)), sight));
    }
    if metadata.len() > max_bytes {
        return Ok((Content::Unreadable(format!("is larger than {max_bytes} bytes")), sight));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    match read_whole(file, &metadata, max_bytes, &mut bytes) {
        Ok(()) => Ok((Content::Read { bytes, mode: metadata.mode() }, sight)),
        Err(error) => Ok((Content::Unreadable(in_words(&error)), sight)),
    }
}

/// One read call for a file that keeps its size meanwhile. Of one that grows, the beginning is read, and its new time
/// makes the next prompt look again.
fn read_whole(
    file: File,
    metadata: &Metadata,
    max_bytes: u64,
    bytes: &mut Vec<u8>,
) -> io::Result<()> {
    /// Less room than this at the end, and `read_to_end` would look for the end in a small buffer first.
    const PROBE: usize = 32;
    // Files that are made up while they are read, as in /proc, have no size.
    let limit = if metadata.len() == 0 { max_bytes } else { metadata.len().min(max_bytes) };
    let expected = usize::try_from(metadata.len().min(max_bytes)).map_err(io::Error::other)?;
    bytes
        .try_reserve_exact(expected + PROBE)
        .map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
    file.take(limit).read_to_end(bytes)?;
    Ok(())
}

/// What identifies the present state of a path, links followed.
pub fn sight_of(path: &Path) -> Option<Sight> {
    std::fs::metadata(path).ok().map(|metadata| sight(&metadata))
}

fn sight(metadata: &Metadata) -> Sight {
    Sight {
        modified: FileTime { seconds: metadata.mtime(), nanoseconds: metadata.mtime_nsec() },
        changed: FileTime { seconds: metadata.ctime(), nanoseconds: metadata.ctime_nsec() },
        resolved: None,
    }
}

/// The real path of an open file, when it differs from the one it was opened by. One call on Linux, where walking the
/// path would take one for each of its directories.
fn resolved(path: &Path, file: &File) -> Option<PathBuf> {
    #[cfg(target_os = "linux")]
    let real = {
        use std::os::fd::AsRawFd;
        std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()
    };
    #[cfg(not(target_os = "linux"))]
    let real = {
        let _ = file;
        std::fs::canonicalize(path).ok()
    };
    real.filter(|real| real != path)
}

/// Whether it is a directory of the user's own. After a plain `su`, `XDG_RUNTIME_DIR` is still the other one's.
fn is_mine(directory: &Path) -> bool {
    std::fs::metadata(directory).is_ok_and(|metadata| {
        metadata.is_dir() && metadata.uid() == rustix::process::geteuid().as_raw()
    })
}

fn what_it_is(metadata: &Metadata) -> String {
    let kind = metadata.file_type();
    let what = if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    format!("is {what} and not a file")
}

/// Why a file cannot be read, in a few words.
pub fn in_words(error: &io::Error) -> String {
    format!("cannot be read: {}", reason(error))
}

/// An operating system's error in a few words, without Rust's " (os error 13)".
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    text.to_lowercase()
}

fn directories_of<'a>(
    always: impl Iterator<Item = &'a SourceFile>,
    whole_seconds: impl Iterator<Item = &'a SourceFile>,
) -> Vec<(PathBuf, Sight)> {
    // Archives, package managers and `touch -d` give many files the same time. A home or project directory changes too
    // often to be watched for the sake of the others.
    let whole_seconds = whole_seconds.filter(|file| {
        let modified = file.sight.as_ref().map(|sight| sight.modified);
        modified.is_some_and(|modified| modified.nanoseconds == 0)
    });
    let mut found: Vec<(PathBuf, Sight)> = Vec::new();
    for file in always.chain(whole_seconds) {
        let Some(directory) = file.path.parent() else {
            continue;
        };
        if found.iter().any(|(known, _)| known == directory) {
            continue;
        }
        if let Some(sight) = sight_of(directory) {
            found.push((directory.to_owned(), sight));
        }
    }
    found
}

/// Reads the override files from a directory up to the first that counts, and asks the trust store about each. A file is
/// read once: the bytes that are hashed here are the bytes that are parsed later.
fn look_up_the_tree(
    from: Option<&Path>,
    trust: Option<&Store>,
) -> (Vec<OverrideFile>, Vec<PathBuf>) {
    let mut present = Vec::new();
    let mut absent = Vec::new();
    let mut walk = trust.map(Store::walk);
    for directory in from.into_iter().flat_map(Path::ancestors) {
        let file = look(directory.join(FILE_NAME), MAX_BYTES as u64);
        let verdict = match (&file.content, &mut walk) {
            (Content::Absent, _) => {
                absent.push(file.path);
                continue;
            }
            (Content::Unreadable(_), Some(walk)) if walk.is_denied(&file.path) => {
                Some(Verdict::Denied)
            }
            (Content::Unreadable(_), _) => None,
            (Content::Read { bytes, .. }, Some(walk)) => Some(walk.verdict(&file.path, bytes)),
            (Content::Read { .. }, None) => Some(Verdict::Undecidable(
                "there is no home directory to keep decisions in".to_owned(),
            )),
        };
        let counts = verdict.as_ref().is_some_and(Verdict::is_allowed);
        present.push(OverrideFile { file, verdict });
        if counts {
            break;
        }
    }
    (present, absent)
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
