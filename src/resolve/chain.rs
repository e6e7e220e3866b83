//! The nine steps, and the region.

use std::ffi::{OsStr, OsString};

use super::answer::{
    Answer, AwsProfile, Candidate, FALLBACK_REGION, FoundOverride, Identity, Outcome, Place,
    Reason, Region, RegionSource, Resolution,
};
use super::explain;
use super::inputs::{Inputs, usable};
use crate::aws::{Credentials, LONGEST_NAME, Profile};
use crate::overrides::Invalid;
use crate::secret::Secret;
use crate::source::Source;

/// What one step says before its profile is looked up.
enum Word {
    Nothing(Outcome),
    Name { profile: OsString, at: Option<Place> },
    Broken { at: Place, invalid: Invalid },
    Identity { identity: Identity, at: Option<Place> },
}

/// The chain as far as it was asked.
pub(super) struct Chain<'a> {
    inputs: &'a Inputs<'a>,
    answer: Answer,
    candidates: Vec<Candidate>,
}

impl<'a> Chain<'a> {
    pub fn new(inputs: &'a Inputs<'a>) -> Self {
        Self { inputs, answer: Answer::Nothing, candidates: Vec::with_capacity(Source::ALL.len()) }
    }

    /// Asks one step, unless an earlier one has decided.
    pub fn ask(&mut self, source: Source) {
        if self.answer.source().is_some() {
            // Named all the same, for people who wonder why their export has no effect.
            let profile = match self.word(source) {
                Word::Name { profile, .. }
                    if source != Source::First && source != Source::Default =>
                {
                    Some(profile)
                }
                _ => None,
            };
            self.candidates.push(Candidate {
                source,
                profile,
                outcome: Outcome::NotReached,
                at: None,
            });
            return;
        }
        let (profile, outcome, at) = match self.word(source) {
            Word::Nothing(outcome) => {
                let at = match source {
                    Source::Directory => self
                        .inputs
                        .directory
                        .passed_over
                        .as_ref()
                        .map(|(path, _)| Place { path: path.clone(), line: None }),
                    _ => None,
                };
                (None, outcome, at)
            }
            Word::Identity { identity, at } => {
                let outcome = match identity.expires_at() {
                    Some(end) if end <= self.inputs.now => Outcome::Expired,
                    _ => Outcome::Chosen,
                };
                let profile = identity.profile().map(OsString::from);
                if outcome == Outcome::Chosen {
                    self.answer = Answer::Usable { source, identity };
                }
                (profile, outcome, at)
            }
            Word::Broken { at, invalid } => {
                self.answer =
                    Answer::Unusable { source, profile: None, reason: Reason::Override(invalid) };
                (None, Outcome::Invalid, Some(at))
            }
            Word::Name { profile, at } => match self.look_up(&profile) {
                Ok(identity) => {
                    self.answer = Answer::Usable { source, identity };
                    (Some(profile), Outcome::Chosen, at)
                }
                Err(reason) => {
                    let outcome = reason.outcome();
                    if source.is_explicit() {
                        self.answer =
                            Answer::Unusable { source, profile: Some(profile.clone()), reason };
                    }
                    (Some(profile), outcome, at)
                }
            },
        };
        self.candidates.push(Candidate { source, profile, outcome, at });
    }

    fn look_up(&self, name: &OsStr) -> Result<Identity, Reason> {
        let profile =
            name.to_str().and_then(|name| self.inputs.profiles.get(name)).ok_or(Reason::Missing)?;
        usable(profile, self.inputs.now).map(|credentials| Identity::Profile {
            name: profile.name().to_owned(),
            kind: profile.kind(),
            credentials,
        })
    }

    fn word(&self, source: Source) -> Word {
        let inputs = self.inputs;
        let named = |name: Option<&OsString>| match name {
            Some(name) => Word::Name { profile: name.clone(), at: None },
            None => Word::Nothing(Outcome::Unset),
        };
        match source {
            Source::Pin => named(inputs.intent.pin.as_ref()),
            Source::Directory => self.directory(),
            Source::Ambient => named(inputs.intent.ambient.as_ref()),
            Source::ToolkitEnv => match inputs.toolkit_env.1.get("BACKLOG_AWS_PROFILE") {
                Some((profile, line)) => Word::Name { profile, at: Some(self.toolkit_place(line)) },
                None => Word::Nothing(Outcome::Unset),
            },
            Source::ToolkitEnvKeys => self.toolkit_keys(),
            Source::EnvironmentKeys => match &inputs.environment.identity {
                Some(identity) => Word::Identity { identity: identity.clone(), at: None },
                None => Word::Nothing(Outcome::Unset),
            },
            Source::AwsProfile => match &inputs.aws_profile {
                Some(name) => Word::Name {
                    profile: name.clone(),
                    at: name
                        .to_str()
                        .and_then(|name| inputs.profiles.get(name))
                        .and_then(|profile| inputs.place_of(profile)),
                },
                None => Word::Nothing(Outcome::Unset),
            },
            Source::Default => match inputs.profiles.get("default") {
                Some(profile) => {
                    Word::Name { profile: "default".into(), at: inputs.place_of(profile) }
                }
                None => Word::Nothing(Outcome::Unset),
            },
            Source::First => self.first(),
        }
    }

    fn directory(&self) -> Word {
        let directory = &self.inputs.directory;
        match &directory.decided {
            Some((path, Ok(decided))) => match &decided.profile {
                Some(profile) => Word::Name {
                    profile: profile.value.clone().into(),
                    at: Some(Place { path: path.clone(), line: Some(profile.line) }),
                },
                None => Word::Nothing(Outcome::Unset),
            },
            Some((path, Err(invalid))) => Word::Broken {
                at: Place { path: path.clone(), line: invalid.line },
                invalid: invalid.clone(),
            },
            None => Word::Nothing(
                directory.passed_over.as_ref().map_or(Outcome::Unset, |(_, outcome)| *outcome),
            ),
        }
    }

    fn toolkit_keys(&self) -> Word {
        let file = &self.inputs.toolkit_env.1;
        let secret = |name| {
            let (value, line) = file.get(name)?;
            // A key that is not UTF-8 is no key: AWS's are ASCII.
            Some((value.into_string().ok()?, line))
        };
        // An API key first: that is how LiteLLM and boto3 choose once the toolkit has exported both.
        if let Some((token, line)) = secret("AWS_BEARER_TOKEN_BEDROCK") {
            return Word::Identity {
                identity: Identity::BearerToken(Secret::new(token)),
                at: Some(self.toolkit_place(line)),
            };
        }
        match (secret("AWS_ACCESS_KEY_ID"), secret("AWS_SECRET_ACCESS_KEY")) {
            (Some((id, line)), Some((key, _))) => Word::Identity {
                identity: Identity::Keys(Credentials {
                    access_key_id: id,
                    secret_access_key: Secret::new(key),
                    session_token: secret("AWS_SESSION_TOKEN").map(|(token, _)| Secret::new(token)),
                    expires_at: None,
                }),
                at: Some(self.toolkit_place(line)),
            },
            _ => Word::Nothing(Outcome::Unset),
        }
    }

    fn first(&self) -> Word {
        let mut profiles = self.inputs.profiles.iter();
        match profiles.find(|profile| usable(profile, self.inputs.now).is_ok()) {
            Some(profile) => {
                Word::Name { profile: profile.name().into(), at: self.inputs.place_of(profile) }
            }
            None => Word::Nothing(Outcome::Unset),
        }
    }

    fn toolkit_place(&self, line: usize) -> Place {
        Place { path: self.inputs.toolkit_env.0.clone(), line: Some(line) }
    }

    fn region(&self) -> Region {
        let inputs = self.inputs;
        let region = |name: OsString, source| Some(Region { name, source });
        let directory = || match &inputs.directory.decided {
            Some((_, Ok(decided))) => {
                decided.region.as_ref().map(|entry| OsString::from(&entry.value))
            }
            _ => None,
        };
        let profile = || {
            let name = self.answer.profile()?.to_str()?;
            let profile = inputs.profiles.get(name)?;
            profile.region().filter(|region| !region.is_empty()).map(OsString::from)
        };
        let toolkit = || {
            let file = &inputs.toolkit_env.1;
            let found = file.get("AWS_REGION").or_else(|| file.get("AWS_DEFAULT_REGION"));
            found.map(|(region, _)| region).filter(|region| region.len() <= LONGEST_NAME)
        };
        let environment = || match self.answer.source() {
            Some(Source::EnvironmentKeys) => inputs.environment.region.clone(),
            _ => None,
        };
        None.or_else(|| region(inputs.intent.region_pin.clone()?, RegionSource::Pin))
            .or_else(|| region(directory()?, RegionSource::Directory))
            .or_else(|| region(inputs.intent.region_ambient.clone()?, RegionSource::Ambient))
            .or_else(|| region(profile()?, RegionSource::Profile))
            .or_else(|| region(toolkit()?, RegionSource::ToolkitEnv))
            .or_else(|| region(environment()?, RegionSource::Environment))
            .unwrap_or(Region { name: FALLBACK_REGION.into(), source: RegionSource::Fallback })
    }

    /// What it came to.
    pub fn finish(self) -> Resolution {
        let aws_profile = self.inputs.aws_profile.clone().map(|name| AwsProfile {
            kind: name.to_str().and_then(|name| self.inputs.profiles.get(name)).map(Profile::kind),
            name,
        });
        let directory = &self.inputs.directory;
        let found_override = match (&directory.decided, &directory.passed_over) {
            (Some((path, _)), _) => Some(FoundOverride { path: path.clone(), allowed: true }),
            (None, Some((path, _))) => Some(FoundOverride { path: path.clone(), allowed: false }),
            (None, None) => None,
        };
        let notices =
            explain::notices(self.inputs, &self.answer, &self.candidates, aws_profile.as_ref());
        Resolution {
            region: self.region(),
            answer: self.answer,
            candidates: self.candidates,
            found_override,
            aws_profile,
            notices,
        }
    }
}
