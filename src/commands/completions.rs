//! `completions`: the completion script of a shell.

use std::io::Write;

use crate::cli;
use crate::error::Done;

/// Prints the script as it stands in `completions/`.
pub fn run(args: &cli::Completions, out: &mut dyn Write) -> Done {
    out.write_all(args.shell.completions().as_bytes())?;
    Ok(0)
}
