//! nushell: the scenarios of the other shells whose lines it understands, and what only it has.
//!
//! Its language is too different for every scenario. Those are named here in which its script does something that the
//! others do not show yet; what only the program does is the same in every shell.

use std::fs;
use std::time::Duration;

use crate::harness::{Sandbox, Session, Shell};

macro_rules! in_nushell {
    ($($module:tt { $($name:ident)+ })+) => {$(in_nushell!(@ $module $($name)+);)+};
    (@ $module:tt $($name:ident)+) => {$(in_nushell!(# $module $name);)+};
    (# [$($module:tt)+] $name:ident) => {
        #[test]
        fn $name() {
            crate::$($module)+::$name(Shell::Nu);
        }
    };
}

in_nushell! {
    [completion] {
        tab_after_use_shows_the_usable_profiles
        a_beginning_is_completed_and_the_line_runs
        names_with_special_characters_are_completed_as_they_are
    }
    [counts] { loading_the_integration_starts_one_process_and_the_first_prompt_another }
    [documents] { the_readmes_commands_work }
    [hygiene] {
        the_exit_status_survives_the_hook
        a_binary_that_fails_changes_nothing
        sourced_twice_the_hook_runs_once
    }
    [inherited] {
        a_child_shell_is_not_stuck_with_its_parents_directory
        a_child_shell_restores_what_was_there_before_its_parent
        a_pane_that_inherits_all_or_half_of_another_shells_state_recomputes
    }
    [jobs] {
        the_hook_reads_nothing_that_was_typed_ahead
    }
    [local] { local_takes_effect_at_the_next_prompt_and_unset_takes_it_back }
    [main_job] {
        the_first_prompt_exports_the_first_usable_profile_and_says_why
        a_profile_exported_at_the_prompt_is_a_pin_until_it_is_unset
        the_hooks_own_export_is_not_taken_for_a_pin
        a_profile_from_the_start_up_file_is_ambient_and_comes_back_after_a_pin
        a_region_exported_at_the_prompt_is_pinned_by_itself
        use_pins_for_this_shell_and_clear_lets_go
        use_pins_a_region_alone_or_with_a_profile
        without_a_hook_only_use_changes_the_shell
    }
    [notices] {
        that_aws_profile_is_sso_is_said_once_and_not_again_by_shells_within
        a_machine_without_profiles_is_left_alone
    }
    [overrides] {
        an_override_counts_from_the_prompt_after_allow_and_until_the_one_after_deny
        a_file_that_appears_or_vanishes_counts_at_the_next_prompt_without_cd
        the_ambient_word_returns_on_leaving
        a_pin_beats_the_directory_until_it_is_cleared
        a_link_of_that_name_is_followed_and_watched
    }
    [plugins] { the_script_can_be_sourced_as_it_is }
    [setup] { after_two_yes_a_new_shell_has_the_hook_and_the_profile }
    [unchanged::clock] {
        credentials_that_run_out_while_the_prompt_sits_are_noticed
        keys_of_the_environment_that_run_out_are_noticed
    }
    [unchanged::directories] {
        a_directory_entered_through_a_symbolic_link_is_the_real_one
        an_override_that_is_replaced_by_a_link_or_a_directory_is_seen
        an_allowed_override_that_loses_its_permission_is_seen
        decisions_made_in_another_shell_are_seen
        a_hook_at_cd_looks_at_the_directory_only
    }
    [unchanged::files] {
        an_edit_in_place_of_the_same_size_is_seen
        an_edit_that_is_dated_back_is_seen
        a_file_of_the_same_time_moved_into_place_is_seen
        a_linked_directory_swapped_for_one_of_the_same_time_is_seen
        deletion_and_creation_are_seen
        a_swapped_symbolic_link_is_seen
        the_toolkits_own_file_is_watched
    }
    [unchanged::variables] {
        a_variable_that_goes_from_unset_to_empty_is_restored_as_empty
        variables_that_are_changed_by_the_user_are_seen
        another_home_is_seen
    }
    [undo] {
        leaving_restores_unset_as_unset_and_empty_as_empty
        a_broken_directory_undoes_the_one_before_all_the_same
        what_the_user_sets_inside_survives_leaving
        the_very_value_that_was_there_set_again_is_no_change
    }
    [user_config] {
        rules_hold_in_their_directories_and_below_and_nowhere_else
    }
}

fn start(home: &Sandbox) -> Session<'_> {
    Session::start(home, Shell::Nu)
}

/// Loads the script of `init` as another file, with something in it replaced.
fn with_script<'home>(home: &'home Sandbox, from: &str, to: &str) -> Session<'home> {
    let script = home.run(["init", "nu"]).out().to_owned();
    assert!(script.contains(from), "{script}");
    let file = home.write("integration.nu", script.replace(from, to));
    let load = format!("source {}", file.display());
    Session::builder(home, Shell::Nu).without_integration().before(load).spawn()
}

#[test]
fn an_unchanged_prompt_and_a_cd_with_the_same_answer_start_nothing() {
    let home = Sandbox::with_override();
    let log = home.path("runs");
    home.wrap_hook(&format!("echo >> {}", log.display()));
    let runs = || fs::read_to_string(&log).unwrap_or_default().lines().count();
    // Old enough not to be looked at again for being new.
    std::thread::sleep(Duration::from_millis(60));
    let mut session = start(&home);
    session.settle_hook();
    home.mkdir("plain/deep/deeper");
    home.mkdir("acme/deep");
    let before = runs();
    for _ in 0..10 {
        session.line("");
        session.cd(home.path("plain/deep"));
        session.cd(home.path("plain/deep/deeper"));
    }
    assert_eq!(runs(), before);
    session.cd(home.path("acme"));
    assert_eq!(runs(), before + 1);
    session.settle_hook();
    let before = runs();
    for _ in 0..5 {
        session.cd(home.path("acme/deep"));
        session.cd(home.path("acme"));
    }
    assert_eq!(runs(), before);
}

#[test]
fn hooks_and_a_completer_that_are_there_stay() {
    let home = Sandbox::documented_home();
    let mut session = Session::builder(&home, Shell::Nu)
        .before(
            "$env.config.hooks.pre_prompt = [{|| $env.MINE = ($env.MINE? | default '') + 'x' }]",
        )
        .before("$env.config.completions.external.completer = {|spans| [$'of-($spans.0)'] }")
        .spawn();
    assert_eq!(session.source(), "first");
    let mine = session.var("MINE").expect("the hook of before runs");
    session.line("");
    assert!(session.var("MINE").unwrap().len() > mine.len());
    session
        .line(format!("source {}/.config/nushell/autoload/backlog-aws.nu", home.home().display()));
    assert_eq!(session.expand("($env.config.hooks.pre_prompt | length)"), [b"2"]);
    session.send("somebody x");
    session.key(crate::harness::Key::Tab);
    session.wait_for("somebody of-somebody");
    session.interrupt();
}

#[test]
fn values_are_data_whatever_they_contain() {
    let home = Sandbox::documented_home();
    let ambient = " it's \"am\\bient\" $(touch pwned) (touch pwned) $env.HOME `x` \u{7}\n{é} \\";
    home.allow("acme", "profile = bedrock\n");
    let mut session = Session::builder(&home, Shell::Nu)
        .env("BACKLOG_AWS_QUIET", "1")
        .env("BACKLOG_AWS_PROFILE", ambient)
        .env("BACKLOG_AWS_REGION", ambient)
        .spawn();
    for _ in 0..2 {
        session.cd(home.path("acme"));
        session.assert_answer("bedrock", "directory");
        session.cd(home.home());
        assert_eq!(session.var("BACKLOG_AWS_PROFILE").unwrap(), ambient);
        assert_eq!(session.var("BACKLOG_AWS_REGION").unwrap(), ambient);
    }
    assert!(!home.path("pwned").exists());
    // Children get what they get in other shells, and nothing of what is compared.
    let names: Vec<_> = session.ours().into_keys().collect();
    assert_eq!(
        names,
        ["BACKLOG_AWS_PROFILE", "BACKLOG_AWS_REGION", "BACKLOG_AWS_SOURCE", "__BACKLOG_AWS_STATE"]
    );
}

#[test]
fn exec_gets_its_words_as_any_program() {
    let home = Sandbox::with_override();
    home.write("acme/a b.txt", "");
    let mut session = start(&home);
    // On the line of the `cd` the hook has not run yet; `exec` looks for itself.
    let line = format!(
        "cd {}; backlog-aws exec -- sh -c 'printf \"%s,\" $AWS_PROFILE \"$@\"' --x=\"c d\" *.txt",
        home.path("acme").display()
    );
    assert_eq!(session.line(line).text, "bedrock,a b.txt,");
    session.line("backlog-aws exec -- sh -c 'exit 7'");
    assert_eq!(session.status_of_last(), 7);
    assert_eq!(session.line("'typed' | backlog-aws exec -- cat").text, "typed");
}

#[test]
fn use_reads_flags_with_values_in_quotes() {
    let home = Sandbox::documented_home();
    let mut session = start(&home);
    session.line("backlog-aws use bedrock --region=\"eu-north-1\"");
    session.assert_exported("bedrock", "eu-north-1", "pin");
    assert!(session.line("backlog-aws use --help").text.contains("--clear"));
    assert!(session.line("backlog-aws use no-such").joined().contains("no-such"));
    session.assert_exported("bedrock", "eu-north-1", "pin");
    session.line("backlog-aws use --clear");
    session.assert_exported("luxito", "us-west-2", "first");
}

#[test]
fn a_program_that_is_gone_is_silent() {
    let home = Sandbox::with_override();
    let mut session = start(&home);
    fs::remove_file(home.binary_on_path()).unwrap();
    for directory in ["acme", "plain"] {
        assert_eq!(session.cd(home.path(directory)).text, "");
    }
    session.assert_exported("luxito", "us-west-2", "first");
}

#[test]
fn one_ctrl_c_ends_a_hook_that_hangs() {
    let home = Sandbox::with_override();
    let mut session = start(&home);
    let started = home.path("started");
    home.wrap_hook(&format!("echo > {}; exec sleep 1000", started.display()));
    session.send(format!("cd {}\r", home.path("acme").display()));
    while !started.exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    session.interrupt();
    home.wrap_hook(":");
    session.line("");
    session.assert_exported("bedrock", "eu-west-1", "directory");
}

#[test]
fn doctor_sees_whether_the_hook_is_there() {
    let home = Sandbox::documented_home();
    let mut session = Session::builder(&home, Shell::Nu).size(60, 200).spawn();
    let told = session.line("backlog-aws doctor").text;
    assert!(told.contains("the hook runs in this shell"), "{told}");
    session.line("$env.config.hooks.pre_prompt = []");
    let told = session.line("backlog-aws doctor").text;
    assert!(told.contains("replaced it, so nothing is exported"), "{told}");
}

#[test]
fn a_script_of_another_version_gets_back_what_was_there_and_asks_no_more() {
    let home = Sandbox::with_override();
    let mut session = with_script(&home, "$precision 3 }", "$precision 2 }");
    assert!(
        session.start_up().joined().contains("is too old for it"),
        "{}",
        session.start_up().text
    );
    assert_eq!(session.exported(), [None, None, None]);
    assert_eq!(session.cd(home.path("acme")).text, "");
    assert_eq!(session.exported(), [None, None, None]);
}

#[test]
fn completions_alone_bring_no_hook() {
    let home = Sandbox::documented_home();
    let script = home.run(["completions", "nu"]).out().to_owned();
    let file = home.write("completions.nu", script);
    let load = format!("source {}", file.display());
    let mut session = Session::builder(&home, Shell::Nu).without_integration().before(load).spawn();
    assert_eq!(session.exported(), [None, None, None]);
    session.send("backlog-aws use bed");
    session.key(crate::harness::Key::Tab);
    session.wait_for("backlog-aws use bedrock");
    session.interrupt();
}

#[test]
fn setup_takes_out_what_its_line_wrote() {
    let home = Sandbox::documented_home();
    let line = Shell::Nu.integration_line("");
    home.write(Shell::Nu.rc_file(), format!("{line} # added by backlog-aws setup\n"));
    let written = home.write(".config/nushell/autoload/backlog-aws.nu", "");
    home.run(["setup", "--remove"]).expect_code(0);
    assert!(!written.exists());
    assert!(!home.path(Shell::Nu.rc_file()).exists());
}
