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

/// The paths of the two AWS files. A path is `None` when it depends on a home directory that is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locations {
    /// The shared credentials file.
    pub credentials: Option<PathBuf>,
    /// The shared config file.
    pub config: Option<PathBuf>,
}

/// Finds the two files from the home directory and the values of `AWS_SHARED_CREDENTIALS_FILE` and `AWS_CONFIG_FILE`.
///
/// An empty value counts as unset. `~` alone or as the first component of a value stands for the home directory;
/// `~someone` does not, because the SDKs take it literally.
pub fn locate(
    home: Option<&Path>,
    credentials: Option<&OsStr>,
    config: Option<&OsStr>,
) -> Locations {
    let home = home.filter(|home| !home.as_os_str().is_empty());
    Locations {
        credentials: file(home, credentials, "credentials"),
        config: file(home, config, "config"),
    }
}

fn file(home: Option<&Path>, moved_to: Option<&OsStr>, name: &str) -> Option<PathBuf> {
    let Some(path) = moved_to.filter(|value| !value.is_empty()).map(Path::new) else {
        return Some(home?.join(".aws").join(name));
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

    fn both(
        home: Option<&str>,
        credentials: Option<&str>,
        config: Option<&str>,
    ) -> (Option<PathBuf>, Option<PathBuf>) {
        let found =
            locate(home.map(Path::new), credentials.map(OsStr::new), config.map(OsStr::new));
        (found.credentials, found.config)
    }

    fn paths(credentials: &str, config: &str) -> (Option<PathBuf>, Option<PathBuf>) {
        (Some(credentials.into()), Some(config.into()))
    }

    #[test]
    fn the_files_are_in_dot_aws_below_home() {
        let home = Path::new("/home/u");
        let aws = home.join(".aws");
        let found = locate(Some(home), None, None);
        assert_eq!(found.credentials, Some(aws.join("credentials")));
        assert_eq!(found.config, Some(aws.join("config")));
    }

    #[test]
    fn each_file_can_be_moved_on_its_own() {
        let home = Path::new("/home/u");
        let found = locate(Some(home), Some(OsStr::new("/mnt/keys")), None);
        assert_eq!(found.credentials, Some("/mnt/keys".into()));
        assert_eq!(found.config, Some(home.join(".aws").join("config")));
        assert_eq!(both(Some("/home/u"), Some("/a"), Some("b/c")), paths("/a", "b/c"));
    }

    #[test]
    fn an_empty_value_counts_as_unset() {
        assert_eq!(both(Some("/home/u"), Some(""), Some("")), both(Some("/home/u"), None, None));
    }

    #[test]
    fn a_leading_tilde_is_the_home_directory() {
        let home = Path::new("/home/u");
        let found = locate(Some(home), Some(OsStr::new("~/keys")), Some(OsStr::new("~")));
        assert_eq!(found.credentials, Some(home.join("keys")));
        assert_eq!(found.config.as_deref(), Some(home));
        assert_eq!(found.config.unwrap().as_os_str(), "/home/u", "no trailing separator");
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
        let found = locate(Some(Path::new("/home/u")), Some(OsStr::from_bytes(b"~/k\xffys")), None);
        assert_eq!(found.credentials.unwrap().as_os_str().as_bytes(), b"/home/u/k\xffys");
    }

    #[test]
    fn without_a_home_only_explicit_paths_are_known() {
        assert_eq!(both(None, None, None), (None, None));
        assert_eq!(both(Some(""), None, None), (None, None));
        assert_eq!(both(None, Some("/k"), Some("~/c")), (Some("/k".into()), None));
    }
}
