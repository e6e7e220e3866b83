//! The hook leaves the shell as it found it: statuses, other people's functions, what was typed; and it survives what
//! becomes of its program.

use std::ffi::OsStr;
use std::fs;

use crate::harness::{Sandbox, Session, SessionBuilder, Shell, scenario};

/// A shell in which the hook has work to do at each prompt where `AWS_REGION` or the like changed.
fn builder(home: &Sandbox, shell: Shell) -> SessionBuilder<'_> {
    Session::builder(home, shell).size(40, 300).env("BACKLOG_AWS_QUIET", "1")
}

/// A command line after which the hook has something to do, and which ends in `command`.
fn with_news(shell: Shell, number: u32, command: &str) -> String {
    format!("{}; {command}", shell.export("BACKLOG_AWS_REGION", format!("eu-west-{number}")))
}

scenario! {
    fn the_exit_status_survives_the_hook(shell) {
        let home = Sandbox::documented_home();
        let mut session = builder(&home, shell).spawn();
        for (number, status) in [(1, 0), (2, 1), (3, 42), (4, 255)] {
            session.line(with_news(shell, number, &format!("sh -c 'exit {status}'")));
            assert_eq!(session.status_of_last(), status);
        }
        session.line("sh -c 'exit 7'");
        session.line("");
        assert_eq!(session.status_of_last(), 7);
        session.line("sh -c 'exit 8'");
        assert_eq!(session.status_of_last(), 8);
        assert_eq!(session.var("BACKLOG_AWS_REGION").as_deref(), Some(OsStr::new("eu-west-4")));
    }

    fn the_statuses_of_a_pipeline_survive_the_hook(shell) {
        let home = Sandbox::documented_home();
        let mut session = builder(&home, shell).spawn();
        session.line("sh -c 'exit 3' | sh -c 'exit 4' | true");
        assert_eq!(session.pipe_status_of_last(), [3, 4, 0]);
        session.line(with_news(shell, 1, "sh -c 'exit 5' | sh -c 'exit 6' | sh -c 'exit 7'"));
        assert_eq!(session.pipe_status_of_last(), [5, 6, 7]);
    }

    fn a_deleted_binary_is_silent(shell) {
        let home = Sandbox::documented_home();
        let mut session = builder(&home, shell).spawn();
        let before = session.var("__BACKLOG_AWS_STATE");
        fs::remove_file(home.binary_on_path()).expect("it is ours");
        for command in ["", "cd /", "true"] {
            assert_eq!(session.line(command).text, "");
        }
        assert_eq!(session.line(session.shell().export("BACKLOG_AWS_PROFILE", "bedrock")).text, "");
        session.line("sh -c 'exit 9'");
        assert_eq!(session.status_of_last(), 9);
        assert_eq!(session.var("__BACKLOG_AWS_STATE"), before);
        let turn = session.line("backlog-aws use bedrock");
        assert!(turn.text.contains("the program is gone"), "{}", turn.text);
        session.line("backlog-aws use bedrock 2> /dev/null");
        assert_eq!(session.status_of_last(), 127);
        std::os::unix::fs::symlink(Sandbox::built_binary(), home.binary_on_path()).expect("the place is free");
        session.line("");
        assert_eq!(session.source(), "pin");
    }

    fn a_binary_that_fails_changes_nothing(shell) {
        let home = Sandbox::documented_home();
        let mut session = builder(&home, shell).spawn();
        let before = session.env();
        home.replace_binary("#!/bin/sh\necho 'echo half an answer; BACKLOG_AWS_PROFILE=x'\nexit 1\n");
        session.line(session.shell().export("BACKLOG_AWS_PROFILE", "bedrock"));
        assert_eq!(session.line("").text, "");
        for name in ["BACKLOG_AWS_REGION", "BACKLOG_AWS_SOURCE", "__BACKLOG_AWS_STATE"] {
            assert_eq!(session.var(name), before.get(OsStr::new(name)).cloned());
        }
    }

    fn an_empty_path_is_no_obstacle(shell) {
        let home = Sandbox::documented_home();
        let mut session = builder(&home, shell).spawn();
        session.line(shell.export("PATH", ""));
        session.assert_pin_comes_and_goes();
        session.line(shell.unset("PATH"));
        session.assert_pin_comes_and_goes();
    }

    fn sourced_twice_the_hook_runs_once(shell) {
        let home = Sandbox::documented_home();
        // Counts its runs, and lets each prompt ask again.
        home.wrap_hook("echo >> ~/runs");
        let again = shell.integration_line("");
        let mut session = builder(&home, shell).after(&again).after(&again).spawn();
        session.line(&again);
        home.write("runs", "");
        session.line(shell.export("BACKLOG_AWS_PROFILE", "bedrock"));
        let runs = fs::read(home.path("runs")).expect("the hook has run");
        assert_eq!(runs.len(), 1);
        assert_eq!(session.source(), "pin");
        session.line(&again);
        assert_eq!(session.source(), "pin", "the session is the same after sourcing again");
    }

    fn the_function_passes_everything_but_use_through(shell) {
        let home = Sandbox::documented_home();
        let mut session = builder(&home, shell).spawn();
        let words = "backlog-aws exec --profile bedrock -- printf '<%s>' 'a  b' '' '*'";
        assert_eq!(session.line(words).text.trim_end_matches(['⏎', '%']), "<a  b><><*>");
        session.line("backlog-aws exec --yes -- sh -c 'exit 5'");
        assert_eq!(session.status_of_last(), 5);
        session.line("backlog-aws nonsense > /dev/null 2>&1");
        assert_eq!(session.status_of_last(), 2);
        let turn = session.line("backlog-aws | head -n 1");
        assert!(turn.text.starts_with("luxito"), "{}", turn.text);
        let help = session.line("backlog-aws use --help");
        assert!(help.text.contains("Usage: backlog-aws use"), "{}", help.text);
        assert_eq!(session.source(), "first");
    }

    fn names_like_builtins_do_not_get_in_the_way(shell) {
        let names = ["eval", "local", "return", "trap", "export", "set", "test", "printf", "shift", "unset", "read",
            "typeset", "print", "emulate", "setopt", "type", "zstat", "zmodload", "string", "random", "status", "math",
            "echo", "cd", "sleep", "env", "true", "false", "["];
        let home = Sandbox::documented_home();
        let mut session = builder(&home, shell).spawn();
        // Defined one by one, because some cannot be in one shell or another; the hook is at work after each.
        for name in names {
            if shell != Shell::Fish {
                session.line(format!("alias '{name}=echo alias {name}' 2> /dev/null"));
            }
            let function = match shell {
                Shell::Bash | Shell::Zsh => format!("\\builtin eval 'function {name} {{ \\builtin printf \"%s\\n\" \"function {name}\"; }}' 2> /dev/null"),
                Shell::Nu => unreachable!(),
                Shell::Fish => format!("builtin eval 'function {name}; end' 2> /dev/null"),
            };
            session.line(function);
            let number = 1 + names.iter().position(|other| *other == name).unwrap_or_default();
            let region = format!("eu-west-{number}");
            let pin = match shell {
                Shell::Bash | Shell::Zsh => format!("BACKLOG_AWS_REGION={region} BACKLOG_AWS_PROFILE=bedrock; \\builtin :"),
                Shell::Nu => unreachable!(),
                Shell::Fish => format!("builtin set -gx BACKLOG_AWS_REGION {region}; builtin set -gx BACKLOG_AWS_PROFILE bedrock"),
            };
            let turn = session.line(pin);
            assert_eq!(turn.text, "", "with `{name}`");
            let turn = session.line("");
            assert_eq!(turn.text, "", "with `{name}`");
            let environment = session.env();
            assert_eq!(environment[OsStr::new("BACKLOG_AWS_REGION")], *region, "with `{name}`");
            assert_eq!(environment[OsStr::new("BACKLOG_AWS_SOURCE")], "pin", "with `{name}`");
        }
        let turn = session.line("backlog-aws use --clear");
        assert_eq!(turn.text, "");
        assert_eq!(session.source(), "first");
    }
}

#[test]
fn a_variable_that_cannot_be_changed_stays_and_nothing_breaks() {
    // fish has no variables that the user can make read-only.
    for shell in [Shell::Bash, Shell::Zsh] {
        let home = Sandbox::documented_home();
        let mut session = builder(&home, shell).spawn();
        session.line("readonly BACKLOG_AWS_PROFILE");
        assert_eq!(session.export("AWS_PROFILE", "bedrock").text, "");
        for _ in 0..2 {
            assert_eq!(session.line("echo the whole line; echo runs").text, "the whole line\nruns");
        }
        assert_eq!(session.var("BACKLOG_AWS_PROFILE").as_deref(), Some(OsStr::new("luxito")));
        session.line("sh -c 'exit 3'");
        assert_eq!(session.status_of_last(), 3);
        assert_eq!(session.line("backlog-aws use bedrock; echo on").text, "on");
    }
}

#[test]
fn a_function_after_the_hook_sees_the_exit_status() {
    let home = Sandbox::documented_home();
    let mut session =
        builder(&home, Shell::Zsh).after("two() { seen=$? }; precmd_functions+=(two)").spawn();
    session.line("export BACKLOG_AWS_PROFILE=bedrock; sh -c 'exit 4'");
    assert_eq!(session.line("echo $seen").text, "4");
    let mut session = builder(&home, Shell::Bash)
        .before("PROMPT_COMMAND=('true' 'seen=$?')")
        .after("PROMPT_COMMAND=(\"${PROMPT_COMMAND[0]}\" 'seen=$?')")
        .spawn();
    session.line("export BACKLOG_AWS_PROFILE=bedrock; sh -c 'exit 4'");
    assert_eq!(session.line("echo $seen").text, "4");
}

#[test]
fn the_last_argument_survives_in_bash() {
    let home = Sandbox::documented_home();
    let mut session = builder(&home, Shell::Bash).before("PROMPT_COMMAND=()").spawn();
    session.line("true some argument");
    assert_eq!(session.line("echo \"$_\"").text, "argument");
    session.export("BACKLOG_AWS_REGION", "eu-west-9");
    session.line("true another one");
    assert_eq!(session.line("echo \"$_\"").text, "one");
}

#[test]
fn the_last_argument_survives_in_zsh() {
    let home = Sandbox::documented_home();
    let mut session = builder(&home, Shell::Zsh).spawn();
    session.line("true some argument");
    assert_eq!(session.line("echo \"$_\"").text, "argument");
}

#[test]
fn functions_of_others_keep_their_place_in_zsh() {
    let home = Sandbox::documented_home();
    let mut session = builder(&home, Shell::Zsh)
        .before("one() { seen=$? }; two() { ran=$((ran + 1)) }; three() { changed=$PWD }")
        .before("precmd_functions=(one two); chpwd_functions=(three)")
        .after("setopt ksh_arrays")
        .after(Shell::Zsh.integration_line(""))
        .spawn();
    // The last one waits for `compinit`.
    assert_eq!(
        session.line("echo ${precmd_functions[@]}").text,
        "one two __backlog_aws_hook __backlog_aws_offer_completions"
    );
    assert_eq!(session.line("echo ${chpwd_functions[@]}").text, "three __backlog_aws_cd");
    session.line("cd /; sh -c 'exit 4'");
    assert_eq!(session.line("echo $changed $seen").text, "/ 4");
    session.assert_pin_comes_and_goes();
}

#[test]
fn command_substitutions_of_fish_do_not_run_the_hook() {
    let home = Sandbox::documented_home();
    home.wrap_hook("echo >> ~/runs");
    let mut session = builder(&home, Shell::Fish).spawn();
    session.line("");
    home.write("runs", "");
    session.line("set here (cd /; pwd); echo $here > /dev/null");
    let runs = fs::read(home.path("runs")).expect("it is there");
    assert!(runs.len() <= 1, "only the prompt after it may have run the hook");
}

#[test]
fn a_cd_within_a_line_counts_for_the_rest_of_the_line() {
    // bash has no event for it.
    for shell in [Shell::Zsh, Shell::Fish] {
        let home = Sandbox::with_override();
        let mut session = builder(&home, shell).spawn();
        // From a directory as deep as the other, so that nothing but the override differs.
        session.cd(home.path("plain"));
        let show = "echo $BACKLOG_AWS_PROFILE";
        let turn =
            session.line(format!("cd ../acme; {show}; cd deep; {show}; cd ../../plain; {show}"));
        assert_eq!(turn.text, "bedrock\nbedrock\nluxito");
    }
}
