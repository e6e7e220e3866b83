//! The test "nothing changed" in bash and zsh.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::check::{Files, Precision, SEPARATOR, Variables};
use super::{Shell, push, quote};
use crate::watch::Expectation;
use crate::world::FileTime;

/// Appends the definition of the function. Without files it compares the working directory alone.
pub(super) fn unchanged(
    shell: Shell,
    files: Option<&Files<'_>>,
    variables: &Variables,
    out: &mut Vec<u8>,
) {
    push(out, &["__backlog_aws_unchanged() { "]);
    // `[` in bash, because its `[[` ignores case under `nocasematch`. `[[` in zsh, where it does not and is faster.
    push(
        out,
        &[if shell == Shell::Bash {
            "\\builtin [ \""
        } else {
            "[[ \""
        }],
    );
    let expected = compare(variables, out);
    push(out, &["${PWD-}\" = "]);
    quote(shell, OsStr::from_bytes(&expected), out);
    push(out, &["\"${__backlog_aws_pwd-}\""]);
    push(out, &[if shell == Shell::Bash { " ]" } else { " ]]" }]);
    if let Some(files) = files {
        conditions(shell, files, out);
        if files.valid_for().is_some() {
            push(
                out,
                &[" && \\builtin [ \"${SECONDS%%.*}\" -lt \"${__backlog_aws_until-0}\" ]"],
            );
        }
        if files.precision == Precision::ChangeTime && !files.watch.present.is_empty() {
            change_times(shell, files, out);
        }
    }
    push(out, &["; }\n"]);
    if let Some(seconds) = files.and_then(Files::valid_for) {
        push(
            out,
            &[
                "__backlog_aws_until=$(( ${SECONDS%%.*} + ",
                &seconds.to_string(),
                " ))\n",
            ],
        );
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
    let mut first = true;
    files.conditions(shell, &mut |words| {
        push(out, &[if first { " && [[" } else { " &&" }]);
        first = false;
        for word in words {
            out.push(b' ');
            if word.as_bytes().starts_with(b"/") {
                quote(shell, word, out);
            } else {
                out.extend_from_slice(word.as_bytes());
            }
        }
    });
    if !first {
        push(out, &[" ]]"]);
    }
}

/// Appends the comparison of change times through zsh's own `zstat`.
fn change_times(shell: Shell, files: &Files<'_>, out: &mut Vec<u8>) {
    push(
        out,
        &[
            " || \\builtin return 1; \\builtin local IFS=,; \\builtin local -a seen; \\builtin zstat -A seen -F %s%N +ctime --",
        ],
    );
    let mut expected = Vec::new();
    for watched in &files.watch.present {
        out.push(b' ');
        quote(shell, &watched.path, out);
        let FileTime {
            seconds,
            nanoseconds,
        } = watched.sight.changed;
        expected.push(format!("{seconds}{nanoseconds:09}"));
    }
    push(
        out,
        &[" && [[ \"${seen[*]}\" == ", &expected.join(","), " ]]"],
    );
}
