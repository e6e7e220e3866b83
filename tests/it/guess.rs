//! Nobody chose a profile: what each command does with one usable profile, with several and with none, on a terminal,
//! without one, and when the user wants quiet.

use crate::harness::{Key, Sandbox, Session, scenario, static_profile};

/// What a command does about it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Does {
    /// It takes the first, or refuses, and names what it did.
    Says,
    Silent,
    /// It lets the user choose.
    Asks,
}
use Does::{Asks, Says, Silent};

const EXEC: &str = "exec -- sh -c 'echo used $AWS_PROFILE'";

/// How many profiles are usable, the command, its exit code, and what it does on a terminal, without one, and without
/// one in quiet. The exit code of the hook is a prompt's, which is no code.
const TABLE: [(usize, &str, i32, [Does; 3]); 15] = [
    (1, "hook", 0, [Says, Says, Silent]),
    (1, EXEC, 0, [Says, Says, Silent]),
    (1, "credentials", 0, [Says, Says, Silent]),
    (1, "status", 0, [Says, Says, Silent]),
    (1, "doctor", 0, [Says, Says, Says]),
    // More than one: somebody pays, so it is not kept from those who want quiet where keys are given away.
    (2, "hook", 0, [Says, Says, Silent]),
    (2, EXEC, 0, [Asks, Says, Says]),
    (2, "credentials", 0, [Says, Says, Says]),
    (2, "status", 0, [Says, Says, Silent]),
    (2, "doctor", 0, [Says, Says, Says]),
    // None: a command that should give keys fails, and says so whatever is wanted. Prompts are for those who use AWS.
    (0, "hook", 0, [Silent, Silent, Silent]),
    (0, EXEC, 1, [Says, Says, Says]),
    (0, "credentials", 1, [Says, Says, Says]),
    (0, "status", 1, [Says, Says, Silent]),
    (0, "doctor", 1, [Says, Says, Says]),
];

fn home(usable: usize) -> Sandbox {
    let home = Sandbox::new();
    let names = ["one", "two"].into_iter().take(usable);
    home.write_private(
        ".aws/credentials",
        names.map(|name| static_profile(name, "eu-west-1")).collect::<String>(),
    );
    home
}

/// What it has to be called, once.
fn words(usable: usize) -> &'static str {
    match usable {
        0 => "No AWS profiles with static credentials found in",
        1 => "Auto-detected AWS profile: one, the only usable one",
        _ => "Auto-detected AWS profile: one, first of 2",
    }
}

#[track_caller]
fn assert_does(does: Does, usable: usize, text: &str, what: &str) {
    let times = text.matches(words(usable)).count();
    assert_eq!(times, usize::from(does == Says), "{usable} usable, {what}: {text}");
    if times == 1 && usable > 1 {
        assert!(text.contains("choose with `backlog-aws use --global`"), "{what}: {text}");
    }
    if what.ends_with(EXEC) && does != Asks {
        assert_eq!(text.contains("used one"), usable > 0, "{what}: {text}");
    }
}

#[test]
fn without_a_terminal_a_guess_is_taken_and_said() {
    for (usable, command, code, [_, plain, quiet]) in TABLE {
        let home = home(usable);
        for (does, value) in [(plain, "0"), (quiet, "1")] {
            let line = match command {
                "hook" => "hook bash 1.1 stamps",
                command => command,
            };
            // A shell takes the line apart.
            let script = format!("exec \"$1\" {line}");
            let run = std::process::Command::new("sh")
                .args(["-c", &script, "sh"])
                .arg(Sandbox::built_binary())
                .env_clear()
                .envs(home.environment())
                .env("BACKLOG_AWS_QUIET", value)
                .current_dir(home.home())
                .stdin(std::process::Stdio::null())
                .output()
                .expect("sh is there");
            let text = String::from_utf8_lossy(&[run.stdout, run.stderr].concat()).into_owned();
            assert_eq!(
                run.status.code(),
                Some(code),
                "{usable} usable, quiet {value}, {command}: {text}"
            );
            assert_does(does, usable, &text, &format!("quiet {value}, {command}"));
        }
        let json = home.run(["status", "--json"]).json();
        assert_eq!(json["guess"], usable > 1);
        assert_eq!(json["usable"], usable > 0);
    }
}

scenario! {
    fn on_a_terminal_exec_asks_instead_of_guessing(shell) {
        for usable in [0, 1, 2] {
            let home = home(usable);
            let mut session = Session::builder(&home, shell).size(60, 300).allowing_secrets().spawn();
            for (_, command, code, [does, ..]) in TABLE.into_iter().filter(|row| row.0 == usable) {
                let text = match (command, does) {
                    // The first prompt is one at which something changed.
                    ("hook", _) => session.start_up().text.clone(),
                    (_, Asks) => {
                        session.send(format!("backlog-aws {command}"));
                        session.key(Key::Enter);
                        session.wait_for("? Profile for this command:");
                        session.key(Key::Esc);
                        let text = session.wait_prompt().text;
                        assert_eq!(session.status_of_last(), 1, "{command}");
                        assert!(!text.contains("used "), "{text}");
                        text
                    }
                    _ => {
                        let text = session.line(format!("backlog-aws {command}")).text;
                        assert_eq!(session.status_of_last(), code, "{usable} usable, {command}: {text}");
                        text
                    }
                };
                assert_does(does, usable, &text, &format!("terminal, {command}"));
            }
        }
    }
}
