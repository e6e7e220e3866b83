//! How an interactive shell of the harness starts: its start-up file, its flags and its prompt.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::PathBuf;

use super::sandbox::Sandbox;
use super::session::{Dump, Session};
use super::shell::Shell;
use super::terminal::Terminal;

/// A session to come.
#[must_use = "nothing happens before `spawn`"]
pub struct SessionBuilder<'home> {
    sandbox: &'home Sandbox,
    shell: Shell,
    rows: u16,
    columns: u16,
    before: String,
    after: String,
    environment: Vec<(OsString, OsString)>,
    flags: Vec<OsString>,
    init_arguments: String,
    integrated: bool,
    login: bool,
    directory: PathBuf,
    secrets_allowed: bool,
    wrapper: Vec<OsString>,
}

impl<'home> SessionBuilder<'home> {
    pub(super) fn new(sandbox: &'home Sandbox, shell: Shell) -> Self {
        Self {
            sandbox,
            shell,
            rows: 24,
            columns: 80,
            before: String::new(),
            after: String::new(),
            environment: Vec::new(),
            flags: Vec::new(),
            init_arguments: String::new(),
            integrated: true,
            login: false,
            directory: sandbox.home(),
            secrets_allowed: false,
            wrapper: Vec::new(),
        }
    }

    /// A program that runs the shell, such as strace, with its arguments up to the shell's path.
    pub fn under(mut self, wrapper: impl IntoIterator<Item = OsString>) -> Self {
        self.wrapper = wrapper.into_iter().collect();
        self
    }

    /// The window; 24 rows of 80 columns otherwise.
    pub fn size(mut self, rows: u16, columns: u16) -> Self {
        (self.rows, self.columns) = (rows, columns);
        self
    }

    /// Lines of the start-up file above the integration. May be called again.
    pub fn before(mut self, lines: impl AsRef<str>) -> Self {
        self.before += lines.as_ref();
        self.before += "\n";
        self
    }

    /// Lines of the start-up file below the integration. May be called again.
    pub fn after(mut self, lines: impl AsRef<str>) -> Self {
        self.after += lines.as_ref();
        self.after += "\n";
        self
    }

    /// A variable that the shell finds in its environment.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    pub fn envs<'a>(
        self,
        variables: impl IntoIterator<Item = (&'a OsString, &'a OsString)>,
    ) -> Self {
        variables.into_iter().fold(self, |builder, (name, value)| builder.env(name, value))
    }

    /// A command-line flag of the shell, such as `--posix`.
    pub fn flag(mut self, flag: impl Into<OsString>) -> Self {
        self.flags.push(flag.into());
        self
    }

    /// More words for `backlog-aws init SHELL`, written into the start-up file as they are.
    pub fn init_args(mut self, arguments: &str) -> Self {
        self.init_arguments = format!(" {arguments}");
        self
    }

    /// A plain shell.
    pub fn without_integration(mut self) -> Self {
        self.integrated = false;
        self
    }

    pub fn login(mut self) -> Self {
        self.login = true;
        self
    }

    /// Where the shell starts; the home otherwise.
    pub fn cwd(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = directory.into();
        self
    }

    /// For scenarios whose point is that credentials are printed.
    pub fn allowing_secrets(mut self) -> Self {
        self.secrets_allowed = true;
        self
    }

    /// Writes the start-up file, starts the shell and waits for its first prompt.
    #[track_caller]
    pub fn spawn(self) -> Session<'home> {
        let shell = self.shell;
        let token = token();
        let dumps = [(); 3].map(|()| Dump::new(self.sandbox));
        let prompt = prompt(shell, &token);
        let mut rc = format!("{}\n{prompt}\n{}", setup(shell, &token), self.before);
        let mut add = |line: &str| writeln!(rc, "{line}").expect("a String takes every write");
        add(&dumps[0].command(shell));
        if self.integrated {
            add(&shell.integration_line(&self.init_arguments));
        }
        add(&dumps[1].command(shell));
        add(&self.after);
        add(&dumps[2].command(shell));
        add(&prompt);
        self.write_start_up_files(&rc);

        let mut words = self.wrapper.iter().cloned().chain([shell.path().into()]);
        let program = words.next().expect("the shell at least");
        let mut command = pty_process::blocking::Command::new(program)
            .args(words)
            .env_clear()
            .envs(self.sandbox.environment())
            .current_dir(&self.directory);
        let posix = self.flags.iter().any(|flag| flag == "--posix");
        match shell {
            // Long options first: bash reads none after a short one.
            Shell::Bash if self.login => command = command.arg("--login"),
            // An interactive posix shell has no rc file but $ENV.
            Shell::Bash if posix => {
                command = command.env("ENV", self.sandbox.path(shell.rc_file()));
            }
            Shell::Bash => {
                command = command
                    .args(["--noprofile", "--rcfile"])
                    .arg(self.sandbox.path(shell.rc_file()));
            }
            // The machine's own /etc files are no part of a test.
            Shell::Zsh => command = command.arg("-d"),
            Shell::Fish => {}
            Shell::Nu => {
                command = command.arg("--config").arg(self.sandbox.path(shell.rc_file()));
            }
        }
        if self.login && shell != Shell::Bash {
            command = command.arg("-l");
        }
        let command = command.args(&self.flags).arg("-i").envs(self.environment);
        let (terminal, child) = Terminal::spawn(command, &token, self.rows, self.columns);
        Session::begin(self.sandbox, shell, (terminal, child), &dumps, self.secrets_allowed)
    }

    fn write_start_up_files(&self, rc: &str) {
        self.sandbox.write(self.shell.rc_file(), rc);
        if self.shell == Shell::Bash {
            self.sandbox.write(".inputrc", "set enable-bracketed-paste off\nset bell-style none\n");
            if self.login {
                // /etc/profile has just replaced PATH.
                let environment = self.sandbox.environment();
                let path = environment
                    .iter()
                    .find(|(name, _)| name == "PATH")
                    .map(|(_, path)| path.clone());
                let path = self.shell.export("PATH", path.expect("PATH is always set"));
                self.sandbox.write(".bash_profile", format!("{path}\n. ~/.bashrc\n"));
            }
        }
    }
}

/// A word that no program prints by chance.
fn token() -> String {
    use std::hash::{BuildHasher as _, RandomState};
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}

/// The head of the start-up file: the marks, and no chatter. Nothing here forks at a prompt or touches `$?`.
fn setup(shell: Shell, token: &str) -> String {
    match shell {
        // A shell that `exec`s itself must not repeat a number. PS0 came with bash 4.4; before, it is just a variable.
        Shell::Bash => format!(
            r"unset HISTFILE
__harness_prompt=$((RANDOM * 1000))
PS0='\e]7770;{token};C\a'"
        ),
        // Widgets and not precmd or preexec, which belong to the integration under test. /dev/tty, because of `exec >`.
        Shell::Zsh => format!(
            r"unsetopt prompt_cr prompt_sp
unset HISTFILE
__harness_new() {{ \builtin print -rn -- $'\e]7770;{token};A\a' > /dev/tty }}
__harness_run() {{ \builtin print -rn -- $'\e]7770;{token};C\a' > /dev/tty }}
\builtin zle -N zle-line-init __harness_new
\builtin zle -N zle-line-finish __harness_run
unset zle_bracketed_paste"
        ),
        Shell::Fish => format!(
            r"set -g fish_greeting
set -g fish_autosuggestion_enabled 0
set -g fish_history ''
function fish_title; end
function __harness_new --on-event fish_prompt --on-event fish_cancel
    builtin printf '\e]7770;{token};A\a'
end
function __harness_run --on-event fish_preexec
    builtin printf '\e]7770;{token};C\a'
end
function fish_prompt
    builtin printf '\e]7770;{token};B\a$ \e]7770;{token};E\a'
end"
        ),
        // It draws the prompt anew at each key, and runs this once for each prompt.
        Shell::Nu => format!(
            r#"$env.config.show_banner = false
$env.config.history.max_size = 0
$env.config.use_kitty_protocol = false
$env.config.bracketed_paste = false
$env.config.shell_integration = {{osc2: false, osc7: false, osc8: false, osc9_9: false, osc133: false, osc633: false}}
$env.config.hooks.pre_execution = [{{|| print --no-newline "\e]7770;{token};C\u{{7}}" }}]
$env.PROMPT_COMMAND_RIGHT = ""
$env.PROMPT_INDICATOR = ""
$env.PROMPT_COMMAND = {{||
    let number = random int | into string
    "\e]7770;{token};B" + $number + "\u{{7}}$ \e]7770;{token};E" + $number + "\u{{7}}"
}}"#
        ),
    }
}

/// The prompt, once more at the end of the file, in case that a line in between set its own.
fn prompt(shell: Shell, token: &str) -> String {
    match shell {
        // Arithmetic runs no command, so it leaves PIPESTATUS alone, and bash does it for new prompts only.
        Shell::Bash => format!(
            r"PS1='\[\e]7770;{token};B$((__harness_prompt+=1))\a\]$ \[\e]7770;{token};E$__harness_prompt\a\]'"
        ),
        Shell::Zsh => format!(r"PROMPT=$'%{{\e]7770;{token};B\a%}}$ %{{\e]7770;{token};E\a%}}'"),
        Shell::Fish | Shell::Nu => String::new(),
    }
}
