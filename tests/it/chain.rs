//! The order of the chain: for each two neighbors the upper one decides, and the lower one once it is gone.

use std::fs;

use crate::harness::{KEY_IDS, SECRETS, Sandbox, Session, Shell, scenario, static_profile};

const CONFIG: &str = ".config/backlog-aws/config.ini";
const TOOLKIT: &str = ".backlog-toolkit-env";

/// A profile for each step, named like it.
fn home() -> Sandbox {
    let home = Sandbox::new();
    let names = [
        "earliest",
        "default",
        "aws",
        "user-default",
        "toolkit",
        "ambient",
        "rule",
        "directory",
        "pin",
    ];
    let profiles = names.map(|name| static_profile(name, "eu-west-1"));
    home.write_private(".aws/credentials", profiles.concat());
    home.allow("acme", "profile = directory\n");
    home.write(CONFIG, "profile = user-default\n[~/acme]\nprofile = rule\n");
    home.write(TOOLKIT, format!("export BACKLOG_AWS_PROFILE='toolkit'\n{}", keys("export ")));
    home
}

fn keys(lead: &str) -> String {
    format!(
        "{lead}AWS_ACCESS_KEY_ID='{}'\n{lead}AWS_SECRET_ACCESS_KEY='{}'\n",
        KEY_IDS[0], SECRETS[0]
    )
}

/// A shell in which every step has something.
fn start(home: &Sandbox, shell: Shell, ambient: bool) -> Session<'_> {
    let mut builder = Session::builder(home, shell)
        .size(60, 300)
        .cwd(home.path("acme"))
        .env("AWS_ACCESS_KEY_ID", KEY_IDS[0])
        .env("AWS_SECRET_ACCESS_KEY", SECRETS[0])
        .env("AWS_PROFILE", "aws");
    if ambient {
        builder = builder.env("BACKLOG_AWS_PROFILE", "ambient");
    }
    builder.spawn()
}

/// What the shell has, and what `exec` gives.
#[track_caller]
fn assert_decides(session: &mut Session<'_>, source: &str, profile: Option<&str>) {
    session.line("");
    let [exported, _, from] = session.exported();
    assert_eq!((exported.as_deref(), from.as_deref()), (profile, Some(source)));
    let show =
        r#"backlog-aws exec --yes sh -c 'echo "[$BACKLOG_AWS_SOURCE $BACKLOG_AWS_PROFILE]"'"#;
    let text = session.line(show).text;
    assert!(
        text.contains(&format!("[{source} {}]", profile.unwrap_or_default())),
        "{source}: {text}"
    );
}

scenario! {
    fn of_each_two_neighbors_in_the_chain_the_upper_one_decides(shell) {
        let home = home();
        let mut session = start(&home, shell, true);
        session.line("backlog-aws use pin");
        assert_decides(&mut session, "pin", Some("pin"));
        session.line("backlog-aws use --clear");
        assert_decides(&mut session, "directory", Some("directory"));
        home.remove("acme/.backlog-aws");
        assert_decides(&mut session, "rule", Some("rule"));
        home.write(CONFIG, "profile = user-default\n");
        assert_decides(&mut session, "ambient", Some("ambient"));
        drop(session);
        // What was there before the shell began cannot be taken back in it.
        let mut session = start(&home, shell, false);
        assert_decides(&mut session, "toolkit-env", Some("toolkit"));
        home.write(TOOLKIT, keys("export "));
        assert_decides(&mut session, "user-default", Some("user-default"));
        home.remove(CONFIG);
        assert_decides(&mut session, "toolkit-env-keys", None);
        home.remove(TOOLKIT);
        assert_decides(&mut session, "environment-keys", None);
        session.unset("AWS_ACCESS_KEY_ID");
        session.unset("AWS_SECRET_ACCESS_KEY");
        assert_decides(&mut session, "aws-profile", Some("aws"));
        session.unset("AWS_PROFILE");
        assert_decides(&mut session, "default", Some("default"));
        let credentials = fs::read_to_string(home.path(".aws/credentials")).unwrap();
        home.write_private(".aws/credentials", credentials.replace("[default]", "[named]"));
        assert_decides(&mut session, "first", Some("earliest"));
    }
}
