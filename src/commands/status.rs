//! `status`: the answer and why.

use std::ffi::OsStr;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::cli;
use crate::error::Done;
use crate::finding::{Finding, print_findings};
use crate::resolve::{Answer, Inputs, Outcome, RegionSource, Resolution, resolve};
use crate::secret::mask_key_id;
use crate::session::UserIntent;
use crate::text::visible;
use crate::world::World;

/// Prints the answer. Exit status 0 when there are usable credentials, 1 when not.
pub fn run(args: &cli::Status, world: &World, out: &mut dyn Write) -> Done {
    let inputs = Inputs::of(world, UserIntent::of_environment(&world.env));
    let resolution = resolve(&inputs);
    let usable = matches!(resolution.answer, Answer::Usable { .. });
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &Report::of(&resolution))
            .map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        print(&resolution, inputs.anthropic_key, out)?;
        print_findings(&resolution.notices, &world.env, &mut anstream::stderr().lock());
    }
    Ok(u8::from(!usable))
}

/// `status --json`, schema 1.
#[derive(Serialize)]
pub struct Report<'a> {
    schema: u8,
    usable: bool,
    profile: Option<String>,
    source: Option<&'static str>,
    region: String,
    region_source: RegionSource,
    credentials: Option<CredentialsReport>,
    #[serde(rename = "override")]
    found_override: Option<OverrideReport>,
    aws_profile: Option<AwsProfileReport>,
    candidates: Vec<CandidateReport>,
    notices: &'a [Finding],
}

#[derive(Serialize)]
struct CredentialsReport {
    kind: &'static str,
    access_key_id: Option<String>,
    expires_at: Option<String>,
}

#[derive(Serialize)]
struct OverrideReport {
    path: String,
    allowed: bool,
}

#[derive(Serialize)]
struct AwsProfileReport {
    name: String,
    kind: Option<&'static str>,
}

#[derive(Serialize)]
struct CandidateReport {
    source: &'static str,
    profile: Option<String>,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
}

impl<'a> Report<'a> {
    /// The report of a resolution.
    pub fn of(resolution: &'a Resolution) -> Self {
        let text = |name: &OsStr| name.to_string_lossy().into_owned();
        let credentials = match &resolution.answer {
            Answer::Usable { identity, .. } => Some(CredentialsReport {
                kind: identity.kind_word(),
                access_key_id: identity.credentials().map(|keys| mask_key_id(&keys.access_key_id)),
                expires_at: identity.expires_at().map(|end| end.to_string()),
            }),
            Answer::Unusable { .. } | Answer::Nothing => None,
        };
        Self {
            schema: 1,
            usable: matches!(resolution.answer, Answer::Usable { .. }),
            profile: resolution.answer.profile().map(text),
            source: resolution.answer.source().map(crate::resolve::Source::word),
            region: text(&resolution.region.name),
            region_source: resolution.region.source,
            credentials,
            found_override: resolution.found_override.as_ref().map(|found| OverrideReport {
                path: text(found.path.as_os_str()),
                allowed: found.allowed,
            }),
            aws_profile: resolution.aws_profile.as_ref().map(|found| AwsProfileReport {
                name: text(&found.name),
                kind: found.kind.map(crate::aws::Kind::as_str),
            }),
            candidates: resolution
                .candidates
                .iter()
                .map(|candidate| CandidateReport {
                    source: candidate.source.word(),
                    profile: candidate.profile.as_deref().map(text),
                    outcome: candidate.outcome,
                    at: candidate.at.as_ref().map(ToString::to_string),
                })
                .collect(),
            notices: &resolution.notices,
        }
    }
}

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const FAINT: Style = Style::new().dimmed();

fn print(resolution: &Resolution, anthropic_key: bool, out: &mut dyn Write) -> io::Result<()> {
    let at = decided_at(resolution).map(|place| format!(", {place}")).unwrap_or_default();
    let shown = |name: Option<&OsStr>| name.map_or_else(|| "no profile".to_owned(), visible);
    match &resolution.answer {
        Answer::Usable { source, identity } => {
            let name =
                identity.profile().map_or_else(|| "keys without a profile".to_owned(), visible);
            writeln!(out, "{GOOD}{name}{GOOD:#}  ({}{at})", source.word())?;
            let key = identity
                .credentials()
                .map_or_else(String::new, |keys| format!(" {}", mask_key_id(&keys.access_key_id)));
            let end =
                identity.expires_at().map_or_else(String::new, |end| format!(", until {end}"));
            writeln!(out, "  credentials  {}{key}{end}", identity.kind_word())?;
        }
        Answer::Unusable { source, profile, .. } => {
            writeln!(
                out,
                "{BAD}{}{BAD:#}  cannot be used ({}{at})",
                shown(profile.as_deref()),
                source.word()
            )?;
        }
        Answer::Nothing => {
            writeln!(out, "{BAD}no usable profile{BAD:#}")?;
            if anthropic_key {
                writeln!(
                    out,
                    "  Bedrock      not configured; with ANTHROPIC_API_KEY, LiteLLM would use Anthropic's own API"
                )?;
            }
        }
    }
    writeln!(
        out,
        "  region       {} ({})",
        visible(&resolution.region.name),
        resolution.region.source.word()
    )?;
    if let Some(found) = &resolution.aws_profile {
        let kind = found.kind.map_or("no such profile", crate::aws::Kind::as_str);
        writeln!(
            out,
            "  AWS_PROFILE  {} ({kind}), not touched: Claude Code's",
            visible(&found.name)
        )?;
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
            candidate.source.word(),
            candidate.outcome.word(),
            candidate.profile.as_ref().map(visible).unwrap_or_default(),
            candidate.at.as_ref().map(|place| format!("  {place}")).unwrap_or_default(),
        );
        writeln!(out, "{style}{}{style:#}", line.trim_end())?;
    }
    Ok(())
}

fn decided_at(resolution: &Resolution) -> Option<&crate::resolve::Place> {
    let source = resolution.answer.source()?;
    let mut candidates = resolution.candidates.iter();
    candidates.find(|candidate| candidate.source == source)?.at.as_ref()
}
