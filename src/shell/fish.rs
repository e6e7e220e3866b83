//! The test "nothing changed" in fish.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use jiff::Timestamp;

use super::check::{Files, SEPARATOR, Stamp, Variables};
use super::{Shell, push, quote};
use crate::fs::FileTime;
use crate::watch::Expectation;

/// Appends a hook that asks the program each time, where there is a hook: `init --hook none` has none.
pub(super) fn ask_again(out: &mut Vec<u8>) {
    push(out, &["if builtin functions -q __backlog_aws_hook\n"]);
    push(out, &[BEFORE, "__backlog_aws_refresh\nend\nend\n"]);
}

/// Appends a hook that compares the working directory alone.
pub(super) fn same_directory(out: &mut Vec<u8>) {
    let test = "builtin test \"x$PWD\" = \"x$__backlog_aws_pwd\"";
    push(out, &[BEFORE, test, AFTER]);
}

const BEFORE: &str = "function __backlog_aws_hook --on-event fish_prompt\n";
const AFTER: &str = "; or __backlog_aws_refresh\nend\n";

/// Appends a hook that tests everything.
///
/// fish pays for each word of a command and for each character of a path, so there are few of either. Whatever `test`
/// cannot make sense of fails, and counts as a change.
pub(super) fn unchanged(files: &Files<'_>, variables: &Variables, out: &mut Vec<u8>) {
    push(out, &[BEFORE]);
    let names = |wanted: fn(&Expectation) -> bool| -> Vec<&str> {
        let matching = variables.0.iter().filter(|(_, expected)| wanted(expected));
        matching.map(|(name, _)| *name).collect()
    };
    // fish cannot tell unset from empty in a string; `set -q` counts what is missing.
    let unset = names(|expected| matches!(expected, Expectation::Value(None)));
    if !unset.is_empty() {
        let count = unset.len().to_string();
        push(
            out,
            &["builtin set -q ", &unset.join(" "), "; builtin test $status -eq ", &count, "; and "],
        );
    }
    let empty =
        names(|expected| matches!(expected, Expectation::Value(Some(value)) if value.is_empty()));
    if !empty.is_empty() {
        push(out, &["builtin set -q ", &empty.join(" "), "; and "]);
    }
    push(out, &["builtin test \"x"]);
    let expected = compare(variables, out);
    push(out, &["\" = "]);
    quote(Shell::Fish, OsStr::from_bytes(&expected), out);
    for name in names(|expected| *expected == Expectation::Filled(true)) {
        push(out, &[" -a \"x$", name, "\" != x"]);
    }
    conditions(files, out);
    push(out, &[AFTER]);
}

fn conditions(files: &Files<'_>, out: &mut Vec<u8>) {
    fn words(words: &[&OsStr], out: &mut Vec<u8>) {
        for word in words {
            out.push(b' ');
            Files::word(Shell::Fish, word, out);
        }
    }
    files.conditions(&mut |condition| {
        push(out, &[" -a"]);
        words(condition, out);
    });
    let mut conjunction = " -a ! '('";
    files.comparisons(Shell::Fish, &mut |comparison| {
        push(out, &[conjunction]);
        conjunction = " -o";
        words(comparison, out);
    });
    if conjunction == " -o" {
        push(out, &[" ')'"]);
    }
    let mut absent = files.absent().peekable();
    if absent.peek().is_some() {
        // One command that asks for many, and is true if any is there.
        push(out, &["; and not builtin path is --"]);
        absent.for_each(|path| words(&[&path], out));
    }
    if let Some(end) = files.watch.valid_until {
        // fish has no clock, but knows the age of a file.
        push(out, &["; and builtin test (builtin path mtime -R --"]);
        words(&[Stamp::of(alarm(end), files.stamps).path.as_os_str()], out);
        push(out, &[") -lt 0"]);
    }
}

/// The time of the stamp whose age is 0 when the answer runs out.
pub(super) fn alarm(end: Timestamp) -> FileTime {
    FileTime { seconds: end.as_second(), nanoseconds: 0 }
}

/// Appends the expansions that make one string of all variables that have a value, and returns what it should be.
fn compare(variables: &Variables, out: &mut Vec<u8>) -> Vec<u8> {
    let mut string = vec![b'x'];
    for (name, expected) in &variables.0 {
        match expected {
            Expectation::Value(Some(value)) | Expectation::Text(value) => {
                push(out, &["$", name]);
                out.push(SEPARATOR);
                string.extend_from_slice(value.as_bytes());
                string.push(SEPARATOR);
            }
            Expectation::Filled(false) => {
                push(out, &["$", name]);
                out.push(SEPARATOR);
                string.push(SEPARATOR);
            }
            Expectation::Filled(true) | Expectation::Value(None) => {}
        }
    }
    string
}
