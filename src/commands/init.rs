//! `init`: the integration script.

use std::io::Write;

use crate::claude;
use crate::cli::{self, InitTarget};
use crate::error::Done;
use crate::shell::Shell;
use crate::world::World;

/// Prints the script with this program's path and the asked settings in it.
pub fn run(args: &cli::Init, world: &World, out: &mut dyn Write) -> Done {
    let shell = match args.target {
        InitTarget::Bash => Shell::Bash,
        InitTarget::Zsh => Shell::Zsh,
        InitTarget::Fish => Shell::Fish,
        InitTarget::Nu => Shell::Nu,
        InitTarget::Claude => return claude::print_settings(world, out),
    };
    out.write_all(&shell.integration(&world.program, args.hook, !args.no_completions))?;
    Ok(0)
}
