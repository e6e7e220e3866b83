//! What a shell is told at a prompt: changes to its variables, and the data by which it sees for itself, without asking
//! again, that nothing changed since. How it looks is written in `shell/`, by hand.

mod data;
mod precision;
mod stamps;
mod watch;

use std::ffi::OsStr;
use std::mem::ManuallyDrop;

pub use self::precision::Precision;
pub use self::stamps::Stamps;
use self::watch::{Watch, expected};
use crate::finding::{Finding, abridged};
use crate::resolve::{Inputs, USE, resolve};
use crate::session::{Change, Session, Values, Variable, state_of};
use crate::shell::Shell;
use crate::world::World;

/// Brings the shell of `session` up to date: the code for it to evaluate, and what there is to say.
pub fn update(
    shell: Shell,
    precision: Precision,
    world: &World,
    mut session: Session,
) -> (Vec<u8>, Vec<Finding>) {
    let mut code = shell.head();
    if world.cwd.is_none() && session.variables.intent().pin.is_none() {
        // The working directory was deleted. That is no reason to change to another account: what is exported stays.
        data::ask_again(shell, &mut code);
        return (code, Vec::new());
    }
    // Thousands of profiles would take longer to free than the process has left to live.
    let inputs = Inputs { choose_with: USE, ..Inputs::of(world, session.variables.intent()) };
    let inputs = ManuallyDrop::new(inputs);
    let resolution = resolve(&inputs);
    let after = session.variables.apply(resolution.exports().as_ref());
    let before = Values::of(&world.env);
    let profile = before.non_empty(Variable::Profile);
    let changes = profile.is_some() && profile != after.non_empty(Variable::Profile);
    let news = session.news(&abridged(resolution.all_findings()));
    let news = news.into_iter().map(|finding| finding.loud_if(changes)).collect();
    let state = session.to_text();
    let mut changes = before.changes_to(&after);
    if state_of(&world.env) != Some(OsStr::new(&state)) {
        changes.push(Change::of_state(Some(state.clone())));
    }
    shell.change(&changes, &mut code);
    let data = Watch::of(world, &inputs, &resolution, precision)
        .and_then(|watch| data::assignments(shell, world, &watch, expected(&world.env, &after)?));
    match data {
        Some(data) => code.extend(data),
        // There is something that the shell could not see.
        None => data::ask_again(shell, &mut code),
    }
    (code, news)
}

/// For a shell whose integration does not go with this program. Nothing it is told could be relied on, so it gets back
/// what it had before, and stops asking.
pub fn leave(shell: Shell, world: &World, mut session: Session) -> Vec<u8> {
    let mut changes = Values::of(&world.env).changes_to(&session.variables.restore_originals());
    changes.push(Change::of_state(None));
    shell.leave(&changes)
}
