//! Which profile, and why: the chain of candidates.
//!
//! [`Inputs`] is made from what was read and the trust store, the rest is pure: everything goes out through [`Resolution`]. Whoever explains
//! an answer (`status`, `doctor`, `list`) shows the very value that the hook exports and `exec` acts on.

mod answer;
mod chain;
mod directory;
mod explanation;
mod inputs;
mod summary;

pub use answer::{
    Answer, AwsProfile, Candidate, FALLBACK_REGION, FoundOverride, Identity, Outcome, Reason,
    Region, RegionSource, Resolution,
};
pub use chain::resolve;
pub use directory::{Directory, UserConfig};
pub use explanation::{describe, none_found};
pub use inputs::{ADD_A_PROFILE, EnvironmentKeys, Inputs, USE, usable};

#[cfg(test)]
mod tests;
