//! From the words to one of the commands.

use super::{change, edit, show, trial, versions};
use crate::app::App;
use crate::args::ConfigCommand;
use crate::exit::{Exit, Failure};

/// Runs one of the commands.
pub async fn run(app: &App, command: &ConfigCommand) -> Result<Exit, Failure> {
    match command {
        ConfigCommand::Get { path, .. } => show::get(app, path),
        ConfigCommand::Set { path, value, .. } => edit::set(app, path, value),
        ConfigCommand::Unset { path, .. } => edit::unset(app, path),
        ConfigCommand::Validate { .. } => show::validate(app),
        ConfigCommand::Schema => show::schema(app),
        ConfigCommand::Explain { path, .. } => show::explain(app, path),
        ConfigCommand::File { .. } => show::file(app),
        ConfigCommand::Apply(args) => match args.confirm_within {
            Some(within) => trial::apply(app, &args.file, within).await,
            None => change::apply(app, &args.file),
        },
        ConfigCommand::Confirm { .. } => trial::confirm(app).await,
        ConfigCommand::Rollback { number: Some(number), .. } => change::rollback(app, usize::from(*number)),
        ConfigCommand::Rollback { number: None, .. } => trial::rollback(app).await,
        ConfigCommand::History { .. } => versions::history(app),
        ConfigCommand::Diff { from, to, .. } => versions::diff(app, *from, *to),
    }
}
