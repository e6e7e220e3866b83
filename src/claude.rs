//! Claude Code: `init claude` prints hooks for its settings, which run `env --format claude`.
//!
//! Its Bash tool starts a shell without prompts for each command, so no prompt hook runs there. It does read a file of
//! exports, `$CLAUDE_ENV_FILE`, that its own hooks may append to.

use std::io::Write;

use serde_json::json;

use crate::error::Done;
use crate::shell::{Shell, quote};
use crate::text::write_json;
use crate::world::World;

/// `init claude`: a snippet of `settings.json`. It is for people to look at and copy; nothing is written.
pub fn print_settings(world: &World, out: &mut dyn Write) -> Done {
    let mut program = Vec::new();
    quote(Shell::Bash, &world.program, &mut program);
    // A Claude Code that is too old to have the file must not get an error at each start. Nor must anything be printed:
    // what a SessionStart hook prints becomes part of the conversation.
    let command = format!(
        r#"[ -z "$CLAUDE_ENV_FILE" ] || {} env --format claude >> "$CLAUDE_ENV_FILE""#,
        String::from_utf8_lossy(&program)
    );
    let hooks = json!([{ "hooks": [{ "type": "command", "command": command }] }]);
    let settings = json!({ "hooks": { "SessionStart": hooks, "CwdChanged": hooks } });
    write_json(out, &settings)?;
    Ok(0)
}
