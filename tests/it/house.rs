//! `tests/house`, which holds the code to its limits: it finds what it is for.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

/// A crate that keeps all rules, and looks as if it broke some to a careless reader.
const GOOD: [(&str, &str); 8] = [
    ("Cargo.toml", "[dependencies]\nrust-ini = \"0.21\"\n"),
    ("src/lib.rs", "pub mod aws;\npub mod commands;\npub mod world;\n"),
    (
        "src/main.rs",
        "use backlog_aws::commands::{self, list};\n\nfn main() {\n    list::run(commands::N);\n}\n",
    ),
    // Re-exports what its own files then use of each other, and has a word of it in a text and in a comment.
    (
        "src/aws/mod.rs",
        "mod kind;\nmod reader;\n#[cfg(test)]\nmod samples;\n\npub use kind::Kind;\npub use reader::read;\n\n\
         // reader::read() is not called here.\npub const TEXT: &str = \"kind::Kind\";\n",
    ),
    (
        "src/aws/kind.rs",
        "pub struct Kind;\n\n#[cfg(test)]\nmod tests {\n    use super::super::read;\n\n    fn a() {\n        read();\n    }\n}\n",
    ),
    (
        "src/aws/reader.rs",
        "use super::Kind;\n\npub fn read() -> Kind {\n    Kind(ini::Ini::new())\n}\n",
    ),
    ("src/aws/samples.rs", "use crate::commands::list;\n\nfn sample() {\n    list::run(1);\n}\n"),
    ("src/world.rs", "use crate::aws::read;\n\npub fn look() {\n    read();\n}\n"),
];
const COMMANDS: [(&str, &str); 3] = [
    ("src/commands/mod.rs", "pub mod exec;\npub mod list;\n\npub const N: usize = 1;\n"),
    ("src/commands/exec.rs", "use super::N;\n\npub fn run() -> usize {\n    N\n}\n"),
    (
        "src/commands/list.rs",
        "use crate::world;\n\npub fn run(_: usize) {\n    world::look();\n}\n",
    ),
];

/// The exit code and what is printed for the good crate with some files replaced.
fn house(changes: &[(&str, &str)]) -> (Option<i32>, String) {
    let root = tempfile::tempdir().expect("a temporary directory can be made");
    for (path, text) in GOOD.iter().chain(&COMMANDS).chain(changes) {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().expect("a file has a parent")).expect("it is ours");
        fs::write(path, text).expect("it is ours");
    }
    for words in [&["init", "-q"][..], &["add", "-A"]] {
        let git = Command::new("git")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .args(words)
            .current_dir(root.path())
            .status();
        assert!(git.expect("git is there").success());
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/house");
    let output =
        Command::new("python3").arg(script).arg(root.path()).output().expect("python3 is there");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    (output.status.code(), String::from_utf8(output.stdout).expect("it prints text"))
}

#[test]
fn a_crate_that_keeps_the_rules_passes() {
    let (code, text) = house(&[]);
    assert_eq!(code, Some(0), "{text}");
    // Without blank lines, the comment, the tests and the file that is for tests only.
    assert!(text.starts_with("code lines                      32  at most "), "{text}");
}

#[test]
fn each_rule_is_held_and_names_what_breaks_it() {
    let function =
        |lines: usize| format!("pub fn long() {{\n{}}}\n", "    work();\n".repeat(lines - 2));
    let many = (0..200).fold(String::new(), |mut text, number| {
        write!(text, "pub fn f{number}() {{\n{}}}\n", "    work();\n".repeat(57))
            .expect("a String takes every write");
        text
    });
    let large = "x".repeat(256 * 1024 + 1);
    for (change, offender) in [
        (("src/world.rs", &*many), "code lines: 11800 src/world.rs\n"),
        (("src/world.rs", &"\n".repeat(401)), "largest file: 401 src/world.rs\n"),
        (("src/aws/samples.rs", &"\n".repeat(401)), "largest file: 401 src/aws/samples.rs\n"),
        (("src/world.rs", &function(61)), "longest function: 61 src/world.rs: long\n"),
        (
            (
                "src/aws/kind.rs",
                "use super::read;\n\npub struct Kind;\n\nfn a() {\n    read();\n}\n",
            ),
            "circles between files: 1 src/aws/kind.rs, src/aws/reader.rs\n",
        ),
        (
            ("src/aws/kind.rs", "pub struct Kind;\n\nfn a() {\n    super::reader::read();\n}\n"),
            "circles between files: 1 src/aws/kind.rs, src/aws/reader.rs\n",
        ),
        (
            ("src/aws/kind.rs", "pub struct Kind;\n\nfn a() {\n    crate::world::look();\n}\n"),
            "circles between modules: 1 aws, world\n",
        ),
        (
            (
                "src/commands/exec.rs",
                "use super::list::{self};\n\nfn a() {\n    list::run(1);\n}\n",
            ),
            "imports between commands: 1 src/commands/exec.rs imports src/commands/list.rs\n",
        ),
        (
            ("Cargo.toml", "[dependencies]\nrust-ini = \"0.21\"\ntwo-words = \"1\"\n"),
            "unused dependencies: 1 two-words\n",
        ),
        (("picture.png", &large), "largest tracked file: 262145 picture.png\n"),
    ] {
        let (code, text) = house(&[change]);
        assert_eq!(code, Some(1), "{offender}{text}");
        assert!(text.contains(&format!("\n{offender}")), "{offender}{text}");
    }
    // The very limits, and a lock file of any size.
    for change in [
        ("src/world.rs", &*function(60)),
        ("src/world.rs", &"\n".repeat(400)),
        ("Cargo.lock", &large),
    ] {
        let (code, text) = house(&[change]);
        assert_eq!(code, Some(0), "{text}");
    }
}
