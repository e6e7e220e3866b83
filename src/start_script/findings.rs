//! What there is to say about the start script: where it ends with other credentials or another region than the answer.

use std::ffi::OsStr;

use super::{API_KEY, ID, Lookup, SECRET, Start, StartScript, TOKEN, Taken, keys};
use crate::finding::{Code, Finding, Place};
use crate::handover::Handover;
use crate::resolve::{Identity, Inputs, Resolution};
use crate::session::Variable;
use crate::text::{comment_out, visible};
use crate::world::{Environment, World, on_path};

/// Whether the script may start containers, as far as the environment tells: it does when a Docker engine answers.
pub fn may_use_docker(env: &Environment) -> bool {
    let native = env.get("BACKLOG_NATIVE_MODE").is_some_and(|value| value == "true");
    !native && on_path(env, OsStr::new("docker")).is_some()
}

/// What a start without `exec`, in a shell with the hook, does otherwise than the answer says.
pub fn plain_start(world: &World, inputs: &Inputs<'_>, resolution: &Resolution) -> Option<Finding> {
    let (script, answer) = (StartScript::of(world, inputs), &resolution.answer);
    let env = |name: &str| match answer.source() {
        Some(_) if name == Variable::Profile.name() => answer.profile(),
        _ => world.env.get(name),
    };
    let start = script.native(&env);
    let (_, deviates) = start.deviation(inputs, resolution)?;
    let run = "start it with `backlog-aws exec -- ./scripts/services/start-services.sh`";
    let remedy = match answer.identity() {
        // It falls through to others where we refuse.
        None if !matches!(start.taken, Taken::Keys(_) | Taken::ApiKey(_)) => return None,
        Some(identity @ Identity::Profile { name, .. }) if script.finds(name, identity) => format!(
            "{run}, or add export {ID}='' and export {SECRET}='' to {}",
            visible(&inputs.toolkit_env.0)
        ),
        Some(Identity::BearerToken(_)) => API_KEYS.to_owned(),
        _ => run.to_owned(),
    };
    let message = format!("a plain start of the toolkit {deviates}");
    Some(Finding::warning(Code::PlainStart, message).remedy(remedy))
}

const API_KEYS: &str = "run `backlog-aws exec -- litellm`, or choose a profile with keys; `backlog-aws check` tries the key";

/// What becomes of credentials that `exec` hands to the start script, natively or with `docker`.
pub fn under_exec(
    world: &World,
    inputs: &Inputs<'_>,
    resolution: &Resolution,
    handover: &Handover,
    docker: bool,
) -> Option<Finding> {
    let script = StartScript::of(world, inputs);
    let env = |name: &str| handover.value_of(name, &world.env);
    let start = if docker { StartScript::docker(&env, inputs, world) } else { script.native(&env) };
    let (others, deviates) = start.deviation(inputs, resolution)?;
    let warning =
        |code, how| Finding::warning(code, format!("{how}the toolkit's start script {deviates}"));
    let api_key = resolution.answer.identity().is_some_and(|found| found.api_key().is_some());
    let code = if others { Code::ToolkitEnvOverrides } else { Code::ToolkitRegion };
    Some(match script.comment_out(&env, inputs) {
        _ if others && api_key => warning(Code::ToolkitApiKey, "").remedy(API_KEYS),
        _ if docker => warning(if others { Code::ToolkitDocker } else { code }, "with Docker, ")
            .remedy("set BACKLOG_NATIVE_MODE=true for it"),
        Some((at, remedy)) => warning(code, "").at(at).remedy(remedy),
        None => warning(code, ""),
    })
}

impl Start {
    /// What is not as it is chosen, as the end of a sentence about the script, and whether it is the credentials.
    fn deviation(&self, inputs: &Inputs<'_>, resolution: &Resolution) -> Option<(bool, String)> {
        let (identity, region) = (resolution.answer.identity(), visible(&resolution.region.name));
        let what = match identity {
            None => "nothing usable is".to_owned(),
            Some(Identity::Profile { name, .. }) => format!("profile '{name}' is"),
            Some(Identity::Keys(_)) => "other keys are".to_owned(),
            Some(Identity::BearerToken(_)) => "a Bedrock API key is".to_owned(),
        };
        if !self.gives(identity, inputs) {
            let does = self.does(inputs, identity);
            return Some((true, format!("{does}, though {what} chosen")));
        }
        let message = format!("takes region {}, though {region} is chosen", visible(&self.region));
        let other = identity.is_some() && *self.region != *resolution.region.name.to_string_lossy();
        other.then_some((false, message))
    }

    /// Whether these are the credentials that the script ends with. What the AWS CLI gets for a profile without keys is
    /// what `exec` got from it.
    pub fn gives(&self, identity: Option<&Identity>, inputs: &Inputs<'_>) -> bool {
        let asked = matches!(self.taken, Taken::Other(_))
            && identity.and_then(Identity::profile).is_some_and(|name| {
                let found = inputs.profiles.get(name);
                self.profile.as_deref() == Some(name)
                    && found.is_some_and(|profile| !profile.kind().has_keys())
            });
        asked || self.taken == identity.map_or(Taken::Nothing, Taken::of)
    }

    /// What the script does instead, as the end of a sentence about it.
    pub fn does(&self, inputs: &Inputs<'_>, chosen: Option<&Identity>) -> String {
        let same = self.profile.as_deref() == chosen.and_then(Identity::profile);
        match (&self.taken, self.profile.as_ref().map(visible)) {
            (Taken::Keys(_), Some(name)) if same => {
                format!("takes '{name}' from ~/.aws without a session token")
            }
            (Taken::Keys(_), Some(name)) => format!("takes profile '{name}'"),
            (Taken::Keys(_), None) if inputs.toolkit_env.1.get(ID).is_some() => {
                format!("takes the keys in {}", visible(&inputs.toolkit_env.0))
            }
            (Taken::Keys(_), None) => "takes the keys in the environment".to_owned(),
            (Taken::ApiKey(_), _) => "takes a Bedrock API key".to_owned(),
            (Taken::NoStart, _) => "ends with \"No API credentials found\"".to_owned(),
            (Taken::Nothing, _) => "starts LiteLLM without AWS keys".to_owned(),
            (Taken::Other(what), Some(name)) => format!("takes profile '{name}', which {what}"),
            (Taken::Other(what), None) => what.clone(),
        }
    }
}

impl StartScript<'_> {
    /// The command that makes comments of the lines that undo what is in the environment, and the first of them. Lines
    /// that empty the keys do, as the script then looks elsewhere.
    fn comment_out(&self, env: Lookup<'_>, inputs: &Inputs<'_>) -> Option<(Place, String)> {
        let names = [ID, SECRET, TOKEN, API_KEY, "AWS_ROLE_NAME", "AWS_PROFILE_NAME", "AWS_REGION"];
        let (path, file) = &inputs.toolkit_env;
        let undoes = |name: &&&str| self.sourced(name, env) != super::text(env(name));
        let mut lines: Vec<usize> =
            names.iter().filter(undoes).flat_map(|name| file.lines_of(name)).collect();
        lines.sort_unstable();
        lines.dedup();
        Some((Place::line(path, *lines.first()?), comment_out(path, &lines)))
    }

    /// Whether empty key lines in its file are enough for this profile.
    fn finds(&self, name: &str, identity: &Identity) -> bool {
        let found = self.read_aws_files(name).and_then(|found| Some((found.id?, found.secret?)));
        found.is_some_and(|(id, secret)| keys(id, secret, String::new()) == Taken::of(identity))
    }
}
