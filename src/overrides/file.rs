//! What a `.backlog-aws` and a section of the user's configuration may say, and how commands change that.

use std::path::Path;

use ini::{Ini, ParseOption};

use super::MAX_BYTES;
use crate::aws::account::is_account;
use crate::finding::{Code, Finding, Place};
use crate::text::visible;

/// A value and the line it stands on, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Checked to be a possible name.
    pub value: String,
    pub line: usize,
}

/// What a file or a section of one says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Override {
    pub profile: Option<Entry>,
    pub region: Option<Entry>,
    /// The account that the credentials must belong to.
    pub account: Option<Entry>,
}

impl Override {
    /// The keys that are there.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, &Entry)> {
        let entries =
            [("profile", &self.profile), ("region", &self.region), ("account", &self.account)];
        entries.into_iter().filter_map(|(key, entry)| Some((key, entry.as_ref()?)))
    }

    /// The keys for people, with their places in the file at `path`.
    pub fn lines(&self, path: &Path) -> impl Iterator<Item = String> {
        self.entries().map(|(key, Entry { value, line })| {
            format!("{}: {key} = {}", Place::line(path, *line), visible(value))
        })
    }
}

/// Why a file cannot be used, and where. The text never repeats a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// Where one line is to blame, counted from 1.
    pub line: Option<usize>,
    /// What is wrong, as the end of a sentence about the place, and perhaps after a semicolon what to write instead.
    pub what: String,
}

impl Invalid {
    pub(super) fn at(line: usize, what: impl Into<String>) -> Self {
        Self { line: Some(line), what: what.into() }
    }

    fn whole(what: impl Into<String>) -> Self {
        Self { line: None, what: what.into() }
    }

    /// A sentence about the file at `path`.
    pub fn in_file(&self, path: &Path) -> String {
        format!("{} {}", Place { path: path.to_owned(), line: self.line }, self.what)
    }

    /// The same as a finding, with what else can be done.
    pub fn finding(&self, code: Code, path: &Path, or: &str) -> Finding {
        let (what, remedy) = self.what.split_once("; ").unwrap_or((&self.what, "fix it"));
        let what = Self { line: self.line, what: what.to_owned() };
        Finding::problem(code, what.in_file(path)).remedy(format!("{remedy}{or}"))
    }
}

/// Reads a file's content.
///
/// # Errors
///
/// Anything but the known keys, comments and blank lines is an error: a misspelled key would otherwise send traffic
/// to an account that nobody chose.
pub fn parse(bytes: &[u8]) -> Result<Override, Invalid> {
    let sections = parse_sections(bytes)?;
    if let Some(header) = sections.iter().find_map(|section| section.header.as_ref()) {
        return Err(Invalid::at(header.line, format!("has a [section]; {ONLY}")));
    }
    let found = sections.into_iter().next().unwrap_or_default().settings;
    if found.profile.is_none() && found.region.is_none() {
        return Err(Invalid::whole("says nothing; write profile = NAME, region = NAME, or both"));
    }
    Ok(found)
}

/// What stands below one `[header]`, or before the first.
#[derive(Debug, Clone, Default)]
pub struct Section {
    pub header: Option<Entry>,
    pub settings: Override,
}

/// Reads a file with sections, the part before the first one first.
///
/// # Errors
///
/// As [`parse`] has them, but that a file may say nothing.
pub fn parse_sections(bytes: &[u8]) -> Result<Vec<Section>, Invalid> {
    read(text(bytes)?)
}

/// What becomes of one key.
#[derive(Debug, Clone, Copy)]
pub enum Edit<'a> {
    Keep,
    Set(&'a str),
    Remove,
}

impl<'a> From<Option<&'a str>> for Edit<'a> {
    fn from(value: Option<&'a str>) -> Self {
        value.map_or(Self::Keep, Self::Set)
    }
}

/// The content of a file with the keys of one section changed: comments, blank lines and the other keys stay where they
/// are. A section that has lost its last key goes.
///
/// # Errors
///
/// The old content must be valid, so that nothing is guessed about it. It may be empty, or nothing but comments.
pub fn rewrite(
    old: Option<&[u8]>,
    header: Option<&str>,
    edits: &[(&str, Edit<'_>)],
) -> Result<String, Invalid> {
    let old = text(old.unwrap_or_default())?;
    let sections = read(old)?;
    let mut lines: Vec<Option<String>> = old.lines().map(|line| Some(line.to_owned())).collect();
    let name = |section: &Section| section.header.as_ref().map(|header| header.value.clone());
    let index = sections.iter().position(|section| name(section).as_deref() == header);
    let settings = index.map(|index| sections[index].settings.clone()).unwrap_or_default();
    let mut added = Vec::new();
    let mut left = settings.entries().count();
    for (key, edit) in edits {
        let entry = settings.entries().find(|(known, _)| known == key).map(|(_, entry)| entry);
        match (edit, entry) {
            (Edit::Set(value), Some(Entry { line, .. })) => {
                let line = lines[line - 1].get_or_insert_default();
                // Neither a key nor a name has one of the two in it.
                let comment = line.find(['#', ';']).map(|at| format!(" {}", &line[at..]));
                *line = format!("{key} = {value}{}", comment.unwrap_or_default());
            }
            (Edit::Set(value), None) => added.push(format!("{key} = {value}")),
            (Edit::Remove, Some(Entry { line, .. })) => {
                lines[line - 1] = None;
                left -= 1;
            }
            (Edit::Remove, None) | (Edit::Keep, _) => {}
        }
    }
    put_into_section(header, &sections, index, left, added, &mut lines);
    let mut kept: Vec<String> = lines.into_iter().flatten().collect();
    kept.push(String::new());
    Ok(kept.join(if old.contains("\r\n") { "\r\n" } else { "\n" }))
}

/// Puts new lines into a section, which is made where there is none; removes the header of one that has lost its last key.
fn put_into_section(
    header: Option<&str>,
    sections: &[Section],
    index: Option<usize>,
    left: usize,
    added: Vec<String>,
    lines: &mut Vec<Option<String>>,
) {
    match index {
        Some(index) if left == 0 && added.is_empty() => {
            if let Some(header) = &sections[index].header {
                lines[header.line - 1] = None;
            }
        }
        _ if added.is_empty() => {}
        Some(index) => {
            // Below the last key of the section, or else its header.
            let header = sections[index].header.as_ref().map(|header| header.line);
            let last =
                sections[index].settings.entries().map(|(_, entry)| entry.line).max().or(header);
            // Without either, at the end of what comes before the first section.
            let first = sections.iter().find_map(|section| section.header.as_ref());
            let end = first.map_or(lines.len(), |first| first.line - 1);
            let at = last.unwrap_or(end);
            lines.splice(at..at, added.into_iter().map(Some));
        }
        None => {
            if let Some(header) = header {
                if lines.iter().flatten().next_back().is_some_and(|line| !line.is_empty()) {
                    lines.push(Some(String::new()));
                }
                lines.push(Some(format!("[{header}]")));
            }
            lines.extend(added.into_iter().map(Some));
        }
    }
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

/// The part before the first section, which may say nothing, and the sections.
fn read(text: &str) -> Result<Vec<Section>, Invalid> {
    let (mut sections, mut current) = (Vec::new(), Section::default());
    for (line, text) in (1..).zip(text.lines()) {
        match parse_line(text).map_err(|what| Invalid::at(line, what))? {
            Line::Blank => {}
            Line::Header(value) => {
                let next = Section { header: Some(Entry { value, line }), ..Section::default() };
                sections.push(std::mem::replace(&mut current, next));
            }
            Line::Property(key, value) => set(&mut current.settings, &key, value, line)?,
        }
    }
    sections.push(current);
    Ok(sections)
}

fn set(settings: &mut Override, key: &str, value: String, line: usize) -> Result<(), Invalid> {
    let (slot, is_valid) = match key {
        "profile" => (&mut settings.profile, is_profile_name(&value)),
        "region" => (&mut settings.region, is_region_name(&value)),
        "account" => (&mut settings.account, is_account(&value)),
        _ => {
            let what = format!("has the unknown key{}; {ONLY}", shown_key(key));
            return Err(Invalid::at(line, what));
        }
    };
    if slot.is_some() {
        return Err(Invalid::at(line, format!("gives `{key}` a second time")));
    }
    if !is_valid {
        let what = match key {
            "account" => "has an `account` that is not twelve digits".to_owned(),
            _ => format!("has a `{key}` that cannot be the name of one"),
        };
        return Err(Invalid::at(line, what));
    }
    *slot = Some(Entry { value, line });
    Ok(())
}

const ONLY: &str = "use profile, region or account";

enum Line {
    /// Or a comment.
    Blank,
    Header(String),
    Property(String, String),
}

/// What one line says. rust-ini gets each line by itself: it would take an indented comment for a key, and let keys and
/// values go on in the next line.
fn parse_line(line: &str) -> Result<Line, String> {
    const NOT_A_PROPERTY: &str = "is not `key = value`, a comment or blank";
    if line.chars().any(|c| c.is_control() && c != '\t') {
        return Err("has a control character".to_owned());
    }
    let line = line.trim();
    if line.is_empty() || line.starts_with(['#', ';']) {
        return Ok(Line::Blank);
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
    if let Some(header) = ini.sections().flatten().next() {
        return Ok(Line::Header(header.to_owned()));
    }
    let property = ini.section(None::<String>).and_then(|properties| properties.iter().next());
    let (key, value) = property.ok_or(NOT_A_PROPERTY)?;
    Ok(Line::Property(key.to_owned(), value.to_owned()))
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
mod tests;
