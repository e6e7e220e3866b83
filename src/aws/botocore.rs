//! Where botocore, and so boto3 and `LiteLLM`, reads an AWS file otherwise than the AWS SDKs do.
//!
//! botocore hands the file to Python's `configparser.RawConfigParser` (botocore/configloader.py), which knows another
//! dialect: comments only on lines of their own, `:` as good as `=`, nothing twice. Measured with botocore 1.44 and
//! Python 3.11. Lines that the SDKs reject themselves are not repeated here. No text of the file gets into a message.

use std::collections::HashSet;

use super::{At, FileKind, Kind, Profile};

/// A line that the two read differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// Counted from 1.
    pub line: usize,
    pub what: DifferenceKind,
}

/// What the difference is, and after the semicolon what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DifferenceKind {
    #[error("the section was there before, and boto3 gives up on the whole file; merge the two")]
    SectionTwice,
    #[error(
        "the key was in this section before, and boto3 gives up on the whole file; remove one of the two"
    )]
    KeyTwice,
    #[error(
        "boto3 takes the comment after the value for a part of it; put the comment on a line of its own"
    )]
    CommentAfterValue,
    #[error("boto3 ends the key at the colon, the AWS SDKs at the first =; write key = value")]
    Colon,
    #[error(
        "boto3 accepts the indented line below a section header, the AWS SDKs do not; remove the indentation"
    )]
    IndentedProperty,
    #[error(
        "boto3 takes the blanks inside the brackets for a part of the profile's name; remove them"
    )]
    BlanksInHeader,
    #[error("boto3 gives what stands below [DEFAULT] to every profile; write [default]")]
    UpperCaseDefault,
    #[error(
        "boto3 skips the indented comment, the AWS SDKs append it to the value above; remove the indentation"
    )]
    CommentInValue,
}

impl DifferenceKind {
    /// Whether botocore gives up on the whole file.
    pub fn rejects_file(self) -> bool {
        matches!(self, Self::SectionTwice | Self::KeyTwice)
    }
}

/// Every line that the two read differently, in order.
pub fn differences(bytes: &[u8]) -> Vec<Difference> {
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
    found: Vec<Difference>,
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
        if text.starts_with(['#', ';']) {
            self.differs_if(indented && self.in_value, DifferenceKind::CommentInValue);
        } else if text.is_empty() || indented && self.in_value {
            // The same to both.
        } else if let Some(header) = text.strip_prefix('[') {
            if let Some((name, _)) = header.split_once(']') {
                self.header(name);
            }
        } else if !self.sections.is_empty() {
            self.differs_if(indented, DifferenceKind::IndentedProperty);
            self.property(text);
        }
    }

    fn header(&mut self, name: &'a str) {
        self.in_value = false;
        self.keys.clear();
        // The config file's `[profile x]` may have any blanks between the two words, in botocore too.
        self.differs_if(name.trim() != name, DifferenceKind::BlanksInHeader);
        self.differs_if(name == "DEFAULT", DifferenceKind::UpperCaseDefault);
        let twice = !self.sections.insert(name);
        self.differs_if(twice && name != "DEFAULT", DifferenceKind::SectionTwice);
    }

    fn property(&mut self, text: &str) {
        self.in_value = true;
        let Some(delimiter) = text.find(['=', ':']) else {
            return;
        };
        self.differs_if(text[delimiter..].starts_with(':'), DifferenceKind::Colon);
        let key = text[..delimiter].trim().to_lowercase();
        let twice = !key.is_empty() && !self.keys.insert(key);
        self.differs_if(twice, DifferenceKind::KeyTwice);
        let value = &text[delimiter + 1..];
        let comment = value
            .match_indices(['#', ';'])
            .any(|(at, _)| value[..at].ends_with(char::is_whitespace));
        self.differs_if(comment, DifferenceKind::CommentAfterValue);
    }

    fn differs_if(&mut self, differs: bool, what: DifferenceKind) {
        if differs {
            self.found.push(Difference { line: self.line, what });
        }
    }
}

/// An authentication by API key in place of signatures.
const BEARER: &str = "httpBearerAuth";

/// What botocore makes of a profile that the SDKs take for one with keys, as the end of "boto3 …". It asks in another
/// order (botocore/credentials.py, `ProfileProviderBuilder`): a role, a web identity and a single sign-on come before
/// keys, and halves of a pair in two files are not put together.
pub fn other_identity(profile: &Profile<'_>) -> Option<(&'static str, Option<At>)> {
    if !profile.kind().has_keys() {
        return None;
    }
    let by = |what, key| Some((what, profile.at_key(key)));
    let also = profile.also();
    // The keys of the config file come last of all, after the ways to get keys from elsewhere.
    let first = if profile.is_set_in(FileKind::Credentials, "aws_access_key_id") {
        FileKind::Credentials
    } else {
        FileKind::Config
    };
    let before_config_keys = |kind| first == FileKind::Config && also.contains(&kind);
    let filled = |key: &str| profile.get(key).filter(|value| !value.is_empty());
    if also.contains(&Kind::AssumeRole) {
        by("assumes its role", "role_arn")
    } else if also.contains(&Kind::WebIdentity) {
        by("uses its web identity token", "web_identity_token_file")
    } else if also.contains(&Kind::Sso) {
        let key =
            if profile.get("sso_session").is_some() { "sso_session" } else { "sso_start_url" };
        by("signs in through SSO", key)
    } else if before_config_keys(Kind::Login) {
        by("signs in through its login session", "login_session")
    } else if before_config_keys(Kind::Process) {
        by("runs its credential_process", "credential_process")
    } else if profile.get("auth_scheme_preference").is_some_and(|schemes| schemes.contains(BEARER))
    {
        by("wants an API key for it (auth_scheme_preference)", "auth_scheme_preference")
    } else if !profile.is_set_in(first, "aws_secret_access_key") {
        by(
            "finds only one half of the key pair, as the other half is in the other file",
            "aws_secret_access_key",
        )
    } else if let (Some(old), Some(new)) =
        (filled("aws_security_token"), filled("aws_session_token"))
        && old != new
    {
        by("prefers aws_security_token to aws_session_token", "aws_security_token")
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
