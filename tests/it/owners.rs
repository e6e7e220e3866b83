//! Whose files they are: root makes nothing in another's home, and nobody uses a directory of somebody else's.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use crate::harness::{Sandbox, is_root, say};

const SOMEBODY: u32 = 12345;

fn give_away(path: &Path) {
    chown(path, Some(SOMEBODY), Some(SOMEBODY)).expect("root may");
}

fn settled_home() -> Sandbox {
    let home = Sandbox::documented_home();
    // Times are stamped once they are settled.
    sleep(Duration::from_millis(60));
    home
}

/// With `sudo -E` root's shell has the home of somebody else, and what it made there would be in the owner's way.
#[test]
fn root_makes_nothing_in_anothers_home() {
    let home = settled_home();
    home.write("acme/.backlog-aws", "profile = bedrock\n");
    fs::remove_dir_all(home.path(".local")).expect("it is ours");
    let nothing_is_made = || {
        let made =
            [".cache", ".local", ".backlog-aws"].into_iter().find(|name| home.path(name).exists());
        assert_eq!(made, None);
    };
    let hook = || home.run(["hook", "bash", "1.1", "stamps"]).expect_code(0);
    if is_root() {
        give_away(&home.home());
        assert!(hook().out().contains("luxito"));
        nothing_is_made();
        let allow = home.invoke(["allow"]).cwd(home.path("acme")).run().expect_code(1);
        let why = format!("the user with the id {SOMEBODY}, and you are root; run this as them");
        assert!(allow.err().contains(&why), "{}", allow.err());
        nothing_is_made();
        // `local` keeps its promise too: nothing is half done.
        home.run(["local", "bedrock"]).expect_code(1);
        nothing_is_made();
        chown(home.home(), Some(0), Some(0)).expect("root may");
    } else {
        say(
            "root_makes_nothing_in_anothers_home: not root, so only what anybody may do at home is tried",
        );
    }
    // Where root is at home, it is anybody.
    hook();
    assert!(home.path(".cache/backlog-aws").exists());
    home.invoke(["allow"]).cwd(home.path("acme")).run().expect_code(0);
    assert!(home.path(".local/share/backlog-aws").exists());
}

/// After a plain `su` the variable is still there.
#[test]
fn the_runtime_directory_of_somebody_else_is_passed_over() {
    let home = settled_home();
    let hook = |directory: &Path| {
        let run = home.invoke(["hook", "bash", "1.1", "stamps"]);
        run.env("XDG_RUNTIME_DIR", directory).run().expect_code(0);
    };
    let theirs = if is_root() { home.mkdir("theirs") } else { PathBuf::from("/usr") };
    if is_root() {
        give_away(&theirs);
    }
    hook(&theirs);
    assert!(!theirs.join("backlog-aws").exists());
    assert!(home.path(".cache/backlog-aws").exists());
    hook(&home.mkdir("mine"));
    assert!(home.path("mine/backlog-aws").exists());
}
