//! The AWS files as the start script reads them: line by line with regular expressions of bash and awk.
//!
//! A key begins its line and is in lower case. A comment after a value is part of it. The last line of a file counts only
//! with a line end. Section headers are compared as they stand.

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
        let has = |found: &Section<'_>, key| found.lines.iter().any(|line| line.starts_with(key));
        let header = format!("[{wanted}]");
        // The name is a regular expression there, in which a plus finds no plus. For a sign-in the script asks the AWS CLI
        // in a format that it does not know, and gets nothing.
        let by_name = !wanted.contains('+')
            && !of(wanted).iter().any(is_sso)
            && sections.iter().any(|found| found.header == header && has(found, KEYS[0]));
        let complete = |found: &&Section<'_>| KEYS.iter().all(|key| has(found, key));
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

/// The value of a line, if it sets this key to anything, even to blanks: words without quotes and backslashes, one blank
/// between them, as xargs leaves it.
fn setting(line: &str, key: &str) -> Option<String> {
    let value = line.strip_prefix(key)?.trim_start().strip_prefix('=')?;
    let plain = value.replace(['\'', '"', '\\'], "");
    let words: Vec<&str> = plain.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
    (!value.is_empty()).then(|| words.join(" "))
}
