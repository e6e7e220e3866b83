//! `demo`: the documented situation in a throw-away home, with this very program and the user's own shell.
//!
//! On a terminal it is an interactive shell, otherwise a scripted run whose transcript is printed. Nothing of the real
//! home is read, and nothing is left behind.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use pty_process::blocking::{Command as PtyCommand, Pty, open};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use tempfile::TempDir;

use crate::cli;
use crate::error::{Done, Failure, reason};
use crate::shell::Shell;
use crate::text::visible;
use crate::world::{World, on_path};

/// Shows it.
pub fn run(args: &cli::Demo, world: &World, out: &mut dyn Write) -> Done {
    // A signal only raises the flag: the home below is removed on every way out of this function.
    let stopped = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&stopped))?;
    }
    let home = Home::furnish(world).map_err(|error| {
        Failure::Problem(format!(
            "the demo's home cannot be made in {}: {}; set TMPDIR to a directory with room for temporary files",
            visible(std::env::temp_dir()),
            reason(&error)
        ))
    })?;
    let interactive = !args.script && io::stdin().is_terminal() && io::stdout().is_terminal();
    if interactive {
        let shell = args.shell.or_else(|| own_shell(world)).unwrap_or(Shell::Bash);
        return play(shell, &home, world, out);
    }
    let shells =
        args.shell.map_or_else(|| vec![Shell::Bash, Shell::Zsh, Shell::Fish], |shell| vec![shell]);
    let installed: Vec<(Shell, PathBuf)> =
        shells.iter().filter_map(|shell| Some((*shell, find(shell.word(), world)?))).collect();
    if installed.is_empty() {
        let wanted: Vec<&str> = shells.iter().map(|shell| shell.word()).collect();
        return Err(Failure::Problem(format!("{} not on PATH; install it", wanted.join(", "))));
    }
    for (shell, program) in installed {
        writeln!(out, "──── {} ────", shell.word())?;
        home.reset()?;
        show(shell, &program, &home, world, &stopped, out)?;
        writeln!(out)?;
    }
    Ok(0)
}

/// What the scripted run types. Every line means the same in all three shells.
const SCRIPT: [(&str, &str); 9] = [
    (
        "AWS_PROFILE is Claude Code's SSO profile; the toolkit gets another one",
        "echo $AWS_PROFILE / $BACKLOG_AWS_PROFILE",
    ),
    ("say which one it shall be in this shell", "backlog-aws use bedrock"),
    ("", "echo $AWS_PROFILE / $BACKLOG_AWS_PROFILE in $BACKLOG_AWS_REGION by $BACKLOG_AWS_SOURCE"),
    ("an SSO profile is refused, and nothing else is taken in its place", "backlog-aws use cc"),
    (
        "let go; a directory can have a word of its own, once it is allowed",
        "backlog-aws use --clear; cd acme",
    ),
    ("", "backlog-aws allow"),
    (
        "credentials for one command, and for nothing else",
        "backlog-aws exec -- sh -c 'echo $AWS_ACCESS_KEY_ID in $AWS_REGION'",
    ),
    ("on leaving, everything is as it was", "cd .."),
    ("", "backlog-aws status"),
];

/// The prompt of the scripted run, by which the end of a command's output is told.
const PROMPT: &str = "demo-prompt> ";

/// The sample home and what belongs to it.
struct Home {
    directory: TempDir,
}

impl Home {
    fn furnish(world: &World) -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("backlog-aws-demo-").tempdir()?;
        let home = Self { directory };
        home.write(
            ".aws/config",
            "[profile cc]\nsso_session = example\nsso_account_id = 111122223333\nsso_role_name = Developer\n\
             region = eu-central-1\n\n[sso-session example]\nsso_start_url = https://example.awsapps.com/start\n\
             sso_region = eu-central-1\n\n[profile bedrock]\nregion = eu-west-1\n\n\
             [profile luxito]\nregion = us-west-2\n",
        )?;
        // The example keys of AWS's own documentation.
        let credentials = home.write(
            ".aws/credentials",
            "[luxito]\naws_access_key_id = AKIAI44QH8DHBEXAMPLE\n\
             aws_secret_access_key = je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY\n\n\
             [bedrock]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n\
             aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
        )?;
        fs::set_permissions(credentials, fs::Permissions::from_mode(0o600))?;
        home.write(
            "acme/.backlog-aws",
            "# the account that pays for acme\nprofile = bedrock\nregion = eu-north-1\n",
        )?;
        home.write("side/README", "A project without a word of its own.\n")?;
        fs::create_dir(home.path("bin"))?;
        symlink(&world.program, home.path("bin/backlog-aws"))?;
        Ok(home)
    }

    /// Forgets what a run decided, so that the next shell starts afresh.
    fn reset(&self) -> io::Result<()> {
        for decided in [".local", ".cache", "Library"] {
            let decided = self.path(decided);
            if decided.exists() {
                fs::remove_dir_all(decided)?;
            }
        }
        Ok(())
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.directory.path().join(relative)
    }

    fn write(&self, relative: &str, content: &str) -> io::Result<PathBuf> {
        let path = self.path(relative);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, content)?;
        Ok(path)
    }

    /// Writes the shell's start-up file and returns the arguments that make it read that one and no other.
    fn start_up(&self, shell: Shell, prompt: &str) -> io::Result<Vec<String>> {
        let (file, arguments, text) = match shell {
            Shell::Bash => (
                ".bashrc",
                vec![
                    "--noprofile".to_owned(),
                    "--rcfile".to_owned(),
                    self.path(".bashrc").display().to_string(),
                    "-i".to_owned(),
                ],
                format!("PS1='{prompt}'\neval \"$(backlog-aws init bash)\"\n"),
            ),
            Shell::Zsh => (
                ".zshrc",
                vec!["-d".to_owned(), "-i".to_owned()],
                format!(
                    "PROMPT='{prompt}'\nunsetopt prompt_cr prompt_sp\neval \"$(backlog-aws init zsh)\"\n"
                ),
            ),
            Shell::Fish => (
                ".config/fish/config.fish",
                vec!["-i".to_owned()],
                format!(
                    "set -g fish_greeting\nfunction fish_prompt\n    echo -n '{prompt}'\nend\nbacklog-aws init fish | source\n"
                ),
            ),
        };
        self.write(file, &text)?;
        // Without it, fish reads all manual pages of the machine at its first start, and goes on after the demo's end.
        fs::create_dir_all(self.path(".local/share/fish/generated_completions"))?;
        Ok(arguments)
    }

    /// The environment of the documented situation: little of the real one, and none of its AWS variables.
    fn environment(
        &self,
        world: &World,
        terminal: &str,
    ) -> Vec<(&'static str, std::ffi::OsString)> {
        let mut path = self.path("bin").into_os_string();
        path.push(":");
        path.push(world.env.non_empty("PATH").unwrap_or(OsStr::new("/usr/bin:/bin")));
        let home = self.directory.path();
        let mut environment = vec![
            ("HOME", home.into()),
            ("ZDOTDIR", home.into()),
            ("PATH", path),
            ("TERM", terminal.into()),
            ("AWS_PROFILE", "cc".into()),
        ];
        for name in ["LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "COLORTERM", "NO_COLOR"] {
            environment.extend(world.env.non_empty(name).map(|value| (name, value.to_owned())));
        }
        environment
    }
}

/// The interactive demo.
fn play(shell: Shell, home: &Home, world: &World, out: &mut dyn Write) -> Done {
    let program = find(shell.word(), world).ok_or_else(|| {
        Failure::Problem(format!(
            "{} is not on PATH; install it, or choose another with --shell",
            shell.word()
        ))
    })?;
    writeln!(
        out,
        "This is {} in a throw-away home with AWS_PROFILE=cc, an SSO profile, and two static profiles.\n\
         Try these, and leave with `exit`; nothing is kept:\n",
        shell.word()
    )?;
    for (why, line) in SCRIPT {
        if !why.is_empty() {
            writeln!(out, "  # {why}")?;
        }
        writeln!(out, "  {line}")?;
    }
    writeln!(out)?;
    out.flush()?;
    let arguments = home.start_up(shell, "demo $ ")?;
    let terminal = world.env.non_empty("TERM").and_then(OsStr::to_str).unwrap_or("xterm");
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(home.environment(world, terminal))
        .current_dir(home.directory.path())
        .spawn()?;
    wait(&mut child)?;
    Ok(0)
}

/// Waits until the shell ends. Signals that raise our flag interrupt the wait; the shell decides what they mean.
fn wait(child: &mut Child) -> io::Result<()> {
    loop {
        match child.wait() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok(_) => return Ok(()),
        }
    }
}

/// One scripted run in a terminal of its own.
fn show(
    shell: Shell,
    program: &Path,
    home: &Home,
    world: &World,
    stopped: &AtomicBool,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let failed =
        |error: pty_process::Error| Failure::Problem(format!("no terminal for the demo: {error}"));
    let arguments = home.start_up(shell, PROMPT)?;
    let (terminal, slave) = open().map_err(failed)?;
    // Wide, so that no line wraps and none has to be put together again.
    terminal.resize(pty_process::Size::new(50, 1000)).map_err(failed)?;
    let mut child = PtyCommand::new(program)
        .args(arguments)
        .env_clear()
        .envs(home.environment(world, "xterm"))
        .current_dir(home.directory.path())
        .spawn(slave)
        .map_err(failed)?;
    let mut screen = Screen::watch(terminal)?;
    let told = screen.tell(stopped, out);
    drop(screen);
    // Closing its terminal ends the shell; should it not care, it is ended.
    if !matches!(child.try_wait(), Ok(Some(_))) {
        let _ = child.kill();
    }
    wait(&mut child)?;
    told
}

/// What a shell prints, as it comes.
struct Screen {
    terminal: Pty,
    incoming: Receiver<Vec<u8>>,
}

impl Screen {
    fn watch(terminal: Pty) -> io::Result<Self> {
        use std::os::fd::AsFd;
        let mut reader = fs::File::from(terminal.as_fd().try_clone_to_owned()?);
        let (sender, incoming) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Ok(Self { terminal, incoming })
    }

    fn tell(&mut self, stopped: &AtomicBool, out: &mut dyn Write) -> Result<(), Failure> {
        let greeting = self.until_prompt(stopped)?;
        write!(out, "{greeting}")?;
        for (why, line) in SCRIPT {
            if !why.is_empty() {
                writeln!(out, "# {why}")?;
            }
            writeln!(out, "$ {line}")?;
            out.flush()?;
            self.terminal.write_all(format!("{line}\r").as_bytes())?;
            let printed = self.until_prompt(stopped)?;
            // Up to the first line end it is the echo of what was typed.
            let printed = printed.split_once('\n').map_or("", |(_, printed)| printed);
            write!(out, "{printed}")?;
        }
        Ok(())
    }

    /// What is printed until the prompt stands and nothing more comes.
    fn until_prompt(&self, stopped: &AtomicBool) -> Result<String, Failure> {
        const QUIET: Duration = Duration::from_millis(150);
        const PATIENCE: Duration = Duration::from_secs(20);
        let started = Instant::now();
        let mut raw = Vec::new();
        loop {
            if stopped.load(Ordering::Relaxed) {
                return Err(Failure::Cancelled);
            }
            match self.incoming.recv_timeout(QUIET) {
                Ok(bytes) => raw.extend(bytes),
                Err(RecvTimeoutError::Timeout) => {
                    let text = readable(&raw);
                    if let Some(printed) = text.strip_suffix(PROMPT.trim_end()) {
                        return Ok(printed.to_owned());
                    }
                    if started.elapsed() > PATIENCE {
                        return Err(Failure::Problem(
                            "the shell of the demo did not come to its prompt".to_owned(),
                        ));
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Failure::Problem("the shell of the demo ended early".to_owned()));
                }
            }
        }
    }
}

/// The text of a terminal's output, without escape sequences and with plain line ends.
fn readable(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(raw);
    let text = anstream::adapter::strip_str(&text).to_string();
    let mut lines: Vec<&str> = Vec::new();
    for line in text.split('\n') {
        let line = line.trim_end_matches('\r');
        // A carriage return goes back to the start of the line, and what was there is drawn over.
        lines.push(line.rsplit('\r').next().unwrap_or(line).trim_end());
    }
    lines.join("\n")
}

fn own_shell(world: &World) -> Option<Shell> {
    world.env.non_empty("SHELL").and_then(|path| Shell::from_path(Path::new(path)))
}

fn find(program: &str, world: &World) -> Option<PathBuf> {
    on_path(&world.env, OsStr::new(program))
}
