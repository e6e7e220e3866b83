//! Overrides in the working directory and above, and directories that move.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::{
    AFTER, BEFORE, assert_next_region, assert_seen, credentials, home, overwrite, past, region,
    relink, set_time, settled, trusting_home,
};
use crate::harness::{Session, scenario};

scenario! {
    fn a_directory_entered_through_a_symbolic_link_is_the_real_one(shell) {
        let home = trusting_home();
        home.mkdir("real/deep");
        home.write("real/.backlog-aws", format!("region = {AFTER}\n"));
        symlink(home.path("real/deep"), home.path("link")).unwrap();
        let mut session = settled(&home, shell);
        session.cd("link");
        assert_eq!(region(&mut session).as_deref(), Some(AFTER));
        session.settle_hook();
        let other = home.mkdir("other");
        assert_seen(&home, &mut session, || fs::write(home.path("real/deep/.backlog-aws"), "region = us-east-2\n").unwrap(), "us-east-2");
        session.cd(&other);
        assert_eq!(region(&mut session).as_deref(), Some(BEFORE));
        session.settle_hook();
        // The link leads elsewhere now, under the same name.
        session.cd(home.path("link"));
        session.settle_hook();
        relink(&other, &home.path("link"));
        session.cd(home.path("link"));
        assert_eq!(region(&mut session).as_deref(), Some(BEFORE));
    }

    fn a_parent_that_is_renamed_under_the_shell_is_seen(shell) {
        let home = trusting_home();
        let deep = home.mkdir("old/deep");
        home.write("old/.backlog-aws", "region = us-east-2\n");
        home.write("new/.backlog-aws", format!("region = {AFTER}\n"));
        let mut session = Session::builder(&home, shell).cwd(&deep).spawn();
        assert_eq!(region(&mut session).as_deref(), Some("us-east-2"));
        assert_seen(&home, &mut session, || {
            fs::remove_file(home.path("old/.backlog-aws")).unwrap();
            fs::rename(&deep, home.path("new/deep")).unwrap();
        }, AFTER);
        // And back, with another directory left in its place.
        home.mkdir("old/deep");
        assert_next_region(&mut session, AFTER);
        session.cd(home.home());
    }

    fn a_parent_that_is_replaced_by_a_link_to_itself_changes_nothing_and_misses_nothing(shell) {
        let home = trusting_home();
        let deep = home.mkdir("old/deep");
        let mut session = Session::builder(&home, shell).cwd(&deep).spawn();
        assert_seen(&home, &mut session, || {
            fs::rename(home.path("old"), home.path("new")).unwrap();
            symlink(home.path("new"), home.path("old")).unwrap();
        }, BEFORE);
        assert_seen(&home, &mut session, || fs::write(home.path("new/.backlog-aws"), format!("region = {AFTER}\n")).unwrap(), AFTER);
    }

    /// What its files said is not known any more. That is no reason to change to another account.
    fn in_a_deleted_directory_everything_stays_as_it_is_until_it_is_left(shell) {
        let home = trusting_home();
        let project = home.mkdir("project/deep");
        home.write("project/.backlog-aws", format!("region = {AFTER}\n"));
        let mut session = Session::builder(&home, shell).cwd(&project).spawn();
        assert_seen(&home, &mut session, || fs::remove_dir_all(home.path("project")).unwrap(), AFTER);
        assert_next_region(&mut session, AFTER);
        session.line("cd");
        assert_eq!(region(&mut session).as_deref(), Some(BEFORE));
        session.settle_hook();
    }

    fn a_deleted_directory_that_comes_back_under_its_name_is_another_one(shell) {
        let home = trusting_home();
        let project = home.mkdir("project/deep");
        let mut session = Session::builder(&home, shell).cwd(&project).spawn();
        assert_seen(&home, &mut session, || {
            fs::remove_dir_all(home.path("project")).unwrap();
            home.mkdir("project/deep");
            home.write("project/.backlog-aws", format!("region = {AFTER}\n"));
        }, BEFORE);
        session.cd(&project);
        assert_eq!(region(&mut session).as_deref(), Some(AFTER));
        session.settle_hook();
    }

    fn overrides_that_appear_vanish_and_change_are_seen_at_each_level(shell) {
        let home = trusting_home();
        let deep = home.mkdir("a/b/c");
        let mut session = Session::builder(&home, shell).cwd(&deep).spawn();
        for level in ["", "a", "a/b", "a/b/c"] {
            let file = home.path(level).join(".backlog-aws");
            assert_seen(&home, &mut session, || fs::write(&file, "region = us-east-2\n").unwrap(), "us-east-2");
            assert_seen(&home, &mut session, || overwrite(&file, "region = us-west-2\n"), "us-west-2");
            assert_seen(&home, &mut session, || {
                overwrite(&file, "region = us-east-2\n");
                set_time(&file, past());
            }, "us-east-2");
            assert_seen(&home, &mut session, || fs::remove_file(&file).unwrap(), BEFORE);
            let target = home.write("target", format!("region = {AFTER}\n"));
            assert_seen(&home, &mut session, || symlink(&target, &file).unwrap(), AFTER);
            assert_seen(&home, &mut session, || fs::remove_file(&target).unwrap(), BEFORE);
            assert_seen(&home, &mut session, || fs::write(&target, "region = us-east-2\n").unwrap(), "us-east-2");
            assert_seen(&home, &mut session, || fs::remove_file(&file).unwrap(), BEFORE);
        }
    }

    fn decisions_made_in_another_shell_are_seen(shell) {
        let home = home();
        let project = home.mkdir("project");
        let file = home.write("project/.backlog-aws", format!("region = {AFTER}\n"));
        let mut session = Session::builder(&home, shell).cwd(&project).spawn();
        let decide = |word: &str| drop(home.run([word, project.to_str().unwrap()]).expect_code(0));
        assert_eq!(region(&mut session).as_deref(), Some(BEFORE));
        assert_seen(&home, &mut session, || decide("allow"), AFTER);
        assert_seen(&home, &mut session, || decide("deny"), BEFORE);
        assert_seen(&home, &mut session, || decide("allow"), AFTER);
        // Another content is another question.
        assert_seen(&home, &mut session, || overwrite(&file, "region = us-east-2\n"), BEFORE);
        assert_seen(&home, &mut session, || decide("allow"), "us-east-2");
        assert_seen(&home, &mut session, || fs::remove_dir_all(home.path(".local/share/backlog-aws")).unwrap(), BEFORE);
    }

    fn a_hook_at_cd_looks_at_the_directory_only(shell) {
        let home = trusting_home();
        let project = home.mkdir("project");
        home.write("project/.backlog-aws", format!("region = {AFTER}\n"));
        let mut session = Session::builder(&home, shell).init_args("--hook cd").spawn();
        session.line("");
        assert_eq!(region(&mut session).as_deref(), Some(BEFORE));
        overwrite(&home.path(".aws/credentials"), &credentials("us-east-2"));
        home.user_changed_files();
        session.line("");
        assert_eq!(region(&mut session).as_deref(), Some(BEFORE));
        session.cd(&project);
        assert_eq!(region(&mut session).as_deref(), Some(AFTER));
        session.cd(home.home());
        assert_eq!(region(&mut session).as_deref(), Some("us-east-2"));
    }

    fn paths_with_any_character_are_watched(shell) {
        let home = trusting_home();
        let names = ["it's a \"dir\"", "$HOME;`x`", "-n ( !", "back\\slash\\", "new\nline", "Grüße ~*"];
        let mut deep = PathBuf::new();
        for name in names {
            deep.push(name);
        }
        let directory = home.mkdir(&deep);
        let mut session = Session::builder(&home, shell).cwd(&directory).spawn();
        for up in directory.ancestors().take(names.len()) {
            let file = up.join(".backlog-aws");
            assert_seen(&home, &mut session, || fs::write(&file, "region = us-east-2\n").unwrap(), "us-east-2");
            assert_seen(&home, &mut session, || overwrite(&file, "region = us-west-2\n"), "us-west-2");
            assert_seen(&home, &mut session, || fs::remove_file(&file).unwrap(), BEFORE);
        }
    }
}
