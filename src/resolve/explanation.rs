//! What there is to say about an answer: which findings apply, in words and with what to do.

use std::ffi::OsStr;

use jiff::SignedDuration;

use super::answer::{Answer, AwsProfile, Identity, Outcome, Reason, Resolution};
use super::inputs::{ADD_A_PROFILE, Inputs, usable};
use crate::aws::{Kind, region};
use crate::finding::{Code, EXPIRES_SOON_MINUTES, Finding, Place, Told};
use crate::overrides::is_profile_name;
use crate::source::Source;
use crate::text::visible;
use crate::toolkit_env::Unknown;

/// Everything but the refusal.
pub(super) fn findings(inputs: &Inputs<'_>, resolution: &Resolution) -> Vec<Finding> {
    let mut findings = inputs.findings.clone();
    findings.extend(inputs.directory.findings.iter().cloned());
    // With a choice of the user's own it is no news.
    let reached = resolution.candidates.iter().any(|candidate| {
        candidate.source == Source::AwsProfile && candidate.outcome != Outcome::NotReached
    });
    let found = resolution.aws_profile.as_ref().filter(|_| reached);
    let about_it = found.and_then(|found| aws_profile(inputs, found));
    findings.extend(about_it.map(|finding| finding.told(Told::OncePerFamily)));
    findings.extend(toolkit_env(inputs));
    // The refusal says it.
    findings.retain(|finding| {
        let refusal = resolution.refusal.as_ref();
        refusal.is_none_or(|refusal| {
            finding != refusal && (finding.at.is_none() || finding.at != refusal.at)
        })
    });
    if let Answer::Usable { source, identity } = &resolution.answer {
        findings.extend(guess(inputs, *source, identity));
        findings.extend(shadowed(inputs, *source));
        findings.extend(unreadable_expiry(inputs, identity));
        findings.extend(expires_soon(inputs, *source, identity));
        findings.extend(implausible(inputs, identity));
        findings.extend(other_region(resolution, identity));
        findings.extend(unknown_account(inputs, *source, identity));
    }
    findings
}

fn aws_profile(inputs: &Inputs<'_>, AwsProfile { name, kind }: &AwsProfile) -> Option<Finding> {
    let shown = visible(name);
    let Some(kind) = kind else {
        if let Some(what) = bad_name(name) {
            let message = format!("AWS_PROFILE={shown} is skipped: {what}");
            return Some(Finding::warning(Code::AwsProfileMissing, message).remedy(RENAME));
        }
        let files = inputs.aws_files(" nor ");
        let message = format!(
            "AWS_PROFILE={shown} is in neither {files}; AWS clients in this shell will fail"
        );
        return Some(
            Finding::problem(Code::AwsProfileMissing, message)
                .remedy("name one that exists, or unset it"),
        );
    };
    let reason = usable(inputs.profile(name)?, inputs.now).err()?;
    let what = describe(&reason);
    let no_credentials = format!("Profile '{shown}' has no static credentials");
    Some(match (kind, &reason) {
        (Kind::Sso, _) => Finding::warning(
            Code::AwsProfileSso,
            format!("{no_credentials}: AWS_PROFILE is SSO, only Claude Code uses it"),
        ),
        (_, Reason::Expired(_)) => {
            let finding =
                Finding::warning(Code::AwsProfileUnusable, format!("AWS_PROFILE={shown} {what}"));
            with_token(inputs, name, finding)
        }
        _ => Finding::warning(
            Code::AwsProfileUnusable,
            format!("{no_credentials}: AWS_PROFILE {what}"),
        ),
    })
}

fn toolkit_env(inputs: &Inputs<'_>) -> Vec<Finding> {
    let (path, file) = &inputs.toolkit_env;
    let finding = |(name, line, why)| {
        let (code, remedy) = match why {
            Unknown::NeedsShell => (Code::ValueNeedsExpansion, "write it out in single quotes"),
            Unknown::OpenQuote => (Code::FileInvalid, "close it there"),
        };
        Finding::warning(code, format!("the value of {name} {why} and is not used"))
            .at(Place::line(path, line))
            .remedy(remedy)
    };
    file.unknown().map(finding).collect()
}

fn guess(inputs: &Inputs<'_>, source: Source, identity: &Identity) -> Option<Finding> {
    let name = visible(identity.profile().filter(|_| source == Source::First)?);
    let count = inputs.usable_profiles().count();
    let alone = count == 1;
    Some(
        Finding::warning(
            Code::AutoDetected,
            if alone {
                format!("Auto-detected AWS profile: {name}, the only usable one")
            } else {
                format!("Auto-detected AWS profile: {name}, first of {count}")
            },
        )
        .remedy(if alone {
            format!("`backlog-aws use --global {name}` keeps it")
        } else {
            "choose with `backlog-aws use --global`".to_owned()
        })
        .told(Told::OncePerShell),
    )
}

fn shadowed(inputs: &Inputs<'_>, source: Source) -> Option<Finding> {
    let name = visible(inputs.aws_profile.as_ref().filter(|_| source == Source::EnvironmentKeys)?);
    let keys = inputs.environment.identity.as_ref();
    let names = if keys.is_some_and(|keys| keys.api_key().is_some()) {
        "AWS_BEARER_TOKEN_BEDROCK"
    } else {
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    };
    let message =
        format!("keys in the environment come before AWS_PROFILE={name}, here and in boto3");
    Some(
        Finding::warning(Code::EnvironmentKeysShadow, message)
            .remedy(format!("unset {names} unless that is meant"))
            .told(Told::OncePerShell),
    )
}

/// An expiry time of the chosen profile that cannot be read. The reader does not report it among the problems of the
/// file, because most profiles are never used.
fn unreadable_expiry(inputs: &Inputs<'_>, identity: &Identity) -> Option<Finding> {
    let problem = inputs.profiles.get(identity.profile()?)?.expires_at().err()?;
    inputs.line_finding(&problem)
}

fn expires_soon(inputs: &Inputs<'_>, source: Source, identity: &Identity) -> Option<Finding> {
    let soon = SignedDuration::from_mins(EXPIRES_SOON_MINUTES);
    let end = identity.expires_at().filter(|end| end.duration_since(inputs.now) <= soon)?;
    let whose = identity
        .profile()
        .map_or_else(|| source.name().to_owned(), |name| format!("'{}'", visible(name)));
    let (what, remedy) = match identity.api_key() {
        Some(_) => (format!("the Bedrock API key ({whose}) expires"), "make a new one"),
        None => (format!("the temporary credentials of {whose} expire"), "renew them"),
    };
    Some(Finding::warning(Code::CredentialsExpireSoon, format!("{what} at {end}")).remedy(remedy))
}

/// A short-lived Bedrock API key is signed for one region, and AWS refuses it in others.
fn other_region(resolution: &Resolution, identity: &Identity) -> Option<Finding> {
    let opens = identity.api_key()?.region.as_ref()?;
    let (region, by) = (&resolution.region.name, resolution.region.source.name());
    (region != &**opens).then(|| {
        let region = visible(region);
        let message = format!(
            "the Bedrock API key opens {opens} only, and the region here is {region} ({by})"
        );
        let remedy =
            format!("`backlog-aws exec --region {opens}`, or make a key for the other region");
        Finding::warning(Code::ApiKeyRegion, message).remedy(remedy)
    })
}

/// Keys that cannot work. They are used all the same: AWS has the last word.
fn implausible(inputs: &Inputs<'_>, identity: &Identity) -> Option<Finding> {
    let (key, why) = identity.credentials()?.implausible()?;
    let profile = inputs.profiles.get(identity.profile()?)?;
    let name = visible(profile.name());
    let finding = Finding::warning(
        Code::CredentialsImplausible,
        format!("the keys of '{name}' cannot work: {key} {why}"),
    );
    let at = profile.at_key(key).and_then(|at| inputs.place(at));
    Some(Finding { at, ..finding }.remedy("copy both keys there again"))
}

/// An account that is wanted, where the account of the credentials is not known.
fn unknown_account(inputs: &Inputs<'_>, source: Source, identity: &Identity) -> Option<Finding> {
    let (wanted, at) = inputs.wanted_account(source)?;
    inputs.account_of(identity).is_none().then(|| {
        let wanted = &wanted.value;
        Finding::warning(
            Code::AccountUnknown,
            format!("account {wanted} is wanted here, and the files do not tell the account of these keys"),
        )
        .at(at)
    })
}

impl Resolution {
    /// A region that AWS may not have. For who chooses one or asks; a shell that has chosen it hears no more of it.
    pub fn unknown_region(&self) -> Option<Finding> {
        let name = self.region.name.to_str().filter(|name| !region::is_known(name))?;
        let (shown, made) = (visible(name), region::list_date());
        let by = self.region.source.name();
        let message =
            format!("region '{shown}' ({by}) is not in the list of AWS's regions of {made}");
        let finding = Finding::warning(Code::RegionUnknown, message);
        Some(match region::nearest(name) {
            Some(near) => finding.remedy(format!("did you mean '{near}'?")),
            None => finding,
        })
    }
}

/// Why there are no credentials; `None` when there are.
pub(super) fn refusal(inputs: &Inputs<'_>, resolution: &Resolution) -> Option<Finding> {
    match &resolution.answer {
        Answer::Usable { .. } => None,
        Answer::Unusable { source, profile, reason } => Some(unusable(
            inputs,
            *source,
            profile.as_deref().unwrap_or_default(),
            reason,
            resolution.decided_at(),
        )),
        Answer::Nothing => Some(none_found(inputs)),
    }
}

fn unusable(
    inputs: &Inputs<'_>,
    source: Source,
    profile: &OsStr,
    reason: &Reason,
    at: Option<&Place>,
) -> Finding {
    let shown = visible(profile);
    let remedy = match source {
        Source::Directory => inputs.with_usable_profile(|name| format!("backlog-aws local {name}")),
        _ => inputs.choose_command(),
    };
    let no_credentials =
        |what: &str| format!("Profile '{shown}' has no static credentials: {what}");
    let finding = match reason {
        Reason::Unreadable(finding) => return finding.clone(),
        Reason::Missing => {
            let bad = bad_name(profile);
            let what = bad.map_or_else(
                || format!("it is in neither {}", inputs.aws_files(" nor ")),
                str::to_owned,
            );
            let remedy = if bad.is_some() { RENAME.to_owned() } else { remedy };
            let remedy = match inputs.near(profile) {
                Some(near) => format!("did you mean '{near}'? {remedy}"),
                None => remedy,
            };
            Finding::problem(Code::Unusable, no_credentials(&what)).remedy(remedy)
        }
        Reason::Kind(_) => {
            let what = format!("it {}", describe(reason));
            Finding::problem(Code::Unusable, no_credentials(&what)).remedy(remedy)
        }
        Reason::OtherAccount { is, wanted, at } => Finding::problem(
            Code::Unusable,
            format!("{} account {is}, this directory wants {wanted}", owner(profile)),
        )
        .at(at.clone())
        .remedy(remedy),
        Reason::Expired(end) => {
            let (what, it) = expired(inputs, source, &shown);
            let finding =
                Finding::problem(Code::CredentialsExpired, format!("{what} expired at {end}"))
                    .remedy(format!("renew or remove {it}, or {remedy}"));
            with_token(inputs, profile, finding)
        }
    };
    with_origin(finding, source, at, inputs.typed)
}

/// What expired: a Bedrock API key, other loose keys, or the credentials of a profile; and how to call it again.
fn expired(inputs: &Inputs<'_>, source: Source, profile: &str) -> (String, &'static str) {
    let in_environment = inputs.environment.identity.as_ref().and_then(Identity::api_key);
    let in_file = inputs.toolkit_env.1.get("AWS_BEARER_TOKEN_BEDROCK");
    let (place, is_api_key) = match source {
        Source::EnvironmentKeys => ("in the environment", in_environment.is_some()),
        Source::ToolkitEnvKeys => ("in ~/.backlog-toolkit-env", in_file.is_some()),
        _ => return (format!("the temporary credentials of '{profile}'"), "them"),
    };
    let (what, it) = if is_api_key { ("Bedrock API key", "it") } else { ("AWS keys", "them") };
    (format!("the {what} {place}"), it)
}

/// Says where the profile is named.
fn with_origin(finding: Finding, source: Source, at: Option<&Place>, typed: bool) -> Finding {
    let named = match (source, at) {
        (_, Some(_)) if finding.at.is_some() => return finding,
        (_, Some(place)) => return finding.at(place.clone()),
        (Source::Pin, None) if typed => return finding,
        (Source::EnvironmentKeys, None) => return finding,
        (_, None) => "BACKLOG_AWS_PROFILE",
    };
    Finding { message: format!("{} ({named})", finding.message), ..finding }
}

/// What to do about a name that boto3 takes and the SDKs do not.
const RENAME: &str = "rename it with letters, digits and _-/.%@:+ only";

/// That a profile of this name is one for boto3 alone, such as `[with space]`.
fn bad_name(name: &OsStr) -> Option<&'static str> {
    let good = name.to_str().is_some_and(is_profile_name);
    (!good).then_some("the AWS SDKs ignore profiles of that name")
}

/// Whose account it is, as the beginning of a sentence.
fn owner(profile: &OsStr) -> String {
    if profile.is_empty() {
        return "the keys belong to".to_owned();
    }
    format!("profile '{}' belongs to", visible(profile))
}

/// That no profile is usable.
pub fn none_found(inputs: &Inputs<'_>) -> Finding {
    const NONE: &str = "No AWS profiles with static credentials found";
    let files = inputs.aws_files(" or ");
    if inputs.anthropic_key {
        let message = format!("{NONE} in {files}");
        return Finding::warning(Code::NoneFound, message)
            .remedy(
                "LiteLLM uses Anthropic's own API with ANTHROPIC_API_KEY; Bedrock needs a profile",
            )
            .told(Told::WhenAsked);
    }
    let ended = inputs.profiles.iter().filter_map(|profile| match usable(profile, inputs.now) {
        Err(Reason::Expired(end)) => Some((end, profile.name())),
        _ => None,
    });
    if let Some((end, name)) = ended.max() {
        let finding = Finding::problem(
            Code::NoneFound,
            format!("{NONE}: those of '{name}' expired at {end}"),
        );
        return with_token(inputs, name.as_ref(), finding.remedy("renew them"));
    }
    // Whoever has no AWS files may not need any.
    let has_profiles = inputs.profiles.iter().next().is_some();
    Finding::problem(Code::NoneFound, format!("{NONE} in {files}"))
        .remedy(ADD_A_PROFILE)
        .told(if has_profiles { Told::OnChange } else { Told::WhenAsked })
}

/// A finding about expired credentials, with the lines that have to go before static keys in their place count:
/// `aws configure` writes new keys and leaves the old token.
fn with_token(inputs: &Inputs<'_>, profile: &OsStr, finding: Finding) -> Finding {
    let Some(profile) = inputs.profile(profile) else { return finding };
    let mut places = profile.temporary_lines().filter_map(|at| inputs.place(at));
    let Some(first) = places.next() else { return finding };
    let others = places.filter_map(|at| Some(format!(", :{}", at.line?))).collect::<String>();
    let renew = finding.remedy.as_deref().unwrap_or("renew them");
    let remedy =
        format!("{renew}; if the keys are static now, remove the old token ({first}{others})");
    finding.remedy(remedy)
}

/// What a profile is instead of usable, as the end of "it …".
pub fn describe(reason: &Reason) -> String {
    match reason {
        Reason::Expired(end) => {
            return format!("has temporary credentials that expired at {end}");
        }
        Reason::Missing => "does not exist",
        Reason::Unreadable(_) | Reason::OtherAccount { .. } => "is not what is wanted here",
        Reason::Kind(kind) => match kind {
            Kind::Sso => "is an SSO profile",
            Kind::AssumeRole => "assumes a role",
            Kind::WebIdentity => "uses a web identity token",
            Kind::Process => "gets its credentials from a program (credential_process)",
            Kind::Login => "signs in through `aws login`",
            Kind::Partial => "has only one half of a key pair",
            Kind::Empty => "has no credentials at all",
            Kind::Static | Kind::Temporary => "is usable",
        },
    }
    .to_owned()
}
