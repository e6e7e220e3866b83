//! The shells: where they are, how they start, and how each says the same thing.
//!
//! Quoting here is the harness's own, byte by byte in hexadecimal, so that a mistake in the product's quoting cannot
//! hide behind the same mistake in the test.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::sandbox::Sandbox;
use super::tools::needed;

/// A shell that the integration supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
    /// Its language is too different for most lines of scenarios; `nushell.rs` names those that it runs.
    Nu,
}

impl Shell {
    /// Those that run every scenario.
    pub const ALL: [Self; 3] = [Self::Bash, Self::Zsh, Self::Fish];

    pub fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
            Self::Nu => "nu",
        }
    }

    /// The executable: the one that `BACKLOG_AWS_TEST_BASH` and its like name, or else see [`found`](super::found).
    #[track_caller]
    pub fn path(self) -> PathBuf {
        let other = std::env::var_os(format!("BACKLOG_AWS_TEST_{}", self.name().to_uppercase()));
        other.map_or_else(|| needed(self.name()), PathBuf::from)
    }

    /// Whether it is a bash older than this major version: some of them can do less.
    #[track_caller]
    pub fn is_bash_before(self, major: u32) -> bool {
        let version = || {
            let output =
                Command::new(self.path()).args(["-c", "echo ${BASH_VERSINFO[0]}"]).output();
            let text = String::from_utf8(output.expect("it starts").stdout).expect("a number");
            text.trim().parse::<u32>().expect("a number")
        };
        self == Self::Bash && version() < major
    }

    /// For a shell that runs a script, without the start-up files of the machine.
    pub fn script_flags(self) -> &'static [&'static str] {
        match self {
            Self::Bash => &["--norc", "--noprofile"],
            Self::Zsh => &["-f"],
            Self::Fish => &["--no-config"],
            Self::Nu => &["--no-config-file"],
        }
    }

    /// Runs a script in the home of the sandbox.
    #[track_caller]
    pub fn script(self, home: &Sandbox, script: impl AsRef<OsStr>) -> Command {
        let mut command = home.command(self.path());
        command.args(self.script_flags()).arg("-c").arg(script);
        command
    }

    /// What a script can do in place of a prompt.
    pub fn prompt(self) -> &'static str {
        match self {
            Self::Bash | Self::Zsh => "__backlog_aws_hook",
            Self::Fish => "emit fish_prompt",
            Self::Nu => "do --env ($env.config.hooks.pre_prompt | last).code",
        }
    }

    /// A command line for an interactive shell with the start-up file of a home, and none of the machine.
    #[track_caller]
    pub fn interactive(self, home: &Sandbox) -> String {
        let path = self.path();
        let path = path.display();
        match self {
            Self::Bash => {
                format!("{path} --noprofile --rcfile {} -i", home.path(self.rc_file()).display())
            }
            Self::Zsh => format!("{path} -d -i"),
            Self::Fish => format!("{path} -i"),
            Self::Nu => format!("{path} --config {} -i", home.path(self.rc_file()).display()),
        }
    }

    /// The start-up file, relative to the home. For fish that is its default place, so that `XDG_*` can stay unset.
    pub fn rc_file(self) -> &'static str {
        match self {
            Self::Bash => ".bashrc",
            Self::Zsh => ".zshrc",
            Self::Fish => ".config/fish/config.fish",
            Self::Nu => ".config/nushell/config.nu",
        }
    }

    /// The line that the README tells people to put into that file.
    pub fn integration_line(self, arguments: &str) -> String {
        match self {
            Self::Bash | Self::Zsh => {
                format!(r#"eval "$(backlog-aws init {}{arguments})""#, self.name())
            }
            Self::Fish => format!("backlog-aws init fish{arguments} | source"),
            Self::Nu => format!(
                "mkdir $nu.user-autoload-dirs.0; \
                 ^backlog-aws init nu{arguments} | save -f $\"($nu.user-autoload-dirs.0)/backlog-aws.nu\""
            ),
        }
    }

    /// `value` as one word of this shell's language, every byte spelled in hexadecimal.
    pub fn quote(self, value: impl AsRef<OsStr>) -> String {
        if self == Self::Nu {
            let text = value.as_ref().to_str().expect("nushell knows UTF-8 only");
            let spelled = text.chars().map(|c| format!("\\u{{{:x}}}", u32::from(c)));
            return format!("\"{}\"", spelled.collect::<String>());
        }
        let bytes = value.as_ref().as_bytes();
        if bytes.is_empty() {
            return "''".to_owned();
        }
        let (open, escape, close) = match self {
            Self::Bash | Self::Zsh => ("$'", r"\x", "'"),
            Self::Fish | Self::Nu => ("", r"\X", ""),
        };
        let mut word = open.to_owned();
        for byte in bytes {
            write!(word, "{escape}{byte:02x}").expect("a String takes every write");
        }
        word + close
    }

    /// Sets and exports a variable for the rest of the session.
    pub fn export(self, name: &str, value: impl AsRef<OsStr>) -> String {
        let value = self.quote(value);
        match self {
            Self::Bash | Self::Zsh => format!("export {name}={value}"),
            Self::Fish => format!("set -gx {name} {value}"),
            Self::Nu => format!("$env.{name} = {value}"),
        }
    }

    /// Sets a variable of the shell without exporting it.
    pub fn assign(self, name: &str, value: impl AsRef<OsStr>) -> String {
        let value = self.quote(value);
        match self {
            Self::Bash | Self::Zsh => format!("{name}={value}"),
            Self::Fish => format!("set -g {name} {value}"),
            Self::Nu => format!("let {name} = {value}"),
        }
    }

    pub fn unset(self, name: &str) -> String {
        match self {
            Self::Bash | Self::Zsh => format!("unset {name}"),
            Self::Fish => format!("set -e {name}"),
            Self::Nu => format!("hide-env --ignore-errors {name}"),
        }
    }

    /// Runs the hook with nothing behind it. Succeeds when the shell itself says that nothing changed.
    pub fn ask_the_hook(self) -> &'static str {
        match self {
            Self::Bash | Self::Zsh => {
                "(__backlog_aws_refresh() { exit 1; }; __backlog_aws_hook; exit 0)"
            }
            Self::Fish => {
                "functions -c __backlog_aws_refresh __test_kept; \
                 function __backlog_aws_refresh; set -g __test_asked; end; \
                 __backlog_aws_hook; \
                 functions -e __backlog_aws_refresh; functions -c __test_kept __backlog_aws_refresh; \
                 functions -e __test_kept; not set -e __test_asked"
            }
            // Its commands cannot be replaced; what the program answers is lost with the block.
            Self::Nu => {
                "do { $env.__backlog_aws.session = 'asked.1'; \
                 do --env ($env.config.hooks.pre_prompt | where {|it| ($it | describe) =~ __backlog_aws } | last).code; \
                 if ($env.__BACKLOG_AWS_STATE? | default '') =~ 'asked.1' { ^false } else { ^true } }"
            }
        }
    }

    /// Words that expand to the exit statuses of the last pipeline.
    pub fn pipe_status(self) -> &'static str {
        match self {
            Self::Bash => r#""${PIPESTATUS[@]}""#,
            Self::Zsh => r#""${pipestatus[@]}""#,
            Self::Fish => "$pipestatus",
            Self::Nu => "",
        }
    }

    /// A word that expands to the exit status of the last command.
    pub fn status(self) -> &'static str {
        match self {
            Self::Bash | Self::Zsh => r#""$?""#,
            Self::Fish => "$status",
            Self::Nu => "$env.LAST_EXIT_CODE",
        }
    }

    /// Writes the environment, as a child process receives it, and the shell's own variables into two files.
    ///
    /// Neither file may exist: plain `>` then works under `noclobber` too.
    pub(super) fn dump(self, environment: &Path, variables: &Path) -> String {
        let (environment, variables) = (self.quote(environment), self.quote(variables));
        match self {
            // `\` keeps aliases out of it. Posix mode prints no functions, the others print theirs indented.
            Self::Bash | Self::Zsh => {
                format!(r"/usr/bin/env -0 > {environment}; \builtin set > {variables}")
            }
            Self::Fish => format!("/usr/bin/env -0 > {environment}; builtin set -L > {variables}"),
            // All of its variables are exported, or it would not call them that.
            Self::Nu => format!(
                r#"^/usr/bin/env -0 | save --raw --force {environment}; "" | save --force {variables}"#
            ),
        }
    }
}
