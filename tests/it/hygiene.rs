//! The hook leaves the shell as it found it: statuses, traps, options, other people's hooks; and it survives what
//! people do to their shells.

use std::ffi::OsStr;
use std::fs;

use crate::harness::{Key, Sandbox, Session, SessionBuilder, Shell, scenario};

/// A shell in which the hook has work to do at each prompt where `AWS_REGION` or the like changed.
fn builder(home: &Sandbox, shell: Shell) -> SessionBuilder<'_> {
    Session::builder(home, shell).size(40, 300).env("BACKLOG_AWS_QUIET", "1")
}

fn bash(home: &Sandbox) -> SessionBuilder<'_> {
    builder(home, Shell::Bash)
}

fn zsh(home: &Sandbox) -> SessionBuilder<'_> {
    builder(home, Shell::Zsh)
}

#[track_caller]
fn source(session: &mut Session) -> String {
    let value = session.var("BACKLOG_AWS_SOURCE");
    value.map(|value| value.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Puts a script in the binary's place that does something before each `hook`. It goes by the name that it is called by,
/// so that `init` gives out its path and not the real one.
fn wrap_binary(home: &Sandbox, before_hook: &str) {
    let binary = Sandbox::built_binary().display();
    home.replace_binary(&format!(
        "#!/usr/bin/env bash\nif [ \"$1\" = hook ]; then {before_hook}; fi\nexec -a \"$0\" {binary} \"$@\"\n"
    ));
}

/// Pins and unpins, so that the hook sets, unsets and says nothing that it should not; the hook has to be at work
/// before and after.
#[track_caller]
fn assert_works(session: &mut Session) {
    assert_eq!(source(session), "first");
    assert_eq!(session.line(session.shell().export("BACKLOG_AWS_PROFILE", "bedrock")).text, "");
    assert_eq!(source(session), "pin");
    assert_eq!(session.line(session.shell().unset("BACKLOG_AWS_PROFILE")).text, "");
    assert_eq!(source(session), "first");
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

    fn the_hook_reads_nothing_that_was_typed_ahead(shell) {
        let home = Sandbox::documented_home();
        wrap_binary(&home, "sleep 0.3");
        let mut session = builder(&home, shell).spawn();
        session.send(format!("{}\rsh -c 'echo typed-$((40+2))'\r", session.shell().export("BACKLOG_AWS_PROFILE", "bedrock")));
        session.wait_until("the second prompt", |screen| screen.ends_with("typed-42\n$"));
        session.wait_prompt();
        assert_eq!(source(&mut session), "pin");
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
        assert_eq!(source(&mut session), "pin");
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
        assert_works(&mut session);
        session.line(shell.unset("PATH"));
        assert_works(&mut session);
    }

    fn ctrl_c_during_the_hook_harms_nothing(shell) {
        let home = Sandbox::documented_home();
        wrap_binary(&home, "[ ! -e ~/slow ] || { echo hooked >&2; sleep 30; }");
        let mut session = builder(&home, shell).spawn();
        home.write("slow", "");
        session.send(session.shell().export("BACKLOG_AWS_PROFILE", "bedrock"));
        session.key(Key::Enter);
        session.wait_for("hooked");
        home.remove("slow");
        session.interrupt();
        assert_eq!(session.line("echo still here").text, "still here");
        assert_eq!(source(&mut session), "pin");
        session.line("sh -c 'exit 3'");
        assert_eq!(session.status_of_last(), 3);
        assert_eq!(session.var("BACKLOG_AWS_PROFILE").as_deref(), Some(OsStr::new("bedrock")));
    }

    fn sourced_twice_the_hook_runs_once(shell) {
        let home = Sandbox::documented_home();
        // Counts its runs, and lets each prompt ask again.
        wrap_binary(&home, "echo >> ~/runs");
        let again = shell.integration_line("");
        let mut session = builder(&home, shell).after(&again).after(&again).spawn();
        session.line(&again);
        home.write("runs", "");
        session.line(shell.export("BACKLOG_AWS_PROFILE", "bedrock"));
        let runs = fs::read(home.path("runs")).expect("the hook has run");
        assert_eq!(runs.len(), 1);
        assert_eq!(source(&mut session), "pin");
        session.line(&again);
        assert_eq!(source(&mut session), "pin", "the session is the same after sourcing again");
    }

    fn options_and_ifs_are_as_the_user_left_them(shell) {
        let home = Sandbox::documented_home();
        let mut session = builder(&home, shell).spawn();
        let (list, change) = match shell {
            Shell::Bash => ("set +o; shopt -p; printf '<%s>' \"$IFS\"", "set -o noclobber; shopt -s nocasematch; IFS=:,x"),
            Shell::Zsh => ("setopt; printf '<%s>' \"$IFS\"", "setopt no_clobber ksh_glob; IFS=:,x"),
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
        assert_eq!(source(&mut session), "pin");
    }

    fn the_function_passes_everything_but_use_through(shell) {
        let home = Sandbox::documented_home();
        let mut session = builder(&home, shell).spawn();
        let words = "backlog-aws exec -- printf '<%s>' 'a  b' '' '*'";
        assert_eq!(session.line(words).text.trim_end_matches(['⏎', '%']), "<a  b><><*>");
        session.line("backlog-aws exec -- sh -c 'exit 5'");
        assert_eq!(session.status_of_last(), 5);
        session.line("backlog-aws nonsense > /dev/null 2>&1");
        assert_eq!(session.status_of_last(), 2);
        let turn = session.line("backlog-aws | head -n 1");
        assert!(turn.text.starts_with("luxito"), "{}", turn.text);
        let help = session.line("backlog-aws use --help");
        assert!(help.text.contains("Usage: backlog-aws use"), "{}", help.text);
        assert_eq!(source(&mut session), "first");
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
                Shell::Fish => format!("builtin eval 'function {name}; end' 2> /dev/null"),
            };
            session.line(function);
            let number = 1 + names.iter().position(|other| *other == name).unwrap_or_default();
            let region = format!("eu-west-{number}");
            let pin = match shell {
                Shell::Bash | Shell::Zsh => format!("BACKLOG_AWS_REGION={region} BACKLOG_AWS_PROFILE=bedrock; \\builtin :"),
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
        assert_eq!(source(&mut session), "first");
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

// bash: traps, options, the ways to have a PROMPT_COMMAND.

#[test]
fn traps_of_bash_are_neither_lost_nor_run() {
    let home = Sandbox::documented_home();
    let mut session = bash(&home)
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
    let mut session =
        bash(&home).after("set -ET; trap 'echo err' ERR; trap 'debugged=$debugged.' DEBUG").spawn();
    assert_eq!(session.export("BACKLOG_AWS_PROFILE", "bedrock").text, "");
    assert_eq!(session.line("cd /").text, "");
    assert_eq!(source(&mut session), "pin");
    assert_eq!(session.line("trap -p ERR").text, "trap -- 'echo err' ERR");
}

#[test]
fn a_status_that_goes_through_the_hook_runs_no_trap_in_it() {
    // bash-preexec and ble.sh call the bare function.
    let home = Sandbox::documented_home();
    let mut session = bash(&home)
        .after("set -E; trap 'echo err@${FUNCNAME[0]}' ERR; f() { (exit 3); __backlog_aws_hook; }")
        .spawn();
    for _ in 0..2 {
        assert_eq!(session.line("f").text, "err@f\nerr@f\nerr@");
        std::thread::sleep(std::time::Duration::from_millis(60));
        session.line("");
    }
}

#[test]
fn options_of_bash_are_no_obstacle() {
    let home = Sandbox::documented_home();
    for option in [
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
    ] {
        let mut session = bash(&home).after(option).spawn();
        assert_eq!(session.start_up().text, "", "{option}");
        // Another word order than `export NAME=value`, for the sake of `set -k`.
        assert_eq!(source(&mut session), "first", "{option}");
        assert_eq!(
            session.line("BACKLOG_AWS_PROFILE=bedrock; export BACKLOG_AWS_PROFILE").text,
            "",
            "{option}"
        );
        assert_eq!(source(&mut session), "pin", "{option}");
        assert_eq!(session.line("backlog-aws use luxito").text, "", "{option}");
        assert_eq!(session.line("cd /").text, "", "{option}");
        assert_eq!(
            session.var("BACKLOG_AWS_PROFILE").as_deref(),
            Some(OsStr::new("luxito")),
            "{option}"
        );
        assert_eq!(session.line("unset BACKLOG_AWS_PROFILE").text, "", "{option}");
        assert_eq!(source(&mut session), "first", "{option}");
    }
}

#[test]
fn exporting_everything_does_not_export_what_is_private() {
    let home = Sandbox::documented_home();
    let mut session = bash(&home).after("set -a").spawn();
    session.export("BACKLOG_AWS_PROFILE", "bedrock");
    session.line("backlog-aws use luxito");
    let environment = session.env();
    for name in ["code", "precision", "entry"] {
        assert!(!environment.contains_key(OsStr::new(name)), "{name}");
    }
}

#[test]
fn posix_mode_of_bash_has_the_hook() {
    let home = Sandbox::documented_home();
    for how in ["flag", "before", "after"] {
        let mut session = match how {
            "flag" => bash(&home).flag("--posix").spawn(),
            "before" => bash(&home).before("set -o posix").spawn(),
            _ => bash(&home).after("set -o posix").spawn(),
        };
        assert_eq!(session.start_up().text, "", "{how}");
        assert_works(&mut session);
        session.line("sh -c 'exit 4'");
        assert_eq!(session.status_of_last(), 4);
    }
}

#[test]
fn a_failing_command_does_not_end_a_shell_with_errexit_in_the_hook() {
    let home = Sandbox::documented_home();
    let mut session = bash(&home).spawn();
    session.line("sh -c 'exit 3'; set -e");
    assert_eq!(session.export("BACKLOG_AWS_PROFILE", "bedrock").text, "");
    assert_eq!(session.line("! true").text, "");
    assert_eq!(source(&mut session), "pin");
}

#[test]
fn the_last_argument_survives_in_bash() {
    let home = Sandbox::documented_home();
    let mut session = bash(&home).before("PROMPT_COMMAND=()").spawn();
    session.line("true some argument");
    assert_eq!(session.line("echo \"$_\"").text, "argument");
    session.export("BACKLOG_AWS_REGION", "eu-west-9");
    session.line("true another one");
    assert_eq!(session.line("echo \"$_\"").text, "one");
}

#[test]
fn a_string_prompt_command_stays_a_string_and_runs() {
    let home = Sandbox::documented_home();
    for theirs in [
        "ran=$((ran + 1))",
        "ran=$((ran + 1));",
        "ran=$((ran + 1)) ; ",
        "ran=$((ran + 1)) # why",
        "ran=$((ran + 1))\\n",
    ] {
        let mut session = bash(&home).before(format!("PROMPT_COMMAND=$'{theirs}'")).spawn();
        assert_eq!(session.start_up().text, "");
        assert_eq!(session.line("declare -p PROMPT_COMMAND | head -c 11").text, "declare --");
        session.line("ran=0");
        session.line("");
        assert_eq!(session.line("echo $ran").text, "2", "{theirs}");
        assert_works(&mut session);
        session.line("sh -c 'exit 6'");
        assert_eq!(session.status_of_last(), 6, "{theirs}");
        session.line("sh -c 'exit 3' | true");
        // What the user's own entry leaves of it is theirs.
        session.export("PROMPT_COMMAND", "__backlog_aws_hook");
        session.line("sh -c 'exit 3' | true");
        assert_eq!(session.pipe_status_of_last(), [3, 0]);
    }
}

#[test]
fn an_array_prompt_command_stays_an_array_and_runs() {
    let home = Sandbox::documented_home();
    for theirs in
        ["('ran=$((ran + 1))' 'second=$?')", "([3]='ran=$((ran + 1))')", "('' 'ran=$((ran + 1));')"]
    {
        let mut session = bash(&home).before(format!("PROMPT_COMMAND={theirs}")).spawn();
        assert_eq!(session.start_up().text, "");
        assert_eq!(
            session.line("declare -p PROMPT_COMMAND | head -c 11").text,
            "declare -a",
            "{theirs}"
        );
        session.line("ran=0");
        session.line("");
        assert_eq!(session.line("echo $ran").text, "2", "{theirs}");
        assert_works(&mut session);
        session.line("sh -c 'exit 3' | sh -c 'exit 4'");
        assert_eq!(session.pipe_status_of_last(), [3, 4], "{theirs}");
    }
}

#[test]
fn an_empty_or_unset_prompt_command_gets_the_hook() {
    let home = Sandbox::documented_home();
    for theirs in [
        "unset PROMPT_COMMAND",
        "PROMPT_COMMAND=",
        "PROMPT_COMMAND=()",
        "declare -a PROMPT_COMMAND",
    ] {
        let mut session = bash(&home).before(theirs).before("set -u").spawn();
        assert_eq!(session.start_up().text, "", "{theirs}");
        assert_works(&mut session);
    }
}

#[test]
fn an_array_that_has_the_hook_anywhere_does_not_get_it_again() {
    let home = Sandbox::documented_home();
    let again = Shell::Bash.integration_line("");
    let mut session = bash(&home)
        .before("PROMPT_COMMAND=('true')")
        .after("PROMPT_COMMAND=('true' \"${PROMPT_COMMAND[@]}\")")
        .after("IFS=x")
        .after(again)
        .spawn();
    assert_eq!(
        session.line("printf '%s\\n' \"${PROMPT_COMMAND[@]}\"").text,
        "true\n__backlog_aws_hook && :\ntrue"
    );
}

#[test]
fn with_bash_preexec_the_hook_is_one_of_its_functions() {
    let home = Sandbox::documented_home();
    let mut session = bash(&home)
        .before("bash_preexec_imported=defined; theirs() { ran=$((ran + 1)); }; precmd_functions=(theirs)")
        .before("__bp() { for f in \"${precmd_functions[@]}\"; do $f; done; }; PROMPT_COMMAND=__bp")
        .after(Shell::Bash.integration_line(""))
        .spawn();
    assert_eq!(session.line("echo ${precmd_functions[@]}").text, "theirs __backlog_aws_hook");
    assert_eq!(session.line("echo $PROMPT_COMMAND").text, "__bp");
    assert_works(&mut session);
}

// zsh: options and the functions of others.

#[test]
fn options_of_zsh_are_no_obstacle() {
    let home = Sandbox::documented_home();
    for option in [
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
    ] {
        let mut session = zsh(&home).after(option).spawn();
        assert_eq!(session.start_up().text, "", "{option}");
        assert_eq!(
            session.line("export BACKLOG_AWS_PROFILE; BACKLOG_AWS_PROFILE=bedrock").text,
            "",
            "{option}"
        );
        assert_eq!(source(&mut session), "pin", "{option}");
        assert_eq!(session.line("backlog-aws use luxito").text, "", "{option}");
        assert_eq!(session.line("cd /").text, "", "{option}");
        assert_eq!(
            session.var("BACKLOG_AWS_PROFILE").as_deref(),
            Some(OsStr::new("luxito")),
            "{option}"
        );
        assert_eq!(session.line("unset BACKLOG_AWS_PROFILE").text, "", "{option}");
        assert_eq!(source(&mut session), "first", "{option}");
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
        let mut session = zsh(&home).before(option).spawn();
        assert_eq!(session.start_up().text, "", "{option}");
        assert_works(&mut session);
    }
}

#[test]
fn functions_of_others_keep_their_place_in_zsh() {
    let home = Sandbox::documented_home();
    let mut session = zsh(&home)
        .before("one() { seen=$? }; two() { ran=$((ran + 1)) }; three() { changed=$PWD }")
        .before("precmd_functions=(one two); chpwd_functions=(three)")
        .after("setopt ksh_arrays")
        .after(Shell::Zsh.integration_line(""))
        .spawn();
    assert_eq!(session.line("echo ${precmd_functions[@]}").text, "one two __backlog_aws_hook");
    assert_eq!(session.line("echo ${chpwd_functions[@]}").text, "three __backlog_aws_cd");
    session.line("cd /; sh -c 'exit 4'");
    assert_eq!(session.line("echo $changed $seen").text, "/ 4");
    assert_works(&mut session);
}

#[test]
fn a_function_after_the_hook_sees_the_exit_status() {
    let home = Sandbox::documented_home();
    let mut session = zsh(&home).after("two() { seen=$? }; precmd_functions+=(two)").spawn();
    session.line("export BACKLOG_AWS_PROFILE=bedrock; sh -c 'exit 4'");
    assert_eq!(session.line("echo $seen").text, "4");
    let mut session = bash(&home)
        .before("PROMPT_COMMAND=('true' 'seen=$?')")
        .after("PROMPT_COMMAND=(\"${PROMPT_COMMAND[0]}\" 'seen=$?')")
        .spawn();
    session.line("export BACKLOG_AWS_PROFILE=bedrock; sh -c 'exit 4'");
    assert_eq!(session.line("echo $seen").text, "4");
}

#[test]
fn what_follows_the_hook_in_a_string_sees_the_exit_status() {
    let home = Sandbox::documented_home();
    let mut session = bash(&home).after("PROMPT_COMMAND=\"$PROMPT_COMMAND; seen=\\$?\"").spawn();
    for region in ["eu-west-1", "eu-west-2"] {
        session.line(format!("export BACKLOG_AWS_REGION={region}; sh -c 'exit 4'"));
        assert_eq!(session.line("echo $seen").text, "4");
    }
    session.line("true");
    assert_eq!(session.line("echo $seen").text, "0");
}

#[test]
fn traps_of_zsh_are_neither_lost_nor_run() {
    let home = Sandbox::documented_home();
    let mut session = zsh(&home)
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
    assert_eq!(source(&mut session), "pin");
}

#[test]
fn the_last_argument_survives_in_zsh() {
    let home = Sandbox::documented_home();
    let mut session = zsh(&home).spawn();
    session.line("true some argument");
    assert_eq!(session.line("echo \"$_\"").text, "argument");
}

// fish: the ways to change directory, and others' event handlers.

#[test]
fn command_substitutions_of_fish_do_not_run_the_hook() {
    let home = Sandbox::documented_home();
    wrap_binary(&home, "echo >> ~/runs");
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
        let home = Sandbox::documented_home();
        let mut session = builder(&home, shell).spawn();
        let file = shell.quote(home.path(".backlog-toolkit-env"));
        let turn = session.line(format!(
            "echo BACKLOG_AWS_PROFILE=bedrock > {file}; cd /; echo $BACKLOG_AWS_PROFILE"
        ));
        assert_eq!(turn.text, "bedrock");
    }
}
