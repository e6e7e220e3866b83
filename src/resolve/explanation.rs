//! What there is to say about an answer: which findings apply, in words and with what to do.

use std::ffi::OsStr;

use jiff::SignedDuration;

use super::answer::{API_KEY, Answer, Identity, KEY_ID, Outcome, Reason, Resolution};
use super::inputs::{ADD_A_PROFILE, Inputs, usable};
use crate::aws::{Kind, Profile, region};
use crate::finding::{Code, EXPIRES_SOON_MINUTES, Finding, Place, Told};
use crate::overrides::is_profile_name;
use crate::source::Source;
use crate::text::visible;

/// Everything but the refusal.
pub(super) fn findings(inputs: &Inputs<'_>, resolution: &Resolution) -> Vec<Finding> {
    let mut findings = inputs.findings.clone();
    findings.extend(inputs.directory.findings.iter().cloned());
    // With a choice of the user's own it is no news.
    if resolution.candidates[Source::AwsProfile as usize].outcome != Outcome::NotReached {
        findings.extend(aws_profile(inputs).map(|finding| finding.told(Told::OncePerFamily)));
    }
    findings.extend(inputs.unknown_values().map(|(_, finding)| finding));
    // The refusal says it.
    if let Some(refusal) = &resolution.refusal {
        findings.retain(|finding| {
            finding != refusal && (finding.at.is_none() || finding.at != refusal.at)
        });
    }
    if let Answer::Usable { source, identity } = &resolution.answer {
        findings.extend(guess(inputs, *source, identity));
        findings.extend(shadowed(inputs, *source, identity));
        findings.extend(unreadable_expiry(inputs, identity));
        findings.extend(expires_soon(inputs, identity));
        findings.extend(implausible(inputs, identity));
        findings.extend(other_region(resolution, identity));
        findings.extend(unknown_account(inputs, *source, identity));
    }
    findings
}

/// Why the profile of `AWS_PROFILE` cannot be used.
fn aws_profile(inputs: &Inputs<'_>) -> Option<Finding> {
    let name = inputs.aws_profile.as_ref()?;
    let shown = visible(name);
    if !is_name(name) {
        let message = format!("AWS ignores the name in AWS_PROFILE={shown}");
        return Some(Finding::warning(Code::AwsProfileMissing, message).remedy(RENAME));
    }
    let Some(profile) = inputs.profile(name) else {
        let message = format!("AWS_PROFILE={shown} is not in {}", inputs.aws_files());
        let finding = Finding::problem(Code::AwsProfileMissing, message);
        return Some(finding.remedy("name one that is, or unset it"));
    };
    let reason = usable(profile, inputs.now).err()?;
    let (code, what) = match &reason {
        Reason::Kind(Kind::Sso) => (Code::AwsProfileSso, "is SSO, only Claude Code uses it".into()),
        Reason::Expired(end) => {
            let message = format!("AWS_PROFILE={shown} expired at {end}");
            let finding = Finding::warning(Code::AwsProfileUnusable, message);
            return Some(expired(inputs, Some(profile), finding));
        }
        _ => (Code::AwsProfileUnusable, describe(&reason)),
    };
    let message = format!("Profile '{shown}' has no static credentials: AWS_PROFILE {what}");
    Some(Finding::warning(code, message))
}

fn guess(inputs: &Inputs<'_>, source: Source, identity: &Identity) -> Option<Finding> {
    let name = visible(identity.profile().filter(|_| source == Source::First)?);
    let (what, remedy) = match inputs.usable_profiles().count() {
        1 => ("the only usable one".into(), format!("`backlog-aws use --global {name}` keeps it")),
        count => (format!("first of {count}"), "choose with `backlog-aws use --global`".into()),
    };
    let message = format!("Auto-detected AWS profile: {name}, {what}");
    let finding = Finding::warning(Code::AutoDetected, message).remedy(remedy);
    Some(finding.told(Told::OncePerShell))
}

fn shadowed(inputs: &Inputs<'_>, source: Source, identity: &Identity) -> Option<Finding> {
    let name = visible(inputs.aws_profile.as_ref().filter(|_| source == Source::EnvironmentKeys)?);
    let message = format!("{} comes before AWS_PROFILE={name}, also in boto3", identity.variable());
    let finding = Finding::warning(Code::EnvironmentKeysShadow, message);
    Some(finding.remedy("unset the keys unless that is meant").told(Told::OncePerShell))
}

/// An expiry time of the chosen profile that cannot be read. The reader does not report it among the problems of the
/// file, because most profiles are never used.
fn unreadable_expiry(inputs: &Inputs<'_>, identity: &Identity) -> Option<Finding> {
    let problem = inputs.profiles.get(identity.profile()?)?.expires_at().err()?;
    inputs.line_finding(&problem)
}

fn expires_soon(inputs: &Inputs<'_>, identity: &Identity) -> Option<Finding> {
    let soon = SignedDuration::from_mins(EXPIRES_SOON_MINUTES);
    let end = identity.expires_at().filter(|end| end.duration_since(inputs.now) <= soon)?;
    let message = format!("{} expires at {end}", whose(identity.profile(), identity.variable()));
    Some(Finding::warning(Code::CredentialsExpireSoon, message).remedy("renew it"))
}

/// A short-lived Bedrock API key is signed for one region, and AWS refuses it in others.
fn other_region(resolution: &Resolution, identity: &Identity) -> Option<Finding> {
    let opens = identity.api_key()?.region.as_ref()?;
    let (region, by) = (&resolution.region.name, resolution.region.source.name());
    (region != &**opens).then(|| {
        let message =
            format!("the Bedrock API key is for {opens}, and not for {} ({by})", visible(region));
        let remedy = format!("`backlog-aws exec --region {opens}`, or make another key");
        Finding::warning(Code::ApiKeyRegion, message).remedy(remedy)
    })
}

/// Keys that cannot work. They are used all the same: AWS has the last word.
fn implausible(inputs: &Inputs<'_>, identity: &Identity) -> Option<Finding> {
    let (key, why) = identity.credentials()?.implausible()?;
    let profile = inputs.profiles.get(identity.profile()?)?;
    let message = format!("profile '{}' cannot work: {key} {why}", visible(profile.name()));
    let finding = Finding::warning(Code::CredentialsImplausible, message);
    let at = profile.at_key(key).and_then(|at| inputs.place(at));
    Some(Finding { at, ..finding }.remedy("copy both keys again"))
}

/// An account that is wanted, where the account of the credentials is not known.
fn unknown_account(inputs: &Inputs<'_>, source: Source, identity: &Identity) -> Option<Finding> {
    let (wanted, at) = inputs.wanted_account(source)?;
    inputs.account_of(identity).is_none().then(|| {
        let message = format!("these keys may be of another account than {}", wanted.value);
        let finding = Finding::warning(Code::AccountUnknown, message);
        finding.at(at).remedy("`backlog-aws check` shows it")
    })
}

impl Resolution {
    /// A region that AWS may not have. For who chooses one or asks; a shell that has chosen it hears no more of it.
    pub fn unknown_region(&self) -> Option<Finding> {
        let name = self.region.name.to_str().filter(|name| !region::is_known(name))?;
        let (shown, made) = (visible(name), region::list_date());
        let by = self.region.source.name();
        let message = format!("region '{shown}' ({by}) is not in AWS's list of {made}");
        let remedy = region::nearest(name).map(|near| format!("did you mean '{near}'?"));
        Some(Finding { remedy, ..Finding::warning(Code::RegionUnknown, message) })
    }
}

/// Why there are no credentials; `None` when there are.
pub(super) fn refusal(inputs: &Inputs<'_>, resolution: &Resolution) -> Option<Finding> {
    match &resolution.answer {
        Answer::Usable { .. } => None,
        Answer::Unusable { source, profile, reason } => {
            let at = resolution.decided_at();
            Some(unusable(inputs, *source, profile.as_deref(), reason, at))
        }
        Answer::Nothing => Some(none_found(inputs)),
    }
}

fn unusable(
    inputs: &Inputs<'_>,
    source: Source,
    profile: Option<&OsStr>,
    reason: &Reason,
    at: Option<&Place>,
) -> Finding {
    let name = profile.unwrap_or_default();
    let keys = match (source, &inputs.environment.identity) {
        (Source::EnvironmentKeys, Some(identity)) => identity.variable(),
        _ => inputs.toolkit_env.1.get(API_KEY).map_or(KEY_ID, |_| API_KEY),
    };
    let whose = whose(profile, keys);
    let another = match source {
        Source::Directory => inputs.with_usable_profile(|name| format!("backlog-aws local {name}")),
        _ => inputs.choose_command(),
    };
    let refused = |what: &str| {
        let message = format!("Profile '{}' has no static credentials: {what}", visible(name));
        Finding::problem(Code::Unusable, message)
    };
    let finding = match reason {
        Reason::Unreadable(finding) => return finding.clone(),
        Reason::Missing if !is_name(name) => refused("AWS ignores that name").remedy(RENAME),
        Reason::Missing => {
            let near = inputs.near(name).map(|near| format!("did you mean '{near}'?"));
            refused("it does not exist").remedy(near.unwrap_or(another))
        }
        Reason::Kind(_) => refused(&format!("it {}", describe(reason))).remedy(another),
        Reason::OtherAccount { is, wanted, at } => {
            let message = format!("{whose}: account {is}, but this directory wants {wanted}");
            Finding::problem(Code::Unusable, message).at(at.clone()).remedy(another)
        }
        Reason::Expired(end) => {
            let message = format!("{whose} expired at {end}");
            let finding = Finding::problem(Code::CredentialsExpired, message);
            let finding = expired(inputs, inputs.profile(name), finding);
            let renew = finding.remedy.as_deref().unwrap_or_default().to_owned();
            finding.remedy(format!("{renew}, or {another}"))
        }
    };
    // Where the profile is named.
    let by_variable = matches!(source, Source::Pin | Source::Ambient) && !inputs.typed;
    let origin = if by_variable { " (BACKLOG_AWS_PROFILE)" } else { "" };
    let at = finding.at.or_else(|| at.cloned());
    Finding { message: finding.message + origin, at, ..finding }
}

/// What to do about a name that boto3 takes and the SDKs do not.
const RENAME: &str = "use only letters, digits and _-/.%@:+ in it";

/// Whether AWS's SDKs take it for a name. `[with space]` is one for boto3 alone.
fn is_name(name: &OsStr) -> bool {
    name.to_str().is_some_and(is_profile_name)
}

/// Whose credentials: those of a profile, or those in a variable.
fn whose(profile: Option<impl AsRef<OsStr>>, variable: &str) -> String {
    profile.map_or(variable.to_owned(), |name| format!("profile '{}'", visible(name)))
}

/// That no profile is usable.
pub fn none_found(inputs: &Inputs<'_>) -> Finding {
    const NONE: &str = "No AWS profiles with static credentials found";
    let in_files = format!("{NONE} in {}", inputs.aws_files());
    if inputs.anthropic_key {
        return Finding::warning(Code::NoneFound, in_files)
            .remedy("LiteLLM uses Anthropic's API by ANTHROPIC_API_KEY; Bedrock needs a profile")
            .told(Told::WhenAsked);
    }
    let ended = inputs.profiles.iter().filter_map(|profile| match usable(profile, inputs.now) {
        Err(Reason::Expired(end)) => Some((end, profile)),
        _ => None,
    });
    if let Some((end, profile)) = ended.max_by_key(|(end, _)| *end) {
        let message = format!("{NONE}: '{}' expired at {end}", profile.name());
        return expired(inputs, Some(profile), Finding::problem(Code::NoneFound, message));
    }
    // Whoever has no AWS files may not need any.
    let has_profiles = inputs.profiles.iter().next().is_some();
    Finding::problem(Code::NoneFound, in_files).remedy(ADD_A_PROFILE).told(if has_profiles {
        Told::OnChange
    } else {
        Told::WhenAsked
    })
}

/// A finding about expired credentials, at the token that has to go before static keys beside it count: `aws configure`
/// writes new keys and leaves the old token.
fn expired(inputs: &Inputs<'_>, profile: Option<&Profile<'_>>, finding: Finding) -> Finding {
    let token = profile.and_then(|profile| {
        profile.at_key("aws_session_token").or_else(|| profile.at_key("aws_security_token"))
    });
    match token.and_then(|at| inputs.place(at)) {
        Some(at) => finding.at(at).remedy("renew it, or remove its old token"),
        None => finding.remedy("renew or remove it"),
    }
}

/// What a profile is instead of usable, as the end of "it …".
pub fn describe(reason: &Reason) -> String {
    match reason {
        Reason::Expired(end) => return format!("expired at {end}"),
        Reason::Missing => "does not exist",
        Reason::Unreadable(_) | Reason::OtherAccount { .. } => "is not what is wanted here",
        Reason::Kind(kind) => match kind {
            Kind::Sso => "is SSO",
            Kind::AssumeRole => "assumes a role",
            Kind::WebIdentity => "uses a web identity token",
            Kind::Process => "uses credential_process",
            Kind::Login => "signs in with `aws login`",
            Kind::Partial => "has only half of a key pair",
            Kind::Empty => "has no credentials",
            Kind::Static | Kind::Temporary => "is usable",
        },
    }
    .to_owned()
}
