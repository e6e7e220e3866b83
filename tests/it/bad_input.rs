//! Bad input: a clear notice, the documented exit status, no hang, no panic, and no secret in anything that is printed.
//! The harness itself searches all output for the secrets.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::{
    KEY_IDS, Output, SECRETS, Sandbox, Session, assert_plain, run_as_a_mere_user, scenario,
    static_profile,
};

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
fn run_all(home: &Sandbox) {
    for words in COMMANDS {
        let started = Instant::now();
        assert_documented(&home.run(words), words);
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "{words:?} took {:?}",
            started.elapsed()
        );
    }
}

fn assert_documented(output: &Output, words: &[&str]) {
    assert!(matches!(output.code, Some(0 | 1)), "{words:?}: {output:?}");
    assert_plain(output.err());
    for line in output.err().lines() {
        assert!(line.starts_with("backlog-aws: "), "{words:?}: {line:?}");
        assert!(!line.chars().any(char::is_control), "{words:?}: {line:?}");
    }
    if words[0] == "hook" {
        assert_eq!(output.code, Some(0), "a prompt has no use for a failure: {output:?}");
    }
    if words.contains(&"--json") {
        assert!(output.json()["schema"].is_number());
    }
}

/// Asserts that `status` names the file and says why, in one line that contains `why`.
#[track_caller]
fn assert_status_says(home: &Sandbox, file: &Path, why: &str, code: i32) {
    let output = home.run(["status"]).expect_code(code);
    let below = file.strip_prefix(home.home()).expect("it is in the home");
    let shown = format!("~/{}", below.display());
    let named = output.err().lines().filter(|line| line.contains(&shown));
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
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo is there").success());
}

/// One file of the three that are read, and what is left to use when it is out of order.
const FILES: [(&str, i32); 3] =
    [(".aws/credentials", 1), (".aws/config", 0), (".backlog-toolkit-env", 1)];

#[test]
fn a_missing_file_is_nothing_to_speak_of() {
    for (file, _) in FILES {
        let home = Sandbox::documented_home();
        if home.path(file).exists() {
            home.remove(file);
        }
        run_all(&home);
        let code = i32::from(file == ".aws/credentials");
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
    assert!(output.err().contains("put a [bedrock] section"), "{}", output.err());
    home.run(["list"]).expect_code(1);
    home.run(["exec", "--", "/bin/true"]).expect_code(1);
}

#[test]
fn what_is_no_file_is_named_and_not_waited_for() {
    type Make = fn(&Path);
    let kinds: [(Make, &str); 3] = [
        (|path| fs::create_dir(path).expect("it is ours"), "is a directory and not a file"),
        (mkfifo, "is a FIFO and not a file"),
        (|path| symlink("/dev/zero", path).expect("it is ours"), "is a device and not a file"),
    ];
    for (file, code) in FILES {
        for (make, why) in kinds {
            let home = Sandbox::documented_home();
            if home.path(file).exists() {
                home.remove(file);
            }
            make(&home.path(file));
            home.user_changed_files();
            run_all(&home);
            assert_status_says(&home, &home.path(file), why, code);
        }
    }
    let home = Sandbox::documented_home();
    let path = home.path(".backlog-toolkit-env");
    let socket = UnixListener::bind(&path).expect("it is ours");
    run_all(&home);
    assert_status_says(&home, &path, "is a socket and not a file", 1);
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
    home.remove(".backlog-toolkit-env");
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

#[test]
fn a_file_without_permission_is_named() {
    for (file, code) in FILES {
        let home = Sandbox::documented_home();
        if !home.path(file).exists() {
            home.write(file, "BACKLOG_AWS_PROFILE=luxito\n");
        }
        fs::set_permissions(home.path(file), fs::Permissions::from_mode(0o0)).expect("it is ours");
        for words in COMMANDS {
            assert_documented(&run_as_a_mere_user(&home, "", words), words);
        }
        let output = run_as_a_mere_user(&home, "", &["status"]).expect_code(code);
        let notice = format!(
            "backlog-aws: ~/{file} cannot be read: permission denied; `chmod u+r ~/{file}`\n",
        );
        assert!(output.err().contains(&notice), "{}", output.err());
    }
}

#[test]
fn a_directory_without_permission_is_named() {
    let home = Sandbox::documented_home();
    // Takes effect for the copy that is given away, too.
    run_as_a_mere_user(&home, "", &["status"]).expect_code(0);
    fs::set_permissions(home.path(".aws"), fs::Permissions::from_mode(0o0)).expect("it is ours");
    for words in COMMANDS {
        assert_documented(&run_as_a_mere_user(&home, "", words), words);
    }
    let output = run_as_a_mere_user(&home, "", &["status"]).expect_code(1);
    assert!(output.err().contains("cannot be read: permission denied"), "{}", output.err());
    fs::set_permissions(home.path(".aws"), fs::Permissions::from_mode(0o700)).expect("it is ours");
}

#[test]
fn in_a_working_directory_that_is_gone_only_a_named_profile_is_used() {
    let home = Sandbox::documented_home();
    let run = |words: &[&str]| {
        let gone = home.mkdir("gone");
        home.invoke(words).cwd(gone).script("rmdir \"$PWD\"; exec \"$@\"").run()
    };
    for words in COMMANDS {
        assert_documented(&run(words), words);
    }
    for words in [&["status"][..], &["exec", "--", "/bin/echo", "ran"], &["credentials"]] {
        let refused = run(words).expect_code(1);
        assert!(refused.err().contains("the working directory was deleted"), "{}", refused.err());
        assert!(!refused.out().contains("ran"), "{}", refused.out());
    }
    let named = run(&["exec", "--profile", "bedrock", "--", "/bin/echo", "ran"]).expect_code(0);
    assert_eq!(named.out(), "ran\n");
    run(&["list"]).expect_code(0);
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

#[test]
fn binary_junk_hides_no_profile() {
    let home = Sandbox::documented_home();
    let junk: Vec<u8> = (0..=255_u8).cycle().take(5000).collect();
    for (before, after) in [(&b""[..], &junk[..]), (&junk[..], &b""[..])] {
        let mut bytes = before.to_vec();
        bytes.extend_from_slice(b"\n");
        bytes.extend_from_slice(static_profile("bedrock", "eu-west-1").as_bytes());
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
fn an_aws_file_over_the_limit_is_named() {
    let home = Sandbox::documented_home();
    let path = home.write_private(
        ".aws/credentials",
        crate::harness::static_profile("bedrock", "eu-west-1") + &"#\n".repeat(9 << 20),
    );
    assert_status_says(&home, &path, "is larger than 16777216 bytes", 1);
}

#[test]
fn windows_line_ends_change_nothing() {
    let home = Sandbox::documented_home();
    let credentials = fs::read_to_string(home.path(".aws/credentials")).expect("it is there");
    home.write(".aws/credentials", credentials.replace('\n', "\r\n"));
    home.write(".backlog-toolkit-env", "export BACKLOG_AWS_PROFILE='bedrock'\r\n");
    run_all(&home);
    let output = home.run(["status"]).expect_code(0);
    assert!(output.out().starts_with("bedrock  (toolkit-env)"), "{}", output.out());
    assert!(output.out().contains("eu-west-1 (profile)"), "{}", output.out());
    assert!(!output.err().contains("invalid"), "{}", output.err());
    assert!(home.run(["doctor"]).out().contains("a plain start of the toolkit"), "bash sees them");
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
    assert!(output.out().starts_with("luxito  (toolkit-env)"), "{}", output.out());
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
            assert!(output.err().contains("has only half of a key pair"), "{}", output.err());
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
    home.write(
        ".aws/credentials",
        format!("{}{}\n[open\nx = y\n", static_profile("bedrock", "eu-west-1"), SECRETS[1]),
    );
    let output = home.run(["status"]).expect_code(0);
    for line in [5, 6] {
        assert!(output.err().contains(&format!("(~/.aws/credentials:{line})")), "{}", output.err());
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
        "can be read by others (mode 644); `chmod 600 ",
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
    assert_status_says(&home, &path, "needs a shell to read it", 1);
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
        home.write_private(".aws/credentials", &good);
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
