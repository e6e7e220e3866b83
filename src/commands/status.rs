//! `status`: the answer and why.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::io::{self, Write};

use clap::builder::styling::Style;
use serde::Serialize;

use crate::aws::{Credentials, Kind};
use crate::cli;
use crate::doctor::hook_missing;
use crate::error::Done;
use crate::finding::{Finding, abridged, print_findings};
use crate::layout::Layout;
use crate::resolve::{
    Answer, AwsProfile, Candidate, FoundOverride, Identity, Inputs, Outcome, RegionSource,
    Resolution, resolve,
};
use crate::secret::mask_key_id;
use crate::session::UserIntent;
use crate::source::Source;
use crate::start_script::plain_start;
use crate::text::{BAD, FAINT, GOOD, visible, write_json};
use crate::world::World;

/// Prints the answer. Exit status 0 when there are usable credentials, 1 when not.
pub fn run(args: &cli::Status, world: &World, out: &mut dyn Write) -> Done {
    let inputs = Inputs::of(world, UserIntent::of_environment(&world.env));
    let resolution = resolve(&inputs);
    let mut findings = resolution.all_findings();
    findings.extend(resolution.unknown_region());
    findings.extend(plain_start(world, &inputs, &resolution));
    if args.json {
        write_json(out, &Report::of(&resolution, findings))?;
    } else {
        print(&resolution, args.all, &Layout::of(&world.env, io::stdout()), out)?;
        let said = abridged(findings).into_iter().chain(hook_missing(world));
        print_findings(said, &world.env, &mut io::stderr().lock());
    }
    Ok(u8::from(!resolution.answer.is_usable()))
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
    fn of(resolution: &'a Resolution, findings: Vec<Finding>) -> Self {
        let answer = &resolution.answer;
        let credentials = answer.identity().map(|identity| CredentialsReport {
            kind: identity.kind_name(),
            access_key_id: identity.credentials().map(|keys| mask_key_id(&keys.access_key_id)),
            account: resolution.account.clone(),
            implausible: identity
                .credentials()
                .and_then(Credentials::implausible)
                .map(|(key, why)| format!("{key} {why}")),
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
            notices: abridged(findings),
        }
    }
}

fn print(
    resolution: &Resolution,
    all: bool,
    layout: &Layout,
    out: &mut dyn Write,
) -> io::Result<()> {
    print_answer(resolution, layout, out)?;
    let region = &resolution.region;
    writeln!(out, "  region       {} ({})", visible(&region.name), region.source.name())?;
    if let Some(found) = &resolution.aws_profile {
        let (name, kind) =
            (visible(&found.name), found.kind.map_or("no such profile", Kind::as_str));
        writeln!(out, "  AWS_PROFILE  {name} ({kind}), for Claude Code")?;
    }
    if let Some(found) = &resolution.found_override {
        let allowed = if found.allowed { "allowed" } else { "not allowed" };
        let path = layout.lines(&visible(&found.path), 15, 15);
        writeln!(out, "  override     {path} ({allowed})")?;
    }
    writeln!(out)?;
    let decided = resolution.answer.source();
    let (mut reached, unreached): (Vec<_>, Vec<_>) = resolution
        .candidates
        .iter()
        .partition(|candidate| all || candidate.outcome != Outcome::NotReached);
    // What decided is what people look for.
    reached.sort_by_key(|candidate| Some(candidate.source) != decided);
    for candidate in reached {
        let mark = if Some(candidate.source) == decided { ">" } else { " " };
        let style = match candidate.outcome {
            Outcome::Chosen => GOOD,
            Outcome::Unset | Outcome::NotReached => FAINT,
            _ => Style::new(),
        };
        let text = layout.lines(&finding_of(candidate, resolution), 20, 20);
        writeln!(out, "{style}{mark} {:<16}  {text}{style:#}", candidate.source.name())?;
    }
    if !unreached.is_empty() {
        let names: Vec<&str> = unreached.iter().map(|candidate| candidate.source.name()).collect();
        let text = format!("{} (`status --all` shows them)", names.join(", "));
        writeln!(out, "{FAINT}  not reached       {}{FAINT:#}", layout.lines(&text, 20, 20))?;
    }
    Ok(())
}

/// What was looked at for a candidate, and found.
fn finding_of(candidate: &Candidate, resolution: &Resolution) -> String {
    let name = candidate.profile.as_ref().map(visible);
    let at = candidate.at.as_ref().map(|at| format!(" ({at})")).unwrap_or_default();
    let without = resolution.answer.identity().map(Identity::without_profile);
    let outcome = candidate.outcome.name().replace('-', " ");
    let what = match (candidate.outcome, name) {
        (Outcome::Unset, _) => nothing_at(candidate.source).to_owned(),
        (Outcome::Chosen, name) => name.or(without).unwrap_or_default(),
        (_, Some(name)) => format!("{name}: {outcome}"),
        (_, None) => outcome,
    };
    what + &at
}

/// What is said of a candidate that names nothing: where it was looked for.
fn nothing_at(source: Source) -> &'static str {
    let of_it = |line: &'static str| line.strip_prefix(source.name())?.strip_prefix(": ");
    include_str!("../help/unset.txt").lines().find_map(of_it).unwrap_or_default()
}

fn print_answer(resolution: &Resolution, layout: &Layout, out: &mut dyn Write) -> io::Result<()> {
    let profile = resolution.answer.profile().map(visible);
    let Answer::Usable { source, identity } = &resolution.answer else {
        let Some(source) = resolution.answer.source() else {
            return writeln!(out, "{BAD}no usable profile{BAD:#}");
        };
        let name = profile.as_deref().unwrap_or("no profile");
        return writeln!(out, "{BAD}{name}{BAD:#}  cannot be used ({})", source.name());
    };
    let name = profile.unwrap_or_else(|| identity.without_profile());
    let guess = if resolution.guess { ": a guess" } else { "" };
    writeln!(out, "{GOOD}{name}{GOOD:#}  ({}{guess})", source.name())?;
    let key = identity.credentials().map(|keys| format!(" {}", mask_key_id(&keys.access_key_id)));
    let end = identity.expires_at().map(|end| format!(", until {end}"));
    let text = [Some(identity.kind_name().to_owned()), key, end].into_iter().flatten();
    writeln!(out, "  credentials  {}", layout.lines(&text.collect::<String>(), 15, 15))?;
    let account = resolution.account.as_ref();
    account.map_or(Ok(()), |account| writeln!(out, "  account      {account}"))
}
