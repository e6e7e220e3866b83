//! The toolkit's start script beside us: whose credentials `LiteLLM` and the containers end up with.
//!
//! `toolkit/start-services.sh` plays the script's two modes, with fakes of docker, the AWS CLI and `LiteLLM`; the table in
//! docs/toolkit.md is what comes of it, cell by cell.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use crate::documents::{assert_current, read};
use crate::harness::{KEY_IDS, Key, Output, Sandbox, Session, Shell, parse_environment};
use crate::random::Random;

const BLANKS: &str = "export AWS_ACCESS_KEY_ID=''\nexport AWS_SECRET_ACCESS_KEY=''\n";
/// What the shell of a Claude Code user has.
const OF_CLAUDE: [(&str, &str); 2] = [("AWS_PROFILE", "cc"), ("AWS_REGION", "eu-central-1")];

/// Whose a key id is, in the table.
const OWNERS: [(&str, &str); 11] = [
    (KEY_IDS[0], "bedrock"),
    (KEY_IDS[1], "luxito"),
    ("AKIAOFTHEFILEEXAMPLE", "the file's keys"),
    ("AKIAOFTHESHELLEXAMPL", "the shell's keys"),
    ("AKIAOFTHEROLEEXAMPLE", "the role"),
    ("ASIAOFSINGLESIGNONEX", "cc"),
    ("ASIAIOSFODNN7EXAMPLE", "temporary"),
    ("AKIAOFDEFAULTEXAMPLE", "default"),
    ("AKIAOFROLEKEYSEXAMPL", "role's keys"),
    ("AKIAOFBARENAMEEXAMPL", "bare"),
    ("", "no keys"),
];

/// How the script is started.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By itself, in a shell that knows nothing of us.
    Plain,
    /// By itself, in a shell with the hook.
    Hook,
    Exec,
    /// `exec --sealed`.
    Sealed,
}

/// Whether a Docker engine answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Native,
    Docker,
}

/// A home, and a shell in it.
#[derive(Default)]
struct State {
    name: &'static str,
    /// What the override in the working directory says.
    chosen: &'static str,
    toolkit_env: &'static str,
    env: &'static [(&'static str, &'static str)],
    options: &'static [&'static str],
    /// Beyond the documented home.
    profiles: &'static str,
}

/// A home with the toolkit in it, and the fakes beside it.
fn home_of(state: &State) -> Sandbox {
    let home = Sandbox::documented_home();
    let more =
        format!("{}{}", fs::read_to_string(home.path(".aws/credentials")).unwrap(), state.profiles);
    home.write_private(".aws/credentials", more);
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/toolkit");
    let copy = |from: &str, to: &str| {
        home.write_program(to, fs::read(ours.join(from)).unwrap());
    };
    copy("start-services.sh", "toolkit/scripts/services/start-services.sh");
    for name in ["aws", "docker", "litellm"] {
        copy(&format!("fakes/{name}"), &format!("fakes/{name}"));
    }
    home.write("toolkit/docker-compose.yml", "");
    home.write("signed-in", "");
    if !state.toolkit_env.is_empty() {
        home.write_private(".backlog-toolkit-env", state.toolkit_env);
    }
    if !state.chosen.is_empty() {
        home.allow("toolkit", state.chosen);
    }
    home
}

const SCRIPT: &str = "scripts/services/start-services.sh";

/// Runs a line of bash in the toolkit's directory, beside the fakes, as a Claude Code user has it.
fn run(home: &Sandbox, state: &State, mode: Mode, line: &str) -> Output {
    let _ = fs::remove_file(home.path("started"));
    let _ = fs::remove_file(home.path("engine"));
    if mode == Mode::Docker {
        home.write("engine", "");
    }
    let path = home.environment().into_iter().find(|(name, _)| name == "PATH").unwrap().1;
    let mut fakes = home.path("fakes").into_os_string();
    fakes.push(":");
    fakes.push(path);
    let mut bash = home.command("bash");
    bash.args(["--norc", "-c", line]).current_dir(home.path("toolkit"));
    bash.envs(OF_CLAUDE).envs(state.env.iter().copied()).env("PATH", fakes);
    bash.output().unwrap().into()
}

/// What the script came to: kind, key id, secret, token, API key, region; `None` when it did not start anything.
fn started(home: &Sandbox) -> Option<[String; 6]> {
    let text = fs::read_to_string(home.path("started")).ok()?;
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    Some(lines.try_into().expect("six lines"))
}

/// What the script was started with, as a cell of the table.
fn start(home: &Sandbox, state: &State, way: Way, mode: Mode) -> String {
    let line = match way {
        Way::Plain => SCRIPT.to_owned(),
        Way::Hook => {
            format!("eval \"$(backlog-aws init bash)\"; __backlog_aws_hook 2> /dev/null; {SCRIPT}")
        }
        Way::Sealed => format!("backlog-aws exec --sealed {} -- {SCRIPT}", state.options.join(" ")),
        Way::Exec => format!("backlog-aws exec {} -- {SCRIPT}", state.options.join(" ")),
    };
    let output = run(home, state, mode, &line);
    let Some([_, id, secret, token, api_key, region]) = started(home) else {
        return match output.err().lines().last() {
            Some("No API credentials found") => "does not start".to_owned(),
            Some(line) if line.starts_with("backlog-aws: ") => "refused".to_owned(),
            _ => panic!("{}: {line}: {output:?}", state.name),
        };
    };
    if !api_key.is_empty() {
        return format!("the API key, {region}");
    }
    let owner = OWNERS.iter().find(|(known, _)| *known == id).expect("a key we know").1;
    assert_eq!(id.is_empty(), secret.is_empty(), "half a pair");
    let token = if token.is_empty() { "" } else { " with its token" };
    format!("{owner}{token}, {region}")
}

const FILE_KEYS: &str =
    "export AWS_ACCESS_KEY_ID='AKIAOFTHEFILEEXAMPLE'\nexport AWS_SECRET_ACCESS_KEY='of-the-file'\n";
const SHELL_KEYS: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", "AKIAOFTHESHELLEXAMPL"), ("AWS_SECRET_ACCESS_KEY", "of-the-shell")];
const API_KEY: &str = "export AWS_BEARER_TOKEN_BEDROCK='of-bedrock'\n";

const BEDROCK: &str = "profile = bedrock\n";
const TEMPORARY: &str = "[temporary]\naws_access_key_id = ASIAIOSFODNN7EXAMPLE\naws_secret_access_key = of-sts\naws_session_token = of-sts\n";
const DEFAULT: &str = "[default]\naws_access_key_id = AKIAOFDEFAULTEXAMPLE\naws_secret_access_key = of-default\nregion = sa-east-1\n";
const ROLE: &str = "[role]\naws_access_key_id = AKIAOFROLEKEYSEXAMPL\naws_secret_access_key = of-role\nrole_arn = arn:aws:iam::111122223333:role/x\nsource_profile = bedrock\n";
const BARE: &str =
    "[bare]\naws_access_key_id = AKIAOFBARENAMEEXAMPL\naws_secret_access_key = of-bare\n";

/// The states of the table.
fn states() -> Vec<State> {
    let state = |name, chosen| State { name, chosen, ..State::default() };
    let blank = |name, chosen| State { toolkit_env: BLANKS, ..state(name, chosen) };
    let with = |profiles, state| State { profiles, ..state };
    let file_keys = |name, chosen| State { toolkit_env: FILE_KEYS, ..state(name, chosen) };
    vec![
        state("static profile chosen, no toolkit file", BEDROCK),
        blank("static profile chosen", BEDROCK),
        State {
            options: &["--region", "ap-south-1"],
            ..blank("the same with `--region`", BEDROCK)
        },
        with(BARE, blank("profile without a region", "profile = bare\n")),
        with(TEMPORARY, blank("temporary profile", "profile = temporary\n")),
        with(ROLE, blank("keys and a role in one profile", "profile = role\n")),
        with(DEFAULT, blank("nothing chosen, `default` is static", "")),
        blank("a profile chosen that cannot be used", "profile = cc\n"),
        State {
            options: &["--temporary"],
            ..state("SSO profile with `--temporary`, no toolkit file", "profile = cc\n")
        },
        State {
            options: &["--temporary"],
            ..blank("SSO profile with `--temporary`", "profile = cc\n")
        },
        file_keys("static profile chosen, other keys in the file", BEDROCK),
        file_keys("keys in the file, nothing chosen", ""),
        with(DEFAULT, file_keys("the same, `default` is static", "")),
        State { env: &SHELL_KEYS, ..state("keys in the shell, no toolkit file", "") },
        State { env: &SHELL_KEYS, ..blank("keys in the shell", "") },
        with(DEFAULT, State { env: &SHELL_KEYS, ..blank("the same, `default` is static", "") }),
        State { toolkit_env: API_KEY, ..state("Bedrock API key in the file", "") },
    ]
}

/// `BACKLOG_AWS_BLESS=1` writes it anew.
#[test]
fn the_table_says_what_the_script_ends_with() {
    let mut table = vec!["| | plain | hook | `exec` | sealed | Docker, plain | Docker, hook | Docker, `exec` | Docker, sealed |\n|---|---|---|---|---|---|---|---|---|\n".to_owned()];
    for state in states() {
        let home = home_of(&state);
        let mut cells = vec![state.name.to_owned()];
        for mode in [Mode::Native, Mode::Docker] {
            for way in [Way::Plain, Way::Hook, Way::Exec, Way::Sealed] {
                cells.push(start(&home, &state, way, mode));
            }
        }
        table.push(format!("| {} |\n", cells.join(" | ")));
    }
    let page = read("docs/toolkit.md");
    let (before, rest) = page.split_once("<!-- start-script:begin -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- start-script:end -->").unwrap();
    let page = format!(
        "{before}<!-- start-script:begin -->\n{}<!-- start-script:end -->{after}",
        table.concat()
    );
    assert_current("docs/toolkit.md", &page);
}

/// The script under `exec` with options.
fn exec(home: &Sandbox, state: &State, mode: Mode, options: &str) -> Output {
    run(home, state, mode, &format!("backlog-aws exec {options} -- ./{SCRIPT}"))
}

#[test]
fn exec_refuses_the_script_where_it_would_use_others_and_the_remedy_works() {
    let state = State {
        chosen: BEDROCK,
        // Commenting out the last of two would leave the first in force.
        toolkit_env: "AWS_ACCESS_KEY_ID=x\nexport AWS_ACCESS_KEY_ID='' AWS_SECRET_ACCESS_KEY=''\n",
        ..State::default()
    };
    let home = home_of(&state);
    let credentials = fs::read_to_string(home.path(".aws/credentials")).unwrap();
    home.write_private(".aws/credentials", credentials.replace("[bedrock]", "[ bedrock ]"));
    let output = exec(&home, &state, Mode::Native, "").expect_code(1);
    let said = "backlog-aws: the toolkit's start script takes profile 'luxito', though profile 'bedrock' is chosen (";
    assert!(output.err().starts_with(said), "{}", output.err());
    assert!(output.err().ends_with("; --force runs it all the same\n"), "{}", output.err());
    assert_eq!(started(&home), None);
    for by in ["bash", "env A=b", "nohup"] {
        run(&home, &state, Mode::Native, &format!("backlog-aws exec -- {by} {SCRIPT}"))
            .expect_code(1);
    }
    exec(&home, &state, Mode::Native, "--force").expect_code(0);
    assert_eq!(started(&home).unwrap()[1], KEY_IDS[1], "as it was said");
    let remedy = output.err().split('`').nth(1).unwrap().to_owned();
    run(&home, &state, Mode::Native, &remedy).expect_code(0);
    let fixed = exec(&home, &state, Mode::Native, "").expect_code(0);
    assert_eq!((fixed.err(), &*started(&home).unwrap()[1]), ("", KEY_IDS[0]));
}

#[test]
fn other_commands_are_told_in_one_line_and_refused_when_strict() {
    let state = State { chosen: BEDROCK, toolkit_env: FILE_KEYS, ..State::default() };
    let home = home_of(&state);
    let told = run(&home, &state, Mode::Native, "backlog-aws exec -- true").expect_code(0);
    let said = "backlog-aws: the toolkit's start script takes the keys in ";
    assert!(told.err().starts_with(said) && told.err().lines().count() == 1, "{}", told.err());
    let quiet = "BACKLOG_AWS_QUIET=1 backlog-aws exec -- true";
    assert_eq!(run(&home, &state, Mode::Native, quiet).expect_code(0).err(), "");
    let strict = "backlog-aws exec --strict -- echo ran";
    let refused = run(&home, &state, Mode::Native, strict).expect_code(1);
    assert!(refused.out().is_empty() && refused.err().starts_with(said), "{}", refused.err());
    let mut session =
        Session::builder(&home, Shell::Bash).cwd(home.path("toolkit")).size(30, 300).spawn();
    session.send(strict);
    session.key(Key::Enter);
    session.wait_for("Run it all the same?");
    session.key(Key::Enter);
    session.wait_prompt();
    assert_eq!(session.status_of_last(), 1, "no is what Enter says");
}

#[test]
fn a_profile_that_cannot_be_named_needs_the_native_mode() {
    for (toolkit_env, options) in [(FILE_KEYS, ""), ("", "--no-profile --profile bedrock")] {
        let state = State { toolkit_env, profiles: DEFAULT, ..State::default() };
        let home = home_of(&state);
        let output = exec(&home, &state, Mode::Docker, options).expect_code(1);
        let said =
            "backlog-aws: with Docker, the toolkit's start script takes profile 'default', though ";
        assert!(output.err().starts_with(said), "{}", output.err());
        assert!(output.err().contains("set BACKLOG_NATIVE_MODE=true"), "{}", output.err());
        assert_eq!(exec(&home, &state, Mode::Native, options).expect_code(0).err(), "");
        let native = format!("BACKLOG_NATIVE_MODE=true backlog-aws exec {options} -- {SCRIPT}");
        assert_eq!(run(&home, &state, Mode::Docker, &native).expect_code(0).err(), "");
        assert_eq!(started(&home).unwrap()[0], "litellm");
    }
}

#[test]
fn regions_that_the_script_changes_are_said() {
    let chosen = State { chosen: BEDROCK, toolkit_env: BLANKS, ..State::default() };
    let home = home_of(&chosen);
    home.append(".aws/config", "[profile bedrock]\nregion = eu-west-1\n");
    let said = "start script takes region eu-west-1, though ap-south-1 is chosen";
    for mode in [Mode::Native, Mode::Docker] {
        assert_eq!(exec(&home, &chosen, mode, "").expect_code(0).err(), "");
        let output = exec(&home, &chosen, mode, "--region ap-south-1").expect_code(0);
        assert!(output.err().contains(said), "{}", output.err());
        assert_eq!(started(&home).unwrap()[5], "eu-west-1");
    }
    home.write(".backlog-toolkit-env", "export AWS_REGION=us-east-2\n");
    let output = exec(&home, &chosen, Mode::Native, "").expect_code(0);
    assert!(output.err().contains("(~/.backlog-toolkit-env:1); `sed "), "{}", output.err());
}

#[test]
fn claude_code_is_not_started_with_the_toolkits_identity() {
    let state = State { chosen: BEDROCK, ..State::default() };
    let home = home_of(&state);
    home.write_program("toolkit/claude-with-services.sh", "#!/bin/sh\necho \"$AWS_PROFILE\"\n");
    let line = |option: &str| format!("backlog-aws exec {option} -- ./claude-with-services.sh");
    let refused = run(&home, &state, Mode::Native, &line("")).expect_code(1);
    assert!(refused.err().contains("claude-with-services.sh by itself"), "{}", refused.err());
    assert_eq!(
        run(&home, &state, Mode::Native, &line("--force")).expect_code(0).out(),
        "bedrock\n"
    );
}

#[test]
fn an_api_key_is_nothing_to_the_script() {
    let state = State { toolkit_env: API_KEY, ..State::default() };
    let home = home_of(&state);
    let output = exec(&home, &state, Mode::Native, "").expect_code(1);
    for part in ["No API credentials found", "exec -- litellm", "profile with keys", "check"] {
        assert!(output.err().contains(part), "{}", output.err());
    }
    assert_eq!(
        run(&home, &state, Mode::Native, "backlog-aws exec -- true").expect_code(0).err(),
        ""
    );
    let report = home.run(["doctor", "--json"]).json();
    let checks = report["checks"].as_array().unwrap();
    assert!(checks.iter().any(|check| check["code"] == "toolkit-api-key"), "{report:#}");
    assert!(checks.iter().all(|check| check["code"] != "profile"), "{report:#}");
}

#[test]
fn with_a_key_for_anthropic_alone_the_command_runs_without_aws() {
    let state = State { env: &[("ANTHROPIC_API_KEY", "key")], ..State::default() };
    let home = home_of(&state);
    home.write_private(".aws/credentials", "");
    let line = "backlog-aws exec -- sh -c 'echo ${AWS_PROFILE-none} $ANTHROPIC_API_KEY'";
    let output = run(&home, &state, Mode::Native, line).expect_code(0);
    assert_eq!(output.out(), "none key\n");
    assert!(output.err().contains("without AWS credentials"), "{}", output.err());
    exec(&home, &state, Mode::Native, "").expect_code(0);
    assert_eq!(started(&home).unwrap()[..2], ["litellm", ""]);
    let named = "backlog-aws exec --profile cc -- true";
    run(&home, &state, Mode::Native, named).expect_code(1);
}

#[test]
fn status_and_doctor_say_what_a_plain_start_does_not_see() {
    let found = |home: &Sandbox, command: &str, list: &str| {
        let run = home.invoke([command, "--json"]).env("AWS_REGION", "eu-central-1");
        let report = run.env("BACKLOG_AWS_PROFILE", "bedrock").run().json();
        let findings = report[list].as_array().unwrap().clone();
        let found = findings.into_iter().find(|finding| finding["code"] == "plain-start");
        found.map(|found| (found["message"].to_string(), found["remedy"].to_string()))
    };
    let blanks = "export AWS_ACCESS_KEY_ID=''";
    let region = "takes region eu-central-1, though eu-west-1 is chosen";
    for (file, config, says, remedy) in [
        ("", "", "No API credentials found", blanks),
        ("X=1\n", "", "No API credentials found", blanks),
        (FILE_KEYS, "", "takes the keys in ", blanks),
        (BLANKS, "", region, "exec -- ./scripts"),
        (BLANKS, "[profile bedrock]\nregion = eu-west-1\n", "", ""),
    ] {
        let home = home_of(&State { toolkit_env: file, ..State::default() });
        home.append(".aws/config", config);
        let (status, doctor) =
            (found(&home, "status", "notices"), found(&home, "doctor", "checks"));
        assert_eq!(status, doctor);
        match doctor {
            Some((message, advice)) => {
                assert!(!says.is_empty() && message.contains(says), "{message}");
                assert!(advice.contains(remedy), "{advice}");
            }
            None => assert_eq!(says, "", "{file}"),
        }
    }
}

/// How many random homes; each runs the script four times.
const HOMES: u64 = 24;

/// Files and variables that the script and AWS's tools read differently, picked by a number.
fn random_home(random: &mut Random) -> (Sandbox, Vec<(&'static str, String)>) {
    let home = home_of(&State::default());
    home.remove("signed-in");
    let names = ["bedrock", "luxito", "default", "a.b", "a+b"];
    let (mut credentials, mut config) = (String::new(), String::new());
    for (number, name) in names.into_iter().enumerate() {
        if random.one_in(3) {
            continue;
        }
        let header = *random.pick(&["[N]", "[N]", "[N]", "[N]", "[ N ]", "[N] # mine"]);
        let after = *random.pick(&["", "", "", "", " # mine", "  "]);
        let lines = *random.pick(&[
            "aws_access_key_id = AKIA0000EXAMPLE0000N\naws_secret_access_key = secretN\n",
            "aws_access_key_id=AKIA0000EXAMPLE0000N\naws_secret_access_key=secretN\n",
            "AWS_ACCESS_KEY_ID = AKIA0000EXAMPLE0000N\nAWS_SECRET_ACCESS_KEY = secretN\n",
            "aws_secret_access_key = \"secretN\"\naws_access_key_id = AKIA0000EXAMPLE0000N\n",
            "  aws_access_key_id = AKIA0000EXAMPLE0000N\naws_secret_access_key = secretN\n",
            "aws_access_key_id = AKIA0000EXAMPLE0000N\n",
            "aws_access_key_id = AKIA0000EXAMPLE0000N\naws_secret_access_key = secretN\naws_session_token = t\n",
        ]);
        let lines = lines
            .replace("000N", &format!("000{number}"))
            .replace("secretN", &format!("secret{number}{after}"));
        credentials.extend([&header.replace('N', name), "\n", &lines]);
        if random.one_in(2) {
            let section =
                if name == "default" { name.to_owned() } else { format!("profile {name}") };
            let region = *random.pick(&["eu-west-1", "us-east-2"]);
            config.extend(["[", &section, "]\nregion = ", region, "\n"]);
        }
    }
    if random.one_in(8) {
        credentials.pop();
    }
    home.write_private(".aws/credentials", credentials);
    home.append(".aws/config", &config);
    let file =
        *random.pick(&[BLANKS, BLANKS, BLANKS, FILE_KEYS, API_KEY, "", "# AWS_ACCESS_KEY_ID=\n"]);
    if !file.is_empty() {
        let more =
            *random.pick(&["", "", "AWS_REGION=eu-north-1\n", "BACKLOG_AWS_PROFILE=luxito\n"]);
        home.write(".backlog-toolkit-env", format!("{file}{more}"));
    }
    let mut env = Vec::new();
    if random.one_in(2) {
        env.push(("BACKLOG_AWS_PROFILE", (*random.pick(&names)).to_owned()));
    }
    if random.one_in(2) {
        env.push(("AWS_PROFILE", (*random.pick(&names)).to_owned()));
    }
    if random.one_in(4) {
        env.extend(SHELL_KEYS.map(|(name, value)| (name, value.to_owned())));
    }
    (home, env)
}

#[test]
fn the_model_agrees_with_the_script_in_random_homes() {
    let mut compared = [0; 4];
    for seed in 0..HOMES {
        let (home, env) = random_home(&mut Random(seed));
        let variables: String =
            env.iter().flat_map(|(name, value)| [name, "='", value, "' "]).collect();
        let state = State::default();
        let line = |command: &str| format!("export {variables}BACKLOG_AWS_QUIET=1; {command}");
        // What the AWS CLI reads otherwise than the SDKs is another finding of doctor's.
        let credentials = fs::read_to_string(home.path(".aws/credentials")).unwrap();
        let odd = credentials.contains(['#', '\'']) || credentials.contains("[ ");
        let report = run(&home, &state, Mode::Native, &line("backlog-aws doctor --json"));
        let report: serde_json::Value = serde_json::from_slice(&report.stdout).unwrap();
        for (row, mode) in [(0, Mode::Native), (1, Mode::Docker)] {
            let row = &report["consumers"][row];
            run(&home, &state, mode, &line(SCRIPT));
            let started = started(&home);
            let asked = row["rule"].as_str().unwrap().contains("SSO");
            if asked || mode == Mode::Docker && odd {
                continue;
            }
            let [_, id, _, _, api_key, region] = started.unwrap_or_default();
            let id = if api_key.is_empty() { id } else { String::new() };
            let masked = (!id.is_empty()).then(|| format!("{}************{}", &id[..4], &id[16..]));
            assert_eq!(row["access_key_id"].as_str(), masked.as_deref(), "{seed}: {row:#}");
            if !id.is_empty() {
                assert_eq!(row["region"].as_str(), Some(&*region), "{seed}: {row:#}");
                compared[0] += 1;
            }
        }
        let handed =
            run(&home, &state, Mode::Native, &line("backlog-aws exec --yes --force -- env"));
        if handed.code != Some(0) {
            compared[1] += 1;
            continue;
        }
        let handed = parse_environment(handed.out().replace('\n', "\0").as_bytes());
        let given = |name: &str| {
            handed.get(OsStr::new(name)).map(|value| value.to_string_lossy().into_owned())
        };
        let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
        let wanted = names.map(|name| given(name).unwrap_or_default());
        for mode in [Mode::Native, Mode::Docker] {
            let force = line(&format!("backlog-aws exec --yes --force -- {SCRIPT}"));
            run(&home, &state, mode, &force);
            let same = started(&home).is_some_and(|started| {
                started[1..4] == wanted && started[4].is_empty() && !wanted[0].is_empty()
            });
            let output =
                run(&home, &state, mode, &line(&format!("backlog-aws exec --yes -- {SCRIPT}")));
            let refused = output.code == Some(1)
                && started(&home).is_none()
                && output.err().contains("start script");
            if mode == Mode::Native || !odd {
                assert_eq!(refused, !same, "{seed}: {}", output.err());
            }
            compared[2 + usize::from(refused)] += 1;
        }
    }
    // Not all of one sort.
    assert!(compared.iter().all(|count| *count > 2), "{compared:?}");
}
