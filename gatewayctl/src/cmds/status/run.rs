//! Runs `status` and decides its exit code.

use super::gather::gather;
use super::render::{notes, render};
use crate::app::App;
use crate::args::StatusArgs;
use crate::exit::{Exit, Failure};

/// Gathers, prints, and ends with the verdict's code.
pub async fn run(app: &App, args: &StatusArgs) -> Result<Exit, Failure> {
    let (report, target) =
        gather(app, args).await.map_err(|failure| failure.context("Gateway status failed"))?;
    if app.out.is_json() {
        app.out.json(&report)?;
    } else {
        app.out.print(&render(&report, &target, app))?;
        app.out.note(&notes(&report, app));
    }
    Ok(report.verdict.state.exit())
}
