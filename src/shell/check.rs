//! The test "nothing changed" as a shell function, made anew after every change with one inlined condition per thing
//! that is watched.
//!
//! bash and fish can only compare the modification times of two files. So each time that was seen is kept as a *stamp*:
//! a file that is named after it and has it. A stamp is addressed by value, hence any shell may share it, and a stamp
//! that is missing can only mean "changed". zsh reads change times itself and needs no stamps.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Shell, push, quote};
use crate::session::{Values, Variable};
use crate::watch::{Expectation, Watch, Watched};
use crate::world::FileTime;

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
    fn is_racy(self, time: FileTime, now: Timestamp) -> bool {
        // A kernel tick is up to 10 ms, and file times are those of the last tick.
        const TICK: i128 = 20_000_000;
        const SECOND: i128 = 1_000_000_000;
        // A file system that keeps whole seconds (HFS+, ext3) or pairs of them (FAT) shows no fraction.
        let grain = match self {
            Self::SecondStamps => SECOND + TICK,
            _ if time.nanoseconds == 0 => 2 * SECOND + TICK,
            _ => TICK,
        };
        let then = i128::from(time.seconds) * SECOND + i128::from(time.nanoseconds);
        let age = now.as_nanosecond() - then;
        // Times in the future are settled: what is written now gets an earlier one.
        -grain < age && age < grain
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
        Self {
            time,
            path: directory.join(format!("{}.{:09}", time.seconds, time.nanoseconds)),
        }
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
        now: Timestamp,
    ) -> Self {
        if precision == Precision::DirectoryOnly {
            return Self::Directory;
        }
        let (Some(watch), Some(stamps)) = (watch, stamps) else {
            return Self::AskAgain;
        };
        let time = |watched: &Watched| match precision {
            Precision::ChangeTime => watched.sight.changed,
            _ => watched.sight.modified,
        };
        if watch
            .present
            .iter()
            .any(|watched| precision.is_racy(time(watched), now))
        {
            return Self::AskAgain;
        }
        Self::Files {
            watch,
            stamps: stamps.to_owned(),
            precision,
        }
    }

    /// The stamps that must exist for the test to say "unchanged".
    pub fn stamps(&self) -> Vec<Stamp> {
        match self {
            Self::Files {
                watch,
                stamps,
                precision: Precision::Stamps | Precision::SecondStamps,
            } => {
                let mut found: Vec<Stamp> = watch
                    .present
                    .iter()
                    .map(|watched| Stamp::of(watched.sight.modified, stamps))
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
        match self {
            Self::AskAgain => match shell {
                Shell::Bash | Shell::Zsh => push(
                    out,
                    &["__backlog_aws_unchanged() { \\builtin return 1; }\n"],
                ),
                Shell::Fish => push(
                    out,
                    &["function __backlog_aws_unchanged; builtin return 1; end\n"],
                ),
            },
            Self::Directory => match shell {
                Shell::Bash | Shell::Zsh => {
                    push(out, &["__backlog_aws_unchanged() { ", POSIX_PWD, "; }\n"]);
                }
                Shell::Fish => push(
                    out,
                    &[
                        "function __backlog_aws_unchanged; builtin test ",
                        FISH_PWD,
                        "; end\n",
                    ],
                ),
            },
            Self::Files {
                watch,
                stamps,
                precision,
            } => {
                let variables = Variables::new(watch, after, state);
                match (variables, shell) {
                    (None, _) => Self::AskAgain.render(shell, after, state, out),
                    (Some(variables), Shell::Fish) => render_fish(watch, stamps, &variables, out),
                    (Some(variables), _) => {
                        render_posix(shell, watch, stamps, *precision, &variables, out);
                    }
                }
            }
        }
    }
}

const POSIX_PWD: &str = r#"\builtin [ "${PWD-}" = "${__backlog_aws_pwd-}" ]"#;
const FISH_PWD: &str = r#""$PWD" = "$__backlog_aws_pwd""#;

/// Separates values in the one string that stands for all variables (ASCII "unit separator"). As long as none of the
/// expected values contains it, equal strings mean equal values: the number of separators gives a stray one away.
const SEPARATOR: u8 = 0x1f;

/// The variables to compare, ours and others', with what they are expected to be.
struct Variables(Vec<(&'static str, Expectation)>);

impl Variables {
    fn new(watch: &Watch, after: &Values, state: &OsStr) -> Option<Self> {
        let ours = Variable::EXPORTED.map(|variable| {
            let value = after.get(variable);
            let expected = match variable {
                Variable::AccessKeyId | Variable::SecretAccessKey | Variable::SessionToken => {
                    Expectation::Filled(value.is_some_and(|value| !value.is_empty()))
                }
                _ => Expectation::Value(value.map(OsStr::to_owned)),
            };
            (variable.name(), expected)
        });
        let memory = (
            Variable::State.name(),
            Expectation::Value(Some(state.to_owned())),
        );
        let all: Vec<_> = watch
            .variables
            .iter()
            .cloned()
            .chain(ours)
            .chain([memory])
            .collect();
        let separable = all.iter().all(|(_, expected)| match expected {
            Expectation::Value(Some(value)) => !value.as_bytes().contains(&SEPARATOR),
            Expectation::Value(None) | Expectation::Filled(_) => true,
        });
        separable.then_some(Self(all))
    }

    /// All expected values in one, as [`SEPARATOR`] describes.
    fn joined(&self, mark_set: bool) -> Vec<u8> {
        let mut joined = Vec::new();
        for (_, expected) in &self.0 {
            joined.push(SEPARATOR);
            match expected {
                Expectation::Value(Some(value)) => {
                    if mark_set {
                        joined.push(b'x');
                    }
                    joined.extend_from_slice(value.as_bytes());
                }
                Expectation::Filled(true) => joined.push(b'x'),
                Expectation::Value(None) | Expectation::Filled(false) => {}
            }
        }
        joined
    }
}

fn render_posix(
    shell: Shell,
    watch: &Watch,
    stamps: &Path,
    precision: Precision,
    variables: &Variables,
    out: &mut Vec<u8>,
) {
    push(
        out,
        &[
            "__backlog_aws_unchanged() { ",
            POSIX_PWD,
            " && \\builtin [ \"",
        ],
    );
    for (name, expected) in &variables.0 {
        out.push(SEPARATOR);
        match expected {
            Expectation::Value(_) => push(out, &["${", name, "+x}${", name, "-}"]),
            Expectation::Filled(_) => push(out, &["${", name, ":+x}"]),
        }
    }
    push(out, &["\" = "]);
    quote(shell, OsStr::from_bytes(&variables.joined(true)), out);
    // `[[` and not `[` for the files: it is one command however many conditions there are.
    push(out, &[" ] && [[ -e /"]);
    let condition = |words: &[&OsStr], out: &mut Vec<u8>| {
        push(out, &[" &&"]);
        for word in words {
            out.push(b' ');
            if word.as_bytes().starts_with(b"/") {
                quote(shell, word, out);
            } else {
                out.extend_from_slice(word.as_bytes());
            }
        }
    };
    conditions(watch, &condition, out);
    for watched in &watch.present {
        let path = watched.path.as_os_str();
        condition(&[OsStr::new("-e"), path], out);
        if precision != Precision::ChangeTime {
            let stamp = Stamp::of(watched.sight.modified, stamps).path;
            condition(
                &[OsStr::new("!"), path, OsStr::new("-nt"), stamp.as_os_str()],
                out,
            );
            condition(
                &[OsStr::new("!"), path, OsStr::new("-ot"), stamp.as_os_str()],
                out,
            );
            if shell == Shell::Zsh {
                // Both comparisons are false in zsh when a file is missing.
                condition(&[OsStr::new("-e"), stamp.as_os_str()], out);
            }
        }
    }
    push(out, &[" ]]"]);
    if watch.valid_for.is_some() {
        push(
            out,
            &[" && \\builtin [ \"${SECONDS%%.*}\" -lt \"${__backlog_aws_until-0}\" ]"],
        );
    }
    if precision == Precision::ChangeTime && !watch.present.is_empty() {
        push(
            out,
            &[
                " || \\builtin return 1; \\builtin local IFS=,; \\builtin local -a seen; \\builtin zstat -A seen -F %s%N +ctime --",
            ],
        );
        let mut expected = Vec::new();
        for (index, watched) in watch.present.iter().enumerate() {
            out.push(b' ');
            quote(shell, &watched.path, out);
            let FileTime {
                seconds,
                nanoseconds,
            } = watched.sight.changed;
            let comma = if index == 0 { "" } else { "," };
            expected.push(format!("{comma}{seconds}{nanoseconds:09}"));
        }
        push(
            out,
            &[" && [[ \"${seen[*]}\" == ", &expected.concat(), " ]]"],
        );
    }
    push(out, &["; }\n"]);
    if let Some(valid_for) = watch.valid_for {
        push(
            out,
            &[
                "__backlog_aws_until=$(( ${SECONDS%%.*} + ",
                &valid_for.as_secs().max(1).to_string(),
                " ))\n",
            ],
        );
    }
}

/// What is watched in the same way in all shells: the directory the shell is really in, what must stay absent, and what
/// links must still lead to.
fn conditions(watch: &Watch, condition: &impl Fn(&[&OsStr], &mut Vec<u8>), out: &mut Vec<u8>) {
    let (not, exists, same) = (OsStr::new("!"), OsStr::new("-e"), OsStr::new("-ef"));
    if let Some(cwd) = &watch.cwd {
        // A directory that was renamed under the shell keeps its `$PWD`.
        condition(&[OsStr::new("."), same, cwd.as_os_str()], out);
    }
    for path in &watch.absent {
        condition(&[not, exists, path.as_os_str()], out);
    }
    for watched in &watch.present {
        if let Some(resolved) = &watched.sight.resolved {
            // Times do not tell two targets apart where a store gives every file the same one, as Nix does.
            condition(&[watched.path.as_os_str(), same, resolved.as_os_str()], out);
        }
    }
}

fn render_fish(watch: &Watch, stamps: &Path, variables: &Variables, out: &mut Vec<u8>) {
    push(out, &["function __backlog_aws_unchanged\n"]);
    // fish cannot tell unset from empty in a string; `set -q` counts what is missing.
    let names = |wanted: fn(&Expectation) -> bool| -> Vec<&str> {
        let matching = variables.0.iter().filter(|(_, expected)| wanted(expected));
        matching.map(|(name, _)| *name).collect()
    };
    let unset = names(|expected| matches!(expected, Expectation::Value(None)));
    let empty =
        names(|expected| matches!(expected, Expectation::Value(Some(value)) if value.is_empty()));
    if !unset.is_empty() {
        let count = unset.len().to_string();
        push(
            out,
            &[
                "builtin set -q ",
                &unset.join(" "),
                "; builtin test $status -eq ",
                &count,
                "; or builtin return 1\n",
            ],
        );
    }
    if !empty.is_empty() {
        push(
            out,
            &[
                "builtin set -q ",
                &empty.join(" "),
                "; or builtin return 1\n",
            ],
        );
    }
    // An empty variable must not make its name's expansion vanish, hence the quotes; a secret's value is only tested.
    for (name, expected) in &variables.0 {
        if let Expectation::Filled(filled) = expected {
            let test = if *filled { "-n" } else { "-z" };
            push(
                out,
                &[
                    "builtin test ",
                    test,
                    " \"$",
                    name,
                    "\"; or builtin return 1\n",
                ],
            );
        }
    }
    push(out, &["builtin test ", FISH_PWD, " -a \"x"]);
    let plain = variables
        .0
        .iter()
        .filter(|(_, expected)| matches!(expected, Expectation::Value(Some(_))));
    let mut expected = vec![b'x'];
    for (name, value) in plain {
        out.push(SEPARATOR);
        push(out, &["$", name]);
        expected.push(SEPARATOR);
        if let Expectation::Value(Some(value)) = value {
            expected.extend_from_slice(value.as_bytes());
        }
    }
    push(out, &["\" = "]);
    quote(Shell::Fish, OsStr::from_bytes(&expected), out);
    let condition = |words: &[&OsStr], out: &mut Vec<u8>| {
        push(out, &[" -a"]);
        for word in words {
            out.push(b' ');
            if word.as_bytes().starts_with(b"/") {
                quote(Shell::Fish, word, out);
            } else {
                out.extend_from_slice(word.as_bytes());
            }
        }
    };
    conditions(watch, &condition, out);
    for watched in &watch.present {
        let path = watched.path.as_os_str();
        let stamp = Stamp::of(watched.sight.modified, stamps).path;
        condition(&[OsStr::new("-e"), path], out);
        condition(
            &[OsStr::new("!"), path, OsStr::new("-nt"), stamp.as_os_str()],
            out,
        );
        condition(
            &[OsStr::new("!"), path, OsStr::new("-ot"), stamp.as_os_str()],
            out,
        );
    }
    if let (Some(_), Some(watched)) = (watch.valid_for, watch.present.first()) {
        // fish has no clock; the age of a file whose time is known is one.
        let stamp = Stamp::of(watched.sight.modified, stamps).path;
        push(out, &["; and builtin test (builtin path mtime -R -- "]);
        quote(Shell::Fish, &stamp, out);
        push(out, &[") -lt \"$__backlog_aws_until\""]);
    }
    push(out, &["\nend\n"]);
    if let (Some(valid_for), Some(watched)) = (watch.valid_for, watch.present.first()) {
        let stamp = Stamp::of(watched.sight.modified, stamps).path;
        push(
            out,
            &["builtin set -g __backlog_aws_until (builtin math (builtin path mtime -R -- "],
        );
        quote(Shell::Fish, &stamp, out);
        push(
            out,
            &[") + ", &valid_for.as_secs().max(1).to_string(), ")\n"],
        );
    }
}
