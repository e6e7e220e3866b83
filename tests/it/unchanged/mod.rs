//! The shells' test "nothing changed", which must never miss a change, whatever the change is.
//!
//! Each scenario first waits until the shell itself says "unchanged". Only then does a change prove anything: as long as
//! a file was written a moment ago, every prompt asks the program.

pub(crate) mod clock;
pub(crate) mod directories;
pub(crate) mod files;
mod stamps;
pub(crate) mod variables;
mod walk;

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::harness::{Sandbox, Session, Shell, static_profile};

/// Two regions of the same length.
const BEFORE: &str = "eu-west-1";

const AFTER: &str = "eu-west-2";

fn credentials(region: &str) -> String {
    static_profile("default", region)
}

/// A home with one static profile, whose region the scenarios change.
fn home() -> Sandbox {
    let home = Sandbox::new();
    home.write_private(".aws/credentials", credentials(BEFORE));
    home.write_private(".aws/config", "[profile other]\nregion = us-east-2\n");
    home
}

/// A home whose override files all count.
fn trusting_home() -> Sandbox {
    let home = home();
    let directory = home.home().into_os_string();
    home.run(["allow".into(), "--under".into(), directory]).expect_code(0);
    home
}

/// A moment of the past, and not on a second.
fn past() -> SystemTime {
    UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_789)
}

fn whole_second() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_000_000_000)
}

/// `touch -d`, for files and directories.
fn set_time(path: &Path, time: SystemTime) {
    File::open(path).unwrap().set_modified(time).unwrap();
}

fn time_of(path: &Path) -> SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

/// Writes into the same inode, which an editor that replaces files would not.
fn overwrite(path: &Path, contents: &str) {
    OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(path)
        .unwrap()
        .write_all(contents.as_bytes())
        .unwrap();
}

/// Puts a new file in the place of one, with a given time.
fn replace(path: &Path, contents: &str, time: SystemTime) {
    let beside = path.with_extension("new");
    fs::write(&beside, contents).unwrap();
    fs::set_permissions(&beside, fs::Permissions::from_mode(0o600)).unwrap();
    set_time(&beside, time);
    fs::rename(&beside, path).unwrap();
}

/// Points a symbolic link elsewhere in one step.
fn relink(target: &Path, link: &Path) {
    let beside = link.with_extension("new");
    symlink(target, &beside).unwrap();
    fs::rename(&beside, link).unwrap();
}

/// A shell at rest.
#[track_caller]
fn settled(home: &Sandbox, shell: Shell) -> Session<'_> {
    let mut session = Session::start(home, shell);
    session.settle_hook();
    session
}

/// The least difference of two times that the shell can see. Before 5.0, `-nt` and `-ot` of bash compare whole seconds.
fn least_step(shell: Shell) -> Duration {
    if shell.is_bash_before(5) { Duration::from_secs(1) } else { Duration::from_nanos(1) }
}

/// One of our variables, as text.
#[track_caller]
fn exported(session: &mut Session, name: &str) -> Option<String> {
    session.var(name).map(|value| value.into_string().unwrap())
}

#[track_caller]
fn region(session: &mut Session) -> Option<String> {
    exported(session, "BACKLOG_AWS_REGION")
}

/// What is exported after one more prompt, and that it stays so.
#[track_caller]
fn assert_next_region<'a>(session: &mut Session, expected: impl Into<Option<&'a str>>) {
    session.line("");
    assert_eq!(
        region(session).as_deref(),
        expected.into(),
        "{}: a change was missed",
        session.shell().name()
    );
}

/// Changes something while the shell is at rest, and expects the next prompt to see it.
#[track_caller]
fn assert_seen<'a>(
    home: &Sandbox,
    session: &mut Session,
    change: impl FnOnce(),
    expected: impl Into<Option<&'a str>>,
) {
    session.settle_hook();
    change();
    home.user_changed_files();
    assert_next_region(session, expected);
}
