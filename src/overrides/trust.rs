//! Which override files count: the trust store.
//!
//! One small file per decision in one directory, so that shells running side by side never rewrite each other's
//! entries and a crash in the middle of a write loses at most the entry being written. An entry's name is derived from
//! what it trusts; its content repeats that, so a truncated or foreign file is noticed and trusts nothing.
//!
//! ```text
//! f-<hash of path>-<hash of path and content>   this very file with this very content
//! d-<hash of path>                              this file never, whatever it says
//! u-<hash of directory>                         every override below this directory
//! ```

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

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
        Self {
            directory: data_directory.join("trust"),
        }
    }

    /// The directory itself: any decision changes its modification time.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether the override at `path` with this content counts.
    pub fn verdict(&self, path: &Path, content: &[u8]) -> Verdict {
        match self.decide(path, content) {
            Ok(verdict) => verdict,
            Err(error) => Verdict::Undecidable(error.to_string()),
        }
    }

    fn decide(&self, path: &Path, content: &[u8]) -> io::Result<Verdict> {
        if self.holds(&denied_name(path), path)? {
            return Ok(Verdict::Denied);
        }
        if self.holds(&file_name(path, content), path)? {
            return Ok(Verdict::Allowed);
        }
        for directory in path.ancestors().skip(1) {
            if self.holds(&under_name(directory), directory)? {
                return Ok(Verdict::AllowedUnder(directory.to_owned()));
            }
        }
        Ok(Verdict::Unknown {
            changed: !self.entries(&file_prefix(path))?.is_empty(),
        })
    }

    /// Whether the entry is there and says what its name says.
    fn holds(&self, name: &str, subject: &Path) -> io::Result<bool> {
        match fs::read(self.directory.join(name)) {
            Ok(content) if content == record(subject) => Ok(true),
            Ok(_) => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "the trust entry {} is damaged",
                    self.directory.join(name).display()
                ),
            )),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn entries(&self, prefix: &str) -> io::Result<Vec<PathBuf>> {
        let listing = match fs::read_dir(&self.directory) {
            Ok(listing) => listing,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut found = Vec::new();
        for entry in listing {
            let entry = entry?;
            if entry.file_name().as_bytes().starts_with(prefix.as_bytes()) {
                found.push(entry.path());
            }
        }
        Ok(found)
    }

    /// Trusts the file at `path` with this content, in place of any content of it trusted before.
    ///
    /// # Errors
    ///
    /// Whatever the file system says; the store is then as it was, or already trusts the new content.
    pub fn allow(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let name = file_name(path, content);
        self.write(&name, path)?;
        self.remove(&denied_name(path))?;
        for older in self.entries(&file_prefix(path))? {
            if older.file_name() != Some(OsStr::new(&name)) {
                remove_if_there(&older)?;
            }
        }
        Ok(())
    }

    /// Trusts every override below `directory`.
    ///
    /// # Errors
    ///
    /// Whatever the file system says.
    pub fn allow_under(&self, directory: &Path) -> io::Result<()> {
        self.write(&under_name(directory), directory)
    }

    /// Stops trusting the file at `path`, also below a directory that is trusted as a whole.
    ///
    /// # Errors
    ///
    /// Whatever the file system says; the denial is written first, so that an error in the rest denies all the same.
    pub fn deny(&self, path: &Path) -> io::Result<()> {
        self.write(&denied_name(path), path)?;
        for allowed in self.entries(&file_prefix(path))? {
            remove_if_there(&allowed)?;
        }
        Ok(())
    }

    /// Takes back [`Store::allow_under`]. Returns whether there was anything to take back.
    ///
    /// # Errors
    ///
    /// Whatever the file system says.
    pub fn deny_under(&self, directory: &Path) -> io::Result<bool> {
        self.remove(&under_name(directory))
    }

    /// Forgets every decision on the file at `path`, for when it is removed.
    ///
    /// # Errors
    ///
    /// Whatever the file system says.
    pub fn forget(&self, path: &Path) -> io::Result<()> {
        self.remove(&denied_name(path))?;
        for entry in self.entries(&file_prefix(path))? {
            remove_if_there(&entry)?;
        }
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<bool> {
        remove_if_there(&self.directory.join(name))
    }

    /// Writes an entry whole or not at all: to a file of this process's own, synced, then renamed over the name.
    fn write(&self, name: &str, subject: &Path) -> io::Result<()> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.directory)?;
        let temporary = self
            .directory
            .join(format!(".{}-{name}", std::process::id()));
        let written = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&temporary)
            .and_then(|mut file| {
                file.write_all(&record(subject))?;
                // Before the rename, or a power cut could leave the name with nothing behind it.
                file.sync_all()
            })
            .and_then(|()| fs::rename(&temporary, self.directory.join(name)));
        if written.is_err() {
            // The first error is the one to tell; a leftover temporary file trusts nothing.
            let _ = fs::remove_file(&temporary);
        }
        written
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

/// What an entry contains: the path it is about, and an end mark that a truncated file lacks.
fn record(subject: &Path) -> Vec<u8> {
    let mut record = subject.as_os_str().as_bytes().to_vec();
    record.extend_from_slice(b"\0ok\n");
    record
}

fn file_prefix(path: &Path) -> String {
    format!("f-{}-", &hash(&[path.as_os_str().as_bytes()])[..32])
}

fn file_name(path: &Path, content: &[u8]) -> String {
    // A path holds no NUL, so the two parts cannot run into each other.
    let full = hash(&[path.as_os_str().as_bytes(), b"\0", content]);
    format!("{}{full}", file_prefix(path))
}

fn denied_name(path: &Path) -> String {
    format!("d-{}", hash(&[path.as_os_str().as_bytes()]))
}

fn under_name(directory: &Path) -> String {
    format!("u-{}", hash(&[directory.as_os_str().as_bytes()]))
}

/// SHA-256 of the parts in a row, in hexadecimal.
fn hash(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher
        .finalize()
        .iter()
        .fold(String::new(), |mut text, byte| {
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
        assert_eq!(
            store.verdict(Path::new(PATH), b"x"),
            Verdict::Unknown { changed: false }
        );
    }

    #[test]
    fn trust_is_for_this_path_and_this_content_only() {
        let (_home, store) = store();
        store.allow(Path::new(PATH), b"x").unwrap();
        assert_eq!(store.verdict(Path::new(PATH), b"x"), Verdict::Allowed);
        assert_eq!(
            store.verdict(Path::new(PATH), b"y"),
            Verdict::Unknown { changed: true }
        );
        let copy = Path::new("/home/u/copy/.backlog-aws");
        assert_eq!(
            store.verdict(copy, b"x"),
            Verdict::Unknown { changed: false }
        );
    }

    #[test]
    fn allowing_a_new_content_ends_trust_in_the_old_one() {
        let (_home, store) = store();
        store.allow(Path::new(PATH), b"x").unwrap();
        store.allow(Path::new(PATH), b"y").unwrap();
        assert_eq!(
            store.verdict(Path::new(PATH), b"x"),
            Verdict::Unknown { changed: true }
        );
    }

    #[test]
    fn a_denial_beats_a_trusted_parent_until_it_is_allowed_again() {
        let (_home, store) = store();
        store.allow_under(Path::new("/home/u")).unwrap();
        assert_eq!(
            store.verdict(Path::new(PATH), b"x"),
            Verdict::AllowedUnder("/home/u".into())
        );
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
        assert_eq!(
            store.verdict(namesake, b"x"),
            Verdict::Unknown { changed: false }
        );
    }

    #[test]
    fn a_damaged_entry_trusts_nothing_and_says_so() {
        let (_home, store) = store();
        store.allow(Path::new(PATH), b"x").unwrap();
        for damaged in [&b""[..], b"/home/u/acme", b"garbage\0ok\n"] {
            fs::write(
                store.directory().join(file_name(Path::new(PATH), b"x")),
                damaged,
            )
            .unwrap();
            assert!(matches!(
                store.verdict(Path::new(PATH), b"x"),
                Verdict::Undecidable(_)
            ));
        }
    }

    #[test]
    fn the_store_is_readable_by_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let (_home, store) = store();
        store.allow(Path::new(PATH), b"x").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(store.directory()), 0o700);
        assert_eq!(
            mode(&store.directory().join(file_name(Path::new(PATH), b"x"))),
            0o600
        );
    }
}
