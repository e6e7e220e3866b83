//! The test "nothing changed" in bash and zsh.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use jiff::Timestamp;
use jiff::tz::Offset;

use super::check::{Files, Precision, SEPARATOR, Variables};
use super::{Shell, push, quote};
use crate::fs::FileTime;
use crate::watch::Expectation;

/// Appends a hook that asks the program each time.
pub(super) fn ask_again(shell: Shell, out: &mut Vec<u8>) {
    hook(shell, &[], "__backlog_aws_refresh", out);
}

/// Appends a hook that compares the working directory alone.
pub(super) fn same_directory(shell: Shell, out: &mut Vec<u8>) {
    let test = b"\\builtin [ \"${PWD-}\" = \"${__backlog_aws_pwd-}\" ] || ";
    hook(shell, test, "__backlog_aws_refresh", out);
}

/// Appends a hook that tests everything.
pub(super) fn unchanged(shell: Shell, files: &Files<'_>, variables: &Variables, out: &mut Vec<u8>) {
    let mut expanded = Vec::new();
    let mut expected = Vec::new();
    let values = compare(variables, &mut expanded);
    quote(shell, OsStr::from_bytes(&values), &mut expected);
    // One `[[` is one command however many conditions it has.
    let mut rest = conditions(shell, files);
    rest.extend_from_slice(b" ]]");
    if let Some(until) = files.valid_until() {
        clock(shell, files, until, &mut rest);
    }
    // Unquoted expansions are the fast ones, and nothing splits them in `[[`.
    let whole = [&expanded[..], b" == ", &expected, b" && ", &rest].concat();
    if shell == Shell::Bash {
        // In bash, `[[` ignores case under `nocasematch`; `[` never does.
        push(out, &["__backlog_aws_unchanged() { \\builtin [ \""]);
        out.extend_from_slice(&expanded);
        push(out, &["\" = "]);
        out.extend_from_slice(&expected);
        push(out, &[" ] && [[ "]);
        out.extend_from_slice(&rest);
        push(out, &["; }\n", IN_DOUBT]);
        let test = [b"[[ a != A && ", &whole[..], b" || "].concat();
        hook(shell, &test, "__backlog_aws_doubt", out);
    } else {
        let mut times = Vec::new();
        if files.precision == Precision::ChangeTime && !files.watch.present.is_empty() {
            change_times(files, &mut times);
        }
        let test = [b"\\builtin local -a seen; [[ ", &whole[..], &times, b" || "].concat();
        hook(shell, &test, "__backlog_aws_refresh", out);
    }
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

/// The hook after a command that failed. Its status is kept as a parameter, because a variable would be exported under
/// `set -a`, and is only passed on where it does not end the shell.
const AFTER_FAILURE: &str = "__backlog_aws_failed() { \\builtin :; __backlog_aws_hook; \
     [[ $- != *e* ]] || \\builtin return 0; \\builtin return \"$1\"; }\n";

/// What the hook does when its test failed: under `nocasematch` it always does, because there `[[` takes `A` for `a`.
const IN_DOUBT: &str = "__backlog_aws_doubt() { if ! \\builtin shopt -q nocasematch || \
     ! __backlog_aws_unchanged; then __backlog_aws_refresh; fi; }\n";

/// Appends the function that runs before each prompt, with the functions it calls: a shell that was started before an
/// upgrade has none but `__backlog_aws_refresh`. It is `test`, and `otherwise`.
fn hook(shell: Shell, test: &[u8], otherwise: &str, out: &mut Vec<u8>) {
    let (before, after) = match shell {
        // A status is passed through the slow way, and `case` keeps it until then.
        Shell::Bash => (
            "case $? in 0) ",
            // Before `&&`, a status that goes through runs no ERR trap a second time.
            " ;; *) __backlog_aws_failed \"$?\" && \\builtin : ;; esac",
        ),
        _ => (
            "",
            "; [[ -z $__backlog_aws_completions || -z ${functions[compdef]-} ]] || __backlog_aws_offer_completions",
        ),
    };
    if shell == Shell::Bash {
        push(out, &[AFTER_FAILURE]);
    }
    push(out, &["__backlog_aws_hook() { ", before]);
    out.extend_from_slice(test);
    push(out, &[otherwise, after, "; }\n"]);
}

/// Appends the condition that the answer has not run out by `until`, in seconds since the epoch.
fn clock(shell: Shell, files: &Files<'_>, until: i64, out: &mut Vec<u8>) {
    let until = until.to_string();
    match (shell, files.precision) {
        // The time as a prompt shows it needs no module.
        (Shell::Zsh, _) => push(out, &[" && [[ ${(%)__backlog_aws_clock} -lt ", &until, " ]]"]),
        // Unset by the user, it is no clock any more, and the program is asked.
        (_, Precision::Stamps) => {
            push(out, &[" && [[ ${EPOCHSECONDS:-", &until, "} -lt ", &until, " ]]"]);
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

/// The conditions on files.
fn conditions(shell: Shell, files: &Files<'_>) -> Vec<u8> {
    let mut all = Vec::new();
    let mut condition = |negation: &str, words: &[&OsStr]| {
        let conjunction = if all.is_empty() { "" } else { " && " };
        push(&mut all, &[conjunction, negation]);
        for (index, word) in words.iter().enumerate() {
            all.extend((index > 0).then_some(b' '));
            Files::word(shell, word, &mut all);
        }
    };
    files.conditions(&mut |words| condition("", words));
    for path in files.absent() {
        condition("! ", &[OsStr::new("-e"), &path]);
    }
    if files.precision != Precision::ChangeTime {
        files.comparisons(shell, &mut |words| condition("! ", words));
    }
    all
}

/// Appends the comparison of change times through zsh's own `zstat`.
///
/// In UTC, because for local time zsh looks at the time zone's file each time; and by the numbers of the calendar,
/// because for the seconds since the epoch it goes through local time all the same.
fn change_times(files: &Files<'_>, out: &mut Vec<u8>) {
    push(out, &[" && \\builtin zstat -A seen -gF%y%m%d%H%M%S%N +ctime --"]);
    let mut expected = Vec::new();
    for watched in &files.watch.present {
        out.push(b' ');
        Files::word(Shell::Zsh, &files.spelled(&watched.path), out);
        expected.push(calendar(watched.state.changed));
    }
    push(out, &[" && [[ ${(j:,:)seen[@]} == ", &expected.join(","), " ]]"]);
}

/// `%y%m%d%H%M%S%N`.
fn calendar(time: FileTime) -> String {
    let Ok(timestamp) = Timestamp::new(time.seconds, 0) else {
        // Matches nothing, so the shell asks each time.
        return String::from("-");
    };
    let utc = Offset::UTC.to_datetime(timestamp);
    format!(
        "{:02}{:02}{:02}{:02}{:02}{:02}{:09}",
        utc.year().rem_euclid(100),
        utc.month(),
        utc.day(),
        utc.hour(),
        utc.minute(),
        utc.second(),
        time.nanoseconds
    )
}
