//! From one shell into another: what a child, a pane or another user's shell inherits is never trusted over the files.

use std::ffi::OsStr;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::harness::{
    Key, Sandbox, Session, SessionBuilder, Shell, found, is_foreign, is_root, needed, scenario,
};

/// The documented home with two allowed overrides: `a` says bedrock and a region of its own, `b` says luxito.
fn home() -> Sandbox {
    let home = Sandbox::documented_home();
    home.allow("a", "profile = bedrock\nregion = ap-south-1\n");
    home.allow("b", "profile = luxito\n");
    home
}

fn builder(home: &Sandbox, shell: Shell) -> SessionBuilder<'_> {
    Session::builder(home, shell)
        .size(50, 300)
        .env("BACKLOG_AWS_QUIET", "1")
        // What some neighbours want a place for.
        .env("AWS_REGION", "eu-north-1")
}

/// What the documented home comes to without any directory's word.
#[track_caller]
fn assert_outside(session: &mut Session<'_>) {
    session.assert_exported("luxito", "us-west-2", "first");
}

/// Writes what the shell exports into `~/dump`, in a language that all three share.
const DUMP: &str = "env > ~/dump.part; mv ~/dump.part ~/dump";

#[track_caller]
fn dumped(home: &Sandbox, what: &str) -> Vec<String> {
    let file = home.path("dump");
    let deadline = Instant::now() + Duration::from_secs(20);
    while !file.exists() {
        assert!(Instant::now() < deadline, "{what}: nothing was dumped");
        sleep(Duration::from_millis(20));
    }
    let text = fs::read_to_string(&file).expect("it is there");
    fs::remove_file(&file).expect("it is ours");
    text.lines().map(str::to_owned).collect()
}

#[track_caller]
fn assert_dump(dump: &[String], profile: &str, source: &str, what: &str) {
    for line in [format!("BACKLOG_AWS_PROFILE={profile}"), format!("BACKLOG_AWS_SOURCE={source}")] {
        assert!(dump.contains(&line), "{what}: {line} is missing in {dump:#?}");
    }
    // The promise.
    let mut foreign: Vec<_> = dump.iter().filter(|line| is_foreign(OsStr::new(line))).collect();
    foreign.sort();
    assert_eq!(foreign, ["AWS_PROFILE=cc", "AWS_REGION=eu-north-1"], "{what}");
}

/// Start-up files for all three shells, without the marks of the harness.
fn write_start_up_files(home: &Sandbox) {
    for shell in Shell::ALL {
        home.write(shell.rc_file(), shell.integration_line("") + "\n");
    }
}

scenario! {
    fn a_child_shell_is_not_stuck_with_its_parents_directory(shell) {
        let home = home();
        let mut parent = Session::start(&home, shell);
        parent.cd(home.path("a"));
        let inherited = parent.ours();
        assert_eq!(inherited.len(), 4);
        for child in Shell::ALL {
            for (directory, profile, region, source) in [
                ("a", "bedrock", "ap-south-1", "directory"),
                ("b", "luxito", "us-west-2", "directory"),
                ("", "luxito", "us-west-2", "first"),
            ] {
                let builder = Session::builder(&home, child).cwd(home.path(directory));
                let mut session = builder.envs(&inherited).spawn();
                session.assert_exported(profile, region, source);
                session.cd(home.home());
                assert_outside(&mut session);
            }
        }
    }

    fn a_child_shell_restores_what_was_there_before_its_parent(shell) {
        let home = home();
        let mut parent = Session::builder(&home, shell).env("BACKLOG_AWS_REGION", "eu-south-1").spawn();
        parent.cd(home.path("a"));
        parent.assert_exported("bedrock", "ap-south-1", "directory");
        let inherited = parent.ours();
        let mut child = Session::builder(&home, shell).cwd(home.path("a")).envs(&inherited).spawn();
        child.assert_exported("bedrock", "ap-south-1", "directory");
        child.cd(home.home());
        child.assert_exported("luxito", "eu-south-1", "first");
    }

    /// A multiplexer's server that was started in `a` hands its panes all of it, or what some configuration lists.
    fn a_pane_that_inherits_all_or_half_of_another_shells_state_recomputes(shell) {
        let home = home();
        let mut other = Session::start(&home, shell);
        other.cd(home.path("a"));
        let inherited = other.ours();
        let [profile, region, source, state] =
            ["BACKLOG_AWS_PROFILE", "BACKLOG_AWS_REGION", "BACKLOG_AWS_SOURCE", "__BACKLOG_AWS_STATE"];
        for kept in [
            &[profile, region, source, state][..],
            &[profile, region, source],
            &[profile, source],
            &[state],
            &[source, state],
        ] {
            let kept = inherited.iter().filter(|(name, _)| kept.iter().any(|kept| *name == kept));
            let mut session = Session::builder(&home, shell).envs(kept).spawn();
            assert!(session.start_up().joined().contains("Auto-detected AWS profile: luxito, "));
            assert_outside(&mut session);
            // It was no pin, so nothing comes back.
            session.unset(profile);
            assert_outside(&mut session);
            session.cd(home.path("b"));
            session.assert_exported("luxito", "us-west-2", "directory");
        }
    }

    fn damaged_state_is_dropped_and_the_files_are_asked(shell) {
        let home = home();
        let mut session = Session::start(&home, shell);
        session.cd(home.path("a"));
        let state = session.var("__BACKLOG_AWS_STATE").unwrap().into_string().unwrap();
        let cut = state[..state.len() / 2].to_owned();
        let odd = ["", "1:", "garbage", "$(touch broken)", "2:\u{7f}:", "2:x:-~o:-~o:-~o:-~o:-~o:-~o:::0", "\u{1f600}\n'"];
        for damaged in odd.into_iter().chain([&*cut, &format!("{state}0")]) {
            session.export("__BACKLOG_AWS_STATE", damaged);
            session.assert_exported("bedrock", "ap-south-1", "directory");
            session.cd(home.path("b"));
            session.assert_exported("luxito", "us-west-2", "directory");
            session.cd(home.path("a"));
        }
        session.unset("__BACKLOG_AWS_STATE");
        session.cd(home.home());
        assert_outside(&mut session);
        assert!(!home.path("broken").exists());
    }

    fn a_shell_within_a_shell_ends_and_the_outer_one_is_as_it_was(shell) {
        let home = Sandbox::with_override();
        let mut session = builder(&home, shell).spawn();
        session.cd(home.path("acme"));
        let before = session.ours();
        session.line(shell.interactive(&home));
        session.assert_answer("bedrock", "directory");
        session.cd(home.path("plain"));
        session.export("BACKLOG_AWS_PROFILE", "cc");
        session.line("");
        session.line("exit");
        assert_eq!(session.ours(), before);
        // What runs a script and ends changes nothing either.
        session.line(format!("{} -c 'cd {}; true'", shell.name(), home.path("plain").display()));
        session.line("sh -c 'cd /; BACKLOG_AWS_PROFILE=luxito; export BACKLOG_AWS_PROFILE'");
        assert_eq!(session.ours(), before);
        session.cd(home.path("plain"));
        session.assert_answer("luxito", "first");
    }

    fn exec_of_another_shell_keeps_nothing_stale(shell) {
        for other in Shell::ALL {
            let home = Sandbox::with_override();
            let mut session = builder(&home, shell).env("AWS_PROFILE", "cc").spawn();
            session.cd(home.path("acme"));
            session.line("backlog-aws use luxito");
            session.line("backlog-aws use --clear");
            session.assert_answer("bedrock", "directory");
            write_start_up_files(&home);
            session.send(format!("exec {}", other.interactive(&home)));
            session.key(Key::Enter);
            session.send(format!("{DUMP}\r"));
            let what = format!("{shell:?} to {other:?}");
            assert_dump(&dumped(&home, &what), "bedrock", "directory", &what);
            session.send(format!("cd ..\r{DUMP}\r"));
            assert_dump(&dumped(&home, &what), "luxito", "first", &what);
            session.send("exit\r");
            session.wait_end();
        }
    }

    fn a_login_shell_as_ssh_starts_it_has_the_answer(shell) {
        let home = Sandbox::with_override();
        let mut session = builder(&home, shell).login().spawn();
        session.assert_directory_comes_and_goes();
    }

    fn a_tmux_pane_inherits_from_its_server_and_works_out_its_own(shell) {
        let tmux = needed("tmux");
        let home = Sandbox::with_override();
        // What tmux starts commands with.
        let mut session = builder(&home, shell).env("AWS_PROFILE", "cc").env("SHELL", "/bin/sh").spawn();
        // The server is started by a shell in `acme`, so its environment has that answer.
        session.cd(home.path("acme"));
        session.assert_answer("bedrock", "directory");
        write_start_up_files(&home);
        let socket = home.path("tmux.socket");
        // A newer client of an installed tmux may be of another terminal than this one.
        let tmux = format!("{} -S {} -f /dev/null", tmux.display(), socket.display());
        let pane = shell.interactive(&home);
        let turn = session.line(format!("{tmux} new-session -d -x 200 -y 50 -c {} '{pane}'", home.path("plain").display()));
        assert_eq!(turn.text, "");
        session.line(format!("{tmux} send-keys '{DUMP}' Enter"));
        assert_dump(&dumped(&home, "the first pane"), "luxito", "first", "the first pane");
        // And a pane that comes later, in a directory of its own.
        session.cd(home.path("plain"));
        session.line(format!("{tmux} split-window -c {} '{pane}'", home.path("acme/deep").display()));
        session.line(format!("{tmux} send-keys '{DUMP}' Enter"));
        assert_dump(&dumped(&home, "the second pane"), "bedrock", "directory", "the second pane");
        session.line(format!("{tmux} send-keys 'cd {}; {DUMP}' Enter", home.path("plain").display()));
        dumped(&home, "the second pane before its prompt");
        session.line(format!("{tmux} send-keys '{DUMP}' Enter"));
        assert_dump(&dumped(&home, "the second pane"), "luxito", "first", "the second pane");
        session.line(format!("{tmux} kill-server"));
        session.assert_answer("luxito", "first");
    }

    fn another_users_shell_takes_the_word_of_that_users_files(shell) {
        let home = Sandbox::with_override();
        // The other user has a static default, and no override is allowed there.
        let other = Sandbox::documented_home();
        let theirs = fs::read_to_string(other.path(".aws/credentials")).expect("it is there");
        other.write(".aws/credentials", theirs.replace("[luxito]", "[default]"));
        fs::set_permissions(other.path(".aws/credentials"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("it is ours");
        other.user_changed_files();
        write_start_up_files(&other);
        let mut session = builder(&home, shell).env("AWS_PROFILE", "cc").spawn();
        session.cd(home.path("acme"));
        session.assert_answer("bedrock", "directory");
        let there = shell.interactive(&other);
        // And the search path, which `sudo` replaces by a safe one.
        let path = other.binary_on_path();
        let path = path.parent().expect("it is in a directory").display();
        let change = format!("HOME={} USER=other LOGNAME=other PATH={path}:/usr/bin:/bin", other.home().display());
        // `su` and `sudo -E` keep the environment but for these. The home is given by hand, because that of a real user
        // is no place for tests.
        let mut ways = vec![format!("env {change} {there}")];
        if is_root() {
            if found("su").is_some() {
                ways.push(format!("su -s /bin/sh -c \"exec env {change} {there}\" root"));
            }
            if found("sudo").is_some() {
                ways.push(format!("sudo -E env {change} {there}"));
            }
        }
        for way in &ways {
            session.send(format!("{way}\r{DUMP}\r"));
            let dump = dumped(&other, way);
            assert_dump(&dump, "default", "default", way);
            session.send("exit\r");
            session.wait_prompt();
            // Prompts of the other shell have no marks, so this is ours.
            session.assert_answer("bedrock", "directory");
        }
        // `su -` and `sudo -i` keep nothing but the terminal.
        let way = format!(
            "env -i TERM=$TERM AWS_PROFILE=cc AWS_REGION=eu-north-1 {change} {there}"
        );
        session.send(format!("{way}\r{DUMP}\r"));
        assert_dump(&dumped(&other, &way), "default", "default", &way);
        session.send("exit\r");
        session.wait_prompt();
        session.assert_answer("bedrock", "directory");
        other.assert_guarded_files_untouched();
    }
}
