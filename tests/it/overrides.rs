//! `.backlog-aws` at work: which file decides in which directory, in real shells and from outside.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::harness::{Sandbox, Session, Shell, scenario};

/// What the shell exports: profile, region and source.
#[track_caller]
fn exported(session: &mut Session<'_>) -> [Option<String>; 3] {
    let environment = session.env();
    ["PROFILE", "REGION", "SOURCE"].map(|word| {
        let name = format!("BACKLOG_AWS_{word}");
        let value = environment.get(std::ffi::OsStr::new(&name))?;
        Some(value.to_string_lossy().into_owned())
    })
}

#[track_caller]
fn assert_exported(session: &mut Session<'_>, profile: &str, region: &str, source: &str) {
    let wanted = [profile, region, source].map(|word| Some(word.to_owned()));
    assert_eq!(exported(session), wanted);
}

/// A directory of the home with an override that the user has allowed.
fn allowed(home: &Sandbox, directory: &str, content: &str) {
    let file = home.write(format!("{directory}/.backlog-aws"), content);
    home.invoke(["allow"]).cwd(file.parent().unwrap()).run().expect_code(0);
}

/// `text` without the line breaks of the terminal, so that a long line can be searched.
fn joined(text: &str) -> String {
    text.replace('\n', "")
}

scenario! {
    fn entering_an_allowed_directory_selects_its_profile_and_leaving_restores(shell) {
        let home = Sandbox::documented_home();
        allowed(&home, "acme", "profile = bedrock\n");
        home.mkdir("acme/src/deep");
        let mut session = Session::start(&home, shell);
        assert_exported(&mut session, "luxito", "us-west-2", "first");
        assert_eq!(session.cd(home.path("acme")).text, "");
        assert_exported(&mut session, "bedrock", "eu-west-1", "directory");
        session.cd(home.path("acme/src/deep"));
        assert_exported(&mut session, "bedrock", "eu-west-1", "directory");
        session.cd(home.home());
        assert_exported(&mut session, "luxito", "us-west-2", "first");
    }

    fn an_override_counts_from_the_prompt_after_allow_and_until_the_one_after_deny(shell) {
        let home = Sandbox::documented_home();
        home.write("acme/.backlog-aws", "profile = bedrock\n");
        let mut session = Session::start(&home, shell);
        let entered = joined(&session.cd(home.path("acme")).text);
        assert!(entered.contains("acme/.backlog-aws is not allowed and is ignored"), "{entered}");
        assert!(entered.contains("`backlog-aws allow "), "{entered}");
        assert_exported(&mut session, "luxito", "us-west-2", "first");
        session.line("backlog-aws allow");
        assert_exported(&mut session, "bedrock", "eu-west-1", "directory");
        session.line("backlog-aws deny");
        assert_exported(&mut session, "luxito", "us-west-2", "first");
        // Who denied it does not want to hear of it.
        session.cd(home.home());
        let entered = joined(&session.cd(home.path("acme")).text);
        assert!(!entered.contains(".backlog-aws"), "{entered}");
        session.line("backlog-aws allow .");
        assert_exported(&mut session, "bedrock", "eu-west-1", "directory");
    }

    fn the_nearest_file_wins_as_a_whole(shell) {
        let home = Sandbox::documented_home();
        allowed(&home, "acme", "profile = bedrock\nregion = ap-south-1\n");
        allowed(&home, "acme/inner", "profile = luxito\n");
        allowed(&home, "acme/inner/most", "region = sa-east-1\n");
        let mut session = Session::start(&home, shell);
        session.cd(home.path("acme"));
        assert_exported(&mut session, "bedrock", "ap-south-1", "directory");
        session.cd(home.path("acme/inner"));
        // Its profile's own region, not that of the file above.
        assert_exported(&mut session, "luxito", "us-west-2", "directory");
        session.cd(home.path("acme/inner/most"));
        // A region alone leaves the profile to the rest of the chain, and not to the files above.
        assert_exported(&mut session, "luxito", "sa-east-1", "first");
        session.cd(home.path("acme"));
        assert_exported(&mut session, "bedrock", "ap-south-1", "directory");
    }

    fn a_file_passed_over_leaves_the_word_to_the_one_above(shell) {
        let home = Sandbox::documented_home();
        allowed(&home, "acme", "profile = bedrock\n");
        home.write("acme/vendored/.backlog-aws", "profile = luxito\n");
        let mut session = Session::start(&home, shell);
        let entered = joined(&session.cd(home.path("acme/vendored")).text);
        assert!(entered.contains("vendored/.backlog-aws is not allowed"), "{entered}");
        assert_exported(&mut session, "bedrock", "eu-west-1", "directory");
    }

    fn editing_a_file_ends_the_trust_in_it_at_the_next_prompt(shell) {
        let home = Sandbox::documented_home();
        allowed(&home, "acme", "profile = bedrock\n");
        let mut session = Session::start(&home, shell);
        session.cd(home.path("acme"));
        assert_exported(&mut session, "bedrock", "eu-west-1", "directory");
        // Same length, and the same file.
        home.write("acme/.backlog-aws", "profile = bedroc1\n");
        let told = joined(&session.line("").text);
        assert!(told.contains("changed since it was allowed and is ignored"), "{told}");
        assert_exported(&mut session, "luxito", "us-west-2", "first");
        home.write("acme/.backlog-aws", "profile = bedrock\n");
        session.line("");
        assert_exported(&mut session, "bedrock", "eu-west-1", "directory");
    }

    fn a_file_that_appears_or_vanishes_counts_at_the_next_prompt_without_cd(shell) {
        let home = Sandbox::documented_home();
        home.mkdir("acme/src");
        let mut session = Session::start(&home, shell);
        session.cd(home.path("acme/src"));
        assert_exported(&mut session, "luxito", "us-west-2", "first");
        allowed(&home, "acme", "profile = bedrock\n");
        session.line("");
        assert_exported(&mut session, "bedrock", "eu-west-1", "directory");
        // Nearer than the one in force.
        allowed(&home, "acme/src", "profile = luxito\nregion = eu-north-1\n");
        session.line("");
        assert_exported(&mut session, "luxito", "eu-north-1", "directory");
        home.remove("acme/src/.backlog-aws");
        session.line("");
        assert_exported(&mut session, "bedrock", "eu-west-1", "directory");
        home.remove("acme/.backlog-aws");
        session.line("");
        assert_exported(&mut session, "luxito", "us-west-2", "first");
    }

    fn an_unusable_answer_keeps_its_own_name_and_is_never_another_account(shell) {
        let home = Sandbox::documented_home();
        allowed(&home, "sso", "profile = cc\n");
        allowed(&home, "gone", "profile = no-such\n");
        let mut session = Session::start(&home, shell);
        let told = joined(&session.cd(home.path("sso")).text);
        assert!(told.contains("Profile 'cc' has no static credentials"), "{told}");
        assert!(told.contains("sso/.backlog-aws:1"), "{told}");
        assert!(told.contains("`backlog-aws local bedrock` (or luxito)"), "{told}");
        assert_exported(&mut session, "cc", "eu-central-1", "directory");
        let refused = joined(&session.line("backlog-aws exec -- env < /dev/null").text);
        assert!(refused.contains("Profile 'cc' has no static credentials"), "{refused}");
        assert!(!refused.contains("AWS_ACCESS_KEY_ID"), "{refused}");
        let told = joined(&session.cd(home.path("gone")).text);
        assert!(told.contains("Profile 'no-such' has no static credentials"), "{told}");
        assert_exported(&mut session, "no-such", "us-east-1", "directory");
        session.cd(home.home());
        assert_exported(&mut session, "luxito", "us-west-2", "first");
    }

    fn a_broken_file_names_no_profile_and_lets_none_take_its_place(shell) {
        let home = Sandbox::documented_home();
        home.write("acme/.backlog-aws", "# mine\nprofil = bedrock\n");
        home.invoke(["allow", "--under", "."]).run().expect_code(0);
        let mut session = Session::builder(&home, shell).env("BACKLOG_AWS_PROFILE", "luxito").spawn();
        let told = joined(&session.cd(home.path("acme")).text);
        assert!(told.contains("acme/.backlog-aws:2 has the unknown key 'profil'"), "{told}");
        let [profile, _, source] = exported(&mut session);
        assert_eq!((profile, source.as_deref()), (None, Some("directory")));
        session.cd(home.home());
        assert_exported(&mut session, "luxito", "us-west-2", "ambient");
    }

    fn the_ambient_word_returns_on_leaving(shell) {
        let home = Sandbox::documented_home();
        allowed(&home, "acme", "profile = bedrock\n");
        let mut session = Session::builder(&home, shell)
            .before(shell.export("BACKLOG_AWS_PROFILE", "luxito"))
            .before(shell.export("BACKLOG_AWS_REGION", "eu-south-1"))
            .spawn();
        assert_exported(&mut session, "luxito", "eu-south-1", "ambient");
        session.cd(home.path("acme"));
        // The region too is the user's own word, and a directory that names none leaves it.
        assert_exported(&mut session, "bedrock", "eu-south-1", "directory");
        session.cd(home.home());
        assert_exported(&mut session, "luxito", "eu-south-1", "ambient");
    }

    fn a_pin_beats_the_directory_until_it_is_cleared(shell) {
        let home = Sandbox::documented_home();
        allowed(&home, "acme", "profile = bedrock\nregion = ap-south-1\n");
        let mut session = Session::start(&home, shell);
        session.cd(home.path("acme"));
        session.line("backlog-aws use luxito");
        assert_exported(&mut session, "luxito", "ap-south-1", "pin");
        session.line("backlog-aws use --region eu-north-1");
        assert_exported(&mut session, "luxito", "eu-north-1", "pin");
        session.cd(home.home());
        assert_exported(&mut session, "luxito", "eu-north-1", "pin");
        session.cd(home.path("acme"));
        session.line("backlog-aws use --clear");
        assert_exported(&mut session, "bedrock", "ap-south-1", "directory");
        // An export at the prompt is a pin too, and unsetting it lets go.
        session.export("BACKLOG_AWS_PROFILE", "luxito");
        assert_exported(&mut session, "luxito", "ap-south-1", "pin");
        session.unset("BACKLOG_AWS_PROFILE");
        assert_exported(&mut session, "bedrock", "ap-south-1", "directory");
    }

    fn walking_in_and_out_tells_of_a_file_once_and_of_a_changed_one_anew(shell) {
        let home = Sandbox::documented_home();
        home.write("acme/.backlog-aws", "profile = bedrock\n");
        home.write("other/.backlog-aws", "profile = bedrock\n");
        let mut session = Session::start(&home, shell);
        let mut told = |directory: &str| {
            let text = joined(&session.cd(home.path(directory)).text);
            text.matches("is not allowed").count()
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
        let text = joined(&session.line("").text);
        assert!(text.contains("is not allowed"), "{text}");
        assert_eq!(session.line("").text, "");
    }

    fn the_physical_directory_decides_behind_symbolic_links(shell) {
        let home = Sandbox::documented_home();
        allowed(&home, "real/project", "profile = bedrock\n");
        home.mkdir("real/project/src");
        home.mkdir("links");
        symlink(home.path("real/project/src"), home.path("links/src")).unwrap();
        // The logical parent has one too, which does not count.
        allowed(&home, "links", "profile = luxito\nregion = sa-east-1\n");
        let mut session = Session::start(&home, shell);
        session.cd(home.path("links/src"));
        assert_exported(&mut session, "bedrock", "eu-west-1", "directory");
        session.line("cd ..");
        // Where the shell goes now is its own matter (fish and bash differ in none of this: the logical parent).
        assert_exported(&mut session, "luxito", "sa-east-1", "directory");
        // The link leads elsewhere while the shell is in it: the shell is still where it was.
        session.cd(home.path("links/src"));
        home.remove("links/src");
        home.mkdir("elsewhere");
        symlink(home.path("elsewhere"), home.path("links/src")).unwrap();
        session.line("");
        assert_exported(&mut session, "bedrock", "eu-west-1", "directory");
        session.cd(home.path("links/src"));
        assert_exported(&mut session, "luxito", "us-west-2", "first");
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
            ("binary", "is not allowed and is ignored"),
            ("loop", "and is ignored"),
            ("dangling", ""),
        ] {
            let text = joined(&session.cd(home.path(directory)).text);
            assert!(text.contains(told) && text.is_empty() == told.is_empty(), "{directory}: {text}");
            assert_exported(&mut session, "luxito", "us-west-2", "first");
            session.cd(home.home());
            // Once is enough.
            assert_eq!(session.cd(home.path(directory)).text, "", "{directory}");
        }
        let refused = joined(&session.line(format!("backlog-aws allow {}", home.path("binary").display())).text);
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
        assert_exported(&mut session, "bedrock", "eu-west-1", "directory");
        home.remove("acme/.backlog-aws");
        symlink("../dotfiles/other", home.path("acme/.backlog-aws")).unwrap();
        let told = joined(&session.line("").text);
        assert!(told.contains("changed since it was allowed"), "{told}");
        assert_exported(&mut session, "luxito", "us-west-2", "first");
        session.line("backlog-aws allow");
        assert_exported(&mut session, "luxito", "eu-north-1", "directory");
        home.write("dotfiles/other", "profile = bedrock\nregion = eu-north-1\n");
        session.line("");
        assert_exported(&mut session, "luxito", "us-west-2", "first");
    }
}

#[test]
fn status_names_the_file_and_line_that_decided() {
    let home = Sandbox::documented_home();
    allowed(&home, "acme", "# why\n\nprofile = bedrock\nregion = ap-south-1\n");
    let status =
        home.invoke(["status", "--json"]).cwd(home.path("acme")).run().expect_code(0).json();
    let file = home.path("acme/.backlog-aws").canonicalize().unwrap();
    assert_eq!(status["candidates"][1]["at"], format!("{}:3", file.display()));
    assert_eq!(status["override"]["path"], file.display().to_string());
    assert_eq!(status["override"]["allowed"], true);
    assert_eq!(status["region_source"], "directory");
    let text = home.invoke(["status"]).cwd(home.path("acme")).run().expect_code(0);
    assert!(text.out().contains(&format!("(directory, {}:3)", file.display())), "{}", text.out());

    home.write("acme/.backlog-aws", "profile = bedrock\n# changed\n");
    let status =
        home.invoke(["status", "--json"]).cwd(home.path("acme")).run().expect_code(0).json();
    assert_eq!(status["candidates"][1]["outcome"], "not-allowed");
    assert_eq!(status["candidates"][1]["at"], file.display().to_string());
    assert_eq!(status["override"]["allowed"], false);
}

/// System calls of one hook run in `directory`, one a line, as `strace` tells them.
fn system_calls(home: &Sandbox, directory: &Path, words: &[&str]) -> Vec<String> {
    let trace = home.path("trace");
    let status = Command::new("strace")
        .args(["-f", "-y", "-o"])
        .arg(&trace)
        .arg(Sandbox::built_binary())
        .args(words)
        .env_clear()
        .envs(home.environment())
        .current_dir(directory)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .expect("strace can be started");
    assert!(status.success());
    fs::read_to_string(trace).unwrap().lines().map(str::to_owned).collect()
}

/// Only Linux has strace. There it must be installed, like the shells.
#[cfg(target_os = "linux")]
#[test]
fn depth_and_crowded_directories_cost_no_more_than_the_walk() {
    const DEPTH: usize = 200;
    // Of this precision, because the others keep stamps, and how many depends on how old the files are just now.
    const HOOK: [&str; 4] = ["hook", "bash", "1.1", "directory"];
    let home = Sandbox::documented_home();
    let mut deep = home.home();
    for level in 0..DEPTH {
        deep.push(format!("{level:03}"));
    }
    fs::create_dir_all(&deep).unwrap();
    let shallow = system_calls(&home, &home.home(), &HOOK);
    let calls = system_calls(&home, &deep, &HOOK);
    let extra = calls.len() - shallow.len();
    assert!(extra <= DEPTH + 10, "{extra} calls more for {DEPTH} levels");
    let opens = calls.iter().filter(|call| call.contains(".backlog-aws\"")).count();
    let levels = deep.canonicalize().unwrap().ancestors().count();
    assert_eq!(opens, levels, "one per level");

    // The worst a repository can do: a file on each level that nobody has allowed.
    let mut directory = home.home();
    for level in 0..DEPTH {
        directory.push(format!("{level:03}"));
        fs::write(directory.join(".backlog-aws"), "profile = bedrock\n").unwrap();
    }
    home.invoke(["allow", "--under", "."]).cwd(home.mkdir("elsewhere")).run().expect_code(0);
    let hostile = system_calls(&home, &deep, &HOOK);
    let asked = hostile.iter().filter(|call| call.contains("/trust/")).count();
    assert!(asked <= 2 * levels, "{asked} questions to the trust store on {levels} levels");

    // A crowded directory, and a crowded store: nobody lists either.
    // Links, because entries are what makes a directory large, and a file of its own for each takes long to make.
    let mut file = home.path("elsewhere");
    for number in 0..100_000 {
        let entry = home.path(format!("elsewhere/{number}"));
        if number % 20_000 == 0 {
            fs::File::create(&entry).unwrap();
            file = entry;
        } else {
            fs::hard_link(&file, entry).unwrap();
        }
    }
    let crowded = system_calls(&home, &home.path("elsewhere"), &HOOK);
    let empty = system_calls(&home, &home.mkdir("empty"), &HOOK);
    assert!(
        crowded.len() <= empty.len() + 10,
        "{} calls, and {} in an empty one",
        crowded.len(),
        empty.len()
    );
    for calls in [&calls, &hostile, &crowded] {
        let mut listed = String::new();
        for call in calls.iter().filter(|call| call.contains("getdents")) {
            writeln!(listed, "{call}").unwrap();
        }
        assert_eq!(listed, "", "a directory was listed");
    }
}

#[test]
fn what_is_hashed_is_what_is_parsed_because_the_file_is_opened_once() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let home = Sandbox::documented_home();
    let file = home.write("acme/.backlog-aws", "profile = bedrock\n");
    for words in [&["allow"][..], &["hook", "bash", "1.1", "stamps"], &["status"]] {
        let calls = system_calls(&home, file.parent().unwrap(), words);
        let needle = "acme/.backlog-aws\"";
        let opens =
            calls.iter().filter(|call| call.contains("open") && call.contains(needle)).count();
        // `allow` finds it by the look that every command takes, and reads it once more: that second content is what it
        // shows, parses and hashes.
        assert_eq!(opens, if words == ["allow"] { 3 } else { 1 }, "{words:?}: {calls:#?}");
    }
}

#[test]
fn no_shell_is_needed_for_the_same_answer() {
    let home = Sandbox::documented_home();
    allowed(&home, "acme", "profile = bedrock\n");
    for shell in Shell::ALL {
        let hook = home
            .invoke(["hook", shell.name(), "1.1", "stamps"])
            .cwd(home.path("acme"))
            .run()
            .expect_code(0);
        assert!(hook.out().contains("bedrock") && !hook.out().contains("luxito"), "{}", hook.out());
    }
}
