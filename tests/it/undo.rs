//! What the hook did is undone wherever the shell goes, and what the user did since is not.

use std::ffi::OsStr;
use std::fs;

use crate::harness::{Sandbox, Session, Shell, scenario};

/// The documented home with two allowed overrides: `a` says bedrock and a region of its own, `b` says luxito.
fn home() -> Sandbox {
    let home = Sandbox::documented_home();
    home.allow("a", "profile = bedrock\nregion = ap-south-1\n");
    home.allow("b", "profile = luxito\n");
    home
}

/// What the documented home comes to without any directory's word.
#[track_caller]
fn assert_outside(session: &mut Session<'_>) {
    session.assert_exported("luxito", "us-west-2", "first");
}

scenario! {
    fn leaving_restores_unset_as_unset_and_empty_as_empty(shell) {
        // No profile is usable, so outside of `a` there is nothing to export.
        let home = Sandbox::new();
        let keys = Sandbox::documented_home();
        let credentials = fs::read(keys.path(".aws/credentials")).unwrap();
        home.allow("a", "profile = bedrock\n");
        for empty in [false, true] {
            let mut builder = Session::builder(&home, shell);
            if empty {
                builder = builder.env("BACKLOG_AWS_PROFILE", "").env("BACKLOG_AWS_REGION", "");
            }
            let mut session = builder.spawn();
            let before = session.exported();
            let value = empty.then(String::new);
            assert_eq!(before, [value.clone(), value, None]);
            home.write(".aws/credentials", &credentials);
            session.cd(home.path("a"));
            session.assert_exported("bedrock", "eu-west-1", "directory");
            home.remove(".aws/credentials");
            session.cd(home.home());
            assert_eq!(session.exported(), before, "empty: {empty}");
        }
    }

    fn from_one_directory_straight_to_another_nothing_of_the_first_is_left(shell) {
        let home = home();
        let mut session = Session::start(&home, shell);
        session.cd(home.path("a"));
        session.assert_exported("bedrock", "ap-south-1", "directory");
        session.cd(home.path("b"));
        session.assert_exported("luxito", "us-west-2", "directory");
        session.cd(home.path("a"));
        session.cd(home.home());
        assert_outside(&mut session);
    }

    fn a_broken_directory_undoes_the_one_before_all_the_same(shell) {
        let home = home();
        home.write("stranger/.backlog-aws", "profile = luxito\n");
        home.mkdir("unreadable/.backlog-aws");
        home.allow("unusable", "profile = cc\n");
        let trusted = home.mkdir("trusted");
        home.write("trusted/invalid/.backlog-aws", "profile = bedrock\nprofile = luxito\n");
        home.run([OsStr::new("allow"), OsStr::new("--under"), trusted.as_os_str()]).expect_code(0);
        let mut session = Session::start(&home, shell);
        for (directory, expected) in [
            ("stranger", [Some("luxito"), Some("us-west-2"), Some("first")]),
            ("unreadable", [Some("luxito"), Some("us-west-2"), Some("first")]),
            ("unusable", [Some("cc"), Some("eu-central-1"), Some("directory")]),
            ("trusted/invalid", [None, Some("us-east-1"), Some("directory")]),
        ] {
            session.cd(home.path("a"));
            session.assert_exported("bedrock", "ap-south-1", "directory");
            let told = session.cd(home.path(directory)).text;
            assert!(told.contains("backlog-aws: "), "{directory}: {told}");
            assert_eq!(session.exported(), expected.map(|value| value.map(str::to_owned)), "{directory}");
            // Told once, not at each prompt.
            assert_eq!(session.line("").text, "");
        }
        session.cd(home.home());
        assert_outside(&mut session);
    }

    /// Not knowing what its files said is no reason to change to another account.
    fn a_deleted_working_directory_leaves_what_is_exported(shell) {
        let home = home();
        home.mkdir("a/inner");
        let mut session = Session::start(&home, shell);
        session.cd(home.path("a/inner"));
        session.assert_exported("bedrock", "ap-south-1", "directory");
        home.remove("a");
        let turn = session.line("");
        assert!(!turn.text.contains("panicked") && !turn.text.contains("os error"), "{}", turn.text);
        session.assert_exported("bedrock", "ap-south-1", "directory");
        assert_eq!(session.line("").text, "");
        // Made again by the same name it is another directory, and the shell is still in none.
        home.allow("a", "profile = bedrock\n");
        session.line("");
        session.assert_exported("bedrock", "ap-south-1", "directory");
        // A pin is known wherever the shell is.
        session.line("backlog-aws use luxito");
        session.assert_exported("luxito", "us-west-2", "pin");
        session.unset("BACKLOG_AWS_PROFILE");
        session.cd(home.home());
        assert_outside(&mut session);
        session.cd(home.path("a"));
        session.assert_exported("bedrock", "eu-west-1", "directory");
    }

    fn a_directory_renamed_under_the_shell_is_another_one(shell) {
        let home = home();
        let mut session = Session::start(&home, shell);
        session.cd(home.path("a"));
        session.assert_exported("bedrock", "ap-south-1", "directory");
        fs::rename(home.path("a"), home.path("renamed")).unwrap();
        let told = session.line("").joined();
        assert!(told.contains("renamed/.backlog-aws is ignored until you allow it"), "{told}");
        assert_outside(&mut session);
        fs::rename(home.path("renamed"), home.path("a")).unwrap();
        session.line("");
        session.assert_exported("bedrock", "ap-south-1", "directory");
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
        session.assert_exported("bedrock", "ap-south-1", "directory");
    }

    fn what_the_user_sets_inside_survives_leaving(shell) {
        let home = home();
        let mut session = Session::start(&home, shell);
        session.cd(home.path("a"));
        session.export("BACKLOG_AWS_REGION", "sa-east-1");
        session.assert_exported("bedrock", "sa-east-1", "directory");
        session.cd(home.home());
        session.assert_exported("luxito", "sa-east-1", "first");
        session.export("BACKLOG_AWS_PROFILE", "bedrock");
        session.cd(home.path("b"));
        session.assert_exported("bedrock", "sa-east-1", "pin");
        session.cd(home.home());
        session.assert_exported("bedrock", "sa-east-1", "pin");
        session.unset("BACKLOG_AWS_REGION");
        session.unset("BACKLOG_AWS_PROFILE");
        assert_outside(&mut session);
        session.cd(home.path("a"));
        session.assert_exported("bedrock", "ap-south-1", "directory");
    }

    fn the_very_value_that_was_there_set_again_is_no_change(shell) {
        let home = home();
        let mut session = Session::start(&home, shell);
        session.cd(home.path("a"));
        // The trap: our own answer must not become a pin by being looked at, exported again or saved and restored.
        session.export("BACKLOG_AWS_PROFILE", "bedrock");
        session.cd(home.path("b"));
        session.assert_exported("luxito", "us-west-2", "directory");
    }

    fn pushd_and_popd_are_ways_in_and_out(shell) {
        let home = home();
        let mut session = Session::start(&home, shell);
        session.line("pushd a > /dev/null");
        session.assert_exported("bedrock", "ap-south-1", "directory");
        session.line("pushd ../b > /dev/null");
        session.assert_exported("luxito", "us-west-2", "directory");
        session.line("popd > /dev/null");
        session.assert_exported("bedrock", "ap-south-1", "directory");
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
        session.assert_exported("bedrock", "ap-south-1", "directory");
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
}
