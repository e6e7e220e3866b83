//! Which account pays: shown wherever a profile is, worked out offline.

use crate::harness::{Key, Sandbox, Session, scenario};

/// AWS's published pair of a key id and its account.
const KNOWN: &str = "[known]\naws_access_key_id = ASIAQNZGKIQY56JQ7WML\naws_secret_access_key = s\n\
                     aws_session_token = t\nregion = eu-west-1\n";
const ACCOUNT: &str = "029608264753";

/// A profile whose account is known, one whose key id does not tell, and an SSO profile that names its account.
fn home() -> Sandbox {
    let home = Sandbox::documented_home();
    let credentials = std::fs::read_to_string(home.path(".aws/credentials")).unwrap();
    home.write_private(".aws/credentials", format!("{KNOWN}{credentials}"));
    home
}

#[test]
fn every_command_that_shows_a_profile_shows_its_account() {
    let home = home();
    home.write("acme/.backlog-aws", "profile = known\n");
    let said = |words: &[&str]| {
        home.invoke(words).cwd(home.path("acme")).env("AWS_PROFILE", "cc").run().out().to_owned()
    };
    for words in [&["list"][..], &["status"], &["doctor"], &["exec", "--dry-run"], &["allow"]] {
        let text = said(words);
        let mut words_of_text = text.split_whitespace();
        let named = words_of_text.any(|word| word == "account")
            && words_of_text.next().is_some_and(|word| word.contains(ACCOUNT));
        assert!(named, "{words:?}: {text}");
    }
    let row = |name: &str| {
        let report = said(&["doctor"]);
        let row = report
            .lines()
            .find(|line| line.trim_start().starts_with(name))
            .expect("it is in the table");
        row.to_owned()
    };
    assert!(row("under exec").contains(ACCOUNT), "{}", row("under exec"));
    assert!(
        row("claude-code").contains("111122223333"),
        "its SSO settings tell: {}",
        row("claude-code")
    );
    let list = said(&["list", "--json"]);
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let accounts: Vec<_> = list["profiles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|profile| (profile["name"].as_str().unwrap(), profile["account"].as_str()))
        .collect();
    assert_eq!(
        accounts,
        [
            ("known", Some(ACCOUNT)),
            ("luxito", None),
            ("bedrock", None),
            ("cc", Some("111122223333"))
        ]
    );
}

#[test]
fn an_account_that_the_key_id_does_not_tell_is_left_out() {
    let home = home();
    for words in
        [&["exec", "--profile", "bedrock", "--dry-run"][..], &["use", "bedrock", "--shell", "bash"]]
    {
        let told = home.run(words).expect_code(0);
        let text = format!("{}{}", told.out(), told.err());
        assert!(text.contains("bedrock (static, AKIA************MPLE), "), "{words:?}: {text}");
    }
}

scenario! {
    fn the_choice_shows_accounts_and_they_can_be_typed(shell) {
        let home = home();
        let mut session = Session::start(&home, shell);
        session.send("backlog-aws use");
        session.key(Key::Enter);
        session.wait_for(&format!("> known    temporary  eu-west-1  {ACCOUNT}"));
        session.key(Key::Down);
        session.wait_for("> luxito");
        session.send("0296");
        session.wait_until("one row", |screen| screen.contains("> known") && !screen.contains("luxito   "));
        session.key(Key::Enter);
        let told = session.wait_prompt().joined();
        assert!(told.contains(&format!("in force in this shell: known (temporary, ASIA************7WML, account {ACCOUNT}), eu-west-1, by pin")), "{told}");
    }

    fn each_choice_says_what_is_in_force_and_that_is_so(shell) {
        let home = home();
        home.mkdir("acme");
        let mut session = Session::builder(&home, shell).size(40, 300).spawn();
        session.cd(home.path("acme"));
        let luxito = "luxito (static, AKIA************MPLE)";
        let bedrock = "bedrock (static, AKIA************MPLE)";
        let known = format!("known (temporary, ASIA************7WML, account {ACCOUNT})");
        for (command, told, answer) in [
            ("use --global bedrock", format!("in force everywhere: {bedrock}, eu-west-1, by user-default"), ("bedrock", "user-default")),
            ("local --private luxito --region eu-north-1", format!("in force in this directory and below: {luxito}, eu-north-1, by rule"), ("luxito", "rule")),
            ("use --global luxito", format!("in force here: {luxito}, eu-north-1, by rule"), ("luxito", "rule")),
            ("local known", format!("in force in this directory and below: {known}, eu-north-1, by directory"), ("known", "directory")),
            ("local --private bedrock", format!("in force here: {known}, eu-north-1, by directory"), ("known", "directory")),
            ("use bedrock --region ap-south-1", format!("in force in this shell: {bedrock}, ap-south-1, by pin; until `backlog-aws use --clear`"), ("bedrock", "pin")),
            ("use --global bedrock", format!("in force here: {bedrock}, ap-south-1, by pin; until `backlog-aws use --clear`"), ("bedrock", "pin")),
            ("use bedrock", format!("in force in this shell: {bedrock}, eu-north-1, by pin; until `backlog-aws use --clear`"), ("bedrock", "pin")),
            ("local --unset", format!("in force here: {bedrock}, eu-north-1, by pin; until `backlog-aws use --clear`"), ("bedrock", "pin")),
            ("use --clear", format!("in force in this shell: {bedrock}, eu-north-1, by rule"), ("bedrock", "rule")),
            ("local --private --unset", format!("in force here: {bedrock}, eu-west-1, by user-default"), ("bedrock", "user-default")),
            ("use --global --clear", format!("in force here: {known}, eu-west-1, by first"), ("known", "first")),
        ] {
            let text = session.line(format!("backlog-aws {command}")).text;
            let lines: Vec<&str> = text.lines().filter(|line| line.contains("in force ")).collect();
            assert_eq!(lines.len(), 1, "{command}: {text}");
            assert!(lines[0].ends_with(&told), "{command}: {text}");
            session.line("");
            session.assert_answer(answer.0, answer.1);
        }
        assert!(!session.line("BACKLOG_AWS_QUIET=1 backlog-aws use luxito").text.contains("in force"));
    }
}
