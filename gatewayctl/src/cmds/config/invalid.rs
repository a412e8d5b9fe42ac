//! What is said of a file that is not valid, with every fault of it.

use gateway_base::paths::Paths;
use gateway_config::Issue;

use crate::app::App;
use crate::exit::{Exit, Failure};

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
