//! What the toolkit gets, and what stands in its way: the chain's answer, overrides, the toolkit's own file.

use super::check::{Case, Check, comment_out, put_aside, quoted};
use crate::aws::Kind;
use crate::finding::EXPIRES_SOON_MINUTES;
use crate::finding::Place;
use crate::fs::Content;
use crate::handover::Handover;
use crate::overrides::trust::{OverrideFile, Verdict};
use crate::overrides::{self, place};
use crate::resolve::{Answer, Reason, describe};
use crate::source::Source;
use crate::text::{command_on, visible};
use crate::toolkit_env::Unknown;

/// The answer of the chain.
pub fn answer(case: &Case<'_>) -> Vec<Check> {
    match &case.resolution.answer {
        Answer::Usable { source, identity } => {
            let name = identity.profile().map_or_else(
                || "keys without a profile".to_owned(),
                |name| format!("profile '{}'", visible(name)),
            );
            let mut checks = vec![Check::ok(
                "profile",
                format!(
                    "the toolkit gets {name} ({}), region {}",
                    source.name(),
                    visible(&case.resolution.region.name)
                ),
            )];
            if *source == Source::First {
                checks.push(
                    Check::warning(
                        "auto-detected",
                        format!("Auto-detected AWS profile: nothing names one, so {name} was taken as the first usable"),
                    )
                    .remedy(case.pin()),
                );
            }
            let soon = jiff::SignedDuration::from_mins(EXPIRES_SOON_MINUTES);
            if let Some(end) = identity.expires_at()
                && end.duration_since(case.inputs.now) <= soon
            {
                let message = format!("the temporary credentials of {name} run out at {end}");
                checks
                    .push(Check::warning("credentials-expire-soon", message).remedy("renew them"));
            }
            checks
        }
        Answer::Unusable { source, profile, reason } => {
            let shown = profile.as_ref().map(visible).unwrap_or_default();
            unusable(case, *source, &shown, reason).into_iter().collect()
        }
        Answer::Nothing => vec![nothing(case)],
    }
}

fn unusable(case: &Case<'_>, source: Source, shown: &str, reason: &Reason) -> Option<Check> {
    let candidate = case.resolution.candidates.iter().find(|candidate| candidate.source == source);
    let at = candidate.and_then(|candidate| candidate.at.as_ref());
    let (code, message) = match reason {
        // The file's own check says it.
        Reason::Unreadable(_) => return None,
        Reason::OtherAccount { is, wanted, .. } => (
            "profile-unusable",
            format!("profile '{shown}' belongs to account {is}, this directory wants {wanted}"),
        ),
        Reason::Missing => (
            "profile-missing",
            format!("Profile '{shown}' has no static credentials: it is in neither AWS file"),
        ),
        Reason::Kind(kind) => {
            let code = if *kind == Kind::Partial { "half-key-pair" } else { "profile-unusable" };
            let what = describe(reason);
            (code, format!("Profile '{shown}' has no static credentials: it {what}"))
        }
        Reason::Expired(end) => (
            "credentials-expired",
            format!("the temporary credentials of '{shown}' ran out at {end}"),
        ),
    };
    let message =
        format!("{message}; {}, and the toolkit gets none in its place", named_by(source));
    let check = Check::problem(code, message).remedy(other_profile(case, source, at));
    Some(match at {
        Some(at) => check.at(at),
        None => check,
    })
}

fn named_by(source: Source) -> &'static str {
    match source {
        Source::Pin => "BACKLOG_AWS_PROFILE, set in this shell, names it",
        Source::Directory => "the override file names it",
        Source::Ambient => "BACKLOG_AWS_PROFILE, set before the hook first ran, names it",
        _ => "~/.backlog-toolkit-env names it",
    }
}

/// The command that names another profile where this one is named.
fn other_profile(case: &Case<'_>, source: Source, at: Option<&Place>) -> String {
    let directory = at.and_then(|at| at.path.parent());
    match (source, directory) {
        (Source::Directory, Some(directory)) if case.world.cwd.as_deref() == Some(directory) => {
            case.with_usable_profile(|name| format!("backlog-aws local {}", quoted(name)))
        }
        _ => case.pin(),
    }
}

fn nothing(case: &Case<'_>) -> Check {
    let message = "No AWS profiles with static credentials found";
    if case.inputs.anthropic_key {
        return Check::problem(
            "anthropic-key-only",
            format!("{message}; with ANTHROPIC_API_KEY alone, LiteLLM would use Anthropic's API and not Bedrock"),
        )
        .remedy("to use Bedrock, add a profile: `aws configure --profile bedrock`");
    }
    Check::problem("none-found", message).remedy("add one: `aws configure --profile bedrock`")
}

/// The override files on the way up, as far as they matter.
pub fn overrides(case: &Case<'_>) -> Vec<Check> {
    let mut checks: Vec<Check> = case.inputs.overrides.iter().filter_map(one_override).collect();
    if let (Some(mode), Some(trust)) = (case.probe.trust_mode, &case.inputs.trust)
        && mode & 0o022 != 0
    {
        let shown = visible(trust.directory());
        checks.push(
            Check::warning(
                "trust-permissions",
                format!("others can write to the trust store {shown} (mode {mode:03o}), and so allow overrides for you"),
            )
            .remedy(command_on("chmod 700", trust.directory()))
            .at(shown),
        );
    }
    checks
}

fn one_override(found: &OverrideFile<'_>) -> Option<Check> {
    let OverrideFile { file, verdict } = found;
    let shown = visible(&file.path);
    let aside = || format!("mend it, or put it aside: {}", put_aside(&file.path));
    let directory = file.path.parent().unwrap_or(&file.path);
    Some(match (&file.content, verdict) {
        (_, Verdict::Denied) => Check::ok("override", format!("{shown} is denied")),
        (Content::Read { bytes, .. }, Verdict::Allowed) => match overrides::parse(bytes) {
            Ok(_) => Check::ok("override", format!("{shown} is allowed and in force")),
            Err(invalid) => Check::problem(
                "override-invalid",
                format!("{shown} cannot be understood, so nothing is chosen here: it {invalid}"),
            )
            .remedy(aside())
            .at(invalid.place(&file.path)),
        },
        (Content::Read { .. }, Verdict::Unknown { changed }) => Check::warning(
            "override-not-allowed",
            if *changed {
                format!("{shown} changed since it was allowed, and is ignored")
            } else {
                format!("{shown} is not allowed, and is ignored")
            },
        )
        .remedy(format!("look at it, then {}", command_on("backlog-aws allow", directory)))
        .at(shown),
        (_, Verdict::Undecidable(why)) => Check::problem(
            "trust-unreadable",
            format!("whether {shown} is allowed cannot be told: {}", visible(why)),
        )
        .remedy(command_on("backlog-aws allow", directory))
        .at(shown),
        (Content::Unreadable(why), Verdict::Allowed) => {
            let message = format!("{shown} {why}, so nothing is chosen here");
            Check::problem("override-invalid", message).remedy(aside()).at(shown)
        }
        (Content::Unreadable(why), _) => {
            Check::warning("override-invalid", format!("{shown} {why}, and is ignored"))
                .remedy(aside())
                .at(shown)
        }
        (Content::Absent, _) => return None,
    })
}

/// The variables of the toolkit's file that its start scripts export over what `exec` set.
const KEYS: [&str; 4] =
    ["AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// The toolkit's own file.
pub fn toolkit_env(case: &Case<'_>) -> Vec<Check> {
    let (path, file) = case.toolkit_env();
    let mut checks = Vec::new();
    for (name, line, why) in file.unknown() {
        let told = format!("the value of {name} {why}, and is not used");
        let check = match why {
            Unknown::NeedsShell if name == "BACKLOG_AWS_PROFILE" => {
                Check::problem("value-needs-expansion", told).remedy(written_out(case, name, line))
            }
            Unknown::NeedsShell => {
                Check::warning("value-needs-expansion", told).remedy(written_out(case, name, line))
            }
            Unknown::OpenQuote => Check::problem("toolkit-env-invalid", told)
                .remedy(format!("close it: {}", super::check::open_at(path, line))),
        };
        checks.push(check.at(place(path, Some(line))));
    }
    let blank: Vec<(&str, usize)> =
        KEYS.into_iter().filter_map(|name| Some((name, file.blanks(name)?))).collect();
    checks.extend(overriding(case, "toolkit-env-blanks", &blank, "sets to nothing"));
    let mut set = match Handover::of(case.resolution, case.inputs, &case.world.env, true) {
        Ok(handover) => handover.contradicted_by(file),
        Err(_) => Vec::new(),
    };
    set.retain(|(name, _)| file.blanks(name).is_none());
    checks.extend(overriding(case, "toolkit-env-overrides", &set, "sets"));
    checks
}

fn overriding(
    case: &Case<'_>,
    code: &'static str,
    found: &[(&str, usize)],
    does: &str,
) -> Option<Check> {
    let (path, _) = case.toolkit_env();
    let (_, first) = found.first()?;
    let names: Vec<&str> = found.iter().map(|(name, _)| *name).collect();
    let lines: Vec<usize> = found.iter().map(|(_, line)| *line).collect();
    let (shown, names) = (visible(path), names.join(", "));
    let message = format!(
        "{shown} {does} {names}; the toolkit's start scripts source it, and so undo what `backlog-aws exec` sets"
    );
    let check = Check::warning(code, message.replace('`', "'"));
    Some(check.remedy(comment_out(path, &lines)).at(place(path, Some(*first))))
}

/// The command that replaces a value that needs a shell by the one that holds, where that is no secret.
fn written_out(case: &Case<'_>, name: &str, line: usize) -> String {
    let (path, _) = case.toolkit_env();
    let value = match name {
        "BACKLOG_AWS_PROFILE" => case.usable_profiles().first().map(|name| (*name).to_owned()),
        "AWS_REGION" | "AWS_DEFAULT_REGION" => {
            let region = case.resolution.region.name.to_str();
            region.filter(|region| overrides::is_region_name(region)).map(str::to_owned)
        }
        _ => None,
    };
    match value {
        Some(value) => {
            let edit = format!("sed -i.bak \"{line}s|.*|export {name}='{value}'|\"");
            format!("write it out: {}", command_on(&edit, path))
        }
        None => format!(
            "write it out in single quotes, or leave it out: {}",
            comment_out(path, &[line])
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Verdict;
    use super::super::fixture::Machine;

    const CREDENTIALS: &str = "[bedrock]\naws_access_key_id = A\naws_secret_access_key = s\n";

    fn machine(credentials: &str, toolkit_env: &str) -> Machine {
        Machine::new(credentials, "").toolkit_env(toolkit_env).facts(&["shell=bash", "mode=none"])
    }

    #[test]
    fn a_cause_comes_before_what_follows_from_it() {
        let machine = machine(CREDENTIALS, "BACKLOG_AWS_PROFILE=$(x)\n");
        assert_eq!(machine.codes(), ["value-needs-expansion"]);
    }

    #[test]
    fn keys_of_the_toolkits_file_conflict_only_with_another_choice() {
        let keys = "AWS_ACCESS_KEY_ID=B\nAWS_SECRET_ACCESS_KEY=t\n";
        assert_eq!(machine(CREDENTIALS, keys).codes(), [""; 0]);
        let both = format!("BACKLOG_AWS_PROFILE=bedrock\n{keys}");
        let checks = machine(CREDENTIALS, &both).checks();
        assert_eq!(checks[0].code, "toolkit-env-overrides");
        assert_eq!(
            checks[0].remedy.as_deref(),
            Some("`sed -i.bak -e '2s/^/# /' -e '3s/^/# /' /home/u/.backlog-toolkit-env`")
        );
        let of_claude = machine(CREDENTIALS, "BACKLOG_AWS_PROFILE=bedrock\nAWS_PROFILE=cc\n");
        assert_eq!(of_claude.codes(), ["toolkit-env-overrides"]);
    }

    #[test]
    fn an_expiry_time_that_cannot_be_read_is_told_of_the_chosen_profile() {
        let text = format!("{CREDENTIALS}aws_session_token = t\naws_expiration = soon\n");
        let machine = machine(&text, "BACKLOG_AWS_PROFILE=bedrock\n");
        let notices = machine.ask(|case| case.resolution.all_findings());
        assert_eq!(notices.len(), 1, "{notices:?}");
        assert_eq!(notices[0].code, crate::finding::Code::FileInvalid);
        assert!(
            notices[0].what_and_where().ends_with("(/home/u/.aws/credentials:5)"),
            "{notices:?}"
        );
        let checks = machine.checks();
        assert_eq!((checks[0].code, checks[0].verdict), ("file-invalid", Verdict::Warning));
        // Nobody is told at each prompt of profiles that are not used.
        let other = format!("{text}[x]\naws_access_key_id = A\naws_secret_access_key = s\n");
        let machine =
            super::super::fixture::Machine::new(&other, "").toolkit_env("BACKLOG_AWS_PROFILE=x\n");
        assert!(machine.ask(|case| case.resolution.findings.is_empty()));
    }
}
