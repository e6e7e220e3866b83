//! The files: what is wrong in profiles that nobody uses now, what boto3 reads otherwise, and proxies that
//! still have old keys. What is wrong for the chain, the chain finds.

use std::path::Path;

use jiff::Timestamp;

use super::case::Case;
use crate::aws::{Kind, botocore};
use crate::finding::{Code, Finding, Place};
use crate::fs::{Content, SourceFile};
use crate::text::visible;

pub fn findings(case: &Case<'_>) -> Vec<Finding> {
    let (credentials, config) = (case.world.credentials.as_ref(), case.world.config.as_ref());
    let missing = [
        missing(case, "AWS_SHARED_CREDENTIALS_FILE", credentials),
        missing(case, "AWS_CONFIG_FILE", config),
    ];
    let missing = missing.into_iter().flatten();
    missing.chain(boto3(case)).chain(old_proxies(case)).chain(half_key_pairs(case)).collect()
}

/// A variable that points to no file.
fn missing(case: &Case<'_>, variable: &str, file: Option<&SourceFile>) -> Option<Finding> {
    let file = file.filter(|_| case.is_filled(variable))?;
    let message = format!("{variable} points to {}, which does not exist", visible(&file.path));
    let finding = Finding::warning(Code::FileMissing, message)
        .remedy(format!("{} to use the file in ~/.aws again", case.unset(&[variable])));
    matches!(file.content, Content::Absent).then_some(finding)
}

/// What boto3 reads otherwise.
fn boto3(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in [&case.world.credentials, &case.world.config].into_iter().flatten() {
        for (line, what) in botocore::differences(file.bytes().unwrap_or_default()) {
            let text = what.to_string();
            let (message, advice) = text.split_once("; ").unwrap_or((&text, "fix it"));
            let finding = if what.rejects_file() {
                Finding::problem(Code::Boto3Rejects, message)
            } else {
                Finding::warning(Code::Boto3Differs, message)
            };
            findings.push(finding.remedy(advice).at(Place::line(&file.path, line)));
        }
    }
    for profile in &case.inputs.profiles {
        if let Some((what, at)) = botocore::other_identity(profile) {
            let message = format!("profile '{}' has keys, but boto3 {what}", profile.name());
            let finding = Finding::warning(Code::Boto3Differs, message)
                .remedy("keep the keys in a profile of their own, or use `backlog-aws exec`");
            findings.push(Finding { at: at.and_then(|at| case.inputs.place(at)), ..finding });
        }
    }
    findings
}

/// In profiles that are not used now.
fn half_key_pairs(case: &Case<'_>) -> Vec<Finding> {
    let used = case.resolution.answer.profile();
    let others = case.inputs.profiles.iter().filter(|other| used != Some(other.name().as_ref()));
    let half = others.filter(|profile| profile.kind() == Kind::Partial);
    half.map(|profile| {
        let message = format!("profile '{}' has only one half of a key pair", profile.name());
        let finding = Finding::warning(Code::HalfKeyPair, message)
            .remedy("add the other half, or remove the profile");
        Finding { at: case.inputs.place_of(profile), ..finding }
    })
    .collect()
}

/// `LiteLLM` reads credentials when it starts.
fn old_proxies(case: &Case<'_>) -> Vec<Finding> {
    let Some((changed, path)) = last_change(case) else { return Vec::new() };
    let old = case.probe.litellm.iter().filter(|process| process.started < changed);
    old.map(|process| {
        let (pid, path) = (process.pid, visible(path));
        let message =
            format!("LiteLLM (process {pid}) has the credentials of before {path} changed");
        Finding::warning(Code::LitellmOlder, message)
            .remedy(format!("stop it, `kill {pid}`, and start the toolkit again"))
    })
    .collect()
}

/// When a file that decides the toolkit's credentials last changed, and which.
fn last_change<'a>(case: &Case<'a>) -> Option<(Timestamp, &'a Path)> {
    let decided = case.resolution.decided_at().map(|at| &at.path);
    let overrides = case.world.overrides.iter().filter(|file| decided == Some(&file.path));
    let files = case.world.source_files().chain(overrides);
    let changed = files.filter_map(|file| {
        let modified = file.state.as_ref()?.modified;
        let time = Timestamp::new(modified.seconds, modified.nanoseconds.try_into().ok()?).ok()?;
        Some((time, file.path.as_path()))
    });
    changed.max()
}
