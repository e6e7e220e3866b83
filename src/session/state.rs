//! The hook's memory of one shell, as JSON in a variable. It is believed only about what was there before; what to
//! export is always worked out from the files. One that cannot be read counts as absent.

use std::ffi::OsStr;

use serde::{Deserialize, Serialize};

use super::ownership::Ownership;
use super::variables::{UserIntent, Values, Variable, state_of};
use crate::finding::{Finding, Told};
use crate::world::Environment;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The process id of the shell, a dot, and a number that no later shell of that id has.
    shell: String,
    pub variables: Ownership,
    /// Fingerprints of the findings that applied last time.
    said: Vec<u64>,
    /// Fingerprints of findings that are said once in the life of the shell.
    said_for_good: Vec<u64>,
    /// The same for the shell and those that it starts.
    #[serde(default)]
    said_in_family: Vec<u64>,
}

/// How many findings are remembered.
pub(super) const MEMORY: usize = 24;

impl Session {
    /// For the hook of `shell`: the memory it had, up to date with what the user changed, or a new one when there is
    /// none or it came from another shell.
    pub fn continued(state: Option<&OsStr>, shell: &str, now: &Values) -> Self {
        let (variables, said_in_family) = match state.and_then(Self::from_text) {
            Some(session) if session.shell == shell => return session.up_to_date(now),
            Some(parent) => (parent.variables.inherited(now), parent.said_in_family),
            None => (Ownership::first_prompt(now), Vec::new()),
        };
        let (said, said_for_good) = (Vec::new(), Vec::new());
        Self { shell: shell.to_owned(), variables, said, said_for_good, said_in_family }
    }

    /// For a process that speaks for the shell it was started from.
    pub fn of_parent(state: Option<&OsStr>, now: &Values) -> Self {
        match state.and_then(Self::from_text) {
            Some(session) => session.up_to_date(now),
            None => Self::continued(None, "", now),
        }
    }

    fn up_to_date(mut self, now: &Values) -> Self {
        self.variables.notice_changes(now);
        self
    }

    pub fn shell(&self) -> &str {
        &self.shell
    }

    /// The findings that were not said yet. It counts on it that they are said now.
    pub fn news(&mut self, findings: &[Finding]) -> Vec<Finding> {
        let said_last = std::mem::take(&mut self.said);
        let mut news = Vec::new();
        for finding in findings {
            let (memory, said_before) = match finding.told {
                Told::OnChange => (&mut self.said, Some(&said_last)),
                Told::OncePerShell => (&mut self.said_for_good, None),
                Told::OncePerFamily => (&mut self.said_in_family, None),
                Told::WhenAsked => continue,
            };
            let print = finding.fingerprint();
            let known = memory.contains(&print);
            if !known {
                memory.push(print);
            }
            if !known && !said_before.is_some_and(|said| said.contains(&print)) {
                news.push(finding.clone());
            }
        }
        self.said.truncate(MEMORY);
        for memory in [&mut self.said_for_good, &mut self.said_in_family] {
            memory.drain(..memory.len().saturating_sub(MEMORY));
        }
        news
    }

    pub fn to_text(&self) -> String {
        // Strings and numbers can always be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    pub fn from_text(state: &OsStr) -> Option<Self> {
        serde_json::from_str(state.to_str()?).ok()
    }
}

impl UserIntent {
    /// What a process finds that has no hook of its own: a script, `exec`.
    pub fn of_environment(env: &Environment) -> Self {
        let now = Values::of(env);
        match state_of(env).and_then(Session::from_text) {
            Some(session) => session.up_to_date(&now).variables.intent(),
            None => Self {
                pin: now.non_empty(Variable::Profile),
                region_pin: now.non_empty(Variable::Region),
                ..Self::default()
            },
        }
    }
}
