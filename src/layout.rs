//! Text laid out for one terminal: the home as `~`, how far off a time is, and lines that end where the window does; and
//! how this program speaks on standard error.

use std::io::{self, Write};
use std::os::fd::AsFd;

use anstream::{AutoStream, ColorChoice};
use clap::builder::styling::{AnsiColor, Style};
use jiff::{SignedDuration, Timestamp};

use crate::text::visible;
use crate::world::Environment;

/// Readable on light and dark, as bright colors are not.
const NAME: Style = AnsiColor::Magenta.on_default();

pub struct Layout {
    home: Option<String>,
    now: Timestamp,
    /// In columns.
    width: usize,
}

impl Layout {
    /// For a terminal. Where there is none, lines have no end unless `COLUMNS` gives one, as for the help texts.
    pub fn of(env: &Environment, terminal: impl AsFd) -> Self {
        let size = rustix::termios::tcgetwinsize(terminal).map(|size| usize::from(size.ws_col));
        let columns = || env.get("COLUMNS")?.to_str()?.parse().ok();
        // Some terminals do not know, and answer with zero.
        let width = size.ok().or_else(columns).filter(|width| *width > 0).unwrap_or(usize::MAX);
        let home = env.get("HOME").map(visible).filter(|home| home.len() > 1);
        Self { home, now: Timestamp::now(), width }
    }

    /// A text whose first line has `taken` columns before it, and whose others begin with `indent` blanks. A command in
    /// backquotes stays on one line, because it is there to be copied.
    pub fn lines(&self, text: &str, taken: usize, indent: usize) -> String {
        let (mut lines, mut column, mut begins) = (String::new(), taken, false);
        for (number, word) in words(text).enumerate() {
            let word = self.with_distance(&self.with_tilde(word));
            let width = word.chars().count();
            if begins && word.is_empty() {
                continue;
            }
            begins = false;
            if number > 0 && column + 1 + width > self.width {
                lines.truncate(lines.trim_end().len());
                lines.extend(["\n", &" ".repeat(indent)]);
                (column, begins) = (indent, word.is_empty());
            } else if number > 0 {
                lines.push(' ');
                column += 1;
            }
            lines.push_str(&word);
            column += width;
        }
        lines
    }

    /// The home as `~`, but not where a shell would not read it so: within quotes or after a `=`.
    fn with_tilde(&self, text: &str) -> String {
        let Some(home) = &self.home else { return text.to_owned() };
        let (mut shown, mut rest) = (String::new(), text);
        while let Some(at) = rest.find(home.as_str()) {
            let (before, after) = (&rest[..at], &rest[at + home.len()..]);
            let begins = before.chars().last().map_or(shown.is_empty(), |c| " `(".contains(c));
            let ends = after.chars().next().is_none_or(|c| "/ `):,;".contains(c));
            shown.extend([before, if begins && ends { "~" } else { home }]);
            rest = after;
        }
        shown + rest
    }

    /// A point in time, and how far off it is.
    fn with_distance(&self, word: &str) -> String {
        let stamp = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let time = stamp.parse::<Timestamp>().ok().filter(|_| stamp.contains('T'));
        match time.and_then(|time| distance(time.duration_since(self.now))) {
            Some(distance) => word.replacen(stamp, &format!("{stamp}, {distance}"), 1),
            None => word.to_owned(),
        }
    }
}

/// Pieces between blanks, a command in backquotes being one.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c| {
        quoted ^= c == '`';
        c == ' ' && !quoted
    })
}

/// "in 42 minutes", "3 hours ago". Two years off and more, nobody counts the days.
fn distance(duration: SignedDuration) -> Option<String> {
    let amount = match duration.as_mins().abs() {
        0..2 => "a minute".to_owned(),
        minutes @ 2..120 => format!("{minutes} minutes"),
        minutes @ 120..2_880 => format!("{} hours", minutes / 60),
        minutes @ 2_880..1_051_200 => format!("{} days", minutes / 1_440),
        _ => return None,
    };
    Some(if duration.is_negative() { format!("{amount} ago") } else { format!("in {amount}") })
}

/// A line of an answer on standard output.
pub fn print_line(text: &str, env: &Environment, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", Layout::of(env, io::stdout()).lines(text, 0, 4))
}

/// What the program says on standard error, with its name before it.
pub fn message(text: &str, env: &Environment) -> String {
    const WHO: &str = "backlog-aws:";
    let who = match AutoStream::choice(&io::stderr()) {
        ColorChoice::Never => WHO.to_owned(),
        _ => format!("{NAME}{WHO}{NAME:#}"),
    };
    format!("{who} {}\n", Layout::of(env, io::stderr()).lines(text, WHO.len() + 1, 2))
}

/// Says it in one write: what runs beside us on the same terminal must not get into the middle of it. A closed standard
/// error is no reason to fail.
pub fn say(text: &str, env: &Environment) {
    let _ = io::stderr().write_all(message(text, env).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(width: usize) -> Layout {
        let now = "2030-01-02T03:04:05Z".parse().unwrap();
        Layout { home: Some("/home/u".to_owned()), now, width }
    }

    #[test]
    fn lines_end_between_words_and_never_in_a_command() {
        let text = "one two; run `backlog-aws use bedrock`, or three";
        assert_eq!(layout(80).lines(text, 4, 2), text);
        let narrow = "one two;\n  run\n  `backlog-aws use bedrock`,\n  or three";
        assert_eq!(layout(14).lines(text, 4, 2), narrow);
    }

    #[test]
    fn the_home_is_a_tilde_only_where_a_shell_reads_it_so() {
        for (text, shown) in [
            ("/home/u/.aws/credentials:3", "~/.aws/credentials:3"),
            ("(/home/u/a) `mv /home/u/a /home/u/b`", "(~/a) `mv ~/a ~/b`"),
            ("`mv '/home/u/a b' c`", "`mv '/home/u/a b' c`"),
            ("A=/home/u/a /home/user/a /mnt/home/u", "A=/home/u/a /home/user/a /mnt/home/u"),
        ] {
            assert_eq!(layout(80).lines(text, 0, 0), shown);
        }
    }

    #[test]
    fn a_time_says_how_far_off_it_is() {
        for (text, shown) in [
            ("at 2030-01-02T03:46:05Z; renew", "at 2030-01-02T03:46:05Z, in 42 minutes; renew"),
            ("(2030-01-02T03:04:15Z)", "(2030-01-02T03:04:15Z, in a minute)"),
            ("2030-01-01T03:04:05Z", "2030-01-01T03:04:05Z, 24 hours ago"),
            ("2030-01-12T03:04:05Z", "2030-01-12T03:04:05Z, in 10 days"),
            ("2001-01-02T03:46:05Z", "2001-01-02T03:46:05Z"),
        ] {
            assert_eq!(layout(80).lines(text, 0, 0), shown);
        }
    }
}
