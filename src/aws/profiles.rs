//! The two AWS files merged into profiles, as AWS's SDKs merge them: per key, the credentials file wins.
//!
//! One pass over each file finds its sections and its problems. The properties of a section are read when somebody asks
//! for one: a hook wants those of a few profiles, of what may be thousands.
//!
//! Nearly everything borrows from the files' bytes. Only a value that spans lines is put together in memory of its own,
//! which is wiped when dropped, since nobody can tell which values are secret.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::ops::{Deref, DerefMut, Range};

use jiff::Timestamp;
use memchr::memchr_iter;
use zeroize::Zeroizing;

use super::problem::showable;
use super::reader::{Event, Reader, SPACE, is_identifier};
use super::{At, AwsFile, FileKind, Kind, Problem, ProblemKind, expiry};
use crate::secret::{Secret, mask_key_id};

/// So many problems are kept; the others are only counted. A binary file has one on nearly every line.
const MOST_PROBLEMS: usize = 1_000;

/// Sections are rarely shorter than this, in bytes.
const SHORTEST_SECTION: usize = 32;

/// All profiles of the two files.
pub struct Profiles<'a> {
    list: Vec<Profile<'a>>,
    by_name: HashMap<&'a str, usize>,
    sso_sessions: Vec<SsoSession<'a>>,
    sso_session_by_name: HashMap<&'a str, usize>,
    problems: Vec<Problem>,
    problems_left_out: usize,
}

impl<'a> Profiles<'a> {
    /// Reads the files: at most one of each kind, in any order. A file that does not exist is simply not in the slice.
    ///
    /// There is no error: what cannot be used is among the [`problems`](Self::problems), and costs nobody else's line.
    pub fn read(files: &[AwsFile<'a>]) -> Self {
        let mut profiles = Self {
            list: Vec::new(),
            by_name: HashMap::new(),
            sso_sessions: Vec::new(),
            sso_session_by_name: HashMap::new(),
            problems: Vec::new(),
            problems_left_out: 0,
        };
        for kind in [FileKind::Credentials, FileKind::Config] {
            for file in files.iter().filter(|file| file.kind == kind) {
                profiles.read_file(file);
            }
        }
        // Only an overridden [default] is found out about after later lines.
        profiles.problems.sort_by_key(Problem::at);
        profiles
    }

    /// The profile of that name. Names are case-sensitive.
    pub fn get(&self, name: &str) -> Option<&Profile<'a>> {
        self.by_name.get(name).map(|&index| &self.list[index])
    }

    /// All profiles: those of the credentials file in its order, then those that only the config file has, in its order.
    pub fn iter(&self) -> std::slice::Iter<'_, Profile<'a>> {
        self.list.iter()
    }

    /// How many profiles there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is no profile at all.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The `[sso-session x]` section of that name.
    pub fn sso_session(&self, name: &str) -> Option<&SsoSession<'a>> {
        self.sso_session_by_name.get(name).map(|&index| &self.sso_sessions[index])
    }

    /// All `[sso-session x]` sections, in file order.
    pub fn sso_sessions(&self) -> std::slice::Iter<'_, SsoSession<'a>> {
        self.sso_sessions.iter()
    }

    /// Where a profile signs in: the start URL of its SSO session, or else its own.
    pub fn sso_start_url<'p>(&'p self, profile: &'p Profile<'a>) -> Option<&'p str> {
        let session = profile.sso_session().and_then(|name| self.sso_session(name));
        session.and_then(SsoSession::start_url).or_else(|| profile.sso_start_url())
    }

    /// The lines that were rejected or ignored, credentials file first, in file order. Values that cannot be understood
    /// are not among them: whoever asks for such a value is told ([`Profile::expires_at`]).
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// How many problems there are beyond those that [`problems`](Self::problems) has.
    pub fn problems_left_out(&self) -> usize {
        self.problems_left_out
    }

    fn read_file(&mut self, file: &AwsFile<'a>) {
        // Growing would look at every name again, all over the file. What is no section counts as well, so there is a bound.
        let sections = memchr_iter(b'[', file.bytes).count();
        let sections = sections.min(file.bytes.len() / SHORTEST_SECTION);
        self.by_name.reserve(sections);
        self.list.reserve(sections);
        let mut target = Target::Nobody;
        let mut begin = 0;
        let mut profile_default_seen = false;
        let mut reader = Reader::new(file.bytes);
        while let Some((line, event)) = reader.next() {
            let at = At { kind: file.kind, line };
            match event {
                Event::Section(header) => {
                    let end = reader.line_start();
                    self.close(target, reader.slice(begin..end));
                    begin = end;
                    target = self.section(
                        Header::parse(file.kind, header),
                        at,
                        &mut profile_default_seen,
                    );
                }
                Event::Property(property) => {
                    if !property.is_allowed && !matches!(target, Target::Nobody) {
                        self.problem(at, ProblemKind::KeyName);
                    }
                }
                Event::Continuation(_) => {}
                Event::Rejected(what) => self.problem(at, what),
            }
        }
        self.close(target, reader.slice(begin..reader.end()));
    }

    /// Says how far the section reaches that was begun last.
    fn close(&mut self, target: Target, text: &'a [u8]) {
        let sections = match target {
            Target::Nobody => return,
            Target::Profile(index) => &mut self.list[index].sections,
            Target::SsoSession(index) => &mut self.sso_sessions[index].sections,
        };
        if let Some(section) = sections.found.last_mut() {
            section.text = text;
        }
    }

    fn section(&mut self, header: Header<'a>, at: At, profile_default_seen: &mut bool) -> Target {
        match header {
            Header::Profile { name: "default", prefixed: false } if *profile_default_seen => {
                self.problem(at, ProblemKind::OverriddenDefault);
                Target::Nobody
            }
            Header::Profile { name, prefixed } => {
                let index = self.profile(name);
                if prefixed && name == "default" && !*profile_default_seen {
                    *profile_default_seen = true;
                    if let Some(overridden) = self.list[index].forget_config() {
                        self.problem(overridden, ProblemKind::OverriddenDefault);
                    }
                }
                self.list[index].sections.begin(at);
                Target::Profile(index)
            }
            Header::SsoSession(name) => {
                let index = self.sso_session_index(name);
                self.sso_sessions[index].sections.begin(at);
                Target::SsoSession(index)
            }
            Header::Other => Target::Nobody,
            Header::Ignored(what) => {
                self.problem(at, what);
                Target::Nobody
            }
        }
    }

    fn profile(&mut self, name: &'a str) -> usize {
        match self.by_name.entry(name) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                self.list.push(Profile::new(name));
                *new.insert(self.list.len() - 1)
            }
        }
    }

    fn sso_session_index(&mut self, name: &'a str) -> usize {
        match self.sso_session_by_name.entry(name) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                self.sso_sessions.push(SsoSession { name, sections: Sections::default() });
                *new.insert(self.sso_sessions.len() - 1)
            }
        }
    }

    fn problem(&mut self, at: At, what: ProblemKind) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(Problem::new(at, what));
        } else {
            self.problems_left_out += 1;
        }
    }
}

impl<'p, 'a> IntoIterator for &'p Profiles<'a> {
    type Item = &'p Profile<'a>;
    type IntoIter = std::slice::Iter<'p, Profile<'a>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for Profiles<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profiles")
            .field("profiles", &self.list)
            .field("sso_sessions", &self.sso_sessions)
            .field("problems", &self.problems)
            .finish_non_exhaustive()
    }
}

/// Who gets the properties of the current section.
#[derive(Clone, Copy)]
enum Target {
    Nobody,
    Profile(usize),
    SsoSession(usize),
}

/// What a section header stands for.
enum Header<'a> {
    Profile {
        name: &'a str,
        prefixed: bool,
    },
    SsoSession(&'a str),
    /// `[services x]` and whatever else AWS puts into the config file: legal, and nothing to us.
    Other,
    Ignored(ProblemKind),
}

impl<'a> Header<'a> {
    /// Judges what stands between the brackets. A header splits at the first space or tab; around both parts then, all
    /// Unicode whitespace goes.
    fn parse(file: FileKind, header: &'a str) -> Self {
        Self::of_profile(file, header).unwrap_or_else(|| Self::parse_any(file, header))
    }

    /// A header as nearly all are.
    fn of_profile(file: FileKind, header: &'a str) -> Option<Self> {
        let prefixed = file == FileKind::Config;
        let name = if prefixed { header.strip_prefix("profile ")? } else { header };
        is_name(name).then_some(Self::Profile { name, prefixed })
    }

    fn parse_any(file: FileKind, header: &'a str) -> Self {
        let header = header.trim_matches(SPACE);
        let (prefix, name) = match header.split_once(SPACE) {
            Some((prefix, name)) => (Some(prefix.trim()), name.trim()),
            None => (None, header.trim()),
        };
        match (file, prefix) {
            (FileKind::Credentials, Some("profile")) => {
                Self::Ignored(ProblemKind::ProfilePrefix(showable(name)))
            }
            (FileKind::Credentials, Some(_)) => Self::Ignored(ProblemKind::ConfigOnly),
            (FileKind::Config, None) if name != "default" => {
                Self::Ignored(ProblemKind::NeedsProfilePrefix(showable(name)))
            }
            _ if !is_name(name) => Self::Ignored(ProblemKind::SectionName),
            (_, None) => Self::Profile { name, prefixed: false },
            (FileKind::Config, Some("profile")) => Self::Profile { name, prefixed: true },
            (FileKind::Config, Some("sso-session")) => Self::SsoSession(name),
            (FileKind::Config, Some(_)) => Self::Other,
        }
    }
}

/// The SDK lets an empty name pass, but there is no way to ask for a profile without a name.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= super::LONGEST_NAME && is_identifier(name)
}

/// One profile, from both files.
pub struct Profile<'a> {
    name: &'a str,
    sections: Sections<'a>,
}

impl<'a> Profile<'a> {
    fn new(name: &'a str) -> Self {
        Self { name, sections: Sections::default() }
    }

    /// Drops what the config file gave, and says where that began.
    fn forget_config(&mut self) -> Option<At> {
        let found = &mut self.sections.found;
        let first = found.iter().map(|section| section.at).find(|at| at.kind == FileKind::Config);
        found.retain(|section| section.at.kind != FileKind::Config);
        first
    }

    /// What it is called, without the `profile` of the config file. Never empty, and only of the characters that AWS
    /// allows (`A-Z a-z 0-9 _-/.%@:+`), so it is safe to show.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The value in force for a key, upper or lower case. It is empty where the file has nothing after the `=`, and
    /// holds a line feed before each line that continues it.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.property(key).map(|property| property.value)
    }

    /// Where the value in force for a key stands.
    pub fn at_key(&self, key: &str) -> Option<At> {
        self.property(key).map(|property| property.at)
    }

    /// Whether one file sets a key to something, whatever the other says.
    pub fn is_set_in(&self, kind: FileKind, key: &str) -> bool {
        self.sections
            .all(key)
            .find(|property| property.at.kind == kind)
            .is_some_and(|property| !property.value.is_empty())
    }

    fn property(&self, key: &str) -> Option<Property<'_>> {
        self.sections.get(key)
    }

    /// The value in force, where empty counts as unset.
    fn set(&self, key: &str) -> Option<&str> {
        self.get(key).filter(|value| !value.is_empty())
    }

    /// The kind of credentials it gives.
    pub fn kind(&self) -> Kind {
        Kind::fitting(|key| self.set(key).is_some()).next().unwrap_or(Kind::Empty)
    }

    /// What it is besides its [`kind`](Self::kind).
    pub fn also(&self) -> Vec<Kind> {
        Kind::fitting(|key| self.set(key).is_some()).skip(1).collect()
    }

    /// The access key id, even if the other half of the pair is missing.
    pub fn access_key_id(&self) -> Option<&str> {
        self.set("aws_access_key_id")
    }

    /// The region.
    pub fn region(&self) -> Option<&str> {
        self.set("region").filter(|region| region.len() <= super::LONGEST_NAME)
    }

    /// The role to assume.
    pub fn role_arn(&self) -> Option<&str> {
        self.set("role_arn")
    }

    /// The number of the account it leads to, where the files name one: `aws_account_id`, or else that of the SSO login or
    /// of the role. Of plain keys only AWS can tell.
    pub fn account(&self) -> Option<&str> {
        // arn:aws:iam::111122223333:role/NAME ("IAM identifiers" in AWS's user guide)
        let of_role = || self.role_arn()?.split(':').nth(4);
        self.set("aws_account_id")
            .or_else(|| self.set("sso_account_id"))
            .or_else(of_role)
            .filter(|account| account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()))
    }

    /// The profile whose credentials assume the role.
    pub fn source_profile(&self) -> Option<&str> {
        self.set("source_profile")
    }

    /// The name of its SSO session.
    pub fn sso_session(&self) -> Option<&str> {
        self.set("sso_session")
    }

    /// The start URL in the profile itself. [`Profiles::sso_start_url`] looks into the session as well.
    pub fn sso_start_url(&self) -> Option<&str> {
        self.set("sso_start_url")
    }

    /// When its temporary credentials expire, if that is known. Other credentials do not expire.
    ///
    /// The error is a time that cannot be read. It is worth telling, and otherwise counts as not known.
    pub fn expires_at(&self) -> Result<Option<Timestamp>, Problem> {
        if self.kind() != Kind::Temporary {
            return Ok(None);
        }
        for key in expiry::KEYS {
            let Some(property) = self.property(key) else {
                continue;
            };
            let value = property.value;
            if !value.is_empty() {
                let time = expiry::parse(value);
                return time
                    .map(Some)
                    .ok_or_else(|| Problem::new(property.at, ProblemKind::Expiry(key)));
            }
        }
        Ok(None)
    }

    /// Its credentials, if it is static or temporary. They may have expired.
    pub fn credentials(&self) -> Option<Credentials> {
        // A token may be left over under its old name, so the new one goes first.
        let token = self.set("aws_session_token").or_else(|| self.set("aws_security_token"));
        Some(Credentials {
            access_key_id: self.access_key_id()?.to_owned(),
            secret_access_key: Secret::new(self.set("aws_secret_access_key")?),
            session_token: token.map(Secret::new),
            expires_at: self.expires_at().ok().flatten(),
        })
    }

    /// Where its sections begin, credentials file first.
    pub fn at(&self) -> impl ExactSizeIterator<Item = At> {
        self.sections.found.iter().map(|section| section.at)
    }
}

impl fmt::Debug for Profile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile")
            .field("name", &self.name)
            .field("kind", &self.kind())
            .field("at", &self.at().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// An `[sso-session x]` section of the config file.
pub struct SsoSession<'a> {
    name: &'a str,
    sections: Sections<'a>,
}

impl<'a> SsoSession<'a> {
    /// What it is called.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The value of a key, upper or lower case.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.sections.get(key).map(|property| property.value)
    }

    /// The URL at which one signs in.
    pub fn start_url(&self) -> Option<&str> {
        self.get("sso_start_url").filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for SsoSession<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SsoSession").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The sections of one name, from both files.
#[derive(Default)]
struct Sections<'a> {
    /// Nearly every profile has one section, and ten thousand of them should fit into few pages.
    found: Found<'a>,
    /// What stands in them, once somebody asked: in order, and what the credentials file has behind what the config file
    /// has. A key may be there more than once: the last one counts.
    ///
    /// Appending without looking for an earlier one keeps reading linear however many keys there are.
    lines: OnceCell<Box<[PropertyLine]>>,
}

/// The sections of one name, in the order of the files. One of them needs no memory beside the profile's own. (`SmallVec`
/// would do, if borrowing profiles could live with its `Drop`.)
#[derive(Default)]
enum Found<'a> {
    #[default]
    Nothing,
    One(Section<'a>),
    Several(Vec<Section<'a>>),
}

impl<'a> Found<'a> {
    fn push(&mut self, section: Section<'a>) {
        match self {
            Self::Nothing => *self = Self::One(section),
            Self::One(first) => *self = Self::Several(vec![*first, section]),
            Self::Several(all) => all.push(section),
        }
    }

    fn retain(&mut self, keep: impl Fn(&Section<'a>) -> bool) {
        *self = Self::Several(self.iter().filter(|section| keep(section)).copied().collect());
    }
}

impl<'a> Deref for Found<'a> {
    type Target = [Section<'a>];

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Nothing => &[],
            Self::One(section) => std::slice::from_ref(section),
            Self::Several(sections) => sections,
        }
    }
}

impl DerefMut for Found<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match self {
            Self::Nothing => &mut [],
            Self::One(section) => std::slice::from_mut(section),
            Self::Several(sections) => sections,
        }
    }
}

#[derive(Clone, Copy)]
struct Section<'a> {
    at: At,
    /// Its lines, the header included.
    text: &'a [u8],
}

/// Where a property is. Not the text itself, because a cell that borrowed it would tie all who borrow a profile to the
/// very lifetime of the files.
struct PropertyLine {
    /// The index of its section.
    section: usize,
    at: At,
    key: Range<usize>,
    value: ValueLines,
}

enum ValueLines {
    One(Range<usize>),
    Several(Zeroizing<String>),
}

/// A property as it counts.
#[derive(Clone, Copy)]
struct Property<'p> {
    value: &'p str,
    at: At,
}

impl Sections<'_> {
    fn begin(&mut self, at: At) {
        self.found.push(Section { at, text: &[] });
    }

    fn get(&self, key: &str) -> Option<Property<'_>> {
        self.all(key).next()
    }

    /// The properties with this key, the one in force first.
    fn all(&self, key: &str) -> impl Iterator<Item = Property<'_>> {
        let lines = self.lines.get_or_init(|| self.read()).iter().rev();
        lines.filter_map(move |line| {
            let section = &self.found[line.section];
            let has_key = section.str(&line.key).eq_ignore_ascii_case(key);
            has_key.then(|| Property {
                value: match &line.value {
                    ValueLines::One(range) => section.str(range),
                    ValueLines::Several(text) => text,
                },
                at: line.at,
            })
        })
    }

    fn read(&self) -> Box<[PropertyLine]> {
        let mut lines = Vec::new();
        for kind in [FileKind::Config, FileKind::Credentials] {
            for (index, section) in self.found.iter().enumerate() {
                if section.at.kind == kind {
                    section.read(index, &mut lines);
                }
            }
        }
        lines.into_boxed_slice()
    }
}

impl Section<'_> {
    /// Appends the properties. What is wrong with them was found before.
    fn read(&self, index: usize, lines: &mut Vec<PropertyLine>) {
        // Whether the last property was kept, and the lines that continue its value.
        let mut kept = false;
        let mut continuations = Vec::new();
        for (line, event) in Reader::new(self.text) {
            match event {
                Event::Property(property) => {
                    self.fold(lines, &mut continuations);
                    kept = property.is_allowed;
                    if kept {
                        let line = self.at.line + line - 1;
                        lines.push(PropertyLine {
                            section: index,
                            at: At { line, ..self.at },
                            key: self.range(property.key),
                            value: ValueLines::One(self.range(property.value())),
                        });
                    }
                }
                Event::Continuation(text) if kept => continuations.push(text),
                Event::Section(_) | Event::Continuation(_) | Event::Rejected(_) => {}
            }
        }
        self.fold(lines, &mut continuations);
    }

    /// Appends the continuations to the value of the last property. All of its memory is reserved at once: a string that
    /// grows leaves copies of itself behind, which nobody wipes.
    fn fold(&self, lines: &mut [PropertyLine], continuations: &mut Vec<&str>) {
        let Some(PropertyLine { value, .. }) = lines.last_mut() else {
            return;
        };
        let ValueLines::One(range) = value else {
            return;
        };
        if continuations.is_empty() {
            return;
        }
        let first = self.str(range);
        let len = continuations.iter().fold(first.len(), |len, line| len + 1 + line.len());
        let mut text = Zeroizing::new(String::with_capacity(len));
        text.push_str(first);
        for line in continuations.drain(..) {
            text.push('\n');
            text.push_str(line);
        }
        *value = ValueLines::Several(text);
    }

    /// Where a part of this section's text stands in it.
    fn range(&self, part: &str) -> Range<usize> {
        let start = part.as_ptr().addr() - self.text.as_ptr().addr();
        start..start + part.len()
    }

    fn str(&self, range: &Range<usize>) -> &str {
        std::str::from_utf8(&self.text[range.clone()]).expect("the reader only yields text")
    }
}

/// The credentials of a profile. `Debug` masks them.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Not a secret, but shown masked all the same.
    pub access_key_id: String,
    /// The secret half of the pair.
    pub secret_access_key: Secret,
    /// The session token that temporary credentials come with.
    pub session_token: Option<Secret>,
    /// When temporary credentials expire, if the file says so in a way that can be read.
    pub expires_at: Option<Timestamp>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &mask_key_id(&self.access_key_id))
            .field("secret_access_key", &self.secret_access_key)
            .field("session_token", &self.session_token)
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn file(kind: FileKind, bytes: &[u8]) -> AwsFile<'_> {
        AwsFile { kind, path: Path::new(kind.as_str()), bytes }
    }

    fn credentials(text: &str) -> Profiles<'_> {
        Profiles::read(&[file(FileKind::Credentials, text.as_bytes())])
    }

    fn config(text: &str) -> Profiles<'_> {
        Profiles::read(&[file(FileKind::Config, text.as_bytes())])
    }

    fn both<'a>(credentials: &'a str, config: &'a str) -> Profiles<'a> {
        Profiles::read(&[
            file(FileKind::Config, config.as_bytes()),
            file(FileKind::Credentials, credentials.as_bytes()),
        ])
    }

    fn names<'a>(profiles: &Profiles<'a>) -> Vec<&'a str> {
        profiles.iter().map(Profile::name).collect()
    }

    fn problems(profiles: &Profiles<'_>) -> Vec<(FileKind, usize, ProblemKind)> {
        let tuple = |problem: &Problem| (problem.kind, problem.line, problem.what.clone());
        profiles.problems().iter().map(tuple).collect()
    }

    const KEYS: &str =
        "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI\n";

    #[test]
    fn the_credentials_file_wins_key_by_key() {
        let profiles = both(
            "[a]\nregion = from-credentials\n",
            "[profile a]\nregion = from-config\noutput = json\n",
        );
        let a = profiles.get("a").unwrap();
        assert_eq!(a.region(), Some("from-credentials"));
        assert_eq!(a.get("output"), Some("json"));
        let at = |kind| At { kind, line: 1 };
        assert!(a.at().eq([at(FileKind::Credentials), at(FileKind::Config)]));
    }

    #[test]
    fn profiles_come_in_file_order_with_the_credentials_file_first() {
        let profiles =
            both("[z]\n[b]\n[z]\n", "[profile c]\n[profile b]\n[default]\n[profile a]\n");
        assert_eq!(names(&profiles), ["z", "b", "c", "default", "a"]);
        assert_eq!((profiles.len(), profiles.is_empty()), (5, false));
    }

    #[test]
    fn nothing_to_read_gives_no_profiles_and_no_problems() {
        for profiles in [Profiles::read(&[]), both("", "\n# nothing\n")] {
            assert!(profiles.is_empty() && profiles.problems().is_empty());
        }
    }

    #[test]
    fn keys_are_case_insensitive_and_the_last_duplicate_counts() {
        let profiles = credentials("[a]\nRegion = one\n[b]\n[a]\nREGION = two\n");
        assert_eq!(profiles.get("a").unwrap().get("rEgIoN"), Some("two"));
        assert!(profiles.get("A").is_none());
    }

    #[test]
    fn a_value_goes_on_over_indented_lines() {
        let profiles =
            config("[profile a]\ns3 =\n  max = 5\n\n\tmin = 1 # not a comment\ncli = x\n");
        let a = profiles.get("a").unwrap();
        assert_eq!(a.get("s3"), Some("\nmax = 5\nmin = 1 # not a comment"));
        assert_eq!(a.get("cli"), Some("x"));
    }

    #[test]
    fn profile_default_beats_default_wherever_it_stands() {
        let (plain, prefixed) = (
            "[default]\nregion = plain\noutput = json\n",
            "[profile default]\nregion = prefixed\n",
        );
        for (text, line) in [(format!("{plain}{prefixed}"), 1), (format!("{prefixed}{plain}"), 3)] {
            let profiles = config(&text);
            let default = profiles.get("default").unwrap();
            assert_eq!(
                (default.region(), default.get("output"), default.at().len()),
                (Some("prefixed"), None, 1)
            );
            assert_eq!(
                problems(&profiles),
                [(FileKind::Config, line, ProblemKind::OverriddenDefault)]
            );
        }
    }

    #[test]
    fn profile_default_leaves_the_credentials_files_default_alone() {
        let profiles = both("[default]\nregion = mine\n", "[profile default]\noutput = json\n");
        let default = profiles.get("default").unwrap();
        assert_eq!((default.region(), default.get("output")), (Some("mine"), Some("json")));
        assert!(profiles.problems().is_empty());
    }

    #[test]
    fn a_section_named_for_the_other_file_is_ignored_with_the_remedy() {
        let profiles =
            both("[profile a]\n[sso-session s]\n", "[a]\nregion = x\n[default]\n[profile b]\n");
        assert_eq!(names(&profiles), ["default", "b"]);
        assert_eq!(
            problems(&profiles),
            [
                (FileKind::Credentials, 1, ProblemKind::ProfilePrefix(Some("a".into()))),
                (FileKind::Credentials, 2, ProblemKind::ConfigOnly),
                (FileKind::Config, 1, ProblemKind::NeedsProfilePrefix(Some("a".into()))),
            ]
        );
    }

    #[test]
    fn other_sections_of_the_config_file_are_legal() {
        let profiles = config(
            "[services s]\ndynamodb =\n  endpoint_url = x\n[plugins p]\n[profile a]\nk = v\n",
        );
        assert_eq!(names(&profiles), ["a"]);
        assert!(profiles.problems().is_empty());
    }

    #[test]
    fn names_outside_the_alphabet_are_ignored() {
        let profiles = credentials("[a!]\nk = v\n[]\n[ok-/.%@:+_]\nbad key = 1\n  more\nk = 2\n");
        assert_eq!(names(&profiles), ["ok-/.%@:+_"]);
        assert_eq!(profiles.get("ok-/.%@:+_").unwrap().get("k"), Some("2"));
        let ignored = |line, what| (FileKind::Credentials, line, what);
        assert_eq!(
            problems(&profiles),
            [
                ignored(1, ProblemKind::SectionName),
                ignored(3, ProblemKind::SectionName),
                ignored(5, ProblemKind::KeyName)
            ]
        );
    }

    #[test]
    fn a_rejected_line_costs_no_other_profile() {
        let profiles = credentials("[a]\nk = 1\noops\nl = 2\n[b\nk = 3\n[c]\nk = 4\n");
        assert_eq!(names(&profiles), ["a", "c"]);
        let a = profiles.get("a").unwrap();
        assert_eq!((a.get("k"), a.get("l")), (Some("1"), Some("2")));
        assert_eq!(profiles.get("c").unwrap().get("k"), Some("4"));
        assert_eq!(profiles.problems().len(), 2);
    }

    #[test]
    fn an_sso_session_gives_its_start_url_to_the_profile() {
        let profiles = config(
            "[profile cc]\nsso_session = corp\nsso_start_url = https://old\n\
             [sso-session corp]\nsso_start_url = https://corp\nsso_region = eu-west-1\n\
             [profile gone]\nsso_session = none\nsso_start_url = https://own\n",
        );
        let cc = profiles.get("cc").unwrap();
        assert_eq!((cc.kind(), cc.sso_start_url()), (Kind::Sso, Some("https://old")));
        assert_eq!(profiles.sso_start_url(cc), Some("https://corp"));
        assert_eq!(profiles.sso_start_url(profiles.get("gone").unwrap()), Some("https://own"));
        assert_eq!(profiles.sso_session("corp").unwrap().get("SSO_REGION"), Some("eu-west-1"));
        assert_eq!(profiles.sso_sessions().map(SsoSession::name).collect::<Vec<_>>(), ["corp"]);
    }

    #[test]
    fn an_empty_value_counts_as_unset_for_the_kind() {
        let profiles =
            credentials("[a]\naws_access_key_id =\naws_secret_access_key = x\nregion =\n");
        let a = profiles.get("a").unwrap();
        assert_eq!((a.kind(), a.region(), a.get("region")), (Kind::Partial, None, Some("")));
        assert_eq!(a.credentials(), None);
    }

    #[test]
    fn a_profile_can_be_several_kinds_at_once() {
        let text = format!("[a]\n{KEYS}sso_session = s\ncredential_process = p\n");
        let profiles = credentials(&text);
        let a = profiles.get("a").unwrap();
        assert_eq!((a.kind(), a.also()), (Kind::Static, vec![Kind::Sso, Kind::Process]));
    }

    #[test]
    fn static_credentials_have_no_token_and_never_expire() {
        let text = format!("[a]\n{KEYS}expiration = 2001-01-01T00:00:00Z\n");
        let profiles = credentials(&text);
        let a = profiles.get("a").unwrap();
        let given = a.credentials().unwrap();
        assert_eq!(given.access_key_id, "AKIAIOSFODNN7EXAMPLE");
        assert_eq!(given.secret_access_key.reveal(), "wJalrXUtnFEMI");
        assert_eq!((given.session_token, given.expires_at), (None, None));
    }

    #[test]
    fn temporary_credentials_are_usable_until_they_expire() {
        let text = format!(
            "[a]\n{KEYS}aws_session_token = t\nexpiration = \naws_expiration = 2030-01-01T00:00:00Z\n"
        );
        let profiles = credentials(&text);
        let a = profiles.get("a").unwrap();
        let then: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(a.kind(), Kind::Temporary);
        assert_eq!(a.expires_at(), Ok(Some(then)));
        let given = a.credentials().unwrap();
        assert_eq!((given.session_token.unwrap().reveal(), given.expires_at), ("t", Some(then)));
    }

    #[test]
    fn an_expiry_that_cannot_be_read_is_a_problem_and_counts_as_none() {
        let text = format!("[a]\n{KEYS}aws_session_token = t\nx_security_token_expires = soon\n");
        let profiles = credentials(&text);
        let a = profiles.get("a").unwrap();
        let problem = a.expires_at().unwrap_err();
        assert_eq!((problem.kind, problem.line), (FileKind::Credentials, 5));
        assert!(problem.to_string().contains("x_security_token_expires"));
        assert_eq!(a.credentials().unwrap().expires_at, None);
    }

    #[test]
    fn the_old_name_of_the_session_token_counts_where_the_new_one_is_missing() {
        let text = format!(
            "[a]\n{KEYS}aws_security_token = old\n[b]\n{KEYS}aws_security_token = old\naws_session_token = new\n"
        );
        let profiles = credentials(&text);
        let token =
            |name| profiles.get(name).unwrap().credentials().unwrap().session_token.unwrap();
        assert_eq!((token("a").reveal(), token("b").reveal()), ("old", "new"));
    }

    #[test]
    fn nothing_secret_shows_in_debug_output_or_in_problems() {
        let text = format!(
            "s3cret\n[a]\n{KEYS}aws_session_token = s3cret\n  s3cret\ns3cret\n s3cret\n[s3cret\n[b]\ns3cret? = s3cret\n= s3cret\n\
             [c s3cret]\n[s3cret!]\n[d]\n s3cret\n{KEYS}aws_session_token = t\nexpiration = s3cret\nk=\n s3cret\n"
        );
        let profiles = credentials(&text);
        assert!(profiles.problems().len() >= 8);
        let config = file(FileKind::Config, text.as_bytes());
        let mut shown = vec![format!("{profiles:?} {config:?}")];
        for profile in &profiles {
            let (credentials, expires_at) = (profile.credentials(), profile.expires_at());
            shown.push(format!("{profile:?} {credentials:?} {expires_at:?}"));
        }
        shown.extend(profiles.problems().iter().map(Problem::to_string));
        let shown = shown.join("\n");
        for secret in ["s3cret", "wJalrXUtnFEMI", "AKIAIOSFODNN7EXAMPLE"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn problems_come_in_file_order() {
        let profiles = both("oops\n", "[default]\n[x]\n[profile default]\n[y]\n");
        let lines: Vec<_> =
            profiles.problems().iter().map(|problem| (problem.kind, problem.line)).collect();
        let config = FileKind::Config;
        assert_eq!(lines, [(FileKind::Credentials, 1), (config, 1), (config, 2), (config, 4)]);
    }

    #[test]
    fn ten_thousand_profiles_are_read() {
        let section = |n| format!("[p{n}]\n{KEYS}region = eu-west-1\n");
        let text: String = (0..10_000).map(section).collect();
        let profiles = credentials(&text);
        assert_eq!(profiles.len(), 10_000);
        assert_eq!(profiles.get("p9999").unwrap().kind(), Kind::Static);
        assert!(profiles.problems().is_empty());
    }

    #[test]
    fn a_line_of_64_megabytes_is_read_without_a_copy() {
        let text = format!("[a]\nk = x{}{}\n", "#".repeat(1 << 20), "x".repeat(63 << 20));
        let profiles = credentials(&text);
        let value = profiles.get("a").unwrap().get("k").unwrap();
        assert_eq!(value.len(), (64 << 20) + 1);
        assert!(text.as_bytes().as_ptr_range().contains(&value.as_ptr()));
    }

    #[test]
    fn binary_garbage_keeps_a_bounded_number_of_problems() {
        let mut state = 1_u64;
        let mut noise = vec![0; 1 << 20];
        for byte in &mut noise {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = state.to_le_bytes()[7];
        }
        let garbage = noise.repeat(64);
        let profiles = Profiles::read(&[file(FileKind::Credentials, &garbage)]);
        assert_eq!(profiles.problems().len(), MOST_PROBLEMS);
        assert!(profiles.problems_left_out() > 64 * 1_000);
        assert_eq!(problems(&profiles)[0].1, 1);
    }

    // The sizes below are the guard against quadratic time, under which no run would end today.

    #[test]
    fn a_million_continuations_of_one_value_are_read() {
        let text = format!("[a]\nk = v\n{}", " x\n".repeat(1_000_000));
        let profiles = credentials(&text);
        let a = profiles.get("a").unwrap();
        assert_eq!(a.get("k").unwrap().len(), 1 + 2 * 1_000_000);
        let ValueLines::Several(value) = &a.sections.lines.get().unwrap()[0].value else {
            panic!("it has several lines")
        };
        assert_eq!(
            value.capacity(),
            value.len(),
            "reserved once, so that no copies are left behind"
        );
    }

    #[test]
    fn hundreds_of_thousands_of_duplicates_of_a_key_and_of_a_section_are_read() {
        let text = "[a]\nk = v\n w\n".repeat(250_000) + "k = last\n";
        assert_eq!(credentials(&text).get("a").unwrap().get("k"), Some("last"));
        let text = "[default]\nk = v\n[profile default]\nk = w\n".repeat(100_000);
        assert_eq!(config(&text).get("default").unwrap().get("k"), Some("w"));
    }

    #[test]
    fn half_a_million_keys_of_one_profile_are_read() {
        let text: String = std::iter::once("[a]\n".into())
            .chain((0..500_000).map(|n| format!("k{n} = {n}\n")))
            .collect();
        let profiles = credentials(&text);
        assert_eq!(profiles.get("a").unwrap().get("K250000"), Some("250000"));
    }
}
