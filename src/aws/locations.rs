//! Where the two AWS files are: `~/.aws/credentials` and `~/.aws/config`, unless the environment moves them.
//!
//! The same on Linux, macOS and Windows once the home directory is known; finding that is not done here.
//! <https://docs.aws.amazon.com/sdkref/latest/guide/file-location.html>

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Which of the two AWS files: they differ in how sections are named. Ordered as profiles are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileKind {
    /// `~/.aws/credentials`, where a profile is called `[x]`.
    Credentials,
    /// `~/.aws/config`, where a profile is called `[profile x]`.
    Config,
}

impl FileKind {
    /// What it is called below `~/.aws`.
    pub fn name(self) -> &'static str {
        if self == Self::Credentials { "credentials" } else { "config" }
    }
}

/// Finds a file from the home directory and the variables. `None` when it depends on a home directory that is not known.
///
/// An empty value counts as unset. `~` alone or as the first component of a value stands for the home directory;
/// `~someone` does not, because the SDKs take it literally.
pub fn locate<'e>(
    kind: FileKind,
    home: Option<&Path>,
    variable: impl Fn(&'static str) -> Option<&'e OsStr>,
) -> Option<PathBuf> {
    let home = home.filter(|home| !home.as_os_str().is_empty());
    let moved_to = variable(match kind {
        FileKind::Credentials => "AWS_SHARED_CREDENTIALS_FILE",
        FileKind::Config => "AWS_CONFIG_FILE",
    });
    let Some(path) = moved_to.filter(|value| !value.is_empty()).map(Path::new) else {
        return Some(home?.join(".aws").join(kind.name()));
    };
    match path.strip_prefix("~") {
        // Joining an empty path would leave a trailing separator.
        Ok(rest) if rest.as_os_str().is_empty() => Some(home?.to_owned()),
        Ok(rest) => Some(home?.join(rest)),
        Err(_) => Some(path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn located(
        home: Option<&Path>,
        credentials: Option<&OsStr>,
        config: Option<&OsStr>,
    ) -> (Option<PathBuf>, Option<PathBuf>) {
        let variable = |name| if name == "AWS_CONFIG_FILE" { config } else { credentials };
        let file = |kind| locate(kind, home, variable);
        (file(FileKind::Credentials), file(FileKind::Config))
    }

    fn both(
        home: Option<&str>,
        credentials: Option<&str>,
        config: Option<&str>,
    ) -> (Option<PathBuf>, Option<PathBuf>) {
        located(home.map(Path::new), credentials.map(OsStr::new), config.map(OsStr::new))
    }

    fn paths(credentials: &str, config: &str) -> (Option<PathBuf>, Option<PathBuf>) {
        (Some(credentials.into()), Some(config.into()))
    }

    #[test]
    fn the_files_are_in_dot_aws_below_home() {
        let home = Path::new("/home/u");
        let aws = home.join(".aws");
        let found = located(Some(home), None, None);
        assert_eq!(found.0, Some(aws.join("credentials")));
        assert_eq!(found.1, Some(aws.join("config")));
    }

    #[test]
    fn each_file_can_be_moved_on_its_own() {
        let home = Path::new("/home/u");
        let found = located(Some(home), Some(OsStr::new("/mnt/keys")), None);
        assert_eq!(found.0, Some("/mnt/keys".into()));
        assert_eq!(found.1, Some(home.join(".aws").join("config")));
        assert_eq!(both(Some("/home/u"), Some("/a"), Some("b/c")), paths("/a", "b/c"));
    }

    #[test]
    fn an_empty_value_counts_as_unset() {
        assert_eq!(both(Some("/home/u"), Some(""), Some("")), both(Some("/home/u"), None, None));
    }

    #[test]
    fn a_leading_tilde_is_the_home_directory() {
        let home = Path::new("/home/u");
        let found = located(Some(home), Some(OsStr::new("~/keys")), Some(OsStr::new("~")));
        assert_eq!(found.0, Some(home.join("keys")));
        assert_eq!(found.1.as_deref(), Some(home));
        assert_eq!(found.1.unwrap().as_os_str(), "/home/u", "no trailing separator");
    }

    #[test]
    fn a_tilde_elsewhere_is_just_a_character() {
        assert_eq!(
            both(Some("/home/u"), Some("~root/keys"), Some("/x/~/y")),
            paths("~root/keys", "/x/~/y")
        );
    }

    #[cfg(windows)]
    #[test]
    fn a_tilde_before_a_backslash_is_the_home_directory_on_windows() {
        assert_eq!(
            both(Some(r"C:\Users\u"), Some(r"~\keys"), None).0,
            Some(r"C:\Users\u\keys".into())
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_backslash_is_part_of_the_name_on_unix() {
        assert_eq!(both(Some("/home/u"), Some(r"~\keys"), None).0, Some(r"~\keys".into()));
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_not_unicode_survives() {
        use std::os::unix::ffi::OsStrExt;
        let found =
            located(Some(Path::new("/home/u")), Some(OsStr::from_bytes(b"~/k\xffys")), None);
        assert_eq!(found.0.unwrap().as_os_str().as_bytes(), b"/home/u/k\xffys");
    }

    #[test]
    fn without_a_home_only_explicit_paths_are_known() {
        assert_eq!(both(None, None, None), (None, None));
        assert_eq!(both(Some(""), None, None), (None, None));
        assert_eq!(both(None, Some("/k"), Some("~/c")), (Some("/k".into()), None));
    }
}
