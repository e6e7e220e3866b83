//! What can be typed: clap types and help texts, and nothing else.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ColorChoice, Parser, Subcommand, ValueEnum, ValueHint};
use jiff::SignedDuration;

use crate::aws::account::is_account;
use crate::bearer::LONGEST;
use crate::overrides::{is_profile_name, is_region_name};
use crate::shell::{HookMode, Shell};

/// Which AWS profile the Backlog Toolkit uses in this shell, apart from the one that Claude Code uses.
///
/// Without a command it prints `status`.
#[derive(Debug, Parser)]
#[command(name = "backlog-aws", version, about, max_term_width = 100)]
#[command(
    after_help = "Load it into your shell:\n  bash  eval \"$(backlog-aws init bash)\"   in ~/.bashrc\n  zsh   eval \"$(backlog-aws init zsh)\"    in ~/.zshrc\n  fish  backlog-aws init fish | source    in ~/.config/fish/config.fish\n\nExit status: 0 good, 1 no usable credentials or a problem found, 2 wrong usage."
)]
pub struct Cli {
    /// When to use color: `NO_COLOR` and `CLICOLOR_FORCE` are respected by `auto`
    #[arg(long, value_enum, global = true, default_value_t, value_name = "WHEN")]
    pub color: ColorChoice,

    /// What to do; `status` when nothing is given.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Set up your shell: add the line that loads the integration, and choose a profile for everywhere
    Setup(Setup),
    /// Print the shell integration, for `eval` or `source` in the shell's start-up file
    Init(Init),
    /// Show which profile is used and why: every place that was looked at, in order
    Status(Status),
    /// List all profiles with their kind, region, expiry and where they are defined
    List(List),
    /// Pin a profile or region for this shell; without a profile, choose one from a list
    Use(Use),
    /// Set the profile or region for this directory and everything below it; without arguments, show what is in force
    Local(Local),
    /// Trust an override file after looking at it: one that came with a repository counts only then
    Allow(Allow),
    /// Stop trusting an override file, and keep quiet about it
    Deny(Deny),
    /// Run a command with the credentials in its environment, and in no other
    Exec(Exec),
    /// Print the variables that a shell gets here, for scripts, editors, CI, direnv and mise
    Env(Env),
    /// Ask AWS whether the credentials work: whose they are, and whether Bedrock answers
    Check(Check),
    /// Print the credentials, for programs that read them from a pipe or file
    Credentials(CredentialsArgs),
    /// Check the set-up, with a remedy for each problem, and show which identity each AWS client here would use
    Doctor(Doctor),
    /// Print the completion script; `init` loads it by itself
    Completions(Completions),
    /// Print the manual page: `backlog-aws man | man -l -`
    Man,
    /// What the completion scripts ask at each Tab
    #[command(hide = true)]
    Complete(Complete),
    /// Try everything in a throw-away home with sample profiles
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
    /// When to look whether something changed
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub hook: HookMode,
    /// Leave Tab completion out
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
    /// Print JSON, for scripts
    #[arg(long)]
    pub json: bool,
}

/// `list`.
#[derive(Debug, Args)]
pub struct List {
    /// Print JSON, for scripts
    #[arg(long, conflicts_with = "names")]
    pub json: bool,
    /// Print only the names, one a line
    #[arg(long)]
    pub names: bool,
    /// Leave out profiles without usable credentials
    #[arg(long)]
    pub usable: bool,
}

/// `use`.
#[derive(Debug, Args)]
pub struct Use {
    /// The profile to pin
    #[arg(value_parser = profile_name, conflicts_with = "clear")]
    pub profile: Option<String>,
    /// Pin the region too, or only the region; '' ends the pin of a region
    #[arg(long, value_parser = region_name_or_none, conflicts_with = "clear")]
    pub region: Option<String>,
    /// Unpin; choose automatically again
    #[arg(long)]
    pub clear: bool,
    /// Choose for every shell and directory that has no choice of its own, instead of pinning; with --clear, end that
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
    /// The account that the credentials must belong to, as twelve digits
    #[arg(long, value_name = "ID", value_parser = account_id, conflicts_with = "unset")]
    pub account: Option<String>,
    /// Keep it in your own configuration, with nothing in the directory
    #[arg(long)]
    pub private: bool,
    /// Remove the override of this directory
    #[arg(long)]
    pub unset: bool,
    /// Write it even though the profile has no usable credentials
    #[arg(long, conflicts_with = "unset")]
    pub force: bool,
}

/// `allow`.
#[derive(Debug, Args)]
pub struct Allow {
    /// A directory or override file; the nearest override when left out
    #[arg(value_name = "DIR|FILE", value_hint = ValueHint::AnyPath)]
    pub path: Option<PathBuf>,
    /// Trust every override below this directory, for worktrees and checkouts of your own
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "path")]
    pub under: Option<PathBuf>,
}

/// `deny`.
#[derive(Debug, Args)]
pub struct Deny {
    /// A directory or override file; the nearest override when left out
    #[arg(value_name = "DIR|FILE", value_hint = ValueHint::AnyPath)]
    pub path: Option<PathBuf>,
    /// Take back `allow --under` of this directory
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "path")]
    pub under: Option<PathBuf>,
}

/// Which profile and region, in place of what the chain says.
#[derive(Debug, Args, Default)]
pub struct Choice {
    /// Use this profile, whatever the directory and the files say
    #[arg(long, short, value_name = "PROFILE", value_parser = profile_name)]
    pub profile: Option<String>,
    /// Use this region
    #[arg(long, short, value_name = "REGION", value_parser = region_name)]
    pub region: Option<String>,
}

/// `exec`.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct Exec {
    /// Profile and region.
    #[command(flatten)]
    pub choice: Choice,
    /// When the profile that you named has no keys (SSO, a role), ask the AWS CLI for temporary ones
    #[arg(long)]
    pub temporary: bool,
    /// Give the command a short-lived Bedrock API key in place of the keys: it opens Bedrock, in one region, and nothing else
    #[arg(long)]
    pub bearer: bool,
    /// How long that key lasts: 1h if left out, 12h at most, and not longer than the credentials
    #[arg(long = "for", value_name = "TIME", requires = "bearer", value_parser = key_life)]
    pub life: Option<SignedDuration>,
    /// Leave `AWS_PROFILE` out of the command's environment, for a client that must not look into ~/.aws
    #[arg(long)]
    pub no_profile: bool,
    /// Hand over no keys, but an AWS configuration of this one profile, by which clients ask for them when they need them
    #[arg(long, conflicts_with = "bearer")]
    pub sealed: bool,
    /// Only show what would be set and removed, with secrets masked
    #[arg(long)]
    pub dry_run: bool,
    /// Take the first usable profile without asking when nothing names one
    #[arg(long, short)]
    pub yes: bool,
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
    after_help = "Examples:\n  backlog-aws check\n  backlog-aws check -p bedrock -m eu.anthropic.claude-haiku-4-5-20251001-v1:0\n\nIt sends its requests by curl. Exit status: 0 all is well, 1 something failed, 2 wrong usage."
)]
pub struct Check {
    /// Profile and region.
    #[command(flatten)]
    pub choice: Choice,
    /// Also ask this model, inference profile or ARN the smallest question there is, which AWS bills
    #[arg(long, short, value_name = "ID", value_parser = model_id)]
    pub model: Option<String>,
    /// When the profile that you named has no keys (SSO, a role), ask the AWS CLI for temporary ones
    #[arg(long)]
    pub temporary: bool,
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
    /// When the profile that you named has no keys (SSO, a role), ask the AWS CLI for temporary ones
    #[arg(long)]
    pub temporary: bool,
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
    /// The shell to show it in; yours when left out
    #[arg(long, value_enum)]
    pub shell: Option<Shell>,
    /// End after the scripted steps, also on a terminal
    #[arg(long)]
    pub script: bool,
}

fn profile_name(text: &str) -> Result<String, &'static str> {
    let valid = is_profile_name(text).then(|| text.to_owned());
    valid.ok_or("it cannot be a profile; AWS allows letters, digits and _-/.%@:+")
}

fn region_name(text: &str) -> Result<String, &'static str> {
    let valid = is_region_name(text).then(|| text.to_owned());
    valid.ok_or("it cannot be a region; write it like eu-west-1")
}

fn account_id(text: &str) -> Result<String, &'static str> {
    if is_account(text) { Ok(text.to_owned()) } else { Err("an account is twelve digits") }
}

/// The characters of AWS's own rule for `modelId`, and nothing that a path could read as going up.
fn model_id(text: &str) -> Result<String, &'static str> {
    let named = text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.len() <= 2048;
    let valid = text.chars().all(|c| c.is_ascii_alphanumeric() || "_-.:/".contains(c));
    (named && valid)
        .then(|| text.to_owned())
        .ok_or("it cannot be a model, inference profile or ARN")
}

fn key_life(text: &str) -> Result<SignedDuration, &'static str> {
    let life =
        text.parse().ok().filter(|life| (SignedDuration::from_secs(1)..=LONGEST).contains(life));
    life.ok_or("write it like 1h or 90m; AWS takes 12h at most")
}

fn region_name_or_none(text: &str) -> Result<String, &'static str> {
    if text.is_empty() { Ok(String::new()) } else { region_name(text) }
}
