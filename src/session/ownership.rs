//! Whose value each variable has: what was there before the hook, what the hook made of it, or what the user set since.
//!
//! | seen at a prompt | means |
//! |---|---|
//! | the value that we left there | nothing changed |
//! | another value | the user's: a pin, left alone until it is unset |
//! | our value again, after a pin | the end of the pin, as when direnv leaves a directory |
//! | unset or empty | the end of a pin, or else of the value from before the hook; the chain decides again |

use std::ffi::OsString;

use serde::{Deserialize, Serialize};

use super::variables::{UserIntent, Values, Variable};
use crate::source::Source;

/// The values of the three owners. A shell is to have the user's, or else ours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ownership {
    /// From before the hook first ran.
    #[serde(default, skip_serializing_if = "Values::is_all_unset")]
    original: Values,
    /// What the hook exported last; the originals where it has nothing to say.
    ours: Values,
    /// What the user set since; never empty values.
    #[serde(default, skip_serializing_if = "Values::is_all_unset")]
    user: Values,
}

impl Ownership {
    /// Of a shell that no hook is known to have run in or above.
    pub(super) fn first_prompt(now: &Values) -> Self {
        // `su`, `sudo` and terminal multiplexers can pass on half of what another shell's hook exported. A source that
        // only a hook, `env` or `exec` writes says that the values beside it were worked out and nobody chose them.
        let source = now[Variable::Source].as_deref().and_then(Source::from_name);
        let is_chosen = !source.is_some_and(Source::is_worked_out);
        let original = if is_chosen { now.clone() } else { Values::default() };
        Self { original, ours: now.clone(), user: Values::default() }
    }

    /// Of a shell whose parent's hook left this: what that hook exported is no choice of the user's here, and can be
    /// undone here too.
    pub(super) fn inherited(self, now: &Values) -> Self {
        let mut original = now.clone();
        for variable in Variable::ALL {
            if self.user[variable].is_none() && self.ours[variable] == now[variable] {
                original[variable].clone_from(&self.original[variable]);
            }
        }
        Self { original, ours: now.clone(), user: Values::default() }
    }

    /// Brings it up to date with what the user changed since the hook last ran.
    pub(super) fn notice_changes(&mut self, now: &Values) {
        for variable in Variable::ALL {
            let value = &now[variable];
            if value.as_ref() != self.expected(variable) {
                self.notice_change(variable, value.clone());
            }
        }
    }

    fn notice_change(&mut self, variable: Variable, value: Option<OsString>) {
        let had_original =
            self.user[variable].is_none() && self.ours[variable] == self.original[variable];
        if value.as_ref().is_some_and(|value| !value.is_empty()) {
            let is_back = value == self.ours[variable];
            self.user[variable] = value.filter(|_| !is_back);
            return;
        }
        // An empty value is one to come back to. Unsetting a pin or a value of ours says nothing about the original.
        if value.is_some() || had_original {
            self.original[variable].clone_from(&value);
        }
        self.user[variable] = None;
        self.ours[variable] = value;
    }

    pub fn intent(&self) -> UserIntent {
        UserIntent {
            pin: self.user.non_empty(Variable::Profile),
            ambient: self.original.non_empty(Variable::Profile),
            region_pin: self.user.non_empty(Variable::Region),
            region_ambient: self.original.non_empty(Variable::Region),
        }
    }

    /// Pins a value as if the user had exported it.
    pub fn pin(&mut self, variable: Variable, value: OsString) {
        self.user[variable] = Some(value);
    }

    pub fn unpin(&mut self, variable: Variable) {
        self.user[variable] = None;
    }

    /// What the shell is to have when the chain wants these values. Without an answer there are none, and it is as if
    /// the hook had never run. The result must be applied, or the next prompt takes what is there for the user's.
    pub fn apply(&mut self, wanted: Option<&Values>) -> Values {
        let wanted = wanted.unwrap_or(&self.original);
        let mut after = self.user.clone();
        for variable in Variable::ALL {
            // During a pin, ours stays what the pin replaced: its return is the end of the pin.
            if self.user[variable].is_none() {
                self.ours[variable].clone_from(&wanted[variable]);
                after[variable].clone_from(&wanted[variable]);
            }
        }
        after
    }

    /// What the shell is to have when the hook no longer serves it.
    pub fn restore_originals(&mut self) -> Values {
        self.apply(None)
    }

    pub(super) fn expected(&self, variable: Variable) -> Option<&OsString> {
        self.user[variable].as_ref().or(self.ours[variable].as_ref())
    }
}
