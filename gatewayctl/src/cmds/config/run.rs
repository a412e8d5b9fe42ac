//! From the words to one of the commands.

use gateway_base::paths::Paths;
use gateway_config::Issue;

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

/// The failure for a file that is not valid.
pub fn invalid(app: &App, paths: &Paths, issues: &[Issue]) -> Failure {
    let mut message = format!("Config invalid at {}.", paths.tilde(&paths.config));
    for issue in issues {
        message.push_str(&format!("\n- {}", one_line(&issue.to_string())));
    }
    let hint = format!("Repair the file, then check it with: {}", app.suggest("config validate"));
    Failure::new(Exit::BadConfig, message).hint(hint)
}

fn one_line(text: &str) -> String {
    text.replace('\n', " ")
}
