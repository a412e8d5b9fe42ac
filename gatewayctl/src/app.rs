//! What every command is given: the environment, the paths, where to print, and the words to suggest. And from the
//! parsed command line to the command.

use gateway_base::clock::Clock;
use gateway_base::env::Env;
use gateway_base::paths::Paths;
use gateway_base::profile;

use crate::args::{Cli, Command};
use crate::cmds;
use crate::exit::{Exit, Failure};
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

    /// Runs the command.
    pub async fn run(&self, cli: Cli) -> Result<Exit, Failure> {
        match cli.command {
            Command::Status(args) => cmds::status::run(self, &args).await,
            Command::Health(args) => cmds::health::run(self, &args).await,
            Command::Probe(args) => cmds::probe::run(self, &args).await,
            Command::Call(args) => cmds::call::run(self, &args).await,
            Command::Reload(args) => cmds::reload::run(self, &args).await,
            Command::Shutdown(args) => cmds::shutdown::run(self, &args).await,
            Command::Logs(args) => cmds::logs::run(self, &args).await,
            Command::Config(command) => cmds::config::run(self, &command),
            Command::Devices(command) => cmds::devices::run(self, &command).await,
            Command::UsageCost(args) => cmds::usage_cost::run(self, &args).await,
            Command::Completions { shell } => cmds::offline::completions(&self.out, self.words, shell),
            Command::Man => cmds::offline::man(&self.out),
            Command::Version(_) => cmds::offline::version(&self.out),
        }
    }
}
