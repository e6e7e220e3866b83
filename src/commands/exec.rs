//! `exec`: becomes another program, with the credentials in its environment and nowhere else.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::bearer::exchange;
use crate::choice::{print_concerns, resolve_for_command, run_anyway};
use crate::cli;
use crate::error::{Done, Failure, reason};
use crate::finding::{Code, Finding, is_quiet, print_findings};
use crate::handover::Handover;
use crate::layout::{print_line, say};
use crate::resolve::{Identity, Inputs, Resolution};
use crate::sealed::Sealed;
use crate::start_script::{may_use_docker, under_exec};
use crate::temporary;
use crate::text::visible;
use crate::world::{Environment, World};

/// Resolves afresh and replaces this process by the command.
pub fn run(args: &cli::Exec, world: &World, out: &mut dyn Write) -> Done {
    let (inputs, mut resolution) = resolve_for_command(&args.choice, Some(args), world)?;
    let summary = resolution.summary(&inputs);
    if args.bearer {
        exchange(&mut resolution, args.life, world.now);
    }
    let sealed = args.sealed.then(|| Sealed::of(&resolution, args.choice.temporary, world));
    let sealed = sealed.transpose()?;
    let handover = Handover::of(&resolution, &inputs, world, !args.no_profile, sealed.as_ref())?;
    judge_start(args, world, &inputs, &resolution, &handover)?;
    if args.dry_run {
        print_line(&format!("as      {summary}"), &world.env, out)?;
        if let Some((profile, _)) = &inputs.temporary {
            writeln!(out, "ask     {} for the keys", temporary::shown(profile))?;
        }
        if let Some(key) = resolution.answer.identity().and_then(Identity::api_key) {
            print_line(&format!("key     {key}"), &world.env, out)?;
        }
        handover.show(&world.env, out)?;
        return Ok(0);
    }
    let Some((program, arguments)) = args.command.split_first() else {
        return Err(Failure::Usage("there is no command to run; write it after `--`".to_owned()));
    };
    print_concerns(&resolution, world);
    print_findings(resolution.unknown_region(), &world.env, &mut io::stderr());
    let told = [
        (
            !resolution.answer.is_usable(),
            "no profile is usable, so the command runs without AWS credentials; with ANTHROPIC_API_KEY, LiteLLM uses Anthropic's own API",
        ),
        (
            world.env.non_empty("ANTHROPIC_AWS_API_KEY").is_some(),
            "ANTHROPIC_AWS_API_KEY stays, and Anthropic's AWS client prefers it to these credentials; unset it if that is not meant",
        ),
    ];
    for (_, text) in told.iter().filter(|(holds, _)| *holds && !is_quiet(&world.env)) {
        say(text, &world.env);
    }
    sealed.as_ref().map_or(Ok(()), |sealed| sealed.write(world.home.as_deref()))?;
    Err(become_command(program, arguments, &handover))
}

/// Replaces this process by the command, and is back only when that fails.
fn become_command(program: &OsStr, arguments: &[OsString], handover: &Handover) -> Failure {
    let mut command = Command::new(program);
    command.args(arguments);
    for name in &handover.removed {
        command.env_remove(name);
    }
    for (name, value) in &handover.set {
        command.env(name, value.text());
    }
    // Same process, so that signals, the exit status and the process id are the command's own.
    let error = command.exec();
    let program = visible(program);
    match error.kind() {
        io::ErrorKind::NotFound => Failure::NotFound(if program.contains('/') {
            format!("{program}: no such file, or its interpreter is missing; check the path")
        } else {
            format!("{program}: command not found; is it on PATH?")
        }),
        io::ErrorKind::ArgumentListTooLong => Failure::NotExecutable(format!(
            "{program} cannot be run: argument list too long; pass fewer arguments, or unset large variables"
        )),
        _ => Failure::NotExecutable(format!("{program} cannot be run: {}", reason(&error))),
    }
}

const WITH_CLAUDE: &str = "claude-with-services.sh";

/// Says what the toolkit's start script would make of the credentials. Where it would use others, its scripts are not
/// run, and with `--strict` no command is.
fn judge_start(
    args: &cli::Exec,
    world: &World,
    inputs: &Inputs<'_>,
    resolution: &Resolution,
    handover: &Handover,
) -> Result<(), Failure> {
    let script = script_of(&args.command);
    if script.is_some_and(|script| script.ends_with(WITH_CLAUDE)) && !args.force {
        return Err(Failure::Problem(format!(
            "{WITH_CLAUDE} starts Claude Code as well, and with these credentials; run start-services.sh through exec, and then {WITH_CLAUDE} by itself (after a start with Docker: `claude`)"
        )));
    }
    let under_exec = |docker| under_exec(world, inputs, resolution, handover, docker);
    // With Docker the script asks the AWS CLI, to which a sealed configuration gives the one identity.
    let (native, containers) = (under_exec(false), under_exec(true).filter(|_| !args.sealed));
    // The script takes containers where its compose file is and a Docker engine answers.
    let takes_containers = |script: &Path| {
        let directory = script.parent();
        directory.is_some_and(|directory| directory.join("../../docker-compose.yml").exists())
            && !args.command.iter().any(|word| word == "BACKLOG_NATIVE_MODE=true")
            && engine_answers(&world.env)
    };
    let findings = match script {
        // Of API keys only the script knows nothing; of containers too.
        None => native.filter(|found| !args.sealed && found.code != Code::ToolkitApiKey),
        Some(script) if native != containers && takes_containers(script) => containers,
        Some(_) => native,
    };
    let stops = |finding: &&Finding| finding.code != Code::ToolkitRegion;
    let held = (script.is_some() || args.strict) && !args.force && !args.dry_run;
    let Some(finding) = findings.iter().find(stops).filter(|_| held) else {
        print_findings(findings, &world.env, &mut io::stderr().lock());
        return Ok(());
    };
    if args.strict && run_anyway(finding)? {
        return Ok(());
    }
    Err(Failure::Problem(format!("{finding}; --force runs it all the same")))
}

/// What the script asks too.
fn engine_answers(env: &Environment) -> bool {
    let mut docker = Command::new("docker");
    docker.arg("info").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    may_use_docker(env) && docker.status().is_ok_and(|status| status.success())
}

/// The toolkit's script that a command runs, by itself or by way of a shell.
fn script_of(command: &[OsString]) -> Option<&Path> {
    const SCRIPTS: [&str; 3] = ["start-services.sh", "restart-services.sh", WITH_CLAUDE];
    const RUNS_OTHERS: [&str; 7] = ["bash", "sh", "zsh", "env", "nohup", "time", "nice"];
    let named = |word: &Path, names: &[&str]| names.iter().any(|name| word.ends_with(name));
    let by_another = named(command.first()?.as_ref(), &RUNS_OTHERS);
    let mut words = command.iter().take(if by_another { command.len() } else { 1 }).map(Path::new);
    words.find(|word| named(word, &SCRIPTS))
}
