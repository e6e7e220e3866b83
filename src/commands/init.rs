//! `init`: the integration script.

use std::io::Write;

use super::Done;
use crate::cli;
use crate::shell::Integration;
use crate::world::World;

/// Prints the script with this program's path and the asked settings in it.
pub fn run(args: &cli::Init, world: &World, out: &mut dyn Write) -> Done {
    let settings = Integration {
        hook: args.hook,
        export_credentials: args.export_credentials,
    };
    out.write_all(&args.shell.integration(&world.program, settings))?;
    Ok(0)
}
