//! Values that must never be seen: masked in `Debug`, without `Display`, wiped when dropped.

use std::fmt;

use zeroize::Zeroizing;

/// A secret access key, session token or API key.
///
/// There is deliberately no `Display`: the only way to the text is [`Secret::reveal`], so that every place that lets a
/// secret out can be found by searching for that one word.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The secret itself, for handing it to a child process or printing it on explicit request.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it. An empty secret counts as unset everywhere.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// An access key id as it may be shown: the first and last four characters, the rest starred.
///
/// Ids of eight characters or fewer would be shown whole by that rule, so they are starred entirely.
pub fn mask_key_id(id: &str) -> String {
    let length = id.chars().count();
    let shown = |at| length > 8 && (at < 4 || at + 4 >= length);
    id.chars().enumerate().map(|(at, c)| if shown(at) { c } else { '*' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_show_in_debug_output() {
        let secret = Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        assert_eq!(format!("{secret:?}"), "Secret(***)");
        assert_eq!(format!("{:?}", Some(&secret)), "Some(Secret(***))");
    }

    #[test]
    fn a_key_id_keeps_four_characters_at_each_end() {
        assert_eq!(mask_key_id("AKIAIOSFODNN7EXAMPLE"), "AKIA************MPLE");
        assert_eq!(mask_key_id("AKIA1234"), "********");
        assert_eq!(mask_key_id(""), "");
    }
}
