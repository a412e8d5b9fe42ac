//! Finds out what the checks judge. Nothing here changes anything, and the store is never opened.

mod config;
mod daemon;
mod files;
mod store;

use super::facts::{DaemonFacts, Facts};
use crate::app::App;

/// Looks at everything.
pub async fn gather(app: &App) -> Facts {
    let config = config::gather(app);
    let daemon = daemon::ask(app).await;
    let has_no_owner = matches!(daemon, DaemonFacts::NotRunning);
    Facts {
        paths: app.paths.clone(),
        words: app.words,
        files: files::gather(&app.paths, &config),
        uid: files::own_user(),
        store: store::gather(&app.paths, has_no_owner),
        config,
        daemon,
    }
}
