//! The quickest refusal: a gateway that certainly runs from this configuration and on this port. It is found before
//! a thread is started or the configuration is read, so that losing a race costs next to nothing (rule R1).

use std::path::Path;

use gateway_base::env::Env;
use gateway_base::lock_file::Places;

use super::checks;
use super::identity::Identity;
use super::ownership::{self, certain_owner};
use super::taken::{self, Scene};
use crate::args::Args;
use crate::exit::Refusal;

/// The refusal, when it is certain already. Anything doubtful is left to the start itself.
#[must_use]
pub fn refusal(args: &Args, process: &Env, working_folder: &Path) -> Option<Refusal> {
    if args.force || args.print_config || args.reset || !checks::flags_are_sound(args) {
        return None;
    }
    let who = Identity::new(args, process, working_folder).ok()?;
    if who.env.is_one("CLAWDBOT_ALLOW_MULTI_GATEWAY") {
        return None;
    }
    let named = checks::named_port(args, &who.env).ok()?;
    let owner = certain_owner(&Places::new(&who.env), &who.paths.config, named)?;
    let port = named.or(owner.port)?;
    let running = ownership::Error::Running { owner: Some(owner), waited: false };
    Some(taken::lock(&running, Scene { port, paths: &who.paths, env: &who.env }))
}
