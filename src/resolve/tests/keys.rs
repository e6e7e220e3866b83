//! Keys without a profile, ends of credentials, names.

use base64::Engine;

use super::*;

#[test]
fn regions_are_asked_in_their_documented_order() {
    type Say = fn(&mut Inputs<'_>);
    let steps: [(RegionSource, &str, Say); 4] = [
        (RegionSource::Pin, "r-1", |inputs| {
            inputs.intent.region_pin = Some("r-1".into());
        }),
        (RegionSource::Directory, "eu-north-1", |inputs| {
            overridden(inputs, "region = eu-north-1\n");
        }),
        (RegionSource::Ambient, "r-3", |inputs| {
            inputs.intent.region_ambient = Some("r-3".into());
        }),
        (RegionSource::ToolkitEnv, "r-4", |inputs| {
            toolkit(inputs, "AWS_REGION=r-4\nAWS_DEFAULT_REGION=r-5\n");
        }),
    ];
    for first in 0..=steps.len() {
        for (profile, own) in [("bedrock", Some("eu-west-1")), ("bare", None)] {
            let resolution = resolved(|inputs| {
                inputs.intent.pin = Some(profile.into());
                inputs.environment.region = Some("the shells own".into());
                for (_, _, say) in &steps[first..] {
                    say(inputs);
                }
            });
            let expected = match (first, own) {
                (0..3, _) => (steps[first].1, steps[first].0),
                (_, Some(own)) => (own, RegionSource::Profile),
                (3, None) => ("r-4", RegionSource::ToolkitEnv),
                (_, None) => (FALLBACK_REGION, RegionSource::Fallback),
            };
            let Region { name, source } = &resolution.region;
            assert_eq!((name.to_str().unwrap(), *source), expected, "{profile}");
        }
    }
    let resolution = resolved(|inputs| {
        toolkit(inputs, "AWS_DEFAULT_REGION=r-5\nBACKLOG_AWS_PROFILE=bare\n");
    });
    assert_eq!(resolution.region.name, "r-5");
    let resolution = resolved(environment_keys);
    assert_eq!(resolution.region.source, RegionSource::Environment);
    let resolution = resolved(|inputs| {
        environment_keys(inputs);
        toolkit(inputs, "AWS_REGION=r-4\n");
    });
    assert_eq!(
        resolution.region.source,
        RegionSource::ToolkitEnv,
        "the toolkit sources its file last"
    );
}

#[test]
fn a_region_of_an_unusable_profile_is_still_its_own() {
    assert_eq!(pinned("cc").region.name, "eu-central-1");
}

#[test]
fn the_toolkits_file_wins_over_the_environment() {
    let keys = "AWS_ACCESS_KEY_ID=AKIATOOLKIT\nAWS_SECRET_ACCESS_KEY=s\nAWS_SESSION_TOKEN=''\n";
    let resolution = resolved(|inputs| {
        environment_keys(inputs);
        toolkit(inputs, keys);
    });
    assert_chosen(&resolution, Source::ToolkitEnvKeys, None, FALLBACK_REGION);
    let Answer::Usable { identity, .. } = &resolution.answer else { unreachable!() };
    let credentials = identity.credentials().unwrap();
    assert_eq!(credentials.access_key_id, "AKIATOOLKIT");
    assert!(credentials.session_token.is_none(), "an empty one counts as unset");
}

#[test]
fn half_a_key_pair_or_an_empty_one_in_the_toolkits_file_is_no_candidate() {
    for text in [
        "AWS_ACCESS_KEY_ID=A\n",
        "AWS_SECRET_ACCESS_KEY=s\n",
        "AWS_ACCESS_KEY_ID=A\nAWS_SECRET_ACCESS_KEY=''\n",
        "BACKLOG_AWS_PROFILE=''\nAWS_BEARER_TOKEN_BEDROCK=\n",
    ] {
        let resolution = resolved(|inputs| toolkit(inputs, text));
        assert_eq!(outcome(&resolution, Source::ToolkitEnvKeys), Outcome::Unset, "{text}");
        assert_eq!(resolution.answer.source(), Some(Source::First), "{text}");
    }
}

#[test]
fn an_api_key_in_the_toolkits_file_beats_keys_in_it() {
    let resolution = resolved(|inputs| {
        toolkit(
            inputs,
            "AWS_ACCESS_KEY_ID=A\nAWS_SECRET_ACCESS_KEY=s\nAWS_BEARER_TOKEN_BEDROCK=b\n",
        );
    });
    let Answer::Usable { identity, .. } = &resolution.answer else { unreachable!() };
    assert_eq!(identity.kind_name(), "bearer");
}

#[test]
fn keys_that_shadow_aws_profile_are_pointed_out() {
    let resolution = resolved(|inputs| {
        environment_keys(inputs);
        inputs.aws_profile = Some("bedrock".into());
    });
    assert_eq!(codes(&resolution), [Code::EnvironmentKeysShadow]);
}

#[test]
fn expired_keys_in_the_environment_are_the_answer_and_no_other_account_is_tried() {
    let resolution = resolved(|inputs| {
        environment_keys(inputs);
        if let Some(Identity::Keys(keys)) = &mut inputs.environment.identity {
            keys.expires_at = Some(noon());
        }
    });
    assert_eq!(outcome(&resolution, Source::EnvironmentKeys), Outcome::Expired);
    assert_eq!(resolution.answer.source(), Some(Source::EnvironmentKeys));
    assert_eq!(codes(&resolution), [Code::CredentialsExpired]);
}

#[test]
fn keys_in_the_toolkits_file_that_cannot_be_used_are_not_passed_over() {
    let pair = "AWS_ACCESS_KEY_ID=A\nAWS_SECRET_ACCESS_KEY=s\n";
    for (text, expected) in [
        ("AWS_ACCESS_KEY_ID=A\nAWS_SECRET_ACCESS_KEY='it's'\n", Outcome::Invalid),
        ("AWS_ACCESS_KEY_ID=$(x)\nAWS_SECRET_ACCESS_KEY=s\n", Outcome::Invalid),
        (&format!("{pair}AWS_SESSION_TOKEN=\"$X\"\n"), Outcome::Invalid),
        (&format!("{pair}AWS_CREDENTIAL_EXPIRATION=2001-01-01T00:00:00Z\n"), Outcome::Expired),
    ] {
        let resolution = resolved(|inputs| toolkit(inputs, text));
        assert_eq!(outcome(&resolution, Source::ToolkitEnvKeys), expected, "{text}");
        assert!(!resolution.answer.is_usable(), "{text}");
        assert!(
            resolved(|inputs| {
                toolkit(inputs, text);
                inputs.intent.pin = Some("bedrock".into());
            })
            .answer
            .is_usable()
        );
    }
}

#[test]
fn credentials_that_end_soon_are_announced_and_the_answer_knows_when_it_changes() {
    let resolution = pinned("fresh");
    assert_eq!(codes(&resolution), [Code::CredentialsExpireSoon]);
    let end = "2026-01-01T12:10:00Z".parse().unwrap();
    assert_eq!(resolution.changes_at(noon()), Some(end));
    let early = "2026-01-01T08:00:00Z".parse().unwrap();
    let warning = "2026-01-01T11:55:00Z".parse().unwrap();
    assert_eq!(resolution.changes_at(early), Some(warning));
    assert_eq!(pinned("bedrock").changes_at(noon()), None);
}

#[test]
fn the_first_usable_profile_is_found_behind_unusable_ones() {
    let reordered = format!("[half2]\naws_access_key_id = A\n{CREDENTIALS}");
    let resolution = resolved_in(&reordered, CONFIG, |_| {});
    assert_chosen(&resolution, Source::First, Some("luxito"), "us-west-2");
    assert!(
        resolution.all_findings()[0]
            .message
            .starts_with("Auto-detected AWS profile: luxito, first of 4")
    );
}

#[test]
fn an_unusable_default_profile_falls_through() {
    let config = format!("{CONFIG}[default]\nsso_session = corp\n");
    let resolution = resolved_in(CREDENTIALS, &config, |_| {});
    assert_eq!(outcome(&resolution, Source::Default), Outcome::Sso);
    assert_eq!(resolution.answer.source(), Some(Source::First));
}

#[test]
fn a_name_that_is_not_utf8_is_missing() {
    use std::os::unix::ffi::OsStringExt as _;
    let name = OsString::from_vec(b"caf\xe9".to_vec());
    let resolution = resolved(|inputs| inputs.intent.pin = Some(name));
    assert_eq!(outcome(&resolution, Source::Pin), Outcome::Missing);
    assert!(resolution.refusal.unwrap().message.contains("'caf\\xe9'"));
}

#[test]
fn what_was_not_reached_is_named_all_the_same() {
    let resolution = resolved(|inputs| {
        inputs.intent.pin = Some("bedrock".into());
        inputs.aws_profile = Some("luxito".into());
    });
    let candidate = &resolution.candidates[Source::AwsProfile as usize];
    assert_eq!(candidate.outcome, Outcome::NotReached);
    assert_eq!(candidate.profile.as_deref(), Some(OsStr::new("luxito")));
}

#[test]
fn the_place_of_a_choice_is_its_line() {
    let resolution = resolved(|inputs| toolkit(inputs, "\n\nBACKLOG_AWS_PROFILE=bedrock\n"));
    let at = resolution.candidates[Source::ToolkitEnv as usize].at.as_ref();
    assert_eq!(at.unwrap().to_string(), "/home/u/.backlog-toolkit-env:3");
    let resolution = resolved(|_| {});
    let at = resolution.candidates[Source::First as usize].at.as_ref();
    assert_eq!(at.unwrap().to_string(), "/aws/credentials:1");
}

#[test]
fn every_word_leads_back_to_its_source() {
    for source in Source::VARIANTS {
        assert_eq!(Source::from_name(OsStr::new(source.name())), Some(*source));
        let json = serde_json::to_string(&source).unwrap();
        assert_eq!(json, format!("\"{}\"", source.name()));
    }
    assert_eq!(Source::from_name(OsStr::new("Pin")), None);
}

/// A short-lived Bedrock API key, made an hour before noon.
fn api_key(region: &str, minutes: u32) -> ApiKey {
    let url = format!(
        "bedrock.amazonaws.com/?Action=CallWithBearerToken\
         &X-Amz-Credential=ASIAQNZGKIQY56JQ7WML%2F20260101%2F{region}%2Fbedrock%2Faws4_request\
         &X-Amz-Date=20260101T110000Z&X-Amz-Expires={}&Version=1",
        minutes * 60
    );
    let token = base64::engine::general_purpose::STANDARD.encode(url);
    ApiKey::read(Secret::new(format!("bedrock-api-key-{token}")))
}

#[test]
fn an_expired_api_key_is_the_answer_and_nothing_else_is_tried() {
    let in_environment = resolved(|inputs| {
        let key = Identity::BearerToken(api_key("eu-west-1", 60));
        inputs.environment.identity = Some(key);
    });
    let in_file = resolved(|inputs| {
        let key = api_key("eu-west-1", 60);
        toolkit(inputs, &format!("AWS_BEARER_TOKEN_BEDROCK='{}'\n", key.token.reveal()));
    });
    for (resolution, source, place) in [
        (in_environment, Source::EnvironmentKeys, ""),
        (in_file, Source::ToolkitEnvKeys, " (/home/u/.backlog-toolkit-env:1)"),
    ] {
        assert_eq!(outcome(&resolution, source), Outcome::Expired);
        assert_eq!(resolution.answer.source(), Some(source));
        let refusal = resolution.refusal.unwrap();
        assert_eq!(refusal.code, Code::CredentialsExpired);
        let what = refusal.what_and_where();
        assert_eq!(
            what,
            format!("AWS_BEARER_TOKEN_BEDROCK expired at 2026-01-01T12:00:00Z{place}")
        );
    }
}

#[test]
fn an_api_key_gives_its_region_account_and_end() {
    let with_key = |edit: fn(&mut Inputs<'_>)| {
        resolved(|inputs| {
            let key = Identity::BearerToken(api_key("eu-west-1", 70));
            inputs.environment.identity = Some(key);
            edit(inputs);
        })
    };
    let resolution = with_key(|_| {});
    assert_chosen(&resolution, Source::EnvironmentKeys, None, "eu-west-1");
    assert_eq!(resolution.region.source, RegionSource::ApiKey);
    assert_eq!(resolution.account.as_deref(), Some("029608264753"));
    let end = "2026-01-01T12:10:00Z".parse().unwrap();
    assert_eq!(resolution.changes_at(noon()), Some(end));
    assert_eq!(codes(&resolution), [Code::CredentialsExpireSoon]);
    assert!(resolution.findings[0].message.starts_with("AWS_BEARER_TOKEN_BEDROCK expires at "));

    // A choice of the user's comes first, and AWS will refuse it.
    let resolution = with_key(|inputs| inputs.environment.region = Some("us-east-1".into()));
    assert_eq!(resolution.region.name, "us-east-1");
    assert_eq!(codes(&resolution), [Code::CredentialsExpireSoon, Code::ApiKeyRegion]);

    let resolution =
        with_key(|inputs| overridden(inputs, "region = eu-west-1\naccount = 123456789012\n"));
    assert_eq!(outcome(&resolution, Source::EnvironmentKeys), Outcome::Invalid);
    let message = &resolution.refusal.unwrap().message;
    assert_eq!(
        message,
        "AWS_BEARER_TOKEN_BEDROCK: account 029608264753, but this directory wants 123456789012"
    );
}
