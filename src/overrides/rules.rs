//! The user's own configuration: a profile for everywhere, and one for each of some directories.
//!
//! It needs no trust step, because nobody else can have written it: [`crate::resolve`] asks whose file it is.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::file::{Entry, Invalid, Override, parse_sections};

/// What the whole file says.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// For everywhere.
    pub everywhere: Override,
    rules: Vec<Rule>,
}

/// What holds in a directory and below it.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Links resolved, if it is there.
    pub directory: PathBuf,
    pub settings: Override,
}

/// Reads the content of the file. `~` in a section is `home`.
///
/// # Errors
///
/// As for an override file; and a section must name an absolute directory, each once.
pub fn parse(bytes: &[u8], home: Option<&Path>) -> Result<Rules, Invalid> {
    let mut rules = Rules::default();
    let mut seen = HashSet::new();
    for section in parse_sections(bytes)? {
        let Some(Entry { value, line }) = section.header else {
            rules.everywhere = section.settings;
            continue;
        };
        let written = Path::new(&value);
        let directory = match (written.strip_prefix("~"), home) {
            (Ok(below), Some(home)) => home.join(below),
            (Ok(_), None) => return Err(Invalid::at(line, "needs a home directory for `~`")),
            (Err(_), _) if written.is_absolute() => written.to_owned(),
            (Err(_), _) => {
                let what = "has a [section] that is no directory; begin it with `/` or `~/`";
                return Err(Invalid::at(line, what));
            }
        };
        let directory = directory.canonicalize().unwrap_or(directory);
        if !seen.insert(directory.clone()) {
            return Err(Invalid::at(line, "has a second [section] for one directory"));
        }
        rules.rules.push(Rule { directory, settings: section.settings });
    }
    Ok(rules)
}

impl Rules {
    /// The rule for a directory: the one for the nearest directory at or above it.
    pub fn for_directory(&self, real: &Path) -> Option<&Rule> {
        let covering = self.rules.iter().filter(|rule| real.starts_with(&rule.directory));
        covering.max_by_key(|rule| rule.directory.components().count())
    }

    /// Every directory that has a rule.
    pub fn directories(&self) -> impl Iterator<Item = &Path> {
        self.rules.iter().map(|rule| rule.directory.as_path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Result<Rules, Invalid> {
        parse(text.as_bytes(), Some(Path::new("/home/u")))
    }

    #[test]
    fn the_rule_of_the_nearest_directory_holds() {
        let rules = rules(
            "profile = all\n[~/work]\nprofile = work\n[/home/u/work/acme]\nprofile = acme\naccount = 123456789012\n",
        )
        .unwrap();
        let name = |path: &str| {
            let rule = rules.for_directory(Path::new(path))?;
            rule.settings.profile.as_ref().map(|entry| entry.value.as_str())
        };
        assert_eq!(name("/home/u/work/acme/src"), Some("acme"));
        assert_eq!(name("/home/u/work/acme"), Some("acme"));
        assert_eq!(name("/home/u/work/acmeXY"), Some("work"));
        assert_eq!(name("/home/u"), None);
        assert_eq!(rules.everywhere.profile.unwrap().value, "all");
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        for (text, line, what) in [
            ("profile = a\n[work]\nprofile = b\n", 2, "begin it with"),
            ("[~/a]\nprofile = b\n[/home/u/a]\nregion = r-1\n", 3, "second [section]"),
            ("[~/a]\nprofil = b\n", 2, "unknown key"),
            ("account = 12\n", 1, "twelve digits"),
            ("[~/a]\nprofile = a\nprofile = b\n", 3, "second time"),
        ] {
            let invalid = rules(text).unwrap_err();
            assert_eq!(invalid.line, Some(line), "{text}");
            assert!(invalid.what.contains(what), "{invalid:?}");
        }
    }
}
