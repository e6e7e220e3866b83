//! `credentials`: the answer's keys on standard output, in the formats of `aws configure export-credentials`.
//!
//! The one command that shows secrets, because showing them is what it was asked for.

use std::borrow::Cow;
use std::io::Write;

use jiff::Timestamp;
use serde::Serialize;

use crate::aws::Credentials;
use crate::bearer::exchange;
use crate::choice::{print_concerns, resolve_for_command};
use crate::cli::{self, Format};
use crate::error::{Done, Failure};
use crate::resolve::Identity;
use crate::secret::Secret;
use crate::shell::{Shell, quote};
use crate::text::write_json;
use crate::world::World;

/// Prints the credentials.
pub fn run(args: &cli::CredentialsArgs, world: &World, out: &mut dyn Write) -> Done {
    // It never asks: as a `credential_process` it runs inside of other programs, some of which lend it their terminal.
    let (_, mut resolution) = resolve_for_command(&args.choice, None, world)?;
    print_concerns(&resolution, world);
    match (args.format, args.life) {
        (Format::Bearer, life) => exchange(&mut resolution, life, world.now),
        (_, None) => {}
        (_, Some(_)) => {
            let why = "--for goes with --format bearer; add that, or leave it out";
            return Err(Failure::Usage(why.to_owned()));
        }
    }
    let region = args.choice.region.as_ref();
    if region.is_some() && args.format == Format::Process {
        let why = "`--format process` has no place for a region; set `region` in its profile";
        return Err(Failure::Usage(why.to_owned()));
    }
    let of_region = ["AWS_REGION", "AWS_DEFAULT_REGION"]
        .into_iter()
        .filter_map(|name| Some((name, region?.as_str().into())));
    match (resolution.answer.identity().ok_or(Failure::Explained)?, args.format) {
        (Identity::Profile { credentials, .. } | Identity::Keys(credentials), Format::Process) => {
            write_json(out, &ProcessAnswer::of(credentials))?;
        }
        (Identity::Profile { credentials, .. } | Identity::Keys(credentials), format) => {
            let variables: Vec<_> = variables(credentials).into_iter().chain(of_region).collect();
            lines(&variables, format, out)?;
        }
        (Identity::BearerToken(_), Format::Process) => {
            return Err(Failure::Problem(
                "a Bedrock API key is no credential_process answer; use `--format env`, or `backlog-aws exec`".to_owned(),
            ));
        }
        (Identity::BearerToken(key), Format::Bearer) => writeln!(out, "{}", key.token.reveal())?,
        (Identity::BearerToken(key), format) => {
            let token = ("AWS_BEARER_TOKEN_BEDROCK", key.token.reveal().into());
            let variables: Vec<_> = [token].into_iter().chain(of_region).collect();
            lines(&variables, format, out)?;
        }
    }
    Ok(0)
}

/// The JSON that AWS's tools expect from a `credential_process` ("Sourcing credentials with an external process").
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ProcessAnswer<'a> {
    version: u8,
    access_key_id: &'a str,
    secret_access_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration: Option<String>,
}

impl<'a> ProcessAnswer<'a> {
    fn of(credentials: &'a Credentials) -> Self {
        Self {
            version: 1,
            access_key_id: &credentials.access_key_id,
            secret_access_key: credentials.secret_access_key.reveal(),
            session_token: credentials.session_token.as_ref().map(Secret::reveal),
            expiration: credentials.expires_at.map(iso),
        }
    }
}

fn variables(credentials: &Credentials) -> Vec<(&'static str, Cow<'_, str>)> {
    let token = credentials.session_token.as_ref().map(Secret::reveal);
    let end = credentials.expires_at.map(iso);
    let mut variables = vec![
        ("AWS_ACCESS_KEY_ID", credentials.access_key_id.as_str().into()),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key.reveal().into()),
    ];
    variables.extend(token.map(|token| ("AWS_SESSION_TOKEN", token.into())));
    variables.extend(end.map(|end| ("AWS_CREDENTIAL_EXPIRATION", end.into())));
    variables
}

fn lines(
    variables: &[(&str, Cow<'_, str>)],
    format: Format,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let (lead, assign, shell) = match format {
        Format::Env => ("export ", "=", Some(Shell::Bash)),
        Format::Fish => ("set -gx ", " ", Some(Shell::Fish)),
        Format::EnvNoExport | Format::Dotenv | Format::Process | Format::Bearer => ("", "=", None),
    };
    let holds = |value: &str| shell.is_some() || !value.contains(char::is_control);
    if let Some((name, _)) = variables.iter().find(|(_, value)| !holds(value)) {
        // These formats have no quoting, so a line end would start another variable.
        return Err(Failure::Problem(format!(
            "{name} contains a line end or control character, which this format cannot hold; fix the AWS file, or use `--format env`"
        )));
    }
    for (name, value) in variables {
        let mut line = format!("{lead}{name}{assign}").into_bytes();
        // What AWS issues needs no quotes, and then the lines are the AWS CLI's to the byte. What a file says may.
        let plain = value.chars().all(|c| c.is_ascii_alphanumeric() || "_-+/=.:@%,".contains(c));
        match shell {
            Some(shell) if !plain => quote(shell, &**value, &mut line),
            _ => line.extend_from_slice(value.as_bytes()),
        }
        line.push(b'\n');
        out.write_all(&line)?;
    }
    Ok(())
}

/// Python's `isoformat`, as the AWS CLI prints times.
fn iso(end: Timestamp) -> String {
    end.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}
