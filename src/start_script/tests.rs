//! The rules of the script's reader, one by one. tests/it/toolkit.rs has them played by a script.

use std::ffi::OsString;

use super::*;

const CONFIG: &str = "[profile bedrock]\nregion = eu-west-1\n";
const BLANKS: &str = "AWS_ACCESS_KEY_ID=''\nAWS_SECRET_ACCESS_KEY=''\n";

/// A profile with keys that have its name in them.
fn profile(name: &str) -> String {
    format!("[{name}]\naws_access_key_id = AKIA-{name}\naws_secret_access_key = s-{name}\n")
}

/// What is taken with these three files and variables: the profile or the key id, and the region; else why not.
fn taken(file: Option<&str>, credentials: &str, config: &str, env: &[(&str, &str)]) -> String {
    let read = ToolkitEnv::parse(file.unwrap_or_default().as_bytes());
    let script = StartScript {
        file: file.map(|text| (text.as_bytes(), &read)),
        credentials: Some(Zeroizing::new(credentials.as_bytes().to_vec())),
        config: Some(Zeroizing::new(config.as_bytes().to_vec())),
    };
    let env: Vec<(&str, OsString)> =
        env.iter().map(|(name, value)| (*name, value.into())).collect();
    let lookup =
        |name: &str| env.iter().find(|(known, _)| *known == name).map(|(_, value)| &**value);
    let start = script.native(&lookup);
    match start.taken {
        Taken::Keys(keys) => {
            let token = keys.session_token.map(|token| format!(" {}", token.reveal()));
            format!("{}{} {}", keys.access_key_id, token.unwrap_or_default(), start.region)
        }
        Taken::ApiKey(_) => "API key".to_owned(),
        Taken::Nothing => "nothing".to_owned(),
        Taken::NoStart => NONE.to_owned(),
        Taken::Other(what) => what,
    }
}

const NONE: &str = "does not start";

#[test]
fn aws_files_are_read_only_for_keys_that_its_file_names_and_nothing_fills() {
    let credentials = profile("bedrock");
    let wanted = [("BACKLOG_AWS_PROFILE", "bedrock")];
    let filled = [("AWS_ACCESS_KEY_ID", "K"), ("AWS_SECRET_ACCESS_KEY", "S")];
    for (file, env, expected) in [
        (None, &wanted[..], NONE),
        (Some("LITELLM_MASTER_KEY=x\n"), &wanted, NONE),
        (Some(BLANKS), &wanted, "AKIA-bedrock eu-west-1"),
        (Some("AWS_SECRET_ACCESS_KEY=\n"), &wanted, "AKIA-bedrock eu-west-1"),
        (Some("# AWS_ACCESS_KEY_ID=\n"), &wanted, "AKIA-bedrock eu-west-1"),
        (Some("unset AWS_ACCESS_KEY_ID\n"), &filled, "AKIA-bedrock eu-west-1"),
        (Some("AWS_ACCESS_KEY_ID=\"''\"\n"), &wanted, "AKIA-bedrock eu-west-1"),
        (None, &filled, "K us-east-1"),
        (Some("# AWS_ACCESS_KEY_ID=\n"), &filled, "K us-east-1"),
        (Some(BLANKS), &filled, "AKIA-bedrock eu-west-1"),
        (Some("AWS_ACCESS_KEY_ID=F\nAWS_SECRET_ACCESS_KEY=f\n"), &wanted, "F us-east-1"),
    ] {
        assert_eq!(taken(file, &credentials, CONFIG, env), expected, "{file:?} {env:?}");
    }
}

#[test]
fn the_profile_is_found_by_its_header_as_it_stands() {
    let two = |second: &str| format!("{}{second}", profile("luxito"));
    let sso = "[profile bedrock]\nsso_session = corp\n[profile luxito]\nregion = eu-north-1\n";
    for (credentials, config, wanted, expected) in [
        (two(&profile("bedrock")), CONFIG, "bedrock", "AKIA-bedrock eu-west-1"),
        (
            two(&profile("bedrock").replace('[', "[ ").replace(']', " ]")),
            CONFIG,
            "bedrock",
            "AKIA-luxito us-east-1",
        ),
        (
            two(&profile("bedrock").replace(']', "] # mine")),
            CONFIG,
            "bedrock",
            "AKIA-luxito us-east-1",
        ),
        (two(&profile("bedrock").to_uppercase()), CONFIG, "bedrock", "AKIA-luxito us-east-1"),
        (
            two(&profile("bedrock").replace("\naws", "\n aws")),
            CONFIG,
            "bedrock",
            "AKIA-luxito us-east-1",
        ),
        (two(&profile("bedrock")), sso, "bedrock", "AKIA-luxito eu-north-1"),
        (two(&profile("default")), CONFIG, "", "AKIA-luxito us-east-1"),
        (two(&profile("default")), CONFIG, "default", "AKIA-default us-east-1"),
        (
            format!("{}{}", profile("default"), profile("luxito")),
            CONFIG,
            "gone",
            "AKIA-default us-east-1",
        ),
        (two(&profile("a+b")), CONFIG, "a+b", "AKIA-luxito us-east-1"),
        (two(&profile("a.b")), CONFIG, "a.b", "AKIA-a.b us-east-1"),
        (two("[bedrock]\naws_access_key_id = AKIA-half\n"), CONFIG, "bedrock", NONE),
    ] {
        let env = [("AWS_PROFILE", wanted)];
        assert_eq!(
            taken(Some(BLANKS), &credentials, config, &env),
            expected,
            "{credentials}{config}"
        );
    }
}

#[test]
fn a_value_is_what_is_left_by_xargs() {
    for (value, expected) in [
        ("AKIA  ", "AKIA"),
        ("AKIA # mine", "AKIA # mine"),
        ("\"AKIA\"", "AKIA"),
        ("A'K'I\\A", "AKIA"),
        ("AKIA\r", "AKIA\r"),
        ("  ", ""),
        ("", "before"),
    ] {
        let credentials = format!(
            "[bedrock]\naws_access_key_id = before\naws_access_key_id ={value}\naws_secret_access_key = s\n"
        );
        let expected =
            if expected.is_empty() { NONE.to_owned() } else { format!("{expected} us-east-1") };
        assert_eq!(taken(Some(BLANKS), &credentials, "", &[]), expected, "{value:?}");
    }
}

#[test]
fn a_last_line_without_an_end_is_left_out() {
    let credentials = profile("bedrock");
    let open = credentials.trim_end();
    assert_eq!(taken(Some(BLANKS), open, "", &[("AWS_PROFILE", "bedrock")]), NONE);
    assert_eq!(taken(Some(BLANKS), open, "", &[]), NONE);
    let config = CONFIG.trim_end();
    assert_eq!(taken(Some(BLANKS), &credentials, config, &[]), "AKIA-bedrock us-east-1");
}

#[test]
fn tokens_and_regions_of_the_environment_stay() {
    let credentials = format!("{}aws_session_token = t\nregion = x\n", profile("bedrock"));
    let env = [("AWS_REGION", "eu-central-1"), ("AWS_SESSION_TOKEN", "old")];
    assert_eq!(taken(Some(BLANKS), &credentials, "", &env), "AKIA-bedrock old eu-central-1");
    assert_eq!(taken(Some(BLANKS), &credentials, "", &[]), "AKIA-bedrock us-east-1");
    assert_eq!(taken(Some(BLANKS), &credentials, CONFIG, &env), "AKIA-bedrock old eu-west-1");
}

#[test]
fn backlog_aws_profile_comes_before_aws_profile_and_the_file_before_both() {
    let credentials = format!("{}{}", profile("luxito"), profile("bedrock"));
    let both = [("BACKLOG_AWS_PROFILE", "bedrock"), ("AWS_PROFILE", "luxito")];
    assert_eq!(taken(Some(BLANKS), &credentials, "", &both), "AKIA-bedrock us-east-1");
    let file = format!("{BLANKS}BACKLOG_AWS_PROFILE=luxito\n");
    assert_eq!(taken(Some(&file), &credentials, "", &both), "AKIA-luxito us-east-1");
    let file = format!("{BLANKS}BACKLOG_AWS_PROFILE=$(x)\n");
    assert!(taken(Some(&file), &credentials, "", &both).contains("needs a shell"));
}

#[test]
fn what_ends_the_script_or_turns_litellm_is_said() {
    let keys = [("AWS_ACCESS_KEY_ID", "K"), ("AWS_SECRET_ACCESS_KEY", "S")];
    for (file, expected) in [
        ("AWS_BEARER_TOKEN_BEDROCK=t\n", "API key"),
        ("AWS_ROLE_NAME=\n", "has LiteLLM go by AWS_ROLE_NAME"),
        ("AWS_PROFILE_NAME=cc\n", "has LiteLLM go by AWS_PROFILE_NAME"),
        ("AWS_ACCESS_KEY_ID=\nANTHROPIC_API_KEY=k\n", "nothing"),
        (
            "AWS_ACCESS_KEY_ID=$(x)\n",
            "goes by AWS_ACCESS_KEY_ID in its file, which needs a shell to read",
        ),
    ] {
        assert_eq!(taken(Some(file), "", "", &keys), expected, "{file}");
    }
    assert_eq!(taken(None, "", "", &[("AWS_BEARER_TOKEN_BEDROCK", "t")]), NONE);
}
