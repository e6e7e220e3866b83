//! backlog-aws: which AWS profile the Backlog Toolkit should use in this shell, and why.
//!
//! Data flows one way: [`world`] reads the machine once, [`resolve`] makes one answer of it, [`session`] works out what to
//! change in the shell, and [`hook`] and the [`commands`] act. CONTRIBUTING.md says where each rule lives.

pub mod aws;
pub mod bearer;
pub mod check;
pub mod choice;
pub mod claude;
pub mod cli;
pub mod commands;
pub mod doctor;
pub mod error;
pub mod finding;
pub mod fs;
pub mod handover;
pub mod hook;
pub mod layout;
pub mod overrides;
pub mod resolve;
pub mod sealed;
pub mod secret;
pub mod session;
pub mod shell;
pub mod source;
pub mod start_script;
pub mod start_up;
pub mod temporary;
pub mod text;
pub mod toolkit_env;
pub mod user_config;
pub mod world;
