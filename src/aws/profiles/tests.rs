use std::path::Path;

use std::borrow::Cow;

use jiff::Timestamp;

use super::*;
use crate::aws::{At, Kind};

fn file(kind: FileKind, bytes: &[u8]) -> AwsFile<'_> {
    AwsFile { kind, path: Path::new("/aws"), bytes }
}

fn credentials(text: &str) -> Profiles<'_> {
    Profiles::read(&[file(FileKind::Credentials, text.as_bytes())])
}

fn config(text: &str) -> Profiles<'_> {
    Profiles::read(&[file(FileKind::Config, text.as_bytes())])
}

fn both<'a>(credentials: &'a str, config: &'a str) -> Profiles<'a> {
    Profiles::read(&[
        file(FileKind::Config, config.as_bytes()),
        file(FileKind::Credentials, credentials.as_bytes()),
    ])
}

fn names<'a>(profiles: &Profiles<'a>) -> Vec<&'a str> {
    profiles.iter().map(Profile::name).collect()
}

fn problems(profiles: &Profiles<'_>) -> Vec<(FileKind, usize, ProblemKind)> {
    let tuple = |problem: &Problem| (problem.at.kind, problem.at.line, problem.what.clone());
    profiles.problems.iter().map(tuple).collect()
}

const KEYS: &str =
    "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI\n";

#[test]
fn the_credentials_file_wins_key_by_key() {
    let profiles = both(
        "[a]\nregion = from-credentials\n",
        "[profile a]\nregion = from-config\noutput = json\n",
    );
    let a = profiles.get("a").unwrap();
    assert_eq!(a.region(), Some("from-credentials"));
    assert_eq!(a.get("output"), Some("json"));
    let at = |kind| At { kind, line: 1 };
    assert!(a.at().eq([at(FileKind::Credentials), at(FileKind::Config)]));
}

#[test]
fn profiles_come_in_file_order_with_the_credentials_file_first() {
    let profiles = both("[z]\n[b]\n[z]\n", "[profile c]\n[profile b]\n[default]\n[profile a]\n");
    assert_eq!(names(&profiles), ["z", "b", "c", "default", "a"]);
}

#[test]
fn nothing_to_read_gives_no_profiles_and_no_problems() {
    for profiles in [Profiles::read(&[]), both("", "\n# nothing\n")] {
        assert!(profiles.iter().len() == 0 && profiles.problems.is_empty());
    }
}

#[test]
fn keys_are_case_insensitive_and_the_last_duplicate_counts() {
    let profiles = credentials("[a]\nRegion = one\n[b]\n[a]\nREGION = two\n");
    assert_eq!(profiles.get("a").unwrap().get("rEgIoN"), Some("two"));
    assert!(profiles.get("A").is_none());
}

#[test]
fn a_value_goes_on_over_indented_lines() {
    let profiles = config("[profile a]\ns3 =\n  max = 5\n\n\tmin = 1 # not a comment\ncli = x\n");
    let a = profiles.get("a").unwrap();
    assert_eq!(a.get("s3"), Some("\nmax = 5\nmin = 1 # not a comment"));
    assert_eq!(a.get("cli"), Some("x"));
}

#[test]
fn profile_default_beats_default_wherever_it_stands() {
    let (plain, prefixed) =
        ("[default]\nregion = plain\noutput = json\n", "[profile default]\nregion = prefixed\n");
    for (text, line) in [(format!("{plain}{prefixed}"), 1), (format!("{prefixed}{plain}"), 3)] {
        let profiles = config(&text);
        let default = profiles.get("default").unwrap();
        assert_eq!(
            (default.region(), default.get("output"), default.at().len()),
            (Some("prefixed"), None, 1)
        );
        assert_eq!(problems(&profiles), [(FileKind::Config, line, ProblemKind::OverriddenDefault)]);
    }
}

#[test]
fn profile_default_leaves_the_credentials_files_default_alone() {
    let profiles = both("[default]\nregion = mine\n", "[profile default]\noutput = json\n");
    let default = profiles.get("default").unwrap();
    assert_eq!((default.region(), default.get("output")), (Some("mine"), Some("json")));
    assert!(profiles.problems.is_empty());
}

#[test]
fn a_section_named_for_the_other_file_is_ignored_with_the_remedy() {
    let profiles =
        both("[profile a]\n[sso-session s]\n", "[a]\nregion = x\n[default]\n[profile b]\n");
    assert_eq!(names(&profiles), ["default", "b"]);
    assert_eq!(
        problems(&profiles),
        [
            (FileKind::Credentials, 1, ProblemKind::ProfilePrefix("a".into())),
            (FileKind::Credentials, 2, ProblemKind::ConfigOnly),
            (FileKind::Config, 1, ProblemKind::NeedsProfilePrefix("a".into())),
        ]
    );
}

#[test]
fn other_sections_of_the_config_file_are_legal() {
    let profiles =
        config("[services s]\ndynamodb =\n  endpoint_url = x\n[plugins p]\n[profile a]\nk = v\n");
    assert_eq!(names(&profiles), ["a"]);
    assert!(profiles.problems.is_empty());
}

#[test]
fn names_outside_the_alphabet_are_ignored() {
    let profiles = credentials("[a!]\nk = v\n[]\n[ok-/.%@:+_]\nbad key = 1\n  more\nk = 2\n");
    assert_eq!(names(&profiles), ["ok-/.%@:+_"]);
    assert_eq!(profiles.get("ok-/.%@:+_").unwrap().get("k"), Some("2"));
    let ignored = |line, what| (FileKind::Credentials, line, what);
    assert_eq!(
        problems(&profiles),
        [
            ignored(1, ProblemKind::SectionName),
            ignored(3, ProblemKind::SectionName),
            ignored(5, ProblemKind::KeyName)
        ]
    );
}

#[test]
fn a_rejected_line_costs_no_other_profile() {
    let profiles = credentials("[a]\nk = 1\noops\nl = 2\n[b\nk = 3\n[c]\nk = 4\n");
    assert_eq!(names(&profiles), ["a", "c"]);
    let a = profiles.get("a").unwrap();
    assert_eq!((a.get("k"), a.get("l")), (Some("1"), Some("2")));
    assert_eq!(profiles.get("c").unwrap().get("k"), Some("4"));
    assert_eq!(profiles.problems.len(), 2);
}

#[test]
fn an_sso_session_gives_its_start_url_to_the_profile() {
    let profiles = config(
        "[profile cc]\nsso_session = corp\nsso_start_url = https://old\n\
         [sso-session corp]\nsso_start_url = https://corp\nsso_region = eu-west-1\n\
         [profile gone]\nsso_session = none\nsso_start_url = https://own\n",
    );
    let cc = profiles.get("cc").unwrap();
    assert_eq!((cc.kind(), cc.non_empty("sso_start_url")), (Kind::Sso, Some("https://old")));
    assert_eq!(profiles.sso_start_url(cc), Some("https://corp"));
    assert_eq!(profiles.sso_start_url(profiles.get("gone").unwrap()), Some("https://own"));
    assert_eq!(profiles.sso_sessions().next().unwrap().get("SSO_REGION"), Some("eu-west-1"));
    assert_eq!(profiles.sso_sessions().map(Profile::name).collect::<Vec<_>>(), ["corp"]);
}

#[test]
fn an_empty_value_counts_as_unset_for_the_kind() {
    let profiles = credentials("[a]\naws_access_key_id =\naws_secret_access_key = x\nregion =\n");
    let a = profiles.get("a").unwrap();
    assert_eq!((a.kind(), a.region(), a.get("region")), (Kind::Partial, None, Some("")));
    assert_eq!(a.credentials(), None);
}

#[test]
fn a_profile_can_be_several_kinds_at_once() {
    let text = format!("[a]\n{KEYS}sso_session = s\ncredential_process = p\n");
    let profiles = credentials(&text);
    let a = profiles.get("a").unwrap();
    assert_eq!((a.kind(), a.also()), (Kind::Static, vec![Kind::Sso, Kind::Process]));
}

#[test]
fn static_credentials_have_no_token_and_never_expire() {
    let text = format!("[a]\n{KEYS}expiration = 2001-01-01T00:00:00Z\n");
    let profiles = credentials(&text);
    let a = profiles.get("a").unwrap();
    let given = a.credentials().unwrap();
    assert_eq!(given.access_key_id, "AKIAIOSFODNN7EXAMPLE");
    assert_eq!(given.secret_access_key.reveal(), "wJalrXUtnFEMI");
    assert_eq!((given.session_token, given.expires_at), (None, None));
}

#[test]
fn temporary_credentials_are_usable_until_they_expire() {
    let text = format!(
        "[a]\n{KEYS}aws_session_token = t\nexpiration = \naws_expiration = 2030-01-01T00:00:00Z\n"
    );
    let profiles = credentials(&text);
    let a = profiles.get("a").unwrap();
    let then: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(a.kind(), Kind::Temporary);
    assert_eq!(a.expires_at(), Ok(Some(then)));
    let given = a.credentials().unwrap();
    assert_eq!((given.session_token.unwrap().reveal(), given.expires_at), ("t", Some(then)));
}

#[test]
fn an_expiry_that_cannot_be_read_is_a_problem_and_counts_as_none() {
    let text = format!("[a]\n{KEYS}aws_session_token = t\nx_security_token_expires = soon\n");
    let profiles = credentials(&text);
    let a = profiles.get("a").unwrap();
    let problem = a.expires_at().unwrap_err();
    assert_eq!((problem.at.kind, problem.at.line), (FileKind::Credentials, 5));
    assert!(problem.to_string().contains("x_security_token_expires"));
    assert_eq!(a.credentials().unwrap().expires_at, None);
}

#[test]
fn the_old_name_of_the_session_token_counts_where_the_new_one_is_missing() {
    let text = format!(
        "[a]\n{KEYS}aws_security_token = old\n[b]\n{KEYS}aws_security_token = old\naws_session_token = new\n"
    );
    let profiles = credentials(&text);
    let token = |name| profiles.get(name).unwrap().credentials().unwrap().session_token.unwrap();
    assert_eq!((token("a").reveal(), token("b").reveal()), ("old", "new"));
}

#[test]
fn nothing_secret_shows_in_debug_output_or_in_problems() {
    let text = format!(
        "s3cret\n[a]\n{KEYS}aws_session_token = s3cret\n  s3cret\ns3cret\n s3cret\n[s3cret\n[b]\ns3cret? = s3cret\n= s3cret\n\
         [c s3cret]\n[s3cret!]\n[d]\n s3cret\n{KEYS}aws_session_token = t\nexpiration = s3cret\nk=\n s3cret\n"
    );
    let profiles = credentials(&text);
    assert!(profiles.problems.len() >= 8);
    let mut shown = Vec::new();
    for profile in &profiles {
        let (credentials, expires_at) = (profile.credentials(), profile.expires_at());
        shown.push(format!("{credentials:?} {expires_at:?}"));
    }
    shown.extend(profiles.problems.iter().map(Problem::to_string));
    let shown = shown.join("\n");
    for secret in ["s3cret", "wJalrXUtnFEMI", "AKIAIOSFODNN7EXAMPLE"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn problems_come_in_file_order() {
    let profiles = both("oops\n", "[default]\n[x]\n[profile default]\n[y]\n");
    let lines: Vec<_> =
        profiles.problems.iter().map(|problem| (problem.at.kind, problem.at.line)).collect();
    let config = FileKind::Config;
    assert_eq!(lines, [(FileKind::Credentials, 1), (config, 1), (config, 2), (config, 4)]);
}

#[test]
fn ten_thousand_profiles_are_read() {
    let section = |n| format!("[p{n}]\n{KEYS}region = eu-west-1\n");
    let text: String = (0..10_000).map(section).collect();
    let profiles = credentials(&text);
    assert_eq!(profiles.iter().len(), 10_000);
    assert_eq!(profiles.get("p9999").unwrap().kind(), Kind::Static);
    assert!(profiles.problems.is_empty());
}

#[test]
fn a_line_of_16_megabytes_is_read_without_a_copy() {
    let text = format!("[a]\nk = x{}{}\n", "#".repeat(1 << 20), "x".repeat(15 << 20));
    let profiles = credentials(&text);
    let value = profiles.get("a").unwrap().get("k").unwrap();
    assert_eq!(value.len(), (16 << 20) + 1);
    assert!(text.as_bytes().as_ptr_range().contains(&value.as_ptr()));
}

#[test]
fn binary_garbage_keeps_a_bounded_number_of_problems() {
    let mut state = 1_u64;
    let mut noise = vec![0; 1 << 20];
    for byte in &mut noise {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *byte = state.to_le_bytes()[7];
    }
    let garbage = noise.repeat(16);
    let profiles = Profiles::read(&[file(FileKind::Credentials, &garbage)]);
    assert_eq!(profiles.problems.len(), problem::MOST);
    assert_eq!(problems(&profiles)[0].1, 1);
}

// The sizes below are the guard against quadratic time, under which no run would end today.

#[test]
fn a_million_continuations_of_one_value_are_read() {
    let text = format!("[a]\nk = v\n{}", " x\n".repeat(1_000_000));
    let profiles = credentials(&text);
    let Cow::Owned(value) = &profiles.get("a").unwrap().properties[0].value else {
        panic!("it has several lines")
    };
    assert_eq!(value.len(), 1 + 2 * 1_000_000);
    assert_eq!(value.capacity(), value.len(), "reserved once, so that no copies are left behind");
}

#[test]
fn hundreds_of_thousands_of_duplicates_of_a_key_and_of_a_section_are_read() {
    let text = "[a]\nk = v\n w\n".repeat(250_000) + "k = last\n";
    assert_eq!(credentials(&text).get("a").unwrap().get("k"), Some("last"));
    let text = "[default]\nk = v\n[profile default]\nk = w\n".repeat(100_000);
    assert_eq!(config(&text).get("default").unwrap().get("k"), Some("w"));
}

#[test]
fn half_a_million_keys_of_one_profile_are_read() {
    let text: String = std::iter::once("[a]\n".into())
        .chain((0..500_000).map(|n| format!("k{n} = {n}\n")))
        .collect();
    let profiles = credentials(&text);
    assert_eq!(profiles.get("a").unwrap().get("K250000"), Some("250000"));
}

#[test]
fn a_remedy_names_the_section_to_write() {
    let what = ProblemKind::NeedsProfilePrefix(showable("bedrock"));
    assert!(what.to_string().ends_with("write [profile bedrock]"));
    let what = ProblemKind::ProfilePrefix(showable("bedrock"));
    assert!(what.to_string().ends_with("write [bedrock]"));
}

#[test]
fn a_name_unfit_to_be_shown_stays_out_of_the_message() {
    for name in ["", "a b", "a\u{1b}[31m", "\u{202e}nimda", &"x".repeat(65)] {
        assert_eq!(showable(name), "NAME");
    }
}
