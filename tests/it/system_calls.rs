//! What the kernel may do to a system call, and how many of them are made. strace must be installed, like the shells.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::harness::{Output, Sandbox, Shell, assert_plain, files_below};

/// The program keeps its memory from others of its user, so that strace could not read the paths in its calls unless
/// it is root's: the call that asks for it is left out.
const READABLE: [&str; 3] = ["-f", "-e", "inject=prctl:retval=0"];

/// Runs the binary in a directory of the home with a failure that strace puts into its system calls.
#[track_caller]
fn with_fault(home: &Sandbox, directory: &str, fault: &[&str], words: &[&str]) -> Output {
    let log = home.home().with_file_name("faults");
    let mut command = home.strace(&READABLE, &log);
    command.args(fault).arg(Sandbox::built_binary()).args(words).current_dir(home.path(directory));
    let output = command.output().expect("strace starts");
    let log = fs::read_to_string(log).expect("it was written");
    let failed = |line: &str| line.contains("= -1 ") && line.ends_with("(INJECTED)");
    assert!(log.lines().any(failed), "{fault:?} had no effect on {words:?}");
    output.into()
}

#[test]
fn interrupted_system_calls_are_made_again() {
    let home = Sandbox::with_override();
    for words in [&["status", "--json"][..], &["list"], &["hook", "bash", "1.1", "nothing"]] {
        let whole = home.invoke(words).cwd(home.path("acme")).run();
        let calls = system_calls(&home, &home.path("acme"), words);
        for file in ["home/.aws/credentials", "home/.aws/config", "acme/.backlog-aws"] {
            // The call with that file, counted among its like.
            let number = |name: &str| {
                let mut like = calls.iter().filter(|call| call.contains(&format!(" {name}(")));
                1 + like.position(|call| call.contains(file)).expect("the file is read")
            };
            let fault = |name: &str| format!("inject={name}:error=EINTR:when={}", number(name));
            let fault = ["-e", &fault("openat"), "-e", &fault("read")];
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
            // In deep directories the walk up begins anew once, in bash's __backlog_aws_rest.
            assert!(
                per_prompt <= 2 * depth + 20,
                "{}: {per_prompt} looks at a prompt on level {depth}",
                shell.name()
            );
        }
    }
}

/// System calls of one run in `directory`, one a line.
fn system_calls(home: &Sandbox, directory: &Path, words: &[&str]) -> Vec<String> {
    let log = home.path("trace");
    let mut command = home.strace(&READABLE, &log);
    command.arg("-y").arg(Sandbox::built_binary()).args(words).current_dir(directory);
    assert!(command.output().expect("strace starts").status.success());
    fs::read_to_string(log).expect("it was written").lines().map(str::to_owned).collect()
}

#[test]
fn depth_and_crowded_directories_cost_no_more_than_the_walk() {
    const DEPTH: usize = 200;
    // Of this precision, because the others keep stamps, and how many depends on how old the files are just now.
    const HOOK: [&str; 4] = ["hook", "bash", "1.1", "nothing"];
    let home = Sandbox::documented_home();
    let mut deep = home.home();
    for level in 0..DEPTH {
        deep.push(format!("{level:03}"));
    }
    fs::create_dir_all(&deep).unwrap();
    let shallow = system_calls(&home, &home.home(), &HOOK);
    let calls = system_calls(&home, &deep, &HOOK);
    let extra = calls.len() - shallow.len();
    assert!(extra <= DEPTH + 10, "{extra} calls more for {DEPTH} levels");
    let opens = calls.iter().filter(|call| call.contains(".backlog-aws\"")).count();
    let levels = deep.canonicalize().unwrap().ancestors().count();
    assert_eq!(opens, levels, "one per level");

    // The worst a repository can do: a file on each level that nobody has allowed.
    let mut directory = home.home();
    for level in 0..DEPTH {
        directory.push(format!("{level:03}"));
        fs::write(directory.join(".backlog-aws"), "profile = bedrock\n").unwrap();
    }
    home.invoke(["allow", "--under", "."]).cwd(home.mkdir("elsewhere")).run().expect_code(0);
    let hostile = system_calls(&home, &deep, &HOOK);
    let asked = hostile.iter().filter(|call| call.contains("/trust/")).count();
    assert!(asked <= 2 * levels, "{asked} questions to the trust store on {levels} levels");

    // A crowded directory, and a crowded store: nobody lists either.
    // Links, because entries are what makes a directory large, and a file of its own for each takes long to make.
    let file = home.write("elsewhere/file", "");
    for number in 0..20_000 {
        fs::hard_link(&file, home.path(format!("elsewhere/{number}"))).unwrap();
    }
    let crowded = system_calls(&home, &home.path("elsewhere"), &HOOK);
    let empty = system_calls(&home, &home.mkdir("empty"), &HOOK);
    assert!(
        crowded.len() <= empty.len() + 10,
        "{} calls, and {} in an empty one",
        crowded.len(),
        empty.len()
    );
    for calls in [&calls, &hostile, &crowded] {
        let listed = calls.iter().find(|call| call.contains("getdents"));
        assert_eq!(listed, None, "a directory was listed");
    }
}

#[test]
fn what_is_hashed_is_what_is_parsed_because_the_file_is_opened_once() {
    let home = Sandbox::documented_home();
    let file = home.write("acme/.backlog-aws", "profile = bedrock\n");
    for words in [&["allow"][..], &["hook", "bash", "1.1", "stamps"], &["status"]] {
        let calls = system_calls(&home, file.parent().unwrap(), words);
        let needle = "acme/.backlog-aws\"";
        let opens =
            calls.iter().filter(|call| call.contains("open") && call.contains(needle)).count();
        // `allow` finds it by the look that every command takes, and reads it once more: that second content is what it
        // shows, parses and hashes.
        assert_eq!(opens, if words == ["allow"] { 3 } else { 1 }, "{words:?}: {calls:#?}");
    }
}
