//! `doctor`: in each broken set-up it names the cause first, and its remedy works when it is pasted.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::harness::{KEY_IDS, SECRETS, Sandbox, Session, Shell, needed, scenario};
use serde_json::Value;

/// What `doctor` says at the prompt of a session.
struct Diagnosis(Value);

impl Diagnosis {
    #[track_caller]
    fn of(home: &Sandbox, session: &mut Session<'_>) -> Self {
        // By way of a file: a terminal would break the lines.
        session.line("backlog-aws doctor --json > ~/diagnosis");
        let text = fs::read_to_string(home.path("diagnosis")).expect("doctor was run");
        for secret in SECRETS {
            assert!(!text.contains(secret), "{text}");
        }
        Self(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")))
    }

    fn checks(&self) -> Vec<&Value> {
        // Proxies of the person who runs the tests are none of theirs.
        let ours = |check: &&Value| check["code"] != "litellm-older";
        self.0["checks"].as_array().expect("an array").iter().filter(ours).collect()
    }

    fn find(&self, code: &str) -> Option<&Value> {
        self.checks().into_iter().find(|check| check["code"] == code)
    }

    /// Who uses what.
    fn consumer(&self, name: &str) -> &Value {
        let mut consumers = self.0["consumers"].as_array().expect("an array").iter();
        consumers.find(|consumer| consumer["name"] == name).expect("it is known")
    }

    #[track_caller]
    fn assert_first(&self, code: &str, severity: &str) -> &Value {
        let first = self.checks()[0];
        assert_eq!(
            (first["code"].as_str(), first["severity"].as_str()),
            (Some(code), Some(severity)),
            "{:#}",
            self.0
        );
        first
    }

    #[track_caller]
    fn assert_fixed(&self, code: &str) {
        let found = self.find(code).filter(|check| check["severity"] != "ok");
        assert!(found.is_none(), "still there: {:#}", self.0);
    }
}

/// The command in backquotes of a remedy.
#[track_caller]
fn command_of(check: &Value) -> String {
    let remedy = check["remedy"].as_str().unwrap_or_else(|| panic!("no remedy: {check}"));
    remedy.split('`').nth(1).unwrap_or_else(|| panic!("no command: {remedy}")).to_owned()
}

/// Asserts that `code` comes first, pastes its remedy, and asserts that it is gone.
#[track_caller]
fn named_and_fixed(
    home: &Sandbox,
    session: &mut Session<'_>,
    code: &str,
    severity: &str,
) -> Diagnosis {
    let command = command_of(Diagnosis::of(home, session).assert_first(code, severity));
    session.user_changes_foreign(|session| session.line(&command));
    home.user_changed_files();
    let fixed = Diagnosis::of(home, session);
    fixed.assert_fixed(code);
    fixed
}

/// The documented home, with `bedrock` chosen for good, so that nothing else is to be said about it.
fn settled_home() -> Sandbox {
    let home = Sandbox::documented_home();
    // The start script reads regions in this file alone.
    home.append(".aws/config", "[profile bedrock]\nregion = eu-west-1\n");
    home.write(
        ".backlog-toolkit-env",
        "export BACKLOG_AWS_PROFILE='bedrock'\nexport AWS_ACCESS_KEY_ID=''\nexport AWS_SECRET_ACCESS_KEY=''\n",
    );
    home
}

scenario! {
    fn a_good_set_up_has_nothing_to_say(shell) {
        let home = settled_home();
        let mut session = Session::builder(&home, shell).env("AWS_PROFILE", "cc").spawn();
        let diagnosis = Diagnosis::of(&home, &mut session);
        assert!(diagnosis.checks().iter().all(|check| check["severity"] == "ok"), "{:#}", diagnosis.0);
        assert_eq!(diagnosis.0["ok"], true);
        assert!(diagnosis.find("hook").unwrap()["message"].as_str().unwrap().contains("up to date"));
        session.line("backlog-aws doctor > /dev/null");
        assert_eq!(session.status_of_last(), 0);
    }

    fn a_hook_that_is_not_loaded_is_loaded(shell) {
        let home = settled_home();
        let mut session = Session::plain(&home, shell);
        named_and_fixed(&home, &mut session, "hook-not-loaded", "problem");
        assert_eq!(session.var("BACKLOG_AWS_PROFILE").unwrap(), "bedrock");
    }

    fn a_hook_that_was_displaced_is_put_back(shell) {
        let home = settled_home();
        let mut session = Session::start(&home, shell);
        session.line(match shell {
            Shell::Bash => "starship_precmd() { :; }; PROMPT_COMMAND=starship_precmd",
            Shell::Zsh => "starship_precmd() { :; }; precmd_functions=(starship_precmd)",
            Shell::Nu => unreachable!(),
            Shell::Fish => "functions -e __backlog_aws_hook",
        });
        named_and_fixed(&home, &mut session, "hook-displaced", "problem");
        session.line("backlog-aws doctor > /dev/null");
        assert_eq!(session.status_of_last(), 0);
    }

    fn a_stale_integration_is_loaded_anew(shell) {
        let home = settled_home();
        let mut session = Session::start(&home, shell);
        session.assign("__backlog_aws_version", "0.0.1");
        named_and_fixed(&home, &mut session, "integration-version", "warning");
    }

    fn a_dangling_aws_profile_is_let_go(shell) {
        let home = settled_home();
        let mut session = Session::builder(&home, shell).env("AWS_PROFILE", "gone").spawn();
        named_and_fixed(&home, &mut session, "aws-profile-missing", "problem");
    }

    fn a_dangling_pin_is_pinned_anew(shell) {
        let home = settled_home();
        let mut session = Session::start(&home, shell);
        session.export("BACKLOG_AWS_PROFILE", "gone");
        let fixed = named_and_fixed(&home, &mut session, "unusable", "problem");
        assert_eq!(fixed.consumer("under exec")["profile"], "bedrock");
    }

    fn keys_in_the_environment_are_removed(shell) {
        let home = Sandbox::documented_home();
        let mut session = Session::builder(&home, shell)
            .env("AWS_PROFILE", "cc")
            .env("AWS_ACCESS_KEY_ID", KEY_IDS[1])
            .env("AWS_SECRET_ACCESS_KEY", SECRETS[1])
            .spawn();
        let before = Diagnosis::of(&home, &mut session);
        assert_eq!(before.consumer("litellm")["access_key_id"], "AKIA************MPLE");
        assert_eq!(before.consumer("claude-code")["profile"], "cc");
        named_and_fixed(&home, &mut session, "environment-keys-shadow", "warning");
    }

    fn an_empty_bearer_token_is_removed(shell) {
        let home = settled_home();
        let mut session = Session::builder(&home, shell).env("AWS_BEARER_TOKEN_BEDROCK", "").spawn();
        named_and_fixed(&home, &mut session, "bearer-token-empty", "problem");
    }

    fn half_a_key_pair_in_the_environment_is_removed(shell) {
        let home = settled_home();
        let mut session = Session::builder(&home, shell).env("AWS_ACCESS_KEY_ID", KEY_IDS[1]).spawn();
        named_and_fixed(&home, &mut session, "environment-half-key-pair", "problem");
    }

    fn an_override_that_is_not_allowed_is_allowed(shell) {
        let home = Sandbox::documented_home();
        home.write("it's a project/.backlog-aws", "profile = bedrock\n");
        let project = home.path("it's a project");
        let mut session = Session::builder(&home, shell).cwd(project).spawn();
        let fixed = named_and_fixed(&home, &mut session, "override-not-allowed", "warning");
        assert_eq!(fixed.consumer("under exec")["profile"], "bedrock");
    }
}

#[test]
fn expired_credentials_are_replaced() {
    let home = settled_home();
    home.write(
        ".aws/config",
        format!(
            "[profile old]\naws_access_key_id = {}\naws_secret_access_key = {}\naws_session_token = {}\n\
             aws_session_expiration = 2020-01-01T00:00:00Z\n",
            KEY_IDS[1], SECRETS[1], SECRETS[2]
        ),
    );
    home.write(".backlog-toolkit-env", "export BACKLOG_AWS_PROFILE='old'\n");
    let mut session = Session::start(&home, Shell::Bash);
    named_and_fixed(&home, &mut session, "credentials-expired", "problem");
}

#[test]
fn half_a_key_pair_in_the_chosen_profile_is_named() {
    let home = settled_home();
    home.write(".aws/config", format!("[profile half]\naws_access_key_id = {}\n", KEY_IDS[1]));
    home.write(".backlog-toolkit-env", "export BACKLOG_AWS_PROFILE='half'\n");
    let mut session = Session::start(&home, Shell::Bash);
    let command =
        command_of(Diagnosis::of(&home, &mut session).assert_first("unusable", "problem"));
    session.line(command);
    let fixed = Diagnosis::of(&home, &mut session);
    assert_eq!(fixed.0["ok"], true, "{:#}", fixed.0);
}

#[test]
fn a_credentials_file_that_others_can_read_is_closed() {
    let home = settled_home();
    let path = home.path(".aws/credentials");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    home.user_changed_files();
    let mut session = Session::start(&home, Shell::Bash);
    named_and_fixed(&home, &mut session, "file-permissions", "warning");
}

#[test]
fn a_toolkits_file_that_others_can_read_is_closed() {
    let home = settled_home();
    let path = home.path(".backlog-toolkit-env");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let mut session = Session::start(&home, Shell::Bash);
    named_and_fixed(&home, &mut session, "file-permissions", "warning");
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_directory_in_place_of_a_file_is_put_aside() {
    let home = Sandbox::documented_home();
    home.remove(".aws/config");
    home.mkdir(".aws/config");
    home.write(".backlog-toolkit-env", "export BACKLOG_AWS_PROFILE='bedrock'\n");
    let mut session = Session::start(&home, Shell::Bash);
    named_and_fixed(&home, &mut session, "file-unreadable", "problem");
}

#[test]
fn an_override_that_cannot_be_understood_is_put_aside() {
    let home = settled_home();
    home.write("project/.backlog-aws", "profile = bedrock\n");
    let project = home.path("project");
    home.invoke(["allow"]).cwd(&project).run().expect_code(0);
    let mut session = Session::builder(&home, Shell::Bash).cwd(&project).spawn();
    session.line("backlog-aws allow --under ~; echo profil = x > .backlog-aws");
    named_and_fixed(&home, &mut session, "override-invalid", "problem");
}

#[test]
fn a_value_that_needs_expansion_gives_way_to_a_pin() {
    let home = Sandbox::documented_home();
    home.write(".backlog-toolkit-env", "# mine\nexport BACKLOG_AWS_PROFILE=\"$(echo bedrock)\"\n");
    let mut session = Session::start(&home, Shell::Bash);
    named_and_fixed(&home, &mut session, "unusable", "problem");
}

#[test]
fn keys_in_the_toolkits_file_that_undo_exec_are_commented_out() {
    let home = settled_home();
    let keys = format!(
        "export BACKLOG_AWS_PROFILE='bedrock'\nexport AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n",
        KEY_IDS[1], SECRETS[1]
    );
    home.write(".backlog-toolkit-env", keys);
    let mut session = Session::start(&home, Shell::Bash);
    let fixed = named_and_fixed(&home, &mut session, "toolkit-env-overrides", "warning");
    assert!(fixed.find("plain-start").is_none(), "{:#}", fixed.0);
}

#[test]
fn a_litellm_that_is_older_than_the_files_is_stopped() {
    let home = settled_home();
    // A copy of `sleep` under that name: what ps shows of it is what it shows of the real one.
    let program = home.path("litellm");
    fs::copy("/bin/sleep", &program).unwrap();
    let mut proxy = home.command(&program).arg("60").spawn().unwrap();
    let pid = proxy.id();
    // One of the same user that reads the files of another home.
    let other = Sandbox::new();
    let mut others = other.command(&program).arg("60").spawn().unwrap();
    // Start times are kept in hundredths of a second, and in whole seconds where ps(1) is asked.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    home.write(".backlog-toolkit-env", "export BACKLOG_AWS_PROFILE='luxito'\n");
    let mut session = Session::start(&home, Shell::Bash);
    let diagnosis = Diagnosis::of(&home, &mut session);
    let ours = |diagnosis: &Diagnosis| {
        let checks = diagnosis.0["checks"].as_array().unwrap().clone();
        let named = format!("(process {pid})");
        checks.into_iter().find(|check| check["message"].as_str().unwrap().contains(&named))
    };
    let check = ours(&diagnosis).expect("the process is seen");
    assert_eq!(check["code"], "litellm-older");
    if cfg!(target_os = "linux") {
        let text = diagnosis.0["checks"].to_string();
        assert!(!text.contains(&format!("(process {})", others.id())), "{text}");
    }
    others.kill().unwrap();
    others.wait().unwrap();
    assert_eq!(diagnosis.0["ok"], true, "a warning");
    let command = command_of(&check);
    assert_eq!(command, format!("kill {pid}"));
    session.line(command);
    proxy.wait().unwrap();
    assert!(ours(&Diagnosis::of(&home, &mut session)).is_none());
}

#[test]
fn a_duplicate_that_only_boto3_rejects_is_named_with_its_line() {
    let home = settled_home();
    home.write(
        ".aws/config",
        "[profile cc]\nregion = a-1\nregion = b-1\n[profile x]\nregion = c-1 # here\n",
    );
    let output = home.run(["doctor", "--json"]).expect_code(1);
    let report = output.json();
    let first = &report["checks"][0];
    assert_eq!(first["code"], "boto3-rejects");
    assert!(first["at"].as_str().unwrap().ends_with(".aws/config:3"), "{first}");
    let report = Diagnosis(report);
    let boto3 = report.consumer("boto3");
    assert!(boto3["rule"].as_str().unwrap().contains(".aws/config:3"), "{boto3}");
}

#[test]
fn without_a_profile_an_anthropic_key_is_no_bedrock() {
    let home = Sandbox::new();
    let output = home.invoke(["doctor", "--json"]).env("ANTHROPIC_API_KEY", "sk-ant-x").run();
    let report = output.expect_code(0).json();
    let first = &report["checks"][0];
    assert_eq!(first["code"], "none-found");
    assert!(first["remedy"].as_str().unwrap().contains("Anthropic's API"), "{first}");
}

#[test]
fn people_read_one_line_per_check_and_what_to_remove() {
    let home = settled_home();
    home.write(".bashrc", "# backlog-aws: not this one\neval \"$(backlog-aws init bash)\"\n");
    let output =
        home.invoke(["doctor"]).env("AWS_PROFILE", "a\u{202e}b\x1b[2J").run().expect_code(1);
    let text = output.out();
    assert!(
        text.starts_with("problem  AWS_PROFILE=a\\u{202e}b\\x1b[2J is in neither AWS file"),
        "{text}"
    );
    assert!(text.contains("Who uses what here"), "{text}");
    assert!(text.contains(".bashrc:2\n") && !text.contains(".bashrc:1"), "{text}");
}

/// The finding of this code in what `doctor` finds in a directory.
fn found(home: &Sandbox, directory: &str, code: &str) -> Option<Value> {
    let report = home.invoke(["doctor", "--json"]).cwd(home.path(directory)).run().json();
    let checks = report["checks"].as_array().unwrap();
    assert!(checks.iter().filter(|check| check["code"] == code).count() < 2, "{checks:?}");
    checks.iter().find(|check| check["code"] == code).cloned()
}

#[test]
fn variables_of_aws_in_claudes_settings_are_named_without_their_values() {
    let home = settled_home();
    let finding = |text: &str| {
        home.write(".claude/settings.json", text);
        let found = found(&home, "", "claude-settings")?;
        assert!(found["at"].as_str().unwrap().ends_with(".claude/settings.json"), "{found}");
        Some(found["message"].as_str().unwrap().to_owned())
    };
    assert_eq!(finding("{}"), None);
    assert_eq!(finding(r#"{"env": {"CLAUDE_CODE_USE_BEDROCK": "1"}, "hooks": []}"#), None);
    let settings = format!(
        r#"{{"env": {{"AWS_SECRET_ACCESS_KEY": "{}", "AWS_PROFILE": "cc", "X": {{}}}}, "other": [1, null]}}"#,
        SECRETS[0]
    );
    let message = "Claude Code's settings give AWS_PROFILE, AWS_SECRET_ACCESS_KEY to every command of its Bash tool";
    assert_eq!(finding(&settings).as_deref(), Some(message));
    for text in ["{", "", r#"{"env": ["AWS_PROFILE"]}"#, "\u{fffd}"] {
        assert!(finding(text).expect("it is one").contains("cannot be read"), "{text}");
    }
    home.remove(".claude");
    assert_eq!(found(&home, "", "claude-settings"), None);
}

#[test]
fn an_env_file_with_keys_that_git_tracks_is_named() {
    let home = settled_home();
    let git = |words: &[&str]| {
        let run =
            home.command(needed("git")).arg("-C").arg(home.path("project")).args(words).output();
        assert!(run.as_ref().unwrap().status.success(), "{run:?}");
    };
    home.mkdir("project/app/deep");
    git(&["init", "-q"]);
    let keys =
        format!("# mine\nAWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n", SECRETS[3], SECRETS[0]);
    for (number, file) in ["project/.env", "project/app/.env"].into_iter().enumerate() {
        home.write(file, &keys);
        assert_eq!(
            found(&home, "project/app/deep", "tracked-keys").is_some(),
            number > 0,
            "untracked"
        );
        git(&["add", "-f", file.trim_start_matches("project/")]);
        let finding = found(&home, "project/app/deep", "tracked-keys").expect("it is tracked");
        let path = home.path(file).display().to_string();
        assert_eq!(finding["message"], format!("{path} has keys, and git tracks it"));
        let remedy = format!(
            "`git rm --cached -- {path}`, name it in .gitignore, and replace the keys: history keeps them"
        );
        assert_eq!(finding["remedy"], remedy);
    }
    assert!(found(&home, "", "tracked-keys").is_none(), "not this directory's repository");
    home.write("project/app/.env", "AWS_REGION=eu-west-1\n");
    let outer =
        found(&home, "project/app/deep", "tracked-keys").expect("that of the repository's top");
    assert!(outer["message"].as_str().unwrap().contains("project/.env"), "{outer}");
    git(&["rm", "-q", "--cached", ".env"]);
    assert_eq!(found(&home, "project/app/deep", "tracked-keys"), None);
}
