//! Values as source text of each shell, such that the shell reads back exactly the bytes that went in.
//!
//! Everything is quoted, also what looks harmless: zsh expands `=name` and `~name` in assignments, fish `%self`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::shells::Shell;

/// Appends `value` as one word.
pub fn quote(shell: Shell, value: impl AsRef<OsStr>, out: &mut Vec<u8>) {
    let value = value.as_ref().as_bytes();
    match shell {
        Shell::Bash | Shell::Zsh => quote_posix(value, out),
        Shell::Fish => quote_escaped(value, b'\'', |byte| format!("'\\X{byte:02x}'"), out),
        // It has no others: text is UTF-8.
        Shell::Nu => quote_escaped(value, b'"', |_| char::REPLACEMENT_CHARACTER.into(), out),
    }
}

/// Code that prints a text as it is.
pub fn print_code(shell: Shell, text: &str) -> Vec<u8> {
    let mut code = match shell {
        Shell::Bash | Shell::Zsh => b"\\builtin printf %s ".to_vec(),
        Shell::Fish => b"builtin printf %s ".to_vec(),
        Shell::Nu => b"text: ".to_vec(),
    };
    quote(shell, text, &mut code);
    code.push(b'\n');
    code
}

/// Single quotes, in which only the single quote itself means anything (IEEE Std 1003.1, "Single-Quotes").
///
/// Not `shell-escape`: it takes no bytes that are not UTF-8, and leaves `=` bare at the start of a word.
fn quote_posix(value: &[u8], out: &mut Vec<u8>) {
    out.push(b'\'');
    for &byte in value {
        match byte {
            b'\'' => out.extend(br"'\''"),
            _ => out.push(byte),
        }
    }
    out.push(b'\'');
}

/// fish's single quotes know two escapes, `\'` and `\\` (fish documentation, "Quotes"), and of nushell's double quotes
/// these two are enough. Bytes that are not UTF-8 fish gets as `\Xhh` outside of quotes, because it decodes its input
/// before it reads it.
fn quote_escaped(value: &[u8], quote: u8, undecodable: impl Fn(u8) -> String, out: &mut Vec<u8>) {
    out.push(quote);
    for chunk in value.utf8_chunks() {
        for byte in chunk.valid().bytes() {
            if byte == quote || byte == b'\\' {
                out.push(b'\\');
            }
            out.push(byte);
        }
        out.extend(chunk.invalid().iter().flat_map(|byte| undecodable(*byte).into_bytes()));
    }
    out.push(quote);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(shell: Shell, value: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        quote(shell, OsStr::from_bytes(value), &mut out);
        out
    }

    #[test]
    fn a_single_quote_leaves_and_enters_posix_quotes() {
        assert_eq!(quoted(Shell::Bash, b"it's"), b"'it'\\''s'");
        assert_eq!(quoted(Shell::Zsh, b"=ls"), b"'=ls'");
        assert_eq!(quoted(Shell::Bash, b""), b"''");
    }

    #[test]
    fn a_trailing_backslash_does_not_escape_the_closing_quote_in_fish() {
        assert_eq!(quoted(Shell::Fish, b"a\\"), b"'a\\\\'");
        assert_eq!(quoted(Shell::Bash, b"a\\"), b"'a\\'");
    }

    #[test]
    fn bytes_that_are_not_utf8_become_byte_escapes_in_fish() {
        assert_eq!(quoted(Shell::Fish, b"caf\xe9!"), b"'caf'\\Xe9'!'");
        assert_eq!(quoted(Shell::Bash, b"caf\xe9"), b"'caf\xe9'");
    }
}
