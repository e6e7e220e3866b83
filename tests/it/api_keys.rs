//! Bedrock API keys: what they say about themselves is shown, and an expired one is refused.

use std::thread::sleep;
use std::time::Duration;

use base64::Engine as _;
use serde_json::json;

use crate::harness::{Sandbox, Session, api_key, scenario};

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
            json!({"kind": "bearer", "access_key_id": null, "account": "029608264753", "implausible": null,
                   "region": "eu-west-1"}),
        ),
        (
            &long_lived(),
            json!({"kind": "bearer", "access_key_id": null, "account": "123456789012", "implausible": null,
                   "expires_at": null, "user": "BedrockAPIKey-abcd"}),
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
    let line = "the toolkit gets a Bedrock API key of BedrockAPIKey-abcd (environment-keys), account 123456789012, region us-east-1";
    assert!(doctor.out().contains(line), "{}", doctor.out());
    let line = "AWS_BEARER_TOKEN_BEDROCK (of BedrockAPIKey-abcd, account 123456789012) is set: ";
    assert!(doctor.out().contains(line), "{}", doctor.out());
}

#[test]
fn a_key_for_another_region_is_named() {
    let home = Sandbox::documented_home();
    let run = home.invoke(["exec", "--", "true"]).env(TOKEN, api_key("eu-west-1", 3600));
    assert_eq!(
        run.env("AWS_REGION", "us-east-2").run().expect_code(0).err(),
        "backlog-aws: the Bedrock API key opens eu-west-1 only, and the region here is us-east-2 (environment); \
         `export BACKLOG_AWS_REGION=eu-west-1`, or make a key for the other region\n"
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
    let beginning = "backlog-aws: the Bedrock API key in the environment expired at 20";
    assert!(output.err().starts_with(beginning), "{}", output.err());
    home.write(".backlog-toolkit-env", format!("{TOKEN}='{}'\n", api_key("eu-west-1", 0)));
    let output = home.run(["exec", "--", "echo", "ran"]).expect_code(1);
    assert_eq!(output.out(), "");
    let beginning = "backlog-aws: the Bedrock API key in ~/.backlog-toolkit-env expired at 20";
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
        assert!(session.line("").text.contains("the Bedrock API key in the environment expired at"));
        assert!(!session.is_unchanged(), "{}", shell.name());
        session.export(TOKEN, api_key("eu-west-1", 3600));
        session.line("");
        assert_eq!(session.line("echo $BACKLOG_AWS_REGION").text, "eu-west-1");
        session.settle_hook();
    }
}
