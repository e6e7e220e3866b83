//! `~/.backlog-toolkit-env` as data.
//!
//! The toolkit sources this file; we never run it. Lines of the form `export NAME='value'` (with or without `export`,
//! quoted in any of the POSIX ways) are read, and what would need a shell to know its value is reported, never guessed.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use zeroize::Zeroizing;

/// The variables of the toolkit's file that matter to us. The last assignment wins, as it does when a shell reads it.
pub const NAMES: [&str; 7] = [
    "BACKLOG_AWS_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
];

/// The same, what the chain does not look at but the file's readers pass on, and what decides when there is no AWS.
const KNOWN: [&str; 15] = {
    let [a, b, c, d, e, f, g] = NAMES;
    [
        a,
        b,
        c,
        d,
        e,
        f,
        g,
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_PROFILE_NAME",
        "AWS_SECURITY_TOKEN",
        "AWS_ROLE_NAME",
        "AWS_ROLE_ARN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        ANTHROPIC_KEY,
    ]
};

/// With this and nothing of AWS's, `LiteLLM` uses Anthropic's own API.
pub const ANTHROPIC_KEY: &str = "ANTHROPIC_API_KEY";

/// One assignment as found.
struct Assignment {
    name: &'static str,
    value: Zeroizing<Vec<u8>>,
    line: usize,
    on_one_line: bool,
}

/// What the file says about the variables in [`NAMES`], and which lines could not be taken at their word.
#[derive(Default)]
pub struct ToolkitEnv {
    assignments: Vec<Assignment>,
    /// Lines whose value needs a shell: the variable's name and the 1-based line.
    pub needs_expansion: Vec<(&'static str, usize)>,
    /// The same of variables that the chain does not look at.
    unknown: Vec<(&'static str, usize)>,
    /// Lines that set one of our variables in a way no shell would accept: name and 1-based line.
    pub malformed: Vec<(&'static str, usize)>,
}

impl ToolkitEnv {
    /// Reads the file's bytes. Time and memory are linear; nothing is executed.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut read = Self::default();
        let mut rest = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let mut line = 1;
        while !rest.is_empty() {
            let consumed = read.statement(rest, line);
            line += memchr::memchr_iter(b'\n', &rest[..consumed]).count();
            rest = &rest[consumed..];
        }
        read
    }

    /// The value of a variable and its line. An empty value counts as unset: the toolkit's wizard writes `''` for
    /// questions that were not answered.
    pub fn get(&self, name: &str) -> Option<(OsString, usize)> {
        self.last(name)
            .filter(|found| !found.value.is_empty())
            .map(|found| (OsString::from_vec(found.value.to_vec()), found.line))
    }

    /// Whether the file sets the variable to nothing, which blanks what the environment had.
    pub fn blanks(&self, name: &str) -> Option<usize> {
        self.last(name).filter(|found| found.value.is_empty()).map(|found| found.line)
    }

    /// What a program that sources the file gets otherwise than `handed` has it, with the lines. An empty value is only
    /// among them where it is worse than none (to boto3 and AWS's SDK for JavaScript an empty bearer token is a token), or
    /// takes a part of the credentials away: a session token, or keys that have no profile's name beside them.
    pub fn contradicts<'h>(
        &self,
        handed: impl Fn(&str) -> Option<&'h OsStr>,
    ) -> Vec<(&'static str, usize)> {
        let by_name = handed("AWS_PROFILE").is_some();
        let blank_counts = |name: &str| match name {
            "AWS_BEARER_TOKEN_BEDROCK" => true,
            "AWS_SESSION_TOKEN" => handed(name).is_some(),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => !by_name && handed(name).is_some(),
            _ => false,
        };
        let mut found: Vec<_> = KNOWN
            .into_iter()
            .filter(|&name| name != ANTHROPIC_KEY)
            .filter_map(|name| self.last(name))
            .filter(|found| {
                let same = handed(found.name).map(OsStr::as_bytes) == Some(&found.value);
                !same && (!found.value.is_empty() || blank_counts(found.name))
            })
            .map(|found| (found.name, found.line))
            .chain(self.unknown.iter().copied())
            .collect();
        found.sort_by_key(|&(_, line)| line);
        found
    }

    /// Whether the variable's value stands on one line, so that commenting out that line takes it out.
    pub fn is_on_one_line(&self, name: &str) -> bool {
        self.last(name).is_none_or(|found| found.on_one_line)
    }

    fn last(&self, name: &str) -> Option<&Assignment> {
        self.assignments.iter().rev().find(|found| found.name == name)
    }

    /// Reads one statement from the start of `rest` and returns how many bytes it took.
    fn statement(&mut self, rest: &[u8], line: usize) -> usize {
        let end_of_line = skip_line(rest);
        let text = trim_start(&rest[..end_of_line]);
        let exported = first_word(text) == b"export";
        let text = if exported { trim_start(&text[b"export".len()..]) } else { text };
        let mut at = end_of_line - text.len();
        let mut names = Vec::new();
        // Quotes may run over the end of the line, so words are read from the whole rest.
        while let Some((name, length)) = assigned_name(&rest[at..]) {
            let value_at = at + length + 1;
            let known = KNOWN.into_iter().find(|known| known.as_bytes() == name);
            match (word(&rest[value_at..]), known) {
                (Word::Literal { value, length }, known) => {
                    if let Some(name) = known {
                        // A later assignment replaces the earlier one, and frees its secret at once.
                        self.forget(name);
                        let text = &rest[..value_at + length];
                        self.assignments.push(Assignment {
                            name,
                            value,
                            line,
                            on_one_line: memchr::memchr(b'\n', text).is_none(),
                        });
                        names.push(name);
                    }
                    at = value_at + length;
                    at += rest[at..].len() - trim_start(&rest[at..]).len();
                }
                (Word::NeedsShell, Some(name)) => self.unknowable(name, line),
                (Word::Unterminated, Some(name)) if NAMES.contains(&name) => {
                    self.malformed.push((name, line));
                }
                (Word::NeedsShell | Word::Unterminated, _) => {}
            }
            if at < value_at {
                self.mentioned(&rest[value_at..skip_line(&rest[value_at..]) + value_at], line);
                return end_of_line.max(value_at);
            }
        }
        match rest.get(at) {
            Some(b';' | b'&') => return at + 1,
            None | Some(b'\n' | b'\r' | b'#') => {}
            // `NAME=value command` sets it for that command alone.
            Some(_) if !exported => names.into_iter().for_each(|name| self.unknowable(name, line)),
            Some(_) => {}
        }
        let tail = &rest[at..at + skip_line(&rest[at..])];
        if !tail.starts_with(b"#") {
            self.mentioned(tail, line);
        }
        at + tail.len()
    }

    /// Takes note of our variables in code that only a shell can follow.
    fn mentioned(&mut self, code: &[u8], line: usize) {
        let unset = first_word(code) == b"unset";
        for name in KNOWN {
            let mut mentions =
                memchr::memmem::find_iter(code, name).map(|at| (at, at + name.len()));
            let whole = |&(start, end): &(usize, usize)| {
                let before = start.checked_sub(1).and_then(|before| code.get(before));
                let after = code.get(end);
                !before.is_some_and(|&byte| is_identifier_byte(byte))
                    && if unset {
                        !after.is_some_and(|&byte| is_identifier_byte(byte))
                    } else {
                        after == Some(&b'=')
                    }
            };
            match (mentions.any(|mention| whole(&mention)), unset) {
                (true, true) => self.forget(name),
                (true, false) => self.unknowable(name, line),
                (false, _) => {}
            }
        }
    }

    fn forget(&mut self, name: &str) {
        self.assignments.retain(|earlier| earlier.name != name);
    }

    fn unknowable(&mut self, name: &'static str, line: usize) {
        self.forget(name);
        let list = match name {
            ANTHROPIC_KEY => return,
            name if NAMES.contains(&name) => &mut self.needs_expansion,
            _ => &mut self.unknown,
        };
        if list.last() != Some(&(name, line)) {
            list.push((name, line));
        }
    }
}

/// The name of an assignment at the start of `text`, and its length.
fn assigned_name(text: &[u8]) -> Option<(&[u8], usize)> {
    let length = text.iter().take_while(|&&byte| is_identifier_byte(byte)).count();
    let starts_well = text.first().is_some_and(|byte| !byte.is_ascii_digit());
    (length > 0 && starts_well && text.get(length) == Some(&b'='))
        .then(|| (&text[..length], length))
}

fn is_identifier_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn first_word(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r'));
    &text[..end.unwrap_or(text.len())]
}

/// A shell word, as far as it can be known without a shell.
enum Word {
    Literal { value: Zeroizing<Vec<u8>>, length: usize },
    NeedsShell,
    Unterminated,
}

/// Reads one POSIX shell word (IEEE Std 1003.1, "Quoting") up to the first unquoted blank, `;`, `&` or newline.
fn word(bytes: &[u8]) -> Word {
    let mut value = Zeroizing::new(Vec::new());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\'' => {
                let Some(close) = bytes[at + 1..].iter().position(|&b| b == b'\'') else {
                    return Word::Unterminated;
                };
                value.extend_from_slice(&bytes[at + 1..at + 1 + close]);
                at += close + 2;
            }
            b'"' => {
                at += 1;
                loop {
                    match bytes.get(at) {
                        None => return Word::Unterminated,
                        Some(b'"') => break,
                        Some(b'$' | b'`') => return Word::NeedsShell,
                        Some(b'\\') => {
                            match bytes.get(at + 1) {
                                None => return Word::Unterminated,
                                Some(b'\n') => {}
                                Some(&escaped @ (b'$' | b'`' | b'"' | b'\\')) => {
                                    value.push(escaped);
                                }
                                Some(&other) => value.extend_from_slice(&[b'\\', other]),
                            }
                            at += 2;
                        }
                        Some(&plain) => {
                            value.push(plain);
                            at += 1;
                        }
                    }
                }
                at += 1;
            }
            b'\\' => match bytes.get(at + 1) {
                None => return Word::Unterminated,
                Some(b'\n') => at += 2,
                Some(&escaped) => {
                    value.push(escaped);
                    at += 2;
                }
            },
            // `~` expands at the start of a value and, in an assignment, after a colon. A parenthesis, a redirection or
            // a glob in an unquoted value is not plain data either.
            b'$' | b'`' | b'(' | b')' | b'<' | b'>' | b'|' => return Word::NeedsShell,
            b'~' if at == 0 || bytes[at - 1] == b':' => return Word::NeedsShell,
            b' ' | b'\t' | b'\n' | b';' | b'&' => break,
            // The file was saved with CRLF: a shell would make the carriage return part of the value, which no one
            // means; it is dropped at the end of a line and kept elsewhere.
            b'\r' if matches!(bytes.get(at + 1), None | Some(b'\n')) => break,
            plain => {
                value.push(plain);
                at += 1;
            }
        }
    }
    Word::Literal { value, length: at }
}

/// The bytes up to and including the next newline.
fn skip_line(bytes: &[u8]) -> usize {
    bytes.iter().position(|&b| b == b'\n').map_or(bytes.len(), |at| at + 1)
}

fn trim_start(bytes: &[u8]) -> &[u8] {
    let blanks = bytes.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    &bytes[blanks..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, name: &str) -> Option<String> {
        ToolkitEnv::parse(text.as_bytes()).get(name).map(|(value, _)| value.into_string().unwrap())
    }

    #[test]
    fn reads_the_line_the_wizard_writes() {
        let text = "# Backlog Toolkit\nexport BACKLOG_AWS_PROFILE='bedrock'\n";
        let found = ToolkitEnv::parse(text.as_bytes()).get("BACKLOG_AWS_PROFILE");
        assert_eq!(found, Some(("bedrock".into(), 2)));
    }

    #[test]
    fn reads_every_posix_way_of_quoting() {
        for (line, expected) in [
            ("AWS_REGION=eu-west-1", "eu-west-1"),
            ("export AWS_REGION=eu-west-1 # comment", "eu-west-1"),
            ("  export\tAWS_REGION=\"eu-west-1\"", "eu-west-1"),
            (r#"AWS_REGION="a\"b\\c\d""#, r#"a"b\c\d"#),
            (r"AWS_REGION=a\ b", "a b"),
            ("AWS_REGION='it'\\''s'", "it's"),
            ("AWS_REGION='a$b`c'", "a$b`c"),
            ("AWS_REGION=x;AWS_PROFILE=y", "x"),
            ("AWS_REGION=eu-west-1\r\n", "eu-west-1"),
            ("AWS_REGION='two\nlines'\n", "two\nlines"),
        ] {
            assert_eq!(value(line, "AWS_REGION").as_deref(), Some(expected), "{line:?}");
        }
    }

    #[test]
    fn the_last_assignment_wins_and_empty_counts_as_unset() {
        assert_eq!(value("AWS_REGION=a\nAWS_REGION=b\n", "AWS_REGION").as_deref(), Some("b"));
        assert_eq!(value("AWS_REGION=a\nAWS_REGION=''\n", "AWS_REGION"), None);
        let blank = ToolkitEnv::parse(b"AWS_REGION=a\nAWS_REGION=''\n");
        assert_eq!(blank.blanks("AWS_REGION"), Some(2));
    }

    #[test]
    fn a_value_that_needs_a_shell_is_named_and_not_guessed() {
        for line in [
            "BACKLOG_AWS_PROFILE=$(id -un)",
            "BACKLOG_AWS_PROFILE=\"$USER\"",
            "BACKLOG_AWS_PROFILE=`id`",
            "BACKLOG_AWS_PROFILE=${X:-y}",
            "BACKLOG_AWS_PROFILE=~/x",
        ] {
            let read = ToolkitEnv::parse(format!("BACKLOG_AWS_PROFILE=old\n{line}\n").as_bytes());
            assert_eq!(read.needs_expansion, [("BACKLOG_AWS_PROFILE", 2)], "{line}");
            assert_eq!(read.get("BACKLOG_AWS_PROFILE"), None, "{line}");
        }
    }

    #[test]
    fn an_open_quote_is_reported_and_costs_only_its_line() {
        let read = ToolkitEnv::parse(b"AWS_REGION='eu-west-1\nBACKLOG_AWS_PROFILE=bedrock\n");
        assert_eq!(read.malformed, [("AWS_REGION", 1)]);
        assert_eq!(read.get("BACKLOG_AWS_PROFILE"), Some(("bedrock".into(), 2)));
    }

    #[test]
    fn several_assignments_on_one_line_all_count() {
        let text = "export AWS_REGION=a BACKLOG_AWS_PROFILE=b\nX='1\n2' AWS_DEFAULT_REGION=c; AWS_SESSION_TOKEN=d # e\n";
        for (name, expected) in [
            ("AWS_REGION", "a"),
            ("BACKLOG_AWS_PROFILE", "b"),
            ("AWS_DEFAULT_REGION", "c"),
            ("AWS_SESSION_TOKEN", "d"),
        ] {
            assert_eq!(value(text, name).as_deref(), Some(expected), "{name}");
        }
    }

    #[test]
    fn what_only_a_shell_can_follow_is_named_and_not_guessed() {
        for line in [
            "BACKLOG_AWS_PROFILE=luxito some-command",
            "declare -x BACKLOG_AWS_PROFILE=luxito",
            "[ -n \"$X\" ] || export BACKLOG_AWS_PROFILE=luxito",
            "export OTHER=$(id) BACKLOG_AWS_PROFILE=luxito",
        ] {
            let read = ToolkitEnv::parse(format!("BACKLOG_AWS_PROFILE=old\n{line}\n").as_bytes());
            assert_eq!(read.needs_expansion, [("BACKLOG_AWS_PROFILE", 2)], "{line}");
            assert_eq!(read.get("BACKLOG_AWS_PROFILE"), None, "{line}");
        }
    }

    #[test]
    fn unset_takes_back_what_was_set() {
        assert_eq!(value("AWS_REGION=a\nunset -v X AWS_REGION\n", "AWS_REGION"), None);
        assert_eq!(
            value("AWS_REGION=a\nunset AWS_REGION_NAME\n", "AWS_REGION").as_deref(),
            Some("a")
        );
    }

    #[test]
    fn text_within_the_quotes_of_another_value_is_no_assignment() {
        let text = "AWS_REGION=a\nexport NOTE='x\nAWS_REGION=b\n'\n";
        assert_eq!(value(text, "AWS_REGION").as_deref(), Some("a"));
    }

    #[test]
    fn other_names_and_longer_names_are_left_alone() {
        assert_eq!(
            value("MY_AWS_REGION=a\nAWS_REGION_NAME=b\n#AWS_REGION=c\n", "AWS_REGION"),
            None
        );
        assert_eq!(value("echo AWS_REGION=a\n", "AWS_REGION"), None);
    }

    #[test]
    fn lines_after_a_quoted_newline_keep_their_numbers() {
        let read = ToolkitEnv::parse(b"AWS_SESSION_TOKEN='a\nb'\nAWS_REGION=x\n");
        assert_eq!(read.get("AWS_REGION"), Some(("x".into(), 3)));
    }

    #[test]
    fn a_quote_closes_at_the_next_one_even_on_another_line() {
        let read =
            ToolkitEnv::parse(b"AWS_REGION=\"a\nAWS_REGION=\"\nBACKLOG_AWS_PROFILE=bedrock\n");
        assert_eq!(read.get("AWS_REGION"), Some(("a\nAWS_REGION=".into(), 1)));
        assert_eq!(read.get("BACKLOG_AWS_PROFILE"), Some(("bedrock".into(), 3)));
    }

    #[test]
    fn an_empty_value_contradicts_where_it_takes_something_away() {
        let found = |file: &str, handed: &[&str]| -> Vec<&'static str> {
            let handed = |name: &str| handed.contains(&name).then_some(OsStr::new("given"));
            let read = ToolkitEnv::parse(file.as_bytes());
            let found = read.contradicts(handed).into_iter();
            found.map(|(name, _)| name).collect()
        };
        let keys = "AWS_ACCESS_KEY_ID=''\nAWS_SECRET_ACCESS_KEY=''\n";
        let (id, secret) = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
        // By name, clients find the keys in the AWS files.
        assert_eq!(found(keys, &[id, secret, "AWS_PROFILE"]), [""; 0]);
        assert_eq!(found(keys, &[id, secret]), [id, secret]);
        let token = "AWS_SESSION_TOKEN";
        assert_eq!(found("AWS_SESSION_TOKEN=\n", &[id, secret]), [""; 0]);
        assert_eq!(found("AWS_SESSION_TOKEN=\n", &[token, "AWS_PROFILE"]), [token]);
        assert_eq!(found("AWS_REGION=\n", &["AWS_REGION"]), [""; 0]);
        assert_eq!(found("AWS_BEARER_TOKEN_BEDROCK=\n", &[]), ["AWS_BEARER_TOKEN_BEDROCK"]);
    }
}
