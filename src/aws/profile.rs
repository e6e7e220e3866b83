//! One profile: what the files set in it, and what that amounts to.

use jiff::Timestamp;

use super::account::is_account;
use super::dialect::Property;
use super::{At, Credentials, FileKind, Kind, LONGEST_NAME, Problem, ProblemKind, expiry};
use crate::secret::Secret;

/// One profile, from both files.
pub struct Profile<'a> {
    name: &'a str,
    pub(super) sections: Vec<At>,
    /// In the order of the files. A key may be there more than once.
    pub(super) properties: Vec<Property<'a>>,
}

impl<'a> Profile<'a> {
    pub(super) fn new(name: &'a str) -> Self {
        Self { name, sections: Vec::new(), properties: Vec::new() }
    }

    /// What it is called, without the `profile` of the config file. Never empty, and only of the characters that AWS
    /// allows (`A-Z a-z 0-9 _-/.%@:+`), so it is safe to show.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The value in force for a key, upper or lower case. It is empty where the file has nothing after the `=`, and
    /// holds a line feed before each line that continues it.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.property(key).map(|property| &*property.value)
    }

    /// Where the value in force for a key stands.
    pub fn at_key(&self, key: &str) -> Option<At> {
        self.property(key).map(|property| property.at)
    }

    fn property(&self, key: &str) -> Option<&Property<'a>> {
        self.property_in(FileKind::Credentials, key)
            .or_else(|| self.property_in(FileKind::Config, key))
    }

    /// The last of that key counts.
    fn property_in(&self, kind: FileKind, key: &str) -> Option<&Property<'a>> {
        let mut last_first = self.properties.iter().rev();
        last_first
            .find(|property| property.at.kind == kind && property.key.eq_ignore_ascii_case(key))
    }

    /// The value in force, where empty counts as unset.
    pub fn non_empty(&self, key: &str) -> Option<&str> {
        self.get(key).filter(|value| !value.is_empty())
    }

    /// The kind of credentials it gives.
    pub fn kind(&self) -> Kind {
        Kind::fitting(|key| self.non_empty(key).is_some()).next().unwrap_or(Kind::Empty)
    }

    /// What it is besides its [`kind`](Self::kind).
    pub fn also(&self) -> Vec<Kind> {
        Kind::fitting(|key| self.non_empty(key).is_some()).skip(1).collect()
    }

    /// The access key id, even if the other half of the pair is missing.
    pub fn access_key_id(&self) -> Option<&str> {
        self.non_empty("aws_access_key_id")
    }

    pub fn region(&self) -> Option<&str> {
        self.non_empty("region").filter(|region| region.len() <= LONGEST_NAME)
    }

    /// The number of the account it leads to, where the files name one: `aws_account_id`, or else that of the SSO login or
    /// of the role. Of plain keys only AWS can tell.
    pub fn account(&self) -> Option<&str> {
        // arn:aws:iam::111122223333:role/NAME ("IAM identifiers" in AWS's user guide)
        let of_role = || self.non_empty("role_arn")?.split(':').nth(4);
        self.non_empty("aws_account_id")
            .or_else(|| self.non_empty("sso_account_id"))
            .or_else(of_role)
            .filter(|account| is_account(account))
    }

    /// When its temporary credentials expire, if that is known. Other credentials do not expire.
    ///
    /// The error is a time that cannot be read. It is worth telling, and otherwise counts as not known.
    pub fn expires_at(&self) -> Result<Option<Timestamp>, Problem> {
        let set = |key| self.property(key).filter(|property| !property.value.is_empty());
        if self.kind() != Kind::Temporary {
            return Ok(None);
        }
        let Some((key, property)) = expiry::KEYS.into_iter().find_map(|key| Some((key, set(key)?)))
        else {
            return Ok(None);
        };
        expiry::parse(&property.value)
            .map(Some)
            .ok_or(Problem { at: property.at, what: ProblemKind::Expiry(key) })
    }

    /// Its credentials, if it is static or temporary. They may have expired.
    pub fn credentials(&self) -> Option<Credentials> {
        // A token may be left over under its old name, so the new one goes first.
        let token =
            self.non_empty("aws_session_token").or_else(|| self.non_empty("aws_security_token"));
        Some(Credentials {
            access_key_id: self.access_key_id()?.to_owned(),
            secret_access_key: Secret::new(self.non_empty("aws_secret_access_key")?),
            session_token: token.map(Secret::new),
            expires_at: self.expires_at().ok().flatten(),
        })
    }

    /// Where its sections begin, credentials file first.
    pub fn at(&self) -> impl ExactSizeIterator<Item = At> {
        self.sections.iter().copied()
    }
}
