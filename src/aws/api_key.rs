//! What a Bedrock API key says about itself, read offline.
//!
//! A short-lived one is a presigned URL, as AWS's own generators make it
//! (<https://pypi.org/project/aws-bedrock-token-generator/>). That a long-lived one begins with the name of its IAM user
//! and the account is not documented by AWS; others found out by looking.
//! <https://www.wiz.io/blog/a-new-type-of-long-lived-key-on-aws-bedrock-api-keys>

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

use super::{LONGEST_NAME, account, expiry};
use crate::secret::Secret;
use crate::text::visible;

/// What short-lived keys begin with.
const SHORT_LIVED: &str = "bedrock-api-key-";

/// What long-lived keys begin with.
const LONG_LIVED: &str = "ABSK";

/// People lose the padding when they copy.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

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
    /// Whose it is, or for which region, as the end of a phrase; empty when it does not say.
    pub fn about(&self) -> String {
        match (&self.user, &self.region) {
            (Some(user), _) => format!(" of {}", visible(user)),
            (None, Some(region)) => format!(" for {region}"),
            (None, None) => String::new(),
        }
    }

    pub fn read(token: Secret) -> Self {
        let mut key = Self { token, user: None, account: None, region: None, expires_at: None };
        if let Some(code) = key.token.reveal().strip_prefix(SHORT_LIVED)
            && let Some(url) = decoded(code)
        {
            key.read_url(&url);
        } else if let Some(code) = key.token.reveal().strip_prefix(LONG_LIVED)
            && let Some(text) = decoded(code)
        {
            key.read_user(&text);
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
        let is_region = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        self.region = scope
            .nth(1)
            .filter(|name| (1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(is_region))
            .map(str::to_owned);
        let begin = value("X-Amz-Date").and_then(expiry::parse);
        let seconds = value("X-Amz-Expires").and_then(|seconds| seconds.parse::<u32>().ok());
        let end = begin
            .zip(seconds)
            .map(|(begin, seconds)| begin.checked_add(SignedDuration::from_secs(seconds.into())));
        self.expires_at = end.and_then(Result::ok);
    }

    /// `USER-at-ACCOUNT:…`
    fn read_user(&mut self, text: &str) {
        let owner = text.split_once(':').and_then(|(owner, _)| owner.rsplit_once("-at-"));
        if let Some((user, account)) = owner
            && account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
        {
            self.user = Some(user.to_owned());
            self.account = Some(account.to_owned());
        }
    }
}

/// The text within. A secret is part of it.
fn decoded(code: &str) -> Option<Zeroizing<String>> {
    let bytes = BASE64.decode(code.trim()).ok()?;
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
        let scope = "ASIA%2F20300102%2FEU%20west%2Fbedrock%2Faws4_request";
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

    #[test]
    fn debug_output_does_not_show_the_key() {
        let key = read(LONG_LIVED, "BedrockAPIKey-abcd-at-123456789012:secret");
        assert!(!format!("{key:?}").contains(key.token.reveal()));
    }
}
