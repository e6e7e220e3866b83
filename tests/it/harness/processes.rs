//! Counting the processes that a shell starts.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::shell::Shell;

/// How many processes a shell starts while it runs `line`; `None` where strace is missing or not allowed to trace.
pub fn processes_of(shell: Shell, line: &str, environment: &[(&str, &str)]) -> Option<usize> {
    let directory = tempfile::tempdir().unwrap();
    let log: PathBuf = directory.path().join("log");
    let flags: &[&str] = match shell {
        Shell::Bash => &["--norc", "--noprofile"],
        Shell::Zsh => &["-f"],
        Shell::Fish => &["--no-config"],
    };
    let status = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=clone,clone3,fork,vfork", "-o"])
        .arg(&log)
        .arg(shell.path())
        .args(flags)
        .args(["-c", line])
        .env_clear()
        .env("HOME", directory.path())
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .envs(environment.iter().copied())
        .status();
    if !status.is_ok_and(|status| status.success()) {
        return None;
    }
    let log = fs::read_to_string(log).unwrap();
    // Threads are no processes. A call that another thread interrupts has a second line, and signals have lines too.
    let started = log.lines().filter(|line| {
        !["CLONE_THREAD", "resumed", "---"].iter().any(|other| line.contains(other))
    });
    Some(started.count())
}
