//! `--bearer`: a short-lived Bedrock API key in place of the keys of an answer, signed here.

use jiff::{SignedDuration, Timestamp};

use crate::aws::ApiKey;
use crate::resolve::{Answer, Identity, Resolution};

/// How long AWS lets such a key live at most.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(12);

/// How long it lives when nobody says.
const USUAL: SignedDuration = SignedDuration::from_hours(1);

/// Puts a Bedrock API key in the place of an answer's credentials: signed with them for the region, lasting for `life`, but
/// not longer than they do. An answer that is such a key already stays.
pub fn exchange(resolution: &mut Resolution, life: Option<SignedDuration>, now: Timestamp) {
    if let Answer::Usable { identity, .. } = &mut resolution.answer
        && let Some(credentials) = identity.credentials()
    {
        let region = resolution.region.name.to_string_lossy();
        let rest = credentials.expires_at.map_or(LONGEST, |end| end.duration_since(now));
        let life = life.unwrap_or(USUAL).min(rest);
        *identity = Identity::BearerToken(ApiKey::signed(credentials, &region, now, life));
    }
}
