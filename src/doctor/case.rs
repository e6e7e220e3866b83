//! Everything the checks look at, and commands written for the shell that asks.

use super::facts::Facts;
use super::probe::SystemProbe;
use crate::resolve::{Inputs, Resolution};
use crate::shell::Shell;
use crate::start_up::load_line;
use crate::world::World;

pub struct Case<'a> {
    pub world: &'a World,
    pub probe: &'a SystemProbe,
    /// What the shell said of itself, if it has the integration.
    pub facts: Option<Facts<'a>>,
    pub inputs: &'a Inputs<'a>,
    pub resolution: &'a Resolution,
}

impl Case<'_> {
    /// The shell that remedies are written for.
    pub fn shell(&self) -> Shell {
        let asking = self.facts.map(|facts| facts.shell);
        asking.or(self.probe.parent_shell).unwrap_or(Shell::Bash)
    }

    /// The command that loads the integration.
    pub fn load(&self) -> String {
        format!("`{}`", load_line(self.shell(), "backlog-aws"))
    }

    /// The command that removes variables from the shell.
    pub fn unset(&self, names: &[&str]) -> String {
        let command = match self.shell() {
            Shell::Bash | Shell::Zsh => "unset",
            Shell::Fish => "set -e",
            Shell::Nu => "hide-env",
        };
        format!("`{command} {}`", names.join(" "))
    }

    pub fn is_filled(&self, name: &str) -> bool {
        self.world.env.non_empty(name).is_some()
    }
}
