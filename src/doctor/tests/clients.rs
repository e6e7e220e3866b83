//! Which identity each client takes.

use super::*;

const CONFIG: &str = "[profile cc]\nsso_session = corp\nregion = eu-central-1\n\
                      [profile bedrock]\nregion = eu-west-1\n";
/// Profile, key, region and whether it fails.
fn took(
    name: &str,
    env: &[(&str, &str)],
) -> (Option<String>, Option<String>, Option<String>, bool) {
    let client = Machine::new(CREDENTIALS, CONFIG).env(env).client(name);
    let fails = client.rule.contains("fails");
    (client.profile, client.access_key_id, client.region, fails)
}

const BEDROCK: &str = "AKIA************CK01";
const DEFAULT: &str = "AKIA************LT02";
const ENVIRONMENT: &str = "AKIA************NV03";

#[test]
fn one_shell_has_two_identities_when_keys_stand_beside_a_profile() {
    let env = with_keys(&[("AWS_PROFILE", "cc"), ("AWS_REGION", "us-east-2")]);
    assert_eq!(
        took("boto3", &env),
        (None, Some(ENVIRONMENT.to_owned()), Some("eu-central-1".to_owned()), false)
    );
    assert_eq!(
        took("litellm", &env),
        (None, Some(ENVIRONMENT.to_owned()), Some("us-east-2".to_owned()), false)
    );
    assert_eq!(
        took("claude-code", &env),
        (Some("cc".to_owned()), None, Some("us-east-2".to_owned()), false)
    );
}

#[test]
fn boto3_asks_for_its_default_profile_first_and_for_one_region_only() {
    let env = [("AWS_DEFAULT_PROFILE", "bedrock"), ("AWS_PROFILE", "cc"), ("AWS_REGION", "x")];
    assert_eq!(
        took("boto3", &env),
        (Some("bedrock".to_owned()), Some(BEDROCK.to_owned()), Some("eu-west-1".to_owned()), false)
    );
    assert_eq!(took("claude-code", &env).0, Some("cc".to_owned()));
    let env = [("AWS_DEFAULT_REGION", "y"), ("AWS_REGION", "x")];
    assert_eq!(
        took("boto3", &env),
        (Some("default".to_owned()), Some(DEFAULT.to_owned()), Some("y".to_owned()), false)
    );
}

#[test]
fn a_profile_that_does_not_exist_breaks_even_keys_in_the_environment() {
    let env = with_keys(&[("AWS_PROFILE", "gone")]);
    assert_eq!(took("boto3", &env), (Some("gone".to_owned()), None, None, true));
    assert!(took("boto3", &with_keys(&[("AWS_PROFILE", "")])).3);
    // Empty is unset in JavaScript.
    assert_eq!(
        took("claude-code", &with_keys(&[("AWS_PROFILE", "")])).1,
        Some(ENVIRONMENT.to_owned())
    );
}

#[test]
fn litellm_has_a_profile_variable_of_its_own_that_beats_keys() {
    let env = with_keys(&[("AWS_PROFILE_NAME", "bedrock"), ("AWS_PROFILE", "cc")]);
    assert_eq!(
        took("litellm", &env),
        (
            Some("bedrock".to_owned()),
            Some(BEDROCK.to_owned()),
            Some("eu-central-1".to_owned()),
            false
        )
    );
    let env = with_keys(&[
        ("AWS_PROFILE_NAME", "bedrock"),
        ("AWS_ROLE_NAME", "r"),
        ("AWS_REGION_NAME", "z"),
    ]);
    assert_eq!(took("litellm", &env), (None, None, Some("z".to_owned()), false));
}

#[test]
fn a_bearer_token_comes_before_everything() {
    for name in ["boto3", "litellm", "claude-code"] {
        let env = with_keys(&[("AWS_BEARER_TOKEN_BEDROCK", "t")]);
        assert_eq!(took(name, &env).1, None, "{name}");
    }
    let env = with_keys(&[("AWS_BEARER_TOKEN_BEDROCK", "")]);
    assert_eq!(took("litellm", &env).1, Some(ENVIRONMENT.to_owned()));
    assert_eq!(took("claude-code", &env).1, Some(ENVIRONMENT.to_owned()));
}

#[test]
fn boto3_signs_in_where_the_others_take_the_keys() {
    let config = "[profile bedrock]\nsso_session = corp\n";
    let machine = Machine::new(CREDENTIALS, config).env(&[("AWS_PROFILE", "bedrock")]);
    assert_eq!(machine.client("boto3").access_key_id, None);
    assert_eq!(machine.client("claude-code").access_key_id.as_deref(), Some(BEDROCK));
    assert!(machine.codes().contains(&Code::Boto3Differs));
}

#[test]
fn a_file_that_boto3_rejects_leaves_it_with_nothing() {
    let twice = format!("{CREDENTIALS}[default]\nregion = x\n");
    let boto3 = Machine::new(&twice, CONFIG).client("boto3");
    assert_eq!(boto3.access_key_id, None);
    assert_eq!(boto3.rule, "fails: it cannot read /home/u/.aws/credentials:7");
}

#[test]
fn claude_code_takes_the_profiles_region_and_boto3_a_web_identity_first() {
    let env = [("AWS_PROFILE", "cc")];
    assert_eq!(took("claude-code", &env).2.as_deref(), Some("eu-central-1"));
    assert_eq!(took("claude-code", &[]).2.as_deref(), Some("us-east-1"));
    let web = [("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), ("AWS_ROLE_ARN", "r")];
    for name in ["boto3", "litellm"] {
        let machine = Machine::new(CREDENTIALS, CONFIG).env(&[env[0], web[0], web[1]]);
        assert!(machine.client(name).rule.contains("WEB_IDENTITY"), "{name}");
        let keys = with_keys(&web);
        assert_eq!(took(name, &keys).1.as_deref(), Some(ENVIRONMENT), "{name}");
    }
}
