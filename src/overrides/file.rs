//! What a `.backlog-aws` may say, and how `local` changes it.

use std::path::Path;

use ini::{Ini, ParseOption};

use super::{MAX_BYTES, place};

/// A value and the line it stands on, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Checked to be a possible name.
    pub value: String,
    pub line: usize,
}

/// What a valid file says: at least one of the two.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Override {
    pub profile: Option<Entry>,
    pub region: Option<Entry>,
}

impl Override {
    /// The keys that are there.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, &Entry)> {
        let entries = [("profile", &self.profile), ("region", &self.region)];
        entries.into_iter().filter_map(|(key, entry)| Some((key, entry.as_ref()?)))
    }
}

/// Why a file cannot be used, and where. The text never repeats a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Invalid {
    /// Where one line is to blame, counted from 1.
    pub line: Option<usize>,
    /// What is wrong and what to write instead, as the end of a sentence about the place.
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

/// Reads a file's content.
///
/// # Errors
///
/// Anything but `profile`, `region`, comments and blank lines is an error: a misspelled key would otherwise send traffic
/// to an account that nobody chose.
pub fn parse(bytes: &[u8]) -> Result<Override, Invalid> {
    let found = read(text(bytes)?)?;
    if found == Override::default() {
        return Err(Invalid::whole(
            "says nothing; write `profile = NAME`, `region = NAME`, or both",
        ));
    }
    Ok(found)
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
    let old = text(old.unwrap_or_default())?;
    let found = read(old)?;
    let mut lines: Vec<String> = old.lines().map(str::to_owned).collect();
    for (key, value, entry) in
        [("profile", profile, found.profile), ("region", region, found.region)]
    {
        let Some(value) = value else { continue };
        match entry {
            Some(Entry { line, .. }) => {
                let line = &mut lines[line - 1];
                // Neither a key nor a name has one of the two in it.
                let comment = line.find(['#', ';']).map(|at| format!(" {}", &line[at..]));
                *line = format!("{key} = {value}{}", comment.unwrap_or_default());
            }
            None => lines.push(format!("{key} = {value}")),
        }
    }
    lines.push(String::new());
    Ok(lines.join(if old.contains("\r\n") { "\r\n" } else { "\n" }))
}

fn text(bytes: &[u8]) -> Result<&str, Invalid> {
    if bytes.len() > MAX_BYTES {
        return Err(Invalid::whole(format!("is larger than {} KiB", MAX_BYTES / 1024)));
    }
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = &bytes[..error.valid_up_to()];
        Invalid::at(valid.split(|byte| *byte == b'\n').count(), "is not UTF-8")
    })
}

/// What is there of the two keys, which may be nothing.
fn read(text: &str) -> Result<Override, Invalid> {
    let mut found = Override::default();
    for (line, text) in (1..).zip(text.lines()) {
        let property = property(text).map_err(|what| Invalid::at(line, what))?;
        let Some((key, value)) = property else { continue };
        let (slot, is_name) = match key.as_str() {
            "profile" => (&mut found.profile, is_profile_name(&value)),
            "region" => (&mut found.region, is_region_name(&value)),
            _ => {
                let what = format!("has the unknown key{}; {ONLY}", shown_key(&key));
                return Err(Invalid::at(line, what));
            }
        };
        if slot.is_some() {
            return Err(Invalid::at(line, format!("gives `{key}` a second time")));
        }
        if !is_name {
            let what = format!("has a `{key}` that cannot be the name of one");
            return Err(Invalid::at(line, what));
        }
        *slot = Some(Entry { value, line });
    }
    Ok(found)
}

const ONLY: &str = "only `profile` and `region` belong here";

/// The key and the value of one line, unless it is blank or a comment. rust-ini gets each line by itself: it would take
/// an indented comment for a key, and let keys and values go on in the next line.
fn property(line: &str) -> Result<Option<(String, String)>, String> {
    const NOT_A_PROPERTY: &str = "is not `key = value`, a comment or blank";
    if line.chars().any(|c| c.is_control() && c != '\t') {
        return Err("has a control character".to_owned());
    }
    let line = line.trim();
    if line.is_empty() || line.starts_with(['#', ';']) {
        return Ok(None);
    }
    if line.starts_with('[') {
        return Err(format!("has a [section]; {ONLY}"));
    }
    if line.ends_with('\\') {
        return Err("ends in a backslash".to_owned());
    }
    let option = ParseOption {
        enabled_quote: true,
        // Names have no escapes, and rust-ini would turn `a\b` into a control character.
        enabled_escape: false,
        ..ParseOption::default()
    };
    let ini = Ini::load_from_str_opt(line, option).map_err(|_| NOT_A_PROPERTY)?;
    let property = ini.section(None::<String>).and_then(|properties| properties.iter().next());
    let (key, value) = property.ok_or(NOT_A_PROPERTY)?;
    Ok(Some((key.to_owned(), value.to_owned())))
}

/// A key as it may be shown: a pasted secret may stand where a key should.
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
            ("# c\nprofile\n", Some(2), "key = value"),
            ("profile\n= a\n", Some(1), "key = value"),
            ("= a\n", Some(1), "key = value"),
            ("profile = \"a\n", Some(1), "key = value"),
            ("profile = \"a\" b\n", Some(1), "cannot be the name"),
            ("profile = a = b\n", Some(1), "cannot be the name"),
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
            assert_eq!(error.line, line, "{text:?}");
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
