//! The largest inputs that are read, and what is just too large. They go to the program as it is released, because
//! what an unoptimized build takes for them says nothing; `tests/run` builds it first.

use std::fs;
use std::time::{Duration, Instant};

use crate::harness::{Sandbox, assert_plain, static_profile};

const COMMANDS: [&[&str]; 4] =
    [&["status"], &["list", "--json"], &["hook", "bash", "1.1", "stamps"], &["exec", "--dry-run"]];

/// Runs the commands on one file of so many bytes, which repeats something after its beginning.
fn read_at_once(file: &str, begin: &str, repeated: &str, bytes: usize) {
    let home = Sandbox::documented_home();
    let contents = begin.to_owned() + &repeated.repeat((bytes - begin.len()) / repeated.len());
    fs::write(home.path(file), contents).expect("there is room");
    home.user_changed_files();
    for words in COMMANDS {
        let started = Instant::now();
        let output = home.invoke(words).released().run().expect_code(0);
        assert_plain(output.err());
        let took = started.elapsed();
        assert!(took < Duration::from_mins(1), "{words:?} on {file} of {repeated:?}: {took:?}");
    }
}

#[test]
fn files_of_sixteen_megabytes_are_read_at_once() {
    let bedrock = static_profile("bedrock", "eu-west-1");
    for (file, begin, repeated) in [
        // One long line; a long value that goes on for millions of lines; nothing but comments.
        (".aws/credentials", &*format!("{bedrock}note = "), "x"),
        (".aws/credentials", &format!("{bedrock}note = {}\n", "#".repeat(500_000)), " x\n"),
        (".aws/credentials", &bedrock, "# x\n"),
        // The same section and the same key again and again.
        (".aws/config", "", "[profile p]\n  region = x\n"),
        (".aws/config", "[profile p]\n", "region = x\n"),
        // Nothing that is understood.
        (".aws/config", "", "no property\n"),
        (".aws/config", "", "[\n"),
    ] {
        read_at_once(file, begin, repeated, 16 << 20);
    }
}

#[test]
fn a_toolkit_file_of_one_megabyte_is_read_at_once_and_a_larger_one_is_named() {
    for repeated in ["A=\\\n", "AWS_REGION='\n", "AWS_REGION=\"\\\"\n", "export ", "$("] {
        read_at_once(".backlog-toolkit-env", "AWS_REGION=eu-north-1\n", repeated, 1 << 20);
    }
    let home = Sandbox::documented_home();
    home.write(".backlog-toolkit-env", "A=\\\n".repeat(300_000));
    let output = home.run(["status"]).expect_code(1);
    let told = "~/.backlog-toolkit-env is larger than 1048576 bytes";
    assert!(output.err().contains(told), "{}", output.err());
}
