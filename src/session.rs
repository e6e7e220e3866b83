//! What the hook did to this shell, so that it can be undone, and what the user did since, so that it is not.
//!
//! Pure. The state travels in `__BACKLOG_AWS_STATE`, exported so that child processes can tell our values from the
//! user's. It is believed only about what stood there before; what to export is always worked out from the files.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::finding::{Finding, fingerprint};
use crate::resolve::{Resolution, Source};
use crate::world::Environment;

/// Every variable of the shell that this program can set or remove. There is no other: rendering takes this type, so a
/// variable of AWS's or Claude's cannot be written even by mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variable {
    /// The profile the toolkit shall use.
    Profile,
    /// The region that goes with it.
    Region,
    /// Where the answer came from.
    Source,
    /// This module's memory.
    State,
}

impl Variable {
    /// Those that are exported for the toolkit.
    pub const EXPORTED: [Self; 3] = [Self::Profile, Self::Region, Self::Source];

    /// Its name in the environment.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Profile => "BACKLOG_AWS_PROFILE",
            Self::Region => "BACKLOG_AWS_REGION",
            Self::Source => "BACKLOG_AWS_SOURCE",
            Self::State => "__BACKLOG_AWS_STATE",
        }
    }

    const fn index(self) -> usize {
        self as usize
    }
}

/// The value of each exported variable; `None` is unset, which is not the same as empty.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Values([Option<OsString>; 3]);

impl Values {
    /// Reads them through `lookup`.
    pub fn from_lookup(mut lookup: impl FnMut(&str) -> Option<OsString>) -> Self {
        Self(Variable::EXPORTED.map(|variable| lookup(variable.name())))
    }

    /// Reads them from the environment.
    pub fn of(env: &Environment) -> Self {
        Self::from_lookup(|name| env.get(name).map(OsStr::to_owned))
    }

    /// One of them.
    pub fn get(&self, variable: Variable) -> Option<&OsStr> {
        self.0.get(variable.index())?.as_deref()
    }

    /// Replaces one of them.
    pub fn set(&mut self, variable: Variable, value: Option<OsString>) {
        if let Some(slot) = self.0.get_mut(variable.index()) {
            *slot = value;
        }
    }
}

/// What the user asked for in this shell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    /// The profile pinned at the prompt, by `use`, or for one command.
    pub pin: Option<OsString>,
    /// The profile that was there before the hook first ran.
    pub ambient: Option<OsString>,
    /// The region pinned.
    pub region_pin: Option<OsString>,
    /// The region that was there before.
    pub region_ambient: Option<OsString>,
}

impl Claims {
    /// What a process in this environment finds, without a hook of its own: a script, `exec`.
    pub fn of_environment(env: &Environment) -> Self {
        Session::claims_of_environment(state_of(env), &Values::of(env))
    }
}

/// The hook's memory as the environment has it.
pub fn state_of(env: &Environment) -> Option<&OsStr> {
    env.get(Variable::State.name())
}

/// Whose value a variable has now.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Holder {
    /// It has the value from before the hook first ran.
    Original,
    /// We gave it this value, or removed it.
    Ours(Option<OsString>),
    /// The user gave it this value since. It is left alone until they unset it.
    User {
        value: OsString,
        /// What they found there. direnv and its like set a variable and later put back what was there: then that is
        /// no word of the user's but the end of one.
        found: Option<OsString>,
    },
}

/// One variable's past.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    original: Option<OsString>,
    holder: Holder,
}

/// A change to the shell.
#[derive(Clone, PartialEq, Eq)]
pub enum Change {
    /// Export the variable with this value.
    Set(Variable, OsString),
    /// Remove it.
    Unset(Variable),
}

/// The memory of one shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    origin: String,
    held: [Held; 3],
    /// Fingerprints of the notices that applied last time.
    said: Vec<u64>,
    /// Fingerprints of notices that are said once in the life of the shell.
    said_for_good: Vec<u64>,
}

/// How many notices are remembered. More could not be told apart by a reader either.
const MEMORY: usize = 24;

impl Session {
    /// The session of the shell that runs the hook: the one it had, brought up to date with what the user changed, or a
    /// new one when the state is missing, damaged or another shell's.
    pub fn continued(state: Option<&OsStr>, origin: &str, now: &Values) -> Self {
        match state.and_then(Self::decode) {
            Some(mut session) if session.origin == origin => {
                session.recognise(now);
                session
            }
            Some(inherited) => inherited.handed_down(origin, now),
            None => Self::begun(origin, now),
        }
    }

    /// The session of the shell that the environment `now` comes from, for a process that speaks for that shell.
    pub fn of_environment(state: Option<&OsStr>, now: &Values) -> Self {
        match state.and_then(Self::decode) {
            Some(mut session) => {
                session.recognise(now);
                session
            }
            None => Self::begun("", now),
        }
    }

    /// The user's word as a process in the environment `now` finds it, without a hook of its own: a script, `exec`.
    pub fn claims_of_environment(state: Option<&OsStr>, now: &Values) -> Claims {
        match state.and_then(Self::decode) {
            Some(mut session) => {
                session.recognise(now);
                session.claims()
            }
            None => Claims {
                pin: non_empty(now.get(Variable::Profile)),
                region_pin: non_empty(now.get(Variable::Region)),
                ..Claims::default()
            },
        }
    }

    /// A first prompt without a past.
    fn begun(origin: &str, now: &Values) -> Self {
        // `su`, `sudo` and terminal multiplexers can pass on half of what another shell's hook exported. A source word
        // that only a hook or `exec` writes marks the values beside it as worked out and not chosen by the user.
        let derived = now
            .get(Variable::Source)
            .and_then(Source::from_word)
            .is_some_and(|source| !matches!(source, Source::Pin | Source::Ambient));
        let held = Variable::EXPORTED.map(|variable| {
            let value = now.get(variable).map(OsStr::to_owned);
            if derived && value.is_some() {
                Held { original: None, holder: Holder::Ours(value) }
            } else {
                Held { original: value, holder: Holder::Original }
            }
        });
        Self::with(origin, held)
    }

    /// A first prompt in a shell whose parent had a hook: what the parent's hook exported is not the user's word here,
    /// and what was there before is.
    fn handed_down(self, origin: &str, now: &Values) -> Self {
        let mut inherited = self.held.into_iter();
        let held = Variable::EXPORTED.map(|variable| {
            let value = now.get(variable).map(OsStr::to_owned);
            match inherited.next() {
                Some(Held { original, holder: Holder::Ours(ours) }) if ours == value => {
                    Held { original, holder: Holder::Ours(value) }
                }
                _ => Held { original: value, holder: Holder::Original },
            }
        });
        Self::with(origin, held)
    }

    fn with(origin: &str, held: [Held; 3]) -> Self {
        Self { origin: origin.to_owned(), held, said: Vec::new(), said_for_good: Vec::new() }
    }

    /// The shell it belongs to: its process id, a dot, and a number that no later shell of that id has.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Notices what the user changed since the last time.
    fn recognise(&mut self, now: &Values) {
        for variable in Variable::EXPORTED {
            let value = now.get(variable).map(OsStr::to_owned);
            self.held[variable.index()].recognise(value);
        }
    }

    /// What the user asked for.
    pub fn claims(&self) -> Claims {
        let pinned = |variable: Variable| match &self.held[variable.index()].holder {
            Holder::User { value, .. } => Some(value.clone()),
            Holder::Original | Holder::Ours(_) => None,
        };
        let before =
            |variable: Variable| non_empty(self.held[variable.index()].original.as_deref());
        Claims {
            pin: pinned(Variable::Profile),
            ambient: before(Variable::Profile),
            region_pin: pinned(Variable::Region),
            region_ambient: before(Variable::Region),
        }
    }

    /// Pins a value as if the user had exported it.
    pub fn pin(&mut self, variable: Variable, value: OsString) {
        if let Some(held) = self.held.get_mut(variable.index()) {
            held.holder = Holder::User { value, found: None };
        }
    }

    /// Lets go of a pin. Returns whether there was one.
    pub fn unpin(&mut self, variable: Variable, now: &Values) -> bool {
        let value = now.get(variable).map(OsStr::to_owned);
        let Some(held) = self.held.get_mut(variable.index()) else {
            return false;
        };
        let pinned = matches!(held.holder, Holder::User { .. });
        if pinned {
            held.holder = Holder::Ours(value);
        }
        pinned
    }

    /// Puts back what was there before, for a shell that is not served any more.
    pub fn let_go(&mut self, now: &Values) -> Vec<Change> {
        let mut changes = Vec::new();
        for variable in Variable::EXPORTED {
            let held = &mut self.held[variable.index()];
            if matches!(held.holder, Holder::Ours(_)) {
                held.holder = Holder::Original;
                match held.original.clone() {
                    Some(value) => changes.push(Change::Set(variable, value)),
                    None if now.get(variable).is_some() => changes.push(Change::Unset(variable)),
                    None => {}
                }
            }
        }
        changes
    }

    /// Works out what to change so that the shell says what `resolution` says, and which notices are news.
    ///
    /// `now` are the values as they stand in the shell. The session remembers what it changes, so the result must be
    /// applied.
    pub fn apply(&mut self, resolution: &Resolution, now: &Values) -> (Vec<Change>, Vec<Finding>) {
        let mut changes = Vec::new();
        for variable in Variable::EXPORTED {
            let wish = Wish::of(resolution, variable);
            let current = now.get(variable);
            let held = &mut self.held[variable.index()];
            let target = match (&held.holder, wish) {
                (Holder::User { value: pinned, .. }, _) if current == Some(pinned) => continue,
                // Pinned by `use` a moment ago: the shell does not have it yet.
                (Holder::User { value: pinned, .. }, _) => Some(pinned.clone()),
                (Holder::Original, Wish::Restore) => continue,
                (Holder::Ours(_), Wish::Restore) => {
                    let original = held.original.clone();
                    held.holder = Holder::Original;
                    original
                }
                (_, Wish::Value(value)) => {
                    let value = value.map(OsStr::to_owned);
                    held.holder = if held.original == value {
                        Holder::Original
                    } else {
                        Holder::Ours(value.clone())
                    };
                    value
                }
            };
            if target.as_deref() != current {
                changes.push(match target {
                    Some(value) => Change::Set(variable, value),
                    None => Change::Unset(variable),
                });
            }
        }
        (changes, self.news(&resolution.notices))
    }

    /// The notices that were not said yet.
    fn news(&mut self, notices: &[Finding]) -> Vec<Finding> {
        let mut news = Vec::new();
        let mut said = Vec::new();
        for notice in notices {
            let print = notice.fingerprint();
            let known = if notice.sticky { &mut self.said_for_good } else { &mut said };
            let before =
                if notice.sticky { known.contains(&print) } else { self.said.contains(&print) };
            if !known.contains(&print) {
                known.push(print);
            }
            if !before {
                news.push(notice.clone());
            }
        }
        said.truncate(MEMORY);
        self.said = said;
        let forgotten = self.said_for_good.len().saturating_sub(MEMORY);
        self.said_for_good.drain(..forgotten);
        news
    }

    /// The state as text of `[A-Za-z0-9_.:=%~,-]`, safe in every shell, ending in a check sum.
    pub fn encode(&self) -> String {
        let mut text = String::from("1:");
        escape(self.origin.as_bytes(), &mut text);
        for held in &self.held {
            text.push(':');
            encode_value(held.original.as_deref(), &mut text);
            match &held.holder {
                Holder::Original => text.push('o'),
                Holder::Ours(value) => {
                    text.push('w');
                    encode_value(value.as_deref(), &mut text);
                }
                Holder::User { value, found } => {
                    text.push('u');
                    encode_value(Some(value), &mut text);
                    if found.is_some() {
                        encode_value(found.as_deref(), &mut text);
                    }
                }
            }
        }
        for list in [&self.said, &self.said_for_good] {
            text.push(':');
            let words: Vec<String> = list.iter().map(|print| format!("{print:x}")).collect();
            text.push_str(&words.join(","));
        }
        let sum = fingerprint(text.as_bytes());
        let _ = write!(text, ":{sum:x}");
        text
    }

    /// Reads a state back. Anything that was not written by [`Session::encode`] is `None`.
    pub fn decode(state: &OsStr) -> Option<Self> {
        let text = state.to_str()?;
        let (body, sum) = text.rsplit_once(':')?;
        if u64::from_str_radix(sum, 16).ok()? != fingerprint(body.as_bytes()) {
            return None;
        }
        let mut fields = body.split(':');
        if fields.next()? != "1" {
            return None;
        }
        let origin = String::from_utf8(unescape(fields.next()?)?).ok()?;
        let mut held = Vec::with_capacity(Variable::EXPORTED.len());
        for _ in Variable::EXPORTED {
            held.push(decode_held(fields.next()?)?);
        }
        let mut prints = || -> Option<Vec<u64>> {
            let field = fields.next()?;
            let words = field.split(',').filter(|word| !word.is_empty());
            words.map(|word| u64::from_str_radix(word, 16).ok()).collect()
        };
        let session =
            Self { origin, held: held.try_into().ok()?, said: prints()?, said_for_good: prints()? };
        fields.next().is_none().then_some(session)
    }
}

impl Held {
    fn recognise(&mut self, value: Option<OsString>) {
        let ours = match &self.holder {
            Holder::Original => self.original == value,
            Holder::Ours(ours) => *ours == value,
            Holder::User { value: users, .. } => value.as_ref() == Some(users),
        };
        if ours {
            return;
        }
        match value {
            Some(value) if !value.is_empty() => {
                let found = match &mut self.holder {
                    Holder::Original => self.original.clone(),
                    Holder::Ours(ours) => ours.take(),
                    Holder::User { found, .. } => found.take(),
                };
                self.holder = if found.as_ref() != Some(&value) {
                    let found = found.filter(|found| !found.is_empty());
                    Holder::User { value, found }
                } else if self.original == found {
                    Holder::Original
                } else {
                    Holder::Ours(found)
                };
            }
            // Unset or emptied: the user lets go, and the chain decides again. Taking away the value that was there
            // before the hook takes away the ambient word too; taking away ours or a pin does not.
            value => {
                if value.is_some() || self.holder == Holder::Original {
                    self.original.clone_from(&value);
                }
                self.holder = Holder::Ours(value);
            }
        }
    }
}

/// What a resolution wants of one variable.
#[derive(Clone, Copy)]
enum Wish<'a> {
    /// That it has this value, or is unset.
    Value(Option<&'a OsStr>),
    /// That it is as if the hook had never been.
    Restore,
}

impl<'a> Wish<'a> {
    fn of(resolution: &'a Resolution, variable: Variable) -> Self {
        let Some(source) = resolution.answer.source() else {
            return Self::Restore;
        };
        match variable {
            // A broken override names no profile; the toolkit must not fall back to what stood there before.
            Variable::Profile => Self::Value(resolution.answer.profile()),
            Variable::Region => Self::Value(Some(&resolution.region.name)),
            Variable::Source => Self::Value(Some(OsStr::new(source.word()))),
            Variable::State => Self::Restore,
        }
    }
}

fn non_empty(value: Option<&OsStr>) -> Option<OsString> {
    value.filter(|value| !value.is_empty()).map(OsStr::to_owned)
}

/// `-` for unset, `=` and the escaped bytes for a value, closed by `~`.
fn encode_value(value: Option<&OsStr>, text: &mut String) {
    match value {
        None => text.push('-'),
        Some(value) => {
            text.push('=');
            escape(value.as_bytes(), text);
        }
    }
    text.push('~');
}

fn decode_held(field: &str) -> Option<Held> {
    let (original, holder) = decode_value(field)?;
    let mut letters = holder.chars();
    let letter = letters.next()?;
    let rest = letters.as_str();
    let holder = match letter {
        'o' if rest.is_empty() => Holder::Original,
        'w' | 'u' => {
            let (value, rest) = decode_value(rest)?;
            match (letter, value) {
                ('w', value) if rest.is_empty() => Holder::Ours(value),
                ('u', Some(value)) if rest.is_empty() => Holder::User { value, found: None },
                ('u', Some(value)) => match decode_value(rest)? {
                    (found @ Some(_), "") => Holder::User { value, found },
                    _ => return None,
                },
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(Held { original, holder })
}

fn decode_value(text: &str) -> Option<(Option<OsString>, &str)> {
    let (value, rest) = text.split_once('~')?;
    let value = match value.strip_prefix('=') {
        Some(escaped) => Some(OsString::from_vec(unescape(escaped)?)),
        None if value == "-" => None,
        None => return None,
    };
    Some((value, rest))
}

fn escape(bytes: &[u8], text: &mut String) {
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-') {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02x}");
        }
    }
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        if *first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    // A NUL cannot come from an environment, and could not go back into one.
    (!bytes.contains(&0)).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{Credentials, Kind};
    use crate::finding::Code;
    use crate::resolve::{Answer, Identity, Reason, Region, RegionSource};
    use crate::secret::Secret;
    use proptest::collection::vec;
    use proptest::prelude::*;

    const SHELL: &str = "1.1";

    fn resolution(answer: Answer, region: &str) -> Resolution {
        Resolution {
            answer,
            region: Region { name: region.into(), source: RegionSource::Profile },
            candidates: Vec::new(),
            found_override: None,
            aws_profile: None,
            notices: Vec::new(),
        }
    }

    fn usable(name: &str) -> Resolution {
        let answer = Answer::Usable {
            source: Source::First,
            identity: Identity::Profile {
                name: name.to_owned(),
                kind: Kind::Static,
                credentials: Credentials {
                    access_key_id: format!("AKIA{name}"),
                    secret_access_key: Secret::new(format!("secret of {name}")),
                    session_token: None,
                    expires_at: None,
                },
            },
        };
        resolution(answer, "eu-west-1")
    }

    fn nothing() -> Resolution {
        resolution(Answer::Nothing, "us-east-1")
    }

    /// A shell with our variables and the hook's memory in it.
    #[derive(Clone)]
    struct Shell {
        values: Values,
        state: Option<String>,
        origin: &'static str,
    }

    impl Shell {
        fn with(values: &[(Variable, &str)]) -> Self {
            let mut all = Values::default();
            for (variable, value) in values {
                all.set(*variable, Some(value.into()));
            }
            Self { values: all, state: None, origin: SHELL }
        }

        fn set(&mut self, variable: Variable, value: &str) {
            self.values.set(variable, Some(value.into()));
        }

        fn unset(&mut self, variable: Variable) {
            self.values.set(variable, None);
        }

        fn session(&self) -> Session {
            Session::continued(self.state.as_deref().map(OsStr::new), self.origin, &self.values)
        }

        fn claims(&self) -> Claims {
            self.session().claims()
        }

        /// A prompt at which the chain comes to `resolution`; returns the notices that are news.
        fn prompt(&mut self, resolution: &Resolution) -> Vec<Finding> {
            let session = self.session();
            self.finish(session, resolution)
        }

        fn finish(&mut self, mut session: Session, resolution: &Resolution) -> Vec<Finding> {
            let (changes, news) = session.apply(resolution, &self.values);
            for change in changes {
                match change {
                    Change::Set(variable, value) => {
                        assert_ne!(self.values.get(variable), Some(&*value), "no needless change");
                        self.values.set(variable, Some(value));
                    }
                    Change::Unset(variable) => {
                        assert!(self.values.get(variable).is_some(), "no needless change");
                        self.values.set(variable, None);
                    }
                }
            }
            self.state = Some(session.encode());
            news
        }

        fn get(&self, variable: Variable) -> Option<&str> {
            self.values.get(variable).map(|value| value.to_str().unwrap())
        }
    }

    use Variable::{Profile, Region as RegionVariable};

    /// As direnv does on leaving a directory whose `.envrc` set the variable.
    #[test]
    fn a_pin_ends_when_what_was_there_before_is_put_back() {
        let mut shell = Shell::with(&[]);
        shell.prompt(&usable("luxito"));
        for _ in 0..2 {
            for pin in ["bedrock", "other"] {
                shell.set(Profile, pin);
                assert_eq!(shell.claims().pin.as_deref(), Some(OsStr::new(pin)));
                shell.prompt(&usable(pin));
            }
            shell.set(Profile, "luxito");
            assert_eq!(shell.claims(), Claims::default());
            shell.prompt(&usable("luxito"));
        }
    }

    #[test]
    fn an_ambient_value_that_is_put_back_is_ambient_again() {
        let mut shell = Shell::with(&[(Profile, "luxito")]);
        shell.prompt(&usable("luxito"));
        shell.set(Profile, "bedrock");
        shell.prompt(&usable("bedrock"));
        shell.set(Profile, "luxito");
        assert_eq!(shell.claims().pin, None);
        assert_eq!(shell.claims().ambient.as_deref(), Some(OsStr::new("luxito")));
        shell.prompt(&nothing());
        assert_eq!(shell.get(Profile), Some("luxito"));
    }

    #[test]
    fn the_hooks_own_export_is_not_a_pin_and_any_other_value_is() {
        let mut shell = Shell::with(&[]);
        shell.prompt(&usable("luxito"));
        assert_eq!(shell.get(Profile), Some("luxito"));
        assert_eq!(shell.claims(), Claims::default());
        shell.set(Profile, "luxito");
        assert_eq!(shell.claims(), Claims::default(), "the same value says nothing");
        shell.set(Profile, "bedrock");
        assert_eq!(shell.claims().pin.as_deref(), Some(OsStr::new("bedrock")));
        shell.prompt(&usable("bedrock"));
        assert_eq!(shell.claims().pin.as_deref(), Some(OsStr::new("bedrock")), "and stays one");
        shell.unset(Profile);
        assert_eq!(shell.claims(), Claims::default());
    }

    #[test]
    fn a_pin_stays_the_users_whatever_the_chain_says() {
        let mut shell = Shell::with(&[]);
        shell.prompt(&usable("luxito"));
        shell.set(Profile, "mine");
        for other in ["luxito", "bedrock"] {
            shell.prompt(&usable(other));
            assert_eq!(shell.get(Profile), Some("mine"));
        }
        shell.prompt(&nothing());
        assert_eq!(shell.get(Profile), Some("mine"));
    }

    #[test]
    fn what_was_there_before_the_first_prompt_is_ambient() {
        let mut shell = Shell::with(&[(Profile, "bedrock"), (RegionVariable, "eu-south-1")]);
        let ambient = Claims {
            ambient: Some("bedrock".into()),
            region_ambient: Some("eu-south-1".into()),
            ..Claims::default()
        };
        assert_eq!(shell.claims(), ambient);
        shell.prompt(&usable("bedrock"));
        assert_eq!(shell.claims(), ambient);
        // A directory decides, then does not.
        shell.prompt(&usable("luxito"));
        assert_eq!(shell.claims(), ambient);
        shell.prompt(&nothing());
        assert_eq!(shell.get(Profile), Some("bedrock"));
        assert_eq!(shell.get(RegionVariable), Some("eu-south-1"));
    }

    #[test]
    fn unset_and_empty_are_different_pasts() {
        for past in [None, Some("")] {
            let mut shell = Shell::with(&[]);
            shell.values.set(Profile, past.map(OsString::from));
            assert_eq!(shell.claims(), Claims::default());
            shell.prompt(&usable("luxito"));
            assert_eq!(shell.get(Profile), Some("luxito"));
            shell.prompt(&nothing());
            assert_eq!(shell.get(Profile), past);
        }
    }

    #[test]
    fn emptying_the_variable_lets_go_of_a_pin() {
        let mut shell = Shell::with(&[]);
        shell.prompt(&usable("luxito"));
        shell.set(Profile, "bedrock");
        shell.prompt(&usable("bedrock"));
        shell.set(Profile, "");
        assert_eq!(shell.claims().pin, None);
        shell.prompt(&usable("luxito"));
        assert_eq!(shell.get(Profile), Some("luxito"));
        shell.prompt(&nothing());
        assert_eq!(shell.get(Profile), Some(""), "the user's last word was an empty one");
    }

    #[test]
    fn unsetting_the_ambient_value_takes_it_away_for_good() {
        let mut shell = Shell::with(&[(Profile, "bedrock")]);
        shell.prompt(&usable("bedrock"));
        shell.unset(Profile);
        assert_eq!(shell.claims(), Claims::default());
        shell.prompt(&usable("luxito"));
        shell.prompt(&nothing());
        assert_eq!(shell.get(Profile), None);
    }

    #[test]
    fn use_pins_before_the_shell_has_the_value_and_clear_lets_go() {
        let mut shell = Shell::with(&[(Profile, "ambient")]);
        shell.prompt(&usable("ambient"));
        let mut session = shell.session();
        session.pin(Profile, "bedrock".into());
        assert_eq!(session.claims().pin.as_deref(), Some(OsStr::new("bedrock")));
        shell.finish(session, &usable("bedrock"));
        assert_eq!(shell.get(Profile), Some("bedrock"));
        assert_eq!(shell.claims().pin.as_deref(), Some(OsStr::new("bedrock")));
        let mut session = shell.session();
        assert!(session.unpin(Profile, &shell.values));
        assert!(!session.unpin(RegionVariable, &shell.values));
        assert_eq!(session.claims().pin, None);
        shell.finish(session, &nothing());
        assert_eq!(shell.get(Profile), Some("ambient"));
    }

    #[test]
    fn an_unusable_override_is_exported_by_name_and_a_broken_one_leaves_nothing() {
        let mut shell = Shell::with(&[(Profile, "ambient")]);
        let unusable = |profile: Option<&str>| {
            let answer = Answer::Unusable {
                source: Source::Directory,
                profile: profile.map(OsString::from),
                reason: Reason::Missing,
            };
            resolution(answer, "eu-west-1")
        };
        shell.prompt(&usable("luxito"));
        shell.prompt(&unusable(Some("gone")));
        assert_eq!(shell.get(Profile), Some("gone"));
        assert_eq!(shell.get(Variable::Source), Some("directory"));
        shell.prompt(&unusable(None));
        assert_eq!(
            shell.get(Profile),
            None,
            "neither the previous directory's nor the ambient one"
        );
        shell.prompt(&nothing());
        assert_eq!(shell.get(Profile), Some("ambient"));
        assert_eq!(shell.get(Variable::Source), None);
    }

    #[test]
    fn keys_without_a_profile_unset_the_name() {
        let mut shell = Shell::with(&[]);
        shell.prompt(&usable("luxito"));
        let keys = Answer::Usable {
            source: Source::EnvironmentKeys,
            identity: Identity::BearerToken(Secret::new("t")),
        };
        shell.prompt(&resolution(keys, "eu-west-1"));
        assert_eq!(shell.get(Profile), None);
        assert_eq!(shell.get(Variable::Source), Some("environment-keys"));
    }

    #[test]
    fn another_shells_state_is_believed_about_the_past_only() {
        let mut parent = Shell::with(&[(Profile, "ambient")]);
        parent.prompt(&usable("luxito"));
        let mut child = Shell { origin: "2.2", ..parent.clone() };
        assert_eq!(child.claims().pin, None, "what the parent's hook exported is nobody's word");
        assert_eq!(child.claims().ambient.as_deref(), Some(OsStr::new("ambient")));
        child.prompt(&nothing());
        assert_eq!(child.get(Profile), Some("ambient"));
        // A pin of the parent was there before the child's hook: ambient.
        parent.set(Profile, "pinned");
        parent.prompt(&usable("pinned"));
        let child = Shell { origin: "2.2", ..parent };
        assert_eq!(child.claims().pin, None);
        assert_eq!(child.claims().ambient.as_deref(), Some(OsStr::new("pinned")));
    }

    #[test]
    fn without_a_state_a_source_word_gives_a_worked_out_value_away() {
        let derived = Shell::with(&[(Profile, "luxito"), (Variable::Source, "first")]);
        assert_eq!(derived.claims(), Claims::default());
        for word in ["pin", "ambient", "anything else"] {
            let chosen = Shell::with(&[(Profile, "luxito"), (Variable::Source, word)]);
            assert_eq!(chosen.claims().ambient.as_deref(), Some(OsStr::new("luxito")), "{word}");
        }
    }

    #[test]
    fn without_a_hook_the_variable_is_a_pin_unless_a_hook_exported_it() {
        let mut shell = Shell::with(&[(Profile, "bedrock"), (RegionVariable, "r")]);
        let claims = Session::claims_of_environment(None, &shell.values);
        assert_eq!(claims.pin.as_deref(), Some(OsStr::new("bedrock")));
        assert_eq!(claims.region_pin.as_deref(), Some(OsStr::new("r")));
        assert_eq!(Session::claims_of_environment(None, &Values::default()), Claims::default());
        shell.values = Values::default();
        shell.prompt(&usable("luxito"));
        let state = shell.state.clone();
        let state = state.as_deref().map(OsStr::new);
        assert_eq!(Session::claims_of_environment(state, &shell.values), Claims::default());
        shell.set(Profile, "bedrock");
        let claims = Session::claims_of_environment(state, &shell.values);
        assert_eq!(claims.pin.as_deref(), Some(OsStr::new("bedrock")), "for one command");
    }

    fn noticing(notices: &[Finding]) -> Resolution {
        Resolution { notices: notices.to_vec(), ..usable("luxito") }
    }

    #[test]
    fn a_notice_is_news_once_per_change() {
        let (one, two) = (Finding::new(Code::Unusable, "one"), Finding::new(Code::Unusable, "two"));
        let mut shell = Shell::with(&[]);
        assert_eq!(shell.prompt(&noticing(std::slice::from_ref(&one))), std::slice::from_ref(&one));
        assert_eq!(shell.prompt(&noticing(std::slice::from_ref(&one))), []);
        assert_eq!(
            shell.prompt(&noticing(&[one.clone(), two.clone()])),
            std::slice::from_ref(&two)
        );
        assert_eq!(shell.prompt(&noticing(&[two.clone(), one.clone()])), []);
        assert_eq!(shell.prompt(&noticing(&[])), []);
        assert_eq!(shell.prompt(&noticing(std::slice::from_ref(&one))), [one], "it came back");
    }

    #[test]
    fn a_sticky_notice_is_news_once_per_subject() {
        let about =
            |content: &str| Finding::once(Code::OverrideNotAllowed, "x").about(content.as_bytes());
        let mut shell = Shell::with(&[]);
        assert_eq!(shell.prompt(&noticing(&[about("a")])).len(), 1);
        shell.prompt(&noticing(&[]));
        assert_eq!(shell.prompt(&noticing(&[about("a")])), []);
        assert_eq!(shell.prompt(&noticing(&[about("b")])).len(), 1);
        assert_eq!(shell.prompt(&noticing(&[about("a")])), []);
    }

    #[test]
    fn the_memory_for_notices_has_an_end() {
        let many: Vec<Finding> = (0..3 * MEMORY)
            .map(|number| Finding::once(Code::OverrideNotAllowed, number.to_string()))
            .collect();
        let mut shell = Shell::with(&[]);
        assert_eq!(shell.prompt(&noticing(&many)).len(), many.len());
        assert!(shell.state.unwrap().len() < 2000);
    }

    // Properties.

    fn text() -> impl Strategy<Value = OsString> {
        vec(1_u8.., 0..12).prop_map(OsString::from_vec)
    }

    /// Values as a shell may have them before its first prompt. Not [`Values`], which has no `Debug` for good reason.
    fn past() -> impl Strategy<Value = Vec<Option<OsString>>> {
        vec(prop::option::of(text()), 3)
    }

    fn shell_with(past: &[Option<OsString>]) -> Shell {
        let mut past = past.iter().cloned();
        Shell { values: Values::from_lookup(|_| past.next().flatten()), state: None, origin: SHELL }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Prompt(Option<&'static str>),
        UserSets(usize, OsString),
        UserUnsets(usize),
    }

    fn prompts() -> impl Strategy<Value = Step> {
        let name = prop_oneof![Just(None), Just(Some("luxito")), Just(Some("bedrock"))];
        name.prop_map(Step::Prompt)
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let sets = (0..3_usize, text()).prop_map(|(which, value)| Step::UserSets(which, value));
        let unsets = (0..3_usize).prop_map(Step::UserUnsets);
        vec(prop_oneof![3 => prompts(), 1 => sets, 1 => unsets], 0..12)
    }

    fn take(shell: &mut Shell, step: &Step) {
        match step {
            Step::Prompt(Some(name)) => {
                shell.prompt(&usable(name));
            }
            Step::Prompt(None) => {
                shell.prompt(&nothing());
            }
            Step::UserSets(which, value) => {
                shell.values.set(Variable::EXPORTED[*which], Some(value.clone()));
            }
            Step::UserUnsets(which) => shell.values.set(Variable::EXPORTED[*which], None),
        }
    }

    proptest! {
        #[test]
        fn undoing_what_was_applied_gives_back_the_past(past in past(), steps in vec(prompts(), 0..6)) {
            let mut shell = shell_with(&past);
            for step in &steps {
                take(&mut shell, step);
            }
            shell.prompt(&nothing());
            prop_assert_eq!(shell.values.0.as_slice(), past.as_slice());
        }

        #[test]
        fn what_the_user_set_last_is_never_changed(
            past in past(), steps in steps(), which in 0..3_usize, value in text(), after in vec(prompts(), 1..4),
        ) {
            prop_assume!(!value.is_empty());
            let mut shell = shell_with(&past);
            take(&mut shell, &Step::Prompt(None));
            for step in &steps {
                take(&mut shell, step);
            }
            let variable = Variable::EXPORTED[which];
            // The very value that is there says nothing new, and the one that was there before the last says that that
            // one is over.
            prop_assume!(shell.values.get(variable) != Some(value.as_os_str()));
            take(&mut shell, &Step::Prompt(Some("bedrock")));
            prop_assume!(shell.values.get(variable) != Some(value.as_os_str()));
            let found = match &shell.session().held[which].holder {
                Holder::User { found, .. } => found.clone(),
                _ => None,
            };
            prop_assume!(found.as_ref() != Some(&value));
            take(&mut shell, &Step::UserSets(which, value.clone()));
            for step in &after {
                take(&mut shell, step);
                prop_assert_eq!(shell.values.get(variable), Some(value.as_os_str()));
            }
        }

        #[test]
        fn a_prompt_at_which_nothing_changed_changes_nothing(past in past(), steps in steps(), last in prompts()) {
            let mut shell = shell_with(&past);
            for step in &steps {
                take(&mut shell, step);
            }
            take(&mut shell, &last);
            let before = shell.clone();
            take(&mut shell, &last);
            prop_assert!(shell.values == before.values);
            prop_assert_eq!(shell.state, before.state);
        }

        #[test]
        fn a_state_reads_back_as_it_was_written(past in past(), steps in steps(), origin in "\\PC{0,12}") {
            let mut shell = shell_with(&past);
            for step in &steps {
                take(&mut shell, step);
            }
            let session = Session { origin, ..shell.session() };
            let state = session.encode();
            prop_assert!(state.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.:=%~,-".contains(&b)), "{}", state);
            prop_assert_eq!(Session::decode(OsStr::new(&state)), Some(session));
        }

        #[test]
        fn a_damaged_state_is_dropped(
            past in past(), steps in steps(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>(),
        ) {
            let mut shell = shell_with(&past);
            for step in &steps {
                take(&mut shell, step);
            }
            let session = shell.session();
            let mut state = session.encode().into_bytes();
            let at = at.index(state.len());
            if cut {
                state.truncate(at);
            } else {
                state[at] = byte;
            }
            // The check sum may be written in capitals; that is no damage.
            let read = Session::decode(OsStr::from_bytes(&state));
            prop_assert!(read.is_none_or(|read| read == session));
        }

        #[test]
        fn no_text_at_all_breaks_the_decoder(bytes in vec(any::<u8>(), 0..80), body in "[0-9a-fouw.:=%~,-]{0,80}") {
            prop_assert_eq!(Session::decode(OsStr::from_bytes(&bytes)), None);
            // With a right check sum, so that the fields themselves are read.
            let whole = format!("{body}:{:x}", fingerprint(body.as_bytes()));
            let _ = Session::decode(OsStr::new(&whole));
            let fields = format!("1:{body}");
            let _ = Session::decode(OsStr::new(&format!("{fields}:{:x}", fingerprint(fields.as_bytes()))));
        }
    }
}
