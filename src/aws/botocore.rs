//! Where botocore, and so boto3 and `LiteLLM`, reads an AWS file otherwise than the AWS SDKs do.
//!
//! botocore hands the file to Python's `configparser.RawConfigParser` (botocore/configloader.py), which knows another
//! dialect: comments only on lines of their own, `:` as good as `=`, nothing twice. Measured with botocore 1.44 and
//! Python 3.11. Lines that the SDKs reject themselves are not repeated here. No text of the file gets into a message.

use std::collections::HashSet;
use std::fmt;

use super::{At, FileKind, Kind, Profile};

/// A place that the two read differently. Displays as one sentence that says what and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// The line, counted from 1.
    pub line: usize,
    /// What the difference is.
    pub what: DifferenceKind,
}

/// What the difference is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DifferenceKind {
    /// A section that was there before. botocore gives up on the file.
    SectionTwice,
    /// A key that was in the section before. botocore gives up on the file.
    KeyTwice,
    /// A comment after a value. botocore takes it for a part of the value.
    CommentAfterValue,
    /// A colon before the `=`, or instead of it. botocore ends the key there.
    Colon,
    /// A property directly below a section header is indented. botocore accepts it.
    IndentedProperty,
    /// A section header with blanks inside the brackets. botocore keeps them.
    BlanksInHeader,
    /// `[DEFAULT]`. botocore gives its keys to every profile.
    UpperCaseDefault,
    /// A comment among the lines that continue a value. The SDKs take it for a part of the value.
    CommentInValue,
}

impl DifferenceKind {
    /// Whether botocore gives up on the whole file.
    pub fn rejects_file(self) -> bool {
        matches!(self, Self::SectionTwice | Self::KeyTwice)
    }
}

impl fmt::Display for DifferenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SectionTwice => {
                "the section was there before, and boto3 gives up on the whole file; merge the two"
            }
            Self::KeyTwice => {
                "the key was in this section before, and boto3 gives up on the whole file; remove one of the two"
            }
            Self::CommentAfterValue => {
                "boto3 takes the comment after the value for a part of it; put the comment on a line of its own"
            }
            Self::Colon => {
                "boto3 ends the key at the colon, the AWS SDKs at the first =; write key = value"
            }
            Self::IndentedProperty => {
                "boto3 accepts the indented line below a section header, the AWS SDKs do not; remove the indentation"
            }
            Self::BlanksInHeader => {
                "boto3 takes the blanks inside the brackets for a part of the profile's name; remove them"
            }
            Self::UpperCaseDefault => {
                "boto3 gives what stands below [DEFAULT] to every profile; write [default]"
            }
            Self::CommentInValue => {
                "boto3 skips the indented comment, the AWS SDKs append it to the value above; remove the indentation"
            }
        })
    }
}

/// Every place of a file that the two read differently, in order.
pub fn differences(bytes: &[u8]) -> Vec<Difference> {
    let mut reader = Reader {
        found: Vec::new(),
        sections: HashSet::new(),
        keys: HashSet::new(),
        place: Place::Start,
    };
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        // What is not UTF-8 is rejected by both.
        if let Ok(line) = std::str::from_utf8(line) {
            reader.line(line.trim_end(), index + 1);
        }
    }
    reader.found
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    Header,
    Property,
}

struct Reader<'a> {
    found: Vec<Difference>,
    sections: HashSet<&'a str>,
    /// Of the present section, in lower case.
    keys: HashSet<String>,
    place: Place,
}

impl<'a> Reader<'a> {
    fn line(&mut self, line: &'a str, number: usize) {
        let text = line.trim_start();
        let indented = text.len() < line.len();
        if text.is_empty() {
            return;
        }
        if text.starts_with(['#', ';']) {
            if indented && self.place == Place::Property {
                self.differs(number, DifferenceKind::CommentInValue);
            }
            return;
        }
        if indented && self.place == Place::Property {
            // The continuation of a value for both.
            return;
        }
        if let Some(header) = text.strip_prefix('[') {
            if let Some((name, _)) = header.split_once(']') {
                self.header(name, number);
            }
            return;
        }
        if self.place == Place::Start {
            return;
        }
        if indented {
            self.differs(number, DifferenceKind::IndentedProperty);
        }
        self.property(text, number);
        self.place = Place::Property;
    }

    fn header(&mut self, name: &'a str, number: usize) {
        self.place = Place::Header;
        self.keys.clear();
        // The config file's `[profile x]` may have any blanks between the two words, in botocore too.
        if name.trim() != name {
            self.differs(number, DifferenceKind::BlanksInHeader);
        }
        if name == "DEFAULT" {
            self.differs(number, DifferenceKind::UpperCaseDefault);
        } else if !self.sections.insert(name) {
            self.differs(number, DifferenceKind::SectionTwice);
        }
    }

    fn property(&mut self, text: &str, number: usize) {
        let Some(delimiter) = text.find(['=', ':']) else {
            return;
        };
        if text[delimiter..].starts_with(':') {
            self.differs(number, DifferenceKind::Colon);
        }
        let key = text[..delimiter].trim().to_lowercase();
        if !key.is_empty() && !self.keys.insert(key) {
            self.differs(number, DifferenceKind::KeyTwice);
        }
        let value = &text[delimiter + 1..];
        let comment = value.char_indices().skip(1).any(|(at, sign)| {
            matches!(sign, '#' | ';')
                && value[..at].chars().next_back().is_some_and(char::is_whitespace)
        });
        if comment {
            self.differs(number, DifferenceKind::CommentAfterValue);
        }
    }

    fn differs(&mut self, line: usize, what: DifferenceKind) {
        self.found.push(Difference { line, what });
    }
}

/// What botocore makes of a profile that the SDKs take for one with keys, as the end of "boto3 …". It asks in another
/// order (botocore/credentials.py, `ProfileProviderBuilder`): a role, a web identity and a single sign-on come before
/// keys, and halves of a pair in two files are not put together.
pub fn other_identity(profile: &Profile<'_>) -> Option<(&'static str, Option<At>)> {
    if !profile.kind().has_keys() {
        return None;
    }
    let at = |key: &str| profile.at_key(key);
    let also = profile.also();
    if also.contains(&Kind::AssumeRole) {
        return Some(("assumes its role", at("role_arn")));
    }
    if also.contains(&Kind::WebIdentity) {
        return Some(("uses its web identity token", at("web_identity_token_file")));
    }
    if also.contains(&Kind::Sso) {
        let place = at("sso_session").or_else(|| at("sso_start_url"));
        return Some(("signs in through SSO", place));
    }
    // What only the config file has comes last of all, after the ways to get keys from elsewhere.
    let first = if profile.is_set_in(FileKind::Credentials, "aws_access_key_id") {
        FileKind::Credentials
    } else {
        FileKind::Config
    };
    if first == FileKind::Config {
        if also.contains(&Kind::Login) {
            return Some(("signs in through its login session", at("login_session")));
        }
        if also.contains(&Kind::Process) {
            return Some(("runs its credential_process", at("credential_process")));
        }
    }
    if !profile.is_set_in(first, "aws_secret_access_key") {
        return Some((
            "finds only one half of the key pair, as the other half is in the other file",
            at("aws_secret_access_key"),
        ));
    }
    let filled = |key: &str| profile.get(key).is_some_and(|value| !value.is_empty());
    if filled("aws_security_token")
        && filled("aws_session_token")
        && profile.get("aws_security_token") != profile.get("aws_session_token")
    {
        return Some(("prefers aws_security_token to aws_session_token", at("aws_security_token")));
    }
    None
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{AwsFile, Profiles};
    use super::*;

    fn found(text: &str) -> Vec<(usize, DifferenceKind)> {
        differences(text.as_bytes())
            .into_iter()
            .map(|difference| (difference.line, difference.what))
            .collect()
    }

    #[test]
    fn a_file_as_the_aws_cli_writes_it_is_read_alike() {
        let text = "# mine\n[default]\naws_access_key_id = A\naws_secret_access_key = a=b#c;d:e\n\n\
                    [bedrock]\r\naws_access_key_id=B\r\nregion = eu-west-1\r\ns3 =\n  signature_version = s3v4\n";
        assert_eq!(found(text), []);
    }

    #[test]
    fn every_difference_is_named_with_its_line() {
        use DifferenceKind::{
            BlanksInHeader, Colon, CommentAfterValue, CommentInValue, IndentedProperty, KeyTwice,
            SectionTwice, UpperCaseDefault,
        };
        for (text, expected) in [
            ("[a]\nk = v # hi\n", vec![(2, CommentAfterValue)]),
            ("[a]\nk = v ; hi\n", vec![(2, CommentAfterValue)]),
            ("[a]\nk = v\n[b]\n[a]\n", vec![(4, SectionTwice)]),
            ("[a]\nk = v\nK = w\n", vec![(3, KeyTwice)]),
            ("[a]\nk: v\n", vec![(2, Colon)]),
            ("[a]\nk:l = v\n", vec![(2, Colon)]),
            ("[a]\nk = http://x\n", vec![]),
            ("[a]\n  k = v\n", vec![(2, IndentedProperty)]),
            ("[ a ]\nk = v\n", vec![(1, BlanksInHeader)]),
            ("[DEFAULT]\nk = v\n", vec![(1, UpperCaseDefault)]),
            ("[a]\nk = v\n  # no\nl = w\n", vec![(3, CommentInValue)]),
            ("[a]\nk = v\n# yes\nl = w\n", vec![]),
            ("[a]\nk = v\n[b]\nk = v\n", vec![]),
            ("k = v\nk = v\n", vec![]),
        ] {
            assert_eq!(found(text), expected, "{text:?}");
        }
    }

    #[test]
    fn only_what_stands_twice_costs_boto3_the_whole_file() {
        assert!(DifferenceKind::SectionTwice.rejects_file());
        assert!(DifferenceKind::KeyTwice.rejects_file());
        assert!(!DifferenceKind::CommentAfterValue.rejects_file());
    }

    #[test]
    fn boto3_prefers_other_ways_to_keys() {
        const KEYS: &str = "aws_access_key_id = A\naws_secret_access_key = S\n";
        let other = |credentials: &str, config: &str| {
            let files = [
                AwsFile {
                    kind: FileKind::Credentials,
                    path: Path::new("/c"),
                    bytes: credentials.as_bytes(),
                },
                AwsFile { kind: FileKind::Config, path: Path::new("/f"), bytes: config.as_bytes() },
            ];
            let profiles = Profiles::read(&files);
            other_identity(profiles.get("p").unwrap()).map(|(text, at)| (text, at.unwrap().line))
        };
        let keys = format!("[p]\n{KEYS}");
        assert_eq!(other(&keys, ""), None);
        assert_eq!(
            other(&keys, "[profile p]\nsso_session = s\n"),
            Some(("signs in through SSO", 2))
        );
        assert_eq!(
            other(&keys, "[profile p]\nrole_arn = r\nsource_profile = q\n"),
            Some(("assumes its role", 2))
        );
        assert_eq!(other(&keys, "[profile p]\ncredential_process = x\n"), None);
        assert_eq!(
            other("", &format!("[profile p]\n{KEYS}credential_process = x\n")),
            Some(("runs its credential_process", 4))
        );
        // The pair of the config file, of which one half is in the credentials file too.
        assert_eq!(
            other("[p]\naws_secret_access_key = T\n", &format!("[profile p]\n{KEYS}")),
            None
        );
        assert!(
            other("[p]\naws_access_key_id = A\n", "[profile p]\naws_secret_access_key = S\n")
                .is_some()
        );
        assert!(
            other(&format!("{keys}aws_session_token = T\naws_security_token = U\n"), "").is_some()
        );
    }
}
