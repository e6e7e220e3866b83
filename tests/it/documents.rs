//! What is committed and could lag behind the program: completions, copies for plugin managers, and the tables
//! and recipes of README.md and docs/. `BACKLOG_AWS_BLESS=1 cargo test --test it documents` writes what can be generated.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use backlog_aws::cli::Cli;
use backlog_aws::session::Variable;
use clap::Parser as _;
use clap::error::ErrorKind;

use crate::harness::{
    SECRETS, Sandbox, Session, Shell, files_below, processes_of, scenario, static_profile,
};

const REMEDY: &str = "is out of date; `BACKLOG_AWS_BLESS=1 cargo test --test it` writes it";

pub fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub fn read(path: &str) -> String {
    fs::read_to_string(in_repository(path)).unwrap_or_default()
}

/// Compares a file with what it should be, or writes it.
#[track_caller]
pub fn assert_current(path: &str, expected: &str) {
    if read(path) == expected {
        return;
    }
    assert!(std::env::var_os("BACKLOG_AWS_BLESS").is_some(), "{path} {REMEDY}");
    let path = in_repository(path);
    fs::create_dir_all(path.parent().expect("a file has a parent")).unwrap();
    fs::write(path, expected).unwrap();
}

pub fn printed(arguments: &[&str]) -> String {
    Sandbox::new().run(arguments).expect_code(0).out().to_owned()
}

/// README.md and the files of docs/, by their paths in the repository.
fn documents() -> Vec<(String, String)> {
    let files = files_below(&in_repository("docs")).into_iter();
    let names = files.filter(|file| file.extension().is_some_and(|ending| ending == "md"));
    let names = names.map(|file| {
        let name = file.strip_prefix(in_repository("")).expect("it is in the repository");
        name.to_str().expect("names are text").to_owned()
    });
    ["README.md".to_owned()]
        .into_iter()
        .chain(names)
        .map(|name| (name.clone(), read(&name)))
        .collect()
}

/// The one document with this marker: its path, and its text before and after the marker.
#[track_caller]
fn split_at(marker: &str) -> (String, String, String) {
    let found = documents().into_iter().filter_map(|(path, text)| {
        let (before, after) = text.split_once(marker)?;
        Some((path, before.to_owned(), after.to_owned()))
    });
    let mut found: Vec<_> = found.collect();
    assert_eq!(found.len(), 1, "documents with {marker}: {found:?}");
    found.remove(0)
}

#[test]
fn completions_are_what_the_program_prints() {
    for (shell, file) in [
        ("bash", "completions/backlog-aws.bash"),
        ("zsh", "completions/_backlog-aws"),
        ("fish", "completions/backlog-aws.fish"),
    ] {
        assert_eq!(read(file), printed(&["completions", shell]), "{file}");
    }
}

#[test]
fn fishers_copy_is_the_integration() {
    assert_current("conf.d/backlog-aws.fish", &read("shell/backlog-aws.fish"));
}

#[test]
fn the_documents_show_the_help() {
    let (begin, end) = ("<!-- help:begin -->\n", "<!-- help:end -->");
    let (path, before, rest) = split_at(begin);
    let (_, after) = rest.split_once(end).expect("the help has an end");
    let help = printed(&["--help"]);
    assert_current(&path, &format!("{before}{begin}```text\n{help}```\n{end}{after}"));
}

/// The lines of a text's code blocks, and what else stands between backquotes.
fn code_of(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut lines, mut spans) = (Vec::new(), Vec::new());
    for (index, part) in text.split("```").enumerate() {
        if index % 2 == 1 {
            lines.extend(part.lines().skip(1).map(|line| line.trim().to_owned()));
        } else {
            let between = part.split('`').skip(1).step_by(2);
            spans.extend(between.map(|span| span.replace('\n', " ")));
        }
    }
    (lines, spans)
}

/// The calls of this program in a line of code: the words up to what ends a command in a shell.
fn calls_in(line: &str) -> Vec<Vec<&str>> {
    let calls = line
        .split("backlog-aws ")
        .skip(1)
        .filter(|call| call.starts_with(|c: char| c == '-' || c.is_ascii_lowercase()));
    let words = calls.map(|call| {
        let end = call.find([')', '|', ';', '>', '`', '#', '\\']).unwrap_or(call.len());
        call[..end].split_whitespace().collect()
    });
    words.collect()
}

/// Every command, flag and value that the documents name is one.
#[test]
fn commands_in_the_documents_are_understood() {
    let mut count = 0;
    for (path, text) in documents() {
        let (lines, spans) = code_of(&text);
        // Pasted into a zsh, a comment is an argument.
        let commented =
            lines.iter().find(|line| line.contains("backlog-aws ") && line.contains(" # "));
        assert_eq!(commented, None, "{path}");
        for line in lines.iter().chain(&spans) {
            for words in calls_in(line) {
                count += 1;
                let words = words.into_iter().map(|word| word.trim_matches('\''));
                let Err(error) = Cli::try_parse_from(["backlog-aws"].into_iter().chain(words))
                else {
                    continue;
                };
                // In a sentence, `backlog-aws exec` is the name of the command.
                let name =
                    error.kind() == ErrorKind::MissingRequiredArgument && !lines.contains(line);
                assert!(name || !error.use_stderr(), "{path}: {line}\n{error}");
            }
        }
    }
    assert!(count > 50, "only {count} were found");
}

scenario! {
    /// README's blocks and tables, line by line, in a home like the one it speaks of.
    fn the_readmes_commands_work(shell) {
        let home = Sandbox::documented_home();
        home.write_private(".aws/credentials", [static_profile("luxito", "us-west-2"), static_profile("acme", "eu-west-1"), static_profile("bedrock", "eu-west-1")].concat());
        let script = "#!/bin/sh\n[ -n \"$AWS_ACCESS_KEY_ID\" ] && echo ran with $AWS_PROFILE\n";
        for path in [home.path("scripts/services/start-services.sh"), home.binary_on_path().with_file_name("litellm")] {
            home.write_program(path, script);
        }
        let readme = read("README.md");
        let in_blocks = code_of(&readme).0.into_iter().filter(|line| line.starts_with("backlog-aws"));
        let in_tables = readme.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next().map(str::to_owned));
        let lines: Vec<String> = in_blocks.chain(in_tables.filter(|line| line.starts_with("backlog-aws"))).collect();
        // What asks AWS has its own tests, in `check.rs`.
        let lines: Vec<_> = lines.iter().filter(|line| *line != "backlog-aws check").collect();
        assert!(lines.len() >= 10, "{lines:?}");
        // What `setup` offers in its first step.
        home.write(".config/backlog-aws/config.ini", "profile = bedrock\n");
        let mut session = Session::builder(&home, shell).size(50, 200).spawn();
        let mut ran = 0;
        for line in lines {
            let told = session.line(line).text;
            assert_eq!(session.status_of_last(), 0, "{line}\n{told}");
            ran += usize::from(told.contains("ran with "));
        }
        assert!(ran >= 2, "the start script and LiteLLM were not run");
        session.assert_answer("bedrock", "pin");
    }
}

#[test]
fn the_pictures_show_what_the_program_prints() {
    const LARGEST: u64 = 300 * 1024;
    let make = |arguments: &[&str]| {
        let binary = Sandbox::built_binary();
        let output = Command::new(in_repository("docs/pictures/make"))
            .args(arguments)
            .arg(binary)
            .output()
            .expect("python3 is there");
        (
            output.status.success(),
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
        )
    };
    // Elsewhere the cache of the picture has another place.
    if cfg!(target_os = "linux") {
        if std::env::var_os("BACKLOG_AWS_BLESS").is_some() {
            make(&[]);
        }
        assert_eq!(make(&["--check"]), (true, String::new()));
    }
    let texts: String = documents().into_iter().map(|(_, text)| text).collect();
    let pictures = files_below(&in_repository("docs/pictures"))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "svg"));
    for picture in pictures {
        let name = picture.file_name().expect("it has a name").to_string_lossy();
        assert!(texts.contains(&*name), "no document shows {name}");
        assert!(fs::metadata(&picture).unwrap().len() < LARGEST, "{name} is too large");
        let text = fs::read_to_string(&picture).unwrap();
        // The demo shows a key id of AWS's documentation.
        let secret = |text: &str| SECRETS[..3].iter().any(|secret| text.contains(secret));
        assert!(!secret(&text), "{name} has a secret");
        assert!(!text.contains("/tmp"), "{name} has a path of a machine");
    }
}

/// The links between the documents lead somewhere.
#[test]
fn links_lead_to_files_and_headings() {
    for (path, text) in documents() {
        let text: String = text.split("```").step_by(2).collect();
        let folder = in_repository(&path).parent().expect("it is in a folder").to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { in_repository(&path) } else { folder.join(file) };
            let there = fs::read_to_string(&target).unwrap_or_else(|_| panic!("{path}: {link}"));
            let anchors: Vec<String> = there
                .lines()
                .filter(|line| line.starts_with('#'))
                .map(|line| {
                    let title =
                        line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
                    title.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
                })
                .collect();
            assert!(
                heading.is_empty() || anchors.iter().any(|anchor| anchor == heading),
                "{path}: {link}: {anchors:?}"
            );
        }
    }
}

/// The names of variables of ours in a text.
fn names_in(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_ascii_uppercase() && c != '_')
        .filter(|word| word.contains("BACKLOG_AWS_") && !word.ends_with('_'))
        .map(str::to_owned)
        .collect()
}

/// What the code has to do with is what the documents name, each in words of its own.
#[test]
fn code_documents_and_manual_page_know_the_same_variables() {
    let code: String = files_below(&in_repository("src"))
        .into_iter()
        .filter(|path| path.is_file())
        .map(|path| fs::read_to_string(path).expect("sources are text"))
        .collect();
    let page = read("man/backlog-aws.1").replace("\\fB", "");
    let (_, environment) = page.split_once(".SH ENVIRONMENT\n").expect("the page has that section");
    let documented = names_in(environment.split(".SH").next().unwrap_or_default());
    assert!(documented.len() >= 5, "{documented:?}");
    assert_eq!(names_in(&code), documented, "the manual page");
    let texts: String = documents().into_iter().map(|(_, text)| text).collect();
    assert_eq!(names_in(&texts), documented, "README.md and docs/");
    // What is exported has a table there.
    let (_, _, rest) = split_at("<!-- env:begin -->\n");
    let (table, _) = rest.split_once("<!-- env:end -->").expect("the table has an end");
    assert_eq!(names_in(table), Variable::NAMES.map(str::to_owned).into());
}

// The recipes for prompts.

/// What breaks a prompt that expands its parts once too often.
const NASTY: [&str; 6] = [
    "bedrock",
    "100%n%F{red}%1v",
    "$(touch gone) $HOME ${HOME}",
    "`touch gone`",
    r"\u\w\$\[\] \\",
    r#"it's "quoted" }"#,
];

fn recipe(name: &str) -> String {
    block(&format!("prompt:{name}"))
}

/// The code of the block after this marker.
pub fn block(marker: &str) -> String {
    let (_, _, rest) = split_at(&format!("<!-- {marker} -->\n"));
    let (_, code) = rest.split_once('\n').expect("a block follows");
    code.split_once("```").expect("the block ends").0.to_owned()
}

/// What a script prints in a shell without start-up files.
#[track_caller]
fn shell_prints(shell: Shell, script: &str, profile: Option<&str>) -> String {
    let home = Sandbox::new();
    let mut command = shell.script(&home, script);
    if let Some(profile) = profile {
        command.env("BACKLOG_AWS_PROFILE", profile).env("BACKLOG_AWS_SOURCE", "directory");
    }
    let output = command.output().expect("the shell starts");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{script}");
    assert!(!home.path("gone").exists(), "{profile:?} was run");
    String::from_utf8(output.stdout).expect("the tests print text")
}

#[track_caller]
fn assert_shows(shell: Shell, script: &str, show: impl Fn(&str) -> String, nothing: &str) {
    for name in NASTY {
        assert_eq!(shell_prints(shell, script, Some(name)), show(name), "{script}");
    }
    assert_eq!(shell_prints(shell, script, None), nothing, "{script}");
    let environment = [("BACKLOG_AWS_PROFILE", "bedrock"), ("BACKLOG_AWS_SOURCE", "pin")];
    match processes_of(shell, "true", &[]) {
        Some(none) => assert_eq!(processes_of(shell, script, &environment), Some(none), "{script}"),
        None => eprintln!("not checked: there is no strace that may trace here"),
    }
}

#[test]
fn the_recipe_for_bash() {
    // PS1 as bash itself expands it.
    let script = format!("set -u\nPS1='> '\n{}\nprintf %s \"${{PS1@P}}\"", recipe("bash"));
    assert_shows(Shell::Bash, &script, |name| format!("[{name} directory] > "), "> ");
}

#[test]
fn the_recipe_for_zsh_and_oh_my_zsh() {
    let script = format!("setopt no_unset\nPROMPT='> '\n{}\nprint -rnP -- $PROMPT", recipe("zsh"));
    assert_shows(Shell::Zsh, &script, |name| format!("[{name} directory] > "), "> ");
}

/// powerlevel10k runs `prompt_NAME`, and gives the text after `-t` to the prompt, which expands percent signs in it.
#[test]
fn the_recipe_for_powerlevel10k() {
    let script = format!(
        "setopt no_unset\np10k() {{ [[ $1 == segment && $4 == -t ]] && print -rnP -- $5 }}\n{}\nprompt_backlog_aws || true",
        recipe("powerlevel10k")
    );
    assert_shows(Shell::Zsh, &script, |name| format!("{name} directory"), "");
}

#[test]
fn the_recipe_for_fish() {
    let script = format!("{}\nfish_right_prompt", recipe("fish"));
    assert_shows(Shell::Fish, &script, |name| format!("{name} directory\n"), "");
}

/// starship quotes values for the shell itself. Where it is installed, it is run.
#[test]
fn the_recipe_for_starship() {
    let recipe = recipe("starship");
    for name in ["BACKLOG_AWS_PROFILE", "BACKLOG_AWS_SOURCE"] {
        assert!(recipe.contains(&format!("[env_var.{name}]\n")), "{recipe}");
    }
    assert!(!recipe.contains("command"), "{recipe}");
    let home = Sandbox::new();
    let config = home
        .write("starship.toml", format!("format = \"$env_var\"\nadd_newline = false\n{recipe}"));
    let output = Command::new("starship")
        .arg("prompt")
        .env_clear()
        .envs(home.environment())
        .env("STARSHIP_CONFIG", config)
        .env("BACKLOG_AWS_PROFILE", "bedrock")
        .env("BACKLOG_AWS_SOURCE", "directory")
        .output();
    match output {
        Ok(output) => {
            let shown = String::from_utf8_lossy(&output.stdout);
            assert!(shown.contains("bedrock") && shown.contains("directory"), "{shown}");
        }
        Err(error) => eprintln!("not run: starship ({error})"),
    }
}
