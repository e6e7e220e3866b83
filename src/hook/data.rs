//! The data by which a shell sees for itself whether something changed: assignments, and nothing that decides.

use std::path::PathBuf;

use jiff::Timestamp;

use super::precision::Precision;
use super::stamps::Stamps;
use super::watch::{Expected, Watch};
use crate::fs::FileTime;
use crate::shell::Shell;
use crate::world::World;

/// Makes the shell ask at its next prompt: it expects of its variables what no values are.
pub fn ask_again(shell: Shell, out: &mut Vec<u8>) {
    shell.assign("expected_aws", "", out);
}

/// What to compare. Stamps are made now; without them, a shell gets the times themselves. `None` when there can be none.
pub fn assignments(
    shell: Shell,
    world: &World,
    watch: &Watch,
    expected: Expected,
) -> Option<Vec<u8>> {
    let stamps = match watch.precision {
        Precision::Stamps | Precision::SecondStamps => {
            Some(Stamps::open(world.cache.as_deref()?, world.home.as_deref()).ok()?)
        }
        Precision::ChangeTime | Precision::ModificationTime | Precision::Nothing => None,
    };
    let mut out = Vec::new();
    for (name, files) in [("files", &watch.files), ("directories", &watch.directories)] {
        let mut words = Vec::new();
        for (path, time) in files {
            words.push(path.clone());
            words.extend(stamps.as_ref().map(|stamps| stamps.of(*time)).transpose().ok()?);
        }
        shell.assign_list(name, &words, 1 + usize::from(stamps.is_some()), &mut out);
    }
    shell.assign_list("missing", &watch.missing, 1, &mut out);
    shell.assign_list("links", &watch.links, 2, &mut out);
    shell.assign_list("ignored", &watch.ignored, 1, &mut out);
    shell.assign_list("rules", &watch.rules, 1, &mut out);
    if stamps.is_none() {
        let times = watch.files.iter().map(|(_, time)| match shell {
            Shell::Nu => time.as_nanosecond().to_string(),
            _ => calendar(*time),
        });
        shell.assign("times", times.collect::<Vec<_>>().join(","), &mut out);
    }
    shell.assign("top", &watch.top, &mut out);
    shell.assign("rule", &watch.rule, &mut out);
    // From when to when the answer can stand, where credentials expire: in seconds since the epoch. fish has no clock, but
    // knows the age of a file, so it gets a stamp of the end.
    let until = match (watch.until, &stamps) {
        (None, _) => PathBuf::new(),
        (Some(until), Some(stamps)) if shell == Shell::Fish => {
            stamps.of(FileTime { seconds: until.as_second(), nanoseconds: 0 }).ok()?
        }
        (Some(until), _) => until.as_second().to_string().into(),
    };
    let since = watch.until.map(|_| world.now.as_second().to_string());
    shell.assign("since", since.unwrap_or_default(), &mut out);
    shell.assign("until", until, &mut out);
    for (name, value) in expected {
        shell.assign(name, value, &mut out);
    }
    Some(out)
}

/// A time as zsh's `zstat -gF %y%j%H%M%S%N` prints it. In UTC, because for local time zsh reads the time zone's file
/// each time; and by the calendar, because for seconds since the epoch it goes through local time all the same.
fn calendar(time: FileTime) -> String {
    match Timestamp::new(time.seconds, 0) {
        Ok(whole) => format!("{}{:09}", whole.strftime("%y%j%H%M%S"), time.nanoseconds),
        // Fits nothing, so the shell asks each time.
        Err(_) => String::from("-"),
    }
}
