//! `demo`
use super::Done;
use crate::cli;
use crate::world::World;
use std::io::Write;
/// x
pub fn run(_args: &cli::Demo, _world: &World, _out: &mut dyn Write) -> Done {
    Ok(0)
}
