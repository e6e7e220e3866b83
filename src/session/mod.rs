//! What the hook did to a shell, so that it can be undone, and what the user did since, so that it is not.
//!
//! Pure. [`variables`] is the closed list of what can be written, [`ownership`] tells whose value each has, and [`state`]
//! is what travels from prompt to prompt in the environment.

mod ownership;
mod state;
#[cfg(test)]
mod tests;
mod variables;

pub use ownership::Ownership;
pub use state::Session;
pub use variables::{Change, STATE, UserIntent, Values, Variable, state_of};
