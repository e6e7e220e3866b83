//! The dialect of the AWS files, which is not INI: one pass from the bytes of a file to its sections and properties.
//!
//! What is accepted and what is rejected, to the line, is what AWS's Rust SDK does (`tests/it/aws_oracle.rs` compares the
//! two); but where the SDK gives up on a file, this reader gives up on the line. It does not know what sections mean.

use std::borrow::Cow;

use zeroize::Zeroize;

use super::{At, FileKind, Problem, ProblemKind, problem};

/// A section as it stands in the file. The same header may come again.
pub(super) struct Section<'a> {
    pub(super) at: At,
    /// What stands between the brackets.
    pub(super) header: &'a str,
    pub(super) properties: Vec<Property<'a>>,
}

pub(super) struct Property<'a> {
    pub(super) at: At,
    /// As it was written.
    pub(super) key: &'a str,
    /// Its own memory only where it spans lines.
    pub(super) value: Cow<'a, str>,
}

/// Nobody can tell which values are secret.
impl Drop for Property<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(value) = &mut self.value {
            value.zeroize();
        }
    }
}

/// Reads one file.
pub(super) fn read<'a>(
    kind: FileKind,
    bytes: &'a [u8],
    problems: &mut Vec<Problem>,
) -> Vec<Section<'a>> {
    let mut at = At { kind, line: 1 };
    let text = bytes.strip_prefix(b"\xef\xbb\xbf");
    if text.is_some() {
        problem::add(problems, at, ProblemKind::ByteOrderMark);
    }
    let mut reader = Reader { place: Place::Start, sections: Vec::new(), value_lines: Vec::new() };
    for line in text.unwrap_or(bytes).split_inclusive(|&byte| byte == b'\n') {
        // A carriage return belongs to the line unless a line feed follows.
        let line = match line.strip_suffix(b"\n") {
            Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
            None => line,
        };
        if let Err(what) = reader.line(at, line) {
            problem::add(problems, at, what);
        }
        at.line += 1;
    }
    reader.end_value();
    reader.sections
}

/// What the line above was, as far as it decides what the next line can be.
#[derive(Clone, Copy)]
enum Place {
    /// No section yet.
    Start,
    /// Below a rejected section header, or below what was rejected for coming before any section. All is skipped up to
    /// the next header: it must never end up in the section above.
    RejectedSection,
    Section,
    /// Below a rejected property, whose continuations are skipped.
    RejectedProperty,
    /// Below a property and its continuations. If it has no value of its own, they must be properties too.
    Property {
        nested: bool,
    },
}

struct Reader<'a> {
    place: Place,
    sections: Vec<Section<'a>>,
    /// The value of the last property, line by line.
    value_lines: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    fn line(&mut self, at: At, line: &'a [u8]) -> Result<(), ProblemKind> {
        let text = std::str::from_utf8(line).map_err(|_| ProblemKind::NotUtf8);
        let first = match line.first() {
            None => return Ok(()),
            Some(b'#' | b';') => return text.map(drop),
            Some(_) if line.iter().all(|byte| matches!(byte, b' ' | b'\t')) => return Ok(()),
            Some(first) => first,
        };
        // Until it has proved to be good, the line counts as rejected.
        let above = self.place;
        self.place = match (first, above) {
            (b'[', _) | (_, Place::Start) => Place::RejectedSection,
            (b' ' | b'\t', _) | (_, Place::RejectedSection) => above,
            _ => Place::RejectedProperty,
        };
        let text = text?;
        if text.contains('\0') {
            return Err(ProblemKind::NulByte);
        }
        match (first, above) {
            (b'[', _) => self.header(at, text),
            (_, Place::Start) => Err(ProblemKind::BeforeSection),
            (_, Place::RejectedSection) => Ok(()),
            (b' ' | b'\t', _) => self.continuation(text),
            _ => self.property(at, text),
        }
    }

    fn header(&mut self, at: At, line: &'a str) -> Result<(), ProblemKind> {
        let header = trim(line.split(['#', ';']).next().unwrap_or(line));
        let header = header.strip_prefix('[').and_then(|header| header.strip_suffix(']'));
        let header = header.ok_or(ProblemKind::UnclosedHeader)?;
        self.end_value();
        self.sections.push(Section { at, header, properties: Vec::new() });
        self.place = Place::Section;
        Ok(())
    }

    fn property(&mut self, at: At, line: &'a str) -> Result<(), ProblemKind> {
        let (key, value) = split(line)?;
        self.end_value();
        if let Some(section) = self.sections.last_mut() {
            section.properties.push(Property { at, key, value: Cow::Borrowed(value) });
            self.value_lines.push(value);
        }
        self.place = Place::Property { nested: value.is_empty() };
        Ok(())
    }

    fn continuation(&mut self, line: &'a str) -> Result<(), ProblemKind> {
        // Comments are not cut off here: in a continuation `#` is text.
        let line = trim(line);
        match self.place {
            Place::Section => Err(ProblemKind::NothingToContinue),
            Place::Property { nested: true } if split(line).is_err() => Err(ProblemKind::Nested),
            Place::Property { .. } => {
                self.value_lines.push(line);
                Ok(())
            }
            Place::Start | Place::RejectedSection | Place::RejectedProperty => Ok(()),
        }
    }

    /// Joins the lines of the last value, all at once: a string that grows leaves copies behind, which nobody wipes.
    fn end_value(&mut self) {
        let property = self.sections.last_mut().and_then(|section| section.properties.last_mut());
        if let (Some(property), 2..) = (property, self.value_lines.len()) {
            property.value = Cow::Owned(self.value_lines.join("\n"));
        }
        self.value_lines.clear();
    }
}

fn split(line: &str) -> Result<(&str, &str), ProblemKind> {
    let (key, value) = without_comment(line).split_once('=').ok_or(ProblemKind::NoKeyValue)?;
    match trim(key) {
        "" => Err(ProblemKind::NoKeyValue),
        key => Ok((key, trim(value))),
    }
}

/// The line up to a `#` or `;` that has whitespace before it. Here, unlike everywhere else in the dialect, all that
/// Unicode calls whitespace counts.
pub(super) fn without_comment(line: &str) -> &str {
    let bytes = line.bytes().enumerate();
    let mut signs = bytes.filter(|(_, byte)| matches!(byte, b'#' | b';'));
    let comment = signs.find(|&(at, _)| line[..at].ends_with(char::is_whitespace));
    comment.map_or(line, |(at, _)| &line[..at])
}

/// Spaces and tabs are the only whitespace of the dialect.
pub(super) const SPACE: [char; 2] = [' ', '\t'];

fn trim(text: &str) -> &str {
    text.trim_matches(SPACE)
}

/// Whether all characters are among those that AWS allows in the names of sections and keys.
pub(super) fn is_identifier(name: &str) -> bool {
    let is_allowed = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'_' | b'-' | b'/' | b'.' | b'%' | b'@' | b':' | b'+')
    };
    name.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests;
