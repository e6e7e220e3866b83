//! The contestants, and shells in a pty that have one of them loaded.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use pty_process::blocking::{Command as PtyCommand, Pty, open};

use crate::home::Home;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    pub const ALL: [Self; 3] = [Self::Bash, Self::Zsh, Self::Fish];

    pub fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        }
    }

    fn rc_file(self) -> &'static str {
        match self {
            Self::Bash => ".bashrc",
            Self::Zsh => ".zshrc",
            Self::Fish => ".config/fish/config.fish",
        }
    }
}

/// What a shell has loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contestant {
    /// Nothing: what the shell itself costs.
    Bare,
    BacklogAws,
    /// Another build of this program: what `BACKLOG_AWS_BENCH_BEFORE` is the path of.
    Before,
    Direnv,
    Mise,
    Starship,
    Zoxide,
}

impl Contestant {
    pub const ALL: [Self; 7] = [
        Self::Bare,
        Self::BacklogAws,
        Self::Before,
        Self::Direnv,
        Self::Mise,
        Self::Starship,
        Self::Zoxide,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare shell",
            Self::BacklogAws => "backlog-aws",
            Self::Before => "the build before",
            Self::Direnv => "direnv",
            Self::Mise => "mise",
            Self::Starship => "starship",
            Self::Zoxide => "zoxide",
        }
    }

    pub fn is_installed(self) -> bool {
        match self {
            Self::Bare | Self::BacklogAws => true,
            Self::Before => std::env::var_os(BEFORE).is_some(),
            _ => version(self.name()).is_some(),
        }
    }

    /// Whether its hook starts no process when nothing changed.
    pub fn is_quick(self) -> bool {
        matches!(self, Self::Bare | Self::BacklogAws | Self::Before)
    }

    /// The line for the start-up file, from each one's own documentation.
    fn load(self, shell: Shell) -> String {
        let name = self.name();
        let words = match self {
            Self::Bare => return String::new(),
            Self::BacklogAws | Self::Starship => format!("{name} init {}", shell.name()),
            Self::Before => {
                let program = std::env::var(BEFORE).expect("it is in the environment");
                format!("{program} init {}", shell.name())
            }
            Self::Direnv => format!("direnv hook {}", shell.name()),
            Self::Mise => format!("mise activate {}", shell.name()),
            Self::Zoxide => format!("zoxide init {} --hook prompt", shell.name()),
        };
        match shell {
            Shell::Bash | Shell::Zsh => format!("eval \"$({words})\""),
            Shell::Fish => format!("{words} | source"),
        }
    }

    /// What it does at a prompt, as a command.
    fn hook(self, shell: Shell) -> &'static str {
        match (self, shell) {
            (Self::Bare, Shell::Fish) => "true",
            (Self::Bare, _) => ":",
            (Self::BacklogAws | Self::Before, _) => "__backlog_aws_hook",
            (Self::Starship, Shell::Bash) => "starship_precmd",
            (Self::Starship, Shell::Zsh) => "starship_precmd; print -P -- \"$PROMPT\" > /dev/null",
            (Self::Starship, Shell::Fish) => "fish_prompt > /dev/null",
            (_, Shell::Fish) => "emit fish_prompt",
            (Self::Direnv, _) => "_direnv_hook",
            (Self::Mise, _) => "_mise_hook",
            (Self::Zoxide, _) => "__zoxide_hook",
        }
    }
}

const BEFORE: &str = "BACKLOG_AWS_BENCH_BEFORE";

/// The first line that a program prints about itself, if it is there.
pub fn version(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().next().map(str::to_owned)
}

/// Printed at the end of each prompt and by nothing else.
const MARK: &[u8] = b"@@@";
const PATIENCE: Duration = Duration::from_secs(30);

/// An interactive shell at its prompt.
pub struct Session {
    pty: Pty,
    output: Receiver<Vec<u8>>,
    child: Child,
    /// From the start of the process to the first prompt.
    pub start: Duration,
}

impl Session {
    pub fn start(shell: Shell, contestant: Contestant, home: &Home, cwd: &Path) -> Self {
        // Each contestant has a start-up file of its own, and all else in common.
        let place =
            home.path.join(format!("rc/{}-{}", shell.name(), contestant.name().replace(' ', "-")));
        let rc = place.join(shell.rc_file());
        fs::create_dir_all(rc.parent().expect("it is below the place")).expect("writable");
        fs::write(&rc, start_up_file(shell, contestant)).expect("writable");
        let started = Instant::now();
        let (mut session, reader) = Self::spawn(shell, &rc, &place, home, cwd);
        thread::spawn(reader);
        session.wait_for_mark();
        session.start = started.elapsed();
        session.drain();
        session
    }

    fn spawn(
        shell: Shell,
        rc: &Path,
        place: &Path,
        home: &Home,
        cwd: &Path,
    ) -> (Self, impl FnOnce() + Send + 'static) {
        let (pty, slave) = open().expect("a pty can be opened");
        pty.resize(pty_process::Size::new(24, 80)).expect("a pty takes a size");
        let mut command =
            PtyCommand::new(shell.name()).env_clear().envs(home.environment()).current_dir(cwd);
        command = match shell {
            Shell::Bash => command.args(["--noprofile", "--rcfile"]).arg(rc).arg("-i"),
            Shell::Zsh => command.env("ZDOTDIR", place).args(["-d", "-i"]),
            Shell::Fish => command.env("XDG_CONFIG_HOME", place.join(".config")).arg("-i"),
        };
        let child = command.spawn(slave).expect("the shell starts");
        let mut file =
            File::from(pty.as_fd().try_clone_to_owned().expect("a descriptor can be duplicated"));
        let (sender, output) = channel();
        let reader = move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = file.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        };
        let session = Self { pty, output, child, start: Duration::ZERO };
        (session, reader)
    }

    /// Types a line, and measures from Enter to the end of the next prompt.
    pub fn line(&mut self, command: &str) -> Duration {
        // The line is typed first, so that drawing it is not measured.
        self.pty.write_all(command.as_bytes()).expect("a pty takes what is typed");
        if !command.is_empty() {
            self.drain();
        }
        let entered = Instant::now();
        self.pty.write_all(b"\r").expect("a pty takes what is typed");
        self.wait_for_mark();
        let taken = entered.elapsed();
        self.drain();
        taken
    }

    /// The hook, `count` times in a loop, and how long one took.
    pub fn hooks(&mut self, count: u32) -> Duration {
        self.line(&format!("__bench_loop {count}")) / count
    }

    /// A `cd` to each of two directories with the hook of the prompt after it, `count` times, and how long one took.
    pub fn cds(&mut self, count: u32, [here, there]: [&Path; 2]) -> Duration {
        let line = format!("__bench_cds {count} {} {}", there.display(), here.display());
        self.line(&line) / (2 * count)
    }

    fn wait_for_mark(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        while !contains(&seen, MARK) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => {
                    // Newer fish asks what the terminal is, and waits for an answer.
                    if contains(&bytes, b"\x1b[c") || contains(&bytes, b"\x1b[0c") {
                        let _ = self.pty.write_all(b"\x1b[?62;22c");
                    }
                    seen.extend(bytes);
                }
                Err(error) => {
                    panic!("no prompt came ({error}) after:\n{}", String::from_utf8_lossy(&seen))
                }
            }
        }
    }

    /// Takes in what else is printed, until the shell is quiet.
    fn drain(&mut self) {
        while self.output.recv_timeout(Duration::from_millis(4)).is_ok() {}
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

fn start_up_file(shell: Shell, contestant: Contestant) -> String {
    let (load, hook) = (contestant.load(shell), contestant.hook(shell));
    match shell {
        Shell::Bash => format!(
            "unset HISTFILE\nbind 'set enable-bracketed-paste off'\nPS1='@@@ '\n{load}\n\
             __bench_loop() {{ local i; for ((i = 0; i < $1; i++)); do {hook}; done; }}\n\
             __bench_cds() {{ local i; for ((i = 0; i < $1; i++)); do cd $2; {hook}; cd $3; {hook}; done; }}\n"
        ),
        Shell::Zsh => format!(
            "unset HISTFILE zle_bracketed_paste\nunsetopt prompt_cr prompt_sp\nPROMPT='@@@ '\n{load}\n\
             __bench_loop() {{ local i; for ((i = 0; i < $1; i++)) do {hook}; done }}\n\
             __bench_cds() {{ local i; for ((i = 0; i < $1; i++)) do cd $2; {hook}; cd $3; {hook}; done }}\n"
        ),
        Shell::Fish => format!(
            "set -g fish_greeting\nset -g fish_history ''\nset -g fish_autosuggestion_enabled 0\n\
             function fish_title; end\nfunction fish_prompt; printf '@@@ '; end\n{load}\n\
             function __bench_loop; for i in (seq $argv[1]); {hook}; end; end\n\
             function __bench_cds; for i in (seq $argv[1]); cd $argv[2]; {hook}; cd $argv[3]; {hook}; end; end\n"
        ),
    }
}

/// Where starship's settings go: its own prompt as it is, and our mark behind it.
pub fn configure_starship(home: &Path) -> PathBuf {
    let path = home.join("starship.toml");
    fs::write(&path, "format = \"$all@@@ \"\n").expect("writable");
    path
}
