//! What must hold of any input whatsoever, one function per reader. `tests/it/properties.rs` runs them on generated input and
//! on the seeds of `fuzz/`, and each fuzz target runs one of them for as long as it is let.

#![allow(dead_code)] // Each fuzz target uses one.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use backlog_aws::aws::{At, AwsFile, FileKind, Kind, Profiles};
use backlog_aws::overrides;
use backlog_aws::session::Session;
use backlog_aws::shell::{Shell, quote};
use backlog_aws::text::visible;
use backlog_aws::toolkit_env::{NAMES, ToolkitEnv};

/// The AWS files: no panic; only possible names; problems in order, on lines that exist, fit for a terminal; and no value
/// in anybody's debug output.
pub fn aws_reader(input: &[u8]) {
    let (credentials, config) = halves(input);
    let files = [
        AwsFile {
            kind: FileKind::Credentials,
            path: Path::new("/credentials"),
            bytes: credentials,
        },
        AwsFile { kind: FileKind::Config, path: Path::new("/config"), bytes: config },
    ];
    let profiles = Profiles::read(&files);
    for profile in &profiles {
        assert!(overrides::is_profile_name(profile.name()), "{:?}", profile.name());
        assert!(std::ptr::eq(
            profiles.get(profile.name()).expect("what is listed is found"),
            profile
        ));
        let has_keys = matches!(profile.kind(), Kind::Static | Kind::Temporary);
        assert_eq!(profile.credentials().is_some(), has_keys);
        assert!(profile.at().next().is_some());
        assert!(!profile.also().contains(&profile.kind()));
        let _ = profile.expires_at();
    }
    let lines = |kind| {
        let bytes = if kind == FileKind::Credentials { credentials } else { config };
        bytes.split(|&byte| byte == b'\n').count()
    };
    let mut last = At { kind: FileKind::Credentials, line: 0 };
    for problem in &profiles.problems {
        assert!((1..=lines(problem.at.kind)).contains(&problem.at.line), "{problem:?}");
        assert!(problem.at >= last, "{problem:?} after {last:?}");
        last = problem.at;
        assert_fit_for_a_terminal(&problem.to_string());
    }
}

/// The toolkit's file: no panic, values without a NUL that the file did not have, lines that exist.
pub fn toolkit_env(input: &[u8]) {
    let read = ToolkitEnv::parse(input);
    let lines = input.split(|&byte| byte == b'\n').count();
    for name in NAMES {
        if let Some((value, line)) = read.get(name) {
            assert!(!value.is_empty());
            assert!((1..=lines).contains(&line));
            assert!(value.len() <= input.len());
        }
    }
    for (name, line, _) in read.unknown() {
        assert!((1..=lines).contains(&line));
        assert_eq!(read.get(name), None);
    }
}

/// The override file: no panic; what is accepted names possible things on lines that exist, and survives being written
/// again; what is refused is refused in words fit for a terminal.
pub fn override_file(input: &[u8]) {
    let lines = input.split(|&byte| byte == b'\n').count();
    match overrides::parse(input) {
        Ok(read) => {
            let entries = [&read.profile, &read.region].into_iter().flatten();
            for entry in entries {
                assert!((1..=lines).contains(&entry.line), "{entry:?}");
                assert!(overrides::is_profile_name(&entry.value));
            }
            assert!(read.profile.is_some() || read.region.is_some());
            let written = overrides::rewrite(
                Some(input),
                None,
                &[("profile", overrides::Edit::Set("bedrock"))],
            )
            .expect("what is valid can be changed");
            let again = overrides::parse(written.as_bytes()).expect("what we write is valid");
            assert_eq!(again.profile.map(|entry| entry.value).as_deref(), Some("bedrock"));
            assert_eq!(again.region.map(|entry| entry.value), read.region.map(|entry| entry.value));
        }
        Err(invalid) => {
            assert!(invalid.line.is_none_or(|line| (1..=lines).contains(&line)), "{invalid:?}");
            assert_fit_for_a_terminal(&invalid.what);
        }
    }
}

/// The hook's memory: anything that is accepted is the same when we have written it.
pub fn session_state(input: &[u8]) {
    if let Some(session) = Session::from_text(OsStr::from_bytes(input)) {
        assert_eq!(Session::from_text(OsStr::new(&session.to_text())), Some(session));
    }
}

/// Quoting: each shell reads back what went in. The shells themselves are asked in `tests/quoting.rs`; here it is the
/// grammar of their documentation.
pub fn quoting(input: &[u8]) {
    let value: Vec<u8> = input.iter().copied().filter(|&byte| byte != 0).collect();
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let mut quoted = Vec::new();
        quote(shell, OsStr::from_bytes(&value), &mut quoted);
        let read = if shell == Shell::Fish { read_fish(&quoted) } else { read_posix(&quoted) };
        assert_eq!(read.as_deref(), Some(&value[..]), "{shell:?}");
    }
    if str::from_utf8(&value).is_ok() {
        let mut quoted = Vec::new();
        quote(Shell::Nu, OsStr::from_bytes(&value), &mut quoted);
        assert_eq!(read_nu(&quoted).as_deref(), Some(&value[..]));
    }
}

/// Text for people: nothing in it moves the cursor, changes the direction, or hides.
pub fn visible_text(input: &[u8]) {
    let shown = visible(OsStr::from_bytes(input));
    assert_fit_for_a_terminal(&shown);
    if input.iter().all(u8::is_ascii_graphic) {
        assert_eq!(shown.as_bytes(), input);
    }
}

fn assert_fit_for_a_terminal(text: &str) {
    let unfit = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    assert!(!text.chars().any(unfit), "{text:?}");
}

/// Two files from one input, split at the first line that is a form feed, or in the middle.
fn halves(input: &[u8]) -> (&[u8], &[u8]) {
    let at = input.iter().position(|&byte| byte == 0x0c).unwrap_or(input.len() / 2);
    input.split_at(at)
}

/// One word of POSIX single quotes and escaped characters.
fn read_posix(word: &[u8]) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    let mut rest = word;
    loop {
        match rest {
            [] => return Some(value),
            [b'\'', after @ ..] => {
                let close = after.iter().position(|&byte| byte == b'\'')?;
                value.extend_from_slice(&after[..close]);
                rest = &after[close + 1..];
            }
            [b'\\', escaped, after @ ..] => {
                value.push(*escaped);
                rest = after;
            }
            _ => return None,
        }
    }
}

/// One word of fish's single quotes and `\Xhh` escapes.
/// nushell's double quotes, of whose escapes only these two may be used: the others are not in all of its data formats.
fn read_nu(word: &[u8]) -> Option<Vec<u8>> {
    let mut rest = word.strip_prefix(b"\"")?;
    let mut value = Vec::new();
    loop {
        rest = match rest {
            [b'"'] => return Some(value),
            [b'\\', escaped @ (b'"' | b'\\'), after @ ..] => {
                value.push(*escaped);
                after
            }
            [b'"' | b'\\', ..] | [] => return None,
            [plain, after @ ..] => {
                value.push(*plain);
                after
            }
        };
    }
}

fn read_fish(word: &[u8]) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    let mut rest = word;
    let mut quoted = false;
    loop {
        match (quoted, rest) {
            (false, []) => return Some(value),
            (_, [b'\'', after @ ..]) => {
                quoted = !quoted;
                rest = after;
            }
            (true, [b'\\', escaped @ (b'\'' | b'\\'), after @ ..]) => {
                value.push(*escaped);
                rest = after;
            }
            (true, [plain, after @ ..]) => {
                value.push(*plain);
                rest = after;
            }
            (false, [b'\\', b'X', high, low, after @ ..]) => {
                let digits = [*high, *low];
                value.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
                rest = after;
            }
            _ => return None,
        }
    }
}
