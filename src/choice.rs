//! The interactive choice among usable profiles, for `use`, `local` and `exec` on a terminal.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal, Write};

use inquire::ui::RenderConfig;
use inquire::{Confirm, InquireError, Select};
use jiff::Timestamp;

use crate::aws::Profile;
use crate::cli;
use crate::error::{Done, Failure};
use crate::finding::{Finding, abridged, print_findings};
use crate::overrides::Edit;
use crate::resolve::{Answer, Inputs, Reason, Resolution, none_found, resolve, usable};
use crate::session::{UserIntent, Variable, state_of};
use crate::source::Source;
use crate::temporary;
use crate::text::{FAINT, table, visible};
use crate::user_config;
use crate::world::World;

/// Lets the user choose. It reads the terminal and draws on standard error, so that it works inside `$(…)`.
///
/// # Errors
///
/// Without a terminal, or without anything to choose from, it says what to type instead. Esc and Ctrl-C leave everything
/// as it was.
pub fn usable_profile(question: &str, world: &World) -> Result<String, Failure> {
    let inputs = Inputs::of(world, UserIntent::default());
    let found: Vec<_> = inputs.usable_profiles().collect();
    if found.is_empty() {
        return Err(Failure::Problem(none_found(&inputs).to_string()));
    }
    if !possible() {
        return Err(Failure::Usage(
            "there is no terminal to choose on; name a profile (`backlog-aws list --usable`)"
                .to_owned(),
        ));
    }
    let (height, width) = window();
    let current = world.env.get(Variable::Profile.name());
    let mut choices = rows(&found, current, &inputs, width);
    let unusable = unusable(&inputs, world.now).map(|line| cut(&line, width - 1));
    // Besides these, the question and the help need a row each, and a row stays free below.
    let page = height.saturating_sub(3 + usize::from(unusable.is_some())).clamp(1, 15);
    let rows = choices.clone();
    let score = |typed: &str, _: &String, row: &str, index: usize| {
        if index < rows.len() {
            return score(typed, row);
        }
        // Instead of an empty list.
        rows.iter().all(|row| score(typed, row).is_none()).then_some(0)
    };
    choices.push("nothing matches; Backspace shows more".to_owned());
    let question = format!("{question}:");
    let name = |index: usize| found.get(index).map(|profile| profile.name().to_owned());
    loop {
        let mut select = Select::new(&question, choices.clone())
            .with_page_size(page)
            .with_scorer(&score)
            // Its colors cannot be read on white.
            .with_render_config(RenderConfig::empty());
        // It must not wrap either.
        select.help_message = Some(HELP).filter(|help| help.len() + 3 < width);
        let chosen = ask(page.min(choices.len()) + 3, unusable.as_deref(), || select.raw_prompt())?;
        wipe();
        if let Some(name) = name(chosen.index) {
            let _ = writeln!(io::stderr(), "{question} {name}");
            return Ok(name);
        }
    }
}

/// What cannot be chosen, and why.
fn unusable(inputs: &Inputs<'_>, now: Timestamp) -> Option<String> {
    let shown = inputs.profiles.iter().filter_map(|profile| match usable(profile, now).err()? {
        Reason::Expired(_) => Some(format!("{} (expired)", profile.name())),
        _ => Some(format!("{} ({})", profile.name(), profile.kind())),
    });
    let shown = shown.collect::<Vec<_>>().join(", ");
    (!shown.is_empty()).then(|| format!("not usable: {shown}"))
}

/// Asks a question that Enter answers with yes.
///
/// # Errors
///
/// Esc and Ctrl-C, and a terminal that cannot be asked.
pub fn says_yes(question: &str) -> Result<bool, Failure> {
    ask(1, None, || Confirm::new(question).with_default(true).prompt())
}

/// Says what was found, and asks whether to run the command all the same. Without a terminal the answer is no.
///
/// # Errors
///
/// Esc and Ctrl-C, and a terminal that cannot be asked.
pub fn run_anyway(finding: &Finding) -> Result<bool, Failure> {
    if !possible() {
        return Ok(false);
    }
    eprintln!("backlog-aws: {finding}");
    ask(1, None, || Confirm::new("Run it all the same?").with_default(false).prompt())
}

/// Clears the screen from where `ask` began.
fn wipe() {
    let _ = write!(io::stderr(), "\x1b8\x1b[J");
}

/// Asks on that many rows, below a line that says more. When the user cancels, all of it goes from the screen.
fn ask<T>(
    rows: usize,
    more: Option<&str>,
    prompt: impl FnOnce() -> Result<T, InquireError>,
) -> Result<T, Failure> {
    let rows = rows.min(window().0 - 1);
    // The rows are made first: where the screen scrolls, the place that it remembers does not move along.
    let _ = write!(io::stderr(), "{}\x1b[{rows}A\x1b7", "\n".repeat(rows));
    if let Some(more) = more {
        let _ = writeln!(anstream::stderr(), "{FAINT}{more}{FAINT:#}");
    }
    prompt().map_err(|error| {
        wipe();
        match error {
            InquireError::OperationCanceled | InquireError::OperationInterrupted => {
                Failure::Canceled
            }
            error => Failure::Problem(format!(
                "the terminal does not let you choose ({error}); name a profile"
            )),
        }
    })
}

/// The answer for one command: what the chain says, with `--profile` and `--region` as pins; of a profile without keys,
/// what the AWS CLI says if it may be asked. When it is unusable or a guess and there is a terminal, `exec` lets the user
/// choose, unless `--yes` takes the guess.
///
/// # Errors
///
/// There are no usable credentials; the text says why and what to do.
pub fn resolve_for_command<'a>(
    choice: &cli::Choice,
    exec: Option<&cli::Exec>,
    world: &'a World,
) -> Result<(Inputs<'a>, Resolution), Failure> {
    const QUESTION: &str = "Profile for this command";
    let intent = UserIntent::of_environment(&world.env);
    // Inside another `exec` the region is the one that was worked out for its profile; it says nothing about another.
    let handed_down = state_of(&world.env).is_none()
        && world.env.get(Variable::Source.name()).and_then(Source::from_name).is_some();
    let asked = choice.profile.as_ref().map(OsString::from);
    let of_another = handed_down && asked.is_some() && asked != intent.pin;
    let region = intent.region_pin.filter(|_| !of_another);
    let region_pin = choice.region.as_ref().map(OsString::from).or(region);
    let intent = UserIntent { pin: asked.or(intent.pin), region_pin, ..intent };
    let mut inputs = Inputs::of(world, intent);
    inputs.choose_with = "--profile ";
    inputs.typed = choice.profile.is_some();
    let mut resolution = resolve(&inputs);
    let dry_run = exec.is_some_and(|exec| exec.dry_run);
    fill_in(&mut inputs, &mut resolution, choice.temporary, dry_run, world)?;
    // With a key for Anthropic's own API, a command needs nothing of AWS.
    if matches!(resolution.answer, Answer::Nothing) && inputs.anthropic_key && exec.is_some() {
        return Ok((inputs, resolution));
    }
    let asks = exec.filter(|_| possible());
    let profile = match &resolution.refusal {
        Some(refusal) if asks.is_some() && inputs.usable_profiles().next().is_some() => {
            print_findings([refusal.clone()], &world.env, &mut io::stderr().lock());
            usable_profile(QUESTION, world)?
        }
        Some(refusal) => {
            print_concerns(&resolution, world);
            return Err(Failure::Problem(refusal.to_string()));
        }
        None if resolution.guess && asks.is_some_and(|exec| !exec.yes && !dry_run) => {
            let profile = usable_profile(QUESTION, world)?;
            keep(&profile, world)?;
            profile
        }
        None => return Ok((inputs, resolution)),
    };
    inputs.intent.pin = Some(profile.into());
    let resolution = resolve(&inputs);
    Ok((inputs, resolution))
}

/// Has the AWS CLI asked for the credentials of a profile that the user named and that has no keys, if that is wanted.
fn fill_in(
    inputs: &mut Inputs<'_>,
    resolution: &mut Resolution,
    asks: bool,
    dry_run: bool,
    world: &World,
) -> Result<(), Failure> {
    // Only what the user named can be unusable; the rest of the chain is passed over.
    if let Answer::Unusable { profile: Some(name), reason: Reason::Kind(kind), .. } =
        &resolution.answer
        && let Some(profile) = inputs.profile(name).filter(|_| kind.can_be_asked_for())
    {
        if !asks {
            if let Some(Finding { remedy: Some(remedy), .. }) = &mut resolution.refusal {
                remedy.push_str(", or add --temporary");
            }
            return Ok(());
        }
        let given = temporary::ask(profile, dry_run, inputs, world)?;
        inputs.temporary = Some((profile.name().to_owned(), given));
        *resolution = resolve(inputs);
    }
    Ok(())
}

/// Says what concerns a command that gets credentials. A guess is said also to who wants quiet: somebody pays.
pub fn print_concerns(resolution: &Resolution, world: &World) {
    let concerns = resolution.findings.iter().filter(|finding| finding.concerns_exec()).cloned();
    let concerns = concerns.map(|finding| finding.loud_if(resolution.guess)).collect();
    print_findings(abridged(concerns), &world.env, &mut io::stderr().lock());
}

/// Offers to keep a choice that was made for one command.
fn keep(profile: &str, world: &World) -> Done {
    const ONCE: &str = "only for this command";
    const HERE: &str = "for this directory and below";
    const EVERYWHERE: &str = "everywhere";
    let keep = Select::new("Use it", vec![ONCE, HERE, EVERYWHERE]).without_help_message();
    let edits = [("profile", Edit::Set(profile))];
    let err = &mut io::stderr().lock();
    match ask(4, None, || keep.prompt())? {
        HERE => user_config::set_here(&edits, world, err),
        EVERYWHERE => user_config::set_everywhere(&edits, world, err),
        _ => Ok(0),
    }
}

/// Why the profile that was given to `command` cannot be used now; `None` when it can.
pub fn refusal_of(profile: &str, command: &'static str, world: &World) -> Option<Finding> {
    let intent = UserIntent { pin: Some(profile.into()), ..UserIntent::default() };
    resolve(&Inputs { choose_with: command, typed: true, ..Inputs::of(world, intent) }).refusal
}

const HELP: &str = "type to filter, Enter selects, Esc cancels";

/// Whether there is somebody to ask.
pub fn possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// The list: name, kind, region and account of each profile in columns, and which is in use. A row that wrapped would push
/// the list out of a small window, so each ends where the window does.
fn rows(
    profiles: &[&Profile<'_>],
    current: Option<&OsStr>,
    inputs: &Inputs<'_>,
    width: usize,
) -> Vec<String> {
    let cells = |profile: &&Profile<'_>| {
        let region = profile.region().map(visible).unwrap_or_default();
        let account = inputs.account_of_profile(profile).unwrap_or_default();
        let is_current = current.is_some_and(|current| current == profile.name());
        let account = account + if is_current { "  current" } else { "" };
        [profile.name().to_owned(), profile.kind().to_string(), region, account]
    };
    let cells: Vec<_> = profiles.iter().map(cells).collect();
    // The mark before each row, and a column that stays free because some terminals wrap on filling it.
    table(&cells).map(|row| cut(&row, width.saturating_sub(3))).collect()
}

/// How well a row fits what was typed; `None` when it does not. A name that begins with it goes first.
fn score(typed: &str, row: &str) -> Option<i64> {
    let at = row.to_lowercase().find(&typed.trim().to_lowercase())?;
    Some(-i64::try_from(at).unwrap_or(i64::MAX))
}

/// As much of a text as fits. A character outside of ASCII counts as two columns, which is the most that one takes.
fn cut(text: &str, width: usize) -> String {
    let mut columns = 0;
    let fits = |c: &char| {
        columns += if c.is_ascii() { 1 } else { 2 };
        columns <= width
    };
    text.chars().take_while(fits).collect()
}

/// Rows and columns. Some terminals do not know them and answer with zeros.
fn window() -> (usize, usize) {
    let size = rustix::termios::tcgetwinsize(io::stderr()).ok();
    size.filter(|size| size.ws_row > 0 && size.ws_col > 0)
        .map_or((24, 80), |size| (size.ws_row.into(), size.ws_col.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_row_is_wider_than_the_window() {
        for text in ["bedrock  static", &"世界".repeat(60), &visible("\u{202e}\x1b[2J".repeat(20))]
        {
            for width in 0..120 {
                let row = cut(text, width);
                let wide: usize = row.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
                assert!(wide <= width, "{width}: {row}");
            }
        }
    }

    #[test]
    fn a_name_that_begins_as_typed_goes_first() {
        let [begins, contains, region, other] = [
            "Prod       static     eu-west-1",
            "acme-prod  static     eu-west-1",
            "acme       static     pro-1",
            "acme       static     eu-west-1",
        ]
        .map(|row| score("pro", row));
        assert!(begins > contains && contains > region && region > other);
        assert_eq!(other, None);
    }
}
