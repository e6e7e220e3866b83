//! Changes of the AWS files and of the toolkit's: edited, replaced, removed, linked, with any time.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{
    AFTER, BEFORE, assert_next_region, assert_seen, credentials, exported, home, least_step,
    overwrite, past, region, relink, replace, set_time, settled, time_of, trusting_home,
    whole_second,
};
use crate::harness::{Sandbox, Session, scenario, static_profile};

scenario! {
    fn an_edit_in_place_of_the_same_size_is_seen(shell) {
        let home = home();
        let file = home.path(".aws/credentials");
        let mut session = settled(&home, shell);
        assert_eq!(region(&mut session).as_deref(), Some(BEFORE));
        assert_seen(&home, &mut session, || overwrite(&file, &credentials(AFTER)), AFTER);
        assert_seen(&home, &mut session, || overwrite(&file, &credentials(BEFORE)), BEFORE);
    }

    fn an_edit_of_the_config_file_is_seen(shell) {
        let home = Sandbox::new();
        let file = home.write_private(".aws/config", credentials(BEFORE));
        let mut session = settled(&home, shell);
        assert_seen(&home, &mut session, || overwrite(&file, &credentials(AFTER)), AFTER);
        // The other file appears, and its word is the last one.
        let other = home.path(".aws/credentials");
        assert_seen(&home, &mut session, || fs::write(&other, credentials("us-east-2")).unwrap(), "us-east-2");
        assert_seen(&home, &mut session, || fs::remove_file(&other).unwrap(), AFTER);
    }

    fn an_edit_that_is_dated_back_is_seen(shell) {
        let home = home();
        let file = home.path(".aws/credentials");
        let mut session = settled(&home, shell);
        let step = least_step(shell);
        assert_seen(&home, &mut session, || {
            overwrite(&file, &credentials(AFTER));
            set_time(&file, past());
        }, AFTER);
        assert_seen(&home, &mut session, || {
            overwrite(&file, &credentials(BEFORE));
            set_time(&file, past() - step);
        }, BEFORE);
        assert_seen(&home, &mut session, || {
            overwrite(&file, &credentials(AFTER));
            set_time(&file, past());
        }, AFTER);
    }

    fn an_edit_that_is_dated_ahead_is_seen(shell) {
        let home = home();
        let file = home.path(".aws/credentials");
        let future = SystemTime::now() + Duration::from_secs(1_000_000);
        let mut session = settled(&home, shell);
        assert_seen(&home, &mut session, || {
            overwrite(&file, &credentials(AFTER));
            set_time(&file, future);
        }, AFTER);
        assert_seen(&home, &mut session, || overwrite(&file, &credentials(BEFORE)), BEFORE);
    }

    fn a_replacement_by_an_older_file_is_seen(shell) {
        let home = home();
        let file = home.path(".aws/credentials");
        let mut session = settled(&home, shell);
        assert_seen(&home, &mut session, || replace(&file, &credentials(AFTER), past()), AFTER);
        assert_seen(&home, &mut session, || replace(&file, &credentials(BEFORE), UNIX_EPOCH), BEFORE);
    }

    fn a_file_of_the_same_time_moved_into_place_is_seen(shell) {
        let home = home();
        let file = home.path(".aws/credentials");
        set_time(&file, past());
        home.user_changed_files();
        let mut session = settled(&home, shell);
        assert_seen(&home, &mut session, || replace(&file, &credentials(AFTER), past()), AFTER);
        assert_eq!(time_of(&file), past());
        set_time(&file, whole_second());
        assert_seen(&home, &mut session, || replace(&file, &credentials(BEFORE), whole_second()), BEFORE);
    }

    fn files_of_the_same_whole_second_moved_into_place_are_seen_outside_of_dot_aws_too(shell) {
        let home = trusting_home();
        let project = home.mkdir("project");
        let file = home.write("project/.backlog-aws", format!("region = {BEFORE}\n"));
        set_time(&file, whole_second());
        let toolkit = home.write(".backlog-toolkit-env", "export BACKLOG_AWS_PROFILE='default'\n");
        set_time(&toolkit, whole_second());
        let mut session = Session::builder(&home, shell).cwd(&project).spawn();
        assert_seen(&home, &mut session, || replace(&file, &format!("region = {AFTER}\n"), whole_second()), AFTER);
        session.settle_hook();
        replace(&toolkit, "export BACKLOG_AWS_PROFILE='missing'\n", whole_second());
        session.line("");
        assert_eq!(exported(&mut session, "BACKLOG_AWS_PROFILE").as_deref(), Some("missing"));
    }

    fn deletion_and_creation_are_seen(shell) {
        let home = home();
        let file = home.path(".aws/credentials");
        let mut session = settled(&home, shell);
        assert_seen(&home, &mut session, || fs::remove_file(&file).unwrap(), None);
        assert_eq!(exported(&mut session, "BACKLOG_AWS_PROFILE"), None);
        assert_seen(&home, &mut session, || fs::write(&file, credentials(AFTER)).unwrap(), AFTER);
        let directory = home.path(".aws");
        let away = home.path("away");
        assert_seen(&home, &mut session, || fs::rename(&directory, &away).unwrap(), None);
        assert_seen(&home, &mut session, || fs::rename(&away, &directory).unwrap(), AFTER);
    }

    fn a_deleted_file_that_comes_back_with_its_time_is_seen(shell) {
        let home = home();
        let file = home.path(".aws/credentials");
        let time = time_of(&file);
        let mut session = settled(&home, shell);
        assert_seen(&home, &mut session, || {
            fs::remove_file(&file).unwrap();
            fs::write(&file, credentials(AFTER)).unwrap();
            set_time(&file, time);
        }, AFTER);
    }

    fn a_swapped_symbolic_link_is_seen(shell) {
        let home = home();
        let link = home.path(".aws/credentials");
        let [one, two] = [("one", BEFORE), ("two", AFTER)]
            .map(|(name, region)| home.write_private(format!("store/{name}"), credentials(region)));
        fs::remove_file(&link).unwrap();
        symlink(&one, &link).unwrap();
        home.user_changed_files();
        let mut session = settled(&home, shell);
        assert_seen(&home, &mut session, || relink(&two, &link), AFTER);
        assert_seen(&home, &mut session, || overwrite(&two, &credentials("us-east-2")), "us-east-2");
        assert_seen(&home, &mut session, || fs::remove_file(&two).unwrap(), None);
        // As long as the link leads nowhere, each prompt asks.
        relink(&one, &link);
        home.user_changed_files();
        assert_next_region(&mut session, BEFORE);
    }

    /// As Nix does: every file of the store has the time 1.
    fn a_symbolic_link_swapped_for_one_to_a_file_of_the_same_time_is_seen(shell) {
        let home = home();
        let store_time = UNIX_EPOCH + Duration::from_secs(1);
        let link = home.path(".aws/credentials");
        let [one, two] = [("one", BEFORE), ("two", AFTER)].map(|(name, region)| {
            let path = home.write_private(format!("store/{name}/credentials"), credentials(region));
            set_time(&path, store_time);
            set_time(path.parent().unwrap(), store_time);
            path
        });
        fs::remove_file(&link).unwrap();
        symlink(&one, &link).unwrap();
        let directory = home.path(".aws");
        set_time(&directory, past());
        home.user_changed_files();
        let mut session = settled(&home, shell);
        assert_seen(&home, &mut session, || {
            relink(&two, &link);
            set_time(&directory, past());
        }, AFTER);
        assert_seen(&home, &mut session, || {
            relink(&one, &link);
            set_time(&directory, past());
        }, BEFORE);
    }

    fn a_linked_directory_swapped_for_one_of_the_same_time_is_seen(shell) {
        let home = Sandbox::new();
        let store_time = UNIX_EPOCH + Duration::from_secs(1);
        let [one, two] = [("one", BEFORE), ("two", AFTER)].map(|(name, region)| {
            let file = home.write_private(format!("store/{name}/credentials"), credentials(region));
            let directory = file.parent().unwrap().to_owned();
            set_time(&file, store_time);
            set_time(&directory, store_time);
            directory
        });
        let empty = home.mkdir("store/empty");
        set_time(&empty, store_time);
        let link = home.path(".aws");
        symlink(&one, &link).unwrap();
        home.user_changed_files();
        let mut session = settled(&home, shell);
        assert_seen(&home, &mut session, || relink(&two, &link), AFTER);
        assert_seen(&home, &mut session, || relink(&empty, &link), None);
        assert_seen(&home, &mut session, || relink(&one, &link), BEFORE);
        assert_seen(&home, &mut session, || fs::remove_file(&link).unwrap(), None);
    }

    fn the_toolkits_own_file_is_watched(shell) {
        let home = home();
        home.write_private(".aws/credentials", &(credentials(BEFORE) + &static_profile("mine", AFTER)));
        let file = home.path(".backlog-toolkit-env");
        let mut session = settled(&home, shell);
        assert_seen(&home, &mut session, || fs::write(&file, "export BACKLOG_AWS_PROFILE='mine'\n").unwrap(), AFTER);
        assert_seen(&home, &mut session, || overwrite(&file, "export BACKLOG_AWS_PROFILE=''\n"), BEFORE);
        assert_seen(&home, &mut session, || {
            overwrite(&file, "export BACKLOG_AWS_PROFILE='mine'\n");
            set_time(&file, past());
        }, AFTER);
        assert_seen(&home, &mut session, || fs::remove_file(&file).unwrap(), BEFORE);
    }
}
