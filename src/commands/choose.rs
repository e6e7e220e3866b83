//! The interactive choice among usable profiles, for `use`, `local` and `exec` on a terminal.

use std::io::{self, IsTerminal};

use inquire::{InquireError, Select};

use super::Failure;
use crate::resolve::usable;
use crate::world::World;

/// Lets the user choose. It reads the terminal and draws on standard error, so that it works inside `$(…)`.
///
/// # Errors
///
/// Without a terminal, or without anything to choose from, it says what to type instead. Esc and Ctrl-C leave everything
/// as it was.
pub fn usable_profile(question: &str, world: &World) -> Result<String, Failure> {
    let profiles = world.profiles();
    let found: Vec<_> = profiles
        .iter()
        .filter(|profile| usable(profile, world.now).is_ok())
        .collect();
    if found.is_empty() {
        return Err(Failure::Problem(
            "No AWS profiles with static credentials found; add one with `aws configure --profile bedrock`".to_owned(),
        ));
    }
    if !possible() {
        return Err(Failure::Usage(
            "there is no terminal to choose on; name a profile (`backlog-aws list --usable`)"
                .to_owned(),
        ));
    }
    let width = found
        .iter()
        .map(|profile| profile.name().len())
        .max()
        .unwrap_or(0)
        .min(40);
    let choices = found
        .iter()
        .map(|profile| {
            let region = profile
                .region()
                .map(crate::notice::visible)
                .unwrap_or_default();
            let row = format!(
                "{:<width$}  {:<9}  {region}",
                profile.name(),
                profile.kind().as_str()
            );
            row.trim_end().to_owned()
        })
        .collect();
    let rows = terminal_rows().saturating_sub(3).clamp(2, 15);
    let chosen = Select::new(&format!("{question}:"), choices)
        .with_page_size(rows)
        .with_help_message("type to filter, Enter to take it, Esc to leave everything as it is")
        .raw_prompt();
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

/// Whether there is somebody to ask.
pub fn possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn terminal_rows() -> usize {
    rustix::termios::tcgetwinsize(io::stderr()).map_or(24, |size| usize::from(size.ws_row))
}
