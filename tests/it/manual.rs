//! The manual pages in `man/`: commands and flags come from clap, what is about the program as a whole is written here.
//! `BACKLOG_AWS_BLESS=1 cargo test --test it manual` writes them.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use backlog_aws::cli::Cli;
use clap::CommandFactory;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::documents::{assert_current, in_repository, printed, read};

/// The variables that matter to users: name and meaning.
pub const ENVIRONMENT: &[(&str, &str)] = &[
    (
        "BACKLOG_AWS_PROFILE",
        "The profile for the Backlog Toolkit. The hook exports it; set to another value it is a pin, which nothing overrides.",
    ),
    ("BACKLOG_AWS_REGION", "The region that goes with it. It can be pinned in the same way."),
    (
        "BACKLOG_AWS_SOURCE",
        "Where the answer came from: pin, directory, rule, ambient, toolkit-env, user-default, toolkit-env-keys, \
         environment-keys, aws-profile, default or first. For prompts and scripts.",
    ),
    (
        "BACKLOG_AWS_CONFIG",
        "Where your own configuration is, if not in the place named under FILES.",
    ),
    (
        "BACKLOG_AWS_QUIET",
        "Set to 1, the hook says nothing but errors and that another account pays than before.",
    ),
    (
        "__BACKLOG_AWS_STATE",
        "Private: what the hook changed in this shell, so that it can be undone.",
    ),
    (
        "__BACKLOG_AWS_ASKED_FOR",
        "Private: what --temporary asks the AWS CLI for, in its environment, so that it is not asked in a circle.",
    ),
    (
        "__BACKLOG_AWS_CREDENTIALS_FILE, __BACKLOG_AWS_CONFIG_FILE",
        "Private: where your own AWS files are, for a command that `exec --sealed` runs.",
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
    ("NO_COLOR, CLICOLOR_FORCE", "No color at all, or color also into files and pipes."),
    (
        "XDG_DATA_HOME, XDG_CACHE_HOME, XDG_RUNTIME_DIR",
        "Where decisions and time stamps are kept; see FILES.",
    ),
];

const FILES: &[(&str, &str)] = &[
    (
        ".backlog-aws",
        "The profile and region of a directory and everything below it: lines `profile = NAME` and `region = REGION`. It counts \
         only after `backlog-aws allow`.",
    ),
    (
        "~/.config/backlog-aws/config.ini",
        "Your own configuration: `profile`, `region` and `account` for everywhere, and in sections like `[~/work/acme]` for a \
         directory and everything below it (macOS: ~/Library/Application Support/backlog-aws). `use --global` and \
         `local --private` write it.",
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
        "In ~/.bashrc: follow directories and files at each prompt. The same in ~/.zshrc with zsh; in fish's config.fish \
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

/// Every page by its file name: the program's own, and one for each command.
fn pages() -> BTreeMap<String, String> {
    // Whoever shows a page wraps it.
    let mut root = Cli::command()
        .term_width(0)
        .disable_help_subcommand(true)
        .subcommand_help_heading("COMMANDS");
    root.build();
    let commands = root.get_subcommands().filter(|command| !command.is_hide_set());
    [&root].into_iter().chain(commands).map(|command| page(command, &root)).collect()
}

fn page(command: &clap::Command, root: &clap::Command) -> (String, String) {
    let is_root = command.get_name() == root.get_name();
    let man = Man::new(command.clone())
        .source(format!("backlog-aws {}", env!("CARGO_PKG_VERSION")))
        .manual("User Commands");
    let mut page = Vec::new();
    man.render_title(&mut page).unwrap();
    man.render_name_section(&mut page).unwrap();
    man.render_synopsis_section(&mut page).unwrap();
    man.render_description_section(&mut page).unwrap();
    man.render_options_section(&mut page).unwrap();
    if is_root {
        man.render_subcommands_section(&mut page).unwrap();
        section("ENVIRONMENT", ENVIRONMENT, &mut page);
        section("FILES", FILES, &mut page);
        section("EXIT STATUS", EXIT_STATUS, &mut page);
        section("EXAMPLES", EXAMPLES, &mut page);
    } else {
        section("SEE ALSO", &[("backlog-aws(1)", "")], &mut page);
    }
    let page = String::from_utf8(page).expect("help texts are text").replace('`', "");
    (man.get_filename(), page)
}

fn section(title: &str, entries: &[(&str, &str)], page: &mut Vec<u8>) {
    let mut roff = Roff::new();
    roff.control("SH", [title]);
    for (term, meaning) in entries {
        roff.control("TP", []);
        roff.text([bold(*term)]);
        roff.text([roman(*meaning)]);
    }
    roff.to_writer(page).unwrap();
}

#[test]
fn the_pages_are_what_clap_knows_and_no_page_is_left_over() {
    let pages = pages();
    for (name, page) in &pages {
        assert_current(&format!("man/{name}"), page);
    }
    for entry in fs::read_dir(in_repository("man")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(pages.contains_key(&name), "man/{name} is the page of no command; remove it");
    }
}

#[test]
fn man_prints_the_main_page() {
    assert!(printed(&["man"]) == read("man/backlog-aws.1"));
}

/// groff itself says what it cannot make sense of, where it is installed.
#[test]
fn the_pages_have_no_mistakes() {
    for name in pages().keys() {
        let output = Command::new("groff")
            .args(["-man", "-Tutf8", "-ww", "-z"])
            .arg(in_repository("man").join(name))
            .output();
        match output {
            Ok(output) => assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{name}"),
            Err(error) => eprintln!("not checked: groff cannot be run ({error})"),
        }
    }
}
