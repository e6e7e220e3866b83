//! Stamps: files that carry a time which was seen, for shells that can only compare the times of two files.
//!
//! A stamp is named after its time, so any shell may share it, and one that is missing can only mean "changed". All lie
//! in one directory, where nobody but the user can put anything; without such a directory there are none.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, Stat, Timespec, Timestamps, UTIME_OMIT, fstat, futimens,
    lstat, mkdir, open, openat, stat, statat, unlinkat,
};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::fs::{FileTime, check_is_ours, others_write};

/// How many stamps are kept. A shell that loses one asks the program again, and gets it back.
const KEPT: usize = 500;

const DIRECTORY: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const FILE: OFlags =
    OFlags::WRONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

pub struct Stamps<'a> {
    path: &'a Path,
    home: Option<&'a Path>,
    user: u32,
    directory: OwnedFd,
}

impl<'a> Stamps<'a> {
    /// Opens the directory, made if need be. Its parent is made too, for the sake of `~/.cache`, but never a home.
    pub fn open(path: &'a Path, home: Option<&'a Path>) -> io::Result<Self> {
        let user = geteuid().as_raw();
        let parent = path.parent().ok_or_else(refused)?;
        if user == 0 && !parent.ancestors().all(is_roots_or_missing) {
            return Err(refused());
        }
        let make = |directory: &Path| -> io::Result<()> {
            check_is_ours(directory, home).map_err(|_| refused())?;
            match mkdir(directory, Mode::RWXU) {
                // Another shell was faster.
                Err(Errno::EXIST) => Ok(()),
                made => Ok(made?),
            }
        };
        let around = match stat(parent) {
            Err(Errno::NOENT) => {
                make(parent)?;
                stat(parent)?
            }
            found => found?,
        };
        // In root's /tmp anybody can make files, but nobody can replace those of others.
        let is_sticky = Mode::from_raw_mode(around.st_mode).contains(Mode::SVTX);
        let is_system = around.st_uid == 0 && is_sticky;
        if !is_private(&around, user) && !is_system {
            return Err(refused());
        }
        let directory = match open(path, DIRECTORY, Mode::empty()) {
            Err(Errno::NOENT) => {
                make(path)?;
                open(path, DIRECTORY, Mode::empty())?
            }
            opened => opened?,
        };
        if !is_private(&fstat(&directory)?, user) {
            return Err(refused());
        }
        Ok(Self { path, home, user, directory })
    }

    /// The stamp of a time, made if need be. It only counts when the file system kept the time to the last nanosecond.
    pub fn of(&self, time: FileTime) -> io::Result<PathBuf> {
        let name = name_of(time.as_nanosecond());
        if !self.is_stamp(&name) {
            self.make(&name, time)?;
            self.prune()?;
        }
        Ok(self.path.join(name))
    }

    fn make(&self, name: &str, time: FileTime) -> io::Result<()> {
        check_is_ours(self.path, self.home).map_err(|_| refused())?;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = match openat(&self.directory, name, FILE | OFlags::CREATE | OFlags::EXCL, mode) {
            // One with another time: from a backup, or of a shell that is about to set it.
            Err(Errno::EXIST) => openat(&self.directory, name, FILE, Mode::empty())?,
            opened => opened?,
        };
        if !self.is_empty_file(&fstat(&file)?) {
            return Err(refused());
        }
        let times = Timestamps {
            last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
            last_modification: Timespec { tv_sec: time.seconds, tv_nsec: time.nanoseconds },
        };
        futimens(&file, &times)?;
        if self.is_stamp(name) { Ok(()) } else { Err(refused()) }
    }

    fn is_stamp(&self, name: &str) -> bool {
        self.look_at(name).is_ok_and(|found| {
            let time = nanoseconds(found.st_mtime, found.st_mtime_nsec);
            self.is_empty_file(&found) && name == name_of(time)
        })
    }

    fn look_at(&self, name: &str) -> rustix::io::Result<Stat> {
        statat(&self.directory, name, AtFlags::SYMLINK_NOFOLLOW)
    }

    fn is_empty_file(&self, found: &Stat) -> bool {
        FileType::from_raw_mode(found.st_mode) == FileType::RegularFile
            && found.st_size == 0
            && is_private(found, self.user)
    }

    /// Keeps them from growing without end: the oldest go, and nothing but stamps does.
    fn prune(&self) -> io::Result<()> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.directory)? {
            names.extend(entry?.file_name().to_str().map(str::to_owned));
        }
        if names.len() <= KEPT {
            return Ok(());
        }
        names.retain(|name| self.is_stamp(name));
        names.sort_by_cached_key(|name| {
            let changed = self.look_at(name).map(|it| nanoseconds(it.st_ctime, it.st_ctime_nsec));
            std::cmp::Reverse(changed.ok())
        });
        for name in names.iter().skip(KEPT / 2) {
            unlinkat(&self.directory, name, AtFlags::empty())?;
        }
        Ok(())
    }
}

/// Short, because fish takes time for each character of a path.
fn name_of(nanoseconds: i128) -> String {
    format!("{nanoseconds:x}")
}

fn refused() -> io::Error {
    io::ErrorKind::PermissionDenied.into()
}

/// With `sudo -E` the home is the caller's, who could lead root anywhere.
fn is_roots_or_missing(path: &Path) -> bool {
    match lstat(path) {
        Ok(found) => found.st_uid == 0,
        Err(error) => error == Errno::NOENT,
    }
}

/// Whether it belongs to the user, and nobody else can write to it.
fn is_private(found: &Stat, user: u32) -> bool {
    // Not every system has it in so many bits.
    let mode = u32::try_from(i64::from(found.st_mode)).unwrap_or(u32::MAX);
    found.st_uid == user && !others_write(found.st_uid, found.st_gid, mode)
}

fn nanoseconds(seconds: impl Into<i128>, nanoseconds: impl Into<i128>) -> i128 {
    seconds.into() * 1_000_000_000 + nanoseconds.into()
}
