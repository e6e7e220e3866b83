//! The test "nothing changed" in bash and zsh.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::check::{Files, Precision, SEPARATOR, Variables};
use super::{Shell, push, quote};
use crate::watch::Expectation;

/// Appends a function that compares the working directory alone.
pub(super) fn same_directory(out: &mut Vec<u8>) {
    push(
        out,
        &["__backlog_aws_unchanged() { \\builtin [ \"${PWD-}\" = \"${__backlog_aws_pwd-}\" ]; }\n"],
    );
}

/// Appends the definition of the function.
pub(super) fn unchanged(shell: Shell, files: &Files<'_>, variables: &Variables, out: &mut Vec<u8>) {
    let mut expanded = Vec::new();
    let mut expected = Vec::new();
    let values = compare(variables, &mut expanded);
    quote(shell, OsStr::from_bytes(&values), &mut expected);
    push(out, &["__backlog_aws_unchanged() { "]);
    // Unquoted expansions are the fast ones, and nothing splits them in `[[`.
    let double_brackets = [b"[[ ", &expanded[..], b" == ", &expected, b" ]]"].concat();
    if shell == Shell::Bash {
        // In bash, `[[` ignores case under `nocasematch`; `[` never does.
        push(out, &["{ [[ a != A ]] && "]);
        out.extend_from_slice(&double_brackets);
        push(out, &[" || \\builtin [ \""]);
        out.extend_from_slice(&expanded);
        push(out, &["\" = "]);
        out.extend_from_slice(&expected);
        push(out, &[" ]; }"]);
    } else {
        out.extend_from_slice(&double_brackets);
    }
    conditions(shell, files, out);
    if let Some(until) = files.valid_until() {
        clock(shell, files, until, out);
    }
    if files.precision == Precision::ChangeTime && !files.watch.present.is_empty() {
        change_times(shell, files, out);
    }
    push(out, &["; }\n"]);
    if files.valid_until().is_some() {
        match (shell, files.precision) {
            (Shell::Zsh, _) => push(out, &["builtin typeset -g __backlog_aws_clock='%D{%s}'\n"]),
            (_, Precision::SecondStamps) => {
                push(out, &["__backlog_aws_since=${SECONDS%%.*}\n"]);
            }
            _ => {}
        }
    }
}

/// Appends the condition that the answer has not run out by `until`, in seconds since the epoch.
fn clock(shell: Shell, files: &Files<'_>, until: i64, out: &mut Vec<u8>) {
    let until = until.to_string();
    match (shell, files.precision) {
        // The time as a prompt shows it needs no module.
        (Shell::Zsh, _) => push(
            out,
            &[" && [[ ${(%)__backlog_aws_clock} -lt ", &until, " ]]"],
        ),
        // Unset by the user, it is no clock any more, and the program is asked.
        (_, Precision::Stamps) => {
            push(
                out,
                &[" && [[ ${EPOCHSECONDS:-", &until, "} -lt ", &until, " ]]"],
            );
        }
        // Before bash 5 there is only the age of the shell, which the user may have set back.
        _ => {
            let left = files.seconds_left().to_string();
            push(
                out,
                &[
                    " && [[ ${SECONDS%%.*} -ge $__backlog_aws_since && $((${SECONDS%%.*} - __backlog_aws_since)) -lt ",
                    &left,
                    " ]]",
                ],
            );
        }
    }
}

/// Appends the expansions that make one string of all variables, and returns what that string should be.
fn compare(variables: &Variables, out: &mut Vec<u8>) -> Vec<u8> {
    let mut string = Vec::new();
    for (name, expected) in &variables.0 {
        match expected {
            Expectation::Text(value) => {
                push(out, &["${", name, "-}"]);
                string.extend_from_slice(value.as_bytes());
            }
            Expectation::Value(Some(value)) if !value.is_empty() => {
                push(out, &["${", name, "-}"]);
                string.extend_from_slice(value.as_bytes());
            }
            // Set, and to nothing.
            Expectation::Value(Some(_)) => {
                push(out, &["${", name, "+x}${", name, "-}"]);
                string.push(b'x');
            }
            Expectation::Value(None) => push(out, &["${", name, "+x}"]),
            Expectation::Filled(filled) => {
                push(out, &["${", name, ":+x}"]);
                string.extend(filled.then_some(b'x'));
            }
        }
        out.push(SEPARATOR);
        string.push(SEPARATOR);
    }
    string
}

/// Appends the conditions on files, in one `[[`: it is one command however many there are.
fn conditions(shell: Shell, files: &Files<'_>, out: &mut Vec<u8>) {
    let mut conjunction = " && [[";
    let mut condition = |negation: &str, words: &[&OsStr]| {
        push(out, &[conjunction, negation]);
        conjunction = " &&";
        for word in words {
            out.push(b' ');
            Files::word(shell, word, out);
        }
    };
    files.conditions(&mut |words| condition("", words));
    for path in files.absent() {
        condition(" !", &[OsStr::new("-e"), &path]);
    }
    if files.precision != Precision::ChangeTime {
        files.comparisons(shell, &mut |words| condition(" !", words));
    }
    if conjunction == " &&" {
        push(out, &[" ]]"]);
    }
}

/// Appends the comparison of change times through zsh's own `zstat`.
fn change_times(shell: Shell, files: &Files<'_>, out: &mut Vec<u8>) {
    push(
        out,
        &[
            " || \\builtin return 1; \\builtin local -a seen; \\builtin zstat -A seen -F %s%N +ctime --",
        ],
    );
    let mut expected = Vec::new();
    for watched in &files.watch.present {
        out.push(b' ');
        Files::word(shell, watched.path.as_os_str(), out);
        expected.push(watched.sight.changed.as_nanosecond().to_string());
    }
    push(
        out,
        &[" && [[ ${(j:,:)seen[@]} == ", &expected.join(","), " ]]"],
    );
}
