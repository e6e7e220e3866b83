//! Tab, pressed in real shells.

use std::fs;

use crate::harness::{
    Key, Sandbox, Session, SessionBuilder, Shell, bash_completion, say, scenario, static_profile,
};

const COMPINIT: &str = "autoload -Uz compinit; compinit -u -D";

/// The documented home, with what else there is to complete.
fn home() -> Sandbox {
    let home = Sandbox::documented_home();
    home.write("projects/acme/.backlog-aws", "profile = bedrock\n");
    home.write("projects/notes.txt", "");
    command(&home, "gi-unlike-any");
    home
}

fn many_profiles(count: usize) -> String {
    (0..count).map(|number| static_profile(&format!("p-{number:04}-x"), "eu-west-1")).collect()
}

/// Puts a command on the sandbox's `PATH`.
fn command(home: &Sandbox, name: &str) {
    home.put_on_path(name, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n");
}

fn builder(home: &Sandbox, shell: Shell) -> SessionBuilder<'_> {
    let builder = Session::builder(home, shell).size(50, 110);
    match shell {
        Shell::Zsh => builder.before(COMPINIT),
        _ => builder,
    }
}

/// Types a line and asks for everything that can follow.
fn list(session: &mut Session<'_>, line: &str) {
    session.send(line);
    session.key(Key::Tab);
    if session.shell() == Shell::Bash {
        session.key(Key::Tab);
    }
}

/// Leaves the line as it stands, without running it.
fn drop_line(session: &mut Session<'_>) {
    if session.shell() == Shell::Fish {
        // Closes the list first.
        session.key(Key::Esc);
    }
    session.interrupt();
    session.key(Key::CtrlL);
    session.key(Key::Enter);
    session.wait_prompt();
}

/// Types a line, lets it be completed until the screen shows `completed`, and runs it.
fn complete_and_run(session: &mut Session<'_>, line: &str, completed: &str) -> String {
    session.send(line);
    session.key(Key::Tab);
    session.wait_for(completed);
    session.key(Key::Enter);
    session.wait_prompt().text
}

scenario! {
    fn tab_shows_the_commands(shell) {
        let home = home();
        let mut session = builder(&home, shell).spawn();
        list(&mut session, "backlog-aws ");
        session.wait_until("the commands", |screen| ["status", "exec", "credentials", "allow"].iter().all(|word| screen.contains(word)));
        let screen = session.screen();
        assert!(!screen.contains("complete\n") && !screen.contains("\nhook"), "{screen}");
        if shell != Shell::Bash {
            assert!(screen.contains("Stop trusting"), "no descriptions: {screen}");
        }
        drop_line(&mut session);
    }

    fn tab_after_use_shows_the_usable_profiles(shell) {
        let home = home();
        // What is said at the first prompt names them too.
        let mut session = builder(&home, shell).env("BACKLOG_AWS_QUIET", "1").spawn();
        for line in ["backlog-aws use ", "backlog-aws local ", "backlog-aws exec --profile ", "backlog-aws credentials --profile "] {
            list(&mut session, line);
            session.wait_until("the profiles", |screen| screen.contains("bedrock") && screen.contains("luxito"));
            let screen = session.screen();
            assert!(!screen.lines().any(|line| line.starts_with("cc")), "an SSO profile is of no use here: {screen}");
            if shell != Shell::Bash {
                assert!(screen.contains("static, eu-west-1") && screen.contains("static, us-west-2"), "{screen}");
            }
            drop_line(&mut session);
        }
    }

    fn a_beginning_is_completed_and_the_line_runs(shell) {
        let home = home();
        let mut session = builder(&home, shell).spawn();
        complete_and_run(&mut session, "backlog-aws use be", "use bedrock");
        assert_eq!(session.var("BACKLOG_AWS_PROFILE").unwrap(), "bedrock");
        complete_and_run(&mut session, "backlog-aws use --region mx", "--region mx-central-1");
        assert_eq!(session.var("BACKLOG_AWS_REGION").unwrap(), "mx-central-1");
        let text = complete_and_run(&mut session, "backlog-aws exec --profile=lu", "--profile=luxito");
        assert!(text.contains("required"), "no command was given: {text}");
    }

    fn after_two_dashes_another_command_is_completed(shell) {
        let home = home();
        let mut session = builder(&home, shell).spawn();
        list(&mut session, "backlog-aws exec -- gi");
        session.wait_until("both commands", |screen| screen.contains("gi-unlike-any") && screen.contains("git"));
        drop_line(&mut session);
        session.send("backlog-aws exec -p bedrock -- gi-u");
        session.key(Key::Tab);
        session.wait_for("-- gi-unlike-any");
        session.send("projects/no");
        session.key(Key::Tab);
        session.wait_for("projects/notes.txt");
        session.key(Key::Enter);
        assert_eq!(session.wait_prompt().text, "projects/notes.txt");
    }

    fn after_two_dashes_that_commands_own_completion_is_used(shell) {
        if shell.is_bash_before(4) {
            return say("after_two_dashes_that_commands_own_completion_is_used: bash-completion needs bash 4.2");
        }
        let home = home();
        let mut builder = builder(&home, shell);
        match shell {
            Shell::Bash => {
                let load = format!(". {}", bash_completion().display());
                builder = builder.before(load).before("complete -W 'checkout cherry-pick' gi-unlike-any");
            }
            Shell::Zsh => builder = builder.before("_gi() { compadd checkout cherry-pick }; compdef _gi gi-unlike-any"),
            Shell::Nu => unreachable!(),
            Shell::Fish => builder = builder.before("complete -c gi-unlike-any -f -a 'checkout cherry-pick'"),
        }
        let mut session = builder.spawn();
        let text = complete_and_run(&mut session, "backlog-aws exec -p bedrock -- gi-unlike-any cher", "any cherry-pick");
        assert_eq!(text, "cherry-pick");
    }

    fn tab_after_allow_shows_files_and_directories(shell) {
        let home = home();
        let mut session = builder(&home, shell).cwd(home.path("projects")).spawn();
        list(&mut session, "backlog-aws allow ");
        session.wait_until("both", |screen| screen.contains("acme") && screen.contains("notes.txt"));
        drop_line(&mut session);
        if shell.is_bash_before(4) {
            // Without `compopt` it offers files everywhere.
            return;
        }
        session.send("backlog-aws allow --under ");
        session.key(Key::Tab);
        session.wait_for("--under acme");
        assert!(!session.screen().contains("notes.txt"), "{}", session.screen());
        drop_line(&mut session);
        session.send("backlog-aws deny ~/projects/ac");
        session.key(Key::Tab);
        session.wait_for("projects/acme/");
        drop_line(&mut session);
    }

    /// The AWS dialect allows these in names, and shells have their own ideas about each.
    fn names_with_special_characters_are_completed_as_they_are(shell) {
        let home = home();
        let names = ["team:prod@x%y+z/1.a", "team:dev", "%x", "@host", "+a", "http://one:two"];
        home.write(".aws/credentials", names.map(|name| static_profile(name, "eu-west-1")).concat());
        let mut session = builder(&home, shell).spawn();
        list(&mut session, "backlog-aws use team:");
        session.wait_until("both", |screen| screen.contains("dev") && screen.contains("prod@x%y"));
        drop_line(&mut session);
        for (typed, name) in [
            ("team:p", names[0]),
            ("team:prod@x", names[0]),
            ("team:prod@x%y+", names[0]),
            ("team:prod@x%y+z/", names[0]),
            ("team:d", names[1]),
            ("'team:d", names[1]),
            ("%", names[2]),
            ("@", names[3]),
            ("+", names[4]),
            ("http://one:t", names[5]),
        ] {
            session.send(format!("backlog-aws use {typed}"));
            session.key(Key::Tab);
            // Some escape what they insert.
            session.wait_until(name, |screen| screen.replace(['\\', '\''], "").contains(&format!("use {name}")));
            session.key(Key::Enter);
            session.wait_prompt();
            assert_eq!(session.var("BACKLOG_AWS_PROFILE").unwrap(), name, "from {typed}");
        }
    }

    fn without_completions_nothing_is_registered(shell) {
        let home = home();
        let question = match shell {
            Shell::Bash => "complete -p | grep -c backlog-aws",
            Shell::Zsh => "echo ${+_comps[backlog-aws]}",
            Shell::Nu => unreachable!(),
            Shell::Fish => "complete | grep -c backlog-aws",
        };
        let mut with = builder(&home, shell).spawn();
        assert_eq!(with.line(question).text, "1");
        let mut without = builder(&home, shell).init_args("--no-completions").spawn();
        assert_eq!(without.line(question).text, "0");
    }

    /// As `backlog-aws completions SHELL` is used by itself, or packages install it.
    fn the_script_works_without_the_integration(shell) {
        let home = home();
        let load = match shell {
            Shell::Bash => "eval \"$(backlog-aws completions bash)\"",
            Shell::Zsh => "source <(backlog-aws completions zsh)",
            Shell::Nu => unreachable!(),
            Shell::Fish => "backlog-aws completions fish | source",
        };
        let mut session = builder(&home, shell).without_integration().after(load).spawn();
        session.send("backlog-aws credentials --format dote");
        session.key(Key::Tab);
        session.wait_for("--format dotenv");
        drop_line(&mut session);
    }

    fn one_tab_costs_one_process_however_many_profiles_there_are(shell) {
        let home = home();
        home.write(".aws/credentials", many_profiles(2000));
        home.replace_binary(&format!(
            // By the wrapper's own name, or the integration would call what is behind it.
            "#!/usr/bin/env bash\necho \"$1\" >> {}\nexec -a \"$0\" {} \"$@\"\n",
            home.path("calls").display(),
            Sandbox::built_binary().display()
        ));
        let mut session = builder(&home, shell).spawn();
        // The first one loads the script.
        complete_and_run(&mut session, "backlog-aws use p-0000", "use p-0000-x");
        home.write("calls", "");
        complete_and_run(&mut session, "backlog-aws use p-1777", "use p-1777-x");
        let calls = fs::read_to_string(home.path("calls")).unwrap();
        assert_eq!(calls.matches("complete\n").count(), 1, "{calls}");
        assert_eq!(calls.matches("completions\n").count(), 0, "{calls}");
    }
}

#[test]
fn bash_completes_under_options_that_break_careless_scripts() {
    let home = home();
    let mut session = builder(&home, Shell::Bash)
        .after("set -eu; set -o noclobber; set -k; IFS=-; shopt -s nocasematch nullglob failglob")
        .spawn();
    complete_and_run(&mut session, "backlog-aws use be", "use bedrock");
    assert_eq!(session.var("BACKLOG_AWS_PROFILE").unwrap(), "bedrock");
    session.line("set +eu; shopt -u failglob");
}

#[test]
fn zsh_completes_whenever_compinit_runs() {
    let home = home();
    // Below the integration.
    let mut session = Session::builder(&home, Shell::Zsh).after(COMPINIT).spawn();
    complete_and_run(&mut session, "backlog-aws use be", "use bedrock");
    // After the first prompt, as plugin managers do to start faster.
    let mut session = Session::start(&home, Shell::Zsh);
    session.line(COMPINIT);
    session.line("");
    complete_and_run(&mut session, "backlog-aws use be", "use bedrock");
    // Also when nothing else waits for prompts.
    let mut session =
        Session::builder(&home, Shell::Zsh).init_args("--hook none").after(COMPINIT).spawn();
    complete_and_run(&mut session, "backlog-aws use be", "use bedrock");
    // With the packaged file in `fpath`.
    let functions = home.mkdir("site-functions");
    fs::copy("completions/_backlog-aws", functions.join("_backlog-aws")).unwrap();
    let mut session = Session::builder(&home, Shell::Zsh)
        .before(format!("fpath+=({})", functions.display()))
        .before(COMPINIT)
        .spawn();
    assert_eq!(session.line("echo $_comps[backlog-aws]").text, "_backlog-aws");
    complete_and_run(&mut session, "backlog-aws use be", "use bedrock");
    // And never.
    let mut session = Session::start(&home, Shell::Zsh);
    session.line("true");
    assert_eq!(session.status_of_last(), 0);
}
