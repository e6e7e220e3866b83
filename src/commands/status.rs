//! `status`: the answer and why.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::aws::Kind;
use crate::cli;
use crate::error::Done;
use crate::finding::{Finding, abridged, print_findings};
use crate::resolve::{
    Answer, Candidate, Inputs, Outcome, RegionSource, Resolution, lossy, resolve,
};
use crate::secret::mask_key_id;
use crate::session::UserIntent;
use crate::source::Source;
use crate::text::{visible, write_json};
use crate::world::World;

/// Prints the answer. Exit status 0 when there are usable credentials, 1 when not.
pub fn run(args: &cli::Status, world: &World, out: &mut dyn Write) -> Done {
    let inputs = Inputs::of(world, UserIntent::of_environment(&world.env));
    let resolution = resolve(&inputs);
    if args.json {
        write_json(out, &Report::of(&resolution))?;
    } else {
        print(&resolution, inputs.anthropic_key, out)?;
        print_findings(resolution.all_findings(), &world.env, &mut anstream::stderr().lock());
    }
    Ok(u8::from(!resolution.answer.is_usable()))
}

/// `status --json`, schema 1.
#[derive(Serialize)]
struct Report<'a> {
    schema: u8,
    usable: bool,
    #[serde(serialize_with = "lossy")]
    profile: Option<OsString>,
    source: Option<Source>,
    #[serde(serialize_with = "lossy")]
    region: Option<OsString>,
    region_source: RegionSource,
    credentials: Option<CredentialsReport>,
    #[serde(rename = "override")]
    found_override: Option<OverrideReport>,
    aws_profile: Option<AwsProfileReport>,
    candidates: &'a [Candidate],
    notices: Vec<Finding>,
}

#[derive(Serialize)]
struct CredentialsReport {
    kind: &'static str,
    access_key_id: Option<String>,
    expires_at: Option<String>,
}

#[derive(Serialize)]
struct OverrideReport {
    #[serde(serialize_with = "lossy")]
    path: Option<OsString>,
    allowed: bool,
}

#[derive(Serialize)]
struct AwsProfileReport {
    #[serde(serialize_with = "lossy")]
    name: Option<OsString>,
    kind: Option<&'static str>,
}

impl<'a> Report<'a> {
    fn of(resolution: &'a Resolution) -> Self {
        let credentials = match &resolution.answer {
            Answer::Usable { identity, .. } => Some(CredentialsReport {
                kind: identity.kind_name(),
                access_key_id: identity.credentials().map(|keys| mask_key_id(&keys.access_key_id)),
                expires_at: identity.expires_at().map(|end| end.to_string()),
            }),
            Answer::Unusable { .. } | Answer::Nothing => None,
        };
        Self {
            schema: 1,
            usable: resolution.answer.is_usable(),
            profile: resolution.answer.profile().map(OsStr::to_owned),
            source: resolution.answer.source(),
            region: Some(resolution.region.name.clone()),
            region_source: resolution.region.source,
            credentials,
            found_override: resolution.found_override.as_ref().map(|found| OverrideReport {
                path: Some(found.path.clone().into()),
                allowed: found.allowed,
            }),
            aws_profile: resolution.aws_profile.as_ref().map(|found| AwsProfileReport {
                name: Some(found.name.clone()),
                kind: found.kind.map(Kind::as_str),
            }),
            candidates: &resolution.candidates,
            notices: abridged(resolution.all_findings()),
        }
    }
}

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const FAINT: Style = Style::new().dimmed();

fn print(resolution: &Resolution, anthropic_key: bool, out: &mut dyn Write) -> io::Result<()> {
    print_answer(resolution, anthropic_key, out)?;
    let region = &resolution.region;
    writeln!(out, "  region       {} ({})", visible(&region.name), region.source.name())?;
    if let Some(found) = &resolution.aws_profile {
        let (name, kind) =
            (visible(&found.name), found.kind.map_or("no such profile", Kind::as_str));
        writeln!(out, "  AWS_PROFILE  {name} ({kind}), not touched: Claude Code's")?;
    }
    if let Some(found) = &resolution.found_override {
        let allowed = if found.allowed { "allowed" } else { "not allowed" };
        writeln!(out, "  override     {} ({allowed})", visible(&found.path))?;
    }
    writeln!(out)?;
    for candidate in &resolution.candidates {
        let (mark, style) = match candidate.outcome {
            Outcome::Chosen => (">", GOOD),
            Outcome::Unset | Outcome::NotReached => (" ", FAINT),
            _ => (" ", Style::new()),
        };
        let line = format!(
            "{mark} {:<16}  {:<21}  {}{}",
            candidate.source.name(),
            candidate.outcome.name(),
            candidate.profile.as_ref().map(visible).unwrap_or_default(),
            candidate.at.as_ref().map(|place| format!("  {place}")).unwrap_or_default(),
        );
        writeln!(out, "{style}{}{style:#}", line.trim_end())?;
    }
    Ok(())
}

fn print_answer(
    resolution: &Resolution,
    anthropic_key: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let at = resolution.decided_at().map(|place| format!(", {place}")).unwrap_or_default();
    let name =
        |missing: &str| resolution.answer.profile().map_or_else(|| missing.to_owned(), visible);
    match &resolution.answer {
        Answer::Usable { source, identity } => {
            let name = name("keys without a profile");
            writeln!(out, "{GOOD}{name}{GOOD:#}  ({}{at})", source.name())?;
            let key = identity
                .credentials()
                .map_or_else(String::new, |keys| format!(" {}", mask_key_id(&keys.access_key_id)));
            let end =
                identity.expires_at().map_or_else(String::new, |end| format!(", until {end}"));
            writeln!(out, "  credentials  {}{key}{end}", identity.kind_name())
        }
        Answer::Unusable { source, .. } => {
            let name = name("no profile");
            writeln!(out, "{BAD}{name}{BAD:#}  cannot be used ({}{at})", source.name())
        }
        Answer::Nothing => {
            writeln!(out, "{BAD}no usable profile{BAD:#}")?;
            if anthropic_key {
                writeln!(
                    out,
                    "  Bedrock      not configured; with ANTHROPIC_API_KEY, LiteLLM would use Anthropic's own API"
                )?;
            }
            Ok(())
        }
    }
}
