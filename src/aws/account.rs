//! The account that an access key id belongs to.
//!
//! AWS does not document how an id carries it; others found out by comparison. An answer is an observation and no promise.
//! <https://medium.com/@TalBeerySec/a-short-note-on-aws-key-id-f88cc4317489>
//! <https://labs.withsecure.com/publications/a-bitwise-analysis-of-aws-access-key-identifiers.html>

/// Whether the text has the form of an AWS account's id.
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The account's twelve digits. Ids of the old generation do not tell.
pub fn of_key_id(id: &str) -> Option<String> {
    let code = id.strip_prefix("AKIA").or_else(|| id.strip_prefix("ASIA"))?;
    let digits = code.bytes().map(|byte| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'2'..=b'7' => Some(byte - b'2' + 26),
        _ => None,
    });
    let digits: Vec<u8> =
        digits.collect::<Option<_>>().filter(|digits: &Vec<_>| digits.len() == 16)?;
    // Of the 80 bits, the first marks the new generation, and the next 40 are the account.
    let bits = digits.iter().fold(0_u128, |bits, digit| bits << 5 | u128::from(*digit));
    let account = bits >> 39 & ((1 << 40) - 1);
    (bits >> 79 == 1 && account < 1_000_000_000_000).then(|| format!("{account:012}"))
}

#[cfg(test)]
mod tests {
    use super::of_key_id;

    #[test]
    fn the_published_ids_give_their_accounts() {
        assert_eq!(of_key_id("ASIAQNZGKIQY56JQ7WML").as_deref(), Some("029608264753"));
        assert_eq!(of_key_id("ASIAY34FZKBOKMUTVV7A").as_deref(), Some("609629065308"));
        assert_eq!(of_key_id("AKIASP2TPHJSQH3FJXYZ").as_deref(), Some("171436882533"));
    }

    #[test]
    fn whatever_else_looks_like_an_id_gives_none() {
        for id in [
            "",
            "AKIA",
            // The old generation.
            "AKIAIOSFODNN7EXAMPLE",
            "AKIAJ34FZKBOKMUTVV7A",
            // Beyond twelve digits.
            "AKIA7777777777777777",
            // Not of that alphabet, not of that length, not an access key.
            "ASIAQNZGKIQY56JQ7WM1",
            "ASIAQNZGKIQY56JQ7WM",
            "ASIAQNZGKIQY56JQ7WMLL",
            "asiaqnzgkiqy56jq7wml",
            "AROAQNZGKIQY56JQ7WML",
            "ASIAQNZGKIQY56JQ7WÄ",
        ] {
            assert_eq!(of_key_id(id), None, "{id}");
        }
    }
}
