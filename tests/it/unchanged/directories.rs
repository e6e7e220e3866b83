//! Overrides in the working directory and above, and directories that move.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::time::Duration;

use super::{
    AFTER, BEFORE, assert_next_region, assert_seen, credentials, home, overwrite, past, region,
    relink, set_time, settled, trusting_home,
};
use crate::harness::{Session, is_root, scenario};

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
            // A link to nowhere is an override that cannot be read: nothing else is used, and each prompt asks.
            assert_seen(&home, &mut session, || fs::remove_file(&target).unwrap(), "us-east-1");
            fs::write(&target, "region = us-east-2\n").unwrap();
            assert_next_region(&mut session, "us-east-2");
            assert_seen(&home, &mut session, || fs::remove_file(&file).unwrap(), BEFORE);
        }
    }

    /// One way up for each way the shells have to look: the first levels in one command, the rest in a loop.
    fn an_override_that_appears_or_goes_is_seen_at_each_of_fourteen_levels(shell) {
        let home = trusting_home();
        let names: Vec<String> = (1..=14).map(|level| level.to_string()).collect();
        let deep = home.mkdir(names.join("/"));
        let mut session = Session::builder(&home, shell).cwd(&deep).spawn();
        for level in (0..=names.len()).rev() {
            let file = home.path(names[..level].join("/")).join(".backlog-aws");
            assert_seen(&home, &mut session, || fs::write(&file, "region = us-east-2\n").unwrap(), "us-east-2");
            assert_seen(&home, &mut session, || fs::remove_file(&file).unwrap(), BEFORE);
        }
    }

    fn a_nearer_override_is_seen_at_each_level_below_the_one_that_counts(shell) {
        let home = trusting_home();
        let names: Vec<String> = (1..=8).map(|level| level.to_string()).collect();
        let deep = home.mkdir(names.join("/"));
        home.write("1/.backlog-aws", format!("region = {AFTER}\n"));
        let mut session = Session::builder(&home, shell).cwd(&deep).spawn();
        for level in 2..=names.len() {
            let file = home.path(names[..level].join("/")).join(".backlog-aws");
            assert_seen(&home, &mut session, || fs::write(&file, "region = us-east-2\n").unwrap(), "us-east-2");
            assert_seen(&home, &mut session, || fs::remove_file(&file).unwrap(), AFTER);
            // One that does not count changes nothing, and is another way to look.
            let path = file.to_str().unwrap();
            assert_seen(&home, &mut session, || {
                fs::write(&file, "region = us-east-2\n").unwrap();
                home.run(["deny", path]).expect_code(0);
            }, AFTER);
            assert_seen(&home, &mut session, || drop(home.run(["allow", path]).expect_code(0)), "us-east-2");
            assert_seen(&home, &mut session, || fs::remove_file(&file).unwrap(), AFTER);
        }
    }

    fn an_override_that_is_replaced_by_a_link_or_a_directory_is_seen(shell) {
        let home = trusting_home();
        let project = home.mkdir("project/deep");
        let file = home.write("project/.backlog-aws", format!("region = {AFTER}\n"));
        let [one, two] = [("us-east-2", 1), ("us-west-2", 2)].map(|(region, nanosecond)| {
            let path = home.write(format!("store/{region}"), format!("region = {region}\n"));
            set_time(&path, past() + Duration::from_nanos(nanosecond));
            path
        });
        let mut session = Session::builder(&home, shell).cwd(&project).spawn();
        assert_seen(&home, &mut session, || relink(&one, &file), "us-east-2");
        assert_seen(&home, &mut session, || relink(&two, &file), "us-west-2");
        assert_seen(&home, &mut session, || overwrite(&two, "region = sa-east-1\n"), "sa-east-1");
        // What it says is not known then, and nothing else is used.
        assert_seen(&home, &mut session, || {
            fs::remove_file(&file).unwrap();
            fs::create_dir(&file).unwrap();
        }, "us-east-1");
        assert_seen(&home, &mut session, || {
            fs::remove_dir(&file).unwrap();
            fs::write(&file, format!("region = {AFTER}\n")).unwrap();
        }, AFTER);
        // A link to itself is nothing that could be read.
        assert_seen(&home, &mut session, || relink(&file, &file), "us-east-1");
    }

    /// What it says is not known then, and nothing else is used. Root reads it all the same.
    fn an_allowed_override_that_loses_its_permission_is_seen(shell) {
        let home = trusting_home();
        let project = home.mkdir("project/deep");
        let file = home.write("project/.backlog-aws", format!("region = {AFTER}\n"));
        let mut session = Session::builder(&home, shell).cwd(&project).spawn();
        let set_mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        assert_seen(&home, &mut session, || set_mode(0o000), if is_root() { AFTER } else { "us-east-1" });
        set_mode(0o644);
        home.user_changed_files();
        assert_next_region(&mut session, AFTER);
        session.settle_hook();
    }

    fn ways_by_links_lead_to_the_same_answer_as_ways_without(shell) {
        let home = trusting_home();
        home.mkdir("one/deep");
        home.mkdir("two/deep");
        home.write("one/.backlog-aws", format!("region = {AFTER}\n"));
        home.write("two/.backlog-aws", "region = us-east-2\n");
        symlink(home.path("two/deep"), home.path("one/deep/across")).unwrap();
        symlink(home.path("one"), home.path("two/deep/back")).unwrap();
        // A loop.
        symlink(".", home.path("one/deep/here")).unwrap();
        let mut session = settled(&home, shell);
        for (directory, expected) in [
            ("one/deep", AFTER),
            ("one/deep/here/here", AFTER),
            ("one/deep/across", "us-east-2"),
            ("one/deep/across/back", AFTER),
            ("one/deep/across/back/deep/here/across", "us-east-2"),
            ("", BEFORE),
            ("two/deep/back/deep/across/back", AFTER),
        ] {
            session.cd(home.path(directory));
            assert_eq!(region(&mut session).as_deref(), Some(expected), "{directory}");
            session.settle_hook();
        }
    }

    fn rules_of_the_users_own_hold_below_their_directories(shell) {
        let home = home();
        let config = home.write(
            ".config/backlog-aws/config.ini",
            "[~/work]\nregion = us-east-2\n[~/work/acme]\nregion = us-west-2\n",
        );
        home.mkdir("work/acme/deep/deeper");
        home.mkdir("work/other");
        home.mkdir("free/deep");
        symlink(home.path("work/acme/deep"), home.path("free/link")).unwrap();
        let mut session = settled(&home, shell);
        for (directory, expected) in [
            ("work", "us-east-2"),
            ("work/other", "us-east-2"),
            ("work/acme", "us-west-2"),
            ("work/acme/deep/deeper", "us-west-2"),
            ("free/deep", BEFORE),
            ("free/link/deeper", "us-west-2"),
            ("work/other", "us-east-2"),
            ("free", BEFORE),
        ] {
            session.cd(home.path(directory));
            assert_eq!(region(&mut session).as_deref(), Some(expected), "{directory}");
            session.settle_hook();
        }
        // The file, and the directories that it names.
        session.cd(home.path("work/acme/deep"));
        assert_seen(&home, &mut session, || overwrite(&config, "[~/work/acme/deep]\nregion = sa-east-1\n"), "sa-east-1");
        assert_seen(&home, &mut session, || fs::rename(home.path("work/acme/deep"), home.path("free/moved")).unwrap(), BEFORE);
        assert_seen(&home, &mut session, || fs::rename(home.path("free/moved"), home.path("work/acme/deep")).unwrap(), "sa-east-1");
        assert_seen(&home, &mut session, || fs::remove_file(&config).unwrap(), BEFORE);
    }

    /// What each of two shells decides, the other sees, and both end with the last word.
    fn two_shells_that_decide_on_one_override_agree(shell) {
        let home = home();
        let project = home.mkdir("project");
        home.write("project/.backlog-aws", format!("region = {AFTER}\n"));
        let mut one = Session::builder(&home, shell).cwd(&project).spawn();
        let mut two = Session::builder(&home, shell).cwd(&project).spawn();
        for (word, expected) in [("allow", AFTER), ("deny", BEFORE), ("allow", AFTER)] {
            one.settle_hook();
            two.settle_hook();
            one.line(format!("backlog-aws {word} > /dev/null"));
            assert_eq!(region(&mut one).as_deref(), Some(expected), "{word}");
            assert_next_region(&mut two, expected);
            std::mem::swap(&mut one, &mut two);
        }
        // At once, and in any order.
        for _ in 0..5 {
            one.send("backlog-aws allow > /dev/null\r");
            two.send("backlog-aws deny > /dev/null\r");
            one.wait_prompt();
            two.wait_prompt();
            let [first, second] = [&mut one, &mut two].map(|session| {
                session.line("");
                region(session)
            });
            assert_eq!(first, second);
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
