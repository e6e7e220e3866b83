//! The shells' test "nothing changed", which must never miss a change, whatever the change is.
//!
//! Each scenario first waits until the shell itself says "unchanged". Only then does a change prove anything: as long as
//! a file was written a moment ago, every prompt asks the program.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::harness::{KEY_IDS, SECRETS, Sandbox, Session, Shell, scenario, static_profile};

/// Two regions of the same length.
const BEFORE: &str = "eu-west-1";
const AFTER: &str = "eu-west-2";

fn credentials(region: &str) -> String {
    static_profile("default", region)
}

/// A home with one static profile, whose region the scenarios change.
fn home() -> Sandbox {
    let home = Sandbox::new();
    home.write_private(".aws/credentials", credentials(BEFORE));
    home.write_private(".aws/config", "[profile other]\nregion = us-east-2\n");
    home
}

/// A home whose override files all count.
fn trusting_home() -> Sandbox {
    let home = home();
    let directory = home.home().into_os_string();
    home.run(["allow".into(), "--under".into(), directory]).expect_code(0);
    home
}

/// A moment of the past, and not on a second.
fn past() -> SystemTime {
    UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_789)
}

fn whole_second() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_000_000_000)
}

/// `touch -d`, for files and directories.
fn set_time(path: &Path, time: SystemTime) {
    File::open(path).unwrap().set_modified(time).unwrap();
}

fn time_of(path: &Path) -> SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

/// Writes into the same inode, which an editor that replaces files would not.
fn overwrite(path: &Path, contents: &str) {
    OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(path)
        .unwrap()
        .write_all(contents.as_bytes())
        .unwrap();
}

/// Puts a new file in the place of one, with a given time.
fn replace(path: &Path, contents: &str, time: SystemTime) {
    let beside = path.with_extension("new");
    fs::write(&beside, contents).unwrap();
    fs::set_permissions(&beside, fs::Permissions::from_mode(0o600)).unwrap();
    set_time(&beside, time);
    fs::rename(&beside, path).unwrap();
}

/// Points a symbolic link elsewhere in one step.
fn relink(target: &Path, link: &Path) {
    let beside = link.with_extension("new");
    symlink(target, &beside).unwrap();
    fs::rename(&beside, link).unwrap();
}

/// A shell at rest.
#[track_caller]
fn settled(home: &Sandbox, shell: Shell) -> Session<'_> {
    let mut session = Session::start(home, shell);
    session.settle_hook();
    session
}

/// One of our variables, as text.
#[track_caller]
fn exported(session: &mut Session, name: &str) -> Option<String> {
    session.var(name).map(|value| value.into_string().unwrap())
}

#[track_caller]
fn region(session: &mut Session) -> Option<String> {
    exported(session, "BACKLOG_AWS_REGION")
}

/// What is exported after one more prompt, and that it stays so.
#[track_caller]
fn assert_next_region<'a>(session: &mut Session, expected: impl Into<Option<&'a str>>) {
    session.line("");
    assert_eq!(
        region(session).as_deref(),
        expected.into(),
        "{}: a change was missed",
        session.shell().name()
    );
}

/// Changes something while the shell is at rest, and expects the next prompt to see it.
#[track_caller]
fn assert_seen<'a>(
    home: &Sandbox,
    session: &mut Session,
    change: impl FnOnce(),
    expected: impl Into<Option<&'a str>>,
) {
    session.settle_hook();
    change();
    home.user_changed_files();
    assert_next_region(session, expected);
}

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
        assert_seen(&home, &mut session, || {
            overwrite(&file, &credentials(AFTER));
            set_time(&file, past());
        }, AFTER);
        assert_seen(&home, &mut session, || {
            overwrite(&file, &credentials(BEFORE));
            set_time(&file, past() - Duration::from_nanos(1));
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
        assert_seen(&home, &mut session, || relink(&one, &link), BEFORE);
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

    /// git calls such a file racily clean: it was read a moment after it was written, and is written again within the
    /// same tick of the file system's clock.
    fn no_edit_is_missed_however_soon_it_follows_the_last_look(shell) {
        let home = home();
        let file = home.path(".aws/credentials");
        let mut session = settled(&home, shell);
        for round in 0..40 {
            let names = [format!("aa-test-{round}"), format!("bb-test-{round}")];
            for name in &names {
                overwrite(&file, &credentials(name));
                home.user_changed_files();
                assert_next_region(&mut session, name.as_str());
            }
        }
    }

    /// Newer kernels give finer times to files that somebody looks at, so a coarse clock has to be played.
    fn two_edits_within_a_tick_of_the_clock_are_both_seen(shell) {
        const TICK: Duration = Duration::from_millis(20);
        let home = home();
        let file = home.path(".aws/credentials");
        let mut session = settled(&home, shell);
        let mut rounds = 0;
        for attempt in 0..500 {
            let names = [format!("tt-one-{attempt}"), format!("tt-two-{attempt}")];
            let began = SystemTime::now();
            let tick = began + TICK;
            overwrite(&file, &credentials(&names[0]));
            set_time(&file, tick);
            session.line("");
            home.user_changed_files();
            assert_eq!(region(&mut session).as_ref(), Some(&names[0]));
            // Otherwise the machine is so slow that the last look came when the tick was over.
            let in_time = began.elapsed().unwrap() < 2 * TICK;
            overwrite(&file, &credentials(&names[1]));
            set_time(&file, if in_time { tick } else { past() });
            home.user_changed_files();
            assert_next_region(&mut session, names[1].as_str());
            rounds += usize::from(in_time);
            if rounds == 10 {
                return;
            }
        }
        panic!("this machine is too slow to tell");
    }

    fn no_edit_of_two_hundred_at_random_moments_is_missed(shell) {
        let home = home();
        let file = home.path(".aws/credentials");
        let mut session = settled(&home, shell);
        // xorshift: the same moments at every run, as far as the machine lets them be.
        let mut random: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut missed = Vec::new();
        for edit in 0..200 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let name = format!("rr-random-{edit:03}");
            match random % 3 {
                0 => overwrite(&file, &credentials(&name)),
                1 => replace(&file, &credentials(&name), SystemTime::now()),
                _ => replace(&file, &credentials(&name), past()),
            }
            home.user_changed_files();
            sleep(Duration::from_micros(random / 3 % 45_000));
            session.line("");
            if region(&mut session).as_deref() != Some(&name) {
                missed.push(edit);
            }
        }
        assert_eq!(missed, [0; 0], "{}: edits were missed", shell.name());
    }

    fn whole_second_times_are_looked_at_until_they_are_old_enough(shell) {
        let home = home();
        let file = home.path(".aws/credentials");
        let mut session = settled(&home, shell);
        // A file system that keeps whole seconds: within one of them every edit has the same time.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let second = UNIX_EPOCH + Duration::from_secs(now);
        for name in ["ss-one", "ss-two", "ss-six"] {
            overwrite(&file, &credentials(name));
            set_time(&file, second);
            home.user_changed_files();
            assert_next_region(&mut session, name);
        }
        assert_seen(&home, &mut session, || {
            overwrite(&file, &credentials(AFTER));
            set_time(&file, second + Duration::from_secs(1));
        }, AFTER);
    }

    fn purged_stamps_count_as_a_change(shell) {
        let home = home();
        let file = home.path(".aws/credentials");
        let stamps = home.path(".cache/backlog-aws");
        let mut session = settled(&home, shell);
        if shell != Shell::Zsh {
            fs::remove_dir_all(&stamps).unwrap();
            assert!(!session.is_unchanged());
            session.settle_hook();
            for stamp in fs::read_dir(&stamps).unwrap() {
                fs::remove_file(stamp.unwrap().path()).unwrap();
                assert!(!session.is_unchanged());
                session.settle_hook();
            }
        }
        // Whatever is purged together with a change, the change is seen.
        let purge = || drop(fs::remove_dir_all(&stamps));
        assert_seen(&home, &mut session, || { purge(); overwrite(&file, &credentials(AFTER)); }, AFTER);
        assert_seen(&home, &mut session, || { purge(); fs::remove_file(&file).unwrap(); }, None);
        assert_seen(&home, &mut session, || { purge(); fs::write(&file, credentials(BEFORE)).unwrap(); }, BEFORE);
        let directory = home.path(".aws");
        assert_seen(&home, &mut session, || { purge(); fs::remove_dir_all(&directory).unwrap(); }, None);
    }

    /// `/run` is emptied at boot, but a cache that is restored from a backup may hold stamps with other times than their
    /// names say.
    fn stamps_with_a_wrong_time_of_their_own_are_put_right(shell) {
        let home = home();
        let file = home.path(".aws/credentials");
        let mut session = settled(&home, shell);
        let stamps = home.path(".cache/backlog-aws");
        let falsify = || for stamp in fs::read_dir(&stamps).into_iter().flatten() {
            set_time(&stamp.unwrap().path(), past());
        };
        falsify();
        assert_next_region(&mut session, BEFORE);
        assert_seen(&home, &mut session, || { falsify(); overwrite(&file, &credentials(AFTER)); }, AFTER);
        drop(session);
        falsify();
        let mut session = settled(&home, shell);
        assert_eq!(region(&mut session).as_deref(), Some(AFTER));
        assert_seen(&home, &mut session, || overwrite(&file, &credentials(BEFORE)), BEFORE);
    }

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
            Shell::Fish => {}
        }
        session.settle_hook();
        session.export("AWS_PROFILE", "team");
        assert_eq!(region(&mut session).as_deref(), Some(AFTER));
        session.settle_hook();
    }

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

    fn a_deleted_directory_is_left_for_good(shell) {
        let home = trusting_home();
        let project = home.mkdir("project/deep");
        home.write("project/.backlog-aws", format!("region = {AFTER}\n"));
        let mut session = Session::builder(&home, shell).cwd(&project).spawn();
        assert_seen(&home, &mut session, || fs::remove_dir_all(home.path("project")).unwrap(), BEFORE);
        session.line("cd");
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

    fn credentials_that_run_out_while_the_prompt_sits_are_noticed(shell) {
        let home = home();
        let expiring = |seconds: u64| {
            let end = jiff_text(SystemTime::now() + Duration::from_secs(seconds));
            format!("{}aws_session_token = {}\naws_session_expiration = {end}\n", static_profile("short", AFTER), SECRETS[2])
        };
        let mut session = settled(&home, shell);
        let contents = expiring(8) + &credentials(BEFORE);
        let file = home.write_private(".aws/credentials", &contents);
        session.export("AWS_PROFILE", "short");
        assert_eq!(region(&mut session).as_deref(), Some(AFTER));
        session.settle_hook();
        let mut seen = String::new();
        for _ in 0..60 {
            sleep(Duration::from_millis(200));
            seen += &session.line("").text;
            if region(&mut session).as_deref() == Some(BEFORE) {
                break;
            }
        }
        assert_eq!(region(&mut session).as_deref(), Some(BEFORE), "{}: {seen}", shell.name());
        session.settle_hook();
        // Longer than a quarter of an hour, it is not even soon.
        overwrite(&file, &(expiring(100_000) + &credentials(BEFORE)));
        home.user_changed_files();
        assert_next_region(&mut session, AFTER);
        session.settle_hook();
    }

    fn keys_of_the_environment_that_run_out_are_noticed(shell) {
        let home = Sandbox::new();
        let mut session = settled(&home, shell);
        session.export("AWS_ACCESS_KEY_ID", KEY_IDS[0]);
        session.export("AWS_SECRET_ACCESS_KEY", "not-looked-at");
        session.export("AWS_SESSION_TOKEN", "not-looked-at");
        session.export("AWS_CREDENTIAL_EXPIRATION", jiff_text(SystemTime::now() + Duration::from_secs(10)));
        assert_eq!(exported(&mut session, "BACKLOG_AWS_SOURCE").as_deref(), Some("environment-keys"));
        session.settle_hook();
        sleep(Duration::from_secs(10));
        assert!(!session.is_unchanged(), "{}", shell.name());
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION"] {
            session.unset(name);
        }
        assert_eq!(exported(&mut session, "BACKLOG_AWS_SOURCE"), None);
        session.output();
        session.abandon();
    }

    fn two_shells_share_stamps_and_do_not_mislead_each_other(shell) {
        let home = home();
        let file = home.path(".aws/credentials");
        let mut one = settled(&home, shell);
        let mut two = settled(&home, shell);
        overwrite(&file, &credentials(AFTER));
        home.user_changed_files();
        assert_next_region(&mut one, AFTER);
        one.settle_hook();
        // The first shell's look has made stamps of the new time; the second still compares with the old.
        assert_next_region(&mut two, AFTER);
        two.settle_hook();
        overwrite(&file, &credentials(BEFORE));
        home.user_changed_files();
        assert_next_region(&mut two, BEFORE);
        assert_next_region(&mut one, BEFORE);
    }

    fn without_a_place_for_stamps_every_prompt_asks(shell) {
        let home = home();
        let file = home.path(".aws/credentials");
        // A file where a directory should be stops root too.
        home.write(".cache", "");
        let mut session = Session::start(&home, shell);
        for name in ["cc-one", "cc-two", "cc-six"] {
            sleep(Duration::from_millis(60));
            overwrite(&file, &credentials(name));
            home.user_changed_files();
            assert_next_region(&mut session, name);
        }
        match shell {
            // It needs no stamps.
            Shell::Zsh => session.settle_hook(),
            Shell::Bash | Shell::Fish => assert!(!session.is_unchanged()),
        }
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

/// A bash 5 that the program takes for an older one, which compares whole seconds. Builds of those are hard to come by,
/// so what is tested is the rule that makes up for it: a file counts as settled only after more than a second.
fn start_as_old_bash(home: &Sandbox) -> Session<'_> {
    home.replace_binary(&format!(
        "#!/bin/bash\n[[ $1 != hook ]] || set -- hook \"$2\" \"$3\" \"${{4/#stamps/second-stamps}}\" \"$5\"\nexec -a \"$0\" {} \"$@\"\n",
        Sandbox::built_binary().display()
    ));
    Session::start(home, Shell::Bash)
}

#[test]
fn where_the_shell_sees_whole_seconds_a_file_is_looked_at_for_more_than_one() {
    let home = home();
    let file = home.path(".aws/credentials");
    let mut session = start_as_old_bash(&home);
    session.settle_hook();
    for round in 0..3 {
        overwrite(&file, &credentials(&format!("oo-old-{round}")));
        let written = time_of(&file);
        home.user_changed_files();
        session.line("");
        while !session.is_unchanged() {
            sleep(Duration::from_millis(20));
            session.line("");
        }
        let age = SystemTime::now().duration_since(written).unwrap();
        assert!(age > Duration::from_secs(1), "it counts as settled after {age:?}");
        assert_eq!(region(&mut session), Some(format!("oo-old-{round}")));
    }
}

#[test]
fn an_old_bash_knows_the_time_by_the_age_of_the_shell() {
    let home = home();
    let mut session = start_as_old_bash(&home);
    let end = jiff_text(SystemTime::now() + Duration::from_secs(100_000));
    let temporary = format!("aws_session_token = {}\naws_session_expiration = {end}\n", SECRETS[2]);
    let file = home.write_private(".aws/credentials", &(credentials(AFTER) + &temporary));
    set_time(&file, past());
    home.user_changed_files();
    session.line("");
    session.settle_hook();
    session.line("SECONDS=99999");
    session.settle_hook();
    session.line(format!("SECONDS=250000; {}", Shell::Bash.ask_the_hook()));
    assert_ne!(session.status_of_last(), 0, "it is later than the credentials last");
    session.settle_hook();
    session.line(format!("SECONDS=0; {}", Shell::Bash.ask_the_hook()));
    assert_ne!(session.status_of_last(), 0, "the clock was set back");
    session.settle_hook();
}

/// A time as the AWS tools write it.
fn jiff_text(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time).unwrap().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
