//! What a stranger can put in a user's way: files in a repository, directories that others can write to. Each of these
//! was an attack that worked.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, lchown, symlink};
use std::path::Path;
use std::process::Command;

use crate::harness::{Output, Sandbox, Session, is_root, run_as_a_mere_user, say, scenario};

const STORE: &str = ".local/share/backlog-aws/trust";

#[track_caller]
fn run_in(home: &Sandbox, directory: &str, words: &[&str]) -> Output {
    home.invoke(words).cwd(home.path(directory)).run()
}

/// What the user chose cannot be told, and no other profile is used: `status`, `exec` and the hook say why.
#[track_caller]
fn assert_nothing_else_is_tried(run: impl Fn(&[&str]) -> Output, source: &str, why: &str) {
    let status = run(&["status", "--json"]).json();
    assert_eq!(status["usable"], false, "{status}");
    assert_eq!(status["source"], source, "{status}");
    assert_eq!(status["profile"], serde_json::Value::Null, "{status}");
    let told = |output: &Output| {
        // The home is shown as a tilde.
        let why = why.split_once("/home/").map_or(why, |(_, below)| below);
        assert_eq!(output.err().matches(why).count(), 1, "{why:?} in {}", output.err());
    };
    told(&run(&["exec", "--", "true"]).expect_code(1));
    let hook = run(&["hook", "bash", "1.1", "stamps"]).expect_code(0);
    told(&hook);
    assert!(!hook.out().contains("luxito"), "{}", hook.out());
    told(&run(&["status"]).expect_code(1));
    run(&["doctor"]).expect_code(1);
}

#[test]
fn an_allowed_override_that_cannot_be_read_leaves_no_other_profile() {
    let home = Sandbox::with_override();
    let file = home.path("acme/.backlog-aws");
    let quiet = |words: &[&str]| {
        home.invoke(words).cwd(home.path("acme/deep")).env("BACKLOG_AWS_QUIET", "1").run()
    };
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert_nothing_else_is_tried(quiet, "directory", "is a directory and not a file");
    // Denied, it is out of the way.
    run_in(&home, "acme", &["deny"]).expect_code(0);
    let status = run_in(&home, "acme", &["status", "--json"]).json();
    assert_eq!(status["profile"], "luxito");
    // One that nobody allowed is a stranger's, and not asked.
    home.mkdir("other/.backlog-aws");
    let status = run_in(&home, "other", &["status", "--json"]).json();
    assert_eq!(status["profile"], "luxito");
    run_in(&home, "", &["allow", "--under", "other"]).expect_code(0);
    let run = |words: &[&str]| run_in(&home, "other", words);
    assert_nothing_else_is_tried(run, "directory", "is a directory and not a file");
}

/// The other end of a link can be on a disk that is not there today.
#[test]
fn a_choice_behind_a_link_that_leads_nowhere_leaves_no_other_profile() {
    let home = Sandbox::with_override();
    let run = |words: &[&str]| run_in(&home, "acme/deep", words);
    for (file, source) in [
        (".backlog-toolkit-env", "toolkit-env"),
        (".config/backlog-aws/config.ini", "rule"),
        ("acme/.backlog-aws", "directory"),
    ] {
        let path = home.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&path);
        symlink("nowhere", &path).unwrap();
        if source != "directory" {
            home.remove("acme/.backlog-aws");
        }
        assert_nothing_else_is_tried(
            run,
            source,
            "cannot be read: it is a link that leads nowhere",
        );
        fs::remove_file(&path).unwrap();
        home.allow("acme", "profile = bedrock\n");
    }
    // A stranger's is not asked.
    home.mkdir("other");
    symlink("nowhere", home.path("other/.backlog-aws")).unwrap();
    let status = run_in(&home, "other", &["status", "--json"]).json();
    assert_eq!(status["profile"], "luxito");
}

scenario! {
    fn an_override_that_becomes_a_link_to_nowhere_is_seen_at_the_prompt(shell) {
        let home = Sandbox::with_override();
        let mut session = Session::builder(&home, shell).size(40, 300).cwd(home.path("acme")).spawn();
        session.assert_answer("bedrock", "directory");
        home.remove("acme/.backlog-aws");
        symlink("nowhere", home.path("acme/.backlog-aws")).unwrap();
        let told = session.line("").text;
        assert!(told.contains("it is a link that leads nowhere"), "{told}");
        assert_eq!(session.exported()[0], None);
        // A shell's test for files does not see it on entering the directory; what gives keys away does.
        session.cd(home.home());
        session.cd(home.path("acme"));
        session.line("backlog-aws exec true < /dev/null");
        assert_eq!(session.status_of_last(), 1);
    }
}

#[test]
fn an_allowed_override_without_permission_leaves_no_other_profile() {
    let home = Sandbox::with_override();
    let file = home.path("acme/.backlog-aws");
    let run = |words: &[&str]| run_as_a_mere_user(&home, "acme", words);
    assert_eq!(run(&["status", "--json"]).json()["profile"], "bedrock");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o0)).unwrap();
    assert_nothing_else_is_tried(run, "directory", "cannot be read: permission denied");
}

#[test]
fn a_trust_store_that_cannot_be_read_leaves_no_other_profile() {
    let home = Sandbox::with_override();
    let store = home.path(STORE);
    let run = |words: &[&str]| run_as_a_mere_user(&home, "acme/deep", words);
    run(&["status"]).expect_code(0);
    fs::set_permissions(&store, fs::Permissions::from_mode(0o0)).unwrap();
    assert_nothing_else_is_tried(run, "directory", "cannot be read: permission denied");
    fs::set_permissions(&store, fs::Permissions::from_mode(0o700)).unwrap();
    let entry = fs::read_dir(&store).unwrap().next().unwrap().unwrap().path();
    fs::set_permissions(&entry, fs::Permissions::from_mode(0o0)).unwrap();
    assert_nothing_else_is_tried(run, "directory", "cannot be read: permission denied");
    fs::set_permissions(&entry, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&entry, "").unwrap();
    assert_nothing_else_is_tried(run, "directory", "is damaged");
    fs::remove_file(&entry).unwrap();
    assert_eq!(run(&["status", "--json"]).json()["profile"], "luxito", "that is known");
    let home = Sandbox::with_override();
    fs::remove_dir_all(home.path(STORE)).unwrap();
    home.write(STORE, "");
    let run = |words: &[&str]| run_in(&home, "acme", words);
    assert_nothing_else_is_tried(run, "directory", "trust is not a directory");
}

#[test]
fn a_toolkit_file_that_cannot_be_read_leaves_no_other_profile() {
    let home = Sandbox::documented_home();
    let run = |words: &[&str]| run_in(&home, "", words);
    for (value, why) in [
        ("\"${TEAM:-x}\"", "BACKLOG_AWS_PROFILE needs a shell"),
        ("'bedrock", "BACKLOG_AWS_PROFILE is in a quote that is not closed"),
    ] {
        home.write(".backlog-toolkit-env", format!("export BACKLOG_AWS_PROFILE={value}\n"));
        assert_nothing_else_is_tried(run, "toolkit-env", why);
    }
    // What comes before it in the chain is known.
    let pinned = home.invoke(["status", "--json"]).env("BACKLOG_AWS_PROFILE", "bedrock").run();
    assert_eq!(pinned.json()["profile"], "bedrock");
    home.remove(".backlog-toolkit-env");
    home.mkdir(".backlog-toolkit-env");
    assert_nothing_else_is_tried(run, "toolkit-env", "is a directory and not a file");
}

/// A store of somebody else could allow anything: after a plain `su`, or with `XDG_DATA_HOME` where all may write.
#[test]
fn a_trust_store_or_entry_that_is_not_the_users_own_is_not_believed() {
    let home = Sandbox::with_override();
    let store = home.path(STORE);
    let entry = fs::read_dir(&store).unwrap().next().unwrap().unwrap().path();
    let run = |words: &[&str]| run_in(&home, "acme/deep", words);
    let mode = |path: &Path, mode: u32| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let believed = || assert_eq!(run(&["status", "--json"]).json()["profile"], "bedrock");
    let data = store.parent().unwrap();
    for (path, usual) in [(data, 0o700), (&store, 0o700), (&entry, 0o600)] {
        mode(path, usual | 0o002);
        let why = format!("{} can be written to by others (mode ", path.display());
        assert_nothing_else_is_tried(run, "directory", &why);
        if path != entry {
            let refused = run(&["allow"]).expect_code(1);
            assert!(refused.err().contains("can be written to by others"), "{}", refused.err());
        }
        mode(path, usual);
        believed();
        let kept = path.with_extension("kept");
        fs::rename(path, &kept).unwrap();
        symlink(&kept, path).unwrap();
        let why = format!("{} is a link", path.display());
        assert_nothing_else_is_tried(run, "directory", &why);
        fs::remove_file(path).unwrap();
        fs::rename(&kept, path).unwrap();
        believed();
        if is_root() {
            lchown(path, Some(12345), None).unwrap();
            let why = format!("{} belongs to the user with the id 12345", path.display());
            assert_nothing_else_is_tried(run, "directory", &why);
            lchown(path, Some(0), Some(12345)).unwrap();
            mode(path, usual | 0o020);
            let why = format!("{} can be written to by others (mode ", path.display());
            assert_nothing_else_is_tried(run, "directory", &why);
            // Systems that make a group for each user let it write.
            lchown(path, None, Some(0)).unwrap();
            believed();
            mode(path, usual);
        } else {
            say(
                "a_trust_store_or_entry_that_is_not_the_users_own: not root, so none is given away",
            );
        }
        believed();
    }
}

#[test]
fn a_trust_entry_that_is_no_file_is_neither_waited_for_nor_read() {
    let home = Sandbox::with_override();
    let entry = fs::read_dir(home.path(STORE)).unwrap().next().unwrap().unwrap().path();
    let run = |words: &[&str]| run_in(&home, "acme", words);
    fs::remove_file(&entry).unwrap();
    assert!(Command::new("mkfifo").arg(&entry).status().unwrap().success());
    assert_nothing_else_is_tried(run, "directory", "is a FIFO and not a file");
    fs::remove_file(&entry).unwrap();
    symlink("/dev/zero", &entry).unwrap();
    assert_nothing_else_is_tried(run, "directory", "is a link");
    fs::remove_file(&entry).unwrap();
    fs::write(&entry, vec![0; 1 << 20]).unwrap();
    assert_nothing_else_is_tried(run, "directory", "is larger than ");
    // Deciding again puts it right.
    run(&["allow"]).expect_code(0);
    assert_eq!(run(&["status", "--json"]).json()["profile"], "bedrock");
}

#[test]
fn allow_under_takes_no_directory_that_everybody_can_write_to() {
    let home = Sandbox::documented_home();
    let shared = home.mkdir("shared");
    home.write("shared/tree/.backlog-aws", "profile = bedrock\n");
    for mode in [0o777, 0o1777] {
        fs::set_permissions(&shared, fs::Permissions::from_mode(mode)).unwrap();
        let refused = run_in(&home, "", &["allow", "--under", "shared"]).expect_code(1);
        assert!(refused.err().contains("shared is not yours alone"), "{refused:?}");
    }
    let refused = run_in(&home, "", &["allow", "--under", "/"]).expect_code(1);
    assert!(refused.err().contains("/ is not yours alone"), "{refused:?}");
    let status = run_in(&home, "shared/tree", &["status", "--json"]).json();
    assert_eq!(status["profile"], "luxito");
}

/// A directory further down may be for others to write to.
#[test]
fn under_an_allowed_directory_the_files_of_others_do_not_count() {
    let home = Sandbox::documented_home();
    let file = home.write("work/tree/.backlog-aws", "profile = bedrock\n");
    let other = home.write("other", "profile = bedrock\n");
    run_in(&home, "", &["allow", "--under", "work"]).expect_code(0);
    let profile = || run_in(&home, "work/tree", &["status", "--json"]).json()["profile"].clone();
    assert_eq!(profile(), "bedrock");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o646)).unwrap();
    assert_eq!(profile(), "luxito", "everybody can write to it");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(profile(), "bedrock");
    if !is_root() {
        say(
            "under_an_allowed_directory_the_files_of_others_do_not_count: not root, so none is given away",
        );
        return;
    }
    lchown(&file, Some(12345), None).unwrap();
    assert_eq!(profile(), "luxito", "it is another's");
    fs::remove_file(&file).unwrap();
    symlink(&other, &file).unwrap();
    assert_eq!(profile(), "bedrock");
    lchown(&file, Some(12345), None).unwrap();
    assert_eq!(profile(), "luxito", "the link is another's");
    fs::remove_file(&file).unwrap();
    symlink(&other, &file).unwrap();
    lchown(&other, Some(12345), None).unwrap();
    assert_eq!(profile(), "luxito", "what the link leads to is another's");
    run_in(&home, "work/tree", &["allow"]).expect_code(0);
    assert_eq!(profile(), "bedrock", "this content was looked at");
}

/// Who has allowed it once may be waiting for it to count.
#[test]
fn an_override_that_changed_is_named_even_in_quiet() {
    let home = Sandbox::with_override();
    home.write("acme/.backlog-aws", "profile = bedrock\nregion = eu-north-1\n");
    for words in [&["exec", "--", "true"][..], &["hook", "bash", "1.1", "stamps"]] {
        let told = home.invoke(words).cwd(home.path("acme")).env("BACKLOG_AWS_QUIET", "1").run();
        let told = told.expect_code(0);
        let changed = "acme/.backlog-aws is ignored: changed since you allowed it";
        assert!(told.err().contains(changed), "{words:?}: {}", told.err());
    }
}

/// A region alone says nothing of a profile, and yet the written file would name the stranger's.
#[test]
fn local_does_not_take_over_what_a_strangers_file_says() {
    let home = Sandbox::documented_home();
    let file = home.write("acme/.backlog-aws", "profile = luxito\n");
    let refused = |words: &[&str]| {
        let before = fs::read(&file).unwrap();
        let refused = run_in(&home, "acme", words).expect_code(1);
        for told in ["`backlog-aws allow", "`backlog-aws local --unset`", "nothing was changed"] {
            assert!(refused.err().contains(told), "{words:?}: {}", refused.err());
        }
        assert_eq!(fs::read(&file).unwrap(), before, "{words:?}");
        let status = run_in(&home, "acme", &["status", "--json"]).json();
        assert_eq!(status["override"]["allowed"], false, "{words:?}");
    };
    refused(&["local", "--region", "eu-central-1"]);
    run_in(&home, "acme", &["deny"]).expect_code(0);
    refused(&["local", "--region", "eu-central-1"]);
    home.write("acme/.backlog-aws", "region = cn-north-1\n");
    refused(&["local", "bedrock"]);
    run_in(&home, "acme", &["allow"]).expect_code(0);
    home.write("acme/.backlog-aws", "region = us-gov-east-1\n");
    refused(&["local", "bedrock"]);
}

#[test]
fn local_prints_what_the_file_says_afterwards() {
    let home = Sandbox::documented_home();
    home.allow("acme", "region = cn-north-1\n");
    let wrote = run_in(&home, "acme", &["local", "bedrock"]).expect_code(0);
    let expected = format!(
        "wrote and allowed {0}\n{0}:2: profile = bedrock\n{0}:1: region = cn-north-1\n\
         in force in this directory and below: bedrock (static, AKIA************MPLE), cn-north-1, by directory\n",
        "~/acme/.backlog-aws"
    );
    assert_eq!(wrote.out(), expected);
    // Nothing but comments is nobody's choice.
    home.write("notes/.backlog-aws", "# to do\n");
    run_in(&home, "notes", &["local", "bedrock"]).expect_code(0);
}

/// A repository could have us write into any file that happens to be readable as an override.
#[test]
fn local_writes_through_no_link() {
    let home = Sandbox::documented_home();
    home.write("dotfiles/.backlog-aws", "profile = luxito\n");
    home.write(".aws/.backlog-aws", "profile = luxito\n");
    home.mkdir("acme");
    let link = home.path("acme/.backlog-aws");
    for target in ["../dotfiles/.backlog-aws", "../.aws/.backlog-aws", "../nowhere"] {
        symlink(target, &link).unwrap();
        if link.exists() {
            run_in(&home, "acme", &["allow"]).expect_code(0);
        }
        let refused = run_in(&home, "acme", &["local", "bedrock"]).expect_code(1);
        let told = format!(".backlog-aws is a link to {target}; ");
        assert!(refused.err().contains(&told), "{}", refused.err());
        assert!(refused.err().trim_end().ends_with("nothing was changed"), "{}", refused.err());
        run_in(&home, "acme", &["local", "--unset"]).expect_code(0);
        assert!(!link.is_symlink(), "the link itself is removed");
    }
    for file in ["dotfiles/.backlog-aws", ".aws/.backlog-aws"] {
        assert_eq!(fs::read_to_string(home.path(file)).unwrap(), "profile = luxito\n");
    }
    assert!(!home.path("nowhere").exists());
}
