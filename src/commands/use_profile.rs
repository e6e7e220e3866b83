//! `use`: pins a profile or region for one shell. The shell function of the integration evaluates what is printed.

use std::io::{self, Write};

use super::hook;
use crate::choice;
use crate::cli;
use crate::error::{Done, Failure};
use crate::finding::print_findings;
use crate::resolve::USE;
use crate::session::Variable;
use crate::world::World;

/// Checks the profile, then prints the code that pins it or ends a pin.
pub fn run(args: &cli::Use, world: &World, out: &mut dyn Write) -> Done {
    let Some(shell) = args.shell else {
        return Err(Failure::Usage(
            "`use` changes the shell it is typed in and needs its integration; put `eval \"$(backlog-aws init bash)\"` \
             (zsh alike; fish: `backlog-aws init fish | source`) into its start-up file, or set BACKLOG_AWS_PROFILE yourself"
                .to_owned(),
        ));
    };
    if let Some(refusal) =
        args.profile.as_ref().and_then(|name| choice::refusal_of(name, USE, world))
    {
        return Err(Failure::Problem(refusal.to_string()));
    }
    let profile = if args.profile.is_none() && args.region.is_none() && !args.clear {
        Some(choice::usable_profile("Profile for this shell", world)?)
    } else {
        args.profile.clone()
    };
    let (code, news) = hook::update_after(shell, &args.session, world, |session| {
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
    });
    out.write_all(&code)?;
    print_findings(news, &world.env, &mut io::stderr().lock());
    Ok(0)
}
