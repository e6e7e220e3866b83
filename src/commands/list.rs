//! `list`: all profiles, what they are, and which one is in use.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::aws::{Kind, Profile};
use crate::cli;
use crate::error::{Done, Failure};
use crate::finding::{Code, Finding, abridged, print_findings};
use crate::overrides::place;
use crate::resolve::{Inputs, resolve, usable};
use crate::secret::mask_key_id;
use crate::session::UserIntent;
use crate::text::{visible, write_json};
use crate::world::World;

/// Prints the profiles in file order. Exit status 1 when there are none to print.
pub fn run(args: &cli::List, world: &World, out: &mut dyn Write) -> Done {
    let inputs = Inputs::of(world, UserIntent::of_environment(&world.env));
    let resolution = resolve(&inputs);
    let shown: Vec<&Profile<'_>> = inputs
        .profiles
        .iter()
        .filter(|profile| !args.usable || usable(profile, world.now).is_ok())
        .collect();
    let current = resolution.answer.profile().and_then(|name| name.to_str());
    let file_notices: Vec<Finding> = abridged(resolution.findings)
        .into_iter()
        .filter(|finding| is_about_files(finding.code))
        .collect();
    if args.names {
        for profile in &shown {
            writeln!(out, "{}", profile.name())?;
        }
    } else {
        let rows: Vec<Row> =
            shown.iter().map(|profile| Row::of(profile, &inputs, current)).collect();
        if args.json {
            let report = Report { schema: 1, profiles: rows, notices: &file_notices };
            write_json(out, &report)?;
        } else {
            print(&rows, out)?;
            print_findings(file_notices, &world.env, &mut anstream::stderr().lock());
        }
    }
    if shown.is_empty() && !args.json {
        let which = if args.usable { "usable profiles" } else { "profiles" };
        return Err(Failure::Problem(format!(
            "there are no {which} in the AWS files; add one with `aws configure --profile bedrock`"
        )));
    }
    Ok(u8::from(shown.is_empty()))
}

fn is_about_files(code: Code) -> bool {
    matches!(code, Code::FileInvalid | Code::FileUnreadable | Code::FilePermissions)
}

#[derive(Serialize)]
struct Report<'a> {
    schema: u8,
    profiles: Vec<Row>,
    notices: &'a [Finding],
}

#[derive(Serialize)]
struct Row {
    name: String,
    kind: &'static str,
    also: Vec<&'static str>,
    region: Option<String>,
    role_arn: Option<String>,
    source_profile: Option<String>,
    sso_session: Option<String>,
    sso_start_url: Option<String>,
    access_key_id: Option<String>,
    expires_at: Option<String>,
    current: bool,
    at: Vec<String>,
    #[serde(skip)]
    usable: bool,
}

impl Row {
    fn of(profile: &Profile<'_>, inputs: &Inputs<'_>, current: Option<&str>) -> Self {
        let text = |value: Option<&str>| value.map(str::to_owned);
        let places =
            profile.at().filter_map(|at| Some(place(inputs.path_of(at.kind)?, Some(at.line))));
        Self {
            name: profile.name().to_owned(),
            kind: profile.kind().as_str(),
            also: profile.also().into_iter().map(Kind::as_str).collect(),
            region: text(profile.region()),
            role_arn: text(profile.role_arn()),
            source_profile: text(profile.source_profile()),
            sso_session: text(profile.sso_session()),
            sso_start_url: text(inputs.profiles.sso_start_url(profile)),
            access_key_id: profile.access_key_id().map(mask_key_id),
            expires_at: profile.expires_at().ok().flatten().map(|end| end.to_string()),
            current: current == Some(profile.name()),
            at: places.collect(),
            usable: usable(profile, inputs.now).is_ok(),
        }
    }
}

fn print(rows: &[Row], out: &mut dyn Write) -> io::Result<()> {
    const CURRENT: Style = AnsiColor::Green.on_default().bold();
    const FAINT: Style = Style::new().dimmed();
    let kind = |row: &Row| {
        std::iter::once(row.kind).chain(row.also.iter().copied()).collect::<Vec<_>>().join("+")
    };
    let region = |row: &Row| row.region.as_deref().map_or_else(|| "-".to_owned(), visible);
    let width = |column: &dyn Fn(&Row) -> String| {
        rows.iter().map(|row| column(row).chars().count()).max().unwrap_or(0)
    };
    let (names, kinds, regions) = (width(&|row| row.name.clone()), width(&kind), width(&region));
    for row in rows {
        let (mark, style) = match (row.current, row.usable) {
            (true, _) => ("*", CURRENT),
            (false, true) => (" ", Style::new()),
            (false, false) => (" ", FAINT),
        };
        let end = row.expires_at.as_ref().map(|end| format!("  until {end}")).unwrap_or_default();
        let at = row.at.first().map(String::as_str).unwrap_or_default();
        let line = format!(
            "{mark} {:<names$}  {:<kinds$}  {:<regions$}  {at}{end}",
            row.name,
            kind(row),
            region(row),
        );
        writeln!(out, "{style}{}{style:#}", line.trim_end())?;
    }
    Ok(())
}
