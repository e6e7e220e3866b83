//! `.backlog-aws` at work: which file decides in which directory, in real shells and from outside.

use std::os::unix::fs::symlink;
use std::process::Command;

use crate::harness::{Sandbox, Session, Shell, scenario};

scenario! {
    fn entering_an_allowed_directory_selects_its_profile_and_leaving_restores(shell) {
        let home = Sandbox::documented_home();
        home.allow("acme", "profile = bedrock\n");
        home.mkdir("acme/src/deep");
        let mut session = Session::start(&home, shell);
        session.assert_exported("luxito", "us-west-2", "first");
        assert_eq!(session.cd(home.path("acme")).text, "");
        session.assert_exported("bedrock", "eu-west-1", "directory");
        session.cd(home.path("acme/src/deep"));
        session.assert_exported("bedrock", "eu-west-1", "directory");
        session.cd(home.home());
        session.assert_exported("luxito", "us-west-2", "first");
    }

    fn an_override_counts_from_the_prompt_after_allow_and_until_the_one_after_deny(shell) {
        let home = Sandbox::documented_home();
        home.write("acme/.backlog-aws", "profile = bedrock\n");
        let mut session = Session::start(&home, shell);
        let entered = session.cd(home.path("acme")).joined();
        assert!(entered.contains("acme/.backlog-aws is ignored until you allow it"), "{entered}");
        assert!(entered.contains("`backlog-aws allow`"), "{entered}");
        session.assert_exported("luxito", "us-west-2", "first");
        session.line("backlog-aws allow");
        session.assert_exported("bedrock", "eu-west-1", "directory");
        session.line("backlog-aws deny");
        session.assert_exported("luxito", "us-west-2", "first");
        // Who denied it does not want to hear of it.
        session.cd(home.home());
        let entered = session.cd(home.path("acme")).joined();
        assert!(!entered.contains(".backlog-aws"), "{entered}");
        session.line("backlog-aws allow .");
        session.assert_exported("bedrock", "eu-west-1", "directory");
    }

    fn the_nearest_file_wins_as_a_whole(shell) {
        let home = Sandbox::documented_home();
        home.allow("acme", "profile = bedrock\nregion = ap-south-1\n");
        home.allow("acme/inner", "profile = luxito\n");
        home.allow("acme/inner/most", "region = sa-east-1\n");
        let mut session = Session::start(&home, shell);
        session.cd(home.path("acme"));
        session.assert_exported("bedrock", "ap-south-1", "directory");
        session.cd(home.path("acme/inner"));
        // Its profile's own region, not that of the file above.
        session.assert_exported("luxito", "us-west-2", "directory");
        session.cd(home.path("acme/inner/most"));
        // A region alone leaves the profile to the rest of the chain, and not to the files above.
        session.assert_exported("luxito", "sa-east-1", "first");
        session.cd(home.path("acme"));
        session.assert_exported("bedrock", "ap-south-1", "directory");
    }

    fn a_file_passed_over_leaves_the_word_to_the_one_above(shell) {
        let home = Sandbox::documented_home();
        home.allow("acme", "profile = bedrock\n");
        home.write("acme/vendored/.backlog-aws", "profile = luxito\n");
        let mut session = Session::start(&home, shell);
        let entered = session.cd(home.path("acme/vendored")).joined();
        assert!(entered.contains("vendored/.backlog-aws is ignored until you allow it"), "{entered}");
        session.assert_exported("bedrock", "eu-west-1", "directory");
    }

    fn editing_a_file_ends_the_trust_in_it_at_the_next_prompt(shell) {
        let home = Sandbox::documented_home();
        home.allow("acme", "profile = bedrock\n");
        let mut session = Session::start(&home, shell);
        session.cd(home.path("acme"));
        session.assert_exported("bedrock", "eu-west-1", "directory");
        // Same length, and the same file.
        home.write("acme/.backlog-aws", "profile = bedroc1\n");
        let told = session.line("").joined();
        assert!(told.contains("is ignored: changed since you allowed it"), "{told}");
        session.assert_exported("luxito", "us-west-2", "first");
        home.write("acme/.backlog-aws", "profile = bedrock\n");
        session.line("");
        session.assert_exported("bedrock", "eu-west-1", "directory");
    }

    fn a_file_that_appears_or_vanishes_counts_at_the_next_prompt_without_cd(shell) {
        let home = Sandbox::documented_home();
        home.mkdir("acme/src");
        let mut session = Session::start(&home, shell);
        session.cd(home.path("acme/src"));
        session.assert_exported("luxito", "us-west-2", "first");
        home.allow("acme", "profile = bedrock\n");
        session.line("");
        session.assert_exported("bedrock", "eu-west-1", "directory");
        // Nearer than the one in force.
        home.allow("acme/src", "profile = luxito\nregion = eu-north-1\n");
        session.line("");
        session.assert_exported("luxito", "eu-north-1", "directory");
        home.remove("acme/src/.backlog-aws");
        session.line("");
        session.assert_exported("bedrock", "eu-west-1", "directory");
        home.remove("acme/.backlog-aws");
        session.line("");
        session.assert_exported("luxito", "us-west-2", "first");
    }

    fn an_unusable_answer_keeps_its_own_name_and_is_never_another_account(shell) {
        let home = Sandbox::documented_home();
        home.allow("sso", "profile = cc\n");
        home.allow("gone", "profile = no-such\n");
        let mut session = Session::start(&home, shell);
        let told = session.cd(home.path("sso")).joined();
        assert!(told.contains("Profile 'cc' has no static credentials"), "{told}");
        assert!(told.contains("sso/.backlog-aws:1"), "{told}");
        assert!(told.contains("`backlog-aws local bedrock`"), "{told}");
        session.assert_exported("cc", "eu-central-1", "directory");
        let refused = session.line("backlog-aws exec -- env < /dev/null").joined();
        assert!(refused.contains("Profile 'cc' has no static credentials"), "{refused}");
        assert!(!refused.contains("AWS_ACCESS_KEY_ID"), "{refused}");
        let told = session.cd(home.path("gone")).joined();
        assert!(told.contains("Profile 'no-such' has no static credentials"), "{told}");
        session.assert_exported("no-such", "us-east-1", "directory");
        session.cd(home.home());
        session.assert_exported("luxito", "us-west-2", "first");
    }

    fn a_broken_file_names_no_profile_and_lets_none_take_its_place(shell) {
        let home = Sandbox::documented_home();
        home.write("acme/.backlog-aws", "# mine\nprofil = bedrock\n");
        home.invoke(["allow", "--under", "."]).run().expect_code(0);
        let mut session = Session::builder(&home, shell).env("BACKLOG_AWS_PROFILE", "luxito").spawn();
        let told = session.cd(home.path("acme")).joined();
        assert!(told.contains("acme/.backlog-aws:2 has the unknown key 'profil'"), "{told}");
        let [profile, _, source] = session.exported();
        assert_eq!((profile, source.as_deref()), (None, Some("directory")));
        session.cd(home.home());
        session.assert_exported("luxito", "us-west-2", "ambient");
    }

    fn the_ambient_word_returns_on_leaving(shell) {
        let home = Sandbox::documented_home();
        home.allow("acme", "profile = bedrock\n");
        let mut session = Session::builder(&home, shell)
            .before(shell.export("BACKLOG_AWS_PROFILE", "luxito"))
            .before(shell.export("BACKLOG_AWS_REGION", "eu-south-1"))
            .spawn();
        session.assert_exported("luxito", "eu-south-1", "ambient");
        session.cd(home.path("acme"));
        // The region too is the user's own word, and a directory that names none leaves it.
        session.assert_exported("bedrock", "eu-south-1", "directory");
        session.cd(home.home());
        session.assert_exported("luxito", "eu-south-1", "ambient");
    }

    fn a_pin_beats_the_directory_until_it_is_cleared(shell) {
        let home = Sandbox::documented_home();
        home.allow("acme", "profile = bedrock\nregion = ap-south-1\n");
        let mut session = Session::start(&home, shell);
        session.cd(home.path("acme"));
        session.line("backlog-aws use luxito");
        session.assert_exported("luxito", "ap-south-1", "pin");
        session.line("backlog-aws use --region eu-north-1");
        session.assert_exported("luxito", "eu-north-1", "pin");
        session.cd(home.home());
        session.assert_exported("luxito", "eu-north-1", "pin");
        session.cd(home.path("acme"));
        session.line("backlog-aws use --clear");
        session.assert_exported("bedrock", "ap-south-1", "directory");
        // An export at the prompt is a pin too, and unsetting it lets go.
        session.export("BACKLOG_AWS_PROFILE", "luxito");
        session.assert_exported("luxito", "ap-south-1", "pin");
        session.unset("BACKLOG_AWS_PROFILE");
        session.assert_exported("bedrock", "ap-south-1", "directory");
    }

    fn walking_in_and_out_tells_of_a_file_once_and_of_a_changed_one_anew(shell) {
        let home = Sandbox::documented_home();
        home.write("acme/.backlog-aws", "profile = bedrock\n");
        home.write("other/.backlog-aws", "profile = bedrock\n");
        let mut session = Session::start(&home, shell);
        let mut told = |directory: &str| {
            let text = session.cd(home.path(directory)).joined();
            text.matches("until you allow it").count()
        };
        assert_eq!(told("acme"), 1);
        assert_eq!(told(""), 0);
        assert_eq!(told("acme"), 0);
        // The same bytes somewhere else are another file.
        assert_eq!(told("other"), 1);
        assert_eq!(told("acme"), 0);
        home.write("acme/.backlog-aws", "profile = bedrock # now with a comment\n");
        assert_eq!(told("other"), 0);
        assert_eq!(told("acme"), 1);
        assert_eq!(told("other"), 0);
        assert_eq!(told("acme"), 0);
        home.write("acme/.backlog-aws", "profile = luxito\n");
        let text = session.line("").joined();
        assert!(text.contains("until you allow it"), "{text}");
        assert_eq!(session.line("").text, "");
    }

    fn the_physical_directory_decides_behind_symbolic_links(shell) {
        let home = Sandbox::documented_home();
        home.allow("real/project", "profile = bedrock\n");
        home.mkdir("real/project/src");
        home.mkdir("links");
        symlink(home.path("real/project/src"), home.path("links/src")).unwrap();
        // The logical parent has one too, which does not count.
        home.allow("links", "profile = luxito\nregion = sa-east-1\n");
        let mut session = Session::start(&home, shell);
        session.cd(home.path("links/src"));
        session.assert_exported("bedrock", "eu-west-1", "directory");
        session.line("cd ..");
        // Where the shell goes now is its own matter (fish and bash differ in none of this: the logical parent).
        session.assert_exported("luxito", "sa-east-1", "directory");
        // The link leads elsewhere while the shell is in it: the shell is still where it was.
        session.cd(home.path("links/src"));
        home.remove("links/src");
        home.mkdir("elsewhere");
        symlink(home.path("elsewhere"), home.path("links/src")).unwrap();
        session.line("");
        session.assert_exported("bedrock", "eu-west-1", "directory");
        session.cd(home.path("links/src"));
        session.assert_exported("luxito", "us-west-2", "first");
    }

    fn odd_files_of_that_name_are_named_and_ignored_without_waiting(shell) {
        let home = Sandbox::documented_home();
        for directory in ["fifo", "directory/.backlog-aws", "large", "binary", "dangling", "loop"] {
            home.mkdir(directory);
        }
        let made = Command::new("mkfifo").arg(home.path("fifo/.backlog-aws")).status().unwrap();
        assert!(made.success());
        home.write("large/.backlog-aws", "#".repeat(64 * 1024 + 1));
        home.write("binary/.backlog-aws", b"\x7fELF\x02\x01\0\0\xff\xfeprofile = bedrock\n");
        symlink("nowhere", home.path("dangling/.backlog-aws")).unwrap();
        symlink(".backlog-aws", home.path("loop/.backlog-aws")).unwrap();
        let mut session = Session::start(&home, shell);
        for (directory, told) in [
            ("fifo", "is a FIFO and not a file and is ignored"),
            ("directory", "is a directory and not a file and is ignored"),
            ("large", "is larger than 65536 bytes and is ignored"),
            ("binary", "is ignored until you allow it"),
            ("loop", "and is ignored"),
            ("dangling", ""),
        ] {
            let text = session.cd(home.path(directory)).joined();
            // A link that leads nowhere is seen only where the program is asked for another reason.
            assert!(text.contains(told), "{directory}: {text}");
            session.assert_exported("luxito", "us-west-2", "first");
            session.cd(home.home());
            // Once is enough.
            assert_eq!(session.cd(home.path(directory)).text, "", "{directory}");
        }
        let refused = session.line(format!("backlog-aws allow {}", home.path("binary").display())).joined();
        assert!(refused.contains("binary/.backlog-aws:1 is not UTF-8; fix it, then allow it"), "{refused}");
        // A directory of that name may be there for good.
        session.cd(home.home());
        session.line("cd directory; backlog-aws deny; cd ..");
        let mut other = Session::start(&home, shell);
        assert_eq!(other.cd(home.path("directory")).text, "");
    }

    fn a_link_of_that_name_is_followed_and_watched(shell) {
        let home = Sandbox::documented_home();
        home.write("dotfiles/acme", "profile = bedrock\n");
        home.write("dotfiles/other", "profile = luxito\nregion = eu-north-1\n");
        home.mkdir("acme");
        symlink("../dotfiles/acme", home.path("acme/.backlog-aws")).unwrap();
        let mut session = Session::start(&home, shell);
        session.cd(home.path("acme"));
        session.line("backlog-aws allow");
        session.assert_exported("bedrock", "eu-west-1", "directory");
        home.remove("acme/.backlog-aws");
        symlink("../dotfiles/other", home.path("acme/.backlog-aws")).unwrap();
        let told = session.line("").joined();
        assert!(told.contains("changed since you allowed it"), "{told}");
        session.assert_exported("luxito", "us-west-2", "first");
        session.line("backlog-aws allow");
        session.assert_exported("luxito", "eu-north-1", "directory");
        home.write("dotfiles/other", "profile = bedrock\nregion = eu-north-1\n");
        session.line("");
        session.assert_exported("luxito", "us-west-2", "first");
    }
}

#[test]
fn status_names_the_file_and_line_that_decided() {
    let home = Sandbox::documented_home();
    home.allow("acme", "# why\n\nprofile = bedrock\nregion = ap-south-1\n");
    let status =
        home.invoke(["status", "--json"]).cwd(home.path("acme")).run().expect_code(0).json();
    let file = home.path("acme/.backlog-aws").canonicalize().unwrap();
    assert_eq!(status["candidates"][1]["at"], format!("{}:3", file.display()));
    assert_eq!(status["override"]["path"], file.display().to_string());
    assert_eq!(status["override"]["allowed"], true);
    assert_eq!(status["region_source"], "directory");
    let text = home.invoke(["status"]).cwd(home.path("acme")).run().expect_code(0);
    assert!(
        text.out().contains("> directory         bedrock (~/acme/.backlog-aws:3)"),
        "{}",
        text.out()
    );

    home.write("acme/.backlog-aws", "profile = bedrock\n# changed\n");
    let status =
        home.invoke(["status", "--json"]).cwd(home.path("acme")).run().expect_code(0).json();
    assert_eq!(status["candidates"][1]["outcome"], "not-allowed");
    assert_eq!(status["candidates"][1]["at"], file.display().to_string());
    assert_eq!(status["override"]["allowed"], false);
}

#[test]
fn no_shell_is_needed_for_the_same_answer() {
    let home = Sandbox::documented_home();
    home.allow("acme", "profile = bedrock\n");
    for shell in Shell::ALL {
        let hook = home
            .invoke(["hook", shell.name(), "1.1", "stamps"])
            .cwd(home.path("acme"))
            .run()
            .expect_code(0);
        assert!(hook.out().contains("bedrock") && !hook.out().contains("luxito"), "{}", hook.out());
    }
}
