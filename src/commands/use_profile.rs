//! `use`: pins a profile or region for one shell. The shell function of the integration evaluates what is printed.

use std::io::{self, Write};

use crate::choice;
use crate::cli;
use crate::error::{Done, Failure};
use crate::finding::{is_quiet, print_findings};
use crate::hook::{Precision, update};
use crate::layout::say;
use crate::overrides::Edit;
use crate::resolve::{Inputs, USE, resolve};
use crate::session::{Session, Values, Variable, state_of};
use crate::user_config;
use crate::world::World;

/// Checks the profile, then prints the code that pins it or ends a pin.
pub fn run(args: &cli::Use, world: &World, out: &mut dyn Write) -> Done {
    if args.global {
        return run_global(args, world);
    }
    let Some(shell) = args.shell else {
        return Err(Failure::Usage(
            "`use` needs the hook to change this shell; load it as `backlog-aws --help` says, or set BACKLOG_AWS_PROFILE"
                .to_owned(),
        ));
    };
    let profile = profile(args, USE, "Profile for this shell", world)?;
    let now = Values::of(&world.env);
    let mut session =
        Session::continued(state_of(&world.env), &args.session.to_string_lossy(), &now);
    if args.clear {
        session.variables.unpin(Variable::Profile);
    }
    // One that was pinned before belongs to the profile of then.
    session.variables.unpin(Variable::Region);
    if let Some(profile) = profile {
        session.variables.pin(Variable::Profile, profile.into());
    }
    if let Some(region) = args.region.as_ref().filter(|region| !region.is_empty()) {
        session.variables.pin(Variable::Region, region.into());
    }
    let inputs = Inputs::of(world, session.variables.intent());
    let resolution = resolve(&inputs);
    let (code, mut news) = update(shell, Precision::Nothing, world, session);
    out.write_all(&code)?;
    news.extend(resolution.unknown_region());
    print_findings(news, &world.env, &mut io::stderr().lock());
    if !is_quiet(&world.env) {
        say(&resolution.in_force("in this shell", &inputs), &world.env);
    }
    Ok(0)
}

/// The profile to use: the one that is named, unless it cannot be used; where nothing is named, one to choose.
fn profile(
    args: &cli::Use,
    command: &'static str,
    question: &str,
    world: &World,
) -> Result<Option<String>, Failure> {
    if args.profile.is_none() && args.region.is_none() && !args.clear {
        return choice::usable_profile(question, world).map(Some);
    }
    match args.profile.as_ref().and_then(|name| choice::refusal_of(name, command, world)) {
        Some(refusal) => Err(Failure::Problem(refusal.to_string())),
        None => Ok(args.profile.clone()),
    }
}

/// The choice for everywhere. What it says goes to standard error, because the integration evaluates standard output.
fn run_global(args: &cli::Use, world: &World) -> Done {
    let chosen = profile(args, "backlog-aws use --global ", "Profile for everywhere", world)?;
    let profile = if args.clear { Edit::Remove } else { chosen.as_deref().into() };
    // As for a pin, a region belongs to the profile it was chosen with.
    let region = args.region.as_deref().filter(|region| !region.is_empty());
    let edits = [("profile", profile), ("region", region.map_or(Edit::Remove, Edit::Set))];
    user_config::set_everywhere(&edits, world, &mut io::stderr().lock())
}
