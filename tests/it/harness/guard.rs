//! What no test has to ask for: other tools' variables and files stay as they are, and secrets stay secret.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::sandbox::SECRETS;

/// What the names of other tools' variables begin with.
pub const FOREIGN_PREFIXES: [&str; 4] = ["AWS_", "ANTHROPIC_", "CLAUDE_", "LITELLM_"];
const FOREIGN_DIRECTORIES: [&str; 2] = [".aws", ".claude"];

/// Whether a variable belongs to another tool. `NAME=value` will do.
pub fn is_foreign(name: &OsStr) -> bool {
    FOREIGN_PREFIXES.iter().any(|prefix| name.as_bytes().starts_with(prefix.as_bytes()))
}

/// Reads what `env -0` wrote.
pub fn parse_environment(dump: &[u8]) -> BTreeMap<OsString, OsString> {
    dump.split(|byte| *byte == 0)
        .filter(|entry| !entry.is_empty())
        .map(|entry| {
            let equals = entry.iter().position(|byte| *byte == b'=').unwrap_or(entry.len());
            let value = entry.get(equals + 1..).unwrap_or_default();
            (OsString::from_vec(entry[..equals].to_vec()), OsString::from_vec(value.to_vec()))
        })
        .collect()
}

/// The variables of other tools: those that children receive, and those that only the shell itself holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForeignVariables {
    exported: BTreeMap<OsString, OsString>,
    /// Each as the shell's `set` prints it; all three print one line for a variable.
    held: BTreeMap<OsString, Vec<u8>>,
}

impl ForeignVariables {
    pub fn parse(environment: &BTreeMap<OsString, OsString>, set_output: &[u8]) -> Self {
        let exported = environment.iter().filter(|(name, _)| is_foreign(name));
        let held = set_output.split(|byte| *byte == b'\n').filter_map(|line| {
            let name_length = line
                .iter()
                .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                .count();
            let name = OsStr::from_bytes(&line[..name_length]);
            is_foreign(name).then(|| (name.to_owned(), line.to_vec()))
        });
        Self {
            exported: exported.map(|(name, value)| (name.clone(), value.clone())).collect(),
            held: held.collect(),
        }
    }

    /// Takes over what `now` says about one variable: the test changed it.
    pub fn accept(&mut self, name: &OsStr, now: &Self) {
        replace(&mut self.exported, name, now.exported.get(name));
        replace(&mut self.held, name, now.held.get(name));
    }

    /// One line on the first variable that is not what it was.
    pub fn difference(&self, now: &Self) -> Option<String> {
        map_difference(&self.exported, &now.exported)
            .map(|difference| format!("exported {difference}"))
            .or_else(|| {
                map_difference(&self.held, &now.held)
                    .map(|difference| format!("shell variable {difference}"))
            })
    }
}

fn replace<V: Clone>(map: &mut BTreeMap<OsString, V>, name: &OsStr, value: Option<&V>) {
    match value {
        Some(value) => map.insert(name.to_owned(), value.clone()),
        None => map.remove(name),
    };
}

/// A file as far as we can tell that nobody wrote to it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    contents: Vec<u8>,
    mode: u32,
    modified: Option<SystemTime>,
}

/// Every file below `~/.aws` and `~/.claude`.
#[derive(Clone, Debug, Default)]
pub struct FileTree(BTreeMap<PathBuf, Stamp>);

impl FileTree {
    pub fn capture(home: &Path) -> Self {
        let mut tree = Self::default();
        for directory in FOREIGN_DIRECTORIES {
            tree.add(&home.join(directory));
        }
        tree
    }

    fn add(&mut self, path: &Path) {
        let Ok(metadata) = path.symlink_metadata() else {
            return;
        };
        let kind = metadata.file_type();
        let stamp = Stamp {
            contents: if kind.is_symlink() {
                fs::read_link(path).unwrap_or_default().into_os_string().into_vec()
            } else if kind.is_file() {
                // An unreadable one still has its mode and time.
                fs::read(path).unwrap_or_default()
            } else {
                Vec::new()
            },
            mode: metadata.permissions().mode(),
            // Entries that come and go in a directory are seen by themselves.
            modified: metadata.modified().ok().filter(|_| !kind.is_dir()),
        };
        self.0.insert(path.to_owned(), stamp);
        if kind.is_dir() {
            for entry in fs::read_dir(path).into_iter().flatten().flatten() {
                self.add(&entry.path());
            }
        }
    }

    /// One line on the first file that is not what it was.
    pub fn difference(&self, now: &Self) -> Option<String> {
        map_difference(&self.0, &now.0)
    }
}

fn map_difference<K: Ord + std::fmt::Debug, V: PartialEq + std::fmt::Debug>(
    before: &BTreeMap<K, V>,
    after: &BTreeMap<K, V>,
) -> Option<String> {
    for (name, value) in before {
        match after.get(name) {
            None => return Some(format!("{name:?} is gone")),
            Some(other) if other != value => {
                return Some(format!("{name:?} was {value:?} and is {other:?}"));
            }
            Some(_) => {}
        }
    }
    after
        .iter()
        .find(|(name, _)| !before.contains_key(name))
        .map(|(name, value)| format!("{name:?} is new: {value:?}"))
}

/// The first test secret in `bytes`.
pub fn secret_in(bytes: &[u8]) -> Option<&'static str> {
    SECRETS.into_iter().find(|secret| contains(bytes, secret.as_bytes()))
}

#[track_caller]
pub fn assert_no_secret(bytes: &[u8], place: &str) {
    if let Some(secret) = secret_in(bytes) {
        panic!("secret {secret} in {place}:\n{}", String::from_utf8_lossy(bytes));
    }
}

/// One line to people, and no traces of Rust.
#[track_caller]
pub fn assert_plain(text: &str) {
    for trace in ["panicked", "os error", "RUST_BACKTRACE"] {
        assert!(!text.contains(trace), "{text}");
    }
}

/// Everything below a directory.
pub fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(files_below(&path));
        }
        found.push(path);
    }
    found
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
