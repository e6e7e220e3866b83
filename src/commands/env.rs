//! `env`: what the hook would export here, once, for shells and programs without prompts.
//!
//! An answer that cannot be used is printed as the hook exports it, the name of the refused profile included. Were
//! nothing printed, an earlier answer would stay in force, and that can be another account.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;

use crate::cli::{self, EnvFormat};
use crate::error::{Done, Failure};
use crate::finding::{Code, Finding, abridged, print_findings};
use crate::resolve::{Answer, Inputs, resolve};
use crate::session::{Session, UserIntent, Values, Variable, state_of};
use crate::shell::{Shell, quote};
use crate::text::{visible, write_json};
use crate::world::World;

/// Prints the variables, and says what there is to say on standard error.
pub fn run(args: &cli::Env, world: &World, out: &mut dyn Write) -> Done {
    let now = Values::of(&world.env);
    let (mut session, left_over) = Session::of_script(state_of(&world.env), &now);
    let resolution = resolve(&Inputs::of(world, session.variables.intent()));
    let after = session.variables.apply(resolution.exports().as_ref());
    let mut news = session.news(&abridged(resolution.findings));
    if left_over {
        news.extend(earlier_answer(world, &resolution.answer));
    }
    // The exit status needs a reason, also where a hook has given it already.
    let usable = resolution.refusal.is_none();
    news.extend(resolution.refusal);
    print_findings(news, &world.env, &mut io::stderr().lock());
    let mut text = Vec::new();
    match args.format {
        EnvFormat::Sh => code(Shell::Bash, ["export ", "=", "unset "], &after, usable, &mut text),
        EnvFormat::Fish => {
            code(Shell::Fish, ["set -gx ", " ", "set -eg "], &after, usable, &mut text);
        }
        EnvFormat::Json | EnvFormat::Dotenv | EnvFormat::Github => {
            data(args.format, &after, &mut text)?;
        }
    }
    out.write_all(&text)?;
    Ok(u8::from(!usable))
}

/// What an earlier run exported pins this one, like every profile that a script sets. Where that makes a difference, it
/// may not be meant.
fn earlier_answer(world: &World, answer: &Answer) -> Option<Finding> {
    let here = resolve(&Inputs::of(world, UserIntent::default())).answer;
    let (name, other) = (visible(answer.profile()?), here.profile().map(visible));
    let other = other.unwrap_or_else(|| "no profile".to_owned());
    let message = format!(
        "BACKLOG_AWS_PROFILE={name} is left from an earlier answer, and stays; here it would be {other}"
    );
    let finding = Finding::warning(Code::EarlierAnswer, message)
        .remedy("unset BACKLOG_AWS_PROFILE and BACKLOG_AWS_REGION before, to have it worked out for each directory");
    (here.profile() != answer.profile()).then_some(finding)
}

fn code(
    shell: Shell,
    [export, assign, unset]: [&str; 3],
    values: &Values,
    usable: bool,
    out: &mut Vec<u8>,
) {
    for variable in Variable::ALL {
        if let Some(value) = &values[variable] {
            out.extend_from_slice([export, variable.name(), assign].concat().as_bytes());
            quote(shell, value, out);
        } else {
            out.extend_from_slice([unset, variable.name()].concat().as_bytes());
        }
        out.push(b'\n');
    }
    if !usable {
        // `eval` and `source` end with the status of the last command in them, and not with that of this program.
        out.extend_from_slice(b"false\n");
    }
}

fn data(format: EnvFormat, values: &Values, out: &mut Vec<u8>) -> Result<(), Failure> {
    let mut object = BTreeMap::new();
    for variable in Variable::ALL {
        let unfit = || {
            Failure::Problem(format!(
                "the value of {} has characters that this format cannot hold; use `--format sh`",
                variable.name()
            ))
        };
        let value = values[variable].as_deref().map(OsStr::as_bytes);
        let value = value.map(str::from_utf8).transpose().map_err(|_| unfit())?;
        let (name, text) = (variable.name(), value.unwrap_or_default());
        match format {
            EnvFormat::Github if text.contains(char::is_control) => {
                // A line end would start another variable.
                let mut end = String::from("END");
                while text.contains(&end) {
                    end.push('_');
                }
                writeln!(out, "{name}<<{end}\n{text}\n{end}")?;
            }
            // Readers of such files differ in what they make of blanks, quotes and `#`.
            EnvFormat::Dotenv
                if !text.chars().all(|c| c.is_ascii_graphic() && !"\"'`\\$#".contains(c)) =>
            {
                return Err(unfit());
            }
            _ => writeln!(out, "{name}={text}")?,
        }
        object.insert(name, value);
    }
    if format == EnvFormat::Json {
        out.clear();
        write_json(out, &object)?;
    }
    Ok(())
}
