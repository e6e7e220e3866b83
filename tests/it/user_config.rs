//! The user's own configuration: one profile for everywhere, and private rules of directories.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, lchown, symlink};

use crate::harness::{Sandbox, Session, Shell, is_root, say, scenario};

const CONFIG: &str = ".config/backlog-aws/config.ini";

/// Profile and source at this prompt.
fn answer(session: &mut Session) -> (Option<String>, Option<String>) {
    let mut value =
        |name: &str| session.var(name).map(|value| value.to_string_lossy().into_owned());
    (value("BACKLOG_AWS_PROFILE"), value("BACKLOG_AWS_SOURCE"))
}

fn is(profile: &str, source: &str) -> (Option<String>, Option<String>) {
    (Some(profile.to_owned()), Some(source.to_owned()))
}

scenario! {
    fn one_profile_for_everywhere_holds_in_every_shell_until_it_is_cleared(shell) {
        let home = Sandbox::documented_home();
        let mut first = Session::start(&home, shell);
        let mut others = Shell::ALL.map(|other| Session::start(&home, other));
        assert_eq!(answer(&mut first), is("luxito", "first"));
        let told = first.line("backlog-aws use --global bedrock --region eu-north-1").text;
        assert!(told.contains("wrote ") && told.contains("profile = bedrock"), "{told}");
        for session in others.iter_mut().chain([&mut first]) {
            session.line("");
            assert_eq!(answer(session), is("bedrock", "user-default"));
            assert_eq!(session.cd("/").text, "");
            assert_eq!(answer(session), is("bedrock", "user-default"));
        }
        first.line("backlog-aws use --global --clear");
        for session in others.iter_mut().chain([&mut first]) {
            session.line("");
            assert_eq!(answer(session), is("luxito", "first"));
        }
    }

    fn rules_hold_in_their_directories_and_below_and_nowhere_else(shell) {
        let home = Sandbox::documented_home();
        home.mkdir("work/acme/src");
        home.mkdir("work/other");
        home.write(CONFIG, "[~/work]\nprofile = bedrock\n\n[~/work/acme]\nregion = eu-south-1\nprofile = luxito\n");
        let mut session = Session::start(&home, shell);
        assert_eq!(answer(&mut session), is("luxito", "first"));
        for (directory, profile) in [
            ("work", "bedrock"),
            ("work/acme/src", "luxito"),
            ("work/other", "bedrock"),
            ("work/acme", "luxito"),
        ] {
            session.cd(home.path(directory));
            assert_eq!(answer(&mut session), is(profile, "rule"), "{directory}");
        }
        session.cd("/");
        assert_eq!(answer(&mut session), is("luxito", "first"));
    }

    fn an_override_comes_before_a_rule_and_a_private_rule_leaves_nothing_in_the_directory(shell) {
        let home = Sandbox::documented_home();
        home.mkdir("acme");
        let mut session = Session::start(&home, shell);
        session.cd(home.path("acme"));
        session.line("backlog-aws local --private bedrock");
        session.line("");
        assert_eq!(answer(&mut session), is("bedrock", "rule"));
        assert_eq!(fs::read_dir(home.path("acme")).unwrap().count(), 0);
        session.line("backlog-aws local luxito");
        session.line("");
        assert_eq!(answer(&mut session), is("luxito", "directory"));
        session.line("backlog-aws local --unset");
        session.line("backlog-aws local --private --unset");
        session.line("");
        assert_eq!(answer(&mut session), is("luxito", "first"));
    }

    fn a_file_edited_by_hand_counts_at_the_next_prompt_and_a_broken_one_stops_the_chain(shell) {
        let home = Sandbox::documented_home();
        let mut session = Session::builder(&home, shell).size(40, 300).spawn();
        home.write(CONFIG, "profile = bedrock\n");
        session.line("");
        assert_eq!(answer(&mut session), is("bedrock", "user-default"));
        home.write(CONFIG, "profile = bedrock\nprofil = luxito\n");
        let told = session.line("").text;
        assert!(told.contains("config.ini:2 has the unknown key 'profil'"), "{told}");
        assert_eq!(answer(&mut session), (None, Some("rule".to_owned())));
        home.write(CONFIG, "profile = bedrock\n");
        session.line("");
        assert_eq!(answer(&mut session), is("bedrock", "user-default"));
    }
}

scenario! {
    /// The override decides, whichever of the two directories is the nearer one.
    fn a_rule_below_an_override_and_one_above_it_give_way_to_it(shell) {
        let home = Sandbox::documented_home();
        home.mkdir("work/acme/src");
        home.mkdir("work/other");
        home.write(CONFIG, "[~/work]\nprofile = luxito\n[~/work/acme/src]\nprofile = luxito\nregion = eu-south-1\n");
        let mut session = Session::start(&home, shell);
        session.cd(home.path("work/acme"));
        session.assert_answer("luxito", "rule");
        session.line("backlog-aws local bedrock");
        for (directory, profile, source) in [
            ("work/acme", "bedrock", "directory"),
            ("work/acme/src", "bedrock", "directory"),
            ("work/other", "luxito", "rule"),
            ("work/acme/src", "bedrock", "directory"),
            (".", "luxito", "first"),
        ] {
            session.cd(home.path(directory));
            session.assert_answer(profile, source);
        }
        session.cd(home.path("work/acme"));
        session.line("backlog-aws deny");
        session.line("");
        session.assert_answer("luxito", "rule");
    }

    fn leaving_a_rules_directory_restores_exactly_what_was_there(shell) {
        let home = Sandbox::documented_home();
        home.mkdir("acme");
        home.write(CONFIG, "[~/acme]\nprofile = bedrock\nregion = eu-south-1\n");
        let mut session = Session::builder(&home, shell).env("BACKLOG_AWS_PROFILE", "cc").env("BACKLOG_AWS_REGION", "").spawn();
        let before = session.exported();
        session.cd(home.path("acme"));
        session.assert_exported("bedrock", "eu-south-1", "rule");
        session.cd(home.home());
        assert_eq!(session.exported(), before);
        // A configuration that goes is left like a directory.
        session.cd(home.path("acme"));
        home.remove(CONFIG);
        session.line("");
        assert_eq!(session.exported(), before);
    }

    fn a_configuration_of_somebody_else_stops_the_chain_at_the_prompt_until_it_is_the_users(shell) {
        let home = Sandbox::documented_home();
        let path = home.write(CONFIG, "profile = bedrock\n");
        let mut session = Session::builder(&home, shell).size(40, 300).spawn();
        session.assert_answer("bedrock", "user-default");
        let me = fs::metadata(&path).unwrap().uid();
        let mut trials = vec![(None, "can be written by others")];
        if is_root() {
            trials.push((Some(12345), "belongs to another user"));
        } else {
            say("a_configuration_of_somebody_else: not root, so it is only opened to others, and none is given away");
        }
        for (owner, why) in trials {
            match owner {
                Some(owner) => lchown(&path, Some(owner), None).unwrap(),
                None => fs::set_permissions(&path, Permissions::from_mode(0o646)).unwrap(),
            }
            // Times of files tell two of the shells that something is new.
            fs::File::options().append(true).open(&path).unwrap().set_modified(std::time::SystemTime::now()).unwrap();
            let told = session.line("").text;
            assert!(told.contains(why), "{told}");
            assert_eq!(answer(&mut session), (None, Some("rule".to_owned())));
            session.line("backlog-aws exec true < /dev/null");
            assert_eq!(session.status_of_last(), 1);
            fs::remove_file(&path).unwrap();
            home.write(CONFIG, "profile = bedrock\n");
            assert_eq!(fs::metadata(&path).unwrap().uid(), me);
            session.line("");
            session.assert_answer("bedrock", "user-default");
        }
    }
}

#[test]
fn a_file_that_others_can_write_to_is_not_believed_and_nothing_else_is_tried() {
    let home = Sandbox::documented_home();
    let path = home.write(CONFIG, "profile = bedrock\n");
    fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    let refused = home.run(["exec", "--", "/bin/true"]).expect_code(1);
    assert!(refused.err().contains("config.ini can be written by others"), "{}", refused.err());
}

/// Whoever can write to the directory can have the name lead to any file of the user's, in a repository for example.
#[test]
fn a_file_in_a_directory_of_everybodys_is_not_believed() {
    let home = Sandbox::documented_home();
    let planted = home.write("repository/notes.ini", "profile = bedrock\n");
    let directory = home.mkdir(".config/backlog-aws");
    symlink(planted, directory.join("config.ini")).unwrap();
    let source = || home.run(["status", "--json"]).json()["source"].clone();
    assert_eq!(source(), "user-default", "managers of such files make links");
    let is_refused = |why: &str| {
        let refused = home.run(["exec", "--", "/bin/true"]).expect_code(1);
        assert!(refused.err().contains(why), "{}", refused.err());
        let refused = home.run(["use", "--global", "luxito"]).expect_code(1);
        assert!(refused.err().contains(why), "{}", refused.err());
    };
    fs::set_permissions(&directory, Permissions::from_mode(0o777)).unwrap();
    is_refused("config.ini is in a directory that others can write to; ");
    fs::set_permissions(&directory, Permissions::from_mode(0o755)).unwrap();
    assert_eq!(source(), "user-default");
    if is_root() {
        lchown(&directory, Some(12345), None).unwrap();
        is_refused("config.ini is in a directory of another user; ");
    } else {
        say("a_file_in_a_directory_of_everybodys: not root, so the directory is not given away");
    }
}

/// It would mean another file in each directory, and a repository could bring one.
#[test]
fn a_relative_path_of_the_configuration_is_refused() {
    let home = Sandbox::documented_home();
    home.write("acme/mine.ini", "profile = bedrock\n");
    let run = home.invoke(["exec", "--", "/bin/true"]).cwd(home.path("acme"));
    let refused = run.env("BACKLOG_AWS_CONFIG", "mine.ini").run().expect_code(1);
    assert!(refused.err().contains("mine.ini is not an absolute path; "), "{}", refused.err());
}

/// Many Linux systems make a group for each user, and an editor leaves the file for it to write.
#[test]
fn a_file_that_only_the_users_own_group_can_write_to_is_believed() {
    let home = Sandbox::documented_home();
    let path = home.write(CONFIG, "profile = bedrock\n");
    fs::set_permissions(&path, Permissions::from_mode(0o664)).unwrap();
    let found = fs::metadata(&path).unwrap();
    let usable = || home.run(["status", "--json"]).json()["usable"].clone();
    assert_eq!(usable(), found.uid() == found.gid());
    if is_root() {
        lchown(&path, None, Some(12345)).unwrap();
        assert_eq!(usable(), false);
    }
}

#[test]
fn the_file_can_be_elsewhere() {
    let home = Sandbox::documented_home();
    let path = home.write("mine.ini", "profile = bedrock\n");
    let run = home.invoke(["status", "--json"]).env("BACKLOG_AWS_CONFIG", path);
    assert_eq!(run.run().expect_code(0).json()["source"], "user-default");
}

#[test]
fn writing_keeps_what_the_user_wrote() {
    let home = Sandbox::documented_home();
    home.write(CONFIG, "# mine\nprofile = luxito ; for now\n\n[~/x]\nprofile = bedrock\n");
    home.run(["use", "--global", "bedrock"]).expect_code(0);
    let text = fs::read_to_string(home.path(CONFIG)).unwrap();
    assert_eq!(text, "# mine\nprofile = bedrock ; for now\n\n[~/x]\nprofile = bedrock\n");
    for bad in [&["use", "--global", "nowhere"][..], &["use", "--global", "cc"]] {
        home.run(bad).expect_code(1);
    }
    home.run(["local", "--private", "bedrock", "--account", "12"]).expect_code(2);
    assert_eq!(fs::read_to_string(home.path(CONFIG)).unwrap(), text);
}

#[test]
fn exec_refuses_another_account_and_says_when_it_is_unknown() {
    let home = Sandbox::documented_home();
    home.write_private(
        ".aws/credentials",
        "[known]\naws_access_key_id = ASIAQNZGKIQY56JQ7WML\naws_secret_access_key = s\naws_session_token = t\n\
         [unknown]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = s\n",
    );
    home.write(CONFIG, "profile = known\naccount = 111122223333\n");
    let refused = home.run(["exec", "--", "/bin/true"]).expect_code(1);
    assert!(refused.err().contains("'known': account 029608264753"), "{}", refused.err());
    home.write(CONFIG, "profile = known\naccount = 029608264753\n");
    assert_eq!(home.run(["exec", "--", "/bin/true"]).expect_code(0).err(), "");
    home.write(CONFIG, "profile = unknown\naccount = 111122223333\n");
    let told = home.run(["exec", "--", "/bin/true"]).expect_code(0);
    assert!(told.err().contains("may be of another account than 111122223333"), "{}", told.err());
}

#[test]
fn a_name_that_is_nearly_right_is_answered_with_the_right_one() {
    let home = Sandbox::documented_home();
    for words in [&["exec", "--profile", "bedrok", "--", "/bin/true"][..], &["local", "bedrok"]] {
        let told = home.run(words).expect_code(1);
        assert!(told.err().contains("did you mean 'bedrock'?"), "{}", told.err());
    }
    let told = home.run(["exec", "--profile", "x", "--", "/bin/true"]).expect_code(1);
    assert!(!told.err().contains("did you mean"), "{}", told.err());
}
