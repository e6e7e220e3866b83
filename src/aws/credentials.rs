//! Credentials, and whether they can be ones that AWS gave out.

use std::fmt;

use jiff::Timestamp;

use crate::secret::{Secret, mask_key_id};

/// The credentials of a profile. `Debug` masks them.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Not a secret, but shown masked all the same.
    pub access_key_id: String,
    pub secret_access_key: Secret,
    /// What temporary credentials come with.
    pub session_token: Option<Secret>,
    /// When temporary credentials expire, if the file says so in a way that can be read.
    pub expires_at: Option<Timestamp>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &mask_key_id(&self.access_key_id))
            .field("secret_access_key", &self.secret_access_key)
            .field("session_token", &self.session_token)
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

impl Credentials {
    /// Why they cannot work, whatever AWS says: mistakes made when keys are copied by hand. It is the key as it is called in
    /// the AWS files, and the end of a sentence about it, which shows nothing of the value.
    pub fn implausible(&self) -> Option<(&'static str, &'static str)> {
        const ID: &str = "aws_access_key_id";
        let token = self.session_token.as_ref().map(Secret::reveal);
        let values = [
            (ID, self.access_key_id.as_str()),
            ("aws_secret_access_key", self.secret_access_key.reveal()),
            ("aws_session_token", token.unwrap_or_default()),
        ];
        values.into_iter().find_map(|(key, value)| {
            let why = if value.contains(['"', '\'']) {
                "has quotes, which count as part of it"
            } else if is_placeholder(value) {
                "is a placeholder"
            } else if value.contains(char::is_whitespace) {
                "has blanks in it"
            } else if key == ID && value.starts_with("ASIA") && token.is_none() {
                "is a temporary one (ASIA…), which needs an aws_session_token"
            } else {
                return None;
            };
            Some((key, why))
        })
    }
}

/// Keys and tokens are base 64, which has none of these signs.
fn is_placeholder(value: &str) -> bool {
    let your = value.get(..5).unwrap_or_default();
    value.contains(['<', '>', '…'])
        || value.contains("...")
        || ["YOUR_", "YOUR-", "YOUR "].iter().any(|start| your.eq_ignore_ascii_case(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "AKIAIOSFODNN7EXAMPLE";
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    fn credentials(id: &str, secret: &str, token: Option<&str>) -> Credentials {
        Credentials {
            access_key_id: id.into(),
            secret_access_key: Secret::new(secret),
            session_token: token.map(Secret::new),
            expires_at: None,
        }
    }

    fn implausible(
        id: &str,
        secret: &str,
        token: Option<&str>,
    ) -> Option<(&'static str, &'static str)> {
        credentials(id, secret, token).implausible()
    }

    #[test]
    fn keys_as_aws_gives_them_out_are_plausible() {
        assert_eq!(implausible(ID, SECRET, None), None);
        assert_eq!(implausible(ID, SECRET, Some("IQoJb3JpZ2luX2VjEXAMPLE//your==")), None);
        assert_eq!(implausible("ASIAIOSFODNN7EXAMPLE", SECRET, Some("t")), None);
        // Whatever a test server takes.
        assert_eq!(implausible("test", "test", None), None);
    }

    #[test]
    fn a_temporary_id_needs_its_token() {
        let (key, why) = implausible("ASIAIOSFODNN7EXAMPLE", SECRET, None).unwrap();
        assert!(key == "aws_access_key_id" && why.contains("needs an aws_session_token"));
    }

    #[test]
    fn quotes_placeholders_and_blanks_are_named_with_their_key() {
        let quotes = "has quotes, which count as part of it";
        for (id, secret, token, key, why) in [
            ("\"AKIAIOSFODNN7EXAMPLE\"", SECRET, None, "aws_access_key_id", quotes),
            (ID, "'secret'", None, "aws_secret_access_key", quotes),
            (ID, SECRET, Some("\"token"), "aws_session_token", quotes),
            ("YOUR_ACCESS_KEY_ID", SECRET, None, "aws_access_key_id", "is a placeholder"),
            (ID, "your-secret", None, "aws_secret_access_key", "is a placeholder"),
            (ID, "<secret access key>", None, "aws_secret_access_key", "is a placeholder"),
            ("AKIA...", SECRET, None, "aws_access_key_id", "is a placeholder"),
            ("ASIA...", SECRET, None, "aws_access_key_id", "is a placeholder"),
            (ID, SECRET, Some("IQoJ…"), "aws_session_token", "is a placeholder"),
            ("AKIA IOSFODNN7EXAMPLE", SECRET, None, "aws_access_key_id", "has blanks in it"),
            ("AKIA\nIOSFODNN7EXAMPLE", SECRET, None, "aws_access_key_id", "has blanks in it"),
        ] {
            assert_eq!(implausible(id, secret, token), Some((key, why)), "{id} {secret} {token:?}");
        }
    }

    #[test]
    fn debug_output_masks_everything() {
        let shown = format!("{:?}", credentials(ID, SECRET, Some("s3cret")));
        assert!(shown.contains("AKIA************MPLE"), "{shown}");
        assert!(!shown.contains(ID) && !shown.contains(SECRET) && !shown.contains("s3cret"));
    }
}
