//! What every command is given: the environment, the paths, where to print, and the words to suggest.

use std::path::PathBuf;

use gateway_base::clock::Clock;
use gateway_base::env::Env;
use gateway_base::paths::Paths;
use gateway_base::profile;

use crate::output::Output;
use crate::settings::Settings;
use crate::spelling::Words;

/// The surroundings of a command.
#[derive(Clone, Debug)]
pub struct App {
    /// The environment, with the variables of `.env` files.
    pub env: Env,
    /// Where this profile keeps its things.
    pub paths: Paths,
    /// Where to print.
    pub out: Output,
    /// The spelling of suggested commands.
    pub words: Words,
    /// The time of day.
    pub clock: Clock,
    /// The file of this program.
    pub own: Option<PathBuf>,
}

impl App {
    /// A command of this program to suggest, with the profile when one is active.
    #[must_use]
    pub fn suggest(&self, command: &str) -> String {
        profile::hint(self.paths.profile.as_ref(), &format!("{} {command}", self.words.control))
    }

    /// How to start the daemon, with the profile when one is active.
    #[must_use]
    pub fn suggest_start(&self) -> String {
        profile::hint(self.paths.profile.as_ref(), self.words.daemon)
    }

    /// The configuration, and the environment with what the configuration adds to it.
    #[must_use]
    pub fn settings(&self) -> (Settings, Env) {
        let settings = Settings::load(&self.paths, &self.env);
        let env = settings.extend(&self.env);
        (settings, env)
    }
}
