//! The properties of `invariants/mod.rs` on generated input and on the seeds of the fuzz targets.

use std::path::Path;
use std::process::Command;
use std::{fs, str};

use crate::invariants;
use backlog_aws::toolkit_env::ToolkitEnv;
use proptest::prelude::*;
use proptest::test_runner::Config;

/// Bytes that look like what the readers expect more often than chance would have it.
fn likely(words: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        6 => proptest::sample::select(words).prop_map(|word| word.as_bytes().to_vec()),
        2 => "[ -~]{0,12}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
        2 => Just(b"\n".to_vec()),
    ];
    proptest::collection::vec(word, 0..40).prop_map(|words| words.concat())
}

const AWS: &[&str] = &[
    "[default]\n",
    "[profile a]\n",
    "[a]\n",
    "[sso-session s]\n",
    "[a",
    "]",
    "aws_access_key_id",
    " = ",
    "=",
    "AKIAIOSFODNN7EXAMPLE\n",
    "aws_secret_access_key = ",
    "aws_session_token=",
    "role_arn = x\n",
    "source_profile = a\n",
    "  nested = 1\n",
    "# c\n",
    " ;c\n",
    "\r\n",
    "\u{feff}",
    "\u{c}",
    "expiration = 2030-01-01T00:00:00Z\n",
    "sso_session = s\n",
];
const TOOLKIT: &[&str] = &[
    "export ",
    "BACKLOG_AWS_PROFILE=",
    "AWS_REGION=",
    "AWS_ACCESS_KEY_ID=",
    "'",
    "\"",
    "\\",
    "$",
    "`",
    "bedrock",
    "\n",
    "#",
    ";",
    "~",
    "\r\n",
];
const OVERRIDE: &[&str] = &[
    "profile",
    "region",
    " = ",
    "=",
    ":",
    "bedrock",
    "eu-west-1",
    "\n",
    "# c\n",
    " ; c\n",
    "[x]\n",
    "\\\n",
    "'",
    "\"",
    "\r\n",
    "\u{feff}",
];
const STATE: &[&str] = &[
    r#"{"shell":"1.2","variables":{"ours":["#,
    r#"],"user":["#,
    r#"],"original":["#,
    r#"]},"said":["#,
    r#"],"said_for_good":["#,
    "]}",
    "null,null,null",
    "null",
    r#""luxito""#,
    r#""\u0000""#,
    "[97,255]",
    "[256]",
    ",",
    "18446744073709551615",
];

proptest! {
    #![proptest_config(Config { cases: 2000, failure_persistence: None, ..Config::default() })]

    #[test]
    fn the_aws_reader_takes_anything(input in likely(AWS)) {
        invariants::aws_reader(&input);
    }

    #[test]
    fn the_toolkit_reader_takes_anything(input in likely(TOOLKIT)) {
        invariants::toolkit_env(&input);
    }

    #[test]
    fn the_override_reader_takes_anything(input in likely(OVERRIDE)) {
        invariants::override_file(&input);
    }

    #[test]
    fn the_state_decoder_takes_anything(input in likely(STATE)) {
        invariants::session_state(&input);
    }

    #[test]
    fn quoting_is_undone_by_the_grammar_of_each_shell(input in proptest::collection::vec(any::<u8>(), 0..60)) {
        invariants::quoting(&input);
    }

    #[test]
    fn text_for_people_is_fit_for_a_terminal(input in proptest::collection::vec(any::<u8>(), 0..60)) {
        invariants::visible_text(&input);
    }

    #[test]
    fn text_of_many_scripts_is_fit_for_a_terminal(input in "\\PC{0,20}|.{0,20}") {
        invariants::visible_text(input.as_bytes());
    }
}

/// An assignment of quoted pieces that a shell can read without expanding anything.
fn assignment() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-zA-Z0-9_./:@%+,-]{1,8}",
        "'[^'\\x00-\\x08\\x0b-\\x1f\\x7f-\\U{10ffff}]{0,8}'",
        "\"([^\"$`\\\\\\x00-\\x08\\x0b-\\x1f\\x7f-\\U{10ffff}!]|\\\\[\"$`\\\\a]){0,8}\"",
        "\\\\[ a'\"$`\\\\#;&|<>()*?]",
    ];
    let word = proptest::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat());
    (prop_oneof![Just("export "), Just(""), Just("  "), Just("export\t")], word)
        .prop_map(|(before, word)| format!("{before}AWS_REGION={word}\n"))
}

proptest! {
    // Each case starts a shell.
    #![proptest_config(Config { cases: 150, failure_persistence: None, ..Config::default() })]

    #[test]
    fn the_toolkit_reader_agrees_with_the_shell_that_sources_the_file(lines in proptest::collection::vec(assignment(), 1..4)) {
        let text = lines.concat();
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("env");
        fs::write(&file, &text).unwrap();
        let shell = Command::new("bash")
            .args(["--norc", "-c", ". \"$1\"; printf %s \"$AWS_REGION\"", "bash"])
            .arg(&file)
            .env_clear()
            .output()
            .unwrap();
        prop_assume!(shell.status.success());
        let read = ToolkitEnv::parse(text.as_bytes());
        // A `~` at the start of a value would still be expanded, and a value of two lines is not read.
        prop_assume!(read.unknown().next().is_none());
        let ours = read.get("AWS_REGION").map(|(value, _)| value.into_string().unwrap()).unwrap_or_default();
        prop_assert_eq!(ours, str::from_utf8(&shell.stdout).unwrap(), "{:?}", text);
    }
}

/// What a fuzz target runs.
type Property = fn(&[u8]);

#[test]
fn every_seed_of_the_fuzz_targets_holds() {
    let targets: [(&str, Property); 6] = [
        ("aws_reader", invariants::aws_reader),
        ("toolkit_env", invariants::toolkit_env),
        ("override_file", invariants::override_file),
        ("session_state", invariants::session_state),
        ("quoting", invariants::quoting),
        ("visible", invariants::visible_text),
    ];
    for (target, property) in targets {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
        let mut count = 0;
        for seed in
            fs::read_dir(&seeds).unwrap_or_else(|error| panic!("{}: {error}", seeds.display()))
        {
            property(&fs::read(seed.unwrap().path()).unwrap());
            count += 1;
        }
        assert!(count > 0, "{target} has no seeds");
    }
}
