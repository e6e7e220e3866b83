//! Standard input and output: closed, full, without a reader, with a slow one; and what is typed ahead stays unread.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::Stdio;

use crate::harness::{Sandbox, assert_plain, static_profile};

/// Commands that print something, which is good as it stands in the home with an override.
const PRINTING: [&[&str]; 10] = [
    &["status"],
    &["status", "--json"],
    &["list"],
    &["list", "--json"],
    &["list", "--names"],
    &["init", "zsh"],
    &["init", "fish"],
    &["exec", "--dry-run"],
    &["hook", "bash", "1.1", "stamps"],
    &["hook", "fish", "1.1", "stamps"],
];

#[test]
fn any_of_the_three_descriptors_may_be_closed() {
    let home = Sandbox::with_override();
    for closed in ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"] {
        let run = |script: &str, words: &[&str]| home.invoke(words).script(script).run();
        let script = format!("\"$@\" {closed}");
        for words in PRINTING {
            let whole = home.run(words);
            let output = run(&script, words).expect_code(0);
            assert_plain(output.err());
            // The first hook makes the stamps and may say more than the ones after it.
            if !closed.contains('>') && words[0] != "hook" {
                assert_eq!(output.out(), whole.out(), "{words:?} {closed}");
            }
        }
        run(&script, &["exec", "--", "sh", "-c", "exit 7"]).expect_code(7);
        run(&script, &["exec", "--profile", "cc", "--", "true"]).expect_code(1);
        // What is written must not end up in a file that got the number of a closed descriptor.
        home.write("other/.backlog-aws", "profile = luxito\n");
        let script = format!("cd other && {script}");
        run(&script, &["deny"]).expect_code(0);
        run(&script, &["allow"]).expect_code(0);
        let status = run("cd other && \"$@\"", &["status", "--json"]);
        assert_eq!(status.json()["source"], "directory", "{closed}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let home = Sandbox::documented_home();
    // More names than a pipe holds.
    let profiles =
        (0..5_000).map(|number| static_profile(&format!("one-of-many-{number}"), "eu-west-1"));
    home.write(".aws/credentials", profiles.collect::<String>());
    for words in [&["list"][..], &["list", "--json"], &["list", "--names"]] {
        let script = "{ \"$@\"; echo \"status $?\" >&2; } | head -n 1";
        let output = home.invoke(words).script(script).run();
        assert_eq!(output.err().lines().last(), Some("status 0"), "{words:?}");
        assert_eq!(output.out().lines().count(), 1);
        assert_plain(output.err());
    }
    // The reader is gone before the first byte.
    for words in PRINTING {
        let mut command = home.command(Sandbox::built_binary());
        let mut child = command
            .args(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().expect("it is a pipe").read_to_string(&mut said).expect("it is UTF-8");
        assert_eq!(child.wait().expect("it is ours").code(), Some(0), "{words:?}: {said}");
        assert_plain(&said);
    }
}

#[test]
fn a_reader_of_single_bytes_that_starts_late_gets_every_byte() {
    let home = Sandbox::with_override();
    // The list is larger than a pipe holds.
    let profiles = (0..1500).map(|number| static_profile(&format!("more-{number}"), "eu-west-1"));
    home.write(".aws/config", profiles.collect::<String>().replace('[', "[profile "));
    for words in [
        &["list", "--json"][..],
        &["init", "bash"],
        &["status"],
        &["hook", "fish", "1.1", "nothing"],
    ] {
        let whole = home.run(words);
        let script = "{ \"$@\"; echo \"status $?\" >&2; } | { sleep 0.2; dd bs=1 2> /dev/null; }";
        let slow = home.invoke(words).script(script).run();
        assert_eq!(whole.stdout, slow.stdout, "{words:?}");
        assert!(slow.err().ends_with("status 0\n"), "{}", slow.err());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_and_is_named() {
    let home = Sandbox::documented_home();
    for words in PRINTING {
        let output = home.invoke(words).script("\"$@\" > /dev/full").run().expect_code(1);
        let complaint = output.err().lines().last().unwrap_or_default();
        assert!(
            complaint.starts_with("backlog-aws: cannot write the answer: "),
            "{words:?}: {}",
            output.err()
        );
        assert_plain(output.err());
    }
}

#[test]
fn nothing_is_read_from_standard_input() {
    let home = Sandbox::documented_home();
    for words in PRINTING {
        let script = "{ \"$@\" > /dev/null 2>&1; read -r line; echo \"$line\"; }";
        // A pipe that stays open, as a terminal would.
        let mut child = home
            .command("/bin/sh")
            .args(["-c", script, "sh"])
            .arg(Sandbox::built_binary())
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut input = child.stdin.take().expect("it is a pipe");
        input.write_all(b"typed ahead\n").expect("it is open");
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().expect("it is a pipe"));
        output.read_line(&mut line).expect("it is UTF-8");
        child.wait().expect("it is ours");
        assert_eq!(line, "typed ahead\n", "{words:?}");
    }
}
