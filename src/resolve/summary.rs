//! An answer in one line, as `use`, `local` and `allow` confirm it.

use super::answer::{Answer, Resolution};
use super::inputs::Inputs;
use crate::secret::mask_key_id;
use crate::source::Source;
use crate::text::visible;

impl Resolution {
    /// Profile, kind, key, account, region and what decided.
    pub fn summary(&self, inputs: &Inputs<'_>) -> String {
        let answer = &self.answer;
        let profile = answer.profile().and_then(|name| inputs.profile(name));
        let of_files = || inputs.account_of_profile(profile?);
        let account = self.account.clone().or_else(of_files);
        let account = account.map(|account| format!("account {account}"));
        let by = answer.source().map_or("nothing", Source::name);
        let (name, kind, key, end) = match answer {
            Answer::Usable { identity, .. } => {
                let name = identity.profile().map_or_else(|| identity.without_profile(), visible);
                let key = identity.credentials().map(|keys| mask_key_id(&keys.access_key_id));
                (name, identity.kind_name(), key, "")
            }
            Answer::Unusable { profile: name, .. } => {
                let name = name.as_ref().map_or("no profile".into(), visible);
                let kind = profile.map_or("no such profile", |profile| profile.kind().as_str());
                (name, kind, None, ": cannot be used")
            }
            Answer::Nothing => return "no usable profile".to_owned(),
        };
        let details = [Some(kind.to_owned()), key, account];
        let details = details.into_iter().flatten().collect::<Vec<_>>().join(", ");
        format!("{name} ({details}), {}, by {by}{end}", visible(&self.region.name))
    }

    /// What holds after a choice was made or ended: how far it reaches, and what to do about a pin that hides it.
    pub fn in_force(&self, place: &str, inputs: &Inputs<'_>) -> String {
        let pinned = inputs.intent.pin.is_some() || inputs.intent.region_pin.is_some();
        let end = if pinned { "; until `backlog-aws use --clear`" } else { "" };
        format!("in force {place}: {}{end}", self.summary(inputs))
    }
}
