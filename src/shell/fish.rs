//! The test "nothing changed" in fish.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::check::{Files, SEPARATOR, Variables};
use super::{Shell, push, quote};
use crate::watch::Expectation;

/// Appends the definition of the function. Without files it compares the working directory alone.
pub(super) fn unchanged(files: Option<&Files<'_>>, variables: &Variables, out: &mut Vec<u8>) {
    push(out, &["function __backlog_aws_unchanged\n"]);
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
            &[
                "builtin set -q ",
                &unset.join(" "),
                "; builtin test $status -eq ",
                &count,
                "; and ",
            ],
        );
    }
    let empty =
        names(|expected| matches!(expected, Expectation::Value(Some(value)) if value.is_empty()));
    if !empty.is_empty() {
        push(out, &["builtin set -q ", &empty.join(" "), "; and "]);
    }
    push(out, &["builtin test \"x"]);
    let expected = compare(variables, out);
    push(out, &["$PWD\" = "]);
    quote(Shell::Fish, OsStr::from_bytes(&expected), out);
    push(out, &["\"$__backlog_aws_pwd\""]);
    for name in names(|expected| *expected == Expectation::Filled(true)) {
        push(out, &[" -a -n \"$", name, "\""]);
    }
    let hollow = names(|expected| *expected == Expectation::Filled(false));
    if !hollow.is_empty() {
        push(out, &[" -a -z \"$", &hollow.join("$"), "\""]);
    }
    if let Some(files) = files {
        files.conditions(Shell::Fish, &mut |words| {
            push(out, &[" -a"]);
            for word in words {
                out.push(b' ');
                if word.as_bytes().starts_with(b"/") {
                    quote(Shell::Fish, word, out);
                } else {
                    out.extend_from_slice(word.as_bytes());
                }
            }
        });
    }
    if let Some(files) = files.filter(|files| !files.watch.absent.is_empty()) {
        push(out, &["; and not builtin path is --"]);
        for path in &files.watch.absent {
            out.push(b' ');
            quote(Shell::Fish, path, out);
        }
    }
    let clock = files.and_then(|files| Some((files.valid_for()?, clock(files)?)));
    if let Some((_, age)) = &clock {
        push(out, &["; and builtin test "]);
        out.extend_from_slice(age);
        push(out, &[" -lt \"$__backlog_aws_until\""]);
    }
    push(out, &["\nend\n"]);
    if let Some((seconds, age)) = &clock {
        push(out, &["builtin set -g __backlog_aws_until (builtin math "]);
        out.extend_from_slice(age);
        push(out, &[" + ", &seconds.to_string(), ")\n"]);
    }
}

/// fish has no clock, but the age of a file whose time never changes is one: that of a stamp, in seconds.
fn clock(files: &Files<'_>) -> Option<Vec<u8>> {
    let stamp = files.stamp(files.watch.present.first()?);
    let mut age = b"(builtin path mtime -R -- ".to_vec();
    quote(Shell::Fish, &stamp, &mut age);
    age.push(b')');
    Some(age)
}

/// Appends the expansions that make one string of all variables that have a value, and returns what it should be.
fn compare(variables: &Variables, out: &mut Vec<u8>) -> Vec<u8> {
    let mut string = vec![b'x'];
    for (name, expected) in &variables.0 {
        if let Expectation::Value(Some(value)) | Expectation::Text(value) = expected {
            push(out, &["$", name]);
            out.push(SEPARATOR);
            string.extend_from_slice(value.as_bytes());
            string.push(SEPARATOR);
        }
    }
    string
}
