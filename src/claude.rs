//! Claude Code: `init claude` prints hooks for its settings, and `hook claude` is what those hooks run.
//!
//! Its Bash tool starts a shell without prompts for each command, so no prompt hook runs there. It does read a file of
//! exports, `$CLAUDE_ENV_FILE`, that its own hooks may append to.

use std::ffi::OsStr;
use std::io::{self, Write};

use serde_json::json;

use crate::error::Done;
use crate::finding::{abridged, print_findings};
use crate::resolve::{Inputs, resolve};
use crate::session::{STATE, Session, Values, Variable, state_of};
use crate::shell::{Shell, quote};
use crate::text::write_json;
use crate::world::World;

/// `hook claude`: the answer for the working directory, as POSIX shell code.
///
/// Every variable is written, also the unchanged and the unset ones: the file is appended to at each change of directory,
/// and the last line for a variable counts.
pub fn print_exports(world: &World, out: &mut dyn Write) -> Done {
    let now = Values::of(&world.env);
    let mut session = Session::of_parent(state_of(&world.env), &now);
    let resolution = resolve(&Inputs::of(world, session.variables.intent()));
    let after = session.variables.apply(resolution.exports().as_ref());
    let news = session.news(&abridged(resolution.all_findings()));
    let mut code = Vec::new();
    for variable in Variable::ALL {
        export(variable.name(), after[variable].as_deref(), &mut code);
    }
    export(STATE, Some(OsStr::new(&session.to_text())), &mut code);
    out.write_all(&code)?;
    print_findings(news, &world.env, &mut io::stderr().lock());
    Ok(0)
}

fn export(name: &str, value: Option<&OsStr>, code: &mut Vec<u8>) {
    if let Some(value) = value {
        code.extend_from_slice(format!("export {name}=").as_bytes());
        quote(Shell::Bash, value, code);
        code.push(b'\n');
    } else {
        code.extend_from_slice(format!("unset {name}\n").as_bytes());
    }
}

/// `init claude`: a snippet of `settings.json`. It is for people to look at and copy; nothing is written.
pub fn print_settings(world: &World, out: &mut dyn Write) -> Done {
    let mut program = Vec::new();
    quote(Shell::Bash, &world.program, &mut program);
    // A Claude Code that is too old to have the file must not get an error at each start. Nor must anything be printed:
    // what a SessionStart hook prints becomes part of the conversation.
    let command = format!(
        r#"[ -z "$CLAUDE_ENV_FILE" ] || {} hook claude >> "$CLAUDE_ENV_FILE""#,
        String::from_utf8_lossy(&program)
    );
    let hooks = json!([{ "hooks": [{ "type": "command", "command": command }] }]);
    let settings = json!({ "hooks": { "SessionStart": hooks, "CwdChanged": hooks } });
    write_json(out, &settings)?;
    Ok(0)
}
