//! Files: bounded reading that never blocks, atomic writing, states to compare, and where nothing of ours may be written.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::error::{Failure, reason};
use crate::text::visible;

/// Directories of the home where nothing of ours is ever written: AWS's and Claude's.
pub const FORBIDDEN_DIRS: [&str; 2] = [".aws", ".claude"];

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

    /// So many nanoseconds later.
    #[must_use]
    pub fn after(self, nanoseconds: i64) -> Self {
        let nanoseconds = self.nanoseconds + nanoseconds;
        Self {
            seconds: self.seconds + nanoseconds.div_euclid(1_000_000_000),
            nanoseconds: nanoseconds.rem_euclid(1_000_000_000),
        }
    }
}

/// What identifies a state of a file without reading it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileState {
    /// When its content last changed.
    pub modified: FileTime,
    /// When anything about it last changed; nobody can set this back.
    pub changed: FileTime,
    /// Its real path, when symbolic links lead to it.
    pub resolved: Option<PathBuf>,
    /// The ids of the user and the group it belongs to.
    pub owner: u32,
    pub group: u32,
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
    pub state: Option<FileState>,
}

impl SourceFile {
    /// What was read, if it was.
    pub fn bytes(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Read { bytes, .. } => Some(bytes),
            Content::Absent | Content::Unreadable(_) => None,
        }
    }

    /// Why it may not be the user's own, as the end of a sentence about it; `None` when it is.
    pub fn foreign(&self) -> Option<&'static str> {
        let FileState { owner, group, .. } = *self.state.as_ref()?;
        if is_anothers(owner) {
            return Some("belongs to another user");
        }
        match self.content {
            Content::Read { mode, .. } if others_write(owner, group, mode) => {
                Some("can be written by others")
            }
            _ => None,
        }
    }

    /// Whether it is there, but not for this user to read.
    pub fn is_denied(&self) -> bool {
        matches!(&self.content, Content::Unreadable(why) if why == DENIED)
    }
}

/// How a file that may not be read is described.
const DENIED: &str = "cannot be read: permission denied";

/// Reads one file, if it is one. Never blocks: a FIFO put where a file should be is opened without waiting for a writer
/// and then refused, like a directory or a device.
pub fn read_file(path: PathBuf, max_bytes: u64) -> SourceFile {
    match read(&path, max_bytes) {
        Ok((content, state)) => SourceFile { path, content, state: Some(state) },
        Err(error) if is_absent(&error) => {
            SourceFile { path, content: Content::Absent, state: None }
        }
        Err(error) => SourceFile {
            state: file_state(&path),
            path,
            content: Content::Unreadable(in_words(&error)),
        },
    }
}

fn read(path: &Path, max_bytes: u64) -> io::Result<(Content, FileState)> {
    // A device is never opened: that alone can rewind a tape or start something. Once open, it is looked at again.
    let metadata = match std::fs::symlink_metadata(path)? {
        // What is missing at its other end is not known to be nothing: it can be on a disk that is not there today.
        link if link.is_symlink() => {
            std::fs::metadata(path).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => io::Error::other("it is a link that leads nowhere"),
                _ => error,
            })?
        }
        found => found,
    };
    if !metadata.is_file() {
        return Ok((Content::Unreadable(what_it_is(&metadata)), state(&metadata)));
    }
    let nonblocking = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let file =
        OpenOptions::new().read(true).custom_flags(nonblocking.bits().cast_signed()).open(path)?;
    let metadata = file.metadata()?;
    let state = FileState { resolved: resolved(path, &file), ..state(&metadata) };
    if !metadata.is_file() {
        return Ok((Content::Unreadable(what_it_is(&metadata)), state));
    }
    if metadata.len() > max_bytes {
        return Ok((Content::Unreadable(format!("is larger than {max_bytes} bytes")), state));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    match read_whole(file, &metadata, max_bytes, &mut bytes) {
        Ok(()) => Ok((Content::Read { bytes, mode: metadata.mode() }, state)),
        Err(error) => Ok((Content::Unreadable(in_words(&error)), state)),
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
    /// What an answer takes for each byte of the two AWS files, at most, which is where they have nothing but short names.
    /// Asked for first: a small piece that is not to be had later would end the process without a word.
    const HELD: usize = 64;
    // Files that are made up while they are read, as in /proc, have no size.
    let limit = if metadata.len() == 0 { max_bytes } else { metadata.len().min(max_bytes) };
    let expected = usize::try_from(metadata.len().min(max_bytes)).map_err(io::Error::other)?;
    Vec::<u8>::new()
        .try_reserve_exact(expected * HELD)
        .and_then(|()| bytes.try_reserve_exact(expected + PROBE))
        .map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
    file.take(limit).read_to_end(bytes)?;
    Ok(())
}

/// Whether there is no such file. Nothing can be below a file that stands where a directory should be.
pub fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Whether something of ours is there, links not followed. It can only be relied on when it is the user's own, real, and
/// for nobody else to write to.
///
/// # Errors
///
/// It is there, and cannot be relied on: the path and why.
pub fn is_own(path: &Path) -> Result<bool, String> {
    let why = match std::fs::symlink_metadata(path) {
        Err(error) if is_absent(&error) => return Ok(false),
        Err(error) => in_words(&error),
        Ok(found) if found.is_symlink() => "is a link".to_owned(),
        Ok(found) if found.uid() != rustix::process::geteuid().as_raw() => {
            format!("belongs to the user with the id {}", found.uid())
        }
        Ok(found) if others_write(found.uid(), found.gid(), found.mode()) => {
            format!("can be written to by others (mode {:03o})", found.mode() & 0o777)
        }
        Ok(_) => return Ok(true),
    };
    Err(format!("{} {why}", visible(path)))
}

/// Why a directory is not the user's own, as the end of a sentence about a file in it: who can write to it can have the
/// file's name lead to any other file. In root's `/tmp` nobody can replace what is another's.
pub fn foreign_directory(directory: &Path) -> Option<&'static str> {
    let found = std::fs::metadata(directory).ok()?;
    if is_anothers(found.uid()) {
        return Some("is in a directory of another user");
    }
    let is_sticky = found.uid() == 0 && found.mode() & 0o1000 != 0;
    let is_shared = others_write(found.uid(), found.gid(), found.mode()) && !is_sticky;
    is_shared.then_some("is in a directory that others can write to")
}

fn is_anothers(owner: u32) -> bool {
    owner != rustix::process::geteuid().as_raw() && owner != 0
}

/// Whether anybody but the owner and root can write. A group of the owner's id is the owner's own: many Linux systems
/// make one for each user, and a umask that lets it write.
pub fn others_write(owner: u32, group: u32, mode: u32) -> bool {
    mode & 0o002 != 0 || (mode & 0o020 != 0 && owner != group)
}

/// The permissions of a file that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// For the user alone, whatever was there.
    Private,
    /// Those of the file that is replaced; of a new one these, as far as the umask leaves them.
    KeptOr(u32),
}

/// Replaces the file at `path` by one with this content. Whatever fails, all is as it was.
pub fn write_atomically(path: &Path, content: &[u8], access: Access) -> io::Result<()> {
    stage(path, content, access)?.persist(path)?;
    Ok(())
}

/// The first half of [`write_atomically`]: the new content, complete and on disk beside `path`, to be persisted there.
pub fn stage(path: &Path, content: &[u8], access: Access) -> io::Result<tempfile::NamedTempFile> {
    // Beyond it, a signal would end the process and leave the file half written.
    let limit = rustix::process::getrlimit(rustix::process::Resource::Fsize).current;
    if limit.is_some_and(|limit| content.len() as u64 > limit) {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mode = match access {
        Access::Private => 0o600,
        Access::KeptOr(mode) => mode,
    };
    let mut staged = tempfile::Builder::new()
        .prefix(".backlog-aws.")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(path.parent().unwrap_or(Path::new(".")))?;
    let file = staged.as_file_mut();
    if access != Access::Private
        && let Ok(old) = std::fs::symlink_metadata(path)
        && old.is_file()
    {
        file.set_permissions(old.permissions())?;
    }
    file.write_all(content)?;
    // Before it gets its name, or a power cut could leave an empty file.
    file.sync_all()?;
    Ok(staged)
}

/// What identifies the present state of a path, links followed.
pub fn file_state(path: &Path) -> Option<FileState> {
    std::fs::metadata(path).ok().map(|metadata| state(&metadata))
}

fn state(metadata: &Metadata) -> FileState {
    FileState {
        modified: FileTime { seconds: metadata.mtime(), nanoseconds: metadata.mtime_nsec() },
        changed: FileTime { seconds: metadata.ctime(), nanoseconds: metadata.ctime_nsec() },
        resolved: None,
        owner: metadata.uid(),
        group: metadata.gid(),
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
pub fn is_mine(directory: &Path) -> bool {
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

/// Refuses what lies below the directories of AWS and Claude, links followed: nothing of ours is written or removed there.
///
/// # Errors
///
/// It does lie there.
pub fn check_is_ours(path: &Path, home: Option<&Path>) -> Result<(), Failure> {
    // What does not exist yet will be made below the nearest that does.
    let real = path.ancestors().find_map(|ancestor| ancestor.canonicalize().ok());
    let others = FORBIDDEN_DIRS
        .iter()
        .filter_map(|name| home?.join(name).canonicalize().ok())
        .find(|others| real.as_ref().is_some_and(|real| real.starts_with(others)));
    match others {
        Some(others) => Err(Failure::Problem(format!(
            "{} belongs to another program, and nothing is written there; use a directory of your own",
            visible(&others)
        ))),
        None => Ok(()),
    }
}
