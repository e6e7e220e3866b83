//! The stamps that bash and fish compare times with.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use super::{
    AFTER, BEFORE, assert_next_region, assert_seen, credentials, home, overwrite, past, region,
    set_time, settled,
};
use crate::harness::{Session, Shell, scenario};

scenario! {
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

    fn a_home_that_does_not_exist_is_not_made(shell) {
        let home = home();
        let mut session = settled(&home, shell);
        let absent = home.path("absent/home");
        session.line(shell.export("HOME", &absent));
        session.line("");
        assert!(!session.is_unchanged() || shell == Shell::Zsh, "there is no place for stamps");
        session.line(shell.export("HOME", home.home()));
        assert!(!home.path("absent").exists(), "{} made a home", shell.name());
        assert_next_region(&mut session, BEFORE);
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
            Shell::Nu => unreachable!(),
            Shell::Bash | Shell::Fish => assert!(!session.is_unchanged()),
        }
    }
}
