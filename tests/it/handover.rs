//! What the command of `exec` gets: the chosen credentials, and nothing that contradicts them.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use crate::harness::{Invocation, KEY_IDS, SECRETS, Sandbox, parse_environment};

const TOKEN: &str = SECRETS[2];

/// Every variable by which some AWS client takes an identity or a region, set to something wrong. Half a key pair, so
/// that the environment is no candidate itself.
const HOSTILE: [(&str, &str); 37] = [
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
    ("AWS_ACCESS_KEY", "wrong"),
    ("AWS_SECRET_KEY", "wrong"),
    ("SECRET_ACCESS_KEY", "wrong"),
    ("AWS_AUTH_SCHEME_PREFERENCE", "wrong"),
    ("AWS_BEARER_TOKEN_S3", "wrong"),
    ("BEDROCK_MANTLE_API_KEY", "wrong"),
    ("BEDROCK_MANTLE_REGION", "wrong"),
    ("BOTO_CONFIG", "wrong"),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "wrong"),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "wrong"),
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

/// Asserts that the child got `given` and what every process of the sandbox has, and no other variable.
#[track_caller]
fn assert_child_gets(home: &Sandbox, run: Invocation<'_>, given: &[(&str, &str)]) {
    let mut expected: BTreeMap<_, _> = home.environment().into_iter().collect();
    for (name, value) in KEPT.iter().chain(given) {
        expected.insert(name.into(), value.into());
    }
    let found = parse_environment(&run.run().expect_code(0).stdout);
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

// The chain, step by step.

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
    let state = hook.out().split("__BACKLOG_AWS_STATE '").nth(1).expect("the hook keeps a state");
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
        "auth_scheme_preference = httpBearerAuth\n",
        // boto3 cannot read a file with a section that stands there twice.
        "[bedrock]\noutput = json\n",
    ] {
        let home = Sandbox::documented_home();
        let credentials = fs::read_to_string(home.path(".aws/credentials")).unwrap();
        // Its section is the last.
        home.write(".aws/credentials", credentials + more);
        let run = hostile_exec(&home, &["--profile", "bedrock"]).env("AWS_PROFILE", "cc");
        let mut given = profile("bedrock", "pin", "eu-west-1");
        given.retain(|(name, _)| *name != "AWS_PROFILE");
        assert_child_gets(&home, run, &given);
        let shown = home.run(["exec", "--dry-run", "--profile", "bedrock"]).expect_code(0);
        assert!(
            shown.out().contains("\nomit    AWS_PROFILE: given the name bedrock, boto3 "),
            "{}",
            shown.out()
        );
    }
}

#[test]
fn what_moves_requests_elsewhere_stays_and_is_named() {
    let home = Sandbox::documented_home();
    let shown = home
        .invoke(["exec", "--dry-run"])
        .env("AWS_ENDPOINT_URL_STS", "http://localhost:4000")
        .run()
        .expect_code(0);
    assert!(
        shown.out().contains("\nkeep    AWS_ENDPOINT_URL_STS, which moves where requests go\n"),
        "{}",
        shown.out()
    );
    let told = home
        .invoke(["exec", "--", "/bin/true"])
        .env("ANTHROPIC_AWS_API_KEY", "example")
        .run()
        .expect_code(0);
    assert!(told.err().contains("ANTHROPIC_AWS_API_KEY stays"), "{}", told.err());
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
    let found = parse_environment(&run.run().expect_code(0).stdout);
    assert_eq!(found.get(OsStr::from_bytes(b"CAF\xc9")), Some(&strange));
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
    assert!(output.err().contains("profile 'old' expired at 2001-01-01"), "{}", output.err());
    let run = hostile_exec(&home, &[]).env("AWS_PROFILE", "old");
    assert_child_gets(&home, run, &profile("luxito", "first", "us-west-2"));
}
