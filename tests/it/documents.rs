//! What is committed and could lag behind the program: completions, copies for plugin managers, and the tables
//! and recipes of README.md and docs/. `BACKLOG_AWS_BLESS=1 cargo test --test it documents` writes what can be generated.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Sandbox, Shell, files_below, processes_of};
use backlog_aws::session::Variable;

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
