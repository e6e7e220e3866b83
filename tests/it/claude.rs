//! Claude Code's side: the snippet, and what its hooks leave in the file that the Bash tool reads.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::harness::Sandbox;

/// The command of the snippet for an event.
fn command_for(settings: &serde_json::Value, event: &str) -> String {
    let hook = &settings["hooks"][event][0]["hooks"][0];
    assert_eq!(hook["type"], "command", "{settings}");
    hook["command"].as_str().expect("a command is a string").to_owned()
}

/// Runs the hook as Claude Code does, by the command that the snippet names. Returns the paths that it is to watch.
fn run_hook(
    home: &Sandbox,
    directory: &Path,
    file: Option<&Path>,
    more: &[(&str, &str)],
) -> Vec<String> {
    let settings = home.run(["init", "claude"]).expect_code(0).json();
    let mut watched = Vec::new();
    for event in ["SessionStart", "FileChanged", "CwdChanged"] {
        let mut command = home.command("/bin/sh");
        command
            .args(["-euc", &command_for(&settings, event)])
            .env("AWS_PROFILE", "cc")
            .env("CLAUDE_ENV_FILE", file.unwrap_or(Path::new("")))
            .envs(more.iter().copied())
            .current_dir(directory);
        let output = command.output().expect("there is a sh");
        assert!(output.status.success(), "{output:?}");
        // Standard output that is not this would become part of the conversation.
        if file.is_some() {
            let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
            let answer = &answer["hookSpecificOutput"];
            assert_eq!(answer["hookEventName"], event);
            watched =
                serde_json::from_value(answer["watchPaths"].clone()).expect("a list of paths");
        } else {
            assert_eq!(output.stdout, b"", "{output:?}");
        }
    }
    home.assert_guarded_files_untouched();
    watched
}

/// What a command of the Bash tool sees.
fn in_bash_tool(file: &Path, home: &Sandbox, directory: &Path, script: &str) -> String {
    let output = home
        .command("/bin/sh")
        .args(["-euc", &format!(". \"$0\"\n{script}")])
        .arg(file)
        .env("AWS_PROFILE", "cc")
        .current_dir(directory)
        .output()
        .expect("there is a sh");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("the tests print text")
}

#[test]
fn the_bash_tool_follows_the_directory() {
    let home = Sandbox::documented_home();
    let acme = home.mkdir("acme");
    home.invoke(["local", "bedrock", "--region", "eu-north-1"]).cwd(&acme).run().expect_code(0);
    let file = home.write("claude-env", "export KEPT=1\n");
    let seen = |directory: &Path| {
        let script = "printf '%s ' \"${KEPT-}\" \"${AWS_PROFILE-}\" \"${BACKLOG_AWS_PROFILE-}\" \"${BACKLOG_AWS_REGION-}\" \"${BACKLOG_AWS_SOURCE-}\"";
        in_bash_tool(&file, &home, directory, script)
    };

    run_hook(&home, &acme, Some(&file), &[]);
    assert_eq!(seen(&acme), "1 cc bedrock eu-north-1 directory ");
    run_hook(&home, &home.home(), Some(&file), &[]);
    assert_eq!(seen(&home.home()), "1 cc luxito us-west-2 first ");
    run_hook(&home, &acme, Some(&file), &[]);
    assert_eq!(seen(&acme), "1 cc bedrock eu-north-1 directory ");

    // What the hook exported is not taken for the user's word by what runs there.
    let status = in_bash_tool(&file, &home, &home.home(), "backlog-aws status --json || true");
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["source"], "first", "{status}");
}

#[test]
fn what_is_pinned_in_the_shell_stays_pinned() {
    let home = Sandbox::documented_home();
    let file = home.path("claude-env");
    let pin = [("BACKLOG_AWS_PROFILE", "bedrock")];
    run_hook(&home, &home.home(), Some(&file), &pin);
    let script = "printf %s \"$BACKLOG_AWS_PROFILE\"";
    assert_eq!(in_bash_tool(&file, &home, &home.home(), script), "bedrock");
}

#[test]
fn nothing_but_our_variables_is_written_and_every_value_survives() {
    let home = Sandbox::documented_home();
    let file = home.path("claude-env");
    let name = "it's $(touch gone) `touch gone` \\ \"%\"";
    run_hook(&home, &home.home(), Some(&file), &[("BACKLOG_AWS_PROFILE", name)]);
    let text = fs::read_to_string(&file).unwrap();
    let mut names = BTreeMap::new();
    for line in text.lines() {
        let (verb, rest) = line.split_once(' ').expect(line);
        assert!(matches!(verb, "export" | "unset"), "{line}");
        let name = rest.split('=').next().unwrap_or_default();
        *names.entry(name).or_insert(0) += 1;
    }
    let expected =
        ["BACKLOG_AWS_PROFILE", "BACKLOG_AWS_REGION", "BACKLOG_AWS_SOURCE", "__BACKLOG_AWS_STATE"];
    assert_eq!(names, expected.map(|name| (name, 3)).into(), "once for each event: {text}");
    let script = "printf %s \"$BACKLOG_AWS_PROFILE\"";
    assert_eq!(in_bash_tool(&file, &home, &home.home(), script), name);
    assert!(!home.path("gone").exists());
}

#[test]
fn a_claude_code_without_the_file_is_left_in_peace() {
    let home = Sandbox::documented_home();
    run_hook(&home, &home.home(), None, &[]);
}

#[test]
fn the_path_of_the_program_is_quoted() {
    let home = Sandbox::documented_home();
    let odd = home.mkdir("it's a \"dir\" $HOME").join("backlog-aws");
    std::os::unix::fs::symlink(Sandbox::built_binary(), &odd).unwrap();
    let output = home.command(&odd).args(["init", "claude"]).output().unwrap();
    let settings: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let hook = command_for(&settings, "SessionStart");
    let file = home.path("claude-env");
    let status =
        home.command("/bin/sh").args(["-euc", &hook]).env("CLAUDE_ENV_FILE", &file).status();
    assert!(status.unwrap().success());
    assert!(fs::read_to_string(&file).unwrap().contains("BACKLOG_AWS_SOURCE='first'"));
}

#[test]
fn every_file_that_the_answer_rests_on_is_watched() {
    let home = Sandbox::with_override();
    let file = home.path("claude-env");
    let watched = run_hook(&home, &home.path("acme/deep"), Some(&file), &[]);
    for path in [
        ".aws/credentials",
        ".aws/config",
        ".backlog-toolkit-env",
        ".config/backlog-aws/config.ini",
        "acme/deep/.backlog-aws",
        "acme/.backlog-aws",
        ".backlog-aws",
        ".local/share/backlog-aws",
    ] {
        let path = home.path(path).display().to_string();
        assert!(watched.contains(&path), "{path} is not in {watched:?}");
    }
    assert!(watched.iter().all(|path| path.starts_with('/')), "{watched:?}");
    // When one of them changes, the file has the new answer.
    home.write("acme/deep/.backlog-aws", "profile = luxito\n");
    home.invoke(["allow"]).cwd(home.path("acme/deep")).run().expect_code(0);
    run_hook(&home, &home.path("acme/deep"), Some(&file), &[]);
    let script = "printf %s \"$BACKLOG_AWS_PROFILE\"";
    assert_eq!(in_bash_tool(&file, &home, &home.home(), script), "luxito");
}

#[test]
fn an_sso_profile_of_the_shell_can_be_handed_over_to_the_settings() {
    let home = Sandbox::documented_home();
    let settings = |profile: &str| {
        home.invoke(["init", "claude"]).env("AWS_PROFILE", profile).run().expect_code(0).json()
    };
    let of_cc = settings("cc");
    assert_eq!(of_cc["awsAuthRefresh"], "aws sso login --profile cc");
    let export = "aws configure export-credentials --profile cc --format process";
    assert_eq!(of_cc["awsCredentialExport"], export);
    assert_eq!(of_cc["env"], serde_json::Value::Null, "what stands there reaches the Bash tool");
    for other in ["bedrock", "nowhere", ""] {
        let keys: Vec<String> = settings(other).as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["hooks"], "{other}");
    }
}
