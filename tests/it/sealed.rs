//! `exec --sealed`: no keys in the environment, and a configuration that has one identity only.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{KEY_IDS, Output, SECRETS, Sandbox, files_below, static_profile};

/// Runs a script under `exec --sealed`.
#[track_caller]
fn sealed(home: &Sandbox, options: &[&str], script: &str) -> Output {
    let words = [&["exec", "--sealed"], options, &["sh", "-c", script]].concat();
    home.invoke(words).env("AWS_PROFILE", "cc").env("AWS_ACCESS_KEY_ID", "left").run()
}

/// The file that the command got.
#[track_caller]
fn file_of(home: &Sandbox, options: &[&str]) -> PathBuf {
    sealed(home, options, "printf %s \"$AWS_CONFIG_FILE\"").expect_code(0).out().into()
}

/// The commands of a configuration, by section.
fn commands(file: &Path) -> Vec<(String, String)> {
    let text = fs::read_to_string(file).expect("it is there");
    let mut section = String::new();
    let mut found = Vec::new();
    for line in text.lines() {
        if line.starts_with('[') {
            line.clone_into(&mut section);
        } else if let Some(command) = line.strip_prefix("credential_process = ") {
            found.push((section.clone(), command.to_owned()));
        }
    }
    found
}

/// What a client gets that hands the command to `sh`, in an environment of its own.
fn asked(home: &Sandbox, command: &str) -> std::process::Output {
    home.command("/bin/sh").args(["-c", command]).current_dir("/").output().expect("there is a sh")
}

#[test]
fn the_command_gets_a_name_a_region_and_no_keys() {
    let home = Sandbox::documented_home();
    let script = "env | LC_ALL=C sort | sed -n '/^_*\\(BACKLOG_\\)\\{0,1\\}AWS_/p'";
    let seen = sealed(&home, &["--profile", "bedrock"], script).expect_code(0);
    let file = file_of(&home, &["--profile", "bedrock"]);
    let aws = home.path(".aws");
    let expected = format!(
        "AWS_CONFIG_FILE={}\nAWS_DEFAULT_REGION=eu-west-1\nAWS_EC2_METADATA_DISABLED=true\nAWS_PROFILE=bedrock\n\
         AWS_REGION=eu-west-1\nAWS_REGION_NAME=eu-west-1\nAWS_SHARED_CREDENTIALS_FILE=/dev/null\n\
         BACKLOG_AWS_PROFILE=bedrock\nBACKLOG_AWS_REGION=eu-west-1\nBACKLOG_AWS_SOURCE=pin\n\
         __BACKLOG_AWS_CONFIG_FILE={aws}/config\n__BACKLOG_AWS_CREDENTIALS_FILE={aws}/credentials\n",
        file.display(),
        aws = aws.display()
    );
    assert_eq!(seen.out(), expected);
    let unnamed = sealed(&home, &["--profile", "bedrock", "--no-profile"], script).expect_code(0);
    assert_eq!(unnamed.out(), expected.replace("AWS_PROFILE=bedrock\nAWS_REGION", "AWS_REGION"));
    let dry =
        home.invoke(["exec", "--sealed", "--profile", "luxito", "--dry-run"]).run().expect_code(0);
    assert!(dry.out().contains("set     AWS_CONFIG_FILE="), "{}", dry.out());
    assert_eq!(files_below(file.parent().unwrap()), [file], "a dry run writes nothing");
}

#[test]
fn default_and_the_profile_ask_for_the_same_keys() {
    let home = Sandbox::documented_home();
    let file = file_of(&home, &["--profile", "bedrock", "--region", "eu-north-1"]);
    let text = fs::read_to_string(&file).unwrap();
    for secret in SECRETS {
        assert!(!text.contains(secret), "{text}");
    }
    assert_eq!(text.matches("region = eu-north-1\n").count(), 2, "{text}");
    let found = commands(&file);
    let sections: Vec<&str> = found.iter().map(|(section, _)| section.as_str()).collect();
    assert_eq!(sections, ["[default]", "[profile bedrock]"]);
    for (section, command) in found {
        let answer = asked(&home, &command);
        let answer: serde_json::Value = serde_json::from_slice(&answer.stdout).unwrap();
        assert_eq!(answer["AccessKeyId"], KEY_IDS[0], "{section}");
        assert_eq!(answer["SecretAccessKey"], SECRETS[0], "{section}");
    }
}

/// The clients go on asking for as long as the command runs.
#[test]
fn each_question_is_answered_from_the_files_as_they_are_then() {
    let home = Sandbox::documented_home();
    let (_, command) = commands(&file_of(&home, &["--profile", "bedrock"])).remove(0);
    let temporary = |end: &str| {
        static_profile("bedrock", "eu-west-1")
            + &format!("aws_session_token = {}\naws_session_expiration = {end}\n", SECRETS[2])
    };
    home.write_private(".aws/credentials", temporary("2099-01-02T03:04:05Z"));
    let answer: serde_json::Value = serde_json::from_slice(&asked(&home, &command).stdout).unwrap();
    assert_eq!(answer["SessionToken"], SECRETS[2]);
    assert_eq!(answer["Expiration"], "2099-01-02T03:04:05+00:00");
    // No other account's, and nothing on standard output, once there is nothing to give.
    for text in [temporary("2020-01-02T03:04:05Z"), static_profile("default", "eu-west-1")] {
        home.write_private(".aws/credentials", text);
        let answer = asked(&home, &command);
        assert_eq!((answer.status.code(), answer.stdout.len()), (Some(1), 0), "{answer:?}");
    }
}

#[test]
fn the_files_of_the_user_are_found_wherever_they_are() {
    let home = Sandbox::documented_home();
    let odd = home.mkdir("it's a #dir ;with $(touch gone) \"odd\" names");
    for name in ["credentials", "config"] {
        fs::rename(home.path(".aws").join(name), odd.join(name)).unwrap();
    }
    home.user_changed_files();
    let program = odd.join("backlog-aws");
    symlink(Sandbox::built_binary(), &program).unwrap();
    let output = home
        .command(&program)
        .args([
            "exec",
            "--sealed",
            "--profile",
            "bedrock",
            "sh",
            "-c",
            "printf %s \"$AWS_CONFIG_FILE\"",
        ])
        .env("AWS_SHARED_CREDENTIALS_FILE", "credentials")
        .env("AWS_CONFIG_FILE", odd.join("config"))
        .current_dir(&odd)
        .output()
        .unwrap();
    let file = PathBuf::from(String::from_utf8(output.stdout).unwrap());
    let (_, command) = commands(&file).remove(0);
    assert!(
        command.contains("/backlog-aws'") && !command.contains(" #") && !command.contains(" ;"),
        "{command}"
    );
    let answer: serde_json::Value = serde_json::from_slice(&asked(&home, &command).stdout).unwrap();
    assert_eq!(answer["AccessKeyId"], KEY_IDS[0]);
    assert!(!home.path("gone").exists() && !Path::new("/gone").exists());
}

#[test]
fn within_it_the_users_own_files_still_count() {
    let home = Sandbox::documented_home();
    let inner = |words: &str| {
        sealed(&home, &["--profile", "bedrock"], &format!("backlog-aws {words}"))
            .expect_code(0)
            .out()
            .to_owned()
    };
    let show = "sh -c 'echo $AWS_PROFILE ${AWS_ACCESS_KEY_ID:+key} $AWS_CONFIG_FILE $__BACKLOG_AWS_CONFIG_FILE'";
    let own = home.path(".aws/config");
    assert_eq!(inner(&format!("exec -- {show}")), format!("bedrock key {}\n", own.display()));
    assert_eq!(
        inner(&format!("exec --profile luxito -- {show}")),
        format!("luxito key {}\n", own.display())
    );
    let again = inner(&format!("exec --sealed --profile luxito -- {show}"));
    let words: Vec<&str> = again.split_whitespace().collect();
    assert_eq!(words[0], "luxito");
    let (_, command) = commands(Path::new(words[1])).remove(0);
    assert!(command.contains(&format!("AWS_CONFIG_FILE={}", own.display())), "{command}");
    assert_eq!(words[2], own.to_str().unwrap());
    assert!(inner("list --names").contains("cc"));
    // A command that moves the files itself is believed.
    let moved = sealed(
        &home,
        &["--profile", "bedrock"],
        "AWS_CONFIG_FILE=/nowhere backlog-aws list --names",
    );
    assert_eq!(moved.out(), "");
}

/// A profile without keys: the AWS CLI is asked, and asked again, with the user's own files.
#[test]
fn with_temporary_each_question_goes_to_the_aws_cli() {
    let home = Sandbox::documented_home();
    let answer = format!(
        r#"{{"Version": 1, "AccessKeyId": "{}", "SecretAccessKey": "{}", "SessionToken": "{}", "Expiration": "2999-01-01T00:00:00+00:00"}}"#,
        KEY_IDS[0], SECRETS[0], SECRETS[2]
    );
    let script = format!("echo \"$4 $AWS_CONFIG_FILE\" >> ~/asked\nprintf %s '{answer}'");
    home.put_on_path("aws", &format!("#!/bin/sh\n{script}\n"));
    let file = file_of(&home, &["--temporary", "--profile", "cc"]);
    for (_, command) in commands(&file) {
        let answer: serde_json::Value =
            serde_json::from_slice(&asked(&home, &command).stdout).unwrap();
        assert_eq!(answer["SessionToken"], SECRETS[2]);
    }
    let within = "backlog-aws exec --temporary --profile cc -- true";
    sealed(&home, &["--profile", "bedrock"], within).expect_code(0);
    let asked_for = fs::read_to_string(home.path("asked")).unwrap();
    let own = format!("cc {}", home.path(".aws/config").display());
    assert_eq!(asked_for.lines().collect::<Vec<_>>(), ["cc ", &own, &own, &own]);
    let refused = sealed(&home, &["--profile", "cc"], "true").expect_code(1);
    assert!(refused.err().contains("--temporary"), "{}", refused.err());
}

#[test]
fn what_no_file_can_ask_for_is_refused_with_the_way_out() {
    let home = Sandbox::documented_home();
    let refused = |why: &str| {
        let output = sealed(&home, &[], "echo ran").expect_code(1);
        assert_eq!(output.out(), "");
        assert!(
            output.err().contains(why) && output.err().contains("leave out --sealed"),
            "{}",
            output.err()
        );
        assert_eq!(output.err().lines().count(), 1);
        assert!(!home.path(".cache/backlog-aws").exists());
    };
    home.write_private(
        ".backlog-toolkit-env",
        format!("AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n", SECRETS[3], SECRETS[0]),
    );
    refused("keys without a profile");
    home.write_private(".backlog-toolkit-env", "AWS_BEARER_TOKEN_BEDROCK=ABSKEXAMPLE\n");
    refused("Bedrock API key");
    home.write_private(".backlog-toolkit-env", "BACKLOG_AWS_PROFILE=bedrock\n");
    home.write_private(".aws/credentials", static_profile("bedrock", "x y"));
    refused("no region");
}

#[test]
fn there_is_one_file_for_each_identity_and_it_is_put_right() {
    let home = Sandbox::documented_home();
    let file = file_of(&home, &["--profile", "bedrock"]);
    let right = fs::read(&file).unwrap();
    let before = fs::metadata(&file).unwrap();
    assert_eq!(before.mode() & 0o7777, 0o600);
    assert_eq!(file_of(&home, &["--profile", "bedrock"]), file);
    assert_ne!(file_of(&home, &["--profile", "luxito"]), file);
    assert_eq!(files_below(file.parent().unwrap()).len(), 2);
    // Others can have written to it, or put a link in its place.
    fs::write(&file, "[default]\naws_access_key_id = x\n").unwrap();
    assert_eq!(file_of(&home, &["--profile", "bedrock"]), file);
    assert_eq!(fs::read(&file).unwrap(), right);
    let other = home.write("other", &right);
    fs::remove_file(&file).unwrap();
    symlink(&other, &file).unwrap();
    assert_eq!(file_of(&home, &["--profile", "bedrock"]), file);
    assert!(!file.is_symlink());
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(file_of(&home, &["--profile", "bedrock"]), file);
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o600);
}

#[test]
fn without_a_directory_of_ones_own_nothing_runs() {
    let home = Sandbox::documented_home();
    let open = home.mkdir("open/backlog-aws");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    home.mkdir(".claude");
    symlink(home.path(".claude"), home.path("link")).unwrap();
    for cache in [home.path("open"), home.path(".aws"), home.path("link"), "/dev/null".into()] {
        let output = home
            .invoke(["exec", "--sealed", "--profile", "bedrock", "echo", "ran"])
            .env("XDG_CACHE_HOME", &cache)
            .run()
            .expect_code(1);
        assert_eq!(output.out(), "", "{}", cache.display());
        assert_eq!(output.err().lines().count(), 1, "{}", output.err());
    }
    assert_eq!(files_below(&open), [] as [PathBuf; 0]);
}

/// The runtime directory goes when the user logs out, and the command may stay.
#[test]
fn it_is_not_in_the_runtime_directory() {
    let home = Sandbox::documented_home();
    let runtime = home.mkdir("runtime");
    fs::set_permissions(&runtime, fs::Permissions::from_mode(0o700)).unwrap();
    let output = home
        .invoke([
            "exec",
            "--sealed",
            "--profile",
            "bedrock",
            "sh",
            "-c",
            "printf %s \"$AWS_CONFIG_FILE\"",
        ])
        .env("XDG_RUNTIME_DIR", &runtime)
        .run()
        .expect_code(0);
    assert!(output.out().starts_with(home.path(".cache").to_str().unwrap()), "{}", output.out());
}

/// Python's shlex, by which botocore splits the command.
#[test]
fn botocore_splits_the_command_like_a_shell() {
    let home = Sandbox::documented_home();
    let (_, command) = commands(&file_of(&home, &["--profile", "bedrock"])).remove(0);
    let script = "import shlex, sys; print('\\n'.join(shlex.split(sys.argv[1])))";
    let output = Command::new("python3")
        .args(["-c", script, &command])
        .output()
        .expect("there is a python3");
    let words = String::from_utf8(output.stdout).unwrap();
    let last: Vec<&str> = words.lines().rev().take(2).collect();
    assert_eq!(last, ["--profile=bedrock", "credentials"]);
}
