//! What there is to say about an answer: which findings apply, in words and with what to do.

use std::ffi::OsStr;

use jiff::SignedDuration;

use super::answer::{Answer, AwsProfile, Identity, Outcome, Reason, Resolution};
use super::inputs::{Inputs, usable};
use crate::aws::{Implausible, Kind, region};
use crate::finding::{Code, EXPIRES_SOON_MINUTES, Finding, Place, Told};
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
        let files = inputs.aws_files(" nor ");
        let message = format!(
            "AWS_PROFILE={shown} names a profile that is in neither {files}; every AWS client of this shell will fail on it"
        );
        return Some(
            Finding::problem(Code::AwsProfileMissing, message)
                .remedy("name one that exists, or unset it"),
        );
    };
    let reason = usable(inputs.profile(name)?, inputs.now).err()?;
    let what = describe(&reason);
    Some(match kind {
        Kind::Sso => Finding::warning(
            Code::AwsProfileSso,
            format!(
                "Profile '{shown}' has no static credentials: AWS_PROFILE={shown} {what}. \
                 Claude Code keeps it; the Backlog Toolkit does not use it",
            ),
        ),
        _ => Finding::warning(
            Code::AwsProfileUnusable,
            format!(
                "Profile '{shown}' has no static credentials: AWS_PROFILE={shown} {what}. \
                 The Backlog Toolkit does not use it",
            ),
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
    Some(
        Finding::warning(
            Code::AutoDetected,
            match inputs.usable_profiles().count() {
                1 => format!("Auto-detected AWS profile: {name}. It is the only usable one"),
                count => format!(
                    "Auto-detected AWS profile: {name}. It is the first of {count} usable profiles, you have not chosen one"
                ),
            },
        )
        .remedy(inputs.with_usable_profile(|name| format!("backlog-aws use --global {name}")))
        .told(Told::OncePerShell),
    )
}

fn shadowed(inputs: &Inputs<'_>, source: Source) -> Option<Finding> {
    let name = inputs.aws_profile.as_ref().filter(|_| source == Source::EnvironmentKeys)?;
    Some(
        Finding::warning(
            Code::EnvironmentKeysShadow,
            format!(
                "AWS keys in the environment are used and AWS_PROFILE={} is not looked at, here and in boto3",
                visible(name),
            ),
        )
        .remedy("unset AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY unless that is meant")
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
    let Implausible { key, why } = identity.credentials()?.implausible()?;
    let profile = inputs.profiles.get(identity.profile()?)?;
    let name = visible(profile.name());
    let finding = Finding::warning(
        Code::CredentialsImplausible,
        format!("the keys of '{name}' cannot work: {key} {why}"),
    );
    let at = profile.at_key(key).and_then(|at| inputs.place(at));
    Some(
        Finding { at, ..finding }
            .remedy(format!("copy them again with `aws configure --profile {name}`")),
    )
}

/// An account that is wanted, where the account of the credentials is not known.
fn unknown_account(inputs: &Inputs<'_>, source: Source, identity: &Identity) -> Option<Finding> {
    let (wanted, at) = inputs.wanted_account(source)?;
    inputs.account_of(identity).is_none().then(|| {
        let wanted = &wanted.value;
        Finding::warning(
            Code::AccountUnknown,
            format!("this directory wants account {wanted}, and the files do not tell the account of these keys"),
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
            let what = format!("it is in neither {}", inputs.aws_files(" nor "));
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
            Finding::problem(Code::CredentialsExpired, format!("{what} expired at {end}"))
                .remedy(format!("renew or remove {it}, or {remedy}"))
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
        (Source::Pin, None) => "pinned",
        (_, None) => "BACKLOG_AWS_PROFILE names it",
    };
    Finding { message: format!("{} ({named})", finding.message), ..finding }
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
    let files = inputs.aws_files(" or ");
    let message = format!("No AWS profiles with static credentials found in {files}");
    let add = "`aws configure --profile bedrock`";
    if inputs.anthropic_key {
        let remedy = format!(
            "with ANTHROPIC_API_KEY alone LiteLLM uses Anthropic's own API; for Bedrock, add a profile with {add}"
        );
        let finding = Finding::warning(Code::NoneFound, message).remedy(remedy);
        return finding.told(Told::WhenAsked);
    }
    // Whoever has no AWS files may not need any.
    let has_profiles = inputs.profiles.iter().next().is_some();
    let told = if has_profiles { Told::OnChange } else { Told::WhenAsked };
    Finding::problem(Code::NoneFound, message).remedy(format!("add one with {add}")).told(told)
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
