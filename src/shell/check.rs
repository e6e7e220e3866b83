//! The test "nothing changed" as a shell function, made anew after every change with one inlined condition per thing
//! that is watched.
//!
//! bash and fish can only compare the modification times of two files. So each time that was seen is kept as a *stamp*:
//! a file that is named after it and has it. A stamp is addressed by value, hence any shell may share it, and a stamp
//! that is missing can only mean "changed". zsh reads change times itself and needs no stamps.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::ops::RangeInclusive;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Shell, fish, posix, quote};
use crate::fs::FileTime;
use crate::overrides::FILE_NAME;
use crate::session::{STATE, Values, Variable};
use crate::watch::{Expectation, Watch, Watched};

/// How exactly a shell sees times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Compares modification times with a stamp's, to the nanosecond: bash 5 and later, fish, zsh without `zsh/stat`.
    Stamps,
    /// The same in whole seconds: bash 3.2 to 4.4.
    SecondStamps,
    /// Reads change times: zsh with `zsh/stat`.
    ChangeTime,
    /// Looks at nothing but the working directory: `init --hook cd`.
    DirectoryOnly,
}

impl Precision {
    /// The word the integration passes.
    pub fn from_word(word: &OsStr) -> Option<Self> {
        match word.to_str()? {
            "stamps" => Some(Self::Stamps),
            "second-stamps" => Some(Self::SecondStamps),
            "change-time" => Some(Self::ChangeTime),
            "directory" => Some(Self::DirectoryOnly),
            _ => None,
        }
    }

    /// Whether a file with this time could be changed again without the shell being able to tell. git calls such a file
    /// racily clean; here it means that the next prompt looks again.
    ///
    /// It was looked at during `looking`. Both ends count: a process can be held up for long between any two steps, and
    /// what was written after the start of the look may be younger than a tick although the look ended later.
    fn is_racy(self, time: FileTime, looking: &RangeInclusive<Timestamp>) -> bool {
        // A kernel tick is up to 10 ms, and file times are those of the last tick.
        const TICK: i128 = 20_000_000;
        const SECOND: i128 = 1_000_000_000;
        // A file system that keeps whole seconds (HFS+, ext3) or pairs of them (FAT) shows no fraction.
        let grain = match self {
            Self::SecondStamps => SECOND + TICK,
            _ if time.nanoseconds == 0 => 2 * SECOND + TICK,
            _ => TICK,
        };
        let then = time.as_nanosecond();
        // Times in the future are settled: what is written now gets an earlier one.
        looking.start().as_nanosecond() - grain < then
            && then < looking.end().as_nanosecond() + grain
    }
}

/// A file whose modification time stands for one that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// The time.
    pub time: FileTime,
    /// Where the stamp is.
    pub path: PathBuf,
}

impl Stamp {
    /// The stamp of a time below a directory.
    pub fn of(time: FileTime, directory: &Path) -> Self {
        Self { time, path: directory.join(Self::name(time)) }
    }

    /// The nanoseconds to the base of 36. fish converts every path from its wide characters each time it is used, so
    /// short names are fast names.
    fn name(time: FileTime) -> String {
        const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
        let mut rest = time.as_nanosecond().unsigned_abs();
        let mut digits = Vec::new();
        while rest > 0 || digits.is_empty() {
            digits.push(char::from(DIGITS[(rest % 36) as usize]));
            rest /= 36;
        }
        if time.seconds < 0 {
            digits.push('-');
        }
        digits.into_iter().rev().collect()
    }

    /// Whether a file of this name is one of ours.
    pub fn is_name(name: &OsStr) -> bool {
        let digits = name.as_bytes();
        let digits = digits.strip_prefix(b"-").unwrap_or(digits);
        !digits.is_empty()
            && digits.iter().all(|digit| digit.is_ascii_digit() || digit.is_ascii_lowercase())
    }
}

/// What the shell shall test at its next prompts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// Nothing: it shall ask again each time.
    AskAgain,
    /// Only whether it is still in the same directory.
    Directory,
    /// Everything the answer rests on.
    Files {
        /// What that is.
        watch: Watch,
        /// The stamps that the test needs.
        stamps: PathBuf,
        /// How it compares times.
        precision: Precision,
    },
}

impl Check {
    /// The test for `watch`, or none when the shell could not be exact.
    pub fn new(
        watch: Option<Watch>,
        precision: Precision,
        stamps: Option<&Path>,
        looking: &RangeInclusive<Timestamp>,
    ) -> Self {
        if precision == Precision::DirectoryOnly {
            return Self::Directory;
        }
        let (Some(mut watch), Some(stamps)) = (watch, stamps) else {
            return Self::AskAgain;
        };
        if precision == Precision::ChangeTime {
            watch.present.retain(|watched| !watched.shows_moves);
        }
        let time = |watched: &Watched| match precision {
            Precision::ChangeTime => watched.state.changed,
            _ => watched.state.modified,
        };
        if watch.present.iter().any(|watched| precision.is_racy(time(watched), looking)) {
            return Self::AskAgain;
        }
        Self::Files { watch, stamps: stamps.to_owned(), precision }
    }

    /// The stamps that must exist for the test to say "unchanged".
    pub fn stamps(&self, shell: Shell) -> Vec<Stamp> {
        match self {
            Self::Files {
                watch,
                stamps,
                precision: Precision::Stamps | Precision::SecondStamps,
            } => {
                let mut found: Vec<Stamp> = watch
                    .present
                    .iter()
                    .map(|watched| watched.state.modified)
                    .chain(watch.valid_until.filter(|_| shell == Shell::Fish).map(fish::alarm))
                    .map(|time| Stamp::of(time, stamps))
                    .collect();
                found.sort_by(|a, b| a.path.cmp(&b.path));
                found.dedup();
                found
            }
            _ => Vec::new(),
        }
    }

    /// Appends the function's definition. `after` are our variables as they will be.
    pub fn render(&self, shell: Shell, after: &Values, state: &OsStr, out: &mut Vec<u8>) {
        let files_and_variables = match self {
            Self::AskAgain => None,
            Self::Directory if shell == Shell::Fish => return fish::same_directory(out),
            Self::Directory => return posix::same_directory(shell, out),
            Self::Files { watch, stamps, precision } => {
                Variables::of(watch, after, state).map(|variables| {
                    let files = Files { watch, stamps, precision: *precision };
                    (files, variables)
                })
            }
        };
        match (files_and_variables, shell) {
            (None, Shell::Fish) => fish::ask_again(out),
            (None, _) => posix::ask_again(shell, out),
            (Some((files, variables)), Shell::Fish) => fish::unchanged(&files, &variables, out),
            (Some((files, variables)), _) => posix::unchanged(shell, &files, &variables, out),
        }
    }
}

/// The part of a test that is about files.
pub(super) struct Files<'a> {
    pub watch: &'a Watch,
    pub stamps: &'a Path,
    pub precision: Precision,
}

impl Files<'_> {
    /// The stamp of a file's modification time.
    pub fn stamp(&self, watched: &Watched) -> PathBuf {
        Stamp::of(watched.state.modified, self.stamps).path
    }

    /// Every condition that does not compare times.
    pub fn conditions(&self, condition: &mut impl FnMut(&[&OsStr])) {
        let [exists, same, here] = ["-e", "-ef", "."].map(OsStr::new);
        // `$PWD` would say less: it stays the same when the directory is renamed under the shell.
        condition(&[here, same, self.watch.cwd.as_os_str()]);
        for watched in &self.watch.present {
            let path = self.spelled(&watched.path);
            if let Some(resolved) = &watched.state.resolved {
                // Times do not tell two targets apart where a store gives every file the same one, as Nix does.
                condition(&[&path, same, &self.spelled(resolved)]);
            }
            // A missing file counts as older than any other, so only it and its stamp both missing would be overlooked.
            if self.precision == Precision::ChangeTime || !watched.vanishes_with_parent {
                condition(&[exists, &path]);
            }
        }
    }

    /// What must not be there.
    pub fn absent(&self) -> impl Iterator<Item = Cow<'_, OsStr>> {
        self.watch.absent.iter().map(|path| {
            // Of the others, nothing would tell when a parent of the working directory is replaced by a link to itself.
            if path.file_name() == Some(OsStr::new(FILE_NAME)) {
                self.spelled(path)
            } else {
                Cow::Borrowed(path.as_os_str())
            }
        })
    }

    /// Every comparison with a stamp, none of which may hold.
    pub fn comparisons(&self, shell: Shell, comparison: &mut impl FnMut(&[&OsStr])) {
        let [not, exists, newer, older] = ["!", "-e", "-nt", "-ot"].map(OsStr::new);
        for watched in &self.watch.present {
            let path = self.spelled(&watched.path);
            let stamp = self.stamp(watched);
            let stamp = self.spelled(&stamp);
            // bash and fish count a missing file as older than any other. In zsh a comparison with one is false either
            // way.
            if shell == Shell::Zsh {
                comparison(&[not, exists, &path]);
                comparison(&[not, exists, &stamp]);
            }
            comparison(&[&path, newer, &stamp]);
            // What is moved into a directory makes it newer, so this is asked of files alone.
            if !watched.shows_moves {
                comparison(&[&path, older, &stamp]);
            }
        }
    }

    /// The shorter of an absolute path and the same from the working directory, which the conditions compare first.
    /// Both lead to the same file, because the working directory is one without symbolic links. Shells go through a word
    /// by its characters, so short words are fast words.
    pub fn spelled<'path>(&self, path: &'path Path) -> Cow<'path, OsStr> {
        let cwd = self.watch.cwd.as_os_str().as_bytes();
        let absolute = path.as_os_str().as_bytes();
        let relative = || {
            let common = cwd.iter().zip(absolute).take_while(|(a, b)| a == b).count();
            // Where the nearest directory ends that both are in.
            let end = (0..=common).rev().find(|&at| {
                absolute.get(at) == Some(&b'/') && matches!(cwd.get(at), None | Some(b'/'))
            })?;
            let up = cwd[end..].split(|&byte| byte == b'/');
            let levels = up.filter(|name| !name.is_empty()).count();
            let rest = &absolute[end + 1..];
            // By itself, a name could be an operator or an option; and `a//b` is not cut in the middle.
            let is_clear =
                rest.first().is_some_and(|&first| first == b'.' || (levels > 0 && first != b'/'));
            let is_shorter = 3 * levels + rest.len() < absolute.len();
            (is_clear && is_shorter)
                .then(|| OsString::from_vec([&b"../".repeat(levels), rest].concat()))
        };
        relative().map_or(Cow::Borrowed(path.as_os_str()), Cow::Owned)
    }

    /// When the answer has to be looked at again because it runs out, in whole seconds since the epoch.
    pub fn valid_until(&self) -> Option<i64> {
        self.watch.valid_until.map(Timestamp::as_second)
    }

    /// The same in seconds from the time of looking.
    pub fn seconds_left(&self) -> i64 {
        let end = self.valid_until().unwrap_or(i64::MAX);
        end.saturating_sub(self.watch.looked_at.as_second())
    }

    /// Appends one word of a test. Most paths need no quotes, and are faster without.
    pub fn word(shell: Shell, word: &OsStr, out: &mut Vec<u8>) {
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-!".contains(byte);
        if word.as_bytes().iter().all(is_plain) {
            out.extend_from_slice(word.as_bytes());
        } else {
            quote(shell, word, out);
        }
    }
}

/// Separates values in the one string that stands for all variables (ASCII "unit separator"). As long as none of the
/// expected values contains it, equal strings mean equal values: the number of separators gives a stray one away.
pub(super) const SEPARATOR: u8 = 0x1f;

/// The variables to compare, ours and others', with what they are expected to be.
pub(super) struct Variables(pub Vec<(&'static str, Expectation)>);

impl Variables {
    fn of(watch: &Watch, after: &Values, state: &OsStr) -> Option<Self> {
        let ours = Variable::ALL
            .into_iter()
            .map(|variable| (variable.name(), Expectation::Value(after[variable].clone())));
        let memory = (STATE, Expectation::Value(Some(state.to_owned())));
        let all: Vec<_> = watch.variables.iter().cloned().chain(ours).chain([memory]).collect();
        let separable = all.iter().all(|(_, expected)| match expected {
            Expectation::Value(Some(value)) | Expectation::Text(value) => {
                !value.as_bytes().contains(&SEPARATOR)
            }
            Expectation::Value(None) | Expectation::Filled(_) => true,
        });
        separable.then_some(Self(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_from_the_working_directory_where_that_is_shorter() {
        let spelled = |cwd: &str, path: &str| {
            let watch = Watch {
                variables: Vec::new(),
                present: Vec::new(),
                absent: Vec::new(),
                cwd: cwd.into(),
                valid_until: None,
                looked_at: Timestamp::UNIX_EPOCH,
            };
            let files =
                Files { watch: &watch, stamps: Path::new("/"), precision: Precision::Stamps };
            let word = files.spelled(Path::new(path)).into_owned();
            word.into_string().unwrap()
        };
        for (cwd, path, expected) in [
            ("/home/u/a", "/home/u/a/.x", ".x"),
            ("/home/u/a", "/home/u/.x", "../.x"),
            ("/home/u/a", "/home/u/ab/.x", "../ab/.x"),
            ("/home/u/ab", "/home/u/a/.x", "../a/.x"),
            ("/home/u/a/b/c/d", "/home/u/.x", "/home/u/.x"),
            ("/h/u/a/b/c", "/h/u/.x", "/h/u/.x"),
            ("/home/u", "/.x", "/.x"),
            ("/", "/.x", ".x"),
            ("/", "/x", "/x"),
            // These could be taken for something else, or are something else.
            ("/home/u", "/home/u/x", "/home/u/x"),
            ("/home/u", "/home/u//x", "/home/u//x"),
            ("/home/u", "/home/u", "../u"),
            ("/home/u/a", "/home/../home/u/.x", "/home/../home/u/.x"),
        ] {
            assert_eq!(spelled(cwd, path), expected, "{path} from {cwd}");
        }
    }
}
