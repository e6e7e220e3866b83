//! Whether the hook is loaded and alive in the shell that asks, and fits the program.

use super::check::{Case, Check};
use crate::overrides::place;
use crate::session::{Session, Values, state_of};
use crate::shell::Shell;
use crate::text::visible;

/// The version of this program.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The hook, then the versions.
pub fn checks(case: &Case<'_>) -> Vec<Check> {
    let mut checks = vec![hook(case)];
    checks.extend(version(case));
    checks.extend(program(case));
    checks
}

fn hook(case: &Case<'_>) -> Check {
    let state = state_of(&case.world.env);
    let session = state.and_then(Session::from_text);
    let Some(facts) = case.facts else {
        return without_integration(case, session.as_ref());
    };
    let shell = facts.shell.word();
    let load = case.load();
    if case.probe.integration_program_exists == Some(false) {
        return Check::problem(
            "program-gone",
            format!(
                "the program that the integration of this {shell} calls is gone ({}), so the hook keeps still",
                visible(&facts.program)
            ),
        )
        .remedy(format!("{load} loads it from where the program is now"));
    }
    if facts.mode == "none" {
        return Check::ok(
            "hook",
            format!("this {shell} has the integration without a hook (--hook none)"),
        );
    }
    if !facts.has_hook() {
        let (variable, remedy) = (prompt_variable(facts.shell), displaced_remedy(case));
        let who = facts.displaced_by().map_or_else(
            || "something loaded after it replaced".to_owned(),
            |who| format!("{who}, loaded after it, replaced"),
        );
        return Check::problem(
            "hook-displaced",
            format!("the hook was displaced: {who} {variable}, and nothing is worked out at this prompt any more"),
        )
        .remedy(remedy);
    }
    let once_more = format!("press Enter; if it is still so then, {load}");
    match session {
        None if state.is_some() => Check::warning(
            "hook-state-damaged",
            "the hook's memory in __BACKLOG_AWS_STATE is damaged; the next prompt makes a new one",
        )
        .remedy(once_more),
        Some(session) if session.shell() == facts.session => freshness(case, session.shell()),
        _ => Check::warning(
            "hook-not-run",
            format!("the hook is in this {shell}, but has not run yet"),
        )
        .remedy(once_more),
    }
}

/// What the environment alone tells: the program was not called through the integration's function.
fn without_integration(case: &Case<'_>, session: Option<&Session>) -> Check {
    let parent = case.probe.parent.as_ref();
    let origin = session.and_then(|session| session.shell().split_once('.'));
    if let (Some(session), Some((pid, _)), Some(parent)) = (session, origin, parent)
        && pid.parse() == Ok(parent.pid)
    {
        return freshness(case, session.shell());
    }
    let inherited = match origin {
        Some((pid, _)) => {
            format!("; the values here are of another shell (process {})", visible(pid))
        }
        None => String::new(),
    };
    let shell = parent.and_then(|parent| Shell::from_path(parent.name.as_ref()));
    let Some(shell) = shell.filter(|_| case.probe.interactive) else {
        return Check::warning(
            "hook-not-checked",
            format!(
                "not asked at a prompt with the integration, so the hook was not checked{inherited}"
            ),
        )
        .remedy("run `backlog-aws doctor` at the prompt of your shell");
    };
    let line = case.probe.start_up_lines.first();
    let remedy = match line {
        Some(line) => format!(
            "{}; a new shell should do it by itself, as {} mentions it",
            case.load(),
            place(&line.path, Some(line.line))
        ),
        None => {
            format!("{}, and put the same line at the end of {}", case.load(), case.start_up_file())
        }
    };
    Check::problem(
        "hook-not-loaded",
        format!(
            "the integration is not loaded in this {}: nothing exports a profile for the toolkit{inherited}",
            shell.word()
        ),
    )
    .remedy(remedy)
}

/// Whether the environment says what the hook would say now.
fn freshness(case: &Case<'_>, shell: &str) -> Check {
    let values = Values::of(&case.world.env);
    let mut session = Session::continued(state_of(&case.world.env), shell, &values);
    if session.variables.apply(case.resolution.exports().as_ref()) == values {
        return Check::ok(
            "hook",
            "the hook is alive in this shell, and what it exports is up to date",
        );
    }
    Check::warning(
        "hook-stale",
        "what this shell exports is not what holds now: the hook has not run since something changed",
    )
    .remedy(format!("press Enter; if it is still so then, {}", case.load()))
}

fn prompt_variable(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash => "PROMPT_COMMAND",
        Shell::Zsh => "precmd_functions",
        Shell::Fish => "the fish_prompt handlers",
    }
}

fn displaced_remedy(case: &Case<'_>) -> String {
    let file = case
        .probe
        .start_up_lines
        .first()
        .map_or_else(|| case.start_up_file().to_owned(), |line| place(&line.path, Some(line.line)));
    format!(
        "{} puts it back; for later shells move that line to the end of the start-up file ({file})",
        case.load()
    )
}

fn version(case: &Case<'_>) -> Option<Check> {
    let facts = case.facts?;
    if facts.version.is_empty() || facts.version == VERSION {
        return Some(Check::ok("version", format!("backlog-aws {VERSION}")));
    }
    let found = visible(&facts.version);
    Some(
        Check::warning(
            "integration-version",
            format!("this shell has the integration of backlog-aws {found}, and the program is {VERSION}"),
        )
        .remedy(case.load()),
    )
}

/// Whether the integration calls the program that `PATH` finds.
fn program(case: &Case<'_>) -> Option<Check> {
    let found = case.probe.on_path.as_ref();
    match found {
        Some(_) if case.probe.on_path_is_running => None,
        Some(found) => Some(
            Check::warning(
                "program-differs",
                format!(
                    "PATH finds another backlog-aws ({}) than the one that runs ({})",
                    visible(found),
                    visible(&case.world.program)
                ),
            )
            .remedy(format!("remove one of the two, then {}", case.load())),
        ),
        None => Some(
            Check::warning(
                "program-not-on-path",
                format!("PATH finds no backlog-aws; this one is {}", visible(&case.world.program)),
            )
            .remedy("add its directory to PATH, or the line that loads the integration fails in new shells"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Machine;
    use crate::commands::doctor::probe::Parent;

    const CREDENTIALS: &str = "[default]\naws_access_key_id = A\naws_secret_access_key = s\n";

    fn machine() -> Machine {
        Machine::new(CREDENTIALS, "")
    }

    fn at_a_prompt(mut machine: Machine) -> Machine {
        machine.probe.interactive = true;
        machine.probe.parent = Some(Parent { pid: 7, name: "zsh".to_owned() });
        machine
    }

    #[test]
    fn a_script_is_not_told_that_it_has_no_hook() {
        assert_eq!(machine().codes(), ["hook-not-checked"]);
        assert_eq!(at_a_prompt(machine()).codes(), ["hook-not-loaded"]);
    }

    #[test]
    fn the_remedy_is_in_the_language_of_the_shell_that_asks() {
        let remedy = |machine: Machine| machine.checks()[0].remedy.clone().unwrap();
        assert!(remedy(at_a_prompt(machine())).starts_with("`eval \"$(backlog-aws init zsh)\"`"));
        let fish = machine().facts(&["shell=fish", "mode=prompt", "hooks="]);
        assert!(remedy(fish).starts_with("`backlog-aws init fish | source`"));
    }

    #[test]
    fn a_program_that_is_gone_explains_a_silent_hook() {
        let mut machine = machine().facts(&[
            "shell=bash",
            "hooks=__backlog_aws_hook",
            "program=/old/backlog-aws",
        ]);
        machine.probe.integration_program_exists = Some(false);
        assert_eq!(machine.codes()[0], "program-gone");
    }

    #[test]
    fn a_shell_that_wants_no_hook_misses_none() {
        let machine = machine().facts(&["shell=bash", "mode=none", "hooks="]);
        assert_eq!(machine.codes(), [""; 0]);
    }

    #[test]
    fn damaged_memory_is_named() {
        let machine = machine()
            .facts(&["shell=bash", "hooks=__backlog_aws_hook", "session=7.1"])
            .env(&[("__BACKLOG_AWS_STATE", "1:garbage")]);
        assert_eq!(machine.codes(), ["hook-state-damaged"]);
    }
}
