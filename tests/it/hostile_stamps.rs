//! The directory of stamps, in the hands of somebody who wants the hook to write, remove or touch something else. Each
//! of these was an attack that worked.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use crate::harness::{Sandbox, Session, Shell, is_root, say};

const STAMPS: &str = ".cache/backlog-aws";

/// A home whose files are old enough for stamps.
fn settled_home() -> Sandbox {
    let home = Sandbox::documented_home();
    sleep(Duration::from_millis(60));
    home
}

fn hook(home: &Sandbox, name: &str, value: impl AsRef<OsStr>) {
    let run = home.invoke(["hook", "bash", "1.1", "stamps"]).env(name, value.as_ref());
    let done = run.run().expect_code(0);
    // Without a place for stamps there is an answer all the same.
    assert!(done.out().contains("luxito"), "{}", done.out());
}

fn names(directory: &Path) -> Vec<PathBuf> {
    let mut names: Vec<_> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    names
}

/// What the hook makes where nobody interferes.
#[track_caller]
fn usual_stamps(home: &Sandbox) -> Vec<PathBuf> {
    hook(home, "UNRELATED", "");
    let stamps = names(&home.path(STAMPS));
    assert!(!stamps.is_empty(), "no stamps, so this tries nothing");
    stamps
}

/// A full directory of somebody's, with files that look like stamps.
fn victim(home: &Sandbox) -> PathBuf {
    let victim = home.mkdir("victim");
    fill(&victim);
    victim
}

fn fill(directory: &Path) {
    for number in 0..520_i64 {
        let time = SystemTime::UNIX_EPOCH
            + Duration::from_secs(1_000_000_000)
            + Duration::from_nanos(number.unsigned_abs());
        let nanoseconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
        let file = File::create(directory.join(format!("{nanoseconds:x}"))).unwrap();
        file.set_modified(time).unwrap();
    }
}

/// 268 of 520 files went when root had another's HOME.
#[test]
fn behind_a_link_in_place_of_the_directory_nothing_is_made_or_removed() {
    let home = settled_home();
    let victim = victim(&home);
    home.mkdir(".cache");
    symlink(&victim, home.path(STAMPS)).unwrap();
    let before = names(&victim);
    hook(&home, "UNRELATED", "");
    assert_eq!(names(&victim), before);
    if is_root() {
        // As after `sudo -E`: the link is the caller's, and so is the home.
        chown(home.home(), Some(12345), Some(12345)).unwrap();
        chown(home.path(".cache"), Some(12345), Some(12345)).unwrap();
        hook(&home, "UNRELATED", "");
        assert_eq!(names(&victim), before);
        // Nor does a real directory of the caller's do.
        fs::remove_file(home.path(STAMPS)).unwrap();
        fs::rename(&victim, home.path(STAMPS)).unwrap();
        let before = names(&home.path(STAMPS));
        hook(&home, "UNRELATED", "");
        assert_eq!(names(&home.path(STAMPS)), before);
        // Nor one of root's in there, which the caller can have put into its place.
        chown(home.path(".cache"), Some(0), Some(0)).unwrap();
        hook(&home, "UNRELATED", "");
        assert_eq!(names(&home.path(STAMPS)), before);
        chown(home.home(), Some(0), Some(0)).unwrap();
    } else {
        say("behind_a_link_in_place_of_the_directory: not root, so the home is nobody else's");
    }
}

/// Where stamps are pruned, other files stay.
#[test]
fn pruning_removes_nothing_but_stamps() {
    let home = settled_home();
    home.mkdir(STAMPS);
    fs::set_permissions(home.path(STAMPS), Permissions::from_mode(0o700)).unwrap();
    fs::create_dir(home.path(STAMPS).join("de0b6b3a763ffff")).unwrap();
    sleep(Duration::from_millis(30));
    let kept = ["letter", "3b9aca00", "-1"].map(|name| home.path(STAMPS).join(name));
    for path in &kept {
        fs::write(path, "words").unwrap();
    }
    // The oldest go.
    sleep(Duration::from_millis(30));
    fill(&home.path(STAMPS));
    hook(&home, "UNRELATED", "");
    assert!(names(&home.path(STAMPS)).len() < 300, "it pruned");
    for path in &kept {
        assert_eq!(fs::read(path).unwrap(), b"words");
    }
    assert!(home.path(STAMPS).join("de0b6b3a763ffff").is_dir());
}

#[test]
fn a_runtime_directory_that_all_can_write_to_gets_no_stamps() {
    for mode in [0o777, 0o703] {
        let home = settled_home();
        let shared = home.mkdir("run");
        fs::set_permissions(&shared, Permissions::from_mode(mode)).unwrap();
        hook(&home, "XDG_RUNTIME_DIR", &shared);
        assert_eq!(names(&shared), [] as [PathBuf; 0], "{mode:o}");
        // One that is there already, with the stamps of everybody.
        let ours = home.mkdir("run/backlog-aws");
        hook(&home, "XDG_RUNTIME_DIR", &shared);
        assert_eq!(names(&ours), [] as [PathBuf; 0], "{mode:o}");
        fs::set_permissions(&shared, Permissions::from_mode(0o700)).unwrap();
        hook(&home, "XDG_RUNTIME_DIR", &shared);
        assert!(!names(&ours).is_empty(), "a private one serves");
    }
}

#[test]
fn a_cache_directory_that_all_can_write_to_gets_no_stamps() {
    let home = settled_home();
    let shared = home.mkdir("shared");
    for mode in [0o777, 0o702] {
        fs::set_permissions(&shared, Permissions::from_mode(mode)).unwrap();
        hook(&home, "XDG_CACHE_HOME", &shared);
        assert_eq!(names(&shared), [] as [PathBuf; 0], "{mode:o}");
    }
    fs::set_permissions(&shared, Permissions::from_mode(0o700)).unwrap();
    let ours = home.mkdir("shared/backlog-aws");
    fs::set_permissions(&ours, Permissions::from_mode(0o777)).unwrap();
    hook(&home, "XDG_CACHE_HOME", &shared);
    assert_eq!(names(&ours), [] as [PathBuf; 0], "the directory itself");
    fs::set_permissions(&ours, Permissions::from_mode(0o700)).unwrap();
    hook(&home, "XDG_CACHE_HOME", &shared);
    assert!(!names(&ours).is_empty(), "a private one serves");
}

/// Whoever can set a file's time chooses the name of a stamp, and could have a file of that name overwritten.
#[test]
fn the_name_of_a_stamp_is_a_number_and_no_file_of_that_name_is_touched() {
    let home = settled_home();
    let credentials = File::open(home.path(".aws/credentials")).unwrap();
    let times = [
        SystemTime::UNIX_EPOCH,
        SystemTime::UNIX_EPOCH + Duration::from_nanos(0xbed),
        SystemTime::UNIX_EPOCH - Duration::from_nanos(0xadd),
    ];
    for time in times {
        credentials.set_modified(time).unwrap();
        home.user_changed_files();
        let stamps = usual_stamps(&home);
        let is_number = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        assert!(stamps.iter().all(is_number), "{stamps:?}");
        // Files of those names that are no stamps, with times of their own.
        let before: Vec<_> = stamps
            .iter()
            .map(|stamp| {
                fs::write(stamp, "words").unwrap();
                fs::metadata(stamp).unwrap().modified().unwrap()
            })
            .collect();
        hook(&home, "UNRELATED", "");
        for (stamp, before) in stamps.iter().zip(before) {
            assert_eq!(fs::read(stamp).unwrap(), b"words");
            assert_eq!(fs::metadata(stamp).unwrap().modified().unwrap(), before);
        }
        fs::remove_dir_all(home.path(STAMPS)).unwrap();
    }
}

/// The hook made a file in ~/.aws and set the time of the credentials to 1970.
#[test]
fn links_named_like_stamps_are_not_followed() {
    let home = settled_home();
    home.write(".aws/empty", "");
    sleep(Duration::from_millis(60));
    let stamps = usual_stamps(&home);
    for target in ["nowhere", "credentials", "empty"] {
        let target = home.path(".aws").join(target);
        let time = fs::metadata(&target).and_then(|found| found.modified()).ok();
        for stamp in &stamps {
            fs::remove_file(stamp).unwrap();
            symlink(&target, stamp).unwrap();
        }
        hook(&home, "UNRELATED", "");
        assert_eq!(
            fs::metadata(&target).and_then(|found| found.modified()).ok(),
            time,
            "{}",
            target.display()
        );
        assert!(stamps.iter().all(|stamp| stamp.is_symlink()), "they are not ours to replace");
    }
    home.assert_guarded_files_untouched();
    // A FIFO is not waited for.
    for stamp in &stamps {
        fs::remove_file(stamp).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(stamp).status().unwrap().success());
    }
    hook(&home, "UNRELATED", "");
}

/// Without stamps, bash and fish ask at each prompt, so a change is seen.
#[test]
fn where_no_stamps_are_safe_the_shell_asks_each_time() {
    for shell in [Shell::Bash, Shell::Fish] {
        let home = settled_home();
        let shared = home.mkdir("shared");
        fs::set_permissions(&shared, Permissions::from_mode(0o777)).unwrap();
        let mut session = Session::builder(&home, shell).env("XDG_CACHE_HOME", &shared).spawn();
        session.line("");
        assert!(!session.is_unchanged());
        home.write(".config/backlog-aws/config.ini", "profile = bedrock\n");
        session.line("");
        session.assert_answer("bedrock", "user-default");
        assert_eq!(names(&shared), [] as [PathBuf; 0]);
    }
}
