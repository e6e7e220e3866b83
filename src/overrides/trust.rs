//! Which override files count: the trust store.
//!
//! A directory with one small file for each decision, replaced whole, so that shells side by side never rewrite each
//! other's. A file's name is derived from a path, and its content repeats that path: what is not exactly as we write it
//! decides nothing.
//!
//! ```text
//! p-<hash of path>        this file: allowed with the content of this hash, or denied whatever it says
//! u-<hash of directory>   every override below this directory
//! ```

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::worktree::in_main_checkout;
use crate::error::{Failure, reason};
use crate::fs::{Access, Content, SourceFile, check_is_ours, is_own, read_file, write_atomically};
use crate::text::{hex, visible};
use crate::world::World;

/// More than a path and a decision take.
const MAX_ENTRY_BYTES: u64 = 64 * 1024;

/// Whether one override file counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// This content of this path, or everything below a directory that it is in. Of a file that cannot be read, whatever
    /// content of this path.
    Allowed,
    Denied,
    /// Nobody has decided.
    Unknown {
        /// Another content of the path was allowed.
        changed: bool,
    },
    /// The store cannot be read or is damaged, so nobody knows: neither this file nor anything in its place is used.
    /// The text says why.
    Undecidable(String),
}

/// An override file with what was decided on it.
pub struct OverrideFile<'a> {
    pub file: &'a SourceFile,
    pub verdict: Verdict,
}

/// Asks the trust store about each file on the way up, nearest first, up to the one that decides.
pub fn judge<'a>(files: &'a [SourceFile], store: Option<&Store>) -> Vec<OverrideFile<'a>> {
    let mut judged = Vec::new();
    if files.is_empty() {
        return judged;
    }
    let state = store.map_or(Ok(()), Store::check);
    let mut under = None;
    for file in files {
        let verdict = match (store, &state) {
            // Nothing can have been decided.
            (None, _) => Verdict::Unknown { changed: false },
            (Some(_), Err(why)) => Verdict::Undecidable(why.clone()),
            (Some(store), Ok(())) => {
                store.verdict(file, &mut under).unwrap_or_else(Verdict::Undecidable)
            }
        };
        // One that counts, or may count.
        let decides = matches!(verdict, Verdict::Allowed | Verdict::Undecidable(_));
        judged.push(OverrideFile { file, verdict });
        if decides {
            break;
        }
    }
    judged
}

/// The trust store: a directory.
#[derive(Debug, Clone)]
pub struct Store {
    directory: PathBuf,
}

impl Store {
    /// The store below the application's data directory. Nothing is read or created yet.
    pub fn below(data_directory: &Path) -> Self {
        Self { directory: data_directory.join("trust") }
    }

    /// The store that new decisions go to.
    ///
    /// # Errors
    ///
    /// There is no place for it.
    pub fn for_writing(world: &World) -> Result<Self, Failure> {
        let store = world.data_dir.as_deref().map(Self::below).ok_or_else(|| {
            Failure::Problem(
                "there is no place to keep decisions in; set HOME to an absolute path, and XDG_DATA_HOME to none of AWS's"
                    .to_owned(),
            )
        })?;
        check_is_ours(&store.directory, world.home.as_deref())?;
        store.check().map_err(|why| store.not_kept(&why))?;
        // With `sudo -E` the home is the caller's, and what root made there would be closed to them.
        let mut above = store.directory.ancestors();
        let owner = above.find_map(|there| fs::metadata(there).ok()).map_or(0, |there| there.uid());
        if rustix::process::geteuid().is_root() && owner != 0 {
            let why = format!(
                "it belongs to the user with the id {owner}, and you are root; run this as them"
            );
            return Err(store.not_kept(&why));
        }
        Ok(store)
    }

    /// Any decision changes its modification time.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether it can be asked. Where there is none, nothing was decided.
    fn check(&self) -> Result<(), String> {
        for directory in self.directory.parent().into_iter().chain([&*self.directory]) {
            if is_own(directory)? && !directory.is_dir() {
                return Err(format!("{} is not a directory", visible(directory)));
            }
        }
        Ok(())
    }

    /// `under` keeps from one file to the next which directories above are allowed as a whole: what is above a file is
    /// above the files further down too.
    fn verdict(
        &self,
        file: &SourceFile,
        under: &mut Option<Vec<PathBuf>>,
    ) -> Result<Verdict, String> {
        let content = file.bytes();
        let changed = match self.decision('p', &file.path)? {
            Some(Decision::Deny) => return Ok(Verdict::Denied),
            Some(Decision::Allow(hash)) => {
                if content.is_none_or(|content| hash == content_hash(&file.path, content)) {
                    return Ok(Verdict::Allowed);
                }
                true
            }
            Some(Decision::Under) | None => false,
        };
        let under = match under {
            Some(under) => under,
            None => under.insert(self.allowed_above(&file.path)?),
        };
        let is_under = under.iter().any(|directory| file.path.starts_with(directory));
        if is_under && is_from_user(file) {
            return Ok(Verdict::Allowed);
        }
        // A worktree's file that is byte for byte the one allowed in the main checkout.
        if let (Some(content), Some(main)) = (content, in_main_checkout(&file.path))
            && self.decision('p', &main)? == Some(Decision::Allow(content_hash(&main, content)))
        {
            return Ok(Verdict::Allowed);
        }
        Ok(Verdict::Unknown { changed })
    }

    fn allowed_above(&self, path: &Path) -> Result<Vec<PathBuf>, String> {
        let mut allowed = Vec::new();
        for directory in path.ancestors().skip(1) {
            if self.decision('u', directory)? == Some(Decision::Under) {
                allowed.push(directory.to_owned());
            }
        }
        Ok(allowed)
    }

    fn decision(&self, kind: char, path: &Path) -> Result<Option<Decision>, String> {
        let entry = self.entry(kind, path);
        if !is_own(&entry)? {
            return Ok(None);
        }
        let entry = read_file(entry, MAX_ENTRY_BYTES);
        match &entry.content {
            Content::Absent => Ok(None),
            Content::Unreadable(why) => Err(format!("{} {why}", visible(&entry.path))),
            Content::Read { bytes, .. } => Decision::parse(path, bytes)
                .map(Some)
                .ok_or_else(|| format!("the trust entry {} is damaged", visible(&entry.path))),
        }
    }

    fn entry(&self, kind: char, path: &Path) -> PathBuf {
        self.directory.join(format!("{kind}-{}", hash(&[path.as_os_str().as_bytes()])))
    }

    /// Trusts the file at `path` with this content, in place of any content of it trusted before.
    ///
    /// # Errors
    ///
    /// It cannot be kept; the store is then as it was. The same for the functions below.
    pub fn allow(&self, path: &Path, content: &[u8]) -> Result<(), Failure> {
        self.decide('p', path, &Decision::Allow(content_hash(path, content)))
    }

    /// Trusts every override below `directory`.
    pub fn allow_under(&self, directory: &Path) -> Result<(), Failure> {
        self.decide('u', directory, &Decision::Under)
    }

    /// Stops trusting the file at `path`, also below a directory that is allowed as a whole.
    pub fn deny(&self, path: &Path) -> Result<(), Failure> {
        self.decide('p', path, &Decision::Deny)
    }

    /// Takes back [`Store::allow_under`]. Returns whether there was anything to take back.
    pub fn deny_under(&self, directory: &Path) -> Result<bool, Failure> {
        self.remove('u', directory)
    }

    /// Forgets the decision on the file at `path`, for when it is removed.
    pub fn forget(&self, path: &Path) -> Result<(), Failure> {
        self.remove('p', path).map(drop)
    }

    fn decide(&self, kind: char, path: &Path, decision: &Decision) -> Result<(), Failure> {
        let record = decision.record(path);
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.directory)
            .and_then(|()| write_atomically(&self.entry(kind, path), &record, Access::Private))
            .map_err(|error| self.not_kept(&reason(&error)))
    }

    /// Removes an entry; another process having done so first is as good.
    fn remove(&self, kind: char, path: &Path) -> Result<bool, Failure> {
        match fs::remove_file(self.entry(kind, path)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(self.not_kept(&reason(&error))),
        }
    }

    fn not_kept(&self, why: &str) -> Failure {
        Failure::Problem(format!(
            "the decision cannot be kept in {}: {why}; nothing was changed",
            visible(&self.directory)
        ))
    }
}

/// Whether only the user or root can have put the file there, and the link that may stand for it. A directory that is
/// allowed as a whole can have one below it that others write to.
fn is_from_user(file: &SourceFile) -> bool {
    let is_own = |owner| owner == 0 || owner == rustix::process::geteuid().as_raw();
    let link = fs::symlink_metadata(&file.path);
    link.map_or(true, |link| is_own(link.uid()))
        && file.state.as_ref().is_none_or(|state| is_own(state.owner))
        && !matches!(file.content, Content::Read { mode, .. } if mode & 0o002 != 0)
}

#[derive(Debug, PartialEq, Eq)]
enum Decision {
    /// A file counts with the content of this hash.
    Allow(String),
    /// A file never counts.
    Deny,
    /// Every file below a directory counts.
    Under,
}

impl Decision {
    /// The path, a NUL, which no path contains, the decision, and an end mark that a truncated file lacks.
    fn record(&self, path: &Path) -> Vec<u8> {
        let text = match self {
            Self::Allow(hash) => format!("\0allow {hash}\n"),
            Self::Deny => "\0deny\n".to_owned(),
            Self::Under => "\0under\n".to_owned(),
        };
        [path.as_os_str().as_bytes(), text.as_bytes()].concat()
    }

    fn parse(path: &Path, record: &[u8]) -> Option<Self> {
        let text = record.strip_prefix(path.as_os_str().as_bytes())?.strip_prefix(b"\0")?;
        match std::str::from_utf8(text).ok()?.strip_suffix('\n')? {
            "deny" => Some(Self::Deny),
            "under" => Some(Self::Under),
            allow => allow.strip_prefix("allow ").map(|hash| Self::Allow(hash.to_owned())),
        }
    }
}

/// What ties a content to its path. A path holds no NUL, so the two parts cannot run into each other.
fn content_hash(path: &Path, content: &[u8]) -> String {
    hash(&[path.as_os_str().as_bytes(), b"\0", content])
}

/// SHA-256 of the parts in a row, in hexadecimal.
fn hash(parts: &[&[u8]]) -> String {
    hex(&Sha256::digest(parts.concat()))
}

#[cfg(test)]
mod tests;
