//! backlog-aws: which AWS profile the Backlog Toolkit should use in this shell, and why.
//!
//! Data flows one way: [`world`] reads the machine once, [`resolve`] and [`session`] turn that into an answer without
//! touching anything, [`shell`] renders it, and only `main` and `commands::exec` act.

pub mod aws;
pub mod secret;
