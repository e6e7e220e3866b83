//! The harness itself, with plain shells: what it reports is what happened, and its guards bite.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::harness::{Key, SECRETS, Sandbox, Session, Shell, scenario};

/// The message of the panic that `guarded` must end in.
fn panic_of(guarded: impl FnOnce()) -> String {
    let panic =
        catch_unwind(AssertUnwindSafe(guarded)).expect_err("a guard should have failed this");
    panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "not a message".to_owned())
}

scenario! {
    fn a_turn_holds_what_the_command_printed(shell) {
        let home = Sandbox::new();
        let mut session = Session::plain(&home, shell);
        assert_eq!(session.start_up().text, "");
        assert_eq!(session.line("echo one; echo two").text, "one\ntwo");
        assert_eq!(session.line("printf no-newline").text.trim_end_matches(['⏎', '%']), "no-newline");
        assert_eq!(session.line("").text, "");
        assert_eq!(session.line("true").text, "");
        // Longer than the window is wide, in the echo and in the output.
        let long = "x".repeat(200);
        assert_eq!(session.line(format!("echo {long}")).text, long);
        assert!(session.screen().contains("$ echo xxx"), "{}", session.screen());
    }

    fn the_last_status_reaches_the_next_prompt(shell) {
        let home = Sandbox::new();
        let mut session = Session::plain(&home, shell);
        session.line("sh -c 'exit 7'");
        assert_eq!(session.status_of_last(), 7);
        assert_eq!(session.status_of_last(), 0);
        session.line("sh -c 'exit 3' | sh -c 'exit 4' | true");
        assert_eq!(session.pipe_status_of_last(), [3, 4, 0]);
        session.line("sh -c 'exit 9'");
        session.line("");
        assert_eq!(session.status_of_last(), 9);
    }

    fn the_environment_is_read_byte_by_byte(shell) {
        let home = Sandbox::new();
        let values: [&[u8]; 8] = [
            b"",
            b" two  words ",
            b"a\nb\n\n",
            b"\xff\xfe\x80 not UTF-8",
            b"ends in a backslash\\",
            b"$(touch x) `y` $HOME ${z} ~ * ! %",
            b"it's \"quoted\"",
            "Grüße, 世界".as_bytes(),
        ];
        let mut session = Session::builder(&home, shell)
            .without_integration()
            .env("FROM_OUTSIDE", OsString::from_vec(b"\xc3\x28\n".to_vec()))
            .spawn();
        for value in values {
            let value = OsString::from_vec(value.to_vec());
            session.export("CANARY", &value);
            assert_eq!(session.var("CANARY"), Some(value));
        }
        session.unset("CANARY");
        assert_eq!(session.var("CANARY"), None);
        session.assign("INNER", "seen inside only");
        assert_eq!(session.var("INNER"), None);
        assert_eq!(session.expand("\"$INNER\" b"), [b"seen inside only".to_vec(), b"b".to_vec()]);
        assert_eq!(session.var("FROM_OUTSIDE"), Some(OsString::from_vec(b"\xc3\x28\n".to_vec())));
        assert_eq!(session.var("HOME").as_deref(), Some(home.home().as_os_str()));
    }

    fn only_the_given_environment_reaches_the_shell(shell) {
        let home = Sandbox::new();
        let mut session = Session::builder(&home, shell).without_integration().env("AWS_PROFILE", "cc").spawn();
        let environment = session.env();
        assert_eq!(environment[OsStr::new("AWS_PROFILE")], "cc");
        let strange = ["CARGO", "CARGO_MANIFEST_DIR", "USER_AGENT", "XDG_CONFIG_HOME", "SSH_AUTH_SOCK"];
        for name in strange {
            assert!(!environment.contains_key(OsStr::new(name)), "{name} leaked in");
        }
    }

    fn a_changed_aws_variable_breaks_the_promise(shell) {
        let home = Sandbox::documented_home();
        let message = panic_of(|| {
            let mut session = Session::builder(&home, shell).without_integration().env("AWS_PROFILE", "cc").spawn();
            session.line(shell.export("AWS_PROFILE", "bedrock"));
        });
        assert!(message.contains("promise") && message.contains("AWS_PROFILE"), "{message}");
        assert!(message.contains("the screen of"), "no transcript: {message}");
    }

    fn a_new_unexported_variable_breaks_the_promise(shell) {
        let home = Sandbox::new();
        let message = panic_of(|| {
            let mut session = Session::plain(&home, shell);
            session.line(shell.assign("LITELLM_MODE", "on"));
            session.env();
        });
        assert!(message.contains("LITELLM_MODE"), "{message}");
    }

    fn a_removed_variable_breaks_the_promise(shell) {
        let home = Sandbox::new();
        let message = panic_of(|| {
            let mut session =
                Session::builder(&home, shell).without_integration().env("CLAUDE_CONFIG_DIR", "").spawn();
            session.line(shell.unset("CLAUDE_CONFIG_DIR"));
            session.exit();
        });
        assert!(message.contains("CLAUDE_CONFIG_DIR"), "{message}");
    }

    fn the_user_may_change_such_variables(shell) {
        let home = Sandbox::new();
        let mut session = Session::plain(&home, shell);
        session.export("AWS_PROFILE", "cc");
        session.export("AWS_PROFILE", "bed\nrock");
        assert_eq!(session.var("AWS_PROFILE"), Some("bed\nrock".into()));
        session.unset("AWS_PROFILE");
        session.user_changes_foreign(|session| session.line(shell.export("ANTHROPIC_MODEL", "m")));
        assert_eq!(session.exit(), Some(0));
    }

    fn a_secret_on_the_terminal_fails(shell) {
        let home = Sandbox::documented_home();
        let message = panic_of(|| {
            let mut session = Session::plain(&home, shell);
            session.line("cat ~/.aws/credentials");
        });
        assert!(message.contains("was on the terminal"), "{message}");
        let mut session = Session::builder(&home, shell).without_integration().allowing_secrets().spawn();
        assert!(session.line("cat ~/.aws/credentials").text.contains(SECRETS[0]));
    }

    fn a_written_aws_file_fails(shell) {
        let home = Sandbox::documented_home();
        let message = panic_of(|| {
            let mut session = Session::plain(&home, shell);
            session.line("echo >> ~/.aws/config");
        });
        assert!(message.contains(".aws/config"), "{message}");
    }

    fn ctrl_c_drops_the_line(shell) {
        let home = Sandbox::new();
        let mut session = Session::plain(&home, shell);
        session.send("echo not-to-be-run");
        session.wait_for("not-to-be-run");
        session.interrupt();
        assert_eq!(session.line("echo alive").text, "alive");
        session.send("sh -c 'echo ready-$((40+2)); exec sleep 60'; echo slept\r");
        session.wait_for("ready-42");
        session.interrupt();
        assert_eq!(session.line("echo alive again").text, "alive again");
        // bash 3.2 goes on with the line after a child that died of Ctrl-C.
        assert_eq!(session.screen().contains("\nslept"), shell.is_bash_before(4), "{}", session.screen());
    }

    fn the_shell_sees_its_window(shell) {
        let home = Sandbox::new();
        let mut session = Session::builder(&home, shell).without_integration().size(30, 100).spawn();
        assert_eq!(session.line("stty size").text, "30 100");
        session.resize(40, 120);
        assert_eq!(session.line("stty size").text, "40 120");
        assert_eq!(session.expand("\"$COLUMNS\""), [b"120"]);
    }

    fn a_redrawn_prompt_is_not_a_new_one(shell) {
        let home = Sandbox::new();
        home.write("alpha-one", "");
        home.write("alpha-two", "");
        let mut session = Session::plain(&home, shell);
        for width in [60, 90, 70, 80] {
            session.resize(24, width);
            assert_eq!(session.line("echo still in step").text, "still in step");
        }
        session.send("echo alpha-");
        session.key(Key::Tab);
        if shell == Shell::Bash {
            session.key(Key::Tab);
        }
        session.wait_for("alpha-two");
        session.key(Key::Enter);
        assert!(session.wait_prompt().text.ends_with("alpha-"));
        session.key(Key::CtrlL);
        session.send("echo in step");
        session.key(Key::Enter);
        assert!(session.wait_prompt().text.ends_with("in step"));
        assert_eq!(session.line("echo again").text, "again");
    }

    fn the_integration_is_loaded_between_the_other_lines(shell) {
        let home = Sandbox::new();
        home.replace_binary("#!/bin/sh\necho \"export SEEN='$*'; echo loaded\"\n");
        let mut session = Session::builder(&home, shell)
            .init_args("--hook none")
            .before("echo first")
            .after("echo last")
            .spawn();
        assert_eq!(session.start_up().text, "first\nloaded\nlast");
        assert_eq!(session.var("SEEN"), Some(format!("init {} --hook none", shell.name()).into()));
    }

    fn an_integration_that_sets_an_aws_variable_breaks_the_promise(shell) {
        let home = Sandbox::new();
        home.replace_binary("#!/bin/sh\necho 'export AWS_REGION=us-east-1'\n");
        let message = panic_of(|| drop(Session::start(&home, shell)));
        assert!(message.contains("loading the integration"), "{message}");
    }

    fn lines_of_the_start_up_file_run_in_order(shell) {
        let home = Sandbox::new();
        let project = home.mkdir("some project");
        let mut session = Session::builder(&home, shell)
            .without_integration()
            .before("echo first")
            .before(shell.export("AWS_REGION", "eu-west-1"))
            .after("echo second")
            .cwd(&project)
            .login()
            .spawn();
        assert_eq!(session.start_up().text, "first\nsecond");
        assert_eq!(session.var("AWS_REGION"), Some("eu-west-1".into()));
        assert_eq!(session.line("pwd").text, fs::canonicalize(project).expect("it exists").display().to_string());
        session.cd(home.mkdir("déjà 'vu'\\"));
        assert_eq!(session.var("PWD"), Some(home.path("déjà 'vu'\\").into()));
        assert_eq!(session.line("command -v backlog-aws").text, home.binary_on_path().display().to_string());
    }
}

#[test]
fn bash_in_posix_mode_reads_the_same_file() {
    let home = Sandbox::new();
    let mut session = Session::builder(&home, Shell::Bash)
        .without_integration()
        .flag("--posix")
        .before("echo hello")
        .spawn();
    assert_eq!(session.start_up().text, "hello");
    assert_eq!(session.line("shopt -o posix").text.split_whitespace().last(), Some("on"));
}

#[test]
fn the_binary_runs_in_the_sandbox() {
    let home = Sandbox::documented_home();
    let output = home.invoke(["--version"]).script("\"$@\" <&-").run();
    assert!(output.code.is_some(), "{output:?}");
}
