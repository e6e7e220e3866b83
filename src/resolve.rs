//! Which profile, and why: the chain of nine candidates.
//!
//! Pure: everything comes in through [`Inputs`], everything goes out through [`Resolution`]. Whoever explains an answer
//! (`status`, `doctor`, `list`) shows the very value that the hook exports and `exec` acts on.

mod answer;
mod chain;
mod explain;
mod inputs;
#[cfg(test)]
mod tests;

pub use crate::source::Source;
pub use answer::{
    Answer, AwsProfile, Candidate, FALLBACK_REGION, FoundOverride, Identity, Outcome, Place,
    Reason, Region, RegionSource, Resolution,
};
pub use explain::describe;
pub use inputs::{Directory, EnvironmentKeys, Inputs, usable};

/// Runs the chain.
pub fn resolve(inputs: &Inputs<'_>) -> Resolution {
    let mut chain = chain::Chain::new(inputs);
    for source in Source::ALL {
        chain.ask(source);
    }
    chain.finish()
}
