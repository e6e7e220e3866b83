//! `demo`: the documented situation in a temporary home, with this very program and a real shell.
//!
//! The steps are the end of that shell's start-up file, so they look the same everywhere. On a terminal the shell then
//! stays for the user; otherwise it ends. Nothing of the real home is read, and nothing is left behind.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::cli;
use crate::error::{Done, Failure, reason};
use crate::shell::{Shell, print_code};
use crate::text::visible;
use crate::world::{World, on_path};

/// What is typed, and why. Every line means the same in all three shells.
const STEPS: [(&str, &str); 8] = [
    (
        "AWS_PROFILE is Claude Code's SSO profile. The toolkit gets a profile with keys",
        "echo $AWS_PROFILE, $BACKLOG_AWS_PROFILE in $BACKLOG_AWS_REGION, source: $BACKLOG_AWS_SOURCE",
    ),
    ("Name one for this shell", "backlog-aws use bedrock; echo $BACKLOG_AWS_PROFILE"),
    ("An SSO profile has no keys, so it is refused and bedrock stays", "backlog-aws use cc"),
    (
        "A directory can name a profile too. It counts once it is allowed",
        "backlog-aws use --clear; cd acme",
    ),
    ("Look at it and allow it", "backlog-aws allow"),
    (
        "Run one command with the credentials; the shell itself never has them",
        "backlog-aws exec -- sh -c 'echo $AWS_ACCESS_KEY_ID in $AWS_REGION'",
    ),
    ("Outside of the directory everything is as it was", "cd .."),
    ("Which profile is used, and why", "backlog-aws status"),
];

/// Runs the shell and removes the home when it ends, also after Ctrl-C. A reader that has seen enough is no error.
const SUPERVISOR: &str = r#"
home=$1
shift
trap 'cd / && rm -rf -- "$home"' EXIT
trap 'exit 130' HUP INT TERM
"$@" 2>&1
exit 0
"#;

/// Becomes the supervisor of a shell in a sample home.
pub fn run(args: &cli::Demo, world: &World, out: &mut dyn Write) -> Done {
    let own = world.env.non_empty("SHELL").and_then(|path| Shell::from_path(Path::new(path)));
    let shell = args.shell.or(own).unwrap_or(Shell::Bash);
    let program = on_path(&world.env, OsStr::new(shell.word())).ok_or_else(|| {
        Failure::Problem(format!(
            "{} is not on PATH; install it, or choose another with --shell",
            shell.word()
        ))
    })?;
    let stays = !args.script && io::stdin().is_terminal() && io::stdout().is_terminal();
    let (home, start_up) = sample_home(shell, stays, world).map_err(|error| {
        Failure::Problem(format!(
            "the demo's home cannot be made in {}: {}; set TMPDIR to a directory with room for temporary files",
            visible(std::env::temp_dir()),
            reason(&error)
        ))
    })?;
    out.flush()?;
    let error = Command::new("/bin/sh")
        .args(["-c", SUPERVISOR, "demo"])
        .arg(home.path())
        .arg(program)
        .args(arguments(shell, stays, &start_up))
        .env_clear()
        .envs(environment(home.path(), world))
        .current_dir(home.path())
        .exec();
    Err(Failure::Problem(format!("/bin/sh cannot be run: {}", reason(&error))))
}

/// The home, and the shell's start-up file in it.
fn sample_home(shell: Shell, stays: bool, world: &World) -> io::Result<(TempDir, PathBuf)> {
    // Whatever the umask is, others must not be able to write into the start-up file.
    let home = tempfile::Builder::new()
        .prefix("backlog-aws-demo-")
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir()?;
    write(
        &home,
        ".aws/config",
        "[profile cc]\nsso_session = example\nsso_account_id = 111122223333\nsso_role_name = Developer\n\
         region = eu-central-1\n\n[sso-session example]\nsso_start_url = https://example.awsapps.com/start\n\
         sso_region = eu-central-1\n\n[profile bedrock]\nregion = eu-west-1\n\n\
         [profile luxito]\nregion = us-west-2\n",
    )?;
    // The example keys of AWS's own documentation.
    let credentials = write(
        &home,
        ".aws/credentials",
        "[luxito]\naws_access_key_id = AKIAI44QH8DHBEXAMPLE\n\
         aws_secret_access_key = je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY\n\n\
         [bedrock]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n\
         aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
    )?;
    fs::set_permissions(credentials, fs::Permissions::from_mode(0o600))?;
    write(
        &home,
        "acme/.backlog-aws",
        "# the account that pays for acme\nprofile = bedrock\nregion = eu-north-1\n",
    )?;
    fs::create_dir(home.path().join("bin"))?;
    symlink(&world.program, home.path().join("bin/backlog-aws"))?;
    // Without it, fish reads all manual pages of the machine at its first start, and goes on after the demo's end.
    fs::create_dir_all(home.path().join(".local/share/fish/generated_completions"))?;
    let file = match shell {
        Shell::Bash => ".bashrc",
        Shell::Zsh => ".zshrc",
        Shell::Fish => ".config/fish/config.fish",
    };
    let start_up = write(&home, file, start_up_text(shell, stays))?;
    Ok((home, start_up))
}

fn write(home: &TempDir, relative: &str, content: impl AsRef<[u8]>) -> io::Result<PathBuf> {
    let path = home.path().join(relative);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(&path, content)?;
    Ok(path)
}

/// Loads the integration and takes the steps. A start-up file has no prompts, so the hooks that wait for one are run after
/// each step.
fn start_up_text(shell: Shell, stays: bool) -> Vec<u8> {
    let (prompt, hooks) = match shell {
        Shell::Bash => {
            ("PS1='demo $ '", "for hook in \"${PROMPT_COMMAND[@]}\"; do eval \"$hook\"; done\n")
        }
        Shell::Zsh => ("PROMPT='demo $ '", "for hook in $precmd_functions; do $hook; done\n"),
        Shell::Fish => (
            "set -g fish_greeting\nfunction fish_prompt\n    echo -n 'demo $ '\nend",
            "emit fish_prompt\n",
        ),
    };
    let load = format!("{prompt}\n{}\n", shell.load_line("backlog-aws"));
    let print = |line: &str| print_code(shell, &format!("{line}\n"));
    let name = shell.word();
    let mut text = [
        load.as_bytes(),
        &print(&format!("{name}, in a temporary home with AWS_PROFILE=cc")),
        hooks.as_bytes(),
    ]
    .concat();
    for (why, line) in STEPS {
        text.extend(print(&format!("\n# {why}\n$ {line}")));
        text.extend_from_slice(format!("{line}\n{hooks}").as_bytes());
    }
    if stays {
        text.extend(print("\n# Your turn. `exit` ends the demo, and nothing is kept"));
    }
    text
}

/// What makes a shell read that start-up file and no other. Bash wants its long options first.
fn arguments(shell: Shell, stays: bool, start_up: &Path) -> Vec<&OsStr> {
    let arguments: &[&str] = match (shell, stays) {
        (Shell::Bash, true) => &["--noprofile", "--rcfile", "FILE", "-i"],
        (Shell::Bash, false) => &["--noprofile", "--norc", "FILE"],
        // zsh and fish find it in the home.
        (Shell::Zsh, true) => &["-d", "-i"],
        (Shell::Zsh, false) => &["-f", "FILE"],
        (Shell::Fish, true) => &["-i"],
        (Shell::Fish, false) => &["--no-config", "FILE"],
    };
    arguments
        .iter()
        .map(|argument| if *argument == "FILE" { start_up.as_os_str() } else { argument.as_ref() })
        .collect()
}

/// The environment of the documented situation: little of the real one, and none of its AWS variables.
fn environment(home: &Path, world: &World) -> Vec<(&'static str, OsString)> {
    let mut path = home.join("bin").into_os_string();
    path.push(":");
    path.push(world.env.non_empty("PATH").unwrap_or(OsStr::new("/usr/bin:/bin")));
    let mut environment = vec![
        ("HOME", home.into()),
        ("ZDOTDIR", home.into()),
        ("PATH", path),
        ("AWS_PROFILE", "cc".into()),
    ];
    for name in
        ["TERM", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "COLORTERM", "NO_COLOR", "CLICOLOR_FORCE"]
    {
        environment.extend(world.env.non_empty(name).map(|value| (name, value.to_owned())));
    }
    environment
}
