//! What a child process gets and loses.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};

use crate::aws::botocore;
use crate::error::Failure;
use crate::resolve::{Answer, Identity, Inputs, Resolution};
use crate::sealed::Sealed;
use crate::secret::mask_key_id;
use crate::session::Variable;
use crate::text::visible;
use crate::world::{Environment, OWN_FILES, World, own_files};

/// A value for the child, and whether it may be shown.
#[derive(Clone)]
pub enum Value {
    Plain(OsString),
    KeyId(String),
    Secret(crate::secret::Secret),
}

impl Value {
    pub fn text(&self) -> &OsStr {
        match self {
            Self::Plain(text) => text,
            Self::KeyId(id) => OsStr::new(id),
            Self::Secret(secret) => OsStr::new(secret.reveal()),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Plain(text) => visible(text),
            Self::KeyId(id) => mask_key_id(id),
            Self::Secret(_) => "********".to_owned(),
        }
    }
}

/// Variables that make one AWS client or another use an identity of its own. Left in place, each of them gave at least
/// one of boto3, `LiteLLM`, the AWS CLI and the AWS SDKs other credentials than the chosen ones. They are removed and not
/// blanked: to botocore and `LiteLLM` an empty bearer token still means bearer authentication.
const IDENTITY: [&str; 30] = [
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_ACCOUNT_ID",
    "AWS_AUTH_SCHEME_PREFERENCE",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_CREDENTIAL_FILE",
    "AWS_CREDENTIAL_SCOPE",
    "AWS_DEFAULT_PROFILE",
    "AWS_DEFAULT_REGION",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_EXTERNAL_ID",
    "AWS_PROFILE",
    "AWS_PROFILE_NAME",
    "AWS_REGION",
    "AWS_ROLE_ARN",
    "AWS_ROLE_NAME",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_EXPIRATION",
    "AWS_SESSION_NAME",
    "AWS_SESSION_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "BEDROCK_MANTLE_API_KEY",
    "BEDROCK_MANTLE_REGION",
    "BOTO_CONFIG",
    "SECRET_ACCESS_KEY",
];

/// The same for containers and API keys of single services, where AWS adds names over time.
const IDENTITY_PREFIXES: [&str; 2] = ["AWS_CONTAINER_", "AWS_BEARER_TOKEN_"];

/// Variables that stay, because they move where requests go and not who sends them, and are worth seeing.
const ENDPOINT_PREFIX: &str = "AWS_ENDPOINT_URL";

/// Whether a variable says who somebody is, to an AWS client or to us.
pub fn is_identity(name: &OsStr) -> bool {
    let name = name.to_str().unwrap_or_default();
    IDENTITY.contains(&name)
        || IDENTITY_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        // What is left of this shell's hook would not go with what is set.
        || Variable::NAMES.contains(&name)
        || OWN_FILES.iter().any(|(_, own)| *own == name)
}

/// The difference between this process's environment and the child's.
pub struct Handover {
    pub set: Vec<(&'static str, Value)>,
    pub removed: Vec<OsString>,
    /// The profile whose name is kept from the child, because by name it would not get the keys: what boto3 does instead.
    unnamed: Option<(String, String)>,
}

impl Handover {
    /// What `exec` does with an answer.
    ///
    /// # Errors
    ///
    /// There are no usable credentials.
    pub fn of(
        resolution: &Resolution,
        inputs: &Inputs<'_>,
        world: &World,
        with_profile: bool,
        sealed: Option<&Sealed>,
    ) -> Result<Self, Failure> {
        let env = &world.env;
        let files = sealed.map_or_else(|| own_files(env), |sealed| sealed.variables.clone());
        let mut set: Vec<_> =
            files.into_iter().map(|(name, value)| (name, Value::Plain(value))).collect();
        let (source, identity) = match &resolution.answer {
            Answer::Usable { source, identity } => (source, identity),
            // Anthropic's own API needs nothing of AWS.
            Answer::Nothing if inputs.anthropic_key => return Ok(Self::new(set, env, None)),
            Answer::Nothing | Answer::Unusable { .. } => return Err(Failure::Explained),
        };
        match identity {
            _ if sealed.is_some() => {}
            Identity::Profile { credentials, .. } | Identity::Keys(credentials) => {
                set.extend([
                    ("AWS_ACCESS_KEY_ID", Value::KeyId(credentials.access_key_id.clone())),
                    ("AWS_SECRET_ACCESS_KEY", Value::Secret(credentials.secret_access_key.clone())),
                ]);
                let token = credentials.session_token.clone().map(Value::Secret);
                set.extend(token.map(|token| ("AWS_SESSION_TOKEN", token)));
            }
            Identity::BearerToken(key) => {
                set.push(("AWS_BEARER_TOKEN_BEDROCK", Value::Secret(key.token.clone())));
            }
        }
        let region = &resolution.region.name;
        for name in ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_REGION_NAME"] {
            set.push((name, Value::Plain(region.clone())));
        }
        let unnamed = identity.profile().filter(|_| sealed.is_none()).and_then(|name| {
            let otherwise = botocore::other_identity(inputs.profiles.get(name)?);
            let rejects = || Some(format!("cannot read {}", inputs.boto3_rejects(world)?));
            let instead = otherwise.map(|(instead, _)| instead.to_owned()).or_else(rejects)?;
            Some((name.to_owned(), instead))
        });
        if let Some(profile) = identity.profile() {
            if with_profile && unnamed.is_none() {
                set.push(("AWS_PROFILE", Value::Plain(profile.into())));
            }
            // Only the toolkit reads this one.
            set.push((Variable::Profile.name(), Value::Plain(profile.into())));
        }
        set.push((Variable::Region.name(), Value::Plain(region.clone())));
        set.push((Variable::Source.name(), Value::Plain(source.name().into())));
        Ok(Self::new(set, env, unnamed))
    }

    fn new(
        set: Vec<(&'static str, Value)>,
        env: &Environment,
        unnamed: Option<(String, String)>,
    ) -> Self {
        let is_set = |name: &OsStr| set.iter().any(|(set, _)| name == *set);
        let foreign = env.names().filter(|name| is_identity(name) && !is_set(name));
        let mut removed: Vec<OsString> = foreign.map(OsStr::to_owned).collect();
        removed.sort();
        Self { set, removed, unnamed }
    }

    /// A variable of the child, whose other variables are those of `env`.
    pub fn value_of<'e>(&'e self, name: &str, env: &'e Environment) -> Option<&'e OsStr> {
        let set = self.set.iter().find(|(set, _)| *set == name);
        let kept = || env.get(name).filter(|_| !self.removed.iter().any(|removed| removed == name));
        set.map(|(_, value)| value.text()).or_else(kept)
    }

    /// What `--dry-run` prints: the difference to `env`, with secrets masked.
    pub fn show(&self, env: &Environment, out: &mut dyn Write) -> io::Result<()> {
        for (name, value) in &self.set {
            writeln!(out, "set     {name}={}", value.shown())?;
        }
        for name in &self.removed {
            writeln!(out, "remove  {}", visible(name))?;
        }
        if let Some((profile, instead)) = &self.unnamed {
            writeln!(
                out,
                "omit    AWS_PROFILE: given the name {}, boto3 {instead}",
                visible(profile)
            )?;
        }
        let moves = |name: &&OsStr| name.to_string_lossy().starts_with(ENDPOINT_PREFIX);
        for name in env.names().filter(moves) {
            writeln!(out, "keep    {}, which moves where requests go", visible(name))?;
        }
        writeln!(out, "keep    everything else")
    }
}
