//! Who uses what here: the identity and region that each AWS client would take in this shell's environment, worked out
//! from the environment and the files, offline.
//!
//! The rules were read in, and tried on, botocore 1.44 (credentials.py, configprovider.py), `LiteLLM` 1.109
//! (`llms/bedrock/base_aws_llm.py`) and the AWS SDK for JavaScript 3.97x (credential-provider-node and -ini).

use serde::Serialize;

use super::case::Case;
use crate::aws::{Kind, Profile, account, botocore};
use crate::handover::Handover;
use crate::resolve::{FALLBACK_REGION, Identity, describe, usable};
use crate::secret::mask_key_id;
use crate::start_script::{Start, StartScript, Taken};
use crate::text::visible;

const ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
const TOKEN: &str = "AWS_BEARER_TOKEN_BEDROCK";

/// One AWS client.
#[derive(Debug, Default, Serialize)]
pub struct Client {
    pub name: &'static str,
    /// The profile it would take, if it takes one.
    pub profile: Option<String>,
    /// The access key id it would take, masked, if that can be told without asking anybody.
    pub access_key_id: Option<String>,
    /// The account of that key or profile, as far as they tell.
    pub account: Option<String>,
    pub region: Option<String>,
    /// What decides, in words.
    pub rule: String,
}

impl Client {
    fn rule(rule: impl Into<String>) -> Self {
        Self { rule: rule.into(), ..Self::default() }
    }

    /// The same, after another rule led there.
    fn after(self, first: &str) -> Self {
        Self { rule: format!("{first}: {}", self.rule), ..self }
    }
}

pub fn clients(case: &Case<'_>) -> [Client; 6] {
    let (named, of_claude) = (boto3_named(case).map(|(_, name)| name), shown(case, "AWS_PROFILE"));
    let region = |variables: &[&str], name: &Option<String>, otherwise: Option<&str>| {
        let set = variables.iter().find_map(|variable| shown(case, variable));
        let profile = case.inputs.profiles.get(name.as_deref().unwrap_or("default"));
        let of_profile = || profile?.region().map(visible);
        set.or_else(of_profile).or_else(|| otherwise.map(str::to_owned))
    };
    let of_litellm = ["AWS_REGION_NAME", "AWS_REGION", "AWS_DEFAULT_REGION"];
    let [native, docker, under_exec] = toolkit(case);
    let row = |name, region, client: &dyn Fn(&Case<'_>) -> Client| {
        let key = case.inputs.environment.identity.as_ref().and_then(Identity::api_key);
        let account = key.and_then(|key| key.account.clone());
        let bearer =
            || Client { account, ..Client::rule(format!("{TOKEN} comes before everything else")) };
        let client = if case.is_filled(TOKEN) { bearer() } else { client(case) };
        Client { name, region, ..client }
    };
    [
        native,
        docker,
        under_exec,
        row("litellm", region(&of_litellm, &named, Some("us-west-2")), &litellm),
        row("boto3", region(&["AWS_DEFAULT_REGION"], &named, None), &boto3),
        row(
            "claude-code",
            region(&["AWS_REGION"], &of_claude, Some(FALLBACK_REGION)),
            &claude_code,
        ),
    ]
}

/// What the toolkit's start script would give to `LiteLLM`.
fn toolkit(case: &Case<'_>) -> [Client; 3] {
    let Case { world, inputs, resolution, .. } = case;
    let (script, identity) = (StartScript::of(world, inputs), resolution.answer.identity());
    let row = |name, start: &Start| {
        let id = match &start.taken {
            Taken::Keys(keys) => Some(&*keys.access_key_id),
            _ => None,
        };
        Client {
            name,
            profile: start.profile.as_ref().map(visible),
            access_key_id: id.map(mask_key_id),
            account: id.and_then(account::of_key_id),
            region: id.map(|_| visible(&start.region)),
            rule: start.does(inputs, identity),
        }
    };
    let plain = |name: &str| world.env.get(name);
    let mut under_exec = Client { name: "under exec", ..Client::rule("exec refuses") };
    if let Ok(handover) = Handover::of(resolution, inputs, world, true, None) {
        let start = script.native(&|name| handover.value_of(name, &world.env));
        under_exec = row("under exec", &start);
        if let Some(source) = resolution.answer.source().filter(|_| start.gives(identity, inputs)) {
            source.name().clone_into(&mut under_exec.rule);
            under_exec.profile = resolution.answer.profile().map(visible);
        }
    }
    let docker = StartScript::docker(&plain, inputs, world);
    let native = script.native(&plain);
    [row("plain start, native", &native), row("plain start, Docker", &docker), under_exec]
}

fn litellm(case: &Case<'_>) -> Client {
    if case.world.env.get("AWS_ROLE_NAME").is_some() {
        Client::rule("AWS_ROLE_NAME, a role to assume, comes before profiles and keys")
    } else if let Some(name) = shown(case, "AWS_PROFILE_NAME") {
        boto3_profile(case, Some(&name)).after("AWS_PROFILE_NAME comes before keys")
    } else if case.is_filled(ID) && case.is_filled(SECRET) {
        environment_keys(case)
    } else {
        boto3(case).after("asks boto3")
    }
}

/// boto3 as it is called without a profile.
fn boto3(case: &Case<'_>) -> Client {
    if let Some(place) = case.inputs.boto3_rejects(case.world) {
        return Client::rule(format!("fails: it cannot read {place}"));
    }
    let missing = |name: &str| case.inputs.profiles.get(name).is_none();
    match (boto3_named(case), case.is_filled(ID), case.is_filled(SECRET)) {
        // A profile named by the environment must exist even if it is not used.
        (Some((variable, name)), has_id, _) if !has_id || missing(&name) => {
            boto3_profile(case, Some(&name)).after(variable)
        }
        (_, true, true) => environment_keys(case),
        (_, true, false) => Client::rule(format!("fails: {ID} is there without {SECRET}")),
        (_, false, _) => boto3_profile(case, None),
    }
}

fn boto3_profile(case: &Case<'_>, name: Option<&str>) -> Client {
    // Of what a profile has, only a role comes before the variables of a web identity.
    let found = case.inputs.profiles.get(name.unwrap_or("default"));
    let role = found.is_some_and(|profile| profile.non_empty("role_arn").is_some());
    if !role && case.is_filled("AWS_WEB_IDENTITY_TOKEN_FILE") {
        return Client::rule("AWS_WEB_IDENTITY_TOKEN_FILE comes before what the profile has");
    }
    profile(case, name, |profile| Some(botocore::other_identity(profile)?.0))
}

/// The variable that names a profile, and the name.
fn boto3_named(case: &Case<'_>) -> Option<(&'static str, String)> {
    let mut names = ["AWS_DEFAULT_PROFILE", "AWS_PROFILE"].into_iter();
    names.find_map(|name| Some((name, visible(case.world.env.get(name)?))))
}

fn claude_code(case: &Case<'_>) -> Client {
    let name = shown(case, "AWS_PROFILE");
    let mut client = if name.is_none() && case.is_filled(ID) && case.is_filled(SECRET) {
        environment_keys(case)
    } else {
        // The JavaScript SDK asks for a role first, then for keys, then for everything else.
        let role = |profile: &Profile<'_>| profile.also().contains(&Kind::AssumeRole);
        let client = profile(case, name.as_deref(), |of| role(of).then_some("assumes its role"));
        if name.is_some() { client.after("AWS_PROFILE") } else { client }
    };
    if !case.is_filled("CLAUDE_CODE_USE_BEDROCK") {
        client.rule += " (if its settings turn Bedrock on; this shell does not)";
    }
    client
}

/// A profile, or the default one, where `otherwise` tells what a client does with one that has keys if it does not take
/// those.
fn profile(
    case: &Case<'_>,
    name: Option<&str>,
    otherwise: impl Fn(&Profile<'_>) -> Option<&'static str>,
) -> Client {
    let Some(profile) = case.inputs.profiles.get(name.unwrap_or("default")) else {
        return match name.map(str::to_owned) {
            None => Client::rule(
                "no profile is named or called 'default': a machine's role, or nothing",
            ),
            profile => Client { profile, ..Client::rule("fails: there is no such profile") },
        };
    };
    let other = otherwise(profile);
    let rule = match (other, usable(profile, case.inputs.now)) {
        (Some(other), _) => other.to_owned(),
        (None, Ok(_)) => "its keys".to_owned(),
        (None, Err(reason)) => format!("it {}", describe(&reason)),
    };
    let key_id = profile.access_key_id().filter(|_| profile.kind().has_keys());
    let client = Client {
        profile: Some(profile.name().to_owned()),
        access_key_id: key_id.filter(|_| other.is_none()).map(mask_key_id),
        account: case.inputs.account_of_profile(profile).filter(|_| other.is_none()),
        ..Client::rule(rule)
    };
    if name.is_some() { client } else { client.after("no profile is named") }
}

fn environment_keys(case: &Case<'_>) -> Client {
    let id = shown(case, ID);
    let account = id.as_deref().and_then(account::of_key_id);
    let access_key_id = id.as_deref().map(mask_key_id);
    Client { access_key_id, account, ..Client::rule("keys in the environment") }
}

/// A variable's value, fit to be shown.
fn shown(case: &Case<'_>, name: &str) -> Option<String> {
    case.world.env.non_empty(name).map(visible)
}
