//! bash: the ways to have a `PROMPT_COMMAND`.

use crate::harness::{Sandbox, Session, SessionBuilder, Shell};

/// A shell in which the hook has work to do at each prompt where `AWS_REGION` or the like changed.
fn builder(home: &Sandbox, shell: Shell) -> SessionBuilder<'_> {
    Session::builder(home, shell).size(40, 300).env("BACKLOG_AWS_QUIET", "1")
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
        let mut session =
            builder(&home, Shell::Bash).before(format!("PROMPT_COMMAND=$'{theirs}'")).spawn();
        assert_eq!(session.start_up().text, "");
        assert_eq!(session.line("declare -p PROMPT_COMMAND | head -c 11").text, "declare --");
        session.line("ran=0");
        session.line("");
        assert_eq!(session.line("echo $ran").text, "2", "{theirs}");
        session.assert_pin_comes_and_goes();
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
        let mut session =
            builder(&home, Shell::Bash).before(format!("PROMPT_COMMAND={theirs}")).spawn();
        assert_eq!(session.start_up().text, "");
        assert_eq!(
            session.line("declare -p PROMPT_COMMAND | head -c 11").text,
            "declare -a",
            "{theirs}"
        );
        session.line("ran=0");
        session.line("");
        assert_eq!(session.line("echo $ran").text, "2", "{theirs}");
        session.assert_pin_comes_and_goes();
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
        let mut session = builder(&home, Shell::Bash).before(theirs).before("set -u").spawn();
        assert_eq!(session.start_up().text, "", "{theirs}");
        session.assert_pin_comes_and_goes();
    }
}

#[test]
fn an_array_that_has_the_hook_anywhere_does_not_get_it_again() {
    let home = Sandbox::documented_home();
    let again = Shell::Bash.integration_line("");
    let mut session = builder(&home, Shell::Bash)
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
    let mut session = builder(&home, Shell::Bash)
        .before("bash_preexec_imported=defined; theirs() { ran=$((ran + 1)); }; precmd_functions=(theirs)")
        .before("__bp() { for f in \"${precmd_functions[@]}\"; do $f; done; }; PROMPT_COMMAND=__bp")
        .after(Shell::Bash.integration_line(""))
        .spawn();
    assert_eq!(session.line("echo ${precmd_functions[@]}").text, "theirs __backlog_aws_hook");
    assert_eq!(session.line("echo $PROMPT_COMMAND").text, "__bp");
    session.assert_pin_comes_and_goes();
}

#[test]
fn what_follows_the_hook_in_a_string_sees_the_exit_status() {
    let home = Sandbox::documented_home();
    let mut session =
        builder(&home, Shell::Bash).after("PROMPT_COMMAND=\"$PROMPT_COMMAND; seen=\\$?\"").spawn();
    for region in ["eu-west-1", "eu-west-2"] {
        session.line(format!("export BACKLOG_AWS_REGION={region}; sh -c 'exit 4'"));
        assert_eq!(session.line("echo $seen").text, "4");
    }
    session.line("true");
    assert_eq!(session.line("echo $seen").text, "0");
}
