//! A pty with everything it ever printed, the screen that a person would see, and the marks that tell real prompts.
//!
//! The rc file makes the shell print private OSC sequences, which no terminal shows. A redrawn prompt (a resize, a
//! list of completions) repeats marks, so a prompt counts only if its shell says that it is a new one.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::num::NonZero;
use std::os::fd::AsFd as _;
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Instant;

use pty_process::blocking::{Command, Pty, open};

/// A key that is not text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Enter,
    Tab,
    Esc,
    Backspace,
    Up,
    Down,
    CtrlC,
    CtrlL,
    CtrlZ,
}

impl Key {
    fn bytes(self) -> &'static [u8] {
        match self {
            Self::Enter => b"\r",
            Self::Tab => b"\t",
            Self::Esc => b"\x1b",
            Self::Backspace => b"\x7f",
            Self::Up => b"\x1b[A",
            Self::Down => b"\x1b[B",
            Self::CtrlC => b"\x03",
            Self::CtrlL => b"\x0c",
            Self::CtrlZ => b"\x1a",
        }
    }
}

/// What a mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    /// The shell announces a new prompt, which may be drawn before or after.
    New,
    /// The visible prompt begins.
    Begin,
    /// It is drawn.
    End,
    /// The command line was accepted; what follows is output.
    Run,
}

#[derive(Clone, Debug)]
pub struct Mark {
    pub kind: MarkKind,
    /// Changes with each new prompt in bash, which announces none. Always the same in the others.
    pub number: Vec<u8>,
    /// Where it stands in [`Terminal::raw`].
    pub start: usize,
    pub end: usize,
}

/// How a wait for more output ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pumped {
    Data,
    Ended,
    TimedOut,
}

pub struct Terminal {
    pty: Pty,
    incoming: Receiver<Vec<u8>>,
    pub raw: Vec<u8>,
    pub marks: Vec<Mark>,
    screen: vt100::Parser,
    mark_prefix: Vec<u8>,
    scanned: usize,
    answered: usize,
    pub ended: bool,
}

impl Terminal {
    /// Starts `command` in a new pty, as the leader of a session of its own.
    pub fn spawn(command: Command, token: &str, rows: u16, columns: u16) -> (Self, Child) {
        let (pty, slave) = open().expect("a pty can be opened");
        // Before the spawn, so that the shell never sees 0x0.
        pty.resize(pty_process::Size::new(rows, columns)).expect("a pty takes a size");
        let child = command.spawn(slave).expect("the shell starts");
        let mut reader =
            File::from(pty.as_fd().try_clone_to_owned().expect("a descriptor can be duplicated"));
        let (sender, incoming) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // Linux reports the end of a pty as EIO.
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        let terminal = Self {
            pty,
            incoming,
            raw: Vec::new(),
            marks: Vec::new(),
            screen: vt100::Parser::new(cells(rows), cells(columns), 0),
            mark_prefix: format!("\x1b]7770;{token};").into_bytes(),
            scanned: 0,
            answered: 0,
            ended: false,
        };
        (terminal, child)
    }

    pub fn type_bytes(&mut self, bytes: &[u8]) {
        // The shell may have just ended; what waits for its answer will say so better.
        let _ = self.pty.write_all(bytes);
    }

    pub fn type_key(&mut self, key: Key) {
        self.type_bytes(key.bytes());
    }

    pub fn resize(&mut self, rows: u16, columns: u16) {
        self.screen.screen_mut().set_size(cells(rows), cells(columns));
        self.pty.resize(pty_process::Size::new(rows, columns)).expect("a pty takes a size");
    }

    /// Takes in the next piece of output, waiting for it until `deadline`.
    pub fn pump(&mut self, deadline: Instant) -> Pumped {
        let patience = deadline.saturating_duration_since(Instant::now());
        match self.incoming.recv_timeout(patience) {
            Ok(bytes) => {
                self.screen.process(&bytes);
                self.raw.extend_from_slice(&bytes);
                self.scan_marks();
                self.answer_queries();
                Pumped::Data
            }
            Err(RecvTimeoutError::Disconnected) => {
                self.ended = true;
                Pumped::Ended
            }
            Err(RecvTimeoutError::Timeout) => Pumped::TimedOut,
        }
    }

    /// What stands on the screen, without trailing blanks.
    pub fn screen(&self) -> String {
        trim_lines(&self.screen.screen().contents())
    }

    /// A part of the output as it looks, without escape sequences.
    pub fn rendered(&self, bytes: &[u8]) -> String {
        let (_, columns) = self.screen.screen().size();
        let width = usize::from(u16::from(columns));
        let lines = bytes.split(|byte| *byte == b'\n').count() + bytes.len() / width + 1;
        let mut page =
            vt100::Parser::new(cells(u16::try_from(lines).unwrap_or(u16::MAX)), columns, 0);
        page.process(bytes);
        trim_lines(&page.screen().contents())
    }

    fn scan_marks(&mut self) {
        while let Some(found) = find(&self.raw[self.scanned..], &self.mark_prefix) {
            let start = self.scanned + found;
            let body = start + self.mark_prefix.len();
            let Some(length) = self.raw[body..].iter().position(|byte| *byte == b'\x07') else {
                self.scanned = start;
                return;
            };
            let kind = match self.raw[body] {
                b'A' => MarkKind::New,
                b'B' => MarkKind::Begin,
                b'E' => MarkKind::End,
                b'C' => MarkKind::Run,
                other => unreachable!("the harness prints no mark {other}"),
            };
            let number = self.raw[body + 1..body + length].to_vec();
            let end = body + length + 1;
            self.marks.push(Mark { kind, number, start, end });
            self.scanned = end;
        }
        // A prefix may be cut in two.
        self.scanned = self.scanned.max(self.raw.len().saturating_sub(self.mark_prefix.len()));
    }

    /// Newer fish asks the terminal what it is and waits for the answer; some programs ask where the cursor is.
    fn answer_queries(&mut self) {
        loop {
            let rest = &self.raw[self.answered..];
            let Some(start) = rest.iter().position(|byte| *byte == b'\x1b') else {
                self.answered = self.raw.len();
                return;
            };
            let rest = &rest[start..];
            let (row, column) = self.screen.screen().cursor_position();
            let answer = if rest.starts_with(b"\x1b[c") || rest.starts_with(b"\x1b[0c") {
                b"\x1b[?62;22c".to_vec()
            } else if rest.starts_with(b"\x1b[6n") {
                format!("\x1b[{};{}R", row + 1, column + 1).into_bytes()
            } else if rest.len() < 4 {
                self.answered += start;
                return;
            } else {
                Vec::new()
            };
            self.answered += start + 1;
            self.type_bytes(&answer);
        }
    }
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).expect("a window has a size")
}

/// Where `needle` stands in `haystack`.
pub fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn trim_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_end().to_owned()
}
