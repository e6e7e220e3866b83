//! The start-up files of the shells: where they are, which of their lines load the integration, and the one line that
//! `setup` adds and takes out again.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Failure, reason};
use crate::finding::Place;
use crate::fs::{Access, Content, SourceFile, check_is_ours, is_mine, read_file, write_atomically};
use crate::shell::Shell;
use crate::text::visible;
use crate::world::{Environment, World};

/// No start-up file is that large.
const MAX_BYTES: u64 = 1 << 20;

/// What ends the line that `setup` adds, so that it can be found again.
const MARK: &str = " # added by backlog-aws setup";

/// What plugin managers read beside the start-up files, relative to the home.
const ANTIDOTE: &str = ".zsh_plugins.txt";
/// What the line of nushell's start-up file writes.
const NU_SCRIPT: &str = "backlog-aws.nu";
const BASH_IT: &str = ".bash_it/custom/backlog-aws/backlog-aws.plugin.bash";

/// The line of a start-up file that loads the integration; `program` is a word for it.
pub fn load_line(shell: Shell, program: &str) -> String {
    match shell {
        Shell::Bash | Shell::Zsh => format!("eval \"$({program} init {})\"", shell.word()),
        Shell::Fish => format!("{program} init fish | source"),
        // It cannot evaluate text. What is in that directory it reads next.
        Shell::Nu => format!(
            "mkdir $nu.user-autoload-dirs.0; ^{program} init nu | save -f $\"($nu.user-autoload-dirs.0)/{NU_SCRIPT}\""
        ),
    }
}

/// The file that an interactive shell reads, for the line that loads the integration.
///
/// # Errors
///
/// It is not known; the text says what to do.
pub fn file_of(shell: Shell, world: &World) -> Result<PathBuf, Failure> {
    let home = world.home.as_deref().ok_or_else(|| {
        Failure::Problem("there is no home directory with start-up files; set HOME".to_owned())
    })?;
    let zshenv = home.join(".zshenv");
    match shell {
        // Terminals on macOS start login shells.
        Shell::Bash => Ok(bash_file(home, cfg!(target_os = "macos"))),
        Shell::Zsh if world.env.get("ZDOTDIR").is_none() && has(&zshenv, "ZDOTDIR") => {
            Err(Failure::Problem(
                "~/.zshenv mentions ZDOTDIR and does not export it, so only zsh knows where its files are; in zsh, \
                 run `ZDOTDIR=$ZDOTDIR backlog-aws setup`"
                    .to_owned(),
            ))
        }
        Shell::Zsh => Ok(zsh_directory(&world.env, home).join(".zshrc")),
        Shell::Fish => Ok(config_directory(&world.env, home).join("fish/config.fish")),
        Shell::Nu => Ok(nu_directory(&world.env, home).join("config.nu")),
    }
}

/// A login bash reads the first of three files, and `.bashrc` only if that one says so.
fn bash_file(home: &Path, login: bool) -> PathBuf {
    let bashrc = home.join(".bashrc");
    if !login {
        return bashrc;
    }
    let files = [".bash_profile", ".bash_login", ".profile"].map(|name| home.join(name));
    match files.iter().find(|file| file.exists()) {
        Some(file) if has(file, "bashrc") => bashrc,
        Some(file) => file.clone(),
        None => files[0].clone(),
    }
}

fn zsh_directory(env: &Environment, home: &Path) -> PathBuf {
    env.non_empty("ZDOTDIR").map_or_else(|| home.to_owned(), PathBuf::from)
}

fn config_directory(env: &Environment, home: &Path) -> PathBuf {
    env.non_empty("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from)
}

fn nu_directory(env: &Environment, home: &Path) -> PathBuf {
    let is_macos = cfg!(target_os = "macos") && env.non_empty("XDG_CONFIG_HOME").is_none();
    let macos = || home.join("Library/Application Support");
    if is_macos { macos() } else { config_directory(env, home) }.join("nushell")
}

/// All files from which shells may load the integration.
fn all_files(world: &World) -> Vec<(Shell, PathBuf)> {
    const BASH: [&str; 5] = [".bashrc", ".bash_profile", ".bash_login", ".profile", BASH_IT];
    const ZSH: [&str; 4] = [".zshenv", ".zprofile", ".zshrc", ANTIDOTE];
    const FISH: [&str; 2] = ["fish/config.fish", "fish/conf.d/backlog-aws.fish"];
    const NU: [&str; 2] = ["config.nu", "env.nu"];
    let Some(home) = &world.home else {
        return Vec::new();
    };
    let (zsh, fish) = (zsh_directory(&world.env, home), config_directory(&world.env, home));
    let nu = nu_directory(&world.env, home);
    let files = BASH.iter().map(|name| (Shell::Bash, home.join(name)));
    let files = files.chain(ZSH.iter().map(|name| (Shell::Zsh, zsh.join(name))));
    let files = files.chain(FISH.iter().map(|name| (Shell::Fish, fish.join(name))));
    files.chain(NU.iter().map(|name| (Shell::Nu, nu.join(name)))).collect()
}

/// Where shells are told to load the integration.
pub fn loading_lines(world: &World) -> Vec<(Shell, Place)> {
    let mut found = Vec::new();
    for (shell, path) in all_files(world) {
        if let Some(bytes) = read_file(path.clone(), MAX_BYTES).bytes() {
            let lines = (1..).zip(bytes.split(|byte| *byte == b'\n'));
            let loading = lines.filter(|(_, line)| loads(&String::from_utf8_lossy(line)));
            found.extend(loading.map(|(line, _)| (shell, Place::line(&path, line))));
        }
    }
    found
}

/// Whether a line loads the integration. There are many ways (`eval`, `source`, a plugin's name in a list), so it is any
/// mention but in a comment, or where something else is given a name or put on `PATH`.
fn loads(line: &str) -> bool {
    const OTHERS: [&str; 7] =
        ["alias", "abbr", "export", "set", "fish_add_path", "PATH=", "path+=("];
    let line = line.trim_start();
    let other = || OTHERS.iter().any(|word| line.starts_with(word)) && !line.contains(" init ");
    line.contains("backlog-aws") && !line.starts_with('#') && !other()
}

fn has(path: &Path, text: &str) -> bool {
    let file = read_file(path.to_owned(), MAX_BYTES);
    file.bytes().is_some_and(|bytes| String::from_utf8_lossy(bytes).contains(text))
}

/// A start-up file that may be changed: text of the user's own, or none yet.
pub struct StartUpFile {
    /// Where its content is, links followed.
    path: PathBuf,
    old: SourceFile,
}

impl StartUpFile {
    /// # Errors
    ///
    /// It is not the user's to change, or cannot be read: why.
    pub fn open(path: &Path, world: &World) -> Result<Self, Failure> {
        check_is_ours(path, world.home.as_deref())?;
        let old = read_file(path.to_owned(), MAX_BYTES);
        let me = rustix::process::geteuid().as_raw();
        let is_foreign = old.state.as_ref().is_some_and(|state| state.owner != me);
        let directory = path.ancestors().skip(1).find(|directory| directory.exists());
        let why = match &old.content {
            Content::Unreadable(why) => why,
            Content::Absent if !directory.is_some_and(is_mine) => {
                "is in a directory of another user"
            }
            Content::Read { .. } if is_foreign => "belongs to another user",
            Content::Read { mode, .. } if mode & 0o200 == 0 => "is read-only",
            Content::Read { bytes, .. } if bytes.contains(&0) => "is not text",
            Content::Absent | Content::Read { .. } => {
                let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
                return Ok(Self { path, old });
            }
        };
        Err(Failure::Problem(format!("{} {why}", visible(path))))
    }

    /// Adds a line at the end. The file as it was is kept beside it; returns where.
    pub fn add(&self, line: &str) -> Result<Option<PathBuf>, Failure> {
        let copy = self.copy();
        if let Some(old) = self.old.bytes() {
            self.write(&copy, old)?;
        } else if let Some(directory) = self.path.parent() {
            fs::create_dir_all(directory).map_err(|error| failed(directory, &error))?;
        }
        self.write(&self.path, &with_line(self.old.bytes(), line))?;
        Ok(self.old.bytes().map(|_| copy))
    }

    /// Takes out the line that was added, and the copy if it is what the file is again.
    fn take_out(&self) -> Result<(), Failure> {
        let (new, copy) = (without_line(self.old.bytes().unwrap_or_default()), self.copy());
        let remove = |path: &Path| fs::remove_file(path).map_err(|error| failed(path, &error));
        // A file that has nothing else was made for that line.
        if new.is_empty() && !copy.exists() {
            return remove(&self.path);
        }
        self.write(&self.path, &new)?;
        if fs::read(&copy).is_ok_and(|kept| kept == new) { remove(&copy) } else { Ok(()) }
    }

    fn copy(&self) -> PathBuf {
        self.path.with_added_extension("before-backlog-aws")
    }

    fn write(&self, path: &Path, content: &[u8]) -> Result<(), Failure> {
        let mode = match self.old.content {
            Content::Read { mode, .. } => mode & 0o777,
            _ => 0o644,
        };
        write_atomically(path, content, Access::KeptOr(mode)).map_err(|error| failed(path, &error))
    }
}

/// Takes the line that was added out of every file; returns which.
pub fn take_out_everywhere(world: &World) -> Result<Vec<PathBuf>, Failure> {
    let files = all_files(world).into_iter().map(|(_, path)| path);
    let changed: Vec<PathBuf> = files.filter(|path| has(path, MARK)).collect();
    for path in &changed {
        StartUpFile::open(path, world)?.take_out()?;
        if path.ends_with("config.nu") {
            let _ = std::fs::remove_file(path.with_file_name("autoload").join(NU_SCRIPT));
        }
    }
    Ok(changed)
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Problem(format!("{} cannot be written: {}", visible(path), reason(error)))
}

/// The text with a line at its end.
fn with_line(old: Option<&[u8]>, line: &str) -> Vec<u8> {
    let old = old.unwrap_or_default();
    let end: &[u8] = if old.is_empty() || old.ends_with(b"\n") { b"" } else { b"\n" };
    [old, end, line.as_bytes(), MARK.as_bytes(), b"\n"].concat()
}

/// The text without a line that was added so.
fn without_line(text: &[u8]) -> Vec<u8> {
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    let kept = lines.filter(|line| !line.trim_ascii_end().ends_with(MARK.as_bytes()));
    kept.flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_taken_out_leaves_what_was_there() {
        for old in ["", "\n", "a\n", "a\n\n", "a\nb\n", "a\r\nb\r\n", "\n\na\\\n"] {
            // A last line that did not end does then.
            for before in [old, old.strip_suffix('\n').unwrap_or_default()] {
                let new = with_line(Some(before.as_bytes()), "load");
                let text = String::from_utf8_lossy(&new).into_owned();
                assert!(text.starts_with(before) && text.contains("load # added"), "{text:?}");
                let end = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
                assert_eq!(without_line(&new), format!("{before}{end}").as_bytes(), "{before:?}");
            }
            assert_eq!(without_line(old.as_bytes()), old.as_bytes());
        }
        let new = with_line(None, "load");
        assert_eq!(without_line(&[b"before\n", &*new, b"after\n"].concat()), b"before\nafter\n");
    }

    #[test]
    fn lines_that_load_are_told_from_lines_that_mention() {
        for line in [
            "eval \"$(backlog-aws init bash)\"",
            "  eval \"$(/opt/bin/backlog-aws init zsh --hook cd)\"",
            "backlog-aws init fish | source",
            "source ~/src/backlog-aws/shell/backlog-aws.bash",
            "plugins=(git backlog-aws)",
            "zinit light OWNER/backlog-aws",
            "export X=1; eval \"$(backlog-aws init bash)\"",
        ] {
            assert!(loads(line), "{line}");
        }
        for line in [
            "# eval \"$(backlog-aws init bash)\"",
            "alias ba='backlog-aws exec --'",
            "export PATH=~/src/backlog-aws/target/release:$PATH",
            "PATH=~/src/backlog-aws/target/release:$PATH",
            "fish_add_path ~/src/backlog-aws/target/release",
            "export BACKLOG_AWS_PROFILE=bedrock",
        ] {
            assert!(!loads(line), "{line}");
        }
    }

    #[test]
    fn a_login_bash_reads_its_profile() {
        let home = tempfile::tempdir().unwrap();
        let (home, write) = (home.path(), |name: &str, text: &str| {
            fs::write(home.path().join(name), text).unwrap();
        });
        let file = |login| bash_file(home, login).file_name().unwrap().to_owned();
        assert_eq!([file(false), file(true)], [".bashrc", ".bash_profile"]);
        write(".profile", "PATH=~/bin:$PATH\n");
        assert_eq!(file(true), ".profile");
        write(".bash_profile", "[ -r ~/.bashrc ] && . ~/.bashrc\n");
        assert_eq!(file(true), ".bashrc");
    }
}
