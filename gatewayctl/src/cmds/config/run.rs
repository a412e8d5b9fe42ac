//! From the words to one of the commands.

use super::{edit, show};
use crate::app::App;
use crate::args::ConfigCommand;
use crate::exit::{Exit, Failure};

/// Runs one of the commands. None of them waits for anything, so none needs the runtime.
pub fn run(app: &App, command: &ConfigCommand) -> Result<Exit, Failure> {
    match command {
        ConfigCommand::Get { path, .. } => show::get(app, path),
        ConfigCommand::Set { path, value, .. } => edit::set(app, path, value),
        ConfigCommand::Unset { path, .. } => edit::unset(app, path),
        ConfigCommand::Validate { .. } => show::validate(app),
        ConfigCommand::Schema => show::schema(app),
        ConfigCommand::Explain { path, .. } => show::explain(app, path),
        ConfigCommand::File { .. } => show::file(app),
    }
}
