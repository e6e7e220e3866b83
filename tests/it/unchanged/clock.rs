//! Coarse clocks, changes at any moment, and credentials that expire while the prompt sits.

use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{
    AFTER, BEFORE, assert_next_region, assert_seen, credentials, exported, home, overwrite, past,
    region, replace, set_time, settled, time_of,
};
use crate::harness::{KEY_IDS, SECRETS, Sandbox, Session, Shell, scenario, static_profile};

scenario! {
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
    session.line("unset EPOCHSECONDS");
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
