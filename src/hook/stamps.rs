//! Stamps: files that carry a time which was seen, for shells that can only compare the times of two files.
//!
//! A stamp is named after its time, so any shell may share it, and one that is missing can only mean "changed". All lie
//! in one directory, where nobody but the user can put anything; without such a directory there are none.

use std::cmp::Reverse;
use std::fs::{DirBuilder, FileTimes, Metadata, OpenOptions, read_dir, remove_file};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::OFlags;
use rustix::process::{Uid, geteuid};

use crate::fs::{FileTime, check_is_ours, foreign_directory, is_own, others_write};

/// How many stamps are kept. A shell that loses one asks the program again, and gets it back.
const KEPT: usize = 500;

pub struct Stamps<'a> {
    path: &'a Path,
    home: Option<&'a Path>,
    user: Uid,
}

impl<'a> Stamps<'a> {
    /// Opens the directory, made if need be. Its parent is made too, for the sake of `~/.cache`, but never a home.
    pub fn open(path: &'a Path, home: Option<&'a Path>) -> io::Result<Self> {
        let parent = path.parent().ok_or_else(refused)?;
        let user = geteuid();
        if user.is_root() && !parent.ancestors().all(is_roots_or_missing) {
            return Err(refused());
        }
        let make = |directory: &Path| {
            check_is_ours(directory, home).map_err(|_| refused())?;
            match DirBuilder::new().mode(0o700).create(directory) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                _ => Ok(()),
            }
        };
        let mut is_ours = is_own(path);
        if is_ours == Ok(false) {
            make(parent)?;
        }
        if foreign_directory(parent).is_some() {
            return Err(refused());
        }
        if is_ours == Ok(false) {
            make(path)?;
            is_ours = is_own(path);
        }
        if is_ours == Ok(true) { Ok(Self { path, home, user }) } else { Err(refused()) }
    }

    /// The stamp of a time, made if need be. It only counts when the file system kept the time to the last nanosecond.
    pub fn of(&self, time: FileTime) -> io::Result<PathBuf> {
        let stamp = self.path.join(name_of(time));
        if !self.is_stamp(&stamp) {
            self.make(&stamp, time)?;
            self.prune()?;
        }
        Ok(stamp)
    }

    fn make(&self, stamp: &Path, time: FileTime) -> io::Result<()> {
        check_is_ours(self.path, self.home).map_err(|_| refused())?;
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let mut options = OpenOptions::new();
        // There may be one with another time: from a backup, or of a shell that is about to set it.
        let file = options.write(true).create(true).mode(0o600).custom_flags(flags).open(stamp)?;
        if !self.is_empty_file(&file.metadata()?) {
            return Err(refused());
        }
        let time = Timestamp::from_nanosecond(time.as_nanosecond()).map_err(io::Error::other)?;
        file.set_times(FileTimes::new().set_modified(time.into()))?;
        if self.is_stamp(stamp) { Ok(()) } else { Err(refused()) }
    }

    fn is_stamp(&self, path: &Path) -> bool {
        path.symlink_metadata().is_ok_and(|found| {
            let time = FileTime { seconds: found.mtime(), nanoseconds: found.mtime_nsec() };
            self.is_empty_file(&found) && path.ends_with(name_of(time))
        })
    }

    /// Whether it is an empty file that belongs to the user, and nobody else can write to.
    fn is_empty_file(&self, found: &Metadata) -> bool {
        let is_private = !others_write(found.uid(), found.gid(), found.mode());
        found.is_file() && found.len() == 0 && found.uid() == self.user.as_raw() && is_private
    }

    /// Keeps them from growing without end: the oldest go, and nothing but stamps does.
    fn prune(&self) -> io::Result<()> {
        let files = read_dir(self.path)?.map(|entry| Ok(entry?.path()));
        let mut stamps = files.collect::<io::Result<Vec<_>>>()?;
        if stamps.len() > KEPT {
            stamps.retain(|path| self.is_stamp(path));
            stamps.sort_by_cached_key(|path| {
                let changed = path.symlink_metadata().map(|it| (it.ctime(), it.ctime_nsec()));
                Reverse(changed.ok())
            });
            stamps.iter().skip(KEPT / 2).try_for_each(remove_file)?;
        }
        Ok(())
    }
}

/// Short, because fish takes time for each character of a path.
fn name_of(time: FileTime) -> String {
    format!("{:x}", time.as_nanosecond())
}

fn refused() -> io::Error {
    io::ErrorKind::PermissionDenied.into()
}

/// With `sudo -E` the home is the caller's, who could lead root anywhere.
fn is_roots_or_missing(path: &Path) -> bool {
    match path.symlink_metadata() {
        Ok(found) => found.uid() == 0,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}
