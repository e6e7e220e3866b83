//! Each step, each outcome, each source of a region.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use jiff::Timestamp;
use strum::VariantArray;

use super::*;
use crate::aws::{ApiKey, AwsFile, Credentials, FileKind, Kind, Profiles};
use crate::finding::Code;
use crate::overrides::rules;
use crate::secret::Secret;
use crate::session::UserIntent;
use crate::source::Source;
use crate::toolkit_env::ToolkitEnv;

mod keys;

const CREDENTIALS: &str = "[luxito]\n\
    aws_access_key_id = AKIAI44QH8DHBEXAMPLE\naws_secret_access_key = luxitos\nregion = us-west-2\n\
    [bedrock]\n\
    aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = bedrocks\nregion = eu-west-1\n\
    [bare]\n\
    aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = bares\n\
    [fresh]\n\
    aws_access_key_id = ASIA1\naws_secret_access_key = s\naws_session_token = t\naws_expiration = 2026-01-01T12:10:00Z\n\
    [old]\n\
    aws_access_key_id = ASIA2\naws_secret_access_key = s\naws_session_token = t\naws_expiration = 2026-01-01T11:59:00Z\n\
    [half]\n\
    aws_access_key_id = AKIAIOSFODNN7EXAMPLE\n";
const CONFIG: &str = "[profile cc]\nsso_session = corp\nregion = eu-central-1\n\
    [profile role]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = bedrock\n\
    [profile program]\ncredential_process = /bin/x\n\
    [profile token]\nweb_identity_token_file = /x\n\
    [profile login]\nlogin_session = x\n\
    [profile nothing]\nregion = eu-west-2\n";

fn noon() -> Timestamp {
    "2026-01-01T12:00:00Z".parse().unwrap()
}

/// Resolves in the home above, with what `edit` adds.
fn resolved(edit: impl FnOnce(&mut Inputs<'_>)) -> Resolution {
    resolved_in(CREDENTIALS, CONFIG, edit)
}

fn resolved_in(credentials: &str, config: &str, edit: impl FnOnce(&mut Inputs<'_>)) -> Resolution {
    let files = [(FileKind::Credentials, credentials), (FileKind::Config, config)]
        .map(|(kind, text)| AwsFile { kind, path: Path::new("/aws"), bytes: text.as_bytes() });
    let profiles = Profiles::read(&files);
    let mut inputs = Inputs {
        intent: UserIntent::default(),
        directory: Directory::default(),
        toolkit_env: ("/home/u/.backlog-toolkit-env".into(), ToolkitEnv::default()),
        anthropic_key: false,
        environment: EnvironmentKeys::default(),
        aws_profile: None,
        profiles,
        overrides: Vec::new(),
        trust: None,
        toolkit_unreadable: None,
        user_config: UserConfig::default(),
        aws_paths: ["/aws/credentials", "/aws/config"].map(|path| Some(path.into())),
        findings: Vec::new(),
        choose_with: USE,
        typed: false,
        temporary: None,
        now: noon(),
    };
    edit(&mut inputs);
    resolve(&inputs)
}

fn pinned(name: &str) -> Resolution {
    resolved(|inputs| inputs.intent.pin = Some(name.into()))
}

fn toolkit(inputs: &mut Inputs<'_>, text: &str) {
    inputs.toolkit_env.1 = ToolkitEnv::parse(text.as_bytes());
}

fn overridden(inputs: &mut Inputs<'_>, text: &str) {
    inputs.directory.decide("/p/.backlog-aws".as_ref(), text.as_bytes());
}

/// The user's own configuration, in the directory `/p`.
fn configured(inputs: &mut Inputs<'_>, text: &str) {
    let rules = rules::parse(text.as_bytes(), None)
        .map_err(|invalid| invalid.finding(Code::Unusable, "/config.ini".as_ref(), ""));
    let rule = rules.as_ref().ok().and_then(|rules| rules.for_directory(Path::new("/p/x")));
    inputs.user_config = UserConfig { path: "/config.ini".into(), rule: rule.cloned(), rules };
}

fn environment_keys(inputs: &mut Inputs<'_>) {
    inputs.environment = EnvironmentKeys {
        identity: Some(Identity::Keys(Credentials {
            access_key_id: "AKIAENVIRONMENT".to_owned(),
            secret_access_key: Secret::new("s"),
            session_token: None,
            expires_at: None,
        })),
        region: Some("sa-east-1".into()),
    };
}

/// Source, profile and region, in words.
#[track_caller]
fn assert_chosen(resolution: &Resolution, source: Source, profile: Option<&str>, region: &str) {
    assert!(matches!(resolution.answer, Answer::Usable { .. }), "{:?}", resolution.answer);
    assert_eq!(resolution.answer.source(), Some(source));
    assert_eq!(resolution.answer.profile(), profile.map(OsStr::new));
    assert_eq!(resolution.region.name, region);
    let sources: Vec<_> = resolution.candidates.iter().map(|c| c.source).collect();
    assert_eq!(sources, Source::VARIANTS);
    for candidate in &resolution.candidates {
        assert_eq!(candidate.outcome == Outcome::Chosen, candidate.source == source);
        assert_eq!(candidate.outcome == Outcome::NotReached, candidate.source > source);
    }
    assert!(resolution.refusal.is_none());
}

fn outcome(resolution: &Resolution, source: Source) -> Outcome {
    resolution.candidates[source as usize].outcome
}

fn codes(resolution: &Resolution) -> Vec<Code> {
    resolution.all_findings().iter().map(|notice| notice.code).collect()
}

#[test]
fn each_step_beats_those_after_it() {
    let everything = |inputs: &mut Inputs<'_>| {
        inputs.intent.pin = Some("bedrock".into());
        overridden(inputs, "profile = bare\n");
        configured(inputs, "profile = bedrock\n[/p]\nprofile = luxito\nregion = ap-south-1\n");
        inputs.intent.ambient = Some("luxito".into());
        toolkit(
            inputs,
            "BACKLOG_AWS_PROFILE=bedrock\nAWS_ACCESS_KEY_ID=AKIATOOLKIT\nAWS_SECRET_ACCESS_KEY=s\nAWS_REGION=eu-south-1\n",
        );
        environment_keys(inputs);
        inputs.aws_profile = Some("bedrock".into());
    };
    let without = |steps: usize| {
        resolved(|inputs| {
            everything(inputs);
            for step in 0..steps {
                match Source::VARIANTS[step] {
                    Source::Pin => inputs.intent.pin = None,
                    Source::Directory => inputs.directory.decided = None,
                    Source::Rule => inputs.user_config.rule = None,
                    Source::UserDefault => inputs.user_config = UserConfig::default(),
                    Source::Ambient => inputs.intent.ambient = None,
                    Source::ToolkitEnv => toolkit(
                        inputs,
                        "AWS_ACCESS_KEY_ID=AKIATOOLKIT\nAWS_SECRET_ACCESS_KEY=s\nAWS_REGION=eu-south-1\n",
                    ),
                    Source::ToolkitEnvKeys => toolkit(inputs, ""),
                    Source::EnvironmentKeys => inputs.environment = EnvironmentKeys::default(),
                    Source::AwsProfile => inputs.aws_profile = None,
                    Source::Default | Source::First => {}
                }
            }
        })
    };
    assert_chosen(&without(0), Source::Pin, Some("bedrock"), "ap-south-1");
    assert_chosen(&without(1), Source::Directory, Some("bare"), "ap-south-1");
    assert_chosen(&without(2), Source::Rule, Some("luxito"), "ap-south-1");
    assert_chosen(&without(3), Source::Ambient, Some("luxito"), "us-west-2");
    assert_chosen(&without(4), Source::ToolkitEnv, Some("bedrock"), "eu-west-1");
    assert_chosen(&without(5), Source::UserDefault, Some("bedrock"), "eu-west-1");
    assert_chosen(&without(6), Source::ToolkitEnvKeys, None, "eu-south-1");
    assert_chosen(&without(7), Source::EnvironmentKeys, None, "sa-east-1");
    assert_chosen(&without(8), Source::AwsProfile, Some("bedrock"), "eu-west-1");
    assert_chosen(&without(9), Source::First, Some("luxito"), "us-west-2");
    let with_default =
        format!("{CREDENTIALS}[default]\naws_access_key_id = A\naws_secret_access_key = b\n");
    let resolution = resolved_in(&with_default, "", |_| {});
    assert_chosen(&resolution, Source::Default, Some("default"), FALLBACK_REGION);
}

#[test]
fn the_users_own_word_never_falls_through() {
    type Say = fn(&mut Inputs<'_>);
    let words: [(Source, Say); 6] = [
        (Source::Pin, |inputs| inputs.intent.pin = Some("cc".into())),
        (Source::Directory, |inputs| {
            overridden(inputs, "profile = cc\n");
        }),
        (Source::Ambient, |inputs| {
            inputs.intent.ambient = Some("cc".into());
        }),
        (Source::ToolkitEnv, |inputs| {
            toolkit(inputs, "BACKLOG_AWS_PROFILE=cc\n");
        }),
        (Source::Rule, |inputs| configured(inputs, "[/p]\nprofile = cc\n")),
        (Source::UserDefault, |inputs| configured(inputs, "profile = cc\n")),
    ];
    for (source, say) in words {
        let resolution = resolved(|inputs| {
            environment_keys(inputs);
            inputs.aws_profile = Some("bedrock".into());
            say(inputs);
        });
        let Answer::Unusable { source: decided, profile, reason } = &resolution.answer else {
            panic!("{source:?}: {:?}", resolution.answer);
        };
        assert_eq!((*decided, profile.as_deref()), (source, Some(OsStr::new("cc"))));
        assert_eq!(*reason, Reason::Kind(Kind::Sso));
        assert_eq!(outcome(&resolution, source), Outcome::Sso);
        for &later in Source::VARIANTS.iter().filter(|later| **later > source) {
            assert_eq!(outcome(&resolution, later), Outcome::NotReached, "{source:?}");
        }
        let refusal = resolution.refusal.expect("it is refused");
        assert_eq!(refusal.code, Code::Unusable);
        assert!(refusal.message.starts_with("Profile 'cc' has no static credentials: it is SSO"));
        assert!(refusal.to_string().contains(" bedrock`"), "{}", refusal);
    }
}

#[test]
fn what_aws_profile_says_falls_through_with_a_notice() {
    for (name, expected, code) in [
        ("cc", Outcome::Sso, Code::AwsProfileSso),
        ("nowhere", Outcome::Missing, Code::AwsProfileMissing),
        ("role", Outcome::NoStaticCredentials, Code::AwsProfileUnusable),
        ("half", Outcome::NoStaticCredentials, Code::AwsProfileUnusable),
        ("old", Outcome::Expired, Code::AwsProfileUnusable),
    ] {
        let resolution = resolved(|inputs| inputs.aws_profile = Some(name.into()));
        assert_eq!(outcome(&resolution, Source::AwsProfile), expected, "{name}");
        assert_eq!(resolution.answer.profile(), Some(OsStr::new("luxito")), "{name}");
        assert_eq!(codes(&resolution), [code, Code::AutoDetected], "{name}");
    }
}

#[test]
fn every_kind_without_keys_has_its_outcome_and_its_words() {
    for (name, expected, words) in [
        ("cc", Outcome::Sso, "is SSO"),
        ("role", Outcome::NoStaticCredentials, "assumes a role"),
        ("program", Outcome::NoStaticCredentials, "uses credential_process"),
        ("token", Outcome::NoStaticCredentials, "uses a web identity token"),
        ("login", Outcome::NoStaticCredentials, "signs in with `aws login`"),
        ("half", Outcome::NoStaticCredentials, "has only half of a key pair"),
        ("nothing", Outcome::NoStaticCredentials, "has no credentials"),
        ("nowhere", Outcome::Missing, "it does not exist"),
        ("old", Outcome::Expired, "expired at 2026-01-01T11:59:00Z"),
    ] {
        let resolution = pinned(name);
        assert_eq!(outcome(&resolution, Source::Pin), expected, "{name}");
        let refusal = resolution.refusal.expect("it is refused");
        assert!(refusal.message.contains(words), "{}", refusal.message);
        assert!(refusal.to_string().contains("`backlog-aws use bedrock`"), "{}", refusal.message);
    }
    assert_eq!(codes(&pinned("old")), [Code::CredentialsExpired]);
}

#[test]
fn a_broken_override_is_the_answer_and_a_file_that_does_not_count_is_not() {
    let resolution = resolved(|inputs| overridden(inputs, "profil = x\n"));
    assert_eq!(outcome(&resolution, Source::Directory), Outcome::Invalid);
    assert_eq!(codes(&resolution), [Code::OverrideInvalid]);
    assert!(resolution.refusal.unwrap().message.starts_with("/p/.backlog-aws:1 "));
    for passed_over in [Outcome::NotAllowed, Outcome::Invalid] {
        let resolution = resolved(|inputs| {
            inputs.directory.passed_over = Some(("/p/.backlog-aws".into(), passed_over));
        });
        assert_eq!(outcome(&resolution, Source::Directory), passed_over);
        assert_eq!(resolution.answer.source(), Some(Source::First));
        assert_eq!(resolution.found_override.map(|found| found.allowed), Some(false));
    }
}

#[test]
fn a_broken_configuration_is_the_answer() {
    let resolution = resolved(|inputs| {
        configured(inputs, "profile = bedrock\nprofil = x\n");
        inputs.aws_profile = Some("bedrock".into());
    });
    assert_eq!(outcome(&resolution, Source::Rule), Outcome::Invalid);
    let refusal = resolution.refusal.expect("it is refused");
    assert!(refusal.message.starts_with("/config.ini:2 has the unknown key"), "{refusal}");
}

#[test]
fn credentials_of_another_account_are_not_used() {
    let keys = "[acme]\naws_access_key_id = ASIAQNZGKIQY56JQ7WML\naws_secret_access_key = s\naws_session_token = t\n";
    let in_account = |account: &str, pin: bool| {
        resolved_in(keys, "", |inputs| {
            configured(inputs, &format!("[/p]\nprofile = acme\naccount = {account}\n"));
            inputs.intent.pin = pin.then(|| "acme".into());
        })
    };
    assert!(in_account("029608264753", false).answer.is_usable());
    let refused = in_account("111122223333", false);
    assert_eq!(outcome(&refused, Source::Rule), Outcome::Invalid);
    let refusal = refused.refusal.expect("it is refused").to_string();
    let said = "profile 'acme': account 029608264753, but this directory wants 111122223333 (/config.ini:3)";
    assert!(refusal.starts_with(said), "{refusal}");
    assert!(in_account("111122223333", true).answer.is_usable(), "a pin is not held against it");
    let old_style = "[acme]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = s\n";
    let unknown = resolved_in(old_style, "", |inputs| {
        configured(inputs, "[/p]\nprofile = acme\naccount = 111122223333\n");
    });
    assert!(unknown.answer.is_usable(), "not known to be another");
}

#[test]
fn an_override_of_the_region_alone_leaves_the_profile_to_the_chain() {
    let resolution = resolved(|inputs| overridden(inputs, "region = eu-north-1\n"));
    assert_chosen(&resolution, Source::First, Some("luxito"), "eu-north-1");
    assert_eq!(resolution.region.source, RegionSource::Directory);
}

#[test]
fn when_no_step_gives_anything_the_answer_is_nothing() {
    let resolution = resolved_in("", CONFIG, |_| {});
    assert!(matches!(resolution.answer, Answer::Nothing));
    assert_eq!(codes(&resolution), [Code::NoneFound]);
    let refusal = &resolution.refusal.unwrap().message;
    assert!(refusal.starts_with(
        "No AWS profiles with static credentials found in /aws/credentials or /aws/config"
    ));
    assert!(resolution.candidates.iter().all(|c| c.outcome == Outcome::Unset));
}
