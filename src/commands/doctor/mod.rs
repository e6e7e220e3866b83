//! `doctor`: every check with a verdict and a remedy, and who uses what here.
//!
//! [`SystemProbe`] reads, the checks only judge: each is a function of a [`Case`]. They judge what every command acts on, the
//! very [`Resolution`](crate::resolve::Resolution) of the chain, and have no opinion of their own on profiles.

use std::io::{self, Write};

use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;

use self::check::{Case, Check, Verdict};
use self::consumers::Consumer;
use self::facts::Facts;
use crate::cli;
use crate::commands::doctor::probe::SystemProbe;
use crate::error::Done;
use crate::overrides::place;
use crate::resolve::{Inputs, resolve};
use crate::session::UserIntent;
use crate::text::{BAD, GOOD, table, visible, write_json};
use crate::world::World;

mod answer;
mod check;
mod consumers;
mod environment;
mod facts;
mod files;
#[cfg(test)]
mod fixture;
mod hook;
pub mod probe;

/// Looks, judges, prints. Exit status 1 when there is a problem; warnings do not count.
pub fn run(args: &cli::Doctor, world: &World, out: &mut dyn Write) -> Done {
    let facts = Facts::parse(&args.fact);
    let program = facts.as_ref().map(|facts| facts.program.as_path());
    let probe = SystemProbe::take(world, program.filter(|path| !path.as_os_str().is_empty()));
    let inputs = Inputs::of(world, UserIntent::of_environment(&world.env));
    let resolution = resolve(&inputs);
    let case = Case {
        world,
        probe: &probe,
        facts: facts.as_ref(),
        inputs: &inputs,
        resolution: &resolution,
    };
    let report = Report::of(&case);
    if args.json {
        write_json(out, &report)?;
    } else {
        print(&report, out)?;
    }
    Ok(u8::from(!report.ok))
}

/// `doctor --json`, schema 1.
#[derive(Serialize)]
struct Report {
    schema: u8,
    ok: bool,
    checks: Vec<Check>,
    consumers: Vec<Consumer>,
}

impl Report {
    fn of(case: &Case<'_>) -> Self {
        let checks = all(case);
        Self {
            schema: 1,
            ok: checks.iter().all(|check| check.verdict != Verdict::Problem),
            checks,
            consumers: consumers::consumers(case),
        }
    }
}

/// Every check, the likeliest cause of trouble first: causes before what follows from them, and what hits the toolkit
/// before what hits others.
fn all(case: &Case<'_>) -> Vec<Check> {
    let mut hook = hook::checks(case);
    let mut checks = Vec::new();
    // Without a hook nothing else shows in the shell. A hook that is only late explains little.
    if hook.iter().any(|check| check.verdict == Verdict::Problem) {
        checks.append(&mut hook);
    }
    checks.extend(files::reading(case));
    checks.extend(files::lines(case));
    checks.extend(answer::overrides(case));
    checks.extend(answer::toolkit_env(case));
    checks.extend(answer::answer(case));
    checks.extend(environment::checks(case));
    checks.extend(files::boto3(case));
    checks.extend(environment::litellm(case));
    checks.extend(files::permissions(case));
    checks.extend(hook);
    checks.extend(files::profiles(case));
    checks.extend(installed(case));
    checks.sort_by_key(|check| check.verdict);
    checks
}

/// Where things of ours are, for whoever wants to remove them.
fn installed(case: &Case<'_>) -> Vec<Check> {
    let probe = case.probe;
    let entry =
        |what: &str, place: String| Check::ok(INSTALLED, format!("{what} {place}")).at(place);
    let mut found = vec![entry("program", visible(&case.world.program))];
    for line in &probe.start_up_lines {
        found.push(entry("start-up file", place(&line.path, Some(line.line))));
    }
    for path in &probe.installed {
        found.push(entry("directory", visible(path)));
    }
    found
}

const INSTALLED: &str = "installed";

const DOUBTFUL: Style = AnsiColor::Yellow.on_default().bold();
const HEADING: Style = Style::new().bold();

fn print(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let (installed, checks): (Vec<&Check>, Vec<&Check>) =
        report.checks.iter().partition(|check| check.code == INSTALLED);
    for check in checks {
        let (style, word) = match check.verdict {
            Verdict::Problem => (BAD, "problem"),
            Verdict::Warning => (DOUBTFUL, "warning"),
            Verdict::Ok => (GOOD, "ok"),
        };
        let at = match &check.at {
            Some(at) if !check.message.contains(at.as_str()) => format!(" ({at})"),
            _ => String::new(),
        };
        writeln!(out, "{style}{word:<7}{style:#}  {}{at}", check.message)?;
        if let Some(remedy) = &check.remedy {
            writeln!(out, "         -> {remedy}")?;
        }
    }
    writeln!(out, "\n{HEADING}Who uses what here{HEADING:#}")?;
    consumers_table(&report.consumers, out)?;
    writeln!(out, "\n{HEADING}Where things are{HEADING:#} (to uninstall, remove these)")?;
    for check in installed {
        writeln!(out, "  {}", check.message)?;
    }
    Ok(())
}

fn consumers_table(consumers: &[Consumer], out: &mut dyn Write) -> io::Result<()> {
    let header = ["", "profile", "key", "region", "because"].map(str::to_owned);
    let mut rows = vec![header];
    for consumer in consumers {
        let or_dash = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        rows.push([
            consumer.name.to_owned(),
            or_dash(&consumer.profile),
            or_dash(&consumer.access_key_id),
            or_dash(&consumer.region),
            consumer.rule.clone(),
        ]);
    }
    for line in table(&rows) {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}
