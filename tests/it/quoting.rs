//! Whatever bytes a value is made of, they reach the environment unchanged, in all three shells.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::process::Command;

use crate::harness::{Sandbox, Session, Shell, scenario};
use backlog_aws::session::Values;
use backlog_aws::shell::{Shell as Product, quote};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};

/// What has broken other tools, and what the shells treat specially.
const AWKWARD: [&[u8]; 44] = [
    b"",
    b" ",
    b"bed rock",
    b"  two  blanks  ",
    b"it's",
    b"'",
    b"''",
    b"'\\''",
    b"\"quoted\"",
    b"$(touch pwned)",
    b"`touch pwned`",
    b"${HOME}",
    b"$HOME",
    b"(touch pwned)",
    b"{a,b}",
    b"a;touch pwned",
    b"a&b|c>d<e",
    b"\\",
    b"\\\\",
    b"ends in a backslash\\",
    b"\\'",
    b"\\n\\x41\\u0041",
    b"line\nbreak",
    b"\n",
    b"\n\n",
    b"trailing newlines\n\n",
    b"\r\n",
    b"tab\there",
    b"\x1b[31mred",
    b"\x07\x08\x7f",
    b"\x01\x1f",
    b"=ls",
    b"~",
    b"~root",
    b"%self",
    b"%s%n%d",
    b"!history !! !$",
    b"*?[a-z]",
    b"#comment",
    b"-n -e",
    "Grüße, 世界 \u{202e}\u{feff}\u{f8ff}\u{10ffff}".as_bytes(),
    b"\xff\xfe\x80 not UTF-8",
    b"\xc3",
    b"\xed\xa0\x80\xf4\x90\x80\x80",
];

const CASES: usize = 120;

/// The awkward values, and random ones: of any bytes, and of those that shells care about.
fn values() -> Vec<OsString> {
    let any = vec(1_u8.., 0..40);
    let special =
        vec(prop::sample::select(b"'\"\\$`(){}[];&|<>*?~#%!=- \n\tax\xff\xc3\xa9".to_vec()), 0..24);
    let strategy = vec(prop_oneof![any, special], CASES);
    let mut runner = TestRunner::new(Config::default());
    let random = strategy.new_tree(&mut runner).expect("the strategy rejects nothing").current();
    AWKWARD.iter().map(|bytes| bytes.to_vec()).chain(random).map(OsString::from_vec).collect()
}

fn product(shell: Shell) -> Product {
    match shell {
        Shell::Bash => Product::Bash,
        Shell::Zsh => Product::Zsh,
        Shell::Nu => unreachable!(),
        Shell::Fish => Product::Fish,
    }
}

/// Evaluates each piece of code like the integration does, in one shell, and returns what a child process then finds in
/// `BACKLOG_AWS_PROFILE`.
fn evaluated(shell: Shell, locale: &str, pieces: &[Vec<u8>]) -> Vec<OsString> {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    for (number, piece) in pieces.iter().enumerate() {
        fs::write(directory.path().join(format!("code-{number}")), piece).expect("it is ours");
    }
    let show = "printf '%s\\000' \"$BACKLOG_AWS_PROFILE\"\n";
    fs::write(directory.path().join("show"), show).expect("it is ours");
    let count = pieces.len();
    let functions = concat!(env!("CARGO_MANIFEST_DIR"), "/shell/backlog-aws.");
    let script = match shell {
        Shell::Bash | Shell::Zsh => format!(
            ". {functions}{}; for ((i = 0; i < {count}; i++)); do code=\"$(/bin/cat code-$i)\"; eval \"$code\" || exit; \
             /bin/sh show; done",
            shell.name()
        ),
        Shell::Nu => unreachable!(),
        Shell::Fish => format!(
            "source {functions}fish; for i in (seq 0 {}); set -l code (/bin/cat code-$i | builtin string collect); builtin eval $code; \
             /bin/sh show; end",
            count - 1
        ),
    };
    let output = Command::new(shell.path())
        .args(["-c", &script])
        .env_clear()
        .env("HOME", directory.path())
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", locale)
        .current_dir(directory.path())
        .output()
        .expect("the shell starts");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{shell:?} in {locale}");
    assert!(!directory.path().join("pwned").exists(), "{shell:?} ran a value");
    let mut found: Vec<_> = output
        .stdout
        .split(|byte| *byte == 0)
        .map(|value| OsString::from_vec(value.to_vec()))
        .collect();
    found.pop();
    found
}

#[track_caller]
fn assert_same(shell: Shell, locale: &str, found: &[OsString], expected: &[OsString]) {
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, expected, "{shell:?} in {locale}");
    }
    assert_eq!(found.len(), expected.len(), "{shell:?} in {locale}");
}

scenario! {
    fn every_value_reaches_the_environment_unchanged(shell) {
        let values = values();
        let code: Vec<Vec<u8>> = values
            .iter()
            .map(|value| {
                let mut code = Vec::new();
                let changes = Values::default().changes_to(&Values::new(Some(value), None, None));
                product(shell).change(&changes, &mut code);
                code
            })
            .collect();
        for locale in ["C.UTF-8", "C"] {
            assert_same(shell, locale, &evaluated(shell, locale, &code), &values);
        }
    }

    fn a_quoted_value_is_one_word_that_says_the_same(shell) {
        let values = values();
        let code: Vec<Vec<u8>> = values
            .iter()
            .map(|value| {
                let mut code = match shell {
                    Shell::Bash | Shell::Zsh => b"export BACKLOG_AWS_PROFILE=".to_vec(),
                    Shell::Nu => unreachable!(),
                    Shell::Fish => b"set -gx BACKLOG_AWS_PROFILE ".to_vec(),
                };
                quote(product(shell), value, &mut code);
                code
            })
            .collect();
        assert_same(shell, "C.UTF-8", &evaluated(shell, "C.UTF-8", &code), &values);
    }

    fn a_strange_pin_survives_prompts_and_a_strange_ambient_value_comes_back(shell) {
        let home = Sandbox::documented_home();
        let ambient = OsString::from_vec(b" am'b\\ient $(touch pwned)\n\xff\xc3\\".to_vec());
        let mut session = Session::builder(&home, shell)
            .env("BACKLOG_AWS_QUIET", "1")
            .env("BACKLOG_AWS_PROFILE", &ambient)
            .env("BACKLOG_AWS_REGION", &ambient)
            .spawn();
        assert_eq!(session.var("BACKLOG_AWS_PROFILE").as_ref(), Some(&ambient));
        let random = values().split_off(AWKWARD.len());
        let awkward = AWKWARD.iter().map(|bytes| OsStr::from_bytes(bytes).to_owned());
        let pins = awkward.chain(random.into_iter().take(12)).filter(|value| !value.is_empty());
        for pin in pins {
            session.export("BACKLOG_AWS_PROFILE", &pin);
            session.line("");
            let environment = session.env();
            assert_eq!(environment[OsStr::new("BACKLOG_AWS_PROFILE")], pin);
            assert_eq!(environment[OsStr::new("BACKLOG_AWS_SOURCE")], "pin", "{}", pin.display());
        }
        session.line("backlog-aws use bedrock --region eu-north-1");
        assert_eq!(session.var("BACKLOG_AWS_REGION").as_deref(), Some(OsStr::new("eu-north-1")));
        session.line("backlog-aws use --clear");
        let environment = session.env();
        assert_eq!(environment[OsStr::new("BACKLOG_AWS_PROFILE")], ambient);
        assert_eq!(environment[OsStr::new("BACKLOG_AWS_REGION")], ambient);
        assert_eq!(environment[OsStr::new("BACKLOG_AWS_SOURCE")], "ambient");
        assert!(!home.path("pwned").exists());
    }

    fn strange_directories_and_homes_are_watched_and_shown_safely(shell) {
        let home = Sandbox::documented_home();
        let names: [&[u8]; 6] =
            [b"it's $(touch ~/pwned)", b"line\nbreak", b"-n", b"back\\slash\\", b"\xffnot UTF-8\xc3", b"\x1b[31m red"];
        let mut session = Session::builder(&home, shell).env("BACKLOG_AWS_QUIET", "1").spawn();
        for name in names {
            let directory = home.mkdir(OsStr::from_bytes(name));
            assert_eq!(session.cd(&directory).text, "");
            session.line("");
            assert_eq!(session.line("").text, "");
            session.export("BACKLOG_AWS_PROFILE", "bedrock");
            assert_eq!(session.var("BACKLOG_AWS_SOURCE").as_deref(), Some(OsStr::new("pin")), "{name:?}");
            session.unset("BACKLOG_AWS_PROFILE");
            assert_eq!(session.var("BACKLOG_AWS_SOURCE").as_deref(), Some(OsStr::new("first")), "{name:?}");
        }
        assert!(!home.path("pwned").exists());
    }
}
