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
    check(args, USE, world)?;
    let profile = if args.profile.is_none() && args.region.is_none() && !args.clear {
        Some(choice::usable_profile("Profile for this shell", world)?)
    } else {
        args.profile.clone()
    };
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

/// Refuses a profile that cannot be used.
fn check(args: &cli::Use, command: &'static str, world: &World) -> Result<(), Failure> {
    match args.profile.as_ref().and_then(|name| choice::refusal_of(name, command, world)) {
        Some(refusal) => Err(Failure::Problem(refusal.to_string())),
        None => Ok(()),
    }
}

/// The choice for everywhere. What it says goes to standard error, because the integration evaluates standard output.
fn run_global(args: &cli::Use, world: &World) -> Done {
    check(args, "backlog-aws use --global ", world)?;
    let asks = args.profile.is_none() && args.region.is_none() && !args.clear;
    let profile = if asks {
        Some(choice::usable_profile("Profile for everywhere", world)?)
    } else {
        args.profile.clone()
    };
    let region = match args.region.as_deref() {
        // As for a pin, a region belongs to the profile it was chosen with.
        Some("") => Edit::Remove,
        None if profile.is_some() => Edit::Remove,
        region => region.into(),
    };
    let edits = if args.clear {
        [("profile", Edit::Remove), ("region", Edit::Remove)]
    } else {
        [("profile", profile.as_deref().into()), ("region", region)]
    };
    user_config::set_everywhere(&edits, world, &mut io::stderr().lock())
}
