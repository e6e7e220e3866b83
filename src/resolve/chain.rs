//! The steps of the chain, and the region.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use strum::VariantArray;

use super::answer::{
    API_KEY, Answer, AwsProfile, Candidate, FALLBACK_REGION, Identity, KEY_ID, Outcome, Reason,
    Region, RegionSource, Resolution,
};
use super::explanation;
use super::inputs::{Inputs, usable};
use crate::aws::{LONGEST_NAME, Profile, account};
use crate::finding::{Code, Finding, Place};
use crate::overrides::{Entry, Override};
use crate::source::Source;

/// What one step has to offer, before its profile is looked up.
enum Offer {
    Profile(OsString, Option<Place>),
    Keys(Identity, Option<Place>),
    /// There may be one, and this is why nobody knows.
    Unreadable(Finding, Place),
    /// A file that does not count.
    PassedOver(Outcome, Place),
}

/// What the toolkit's file may have in place of a profile. One that cannot be read is not the same as none.
const KEYS: [&str; 4] = [API_KEY, KEY_ID, "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// Asks every step in order; the first that gives something decides.
pub fn resolve(inputs: &Inputs<'_>) -> Resolution {
    let mut answer = Answer::Nothing;
    let mut candidates = Vec::with_capacity(Source::VARIANTS.len());
    for &source in Source::VARIANTS {
        let offer = inputs.offer_of(source);
        candidates.push(match (&answer, offer) {
            (Answer::Nothing, offer) => judge(inputs, source, offer, &mut answer),
            (_, offer) => {
                // Named all the same, for people who wonder why their export has no effect.
                let named = !matches!(source, Source::First | Source::Default);
                let profile = match offer {
                    Some(Offer::Profile(profile, _)) if named => Some(profile),
                    _ => None,
                };
                Candidate { source, profile, outcome: Outcome::NotReached, at: None }
            }
        });
    }
    let aws_profile = inputs
        .aws_profile
        .clone()
        .map(|name| AwsProfile { kind: inputs.profile(&name).map(Profile::kind), name });
    let mut resolution = Resolution {
        region: inputs.region(&answer),
        guess: answer.source() == Some(Source::First) && inputs.usable_profiles().nth(1).is_some(),
        account: answer.identity().and_then(|identity| inputs.account_of(identity)),
        answer,
        candidates,
        found_override: inputs.directory.found(),
        aws_profile,
        findings: Vec::new(),
        refusal: None,
    };
    resolution.refusal = explanation::refusal(inputs, &resolution);
    resolution.findings = explanation::findings(inputs, &resolution);
    resolution
}

/// What becomes of a step that is reached.
fn judge(
    inputs: &Inputs<'_>,
    source: Source,
    offer: Option<Offer>,
    answer: &mut Answer,
) -> Candidate {
    let (profile, found, at) = match offer {
        None => return Candidate { source, profile: None, outcome: Outcome::Unset, at: None },
        Some(Offer::PassedOver(outcome, at)) => {
            return Candidate { source, profile: None, outcome, at: Some(at) };
        }
        Some(Offer::Profile(name, at)) => {
            let found = inputs.identity_of(&name);
            (Some(name), found, at)
        }
        Some(Offer::Keys(identity, at)) => (None, Ok(identity), at),
        Some(Offer::Unreadable(finding, at)) => (None, Err(Reason::Unreadable(finding)), Some(at)),
    };
    // Only a profile that nobody chose is passed over. After keys too, no other account is tried.
    let passes_over = found.is_err() && profile.is_some() && !source.is_explicit();
    let outcome = match found.and_then(|identity| inputs.accepted(source, identity)) {
        Ok(identity) => {
            *answer = Answer::Usable { source, identity };
            Outcome::Chosen
        }
        Err(reason) => {
            let outcome = reason.outcome();
            if !passes_over {
                *answer = Answer::Unusable { source, profile: profile.clone(), reason };
            }
            outcome
        }
    };
    Candidate { source, profile, outcome, at }
}

impl Inputs<'_> {
    fn identity_of(&self, name: &OsStr) -> Result<Identity, Reason> {
        let profile = self.profile(name).ok_or(Reason::Missing)?;
        let given = self.temporary.as_ref().filter(|(name, _)| name == profile.name());
        let credentials = match given {
            Some((_, credentials)) => credentials.clone(),
            None => usable(profile, self.now)?,
        };
        let name = profile.name().to_owned();
        Ok(Identity::Profile { name, kind: profile.kind(), credentials })
    }

    /// These credentials, unless they have expired, or belong to another account than the one that is wanted.
    fn accepted(&self, source: Source, identity: Identity) -> Result<Identity, Reason> {
        if let Some(end) = identity.expires_at().filter(|end| *end <= self.now) {
            return Err(Reason::Expired(end));
        }
        match (self.wanted_account(source), self.account_of(&identity)) {
            (Some((wanted, at)), Some(is)) if is != wanted.value => {
                Err(Reason::OtherAccount { is, wanted: wanted.value.clone(), at })
            }
            _ => Ok(identity),
        }
    }

    fn offer_of(&self, source: Source) -> Option<Offer> {
        let [directory, rule, everywhere] = self.settings();
        let in_file = |found: Option<(&Path, &Override)>| {
            let (path, settings) = found?;
            let profile = settings.profile.as_ref()?;
            Some(Offer::Profile((&profile.value).into(), Some(Place::line(path, profile.line))))
        };
        let in_variable = |name: &Option<OsString>| Some(Offer::Profile(name.clone()?, None));
        let defined = |profile: Option<&Profile<'_>>| {
            let profile = profile?;
            Some(Offer::Profile(profile.name().into(), self.place_of(profile)))
        };
        match source {
            Source::Pin => in_variable(&self.intent.pin),
            Source::Directory => match (&self.directory.decided, &self.directory.passed_over) {
                (Some((at, Err(finding))), _) => {
                    Some(Offer::Unreadable(finding.clone(), at.clone()))
                }
                (None, Some((path, outcome))) => {
                    Some(Offer::PassedOver(*outcome, Place::file(path)))
                }
                _ => in_file(directory),
            },
            Source::Rule => match &self.user_config.rules {
                Err(finding) => {
                    let at = Place::file(&self.user_config.path);
                    Some(Offer::Unreadable(finding.clone(), at))
                }
                Ok(_) => in_file(rule),
            },
            Source::Ambient => in_variable(&self.intent.ambient),
            Source::ToolkitEnv => self.toolkit_profile(),
            Source::UserDefault => in_file(everywhere),
            Source::ToolkitEnvKeys => self.toolkit_keys(),
            Source::EnvironmentKeys => Some(Offer::Keys(self.environment.identity.clone()?, None)),
            Source::AwsProfile => {
                let name = self.aws_profile.as_ref()?;
                let at = self.profile(name).and_then(|profile| self.place_of(profile));
                Some(Offer::Profile(name.clone(), at))
            }
            Source::Default => defined(self.profiles.get("default")),
            Source::First => defined(self.usable_profiles().next()),
        }
    }

    /// What files say about this directory, and which: its override, the rule for it, and what holds everywhere.
    fn settings(&self) -> [Option<(&Path, &Override)>; 3] {
        let config = |settings| (&*self.user_config.path, settings);
        let directory = self.directory.decided.as_ref();
        [
            directory.and_then(|(at, decided)| Some((&*at.path, decided.as_ref().ok()?))),
            self.user_config.rule.as_ref().map(|rule| config(&rule.settings)),
            self.user_config.everywhere().map(config),
        ]
    }

    fn toolkit_profile(&self) -> Option<Offer> {
        const NAME: &str = "BACKLOG_AWS_PROFILE";
        let (path, file) = &self.toolkit_env;
        if let Some(finding) = &self.toolkit_unreadable {
            return Some(Offer::Unreadable(finding.clone(), Place::file(path)));
        }
        self.toolkit_unknown(&[NAME]).or_else(|| {
            let (profile, line) = file.get(NAME)?;
            Some(Offer::Profile(profile, Some(Place::line(path, line))))
        })
    }

    /// One of these variables of the toolkit's file whose value only a shell could tell.
    fn toolkit_unknown(&self, names: &[&str]) -> Option<Offer> {
        let (_, found) = self.unknown_values().find(|(name, _)| names.contains(name))?;
        let (at, remedy) = (found.at?, found.remedy.unwrap_or_default());
        let finding = Finding::problem(Code::Unusable, found.message).at(at.clone());
        let finding = finding.remedy(format!("{remedy}, or {}", self.choose_command()));
        Some(Offer::Unreadable(finding, at))
    }

    fn toolkit_keys(&self) -> Option<Offer> {
        self.toolkit_unknown(&KEYS).or_else(|| {
            let (path, file) = &self.toolkit_env;
            // A key that is not UTF-8 is no key: AWS's are ASCII.
            let identity = Identity::of_variables(|name| file.get(name)?.0.into_string().ok())?;
            let (_, line) = file.get(identity.variable())?;
            Some(Offer::Keys(identity, Some(Place::line(path, line))))
        })
    }

    /// The account of credentials, as far as the files and the key id tell.
    pub fn account_of(&self, identity: &Identity) -> Option<String> {
        if let Some(key) = identity.api_key() {
            return key.account.clone();
        }
        account::of_key_id(&identity.credentials()?.access_key_id)
            .or_else(|| self.account_of_profile(self.profiles.get(identity.profile()?)?))
    }

    /// The same of a profile, usable or not.
    pub fn account_of_profile(&self, profile: &Profile<'_>) -> Option<String> {
        let of_keys = profile.access_key_id().and_then(account::of_key_id);
        of_keys.or_else(|| profile.account().map(str::to_owned))
    }

    /// The account that the credentials must belong to, and where that is written. What the user pinned is not held
    /// against what a file wants.
    pub fn wanted_account(&self, source: Source) -> Option<(&Entry, Place)> {
        let files = self.settings().into_iter().flatten().filter(|_| source != Source::Pin);
        files.into_iter().find_map(|(path, settings)| {
            let account = settings.account.as_ref()?;
            Some((account, Place::line(path, account.line)))
        })
    }

    fn region(&self, answer: &Answer) -> Region {
        let [directory, rule, everywhere] = self.settings().map(|found| {
            let (_, settings) = found?;
            settings.region.as_ref().map(|region| OsString::from(&region.value))
        });
        let profile = answer.profile().and_then(|name| self.profile(name)?.region());
        let file = &self.toolkit_env.1;
        let toolkit = file.get("AWS_REGION").or_else(|| file.get("AWS_DEFAULT_REGION"));
        let toolkit = toolkit.map(|(name, _)| name).filter(|name| name.len() <= LONGEST_NAME);
        let is_environment = answer.source() == Some(Source::EnvironmentKeys);
        let environment = self.environment.region.clone().filter(|_| is_environment);
        let api_key = answer.identity().and_then(|identity| identity.api_key()?.region.as_ref());
        let found = [
            (RegionSource::Pin, self.intent.region_pin.clone()),
            (RegionSource::Directory, directory),
            (RegionSource::Rule, rule),
            (RegionSource::Ambient, self.intent.region_ambient.clone()),
            (RegionSource::Profile, profile.map(OsString::from)),
            (RegionSource::UserDefault, everywhere),
            (RegionSource::ToolkitEnv, toolkit),
            (RegionSource::Environment, environment),
            (RegionSource::ApiKey, api_key.map(OsString::from)),
        ];
        let first =
            found.into_iter().find_map(|(source, name)| Some(Region { source, name: name? }));
        first.unwrap_or(Region { name: FALLBACK_REGION.into(), source: RegionSource::Fallback })
    }
}
