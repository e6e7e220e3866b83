//! `demo`: what it shows, and that nothing of it is left behind.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::harness::{Key, Sandbox, Session, Shell, scenario};

/// A home with a directory of its own for temporary files.
fn home() -> (Sandbox, PathBuf) {
    let home = Sandbox::new();
    let temporary = home.mkdir("temporary");
    (home, temporary)
}

/// The homes of demos in a directory. Shells put files of their own beside them.
fn demo_homes(directory: &Path) -> Vec<OsString> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
    entries.filter(|name| name.to_string_lossy().starts_with("backlog-aws-demo-")).collect()
}

#[track_caller]
fn assert_no_home(directory: &Path) {
    assert_eq!(demo_homes(directory), <[OsString; 0]>::default());
}

/// Puts a program in the place of bash.
fn replace_bash(home: &Sandbox, script: &str) {
    home.put_on_path("bash", &format!("#!/bin/sh\n{script}\n"));
}

scenario! {
    fn the_steps_are_real_commands_with_their_real_output(shell) {
        let (home, temporary) = home();
        let run = home.invoke(["demo", "--shell", shell.name()]).env("TMPDIR", &temporary).allowing_secrets().run().expect_code(0);
        let shown = run.out();
        for expected in [
            "Auto-detected AWS profile: luxito",
            "\ncc, luxito in us-west-2, source: first\n",
            "\nbedrock\n",
            "Profile 'cc' has no static credentials: it is SSO",
            "acme/.backlog-aws is ignored until you allow it",
            "\nallowed ",
            "\nAKIAIOSFODNN7EXAMPLE in eu-north-1\n",
            "\nluxito  (first: a guess)",
        ] {
            assert!(shown.contains(expected), "no {expected:?} in:\n{shown}");
        }
        assert!(!shown.contains('\x1b'), "{}", shown.escape_debug());
        assert_eq!(run.err(), "");
        assert_no_home(&temporary);
    }

    fn on_a_terminal_the_shell_stays_until_it_is_left(shell) {
        let (home, temporary) = home();
        let mut session = Session::builder(&home, shell).env("TMPDIR", &temporary).allowing_secrets().spawn();
        session.send(format!("backlog-aws demo --shell {}", shell.name()));
        session.key(Key::Enter);
        session.wait_until("its prompt", |screen| screen.trim_end().ends_with("demo $"));
        session.send("backlog-aws use bedrock; echo $BACKLOG_AWS_PROFILE-by-$BACKLOG_AWS_SOURCE");
        session.key(Key::Enter);
        session.wait_for("bedrock-by-pin");
        assert_eq!(demo_homes(&temporary).len(), 1);
        session.send("exit");
        session.key(Key::Enter);
        session.wait_prompt();
        assert_eq!(session.status_of_last(), 0);
        assert_no_home(&temporary);
    }
}

#[test]
fn its_home_is_closed_to_others_whatever_the_umask_is() {
    let (home, temporary) = home();
    replace_bash(&home, "ls -ld \"$HOME\"");
    let output = Command::new("/bin/sh")
        .args(["-c", "umask 000; exec backlog-aws demo --shell bash"])
        .env_clear()
        .envs(home.environment())
        .env("TMPDIR", &temporary)
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.starts_with("drwx------"), "{shown}");
}

#[test]
fn its_home_is_removed_after_ctrl_c() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let (home, temporary) = home();
        replace_bash(&home, "echo started > \"$TMPDIR/started\"; exec sleep 60");
        let mut child = Command::new(home.binary_on_path())
            .args(["demo", "--shell", "bash"])
            .env_clear()
            .envs(home.environment())
            .env("TMPDIR", &temporary)
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let started = temporary.join("started");
        let start = Instant::now();
        while !started.exists() {
            assert!(start.elapsed() < Duration::from_secs(10), "it does not start");
            thread::sleep(Duration::from_millis(10));
        }
        kill_process_group(Pid::from_child(&child), signal).unwrap();
        child.wait().unwrap();
        fs::remove_file(started).unwrap();
        assert_no_home(&temporary);
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let (home, temporary) = home();
    let script = "{ backlog-aws demo --shell bash; echo $? > status; } | head -n 1";
    let output = Command::new("/bin/sh")
        .args(["-c", script])
        .env_clear()
        .envs(home.environment())
        .env("TMPDIR", &temporary)
        .current_dir(home.home())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(fs::read_to_string(home.path("status")).unwrap(), "0\n");
    assert_no_home(&temporary);
}

#[test]
fn a_shell_that_is_not_installed_is_named() {
    let (home, temporary) = home();
    let only_ours = home.binary_on_path().parent().unwrap().to_owned();
    let refused = home
        .invoke(["demo", "--shell", Shell::Fish.name()])
        .env("TMPDIR", &temporary)
        .env("PATH", only_ours)
        .run()
        .expect_code(1);
    assert!(refused.err().contains("fish is not on PATH"), "{}", refused.err());
    assert_no_home(&temporary);
}
