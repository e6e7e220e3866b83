//! What in the environment makes AWS clients choose what nobody meant.

use std::ffi::OsStr;

use super::case::Case;
use crate::finding::{Code, Finding};
use crate::resolve::Identity;
use crate::text::visible;

const ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
const TOKEN: &str = "AWS_BEARER_TOKEN_BEDROCK";

/// Variables that are worse empty than unset, and what they do then.
const WORSE_EMPTY: [(Code, &str, &str); 4] = [
    (Code::ProfileVariableEmpty, "AWS_PROFILE", "boto3 fails on a profile without a name"),
    (Code::ProfileVariableEmpty, "AWS_DEFAULT_PROFILE", "boto3 fails on a profile without a name"),
    (Code::EnvironmentKeysEmpty, ID, "LiteLLM signs with empty keys"),
    (Code::BearerTokenEmpty, TOKEN, "boto3 signs with an empty token instead of keys"),
];

pub fn findings(case: &Case<'_>) -> Vec<Finding> {
    let env = &case.world.env;
    let empty = WORSE_EMPTY.into_iter().filter(|row| env.get(row.1).is_some_and(OsStr::is_empty));
    let mut findings: Vec<Finding> = empty
        .map(|(code, name, effect)| {
            let message = format!("{name} is set to nothing; {effect}");
            Finding::problem(code, message).remedy(case.unset(&[name]))
        })
        .collect();
    findings.extend(missing_profile(case, "AWS_PROFILE", "every AWS client of this shell"));
    findings.extend(missing_profile(case, "AWS_DEFAULT_PROFILE", "boto3"));
    findings.extend(missing_profile(case, "AWS_PROFILE_NAME", "LiteLLM"));
    findings.extend(keys(case));
    if case.is_filled(TOKEN) {
        let key = case.inputs.environment.identity.as_ref().and_then(Identity::api_key);
        let key = key.map(|key| format!(" ({key})")).unwrap_or_default();
        let effect = "is set: every AWS client uses it, and neither profile nor keys";
        findings.push(
            Finding::warning(Code::BearerToken, format!("{TOKEN}{key} {effect}"))
                .remedy(format!("{} unless that is meant", case.unset(&[TOKEN]))),
        );
    }
    findings
}

/// A variable that names a profile that does not exist.
fn missing_profile(case: &Case<'_>, variable: &str, who: &str) -> Option<Finding> {
    let name = case.world.env.non_empty(variable)?;
    let shown = visible(name);
    let message = format!("{variable}={shown} is in neither AWS file; {who} will fail on it");
    let code = match variable {
        "AWS_PROFILE" => Code::AwsProfileMissing,
        _ => Code::ProfileVariableMissing,
    };
    let finding = Finding::problem(code, message)
        .remedy(format!("{}, or name one that exists", case.unset(&[variable])));
    case.inputs.profile(name).is_none().then_some(finding)
}

fn keys(case: &Case<'_>) -> Option<Finding> {
    case.world.env.non_empty(ID)?;
    if !case.is_filled(SECRET) {
        let message = format!("{ID} is set without {SECRET}; boto3 fails on it");
        let finding = Finding::problem(Code::EnvironmentHalfKeyPair, message);
        return Some(finding.remedy(unset_keys(case)));
    }
    let (code, who) = match case.world.env.non_empty("AWS_PROFILE").map(visible) {
        Some(name) => (
            Code::EnvironmentKeysShadow,
            format!("boto3 and LiteLLM use them, Claude Code uses AWS_PROFILE={name}"),
        ),
        None => (Code::EnvironmentKeys, "every AWS client of this shell uses them".to_owned()),
    };
    let finding = Finding::warning(code, format!("AWS keys are in the environment: {who}"));
    Some(finding.remedy(format!("{} unless that is meant", unset_keys(case))))
}

/// The command that removes the keys from the shell.
fn unset_keys(case: &Case<'_>) -> String {
    let mut names = vec![ID, SECRET, "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION"];
    names.retain(|name| case.world.env.get(name).is_some());
    case.unset(&names)
}
