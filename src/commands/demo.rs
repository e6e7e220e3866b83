//! `demo`: the documented situation in a temporary home, with this very program and a real shell.
//!
//! The steps are the end of that shell's start-up file, so they look the same everywhere. On a terminal the shell then
//! stays for the user; otherwise it ends. Nothing of the real home is read, and nothing is left behind.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::cli;
use crate::error::{Done, Failure, reason};
use crate::fs::{Access, write_atomically};
use crate::shell::{Shell, print_code};
use crate::start_up::load_line;
use crate::text::visible;
use crate::world::{World, on_path};

/// What is typed, and why. Every line means the same in bash, zsh and fish.
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

/// What of the real environment is kept.
const KEPT: [&str; 8] =
    ["TERM", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "COLORTERM", "NO_COLOR", "CLICOLOR_FORCE"];

/// Where fish has its start-up file.
const FISH_FILE: &str = ".config/fish/config.fish";

/// The files of the home. The keys are the examples of AWS's own documentation.
const SAMPLES: [(&str, &str); 3] = [
    (
        ".aws/config",
        "[profile cc]\nsso_session = example\nsso_account_id = 111122223333\nsso_role_name = Developer\n\
         region = eu-central-1\n\n[sso-session example]\nsso_start_url = https://example.awsapps.com/start\n\
         sso_region = eu-central-1\n\n[profile bedrock]\nregion = eu-west-1\n\n\
         [profile luxito]\nregion = us-west-2\n",
    ),
    (
        ".aws/credentials",
        "[luxito]\naws_access_key_id = AKIAI44QH8DHBEXAMPLE\n\
         aws_secret_access_key = je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY\n\n\
         [bedrock]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n\
         aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
    ),
    (
        "acme/.backlog-aws",
        "# the account that pays for acme\nprofile = bedrock\nregion = eu-north-1\n",
    ),
];

/// Becomes the supervisor of a shell in a sample home.
pub fn run(args: &cli::Demo, world: &World, out: &mut dyn Write) -> Done {
    let own = world.env.non_empty("SHELL").and_then(|path| Shell::from_path(Path::new(path)));
    let own = own.filter(|own| *own != Shell::Nu);
    let shell = args.shell.or(own).unwrap_or(Shell::Bash);
    let name = shell.word();
    let program = on_path(&world.env, OsStr::new(name)).ok_or_else(|| {
        Failure::Problem(format!(
            "{name} is not on PATH; install it, or choose another with --shell"
        ))
    })?;
    let stays = !args.script && io::stdin().is_terminal() && io::stdout().is_terminal();
    // The start-up file below the home, and what makes the shell read it and no other. Bash wants its long options first.
    let (file, arguments): (&str, &[&str]) = match (shell, stays) {
        (Shell::Bash, true) => (".bashrc", &["--noprofile", "--rcfile", ".bashrc", "-i"]),
        (Shell::Bash, false) => (".bashrc", &["--noprofile", "--norc", ".bashrc"]),
        (Shell::Zsh, true) => (".zshrc", &["-d", "-i"]),
        (Shell::Zsh, false) => (".zshrc", &["-f", ".zshrc"]),
        (Shell::Fish, true) => (FISH_FILE, &["-i"]),
        (Shell::Fish, false) => (FISH_FILE, &["--no-config", FISH_FILE]),
        (Shell::Nu, _) => {
            let why = "nushell does not read the demo's lines; use --shell bash, zsh or fish";
            return Err(Failure::Usage(why.to_owned()));
        }
    };
    let home = sample_home(file, &start_up_text(shell, stays), &world.program).map_err(|error| {
        Failure::Problem(format!(
            "the demo's home cannot be made in {}: {}; set TMPDIR to a directory with room for temporary files",
            visible(std::env::temp_dir()),
            reason(&error)
        ))
    })?;
    let mut path = home.path().join("bin:").into_os_string();
    path.push(world.env.get("PATH").unwrap_or_default());
    out.flush()?;
    let error = Command::new("/bin/sh")
        .args(["-c", SUPERVISOR, "demo"])
        .arg(home.path())
        .arg(program)
        .args(arguments)
        // Of the real environment little, and none of its AWS variables.
        .env_clear()
        .envs(KEPT.iter().filter_map(|name| Some((name, world.env.non_empty(name)?))))
        .envs([("HOME", home.path()), ("ZDOTDIR", home.path()), ("PATH", Path::new(&path))])
        .env("AWS_PROFILE", "cc")
        .current_dir(home.path())
        .exec();
    Err(Failure::Problem(format!("/bin/sh cannot be run: {}", reason(&error))))
}

/// The home with the shell's start-up file in it.
fn sample_home(file: &str, start_up: &[u8], program: &Path) -> io::Result<TempDir> {
    // Whatever the umask is, others must not be able to write into the start-up file.
    let home = tempfile::Builder::new()
        .prefix("backlog-aws-demo-")
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir()?;
    let samples = SAMPLES.map(|(name, text)| (name, text.as_bytes()));
    for (name, content) in samples.into_iter().chain([(file, start_up)]) {
        let path = home.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(home.path()))?;
        write_atomically(&path, content, Access::Private)?;
    }
    fs::create_dir(home.path().join("bin"))?;
    symlink(program, home.path().join("bin/backlog-aws"))?;
    // Without it, fish reads all manual pages of the machine at its first start, and goes on after the demo's end.
    fs::create_dir_all(home.path().join(".local/share/fish/generated_completions"))?;
    Ok(home)
}

/// Loads the integration and takes the steps. A start-up file has no prompts, so the hooks that wait for one are run after
/// each step.
fn start_up_text(shell: Shell, stays: bool) -> Vec<u8> {
    let (prompt, hooks) = match shell {
        Shell::Bash => {
            ("PS1='demo $ '", "for hook in \"${PROMPT_COMMAND[@]}\"; do eval \"$hook\"; done\n")
        }
        Shell::Zsh => ("PROMPT='demo $ '", "for hook in $precmd_functions; do $hook; done\n"),
        Shell::Fish | Shell::Nu => (
            "set -g fish_greeting\nfunction fish_prompt\n    echo -n 'demo $ '\nend",
            "emit fish_prompt\n",
        ),
    };
    let print = |line: &str| print_code(shell, &format!("{line}\n"));
    let mut text = format!("{prompt}\n{}\n", load_line(shell, "backlog-aws")).into_bytes();
    text.extend(print(&format!("{}, in a temporary home with AWS_PROFILE=cc", shell.word())));
    text.extend_from_slice(hooks.as_bytes());
    for (why, line) in STEPS {
        text.extend(print(&format!("\n# {why}\n$ {line}")));
        text.extend_from_slice(format!("{line}\n{hooks}").as_bytes());
    }
    if stays {
        text.extend(print("\n# Your turn. `exit` ends the demo, and nothing is kept"));
    }
    text
}
