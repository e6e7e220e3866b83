//! `credentials`: the answer's keys on standard output, in the formats of `aws configure export-credentials`.
//!
//! The one command that shows secrets, because showing them is what it was asked for.

use std::borrow::Cow;
use std::io::Write;

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
    let region = args.choice.region.as_deref();
    match args.format {
        Format::Bearer => exchange(&mut resolution, args.life, world.now),
        _ if args.life.is_some() => {
            let why = "--for goes with --format bearer; add that, or leave it out";
            return Err(Failure::Usage(why.to_owned()));
        }
        Format::Process if region.is_some() => {
            let why = "`--format process` has no place for a region; set `region` in its profile";
            return Err(Failure::Usage(why.to_owned()));
        }
        _ => {}
    }
    let mut variables: Vec<(&str, Cow<'_, str>)> = Vec::new();
    match (resolution.answer.identity().ok_or(Failure::Explained)?, args.format) {
        (Identity::Profile { credentials, .. } | Identity::Keys(credentials), format) => {
            let answer = ProcessAnswer::of(credentials);
            if format == Format::Process {
                write_json(out, &answer)?;
                return Ok(0);
            }
            variables.extend([
                ("AWS_ACCESS_KEY_ID", answer.access_key_id.into()),
                ("AWS_SECRET_ACCESS_KEY", answer.secret_access_key.into()),
            ]);
            variables.extend(answer.session_token.map(|token| ("AWS_SESSION_TOKEN", token.into())));
            variables
                .extend(answer.expiration.map(|end| ("AWS_CREDENTIAL_EXPIRATION", end.into())));
        }
        (Identity::BearerToken(_), Format::Process) => {
            return Err(Failure::Problem(
                "a Bedrock API key is no credential_process answer; use `--format env`, or `backlog-aws exec`".to_owned(),
            ));
        }
        (Identity::BearerToken(key), Format::Bearer) => {
            writeln!(out, "{}", key.token.reveal())?;
            return Ok(0);
        }
        (Identity::BearerToken(key), _) => {
            variables.push(("AWS_BEARER_TOKEN_BEDROCK", key.token.reveal().into()));
        }
    }
    let regions = ["AWS_REGION", "AWS_DEFAULT_REGION"];
    variables.extend(regions.into_iter().filter_map(|name| Some((name, region?.into()))));
    lines(&variables, args.format, out)?;
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
            // Python's `isoformat`, as the AWS CLI prints times.
            expiration: credentials
                .expires_at
                .map(|end| end.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()),
        }
    }
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
