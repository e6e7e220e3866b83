//! `check`: asks AWS, and says what it says.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::check::{Caller, Outcome, Step};
use crate::choice::{print_concerns, resolve_for_command};
use crate::cli;
use crate::error::{Done, Failure};
use crate::finding::print_findings;
use crate::layout::{Layout, print_line};
use crate::overrides::is_region_name;
use crate::source::Source;
use crate::text::{BAD, FAINT, GOOD, visible, write_json};
use crate::world::World;

/// `check --json`, schema 1.
#[derive(Serialize)]
struct Report<'a> {
    schema: u8,
    ok: bool,
    profile: Option<&'a str>,
    source: Option<Source>,
    region: &'a str,
    steps: Vec<Step>,
}

/// Exit status 1 when a step failed.
pub fn run(args: &cli::Check, world: &World, out: &mut dyn Write) -> Done {
    let (inputs, resolution) = resolve_for_command(&args.choice, None, world)?;
    print_concerns(&resolution, world);
    print_findings(Vec::from_iter(resolution.unknown_region()), &world.env, &mut io::stderr());
    let identity = resolution.answer.identity().ok_or(Failure::Explained)?;
    let region = resolution.region.name.to_str().filter(|name| is_region_name(name));
    let region = region.ok_or_else(|| {
        let (name, source) = (visible(&resolution.region.name), resolution.region.source.name());
        Failure::Problem(format!("{name} ({source}) cannot be a region; name one with `--region`"))
    })?;
    let name = identity.profile().map_or_else(|| identity.without_profile(), visible);
    let layout = Layout::of(&world.env, io::stdout());
    if !args.json {
        print_line(&resolution.summary(&inputs), &world.env, out)?;
    }
    let caller = Caller { identity, region, env: &world.env };
    let shows_progress = !args.json && io::stdout().is_terminal();
    let mut steps: Vec<Step> = Vec::new();
    for question in caller.questions(args.model.is_some()) {
        if shows_progress {
            // Until the answer overwrites it.
            write!(out, "  …       {}\r", question.name)?;
            out.flush()?;
        }
        let step = caller.ask(question, args.model.as_deref().unwrap_or_default());
        if !args.json {
            print(&step, &layout, out)?;
        }
        steps.push(step);
        if steps.last().is_some_and(|step| step.outcome.ends_it()) {
            break;
        }
    }
    let ok = !steps.iter().any(|step| step.outcome.is_failure());
    if args.json {
        let (profile, source) = (identity.profile(), resolution.answer.source());
        write_json(out, &Report { schema: 1, ok, profile, source, region, steps })?;
    } else {
        // A model that answers counts more than a list that is not allowed.
        let (style, verdict) = match steps.last() {
            _ if ok => (GOOD, "works"),
            Some(step) if !step.outcome.is_failure() => (BAD, "works in part"),
            _ => (BAD, "was not found to work"),
        };
        writeln!(out, "{style}{name} {verdict} in {region}{style:#}")?;
    }
    Ok(u8::from(!ok))
}

/// Names as long as the line of progress, at the least.
fn print(step: &Step, layout: &Layout, out: &mut dyn Write) -> io::Result<()> {
    let (style, outcome, message) = match &step.outcome {
        Outcome::Ok { message } => (GOOD, "ok", message),
        Outcome::Failed(explained) => (BAD, "failed", &explained.message),
    };
    let message = layout.lines(message, 20, 20);
    writeln!(out, "  {style}{outcome:<6}{style:#}  {:<8}  {message}", step.question)?;
    if let Outcome::Failed(explained) = &step.outcome {
        if let Some(aws) = &explained.aws {
            writeln!(out, "          {FAINT}AWS says{FAINT:#}  {}", layout.lines(aws, 20, 20))?;
        }
        writeln!(out, "          -> {}", layout.lines(&explained.remedy, 13, 13))?;
    }
    Ok(())
}
