//! Bedrock API keys: what one says about itself, read offline, and how a short-lived one is made.
//!
//! A short-lived one is a presigned URL, as AWS's own generators make it
//! (<https://pypi.org/project/aws-bedrock-token-generator/>). That a long-lived one begins with the name of its IAM user
//! and the account is not documented by AWS; others found out by looking.
//! <https://www.wiz.io/blog/a-new-type-of-long-lived-key-on-aws-bedrock-api-keys>

use std::fmt;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD as BASE64, BASE64_STANDARD_NO_PAD as WITHOUT_PADDING};
use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

use super::dialect::is_identifier;
use super::signing::{Request, Signer};
use super::{Credentials, LONGEST_NAME, account, expiry};
use crate::secret::Secret;
use crate::text::visible;

/// What short-lived keys begin with.
const SHORT_LIVED: &str = "bedrock-api-key-";

/// What short-lived keys are signed for, whatever the region.
const HOST: &str = "bedrock.amazonaws.com";

/// What long-lived keys begin with.
const LONG_LIVED: &str = "ABSK";

/// A Bedrock API key, with what it says about itself; of a key that cannot be read, nothing is known.
#[derive(Debug, Clone)]
pub struct ApiKey {
    pub token: Secret,
    /// The IAM user that a long-lived key belongs to.
    pub user: Option<String>,
    pub account: Option<String>,
    /// The one region that a short-lived key opens.
    pub region: Option<String>,
    /// The end of a short-lived key. That of a long-lived one only AWS knows.
    pub expires_at: Option<Timestamp>,
}

impl ApiKey {
    /// A short-lived key for one region: everybody who has it can do in Bedrock what the credentials may.
    pub fn signed(
        credentials: &Credentials,
        region: &str,
        now: Timestamp,
        life: SignedDuration,
    ) -> Self {
        let signer = Signer { credentials, region, service: "bedrock", now };
        let query = &[("Action", "CallWithBearerToken")];
        let request = Request { method: "POST", host: HOST, path: "/", query, body: b"" };
        let query = signer.presigned_query(&request, u32::try_from(life.as_secs()).unwrap_or(0));
        let url = Zeroizing::new(format!("{HOST}/?{}&Version=1", query.reveal()));
        Self::read(Secret::new(format!("{SHORT_LIVED}{}", BASE64.encode(url.as_bytes()))))
    }

    pub fn read(token: Secret) -> Self {
        let mut key = Self { token, user: None, account: None, region: None, expires_at: None };
        let inside = |lead| key.token.reveal().strip_prefix(lead).and_then(decoded);
        match (inside(SHORT_LIVED), inside(LONG_LIVED)) {
            (Some(url), _) => key.read_url(&url),
            (_, Some(text)) => key.read_user(&text),
            (None, None) => {}
        }
        key
    }

    /// `HOST/?Action=CallWithBearerToken&X-Amz-Credential=ID%2FDATE%2FREGION%2Fbedrock%2Faws4_request&…`
    fn read_url(&mut self, url: &str) {
        let value = |name: &str| {
            let mut parameters = url.split(['?', '&']);
            parameters.find_map(|parameter| parameter.strip_prefix(name)?.strip_prefix('='))
        };
        let credential = value("X-Amz-Credential").unwrap_or_default().replace("%2F", "/");
        let mut scope = credential.split('/');
        self.account = scope.next().and_then(account::of_key_id);
        let is_name = |name: &&str| (1..=LONGEST_NAME).contains(&name.len()) && is_identifier(name);
        self.region = scope.nth(1).filter(is_name).map(str::to_owned);
        let begin = value("X-Amz-Date").and_then(expiry::parse);
        let life = value("X-Amz-Expires").and_then(|seconds| seconds.parse::<u32>().ok());
        let life = life.map(|seconds| SignedDuration::from_secs(seconds.into()));
        self.expires_at = begin.zip(life).and_then(|(begin, life)| begin.checked_add(life).ok());
    }

    /// `USER-at-ACCOUNT:…`
    fn read_user(&mut self, text: &str) {
        let owner = text.split_once(':').and_then(|(owner, _)| owner.rsplit_once("-at-"));
        if let Some((user, account)) = owner
            && account::is_account(account)
        {
            self.user = Some(user.to_owned());
            self.account = Some(account.to_owned());
        }
    }
}

/// Whose it is, or for which region until when, as far as it says.
impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Bedrock API key")?;
        self.user.iter().try_for_each(|user| write!(f, " of {}", visible(user)))?;
        self.region.iter().try_for_each(|region| write!(f, " for {region}"))?;
        self.expires_at.iter().try_for_each(|end| write!(f, ", until {end}"))
    }
}

/// The text within. A secret is part of it.
fn decoded(code: &str) -> Option<Zeroizing<String>> {
    // People lose the padding when they copy.
    let bytes = WITHOUT_PADDING.decode(code.trim().trim_end_matches('=')).ok()?;
    String::from_utf8(bytes).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lead: &str, text: &str) -> ApiKey {
        ApiKey::read(Secret::new(format!("{lead}{}", BASE64.encode(text))))
    }

    fn url(credential: &str, date: &str, seconds: &str) -> String {
        format!(
            "bedrock.amazonaws.com/?Action=CallWithBearerToken&X-Amz-Algorithm=AWS4-HMAC-SHA256\
             &X-Amz-Credential={credential}&X-Amz-Date={date}&X-Amz-Expires={seconds}\
             &X-Amz-SignedHeaders=host&X-Amz-Signature=00&Version=1"
        )
    }

    #[test]
    fn a_short_lived_key_says_its_account_region_and_end() {
        let credential = "ASIAQNZGKIQY56JQ7WML%2F20300102%2Fus-east-1%2Fbedrock%2Faws4_request";
        let key = read(SHORT_LIVED, &url(credential, "20300102T030405Z", "43200"));
        assert_eq!(key.account.as_deref(), Some("029608264753"));
        assert_eq!(key.region.as_deref(), Some("us-east-1"));
        assert_eq!(key.expires_at, "2030-01-02T15:04:05Z".parse().ok());
        assert_eq!(key.user, None);
    }

    #[test]
    fn a_long_lived_key_says_its_user_and_account() {
        for code in
            ["BedrockAPIKey-abcd-at-123456789012:secret=", "BedrockAPIKey-abcd-at-123456789012:s"]
        {
            let key = read(LONG_LIVED, code);
            assert_eq!(key.user.as_deref(), Some("BedrockAPIKey-abcd"));
            assert_eq!(key.account.as_deref(), Some("123456789012"));
            assert_eq!((key.region, key.expires_at), (None, None));
            let without_padding = key.token.reveal().trim_end_matches('=').to_owned();
            assert_eq!(ApiKey::read(Secret::new(without_padding)).account, key.account);
        }
        let key = read(LONG_LIVED, "look-at-me-at-123456789012:s");
        assert_eq!(key.user.as_deref(), Some("look-at-me"));
    }

    #[test]
    fn of_a_key_that_cannot_be_read_nothing_is_known() {
        let scope = "ASIA%2F20300102%2FEU\nwest%2Fbedrock%2Faws4_request";
        for key in [
            ApiKey::read(Secret::new("")),
            ApiKey::read(Secret::new("ABSK")),
            ApiKey::read(Secret::new("ABSKFILEEXAMPLE=")),
            ApiKey::read(Secret::new("bedrock-api-key-***")),
            ApiKey::read(Secret::new("something else")),
            read(LONG_LIVED, "BedrockAPIKey-abcd-at-12345678901:secret"),
            read(LONG_LIVED, "BedrockAPIKey-abcd-at-123456789012"),
            read(SHORT_LIVED, "BedrockAPIKey-abcd-at-123456789012:secret"),
            read(LONG_LIVED, &url(scope, "20300102T030405Z", "43200")),
            read(SHORT_LIVED, &url(scope, "20301302T030405Z", "43200")),
            read(SHORT_LIVED, &url(scope, "20300102T030405Z", "-1")),
            read(SHORT_LIVED, &url(scope, "20300102T030405Z", "99999999999")),
        ] {
            let known = (&key.user, &key.account, &key.region, &key.expires_at);
            assert_eq!(known, (&None, &None, &None, &None), "{}", key.token.reveal());
        }
    }

    /// What `aws-bedrock-token-generator` 1.1.0 signs with these keys at that time, before base 64.
    #[test]
    fn a_key_that_is_signed_here_is_the_one_that_awss_generator_makes() {
        for (token, parameter, signature) in [
            (None, "", "17e465492a3a243b77a9d14ff6b371484f64d445aeeeb58a7129cb493348fe0a"),
            (
                Some(Secret::new("IQoJb3JpZ2luX2IQoJb3JpZ2luX2EXAMPLETOKEN+/==")),
                "&X-Amz-Security-Token=IQoJb3JpZ2luX2IQoJb3JpZ2luX2EXAMPLETOKEN%2B%2F%3D%3D",
                "83f02aeafeae2063ee001757da4051363239e0c0270dbb362cf318f7e66808aa",
            ),
        ] {
            let id = if token.is_some() { "ASIAIOSFODNN7EXAMPLE" } else { "AKIAIOSFODNN7EXAMPLE" };
            let credentials = Credentials {
                access_key_id: id.to_owned(),
                secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
                session_token: token,
                expires_at: None,
            };
            let now = "2030-01-02T03:04:05Z".parse().unwrap();
            let life = SignedDuration::from_hours(1);
            let key = ApiKey::signed(&credentials, "eu-west-1", now, life);
            let url = format!(
                "bedrock.amazonaws.com/?Action=CallWithBearerToken&X-Amz-Algorithm=AWS4-HMAC-SHA256\
                 &X-Amz-Credential={id}%2F20300102%2Feu-west-1%2Fbedrock%2Faws4_request\
                 &X-Amz-Date=20300102T030405Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host{parameter}\
                 &X-Amz-Signature={signature}&Version=1"
            );
            assert_eq!(key.token.reveal(), format!("bedrock-api-key-{}", BASE64.encode(url)));
            assert_eq!(key.expires_at, "2030-01-02T04:04:05Z".parse().ok());
            assert_eq!(
                key.to_string(),
                "a Bedrock API key for eu-west-1, until 2030-01-02T04:04:05Z"
            );
        }
    }

    #[test]
    fn debug_output_does_not_show_the_key() {
        let key = read(LONG_LIVED, "BedrockAPIKey-abcd-at-123456789012:secret");
        assert!(!format!("{key:?}").contains(key.token.reveal()));
    }
}
