//! What in the environment makes AWS clients choose what nobody meant, and proxies that still have old keys.

use std::path::Path;

use jiff::Timestamp;

use super::check::{Case, Check};
use crate::finding::Place;
use crate::fs::{FileState, FileTime};
use crate::source::Source;
use crate::text::visible;

/// Variables that name a profile: which clients ask for it.
const PROFILE_VARIABLES: [(&str, &str, &str); 3] = [
    ("AWS_PROFILE", "aws-profile", "every AWS client of this shell, Claude Code included,"),
    ("AWS_DEFAULT_PROFILE", "aws-default-profile", "boto3 (it asks this before AWS_PROFILE)"),
    ("AWS_PROFILE_NAME", "aws-profile-name", "LiteLLM (it asks this before keys)"),
];

const KEYS: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// The environment.
pub fn checks(case: &Case<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    for (name, code, who) in PROFILE_VARIABLES {
        checks.extend(profile_variable(case, name, code, who));
    }
    checks.extend(two_profiles(case));
    checks.extend(keys(case));
    checks.extend(bearer_token(case));
    checks
}

fn profile_variable(case: &Case<'_>, name: &str, code: &'static str, who: &str) -> Option<Check> {
    let value = case.world.env.get(name)?;
    let shown = visible(value);
    if value.is_empty() {
        return Some(
            Check::problem(
                "profile-variable-empty",
                format!("{name} is set to nothing; boto3, and LiteLLM through it, then fail on a profile without a name"),
            )
            .remedy(case.unset(&[name])),
        );
    }
    match value.to_str().and_then(|name| case.inputs.profiles.get(name)) {
        Some(profile) => {
            Some(Check::ok(code, format!("{name}={shown} ({}) is not touched", profile.kind())))
        }
        None => Some(
            Check::problem(
                match name {
                    "AWS_PROFILE" => "aws-profile-missing",
                    _ => "profile-variable-missing",
                },
                format!(
                    "{name}={shown} names a profile that is in neither AWS file; {who} fails on it"
                ),
            )
            .remedy(format!("name one that exists, or {}", case.unset(&[name]))),
        ),
    }
}

fn two_profiles(case: &Case<'_>) -> Option<Check> {
    let env = &case.world.env;
    let (default, profile) = (env.non_empty("AWS_DEFAULT_PROFILE")?, env.non_empty("AWS_PROFILE")?);
    (default != profile).then(|| {
        Check::warning(
            "two-profiles",
            format!(
                "AWS_DEFAULT_PROFILE={} and AWS_PROFILE={} disagree: boto3 follows the first, Claude Code the second",
                visible(default),
                visible(profile)
            ),
        )
        .remedy(case.unset(&["AWS_DEFAULT_PROFILE"]))
    })
}

fn keys(case: &Case<'_>) -> Option<Check> {
    let env = &case.world.env;
    let set: Vec<&str> = KEYS.into_iter().filter(|name| env.get(name).is_some()).collect();
    let filled = |name: &str| env.non_empty(name).is_some();
    let unset = || case.unset(&set);
    match (filled("AWS_ACCESS_KEY_ID"), filled("AWS_SECRET_ACCESS_KEY")) {
        (true, true) => {}
        (false, false) => {
            // LiteLLM asks whether they are set, not whether there is something in them.
            let blank = env.get("AWS_ACCESS_KEY_ID").is_some()
                && env.get("AWS_SECRET_ACCESS_KEY").is_some();
            return blank.then(|| {
                Check::problem(
                    "environment-keys-empty",
                    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set to nothing; LiteLLM signs with empty keys",
                )
                .remedy(unset())
            });
        }
        (id, _) => {
            let (here, missing) = if id {
                ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
            } else {
                ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")
            };
            let effect = if id { "boto3 fails on it" } else { "it has no effect" };
            let message = format!("{here} is in the environment without {missing}; {effect}");
            let check = if id {
                Check::problem("environment-half-key-pair", message)
            } else {
                Check::warning("environment-half-key-pair", message)
            };
            return Some(check.remedy(unset()));
        }
    }
    let end: Option<Timestamp> =
        env.non_empty("AWS_CREDENTIAL_EXPIRATION").and_then(|end| end.to_str()?.parse().ok());
    if let Some(end) = end.filter(|end| *end <= case.inputs.now) {
        let mut names = set.clone();
        names.push("AWS_CREDENTIAL_EXPIRATION");
        return Some(
            Check::problem(
                "environment-keys-expired",
                format!("the AWS keys in the environment ran out at {end}, as AWS_CREDENTIAL_EXPIRATION says"),
            )
            .remedy(case.unset(&names)),
        );
    }
    Some(match env.non_empty("AWS_PROFILE") {
        Some(profile) => Check::warning(
            "environment-keys-shadow",
            format!(
                "AWS keys are in the environment beside AWS_PROFILE={}: boto3 and LiteLLM use the keys, Claude Code the profile",
                visible(profile)
            ),
        )
        .remedy(unset()),
        None => Check::warning(
            "environment-keys",
            "AWS keys are in the environment: every AWS client of this shell uses them, Claude Code included",
        )
        .remedy(unset()),
    })
}

fn bearer_token(case: &Case<'_>) -> Option<Check> {
    const NAME: &str = "AWS_BEARER_TOKEN_BEDROCK";
    let value = case.world.env.get(NAME)?;
    Some(if value.is_empty() {
        Check::problem(
            "bearer-token-empty",
            format!(
                "{NAME} is set to nothing; boto3 then signs with an empty token instead of keys"
            ),
        )
        .remedy(case.unset(&[NAME]))
    } else {
        Check::warning(
            "bearer-token",
            format!("{NAME} is set: LiteLLM, boto3 and Claude Code use this key, and neither profile nor keys"),
        )
        .remedy(format!("unless that is meant, {}", case.unset(&[NAME])))
    })
}

/// Proxies that were started before the files last changed.
pub fn litellm(case: &Case<'_>) -> Vec<Check> {
    let Some((changed, path)) = last_change(case) else {
        return Vec::new();
    };
    let mut checks = Vec::new();
    for process in &case.probe.litellm {
        let pid = process.pid;
        checks.push(if process.started < changed {
            Check::warning(
                "litellm-older",
                format!(
                    "LiteLLM (process {pid}) was started before {} last changed, and keeps the credentials it had then",
                    visible(path)
                ),
            )
            .remedy(format!("stop it, `kill {pid}`, and start the toolkit again"))
        } else {
            Check::ok(
                "litellm",
                format!("LiteLLM (process {pid}) was started after the last change of the files"),
            )
        });
    }
    checks
}

/// When what decides the toolkit's credentials last changed, and which file that was.
fn last_change<'a>(case: &Case<'a>) -> Option<(Timestamp, &'a Path)> {
    let world = case.world;
    let decided = case.resolution.candidates.iter().find_map(|candidate| {
        let at: &Place = candidate.at.as_ref()?;
        (candidate.source == Source::Directory).then_some(&at.path)
    });
    let overrides = world.overrides.iter().filter(|file| decided == Some(&file.path));
    world
        .source_files()
        .chain(overrides)
        .filter_map(|file| Some((time(file.state.as_ref()?)?, file.path.as_path())))
        .max()
}

fn time(state: &FileState) -> Option<Timestamp> {
    let FileTime { seconds, nanoseconds } = state.modified;
    Timestamp::new(seconds, i32::try_from(nanoseconds).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Machine;
    use crate::commands::doctor::probe::Process;

    const CREDENTIALS: &str = "[default]\naws_access_key_id = A\naws_secret_access_key = s\n\
                               [other]\naws_access_key_id = A\naws_secret_access_key = s\n";

    fn codes(env: &[(&str, &str)]) -> Vec<&'static str> {
        let machine = Machine::new(CREDENTIALS, "").env(env).facts(&["shell=bash", "mode=none"]);
        machine.codes()
    }

    #[test]
    fn each_trap_in_the_environment_has_its_own_name() {
        let keys = [("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "s")];
        let with = |name, value| vec![keys[0], keys[1], (name, value)];
        assert_eq!(codes(&[]), [""; 0]);
        assert_eq!(codes(&[("AWS_PROFILE", "")]), ["profile-variable-empty"]);
        assert_eq!(codes(&[("AWS_PROFILE", "x")]), ["aws-profile-missing"]);
        assert_eq!(codes(&[("AWS_DEFAULT_PROFILE", "x")]), ["profile-variable-missing"]);
        assert_eq!(codes(&[("AWS_PROFILE_NAME", "x")]), ["profile-variable-missing"]);
        assert_eq!(
            codes(&[("AWS_PROFILE", "default"), ("AWS_DEFAULT_PROFILE", "other")]),
            ["two-profiles"]
        );
        assert_eq!(codes(&keys), ["environment-keys"]);
        assert_eq!(codes(&with("AWS_PROFILE", "default")), ["environment-keys-shadow"]);
        assert_eq!(
            codes(&with("AWS_CREDENTIAL_EXPIRATION", "2029-01-01T00:00:00Z")),
            ["credentials-expired", "environment-keys-expired"]
        );
        assert_eq!(codes(&keys[..1]), ["environment-half-key-pair"]);
        assert_eq!(codes(&keys[1..]), ["environment-half-key-pair"]);
        let empty = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")];
        assert_eq!(codes(&empty), ["environment-keys-empty"]);
        assert_eq!(codes(&[("AWS_BEARER_TOKEN_BEDROCK", "")]), ["bearer-token-empty"]);
        assert_eq!(codes(&[("AWS_BEARER_TOKEN_BEDROCK", "t")]), ["bearer-token"]);
    }

    #[test]
    fn a_proxy_is_only_stale_when_the_files_changed_after_its_start() {
        let mut machine = Machine::new(CREDENTIALS, "").facts(&["shell=bash", "mode=none"]);
        for (started, expected) in
            [("2029-12-31T23:59:59Z", vec!["litellm-older"]), ("2030-01-01T00:00:01Z", vec![])]
        {
            machine.probe.litellm = vec![Process { pid: 9, started: started.parse().unwrap() }];
            assert_eq!(machine.codes(), expected);
        }
    }
}
