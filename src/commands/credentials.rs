//! `credentials`: the answer's keys on standard output, in the formats of `aws configure export-credentials`.
//!
//! The one command that shows secrets, because showing them is what it was asked for.

use std::io::{self, Write};

use jiff::Timestamp;

use crate::aws::Credentials;
use crate::choice::resolve_for_command;
use crate::cli::{self, Format};
use crate::error::{Done, Failure};
use crate::resolve::{Answer, Identity};
use crate::secret::Secret;
use crate::world::World;

/// Prints the credentials.
pub fn run(args: &cli::CredentialsArgs, world: &World, out: &mut dyn Write) -> Done {
    // It never asks: as a `credential_process` it runs inside of other programs, some of which lend it their terminal.
    let (_, resolution) = resolve_for_command(&args.choice, None, world)?;
    let Answer::Usable { identity, .. } = &resolution.answer else {
        return Err(Failure::Explained);
    };
    match identity {
        Identity::Profile { credentials, .. } | Identity::Keys(credentials) => {
            if args.format == Format::Process {
                process(credentials, out)?;
            } else {
                lines(&named(credentials), args.format, out)?;
            }
        }
        Identity::BearerToken(_) if args.format == Format::Process => {
            return Err(Failure::Problem(
                "a Bedrock API key is no credential_process answer; use `--format env`, or `backlog-aws exec`".to_owned(),
            ));
        }
        Identity::BearerToken(token) => {
            lines(&[("AWS_BEARER_TOKEN_BEDROCK", token.reveal().to_owned())], args.format, out)?;
        }
    }
    Ok(0)
}

/// The JSON that AWS's tools expect from a `credential_process` ("Sourcing credentials with an external process").
fn process(credentials: &Credentials, out: &mut dyn Write) -> io::Result<()> {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    writeln!(out, "{{\n  \"Version\": 1,")?;
    write!(
        out,
        "  \"AccessKeyId\": {},\n  \"SecretAccessKey\": {}",
        text(&credentials.access_key_id),
        text(credentials.secret_access_key.reveal())
    )?;
    if let Some(token) = &credentials.session_token {
        write!(out, ",\n  \"SessionToken\": {}", text(token.reveal()))?;
    }
    if let Some(end) = credentials.expires_at {
        write!(out, ",\n  \"Expiration\": {}", text(&iso(end)))?;
    }
    writeln!(out, "\n}}")
}

fn named(credentials: &Credentials) -> Vec<(&'static str, String)> {
    let mut named = vec![
        ("AWS_ACCESS_KEY_ID", credentials.access_key_id.clone()),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key.reveal().to_owned()),
    ];
    named.extend(
        credentials
            .session_token
            .as_ref()
            .map(|token| ("AWS_SESSION_TOKEN", Secret::reveal(token).to_owned())),
    );
    named.extend(credentials.expires_at.map(|end| ("AWS_CREDENTIAL_EXPIRATION", iso(end))));
    named
}

fn lines(named: &[(&str, String)], format: Format, out: &mut dyn Write) -> Result<(), Failure> {
    let bare = matches!(format, Format::EnvNoExport | Format::Dotenv);
    if let Some((name, _)) =
        named.iter().find(|(_, value)| bare && value.contains(char::is_control))
    {
        // These formats have no quoting, so a line end would start another variable.
        return Err(Failure::Problem(format!(
            "{name} contains a line end or control character, which this format cannot hold; mend the AWS file, or use `--format env`"
        )));
    }
    for (name, value) in named {
        // What AWS issues needs no quotes, and then the lines are the AWS CLI's to the byte. What a file says may.
        let quoted = || {
            let mut quoted = Vec::new();
            let shell = if format == Format::Fish {
                crate::shell::Shell::Fish
            } else {
                crate::shell::Shell::Bash
            };
            crate::shell::quote(shell, value, &mut quoted);
            quoted
        };
        let plain = value.chars().all(|c| c.is_ascii_alphanumeric() || "_-+/=.:@%,".contains(c));
        let word = if plain || bare { value.clone().into_bytes() } else { quoted() };
        match format {
            Format::Env => write!(out, "export {name}=")?,
            Format::Fish => write!(out, "set -gx {name} ")?,
            Format::EnvNoExport | Format::Dotenv | Format::Process => write!(out, "{name}=")?,
        }
        out.write_all(&word)?;
        writeln!(out)?;
    }
    Ok(())
}

/// Python's `isoformat`, as the AWS CLI prints times.
fn iso(end: Timestamp) -> String {
    end.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}
