//! What can be typed: clap types and help texts, and nothing else. What a value must be like is in [`values`].

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ColorChoice, Parser, Subcommand, ValueEnum, ValueHint};
use jiff::SignedDuration;

use self::values::{
    account_id, key_life, model_id, profile_name, region_name, region_name_or_none,
};
use crate::shell::{HookMode, Shell};

mod values;

/// Which AWS profile the Backlog Toolkit uses in this shell, apart from the one that Claude Code uses.
///
/// Without a command it prints `status`.
#[derive(Debug, Parser)]
#[command(name = "backlog-aws", version, about, max_term_width = 100)]
#[command(after_help = include_str!("help/backlog-aws.txt"))]
pub struct Cli {
    /// When to use color; `auto` respects `NO_COLOR` and `CLICOLOR_FORCE`
    #[arg(long, value_enum, global = true, default_value_t, value_name = "WHEN")]
    #[arg(help_heading = "Global options", hide_possible_values = true)]
    pub color: ColorChoice,
    /// What to do; `status` when nothing is given.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Set up your shell: add the line that loads the hook, and choose a profile for everywhere
    #[command(after_help = include_str!("help/setup.txt"))]
    Setup(Setup),
    /// Print the hook, for `eval` or `source` in your shell's start-up file
    #[command(after_help = include_str!("help/init.txt"))]
    Init(Init),
    /// Show which profile is used, and why
    #[command(after_help = include_str!("help/status.txt"))]
    Status(Status),
    /// List your AWS profiles: kind, region, expiry, account, and where each is defined
    #[command(after_help = include_str!("help/list.txt"))]
    List(List),
    /// Pin a profile or region for this shell; without a profile, choose from a list
    #[command(after_help = include_str!("help/use.txt"))]
    Use(Use),
    /// Set the profile or region for this directory and below; without arguments, show it
    #[command(after_help = include_str!("help/local.txt"))]
    Local(Local),
    /// Trust the `.backlog-aws` file of a directory; it does not count before that
    #[command(after_help = include_str!("help/allow.txt"))]
    Allow(Trust),
    /// Stop trusting a `.backlog-aws` file, and do not mention it again
    #[command(after_help = include_str!("help/deny.txt"))]
    Deny(Trust),
    /// Run one command with the credentials in its environment
    #[command(after_help = include_str!("help/exec.txt"))]
    Exec(Exec),
    /// Print the variables that the hook exports here, for scripts, editors, CI, direnv and mise
    #[command(after_help = include_str!("help/env.txt"))]
    Env(Env),
    /// Ask AWS whether the credentials work: whose they are, and whether Bedrock answers
    Check(Check),
    /// Print the credentials, secrets included, for programs that read them from a pipe or file
    #[command(after_help = include_str!("help/credentials.txt"))]
    Credentials(CredentialsArgs),
    /// Check the setup and suggest fixes; show which identity each AWS client would use here
    #[command(after_help = include_str!("help/doctor.txt"))]
    Doctor(Doctor),
    /// Print the completion script; `init` already includes it
    #[command(after_help = include_str!("help/completions.txt"))]
    Completions(Completions),
    /// Print the manual page
    #[command(after_help = include_str!("help/man.txt"))]
    Man,
    /// What the completion scripts ask at each Tab
    #[command(hide = true)]
    Complete(Complete),
    /// Try everything in a temporary home with sample profiles
    #[command(after_help = include_str!("help/demo.txt"))]
    Demo(Demo),
}

/// `setup`.
#[derive(Debug, Args)]
pub struct Setup {
    /// The shell to set up; the one you are in when left out
    #[arg(long, value_enum)]
    pub shell: Option<Shell>,
    /// Take out the line that `setup` added, from every start-up file
    #[arg(long, conflicts_with = "shell")]
    pub remove: bool,
}

/// `init`.
#[derive(Debug, Args)]
pub struct Init {
    /// The shell to print for, or `claude` for a snippet of Claude Code's settings
    #[arg(value_enum, value_name = "SHELL")]
    pub target: InitTarget,
    /// When to check whether something changed
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub hook: HookMode,
    /// Leave out Tab completion
    #[arg(long)]
    pub no_completions: bool,
}

/// Who reads what `init` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InitTarget {
    /// GNU Bash 3.2 and later
    Bash,
    /// Zsh 5.0 and later
    Zsh,
    /// fish 3.6 and later
    Fish,
    /// nushell 0.115 and later
    Nu,
    /// Claude Code, whose Bash tool shows no prompts: hooks for its settings.json, to copy by hand
    Claude,
}

/// `completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell to print for
    #[arg(value_enum)]
    pub shell: Shell,
}

/// `complete`: its answer is for the scripts in `completions/`.
#[derive(Debug, Args)]
pub struct Complete {
    /// The shell that asks
    #[arg(value_enum)]
    pub shell: Shell,
    /// Which of the words is to be completed, counted from 0
    pub index: usize,
    /// The command line up to the cursor, this program's name included
    #[arg(last = true)]
    pub words: Vec<OsString>,
}

/// `status`.
#[derive(Debug, Args, Default)]
pub struct Status {
    /// Also show what was not reached because something before it decided
    #[arg(long)]
    pub all: bool,
    /// Print JSON, for scripts
    #[arg(long, conflicts_with = "all")]
    pub json: bool,
}

/// `list`.
#[derive(Debug, Args)]
pub struct List {
    /// Print JSON, for scripts
    #[arg(long, conflicts_with = "names")]
    pub json: bool,
    /// Print only the names, one per line
    #[arg(long)]
    pub names: bool,
    /// Only profiles with usable credentials
    #[arg(long)]
    pub usable: bool,
}

/// `use`.
#[derive(Debug, Args)]
pub struct Use {
    /// The profile to pin
    #[arg(value_parser = profile_name, conflicts_with = "clear")]
    pub profile: Option<String>,
    /// Pin the region too, or only the region; '' unpins it
    #[arg(long, value_parser = region_name_or_none, conflicts_with = "clear")]
    pub region: Option<String>,
    /// Unpin; choose automatically again
    #[arg(long)]
    pub clear: bool,
    /// Choose for everywhere else instead of this shell; with --clear, undo that
    #[arg(long)]
    pub global: bool,
    /// The shell that evaluates the output; set by the integration
    #[arg(long, hide = true, value_enum)]
    pub shell: Option<Shell>,
    /// The session of that shell
    #[arg(long, hide = true, default_value = "")]
    pub session: OsString,
}

/// `local`.
#[derive(Debug, Args)]
pub struct Local {
    /// The profile to write
    #[arg(value_parser = profile_name, conflicts_with = "unset")]
    pub profile: Option<String>,
    /// The region to write
    #[arg(long, value_parser = region_name, conflicts_with = "unset")]
    pub region: Option<String>,
    /// The account that the credentials must belong to (12 digits)
    #[arg(long, value_name = "ID", value_parser = account_id, conflicts_with = "unset")]
    pub account: Option<String>,
    /// Write to your own configuration, and nothing to the directory
    #[arg(long)]
    pub private: bool,
    /// Remove what is set for this directory
    #[arg(long)]
    pub unset: bool,
    /// Write it even if the profile has no usable credentials
    #[arg(long, conflicts_with = "unset")]
    pub force: bool,
}

/// `allow` and `deny`.
#[derive(Debug, Args)]
pub struct Trust {
    /// A directory or file; the nearest `.backlog-aws` by default
    #[arg(value_name = "DIR|FILE", value_hint = ValueHint::AnyPath)]
    pub path: Option<PathBuf>,
    /// For every `.backlog-aws` below this directory that you own
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "path")]
    pub under: Option<PathBuf>,
}

/// Which profile and region, in place of what the chain says.
#[derive(Debug, Args, Default)]
pub struct Choice {
    /// Use this profile, whatever else names one
    #[arg(long, short, value_name = "PROFILE", value_parser = profile_name)]
    pub profile: Option<String>,
    /// Use this region
    #[arg(long, short, value_name = "REGION", value_parser = region_name)]
    pub region: Option<String>,
    /// When the profile that you named has no keys (SSO, a role), ask the AWS CLI for temporary ones
    #[arg(long)]
    pub temporary: bool,
}

/// `exec`.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct Exec {
    /// Profile and region.
    #[command(flatten)]
    pub choice: Choice,
    /// Hand over a short-lived Bedrock API key instead of the keys: good for Bedrock in one region, and nothing else
    #[arg(long)]
    pub bearer: bool,
    /// How long that key lasts: 1h by default, 12h at most, never longer than the credentials
    #[arg(long = "for", value_name = "TIME", requires = "bearer", value_parser = key_life)]
    pub life: Option<SignedDuration>,
    /// Do not set `AWS_PROFILE`, for a client that must not look into ~/.aws
    #[arg(long)]
    pub no_profile: bool,
    /// Hand over no keys, but an AWS configuration of this one profile, by which clients ask for them when they need them
    #[arg(long, conflicts_with = "bearer")]
    pub sealed: bool,
    /// Only show what would be set and removed, with secrets masked
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask; when nothing names a profile, use the first usable one
    #[arg(long, short)]
    pub yes: bool,
    /// Refuse any command where the toolkit's start script would end with other credentials; on a terminal, ask
    #[arg(long)]
    pub strict: bool,
    /// Run a script of the toolkit even though it would end with other credentials
    #[arg(long, conflicts_with = "strict")]
    pub force: bool,
    /// The command and its arguments; put `--` before one that begins with a dash
    #[arg(trailing_var_arg = true, value_name = "CMD", value_hint = ValueHint::CommandWithArguments, required_unless_present = "dry_run")]
    pub command: Vec<OsString>,
}

/// `env`.
#[derive(Debug, Args)]
pub struct Env {
    /// How to print the variables
    #[arg(long, value_enum, default_value_t)]
    pub format: EnvFormat,
}

/// A format of `env`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum EnvFormat {
    /// `export` and `unset` lines for bash, zsh and other POSIX shells: `eval "$(backlog-aws env)"`
    #[default]
    Sh,
    /// The same for fish: `backlog-aws env --format fish | source`
    Fish,
    /// An object; what is to be unset is null
    Json,
    /// `NAME=value` lines; what is to be unset is empty
    Dotenv,
    /// Lines for the file that `$GITHUB_ENV` names; what is to be unset is empty
    Github,
    /// Lines for the file that `$CLAUDE_ENV_FILE` names; see `init claude`
    Claude,
}

/// `check`.
#[derive(Debug, Args)]
#[command(
    after_help = include_str!("help/check.txt")
)]
pub struct Check {
    /// Profile and region.
    #[command(flatten)]
    pub choice: Choice,
    /// Also ask this model, inference profile or ARN the smallest question there is, which AWS bills
    #[arg(long, short, value_name = "ID", value_parser = model_id)]
    pub model: Option<String>,
    /// Print JSON, for scripts
    #[arg(long)]
    pub json: bool,
}

/// `credentials`.
#[derive(Debug, Args)]
pub struct CredentialsArgs {
    /// Profile and region.
    #[command(flatten)]
    pub choice: Choice,
    /// How to print them; `process` is what `credential_process` in ~/.aws/config expects
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// How long a key of `--format bearer` lasts: 1h if left out, 12h at most, and not longer than the credentials
    #[arg(long = "for", value_name = "TIME", value_parser = key_life)]
    pub life: Option<SignedDuration>,
}

/// A format of `credentials`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// JSON for `credential_process`
    #[default]
    Process,
    /// `export NAME=value` lines for bash and zsh
    Env,
    /// `NAME=value` lines
    EnvNoExport,
    /// `set -gx NAME value` lines
    Fish,
    /// `NAME=value` lines for `docker --env-file` and the like
    Dotenv,
    /// A short-lived Bedrock API key made from the credentials, on a line of its own
    Bearer,
}

/// `doctor`.
#[derive(Debug, Args, Default)]
pub struct Doctor {
    /// Print JSON, for scripts
    #[arg(long)]
    pub json: bool,
    /// What only the shell knows about itself, as NAME=VALUE; set by the integration
    #[arg(long, hide = true, value_name = "NAME=VALUE")]
    pub fact: Vec<OsString>,
}

/// `demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// The shell to use; yours by default
    #[arg(long, value_enum)]
    pub shell: Option<Shell>,
    /// Stop after the scripted steps, even on a terminal
    #[arg(long)]
    pub script: bool,
}
