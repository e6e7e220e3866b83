//! `man`: the manual page. `tests/it/manual.rs` generates it.

use std::io::Write;

use crate::error::Done;

/// Prints the page.
pub fn run(out: &mut dyn Write) -> Done {
    out.write_all(include_bytes!("../../man/backlog-aws.1"))?;
    Ok(0)
}
