//! Regions: the known ones complete, and one that AWS may not have is accepted with a word.

use crate::harness::{Key, Sandbox, Session, Shell, scenario};

const NEAREST: &str = "did you mean 'eu-west-1'?";

#[track_caller]
fn assert_named_once(text: &str, region: &str, what: &str) {
    let named = format!("region '{region}' (");
    assert_eq!(text.matches(&named).count(), 1, "{what}: {text}");
    assert!(text.contains("is not in AWS's list of 20"), "{what}: {text}");
    assert!(text.contains(NEAREST), "{what}: {text}");
}

#[test]
fn an_unknown_region_is_accepted_and_named_with_the_nearest() {
    let home = Sandbox::documented_home();
    home.mkdir("acme");
    for words in [
        &["use", "bedrock", "--region", "eu-wset-1", "--shell", "bash"][..],
        &[
            "exec",
            "--profile",
            "bedrock",
            "--region",
            "eu-wset-1",
            "--",
            "/bin/sh",
            "-c",
            "echo ran in $AWS_REGION",
        ],
        &["local", "--region", "eu-wset-1"],
        &["local", "--private", "--region", "eu-wset-1"],
        &["status"],
        &["doctor"],
        &["use", "--global", "--region", "eu-wset-1"],
    ] {
        let told = home.invoke(words).cwd(home.path("acme")).run();
        assert_named_once(&format!("{}{}", told.out(), told.err()), "eu-wset-1", words[0]);
        if words[0] == "exec" {
            assert_eq!(told.expect_code(0).out(), "ran in eu-wset-1\n");
        }
    }
    let status =
        home.invoke(["status", "--json"]).cwd(home.path("acme")).run().expect_code(0).json();
    assert_eq!(status["region"], "eu-wset-1");
    let codes: Vec<_> = status["notices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|notice| notice["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["auto-detected", "region-unknown", "plain-start"]);
}

#[test]
fn a_known_region_and_one_like_no_other_get_no_advice() {
    let home = Sandbox::documented_home();
    for region in ["eu-west-1", "cn-north-1", "us-gov-east-1", "eusc-de-east-1"] {
        let told =
            home.run(["use", "bedrock", "--region", region, "--shell", "zsh"]).expect_code(0);
        assert!(!told.err().contains("AWS's list of"), "{}", told.err());
    }
    let told =
        home.run(["use", "bedrock", "--region", "localstack", "--shell", "zsh"]).expect_code(0);
    assert!(
        told.err().contains("'localstack'") && !told.err().contains("did you mean"),
        "{}",
        told.err()
    );
}

/// At a prompt it would be said to everybody whose region is newer than our list.
#[test]
fn the_hook_says_nothing_of_it() {
    let home = Sandbox::documented_home();
    home.allow("acme", "profile = bedrock\nregion = eu-wset-1\n");
    let told =
        home.invoke(["hook", "fish", "1.1", "stamps"]).cwd(home.path("acme")).run().expect_code(0);
    assert!(told.out().contains("eu-wset-1"), "{}", told.out());
    assert_eq!(told.err(), "");
}

scenario! {
    fn tab_completes_known_regions_after_each_command(shell) {
        let home = Sandbox::documented_home();
        let mut builder = Session::builder(&home, shell).size(50, 110).env("BACKLOG_AWS_QUIET", "1");
        if shell == Shell::Zsh {
            builder = builder.before("autoload -Uz compinit; compinit -u -D");
        }
        let mut session = builder.spawn();
        for (line, completed) in [
            ("backlog-aws use --region mx-", "--region mx-central-1"),
            ("backlog-aws local --region il-", "--region il-central-1"),
            ("backlog-aws exec --region=af-", "--region=af-south-1"),
            ("backlog-aws credentials -r us-gov-w", "-r us-gov-west-1"),
        ] {
            session.send(line);
            session.key(Key::Tab);
            session.wait_for(completed);
            session.interrupt();
        }
        // Those of the profiles come first, and are not told twice.
        session.send("backlog-aws use --region eu-west-");
        session.key(Key::Tab);
        if shell == Shell::Bash {
            session.key(Key::Tab);
        }
        session.wait_until("the regions", |screen| ["eu-west-1", "eu-west-2", "eu-west-3"].iter().all(|name| screen.contains(name)));
        let screen = session.screen();
        assert_eq!(screen.matches("eu-west-1").count(), 1, "{screen}");
        assert_eq!(screen.contains("Europe (London)"), shell != Shell::Bash, "{screen}");
        if shell == Shell::Fish {
            session.key(Key::Esc);
        }
        session.interrupt();
    }
}
