//! Which override files count: the trust store.
//!
//! One small file per path in one directory, replaced whole. Shells running side by side never rewrite each other's
//! entries, of two decisions on one path the later stands, and a crash in the middle of a write loses at most the entry
//! being written. An entry's name is derived from its path; its content repeats that, so a truncated or foreign file is
//! noticed and trusts nothing.
//!
//! ```text
//! p-<hash of path>        this file: allowed with the content of this hash, or denied whatever it says
//! u-<hash of directory>   every override below this directory
//! ```

use crate::fs::in_words;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

/// Whether one override file counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The user allowed this path with this content.
    Allowed,
    /// The user allowed everything below this directory.
    AllowedUnder(PathBuf),
    /// Nobody has decided. `changed` when another content of the same path was allowed.
    Unknown {
        /// The path was allowed with another content.
        changed: bool,
    },
    /// The user denied this path.
    Denied,
    /// The store could not be read or is damaged; that never means yes. The text says why.
    Undecidable(String),
}

impl Verdict {
    /// Whether the file's word is taken.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed | Self::AllowedUnder(_))
    }
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

    /// The directory itself: any decision changes its modification time.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether the override at `path` with this content counts.
    pub fn verdict(&self, path: &Path, content: &[u8]) -> Verdict {
        self.walk().verdict(path, content)
    }

    /// Asks about one override after the other on the way up a tree.
    pub fn walk(&self) -> Walk<'_> {
        Walk { store: self, nothing_above: false }
    }

    /// The decision on this very path; `None` when there is none. An error if the entry does not say what its name says.
    fn decision(&self, path: &Path) -> io::Result<Option<Decision>> {
        let name = path_name(path);
        let Some(record) = self.read(&name)? else {
            return Ok(None);
        };
        let decision = record.strip_prefix(path.as_os_str().as_bytes()).and_then(Decision::parse);
        match decision {
            Some(decision) => Ok(Some(decision)),
            None => Err(self.damaged(&name)),
        }
    }

    fn is_trusted_as_a_whole(&self, directory: &Path) -> io::Result<bool> {
        let name = under_name(directory);
        match self.read(&name)? {
            None => Ok(false),
            Some(record) if record == under_record(directory) => Ok(true),
            Some(_) => Err(self.damaged(&name)),
        }
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.directory.join(name)) {
            Ok(record) => Ok(Some(record)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                let told = format!("{} {}", self.directory.display(), in_words(&error));
                Err(io::Error::new(error.kind(), told))
            }
        }
    }

    fn damaged(&self, name: &str) -> io::Error {
        let entry = self.directory.join(name);
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("the trust entry {} is damaged", entry.display()),
        )
    }

    /// Trusts the file at `path` with this content, in place of any content of it trusted before.
    ///
    /// # Errors
    ///
    /// Whatever the file system says; the store is then as it was.
    pub fn allow(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.decide(path, &Decision::Allowed(content_hash(path, content)))
    }

    /// Trusts the content about to be put at `path` while `put` puts it there. Should that fail, the store is as it was.
    ///
    /// The entry is written first: a shell whose prompt comes in between sees a file that is not allowed yet, and never
    /// one that is allowed without having been written by the user.
    ///
    /// # Errors
    ///
    /// Keeping the decision failed, and nothing was put; or putting failed.
    pub fn allow_while(
        &self,
        path: &Path,
        content: &[u8],
        put: impl FnOnce() -> io::Result<()>,
    ) -> Result<(), AllowWhile> {
        let before = self.read(&path_name(path)).unwrap_or_default();
        self.allow(path, content).map_err(AllowWhile::Store)?;
        put().map_err(|error| {
            // The first error is the one to tell. Without its old entry the path is not trusted, which is the safe side.
            let _ = match before {
                Some(record) => self.write(&path_name(path), &record),
                None => self.forget(path),
            };
            AllowWhile::Put(error)
        })
    }

    /// Trusts every override below `directory`.
    ///
    /// # Errors
    ///
    /// Whatever the file system says; the store is then as it was.
    pub fn allow_under(&self, directory: &Path) -> io::Result<()> {
        self.write(&under_name(directory), &under_record(directory))
    }

    /// Stops trusting the file at `path`, also below a directory that is trusted as a whole.
    ///
    /// # Errors
    ///
    /// Whatever the file system says; the store is then as it was.
    pub fn deny(&self, path: &Path) -> io::Result<()> {
        self.decide(path, &Decision::Denied)
    }

    /// Takes back [`Store::allow_under`]. Returns whether there was anything to take back.
    ///
    /// # Errors
    ///
    /// Whatever the file system says.
    pub fn deny_under(&self, directory: &Path) -> io::Result<bool> {
        remove_if_there(&self.directory.join(under_name(directory)))
    }

    /// Forgets the decision on the file at `path`, for when it is removed.
    ///
    /// # Errors
    ///
    /// Whatever the file system says.
    pub fn forget(&self, path: &Path) -> io::Result<()> {
        remove_if_there(&self.directory.join(path_name(path))).map(drop)
    }

    fn decide(&self, path: &Path, decision: &Decision) -> io::Result<()> {
        let mut record = path.as_os_str().as_bytes().to_vec();
        record.extend_from_slice(decision.text().as_bytes());
        self.write(&path_name(path), &record)
    }

    /// Writes an entry whole or not at all: to a file of this call's own, synced, then renamed over the name.
    fn write(&self, name: &str, record: &[u8]) -> io::Result<()> {
        refuse_as_root(&self.directory)?;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
        // The process id alone is not enough: containers that share a home have the same ones.
        let moment =
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let temporary = self.directory.join(format!(".{}-{moment}-{name}", std::process::id()));
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        let written = file
            .write_all(record)
            // Before the rename, or a power cut could leave the name with nothing behind it.
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&temporary, self.directory.join(name)));
        if written.is_err() {
            // The first error is the one to tell; a leftover temporary file trusts nothing.
            let _ = fs::remove_file(&temporary);
        }
        written
    }
}

/// With `sudo -E` the home is the caller's, and what root made there would be closed to them.
fn refuse_as_root(directory: &Path) -> io::Result<()> {
    let owner = directory
        .ancestors()
        .find_map(|there| fs::metadata(there).ok())
        .map_or(0, |there| there.uid());
    if rustix::process::geteuid().is_root() && owner != 0 {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!(
                "it belongs to the user with the id {owner}, and you are root; run this as them"
            ),
        ));
    }
    Ok(())
}

/// Why [`Store::allow_while`] did nothing.
#[derive(Debug)]
pub enum AllowWhile {
    /// The decision could not be kept.
    Store(io::Error),
    /// It was kept and taken back, because what it was for failed.
    Put(io::Error),
}

/// One way up a tree, nearest override first, for as long as none is allowed.
#[derive(Debug)]
pub struct Walk<'a> {
    store: &'a Store,
    /// No directory from the last override up is trusted as a whole, so there is no need to ask again.
    nothing_above: bool,
}

impl Walk<'_> {
    /// Whether the override at `path` with this content counts.
    pub fn verdict(&mut self, path: &Path, content: &[u8]) -> Verdict {
        match self.decide(path, content) {
            Ok(verdict) => verdict,
            Err(error) => Verdict::Undecidable(error.to_string()),
        }
    }

    /// Whether the user does not want to hear of a file that cannot be read.
    pub fn is_denied(&self, path: &Path) -> bool {
        matches!(self.store.decision(path), Ok(Some(Decision::Denied)))
    }

    fn decide(&mut self, path: &Path, content: &[u8]) -> io::Result<Verdict> {
        let changed = match self.store.decision(path)? {
            Some(Decision::Denied) => return Ok(Verdict::Denied),
            Some(Decision::Allowed(hash)) if hash == content_hash(path, content) => {
                return Ok(Verdict::Allowed);
            }
            Some(Decision::Allowed(_)) => true,
            None => false,
        };
        if !self.nothing_above {
            for directory in path.ancestors().skip(1) {
                if self.store.is_trusted_as_a_whole(directory)? {
                    return Ok(Verdict::AllowedUnder(directory.to_owned()));
                }
            }
            self.nothing_above = true;
        }
        Ok(Verdict::Unknown { changed })
    }
}

/// What was decided on one path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Decision {
    /// It counts with the content of this hash.
    Allowed(String),
    /// It never counts.
    Denied,
}

impl Decision {
    /// As it follows the path in an entry: a NUL, which no path contains, and an end mark that a truncated entry lacks.
    fn text(&self) -> String {
        match self {
            Self::Allowed(hash) => format!("\0allow {hash}\n"),
            Self::Denied => "\0deny\n".to_owned(),
        }
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?.strip_prefix('\0')?;
        let decision = match text.strip_suffix('\n')?.split_once(' ') {
            Some(("allow", hash)) => Self::Allowed(hash.to_owned()),
            None if text == "deny\n" => Self::Denied,
            _ => return None,
        };
        let whole = match &decision {
            Self::Allowed(hash) => hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()),
            Self::Denied => true,
        };
        whole.then_some(decision)
    }
}

/// Removes a file; another process having done so first is as good.
fn remove_if_there(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn under_record(directory: &Path) -> Vec<u8> {
    [directory.as_os_str().as_bytes(), b"\0under\n"].concat()
}

fn path_name(path: &Path) -> String {
    format!("p-{}", hash(&[path.as_os_str().as_bytes()]))
}

fn under_name(directory: &Path) -> String {
    format!("u-{}", hash(&[directory.as_os_str().as_bytes()]))
}

/// What ties a content to its path. A path holds no NUL, so the two parts cannot run into each other.
fn content_hash(path: &Path, content: &[u8]) -> String {
    hash(&[path.as_os_str().as_bytes(), b"\0", content])
}

/// SHA-256 of the parts in a row, in hexadecimal.
fn hash(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/home/u/acme/.backlog-aws";

    fn store() -> (tempfile::TempDir, Store) {
        let home = tempfile::tempdir().unwrap();
        let store = Store::below(&home.path().join("data"));
        (home, store)
    }

    #[test]
    fn nothing_is_trusted_at_first() {
        let (_home, store) = store();
        assert_eq!(store.verdict(Path::new(PATH), b"x"), Verdict::Unknown { changed: false });
    }

    #[test]
    fn trust_is_for_this_path_and_this_content_only() {
        let (_home, store) = store();
        store.allow(Path::new(PATH), b"x").unwrap();
        assert_eq!(store.verdict(Path::new(PATH), b"x"), Verdict::Allowed);
        assert_eq!(store.verdict(Path::new(PATH), b"y"), Verdict::Unknown { changed: true });
        let copy = Path::new("/home/u/copy/.backlog-aws");
        assert_eq!(store.verdict(copy, b"x"), Verdict::Unknown { changed: false });
    }

    #[test]
    fn allowing_a_new_content_ends_trust_in_the_old_one() {
        let (_home, store) = store();
        store.allow(Path::new(PATH), b"x").unwrap();
        store.allow(Path::new(PATH), b"y").unwrap();
        assert_eq!(store.verdict(Path::new(PATH), b"x"), Verdict::Unknown { changed: true });
    }

    #[test]
    fn a_denial_beats_a_trusted_parent_until_it_is_allowed_again() {
        let (_home, store) = store();
        store.allow_under(Path::new("/home/u")).unwrap();
        assert_eq!(store.verdict(Path::new(PATH), b"x"), Verdict::AllowedUnder("/home/u".into()));
        store.deny(Path::new(PATH)).unwrap();
        assert_eq!(store.verdict(Path::new(PATH), b"x"), Verdict::Denied);
        store.allow(Path::new(PATH), b"x").unwrap();
        assert_eq!(store.verdict(Path::new(PATH), b"x"), Verdict::Allowed);
        assert!(store.deny_under(Path::new("/home/u")).unwrap());
        assert!(!store.deny_under(Path::new("/home/u")).unwrap());
    }

    #[test]
    fn trust_below_a_directory_does_not_reach_its_namesakes() {
        let (_home, store) = store();
        store.allow_under(Path::new("/home/u")).unwrap();
        let namesake = Path::new("/home/u2/.backlog-aws");
        assert_eq!(store.verdict(namesake, b"x"), Verdict::Unknown { changed: false });
    }

    #[test]
    fn a_damaged_entry_trusts_nothing_and_says_so() {
        let (_home, store) = store();
        store.allow(Path::new(PATH), b"x").unwrap();
        let entry = store.directory().join(path_name(Path::new(PATH)));
        let whole = fs::read(&entry).unwrap();
        let elsewhere = [b"/elsewhere", &whole[PATH.len()..]].concat();
        let damaged = (0..whole.len()).map(|length| whole[..length].to_vec());
        for damaged in damaged.chain([elsewhere, [&whole[..], b"x"].concat()]) {
            fs::write(&entry, &damaged).unwrap();
            let verdict = store.verdict(Path::new(PATH), b"x");
            assert!(
                matches!(verdict, Verdict::Undecidable(_)),
                "{} gave {verdict:?}",
                damaged.escape_ascii()
            );
        }
        store.allow(Path::new(PATH), b"x").unwrap();
        assert_eq!(store.verdict(Path::new(PATH), b"x"), Verdict::Allowed);
    }

    #[test]
    fn content_that_could_not_be_put_in_place_leaves_the_decision_as_it_was() {
        let (_home, store) = store();
        let path = Path::new(PATH);
        let fails = || Err(io::Error::other("no"));
        assert!(store.allow_while(path, b"new", fails).is_err());
        assert_eq!(store.verdict(path, b"new"), Verdict::Unknown { changed: false });
        store.allow(path, b"old").unwrap();
        assert!(store.allow_while(path, b"new", fails).is_err());
        assert_eq!(store.verdict(path, b"old"), Verdict::Allowed);
        assert!(store.allow_while(path, b"new", || Ok(())).is_ok());
        assert_eq!(store.verdict(path, b"new"), Verdict::Allowed);
    }

    #[test]
    fn the_store_is_readable_by_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let (_home, store) = store();
        store.allow(Path::new(PATH), b"x").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(store.directory()), 0o700);
        assert_eq!(mode(&store.directory().join(path_name(Path::new(PATH)))), 0o600);
    }
}
