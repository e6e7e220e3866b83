//! `use`: pins a profile or region for one shell. The shell function of the integration evaluates what is printed.

use std::ffi::OsString;
use std::io::{self, Write};

use super::hook;
use crate::choice;
use crate::cli;
use crate::error::{Done, Failure};
use crate::finding::print_findings;
use crate::resolve::{Answer, Inputs, resolve};
use crate::session::{UserIntent, Variable};
use crate::text::visible;
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
    if let Some(region) = &args.region
        && !region.is_empty()
        && !crate::overrides::is_region_name(region)
    {
        return Err(Failure::Usage(format!(
            "'{}' cannot be a region; write it like eu-west-1",
            visible(region)
        )));
    }
    let profile = match (&args.profile, &args.region, args.clear) {
        (Some(profile), _, _) => Some(checked(profile, world)?),
        (None, None, false) => {
            Some(choice::usable_profile("Profile for this shell", world)?.into())
        }
        _ => None,
    };
    let (code, news) = hook::update_after(shell, &args.session, world, |session| {
        if args.clear {
            session.variables.unpin(Variable::Profile);
        }
        // One that was pinned before belongs to the profile of then.
        session.variables.unpin(Variable::Region);
        if let Some(profile) = profile {
            session.variables.pin(Variable::Profile, profile);
        }
        if let Some(region) = args.region.as_ref().filter(|region| !region.is_empty()) {
            session.variables.pin(Variable::Region, region.into());
        }
    });
    out.write_all(&code)?;
    print_findings(&news, &world.env, &mut io::stderr().lock());
    Ok(0)
}

/// The profile, if it can be used now.
fn checked(profile: &OsString, world: &World) -> Result<OsString, Failure> {
    if profile.is_empty() {
        return Err(Failure::Usage("the name of the profile is empty; give one".to_owned()));
    }
    let intent = UserIntent { pin: Some(profile.clone()), ..UserIntent::default() };
    let resolution = resolve(&Inputs::of(world, intent));
    match (&resolution.answer, resolution.refusal()) {
        (Answer::Usable { .. }, _) => Ok(profile.clone()),
        (_, Some(notice)) => Err(Failure::Problem(notice.message.clone())),
        (_, None) => Err(Failure::Explained),
    }
}
