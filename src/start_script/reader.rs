//! The AWS files as the start script reads them: line by line with regular expressions of bash and awk.
//!
//! A key begins its line and is in lower case. A comment after a value is part of it. The last line of a file counts only
//! with a line end, but for awk. Section headers are compared as they stand.

use super::StartScript;

const KEYS: [&str; 2] = ["aws_access_key_id", "aws_secret_access_key"];

/// What one profile gives.
pub(super) struct Found {
    pub profile: String,
    pub id: Option<String>,
    pub secret: Option<String>,
    pub region: Option<String>,
}

struct Section<'a> {
    /// The whole line.
    header: &'a str,
    name: &'a str,
    lines: Vec<&'a str>,
}

impl StartScript<'_> {
    /// The profile that is wanted, or else the first with both keys. `None` when nothing is found: then everything stays
    /// as it is.
    pub(super) fn read_aws_files(&self, wanted: &str) -> Option<Found> {
        let credentials = String::from_utf8_lossy(self.credentials.as_deref()?);
        let config = String::from_utf8_lossy(self.config.as_deref().map_or(&[], Vec::as_slice));
        let (sections, configured) = (sections(&credentials), sections(&config));
        let is_sso =
            |line: &&str| line.starts_with("sso_session") || line.starts_with("sso_start_url");
        let of = |name: &str| {
            let header = if name == "default" { "[default]" } else { &format!("[profile {name}]") };
            let lines = configured.iter().filter(|found| found.header == header);
            lines.flat_map(|found| found.lines.iter().copied()).collect::<Vec<_>>()
        };
        // For a sign-in the script asks the AWS CLI in a format that it does not know, and gets nothing.
        let signs_in = of(wanted).iter().any(is_sso);
        let by_name = !wanted.is_empty() && !signs_in && awk_finds_key(&credentials, wanted);
        let complete = |found: &&Section<'_>| {
            KEYS.iter().all(|key| found.lines.iter().any(|line| line.starts_with(key)))
        };
        // `default` is not looked for in any working way.
        let profile = if by_name { wanted } else { sections.iter().find(complete)?.name };
        let lines = sections.iter().filter(|found| found.name == profile);
        let lines: Vec<_> = lines.flat_map(|found| found.lines.iter().copied()).collect();
        let [id, secret] = KEYS.map(|key| lines.iter().rev().find_map(|line| setting(line, key)));
        let region = of(profile).iter().rev().find_map(|line| setting(line, "region"));
        Some(Found { profile: profile.to_owned(), id, secret, region })
    }
}

fn sections(text: &str) -> Vec<Section<'_>> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let name = line.strip_prefix('[').and_then(|rest| Some(rest.split_once(']')?.0));
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            sections.push(Section { header: line, name, lines: Vec::new() });
        } else if let Some(section) = sections.last_mut() {
            section.lines.push(line);
        }
    }
    sections
}

/// Here the name is a regular expression: a dot is any character, and a plus finds no plus.
fn awk_finds_key(text: &str, name: &str) -> bool {
    let is_header = |line: &str| {
        let found = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        found.is_some_and(|found| {
            let mut pairs = name.chars().zip(found.chars());
            name.chars().count() == found.chars().count()
                && pairs.all(|(wanted, is)| wanted != '+' && (wanted == '.' || wanted == is))
        })
    };
    let mut inside = false;
    text.split('\n').any(|line| {
        inside = if line.starts_with('[') { is_header(line) } else { inside };
        inside && line.starts_with(KEYS[0])
    })
}

/// The value of a line, if it sets this key to anything, be it blanks.
fn setting(line: &str, key: &str) -> Option<String> {
    let is_space = |c: char| c.is_ascii_whitespace() || c == '\x0b';
    let value = line.strip_prefix(key)?.trim_start_matches(is_space).strip_prefix('=')?;
    let trimmed = value.trim_start_matches(is_space);
    // Of blanks alone the last one is the value.
    Some(xargs(if trimmed.is_empty() { &value[value.len().checked_sub(1)?..] } else { trimmed }))
}

/// What xargs makes of a value: words without their quotes and backslashes, one blank between them. At a quote that is not
/// closed it ends without the word.
fn xargs(value: &str) -> String {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, ' ' | '\t') => words.extend(word.take()),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '\\') => word.get_or_insert_default().extend(chars.next()),
            (Some(open), _) if open == c => quote = None,
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word.filter(|_| quote.is_none()));
    words.join(" ")
}
