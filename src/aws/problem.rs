//! What can be wrong with a line of an AWS file, where, and what to do about it.
//!
//! No text of the file gets in here except section names made of harmless characters: a line without `=` may be a
//! secret that was pasted into the wrong place.

use std::fmt;

use super::FileKind;

/// A place in one of the two AWS files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct At {
    /// Which file.
    pub kind: FileKind,
    /// Which line, counted from 1.
    pub line: usize,
}

/// A line that was rejected or ignored. Displays as one sentence that says what is wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which file.
    pub kind: FileKind,
    /// Which line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: ProblemKind,
}

impl Problem {
    pub(super) fn new(at: At, what: ProblemKind) -> Self {
        let At { kind, line } = at;
        Self { kind, line, what }
    }

    /// Where it is.
    pub fn at(&self) -> At {
        let Self { kind, line, .. } = *self;
        At { kind, line }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.what.fmt(f)
    }
}

/// What can be wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// The file starts with a UTF-8 byte order mark.
    ByteOrderMark,
    /// The line is not valid UTF-8.
    NotUtf8,
    /// The line contains a NUL byte, which no environment variable can carry.
    NulByte,
    /// Something stands before the first section. Reported once, not for each line up to the first section.
    BeforeSection,
    /// A section header without its closing bracket.
    UnclosedHeader,
    /// A line that should be a property has no `=`.
    NoEquals,
    /// Nothing stands before the `=`.
    NoKey,
    /// An indented line directly below a section header.
    NothingToContinue,
    /// An indented line below a key without a value, which must be a property itself and is not.
    Nested,
    /// The section's name is empty or has characters that AWS does not allow.
    SectionName,
    /// A section of the config file that is not called `[profile x]`. The name, if it is fit to be shown.
    NeedsProfilePrefix(Option<String>),
    /// A section of the credentials file that is called `[profile x]`. The name, if it is fit to be shown.
    ProfilePrefix(Option<String>),
    /// Another prefixed section, such as `[sso-session x]`, in the credentials file.
    ConfigOnly,
    /// `[default]` in a config file that also has `[profile default]`.
    OverriddenDefault,
    /// A key has characters that AWS does not allow.
    KeyName,
    /// The value of this key should be a time and cannot be read as one.
    Expiry(&'static str),
}

impl ProblemKind {
    /// Whether AWS's own SDKs give up on the whole file at such a line, rather than skip it.
    pub fn rejects_file(&self) -> bool {
        match self {
            Self::ByteOrderMark
            | Self::NotUtf8
            | Self::BeforeSection
            | Self::UnclosedHeader
            | Self::NoEquals
            | Self::NoKey
            | Self::NothingToContinue
            | Self::Nested => true,
            Self::NulByte
            | Self::SectionName
            | Self::NeedsProfilePrefix(_)
            | Self::ProfilePrefix(_)
            | Self::ConfigOnly
            | Self::OverriddenDefault
            | Self::KeyName
            | Self::Expiry(_) => false,
        }
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_name = |name: &Option<String>| name.clone().unwrap_or_else(|| "NAME".into());
        match self {
            Self::ByteOrderMark => {
                f.write_str("the file starts with a byte order mark, which AWS tools reject; save it as UTF-8 without BOM")
            }
            Self::NotUtf8 => f.write_str("the line is not valid UTF-8; save the file as UTF-8"),
            Self::NulByte => f.write_str("the line contains a NUL byte; save the file as plain UTF-8 text"),
            Self::BeforeSection => {
                f.write_str("nothing may stand before the first section; put a header such as [default] above it")
            }
            Self::UnclosedHeader => {
                f.write_str("the section header does not end with ]; write it as [NAME], comments only after the ]")
            }
            Self::NoEquals => f.write_str("the line has no =; write it as key = value, or start it with # to disable it"),
            Self::NoKey => f.write_str("the line has no key before the =; write it as key = value"),
            Self::NothingToContinue => {
                f.write_str("the line is indented, but there is no value above it to continue; remove the indentation")
            }
            Self::Nested => f.write_str(
                "the line is indented below a key without a value, so it must read key = value; complete or remove it",
            ),
            Self::SectionName => {
                f.write_str("the section is ignored for its name; use only letters, digits and _-/.%@:+ in it")
            }
            Self::NeedsProfilePrefix(name) => {
                let name = or_name(name);
                write!(f, "the section is ignored, as profiles have a prefix in the config file; write [profile {name}]")
            }
            Self::ProfilePrefix(name) => {
                let name = or_name(name);
                write!(f, "the section is ignored, as profiles have no prefix in the credentials file; write [{name}]")
            }
            Self::ConfigOnly => {
                f.write_str("the section is ignored in the credentials file; move it to the config file")
            }
            Self::OverriddenDefault => {
                f.write_str("[default] is ignored, as [profile default] stands in the same file; merge the two")
            }
            Self::KeyName => {
                f.write_str("the line is ignored for its key; use only letters, digits and _-/.%@:+ in it")
            }
            Self::Expiry(key) => {
                write!(f, "the value of {key} is not a time and is ignored; write it as 2030-12-31T23:59:59Z")
            }
        }
    }
}

/// Names longer than this are not shown: nobody's profile is called that.
const LONGEST_NAME_SHOWN: usize = 64;

/// A section name for a message, unless it is not fit to be shown.
pub(super) fn showable(name: &str) -> Option<String> {
    let fit =
        !name.is_empty() && name.len() <= LONGEST_NAME_SHOWN && super::reader::is_identifier(name);
    fit.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remedy_names_the_section_to_write() {
        let what = ProblemKind::NeedsProfilePrefix(showable("bedrock"));
        assert!(what.to_string().ends_with("write [profile bedrock]"));
        let what = ProblemKind::ProfilePrefix(showable("bedrock"));
        assert!(what.to_string().ends_with("write [bedrock]"));
    }

    #[test]
    fn a_name_unfit_to_be_shown_stays_out_of_the_message() {
        for name in ["", "a b", "a\u{1b}[31m", "\u{202e}nimda", &"x".repeat(65)] {
            assert_eq!(showable(name), None);
        }
        assert!(ProblemKind::ProfilePrefix(None).to_string().ends_with("write [NAME]"));
    }

    #[test]
    fn a_message_is_one_line_with_a_remedy() {
        for what in [
            ProblemKind::ByteOrderMark,
            ProblemKind::NotUtf8,
            ProblemKind::NulByte,
            ProblemKind::BeforeSection,
            ProblemKind::UnclosedHeader,
            ProblemKind::NoEquals,
            ProblemKind::NoKey,
            ProblemKind::NothingToContinue,
            ProblemKind::Nested,
            ProblemKind::SectionName,
            ProblemKind::NeedsProfilePrefix(None),
            ProblemKind::ProfilePrefix(None),
            ProblemKind::ConfigOnly,
            ProblemKind::OverriddenDefault,
            ProblemKind::KeyName,
            ProblemKind::Expiry("expiration"),
        ] {
            let message = what.to_string();
            assert!(
                message.contains("; ") && message.is_ascii() && !message.contains('\n'),
                "{message}"
            );
        }
    }
}
