//! `list`: all profiles, what they are, and which one is in use.

use std::io::{self, Write};

use clap::builder::styling::Style;
use serde::Serialize;

use crate::aws::{Kind, Profile};
use crate::cli;
use crate::error::{Done, Failure};
use crate::finding::{Code, Finding, abridged, print_findings};
use crate::layout::Layout;
use crate::resolve::{ADD_A_PROFILE, Inputs, resolve, usable};
use crate::secret::mask_key_id;
use crate::session::UserIntent;
use crate::text::{FAINT, GOOD, table, visible, write_json};
use crate::world::World;

/// Prints the profiles in file order. Exit status 1 when there are none to print.
pub fn run(args: &cli::List, world: &World, out: &mut dyn Write) -> Done {
    let inputs = Inputs::of(world, UserIntent::of_environment(&world.env));
    let resolution = resolve(&inputs);
    let current = resolution.answer.profile().and_then(|name| name.to_str());
    let rows = inputs.profiles.iter().map(|profile| Row::of(profile, &inputs, current));
    let profiles: Vec<Row> = rows.filter(|row| row.usable || !args.usable).collect();
    let is_about_files =
        |code| matches!(code, Code::FileInvalid | Code::FileUnreadable | Code::FilePermissions);
    let mut notices = abridged(resolution.findings);
    notices.retain(|finding| is_about_files(finding.code));
    let is_empty = profiles.is_empty();
    if args.names {
        for row in &profiles {
            writeln!(out, "{}", row.name)?;
        }
    } else if args.json {
        write_json(out, &Report { schema: 1, profiles, notices })?;
    } else {
        print(&profiles, &Layout::of(&world.env, io::stdout()), out)?;
        print_findings(notices, &world.env, &mut io::stderr().lock());
    }
    if is_empty && !args.json {
        let which = if args.usable { "usable profiles" } else { "profiles" };
        return Err(Failure::Problem(format!(
            "there are no {which} in the AWS files; {ADD_A_PROFILE}"
        )));
    }
    Ok(u8::from(is_empty))
}

#[derive(Serialize)]
struct Report<'a> {
    schema: u8,
    profiles: Vec<Row<'a>>,
    notices: Vec<Finding>,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    kind: Kind,
    also: Vec<Kind>,
    region: Option<&'a str>,
    role_arn: Option<&'a str>,
    source_profile: Option<&'a str>,
    sso_session: Option<&'a str>,
    sso_start_url: Option<&'a str>,
    access_key_id: Option<String>,
    account: Option<String>,
    expires_at: Option<String>,
    current: bool,
    at: Vec<String>,
    #[serde(skip)]
    usable: bool,
}

impl<'a> Row<'a> {
    fn of(profile: &'a Profile<'_>, inputs: &'a Inputs<'_>, current: Option<&str>) -> Self {
        let places = profile.at().filter_map(|at| inputs.place(at).map(|at| at.to_string()));
        Self {
            name: profile.name(),
            kind: profile.kind(),
            also: profile.also(),
            region: profile.region(),
            role_arn: profile.non_empty("role_arn"),
            source_profile: profile.non_empty("source_profile"),
            sso_session: profile.non_empty("sso_session"),
            sso_start_url: inputs.profiles.sso_start_url(profile),
            access_key_id: profile.access_key_id().map(mask_key_id),
            account: inputs.account_of_profile(profile),
            expires_at: profile.expires_at().ok().flatten().map(|end| end.to_string()),
            current: current == Some(profile.name()),
            at: places.collect(),
            usable: usable(profile, inputs.now).is_ok(),
        }
    }

    fn cells(&self) -> [String; 4] {
        let kinds: Vec<&str> = [self.kind].iter().chain(&self.also).map(|k| k.as_str()).collect();
        let place = self.at.first().cloned().unwrap_or_default();
        let account = self.account.as_ref().map(|account| format!("account {account}"));
        let has_expired = self.kind == Kind::Temporary && !self.usable;
        let until = if has_expired { "expired" } else { "until" };
        let end = self.expires_at.as_ref().map(|end| format!("{until} {end}"));
        [
            format!("{} {}", if self.current { "*" } else { " " }, self.name),
            kinds.join("+"),
            self.region.map_or_else(|| "-".to_owned(), visible),
            [Some(place), account, end].into_iter().flatten().collect::<Vec<_>>().join("  "),
        ]
    }
}

fn print(rows: &[Row<'_>], layout: &Layout, out: &mut dyn Write) -> io::Result<()> {
    let cells: Vec<_> = rows.iter().map(Row::cells).collect();
    for (row, line) in rows.iter().zip(table(&cells)) {
        let style = match (row.current, row.usable) {
            (true, _) => GOOD,
            (false, true) => Style::new(),
            (false, false) => FAINT,
        };
        writeln!(out, "{style}{}{style:#}", layout.lines(&line, 0, 4))?;
    }
    Ok(())
}
