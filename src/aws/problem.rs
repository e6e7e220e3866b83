//! What can be wrong with a line of an AWS file, where, and what to do about it.
//!
//! No text of the file gets in here except section names made of harmless characters: a line without `=` may be a
//! secret that was pasted into the wrong place.

use super::FileKind;

/// How many problems are kept.
pub(super) const MOST: usize = 200;

/// A place in one of the two AWS files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct At {
    pub kind: FileKind,
    /// Counted from 1.
    pub line: usize,
}

/// A line that was rejected or ignored. Displays as one sentence that says what is wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Problem {
    pub at: At,
    pub what: ProblemKind,
}

/// What is wrong, and after the semicolon what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    #[error("the file starts with a byte order mark; save it as UTF-8 without BOM")]
    ByteOrderMark,
    #[error("the line is not valid UTF-8; save the file as UTF-8")]
    NotUtf8,
    /// No environment variable can carry one.
    #[error("the line contains a NUL byte; save the file as plain UTF-8 text")]
    NulByte,
    /// Reported once, not for each line up to the first section.
    #[error("nothing may stand before the first section; put a header such as [default] above it")]
    BeforeSection,
    #[error("the section header does not end with ]; write [NAME]")]
    UnclosedHeader,
    #[error("the line is not key = value; correct it, or start it with #")]
    NoKeyValue,
    #[error("the line is indented, but there is no value above; remove the indentation")]
    NothingToContinue,
    #[error("the line is indented below a key without a value; write key = value, or remove it")]
    Nested,
    #[error("AWS ignores a section of that name; use only letters, digits and _-/.%@:+ in it")]
    SectionName,
    #[error("the section is ignored, as the config file wants a prefix; write [profile {}]", .0)]
    NeedsProfilePrefix(String),
    #[error("the section is ignored, as the credentials file wants no prefix; write [{}]", .0)]
    ProfilePrefix(String),
    /// `[sso-session x]` and the like in the credentials file.
    #[error("the section is ignored in the credentials file; move it to the config file")]
    ConfigOnly,
    #[error("[default] is ignored, as [profile default] stands in the same file; merge the two")]
    OverriddenDefault,
    #[error("the line is ignored for its key; use only letters, digits and _-/.%@:+ in it")]
    KeyName,
    #[error("the value of {0} is not a time and is ignored; write it as 2030-12-31T23:59:59Z")]
    Expiry(&'static str),
}

impl ProblemKind {
    /// Whether AWS's own SDKs give up on the whole file at such a line, rather than skip it.
    pub fn rejects_file(&self) -> bool {
        matches!(
            self,
            Self::ByteOrderMark
                | Self::NotUtf8
                | Self::BeforeSection
                | Self::UnclosedHeader
                | Self::NoKeyValue
                | Self::NothingToContinue
                | Self::Nested
        )
    }
}

/// Adds a problem. A binary file has one on nearly every line, so that no more are kept.
pub(super) fn add(problems: &mut Vec<Problem>, at: At, what: ProblemKind) {
    if problems.len() < MOST {
        problems.push(Problem { at, what });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_with_a_remedy() {
        for what in [
            ProblemKind::ByteOrderMark,
            ProblemKind::NotUtf8,
            ProblemKind::NulByte,
            ProblemKind::BeforeSection,
            ProblemKind::UnclosedHeader,
            ProblemKind::NoKeyValue,
            ProblemKind::NothingToContinue,
            ProblemKind::Nested,
            ProblemKind::SectionName,
            ProblemKind::NeedsProfilePrefix(String::new()),
            ProblemKind::ProfilePrefix(String::new()),
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
