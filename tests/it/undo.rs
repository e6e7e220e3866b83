//! What the hook did is undone wherever the shell goes, and what the user did since is not.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;

use crate::harness::{Sandbox, Session, Shell, scenario};

const OURS: [&str; 3] = ["BACKLOG_AWS_PROFILE", "BACKLOG_AWS_REGION", "BACKLOG_AWS_SOURCE"];

/// The documented home with two allowed overrides: `a` says bedrock and a region of its own, `b` says luxito.
fn home() -> Sandbox {
    let home = Sandbox::documented_home();
    allowed(&home, "a", "profile = bedrock\nregion = ap-south-1\n");
    allowed(&home, "b", "profile = luxito\n");
    home
}

fn allowed(home: &Sandbox, directory: &str, content: &str) {
    let file = home.write(format!("{directory}/.backlog-aws"), content);
    home.invoke(["allow"]).cwd(file.parent().unwrap()).run().expect_code(0);
}

#[track_caller]
fn exported(session: &mut Session<'_>) -> [Option<OsString>; 3] {
    let mut environment = session.env();
    OURS.map(|name| environment.remove(std::ffi::OsStr::new(name)))
}

#[track_caller]
fn assert_exported(session: &mut Session<'_>, profile: &str, region: &str, source: &str) {
    assert_eq!(exported(session), [profile, region, source].map(|word| Some(word.into())));
}

/// What the documented home comes to without any directory's word.
#[track_caller]
fn assert_outside(session: &mut Session<'_>) {
    assert_exported(session, "luxito", "us-west-2", "first");
}

fn joined(text: &str) -> String {
    text.replace('\n', "")
}

scenario! {
    fn leaving_restores_unset_as_unset_and_empty_as_empty(shell) {
        // No profile is usable, so outside of `a` there is nothing to export.
        let home = Sandbox::new();
        let keys = Sandbox::documented_home();
        let credentials = fs::read(keys.path(".aws/credentials")).unwrap();
        allowed(&home, "a", "profile = bedrock\n");
        for empty in [false, true] {
            let mut builder = Session::builder(&home, shell);
            if empty {
                builder = builder.env("BACKLOG_AWS_PROFILE", "").env("BACKLOG_AWS_REGION", "");
            }
            let mut session = builder.spawn();
            let before = exported(&mut session);
            let value = empty.then(OsString::new);
            assert_eq!(before, [value.clone(), value, None]);
            home.write(".aws/credentials", &credentials);
            session.cd(home.path("a"));
            assert_exported(&mut session, "bedrock", "eu-west-1", "directory");
            home.remove(".aws/credentials");
            session.cd(home.home());
            assert_eq!(exported(&mut session), before, "empty: {empty}");
        }
    }

    fn from_one_directory_straight_to_another_nothing_of_the_first_is_left(shell) {
        let home = home();
        let mut session = Session::start(&home, shell);
        session.cd(home.path("a"));
        assert_exported(&mut session, "bedrock", "ap-south-1", "directory");
        session.cd(home.path("b"));
        assert_exported(&mut session, "luxito", "us-west-2", "directory");
        session.cd(home.path("a"));
        session.cd(home.home());
        assert_outside(&mut session);
    }

    fn a_broken_directory_undoes_the_one_before_all_the_same(shell) {
        let home = home();
        home.write("stranger/.backlog-aws", "profile = luxito\n");
        home.mkdir("unreadable/.backlog-aws");
        allowed(&home, "unusable", "profile = cc\n");
        let trusted = home.mkdir("trusted");
        home.write("trusted/invalid/.backlog-aws", "profile = bedrock\nprofile = luxito\n");
        home.invoke(["allow", "--under"].map(OsString::from).into_iter().chain([trusted.into()])).run().expect_code(0);
        let mut session = Session::start(&home, shell);
        for (directory, expected) in [
            ("stranger", [Some("luxito"), Some("us-west-2"), Some("first")]),
            ("unreadable", [Some("luxito"), Some("us-west-2"), Some("first")]),
            ("unusable", [Some("cc"), Some("eu-central-1"), Some("directory")]),
            ("trusted/invalid", [None, Some("us-east-1"), Some("directory")]),
        ] {
            session.cd(home.path("a"));
            assert_exported(&mut session, "bedrock", "ap-south-1", "directory");
            let told = session.cd(home.path(directory)).text;
            assert!(told.contains("backlog-aws: "), "{directory}: {told}");
            assert_eq!(exported(&mut session), expected.map(|value| value.map(OsString::from)), "{directory}");
            // Told once, not at each prompt.
            assert_eq!(session.line("").text, "");
        }
        session.cd(home.home());
        assert_outside(&mut session);
    }

    fn a_deleted_working_directory_has_no_word_any_more(shell) {
        let home = home();
        home.mkdir("a/inner");
        let mut session = Session::start(&home, shell);
        session.cd(home.path("a/inner"));
        assert_exported(&mut session, "bedrock", "ap-south-1", "directory");
        home.remove("a");
        let turn = session.line("");
        assert!(!turn.text.contains("panicked") && !turn.text.contains("os error"), "{}", turn.text);
        assert_outside(&mut session);
        assert_eq!(session.line("").text, "");
        // Made again by the same name it is another directory, and the shell is still in none.
        allowed(&home, "a", "profile = bedrock\n");
        session.line("");
        assert_outside(&mut session);
        session.cd(home.path("a"));
        assert_exported(&mut session, "bedrock", "eu-west-1", "directory");
    }

    fn a_directory_renamed_under_the_shell_is_another_one(shell) {
        let home = home();
        let mut session = Session::start(&home, shell);
        session.cd(home.path("a"));
        assert_exported(&mut session, "bedrock", "ap-south-1", "directory");
        fs::rename(home.path("a"), home.path("renamed")).unwrap();
        let told = joined(&session.line("").text);
        assert!(told.contains("renamed/.backlog-aws is not allowed"), "{told}");
        assert_outside(&mut session);
        fs::rename(home.path("renamed"), home.path("a")).unwrap();
        session.line("");
        assert_exported(&mut session, "bedrock", "ap-south-1", "directory");
        // The parent is the same case.
        fs::create_dir(home.path("above")).unwrap();
        fs::rename(home.path("a"), home.path("above/a")).unwrap();
        session.line("");
        assert_outside(&mut session);
    }

    fn a_directory_moved_into_anothers_reach_is_in_its_reach(shell) {
        let home = home();
        home.mkdir("plain/inner");
        let mut session = Session::start(&home, shell);
        session.cd(home.path("plain/inner"));
        assert_outside(&mut session);
        // No path that was looked at has changed; only where the shell is.
        fs::rename(home.path("plain"), home.path("a/plain")).unwrap();
        session.line("");
        assert_exported(&mut session, "bedrock", "ap-south-1", "directory");
    }

    fn what_the_user_sets_inside_survives_leaving(shell) {
        let home = home();
        let mut session = Session::start(&home, shell);
        session.cd(home.path("a"));
        session.export("BACKLOG_AWS_REGION", "sa-east-1");
        assert_exported(&mut session, "bedrock", "sa-east-1", "directory");
        session.cd(home.home());
        assert_exported(&mut session, "luxito", "sa-east-1", "first");
        session.export("BACKLOG_AWS_PROFILE", "bedrock");
        session.cd(home.path("b"));
        assert_exported(&mut session, "bedrock", "sa-east-1", "pin");
        session.cd(home.home());
        assert_exported(&mut session, "bedrock", "sa-east-1", "pin");
        session.unset("BACKLOG_AWS_REGION");
        session.unset("BACKLOG_AWS_PROFILE");
        assert_outside(&mut session);
        session.cd(home.path("a"));
        assert_exported(&mut session, "bedrock", "ap-south-1", "directory");
    }

    fn the_very_value_that_was_there_set_again_is_no_change(shell) {
        let home = home();
        let mut session = Session::start(&home, shell);
        session.cd(home.path("a"));
        // The trap: our own answer must not become a pin by being looked at, exported again or saved and restored.
        session.export("BACKLOG_AWS_PROFILE", "bedrock");
        session.cd(home.path("b"));
        assert_exported(&mut session, "luxito", "us-west-2", "directory");
    }

    fn a_child_shell_is_not_stuck_with_its_parents_directory(shell) {
        let home = home();
        let mut parent = Session::start(&home, shell);
        parent.cd(home.path("a"));
        let inherited: Vec<_> = parent
            .env()
            .into_iter()
            .filter(|(name, _)| name.to_string_lossy().contains("BACKLOG_AWS"))
            .collect();
        assert_eq!(inherited.len(), 4);
        for child in Shell::ALL {
            for (directory, profile, region, source) in [
                ("a", "bedrock", "ap-south-1", "directory"),
                ("b", "luxito", "us-west-2", "directory"),
                ("", "luxito", "us-west-2", "first"),
            ] {
                let mut builder = Session::builder(&home, child).cwd(home.path(directory));
                for (name, value) in &inherited {
                    builder = builder.env(name, value);
                }
                let mut session = builder.spawn();
                assert_exported(&mut session, profile, region, source);
                session.cd(home.home());
                assert_outside(&mut session);
            }
        }
    }

    fn a_child_shell_restores_what_was_there_before_its_parent(shell) {
        let home = home();
        let mut parent = Session::builder(&home, shell).env("BACKLOG_AWS_REGION", "eu-south-1").spawn();
        parent.cd(home.path("a"));
        assert_exported(&mut parent, "bedrock", "ap-south-1", "directory");
        let environment = parent.env();
        let mut builder = Session::builder(&home, shell).cwd(home.path("a"));
        for (name, value) in environment.iter().filter(|(name, _)| name.to_string_lossy().contains("BACKLOG_AWS")) {
            builder = builder.env(name, value);
        }
        let mut child = builder.spawn();
        assert_exported(&mut child, "bedrock", "ap-south-1", "directory");
        child.cd(home.home());
        assert_exported(&mut child, "luxito", "eu-south-1", "first");
    }

    fn a_nested_shell_ends_and_the_outer_one_is_as_it_was(shell) {
        let home = home();
        let mut session = Session::start(&home, shell);
        session.cd(home.path("a"));
        let before = session.env();
        session.line(format!("{} -c 'cd {}; true'", shell.name(), home.path("b").display()));
        session.line("sh -c 'cd /; BACKLOG_AWS_PROFILE=luxito; export BACKLOG_AWS_PROFILE'");
        let after = session.env();
        for name in OURS {
            assert_eq!(before.get(std::ffi::OsStr::new(name)), after.get(std::ffi::OsStr::new(name)));
        }
    }

    fn a_pane_that_inherits_half_of_another_shells_state_recomputes(shell) {
        let home = home();
        let mut other = Session::start(&home, shell);
        other.cd(home.path("a"));
        let environment = other.env();
        let of = |name: &str| environment[std::ffi::OsStr::new(name)].clone();
        // A multiplexer's server that was started in `a` hands its panes all of it, or what some configuration lists.
        let names = [OURS[0], OURS[1], OURS[2], "__BACKLOG_AWS_STATE"];
        for kept in [&names[..], &names[..3], &[names[0], names[2]], &[names[3]], &[names[2], names[3]]] {
            let mut builder = Session::builder(&home, shell);
            for name in kept {
                builder = builder.env(*name, of(name));
            }
            let mut session = builder.spawn();
            assert_outside(&mut session);
            session.cd(home.path("b"));
            assert_exported(&mut session, "luxito", "us-west-2", "directory");
        }
    }

    fn damaged_state_is_dropped_and_the_files_are_asked(shell) {
        let home = home();
        let mut session = Session::start(&home, shell);
        session.cd(home.path("a"));
        let state = session.var("__BACKLOG_AWS_STATE").unwrap().into_string().unwrap();
        let cut = state[..state.len() / 2].to_owned();
        for damaged in ["", "1:", "garbage", "$(touch broken)", "2:\u{7f}:", &cut, &format!("{state}0")] {
            session.export("__BACKLOG_AWS_STATE", damaged);
            assert_exported(&mut session, "bedrock", "ap-south-1", "directory");
            session.cd(home.path("b"));
            assert_exported(&mut session, "luxito", "us-west-2", "directory");
            session.cd(home.path("a"));
        }
        session.unset("__BACKLOG_AWS_STATE");
        session.cd(home.home());
        assert_outside(&mut session);
        assert!(!home.path("broken").exists());
    }

    fn exec_of_a_new_shell_in_place_keeps_nothing_stale(shell) {
        let home = home();
        let mut session = Session::start(&home, shell);
        session.cd(home.path("a"));
        session.line("backlog-aws use luxito");
        session.line("backlog-aws use --clear");
        let flags = match shell {
            Shell::Bash => "--noprofile --rcfile ~/.bashrc -i",
            Shell::Zsh => "-d -i",
            Shell::Fish => "-i",
        };
        session.line(format!("exec {} {flags}", shell.path().display()));
        assert_exported(&mut session, "bedrock", "ap-south-1", "directory");
        session.cd(home.home());
        assert_outside(&mut session);
    }

    fn pushd_and_popd_are_ways_in_and_out(shell) {
        let home = home();
        let mut session = Session::start(&home, shell);
        session.line("pushd a > /dev/null");
        assert_exported(&mut session, "bedrock", "ap-south-1", "directory");
        session.line("pushd ../b > /dev/null");
        assert_exported(&mut session, "luxito", "us-west-2", "directory");
        session.line("popd > /dev/null");
        assert_exported(&mut session, "bedrock", "ap-south-1", "directory");
        session.line("popd > /dev/null");
        assert_outside(&mut session);
    }

    fn cd_inside_a_function_counts_where_the_function_ends(shell) {
        let home = home();
        let mut session = Session::start(&home, shell);
        let (there, back) = match shell {
            Shell::Fish => ("function there; cd a; end", "function back; cd a; cd ..; end"),
            _ => ("there() { cd a; }", "back() { cd a; cd ..; }"),
        };
        session.line(there);
        session.line(back);
        session.line("back");
        assert_outside(&mut session);
        session.line("there");
        assert_exported(&mut session, "bedrock", "ap-south-1", "directory");
        session.cd(home.home());
        assert_outside(&mut session);
    }

    fn cd_inside_a_subshell_changes_nothing_outside(shell) {
        let home = home();
        let mut session = Session::start(&home, shell);
        let before = session.var("__BACKLOG_AWS_STATE");
        let line = match shell {
            Shell::Fish => "echo (cd a; pwd; cd ..) > /dev/null; fish --no-config -c 'cd a'",
            _ => "(cd a; echo \"$(cd ../b; pwd)\") > /dev/null",
        };
        assert_eq!(session.line(line).text, "");
        assert_outside(&mut session);
        assert_eq!(session.var("__BACKLOG_AWS_STATE"), before);
        // `exec` looks where it is, whatever the hook has exported.
        let line = match shell {
            Shell::Fish => "sh -c 'cd a; exec backlog-aws exec -- sh -c \"echo in-\\$AWS_PROFILE\"'",
            _ => "(cd a; backlog-aws exec -- sh -c 'echo in-$AWS_PROFILE')",
        };
        let told = session.line(line).text;
        assert!(told.ends_with("in-bedrock"), "{told}");
    }

    fn a_link_to_a_directory_is_left_like_the_directory(shell) {
        let home = home();
        symlink("a", home.path("link")).unwrap();
        let mut session = Session::start(&home, shell);
        session.cd(home.path("link"));
        assert_exported(&mut session, "bedrock", "ap-south-1", "directory");
        session.line("cd ..");
        assert_outside(&mut session);
        session.cd(home.path("link"));
        session.cd(home.path("a"));
        assert_exported(&mut session, "bedrock", "ap-south-1", "directory");
        session.cd(home.home());
        assert_outside(&mut session);
    }
}
