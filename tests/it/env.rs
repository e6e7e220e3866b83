//! `env`: what the hook would export, for shells and tools that show no prompts.

use std::ffi::OsStr;
use std::process::Command;

use crate::documents::block;
use crate::harness::{Output, SECRETS, Sandbox, Session, Shell, found, needed, say, scenario};

const OURS: [&str; 3] = ["BACKLOG_AWS_PROFILE", "BACKLOG_AWS_REGION", "BACKLOG_AWS_SOURCE"];

/// What the documentation has for a script of this shell, without its end.
fn line(shell: Shell) -> String {
    let (marker, end) =
        if shell == Shell::Fish { ("here:fish", "; or exit") } else { ("here:sh", " || exit") };
    let line = block(marker);
    line.trim_end().strip_suffix(end).expect("it ends so").to_owned()
}

/// Prints our three variables, each in brackets or as `-` when it is unset, and all others of ours.
const SHOW: &str = r"env | LC_ALL=C sort | sed -n 's/^_*BACKLOG_AWS_//p' | tr '\n' ' '";

#[track_caller]
fn shown(command: &mut Command) -> (String, Option<i32>, String) {
    let output = Output::from(command.output().expect("the shell starts"));
    (output.out().trim_end().to_owned(), output.code, output.err().to_owned())
}

/// The documented home, with overrides in `a` (bedrock), `b` (luxito) and `refused` (cc, which has no keys).
fn home() -> Sandbox {
    let home = Sandbox::documented_home();
    home.allow("a", "profile = bedrock\nregion = ap-south-1\n");
    home.allow("b", "profile = luxito\n");
    home.allow("refused", "profile = cc\n");
    home
}

const IN_A: &str = "PROFILE=bedrock REGION=ap-south-1 SOURCE=directory";
const IN_REFUSED: &str = "PROFILE=cc REGION=eu-central-1 SOURCE=directory";

scenario! {
    fn a_script_gets_what_the_hook_exports(shell) {
        let home = home();
        let mut session = Session::start(&home, shell);
        for directory in ["", "a", "b", "refused"] {
            session.cd(home.path(directory));
            let exported = OURS.map(|name| session.var(name));
            let script = format!("{}; {SHOW}", line(shell));
            let (seen, ..) = shown(shell.script(&home, script).current_dir(home.path(directory)));
            let expected = OURS.iter().zip(exported).map(|(name, value)| {
                format!("{}={}", name.trim_start_matches("BACKLOG_AWS_"), value.unwrap().display())
            });
            assert_eq!(seen, expected.collect::<Vec<_>>().join(" "), "{directory}");
        }
    }

    fn the_line_fails_where_the_answer_cannot_be_used(shell) {
        let home = home();
        let refused = home.path("refused");
        let script = |more: &str| format!("{}{more}; {SHOW}", line(shell));
        let stops = if shell == Shell::Fish { "; or exit 3" } else { " || exit 3" };
        let (seen, code, why) = shown(shell.script(&home, script(stops)).current_dir(&refused));
        assert_eq!((seen.as_str(), code), ("", Some(3)), "{why}");
        assert!(why.contains("Profile 'cc' has no static credentials"), "{why}");
        assert_eq!(why.lines().count(), 1);
        if shell != Shell::Fish {
            let script = format!("set -e; {}", script(""));
            assert_eq!(shown(shell.script(&home, script).current_dir(&refused)).1, Some(1));
        }
        // One that goes on has the refused profile's name, and nothing of what was there before.
        let script = format!("cd ../a; {}; cd ../refused; {}; {}; {SHOW}", line(shell), unset(shell), line(shell));
        let (seen, code, _) = shown(shell.script(&home, script).current_dir(&refused));
        assert_eq!((seen.as_str(), code), (IN_REFUSED, Some(0)));
    }

    fn where_there_is_no_answer_nothing_of_an_earlier_one_stays(shell) {
        let home = home();
        home.remove(".aws");
        let before = shell.export("BACKLOG_AWS_SOURCE", "first");
        let script = format!("{before}; {}; {SHOW}", line(shell));
        let (seen, _, why) = shown(shell.script(&home, script).current_dir(home.home()));
        assert_eq!(seen, "");
        assert!(why.contains("No AWS profiles with static credentials found"), "{why}");
        // Keys without a profile.
        let keys = format!("AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n", SECRETS[3], SECRETS[0]);
        home.write_private(".backlog-toolkit-env", keys);
        let (seen, code, _) = shown(&mut shell.script(&home, format!("{}; {SHOW}", line(shell))));
        assert_eq!((seen.as_str(), code), ("REGION=us-east-1 SOURCE=toolkit-env-keys", Some(0)));
    }

    fn every_value_survives(shell) {
        let home = home();
        for value in ["it's $(touch gone) `touch gone` \\ \"%\" = ~ #", "two\nlines\\", "-n", "%self"] {
            let script = format!("{}; printf %s \"$BACKLOG_AWS_PROFILE\"", line(shell));
            let mut command = shell.script(&home, script);
            let output = command.env("BACKLOG_AWS_PROFILE", value).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), value);
        }
        assert!(!home.path("gone").exists());
    }

    fn in_a_shell_with_the_hook_the_hooks_answer_is_no_pin(shell) {
        let home = home();
        let mut session = Session::start(&home, shell);
        let command = format!("sh -c 'cd a; eval \"$(backlog-aws env)\"; {}'", SHOW.replace('\'', "'\\''"));
        let seen = session.line(command).text;
        let state = seen.find("STATE=").map_or(&*seen, |at| &seen[..at]);
        assert_eq!(state.trim_end(), IN_A, "{seen}");
        // In the shell itself the hook is not led astray.
        session.cd(home.path("a"));
        session.line(line(shell));
        session.assert_answer("bedrock", "directory");
        session.cd(home.path("b"));
        session.assert_answer("luxito", "directory");
    }
}

fn unset(shell: Shell) -> String {
    let each = OURS.map(|name| shell.unset(name));
    each[..2].join("; ")
}

#[test]
fn what_is_set_in_a_script_is_a_pin_and_so_is_an_earlier_answer() {
    let home = home();
    let run = |directory: &str, variables: &[(&str, &str)]| {
        let mut run = home.invoke(["env"]).cwd(home.path(directory));
        for (name, value) in variables {
            run = run.env(*name, *value);
        }
        run.run().expect_code(0)
    };
    let pin = ("BACKLOG_AWS_PROFILE", "luxito");
    let output = run("a", &[pin]);
    assert!(output.out().contains("_PROFILE='luxito'"), "{}", output.out());
    assert!(output.out().contains("_SOURCE='pin'"), "{}", output.out());
    assert_eq!(output.err(), "");
    // The word of an answer beside another profile: the profile may have been set since, so it counts.
    let output = run("a", &[pin, ("BACKLOG_AWS_SOURCE", "directory")]);
    assert!(output.out().contains("_PROFILE='luxito'"), "{}", output.out());
    let told = "backlog-aws: BACKLOG_AWS_PROFILE is set beside an earlier answer, and counts as your choice; \
                unset it and BACKLOG_AWS_REGION first to have them worked out for this directory\n";
    assert_eq!(output.err(), told);
    let without = run("a", &[("BACKLOG_AWS_SOURCE", "directory")]);
    assert_eq!(without.err(), "");
}

#[test]
fn each_format_has_the_same_three() {
    let home = home();
    let run = |format: &str, directory: &str| {
        home.invoke(["env", "--format", format]).cwd(home.path(directory)).run()
    };
    let plain = "BACKLOG_AWS_PROFILE=bedrock\nBACKLOG_AWS_REGION=ap-south-1\nBACKLOG_AWS_SOURCE=directory\n";
    for format in ["dotenv", "github"] {
        assert_eq!(run(format, "a").expect_code(0).out(), plain);
    }
    let json = run("json", "a").expect_code(0).json();
    assert_eq!(
        json,
        serde_json::json!({
            "BACKLOG_AWS_PROFILE": "bedrock", "BACKLOG_AWS_REGION": "ap-south-1", "BACKLOG_AWS_SOURCE": "directory"
        })
    );
    for format in ["json", "dotenv", "github"] {
        let refused = run(format, "refused").expect_code(1);
        assert!(refused.out().contains("cc"), "{}", refused.out());
        assert!(refused.err().contains("has no static credentials"), "{}", refused.err());
    }
    home.remove(".aws");
    assert_eq!(
        run("json", "").expect_code(1).json()["BACKLOG_AWS_PROFILE"],
        serde_json::Value::Null
    );
    let empty = "BACKLOG_AWS_PROFILE=\nBACKLOG_AWS_REGION=\nBACKLOG_AWS_SOURCE=\n";
    assert_eq!(run("dotenv", "").expect_code(1).out(), empty);
    assert_eq!(run("github", "").expect_code(1).out(), empty);
    assert_eq!(run("sh", "").expect_code(1).out().lines().last(), Some("false"));
    run("bash", "").expect_code(2);
}

#[test]
fn no_value_becomes_another_variable_in_a_file() {
    let home = home();
    for value in ["x\nAWS_PROFILE=luxito", "x\n_\n__\nAWS_PROFILE=luxito", "x<<END", "\n", "a\nEND"]
    {
        let run = |format| {
            home.invoke(["env", "--format", format])
                .env("BACKLOG_AWS_PROFILE", value)
                .run()
                .expect_code(1)
        };
        for output in ["github", "dotenv"].map(run) {
            let fits = !value.contains('\n');
            assert_eq!(output.out().is_empty(), !fits, "{value}");
            assert_eq!(output.err().contains("cannot hold"), !fits, "{}", output.err());
        }
    }
    for format in ["json", "dotenv", "github"] {
        let name = <OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"caf\xe9");
        let run = home.invoke(["env", "--format", format]).env("BACKLOG_AWS_PROFILE", name);
        assert_eq!(
            run.run().expect_code(1).out(),
            "",
            "half an answer would leave the rest of another"
        );
    }
}

#[test]
fn direnv_takes_it_from_an_envrc() {
    let home = home();
    let direnv = |arguments: &[&OsStr]| {
        let mut command = home.command(needed("direnv"));
        command.args(arguments).env("DIRENV_LOG_FORMAT", "");
        command
    };
    let seen = |directory: &str| {
        let file = home.write(format!("{directory}/.envrc"), block("here:direnv"));
        assert!(direnv(&["allow".as_ref(), file.as_os_str()]).status().unwrap().success());
        let directory = home.path(directory);
        shown(&mut direnv(&[
            "exec".as_ref(),
            directory.as_os_str(),
            "sh".as_ref(),
            "-c".as_ref(),
            SHOW.as_ref(),
        ]))
    };
    assert_eq!(seen("a").0, IN_A);
    let (names, _, why) = seen("refused");
    assert_eq!(names, IN_REFUSED);
    assert!(why.contains("has no static credentials"), "{why}");
}

#[test]
fn mise_takes_it_from_a_script() {
    let Some(mise) = found("mise") else {
        say("mise is not here, so what it makes of `backlog-aws env` is not tested");
        return;
    };
    let home = home();
    let seen = |directory: &str| {
        home.write(format!("{directory}/mise.toml"), block("here:mise"));
        home.write(format!("{directory}/backlog-aws.sh"), block("here:mise-script"));
        let mut command = home.command(&mise);
        command
            .args(["exec", "--", "sh", "-c", SHOW])
            .env("MISE_TRUSTED_CONFIG_PATHS", home.home())
            .env("MISE_OFFLINE", "1")
            .current_dir(home.path(directory));
        shown(&mut command)
    };
    assert_eq!(seen("a").0, IN_A);
    assert_eq!(seen("refused").0, IN_REFUSED);
}
