//! Which credentials the toolkit's start script gives to `LiteLLM`, worked out from what the script reads.
//!
//! The script has readers of its own, which differ from AWS's and from ours, and two modes. This is a model of them, rule
//! by rule: [`reader`] has its view of the AWS files, [`findings`] what there is to say. tests/it/toolkit.rs compares it
//! with a script that plays the rules. Pure: the bytes come from [`crate::world`].

mod findings;
mod reader;
#[cfg(test)]
mod tests;

use std::ffi::OsStr;

use zeroize::Zeroizing;

pub use findings::{may_use_docker, plain_start, under_exec};

use crate::aws::{Credentials, FileKind, Kind, Profile, botocore};
use crate::resolve::{Identity, Inputs, Reason, describe};
use crate::secret::Secret;
use crate::toolkit_env::{ANTHROPIC_KEY, ToolkitEnv};
use crate::world::World;

const ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
const TOKEN: &str = "AWS_SESSION_TOKEN";
const API_KEY: &str = "AWS_BEARER_TOKEN_BEDROCK";

/// What the script takes where it finds no region.
const REGION: &str = "us-east-1";

/// What `LiteLLM` is started with.
#[derive(Debug, PartialEq, Eq)]
pub struct Start {
    /// The profile that was looked up, if one was.
    pub profile: Option<String>,
    pub taken: Taken,
    /// `AWS_REGION` natively, `AWS_DEFAULT_REGION` with Docker.
    pub region: String,
}

/// Credentials, or what becomes of the start.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    Keys(Credentials),
    ApiKey(Secret),
    /// `LiteLLM` starts without keys.
    Nothing,
    /// The script finds no credentials, and ends.
    NoStart,
    /// What the script does instead, or where the AWS CLI gets the profile's credentials: the end of a sentence.
    Other(String),
}

/// A variable's value in some environment.
pub type Lookup<'e> = &'e dyn Fn(&str) -> Option<&'e OsStr>;

/// What the script reads.
pub struct StartScript<'a> {
    /// `~/.backlog-toolkit-env`, its bytes and what they say, if it is there.
    file: Option<(&'a [u8], &'a ToolkitEnv)>,
    /// Of the home, wherever AWS's variables point.
    credentials: Option<Zeroizing<Vec<u8>>>,
    config: Option<Zeroizing<Vec<u8>>>,
}

impl<'a> StartScript<'a> {
    pub fn of(world: &'a World, inputs: &'a Inputs<'_>) -> Self {
        let bytes = world.toolkit_env.as_ref().and_then(|file| file.bytes());
        Self {
            file: bytes.map(|bytes| (bytes, &inputs.toolkit_env.1)),
            credentials: world.aws_file_in_home(FileKind::Credentials),
            config: world.aws_file_in_home(FileKind::Config),
        }
    }

    /// The mode without Docker.
    pub fn native(&self, env: Lookup<'_>) -> Start {
        const NAMES: [&str; 6] = ["BACKLOG_AWS_PROFILE", "AWS_PROFILE", ID, SECRET, TOKEN, API_KEY];
        let get = |name: &str| self.sourced(name, env);
        let (mut id, mut secret, mut region) = (get(ID), get(SECRET), get("AWS_REGION"));
        let mut profile = None;
        if self.wants_keys(ID, &id) || self.wants_keys(SECRET, &secret) {
            let wanted = NAMES[..2].iter().map(|name| get(name)).find(|name| !name.is_empty());
            if let Some(found) = self.read_aws_files(&wanted.unwrap_or_default()) {
                id = found.id.unwrap_or(id);
                secret = found.secret.unwrap_or(secret);
                region = found.region.filter(|_| !id.is_empty()).unwrap_or(region);
                profile = Some(found.profile);
            }
        }
        let (api_key, session) = (get(API_KEY), get(TOKEN));
        let no_keys = is_blank(&id) || is_blank(&secret);
        let found = |name: &str| self.file.and_then(|(_, file)| file.find(name));
        let unknown = |name: &&&str| matches!(found(name), Some(Err(_)));
        let set = |name: &&&str| env(name).is_some() || found(name).is_some();
        let taken = if let Some(name) = NAMES.iter().find(unknown) {
            Taken::Other(format!("goes by {name} in its file, which needs a shell to read"))
        } else if no_keys && is_blank(&get(ANTHROPIC_KEY)) {
            Taken::NoStart
        } else if !api_key.is_empty() {
            Taken::ApiKey(Secret::new(api_key))
        } else if no_keys {
            Taken::Nothing
        } else if let Some(name) = ["AWS_ROLE_NAME", "AWS_PROFILE_NAME"].iter().find(set) {
            Taken::Other(format!("has LiteLLM go by {name}"))
        } else {
            keys(id, secret, session)
        };
        Start { profile, taken, region: filled(region, REGION) }
    }

    /// The mode with Docker. The AWS CLI is told the profile's name, and then it looks at no variables.
    pub fn docker(env: Lookup<'_>, inputs: &Inputs<'_>, world: &World) -> Start {
        let get = |name: &str| text(env(name));
        let name = filled(get("AWS_PROFILE"), "default");
        let readable = inputs.boto3_rejects(world).is_none();
        let profile = inputs.profiles.get(&name).filter(|_| readable);
        if let Some((profile, taken)) = profile.and_then(|found| Some((found, by_cli(found)?))) {
            let region = profile.region().unwrap_or(REGION).to_owned();
            return Start { profile: Some(name), taken, region };
        }
        let has_keys = ![ID, SECRET].iter().any(|name| get(name).is_empty());
        let taken = if has_keys { keys(get(ID), get(SECRET), get(TOKEN)) } else { Taken::Nothing };
        Start { profile: None, taken, region: filled(get("AWS_DEFAULT_REGION"), REGION) }
    }

    /// A variable once the script has sourced its file. What cannot be told counts as empty.
    fn sourced(&self, name: &str, env: Lookup<'_>) -> String {
        match self.file.and_then(|(_, file)| file.find(name)) {
            Some(value) => String::from_utf8_lossy(value.unwrap_or_default()).into_owned(),
            None => text(env(name)),
        }
    }

    /// Whether the script looks for keys in the AWS files: its file names the variable, be it in a comment, and it is empty.
    fn wants_keys(&self, name: &str, value: &str) -> bool {
        let names = |bytes: &[u8]| bytes.windows(name.len()).any(|at| at == name.as_bytes());
        is_blank(value) && self.file.is_some_and(|(bytes, _)| names(bytes))
    }
}

fn text(value: Option<&OsStr>) -> String {
    value.unwrap_or_default().to_string_lossy().into_owned()
}

fn filled(value: String, otherwise: &str) -> String {
    if value.is_empty() { otherwise.to_owned() } else { value }
}

/// The script takes two quotes for nothing too.
fn is_blank(value: &str) -> bool {
    value.is_empty() || value == "''"
}

fn keys(access_key_id: String, secret: String, token: String) -> Taken {
    Taken::Keys(Credentials {
        access_key_id,
        secret_access_key: Secret::new(secret),
        session_token: Some(Secret::new(token)).filter(|token| !token.is_empty()),
        expires_at: None,
    })
}

/// What `aws configure export-credentials` gives for a profile, if anything.
fn by_cli(profile: &Profile<'_>) -> Option<Taken> {
    let otherwise = botocore::other_identity(profile).map(|(otherwise, _)| otherwise.to_owned());
    match profile.kind() {
        _ if otherwise.is_some() => otherwise.map(Taken::Other),
        Kind::Static | Kind::Temporary => profile.credentials().map(Taken::without_end),
        Kind::Partial | Kind::Empty => None,
        kind => Some(Taken::Other(describe(&Reason::Kind(kind)))),
    }
}

impl Taken {
    /// Keys, whenever they end.
    fn without_end(credentials: Credentials) -> Self {
        Self::Keys(Credentials { expires_at: None, ..credentials })
    }

    /// What a child of `exec` has.
    fn of(identity: &Identity) -> Self {
        match (identity.credentials(), identity.api_key()) {
            (Some(credentials), _) => Self::without_end(credentials.clone()),
            (None, Some(key)) => Self::ApiKey(key.token.clone()),
            (None, None) => Self::Nothing,
        }
    }
}
