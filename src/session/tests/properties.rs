//! What holds for any values and any order of events.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Shell, usable};
use crate::session::{Session, Values, Variable};

fn text() -> impl Strategy<Value = OsString> {
    vec(1_u8.., 0..12).prop_map(OsString::from_vec)
}

/// Values as a shell may have them before its first prompt.
fn past() -> impl Strategy<Value = Values> {
    vec(prop::option::of(text()), 3)
        .prop_map(|past| Values::new(past[0].as_deref(), past[1].as_deref(), past[2].as_deref()))
}

fn shell_with(past: &Values) -> Shell {
    Shell { values: past.clone(), ..Shell::with(&[]) }
}

#[derive(Debug, Clone)]
enum Step {
    Prompt(Option<&'static str>),
    UserSets(usize, OsString),
    UserUnsets(usize),
}

fn prompts() -> impl Strategy<Value = Step> {
    let name = prop_oneof![Just(None), Just(Some("luxito")), Just(Some("bedrock"))];
    name.prop_map(Step::Prompt)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let sets = (0..3_usize, text()).prop_map(|(which, value)| Step::UserSets(which, value));
    let unsets = (0..3_usize).prop_map(Step::UserUnsets);
    vec(prop_oneof![3 => prompts(), 1 => sets, 1 => unsets], 0..12)
}

fn take(shell: &mut Shell, step: &Step) {
    match step {
        Step::Prompt(Some(name)) => {
            shell.prompt(usable(name));
        }
        Step::Prompt(None) => {
            shell.prompt(None);
        }
        Step::UserSets(which, value) => {
            shell.values[Variable::ALL[*which]] = Some(value.clone());
        }
        Step::UserUnsets(which) => shell.values[Variable::ALL[*which]] = None,
    }
}

proptest! {
    #[test]
    fn undoing_what_was_applied_gives_back_the_past(past in past(), steps in vec(prompts(), 0..6)) {
        let mut shell = shell_with(&past);
        for step in &steps {
            take(&mut shell, step);
        }
        shell.prompt(None);
        prop_assert_eq!(shell.values, past);
    }

    #[test]
    fn what_the_user_set_last_is_never_changed(
        past in past(), steps in steps(), which in 0..3_usize, value in text(), after in vec(prompts(), 1..4),
    ) {
        prop_assume!(!value.is_empty());
        let mut shell = shell_with(&past);
        take(&mut shell, &Step::Prompt(None));
        for step in &steps {
            take(&mut shell, step);
        }
        let variable = Variable::ALL[which];
        take(&mut shell, &Step::Prompt(Some("bedrock")));
        // The very value that is there says nothing new, and the one from before a pin says that the pin is over.
        let mut unpinned = shell.session().variables;
        unpinned.unpin(variable);
        for known in [shell.values[variable].as_ref(), unpinned.expected(variable)] {
            prop_assume!(known != Some(&value));
        }
        take(&mut shell, &Step::UserSets(which, value.clone()));
        for step in &after {
            take(&mut shell, step);
            prop_assert_eq!(shell.values[variable].as_ref(), Some(&value));
        }
    }

    #[test]
    fn a_prompt_at_which_nothing_changed_changes_nothing(past in past(), steps in steps(), last in prompts()) {
        let mut shell = shell_with(&past);
        for step in &steps {
            take(&mut shell, step);
        }
        take(&mut shell, &last);
        let before = shell.clone();
        take(&mut shell, &last);
        prop_assert!(shell.values == before.values);
        prop_assert_eq!(shell.state, before.state);
    }

    #[test]
    fn a_state_reads_back_as_it_was_written(past in past(), steps in steps()) {
        let mut shell = shell_with(&past);
        for step in &steps {
            take(&mut shell, step);
        }
        let session = shell.session();
        let state = session.to_text();
        prop_assert!(state.bytes().all(|byte| byte >= b' '), "{}", state);
        prop_assert_eq!(Session::from_text(OsStr::new(&state)), Some(session));
    }

    #[test]
    fn no_state_at_all_makes_it_fail(
        past in past(), steps in steps(), at in any::<prop::sample::Index>(), bytes in vec(any::<u8>(), 0..4),
    ) {
        let mut shell = shell_with(&past);
        for step in &steps {
            take(&mut shell, step);
        }
        let mut state = shell.session().to_text().into_bytes();
        let at = at.index(state.len());
        state.splice(at..(at + bytes.len()).min(state.len()), bytes);
        let _ = Session::from_text(OsStr::from_bytes(&state));
    }
}
