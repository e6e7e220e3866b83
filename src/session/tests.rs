//! What a shell sees, from prompt to prompt.

mod properties;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::state::MEMORY;
use super::*;
use crate::finding::{Code, Finding, Told};
use crate::world::Environment;
use Variable::{Profile, Region, Source};

/// What the chain wants when a profile is usable, as a guess.
fn usable(name: &str) -> Values {
    let [name, region, source] = [name, "eu-west-1", "first"].map(OsStr::new);
    Values::new(Some(name), Some(region), Some(source))
}

/// A shell with our variables and the hook's memory in it.
#[derive(Clone)]
struct Shell {
    values: Values,
    state: Option<String>,
    id: &'static str,
}

impl Shell {
    fn with(values: &[(Variable, &str)]) -> Self {
        let mut shell = Self { values: Values::default(), state: None, id: "1.1" };
        for (variable, value) in values {
            shell.set(*variable, value);
        }
        shell
    }

    fn set(&mut self, variable: Variable, value: &str) {
        self.values[variable] = Some(value.into());
    }

    fn unset(&mut self, variable: Variable) {
        self.values[variable] = None;
    }

    fn session(&self) -> Session {
        Session::continued(self.state.as_deref().map(OsStr::new), self.id, &self.values)
    }

    fn intent(&self) -> UserIntent {
        self.session().variables.intent()
    }

    /// What a process without a hook finds that is started from here.
    fn intent_of_child(&self) -> UserIntent {
        let variables = Variable::ALL
            .into_iter()
            .filter_map(|variable| Some((variable.name().into(), self.values[variable].clone()?)));
        let state = self.state.as_ref().map(|state| (Variable::NAMES[3].into(), state.into()));
        UserIntent::of_environment(&variables.chain(state).collect::<Environment>())
    }

    /// A prompt at which the chain wants these values.
    fn prompt(&mut self, wanted: impl Into<Option<Values>>) {
        self.finish(self.session(), wanted);
    }

    fn finish(&mut self, mut session: Session, wanted: impl Into<Option<Values>>) {
        self.values = session.variables.apply(wanted.into().as_ref());
        self.state = Some(session.to_text());
    }

    fn get(&self, variable: Variable) -> Option<&str> {
        self.values[variable].as_ref().map(|value| value.to_str().unwrap())
    }
}

fn pinned(name: &str) -> UserIntent {
    UserIntent { pin: Some(name.into()), ..UserIntent::default() }
}

/// As direnv does on leaving a directory whose `.envrc` set the variable.
#[test]
fn a_pin_ends_when_what_was_there_before_is_put_back() {
    let mut shell = Shell::with(&[]);
    shell.prompt(usable("luxito"));
    for _ in 0..2 {
        for pin in ["bedrock", "other"] {
            shell.set(Profile, pin);
            assert_eq!(shell.intent().pin.as_deref(), Some(OsStr::new(pin)));
            shell.prompt(usable(pin));
        }
        shell.set(Profile, "luxito");
        assert_eq!(shell.intent(), UserIntent::default());
        shell.prompt(usable("luxito"));
    }
}

#[test]
fn an_ambient_value_that_is_put_back_is_ambient_again() {
    let mut shell = Shell::with(&[(Profile, "luxito")]);
    shell.prompt(usable("luxito"));
    shell.set(Profile, "bedrock");
    shell.prompt(usable("bedrock"));
    shell.set(Profile, "luxito");
    assert_eq!(shell.intent().pin, None);
    assert_eq!(shell.intent().ambient.as_deref(), Some(OsStr::new("luxito")));
    shell.prompt(None);
    assert_eq!(shell.get(Profile), Some("luxito"));
}

#[test]
fn the_hooks_own_export_is_not_a_pin_and_any_other_value_is() {
    let mut shell = Shell::with(&[]);
    shell.prompt(usable("luxito"));
    assert_eq!(shell.get(Profile), Some("luxito"));
    assert_eq!(shell.intent(), UserIntent::default());
    shell.set(Profile, "luxito");
    assert_eq!(shell.intent(), UserIntent::default(), "the same value says nothing");
    shell.set(Profile, "bedrock");
    assert_eq!(shell.intent().pin.as_deref(), Some(OsStr::new("bedrock")));
    shell.prompt(usable("bedrock"));
    assert_eq!(shell.intent().pin.as_deref(), Some(OsStr::new("bedrock")), "and stays one");
    shell.unset(Profile);
    assert_eq!(shell.intent(), UserIntent::default());
}

#[test]
fn a_pin_stays_the_users_whatever_the_chain_says() {
    let mut shell = Shell::with(&[]);
    shell.prompt(usable("luxito"));
    shell.set(Profile, "mine");
    for other in ["luxito", "bedrock"] {
        shell.prompt(usable(other));
        assert_eq!(shell.get(Profile), Some("mine"));
    }
    shell.prompt(None);
    assert_eq!(shell.get(Profile), Some("mine"));
}

#[test]
fn what_was_there_before_the_first_prompt_is_ambient() {
    let mut shell = Shell::with(&[(Profile, "bedrock"), (Region, "eu-south-1")]);
    let ambient = UserIntent {
        ambient: Some("bedrock".into()),
        region_ambient: Some("eu-south-1".into()),
        ..UserIntent::default()
    };
    assert_eq!(shell.intent(), ambient);
    shell.prompt(usable("bedrock"));
    assert_eq!(shell.intent(), ambient);
    // A directory decides, then does not.
    shell.prompt(usable("luxito"));
    assert_eq!(shell.intent(), ambient);
    shell.prompt(None);
    assert_eq!(shell.get(Profile), Some("bedrock"));
    assert_eq!(shell.get(Region), Some("eu-south-1"));
}

#[test]
fn unset_and_empty_are_different_pasts() {
    for past in [None, Some("")] {
        let mut shell = Shell::with(&[]);
        shell.values[Profile] = past.map(OsString::from);
        assert_eq!(shell.intent(), UserIntent::default());
        shell.prompt(usable("luxito"));
        assert_eq!(shell.get(Profile), Some("luxito"));
        shell.prompt(None);
        assert_eq!(shell.get(Profile), past);
    }
}

#[test]
fn emptying_the_variable_ends_a_pin() {
    let mut shell = Shell::with(&[]);
    shell.prompt(usable("luxito"));
    shell.set(Profile, "bedrock");
    shell.prompt(usable("bedrock"));
    shell.set(Profile, "");
    assert_eq!(shell.intent().pin, None);
    shell.prompt(usable("luxito"));
    assert_eq!(shell.get(Profile), Some("luxito"));
    shell.prompt(None);
    assert_eq!(shell.get(Profile), Some(""), "the user left it empty");
}

#[test]
fn unsetting_the_ambient_value_takes_it_away_for_good() {
    let mut shell = Shell::with(&[(Profile, "bedrock")]);
    shell.prompt(usable("bedrock"));
    shell.unset(Profile);
    assert_eq!(shell.intent(), UserIntent::default());
    shell.prompt(usable("luxito"));
    shell.prompt(None);
    assert_eq!(shell.get(Profile), None);
}

#[test]
fn use_pins_before_the_shell_has_the_value_and_clear_ends_the_pin() {
    let mut shell = Shell::with(&[(Profile, "ambient")]);
    shell.prompt(usable("ambient"));
    let mut session = shell.session();
    session.variables.pin(Profile, "bedrock".into());
    assert_eq!(session.variables.intent().pin.as_deref(), Some(OsStr::new("bedrock")));
    shell.finish(session, usable("bedrock"));
    assert_eq!(shell.get(Profile), Some("bedrock"));
    assert_eq!(shell.intent().pin.as_deref(), Some(OsStr::new("bedrock")));
    let mut session = shell.session();
    session.variables.unpin(Profile);
    session.variables.unpin(Region);
    assert_eq!(session.variables.intent().pin, None);
    shell.finish(session, None);
    assert_eq!(shell.get(Profile), Some("ambient"));
}

/// Keys without a profile, or a broken override.
#[test]
fn an_answer_without_a_profile_leaves_none() {
    let mut shell = Shell::with(&[(Profile, "ambient")]);
    shell.prompt(usable("luxito"));
    let source = OsStr::new("directory");
    shell.prompt(Values::new(None, None, Some(source)));
    assert_eq!(shell.get(Profile), None, "neither the previous directory's nor the ambient one");
    assert_eq!(shell.get(Source), Some("directory"));
    shell.prompt(None);
    assert_eq!(shell.get(Profile), Some("ambient"));
    assert_eq!(shell.get(Source), None);
}

#[test]
fn changes_are_what_differs() {
    let mut shell = Shell::with(&[(Profile, "luxito"), (Source, "first")]);
    let before = shell.values.clone();
    assert_eq!(before.changes_to(&before), []);
    shell.set(Profile, "bedrock");
    shell.set(Region, "");
    shell.unset(Source);
    let changes = before.changes_to(&shell.values);
    let changes: Vec<_> = changes.iter().map(|change| (change.name(), change.value())).collect();
    let expected = [
        ("BACKLOG_AWS_PROFILE", Some(OsStr::new("bedrock"))),
        ("BACKLOG_AWS_REGION", Some(OsStr::new(""))),
        ("BACKLOG_AWS_SOURCE", None),
    ];
    assert_eq!(changes, expected);
}

#[test]
fn another_shells_state_is_believed_about_the_past_only() {
    let mut parent = Shell::with(&[(Profile, "ambient")]);
    parent.prompt(usable("luxito"));
    let mut child = Shell { id: "2.2", ..parent.clone() };
    assert_eq!(child.intent().pin, None, "what the parent's hook exported is nobody's choice");
    assert_eq!(child.intent().ambient.as_deref(), Some(OsStr::new("ambient")));
    child.prompt(None);
    assert_eq!(child.get(Profile), Some("ambient"));
    // A pin of the parent was there before the child's hook: ambient.
    parent.set(Profile, "pinned");
    parent.prompt(usable("pinned"));
    let child = Shell { id: "2.2", ..parent };
    assert_eq!(child.intent().pin, None);
    assert_eq!(child.intent().ambient.as_deref(), Some(OsStr::new("pinned")));
}

#[test]
fn without_a_state_a_source_word_gives_a_worked_out_value_away() {
    let derived = Shell::with(&[(Profile, "luxito"), (Source, "first")]);
    assert_eq!(derived.intent(), UserIntent::default());
    for word in ["pin", "ambient", "anything else"] {
        let chosen = Shell::with(&[(Profile, "luxito"), (Source, word)]);
        assert_eq!(chosen.intent().ambient.as_deref(), Some(OsStr::new("luxito")), "{word}");
    }
}

#[test]
fn without_a_hook_the_variable_is_a_pin_unless_a_hook_exported_it() {
    let mut shell = Shell::with(&[(Profile, "bedrock"), (Region, "r")]);
    let both = UserIntent { region_pin: Some("r".into()), ..pinned("bedrock") };
    assert_eq!(shell.intent_of_child(), both);
    shell.values = Values::default();
    assert_eq!(shell.intent_of_child(), UserIntent::default());
    shell.prompt(usable("luxito"));
    assert_eq!(shell.intent_of_child(), UserIntent::default());
    shell.set(Profile, "bedrock");
    assert_eq!(shell.intent_of_child(), pinned("bedrock"), "for one command");
}

#[test]
fn a_finding_is_news_once_per_change() {
    let one = &Finding::warning(Code::Unusable, "one");
    let two = &Finding::warning(Code::Unusable, "two");
    let mut session = Shell::with(&[]).session();
    for (findings, news) in [
        (&[one][..], &[one][..]),
        (&[one], &[]),
        (&[one, two], &[two]),
        (&[two, one], &[]),
        (&[], &[]),
        (&[one], &[one]),
    ] {
        let owned = |findings: &[&Finding]| findings.iter().copied().cloned().collect::<Vec<_>>();
        assert_eq!(session.news(&owned(findings)), owned(news));
    }
}

#[test]
fn a_sticky_finding_is_news_once_per_subject() {
    let about = |content: &str| {
        Finding::warning(Code::OverrideNotAllowed, "x")
            .told(Told::OncePerShell)
            .about(content.as_bytes())
    };
    let mut session = Shell::with(&[]).session();
    assert_eq!(session.news(&[about("a")]).len(), 1);
    assert_eq!(session.news(&[]), []);
    assert_eq!(session.news(&[about("a")]), []);
    assert_eq!(session.news(&[about("b")]).len(), 1);
    assert_eq!(session.news(&[about("a")]), []);
}

#[test]
fn the_memory_for_findings_has_an_end() {
    let many: Vec<Finding> = (0..3 * MEMORY)
        .map(|number| {
            Finding::warning(Code::OverrideNotAllowed, number.to_string()).told(Told::OncePerShell)
        })
        .collect();
    let mut session = Shell::with(&[]).session();
    assert_eq!(session.news(&many).len(), many.len());
    assert!(session.to_text().len() < 2000);
}

#[test]
fn a_state_that_cannot_be_read_counts_as_absent() {
    let mut shell = Shell::with(&[]);
    shell.prompt(usable("luxito"));
    let state = shell.state.clone().unwrap();
    for end in 0..state.len() {
        assert_eq!(Session::from_text(OsStr::new(&state[..end])), None, "{end}");
    }
    for text in ["1:4711.1:-~o:0", "null", "{}", "\u{fffd}"] {
        assert_eq!(Session::from_text(OsStr::new(text)), None);
    }
    assert_eq!(Session::from_text(OsStr::from_bytes(b"\xff")), None);
}
