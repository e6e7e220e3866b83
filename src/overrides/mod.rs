//! `.backlog-aws`: which profile and region a directory asks for ([`file`]), and whether that counts ([`trust`]).

mod file;
pub mod rules;
pub mod trust;
mod worktree;

pub use self::file::{
    Edit, Entry, Invalid, Override, is_profile_name, is_region_name, parse, rewrite,
};
pub use crate::world::{MAX_OVERRIDE_BYTES as MAX_BYTES, OVERRIDE_NAME as FILE_NAME};
