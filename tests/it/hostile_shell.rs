//! What can be done to the shell and to the program around it: attributes of variables, values that some shell would
//! run, floods of notices, devices, and too little memory.

use std::fs;
use std::os::unix::fs::symlink;

use crate::harness::{Sandbox, Session, Shell, scenario};

const RUNS: &str = "x[$(touch ~/pwned)]";

scenario! {
    /// bash runs the subscript in `x[$(…)]` when a variable is an integer, and writes through a nameref elsewhere.
    fn attributes_of_our_variables_run_nothing_and_reach_no_other_variable(shell) {
        if shell == Shell::Fish {
            // It has no attributes; what the values do is tried all the same.
            let home = Sandbox::documented_home();
            let mut session = Session::builder(&home, shell).env("BACKLOG_AWS_REGION", RUNS).spawn();
            session.line("");
            assert!(!home.path("pwned").exists());
            return;
        }
        let attributes: &[&str] = match shell {
            Shell::Bash => &["declare -i", "declare -n", "declare -ix", "declare -u", "declare -r"],
            _ => &["typeset -i", "typeset -F", "typeset -ix", "typeset -u", "typeset -r"],
        };
        for attribute in attributes {
            for name in ["BACKLOG_AWS_REGION", "BACKLOG_AWS_PROFILE", "BACKLOG_AWS_SOURCE"] {
                let home = Sandbox::documented_home();
                home.mkdir("acme");
                let credentials = fs::read_to_string(home.path(".aws/credentials")).unwrap();
                home.write_private(".aws/credentials", credentials.replace("region = us-west-2", &format!("region = {RUNS}")));
                home.write(".backlog-toolkit-env", format!("export AWS_REGION='{RUNS}'\n"));
                home.write("acme/.backlog-aws", format!("region = {RUNS}\n"));
                let mut session = Session::start(&home, shell);
                session.line("victim=untouched");
                session.line(format!("unset {name}; {attribute} {name}"));
                session.line("");
                session.line(format!("{attribute} {name}=victim"));
                session.cd(home.path("acme"));
                session.line("backlog-aws allow; backlog-aws use bedrock; backlog-aws use --clear");
                session.line("");
                assert!(!home.path("pwned").exists(), "{attribute} {name} ran something");
                assert_eq!(session.line("echo \"[$victim]\"").text, "[untouched]", "{attribute} {name}");
            }
        }
    }

    fn sixty_strange_overrides_above_each_other_are_told_in_four_lines_and_once(shell) {
        let home = Sandbox::documented_home();
        let mut directory = "a".to_owned();
        for _ in 0..60 {
            home.write(format!("{directory}/.backlog-aws"), "profile = bedrock\n");
            directory += "/a";
        }
        home.mkdir(&directory);
        let mut session = Session::builder(&home, shell).size(60, 1000).spawn();
        let told = session.cd(home.path(&directory)).text;
        assert_eq!(told.matches(" is ignored until you allow it").count(), 3, "{told}");
        assert_eq!(told.matches("57 more like this").count(), 1, "{told}");
        assert_eq!(told.lines().count(), 4, "{told}");
        session.assert_answer("luxito", "first");
        for place in [".", &directory, "a", &directory] {
            session.cd(home.path(place));
        }
        assert_eq!(session.line("").text, "");
    }
}

#[test]
fn json_of_every_command_is_fit_for_a_terminal() {
    let home = Sandbox::documented_home();
    let evil = "e\u{9b}31m\u{7f}\u{202e}\u{e0001}\x1b[2J";
    home.write(format!("{evil}/.backlog-aws"), "profile = bedrock\n");
    for words in [["status", "--json"], ["list", "--json"], ["doctor", "--json"]] {
        let run = home
            .invoke(words)
            .cwd(home.path(evil))
            .env("AWS_PROFILE", evil)
            .env("BACKLOG_AWS_PROFILE", evil)
            .run();
        let bad = run
            .out()
            .chars()
            .find(|c| c.is_control() && *c != '\n' || "\u{202e}\u{e0001}".contains(*c));
        assert_eq!(bad, None, "{words:?}: {}", run.out());
        // No profile has such a name, and doctor makes texts of names.
        let named = run.out().contains("\\u009b31m\\u007f\\u202e") || words[0] != "status";
        assert!(named, "{words:?}: {}", run.out());
        run.json();
    }
}

/// Opening one can already do something: rewind a tape, reset a board.
#[cfg(target_os = "linux")]
#[test]
fn a_device_in_the_place_of_a_file_is_never_opened() {
    let home = Sandbox::with_override();
    for file in [
        ".aws/credentials",
        ".aws/config",
        ".backlog-toolkit-env",
        "acme/.backlog-aws",
        ".config/backlog-aws/config.ini",
    ] {
        let path = home.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&path);
        symlink("/dev/zero", &path).unwrap();
        let log = home.path("opened");
        for words in [&["status"][..], &["hook", "bash", "1.1", "stamps"], &["doctor"], &["allow"]]
        {
            home.strace(&["-f", "-e", "trace=open,openat,openat2"], &log)
                .arg(Sandbox::built_binary())
                .args(words)
                .current_dir(home.path("acme"))
                .output()
                .unwrap();
            let opened = fs::read_to_string(&log).unwrap();
            assert!(opened.contains("openat"), "nothing was traced");
            let device = opened
                .lines()
                .find(|line| line.contains(path.to_str().unwrap()) || line.contains("/dev/zero"));
            assert_eq!(device, None, "{words:?}");
        }
        fs::remove_file(&path).unwrap();
        home.user_changed_files();
    }
}

/// `ulimit -v`: Rust ends a process that gets no memory, and a file's size is for others to choose.
#[cfg(target_os = "linux")]
#[test]
fn a_file_for_which_there_is_no_memory_is_named() {
    let home = Sandbox::documented_home();
    let credentials = fs::read_to_string(home.path(".aws/credentials")).unwrap();
    let run = |kilobytes: u64, words: &[&str]| {
        home.invoke(words).script(format!("ulimit -c 0; ulimit -v {kilobytes}; exec \"$@\"")).run()
    };
    let least = (1..100)
        .map(|step| step * 2000)
        .find(|room| run(*room, &["--version"]).code == Some(0))
        .expect("it starts somewhere");
    // Little memory for the file, and then for what is in it.
    let names: Vec<String> = (0..30_000).map(|number| format!("[p{number}]\n")).collect();
    for (long, step) in [("#".repeat(15 << 20), 200_000), (names.concat(), 3000)] {
        home.write_private(".aws/credentials", format!("{credentials}{long}"));
        for words in
            [&["status"][..], &["exec", "--", "true"], &["hook", "zsh", "1.1", "change-time"]]
        {
            let mut refused = 0;
            for room in (least + 4000..4 << 20).step_by(step) {
                let told = run(room, words);
                let end = format!("{words:?} in {room}: {:?} {}", told.code, told.err());
                if !told.err().contains("credentials cannot be read: out of memory") {
                    assert_eq!(told.code, Some(0), "{end}");
                    break;
                }
                assert_eq!(told.code, Some(i32::from(words[0] != "hook")), "{end}");
                refused += 1;
            }
            assert!(refused > 0, "{words:?}");
        }
    }
}

/// Everything that is fetched to test or to publish is what was looked at.
#[test]
fn what_is_fetched_is_named_by_hash() {
    let read =
        |path: &str| fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let requirements = read("tests/clients/requirements.txt");
    let (mut packages, mut hashed) = (0, 0);
    for line in requirements.lines().filter(|line| !line.starts_with('#')) {
        if let Some((blank, hash)) = line.trim_end_matches([' ', '\\']).split_once("--hash=sha256:")
        {
            let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(blank.trim().is_empty() && is_hash, "{line}");
            hashed = packages;
        } else {
            assert!(line.contains("==") && hashed == packages, "no hash before {line}");
            packages += 1;
        }
    }
    assert!(packages > 50 && hashed == packages, "{packages} packages");
    let lock: serde_json::Value =
        serde_json::from_str(&read("tests/clients/package-lock.json")).unwrap();
    let packages =
        lock["packages"].as_object().unwrap().iter().filter(|(name, _)| !name.is_empty());
    for (name, package) in packages {
        assert!(
            package["integrity"].as_str().is_some_and(|hash| hash.starts_with("sha512-")),
            "{name}"
        );
    }
    for path in [".github/workflows/ci.yml", ".github/workflows/release.yml"] {
        let workflow = read(path);
        for action in workflow.lines().filter_map(|line| line.split_once("uses: ")) {
            let commit = action
                .1
                .split('@')
                .nth(1)
                .unwrap_or_default()
                .split(' ')
                .next()
                .unwrap_or_default();
            assert!(
                commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()),
                "{path}: {}",
                action.1
            );
        }
        let checkouts = workflow.matches("uses: actions/checkout@").count();
        assert_eq!(workflow.matches("persist-credentials: false").count(), checkouts, "{path}");
        assert!(workflow.contains("\npermissions:\n  contents: read\n"), "{path}");
        assert_eq!(
            workflow.matches(": write").count(),
            workflow.split("\n  publish:").nth(1).unwrap_or_default().matches(": write").count(),
            "{path}: only what publishes may write"
        );
    }
}
