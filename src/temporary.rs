//! Temporary credentials for a profile without keys: the AWS CLI is asked for them, once, by a user who says
//! `--temporary` and names the profile. Nothing else starts a program to get credentials.

use std::ffi::OsStr;
use std::iter::successors;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::aws::{Credentials, Kind, Profile};
use crate::error::{Failure, reason};
use crate::handover::is_identity;
use crate::resolve::Inputs;
use crate::secret::Secret;
use crate::text::{quoted, visible};
use crate::world::{World, on_path, own_files};

/// The profiles that are being asked for, in the environment of the AWS CLI: a `credential_process` can lead back here.
const ASKED_FOR: &str = "__BACKLOG_AWS_ASKED_FOR";

/// The question to the AWS CLI.
fn question(profile: &str) -> [&str; 6] {
    ["configure", "export-credentials", "--profile", profile, "--format", "process"]
}

/// Asks for the credentials of a profile, in an environment without any other identity and with the user's own files.
///
/// A dry run checks as far as that goes without asking, and its credentials are placeholders.
///
/// # Errors
///
/// There is nobody to ask, or no answer; the text says why and what to do.
pub fn ask(
    profile: &Profile<'_>,
    dry_run: bool,
    inputs: &Inputs<'_>,
    world: &World,
) -> Result<Credentials, Failure> {
    let name = profile.name();
    let failed =
        |why: &str| Failure::Problem(format!("no temporary credentials for '{name}': {why}"));
    let before = world.env.get(ASKED_FOR).and_then(OsStr::to_str).unwrap_or_default();
    if before.split(' ').any(|asked| asked == name) {
        return Err(failed("it leads back to backlog-aws; name the profile that has the keys"));
    }
    let Some(aws) = on_path(&world.env, OsStr::new("aws")) else {
        return Err(failed("`aws` is not on PATH to ask; install the AWS CLI, version 2"));
    };
    if dry_run {
        return Ok(Credentials {
            access_key_id: "********".to_owned(),
            secret_access_key: Secret::new("-"),
            session_token: Some(Secret::new("-")),
            expires_at: None,
        });
    }
    let mut command = Command::new(&aws);
    command.args(question(name)).env(ASKED_FOR, format!("{before} {name}"));
    command.env("AWS_CLI_AUTO_PROMPT", "off");
    for variable in world.env.names().filter(|name| is_identity(name)) {
        command.env_remove(variable);
    }
    command.envs(own_files(&world.env));
    match command.stdin(Stdio::null()).output() {
        Err(error) => Err(failed(&format!("{} cannot be run: {}", visible(&aws), reason(&error)))),
        Ok(output) if output.status.success() => parse(&output.stdout)
            .ok_or_else(|| failed(&format!("the answer of {} cannot be read", shown(name)))),
        Ok(output) => Err(failed(&why(profile, inputs, &output.stderr))),
    }
}

/// The question as a command that can be pasted.
pub fn shown(profile: &str) -> String {
    format!("`aws {}`", question(&quoted(profile)).join(" "))
}

/// What AWS's tools expect of a `credential_process` ("Sourcing credentials with an external process").
fn parse(text: &[u8]) -> Option<Credentials> {
    let answer: Value = serde_json::from_slice(text).ok()?;
    let text = |name: &str| answer[name].as_str().filter(|text| !text.is_empty());
    let expires_at = text("Expiration").map(str::parse).transpose().ok()?;
    let access_key_id = text("AccessKeyId")?.to_owned();
    let secret_access_key = Secret::new(text("SecretAccessKey")?);
    let session_token = text("SessionToken").map(Secret::new);
    let whole = Credentials { access_key_id, secret_access_key, session_token, expires_at };
    (answer["Version"] == 1).then_some(whole)
}

/// Why the AWS CLI gave nothing, from what it said, and what to do.
fn why(profile: &Profile<'_>, inputs: &Inputs<'_>, said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = match words.trim_end_matches('.') {
        "" => "the AWS CLI says nothing".to_owned(),
        said => visible(said.chars().take(300).collect::<String>()),
    };
    let low = words.to_lowercase();
    if low.contains("invalid choice") {
        return "this AWS CLI has no `configure export-credentials`; install version 2".to_owned();
    }
    let source = |profile: &&Profile<'_>| inputs.profiles.get(profile.non_empty("source_profile")?);
    let mut sources = successors(Some(profile), source).take(9);
    let signs_in = sources.find(|profile| matches!(profile.kind(), Kind::Sso | Kind::Login));
    let remedy = match signs_in.map(|profile| (profile.kind(), quoted(profile.name()))) {
        Some((Kind::Sso, name)) if low.contains("sso") => {
            format!("sign in with `aws sso login --profile {name}`")
        }
        Some((Kind::Login, name)) => format!("sign in with `aws login --profile {name}`"),
        _ => format!("see what `aws sts get-caller-identity --profile {}` says", profile.name()),
    };
    format!("{said}; {remedy}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_answer_of_version_1_is_taken() {
        let whole = r#"{"Version": 1, "AccessKeyId": "ASIAIOSFODNN7EXAMPLE", "SecretAccessKey": "s",
                        "SessionToken": "t", "Expiration": "2030-01-02T03:04:05+00:00", "AccountId": "1"}"#;
        let credentials = parse(whole.as_bytes()).expect("it is whole");
        assert_eq!(credentials.access_key_id, "ASIAIOSFODNN7EXAMPLE");
        assert_eq!(credentials.expires_at, "2030-01-02T03:04:05Z".parse().ok());
        assert!(credentials.session_token.is_some());
        let keys =
            r#"{"Version": 1, "AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "s"}"#;
        assert!(parse(keys.as_bytes()).is_some_and(|keys| keys.session_token.is_none()));
        for (part, other) in [
            ("\"Version\": 1", "\"Version\": 2"),
            ("\"Version\": 1,", ""),
            ("\"AccessKeyId\"", "\"Access\""),
            ("\"ASIAIOSFODNN7EXAMPLE\"", "\"\""),
            ("\"s\"", "\"\""),
            ("2030-01-02", "soon"),
            ("}", ""),
        ] {
            assert!(whole.contains(part));
            assert!(parse(whole.replace(part, other).as_bytes()).is_none(), "{other}");
        }
    }
}
