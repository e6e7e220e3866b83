//! The interactive choice among usable profiles, for `use`, `local` and `exec` on a terminal.

use std::cmp::Reverse;
use std::ffi::OsString;
use std::io::{self, IsTerminal};

use anstream::{AutoStream, ColorChoice};
use inquire::list_option::ListOption;
use inquire::ui::RenderConfig;
use inquire::{InquireError, Select};

use crate::aws::Profile;
use crate::cli;
use crate::error::Failure;
use crate::finding::{Finding, print_findings};
use crate::resolve::{Inputs, Resolution, none_found, resolve, usable};
use crate::session::{UserIntent, Variable, state_of};
use crate::source::Source;
use crate::text::visible;
use crate::world::World;

/// Lets the user choose. It reads the terminal and draws on standard error, so that it works inside `$(…)`.
///
/// # Errors
///
/// Without a terminal, or without anything to choose from, it says what to type instead. Esc and Ctrl-C leave everything
/// as it was.
pub fn usable_profile(question: &str, world: &World) -> Result<String, Failure> {
    let inputs = Inputs::of(world, UserIntent::default());
    let found: Vec<_> =
        inputs.profiles.iter().filter(|profile| usable(profile, world.now).is_ok()).collect();
    if found.is_empty() {
        return Err(Failure::Problem(none_found(&inputs).to_string()));
    }
    if !possible() {
        return Err(Failure::Usage(
            "there is no terminal to choose on; name a profile (`backlog-aws list --usable`)"
                .to_owned(),
        ));
    }
    let rows: Vec<Row<'_>> = found.iter().map(|profile| Row::of(profile)).collect();
    let columns = Columns::of(&rows, terminal_width());
    let choices: Vec<String> = rows.iter().map(|row| columns.lay_out(row)).collect();
    let best_first = |typed: &str, _: &String, _: &str, index: usize| {
        rows.get(index).and_then(|row| row.score(typed))
    };
    let name_only = |chosen: ListOption<&String>| {
        let row = rows.get(chosen.index);
        row.map_or_else(String::new, |row| row.name.to_owned())
    };
    let colour = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
    let question = format!("{question}:");
    let mut select = Select::new(&question, choices)
        .with_page_size(page_size())
        .with_scorer(&best_first)
        // A stable sort: what is equally good stays in the order of the files.
        .with_sorter(&|scores| scores.sort_by_key(|&(_, score)| Reverse(score)))
        .with_formatter(&name_only)
        .with_render_config(if colour {
            RenderConfig::default_colored()
        } else {
            RenderConfig::empty()
        });
    // It must not wrap either.
    select.help_message = Some(HELP).filter(|help| help.len() + 3 < terminal_width());
    let chosen = select.raw_prompt();
    match chosen {
        Ok(chosen) => found
            .get(chosen.index)
            .map(|profile| profile.name().to_owned())
            .ok_or(Failure::Cancelled),
        Err(InquireError::OperationCanceled | InquireError::OperationInterrupted) => {
            Err(Failure::Cancelled)
        }
        Err(error) => Err(Failure::Problem(format!(
            "the terminal does not let you choose ({error}); name a profile"
        ))),
    }
}

/// The answer for one command: what the chain says, with `--profile` and `--region` as pins. When it is unusable and
/// there is a terminal, the user may choose if there is a `question` to put to them.
///
/// # Errors
///
/// There are no usable credentials; the text says why and what to do.
pub fn resolve_for_command<'a>(
    choice: &cli::Choice,
    question: Option<&str>,
    world: &'a World,
) -> Result<(Inputs<'a>, Resolution), Failure> {
    let intent = UserIntent::of_environment(&world.env);
    // Inside another `exec` the region is the one that was worked out for its profile, and no word about another's.
    let handed_down = state_of(&world.env).is_none()
        && world.env.get(Variable::Source.name()).and_then(Source::from_name).is_some();
    let asked = choice.profile.as_ref().map(OsString::from);
    let of_another = handed_down && asked.is_some() && asked != intent.pin;
    let region = intent.region_pin.clone().filter(|_| !of_another);
    let with = |profile: Option<OsString>| UserIntent {
        pin: profile.or_else(|| asked.clone()).or_else(|| intent.pin.clone()),
        region_pin: choice.region.as_ref().map(OsString::from).or_else(|| region.clone()),
        ..intent.clone()
    };
    let mut inputs = Inputs::of(world, with(None));
    let resolution = resolve(&inputs);
    let Some(refusal) = resolution.refusal else {
        return Ok((inputs, resolution));
    };
    let Some(question) = question.filter(|_| possible()) else {
        return Err(Failure::Problem(refusal.to_string()));
    };
    print_findings(vec![refusal], &world.env, &mut io::stderr().lock());
    let profile = usable_profile(question, world).map_err(|failure| match failure {
        // The refusal has said it already.
        Failure::Problem(_) => Failure::Explained,
        other => other,
    })?;
    inputs.intent = with(Some(profile.into()));
    let resolution = resolve(&inputs);
    Ok((inputs, resolution))
}

/// Why a profile cannot be used now; `None` when it can.
pub fn refusal_of(profile: &str, world: &World) -> Option<Finding> {
    let intent = UserIntent { pin: Some(profile.into()), ..UserIntent::default() };
    resolve(&Inputs::of(world, intent)).refusal
}

const HELP: &str = "type to filter, Enter takes it, Esc leaves everything as it is";

/// Whether there is somebody to ask.
pub fn possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// One profile as it is offered.
struct Row<'a> {
    name: &'a str,
    kind: &'static str,
    region: String,
}

impl<'a> Row<'a> {
    fn of(profile: &Profile<'a>) -> Self {
        Self {
            name: profile.name(),
            kind: profile.kind().as_str(),
            region: profile.region().map(visible).unwrap_or_default(),
        }
    }

    /// How well it fits what was typed; `None` when it does not. A name that begins with it goes first, then one that
    /// contains it, then a kind or region that does.
    fn score(&self, typed: &str) -> Option<i64> {
        let typed = typed.trim().to_lowercase();
        let name = self.name.to_lowercase();
        if name.starts_with(&typed) {
            Some(2)
        } else if name.contains(&typed) {
            Some(1)
        } else {
            let rest = format!("{} {}", self.kind, self.region).to_lowercase();
            rest.contains(&typed).then_some(0)
        }
    }
}

/// Where the columns of the list begin, and how much fits beside each other. A row that wrapped would push the list out
/// of a small window.
struct Columns {
    name: usize,
    kind: usize,
    region: usize,
}

impl Columns {
    fn of(rows: &[Row<'_>], width: usize) -> Self {
        let longest = |of: fn(&Row<'_>) -> usize| rows.iter().map(of).max().unwrap_or(0);
        // The mark before each row, and a column that stays free because some terminals wrap on filling it.
        let room = width.saturating_sub(3);
        let kind = longest(|row| row.kind.len());
        let name = longest(|row| row.name.len()).min(40).min(room);
        Self { name, kind, region: room.saturating_sub(name + kind + 4) }
    }

    fn lay_out(&self, row: &Row<'_>) -> String {
        let (name, kind, region) =
            (cut(row.name, self.name), row.kind, cut(&row.region, self.region));
        let (names, kinds) = (self.name, self.kind);
        let line = match self.region {
            // Too narrow for more than the name.
            0 => name,
            _ => format!("{name:<names$}  {kind:<kinds$}  {region}"),
        };
        line.trim_end().to_owned()
    }
}

/// As much of a text as fits, with a mark where something is missing. A character outside of ASCII counts as two
/// columns, which is the most that one takes.
fn cut(text: &str, width: usize) -> String {
    let columns = |c: char| if c.is_ascii() { 1 } else { 2 };
    if text.chars().map(columns).sum::<usize>() <= width {
        return text.to_owned();
    }
    let mut taken = 1;
    let fitting = text.chars().take_while(|&c| {
        taken += columns(c);
        taken <= width
    });
    let mut text: String = fitting.collect();
    if width > 0 {
        text.push('…');
    }
    text
}

/// How many profiles are shown at once: the question and the help need a row each, and a row stays free below.
fn page_size() -> usize {
    let rows = window().map_or(24, |(rows, _)| rows);
    rows.saturating_sub(3).clamp(1, 15)
}

fn terminal_width() -> usize {
    window().map_or(80, |(_, columns)| columns)
}

/// Rows and columns, unless the terminal does not know them: some answer with zeros.
fn window() -> Option<(usize, usize)> {
    let size = rustix::termios::tcgetwinsize(io::stderr()).ok()?;
    let (rows, columns) = (usize::from(size.ws_row), usize::from(size.ws_col));
    (rows > 0 && columns > 0).then_some((rows, columns))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &'static str, region: &str) -> Row<'static> {
        Row { name, kind: "static", region: visible(region) }
    }

    #[test]
    fn no_row_is_wider_than_the_window() {
        let rows = [
            row("bedrock", "eu-west-1"),
            row("a-name-that-is-much-longer-than-any-sensible-one", "x"),
            row("b", &"世界".repeat(60)),
            row("c", &"\u{202e}\x1b[2J".repeat(20)),
        ];
        for width in 1..120 {
            let columns = Columns::of(&rows, width);
            for row in &rows {
                let line = columns.lay_out(row);
                let wide: usize =
                    line.chars().map(|c| if c.is_ascii() || c == '…' { 1 } else { 2 }).sum();
                assert!(wide <= width.saturating_sub(3), "{width}: {line}");
            }
        }
    }

    #[test]
    fn a_name_that_begins_as_typed_goes_first() {
        let [begins, contains, region, other] = [
            row("Prod", "eu-west-1"),
            row("acme-prod", "eu-west-1"),
            row("acme", "pro-1"),
            row("acme", "eu-west-1"),
        ]
        .map(|row| row.score("pro"));
        assert!(begins > contains && contains > region && region > other);
        assert_eq!(other, None);
    }
}
