//! Jobs, keys and signals around the hook.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::harness::{Key, Sandbox, Session, SessionBuilder, Shell, scenario};

fn builder(home: &Sandbox, shell: Shell) -> SessionBuilder<'_> {
    Session::builder(home, shell)
        .size(50, 300)
        .env("BACKLOG_AWS_QUIET", "1")
        // What some neighbours want a place for.
        .env("AWS_REGION", "eu-north-1")
}

scenario! {
    fn the_hook_reads_nothing_that_was_typed_ahead(shell) {
        let home = Sandbox::documented_home();
        home.wrap_hook("sleep 0.3");
        let mut session = builder(&home, shell).spawn();
        session.send(format!("{}\rsh -c 'echo typed-$((40+2))'\r", session.shell().export("BACKLOG_AWS_PROFILE", "bedrock")));
        session.wait_until("the second prompt", |screen| screen.ends_with("typed-42\n$"));
        session.wait_prompt();
        assert_eq!(session.source(), "pin");
    }

    /// One is enough, also after a `cd`, for which zsh and fish run the hook twice; and the next prompt asks.
    fn ctrl_c_during_the_hook_gives_a_prompt_and_harms_nothing(shell) {
        let home = Sandbox::with_override();
        home.wrap_hook("echo >> ~/runs; [ ! -e ~/slow ] || { echo hooked >&2; sleep 30; }");
        for (command, source) in [(shell.export("BACKLOG_AWS_PROFILE", "bedrock"), "pin"), ("cd ~/acme".to_owned(), "directory")] {
            let mut session = builder(&home, shell).spawn();
            home.write("slow", "");
            home.write("runs", "");
            session.send(command);
            session.key(Key::Enter);
            session.wait_for("hooked");
            session.key(Key::CtrlC);
            session.wait_prompt();
            assert_eq!(fs::read(home.path("runs")).expect("it is there").len(), 1, "the hook ran again");
            home.remove("slow");
            assert_eq!(session.line("echo still here").text, "still here");
            session.assert_answer("bedrock", source);
            session.line("sh -c 'exit 3'");
            assert_eq!(session.status_of_last(), 3);
        }
    }

    fn jobs_in_the_background_and_stopped_ones_are_the_users(shell) {
        let home = Sandbox::with_override();
        let mut session = builder(&home, shell).spawn();
        session.line("sleep 300 &");
        session.cd(home.path("acme"));
        session.assert_answer("bedrock", "directory");
        let jobs = session.line("jobs").text;
        assert_eq!(jobs.matches("sleep").count(), 1, "{jobs}");
        session.send("sleep 301\r");
        wait_for_child(session.pid(), "sleep", 2);
        session.key(Key::CtrlZ);
        session.wait_prompt();
        session.cd(home.path("plain"));
        session.assert_answer("luxito", "first");
        let jobs = session.line("jobs").text;
        assert_eq!(jobs.matches("sleep").count(), 2, "{jobs}");
        session.send("fg\r");
        session.wait_until("the job in front", |screen| {
            screen.lines().rev().take(3).any(|line| line.contains("sleep 301"))
        });
        sleep(Duration::from_millis(300));
        session.interrupt();
        let jobs = session.line("jobs").text;
        assert_eq!(jobs.matches("sleep").count(), 1, "{jobs}");
        session.line("kill %1");
        // bash tells of the end of the job at the prompt after it.
        session.cd(home.path("acme"));
        session.assert_directory_comes_and_goes();
    }

    fn ctrl_z_during_the_hook_harms_nothing(shell) {
        let home = Sandbox::with_override();
        home.wrap_hook("[ ! -e ~/slow ] || { echo hooked >&2; sleep 1; }");
        let mut session = builder(&home, shell).spawn();
        home.write("slow", "");
        session.send(session.shell().export("BACKLOG_AWS_PROFILE", "bedrock"));
        session.key(Key::Enter);
        session.wait_for("hooked");
        home.remove("slow");
        session.key(Key::CtrlZ);
        session.wait_prompt();
        assert_eq!(session.line("echo still here").text, "still here");
        session.assert_answer("bedrock", "pin");
        let jobs = session.line("jobs").text;
        assert!(!jobs.contains("backlog"), "{jobs}");
    }

    fn a_storm_of_signals_during_the_hook_changes_nothing(shell) {
        let home = Sandbox::with_override();
        home.wrap_hook("for i in {1..40}; do kill -WINCH $PPID $$; kill -CHLD $PPID $$; done");
        let mut session = builder(&home, shell).spawn();
        for size in [40, 30] {
            session.resize(size, 200);
            session.assert_directory_comes_and_goes();
        }
    }
}

/// Waits until `count` children of a process have this name; where the system has no /proc, a moment.
fn wait_for_child(parent: u32, name: &str, count: usize) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        let Ok(listing) = fs::read_dir("/proc") else {
            sleep(Duration::from_millis(500));
            return;
        };
        let running = listing
            .flatten()
            .filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok())
            .filter(|stat| {
                let Some((head, tail)) = stat.rsplit_once(") ") else {
                    return false;
                };
                head.ends_with(&format!("({name}"))
                    && tail.split(' ').nth(1) == Some(parent.to_string().as_str())
            })
            .count();
        if running >= count {
            return;
        }
        sleep(Duration::from_millis(20));
    }
    panic!("{count} children called {name} never ran");
}
