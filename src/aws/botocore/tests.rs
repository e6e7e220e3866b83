use std::path::Path;

use super::super::{AwsFile, Profiles};
use super::*;

fn found(text: &str) -> Vec<(usize, DifferenceKind)> {
    differences(text.as_bytes())
}

#[test]
fn a_file_as_the_aws_cli_writes_it_is_read_alike() {
    let text = "# mine\n[default]\naws_access_key_id = A\naws_secret_access_key = a=b#c;d:e\n\n\
                [bedrock]\r\naws_access_key_id=B\r\nregion = eu-west-1\r\ns3 =\n  signature_version = s3v4\n";
    assert_eq!(found(text), []);
}

#[test]
fn every_difference_is_named_with_its_line() {
    use DifferenceKind::{BlanksInHeader, CommentAfterValue, KeyTwice, SectionTwice};
    for (text, expected) in [
        ("[a]\nk = v # hi\n", vec![(2, CommentAfterValue)]),
        ("[a]\nk = v ; hi\n", vec![(2, CommentAfterValue)]),
        ("[a]\nk = v\n[b]\n[a]\n", vec![(4, SectionTwice)]),
        ("[a]\nk = v\nK = w\n", vec![(3, KeyTwice)]),
        ("[a]\nk = http://x\n", vec![]),
        ("[ a ]\nk = v\n", vec![(1, BlanksInHeader)]),
        ("[a]\nk = v\n# yes\nl = w\n", vec![]),
        ("[a]\nk = v\n[b]\nk = v\n", vec![]),
        ("k = v\nk = v\n", vec![]),
    ] {
        assert_eq!(found(text), expected, "{text:?}");
    }
}

#[test]
fn only_what_stands_twice_costs_boto3_the_whole_file() {
    assert!(DifferenceKind::SectionTwice.rejects_file());
    assert!(DifferenceKind::KeyTwice.rejects_file());
    assert!(!DifferenceKind::CommentAfterValue.rejects_file());
}

#[test]
fn boto3_prefers_other_ways_to_keys() {
    const KEYS: &str = "aws_access_key_id = A\naws_secret_access_key = S\n";
    let other = |credentials: &str, config: &str| {
        let files = [
            AwsFile {
                kind: FileKind::Credentials,
                path: Path::new("/c"),
                bytes: credentials.as_bytes(),
            },
            AwsFile { kind: FileKind::Config, path: Path::new("/f"), bytes: config.as_bytes() },
        ];
        let profiles = Profiles::read(&files);
        other_identity(profiles.get("p").unwrap()).map(|(text, at)| (text, at.unwrap().line))
    };
    let keys = format!("[p]\n{KEYS}");
    assert_eq!(other(&keys, ""), None);
    assert_eq!(other(&keys, "[profile p]\nsso_session = s\n"), Some(("signs in through SSO", 2)));
    assert_eq!(
        other(&keys, "[profile p]\nrole_arn = r\nsource_profile = q\n"),
        Some(("assumes its role", 2))
    );
    assert_eq!(other(&keys, "[profile p]\ncredential_process = x\n"), None);
    assert_eq!(
        other("", &format!("[profile p]\n{KEYS}credential_process = x\n")),
        Some(("runs its credential_process", 4))
    );
    assert!(other(&format!("{keys}auth_scheme_preference = httpBearerAuth\n"), "").is_some());
}
