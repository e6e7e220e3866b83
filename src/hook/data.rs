//! The data by which a shell sees for itself whether something changed: assignments, and nothing that decides.

use std::io;
use std::iter;
use std::path::PathBuf;

use jiff::Timestamp;

use super::stamps::Stamps;
use super::watch::{Expected, Watch};
use crate::fs::FileTime;
use crate::shell::Shell;

/// Makes the shell ask at its next prompt: it expects of its variables what no values are.
pub fn ask_again(shell: Shell, out: &mut Vec<u8>) {
    shell.assign("__backlog_aws_expected_aws", "", out);
}

/// What to compare. The stamps are made now; without them, files are compared by their change times.
pub fn assignments(
    shell: Shell,
    expected: Expected,
    watch: &Watch,
    stamps: Option<&Stamps<'_>>,
) -> io::Result<Vec<u8>> {
    let stamped = |files: &[(PathBuf, FileTime)]| -> io::Result<Vec<Vec<PathBuf>>> {
        let row = |(path, time): &(PathBuf, FileTime)| {
            let stamp = stamps.map(|stamps| stamps.of(*time)).transpose()?;
            Ok(iter::once(path.clone()).chain(stamp).collect())
        };
        files.iter().map(row).collect()
    };
    let one_each = |paths: &[PathBuf]| paths.iter().map(|path| vec![path.clone()]).collect();
    let links = watch.links.iter().map(|(path, real)| vec![path.clone(), real.clone()]).collect();
    let lists: [(&str, Vec<Vec<PathBuf>>); 6] = [
        ("__backlog_aws_files", stamped(&watch.files)?),
        ("__backlog_aws_directories", stamped(&watch.directories)?),
        ("__backlog_aws_missing", one_each(&watch.missing)),
        ("__backlog_aws_links", links),
        ("__backlog_aws_ignored", one_each(&watch.ignored)),
        ("__backlog_aws_rules", one_each(&watch.rules)),
    ];
    let (since, until) = validity(shell, watch, stamps)?;
    let mut out = Vec::new();
    for (name, rows) in lists {
        shell.assign_list(name, &rows, &mut out);
    }
    if stamps.is_none() {
        let times: Vec<String> = watch.files.iter().map(|(_, time)| calendar(*time)).collect();
        shell.assign("__backlog_aws_times", times.join(","), &mut out);
    }
    shell.assign("__backlog_aws_top", &watch.top, &mut out);
    shell.assign("__backlog_aws_rule", &watch.rule, &mut out);
    shell.assign("__backlog_aws_since", since, &mut out);
    shell.assign("__backlog_aws_until", until, &mut out);
    for (name, value) in [
        ("__backlog_aws_expected_keys", expected.keys),
        ("__backlog_aws_expected_ours", expected.ours),
        ("__backlog_aws_expected_places", expected.places),
        ("__backlog_aws_expected_aws", expected.aws),
    ] {
        shell.assign(name, value, &mut out);
    }
    Ok(out)
}

/// From when to when the answer can stand, where credentials expire: in seconds since the epoch. fish has no clock, but
/// knows the age of a file, so it gets a stamp of the end.
fn validity(
    shell: Shell,
    watch: &Watch,
    stamps: Option<&Stamps<'_>>,
) -> io::Result<(String, PathBuf)> {
    let Some((since, until)) = watch.validity else {
        return Ok((String::new(), PathBuf::new()));
    };
    let end = match stamps.filter(|_| shell == Shell::Fish) {
        Some(stamps) => stamps.of(FileTime { seconds: until.as_second(), nanoseconds: 0 })?,
        None => until.as_second().to_string().into(),
    };
    Ok((since.as_second().to_string(), end))
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
