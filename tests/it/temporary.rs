//! `--temporary`: the AWS CLI is asked for the credentials of a profile without keys, once, when the user named it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;

use crate::harness::{
    Invocation, KEY_IDS, Key, SECRETS, Sandbox, Session, Shell, parse_environment, scenario,
};

/// What `aws configure export-credentials` prints, with documented examples in it.
pub fn answer(end: &str) -> String {
    format!(
        r#"{{"Version": 1, "AccessKeyId": "{}", "SecretAccessKey": "{}", "SessionToken": "{}", "Expiration": "{end}"}}"#,
        KEY_IDS[0], SECRETS[0], SECRETS[2]
    )
}

/// The documented home with the profiles that the AWS CLI can get credentials for, and an `aws` as of `put_aws`.
pub fn home_with(script: &str) -> Sandbox {
    let home = Sandbox::documented_home();
    let config = fs::read_to_string(home.path(".aws/config")).unwrap();
    home.write(
        ".aws/config",
        config
            + "[profile role]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = cc\n\
               [profile program]\ncredential_process = /bin/x\n\
               [profile signed-in]\nlogin_session = x\n\
               [profile half]\naws_access_key_id = A\n",
    );
    put_aws(&home, script);
    home
}

/// An `aws` that keeps what it was called with and then runs `script`.
pub fn put_aws(home: &Sandbox, script: &str) {
    let called = home.path("called");
    let text = format!(
        "#!/bin/sh\nprintf '%s\\0' \"$@\" >> '{0}.words'\nenv -0 > '{0}.environment'\n{script}\n",
        called.display()
    );
    home.put_on_path("aws", &text);
}

fn home_that_answers(text: &str) -> Sandbox {
    home_with(&format!("cat > /dev/null\nprintf %s '{text}'"))
}

fn exec<'home>(home: &'home Sandbox, words: &[&str]) -> Invocation<'home> {
    home.invoke(["exec"].iter().chain(words).chain(&["--", "env", "-0"]))
}

fn was_asked(home: &Sandbox) -> bool {
    home.path("called.words").exists()
}

type Variables = BTreeMap<OsString, OsString>;

fn value<'a>(variables: &'a Variables, name: &str) -> Option<&'a OsStr> {
    variables.get(OsStr::new(name)).map(OsString::as_os_str)
}

#[test]
fn a_named_profile_gets_what_the_aws_cli_answers() {
    let home = home_that_answers(&answer("2999-01-01T00:00:00+00:00"));
    let settings = home.path("settings").into_os_string();
    fs::copy(home.path(".aws/config"), &settings).unwrap();
    for (number, profile) in ["cc", "role", "program", "signed-in"].into_iter().enumerate() {
        let run = exec(&home, &["--temporary", "--profile", profile]).allowing_secrets();
        let run = run
            .env("AWS_CONFIG_FILE", &settings)
            .env("AWS_PROFILE", "luxito")
            .env("AWS_ACCESS_KEY_ID", "wrong")
            .env("AWS_SECRET_ACCESS_KEY", "wrong")
            .env("AWS_SESSION_TOKEN", "wrong")
            .env("AWS_BEARER_TOKEN_BEDROCK", "wrong")
            .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "wrong")
            .env("AWS_REGION", "wrong-1")
            .env("BACKLOG_AWS_REGION", "eu-west-3")
            .env("AWS_CLI_AUTO_PROMPT", "on")
            .env("AWS_CA_BUNDLE", "/etc/ca.pem");
        let output = run.run().expect_code(0);
        assert_eq!(output.err(), "");
        let given = parse_environment(&output.stdout);
        for (name, expected) in [
            ("AWS_ACCESS_KEY_ID", Some(KEY_IDS[0])),
            ("AWS_SECRET_ACCESS_KEY", Some(SECRETS[0])),
            ("AWS_SESSION_TOKEN", Some(SECRETS[2])),
            ("AWS_PROFILE", Some(profile)),
            ("AWS_REGION", Some("eu-west-3")),
            ("AWS_BEARER_TOKEN_BEDROCK", None),
            ("__BACKLOG_AWS_ASKED_FOR", None),
        ] {
            assert_eq!(value(&given, name), expected.map(OsStr::new), "{name}");
        }
        let words = fs::read_to_string(home.path("called.words")).unwrap();
        let expected =
            format!("configure\0export-credentials\0--profile\0{profile}\0--format\0process\0");
        assert!(words.ends_with(&expected), "{words:?}");
        assert_eq!(words.matches("process").count(), number + 1, "asked once each");
        let environment = parse_environment(&fs::read(home.path("called.environment")).unwrap());
        let of_aws: Vec<_> = environment
            .iter()
            .filter(|(name, _)| name.to_string_lossy().contains("AWS"))
            .map(|(name, value)| (name.to_str().unwrap(), value.as_os_str()))
            .collect();
        let asked_for = format!(" {profile}");
        assert_eq!(
            of_aws,
            [
                ("AWS_CA_BUNDLE", OsStr::new("/etc/ca.pem")),
                ("AWS_CLI_AUTO_PROMPT", OsStr::new("off")),
                ("AWS_CONFIG_FILE", &settings),
                ("__BACKLOG_AWS_ASKED_FOR", OsStr::new(&asked_for)),
            ]
        );
    }
}

#[test]
fn every_way_of_naming_a_profile_counts_and_no_other() {
    let home = home_that_answers(&answer("2999-01-01T00:00:00Z"));
    home.allow("project", "profile = cc\n");
    let run = |directory: &str, name: &str| {
        let run = exec(&home, &["--temporary"]).cwd(home.path(directory)).env(name, "cc");
        let output = run.allowing_secrets().run().expect_code(0);
        let given = parse_environment(&output.stdout);
        let text = |name| value(&given, name).unwrap_or_default().to_str().unwrap().to_owned();
        let asked = was_asked(&home);
        let _ = fs::remove_file(home.path("called.words"));
        (asked, text("BACKLOG_AWS_SOURCE"), text("AWS_PROFILE"))
    };
    let temporary = |source: &str| (true, source.to_owned(), "cc".to_owned());
    assert_eq!(run("", "BACKLOG_AWS_PROFILE"), temporary("pin"));
    assert_eq!(run("project", "UNRELATED"), temporary("directory"));
    // Claude Code's profile, and a guess.
    assert_eq!(run("", "AWS_PROFILE"), (false, "first".to_owned(), "luxito".to_owned()));
    assert_eq!(run("", "UNRELATED"), (false, "first".to_owned(), "luxito".to_owned()));
    home.write(".backlog-toolkit-env", "BACKLOG_AWS_PROFILE=cc\n");
    assert_eq!(run("", "UNRELATED"), temporary("toolkit-env"));
    // A profile with keys needs nobody.
    assert!(!run("", "UNRELATED").1.is_empty());
    let run = exec(&home, &["--temporary", "--profile", "bedrock"]).allowing_secrets();
    let _ = fs::remove_file(home.path("called.words"));
    run.run().expect_code(0);
    assert!(!was_asked(&home));
}

#[test]
fn without_the_flag_nothing_is_asked_and_the_refusal_names_it_where_it_helps() {
    let home = home_that_answers(&answer("2999-01-01T00:00:00Z"));
    for (profile, helps) in
        [("cc", true), ("role", true), ("program", true), ("half", false), ("gone", false)]
    {
        for command in ["exec", "credentials"] {
            let mut words = vec![command, "--profile", profile];
            words.extend(["--", "true"].iter().filter(|_| command == "exec"));
            let output = home.run(words).expect_code(1);
            assert_eq!(output.err().ends_with(", or add --temporary\n"), helps, "{}", output.err());
        }
    }
    assert!(!was_asked(&home));
    // And there it is of no use either.
    for profile in ["half", "gone"] {
        exec(&home, &["--temporary", "--profile", profile]).run().expect_code(1);
    }
    assert!(!was_asked(&home));
}

#[test]
fn a_dry_run_says_what_would_be_asked_and_does_not_ask() {
    let home = home_that_answers("");
    let output = home.run(["exec", "--dry-run", "--temporary", "--profile", "cc"]).expect_code(0);
    assert_eq!(
        output.out(),
        "as      cc (sso, ********, account 111122223333), eu-central-1, by pin\n\
         ask     `aws configure export-credentials --profile cc --format process` for the keys\n\
         set     AWS_ACCESS_KEY_ID=********\n\
         set     AWS_SECRET_ACCESS_KEY=********\n\
         set     AWS_SESSION_TOKEN=********\n\
         set     AWS_REGION=eu-central-1\n\
         set     AWS_DEFAULT_REGION=eu-central-1\n\
         set     AWS_REGION_NAME=eu-central-1\n\
         set     AWS_PROFILE=cc\n\
         set     BACKLOG_AWS_PROFILE=cc\n\
         set     BACKLOG_AWS_REGION=eu-central-1\n\
         set     BACKLOG_AWS_SOURCE=pin\n\
         keep    everything else\n"
    );
    assert!(!was_asked(&home));
}

#[test]
fn the_command_gets_its_standard_input_whole() {
    let home = home_that_answers(&answer("2999-01-01T00:00:00Z"));
    let run = home.invoke(["exec", "--temporary", "--profile", "cc", "--", "cat"]);
    assert_eq!(run.input("for the command\n").run().expect_code(0).out(), "for the command\n");
}

#[test]
fn credentials_come_in_the_formats_of_the_aws_cli() {
    let home = home_that_answers(&answer("2999-01-01T00:00:00Z"));
    let run = home.invoke(["credentials", "--temporary", "--profile", "cc"]).allowing_secrets();
    let expected: serde_json::Value =
        serde_json::from_str(&answer("2999-01-01T00:00:00+00:00")).unwrap();
    assert_eq!(run.run().expect_code(0).json(), expected);
    let keys = format!(
        r#"{{"Version": 1, "AccessKeyId": "{}", "SecretAccessKey": "{}"}}"#,
        KEY_IDS[0], SECRETS[0]
    );
    let home = home_that_answers(&keys);
    let run = home.invoke(["credentials", "--temporary", "--profile", "cc"]).allowing_secrets();
    let expected: serde_json::Value = serde_json::from_str(&keys).unwrap();
    assert_eq!(
        run.run().expect_code(0).json(),
        expected,
        "a program may have keys that do not expire"
    );
}

#[test]
fn what_cannot_be_had_is_refused_with_the_next_step() {
    let lead = |profile: &str| format!("backlog-aws: no temporary credentials for '{profile}': ");
    let step = "see what `aws sts get-caller-identity --profile program` says\n";
    for (script, profile, expected) in [
        // As AWS CLI 2.9 and later say it.
        (
            "echo; echo 'Error loading SSO Token: Token for corp does not exist' >&2; exit 255",
            "cc",
            "Error loading SSO Token: Token for corp does not exist; sign in with `aws sso login --profile cc`\n",
        ),
        (
            "printf '\\nThe SSO session associated with this profile has expired or is otherwise invalid.\\n' >&2; exit 255",
            "role",
            "The SSO session associated with this profile has expired or is otherwise invalid; sign in with `aws sso login --profile cc`\n",
        ),
        (
            "echo 'Your session has expired.' >&2; exit 255",
            "signed-in",
            "Your session has expired; sign in with `aws login --profile signed-in`\n",
        ),
        ("printf '\\033[31mno\\n' >&2; exit 253", "program", &format!("\\x1b[31mno; {step}")),
        ("kill -9 $$", "program", &format!("the AWS CLI says nothing; {step}")),
        (
            // Version 1 says much before it.
            "printf 'usage: %400s\nargument subcommand: Invalid choice\n' \"$(seq -s ' ' 200)\" >&2; exit 2",
            "cc",
            "this AWS CLI has no `configure export-credentials`; install version 2\n",
        ),
        (
            "echo '{}'",
            "cc",
            "the answer of `aws configure export-credentials --profile cc --format process` cannot be read\n",
        ),
    ] {
        let home = home_with(script);
        let run = exec(&home, &["--temporary", "--profile", profile]);
        let output = run.run().expect_code(1);
        assert_eq!(output.out(), "");
        assert_eq!(output.err(), lead(profile) + expected);
    }
    let home = home_that_answers(&answer("2020-01-01T00:00:00Z"));
    let output = exec(&home, &["--temporary", "--profile", "cc"]).run().expect_code(1);
    let beginning = "backlog-aws: profile 'cc' expired at 2020-01-01T00:00:00Z; ";
    assert!(output.err().starts_with(beginning), "{}", output.err());
    let bin = home.binary_on_path().parent().unwrap().to_owned();
    fs::remove_file(bin.join("aws")).unwrap();
    let run = home.invoke(["credentials", "--temporary", "--profile", "cc"]).env("PATH", bin);
    assert_eq!(
        run.run().expect_code(1).err(),
        lead("cc") + "`aws` is not on PATH to ask; install the AWS CLI, version 2\n"
    );
}

#[test]
fn credentials_of_another_account_than_the_wanted_one_are_refused() {
    let given = answer("2999-01-01T00:00:00Z").replace(KEY_IDS[0], "ASIAQNZGKIQY56JQ7WML");
    let home = home_that_answers(&given);
    home.allow("project", "profile = cc\naccount = 111122223333\n");
    // The files say 111122223333; the key that came says otherwise.
    let output = exec(&home, &["--temporary"]).cwd(home.path("project")).run().expect_code(1);
    let message = "profile 'cc': account 029608264753, but this directory wants 111122223333";
    assert!(output.err().contains(message), "{}", output.err());
}

#[test]
fn a_profile_that_leads_back_to_us_is_not_asked_for_twice() {
    // An `aws` that runs the credential_process of the role's source: it asks for the role again.
    let home = home_with(&format!(
        "exec {} credentials --temporary --profile \"$4\"",
        Sandbox::built_binary().display()
    ));
    let output = exec(&home, &["--temporary", "--profile", "role"]).run().expect_code(1);
    assert!(output.err().contains("it leads back to backlog-aws"), "{}", output.err());
    let words = fs::read_to_string(home.path("called.words")).unwrap();
    assert_eq!(words.matches("export-credentials").count(), 1, "{words}");
}

scenario! {
    fn ctrl_c_ends_the_asking_and_the_command_does_not_run(shell) {
        let home = home_with("echo asking > /dev/tty; exec sleep 600");
        let mut session = Session::builder(&home, shell).size(30, 300).spawn();
        session.send("backlog-aws exec --temporary --profile cc -- echo ran");
        session.key(Key::Enter);
        session.wait_for("asking");
        session.key(Key::CtrlC);
        session.wait_prompt();
        assert_ne!(session.status_of_last(), 0);
        assert!(!session.screen().contains("\nran"), "{}", session.screen());
    }
}

#[test]
fn the_hook_never_asks() {
    let home = home_that_answers(&answer("2999-01-01T00:00:00Z"));
    let mut session = Session::builder(&home, Shell::Bash).env("BACKLOG_AWS_PROFILE", "cc").spawn();
    session.line("cd /");
    session.line("backlog-aws status > /dev/null 2>&1");
    session.line("backlog-aws doctor > /dev/null 2>&1");
    session.output();
    assert!(!was_asked(&home));
}
