//! Bad input: a clear notice, the documented exit status, no hang, no panic, and no secret in anything that is printed.
//! The harness itself searches all output for the secrets.

use std::ffi::{CString, OsStr};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::{KEY_IDS, Output, SECRETS, Sandbox, Session, scenario};

/// Every command that reads the files, in a form that does not depend on a terminal.
const COMMANDS: [&[&str]; 10] = [
    &["status"],
    &["status", "--json"],
    &["list"],
    &["list", "--json"],
    &["list", "--names", "--usable"],
    &["exec", "--dry-run"],
    &["exec", "--profile", "bedrock", "--", "/bin/echo", "ran"],
    &["hook", "bash", "1.1", "stamps"],
    &["hook", "fish", "1.1", "stamps", "another-protocol"],
    &["use", "bedrock", "--shell", "zsh", "--session", "1.1"],
];

/// Runs every command and asserts what must hold whatever the files are like.
fn run_all(home: &Sandbox) -> Vec<Output> {
    COMMANDS
        .iter()
        .map(|words| {
            let started = Instant::now();
            let output = home.run(*words);
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "{words:?} took {:?}",
                started.elapsed()
            );
            assert_documented(&output, words);
            output
        })
        .collect()
}

fn assert_documented(output: &Output, words: &[&str]) {
    assert!(matches!(output.code, Some(0 | 1)), "{words:?}: {output:?}");
    assert!(!output.err().contains("panicked"), "{words:?}: {}", output.err());
    for line in output.err().lines() {
        assert!(line.starts_with("backlog-aws: "), "{words:?}: {line:?}");
        assert!(!line.chars().any(char::is_control), "{words:?}: {line:?}");
    }
    if words[0] == "hook" {
        assert_eq!(output.code, Some(0), "a prompt has no use for a failure: {output:?}");
    }
    if words.contains(&"--json") {
        assert_eq!(output.json()["schema"], 1);
    }
}

/// Asserts that `status` names the file and says why, in one line that contains `why`.
#[track_caller]
fn assert_status_says(home: &Sandbox, file: &Path, why: &str, code: i32) {
    let output = home.run(["status"]).expect_code(code);
    let named = output.err().lines().filter(|line| line.contains(&*file.to_string_lossy()));
    assert!(
        named.clone().any(|line| line.contains(why)),
        "nothing says {why:?} of {}:\n{}",
        file.display(),
        output.err()
    );
    let json = home.run(["status", "--json"]).json();
    let notices = json["notices"].as_array().expect("it is a list").clone();
    assert!(
        notices.iter().any(|notice| {
            let remedy = notice["remedy"].as_str().unwrap_or_default();
            format!("{}; {remedy}", notice["message"].as_str().unwrap_or_default()).contains(why)
        }),
        "{json}"
    );
}

fn mkfifo(path: &Path) {
    let path = CString::new(path.as_os_str().as_bytes()).expect("no NUL in it");
    let status = Command::new("mkfifo").arg(OsStr::from_bytes(path.as_bytes())).status();
    assert!(status.expect("mkfifo is there").success());
}

/// One file of the three that are read, and what is left to use when it is out of order.
const FILES: [(&str, i32); 3] =
    [(".aws/credentials", 1), (".aws/config", 0), (".backlog-toolkit-env", 0)];

#[test]
fn a_missing_file_is_nothing_to_speak_of() {
    for (file, code) in FILES {
        let home = Sandbox::documented_home();
        if home.path(file).exists() {
            home.remove(file);
        }
        run_all(&home);
        let output = home.run(["status"]).expect_code(code);
        assert!(!output.err().contains("cannot be read"), "{}", output.err());
    }
    let home = Sandbox::new();
    run_all(&home);
    let output = home.run(["status"]).expect_code(1);
    assert!(
        output.err().contains("No AWS profiles with static credentials found in "),
        "{}",
        output.err()
    );
    assert!(output.err().contains("aws configure"), "{}", output.err());
    home.run(["list"]).expect_code(1);
    home.run(["exec", "--", "/bin/true"]).expect_code(1);
}

#[test]
fn a_directory_in_a_files_place_is_named() {
    for (file, code) in FILES {
        let home = Sandbox::documented_home();
        if home.path(file).exists() {
            home.remove(file);
        }
        let path = home.mkdir(file);
        run_all(&home);
        assert_status_says(&home, &path, "is a directory and not a file", code);
    }
}

#[test]
fn a_fifo_in_a_files_place_is_named_and_not_waited_for() {
    for (file, code) in FILES {
        let home = Sandbox::documented_home();
        if home.path(file).exists() {
            home.remove(file);
        }
        mkfifo(&home.path(file));
        home.user_changed_files();
        run_all(&home);
        assert_status_says(&home, &home.path(file), "is a FIFO and not a file", code);
    }
}

#[test]
fn a_device_and_a_socket_are_named() {
    let home = Sandbox::documented_home();
    home.remove(".aws/credentials");
    symlink("/dev/zero", home.path(".aws/credentials")).expect("it is ours");
    let socket = std::os::unix::net::UnixListener::bind(home.path(".backlog-toolkit-env"))
        .expect("it is ours");
    home.user_changed_files();
    run_all(&home);
    assert_status_says(&home, &home.path(".aws/credentials"), "is a device and not a file", 1);
    assert_status_says(&home, &home.path(".backlog-toolkit-env"), "cannot be read", 1);
    drop(socket);
}

#[test]
fn links_that_lead_nowhere_or_in_circles_are_told_apart() {
    let home = Sandbox::documented_home();
    home.remove(".aws/credentials");
    symlink("nowhere", home.path(".aws/credentials")).expect("it is ours");
    symlink(".backlog-toolkit-env", home.path(".backlog-toolkit-env")).expect("it is ours");
    home.user_changed_files();
    run_all(&home);
    assert_status_says(
        &home,
        &home.path(".backlog-toolkit-env"),
        "cannot be read: too many levels of symbolic links",
        1,
    );
    let output = home.run(["status"]);
    assert!(
        output.err().contains("No AWS profiles with static credentials found"),
        "{}",
        output.err()
    );
}

#[test]
fn a_file_where_the_directory_should_be_holds_no_profiles() {
    let home = Sandbox::new();
    home.write(".aws", "not a directory");
    run_all(&home);
    home.run(["status"]).expect_code(1);
}

/// Runs the binary as somebody whom permissions bind: as `nobody` when the tests run as root, otherwise as ourselves.
fn run_as_a_mere_user(home: &Sandbox, words: &[&str]) -> Output {
    const NOBODY: u32 = 65534;
    let root = home.home().parent().expect("the sandbox has one").to_owned();
    let mut command;
    if fs::metadata("/proc/self").or_else(|_| fs::metadata(&root)).expect("it is there").uid() == 0
    {
        let binary = root.join("backlog-aws");
        if !binary.exists() {
            // The build directory may be out of bounds for others. Not `fs::copy`: a child that another test starts
            // at that moment would hold the copy open for writing, and nobody can run a file like that.
            let copied = Command::new("cp").arg(Sandbox::built_binary()).arg(&binary).status();
            assert!(copied.expect("cp is there").success());
            give_away(&root, NOBODY);
        }
        command = Command::new(binary);
        command.uid(NOBODY).gid(NOBODY);
    } else {
        command = Command::new(Sandbox::built_binary());
    }
    let output = command
        .args(words)
        .env_clear()
        .envs(home.environment())
        .current_dir(home.home())
        .stdin(Stdio::null())
        .output()
        .expect("it starts");
    let output =
        Output { code: output.status.code(), stdout: output.stdout, stderr: output.stderr };
    for secret in SECRETS {
        assert!(!output.out().contains(secret) && !output.err().contains(secret), "{output:?}");
    }
    output
}

fn give_away(path: &Path, owner: u32) {
    std::os::unix::fs::lchown(path, Some(owner), Some(owner)).expect("root may");
    if path.is_dir() && !path.is_symlink() {
        for entry in fs::read_dir(path).expect("root may") {
            give_away(&entry.expect("root may").path(), owner);
        }
    }
}

#[test]
fn a_file_without_permission_is_named() {
    for (file, code) in FILES {
        let home = Sandbox::documented_home();
        if !home.path(file).exists() {
            home.write(file, "BACKLOG_AWS_PROFILE=luxito\n");
        }
        fs::set_permissions(home.path(file), fs::Permissions::from_mode(0o0)).expect("it is ours");
        for words in COMMANDS {
            assert_documented(&run_as_a_mere_user(&home, words), words);
        }
        let output = run_as_a_mere_user(&home, &["status"]).expect_code(code);
        let notice = format!(
            "backlog-aws: {} cannot be read: permission denied; ",
            home.path(file).display()
        );
        assert!(output.err().contains(&notice), "{}", output.err());
    }
}

#[test]
fn a_directory_without_permission_is_named() {
    let home = Sandbox::documented_home();
    // Takes effect for the copy that is given away, too.
    run_as_a_mere_user(&home, &["status"]).expect_code(0);
    fs::set_permissions(home.path(".aws"), fs::Permissions::from_mode(0o0)).expect("it is ours");
    for words in COMMANDS {
        assert_documented(&run_as_a_mere_user(&home, words), words);
    }
    let output = run_as_a_mere_user(&home, &["status"]).expect_code(1);
    assert!(output.err().contains("cannot be read: permission denied"), "{}", output.err());
    fs::set_permissions(home.path(".aws"), fs::Permissions::from_mode(0o700)).expect("it is ours");
}

#[test]
fn a_working_directory_that_is_gone_is_no_obstacle() {
    let home = Sandbox::documented_home();
    let gone = home.mkdir("gone");
    for words in COMMANDS {
        fs::create_dir_all(&gone).expect("it is ours");
        let script = "rmdir \"$PWD\"; exec \"$0\" \"$@\"";
        let output = Command::new("/bin/sh")
            .args(["-c", script])
            .arg(Sandbox::built_binary())
            .args(words)
            .env_clear()
            .envs(home.environment())
            .current_dir(&gone)
            .stdin(Stdio::null())
            .output()
            .expect("it starts");
        let output =
            Output { code: output.status.code(), stdout: output.stdout, stderr: output.stderr };
        assert_documented(&output, words);
        assert_eq!(output.code, Some(0), "{words:?}: {output:?}");
    }
}

#[test]
fn a_home_that_is_missing_relative_or_empty_is_no_obstacle() {
    let home = Sandbox::documented_home();
    for value in ["", "relative", "/nowhere/at/all", "/dev/null"] {
        for words in COMMANDS {
            let output = home.invoke(words).env("HOME", value).cwd("/").run();
            assert_documented(&output, words);
        }
    }
}

fn bedrock() -> String {
    format!(
        "[bedrock]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        KEY_IDS[0], SECRETS[0]
    )
}

#[test]
fn binary_junk_hides_no_profile() {
    let home = Sandbox::documented_home();
    let junk: Vec<u8> = (0..=255_u8).cycle().take(5000).collect();
    for (before, after) in [(&b""[..], &junk[..]), (&junk[..], &b""[..])] {
        let mut bytes = before.to_vec();
        bytes.extend_from_slice(b"\n");
        bytes.extend_from_slice(bedrock().as_bytes());
        bytes.extend_from_slice(after);
        for file in [".aws/credentials", ".aws/config", ".backlog-toolkit-env"] {
            home.write(file, &bytes);
        }
        run_all(&home);
        let output = home.run(["status"]).expect_code(0);
        assert!(output.out().starts_with("bedrock"), "{}", output.out());
        let lines = output.err().lines().count();
        assert!((1..=12).contains(&lines), "{lines} lines are too many:\n{}", output.err());
    }
}

#[test]
fn a_hundred_megabytes_are_read_without_ado() {
    // One line of a hundred, and for the sake of the unoptimized build under test ten of many short ones.
    for (file, begin, repeated, megabytes) in [
        (".aws/credentials", format!("{}note = ", bedrock()), "x", 100),
        (".aws/config", String::new(), "[profile p]\n  region = x\n", 10),
        (".aws/config", String::new(), "no property\n", 10),
        // A long value with many continuations.
        (".aws/credentials", format!("{}note = {}\n", bedrock(), "#".repeat(500_000)), " x\n", 1),
    ] {
        let home = Sandbox::documented_home();
        let contents = begin + &repeated.repeat((megabytes << 20) / repeated.len());
        fs::write(home.path(file), contents).expect("there is room");
        home.user_changed_files();
        let started = Instant::now();
        let output = home.run(["status"]).expect_code(0);
        assert_documented(&output, &["status"]);
        assert!(started.elapsed() < Duration::from_mins(1), "{file}: {:?}", started.elapsed());
    }
}

#[test]
fn a_toolkit_file_of_more_than_a_megabyte_is_named() {
    let home = Sandbox::documented_home();
    let path = home.write(".backlog-toolkit-env", "A=\\\n".repeat(300_000));
    assert_status_says(&home, &path, "is larger than 1048576 bytes", 0);
    home.write(".backlog-toolkit-env", "A=\\\n".repeat(200_000) + "AWS_REGION=eu-north-1\n");
    let started = Instant::now();
    run_all(&home);
    assert!(started.elapsed() < Duration::from_mins(1), "{:?}", started.elapsed());
}

#[test]
fn windows_line_ends_change_nothing() {
    let home = Sandbox::documented_home();
    let credentials = fs::read_to_string(home.path(".aws/credentials")).expect("it is there");
    home.write(".aws/credentials", credentials.replace('\n', "\r\n"));
    home.write(".backlog-toolkit-env", "export BACKLOG_AWS_PROFILE='bedrock'\r\n");
    run_all(&home);
    let output = home.run(["status"]).expect_code(0);
    assert!(output.out().starts_with("bedrock  (toolkit-env, "), "{}", output.out());
    assert!(output.out().contains("eu-west-1 (profile)"), "{}", output.out());
    assert_eq!(output.err(), "");
    let child = home
        .invoke([
            "exec",
            "--",
            "/bin/sh",
            "-c",
            "printf '<%s><%s>' \"$AWS_SECRET_ACCESS_KEY\" \"$AWS_REGION\"",
        ])
        .allowing_secrets()
        .run()
        .expect_code(0);
    assert_eq!(child.out(), format!("<{}><eu-west-1>", SECRETS[0]));
}

#[test]
fn a_byte_order_mark_is_named_and_costs_no_profile() {
    let home = Sandbox::documented_home();
    for file in [".aws/credentials", ".aws/config"] {
        let mut bytes = "\u{feff}".as_bytes().to_vec();
        bytes.extend(fs::read(home.path(file)).expect("it is there"));
        home.write(file, bytes);
    }
    home.write(".backlog-toolkit-env", "\u{feff}BACKLOG_AWS_PROFILE=luxito\n");
    run_all(&home);
    let output = home.run(["status"]).expect_code(0);
    assert!(output.out().starts_with("luxito  (toolkit-env, "), "{}", output.out());
    assert_eq!(output.err().matches("byte order mark").count(), 2, "{}", output.err());
    assert!(output.err().contains("credentials:1)"), "{}", output.err());
}

#[test]
fn half_a_key_pair_is_named_for_what_it_is() {
    let home = Sandbox::new();
    for half in [
        format!("aws_access_key_id = {}", KEY_IDS[0]),
        format!("aws_secret_access_key = {}", SECRETS[0]),
    ] {
        home.write(".aws/credentials", format!("[half]\n{half}\n"));
        run_all(&home);
        for variable in ["BACKLOG_AWS_PROFILE", "AWS_PROFILE"] {
            let output = home.invoke(["status"]).env(variable, "half").run().expect_code(1);
            assert!(
                output.err().contains("Profile 'half' has no static credentials: "),
                "{}",
                output.err()
            );
            assert!(output.err().contains("has only one half of a key pair"), "{}", output.err());
        }
        let list = home.run(["list", "--json"]).json();
        assert_eq!(list["profiles"][0]["kind"], "partial");
    }
}

#[test]
fn duplicate_sections_merge_and_the_last_value_wins() {
    let home = Sandbox::new();
    home.write(
        ".aws/credentials",
        format!(
            "[bedrock]\naws_access_key_id = {}\nregion = us-west-2\n[other]\n[bedrock]\naws_secret_access_key = {}\nregion = eu-west-1\n",
            KEY_IDS[0], SECRETS[0]
        ),
    );
    run_all(&home);
    let output = home.run(["status"]).expect_code(0);
    assert!(output.out().contains("eu-west-1 (profile)"), "{}", output.out());
}

#[test]
fn a_bad_line_is_named_with_its_place_and_never_quoted() {
    let home = Sandbox::documented_home();
    let path =
        home.write(".aws/credentials", format!("{}{}\n[open\nx = y\n", bedrock(), SECRETS[1]));
    let output = home.run(["status"]).expect_code(0);
    for line in [4, 5] {
        assert!(output.err().contains(&format!("({}:{line})", path.display())), "{}", output.err());
    }
    run_all(&home);
}

#[test]
fn a_credentials_file_that_others_can_read_is_named() {
    let home = Sandbox::documented_home();
    fs::set_permissions(home.path(".aws/credentials"), fs::Permissions::from_mode(0o644))
        .expect("it is ours");
    home.user_changed_files();
    assert_status_says(
        &home,
        &home.path(".aws/credentials"),
        "can be read by others (mode 644); run `chmod 600 ",
        0,
    );
}

#[test]
fn a_value_that_needs_a_shell_is_named_and_not_run() {
    let home = Sandbox::documented_home();
    let path = home.write(
        ".backlog-toolkit-env",
        "export BACKLOG_AWS_PROFILE=$(touch ~/pwned; echo bedrock)\n",
    );
    assert_status_says(&home, &path, "needs a shell to expand it and is not used", 0);
    run_all(&home);
    assert!(!home.path("pwned").exists());
}

#[test]
fn names_that_could_fool_a_terminal_are_made_visible() {
    let home = Sandbox::documented_home();
    for name in ["\u{1b}[31mred", "bed\u{202e}kcor", "line\nbreak", "\u{9b}31m"] {
        for words in COMMANDS {
            for variable in ["BACKLOG_AWS_PROFILE", "AWS_PROFILE", "BACKLOG_AWS_REGION"] {
                let output = home.invoke(words).env(variable, name).run();
                assert_documented(&output, words);
                if words[0] == "status" && !words.contains(&"--json") {
                    assert!(
                        !output.out().replace('\n', "").chars().any(char::is_control),
                        "{}",
                        output.out()
                    );
                    assert!(
                        !output.out().contains('\u{202e}') && !output.err().contains('\u{202e}')
                    );
                }
            }
        }
    }
}

scenario! {
    fn a_session_lives_through_files_that_go_bad_and_good_again(shell) {
        let home = Sandbox::documented_home();
        let mut session = Session::builder(&home, shell).size(40, 400).spawn();
        let good = fs::read(home.path(".aws/credentials")).expect("it is there");
        home.remove(".aws/credentials");
        mkfifo(&home.path(".aws/credentials"));
        home.user_changed_files();
        let turn = session.line("");
        assert!(turn.text.contains("is a FIFO and not a file"), "{}", turn.text);
        assert_eq!(session.line("").text, "", "said once");
        assert_eq!(session.var("BACKLOG_AWS_PROFILE"), None);
        home.remove(".aws/credentials");
        home.write(".aws/credentials", &good);
        fs::set_permissions(home.path(".aws/credentials"), fs::Permissions::from_mode(0o600)).expect("it is ours");
        home.user_changed_files();
        session.line("");
        assert_eq!(session.var("BACKLOG_AWS_PROFILE").as_deref(), Some(OsStr::new("luxito")));
        let mut junk = good.clone();
        junk.extend((0..=255_u8).cycle().take(3000));
        home.write(".aws/credentials", &junk);
        session.line("");
        assert_eq!(session.line("").text, "", "said once");
        assert_eq!(session.var("BACKLOG_AWS_PROFILE").as_deref(), Some(OsStr::new("luxito")));
    }
}
