//! `hook`: what the integration runs when something changed. Prints code for the shell; says what is news on standard
//! error.
//!
//! This is the one command whose cost people feel, so its arguments are plain positions and not clap's.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::error::{Done, Failure};
use crate::finding::print_findings;
use crate::hook::{Precision, leave, update};
use crate::layout::say;
use crate::session::{Session, Values, state_of};
use crate::shell::Shell;
use crate::world::World;

/// Counts up when the scripts of `shell/` and what the program prints for them no longer go together.
const PROTOCOL: &str = "3";

/// Decides what to change in the shell that called. The integration passes `hook SHELL SESSION PRECISION PROTOCOL [hold]`,
/// and `hold` when the shell is to say itself, and later, what there is to say.
pub fn run(words: &[OsString], world: &World, out: &mut dyn Write) -> Done {
    let argument = |index: usize| words.get(index).map_or(OsStr::new(""), OsString::as_os_str);
    let shell = Shell::from_path(Path::new(argument(0))).ok_or_else(|| {
        Failure::Usage("`hook` is run by the shells; see `backlog-aws init --help`".to_owned())
    })?;
    let now = Values::of(&world.env);
    let session = Session::continued(state_of(&world.env), &argument(1).to_string_lossy(), &now);
    let is_ours = words.len() <= 3 || argument(3) == PROTOCOL;
    let Some(precision) = Precision::from_word(argument(2)).filter(|_| is_ours) else {
        out.write_all(&leave(shell, world, session))?;
        say(
            "backlog-aws was upgraded, and the hook of this shell is too old for it; start a new shell",
            &world.env,
        );
        return Ok(0);
    };
    let (mut code, news) = update(shell, precision, world, session);
    if argument(4) == "hold" {
        let mut text = Vec::new();
        print_findings(news, &world.env, &mut text);
        shell.assign("news+", OsStr::from_bytes(&text), &mut code);
        out.write_all(&code)?;
    } else {
        out.write_all(&code)?;
        print_findings(news, &world.env, &mut io::stderr().lock());
    }
    Ok(0)
}
