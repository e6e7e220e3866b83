//! The two AWS files merged into profiles, as AWS's SDKs merge them: per key, the credentials file wins.

use std::collections::HashMap;
use std::path::Path;

use super::dialect::{self, SPACE, is_identifier};
use super::{FileKind, LONGEST_NAME, Problem, ProblemKind, Profile, problem};

/// One of the AWS files, as it was read.
#[derive(Clone, Copy)]
pub struct AwsFile<'a> {
    pub kind: FileKind,
    pub path: &'a Path,
    pub bytes: &'a [u8],
}

/// All profiles of the two files. Nearly everything borrows from their bytes.
#[derive(Default)]
pub struct Profiles<'a> {
    named: ByName<'a>,
    sso_sessions: ByName<'a>,
    /// The lines that were rejected or ignored, credentials file first, in file order. Values that cannot be understood are
    /// not among them: whoever asks for such a value is told ([`Profile::expires_at`]).
    pub problems: Vec<Problem>,
}

impl<'a> Profiles<'a> {
    /// Reads the files: at most one of each kind, in any order. A file that does not exist is simply not in the slice.
    ///
    /// There is no error: what cannot be used is among the [`problems`](Self::problems), and costs nobody else's line.
    pub fn read(files: &[AwsFile<'a>]) -> Self {
        let mut profiles = Self::default();
        for kind in [FileKind::Credentials, FileKind::Config] {
            for file in files.iter().filter(|file| file.kind == kind) {
                profiles.read_file(file);
            }
        }
        profiles.problems.sort_by_key(|problem| problem.at);
        profiles
    }

    fn read_file(&mut self, file: &AwsFile<'a>) {
        let sections: Vec<_> = dialect::read(file.kind, file.bytes, &mut self.problems)
            .into_iter()
            .map(|section| (Header::parse(file.kind, section.header), section))
            .collect();
        let profile_default =
            sections.iter().any(|(header, _)| *header == Ok(Header::Profile("default")));
        for (header, mut section) in sections {
            let profile = match header {
                Ok(Header::Profile(name)) => self.named.entry(name),
                Ok(Header::ConfigDefault) if !profile_default => self.named.entry("default"),
                Ok(Header::ConfigDefault) => {
                    problem::add(&mut self.problems, section.at, ProblemKind::OverriddenDefault);
                    continue;
                }
                Ok(Header::SsoSession(name)) => self.sso_sessions.entry(name),
                Ok(Header::Other) => continue,
                Err(what) => {
                    problem::add(&mut self.problems, section.at, what);
                    continue;
                }
            };
            profile.sections.push(section.at);
            section.properties.retain(|property| {
                let is_allowed = is_identifier(property.key);
                if !is_allowed {
                    problem::add(&mut self.problems, property.at, ProblemKind::KeyName);
                }
                is_allowed
            });
            profile.properties.append(&mut section.properties);
        }
    }

    /// The profile of that name. Names are case-sensitive.
    pub fn get(&self, name: &str) -> Option<&Profile<'a>> {
        self.named.get(name)
    }

    /// All profiles: those of the credentials file in its order, then those that only the config file has, in its order.
    pub fn iter(&self) -> std::slice::Iter<'_, Profile<'a>> {
        self.named.list.iter()
    }

    /// The `[sso-session x]` sections in file order. They are kept like profiles, and are none.
    pub fn sso_sessions(&self) -> std::slice::Iter<'_, Profile<'a>> {
        self.sso_sessions.list.iter()
    }

    /// Where a profile signs in: the start URL of its SSO session, or else its own.
    pub fn sso_start_url<'p>(&'p self, profile: &'p Profile<'a>) -> Option<&'p str> {
        let session = profile.non_empty("sso_session").and_then(|name| self.sso_sessions.get(name));
        session.into_iter().chain([profile]).find_map(|holder| holder.non_empty("sso_start_url"))
    }
}

impl<'p, 'a> IntoIterator for &'p Profiles<'a> {
    type Item = &'p Profile<'a>;
    type IntoIter = std::slice::Iter<'p, Profile<'a>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Found by name, and kept in the order in which they came.
#[derive(Default)]
struct ByName<'a> {
    list: Vec<Profile<'a>>,
    index: HashMap<&'a str, usize>,
}

impl<'a> ByName<'a> {
    fn get(&self, name: &str) -> Option<&Profile<'a>> {
        self.index.get(name).map(|&index| &self.list[index])
    }

    fn entry(&mut self, name: &'a str) -> &mut Profile<'a> {
        let index = *self.index.entry(name).or_insert(self.list.len());
        if index == self.list.len() {
            self.list.push(Profile::new(name));
        }
        &mut self.list[index]
    }
}

/// What a section header stands for.
#[derive(PartialEq)]
enum Header<'a> {
    Profile(&'a str),
    /// `[default]` in the config file, which counts only where there is no `[profile default]`.
    ConfigDefault,
    SsoSession(&'a str),
    /// `[services x]` and whatever else AWS puts into the config file: legal, and nothing to us.
    Other,
}

impl<'a> Header<'a> {
    /// A header splits at the first space or tab; around both parts then, all Unicode whitespace goes.
    fn parse(file: FileKind, header: &'a str) -> Result<Self, ProblemKind> {
        let header = header.trim_matches(SPACE);
        let (prefix, name) = match header.split_once(SPACE) {
            Some((prefix, name)) => (Some(prefix.trim()), name.trim()),
            None => (None, header.trim()),
        };
        // The SDK lets an empty name pass, but there is no way to ask for a profile without a name.
        let is_name = (1..=LONGEST_NAME).contains(&name.len()) && is_identifier(name);
        match (file, prefix) {
            (FileKind::Credentials, Some("profile")) => {
                Err(ProblemKind::ProfilePrefix(showable(name)))
            }
            (FileKind::Credentials, Some("sso-session" | "services")) => {
                Err(ProblemKind::ConfigOnly)
            }
            (FileKind::Credentials, Some(_)) => Err(ProblemKind::SectionName),
            (FileKind::Config, None) if name == "default" => Ok(Self::ConfigDefault),
            (FileKind::Config, None) => Err(ProblemKind::NeedsProfilePrefix(showable(name))),
            _ if !is_name => Err(ProblemKind::SectionName),
            (FileKind::Credentials, None) | (FileKind::Config, Some("profile")) => {
                Ok(Self::Profile(name))
            }
            (FileKind::Config, Some("sso-session")) => Ok(Self::SsoSession(name)),
            (FileKind::Config, Some(_)) => Ok(Self::Other),
        }
    }
}

/// A section's name if it is fit to be shown. Nobody's profile has a longer one.
fn showable(name: &str) -> String {
    let fit = (1..=64).contains(&name.len()) && is_identifier(name);
    if fit { name } else { "NAME" }.to_owned()
}

#[cfg(test)]
mod tests;
