//! The programs that tests need besides the shells, and what this process hands on to all it starts.

use std::env;
use std::os::unix::fs::lchown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Once, OnceLock};
use std::{fs, io};

use super::guard::{assert_no_secret, files_below};
use super::sandbox::{Output, Sandbox};
use super::shell::Shell;

/// Where a program is: `BACKLOG_AWS_TEST_NAME` if that is set, to run the tests with another build of it, then what
/// `tests/run` fetched, then `PATH`.
pub fn found(program: &str) -> Option<PathBuf> {
    let variable = format!("BACKLOG_AWS_TEST_{}", program.to_uppercase());
    if let Some(path) = env::var_os(variable).filter(|path| !path.is_empty()) {
        return Some(path.into());
    }
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/neighbours/bin");
    let path = env::var_os("PATH").unwrap_or_default();
    std::iter::once(fetched)
        .chain(env::split_paths(&path))
        .map(|directory| directory.join(program))
        .find(|candidate| candidate.is_file())
}

/// A program that must be there.
///
/// # Panics
///
/// When it is missing: what was not tested must not look like what passed.
#[track_caller]
pub fn needed(program: &str) -> PathBuf {
    found(program).unwrap_or_else(|| {
        panic!("{program} is not on PATH, and its tests must run: install the package {program}; `tests/run` does that for you")
    })
}

/// The program as it is released: what a debug build costs says nothing about that.
pub fn released() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/build-release");
        let built = Command::new(script).output().expect("the script starts");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        PathBuf::from(String::from_utf8(built.stdout).expect("a path").trim_end())
    })
}

/// The file that bash-completion is loaded by.
#[track_caller]
pub fn bash_completion() -> PathBuf {
    ["/usr/share", "/opt/homebrew/share", "/usr/local/share"]
        .iter()
        .map(|share| Path::new(share).join("bash-completion/bash_completion"))
        .find(|file| file.is_file())
        .expect("the package bash-completion must be installed; `tests/run` does that for you")
}

/// How many processes a shell starts while it runs `line`; `None` where strace is missing or not allowed to trace.
pub fn processes_of(shell: Shell, line: &str, environment: &[(&str, &str)]) -> Option<usize> {
    found("strace")?;
    let home = Sandbox::new();
    let log = home.path("log");
    let status = home
        .strace(&["-f", "-e", "trace=clone,clone3,fork,vfork"], &log)
        .arg(shell.path())
        .args(shell.script_flags())
        .args(["-c", line])
        .envs(environment.iter().copied())
        .stdout(Stdio::null())
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

/// Whether permissions do not bind this process.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Writes a line straight to standard error, so that it is seen without `--nocapture`.
pub fn say(line: &str) {
    use io::Write as _;
    io::stderr().write_all(format!("{line}\n").as_bytes()).expect("standard error is open");
}

/// Makes what children inherit from this process the usual, whatever that process inherited: `nohup` has SIGHUP
/// ignored, and a script's `&` SIGINT and SIGQUIT; a plain user of some systems has a umask of 002.
pub fn usual_circumstances() {
    use signal_hook::consts::{SIGALRM, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
        for (name, signal) in [
            ("HUP", SIGHUP),
            ("INT", SIGINT),
            ("QUIT", SIGQUIT),
            ("ALRM", SIGALRM),
            ("TERM", SIGTERM),
        ] {
            let script = format!("ulimit -c 0; kill -{name} $$");
            let survived = Command::new("/bin/sh").args(["-c", &script]).status();
            if survived.expect("there is a sh").success() {
                // A signal with a handler is at its default again in a new program. The handler does nothing, so that
                // it is still ignored here.
                signal_hook::flag::register(signal, std::sync::Arc::default())
                    .expect("it can have a handler");
            }
        }
    });
}

/// Runs the binary as somebody whom permissions bind: as `nobody` when the tests run as root, otherwise as ourselves.
pub fn run_as_a_mere_user(home: &Sandbox, directory: impl AsRef<Path>, words: &[&str]) -> Output {
    const NOBODY: u32 = 65534;
    let mut command = home.command(Sandbox::built_binary());
    if is_root() {
        let root = home.home().parent().expect("the sandbox has one").to_owned();
        let binary = root.join("backlog-aws");
        if !binary.exists() {
            // The build directory may be out of bounds for others. Not `fs::copy`: a child that another test starts
            // at that moment would hold the copy open for writing, and nobody can run a file like that.
            let copied = Command::new("cp").arg(Sandbox::built_binary()).arg(&binary).status();
            assert!(copied.expect("cp is there").success());
            for path in files_below(&root).into_iter().chain([root]) {
                lchown(path, Some(NOBODY), Some(NOBODY)).expect("root may");
            }
        }
        command = home.command(binary);
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = Output::from(
        command.args(words).current_dir(home.path(directory)).output().expect("it starts"),
    );
    assert_no_secret(&[&output.stdout[..], &output.stderr].concat(), "what it prints");
    output
}
