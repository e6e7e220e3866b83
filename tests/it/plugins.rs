//! The repository as plugin managers load it, and what that costs.

use std::fs;
use std::path::Path;

use crate::harness::{Key, Sandbox, Session, SessionBuilder, Shell, processes_of, scenario};

const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");

/// The hook runs and Tab completes.
fn assert_at_home(builder: SessionBuilder<'_>) {
    let mut session = builder.spawn();
    session.line("");
    assert_eq!(session.var("BACKLOG_AWS_SOURCE").unwrap(), "first");
    session.send("backlog-aws use be");
    session.key(Key::Tab);
    session.wait_for("use bedrock");
    session.key(Key::Enter);
    session.wait_prompt();
    assert_eq!(session.var("BACKLOG_AWS_SOURCE").unwrap(), "pin");
}

/// A shell whose start-up file loads the plugin in some way.
fn loading<'home>(home: &'home Sandbox, shell: Shell, lines: &str) -> SessionBuilder<'home> {
    let lines = lines.replace("REPOSITORY", REPOSITORY);
    Session::builder(home, shell).without_integration().after(lines)
}

#[test]
fn oh_my_zsh_puts_the_plugin_into_fpath_and_runs_compinit_first() {
    let home = Sandbox::documented_home();
    assert_at_home(loading(
        &home,
        Shell::Zsh,
        "fpath=(REPOSITORY $fpath)\nautoload -Uz compinit; compinit -u -D\nsource REPOSITORY/backlog-aws.plugin.zsh",
    ));
}

#[test]
fn antidote_sources_the_plugin_with_compinit_below() {
    let home = Sandbox::documented_home();
    assert_at_home(loading(
        &home,
        Shell::Zsh,
        "fpath+=( REPOSITORY )\nsource REPOSITORY/backlog-aws.plugin.zsh\nautoload -Uz compinit; compinit -u -D",
    ));
}

/// zinit sources within a function, catches `compdef`, and replays it when `compinit` has run.
#[test]
fn zinit_replays_compdef() {
    let home = Sandbox::documented_home();
    assert_at_home(loading(
        &home,
        Shell::Zsh,
        r#"typeset -ga replay
compdef() { replay+=("${(j: :)${(q)@}}") }
load() { local ZERO=REPOSITORY/backlog-aws.plugin.zsh; builtin source "$ZERO" }
load
unfunction load compdef
autoload -Uz compinit; compinit -u -D
for line in $replay; do eval "compdef $line"; done"#,
    ));
}

/// The same below `compinit`: nothing is replayed then. antigen does it alike.
#[test]
fn zinit_after_compinit_forgets_compdef() {
    let home = Sandbox::documented_home();
    assert_at_home(loading(
        &home,
        Shell::Zsh,
        "autoload -Uz compinit; compinit -u -D
functions[real]=$functions[compdef]
compdef() { : }
source REPOSITORY/backlog-aws.plugin.zsh
functions[compdef]=$functions[real]",
    ));
}

#[test]
fn fisher_copies_two_files() {
    let home = Sandbox::documented_home();
    for file in ["conf.d/backlog-aws.fish", "completions/backlog-aws.fish"] {
        let text = fs::read(Path::new(REPOSITORY).join(file)).unwrap();
        home.write(Path::new(".config/fish").join(file), text);
    }
    assert_at_home(loading(&home, Shell::Fish, ""));
}

#[test]
fn bash_it_sources_each_file_of_its_custom_directories() {
    let home = Sandbox::documented_home();
    assert_at_home(loading(
        &home,
        Shell::Bash,
        "for file in REPOSITORY/*.plugin.bash; do source \"$file\"; done",
    ));
}

scenario! {
    fn the_script_can_be_sourced_as_it_is(shell) {
        let home = Sandbox::documented_home();
        let name = shell.name();
        let compinit = if shell == Shell::Zsh { "autoload -Uz compinit; compinit -u -D\n" } else { "" };
        assert_at_home(loading(&home, shell, &format!("{compinit}source REPOSITORY/shell/backlog-aws.{name}")));
    }

    fn sourcing_starts_no_process(shell) {
        let files: &[&str] = match shell {
            Shell::Bash => &["shell/backlog-aws.bash", "backlog-aws.plugin.bash", "completions/backlog-aws.bash"],
            Shell::Zsh => &["shell/backlog-aws.zsh", "backlog-aws.plugin.zsh", "completions/_backlog-aws"],
            Shell::Nu => unreachable!(),
            Shell::Fish => &["shell/backlog-aws.fish", "conf.d/backlog-aws.fish", "completions/backlog-aws.fish"],
        };
        let Some(none) = processes_of(shell, "true", &[]) else {
            eprintln!("not checked: there is no strace that may trace here");
            return;
        };
        for file in files {
            let line = format!("source {REPOSITORY}/{file}");
            assert_eq!(processes_of(shell, &line, &[]), Some(none), "{file}");
        }
        // The check itself can tell.
        let one = format!("source {REPOSITORY}/{}; /bin/true; true", files[0]);
        assert_eq!(processes_of(shell, &one, &[]), Some(none + 1));
    }
}
