//! A throw-away home with profiles in it.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use crate::shells::configure_starship;

pub struct Home {
    /// Removed at the end.
    _root: tempfile::TempDir,
    pub path: PathBuf,
    bin: PathBuf,
}

impl Home {
    /// A home with so many static profiles and one for SSO.
    pub fn with_profiles(count: usize) -> Self {
        let root = tempfile::Builder::new().prefix("b").tempdir().expect("a temporary directory");
        let path = root.path().join("u");
        let bin = root.path().join("bin");
        for directory in
            [&path.join(".aws"), &path.join(".local/share/fish/generated_completions"), &bin]
        {
            fs::create_dir_all(directory).expect("writable");
        }
        symlink(program(), bin.join("backlog-aws")).expect("writable");
        configure_starship(&path);
        let mut credentials = String::new();
        for index in 0..count {
            write!(
                credentials,
                "[profile-{index:06}]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n\
                 aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\nregion = eu-west-1\n\
                 # who it belongs to, since when, and what for\n\n"
            )
            .expect("a String takes every write");
        }
        write(&path.join(".aws/credentials"), &credentials);
        write(
            &path.join(".aws/config"),
            "[profile cc]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = ClaudeCode\n\
             region = eu-central-1\n\n[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\n\
             sso_region = eu-central-1\n",
        );
        Self { _root: root, path, bin }
    }

    /// A directory so many levels below the root, in the home.
    pub fn directory(&self, depth: usize) -> PathBuf {
        let mut path = self.path.clone();
        while path.components().count() <= depth {
            path.push("project");
        }
        fs::create_dir_all(&path).expect("writable");
        path
    }

    /// The environment of everything that is measured.
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        let mut path = self.bin.clone().into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        vec![
            ("HOME".into(), self.path.clone().into()),
            ("PATH".into(), path),
            ("TERM".into(), "xterm-256color".into()),
            ("LANG".into(), "C.UTF-8".into()),
            ("AWS_PROFILE".into(), "cc".into()),
            ("STARSHIP_CONFIG".into(), self.path.join("starship.toml").into()),
        ]
    }
}

/// The program that is measured, as releases have it.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/build-release");
        let built = Command::new(script).output().expect("the script starts");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        PathBuf::from(String::from_utf8(built.stdout).expect("a path").trim_end())
    })
}

/// Writes a file that nobody would call new.
fn write(path: &Path, contents: &str) {
    fs::write(path, contents).expect("writable");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("the file is ours");
    let settled = SystemTime::now() - Duration::from_secs(100);
    let file = fs::File::options().write(true).open(path).expect("the file is ours");
    file.set_modified(settled).expect("the file is ours");
}
