//! The reader of the AWS files against AWS's own: the Rust SDK must see the same profiles with the same values, or
//! reject the file at the line that we reject first.
//!
//! And further, since we go on where the SDK gives up: once the lines it rejects are repaired so that they mean nothing,
//! it must find in the repaired files what we found in the broken ones.
//!
//! Three differences are known and kept out of the files that are generated here:
//!
//! - The SDK merges `[a]` and `[ a ]` of one file in random order, as it keeps one hash map entry per spelling.
//! - It accepts NUL bytes, which no environment variable could carry.
//! - It accepts an empty section name; that profile is taken out of its answer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_runtime::env_config::section::EnvConfigSections;
use aws_runtime::env_config::source::load;
use aws_types::os_shim_internal::{Env, Fs};
use backlog_aws::aws::{AwsFile, FileKind, Problem, Profile, Profiles};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

/// The two files, credentials first.
#[derive(Clone, Debug)]
struct Files([String; 2]);

const KINDS: [FileKind; 2] = [FileKind::Credentials, FileKind::Config];

/// Everything that both sides can be asked for: the values by section and key.
#[derive(Debug, Default, PartialEq)]
struct Answer {
    profiles: BTreeMap<String, BTreeMap<String, String>>,
    sso_sessions: BTreeMap<String, BTreeMap<String, String>>,
}

// --- asking the SDK ---

/// The SDK's answer, or the number of the line that makes it reject the file.
fn sdk_reads(files: &[(FileKind, &str)]) -> Result<EnvConfigSections, usize> {
    // The SDK's default order: config first, so that credentials win.
    let files = files.iter().rev().fold(EnvConfigFiles::builder(), |files, &(kind, text)| {
        let kind = match kind {
            FileKind::Credentials => EnvConfigFileKind::Credentials,
            FileKind::Config => EnvConfigFileKind::Config,
        };
        files.with_contents(kind, text)
    });
    let runtime =
        tokio::runtime::Builder::new_current_thread().build().expect("a runtime without drivers");
    let (env, fs) = (Env::from_slice(&[]), Fs::from_slice(&[]));
    let source =
        runtime.block_on(load(&env, &fs, &files.build())).expect("contents in memory always load");
    EnvConfigSections::parse(source).map_err(|error| {
        let message = error.to_string();
        let line = message.split_once("on line ").and_then(|(_, rest)| rest.split_once(':'));
        line.and_then(|(line, _)| line.parse().ok()).expect("the SDK's message names the line")
    })
}

/// The SDK tells a value only to who knows its key. What could be one: all that precedes an equals sign.
fn keys(files: &Files) -> BTreeSet<String> {
    let lines = files.0.iter().flat_map(|text| text.split(['\n', '\r', '\u{feff}']));
    lines
        .filter_map(|line| {
            Some(line.split_once('=')?.0.trim_matches([' ', '\t']).to_ascii_lowercase())
        })
        .collect()
}

fn sdk_answer(sections: &EnvConfigSections, keys: &BTreeSet<String>) -> Answer {
    let values = |get: &dyn Fn(&str) -> Option<String>| {
        keys.iter().filter_map(|key| Some((key.clone(), get(key)?))).collect::<BTreeMap<_, _>>()
    };
    let mut answer = Answer::default();
    for name in sections.profiles().filter(|name| !name.is_empty()) {
        let profile = sections.get_profile(name).expect("it was listed");
        answer.profiles.insert(name.into(), values(&|key| profile.get(key).map(Into::into)));
    }
    for name in sections.sso_sessions().filter(|name| !name.is_empty()) {
        let session = sections.sso_session(name).expect("it was listed");
        answer.sso_sessions.insert(name.into(), values(&|key| session.get(key).map(Into::into)));
    }
    answer
}

// --- asking ourselves ---

fn read(files: &Files) -> Profiles<'_> {
    let path = Path::new("file");
    let [credentials, config] = &files.0;
    Profiles::read(&[
        AwsFile { kind: FileKind::Credentials, path, bytes: credentials.as_bytes() },
        AwsFile { kind: FileKind::Config, path, bytes: config.as_bytes() },
    ])
}

fn our_answer(profiles: &Profiles<'_>, keys: &BTreeSet<String>) -> Answer {
    let values = |profile: &Profile<'_>| {
        let values =
            keys.iter().filter_map(|key| Some((key.clone(), profile.get(key)?.to_owned())));
        (profile.name().to_owned(), values.collect())
    };
    Answer {
        profiles: profiles.iter().map(values).collect(),
        sso_sessions: profiles.sso_sessions().map(values).collect(),
    }
}

fn first_rejection(profiles: &Profiles<'_>, kind: FileKind) -> Option<usize> {
    let rejects = |problem: &&Problem| problem.at.kind == kind && problem.what.rejects_file();
    profiles.problems.iter().find(rejects).map(|problem| problem.at.line)
}

// --- comparing ---

fn compare(files: &Files) -> Result<(), TestCaseError> {
    let ours = read(files);
    let mut repaired = files.clone();
    for (kind, text) in KINDS.into_iter().zip(&mut repaired.0) {
        let sdk = sdk_reads(&[(kind, text)]).err();
        prop_assert_eq!(first_rejection(&ours, kind), sdk, "first rejected line of {:?}", kind);
        repair(kind, text);
    }
    let [credentials, config] = &repaired.0;
    let sdk = sdk_reads(&[(FileKind::Credentials, credentials), (FileKind::Config, config)])
        .map_err(|line| TestCaseError::fail(format!("line {line} was not repaired")))?;
    let keys = keys(files);
    prop_assert_eq!(our_answer(&ours, &keys), sdk_answer(&sdk, &keys));
    check_order(&ours, files)
}

/// Profiles come in the order of their first sections: credentials file first, then what only the config file has.
fn check_order(ours: &Profiles<'_>, files: &Files) -> Result<(), TestCaseError> {
    let first: Vec<_> =
        ours.iter().map(|profile| profile.at().next().expect("it has a section")).collect();
    prop_assert!(first.is_sorted(), "{:?}", first);
    for profile in ours {
        for at in profile.at() {
            let line = files.0[at.kind as usize].split('\n').nth(at.line - 1).unwrap_or_default();
            prop_assert!(
                line.contains('[') && line.contains(profile.name()),
                "{:?} is at {:?}",
                profile.name(),
                line
            );
        }
    }
    Ok(())
}

/// Makes the SDK accept the file, by replacing each line that it rejects with one that it ignores, together with what
/// belongs to that line.
fn repair(kind: FileKind, text: &mut String) {
    let ignored_section = match kind {
        FileKind::Credentials => "[profile ignored]",
        FileKind::Config => "[ignored]",
    };
    if let Some(rest) = text.strip_prefix('\u{feff}') {
        *text = rest.to_owned();
    }
    while let Err(number) = sdk_reads(&[(kind, text)]) {
        let mut lines: Vec<_> = text.split_inclusive('\n').map(str::to_owned).collect();
        let in_section = lines[..number - 1].iter().any(|line| line.starts_with('['));
        let line = &mut lines[number - 1];
        let replacement = match line.as_bytes()[0] {
            b'[' => ignored_section,
            _ if !in_section => ignored_section,
            b' ' | b'\t' => "",
            _ => "ignored! = value",
        };
        *line = format!("{replacement}\n");
        *text = lines.concat();
    }
}

// --- generating ---

const NAMES: [&str; 8] =
    ["default", "a", "b", "A", "bedrock", "x-/.%@:+_9", "profile", "sso-session"];

const ODD_HEADERS: &[&str] = &[
    "[",
    "[]",
    "[open",
    "[open # ]",
    "[open;]",
    "]",
    "[[double]]",
    "[two words]",
    "[profile two words]",
    "[profile]]",
    "[profile ]",
    "[profile \u{a0}]",
    "[wrong!]",
    "[profile wrong!]",
    "[ünïcode]",
    "[profile ünïcode]",
    "[\u{a0}wide\u{a0}]",
    "[profile \u{a0}wide2\u{2003}]",
    "[Profile upper]",
    "[services s]",
    "[plugins p]",
    "[sso-session]",
    "[sso-session two words]",
    "[x] y",
    "[y]]",
];

const KEYS: &[&str] = &[
    "region",
    "Region",
    "REGION",
    "aws_access_key_id",
    "AWS_SECRET_ACCESS_KEY",
    "aws_session_token",
    "sso_session",
    "sso_start_url",
    "s3",
    "k:v",
    "a/b.c%d@e+f",
    "two words",
    "wrong!",
    "ключ",
    "İ",
    "k\u{a0}",
    "",
];

const VALUES: &[&str] = &[
    "",
    "",
    "v",
    "eu-west-1",
    "wJalrXUtnFEMI/K7MDENG+bPx==",
    "= =",
    "v # comment",
    "v#no comment",
    "v ; comment",
    "v\t;comment",
    "v;no comment",
    "# all comment",
    "#no",
    "v\u{a0}# comment after a wide space",
    "v\u{2003};",
    "v\u{b}#",
    "ä # ö",
    "'quoted # text'",
    "back\\",
    "[brackets]",
    "two  words",
    "v\u{a0}",
    "🐱",
    "mid\rdle",
    "mid\r#dle",
];

const ODD_LINES: &[&str] = &[
    "",
    " ",
    "\t \t",
    "\r",
    "#",
    "; comment = x",
    "# [a]",
    "no equals",
    "region: eu-west-1",
    "\u{a0}",
    "\u{a0}# key = v",
    "\u{a0}k = v",
    "\u{feff}",
    "\u{85}",
    "==",
];

fn space() -> impl Strategy<Value = &'static str> {
    select(&["", "", "", " ", " ", "  ", "\t", " \t "][..])
}

/// One way to write each section of a file: see above for why there must not be two.
fn headers(kind: FileKind) -> impl Strategy<Value = Vec<String>> {
    let written = move |name: &'static str| {
        (space(), select(&[" ", "  ", "\t", "\t "][..]), space()).prop_map(
            move |(before, between, after)| {
                let mut headers = vec![format!("[{before}profile{between}{name}{after}]")];
                headers.push(format!("[{before}sso-session{between}{name}{after}]"));
                headers.push(format!("[{before}{name}{after}]"));
                // What is legal in the file should come up more often.
                match kind {
                    FileKind::Credentials => headers.extend(vec![headers[2].clone(); 4]),
                    FileKind::Config => headers.extend(vec![headers[0].clone(); 3]),
                }
                headers
            },
        )
    };
    Vec::from(NAMES.map(written)).prop_map(|headers| headers.concat())
}

fn line(headers: Vec<String>) -> impl Strategy<Value = String> {
    let section = (select(headers), space(), select(&["", "", "", "# c", ";c", " # ]"][..]))
        .prop_map(|(header, space, comment)| format!("{header}{space}{comment}"));
    let property = || {
        (
            select(KEYS),
            space(),
            select(&["=", "=", "=", "=", "=", "=", ":"][..]),
            space(),
            select(VALUES),
            space(),
        )
            .prop_map(|(key, before, equals, after, value, end)| {
                format!("{key}{before}{equals}{after}{value}{end}")
            })
    };
    let indent = || select(&[" ", "\t", "    ", " \t"][..]);
    prop_oneof![
        4 => section,
        10 => property(),
        2 => (indent(), property()).prop_map(|(indent, text)| indent.to_owned() + &text),
        1 => (indent(), select(VALUES)).prop_map(|(indent, text)| indent.to_owned() + text),
        1 => select(ODD_HEADERS).prop_map(str::to_owned),
        1 => select(ODD_LINES).prop_map(str::to_owned),
        1 => "[ a=#;\\[\u{a0}\u{e9}\t\r]{0,6}".prop_filter("a header of its own", |line| !line.starts_with('[')),
    ]
}

fn text(kind: FileKind) -> impl Strategy<Value = String> {
    let lines = headers(kind).prop_flat_map(|headers| {
        let first = prop_oneof![8 => select(headers.clone()), 1 => line(headers.clone())];
        let end = select(&["\n", "\n", "\n", "\n", "\n", "\n", "\r\n", "\r\n", "\r\r\n"][..]);
        (first, vec((line(headers), end), 0..14))
    });
    let mark = select(&["", "", "", "", "", "", "", "", "", "\u{feff}"][..]);
    (mark, lines, any::<bool>()).prop_map(|(mark, (first, lines), last_newline)| {
        let lines: String = lines.into_iter().map(|(line, end)| line + end).collect();
        let text = format!("{mark}{first}\n{lines}");
        if last_newline { text } else { text.trim_end_matches('\n').to_owned() }
    })
}

#[test]
fn files_of_all_shapes_read_as_the_aws_sdk_reads_them() {
    let config = Config { cases: 5_000, failure_persistence: None, ..Config::default() };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let files =
        (text(FileKind::Credentials), text(FileKind::Config)).prop_map(|(a, b)| Files([a, b]));
    if let Err(error) = runner.run(&files, |files| compare(&files)) {
        panic!("{error}");
    }
}

#[test]
fn known_traps_read_as_the_aws_sdk_reads_them() {
    for (credentials, config) in [
        // Sections
        ("[a]\nk = 1\n[b]\nk = 2\n[a]\nl = 3\n", "[profile a]\nk = 9\nm = 4\n"),
        ("[default]\nk = 1\n", "[default]\nk = 2\nl = 2\n[profile default]\nm = 3\n"),
        ("", "[profile default]\nm = 3\n[default]\nk = 2\n[default]\nl = 2\n"),
        ("[profile a]\nk = 1\n[sso-session s]\nk = 1\n", "[a]\nk = 1\n[profile]\n[sso-session]\n"),
        (
            "[a]\n",
            "[services s]\ns3 =\n  endpoint_url = x\n[sso-session s]\nsso_start_url = https://x\n",
        ),
        (
            "[a] ; comment\nk = 1\n[b]# comment\nk = 2\n",
            "[profile\ta]\nk = 3\n[ profile  b ]\nl = 3\n",
        ),
        (
            "[a#b]\nk = 1\n[c]\nk = 2\n",
            "[profile a]\nk = 1\n[profile b\nk = 2\n  more\n[profile c]\nk = 3\n",
        ),
        ("[]\nk = 1\n[a b]\nk = 1\n[a!]\nk = 1\n", "[profile \u{a0}]\nk = 1\n[\u{a0} x]\nk = 1\n"),
        ("[\u{a0}a\u{2003}]\nk = 1\n", "[profile \u{a0}a]\nl = 1\n"),
        // Properties
        ("[a]\nAws_Access_Key_ID = x\naws_access_key_id = y\n", "[profile a]\nREGION=\n"),
        (
            "[a]\nk = v # c\nl = v#c\nm = v ;c\nn =#\no = #\np=\u{a0}#\n",
            "[profile a]\nk#l = 1\nm #n = 1\n",
        ),
        ("[a]\nregion: eu-west-1\nk = 1\n", "[profile a]\n= v\nk = 1\n"),
        ("[a]\nbad key = 1\n  more\nk = 2\n", "[profile a]\nclé = 1\nk = 1\n"),
        ("k = 1\n[a]\nk = 2\n", "  k = 1\nl = 2\n[profile a]\nk = 3\n"),
        // Continuations
        ("[a]\nk = 1\n# c\n\n  2 # c\n\t3\nl = 4\n", "[profile a]\ns3 =\n  max = 5\n\n  min = 1\n"),
        (
            "[a]\n  k = 1\nl = 2\n",
            "[profile a]\ns3 =\n  max = 5\n  oops\n  = 2\n  # c\n  min = 1\nk = 1\n",
        ),
        ("[a]\nk = 1\n[a]\n  2\n", "[profile a]\nk = # empty\n  nested = 1\n  not\n"),
        ("[a]\nk = 1\n  2\nk = 3\n", "[profile b]\nk = 1\noops\n  2\nl = 3\n"),
        // Line ends and marks
        ("[a]\r\nk = 1\r\n  2\r\n\r\nl = 3\r", "[profile a]\n\r\nk = 1\r\r\n"),
        ("\u{feff}[a]\nk = 1\n", "\u{feff}"),
        ("[a]\nk = \u{feff}1\u{85}\n", "[profile a]\n\u{feff}k = 1\n"),
    ] {
        let files = Files([credentials.into(), config.into()]);
        if let Err(error) = compare(&files) {
            panic!("{files:#?}\n{error}");
        }
    }
}
