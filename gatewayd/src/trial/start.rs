//! What a start does about a change on trial. Only a restart in place carries one on: whatever else ended the daemon
//! before, nobody has confirmed the change, so it is taken back before the configuration is read.

use std::path::Path;

use gateway_base::clock::Clock;
use gateway_base::env::Env;
use gateway_base::error_chain::Chain;
use gateway_base::lock_file::{self, Places};
use gateway_base::paths::Paths;
use gateway_config::write::{self, TakenBack, Trial, Writer};

use crate::args::Args;
use crate::start::Identity;

/// What a start found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The change that stays on trial.
    pub trial: Option<Trial>,
    /// What a person should read in the log.
    pub note: Option<String>,
}

/// Looks for a change on trial and takes it back, unless this process began it or another gateway watches over it.
#[must_use]
pub fn find(paths: &Paths, env: &Env, clock: &Clock) -> Found {
    let trial = match write::trial(paths) {
        Ok(None) => return Found::default(),
        Ok(Some(trial)) => trial,
        Err(error) => {
            let note = format!("{error}; it is left as it is, and the config file is used as it stands");
            return Found { trial: None, note: Some(note) };
        }
    };
    if trial.is_ours() && !trial.left(clock.now()).is_zero() {
        return Found { trial: Some(trial), note: None };
    }
    if !trial.is_ours() && is_watched(paths, env) {
        return Found::default();
    }
    let why = if trial.is_ours() {
        "its time was up during the restart"
    } else {
        "the gateway ended before it was confirmed"
    };
    match Writer::new(paths.clone(), env.clone()).take_back() {
        Ok(Some(done)) => Found { trial: None, note: Some(taken_back(&done, why, paths)) },
        Ok(None) => Found::default(),
        Err(error) => {
            let note = format!("the config change on trial could not be taken back: {}", Chain(&error));
            Found { trial: Some(trial), note: Some(note) }
        }
    }
}

/// After a start or a run that failed: takes the change back that this process carried, so that starting again can
/// help. Says what was done, or nothing when there was nothing to do.
#[must_use]
pub fn rescue(args: &Args, process: &Env, working_folder: &Path) -> Option<String> {
    let who = Identity::new(args, process, working_folder).ok()?;
    write::trial(&who.paths).ok().flatten().filter(Trial::is_ours)?;
    match Writer::new(who.paths.clone(), who.env).take_back() {
        Ok(done) => done.map(|done| taken_back(&done, "the gateway failed with it", &who.paths)),
        Err(error) => {
            let text = Chain(&error).to_string();
            tracing::error!(subsystem = "gateway/reload", "the config change on trial stays: {text}");
            None
        }
    }
}

/// What the log says of a change that was taken back.
pub(super) fn taken_back(done: &TakenBack, why: &str, paths: &Paths) -> String {
    let tried = done.copy.as_ref().map(|copy| format!("; what was tried is kept in {}", paths.tilde(copy)));
    let keys = done.trial.changed.join(", ");
    format!("config change taken back ({keys}): {why}{}", tried.unwrap_or_default())
}

/// Whether another gateway with this state or configuration lives and stays.
fn is_watched(paths: &Paths, env: &Env) -> bool {
    let places = Places::new(env);
    [places.state(&paths.state), places.gateway(&paths.config)]
        .iter()
        .any(|lock| lock_file::owner(lock).is_some_and(|owner| !owner.stopping))
}
