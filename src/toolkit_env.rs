//! `~/.backlog-toolkit-env` as data, line by line.
//!
//! The toolkit sources this file; we never run it. `NAME='value'`, with or without `export` and quoted in any of the
//! POSIX ways, is read. A value that needs a shell, or that does not end on its line, is reported and never guessed.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use zeroize::Zeroizing;

/// With this and nothing of AWS's, `LiteLLM` uses Anthropic's own API.
pub const ANTHROPIC_KEY: &str = "ANTHROPIC_API_KEY";

/// The variables that the chain looks at, then those that the start script or `LiteLLM` goes by.
const KNOWN: [&str; 12] = [
    "BACKLOG_AWS_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_PROFILE",
    "AWS_PROFILE_NAME",
    "AWS_ROLE_NAME",
    ANTHROPIC_KEY,
];

/// The variables that the chain looks at.
pub const NAMES: &[&str] = KNOWN.split_at(8).0;

/// Why a value is not known: the end of a sentence about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// Such as `"$USER"`.
    #[error("needs a shell to read it")]
    NeedsShell,
    /// The line ends within a quote or in a backslash.
    #[error("is in a quote that is not closed on its line")]
    OpenQuote,
}

struct Assignment {
    name: &'static str,
    value: Result<Zeroizing<Vec<u8>>, Unknown>,
    /// Of all assignments; the last one counts.
    lines: Vec<usize>,
}

/// What the file says about each variable: its last assignment, as for a shell that reads the file.
#[derive(Default)]
pub struct ToolkitEnv {
    assignments: Vec<Assignment>,
}

impl ToolkitEnv {
    /// Executes nothing, and takes time in proportion to the size.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut file = Self::default();
        // A quote that an earlier line left open, and the number of that line.
        let mut open: Option<(u8, usize)> = None;
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        for (line, text) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
            // In a file with CRLF a shell makes the carriage return part of the value, which nobody means.
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            if let Some((quote, opened_at)) = open {
                for name in assigned_in(text) {
                    file.set(name, opened_at, Err(Unknown::OpenQuote));
                }
                let closed = match quote {
                    b'\\' => !text.ends_with(b"\\"),
                    _ => text.contains(&quote),
                };
                open = open.filter(|_| !closed);
            } else {
                open = file.read_line(line, text).map(|quote| (quote, line));
            }
        }
        file
    }

    /// The value of a variable and its line. An empty value counts as unset: the toolkit's wizard writes `''` for
    /// questions that were not answered.
    pub fn get(&self, name: &str) -> Option<(OsString, usize)> {
        let found = self.assignment_of(name)?;
        let value = found.value.as_ref().ok().filter(|value| !value.is_empty())?;
        Some((OsString::from_vec(value.to_vec()), *found.lines.last()?))
    }

    /// What becomes of a variable when the file is sourced, empty values included; `None` when it stays as it is.
    pub fn find(&self, name: &str) -> Option<Result<&[u8], Unknown>> {
        let found = self.assignment_of(name)?;
        Some(found.value.as_ref().map(|value| value.as_slice()).map_err(|why| *why))
    }

    /// Every line that assigns the variable.
    pub fn lines_of(&self, name: &str) -> Vec<usize> {
        self.assignment_of(name).map_or_else(Vec::new, |found| found.lines.clone())
    }

    /// The variables of [`NAMES`] that are set to something unknown, with the line to change.
    pub fn unknown(&self) -> impl Iterator<Item = (&'static str, usize, Unknown)> {
        let of_chain = self.assignments.iter().filter(|found| NAMES.contains(&found.name));
        of_chain.filter_map(|found| {
            Some((found.name, *found.lines.last()?, found.value.as_ref().err().copied()?))
        })
    }

    fn assignment_of(&self, name: &str) -> Option<&Assignment> {
        self.assignments.iter().find(|found| found.name == name)
    }

    /// Replaces what an earlier line said, and wipes its secret.
    fn set(&mut self, name: &'static str, line: usize, value: Result<Zeroizing<Vec<u8>>, Unknown>) {
        let earlier = self.assignments.iter().position(|earlier| earlier.name == name);
        let earlier = earlier.map(|at| self.assignments.remove(at).lines);
        let mut lines = earlier.unwrap_or_default();
        if lines.last() != Some(&line) {
            lines.push(line);
        }
        self.assignments.push(Assignment { name, value, lines });
    }

    /// Reads the statements of one line. Returns the quote or backslash that leaves the last value open.
    fn read_line(&mut self, line: usize, mut text: &[u8]) -> Option<u8> {
        loop {
            let statement = text.trim_ascii_start();
            let exported = statement
                .strip_prefix(b"export")
                .filter(|rest| rest.first().is_none_or(u8::is_ascii_whitespace));
            let mut rest = exported.unwrap_or(statement).trim_ascii_start();
            let mut names = Vec::new();
            while let Some((name, value)) = assignment(rest) {
                let name = known(name);
                let (why, open) = match read_value(value) {
                    Err(stop) => stop,
                    Ok((value, after)) => {
                        if let Some(name) = name {
                            self.set(name, line, Ok(value));
                            names.push(name);
                        }
                        rest = after.trim_ascii_start();
                        continue;
                    }
                };
                for name in name.into_iter().chain(assigned_in(value)) {
                    self.set(name, line, Err(why));
                }
                return open;
            }
            match rest {
                [b';' | b'&', after @ ..] => text = after,
                [] | [b'#', ..] => return None,
                [b'u', b'n', b's', b'e', b't', b' ' | b'\t', names @ ..] => {
                    // Nothing is what is left of it in the environment too.
                    for name in names.split(|&byte| !is_identifier(byte)).filter_map(known) {
                        self.set(name, line, Ok(Zeroizing::default()));
                    }
                    return None;
                }
                code => {
                    // `NAME=value command` sets it for that command alone.
                    let names = if exported.is_none() { names } else { Vec::new() };
                    for name in names.into_iter().chain(assigned_in(code)) {
                        self.set(name, line, Err(Unknown::NeedsShell));
                    }
                    return None;
                }
            }
        }
    }
}

/// The name and what follows the sign of an assignment at the start of `text`.
fn assignment(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = text.iter().position(|&byte| !is_identifier(byte))?;
    let (name, rest) = text.split_at(length);
    let starts_well = name.first().is_some_and(|byte| !byte.is_ascii_digit());
    rest.strip_prefix(b"=").filter(|_| starts_well).map(|value| (name, value))
}

/// The variables that a piece of code seems to assign which only a shell can follow.
fn assigned_in(code: &[u8]) -> impl Iterator<Item = &'static str> {
    let pieces = code.split_inclusive(|&byte| !is_identifier(byte));
    // bash and zsh append with `+=`.
    pieces.filter_map(|piece| known(piece.strip_suffix(b"=").or_else(|| piece.strip_suffix(b"+"))?))
}

fn known(name: &[u8]) -> Option<&'static str> {
    KNOWN.into_iter().find(|known| known.as_bytes() == name)
}

fn is_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Why a value cannot be read to its end, and the quote or backslash that is left open.
type Stop = (Unknown, Option<u8>);

/// Reads one POSIX shell word (IEEE Std 1003.1, "Quoting") up to the first unquoted blank, `;` or `&`, and returns what
/// follows too.
fn read_value(text: &[u8]) -> Result<(Zeroizing<Vec<u8>>, &[u8]), Stop> {
    const NEEDS_SHELL: Stop = (Unknown::NeedsShell, None);
    let open = |quote| (Unknown::OpenQuote, Some(quote));
    let mut value = Zeroizing::new(Vec::new());
    let mut quote = None;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match (quote, byte) {
            (Some(until), _) if byte == until => quote = None,
            (Some(b'\''), _) => value.push(byte),
            (_, b'$' | b'`') | (None, b'(' | b')' | b'<' | b'>' | b'|') => {
                return Err(NEEDS_SHELL);
            }
            // `~` expands at the start of a value and, in an assignment, after a colon.
            (None, b'~') if at == 0 || text[at - 1] == b':' => return Err(NEEDS_SHELL),
            (_, b'\\') => {
                at += 1;
                let &escaped = text.get(at).ok_or(open(quote.unwrap_or(b'\\')))?;
                // Between double quotes, a backslash before any other character stands for itself.
                if quote.is_some() && !matches!(escaped, b'$' | b'`' | b'"' | b'\\') {
                    value.push(b'\\');
                }
                value.push(escaped);
            }
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b' ' | b'\t' | b';' | b'&') => break,
            _ => value.push(byte),
        }
        at += 1;
    }
    match quote {
        Some(quote) => Err(open(quote)),
        None => Ok((value, &text[at..])),
    }
}

#[cfg(test)]
mod tests;
