//! Text made fit for a terminal: hostile characters, colors and tables; and commands and paths that can be pasted.

use std::array;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;

/// Text from outside made fit for a terminal: control and bidirectional-override characters and bytes that are not
/// UTF-8 become visible escapes.
///
/// A name like `bed\u{202e}kcor` would otherwise read as another profile, and an escape sequence could rewrite the line
/// that warns about it ("Trojan Source", CVE-2021-42574).
pub fn visible(text: impl AsRef<OsStr>) -> String {
    use std::fmt::Write as _;
    let mut shown = String::new();
    for chunk in text.as_ref().as_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => shown.push_str("\\n"),
                '\t' => shown.push_str("\\t"),
                '\r' => shown.push_str("\\r"),
                c if (c.is_control() || is_invisible(c)) && u32::from(c) < 0x80 => {
                    let _ = write!(shown, "\\x{:02x}", u32::from(c));
                }
                c if c.is_control() || is_invisible(c) => {
                    let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
                }
                c => shown.push(c),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

/// A path for people, with `~` for the home directory.
pub fn shown(path: &Path, home: Option<&Path>) -> String {
    match home.and_then(|home| path.strip_prefix(home).ok()) {
        Some(below) if below.as_os_str().is_empty() => "~".to_owned(),
        Some(below) => format!("~/{}", visible(below)),
        None => visible(path),
    }
}

/// A path as a word that bash, zsh and fish read alike, or `None` when there is none: text that cannot be shown as it is
/// cannot be pasted either, and a backslash within quotes means one thing to fish and another to the others.
pub fn pasted(path: &Path) -> Option<String> {
    let text = path.to_str()?;
    let alike = !text.contains(['\\', '`']) && visible(text) == text;
    alike.then(|| shell_escape::unix::escape(text.into()).into_owned())
}

/// A name as all three shells read it.
pub fn quoted(name: &str) -> String {
    shell_escape::unix::escape(name.into()).into_owned()
}

/// A command on a path in backquotes, for pasting into any of the three shells; where it cannot be pasted, in words.
pub fn command_on(command: &str, path: &Path) -> String {
    match pasted(path) {
        Some(path) => format!("`{command} {path}`"),
        None => format!("{command} on {}", visible(path)),
    }
}

/// The command that puts a file aside without losing it.
pub fn put_aside(path: &Path) -> String {
    let aside = path.with_added_extension("aside");
    match (pasted(path), pasted(&aside)) {
        (Some(path), Some(aside)) => format!("`mv {path} {aside}`"),
        _ => format!("move {} away", visible(path)),
    }
}

/// The command that turns lines of a shell file into comments. It leaves the old file beside it.
pub fn comment_out(path: &Path, lines: &[usize]) -> String {
    let edits: Vec<String> = lines.iter().map(|line| format!("-e '{line}s/^/# /'")).collect();
    command_on(&format!("sed -i.bak {}", edits.join(" ")), path)
}

/// A value as indented JSON and a line end. Characters that a terminal would act on are escaped: they can come from the
/// names of files and profiles.
pub fn write_json(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    use std::fmt::Write as _;
    let text = serde_json::to_string_pretty(value)?;
    let mut escaped = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        if c != '\n' && (c.is_control() || is_invisible(c)) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(c);
        }
    }
    escaped.push('\n');
    out.write_all(escaped.as_bytes())
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub const GOOD: Style = AnsiColor::Green.on_default().bold();
pub const BAD: Style = AnsiColor::Red.on_default().bold();
pub const FAINT: Style = Style::new().dimmed();

/// The rows of a table as lines, each column as wide as its widest cell and two blanks between them. A cell that is far
/// wider than cells are moves its own row only.
pub fn table<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> impl Iterator<Item = String> {
    const WIDE: usize = 24;
    let width = |row: &[String; COLUMNS], column: usize| row[column].chars().count();
    let longest = |column: usize| {
        rows.iter().map(|row| width(row, column)).filter(|width| *width <= WIDE).max()
    };
    let widths: [usize; COLUMNS] = array::from_fn(|column| longest(column).unwrap_or(0));
    rows.iter().map(move |row| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}  "));
        cells.collect::<String>().trim_end().to_owned()
    })
}

/// Characters that change how the rest of a line is read without being seen themselves: bidirectional controls
/// (Unicode UAX #9), zero-width characters, line separators, tags and the byte order mark.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_bidi_characters_are_made_visible() {
        assert_eq!(visible("bedrock"), "bedrock");
        assert_eq!(visible("a\x1b[2Kb\nc"), "a\\x1b[2Kb\\nc");
        assert_eq!(visible("bed\u{202e}kcor"), "bed\\u{202e}kcor");
        assert_eq!(visible("\u{9b}31m"), "\\u{9b}31m");
    }

    #[test]
    fn json_has_nothing_that_a_terminal_acts_on() {
        let mut out = Vec::new();
        write_json(&mut out, &["a\u{9b}b\u{7f}c\u{202e}d\u{e0001}e\n"]).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "[\n  \"a\\u009bb\\u007fc\\u202ed\\udb40\\udc01e\\n\"\n]\n");
        let back: Vec<String> = serde_json::from_str(&text).unwrap();
        assert_eq!(back, ["a\u{9b}b\u{7f}c\u{202e}d\u{e0001}e\n"]);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_made_visible() {
        assert_eq!(visible(OsStr::from_bytes(b"caf\xe9")), "caf\\xe9");
    }
}
