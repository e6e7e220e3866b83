//! `status`: the answer and why.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::io::{self, Write};

use clap::builder::styling::Style;
use jiff::Timestamp;
use serde::Serialize;

use crate::aws::{Credentials, Kind, time_left};
use crate::cli;
use crate::error::Done;
use crate::finding::{Finding, abridged, print_findings};
use crate::resolve::{
    Answer, AwsProfile, Candidate, FoundOverride, Inputs, Outcome, RegionSource, Resolution,
    resolve,
};
use crate::secret::mask_key_id;
use crate::session::UserIntent;
use crate::source::Source;
use crate::text::{BAD, FAINT, GOOD, table, visible, write_json};
use crate::world::World;

/// Prints the answer. Exit status 0 when there are usable credentials, 1 when not.
pub fn run(args: &cli::Status, world: &World, out: &mut dyn Write) -> Done {
    let inputs = Inputs::of(world, UserIntent::of_environment(&world.env));
    let resolution = resolve(&inputs);
    if args.json {
        write_json(out, &Report::of(&resolution))?;
    } else {
        print(&resolution, world.now, out)?;
        let findings = abridged(findings(&resolution));
        print_findings(findings, &world.env, &mut anstream::stderr().lock());
    }
    Ok(u8::from(!resolution.answer.is_usable()))
}

fn findings(resolution: &Resolution) -> Vec<Finding> {
    resolution.all_findings().into_iter().chain(resolution.unknown_region()).collect()
}

/// `status --json`, schema 2.
#[derive(Serialize)]
struct Report<'a> {
    schema: u8,
    usable: bool,
    guess: bool,
    profile: Option<Cow<'a, str>>,
    source: Option<Source>,
    region: Cow<'a, str>,
    region_source: RegionSource,
    credentials: Option<CredentialsReport>,
    r#override: &'a Option<FoundOverride>,
    aws_profile: &'a Option<AwsProfile>,
    candidates: &'a [Candidate],
    notices: Vec<Finding>,
}

#[derive(Serialize)]
struct CredentialsReport {
    kind: &'static str,
    access_key_id: Option<String>,
    account: Option<String>,
    implausible: Option<String>,
    expires_at: Option<String>,
}

impl<'a> Report<'a> {
    fn of(resolution: &'a Resolution) -> Self {
        let answer = &resolution.answer;
        let credentials = answer.identity().map(|identity| CredentialsReport {
            kind: identity.kind_name(),
            access_key_id: identity.credentials().map(|keys| mask_key_id(&keys.access_key_id)),
            account: resolution.account.clone(),
            implausible: identity
                .credentials()
                .and_then(Credentials::implausible)
                .map(|found| format!("{} {}", found.key, found.why)),
            expires_at: identity.expires_at().map(|end| end.to_string()),
        });
        Self {
            schema: 2,
            guess: resolution.guess,
            usable: answer.is_usable(),
            profile: answer.profile().map(OsStr::to_string_lossy),
            source: answer.source(),
            region: resolution.region.name.to_string_lossy(),
            region_source: resolution.region.source,
            credentials,
            r#override: &resolution.found_override,
            aws_profile: &resolution.aws_profile,
            candidates: &resolution.candidates,
            notices: abridged(findings(resolution)),
        }
    }
}

fn print(resolution: &Resolution, now: Timestamp, out: &mut dyn Write) -> io::Result<()> {
    print_answer(resolution, now, out)?;
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
    let cells: Vec<_> = resolution.candidates.iter().map(cells).collect();
    for (candidate, line) in resolution.candidates.iter().zip(table(&cells)) {
        let style = match candidate.outcome {
            Outcome::Chosen => GOOD,
            Outcome::Unset | Outcome::NotReached => FAINT,
            _ => Style::new(),
        };
        writeln!(out, "{style}{line}{style:#}")?;
    }
    Ok(())
}

fn cells(candidate: &Candidate) -> [String; 4] {
    let mark = if candidate.outcome == Outcome::Chosen { ">" } else { " " };
    [
        format!("{mark} {}", candidate.source.name()),
        candidate.outcome.name().to_owned(),
        candidate.profile.as_ref().map(visible).unwrap_or_default(),
        candidate.at.as_ref().map(ToString::to_string).unwrap_or_default(),
    ]
}

fn print_answer(resolution: &Resolution, now: Timestamp, out: &mut dyn Write) -> io::Result<()> {
    let at = resolution.decided_at().map(|place| format!(", {place}")).unwrap_or_default();
    let name =
        |missing: &str| resolution.answer.profile().map_or_else(|| missing.to_owned(), visible);
    match &resolution.answer {
        Answer::Usable { source, identity } => {
            let name = name(&identity.without_profile());
            writeln!(out, "{GOOD}{name}{GOOD:#}  ({}{at})", source.name())?;
            let key = identity
                .credentials()
                .map_or_else(String::new, |keys| format!(" {}", mask_key_id(&keys.access_key_id)));
            let until = |end| format!(", until {end}, {}", time_left(end, now));
            let end = identity.expires_at().map_or_else(String::new, until);
            writeln!(out, "  credentials  {}{key}{end}", identity.kind_name())?;
            match &resolution.account {
                Some(account) => writeln!(out, "  account      {account}"),
                None => Ok(()),
            }
        }
        Answer::Unusable { source, .. } => {
            let name = name("no profile");
            writeln!(out, "{BAD}{name}{BAD:#}  cannot be used ({}{at})", source.name())
        }
        Answer::Nothing => writeln!(out, "{BAD}no usable profile{BAD:#}"),
    }
}
