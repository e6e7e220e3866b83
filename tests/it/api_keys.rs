//! Bedrock API keys: what they say about themselves is shown, an expired one is refused, and new ones are made.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::thread::sleep;
use std::time::Duration;

use base64::Engine as _;
use serde_json::json;

use crate::harness::{KEY_IDS, SECRETS, Sandbox, Session, api_key, parse_environment, scenario};

const TOKEN: &str = "AWS_BEARER_TOKEN_BEDROCK";

/// As AWS makes them for a user of its own making; what follows the colon opens nothing.
fn long_lived() -> String {
    let text = "BedrockAPIKey-abcd-at-123456789012:EXAMPLE";
    format!("ABSK{}", base64::engine::general_purpose::STANDARD.encode(text))
}

#[test]
fn what_a_key_says_is_shown_and_the_key_is_not() {
    let home = Sandbox::documented_home();
    let short = api_key("eu-west-1", 3600);
    for (key, credentials) in [
        (
            &short,
            json!({"kind": "bearer", "access_key_id": null, "account": "029608264753", "implausible": null}),
        ),
        (
            &long_lived(),
            json!({"kind": "bearer", "access_key_id": null, "account": "123456789012", "implausible": null,
                   "expires_at": null}),
        ),
        (
            &"unknown".to_owned(),
            json!({"kind": "bearer", "access_key_id": null, "account": null, "implausible": null, "expires_at": null}),
        ),
    ] {
        let run = |words: &[&str]| home.invoke(words).env(TOKEN, key).run();
        let report = run(&["status", "--json"]).expect_code(0).json();
        let mut found = report["credentials"].clone();
        if *key == short {
            let end = found.as_object_mut().unwrap().remove("expires_at").unwrap();
            let end: jiff::Timestamp = end.as_str().unwrap().parse().unwrap();
            assert!(end > jiff::Timestamp::now());
            assert_eq!(
                (&report["region"], &report["region_source"]),
                (&json!("eu-west-1"), &json!("api-key"))
            );
        }
        assert_eq!(found, credentials);
        for command in ["status", "doctor"] {
            let output = run(&[command]);
            let account = credentials["account"].as_str().unwrap_or(" a Bedrock API key");
            assert!(format!(" {}", output.out()).contains(account), "{}", output.out());
            let shown = output.out().to_owned() + output.err();
            assert!(!shown.contains(key.as_str()) || key == "unknown", "{shown}");
        }
    }
    let doctor = home.invoke(["doctor"]).env(TOKEN, long_lived()).run();
    let line = "AWS_BEARER_TOKEN_BEDROCK (a Bedrock API key of BedrockAPIKey-abcd) is set: ";
    assert!(doctor.out().contains(line), "{}", doctor.out());
}

#[test]
fn a_key_for_another_region_is_named() {
    let home = Sandbox::documented_home();
    let run = home.invoke(["exec", "--", "true"]).env(TOKEN, api_key("eu-west-1", 3600));
    assert_eq!(
        run.env("AWS_REGION", "us-east-2").run().expect_code(0).err(),
        "backlog-aws: the Bedrock API key is for eu-west-1, and not for us-east-2 (environment); \
         `backlog-aws exec --region eu-west-1`, or make another key\n"
    );
    let run = home.invoke(["exec", "--", "true"]).env(TOKEN, api_key("eu-west-1", 3600));
    let run = run.env("AWS_REGION", "us-east-2").env("BACKLOG_AWS_REGION", "eu-west-1");
    assert_eq!(run.run().expect_code(0).err(), "");
}

#[test]
fn an_expired_key_is_refused_and_no_profile_is_taken_instead() {
    let home = Sandbox::documented_home();
    let output =
        home.invoke(["exec", "--", "echo", "ran"]).env(TOKEN, api_key("eu-west-1", 0)).run();
    let output = output.expect_code(1);
    assert_eq!(output.out(), "");
    let beginning = "backlog-aws: AWS_BEARER_TOKEN_BEDROCK expired at 20";
    assert!(output.err().starts_with(beginning), "{}", output.err());
    home.write(".backlog-toolkit-env", format!("{TOKEN}='{}'\n", api_key("eu-west-1", 0)));
    let output = home.run(["exec", "--", "echo", "ran"]).expect_code(1);
    assert_eq!(output.out(), "");
    let beginning = "backlog-aws: AWS_BEARER_TOKEN_BEDROCK expired at 20";
    assert!(output.err().starts_with(beginning), "{}", output.err());
}

scenario! {
    /// The shell watches whether there is a key, and not its text: the clock tells when to look again, and then every
    /// prompt does until there is a new one.
    fn a_key_that_runs_out_while_the_prompt_sits_is_noticed_and_so_is_its_successor(shell) {
        let home = Sandbox::documented_home();
        let mut session = Session::builder(&home, shell).size(30, 300).spawn();
        session.export(TOKEN, api_key("eu-west-1", 10));
        session.settle_hook();
        sleep(Duration::from_secs(10));
        assert!(session.line("").text.contains("AWS_BEARER_TOKEN_BEDROCK expired at"));
        assert!(!session.is_unchanged(), "{}", shell.name());
        session.export(TOKEN, api_key("eu-west-1", 3600));
        session.line("");
        assert_eq!(session.line("echo $BACKLOG_AWS_REGION").text, "eu-west-1");
        session.settle_hook();
    }
}

/// The address in a short-lived key.
fn url_in(key: &str) -> String {
    let code = key.strip_prefix("bedrock-api-key-").expect("it is short-lived");
    let bytes = base64::engine::general_purpose::STANDARD.decode(code).expect("it is base 64");
    String::from_utf8(bytes).expect("it is an address")
}

fn parameter<'a>(url: &'a str, name: &str) -> &'a str {
    let mut parameters = url.split(['?', '&']);
    parameters
        .find_map(|parameter| parameter.strip_prefix(name)?.strip_prefix('='))
        .unwrap_or_else(|| panic!("{url} has no {name}"))
}

/// What `credentials --format bearer` prints with these words.
fn printed(home: &Sandbox, words: &[&str]) -> String {
    let run = home.invoke(["credentials", "--format", "bearer"].iter().chain(words));
    let output = run.run().expect_code(0);
    assert_eq!(output.err(), "");
    url_in(output.out().strip_suffix('\n').expect("a line"))
}

#[test]
fn a_key_in_place_of_the_keys_is_all_that_the_command_gets() {
    let home = Sandbox::documented_home();
    let words = ["exec", "--bearer", "--for", "90m", "--profile", "bedrock", "--", "env", "-0"];
    // The harness sees to it that no secret and no key id is printed.
    let run = home.invoke(words).env("AWS_PROFILE", "cc").env("AWS_REGION", "us-west-1");
    let run = run.env(TOKEN, "").env("AWS_DEFAULT_PROFILE", "cc").env("AWS_SESSION_TOKEN", "wrong");
    let output = run.run().expect_code(0);
    let mut given = parse_environment(&output.stdout);
    let key = given.remove(OsStr::new(TOKEN)).expect("the key").into_string().unwrap();
    let mut expected: BTreeMap<_, _> = home.environment().into_iter().collect();
    for (name, value) in [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("AWS_REGION_NAME", "eu-west-1"),
        ("BACKLOG_AWS_REGION", "eu-west-1"),
        ("BACKLOG_AWS_SOURCE", "pin"),
    ] {
        expected.insert(name.into(), value.into());
    }
    assert_eq!(given, expected);
    let url = url_in(&key);
    let credential = parameter(&url, "X-Amz-Credential");
    assert!(credential.starts_with(KEY_IDS[0]), "{url}");
    assert!(credential.ends_with("%2Feu-west-1%2Fbedrock%2Faws4_request"), "{url}");
    assert_eq!(parameter(&url, "X-Amz-Expires"), "5400");
    assert!(url.starts_with("bedrock.amazonaws.com/?Action=CallWithBearerToken&"), "{url}");
    assert!(url.ends_with("&Version=1") && !url.contains("X-Amz-Security-Token"), "{url}");
}

#[test]
fn a_key_lasts_as_long_as_is_said_and_not_longer_than_its_credentials() {
    let home = Sandbox::documented_home();
    let end = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(100);
    let credentials = fs::read_to_string(home.path(".aws/credentials")).unwrap();
    home.write_private(
        ".aws/credentials",
        format!(
            "{credentials}[session]\naws_access_key_id = {}\naws_secret_access_key = {}\n\
             aws_session_token = {}\naws_session_expiration = {end}\n",
            KEY_IDS[1], SECRETS[1], SECRETS[2]
        ),
    );
    let seconds = |words: &[&str]| parameter(&printed(&home, words), "X-Amz-Expires").to_owned();
    for (words, expected) in [
        (&["-p", "bedrock"][..], "3600"),
        (&["-p", "bedrock", "--for", "12h"], "43200"),
        (&["-p", "bedrock", "--for", "1h30m"], "5400"),
        (&["-p", "session"], "3600"),
    ] {
        assert_eq!(seconds(words), expected, "{words:?}");
    }
    let rest: u32 = seconds(&["-p", "session", "--for", "12h"]).parse().unwrap();
    assert!(rest <= 6000, "{rest}");
    let url = printed(&home, &["-p", "session", "--for", "12h"]);
    assert_eq!(parameter(&url, "X-Amz-Security-Token"), SECRETS[2]);
    for (words, why) in [
        (&["exec", "--bearer", "--for", "13h", "--", "true"][..], "AWS takes 12h at most"),
        (&["exec", "--bearer", "--for", "0s", "--", "true"], "AWS takes 12h at most"),
        (&["exec", "--bearer", "--for", "soon", "--", "true"], "write it like 1h"),
        (&["exec", "--for", "1h", "--", "true"], "--bearer"),
        (&["credentials", "--for", "1h"], "--for goes with --format bearer"),
    ] {
        let output = home.run(words).expect_code(2);
        assert!(output.err().contains(why), "{words:?}: {}", output.err());
    }
}

#[test]
fn a_key_that_is_there_already_is_handed_on_and_a_dry_run_shows_a_new_one() {
    let home = Sandbox::documented_home();
    let key = api_key("eu-west-1", 3600);
    let run = home.invoke(["credentials", "--format", "bearer"]).env(TOKEN, &key);
    assert_eq!(run.run().expect_code(0).out(), format!("{key}\n"));
    let output = home.run(["exec", "--dry-run", "--bearer", "-p", "bedrock"]).expect_code(0);
    let mut lines = output.out().lines();
    assert!(lines.next().is_some_and(|line| line.starts_with("as      bedrock (static, AKIA*")));
    assert!(
        lines.next().is_some_and(
            |line| line.starts_with("key     a Bedrock API key for eu-west-1, until 20")
        )
    );
    assert_eq!(lines.next(), Some("set     AWS_BEARER_TOKEN_BEDROCK=********"));
    assert_eq!(lines.next(), Some("set     AWS_REGION=eu-west-1"));
}
