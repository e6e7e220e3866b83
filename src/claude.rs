//! Claude Code: `init claude` prints settings for it, and `hook claude` says to it which files matter.
//!
//! Its Bash tool starts a shell without prompts for each command, so no prompt hook runs there. It does read a file of
//! exports, `$CLAUDE_ENV_FILE`, that its own hooks may append to: `env --format claude` prints them.

use std::ffi::OsStr;
use std::io::Write;
use std::path::PathBuf;

use serde_json::json;

use crate::aws::Kind;
use crate::error::Done;
use crate::resolve::Inputs;
use crate::session::UserIntent;
use crate::shell::{Shell, quote};
use crate::text::{quoted, write_json};
use crate::world::{OVERRIDE_NAME, World};

/// The hooks of Claude Code after which the answer may be another (<https://code.claude.com/docs/en/hooks>).
const EVENTS: [&str; 3] = ["SessionStart", "CwdChanged", "FileChanged"];

/// `init claude`: a snippet of `settings.json`. It is for people to look at and copy; nothing is written.
pub fn print_settings(world: &World, out: &mut dyn Write) -> Done {
    let mut program = Vec::new();
    quote(Shell::Bash, &world.program, &mut program);
    let program = String::from_utf8_lossy(&program);
    let mut settings = json!({ "hooks": {} });
    for event in EVENTS {
        // A Claude Code that is too old to have the file must not get an error at each start. What is printed is data
        // for it; other text would become part of the conversation.
        let command = format!(
            r#"[ -z "$CLAUDE_ENV_FILE" ] || {{ {program} env --format claude >> "$CLAUDE_ENV_FILE"; {program} hook claude {event}; }}"#
        );
        settings["hooks"][event] =
            json!([{ "hooks": [{ "type": "command", "command": command }] }]);
    }
    // By these it signs in itself, and no AWS_PROFILE has to be exported for it.
    let inputs = Inputs::of(world, UserIntent::default());
    let profile = inputs.aws_profile.as_ref().and_then(|name| inputs.profile(name));
    if let Some(profile) = profile.filter(|profile| profile.kind() == Kind::Sso) {
        let name = quoted(profile.name());
        settings["awsAuthRefresh"] = json!(format!("aws sso login --profile {name}"));
        settings["awsCredentialExport"] =
            json!(format!("aws configure export-credentials --profile {name} --format process"));
    }
    write_json(out, &settings)?;
    Ok(0)
}

/// `hook claude EVENT`: the files that the answer rests on, there or not, for Claude Code to watch.
pub fn print_watch_paths(event: &OsStr, world: &World, out: &mut dyn Write) -> Done {
    let directories = world.cwd.iter().flat_map(|directory| directory.ancestors());
    let overrides = directories.map(|directory| directory.join(OVERRIDE_NAME));
    let files = world.source_files().map(|file| file.path.clone()).chain(overrides);
    let paths: Vec<PathBuf> = files.chain(world.data_dir.clone()).collect();
    let paths: Vec<_> =
        paths.iter().filter(|path| path.is_absolute()).filter_map(|path| path.to_str()).collect();
    let event = EVENTS.into_iter().find(|known| *known == event);
    let answer = json!({ "hookEventName": event, "watchPaths": paths });
    write_json(out, &json!({ "hookSpecificOutput": answer }))?;
    Ok(0)
}
