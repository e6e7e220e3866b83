//! The dialect of the AWS files, which is not INI: one loop from the bytes of a file to its sections and properties.
//!
//! What is accepted and what is rejected, to the line, is what AWS's Rust SDK does (`tests/it/aws_oracle.rs` compares the
//! two); but where the SDK gives up on a file, this reader gives up on the line. It knows nothing of profiles.

use std::fmt;
use std::ops::Range;
use std::path::Path;

use memchr::{Memchr, memchr, memchr_iter, memchr2, memchr2_iter};

use super::ProblemKind;

/// Which of the two AWS files: they differ in how sections are named. Ordered as profiles are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileKind {
    /// `~/.aws/credentials`, where a profile is called `[x]`.
    Credentials,
    /// `~/.aws/config`, where a profile is called `[profile x]`.
    Config,
}

impl FileKind {
    /// The usual name of the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Config => "config",
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One of the AWS files, as it was read.
#[derive(Clone, Copy)]
pub struct AwsFile<'a> {
    /// Which of the two it is.
    pub kind: FileKind,
    /// Where it was read, for messages.
    pub path: &'a Path,
    /// What it contains.
    pub bytes: &'a [u8],
}

impl fmt::Debug for AwsFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsFile")
            .field("kind", &self.kind)
            .field("path", &self.path)
            .field("len", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Something that the reader found on a line.
#[derive(PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) enum Event<'a> {
    /// A section begins: what stands between the brackets.
    Section(&'a str),
    /// A property of the section.
    Property(Property<'a>),
    /// One more line for the value of the last property.
    Continuation(&'a str),
    /// The line is rejected. What belongs to it is skipped: the continuations of a property, the properties of a
    /// section. They must never end up in the property or profile above.
    Rejected(ProblemKind),
}

/// A property as it stands on its line.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct Property<'a> {
    /// The key as it was written.
    pub(super) key: &'a str,
    /// Whether AWS allows such a key.
    pub(super) is_allowed: bool,
    /// What stands behind the `=`.
    rest: &'a str,
}

impl<'a> Property<'a> {
    /// Splits a line.
    fn on(line: &'a str) -> Result<Self, ProblemKind> {
        let equals = memchr(b'=', line.as_bytes()).ok_or(ProblemKind::NoEquals)?;
        let key = trim(&line[..equals]);
        let is_allowed = is_identifier(key);
        // A comment may begin before the `=`.
        if !is_allowed && without_comment(&line[..equals]).len() < equals {
            return Err(ProblemKind::NoEquals);
        }
        if key.is_empty() {
            return Err(ProblemKind::NoKey);
        }
        Ok(Self { key, is_allowed, rest: &line[equals + 1..] })
    }

    /// The value without its comment. Found when it is asked for, because most never are.
    pub(super) fn value(&self) -> &'a str {
        trim(without_comment(self.rest))
    }
}

/// Where in the file we are, as far as it decides what the next line can be.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// No section yet.
    Start,
    /// Below a rejected section header, or below what was rejected for coming before any section.
    Nowhere,
    /// Directly below a section header.
    Section,
    /// Below this property.
    Property(Property<'a>),
    /// Below a property and a continuation of it. If it has no value of its own (`nested`), they must be properties too.
    Continued { nested: bool },
    /// Below a rejected property.
    RejectedProperty,
}

/// Reads one file line by line. Yields line numbers, counted from 1, with what is there.
pub(super) struct Reader<'a> {
    lines: Lines<'a>,
    place: Place<'a>,
    /// A byte order mark was there and is yet to be reported.
    byte_order_mark: bool,
    /// There are NUL bytes somewhere, so that each line must be searched for them.
    nul_bytes: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let (bytes, byte_order_mark) = match bytes.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) => (rest, true),
            None => (bytes, false),
        };
        Self {
            lines: Lines::new(bytes),
            place: Place::Start,
            byte_order_mark,
            nul_bytes: memchr(0, bytes).is_some(),
        }
    }

    /// Where the line of the last event begins. Only meant for [`slice`](Self::slice).
    pub(super) fn line_start(&self) -> usize {
        self.lines.line_start
    }

    /// Behind the last line.
    pub(super) fn end(&self) -> usize {
        self.lines.bytes.len()
    }

    /// A part of the file.
    pub(super) fn slice(&self, range: Range<usize>) -> &'a [u8] {
        &self.lines.bytes[range]
    }

    fn read(&mut self, line: Line<'a>) -> Option<Event<'a>> {
        let text = match line {
            Line::Text(text) => text,
            Line::NotUtf8(bytes) => return Some(self.skip(bytes[0], ProblemKind::NotUtf8)),
        };
        let first = *text.as_bytes().first()?;
        if is_comment(first) || is_blank(text) {
            return None;
        }
        if self.nul_bytes && memchr(0, text.as_bytes()).is_some() {
            return Some(self.skip(first, ProblemKind::NulByte));
        }
        match first {
            b'[' => Some(self.section(text)),
            b' ' | b'\t' => self.continuation(text),
            _ => self.property(text),
        }
    }

    fn section(&mut self, line: &'a str) -> Event<'a> {
        let comment = memchr2(b'#', b';', line.as_bytes()).unwrap_or(line.len());
        let header = trim(&line[..comment]);
        let name = header.strip_prefix('[').and_then(|header| header.strip_suffix(']'));
        self.place = if name.is_some() { Place::Section } else { Place::Nowhere };
        name.map_or(Event::Rejected(ProblemKind::UnclosedHeader), Event::Section)
    }

    fn property(&mut self, line: &'a str) -> Option<Event<'a>> {
        if let Place::Start = self.place {
            self.place = Place::Nowhere;
            return Some(Event::Rejected(ProblemKind::BeforeSection));
        }
        let property = Property::on(line);
        if let Place::Nowhere = self.place {
            return property.err().map(Event::Rejected);
        }
        match property {
            Ok(property) => {
                self.place = Place::Property(property);
                Some(Event::Property(property))
            }
            Err(what) => {
                self.place = Place::RejectedProperty;
                Some(Event::Rejected(what))
            }
        }
    }

    fn continuation(&mut self, line: &'a str) -> Option<Event<'a>> {
        match self.place {
            Place::Start => {
                self.place = Place::Nowhere;
                Some(Event::Rejected(ProblemKind::BeforeSection))
            }
            Place::Nowhere | Place::RejectedProperty => None,
            Place::Section => Some(Event::Rejected(ProblemKind::NothingToContinue)),
            Place::Property(property) => {
                // Looked for once, however many continuations there are.
                let nested = property.value().is_empty();
                Some(self.continue_property(nested, line))
            }
            Place::Continued { nested } => Some(self.continue_property(nested, line)),
        }
    }

    fn continue_property(&mut self, nested: bool, line: &'a str) -> Event<'a> {
        self.place = Place::Continued { nested };
        // Comments are not cut off here: in a continuation `#` is text.
        let line = trim(line);
        if nested && Property::on(line).is_err() {
            Event::Rejected(ProblemKind::Nested)
        } else {
            Event::Continuation(line)
        }
    }

    /// Rejects a line whose text cannot be used. Its first byte still says what kind of line it is.
    fn skip(&mut self, first: u8, what: ProblemKind) -> Event<'a> {
        self.place = match (first, self.place) {
            (b' ' | b'\t' | b'#' | b';', place) => place,
            (b'[', _) | (_, Place::Start | Place::Nowhere) => Place::Nowhere,
            _ => Place::RejectedProperty,
        };
        Event::Rejected(what)
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = (usize, Event<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        if std::mem::take(&mut self.byte_order_mark) {
            return Some((1, Event::Rejected(ProblemKind::ByteOrderMark)));
        }
        loop {
            let line = self.lines.next()?;
            if let Some(event) = self.read(line) {
                return Some((self.lines.number, event));
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Line<'a> {
    Text(&'a str),
    /// Never empty: an empty line is valid UTF-8.
    NotUtf8(&'a [u8]),
}

/// Splits a file as `str::lines` does: at `\n` or `\r\n`; a lone `\r` belongs to the line.
struct Lines<'a> {
    bytes: &'a [u8],
    /// The whole file as text, if it is valid UTF-8. Checking it once is much cheaper than line by line.
    text: Option<&'a str>,
    ends: Memchr<'a>,
    /// Where the line begins that was yielded last, and where the next one does.
    line_start: usize,
    start: usize,
    /// The number of the line that was yielded last.
    number: usize,
}

impl<'a> Lines<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            text: std::str::from_utf8(bytes).ok(),
            ends: memchr_iter(b'\n', bytes),
            line_start: 0,
            start: 0,
            number: 0,
        }
    }

    fn next(&mut self) -> Option<Line<'a>> {
        let start = self.start;
        let end = match self.ends.next() {
            Some(newline) => {
                self.start = newline + 1;
                newline - usize::from(self.bytes[start..newline].ends_with(b"\r"))
            }
            None if start < self.bytes.len() => {
                self.start = self.bytes.len();
                self.bytes.len()
            }
            None => return None,
        };
        self.number += 1;
        self.line_start = start;
        if let Some(text) = self.text {
            return Some(Line::Text(&text[start..end]));
        }
        let bytes = &self.bytes[start..end];
        Some(std::str::from_utf8(bytes).map_or(Line::NotUtf8(bytes), Line::Text))
    }
}

/// The line up to a `#` or `;` that has whitespace before it. Here, unlike everywhere else in the dialect, all that
/// Unicode calls whitespace counts.
fn without_comment(line: &str) -> &str {
    let comment = memchr2_iter(b'#', b';', line.as_bytes())
        .find(|&sign| line[..sign].chars().next_back().is_some_and(char::is_whitespace));
    &line[..comment.unwrap_or(line.len())]
}

/// Removes spaces and tabs, the only whitespace of the dialect, at both ends.
fn trim(text: &str) -> &str {
    let mut bytes = text.as_bytes();
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    let start = text.len() - bytes.len();
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    &text[start..start + bytes.len()]
}

/// The characters that the dialect counts as whitespace.
pub(super) const SPACE: [char; 2] = [' ', '\t'];

fn is_blank(line: &str) -> bool {
    line.bytes().all(|byte| matches!(byte, b' ' | b'\t'))
}

fn is_comment(first: u8) -> bool {
    matches!(first, b'#' | b';')
}

/// Whether all characters are among those that AWS allows in the names of sections and keys.
pub(super) fn is_identifier(name: &str) -> bool {
    // Looked up for every key and every name of what may be thousands of profiles.
    static ALLOWED: [bool; 256] = {
        let mut allowed = [false; 256];
        let mut byte: u8 = 0;
        while byte < 128 {
            allowed[byte as usize] = byte.is_ascii_alphanumeric()
                || matches!(byte, b'_' | b'-' | b'/' | b'.' | b'%' | b'@' | b':' | b'+');
            byte += 1;
        }
        allowed
    };
    name.bytes().all(|byte| ALLOWED[usize::from(byte)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use Event::{Continuation, Rejected, Section};

    fn read(text: &[u8]) -> Vec<(usize, Event<'_>)> {
        Reader::new(text).collect()
    }

    fn rejected(text: &[u8]) -> Vec<(usize, ProblemKind)> {
        let problem = |(line, event)| match event {
            Rejected(what) => Some((line, what)),
            _ => None,
        };
        Reader::new(text).filter_map(problem).collect()
    }

    fn property(line: &str) -> Event<'_> {
        Event::Property(Property::on(line).unwrap())
    }

    fn values(text: &str) -> Vec<String> {
        let text = format!("[x]\n{text}");
        let value = |(_, event)| match event {
            Event::Property(property) => Some(format!("{}={}", property.key, property.value())),
            _ => None,
        };
        Reader::new(text.as_bytes()).filter_map(value).collect()
    }

    #[test]
    fn sections_and_properties_come_with_their_line_numbers() {
        let events = read(b"# mine\n\n[a]\nk = v\n\n[b]\n");
        let property = property("k = v");
        assert_eq!(events, [(3, Section("a")), (4, property), (6, Section("b"))]);
    }

    #[test]
    fn a_colon_does_not_separate() {
        assert_eq!(rejected(b"[x]\nregion: eu-west-1\n"), [(2, ProblemKind::NoEquals)]);
        assert_eq!(values("a:b = c:d\n"), ["a:b=c:d"]);
    }

    #[test]
    fn only_the_first_equals_sign_separates() {
        assert_eq!(values("secret=abc/def==\n"), ["secret=abc/def=="]);
    }

    #[test]
    fn a_comment_after_a_value_needs_whitespace_before_it() {
        assert_eq!(
            values("a = b # c\nd = e ; f\ng = h#i;j\nk=\t#\n"),
            ["a=b", "d=e", "g=h#i;j", "k="]
        );
        assert_eq!(values("a = b\u{a0}# any Unicode space will do\n"), ["a=b\u{a0}"]);
        assert_eq!(rejected(b"[x]\nkey # = value\n"), [(2, ProblemKind::NoEquals)]);
    }

    #[test]
    fn a_comment_after_a_section_needs_none_and_can_cut_its_bracket_off() {
        assert_eq!(read(b"[a]# b\n"), [(1, Section("a"))]);
        assert_eq!(rejected(b"[a#b]\n"), [(1, ProblemKind::UnclosedHeader)]);
    }

    #[test]
    fn an_indented_line_continues_the_value_and_keeps_its_comment() {
        let events = read(b"[x]\na = b\n# between\n\n\t c # d \n");
        assert_eq!(events.last(), Some(&(5, Continuation("c # d"))));
    }

    #[test]
    fn below_a_key_without_value_an_indented_line_must_be_a_property() {
        let events = read(b"[x]\ns3 =\n  max = 5\n  oops\n  = 1\n  min = 1\n");
        let nested = || Rejected(ProblemKind::Nested);
        assert_eq!(
            events[2..],
            [
                (3, Continuation("max = 5")),
                (4, nested()),
                (5, nested()),
                (6, Continuation("min = 1"))
            ]
        );
    }

    #[test]
    fn an_indented_line_below_a_section_header_is_rejected() {
        assert_eq!(rejected(b"[x]\n  a = b\n"), [(2, ProblemKind::NothingToContinue)]);
    }

    #[test]
    fn what_precedes_the_first_section_is_rejected_once() {
        assert_eq!(rejected(b"a = b\nc = d\n  e\n[x]\n"), [(1, ProblemKind::BeforeSection)]);
        assert_eq!(rejected(b"  a = b\nc = d\n"), [(1, ProblemKind::BeforeSection)]);
    }

    #[test]
    fn properties_below_a_rejected_section_belong_to_nobody() {
        let events = read(b"[a]\n[b\nk = v\n  more\n[c]\n");
        let unclosed = Rejected(ProblemKind::UnclosedHeader);
        assert_eq!(events, [(1, Section("a")), (2, unclosed), (5, Section("c"))]);
    }

    #[test]
    fn continuations_of_a_rejected_property_belong_to_nobody() {
        let events = read(b"[a]\nk = v\noops\n  more\n");
        assert_eq!(events.last(), Some(&(3, Rejected(ProblemKind::NoEquals))));
    }

    #[test]
    fn a_property_needs_a_key() {
        assert_eq!(rejected(b"[x]\n= v\n"), [(2, ProblemKind::NoKey)]);
    }

    #[test]
    fn lines_end_with_lf_or_crlf_but_not_with_a_lone_cr() {
        assert_eq!(values("a = b\r\nc = d\re\nf = g\r"), ["a=b", "c=d\re", "f=g\r"]);
        assert_eq!(read(b"[a]\r\n\r\n[b]"), [(1, Section("a")), (3, Section("b"))]);
        // A carriage return alone is not blank.
        assert_eq!(rejected(b"[x]\n\r"), [(2, ProblemKind::NoEquals)]);
    }

    #[test]
    fn a_byte_order_mark_is_reported_and_tolerated() {
        let events = read(b"\xef\xbb\xbf[a]\n");
        assert_eq!(events, [(1, Rejected(ProblemKind::ByteOrderMark)), (1, Section("a"))]);
        assert_eq!(rejected(b"\xef\xbb\xbf"), [(1, ProblemKind::ByteOrderMark)]);
    }

    #[test]
    fn a_line_that_is_not_utf8_costs_only_what_belongs_to_it() {
        let events = read(
            b"[a]\nk = \xff\n  more\nl = m\n[\xff]\nn = o\n[b]\n# caf\xe9\np = q\n  \xff\n  r\n",
        );
        let not_utf8 = || Rejected(ProblemKind::NotUtf8);
        assert_eq!(
            events,
            [
                (1, Section("a")),
                (2, not_utf8()),
                (4, property("l = m")),
                (5, not_utf8()),
                (7, Section("b")),
                (8, not_utf8()),
                (9, property("p = q")),
                (10, not_utf8()),
                (11, Continuation("r")),
            ]
        );
    }

    #[test]
    fn a_line_with_a_nul_byte_is_rejected_unless_it_is_a_comment() {
        assert_eq!(
            rejected(b"#\0\n[a]\nk = \0\n[b\0]\nc = d\n"),
            [(3, ProblemKind::NulByte), (4, ProblemKind::NulByte)]
        );
    }
}
