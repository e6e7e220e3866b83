//! Variables that the user changes.

use super::{AFTER, BEFORE, assert_next_region, credentials, exported, home, region, settled};
use crate::harness::{Sandbox, Session, Shell, scenario, static_profile};

scenario! {
    fn a_variable_that_goes_from_unset_to_empty_is_restored_as_empty(shell) {
        let home = home();
        let project = home.mkdir("project");
        home.write("project/.backlog-aws", format!("profile = default\nregion = {AFTER}\n"));
        home.run(["allow", project.to_str().unwrap()]).expect_code(0);
        let mut session = settled(&home, shell);
        session.unset("BACKLOG_AWS_PROFILE");
        assert_eq!(exported(&mut session, "BACKLOG_AWS_PROFILE").as_deref(), Some("default"));
        session.settle_hook();
        // Empty is not unset. It is a change, and it is no pin.
        session.line(shell.export("BACKLOG_AWS_PROFILE", ""));
        assert_eq!(exported(&mut session, "BACKLOG_AWS_PROFILE").as_deref(), Some("default"));
    }

    fn unset_and_empty_are_told_apart_where_nothing_is_exported(shell) {
        let home = Sandbox::new();
        let mut session = settled(&home, shell);
        assert_eq!(exported(&mut session, "BACKLOG_AWS_PROFILE"), None);
        session.line(format!("{}; {}", shell.export("BACKLOG_AWS_PROFILE", ""), shell.ask_the_hook()));
        assert_ne!(session.status_of_last(), 0, "{}: empty was taken for unset", shell.name());
        session.settle_hook();
        session.line(format!("{}; {}", shell.unset("BACKLOG_AWS_PROFILE"), shell.ask_the_hook()));
        assert_ne!(session.status_of_last(), 0, "{}: unset was taken for empty", shell.name());
    }

    fn variables_that_are_changed_by_the_user_are_seen(shell) {
        let home = home();
        home.write_private(".aws/credentials", &(credentials(BEFORE) + &static_profile("mine", AFTER)));
        home.write_private("elsewhere/credentials", credentials("us-east-2"));
        home.write_private("elsewhere/config", "[default]\nregion = sa-east-1\n");
        let mut session = settled(&home, shell);
        let moved = [
            ("AWS_PROFILE", "mine".into(), AFTER),
            ("AWS_SHARED_CREDENTIALS_FILE", home.path("elsewhere/credentials"), "us-east-2"),
            ("BACKLOG_AWS_PROFILE", "mine".into(), AFTER),
            ("BACKLOG_AWS_REGION", "af-south-1".into(), "af-south-1"),
        ];
        for (name, value, expected) in moved {
            session.export(name, &value);
            assert_eq!(region(&mut session).as_deref(), Some(expected), "{name} in {}", shell.name());
            session.settle_hook();
            session.unset(name);
            assert_eq!(region(&mut session).as_deref(), Some(BEFORE), "{name} gone in {}", shell.name());
            session.settle_hook();
        }
        home.write(".aws/credentials", credentials(BEFORE).replace("region", "x"));
        session.line("");
        session.settle_hook();
        session.export("AWS_CONFIG_FILE", home.path("elsewhere/config"));
        assert_eq!(region(&mut session).as_deref(), Some("sa-east-1"));
        session.unset("AWS_CONFIG_FILE");
        assert_eq!(region(&mut session).as_deref(), Some("us-east-1"));
    }

    fn another_home_is_seen(shell) {
        let home = home();
        home.write_private("second/.aws/credentials", credentials(AFTER));
        let mut session = settled(&home, shell);
        session.line(shell.export("HOME", home.path("second")));
        assert_eq!(region(&mut session).as_deref(), Some(AFTER));
        session.settle_hook();
        session.line(shell.export("HOME", home.home()));
        assert_eq!(region(&mut session).as_deref(), Some(BEFORE));
    }

    /// Only what is exported counts, and the shell cannot tell. So it asks each time, and sees the export at once.
    fn a_variable_that_is_set_but_not_exported_does_not_count_until_it_is(shell) {
        let home = home();
        home.write_private(".aws/credentials", &(credentials(BEFORE) + &static_profile("mine", AFTER)));
        let mut session = settled(&home, shell);
        session.assign("AWS_PROFILE", "mine");
        assert_next_region(&mut session, BEFORE);
        session.export("AWS_PROFILE", "mine");
        assert_next_region(&mut session, AFTER);
        session.settle_hook();
    }

    fn names_that_differ_in_case_only_are_told_apart(shell) {
        let home = home();
        home.write_private(".aws/credentials", &(static_profile("Team", BEFORE) + &static_profile("team", AFTER)));
        let mut session = Session::builder(&home, shell).env("AWS_PROFILE", "Team").spawn();
        match shell {
            Shell::Bash => drop(session.line("shopt -s nocasematch")),
            Shell::Zsh => drop(session.line("unsetopt case_match case_glob")),
            Shell::Nu => unreachable!(),
            Shell::Fish => {}
        }
        session.settle_hook();
        session.export("AWS_PROFILE", "team");
        assert_eq!(region(&mut session).as_deref(), Some(AFTER));
        session.settle_hook();
    }
}
