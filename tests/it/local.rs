//! `backlog-aws local`: writing, showing and removing a directory's override.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::harness::{Output, Sandbox, Session, scenario};

/// The profile as it is shown.
const BEDROCK: &str = "bedrock (static, AKIA************MPLE), eu-west-1";

#[track_caller]
fn local(home: &Sandbox, directory: &str, words: &[&str]) -> Output {
    home.invoke([&["local"], words].concat()).cwd(home.path(directory)).run()
}

#[track_caller]
fn profile_in(home: &Sandbox, directory: &Path) -> (String, String) {
    let status = home.invoke(["status", "--json"]).cwd(directory).run().json();
    let word = |key: &str| status[key].as_str().unwrap_or("none").to_owned();
    (word("profile"), word("source"))
}

fn names(directory: &Path) -> Vec<PathBuf> {
    let mut names: Vec<_> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into()).collect();
    names.sort();
    names
}

scenario! {
    fn local_takes_effect_at_the_next_prompt_and_unset_takes_it_back(shell) {
        let home = Sandbox::documented_home();
        home.mkdir("acme/src");
        let mut session = Session::start(&home, shell);
        session.cd(home.path("acme"));
        let told = session.line("backlog-aws local bedrock --region ap-south-1").joined();
        assert!(told.starts_with("wrote and allowed "), "{told}");
        assert!(told.contains("region = ap-south-1in force in this directory and below: bedrock ("), "{told}");
        assert_eq!(session.var("BACKLOG_AWS_PROFILE"), Some("bedrock".into()));
        assert_eq!(session.var("BACKLOG_AWS_REGION"), Some("ap-south-1".into()));
        session.cd(home.path("acme/src"));
        assert_eq!(session.var("BACKLOG_AWS_PROFILE"), Some("bedrock".into()));
        session.cd(home.path("acme"));
        session.line("backlog-aws local --unset");
        assert_eq!(session.var("BACKLOG_AWS_PROFILE"), Some("luxito".into()));
        assert_eq!(session.var("BACKLOG_AWS_REGION"), Some("us-west-2".into()));
    }

    fn directories_of_any_name_take_an_override(shell) {
        let home = Sandbox::documented_home();
        let mut session = Session::start(&home, shell);
        let names: [&[u8]; 8] = [
            b"with  two blanks",
            b"it's \"quoted\"",
            b"line\nbreak",
            b"\xff\xfe not UTF-8",
            b"-dash",
            b"$(touch x) `y` $HOME ~ * !! %",
            b"ends in a backslash\\",
            "Grüße 世界 \u{202e}".as_bytes(),
        ];
        for name in names {
            let directory = home.path(OsStr::from_bytes(name));
            fs::create_dir(&directory).unwrap();
            session.cd(&directory);
            session.line("backlog-aws local bedrock");
            assert_eq!(session.status_of_last(), 0, "{}", name.escape_ascii());
            assert_eq!(session.var("BACKLOG_AWS_PROFILE"), Some("bedrock".into()), "{}", name.escape_ascii());
            assert_eq!(fs::read(directory.join(".backlog-aws")).unwrap(), b"profile = bedrock\n");
            // Shown on one line, whatever it is called.
            let shown = home.invoke(["local"]).cwd(&directory).run().expect_code(0);
            assert_eq!(shown.out().lines().count(), 1, "{}", shown.out());
            assert!(!shown.out().contains('\u{202e}'));
            session.cd(home.home());
            assert_eq!(session.var("BACKLOG_AWS_PROFILE"), Some("luxito".into()), "{}", name.escape_ascii());
        }
        assert!(!home.path("x").exists());
    }

    fn local_in_a_directory_that_is_gone_says_so(shell) {
        let home = Sandbox::documented_home();
        home.mkdir("acme");
        let mut session = Session::start(&home, shell);
        session.cd(home.path("acme"));
        home.remove("acme");
        let told = session.line("backlog-aws local bedrock").text;
        assert!(told.contains("the working directory is gone; go to one that exists"), "{told}");
        session.cd(home.home());
    }
}

#[test]
fn local_writes_keeps_shows_and_removes() {
    const SHOWN: &str = "~/acme/.backlog-aws";
    let home = Sandbox::documented_home();
    home.mkdir("acme/src");
    let file = home.path("acme").canonicalize().unwrap().join(".backlog-aws");
    let wrote = local(&home, "acme", &["bedrock"]).expect_code(0);
    assert_eq!(
        wrote.out(),
        format!(
            "wrote and allowed {SHOWN}\n{SHOWN}:1: profile = bedrock\nin force in this directory and below: {BEDROCK}, by directory\n",
        )
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "profile = bedrock\n");
    local(&home, "acme", &["--region", "ap-south-1"]).expect_code(0);
    assert_eq!(fs::read_to_string(&file).unwrap(), "profile = bedrock\nregion = ap-south-1\n");
    let shown = local(&home, "acme/src", &[]).expect_code(0);
    assert_eq!(
        shown.out(),
        format!("{SHOWN}:1: profile = bedrock\n{SHOWN}:2: region = ap-south-1\n")
    );
    assert_eq!(shown.err(), "");
    let elsewhere = local(&home, "acme/src", &["--unset"]).expect_code(1);
    assert!(
        elsewhere.err().contains("there is no .backlog-aws in this directory"),
        "{}",
        elsewhere.err()
    );
    let removed = local(&home, "acme", &["--unset"]).expect_code(0);
    let after = "in force here: luxito (static, AKIA************MPLE), us-west-2, by first";
    assert_eq!(removed.out(), format!("removed {SHOWN}\n{after}\n"));
    assert_eq!(profile_in(&home, &home.path("acme")), ("luxito".into(), "first".into()));
    // The trust went with it: should the same file come back by other hands, it is a stranger.
    fs::write(&file, "profile = bedrock\nregion = ap-south-1\n").unwrap();
    assert_eq!(profile_in(&home, &home.path("acme")).1, "first");
    let none = local(&home, "", &[]).expect_code(1);
    assert!(none.err().contains("make one with `backlog-aws local PROFILE`"), "{}", none.err());
}

#[test]
fn rewriting_keeps_comments_order_line_ends_and_the_other_key() {
    let home = Sandbox::documented_home();
    for (before, words, after) in [
        (
            "# why\r\nregion = eu-west-1 ; near\r\n\r\nprofile = luxito\t# team A\r\n",
            &["bedrock"][..],
            "# why\r\nregion = eu-west-1 ; near\r\n\r\nprofile = bedrock # team A\r\n",
        ),
        ("profile=luxito", &["--region", "eu-north-1"], "profile=luxito\nregion = eu-north-1\n"),
        (
            "; profile = cc\n# profile = cc\nprofile = luxito\n",
            &["bedrock"],
            "; profile = cc\n# profile = cc\nprofile = bedrock\n",
        ),
        ("# only a comment\n", &["bedrock"], "# only a comment\nprofile = bedrock\n"),
        ("", &["bedrock"], "profile = bedrock\n"),
    ] {
        let file = home.write("acme/.backlog-aws", before);
        // What says nothing cannot be allowed, and need not be.
        home.invoke(["allow"]).cwd(home.path("acme")).run();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        local(&home, "acme", words).expect_code(0);
        assert_eq!(fs::read_to_string(&file).unwrap(), after);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(
            names(&home.path("acme")),
            [PathBuf::from(".backlog-aws")],
            "nothing is left beside it"
        );
        assert_eq!(
            profile_in(&home, &home.path("acme")).1,
            "directory",
            "what local writes is allowed"
        );
    }
}

#[test]
fn a_profile_that_is_not_usable_is_refused_with_those_that_are() {
    let home = Sandbox::documented_home();
    home.mkdir("acme");
    for name in ["cc", "no-such"] {
        let refused = local(&home, "acme", &[name]).expect_code(1);
        assert!(
            refused.err().contains(&format!("Profile '{name}' has no static credentials")),
            "{}",
            refused.err()
        );
        assert!(refused.err().contains("; try `backlog-aws local bedrock`"), "{}", refused.err());
        assert!(refused.err().contains("use --force to write it anyway"), "{}", refused.err());
        assert!(names(&home.path("acme")).is_empty());
    }
    local(&home, "acme", &["cc", "--force"]).expect_code(0);
    assert_eq!(profile_in(&home, &home.path("acme")), ("cc".into(), "directory".into()));
    // Not even force writes what no file may say.
    for (words, told) in [
        (&["two words", "--force"][..], "cannot be a profile"),
        (&["", "--force"], "cannot be a profile"),
        (&["a\nprofile = b", "--force"], "cannot be a profile"),
        (&["bedrock", "--region", "eu_west"], "cannot be a region"),
        (&["bedrock", "--region", ""], "cannot be a region"),
    ] {
        let refused = local(&home, "acme", words).expect_code(2);
        assert!(refused.err().contains(told), "{words:?}: {}", refused.err());
        assert_eq!(refused.err().lines().count(), 1, "{}", refused.err());
    }
    assert_eq!(profile_in(&home, &home.path("acme")).0, "cc");
}

#[test]
fn a_file_that_is_not_understood_is_left_alone() {
    let home = Sandbox::documented_home();
    let file = home.write("acme/.backlog-aws", "profile = luxito\n[more]\n");
    let refused = local(&home, "acme", &["bedrock"]).expect_code(1);
    assert!(refused.err().contains(".backlog-aws:2 has a [section]"), "{}", refused.err());
    assert!(refused.err().trim_end().ends_with("nothing was changed"), "{}", refused.err());
    assert_eq!(fs::read_to_string(&file).unwrap(), "profile = luxito\n[more]\n");
    home.remove("acme/.backlog-aws");
    home.mkdir("acme/.backlog-aws");
    let refused = local(&home, "acme", &["bedrock"]).expect_code(1);
    assert!(
        refused.err().contains("is a directory and not a file; nothing was changed"),
        "{}",
        refused.err()
    );
    let refused = local(&home, "acme", &["--unset"]).expect_code(1);
    assert!(refused.err().contains("cannot be removed: is a directory"), "{}", refused.err());
}

#[test]
fn local_shows_what_counts_and_names_what_does_not() {
    let home = Sandbox::documented_home();
    local(&home, "", &["bedrock"]).expect_code(0);
    home.write("acme/.backlog-aws", "profile = luxito\n");
    let shown = local(&home, "acme", &[]).expect_code(0);
    assert!(shown.out().starts_with("~/.backlog-aws:1: profile = bedrock"), "{}", shown.out());
    assert!(
        shown.err().contains("acme/.backlog-aws is ignored until you allow it"),
        "{}",
        shown.err()
    );
    local(&home, "", &["--unset"]).expect_code(0);
    let shown = local(&home, "acme", &[]).expect_code(1);
    assert!(
        shown.err().contains("acme/.backlog-aws is ignored until you allow it; read it, then run"),
        "{}",
        shown.err()
    );
    home.invoke(["deny"]).cwd(home.path("acme")).run().expect_code(0);
    let shown = local(&home, "acme", &[]).expect_code(1);
    assert!(shown.err().contains("is ignored, because you denied it"), "{}", shown.err());
    home.write("acme/.backlog-aws", "profile =\n");
    home.invoke(["allow", "--under", "."]).run().expect_code(0);
    home.write("other/.backlog-aws", "profile =\n");
    let shown = local(&home, "other", &[]).expect_code(1);
    assert!(
        shown.err().contains("other/.backlog-aws:1 has a `profile` that cannot be the name of one"),
        "{}",
        shown.err()
    );
}

#[test]
fn nothing_is_written_below_the_directories_of_aws_and_claude() {
    let home = Sandbox::documented_home();
    home.mkdir(".claude/projects");
    for directory in [".aws", ".claude/projects"] {
        let refused = local(&home, directory, &["bedrock"]).expect_code(1);
        assert!(refused.err().contains("belongs to another program"), "{}", refused.err());
    }
    let refused = local(&home, ".aws", &["--unset"]).expect_code(1);
    assert!(refused.err().contains("belongs to another program"), "{}", refused.err());
}

#[cfg(target_os = "linux")]
#[test]
fn a_directory_that_cannot_be_written_is_told_and_trusts_nothing() {
    let home = Sandbox::documented_home();
    // Not even root can write there.
    let refused = home.invoke(["local", "bedrock"]).cwd("/proc").run().expect_code(1);
    assert!(refused.err().contains("/proc/.backlog-aws cannot be written: "), "{}", refused.err());
    assert!(refused.err().trim_end().ends_with("nothing was changed"), "{}", refused.err());
    assert!(!home.path(".local/share/backlog-aws/trust").exists());
}

#[test]
fn without_a_terminal_local_never_asks() {
    let home = Sandbox::documented_home();
    home.mkdir("acme");
    let shown = home.invoke(["local"]).cwd(home.path("acme")).input("\r\r\r").run().expect_code(1);
    assert!(shown.err().contains("there is no .backlog-aws here or above"), "{}", shown.err());
    assert!(names(&home.path("acme")).is_empty());
}

#[test]
fn a_pin_that_hides_what_was_written_is_named() {
    let home = Sandbox::documented_home();
    home.mkdir("acme");
    let wrote = home
        .invoke(["local", "bedrock"])
        .cwd(home.path("acme"))
        .env("BACKLOG_AWS_PROFILE", "luxito")
        .run()
        .expect_code(0);
    let told = "in force here: luxito (static, AKIA************MPLE), us-west-2, by pin; until `backlog-aws use --clear`";
    assert!(wrote.out().contains(told), "{}", wrote.out());
}
