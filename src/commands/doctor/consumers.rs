//! Who uses what here: the identity and region that each AWS client would take in this shell's environment, worked out
//! from the environment and the files, offline.
//!
//! The rules were read in, and tried on, botocore 1.44 (credentials.py, configprovider.py), `LiteLLM` 1.109
//! (`llms/bedrock/base_aws_llm.py`) and the AWS SDK for JavaScript 3.97x (credential-provider-node and -ini).

use serde::Serialize;

use super::check::Case;
use crate::aws::botocore::{self, DifferenceKind};
use crate::aws::{AwsFile, FileKind, Kind, ProblemKind, Profile};
use crate::fs::Content;
use crate::overrides::place;
use crate::resolve::{Answer, describe};
use crate::secret::mask_key_id;
use crate::text::visible;

/// One AWS client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Consumer {
    /// Which one.
    pub name: &'static str,
    /// The profile it would take, if it takes one.
    pub profile: Option<String>,
    /// The access key id it would take, masked, if it can be told without asking anybody.
    pub access_key_id: Option<String>,
    /// The region it would use, if it finds one.
    pub region: Option<String>,
    /// The rule that decides, in words.
    pub rule: String,
}

/// What a client comes to, its region apart.
#[derive(Default)]
struct Identity {
    profile: Option<String>,
    access_key_id: Option<String>,
    rule: String,
}

impl Identity {
    fn none(rule: impl Into<String>) -> Self {
        Self { rule: rule.into(), ..Self::default() }
    }

    /// The same, reached by way of `first`.
    fn after(self, first: &str) -> Self {
        Self { rule: format!("{first}: {}", self.rule), ..self }
    }

    fn of(self, name: &'static str, region: Option<String>) -> Consumer {
        Consumer {
            name,
            profile: self.profile,
            access_key_id: self.access_key_id,
            region,
            rule: self.rule,
        }
    }
}

/// All of them.
pub fn consumers(case: &Case<'_>) -> Vec<Consumer> {
    vec![toolkit(case), litellm(case), boto3(case), claude_code(case)]
}

fn toolkit(case: &Case<'_>) -> Consumer {
    let answer = &case.resolution.answer;
    let region = Some(visible(&case.resolution.region.name));
    let identity = match answer {
        Answer::Usable { source, identity } => Identity {
            profile: identity.profile().map(visible),
            access_key_id: identity.credentials().map(|keys| mask_key_id(&keys.access_key_id)),
            rule: source.name().to_owned(),
        },
        Answer::Unusable { source, profile, .. } => Identity {
            profile: profile.as_ref().map(visible),
            access_key_id: None,
            rule: format!("{}: cannot be used, and nothing is taken in its place", source.name()),
        },
        Answer::Nothing => Identity::none("nothing in the chain is usable"),
    };
    identity.of("toolkit", region)
}

fn litellm(case: &Case<'_>) -> Consumer {
    let set = |name: &str| case.world.env.get(name).is_some();
    let region = text(case, "AWS_REGION_NAME")
        .or_else(|| text(case, "AWS_REGION"))
        .or_else(|| match boto3_session_fails(case) {
            Some(_) => None,
            None => boto3_region(case),
        })
        .or_else(|| Some("us-west-2".to_owned()));
    let identity = if filled(case, "AWS_BEARER_TOKEN_BEDROCK") {
        Identity::none("AWS_BEARER_TOKEN_BEDROCK comes before everything else")
    } else if ["AWS_WEB_IDENTITY_TOKEN", "AWS_ROLE_NAME", "AWS_SESSION_NAME"].into_iter().all(set) {
        Identity::none(
            "AWS_WEB_IDENTITY_TOKEN with AWS_ROLE_NAME and AWS_SESSION_NAME comes before keys",
        )
    } else if set("AWS_ROLE_NAME") {
        Identity::none("AWS_ROLE_NAME, a role to assume, comes before profiles and keys")
    } else if let Some(name) = text(case, "AWS_PROFILE_NAME") {
        boto3_profile(case, &name, true).after("AWS_PROFILE_NAME comes before keys")
    } else if set("AWS_ACCESS_KEY_ID") && set("AWS_SECRET_ACCESS_KEY") {
        // Without a session token it makes a boto3 session of the two, which looks at profile and files all the same.
        boto3_session_fails(case).filter(|_| !set("AWS_SESSION_TOKEN")).map_or_else(
            || environment_keys(case, "keys in the environment"),
            |identity| identity.after("keys in the environment, by way of boto3"),
        )
    } else {
        boto3_chain(case).after("asks boto3")
    };
    identity.of("litellm", region)
}

fn boto3(case: &Case<'_>) -> Consumer {
    let identity = if case.world.env.get("AWS_BEARER_TOKEN_BEDROCK").is_some() {
        // For Bedrock. An empty token counts: `get_token_from_environment` is only asked whether there is one.
        let rule = if filled(case, "AWS_BEARER_TOKEN_BEDROCK") {
            "AWS_BEARER_TOKEN_BEDROCK comes before everything else"
        } else {
            "fails: AWS_BEARER_TOKEN_BEDROCK is set to nothing, and comes before everything else"
        };
        Identity::none(rule)
    } else {
        boto3_chain(case)
    };
    identity.of("boto3", boto3_region(case))
}

/// Why no boto3 session can be made: a profile named by the environment must exist even if it is not used.
fn boto3_session_fails(case: &Case<'_>) -> Option<Identity> {
    if let Some(broken) = boto3_cannot_read(case) {
        return Some(Identity::none(format!("fails: it cannot read {broken}")));
    }
    let (variable, name) = boto3_profile_variable(case)?;
    let missing = case.inputs.profiles.get(&name).is_none();
    missing.then(|| Identity {
        profile: Some(name),
        ..Identity::none(format!("fails: {variable} names no profile"))
    })
}

/// boto3 as it is called without a profile.
fn boto3_chain(case: &Case<'_>) -> Identity {
    if let Some(failed) = boto3_session_fails(case) {
        return failed;
    }
    let named = boto3_profile_variable(case);
    match (filled(case, "AWS_ACCESS_KEY_ID"), filled(case, "AWS_SECRET_ACCESS_KEY")) {
        (true, true) => {
            let rule = match &named {
                Some((variable, _)) => format!("keys in the environment come before {variable}"),
                None => "keys in the environment".to_owned(),
            };
            return environment_keys(case, &rule);
        }
        (true, false) => {
            return Identity::none(
                "fails: AWS_ACCESS_KEY_ID is there without AWS_SECRET_ACCESS_KEY",
            );
        }
        (false, _) => {}
    }
    match named {
        Some((variable, name)) => boto3_profile(case, &name, true).after(variable),
        None => boto3_profile(case, "default", false).after("no profile is named"),
    }
}

fn boto3_profile(case: &Case<'_>, name: &str, named: bool) -> Identity {
    profile(case, name, named, |profile| botocore::other_identity(profile).map(|(what, _)| what))
}

fn boto3_profile_variable(case: &Case<'_>) -> Option<(&'static str, String)> {
    ["AWS_DEFAULT_PROFILE", "AWS_PROFILE"]
        .into_iter()
        .find_map(|name| Some((name, text(case, name)?)))
}

fn boto3_region(case: &Case<'_>) -> Option<String> {
    text(case, "AWS_DEFAULT_REGION").or_else(|| {
        if boto3_cannot_read(case).is_some() {
            return None;
        }
        let name =
            boto3_profile_variable(case).map_or_else(|| "default".to_owned(), |(_, name)| name);
        case.inputs.profiles.get(&name)?.region().map(visible)
    })
}

/// Where botocore gives up on a file.
fn boto3_cannot_read(case: &Case<'_>) -> Option<String> {
    let world = case.world;
    [(FileKind::Credentials, &world.credentials), (FileKind::Config, &world.config)]
        .into_iter()
        .find_map(|(kind, file)| {
            let file = file.as_ref()?;
            let Content::Read { bytes, .. } = &file.content else {
                return None;
            };
            let path = &file.path;
            let line = boto3_gives_up_at(case, &AwsFile { kind, path, bytes })?;
            Some(place(path, Some(line)))
        })
}

fn boto3_gives_up_at(case: &Case<'_>, file: &AwsFile<'_>) -> Option<usize> {
    let differences = botocore::differences(file.bytes);
    // Two kinds of line that only the SDKs reject.
    let accepted = |line: usize| {
        differences.iter().any(|difference| {
            let what = difference.what;
            difference.line == line
                && matches!(what, DifferenceKind::Colon | DifferenceKind::IndentedProperty)
        })
    };
    let problems = case.inputs.profiles.problems().iter();
    let rejected = problems
        .filter(|problem| problem.kind == file.kind && problem.what.rejects_file())
        .filter(|problem| problem.what != ProblemKind::NothingToContinue && !accepted(problem.line))
        .map(|problem| problem.line);
    let twice = differences
        .iter()
        .filter(|difference| difference.what.rejects_file())
        .map(|difference| difference.line);
    rejected.chain(twice).min()
}

fn claude_code(case: &Case<'_>) -> Consumer {
    let region = text(case, "AWS_REGION")
        .filter(|region| !region.is_empty())
        .or_else(|| Some("us-east-1".to_owned()));
    let identity = if filled(case, "AWS_BEARER_TOKEN_BEDROCK") {
        Identity::none("AWS_BEARER_TOKEN_BEDROCK comes before everything else")
    } else if let Some(name) = text(case, "AWS_PROFILE").filter(|name| !name.is_empty()) {
        let beside = filled(case, "AWS_ACCESS_KEY_ID") && filled(case, "AWS_SECRET_ACCESS_KEY");
        let first =
            if beside { "AWS_PROFILE comes before keys in the environment" } else { "AWS_PROFILE" };
        javascript_profile(case, &name, true).after(first)
    } else if filled(case, "AWS_ACCESS_KEY_ID") && filled(case, "AWS_SECRET_ACCESS_KEY") {
        environment_keys(case, "keys in the environment")
    } else {
        javascript_profile(case, "default", false).after("no profile is named")
    };
    let mut consumer = identity.of("claude-code", region);
    if !filled(case, "CLAUDE_CODE_USE_BEDROCK") {
        consumer.rule.push_str(
            " (if its settings turn Bedrock on; CLAUDE_CODE_USE_BEDROCK is not set here)",
        );
    }
    consumer
}

/// The JavaScript SDK asks for a role first, then for keys, then for everything else.
fn javascript_profile(case: &Case<'_>, name: &str, named: bool) -> Identity {
    profile(case, name, named, |profile| {
        let role = profile.also().contains(&Kind::AssumeRole);
        role.then_some("assumes its role")
    })
}

/// A profile, where `otherwise` tells what a client does with one that has keys if it does not take those.
fn profile(
    case: &Case<'_>,
    name: &str,
    named: bool,
    otherwise: impl Fn(&Profile<'_>) -> Option<&'static str>,
) -> Identity {
    let Some(profile) = case.inputs.profiles.get(name) else {
        return if named {
            Identity {
                profile: Some(visible(name)),
                ..Identity::none("fails: there is no such profile")
            }
        } else {
            Identity::none(
                "there is no profile 'default', so a container or instance role, or nothing",
            )
        };
    };
    let kind = profile.kind();
    let mut identity = Identity { profile: Some(profile.name().to_owned()), ..Identity::default() };
    if let Some(other) = otherwise(profile) {
        other.clone_into(&mut identity.rule);
    } else if kind.has_keys() {
        identity.access_key_id = profile.access_key_id().map(mask_key_id);
        identity.rule = match profile.expires_at() {
            Ok(Some(end)) if end <= case.inputs.now => format!("its keys, which ran out at {end}"),
            _ => "its keys".to_owned(),
        };
    } else {
        identity.rule = format!("it {}", describe(&crate::resolve::Reason::Kind(kind)));
    }
    identity
}

fn environment_keys(case: &Case<'_>, rule: &str) -> Identity {
    Identity {
        access_key_id: text(case, "AWS_ACCESS_KEY_ID").map(|id| mask_key_id(&id)),
        ..Identity::none(rule)
    }
}

fn filled(case: &Case<'_>, name: &str) -> bool {
    case.world.env.non_empty(name).is_some()
}

/// A variable's value, made fit to be shown; it may be empty.
fn text(case: &Case<'_>, name: &str) -> Option<String> {
    case.world.env.get(name).map(visible)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Machine;

    const CREDENTIALS: &str = "[bedrock]\naws_access_key_id = AKIABEDROCKBEDROCK01\naws_secret_access_key = s\n\
                               [default]\naws_access_key_id = AKIADEFAULTDEFAULT02\naws_secret_access_key = s\n";
    const CONFIG: &str = "[profile cc]\nsso_session = corp\nregion = eu-central-1\n\
                          [profile bedrock]\nregion = eu-west-1\n";
    const KEYS: [(&str, &str); 2] =
        [("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENTENV03"), ("AWS_SECRET_ACCESS_KEY", "s")];

    /// Profile, key, region and whether it fails.
    fn took(
        name: &str,
        env: &[(&str, &str)],
    ) -> (Option<String>, Option<String>, Option<String>, bool) {
        let consumer = Machine::new(CREDENTIALS, CONFIG).env(env).consumer(name);
        let fails = consumer.rule.contains("fails");
        (consumer.profile, consumer.access_key_id, consumer.region, fails)
    }

    fn with_keys<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        KEYS.into_iter().chain(more.iter().copied()).collect()
    }

    const BEDROCK: &str = "AKIA************CK01";
    const DEFAULT: &str = "AKIA************LT02";
    const ENVIRONMENT: &str = "AKIA************NV03";

    #[test]
    fn one_shell_has_two_identities_when_keys_stand_beside_a_profile() {
        let env = with_keys(&[("AWS_PROFILE", "cc"), ("AWS_REGION", "us-east-2")]);
        assert_eq!(
            took("boto3", &env),
            (None, Some(ENVIRONMENT.to_owned()), Some("eu-central-1".to_owned()), false)
        );
        assert_eq!(
            took("litellm", &env),
            (None, Some(ENVIRONMENT.to_owned()), Some("us-east-2".to_owned()), false)
        );
        assert_eq!(
            took("claude-code", &env),
            (Some("cc".to_owned()), None, Some("us-east-2".to_owned()), false)
        );
    }

    #[test]
    fn boto3_asks_for_its_default_profile_first_and_for_one_region_only() {
        let env = [("AWS_DEFAULT_PROFILE", "bedrock"), ("AWS_PROFILE", "cc"), ("AWS_REGION", "x")];
        assert_eq!(
            took("boto3", &env),
            (
                Some("bedrock".to_owned()),
                Some(BEDROCK.to_owned()),
                Some("eu-west-1".to_owned()),
                false
            )
        );
        assert_eq!(took("claude-code", &env).0, Some("cc".to_owned()));
        let env = [("AWS_DEFAULT_REGION", "y"), ("AWS_REGION", "x")];
        assert_eq!(
            took("boto3", &env),
            (Some("default".to_owned()), Some(DEFAULT.to_owned()), Some("y".to_owned()), false)
        );
    }

    #[test]
    fn a_profile_that_does_not_exist_breaks_even_keys_in_the_environment() {
        let env = with_keys(&[("AWS_PROFILE", "gone")]);
        assert_eq!(took("boto3", &env), (Some("gone".to_owned()), None, None, true));
        assert!(took("litellm", &env).3, "it makes a boto3 session of the keys");
        let env = with_keys(&[("AWS_PROFILE", "gone"), ("AWS_SESSION_TOKEN", "t")]);
        assert!(!took("litellm", &env).3);
        assert!(took("boto3", &with_keys(&[("AWS_PROFILE", "")])).3);
        // Empty is unset in JavaScript.
        assert_eq!(
            took("claude-code", &with_keys(&[("AWS_PROFILE", "")])).1,
            Some(ENVIRONMENT.to_owned())
        );
    }

    #[test]
    fn litellm_has_a_profile_variable_of_its_own_that_beats_keys() {
        let env = with_keys(&[("AWS_PROFILE_NAME", "bedrock"), ("AWS_PROFILE", "cc")]);
        assert_eq!(
            took("litellm", &env),
            (
                Some("bedrock".to_owned()),
                Some(BEDROCK.to_owned()),
                Some("eu-central-1".to_owned()),
                false
            )
        );
        let env = with_keys(&[
            ("AWS_PROFILE_NAME", "bedrock"),
            ("AWS_ROLE_NAME", "r"),
            ("AWS_REGION_NAME", "z"),
        ]);
        assert_eq!(took("litellm", &env), (None, None, Some("z".to_owned()), false));
    }

    #[test]
    fn a_bearer_token_comes_before_everything_and_empty_counts_for_boto3() {
        for name in ["boto3", "litellm", "claude-code"] {
            let env = with_keys(&[("AWS_BEARER_TOKEN_BEDROCK", "t")]);
            assert_eq!(took(name, &env).1, None, "{name}");
        }
        let env = with_keys(&[("AWS_BEARER_TOKEN_BEDROCK", "")]);
        assert!(took("boto3", &env).3);
        assert_eq!(took("litellm", &env).1, Some(ENVIRONMENT.to_owned()));
        assert_eq!(took("claude-code", &env).1, Some(ENVIRONMENT.to_owned()));
    }

    #[test]
    fn boto3_signs_in_where_the_others_take_the_keys() {
        let config = "[profile bedrock]\nsso_session = corp\n";
        let machine = Machine::new(CREDENTIALS, config).env(&[("AWS_PROFILE", "bedrock")]);
        assert_eq!(machine.consumer("boto3").access_key_id, None);
        assert_eq!(machine.consumer("claude-code").access_key_id.as_deref(), Some(BEDROCK));
        assert!(machine.codes().contains(&"boto3-differs"));
    }

    #[test]
    fn a_file_that_boto3_rejects_leaves_it_with_nothing() {
        let twice = format!("{CREDENTIALS}[default]\nregion = x\n");
        let boto3 = Machine::new(&twice, CONFIG).consumer("boto3");
        assert_eq!((boto3.access_key_id, boto3.region), (None, None));
        assert_eq!(boto3.rule, "fails: it cannot read /home/u/.aws/credentials:7");
        // A colon is as good as = to it.
        let colon = "[default]\naws_access_key_id = AKIADEFAULTDEFAULT02\naws_secret_access_key = s\nfoo: x\n";
        assert!(!Machine::new(colon, CONFIG).consumer("boto3").rule.contains("fails"));
    }
}
