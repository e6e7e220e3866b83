//! What only `doctor` asks of the machine: processes, start-up files, what is installed where. The hook does not pay for
//! it.

use std::io::IsTerminal;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::{SignedDuration, Timestamp};

use super::leaks;
use crate::finding::{Finding, Place};
use crate::fs::read_file;
use crate::shell::Shell;
use crate::start_up::loading_lines;
use crate::world::{Environment, World, on_path};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    pub pid: u32,
    /// To a second.
    pub started: Timestamp,
    /// Program and arguments.
    pub command: Vec<String>,
}

#[derive(Debug, Default)]
pub struct SystemProbe {
    /// The process that ran this program, if it still runs.
    pub parent_pid: Option<u32>,
    /// Which shell that is.
    pub parent_shell: Option<Shell>,
    /// Whether a person is at the other end of standard input.
    pub interactive: bool,
    /// The `backlog-aws` that `PATH` finds.
    pub on_path: Option<PathBuf>,
    /// Whether that is the program that is running.
    pub on_path_is_running: bool,
    /// The `LiteLLM` proxies of this user and home.
    pub litellm: Vec<Process>,
    /// Where shells are told to load the integration.
    pub start_up_lines: Vec<(Shell, Place)>,
    /// Where things of ours are.
    pub installed: Vec<(&'static str, Place)>,
    /// Credentials where they should not be.
    pub leaks: Vec<Finding>,
}

impl SystemProbe {
    pub fn take(world: &World) -> Self {
        let found = on_path(&world.env, "backlog-aws".as_ref());
        let running = std::env::current_exe().and_then(|path| path.canonicalize()).ok();
        let found_real = found.as_ref().and_then(|path| path.canonicalize().ok());
        let mut processes = processes(&world.env, world.now);
        let parent_pid = rustix::process::getppid().map(|pid| pid.as_raw_pid().unsigned_abs());
        let parent = processes.iter().find(|process| Some(process.pid) == parent_pid);
        // Without ps(1) the user's own shell is the best guess.
        let shell = world.env.get("SHELL").filter(|_| processes.is_empty()).map(PathBuf::from);
        let parent = parent.filter(|parent| is_interactive(&parent.command));
        let program = parent.and_then(|parent| parent.command.first()).map(PathBuf::from);
        let parent_shell = program.or(shell).and_then(|program| Shell::from_path(&program));
        processes.retain(|process| {
            is_litellm(&process.command) && is_of_home(process.pid, world.home.as_deref())
        });
        let start_up_lines = loading_lines(world);
        let mut installed = vec![("program", Place::file(&world.program))];
        installed.extend(start_up_lines.iter().map(|(_, at)| ("the line in", at.clone())));
        let config = world.user_config.as_ref().map(|file| &file.path);
        let ours = [("configuration", config), ("decisions", world.data_dir.as_ref())];
        let caches = [&world.cache, &world.sealed_dir].map(|path| ("cache", path.as_ref()));
        let kept = ours.into_iter().chain(caches).filter_map(|(what, path)| Some((what, path?)));
        let kept = kept.filter(|(_, path)| path.exists());
        installed.extend(kept.map(|(what, path)| (what, Place::file(path))));
        // Without a runtime directory, there is one cache.
        installed.dedup();
        Self {
            parent_pid,
            parent_shell,
            interactive: std::io::stdin().is_terminal(),
            on_path_is_running: found_real.is_some() && found_real == running,
            on_path: found,
            litellm: processes,
            start_up_lines,
            installed,
            leaks: leaks::look(world),
        }
    }
}

/// Whether a shell was started without a script or a command to run.
fn is_interactive(command: &[String]) -> bool {
    command.iter().any(|word| word == "-i")
        || command.iter().skip(1).all(|word| word.starts_with('-'))
}

/// `litellm` itself, or a Python that runs it: `python3 /usr/local/bin/litellm`, `python -m litellm`. An editor that has
/// a file of that name open must not be among them, as the remedy is to stop it.
pub(super) fn is_litellm(command: &[String]) -> bool {
    let name =
        |at: usize| command.get(at).and_then(|word| word.rsplit('/').next()).unwrap_or_default();
    let of_python = match name(1) {
        "-m" => name(2).split('.').next() == Some("litellm"),
        script => script == "litellm",
    };
    name(0) == "litellm" || name(0).starts_with("python") && of_python
}

/// Whether a process has this home, as far as the system lets us look. One with another reads other files.
fn is_of_home(pid: u32, home: Option<&Path>) -> bool {
    let environment = read_file(format!("/proc/{pid}/environ").into(), 1 << 20);
    let mut variables = environment.bytes().unwrap_or_default().split(|byte| *byte == 0);
    let its = variables.find_map(|variable| variable.strip_prefix(b"HOME="));
    its.is_none_or(|its| home.is_some_and(|home| home.as_os_str().as_bytes() == its))
}

/// This user's processes, from ps(1) with the options of POSIX; none where there is no such program.
fn processes(env: &Environment, now: Timestamp) -> Vec<Process> {
    let Some(ps) = on_path(env, "ps".as_ref()) else {
        return Vec::new();
    };
    let user = rustix::process::getuid().as_raw().to_string();
    let output = Command::new(ps)
        .args(["-u", &user, "-ww", "-o", "pid=", "-o", "etime=", "-o", "args="])
        .env("LC_ALL", "C")
        .output();
    let text = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().filter_map(|line| listed(line, now)).collect()
}

pub(super) fn listed(line: &str, now: Timestamp) -> Option<Process> {
    let mut words = line.split_ascii_whitespace();
    let pid = words.next()?.parse().ok()?;
    let started = now.checked_sub(elapsed(words.next()?)?).ok()?;
    Some(Process { pid, started, command: words.map(str::to_owned).collect() })
}

/// `[[DD-]hh:]mm:ss`, the time since a process started.
fn elapsed(text: &str) -> Option<SignedDuration> {
    let (days, time) = text.split_once('-').unwrap_or(("0", text));
    let mut seconds = 0;
    for part in time.split(':') {
        seconds = seconds * 60 + part.parse::<i64>().ok()?;
    }
    Some(SignedDuration::from_secs(days.parse::<i64>().ok()? * 86_400 + seconds))
}
