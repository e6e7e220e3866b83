//! Every script that a shell is ever given is valid in that shell and passes the linters: the integration with every
//! option, and what the hook prints in every situation.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::harness::{FOREIGN_PREFIXES, KEY_IDS, SECRETS, Sandbox, Shell};

const HOOKS: [&str; 4] = ["", "--hook prompt", "--hook cd", "--hook none"];

/// The script that `init` prints, for each combination of options.
fn integrations(home: &Sandbox, shell: Shell) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for hook in HOOKS {
        let options = format!("init {} {hook}", shell.name());
        let output = home.run(options.split_whitespace()).expect_code(0);
        found.push((options, output.stdout));
    }
    found
}

/// Feeds a script to a linter, and fails with whatever it says.
#[track_caller]
fn assert_silent(linter: &mut Command, script: &[u8], what: &str) {
    let program = linter.get_program().to_owned();
    let mut child = linter
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("{} must be installed, `tests/run` does that: {error}", program.display())
        });
    let mut input = child.stdin.take().expect("it is a pipe");
    input.write_all(script).expect("it reads its input");
    drop(input);
    let output = child.wait_with_output().expect("it is ours");
    let said = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success() && said.is_empty(),
        "{} on `{what}`:\n{}\n----\n{}",
        program.display(),
        String::from_utf8_lossy(&said),
        String::from_utf8_lossy(script)
    );
}

/// Has the shell parse a script without running it.
#[track_caller]
fn assert_valid(shell: Shell, script: &[u8], what: &str) {
    let file = tempfile::NamedTempFile::new().expect("a temporary file can be made");
    fs::write(file.path(), script).expect("it is ours");
    let mut command = Command::new(shell.path());
    match shell {
        Shell::Bash => command.args(["--norc", "-n"]),
        Shell::Zsh => command.args(["-f", "-n"]),
        Shell::Nu => unreachable!(),
        Shell::Fish => command.args(["--no-config", "--no-execute"]),
    };
    assert_silent(command.arg(file.path()), b"", what);
}

#[test]
fn every_integration_is_valid_in_its_shell() {
    let home = Sandbox::new();
    for shell in Shell::ALL {
        for (options, script) in integrations(&home, shell) {
            assert_valid(shell, &script, &options);
        }
    }
}

#[test]
fn every_bash_integration_passes_the_linters() {
    let home = Sandbox::new();
    for (options, script) in integrations(&home, Shell::Bash) {
        assert_silent(Command::new("shellcheck").args(["-s", "bash", "-"]), &script, &options);
        // The tests write tabs; these scripts are for people's shells and have the two blanks of the shell world.
        assert_silent(
            Command::new("shfmt").args(["-d", "-i", "2", "-ln", "bash"]),
            &script,
            &options,
        );
    }
}

#[test]
fn a_program_on_a_strange_path_is_quoted_into_a_valid_script() {
    let home = Sandbox::new();
    for name in ["it's", "two words", "back\\", "$(touch pwned)", "line\nbreak", "ünï", "-n"] {
        let directory = home.mkdir(name);
        let program = directory.join("backlog-aws");
        std::os::unix::fs::symlink(Sandbox::built_binary(), &program).expect("it is ours");
        for shell in Shell::ALL {
            let output =
                home.command(&program).args(["init", shell.name()]).output().expect("it starts");
            assert!(output.status.success());
            assert_valid(shell, &output.stdout, name);
            let load = match shell {
                Shell::Bash | Shell::Zsh => "eval \"$(cat)\"; printf %s \"$__backlog_aws_bin\"",
                Shell::Nu => unreachable!(),
                Shell::Fish => "cat | source; printf %s \"$__backlog_aws_bin\"",
            };
            let mut command = Command::new(shell.path());
            if shell == Shell::Fish {
                command.arg("--no-config");
            }
            let mut child = command
                .args(["-c", load])
                .env_clear()
                .envs(home.environment())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("it starts");
            child.stdin.take().expect("it is a pipe").write_all(&output.stdout).expect("it reads");
            let found = child.wait_with_output().expect("it is ours").stdout;
            assert_eq!(
                String::from_utf8_lossy(&found),
                program.to_string_lossy(),
                "{}",
                shell.name()
            );
        }
    }
}

/// Makes a file old enough for the shells to tell a change.
fn settle(path: &Path) {
    let then = SystemTime::now() - Duration::from_hours(1);
    File::options()
        .read(true)
        .open(path)
        .and_then(|file| file.set_modified(then))
        .expect("it is ours");
}

fn settle_all(home: &Sandbox) {
    for relative in [".aws/credentials", ".aws/config", ".aws", ".backlog-toolkit-env"] {
        let path = home.path(relative);
        if path.exists() {
            settle(&path);
        }
    }
    home.user_changed_files();
    // Change times cannot be set back.
    std::thread::sleep(Duration::from_millis(50));
}

#[test]
fn whatever_the_hook_prints_is_valid_in_its_shell() {
    let documented = Sandbox::documented_home();
    let expiring = Sandbox::documented_home();
    expiring.write(
        ".aws/credentials",
        format!(
            "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\naws_session_token = {}\n\
             aws_session_expiration = 2999-01-01T00:00:00Z\n",
            KEY_IDS[0], SECRETS[0], SECRETS[2]
        ),
    );
    let linked = Sandbox::documented_home();
    fs::rename(linked.path(".aws/credentials"), linked.path("it's elsewhere")).expect("it is ours");
    std::os::unix::fs::symlink(linked.path("it's elsewhere"), linked.path(".aws/credentials"))
        .expect("it is ours");
    let empty = Sandbox::new();
    for home in [&documented, &expiring, &linked, &empty] {
        settle_all(home);
        for shell in Shell::ALL {
            for precision in ["stamps", "second-stamps", "change-time", "nothing"] {
                for profile in
                    [None, Some(""), Some("bedrock"), Some("it's $(x)\n\\"), Some("a\u{1f}b")]
                {
                    let words = ["hook", shell.name(), "1.1", precision];
                    let mut run = home.invoke(words);
                    if let Some(profile) = profile {
                        run = run.env("BACKLOG_AWS_PROFILE", profile);
                    }
                    let output = run.run().expect_code(0);
                    let what = format!("{words:?} with {profile:?}");
                    assert!(!output.stdout.is_empty(), "{what}");
                    assert_valid(shell, &output.stdout, &what);
                }
            }
        }
    }
}

#[test]
fn what_use_prints_is_valid_in_its_shell() {
    let home = Sandbox::documented_home();
    for shell in Shell::ALL {
        for words in [
            &["bedrock"][..],
            &["bedrock", "--region", "eu-west-3"],
            &["--clear"],
            &["--help"],
            &["-h"],
        ] {
            let integration = ["use", "--shell", shell.name(), "--session", "1.1"];
            let output = home.run(integration.iter().chain(words)).expect_code(0);
            assert_valid(shell, &output.stdout, &format!("{words:?}"));
        }
    }
}

#[test]
fn only_our_variables_are_ever_written_to() {
    // The promise, in the text of the scripts themselves: no assignment to another tool's name.
    let home = Sandbox::documented_home();
    settle_all(&home);
    for shell in Shell::ALL {
        let mut scripts = integrations(&home, shell);
        let hook = home
            .invoke(["hook", shell.name(), "1.1", "stamps"])
            .env("AWS_PROFILE", "cc")
            .run()
            .expect_code(0);
        scripts.push(("hook".to_owned(), hook.stdout));
        for (what, script) in scripts {
            let script = String::from_utf8(script).expect("scripts are UTF-8");
            for prefix in FOREIGN_PREFIXES {
                for (at, _) in script.match_indices(prefix) {
                    let (before, name) = script.split_at(at);
                    if before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
                        continue;
                    }
                    let after =
                        name.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
                    let command =
                        before.rsplit(['\n', ';', '&', '|', '(']).next().unwrap_or_default();
                    let writes = [
                        "export",
                        "typeset",
                        "declare",
                        "local",
                        "unset",
                        "printf -v",
                        "read",
                        "set -g",
                        "set -e",
                        "set -x",
                    ];
                    let written = after.starts_with('=')
                        || writes.iter().any(|write| command.contains(write));
                    assert!(!written || command.contains('$'), "{what}: {command}{prefix}…");
                }
            }
        }
    }
}
