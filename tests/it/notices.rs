//! What a shell says at its prompts, and how often: each thing once, and nothing to people who made a choice.

use crate::harness::{Sandbox, Session, SessionBuilder, Shell, scenario, static_profile};

/// A window wide enough that no notice wraps.
fn wide(home: &Sandbox, shell: Shell) -> SessionBuilder<'_> {
    Session::builder(home, shell).size(40, 400)
}

const SSO: &str = "Profile 'cc' has no static credentials";
const GUESS: &str = "Auto-detected AWS profile: luxito";
const NONE: &str = "No AWS profiles with static credentials found";

fn sso_only(home: &Sandbox) {
    home.write_private(".aws/credentials", "");
}

scenario! {
    fn with_an_explicit_choice_nothing_is_said_of_aws_profile(shell) {
        let home = Sandbox::with_override();
        let mut session = wide(&home, shell)
            .cwd(home.path("acme"))
            .env("AWS_PROFILE", "cc")
            .spawn();
        assert_eq!(session.start_up().text, "");
        let turn = session.cd(home.home());
        assert!(turn.text.contains(SSO), "{}", turn.text);
        home.run(["use", "--global", "bedrock"]).expect_code(0);
        let other = wide(&home, shell).env("AWS_PROFILE", "cc").spawn();
        assert_eq!(other.start_up().text, "");
    }

    fn that_aws_profile_is_sso_is_said_once_and_not_again_by_shells_within(shell) {
        let home = Sandbox::with_override();
        let mut session = wide(&home, shell).env("AWS_PROFILE", "cc").spawn();
        assert!(session.start_up().text.contains(SSO), "{}", session.start_up().text);
        session.cd(home.path("acme"));
        assert_eq!(session.cd(home.home()).text, "");
        let inherited = session.ours();
        let child = wide(&home, shell).env("AWS_PROFILE", "cc").envs(&inherited).spawn();
        assert!(!child.start_up().text.contains(SSO), "{}", child.start_up().text);
        // Whose account pays is said by each shell.
        assert!(child.start_up().text.contains(GUESS), "{}", child.start_up().text);
    }

    fn a_machine_without_profiles_is_left_alone(shell) {
        let home = Sandbox::new();
        let mut session = wide(&home, shell).env("AWS_PROFILE", "").spawn();
        assert_eq!(session.start_up().text, "");
        let turn = session.line("backlog-aws status");
        assert!(turn.text.contains(NONE), "{}", turn.text);
        let turn = session.line("backlog-aws exec true < /dev/null");
        assert!(turn.text.contains(NONE), "{}", turn.text);
    }

    fn a_key_of_anthropics_is_enough(shell) {
        let home = Sandbox::documented_home();
        sso_only(&home);
        let with_key = wide(&home, shell).env("ANTHROPIC_API_KEY", "sk-ant-example").spawn();
        assert_eq!(with_key.start_up().text, "");
        let without = wide(&home, shell).spawn();
        assert!(without.start_up().text.contains(NONE), "{}", without.start_up().text);
    }
}

#[test]
fn doctor_takes_a_key_of_anthropics_for_no_problem() {
    let home = Sandbox::documented_home();
    sso_only(&home);
    let severity = |run: crate::harness::Invocation| {
        let report = run.run().json();
        let checks = report["checks"].as_array().expect("a list").clone();
        let found = checks.into_iter().find(|check| check["code"] == "none-found");
        found.expect("it is told")["severity"].as_str().map(str::to_owned)
    };
    let doctor = || home.invoke(["doctor", "--json"]);
    assert_eq!(severity(doctor()).as_deref(), Some("problem"));
    assert_eq!(severity(doctor().env("ANTHROPIC_API_KEY", "sk-ant-x")).as_deref(), Some("warning"));
}

#[test]
fn quiet_names_the_account_that_pays_when_nobody_chose_it() {
    let home = Sandbox::documented_home();
    let quiet = |words: &[&str]| home.invoke(words).env("BACKLOG_AWS_QUIET", "1").run();
    assert!(quiet(&["exec", "true"]).err().contains(GUESS));
    home.write_private(".aws/credentials", static_profile("luxito", "us-west-2"));
    // There is no other that could be meant.
    assert_eq!(quiet(&["exec", "true"]).err(), "");
}
