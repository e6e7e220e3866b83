//! `exec`: the command runs as if it had been called by itself, or it is refused.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;

use crate::harness::{Key, SECRETS, Sandbox, Session, scenario};

#[test]
fn a_refused_command_does_not_run_and_nothing_is_shown_of_the_keys() {
    let home = Sandbox::documented_home();
    for (profile, why) in [("cc", "is SSO"), ("nowhere", "does not exist")] {
        let output =
            home.run(["exec", "--profile", profile, "--", "/bin/echo", "ran"]).expect_code(1);
        assert_eq!(output.out(), "");
        let beginning =
            format!("backlog-aws: Profile '{profile}' has no static credentials: it {why}");
        assert!(output.err().starts_with(&beginning), "{}", output.err());
        assert_eq!(output.err().lines().count(), 1);
    }
    for (option, value, why) in [
        ("--profile", "", "cannot be a profile"),
        ("--profile", "two words", "cannot be a profile"),
        ("--region", "", "cannot be a region"),
        ("--region", "x[$(id)]", "cannot be a region"),
    ] {
        let output = home.run(["exec", option, value, "--", "/bin/echo"]).expect_code(2);
        assert!(output.err().contains(why), "{}", output.err());
        assert_eq!(output.err().lines().count(), 1);
    }
    home.remove(".aws");
    let output = home.run(["exec", "--", "/bin/echo", "ran"]).expect_code(1);
    assert!(
        output.err().contains("No AWS profiles with static credentials found"),
        "{}",
        output.err()
    );
}

#[test]
fn a_dry_run_shows_the_difference_with_secrets_masked() {
    let home = Sandbox::documented_home();
    // The harness searches what is printed for every secret.
    let output = home
        .invoke(["exec", "--dry-run", "--profile", "bedrock", "--", "/bin/echo", "ran"])
        .env("AWS_PROFILE", "cc")
        .env("AWS_SESSION_TOKEN", SECRETS[2])
        .env("AWS_CONTAINER_X", "x")
        .run()
        .expect_code(0);
    let expected = "as      bedrock (static, AKIA************MPLE), eu-west-1, by pin\n\
                    set     AWS_ACCESS_KEY_ID=AKIA************MPLE\n\
                    set     AWS_SECRET_ACCESS_KEY=********\n\
                    set     AWS_REGION=eu-west-1\n\
                    set     AWS_DEFAULT_REGION=eu-west-1\n\
                    set     AWS_REGION_NAME=eu-west-1\n\
                    set     AWS_PROFILE=bedrock\n\
                    set     BACKLOG_AWS_PROFILE=bedrock\n\
                    set     BACKLOG_AWS_REGION=eu-west-1\n\
                    set     BACKLOG_AWS_SOURCE=pin\n\
                    remove  AWS_CONTAINER_X\n\
                    remove  AWS_SESSION_TOKEN\n\
                    keep    everything else\n";
    assert_eq!(output.out(), expected);
    home.run(["exec", "--dry-run"]).expect_code(0);
    home.run(["exec", "--dry-run", "--profile", "cc"]).expect_code(1);
}

#[test]
fn arguments_arrive_byte_by_byte() {
    let home = Sandbox::documented_home();
    let arguments: Vec<OsString> = [
        &b"plain"[..],
        b"",
        b" two  words ",
        b"it's \"quoted\"",
        b"$(touch x) `y` $HOME ${z} ~ * ! % \\",
        b"line\nbreak\n",
        b"\xff\xfe not UTF-8",
        b"--profile",
        b"cc",
        b"--",
        b"-h",
        "Grüße".as_bytes(),
    ]
    .map(|bytes| OsString::from_vec(bytes.to_vec()))
    .into();
    let words = ["exec", "--", "/usr/bin/printf", "%s\\0"].map(OsString::from);
    let output = home.run(words.iter().chain(&arguments)).expect_code(0);
    let received: Vec<&[u8]> = output.stdout.split(|byte| *byte == 0).collect();
    let expected: Vec<&[u8]> =
        arguments.iter().map(|argument| argument.as_bytes()).chain([&b""[..]]).collect();
    assert_eq!(received, expected);
}

#[test]
fn the_exit_status_is_the_commands_own() {
    let home = Sandbox::documented_home();
    for status in [0, 1, 2, 37, 126, 127, 255] {
        home.run(["exec", "--", "/bin/sh", "-c", &format!("exit {status}")]).expect_code(status);
    }
}

#[test]
fn a_command_that_cannot_be_run_is_126_and_one_that_is_not_there_127() {
    let home = Sandbox::documented_home();
    let file = home.write("not-executable", "#!/bin/sh\n");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("it is ours");
    let directory = home.mkdir("a directory");
    for (command, code, complaint) in [
        (file.as_os_str(), 126, "permission denied"),
        (directory.as_os_str(), 126, "permission denied"),
        (OsStr::new("/nowhere/at/all"), 127, "no such file"),
        (OsStr::new("no-such-command"), 127, "not found"),
        (OsStr::new(""), 127, "not found"),
        (OsStr::from_bytes(b"no\xff\x1b[31m"), 127, "no\\xff\\x1b[31m: command not found"),
    ] {
        let run = [OsStr::new("exec"), OsStr::new("--"), command];
        let output = home.invoke(run).env("BACKLOG_AWS_PROFILE", "bedrock").run().expect_code(code);
        assert!(output.err().starts_with("backlog-aws: "), "{}", output.err());
        assert!(output.err().contains(complaint), "{}", output.err());
        assert_eq!(output.err().lines().count(), 1);
    }
    home.run(["exec", "--"]).expect_code(2);
    let without_dashes = home.run(["exec", "--profile", "bedrock", "/bin/echo", "--yes"]);
    assert_eq!(without_dashes.expect_code(0).out(), "--yes\n");
}

#[test]
fn a_command_on_a_relative_path_is_found_from_the_working_directory() {
    let home = Sandbox::documented_home();
    let script = "#!/bin/sh\necho \"$BACKLOG_AWS_PROFILE in ${PWD##*/}\"\n";
    home.write_program("project/run me", script);
    let output =
        home.invoke(["exec", "--", "./run me"]).cwd(home.path("project")).run().expect_code(0);
    assert_eq!(output.out(), "luxito in project\n");
}

#[test]
fn a_signal_ends_the_command_itself() {
    let home = Sandbox::documented_home();
    let status = home
        .command(Sandbox::built_binary())
        .args(["exec", "--", "/bin/sh", "-c", "kill -TERM $$; echo survived"])
        .status()
        .expect("it starts");
    assert_eq!(status.signal(), Some(15));
    let mut child = home
        .command(Sandbox::built_binary())
        .args(["exec", "--", "/bin/sh", "-c", "echo ready; exec sleep 60"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut ready = String::new();
    let mut output = std::io::BufReader::new(child.stdout.take().expect("it is a pipe"));
    std::io::BufRead::read_line(&mut output, &mut ready).expect("it says so");
    assert_eq!(ready, "ready\n");
    child.kill().expect("it is ours");
    assert_eq!(child.wait().expect("it is ours").signal(), Some(9));
}

#[test]
fn signals_have_their_usual_effect_on_the_command() {
    let home = Sandbox::documented_home();
    // Rust programs ignore SIGPIPE, and that would be inherited.
    for signal in ["PIPE", "INT", "HUP", "QUIT", "ALRM"] {
        let script = format!("ulimit -c 0; kill -{signal} $$; echo survived");
        let output = home.run(["exec", "--", "/bin/sh", "-c", &script]);
        assert_eq!((output.code, output.out()), (None, ""), "SIG{signal}");
    }
}

/// As docs/exec-and-credentials.md says: what the caller ignores stays ignored, but for SIGPIPE, whose state before this
/// program nobody can tell: Rust's runtime changes it first.
#[cfg(target_os = "linux")]
#[test]
fn ignored_signals_stay_ignored_but_for_sigpipe() {
    let home = Sandbox::documented_home();
    let ignored = |script: &str| {
        let words = ["exec", "--", "grep", "SigIgn", "/proc/self/status"];
        let run = home.invoke(words).script(format!("{script}; exec \"$@\"")).run().expect_code(0);
        u64::from_str_radix(run.out().split_whitespace().nth(1).unwrap(), 16).unwrap()
    };
    let bit = |signal: u64| 1 << (signal - 1);
    let (hup, pipe) = (bit(1), bit(13));
    assert_eq!(ignored(":") & (hup | pipe), 0);
    assert_eq!(ignored("trap '' HUP PIPE") & (hup | pipe), hup);
}

#[test]
fn the_command_keeps_the_process_id() {
    let home = Sandbox::documented_home();
    let output = home
        .invoke(["exec", "--", "/bin/sh", "-c", "echo $$"])
        .script("echo $$; exec \"$@\"")
        .run()
        .expect_code(0);
    let pids: Vec<&str> = output.out().lines().collect();
    assert_eq!(pids.len(), 2, "{pids:?}");
    assert_eq!(pids[0], pids[1]);
}

#[test]
fn standard_input_and_output_belong_to_the_command() {
    let home = Sandbox::documented_home();
    let input: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let output = home.invoke(["exec", "--", "/bin/cat"]).input(input.clone()).run().expect_code(0);
    assert!(output.stdout == input, "cat printed {} other bytes", output.stdout.len());
    home.invoke(["exec", "--", "/bin/true"]).script("\"$@\" <&-").run().expect_code(0);
}

scenario! {
    fn exec_resolves_afresh_and_not_from_what_the_hook_exported(shell) {
        let home = Sandbox::documented_home();
        let mut session = Session::builder(&home, shell).size(30, 300).env("AWS_PROFILE", "cc").spawn();
        let show = "backlog-aws exec -- sh -c 'echo $AWS_PROFILE $BACKLOG_AWS_REGION $BACKLOG_AWS_SOURCE' 2> /dev/null";
        assert_eq!(session.line(show).text, "luxito us-west-2 first");
        assert_eq!(session.line(format!("AWS_PROFILE=bedrock {show}")).text, "bedrock eu-west-1 aws-profile");
        assert_eq!(session.line(format!("BACKLOG_AWS_PROFILE=bedrock {show}")).text, "bedrock eu-west-1 pin");
        // The shell still has what its last prompt exported.
        let file = shell.quote(home.path(".backlog-toolkit-env"));
        let write = format!("umask 077; echo BACKLOG_AWS_PROFILE=bedrock > {file}");
        let turn = session.line(format!("{write}; echo $BACKLOG_AWS_PROFILE; {show}"));
        assert_eq!(turn.text, "luxito\nbedrock eu-west-1 toolkit-env");
    }

    fn ctrl_c_reaches_the_command_and_the_shell_goes_on(shell) {
        let home = Sandbox::documented_home();
        let mut session = Session::start(&home, shell);
        session.send("backlog-aws exec --yes -- sh -c 'trap \"echo caught; exit 42\" INT; echo ready-$((40+2)); while :; do sleep 0.05; done'\r");
        session.wait_for("ready-42");
        session.key(Key::CtrlC);
        assert!(session.wait_prompt().text.contains("caught"));
        assert_eq!(session.status_of_last(), 42);
        session.line("backlog-aws exec --yes -- sh -c 'kill -TERM $$'");
        assert_eq!(session.status_of_last(), 143);
    }
}
