//! What there is to say about an answer: which notices apply, and their wording.

use std::ffi::OsStr;

use super::answer::{Answer, AwsProfile, Candidate, Identity, Reason};
use super::inputs::{Inputs, usable};
use crate::aws::{Kind, Profile};
use crate::finding::{Code, EXPIRES_SOON_MINUTES, Finding};
use crate::overrides;
use crate::source::Source;
use crate::text::visible;
use crate::toolkit_env::Unknown;

/// All notices, the reason for having no credentials last.
pub(super) fn notices(
    inputs: &Inputs<'_>,
    answer: &Answer,
    candidates: &[Candidate],
    aws_profile: Option<&AwsProfile>,
) -> Vec<Finding> {
    let mut notices = inputs.file_notices.clone();
    notices.extend(inputs.directory.notices.iter().cloned());
    let mut explanation = Explanation { inputs, answer, candidates, notices };
    explanation.notice_aws_profile(aws_profile);
    explanation.notice_toolkit_env();
    explanation.notice_answer();
    explanation.notices
}

struct Explanation<'a> {
    inputs: &'a Inputs<'a>,
    answer: &'a Answer,
    candidates: &'a [Candidate],
    notices: Vec<Finding>,
}

impl Explanation<'_> {
    fn notice_aws_profile(&mut self, aws_profile: Option<&AwsProfile>) {
        let Some(AwsProfile { name, kind }) = aws_profile else {
            return;
        };
        let shown = visible(name);
        let notice = match kind {
            None => Finding::new(
                Code::AwsProfileMissing,
                format!(
                    "AWS_PROFILE={shown} names a profile that is in neither {}; every AWS client of this shell will fail on it",
                    self.aws_files(" nor "),
                ),
            ),
            Some(Kind::Sso) => Finding::new(
                Code::AwsProfileSso,
                format!(
                    "Profile '{shown}' has no static credentials: AWS_PROFILE={shown} is an SSO profile. \
                     Claude Code keeps it; the Backlog Toolkit does not use it",
                ),
            ),
            Some(kind) => {
                let found = name.to_str().and_then(|name| self.inputs.profiles.get(name));
                let Some(Err(reason)) = found.map(|profile| usable(profile, self.inputs.now))
                else {
                    return;
                };
                Finding::new(
                    Code::AwsProfileUnusable,
                    format!(
                        "Profile '{shown}' has no static credentials: AWS_PROFILE={shown} {}. The Backlog Toolkit does not use it",
                        describe(&reason, *kind),
                    ),
                )
            }
        };
        self.notices.push(notice);
    }

    fn notice_toolkit_env(&mut self) {
        let (path, file) = &self.inputs.toolkit_env;
        for (name, line, why) in file.unknown() {
            let place = overrides::place(path, Some(line));
            let (code, remedy) = match why {
                Unknown::NeedsShell => (Code::ValueNeedsExpansion, "write it out in single quotes"),
                Unknown::OpenQuote => (Code::FileInvalid, "close it there"),
            };
            self.notices.push(Finding::new(
                code,
                format!("the value of {name} {why} and is not used ({place}); {remedy}"),
            ));
        }
    }

    fn notice_answer(&mut self) {
        let notice = match self.answer {
            Answer::Usable { source, identity } => {
                if *source == Source::First {
                    let name = visible(identity.profile().unwrap_or_default());
                    self.notices.push(Finding::new(
                        Code::AutoDetected,
                        format!(
                            "Auto-detected AWS profile: {name}. Nothing names one; \
                             choose with `backlog-aws use NAME` or `backlog-aws local NAME`",
                        ),
                    ));
                }
                if let (Source::EnvironmentKeys, Some(name)) = (source, &self.inputs.aws_profile) {
                    self.notices.push(Finding::new(
                        Code::EnvironmentKeysShadow,
                        format!(
                            "AWS keys in the environment are used and AWS_PROFILE={} is not looked at, here and in boto3; \
                             unset AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY unless that is meant",
                            visible(name),
                        ),
                    ));
                }
                if let Some(problem) = self.unreadable_expiry(identity) {
                    self.notices.push(problem);
                }
                let soon = jiff::SignedDuration::from_mins(EXPIRES_SOON_MINUTES);
                identity.expires_at().filter(|end| end.duration_since(self.inputs.now) <= soon).map(
                    |end| {
                        let whose = identity.profile().map_or_else(
                            || source.word().to_owned(),
                            |name| format!("'{}'", visible(name)),
                        );
                        Finding::new(
                            Code::CredentialsExpireSoon,
                            format!(
                                "the temporary credentials of {whose} run out at {end}; renew them"
                            ),
                        )
                    },
                )
            }
            Answer::Unusable { source, profile, reason } => {
                let code = match reason {
                    Reason::Expired(_) => Code::CredentialsExpired,
                    Reason::Override(_) => Code::OverrideInvalid,
                    Reason::Missing | Reason::Kind(_) => Code::Unusable,
                };
                Some(Finding::new(code, self.refusal(*source, profile.as_deref(), reason)))
            }
            Answer::Nothing => Some(Finding::new(
                Code::NoneFound,
                format!(
                    "No AWS profiles with static credentials found in {}; add one with `aws configure --profile bedrock`",
                    self.aws_files(" or "),
                ),
            )),
        };
        self.notices.extend(notice);
    }

    /// An expiry time of the chosen profile that cannot be read. The reader does not report it among the problems of the
    /// file, because most profiles are never used.
    fn unreadable_expiry(&self, identity: &Identity) -> Option<Finding> {
        let problem = self.inputs.profiles.get(identity.profile()?)?.expires_at().err()?;
        let path = self.inputs.path_of(problem.kind)?;
        let place = overrides::place(path, Some(problem.line));
        Some(Finding::new(Code::FileInvalid, format!("{} ({place})", problem.what)))
    }

    fn refusal(&self, source: Source, profile: Option<&OsStr>, reason: &Reason) -> String {
        let at = self
            .candidates
            .iter()
            .find(|candidate| candidate.source == source)
            .and_then(|candidate| candidate.at.as_ref());
        let whence = match (source, at) {
            (Source::Pin, _) => "pinned".to_owned(),
            (Source::Ambient, _) => "BACKLOG_AWS_PROFILE names it".to_owned(),
            (_, Some(place)) => format!("named in {place}"),
            (_, None) => format!("named by {}", source.word()),
        };
        let remedy = self.remedy(source);
        let shown = profile.map(visible).unwrap_or_default();
        match reason {
            Reason::Override(invalid) => {
                let place = at.map(ToString::to_string).unwrap_or_default();
                format!("{place} {invalid}; mend it, or remove it with `backlog-aws local --unset`")
            }
            Reason::Missing => format!(
                "Profile '{shown}' has no static credentials: it is in neither {} ({whence}); {remedy}",
                self.aws_files(" nor "),
            ),
            Reason::Kind(kind) => format!(
                "Profile '{shown}' has no static credentials: it {} ({whence}); {remedy}",
                describe(reason, *kind),
            ),
            Reason::Expired(end) => {
                format!(
                    "the temporary credentials of '{shown}' ran out at {end} ({whence}); renew them, or {remedy}"
                )
            }
        }
    }

    fn remedy(&self, source: Source) -> String {
        const SHOWN: usize = 5;
        let usable: Vec<&str> = self
            .inputs
            .profiles
            .iter()
            .filter(|profile| usable(profile, self.inputs.now).is_ok())
            .map(Profile::name)
            .take(SHOWN + 1)
            .collect();
        let names = match usable.len() {
            0 => {
                return "no profile is usable; add one with `aws configure --profile bedrock`"
                    .to_owned();
            }
            n if n > SHOWN => {
                format!("{}, … (`backlog-aws list --usable`)", usable[..SHOWN].join(", "))
            }
            _ => usable.join(", "),
        };
        let command = match source {
            Source::Directory => "`backlog-aws local NAME`",
            _ => "`backlog-aws use NAME`",
        };
        format!("{command} with one of: {names}")
    }

    fn aws_files(&self, between: &str) -> String {
        let (credentials, config) = &self.inputs.aws_paths;
        let shown: Vec<String> = [credentials, config].into_iter().flatten().map(visible).collect();
        if shown.is_empty() {
            "~/.aws (there is no home directory)".to_owned()
        } else {
            shown.join(between)
        }
    }
}

/// What a profile is instead of usable, as the end of "it …".
pub fn describe(reason: &Reason, kind: Kind) -> String {
    if let Reason::Expired(end) = reason {
        return format!("has temporary credentials that ran out at {end}");
    }
    match kind {
        Kind::Sso => "is an SSO profile",
        Kind::AssumeRole => "assumes a role",
        Kind::WebIdentity => "uses a web identity token",
        Kind::Process => "gets its credentials from a program (credential_process)",
        Kind::Login => "signs in through `aws login`",
        Kind::Partial => "has only one half of a key pair",
        Kind::Empty => "has no credentials at all",
        Kind::Static | Kind::Temporary => "is usable",
    }
    .to_owned()
}
