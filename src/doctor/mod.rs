//! What `doctor` finds: everything that the chain says to somebody who asks what is wrong, and what only such a person
//! wants to know. [`SystemProbe`] reads the machine, the checks only judge.

mod case;
mod clients;
mod environment;
mod facts;
mod files;
mod integration;
mod leaks;
mod probe;
#[cfg(test)]
mod tests;

pub use case::Case;
pub use clients::{Client, clients};
pub use facts::Facts;
pub use integration::hook_missing;
pub use probe::SystemProbe;

use crate::finding::{Code, Finding, Severity};
use crate::handover::Handover;
use crate::start_script::{may_use_docker, plain_start, under_exec};

/// Every finding, problems first, and of those first what decides the toolkit's credentials.
pub fn findings(case: &Case<'_>) -> Vec<Finding> {
    let chain = case.resolution.all_findings().into_iter();
    // What it says of the environment is said below, with commands for the shell that asks.
    let in_environment = [Code::AwsProfileMissing, Code::EnvironmentKeysShadow];
    let chain = chain.filter(|finding| !in_environment.contains(&finding.code));
    let mut findings: Vec<_> = chain.chain(case.resolution.unknown_region()).collect();
    // That the toolkit does not use it is as it should be.
    let sso = findings.iter_mut().filter(|finding| finding.code == Code::AwsProfileSso);
    sso.for_each(|finding| finding.severity = Severity::Ok);
    findings.extend(integration::findings(case));
    findings.extend(environment::findings(case));
    findings.extend(files::findings(case));
    findings.extend(case.probe.leaks.iter().cloned());
    findings.extend(start_script(case));
    findings.extend(answer(case));
    // For whoever wants to remove them.
    let installed = case.probe.installed.iter();
    findings.extend(installed.map(|(what, at)| Finding::ok(Code::Installed, *what).at(at.clone())));
    findings.sort_by_key(|finding| finding.severity);
    findings
}

/// What the toolkit's start script makes of the answer, by itself and under `exec`.
fn start_script(case: &Case<'_>) -> Vec<Finding> {
    let Case { world, inputs, resolution, .. } = case;
    let mut findings = Vec::new();
    if let Ok(handover) = Handover::of(resolution, inputs, world, true, None) {
        let under_exec = |docker| under_exec(world, inputs, resolution, &handover, docker);
        findings.extend(under_exec(false));
        findings.extend(under_exec(true).filter(|_| may_use_docker(&world.env)));
    }
    findings.extend(plain_start(world, inputs, resolution));
    findings.dedup_by_key(|finding| finding.code);
    findings
}

fn answer(case: &Case<'_>) -> Option<Finding> {
    // The start script does not know API keys, as another finding says.
    let identity = case.resolution.answer.identity();
    identity.filter(|identity| identity.api_key().is_none())?;
    let message = format!("chosen: {}", case.resolution.summary(case.inputs));
    let at = case.resolution.decided_at().cloned();
    Some(Finding { at, ..Finding::ok(Code::Profile, message) })
}
