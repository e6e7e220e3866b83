//! No secret gets where it is not meant to be: not into texts, files, arguments of processes, or what Rust code can
//! print of a value.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::Duration;

use crate::harness::{KEY_IDS, SECRETS, Sandbox, Shell, assert_plain, files_below};
use backlog_aws::fs::{Content, SourceFile};
use backlog_aws::world::World;

/// A home in which secrets stand wherever they may stand, and in places where they are a mistake.
fn full_of_secrets() -> Sandbox {
    let home = Sandbox::documented_home();
    let credentials = fs::read_to_string(home.path(".aws/credentials")).expect("it is there");
    home.write_private(
        ".aws/credentials",
        format!(
            "{credentials}\n[temporary]\naws_access_key_id = {}\naws_secret_access_key = {}\naws_session_token = {}\n\
             [broken {secret}\n= {secret}\n{secret}\n[half]\naws_secret_access_key = {secret}\n",
            KEY_IDS[0],
            SECRETS[0],
            SECRETS[2],
            secret = SECRETS[1],
        ),
    );
    home.write(
        ".backlog-toolkit-env",
        format!(
            "export AWS_ACCESS_KEY_ID='{}'\nexport AWS_SECRET_ACCESS_KEY='{}'\nexport AWS_SESSION_TOKEN=\"{}$(date)\"\n{}\n",
            KEY_IDS[1], SECRETS[1], SECRETS[2], SECRETS[0]
        ),
    );
    for (directory, text) in [
        ("value", format!("profile = {}\n", SECRETS[0])),
        ("key", format!("{} = bedrock\n", SECRETS[0])),
        ("section", format!("[{}]\n", SECRETS[0])),
        ("line", format!("{}\n", SECRETS[0])),
        ("good", "profile = temporary\n".to_owned()),
    ] {
        let file = home.write(format!("{directory}/.backlog-aws"), text);
        home.invoke(["allow"])
            .cwd(file.parent().expect("it is in a directory"))
            .allowing_secrets()
            .run();
    }
    home
}

const COMMANDS: [&[&str]; 26] = [
    &["--help"],
    &["--version"],
    &[],
    &["status"],
    &["status", "--json"],
    &["list"],
    &["list", "--json"],
    &["list", "--names"],
    &["doctor"],
    &["doctor", "--json"],
    &["local"],
    &["local", "nonsense"],
    &["use", "--shell", "bash", "--session", "1.1", "bedrock"],
    &["use", "--shell", "fish", "--session", "1.1", "half"],
    &["exec", "--dry-run", "--", "true"],
    &["exec", "--profile", "half", "--", "true"],
    &["exec", "--profile", "cc", "--", "true"],
    &["exec", "--", "/nowhere/at/all"],
    &["env"],
    &["env", "--format", "json"],
    &["credentials", "--profile", "half"],
    &["credentials", "--format", "nonsense"],
    &["hook", "bash", "1.1", "stamps"],
    &["hook", "zsh", "1.1", "change-time"],
    &["hook", "fish", "1.1", "stamps"],
    &["hook", "nonsense"],
];

/// The harness looks for secrets in what each run says; this brings it to every place they could come from.
#[test]
fn no_command_says_a_secret() {
    let home = full_of_secrets();
    for directory in ["", "good", "key", "section", "line"] {
        for words in COMMANDS {
            let mut plain = home.invoke(words).cwd(home.path(directory));
            let mut keyed = home.invoke(words).cwd(home.path(directory));
            plain = plain.env("RUST_BACKTRACE", "full");
            keyed = keyed
                .env("AWS_ACCESS_KEY_ID", KEY_IDS[0])
                .env("AWS_SECRET_ACCESS_KEY", SECRETS[0])
                .env("AWS_SESSION_TOKEN", SECRETS[2])
                .env("AWS_BEARER_TOKEN_BEDROCK", SECRETS[1]);
            for run in [plain, keyed] {
                let output = run.run();
                assert!(output.code.is_some(), "{words:?}: {output:?}");
                assert_plain(&String::from_utf8_lossy(&output.stderr));
            }
        }
    }
}

#[test]
fn no_file_of_ours_has_a_secret_and_none_is_for_others() {
    let home = full_of_secrets();
    // What an administrator may have set for everybody.
    let script = "umask 000; exec \"$@\"";
    fs::remove_dir_all(home.path(".local/share/backlog-aws")).expect("it is ours");
    let _ = fs::remove_dir_all(home.path(".cache/backlog-aws"));
    // Times are stamped once they are settled.
    std::thread::sleep(Duration::from_millis(60));
    for words in [
        &["hook", "bash", "1.1", "stamps"][..],
        &["hook", "fish", "1.2", "stamps"],
        &["allow", "--under", "good"],
        &["deny", "key"],
        &["allow", "good"],
    ] {
        home.invoke(words).script(script).run().expect_code(0);
    }
    let mut files = 0;
    for place in [".local/share/backlog-aws", ".cache/backlog-aws"] {
        for path in files_below(&home.path(place)).into_iter().chain([home.path(place)]) {
            let mode = fs::metadata(&path).expect("it is there").permissions().mode() & 0o777;
            let name = path.display();
            if path.is_dir() {
                assert_eq!(mode, 0o700, "{name}");
            } else {
                files += 1;
                assert_eq!(mode, 0o600, "{name}");
                let text = fs::read(&path).expect("it is readable");
                let text = format!("{name} {}", String::from_utf8_lossy(&text));
                for secret in SECRETS {
                    assert!(!text.contains(secret), "{text}");
                }
            }
        }
    }
    assert!(files >= 5, "only {files} files");
}

/// What every process was called with, as the kernel saw it.
#[cfg(target_os = "linux")]
#[test]
fn no_process_that_we_start_has_a_secret_in_its_arguments() {
    let home = full_of_secrets();
    let log = home.path("trace");
    for shell in Shell::ALL {
        let prompt = shell.prompt();
        let script = format!(
            "{}\n{prompt}\nbacklog-aws use bedrock\n{prompt}\nbacklog-aws doctor\nbacklog-aws status\nbacklog-aws list\n\
             backlog-aws exec -- true\nbacklog-aws credentials --profile bedrock\nbacklog-aws local luxito\n\
             backlog-aws use --clear\n{prompt}\ntrue",
            shell.integration_line("")
        );
        let status = home
            .strace(&["-f", "-s", "1000000", "-e", "trace=execve"], &log)
            .arg(shell.path())
            .args(shell.script_flags())
            .args(["-c", &script])
            .current_dir(home.mkdir(format!("in-{}", shell.name())))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("strace starts");
        assert!(status.success());
        let calls = fs::read_to_string(&log).expect("it was written");
        assert!(calls.lines().count() > 8, "{calls}");
        for secret in SECRETS {
            assert!(!calls.contains(secret), "{}: {secret} in\n{calls}", shell.name());
        }
    }
}

/// Fails to compile when one of the types has a `Debug`, which could show what it holds.
#[test]
fn types_that_hold_raw_secrets_have_no_debug() {
    trait Ambiguous<Marker> {
        fn here() {}
    }
    struct HasDebug;
    impl<T: ?Sized> Ambiguous<()> for T {}
    impl<T: ?Sized + std::fmt::Debug> Ambiguous<HasDebug> for T {}
    macro_rules! without_debug {
        ($($type:ty),+ $(,)?) => { $(<$type as Ambiguous<_>>::here();)+ };
    }
    without_debug!(
        backlog_aws::world::World,
        backlog_aws::world::Environment,
        backlog_aws::fs::SourceFile,
        backlog_aws::fs::Content,
        backlog_aws::aws::AwsFile<'static>,
        backlog_aws::aws::Profiles<'static>,
        backlog_aws::aws::Profile<'static>,
        backlog_aws::toolkit_env::ToolkitEnv,
        backlog_aws::resolve::Inputs<'static>,
    );
}

/// The others, which hold what was made of them.
#[test]
fn types_that_can_be_shown_mask_what_they_hold() {
    use backlog_aws::resolve::{Inputs, resolve};
    use backlog_aws::session::{Session, UserIntent, Values};

    let source = |path: &str, text: String| SourceFile {
        path: path.into(),
        content: Content::Read { bytes: text.into_bytes().into(), mode: 0o600 },
        state: None,
    };
    let keys = |open: &str, close: &str| {
        format!(
            "{open}aws_access_key_id = {}\naws_secret_access_key = {}\naws_session_token = {}\n{close}",
            KEY_IDS[0], SECRETS[0], SECRETS[2]
        )
    };
    let variable = |name: &str, value: &str| (OsString::from(name), OsString::from(value));
    let worlds = [
        (Some(keys("[bedrock]\n", "[half\n")), None, vec![]),
        (
            None,
            Some(format!(
                "export AWS_ACCESS_KEY_ID='{}'\nexport AWS_SECRET_ACCESS_KEY='{}'\n",
                KEY_IDS[0], SECRETS[0]
            )),
            vec![],
        ),
        (
            None,
            None,
            vec![
                variable("AWS_ACCESS_KEY_ID", KEY_IDS[0]),
                variable("AWS_SECRET_ACCESS_KEY", SECRETS[0]),
                variable("AWS_SESSION_TOKEN", SECRETS[2]),
            ],
        ),
        (None, None, vec![variable("AWS_BEARER_TOKEN_BEDROCK", SECRETS[0])]),
    ];
    for (credentials, toolkit, environment) in worlds {
        let world = World {
            now: jiff::Timestamp::UNIX_EPOCH,
            env: environment.into_iter().collect(),
            home: Some("/home/u".into()),
            cwd: Some("/home/u".into()),
            credentials: credentials.map(|text| source("/home/u/.aws/credentials", text)),
            config: None,
            user_config: None,
            toolkit_env: toolkit.map(|text| source("/home/u/.backlog-toolkit-env", text)),
            overrides: Vec::new(),
            data_dir: None,
            cache: None,
            sealed_dir: None,
            program: "backlog-aws".into(),
        };
        let inputs = Inputs::of(&world, UserIntent::default());
        let resolution = resolve(&inputs);
        assert!(resolution.refusal.is_none(), "{resolution:?}");
        let values = Values::of(&world.env);
        let mut session = Session::continued(None, "1.1", &values);
        session.variables.apply(resolution.exports().as_ref());
        let shown: String = [
            format!("{resolution:?} {resolution:#?} {session:?}"),
            session.to_text(),
            format!("{:?}", inputs.profiles.problems),
            format!(
                "{:?}",
                inputs
                    .profiles
                    .iter()
                    .filter_map(backlog_aws::aws::Profile::credentials)
                    .collect::<Vec<_>>()
            ),
        ]
        .concat();
        for secret in [SECRETS[0], SECRETS[1], SECRETS[2]] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn no_core_file_is_left_that_could_hold_secrets() {
    let home = Sandbox::documented_home();
    let trace = home.path("trace");
    let mut traced = home.strace(&["-e", "trace=prctl", "-f"], &trace);
    traced.arg(Sandbox::built_binary()).args(["exec", "--", "/bin/sh", "-c", "exit 3"]);
    let status = traced.status().expect("strace must be installed; `tests/run` does that");
    assert_eq!(status.code(), Some(3));
    let calls = fs::read_to_string(&trace).expect("strace wrote it");
    assert!(calls.contains("prctl(PR_SET_DUMPABLE, SUID_DUMP_DISABLE)"), "{calls}");
}
