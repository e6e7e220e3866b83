//! `completions`: the completion script of a shell.

use std::io::Write;

use crate::cli;
use crate::error::Done;
use crate::shell::{HookMode, Shell};
use crate::world::World;

/// Prints the script as it stands in `completions/`.
pub fn run(args: &cli::Completions, world: &World, out: &mut dyn Write) -> Done {
    let script = match args.shell {
        Shell::Bash => include_str!("../../completions/backlog-aws.bash"),
        Shell::Zsh => include_str!("../../completions/_backlog-aws"),
        Shell::Fish => include_str!("../../completions/backlog-aws.fish"),
        // The integration has it all, because nushell completes what it defines.
        Shell::Nu => {
            out.write_all(&args.shell.integration(&world.program, HookMode::None, true))?;
            return Ok(0);
        }
    };
    out.write_all(script.as_bytes())?;
    Ok(0)
}
