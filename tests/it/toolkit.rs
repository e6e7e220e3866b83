//! The toolkit's start script beside us: whose credentials `LiteLLM` and the containers end up with.
//!
//! `toolkit/start-services.sh` plays the script's two modes, with fakes of docker, the AWS CLI and `LiteLLM`; `toolkit/table.md` is
//! what comes of it, cell by cell.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::documents::assert_current;
use crate::harness::{KEY_IDS, Sandbox};

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
        let script = fs::read(ours.join(from)).unwrap();
        fs::set_permissions(home.write(to, script), fs::Permissions::from_mode(0o755)).unwrap();
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

/// What the script was started with, as a cell of the table.
fn start(home: &Sandbox, state: &State, way: Way, mode: Mode) -> String {
    const SCRIPT: &str = "scripts/services/start-services.sh";
    let _ = fs::remove_file(home.path("started"));
    let _ = fs::remove_file(home.path("engine"));
    if mode == Mode::Docker {
        home.write("engine", "");
    }
    let line = match way {
        Way::Plain => SCRIPT.to_owned(),
        Way::Hook => {
            format!("eval \"$(backlog-aws init bash)\"; __backlog_aws_hook 2> /dev/null; {SCRIPT}")
        }
        Way::Sealed => format!("backlog-aws exec --sealed {} -- {SCRIPT}", state.options.join(" ")),
        Way::Exec => format!("backlog-aws exec {} -- {SCRIPT}", state.options.join(" ")),
    };
    let path = home.environment().into_iter().find(|(name, _)| name == "PATH").unwrap().1;
    let mut fakes = home.path("fakes").into_os_string();
    fakes.push(":");
    fakes.push(path);
    let output = home
        .command("bash")
        .args(["--norc", "-c", &line])
        .current_dir(home.path("toolkit"))
        .envs(OF_CLAUDE)
        .envs(state.env.iter().copied())
        .env("PATH", fakes)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let Ok(started) = fs::read_to_string(home.path("started")) else {
        return match said.lines().last() {
            Some("No API credentials found") => "does not start".to_owned(),
            Some(line) if line.starts_with("backlog-aws: ") => "refused".to_owned(),
            _ => panic!("{}: {line}: {said}", state.name),
        };
    };
    let [_, id, secret, token, bearer, region] = started.lines().collect::<Vec<_>>()[..] else {
        panic!("{started}");
    };
    if !bearer.is_empty() {
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
    assert_current("tests/it/toolkit/table.md", &table.concat());
}
