//! A made-up machine for the tests of the checks: nothing of the real one is read.

use std::ffi::OsString;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::check::{Case, Check};
use super::consumers::{self, Consumer};
use super::facts::Facts;
use crate::commands::doctor::probe::SystemProbe;
use crate::fs::{Content, FileState, FileTime, SourceFile};
use crate::resolve::{Inputs, resolve};
use crate::session::UserIntent;
use crate::world::World;

/// When every file of it was changed: 2030-01-01, half a day before the present.
const CHANGED: i64 = 1_893_456_000;

pub struct Machine {
    pub world: World,
    pub probe: SystemProbe,
    facts: Option<Facts>,
}

impl Machine {
    /// A home with these two AWS files and nothing else.
    pub fn new(credentials: &str, config: &str) -> Self {
        let world = World {
            now: "2030-01-01T12:00:00Z".parse().unwrap(),
            env: std::iter::empty().collect(),
            home: Some("/home/u".into()),
            cwd: Some("/home/u".into()),
            credentials: Some(file("/home/u/.aws/credentials", credentials)),
            config: Some(file("/home/u/.aws/config", config)),
            toolkit_env: None,
            user_config: None,
            overrides: Vec::new(),
            data_dir: None,
            cache: None,
            program: "/usr/bin/backlog-aws".into(),
        };
        let probe = SystemProbe {
            on_path: Some("/usr/bin/backlog-aws".into()),
            on_path_is_running: true,
            ..SystemProbe::default()
        };
        Self { world, probe, facts: None }
    }

    pub fn env(mut self, variables: &[(&str, &str)]) -> Self {
        let pair = |(name, value): &(&str, &str)| (OsString::from(name), OsString::from(value));
        self.world.env = variables.iter().map(pair).collect();
        self
    }

    pub fn toolkit_env(mut self, text: &str) -> Self {
        self.world.toolkit_env = Some(file("/home/u/.backlog-toolkit-env", text));
        self
    }

    pub fn facts(mut self, words: &[&str]) -> Self {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        self.facts = Facts::parse(&words);
        self
    }

    pub fn ask<R>(&self, question: impl FnOnce(&Case<'_>) -> R) -> R {
        let inputs = Inputs::of(&self.world, UserIntent::of_environment(&self.world.env));
        let resolution = resolve(&inputs);
        question(&Case {
            world: &self.world,
            probe: &self.probe,
            facts: self.facts.as_ref(),
            inputs: &inputs,
            resolution: &resolution,
        })
    }

    pub fn checks(&self) -> Vec<Check> {
        self.ask(super::all)
    }

    pub fn codes(&self) -> Vec<&'static str> {
        let codes = self.checks().into_iter().filter(|check| check.verdict != super::Verdict::Ok);
        codes.map(|check| check.code).collect()
    }

    pub fn consumer(&self, name: &str) -> Consumer {
        let mut consumers = self.ask(consumers::consumers).into_iter();
        consumers.find(|consumer| consumer.name == name).expect("a client we know")
    }
}

fn file(path: &str, text: &str) -> SourceFile {
    let time = FileTime { seconds: CHANGED, nanoseconds: 0 };
    SourceFile {
        path: PathBuf::from(path),
        content: Content::Read { bytes: Zeroizing::new(text.as_bytes().to_vec()), mode: 0o600 },
        state: Some(FileState {
            modified: time,
            changed: time,
            resolved: None,
            owner: 0,
            group: 0,
        }),
    }
}
