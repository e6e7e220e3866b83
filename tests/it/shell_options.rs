//! The user's options, traps and IFS: left as they are, and no obstacle.

use std::ffi::OsStr;

use crate::harness::{Sandbox, Session, SessionBuilder, Shell, scenario};

/// A shell in which the hook has work to do at each prompt where `AWS_REGION` or the like changed.
fn builder(home: &Sandbox, shell: Shell) -> SessionBuilder<'_> {
    Session::builder(home, shell).size(40, 300).env("BACKLOG_AWS_QUIET", "1")
}

scenario! {
    fn options_and_ifs_are_as_the_user_left_them(shell) {
        let home = Sandbox::documented_home();
        let mut session = builder(&home, shell).spawn();
        let (list, change) = match shell {
            Shell::Bash => ("set +o; shopt -p; printf '<%s>' \"$IFS\"", "set -o noclobber; shopt -s nocasematch; IFS=:,x"),
            Shell::Zsh => ("setopt; printf '<%s>' \"$IFS\"", "setopt no_clobber ksh_glob; IFS=:,x"),
            Shell::Nu => unreachable!(),
            Shell::Fish => ("set -L | string match -r '^(IFS|fish_features|fish_trace) .*'; status features", "set -g IFS :,x"),
        };
        session.line(change);
        session.line("cd /tmp");
        let before = session.line(list).text;
        assert!(!before.is_empty());
        session.line(shell.export("BACKLOG_AWS_PROFILE", "bedrock"));
        session.line("backlog-aws use luxito");
        session.line("cd /");
        assert_eq!(session.line(list).text, before);
        assert_eq!(session.source(), "pin");
    }
}

// Traps.

#[test]
fn traps_of_bash_are_neither_lost_nor_run() {
    let home = Sandbox::documented_home();
    let mut session = builder(&home, Shell::Bash)
        .after("trap 'echo int' INT; trap 'echo exit' EXIT; trap ': debug' DEBUG; trap 'echo err' ERR; trap ': return' RETURN")
        .spawn();
    let before = session.line("trap -p").text;
    for signal in ["INT", "EXIT", "DEBUG", "ERR", "RETURN"] {
        assert!(before.contains(signal), "{before}");
    }
    assert_eq!(session.export("BACKLOG_AWS_PROFILE", "bedrock").text, "");
    assert_eq!(session.line("cd /").text, "");
    assert_eq!(session.line("trap -p").text, before);
    assert_eq!(session.line("false").text, "err", "the user's own ERR trap runs once");
    assert_eq!(session.var("BACKLOG_AWS_SOURCE").as_deref(), Some(OsStr::new("pin")));
}

#[test]
fn inherited_traps_of_bash_see_no_failure_in_the_hook() {
    let home = Sandbox::documented_home();
    // Functions inherit them: -E for ERR, -T for DEBUG and RETURN.
    let mut session = builder(&home, Shell::Bash)
        .after("set -ET; trap 'echo err' ERR; trap 'debugged=$debugged.' DEBUG")
        .spawn();
    assert_eq!(session.export("BACKLOG_AWS_PROFILE", "bedrock").text, "");
    assert_eq!(session.line("cd /").text, "");
    assert_eq!(session.source(), "pin");
    assert_eq!(session.line("trap -p ERR").text, "trap -- 'echo err' ERR");
}

#[test]
fn a_status_that_goes_through_the_hook_runs_no_trap_in_it() {
    // bash-preexec and ble.sh call the bare function.
    let home = Sandbox::documented_home();
    let mut session = builder(&home, Shell::Bash)
        .after("set -E; trap 'echo err@${FUNCNAME[0]}' ERR; f() { (exit 3); __backlog_aws_hook; }")
        .spawn();
    for _ in 0..2 {
        assert_eq!(session.line("f").text, "err@f\nerr@f\nerr@");
        std::thread::sleep(std::time::Duration::from_millis(60));
        session.line("");
    }
}

#[test]
fn traps_of_zsh_are_neither_lost_nor_run() {
    let home = Sandbox::documented_home();
    let mut session = builder(&home, Shell::Zsh)
        .after("trap 'echo int' INT; trap 'echo exit' EXIT; trap ': debug' DEBUG; TRAPZERR() { zerr=$((zerr + 1)) }")
        .spawn();
    let before = session.line("trap").text;
    assert!(before.contains("DEBUG") && before.contains("INT"), "{before}");
    session.line("zerr=0");
    assert_eq!(session.export("BACKLOG_AWS_PROFILE", "bedrock").text, "");
    assert_eq!(session.line("cd /").text, "");
    assert_eq!(session.line("trap").text, before);
    assert_eq!(
        session.line("echo $zerr").text,
        "0",
        "the hook does not fail where the user can see it"
    );
    assert_eq!(session.source(), "pin");
}

// Options.

const BASH_OPTIONS: &[&str] = &[
    "set -u",
    "set -e",
    "set -eu",
    "set -euo pipefail",
    "set -k",
    "set -a",
    "set -T",
    "set -E",
    "set -C",
    "set -f",
    "set -P",
    "set -h",
    "set -B",
    "shopt -s nocasematch",
    "shopt -s failglob",
    "shopt -s nullglob",
    "shopt -s extglob dotglob globstar",
    "shopt -s xpg_echo",
    "shopt -s expand_aliases compat31",
    "shopt -s localvar_inherit",
    "IFS=",
    "IFS=0123456789abcdef./-_",
    "LC_ALL=C",
    "set -eEuTCafk -o pipefail",
];

const ZSH_OPTIONS: &[&str] = &[
    "setopt ksh_arrays",
    "setopt sh_word_split",
    "setopt warn_create_global",
    "setopt err_return",
    "setopt extended_glob",
    "setopt no_unset",
    "setopt no_clobber",
    "setopt ksh_glob sh_glob",
    "setopt no_nomatch",
    "setopt null_glob",
    "setopt glob_subst",
    "setopt rc_expand_param",
    "setopt all_export",
    "setopt posix_builtins",
    "setopt posix_identifiers posix_strings",
    "setopt no_short_loops",
    "setopt csh_null_glob",
    "setopt ksh_typeset",
    "setopt typeset_silent",
    "setopt prompt_subst",
    "setopt warn_nested_var",
    "setopt no_bare_glob_qual",
    "setopt no_case_match",
    "setopt interactive_comments",
    "setopt no_equals magic_equal_subst",
    "setopt pipe_fail",
    "setopt no_function_argzero",
    "setopt c_bases octal_zeroes",
    "setopt csh_junkie_quotes",
    "setopt rc_quotes",
    "setopt ignore_braces",
    "setopt alias_func_def",
    "setopt auto_pushd cdable_vars",
    "IFS=",
    "IFS=0123456789abc./-_",
    "emulate sh",
    "emulate ksh",
    "emulate csh",
    "LC_ALL=C",
];

#[test]
fn options_of_bash_and_zsh_are_no_obstacle() {
    let home = Sandbox::documented_home();
    // Not `export NAME=value`, for the sake of bash's `set -k`.
    let bash =
        (Shell::Bash, BASH_OPTIONS, "BACKLOG_AWS_PROFILE=bedrock; export BACKLOG_AWS_PROFILE");
    let zsh = (Shell::Zsh, ZSH_OPTIONS, "export BACKLOG_AWS_PROFILE; BACKLOG_AWS_PROFILE=bedrock");
    for (shell, options, pin) in [bash, zsh] {
        for option in options {
            let mut session = builder(&home, shell).after(option).spawn();
            assert_eq!(session.start_up().text, "", "{option}");
            assert_eq!(session.source(), "first", "{option}");
            assert_eq!(session.line(pin).text, "", "{option}");
            assert_eq!(session.source(), "pin", "{option}");
            assert_eq!(session.line("backlog-aws use luxito").text, "", "{option}");
            assert_eq!(session.line("cd /").text, "", "{option}");
            session.assert_exported("luxito", "us-west-2", "pin");
            assert_eq!(session.line("unset BACKLOG_AWS_PROFILE").text, "", "{option}");
            assert_eq!(session.source(), "first", "{option}");
        }
    }
}

#[test]
fn options_of_zsh_set_before_the_integration_are_no_obstacle() {
    let home = Sandbox::documented_home();
    for option in [
        "setopt ksh_arrays",
        "setopt sh_word_split",
        "setopt no_unset",
        "setopt err_return",
        "setopt extended_glob",
        "setopt all_export",
        "setopt no_clobber glob_subst",
        "IFS=",
    ] {
        let mut session = builder(&home, Shell::Zsh).before(option).spawn();
        assert_eq!(session.start_up().text, "", "{option}");
        session.assert_pin_comes_and_goes();
    }
}

#[test]
fn exporting_everything_does_not_export_what_is_private() {
    let home = Sandbox::documented_home();
    for (shell, option) in [(Shell::Bash, "set -a"), (Shell::Zsh, "setopt all_export")] {
        for builder in [builder(&home, shell).before(option), builder(&home, shell).after(option)] {
            let mut session = builder.spawn();
            session.export("BACKLOG_AWS_PROFILE", "bedrock");
            session.line("backlog-aws use luxito");
            session.line("");
            let mut plain =
                Session::builder(&home, shell).before(option).without_integration().spawn();
            let known = plain.env();
            let added: Vec<_> =
                session.env().into_keys().filter(|name| !known.contains_key(name)).collect();
            // bash exports functions too, and what the integration adds to the user's own variables.
            let told = ["BACKLOG_AWS_", "__BACKLOG_AWS_STATE", "BASH_FUNC_", "PROMPT_COMMAND"];
            for name in added.iter().map(|name| name.to_string_lossy()) {
                assert!(told.iter().any(|told| name.starts_with(told)), "{}: {name}", shell.name());
            }
        }
    }
}

#[test]
fn posix_mode_of_bash_has_the_hook() {
    let home = Sandbox::documented_home();
    for how in ["flag", "before", "after"] {
        let mut session = match how {
            "flag" => builder(&home, Shell::Bash).flag("--posix").spawn(),
            "before" => builder(&home, Shell::Bash).before("set -o posix").spawn(),
            _ => builder(&home, Shell::Bash).after("set -o posix").spawn(),
        };
        assert_eq!(session.start_up().text, "", "{how}");
        session.assert_pin_comes_and_goes();
        session.line("sh -c 'exit 4'");
        assert_eq!(session.status_of_last(), 4);
    }
}

#[test]
fn a_failing_command_does_not_end_a_shell_with_errexit_in_the_hook() {
    let home = Sandbox::documented_home();
    let mut session = builder(&home, Shell::Bash).spawn();
    session.line("sh -c 'exit 3'; set -e");
    assert_eq!(session.export("BACKLOG_AWS_PROFILE", "bedrock").text, "");
    assert_eq!(session.line("! true").text, "");
    assert_eq!(session.source(), "pin");
}

/// With `set -T` it runs in command substitutions too, so its output comes before the program's.
#[test]
fn what_a_debug_trap_prints_is_not_evaluated() {
    let home = Sandbox::documented_home();
    for (shell, trap) in [
        (Shell::Bash, "set -T; trap 'echo \"touch ~/evaluated;\"' DEBUG"),
        (Shell::Zsh, "trap 'echo \"touch ~/evaluated;\"' DEBUG"),
    ] {
        let mut session = builder(&home, shell).spawn();
        session.line(trap);
        session.line("export BACKLOG_AWS_PROFILE=bedrock");
        session.line("trap - DEBUG");
        assert_eq!(session.source(), "pin", "{}", shell.name());
        assert!(!home.path("evaluated").exists(), "{} ran what the trap printed", shell.name());
    }
}

#[test]
fn attributes_of_our_variables_change_no_value_and_run_nothing() {
    let home = Sandbox::with_override();
    let mut session = builder(&home, Shell::Bash).before("declare -i BACKLOG_AWS_REGION").spawn();
    session.assert_directory_comes_and_goes();
    session.line("declare -i BACKLOG_AWS_REGION BACKLOG_AWS_SOURCE");
    session.assert_directory_comes_and_goes();
    let region = session.var("BACKLOG_AWS_REGION");
    assert_eq!(region.as_deref(), Some("us-west-2".as_ref()));
    // A name reference is not followed: what it refers to is the user's.
    session.line("mine=kept; unset BACKLOG_AWS_REGION; declare -n BACKLOG_AWS_REGION=mine");
    session.cd(home.path("acme"));
    session.assert_answer("bedrock", "directory");
    assert_eq!(session.line("echo $mine").text, "kept");
}
