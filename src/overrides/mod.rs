//! `.backlog-aws`: one directory's word on profile and region.
//!
//! What such a file may say is decided here, and [`trust`] decides whether it counts. Nothing here looks for files:
//! [`crate::world`] walks up the tree and hands over what it read.

use std::path::Path;

use ini::{Ini, ParseOption};

use self::trust::{Store, Verdict};
use crate::fs::{Content, SourceFile};

pub mod trust;

pub use crate::world::{MAX_OVERRIDE_BYTES as MAX_BYTES, OVERRIDE_NAME as FILE_NAME};

/// An override file with what was decided on it.
pub struct OverrideFile<'a> {
    pub file: &'a SourceFile,
    /// Whether it counts; `None` when it could not be read.
    pub verdict: Option<Verdict>,
}

/// Asks the trust store about each file on the way up, up to the first that counts.
pub fn judge<'a>(files: &'a [SourceFile], trust: Option<&Store>) -> Vec<OverrideFile<'a>> {
    let mut walk = trust.map(Store::walk);
    let mut judged = Vec::new();
    for file in files {
        let verdict = match (&file.content, &mut walk) {
            (Content::Unreadable(_), Some(walk)) if walk.is_denied(&file.path) => {
                Some(Verdict::Denied)
            }
            (Content::Unreadable(_) | Content::Absent, _) => None,
            (Content::Read { bytes, .. }, Some(walk)) => Some(walk.verdict(&file.path, bytes)),
            (Content::Read { .. }, None) => Some(Verdict::Undecidable(
                "there is no home directory to keep decisions in".to_owned(),
            )),
        };
        let counts = verdict.as_ref().is_some_and(Verdict::is_allowed);
        judged.push(OverrideFile { file, verdict });
        if counts {
            break;
        }
    }
    judged
}

/// A value and the 1-based line it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The value, checked to be a possible name.
    pub value: String,
    /// The line, counted from 1.
    pub line: usize,
}

/// What a valid file says: at least one of the two.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Override {
    /// The AWS profile to use below this directory.
    pub profile: Option<Entry>,
    /// The AWS region to use below this directory.
    pub region: Option<Entry>,
}

/// Why a file cannot be used, and where. The text never repeats a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Invalid {
    /// The 1-based line, where one line is to blame.
    pub line: Option<usize>,
    /// What is wrong and what to write instead.
    pub what: String,
}

impl Invalid {
    fn at(line: usize, what: impl Into<String>) -> Self {
        Self { line: Some(line), what: what.into() }
    }

    fn whole(what: impl Into<String>) -> Self {
        Self { line: None, what: what.into() }
    }

    /// The path with the line, as `file:line` or only `file`.
    pub fn place(&self, path: &Path) -> String {
        place(path, self.line)
    }
}

/// `file:line`, fit for a terminal.
pub fn place(path: &Path, line: Option<usize>) -> String {
    let shown = crate::text::visible(path);
    match line {
        Some(line) => format!("{shown}:{line}"),
        None => shown,
    }
}

/// Reads a file's content.
///
/// # Errors
///
/// Anything but `profile`, `region`, comments and blank lines is an error: a misspelt key would otherwise send traffic
/// to an account that nobody chose.
pub fn parse(bytes: &[u8]) -> Result<Override, Invalid> {
    let found = read(bytes)?;
    if found == Override::default() {
        return Err(Invalid::whole(
            "says nothing; write `profile = NAME`, `region = NAME`, or both",
        ));
    }
    Ok(found)
}

/// The same, where a file that says nothing yet is as good.
fn read(bytes: &[u8]) -> Result<Override, Invalid> {
    if bytes.len() > MAX_BYTES {
        return Err(Invalid::whole(format!("is larger than {} KiB", MAX_BYTES / 1024)));
    }
    // rust-ini takes an indented comment for the beginning of a key.
    let lines: Vec<&str> = text(bytes)?.lines().map(str::trim_start).collect();
    let text = &lines.join("\n");
    let option = ParseOption {
        enabled_quote: true,
        // `\` stays what it is: names have no escapes, and rust-ini would turn `a\b` into a control character.
        enabled_escape: false,
        ..ParseOption::default()
    };
    let ini = Ini::load_from_str_opt(text, option)
        .map_err(|error| Invalid::at(error.line, "is not `key = value`, a comment or blank"))?;
    let mut found = Override::default();
    for (section, properties) in &ini {
        if section.is_some() {
            let line = line_where(text, |line| line.starts_with('[')).unwrap_or(1);
            return Err(Invalid::at(
                line,
                "has a [section]; only `profile` and `region` belong here",
            ));
        }
        for (key, value) in properties {
            let line = line_of_key(text, key).unwrap_or(1);
            let (slot, checked) = match key {
                "profile" => (&mut found.profile, is_profile_name(value)),
                "region" => (&mut found.region, is_region_name(value)),
                _ => {
                    // A pasted secret may stand where a key should.
                    let key = shown_key(key);
                    return Err(Invalid::at(
                        line,
                        format!(
                            "has the unknown key{key}; only `profile` and `region` belong here"
                        ),
                    ));
                }
            };
            if slot.is_some() {
                let line = line_of_key_after(text, key, line).unwrap_or(line);
                return Err(Invalid::at(line, format!("gives `{key}` a second time")));
            }
            if !checked {
                return Err(Invalid::at(
                    line,
                    format!("has a `{key}` that cannot be the name of one"),
                ));
            }
            *slot = Some(Entry { value: value.to_owned(), line });
        }
    }
    Ok(found)
}

/// The content as text without anything a terminal or a parser could be fooled with.
fn text(bytes: &[u8]) -> Result<&str, Invalid> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    for (index, line) in bytes.split(|&b| b == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Ok(line) = std::str::from_utf8(line) else {
            return Err(Invalid::at(index + 1, "is not UTF-8"));
        };
        if line.chars().any(|c| c.is_control() && c != '\t') {
            return Err(Invalid::at(index + 1, "has a control character"));
        }
        // rust-ini lets a key go on in the next line, and the last one lack its value.
        let word = line.trim_start();
        let bare =
            !word.is_empty() && !word.starts_with(['#', ';', '[']) && !word.contains(['=', ':']);
        if bare {
            return Err(Invalid::at(index + 1, "is not `key = value`, a comment or blank"));
        }
        // rust-ini reads a trailing backslash as "goes on in the next line", even in the middle of two keys.
        if line.ends_with('\\') {
            return Err(Invalid::at(index + 1, "ends in a backslash"));
        }
    }
    Ok(std::str::from_utf8(bytes).unwrap_or_default())
}

fn line_where(text: &str, matches: impl Fn(&str) -> bool) -> Option<usize> {
    text.lines().position(|line| matches(line.trim_start())).map(|at| at + 1)
}

fn line_of_key(text: &str, key: &str) -> Option<usize> {
    line_where(text, |line| sets_key(line, key))
}

fn line_of_key_after(text: &str, key: &str, after: usize) -> Option<usize> {
    let skipped = text.lines().skip(after);
    skipped
        .enumerate()
        .find(|(_, line)| sets_key(line.trim_start(), key))
        .map(|(at, _)| after + at + 1)
}

fn sets_key(line: &str, key: &str) -> bool {
    line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(['=', ':']))
}

/// A key as it may be shown: nothing that does not look like one.
fn shown_key(key: &str) -> String {
    let looks_like_one =
        key.len() <= 24 && key.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '-');
    if looks_like_one { format!(" '{key}'") } else { String::new() }
}

/// Whether AWS's own tools would accept the text as a profile's name: `[A-Za-z0-9_\-/.%@:+]+`, the identifiers of the
/// AWS SDKs' shared configuration files.
pub fn is_profile_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= crate::aws::LONGEST_NAME
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-/.%@:+".contains(c))
}

/// Whether the text can name a region. New regions appear every year, so this knows their shape and no list.
pub fn is_region_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// The content of a file that shall say `profile` and `region`, made from what it said before: comments, blank lines and
/// the other key stay where they are.
///
/// # Errors
///
/// The old content must be valid, so that nothing is guessed about it. It may be empty, or nothing but comments.
pub fn rewrite(
    old: Option<&[u8]>,
    profile: Option<&str>,
    region: Option<&str>,
) -> Result<String, Invalid> {
    let old = match old {
        None => "",
        Some(bytes) => {
            read(bytes)?;
            text(bytes)?
        }
    };
    let newline = if old.contains("\r\n") { "\r\n" } else { "\n" };
    let mut lines: Vec<String> =
        old.lines().map(|line| line.trim_end_matches('\r').to_owned()).collect();
    for (key, value) in [("profile", profile), ("region", region)] {
        let Some(value) = value else { continue };
        let place = lines.iter().position(|line| sets_key(line.trim_start(), key));
        match place {
            Some(at) => {
                let comment =
                    comment_of(&lines[at]).map(|comment| format!(" {comment}")).unwrap_or_default();
                lines[at] = format!("{key} = {value}{comment}");
            }
            None => lines.push(format!("{key} = {value}")),
        }
    }
    let mut text = lines.join(newline);
    text.push_str(newline);
    Ok(text)
}

/// The comment after a value, from its sign on.
fn comment_of(line: &str) -> Option<&str> {
    line.char_indices()
        .zip(line.chars().skip(1))
        .find(|&((_, before), sign)| matches!(before, ' ' | '\t') && matches!(sign, '#' | ';'))
        .map(|((at, before), _)| &line[at + before.len_utf8()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(text: &str) -> Option<String> {
        parse(text.as_bytes()).unwrap().profile.map(|entry| entry.value)
    }

    #[test]
    fn reads_both_keys_with_comments_everywhere() {
        let text =
            "# pays for this\n; and that\n\nprofile = bedrock # team A\nregion=eu-west-1\t; near\n";
        let read = parse(text.as_bytes()).unwrap();
        assert_eq!(read.profile, Some(Entry { value: "bedrock".into(), line: 4 }));
        assert_eq!(read.region, Some(Entry { value: "eu-west-1".into(), line: 5 }));
    }

    #[test]
    fn indentation_means_nothing() {
        assert_eq!(
            profile("  # it's why\n\tprofile = bedrock\n ; so\n").as_deref(),
            Some("bedrock")
        );
    }

    #[test]
    fn a_hash_without_a_blank_before_it_belongs_to_the_value() {
        assert!(parse(b"profile = bed#rock\n").is_err(), "and # is no part of a profile's name");
        assert_eq!(profile("profile = a:b/c@d+e%f\n").as_deref(), Some("a:b/c@d+e%f"));
    }

    #[test]
    fn windows_line_ends_and_a_byte_order_mark_do_no_harm() {
        assert_eq!(
            profile("\u{feff}profile = bedrock\r\nregion = eu-west-1\r\n").as_deref(),
            Some("bedrock")
        );
    }

    #[test]
    fn every_mistake_is_named_with_its_line() {
        for (text, line, what) in [
            ("profile = a\nprofil = b\n", Some(2), "unknown key 'profil'"),
            ("profile = a\n[x]\nprofile = b\n", Some(2), "[section]"),
            ("# c\nprofile\n", None, "key = value"),
            ("profile = a\x1b[2K\n", Some(1), "control character"),
            ("profile = a\nprofile = b\n", Some(2), "second time"),
            ("profile =\n", Some(1), "cannot be the name"),
            ("\nprofile = two words\n", Some(2), "cannot be the name"),
            ("region = eu_west\n", Some(1), "cannot be the name"),
            ("profile = a\\\nregion = b\n", Some(1), "backslash"),
            ("# nothing\n", None, "says nothing"),
            ("", None, "says nothing"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert!(error.what.contains(what), "{text:?} gave {error:?}");
            if line.is_some() {
                assert_eq!(error.line, line, "{text:?}");
            }
        }
        assert_eq!(parse(b"a = 1\nb = \xff\n").unwrap_err().line, Some(2));
        assert!(parse(&vec![b'#'; MAX_BYTES + 1]).unwrap_err().what.contains("64 KiB"));
    }

    #[test]
    fn an_error_never_repeats_a_value() {
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        for text in [
            format!("aws_secret_access_key = {secret}\n"),
            format!("profile = {secret} x\n"),
            format!("{secret}\n"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert!(!error.to_string().contains(secret), "{error}");
        }
    }

    #[test]
    fn rewriting_keeps_comments_and_the_other_key() {
        let old = b"# why\nregion = eu-west-1\n\nprofile = old # team A\n";
        let new = rewrite(Some(old), Some("bedrock"), None).unwrap();
        assert_eq!(new, "# why\nregion = eu-west-1\n\nprofile = bedrock # team A\n");
        assert_eq!(rewrite(None, Some("a"), Some("b-1")).unwrap(), "profile = a\nregion = b-1\n");
        assert_eq!(rewrite(Some(b"# to do\n"), Some("a"), None).unwrap(), "# to do\nprofile = a\n");
        assert!(rewrite(Some(b"nonsense"), Some("a"), None).is_err());
    }
}
