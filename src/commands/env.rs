//! `env`: what the hook would export here, once, for shells and programs without prompts.
//!
//! An answer that cannot be used is printed as the hook exports it, the name of the refused profile included. Were
//! nothing printed, an earlier answer would stay in force, and that can be another account.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{self, Write};

use crate::cli::{self, EnvFormat};
use crate::error::{Done, Failure};
use crate::finding::{Code, Finding, abridged, print_findings};
use crate::resolve::{Inputs, resolve};
use crate::session::{STATE, Session, UserIntent, Values, Variable, state_of};
use crate::shell::Shell;
use crate::source::Source;
use crate::text::write_json;
use crate::world::World;

/// Prints the variables, and says what there is to say on standard error.
pub fn run(args: &cli::Env, world: &World, out: &mut dyn Write) -> Done {
    let for_claude = args.format == EnvFormat::Claude;
    let mut session = Session::of_parent(state_of(&world.env), &Values::of(&world.env));
    let intent = match args.format {
        // Its Bash tool is like a shell with a hook, where what was there before is no pin.
        EnvFormat::Claude => session.variables.intent(),
        _ => UserIntent::of_environment(&world.env),
    };
    let resolution = resolve(&Inputs::of(world, intent));
    let values = session.variables.apply(resolution.exports().as_ref());
    let mut news = session.news(&abridged(resolution.findings));
    let source = world.env.get(Variable::Source.name()).and_then(Source::from_name);
    if source.is_some_and(Source::is_worked_out) && resolution.answer.source() == Some(Source::Pin)
    {
        let message =
            "BACKLOG_AWS_PROFILE is set beside an earlier answer, and counts as your choice";
        let remedy =
            "unset it and BACKLOG_AWS_REGION first to have them worked out for this directory";
        news.push(Finding::warning(Code::EarlierAnswer, message).remedy(remedy));
    }
    // The exit status needs a reason, also where a hook has given it already.
    let usable = resolution.refusal.is_none() || for_claude;
    news.extend(resolution.refusal);
    print_findings(news, &world.env, &mut io::stderr().lock());
    let state = for_claude.then(|| session.to_text());
    let text = match args.format {
        EnvFormat::Sh | EnvFormat::Claude => code(Shell::Bash, &values, usable, state),
        EnvFormat::Fish => code(Shell::Fish, &values, usable, state),
        EnvFormat::Json | EnvFormat::Dotenv | EnvFormat::Github => data(args.format, &values)?,
    };
    out.write_all(&text)?;
    Ok(u8::from(!usable))
}

/// Every variable is written, also the unchanged and the unset ones: Claude Code's file is appended to at each change.
fn code(shell: Shell, values: &Values, usable: bool, state: Option<String>) -> Vec<u8> {
    let mut code = Vec::new();
    for variable in Variable::ALL {
        shell.export(variable.name(), values[variable].as_deref(), &mut code);
    }
    if let Some(state) = state {
        shell.export(STATE, Some(OsStr::new(&state)), &mut code);
    }
    if !usable {
        // `eval` and `source` end with the status of the last command in them, and not with that of this program.
        code.extend_from_slice(b"false\n");
    }
    code
}

fn data(format: EnvFormat, values: &Values) -> Result<Vec<u8>, Failure> {
    // Readers of such files differ in what they make of blanks, quotes and `#`, and a line end starts another variable.
    let is_plain = |c: char| c.is_ascii_graphic() && !"\"'`\\$#".contains(c);
    let fits = |text: &&str| format == EnvFormat::Json || text.chars().all(is_plain);
    let (mut lines, mut object) = (Vec::new(), BTreeMap::new());
    for (name, value) in Variable::ALL.map(|variable| (variable.name(), &values[variable])) {
        let text = value.as_deref().map_or(Some(""), OsStr::to_str).filter(fits);
        let text = text.ok_or_else(|| {
            Failure::Problem(format!(
                "the value of {name} has characters that this format cannot hold; use `--format sh`"
            ))
        })?;
        writeln!(lines, "{name}={text}")?;
        object.insert(name, value.as_ref().map(|_| text));
    }
    if format == EnvFormat::Json {
        lines.clear();
        write_json(&mut lines, &object)?;
    }
    Ok(lines)
}
