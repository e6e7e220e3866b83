//! What the kernel may do to a system call, and how many of them are made. strace must be installed, like the shells.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::harness::{Output, Sandbox, Shell, assert_plain, files_below};

/// Runs the binary in a directory of the home with a failure that strace puts into its system calls.
#[track_caller]
fn with_fault(home: &Sandbox, directory: &str, fault: &[&str], words: &[&str]) -> Output {
    let mut command = home.strace(&["-f"], Path::new("/dev/null"));
    command.args(fault).arg(Sandbox::built_binary()).args(words).current_dir(home.path(directory));
    command.output().expect("strace starts").into()
}

#[test]
fn interrupted_system_calls_are_made_again() {
    let home = Sandbox::with_override();
    for words in [&["status", "--json"][..], &["list"], &["hook", "bash", "1.1", "directory"]] {
        let whole = home.invoke(words).cwd(home.path("acme")).run();
        // Every other one, the first included, and only on our own files: the loader gives up on an interrupted read.
        for file in [".aws/credentials", ".aws/config", "acme/.backlog-aws"] {
            let file = home.path(file);
            let file = file.to_str().expect("a path in UTF-8");
            let fault = ["-P", file, "-e", "inject=read,openat:error=EINTR:when=1+2"];
            let output = with_fault(&home, "acme", &fault, words).expect_code(0);
            assert_eq!(output.stdout, whole.stdout, "{words:?} {file}");
            assert_eq!(output.stderr, whole.stderr, "{words:?} {file}");
        }
        let fault = ["-e", "inject=write:error=EINTR:when=1+2"];
        let output = with_fault(&home, "acme", &fault, words).expect_code(0);
        assert_eq!(output.stdout, whole.stdout, "{words:?}");
    }
}

#[test]
fn a_disk_that_fails_at_the_last_moment_leaves_everything_as_it_was() {
    let home = Sandbox::with_override();
    let before: Vec<_> = files_below(&home.home());
    let content = |path: &str| fs::read(home.path(path)).expect("it is there");
    for (calls, error) in [
        ("fsync", "EIO"),
        ("fsync", "EDQUOT"),
        ("rename,renameat,renameat2", "EIO"),
        ("rename,renameat,renameat2", "ENOSPC"),
    ] {
        let inject = format!("inject={calls}:error={error}");
        for words in [&["allow", "--under", "."][..], &["deny"], &["local", "luxito"]] {
            let output = with_fault(&home, "acme", &["-e", &inject], words).expect_code(1);
            assert_plain(output.err());
            assert_eq!(output.err().lines().count(), 1, "{}", output.err());
            assert!(output.err().contains("nothing was changed"), "{}", output.err());
            assert_eq!(files_below(&home.home()), before, "{inject} {words:?}: something is left");
            assert_eq!(content("acme/.backlog-aws"), b"profile = bedrock\n");
        }
    }
    let status = home.invoke(["status", "--json"]).cwd(home.path("acme")).run();
    assert_eq!(status.json()["source"], "directory");
}

/// Where each look at a file costs a round trip, this is what an unchanged prompt costs: one look per level for the
/// override, and a handful for the files of AWS and the toolkit, their directories and stamps.
#[test]
fn an_unchanged_prompt_looks_at_each_file_a_bounded_number_of_times() {
    const PROMPTS: usize = 20;
    let home = Sandbox::with_override();
    // Old enough not to be looked at again for being new.
    std::thread::sleep(Duration::from_millis(60));
    for shell in Shell::ALL {
        for levels in [0, 6] {
            let mut directory = home.path("plain");
            for level in 0..levels {
                directory.push(level.to_string());
            }
            fs::create_dir_all(&directory).expect("the home is writable");
            let count = |prompts: usize| {
                let prompt = format!("{}\n", shell.prompt());
                let script = format!(
                    "{}\n{}{}",
                    shell.integration_line(""),
                    prompt.repeat(2),
                    prompt.repeat(prompts)
                );
                let log = home.path("trace");
                let status = home
                    .strace(&["-e", "trace=%file,%process"], &log)
                    .arg(shell.path())
                    .args(shell.script_flags())
                    .args(["-c", &script])
                    .env("BACKLOG_AWS_QUIET", "1")
                    .current_dir(&directory)
                    .stderr(Stdio::null())
                    .status()
                    .expect("strace starts");
                assert!(status.success());
                fs::read_to_string(&log).expect("it was written").lines().count()
            };
            count(1);
            let per_prompt = (count(PROMPTS) - count(0)).div_ceil(PROMPTS);
            let depth = directory.canonicalize().expect("it is there").ancestors().count();
            assert!(
                per_prompt <= depth + 20,
                "{}: {per_prompt} looks at a prompt on level {depth}",
                shell.name()
            );
        }
    }
}
