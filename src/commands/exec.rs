//! `exec`: becomes another program, with the credentials in its environment and nowhere else.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::{Done, Failure, choose, hook};
use crate::aws::botocore;
use crate::cli;
use crate::notice::{Notice, visible};
use crate::overrides::{is_region_name, place};
use crate::resolve::{Answer, Identity, Inputs, Resolution, Source, resolve};
use crate::secret::mask_key_id;
use crate::session::{Claims, Variable};
use crate::toolkit_env::ToolkitEnv;
use crate::world::{Content, SourceFile, World, reason};

/// Resolves afresh and replaces this process by the command.
pub fn run(args: &cli::Exec, world: &World, out: &mut dyn Write) -> Done {
    let resolution = chosen(&args.choice, Some("Profile for this command"), world)?;
    let handover = Handover::of(&resolution, world, !args.no_profile)?;
    warn_of_toolkit_env(&handover, world);
    if args.dry_run {
        handover.show(out)?;
        return Ok(0);
    }
    let Some((program, arguments)) = args.command.split_first() else {
        return Err(Failure::Usage("there is no command to run; write it after `--`".to_owned()));
    };
    let notices: Vec<Notice> =
        resolution.notices.iter().filter(|notice| notice.concerns_exec()).cloned().collect();
    hook::say(&notices, world, &mut io::stderr().lock());
    let mut command = Command::new(program);
    command.args(arguments);
    for name in &handover.removed {
        command.env_remove(name);
    }
    for (name, value) in &handover.set {
        command.env(name, value.text());
    }
    // Same process, so that signals, the exit status and the process id are the command's own.
    let error = command.exec();
    let program = visible(program);
    Err(match error.kind() {
        io::ErrorKind::NotFound => {
            Failure::NotFound(format!("{program}: not found; is it on PATH?"))
        }
        io::ErrorKind::ArgumentListTooLong => Failure::NotExecutable(format!(
            "{program} cannot be run: argument list too long; pass fewer arguments, or unset large variables"
        )),
        _ => Failure::NotExecutable(format!("{program} cannot be run: {}", reason(&error))),
    })
}

/// The answer for one command: what the chain says, with `--profile` and `--region` as pins. When it is unusable and
/// there is a terminal, the user may choose if there is a `question` to put to them.
///
/// # Errors
///
/// There are no usable credentials; the text says why and what to do.
pub fn chosen(
    choice: &cli::Choice,
    question: Option<&str>,
    world: &World,
) -> Result<Resolution, Failure> {
    let profiles = world.profiles();
    let claimed = world.claims();
    // Inside another `exec` the region is the one that was worked out for its profile, and no word about another's.
    let handed_down = world.state().is_none()
        && world.env.get(Variable::Source.name()).and_then(Source::from_word).is_some();
    let of_another = handed_down && choice.profile.is_some() && choice.profile != claimed.pin;
    let claimed_region = claimed.region_pin.clone().filter(|_| !of_another);
    let claims = |profile: Option<OsString>| Claims {
        pin: profile.or_else(|| choice.profile.clone()).or_else(|| claimed.pin.clone()),
        region_pin: choice.region.clone().or_else(|| claimed_region.clone()),
        ..claimed.clone()
    };
    if choice.profile.as_ref().is_some_and(|profile| profile.is_empty()) {
        return Err(Failure::Usage(
            "the name after --profile is empty; give one, or leave it out".to_owned(),
        ));
    }
    if choice.region.as_ref().is_some_and(|region| region.is_empty()) {
        return Err(Failure::Usage(
            "the name after --region is empty; give one, or leave it out".to_owned(),
        ));
    }
    if let Some(region) = &choice.region
        && !region.to_str().is_some_and(is_region_name)
    {
        return Err(Failure::Usage(format!(
            "'{}' after --region cannot be a region; write it like eu-west-1",
            visible(region)
        )));
    }
    let resolution = resolve(&Inputs::of(world, &profiles, claims(None)));
    let Some(refusal) = resolution.refusal() else {
        return Ok(resolution);
    };
    let refusal = refusal.clone();
    let Some(question) = question.filter(|_| choose::possible()) else {
        return Err(Failure::Problem(refusal.message));
    };
    hook::say(&[refusal], world, &mut io::stderr().lock());
    let profile = choose::usable_profile(question, world).map_err(|failure| match failure {
        // The refusal has said it already.
        Failure::Problem(_) => Failure::Explained,
        other => other,
    })?;
    Ok(resolve(&Inputs::of(world, &profiles, claims(Some(profile.into())))))
}

/// Says when the toolkit's file would undo the handover. Its start scripts source it, after us.
fn warn_of_toolkit_env(handover: &Handover, world: &World) {
    let Some(SourceFile { path, content: Content::Read { bytes, .. }, .. }) = &world.toolkit_env
    else {
        return;
    };
    let found = handover.contradicted_by(&ToolkitEnv::parse(bytes));
    let (Some((_, first)), false) = (found.first(), hook::is_quiet(world)) else {
        return;
    };
    let names: Vec<&str> = found.iter().map(|(name, _)| *name).collect();
    // A closed standard error is no reason to fail.
    let _ = writeln!(
        io::stderr(),
        "backlog-aws: whatever sources the toolkit's file gets another {} than this command ({}); remove it there",
        names.join(", "),
        place(path, Some(*first)),
    );
}

/// A value for the child, and whether it may be shown.
#[derive(Clone)]
enum Value {
    Plain(OsString),
    KeyId(String),
    Secret(crate::secret::Secret),
}

impl Value {
    fn text(&self) -> &OsStr {
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
/// one of boto3, `LiteLLM`, the AWS CLI and the AWS SDK for JavaScript other credentials than the chosen ones. They are
/// removed and not blanked: to botocore and `LiteLLM` an empty bearer token still means bearer authentication.
const IDENTITY: [&str; 22] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_PROFILE_NAME",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_SESSION_EXPIRATION",
    "AWS_CREDENTIAL_FILE",
    "AWS_CREDENTIAL_SCOPE",
    "AWS_ACCOUNT_ID",
    "AWS_ROLE_NAME",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SESSION_NAME",
    "AWS_EXTERNAL_ID",
    "AWS_WEB_IDENTITY_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
];

/// The same for containers, where AWS adds names over time.
const IDENTITY_PREFIX: &str = "AWS_CONTAINER_";

/// The difference between this process's environment and the child's.
pub struct Handover {
    set: Vec<(&'static str, Value)>,
    removed: Vec<OsString>,
    /// The profile whose name is kept from the child, because by name it would not get the keys: what boto3 does instead.
    unnamed: Option<(String, &'static str)>,
}

impl Handover {
    /// What `exec` does with an answer.
    ///
    /// # Errors
    ///
    /// There are no usable credentials.
    pub fn of(resolution: &Resolution, world: &World, with_profile: bool) -> Result<Self, Failure> {
        let Answer::Usable { source, identity } = &resolution.answer else {
            return Err(Failure::Explained);
        };
        let mut set: Vec<(&'static str, Value)> = Vec::new();
        match identity {
            Identity::Profile { credentials, .. } | Identity::Keys(credentials) => {
                set.push(("AWS_ACCESS_KEY_ID", Value::KeyId(credentials.access_key_id.clone())));
                set.push((
                    "AWS_SECRET_ACCESS_KEY",
                    Value::Secret(credentials.secret_access_key.clone()),
                ));
                if let Some(token) = &credentials.session_token {
                    set.push(("AWS_SESSION_TOKEN", Value::Secret(token.clone())));
                }
            }
            Identity::BearerToken(token) => {
                set.push(("AWS_BEARER_TOKEN_BEDROCK", Value::Secret(token.clone())));
            }
        }
        let region = &resolution.region.name;
        for name in ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_REGION_NAME"] {
            set.push((name, Value::Plain(region.clone())));
        }
        let profiles = world.profiles();
        let unnamed = identity.profile().and_then(|name| {
            let (instead, _) = botocore::other_identity(profiles.get(name)?)?;
            Some((name.to_owned(), instead))
        });
        if let (Some(profile), None) = (identity.profile(), &unnamed) {
            if with_profile {
                set.push(("AWS_PROFILE", Value::Plain(profile.into())));
            }
            set.push((Variable::Profile.name(), Value::Plain(profile.into())));
        }
        set.push((Variable::Region.name(), Value::Plain(region.clone())));
        set.push((Variable::Source.name(), Value::Plain(source.word().into())));
        // Everything of ours goes too, so that nothing stale from this shell's hook is left beside what is set.
        let ours = Variable::EXPORTED.into_iter().chain([Variable::State]).map(Variable::name);
        let mut removed: Vec<OsString> = world
            .env
            .names()
            .filter(|name| {
                let text = name.to_str().unwrap_or_default();
                IDENTITY.contains(&text)
                    || text.starts_with(IDENTITY_PREFIX)
                    || ours.clone().any(|ours| ours == text)
            })
            .filter(|name| !set.iter().any(|(set, _)| set == name))
            .map(OsStr::to_owned)
            .collect();
        removed.sort();
        Ok(Self { set, removed, unnamed })
    }

    /// What the toolkit's file has otherwise, with the lines.
    pub fn contradicted_by(&self, file: &ToolkitEnv) -> Vec<(&'static str, usize)> {
        file.contradicts(|name| {
            let mut set = self.set.iter();
            set.find(|(set, _)| *set == name).map(|(_, value)| value.text())
        })
    }

    /// What `--dry-run` prints: the difference, with secrets masked.
    fn show(&self, out: &mut dyn Write) -> io::Result<()> {
        for (name, value) in &self.set {
            writeln!(out, "set     {name}={}", value.shown())?;
        }
        for name in &self.removed {
            writeln!(out, "remove  {}", visible(name))?;
        }
        if let Some((profile, instead)) = &self.unnamed {
            writeln!(
                out,
                "omit    AWS_PROFILE, BACKLOG_AWS_PROFILE: given the name {}, boto3 {instead}",
                visible(profile)
            )?;
        }
        writeln!(out, "keep    everything else")
    }
}
