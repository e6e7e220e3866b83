//! Every variable that this program can write in a shell. There is no other: a [`Change`] can be made for these names
//! only, so a variable of AWS's or Claude's cannot be written even by mistake.

use std::ffi::{OsStr, OsString};
use std::ops::{Index, IndexMut};
use std::os::unix::ffi::OsStringExt;

use serde::{Deserialize, Serialize};

use crate::world::Environment;

/// What is exported for the toolkit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variable {
    Profile,
    Region,
    Source,
}

/// The hook's own memory. It is exported so that child processes can tell the hook's values from the user's.
pub const STATE: &str = "__BACKLOG_AWS_STATE";

impl Variable {
    pub const ALL: [Self; 3] = [Self::Profile, Self::Region, Self::Source];

    /// The names of all variables that are ever written, the hook's own memory included.
    pub const NAMES: [&str; 4] =
        [Self::Profile.name(), Self::Region.name(), Self::Source.name(), STATE];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Profile => "BACKLOG_AWS_PROFILE",
            Self::Region => "BACKLOG_AWS_REGION",
            Self::Source => "BACKLOG_AWS_SOURCE",
        }
    }
}

/// The hook's memory as the environment has it.
pub fn state_of(env: &Environment) -> Option<&OsStr> {
    env.get(STATE)
}

/// The value of each variable; `None` is unset, which is not the same as empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "[Option<Text>; 3]", from = "[Option<Text>; 3]")]
pub struct Values([Option<OsString>; 3]);

impl Values {
    pub fn new(profile: Option<&OsStr>, region: Option<&OsStr>, source: Option<&OsStr>) -> Self {
        Self([profile, region, source].map(|value| value.map(OsStr::to_owned)))
    }

    pub fn of(env: &Environment) -> Self {
        Self(Variable::ALL.map(|variable| env.get(variable.name()).map(OsStr::to_owned)))
    }

    pub fn non_empty(&self, variable: Variable) -> Option<OsString> {
        self[variable].clone().filter(|value| !value.is_empty())
    }

    pub fn is_all_unset(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// What to change in a shell that has these values so that it has those of `after`.
    pub fn changes_to(&self, after: &Self) -> Vec<Change> {
        Variable::ALL
            .into_iter()
            .filter(|&variable| self[variable] != after[variable])
            .map(|variable| Change { name: variable.name(), value: after[variable].clone() })
            .collect()
    }
}

impl Index<Variable> for Values {
    type Output = Option<OsString>;

    fn index(&self, variable: Variable) -> &Self::Output {
        &self.0[variable as usize]
    }
}

impl IndexMut<Variable> for Values {
    fn index_mut(&mut self, variable: Variable) -> &mut Self::Output {
        &mut self.0[variable as usize]
    }
}

/// A value in JSON: as a string, or byte by byte where it is not UTF-8.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Text {
    Utf8(String),
    Bytes(Vec<u8>),
}

impl From<Values> for [Option<Text>; 3] {
    fn from(values: Values) -> Self {
        let text = |value: OsString| {
            value.into_string().map_or_else(|value| Text::Bytes(value.into_vec()), Text::Utf8)
        };
        values.0.map(|value| value.map(text))
    }
}

impl From<[Option<Text>; 3]> for Values {
    fn from(texts: [Option<Text>; 3]) -> Self {
        let value = |text| match text {
            Text::Utf8(text) => text.into(),
            Text::Bytes(bytes) => OsString::from_vec(bytes),
        };
        Self(texts.map(|text| text.map(value)))
    }
}

/// A change to the shell: the variable gets this value, or is unset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    name: &'static str,
    value: Option<OsString>,
}

impl Change {
    /// A change of the hook's memory.
    pub fn of_state(state: Option<String>) -> Self {
        Self { name: STATE, value: state.map(OsString::from) }
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    pub fn value(&self) -> Option<&OsStr> {
        self.value.as_deref()
    }
}

/// What the user asked for in this shell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserIntent {
    /// The profile pinned at the prompt, by `use`, or for one command.
    pub pin: Option<OsString>,
    /// The profile that was there before the hook first ran.
    pub ambient: Option<OsString>,
    pub region_pin: Option<OsString>,
    pub region_ambient: Option<OsString>,
}
