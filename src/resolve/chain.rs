//! The steps of the chain, and the region.

use std::ffi::{OsStr, OsString};

use strum::VariantArray;

use super::answer::{
    Answer, AwsProfile, Candidate, FALLBACK_REGION, FoundOverride, Identity, Outcome, Reason,
    Region, RegionSource, Resolution,
};
use super::explanation;
use super::inputs::{Inputs, usable};
use crate::aws::{ApiKey, Credentials, LONGEST_NAME, Profile, account};
use crate::finding::{Code, Finding, Place};
use crate::overrides::{Entry, Override};
use crate::secret::Secret;
use crate::source::Source;

/// What one step has to offer, before its profile is looked up.
enum Offer {
    Nothing(Outcome, Option<Place>),
    Profile(OsString, Option<Place>),
    Keys(Identity, Option<Place>),
    /// There may be one, and this is why nobody knows.
    Unreadable(Finding, Place),
}

/// What the toolkit's file may have in place of a profile. One that cannot be read is not the same as none.
const KEYS: [&str; 4] =
    ["AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// Asks every step in order; the first that gives something decides.
pub fn resolve(inputs: &Inputs<'_>) -> Resolution {
    let mut answer = Answer::Nothing;
    let mut candidates = Vec::with_capacity(Source::VARIANTS.len());
    for &source in Source::VARIANTS {
        let offer = inputs.offer_of(source);
        let candidate = if answer.source().is_none() {
            judge(inputs, source, offer, &mut answer)
        } else {
            // Named all the same, for people who wonder why their export has no effect.
            let named = !matches!(source, Source::First | Source::Default);
            let profile = match offer {
                Offer::Profile(profile, _) if named => Some(profile),
                _ => None,
            };
            Candidate { source, profile, outcome: Outcome::NotReached, at: None }
        };
        candidates.push(candidate);
    }
    let aws_profile = inputs
        .aws_profile
        .clone()
        .map(|name| AwsProfile { kind: inputs.profile(&name).map(Profile::kind), name });
    let directory = &inputs.directory;
    let decided = directory.decided.as_ref().map(|(at, decided)| {
        let undecided = |finding: &Finding| finding.code == Code::OverrideNotAllowed;
        (&at.path, !decided.as_ref().is_err_and(undecided))
    });
    let passed_over = directory.passed_over.as_ref().map(|(path, _)| (path, false));
    // The one for a working directory that is gone is no file.
    let found_override = decided
        .or(passed_over)
        .filter(|(path, _)| path.is_absolute())
        .map(|(path, allowed)| FoundOverride { path: path.clone(), allowed });
    let account = match &answer {
        Answer::Usable { identity, .. } => inputs.account_of(identity),
        Answer::Unusable { .. } | Answer::Nothing => None,
    };
    let mut resolution = Resolution {
        region: inputs.region(&answer),
        guess: answer.source() == Some(Source::First) && inputs.usable_profiles().nth(1).is_some(),
        account,
        answer,
        candidates,
        found_override,
        aws_profile,
        findings: Vec::new(),
        refusal: None,
    };
    resolution.refusal = explanation::refusal(inputs, &resolution);
    resolution.findings = explanation::findings(inputs, &resolution);
    resolution
}

/// What becomes of a step that is reached.
fn judge(inputs: &Inputs<'_>, source: Source, offer: Offer, answer: &mut Answer) -> Candidate {
    let (profile, outcome, at) = match offer {
        Offer::Nothing(outcome, at) => (None, outcome, at),
        Offer::Keys(identity, at) => match identity.expires_at() {
            // The user's keys, like a profile they name: no other account is tried.
            Some(end) if end <= inputs.now => {
                let reason = Reason::Expired(end);
                *answer = Answer::Unusable { source, profile: None, reason };
                (None, Outcome::Expired, at)
            }
            _ => match inputs.other_account(source, &identity) {
                None => {
                    *answer = Answer::Usable { source, identity };
                    (None, Outcome::Chosen, at)
                }
                Some(reason) => {
                    *answer = Answer::Unusable { source, profile: None, reason };
                    (None, Outcome::Invalid, at)
                }
            },
        },
        Offer::Unreadable(finding, at) => {
            let reason = Reason::Unreadable(finding);
            let outcome = reason.outcome();
            *answer = Answer::Unusable { source, profile: None, reason };
            (None, outcome, Some(at))
        }
        Offer::Profile(profile, at) => match inputs.identity_of(&profile) {
            Ok(identity) => match inputs.other_account(source, &identity) {
                None => {
                    *answer = Answer::Usable { source, identity };
                    (Some(profile), Outcome::Chosen, at)
                }
                Some(reason) => {
                    let outcome = reason.outcome();
                    *answer = Answer::Unusable { source, profile: Some(profile.clone()), reason };
                    (Some(profile), outcome, at)
                }
            },
            Err(reason) => {
                let outcome = reason.outcome();
                if source.is_explicit() {
                    let profile = Some(profile.clone());
                    *answer = Answer::Unusable { source, profile, reason };
                }
                (Some(profile), outcome, at)
            }
        },
    };
    Candidate { source, profile, outcome, at }
}

impl Inputs<'_> {
    fn identity_of(&self, name: &OsStr) -> Result<Identity, Reason> {
        let profile = self.profile(name).ok_or(Reason::Missing)?;
        let given = self.temporary.as_ref().filter(|(name, _)| name == profile.name());
        let credentials = match given {
            Some((_, Credentials { expires_at: Some(end), .. })) if *end <= self.now => {
                return Err(Reason::Expired(*end));
            }
            Some((_, credentials)) => credentials.clone(),
            None => usable(profile, self.now)?,
        };
        let name = profile.name().to_owned();
        Ok(Identity::Profile { name, kind: profile.kind(), credentials })
    }

    fn offer_of(&self, source: Source) -> Offer {
        let unset = Offer::Nothing(Outcome::Unset, None);
        let named = |name: &Option<OsString>| match name {
            Some(name) => Offer::Profile(name.clone(), None),
            None => Offer::Nothing(Outcome::Unset, None),
        };
        let defined = |profile: Option<&Profile<'_>>| match profile {
            Some(profile) => Offer::Profile(profile.name().into(), self.place_of(profile)),
            None => Offer::Nothing(Outcome::Unset, None),
        };
        match source {
            Source::Pin => named(&self.intent.pin),
            Source::Directory => self.directory_offer(),
            Source::Rule => match (&self.user_config.rules, &self.user_config.rule) {
                (Err(finding), _) => {
                    Offer::Unreadable(finding.clone(), Place::file(&self.user_config.path))
                }
                (Ok(_), Some(rule)) => self.configured(&rule.settings),
                (Ok(_), None) => unset,
            },
            Source::Ambient => named(&self.intent.ambient),
            Source::ToolkitEnv => self.toolkit_offer().unwrap_or(unset),
            Source::UserDefault => match self.user_config.everywhere() {
                Some(settings) => self.configured(settings),
                None => unset,
            },
            Source::ToolkitEnvKeys => self.toolkit_keys().unwrap_or(unset),
            Source::EnvironmentKeys => match &self.environment.identity {
                Some(identity) => Offer::Keys(identity.clone(), None),
                None => unset,
            },
            Source::AwsProfile => match &self.aws_profile {
                Some(name) => Offer::Profile(
                    name.clone(),
                    self.profile(name).and_then(|profile| self.place_of(profile)),
                ),
                None => unset,
            },
            Source::Default => defined(self.profiles.get("default")),
            Source::First => defined(self.usable_profiles().next()),
        }
    }

    /// The profile that a part of the user's configuration names.
    fn configured(&self, settings: &Override) -> Offer {
        match &settings.profile {
            Some(profile) => Offer::Profile(
                profile.value.clone().into(),
                Some(Place::line(&self.user_config.path, profile.line)),
            ),
            None => Offer::Nothing(Outcome::Unset, None),
        }
    }

    fn directory_offer(&self) -> Offer {
        match &self.directory.decided {
            Some((at, Ok(decided))) => match &decided.profile {
                Some(profile) => Offer::Profile(
                    profile.value.clone().into(),
                    Some(Place::line(&at.path, profile.line)),
                ),
                None => Offer::Nothing(Outcome::Unset, None),
            },
            Some((at, Err(finding))) => Offer::Unreadable(finding.clone(), at.clone()),
            None => match &self.directory.passed_over {
                Some((path, outcome)) => Offer::Nothing(*outcome, Some(Place::file(path))),
                None => Offer::Nothing(Outcome::Unset, None),
            },
        }
    }

    fn toolkit_offer(&self) -> Option<Offer> {
        const NAME: &str = "BACKLOG_AWS_PROFILE";
        let (path, file) = &self.toolkit_env;
        if let Some(finding) = &self.toolkit_unreadable {
            return Some(Offer::Unreadable(finding.clone(), Place::file(path)));
        }
        if let Some(unreadable) = self.toolkit_unknown(NAME) {
            return Some(unreadable);
        }
        let (profile, line) = file.get(NAME)?;
        Some(Offer::Profile(profile, Some(self.toolkit_place(line))))
    }

    /// A variable of the toolkit's file whose value only a shell could tell.
    fn toolkit_unknown(&self, name: &str) -> Option<Offer> {
        let mut unknown = self.toolkit_env.1.unknown();
        let (_, line, why) = unknown.find(|(found, ..)| *found == name)?;
        let place = self.toolkit_place(line);
        let finding = Finding::problem(Code::Unusable, format!("the value of {name} {why}"))
            .at(place.clone())
            .remedy(format!("write it out in single quotes, or {}", self.choose_command()));
        Some(Offer::Unreadable(finding, place))
    }

    fn toolkit_keys(&self) -> Option<Offer> {
        let unreadable = KEYS.iter().find_map(|name| self.toolkit_unknown(name));
        if unreadable.is_some() {
            return unreadable;
        }
        let secret = |name| {
            let (value, line) = self.toolkit_env.1.get(name)?;
            // A key that is not UTF-8 is no key: AWS's are ASCII.
            Some((value.into_string().ok()?, line))
        };
        // An API key first: that is how LiteLLM and boto3 choose once the toolkit has exported both.
        if let Some((token, line)) = secret("AWS_BEARER_TOKEN_BEDROCK") {
            let identity = Identity::BearerToken(ApiKey::read(Secret::new(token)));
            return Some(Offer::Keys(identity, Some(self.toolkit_place(line))));
        }
        let (access_key_id, line) = secret("AWS_ACCESS_KEY_ID")?;
        let (secret_access_key, _) = secret("AWS_SECRET_ACCESS_KEY")?;
        let identity = Identity::Keys(Credentials {
            access_key_id,
            secret_access_key: Secret::new(secret_access_key),
            session_token: secret("AWS_SESSION_TOKEN").map(|(token, _)| Secret::new(token)),
            expires_at: secret("AWS_CREDENTIAL_EXPIRATION").and_then(|(end, _)| end.parse().ok()),
        });
        Some(Offer::Keys(identity, Some(self.toolkit_place(line))))
    }

    fn toolkit_place(&self, line: usize) -> Place {
        Place::line(&self.toolkit_env.0, line)
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

    /// Why credentials may not be used here: they belong to another account than the one that is wanted. What the user
    /// pinned is not held against what a file wants.
    fn other_account(&self, source: Source, identity: &Identity) -> Option<Reason> {
        let (wanted, at) = self.wanted_account(source)?;
        let is = self.account_of(identity)?;
        (is != wanted.value).then(|| Reason::OtherAccount { is, wanted: wanted.value.clone(), at })
    }

    /// The account that the credentials must belong to, and where that is written.
    pub fn wanted_account(&self, source: Source) -> Option<(&Entry, Place)> {
        if source == Source::Pin {
            return None;
        }
        let directory = || {
            let (path, decided) = self.directory.decided.as_ref()?;
            let entry = decided.as_ref().ok()?.account.as_ref()?;
            Some((entry, Place::line(&path.path, entry.line)))
        };
        let rule = self.user_config.rule.as_ref().and_then(|rule| rule.settings.account.as_ref());
        let everywhere = || self.user_config.everywhere()?.account.as_ref();
        directory().or_else(|| {
            let entry = rule.or_else(everywhere)?;
            Some((entry, Place::line(&self.user_config.path, entry.line)))
        })
    }

    fn region(&self, answer: &Answer) -> Region {
        let of = |settings: Option<&Override>| {
            settings?.region.as_ref().map(|entry| OsString::from(&entry.value))
        };
        let directory = || match &self.directory.decided {
            Some((_, Ok(decided))) => of(Some(decided)),
            _ => None,
        };
        let rule = || of(self.user_config.rule.as_ref().map(|rule| &rule.settings));
        let everywhere = || of(self.user_config.everywhere());
        let profile = || {
            let region = self.profile(answer.profile()?)?.region()?;
            Some(OsString::from(region)).filter(|region| !region.is_empty())
        };
        let toolkit = || {
            let file = &self.toolkit_env.1;
            let (region, _) = file.get("AWS_REGION").or_else(|| file.get("AWS_DEFAULT_REGION"))?;
            Some(region).filter(|region| region.len() <= LONGEST_NAME)
        };
        let environment = || match answer.source() {
            Some(Source::EnvironmentKeys) => self.environment.region.clone(),
            _ => None,
        };
        let api_key = || Some(answer.identity()?.api_key()?.region.as_ref()?.into());
        let from = |source| move |name| Region { name, source };
        None.or_else(|| self.intent.region_pin.clone().map(from(RegionSource::Pin)))
            .or_else(|| directory().map(from(RegionSource::Directory)))
            .or_else(|| rule().map(from(RegionSource::Rule)))
            .or_else(|| self.intent.region_ambient.clone().map(from(RegionSource::Ambient)))
            .or_else(|| profile().map(from(RegionSource::Profile)))
            .or_else(|| everywhere().map(from(RegionSource::UserDefault)))
            .or_else(|| toolkit().map(from(RegionSource::ToolkitEnv)))
            .or_else(|| environment().map(from(RegionSource::Environment)))
            .or_else(|| api_key().map(from(RegionSource::ApiKey)))
            .unwrap_or(Region { name: FALLBACK_REGION.into(), source: RegionSource::Fallback })
    }
}
