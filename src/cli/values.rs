//! What the values of arguments must be like.

use jiff::SignedDuration;

use crate::aws::account::is_account;
use crate::bearer::LONGEST;
use crate::overrides::{is_profile_name, is_region_name};

pub fn profile_name(text: &str) -> Result<String, &'static str> {
    let valid = is_profile_name(text).then(|| text.to_owned());
    valid.ok_or("it cannot be a profile; the AWS SDKs allow letters, digits and _-/.%@:+")
}

pub fn region_name(text: &str) -> Result<String, &'static str> {
    let valid = is_region_name(text).then(|| text.to_owned());
    valid.ok_or("it cannot be a region; one looks like eu-west-1")
}

pub fn account_id(text: &str) -> Result<String, &'static str> {
    if is_account(text) { Ok(text.to_owned()) } else { Err("an account is twelve digits") }
}

/// The characters of AWS's own rule for `modelId`, and nothing that a path could read as going up.
pub fn model_id(text: &str) -> Result<String, &'static str> {
    let named = text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.len() <= 2048;
    let valid = text.chars().all(|c| c.is_ascii_alphanumeric() || "_-.:/".contains(c));
    (named && valid)
        .then(|| text.to_owned())
        .ok_or("it cannot be a model, inference profile or ARN")
}

pub fn key_life(text: &str) -> Result<SignedDuration, &'static str> {
    let life =
        text.parse().ok().filter(|life| (SignedDuration::from_secs(1)..=LONGEST).contains(life));
    life.ok_or("write it like 1h or 90m; AWS takes 12h at most")
}

pub fn region_name_or_none(text: &str) -> Result<String, &'static str> {
    if text.is_empty() { Ok(String::new()) } else { region_name(text) }
}
