//! Which kind of credentials a profile gives, judged by the keys that are set in it.

use serde::Serialize;
use strum::{Display, EnumIter, IntoEnumIterator, IntoStaticStr};

/// The kinds of profile, in the order in which they are tried: the first that fits is *the* kind of a profile. Their
/// words are those of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, EnumIter, IntoStaticStr, Serialize)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Kind {
    /// An access key pair without a session token.
    Static,
    /// An access key pair with a session token, from STS.
    Temporary,
    /// IAM Identity Center: `sso_session` or `sso_start_url`.
    Sso,
    /// `role_arn` with `source_profile` or `credential_source`.
    AssumeRole,
    /// `web_identity_token_file`.
    WebIdentity,
    /// `credential_process`.
    Process,
    /// `login_session`, written by `aws login`.
    Login,
    /// One half of an access key pair: a mistake worth naming.
    Partial,
    /// Nothing that gives credentials.
    Empty,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether such a profile holds an access key pair, so that nothing has to be asked or run to get credentials.
    pub fn has_keys(self) -> bool {
        matches!(self, Self::Static | Self::Temporary)
    }

    /// Whether the AWS CLI can get credentials for such a profile, from elsewhere.
    pub fn can_be_asked_for(self) -> bool {
        !self.has_keys() && !matches!(self, Self::Partial | Self::Empty)
    }

    /// Every kind that fits a profile, in order; none at all means [`Kind::Empty`]. `has` says whether a key is set to
    /// something that is not empty.
    pub(super) fn fitting(has: impl Fn(&str) -> bool) -> impl Iterator<Item = Self> {
        Self::iter().filter(move |kind| kind.fits(&has))
    }

    fn fits(self, has: impl Fn(&str) -> bool) -> bool {
        let id = || has("aws_access_key_id");
        let secret = || has("aws_secret_access_key");
        // botocore still reads the token's old name, and a pair that needs a token is useless without it.
        let token = || has("aws_session_token") || has("aws_security_token");
        match self {
            Self::Static => id() && secret() && !token(),
            Self::Temporary => id() && secret() && token(),
            Self::Sso => has("sso_session") || has("sso_start_url"),
            Self::AssumeRole => {
                has("role_arn") && (has("source_profile") || has("credential_source"))
            }
            Self::WebIdentity => has("web_identity_token_file"),
            Self::Process => has("credential_process"),
            Self::Login => has("login_session"),
            Self::Partial => id() != secret(),
            Self::Empty => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator as _;

    use super::Kind::{
        self, AssumeRole, Login, Partial, Process, Sso, Static, Temporary, WebIdentity,
    };

    fn fitting(keys: &[&str]) -> Vec<Kind> {
        Kind::fitting(|key| keys.contains(&key)).collect()
    }

    const ID: &str = "aws_access_key_id";
    const SECRET: &str = "aws_secret_access_key";

    #[test]
    fn a_session_token_separates_temporary_from_static() {
        assert_eq!(fitting(&[ID, SECRET]), [Static]);
        assert_eq!(fitting(&[ID, SECRET, "aws_session_token"]), [Temporary]);
        assert_eq!(fitting(&[ID, SECRET, "aws_security_token"]), [Temporary]);
    }

    #[test]
    fn half_a_key_pair_is_partial() {
        assert_eq!(fitting(&[ID]), [Partial]);
        assert_eq!(fitting(&[SECRET, "aws_session_token"]), [Partial]);
    }

    #[test]
    fn every_other_kind_is_told_by_its_keys() {
        assert_eq!(fitting(&["sso_session"]), [Sso]);
        assert_eq!(fitting(&["sso_start_url"]), [Sso]);
        assert_eq!(fitting(&["role_arn", "source_profile"]), [AssumeRole]);
        assert_eq!(fitting(&["role_arn", "credential_source"]), [AssumeRole]);
        assert_eq!(fitting(&["role_arn", "web_identity_token_file"]), [WebIdentity]);
        assert_eq!(fitting(&["credential_process"]), [Process]);
        assert_eq!(fitting(&["login_session"]), [Login]);
    }

    #[test]
    fn what_gives_no_credentials_fits_nothing() {
        assert_eq!(fitting(&[]), []);
        assert_eq!(fitting(&["region", "role_arn", "sso_account_id", "aws_session_token"]), []);
    }

    #[test]
    fn keys_come_before_everything_else() {
        assert_eq!(
            fitting(&["sso_session", ID, SECRET, "credential_process"]),
            [Static, Sso, Process]
        );
        assert_eq!(fitting(&["sso_session", ID]), [Sso, Partial]);
    }

    #[test]
    fn the_words_are_those_of_the_output_format() {
        let words: Vec<_> = Kind::iter().map(Kind::as_str).collect();
        let expected = [
            "static",
            "temporary",
            "sso",
            "assume-role",
            "web-identity",
            "process",
            "login",
            "partial",
            "empty",
        ];
        assert_eq!(words, expected);
        assert_eq!(format!("{:<8}|", Kind::Empty), "empty   |");
    }
}
