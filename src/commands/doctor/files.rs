//! The AWS files: there, readable, private, understood, and understood by boto3 in the same way.

use super::check::{Case, Check, open_at, put_aside};
use crate::aws::botocore::{self, DifferenceKind};
use crate::aws::{At, FileKind, Kind, ProblemKind, Profile};
use crate::fs::{Content, SourceFile};
use crate::overrides::place;
use crate::text::{command_on, visible};

/// More lines of one file than this are counted and not listed.
const LISTED: usize = 200;

/// Whether the files can be read at all.
pub fn reading(case: &Case<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    for file in case.world.source_files() {
        let shown = visible(&file.path);
        match &file.content {
            Content::Unreadable(why) => checks.push(
                Check::problem("file-unreadable", format!("{shown} {why}"))
                    .remedy(readable_again(&file.path, why))
                    .at(&shown),
            ),
            Content::Read { .. } => {
                checks.push(Check::ok("file", format!("{shown} can be read")).at(&shown));
            }
            Content::Absent => {}
        }
    }
    for (kind, file) in aws_files(case) {
        let variable = match kind {
            FileKind::Credentials => "AWS_SHARED_CREDENTIALS_FILE",
            FileKind::Config => "AWS_CONFIG_FILE",
        };
        if matches!(file.content, Content::Absent) && case.world.env.non_empty(variable).is_some() {
            let shown = visible(&file.path);
            checks.push(
                Check::warning(
                    "file-missing",
                    format!("{variable} points to {shown}, which does not exist"),
                )
                .remedy(format!("{} to use the file in ~/.aws again", case.unset(&[variable])))
                .at(shown),
            );
        }
    }
    checks
}

fn readable_again(path: &std::path::Path, why: &str) -> String {
    if why.contains("permission denied") {
        command_on("chmod u+r", path)
    } else {
        format!("{} puts it aside; then make a file of that name", put_aside(path))
    }
}

/// Whether others can read the keys.
pub fn permissions(case: &Case<'_>) -> Option<Check> {
    let file = case.world.credentials.as_ref()?;
    let Content::Read { mode, .. } = &file.content else {
        return None;
    };
    let shown = visible(&file.path);
    let others = mode & 0o077;
    Some(if others == 0 {
        Check::ok("file-permissions", format!("only you can read {shown}"))
    } else {
        Check::warning(
            "file-permissions",
            format!("others can read {shown} (mode {:03o})", mode & 0o777),
        )
        .remedy(command_on("chmod 600", &file.path))
        .at(shown)
    })
}

/// Every line that was rejected or ignored.
pub fn lines(case: &Case<'_>) -> Vec<Check> {
    let profiles = &case.inputs.profiles;
    let mut checks = Vec::new();
    for problem in profiles.problems().iter().take(LISTED) {
        checks.extend(bad_line(case, problem.at(), &problem.what));
    }
    let more = profiles.problems().len().saturating_sub(LISTED) + profiles.problems_left_out();
    if more > 0 {
        checks.push(Check::warning(
            "file-invalid",
            format!(
                "{more} more lines are not understood; is one of the AWS files not a text file?"
            ),
        ));
    }
    for profile in &case.inputs.profiles {
        if let Err(problem) = profile.expires_at() {
            checks.extend(bad_line(case, problem.at(), &problem.what));
        }
    }
    checks
}

fn bad_line(case: &Case<'_>, at: At, what: &ProblemKind) -> Option<Check> {
    let text = what.to_string();
    // The wording of a problem ends in what to do about it.
    let (message, advice) = text.split_once("; ").unwrap_or((&text, "mend it"));
    let path = case.inputs.path_of(at.kind)?;
    let check = if what.rejects_file() {
        let message = format!("{message}; AWS tools give up on the whole file");
        Check::problem("file-invalid", message)
    } else {
        Check::warning("file-invalid", message)
    };
    Some(
        check
            .remedy(format!("{advice}: {}", open_at(path, at.line)))
            .at(place(path, Some(at.line))),
    )
}

/// What boto3 reads differently.
pub fn boto3(case: &Case<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    for (_, file) in aws_files(case) {
        let Content::Read { bytes, .. } = &file.content else {
            continue;
        };
        let differences = botocore::differences(bytes);
        let more = differences.len().saturating_sub(LISTED);
        for difference in differences.into_iter().take(LISTED) {
            checks.push(difference_check(file, difference.line, difference.what));
        }
        if more > 0 {
            let shown = visible(&file.path);
            checks.push(Check::warning(
                "boto3-differs",
                format!("{more} more such lines in {shown}"),
            ));
        }
    }
    for profile in &case.inputs.profiles {
        if let Some((what, at)) = botocore::other_identity(profile) {
            let check = Check::warning(
                "boto3-differs",
                format!("profile '{}' has keys, but boto3 {what}", profile.name()),
            );
            let check = check.remedy(
                "keep the keys in a profile of their own, or start boto3 and LiteLLM through `backlog-aws exec`",
            );
            checks.push(with_place(case, check, at));
        }
    }
    checks
}

fn difference_check(file: &SourceFile, line: usize, what: DifferenceKind) -> Check {
    let text = what.to_string();
    let (message, advice) = text.split_once("; ").unwrap_or((&text, "mend it"));
    let check = if what.rejects_file() {
        Check::problem("boto3-rejects", message)
    } else {
        Check::warning("boto3-differs", message)
    };
    check
        .remedy(format!("{advice}: {}", open_at(&file.path, line)))
        .at(place(&file.path, Some(line)))
}

/// Half key pairs and expired credentials, in profiles that nobody asked for.
pub fn profiles(case: &Case<'_>) -> Vec<Check> {
    let chosen = case.resolution.answer.profile();
    let mut checks = Vec::new();
    for profile in &case.inputs.profiles {
        if chosen.is_some_and(|chosen| chosen == profile.name()) {
            continue;
        }
        let name = profile.name();
        let at = profile.at().next();
        if is_half(profile) {
            let check = Check::warning(
                "half-key-pair",
                format!("profile '{name}' has only one half of a key pair"),
            )
            .remedy(format!("`aws configure --profile {name}` asks for both halves"));
            checks.push(with_place(case, check, at));
        } else if let Ok(Some(end)) = profile.expires_at()
            && end <= case.inputs.now
        {
            let check = Check::warning(
                "profile-expired",
                format!("the temporary credentials of '{name}' ran out at {end}"),
            )
            .remedy("renew them, or remove the profile");
            checks.push(with_place(case, check, at));
        }
    }
    checks
}

fn is_half(profile: &Profile<'_>) -> bool {
    profile.kind() == Kind::Partial || profile.also().contains(&Kind::Partial)
}

fn with_place(case: &Case<'_>, check: Check, at: Option<At>) -> Check {
    match at.and_then(|at| Some((case.inputs.path_of(at.kind)?, at.line))) {
        Some((path, line)) => check.at(place(path, Some(line))),
        None => check,
    }
}

fn aws_files<'a>(case: &Case<'a>) -> impl Iterator<Item = (FileKind, &'a SourceFile)> {
    let world = case.world;
    [(FileKind::Credentials, world.credentials.as_ref()), (FileKind::Config, world.config.as_ref())]
        .into_iter()
        .filter_map(|(kind, file)| Some((kind, file?)))
}
