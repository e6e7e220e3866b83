//! What a check comes to, and how a remedy is written so that it works when it is pasted.

use std::path::Path;

use serde::Serialize;

use super::facts::Facts;
use crate::aws::Profile;
use crate::commands::doctor::probe::SystemProbe;
use crate::resolve::{Inputs, Resolution, usable};
use crate::shell::Shell;
use crate::text::{command_on, pasted, visible};
use crate::toolkit_env::ToolkitEnv;
use crate::world::World;

/// What a check comes to. Ordered as people want to read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Something does not work, and this is why.
    Problem,
    /// It works, and perhaps not as people think.
    Warning,
    /// As it should be.
    Ok,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its stable name.
    pub code: &'static str,
    /// What it came to.
    pub verdict: Verdict,
    /// What was found, in one line.
    pub message: String,
    /// What to do. A command in backquotes works when it is pasted into the shell.
    pub remedy: Option<String>,
    /// The file, and the line where one is to blame.
    pub at: Option<String>,
}

impl Check {
    fn new(code: &'static str, verdict: Verdict, message: impl Into<String>) -> Self {
        Self { code, verdict, message: message.into(), remedy: None, at: None }
    }

    /// As it should be.
    pub fn ok(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, Verdict::Ok, message)
    }

    /// It works, and perhaps not as people think.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, Verdict::Warning, message)
    }

    /// Something does not work.
    pub fn problem(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, Verdict::Problem, message)
    }

    /// With what to do about it.
    #[must_use]
    pub fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }

    /// With where it is.
    #[must_use]
    pub fn at(self, place: impl std::fmt::Display) -> Self {
        Self { at: Some(place.to_string()), ..self }
    }
}

/// Everything the checks look at.
pub struct Case<'a> {
    /// What every command sees.
    pub world: &'a World,
    /// What only `doctor` asks for.
    pub probe: &'a SystemProbe,
    /// What the shell said of itself, if it has our integration.
    pub facts: Option<&'a Facts>,
    /// What the chain was asked with.
    pub inputs: &'a Inputs<'a>,
    /// What it answered.
    pub resolution: &'a Resolution,
}

impl Case<'_> {
    /// The toolkit's file.
    pub fn toolkit_env(&self) -> (&Path, &ToolkitEnv) {
        (&self.inputs.toolkit_env.0, &self.inputs.toolkit_env.1)
    }

    /// The shell that remedies are written for: the one that asked, or else the user's own.
    pub fn shell(&self) -> Shell {
        let parent = self.probe.parent.as_ref();
        self.facts
            .map(|facts| facts.shell)
            .or_else(|| Shell::from_path(Path::new(&parent?.name)))
            .or_else(|| Shell::from_path(Path::new(self.world.env.get("SHELL")?)))
            .unwrap_or(Shell::Bash)
    }

    /// The command that loads the integration into the shell.
    pub fn load(&self) -> String {
        match self.shell() {
            Shell::Fish => "`backlog-aws init fish | source`".to_owned(),
            shell => format!("`eval \"$(backlog-aws init {})\"`", shell.word()),
        }
    }

    /// The start-up file that the same command belongs into.
    pub fn start_up_file(&self) -> &'static str {
        match self.shell() {
            Shell::Bash => "~/.bashrc",
            Shell::Zsh => "~/.zshrc",
            Shell::Fish => "~/.config/fish/config.fish",
        }
    }

    /// The command that removes variables from the shell.
    pub fn unset(&self, names: &[&str]) -> String {
        let command = match self.shell() {
            Shell::Fish => "set -e",
            Shell::Bash | Shell::Zsh => "unset",
        };
        format!("`{command} {}`", names.join(" "))
    }

    /// The usable profiles, the likeliest choice first: the one that the documentation calls it, or the first.
    pub fn usable_profiles(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .inputs
            .profiles
            .iter()
            .filter(|profile| usable(profile, self.inputs.now).is_ok())
            .map(Profile::name)
            .collect();
        names.sort_by_key(|name| *name != "bedrock");
        names
    }

    /// A command that takes a profile's name, with one that is usable, and what else could stand there.
    pub fn with_usable_profile(&self, command: impl Fn(&str) -> String) -> String {
        const SHOWN: usize = 4;
        match self.usable_profiles().as_slice() {
            [] => "no profile is usable; add one: `aws configure --profile bedrock`".to_owned(),
            [only] => format!("`{}`", command(only)),
            [first, others @ ..] => {
                let more = if others.len() > SHOWN { ", …" } else { "" };
                let others = &others[..others.len().min(SHOWN)];
                format!("`{}` (or {}{more})", command(first), others.join(", "))
            }
        }
    }

    /// The command that pins a usable profile in the shell.
    pub fn pin(&self) -> String {
        self.with_usable_profile(|name| {
            let name = quoted(name);
            match (self.facts.is_some(), self.shell()) {
                (true, _) => format!("backlog-aws use {name}"),
                (false, Shell::Fish) => format!("set -gx BACKLOG_AWS_PROFILE {name}"),
                (false, _) => format!("export BACKLOG_AWS_PROFILE={name}"),
            }
        })
    }
}

/// A word as all three shells read it.
pub fn quoted(word: &str) -> String {
    shell_escape::unix::escape(word.into()).into_owned()
}

/// The command that puts something aside without losing it.
pub fn put_aside(path: &Path) -> String {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".aside");
    match (pasted(path), pasted(Path::new(&aside))) {
        (Some(path), Some(aside)) => format!("`mv {path} {aside}`"),
        _ => format!("move {} away", visible(path)),
    }
}

/// The command that opens a file at a line.
pub fn open_at(path: &Path, line: usize) -> String {
    command_on(&format!("vi +{line}"), path)
}

/// The command that turns lines of a shell file into comments. It leaves the old file beside it.
pub fn comment_out(path: &Path, lines: &[usize]) -> String {
    let edits: Vec<String> = lines.iter().map(|line| format!("-e '{line}s/^/# /'")).collect();
    command_on(&format!("sed -i.bak {}", edits.join(" ")), path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_quoted_or_left_to_the_reader() {
        assert_eq!(command_on("chmod 600", Path::new("/a b/c")), "`chmod 600 '/a b/c'`");
        assert_eq!(put_aside(Path::new("/a")), "`mv /a /a.aside`");
        assert_eq!(command_on("chmod 600", Path::new("/a\nb")), "chmod 600 on /a\\nb");
        assert_eq!(command_on("chmod 600", Path::new("/a`id`")), "chmod 600 on /a`id`");
    }

    #[test]
    fn lines_are_commented_out_by_one_command() {
        assert_eq!(
            comment_out(Path::new("/e"), &[2, 5]),
            "`sed -i.bak -e '2s/^/# /' -e '5s/^/# /' /e`"
        );
    }

    #[test]
    fn problems_come_before_warnings_before_the_rest() {
        assert!(Verdict::Problem < Verdict::Warning && Verdict::Warning < Verdict::Ok);
    }
}
