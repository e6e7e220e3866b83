//! Temporary credentials for a profile without keys: the AWS CLI is asked for them, once, by a user who says
//! `--temporary` and names the profile. Nothing else starts a program to get credentials.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::iter::successors;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::aws::{Credentials, Kind, Profile};
use crate::error::{Failure, reason};
use crate::handover::is_identity;
use crate::resolve::Inputs;
use crate::secret::Secret;
use crate::text::{quoted, visible};
use crate::world::{World, on_path};

/// The profiles that are being asked for, in the environment of the AWS CLI: a `credential_process` can lead back here.
const ASKED_FOR: &str = "__BACKLOG_AWS_ASKED_FOR";

/// Enough to type the code of an MFA device.
const LIMIT: Duration = Duration::from_mins(1);

/// The longest answer that is read. Real ones have about one KiB.
const MAX_ANSWER_BYTES: u64 = 64 << 10;

/// What a command does about a profile without keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Temporary {
    /// It is refused.
    Refuse,
    /// It is refused, and `--temporary` is named.
    Name,
    Ask,
    /// What would be asked is checked as far as that goes without asking. The credentials are placeholders.
    Pretend,
}

/// The question to the AWS CLI.
pub fn question(profile: &str) -> [&str; 6] {
    ["configure", "export-credentials", "--profile", profile, "--format", "process"]
}

/// Asks for the credentials of a profile, in an environment without any other identity and with the user's own files.
///
/// # Errors
///
/// There is nobody to ask, or no answer; the text says why and what to do.
pub fn ask(
    profile: &Profile<'_>,
    pretend: bool,
    inputs: &Inputs<'_>,
    world: &World,
) -> Result<Credentials, Failure> {
    let name = profile.name();
    let failed = |why: &str| {
        Failure::Problem(format!("profile '{name}' gives no temporary credentials: {why}"))
    };
    let before = world.env.get(ASKED_FOR).and_then(OsStr::to_str).unwrap_or_default();
    if is_ourselves(profile) || before.split(' ').any(|asked| asked == name) {
        return Err(failed(
            "its credential_process leads back to backlog-aws; name the profile that has the credentials",
        ));
    }
    let Some(aws) = on_path(&world.env, OsStr::new("aws")) else {
        return Err(failed(
            "the AWS CLI is asked for them, and `aws` is not on PATH; install version 2",
        ));
    };
    if pretend {
        let secret = Secret::new("placeholder");
        return Ok(Credentials {
            access_key_id: "********".to_owned(),
            secret_access_key: secret.clone(),
            session_token: Some(secret),
            expires_at: None,
        });
    }
    let mut command = Command::new(&aws);
    command.args(question(name)).env(ASKED_FOR, format!("{before} {name}"));
    command.env("AWS_CLI_AUTO_PROMPT", "off");
    for variable in world.env.names().filter(|name| is_identity(name)) {
        command.env_remove(variable);
    }
    match run(command, LIMIT) {
        Err(error) => Err(failed(&format!("{} cannot be run: {}", visible(&aws), reason(&error)))),
        Ok(None) => Err(failed(&format!(
            "the AWS CLI took more than {} s; see what {} does",
            LIMIT.as_secs(),
            shown(name)
        ))),
        Ok(Some(output)) if output.status.success() => parse(&output.stdout)
            .ok_or_else(|| failed(&format!("the answer of {} cannot be read", shown(name)))),
        Ok(Some(output)) => Err(failed(&why(profile, inputs, &output.stderr))),
    }
}

/// The question as a command that can be pasted.
pub fn shown(profile: &str) -> String {
    format!("`aws {}`", question(&quoted(profile)).join(" "))
}

fn is_ourselves(profile: &Profile<'_>) -> bool {
    let process = profile.get("credential_process").unwrap_or_default();
    let mut words = process.split_whitespace().map(|word| word.trim_matches(['"', '\'']));
    words.any(|word| word.rsplit('/').next() == Some("backlog-aws"))
}

/// Runs a program to its end, with nothing on its standard input. `None` when that takes too long.
fn run(mut command: Command, limit: Duration) -> io::Result<Option<Output>> {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let stdout = read_aside(child.stdout.take());
    let stderr = read_aside(child.stderr.take());
    let end = Instant::now() + limit;
    let rest = || end.saturating_duration_since(Instant::now());
    if let Ok(stdout) = stdout.recv_timeout(rest())
        && let Ok(stderr) = stderr.recv_timeout(rest())
    {
        return Ok(Some(Output { status: child.wait()?, stdout, stderr }));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

fn read_aside(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read until an error counts too.
        let _ = pipe.map(|pipe| pipe.take(MAX_ANSWER_BYTES).read_to_end(&mut bytes));
        sender.send(bytes)
    });
    receiver
}

/// What AWS's tools expect of a `credential_process` ("Sourcing credentials with an external process").
fn parse(text: &[u8]) -> Option<Credentials> {
    let answer: Value = serde_json::from_slice(text).ok()?;
    let text = |name: &str| answer[name].as_str().filter(|text| !text.is_empty());
    let end = text("Expiration").map(str::parse).transpose().ok()?;
    let credentials = Credentials {
        access_key_id: text("AccessKeyId")?.to_owned(),
        secret_access_key: Secret::new(text("SecretAccessKey")?),
        session_token: text("SessionToken").map(Secret::new),
        expires_at: end,
    };
    (answer["Version"] == 1).then_some(credentials)
}

/// Why the AWS CLI gave nothing, from what it said, and what to do.
fn why(profile: &Profile<'_>, inputs: &Inputs<'_>, said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    let words: Vec<&str> = said.split_whitespace().collect();
    let said = match words.join(" ") {
        said if said.is_empty() => "the AWS CLI says nothing".to_owned(),
        said => visible(said.trim_end_matches('.').chars().take(300).collect::<String>()),
    };
    let low = said.to_lowercase();
    if low.contains("invalid choice") {
        return "this AWS CLI has no `configure export-credentials`; install version 2".to_owned();
    }
    let source = |profile: &&Profile<'_>| inputs.profiles.get(profile.source_profile()?);
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
    fn a_program_that_takes_too_long_is_ended() {
        let mut command = Command::new("sleep");
        command.arg("600");
        assert!(run(command, Duration::from_millis(10)).unwrap().is_none());
    }

    #[test]
    fn a_program_that_says_too_much_is_cut_off() {
        let output = run(Command::new("yes"), LIMIT).unwrap().expect("it ends");
        assert_eq!(output.stdout.len() as u64, MAX_ANSWER_BYTES);
    }

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
