//! `doctor`: what was found with what to do about it, and who uses what here.

use std::io::{self, Write};

use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;

use crate::cli;
use crate::doctor::{Case, Client, Facts, SystemProbe, clients, findings};
use crate::error::Done;
use crate::finding::{Code, Finding, Severity};
use crate::layout::Layout;
use crate::resolve::{Inputs, resolve};
use crate::session::UserIntent;
use crate::text::{BAD, FAINT, GOOD, table, write_json};
use crate::world::World;

/// `doctor --json`.
#[derive(Serialize)]
struct Report {
    schema: u8,
    ok: bool,
    checks: Vec<Finding>,
    consumers: [Client; 6],
}

/// Exit status 1 when there is a problem; warnings do not count.
pub fn run(args: &cli::Doctor, world: &World, out: &mut dyn Write) -> Done {
    let facts = Facts::of(&args.fact);
    let probe = SystemProbe::take(world);
    let inputs = Inputs::of(world, UserIntent::of_environment(&world.env));
    let resolution = resolve(&inputs);
    let case = Case { world, probe: &probe, facts, inputs: &inputs, resolution: &resolution };
    let checks = findings(&case);
    let ok = checks.iter().all(|finding| finding.severity != Severity::Problem);
    let report = Report { schema: 2, ok, checks, consumers: clients(&case) };
    if args.json {
        write_json(out, &report)?;
    } else {
        print(&report, &Layout::of(&world.env, io::stdout()), out)?;
    }
    Ok(u8::from(!ok))
}

/// Yellow cannot be read on white.
const DOUBTFUL: Style = AnsiColor::Magenta.on_default().bold();
const HEADING: Style = Style::new().bold();

fn print(report: &Report, layout: &Layout, out: &mut dyn Write) -> io::Result<()> {
    let (installed, checks): (Vec<&Finding>, Vec<&Finding>) =
        report.checks.iter().partition(|finding| finding.code == Code::Installed);
    for finding in checks {
        let (style, severity) = match finding.severity {
            Severity::Problem => (BAD, "problem"),
            Severity::Warning => (DOUBTFUL, "warning"),
            Severity::Ok => (GOOD, "ok"),
        };
        writeln!(
            out,
            "{style}{severity:<7}{style:#}  {}",
            layout.lines(&finding.what_and_where(), 9, 9)
        )?;
        if let Some(remedy) = &finding.remedy {
            writeln!(out, "         -> {}", layout.lines(remedy, 12, 12))?;
        }
    }
    writeln!(out, "\n{HEADING}Who uses what here{HEADING:#}")?;
    print_clients(&report.consumers, layout, out)?;
    writeln!(out, "\n{HEADING}Where things are{HEADING:#} (to uninstall, remove these)")?;
    for finding in installed {
        let place = finding.at.as_ref().map(ToString::to_string).unwrap_or_default();
        writeln!(out, "  {} {}", finding.message, layout.lines(&place, 2, 2))?;
    }
    if report.ok {
        writeln!(out, "\nNext, `backlog-aws check` asks AWS whether the credentials work.")?;
    }
    Ok(())
}

fn print_clients(clients: &[Client], layout: &Layout, out: &mut dyn Write) -> io::Result<()> {
    let header = ["", "profile", "key", "account", "region"].map(str::to_owned);
    let or_dash = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let row = |client: &Client| {
        let (profile, key) = (or_dash(&client.profile), or_dash(&client.access_key_id));
        [client.name.to_owned(), profile, key, or_dash(&client.account), or_dash(&client.region)]
    };
    let rows: Vec<[String; 5]> = [header].into_iter().chain(clients.iter().map(row)).collect();
    let rules = [""].into_iter().chain(clients.iter().map(|client| client.rule.as_str()));
    for (line, rule) in table(&rows).zip(rules) {
        writeln!(out, "  {}", layout.lines(&line, 2, 6))?;
        if !rule.is_empty() {
            writeln!(out, "    {FAINT}{}{FAINT:#}", layout.lines(rule, 4, 4))?;
        }
    }
    Ok(())
}
