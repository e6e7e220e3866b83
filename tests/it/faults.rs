//! Things that fail around us: places that are not there, processes that are killed, clocks, full tables, other
//! processes. The shell stays usable, and nothing is half applied. A full disk, a read-only one and kills in the middle
//! of a decision are in `trust.rs`, signals in a storm and keys during the hook in `jobs.rs` and `hygiene.rs`.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use crate::harness::{Sandbox, Session, SessionBuilder, Shell, assert_plain, scenario};

fn builder(home: &Sandbox, shell: Shell) -> SessionBuilder<'_> {
    Session::builder(home, shell).size(50, 300).env("BACKLOG_AWS_QUIET", "1")
}

/// Profile and source in a file that `env` wrote.
#[track_caller]
fn answer_in(file: &Path) -> (String, String) {
    let text = fs::read_to_string(file).expect("the shell came that far");
    let get = |name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name));
        value.unwrap_or_default().to_owned()
    };
    (get("BACKLOG_AWS_PROFILE="), get("BACKLOG_AWS_SOURCE="))
}

// Places that are not there.

scenario! {
    fn without_a_place_for_stamps_each_prompt_asks_and_nothing_is_said(shell) {
        let home = Sandbox::with_override();
        home.write("file", "");
        // Below a file, and where even root may not write.
        for place in [home.path("file/deeper"), "/proc/cache".into()] {
            let mut session = builder(&home, shell).env("XDG_CACHE_HOME", &place).spawn();
            session.assert_directory_comes_and_goes();
            assert_eq!(session.line("").text, "");
        }
    }

    fn without_a_place_for_trust_no_override_counts_and_nothing_breaks(shell) {
        let home = Sandbox::with_override();
        home.write("file", "");
        for place in [home.path("file/deeper"), home.path("nowhere"), "/proc/data".into()] {
            let mut session = builder(&home, shell).env("XDG_DATA_HOME", &place).spawn();
            session.cd(home.path("acme"));
            session.assert_answer("luxito", "first");
            if !place.ends_with("nowhere") {
                let told = session.line("backlog-aws allow").text;
                assert_plain(&told);
                assert!(told.contains("cannot be kept") && told.contains("nothing was changed"), "{}: {told}", place.display());
                assert_eq!(session.line("").text, "");
                session.assert_answer("luxito", "first");
            }
            session.cd(home.path("plain"));
            session.assert_answer("luxito", "first");
        }
    }

    fn a_home_that_goes_bad_and_good_again_costs_nothing_but_the_answer(shell) {
        let home = Sandbox::with_override();
        // So that nothing of the real home counts where the system knows one without the variable.
        let mut session = builder(&home, shell)
            .env("XDG_CACHE_HOME", home.path("cache"))
            .env("XDG_DATA_HOME", home.path(".local/share"))
            .env("AWS_SHARED_CREDENTIALS_FILE", home.path(".aws/credentials"))
            .env("AWS_CONFIG_FILE", home.path(".aws/config"))
            .spawn();
        session.cd(home.path("plain"));
        let good = home.home();
        for bad in ["", "relative", "/nowhere/at/all", "/dev/null"] {
            assert_eq!(session.export("HOME", bad).text, "", "{bad}");
            assert_eq!(session.line("sh -c 'exit 3'").text, "", "{bad}");
            assert_eq!(session.status_of_last(), 3);
            assert_eq!(session.export("HOME", &good).text, "", "{bad}");
            session.assert_answer("luxito", "first");
        }
        assert_eq!(session.unset("HOME").text, "");
        assert_eq!(session.line("sh -c 'exit 3'").text, "");
        assert_eq!(session.status_of_last(), 3);
        assert_eq!(session.export("HOME", &good).text, "");
        session.assert_directory_comes_and_goes();
        assert!(!home.path("plain/relative").exists());
    }

    fn no_place_for_temporary_files_is_needed(shell) {
        let home = Sandbox::with_override();
        let mut session = builder(&home, shell).env("TMPDIR", "/nowhere/at/all").spawn();
        // fish itself wants one.
        assert!(shell == Shell::Fish || session.start_up().text.is_empty(), "{}", session.start_up().text);
        session.assert_directory_comes_and_goes();
        session.line("backlog-aws use bedrock");
        session.assert_answer("bedrock", "pin");
        session.line("backlog-aws use --clear");
        assert_eq!(session.line("cd ~/acme && backlog-aws local luxito > /dev/null; cd ~/plain").text, "");
    }
}

#[test]
fn commands_need_no_place_for_temporary_files_and_the_demo_says_that_it_does() {
    let home = Sandbox::with_override();
    for words in [
        &["status"][..],
        &["list"],
        &["allow"],
        &["hook", "bash", "1.1", "stamps"],
        &["exec", "--", "true"],
    ] {
        let run = home.invoke(words).env("TMPDIR", "/nowhere/at/all").cwd(home.path("acme"));
        run.run().expect_code(0);
    }
    let demo = home.invoke(["demo"]).env("TMPDIR", "/nowhere/at/all").run().expect_code(1);
    assert_plain(demo.err());
    assert_eq!(demo.err().lines().count(), 1, "{}", demo.err());
}

#[test]
fn a_home_that_the_environment_does_not_name_is_no_obstacle() {
    let home = Sandbox::with_override();
    for words in [
        &["status"][..],
        &["status", "--json"],
        &["list"],
        &["doctor"],
        &["hook", "bash", "1.1", "stamps"],
        &["exec", "--", "true"],
    ] {
        let script = "unset HOME; exec env XDG_CACHE_HOME=$PWD/cache XDG_DATA_HOME=$PWD/data \
                      AWS_SHARED_CREDENTIALS_FILE=$PWD/.aws/credentials AWS_CONFIG_FILE=$PWD/.aws/config \"$@\"";
        let output = home.invoke(words).script(script).run();
        assert_eq!(output.code, Some(0), "{words:?}: {output:?}");
        assert_plain(output.err());
    }
}

// Killed, or cut off.

scenario! {
    /// The hook's answer is evaluated as a whole or not at all: what was written before the process died is no answer,
    /// wherever it was cut.
    fn half_an_answer_of_a_killed_hook_is_not_evaluated(shell) {
        let home = Sandbox::with_override();
        let binary = Sandbox::built_binary().display();
        // `cut` says after how many bytes and how it ends.
        home.replace_binary(&format!(
            "#!/usr/bin/env bash\n\
             if [ \"$1\" = hook ] && [ -e ~/cut ]; then\n\
               read -r bytes signal < ~/cut\n\
               {binary} \"$@\" | head -c \"$bytes\"\n\
               echo >> ~/killed\n\
               kill -\"$signal\" $$\n\
               sleep 5\n\
             fi\n\
             exec -a \"$0\" {binary} \"$@\"\n"
        ));
        let mut session = builder(&home, shell).spawn();
        session.cd(home.path("plain"));
        session.assert_answer("luxito", "first");
        let before = session.ours();
        for (bytes, signal) in [("1", "KILL"), ("31", "KILL"), ("60", "TERM"), ("90", "KILL"), ("200", "PIPE"), ("1000000", "KILL")] {
            home.write("cut", format!("{bytes} {signal}\n"));
            home.write("killed", "");
            session.cd(home.path("acme"));
            assert_eq!(session.ours(), before, "{bytes} {signal}");
            let killed = fs::read(home.path("killed")).expect("it is there").len();
            assert!(killed >= 1, "the hook was not run");
            session.line("sh -c 'exit 3'");
            assert_eq!(session.status_of_last(), 3);
            home.remove("cut");
            session.line("");
            session.assert_answer("bedrock", "directory");
            session.cd(home.path("plain"));
            session.assert_answer("luxito", "first");
            // Only the memory may differ, by what was said.
            session.assert_exported("luxito", "us-west-2", "first");
        }
    }

    /// The same for `use`, whose failure is the user's to see.
    fn half_an_answer_of_a_killed_use_is_not_evaluated(shell) {
        let home = Sandbox::with_override();
        let binary = Sandbox::built_binary().display();
        home.replace_binary(&format!(
            "#!/usr/bin/env bash\n\
             if [ \"$1\" = use ]; then {binary} \"$@\" | head -c 70; kill -KILL $$; fi\n\
             exec -a \"$0\" {binary} \"$@\"\n"
        ));
        let mut session = builder(&home, shell).spawn();
        let before = session.ours();
        session.line("backlog-aws use bedrock 2> /dev/null");
        assert_eq!(session.status_of_last(), 137);
        assert_eq!(session.ours(), before);
        session.assert_directory_comes_and_goes();
    }
}

// Clocks.

scenario! {
    fn files_from_the_future_are_settled_and_their_changes_are_seen(shell) {
        let home = Sandbox::with_override();
        home.wrap_hook("echo >> ~/runs");
        // As after a clock that was set back by two days.
        let future = SystemTime::now() + Duration::from_hours(48);
        let files = [home.path(".aws/credentials"), home.path(".aws/config"), home.path("acme/.backlog-aws")];
        for path in files.iter().map(PathBuf::as_path).chain([home.path(".aws").as_path()]) {
            let file = fs::File::open(path).expect("it is there");
            file.set_modified(future).expect("it is ours");
        }
        home.user_changed_files();
        let mut session = builder(&home, shell).cwd(home.path("acme")).spawn();
        session.assert_answer("bedrock", "directory");
        // A file's change time cannot be set, and zsh looks at it; and an old bash waits for a second. Wait until all that
        // is settled too.
        session.settle_hook();
        home.write("runs", "");
        for _ in 0..3 {
            session.line("");
        }
        assert_eq!(fs::read(home.path("runs")).expect("it is there").len(), 0, "nothing changed");
        // The new one is older than what it replaces.
        let credentials = fs::read_to_string(home.path(".aws/credentials")).expect("it is there");
        home.write(".aws/credentials", credentials.replace("eu-west-1", "ap-east-1"));
        session.line("");
        assert_eq!(session.var("BACKLOG_AWS_REGION").as_deref(), Some(OsStr::new("ap-east-1")));
    }
}

#[test]
fn times_before_the_epoch_and_far_ahead_are_times_like_any_other() {
    let home = Sandbox::with_override();
    let file = fs::File::open(home.path(".aws/credentials")).expect("it is there");
    for time in [
        SystemTime::UNIX_EPOCH - Duration::from_millis(86_400_500),
        SystemTime::UNIX_EPOCH,
        SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 33),
    ] {
        if file.set_modified(time).is_err() {
            // Not every file system can say it.
            continue;
        }
        home.user_changed_files();
        for shell in ["bash", "zsh", "fish"] {
            let output = home.run(["hook", shell, "1.1", "stamps"]).expect_code(0);
            assert!(output.out().contains("luxito"), "{}", output.out());
            assert_plain(output.err());
        }
    }
}

// Sizes.

#[test]
fn ten_thousand_variables_and_large_ones_are_no_obstacle() {
    let home = Sandbox::with_override();
    let large = "x".repeat(100_000);
    for words in [
        &["status", "--json"][..],
        &["hook", "bash", "1.1", "stamps"],
        &["doctor"],
        &["exec", "--", "sh", "-c", "echo $BACKLOG_AWS_PROFILE ${#LARGE_3}"],
    ] {
        let mut run = home.invoke(words);
        for number in 0..10_000 {
            run = run.env(format!("VARIABLE_{number}"), "value");
        }
        for number in 0..8 {
            run = run.env(format!("LARGE_{number}"), &large);
        }
        let started = std::time::Instant::now();
        let output = run.run().expect_code(0);
        assert!(output.out().contains("luxito"), "{words:?}: {}", output.out());
        if words[0] == "exec" {
            assert_eq!(output.out(), "luxito 100000\n");
        }
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "{words:?} took {:?}",
            started.elapsed()
        );
    }
}

/// With an environment just small enough for us to start in, there is no room for what the command is given.
#[test]
fn a_command_whose_environment_has_no_room_is_refused_with_the_reason() {
    let home = Sandbox::with_override();
    let run = |filler: usize, words: &[&str]| {
        let mut command = home.command(Sandbox::built_binary());
        command.args(words);
        for number in 0..filler / 100_000 {
            command.env(format!("F{number}"), "x".repeat(100_000));
        }
        command.env("REST", "x".repeat(filler % 100_000)).output()
    };
    let (mut fits, mut too_much) = (0, 16_000_000);
    let words = ["exec", "--", "true"];
    while too_much - fits > 20 {
        let middle = usize::midpoint(fits, too_much);
        if run(middle, &words).is_ok() {
            fits = middle;
        } else {
            too_much = middle;
        }
    }
    let output = run(fits, &words).expect("it fits");
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().last().unwrap_or_default();
    assert_eq!(output.status.code(), Some(126), "{said}");
    assert!(
        last.starts_with("backlog-aws: true cannot be run: argument list too long; "),
        "{said}"
    );
    assert!(last.contains("fewer arguments"), "{said}");
    assert_plain(&said);
    assert_eq!(run(fits - 20_000, &words).expect("it fits").status.code(), Some(0));
}

scenario! {
    /// A variable of that size keeps the system from starting anything, and the shell says so itself.
    fn a_megabyte_in_the_environment_ends_with_the_variable(shell) {
        let home = Sandbox::with_override();
        let mut session = builder(&home, shell).spawn();
        session.cd(home.path("plain"));
        let set = match shell {
            Shell::Nu => unreachable!(),
            Shell::Fish => "set -gx HUGE (string repeat -n 1000000 x)",
            Shell::Bash => "printf -v HUGE '%01000000d' 1; export HUGE",
            Shell::Zsh => "export HUGE=${(l:1000000::x:)}",
        };
        session.line(set);
        let turn = session.cd(home.path("acme"));
        assert_plain(&turn.text);
        session.line("true");
        assert_eq!(session.line("cd / && echo usable; cd ~/acme").text.lines().filter(|line| *line == "usable").count(), 1);
        session.unset("HUGE");
        session.assert_answer("bedrock", "directory");
        session.cd(home.path("plain"));
        session.assert_answer("luxito", "first");
    }
}

// Many at once.

#[test]
fn two_hundred_shells_at_once_share_stamps_and_trust_without_damage() {
    const SHELLS: usize = 200;
    const DIRECTORIES: usize = 20;
    let profile_of = |directory: usize| ["bedrock", "luxito"][directory % 2];
    let home = Sandbox::with_override();
    for number in 0..DIRECTORIES {
        home.write(
            format!("many/{number}/.backlog-aws"),
            format!("profile = {}\n", profile_of(number)),
        );
    }
    home.mkdir("answers");
    // Each allows its directory, then has two prompts: in there, and at home.
    let children: Vec<_> = (0..SHELLS)
        .map(|number| {
            let shell = match number % 10 {
                0 => Shell::Fish,
                1 | 2 => Shell::Zsh,
                _ => Shell::Bash,
            };
            let prompt = shell.prompt();
            let script = format!(
                "{}; cd many/{}; backlog-aws allow > /dev/null; {prompt}; env > ~/answers/{number}.in; \
                 cd ~; {prompt}; env > ~/answers/{number}.out",
                shell.integration_line(""),
                number % DIRECTORIES,
            );
            shell
                .script(&home, script)
                .env("BACKLOG_AWS_QUIET", "1")
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("the shell starts")
        })
        .collect();
    for (number, child) in children.into_iter().enumerate() {
        let output = child.wait_with_output().expect("a child can be waited for");
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8_lossy(&told);
        // That another account pays is said also to those who want quiet.
        let guess = |line: &str| line.starts_with("backlog-aws: Auto-detected AWS profile: luxito");
        assert!(told.lines().all(guess), "shell {number}: {told}");
        let answer = |when: &str| answer_in(&home.path(format!("answers/{number}.{when}")));
        let words = |profile: &str, source: &str| (profile.to_owned(), source.to_owned());
        let profile = profile_of(number % DIRECTORIES);
        assert_eq!(answer("in"), words(profile, "directory"), "shell {number}");
        assert_eq!(answer("out"), words("luxito", "first"), "shell {number}");
    }
    let names: Vec<_> = fs::read_dir(home.path(".local/share/backlog-aws/trust"))
        .expect("the store is there")
        .map(|entry| entry.expect("it can be listed").file_name())
        .collect();
    assert_eq!(names.len(), DIRECTORIES + 1, "{names:?}");
    assert!(names.iter().all(|name| !name.to_string_lossy().starts_with('.')), "{names:?}");
    for number in 0..DIRECTORIES {
        let output =
            home.invoke(["status", "--json"]).cwd(home.path(format!("many/{number}"))).run();
        assert_eq!(output.json()["source"], "directory");
    }
    home.assert_guarded_files_untouched();
}

// Other versions of ours.

scenario! {
    fn a_program_of_another_version_is_told_of_once(shell) {
        let home = Sandbox::with_override();
        let mut session = builder(&home, shell).spawn();
        // As if this shell's scripts were of the next version.
        let mut said = session.line(match shell {
            Shell::Bash => r#"eval "$(declare -f __backlog_aws_refresh | sed 's/precision" 3/precision" 4/')""#,
            Shell::Zsh => r#"eval "$(functions __backlog_aws_refresh | sed 's/precision 3/precision 4/')""#,
            Shell::Nu => unreachable!(),
            Shell::Fish => r"functions __backlog_aws_refresh | sed 's/precision 3/precision 4/' | source",
        }).text;
        // The prompt may have asked already, if the files were new.
        said += &session.cd(home.path("acme")).text;
        assert_eq!(said.matches("backlog-aws was upgraded, and the hook of this shell is too old for it").count(), 1, "{}: {said}", shell.name());
        assert_eq!(session.line("true").text, "");
        assert_eq!(session.cd(home.path("plain")).text, "");
        // An answer that nobody looks after is none.
        assert!(session.ours().is_empty());
        session.line("false");
        assert_eq!(session.status_of_last(), 1);
    }
}
