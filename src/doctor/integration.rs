//! Whether the hook is loaded and runs in the shell that asks, and fits the program.

use std::io::IsTerminal;
use std::path::Path;

use super::case::Case;
use super::facts::Facts;
use crate::finding::{Code, Finding, Place};
use crate::session::{Session, Values, state_of};
use crate::shell::Shell;
use crate::start_up::{file_of, load_line, loading_lines};
use crate::text::{shown, visible};
use crate::world::World;

const VERSION: &str = env!("CARGO_PKG_VERSION");

pub fn findings(case: &Case<'_>) -> Vec<Finding> {
    let session = state_of(&case.world.env).and_then(Session::from_text);
    let session = session.as_ref().map(Session::shell);
    let hook = match case.facts {
        Some(facts) => in_shell(case, facts, session),
        None => from_outside(case, session),
    };
    [Some(hook), case.facts.and_then(|facts| version(case, facts)), program(case)]
        .into_iter()
        .flatten()
        .collect()
}

fn in_shell(case: &Case<'_>, facts: Facts<'_>, session: Option<&str>) -> Finding {
    let (shell, load) = (facts.shell.word(), case.load());
    let program = Path::new(facts.get("program"));
    if !program.as_os_str().is_empty() && !program.is_file() {
        let message =
            format!("the hook's program {} is gone, so nothing is exported", visible(program));
        return Finding::problem(Code::ProgramGone, message)
            .remedy(format!("{load} loads it from where the program is now"));
    }
    if facts.get("mode") == "none" {
        let message = format!("this {shell} loads backlog-aws without the hook (--hook none)");
        return Finding::ok(Code::Hook, message);
    }
    if facts.is_displaced() {
        let message = "something loaded after the hook replaced it, so nothing is exported";
        return Finding::problem(Code::HookDisplaced, message).remedy(format!(
            "{load} puts it back; for later shells move that line to the end of {}",
            start_up_file(facts.shell, case.world)
        ));
    }
    if let Some(session) = session.filter(|session| facts.get("session") == *session) {
        return freshness(case, session);
    }
    let message = format!("the hook is in this {shell}, but has not run yet");
    Finding::warning(Code::HookNotRun, message).remedy(at_the_next_prompt(case))
}

/// What the environment alone tells: the program was not called through the integration's function.
fn from_outside(case: &Case<'_>, session: Option<&str>) -> Finding {
    let parent = case.probe.parent_pid.map(|pid| format!("{pid}."));
    if let (Some(session), Some(parent)) = (session, parent)
        && session.starts_with(&parent)
    {
        return freshness(case, session);
    }
    let inherited = if session.is_some() { "; the values here are of another shell" } else { "" };
    let Some(shell) = case.probe.parent_shell.filter(|_| case.probe.interactive) else {
        let message = format!("not asked at a prompt, so the hook was not checked{inherited}");
        return Finding::warning(Code::HookNotChecked, message)
            .remedy("run `backlog-aws doctor` at the prompt of your shell");
    };
    not_loaded(shell, &case.probe.start_up_lines, inherited, case.world)
}

/// That a shell is without the hook, and which line in which file loads it. `lines` are those that stand there already.
fn not_loaded(shell: Shell, lines: &[(Shell, Place)], inherited: &str, world: &World) -> Finding {
    let load = load_line(shell, "backlog-aws");
    let message = format!("this {} has no hook, so nothing is exported{inherited}", shell.word());
    Finding::problem(Code::HookNotLoaded, message).remedy(
        if let Some((_, place)) = lines.iter().find(|(of, _)| *of == shell) {
            format!("run `{load}` now; a new shell does it by itself ({place})")
        } else {
            let file = start_up_file(shell, world);
            format!("run `{load}` now; `backlog-aws setup` adds that line to {file}")
        },
    )
}

/// The same for other commands than `doctor`, when somebody types them in a shell that has not run the hook.
pub fn hook_missing(world: &World) -> Option<Finding> {
    let typed = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    if !typed || state_of(&world.env).is_some() {
        return None;
    }
    let shell = world.env.get("SHELL").and_then(|shell| Shell::from_path(Path::new(shell)))?;
    Some(not_loaded(shell, &loading_lines(world), "", world))
}

/// Whether the environment says what the hook would say now.
fn freshness(case: &Case<'_>, shell: &str) -> Finding {
    let values = Values::of(&case.world.env);
    let mut session = Session::continued(state_of(&case.world.env), shell, &values);
    if session.variables.apply(case.resolution.exports().as_ref()) == values {
        let message = "the hook runs in this shell, and what it exports is up to date";
        return Finding::ok(Code::Hook, message);
    }
    let message = "what this shell exports is out of date: the hook has not run since a change";
    Finding::warning(Code::HookStale, message).remedy(at_the_next_prompt(case))
}

fn at_the_next_prompt(case: &Case<'_>) -> String {
    format!("press Enter; if that does not help, {}", case.load())
}

/// The file that should load the integration.
fn start_up_file(shell: Shell, world: &World) -> String {
    match file_of(shell, world) {
        Ok(path) => shown(&path, world.home.as_deref()),
        Err(_) => "its start-up file".to_owned(),
    }
}

fn version(case: &Case<'_>, facts: Facts<'_>) -> Option<Finding> {
    // Empty when the integration was not printed but sourced as a file.
    let other = Some(facts.get("version")).filter(|of| !of.is_empty() && *of != VERSION)?;
    let message =
        format!("this shell's hook is of backlog-aws {}, the program {VERSION}", visible(other));
    Some(Finding::warning(Code::IntegrationVersion, message).remedy(case.load()))
}

/// Whether new shells will find the program.
fn program(case: &Case<'_>) -> Option<Finding> {
    let running = visible(&case.world.program);
    let message = format!("PATH finds no backlog-aws; this one is {running}");
    let finding = Finding::warning(Code::ProgramNotOnPath, message)
        .remedy("add its directory to PATH, or new shells cannot load the hook");
    case.probe.on_path.is_none().then_some(finding)
}
