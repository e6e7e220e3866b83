//! Which overrides count, and what becomes of the trust store when things go wrong around it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::harness::{Output, Sandbox, Session, say, scenario};

const STORE: &str = ".local/share/backlog-aws/trust";

/// Runs the binary in a directory of the home.
#[track_caller]
fn run_in(home: &Sandbox, directory: &str, words: &[&str]) -> Output {
    home.invoke(words).cwd(home.path(directory)).run()
}

/// What `status` says became of the directory's word.
#[track_caller]
fn outcome(home: &Sandbox, directory: &str) -> String {
    let status = run_in(home, directory, &["status", "--json"]).json();
    status["candidates"][1]["outcome"].as_str().unwrap().to_owned()
}

/// All files of a directory, by name.
fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let listing = fs::read_dir(directory).into_iter().flatten();
    listing
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (path.clone(), fs::read(&path).unwrap()))
        .collect()
}

scenario! {
    fn a_copied_repository_is_not_trusted(shell) {
        let home = Sandbox::documented_home();
        home.write("acme/.backlog-aws", "profile = bedrock\n");
        run_in(&home, "acme", &["allow"]).expect_code(0);
        let mut session = Session::start(&home, shell);
        session.line("cp -a acme copy; mv acme moved");
        for directory in ["copy", "moved"] {
            session.cd(home.path(directory));
            assert_eq!(session.var("BACKLOG_AWS_PROFILE"), Some("luxito".into()), "{directory}");
        }
        // Back in its place it is the file that was allowed.
        session.line("cd; mv moved acme");
        session.cd(home.path("acme"));
        assert_eq!(session.var("BACKLOG_AWS_PROFILE"), Some("bedrock".into()));
    }

    fn a_store_that_cannot_be_read_leaves_no_profile_until_it_can(shell) {
        let home = Sandbox::documented_home();
        home.write("acme/.backlog-aws", "profile = bedrock\n");
        run_in(&home, "acme", &["allow"]).expect_code(0);
        // Nobody can look into a file as into a directory, not even root.
        fs::rename(home.path(STORE), home.path("kept")).unwrap();
        // bash and fish see modification times only, and the two must differ by more than the clock's grain.
        thread::sleep(Duration::from_millis(30));
        home.write(STORE, "");
        let mut session = Session::start(&home, shell);
        let told = session.cd(home.path("acme")).joined();
        assert!(told.contains("it is not known whether"), "{told}");
        assert!(told.contains("trust is not a directory"), "{told}");
        assert_eq!(session.var("BACKLOG_AWS_PROFILE"), None);
        assert_eq!(session.line("").text, "", "once is enough");
        session.cd(home.home());
        assert_eq!(session.var("BACKLOG_AWS_PROFILE"), Some("luxito".into()));
        session.cd(home.path("acme"));
        home.remove(STORE);
        fs::rename(home.path("kept"), home.path(STORE)).unwrap();
        session.line("");
        assert_eq!(session.var("BACKLOG_AWS_PROFILE"), Some("bedrock".into()));
    }
}

#[test]
fn every_single_changed_byte_ends_the_trust() {
    let home = Sandbox::documented_home();
    let content = b"profile = bedrock # a\n";
    home.write("acme/.backlog-aws", content);
    run_in(&home, "acme", &["allow"]).expect_code(0);
    for at in 0..content.len() {
        let mut changed = content.to_vec();
        changed[at] ^= 1;
        home.write("acme/.backlog-aws", changed);
        assert_eq!(outcome(&home, "acme"), "not-allowed", "byte {at}");
    }
    home.write("acme/.backlog-aws", [&content[..], b"\n"].concat());
    assert_eq!(outcome(&home, "acme"), "not-allowed");
    home.write("acme/.backlog-aws", content);
    assert_eq!(outcome(&home, "acme"), "chosen");
}

#[test]
fn allow_shows_what_will_change_with_kind_region_and_account() {
    let home = Sandbox::documented_home();
    let config = fs::read_to_string(home.path(".aws/config")).unwrap();
    home.write(
        ".aws/config",
        config
            + "[profile bedrock]\naws_account_id = 444455556666\n[profile role]\nsource_profile = luxito\n\
               role_arn = arn:aws:iam::777788889999:role/Odd\nregion = eu-north-1\n",
    );
    home.write("acme/.backlog-aws", "# team A\nprofile = bedrock\nregion = ap-south-1\n");
    let shown = run_in(&home, "acme", &["allow"]).expect_code(0);
    assert_eq!(
        shown.out(),
        format!(
            "{file}:2: profile = bedrock\n{file}:3: region = ap-south-1\n  \
             before  luxito (static, AKIA************MPLE), us-west-2, by first\n  \
             after   bedrock (static, AKIA************MPLE, account 444455556666), ap-south-1, by directory\n\
             allowed {file}\n",
            file = "~/acme/.backlog-aws"
        )
    );
    // Before: what is there now, wherever it is typed.
    home.write("acme/.backlog-aws", "profile = role\n");
    home.write("acme/inner/.backlog-aws", "profile = cc\n");
    run_in(&home, "", &["allow", "acme"]).expect_code(0);
    let shown = run_in(&home, "", &["allow", "acme/inner/.backlog-aws"]).expect_code(0);
    let expected = "  before  role (assume-role, account 777788889999), eu-north-1, by directory: cannot be used\n  \
                    after   cc (sso, account 111122223333), eu-central-1, by directory: cannot be used\n";
    assert!(shown.out().contains(expected), "{}", shown.out());
    assert!(shown.err().contains("Profile 'cc' has no static credentials"), "{}", shown.err());
    // A pin hides what the directory says, so it is named.
    let shown =
        home.invoke(["allow", "acme"]).env("BACKLOG_AWS_PROFILE", "luxito").run().expect_code(0);
    assert!(shown.out().contains("What is pinned in this shell comes first"), "{}", shown.out());
}

#[test]
fn allow_takes_a_directory_a_file_or_the_nearest_and_nothing_else() {
    let home = Sandbox::documented_home();
    home.write("acme/.backlog-aws", "profile = bedrock\n");
    home.write("acme/notes.txt", "");
    home.mkdir("acme/src");
    for words in [&["allow"][..], &["allow", ".."], &["allow", "../.backlog-aws"]] {
        run_in(&home, "acme/src", words).expect_code(0);
        assert_eq!(outcome(&home, "acme/src"), "chosen", "{words:?}");
        run_in(&home, "acme/src", &["deny"]).expect_code(0);
        assert_eq!(outcome(&home, "acme/src"), "not-allowed", "{words:?}");
    }
    run_in(&home, "acme", &["allow", ".backlog-aws"]).expect_code(0);
    for (words, told) in [
        (&["allow", "."][..], "acme/src/.backlog-aws does not exist"),
        (&["allow", "../notes.txt"], "../notes.txt is neither a directory nor a .backlog-aws"),
        (&["allow", "nowhere"], "nowhere does not exist"),
        (&["allow", "--under", "nowhere"], "nowhere does not exist"),
        (&["deny", "--under", "."], "was not allowed with --under"),
    ] {
        let refused = run_in(&home, "acme/src", words).expect_code(1);
        assert!(refused.err().contains(told), "{words:?}: {}", refused.err());
    }
    let refused = run_in(&home, "", &["allow"]).expect_code(1);
    assert!(refused.err().contains("backlog-aws local PROFILE"), "{}", refused.err());
    home.write("acme/.backlog-aws", "profile = \x1b[2J\n");
    let refused = run_in(&home, "acme", &["allow"]).expect_code(1);
    assert!(refused.err().contains(".backlog-aws:1 has a control character"), "{}", refused.err());
}

#[test]
fn allow_under_trusts_worktrees_to_come_and_no_namesake() {
    let home = Sandbox::documented_home();
    home.mkdir("work");
    std::os::unix::fs::symlink("work", home.path("link")).unwrap();
    run_in(&home, "", &["allow", "--under", "link"]).expect_code(0);
    home.write("work/tree/.backlog-aws", "profile = bedrock\n");
    home.write("work2/.backlog-aws", "profile = bedrock\n");
    assert_eq!(outcome(&home, "work/tree"), "chosen");
    assert_eq!(outcome(&home, "work2"), "not-allowed");
    home.write("work/tree/.backlog-aws", "profile = bedrock\nregion = eu-north-1\n");
    assert_eq!(outcome(&home, "work/tree"), "chosen", "whatever it says");
    run_in(&home, "work/tree", &["deny"]).expect_code(0);
    assert_eq!(outcome(&home, "work/tree"), "not-allowed", "a denial beats it");
    run_in(&home, "work/tree", &["allow"]).expect_code(0);
    run_in(&home, "", &["deny", "--under", "work"]).expect_code(0);
    assert_eq!(outcome(&home, "work/tree"), "chosen", "allowed by itself since");
    home.write("work/other/.backlog-aws", "profile = bedrock\n");
    assert_eq!(outcome(&home, "work/other"), "not-allowed");
}

#[test]
fn a_damaged_entry_allows_nothing_until_it_is_allowed_again() {
    let home = Sandbox::documented_home();
    home.write("acme/.backlog-aws", "profile = bedrock\n");
    run_in(&home, "acme", &["allow"]).expect_code(0);
    let (entry, whole) = contents(&home.path(STORE)).pop_first().unwrap();
    for damaged in [&b""[..], &whole[..whole.len() - 1], b"\0allow\n", b"\xff\0\0\n"] {
        fs::write(&entry, damaged).unwrap();
        assert_eq!(outcome(&home, "acme"), "not-allowed");
        let told = run_in(&home, "acme", &["status"]);
        assert!(
            told.err().contains("is damaged; fix that, or run `backlog-aws allow`"),
            "{}",
            told.err()
        );
    }
    run_in(&home, "acme", &["allow"]).expect_code(0);
    assert_eq!(outcome(&home, "acme"), "chosen");
}

#[test]
fn another_paths_entry_under_this_ones_name_allows_nothing() {
    let home = Sandbox::documented_home();
    home.write("acme/.backlog-aws", "profile = bedrock\n");
    home.write("evil/.backlog-aws", "profile = luxito\n");
    run_in(&home, "evil", &["allow"]).expect_code(0);
    let (evil, _) = contents(&home.path(STORE)).pop_first().unwrap();
    run_in(&home, "acme", &["allow"]).expect_code(0);
    let entries = contents(&home.path(STORE));
    let acme = entries.iter().find(|(path, _)| **path != evil).unwrap();
    fs::write(&evil, acme.1).unwrap();
    assert_eq!(outcome(&home, "evil"), "not-allowed");
}

#[test]
fn leftovers_of_a_killed_process_trust_nothing_and_are_in_nobodys_way() {
    let home = Sandbox::documented_home();
    home.write("acme/.backlog-aws", "profile = bedrock\n");
    run_in(&home, "acme", &["allow"]).expect_code(0);
    let (entry, whole) = contents(&home.path(STORE)).pop_first().unwrap();
    let name = entry.file_name().unwrap().to_str().unwrap();
    fs::remove_file(&entry).unwrap();
    for (leftover, content) in
        [(format!(".4711-0-{name}"), &whole[..]), (format!(".4711-1-{name}"), &whole[..9])]
    {
        fs::write(home.path(STORE).join(leftover), content).unwrap();
    }
    assert_eq!(outcome(&home, "acme"), "not-allowed");
    run_in(&home, "acme", &["allow"]).expect_code(0);
    assert_eq!(outcome(&home, "acme"), "chosen");
}

/// With `ulimit -f`, whose signal would end the process in the middle of a write.
#[test]
fn a_limit_on_the_size_of_files_leaves_all_as_it_was_and_nothing_beside_it() {
    let home = Sandbox::documented_home();
    home.write("acme/.backlog-aws", "profile = bedrock\n");
    home.write("other/.backlog-aws", "profile = luxito\n");
    run_in(&home, "acme", &["allow"]).expect_code(0);
    let store = contents(&home.path(STORE));
    for script in [r#"trap '' XFSZ; ulimit -f 0; exec "$@""#, r#"ulimit -f 0; exec "$@""#] {
        for (directory, words) in [
            ("other", &["allow"][..]),
            ("acme", &["deny"]),
            ("acme", &["allow", "--under", "."]),
            ("acme", &["local", "luxito"]),
        ] {
            let failed = home.invoke(words).cwd(home.path(directory)).script(script).run();
            let failed = failed.expect_code(1);
            let told = "file too large; nothing was changed";
            assert!(failed.err().contains(told), "{words:?}: {}", failed.err());
            let done = ["allowed", "wrote"].iter().any(|done| failed.out().contains(done));
            assert!(!done, "{}", failed.out());
            assert_eq!(contents(&home.path(STORE)), store, "{words:?}");
            let files = contents(&home.path("acme"));
            assert_eq!(files.into_values().collect::<Vec<_>>(), [b"profile = bedrock\n"]);
        }
    }
    assert_eq!(outcome(&home, "acme"), "chosen");
    assert_eq!(outcome(&home, "other"), "not-allowed");
    run_in(&home, "other", &["allow"]).expect_code(0);
}

/// The file is on another's list of busy ones, say. The decision comes before it and is taken back.
#[cfg(target_os = "linux")]
#[test]
fn a_rename_that_fails_leaves_the_old_file_and_what_was_decided_on_it() {
    for allowed in [true, false] {
        let home = Sandbox::documented_home();
        home.write(
            "acme/.backlog-aws",
            if allowed { "profile = bedrock\n" } else { "# a comment\n" },
        );
        run_in(&home, "acme", &["allow"]);
        let (store, files) = (contents(&home.path(STORE)), contents(&home.path("acme")));
        let log = home.path("renames");
        // The first puts the decision into its place.
        let inject = "inject=rename,renameat,renameat2:error=EBUSY:when=2";
        let run = home
            .strace(&["-f", "-e", "trace=rename,renameat,renameat2", "-e", inject], &log)
            .arg(Sandbox::built_binary())
            .args(["local", "luxito"])
            .current_dir(home.path("acme"))
            .output()
            .unwrap();
        let (said, log) = (String::from_utf8_lossy(&run.stderr), fs::read_to_string(log).unwrap());
        assert!(log.contains("INJECTED"), "no rename failed: {log}");
        assert_eq!(run.status.code(), Some(1), "{said}");
        assert!(
            said.contains("acme/.backlog-aws cannot be written: ")
                && said.trim_end().ends_with("; nothing was changed"),
            "{said}"
        );
        assert_eq!(contents(&home.path("acme")), files, "the old file and nothing beside it");
        assert_eq!(contents(&home.path(STORE)), store, "allowed before: {allowed}");
        assert_eq!(outcome(&home, "acme"), if allowed { "chosen" } else { "not-allowed" });
    }
}

/// A real full disk and a real read-only one, in mounts of a process's own that end with it.
#[test]
fn a_full_or_read_only_data_directory_is_told_and_changes_nothing() {
    let mounts = |flag: &str| {
        let unshared =
            Command::new("unshare").args([flag, "mount", "-t", "tmpfs", "none", "/mnt"]).output();
        unshared.is_ok_and(|output| output.status.success())
    };
    let Some(flag) = ["-m", "-rm"].into_iter().find(|flag| mounts(flag)) else {
        say(
            "no disk is full here, as nothing can be mounted: the limits of the test above are what there is",
        );
        return;
    };
    let home = Sandbox::documented_home();
    home.write("acme/.backlog-aws", "profile = bedrock\n");
    home.mkdir(".local/share/backlog-aws");
    for (options, told) in
        [("mode=700,size=4k", "no space left on device"), ("mode=700,ro", "read-only file system")]
    {
        let script = format!(
            "mount -t tmpfs -o {options} none .local/share/backlog-aws || exit 9\n\
             test {options} = mode=700,ro || {{ mkdir .local/share/backlog-aws/trust; \
             head -c 100000 /dev/zero > .local/share/backlog-aws/fill; }} 2>/dev/null\n\
             cd acme\n\"$0\" allow && exit 8\n(cd .. && \"$0\" local luxito) && exit 8\n\"$0\" deny && exit 8\n\
             test ! -e ../.backlog-aws || exit 7\ncat .backlog-aws; ls -A . ../.local/share/backlog-aws/trust; exit 0"
        );
        let output = Command::new("unshare")
            .args([flag, "sh", "-c", &script])
            .arg(Sandbox::built_binary())
            .env_clear()
            .envs(home.environment())
            .current_dir(home.home())
            .output()
            .unwrap();
        let (out, err) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{out}{err}");
        assert_eq!(err.matches(&format!("{told}; nothing was changed")).count(), 3, "{err}");
        let listing = out.rsplit_once("profile = bedrock\n").expect("the override is as it was").1;
        let names: Vec<&str> =
            listing.lines().filter(|line| !line.is_empty() && !line.ends_with(':')).collect();
        assert_eq!(names, [".backlog-aws"], "{out}");
    }
}

#[test]
fn a_data_directory_of_others_is_told_and_changes_nothing() {
    let home = Sandbox::documented_home();
    home.write("acme/.backlog-aws", "profile = bedrock\n");
    home.write(".local/share/backlog-aws", "not a directory");
    let refused = run_in(&home, "acme", &["allow"]).expect_code(1);
    assert!(refused.err().contains("the decision cannot be kept in "), "{}", refused.err());
    assert!(refused.err().trim_end().ends_with("nothing was changed"), "{}", refused.err());
    let refused = run_in(&home, "acme", &["local", "luxito"]).expect_code(1);
    assert!(refused.err().trim_end().ends_with("nothing was changed"), "{}", refused.err());
    assert_eq!(fs::read(home.path("acme/.backlog-aws")).unwrap(), b"profile = bedrock\n");
    assert_eq!(contents(&home.path("acme")).len(), 1);
}

#[test]
fn a_thousand_decisions_of_eight_processes_at_once_lose_nothing() {
    const PROCESSES: usize = 8;
    const EACH: usize = 125;
    let home = Sandbox::documented_home();
    for process in 0..PROCESSES {
        for number in 0..EACH {
            home.write(
                format!("{process}/{number}/.backlog-aws"),
                format!("profile = bedrock # {process}.{number}\n"),
            );
        }
    }
    home.write("shared/.backlog-aws", "profile = bedrock\n");
    // Each decides on paths of its own, every third one is denied after it was allowed, and all fight over one.
    let script = r#"i=0
while [ $i -lt "$2" ]; do
    "$0" allow "$1/$i" >/dev/null || exit 1
    [ $((i % 3)) -ne 0 ] || "$0" deny "$1/$i" >/dev/null || exit 1
    [ $((i % 25)) -ne 0 ] || "$0" deny shared >/dev/null || exit 1
    [ $((i % 25)) -ne 0 ] || "$0" allow shared >/dev/null || exit 1
    i=$((i + 1))
done"#;
    thread::scope(|scope| {
        for process in 0..PROCESSES {
            let home = &home;
            let environment = home.environment();
            let directory = home.home();
            scope.spawn(move || {
                let status = Command::new("/bin/sh")
                    .args(["-c", script])
                    .arg(Sandbox::built_binary())
                    .args([process.to_string(), EACH.to_string()])
                    .env_clear()
                    .envs(environment)
                    .current_dir(directory)
                    .status()
                    .unwrap();
                assert!(status.success());
            });
        }
    });
    // One entry per path and nothing else: no temporary file, no duplicate.
    assert_eq!(fs::read_dir(home.path(STORE)).unwrap().count(), PROCESSES * EACH + 1);
    for (path, content) in contents(&home.path(STORE)) {
        let whole =
            content.ends_with(b"\0deny\n") || content.windows(7).any(|part| part == b"\0allow ");
        assert!(
            whole && content.ends_with(b"\n"),
            "{}: {}",
            path.display(),
            content.escape_ascii()
        );
    }
    for process in 0..PROCESSES {
        for number in (0..EACH).step_by(7) {
            let expected = if number % 3 == 0 { "not-allowed" } else { "chosen" };
            assert_eq!(
                outcome(&home, &format!("{process}/{number}")),
                expected,
                "{process}/{number}"
            );
        }
    }
    assert_eq!(
        outcome(&home, "shared"),
        "chosen",
        "of two decisions the later stands, and each ended in allow"
    );
}

#[test]
fn the_store_is_for_its_owners_eyes_and_names_no_content() {
    let home = Sandbox::documented_home();
    home.write("acme/.backlog-aws", "profile = bedrock # the secret project\n");
    run_in(&home, "acme", &["allow"]).expect_code(0);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&home.path(STORE)), 0o700);
    for (path, content) in contents(&home.path(STORE)) {
        assert_eq!(mode(&path), 0o600);
        assert!(!String::from_utf8_lossy(&content).contains("secret project"));
    }
}

#[test]
fn paths_of_any_bytes_can_be_allowed() {
    let home = Sandbox::documented_home();
    for name in [
        &b"a b"[..],
        b"it's \"quoted\"",
        b"line\nbreak",
        b"\xff\xfe not UTF-8",
        b"-dash",
        b"$(touch x)",
    ] {
        let directory = home.path(OsStr::from_bytes(name));
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join(".backlog-aws"), "profile = bedrock\n").unwrap();
        let allowed = home.invoke(["allow"]).cwd(&directory).run().expect_code(0);
        assert_eq!(allowed.out().lines().count(), 4, "one line each: {}", allowed.out());
        let status = home.invoke(["status", "--json"]).cwd(&directory).run().expect_code(0).json();
        assert_eq!(status["source"], "directory");
    }
}

#[test]
fn a_worktree_counts_as_its_main_checkout_while_the_file_is_the_same() {
    let home = Sandbox::documented_home();
    let git = |directory: &str, words: &[&str]| {
        let mut git = home.command("git");
        git.args(["-c", "user.name=u", "-c", "user.email=u@example.com"]).args(words);
        let done = git.current_dir(home.path(directory)).output().expect("git is installed");
        assert!(done.status.success(), "{words:?}: {done:?}");
    };
    home.write("acme/.backlog-aws", "profile = bedrock\n");
    git("acme", &["init", "--quiet"]);
    git("acme", &["add", "."]);
    git("acme", &["commit", "--quiet", "-m", "x"]);
    git("acme", &["worktree", "add", "--quiet", "../tree"]);
    assert_eq!(outcome(&home, "tree"), "not-allowed");
    run_in(&home, "acme", &["allow"]).expect_code(0);
    assert_eq!(outcome(&home, "tree"), "chosen");
    home.write("tree/.backlog-aws", "profile = bedrock\n# changed\n");
    assert_eq!(outcome(&home, "tree"), "not-allowed");
    // Somebody else's directory that says it is a worktree of it.
    let claims = fs::read_to_string(home.path("tree/.git")).unwrap();
    home.write("evil/.git", claims);
    home.write("evil/.backlog-aws", "profile = bedrock\n");
    assert_eq!(outcome(&home, "evil"), "not-allowed");
}
