//! Where botocore, and so boto3 and `LiteLLM`, reads an AWS file otherwise than the AWS SDKs do.
//!
//! botocore hands the file to Python's `configparser.RawConfigParser` (botocore/configloader.py), which knows another
//! dialect: comments only on lines of their own, `:` as good as `=`, nothing twice. Measured with botocore 1.44 and
//! Python 3.11. Lines that the SDKs reject themselves are not repeated here. No text of the file gets into a message.

use std::collections::HashSet;

use super::dialect::without_comment;
use super::{At, FileKind, Kind, Profile};

/// What the difference is, and after the semicolon what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DifferenceKind {
    #[error("boto3 gives up on the whole file: the section stands there twice; merge the two")]
    SectionTwice,
    #[error("boto3 gives up on the whole file: the key is in this section twice; remove one")]
    KeyTwice,
    #[error("boto3 takes the comment for a part of the value; put it on a line of its own")]
    CommentAfterValue,
    #[error("boto3 takes the blanks in the brackets for a part of the name; remove them")]
    BlanksInHeader,
}

impl DifferenceKind {
    /// Whether botocore gives up on the whole file.
    pub fn rejects_file(self) -> bool {
        matches!(self, Self::SectionTwice | Self::KeyTwice)
    }
}

/// Every line that the two read differently, in order. They are counted from 1.
pub fn differences(bytes: &[u8]) -> Vec<(usize, DifferenceKind)> {
    let mut reader = Reader::default();
    for line in bytes.split(|byte| *byte == b'\n') {
        reader.line += 1;
        // What is not UTF-8 is rejected by both.
        if let Ok(line) = std::str::from_utf8(line) {
            reader.read(line.trim_end());
        }
    }
    reader.found
}

#[derive(Default)]
struct Reader<'a> {
    found: Vec<(usize, DifferenceKind)>,
    line: usize,
    sections: HashSet<&'a str>,
    /// Of the present section, in lower case.
    keys: HashSet<String>,
    /// Whether the line above has a value, which both let an indented line continue.
    in_value: bool,
}

impl<'a> Reader<'a> {
    fn read(&mut self, line: &'a str) {
        let text = line.trim_start();
        let indented = text.len() < line.len();
        if text.is_empty() || text.starts_with(['#', ';']) || indented && self.in_value {
            // The same to both.
        } else if let Some(header) = text.strip_prefix('[') {
            if let Some((name, _)) = header.split_once(']') {
                self.header(name);
            }
        } else if !self.sections.is_empty() {
            self.property(text);
        }
    }

    fn header(&mut self, name: &'a str) {
        self.in_value = false;
        self.keys.clear();
        // The config file's `[profile x]` may have any blanks between the two words, in botocore too.
        self.differs_if(name.trim() != name, DifferenceKind::BlanksInHeader);
        let twice = !self.sections.insert(name);
        // To botocore [DEFAULT] is no section.
        self.differs_if(twice && name != "DEFAULT", DifferenceKind::SectionTwice);
    }

    fn property(&mut self, text: &str) {
        self.in_value = true;
        let Some(delimiter) = text.find(['=', ':']) else {
            return;
        };
        let key = text[..delimiter].trim().to_lowercase();
        let twice = !key.is_empty() && !self.keys.insert(key);
        self.differs_if(twice, DifferenceKind::KeyTwice);
        let value = &text[delimiter + 1..];
        let comment = without_comment(value).len() < value.len();
        self.differs_if(comment, DifferenceKind::CommentAfterValue);
    }

    fn differs_if(&mut self, differs: bool, what: DifferenceKind) {
        if differs {
            self.found.push((self.line, what));
        }
    }
}

/// An authentication by API key in place of signatures.
const BEARER: &str = "httpBearerAuth";

/// What botocore makes of a profile that the SDKs take for one with keys, as the end of "boto3 …". It asks in another
/// order (botocore/credentials.py, `ProfileProviderBuilder`): a role, a web identity and a single sign-on come before
/// keys.
pub fn other_identity(profile: &Profile<'_>) -> Option<(&'static str, Option<At>)> {
    let also = profile.also();
    let is = |kind| also.contains(&kind);
    // The keys of the config file come last of all, after the ways to get keys from elsewhere.
    let last = profile.at_key("aws_access_key_id").is_some_and(|at| at.kind == FileKind::Config);
    let schemes = profile.get("auth_scheme_preference").unwrap_or_default();
    let sso = if profile.get("sso_session").is_some() { "sso_session" } else { "sso_start_url" };
    let ways = [
        (is(Kind::AssumeRole), "assumes its role", "role_arn"),
        (is(Kind::WebIdentity), "uses its web identity token", "web_identity_token_file"),
        (is(Kind::Sso), "signs in through SSO", sso),
        (last && is(Kind::Login), "signs in through its login session", "login_session"),
        (last && is(Kind::Process), "runs its credential_process", "credential_process"),
        (schemes.contains(BEARER), "wants an API key for it", "auth_scheme_preference"),
    ];
    let way = ways.into_iter().find(|(goes_first, ..)| *goes_first);
    let (_, what, key) = way.filter(|_| profile.kind().has_keys())?;
    Some((what, profile.at_key(key)))
}

#[cfg(test)]
mod tests;
