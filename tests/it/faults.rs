//! Things that fail around us: places that are not there, descriptors that are closed, signals, full tables, other
//! processes. Each gets a clear message or the silence that was designed, the shell stays usable, and nothing is half
//! applied. A full disk, a read-only one, kills in the middle of a decision and bad files are in `trust.rs` and
//! `bad_input.rs`; signals in a storm and keys during the hook in `neighbours.rs` and `hygiene.rs`.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::harness::{KEY_IDS, Output, SECRETS, Sandbox, Session, SessionBuilder, Shell, scenario};
use backlog_aws::fs::{Content, SourceFile};
use backlog_aws::world::World;

fn home() -> Sandbox {
    let home = Sandbox::documented_home();
    let file = home.write("acme/.backlog-aws", "profile = bedrock\n");
    home.mkdir("plain");
    home.invoke(["allow"]).cwd(file.parent().expect("it is in a directory")).run().expect_code(0);
    home
}

fn builder(home: &Sandbox, shell: Shell) -> SessionBuilder<'_> {
    Session::builder(home, shell).size(50, 300).env("BACKLOG_AWS_QUIET", "1")
}

const OURS: [&str; 4] =
    ["BACKLOG_AWS_PROFILE", "BACKLOG_AWS_REGION", "BACKLOG_AWS_SOURCE", "__BACKLOG_AWS_STATE"];

#[track_caller]
fn ours(session: &mut Session<'_>) -> BTreeMap<OsString, OsString> {
    let mut environment = session.env();
    environment.retain(|name, _| OURS.iter().any(|ours| name == ours));
    environment
}

#[track_caller]
fn assert_answer(session: &mut Session<'_>, profile: &str, source: &str) {
    let now = ours(session);
    let get = |name: &str| now.get(OsStr::new(name)).cloned();
    assert_eq!((get(OURS[0]), get(OURS[2])), (Some(profile.into()), Some(source.into())));
}

/// Into the directory of an override and out again, without a word.
#[track_caller]
fn assert_works(session: &mut Session<'_>, home: &Sandbox) {
    for _ in 0..2 {
        assert_eq!(session.cd(home.path("acme")).text, "");
        assert_answer(session, "bedrock", "directory");
        assert_eq!(session.cd(home.path("plain")).text, "");
        assert_answer(session, "luxito", "first");
    }
}

/// Runs the binary from a shell script, in which it is `"$@"`.
#[track_caller]
fn scripted(home: &Sandbox, script: &str, words: &[&str]) -> Output {
    let output = Command::new("/bin/sh")
        .args(["-c", script, "sh"])
        .arg(Sandbox::built_binary())
        .args(words)
        .env_clear()
        .envs(home.environment())
        .current_dir(home.home())
        .stdin(Stdio::null())
        .output()
        .expect("it starts");
    home.assert_guarded_files_untouched();
    Output { code: output.status.code(), stdout: output.stdout, stderr: output.stderr }
}

/// One line to people, and no traces of Rust.
#[track_caller]
fn assert_plain(text: &str) {
    for trace in ["panicked", "os error", "RUST_BACKTRACE"] {
        assert!(!text.contains(trace), "{text}");
    }
}

/// For a shell that runs a script, without the start-up files of the machine.
fn bare(shell: Shell) -> &'static [&'static str] {
    match shell {
        Shell::Bash => &["--norc", "--noprofile"],
        Shell::Zsh => &["-f"],
        Shell::Fish => &["--no-config"],
    }
}

/// What a script can do in place of a prompt.
fn prompt_of(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash | Shell::Zsh => "__backlog_aws_hook",
        Shell::Fish => "emit fish_prompt",
    }
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

/// Everything below a directory.
fn tree(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(tree(&path));
        }
        found.push(path);
    }
    found
}

// Places that are not there.

scenario! {
    fn without_a_place_for_stamps_each_prompt_asks_and_nothing_is_said(shell) {
        let home = home();
        home.write("file", "");
        // Below a file, below a device, and where even root may not write.
        for place in [home.path("file"), home.path("file/deeper"), "/dev/null/cache".into(), "/proc/cache".into()] {
            let mut session = builder(&home, shell).env("XDG_CACHE_HOME", &place).spawn();
            assert_works(&mut session, &home);
            assert_eq!(session.line("").text, "");
        }
    }

    fn without_a_place_for_trust_no_override_counts_and_nothing_breaks(shell) {
        let home = home();
        home.write("file", "");
        for place in [home.path("file"), home.path("file/deeper"), home.path("nowhere"), "/proc/data".into()] {
            let mut session = builder(&home, shell).env("XDG_DATA_HOME", &place).spawn();
            session.cd(home.path("acme"));
            assert_answer(&mut session, "luxito", "first");
            if !place.ends_with("nowhere") {
                let told = session.line("backlog-aws allow").text;
                assert_plain(&told);
                assert!(told.contains("cannot be kept") && told.contains("nothing was changed"), "{}: {told}", place.display());
                assert_eq!(session.line("").text, "");
                assert_answer(&mut session, "luxito", "first");
            }
            session.cd(home.path("plain"));
            assert_answer(&mut session, "luxito", "first");
        }
    }

    fn a_home_that_goes_bad_and_good_again_costs_nothing_but_the_answer(shell) {
        let home = home();
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
            assert_answer(&mut session, "luxito", "first");
        }
        assert_eq!(session.unset("HOME").text, "");
        assert_eq!(session.line("sh -c 'exit 3'").text, "");
        assert_eq!(session.status_of_last(), 3);
        assert_eq!(session.export("HOME", &good).text, "");
        assert_works(&mut session, &home);
        assert!(!home.path("plain/relative").exists());
    }

    fn no_place_for_temporary_files_is_needed(shell) {
        let home = home();
        let mut session = builder(&home, shell).env("TMPDIR", "/nowhere/at/all").spawn();
        // fish itself wants one.
        assert!(shell == Shell::Fish || session.start_up().text.is_empty(), "{}", session.start_up().text);
        assert_works(&mut session, &home);
        session.line("backlog-aws use bedrock");
        assert_answer(&mut session, "bedrock", "pin");
        session.line("backlog-aws use --clear");
        assert_eq!(session.line("cd ~/acme && backlog-aws local luxito > /dev/null; cd ~/plain").text, "");
    }
}

#[test]
fn commands_need_no_place_for_temporary_files_and_the_demo_says_that_it_does() {
    let home = home();
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
    let home = home();
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
        let output = scripted(&home, script, words);
        assert_eq!(output.code, Some(0), "{words:?}: {output:?}");
        assert_plain(output.err());
    }
}

// Descriptors.

#[test]
fn any_of_the_three_descriptors_may_be_closed() {
    let home = home();
    let answers: &[&[&str]] = &[
        &["hook", "bash", "1.1", "stamps"],
        &["hook", "fish", "1.1", "stamps"],
        &["status"],
        &["status", "--json"],
        &["init", "zsh"],
        &["init", "fish"],
        &["exec", "--", "sh", "-c", "exit 0"],
    ];
    for closed in ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"] {
        for words in answers {
            let whole = scripted(&home, "\"$@\"", words);
            let output = scripted(&home, &format!("\"$@\" {closed}"), words);
            assert_eq!(output.code, Some(0), "{words:?} {closed}: {output:?}");
            if !closed.contains("2>") {
                assert_plain(output.err());
            }
            // The first hook makes the stamps and may say more than the ones after it.
            if !closed.contains('>') && words[0] != "hook" {
                assert_eq!(output.out(), whole.out(), "{words:?} {closed}");
            }
        }
        // What is written must not end up in a file that got the number of a closed descriptor.
        home.write("other/.backlog-aws", "profile = luxito\n");
        let script = format!("cd other && \"$@\" {closed}");
        assert_eq!(scripted(&home, &script, &["deny"]).code, Some(0), "{closed}");
        assert_eq!(scripted(&home, &script, &["allow"]).code, Some(0), "{closed}");
        let output = scripted(&home, "cd other && \"$@\"", &["status", "--json"]);
        assert_eq!(output.json()["source"], "directory", "{closed}");
        for words in
            [&["exec", "--", "sh", "-c", "exit 7"][..], &["exec", "--profile", "cc", "--", "true"]]
        {
            let code = if words[1] == "--" { 7 } else { 1 };
            let output = scripted(&home, &format!("\"$@\" {closed}"), words);
            assert_eq!(output.code, Some(code), "{words:?} {closed}");
        }
    }
}

#[test]
fn a_reader_of_single_bytes_that_starts_late_gets_every_byte() {
    let home = home();
    let more = (0..1500).fold(String::new(), |text, number| {
        text + &format!("[profile more-{number}]\nregion = eu-west-1\n")
    });
    let config = fs::read_to_string(home.path(".aws/config")).expect("it is there");
    home.write(".aws/config", config + &more);
    // The list is larger than a pipe holds.
    for words in [
        &["list", "--json"][..],
        &["init", "bash"],
        &["status"],
        &["hook", "fish", "1.1", "directory"],
    ] {
        let whole = scripted(&home, "\"$@\"", words);
        let slow = scripted(
            &home,
            "{ \"$@\"; echo \"status $?\" >&2; } | { sleep 0.2; dd bs=1 2> /dev/null; }",
            words,
        );
        assert_eq!(whole.stdout, slow.stdout, "{words:?}");
        assert!(slow.err().ends_with("status 0\n"), "{}", slow.err());
    }
}

// Killed, or cut off.

scenario! {
    /// The hook's answer is evaluated as a whole or not at all: what was written before the process died is no answer,
    /// wherever it was cut.
    fn half_an_answer_of_a_killed_hook_is_not_evaluated(shell) {
        let home = home();
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
        assert_answer(&mut session, "luxito", "first");
        let before = ours(&mut session);
        for (bytes, signal) in [("1", "KILL"), ("31", "KILL"), ("60", "TERM"), ("90", "KILL"), ("200", "PIPE"), ("1000000", "KILL")] {
            home.write("cut", format!("{bytes} {signal}\n"));
            home.write("killed", "");
            session.cd(home.path("acme"));
            assert_eq!(ours(&mut session), before, "{bytes} {signal}");
            let killed = fs::read(home.path("killed")).expect("it is there").len();
            assert!(killed >= 1, "the hook was not run");
            session.line("sh -c 'exit 3'");
            assert_eq!(session.status_of_last(), 3);
            home.remove("cut");
            session.line("");
            assert_answer(&mut session, "bedrock", "directory");
            session.cd(home.path("plain"));
            assert_answer(&mut session, "luxito", "first");
            // Only the memory may differ, by what was said.
            let again = ours(&mut session);
            for name in &OURS[..3] {
                assert_eq!(again.get(OsStr::new(name)), before.get(OsStr::new(name)));
            }
        }
    }

    /// The same for `use`, whose failure is the user's to see.
    fn half_an_answer_of_a_killed_use_is_not_evaluated(shell) {
        let home = home();
        let binary = Sandbox::built_binary().display();
        home.replace_binary(&format!(
            "#!/usr/bin/env bash\n\
             if [ \"$1\" = use ]; then {binary} \"$@\" | head -c 70; kill -KILL $$; fi\n\
             exec -a \"$0\" {binary} \"$@\"\n"
        ));
        let mut session = builder(&home, shell).spawn();
        let before = ours(&mut session);
        session.line("backlog-aws use bedrock 2> /dev/null");
        assert_eq!(session.status_of_last(), 137);
        assert_eq!(ours(&mut session), before);
        assert_works(&mut session, &home);
    }
}

// Clocks.

scenario! {
    fn files_from_the_future_are_settled_and_their_changes_are_seen(shell) {
        let home = home();
        let binary = Sandbox::built_binary().display();
        home.replace_binary(&format!(
            "#!/usr/bin/env bash\nif [ \"$1\" = hook ]; then echo >> ~/runs; fi\nexec -a \"$0\" {binary} \"$@\"\n"
        ));
        // As after a clock that was set back by two days.
        let future = SystemTime::now() + Duration::from_hours(48);
        let files = [home.path(".aws/credentials"), home.path(".aws/config"), home.path("acme/.backlog-aws")];
        for path in files.iter().map(PathBuf::as_path).chain([home.path(".aws").as_path()]) {
            let file = fs::File::open(path).expect("it is there");
            file.set_modified(future).expect("it is ours");
        }
        home.user_changed_files();
        let mut session = builder(&home, shell).cwd(home.path("acme")).spawn();
        assert_answer(&mut session, "bedrock", "directory");
        // A file's change time cannot be set, and zsh looks at it: wait until it is settled too.
        std::thread::sleep(Duration::from_millis(60));
        session.line("");
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
    let home = home();
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
    let home = home();
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
    let home = home();
    let run = |filler: usize, words: &[&str]| {
        let mut command = Command::new(Sandbox::built_binary());
        command.args(words).env_clear().envs(home.environment());
        for number in 0..filler / 100_000 {
            command.env(format!("F{number}"), "x".repeat(100_000));
        }
        command.env("REST", "x".repeat(filler % 100_000)).stdin(Stdio::null()).output()
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
        let home = home();
        let mut session = builder(&home, shell).spawn();
        session.cd(home.path("plain"));
        let set = match shell {
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
        assert_answer(&mut session, "bedrock", "directory");
        session.cd(home.path("plain"));
        assert_answer(&mut session, "luxito", "first");
    }
}

// Many at once.

#[test]
fn two_hundred_shells_at_once_share_stamps_and_trust_without_damage() {
    const SHELLS: usize = 200;
    const DIRECTORIES: usize = 20;
    let profile_of = |directory: usize| ["bedrock", "luxito"][directory % 2];
    let home = home();
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
            let prompt = prompt_of(shell);
            let script = format!(
                "{}; cd many/{}; backlog-aws allow > /dev/null; {prompt}; env > ~/answers/{number}.in; \
                 cd ~; {prompt}; env > ~/answers/{number}.out",
                shell.integration_line(""),
                number % DIRECTORIES,
            );
            Command::new(shell.path())
                .args(bare(shell))
                .args(["-c", &script])
                .env_clear()
                .envs(home.environment())
                .env("BACKLOG_AWS_QUIET", "1")
                .current_dir(home.home())
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("the shell starts")
        })
        .collect();
    for (number, child) in children.into_iter().enumerate() {
        let output = child.wait_with_output().expect("a child can be waited for");
        assert_eq!(
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat()),
            "",
            "shell {number}"
        );
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

// What the kernel may do to a system call. Only Linux has strace; there it must be installed, like the shells.

#[cfg(target_os = "linux")]
#[track_caller]
fn with_fault(home: &Sandbox, directory: &str, inject: &[&str], words: &[&str]) -> Output {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "/dev/null"]);
    for inject in inject {
        command.args(["-e", inject]);
    }
    let output = command
        .arg(Sandbox::built_binary())
        .args(words)
        .env_clear()
        .envs(home.environment())
        .current_dir(home.path(directory))
        .stdin(Stdio::null())
        .output()
        .expect("strace must be installed; `tests/run` does that");
    Output { code: output.status.code(), stdout: output.stdout, stderr: output.stderr }
}

#[cfg(target_os = "linux")]
#[test]
fn interrupted_system_calls_are_made_again() {
    let home = home();
    for words in [&["status", "--json"][..], &["list"], &["hook", "bash", "1.1", "directory"]] {
        let whole = home.invoke(words).cwd(home.path("acme")).run();
        // Every other one, the first included, and only on our own files: the loader gives up on an interrupted read.
        for file in [".aws/credentials", ".aws/config", "acme/.backlog-aws"] {
            let mut command = Command::new("strace");
            let output = command
                .args(["-f", "-qq", "-o", "/dev/null", "-P"])
                .arg(home.path(file))
                .args(["-e", "inject=read,openat:error=EINTR:when=1+2"])
                .arg(Sandbox::built_binary())
                .args(words)
                .env_clear()
                .envs(home.environment())
                .current_dir(home.path("acme"))
                .stdin(Stdio::null())
                .output()
                .expect("strace must be installed; `tests/run` does that");
            assert_eq!(output.status.code(), Some(0), "{words:?} {file}: {output:?}");
            assert_eq!(output.stdout, whole.stdout, "{words:?} {file}");
            assert_eq!(output.stderr, whole.stderr, "{words:?} {file}");
        }
        let output = with_fault(&home, "acme", &["inject=write:error=EINTR:when=1+2"], words);
        assert_eq!(output.code, Some(0), "{words:?}: {output:?}");
        assert_eq!(output.stdout, whole.stdout, "{words:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fails_at_the_last_moment_leaves_everything_as_it_was() {
    let home = home();
    let before: Vec<_> = tree(&home.home());
    let content = |path: &str| fs::read(home.path(path)).expect("it is there");
    for (calls, error) in [
        ("fsync", "EIO"),
        ("fsync", "EDQUOT"),
        ("rename,renameat,renameat2", "EIO"),
        ("rename,renameat,renameat2", "ENOSPC"),
    ] {
        let inject = format!("inject={calls}:error={error}");
        for words in [&["allow", "--under", "."][..], &["deny"], &["local", "luxito"]] {
            let output = with_fault(&home, "acme", &[&inject], words);
            assert_eq!(output.code, Some(1), "{inject} {words:?}: {output:?}");
            assert_plain(output.err());
            assert_eq!(output.err().lines().count(), 1, "{}", output.err());
            assert!(output.err().contains("nothing was changed"), "{}", output.err());
            assert_eq!(tree(&home.home()), before, "{inject} {words:?}: something is left");
            assert_eq!(content("acme/.backlog-aws"), b"profile = bedrock\n");
        }
    }
    let status = home.invoke(["status", "--json"]).cwd(home.path("acme")).run();
    assert_eq!(status.json()["source"], "directory");
}

/// Where each look at a file costs a round trip, this is what an unchanged prompt costs: one look per level for the
/// override, and a handful for the files of AWS and the toolkit, their directories and stamps.
#[cfg(target_os = "linux")]
#[test]
fn an_unchanged_prompt_looks_at_each_file_a_bounded_number_of_times() {
    const PROMPTS: usize = 20;
    let home = home();
    // Old enough not to be looked at again for being new.
    std::thread::sleep(Duration::from_millis(60));
    for shell in Shell::ALL {
        for levels in [0, 6] {
            let mut directory = home.path("plain");
            for level in 0..levels {
                directory.push(level.to_string());
            }
            fs::create_dir_all(&directory).expect("the home is writable");
            let count = |prompts: usize| {
                let prompt = format!("{}\n", prompt_of(shell));
                let script = format!(
                    "{}\n{}{}",
                    shell.integration_line(""),
                    prompt.repeat(2),
                    prompt.repeat(prompts)
                );
                let log = home.path("trace");
                let status = Command::new("strace")
                    .args(["-qq", "-e", "trace=%file,%process", "-o"])
                    .arg(&log)
                    .arg(shell.path())
                    .args(bare(shell))
                    .args(["-c", &script])
                    .env_clear()
                    .envs(home.environment())
                    .env("BACKLOG_AWS_QUIET", "1")
                    .current_dir(&directory)
                    .stdin(Stdio::null())
                    .stderr(Stdio::null())
                    .status()
                    .expect("strace must be installed; `tests/run` does that");
                assert!(status.success());
                fs::read_to_string(&log).expect("it was written").lines().count()
            };
            count(1);
            let per_prompt = (count(PROMPTS) - count(0)).div_ceil(PROMPTS);
            let depth = directory.canonicalize().expect("it is there").ancestors().count();
            assert!(
                per_prompt <= depth + 20,
                "{}: {per_prompt} looks at a prompt on level {depth}",
                shell.name()
            );
        }
    }
}

// Secrets.

/// A home in which secrets stand wherever they may stand, and in places where they are a mistake.
fn full_of_secrets() -> Sandbox {
    let home = Sandbox::documented_home();
    let credentials = fs::read_to_string(home.path(".aws/credentials")).expect("it is there");
    home.write(
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
    let private = fs::Permissions::from_mode(0o600);
    fs::set_permissions(home.path(".aws/credentials"), private).expect("the file is our own");
    home.user_changed_files();
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

const COMMANDS: [&[&str]; 24] = [
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
        let output = scripted(&home, script, words);
        assert_eq!(output.code, Some(0), "{words:?}: {output:?}");
    }
    let mut files = 0;
    for place in [".local/share/backlog-aws", ".cache/backlog-aws"] {
        for path in tree(&home.path(place)).into_iter().chain([home.path(place)]) {
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

/// With `sudo -E` root's shell has the home of somebody else, and what it made there would be in the owner's way.
#[test]
fn root_makes_nothing_in_anothers_home() {
    const NOBODY: u32 = 65534;
    let home = Sandbox::documented_home();
    let is_root = fs::metadata(home.home()).expect("it is there").uid() == 0;
    if !is_root || std::os::unix::fs::chown(home.home(), Some(NOBODY), Some(NOBODY)).is_err() {
        // Straight to standard error, so that it is seen without `--nocapture`.
        let told = b"root_makes_nothing_in_anothers_home: not root, so there is nothing to try\n";
        std::io::stderr().write_all(told).expect("standard error is open");
        return;
    }
    std::thread::sleep(Duration::from_millis(60));
    let output = home.run(["hook", "bash", "1.1", "stamps"]).expect_code(0);
    assert!(output.out().contains("luxito"), "{}", output.out());
    assert!(!home.path(".cache").exists());
    // Where root is at home, it is anybody.
    std::os::unix::fs::chown(home.home(), Some(0), Some(0)).expect("root may");
    home.run(["hook", "bash", "1.1", "stamps"]).expect_code(0);
    assert!(home.path(".cache/backlog-aws").exists());
}

/// What every process was called with, as the kernel saw it.
#[cfg(target_os = "linux")]
#[test]
fn no_process_that_we_start_has_a_secret_in_its_arguments() {
    let home = full_of_secrets();
    let log = home.path("trace");
    for shell in Shell::ALL {
        let prompt = prompt_of(shell);
        let script = format!(
            "{}\n{prompt}\nbacklog-aws use bedrock\n{prompt}\nbacklog-aws doctor\nbacklog-aws status\nbacklog-aws list\n\
             backlog-aws exec -- true\nbacklog-aws credentials --profile bedrock\nbacklog-aws local luxito\n\
             backlog-aws use --clear\n{prompt}\ntrue",
            shell.integration_line("")
        );
        let status = Command::new("strace")
            .args(["-f", "-qq", "-s", "1000000", "-e", "trace=execve", "-o"])
            .arg(&log)
            .arg(shell.path())
            .args(bare(shell))
            .args(["-c", &script])
            .env_clear()
            .envs(home.environment())
            .current_dir(home.mkdir(format!("in-{}", shell.name())))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("strace must be installed; `tests/run` does that");
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
            toolkit_env: toolkit.map(|text| source("/home/u/.backlog-toolkit-env", text)),
            directories: Vec::new(),
            overrides: Vec::new(),
            absent_overrides: Vec::new(),
            data_dir: None,
            cache: None,
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
            format!("{:?}", inputs.profiles.problems()),
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
fn a_shell_of_before_an_upgrade_needs_nothing_but_its_own_refresh() {
    // What the program prints brings along the functions that it calls.
    let home = home();
    std::thread::sleep(Duration::from_millis(60));
    let code = home.run(["hook", "bash", "1.1", "stamps"]).expect_code(0);
    let script = format!(
        "__backlog_aws_refresh() {{ echo asked; }}\n{}\n\
         __backlog_aws_hook; (exit 3); __backlog_aws_hook; echo $?\n\
         shopt -s nocasematch; __backlog_aws_hook; shopt -u nocasematch; cd /; __backlog_aws_hook\n",
        code.out()
    );
    let output = Command::new("bash")
        .args(["--norc", "-c", &script])
        .env_clear()
        .envs(home.environment())
        .current_dir(home.path(""))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "3\nasked\n");
}

scenario! {
    fn a_program_of_another_version_is_told_of_once(shell) {
        let home = home();
        let mut session = builder(&home, shell).spawn();
        // As if this shell's scripts were of the next version.
        let mut said = session.line(match shell {
            Shell::Bash => r#"eval "$(declare -f __backlog_aws_refresh | sed 's/precision" 2/precision" 3/')""#,
            Shell::Zsh => r#"eval "$(functions __backlog_aws_refresh | sed 's/precision 2/precision 3/')""#,
            Shell::Fish => r"functions __backlog_aws_refresh | sed 's/precision 2/precision 3/' | source",
        }).text;
        // The prompt may have asked already, if the files were new.
        said += &session.cd(home.path("acme")).text;
        assert_eq!(said.matches("another version").count(), 1, "{}: {said}", shell.name());
        assert_eq!(session.line("true").text, "");
        assert_eq!(session.cd(home.path("plain")).text, "");
        // An answer that nobody looks after is none.
        assert_eq!(ours(&mut session), BTreeMap::new());
        session.line("false");
        assert_eq!(session.status_of_last(), 1);
    }
}

/// Gives it to somebody else, where we may.
fn give_away(path: &Path) {
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(path, Some(12345), Some(12345)).unwrap();
    }
}

#[test]
fn root_leaves_anothers_home_alone() {
    let home = Sandbox::documented_home();
    home.write("acme/.backlog-aws", "profile = bedrock\n");
    fs::remove_dir_all(home.path(".local")).unwrap_or_default();
    give_away(&home.path(""));
    let allow = home.invoke(["allow"]).cwd(home.path("acme")).run();
    if !rustix::process::geteuid().is_root() {
        allow.expect_code(0);
        return;
    }
    let allow = allow.expect_code(1);
    assert!(
        allow.err().contains("the user with the id 12345, and you are root; run this as them"),
        "{}",
        allow.err()
    );
    assert!(!home.path(".local").exists());
    // `local` keeps its promise too: nothing is half done.
    let local = home.invoke(["local", "bedrock"]).cwd(home.path("")).run();
    local.expect_code(1);
    assert!(!home.path(".backlog-aws").exists() && !home.path(".local").exists());
}

#[test]
fn the_runtime_directory_of_somebody_else_is_passed_over() {
    // After a plain `su` the variable is still there.
    let home = Sandbox::documented_home();
    let theirs = home.mkdir("theirs");
    let hook = |directory: &Path| {
        let run = home.invoke(["hook", "bash", "1.1", "stamps"]);
        run.env("XDG_RUNTIME_DIR", directory).run().expect_code(0);
    };
    give_away(&theirs);
    let theirs = if rustix::process::geteuid().is_root() { theirs } else { PathBuf::from("/usr") };
    std::thread::sleep(Duration::from_millis(60));
    hook(&theirs);
    assert!(!theirs.join("backlog-aws").exists());
    assert!(home.path(".cache/backlog-aws").exists());
    hook(&home.mkdir("mine"));
    assert!(home.path("mine/backlog-aws").exists());
}
