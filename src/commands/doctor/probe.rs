//! What only `doctor` asks of the machine: processes, start-up files, what is installed where.
//!
//! Apart from [`World`], so that the hook does not pay for it.

use crate::fs::{Content, read_file};
use crate::overrides::trust::Store;
use crate::world::{World, on_path};
use std::io::IsTerminal;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

/// The largest start-up file that is searched, in bytes.
const MAX_START_UP_FILE_BYTES: u64 = 1 << 20;

/// A running process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// When it was started, to a second or better.
    pub started: Timestamp,
}

/// The process that ran this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// Its id.
    pub pid: u32,
    /// The name of its program, `-` before a login shell's removed; empty when it cannot be told.
    pub name: String,
}

/// A line of a start-up file that mentions this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartUpLine {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
}

/// One look at what surrounds the program.
#[derive(Debug, Default)]
pub struct SystemProbe {
    /// Who ran this program, unless it has ended already.
    pub parent: Option<Parent>,
    /// Whether a person is at the other end of standard input.
    pub interactive: bool,
    /// The `backlog-aws` that `PATH` finds.
    pub on_path: Option<PathBuf>,
    /// Whether that is the program that is running.
    pub on_path_is_running: bool,
    /// Whether the program that the shell's integration calls is still there; `None` when it named none.
    pub integration_program_exists: Option<bool>,
    /// This user's `LiteLLM` proxies.
    pub litellm: Vec<Process>,
    /// Where shells are told to load the integration.
    pub start_up_lines: Vec<StartUpLine>,
    /// Files and directories of our own that exist.
    pub installed: Vec<PathBuf>,
    /// The permission bits of the directory of the trust store, if it is there.
    pub trust_mode: Option<u32>,
}

impl SystemProbe {
    /// Looks. `integration_program` is what the shell's integration would call.
    pub fn take(world: &World, integration_program: Option<&Path>) -> Self {
        let on_path = on_path(&world.env, "backlog-aws".as_ref());
        let running = std::env::current_exe().and_then(|path| path.canonicalize());
        let on_path_is_running = match (&on_path, &running) {
            (Some(found), Ok(running)) => found.canonicalize().is_ok_and(|real| real == *running),
            _ => false,
        };
        let processes = processes(world.now);
        let parent = rustix::process::getppid().map(|pid| {
            let pid = pid.as_raw_nonzero().get().unsigned_abs();
            let words =
                processes.iter().find(|found| found.pid == pid).map(|found| found.words.as_slice());
            Parent {
                pid,
                name: words
                    .and_then(<[String]>::first)
                    .map(|word| program_name(word).to_owned())
                    .unwrap_or_default(),
            }
        });
        let user = rustix::process::getuid().as_raw();
        let trust = world.data_dir.as_deref().map(Store::below);
        let installed = trust
            .as_ref()
            .and_then(|trust| trust.directory().parent().map(Path::to_owned))
            .into_iter()
            .chain(world.cache.clone())
            .filter(|path| path.exists())
            .collect();
        Self {
            parent,
            interactive: std::io::stdin().is_terminal(),
            on_path,
            on_path_is_running,
            integration_program_exists: integration_program.map(Path::is_file),
            litellm: processes
                .into_iter()
                .filter(|found| found.user == user && is_litellm(&found.words))
                .map(|found| Process { pid: found.pid, started: found.started })
                .collect(),
            start_up_lines: start_up_lines(world),
            installed,
            trust_mode: trust
                .and_then(|trust| std::fs::metadata(trust.directory()).ok())
                .map(|metadata| metadata.permissions().mode() & 0o777),
        }
    }
}

/// A process as the system lists it.
struct Listed {
    pid: u32,
    user: u32,
    started: Timestamp,
    words: Vec<String>,
}

/// The last component of a program's path, without the dash of a login shell.
fn program_name(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word).trim_start_matches('-')
}

/// `litellm` itself, or a Python that runs it: `python3 /usr/local/bin/litellm`, `python -m litellm`.
fn is_litellm(words: &[String]) -> bool {
    let Some((program, arguments)) = words.split_first() else {
        return false;
    };
    let program = program_name(program);
    if program == "litellm" {
        return true;
    }
    program.starts_with("python")
        && match arguments {
            [flag, module, ..] if flag == "-m" => {
                module == "litellm" || module.starts_with("litellm.")
            }
            [script, ..] => program_name(script) == "litellm",
            [] => false,
        }
}

/// Every process that can be seen, from /proc.
#[cfg(target_os = "linux")]
fn processes(now: Timestamp) -> Vec<Listed> {
    use std::os::unix::fs::MetadataExt;

    let ticks = rustix::param::clock_ticks_per_second();
    let up = std::fs::read_to_string("/proc/uptime").unwrap_or_default();
    let Some(boot) = boot_time(now, &up) else {
        return Vec::new();
    };
    let Ok(listing) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    listing
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let path = entry.path();
            let stat = std::fs::read_to_string(path.join("stat")).ok()?;
            let command_line = std::fs::read(path.join("cmdline")).ok()?;
            let words = command_line
                .split(|byte| *byte == 0)
                .map(|word| String::from_utf8_lossy(word).into_owned())
                .collect();
            Some(Listed {
                pid,
                user: entry.metadata().ok()?.uid(),
                started: start_time(boot, &stat, ticks)?,
                words,
            })
        })
        .collect()
}

/// Every process that can be seen, from ps(1): macOS has no /proc.
#[cfg(not(target_os = "linux"))]
fn processes(now: Timestamp) -> Vec<Listed> {
    let output = std::process::Command::new("/bin/ps")
        .args(["-axo", "pid=,uid=,etime=,command="])
        .env("LC_ALL", "C")
        .output();
    let Ok(output) = output else {
        return Vec::new();
    };
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| listed_by_ps(line, now))
        .collect()
}

/// When the machine was started, from /proc/uptime (`man 5 proc`). Its clock runs on while the machine sleeps, as
/// that of the start times does.
#[cfg(any(target_os = "linux", test))]
fn boot_time(now: Timestamp, uptime: &str) -> Option<Timestamp> {
    let seconds: f64 = uptime.split(' ').next()?.parse().ok()?;
    now.checked_sub(SignedDuration::try_from_secs_f64(seconds).ok()?).ok()
}

/// When a process was started, from field 22 of its stat file (`man 5 proc`).
#[cfg(any(target_os = "linux", test))]
fn start_time(boot: Timestamp, stat: &str, ticks_per_second: u64) -> Option<Timestamp> {
    // The program's name, in parentheses, may hold spaces and parentheses itself.
    let (_, fields) = stat.rsplit_once(") ")?;
    let ticks: u64 = fields.split(' ').nth(19)?.parse().ok()?;
    let milliseconds = ticks.checked_mul(1000)?.checked_div(ticks_per_second)?;
    boot.checked_add(SignedDuration::from_millis(milliseconds.try_into().ok()?)).ok()
}

/// One line of `ps -o pid=,uid=,etime=,command=`.
#[cfg(any(not(target_os = "linux"), test))]
fn listed_by_ps(line: &str, now: Timestamp) -> Option<Listed> {
    let mut words = line.split_ascii_whitespace();
    let pid = words.next()?.parse().ok()?;
    let user = words.next()?.parse().ok()?;
    let running_for = elapsed(words.next()?)?;
    Some(Listed {
        pid,
        user,
        started: now.checked_sub(running_for).ok()?,
        words: words.map(str::to_owned).collect(),
    })
}

/// `[[DD-]hh:]mm:ss`, how long a process runs as POSIX has ps(1) print it.
#[cfg(any(not(target_os = "linux"), test))]
fn elapsed(text: &str) -> Option<SignedDuration> {
    let (days, time) = match text.split_once('-') {
        Some((days, time)) => (days.parse::<i64>().ok()?, time),
        None => (0, text),
    };
    let mut seconds = 0;
    for part in time.split(':') {
        seconds = seconds * 60 + part.parse::<i64>().ok()?;
    }
    Some(SignedDuration::from_secs(days * 86_400 + seconds))
}

/// Where the usual start-up files mention this program.
fn start_up_lines(world: &World) -> Vec<StartUpLine> {
    const IN_HOME: [&str; 7] =
        [".bashrc", ".bash_profile", ".bash_login", ".profile", ".zshenv", ".zprofile", ".zshrc"];
    let Some(home) = &world.home else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = IN_HOME.iter().map(|name| home.join(name)).collect();
    if let Some(directory) = world.env.non_empty("ZDOTDIR").map(Path::new)
        && directory != home
    {
        files.extend([".zshenv", ".zprofile", ".zshrc"].map(|name| directory.join(name)));
    }
    let fish = world
        .env
        .non_empty("XDG_CONFIG_HOME")
        .map_or_else(|| home.join(".config"), PathBuf::from)
        .join("fish");
    files.push(fish.join("config.fish"));
    if let Ok(snippets) = std::fs::read_dir(fish.join("conf.d")) {
        let mut snippets: Vec<PathBuf> = snippets.flatten().map(|entry| entry.path()).collect();
        snippets.sort();
        files.extend(snippets);
    }
    files.into_iter().flat_map(mentions).collect()
}

fn mentions(path: PathBuf) -> Vec<StartUpLine> {
    let file = read_file(path, MAX_START_UP_FILE_BYTES);
    let Content::Read { bytes, .. } = &file.content else {
        return Vec::new();
    };
    bytes
        .split(|byte| *byte == b'\n')
        .enumerate()
        .filter(|(_, line)| {
            !line.trim_ascii_start().starts_with(b"#")
                && line.windows(11).any(|part| part == b"backlog-aws")
        })
        .map(|(index, _)| StartUpLine { path: file.path.clone(), line: index + 1 })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn litellm_is_known_however_it_was_started() {
        for line in [
            "litellm --port 4000",
            "/opt/venv/bin/litellm",
            "/opt/venv/bin/python3 /opt/venv/bin/litellm --config x",
            "python -m litellm",
            "python3.12 -m litellm.proxy.proxy_cli",
        ] {
            assert!(is_litellm(&words(line)), "{line}");
        }
        for line in [
            "vim litellm",
            "python3 build.py litellm",
            "python3",
            "",
            "grep -m litellm",
            "tail -f litellm",
        ] {
            assert!(!is_litellm(&words(line)), "{line}");
        }
    }

    #[test]
    fn a_login_shell_is_called_by_its_name() {
        assert_eq!(program_name("-zsh"), "zsh");
        assert_eq!(program_name("/usr/bin/fish"), "fish");
        assert_eq!(program_name("-/bin/bash"), "bash");
    }

    #[test]
    fn a_start_time_is_read_past_any_program_name() {
        let now: Timestamp = "2030-01-01T00:01:40Z".parse().unwrap();
        let boot = boot_time(now, "100.00 321.00\n").unwrap();
        assert_eq!(boot.to_string(), "2030-01-01T00:00:00Z");
        let stat = "77 (a) b (c) S 1 77 77 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 2550 1 1";
        let started = start_time(boot, stat, 100).unwrap();
        assert_eq!(started.to_string(), "2030-01-01T00:00:25.5Z");
        assert_eq!(start_time(boot, "77 (a", 100), None);
    }

    #[test]
    fn a_line_of_ps_is_read() {
        let now: Timestamp = "2030-01-03T00:00:00Z".parse().unwrap();
        for (elapsed, started) in [
            ("00:05", "2030-01-02T23:59:55Z"),
            ("01:00:00", "2030-01-02T23:00:00Z"),
            ("2-00:00:01", "2029-12-31T23:59:59Z"),
        ] {
            let line = format!("  123   501 {elapsed} /opt/venv/bin/python litellm --port 1");
            let listed = listed_by_ps(&line, now).unwrap();
            assert_eq!((listed.pid, listed.user), (123, 501));
            assert_eq!(listed.started.to_string(), started);
            assert!(is_litellm(&listed.words));
        }
        assert!(listed_by_ps("PID UID ELAPSED COMMAND", now).is_none());
    }
}
