use super::*;

fn profile(text: &str) -> Option<String> {
    parse(text.as_bytes()).unwrap().profile.map(|entry| entry.value)
}

#[test]
fn reads_both_keys_with_comments_everywhere() {
    let text =
        "# pays for this\n; and that\n\nprofile = bedrock # team A\nregion=eu-west-1\t; near\n";
    let read = parse(text.as_bytes()).unwrap();
    assert_eq!(read.profile, Some(Entry { value: "bedrock".into(), line: 4 }));
    assert_eq!(read.region, Some(Entry { value: "eu-west-1".into(), line: 5 }));
}

#[test]
fn indentation_means_nothing() {
    assert_eq!(profile("  # it's why\n\tprofile = bedrock\n ; so\n").as_deref(), Some("bedrock"));
}

#[test]
fn a_hash_without_a_blank_before_it_belongs_to_the_value() {
    assert!(parse(b"profile = bed#rock\n").is_err(), "and # is no part of a profile's name");
    assert_eq!(profile("profile = a:b/c@d+e%f\n").as_deref(), Some("a:b/c@d+e%f"));
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_do_no_harm() {
    assert_eq!(
        profile("\u{feff}profile = bedrock\r\nregion = eu-west-1\r\n").as_deref(),
        Some("bedrock")
    );
}

#[test]
fn every_mistake_is_named_with_its_line() {
    for (text, line, what) in [
        ("profile = a\nprofil = b\n", Some(2), "unknown key 'profil'"),
        ("profile = a\n[x]\nprofile = b\n", Some(2), "[section]"),
        ("# c\nprofile\n", Some(2), "key = value"),
        ("profile\n= a\n", Some(1), "key = value"),
        ("= a\n", Some(1), "key = value"),
        ("profile = \"a\n", Some(1), "key = value"),
        ("profile = \"a\" b\n", Some(1), "cannot be the name"),
        ("profile = a = b\n", Some(1), "cannot be the name"),
        ("profile = a\x1b[2K\n", Some(1), "control character"),
        ("profile = a\nprofile = b\n", Some(2), "second time"),
        ("profile =\n", Some(1), "cannot be the name"),
        ("\nprofile = two words\n", Some(2), "cannot be the name"),
        ("region = eu_west\n", Some(1), "cannot be the name"),
        ("profile = a\\\nregion = b\n", Some(1), "backslash"),
        ("# nothing\n", None, "says nothing"),
        ("", None, "says nothing"),
    ] {
        let error = parse(text.as_bytes()).unwrap_err();
        assert!(error.what.contains(what), "{text:?} gave {error:?}");
        assert_eq!(error.line, line, "{text:?}");
    }
    assert_eq!(parse(b"a = 1\nb = \xff\n").unwrap_err().line, Some(2));
    assert!(parse(&vec![b'#'; MAX_BYTES + 1]).unwrap_err().what.contains("64 KiB"));
}

#[test]
fn an_error_never_repeats_a_value() {
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    for text in [
        format!("aws_secret_access_key = {secret}\n"),
        format!("profile = {secret} x\n"),
        format!("{secret}\n"),
    ] {
        let error = parse(text.as_bytes()).unwrap_err();
        assert!(!error.what.contains(secret), "{error:?}");
    }
}

#[test]
fn rewriting_keeps_comments_and_the_other_key() {
    let old = b"# why\nregion = eu-west-1\n\nprofile = old # team A\n";
    let profile = |name| [("profile", Edit::Set(name))];
    let new = rewrite(Some(old), None, &profile("bedrock")).unwrap();
    assert_eq!(new, "# why\nregion = eu-west-1\n\nprofile = bedrock # team A\n");
    let both = [("profile", Edit::Set("a")), ("region", Edit::Set("b-1"))];
    assert_eq!(rewrite(None, None, &both).unwrap(), "profile = a\nregion = b-1\n");
    let commented = rewrite(Some(b"# to do\n"), None, &profile("a")).unwrap();
    assert_eq!(commented, "# to do\nprofile = a\n");
    assert!(rewrite(Some(b"nonsense"), None, &profile("a")).is_err());
}

#[test]
fn rewriting_a_section_leaves_the_others_alone() {
    let old = b"# mine\nprofile = a\n\n[~/x]\nprofile = b ; why\n\n[~/y]\nregion = r-1\n";
    let edit = |header, edits: &[(&str, Edit<'_>)]| rewrite(Some(old), header, edits).unwrap();
    assert_eq!(
        edit(Some("~/x"), &[("profile", Edit::Set("c")), ("region", Edit::Set("r-2"))]),
        "# mine\nprofile = a\n\n[~/x]\nprofile = c ; why\nregion = r-2\n\n[~/y]\nregion = r-1\n"
    );
    assert_eq!(
        edit(Some("~/y"), &[("region", Edit::Remove)]),
        "# mine\nprofile = a\n\n[~/x]\nprofile = b ; why\n\n"
    );
    assert_eq!(
        edit(None, &[("profile", Edit::Remove), ("region", Edit::Set("r-3"))]),
        "# mine\nregion = r-3\n\n[~/x]\nprofile = b ; why\n\n[~/y]\nregion = r-1\n"
    );
    let new = edit(Some("/z"), &[("profile", Edit::Set("z"))]);
    assert!(new.ends_with("region = r-1\n\n[/z]\nprofile = z\n"), "{new}");
}
