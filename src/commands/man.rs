//! `man`: the manual page.
//!
//! Commands and flags come from clap; what is about the program as a whole is written here.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};

use super::Done;
use crate::cli::Cli;

/// The variables that matter to users: name and meaning. The manual page and the README show the same table.
pub const ENVIRONMENT: &[(&str, &str)] = &[
    (
        "BACKLOG_AWS_PROFILE",
        "The profile for the Backlog Toolkit. The hook exports it; set to another value it is a pin, which nothing overrides.",
    ),
    ("BACKLOG_AWS_REGION", "The region that goes with it. It can be pinned in the same way."),
    (
        "BACKLOG_AWS_SOURCE",
        "Where the answer came from: pin, directory, ambient, toolkit-env, toolkit-env-keys, environment-keys, aws-profile, \
         default or first. For prompts and scripts.",
    ),
    ("BACKLOG_AWS_QUIET", "Set to 1, the hook says nothing but errors."),
    (
        "__BACKLOG_AWS_STATE",
        "Private: what the hook changed in this shell, so that it can be undone.",
    ),
    (
        "AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE",
        "Where the AWS files are, if not ~/.aws/credentials and ~/.aws/config. Only read.",
    ),
    (
        "AWS_PROFILE",
        "Used if nothing of the toolkit's own names a profile and this one has static credentials. Only read.",
    ),
    (
        "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_BEARER_TOKEN_BEDROCK, AWS_REGION, AWS_DEFAULT_REGION",
        "Credentials of the environment, used before AWS_PROFILE, and their region. Only read, except that `exec` sets them \
         for the command it runs.",
    ),
    ("NO_COLOR, CLICOLOR_FORCE", "No colour at all, or colour also into files and pipes."),
    (
        "XDG_DATA_HOME, XDG_CACHE_HOME, XDG_RUNTIME_DIR",
        "Where decisions and time stamps are kept; see FILES.",
    ),
];

/// Files: name and meaning.
pub const FILES: &[(&str, &str)] = &[
    (
        ".backlog-aws",
        "The profile and region of a directory and everything below it: lines `profile = NAME` and `region = REGION`. It counts \
         only after `backlog-aws allow`.",
    ),
    ("~/.aws/credentials, ~/.aws/config", "The AWS profiles. Only read."),
    ("~/.backlog-toolkit-env", "The toolkit's own settings. Read as data and never run."),
    (
        "~/.local/share/backlog-aws/",
        "Which override files are trusted (macOS: ~/Library/Application Support/backlog-aws).",
    ),
    (
        "$XDG_RUNTIME_DIR/backlog-aws/, ~/.cache/backlog-aws/",
        "Empty files whose times tell a prompt that nothing changed; they can be deleted (macOS: ~/Library/Caches/backlog-aws).",
    ),
];

const EXIT_STATUS: &[(&str, &str)] = &[
    ("0", "Good."),
    ("1", "No usable credentials, or a problem was found."),
    ("2", "Wrong usage."),
    (
        "126, 127",
        "`exec` only: the command cannot be run, or does not exist. Otherwise `exec` ends with the status of the command.",
    ),
];

const EXAMPLES: &[(&str, &str)] = &[
    (
        "eval \"$(backlog-aws init bash)\"",
        "In ~/.bashrc: follow directories and files at each prompt. In ~/.zshrc alike with zsh; in fish's config.fish \
         `backlog-aws init fish | source`.",
    ),
    ("backlog-aws", "Show which profile is used here, and why."),
    (
        "backlog-aws use bedrock",
        "Use profile bedrock in this shell, until `backlog-aws use --clear`.",
    ),
    (
        "backlog-aws local bedrock --region eu-west-1",
        "Use it in this directory and below, in every shell.",
    ),
    (
        "backlog-aws exec -- litellm --config proxy.yaml",
        "Run a command with the credentials in its environment, and in no other.",
    ),
    (
        "credential_process = backlog-aws credentials --profile bedrock",
        "In a profile of ~/.aws/config: let any AWS client ask backlog-aws.",
    ),
];

/// Prints the page.
pub fn run(out: &mut dyn Write) -> Done {
    out.write_all(&page()?)?;
    Ok(0)
}

/// The whole page.
fn page() -> io::Result<Vec<u8>> {
    // A page is read at any width; help texts are wrapped by whoever shows them.
    let mut command = Cli::command().term_width(0);
    command.build();
    let man = Man::new(command.clone()).manual("User Commands");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    commands(&command, &mut page)?;
    for (title, entries) in [
        ("ENVIRONMENT", ENVIRONMENT),
        ("FILES", FILES),
        ("EXIT STATUS", EXIT_STATUS),
        ("EXAMPLES", EXAMPLES),
    ] {
        section(title, entries, &mut page)?;
    }
    Ok(page)
}

fn section(title: &str, entries: &[(&str, &str)], page: &mut Vec<u8>) -> io::Result<()> {
    let mut roff = Roff::new();
    roff.control("SH", [title]);
    for (term, meaning) in entries {
        roff.control("TP", []);
        roff.text([bold(*term)]);
        roff.text([roman(meaning.replace('`', ""))]);
    }
    roff.to_writer(page)
}

/// Every command with its arguments, on this one page: there is one program to look up.
fn commands(command: &clap::Command, page: &mut Vec<u8>) -> io::Result<()> {
    let mut roff = Roff::new();
    roff.control("SH", ["COMMANDS"]);
    for command in command.get_subcommands() {
        if command.is_hide_set() || command.get_name() == "help" {
            continue;
        }
        let usage = command.clone().render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ").to_owned();
        roff.control("SS", [usage.as_str()]);
        roff.text([roman(plain(command.get_about()))]);
        for arg in command.get_arguments() {
            if arg.is_hide_set() || arg.is_global_set() || arg.get_id() == "help" {
                continue;
            }
            let mut term = vec![bold(names(arg))];
            let takes_value = arg.get_action().takes_values();
            if takes_value && !arg.is_positional() {
                let value = arg
                    .get_value_names()
                    .and_then(|names| names.first())
                    .map_or_else(|| arg.get_id().to_string(), ToString::to_string);
                term.push(roman(" "));
                term.push(italic(value));
            }
            roff.control("TP", []);
            roff.text(term);
            let mut text = plain(arg.get_help());
            let values: Vec<String> = arg
                .get_possible_values()
                .iter()
                .filter(|value| takes_value && !value.is_hide_set())
                .map(|value| value.get_name().to_owned())
                .collect();
            if !values.is_empty() {
                text = format!("{text}. One of {}.", values.join(", "));
            }
            roff.text([roman(text)]);
        }
    }
    roff.to_writer(page)
}

fn names(arg: &clap::Arg) -> String {
    if arg.is_positional() {
        return arg
            .get_value_names()
            .and_then(|names| names.first())
            .map_or_else(|| arg.get_id().to_string(), ToString::to_string);
    }
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long().map(|long| format!("--{long}"));
    short.into_iter().chain(long).collect::<Vec<_>>().join(", ")
}

fn plain(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default().replace('`', "")
}
