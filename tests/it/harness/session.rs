//! A real interactive shell at a real prompt.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use super::guard::{ForeignVariables, is_foreign, parse_environment, secret_in};
use super::sandbox::Sandbox;
use super::shell::Shell;
use super::start_up::SessionBuilder;
use super::terminal::{Key, MarkKind, Pumped, Terminal, find};

/// Far more than a shell needs on a busy machine. Nothing waits this long unless something is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// What one command line did.
#[derive(Clone, Debug, Default)]
pub struct Turn {
    /// Everything between two prompts, the echo of the typed line included.
    pub raw: Vec<u8>,
    /// What the command, and the hook after it, printed: no echo, no escape sequences, no trailing blanks.
    pub text: String,
}

impl Turn {
    /// The text without the line breaks of the terminal, and of notices, so that a long line can be searched.
    pub fn joined(&self) -> String {
        self.text.replace("\n  ", " ").replace('\n', "")
    }
}

/// A running shell. When it goes out of scope it checks that variables and files of other tools are as they were.
pub struct Session<'home> {
    sandbox: &'home Sandbox,
    shell: Shell,
    terminal: Terminal,
    child: Reaped,
    /// Up to where `terminal.raw` was handed out.
    consumed: usize,
    prompt_number: Vec<u8>,
    at_prompt: bool,
    foreign: ForeignVariables,
    secrets_allowed: bool,
    reported: bool,
    start_up: Turn,
}

impl<'home> Session<'home> {
    /// A shell with the integration loaded.
    #[track_caller]
    pub fn start(sandbox: &'home Sandbox, shell: Shell) -> Self {
        Self::builder(sandbox, shell).spawn()
    }

    /// A shell without it.
    #[track_caller]
    pub fn plain(sandbox: &'home Sandbox, shell: Shell) -> Self {
        Self::builder(sandbox, shell).without_integration().spawn()
    }

    pub fn builder(sandbox: &'home Sandbox, shell: Shell) -> SessionBuilder<'home> {
        SessionBuilder::new(sandbox, shell)
    }

    /// A shell that was just started, once it is at its first prompt. The dumps are of before and after the
    /// integration was loaded, and of the end of the start-up file.
    #[track_caller]
    pub(super) fn begin(
        sandbox: &'home Sandbox,
        shell: Shell,
        (terminal, child): (Terminal, Child),
        dumps: &[Dump; 3],
        secrets_allowed: bool,
    ) -> Self {
        let mut session = Self {
            sandbox,
            shell,
            terminal,
            child: Reaped(child),
            consumed: 0,
            prompt_number: Vec::new(),
            at_prompt: false,
            foreign: ForeignVariables::default(),
            secrets_allowed,
            reported: false,
            start_up: Turn::default(),
        };
        session.start_up = session.wait_prompt();
        let [before, integrated, after] = dumps.each_ref().map(|dump| dump.read(&session).1);
        session.foreign = before;
        session.compare_foreign(&integrated, "by loading the integration");
        session.foreign = after;
        session
    }

    pub fn shell(&self) -> Shell {
        self.shell
    }

    /// What was printed before the first prompt.
    pub fn start_up(&self) -> &Turn {
        &self.start_up
    }

    /// The process id of the shell.
    pub fn pid(&self) -> u32 {
        self.child.0.id()
    }

    // Typing and seeing.

    /// Types text, without Enter.
    pub fn send(&mut self, text: impl AsRef<[u8]>) {
        self.terminal.type_bytes(text.as_ref());
        self.at_prompt = false;
    }

    pub fn key(&mut self, key: Key) {
        if key == Key::CtrlC {
            self.settle();
        }
        self.terminal.type_key(key);
        self.at_prompt = false;
    }

    /// Types a command line and Enter, and waits for the next prompt.
    #[track_caller]
    pub fn line(&mut self, command: impl AsRef<[u8]>) -> Turn {
        if !self.at_prompt {
            self.fail(
                "a command line was to be typed, but no prompt was waited for since the last key",
            );
        }
        self.send(command);
        self.key(Key::Enter);
        self.wait_prompt()
    }

    /// Presses Ctrl-C and waits for the prompt that follows, and presses again when none does, as a person would.
    #[track_caller]
    pub fn interrupt(&mut self) -> Turn {
        const PRESS_AGAIN_AFTER: Duration = Duration::from_secs(3);
        const AFTERMATH: Duration = Duration::from_millis(300);
        self.key(Key::CtrlC);
        if let Ok(turn) = self.prompt_by(Instant::now() + PRESS_AGAIN_AFTER) {
            return turn;
        }
        self.key(Key::CtrlC);
        let turn = self.wait_prompt();
        // The first one may have been slow and not lost; then there are two prompts.
        while self.prompt_by(Instant::now() + AFTERMATH).is_ok() {}
        self.at_prompt = true;
        turn
    }

    /// Waits for the next new prompt. [`line`](Self::line) does it; this is for after `send` and `key`.
    #[track_caller]
    pub fn wait_prompt(&mut self) -> Turn {
        match self.prompt_by(Instant::now() + PATIENCE) {
            Ok(turn) => turn,
            Err(Pumped::Ended) => self.fail("the shell ended before a prompt"),
            Err(_) => self.fail("no prompt came"),
        }
    }

    /// Waits until the screen shows `text`. Beware of what the echo of the typed line shows already.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) {
        self.wait_until(text, |screen| screen.contains(text));
    }

    /// Waits until the screen is as wanted; `what` names it in the failure.
    #[track_caller]
    pub fn wait_until(&mut self, what: &str, mut wanted: impl FnMut(&str) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !wanted(&self.terminal.screen()) {
            if self.terminal.pump(deadline) != Pumped::Data {
                self.fail(&format!("never on the screen: {what}"));
            }
        }
    }

    /// The screen as a person sees it, as far as the output was taken in by one of the waits.
    pub fn screen(&self) -> String {
        self.terminal.screen()
    }

    /// Everything the session ever printed.
    pub fn output(&self) -> &[u8] {
        &self.terminal.raw
    }

    /// Changes the window, which signals the shell.
    pub fn resize(&mut self, rows: u16, columns: u16) {
        self.terminal.resize(rows, columns);
    }

    // Asking and telling, in the language of the shell.

    /// The exported environment as a child process receives it. Changes `$?`, as every command does.
    #[track_caller]
    pub fn env(&mut self) -> BTreeMap<OsString, OsString> {
        let (environment, foreign) = self.dump();
        self.compare_foreign(&foreign, "");
        environment
    }

    /// One exported variable.
    #[track_caller]
    pub fn var(&mut self, name: impl AsRef<OsStr>) -> Option<OsString> {
        self.env().remove(name.as_ref())
    }

    /// Every variable of ours, the private one too.
    #[track_caller]
    pub fn ours(&mut self) -> BTreeMap<OsString, OsString> {
        let mut environment = self.env();
        environment.retain(|name, _| name.to_string_lossy().contains("BACKLOG_AWS_"));
        environment.remove(OsStr::new("BACKLOG_AWS_QUIET"));
        environment
    }

    /// Profile, region and source as the toolkit receives them.
    #[track_caller]
    pub fn exported(&mut self) -> [Option<String>; 3] {
        let environment = self.env();
        ["BACKLOG_AWS_PROFILE", "BACKLOG_AWS_REGION", "BACKLOG_AWS_SOURCE"]
            .map(|name| Some(environment.get(OsStr::new(name))?.to_string_lossy().into_owned()))
    }

    #[track_caller]
    pub fn assert_exported(&mut self, profile: &str, region: &str, source: &str) {
        let expected = [profile, region, source].map(|value| Some(value.to_owned()));
        assert_eq!(self.exported(), expected, "{}", self.shell.name());
    }

    /// The same where the region is of no interest.
    #[track_caller]
    pub fn assert_answer(&mut self, profile: &str, source: &str) {
        let [found, _, from] = self.exported();
        assert_eq!(
            [found.as_deref(), from.as_deref()],
            [Some(profile), Some(source)],
            "{}",
            self.shell.name()
        );
    }

    /// Where the answer comes from; empty when there is none.
    #[track_caller]
    pub fn source(&mut self) -> String {
        let [_, _, source] = self.exported();
        source.unwrap_or_default()
    }

    /// Whether the shell itself says that nothing changed.
    #[track_caller]
    pub fn is_unchanged(&mut self) -> bool {
        self.line(self.shell.ask_the_hook());
        self.status_of_last() == 0
    }

    /// Presses Enter until it says so.
    #[track_caller]
    pub fn settle_hook(&mut self) {
        // Whole seconds take two of them.
        for _ in 0..40 {
            thread::sleep(Duration::from_millis(60));
            self.line("");
            if self.is_unchanged() {
                return;
            }
        }
        self.fail("the shell never says that nothing changed");
    }

    /// The hook is at work, without a word: a pin comes and goes.
    #[track_caller]
    pub fn assert_pin_comes_and_goes(&mut self) {
        assert_eq!(self.source(), "first");
        assert_eq!(self.line(self.shell.export("BACKLOG_AWS_PROFILE", "bedrock")).text, "");
        assert_eq!(self.source(), "pin");
        assert_eq!(self.line(self.shell.unset("BACKLOG_AWS_PROFILE")).text, "");
        assert_eq!(self.source(), "first");
    }

    /// The same of the override of [`Sandbox::with_override`].
    #[track_caller]
    pub fn assert_directory_comes_and_goes(&mut self) {
        for _ in 0..2 {
            assert_eq!(self.cd(self.sandbox.path("acme")).text, "");
            self.assert_answer("bedrock", "directory");
            assert_eq!(self.cd(self.sandbox.path("plain")).text, "");
            self.assert_answer("luxito", "first");
        }
    }

    /// Exports a variable, as a user would. If it is another tool's, that is its value from now on.
    #[track_caller]
    pub fn export(&mut self, name: &str, value: impl AsRef<OsStr>) -> Turn {
        self.change(name, self.shell.export(name, value))
    }

    /// Sets a variable without exporting it.
    #[track_caller]
    pub fn assign(&mut self, name: &str, value: impl AsRef<OsStr>) -> Turn {
        self.change(name, self.shell.assign(name, value))
    }

    #[track_caller]
    pub fn unset(&mut self, name: &str) -> Turn {
        self.change(name, self.shell.unset(name))
    }

    #[track_caller]
    pub fn cd(&mut self, directory: impl AsRef<Path>) -> Turn {
        let directory = self.shell.quote(directory.as_ref());
        self.line(format!("cd -- {directory}"))
    }

    /// Does things that change variables of other tools by other means than [`export`](Self::export) and
    /// [`unset`](Self::unset), and takes the result for theirs.
    #[track_caller]
    pub fn user_changes_foreign<R>(&mut self, change: impl FnOnce(&mut Self) -> R) -> R {
        self.env();
        let result = change(self);
        self.foreign = self.dump().1;
        result
    }

    /// `$?` at this prompt.
    #[track_caller]
    pub fn status_of_last(&mut self) -> i32 {
        self.numbers(self.shell.status())[0]
    }

    /// `PIPESTATUS` at this prompt.
    #[track_caller]
    pub fn pipe_status_of_last(&mut self) -> Vec<i32> {
        self.numbers(self.shell.pipe_status())
    }

    /// What words of the shell's language expand to, byte exact.
    #[track_caller]
    pub fn expand(&mut self, words: &str) -> Vec<Vec<u8>> {
        let file = self.sandbox.fresh_state_file("words");
        let quoted = self.shell.quote(&file);
        self.line(match self.shell {
            Shell::Bash | Shell::Zsh => format!(r"\builtin printf '%s\000' {words} > {quoted}"),
            Shell::Fish => format!(r"builtin printf '%s\000' {words} > {quoted}"),
            Shell::Nu => {
                format!(
                    "[{words}] | each {{ into string }} | str join (char nul) | save --raw {quoted}"
                )
            }
        });
        let Ok(bytes) = fs::read(&file) else {
            self.fail(&format!("{words} could not be expanded"));
        };
        let bytes = bytes.strip_suffix(b"\0").unwrap_or(&bytes);
        bytes.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect()
    }

    // The end.

    /// Types `exit` after the last checks, and waits for the shell to end. Its exit code.
    #[track_caller]
    pub fn exit(mut self) -> Option<i32> {
        self.check_variables();
        self.send("exit");
        self.key(Key::Enter);
        self.wait_end()
    }

    /// Waits for a shell that is about to end by itself. Its exit code.
    #[track_caller]
    pub fn wait_end(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.terminal.pump(deadline) {
                Pumped::Data => {}
                Pumped::Ended => break,
                Pumped::TimedOut => self.fail("the shell does not end"),
            }
        }
        self.child.0.wait().expect("a child can be waited for").code()
    }

    /// Gives up on a shell that is not at a prompt, without a look at its variables.
    pub fn abandon(mut self) {
        self.terminal.ended = true;
    }

    fn numbers(&mut self, words: &str) -> Vec<i32> {
        let words = self.expand(words);
        words
            .iter()
            .map(|word| {
                let word = String::from_utf8_lossy(word);
                word.parse().unwrap_or_else(|_| panic!("{word:?} is no exit status"))
            })
            .collect()
    }

    #[track_caller]
    fn change(&mut self, name: &str, command: String) -> Turn {
        let turn = self.line(command);
        if is_foreign(name.as_ref()) {
            let now = self.dump().1;
            self.foreign.accept(name.as_ref(), &now);
            self.compare_foreign(&now, "");
        }
        turn
    }

    #[track_caller]
    fn dump(&mut self) -> (BTreeMap<OsString, OsString>, ForeignVariables) {
        let dump = Dump::new(self.sandbox);
        self.line(dump.command(self.shell));
        dump.read(self)
    }

    fn prompt_by(&mut self, deadline: Instant) -> Result<Turn, Pumped> {
        loop {
            if let Some(turn) = self.take_turn() {
                self.at_prompt = true;
                return Ok(turn);
            }
            match self.terminal.pump(deadline) {
                Pumped::Data => {}
                other => return Err(other),
            }
        }
    }

    /// Waits until the shell is likely to sit in its `read`.
    ///
    /// zsh and fish look for an interrupt when a system call is interrupted. One that comes before that call, while
    /// the line is still being drawn, is lost or waits for the next key. People are slower than that; tests are not.
    fn settle(&mut self) {
        const QUIET: Duration = Duration::from_millis(30);
        let enough = Instant::now() + Duration::from_millis(500);
        while Instant::now() < enough {
            if self.terminal.pump(Instant::now() + QUIET) != Pumped::Data && self.is_asleep() {
                return;
            }
        }
    }

    /// Whether the shell waits for something, where the system has /proc to tell.
    fn is_asleep(&self) -> bool {
        let Ok(stat) = fs::read_to_string(format!("/proc/{}/stat", self.pid())) else {
            return true;
        };
        stat.rsplit(") ").next().is_some_and(|fields| fields.starts_with('S'))
    }

    /// The next turn, once the prompt that ends it is drawn and is known to be a new one.
    fn take_turn(&mut self) -> Option<Turn> {
        let marks: Vec<_> =
            self.terminal.marks.iter().filter(|mark| mark.start >= self.consumed).collect();
        let of = |kind: MarkKind| marks.iter().filter(move |mark| mark.kind == kind);
        let run = of(MarkKind::Run).next_back();
        let accepted = run.map_or(self.consumed, |mark| mark.end);
        // bash and nushell number their prompts, zsh announces a prompt when it is drawn, fish before it draws.
        let drawn_after = match self.shell {
            Shell::Bash | Shell::Nu => accepted,
            Shell::Zsh => of(MarkKind::New).next_back().map(|_| accepted)?,
            Shell::Fish => of(MarkKind::New).next_back()?.end,
        };
        let is_numbered = matches!(self.shell, Shell::Bash | Shell::Nu);
        let is_new = |number: &[u8]| !is_numbered || number != self.prompt_number;
        let end =
            of(MarkKind::End).rfind(|mark| mark.start >= drawn_after && is_new(&mark.number))?;
        let begin =
            of(MarkKind::Begin).find(|mark| mark.start >= drawn_after && is_new(&mark.number))?;

        let raw = &self.terminal.raw[self.consumed..begin.start];
        let after_echo = match (run, self.shell) {
            (Some(mark), Shell::Bash | Shell::Fish | Shell::Nu) => mark.end,
            // zsh says so before it moves to the next line.
            (Some(mark), Shell::Zsh) => after_newline(&self.terminal.raw, mark.end, begin.start),
            (None, _) if self.consumed > 0 => {
                after_newline(&self.terminal.raw, self.consumed, begin.start)
            }
            (None, _) => 0,
        };
        let turn = Turn {
            raw: raw.to_vec(),
            text: self
                .terminal
                .rendered(&self.terminal.raw[after_echo.min(begin.start)..begin.start]),
        };
        (self.consumed, self.prompt_number) = (self.terminal.raw.len(), end.number.clone());
        Some(turn)
    }

    #[track_caller]
    fn compare_foreign(&mut self, now: &ForeignVariables, how: &str) {
        if let Some(difference) = self.foreign.difference(now) {
            self.fail(&format!("the promise is broken {how}: {difference}"));
        }
    }

    #[track_caller]
    fn check_variables(&mut self) {
        if !self.at_prompt {
            self.fail("the session was left while not at a prompt, so its variables cannot be checked; `abandon` it");
        }
        let foreign = self.dump().1;
        self.compare_foreign(&foreign, "at the end");
    }

    /// Fails with everything a person needs to see what happened.
    #[track_caller]
    fn fail(&mut self, message: &str) -> ! {
        self.reported = true;
        panic!("{}: {message}\n{}", self.shell.name(), self.transcript());
    }

    fn transcript(&self) -> String {
        const TAIL: usize = 3000;
        let raw = &self.terminal.raw;
        let tail = &raw[raw.len().saturating_sub(TAIL)..];
        format!(
            "---- the screen of {} ----\n{}\n---- the last it printed ----\n{}\n----",
            self.shell.name(),
            self.screen(),
            tail.escape_ascii().to_string().replace(r"\n", "\\n\n"),
        )
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            if !self.reported {
                eprintln!("{}", self.transcript());
            }
            return;
        }
        if !self.terminal.ended {
            self.check_variables();
        }
        if let Some(secret) = secret_in(&self.terminal.raw).filter(|_| !self.secrets_allowed) {
            self.fail(&format!("secret {secret} was on the terminal"));
        }
        self.sandbox.assert_guarded_files_untouched();
    }
}

/// A child that does not outlive its test.
struct Reaped(Child);

impl Drop for Reaped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Two files that receive the environment and the variables of a shell.
pub(super) struct Dump {
    environment: PathBuf,
    variables: PathBuf,
}

impl Dump {
    pub(super) fn new(sandbox: &Sandbox) -> Self {
        Self {
            environment: sandbox.fresh_state_file("environment"),
            variables: sandbox.fresh_state_file("variables"),
        }
    }

    pub(super) fn command(&self, shell: Shell) -> String {
        shell.dump(&self.environment, &self.variables)
    }

    #[track_caller]
    fn read(&self, session: &Session) -> (BTreeMap<OsString, OsString>, ForeignVariables) {
        let read = |path| {
            fs::read(path).unwrap_or_else(|error| {
                panic!(
                    "{}: no environment ({error})\n{}",
                    session.shell.name(),
                    session.transcript()
                )
            })
        };
        let environment = parse_environment(&read(&self.environment));
        let foreign = ForeignVariables::parse(&environment, &read(&self.variables));
        (environment, foreign)
    }
}

fn after_newline(raw: &[u8], from: usize, to: usize) -> usize {
    let from = from.min(to);
    find(&raw[from..to], b"\n").map_or(from, |newline| from + newline + 1)
}
