//! What went wrong, in words. The words are in `failures.txt`, which docs/check.md shows as a table.

use serde::Serialize;

use super::call::Refused;
use crate::text::visible;

/// The whole table.
pub const TABLE: &str = include_str!("failures.txt");

/// One line of the table, filled in.
#[derive(Debug, Serialize)]
pub struct Explained {
    /// Our stable name, for scripts.
    pub code: &'static str,
    pub message: String,
    pub remedy: String,
    /// AWS's code and its own words, if it said anything.
    pub aws: Option<String>,
}

/// Says what it means that AWS, or nobody, answered like this. `facts` fill the places in braces.
pub fn explain(refused: &Refused, facts: &[(&str, &str)]) -> Explained {
    let said = refused.said.as_deref().unwrap_or_default();
    let text = format!("{} {said}", refused.host).to_lowercase();
    let fits = |pattern: &str| {
        let (code, needle) = pattern.trim().split_once(':').unwrap_or((pattern.trim(), ""));
        code == "*" || code == refused.code && text.contains(&needle.to_lowercase())
    };
    let mut rows =
        TABLE.lines().filter(|line| !line.starts_with('#')).map(|line| line.split(" | "));
    let row = rows.find(|row| row.clone().nth(1).is_some_and(|codes| codes.split(',').any(fits)));
    let columns: Vec<&str> = row.expect("the last row fits everything").collect();
    let own = [("host", &*refused.host), ("code", &refused.code)];
    let filled = |column: usize| {
        let places = own.iter().chain(facts);
        places.fold(columns[column].to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    };
    let aws = refused.said.as_ref().map(|said| format!("{}: {said}", visible(&refused.code)));
    Explained { code: columns[0], message: filled(2), remedy: filled(3), aws }
}
