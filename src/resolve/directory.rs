//! What files say about a directory: its override, and the user's own configuration.

use std::path::{Path, PathBuf};

use super::answer::{FoundOverride, Outcome};
use crate::finding::{Code, Finding, Place, Severity, Told};
use crate::fs::Content;
use crate::overrides::rules::{self, Rule, Rules};
use crate::overrides::trust::{OverrideFile, Verdict};
use crate::overrides::{self, Override};
use crate::text::{command_on, visible};
use crate::world::World;

/// What the directories above say.
#[derive(Debug, Default)]
pub struct Directory {
    /// The nearest override that counts, or why what it says is not known.
    pub decided: Option<(Place, Result<Override, Finding>)>,
    /// The nearest one that does not count, when it is nearer than the one that does or there is no other.
    pub passed_over: Option<(PathBuf, Outcome)>,
    pub findings: Vec<Finding>,
}

/// The user's own configuration, as far as it is about this directory.
#[derive(Debug)]
pub struct UserConfig {
    pub path: PathBuf,
    /// What it says, or why it cannot be used.
    pub rules: Result<Rules, Finding>,
    /// The rule for the working directory.
    pub rule: Option<Rule>,
}

impl Directory {
    /// The nearest override that counts or may count; what is nearer is passed over, with a finding.
    pub fn of(found: &[OverrideFile<'_>]) -> Self {
        let mut directory = Self::default();
        for OverrideFile { file, verdict } in found {
            let shown = visible(&file.path);
            let here = file.path.parent().unwrap_or(&file.path);
            // Without a path the commands are about the nearest, which most often is the one that is meant.
            let nearest = found.first().is_some_and(|first| first.file.path == file.path);
            let command = |command: &str| {
                if nearest { format!("`{command}`") } else { command_on(command, here) }
            };
            let allow = command("backlog-aws allow");
            let (outcome, finding) = match (&file.content, verdict) {
                (Content::Absent, _) => continue,
                (Content::Read { bytes, .. }, Verdict::Allowed) => {
                    directory.decide(&file.path, bytes);
                    break;
                }
                (Content::Unreadable(why), Verdict::Allowed) => {
                    let deny = command("backlog-aws deny");
                    let finding = Finding::problem(Code::OverrideInvalid, format!("{shown} {why}"))
                        .remedy(format!("fix it, or ignore it with {deny}"));
                    directory.decided = Some((Place::file(&file.path), Err(finding)));
                    break;
                }
                (_, Verdict::Undecidable(why)) => {
                    let message = format!("it is not known whether {shown} is allowed: {why}");
                    let finding = Finding::problem(Code::OverrideNotAllowed, message)
                        .remedy(format!("fix that, or run {allow} again"));
                    directory.decided = Some((Place::file(&file.path), Err(finding)));
                    break;
                }
                // The user knows.
                (_, Verdict::Denied) => (Outcome::NotAllowed, None),
                (Content::Read { bytes, .. }, Verdict::Unknown { changed }) => {
                    let (severity, why) = if *changed {
                        (Severity::Problem, ": changed since you allowed it")
                    } else {
                        (Severity::Warning, " until you allow it")
                    };
                    let message = format!("{shown} is ignored{why}");
                    let finding = Finding::warning(Code::OverrideNotAllowed, message)
                        .remedy(format!("read it, then run {allow}"));
                    let finding = finding.told(Told::OncePerShell).about(bytes);
                    (Outcome::NotAllowed, Some(Finding { severity, ..finding }))
                }
                (Content::Unreadable(why), _) => {
                    let message = format!("{shown} {why} and is ignored");
                    let finding =
                        Finding::warning(Code::OverrideInvalid, message).told(Told::OncePerShell);
                    (Outcome::Invalid, Some(finding.remedy("fix or remove it")))
                }
            };
            directory.passed_over.get_or_insert((file.path.clone(), outcome));
            directory.findings.extend(finding);
        }
        directory
    }
}

impl Directory {
    /// For a working directory that was deleted or cannot be reached: what belongs there is not known, and that is no
    /// reason to use another account.
    pub(super) fn gone() -> Self {
        let finding = Finding::problem(
            Code::Unusable,
            "the working directory was deleted, and which profile belongs to it is not known",
        )
        .remedy("`cd` to a directory that exists, or name a profile with `--profile`");
        let decided = Some((Place::file(Path::new(".")), Err(finding)));
        Self { decided, ..Self::default() }
    }

    /// The override that was found nearest, and whether it is allowed. For a working directory that is gone there is none.
    pub(super) fn found(&self) -> Option<FoundOverride> {
        let unknown = |finding: &Finding| finding.code == Code::OverrideNotAllowed;
        let (path, allowed) = match (&self.decided, &self.passed_over) {
            (Some((at, decided)), _) => (&at.path, !decided.as_ref().is_err_and(unknown)),
            (None, passed_over) => (&passed_over.as_ref()?.0, false),
        };
        path.is_absolute().then(|| FoundOverride { path: path.clone(), allowed })
    }

    /// Has the directory say what a file that counts says.
    pub fn decide(&mut self, path: &Path, content: &[u8]) {
        let (line, decided) = match overrides::parse(content) {
            Ok(decided) => (None, Ok(decided)),
            Err(invalid) => {
                let or = ", or ignore it with `backlog-aws deny`";
                (invalid.line, Err(invalid.finding(Code::OverrideInvalid, path, or)))
            }
        };
        self.decided = Some((Place { path: path.to_owned(), line }, decided));
    }
}

impl Default for UserConfig {
    fn default() -> Self {
        Self { path: PathBuf::new(), rules: Ok(Rules::default()), rule: None }
    }
}

impl UserConfig {
    pub(super) fn of(world: &World) -> Self {
        let Some(file) = &world.user_config else {
            return Self::default();
        };
        let refused = |why: &str, remedy: &str| {
            let message = format!("{} {why}", visible(&file.path));
            Err(Finding::problem(Code::Unusable, message).remedy(remedy))
        };
        let rules = match (&file.content, file.foreign()) {
            (Content::Absent, _) => Ok(Rules::default()),
            (Content::Unreadable(why), _) => refused(why, "fix or remove it"),
            (Content::Read { .. }, Some(why)) => {
                let chmod = command_on("chmod go-w", &file.path);
                refused(why, &format!("make it a file that only you can write to: {chmod}"))
            }
            (Content::Read { bytes, .. }, None) => rules::parse(bytes, world.home.as_deref())
                .map_err(|invalid| invalid.finding(Code::Unusable, &file.path, "")),
        };
        let rule = match (&rules, &world.cwd) {
            (Ok(rules), Some(cwd)) => rules.for_directory(cwd).cloned(),
            _ => None,
        };
        Self { path: file.path.clone(), rules, rule }
    }

    /// What holds everywhere.
    pub fn everywhere(&self) -> Option<&Override> {
        self.rules.as_ref().ok().map(|rules| &rules.everywhere)
    }
}
