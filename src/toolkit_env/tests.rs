use super::*;

fn value(text: &str, name: &str) -> Option<String> {
    ToolkitEnv::parse(text.as_bytes()).get(name).map(|(value, _)| value.into_string().unwrap())
}

fn unknown(file: &ToolkitEnv) -> Vec<(&'static str, usize, Unknown)> {
    file.unknown().collect()
}

#[test]
fn reads_the_line_the_wizard_writes() {
    let text = "# Backlog Toolkit\nexport BACKLOG_AWS_PROFILE='bedrock'\n";
    let found = ToolkitEnv::parse(text.as_bytes()).get("BACKLOG_AWS_PROFILE");
    assert_eq!(found, Some(("bedrock".into(), 2)));
}

#[test]
fn reads_every_posix_way_of_quoting() {
    for (line, expected) in [
        ("AWS_REGION=eu-west-1", "eu-west-1"),
        ("export AWS_REGION=eu-west-1 # comment", "eu-west-1"),
        ("  export\tAWS_REGION=\"eu-west-1\"", "eu-west-1"),
        (r#"AWS_REGION="a\"b\\c\d""#, r#"a"b\c\d"#),
        (r"AWS_REGION=a\ b", "a b"),
        ("AWS_REGION='it'\\''s'", "it's"),
        ("AWS_REGION='a$b`c'", "a$b`c"),
        ("AWS_REGION=x;AWS_PROFILE=y", "x"),
        ("AWS_REGION=eu-west-1\r\n", "eu-west-1"),
    ] {
        assert_eq!(value(line, "AWS_REGION").as_deref(), Some(expected), "{line:?}");
    }
}

#[test]
fn the_last_assignment_wins_and_empty_counts_as_unset() {
    assert_eq!(value("AWS_REGION=a\nAWS_REGION=b\n", "AWS_REGION").as_deref(), Some("b"));
    assert_eq!(value("AWS_REGION=a\nAWS_REGION=''\n", "AWS_REGION"), None);
    let blank = ToolkitEnv::parse(b"AWS_REGION=a\nAWS_REGION=''\n");
    assert_eq!(blank.find("AWS_REGION"), Some(Ok(&b""[..])));
    assert_eq!(blank.lines_of("AWS_REGION"), [1, 2]);
}

#[test]
fn a_value_that_needs_a_shell_is_named_and_not_guessed() {
    for line in [
        "BACKLOG_AWS_PROFILE=$(id -un)",
        "BACKLOG_AWS_PROFILE=\"$USER\"",
        "BACKLOG_AWS_PROFILE=`id`",
        "BACKLOG_AWS_PROFILE=${X:-y}",
        "BACKLOG_AWS_PROFILE=~/x",
        "BACKLOG_AWS_PROFILE+=x",
        "export A=1 BACKLOG_AWS_PROFILE+=x",
    ] {
        let read = ToolkitEnv::parse(format!("BACKLOG_AWS_PROFILE=old\n{line}\n").as_bytes());
        assert_eq!(unknown(&read), [("BACKLOG_AWS_PROFILE", 2, Unknown::NeedsShell)], "{line}");
        assert_eq!(read.get("BACKLOG_AWS_PROFILE"), None, "{line}");
    }
}

#[test]
fn a_value_whose_quote_does_not_end_on_its_line_is_not_read() {
    for value in
        ["'eu-west-1", "\"eu-west-1", "eu-west-1\\", "\"eu-\\", "'a\nb'", "\"a\nb\"", "a\\\nb"]
    {
        let read = ToolkitEnv::parse(format!("\nAWS_REGION={value}\n").as_bytes());
        assert_eq!(unknown(&read), [("AWS_REGION", 2, Unknown::OpenQuote)], "{value}");
        assert_eq!(read.get("AWS_REGION"), None, "{value}");
    }
}

#[test]
fn what_follows_an_open_quote_is_not_known_until_it_is_closed() {
    let text = "BACKLOG_AWS_PROFILE=a\nAWS_REGION=b\nexport NOTE='x\nBACKLOG_AWS_PROFILE=c\n'\n";
    let read = ToolkitEnv::parse(format!("{text}AWS_DEFAULT_REGION=d\n").as_bytes());
    assert_eq!(unknown(&read), [("BACKLOG_AWS_PROFILE", 3, Unknown::OpenQuote)]);
    assert_eq!(read.get("AWS_REGION"), Some(("b".into(), 2)));
    assert_eq!(read.get("AWS_DEFAULT_REGION"), Some(("d".into(), 6)));
    // A shell would not get that far either.
    let read = ToolkitEnv::parse(b"AWS_REGION='eu-west-1\n\nBACKLOG_AWS_PROFILE=bedrock\n");
    let expected = ["AWS_REGION", "BACKLOG_AWS_PROFILE"];
    assert_eq!(unknown(&read), expected.map(|name| (name, 1, Unknown::OpenQuote)));
}

#[test]
fn a_later_line_replaces_what_could_not_be_read() {
    let read = ToolkitEnv::parse(b"AWS_REGION=$(x)\nAWS_REGION=b\n");
    assert_eq!(unknown(&read), []);
    assert_eq!(read.get("AWS_REGION"), Some(("b".into(), 2)));
}

#[test]
fn a_megabyte_of_anything_is_read_in_no_time() {
    let megabyte = 1 << 20;
    for piece in ["A=\\\n", "\n", "A='\n", "A=1;", "A=$(", ";", "AWS_REGION=\"", "AWS_REGION=a "] {
        let started = std::time::Instant::now();
        ToolkitEnv::parse(piece.repeat(megabyte / piece.len()).as_bytes());
        assert!(started.elapsed().as_secs() < 5, "{piece:?} took {:?}", started.elapsed());
    }
}

#[test]
fn several_assignments_on_one_line_all_count() {
    let text = "export AWS_REGION=a BACKLOG_AWS_PROFILE=b\nX='1 2' AWS_DEFAULT_REGION=c; AWS_SESSION_TOKEN=d # e\n";
    for (name, expected) in [
        ("AWS_REGION", "a"),
        ("BACKLOG_AWS_PROFILE", "b"),
        ("AWS_DEFAULT_REGION", "c"),
        ("AWS_SESSION_TOKEN", "d"),
    ] {
        assert_eq!(value(text, name).as_deref(), Some(expected), "{name}");
    }
}

#[test]
fn what_only_a_shell_can_follow_is_named_and_not_guessed() {
    for line in [
        "BACKLOG_AWS_PROFILE=luxito some-command",
        "declare -x BACKLOG_AWS_PROFILE=luxito",
        "[ -n \"$X\" ] || export BACKLOG_AWS_PROFILE=luxito",
        "export OTHER=$(id) BACKLOG_AWS_PROFILE=luxito",
    ] {
        let read = ToolkitEnv::parse(format!("BACKLOG_AWS_PROFILE=old\n{line}\n").as_bytes());
        assert_eq!(unknown(&read), [("BACKLOG_AWS_PROFILE", 2, Unknown::NeedsShell)], "{line}");
        assert_eq!(read.get("BACKLOG_AWS_PROFILE"), None, "{line}");
    }
}

#[test]
fn unset_takes_back_what_was_set() {
    assert_eq!(value("AWS_REGION=a\nunset -v X AWS_REGION\n", "AWS_REGION"), None);
    assert_eq!(value("AWS_REGION=a\nunset AWS_REGION_NAME\n", "AWS_REGION").as_deref(), Some("a"));
}

#[test]
fn other_names_and_longer_names_are_left_alone() {
    assert_eq!(value("MY_AWS_REGION=a\nAWS_REGION_NAME=b\n#AWS_REGION=c\n", "AWS_REGION"), None);
    assert_eq!(value("echo AWS_REGION=a\n", "AWS_REGION"), None);
}
