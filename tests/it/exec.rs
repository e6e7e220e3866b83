//! `exec`: the command gets the chosen credentials and nothing that contradicts them, and is otherwise left alone.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use crate::harness::{Invocation, KEY_IDS, Key, SECRETS, Sandbox, Session, scenario};

type Environment = BTreeMap<OsString, OsString>;

const TOKEN: &str = SECRETS[2];

/// Every variable by which some AWS client takes an identity or a region, set to something wrong. Half a key pair, so
/// that the environment is no candidate itself.
const HOSTILE: [(&str, &str); 27] = [
    ("AWS_ACCESS_KEY_ID", "wrong-key"),
    ("AWS_SESSION_TOKEN", "wrong-token"),
    ("AWS_SECURITY_TOKEN", "wrong-token"),
    // Empty it still means bearer authentication to some.
    ("AWS_BEARER_TOKEN_BEDROCK", ""),
    ("AWS_DEFAULT_PROFILE", "cc"),
    ("AWS_PROFILE_NAME", "cc"),
    ("AWS_CREDENTIAL_EXPIRATION", "2001-01-01T00:00:00Z"),
    ("AWS_SESSION_EXPIRATION", "2001-01-01T00:00:00Z"),
    ("AWS_CREDENTIAL_FILE", "/wrong"),
    ("AWS_CREDENTIAL_SCOPE", "wrong"),
    ("AWS_ACCOUNT_ID", "000000000000"),
    ("AWS_ROLE_NAME", "wrong"),
    ("AWS_ROLE_ARN", "wrong"),
    ("AWS_ROLE_SESSION_NAME", "wrong"),
    ("AWS_SESSION_NAME", "wrong"),
    ("AWS_EXTERNAL_ID", "wrong"),
    ("AWS_WEB_IDENTITY_TOKEN", "wrong"),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", "/wrong"),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://wrong"),
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/wrong"),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "wrong"),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/wrong"),
    ("AWS_REGION", "wrong-region-1"),
    ("AWS_DEFAULT_REGION", "wrong-region-1"),
    ("AWS_REGION_NAME", "wrong-region-1"),
    ("BACKLOG_AWS_SOURCE", "wrong"),
    ("__BACKLOG_AWS_STATE", "wrong"),
];

/// What `exec` has no business with, AWS's own settings included.
const KEPT: [(&str, &str); 8] = [
    ("AWS_CA_BUNDLE", "/etc/ca.pem"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
    ("AWS_PAGER", ""),
    ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://localhost:4000"),
    ("ANTHROPIC_MODEL", "opus"),
    ("CLAUDE_CODE_USE_BEDROCK", "1"),
    ("LITELLM_MASTER_KEY", "sk-1234"),
    ("MY_AWS_PROFILE", "mine"),
];

/// `exec` with these words before `-- env`, in the hostile environment.
fn hostile_exec<'home>(home: &'home Sandbox, words: &[&str]) -> Invocation<'home> {
    let command = ["exec"].iter().chain(words).chain(&["--", "/usr/bin/env", "-0"]);
    HOSTILE
        .into_iter()
        .chain(KEPT)
        .fold(home.invoke(command), |run, (name, value)| run.env(name, value))
        .allowing_secrets()
}

#[track_caller]
fn environment_of(run: Invocation<'_>) -> Environment {
    let output = run.run().expect_code(0);
    let entries = output.stdout.split(|byte| *byte == 0).filter(|entry| !entry.is_empty());
    entries
        .map(|entry| {
            let equals = entry.iter().position(|byte| *byte == b'=').expect("NAME=value");
            let text = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
            (text(&entry[..equals]), text(&entry[equals + 1..]))
        })
        .collect()
}

/// Asserts that the child got `given` and what every process of the sandbox has, and no other variable.
#[track_caller]
fn assert_child_gets(home: &Sandbox, run: Invocation<'_>, given: &[(&str, &str)]) {
    let mut expected: Environment = home.environment().into_iter().collect();
    for (name, value) in KEPT.iter().chain(given) {
        expected.insert(name.into(), value.into());
    }
    let found = environment_of(run);
    for (name, value) in &expected {
        assert_eq!(found.get(name), Some(value), "{}", name.display());
    }
    let extra: Vec<_> = found.keys().filter(|name| !expected.contains_key(*name)).collect();
    assert!(extra.is_empty(), "the command must not get {extra:?}");
}

/// The variables of a profile's static keys.
fn profile(
    name: &'static str,
    source: &'static str,
    region: &'static str,
) -> Vec<(&'static str, &'static str)> {
    let which = usize::from(name == "luxito");
    let mut given = keys(KEY_IDS[which], SECRETS[which], source, region);
    given.extend([("AWS_PROFILE", name), ("BACKLOG_AWS_PROFILE", name)]);
    given
}

fn keys(
    id: &'static str,
    secret: &'static str,
    source: &'static str,
    region: &'static str,
) -> Vec<(&'static str, &'static str)> {
    let mut given = region_and_source(source, region);
    given.extend([("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", secret)]);
    given
}

fn region_and_source(
    source: &'static str,
    region: &'static str,
) -> Vec<(&'static str, &'static str)> {
    vec![
        ("AWS_REGION", region),
        ("AWS_DEFAULT_REGION", region),
        ("AWS_REGION_NAME", region),
        ("BACKLOG_AWS_REGION", region),
        ("BACKLOG_AWS_SOURCE", source),
    ]
}

// The environment, state by state.

#[test]
fn a_pin_decides() {
    let home = Sandbox::documented_home();
    let run =
        hostile_exec(&home, &[]).env("AWS_PROFILE", "cc").env("BACKLOG_AWS_PROFILE", "bedrock");
    assert_child_gets(&home, run, &profile("bedrock", "pin", "eu-west-1"));
}

#[test]
fn an_ambient_profile_decides() {
    let home = Sandbox::documented_home();
    let hook = home
        .invoke(["hook", "bash", "1.1", "stamps"])
        .env("BACKLOG_AWS_PROFILE", "bedrock")
        .run()
        .expect_code(0);
    let state =
        hook.out().split("__BACKLOG_AWS_STATE %s '").nth(1).expect("the hook keeps a state");
    let state = state.split('\'').next().expect("it ends");
    let run = hostile_exec(&home, &[])
        .env("AWS_PROFILE", "cc")
        .env("BACKLOG_AWS_PROFILE", "bedrock")
        .env("__BACKLOG_AWS_STATE", state);
    assert_child_gets(&home, run, &profile("bedrock", "ambient", "eu-west-1"));
}

#[test]
fn the_toolkits_profile_decides() {
    let home = Sandbox::documented_home();
    home.write(
        ".backlog-toolkit-env",
        "export BACKLOG_AWS_PROFILE='bedrock'\nexport AWS_REGION='eu-south-1'\n",
    );
    let run = hostile_exec(&home, &[]).env("AWS_PROFILE", "luxito");
    assert_child_gets(&home, run, &profile("bedrock", "toolkit-env", "eu-west-1"));
}

#[test]
fn the_toolkits_keys_come_without_a_profile() {
    let home = Sandbox::documented_home();
    let file = format!(
        "export AWS_ACCESS_KEY_ID='{}'\nexport AWS_SECRET_ACCESS_KEY='{}'\nexport AWS_REGION='eu-south-1'\n\
         export AWS_SESSION_TOKEN=''\nexport BACKLOG_AWS_PROFILE=''\n",
        KEY_IDS[0], SECRETS[0]
    );
    home.write(".backlog-toolkit-env", file);
    let run = hostile_exec(&home, &[]).env("AWS_PROFILE", "luxito");
    assert_child_gets(&home, run, &keys(KEY_IDS[0], SECRETS[0], "toolkit-env-keys", "eu-south-1"));
}

#[test]
fn the_toolkits_api_key_comes_alone() {
    let home = Sandbox::documented_home();
    home.write(".backlog-toolkit-env", format!("export AWS_BEARER_TOKEN_BEDROCK='{TOKEN}'\n"));
    let run = hostile_exec(&home, &[]).env("AWS_PROFILE", "luxito");
    let mut given = region_and_source("toolkit-env-keys", "us-east-1");
    given.push(("AWS_BEARER_TOKEN_BEDROCK", TOKEN));
    assert_child_gets(&home, run, &given);
}

#[test]
fn keys_of_the_environment_come_without_a_profile() {
    let home = Sandbox::documented_home();
    let run = hostile_exec(&home, &[])
        .env("AWS_PROFILE", "cc")
        .env("AWS_ACCESS_KEY_ID", KEY_IDS[0])
        .env("AWS_SECRET_ACCESS_KEY", SECRETS[0])
        .env("AWS_SESSION_TOKEN", TOKEN)
        .env("AWS_CREDENTIAL_EXPIRATION", "2999-01-01T00:00:00Z")
        .env("AWS_REGION", "ap-south-1");
    let mut given = keys(KEY_IDS[0], SECRETS[0], "environment-keys", "ap-south-1");
    given.push(("AWS_SESSION_TOKEN", TOKEN));
    assert_child_gets(&home, run, &given);
}

#[test]
fn an_api_key_of_the_environment_comes_alone() {
    let home = Sandbox::documented_home();
    let run = hostile_exec(&home, &[])
        .env("AWS_PROFILE", "cc")
        .env("AWS_ACCESS_KEY_ID", KEY_IDS[0])
        .env("AWS_SECRET_ACCESS_KEY", SECRETS[0])
        .env("AWS_BEARER_TOKEN_BEDROCK", TOKEN)
        .env("AWS_REGION", "ap-south-1");
    let mut given = region_and_source("environment-keys", "ap-south-1");
    given.push(("AWS_BEARER_TOKEN_BEDROCK", TOKEN));
    assert_child_gets(&home, run, &given);
}

#[test]
fn a_usable_aws_profile_decides() {
    let home = Sandbox::documented_home();
    let run = hostile_exec(&home, &[]).env("AWS_PROFILE", "bedrock");
    assert_child_gets(&home, run, &profile("bedrock", "aws-profile", "eu-west-1"));
}

#[test]
fn the_default_profile_decides_and_a_session_token_goes_along() {
    let home = Sandbox::documented_home();
    home.write(
        ".aws/credentials",
        format!(
            "[luxito]\naws_access_key_id = {}\naws_secret_access_key = {}\n\
             [default]\naws_access_key_id = {}\naws_secret_access_key = {}\naws_session_token = {TOKEN}\n",
            KEY_IDS[1], SECRETS[1], KEY_IDS[0], SECRETS[0]
        ),
    );
    let run = hostile_exec(&home, &[]).env("AWS_PROFILE", "cc");
    let mut given = profile("default", "default", "us-east-1");
    given.push(("AWS_SESSION_TOKEN", TOKEN));
    assert_child_gets(&home, run, &given);
}

#[test]
fn the_first_usable_profile_decides() {
    let home = Sandbox::documented_home();
    let run = hostile_exec(&home, &[]).env("AWS_PROFILE", "cc");
    assert_child_gets(&home, run, &profile("luxito", "first", "us-west-2"));
}

#[test]
fn a_profile_on_the_command_line_beats_everything() {
    let home = Sandbox::documented_home();
    home.write(".backlog-toolkit-env", "BACKLOG_AWS_PROFILE=luxito\n");
    for words in [["--profile", "bedrock"], ["-p", "bedrock"]] {
        let run = hostile_exec(&home, &words)
            .env("AWS_PROFILE", "cc")
            .env("BACKLOG_AWS_PROFILE", "luxito");
        assert_child_gets(&home, run, &profile("bedrock", "pin", "eu-west-1"));
    }
}

#[test]
fn a_region_on_the_command_line_beats_everything() {
    let home = Sandbox::documented_home();
    let run = hostile_exec(&home, &["--region", "ca-central-1"])
        .env("AWS_PROFILE", "cc")
        .env("BACKLOG_AWS_REGION", "eu-south-1");
    assert_child_gets(&home, run, &profile("luxito", "first", "ca-central-1"));
}

#[test]
fn a_pinned_region_beats_the_profiles_own() {
    let home = Sandbox::documented_home();
    let run =
        hostile_exec(&home, &[]).env("AWS_PROFILE", "cc").env("BACKLOG_AWS_REGION", "eu-south-1");
    assert_child_gets(&home, run, &profile("luxito", "first", "eu-south-1"));
}

#[test]
fn no_profile_leaves_out_aws_profile_and_nothing_else() {
    let home = Sandbox::documented_home();
    let run = hostile_exec(&home, &["--no-profile"]).env("AWS_PROFILE", "cc");
    let mut given = profile("luxito", "first", "us-west-2");
    given.retain(|(name, _)| *name != "AWS_PROFILE");
    assert_child_gets(&home, run, &given);
}

#[test]
fn the_name_of_a_profile_that_is_more_than_its_keys_is_left_out() {
    // Given the name, boto3 and AWS's SDK for JavaScript would assume the role or sign in, and not use the keys.
    for more in [
        "role_arn = arn:aws:iam::111122223333:role/x\nsource_profile = luxito\n",
        "sso_session = corp\nsso_account_id = 111122223333\nsso_role_name = x\n",
        "web_identity_token_file = /t\nrole_arn = arn:aws:iam::111122223333:role/x\n",
    ] {
        let home = Sandbox::documented_home();
        let credentials = fs::read_to_string(home.path(".aws/credentials")).unwrap();
        let bedrock = format!("{credentials}\n[bedrock]\n{more}");
        home.write(".aws/credentials", bedrock);
        let run = hostile_exec(&home, &["--profile", "bedrock"]).env("AWS_PROFILE", "cc");
        let mut given = profile("bedrock", "pin", "eu-west-1");
        given.retain(|(name, _)| !name.ends_with("AWS_PROFILE"));
        assert_child_gets(&home, run, &given);
        let shown = home.run(["exec", "--dry-run", "--profile", "bedrock"]).expect_code(0);
        assert!(
            shown.out().contains(
                "\nomit    AWS_PROFILE, BACKLOG_AWS_PROFILE: given the name bedrock, boto3 "
            ),
            "{}",
            shown.out()
        );
    }
}

#[test]
fn a_file_of_the_toolkit_that_undoes_the_handover_is_named() {
    let home = Sandbox::documented_home();
    let run = |lines: &str| {
        home.write(".backlog-toolkit-env", lines);
        let run = home.invoke(["exec", "--profile", "bedrock", "--", "true"]);
        run.run().expect_code(0).err().to_owned()
    };
    let file = home.path(".backlog-toolkit-env");
    for (lines, names, line) in [
        ("BACKLOG_AWS_PROFILE=luxito\n", "BACKLOG_AWS_PROFILE", 1),
        ("\nexport AWS_PROFILE='cc'\n", "AWS_PROFILE", 2),
        (
            "AWS_REGION=us-east-2\nAWS_BEARER_TOKEN_BEDROCK=''\n",
            "AWS_REGION, AWS_BEARER_TOKEN_BEDROCK",
            1,
        ),
    ] {
        let expected = format!(
            "backlog-aws: whatever sources the toolkit's file gets another {names} than this command ({}:{line}); \
             remove it there\n",
            file.display()
        );
        assert_eq!(run(lines), expected);
    }
    for (lines, name) in [
        ("AWS_PROFILE_NAME=cc\n", "AWS_PROFILE_NAME"),
        ("AWS_PROFILE=\"$X\"\n", "AWS_PROFILE"),
        ("AWS_ROLE_ARN=x\n", "AWS_ROLE_ARN"),
    ] {
        assert!(run(lines).contains(&format!(" another {name} than ")), "{lines}");
    }
    // The same, nothing, and what is not AWS's.
    let agreeing = "BACKLOG_AWS_PROFILE=bedrock\nAWS_REGION=eu-west-1\nAWS_ACCESS_KEY_ID=''\nANTHROPIC_API_KEY=x\n";
    assert_eq!(run(agreeing), "");
    home.write(".backlog-toolkit-env", "AWS_REGION=us-east-2\n");
    let quiet =
        home.invoke(["exec", "--profile", "bedrock", "--", "true"]).env("BACKLOG_AWS_QUIET", "1");
    assert_eq!(quiet.run().expect_code(0).err(), "");
}

#[test]
fn a_refused_command_does_not_run_and_nothing_is_shown_of_the_keys() {
    let home = Sandbox::documented_home();
    for (profile, why) in [("cc", "is an SSO profile"), ("nowhere", "is in neither")] {
        let output =
            home.run(["exec", "--profile", profile, "--", "/bin/echo", "ran"]).expect_code(1);
        assert_eq!(output.out(), "");
        let beginning =
            format!("backlog-aws: Profile '{profile}' has no static credentials: it {why}");
        assert!(output.err().starts_with(&beginning), "{}", output.err());
        assert_eq!(output.err().lines().count(), 1);
    }
    for (option, value, why) in [
        ("--profile", "", "cannot be a profile"),
        ("--profile", "two words", "cannot be a profile"),
        ("--region", "", "cannot be a region"),
        ("--region", "x[$(id)]", "cannot be a region"),
    ] {
        let output = home.run(["exec", option, value, "--", "/bin/echo"]).expect_code(2);
        assert!(output.err().contains(why), "{}", output.err());
        assert_eq!(output.err().lines().count(), 1);
    }
    home.remove(".aws");
    let output = home.run(["exec", "--", "/bin/echo", "ran"]).expect_code(1);
    assert!(
        output.err().contains("No AWS profiles with static credentials found"),
        "{}",
        output.err()
    );
}

#[test]
fn an_expired_token_is_refused_when_pinned_and_passed_over_when_not() {
    let home = Sandbox::documented_home();
    let credentials = fs::read_to_string(home.path(".aws/credentials")).expect("it is there");
    home.write(
        ".aws/credentials",
        format!(
            "[old]\naws_access_key_id = {}\naws_secret_access_key = {}\naws_session_token = {TOKEN}\n\
             aws_session_expiration = 2001-01-01T00:00:00Z\n{credentials}",
            KEY_IDS[0], SECRETS[0]
        ),
    );
    let output = home.run(["exec", "--profile", "old", "--", "/bin/echo"]).expect_code(1);
    assert!(
        output.err().contains("the temporary credentials of 'old' expired at 2001-01-01"),
        "{}",
        output.err()
    );
    let run = hostile_exec(&home, &[]).env("AWS_PROFILE", "old");
    assert_child_gets(&home, run, &profile("luxito", "first", "us-west-2"));
}

// The dry run.

#[test]
fn a_dry_run_shows_the_difference_with_secrets_masked() {
    let home = Sandbox::documented_home();
    // The harness searches what is printed for every secret.
    let output = home
        .invoke(["exec", "--dry-run", "--profile", "bedrock", "--", "/bin/echo", "ran"])
        .env("AWS_PROFILE", "cc")
        .env("AWS_SESSION_TOKEN", TOKEN)
        .env("AWS_CONTAINER_X", "x")
        .run()
        .expect_code(0);
    let expected = "set     AWS_ACCESS_KEY_ID=AKIA************MPLE\n\
                    set     AWS_SECRET_ACCESS_KEY=********\n\
                    set     AWS_REGION=eu-west-1\n\
                    set     AWS_DEFAULT_REGION=eu-west-1\n\
                    set     AWS_REGION_NAME=eu-west-1\n\
                    set     AWS_PROFILE=bedrock\n\
                    set     BACKLOG_AWS_PROFILE=bedrock\n\
                    set     BACKLOG_AWS_REGION=eu-west-1\n\
                    set     BACKLOG_AWS_SOURCE=pin\n\
                    remove  AWS_CONTAINER_X\n\
                    remove  AWS_SESSION_TOKEN\n\
                    keep    everything else\n";
    assert_eq!(output.out(), expected);
    home.run(["exec", "--dry-run"]).expect_code(0);
    home.run(["exec", "--dry-run", "--profile", "cc"]).expect_code(1);
}

// The command itself.

#[test]
fn arguments_arrive_byte_by_byte() {
    let home = Sandbox::documented_home();
    let arguments: Vec<OsString> = [
        &b"plain"[..],
        b"",
        b" two  words ",
        b"it's \"quoted\"",
        b"$(touch x) `y` $HOME ${z} ~ * ! % \\",
        b"line\nbreak\n",
        b"\xff\xfe not UTF-8",
        b"--profile",
        b"cc",
        b"--",
        b"-h",
        "Grüße".as_bytes(),
    ]
    .map(|bytes| OsString::from_vec(bytes.to_vec()))
    .into();
    let words = ["exec", "--", "/usr/bin/printf", "%s\\0"].map(OsString::from);
    let output = home.run(words.iter().chain(&arguments)).expect_code(0);
    let received: Vec<&[u8]> = output.stdout.split(|byte| *byte == 0).collect();
    let expected: Vec<&[u8]> =
        arguments.iter().map(|argument| argument.as_bytes()).chain([&b""[..]]).collect();
    assert_eq!(received, expected);
}

#[test]
fn the_exit_status_is_the_commands_own() {
    let home = Sandbox::documented_home();
    for status in [0, 1, 2, 37, 126, 127, 255] {
        home.run(["exec", "--", "/bin/sh", "-c", &format!("exit {status}")]).expect_code(status);
    }
}

#[test]
fn a_command_that_cannot_be_run_is_126_and_one_that_is_not_there_127() {
    let home = Sandbox::documented_home();
    let file = home.write("not-executable", "#!/bin/sh\n");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("it is ours");
    let directory = home.mkdir("a directory");
    for (command, code, complaint) in [
        (file.as_os_str(), 126, "permission denied"),
        (directory.as_os_str(), 126, "permission denied"),
        (OsStr::new("/nowhere/at/all"), 127, "not found"),
        (OsStr::new("no-such-command"), 127, "not found"),
        (OsStr::new(""), 127, "not found"),
        (OsStr::from_bytes(b"no\xff\x1b[31m"), 127, "no\\xff\\x1b[31m: not found"),
    ] {
        let run = [OsStr::new("exec"), OsStr::new("--"), command];
        let output = home.invoke(run).env("BACKLOG_AWS_PROFILE", "bedrock").run().expect_code(code);
        assert!(output.err().starts_with("backlog-aws: "), "{}", output.err());
        assert!(output.err().contains(complaint), "{}", output.err());
        assert_eq!(output.err().lines().count(), 1);
    }
    home.run(["exec", "--"]).expect_code(2);
    home.run(["exec", "echo"]).expect_code(2);
}

#[test]
fn a_command_on_a_relative_path_is_found_from_the_working_directory() {
    let home = Sandbox::documented_home();
    let script =
        home.write("project/run me", "#!/bin/sh\necho \"$BACKLOG_AWS_PROFILE in ${PWD##*/}\"\n");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let output =
        home.invoke(["exec", "--", "./run me"]).cwd(home.path("project")).run().expect_code(0);
    assert_eq!(output.out(), "luxito in project\n");
}

/// A command of the sandbox that is not waited for by the harness.
fn sandboxed(home: &Sandbox, words: &[&str]) -> Command {
    let mut command = Command::new(Sandbox::built_binary());
    command.args(words).env_clear().envs(home.environment()).current_dir(home.home());
    command.stdin(Stdio::null()).stderr(Stdio::null());
    command
}

#[test]
fn a_signal_ends_the_command_itself() {
    let home = Sandbox::documented_home();
    let status = sandboxed(&home, &["exec", "--", "/bin/sh", "-c", "kill -TERM $$; echo survived"])
        .status()
        .expect("it starts");
    assert_eq!(status.signal(), Some(15));
    let mut child = sandboxed(&home, &["exec", "--", "/bin/sh", "-c", "echo ready; exec sleep 60"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut ready = String::new();
    let mut output = std::io::BufReader::new(child.stdout.take().expect("it is a pipe"));
    std::io::BufRead::read_line(&mut output, &mut ready).expect("it says so");
    assert_eq!(ready, "ready\n");
    child.kill().expect("it is ours");
    assert_eq!(child.wait().expect("it is ours").signal(), Some(9));
}

#[test]
fn signals_have_their_usual_effect_on_the_command() {
    let home = Sandbox::documented_home();
    // Rust programs ignore SIGPIPE, and that would be inherited.
    for signal in ["PIPE", "INT", "HUP", "QUIT", "ALRM"] {
        let script = format!("ulimit -c 0; kill -{signal} $$; echo survived");
        let output = home.run(["exec", "--", "/bin/sh", "-c", &script]);
        assert_eq!((output.code, output.out()), (None, ""), "SIG{signal}");
    }
}

#[test]
fn the_command_keeps_the_process_id() {
    let home = Sandbox::documented_home();
    let script = "echo $$; exec \"$0\" exec -- /bin/sh -c 'echo $$'";
    let output = Command::new("/bin/sh")
        .args([OsStr::new("-c"), OsStr::new(script), Sandbox::built_binary().as_os_str()])
        .env_clear()
        .envs(home.environment())
        .output()
        .expect("it starts");
    let output = String::from_utf8(output.stdout).expect("numbers are UTF-8");
    let pids: Vec<&str> = output.lines().collect();
    assert_eq!(pids.len(), 2, "{output}");
    assert_eq!(pids[0], pids[1]);
}

#[test]
fn standard_input_and_output_belong_to_the_command() {
    let home = Sandbox::documented_home();
    let input: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let output = home.invoke(["exec", "--", "/bin/cat"]).input(input.clone()).run().expect_code(0);
    assert!(output.stdout == input, "cat printed {} other bytes", output.stdout.len());
    home.invoke(["exec", "--", "/bin/true"]).script("\"$@\" <&-").run().expect_code(0);
}

#[test]
fn exec_inside_exec_just_works() {
    let home = Sandbox::documented_home();
    let inner = Sandbox::built_binary().to_str().expect("a path in UTF-8");
    let run = |outer: &[&str], nested: &[&str]| {
        let between = ["--", inner, "exec"];
        let words = ["exec"].iter().chain(outer).chain(&between);
        let words = words.chain(nested).chain(&["--", "/usr/bin/env", "-0"]);
        KEPT.into_iter()
            .fold(home.invoke(words), |run, (name, value)| run.env(name, value))
            .allowing_secrets()
    };
    assert_child_gets(
        &home,
        run(&[], &[]).env("AWS_PROFILE", "cc"),
        &profile("luxito", "pin", "us-west-2"),
    );
    // The outer region belongs to the outer profile.
    let other = profile("bedrock", "pin", "eu-west-1");
    assert_child_gets(&home, run(&["-p", "luxito"], &["-p", "bedrock"]), &other);
    let same = profile("luxito", "pin", "eu-south-1");
    assert_child_gets(&home, run(&["-r", "eu-south-1"], &["-p", "luxito"]), &same);
    assert_child_gets(&home, run(&["-p", "luxito", "-r", "eu-south-1"], &[]), &same);
    let loose = run(&[], &[])
        .env("AWS_ACCESS_KEY_ID", KEY_IDS[0])
        .env("AWS_SECRET_ACCESS_KEY", SECRETS[0])
        .env("AWS_REGION", "eu-south-1");
    assert_child_gets(
        &home,
        loose,
        &keys(KEY_IDS[0], SECRETS[0], "environment-keys", "eu-south-1"),
    );
}

#[test]
fn variables_that_are_not_utf8_go_through_untouched() {
    let home = Sandbox::documented_home();
    let strange = OsString::from_vec(b"\xff\xfe=\n".to_vec());
    let run = home
        .invoke(["exec", "--", "/usr/bin/env", "-0"])
        .env(OsString::from_vec(b"CAF\xc9".to_vec()), &strange)
        .env("AWS_PROFILE", "cc")
        .allowing_secrets();
    let found = environment_of(run);
    assert_eq!(found.get(OsStr::from_bytes(b"CAF\xc9")), Some(&strange));
}

scenario! {
    fn exec_resolves_afresh_and_not_from_what_the_hook_exported(shell) {
        let home = Sandbox::documented_home();
        let mut session = Session::builder(&home, shell).size(30, 300).env("AWS_PROFILE", "cc").spawn();
        let show = "backlog-aws exec -- sh -c 'echo $AWS_PROFILE $BACKLOG_AWS_REGION $BACKLOG_AWS_SOURCE' 2> /dev/null";
        assert_eq!(session.line(show).text, "luxito us-west-2 first");
        assert_eq!(session.line(format!("AWS_PROFILE=bedrock {show}")).text, "bedrock eu-west-1 aws-profile");
        assert_eq!(session.line(format!("BACKLOG_AWS_PROFILE=bedrock {show}")).text, "bedrock eu-west-1 pin");
        // The shell still has what its last prompt exported.
        let file = shell.quote(home.path(".backlog-toolkit-env"));
        let write = format!("echo BACKLOG_AWS_PROFILE=bedrock > {file}");
        let turn = session.line(format!("{write}; echo $BACKLOG_AWS_PROFILE; {show}"));
        assert_eq!(turn.text, "luxito\nbedrock eu-west-1 toolkit-env");
    }

    fn ctrl_c_reaches_the_command_and_the_shell_goes_on(shell) {
        let home = Sandbox::documented_home();
        let mut session = Session::start(&home, shell);
        session.send("backlog-aws exec -- sh -c 'trap \"echo caught; exit 42\" INT; echo ready-$((40+2)); while :; do sleep 0.05; done'\r");
        session.wait_for("ready-42");
        session.key(Key::CtrlC);
        assert!(session.wait_prompt().text.contains("caught"));
        assert_eq!(session.status_of_last(), 42);
        session.line("backlog-aws exec -- sh -c 'kill -TERM $$'");
        assert_eq!(session.status_of_last(), 143);
    }
}
