//! Credentials where nobody meant to hand them out: Claude Code's settings, and what git tracks. Only names are kept.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::finding::{Code, Finding, Place};
use crate::fs::{SourceFile, read_file};
use crate::text::{command_on, visible};
use crate::toolkit_env::ToolkitEnv;
use crate::world::World;

/// Larger than any settings, and than the index of nearly all repositories.
const MAX_BYTES: u64 = 64 << 20;

/// Looks into files that nothing else reads.
pub fn look(world: &World) -> Vec<Finding> {
    let settings = world.home.as_ref().map(|home| home.join(".claude/settings.json"));
    let claude = settings.and_then(|path| of_claude(&read_file(path, MAX_BYTES)));
    let tracked = world.cwd.as_deref().and_then(tracked_keys).map(|path| {
        let remedy = command_on("git rm --cached --", &path);
        let message = format!("{} has keys, and git tracks it", visible(&path));
        Finding::warning(Code::TrackedKeys, message).remedy(format!(
            "{remedy}, name it in .gitignore, and replace the keys: history keeps them"
        ))
    });
    claude.into_iter().chain(tracked).collect()
}

/// Variables of AWS in the `env` of Claude Code's settings.
fn of_claude(file: &SourceFile) -> Option<Finding> {
    #[derive(Deserialize)]
    #[allow(clippy::zero_sized_map_values, reason = "a set is no object in JSON")]
    struct Settings {
        #[serde(default)]
        env: BTreeMap<String, IgnoredAny>,
    }
    file.state.as_ref()?;
    let finding =
        |what: &str| Finding::warning(Code::ClaudeSettings, what).at(Place::file(&file.path));
    let Ok(settings) = serde_json::from_slice::<Settings>(file.bytes().unwrap_or_default()) else {
        let finding =
            finding("Claude Code's settings cannot be read, so nobody knows what they set");
        return Some(finding.remedy("look whether their `env` has AWS variables"));
    };
    let names = settings.env.into_keys().filter(|name| name.starts_with("AWS_"));
    let names = names.map(visible).collect::<Vec<_>>().join(", ");
    let what = format!("Claude Code's settings give {names} to every command of its Bash tool");
    (!names.is_empty()).then(|| {
        finding(&what).remedy(
        "take them out of `env` there; `backlog-aws init claude` prints settings that need none",
    )
    })
}

/// The nearest `.env` with keys that the repository around has, by its index; git is not run.
fn tracked_keys(directory: &Path) -> Option<PathBuf> {
    let root = directory.ancestors().find(|directory| directory.join(".git").is_dir())?;
    let index = read_file(root.join(".git/index"), MAX_BYTES);
    let inside = directory.ancestors().take_while(|directory| directory.starts_with(root));
    let mut files = inside.map(|directory| directory.join(".env"));
    files.find(|path| {
        let file = read_file(path.clone(), MAX_BYTES);
        let text = ToolkitEnv::parse(file.bytes().unwrap_or_default());
        let has_keys = ["AWS_SECRET_ACCESS_KEY", "AWS_BEARER_TOKEN_BEDROCK", "ANTHROPIC_API_KEY"];
        let name = path.strip_prefix(root).unwrap_or(path).as_os_str().as_bytes();
        // An entry has the length of its path in two bytes, the path, and a zero byte (gitformat-index(5)). Version 4
        // shortens paths; what is not at the top may not be found there.
        let length = u16::try_from(name.len()).unwrap_or_default();
        let entry = [&length.to_be_bytes()[..], name, b"\0"].concat();
        has_keys.iter().any(|key| text.get(key).is_some())
            && index.bytes().unwrap_or_default().windows(entry.len()).any(|bytes| bytes == entry)
    })
}
