//! `status` and `list`: what people read and scripts parse.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use crate::harness::{KEY_IDS, Output, SECRETS, Sandbox};
use serde_json::{Value, json};

const SOURCES: [&str; 11] = [
    "pin",
    "directory",
    "rule",
    "ambient",
    "toolkit-env",
    "user-default",
    "toolkit-env-keys",
    "environment-keys",
    "aws-profile",
    "default",
    "first",
];

/// Candidate by candidate: the outcome.
fn outcomes(report: &Value) -> Vec<&str> {
    let candidates = report["candidates"].as_array().expect("it is a list");
    let sources: Vec<_> =
        candidates.iter().map(|candidate| candidate["source"].as_str().expect("a word")).collect();
    assert_eq!(sources, SOURCES, "all of them, in order");
    candidates.iter().map(|candidate| candidate["outcome"].as_str().expect("a word")).collect()
}

fn codes(report: &Value) -> Vec<&str> {
    let notices = report["notices"].as_array().expect("it is a list");
    notices.iter().map(|notice| notice["code"].as_str().expect("a word")).collect()
}

#[test]
fn the_json_report_is_the_documented_one() {
    let home = Sandbox::documented_home();
    let output = home.invoke(["status", "--json"]).env("AWS_PROFILE", "cc").run().expect_code(0);
    assert_eq!(output.err(), "", "notices are in the report");
    let report = output.json();
    let at = |file: &str, line: u32| format!("{}:{line}", home.path(file).display());
    let unset = |source: &str| json!({"source": source, "profile": null, "outcome": "unset"});
    let expected = json!({
        "schema": 2,
        "usable": true,
        "guess": true,
        "profile": "luxito",
        "source": "first",
        "region": "us-west-2",
        "region_source": "profile",
        "credentials": {"kind": "static", "access_key_id": "AKIA************MPLE", "account": null, "implausible": null, "expires_at": null},
        "override": null,
        "aws_profile": {"name": "cc", "kind": "sso"},
        "candidates": [
            unset("pin"),
            unset("directory"),
            unset("rule"),
            unset("ambient"),
            unset("toolkit-env"),
            unset("user-default"),
            unset("toolkit-env-keys"),
            unset("environment-keys"),
            {"source": "aws-profile", "profile": "cc", "outcome": "sso", "at": at(".aws/config", 1)},
            unset("default"),
            {"source": "first", "profile": "luxito", "outcome": "chosen", "at": at(".aws/credentials", 1)},
        ],
        "notices": report["notices"],
    });
    assert_eq!(report, expected);
    assert_eq!(codes(&report), ["aws-profile-sso", "auto-detected", "plain-start"]);
}

#[test]
fn a_pin_that_cannot_be_used_ends_the_chain() {
    let home = Sandbox::documented_home();
    for (profile, outcome, region, region_source) in
        [("cc", "sso", "eu-central-1", "profile"), ("nowhere", "missing", "us-east-1", "fallback")]
    {
        let run = home
            .invoke(["status", "--json"])
            .env("BACKLOG_AWS_PROFILE", profile)
            .env("AWS_PROFILE", "bedrock");
        let report = run.run().expect_code(1).json();
        assert_eq!(report["usable"], false);
        assert_eq!(report["profile"], profile);
        assert_eq!(report["source"], "pin");
        assert_eq!(report["credentials"], Value::Null);
        assert_eq!(
            (report["region"].as_str(), report["region_source"].as_str()),
            (Some(region), Some(region_source))
        );
        let mut expected = [outcome; 11];
        expected[1..].fill("not-reached");
        assert_eq!(outcomes(&report), expected);
        assert_eq!(
            report["candidates"][8]["profile"], "bedrock",
            "what would have come is named all the same"
        );
        assert_eq!(codes(&report), ["unusable"]);
    }
}

#[test]
fn nothing_usable_is_status_one_and_no_profile() {
    let home = Sandbox::new();
    let report = home.run(["status", "--json"]).expect_code(1).json();
    for name in ["profile", "source", "credentials", "override", "aws_profile"] {
        assert_eq!(report[name], Value::Null, "{name}");
    }
    assert_eq!(outcomes(&report), ["unset"; 11]);
    assert_eq!(codes(&report), ["none-found"]);
}

#[test]
fn keys_without_a_profile_are_reported_as_such() {
    let home = Sandbox::documented_home();
    let run = home
        .invoke(["status", "--json"])
        .env("AWS_ACCESS_KEY_ID", KEY_IDS[0])
        .env("AWS_SECRET_ACCESS_KEY", SECRETS[0])
        .env("AWS_SESSION_TOKEN", SECRETS[2])
        .env("AWS_DEFAULT_REGION", "eu-south-1")
        .env("AWS_PROFILE", "bedrock");
    let report = run.run().expect_code(0).json();
    assert_eq!(report["profile"], Value::Null);
    assert_eq!(report["source"], "environment-keys");
    assert_eq!(report["region_source"], "environment");
    assert_eq!(report["credentials"]["kind"], "temporary");
    assert_eq!(codes(&report), ["environment-keys-shadow", "plain-start"]);
    home.write(".backlog-toolkit-env", format!("AWS_BEARER_TOKEN_BEDROCK={}\n", SECRETS[2]));
    let report = home.run(["status", "--json"]).expect_code(0).json();
    assert_eq!(
        report["credentials"],
        json!({"kind": "bearer", "access_key_id": null, "account": null, "implausible": null, "expires_at": null})
    );
}

#[test]
fn how_long_temporary_credentials_last_is_said_beside_their_end() {
    let home = Sandbox::new();
    let end = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(10 * 24 + 12);
    home.write_private(
        ".aws/credentials",
        format!(
            "[session]\naws_access_key_id = {}\naws_secret_access_key = {}\naws_session_token = {}\n\
             expiration = {end}\n",
            KEY_IDS[0], SECRETS[0], SECRETS[2]
        ),
    );
    let output = home.run(["status"]).expect_code(0);
    assert!(output.out().contains(&format!(", until {end}, in 10 days\n")), "{}", output.out());
}

#[test]
fn a_name_that_is_not_utf8_does_not_break_the_report() {
    let home = Sandbox::documented_home();
    let name = OsString::from_vec(b"caf\xe9".to_vec());
    let report = home
        .invoke(["status", "--json"])
        .env("BACKLOG_AWS_PROFILE", &name)
        .run()
        .expect_code(1)
        .json();
    assert_eq!(report["profile"], "caf\u{fffd}");
    let output = home.invoke(["status"]).env("BACKLOG_AWS_PROFILE", name).run().expect_code(1);
    assert!(output.out().starts_with("caf\\xe9  cannot be used (pin)"), "{}", output.out());
}

#[test]
fn backlog_aws_alone_is_status() {
    let home = Sandbox::documented_home();
    let alone = home.run([""; 0]).expect_code(0);
    let status = home.run(["status"]).expect_code(0);
    assert_eq!(alone.out(), status.out());
    assert_eq!(alone.err(), status.err());
    assert!(alone.out().starts_with("luxito  (first: a guess)"), "{}", alone.out());
}

#[test]
fn notices_go_to_standard_error_and_quiet_keeps_the_errors() {
    let home = Sandbox::documented_home();
    let run = |quiet: &str, profile: &str| -> Output {
        home.invoke(["status"])
            .env("AWS_PROFILE", "cc")
            .env("BACKLOG_AWS_QUIET", quiet)
            .env("BACKLOG_AWS_PROFILE", profile)
            .run()
    };
    assert_eq!(run("0", "").err().lines().count(), 3);
    assert_eq!(run("1", "").err(), "");
    assert_eq!(run("1", "cc").err().lines().count(), 1);
}

#[test]
fn colour_is_for_terminals_and_on_request() {
    let home = Sandbox::documented_home();
    let escape = '\u{1b}';
    assert!(!home.run(["status"]).out().contains(escape));
    assert!(home.run(["status", "--color", "always"]).out().contains(escape));
    assert!(home.invoke(["list"]).env("CLICOLOR_FORCE", "1").run().out().contains(escape));
    let run = home.invoke(["status", "--color", "never"]).env("CLICOLOR_FORCE", "1");
    assert!(!run.run().out().contains(escape));
}

#[test]
fn list_shows_every_profile_in_file_order_and_marks_the_current_one() {
    let home = Sandbox::documented_home();
    let names = |words: &[&str]| home.run(words).expect_code(0).out().to_owned();
    assert_eq!(names(&["list", "--names"]), "luxito\nbedrock\ncc\n");
    assert_eq!(names(&["list", "--names", "--usable"]), "luxito\nbedrock\n");
    let report = home
        .invoke(["list", "--json"])
        .env("BACKLOG_AWS_PROFILE", "bedrock")
        .run()
        .expect_code(0)
        .json();
    let profiles = report["profiles"].as_array().expect("it is a list");
    assert_eq!(
        profiles[1],
        json!({
            "name": "bedrock", "kind": "static", "also": [], "region": "eu-west-1", "role_arn": null,
            "source_profile": null, "sso_session": null, "sso_start_url": null,
            "access_key_id": "AKIA************MPLE", "account": null, "expires_at": null, "current": true,
            "at": [format!("{}:6", home.path(".aws/credentials").display())],
        })
    );
    assert_eq!(profiles[2]["kind"], "sso");
    assert_eq!(profiles[2]["sso_session"], "corp");
    assert_eq!(profiles[2]["sso_start_url"], "https://corp.awsapps.com/start");
    assert_eq!(profiles.iter().filter(|profile| profile["current"] == true).count(), 1);
    let text = home.run(["list"]).expect_code(0);
    assert!(text.out().starts_with("* luxito "), "{}", text.out());
    assert_eq!(text.out().lines().count(), 3);
    home.run(["list", "--json", "--names"]).expect_code(2);
}

#[test]
fn a_list_without_usable_profiles_is_status_one() {
    let home = Sandbox::documented_home();
    home.remove(".aws/credentials");
    home.run(["list"]).expect_code(0);
    let output = home.run(["list", "--usable", "--names"]).expect_code(1);
    assert_eq!(output.out(), "");
}

#[test]
fn wrong_usage_is_status_two() {
    let home = Sandbox::documented_home();
    for words in [
        &["nonsense"][..],
        &["status", "extra"],
        &["init"],
        &["init", "tcsh"],
        &["init", "bash", "--hook", "never"],
        &["exec"],
        &["use", "a", "--clear"],
        &["--color", "sometimes"],
        &["hook"],
        &["hook", "tcsh", "1.1", "stamps"],
    ] {
        let output = home.run(words).expect_code(2);
        assert_eq!(output.out(), "", "{words:?}");
        assert!(!output.err().is_empty(), "{words:?}");
    }
}

#[test]
fn help_and_version_are_answers() {
    let home = Sandbox::documented_home();
    for words in [
        &["--help"][..],
        &["--version"],
        &["help"],
        &["use", "--help"],
        &["exec", "-h"],
        &["list", "--help"],
    ] {
        let output = home.run(words).expect_code(0);
        assert!(!output.out().is_empty() && output.err().is_empty(), "{words:?}");
    }
}
