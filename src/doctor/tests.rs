//! A made-up machine, of which nothing is read, and what is found there.

mod clients;

use std::ffi::OsString;

use zeroize::Zeroizing;

use super::probe::{Process, is_litellm, listed};
use super::*;
use crate::fs::{Content, FileState, FileTime, SourceFile};
use crate::resolve::{Inputs, resolve};
use crate::session::UserIntent;
use crate::shell::Shell;
use crate::world::World;

/// When every file was changed: 2030-01-01, half a day before the present.
const CHANGED: i64 = 1_893_456_000;

const KEYS: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENTENV03"), ("AWS_SECRET_ACCESS_KEY", "s")];
const CREDENTIALS: &str = "[bedrock]\naws_access_key_id = AKIABEDROCKBEDROCK01\naws_secret_access_key = s\n\
                           [default]\naws_access_key_id = AKIADEFAULTDEFAULT02\naws_secret_access_key = s\n";

struct Machine {
    world: World,
    probe: SystemProbe,
    facts: Vec<OsString>,
}

impl Machine {
    /// A home with these two AWS files and nothing else, and a shell that wants no hook.
    fn new(credentials: &str, config: &str) -> Self {
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
            sealed_dir: None,
            program: "/usr/bin/backlog-aws".into(),
        };
        let probe = SystemProbe {
            on_path: Some("/usr/bin/backlog-aws".into()),
            on_path_is_running: true,
            ..SystemProbe::default()
        };
        Self { world, probe, facts: Vec::new() }.facts(&["shell=bash", "mode=none"])
    }

    fn env(mut self, variables: &[(&str, &str)]) -> Self {
        self.world.env =
            variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        self
    }

    fn toolkit_env(mut self, text: &str) -> Self {
        self.world.toolkit_env = Some(file("/home/u/.backlog-toolkit-env", text));
        self
    }

    fn facts(mut self, arguments: &[&str]) -> Self {
        self.facts = arguments.iter().map(OsString::from).collect();
        self
    }

    fn ask<R>(&self, question: impl FnOnce(&Case<'_>) -> R) -> R {
        let inputs = Inputs::of(&self.world, UserIntent::of_environment(&self.world.env));
        let resolution = resolve(&inputs);
        question(&Case {
            world: &self.world,
            probe: &self.probe,
            facts: Facts::of(&self.facts),
            inputs: &inputs,
            resolution: &resolution,
        })
    }

    /// What is not as it should be.
    fn findings(&self) -> Vec<Finding> {
        let mut found = self.ask(findings);
        // What the start script does has tests of its own.
        found
            .retain(|finding| finding.severity != Severity::Ok && finding.code != Code::PlainStart);
        found
    }

    fn codes(&self) -> Vec<Code> {
        self.findings().into_iter().map(|finding| finding.code).collect()
    }

    fn client(&self, name: &str) -> Client {
        let mut clients = self.ask(clients).into_iter();
        clients.find(|client| client.name == name).expect("a client we know")
    }
}

fn file(path: &str, text: &str) -> SourceFile {
    let time = FileTime { seconds: CHANGED, nanoseconds: 0 };
    SourceFile {
        path: path.into(),
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

// The integration.

fn at_a_prompt() -> Machine {
    let mut machine = Machine::new(CREDENTIALS, "");
    machine.facts.clear();
    machine.probe.interactive = true;
    machine.probe.parent_shell = Some(Shell::Zsh);
    machine
}

fn with_keys<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    KEYS.into_iter().chain(more.iter().copied()).collect()
}

#[test]
fn a_script_is_not_told_that_it_has_no_hook() {
    assert_eq!(at_a_prompt().codes(), [Code::HookNotLoaded]);
    let mut script = at_a_prompt();
    script.probe.interactive = false;
    assert_eq!(script.codes(), [Code::HookNotChecked]);
    assert_eq!(Machine::new(CREDENTIALS, "").codes(), [], "it wants no hook");
}

#[test]
fn the_remedy_is_in_the_language_of_the_shell_that_asks() {
    let remedy = |machine: Machine| machine.findings()[0].remedy.clone().unwrap();
    assert!(remedy(at_a_prompt()).starts_with("run `eval \"$(backlog-aws init zsh)\"`"));
    let fish = at_a_prompt().facts(&["shell=fish", "mode=prompt", "hooks="]);
    assert!(remedy(fish).starts_with("`backlog-aws init fish | source`"));
    let fish = at_a_prompt().facts(&["shell=fish", "mode=none"]).env(&[("AWS_PROFILE", "")]);
    assert_eq!(remedy(fish), "`set -e AWS_PROFILE`");
}

#[test]
fn a_program_that_is_gone_explains_a_silent_hook() {
    let machine = at_a_prompt().facts(&[
        "shell=bash",
        "hooks=__backlog_aws_hook",
        "program=/old/backlog-aws",
    ]);
    assert_eq!(machine.codes(), [Code::ProgramGone]);
}

#[test]
fn a_state_that_cannot_be_read_is_as_none() {
    let machine = at_a_prompt()
        .facts(&["shell=bash", "hooks=__backlog_aws_hook", "session=7.1"])
        .env(&[("__BACKLOG_AWS_STATE", "1:garbage")]);
    assert_eq!(machine.codes(), [Code::HookNotRun]);
}

#[test]
fn facts_of_another_version_are_read_as_far_as_they_are_known() {
    let arguments = |of: &[&str]| of.iter().map(OsString::from).collect::<Vec<_>>();
    let zsh = arguments(&["shell=zsh", "tomorrow=x", "session=1.2", "nonsense"]);
    let facts = Facts::of(&zsh).unwrap();
    assert_eq!(facts.shell, Shell::Zsh);
    assert_eq!((facts.get("session"), facts.get("version")), ("1.2".as_ref(), "".as_ref()));
    assert_eq!(Facts::of(&[]), None);
    assert_eq!(Facts::of(&arguments(&["shell=tcsh"])), None);
}

// Environment and files.

#[test]
fn each_trap_in_the_environment_has_its_own_code() {
    let codes = |env: &[(&str, &str)]| Machine::new(CREDENTIALS, "").env(env).codes();
    assert_eq!(codes(&[]), []);
    assert_eq!(codes(&[("AWS_PROFILE", "")]), [Code::ProfileVariableEmpty]);
    assert_eq!(codes(&[("AWS_PROFILE", "x")]), [Code::AwsProfileMissing]);
    assert_eq!(codes(&[("AWS_DEFAULT_PROFILE", "x")]), [Code::ProfileVariableMissing]);
    assert_eq!(codes(&[("AWS_PROFILE_NAME", "x")]), [Code::ProfileVariableMissing]);
    assert_eq!(codes(&KEYS), [Code::EnvironmentKeys]);
    assert_eq!(codes(&with_keys(&[("AWS_PROFILE", "default")])), [Code::EnvironmentKeysShadow]);
    let pinned = [("AWS_PROFILE", "default"), ("BACKLOG_AWS_PROFILE", "bedrock")];
    assert_eq!(codes(&with_keys(&pinned)), [Code::EnvironmentKeysShadow]);
    assert_eq!(codes(&KEYS[..1]), [Code::EnvironmentHalfKeyPair]);
    let empty = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")];
    assert_eq!(codes(&empty), [Code::EnvironmentKeysEmpty]);
    assert_eq!(codes(&[("AWS_BEARER_TOKEN_BEDROCK", "")]), [Code::BearerTokenEmpty]);
    assert_eq!(
        codes(&[("AWS_BEARER_TOKEN_BEDROCK", "t")]),
        [Code::BearerToken, Code::ToolkitApiKey]
    );
    assert_eq!(codes(&[("AWS_CONFIG_FILE", "/home/u/.aws/config")]), [], "it is there");
}

#[test]
fn keys_of_the_toolkits_file_conflict_only_with_another_choice() {
    let keys = "AWS_ACCESS_KEY_ID=B\nAWS_SECRET_ACCESS_KEY=t\n";
    let machine = |text: &str| Machine::new(CREDENTIALS, "").toolkit_env(text);
    assert_eq!(machine(keys).codes(), []);
    let found = machine(&format!("BACKLOG_AWS_PROFILE=bedrock\n{keys}")).findings();
    assert_eq!(found[0].code, Code::ToolkitEnvOverrides);
    let remedy = "`sed -i.bak -e '2s/^/# /' -e '3s/^/# /' /home/u/.backlog-toolkit-env`";
    assert_eq!(found[0].remedy.as_deref(), Some(remedy));
    let of_claude = machine("BACKLOG_AWS_PROFILE=bedrock\nAWS_PROFILE=cc\n");
    assert_eq!(of_claude.codes(), [], "the script does not go by it");
}

#[test]
fn an_expiry_time_that_cannot_be_read_is_told_once() {
    let odd = "[odd]\naws_access_key_id = A\naws_secret_access_key = s\naws_session_token = t\naws_expiration = soon\n";
    let text = format!("{CREDENTIALS}{odd}");
    for used in ["odd", "bedrock"] {
        let machine = Machine::new(&text, "").toolkit_env(&format!("BACKLOG_AWS_PROFILE={used}\n"));
        let expected = [Code::FileInvalid];
        assert_eq!(machine.codes(), expected[usize::from(used != "odd")..], "it is used");
    }
}

#[test]
fn a_proxy_is_only_old_when_the_files_changed_after_its_start() {
    let mut machine = Machine::new(CREDENTIALS, "");
    for (started, expected) in [("2029-12-31T23:59:59Z", 1), ("2030-01-01T00:00:01Z", 0)] {
        let started = started.parse().unwrap();
        machine.probe.litellm = vec![Process { pid: 9, started, command: Vec::new() }];
        assert_eq!(machine.codes().len(), expected);
    }
}

// Processes.

#[test]
fn litellm_is_known_however_it_was_started() {
    let is_litellm =
        |line: &str| is_litellm(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
    for line in [
        "litellm --port 4000",
        "/opt/venv/bin/litellm",
        "/opt/venv/bin/python3 /opt/venv/bin/litellm --config x",
        "python -m litellm",
        "python3.12 -m litellm.proxy.proxy_cli",
    ] {
        assert!(is_litellm(line), "{line}");
    }
    for line in [
        "vim litellm",
        "python3 build.py litellm",
        "python3",
        "",
        "grep -m litellm",
        "tail -f litellm",
    ] {
        assert!(!is_litellm(line), "{line}");
    }
}

#[test]
fn a_line_of_ps_is_read() {
    let now = "2030-01-03T00:00:00Z".parse().unwrap();
    for (elapsed, started) in [
        ("00:05", "2030-01-02T23:59:55Z"),
        ("01:00:00", "2030-01-02T23:00:00Z"),
        ("2-00:00:01", "2029-12-31T23:59:59Z"),
    ] {
        let process =
            listed(&format!("  123 {elapsed} /opt/python litellm --port 1"), now).unwrap();
        assert_eq!((process.pid, &*process.started.to_string()), (123, started));
        assert_eq!(process.command[0], "/opt/python");
    }
    assert_eq!(listed("PID ELAPSED COMMAND", now), None);
}

// Clients.
