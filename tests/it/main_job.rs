//! The main job at a real prompt: find the profile, say so once, export it, let the user have the last word, undo.

use std::ffi::OsStr;

use crate::harness::{Sandbox, Session, SessionBuilder, Shell, Turn, scenario, static_profile};

/// A window wide enough that no notice wraps.
fn wide(home: &Sandbox, shell: Shell) -> SessionBuilder<'_> {
    Session::builder(home, shell).size(40, 400)
}

/// A shell of the documented situation: `AWS_PROFILE=cc`, which is an SSO profile.
fn beside_claude_code(home: &Sandbox, shell: Shell) -> Session<'_> {
    wide(home, shell).env("AWS_PROFILE", "cc").spawn()
}

/// The notices of a turn; everything else it printed is of no interest here.
fn notices(turn: &Turn) -> Vec<&str> {
    turn.text.lines().filter_map(|line| line.strip_prefix("backlog-aws: ")).collect()
}

#[track_caller]
fn assert_notices(turn: &Turn, beginnings: &[&str]) {
    let found = notices(turn);
    assert_eq!(found.len(), beginnings.len(), "{}", turn.text);
    for (notice, beginning) in found.iter().zip(beginnings) {
        assert!(notice.starts_with(beginning), "{notice:?} does not start with {beginning:?}");
    }
}

const CC_IS_SSO: &str = "Profile 'cc' has no static credentials: AWS_PROFILE is SSO, ";

const TOOK_LUXITO: &str = "Auto-detected AWS profile: luxito, ";

const IN_FORCE: &str = "in force in this shell: ";

const PINNED_CC: &str = "Profile 'cc' has no static credentials: it is SSO (BACKLOG_AWS_PROFILE); \
     try `";

scenario! {
    fn the_first_prompt_exports_the_first_usable_profile_and_says_why(shell) {
        let home = Sandbox::documented_home();
        let mut session = beside_claude_code(&home, shell);
        assert_notices(session.start_up(), &[CC_IS_SSO, TOOK_LUXITO]);
        session.assert_exported("luxito", "us-west-2", "first");
        assert_eq!(session.var("AWS_PROFILE").as_deref(), Some(OsStr::new("cc")));
    }

    fn a_notice_is_said_once_and_not_at_every_prompt(shell) {
        let home = Sandbox::documented_home();
        let mut session = beside_claude_code(&home, shell);
        for command in ["", "", "true", "false", "cd /", "cd ~"] {
            assert_eq!(session.line(command).text, "", "after {command:?}");
        }
        session.export("SOMETHING_ELSE", "changed");
        session.export("AWS_REGION", "eu-north-1");
        assert_eq!(session.line("").text, "");
        session.assert_exported("luxito", "us-west-2", "first");
    }

    fn a_profile_exported_at_the_prompt_is_a_pin_until_it_is_unset(shell) {
        let home = Sandbox::documented_home();
        let mut session = beside_claude_code(&home, shell);
        let turn = session.export("BACKLOG_AWS_PROFILE", "bedrock");
        assert_notices(&turn, &[]);
        session.assert_exported("bedrock", "eu-west-1", "pin");
        assert_eq!(session.cd("/").text, "");
        session.assert_exported("bedrock", "eu-west-1", "pin");
        let turn = session.unset("BACKLOG_AWS_PROFILE");
        assert_notices(&turn, &[]);
        session.assert_exported("luxito", "us-west-2", "first");
    }

    fn a_pinned_sso_profile_is_refused_and_it_never_falls_back_to_another(shell) {
        let home = Sandbox::documented_home();
        let mut session = beside_claude_code(&home, shell);
        let turn = session.export("BACKLOG_AWS_PROFILE", "cc");
        assert_notices(&turn, &[PINNED_CC]);
        session.assert_exported("cc", "eu-central-1", "pin");
        assert_eq!(session.line("").text, "");

        let turn = session.line("backlog-aws exec -- echo ran < /dev/null");
        assert_notices(&turn, &[PINNED_CC]);
        assert!(!turn.text.lines().any(|line| line == "ran"), "{}", turn.text);
        session.line("backlog-aws exec -- echo ran < /dev/null");
        assert_eq!(session.status_of_last(), 1);
        session.line("backlog-aws status > /dev/null 2>&1");
        assert_eq!(session.status_of_last(), 1);
    }

    fn the_hooks_own_export_is_not_taken_for_a_pin(shell) {
        let home = Sandbox::documented_home();
        let mut session = beside_claude_code(&home, shell);
        session.export("AWS_PROFILE", "bedrock");
        session.assert_exported("bedrock", "eu-west-1", "aws-profile");
        session.unset("AWS_PROFILE");
        session.assert_exported("luxito", "us-west-2", "first");
    }

    fn a_profile_from_the_start_up_file_is_ambient_and_comes_back_after_a_pin(shell) {
        let home = Sandbox::documented_home();
        let mut session = wide(&home, shell)
            .env("AWS_PROFILE", "cc")
            .before(shell.export("BACKLOG_AWS_PROFILE", "bedrock"))
            .spawn();
        // With an explicit choice, what AWS_PROFILE says is no news.
        assert_notices(session.start_up(), &[]);
        session.assert_exported("bedrock", "eu-west-1", "ambient");
        session.export("BACKLOG_AWS_PROFILE", "luxito");
        session.assert_exported("luxito", "us-west-2", "pin");
        session.unset("BACKLOG_AWS_PROFILE");
        session.assert_exported("bedrock", "eu-west-1", "ambient");
        session.unset("BACKLOG_AWS_PROFILE");
        session.assert_exported("luxito", "us-west-2", "first");
    }

    fn an_export_below_the_integration_is_ambient_too(shell) {
        let home = Sandbox::documented_home();
        let mut session = wide(&home, shell).after(shell.export("BACKLOG_AWS_PROFILE", "bedrock")).spawn();
        assert_eq!(session.start_up().text, "");
        session.assert_exported("bedrock", "eu-west-1", "ambient");
    }

    fn nothing_is_said_or_exported_while_the_start_up_file_runs(shell) {
        let home = Sandbox::documented_home();
        let session = wide(&home, shell)
            .env("AWS_PROFILE", "cc")
            .after("cd /; cd ~")
            .after("echo \"profile:$BACKLOG_AWS_PROFILE\"")
            .spawn();
        let text = &session.start_up().text;
        assert!(text.starts_with("profile:\nbacklog-aws: "), "{text}");
    }

    fn a_region_exported_at_the_prompt_is_pinned_by_itself(shell) {
        let home = Sandbox::documented_home();
        let mut session = beside_claude_code(&home, shell);
        session.export("BACKLOG_AWS_REGION", "ap-south-1");
        session.assert_exported("luxito", "ap-south-1", "first");
        session.export("BACKLOG_AWS_PROFILE", "bedrock");
        session.assert_exported("bedrock", "ap-south-1", "pin");
        session.unset("BACKLOG_AWS_REGION");
        session.assert_exported("bedrock", "eu-west-1", "pin");
    }

    fn when_nothing_is_usable_everything_is_as_if_the_hook_had_never_been(shell) {
        let home = Sandbox::documented_home();
        let mut session = wide(&home, shell).env("BACKLOG_AWS_REGION", "").spawn();
        assert_notices(session.start_up(), &[TOOK_LUXITO]);
        session.assert_exported("luxito", "us-west-2", "first");
        home.remove(".aws/credentials");
        let turn = session.line("");
        assert_notices(&turn, &["No AWS profiles with static credentials found in "]);
        assert_eq!(session.exported(), [None, Some(String::new()), None]);
    }

    fn use_pins_for_this_shell_and_clear_lets_go(shell) {
        let home = Sandbox::documented_home();
        let mut session = beside_claude_code(&home, shell);
        assert_notices(&session.line("backlog-aws use bedrock"), &[IN_FORCE]);
        assert_eq!(session.status_of_last(), 0);
        session.assert_exported("bedrock", "eu-west-1", "pin");
        session.cd("/");
        session.assert_exported("bedrock", "eu-west-1", "pin");
        let turn = session.line("backlog-aws use --clear");
        assert_notices(&turn, &[IN_FORCE]);
        session.assert_exported("luxito", "us-west-2", "first");
        assert_notices(&session.line("backlog-aws use --clear"), &[IN_FORCE]);
        session.assert_exported("luxito", "us-west-2", "first");
    }

    fn use_takes_effect_within_the_same_line(shell) {
        let home = Sandbox::documented_home();
        let mut session = beside_claude_code(&home, shell);
        let turn = session.line("backlog-aws use bedrock; echo $BACKLOG_AWS_PROFILE $BACKLOG_AWS_REGION");
        assert!(turn.text.ends_with("\nbedrock eu-west-1"), "{}", turn.text);
    }

    fn use_pins_a_region_alone_or_with_a_profile(shell) {
        let home = Sandbox::documented_home();
        let mut session = beside_claude_code(&home, shell);
        session.line("backlog-aws use --region ap-south-1");
        session.assert_exported("luxito", "ap-south-1", "first");
        session.line("backlog-aws use bedrock --region eu-north-1");
        session.assert_exported("bedrock", "eu-north-1", "pin");
        session.line("backlog-aws use --clear");
        session.assert_exported("luxito", "us-west-2", "first");
        session.line("backlog-aws use --region 'not a region'");
        assert_eq!(session.status_of_last(), 2);
        session.assert_exported("luxito", "us-west-2", "first");
    }

    fn a_pinned_region_goes_with_its_profile(shell) {
        let home = Sandbox::documented_home();
        let mut session = beside_claude_code(&home, shell);
        session.line("backlog-aws use bedrock --region eu-north-1");
        session.line("backlog-aws use luxito");
        session.assert_exported("luxito", "us-west-2", "pin");
        session.line("backlog-aws use --region eu-north-1");
        session.assert_exported("luxito", "eu-north-1", "pin");
        session.line("backlog-aws use nowhere");
        session.assert_exported("luxito", "eu-north-1", "pin");
        session.line("backlog-aws use bedrock");
        session.assert_exported("bedrock", "eu-west-1", "pin");
        // By hand it is no different.
        session.export("BACKLOG_AWS_REGION", "eu-north-1");
        session.assert_exported("bedrock", "eu-north-1", "pin");
        session.line("backlog-aws use luxito");
        session.assert_exported("luxito", "us-west-2", "pin");
    }

    fn an_empty_region_ends_the_pin_of_a_region_alone(shell) {
        let home = Sandbox::documented_home();
        let mut session = beside_claude_code(&home, shell);
        session.line("backlog-aws use bedrock --region eu-north-1");
        assert_notices(&session.line("backlog-aws use --region ''"), &[IN_FORCE]);
        assert_eq!(session.status_of_last(), 0);
        session.assert_exported("bedrock", "eu-west-1", "pin");
        session.line("backlog-aws use --region ''");
        session.assert_exported("bedrock", "eu-west-1", "pin");
        session.line("backlog-aws use luxito --region ''");
        session.assert_exported("luxito", "us-west-2", "pin");
        session.line("backlog-aws use --region ap-south-1");
        session.line("backlog-aws use --region=");
        session.assert_exported("luxito", "us-west-2", "pin");
    }

    fn use_of_a_profile_that_cannot_be_used_changes_nothing(shell) {
        let home = Sandbox::documented_home();
        let mut session = beside_claude_code(&home, shell);
        let before = session.ours();
        for (profile, complaint) in [
            ("cc", "Profile 'cc' has no static credentials: it is SSO; try `backlog-aws use bedrock`"),
            ("nowhere", "Profile 'nowhere' has no static credentials: it does not exist"),
            ("''", "invalid value '' for '[PROFILE]': it cannot be a profile"),
        ] {
            let turn = session.line(format!("backlog-aws use {profile}"));
            assert_notices(&turn, &[complaint]);
            assert_eq!(session.ours(), before);
        }
        session.line("backlog-aws use cc 2> /dev/null");
        assert_eq!(session.status_of_last(), 1);
    }

    fn quiet_silences_everything_but_errors_and_what_changes_the_account(shell) {
        let home = Sandbox::documented_home();
        let mut session = wide(&home, shell).env("AWS_PROFILE", "cc").env("BACKLOG_AWS_QUIET", "1").spawn();
        assert_eq!(session.start_up().text, "");
        session.assert_exported("luxito", "us-west-2", "first");
        assert_notices(&session.export("BACKLOG_AWS_PROFILE", "cc"), &[PINNED_CC]);
        assert_eq!(session.unset("BACKLOG_AWS_PROFILE").text, "");
        let profiles = static_profile("other", "us-west-2") + &static_profile("third", "us-west-2");
        home.write_private(".aws/credentials", profiles);
        assert_notices(&session.line(""), &["Auto-detected AWS profile: other, "]);
    }

    fn without_a_hook_only_use_changes_the_shell(shell) {
        let home = Sandbox::documented_home();
        let mut session = wide(&home, shell).init_args("--hook none").spawn();
        assert_eq!(session.start_up().text, "");
        assert_eq!(session.exported(), [None, None, None]);
        session.line("backlog-aws use bedrock");
        session.assert_exported("bedrock", "eu-west-1", "pin");
        session.cd("/");
        session.assert_exported("bedrock", "eu-west-1", "pin");
    }
}
