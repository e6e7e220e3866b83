//! The interactive choice, driven by keys in each shell.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Key, Sandbox, Session, Shell, scenario, static_profile};

const QUESTION: &str = "Profile for this shell:";

/// Types a command line that ends in a choice, and waits until its list is drawn.
#[track_caller]
fn ask(session: &mut Session<'_>, command: &str, question: &str) {
    session.send(command);
    session.key(Key::Enter);
    let drawn = format!("? {question}");
    // The last line of it: the help, or in a narrow window the mark that there is more below.
    session.wait_until("the list", |screen| {
        screen.contains(&drawn) && (screen.contains("cancels]") || screen.contains("\nv team-0001"))
    });
}

/// A home with nothing but that many profiles, the first with a region of its own.
fn crowded_home(count: usize, first_region: &str) -> Sandbox {
    let home = Sandbox::new();
    let profiles = (0..count).map(|number| {
        let region = if number == 0 { first_region } else { "eu-west-1" };
        static_profile(&format!("team-{number:04}"), region)
    });
    home.write_private(".aws/credentials", profiles.collect::<String>());
    home
}

#[track_caller]
fn profile(session: &mut Session<'_>) -> Option<String> {
    let [profile, _, _] = session.exported();
    profile
}

/// The rows of the list that is on the screen.
fn listed(screen: &str) -> Vec<&str> {
    screen.lines().filter(|line| line.contains("  static")).collect()
}

scenario! {
    fn enter_pins_the_row_that_arrows_and_typing_led_to(shell) {
        let home = Sandbox::documented_home();
        let mut session = Session::start(&home, shell);
        ask(&mut session, "backlog-aws use", QUESTION);
        let screen = session.screen();
        assert_eq!(listed(&screen).len(), 2, "usable ones only: {screen}");
        assert!(screen.contains("> luxito   static  us-west-2"), "{screen}");
        assert!(screen.contains("  bedrock  static  eu-west-1"), "{screen}");
        assert!(screen.contains("Esc cancels"), "{screen}");
        session.key(Key::Down);
        session.wait_for("> bedrock");
        session.key(Key::Enter);
        let turn = session.wait_prompt();
        assert!(turn.text.contains("Profile for this shell: bedrock"), "{}", turn.text);
        assert!(!turn.text.contains("luxito"), "the list is gone: {}", turn.text);
        assert_eq!(session.status_of_last(), 0);
        session.assert_exported("bedrock", "eu-west-1", "pin");
        // Typing narrows the list down, by region as well.
        ask(&mut session, "backlog-aws use", QUESTION);
        session.send("US-WEST");
        session.wait_until("one row", |screen| listed(screen).len() == 1 && screen.contains("> luxito"));
        session.key(Key::Enter);
        session.wait_prompt();
        assert_eq!(profile(&mut session).as_deref(), Some("luxito"));
    }

    fn esc_leaves_everything_as_it_was(shell) {
        let home = Sandbox::documented_home();
        let mut session = Session::start(&home, shell);
        let modes = session.line("stty -g").text;
        let before = session.exported();
        ask(&mut session, "backlog-aws use", QUESTION);
        session.send("bed");
        session.wait_until("one row", |screen| screen.contains("> bedrock"));
        session.key(Key::Esc);
        session.wait_prompt();
        assert_eq!(session.status_of_last(), 1);
        assert_eq!(session.exported(), before);
        assert_eq!(session.line("stty -g").text, modes);
        assert_eq!(session.line("echo typed and seen").text, "typed and seen");
    }

    fn a_filter_that_nothing_matches_says_so_and_cannot_be_selected(shell) {
        let home = Sandbox::documented_home();
        let mut session = Session::start(&home, shell);
        ask(&mut session, "backlog-aws use", QUESTION);
        assert!(!session.screen().contains("nothing matches"), "{}", session.screen());
        session.send("luxitoo");
        session.wait_for("> nothing matches; Backspace shows more");
        session.key(Key::Enter);
        session.wait_for("> luxito");
        session.key(Key::Enter);
        session.wait_prompt();
        assert!(!session.screen().contains("nothing matches"), "{}", session.screen());
        assert_eq!(profile(&mut session).as_deref(), Some("luxito"));
    }

    fn profiles_that_cannot_be_used_are_named_with_the_reason(shell) {
        let home = Sandbox::documented_home();
        let mut session = Session::start(&home, shell);
        ask(&mut session, "backlog-aws use", QUESTION);
        session.wait_for("not usable: cc (sso)");
        session.key(Key::Esc);
        session.wait_prompt();
        assert!(!session.screen().contains("not usable"), "{}", session.screen());
    }

    fn ctrl_c_leaves_a_usable_shell_with_everything_as_it_was(shell) {
        let home = Sandbox::documented_home();
        let mut session = Session::start(&home, shell);
        session.line("backlog-aws use bedrock");
        let modes = session.line("stty -g").text;
        ask(&mut session, "backlog-aws use", QUESTION);
        session.key(Key::CtrlC);
        session.wait_prompt();
        let screen = session.screen();
        assert!(!screen.contains(QUESTION) && !screen.contains("> luxito"), "lines are left:\n{screen}");
        assert_eq!(profile(&mut session).as_deref(), Some("bedrock"));
        assert_eq!(session.line("stty -g").text, modes);
        assert_eq!(session.line("echo typed and seen").text, "typed and seen");
        // And again, then for real.
        ask(&mut session, "backlog-aws use", QUESTION);
        session.key(Key::CtrlC);
        session.wait_prompt();
        ask(&mut session, "backlog-aws use", QUESTION);
        session.key(Key::Enter);
        session.wait_prompt();
        assert_eq!(profile(&mut session).as_deref(), Some("luxito"));
    }

    fn a_window_of_five_rows_is_enough(shell) {
        let home = crowded_home(30, "eu-west-1");
        let mut session = Session::builder(&home, shell).size(5, 60).spawn();
        session.line("");
        ask(&mut session, "backlog-aws use", QUESTION);
        let screen = session.screen();
        assert_eq!(listed(&screen).len(), 2, "{screen}");
        assert!(screen.contains(QUESTION), "{screen}");
        for number in 1..=6 {
            session.key(Key::Down);
            session.wait_for(&format!("> team-{number:04}"));
            let screen = session.screen();
            assert_eq!(screen.matches(QUESTION).count(), 1, "drawn over itself:\n{screen}");
        }
        session.send("0029");
        session.wait_until("one row", |screen| listed(screen).len() == 1 && screen.contains("> team-0029"));
        session.key(Key::Enter);
        session.wait_prompt();
        assert_eq!(profile(&mut session).as_deref(), Some("team-0029"));
    }

    fn a_choice_among_two_thousand_answers_each_key_at_once(shell) {
        const PATIENCE: Duration = Duration::from_secs(3);
        let home = crowded_home(2000, "eu-west-1");
        let mut session = Session::start(&home, shell);
        let start = Instant::now();
        ask(&mut session, "backlog-aws use", QUESTION);
        assert!(start.elapsed() < PATIENCE, "{:?} until the list", start.elapsed());
        assert_eq!(listed(&session.screen()).len(), 15);
        let start = Instant::now();
        for typed in ["1", "9", "9", "7"] {
            session.send(typed);
        }
        session.wait_until("one row", |screen| listed(screen).len() == 1 && screen.contains("> team-1997"));
        assert!(start.elapsed() < PATIENCE, "{:?} for four keys", start.elapsed());
        for _ in 0..4 {
            session.key(Key::Backspace);
        }
        session.wait_for("> team-0000");
        // Above the first is the last.
        session.key(Key::Up);
        session.wait_for("> team-1999");
        session.key(Key::Enter);
        session.wait_prompt();
        assert_eq!(profile(&mut session).as_deref(), Some("team-1999"));
    }

    fn without_a_terminal_nobody_is_asked(shell) {
        let home = Sandbox::documented_home();
        let mut session = Session::start(&home, shell);
        let mut lines = vec!["echo luxito | backlog-aws use", "backlog-aws use < /dev/null"];
        if shell != Shell::Fish {
            // fish gives the terminal to command substitutions, whatever their function's standard error is.
            lines.push("backlog-aws use 2> error");
        }
        for line in lines {
            let turn = session.line(line);
            assert_eq!(session.status_of_last(), 2, "{line}");
            let told = if line.ends_with("error") { fs::read_to_string(home.path("error")).unwrap() } else { turn.text };
            let told = told.replace('\n', " ");
            assert!(told.contains("there is no terminal to choose on; name a profile"), "{line}: {told}");
            assert_eq!(profile(&mut session).as_deref(), Some("luxito"));
        }
    }

    fn exec_asks_instead_of_guessing_and_keeps_the_choice_where_it_is_told_to(shell) {
        let home = Sandbox::documented_home();
        home.mkdir("acme");
        let mut session = Session::start(&home, shell);
        session.cd(home.path("acme"));
        let show = r#"sh -c 'echo "used $BACKLOG_AWS_PROFILE"'"#;
        ask(&mut session, &format!("backlog-aws exec {show}"), "Profile for this command:");
        session.key(Key::Down);
        session.wait_for("> bedrock");
        session.key(Key::Enter);
        session.wait_for("only for this command");
        session.key(Key::Down);
        session.wait_for("> for this directory and below");
        session.key(Key::Enter);
        assert!(session.wait_prompt().text.contains("used bedrock"));
        session.line("");
        assert_eq!(session.exported()[2].as_deref(), Some("rule"));
        // It is a choice now, and not asked for again.
        assert!(session.line(format!("backlog-aws exec {show}")).text.contains("used bedrock"));
        session.cd("/");
        let turn = session.line(format!("BACKLOG_AWS_QUIET=1 backlog-aws exec --yes {show}"));
        assert!(turn.text.contains("Auto-detected"), "{}", turn.text);
        assert!(turn.text.contains("used luxito"), "{}", turn.text);
    }

    fn exec_with_an_unusable_pin_offers_the_choice_and_only_on_a_terminal(shell) {
        let home = Sandbox::documented_home();
        let mut session = Session::start(&home, shell);
        session.export("BACKLOG_AWS_PROFILE", "cc");
        let command = "backlog-aws exec -- sh -c 'echo ran-$AWS_PROFILE'";
        let turn = session.line(format!("{command} < /dev/null"));
        assert_eq!(session.status_of_last(), 1);
        assert!(turn.text.contains("Profile 'cc' has no static credentials"), "{}", turn.text);
        assert!(!turn.text.contains("ran-"), "{}", turn.text);
        ask(&mut session, command, "Profile for this command:");
        assert!(session.screen().contains("Profile 'cc' has no static credentials"), "{}", session.screen());
        session.send("bed");
        session.wait_for("> bedrock");
        session.key(Key::Enter);
        let turn = session.wait_prompt();
        assert!(turn.text.ends_with("ran-bedrock"), "{}", turn.text);
        // For this command, as the question says.
        assert_eq!(profile(&mut session).as_deref(), Some("cc"));
        ask(&mut session, command, "Profile for this command:");
        session.key(Key::Esc);
        let turn = session.wait_prompt();
        assert!(!turn.text.contains("ran-"), "{}", turn.text);
        assert_eq!(session.status_of_last(), 1);
        // As a credential_process it runs inside of other programs, which may lend it their terminal.
        let turn = session.line("backlog-aws credentials");
        assert_eq!(session.status_of_last(), 1);
        assert!(turn.text.contains("Profile 'cc' has no static credentials"), "{}", turn.text);
    }

    fn local_without_arguments_only_shows(shell) {
        let home = Sandbox::documented_home();
        let mut session = Session::builder(&home, shell).size(40, 300).spawn();
        session.cd(home.mkdir("acme"));
        let shown = session.line("backlog-aws local").text;
        assert!(shown.contains("there is no .backlog-aws here or above"), "{shown}");
        session.line("backlog-aws local bedrock");
        let shown = session.line("backlog-aws local").text;
        assert!(shown.starts_with("~/acme/.backlog-aws:1: profile = bedrock"), "{shown}");
    }

    fn the_choice_marks_the_profile_in_use(shell) {
        let home = Sandbox::documented_home();
        let mut session = Session::start(&home, shell);
        session.line("backlog-aws use bedrock");
        ask(&mut session, "backlog-aws use", "Profile for this shell:");
        session.wait_until("the mark", |screen| screen.lines().any(|line| line.contains("bedrock") && line.contains("  current")));
        session.key(Key::Esc);
        session.wait_prompt();
    }

    fn colour_is_left_out_where_it_is_not_wanted(shell) {
        let home = Sandbox::documented_home();
        for (name, value, expected) in [("UNRELATED", "", true), ("NO_COLOR", "1", false), ("TERM", "dumb", false)] {
            let mut session = Session::builder(&home, shell).env("BACKLOG_AWS_PROFILE", "cc").spawn();
            // By `env`, so that the shell's own colours are not in question.
            let command = format!("env {name}={value} backlog-aws exec -- true");
            ask(&mut session, &command, "Profile for this command:");
            session.key(Key::Esc);
            let turn = session.wait_prompt();
            let dimmed = turn.raw.windows(14).any(|part| part == b"\x1b[2mnot usable");
            assert_eq!(dimmed, expected, "{name}: {}", turn.raw.escape_ascii());
        }
    }

    fn wide_and_hostile_text_is_made_visible_and_stays_on_its_row(shell) {
        let hostile = format!("\x1b[2J\x1b]0;title\x07\u{202e}evil{}", "世界".repeat(36));
        let home = crowded_home(3, &hostile);
        let mut session = Session::start(&home, shell);
        ask(&mut session, "backlog-aws use", QUESTION);
        let screen = session.screen();
        assert!(screen.contains(r"> team-0000  static  \x1b[2J\x1b]0;title\x07\u{202e}evil"), "{screen}");
        assert_eq!(listed(&screen).len(), 3, "{screen}");
        let rows: Vec<&str> = screen.lines().collect();
        let first = rows.iter().position(|row| row.contains("> team-0000")).unwrap();
        assert!(rows[first + 1].contains("team-0001"), "it wrapped:\n{screen}");
        session.key(Key::Down);
        session.wait_for("> team-0001");
        session.key(Key::Enter);
        session.wait_prompt();
        assert_eq!(profile(&mut session).as_deref(), Some("team-0001"));
        let output = session.output();
        assert!(!output.windows(4).any(|part| part == b"\x1b[2J"), "the terminal was cleared");
    }

    fn where_nothing_is_usable_there_is_nothing_to_choose(shell) {
        let home = Sandbox::new();
        let mut session = Session::start(&home, shell);
        let turn = session.line("backlog-aws use");
        assert!(turn.text.replace('\n', " ").contains("No AWS profiles with static credentials found"), "{}", turn.text);
        assert_eq!(session.status_of_last(), 1);
    }

    fn the_list_follows_a_window_that_changes_its_size(shell) {
        let home = crowded_home(30, "eu-west-1");
        let mut session = Session::builder(&home, shell).size(24, 100).spawn();
        ask(&mut session, "backlog-aws use", QUESTION);
        // The crate that reads the keys may leave one that comes with the signal until the next is pressed.
        let pause = || thread::sleep(Duration::from_millis(300));
        session.resize(24, 40);
        pause();
        session.key(Key::Down);
        session.wait_for("> team-0001");
        session.resize(24, 90);
        pause();
        session.key(Key::Down);
        session.wait_for("> team-0002");
        session.key(Key::Enter);
        session.wait_prompt();
        assert_eq!(profile(&mut session).as_deref(), Some("team-0002"));
        assert_eq!(session.line("echo in step").text, "in step");
    }
}

#[test]
fn without_a_shell_use_names_what_is_missing() {
    let home = Sandbox::documented_home();
    for shell in Shell::ALL {
        let refused =
            home.invoke(["use", "--shell", shell.name()]).input("luxito\r").run().expect_code(2);
        assert!(refused.err().contains("there is no terminal to choose on"), "{}", refused.err());
        assert_eq!(refused.out(), "", "nothing to evaluate");
    }
    for words in [&["use"][..], &["use", "bedrock"]] {
        let refused = home.run(words).expect_code(2);
        assert!(refused.err().contains("needs the hook"), "{}", refused.err());
        assert!(refused.err().contains("backlog-aws --help"), "{}", refused.err());
    }
}
