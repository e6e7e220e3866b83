//! One file per command, each a function of its arguments, the [`World`](crate::world::World) and an output.

pub mod allow;
pub mod check;
pub mod complete;
pub mod completions;
pub mod credentials;
pub mod demo;
pub mod doctor;
pub mod env;
pub mod exec;
pub mod hook;
pub mod init;
pub mod list;
pub mod local;
pub mod man;
pub mod setup;
pub mod status;
pub mod use_profile;
